//! Authenticates a request: Basic, API key, client certificate, bearer.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::instance::caller::{Caller, ClientCertificate, Denied};
use crate::instance::store::{Record, Rows, is_true, property, value};
use crate::instance::{Instance, roles};

impl Instance {
    /// The caller that a user would be, with its roles.
    #[must_use]
    pub fn caller(&self, user_name: &str) -> Option<Caller> {
        self.with_rows(|rows| {
            let user = find_user(rows, "user_name", user_name)?;
            caller_of(rows, user).ok()
        })
    }

    /// Signs a request in by the first kind of credentials that it carries.
    pub(super) async fn sign_in(
        &self,
        headers: &HeaderMap,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Caller, Denied> {
        if let Some(authorization) = headers.get(header::AUTHORIZATION) {
            let text = authorization.to_str().unwrap_or_default();
            return match text.split_once(' ') {
                Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                    self.authorize_bearer(token.trim()).await
                }
                Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => self.authorize_basic(pair.trim()),
                _ => Err(unauthenticated("The Authorization header is neither Basic nor Bearer")),
            };
        }
        if let Some(key) = headers.get("x-sn-apikey") {
            return self.authorize_key(key.to_str().unwrap_or_default());
        }
        match certificate {
            Some(certificate) => self.authorize_certificate(certificate),
            None => Err(unauthenticated("The request carries no credentials")),
        }
    }

    fn authorize_basic(&self, pair: &str) -> Result<Caller, Denied> {
        let decoded = BASE64_STANDARD.decode(pair).unwrap_or_default();
        let decoded = String::from_utf8_lossy(&decoded).into_owned();
        let Some((name, password)) = decoded.split_once(':') else {
            return Err(unauthenticated("Basic credentials without a colon"));
        };
        let needs_role = self.modes().basic_auth_role;
        self.with_rows(|rows| {
            let user = find_user(rows, "user_name", name)
                .ok_or_else(|| unauthenticated(format!("No user has the user name {name}")))?;
            if password.is_empty() || value(user, "user_password") != password {
                return Err(unauthenticated(format!("Wrong password for user {name}")));
            }
            if is_true(user, "enable_multifactor_authn") {
                return Err(unauthenticated(format!("User {name} must give a second factor")));
            }
            let caller = caller_of(rows, user)?;
            if needs_role && !caller.roles.contains("snc_basic_auth_api_access") {
                return Err(unauthenticated(format!(
                    "User {name} lacks snc_basic_auth_api_access, which Basic authentication needs here"
                )));
            }
            Ok(caller)
        })
    }

    fn authorize_key(&self, key: &str) -> Result<Caller, Denied> {
        self.with_rows(|rows| {
            let is_active = rows.of_class("v_plugin").any(|plugin| {
                value(plugin, "id") == "com.glide.tokenbased_auth" && value(plugin, "active") == "active"
            });
            if !is_active {
                return Err(unauthenticated("Plugin com.glide.tokenbased_auth is not active"));
            }
            let row = rows
                .of_class("api_key")
                .find(|row| !key.is_empty() && value(row, "token") == key && is_true(row, "active"))
                .ok_or_else(|| unauthenticated("No active API key has this value"))?;
            let user = find_user(rows, "sys_id", value(row, "user"))
                .ok_or_else(|| unauthenticated("The API key's user does not exist"))?;
            caller_of(rows, user)
        })
    }

    fn authorize_certificate(&self, certificate: &ClientCertificate) -> Result<Caller, Denied> {
        let subject = &certificate.0;
        let mapped = self.modes().certificate_users.get(subject).cloned();
        let common_name = subject
            .split(',')
            .find_map(|part| part.trim().strip_prefix("CN="))
            .unwrap_or(subject)
            .to_owned();
        let name = mapped.unwrap_or(common_name);
        self.with_rows(|rows| {
            let user = find_user(rows, "user_name", &name)
                .ok_or_else(|| unauthenticated(format!("No user for the client certificate {subject}")))?;
            caller_of(rows, user)
        })
    }
}

pub(super) fn unauthenticated(cause: impl Into<String>) -> Denied {
    Denied {
        status: 401,
        cause: cause.into(),
    }
}

pub(super) fn find_user<'a>(rows: &'a Rows, column: &'a str, text: &'a str) -> Option<&'a Record> {
    if text.is_empty() {
        return None;
    }
    rows.having("sys_user", column, text).next()
}

/// The user with its roles, unless it may not sign in at all.
pub(super) fn caller_of(rows: &Rows, user: &Record) -> Result<Caller, Denied> {
    let name = value(user, "user_name");
    if !is_true(user, "active") {
        return Err(unauthenticated(format!("User {name} is not active")));
    }
    if is_true(user, "locked_out") {
        return Err(unauthenticated(format!("User {name} is locked out")));
    }
    Ok(Caller {
        sys_id: value(user, "sys_id").to_owned(),
        user_name: name.to_owned(),
        roles: roles::names_of(rows, value(user, "sys_id")),
        client: String::new(),
        registry: String::new(),
    })
}

/// Whether OAuth is switched on at all.
pub(super) fn oauth_is_active(rows: &Rows) -> bool {
    property(rows, "com.snc.platform.security.oauth.is.active") == "true"
}
