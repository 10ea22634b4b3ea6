//! `/api/now/batch`: several calls in one request, one after the other, not as one transaction.

use axum::body::to_bytes;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Request, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::instance::answer::{failure, json_answer};
use crate::instance::{Caller, Instance};

impl Instance {
    pub(super) async fn batch_call(&self, caller: &Caller, outer: &Parts, body: &str) -> Response {
        let Ok(batch) = serde_json::from_str::<Value>(body) else {
            return failure(
                400,
                "Exception while reading request",
                Some("The payload is not valid JSON."),
            );
        };
        let mut serviced = Vec::new();
        let mut unserviced = Vec::new();
        for request in batch["rest_requests"].as_array().into_iter().flatten() {
            let id = request["id"].clone();
            let Some((parts, body)) = inner_request(request, outer) else {
                unserviced.push(id);
                continue;
            };
            let response = self.dispatch(caller, &parts, body);
            let shows_headers = request["exclude_response_headers"] != true;
            serviced.push(serviced_request(id, response, shows_headers).await);
        }
        // The id comes back as text, whatever it was sent as.
        let id = match &batch["batch_request_id"] {
            Value::Null => String::new(),
            Value::String(id) => id.clone(),
            id => id.to_string(),
        };
        json_answer(
            200,
            &json!({
                "batch_request_id": id,
                "serviced_requests": serviced,
                "unserviced_requests": unserviced,
            }),
        )
    }
}

fn inner_request(request: &Value, outer: &Parts) -> Option<(Parts, String)> {
    let (method, url) = (request["method"].as_str()?, request["url"].as_str()?);
    let (mut parts, ()) = Request::builder().method(method).uri(url).body(()).ok()?.into_parts();
    // Defaults come from the outer request; ServiceNow's Python client names no Accept within.
    for name in [header::ACCEPT, header::CONTENT_TYPE] {
        if let Some(value) = outer.headers.get(&name) {
            parts.headers.insert(name, value.clone());
        }
    }
    for given in request["headers"].as_array().into_iter().flatten() {
        let name = given["name"].as_str()?.parse::<HeaderName>().ok()?;
        let value = HeaderValue::from_str(given["value"].as_str()?).ok()?;
        parts.headers.insert(name, value);
    }
    parts.extensions = outer.extensions.clone();
    let body = BASE64_STANDARD
        .decode(request["body"].as_str().unwrap_or_default())
        .ok()?;
    Some((parts, String::from_utf8(body).ok()?))
}

async fn serviced_request(id: Value, response: Response, shows_headers: bool) -> Value {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .filter(|_| shows_headers)
        .map(|(name, value)| json!({"name": name.as_str(), "value": value.to_str().unwrap_or_default()}))
        .collect();
    json!({
        "id": id,
        "status_code": parts.status.as_u16(),
        "status_text": parts.status.canonical_reason().unwrap_or_default(),
        "headers": headers,
        "body": BASE64_STANDARD.encode(body),
        "execution_time": 1,
        "redirect_url": null,
    })
}
