//! What the provider's configuration builds: a client for each side, or why there is none.

use std::sync::Arc;

use crate::{
    http::{Client, Limits},
    microsoft::{Entra, SupportApi, entra::Authority},
    plugin::{Context, Diagnostic},
    servicenow::{Instance, Session},
};

/// The clients. A side that is not configured is an error only for what needs it.
#[derive(Debug)]
pub struct Clients {
    /// The ServiceNow instance.
    pub servicenow: Result<Instance, Diagnostic>,
    /// Microsoft 365.
    pub microsoft: Result<Microsoft, Diagnostic>,
}

/// The Microsoft side.
pub struct Microsoft {
    /// The wire, for sign-ins of other identities.
    pub http: Arc<Client>,
    /// The tenant at its sign-in service.
    pub authority: Authority,
    /// The provider's own sign-in.
    pub entra: Arc<Entra>,
    /// The admin center's support API.
    pub support: SupportApi,
    /// The tenant, as configured: its id or a domain.
    pub tenant: String,
}

impl std::fmt::Debug for Microsoft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Microsoft").field("tenant", &self.tenant).finish_non_exhaustive()
    }
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
    fn microsoft(&self) -> Result<&Microsoft, Diagnostic>;

    /// The limits of this call.
    fn limits(&self) -> Limits;
}

impl Calls for Context<Clients> {
    fn instance(&self) -> Result<Session, Diagnostic> {
        self.data.servicenow.as_ref().map(|instance| instance.at(self.limits())).map_err(Clone::clone)
    }

    fn microsoft(&self) -> Result<&Microsoft, Diagnostic> {
        self.data.microsoft.as_ref().map_err(Clone::clone)
    }

    fn limits(&self) -> Limits {
        Limits { deadline: self.deadline, cancel: self.cancel.clone() }
    }
}
