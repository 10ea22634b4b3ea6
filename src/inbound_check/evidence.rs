//! Reads the instance with the provider's own account to find out why it refused a token.

use jiff::Timestamp;

use crate::clients::{Calls, Clients};
use crate::connection_diagnostics;
use crate::http::jwt_claims::Claims;
use crate::inbound_check::cause::{self, Accepting, Cause, Configuration, Provider};
use crate::inbound_check::{Attempt, Check, FAILED};
use crate::plugin::{Context, Diagnostic};
use crate::records::diagnostics;
use crate::servicenow::tables::oauth_oidc_entity::{self, ACTIVE, CLIENT_ID, CLOCK_SKEW, CONFIGURATION, NAME};
use crate::servicenow::tables::{
    every, incident, oidc_provider_configuration as configuration, sys_api_access_policy, sys_db_object, sys_user,
};
use crate::servicenow::{LinkTable, Query, Record, Refusal, Session, SysId, TableError, Verb};

/// What an error of a call with the token means.
pub(super) async fn of(
    cx: &Context<Clients>,
    check: &Check,
    claims: &Claims,
    caller: &Session,
    error: &TableError,
    attempt: Attempt,
) -> Diagnostic {
    let question = if let TableError::Unauthenticated { .. } = error {
        Question::WhoIsIt
    } else if let TableError::Refused {
        reason: Refusal::MissingScope { scope },
        ..
    } = error
    {
        Question::WhichScope(scope)
    } else if let TableError::Refused { verb, .. } = error {
        Question::MayThey(*verb)
    } else if let TableError::NoSuchTable { table } = error {
        let remedy = meant_table(cx, table.name())
            .await
            .unwrap_or_else(|| format!("Check the name in `table`. {}", error.remedy()));
        return Diagnostic::error(FAILED, diagnostics::explain(error, &remedy)).at_attribute("table");
    } else if let Some(of_connection) = connection_diagnostics::of_table(error) {
        return of_connection;
    } else {
        let mut problem = diagnostics::of_table(error, "call the instance with the token");
        FAILED.clone_into(&mut problem.summary);
        return problem;
    };
    let refusal = format!("The call itself ended with: {}", diagnostics::explain(error, ""));
    let diagnostic = why(cx, check, claims, caller, question, attempt, &refusal).await;
    Diagnostic::error(FAILED, diagnostic)
}

/// The name of the user that a token stands for, where nothing speaks against it.
pub(super) async fn user_name(account: &Session, check: &Check, claims: &Claims) -> Option<String> {
    let providers = providers(account).await.ok()?;
    let accepting = cause::accepting(claims, &providers).ok()?;
    let (_, name) = user(account, &accepting, check).await.ok()?.ok()?;
    Some(name)
}

/// The table that a name without one probably stands for, read as the provider's own account.
async fn meant_table(cx: &Context<Clients>, name: &str) -> Option<String> {
    let session = cx.instance().ok()?;
    let similar = session
        .names(sys_db_object::TABLE, sys_db_object::NAME)
        .similar(name)
        .await;
    (!similar.is_empty()).then(|| format!("Did you mean {}?", similar.join(", ")))
}

/// What it means that records are counted and none is shown.
pub(super) async fn of_hidden(
    cx: &Context<Clients>,
    check: &Check,
    claims: &Claims,
    caller: &Session,
    count: usize,
) -> Diagnostic {
    let refusal = format!(
        "The instance counts records in {} ({count}) and showed none of them.",
        check.table
    );
    let question = Question::MayThey(Verb::Read);
    Diagnostic::error(
        FAILED,
        why(cx, check, claims, caller, question, Attempt::First, &refusal).await,
    )
}

/// The cause as far as it can be found out, and what the instance answered.
async fn why(
    cx: &Context<Clients>,
    check: &Check,
    claims: &Claims,
    caller: &Session,
    question: Question<'_>,
    attempt: Attempt,
    refusal: &str,
) -> String {
    let found = match cx.instance() {
        Ok(account) => investigate(&account, check, claims, caller, question, attempt)
            .await
            .map_err(|error| diagnostics::explain(&error, &error.remedy())),
        Err(problem) => Err(problem.detail),
    };
    match found {
        Ok(Cause { what, remedy }) => format!("{what}\n\n{remedy}\n\n{refusal}"),
        Err(why) => format!(
            "{refusal}\n\nThe cause could not be looked up, because the provider's own account could not read the instance: \
             {why}\n\n{USUAL_CAUSES}"
        ),
    }
}

/// What the instance rejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Question<'a> {
    /// 401: it did not take the token.
    WhoIsIt,
    /// 403: it took the token, and the API asks for an auth scope.
    WhichScope(&'a str),
    /// 403: it took the token, and its user may not.
    MayThey(Verb),
}

async fn investigate(
    account: &Session,
    check: &Check,
    claims: &Claims,
    caller: &Session,
    question: Question<'_>,
    attempt: Attempt,
) -> Result<Cause, TableError> {
    let providers = providers(account).await?;
    let accepting = match cause::accepting(claims, &providers) {
        Ok(accepting) => accepting,
        Err(cause) => return Ok(cause),
    };
    if question == Question::WhoIsIt && attempt == Attempt::Again && accepting.configuration.verifies_jti {
        return Ok(cause::jti(accepting.configuration));
    }
    if let Question::WhichScope(scope) = question {
        return Ok(cause::auth_scope(accepting.provider, scope));
    }
    let user = match user(account, &accepting, check).await? {
        Ok(user) => user,
        Err(cause) => return Ok(cause),
    };
    if let Question::MayThey(verb) = question {
        return missing_role(account, check, &user, verb).await;
    }
    let clock = caller.clock().or_else(|| account.clock());
    let now = Timestamp::now().as_second();
    let off = clock.and_then(|clock| cause::clock(claims, clock.as_second(), now, accepting.provider.clock_skew));
    if let Some(cause) = off {
        return Ok(cause);
    }
    if accepting.configuration.verifies_jti {
        return Ok(cause::jti(accepting.configuration));
    }
    // Who may not count them is told of them all the same.
    let policies = account
        .select(sys_api_access_policy::TABLE, &Query::every_row(), &[])
        .await;
    let policies = policies.ok().map(|rows| rows.len());
    Ok(unexplained(claims, &accepting, policies))
}

/// Every OIDC provider with its configuration.
async fn providers(account: &Session) -> Result<Vec<Provider>, TableError> {
    let all = Query::every_row();
    let rows = account
        .select(oauth_oidc_entity::TABLE, &all, oauth_oidc_entity::COLUMNS)
        .await?;
    let configurations = account
        .select(configuration::TABLE, &all, configuration::COLUMNS)
        .await?;
    let read = |record: &Record| {
        let reference = record.reference(CONFIGURATION).value();
        let own = configurations
            .iter()
            .find(|row| Some(row.sys_id().as_str()) == reference);
        Provider {
            name: record.text(NAME).value().unwrap_or_default().to_owned(),
            client_id: record.text(CLIENT_ID).value().unwrap_or_default().to_owned(),
            active: record.bool(ACTIVE).or_known(Some(true)).unwrap_or(false),
            clock_skew: record.integer(CLOCK_SKEW).value().unwrap_or(0),
            configuration: own.map(|row| {
                let text = |column| row.text(column).value().unwrap_or_default().to_owned();
                Configuration {
                    name: text(configuration::NAME),
                    metadata_url: text(configuration::OIDC_URL),
                    user_claim: text(configuration::USER_CLAIM),
                    user_field: text(configuration::USER_FIELD),
                    verifies_jti: row.bool(configuration::ENABLE_JTI_VERIFICATION).value() == Some(true),
                }
            }),
        }
    };
    Ok(rows.iter().map(read).collect())
}

/// The one user whom the claim names, if that user may sign in.
async fn user(
    account: &Session,
    accepting: &Accepting<'_>,
    check: &Check,
) -> Result<Result<(SysId, String), Cause>, TableError> {
    let Accepting {
        configuration, value, ..
    } = accepting;
    let field = configuration.user_field.trim();
    let claim = configuration.user_claim.trim();
    if field == "user_id" {
        return Ok(Err(Cause::new(
            format!(
                "The OIDC configuration {:?} compares with the column user_id, which does not exist.",
                configuration.name
            ),
            "The column behind the form's \"User ID\" is user_name: set user_field to \"user_name\".",
        )));
    }
    let known = sys_user::COLUMNS
        .iter()
        .chain([&every::SYS_ID])
        .find(|column| column.name() == field);
    let query = match known {
        Some(column) => Query::equals(*column, value.as_str()),
        None => Query::user(&format!("{field}={value}")),
    };
    let query = query.map_err(TableError::of_query(sys_user::TABLE))?;
    let found = match account.select(sys_user::TABLE, &query, sys_user::COLUMNS).await {
        Err(error @ (TableError::Hidden { .. } | TableError::UnknownColumn { .. })) if known.is_none() => {
            return Ok(Err(Cause::new(
                format!(
                    "The OIDC configuration {:?} compares with the column {field:?} of sys_user, which seems not to exist.",
                    configuration.name
                ),
                format!("Set user_field to \"user_name\", which the form calls User ID. ({error})"),
            )));
        }
        found => found?,
    };
    let [user] = found.as_slice() else {
        return Ok(Err(match found.len() {
            0 => nobody(account, accepting, check).await?,
            number => Cause::new(
                format!("{number} users have {field} {value} (claim {claim})."),
                "The instance may use any of them. Keep one.",
            ),
        }));
    };
    let name = user.text(sys_user::USER_NAME).value().unwrap_or(value).to_owned();
    if user.bool(sys_user::ACTIVE).value() == Some(false) {
        return Ok(Err(Cause::new(
            format!("The user {name} (claim {claim}) is not active."),
            "Set the user active.",
        )));
    }
    if user.bool(sys_user::LOCKED_OUT).value() == Some(true) {
        return Ok(Err(Cause::new(
            format!("The user {name} (claim {claim}) is locked out."),
            "Unlock the user: clear \"Locked out\" in the form.",
        )));
    }
    Ok(Ok((user.sys_id().clone(), name)))
}

async fn nobody(account: &Session, accepting: &Accepting<'_>, check: &Check) -> Result<Cause, TableError> {
    let Accepting {
        configuration, value, ..
    } = accepting;
    let (claim, field) = (configuration.user_claim.trim(), configuration.user_field.trim());
    let what = format!("No user of the instance has {field} {value}, the value of the token's claim {claim}.");
    let audience = Query::equals(sys_user::USER_NAME, check.audience.as_str());
    if let Ok(audience) = audience
        && !account
            .select(sys_user::TABLE, &audience, &[sys_user::USER_NAME])
            .await?
            .is_empty()
    {
        let remedy = format!(
            "There is a user with the inbound application's name ({}). It must have that of the calling application: \
             set its user_name to {value}.",
            check.audience
        );
        return Ok(Cause::new(what, remedy));
    }
    let remedy = format!(
        "Create it: servicenow_integration_user with {field} = {value:?}, or correct user_claim and user_field."
    );
    Ok(Cause::new(what, remedy))
}

/// The user is known and may sign in, but lacks the right for the request.
async fn missing_role(
    account: &Session,
    check: &Check,
    (user, name): &(SysId, String),
    verb: Verb,
) -> Result<Cause, TableError> {
    let mut roles = Vec::new();
    for grant in account.links(LinkTable::ROLES).of(user).await? {
        if grant.active
            && let Some(role) = account.roles().name_of(&grant.to).await?
        {
            roles.push(role);
        }
    }
    roles.sort();
    roles.dedup();
    let table = check.table;
    let has = if roles.is_empty() {
        "The user has no role at all.".to_owned()
    } else {
        format!("The user has: {}.", roles.join(", "))
    };
    let what = format!("The instance accepted the token as user {name}, but that user may not {verb} {table}. {has}");
    let is_incident = table.name() == incident::TABLE.name();
    let remedy = if is_incident && !roles.iter().any(|role| role == INCIDENT_MANAGER) {
        format!("Grant the role {INCIDENT_MANAGER}: `roles` of servicenow_integration_user, or servicenow_user_role.")
    } else {
        format!(
            "Grant {}. Where the REST access rules are active the user also needs snc_platform_rest_api_access, and an auth \
             scope of the OIDC provider must not leave the table out.",
            table.role()
        )
    };
    Ok(Cause::new(what, remedy))
}

/// All that can be compared agrees. `policies` is how many REST API access policies there are, if the account may know.
fn unexplained(claims: &Claims, accepting: &Accepting<'_>, policies: Option<usize>) -> Cause {
    let Accepting {
        provider,
        configuration,
        ..
    } = accepting;
    let policies = match policies {
        Some(0) => String::new(),
        Some(number) => format!("The instance has REST API access policies ({number}). {POLICIES} "),
        None => format!("{POLICIES} "),
    };
    let scope = claims.text("scp").map_or_else(String::new, |scope| {
        format!(
            " The token has the claim scp ({scope}), which some instances refuse unless the OIDC provider has that scope."
        )
    });
    Cause::new(
        format!(
            "The instance did not accept the token, although all that can be compared agrees: the OIDC provider {:?} has its \
             aud, the configuration {:?} is one for its issuer, and the user may sign in.",
            provider.name, configuration.name
        ),
        format!(
            "{policies}What cannot be checked from here: whether the instance reaches {} and the keys listed there, and \
             whether it still has an older copy of them. Its system log names the cause (System Logs > System Log > \
             All, message contains OIDC or JWT).{scope}",
            configuration.metadata_url
        ),
    )
}

const INCIDENT_MANAGER: &str = "incident_manager";
const POLICIES: &str = "A policy that covers the Table API refuses every token whose authentication profile is not attached to \
                        it: look at System Web Services > API Access Policies > REST API Access Policies.";
const USUAL_CAUSES: &str = "Usual causes: no active OIDC provider has the token's aud as client_id; its metadata URL is that \
                            of the other token version or tenant; the claim is not in the token; no active user has it in the \
                            user field; JTI verification is on; a clock is off; a REST API access policy covers the Table API; the user lacks a \
                            role.";
