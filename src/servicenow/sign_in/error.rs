//! Why no token was obtained.

use std::path::PathBuf;

use crate::http::HttpError;
use crate::http::jwt_claims::JwtError;
use crate::http::token_cache::Failure;
use crate::servicenow::error::UnexpectedResponse;
use crate::servicenow::sign_in::method::SignInMethod;

/// Why no token was obtained. [`SignInError::remedy`] says what can be done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// No usable response from the token endpoint.
    #[error(transparent)]
    Http(HttpError),
    /// The token endpoint refused. It responds with `access_denied` to almost any cause.
    #[error("{host} issued no token for the grant {method}: {code}{}", description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused {
        /// The instance.
        host: String,
        /// How the account signs in.
        method: SignInMethod,
        /// `error` of the answer.
        code: String,
        /// `error_description` of the answer.
        description: Option<String>,
    },
    /// Something else than the token endpoint answered.
    #[error("{host} responded at the token endpoint with status {status}, but without a token: {what}")]
    NoTokenEndpoint {
        /// Who answered.
        host: String,
        /// The status.
        status: u16,
        /// What it seems to be.
        what: String,
    },
    /// A page that the instance, or what stands before it, shows in place of whatever was asked for.
    #[error("{host} responded, but not with a token: {response}")]
    Page {
        /// Who answered.
        host: String,
        response: UnexpectedResponse,
    },
    /// The token's file cannot be read.
    #[error("oidc_token_file_path: the file {} cannot be read: {why}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// Not a token.
    #[error("{argument} cannot be used: {problem}")]
    BadToken {
        /// The provider's attribute.
        argument: &'static str,
        /// What is wrong.
        problem: JwtError,
    },
    /// Past its end by this machine's clock.
    #[error("the token of {argument} expired {seconds_ago} s ago")]
    ExpiredToken {
        /// How the account signs in.
        method: SignInMethod,
        /// The provider's attribute.
        argument: &'static str,
        /// How long ago.
        seconds_ago: i64,
    },
    /// There is no token with this sign-in method.
    #[error("signing in with {method} has no access token")]
    NoToken {
        /// How the account signs in.
        method: SignInMethod,
    },
}

impl SignInError {
    /// What the user can do about it.
    pub fn remedy(&self) -> String {
        match self {
            SignInError::Http(error) => error.remedy(),
            SignInError::Refused { method, code, .. } => usual_causes(*method, code),
            SignInError::Page { response, .. } => response.remedy().to_owned(),
            SignInError::NoTokenEndpoint { .. } => {
                "Check instance_url, that the instance is awake and not under maintenance, and that plugin \
                 com.snc.platform.security.oauth is active."
                    .to_owned()
            }
            SignInError::TokenFile { .. } => {
                "Check the path, and that the job that writes the token has run.".to_owned()
            }
            SignInError::BadToken { .. } => {
                "Give the token as it was issued, whole and without quotes or line breaks.".to_owned()
            }
            SignInError::ExpiredToken { method, .. } => {
                let lasting = match method {
                    SignInMethod::OidcToken | SignInMethod::JwtBearer => {
                        "use oidc_token_file_path with a file that is renewed"
                    }
                    SignInMethod::AccessToken
                    | SignInMethod::Basic
                    | SignInMethod::ClientCredentials
                    | SignInMethod::Password
                    | SignInMethod::RefreshToken
                    | SignInMethod::ApiKey
                    | SignInMethod::ClientCertificate => {
                        "sign in with client_id and client_secret, which renews its tokens"
                    }
                };
                format!("Issue a new one, or {lasting}. If it is new, this machine's clock is ahead: set it.")
            }
            SignInError::NoToken { .. } => {
                "Sign in with OAuth: set client_id and client_secret, and a grant_type.".to_owned()
            }
        }
    }

    /// Whether the credentials are the problem.
    pub fn rejects_credentials(&self) -> bool {
        self.concerns() == Failure::Credentials
    }

    /// Whom the failure concerns: wrong credentials are not tried again, since that may lock the account.
    pub(super) fn concerns(&self) -> Failure {
        match self {
            SignInError::Http(
                HttpError::Cancelled | HttpError::DeadlineExceeded { .. } | HttpError::RateLimited { .. },
            ) => Failure::Caller,
            SignInError::Http(_)
            | SignInError::NoTokenEndpoint { .. }
            | SignInError::Page { .. }
            | SignInError::TokenFile { .. }
            | SignInError::ExpiredToken { .. } => Failure::Attempt,
            SignInError::Refused { .. } | SignInError::BadToken { .. } | SignInError::NoToken { .. } => {
                Failure::Credentials
            }
        }
    }
}

/// The instance answers `access_denied` or `server_error` to nearly everything; the reason is only in its system log.
/// The causes are those of the vendor's pages and of reports.
fn usual_causes(method: SignInMethod, code: &str) -> String {
    let own = match method {
        SignInMethod::ClientCredentials => {
            "the property glide.oauth.inbound.client.credential.grant_type.enabled does not exist or is not true; the \
             registry (oauth_entity) has no OAuth Application User, or that user is inactive or locked out; its \
             inbound grant type is not client_credential; client_id or client_secret is wrong"
        }
        SignInMethod::Password => {
            "user name or password is wrong; the user is inactive, locked out, must reset its password or has web \
             service access only (this grant needs an interactive user); the grant is switched off by \
             glide.oauth.inbound.ropc.grant_type.disabled; client_id or client_secret is wrong"
        }
        SignInMethod::RefreshToken => {
            "the refresh token has expired, was revoked or belongs to another client; the user is inactive; client_id \
             or client_secret is wrong"
        }
        SignInMethod::JwtBearer => {
            "the user has the role admin, which this grant refuses; the assertion's kid, issuer, audience or signature \
             does not fit the registry's verifier map; it has expired, or its jti was used before; client_id or \
             client_secret is wrong"
        }
        // These ask for no token of the instance.
        SignInMethod::Basic
        | SignInMethod::AccessToken
        | SignInMethod::ApiKey
        | SignInMethod::OidcToken
        | SignInMethod::ClientCertificate => "client_id or client_secret is wrong; the registry is inactive",
    };
    let common = "the user's flag \"Password needs reset\" is set; the registry lacks its default profile or scope \
                  (seen after a reset of a developer instance)";
    format!(
        "The instance returns \"{code}\" for almost any cause. Usual causes: {own}; {common}. The instance's system \
         log has the actual cause."
    )
}
