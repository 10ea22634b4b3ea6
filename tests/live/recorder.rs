//! `RECORD=1`: a server on loopback hands on to the instance what it is sent, and keeps the exchanges with the Table API, without
//! anything private. What is neither the run's own nor known beforehand is replaced: better a recording that tells too little.
//! Sign-ins and what goes to Microsoft are not kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response as Answered, StatusCode, Uri};
use project_recordings::{Exchange, Recording, Request, Response, TABLE_API};
use regex_lite::Regex;
use serde_json::{Map, Value};
use servicenow_provider::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use servicenow_provider::http::secret::is_secret_key;
use servicenow_provider::http::{
    self, Answer, Backoff, Client, ClientOptions, HttpError, Limits, Origin, Proxies, Repeat, Secret, Url,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::report::Private;
use crate::settings::Settings;

/// What one story, or the facts, send and receive.
pub(crate) struct Recorder {
    url: String,
    kept: Kept,
    server: JoinHandle<()>,
}

impl Recorder {
    /// In front of the instance at this address. None unless the run records.
    pub(crate) async fn start(settings: &Settings, instance: &str) -> Result<Option<Self>, String> {
        if settings.get("RECORD") != Some("1") {
            return Ok(None);
        }
        Self::listening(settings, instance).await.map(Some)
    }

    /// In front of the instance at this address.
    pub(crate) async fn listening(settings: &Settings, instance: &str) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("Recording is not possible: {error}.");
        let onward = Onward {
            client: Arc::new(client(settings)),
            origin: Origin::parse(instance).map_err(|error| failed(&error))?,
            kept: Arc::new(Mutex::new(Some(Vec::new()))),
        };
        let kept = onward.kept.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let router = Router::new().fallback(hand_on).with_state(onward);
        let server = tokio::spawn(async move {
            // It ends with the run.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            url: format!("http://{address}"),
            kept,
            server,
        })
    }

    /// The body of the last response.
    pub(crate) fn last(&self) -> Option<Value> {
        let kept = self.kept.lock().unwrap();
        kept.as_ref()?.last()?.response.body.clone()
    }

    /// The settings of the run, with this in place of the instance.
    pub(crate) fn in_front(&self, settings: &Settings) -> Settings {
        settings.with("SERVICENOW_INSTANCE_URL", &self.url)
    }

    /// Writes what was kept so far, and keeps nothing more.
    pub(crate) fn write(&self, folder: &Path, name: &str, about: &str, private: &Private) -> Result<(), String> {
        let exchanges = self.kept.lock().unwrap().take().unwrap_or_default();
        let mut scrub = Scrub::new(&exchanges, private);
        let recording = Recording {
            about: about.to_owned(),
            origin: "A run of make live.".to_owned(),
            exchanges: exchanges.into_iter().map(|exchange| scrub.exchange(exchange)).collect(),
        };
        let path = folder.join("recordings").join(format!("{name}.json"));
        project_recordings::write(&path, &recording).map_err(|error| format!("{error:#}"))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct Onward {
    client: Arc<Client>,
    origin: Origin,
    kept: Kept,
}

/// None once it is written: what comes later belongs to no recording.
type Kept = Arc<Mutex<Option<Vec<Exchange>>>>;

/// Sends everything once: whoever called repeats it, so that the recording has each attempt.
fn client(settings: &Settings) -> Client {
    let path = |name: &str| settings.get(name).map(Into::into);
    Client::new(ClientOptions {
        ca_certificate_path: path("SERVICENOW_CA_CERTIFICATE_PATH"),
        client_certificate_path: path("SERVICENOW_CLIENT_CERTIFICATE_PATH"),
        client_key_path: path("SERVICENOW_CLIENT_KEY_PATH"),
        variables: Vec::new(),
        proxies: Proxies::of(|name| settings.get(name).map(str::to_owned)),
        request_timeout: Duration::from_secs(60),
        max_retries: 0,
        requests_per_second: None,
        max_concurrent: 64,
        user_agent: "terraform-provider-servicenow (make live)".to_owned(),
        correlation: None,
        backoff: Backoff {
            base: Duration::ZERO,
            cap: Duration::ZERO,
        },
    })
}

async fn hand_on(
    State(onward): State<Onward>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Answered<Body> {
    let answer = match onward.send(&method, &uri, &headers, &body).await {
        Ok(answer) => answer,
        Err(error) => {
            // The caller takes it for a gateway's, and repeats what may be repeated.
            let mut answered = Answered::new(Body::from(error.to_string()));
            *answered.status_mut() = StatusCode::BAD_GATEWAY;
            return answered;
        }
    };
    if let Some(exchange) = exchange(&method, &uri, &body, &answer)
        && let Some(kept) = onward.kept.lock().unwrap().as_mut()
    {
        kept.push(exchange);
    }
    let mut answered = Answered::new(Body::from(answer.body().to_vec()));
    *answered.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        if !["connection", "transfer-encoding", "content-length", "set-cookie"].contains(&name.as_str()) {
            answered.headers_mut().append(name, value.clone());
        }
    }
    answered
}

impl Onward {
    async fn send(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Answer, HttpError> {
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let url: Url = self.origin.join(target)?;
        let mut request = http::Request::new(method.clone(), url, &self.origin, Repeat::Never);
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let kind = text(&CONTENT_TYPE).unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let fields: Vec<_> = url_fields(body);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
            request = request.form(&fields);
        } else if let Ok(json) = serde_json::from_slice::<Value>(body) {
            request = request.json(&json)?;
        } else if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind)?;
        }
        for name in [AUTHORIZATION, HeaderName::from_static("x-sn-apikey")] {
            if let Some(value) = text(&name) {
                request = request.secret_header(name, &Secret::from(value.to_owned()))?;
            }
        }
        let limits = Limits::new(Duration::from_secs(90), CancellationToken::new());
        self.client.send(request, &limits).await
    }
}

fn url_fields(body: &[u8]) -> Vec<(String, String)> {
    // The provider's URL type brings the parser of forms along.
    let url = Url::parse(&format!("http://form/?{}", String::from_utf8_lossy(body)));
    url.map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default()
}

/// What is kept of an exchange with the Table API. None where the response is no JSON: nobody knows what is private in it.
fn exchange(method: &Method, uri: &Uri, body: &[u8], answer: &Answer) -> Option<Exchange> {
    if !uri.path().starts_with(TABLE_API) {
        return None;
    }
    let url = Url::parse(&format!("http://instance{}", uri.path_and_query()?)).ok()?;
    let headers = ["content-type", "x-total-count", "link", "retry-after"];
    let headers = headers
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), answer.header(name)?.to_owned())));
    let json: Option<Value> = serde_json::from_slice(answer.body()).ok();
    if json.is_none() && !answer.body().is_empty() {
        return None;
    }
    Some(Exchange {
        request: Request {
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            body: serde_json::from_slice(body).ok(),
        },
        response: Response {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            text: None,
            body: json,
        },
        read_as: String::new(),
    })
}

/// Replaces what is private, the same text by the same placeholder.
struct Scrub<'a> {
    private: &'a Private,
    /// Texts that the story wrote.
    written: BTreeSet<String>,
    /// Operands of its queries so far: what an instance showed before is not known by being asked for afterwards.
    asked: BTreeSet<String>,
    numbers: BTreeMap<String, usize>,
    /// Texts of records that were replaced.
    replaced: BTreeMap<String, String>,
    date_time: Regex,
    operator: Regex,
    quoted: Regex,
}

impl<'a> Scrub<'a> {
    fn new(exchanges: &[Exchange], private: &'a Private) -> Self {
        let mut written = BTreeSet::new();
        for exchange in exchanges {
            let body = exchange.request.body.as_ref().and_then(Value::as_object);
            let values = body.into_iter().flat_map(Map::values).filter_map(Value::as_str);
            written.extend(values.map(str::to_owned));
        }
        Self {
            private,
            written,
            asked: BTreeSet::new(),
            numbers: BTreeMap::new(),
            replaced: BTreeMap::new(),
            date_time: Regex::new("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$").unwrap(),
            operator: Regex::new("!?=|[<>]=?|STARTSWITH|ENDSWITH|NOT IN|IN|NOT LIKE|LIKE").unwrap(),
            quoted: Regex::new("Business Rule '.*|Business Rule Stack:.*|'([^']*)'|\\(([^()]*)\\)").unwrap(),
        }
    }

    fn exchange(&mut self, mut exchange: Exchange) -> Exchange {
        let table = exchange.request.target().map(|(table, _)| table.to_owned());
        let request = &mut exchange.request;
        for value in request.query.values() {
            self.note_operands(value);
        }
        request.path = self.text(&request.path);
        for value in request.query.values_mut() {
            let known = self
                .replaced
                .iter()
                .fold(value.clone(), |value, (private, placeholder)| {
                    value.replace(private, placeholder)
                });
            *value = self.text(&known);
        }
        if let Some(body) = &mut request.body {
            self.body_of_request(body);
        }
        let response = &mut exchange.response;
        let link = response.headers.remove("link").unwrap_or_default();
        if link.contains("rel=\"next\"") {
            let next = "<https://<instance>/>;rel=\"next\"";
            response.headers.insert("link".to_owned(), next.to_owned());
        }
        let table = table.unwrap_or_default();
        response.body = response.body.take().map(|body| self.body(&table, body));
        exchange
    }

    fn note_operands(&mut self, query: &str) {
        for condition in query.split('^') {
            let operands = self.operator.find(condition).map(|found| &condition[found.end()..]);
            for operand in operands.unwrap_or_default().split(',') {
                // One that names the account is no reason to keep the name.
                if self.private.without_names(operand) == operand {
                    self.asked.insert(operand.to_owned());
                }
            }
        }
    }

    fn body_of_request(&mut self, body: &mut Value) {
        let Value::Object(fields) = body else {
            *body = Value::Null;
            return;
        };
        for (name, value) in fields {
            *value = match value.take() {
                Value::String(text) if text.is_empty() => Value::String(text),
                Value::String(_) if may_be_secret(name) => Value::from("<secret>"),
                Value::String(text) => Value::from(self.text(&text)),
                Value::Bool(value) => Value::Bool(value),
                Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => Value::Null,
            };
        }
    }

    /// The parts of a response that are known, without what is private in them.
    fn body(&mut self, table: &str, body: Value) -> Value {
        let Value::Object(body) = body else {
            return Value::Null;
        };
        let mut kept = Map::new();
        for (name, value) in body {
            let value = match (name.as_str(), value) {
                ("status", value) if value == "failure" => value,
                ("error", Value::Object(error)) => {
                    let parts = error.into_iter().map(|(name, text)| {
                        let text = text.as_str().map(|said| self.error(said));
                        (name, text.map_or(Value::Null, Value::from))
                    });
                    Value::Object(parts.collect())
                }
                ("error", Value::String(said)) => Value::from(self.error(&said)),
                ("result", Value::Array(rows)) => {
                    Value::Array(rows.into_iter().map(|row| self.row(table, row)).collect())
                }
                ("result", row) => self.row(table, row),
                _ => continue,
            };
            kept.insert(name, value);
        }
        Value::Object(kept)
    }

    fn row(&mut self, table: &str, row: Value) -> Value {
        let Value::Object(cells) = row else {
            return Value::Null;
        };
        let is_shipped = SHIPPED.contains(&table) && !cells.values().any(names_somebody);
        let mut kept = Map::new();
        for (name, cell) in cells {
            // Columns that somebody added have names that tell of whoever did.
            if name.split('.').any(is_of_somebody) {
                continue;
            }
            let cell = match cell {
                Value::Object(parts) => {
                    let parts = parts.into_iter().filter(|(part, _)| part != "link");
                    let parts = parts.map(|(part, text)| (part, self.cell(is_shipped, &name, text)));
                    Value::Object(parts.collect())
                }
                cell => self.cell(is_shipped, &name, cell),
            };
            kept.insert(name, cell);
        }
        Value::Object(kept)
    }

    /// A text of a record: as it is where it comes with the platform, where the run wrote it or asked for it, or where it tells
    /// nothing.
    fn cell(&mut self, is_shipped: bool, column: &str, cell: Value) -> Value {
        let Value::String(text) = cell else {
            return if cell.is_boolean() { cell } else { Value::Null };
        };
        if matches!(text.as_str(), "" | "true" | "false") {
            return Value::String(text);
        }
        if may_be_secret(column) {
            return Value::from("<secret>");
        }
        if let Some(placeholder) = self.replaced.get(&text) {
            return Value::from(placeholder.clone());
        }
        let is_id = |pattern: &Regex| {
            let found = pattern.find(&text);
            found.is_some_and(|found| found.as_str().len() == text.len())
        };
        let is_known = self.written.contains(&text)
            || self.asked.contains(&text)
            || text == "global"
            || (is_shipped && OF_THE_PLATFORM.contains(&column))
            || (COUNTS.contains(&column) && text.bytes().all(|byte| byte.is_ascii_digit()))
            || (TIMES.contains(&column) && self.date_time.is_match(&text))
            || is_id(&self.private.sys_id)
            || is_id(&self.private.guid);
        if is_known {
            return Value::from(self.text(&text));
        }
        let placeholder = format!("text {}", self.number(&text));
        // A shorter one would be found within the names of columns.
        if text.len() > 3 {
            self.replaced.insert(text, placeholder.clone());
        }
        Value::from(placeholder)
    }

    /// The reason of a refusal, where it begins as the platform's own do, without what it quotes: the names of an instance's own
    /// rules, and values.
    fn error(&mut self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        if !REASONS.iter().any(|reason| text.starts_with(reason)) {
            return format!("text {}", self.number(text));
        }
        let quoted = self.quoted.clone();
        let text = quoted.replace_all(text, |found: &regex_lite::Captures<'_>| {
            let inner = found.get(1).or_else(|| found.get(2));
            match inner.map(|inner| inner.as_str()) {
                Some(inner) if is_name_of_a_table(inner) || self.written.contains(inner) => found[0].to_owned(),
                Some(inner) => found[0].replace(inner, &format!("text {}", self.number(inner))),
                // A name can have apostrophes of its own: the rest is not told apart from it.
                None if found[0].starts_with(RULE) => {
                    let stack = if found[0].contains(STACK) {
                        ". Business Rule Stack:"
                    } else {
                        ""
                    };
                    format!("{RULE}text {}'{stack}", self.number(&found[0]))
                }
                None => STACK.to_owned(),
            }
        });
        self.text(&text)
    }

    /// A text without names and secrets, and with other ids.
    fn text(&mut self, text: &str) -> String {
        let private = self.private;
        let text = private.without_names(text);
        let text = private.sys_id.replace_all(&text, |found: &regex_lite::Captures<'_>| {
            format!("{:032x}", self.number(&found[0].to_lowercase()))
        });
        let text = private.guid.replace_all(&text, |found: &regex_lite::Captures<'_>| {
            format!("00000000-0000-4000-8000-{:012x}", self.number(&found[0].to_lowercase()))
        });
        text.into_owned()
    }

    fn number(&mut self, text: &str) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(text.to_owned()).or_insert(next)
    }
}

const RULE: &str = "Business Rule '";
const STACK: &str = "Business Rule Stack:";

/// Whether a column can hold a secret, by its name.
fn may_be_secret(column: &str) -> bool {
    let column = column.to_lowercase();
    let words = [
        "password",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "private",
        "credential",
    ];
    is_secret_key(&column) || (column != "credential" && words.iter().any(|word| column.contains(word)))
}

/// Whether a cell has the name of a table or a column that somebody added.
fn names_somebody(cell: &Value) -> bool {
    match cell {
        Value::String(text) => is_of_somebody(text),
        Value::Object(parts) => parts.values().any(names_somebody),
        _ => false,
    }
}

/// Whether a table or a column is one that somebody added, so that its name tells of whoever did.
fn is_of_somebody(name: &str) -> bool {
    name.starts_with("u_") || name.starts_with("x_")
}

fn is_name_of_a_table(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !is_of_somebody(text) && !text.is_empty() && text.chars().all(is_part)
}

/// Tables whose rows come with the platform.
const SHIPPED: [&str; 5] = [
    "sys_choice",
    "sys_db_object",
    "sys_dictionary",
    "sys_dictionary_override",
    "v_plugin",
];
/// Their columns in which nobody writes names of his own.
const OF_THE_PLATFORM: [&str; 10] = [
    "element",
    "id",
    "internal_type",
    "language",
    "max_length",
    "name",
    "reference",
    "reference_key",
    "super_class",
    "version",
];
/// Columns with numbers that tell nothing.
const COUNTS: [&str; 4] = ["max_length", "order", "sequence", "sys_mod_count"];
const TIMES: [&str; 2] = ["sys_created_on", "sys_updated_on"];
/// How reasons of the platform begin; a business rule can have a text of its own.
const REASONS: [&str; 17] = [
    "ACL Exception",
    "Error during insert",
    "Failed API level ACL Validation",
    "Insert Aborted",
    "Invalid table",
    "Missing required api access scope",
    "No Record found",
    "Operation Failed",
    "Operation against file",
    "Rate limit exceeded",
    "Record doesn't exist",
    "Requested URI does not represent any resource",
    "Required to provide Auth information",
    "Transaction cancelled",
    "Unique Key violation",
    "User Not Auth",
    "User is not authenticated",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(path: &str, query: &str, body: Value) -> Exchange {
        Exchange {
            request: Request {
                method: "GET".to_owned(),
                path: format!("{TABLE_API}{path}"),
                query: [("sysparm_query".to_owned(), query.to_owned())].into(),
                body: None,
            },
            response: Response {
                status: 200,
                headers: BTreeMap::new(),
                body: Some(body),
                text: None,
            },
            read_as: String::new(),
        }
    }

    /// What is left of exchanges, as text.
    fn scrubbed(exchanges: Vec<Exchange>) -> String {
        let names = ["tess.terraform".to_owned()];
        let private = Private::new(
            "dev1.example.com",
            "tess.terraform",
            "tfacc_1_",
            ["s3cret-password".to_owned()].into_iter(),
            names.into_iter(),
        );
        let mut scrub = Scrub::new(&exchanges, &private);
        let left: Vec<Exchange> = exchanges.into_iter().map(|it| scrub.exchange(it)).collect();
        serde_json::to_string(&left).unwrap()
    }

    #[test]
    fn texts_of_an_instance_are_replaced_and_what_the_run_wrote_or_asked_for_is_kept() {
        let row = json!({
            "sys_id": "6816f79cc0a8016401c5a33be04be441", "name": "Contoso payroll", "sys_created_by": "ada.contoso",
            "email": "ada@contoso.example", "phone": "15551234567", "employee_number": "4711", "wide.u_contoso": "1", "u_contoso_code": "7", "password": "hidden",
            "department": {"link": "https://dev1.example.com/api/now/table/cmn_department/1", "display_value": "Contoso HQ"},
            "active": "true", "password_needs_reset": "false", "type": "oauth_provider",
        });
        let asked = answered("oauth_entity", "type=oauth_provider", json!({"result": [row]}));
        // A name that came from the instance is not known by being asked for.
        let again = answered(
            "oauth_entity",
            "name=Contoso payroll",
            json!({"result": [{"name": "Contoso payroll"}]}),
        );

        let left = scrubbed(vec![asked, again]);

        for private in [
            "ontoso",
            "4711",
            "6816f79c",
            "15551234567",
            "hidden",
            "dev1.example.com",
            "HQ",
        ] {
            assert!(!left.contains(private), "{private} is left in {left}");
        }
        for kept in [
            "\"active\":\"true\"",
            "\"password_needs_reset\":\"false\"",
            "\"type\":\"oauth_provider\"",
            "name=text ",
        ] {
            assert!(left.contains(kept), "{kept} is not in {left}");
        }
    }

    #[test]
    fn an_error_keeps_the_platforms_words_and_not_the_names_of_rules() {
        let detail = "Operation against file 'sys_user' was aborted by Business Rule 'Don't: Contoso^6816f79cc0a8016401c5a33be04be441'. \
                      Business Rule Stack:Don't: Contoso";
        let refused = answered(
            "sys_user",
            "user_name=tess.terraform",
            json!({"error": {"message": "Operation Failed", "detail": detail}}),
        );

        let own = json!({"error": {"message": "Ada of Contoso must approve", "detail": null}});
        let own = answered("sys_user", "", own);
        let text = answered(
            "sys_user",
            "",
            json!({"error": "Ada of Contoso is not authorized", "session": "Contoso"}),
        );

        let left = scrubbed(vec![refused, own, text]);

        assert!(
            left.contains("Operation against file 'sys_user' was aborted by Business Rule 'text "),
            "{left}"
        );
        assert!(
            !left.contains("Contoso") && !left.contains("Ada") && !left.contains("tess"),
            "{left}"
        );
    }

    #[test]
    fn what_a_company_added_to_the_platforms_tables_is_replaced() {
        let choice = json!({"name": "oauth_entity", "element": "type", "value": "contoso", "label": "Contoso"});
        let column = json!({"name": "sys_user", "element": "u_contoso", "column_label": "Contoso", "max_length": "40"});
        let changed = json!({
            "name": "sys_user", "element": "title", "max_length": "40", "default_value": "Contoso",
            "reference": {"value": "sys_user", "display_value": "Contoso"},
        });
        let of = |table: &str, row: Value| answered(table, "", json!({"result": [row]}));

        let left = scrubbed(vec![
            of("sys_choice", choice),
            of("sys_dictionary", column),
            of("sys_dictionary", changed),
        ]);

        assert!(!left.to_lowercase().contains("contoso"), "{left}");
        for kept in ["oauth_entity", "\"element\":\"title\"", "\"max_length\":\"40\""] {
            assert!(left.contains(kept), "{kept} is not in {left}");
        }
    }

    #[test]
    fn an_account_that_is_an_address_of_the_company_is_replaced_as_a_whole() {
        let private = Private::new(
            "acmedev.service-now.com",
            "Jane.Doe@acmedev.onmicrosoft.com",
            "tfacc_1_",
            ["tok-1".to_owned(), "tok-1234".to_owned()].into_iter(),
            ["acmedev.svc".to_owned()].into_iter(),
        );
        for (text, expected) in [
            ("user_name=jane.doe@acmedev.onmicrosoft.com", "user_name=<address>"),
            (
                "user_nameINacmedev.svc^ORDERBYsys_id",
                "user_nameIN<account>^ORDERBYsys_id",
            ),
            ("tok-1234 tok-1", "<secret> <secret>"),
            ("https://ACMEDEV.service-now.com/", "https://<instance>/"),
        ] {
            assert_eq!(private.without_names(text), expected);
        }
        let query = "sys_idIN6816f79cc0a8016401c5a33be04be441,46d44a23a9fe19810012d100cca80666";
        assert_eq!(private.without(query), "sys_idIN<sys_id>,<sys_id>");
    }
}
