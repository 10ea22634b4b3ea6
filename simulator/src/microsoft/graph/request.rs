//! Bodies of requests to Graph.

use serde_json::{Map, Value};

use crate::microsoft::graph::refusal::Refusal;

/// A body that must be a JSON object.
pub(super) fn object(body: &str) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_str(body).map_err(|_| Refusal::Invalid("The body must be a JSON object.".to_owned()))
}

/// Removes what a client may not set, and annotations.
pub(super) fn strip(fields: &mut Map<String, Value>) {
    fields.retain(|name, _| !name.contains('@') && !READ_ONLY.contains(&name.as_str()));
}

pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn take_list(fields: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match fields.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

const READ_ONLY: [&str; 6] = [
    "id",
    "appId",
    "createdDateTime",
    "deletedDateTime",
    "publisherDomain",
    "owners",
];
