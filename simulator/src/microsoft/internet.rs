//! What the instance reaches: the login hosts by their real names, and HCP Terraform. All of it in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};
use url::Url;

use crate::internet::Internet;
use crate::microsoft::entra::{Endpoint, Entra, TokenRequest};
use crate::microsoft::hcp::Hcp;

/// The line between the instance and Microsoft.
#[derive(Clone)]
pub struct Line {
    entra: Entra,
    hcp: Hcp,
    cut: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn new(entra: Entra, hcp: Hcp) -> Line {
        Line {
            entra,
            hcp,
            cut: Arc::default(),
        }
    }

    /// Whether nothing answers any more.
    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    /// The path on a login host, and the base of addresses for its metadata.
    fn on_login_host(&self, url: &str) -> Option<(String, String)> {
        let parsed = Url::parse(url).ok()?;
        let base = parsed.origin().ascii_serialization();
        let known = match parsed.host_str()? {
            "login.microsoftonline.com" | "login.windows.net" | "sts.windows.net" => parsed.scheme() == "https",
            _ => base == self.entra.login_url().replace("127.0.0.1", "localhost") || base == self.entra.login_url(),
        };
        // Keys of v1.0 tokens are published under the login host, whichever name was asked.
        let base = if base == "https://sts.windows.net" {
            LOGIN_HOST.to_owned()
        } else {
            base
        };
        known.then(|| (base, parsed.path().to_owned()))
    }
}

#[async_trait]
impl Internet for Line {
    async fn get_json(&self, url: &str) -> Option<Value> {
        if self.cut.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(document) = self.hcp.document(url) {
            return Some(document);
        }
        let (base, path) = self.on_login_host(url)?;
        self.entra.document(&base, &path)
    }

    async fn post_form(&self, url: &str, form: &[(String, String)]) -> (u16, Value) {
        let unreachable = || {
            (
                503,
                json!({"error": "unreachable", "error_description": format!("no answer from {url}")}),
            )
        };
        if self.cut.load(Ordering::Relaxed) {
            return unreachable();
        }
        let Some((_, path)) = self.on_login_host(url) else {
            return unreachable();
        };
        let Some((tenant, rest)) = path.trim_start_matches('/').split_once('/') else {
            return unreachable();
        };
        let endpoint = match rest {
            "oauth2/token" => Endpoint::V1,
            "oauth2/v2.0/token" => Endpoint::V2,
            _ => {
                return (
                    404,
                    json!({"error": "not_found", "error_description": format!("{url} is no token endpoint")}),
                );
            }
        };
        match self.entra.token(&TokenRequest {
            endpoint,
            tenant,
            form,
            basic: None,
        }) {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status(), refusal.body()),
        }
    }
}

const LOGIN_HOST: &str = "https://login.microsoftonline.com";
