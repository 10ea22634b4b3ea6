//! Microsoft Graph, as much as the azuread provider needs.

use axum::Router;

use super::directory::Directory;
use crate::faults::Faults;

/// Graph; cheap to clone.
#[derive(Clone)]
pub struct Graph {
    directory: Directory,
    faults: Faults,
}

impl Graph {
    pub(crate) fn new(directory: Directory) -> Graph {
        Graph {
            directory,
            faults: Faults::new(),
        }
    }

    pub(crate) fn router(&self) -> Router {
        self.faults.layer(Router::new())
    }

    /// Scripted faults, delays and cuts in front of Graph.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}
