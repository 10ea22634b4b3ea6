//! What the provider's configuration builds: a client for each side, or why there is none.

mod link_managers;
mod planned_names;

use std::sync::Arc;

pub use crate::clients::link_managers::LinkManagers;
pub use crate::clients::planned_names::PlannedNames;
use crate::http::{Client, ClientOptions, Limits, Origin, Secret};
use crate::microsoft::Microsoft365;
use crate::plugin::{Context, Diagnostic, diagnostics};
use crate::servicenow::{Instance, InstanceOptions, Session, SignIn, Timing};

/// The clients. A side that is not configured, or not known yet, is an error only for what needs it.
#[derive(Debug)]
pub struct Clients {
    /// The arguments that are not known yet.
    pub unknown: Unknown,
    /// The ServiceNow instance.
    pub servicenow: Result<Instance, Diagnostic>,
    /// The same instance for callers that sign in themselves; none while its address is not configured.
    pub address: Option<Address>,
    /// Microsoft 365, signed in as the provider.
    pub microsoft: Result<Microsoft365, Diagnostic>,
    /// Entra, for signing in as another application.
    pub authorities: Option<Authorities>,
    /// Which resources manage which links.
    pub link_managers: LinkManagers,
    /// The names of what was planned so far.
    pub planned_names: PlannedNames,
}

/// The arguments of the provider block whose values are not known yet, by the side that needs them.
#[derive(Debug, Default)]
pub struct Unknown {
    /// Of the instance.
    pub servicenow: Vec<String>,
    /// Of Microsoft 365.
    pub microsoft365: Vec<String>,
    /// Of either.
    pub any: Vec<String>,
}

/// How to reach the instance, without an account.
#[derive(Clone, Debug)]
pub struct Address {
    /// `instance_url`.
    pub url: String,
    /// The wire, without the provider's client certificate: that one is the account's.
    pub http: ClientOptions,
}

/// Entra for other identities than the provider's.
#[derive(Clone, Debug)]
pub struct Authorities {
    pub http: Arc<Client>,
    /// The sign-in service.
    pub login: Origin,
    /// The provider's tenant, if it is configured.
    pub tenant: Option<String>,
}

/// Access to the clients from the context of a call.
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

    /// The instance, signed in with another token than the provider's.
    ///
    /// # Errors
    /// When the provider block does not say where the instance is.
    fn instance_with(&self, token: &Secret) -> Result<Session, Diagnostic> {
        self.instance_as(SignIn::Bearer { token: token.clone() })
    }

    /// The instance, signed in as somebody else than the provider.
    ///
    /// # Errors
    /// When the provider block does not say where the instance is.
    fn instance_as(&self, sign_in: SignIn) -> Result<Session, Diagnostic>;

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

    fn instance_as(&self, sign_in: SignIn) -> Result<Session, Diagnostic> {
        let Some(address) = self.data.address.clone() else {
            if let (false, Err(problem)) = (self.data.unknown.servicenow.is_empty(), &self.data.servicenow) {
                return Err(problem.clone());
            }
            let detail = "The address of the instance is missing: set instance_url in the provider block, or \
                          SERVICENOW_INSTANCE_URL.";
            return Err(Diagnostic::error("ServiceNow is not configured", detail).told_once());
        };
        let options = InstanceOptions {
            instance_url: address.url,
            sign_in,
            http: address.http,
            timing: Timing::STANDARD,
        };
        let instance = Instance::new(options)
            .map_err(|error| Diagnostic::error("Invalid ServiceNow configuration", diagnostics::explain(&error, "")))?;
        Ok(instance.at(self.limits()))
    }

    fn limits(&self) -> Limits {
        Limits {
            deadline: self.deadline,
            cancel: self.cancel.clone(),
        }
    }
}
