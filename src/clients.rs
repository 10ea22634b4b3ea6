//! What the provider's configuration builds: a client for each side, or why there is none.

use std::sync::Arc;

use crate::{
    http::{Client, Limits, Origin},
    microsoft::Microsoft365,
    plugin::{Context, Diagnostic},
    servicenow::{Instance, Session},
};

/// The clients. A side that is not configured is an error only for what needs it.
#[derive(Debug)]
pub struct Clients {
    /// The ServiceNow instance.
    pub servicenow: Result<Instance, Diagnostic>,
    /// Microsoft 365, signed in as the provider.
    pub microsoft: Result<Microsoft365, Diagnostic>,
    /// Entra, for signing in as somebody else.
    pub authorities: Option<Authorities>,
}

/// Where other identities sign in.
#[derive(Clone, Debug)]
pub struct Authorities {
    /// The wire.
    pub http: Arc<Client>,
    /// The sign-in service.
    pub login: Origin,
    /// The provider's tenant, if it is configured.
    pub tenant: Option<String>,
}

/// What a call does its work with.
pub trait Calls {
    /// The instance, within the limits of this call.
    ///
    /// # Errors
    /// When the provider block does not say how to reach it.
    fn instance(&self) -> Result<Session, Diagnostic>;

    /// The Microsoft side.
    ///
    /// # Errors
    /// When the provider block does not say how to reach it.
    fn microsoft(&self) -> Result<&Microsoft365, Diagnostic>;

    /// The limits of this call.
    fn limits(&self) -> Limits;
}

impl Calls for Context<Clients> {
    fn instance(&self) -> Result<Session, Diagnostic> {
        self.data
            .servicenow
            .as_ref()
            .map(|instance| instance.at(self.limits()))
            .map_err(Clone::clone)
    }

    fn microsoft(&self) -> Result<&Microsoft365, Diagnostic> {
        self.data.microsoft.as_ref().map_err(Clone::clone)
    }

    fn limits(&self) -> Limits {
        Limits {
            deadline: self.deadline,
            cancel: self.cancel.clone(),
        }
    }
}
