//! The Microsoft side: Entra sign-in, the support API of the Microsoft 365 admin center, connector addresses.
//!
//! - [`cloud`]: which hosts belong to which national cloud.
//! - [`entra`]: how the provider signs in, and what Entra's refusals mean.
//! - [`support`]: the support integration of a tenant. What Microsoft has not published is data, not code.
//! - [`connector`]: the addresses that Microsoft's connector calls from.

pub mod cloud;
pub mod connector;
pub mod entra;
pub mod support;

use std::sync::Arc;

use crate::http::{Client, HttpError, Secret};

pub use cloud::{Cloud, Hosts, UnknownCloud};
pub use entra::{Entra, EntraError};
pub use support::{SupportApi, SupportError};

use entra::{Authority, SignIn};
use support::{Profile, ProfileError};

/// What the clients of a tenant are built from.
#[derive(Clone, Debug)]
pub struct Microsoft365Options {
    /// GUID or verified domain; not needed with a given access token.
    pub tenant_id: Option<String>,
    pub cloud: Cloud,
    /// Replaces the cloud's login host.
    pub login_url: Option<String>,
    /// Replaces the cloud's admin center.
    pub admin_url: Option<String>,
    /// See [`entra::Given::choose`].
    pub sign_in: SignIn,
    /// JSON, which may hold a cookie, or the path of a JSON file.
    pub support_api_profile: Option<Secret>,
}

/// Why these options cannot be used; [`OptionsError::remedy`] says what can be done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OptionsError {
    /// `login_url` or `admin_url`.
    #[error(transparent)]
    Hosts(HttpError),
    #[error("tenant_id is missing")]
    NoTenant,
    /// The tenant is not valid.
    #[error(transparent)]
    Tenant(EntraError),
    /// `support_api_profile`.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl OptionsError {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Hosts(error) => error.remedy(),
            Self::NoTenant => "Set tenant_id to the tenant's GUID or a verified domain.".to_owned(),
            Self::Tenant(error) => error.remedy(),
            Self::Profile(error) => error.remedy().to_owned(),
        }
    }
}

/// The clients of one tenant.
#[derive(Clone, Debug)]
pub struct Microsoft365 {
    pub support: Arc<SupportApi>,
    /// The authority hosts, for sign-ins beside the provider's own.
    pub hosts: Hosts,
    /// The tenant, where it is known.
    pub tenant_id: Option<String>,
}

impl Microsoft365 {
    /// Builds the clients. Reads the profile's file, if there is one, and does no other I/O.
    ///
    /// # Errors
    /// [`OptionsError`].
    pub fn new(http: &Arc<Client>, options: Microsoft365Options) -> Result<Self, OptionsError> {
        let Microsoft365Options {
            tenant_id,
            cloud,
            login_url,
            admin_url,
            sign_in,
            support_api_profile,
        } = options;
        let hosts = Hosts::new(cloud, login_url.as_deref(), admin_url.as_deref()).map_err(OptionsError::Hosts)?;
        let profile = match support_api_profile {
            Some(given) => Profile::load(given.expose())?,
            None => Profile::standard()?,
        };
        let tenant = match (&tenant_id, &sign_in) {
            (Some(tenant), _) => tenant,
            // A given token is never exchanged.
            (None, SignIn::AccessToken(_)) => "common",
            (None, SignIn::RefreshToken { .. } | SignIn::Application { .. }) => {
                return Err(OptionsError::NoTenant);
            }
        };
        let authority = Authority::new(hosts.login.clone(), tenant).map_err(OptionsError::Tenant)?;
        let mut entra = Entra::new(http.clone(), authority, sign_in, &hosts.admin_resource);
        if let Some(scope) = &profile.scope {
            entra = entra.with_scope(scope);
        }
        let support = SupportApi::new(http.clone(), Arc::new(entra), hosts.admin.clone(), profile);
        Ok(Self {
            support: Arc::new(support),
            hosts,
            tenant_id,
        })
    }
}
