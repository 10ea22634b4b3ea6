//! What Terraform would refuse of a schema, found by a test of ours first.

use crate::plugin::schema::{Attribute, AttributeKind, Modifier, Nesting, Presence, Schema};
use crate::plugin::ty::Type;

impl Schema {
    /// Everything that is wrong with the schema, each with the path of the attribute; empty when it is sound.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.description.is_empty() {
            problems.push("the schema has no description".to_owned());
        }
        check_attributes(&self.attributes, "", Surroundings::Plain, &mut problems);
        problems
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Surroundings {
    Plain,
    /// The whole set would have to be write-only, and an element has no place of its own.
    InSet,
}

fn check_attributes(attributes: &[Attribute], parent: &str, surroundings: Surroundings, problems: &mut Vec<String>) {
    for (position, attribute) in attributes.iter().enumerate() {
        let path = format!("{parent}{}", attribute.name);
        let mut problem = |text: &str| problems.push(format!("{path}: {text}"));
        let well_named = attribute.name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && attribute
                .name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !well_named {
            problem("the name is not lower-case letters, digits and underscores");
        }
        if attributes[..position].iter().any(|other| other.name == attribute.name) {
            problem("the name is given twice");
        }
        if parent.is_empty() && RESERVED.contains(&attribute.name) {
            problem("Terraform keeps the name for itself");
        }
        if attribute.description.is_empty() {
            problem("there is no description");
        }
        if attribute.default.is_some() && attribute.presence != Presence::OptionalComputed {
            problem("a default needs an optional and computed attribute");
        }
        if attribute.write_only {
            if attribute.is_computed() {
                problem("a write-only attribute cannot be computed");
            }
            if surroundings == Surroundings::InSet {
                problem("a write-only attribute cannot stand in a set");
            }
        }
        if surroundings == Surroundings::InSet && attribute.is_computed() {
            problem("an element of a set cannot be computed: it has no place of its own");
        }
        if attribute.presence == Presence::Required && attribute.modifiers.contains(&Modifier::UseStateForUnknown) {
            problem("a required attribute has no state to use");
        }
        if attribute.presence == Presence::Computed && !attribute.validators.is_empty() {
            problem("a computed attribute is not validated");
        }
        match &attribute.kind {
            AttributeKind::Plain(ty) => {
                if let Type::Set(element) = ty
                    && holds_dynamic(element)
                {
                    problem("a set cannot hold a dynamic type");
                }
            }
            AttributeKind::Nested(nesting, nested) => {
                if nested.is_empty() {
                    problem("there are no nested attributes");
                }
                let surroundings = if *nesting == Nesting::Set {
                    Surroundings::InSet
                } else {
                    surroundings
                };
                check_attributes(nested, &format!("{path}."), surroundings, problems);
            }
        }
    }
}

fn holds_dynamic(ty: &Type) -> bool {
    match ty {
        Type::Dynamic => true,
        Type::Bool | Type::Number | Type::String => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => holds_dynamic(element),
        Type::Tuple(elements) => elements.iter().any(holds_dynamic),
        Type::Object(attributes) => attributes.iter().any(|(_, ty)| holds_dynamic(ty)),
    }
}

/// Meta-arguments of resource blocks. `alias` and `version` are reserved in provider blocks alone.
const RESERVED: [&str; 7] = [
    "count",
    "for_each",
    "depends_on",
    "lifecycle",
    "provider",
    "provisioner",
    "connection",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unsound_attribute_is_named() {
        let schema = Schema::new(
            "Test.",
            vec![
                Attribute::text("count").describe("x"),
                Attribute::text("Upper").describe("x"),
                Attribute::text("twice").describe("x"),
                Attribute::text("twice").describe("x"),
                Attribute::text("silent"),
                Attribute::text("wo").computed().write_only().describe("x"),
                Attribute::of("set", Type::set(Type::Dynamic)).describe("x"),
                Attribute::text("required").required().stable().describe("x"),
            ],
        );

        let problems = schema.problems().join("\n");

        for expected in [
            "count: Terraform keeps",
            "Upper: the name is not",
            "twice: the name is given twice",
            "silent: there is no description",
            "wo: a write-only attribute cannot be computed",
            "set: a set cannot hold",
            "required: a required attribute has no state",
        ] {
            assert!(problems.contains(expected), "{expected} is missing in:\n{problems}");
        }
    }
}
