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
    kept: Arc<Mutex<Vec<Exchange>>>,
    server: JoinHandle<()>,
}

impl Recorder {
    /// In front of the instance at this address. None unless the run records.
    pub(crate) async fn start(settings: &Settings, instance: &str) -> Result<Option<Self>, String> {
        if settings.get("RECORD").is_none() {
            return Ok(None);
        }
        let failed = |error: &dyn std::fmt::Display| format!("Recording is not possible: {error}.");
        let onward = Onward {
            client: Arc::new(client(settings)),
            origin: Origin::parse(instance).map_err(|error| failed(&error))?,
            kept: Arc::default(),
        };
        let kept = onward.kept.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed(&error))?;
        let address = listener.local_addr().map_err(|error| failed(&error))?;
        let router = Router::new().fallback(hand_on).with_state(onward);
        let server = tokio::spawn(async move {
            // It ends with the run.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Some(Self {
            url: format!("http://{address}"),
            kept,
            server,
        }))
    }

    /// The settings of the run, with this in place of the instance.
    pub(crate) fn in_front(&self, settings: &Settings) -> Settings {
        settings.with("SERVICENOW_INSTANCE_URL", &self.url)
    }

    /// Writes what was kept so far.
    pub(crate) fn write(&self, folder: &Path, name: &str, about: &str, private: &Private) -> Result<(), String> {
        let exchanges = std::mem::take(&mut *self.kept.lock().unwrap());
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
    kept: Arc<Mutex<Vec<Exchange>>>,
}

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
    if let Some(exchange) = exchange(&method, &uri, &body, &answer) {
        onward.kept.lock().unwrap().push(exchange);
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

/// What is kept of an exchange with the Table API.
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
            text: (json.is_none() && !answer.body().is_empty()).then(|| "<html></html>".to_owned()),
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
    /// What it asked for.
    asked: String,
    numbers: BTreeMap<String, usize>,
    sys_id: Regex,
    guid: Regex,
    plain: Regex,
}

impl<'a> Scrub<'a> {
    fn new(exchanges: &[Exchange], private: &'a Private) -> Self {
        let mut written = BTreeSet::new();
        let mut asked = String::new();
        for exchange in exchanges {
            let body = exchange.request.body.as_ref().and_then(Value::as_object);
            let values = body.into_iter().flat_map(Map::values).filter_map(Value::as_str);
            written.extend(values.map(str::to_owned));
            for value in exchange.request.query.values() {
                asked.push_str(value);
                asked.push('\n');
            }
        }
        Self {
            private,
            written,
            asked,
            numbers: BTreeMap::new(),
            sys_id: Regex::new("(?i)[0-9a-f]{32}").unwrap(),
            guid: Regex::new("(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").unwrap(),
            plain: Regex::new(
                "^(true|false|global|-?[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?)?$",
            )
            .unwrap(),
        }
    }

    fn exchange(&mut self, mut exchange: Exchange) -> Exchange {
        let table = exchange.request.target().map(|(table, _)| table.to_owned());
        let request = &mut exchange.request;
        request.path = self.text(&request.path);
        for value in request.query.values_mut() {
            *value = self.text(value);
        }
        if let Some(Value::Object(body)) = &mut request.body {
            for (name, value) in body {
                *value = match value.as_str() {
                    Some("") | None => value.take(),
                    Some(_) if is_secret_key(name) => Value::from("<secret>"),
                    Some(text) => Value::from(self.text(text)),
                };
            }
        }
        let response = &mut exchange.response;
        let has_next = response
            .headers
            .remove("link")
            .is_some_and(|link| link.contains("rel=\"next\""));
        if has_next {
            let next = "<https://<instance>/>;rel=\"next\"";
            response.headers.insert("link".to_owned(), next.to_owned());
        }
        response.body = response
            .body
            .take()
            .map(|body| self.body(table.as_deref().unwrap_or_default(), body));
        exchange
    }

    fn body(&mut self, table: &str, body: Value) -> Value {
        let Value::Object(mut body) = body else {
            return Value::Null;
        };
        if let Some(Value::Object(error)) = body.get_mut("error") {
            for (_, text) in error {
                *text = text.as_str().map_or(Value::Null, |said| Value::from(self.text(said)));
            }
        }
        match body.get_mut("result") {
            Some(Value::Array(rows)) => rows.iter_mut().for_each(|row| self.row(table, row)),
            Some(row @ Value::Object(_)) => self.row(table, row),
            _ => {}
        }
        body.retain(|name, _| ["error", "result", "status"].contains(&name.as_str()));
        Value::Object(body)
    }

    fn row(&mut self, table: &str, row: &mut Value) {
        let Value::Object(cells) = row else { return };
        // Columns and tables that somebody added have names that tell of whoever did.
        let is_shipped = SHIPPED.contains(&table)
            && !cells
                .values()
                .filter_map(Value::as_str)
                .any(|text| text.starts_with("u_") || text.starts_with("x_"));
        for (name, cell) in cells {
            let is_of_a_person = matches!(name.as_str(), "sys_created_by" | "sys_updated_by");
            let is_public = is_shipped && !is_of_a_person;
            let is_secret = is_secret_key(name);
            let mut replace = |text: &mut Value| {
                let Some(given) = text.as_str().filter(|given| !given.is_empty()) else {
                    return;
                };
                *text = Value::from(match () {
                    () if is_secret => "<secret>".to_owned(),
                    () if is_public => self.text(given),
                    () => self.cell(given),
                });
            };
            match cell {
                Value::Object(parts) => {
                    parts.remove("link");
                    parts.values_mut().for_each(&mut replace);
                }
                cell => replace(cell),
            }
        }
    }

    /// A text of a record: as it is where the run wrote it or asked for it, or where it tells nothing.
    fn cell(&mut self, text: &str) -> String {
        let is_own = self.written.contains(text) || (text.len() > 3 && self.asked.contains(text));
        let is_id = |pattern: &Regex| {
            pattern
                .find(text)
                .is_some_and(|found| found.as_str().len() == text.len())
        };
        if is_own || self.plain.is_match(text) || is_id(&self.sys_id) || is_id(&self.guid) {
            return self.text(text);
        }
        format!("text {}", self.number(text))
    }

    /// A text without names and secrets, and with other ids.
    fn text(&mut self, text: &str) -> String {
        let text = self.private.without_names(text);
        let (sys_id, guid) = (self.sys_id.clone(), self.guid.clone());
        let text = sys_id.replace_all(&text, |found: &regex_lite::Captures<'_>| {
            format!("{:032x}", self.number(&found[0].to_lowercase()))
        });
        let text = guid.replace_all(&text, |found: &regex_lite::Captures<'_>| {
            format!("00000000-0000-4000-8000-{:012x}", self.number(&found[0].to_lowercase()))
        });
        text.into_owned()
    }

    fn number(&mut self, text: &str) -> usize {
        let next = self.numbers.len() + 1;
        *self.numbers.entry(text.to_owned()).or_insert(next)
    }
}

/// Tables whose rows come with the platform.
const SHIPPED: [&str; 5] = [
    "sys_choice",
    "sys_db_object",
    "sys_dictionary",
    "sys_dictionary_override",
    "v_plugin",
];
