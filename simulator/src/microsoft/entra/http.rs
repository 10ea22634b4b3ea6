//! The login host over HTTP.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::microsoft::answer;
use crate::microsoft::entra::token::DEVICE_PAGE;
use crate::microsoft::entra::{Endpoint, Entra, Refusal, TokenRequest};

impl Entra {
    /// The HTTP of the login host.
    pub(crate) fn router(&self) -> Router {
        let router = Router::new()
            .route("/{tenant}/oauth2/token", post(v1))
            .route("/{tenant}/oauth2/v2.0/token", post(v2))
            .route("/{tenant}/oauth2/v2.0/devicecode", post(device_code))
            .route(DEVICE_PAGE, get(device_page).post(enter_device_code))
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

async fn device_code(
    State(entra): State<Entra>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let request = TokenRequest {
        endpoint: Endpoint::V2,
        tenant: &tenant,
        form: &form(&headers, &body),
        basic: None,
    };
    answered(entra.begin_device_code(&request))
}

/// Where the tenant's administrator enters a user code. The simulator asks for no password: there is one person.
async fn device_page() -> Html<&'static str> {
    Html(
        "<!doctype html><title>Enter code</title><form method=\"post\"><label>Code \
         <input name=\"code\" autofocus></label> <button>Next</button></form>",
    )
}

async fn enter_device_code(State(entra): State<Entra>, headers: HeaderMap, body: String) -> (StatusCode, &'static str) {
    let form = form(&headers, &body);
    let code = form
        .iter()
        .find(|(name, _)| name == "code")
        .map_or("", |(_, code)| code);
    if entra.approve_device_code(code) {
        (StatusCode::OK, "You have signed in. You may now close this window.\n")
    } else {
        (
            StatusCode::BAD_REQUEST,
            "That code didn't work. Check the code and try again.\n",
        )
    }
}

fn token(entra: &Entra, endpoint: Endpoint, tenant: &str, headers: &HeaderMap, body: &str) -> Response {
    let request = TokenRequest {
        endpoint,
        tenant,
        form: &form(headers, body),
        basic: basic(headers),
    };
    answered(entra.token(&request))
}

fn answered(outcome: Result<Value, Refusal>) -> Response {
    match outcome {
        Ok(body) => answer(200, &body),
        Err(refusal) => answer(refusal.status(), &refusal.body()),
    }
}

fn form(headers: &HeaderMap, body: &str) -> Vec<(String, String)> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    if is_form {
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
    } else {
        Vec::new()
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
        let mut body = refusal.body();
        // The token endpoints call the same code an invalid request.
        body["error"] = json!("invalid_tenant");
        return answer(refusal.status(), &body);
    }
    answer(404, &json!({"error": "not_found"}))
}
