//! Microsoft's side in memory: the tenant, Entra's tokens, Graph, the admin center, and HCP Terraform's issuer.

pub mod admin_center;
pub mod directory;
pub mod entra;
pub mod graph;
pub mod hcp;
pub(crate) mod ids;
pub mod internet;
pub mod keys;
pub mod metadata;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// Number of a JSON error answer and its body.
pub(crate) fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(body)).into_response()
}
