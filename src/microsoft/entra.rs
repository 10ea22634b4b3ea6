//! Entra sign-in: a token for the admin center, and one-off tokens for checks.
//!
//! Device code and user password are deliberately absent: automation cannot enter the code, and multi-factor
//! authentication rejects the password.
//!
//! Facts: `token-version-follows-the-audience`, `claims-of-application-tokens`, `new-secrets-take-seconds`.

pub mod addresses;
mod assertion;
mod error_codes;
mod federated;
mod sign_in_method;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::http::jwt_claims::{Claims, JwtError};
use crate::http::token_cache::{Failure, Token, TokenCache};
use crate::http::{Client, HttpError, Limits, Method, Origin, Repeat, Request, Secret, StatusCode, secret};

pub use assertion::CertificateError;
pub use error_codes::Refusal;
pub use federated::{FederatedError, FederatedToken};
pub use sign_in_method::{ChoiceError, Given, Pipeline};

/// How the provider signs in to Entra.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// A ready token for the admin center. Used as it is until it ends.
    AccessToken(Secret),
    /// A user's refresh token and the application it was issued to: the way that works unattended.
    RefreshToken {
        /// The application (client) id.
        client_id: String,
        token: Secret,
        /// The application's proof; [`Proof::None`] for a public client.
        proof: Proof,
    },
    /// As the application itself. The admin center LIKELY refuses such tokens.
    Application {
        /// The application (client) id.
        client_id: String,
        proof: Proof,
    },
}

/// How an application proves to be itself.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A public client.
    None,
    Secret(Secret),
    /// An assertion signed by the certificate of this PEM file.
    Certificate(PathBuf),
    /// A token of an issuer that the application trusts.
    Federated(FederatedToken),
}

/// A resource as a token endpoint wants to hear it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// `/oauth2/token` with `resource`.
    V1,
    /// `/oauth2/v2.0/token` with `scope={resource}/.default`.
    V2,
}

/// How long a refusal is put down to replication.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// A refusal is final.
    None,
    /// The application or its secret was created a moment ago: a minute of further attempts.
    JustCreated,
}

/// Why there is no token; [`EntraError::remedy`] says what can be done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EntraError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("Entra rejected the sign-in: {0}")]
    Refused(Box<Refusal>),
    /// Something other than Entra responded: a proxy, a wrong login_url.
    #[error("{host} did not respond like an Entra token endpoint (status {status}: {what})")]
    NotEntra {
        host: String,
        status: u16,
        /// What came instead.
        what: String,
    },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Federated(#[from] FederatedError),
    /// The configured access token is not valid.
    #[error("access_token: {0}")]
    BadToken(JwtError),
    /// The configured access token has expired.
    #[error("the access_token expired {ago} s ago")]
    Expired {
        /// Seconds.
        ago: i64,
    },
    /// A tenant that cannot stand in an address.
    #[error("the tenant {0:?} is neither a GUID nor a domain name")]
    BadTenant(String),
}

impl EntraError {
    /// Whether Entra rejected the credentials, which are then not tried again by this process.
    #[must_use]
    pub fn rejects_credentials(&self) -> bool {
        matches!(self, Self::Refused(_)) && judge(self) == Failure::Credentials
    }

    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Http(error) => error.remedy(),
            Self::Refused(refusal) => refusal.remedy(),
            Self::NotEntra { .. } => "Check login_url, environment and tenant_id.".to_owned(),
            Self::Certificate(error) => error.remedy(),
            Self::Federated(error) => error.remedy(),
            Self::BadToken(_) => "Use the token as it was issued, whole and without quotes or line breaks.".to_owned(),
            Self::Expired { .. } => {
                "Get a new one, or use refresh_token, which lasts. If it is new, this machine's clock is ahead: \
                 correct it."
                    .to_owned()
            }
            Self::BadTenant(_) => "Use the tenant's GUID or a verified domain.".to_owned(),
        }
    }
}

/// The sign-in of one identity, on first use, shared by all calls.
pub struct Entra {
    http: Arc<Client>,
    authority: Authority,
    sign_in: SignIn,
    resource: String,
    scope: String,
    /// The newest refresh token: each use may bring another.
    refresh_token: Mutex<Option<Secret>>,
    cache: TokenCache<EntraError>,
}

/// One tenant at one authority host.
#[derive(Clone, Debug)]
pub struct Authority {
    login: Origin,
    tenant: String,
}

impl Authority {
    /// The authority of `tenant`: a GUID or a domain name.
    ///
    /// # Errors
    /// [`EntraError::BadTenant`].
    pub fn new(login: Origin, tenant: &str) -> Result<Self, EntraError> {
        let tenant = tenant.trim();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if tenant.is_empty() || tenant.starts_with('.') || !tenant.chars().all(fits) {
            return Err(EntraError::BadTenant(tenant.to_owned()));
        }
        Ok(Self {
            login,
            tenant: tenant.to_owned(),
        })
    }

    fn request(&self, endpoint: Endpoint) -> Result<Request, EntraError> {
        let url = self.login.join(&addresses::token_path(&self.tenant, endpoint))?;
        Ok(Request::new(Method::POST, url, &self.login, Repeat::Idempotent)
            .label("token")
            .max_answer(MAX_ANSWER))
    }
}

impl Entra {
    /// A sign-in that has not happened yet, for tokens of `resource` (`https://admin.microsoft.com`).
    #[must_use]
    pub fn new(http: Arc<Client>, authority: Authority, sign_in: SignIn, resource: &str) -> Self {
        for known in sign_in.secrets() {
            secret::register(known);
        }
        let refresh_token = match &sign_in {
            SignIn::RefreshToken { token, .. } => Some(token.clone()),
            SignIn::AccessToken(_) | SignIn::Application { .. } => None,
        };
        let cache = TokenCache::new(judge);
        Self {
            http,
            authority,
            sign_in,
            resource: resource.to_owned(),
            scope: scope(resource),
            refresh_token: Mutex::new(refresh_token),
            cache,
        }
    }

    /// Requests `scope` literally instead of everything that has consent for the resource.
    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.scope);
        self
    }

    /// The current token: fetched when first needed, by one call at a time, renewed a minute before its end.
    ///
    /// # Errors
    /// [`EntraError`]. A refusal is remembered: the same credentials are not tried again by this process.
    pub async fn token(&self, limits: &Limits) -> Result<Token, EntraError> {
        self.cache.token(limits, || self.fetch(limits)).await
    }

    /// Whether another token can be had after this one was refused.
    #[must_use]
    pub fn can_renew(&self) -> bool {
        !matches!(self.sign_in, SignIn::AccessToken(_))
    }

    /// Whether tokens are the application's own, without a user: the likely cause of refusals by the admin center.
    #[must_use]
    pub fn is_app_only(&self) -> bool {
        matches!(self.sign_in, SignIn::Application { .. })
    }

    /// The resource that tokens are for.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Forgets a token that was refused, so that the next call signs in again.
    ///
    /// # Errors
    /// What `limits` says.
    pub async fn invalidate(&self, refused: &Token, limits: &Limits) -> Result<(), EntraError> {
        self.cache.invalidate(refused, limits).await
    }

    async fn fetch(&self, limits: &Limits) -> Result<Token, EntraError> {
        let (client_id, proof) = match &self.sign_in {
            SignIn::AccessToken(token) => return given(token),
            SignIn::RefreshToken { client_id, proof, .. } | SignIn::Application { client_id, proof } => {
                (client_id, proof)
            }
        };
        let request = self.authority.request(Endpoint::V2)?;
        let mut fields = vec![("client_id", client_id.as_str()), ("scope", self.scope.as_str())];
        let current = self.refresh_token.lock().await.clone();
        match &current {
            Some(token) => fields.extend([("grant_type", "refresh_token"), ("refresh_token", token.expose())]),
            None => fields.push(("grant_type", "client_credentials")),
        }
        let assertion = self.assertion(client_id, proof, &request, limits).await?;
        match (proof, &assertion) {
            (Proof::Secret(secret), _) => fields.push(("client_secret", secret.expose())),
            (_, Some(assertion)) => fields.extend([
                ("client_assertion_type", ASSERTION),
                ("client_assertion", assertion.expose()),
            ]),
            (Proof::None | Proof::Certificate(_) | Proof::Federated(_), None) => {}
        }
        let grant = exchange(&self.http, request.form(&fields), Patience::None, limits).await?;
        if let (Some(old), Some(new)) = (current, grant.refresh_token)
            && old != new
        {
            secret::register(&new);
            tracing::warn!(
                "Entra issued a new refresh token; it is used for the rest of this run, but cannot be stored: renew the configured one before it expires"
            );
            *self.refresh_token.lock().await = Some(new);
        }
        Ok(grant.token)
    }

    async fn assertion(
        &self,
        client_id: &str,
        proof: &Proof,
        request: &Request,
        limits: &Limits,
    ) -> Result<Option<Secret>, EntraError> {
        Ok(match proof {
            Proof::None | Proof::Secret(_) => None,
            Proof::Certificate(path) => {
                let now = jiff::Timestamp::now().as_second();
                let assertion = assertion::sign(path, client_id, request.url().as_str(), now)?;
                secret::register(&assertion);
                Some(assertion)
            }
            Proof::Federated(token) => Some(token.fetch(&self.http, limits).await?),
        })
    }
}

impl std::fmt::Debug for Entra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entra")
            .field("authority", &self.authority)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl SignIn {
    fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::AccessToken(token) => vec![token],
            Self::RefreshToken { token, proof, .. } => [vec![token], proof.secrets()].concat(),
            Self::Application { proof, .. } => proof.secrets(),
        }
    }
}

impl Proof {
    fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::Secret(secret) => vec![secret],
            Self::Federated(FederatedToken::Value(token)) => vec![token],
            Self::Federated(
                FederatedToken::GitHub { request_token, .. } | FederatedToken::AzureDevOps { request_token, .. },
            ) => vec![request_token],
            Self::None | Self::Certificate(_) | Self::Federated(FederatedToken::File(_)) => Vec::new(),
        }
    }
}

/// Signs in once as an application with its secret, for `resource` (an application id, or its URI).
///
/// # Errors
/// [`EntraError`]; with [`Patience::JustCreated`] refusals that replication explains are repeated for a minute.
pub async fn client_credentials(
    http: &Client,
    authority: &Authority,
    credentials: (&str, &Secret),
    resource: &str,
    endpoint: Endpoint,
    patience: Patience,
    limits: &Limits,
) -> Result<Token, EntraError> {
    let (client_id, client_secret) = credentials;
    secret::register(client_secret);
    let scope = scope(resource);
    let target = match endpoint {
        Endpoint::V1 => ("resource", resource),
        Endpoint::V2 => ("scope", scope.as_str()),
    };
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", client_secret.expose()),
        target,
    ];
    let request = authority.request(endpoint)?.form(&fields);
    Ok(exchange(http, request, patience, limits).await?.token)
}

struct Grant {
    token: Token,
    refresh_token: Option<Secret>,
}

/// Sends a token request; the transient refusals are repeated like lost connections.
async fn exchange(http: &Client, request: Request, patience: Patience, limits: &Limits) -> Result<Grant, EntraError> {
    let give_up = Instant::now() + REPLICATION_TIME;
    let mut pause = Duration::from_millis(500);
    let mut transient_left = 3;
    loop {
        let answer = http.send(request.clone(), limits).await?;
        let not_entra = |what: String| EntraError::NotEntra {
            host: answer.host().to_owned(),
            status: answer.status().as_u16(),
            what,
        };
        if answer.status() == StatusCode::OK {
            let body: Body = answer.json().map_err(|error| not_entra(error.to_string()))?;
            let lifetime = lifetime(body.expires_in.as_ref());
            let token = Token::new(Secret::from(body.access_token), lifetime);
            return Ok(Grant {
                token,
                refresh_token: body.refresh_token.map(Secret::from),
            });
        }
        let Some(refusal) = Refusal::parse(answer.body()) else {
            let what = answer.html_title().unwrap_or_else(|| answer.excerpt());
            return Err(not_entra(if what.is_empty() {
                "an empty response".to_owned()
            } else {
                what
            }));
        };
        let replicating =
            patience == Patience::JustCreated && refusal.may_be_replication() && Instant::now() + pause < give_up;
        let transient = refusal.is_transient() && transient_left > 0;
        if !replicating && !transient {
            return Err(EntraError::Refused(Box::new(refusal)));
        }
        if transient {
            transient_left -= 1;
        }
        tracing::debug!(
            code = refusal.code,
            pause_ms = pause.as_millis(),
            "the sign-in is tried again"
        );
        limits.sleep(pause).await?;
        pause = (pause * 2).min(Duration::from_secs(8));
    }
}

/// Checks a configured token: an error here is clearer than a later 401.
fn given(token: &Secret) -> Result<Token, EntraError> {
    match Claims::decode(token.expose().trim()) {
        Ok(claims) => match claims.expired_since(jiff::Timestamp::now().as_second()) {
            Some(ago) => Err(EntraError::Expired { ago }),
            None => Ok(Token::new(Secret::from(token.expose().trim()), None)),
        },
        // Tokens are opaque to clients by the letter of the standard; what begins like a JSON web token must be one.
        Err(JwtError::Parts { .. } | JwtError::Encoding | JwtError::Json)
            if !token.expose().trim().starts_with("eyJ") =>
        {
            Ok(Token::new(Secret::from(token.expose().trim()), None))
        }
        Err(error) => Err(EntraError::BadToken(error)),
    }
}

fn scope(resource: &str) -> String {
    if resource.ends_with("/.default") {
        resource.to_owned()
    } else {
        format!("{}/.default", resource.trim_end_matches('/'))
    }
}

fn judge(error: &EntraError) -> Failure {
    match error {
        EntraError::Http(HttpError::Cancelled | HttpError::DeadlineExceeded { .. } | HttpError::RateLimited { .. }) => {
            Failure::Caller
        }
        EntraError::Refused(refusal) if refusal.is_transient() || refusal.may_be_replication() => Failure::Attempt,
        EntraError::Refused(_)
        | EntraError::Certificate(_)
        | EntraError::BadToken(_)
        | EntraError::Expired { .. }
        | EntraError::BadTenant(_) => Failure::Credentials,
        EntraError::Http(_) | EntraError::NotEntra { .. } | EntraError::Federated(_) => Failure::Attempt,
    }
}

#[derive(Deserialize)]
struct Body {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<Value>,
}

/// `expires_in`: the v1 endpoint answers text, the v2 endpoint a number.
fn lifetime(value: Option<&Value>) -> Option<Duration> {
    let value = value?;
    let seconds = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
    // A token without a lifetime would be fetched again for each call.
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds to a minute is what new applications and secrets take to reach all of Entra's replicas.
const REPLICATION_TIME: Duration = Duration::from_secs(60);
const MAX_ANSWER: usize = 1 << 20;
