//! Graph's errors.

use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::microsoft::graph::annotations::REQUEST_ID;
use crate::microsoft::{answer, ids};

/// Why Graph refuses a request.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Access token is empty.")]
    NoToken,
    #[error("Access token validation failure. {0}")]
    BadToken(&'static str),
    #[error("Insufficient privileges to complete the operation.")]
    Denied,
    #[error("Resource '{0}' does not exist or one of its queried reference-property objects are not present.")]
    NotFound(String),
    #[error("Resource not found for the segment.")]
    UnknownPath,
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    BadOption(String),
    #[error("{0}")]
    Unsupported(String),
    #[error("Permission (scope or role) cannot be deleted or updated unless disabled first.")]
    EnabledEntitlement,
    #[error("Values of identifierUris property must use a verified domain of the organization or its subdomain: '{0}'")]
    UnverifiedHost(String),
    #[error("Unsupported or invalid query filter clause: {0}")]
    UnsupportedFilter(String),
    #[error("The appId '{0}' of the service principal does not reference a valid application object.")]
    NoApplication(String),
    #[error(
        "The service principal cannot be created, updated, or restored because the service principal name {0} is already in use."
    )]
    PrincipalExists(String),
    #[error("Another object with the same value for property {0} already exists.")]
    Conflict(&'static str),
    #[error("{0}")]
    FederatedConflict(String),
    #[error("Credential lifetime exceeds the max value allowed as per assigned policy: {0} days.")]
    TooLong(i64),
    #[error("One or more added object references already exist for the following modified properties: 'owners'.")]
    OwnerExists,
}

impl Refusal {
    fn row(&self) -> (u16, &'static str) {
        match self {
            Refusal::NoToken | Refusal::BadToken(_) => (401, "InvalidAuthenticationToken"),
            Refusal::Denied => (403, "Authorization_RequestDenied"),
            Refusal::NotFound(_) => (404, "Request_ResourceNotFound"),
            Refusal::UnknownPath | Refusal::BadOption(_) => (400, "BadRequest"),
            Refusal::Invalid(_) | Refusal::NoApplication(_) | Refusal::OwnerExists => (400, "Request_BadRequest"),
            Refusal::UnsupportedFilter(_) | Refusal::Unsupported(_) => (400, "Request_UnsupportedQuery"),
            Refusal::EnabledEntitlement => (400, "CannotDeleteOrUpdateEnabledEntitlement"),
            Refusal::UnverifiedHost(_) => (400, "HostNameNotOnVerifiedDomain"),
            Refusal::Conflict(_) => (400, "ObjectConflict"),
            Refusal::PrincipalExists(_) | Refusal::FederatedConflict(_) => {
                (409, "Request_MultipleObjectsWithSameKeyValue")
            }
            Refusal::TooLong(_) => (400, "CredentialInvalidLifetimeAsPerAppPolicy"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.row();
        let request = ids::guid();
        let mut response = answer(
            status,
            &json!({"error": {
                "code": code,
                "message": self.to_string(),
                "innerError": {
                    "date": ids::now().trim_end_matches('Z'),
                    "request-id": request,
                    "client-request-id": request,
                },
            }}),
        );
        if let Ok(request) = request.parse() {
            response.headers_mut().insert(REQUEST_ID, request);
        }
        response
    }
}
