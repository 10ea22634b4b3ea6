//! Answers of the instance's HTTP side.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::instance::options::Unauthorized;

/// Response extension: the user that the request ran as.
#[derive(Clone, Debug)]
pub(super) struct RanAs(pub(super) String);

/// What an answer that is no error is wrapped in.
#[derive(Serialize)]
pub(super) struct Answer<T> {
    pub(super) result: T,
}

/// The error envelope, its members in the order of a real instance.
#[derive(Serialize)]
struct Failure<'a> {
    error: Fault<'a>,
    status: &'static str,
}

#[derive(Serialize)]
struct Fault<'a> {
    message: &'a str,
    detail: Option<&'a str>,
}

/// JSON with the headers that every answer of the API carries.
pub(super) fn json_answer(status: u16, body: &impl Serialize) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    let mut response = plain(status, "application/json;charset=UTF-8", body);
    let headers = response.headers_mut();
    for (name, value) in API_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// An error in its envelope.
pub(super) fn failure(status: u16, message: &str, detail: Option<&str>) -> Response {
    let body = Failure {
        error: Fault { message, detail },
        status: "failure",
    };
    json_answer(status, &body)
}

/// 401. Says nothing of the cause, which only the system log has.
pub(super) fn unauthorized(spelling: Unauthorized) -> Response {
    let message = match spelling {
        Unauthorized::Newer => "User is not authenticated",
        Unauthorized::Older => "User Not Authenticated",
    };
    let mut response = failure(401, message, Some("Required to provide Auth information"));
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"Service-now\""),
    );
    response
}

pub(super) fn html(status: u16, title: &str) -> Response {
    let body = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
    plain(status, "text/html;charset=UTF-8", body)
}

pub(super) fn plain(status: u16, content_type: &str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(&mut response, "content-type", content_type);
    response
}

/// Sets a header unless the value cannot be one.
pub(super) fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

const API_HEADERS: &[(&str, &str)] = &[
    ("cache-control", "no-cache,no-store,must-revalidate,max-age=-1"),
    ("expires", "0"),
    ("pragma", "no-store,no-cache"),
    ("server", "snow_adc"),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    (
        "set-cookie",
        "glide_user_route=glide.simulated;Path=/;HttpOnly;SameSite=None",
    ),
];
