//! As whom the tables are read: with a token of Entra, as Microsoft gets it; with a ready token; with a password; or as the
//! provider itself.

use crate::clients::{Calls, Clients};
use crate::http::Secret;
use crate::http::jwt_claims::Claims;
use crate::inbound_check::{self, Check};
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object};
use crate::records::diagnostics;
use crate::servicenow::{Session, SignIn, TableError};

/// Who reads.
pub(crate) struct Caller {
    pub(super) session: Session,
    /// Whether that is the provider's own account.
    pub(super) is_provider: bool,
    user_name: Option<String>,
    /// What Entra issued.
    token: Option<(Check, Claims)>,
}

/// The arguments that say who reads. Where secrets are write-only, the state does not have them; a saved plan does,
/// unless they are ephemeral.
pub(crate) fn arguments(secret: impl Fn(Attribute) -> Attribute) -> Vec<Attribute> {
    let text = |name| Attribute::text(name).check(validate::not_blank());
    vec![
        text(CLIENT_ID)
            .describe("Client id of the Entra application that the integration signs in as. With `client_secret` and `audience`."),
        secret(text(CLIENT_SECRET).sensitive()).describe("Secret of that application."),
        text(AUDIENCE)
            .describe("The audience of the token: the client id of the inbound application, or its App ID URI."),
        text("tenant").describe("The tenant: GUID or verified domain. Default: that of the block `microsoft365`."),
        Attribute::flag("wait_for_replication").describe(
            "Whether to retry for up to a minute while Entra still rejects a new application or secret. Default `false`.",
        ),
        secret(text(ACCESS_TOKEN).sensitive())
            .describe("An existing token of the integration user, used instead of signing in."),
        text(USER_NAME).describe(
            "User name of the integration user. With `password` to sign in with both; otherwise only for its roles, where the \
             provider's own account cannot find out whom the token stands for.",
        ),
        secret(text(PASSWORD).sensitive()).describe("Password of that user."),
    ]
}

/// Checks that the arguments name one way to sign in.
pub(crate) fn check_arguments(config: &Object) -> Diagnostics {
    // What is not known yet may become null.
    let given = |name: &str| !config.at(name).is_null();
    let is_known = |name: &str| given(name) && !config.at(name).is_unknown();
    let ways = [CLIENT_SECRET, ACCESS_TOKEN, PASSWORD];
    let invalid = |name: &str, detail: &str| Diagnostic::error(INVALID, detail).at_attribute(name).into();
    if ways.iter().filter(|name| is_known(name)).count() > 1 || !ways.iter().any(|name| given(name)) {
        let detail = "Set exactly one of `client_secret` (with `client_id` and `audience`), `access_token`, and `password` (with \
                      `user_name`).";
        return Diagnostic::error(INVALID, detail).into();
    }
    if is_known(PASSWORD) && !given(USER_NAME) {
        return invalid(USER_NAME, "A password needs the user's name: set `user_name`.");
    }
    if is_known(CLIENT_SECRET) && !(given(CLIENT_ID) && given(AUDIENCE)) {
        return invalid(CLIENT_ID, "A client secret needs `client_id` and `audience`.");
    }
    Diagnostics::new()
}

impl Caller {
    /// The provider's own account.
    ///
    /// # Errors
    /// When the provider block does not say how to reach the instance.
    pub(crate) fn provider(cx: &Context<Clients>) -> Result<Caller, Diagnostic> {
        let session = cx.instance()?;
        Ok(Caller {
            is_provider: true,
            user_name: session.account(),
            session,
            token: None,
        })
    }

    /// Whoever the arguments name.
    ///
    /// # Errors
    /// What kept Entra from issuing a token.
    pub(crate) async fn from(cx: &Context<Clients>, config: &Object) -> Result<Caller, Diagnostics> {
        let problems = check_arguments(config);
        if problems.has_errors() {
            return Err(problems);
        }
        let user_name = config.text(USER_NAME).map(str::to_owned);
        let caller = |session, user_name, token| Caller {
            session,
            is_provider: false,
            user_name,
            token,
        };
        if let Some(token) = config.text(ACCESS_TOKEN) {
            return Ok(caller(cx.instance_with(&Secret::from(token.trim()))?, user_name, None));
        }
        if let Some(password) = config.text(PASSWORD) {
            let sign_in = SignIn::Basic {
                username: user_name.clone().unwrap_or_default(),
                password: Secret::from(password),
            };
            return Ok(caller(cx.instance_as(sign_in)?, user_name, None));
        }
        let check = Check::from(config)?;
        let (token, claims) = inbound_check::token(cx, &check).await.map_err(retitled)?;
        let session = cx.instance_with(&token)?;
        Ok(caller(session, user_name, Some((check, claims))))
    }

    /// Why nothing could be read.
    pub(super) async fn why(&self, cx: &Context<Clients>, error: &TableError) -> Diagnostic {
        match (&self.token, error) {
            (Some((check, claims)), TableError::Unauthenticated { .. }) => {
                retitled(inbound_check::why_refused(cx, check, claims, &self.session, error).await)
            }
            _ => diagnostics::of_table(error, "read the tables"),
        }
    }

    /// The user who reads, if it is known or can be found out.
    pub(super) async fn user_name(&self, account: &Session) -> Option<String> {
        match (&self.user_name, &self.token) {
            (Some(name), _) => Some(name.clone()),
            (None, Some((check, claims))) => inbound_check::user_of(account, check, claims).await,
            (None, None) => None,
        }
    }
}

fn retitled(problem: Diagnostic) -> Diagnostic {
    if problem.summary == inbound_check::FAILED {
        return Diagnostic::error("The integration user could not sign in", problem.detail).at(problem.path);
    }
    problem
}

const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET: &str = "client_secret";
const AUDIENCE: &str = "audience";
const ACCESS_TOKEN: &str = "access_token";
const USER_NAME: &str = "user_name";
const PASSWORD: &str = "password";
const INVALID: &str = "Invalid sign-in of the integration user";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Value;

    #[test]
    fn what_is_not_known_yet_may_become_null() {
        let check = |arguments: &[(&str, Value)]| {
            let config: Object = arguments.iter().map(|(name, value)| (*name, value.clone())).collect();
            !check_arguments(&config).has_errors()
        };
        let (known, unknown) = (|| Value::from("a"), || Value::Unknown);

        assert!(check(&[(PASSWORD, unknown()), (ACCESS_TOKEN, unknown())]));
        assert!(check(&[(PASSWORD, unknown()), (ACCESS_TOKEN, known())]));
        assert!(check(&[(PASSWORD, known()), (USER_NAME, unknown())]));
        assert!(!check(&[(PASSWORD, known()), (ACCESS_TOKEN, known())]));
        assert!(!check(&[(PASSWORD, known())]));
        assert!(!check(&[(CLIENT_SECRET, known()), (CLIENT_ID, known())]));
        assert!(!check(&[]));
    }
}
