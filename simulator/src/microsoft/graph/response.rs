//! Graph's answers to what it does not refuse.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::microsoft::answer;
use crate::microsoft::graph::annotations::NextPage;
use crate::microsoft::graph::query::Wanted;
use crate::microsoft::graph::refusal::Refusal;

/// What most handlers answer with.
pub(super) type Answered = Result<Response, Refusal>;

/// The page of a list that was asked for.
pub(super) fn page(wanted: &Wanted, all: impl Iterator<Item = Value>) -> Response {
    let page = wanted.page(all);
    let mut body = json!({"value": page.shown});
    if let Some(count) = page.count {
        body["@odata.count"] = json!(count);
    }
    let mut response = answer(200, &body);
    if let Some(next) = page.next {
        response.extensions_mut().insert(NextPage(next));
    }
    response
}

/// A number by itself, as text. Graph keeps these numbers in its slower index only.
pub(super) fn counted(headers: &HeaderMap, count: usize) -> Answered {
    let level = headers.get("consistencylevel").map(HeaderValue::as_bytes);
    if !level.is_some_and(|level| level.eq_ignore_ascii_case(b"eventual")) {
        return Err(Refusal::BadOption("$count is not currently supported.".to_owned()));
    }
    Ok(count.to_string().into_response())
}

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
