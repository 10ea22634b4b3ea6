//! The section "Schema": every attribute with its type, meaning, rules, default, and what a change of it does.

use std::fmt::Write;

use servicenow_provider::plugin::schema::{Attribute, AttributeKind, Modifier, Nesting, Presence, Rule, Schema};
use servicenow_provider::plugin::ty::Type;
use servicenow_provider::plugin::value::Value;

const WRITE_ONLY: &str =
    "[Write-only](https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments)";

/// What write-only arguments are on most pages.
pub(super) const WRITE_ONLY_ELSEWHERE: &str =
    "Write-only arguments are in neither plan nor state. They need Terraform 1.11 or later.";

/// What they are on the page of an action: Terraform removes those of resources from a plan that it saves, and not these.
pub(super) const WRITE_ONLY_OF_ACTIONS: &str = "\
    A plan that is saved (`-out`) contains the write-only arguments of an action in clear text, unless their values are ephemeral: an \
    `ephemeral` variable, or an attribute of an ephemeral resource. A state never contains them.";

/// The section. `replaces` says whether a change may need a new object, which only resources know; `write_only` is the note on
/// write-only arguments.
pub(super) fn section(schema: &Schema, replaces: bool, write_only: &'static str) -> String {
    let mut section = Section {
        text: "## Schema\n".to_owned(),
        replaces,
        write_only,
    };
    if schema.attributes.is_empty() {
        section.text.push_str("\nThere is nothing to configure.\n");
    }
    section.attributes("###", &schema.attributes, "nestedatt");
    if !schema.rules.is_empty() {
        section.text.push_str("\n### Rules\n\n");
        for rule in &schema.rules {
            let _ = writeln!(section.text, "- {}", rule_text(rule));
        }
    }
    section.nested(&schema.attributes, "nestedatt", "");
    section.text
}

struct Section {
    text: String,
    replaces: bool,
    write_only: &'static str,
}

impl Section {
    fn attributes(&mut self, level: &str, attributes: &[Attribute], anchor: &str) {
        let groups: [(&str, &[Presence]); 3] = [
            ("Required", &[Presence::Required]),
            ("Optional", &[Presence::Optional, Presence::OptionalComputed]),
            ("Read-Only", &[Presence::Computed]),
        ];
        for (heading, presences) in groups {
            let mut group: Vec<_> = attributes
                .iter()
                .filter(|attribute| presences.contains(&attribute.presence))
                .collect();
            if group.is_empty() {
                continue;
            }
            group.sort_by_key(|attribute| attribute.name);
            match level {
                "" => {
                    let _ = write!(self.text, "\n{heading}:\n\n");
                }
                level => {
                    let _ = write!(self.text, "\n{level} {heading}\n\n");
                }
            }
            if group.iter().any(|attribute| attribute.write_only) {
                let _ = write!(self.text, "> **Note** {}\n\n", self.write_only);
            }
            for attribute in group {
                self.attribute(attribute, anchor);
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, anchor: &str) {
        let mut kind = match &attribute.kind {
            AttributeKind::Plain(ty) => type_name(ty),
            AttributeKind::Nested(Nesting::Single, _) => "Attributes".to_owned(),
            AttributeKind::Nested(Nesting::List, _) => "Attributes List".to_owned(),
            AttributeKind::Nested(Nesting::Map, _) => "Attributes Map".to_owned(),
            AttributeKind::Nested(Nesting::Set, _) => "Attributes Set".to_owned(),
        };
        if attribute.sensitive {
            kind.push_str(", Sensitive");
        }
        if attribute.write_only {
            kind.push_str(", ");
            kind.push_str(WRITE_ONLY);
        }
        let mut line = format!("- `{}` ({kind}) {}", attribute.name, attribute.description);
        if let Some(instead) = attribute.deprecated {
            let _ = write!(line, " **Deprecated.** {instead}");
        }
        for validator in &attribute.validators {
            if !validator.rule.is_empty() && !says_already(&attribute.description, &validator.rule) {
                let _ = write!(line, " {}", validator.rule);
            }
        }
        if let Some(default) = &attribute.default
            && !attribute.description.contains("Default")
        {
            let _ = write!(line, " Default `{}`.", hcl(default));
        }
        if self.replaces {
            if attribute.modifiers.contains(&Modifier::RequiresReplace) {
                line.push_str(" Changing this forces replacement.");
            } else if attribute.modifiers.contains(&Modifier::RequiresReplaceIfConfigured) {
                line.push_str(" Changing this in the configuration forces replacement.");
            }
        }
        if matches!(attribute.kind, AttributeKind::Nested(..)) {
            let _ = write!(line, " (see [below for nested schema](#{anchor}--{}))", attribute.name);
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn nested(&mut self, attributes: &[Attribute], anchor: &str, parent: &str) {
        let mut nested: Vec<_> = attributes
            .iter()
            .filter_map(|attribute| match &attribute.kind {
                AttributeKind::Nested(_, inner) => Some((attribute.name, inner)),
                AttributeKind::Plain(_) => None,
            })
            .collect();
        nested.sort_by_key(|(name, _)| *name);
        for (name, inner) in nested {
            let anchor = format!("{anchor}--{name}");
            let path = format!("{parent}{name}");
            let _ = write!(self.text, "\n<a id=\"{anchor}\"></a>\n### Nested Schema for `{path}`\n");
            self.attributes("", inner, &anchor);
            self.nested(inner, &anchor, &format!("{path}."));
        }
    }
}

/// Whether a description names every value that a rule allows.
fn says_already(description: &str, rule: &str) -> bool {
    if !rule.starts_with("One of") {
        return false;
    }
    let mut values = rule.split('`').skip(1).step_by(2).peekable();
    values.peek().is_some() && values.all(|value| description.contains(&format!("`{value}`")))
}

fn rule_text(rule: &Rule) -> String {
    let list = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    match rule {
        Rule::ExactlyOneOf(names) => format!("Exactly one of {} must be set.", list(names)),
        Rule::AtLeastOneOf(names) => format!("At least one of {} must be set.", list(names)),
        Rule::Conflicting(names) => format!("At most one of {} may be set.", list(names)),
        Rule::RequiredTogether(names) => format!("{} must be set together or not at all.", list(names)),
    }
}

/// A type in words.
pub(super) fn type_name(ty: &Type) -> String {
    match ty {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", type_name(element)),
        Type::Set(element) => format!("Set of {}", type_name(element)),
        Type::Map(element) => format!("Map of {}", type_name(element)),
        Type::Tuple(_) => "Tuple".to_owned(),
        Type::Object(_) => "Object".to_owned(),
    }
}

/// A type as a configuration writes it.
pub(super) fn hcl_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Number => "number".to_owned(),
        Type::String => "string".to_owned(),
        Type::Dynamic => "dynamic".to_owned(),
        Type::List(element) => format!("list({})", hcl_type(element)),
        Type::Set(element) => format!("set({})", hcl_type(element)),
        Type::Map(element) => format!("map({})", hcl_type(element)),
        Type::Tuple(elements) => {
            let elements: Vec<_> = elements.iter().map(hcl_type).collect();
            format!("tuple([{}])", elements.join(", "))
        }
        Type::Object(attributes) => {
            let attributes: Vec<_> = attributes
                .iter()
                .map(|(name, ty)| format!("{name} = {}", hcl_type(ty)))
                .collect();
            format!("object({{ {} }})", attributes.join(", "))
        }
    }
}

/// A value as a page shows it.
fn hcl(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::List(elements) => {
            let elements: Vec<_> = elements.iter().map(hcl).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Null | Value::Unknown => "null".to_owned(),
        Value::Object(object) => {
            let parts: Vec<_> = object
                .iter()
                .map(|(name, value)| format!("{name} = {}", hcl(value)))
                .collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Value::Dynamic(pair) => hcl(&pair.1),
    }
}
