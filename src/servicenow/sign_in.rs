//! How the account signs in: nothing is sent before the first request needs it.
//!
//! A token is fetched by one caller at a time, kept, replaced a minute before its end, and once more when the instance
//! refuses it. The token endpoint answers `access_denied` to nearly every cause, so the error lists the usual ones.
//!
//! Facts: `basic-authentication`, `basic-needs-a-role`, `rest-needs-a-role`, `client-certificates-sign-in`,
//! `client-credentials-property`.

pub(super) mod error; // Why no token was obtained, and the usual causes.
mod lockout_guard;
pub(super) mod method; // The sign-in methods, by name.
mod oauth; // The token endpoint of the instance. // Credentials are tried by one request first.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

pub use error::SignInError;
use lockout_guard::Trial;
pub use method::SignInMethod;
use oauth::Grant;

use crate::http::header::HeaderName;
use crate::http::jwt_claims::{Claims, JwtError};
use crate::http::token_cache::{Token, TokenCache};
use crate::http::{Answer, Client, HttpError, Limits, Origin, Request, Secret, secret};
use crate::servicenow::error::ConfigError;
use crate::sync::lock;

/// A sign-in method for an instance. The names are those of the provider's attributes.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// User name and password with every request. Newer instances restrict it to certain roles.
    Basic { username: String, password: Secret },
    /// OAuth client credentials: the registry names the user. The best default; documented from Xanadu.
    ClientCredentials { client_id: String, client_secret: Secret },
    /// OAuth password grant; needs an interactive user.
    Password {
        client_id: String,
        client_secret: Secret,
        username: String,
        password: Secret,
    },
    /// OAuth refresh token. A newer one that the instance hands out is used from then on, and not kept.
    RefreshToken {
        client_id: String,
        client_secret: Secret,
        refresh_token: Secret,
    },
    /// OAuth JWT bearer. The instance refuses it for users with the role admin.
    JwtBearer {
        client_id: String,
        /// None for a public client.
        client_secret: Option<Secret>,
        /// What is exchanged for the token.
        assertion: TokenSource,
    },
    /// A ready access token.
    Bearer {
        /// `access_token`.
        token: Secret,
    },
    /// An API key, header `x-sn-apikey`.
    ApiKey {
        /// `api_key`.
        key: Secret,
    },
    /// A token of another issuer (Entra, HCP Terraform, a CI system) that an OIDC provider of the instance accepts.
    OidcToken { source: TokenSource },
    /// The TLS client certificate alone.
    ClientCertificate,
}

impl SignIn {
    pub fn method(&self) -> SignInMethod {
        match self {
            SignIn::Basic { .. } => SignInMethod::Basic,
            SignIn::ClientCredentials { .. } => SignInMethod::ClientCredentials,
            SignIn::Password { .. } => SignInMethod::Password,
            SignIn::RefreshToken { .. } => SignInMethod::RefreshToken,
            SignIn::JwtBearer { .. } => SignInMethod::JwtBearer,
            SignIn::Bearer { .. } => SignInMethod::AccessToken,
            SignIn::ApiKey { .. } => SignInMethod::ApiKey,
            SignIn::OidcToken { .. } => SignInMethod::OidcToken,
            SignIn::ClientCertificate => SignInMethod::ClientCertificate,
        }
    }

    /// Whether every request carries the same credentials, with nothing to replace them by when they are refused.
    fn goes_with_every_request(&self) -> bool {
        match self {
            SignIn::Basic { .. }
            | SignIn::Bearer { .. }
            | SignIn::ApiKey { .. }
            | SignIn::ClientCertificate
            | SignIn::OidcToken {
                source: TokenSource::Given(_),
            } => true,
            SignIn::ClientCredentials { .. }
            | SignIn::Password { .. }
            | SignIn::RefreshToken { .. }
            | SignIn::JwtBearer { .. }
            | SignIn::OidcToken {
                source: TokenSource::File(_),
            } => false,
        }
    }

    /// The user name, where the configuration tells.
    pub(super) fn user_name(&self) -> Option<&str> {
        match self {
            SignIn::Basic { username, .. } | SignIn::Password { username, .. } => Some(username),
            SignIn::ClientCredentials { .. }
            | SignIn::RefreshToken { .. }
            | SignIn::JwtBearer { .. }
            | SignIn::Bearer { .. }
            | SignIn::ApiKey { .. }
            | SignIn::OidcToken { .. }
            | SignIn::ClientCertificate => None,
        }
    }

    /// What is empty although it must not be.
    fn check(&self) -> Result<(), ConfigError> {
        let method = self.method();
        let needed: &[(&'static str, bool)] = match self {
            SignIn::Basic { username, password } => {
                &[("username", username.is_empty()), ("password", password.is_empty())]
            }
            SignIn::ClientCredentials {
                client_id,
                client_secret,
            } => &[
                ("client_id", client_id.is_empty()),
                ("client_secret", client_secret.is_empty()),
            ],
            SignIn::Password {
                client_id,
                client_secret,
                username,
                password,
            } => &[
                ("client_id", client_id.is_empty()),
                ("client_secret", client_secret.is_empty()),
                ("username", username.is_empty()),
                ("password", password.is_empty()),
            ],
            SignIn::RefreshToken {
                client_id,
                client_secret,
                refresh_token,
            } => &[
                ("client_id", client_id.is_empty()),
                ("client_secret", client_secret.is_empty()),
                ("refresh_token", refresh_token.is_empty()),
            ],
            SignIn::JwtBearer { client_id, .. } => &[("client_id", client_id.is_empty())],
            SignIn::Bearer { token } => &[("access_token", token.is_empty())],
            SignIn::ApiKey { key } => &[("api_key", key.is_empty())],
            SignIn::OidcToken { source } => &[("oidc_token", source.is_empty())],
            SignIn::ClientCertificate => &[],
        };
        if let Some((missing, _)) = needed.iter().find(|(_, is_empty)| *is_empty) {
            return Err(ConfigError::Missing { method, missing });
        }
        let (attribute, header) = match self {
            SignIn::Bearer { token } => ("access_token", token),
            SignIn::ApiKey { key } => ("api_key", key),
            SignIn::Basic { username, .. } if username.contains(':') => {
                return Err(ConfigError::Unusable {
                    attribute: "username",
                    problem: "Basic authentication ends the user name at the first colon, so it cannot contain one",
                    remedy: "Use an account without a colon in its name, or sign in with OAuth (client_id and client_secret).",
                });
            }
            SignIn::Basic { .. }
            | SignIn::ClientCredentials { .. }
            | SignIn::Password { .. }
            | SignIn::RefreshToken { .. }
            | SignIn::JwtBearer { .. }
            | SignIn::OidcToken { .. }
            | SignIn::ClientCertificate => return Ok(()),
        };
        if header.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(());
        }
        Err(ConfigError::Unusable {
            attribute,
            problem: "it contains characters that it cannot have (a line break, a blank, binary data)",
            remedy: "Copy it again, whole and on one line, without quotes or a label.",
        })
    }

    /// What must never be printed.
    fn secrets(&self) -> Vec<&Secret> {
        match self {
            SignIn::Basic { password, .. } => vec![password],
            SignIn::ClientCredentials { client_secret, .. } => vec![client_secret],
            SignIn::Password {
                client_secret,
                password,
                ..
            } => vec![client_secret, password],
            SignIn::RefreshToken {
                client_secret,
                refresh_token,
                ..
            } => vec![client_secret, refresh_token],
            SignIn::JwtBearer {
                client_secret,
                assertion,
                ..
            } => {
                let given = match assertion {
                    TokenSource::Given(token) => Some(token),
                    TokenSource::File(_) => None,
                };
                client_secret.iter().chain(given).collect()
            }
            SignIn::Bearer { token }
            | SignIn::OidcToken {
                source: TokenSource::Given(token),
            } => vec![token],
            SignIn::ApiKey { key } => vec![key],
            SignIn::OidcToken {
                source: TokenSource::File(_),
            }
            | SignIn::ClientCertificate => Vec::new(),
        }
    }
}

/// A token that somebody else issues.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// The token itself, from the configuration or injected by HCP Terraform.
    Given(Secret),
    /// A file that is read again when the instance refuses the token, since somebody renews it.
    File(PathBuf),
}

impl TokenSource {
    fn is_empty(&self) -> bool {
        match self {
            TokenSource::Given(token) => token.is_empty(),
            TokenSource::File(path) => path.as_os_str().is_empty(),
        }
    }

    fn argument(&self) -> &'static str {
        match self {
            TokenSource::Given(_) => "oidc_token",
            TokenSource::File(_) => "oidc_token_file_path",
        }
    }

    async fn read(&self) -> Result<Secret, SignInError> {
        let bad = |problem: JwtError| SignInError::BadToken {
            argument: self.argument(),
            problem,
        };
        let token = match self {
            TokenSource::Given(token) => token.clone(),
            TokenSource::File(path) => {
                let unreadable = |why: String| SignInError::TokenFile {
                    path: path.clone(),
                    why,
                };
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
                let bytes = read.map_err(|error| unreadable(error.to_string()))?;
                let bytes = zeroize::Zeroizing::new(bytes.map_err(|error| unreadable(error.to_string()))?);
                let text = std::str::from_utf8(&bytes).map_err(|_| bad(JwtError::Characters))?;
                Secret::from(text.trim())
            }
        };
        secret::register(&token);
        let claims = Claims::decode(token.expose()).map_err(bad)?;
        if let Some(ago) = claims.expired_since(Timestamp::now().as_second()) {
            return Err(SignInError::ExpiredToken {
                method: SignInMethod::OidcToken,
                argument: self.argument(),
                seconds_ago: ago,
            });
        }
        Ok(token)
    }
}

/// An access token for use elsewhere.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub token: Secret,
    /// When it ends, where that is known.
    pub expires_at: Option<Timestamp>,
}

/// The sign-in of one instance, shared by all calls.
pub(super) struct Credentials {
    sign_in: SignIn,
    tokens: TokenCache<SignInError>,
    /// For credentials that go with every request and cannot be replaced when they are refused.
    trial: Option<Trial>,
    /// What the last token answer said: its end, and the refresh token to use next.
    last: Mutex<Last>,
}

impl Credentials {
    pub(super) fn new(sign_in: SignIn, patience: Duration) -> Result<Credentials, ConfigError> {
        for known in sign_in.secrets() {
            secret::register(known);
        }
        sign_in.check()?;
        Ok(Credentials {
            trial: sign_in.goes_with_every_request().then(|| Trial::new(patience)),
            sign_in,
            tokens: TokenCache::new(SignInError::concerns),
            last: Mutex::default(),
        })
    }

    pub(super) fn method(&self) -> SignInMethod {
        self.sign_in.method()
    }

    pub(super) fn user_name(&self) -> Option<&str> {
        self.sign_in.user_name()
    }

    /// Signs a request. With a token, tells which, so that it can be given back when the instance refuses it.
    pub(super) async fn sign(
        &self,
        request: Request,
        client: &Client,
        origin: &Origin,
        limits: &Limits,
    ) -> Result<(Request, Option<Token>), SignInError> {
        match &self.sign_in {
            SignIn::Basic { username, password } => Ok((request.basic(username, password)?, None)),
            SignIn::ApiKey { key } => Ok((
                request.secret_header(HeaderName::from_static("x-sn-apikey"), key)?,
                None,
            )),
            SignIn::ClientCertificate => Ok((request, None)),
            SignIn::Bearer { token } => {
                // The instance's own tokens are opaque; one of another issuer tells its end.
                let end = Claims::decode(token.expose())
                    .ok()
                    .and_then(|claims| claims.expired_since(Timestamp::now().as_second()));
                match end {
                    Some(seconds_ago) => Err(SignInError::ExpiredToken {
                        method: SignInMethod::AccessToken,
                        argument: "access_token",
                        seconds_ago,
                    }),
                    None => Ok((request.bearer(token)?, None)),
                }
            }
            SignIn::ClientCredentials { .. }
            | SignIn::Password { .. }
            | SignIn::RefreshToken { .. }
            | SignIn::JwtBearer { .. }
            | SignIn::OidcToken { .. } => {
                let token = self.token(client, origin, limits).await?;
                Ok((request.bearer(&token.value)?, Some(token)))
            }
        }
    }

    /// Sends a signed request. Credentials that were refused once are not sent again: that could lock the account.
    pub(super) async fn send(&self, request: Request, client: &Client, limits: &Limits) -> Result<Answer, HttpError> {
        let sent = client.send(request, limits);
        match &self.trial {
            Some(trial) => trial.send(limits, sent).await,
            None => sent.await,
        }
    }

    /// The instance refused this token: the next call fetches another.
    pub(super) async fn refused(&self, token: &Token, limits: &Limits) -> Result<(), SignInError> {
        self.tokens.invalidate(token, limits).await
    }

    /// Whether a refused token can be replaced by another one.
    pub(super) fn can_renew(&self) -> bool {
        !matches!(
            &self.sign_in,
            SignIn::OidcToken {
                source: TokenSource::Given(_)
            }
        )
    }

    /// The current access token, for use outside of this client.
    pub(super) async fn access_token(
        &self,
        client: &Client,
        origin: &Origin,
        limits: &Limits,
    ) -> Result<AccessToken, SignInError> {
        match &self.sign_in {
            SignIn::Basic { .. } | SignIn::ApiKey { .. } | SignIn::ClientCertificate => {
                Err(SignInError::NoToken { method: self.method() })
            }
            SignIn::Bearer { token } => Ok(AccessToken {
                token: token.clone(),
                expires_at: expiry_of(token),
            }),
            SignIn::ClientCredentials { .. }
            | SignIn::Password { .. }
            | SignIn::RefreshToken { .. }
            | SignIn::JwtBearer { .. }
            | SignIn::OidcToken { .. } => {
                let token = self.token(client, origin, limits).await?.value;
                let expires_at = self.last().expires_at.or_else(|| expiry_of(&token));
                Ok(AccessToken { token, expires_at })
            }
        }
    }

    /// Ends a token before its time. The instance hands out the same token to everyone who signs in the same way until
    /// it expires, so this ends the sessions of others too.
    pub(super) async fn revoke(
        &self,
        token: &Secret,
        client: &Client,
        origin: &Origin,
        limits: &Limits,
    ) -> Result<(), SignInError> {
        oauth::revoke(token, client, origin, limits).await
    }

    async fn token(&self, client: &Client, origin: &Origin, limits: &Limits) -> Result<Token, SignInError> {
        self.tokens.token(limits, || self.fetch(client, origin, limits)).await
    }

    async fn fetch(&self, client: &Client, origin: &Origin, limits: &Limits) -> Result<Token, SignInError> {
        let grant = match &self.sign_in {
            SignIn::OidcToken { source } => return Ok(Token::new(source.read().await?, None)),
            SignIn::ClientCredentials {
                client_id,
                client_secret,
            } => Grant::new("client_credentials", client_id, Some(client_secret)),
            SignIn::Password {
                client_id,
                client_secret,
                username,
                password,
            } => Grant::new("password", client_id, Some(client_secret))
                .with("username", Secret::from(username.clone()))
                .with("password", password.clone()),
            SignIn::RefreshToken {
                client_id,
                client_secret,
                refresh_token,
            } => {
                let newest = self
                    .last()
                    .refresh_token
                    .clone()
                    .unwrap_or_else(|| refresh_token.clone());
                Grant::new("refresh_token", client_id, Some(client_secret)).with("refresh_token", newest)
            }
            SignIn::JwtBearer {
                client_id,
                client_secret,
                assertion,
            } => {
                let assertion = assertion.read().await?;
                Grant::new(
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                    client_id,
                    client_secret.as_ref(),
                )
                .with("assertion", assertion)
            }
            SignIn::Basic { .. } | SignIn::ApiKey { .. } | SignIn::ClientCertificate | SignIn::Bearer { .. } => {
                return Err(SignInError::NoToken { method: self.method() });
            }
        };
        let granted = oauth::fetch(&grant, self.method(), client, origin, limits).await?;
        let lifetime = granted.expires_in;
        {
            let mut last = self.last();
            last.expires_at = lifetime.and_then(|lifetime| Timestamp::now().checked_add(lifetime).ok());
            if granted.refresh_token.is_some() {
                last.refresh_token = granted.refresh_token;
            }
        }
        // The instance returns the same token until it ends. One that is nearly over would never count as fresh and be
        // asked for before each call: it is used until it is refused.
        Ok(Token::new(
            granted.access_token,
            lifetime.filter(|lifetime| *lifetime > SHORT_LIFE),
        ))
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        lock(&self.last)
    }
}

#[derive(Default)]
struct Last {
    expires_at: Option<Timestamp>,
    refresh_token: Option<Secret>,
}

impl From<HttpError> for SignInError {
    fn from(error: HttpError) -> SignInError {
        SignInError::Http(error)
    }
}

/// What a token says about its own end, if it is a JWT at all.
fn expiry_of(token: &Secret) -> Option<Timestamp> {
    let seconds = Claims::decode(token.expose()).ok()?.seconds("exp")?;
    Timestamp::from_second(seconds).ok()
}

/// Twice the margin at which a kept token is replaced.
const SHORT_LIFE: Duration = Duration::from_secs(120);
