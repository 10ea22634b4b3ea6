//! What the provider's configuration builds: a client for each side, or why there is none.

use crate::{
    http::Limits,
    microsoft::{Entra, SupportApi},
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
#[derive(Debug)]
pub struct Microsoft {
    /// Sign-in.
    pub entra: Entra,
    /// The admin center's support API.
    pub support: SupportApi,
    /// The tenant, as configured: its id or a domain.
    pub tenant: String,
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
