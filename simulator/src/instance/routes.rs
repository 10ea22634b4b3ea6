//! The routes of the instance, from the socket to the call.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::any;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use crate::faults::{Cut, RetryAfter, Stale, too_many_requests};
use crate::instance::answer::{RanAs, failure, html, set, unauthorized};
use crate::instance::caller::{Caller, ClientCertificate};
use crate::instance::ids::new_id;
use crate::instance::table_api::{Call, Version};
use crate::instance::view::Freshness;
use crate::instance::{Instance, RequestRecord, ip_access_rules, json_web_service};

/// Request extension: the id under which the instance's logs know the request.
#[derive(Clone, Debug)]
struct TransactionId(String);

impl Instance {
    /// All of the instance's HTTP, faults included.
    pub fn router(&self) -> Router {
        let routes = Router::new()
            .route("/oauth_token.do", any(token))
            .route("/oauth_revoke_token.do", any(revoke))
            .route("/api/{*rest}", any(api))
            .fallback(page)
            .with_state(self.clone());
        self.inner
            .options
            .faults
            .layer(routes)
            .layer(from_fn_with_state(self.clone(), record))
    }
}

/// Keeps a record of every request, those that meet a fault included.
async fn record(State(instance): State<Instance>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let (table, sys_id) = table_and_id(&path);
    let table = table.or_else(|| json_web_service::table_of(&path, &query));
    let mut record = RequestRecord {
        method: parts.method.to_string(),
        table: table.unwrap_or_default().to_owned(),
        sys_id: sys_id.unwrap_or_default().to_owned(),
        query,
        body: String::from_utf8_lossy(&body).into_owned(),
        path,
        ..RequestRecord::default()
    };
    let transaction = new_id()[..12].to_owned();
    parts.extensions.insert(TransactionId(transaction));
    let granting = instance.begin_grant(&record);
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    // By the instance's own clock, which a mode can put wrong.
    set(&mut response, "date", &http_date(instance.now()));
    instance.end_grant(granting);
    let is_cut = response.extensions().get::<Cut>().is_some();
    record.status = if is_cut { 0 } else { response.status().as_u16() };
    if let Some(RanAs(user)) = response.extensions().get() {
        record.user = user.clone();
    }
    if let Some(id) = response.headers().get("x-transaction-id") {
        record.transaction_id = id.to_str().unwrap_or_default().to_owned();
    }
    instance.state().requests.push(record);
    response
}

async fn api(State(instance): State<Instance>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let limit = instance.modes().uri_limit;
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > limit {
        return html(414, "Request-URI Too Long");
    }
    let caller = match instance.admitted(&parts).await {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    let needs_role = instance.modes().rest_api_role;
    let missing_scope = instance.missing_api_scope(&caller);
    let mut response = if let Some(scope) = missing_scope {
        instance.note(&format!(
            "The token of user {} lacks the auth scope {scope}",
            caller.user_name
        ));
        let detail = format!("Missing required api access scope: {scope}");
        failure(403, "User Not Authorized", Some(&detail))
    } else if needs_role && !caller.roles.contains("snc_platform_rest_api_access") && !caller.roles.contains("admin") {
        instance.note(&format!("User {} lacks snc_platform_rest_api_access", caller.user_name));
        failure(403, "User Not Authorized", Some("Failed API level ACL Validation"))
    } else {
        match parts.uri.path() {
            "/api/now/batch" | "/api/now/v1/batch" if parts.method != Method::POST => {
                failure(405, "Method not supported", Some(""))
            }
            "/api/now/batch" | "/api/now/v1/batch" => instance.batch_call(&caller, &parts, &body).await,
            _ => instance.dispatch(&caller, &parts, body),
        }
    };
    set(&mut response, "x-is-logged-in", "true");
    let transaction = parts.extensions.get::<TransactionId>();
    let transaction = transaction.map_or_else(new_id, |id| id.0.clone());
    set(&mut response, "x-transaction-id", &transaction);
    let timing = format!("t;desc=\"{transaction}\", sem_wait;dur=0, sesh_wait;dur=0");
    set(&mut response, "server-timing", &timing);
    response.extensions_mut().insert(RanAs(caller.user_name));
    response
}

impl Instance {
    /// Concurrent grants to one user corrupt its counts on a real instance; here the log tells of them.
    fn begin_grant(&self, record: &RequestRecord) -> Option<String> {
        if record.table != "sys_user_has_role" {
            return None;
        }
        let user = match record.method.as_str() {
            "POST" => {
                let body = serde_json::from_str::<serde_json::Value>(&record.body).ok()?;
                body["user"].as_str()?.to_owned()
            }
            "DELETE" => self.record(&record.table, &record.sys_id)?.remove("user")?,
            _ => return None,
        };
        let mut state = self.state();
        if state.granting.contains(&user) {
            let line = format!("{CONCURRENT_GRANTS} {user}");
            state.log.push(line);
        }
        state.granting.push(user.clone());
        Some(user)
    }

    fn end_grant(&self, user: Option<String>) {
        let mut state = self.state();
        let position = user.and_then(|user| state.granting.iter().position(|one| *one == user));
        if let Some(position) = position {
            state.granting.swap_remove(position);
        }
    }

    /// Whether this request is one too many in this second.
    fn exceeds_rate(&self) -> bool {
        let Some(limit) = self.modes().requests_per_second else {
            return false;
        };
        let second = self.now().as_second();
        let mut state = self.state();
        if state.rate.0 != second {
            state.rate = (second, 0);
        }
        state.rate.1 += 1;
        state.rate.1 > limit
    }

    /// Who sent a request that may come in; the answer to any other.
    async fn admitted(&self, parts: &Parts) -> Result<Caller, Box<Response>> {
        if let Some(response) = self.turned_away() {
            return Err(Box::new(response));
        }
        let certificate = parts.extensions.get::<ClientCertificate>();
        match self.sign_in(&parts.headers, certificate).await {
            Ok(caller) => Ok(Caller {
                client: parts.headers.get(header::USER_AGENT).map_or_else(String::new, text),
                ..caller
            }),
            Err(denied) => {
                self.note(&denied.cause);
                let spelling = self.modes().unauthorized;
                Err(Box::new(unauthorized(spelling)))
            }
        }
    }

    /// What keeps a request out before anybody asks who sent it.
    fn turned_away(&self) -> Option<Response> {
        let address = self.modes().client_address.clone();
        if !self.with_rows(|rows| ip_access_rules::admits(rows, &address)) {
            return Some(html(403, "HTTP Status 403 - Forbidden"));
        }
        self.exceeds_rate().then(|| too_many_requests(RetryAfter::Seconds(1)))
    }

    /// Answers one call of the API, which came by itself or in a batch.
    pub(super) fn dispatch(&self, caller: &Caller, parts: &Parts, body: String) -> Response {
        match route(parts, body) {
            Some(Route::Table(call)) => self.table_call(caller, &call),
            Some(Route::Stats(call)) => self.stats_call(caller, &call),
            Some(Route::RoleInheritance(call)) => self.role_inheritance(caller, &call),
            None => failure(
                400,
                "Requested URI does not represent any resource",
                Some(parts.uri.path()),
            ),
        }
    }
}

async fn token(State(instance): State<Instance>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if let Some(response) = instance.turned_away() {
        return response;
    }
    instance.token_call(&parts.headers, &String::from_utf8_lossy(&body))
}

async fn revoke(State(instance): State<Instance>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    instance.revoke_call(query, &String::from_utf8_lossy(&body))
}

/// Everything else: the JSON web service, and the pages of the UI, which a stranger sees as the login page.
async fn page(State(instance): State<Instance>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let Some(table) = json_web_service::table_of(parts.uri.path(), query) else {
        return html(200, "Log in | ServiceNow");
    };
    let caller = match instance.admitted(&parts).await {
        Ok(caller) => caller,
        Err(response) => return *response,
    };
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let call = call(
        &parts,
        Version::Latest,
        table,
        None,
        String::from_utf8_lossy(&body).into_owned(),
    );
    let mut response = instance.json_web_service_call(&caller, &call);
    response.extensions_mut().insert(RanAs(caller.user_name));
    response
}

/// Begins the log line about grants that overlapped.
const CONCURRENT_GRANTS: &str = "Concurrent changes of the roles of user";

enum Route {
    Table(Call),
    Stats(Call),
    RoleInheritance(Call),
}

fn route(parts: &Parts, body: String) -> Option<Route> {
    let path = parts.uri.path().trim_end_matches('/');
    let decoded: Vec<_> = path
        .trim_start_matches('/')
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy())
        .collect();
    let segments: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
    let call = |version, table: &str, sys_id: Option<&str>| call(parts, version, table, sys_id, body.clone());
    match segments.as_slice() {
        ["api", "global", "user_role_inheritance"] => Some(Route::RoleInheritance(call(Version::Latest, "", None))),
        ["api", "now", rest @ ..] => {
            let (version, rest) = match rest {
                ["v1", rest @ ..] => (Version::One, rest),
                ["v2", rest @ ..] => (Version::Two, rest),
                rest => (Version::Latest, rest),
            };
            match rest {
                ["table", table] => Some(Route::Table(call(version, table, None))),
                ["table", table, sys_id] => Some(Route::Table(call(version, table, Some(sys_id)))),
                ["stats", table] => Some(Route::Stats(call(version, table, None))),
                _ => None,
            }
        }
        _ => None,
    }
}

fn call(parts: &Parts, version: Version, table: &str, sys_id: Option<&str>, body: String) -> Call {
    let query = parts.uri.query().unwrap_or_default();
    Call {
        method: parts.method.clone(),
        version,
        table: table.to_owned(),
        sys_id: sys_id.map(str::to_owned),
        params: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts.headers.clone(),
        body,
        path: parts.uri.path().trim_end_matches('/').to_owned(),
        freshness: if parts.extensions.get::<Stale>().is_some() {
            Freshness::BeforeLastWrite
        } else {
            Freshness::Current
        },
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn table_and_id(path: &str) -> (Option<&str>, Option<&str>) {
    let Some((_, rest)) = path.split_once("/table/") else {
        return (None, None);
    };
    let mut parts = rest.split('/');
    (parts.next(), parts.next())
}

fn http_date(at: Timestamp) -> String {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    printer.timestamp_to_rfc9110_string(&at).unwrap_or_default()
}
