//! Proof by a token of another issuer (workload identity): no secret is kept anywhere.

use std::path::PathBuf;

use serde::Deserialize;

use crate::http::{Client, HttpError, Limits, Method, Origin, Repeat, Request, Secret, secret};

/// Where the other issuer's token comes from. It is fetched for each sign-in, because such tokens live for minutes.
#[derive(Clone, Debug)]
pub enum FederatedToken {
    /// The token itself: `oidc_token`, or a variable of HCP Terraform.
    Value(Secret),
    /// Kept up to date by the platform: `oidc_token_file_path`, Kubernetes, HCP Terraform.
    File(PathBuf),
    /// GitHub Actions: `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    GitHub {
        /// Address of the token service.
        request_url: String,
        /// Bearer token for that request.
        request_token: Secret,
    },
    /// Azure Pipelines: `SYSTEM_OIDCREQUESTURI` and `SYSTEM_ACCESSTOKEN`.
    AzureDevOps {
        /// Address of the token service.
        request_url: String,
        /// Bearer token for that request.
        request_token: Secret,
        /// The service connection whose identity is used.
        service_connection_id: String,
    },
}

/// Why there is no token to exchange.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FederatedError {
    /// The file is not there, or not ours to read.
    #[error("oidc_token_file_path: the file {} cannot be read ({why})", path.display())]
    Unreadable {
        path: PathBuf,
        /// The message of the operating system.
        why: String,
    },
    #[error("the OIDC token ({from}) is empty")]
    Empty { from: &'static str },
    /// The pipeline's token service did not answer.
    #[error("{service} issued no OIDC token")]
    NoAnswer {
        service: &'static str,
        #[source]
        source: Box<HttpError>,
    },
    /// The pipeline's token service refused.
    #[error("{service} refused to give an OIDC token (status {status})")]
    Refused {
        service: &'static str,
        status: u16,
        advice: &'static str,
    },
}

impl FederatedError {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreadable { .. } => "Check the path, and that the job that writes the token has run.".to_owned(),
            Self::Empty { .. } => "Check that the job that issues the token has run.".to_owned(),
            Self::NoAnswer { source, .. } => source.remedy(),
            Self::Refused { advice, .. } => (*advice).to_owned(),
        }
    }
}

impl FederatedToken {
    pub(super) async fn fetch(&self, http: &Client, limits: &Limits) -> Result<Secret, FederatedError> {
        let token = match self {
            Self::Value(token) if token.expose().trim().is_empty() => {
                return Err(FederatedError::Empty { from: "oidc_token" });
            }
            Self::Value(token) => token.clone(),
            Self::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| FederatedError::Unreadable {
                    path: path.clone(),
                    why: error.to_string(),
                })?;
                if text.trim().is_empty() {
                    return Err(FederatedError::Empty {
                        from: "oidc_token_file_path",
                    });
                }
                Secret::from(text.trim())
            }
            Self::GitHub {
                request_url,
                request_token,
            } => {
                let question = Question {
                    service: "GitHub Actions",
                    advice: "Give the job the permission \"id-token: write\".",
                    method: Method::GET,
                    extra: &[("audience", AUDIENCE)],
                };
                question.ask(request_url, request_token, http, limits).await?
            }
            Self::AzureDevOps {
                request_url,
                request_token,
                service_connection_id,
            } => {
                let question = Question {
                    service: "Azure Pipelines",
                    advice: "Map SYSTEM_ACCESSTOKEN into the step's environment, and check ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID.",
                    method: Method::POST,
                    extra: &[("api-version", "7.1"), ("serviceConnectionId", service_connection_id)],
                };
                question.ask(request_url, request_token, http, limits).await?
            }
        };
        secret::register(&token);
        Ok(token)
    }
}

struct Question<'a> {
    service: &'static str,
    advice: &'static str,
    method: Method,
    extra: &'a [(&'a str, &'a str)],
}

impl Question<'_> {
    async fn ask(
        self,
        request_url: &str,
        request_token: &Secret,
        http: &Client,
        limits: &Limits,
    ) -> Result<Secret, FederatedError> {
        let Self {
            service,
            advice,
            method,
            extra,
        } = self;
        let no_answer = |source| FederatedError::NoAnswer {
            service,
            source: Box::new(source),
        };
        let (origin, mut url) = Origin::locate(request_url).map_err(no_answer)?;
        url.query_pairs_mut().extend_pairs(extra);
        let mut request = Request::new(method.clone(), url, &origin, Repeat::Idempotent)
            .label("oidc token")
            .bearer(request_token)
            .map_err(no_answer)?;
        if method == Method::POST {
            request = request.json(&serde_json::json!({})).map_err(no_answer)?;
        }
        let answer = http.send(request, limits).await.map_err(no_answer)?;
        let refused = FederatedError::Refused {
            service,
            status: answer.status().as_u16(),
            advice,
        };
        if !answer.status().is_success() {
            return Err(refused);
        }
        let body: Body = answer.json().map_err(|_| refused)?;
        let token = body.value.or(body.oidc_token).unwrap_or_default();
        if token.is_empty() {
            Err(FederatedError::Empty { from: service })
        } else {
            Ok(Secret::from(token))
        }
    }
}

/// GitHub answers `value`, Azure Pipelines `oidcToken`.
#[derive(Deserialize)]
struct Body {
    value: Option<String>,
    #[serde(rename = "oidcToken")]
    oidc_token: Option<String>,
}

/// The audience that Entra expects in tokens it exchanges.
const AUDIENCE: &str = "api://AzureADTokenExchange";
