//! The sign-in methods, by name.

use std::fmt;

/// The sign-in methods, without their secrets: for messages, and for decisions that differ by the method.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInMethod {
    Basic,
    ClientCredentials,
    Password,
    RefreshToken,
    JwtBearer,
    /// [`super::SignIn::Bearer`].
    AccessToken,
    ApiKey,
    OidcToken,
    ClientCertificate,
}

impl SignInMethod {
    /// Every method, the preferred one first.
    pub fn all() -> impl Iterator<Item = SignInMethod> {
        std::iter::successors(Some(SignInMethod::RefreshToken), |method| method.next())
    }

    fn next(self) -> Option<SignInMethod> {
        match self {
            SignInMethod::RefreshToken => Some(SignInMethod::ClientCredentials),
            SignInMethod::ClientCredentials => Some(SignInMethod::Password),
            SignInMethod::Password => Some(SignInMethod::JwtBearer),
            SignInMethod::JwtBearer => Some(SignInMethod::ApiKey),
            SignInMethod::ApiKey => Some(SignInMethod::AccessToken),
            SignInMethod::AccessToken => Some(SignInMethod::Basic),
            SignInMethod::Basic => Some(SignInMethod::OidcToken),
            SignInMethod::OidcToken => Some(SignInMethod::ClientCertificate),
            SignInMethod::ClientCertificate => None,
        }
    }

    /// The name that messages and logs use.
    pub fn name(self) -> &'static str {
        match self {
            SignInMethod::Basic => "basic",
            SignInMethod::ClientCredentials => "client_credentials",
            SignInMethod::Password => "password",
            SignInMethod::RefreshToken => "refresh_token",
            SignInMethod::JwtBearer => "jwt_bearer",
            SignInMethod::AccessToken => "access_token",
            SignInMethod::ApiKey => "api_key",
            SignInMethod::OidcToken => "oidc_token",
            SignInMethod::ClientCertificate => "client_certificate",
        }
    }

    /// Whether requests carry a token that has a begin and an end, so that the clocks of both sides count.
    pub(in crate::servicenow) fn has_token(self) -> bool {
        match self {
            SignInMethod::Basic | SignInMethod::ApiKey | SignInMethod::ClientCertificate => false,
            SignInMethod::ClientCredentials
            | SignInMethod::Password
            | SignInMethod::RefreshToken
            | SignInMethod::JwtBearer
            | SignInMethod::AccessToken
            | SignInMethod::OidcToken => true,
        }
    }
}

impl fmt::Display for SignInMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
