//! The rules that Terraform core enforces on answers, so that a violation shows in our tests and not at a user's.
//!
//! Debug builds check every answer; release builds do not.

use crate::plugin::path::Trail;
use crate::plugin::schema::{Attribute, AttributeKind, Nesting, Schema};
use crate::plugin::value::{Object, Value, known_texts};

/// What core would call an invalid plan.
pub fn plan_problems(schema: &Schema, prior: Option<&Object>, config: &Object, planned: &Object) -> Vec<String> {
    let mut problems = Vec::new();
    plan_object(&schema.attributes, prior, config, planned, &Trail::Root, &mut problems);
    problems
}

fn plan_object(
    attributes: &[Attribute],
    prior: Option<&Object>,
    config: &Object,
    planned: &Object,
    parent: &Trail<'_>,
    problems: &mut Vec<String>,
) {
    for attribute in attributes {
        let path = parent.attribute(attribute.name);
        let configured = config.at(attribute.name);
        let former = prior.map(|prior| prior.at(attribute.name));
        let planned = planned.at(attribute.name);
        let ty = attribute.ty();
        if attribute.write_only {
            if !planned.is_null() {
                problems.push(format!("{path}: a write-only value is planned"));
            }
            continue;
        }
        if let (AttributeKind::Nested(nesting, nested), false) =
            (&attribute.kind, configured.is_null() || configured.is_unknown())
        {
            match (nesting, configured, planned) {
                (Nesting::Single, Value::Object(config), Value::Object(planned)) => {
                    plan_object(
                        nested,
                        former.and_then(Value::as_object),
                        config,
                        planned,
                        &path,
                        problems,
                    );
                }
                (Nesting::List | Nesting::Set, Value::List(config), Value::List(planned))
                    if config.len() == planned.len() => {}
                (Nesting::Map, Value::Object(config), Value::Object(planned))
                    if config.0.keys().eq(planned.0.keys()) => {}
                _ => problems.push(format!("{path}: the plan has another shape than the configuration")),
            }
            continue;
        }
        let is_prior = former.is_some_and(|former| !former.is_null() && Value::same(&ty, planned, former));
        if configured.is_null() {
            if !attribute.is_computed() && !planned.is_null() {
                problems.push(format!("{path}: planned, but neither configured nor computed"));
            }
        } else if !Value::same(&ty, planned, configured) && !is_prior {
            problems.push(format!("{path}: neither as configured nor as it was"));
        }
    }
}

/// What core would call an inconsistent result of an apply that reports no error.
pub fn apply_problems(schema: &Schema, planned: &Object, new: &Object) -> Vec<String> {
    let mut problems = Vec::new();
    for attribute in &schema.attributes {
        let (planned, new) = (planned.at(attribute.name), new.at(attribute.name));
        if attribute.write_only && !new.is_null() {
            problems.push(format!("{}: a write-only value is in the state", attribute.name));
        } else if !new.is_wholly_known() {
            problems.push(format!("{}: still unknown after apply", attribute.name));
        } else if !agrees(&attribute.ty(), planned, new) {
            problems.push(format!("{}: not as planned", attribute.name));
        }
    }
    problems
}

/// Whether a result keeps everything that the plan knew.
pub(super) fn agrees(ty: &super::ty::Type, planned: &Value, new: &Value) -> bool {
    use crate::plugin::ty::Type;
    match (ty, planned, new) {
        (_, Value::Unknown, _) => true,
        (Type::Object(attributes), Value::Object(planned), Value::Object(new)) => attributes
            .iter()
            .all(|(name, ty)| agrees(ty, planned.at(name), new.at(name))),
        (Type::Map(element), Value::Object(planned), Value::Object(new)) => {
            planned.0.keys().eq(new.0.keys())
                && planned
                    .iter()
                    .all(|(key, planned)| agrees(element, planned, new.at(key)))
        }
        (Type::List(element), Value::List(planned), Value::List(new)) => {
            planned.len() == new.len()
                && planned
                    .iter()
                    .zip(new)
                    .all(|(planned, new)| agrees(element, planned, new))
        }
        (Type::Set(element), Value::List(planned), Value::List(new)) => {
            if let (Some(planned), Some(new)) = (known_texts(planned), known_texts(new)) {
                return planned == new;
            }
            new.len() <= planned.len()
                && new
                    .iter()
                    .all(|new| planned.iter().any(|planned| agrees(element, planned, new)))
                && planned
                    .iter()
                    .all(|planned| new.iter().any(|new| agrees(element, planned, new)))
        }
        (ty, planned, new) => Value::same(ty, planned, new),
    }
}
