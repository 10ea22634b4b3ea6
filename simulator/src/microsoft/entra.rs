//! Microsoft Entra: metadata, key set, the two token endpoints and device codes of one tenant.
//!
//! Facts: `token-version-follows-the-audience`, `claims-of-application-tokens`.

mod assertion;
mod claims;
mod device_code;
mod http;
mod issuer;
mod refusal;
mod token;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::faults::Faults;
use crate::history::History;
use crate::microsoft::directory::Directory;
use crate::microsoft::hcp::Hcp;
use crate::microsoft::keys::{self, Claims};
use crate::sync::lock;

use device_code::DeviceCodes;
use issuer::{v1_issuer, v2_issuer};

pub use refusal::Refusal;
pub use token::{Endpoint, TokenRequest};

/// Entra; cheap to clone.
#[derive(Clone)]
pub struct Entra {
    directory: Directory,
    hcp: Hcp,
    /// Where this Entra is served, without a slash at the end.
    login_url: Arc<str>,
    issued: Arc<Mutex<History<Claims>>>,
    lifetime: Arc<Mutex<i64>>,
    device_codes: DeviceCodes,
    faults: Faults,
}

impl Entra {
    pub(crate) fn new(directory: Directory, hcp: Hcp, login_url: &str) -> Entra {
        Entra {
            directory,
            hcp,
            login_url: login_url.into(),
            issued: Arc::default(),
            lifetime: Arc::new(Mutex::new(LIFETIME)),
            device_codes: DeviceCodes::default(),
            faults: Faults::new(),
        }
    }

    /// The tenant that the tokens are of.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Claims of every token issued, oldest first.
    pub fn issued(&self) -> Vec<Claims> {
        lock(&self.issued).all()
    }

    /// Remembers only so many of them, the newest.
    pub(crate) fn keep_at_most(&self, tokens: usize) {
        let mut issued = lock(&self.issued);
        issued.keep_at_most(tokens);
    }

    /// How long the tokens issued from now on are good for, in seconds. Negative ones are over from the start.
    pub fn set_lifetime(&self, seconds: i64) {
        *lock(&self.lifetime) = seconds;
    }

    /// Scripted faults, delays and cuts in front of the login host. The instance's own calls do not meet them.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The address where this Entra is served.
    pub(crate) fn login_url(&self) -> &str {
        &self.login_url
    }

    /// A document by its path on a login host: metadata, or the key set. `base` is the host that was asked, so that the
    /// addresses in the metadata lead back to it.
    pub(crate) fn document(&self, base: &str, path: &str) -> Option<Value> {
        let (tenant, rest) = path.strip_prefix('/')?.split_once('/')?;
        let id = self.directory.with(|directory| match tenant {
            // Without a tenant the issuer is a template, which no token ever carries.
            "common" | "organizations" => Some("{tenantid}".to_owned()),
            name => directory.is_named(name).then(|| directory.id.clone()),
        })?;
        match rest {
            ".well-known/openid-configuration" => Some(metadata(base, tenant, "", &v1_issuer(&id))),
            "v2.0/.well-known/openid-configuration" => Some(metadata(base, tenant, "/v2.0", &v2_issuer(&id))),
            "discovery/keys" => Some(keys::entra().ok()?.key_set_of_entra(None)),
            "discovery/v2.0/keys" => Some(keys::entra().ok()?.key_set_of_entra(Some(&v2_issuer(&id)))),
            _ => None,
        }
    }
}

fn metadata(base: &str, tenant: &str, version: &str, issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/{tenant}/oauth2{version}/authorize"),
        "device_authorization_endpoint": format!("{base}/{tenant}/oauth2{version}/devicecode"),
        "token_endpoint": format!("{base}/{tenant}/oauth2{version}/token"),
        "jwks_uri": format!("{base}/{tenant}/discovery{version}/keys"),
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "oid", "tid", "ver"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    })
}

const LIFETIME: i64 = 3599;
