//! The Microsoft 365 admin center's support integration page, in the contract's default profile.
//!
//! Only the first path is proven to exist; the rest is what the provider assumes unless told otherwise. A PUT replaces:
//! a secret that is not sent is gone.

mod caller;
mod http;

use std::sync::{Arc, Mutex};

use axum::Router;
use serde_json::{Map, Value, json};

use crate::faults::{Fault, Faults, Matcher};
use crate::microsoft::directory::Directory;
use crate::microsoft::ids::is_guid;
use crate::sync::lock;

/// The admin center; cheap to clone.
#[derive(Clone)]
pub struct Admin {
    directory: Directory,
    page: Arc<Mutex<Page>>,
    quirks: Arc<Mutex<Quirks>>,
    faults: Faults,
}

/// What the page makes of the texts that it is sent. Nothing is known of the real one: each is a switch, off at the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quirks {
    /// Blanks and line breaks at both ends go.
    /// Facts: `support-api-texts`.
    pub trims: bool,
    /// GUIDs are stored in lower case, and an address with another spelling of one is not found.
    /// Facts: `support-api-texts`.
    pub lower_cases_guids: bool,
}

/// What the page holds, secrets included.
#[derive(Clone, Debug, Default)]
struct Page {
    /// `SupportTool`, `ApplicationId` and whatever else was sent.
    settings: Map<String, Value>,
    repositories: Vec<Map<String, Value>>,
    /// The page answers `null`, as where the feature is not available in the tenant.
    unavailable: bool,
}

/// A repository as the support service uses it.
#[derive(Clone)]
pub struct Repository {
    /// `RepositoryId`.
    pub id: String,
    /// `Endpoint`.
    pub endpoint: String,
    /// `AuthenticationType`: `AAD` or `Basic`.
    pub authentication: String,
    /// `ClientId`.
    pub client_id: String,
    /// `ClientSecret`, empty when none is stored.
    pub client_secret: String,
    /// `RestUserName`.
    pub user_name: String,
    /// `RestUserPassword`, empty when none is stored.
    pub user_password: String,
}

/// The bad answers that the field knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AdminFault {
    /// 401 with an empty body.
    Unauthorized,
    /// 403: the role is lacking.
    Forbidden,
    /// 404 `ObjectNotFound`: never initialised.
    NotFound,
    /// 440: wants a live portal sign-in.
    LoginTimeout,
    /// 200 with the portal's error shell in HTML.
    Html,
    /// 503: the backend is away.
    Unavailable,
}

impl Admin {
    pub(crate) fn new(directory: Directory) -> Admin {
        Admin {
            directory,
            page: Arc::default(),
            quirks: Arc::default(),
            faults: Faults::new(),
        }
    }

    pub(crate) fn router(&self) -> Router {
        self.faults.layer(http::router(self.clone()))
    }

    /// Scripted faults, delays and cuts in front of the page.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Every matching request gets this answer until the faults are cleared.
    pub fn fail(&self, matcher: Matcher, fault: AdminFault) {
        self.faults.every(matcher, fault.fault());
    }

    /// The application that the support service expects tokens from; empty when not set.
    pub fn application_id(&self) -> String {
        text(&self.page().settings, "ApplicationId")
    }

    /// The support tool; empty when not set.
    pub fn support_tool(&self) -> String {
        text(&self.page().settings, "SupportTool")
    }

    /// What a GET answers: never a secret.
    pub fn shown(&self) -> Value {
        let page = self.page();
        if page.unavailable {
            return Value::Null;
        }
        let mut shown = page.settings.clone();
        for name in ["SupportTool", "ApplicationId"] {
            shown.entry(name).or_insert(Value::Null);
        }
        shown.insert(
            "Repositories".to_owned(),
            page.repositories.iter().map(without_secrets).collect(),
        );
        Value::Object(shown)
    }

    /// The repositories with their secrets.
    pub fn repositories(&self) -> Vec<Repository> {
        let page = self.page();
        page.repositories
            .iter()
            .map(|fields| Repository {
                id: text(fields, "RepositoryId"),
                endpoint: text(fields, "Endpoint"),
                authentication: text(fields, "AuthenticationType"),
                client_id: text(fields, "ClientId"),
                client_secret: text(fields, "ClientSecret"),
                user_name: text(fields, "RestUserName"),
                user_password: text(fields, "RestUserPassword"),
            })
            .collect()
    }

    /// Switches what the page makes of the texts that it is sent from now on.
    pub fn set_quirks(&self, quirks: Quirks) {
        *lock(&self.quirks) = quirks;
    }

    /// Fields as the page stores them.
    fn stored(&self, fields: Map<String, Value>) -> Map<String, Value> {
        let quirks = *lock(&self.quirks);
        let stored = fields.into_iter().map(|(name, value)| match value {
            Value::String(text) if !SECRETS.contains(&name.as_str()) => (name, Value::String(quirks.stored(text))),
            other => (name, other),
        });
        stored.collect()
    }

    /// Whether the page answers `null`, as where the feature is not available.
    pub fn set_unavailable(&self, unavailable: bool) {
        self.with(|page| page.unavailable = unavailable);
    }

    /// Sets fields of the settings by hand, unknown ones too.
    pub fn put_settings(&self, fields: &Value) {
        self.with(|page| {
            for (name, value) in fields.as_object().into_iter().flatten() {
                page.settings.insert(name.clone(), value.clone());
            }
        });
    }

    /// Adds a repository by hand, or sets fields of the one with that `RepositoryId`.
    pub fn put_repository(&self, fields: &Value) {
        let Some(fields) = fields.as_object() else {
            return;
        };
        let id = text(fields, "RepositoryId");
        self.with(|page| match page.find(&id) {
            Some(at) => page.repositories[at].extend(fields.clone()),
            None => page.repositories.push(fields.clone()),
        });
    }

    /// Removes a repository by hand.
    pub fn remove_repository(&self, id: &str) {
        self.with(|page| page.repositories.retain(|fields| text(fields, "RepositoryId") != id));
    }

    /// Everything that a restart must keep, secrets included.
    pub(crate) fn snapshot(&self) -> Value {
        let page = self.page();
        json!({"settings": page.settings, "repositories": page.repositories})
    }

    /// Puts a snapshot in place of the page.
    pub(crate) fn restore(&self, snapshot: &Value) -> Result<(), String> {
        let settings = snapshot["settings"]
            .as_object()
            .ok_or("admin: settings are missing")?
            .clone();
        let repositories = snapshot["repositories"]
            .as_array()
            .ok_or("admin: repositories are missing")?;
        let repositories = repositories.iter().filter_map(Value::as_object).cloned().collect();
        self.with(|page| {
            *page = Page {
                settings,
                repositories,
                unavailable: false,
            }
        });
        Ok(())
    }

    fn page(&self) -> Page {
        self.with(|page| page.clone())
    }

    fn with<T>(&self, step: impl FnOnce(&mut Page) -> T) -> T {
        step(&mut lock(&self.page))
    }
}

impl Quirks {
    fn stored(self, text: String) -> String {
        let text = if self.trims { text.trim().to_owned() } else { text };
        if self.lower_cases_guids && is_guid(text.trim()) {
            text.to_lowercase()
        } else {
            text
        }
    }
}

impl Page {
    fn find(&self, id: &str) -> Option<usize> {
        self.repositories
            .iter()
            .position(|fields| text(fields, "RepositoryId") == id)
    }
}

impl AdminFault {
    /// The answer itself, for use with a matcher of one's own.
    pub fn fault(self) -> Fault {
        let (status, content_type, body) = match self {
            AdminFault::Unauthorized => (401, JSON, String::new()),
            AdminFault::Forbidden => (403, JSON, error("Forbidden", "The user lacks the role for this page.")),
            AdminFault::NotFound => (404, JSON, error("ObjectNotFound", "The object was not found.")),
            AdminFault::LoginTimeout => (440, "text/plain", String::new()),
            AdminFault::Html => (
                200,
                "text/html; charset=utf-8",
                "<!DOCTYPE html><html><head><title>Microsoft 365 admin center</title></head><body>Something went wrong</body></html>"
                    .to_owned(),
            ),
            AdminFault::Unavailable => (503, JSON, error("ServiceUnavailable", "The backend is not available.")),
        };
        Fault::Answer {
            status,
            content_type: content_type.to_owned(),
            body,
        }
    }
}

fn error(code: &str, message: &str) -> String {
    json!({"error": {"code": code, "message": message}}).to_string()
}

fn without_secrets(fields: &Map<String, Value>) -> Value {
    let shown = fields.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
    Value::Object(shown.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

const JSON: &str = "application/json; charset=utf-8";
const SECRETS: [&str; 2] = ["ClientSecret", "RestUserPassword"];
