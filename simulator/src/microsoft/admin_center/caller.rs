//! Who may use the page: a person with the role, through any client with consent. No application on its own.

use axum::http::{HeaderMap, header};
use serde_json::Value;

use crate::microsoft::admin_center::Admin;
use crate::microsoft::directory::GLOBAL_ADMINISTRATOR;
use crate::microsoft::keys;

/// Why a request is turned away.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("No bearer token was sent.")]
    NoToken,
    #[error("The token was not signed by the tenant's issuer.")]
    BadSignature,
    #[error("The token has expired.")]
    Expired,
    #[error("The token is of another tenant.")]
    OtherTenant,
    #[error("The token is for '{0}', not for {AUDIENCE}.")]
    OtherAudience(String),
    #[error("The token speaks for an application; this page takes delegated tokens only.")]
    ApplicationOnly,
    #[error("The token lacks the scope user_impersonation.")]
    NoScope,
    #[error("The user lacks the role for this page.")]
    NoRole,
}

impl Refusal {
    pub(super) fn status(&self) -> u16 {
        match self {
            Refusal::NoToken
            | Refusal::BadSignature
            | Refusal::Expired
            | Refusal::OtherTenant
            | Refusal::OtherAudience(_) => 401,
            Refusal::ApplicationOnly | Refusal::NoScope | Refusal::NoRole => 403,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        if self.status() == 401 {
            "Unauthorized"
        } else {
            "Forbidden"
        }
    }
}

impl Admin {
    pub(super) fn sign_in(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(Refusal::NoToken)?;
        let published = keys::entra().map_err(|_| Refusal::BadSignature)?.key_set();
        let claims = keys::verify(token, &published).ok_or(Refusal::BadSignature)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let now = jiff::Timestamp::now().as_second();
        if claims.get("exp").and_then(Value::as_i64).is_none_or(|end| end <= now) {
            return Err(Refusal::Expired);
        }
        if text("tid") != self.directory.with(|tenant| tenant.id.clone()) {
            return Err(Refusal::OtherTenant);
        }
        if text("aud").trim_end_matches('/') != AUDIENCE {
            return Err(Refusal::OtherAudience(text("aud").to_owned()));
        }
        if !claims.contains_key("scp") {
            return Err(Refusal::ApplicationOnly);
        }
        if !text("scp").split(' ').any(|scope| scope == "user_impersonation") {
            return Err(Refusal::NoScope);
        }
        let roles = claims
            .get("wids")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        if roles.into_iter().any(|role| ROLES.contains(&role)) {
            Ok(())
        } else {
            Err(Refusal::NoRole)
        }
    }
}

const AUDIENCE: &str = "https://admin.microsoft.com";
/// Global Administrator, Helpdesk Administrator, Service Support Administrator: "Microsoft 365 tenant admin", and the
/// two of the oldest guide.
const ROLES: [&str; 3] = [
    GLOBAL_ADMINISTRATOR,
    "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "f023fd81-a637-4b56-95fd-791ac0226033",
];
