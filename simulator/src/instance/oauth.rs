//! `/oauth_token.do` and `/oauth_revoke_token.do`: the instance as an authorization server.

use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::instance::Instance;
use crate::instance::answer::{json_answer, plain};
use crate::instance::bearer::unverified_claims;
use crate::instance::ids::new_id;
use crate::instance::release::Release;
use crate::instance::sign_in::{caller_of, find_user, oauth_is_active};
use crate::instance::store::{Record, Rows, is_true, property, value};
use crate::instance::time::{shifted, wire_time};

/// Why no token was issued. The caller hears next to nothing of it.
enum Cause {
    /// Answered `access_denied`, whatever it is.
    Flattened(String),
    /// Answered `invalid_grant`.
    InvalidGrant(String),
}

/// What a grant proved.
struct Granted {
    entity: String,
    user: String,
    lifespan: i64,
    refresh: Refresh,
}

enum Refresh {
    None,
    Issue { lifespan: i64 },
    Keep(String),
}

impl Instance {
    pub(super) fn token_call(&self, headers: &HeaderMap, body: &str) -> Response {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let outcome = if content_type.starts_with("application/x-www-form-urlencoded") {
            let mut form = Form(form_urlencoded::parse(body.as_bytes()).into_owned().collect());
            form.add_basic(headers);
            self.with_rows(|rows| self.granted(rows, &form))
        } else {
            Err(Cause::Flattened(format!(
                "The body must be form-encoded, not {content_type:?}"
            )))
        };
        match outcome {
            Ok(granted) => json_answer(200, &self.issue(&granted)),
            Err(cause) => {
                let (error, description, cause) = match cause {
                    Cause::Flattened(cause) => ("server_error", "access_denied", cause),
                    Cause::InvalidGrant(cause) => ("invalid_grant", "invalid_grant", cause),
                };
                self.note(&format!("OAuth token request refused: {cause}"));
                json_answer(401, &json!({"error": error, "error_description": description}))
            }
        }
    }

    pub(super) fn revoke_call(&self, query: &str, body: &str) -> Response {
        let token = [query, body]
            .iter()
            .flat_map(|text| form_urlencoded::parse(text.as_bytes()))
            .find(|(name, _)| name == "token")
            .map(|(_, token)| token.into_owned())
            .unwrap_or_default();
        let mut state = self.state();
        let row = state
            .rows
            .of_class("oauth_credential")
            .find(|row| value(row, "token") == token)
            .cloned();
        if let Some(row) = row {
            // A refresh token takes the access tokens of the same grant with it.
            let doomed: Vec<String> = state
                .rows
                .of_class("oauth_credential")
                .filter(|other| {
                    value(other, "token") == token
                        || (value(&row, "type") == "refresh_token"
                            && value(other, "peer") == value(&row, "peer")
                            && value(other, "user") == value(&row, "user"))
                })
                .map(|other| value(other, "sys_id").to_owned())
                .collect();
            for sys_id in doomed {
                state.rows.take("oauth_credential", &sys_id);
            }
        }
        plain(200, "text/html;charset=UTF-8", String::new())
    }

    fn granted(&self, rows: &Rows, form: &Form) -> Result<Granted, Cause> {
        if !oauth_is_active(rows) {
            return Err(flat("com.snc.platform.security.oauth.is.active is not true"));
        }
        let client_id = form.text("client_id");
        let entity = rows
            .of_class("oauth_entity")
            .chain(rows.of_class("oauth_jwt"))
            .find(|row| !client_id.is_empty() && value(row, "client_id") == client_id)
            .ok_or_else(|| flat(format!("No application has the client ID {client_id:?}")))?;
        if value(entity, "type") != "client" {
            return Err(flat(format!("{} is no inbound application", value(entity, "name"))));
        }
        if !is_true(entity, "active") {
            return Err(flat(format!("{} is not active", value(entity, "name"))));
        }
        let secret = form.text("client_secret");
        if !is_true(entity, "public_client") && secret != value(entity, "client_secret") {
            return Err(flat("Wrong client secret"));
        }
        match form.text("grant_type") {
            "client_credentials" => self.by_client_credentials(rows, entity),
            "password" => by_password(rows, entity, form),
            "refresh_token" => self.by_refresh_token(rows, entity, form),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => self.by_assertion(rows, entity, form),
            other => Err(flat(format!("Grant type {other:?} is not served"))),
        }
    }

    fn by_client_credentials(&self, rows: &Rows, entity: &Record) -> Result<Granted, Cause> {
        const SWITCH: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";
        if property(rows, SWITCH) != "true" {
            return Err(flat(format!("Property {SWITCH} is not true")));
        }
        let grant = value(entity, "inbound_grant_type");
        let has_column = self.inner.options.release >= Release::Zurich;
        if has_column && !matches!(grant, "client_credential" | "multiple") {
            return Err(flat(format!(
                "inbound_grant_type of {} is {grant:?}",
                value(entity, "name")
            )));
        }
        let user = find_user(rows, "sys_id", value(entity, "user"))
            .ok_or_else(|| flat("The application has no OAuth application user"))?;
        usable(rows, user)?;
        Ok(granted(entity, user, Refresh::None))
    }

    fn by_refresh_token(&self, rows: &Rows, entity: &Record, form: &Form) -> Result<Granted, Cause> {
        let token = form.text("refresh_token");
        let now = wire_time(self.now());
        let row = rows
            .of_class("oauth_credential")
            .find(|row| {
                value(row, "type") == "refresh_token"
                    && value(row, "token") == token
                    && value(row, "peer") == value(entity, "sys_id")
            })
            .ok_or_else(|| flat("Unknown refresh token"))?;
        if value(row, "expires") <= now.as_str() {
            return Err(flat("The refresh token has expired"));
        }
        let user =
            find_user(rows, "sys_id", value(row, "user")).ok_or_else(|| flat("The refresh token's user is gone"))?;
        usable(rows, user)?;
        Ok(granted(entity, user, Refresh::Keep(token.to_owned())))
    }

    fn by_assertion(&self, rows: &Rows, entity: &Record, form: &Form) -> Result<Granted, Cause> {
        let assertion = form.text("assertion");
        let claims = unverified_claims(assertion).ok_or_else(|| flat("The assertion is no JWT"))?;
        verify_assertion(rows, entity, assertion)?;
        let client_id = value(entity, "client_id");
        for claim in ["iss", "aud"] {
            if claims[claim] != client_id {
                return Err(flat(format!("Claim {claim} of the assertion is not the client ID")));
            }
        }
        let now = self.now().as_second();
        if claims["exp"].as_i64().is_none_or(|expiry| expiry <= now) {
            return Err(flat("The assertion has expired"));
        }
        let field = match value(entity, "user_field") {
            "" => "email",
            field => field,
        };
        let subject = claims["sub"].as_str().unwrap_or_default();
        let user =
            find_user(rows, field, subject).ok_or_else(|| flat(format!("No user whose {field} is {subject:?}")))?;
        let caller = usable(rows, user)?;
        if caller.contains("admin") {
            return Err(Cause::InvalidGrant(
                "The JWT bearer grant is refused for administrators".to_owned(),
            ));
        }
        Ok(granted(entity, user, Refresh::None))
    }

    /// The same token until it expires, then a new one.
    fn issue(&self, granted: &Granted) -> Value {
        let now = self.now();
        let mut state = self.state();
        forget_expired(&mut state.rows, &wire_time(shifted(now, -KEPT_EXPIRED)));
        let (token, expires) = current_or_new(
            &mut state.rows,
            granted,
            "access_token",
            &wire_time(now),
            &wire_time(shifted(now, granted.lifespan)),
        );
        let left = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", &expires)
            .ok()
            .and_then(|end| end.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map_or(granted.lifespan, |end| end.timestamp().as_second() - now.as_second());
        let mut answer = json!({
            "access_token": token,
            "scope": "useraccount",
            "token_type": "Bearer",
            "expires_in": left,
        });
        match &granted.refresh {
            Refresh::None => {}
            Refresh::Keep(token) => answer["refresh_token"] = json!(token),
            Refresh::Issue { lifespan } => {
                let (token, _) = current_or_new(
                    &mut state.rows,
                    granted,
                    "refresh_token",
                    &wire_time(now),
                    &wire_time(shifted(now, *lifespan)),
                );
                answer["refresh_token"] = json!(token);
            }
        }
        answer
    }
}

struct Form(Vec<(String, String)>);

impl Form {
    fn text(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, text)| key == name && !text.is_empty())
            .map_or("", |(_, text)| text.as_str())
    }
}

impl Form {
    /// The client's id and secret of HTTP Basic (RFC 6749, 2.3.1). ServiceNow's own Python client sends them so, and not
    /// form-encoded inside. What the body says goes first.
    fn add_basic(&mut self, headers: &HeaderMap) {
        let Some((id, secret)) = basic(headers) else {
            return;
        };
        for (name, text) in [("client_id", id), ("client_secret", secret)] {
            if self.text(name).is_empty() {
                self.0.push((name.to_owned(), text));
            }
        }
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, pair) = value.split_once(' ')?;
    let pair = String::from_utf8(BASE64_STANDARD.decode(pair.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some((id.to_owned(), secret.to_owned()))
}

fn flat(cause: impl Into<String>) -> Cause {
    Cause::Flattened(cause.into())
}

fn by_password(rows: &Rows, entity: &Record, form: &Form) -> Result<Granted, Cause> {
    if property(rows, "glide.oauth.inbound.ropc.grant_type.disabled") == "true" {
        return Err(flat("The password grant is switched off by property"));
    }
    let name = form.text("username");
    let user = find_user(rows, "user_name", name).ok_or_else(|| flat(format!("No user has the user name {name:?}")))?;
    let password = form.text("password");
    if password.is_empty() || value(user, "user_password") != password {
        return Err(flat(format!("Wrong password for user {name}")));
    }
    if is_true(user, "web_service_access_only") {
        return Err(flat(format!("User {name} is for web services only")));
    }
    usable(rows, user)?;
    let lifespan = value(entity, "refresh_token_lifespan").parse().unwrap_or(8_640_000);
    Ok(granted(entity, user, Refresh::Issue { lifespan }))
}

/// The user's roles, if it may have tokens at all.
fn usable(rows: &Rows, user: &Record) -> Result<std::collections::BTreeSet<String>, Cause> {
    if is_true(user, "password_needs_reset") {
        return Err(flat(format!(
            "User {} must reset the password first",
            value(user, "user_name")
        )));
    }
    match caller_of(rows, user) {
        Ok(caller) => Ok(caller.roles),
        Err(denied) => Err(flat(denied.cause)),
    }
}

fn granted(entity: &Record, user: &Record, refresh: Refresh) -> Granted {
    Granted {
        entity: value(entity, "sys_id").to_owned(),
        user: value(user, "sys_id").to_owned(),
        lifespan: value(entity, "access_token_lifespan").parse().unwrap_or(1800),
        refresh,
    }
}

fn verify_assertion(rows: &Rows, entity: &Record, assertion: &str) -> Result<(), Cause> {
    let header = decode_header(assertion).map_err(|error| flat(format!("Assertion: {error}")))?;
    let kid = header.kid.unwrap_or_default();
    let map = rows
        .of_class("jwt_verifier_map")
        .find(|row| {
            value(row, "oauth_jwt") == value(entity, "sys_id")
                && (value(row, "kid").is_empty() || value(row, "kid") == kid)
        })
        .ok_or_else(|| flat(format!("No verifier for the assertion's key {kid:?}")))?;
    let certificate = rows
        .of_class("sys_certificate")
        .find(|row| value(row, "sys_id") == value(map, "sys_certificate"))
        .map(|row| value(row, "pem_certificate"));
    let (key, algorithm) = match certificate {
        Some(pem) => {
            let key = DecodingKey::from_rsa_pem(pem.as_bytes())
                .map_err(|error| flat(format!("Verifier certificate: {error}")))?;
            (key, Algorithm::RS256)
        }
        None => {
            let key = DecodingKey::from_secret(value(map, "shared_key").as_bytes());
            (key, Algorithm::HS256)
        }
    };
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    decode::<Value>(assertion, &key, &validation)
        .map(|_| ())
        .map_err(|error| flat(format!("Assertion: {error}")))
}

/// As the platform's own clean-up does, which runs once a day.
fn forget_expired(rows: &mut Rows, before: &str) {
    let expired: Vec<String> = rows
        .of_class("oauth_credential")
        .filter(|row| value(row, "expires") < before)
        .map(|row| value(row, "sys_id").to_owned())
        .collect();
    for sys_id in expired {
        rows.take("oauth_credential", &sys_id);
    }
}

/// Seconds for which an expired token is still a record.
const KEPT_EXPIRED: i64 = 86_400;

fn current_or_new(rows: &mut Rows, granted: &Granted, kind: &str, now: &str, expires: &str) -> (String, String) {
    let current = rows.of_class("oauth_credential").find(|row| {
        value(row, "type") == kind
            && value(row, "peer") == granted.entity
            && value(row, "user") == granted.user
            && value(row, "expires") > now
    });
    if let Some(row) = current {
        return (value(row, "token").to_owned(), value(row, "expires").to_owned());
    }
    let token = format!("{}{}", new_id(), new_id());
    let row = [
        ("sys_id", new_id()),
        ("sys_created_on", now.to_owned()),
        ("sys_created_by", "system".to_owned()),
        ("sys_updated_on", now.to_owned()),
        ("sys_updated_by", "system".to_owned()),
        ("sys_mod_count", "0".to_owned()),
        ("type", kind.to_owned()),
        ("peer", granted.entity.clone()),
        ("user", granted.user.clone()),
        ("expires", expires.to_owned()),
        ("scopes", "useraccount".to_owned()),
        ("token", token.clone()),
    ];
    let row = row.map(|(column, text)| (column.to_owned(), text));
    rows.set("oauth_credential", row.into());
    (token, expires.to_owned())
}
