//! Graph's answers to what it does not refuse.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::microsoft::answer;
use crate::microsoft::graph::refusal::Refusal;

/// What most handlers answer with.
pub(super) type Answered = Result<Response, Refusal>;

pub(super) fn collection(values: Vec<Value>) -> Response {
    answer(200, &json!({"value": values}))
}

pub(super) fn no_content() -> Response {
    answer_empty(StatusCode::NO_CONTENT)
}

fn answer_empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
