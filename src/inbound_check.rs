//! Calls the instance as Microsoft does, and says why when the call is refused.
//!
//! The instance answers 401 to nearly every fault of the trust and tells the cause to its own log alone. But the token is
//! at hand, and so is an account that may read the instance: what one says is compared with the other ([`cause`]), in the
//! order in which the instance verifies a token (KB0720547, KB0719167).

mod cause; // What the token says against what the instance holds: values in, decision out.
mod evidence; // Reads the instance for it.

use crate::clients::{Calls, Clients};
use crate::connection_diagnostics;
use crate::http::Secret;
use crate::http::jwt_claims::{Claims, JwtError};
use crate::microsoft::EntraError;
use crate::microsoft::entra::{self, Authority, Endpoint, Patience};
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Need, Object};
use crate::records::diagnostics;
use crate::servicenow::tables::incident;
use crate::servicenow::{InputMode, Insert, Row, Sample, Session, Table, TableError};

/// The arguments of a check.
pub(crate) struct Check {
    client_id: String,
    client_secret: Secret,
    audience: String,
    tenant: Option<String>,
    table: Table,
    write: bool,
    patience: Patience,
}

/// The rights for a check.
pub(crate) fn needs() -> Vec<Need> {
    vec![
        Need::new("the client secret of the REST user application", "the call itself"),
        Need::new(
            "the rights to read OIDC providers, their configurations, users and roles; without them the cause may \
             remain unknown",
            "diagnosing a rejected call, with the provider's own sign-in",
        ),
    ]
}

/// The arguments of a check. Where `secret` is write-only, the state does not hold it; a saved plan does, unless it is ephemeral.
pub(crate) fn arguments(secret: Attribute) -> Vec<Attribute> {
    vec![
        Attribute::text("client_id")
            .required()
            .check(validate::not_blank())
            .describe("Client id of the Entra application that calls: the REST user application."),
        secret,
        Attribute::text("audience")
            .required()
            .check(validate::not_blank())
            .describe(
                "The audience of the token: the client id of the inbound application, or its App ID URI if the \
             instance's OIDC provider has that as `client_id`.",
            ),
        Attribute::text("tenant")
            .check(validate::not_blank())
            .describe("The tenant: GUID or verified domain. Default: that of the block `microsoft365`."),
        Attribute::text("table")
            .check(table_name())
            .describe("The table to read. Default `incident`."),
        Attribute::flag("write").describe(
            "Whether to create a record in the table and delete it again. The table must have the column \
             `short_description`, as `incident` has. Default `false`.",
        ),
        Attribute::flag("wait_for_replication").describe(
            "Whether to retry for up to a minute while Entra still rejects a new application or secret \
             (replication). Set it if the check runs right after they were created. Default `false`.",
        ),
    ]
}

pub(crate) fn secret() -> Attribute {
    Attribute::text("client_secret")
        .required()
        .sensitive()
        .check(validate::not_blank())
        .describe("Secret of that application.")
}

impl Check {
    /// Reads the arguments, which have been validated.
    ///
    /// # Errors
    /// For a table that cannot be one.
    pub(crate) fn from(config: &Object) -> Result<Self, Diagnostic> {
        let text = |name| config.text(name).unwrap_or_default().trim().to_owned();
        let table = config.text("table").unwrap_or(incident::TABLE.name());
        let table = if table == incident::TABLE.name() {
            incident::TABLE
        } else {
            Table::named(table).ok_or_else(|| {
                Diagnostic::error("Invalid table", format!("{table:?} is not a valid table name."))
                    .at_attribute("table")
            })?
        };
        Ok(Self {
            client_id: text("client_id"),
            client_secret: Secret::from(config.text("client_secret").unwrap_or_default()),
            audience: text("audience"),
            tenant: config.text("tenant").map(str::to_owned),
            table,
            write: config.flag("write").unwrap_or(false),
            patience: if config.flag("wait_for_replication").unwrap_or(false) {
                Patience::JustCreated
            } else {
                Patience::None
            },
        })
    }
}

/// Why a check could not be completed.
pub(crate) struct CheckFailure {
    /// The steps that succeeded.
    pub(crate) steps: Vec<String>,
    /// The cause and what to do about it.
    pub(crate) problem: Diagnostic,
}

impl CheckFailure {
    /// The cause, with what was reached before it.
    pub(crate) fn into_diagnostic(self) -> Diagnostic {
        let mut problem = self.problem;
        if !self.steps.is_empty() {
            problem.detail.push_str("\n\nBefore that:");
            for step in &self.steps {
                problem.detail.push_str("\n- ");
                problem.detail.push_str(step);
            }
        }
        problem
    }
}

/// Runs a check, telling each step as it is reached; gives all of them.
///
/// # Errors
/// [`CheckFailure`].
pub(crate) async fn run(
    cx: &Context<Clients>,
    check: &Check,
    say: &(dyn Fn(&str) + Send + Sync),
) -> Result<Vec<String>, CheckFailure> {
    let mut trail = Trail { steps: Vec::new(), say };
    match walk(cx, check, &mut trail).await {
        Ok(()) => Ok(trail.steps),
        Err(problem) => Err(CheckFailure {
            steps: trail.steps,
            problem,
        }),
    }
}

struct Trail<'a> {
    steps: Vec<String>,
    say: &'a (dyn Fn(&str) + Send + Sync),
}

impl Trail<'_> {
    fn reached(&mut self, step: String) {
        (self.say)(&step);
        self.steps.push(step);
    }
}

async fn walk(cx: &Context<Clients>, check: &Check, trail: &mut Trail<'_>) -> Result<(), Diagnostic> {
    let token = sign_in(cx, check).await?;
    trail.reached(format!(
        "Entra signed the application {} in and issued it a token for {}.",
        check.client_id, check.audience
    ));
    let claims = Claims::decode(token.expose()).map_err(|error| no_jwt(&error))?;
    trail.reached(summary(&claims));
    let caller = cx.instance_with(&token)?;
    let table = check.table;
    match caller.sample(table).await {
        Ok(Sample::Rows) => trail.reached(format!(
            "The instance accepted the token, and its user may read {table}."
        )),
        Ok(Sample::Empty) => trail.reached(format!(
            "The instance accepted the token. There is no record in {table}, so nothing shows whether its user may read it."
        )),
        Ok(Sample::Hidden { count }) => {
            trail.reached("The instance accepted the token.".to_owned());
            return Err(evidence::of_hidden(cx, check, &claims, &caller, count).await);
        }
        Err(error) => return Err(evidence::of(cx, check, &claims, &caller, &error, Attempt::First).await),
    }
    // Microsoft uses a token for many calls, and JTI verification allows one.
    if let Err(error) = caller.sample(table).await {
        return Err(evidence::of(cx, check, &claims, &caller, &error, Attempt::Again).await);
    }
    trail.reached("It accepted the same token a second time.".to_owned());
    if check.write {
        write(cx, check, &claims, &caller, trail).await?;
    }
    Ok(())
}

/// Whether the token is used for the first or the second time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attempt {
    First,
    Again,
}

/// Makes a record as the support service does, and takes it away again.
async fn write(
    cx: &Context<Clients>,
    check: &Check,
    claims: &Claims,
    caller: &Session,
    trail: &mut Trail<'_>,
) -> Result<(), Diagnostic> {
    let table = check.table;
    let insert = Insert {
        table,
        row: Row::new().set(incident::SHORT_DESCRIPTION, SHORT_DESCRIPTION),
        read: &[],
        natural_key: None,
        input: InputMode::Stored,
    };
    let written = match caller.insert(insert).await {
        Ok(written) => written,
        Err(error) => return Err(evidence::of(cx, check, claims, caller, &error, Attempt::Again).await),
    };
    let sys_id = written.record.sys_id().clone();
    trail.reached(format!("It let the user create the record {sys_id} in {table}."));
    let mut removed = caller.delete(table, &sys_id).await.map(drop);
    if removed.is_err()
        && let Ok(account) = cx.instance()
    {
        // Many roles may create incidents, and few may delete them.
        removed = account.delete(table, &sys_id).await.map(drop);
    }
    removed.map_err(|error| {
        let mut problem = diagnostics::of_table(&error, "delete the record that the check created");
        problem.detail.push_str(&format!(
            "\n\nThe trust works. Delete the record {sys_id} of {table} manually."
        ));
        problem
    })?;
    trail.reached("The record was removed again.".to_owned());
    Ok(())
}

/// A token as Microsoft gets it, and the claims in it.
///
/// # Errors
/// What kept it from being issued.
pub(crate) async fn token(cx: &Context<Clients>, check: &Check) -> Result<(Secret, Claims), Diagnostic> {
    let token = sign_in(cx, check).await?;
    let claims = Claims::decode(token.expose()).map_err(|error| no_jwt(&error))?;
    Ok((token, claims))
}

/// Why the instance refused a call with a token, found out with the provider's own account.
pub(crate) async fn why_refused(
    cx: &Context<Clients>,
    check: &Check,
    claims: &Claims,
    caller: &Session,
    error: &TableError,
) -> Diagnostic {
    evidence::of(cx, check, claims, caller, error, Attempt::First).await
}

/// The user name behind a token, as far as the provider's own account can tell.
pub(crate) async fn user_of(account: &Session, check: &Check, claims: &Claims) -> Option<String> {
    evidence::user_name(account, check, claims).await
}

/// Signs in at the version 1 endpoint as Microsoft's guide does; where that one does not know what is asked for, at the
/// other. The version of the token is the audience's choice either way.
async fn sign_in(cx: &Context<Clients>, check: &Check) -> Result<Secret, Diagnostic> {
    let Some(authorities) = cx.data.authorities.clone() else {
        let detail = "The block microsoft365 of the provider configuration cannot be used.";
        let problem = || Diagnostic::error("Microsoft 365 is not configured", detail);
        return Err(cx.microsoft().err().unwrap_or_else(problem));
    };
    let Some(tenant) = check.tenant.clone().or(authorities.tenant) else {
        let detail = "Set `tenant` here, or tenant_id in the block microsoft365 of the provider (ARM_TENANT_ID).";
        return Err(Diagnostic::error("The tenant is missing", detail).at_attribute("tenant"));
    };
    let authority = Authority::new(authorities.login, &tenant).map_err(|error| refused(&error))?;
    let ask = async |endpoint, patience| {
        let credentials = (check.client_id.as_str(), &check.client_secret);
        let limits = cx.limits();
        entra::client_credentials(
            &authorities.http,
            &authority,
            credentials,
            &check.audience,
            endpoint,
            patience,
            &limits,
        )
        .await
    };
    let first = match ask(Endpoint::V1, check.patience).await {
        Ok(token) => return Ok(token.value),
        Err(error) => error,
    };
    let is_about_the_request = |refusal: &entra::Refusal| ABOUT_THE_REQUEST.contains(&refusal.error.as_str());
    let is_worth_another = matches!(&first, EntraError::NotEntra { .. })
        || matches!(&first, EntraError::Refused(refusal) if is_about_the_request(refusal));
    if is_worth_another && let Ok(token) = ask(Endpoint::V2, Patience::None).await {
        return Ok(token.value);
    }
    Err(refused(&first))
}

fn refused(error: &EntraError) -> Diagnostic {
    if let Some(diagnostic) = connection_diagnostics::of_entra_connection(error) {
        return diagnostic;
    }
    let problem = Diagnostic::error(FAILED, diagnostics::explain(error, &error.remedy()));
    let code = if let EntraError::Refused(refusal) = error {
        refusal.code
    } else {
        None
    };
    let place = match code {
        _ if matches!(error, EntraError::BadTenant(_)) => Some("tenant"),
        Some(7_000_215 | 7_000_222) => Some("client_secret"),
        Some(700_016 | 7_000_229 | 7_000_112) => Some("client_id"),
        Some(500_011 | 501_051 | 90_009) => Some("audience"),
        Some(90_002 | 900_023) => Some("tenant"),
        Some(_) | None => None,
    };
    match place {
        Some(place) => problem.at_attribute(place),
        None => problem,
    }
}

fn no_jwt(error: &JwtError) -> Diagnostic {
    let remedy = "The instance verifies JSON web tokens only. Entra issues other tokens for some of Microsoft's own \
                  services: `audience` must be the inbound application";
    Diagnostic::error(FAILED, diagnostics::explain(error, remedy)).at_attribute("audience")
}

/// The token's claims that matter here, in one line.
fn summary(claims: &Claims) -> String {
    let text = |name: &str| claims.text(name).unwrap_or("(missing)").to_owned();
    let caller = ["appid", "azp"]
        .iter()
        .find_map(|claim| Some(format!("{claim} {}", claims.text(claim)?)))
        .unwrap_or_else(|| "no calling application".to_owned());
    format!(
        "It is a version {} token: issuer {}, aud {}, {caller}.",
        text("ver"),
        text("iss"),
        claims.audiences().join(", ")
    )
}

/// A check of a table's name.
pub(crate) fn table_name() -> validate::Validator {
    validate::Validator::text("", |text| match Table::named(text) {
        Some(_) => Ok(()),
        None => Err(format!(
            "{text:?} is not a valid table name: expected lower-case letters, digits and underscores, such as incident."
        )),
    })
}

/// The title of every failure.
pub(crate) const FAILED: &str = "The inbound check failed";
const SHORT_DESCRIPTION: &str = "Check of the Microsoft 365 integration by Terraform; removed at once";
/// OAuth errors that are about what was asked for and not about who asked.
const ABOUT_THE_REQUEST: [&str; 4] = ["invalid_resource", "invalid_target", "invalid_request", "invalid_scope"];
