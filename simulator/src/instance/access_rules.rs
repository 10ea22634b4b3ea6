//! What the access rules among the records let an account read: `sys_security_acl` with its `sys_security_acl_role`.
//!
//! The names are tried from the nearest to the farthest, and the first that has a rule decides: `incident`, `task`, `*` for
//! a table; for a column the same with `.column`, and after them with `.*`. Of the rules of one name a single one is enough;
//! one of the kind "deny unless" must hold as well.

use std::collections::BTreeSet;

use crate::instance::caller::{Caller, Denied};
use crate::instance::query::Query;
use crate::instance::store::{Record, Rows, is_true, value};
use crate::instance::view::View;

/// What the rules let one account read of one table. Nothing where no rule is about it.
pub(super) struct ReadRules {
    /// Conditions of which a row must meet one; none where every row is shown.
    conditions: Vec<String>,
    /// Columns that are left out of every row.
    pub(super) denied: BTreeSet<String>,
}

impl ReadRules {
    /// The rules of a table, once its rows may be read at all.
    pub(super) fn of(view: &View<'_>, caller: &Caller, table: &str) -> ReadRules {
        let rules = Rules::new(&view.rows, caller);
        let lineage = view.schema.lineage(table);
        let conditions = match rules.nearest(table_names(&lineage)) {
            Some(nearest) => nearest.conditions().unwrap_or_default(),
            None => Vec::new(),
        };
        let columns = view
            .schema
            .columns(table)
            .into_iter()
            .flat_map(|columns| columns.keys());
        let is_denied = |column: &str| {
            let nearest = rules.nearest(column_names(&lineage, column));
            nearest.is_some_and(|nearest| nearest.conditions().is_none())
        };
        let denied = if rules.are_about_columns {
            columns
                .filter(|column| is_denied(column))
                .map(|column| (*column).to_owned())
                .collect()
        } else {
            BTreeSet::new()
        };
        ReadRules { conditions, denied }
    }

    /// Whether a row is shown. Rows that are not are counted all the same.
    pub(super) fn shows(&self, view: &View<'_>, table: &str, record: &Record) -> bool {
        let mut conditions = self.conditions.iter();
        self.conditions.is_empty()
            || conditions.any(|condition| Query::parse(view, table, condition).matches(view, table, record))
    }
}

/// Whether the rules let the account read anything of a table; `None` where no rule is about it.
pub(super) fn may_read(view: &View<'_>, caller: &Caller, table: &str) -> Option<Result<(), Denied>> {
    let rules = Rules::new(&view.rows, caller);
    let nearest = rules.nearest(table_names(&view.schema.lineage(table)))?;
    if nearest.conditions().is_some() {
        return Some(Ok(()));
    }
    let roles: Vec<_> = nearest
        .of
        .iter()
        .flat_map(|rule| &rule.roles)
        .map(String::as_str)
        .collect();
    Some(Err(Denied {
        status: 403,
        cause: format!(
            "User {} may not read {table}: the access rules {} ask for one of these roles: {}",
            caller.user_name,
            nearest.name,
            roles.join(", ")
        ),
    }))
}

struct Rules<'a> {
    records: Vec<&'a Record>,
    rows: &'a Rows,
    caller: &'a Caller,
    are_about_columns: bool,
}

struct Rule<'a> {
    record: &'a Record,
    roles: Vec<String>,
}

/// The rules of the name that decides.
struct Nearest<'a> {
    name: String,
    of: Vec<Rule<'a>>,
    caller: &'a Caller,
}

impl<'a> Rules<'a> {
    /// The active rules about reading records.
    fn new(rows: &'a Rows, caller: &'a Caller) -> Self {
        let is_meant = |rule: &&Record| {
            is_true(rule, "active") && value(rule, "operation") == "read" && value(rule, "type") == "record"
        };
        let records: Vec<_> = rows.of_class("sys_security_acl").filter(is_meant).collect();
        let are_about_columns = records.iter().any(|rule| value(rule, "name").contains('.'));
        Self {
            records,
            rows,
            caller,
            are_about_columns,
        }
    }

    /// The rules of the first of these names that has one.
    fn nearest(&self, names: impl IntoIterator<Item = String>) -> Option<Nearest<'a>> {
        names.into_iter().find_map(|name| {
            let records = self.records.iter().filter(|rule| value(rule, "name") == name);
            let of: Vec<_> = records
                .map(|record| Rule {
                    record,
                    roles: roles_of(self.rows, value(record, "sys_id")),
                })
                .collect();
            (!of.is_empty()).then_some(Nearest {
                name,
                of,
                caller: self.caller,
            })
        })
    }
}

impl Nearest<'_> {
    /// The conditions of the rules that let the account through, none where one has no condition; `None` if it may not.
    fn conditions(&self) -> Option<Vec<String>> {
        let (denying, allowing): (Vec<&Rule<'_>>, Vec<_>) = self
            .of
            .iter()
            .partition(|rule| value(rule.record, "decision_type") == "deny");
        if !denying.iter().all(|rule| rule.has_role(self.caller)) {
            return None;
        }
        let passing: Vec<_> = allowing.iter().filter(|rule| rule.has_role(self.caller)).collect();
        if passing.is_empty() && !allowing.is_empty() {
            return None;
        }
        let conditions = passing.iter().map(|rule| value(rule.record, "condition").to_owned());
        let conditions: Vec<_> = conditions.collect();
        Some(if conditions.iter().any(String::is_empty) {
            Vec::new()
        } else {
            conditions
        })
    }
}

impl Rule<'_> {
    fn has_role(&self, caller: &Caller) -> bool {
        let is_admin = is_true(self.record, "admin_overrides") && caller.roles.contains("admin");
        is_admin || self.roles.is_empty() || self.roles.iter().any(|role| caller.roles.contains(role))
    }
}

fn roles_of(rows: &Rows, rule: &str) -> Vec<String> {
    let links = rows.having("sys_security_acl_role", "sys_security_acl", rule);
    links
        .filter_map(|link| {
            let role = rows
                .having("sys_user_role", "sys_id", value(link, "sys_user_role"))
                .next()?;
            Some(value(role, "name").to_owned())
        })
        .collect()
}

fn table_names(lineage: &[&str]) -> Vec<String> {
    lineage.iter().copied().chain(["*"]).map(str::to_owned).collect()
}

fn column_names(lineage: &[&str], column: &str) -> Vec<String> {
    let tables = || lineage.iter().copied().chain(["*"]);
    let of = |column: &str| tables().map(|table| format!("{table}.{column}")).collect::<Vec<_>>();
    [of(column), of("*")].concat()
}
