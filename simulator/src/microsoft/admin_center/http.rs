//! The page over HTTP.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde_json::{Map, Value, json};

use crate::microsoft::admin_center::{Admin, text, without_secrets};
use crate::microsoft::answer;

pub(super) fn router(admin: Admin) -> Router {
    Router::new()
        .route("/admin/api/supportRepository/my", get(show).post(change_settings))
        .route("/admin/api/supportRepository", post(create))
        .route("/admin/api/supportRepository/{id}", put(replace).delete(delete))
        .layer(from_fn_with_state(admin.clone(), signed_in))
        .with_state(admin)
}

/// An error answer.
struct Refused {
    status: u16,
    code: &'static str,
    message: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        answer(
            self.status,
            &json!({"error": {"code": self.code, "message": self.message}}),
        )
    }
}

async fn signed_in(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    match admin.sign_in(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let (status, code) = (refusal.status(), refusal.code());
            Refused {
                status,
                code,
                message: refusal.to_string(),
            }
            .into_response()
        }
    }
}

async fn show(State(admin): State<Admin>) -> Response {
    answer(200, &admin.shown())
}

async fn change_settings(State(admin): State<Admin>, headers: HeaderMap, body: String) -> Result<StatusCode, Refused> {
    let mut fields = object(&headers, &body)?;
    // The list has paths of its own.
    fields.remove("Repositories");
    let fields = admin.stored(fields);
    admin.with(|page| page.settings = fields);
    Ok(StatusCode::NO_CONTENT)
}

async fn create(State(admin): State<Admin>, headers: HeaderMap, body: String) -> Result<Response, Refused> {
    let fields = admin.stored(repository(&headers, &body)?);
    let id = text(&fields, "RepositoryId");
    let shown = without_secrets(&fields);
    admin.with(|page| match page.find(&id) {
        Some(_) => Err(Refused {
            status: 409,
            code: "Conflict",
            message: format!("Repository '{id}' exists."),
        }),
        None => {
            page.repositories.push(fields);
            Ok(answer(201, &shown))
        }
    })
}

async fn replace(
    State(admin): State<Admin>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Result<StatusCode, Refused> {
    let fields = repository(&headers, &body)?;
    if text(&fields, "RepositoryId") != id {
        return Err(bad_request("RepositoryId differs from the one in the address."));
    }
    let fields = admin.stored(fields);
    admin.with(|page| {
        let at = page.find(&id).ok_or_else(|| absent(&id))?;
        page.repositories[at] = fields;
        Ok(StatusCode::NO_CONTENT)
    })
}

async fn delete(State(admin): State<Admin>, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    admin.with(|page| {
        let at = page.find(&id).ok_or_else(|| absent(&id))?;
        page.repositories.remove(at);
        Ok(StatusCode::NO_CONTENT)
    })
}

fn repository(headers: &HeaderMap, body: &str) -> Result<Map<String, Value>, Refused> {
    let fields = object(headers, body)?;
    if text(&fields, "RepositoryId").is_empty() {
        return Err(bad_request("RepositoryId is required."));
    }
    if !["AAD", "Basic"].contains(&text(&fields, "AuthenticationType").as_str()) {
        return Err(bad_request("AuthenticationType must be AAD or Basic."));
    }
    Ok(fields)
}

fn object(headers: &HeaderMap, body: &str) -> Result<Map<String, Value>, Refused> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    if !is_json {
        let message = "The body must be application/json.".to_owned();
        return Err(Refused {
            status: 415,
            code: "UnsupportedMediaType",
            message,
        });
    }
    serde_json::from_str(body).map_err(|_| bad_request("The body must be a JSON object."))
}

fn absent(id: &str) -> Refused {
    Refused {
        status: 404,
        code: "ObjectNotFound",
        message: format!("Repository '{id}' was not found."),
    }
}

fn bad_request(message: &str) -> Refused {
    Refused {
        status: 400,
        code: "BadRequest",
        message: message.to_owned(),
    }
}
