//! A script for *Scripts - Background*.

use std::fmt::Write;

use crate::access_rules_text::Rules;
use crate::servicenow::tables::{
    sys_security_acl, sys_security_acl_role, sys_security_operation, sys_security_type, sys_user_role,
};

/// The script that creates the rules that are missing and says of each what became of it.
///
/// Only the values below stand in it as literals; what it does is the same for all.
pub(crate) fn script(rules: &Rules) -> String {
    let mut text = String::new();
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(text, "  var {name} = {};", literal(value));
    };
    set("ROLE", &rules.role);
    set("RULE_TABLE", sys_security_acl::TABLE.name());
    set("LINK_TABLE", sys_security_acl_role::TABLE.name());
    set("OPERATION_TABLE", sys_security_operation::TABLE.name());
    set("TYPE_TABLE", sys_security_type::TABLE.name());
    set("ROLE_TABLE", sys_user_role::TABLE.name());
    set("NAME", sys_security_acl::NAME.name());
    set("OPERATION", sys_security_acl::OPERATION.name());
    set("TYPE", sys_security_acl::TYPE.name());
    set("RECORD", sys_security_type::RECORD);
    set("ACTIVE", sys_security_acl::ACTIVE.name());
    set("DESCRIPTION", sys_security_acl::DESCRIPTION.name());
    set("LINK_RULE", sys_security_acl_role::SYS_SECURITY_ACL.name());
    set("LINK_ROLE", sys_security_acl_role::SYS_USER_ROLE.name());
    set("WHY", DESCRIPTION);
    text.push_str(
        "  // Name, operation, key of the rule, key of the record that gives it the role.\n  var RULES = [\n",
    );
    for rule in &rules.rules {
        let values = [&rule.name, rule.operation, &rule.key, &rule.link_key].map(literal);
        let _ = writeln!(text, "    [{}],", values.join(", "));
    }
    // Older engines take a comma after the last element for one more.
    let values = text.trim_end_matches(",\n");
    TEMPLATE.replacen(PLACE, &format!("{values}\n  ];\n"), 1)
}

/// A text as a literal of JavaScript that is also harmless inside an HTML page.
fn literal(text: impl AsRef<str>) -> String {
    let mut literal = String::from("\"");
    for unit in text.as_ref().encode_utf16() {
        match char::from_u32(unit.into()) {
            Some(c) if c.is_ascii_alphanumeric() || " _-.:;()/*@#+".contains(c) => literal.push(c),
            _ => {
                let _ = write!(literal, "\\u{unit:04x}");
            }
        }
    }
    literal.push('"');
    literal
}

/// What the rules say of themselves.
pub(super) const DESCRIPTION: &str = "Created for an integration user; written by terraform-provider-servicenow";

/// The script, with a line where the values go.
const TEMPLATE: &str = include_str!("script.js");
const PLACE: &str = "  /* values */\n";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Value;

    fn script_for(role: &str) -> String {
        let list = |text: &str| vec![Value::from(text)];
        script(&Rules::new(&list("incident"), role, &list("read")).unwrap())
    }

    #[test]
    fn a_literal_contains_nothing_that_ends_it() {
        assert_eq!(literal("kb_knowledge.*"), "\"kb_knowledge.*\"");
        for nasty in [
            "\"; gs.print(1); \"",
            "'",
            "\\",
            "\n",
            "\r",
            "\u{2028}",
            "</script>",
            "<!--",
            "${x}",
            "`",
            "\u{1f512}",
        ] {
            let literal = literal(nasty);
            let inside = literal.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            let is_plain = |c: char| c.is_ascii_graphic() || c == ' ';
            assert!(
                !inside.contains(['"', '\'', '<', '>', '`', '$']) && inside.chars().all(is_plain),
                "{literal}"
            );
            // Escapes of JSON are escapes of JavaScript.
            assert_eq!(serde_json::from_str::<String>(&literal).unwrap(), nasty);
        }
    }

    #[test]
    fn whatever_the_role_is_called_the_script_differs_in_its_literals_alone() {
        let lines = |text: &str| text.lines().count();
        let (plain, nasty) = (script_for("reader"), script_for("a\"; </script><script>alert(1)//"));

        assert_eq!(lines(&plain), lines(&nasty));
        let differing = plain.lines().zip(nasty.lines()).filter(|(plain, nasty)| plain != nasty);
        let differing: Vec<_> = differing.map(|(_, nasty)| nasty.trim().to_owned()).collect();
        assert_eq!(differing.len(), 2, "{differing:#?}");
        assert!(
            differing[0].starts_with("var ROLE = \"a\\u0022; \\u003c"),
            "{differing:#?}"
        );
        assert!(!nasty.contains("</script"));
    }

    #[test]
    fn a_name_that_older_engines_would_misread_is_not_in_it() {
        let text = script_for("reader");
        assert!(!text.contains("/* values */"));
        for newer in ["let ", "const ", "=>", "`", ",\n  ]"] {
            assert!(!text.contains(newer), "{newer:?}");
        }
        assert!(text.is_ascii());
    }
}
