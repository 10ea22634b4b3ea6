//! What the instance reaches outside of itself: OIDC metadata, key sets and token endpoints.
//!
//! A trait and not an HTTP client, so that the simulated Microsoft answers in-process and a test can cut the line.

use async_trait::async_trait;
use serde_json::Value;

/// What answers outside of the instance, as the instance sees it.
#[async_trait]
pub trait Internet: Send + Sync {
    /// The JSON document at `url`, or `None` where nothing answers or the answer is no JSON.
    async fn get_json(&self, url: &str) -> Option<Value>;

    /// Posts a form-encoded body and gives the HTTP status with the JSON answer.
    async fn post_form(&self, url: &str, form: &[(String, String)]) -> (u16, Value);
}

/// An internet in which nothing answers, for tests that need no Microsoft.
#[derive(Clone, Copy, Debug)]
pub struct Offline;

#[async_trait]
impl Internet for Offline {
    async fn get_json(&self, _url: &str) -> Option<Value> {
        None
    }

    async fn post_form(&self, url: &str, _form: &[(String, String)]) -> (u16, Value) {
        let detail = format!("{url} cannot be reached");
        (
            503,
            serde_json::json!({"error": "unreachable", "error_description": detail}),
        )
    }
}
