//! Bad days: scripted one-shot faults and a seeded random mode, as middleware of every router.
//!
//! A matching request is answered, delayed, spoilt or cut. A cut connection is announced by the response extension
//! [`Cut`], which the serving loop turns into a closed socket; a stale read by the request extension [`Stale`].

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

/// On a response: close the connection without sending it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cut;

/// On a request: answer it from the records as they were before the last write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stale;

/// What a 429 says about when to come back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RetryAfter {
    /// No header.
    Silent,
    /// `Retry-After` in seconds.
    Seconds(u64),
    /// `Retry-After` as an HTTP date this many seconds from now.
    Date(u64),
}

/// One bad answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The connection closes before the request is handled.
    CutBefore,
    /// The request is handled, then the connection closes: the caller cannot know that its insert took.
    CutAfter,
    /// 401 in the newer spelling.
    Unauthorized,
    /// 403 `Operation Failed` by an access rule.
    ForbiddenByAcl,
    /// 403 `Operation Failed` by a business rule.
    ForbiddenByBusinessRule,
    /// 403 with an HTML body, as IP address access control answers.
    ForbiddenHtml,
    /// 404 in the Table API's envelope, although the record may exist.
    NotFound,
    /// 429 with the rate limit headers.
    TooManyRequests(RetryAfter),
    /// Any 5xx with the JSON envelope.
    ServerError(u16),
    /// 200 with the hibernation page of a developer instance.
    Hibernation,
    /// 503 with a maintenance page.
    Maintenance,
    /// 302 to the login page.
    LoginRedirect,
    /// The transaction quota ran out while the list was streamed: the list breaks off and an error object follows,
    /// inside a 200.
    TruncatedList,
    /// Half of a list is missing, without a word.
    PartialList,
    /// `Content-Length` promises more than is sent.
    WrongContentLength,
    /// The answer comes late.
    Slow(Duration),
    /// A read is answered from before the last write.
    StaleRead,
    /// A given answer, for what has no variant of its own.
    Answer {
        /// HTTP status.
        status: u16,
        /// Value of `Content-Type`.
        content_type: String,
        /// The body as sent.
        body: String,
    },
}

/// Which requests a fault is meant for.
#[derive(Clone, Default)]
pub struct Matcher {
    method: Option<Method>,
    table: Option<String>,
    path: Option<PathPredicate>,
    skip: usize,
}

type PathPredicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;

impl Matcher {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests on a table, whatever the verb.
    #[must_use]
    pub fn table(table: &str) -> Self {
        Self::any().on_table(table)
    }

    /// Only this verb.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only this table of the Table API.
    #[must_use]
    pub fn on_table(mut self, table: &str) -> Self {
        self.table = Some(table.to_owned());
        self
    }

    /// Only paths for which `predicate` holds. The path has no query.
    #[must_use]
    pub fn path(mut self, predicate: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.path = Some(Arc::new(predicate));
        self
    }

    /// The n-th matching request from now on, counted from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self
                .table
                .as_deref()
                .is_none_or(|wanted| table_of(path) == Some(wanted))
            && self.path.as_ref().is_none_or(|predicate| predicate(path))
    }
}

/// The faults in store for the routers that carry this layer. Clones share them.
#[derive(Clone, Default)]
pub struct Faults {
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    planned: Vec<Planned>,
    chaos: Option<Chaos>,
    fired: Vec<String>,
}

struct Planned {
    matcher: Matcher,
    fault: Fault,
    lasting: bool,
}

struct Chaos {
    seed: u64,
    rate: f64,
    kinds: Vec<Fault>,
    seen: HashMap<(Method, String), u64>,
}

impl Faults {
    /// No fault planned.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans `fault` for the next request that matches, once.
    pub fn next(&self, matcher: Matcher, fault: Fault) {
        self.plan(matcher, fault, false);
    }

    /// Plans `fault` for every request that matches, until [`Faults::clear`].
    pub fn every(&self, matcher: Matcher, fault: Fault) {
        self.plan(matcher, fault, true);
    }

    /// Random faults of every survivable kind. `rate` is the share of requests that meet one, 0 to 1.
    ///
    /// Whether a request meets a fault follows from the seed, its verb, its path and how often they were seen, so that
    /// one seed gives the same faults however concurrent requests interleave.
    pub fn chaos(&self, seed: u64, rate: f64) {
        self.chaos_of(seed, rate, &survivable());
    }

    /// [`Faults::chaos`] with these kinds only.
    pub fn chaos_of(&self, seed: u64, rate: f64, kinds: &[Fault]) {
        self.script().chaos = Some(Chaos {
            seed,
            rate,
            kinds: kinds.to_vec(),
            seen: HashMap::new(),
        });
    }

    /// Forgets everything planned, random mode included.
    pub fn clear(&self) {
        let mut script = self.script();
        script.planned.clear();
        script.chaos = None;
    }

    /// What happened to which request, oldest first.
    #[must_use]
    pub fn fired(&self) -> Vec<String> {
        self.script().fired.clone()
    }

    /// Puts the faults in front of a router.
    pub fn layer(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), interfere))
    }

    fn plan(&self, matcher: Matcher, fault: Fault, lasting: bool) {
        self.script().planned.push(Planned {
            matcher,
            fault,
            lasting,
        });
    }

    fn draw(&self, method: &Method, path: &str) -> Option<Fault> {
        let mut script = self.script();
        let fault = script
            .planned_for(method, path)
            .or_else(|| script.chaos.as_mut()?.draw(method, path))?;
        script.fired.push(format!("{method} {path}: {fault:?}"));
        Some(fault)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    fn planned_for(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let mut hit = None;
        for (index, planned) in self.planned.iter_mut().enumerate() {
            if !planned.matcher.matches(method, path) {
                continue;
            }
            if planned.matcher.skip > 0 {
                planned.matcher.skip -= 1;
                continue;
            }
            hit = Some(index);
            break;
        }
        let index = hit?;
        if self.planned[index].lasting {
            return Some(self.planned[index].fault.clone());
        }
        Some(self.planned.remove(index).fault)
    }
}

impl Chaos {
    fn draw(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let count = self
            .seen
            .entry((method.clone(), path.to_owned()))
            .or_default();
        *count += 1;
        let mut hasher = DefaultHasher::new();
        (self.seed, method.as_str(), path, *count).hash(&mut hasher);
        let dice = hasher.finish();
        let share = (dice >> 11) as f64 / (1_u64 << 53) as f64;
        if share >= self.rate || self.kinds.is_empty() {
            return None;
        }
        // The low bits are independent enough of the share drawn from the high ones.
        let kind = &self.kinds[(dice & 0x7ff) as usize % self.kinds.len()];
        Some(kind.clone())
    }
}

/// The table that a path of the Table API names.
#[must_use]
pub fn table_of(path: &str) -> Option<&str> {
    let rest = path.split_once("/table/")?.1;
    let table = rest.split('/').next()?;
    (!table.is_empty()).then_some(table)
}

async fn interfere(State(faults): State<Faults>, mut request: Request, next: Next) -> Response {
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
            let mut response = envelope(
                401,
                "User is not authenticated",
                "Required to provide Auth information",
            );
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
        Fault::ForbiddenHtml => html(
            403,
            "<html><body><h1>HTTP Status 403 - Forbidden</h1></body></html>",
        ),
        Fault::NotFound => envelope(
            404,
            "No Record found",
            "Record doesn't exist or ACL restricts the record retrieval",
        ),
        Fault::TooManyRequests(retry_after) => too_many_requests(retry_after),
        Fault::ServerError(status) => envelope(
            status,
            "Internal error",
            "Transaction could not be completed",
        ),
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
        Fault::WrongContentLength => wrong_length(next.run(request).await).await,
        Fault::Slow(delay) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
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

fn survivable() -> Vec<Fault> {
    vec![
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::NotFound,
        Fault::TooManyRequests(RetryAfter::Seconds(0)),
        Fault::TooManyRequests(RetryAfter::Silent),
        Fault::ServerError(500),
        Fault::ServerError(502),
        Fault::ServerError(503),
        Fault::ServerError(504),
        Fault::Hibernation,
        Fault::Maintenance,
        Fault::TruncatedList,
        Fault::WrongContentLength,
        Fault::Slow(Duration::from_millis(20)),
        Fault::StaleRead,
        Fault::ForbiddenByBusinessRule,
    ]
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
    let then = now
        .checked_add(Duration::from_secs(seconds_from_now))
        .ok()?;
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&then)
        .ok()
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

async fn wrong_length(response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = read(body).await;
    let promised = bytes.len() + 64;
    // As a stream, since the server trusts a body that knows its own length.
    let stream = tokio_stream::once(Ok::<Bytes, std::io::Error>(bytes));
    let mut response = Response::from_parts(parts, Body::from_stream(stream));
    set(
        response.headers_mut(),
        "content-length",
        &promised.to_string(),
    );
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
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(response.headers_mut(), "content-type", content_type);
    response
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
