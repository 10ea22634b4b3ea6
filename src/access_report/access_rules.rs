//! The access rules that decide whether a table and its columns may be read.
//!
//! Names are tried from the nearest to the farthest, and the first that has rules decides: of a table the table, those that
//! it extends, `*`; of a column the same with `.column`, then with `.*` (vendor's page on access control lists).

use std::collections::{BTreeMap, BTreeSet};

use crate::access_report::wanted::Wanted;
use crate::plugin::{Object, Value};
use crate::records::diagnostics;
use crate::servicenow::tables::{
    sys_db_object, sys_security_acl, sys_security_acl_role, sys_security_operation, sys_security_type,
};
use crate::servicenow::{Query, QueryError, Record, Session, Table, TableError};

/// The rules that decide about one table and the columns that are wanted of it.
pub(super) struct Access {
    /// Of each name that decides, with what it decides.
    decisions: Vec<Vec<Rule>>,
}

/// The same for somebody whose roles are known, or not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Judged {
    pub(super) rules: Vec<JudgedRule>,
    /// Roles of which one is missing.
    pub(super) missing: BTreeSet<String>,
    /// Whether a condition or a script decides as well.
    pub(super) is_conditional: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct JudgedRule {
    rule: Rule,
    is_met: Option<bool>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Rule {
    name: String,
    roles: BTreeSet<String>,
    is_conditional: bool,
    is_denying: bool,
    admin_overrides: bool,
}

/// Why the rules are not known, and what it takes.
pub(super) struct Unreadable(pub(super) String);

/// The rules about each of these tables, read with a few requests for all.
pub(super) async fn of(account: &Session, wanted: &[Wanted]) -> Result<Vec<Access>, Unreadable> {
    read(account, wanted).await.map_err(|error| {
        let table = sys_security_acl::TABLE;
        Unreadable(format!(
            "It could not be read which access rules decide ({}). The provider's own account needs to read {table}, {} and {}: the \
             first two take the role {} on most instances, where an administrator alone does not have it.",
            diagnostics::explain(&error, "").trim_end_matches('.'),
            sys_security_acl_role::TABLE,
            sys_db_object::TABLE,
            table.role()
        ))
    })
}

async fn read(account: &Session, wanted: &[Wanted]) -> Result<Vec<Access>, TableError> {
    let mut tables: Vec<Table> = Vec::new();
    for one in wanted {
        if !tables.contains(&one.table) {
            tables.push(one.table);
        }
    }
    let lineages = account.lineages(&tables).await?;
    if lineages.is_empty() {
        let what = "records of these tables, but shows none of them to the account".to_owned();
        return Err(TableError::Hidden {
            table: sys_db_object::TABLE,
            what,
        });
    }
    let names: Vec<Vec<Vec<String>>> = wanted
        .iter()
        .map(|one| names(one, lineages.get(&one.table).map(Vec::as_slice)))
        .collect();
    let all: BTreeSet<&String> = names.iter().flatten().flatten().collect();
    let rules = rules(account, &all.into_iter().collect::<Vec<_>>()).await?;
    let nearest = |names: &Vec<String>| names.iter().find_map(|name| rules.get(name)).cloned();
    let access = names.iter().map(|names| Access {
        decisions: names.iter().filter_map(nearest).collect(),
    });
    Ok(access.collect())
}

/// For the table and for each column: the names to try, nearest first. Where it is not known what the table extends, its own
/// alone: one that is farther does not decide before those in between.
fn names(wanted: &Wanted, lineage: Option<&[Table]>) -> Vec<Vec<String>> {
    let own = [wanted.table];
    let any = lineage.map(|_| ANY);
    let tables = || lineage.unwrap_or(&own).iter().map(Table::name).chain(any);
    let of = |column: &str| tables().map(|table| format!("{table}.{column}")).collect::<Vec<_>>();
    let mut names = vec![tables().map(str::to_owned).collect()];
    names.extend(
        wanted
            .columns
            .iter()
            .map(|column| [of(column.name()), of(ANY)].concat()),
    );
    names
}

/// The roles that rules ask for, by the rules' keys.
async fn roles_of(account: &Session, rules: &[Record]) -> Result<BTreeMap<String, BTreeSet<String>>, TableError> {
    use sys_security_acl_role::{ROLE_NAME, SYS_SECURITY_ACL, TABLE};
    let rules: Vec<&str> = rules.iter().map(|rule| rule.sys_id().as_str()).collect();
    let columns = [SYS_SECURITY_ACL, ROLE_NAME];
    let mut roles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for link in account.select_any_of(TABLE, SYS_SECURITY_ACL, &rules, &columns).await? {
        let (Some(rule), Some(role)) = (link.reference(SYS_SECURITY_ACL).value(), link.text(ROLE_NAME).value()) else {
            let what = "roles of access rules whose names are hidden".to_owned();
            return Err(TableError::Hidden { table: TABLE, what });
        };
        roles.entry(rule.to_owned()).or_default().insert(role.to_owned());
    }
    Ok(roles)
}

/// The active rules about reading records, by their names.
async fn rules(account: &Session, names: &[&String]) -> Result<BTreeMap<String, Vec<Rule>>, TableError> {
    use sys_security_acl::{
        ACTIVE, ADMIN_OVERRIDES, ADVANCED, CONDITION, DECISION_TYPE, DENY, NAME, OPERATION, TABLE, TYPE,
    };
    let wrong = |table| move |source: QueryError| TableError::Query { table, source };
    let columns = [NAME, DECISION_TYPE, CONDITION, ADVANCED, ADMIN_OVERRIDES];
    let mut found: Vec<Record> = Vec::new();
    for names in names.chunks(IN_A_QUERY) {
        let query = Query::any_of(NAME, names.iter().map(|name| name.as_str()))
            .and_then(|query| Ok(query.and(Query::equals(OPERATION, sys_security_operation::READ)?)))
            .and_then(|query| Ok(query.and(Query::equals(TYPE, sys_security_type::RECORD)?)))
            .and_then(|query| Ok(query.and(Query::equals(ACTIVE, true)?)));
        found.extend(account.select(TABLE, &query.map_err(wrong(TABLE))?, &columns).await?);
    }
    if found.is_empty() {
        // No rule at all is more likely no right to see one.
        account.shows_something(TABLE).await?;
    }
    let mut roles = roles_of(account, &found).await?;
    if !found.is_empty() && roles.is_empty() {
        // Rules that ask for no role at all are less likely than roles that are hidden.
        account.shows_something(sys_security_acl_role::TABLE).await?;
    }
    let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for record in &found {
        let name = record.text(NAME).value().unwrap_or_default();
        rules.entry(name.to_owned()).or_default().push(Rule {
            name: name.to_owned(),
            roles: roles.remove(record.sys_id().as_str()).unwrap_or_default(),
            is_conditional: record.text(CONDITION).value().is_some() || record.bool(ADVANCED).value() == Some(true),
            is_denying: record.text(DECISION_TYPE).value() == Some(DENY),
            admin_overrides: record.bool(ADMIN_OVERRIDES).value() == Some(true),
        });
    }
    Ok(rules)
}

impl Access {
    /// What the rules mean for somebody with these roles.
    pub(super) fn for_roles(self, roles: Option<&BTreeSet<String>>) -> Judged {
        let mut judged = Judged::default();
        for rules in self.decisions {
            let is_met = |rule: &Rule| roles.map(|roles| rule.is_met(roles));
            let allowing = || rules.iter().filter(|rule| !rule.is_denying);
            if allowing().next().is_some() && allowing().all(|rule| is_met(rule) == Some(false)) {
                judged.missing.extend(allowing().flat_map(|rule| rule.roles.clone()));
            }
            for rule in rules
                .iter()
                .filter(|rule| rule.is_denying && is_met(rule) == Some(false))
            {
                judged.missing.extend(rule.roles.clone());
            }
            // One that lets everything through makes the others of its name unimportant.
            let passing = || allowing().filter(|rule| is_met(rule) != Some(false));
            judged.is_conditional |= passing().next().is_some() && passing().all(|rule| rule.is_conditional);
            judged.rules.extend(rules.iter().map(|rule| JudgedRule {
                is_met: is_met(rule),
                rule: rule.clone(),
            }));
        }
        // Columns without rules of their own share those of all columns.
        let mut seen = Vec::new();
        judged.rules.retain(|rule| {
            let is_new = !seen.contains(rule);
            seen.push(rule.clone());
            is_new
        });
        judged
    }
}

impl Rule {
    fn is_met(&self, roles: &BTreeSet<String>) -> bool {
        let is_admin = self.admin_overrides && roles.contains(ADMIN);
        is_admin || self.roles.is_empty() || !self.roles.is_disjoint(roles)
    }
}

impl From<JudgedRule> for Value {
    fn from(judged: JudgedRule) -> Self {
        let JudgedRule { rule, is_met } = judged;
        Object::new()
            .with("name", rule.name)
            .with("roles", rule.roles.into_iter().collect::<Vec<_>>())
            .with("met", is_met)
            .with("conditional", rule.is_conditional)
            .with("denies", rule.is_denying)
            .into()
    }
}

const ANY: &str = "*";
const ADMIN: &str = "admin";
/// Names and keys that fit into an address together.
const IN_A_QUERY: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, roles: &[&str]) -> Rule {
        Rule {
            name: name.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            is_conditional: false,
            is_denying: false,
            admin_overrides: true,
        }
    }

    fn judged(rules: Vec<Rule>, roles: &[&str]) -> Judged {
        let access = Access { decisions: vec![rules] };
        access.for_roles(Some(&roles.iter().map(|role| (*role).to_owned()).collect()))
    }

    #[test]
    fn of_the_rules_of_a_name_one_is_enough() {
        let rules = || {
            vec![
                rule("incident", &["itil", "sn_incident_read"]),
                rule("incident", &["reader"]),
            ]
        };

        assert!(judged(rules(), &["reader"]).missing.is_empty());
        assert!(judged(rules(), &["admin"]).missing.is_empty());
        let missing = judged(rules(), &["knowledge"]).missing;
        assert_eq!(
            missing.into_iter().collect::<Vec<_>>(),
            ["itil", "reader", "sn_incident_read"]
        );
        assert!(
            judged(vec![rule("incident", &[])], &[]).missing.is_empty(),
            "it asks for no role"
        );
    }

    #[test]
    fn a_denying_rule_must_be_met_besides() {
        let denying = Rule {
            is_denying: true,
            admin_overrides: false,
            ..rule("incident", &["cleared"])
        };

        let found = judged(vec![rule("incident", &["itil"]), denying], &["itil", "admin"]);

        assert_eq!(found.missing.into_iter().collect::<Vec<_>>(), ["cleared"]);
    }

    #[test]
    fn a_condition_counts_where_no_other_rule_lets_through() {
        let conditional = || Rule {
            is_conditional: true,
            ..rule("incident", &["itil"])
        };

        assert!(judged(vec![conditional()], &["itil"]).is_conditional);
        assert!(!judged(vec![conditional(), rule("incident", &["itil"])], &["itil"]).is_conditional);
        assert!(
            !judged(vec![conditional()], &["reader"]).is_conditional,
            "it does not let through"
        );
    }

    #[test]
    fn names_go_from_the_nearest_to_the_farthest() {
        let table = |name| Table::named(name).unwrap();
        let wanted = Wanted {
            table: table("incident"),
            columns: vec![crate::servicenow::Column::named("category", crate::servicenow::ColumnKind::Text).unwrap()],
            query: Query::every_row(),
            may_hide_rows: false,
        };

        let lineage = [table("incident"), table("task")];
        let names = names(&wanted, Some(&lineage));

        assert_eq!(
            names,
            [
                vec!["incident", "task", "*"],
                vec![
                    "incident.category",
                    "task.category",
                    "*.category",
                    "incident.*",
                    "task.*",
                    "*.*"
                ]
            ]
        );
    }
}
