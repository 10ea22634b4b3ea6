//! The choice of a sign-in method from configuration and environment.

use std::path::PathBuf;

use crate::http::Secret;
use crate::microsoft::entra::{FederatedToken, Proof, SignIn};

/// The sign-in arguments of one source (the configuration, or the environment). Empty text counts as absent.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub client_id: Option<String>,
    pub client_secret: Option<Secret>,
    pub client_certificate_path: Option<PathBuf>,
    pub use_oidc: Option<bool>,
    pub oidc_token: Option<Secret>,
    pub oidc_token_file_path: Option<PathBuf>,
    /// The pipeline's token service; environment only.
    pub pipeline: Option<Pipeline>,
    pub refresh_token: Option<Secret>,
    pub access_token: Option<Secret>,
}

/// A pipeline's token service: `ACTIONS_ID_TOKEN_REQUEST_URL` and `_TOKEN`, or `SYSTEM_OIDCREQUESTURI` and
/// `SYSTEM_ACCESSTOKEN` (or `ARM_OIDC_REQUEST_URL` and `_TOKEN` for either).
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Address of the token service.
    pub request_url: String,
    /// Bearer token for that request.
    pub request_token: Secret,
    /// Set for Azure Pipelines: `ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID`,
    /// `ARM_OIDC_AZURE_SERVICE_CONNECTION_ID`.
    pub service_connection_id: Option<String>,
}

/// Why no single method can be chosen; [`ChoiceError::remedy`] says what can be done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChoiceError {
    /// No method is configured.
    #[error("no sign-in method for Microsoft 365 is configured")]
    Nothing,
    /// More than one, all in the configuration.
    #[error("{} sign-in methods for Microsoft 365 are configured: {}", .0.len(), .0.join(" and "))]
    Several(Vec<&'static str>),
    /// A method without its application.
    #[error("{0} needs client_id, the application's id")]
    NoClientId(&'static str),
    /// `use_oidc` without a token.
    #[error("use_oidc is set, but there is no token")]
    NoOidcToken,
}

impl ChoiceError {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Nothing => {
                "Set client_id and refresh_token, or access_token, or client_id with client_secret, \
                 client_certificate_path or use_oidc."
            }
            Self::Several(_) => "Keep one of them.",
            Self::NoClientId(_) => "Set client_id.",
            Self::NoOidcToken => {
                "Set oidc_token or oidc_token_file_path, or run in a pipeline that offers one (GitHub Actions with \
                 \"id-token: write\", Azure Pipelines, HCP)."
            }
        }
    }
}

impl Given {
    /// The sign-in that the configuration asks for, completed by the environment; or, if it asks for none, the first
    /// of the environment's: access token, refresh token, certificate, secret, OIDC.
    ///
    /// # Errors
    /// [`ChoiceError`].
    pub fn choose(&self, environment: &Self) -> Result<SignIn, ChoiceError> {
        let asked = self.ways();
        if asked.len() > 1 {
            return Err(ChoiceError::Several(asked.into_iter().map(Way::name).collect()));
        }
        let way = asked
            .into_iter()
            .next()
            .or_else(|| environment.ways().into_iter().next())
            .ok_or(ChoiceError::Nothing)?;
        let completed = self.completed_by(environment);
        // A refresh token needs its application's proof. A CI system's token is that of the application for which OIDC was
        // asked for, and no other.
        let proves_by_oidc = match self.use_oidc {
            Some(asked) => asked,
            None => environment.use_oidc == Some(true) && self.is_application_of(environment),
        };
        completed.sign_in(way, proves_by_oidc)
    }

    /// The methods whose own credential this source has.
    fn ways(&self) -> Vec<Way> {
        let mut ways = Vec::new();
        if filled(self.access_token.as_ref()).is_some() {
            ways.push(Way::AccessToken);
        }
        let certificate = self.client_certificate_path.is_some();
        let secret = filled(self.client_secret.as_ref()).is_some();
        if filled(self.refresh_token.as_ref()).is_some() {
            // The application's proof belongs to the refresh token.
            ways.push(Way::RefreshToken);
            if certificate && secret {
                ways.extend([Way::Certificate, Way::Secret]);
            }
            return ways;
        }
        if certificate {
            ways.push(Way::Certificate);
        }
        if secret {
            ways.push(Way::Secret);
        }
        let oidc_token = filled(self.oidc_token.as_ref()).is_some() || self.oidc_token_file_path.is_some();
        if self.use_oidc.unwrap_or(oidc_token) {
            ways.push(Way::Oidc);
        }
        ways
    }

    /// A credential in the environment belongs to the application in the environment.
    fn is_application_of(&self, environment: &Self) -> bool {
        match (&self.client_id, &environment.client_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, _) | (_, None) => true,
        }
    }

    fn completed_by(&self, environment: &Self) -> Self {
        let theirs = if self.is_application_of(environment) {
            environment.clone()
        } else {
            Self {
                client_secret: None,
                client_certificate_path: None,
                refresh_token: None,
                ..environment.clone()
            }
        };
        Self {
            client_id: self.client_id.clone().filter(|id| !id.is_empty()).or(theirs.client_id),
            client_secret: filled(self.client_secret.as_ref()).or(theirs.client_secret),
            client_certificate_path: self.client_certificate_path.clone().or(theirs.client_certificate_path),
            use_oidc: self.use_oidc.or(theirs.use_oidc),
            oidc_token: filled(self.oidc_token.as_ref()).or_else(|| {
                if self.oidc_token_file_path.is_some() {
                    None
                } else {
                    theirs.oidc_token
                }
            }),
            oidc_token_file_path: self.oidc_token_file_path.clone().or(theirs.oidc_token_file_path),
            pipeline: self.pipeline.clone().or(theirs.pipeline),
            refresh_token: filled(self.refresh_token.as_ref()).or(theirs.refresh_token),
            access_token: filled(self.access_token.as_ref()).or(theirs.access_token),
        }
    }

    fn sign_in(self, way: Way, proves_by_oidc: bool) -> Result<SignIn, ChoiceError> {
        let client_id = self
            .client_id
            .filter(|id| !id.is_empty())
            .ok_or(ChoiceError::NoClientId(way.name()));
        let certificate = self.client_certificate_path.map(Proof::Certificate);
        let secret = filled(self.client_secret.as_ref()).map(Proof::Secret);
        let federated = match (
            filled(self.oidc_token.as_ref()),
            self.oidc_token_file_path,
            self.pipeline,
        ) {
            (Some(token), _, _) => Some(FederatedToken::Value(token)),
            (None, Some(path), _) => Some(FederatedToken::File(path)),
            (None, None, pipeline) => pipeline.map(FederatedToken::from),
        };
        Ok(match way {
            Way::AccessToken => SignIn::AccessToken(self.access_token.ok_or(ChoiceError::Nothing)?),
            Way::RefreshToken => SignIn::RefreshToken {
                client_id: client_id?,
                token: self.refresh_token.ok_or(ChoiceError::Nothing)?,
                proof: match secret.or(certificate) {
                    Some(proof) => proof,
                    None if proves_by_oidc => Proof::Federated(federated.ok_or(ChoiceError::NoOidcToken)?),
                    None => Proof::None,
                },
            },
            Way::Certificate => SignIn::Application {
                client_id: client_id?,
                proof: certificate.ok_or(ChoiceError::Nothing)?,
            },
            Way::Secret => SignIn::Application {
                client_id: client_id?,
                proof: secret.ok_or(ChoiceError::Nothing)?,
            },
            Way::Oidc => SignIn::Application {
                client_id: client_id?,
                proof: Proof::Federated(federated.ok_or(ChoiceError::NoOidcToken)?),
            },
        })
    }
}

impl From<Pipeline> for FederatedToken {
    fn from(pipeline: Pipeline) -> Self {
        let Pipeline {
            request_url,
            request_token,
            service_connection_id,
        } = pipeline;
        match service_connection_id {
            None => Self::GitHub {
                request_url,
                request_token,
            },
            Some(service_connection_id) => Self::AzureDevOps {
                request_url,
                request_token,
                service_connection_id,
            },
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    AccessToken,
    RefreshToken,
    Certificate,
    Secret,
    Oidc,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
            Self::Certificate => "client_certificate_path",
            Self::Secret => "client_secret",
            Self::Oidc => "use_oidc",
        }
    }
}

fn filled(secret: Option<&Secret>) -> Option<Secret> {
    secret.filter(|secret| !secret.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Option<Secret> {
        Some(Secret::from(text))
    }

    fn id() -> Option<String> {
        Some("app".to_owned())
    }

    #[test]
    fn the_configuration_wins_and_the_environment_completes_it() {
        let configuration = Given {
            refresh_token: secret("refresh"),
            ..Given::default()
        };
        let environment = Given {
            client_id: id(),
            client_secret: secret("hidden"),
            access_token: secret("token"),
            ..Given::default()
        };

        let chosen = configuration.choose(&environment).unwrap();

        assert!(
            matches!(chosen, SignIn::RefreshToken { client_id, proof: Proof::Secret(_), .. } if client_id == "app")
        );
    }

    #[test]
    fn a_secret_of_another_application_is_not_borrowed() {
        let configuration = Given {
            client_id: Some("mine".to_owned()),
            refresh_token: secret("refresh"),
            ..Given::default()
        };
        let environment = Given {
            client_id: id(),
            client_secret: secret("hidden"),
            ..Given::default()
        };

        let chosen = configuration.choose(&environment).unwrap();

        assert!(matches!(chosen, SignIn::RefreshToken { proof: Proof::None, .. }));
        let environment = Given {
            client_id: id(),
            client_certificate_path: Some("/certificate.pem".into()),
            ..Given::default()
        };
        let chosen = configuration.choose(&environment).unwrap();
        assert!(matches!(chosen, SignIn::RefreshToken { proof: Proof::None, .. }));
        let of_theirs = Given {
            client_id: id(),
            ..configuration
        };
        let chosen = of_theirs.choose(&environment).unwrap();
        assert!(matches!(
            chosen,
            SignIn::RefreshToken {
                proof: Proof::Certificate(_),
                ..
            }
        ));
    }

    #[test]
    fn oidc_proves_the_application_of_a_refresh_token_where_it_is_asked_for() {
        let of = |client_id: &str, use_oidc| Given {
            client_id: Some(client_id.to_owned()),
            refresh_token: secret("refresh"),
            use_oidc,
            ..Given::default()
        };
        let environment = Given {
            client_id: Some("theirs".to_owned()),
            use_oidc: Some(true),
            oidc_token: secret("token"),
            ..Given::default()
        };
        let is_federated = |given: Given| match given.choose(&environment).unwrap() {
            SignIn::RefreshToken { proof, .. } => matches!(proof, Proof::Federated(_)),
            other => panic!("{other:?}"),
        };

        assert!(is_federated(of("theirs", None)));
        assert!(is_federated(of("mine", Some(true))));
        assert!(!is_federated(of("mine", None)));
        assert!(!is_federated(of("theirs", Some(false))));
    }

    #[test]
    fn several_ways_in_the_configuration_are_named() {
        let configuration = Given {
            client_id: id(),
            client_secret: secret("hidden"),
            access_token: secret("token"),
            ..Given::default()
        };

        let error = configuration.choose(&Given::default()).unwrap_err().to_string();

        assert!(error.contains("access_token and client_secret"), "{error}");
    }

    #[test]
    fn several_ways_in_the_environment_are_no_error() {
        let environment = Given {
            client_id: id(),
            client_secret: secret("hidden"),
            refresh_token: secret("refresh"),
            ..Given::default()
        };

        let chosen = Given::default().choose(&environment).unwrap();

        assert!(matches!(
            chosen,
            SignIn::RefreshToken {
                proof: Proof::Secret(_),
                ..
            }
        ));
    }

    #[test]
    fn what_is_missing_is_named() {
        let nothing = Given::default().choose(&Given::default()).unwrap_err();
        assert!(matches!(nothing, ChoiceError::Nothing));
        let no_id = Given {
            client_secret: secret("hidden"),
            ..Given::default()
        }
        .choose(&Given::default())
        .unwrap_err();
        assert!(matches!(no_id, ChoiceError::NoClientId("client_secret")));
        let no_token = Given {
            client_id: id(),
            use_oidc: Some(true),
            ..Given::default()
        }
        .choose(&Given::default())
        .unwrap_err();
        assert!(matches!(no_token, ChoiceError::NoOidcToken));
    }

    #[test]
    fn oidc_takes_the_pipeline_when_no_token_is_given() {
        let pipeline = Pipeline {
            request_url: "https://p".to_owned(),
            request_token: Secret::from("t"),
            service_connection_id: Some("c".to_owned()),
        };
        let environment = Given {
            client_id: id(),
            use_oidc: Some(true),
            pipeline: Some(pipeline),
            ..Given::default()
        };

        let chosen = Given::default().choose(&environment).unwrap();

        assert!(matches!(
            chosen,
            SignIn::Application {
                proof: Proof::Federated(FederatedToken::AzureDevOps { .. }),
                ..
            }
        ));
    }
}
