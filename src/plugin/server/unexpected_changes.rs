//! What a write did not keep of the plan.
//!
//! Core compares the state after a write with the plan, and takes any difference for a bug in the provider. But it is
//! usually the other side that has changed the value: a rule, a default, a limit. So the state keeps what was planned, a
//! warning says what became of it, and the next refresh and plan show the difference where it can be put right.

use crate::plugin::diagnostics::{Diagnostic, Diagnostics};
use crate::plugin::path::Trail;
use crate::plugin::schema::{Attribute, AttributeKind, Nesting};
use crate::plugin::terraform_rules;
use crate::plugin::value::{Object, Value};

/// Puts back into `state` every planned value that it contradicts, and says so, unless the resource has already said
/// something about the attribute.
pub(super) fn keep_planned(
    attributes: &[Attribute],
    planned: &Object,
    state: &mut Object,
    parent: &Trail<'_>,
    diagnostics: &mut Diagnostics,
) {
    for attribute in attributes {
        let trail = parent.attribute(attribute.name);
        let wanted = planned.at(attribute.name);
        let found = state.0.entry(attribute.name.to_owned()).or_default();
        if terraform_rules::agrees(&attribute.ty(), wanted, found) {
            continue;
        }
        if let (AttributeKind::Nested(Nesting::Single, nested), Value::Object(wanted), Value::Object(found)) =
            (&attribute.kind, wanted, &mut *found)
        {
            keep_planned(nested, wanted, found, &trail, diagnostics);
            continue;
        }
        let path = trail.path();
        let is_told = diagnostics.iter().any(|diagnostic| diagnostic.path == path);
        let change = if attribute.sensitive {
            "the value after the write differs (neither is shown, because it is sensitive)".to_owned()
        } else {
            format!(
                "the plan has {}, but after the write the value is {}",
                words(wanted),
                words(found)
            )
        };
        if wanted.is_wholly_known() {
            *found = wanted.clone();
            if !is_told {
                let detail = format!(
                    "{path}: {change}. Something on the server changes the value: a rule, a default or a limit. The \
                     state has the planned value for now, and the next plan shows the difference. Remove what changes \
                     it, or configure the resulting value."
                );
                diagnostics.push(Diagnostic::warning(format!("{path} was not kept"), detail).at(path));
            }
        } else {
            let detail = format!("{path}: {change}. Run terraform plan again to see what is there.");
            diagnostics.push(Diagnostic::error(format!("{path} was not kept"), detail).at(path));
        }
    }
}

/// A value as text for a message, shortened.
fn words(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("{text:?}"),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::List(elements) => {
            let elements: Vec<String> = elements.iter().map(words).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Unknown => "not known".to_owned(),
        Value::Object(_) | Value::Dynamic(_) => "an object".to_owned(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Characters of a value that a message shows.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::schema::Schema;
    use crate::plugin::ty::Type;

    fn schema() -> Schema {
        Schema::new(
            "Test.",
            vec![
                Attribute::text("id").computed().describe("x"),
                Attribute::text("name").describe("x"),
                Attribute::text("secret").sensitive().describe("x"),
                Attribute::texts("roles").describe("x"),
                Attribute::of("any", Type::list(Type::String)).describe("x"),
                Attribute::single(
                    "inner",
                    vec![
                        Attribute::text("deep").describe("x"),
                        Attribute::flag("on").describe("x"),
                    ],
                )
                .describe("x"),
            ],
        )
    }

    /// The state and the messages after a write that ended in `found`.
    fn kept(planned: &Object, found: Object) -> (Object, Diagnostics) {
        let (schema, mut state, mut said) = (schema(), found, Diagnostics::new());
        keep_planned(&schema.attributes, planned, &mut state, &Trail::Root, &mut said);
        if !said.has_errors() {
            assert_eq!(
                terraform_rules::apply_problems(&schema, planned, &state),
                Vec::<String>::new()
            );
        }
        (state, said)
    }

    #[test]
    fn a_changed_value_is_a_warning_that_names_it_and_the_state_is_as_planned() {
        let inner = |deep: &str| Object::new().with("deep", deep).with("on", true);
        let planned = Object::new()
            .with("id", Value::Unknown)
            .with("name", "Robot")
            .with("roles", vec!["a", "b"])
            .with("inner", inner("x"));
        let found = Object::new()
            .with("id", "1")
            .with("name", "robot")
            .with("roles", vec!["b"])
            .with("inner", inner("y"));

        let (state, said) = kept(&planned, found);

        assert_eq!((state.text("id"), state.text("name")), (Some("1"), Some("Robot")));
        let said: Vec<(String, &str)> = said
            .iter()
            .map(|said| (said.path.to_string(), said.detail.split(". ").next().unwrap()))
            .collect();
        assert_eq!(
            said,
            [
                (
                    "name".to_owned(),
                    "name: the plan has \"Robot\", but after the write the value is \"robot\""
                ),
                (
                    "roles".to_owned(),
                    "roles: the plan has [\"a\", \"b\"], but after the write the value is [\"b\"]"
                ),
                (
                    "inner.deep".to_owned(),
                    "inner.deep: the plan has \"x\", but after the write the value is \"y\""
                ),
            ]
        );
    }

    #[test]
    fn a_sensitive_value_is_not_shown_and_a_long_one_is_cut() {
        let planned = Object::new().with("secret", "hunter2").with("name", "n".repeat(300));
        let (_, said) = kept(
            &planned,
            Object::new().with("secret", "hunter3").with("name", Value::Null),
        );
        let said: String = said.iter().map(|said| said.detail.clone()).collect();
        assert!(!said.contains("hunter"), "{said}");
        assert!(
            said.contains("…, but after the write the value is nothing") && !said.contains(&"n".repeat(201)),
            "{said}"
        );
    }

    #[test]
    fn what_the_resource_said_itself_is_not_said_again() {
        let (schema, planned) = (schema(), Object::new().with("name", "a"));
        let mut said: Diagnostics = Diagnostic::warning("Cut", "To 40 characters.")
            .at_attribute("name")
            .into();
        let mut state = Object::new().with("name", "b");
        keep_planned(&schema.attributes, &planned, &mut state, &Trail::Root, &mut said);
        assert_eq!((state.text("name"), said.iter().count()), (Some("a"), 1));
    }

    #[test]
    fn what_was_planned_in_part_only_cannot_be_kept_and_is_an_error() {
        let planned = Object::new().with("any", vec![Value::from("a"), Value::Unknown]);
        let (_, said) = kept(&planned, Object::new().with("any", vec!["b", "c"]));
        assert!(said.has_errors());
    }
}
