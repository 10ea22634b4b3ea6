//! The token endpoint of the instance, `/oauth_token.do`. Form-encoded: JSON gives an unspecified error.

use std::time::Duration;

use serde_json::Value as Json;

use crate::http::{Answer, Client, HttpError, Limits, Method, Origin, Repeat, Request, Secret, secret};
use crate::servicenow::response::{self, clock_note};
use crate::servicenow::sign_in::error::SignInError;
use crate::servicenow::sign_in::method::SignInMethod;

/// What is sent to the token endpoint.
pub(super) struct Grant {
    fields: Vec<(&'static str, Secret)>,
}

impl Grant {
    pub(super) fn new(grant_type: &str, client_id: &str, client_secret: Option<&Secret>) -> Grant {
        let grant = Grant {
            fields: vec![
                ("grant_type", Secret::from(grant_type)),
                ("client_id", Secret::from(client_id)),
            ],
        };
        match client_secret {
            Some(client_secret) => grant.with_secret("client_secret", client_secret.clone()),
            None => grant,
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: Secret) -> Grant {
        self.fields.push((name, value));
        self
    }

    fn with_secret(self, name: &'static str, value: Secret) -> Grant {
        secret::register(&value);
        self.with(name, value)
    }
}

pub(super) struct Granted {
    pub(super) access_token: Secret,
    /// What is left of the token's life.
    pub(super) expires_in: Option<Duration>,
    pub(super) refresh_token: Option<Secret>,
}

pub(super) async fn fetch(
    grant: &Grant,
    method: SignInMethod,
    client: &Client,
    origin: &Origin,
    limits: &Limits,
) -> Result<Granted, SignInError> {
    for (name, value) in &grant.fields {
        if secret::is_secret_key(name) {
            secret::register(value);
        }
    }
    let fields: Vec<(&str, &str)> = grant
        .fields
        .iter()
        .map(|(name, value)| (*name, value.expose()))
        .collect();
    // Asking twice for a token does no harm: the instance returns the same one until it ends.
    let request = Request::new(Method::POST, origin.join("oauth_token.do")?, origin, Repeat::Idempotent)
        .label("token")
        .form(&fields);
    let answer = client.send(request, limits).await?;
    read(method, &answer)
}

/// Ends a token: `/oauth_revoke_token.do`. Likely: named in the vendor's knowledge base, not in the facts of this project.
pub(super) async fn revoke(
    token: &Secret,
    client: &Client,
    origin: &Origin,
    limits: &Limits,
) -> Result<(), SignInError> {
    secret::register(token);
    let request = Request::new(
        Method::POST,
        origin.join("oauth_revoke_token.do")?,
        origin,
        Repeat::Idempotent,
    )
    .label("revoke token")
    .form(&[("token", token.expose())]);
    let answer = client.send(request, limits).await?;
    match answer.status().as_u16() {
        200..=299 => Ok(()),
        status => Err(SignInError::NoTokenEndpoint {
            host: answer.host().to_owned(),
            status,
            what: what(&answer),
        }),
    }
}

fn read(method: SignInMethod, answer: &Answer) -> Result<Granted, SignInError> {
    let host = || answer.host().to_owned();
    let status = answer.status().as_u16();
    let Ok(Json::Object(body)) = answer.json::<Json>() else {
        if let Some(response) = response::page(answer) {
            return Err(SignInError::Page { host: host(), response });
        }
        return Err(SignInError::NoTokenEndpoint {
            host: host(),
            status,
            what: what(answer),
        });
    };
    let text = |name: &str| body.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
    if let (200..=299, Some(token)) = (status, text("access_token")) {
        return Ok(Granted {
            access_token: Secret::from(token),
            expires_in: body.get("expires_in").and_then(seconds).map(Duration::from_secs),
            refresh_token: text("refresh_token").map(|token| {
                let token = Secret::from(token);
                secret::register(&token);
                token
            }),
        });
    }
    // `{"error":"server_error","error_description":"access_denied"}`; the Table API's own envelope has an object.
    let code = match body.get("error") {
        Some(Json::String(code)) => code.clone(),
        Some(Json::Object(error)) => error
            .get("message")
            .and_then(Json::as_str)
            .unwrap_or("error")
            .to_owned(),
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_)) | None => {
            return Err(SignInError::NoTokenEndpoint {
                host: host(),
                status,
                what: "neither token nor error".to_owned(),
            });
        }
    };
    if status >= 500 {
        let what = format!("{code} {}", text("error_description").unwrap_or_default());
        return Err(SignInError::NoTokenEndpoint {
            host: host(),
            status,
            what: what.trim().to_owned(),
        });
    }
    let mask = |text: &str| secret::mask(text).into_owned();
    Err(SignInError::Refused {
        host: host(),
        method,
        code: mask(&code),
        description: match (text("error_description").map(mask), clock_note(answer)) {
            (Some(text), Some(note)) => Some(format!("{text}; {note}")),
            (text, note) => text.or(note),
        },
    })
}

/// A number, or a text that is one.
fn seconds(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn what(answer: &Answer) -> String {
    match answer.html_title() {
        Some(title) => format!("a page titled {title:?}"),
        None => answer.excerpt(),
    }
}

impl From<crate::http::OptionsError> for SignInError {
    fn from(error: crate::http::OptionsError) -> SignInError {
        SignInError::Http(HttpError::from(error))
    }
}
