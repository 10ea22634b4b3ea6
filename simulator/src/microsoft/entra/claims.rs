//! The claims of access tokens, v1.0 and v2.0.

use serde_json::{Value, json};

use crate::microsoft::directory::{Tenant, TokenVersion};
use crate::microsoft::entra::issuer::{v1_issuer, v2_issuer};
use crate::microsoft::ids;
use crate::microsoft::keys::Claims;

/// How a client proved itself; the value of `appidacr` and `azpacr`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Proof {
    /// A public client.
    None = 0,
    Secret = 1,
    Assertion = 2,
}

/// What a token is asked for.
pub(super) struct Audience {
    /// Application id.
    pub(super) app_id: String,
    /// As the caller wrote it: `aud` of a v1.0 token.
    pub(super) asked: String,
}

/// On whose behalf the token speaks.
pub(super) enum Subject {
    /// The application itself.
    Application { service_principal: String },
    /// The tenant's administrator, through the application.
    Administrator,
}

pub(super) fn claims(
    tenant: &Tenant,
    version: TokenVersion,
    client: &str,
    proof: Proof,
    audience: &Audience,
    subject: &Subject,
    lifetime: i64,
) -> Claims {
    let now = jiff::Timestamp::now().as_second();
    let mut claims = Claims::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    match version {
        TokenVersion::V1 => {
            set("ver", json!("1.0"));
            set("iss", json!(v1_issuer(&tenant.id)));
            set("aud", json!(audience.asked));
            set("appid", json!(client));
            set("appidacr", json!((proof as u8).to_string()));
            set("idp", json!(v1_issuer(&tenant.id)));
        }
        TokenVersion::V2 => {
            set("ver", json!("2.0"));
            set("iss", json!(v2_issuer(&tenant.id)));
            set("aud", json!(audience.app_id));
            set("azp", json!(client));
            set("azpacr", json!((proof as u8).to_string()));
        }
    }
    set("tid", json!(tenant.id));
    set("iat", json!(now));
    // Entra allows for clocks that run late.
    set("nbf", json!(now - 300));
    set("exp", json!(now + lifetime));
    set("aio", json!(ids::random_text(24)));
    set("rh", json!(ids::random_text(30)));
    set("uti", json!(ids::random_text(16)));
    match subject {
        Subject::Application { service_principal } => {
            set("oid", json!(service_principal));
            set("sub", json!(service_principal));
            let roles: Vec<&str> = tenant
                .role_assignments
                .iter()
                .filter(|(holder, resource, _)| holder == service_principal && *resource == audience.app_id)
                .map(|(_, _, role)| role.as_str())
                .collect();
            if !roles.is_empty() {
                set("roles", json!(roles));
            }
        }
        Subject::Administrator => {
            let user = &tenant.administrator;
            set("oid", json!(user.object_id));
            set("sub", json!(ids::random_text(32)));
            set("scp", json!("user_impersonation"));
            set("wids", json!(user.roles));
            set("name", json!("Tenant administrator"));
            match version {
                TokenVersion::V1 => {
                    set("upn", json!(user.principal_name));
                    set("unique_name", json!(user.principal_name));
                }
                TokenVersion::V2 => {
                    set("preferred_username", json!(user.principal_name));
                }
            }
        }
    }
    claims
}

/// The claims of an ID token: who has signed in, for the client itself.
pub(super) fn id_claims(tenant: &Tenant, client: &str, lifetime: i64) -> Claims {
    let now = jiff::Timestamp::now().as_second();
    let user = &tenant.administrator;
    let claims = [
        ("ver", json!("2.0")),
        ("iss", json!(v2_issuer(&tenant.id))),
        ("aud", json!(client)),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("exp", json!(now + lifetime)),
        ("tid", json!(tenant.id)),
        ("oid", json!(user.object_id)),
        ("sub", json!(ids::random_text(32))),
        ("name", json!("Tenant administrator")),
        ("preferred_username", json!(user.principal_name)),
        ("rh", json!(ids::random_text(30))),
        ("uti", json!(ids::random_text(16))),
    ];
    claims
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}
