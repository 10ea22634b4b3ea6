//! A caller of the routes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use servicenow_simulator::faults::Cut;
use servicenow_simulator::instance::{ClientCertificate, Instance, Options};
use servicenow_simulator::internet::{Internet, Offline};
use tower::ServiceExt;

pub(crate) struct Client {
    pub(crate) instance: Instance,
    router: Router,
    headers: Vec<(String, String)>,
    certificate: Option<ClientCertificate>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) is_cut: bool,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn result(&self) -> Value {
        self.json()["result"].clone()
    }

    pub(crate) fn text_of(&self, column: &str) -> String {
        let result = self.result();
        result[column]
            .as_str()
            .unwrap_or_else(|| panic!("no {column} in {result}"))
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::with(Options::default(), Arc::new(Offline))
    }

    pub(crate) fn with(options: Options, internet: Arc<dyn Internet>) -> Self {
        let basic = basic(&options.admin_user, &options.admin_password);
        let instance = Instance::new(options, internet);
        instance.set_base_url("https://simulated.service-now.com/");
        let router = instance.router();
        let headers = [
            ("authorization", basic.as_str()),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        let headers = headers.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Self {
            instance,
            router,
            headers: headers.to_vec(),
            certificate: None,
        }
    }

    /// The same client with another header; an empty text takes the header away.
    pub(crate) fn header(&self, name: &str, text: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.retain(|(key, _)| key != name);
        if !text.is_empty() {
            headers.push((name.to_owned(), text.to_owned()));
        }
        Self {
            instance: self.instance.clone(),
            router: self.router.clone(),
            headers,
            certificate: self.certificate.clone(),
        }
    }

    /// Without other credentials than a client certificate.
    pub(crate) fn with_certificate(&self, subject: &str) -> Self {
        Self {
            certificate: Some(ClientCertificate(subject.to_owned())),
            ..self.header("authorization", "")
        }
    }

    pub(crate) fn signed_in_as(&self, user: &str, password: &str) -> Self {
        self.header("authorization", &basic(user, password))
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, text) in &self.headers {
            request = request.header(name, text);
        }
        if let Some(certificate) = &self.certificate {
            request = request.extension(certificate.clone());
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: StatusCode::as_u16(&parts.status),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
            is_cut: parts.extensions.get::<Cut>().is_some(),
        }
    }

    pub(crate) async fn read(&self, path: &str) -> Answer {
        self.call("GET", &format!("/api/now/table/{path}"), "").await
    }

    pub(crate) async fn insert(&self, table: &str, body: Value) -> Answer {
        self.call("POST", &format!("/api/now/table/{table}"), &body.to_string())
            .await
    }

    pub(crate) async fn update(&self, path: &str, body: Value) -> Answer {
        self.call("PATCH", &format!("/api/now/table/{path}"), &body.to_string())
            .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", &format!("/api/now/table/{path}"), "").await
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}
