//! Access rules (ACL) as text for the person who may create them: no session of an API can.
//!
//! Pure: the same arguments give the same text, letter by letter, with keys that are made of them.

mod script; // The background script.
mod update_set; // The update set.

use aws_lc_rs::digest;

use crate::plugin::Value;
use crate::servicenow::tables::{sys_security_acl, sys_security_acl_role, sys_security_operation, sys_user_role};
use crate::servicenow::{Column, ColumnKind, SysId, Table};

pub(crate) use script::script;
pub(crate) use update_set::update_set;

/// The rules that are wanted: one for each name and operation.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Name of the role that each of them asks for.
    role: String,
    rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug)]
struct Rule {
    /// What it is about: `incident`, `incident.description`, `incident.*`.
    name: String,
    operation: &'static str,
    /// Key of the rule.
    key: String,
    /// Key of the record that gives it the role.
    link_key: String,
}

impl Rules {
    /// The rules for these names, role and operations, as a caller gave them.
    ///
    /// # Errors
    /// What is wrong, of the argument that it is wrong in.
    pub(crate) fn new(names: &[Value], role: &str, operations: &[Value]) -> Result<Rules, Wrong> {
        let names = distinct(names, rule_name).map_err(Wrong::Names)?;
        check_role(role).map_err(Wrong::Role)?;
        let operations = distinct(operations, operation).map_err(Wrong::Operations)?;
        let one = |name: &String, operation: &'static str| Rule {
            name: name.clone(),
            operation,
            key: key(&[sys_security_acl::TABLE.name(), name, operation, role]),
            link_key: key(&[sys_security_acl_role::TABLE.name(), name, operation, role]),
        };
        let of_name = |name| operations.iter().map(move |operation| one(name, operation));
        Ok(Rules {
            role: role.to_owned(),
            rules: names.iter().flat_map(of_name).collect(),
        })
    }
}

/// Which argument is wrong, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Wrong {
    Names(String),
    Role(String),
    Operations(String),
}

/// Each once, in the order given.
fn distinct<T: PartialEq>(texts: &[Value], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut found = Vec::new();
    for (position, text) in texts.iter().enumerate() {
        let text = text.as_str().ok_or_else(|| format!("Element {position} is null."))?;
        let one = read(text).map_err(|problem| format!("Element {position}: {problem}"))?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    if found.is_empty() {
        return Err("The list is empty.".to_owned());
    }
    Ok(found)
}

fn rule_name(text: &str) -> Result<String, String> {
    let (table, column) = text
        .split_once('.')
        .map_or((text, None), |(table, column)| (table, Some(column)));
    let is_column = |column: &str| column == ANY || Column::named(column, ColumnKind::Text).is_some();
    if Table::named(table).is_some() && column.is_none_or(is_column) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is not a valid name of a rule: expected a table (kb_knowledge), one of its columns (kb_knowledge.text) or all \
         of them (kb_knowledge.*)."
    ))
}

fn check_role(role: &str) -> Result<(), String> {
    let is_name = !role.is_empty()
        && role.trim() == role
        && role.chars().count() <= sys_user_role::LONGEST_NAME
        && !role
            .chars()
            .any(|c| c.is_control() || matches!(c, ',' | '^' | '\u{fffe}' | '\u{ffff}'));
    if is_name {
        return Ok(());
    }
    Err(format!(
        "{role:?} is not a valid role name: expected at most {} characters, without comma, circumflex, line break, or blanks at its \
         ends.",
        sys_user_role::LONGEST_NAME
    ))
}

fn operation(text: &str) -> Result<&'static str, String> {
    let known = sys_security_operation::OF_RECORDS;
    known.iter().find(|known| **known == text).copied().ok_or_else(|| {
        format!(
            "{text:?} is not an operation of rules for records: expected one of {}.",
            known.join(", ")
        )
    })
}

/// The `sys_id` of a role.
///
/// # Errors
/// For a text that is none.
pub(crate) fn role_key(text: &str) -> Result<SysId, String> {
    SysId::parse(text).map_err(|error| format!("{error}."))
}

/// A key that is the same for the same parts, and another one for any others.
fn key(parts: &[&str]) -> String {
    // No part contains a line break.
    let hash = digest::digest(&digest::SHA256, parts.join("\n").as_bytes());
    hash.as_ref()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// All columns of a table, in the name of a rule.
const ANY: &str = "*";

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<Value> {
        texts.iter().map(|text| Value::from(*text)).collect()
    }

    fn rules(names: &[&str], role: &str, operations: &[&str]) -> Result<Rules, Wrong> {
        Rules::new(&texts(names), role, &texts(operations))
    }

    #[test]
    fn a_rule_is_made_for_each_name_and_operation() {
        let rules = rules(
            &["incident", "incident.*", "incident"],
            "reader",
            &["read", "query_range"],
        )
        .unwrap();

        let made: Vec<_> = rules
            .rules
            .iter()
            .map(|rule| (rule.name.as_str(), rule.operation))
            .collect();
        assert_eq!(
            made,
            [
                ("incident", "read"),
                ("incident", "query_range"),
                ("incident.*", "read"),
                ("incident.*", "query_range")
            ]
        );
        let mut keys: Vec<_> = rules
            .rules
            .iter()
            .flat_map(|rule| [&rule.key, &rule.link_key])
            .collect();
        assert!(keys.iter().all(|key| SysId::is_one(key)), "{keys:?}");
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 8, "each has a key of its own");
    }

    #[test]
    fn keys_stay_the_same_over_releases() {
        let rules = rules(&["incident"], "reader", &["read"]).unwrap();
        assert_eq!(rules.rules[0].key, "1209b8301402b40024ebd2351ba69aea");
        assert_eq!(rules.rules[0].link_key, "43b41fb62a19a63170cb503aaf37d872");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_its_place() {
        for name in [
            "",
            "Incident",
            "*",
            "a b",
            "incident.",
            "incident.a.b",
            "x';--",
            "incident\n",
        ] {
            let Err(Wrong::Names(problem)) = rules(&["incident", name], "reader", &["read"]) else {
                panic!("{name:?} was accepted");
            };
            assert!(problem.starts_with("Element 1: "), "{problem}");
        }
        for role in ["", " reader", "a,b", "a^b", "a\nb", &"x".repeat(101)] {
            assert!(
                matches!(rules(&["incident"], role, &["read"]), Err(Wrong::Role(_))),
                "{role:?}"
            );
        }
        for operation in ["", "Read", "execute", "query"] {
            let wrong = rules(&["incident"], "reader", &[operation]);
            assert!(matches!(wrong, Err(Wrong::Operations(_))), "{operation:?}");
        }
        assert!(matches!(rules(&[], "reader", &["read"]), Err(Wrong::Names(_))));
        let null = Rules::new(&[Value::Null], "reader", &texts(&["read"]));
        assert!(matches!(null, Err(Wrong::Names(_))));
    }
}
