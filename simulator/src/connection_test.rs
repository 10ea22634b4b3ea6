//! The connection test that the guide ends with.
//!
//! Outbound it does what the instance would do, inbound what the support service would do: with what is stored on
//! either side, over the instance's real router, and with the exact cause where it fails. What the real test calls is
//! not published; the legs follow from what each side has to hold.

mod inbound;
mod outbound;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Method, Request, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::instance::{Instance, Operation};
use crate::microsoft::admin_center::Admin;
use crate::microsoft::answer;
use crate::microsoft::entra::Entra;
use crate::sync::lock;

/// Runs the test; cheap to clone.
#[derive(Clone)]
pub struct ConnectionTest {
    instance: Instance,
    entra: Entra,
    admin: Admin,
    instance_url: String,
    last: Arc<Mutex<Option<(Timestamp, Report)>>>,
}

/// What to test. All of it optional, in the query or as a JSON body.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// Decides the legs. Without it a Basic repository means `basic_v1`, anything else `aad_v1`.
    pub variant: Option<Variant>,
    /// OAuth profile for the outbound leg, name or `sys_id`. Without it the default profile of the provider whose
    /// client id the admin center names.
    pub profile: Option<String>,
    /// Only this repository.
    pub repository_id: Option<String>,
    /// Adds the leg of the Copilot connector; alone, with `variant` set to `copilot`.
    pub copilot: bool,
}

/// The variants of the guide.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// Inbound by Entra token.
    AadV1,
    /// Inbound by user name and password at the instance's own token endpoint.
    BasicV1,
    /// Outbound only.
    InsightsOnly,
    /// Outbound, and a repository that names the endpoint.
    V2,
    /// Only the Copilot connector.
    Copilot,
}

/// The outcome of a test.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether all legs are.
    pub ok: bool,
    /// In the order in which they were tried.
    pub legs: Vec<Leg>,
}

/// One direction.
#[derive(Clone, Debug, Serialize)]
pub struct Leg {
    /// `outbound`, `inbound`, `repository` or `copilot`.
    pub name: String,
    /// Whether the direction works.
    pub ok: bool,
    /// What was reached, in order.
    pub steps: Vec<String>,
    /// Why it ended, as the log of the side that refused would say.
    pub cause: Option<String>,
}

impl ConnectionTest {
    pub(crate) fn new(instance: Instance, entra: Entra, admin: Admin, instance_url: &str) -> ConnectionTest {
        ConnectionTest {
            instance,
            entra,
            admin,
            instance_url: instance_url.to_owned(),
            last: Arc::default(),
        }
    }

    /// How the last run ended, and when.
    pub(crate) fn last(&self) -> Option<(Timestamp, Report)> {
        lock(&self.last).clone()
    }

    /// Serves the test at `/connection-test`.
    pub(crate) fn router(&self) -> Router {
        Router::new().route(PATH, post(serve)).with_state(self.clone())
    }

    /// Runs it.
    pub async fn run(&self, wanted: &Wanted) -> Report {
        let repositories: Vec<_> = self
            .admin
            .repositories()
            .into_iter()
            .filter(|repository| wanted.repository_id.as_ref().is_none_or(|id| *id == repository.id))
            .collect();
        let variant = wanted.variant.unwrap_or_else(|| {
            let is_basic = repositories
                .first()
                .is_some_and(|repository| repository.authentication == "Basic");
            if is_basic { Variant::BasicV1 } else { Variant::AadV1 }
        });

        let mut legs = Vec::new();
        if variant != Variant::Copilot {
            legs.push(self.outbound(wanted.profile.as_deref()).await);
        }
        let name = match variant {
            Variant::AadV1 | Variant::BasicV1 => "inbound",
            Variant::V2 => "repository",
            Variant::InsightsOnly | Variant::Copilot => "",
        };
        if !name.is_empty() && repositories.is_empty() {
            let mut leg = Attempt::new(name);
            leg.fail(match &wanted.repository_id {
                Some(id) => format!("the admin center has no repository '{id}'"),
                None => "the admin center has no repository".to_owned(),
            });
            legs.push(leg.end());
        }
        for repository in &repositories {
            match variant {
                Variant::AadV1 => legs.push(self.inbound_by_entra(repository).await),
                Variant::BasicV1 => legs.push(self.inbound_by_password(repository).await),
                Variant::V2 => legs.push(self.repository(repository)),
                Variant::InsightsOnly | Variant::Copilot => {}
            }
        }
        if wanted.copilot || variant == Variant::Copilot {
            legs.push(self.copilot().await);
        }
        let report = Report {
            ok: legs.iter().all(|leg| leg.ok),
            legs,
        };
        *lock(&self.last) = Some((Timestamp::now(), report.clone()));
        report
    }

    /// Calls the instance over its router, as anyone on the network would.
    async fn call(&self, method: Method, path: &str, sign_in: &SignIn, body: Content<'_>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json");
        match sign_in {
            SignIn::Nobody => {}
            SignIn::Bearer(token) => {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            SignIn::Basic(pair) => {
                request = request.header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
            }
        }
        let request = match body {
            Content::None => request.body(Body::empty()),
            Content::Json(value) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(value.to_string())),
            Content::Form(form) => {
                let form = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(form)
                    .finish();
                request
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Body::from(form))
            }
        };
        let Ok(request) = request else {
            return Answer {
                status: 0,
                body: Value::Null,
            };
        };
        let response = match self.instance.router().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap_or_default();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    /// Why the instance turned a caller away, in the words of its log.
    async fn why(&self, sign_in: &SignIn, table: &str, operation: Operation, answer: &Answer) -> String {
        let refused = match sign_in {
            SignIn::Bearer(token) => match self.instance.explain_bearer(token).await {
                Err(denied) => Some(denied.cause),
                Ok(caller) => self
                    .instance
                    .may(&caller, table, operation)
                    .err()
                    .map(|denied| denied.cause),
            },
            SignIn::Basic(_) | SignIn::Nobody => self.instance.log().last().cloned(),
        };
        let why = refused.unwrap_or_else(|| answer.detail());
        format!("the instance answered {}: {why}", answer.status)
    }
}

/// How a caller shows who it is.
enum SignIn {
    Nobody,
    Bearer(String),
    /// `user:password`
    Basic(String),
}

/// A leg in the making.
struct Attempt {
    name: String,
    steps: Vec<String>,
    cause: Option<String>,
}

impl Attempt {
    fn new(name: &str) -> Attempt {
        Attempt {
            name: name.to_owned(),
            steps: Vec::new(),
            cause: None,
        }
    }

    fn reached(&mut self, step: String) {
        self.steps.push(step);
    }

    fn fail(&mut self, cause: String) {
        self.cause = Some(cause);
    }

    fn end(self) -> Leg {
        Leg {
            name: self.name,
            ok: self.cause.is_none(),
            steps: self.steps,
            cause: self.cause,
        }
    }
}

/// Body of a call.
enum Content<'a> {
    None,
    Json(&'a Value),
    Form(&'a [(&'a str, &'a str)]),
}

/// What the instance answered.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn detail(&self) -> String {
        let error = &self.body["error"];
        let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        let text = format!("{} {}", part("message"), part("detail"));
        if text.trim().is_empty() {
            "no explanation".to_owned()
        } else {
            text.trim().to_owned()
        }
    }
}

async fn serve(
    State(test): State<ConnectionTest>,
    Query(query): Query<Vec<(String, String)>>,
    body: String,
) -> Response {
    match wanted(&query, &body) {
        Ok(wanted) => axum::Json(test.run(&wanted).await).into_response(),
        Err(error) => answer(400, &json!({"error": error})),
    }
}

/// The body if there is one, else the query.
pub(crate) fn wanted(query: &[(String, String)], body: &str) -> Result<Wanted, String> {
    let mut fields = match body.trim() {
        "" => serde_json::Map::new(),
        text => serde_json::from_str(text).map_err(|error| format!("the body: {error}"))?,
    };
    for (name, value) in query {
        let value = if name == "copilot" {
            json!(value != "false")
        } else {
            json!(value)
        };
        fields.insert(name.clone(), value);
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

/// Where the test is served.
pub(crate) const PATH: &str = "/connection-test";
