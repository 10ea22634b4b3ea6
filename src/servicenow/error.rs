//! Why a table call failed, and what to do about it.

use std::fmt;
use std::time::Duration;

use crate::http::HttpError;
use crate::servicenow::query::QueryError;
use crate::servicenow::sign_in::error::SignInError;
use crate::servicenow::sign_in::method::SignInMethod;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::Table;
use crate::servicenow::tables::{sys_user_has_role, sys_user_role_contains};

/// What was asked of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// GET.
    Read,
    /// POST.
    Insert,
    /// PATCH.
    Update,
    /// DELETE.
    Delete,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verb::Read => "read",
            Verb::Insert => "insert",
            Verb::Update => "update",
            Verb::Delete => "delete",
        })
    }
}

/// Why a table call failed. [`TableError::remedy`] says what can be done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TableError {
    /// Absent, or hidden by an access rule: the instance answers 404 to both.
    #[error("no record {sys_id} in {table}, or the account may not read it")]
    NotFound {
        table: Table,
        /// The key that was looked for.
        sys_id: SysId,
    },
    /// A natural key that several records share.
    #[error("{} records of {table} match {query}: {}", sys_ids.len(), list(sys_ids))]
    Ambiguous {
        table: Table,
        query: String,
        /// Their keys.
        sys_ids: Vec<SysId>,
    },
    /// There, as the instance's count says, but the account may not read it.
    #[error("{table} has {what}")]
    Hidden {
        table: Table,
        /// What is there and cannot be seen, as after "the table has".
        what: String,
    },
    /// Not in the answer, which does not count: that is no proof of absence.
    #[error("{host} showed no {what} in {table}, but did not count the rows either (X-Total-Count), so it may exist")]
    Unproven {
        /// Who answered.
        host: String,
        table: Table,
        /// What was looked for, as after "no".
        what: String,
    },
    /// A record with this natural key already exists.
    #[error("{table} already has a record with {key}{}", existing.as_ref().map(|id| format!(": {id}")).unwrap_or_default())]
    Duplicate {
        table: Table,
        /// The natural key.
        key: String,
        /// The record that has it, where it can be seen.
        existing: Option<SysId>,
    },
    /// Refused for good: the same request gets the same answer.
    #[error("{table} refused the {verb}: {reason}")]
    Refused {
        table: Table,
        verb: Verb,
        /// Who refused.
        reason: Refusal,
    },
    /// The instance made something else of a link between two records, and the row was removed again.
    #[error("{table} did not keep the link ({why}), so the row was removed again")]
    NotKept {
        table: Table,
        /// What was sent and what was kept.
        why: String,
    },
    /// No such table for any account.
    #[error("the instance has no table {table}")]
    NoSuchTable { table: Table },
    /// Called wrongly.
    #[error("{table} did not understand the {verb} (status {status}): {detail}")]
    BadRequest {
        table: Table,
        verb: Verb,
        status: u16,
        /// The instance's words.
        detail: String,
    },
    /// No row of the answer shows a column of a user's query, which the instance then ignores.
    #[error(
        "no record of {table} shows the column {column}, which the query is about{}",
        similar_names(similar)
    )]
    UnknownColumn {
        table: Table,
        /// The column, perhaps of a linked record: `user.user_name`.
        column: String,
        /// The column that may be meant.
        similar: Vec<String>,
    },
    #[error("the query for {table} cannot be sent")]
    Query {
        table: Table,
        #[source]
        source: QueryError,
    },
    /// The account was not accepted.
    #[error("{host} did not accept the sign-in ({method}): {detail}")]
    Unauthenticated {
        /// The instance.
        host: String,
        method: SignInMethod,
        /// The instance's words.
        detail: String,
    },
    /// No token was obtained.
    #[error("signing in failed")]
    SignIn {
        #[source]
        source: SignInError,
    },
    /// Something else than the Table API answered.
    #[error("{host} responded, but not with the Table API: {response}")]
    NotTheApi {
        /// Who answered.
        host: String,
        /// What it seems to be.
        response: UnexpectedResponse,
    },
    /// JSON that breaks off or does not have the shape of an answer, also after retries.
    #[error("{host} responded to the {verb} of {table} with unusable JSON: {detail}")]
    UnusableAnswer {
        /// Who answered.
        host: String,
        table: Table,
        verb: Verb,
        /// What is wrong.
        detail: String,
    },
    /// The instance ended the call because it took too long there.
    #[error("the instance cancelled the {verb} of {table}: {detail}")]
    TransactionCancelled {
        table: Table,
        verb: Verb,
        /// The instance's words.
        detail: String,
    },
    /// Too many requests, and waiting would take longer than the operation may.
    #[error("{host} limits the request rate of the account")]
    RateLimited {
        /// Who answered.
        host: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// No usable response, retries included.
    #[error("{table} gave no usable response to the {verb}{}", status.map(|status| format!(" (status {status})")).unwrap_or_default())]
    Unavailable {
        table: Table,
        verb: Verb,
        /// The status of the last answer, where there was one.
        status: Option<u16>,
        #[source]
        source: Option<Box<HttpError>>,
    },
    /// The user interrupted the run.
    #[error("the {verb} of {table} was interrupted")]
    Cancelled { table: Table, verb: Verb },
    /// An insert whose response was lost, and nothing shows beyond doubt whether it happened.
    #[error("it is not known whether the insert into {table} happened: {detail}")]
    Uncertain {
        table: Table,
        /// What is known.
        detail: String,
        /// A record that may be the one.
        candidate: Option<SysId>,
        /// The key that the record has if it was made; none where the instance chooses the key.
        ours: Option<SysId>,
    },
    #[error("{table} has no record named \"{name}\"{}", similar_names(similar))]
    UnknownName {
        table: Table,
        name: String,
        /// Names that resemble it.
        similar: Vec<String>,
    },
}

impl TableError {
    /// What becomes of a query of a table that cannot be sent, for `map_err`.
    pub fn of_query(table: Table) -> impl Fn(QueryError) -> TableError + Copy {
        move |source| TableError::Query { table, source }
    }

    /// What the user can do about it, in full sentences.
    pub fn remedy(&self) -> String {
        match self {
            TableError::NotFound { table, .. } => {
                format!(
                    "If the record was deleted in the meantime, run it again. If it exists, the account needs a role \
                     that may read {table}: {}.",
                    table.role()
                )
            }
            TableError::Ambiguous { .. } => {
                "Use the sys_id of the intended record.".to_owned()
            }
            TableError::Hidden { table, .. } => {
                format!(
                    "Give the account a role that may read {table}: {}. If it has one, an access rule (ACL) hides single \
                     rows or columns from it, or a before query business rule hides rows. A hidden record is not treated as \
                     deleted.",
                    table.role()
                )
            }
            TableError::Unproven { .. } => {
                "Check any proxy or gateway in between: it must forward the response header X-Total-Count. A record \
                 counts as deleted only if the instance confirms it."
                    .to_owned()
            }
            TableError::Duplicate { existing, .. } => match existing {
                Some(sys_id) => format!("Use another value, or import the record {sys_id}."),
                None => "Use another value, or import the existing record. The account does not see it: an access rule hides \
                         it, or it is an inactive user, which instances show to administrators only."
                    .to_owned(),
            },
            TableError::Refused { table, verb, reason } => reason.remedy(*table, *verb),
            TableError::NoSuchTable { table } => match table.origin() {
                Some(origin) => format!("It comes with {origin}: activate it, or upgrade the instance if its release is older."),
                None => "Check its name. If it is right, the release of the instance is probably too old, or instance_url points to something else.".to_owned(),
            },
            TableError::BadRequest { .. } => {
                "This is probably a defect of the provider, or a proxy that changes requests; please report it with the log.".to_owned()
            }
            TableError::UnknownColumn { .. } => {
                "The instance ignores a term about a column it does not have, and would respond with every row. Correct the \
                 name. If it is right, the account may not read the column."
                    .to_owned()
            }
            TableError::Query { source, .. } => source.remedy(),
            TableError::Unauthenticated { method, .. } => unauthenticated(*method),
            TableError::SignIn { source } => source.remedy(),
            TableError::NotTheApi { response, .. } => response.remedy().to_owned(),
            TableError::UnusableAnswer { .. } => {
                "Run it again. If the error persists, check proxies and gateways, and the instance's system log."
                    .to_owned()
            }
            TableError::TransactionCancelled { .. } => {
                "The instance is under load or a business rule takes long. Run it again later, or ask the administrator \
                 for the REST transaction quota."
                    .to_owned()
            }
            TableError::RateLimited { retry_after, .. } => {
                let wait = retry_after.map(|wait| format!("Wait {} s and run it again. ", wait.as_secs())).unwrap_or_default();
                format!(
                    "{wait}Set requests_per_second to stay below the limit, or ask for a higher limit for the account."
                )
            }
            TableError::Unavailable { source, .. } => match source.as_deref() {
                Some(error @ HttpError::Options(_)) => format!("{} Nothing was sent.", error.remedy()),
                Some(error) => error.remedy(),
                None => "Run it again when the instance is available.".to_owned(),
            },
            TableError::Cancelled { .. } => "Run it again to finish.".to_owned(),
            TableError::Uncertain { table, candidate, ours, .. } => match candidate {
                None if let Some(ours) = ours => format!(
                    "Run it again: the record is found by its sys_id, {ours}, if it was created with it. Some instances give it \
                     another one: then look for it in {table} first, and import it."
                ),
                Some(sys_id) => format!("Look at the record {sys_id} in {table}: if it is the one, import it; otherwise run it again."),
                None => format!("Check {table}: import the record if it is there, otherwise run it again."),
            },
            TableError::NotKept { table, .. } => format!(
                "A business rule of {table} chooses another record. Change the rule, or list what it chooses."
            ),
            TableError::UnknownName { .. } => "Correct the name; names are matched exactly.".to_owned(),
        }
    }

    /// Whether the instance refused the call for good, whatever it says the reason is.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            TableError::Refused { .. } | TableError::BadRequest { .. } | TableError::Duplicate { .. }
        )
    }

    /// Whether the record is known to be absent for this account.
    pub fn is_not_found(&self) -> bool {
        matches!(self, TableError::NotFound { .. })
    }

    /// Whether only the caller's own time or interruption ended the call, so that another caller may fare better.
    pub(super) fn is_callers_own(&self) -> bool {
        match self {
            TableError::Cancelled { .. } => true,
            TableError::Unavailable { source, .. } => {
                matches!(source.as_deref(), Some(HttpError::DeadlineExceeded { .. }))
            }
            TableError::RateLimited { .. } => true,
            TableError::SignIn {
                source: SignInError::Http(error),
            } => {
                matches!(
                    error,
                    HttpError::Cancelled | HttpError::DeadlineExceeded { .. } | HttpError::RateLimited { .. }
                )
            }
            TableError::NotFound { .. }
            | TableError::Ambiguous { .. }
            | TableError::Hidden { .. }
            | TableError::Unproven { .. }
            | TableError::Duplicate { .. }
            | TableError::Refused { .. }
            | TableError::NoSuchTable { .. }
            | TableError::BadRequest { .. }
            | TableError::UnknownColumn { .. }
            | TableError::Query { .. }
            | TableError::Unauthenticated { .. }
            | TableError::SignIn { .. }
            | TableError::NotTheApi { .. }
            | TableError::UnusableAnswer { .. }
            | TableError::TransactionCancelled { .. }
            | TableError::Uncertain { .. }
            | TableError::NotKept { .. }
            | TableError::UnknownName { .. } => false,
        }
    }

    /// What an error of the wire means for this call.
    pub(super) fn from_http(table: Table, verb: Verb, source: HttpError) -> TableError {
        match source {
            HttpError::Cancelled => TableError::Cancelled { table, verb },
            HttpError::RateLimited { host, retry_after } => TableError::RateLimited { host, retry_after },
            HttpError::Redirected { host, status, to } => TableError::NotTheApi {
                host,
                response: UnexpectedResponse::Redirect { status, to },
            },
            HttpError::DeadlineExceeded { .. }
            | HttpError::Options(_)
            | HttpError::Dns { .. }
            | HttpError::Connect { .. }
            | HttpError::ProxyRefused { .. }
            | HttpError::Tls { .. }
            | HttpError::Lost { .. }
            | HttpError::Uncertain { .. }
            | HttpError::InsecureUrl { .. }
            | HttpError::BadUrl { .. }
            | HttpError::ForeignHost { .. }
            | HttpError::TooLarge { .. }
            | HttpError::Compressed { .. } => TableError::Unavailable {
                table,
                verb,
                status: None,
                source: Some(Box::new(source)),
            },
        }
    }
}

/// Who refused a request that was understood.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("an access rule (ACL) forbids it to the account ({detail})")]
    Acl {
        /// The instance's words.
        detail: String,
    },
    /// A business rule or data policy.
    #[error("{} aborted it ({detail})", rule.as_ref().map_or_else(|| "a business rule or data policy".to_owned(), |rule| format!("the business rule \"{rule}\"")))]
    BusinessRule {
        /// Its name, where the instance tells.
        rule: Option<String>,
        /// The instance's words.
        detail: String,
    },
    /// Application access between scopes.
    #[error("the cross-scope access policy forbids it ({detail})")]
    CrossScope {
        /// The instance's words.
        detail: String,
    },
    /// The API asks for an auth scope that the token does not have.
    #[error("the token lacks the auth scope {scope}, which the API asks for")]
    MissingScope {
        /// Name of the scope (`sys_auth_scope`).
        scope: String,
    },
    /// No reason that we know.
    #[error("{detail}")]
    Other {
        /// The instance's words.
        detail: String,
    },
}

impl Refusal {
    fn remedy(&self, table: Table, verb: Verb) -> String {
        match self {
            Refusal::Acl { .. } | Refusal::Other { .. } => format!(
                "{}The account probably lacks a role: to {verb} {table} it needs {}. Where the REST access rules are \
                 active it also needs snc_platform_rest_api_access.{}",
                match (self, verb) {
                    // The instance says no more of a key that another record has.
                    (Refusal::Other { .. }, Verb::Insert | Verb::Update) => {
                        "If another record has the same name or key, perhaps one that the account does not see (an inactive \
                         user), choose another one. If not: "
                    }
                    _ => "",
                },
                table.role(),
                if verb == Verb::Read { "" } else { particular(table) }
            ),
            Refusal::MissingScope { scope } => format!(
                "Roles are not the cause. In the instance, give {scope} to the OIDC provider or application registry that \
                 the token belongs to, or useraccount, which opens every API. If it has one of them: of several active \
                 API access scopes (sys_api_access_scope) for one API only one counts."
            ),
            Refusal::BusinessRule { .. } => format!(
                "Credentials and roles are not the cause. The rule's own message is only in the instance: try the same \
                 change in the form of {table}, or ask its administrator.{}",
                if verb == Verb::Insert && table == sys_user_role_contains::TABLE {
                    CYCLE
                } else {
                    ""
                }
            ),
            Refusal::CrossScope { .. } => format!(
                "Open the table's application access (sys_db_object) for {table}, or add a cross-scope privilege."
            ),
        }
    }
}

/// What answered in place of the Table API.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnexpectedResponse {
    /// A developer instance that sleeps.
    #[error("the instance is hibernating")]
    Hibernating,
    /// An upgrade or a failover.
    #[error("the instance is under maintenance")]
    Maintenance,
    #[error("a login page")]
    LoginPage,
    /// A 403 that is a page: address rules work this way.
    #[error("a 403 page, as the IP address access control sends it")]
    AddressBlocked,
    /// A proxy or gateway that wants or says something.
    #[error("a proxy or gateway (status {status})")]
    Proxy { status: u16 },
    /// The address of the API is unknown there.
    #[error("there is no Table API at this address (status {status})")]
    NoSuchRoute { status: u16 },
    #[error("a redirect (status {status}) to {to}")]
    Redirect {
        status: u16,
        /// Where to, without query.
        to: String,
    },
    #[error("{content_type} with status {status}{}", title.as_ref().map(|title| format!(", titled {title:?}")).unwrap_or_default())]
    Unknown {
        content_type: String,
        status: u16,
        /// The page's title.
        title: Option<String>,
    },
}

impl UnexpectedResponse {
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            UnexpectedResponse::Hibernating => {
                "Wake the instance at developer.servicenow.com (Manage > Instance > Wake up instance), wait until it is \
                 ready, and run it again."
            }
            UnexpectedResponse::Maintenance => "Wait until the instance is back and run it again.",
            UnexpectedResponse::LoginPage => {
                "Check instance_url (the plain address of the instance, https://<name>.service-now.com) and the sign-in."
            }
            UnexpectedResponse::AddressBlocked => {
                "Allow the address of this machine in the instance's IP address access control (System Security > IP \
                 Address Access Control), or run it from an allowed network. A proxy or gateway in between can send such a page \
                 too."
            }
            UnexpectedResponse::Proxy { .. } => {
                "Check HTTPS_PROXY and NO_PROXY, and what the gateway before the instance requires."
            }
            UnexpectedResponse::NoSuchRoute { .. } => {
                "Check instance_url. A developer instance that was idle for ten days is reclaimed: its address is \
                 then no longer in use."
            }
            UnexpectedResponse::Redirect { .. } => {
                "Set instance_url to the final address, the one that responds without a redirect. A redirect to a \
                 login page means wrong credentials or an instance that only allows single sign-on."
            }
            UnexpectedResponse::Unknown { .. } => {
                "Open instance_url in a browser: something other than the Table API is responding there."
            }
        }
    }
}

/// What a configuration of the client is wrong about.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not an address credentials may go to.
    #[error("instance_url cannot be used")]
    InstanceUrl {
        #[source]
        source: HttpError,
    },
    /// A setting that the chosen sign-in method needs.
    #[error("signing in with {method} needs {missing}")]
    Missing {
        method: SignInMethod,
        /// The provider's attribute.
        missing: &'static str,
    },
    /// A given token that cannot be one.
    #[error("{attribute} cannot be used: {problem}")]
    Unusable {
        /// The provider's attribute.
        attribute: &'static str,
        problem: &'static str,
        /// What the user can do about it, as a sentence.
        remedy: &'static str,
    },
}

fn unauthenticated(method: SignInMethod) -> String {
    let causes = match method {
        SignInMethod::Basic => {
            "Check username and password, that the user is active and not locked out, that it needs no password reset \
             and no multi-factor authentication, and that Basic authentication is allowed to it (newer instances \
             restrict it to certain roles)."
        }
        SignInMethod::OidcToken => {
            "Check that an OIDC provider of the instance (oauth_oidc_entity) is active and has the token's `aud` as \
             client_id, that its configuration's metadata address belongs to the token's issuer, that the claim names \
             an active user, that the token has not expired and JTI verification is off."
        }
        SignInMethod::ApiKey => {
            "Check the key, that plugin com.glide.tokenbased_auth is active, and that an API access policy lets the key \
             reach the Table API."
        }
        SignInMethod::AccessToken => {
            "The token given as access_token was refused: it has expired, was revoked, or belongs to another instance or \
             to a user that is not active."
        }
        SignInMethod::ClientCertificate => {
            "Check that the certificate is registered for an active user of the instance."
        }
        SignInMethod::ClientCredentials
        | SignInMethod::Password
        | SignInMethod::RefreshToken
        | SignInMethod::JwtBearer => {
            "The token was refused, also after a fresh sign-in. Check that the user it stands for is active and not \
             locked out, and that the application registry is active."
        }
    };
    causes.to_owned()
}

fn list(sys_ids: &[SysId]) -> String {
    let shown: Vec<&str> = sys_ids.iter().take(MAX_LISTED).map(SysId::as_str).collect();
    let more = if sys_ids.len() > MAX_LISTED { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn similar_names(similar: &[String]) -> String {
    if similar.is_empty() {
        return String::new();
    }
    format!(
        "; did you mean {}?",
        similar
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// The way around grants that want a role which only an interactive session can take on.
/// What else a table may ask for, or refuse, beyond a role.
fn particular(table: Table) -> &'static str {
    if table == sys_user_has_role::TABLE {
        BY_GROUP
    } else if table == sys_user_role_contains::TABLE {
        CYCLE
    } else {
        ""
    }
}

const CYCLE: &str = " A role can contain neither itself nor a role that contains it, directly or through others.";
const BY_GROUP: &str = " Some instances grant roles only with elevated security_admin, which no API session has: there, \
                        have an administrator give the role to a group and put the user into that group (`groups`).";
const MAX_LISTED: usize = 10;
