//! The services that the page shows.

use crate::connection_test::ConnectionTest;
use crate::instance::Instance;
use crate::microsoft::admin_center::Admin;
use crate::microsoft::entra::Entra;
use crate::page::names::Names;

/// What the page shows; cheap to clone.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) instance: Instance,
    pub(crate) entra: Entra,
    pub(crate) admin: Admin,
    pub(crate) connection: ConnectionTest,
    /// Client id of the application that the simulator starts with.
    pub(crate) own_application: String,
}

impl Page {
    pub(super) fn names(&self) -> Names {
        self.entra.directory().with(|tenant| Names::of(tenant))
    }
}
