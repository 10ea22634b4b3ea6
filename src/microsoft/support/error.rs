//! Errors of the admin center's support API.

use crate::http::{Answer, HttpError, StatusCode};
use crate::microsoft::EntraError;

/// An error of the admin center's support API; [`SupportError::remedy`] says what can be done. The meanings of the statuses
/// come from tools that use sibling routes of the same portal.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SupportError {
    /// The request failed below the API: connection, TLS, time limit.
    #[error("the request to {operation} in the admin center failed")]
    Http {
        operation: &'static str,
        #[source]
        source: HttpError,
    },
    /// No token for the request.
    #[error("there is no token for the admin center")]
    SignIn(#[from] EntraError),
    /// 401.
    #[error("the admin center does not accept the token (401){hint}")]
    Unauthorized {
        /// What is known about the token.
        hint: String,
    },
    /// 403.
    #[error("the admin center knows the signed-in user, but refuses to {operation} (403)")]
    Forbidden { operation: &'static str },
    /// 403 to a token without a user.
    #[error(
        "the admin center refuses to {operation} (403), most likely because the token is an application's own, without a user"
    )]
    ApplicationOnly { operation: &'static str },
    /// 404 that is not about one repository.
    #[error(
        "the admin center has no such page ({operation}: {path} responded with 404): Microsoft announced the retirement of the support integration, so it may be gone for this tenant"
    )]
    PageMissing { operation: &'static str, path: String },
    /// 440.
    #[error(
        "the admin center demands a live portal sign-in (440): this route does not accept access tokens in this tenant, so no program can {operation}"
    )]
    PortalSignIn { operation: &'static str },
    /// A web page instead of a response.
    #[error(
        "the admin center responded to the request to {operation} with {what} (status {status}), not with JSON: this is the portal's sign-in or error page, so the token was not accepted for the route or admin_url points to another site"
    )]
    NotJson {
        operation: &'static str,
        status: u16,
        /// The content type and, where there is one, the page's title.
        what: String,
    },
    /// 5xx, after all retries.
    #[error(
        "the admin center's support service is not available ({operation}: status {status}), also after several attempts. Response: {detail}"
    )]
    Unavailable {
        operation: &'static str,
        status: u16,
        /// The beginning of the body.
        detail: String,
    },
    /// 400.
    #[error(
        "the admin center does not understand the request to {operation} (400): a value is not allowed, or the unpublished API differs from the profile (verb, field names or context headers). Response: {detail}"
    )]
    BadRequest {
        operation: &'static str,
        /// The beginning of the body.
        detail: String,
    },
    #[error(
        "the admin center responded to the request to {operation} with the unexpected status {status}. Response: {detail}"
    )]
    Unexpected {
        operation: &'static str,
        status: u16,
        /// The beginning of the body.
        detail: String,
    },
    /// JSON of another shape than the profile says.
    #[error("the admin center's response is not as expected: {detail}")]
    Shape {
        /// What is missing.
        detail: String,
    },
    /// The profile leaves the operation out.
    #[error("the support API profile has no operation {0:?}")]
    NotInProfile(&'static str),
    /// An id that would change the address.
    #[error("repository_id {0:?} cannot be used: it must not be empty, \".\" or \"..\"")]
    BadRepositoryId(String),
    /// A create found an existing repository.
    #[error("a repository with the id {repository_id:?} already exists")]
    AlreadyExists { repository_id: String },
    /// The response to a create was lost, and looking for the repository failed too.
    #[error(
        "it is not known whether the repository {repository_id:?} was created, since the response was lost and the list of repositories cannot be read"
    )]
    Uncertain {
        repository_id: String,
        /// How the response was lost.
        #[source]
        source: Box<SupportError>,
    },
    /// An update found no repository.
    #[error("there is no repository with the id {repository_id:?}")]
    RepositoryMissing { repository_id: String },
    /// Written with success, and not to be seen afterwards.
    #[error("the admin center accepted the repository {repository_id:?}, but does not list it")]
    NotVisible { repository_id: String },
}

impl SupportError {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Http { source, .. } => return source.remedy(),
            Self::SignIn(error) => return error.remedy(),
            Self::Uncertain { source, .. } => return format!("{} Then run it again.", source.remedy()),
            Self::Unauthorized { .. } | Self::ApplicationOnly { .. } => {
                "Sign in as a user: with a refresh_token of an application that has the delegated permission \
                 user_impersonation on \"Microsoft Office 365 Portal\" (00000006-0000-0ff1-ce00-000000000000) with admin \
                 consent. Check environment and admin_url."
            }
            Self::Forbidden { .. } => {
                "The user needs an administrator role in this tenant (Microsoft's page asks for Global Administrator; \
                 older versions of it for Service Support or Helpdesk Administrator)."
            }
            Self::PageMissing { .. } => {
                "If the API has moved, set support_api_profile. If it is gone, enter the values manually where the \
                 page still exists."
            }
            Self::PortalSignIn { .. } => "Enter the values manually in the admin center.",
            Self::NotJson { .. } => "Check admin_url and environment.",
            Self::Unavailable { .. } => {
                "Try again later. If the error persists, the retired service has probably been switched off."
            }
            Self::BadRequest { .. } => {
                "Correct the value, or adapt the assumed API with support_api_profile."
            }
            Self::Unexpected { .. } => {
                "If this is a success, add the status to \"expected\" in support_api_profile."
            }
            Self::Shape { .. } => {
                "If the API has changed, correct \"pointer\" and \"fields\" in support_api_profile."
            }
            Self::NotInProfile(_) => {
                "Add it to support_api_profile, or make the change manually in the admin center."
            }
            Self::BadRepositoryId(_) => "Choose another repository_id.",
            Self::AlreadyExists { .. } => "Choose another repository_id, or manage the existing repository.",
            Self::RepositoryMissing { .. } => "Run it again to create it.",
            Self::NotVisible { .. } => "Check the page in the admin center, then run it again.",
        }
        .to_owned()
    }

    /// The error for a response that is not a success.
    pub(super) fn from_answer(
        operation: &'static str,
        path: &str,
        answer: &Answer,
        hint: impl FnOnce() -> String,
    ) -> Self {
        let status = answer.status().as_u16();
        let detail = || match answer.excerpt() {
            empty if empty.is_empty() => "(empty)".to_owned(),
            text => text,
        };
        match status {
            401 => Self::Unauthorized { hint: hint() },
            403 => Self::Forbidden { operation },
            404 => Self::PageMissing {
                operation,
                path: path.to_owned(),
            },
            440 => Self::PortalSignIn { operation },
            400 => Self::BadRequest {
                operation,
                detail: detail(),
            },
            500..=599 => Self::Unavailable {
                operation,
                status,
                detail: detail(),
            },
            _ => Self::Unexpected {
                operation,
                status,
                detail: detail(),
            },
        }
    }

    /// Whether a write that ended so may have been carried out all the same.
    pub(super) fn leaves_open_whether_it_happened(&self) -> bool {
        match self {
            Self::Http { source, .. } => matches!(source, HttpError::Uncertain { .. }),
            // A success whose body cannot be read.
            Self::NotJson { status, .. } => (200..300).contains(status),
            _ => false,
        }
    }

    /// Whether the account may try again later without a change of the configuration.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Http { source, .. } => matches!(
                source,
                HttpError::Lost { .. } | HttpError::RateLimited { .. } | HttpError::DeadlineExceeded { .. }
            ),
            Self::SignIn(_)
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::ApplicationOnly { .. }
            | Self::PageMissing { .. }
            | Self::PortalSignIn { .. }
            | Self::NotJson { .. }
            | Self::BadRequest { .. }
            | Self::Unexpected { .. }
            | Self::Shape { .. }
            | Self::NotInProfile(_)
            | Self::BadRepositoryId(_)
            | Self::AlreadyExists { .. }
            | Self::Uncertain { .. }
            | Self::RepositoryMissing { .. }
            | Self::NotVisible { .. } => false,
        }
    }
}

/// Whether a 404 is about the object and not the page: its body is JSON.
pub(super) fn is_object_missing(answer: &Answer) -> bool {
    answer.status() == StatusCode::NOT_FOUND && answer.is_json()
}
