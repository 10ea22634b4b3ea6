//! Which sign-in method for the instance the arguments mean.

use crate::http::Secret;
use crate::plugin::Diagnostic;
use crate::provider::arguments::{Argument, Arguments, Source};
use crate::servicenow::{SignIn, SignInMethod, TokenSource};
use crate::suggest;

/// The one method that is meant; `None` when no method is complete.
///
/// The configuration beats the environment, also where the environment names a grant type. Among methods of the
/// environment the order is OAuth, API key, access token, Basic, token of another issuer, client certificate.
///
/// # Errors
/// When several methods are complete in the configuration, or a named grant type lacks an argument.
pub(super) fn choose(arguments: &Arguments<'_>) -> Result<Option<SignIn>, Diagnostic> {
    let given = Methods::read(arguments);
    let candidates: Vec<Candidate> = given.candidates();
    if let Some(grant) = &given.grant_type {
        let grant_type = GrantType::parse(grant)?;
        if grant.source == Source::Configuration || candidates.iter().all(|candidate| candidate.suits(grant_type)) {
            return given.grant(arguments, grant_type).map(Some);
        }
    }
    let configured: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.is_configured).collect();
    if let [first, second, ..] = configured.as_slice() {
        let detail = format!(
            "The provider block has all arguments for {} and for {}. Keep those of one method, or choose one with \
             grant_type.",
            first.arguments, second.arguments
        );
        return Err(Diagnostic::error("Several sign-in methods for ServiceNow", detail).at_attribute(first.attribute));
    }
    let partly = candidates.iter().find(|candidate| candidate.is_partly_configured);
    let chosen = configured.first().copied().or(partly).or(candidates.first());
    Ok(chosen.map(|candidate| candidate.sign_in.clone()))
}

/// What is odd about credentials of the environment.
pub(super) fn warnings(arguments: &Arguments<'_>) -> impl Iterator<Item = Diagnostic> {
    let Methods {
        username,
        password,
        client_id,
        client_secret,
        ..
    } = Methods::read(arguments);
    let given = [username, password, client_id, client_secret].into_iter().flatten();
    given.filter_map(|argument| argument.line_break())
}

/// A method whose arguments are all given.
struct Candidate {
    sign_in: SignIn,
    attribute: &'static str,
    arguments: &'static str,
    is_configured: bool,
    is_partly_configured: bool,
}

impl Candidate {
    fn new(attribute: &'static str, arguments: &'static str, parts: &[&Argument], sign_in: SignIn) -> Candidate {
        let is_configured = |part: &&Argument| part.source == Source::Configuration;
        Candidate {
            sign_in,
            attribute,
            arguments,
            is_configured: !parts.is_empty() && parts.iter().all(is_configured),
            is_partly_configured: parts.iter().any(is_configured),
        }
    }

    /// Whether the configuration is compatible with this grant type from the environment.
    fn suits(&self, grant_type: GrantType) -> bool {
        !self.is_configured
            || match self.sign_in.method() {
                SignInMethod::ClientCredentials => true,
                SignInMethod::RefreshToken => grant_type == GrantType::RefreshToken,
                SignInMethod::Basic | SignInMethod::Password => grant_type == GrantType::Password,
                SignInMethod::OidcToken | SignInMethod::JwtBearer => grant_type == GrantType::JwtBearer,
                SignInMethod::AccessToken | SignInMethod::ApiKey | SignInMethod::ClientCertificate => false,
            }
    }
}

/// What `grant_type` can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum GrantType {
    ClientCredentials,
    Password,
    RefreshToken,
    JwtBearer,
}

impl GrantType {
    const ALL: [Self; 4] = [
        Self::ClientCredentials,
        Self::Password,
        Self::RefreshToken,
        Self::JwtBearer,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
            Self::JwtBearer => "jwt_bearer",
        }
    }

    /// The schema refuses a wrong one in the configuration, so it came from the environment.
    fn parse(argument: &Argument) -> Result<Self, Diagnostic> {
        let text = argument.text.as_str();
        Self::ALL.into_iter().find(|known| known.name() == text).ok_or_else(|| {
            let detail = format!(
                "{text:?} is not a valid grant type: expected one of {}.{}\n\n{}Correct it there.",
                GRANT_TYPES.join(", "),
                suggest::did_you_mean(text, GRANT_TYPES.iter().copied()),
                argument.origin()
            );
            Diagnostic::error("Unknown grant type", detail)
        })
    }
}

pub(super) const GRANT_TYPES: &[&str] = &[
    GrantType::ClientCredentials.name(),
    GrantType::Password.name(),
    GrantType::RefreshToken.name(),
    GrantType::JwtBearer.name(),
];

/// The arguments that a method needs; none where it is chosen by a grant type or is complete with one argument.
const fn needed(method: SignInMethod) -> &'static [&'static str] {
    match method {
        SignInMethod::RefreshToken => &["refresh_token", "client_id", "client_secret"],
        SignInMethod::ClientCredentials => &["client_id", "client_secret"],
        SignInMethod::Basic => &["username", "password"],
        SignInMethod::Password
        | SignInMethod::JwtBearer
        | SignInMethod::ApiKey
        | SignInMethod::AccessToken
        | SignInMethod::OidcToken
        | SignInMethod::ClientCertificate => &[],
    }
}

/// What the method lacks that is nearest to complete: for the message that no method is.
pub(super) fn lacking(arguments: &Arguments<'_>) -> Option<String> {
    let split = |method| -> (Vec<&str>, Vec<&str>) {
        let names = needed(method).iter().copied();
        names.partition(|name| arguments.text(name).is_some())
    };
    let begun = SignInMethod::all().map(split).filter(|(given, _)| !given.is_empty());
    let (given, missing) = begun.min_by_key(|(_, missing)| missing.len())?;
    let (given, missing) = (*given.first()?, *missing.first()?);
    let given = match arguments.text(given)?.variable {
        Some(variable) => format!("{given} is set by {variable}"),
        None => format!("{given} is set"),
    };
    Some(format!(
        "{given}, but {missing} is missing ({}).",
        arguments.variables(missing).join(" or ")
    ))
}

struct Methods {
    grant_type: Option<Argument>,
    username: Option<Argument>,
    password: Option<Argument>,
    client_id: Option<Argument>,
    client_secret: Option<Argument>,
    refresh_token: Option<Argument>,
    access_token: Option<Argument>,
    api_key: Option<Argument>,
    oidc_token: Option<Argument>,
    oidc_token_file_path: Option<Argument>,
    client_certificate_path: Option<Argument>,
}

impl Methods {
    fn read(arguments: &Arguments<'_>) -> Self {
        let text = |name| arguments.text(name);
        // A file that was read into a variable ends with a line break, which no token contains.
        let token = |name| {
            text(name).map(|argument| Argument {
                text: argument.text.trim().to_owned(),
                ..argument
            })
        };
        Self {
            grant_type: text("grant_type"),
            username: text("username"),
            password: text("password"),
            client_id: text("client_id"),
            client_secret: text("client_secret"),
            refresh_token: token("refresh_token"),
            access_token: token("access_token"),
            api_key: token("api_key"),
            oidc_token: token("oidc_token"),
            oidc_token_file_path: text("oidc_token_file_path"),
            client_certificate_path: text("client_certificate_path"),
        }
    }

    fn grant(&self, arguments: &Arguments<'_>, grant_type: GrantType) -> Result<SignIn, Diagnostic> {
        let need = |argument: &Option<Argument>, name: &'static str| {
            argument.as_ref().map(|argument| argument.text.clone()).ok_or_else(|| {
                let detail = format!(
                    "grant_type is {:?}, which needs {name}. Add it to the provider block, or set {}.",
                    grant_type.name(),
                    arguments.variables(name).join(" or ")
                );
                Diagnostic::error("Incomplete sign-in to ServiceNow", detail).at_attribute(name)
            })
        };
        let client_id = need(&self.client_id, "client_id")?;
        let client_secret = || need(&self.client_secret, "client_secret").map(Secret::from);
        Ok(match grant_type {
            GrantType::ClientCredentials => SignIn::ClientCredentials {
                client_id,
                client_secret: client_secret()?,
            },
            GrantType::Password => SignIn::Password {
                client_id,
                client_secret: client_secret()?,
                username: need(&self.username, "username")?,
                password: need(&self.password, "password")?.into(),
            },
            GrantType::RefreshToken => SignIn::RefreshToken {
                client_id,
                client_secret: client_secret()?,
                refresh_token: need(&self.refresh_token, "refresh_token")?.into(),
            },
            GrantType::JwtBearer => SignIn::JwtBearer {
                client_id,
                client_secret: self.client_secret.as_ref().map(|secret| secret.text.clone().into()),
                assertion: match self.token_source() {
                    Some((source, _)) => source,
                    None => TokenSource::Given(need(&self.oidc_token, "oidc_token")?.into()),
                },
            },
        })
    }

    /// The complete methods, the preferred one first.
    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = SignInMethod::all()
            .filter_map(|method| self.candidate(method))
            .collect();
        // A certificate can accompany any other method: it is a method only if there is no other.
        if candidates.len() > 1 {
            candidates.retain(|candidate| candidate.sign_in.method() != SignInMethod::ClientCertificate);
        }
        candidates
    }

    /// The method, if its arguments are complete and it needs no grant type to be chosen.
    fn candidate(&self, method: SignInMethod) -> Option<Candidate> {
        let secret = |argument: &Argument| Secret::from(argument.text.clone());
        Some(match method {
            SignInMethod::RefreshToken => {
                let (id, of_client) = (self.client_id.as_ref()?, self.client_secret.as_ref()?);
                let token = self.refresh_token.as_ref()?;
                let sign_in = SignIn::RefreshToken {
                    client_id: id.text.clone(),
                    client_secret: secret(of_client),
                    refresh_token: secret(token),
                };
                let arguments = "refresh_token with client_id and client_secret";
                Candidate::new("refresh_token", arguments, &[id, of_client, token], sign_in)
            }
            // With a refresh token, the client's id and secret belong to it and are not a second method.
            SignInMethod::ClientCredentials if self.refresh_token.is_some() => return None,
            SignInMethod::ClientCredentials => {
                let (id, of_client) = (self.client_id.as_ref()?, self.client_secret.as_ref()?);
                let sign_in = SignIn::ClientCredentials {
                    client_id: id.text.clone(),
                    client_secret: secret(of_client),
                };
                Candidate::new("client_id", "client_id and client_secret", &[id, of_client], sign_in)
            }
            SignInMethod::Password | SignInMethod::JwtBearer => return None,
            SignInMethod::ApiKey => {
                let key = self.api_key.as_ref()?;
                Candidate::new("api_key", "api_key", &[key], SignIn::ApiKey { key: secret(key) })
            }
            SignInMethod::AccessToken => {
                let token = self.access_token.as_ref()?;
                let sign_in = SignIn::Bearer { token: secret(token) };
                Candidate::new("access_token", "access_token", &[token], sign_in)
            }
            SignInMethod::Basic => {
                let (username, password) = (self.username.as_ref()?, self.password.as_ref()?);
                let sign_in = SignIn::Basic {
                    username: username.text.clone(),
                    password: secret(password),
                };
                Candidate::new("username", "username and password", &[username, password], sign_in)
            }
            SignInMethod::OidcToken => {
                let (source, argument) = self.token_source()?;
                let arguments = "oidc_token or oidc_token_file_path";
                Candidate::new("oidc_token", arguments, &[&argument], SignIn::OidcToken { source })
            }
            SignInMethod::ClientCertificate => {
                self.client_certificate_path.as_ref()?;
                Candidate::new(
                    "client_certificate_path",
                    "client_certificate_path",
                    &[],
                    SignIn::ClientCertificate,
                )
            }
        })
    }

    /// The configuration's source before the environment's, and the token itself before a file.
    fn token_source(&self) -> Option<(TokenSource, Argument)> {
        let token = self
            .oidc_token
            .clone()
            .map(|token| (TokenSource::Given(token.text.clone().into()), token));
        let file = self
            .oidc_token_file_path
            .clone()
            .map(|file| (TokenSource::File(file.text.clone().into()), file));
        match (token, file) {
            (Some(token), Some(file))
                if token.1.source == Source::Environment && file.1.source == Source::Configuration =>
            {
                Some(file)
            }
            (token, file) => token.or(file),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Object;
    use crate::provider::environment::{Environment, SERVICENOW};

    fn none(_: &str) -> Option<String> {
        None
    }

    /// Every variable is set.
    fn all(name: &str) -> Option<String> {
        let grant = name.ends_with("GRANT_TYPE") || name.ends_with("REFRESH_TOKEN");
        (!grant).then(|| format!("value of {name}"))
    }

    #[track_caller]
    fn check(config: &[(&str, &str)], environment: fn(&str) -> Option<String>, expected: Result<Option<&str>, &str>) {
        let config: Object = config.iter().map(|(name, value)| (*name, *value)).collect();
        let chosen = choose(&Arguments::new(&config, Environment::of(environment), SERVICENOW));
        match (chosen, expected) {
            (Ok(chosen), Ok(expected)) => assert_eq!(chosen.as_ref().map(|chosen| chosen.method().name()), expected),
            (Err(problem), Err(expected)) => assert!(problem.detail.contains(expected), "{}", problem.detail),
            (chosen, expected) => panic!("{chosen:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_arguments_decide() {
        check(&[], none, Ok(None));
        check(&[("username", "u")], none, Ok(None));
        check(&[("username", "u"), ("password", "p")], none, Ok(Some("basic")));
        check(
            &[("client_id", "c"), ("client_secret", "s")],
            none,
            Ok(Some("client_credentials")),
        );
        check(
            &[("client_id", "c"), ("client_secret", "s"), ("refresh_token", "r")],
            none,
            Ok(Some("refresh_token")),
        );
        check(&[("access_token", "t")], none, Ok(Some("access_token")));
        check(&[("api_key", "k")], none, Ok(Some("api_key")));
        check(&[("oidc_token_file_path", "/f")], none, Ok(Some("oidc_token")));
        check(
            &[("client_certificate_path", "/c")],
            none,
            Ok(Some("client_certificate")),
        );
        check(
            &[("client_certificate_path", "/c"), ("username", "u"), ("password", "p")],
            none,
            Ok(Some("basic")),
        );
    }

    #[test]
    fn the_configuration_beats_the_environment() {
        check(&[], all, Ok(Some("client_credentials")));
        check(&[("username", "u"), ("password", "p")], all, Ok(Some("basic")));
        check(&[("username", "u")], all, Ok(Some("basic")));
        check(&[("api_key", "k")], all, Ok(Some("api_key")));
    }

    #[test]
    fn the_configuration_beats_a_grant_type_of_the_environment() {
        fn password(name: &str) -> Option<String> {
            let value = match name {
                "SN_GRANT_TYPE" => "password",
                "SN_CLIENT_ID" | "SN_CLIENT_SECRET" | "SN_USERNAME" | "SN_PASSWORD" => "any",
                _ => return None,
            };
            Some(value.to_owned())
        }
        check(&[], password, Ok(Some("password")));
        check(
            &[("client_id", "c"), ("client_secret", "s")],
            password,
            Ok(Some("password")),
        );
        check(&[("username", "u"), ("password", "p")], password, Ok(Some("password")));
        check(&[("api_key", "k")], password, Ok(Some("api_key")));
        check(&[("access_token", "t")], password, Ok(Some("access_token")));
        check(&[("oidc_token", "t")], password, Ok(Some("oidc_token")));
        let refresh = [("client_id", "c"), ("client_secret", "s"), ("refresh_token", "r")];
        check(&refresh, password, Ok(Some("refresh_token")));
    }

    #[test]
    fn half_a_method_is_named() {
        let said = |config: &[(&str, &str)], environment| {
            let config: Object = config.iter().map(|(name, value)| (*name, *value)).collect();
            lacking(&Arguments::new(&config, Environment::of(environment), SERVICENOW)).unwrap_or_default()
        };
        let missing = [
            ("username", "password is missing (SERVICENOW_PASSWORD or SN_PASSWORD)."),
            ("password", "username is missing (SERVICENOW_USERNAME or SN_USERNAME)."),
            (
                "client_secret",
                "client_id is missing (SERVICENOW_CLIENT_ID or SN_CLIENT_ID).",
            ),
            (
                "refresh_token",
                "client_id is missing (SERVICENOW_CLIENT_ID or SN_CLIENT_ID).",
            ),
        ];
        for (given, missing) in missing {
            assert_eq!(said(&[(given, "x")], none), format!("{given} is set, but {missing}"));
        }
        let username = |name: &str| (name == "SN_USERNAME").then(|| "u".to_owned());
        assert_eq!(
            said(&[], username),
            "username is set by SN_USERNAME, but password is missing (SERVICENOW_PASSWORD or SN_PASSWORD)."
        );
        assert_eq!(said(&[], none), "");
    }

    #[test]
    fn two_complete_methods_are_named() {
        let both = [
            ("username", "u"),
            ("password", "p"),
            ("client_id", "c"),
            ("client_secret", "s"),
        ];
        check(
            &both,
            none,
            Err("client_id and client_secret and for username and password"),
        );
        check(
            &[("api_key", "k"), ("access_token", "t")],
            none,
            Err("api_key and for access_token"),
        );
        let meant: Vec<_> = both.into_iter().chain([("grant_type", "password")]).collect();
        check(&meant, none, Ok(Some("password")));
    }

    #[test]
    fn a_named_grant_type_says_what_it_lacks() {
        check(
            &[("grant_type", "password"), ("client_id", "c"), ("client_secret", "s")],
            none,
            Err("needs username"),
        );
        check(&[("grant_type", "client_credentials")], none, Err("needs client_id"));
        check(
            &[("grant_type", "jwt_bearer"), ("client_id", "c")],
            none,
            Err("needs oidc_token"),
        );
        check(
            &[("grant_type", "jwt_bearer"), ("client_id", "c"), ("oidc_token", "t")],
            none,
            Ok(Some("jwt_bearer")),
        );
    }
}
