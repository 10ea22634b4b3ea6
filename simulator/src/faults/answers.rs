//! What a fault looks like to the caller.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use crate::faults::{Cut, Fault, Faults, RetryAfter, Stale, table_of};

/// Answers a request with the fault in store for it, or lets it through.
pub(super) async fn interfere(State(faults): State<Faults>, mut request: Request, next: Next) -> Response {
    let Some(fault) = faults.draw(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    match fault {
        Fault::CutBefore => cut(),
        Fault::CutAfter => {
            next.run(request).await;
            cut()
        }
        Fault::Unauthorized => {
            let mut response = envelope(401, "User is not authenticated", "Required to provide Auth information");
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"Service-now\""),
            );
            response
        }
        Fault::ForbiddenByAcl => {
            let verb = match *request.method() {
                Method::POST => "Insert",
                Method::DELETE => "Delete",
                Method::PUT | Method::PATCH => "Update",
                _ => "Query",
            };
            let detail = format!("ACL Exception {verb} Failed due to security constraints");
            envelope(403, "Operation Failed", &detail)
        }
        Fault::ForbiddenByBusinessRule => {
            let table = table_of(request.uri().path()).unwrap_or("unknown");
            let detail = format!(
                "Operation against file '{table}' was aborted by Business Rule \
                 'Prevent this^8d3f2c0b0f1e2100a1b2c3d4e5f60718'. Business Rule Stack:Prevent this"
            );
            envelope(403, "Operation Failed", &detail)
        }
        Fault::ForbiddenHtml => html(403, "<html><body><h1>HTTP Status 403 - Forbidden</h1></body></html>"),
        Fault::NotFound => envelope(
            404,
            "No Record found",
            "Record doesn't exist or ACL restricts the record retrieval",
        ),
        Fault::TooManyRequests(retry_after) => too_many_requests(retry_after),
        Fault::ServerError(status) => envelope(status, "Internal error", "Transaction could not be completed"),
        Fault::Hibernation => html(
            200,
            "<html><body class=\"instance-hibernating-page\"><h1>Your instance is hibernating</h1></body></html>",
        ),
        Fault::Maintenance => html(
            503,
            "<html><body><h1>This instance is being maintained</h1></body></html>",
        ),
        Fault::LoginRedirect => {
            let mut response = html(302, "");
            response
                .headers_mut()
                .insert(header::LOCATION, HeaderValue::from_static("/login.do"));
            response
        }
        Fault::TruncatedList => truncated(next.run(request).await).await,
        Fault::PartialList => partial(next.run(request).await).await,
        Fault::EmptyList => emptied(next.run(request).await).await,
        Fault::TruncatedJson => halved(next.run(request).await).await,
        Fault::ErrorIn200 { handled } => {
            if handled {
                next.run(request).await;
            }
            envelope(200, "Transaction cancelled: maximum execution time exceeded", "")
        }
        Fault::WrongContentLength => promising_more(next.run(request).await, Sent::Whole).await,
        Fault::CutMidBody => promising_more(next.run(request).await, Sent::Half).await,
        Fault::NoAnswer { handled } => {
            if handled {
                next.run(request).await;
            }
            faults.unanswered.notify_one();
            std::future::pending().await
        }
        Fault::Slow(delay) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Fault::HeldBefore(gate) => {
            gate.passed().await;
            next.run(request).await
        }
        Fault::HeldAfter(gate) => {
            let response = next.run(request).await;
            gate.passed().await;
            response
        }
        Fault::StaleRead => {
            request.extensions_mut().insert(Stale);
            next.run(request).await
        }
        Fault::Answer {
            status,
            content_type,
            body,
        } => answer(status, &content_type, body),
    }
}

fn cut() -> Response {
    let mut response = answer(502, "text/plain", "cut".to_owned());
    response.extensions_mut().insert(Cut);
    response
}

/// 429 with the headers of a rate limit rule.
pub(crate) fn too_many_requests(retry_after: RetryAfter) -> Response {
    let mut response = envelope(
        429,
        "Rate limit exceeded",
        "Request count exceeded the limit of rule \"Simulated limit\"",
    );
    let headers = response.headers_mut();
    let (wait, value) = match retry_after {
        RetryAfter::Silent => (0, None),
        RetryAfter::Seconds(seconds) => (seconds, Some(seconds.to_string())),
        RetryAfter::Date(seconds) => (seconds, http_date(seconds)),
    };
    let reset = jiff::Timestamp::now().as_second() + i64::try_from(wait).unwrap_or(i64::MAX / 2);
    set(headers, "x-ratelimit-limit", "1000");
    set(headers, "x-ratelimit-reset", &reset.to_string());
    set(headers, "x-ratelimit-rule", "Simulated limit");
    if let Some(value) = value {
        set(headers, "retry-after", &value);
    }
    response
}

fn http_date(seconds_from_now: u64) -> Option<String> {
    let now = jiff::Timestamp::now();
    let then = now.checked_add(Duration::from_secs(seconds_from_now)).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&then).ok()
}

async fn truncated(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = read(body).await;
    let error = json!({
        "error": {"message": "Transaction cancelled: maximum execution time exceeded", "detail": ""},
        "status": "failure",
    });
    let half = String::from_utf8_lossy(&bytes[..bytes.len() / 2]).into_owned();
    let mut response = Response::from_parts(parts, Body::from(format!("{half}{error}")));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

async fn partial(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = read(body).await;
    let mut answer = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
    let body = match answer.get_mut("result").and_then(Value::as_array_mut) {
        Some(rows) => {
            rows.truncate(rows.len() / 2);
            Body::from(answer.to_string())
        }
        None => Body::from(bytes),
    };
    let mut response = Response::from_parts(parts, body);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

async fn emptied(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = read(body).await;
    let mut answer = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
    let lists = answer
        .as_object_mut()
        .into_iter()
        .flat_map(|fields| fields.values_mut())
        .filter_map(Value::as_array_mut);
    let mut any = false;
    for list in lists {
        list.clear();
        any = true;
    }
    if !any {
        return Response::from_parts(parts, Body::from(bytes));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::LINK);
    if parts.headers.contains_key(TOTAL) {
        set(&mut parts.headers, TOTAL, "0");
    }
    Response::from_parts(parts, Body::from(answer.to_string()))
}

/// The beginning of the body, as if that were all of it.
async fn halved(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = read(body).await;
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(bytes.slice(..bytes.len() / 2)))
}

/// How much of a body is sent before the connection closes.
enum Sent {
    Whole,
    Half,
}

async fn promising_more(response: Response, sent: Sent) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = read(body).await;
    let promised = bytes.len() + 64;
    let part = match sent {
        Sent::Whole => bytes,
        Sent::Half => bytes.slice(..bytes.len() / 2),
    };
    // As a stream, since the server trusts a body that knows its own length.
    let stream = tokio_stream::once(Ok::<Bytes, std::io::Error>(part));
    let mut response = Response::from_parts(parts, Body::from_stream(stream));
    set(response.headers_mut(), "content-length", &promised.to_string());
    response
}

async fn read(body: Body) -> Bytes {
    to_bytes(body, usize::MAX).await.unwrap_or_default()
}

fn envelope(status: u16, message: &str, detail: &str) -> Response {
    let body = json!({"error": {"message": message, "detail": detail}, "status": "failure"});
    answer(status, "application/json;charset=UTF-8", body.to_string())
}

fn html(status: u16, body: &str) -> Response {
    answer(status, "text/html;charset=UTF-8", body.to_owned())
}

fn answer(status: u16, content_type: &str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(response.headers_mut(), "content-type", content_type);
    response
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

const TOTAL: &str = "x-total-count";
