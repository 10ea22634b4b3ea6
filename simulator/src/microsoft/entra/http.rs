//! The login host over HTTP.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::microsoft::answer;
use crate::microsoft::entra::{Endpoint, Entra, Refusal, TokenRequest};

impl Entra {
    /// The HTTP of the login host.
    pub(crate) fn router(&self) -> Router {
        let router = Router::new()
            .route("/{tenant}/oauth2/token", post(v1))
            .route("/{tenant}/oauth2/v2.0/token", post(v2))
            .fallback(get(document))
            .with_state(self.clone());
        self.faults.layer(router)
    }
}

async fn v1(State(entra): State<Entra>, Path(tenant): Path<String>, headers: HeaderMap, body: String) -> Response {
    token(&entra, Endpoint::V1, &tenant, &headers, &body)
}

async fn v2(State(entra): State<Entra>, Path(tenant): Path<String>, headers: HeaderMap, body: String) -> Response {
    token(&entra, Endpoint::V2, &tenant, &headers, &body)
}

fn token(entra: &Entra, endpoint: Endpoint, tenant: &str, headers: &HeaderMap, body: &str) -> Response {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let form: Vec<(String, String)> = if is_form {
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
    } else {
        Vec::new()
    };
    let request = TokenRequest {
        endpoint,
        tenant,
        form: &form,
        basic: basic(headers),
    };
    match entra.token(&request) {
        Ok(body) => answer(200, &body),
        Err(refusal) => answer(refusal.status(), &refusal.body()),
    }
}

/// Id and secret of HTTP Basic; both are form-encoded inside (RFC 6749, 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned()
    };
    Some((decode(id), decode(secret)))
}

async fn document(State(entra): State<Entra>, request: Request) -> Response {
    let path = request.uri().path();
    if let Some(document) = entra.document(entra.login_url(), path) {
        return answer(200, &document);
    }
    let tenant = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if path.ends_with("/.well-known/openid-configuration") {
        let refusal = Refusal::UnknownTenant(tenant.to_owned());
        return answer(refusal.status(), &refusal.body());
    }
    answer(404, &json!({"error": "not_found"}))
}
