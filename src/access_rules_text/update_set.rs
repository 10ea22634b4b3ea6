//! An update set as a file, for *Retrieved Update Sets > Import Update Set from XML*.

use std::fmt::Write;

use crate::access_rules_text::script::DESCRIPTION;
use crate::access_rules_text::{Rule, Rules, key};
use crate::servicenow::tables::{
    every, sys_metadata, sys_remote_update_set, sys_scope, sys_security_acl, sys_security_acl_role,
    sys_security_operation, sys_security_type, sys_update_xml,
};
use crate::servicenow::{Column, SysId, Table};

/// The update set that contains the rules.
///
/// # Errors
/// For an operation whose key is not the same on every instance, so that a file cannot name it.
pub(crate) fn update_set(rules: &Rules, role: &SysId) -> Result<String, String> {
    let parts = rules
        .rules
        .iter()
        .map(|rule| rule.name.as_str())
        .chain([rules.role.as_str(), role.as_str()]);
    let operations = rules.rules.iter().map(|rule| rule.operation);
    let own = key(&parts.chain(operations).collect::<Vec<_>>());
    let name = format!("Access rules for {}", rules.role);
    let mut updates = String::new();
    for rule in &rules.rules {
        updates.push_str(&update(&own, "Access Control", &target(rule), &rule_record(rule)?));
        updates.push_str(&update(
            &own,
            "Access Roles",
            &target(rule),
            &link_record(rule, &rules.role, role),
        ));
    }
    let mut set = Element::new(sys_remote_update_set::TABLE);
    set.text(every::SYS_ID, &own);
    set.text(sys_remote_update_set::NAME, &name);
    set.text(sys_remote_update_set::DESCRIPTION, DESCRIPTION);
    set.text(sys_remote_update_set::APPLICATION, sys_scope::GLOBAL);
    set.text(sys_remote_update_set::APPLICATION_NAME, GLOBAL);
    set.text(sys_remote_update_set::APPLICATION_SCOPE, sys_scope::GLOBAL);
    set.text(sys_remote_update_set::REMOTE_SYS_ID, &own);
    set.text(sys_remote_update_set::STATE, sys_remote_update_set::LOADED);
    Ok(format!(
        "{PROLOGUE}\n<unload unload_date=\"{UNLOADED}\">\n{}{updates}</unload>\n",
        set.finish()
    ))
}

/// A record of the update set.
struct Update {
    table: Table,
    key: String,
    payload: String,
}

fn rule_record(rule: &Rule) -> Result<Update, String> {
    let operation = sys_security_operation::key_of(rule.operation).ok_or_else(|| {
        format!(
            "The operation {} has a key that differs between instances, so an update set cannot contain it. Use the script: it \
             looks the operation up.",
            rule.operation
        )
    })?;
    let mut record = Element::new(sys_security_acl::TABLE);
    record.text(sys_security_acl::ACTIVE, "true");
    record.text(sys_security_acl::ADMIN_OVERRIDES, "true");
    record.text(sys_security_acl::ADVANCED, "false");
    record.text(sys_security_acl::CONDITION, "");
    record.text(sys_security_acl::DECISION_TYPE, sys_security_acl::ALLOW);
    record.text(sys_security_acl::DESCRIPTION, DESCRIPTION);
    record.text(sys_security_acl::NAME, &rule.name);
    record.reference(
        sys_security_acl::OPERATION,
        operation,
        &[(DISPLAY_VALUE, rule.operation)],
    );
    record.text(sys_security_acl::SCRIPT, "");
    record.text(sys_metadata::SYS_NAME, &rule.name);
    Ok(finish(sys_security_acl::TABLE, &rule.key, record, |record| {
        let kind = sys_security_type::RECORD;
        record.reference(sys_security_acl::TYPE, kind, &[(DISPLAY_VALUE, kind)]);
    }))
}

fn link_record(rule: &Rule, role: &str, role_key: &SysId) -> Update {
    let mut record = Element::new(sys_security_acl_role::TABLE);
    record.text(sys_metadata::SYS_NAME, &format!("{}.{role}", rule.name));
    finish(sys_security_acl_role::TABLE, &rule.link_key, record, |record| {
        let of = sys_security_acl_role::SYS_SECURITY_ACL;
        record.reference(of, &rule.key, &[(DISPLAY_VALUE, &rule.name)]);
        // An import finds a role of another key by its name.
        let of = sys_security_acl_role::SYS_USER_ROLE;
        record.reference(of, role_key.as_str(), &[(DISPLAY_VALUE, role), ("name", role)]);
    })
}

fn finish(table: Table, key: &str, mut record: Element, rest: impl FnOnce(&mut Element)) -> Update {
    record.text(every::SYS_CLASS_NAME, table.name());
    record.text(every::SYS_ID, key);
    record.reference(every::SYS_SCOPE, sys_scope::GLOBAL, &[(DISPLAY_VALUE, GLOBAL)]);
    record.text(sys_metadata::SYS_UPDATE_NAME, &format!("{table}_{key}"));
    rest(&mut record);
    let record = record.finish();
    Update {
        table,
        key: key.to_owned(),
        payload: format!("{PROLOGUE}<record_update table=\"{table}\">\n{record}</record_update>"),
    }
}

fn update(set: &str, kind: &str, target: &str, record: &Update) -> String {
    let name = format!("{}_{}", record.table, record.key);
    let mut update = Element::new(sys_update_xml::TABLE);
    update.text(sys_update_xml::ACTION, INSERT_OR_UPDATE);
    update.text(sys_update_xml::APPLICATION, sys_scope::GLOBAL);
    update.text(sys_update_xml::CATEGORY, sys_update_xml::CUSTOMER);
    update.text(sys_update_xml::NAME, &name);
    update.text(sys_update_xml::PAYLOAD, &record.payload);
    update.text(sys_update_xml::REMOTE_UPDATE_SET, set);
    update.text(sys_update_xml::REPLACE_ON_UPGRADE, "false");
    update.text(every::SYS_ID, &key(&[set, &name]));
    update.text(sys_update_xml::TARGET_NAME, target);
    update.text(sys_update_xml::TYPE, kind);
    update.text(sys_update_xml::UPDATE_DOMAIN, sys_scope::GLOBAL);
    update.finish()
}

/// What a reviewer reads in the list of the set's contents.
fn target(rule: &Rule) -> String {
    format!("{} ({})", rule.name, rule.operation)
}

/// A record as an element, with a child for each column.
struct Element {
    table: Table,
    text: String,
}

impl Element {
    fn new(table: Table) -> Self {
        Self {
            table,
            text: format!("<{table} action=\"{INSERT_OR_UPDATE}\">\n"),
        }
    }

    fn text(&mut self, column: Column, text: &str) {
        self.reference(column, text, &[]);
    }

    fn reference(&mut self, column: Column, text: &str, attributes: &[(&str, &str)]) {
        let tag = column.name();
        let _ = write!(self.text, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"{}\"", escaped(value));
        }
        let _ = writeln!(self.text, ">{}</{tag}>", escaped(text));
    }

    fn finish(mut self) -> String {
        let _ = writeln!(self.text, "</{}>", self.table);
        self.text
    }
}

/// A text inside an element or an attribute. Characters that XML cannot contain are refused before.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // A parser would turn it into a blank, or into another line break.
            '\n' | '\r' | '\t' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
/// Attribute of a reference: what the record is called.
const DISPLAY_VALUE: &str = "display_value";
/// What lists call the application `global`.
const GLOBAL: &str = "Global";
const INSERT_OR_UPDATE: &str = "INSERT_OR_UPDATE";
/// The same file for the same arguments: the time of writing is not in it.
const UNLOADED: &str = "2026-01-01 00:00:00";

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::plugin::Value;

    const ROLE: &str = "0123456789abcdef0123456789abcdef";

    fn rendered(names: &[&str], role: &str, operations: &[&str]) -> Result<String, String> {
        let list = |texts: &[&str]| texts.iter().map(|text| Value::from(*text)).collect::<Vec<_>>();
        let rules = Rules::new(&list(names), role, &list(operations)).unwrap();
        update_set(&rules, &SysId::parse(ROLE).unwrap())
    }

    fn child<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
        let child = node.children().find(|child| child.has_tag_name(name));
        child
            .unwrap_or_else(|| panic!("{name} is missing"))
            .text()
            .unwrap_or_default()
    }

    #[test]
    fn a_parser_reads_the_values_back_whatever_they_are() {
        let nasty = "a\"b'c</sys_user_role>&amp;]]><!--";
        let text = rendered(&["incident"], nasty, &["query_range"]).unwrap();

        let set = Document::parse(&text).unwrap();
        let updates: Vec<_> = set
            .descendants()
            .filter(|node| node.has_tag_name("sys_update_xml"))
            .collect();
        assert_eq!(updates.len(), 2);
        let own = set
            .descendants()
            .find(|node| node.has_tag_name("sys_remote_update_set"))
            .unwrap();
        assert!(
            updates
                .iter()
                .all(|update| child(*update, "remote_update_set") == child(own, "sys_id"))
        );
        let rule = Document::parse(child(updates[0], "payload")).unwrap();
        let rule = rule.root_element().first_element_child().unwrap();
        assert_eq!(child(rule, "name"), "incident");
        assert_eq!(child(rule, "operation"), "e66cf897b7300210240b06dd1e11a9fd");
        assert_eq!(
            child(updates[0], "name"),
            format!("sys_security_acl_{}", child(rule, "sys_id"))
        );
        let link = Document::parse(child(updates[1], "payload")).unwrap();
        let link = link.root_element().first_element_child().unwrap();
        assert_eq!(child(link, "sys_security_acl"), child(rule, "sys_id"));
        let role = link
            .children()
            .find(|child| child.has_tag_name("sys_user_role"))
            .unwrap();
        assert_eq!((role.text(), role.attribute("name")), (Some(ROLE), Some(nasty)));
    }

    #[test]
    fn the_same_arguments_give_the_same_text_and_others_another_set() {
        let of = |role| rendered(&["incident", "incident.*"], role, &["read", "write"]).unwrap();

        assert_eq!(of("reader"), of("reader"));
        let id = |text: &str| {
            let set = Document::parse(text).unwrap();
            let own = set
                .descendants()
                .find(|node| node.has_tag_name("sys_remote_update_set"))
                .unwrap();
            child(own, "sys_id").to_owned()
        };
        assert_ne!(id(&of("reader")), id(&of("writer")));
    }

    #[test]
    fn an_operation_without_a_key_of_its_own_is_refused() {
        let problem = rendered(&["incident"], "reader", &["read", "query_match"]).unwrap_err();
        assert!(
            problem.contains("query_match") && problem.contains("Use the script"),
            "{problem}"
        );
    }
}
