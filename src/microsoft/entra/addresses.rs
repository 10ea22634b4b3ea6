//! The public addresses of a tenant, and what responds there.

use crate::http::{Answer, Client, HttpError, Limits, Method, Origin, Repeat, Request};
use crate::microsoft::entra::{Endpoint, MAX_ANSWER};

/// Where applications of a tenant get tokens, below the login host.
pub fn token_path(tenant: &str, endpoint: Endpoint) -> String {
    match endpoint {
        Endpoint::V1 => format!("{tenant}/oauth2/token"),
        Endpoint::V2 => format!("{tenant}/oauth2/v2.0/token"),
    }
}

/// The OIDC metadata document for tokens of a version, below the login host.
pub fn metadata_path(tenant: &str, endpoint: Endpoint) -> String {
    match endpoint {
        Endpoint::V1 => format!("{tenant}/.well-known/openid-configuration"),
        Endpoint::V2 => format!("{tenant}/v2.0/.well-known/openid-configuration"),
    }
}

/// Requests a metadata document.
///
/// # Errors
/// [`HttpError`] where nothing responds.
pub async fn get_metadata(http: &Client, url: &str, limits: &Limits) -> Result<Answer, HttpError> {
    let (origin, url) = Origin::locate(url)?;
    let request = Request::new(Method::GET, url, &origin, Repeat::Idempotent).max_answer(MAX_ANSWER);
    http.send(request, limits).await
}

/// Requests a token for no application: a token endpoint rejects that in a recognisable way.
///
/// # Errors
/// [`HttpError`] where nothing responds.
pub async fn probe_token_endpoint(http: &Client, url: &str, limits: &Limits) -> Result<Answer, HttpError> {
    let (origin, url) = Origin::locate(url)?;
    let request = Request::new(Method::POST, url, &origin, Repeat::Idempotent)
        .max_answer(MAX_ANSWER)
        .form(&[("grant_type", "client_credentials"), ("client_id", NOBODY)]);
    http.send(request, limits).await
}

/// What stands in an address in place of a tenant where any tenant may sign in.
pub const SHARED_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// An application that no tenant has.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
