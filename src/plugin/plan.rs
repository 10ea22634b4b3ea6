//! The plan that follows from the schema, before the resource adds its own rules.
//!
//! Values in, decision out: no client, clock or environment. Terraform plans twice and demands the same answer.

use crate::plugin::path::{Path, Trail};
use crate::plugin::schema::{Attribute, AttributeKind, Modifier, Nesting, Schema};
use crate::plugin::value::{Object, Value};

/// The planned state, and the attributes whose change needs a new object.
#[derive(Debug)]
pub struct Planned {
    /// What the state will be; unknown where only the apply can tell.
    pub state: Object,
    /// Sorted, without duplicates.
    pub replace: Vec<Path>,
}

/// Plans a create (`prior` is `None`) or an update, in the order of plugin-runtime rule 13: defaults, write-only values,
/// texts that mean the same as before, unknown computed values when anything changes, then the attributes' own modifiers.
pub fn propose(schema: &Schema, prior: Option<&Object>, proposed: Object, config: &Object) -> Planned {
    let mut state = proposed;
    for_each(
        &schema.attributes,
        &mut state,
        config,
        None,
        &Trail::Root,
        &mut |place| {
            if let (Value::Null, Some(default)) = (place.config, &place.attribute.default) {
                *place.planned = default.clone();
            }
            if place.attribute.write_only {
                *place.planned = Value::Null;
            }
        },
    );
    if let Some(prior) = prior {
        keep_equal_texts(schema, &mut state, prior);
    }
    let changed = prior.is_none_or(|prior| !same_object(&schema.attributes, prior, &state));
    if changed {
        for_each(
            &schema.attributes,
            &mut state,
            config,
            prior,
            &Trail::Root,
            &mut |place| {
                let attribute = place.attribute;
                if place.config.is_null() && attribute.is_computed() && attribute.default.is_none() {
                    *place.planned = Value::Unknown;
                }
            },
        );
    }
    let mut replace = Vec::new();
    for_each(
        &schema.attributes,
        &mut state,
        config,
        prior,
        &Trail::Root,
        &mut |place| {
            modify(place, prior.is_some(), &mut replace);
        },
    );
    replace.sort();
    replace.dedup();
    Planned { state, replace }
}

/// Whether two states are equal, sets regardless of their order, and write-only values left aside.
pub fn same_object(attributes: &[Attribute], a: &Object, b: &Object) -> bool {
    attributes.iter().all(|attribute| {
        attribute.write_only || Value::same(&attribute.ty(), a.at(attribute.name), b.at(attribute.name))
    })
}

/// Keeps the former value where the new one means the same, a set as a whole. In a plan the former one is what is in the
/// state, after a write what was planned, after a read what was in the state.
pub fn keep_equal_texts(schema: &Schema, new: &mut Object, former: &Object) {
    let config = Object::new();
    for_each(
        &schema.attributes,
        new,
        &config,
        Some(former),
        &Trail::Root,
        &mut |place| {
            let attribute = place.attribute;
            if attribute.same_text.is_some() && attribute.means_the_same(place.planned, place.prior) {
                *place.planned = place.prior.clone();
            }
        },
    );
}

/// Null in every write-only place.
pub fn null_write_only(schema: &Schema, state: &mut Object) {
    let config = Object::new();
    for_each(&schema.attributes, state, &config, None, &Trail::Root, &mut |place| {
        if place.attribute.write_only {
            *place.planned = Value::Null;
        }
    });
}

fn modify(place: &mut Place<'_>, exists: bool, replace: &mut Vec<Path>) {
    for modifier in &place.attribute.modifiers {
        match modifier {
            Modifier::UseStateForUnknown | Modifier::UseNonNullStateForUnknown => {
                let is_open = exists && place.planned.is_unknown() && !place.config.is_unknown();
                if is_open && (*modifier == Modifier::UseStateForUnknown || !place.prior.is_null()) {
                    *place.planned = place.prior.clone();
                }
            }
            Modifier::RequiresReplace | Modifier::RequiresReplaceIfConfigured => {
                let changed = exists && !Value::same(&place.attribute.ty(), place.planned, place.prior);
                if changed && (*modifier == Modifier::RequiresReplace || !place.config.is_null()) {
                    replace.push(place.path.path());
                }
            }
        }
    }
}

/// One attribute in one object, seen from all sides.
struct Place<'a> {
    attribute: &'a Attribute,
    path: &'a Trail<'a>,
    planned: &'a mut Value,
    config: &'a Value,
    prior: &'a Value,
}

/// Visits every attribute, an outer one before those nested in it. Elements of sets have no place of their own and are
/// visited against null.
fn for_each(
    attributes: &[Attribute],
    planned: &mut Object,
    config: &Object,
    prior: Option<&Object>,
    parent: &Trail<'_>,
    visit: &mut impl FnMut(&mut Place<'_>),
) {
    let nothing = Object::new();
    for attribute in attributes {
        let path = parent.attribute(attribute.name);
        let config = config.at(attribute.name);
        let prior = prior.unwrap_or(&nothing).at(attribute.name);
        let planned = planned.0.entry(attribute.name.to_owned()).or_default();
        visit(&mut Place {
            attribute,
            path: &path,
            planned,
            config,
            prior,
        });
        let AttributeKind::Nested(nesting, nested) = &attribute.kind else {
            continue;
        };
        match (nesting, planned) {
            (Nesting::Single, Value::Object(planned)) => {
                for_each(
                    nested,
                    planned,
                    config.as_object().unwrap_or(&nothing),
                    prior.as_object(),
                    &path,
                    visit,
                );
            }
            (Nesting::List, Value::List(elements)) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    let Value::Object(element) = element else {
                        continue;
                    };
                    let at = |list: &Value| {
                        list.as_list()
                            .and_then(|l| l.get(index))
                            .and_then(Value::as_object)
                            .cloned()
                    };
                    let (config, prior) = (at(config).unwrap_or_default(), at(prior));
                    let path = path.index(index);
                    for_each(nested, element, &config, prior.as_ref(), &path, visit);
                }
            }
            (Nesting::Map, Value::Object(elements)) => {
                for (key, element) in &mut elements.0 {
                    let Value::Object(element) = element else {
                        continue;
                    };
                    let at = |map: &Value| {
                        map.as_object()
                            .map(|map| map.at(key))
                            .and_then(Value::as_object)
                            .cloned()
                    };
                    let (config, prior) = (at(config).unwrap_or_default(), at(prior));
                    for_each(nested, element, &config, prior.as_ref(), &path.key(key), visit);
                }
            }
            (Nesting::Single | Nesting::List | Nesting::Map | Nesting::Set, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::terraform_rules;
    use crate::plugin::ty::Type;

    fn schema() -> Schema {
        Schema::new(
            "Test.",
            vec![
                Attribute::text("id").computed().stable().describe("x"),
                Attribute::text("stamp").computed().describe("x"),
                Attribute::text("name").required().describe("x"),
                Attribute::text("key").replaces().describe("x"),
                Attribute::flag("active").default(true).describe("x"),
                Attribute::text("filled").optional_computed().stable().describe("x"),
                Attribute::of("tags", Type::set(Type::String)).describe("x"),
                Attribute::text("secret_wo").write_only().describe("x"),
                Attribute::single(
                    "inner",
                    vec![
                        Attribute::text("given").describe("x"),
                        Attribute::flag("on").default(false).describe("x"),
                    ],
                )
                .describe("x"),
            ],
        )
    }

    /// As core proposes: the configuration, else the prior value of what is computed.
    fn plan(prior: Option<&Object>, config: &Object) -> Planned {
        let schema = schema();
        let mut proposed = Object::new();
        for attribute in &schema.attributes {
            let configured = config.at(attribute.name);
            let keep = configured.is_null() && attribute.is_computed();
            let former = prior.map_or(&Value::Null, |prior| prior.at(attribute.name));
            proposed.set(attribute.name, if keep { former.clone() } else { configured.clone() });
        }
        let planned = propose(&schema, prior, proposed, config);
        assert_eq!(
            terraform_rules::plan_problems(&schema, prior, config, &planned.state),
            Vec::<String>::new()
        );
        planned
    }

    fn state() -> Object {
        Object::new()
            .with("id", "1")
            .with("stamp", "t1")
            .with("name", "n")
            .with("key", "k")
            .with("active", true)
            .with("filled", "by the other side")
            .with("tags", vec!["a", "b"])
    }

    fn config() -> Object {
        Object::new()
            .with("name", "n")
            .with("key", "k")
            .with("tags", vec!["b", "a"])
            .with("secret_wo", "s")
    }

    #[test]
    fn a_create_fills_defaults_and_leaves_the_rest_to_the_apply() {
        let planned = plan(None, &config().with("inner", Object::new().with("given", "g")));

        let state = &planned.state;
        assert_eq!(state.flag("active"), Some(true));
        assert!(state.at("id").is_unknown() && state.at("stamp").is_unknown() && state.at("filled").is_unknown());
        assert!(state.at("secret_wo").is_null());
        assert_eq!(state.object("inner").unwrap().flag("on"), Some(false));
        assert!(planned.replace.is_empty());
    }

    #[test]
    fn no_change_is_no_noise() {
        let planned = plan(Some(&state()), &config());
        assert_eq!(planned.state.text("stamp"), Some("t1"));
        assert_eq!(planned.state.text("filled"), Some("by the other side"));
    }

    #[test]
    fn a_change_in_place_keeps_what_is_stable() {
        let planned = plan(Some(&state()), &config().with("name", "m"));

        assert_eq!(planned.state.text("id"), Some("1"));
        assert_eq!(planned.state.text("filled"), Some("by the other side"));
        assert!(planned.state.at("stamp").is_unknown());
        assert!(planned.replace.is_empty());
    }

    #[test]
    fn a_key_that_changes_or_is_unknown_replaces() {
        assert_eq!(
            plan(Some(&state()), &config().with("key", "l")).replace,
            [Path::of("key")]
        );
        assert_eq!(
            plan(Some(&state()), &config().with("key", Value::Unknown)).replace,
            [Path::of("key")]
        );
        assert_eq!(
            plan(Some(&state()), &config().with("key", Value::Null)).replace,
            [Path::of("key")]
        );
    }

    #[test]
    fn a_text_that_means_the_same_is_kept() {
        let schema = Schema::new(
            "Test.",
            vec![
                Attribute::text("url")
                    .same_text(|a, b| a.trim_end_matches('/') == b.trim_end_matches('/'))
                    .describe("x"),
            ],
        );
        let mut new = Object::new().with("url", "https://x");

        keep_equal_texts(&schema, &mut new, &Object::new().with("url", "https://x/"));
        assert_eq!(new.text("url"), Some("https://x/"));

        keep_equal_texts(&schema, &mut new, &Object::new().with("url", "https://y/"));
        assert_eq!(new.text("url"), Some("https://x/"));
    }

    /// A text, a list and a set that are compared without regard to case, at the top and nested.
    fn spelled() -> Schema {
        let same = str::eq_ignore_ascii_case;
        let key = || Attribute::text("key").same_text(same).replaces().describe("x");
        Schema::new(
            "Test.",
            vec![
                key(),
                Attribute::text("stamp").computed().describe("x"),
                Attribute::of("list", Type::list(Type::String))
                    .same_text(same)
                    .describe("x"),
                Attribute::texts("set").same_text(same).describe("x"),
                Attribute::single("inner", vec![key()]).describe("x"),
            ],
        )
    }

    #[track_caller]
    fn planned_from(prior: &Object, config: &Object) -> Planned {
        let schema = spelled();
        let proposed = config.clone().with("stamp", prior.at("stamp").clone());
        let planned = propose(&schema, Some(prior), proposed, config);
        let problems = terraform_rules::plan_problems(&schema, Some(prior), config, &planned.state);
        assert_eq!(problems, Vec::<String>::new());
        planned
    }

    #[test]
    fn another_spelling_of_what_is_there_is_no_change() {
        let inner = |text: &str| Object::new().with("key", text);
        let prior = Object::new()
            .with("key", "abc")
            .with("stamp", "t1")
            .with("list", vec!["a", "b"])
            .with("set", vec!["a", "b", "c"])
            .with("inner", inner("abc"));
        let config = Object::new()
            .with("key", "ABC")
            .with("list", vec!["A", "b"])
            .with("set", vec!["C", "b", "A"])
            .with("inner", inner("Abc"));

        let planned = planned_from(&prior, &config);

        assert_eq!((&planned.state, planned.replace), (&prior, Vec::new()));
    }

    #[test]
    fn a_set_is_planned_wholly_as_it_was_or_wholly_as_configured() {
        let prior = Object::new().with("set", vec!["a", "b"]);
        for configured in [vec!["A", "c"], vec!["A"], vec!["A", "B", "c"], vec!["A", "a"]] {
            let config = Object::new().with("set", configured);
            assert_eq!(planned_from(&prior, &config).state.at("set"), config.at("set"));
        }
    }

    #[test]
    fn a_text_that_really_changes_is_planned_as_it_is_written() {
        let prior = Object::new().with("key", "abc").with("stamp", "t1");
        let planned = planned_from(&prior, &Object::new().with("key", "ABCD"));
        assert_eq!(planned.state.text("key"), Some("ABCD"));
        assert_eq!(planned.replace, [Path::of("key")]);
        assert!(planned.state.at("stamp").is_unknown());
    }

    /// Twenty thousand names took 24 seconds when each was compared with each.
    #[test]
    fn large_sets_are_compared_in_linear_time() {
        let time = |size: i64| {
            let names = |start: i64| -> Vec<String> { (start..start + size).map(|n| format!("role {n}")).collect() };
            let mut turned = names(0);
            turned.reverse();
            let (prior, config) = (Object::new().with("set", names(0)), Object::new().with("set", turned));
            let begun = tokio::time::Instant::now();

            assert!(planned_from(&prior, &config).state.at("stamp").is_null(), "no change");
            let schema = spelled();
            assert!(terraform_rules::apply_problems(&schema, &config, &prior).is_empty());
            planned_from(&prior, &Object::new().with("set", names(1)));

            begun.elapsed()
        };
        let best = |size| (0..5).map(|_| time(size)).min().unwrap();

        // Ten times as many take about ten times as long, on any machine; a comparison of each with each takes a hundred.
        let (few, many) = (best(3_000), best(30_000));
        assert!(many < few * 60, "{many:?} for ten times of what takes {few:?}");
    }
}
