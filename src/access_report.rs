//! What an account can read of some tables, row by row and column by column, and which access rules decide.
//!
//! Reading shows what may be read, and only rows show it: an answer without any proves nothing. The provider's own account
//! looks at the same tables, so that a table which is empty is told from one that hides everything.

mod access_rules; // The access rules that decide.
mod caller; // As whom the tables are read.
mod finding; // What is said about a table.
mod reading; // What a table shows.
mod wanted; // What is to be looked at.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::clients::{Calls, Clients};
use crate::inbound_check;
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Need, Object, Type, Value};
use crate::records::{diagnostics, lookup, user_roles};
use crate::servicenow::tables::{sys_security_acl, sys_security_acl_role};
use crate::servicenow::{Column, ColumnKind, Query, Session};

use access_rules::{Access, Unreadable};
pub(crate) use caller::{Caller, arguments, check_arguments};
use finding::Finding;
use reading::{Seen, Sight};
use wanted::{TABLES, Wanted, check_queries};

/// What was found.
pub(crate) struct Report {
    pub(crate) is_ok: bool,
    user_name: Option<String>,
    roles: Option<BTreeSet<String>>,
    /// Why the rules are not known; none where they are.
    note: Option<String>,
    findings: Vec<Finding>,
}

/// The rights for a report.
pub(crate) fn needs() -> Vec<Need> {
    vec![
        Need::new(
            "none in particular; with the right to read the tables an empty table can be distinguished from a hidden one",
            "the comparison with the provider's own sign-in",
        ),
        Need::new(
            format!(
                "tables `{}` and `{}`: role `security_admin` on most instances; users and roles",
                sys_security_acl::TABLE,
                sys_security_acl_role::TABLE
            ),
            "the access rules that decide, with the provider's own sign-in",
        ),
    ]
}

/// The tables of a report, and how much of each is read.
pub(crate) fn tables() -> Vec<Attribute> {
    vec![
        Attribute::list_of(
            TABLES,
            vec![
                Attribute::text("name")
                    .required()
                    .check(inbound_check::table_name())
                    .describe("The table."),
                Attribute::texts("columns").check(validate::each(column_name())).describe(
                    "Columns that must be readable as well. A column that the account may not read is \
                     silently missing from every response.",
                ),
                Attribute::text("query")
                    .check(validate::not_blank())
                    .check(encoded_query())
                    .describe("Encoded query of the rows that count. Default: all rows."),
                Attribute::flag("may_hide_rows").describe(
                    "Whether it is right that some of the rows are hidden, as with articles for a few readers. Default `false`.",
                ),
            ],
        )
        .required()
        .check(validate::Validator::new("At least one.", |checked| {
            match checked.value.as_list() {
                Some([]) => Err("The list is empty. Name at least one table.".to_owned()),
                _ => Ok(()),
            }
        }))
        .describe("The tables to look at."),
        Attribute::integer("sample_size").check(validate::between(1, 1000)).describe(format!(
            "How many rows of each table are looked at, in the order of `sys_id`; hidden rows among later ones are not found. \
             Default `{SAMPLE_SIZE}`."
        )),
    ]
}

/// What a report says.
pub(crate) fn results() -> Vec<Attribute> {
    let texts = |name, description: &str| {
        Attribute::of(name, Type::list(Type::String))
            .computed()
            .describe(description)
    };
    vec![
        lookup::flag(
            "ok",
            "Whether nothing is known that the account may not read. A table that is `empty` proves nothing, and does not count.",
        ),
        lookup::text("read_as", "User name of the account that read the tables; null where it is not known."),
        texts("roles", "The roles of that user, by name; null where they are not known."),
        lookup::text(
            "rules_note",
            "Why it is not known which access rules decide, and what it takes; null where it is known.",
        ),
        Attribute::list_of(
            FINDINGS,
            vec![
                lookup::text("table", "The table."),
                lookup::text(
                    "status",
                    "`readable`; `empty` (no rows, for the provider's own account neither: nothing shows whether the account \
                     may read it); `partly_hidden` (some rows or columns); `forbidden`; or `no_such_table`.",
                ),
                lookup::text("detail", "What was found."),
                lookup::text("remedy", "What to do about it; empty if nothing needs to be done."),
                lookup::integer("rows_shown", "How many of the rows that were looked at the account was shown."),
                lookup::integer(
                    "hidden_rows",
                    "How many rows are hidden, as far as was looked: counted and not shown, or shown to the provider's own \
                     account and not counted.",
                ),
                texts("hidden_columns", "Columns that the table has and does not show to the account."),
                texts("unknown_columns", "Columns that the table does not have, or shows to nobody here."),
                texts(
                    "missing_roles",
                    "Roles of which the user lacks one, by the access rules; empty where the rules are met or not known.",
                ),
                Attribute::list_of(
                    "rules",
                    vec![
                        lookup::text("name", "What the rule is about, such as `task`, `incident.description` or `*`."),
                        texts("roles", "Roles of which one is enough; empty if it asks for none."),
                        lookup::flag("met", "Whether the user has one of them; null where the roles are not known."),
                        lookup::flag(
                            "conditional",
                            "Whether a condition or a script decides as well, row by row.",
                        ),
                        lookup::flag(
                            "denies",
                            "Whether the rule must be met besides the others (*Deny Unless*); of the others one is enough.",
                        ),
                    ],
                )
                .computed()
                .describe("The access rules about reading that decide: those of the nearest name that has any."),
            ],
        )
        .computed()
        .describe("One entry for each table, in their order."),
    ]
}

/// Reads the tables as a caller and says what they show.
///
/// # Errors
/// Where nothing could be read at all: the sign-in was refused, the instance was not reached.
pub(crate) async fn report(cx: &Context<Clients>, caller: &Caller, config: &Object) -> Result<Report, Diagnostics> {
    let wanted = Wanted::all(config)?;
    let own = if caller.is_provider { None } else { cx.instance().ok() };
    check_queries(own.as_ref().unwrap_or(&caller.session), &wanted).await?;
    let size = config
        .integer("sample_size")
        .and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(SAMPLE_SIZE);
    let sights = join_all(wanted.iter().map(|one| reading::look(&caller.session, one, size))).await;
    let mut seen = Vec::new();
    for sight in sights {
        match sight {
            Ok(sight) => seen.push(sight),
            Err(error) => return Err(caller.why(cx, &error).await.into()),
        }
    }
    let own_sights = match &own {
        // Its rights are no matter of this report: what it cannot read is not compared.
        Some(own) => join_all(wanted.iter().map(|one| reading::look(own, one, 1))).await,
        None => Vec::new(),
    };
    let own_sights = own_sights.into_iter().map(Result::ok).chain(std::iter::repeat(None));
    let account = own.as_ref().unwrap_or(&caller.session);
    let user_name = caller.user_name(account).await;
    let roles = match &user_name {
        Some(name) => roles_of(account, name).await,
        None => None,
    };
    let access = access_rules::of(account, &wanted).await;
    let (access, note) = match access {
        Ok(access) => (access, None),
        Err(Unreadable(note)) => (Vec::new(), Some(note)),
    };
    let note = note.or_else(|| roles.is_none().then(|| UNKNOWN_ROLES.to_owned()));
    let access = access.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
    let mut findings = Vec::new();
    for (((one, sight), own_sight), access) in wanted.iter().zip(seen).zip(own_sights).zip(access) {
        let unknown = unknown_columns(account, one, &sight, own_sight.as_ref()).await;
        let access = access.map(|access: Access| access.for_roles(roles.as_ref()));
        findings.push(Finding::new(one, &sight, own_sight.as_ref(), unknown, access));
    }
    Ok(Report {
        is_ok: !findings.iter().any(|finding| finding.is_failure),
        user_name,
        roles,
        note,
        findings,
    })
}

/// The columns that the table does not have, of those that the account is not shown.
async fn unknown_columns(account: &Session, wanted: &Wanted, sight: &Sight, own: Option<&Sight>) -> BTreeSet<String> {
    let mut missing = match sight {
        // No row shows what the table has, beyond what every table has.
        Sight::Rows(seen) if seen.shown == 0 => {
            let names = wanted
                .columns
                .iter()
                .map(Column::name)
                .filter(|name| !name.starts_with("sys_"));
            names.map(str::to_owned).collect()
        }
        _ => sight.missing_columns(),
    };
    if let Some(Sight::Rows(Seen {
        shown, missing: own, ..
    })) = own
        && *shown > 0
    {
        missing.retain(|column| own.contains(column));
    }
    if missing.is_empty() {
        return missing;
    }
    let Ok(dictionary) = account.dictionary(wanted.table).await else {
        return BTreeSet::new();
    };
    missing.retain(|column| dictionary.is_complete() && dictionary.column(column).is_none());
    missing
}

async fn roles_of(account: &Session, user_name: &str) -> Option<BTreeSet<String>> {
    let user = account.users().find(user_name).await.ok()??;
    user_roles::active(account, &user).await.ok()
}

impl Report {
    /// The configuration with what was found.
    pub(crate) fn into_object(self, config: Object) -> Object {
        let roles = self.roles.map(|roles| roles.into_iter().collect::<Vec<_>>());
        config
            .with("ok", self.is_ok)
            .with("read_as", self.user_name)
            .with("roles", roles)
            .with("rules_note", self.note)
            .with(FINDINGS, self.findings.into_iter().map(Value::from).collect::<Vec<_>>())
    }

    /// What the account may not read, as one error; none where nothing is known that it may not.
    pub(crate) fn problem(&self) -> Option<Diagnostic> {
        let failures = self.findings.iter().filter(|finding| finding.is_failure);
        let mut detail = failures.map(Finding::told).collect::<Vec<_>>().join("\n\n");
        if detail.is_empty() {
            return None;
        }
        if let Some(note) = &self.note {
            detail.push_str("\n\n");
            detail.push_str(note);
        }
        let who = self
            .user_name
            .as_ref()
            .map_or_else(|| "The account".to_owned(), |name| format!("The user {name}"));
        Some(Diagnostic::error(format!("{who} cannot read everything"), detail))
    }

    /// One line for each table.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.findings.iter().map(Finding::line)
    }
}

fn column_name() -> validate::Validator {
    validate::Validator::text("", |text| match Column::named(text, ColumnKind::Text) {
        Some(_) => Ok(()),
        None => Err(format!(
            "{text:?} is not a valid column name: expected letters, digits and underscores, such as short_description."
        )),
    })
}

fn encoded_query() -> validate::Validator {
    validate::Validator::text("", |text| match Query::user(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(diagnostics::explain(&error, &error.remedy())),
    })
}

const FINDINGS: &str = "findings";
const SAMPLE_SIZE: usize = 20;
const UNKNOWN_ROLES: &str = "The roles of the user are not known: set `user_name`, and let the provider's own account read users and their \
                             roles (user_admin).";
