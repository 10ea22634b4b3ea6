//! Values that only a new record could change, and that the instance stores differently from what was sent: a rule writes them in
//! small letters, the column cuts them, the record goes into another application.
//!
//! The next refresh reads what is stored, which differs from the configuration, and the plan would replace the record, at every
//! apply and with the same result. So the create notes what was sent and what was stored, and the plan treats them as equal.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::clients::Clients;
use crate::plugin::{Context, Object, Path, Plan};
use crate::records::field::Field;

/// Private data: by attribute, the value that was sent and what was stored; of a reference also the sys_id.
const STORED_DIFFERENTLY: &str = "stored_differently";

/// Notes what of the planned object the instance stored differently, by the new record, so that the next plan shows no change of it.
/// Names the attributes of which this is true: those that only a new record could change.
pub(crate) fn note(
    cx: &Context<Clients>,
    fields: &[Field],
    planned: &Object,
    stored: &Object,
) -> BTreeSet<&'static str> {
    let (names, noted) = differences(fields, planned, stored);
    if !noted.is_empty() {
        cx.set_private(STORED_DIFFERENTLY, noted.into());
    }
    names
}

/// The attributes that only a new record could change and that both objects have, and of those that differ what was sent and stored.
fn differences(fields: &[Field], planned: &Object, stored: &Object) -> (BTreeSet<&'static str>, Map<String, Json>) {
    let mut noted = Map::new();
    let mut names = BTreeSet::new();
    for field in fields.iter().filter(|field| field.is_replacing()) {
        let name = field.name();
        let (Some(sent), Some(is)) = (planned.text(name), stored.text(name)) else {
            continue;
        };
        names.insert(name);
        let is_same = field.attributes[0].means_the_same(planned.at(name), stored.at(name))
            || id_of(field, stored)
                .is_some_and(|id| id.eq_ignore_ascii_case(sent) || Some(id) == id_of(field, planned));
        if !is_same {
            let id = id_of(field, stored);
            noted.insert(name.to_owned(), Json::from(vec![Some(sent), Some(is), id]));
        }
    }
    (names, noted)
}

/// The sys_id of the record that a reference refers to.
fn id_of<'o>(field: &Field, object: &'o Object) -> Option<&'o str> {
    object.text(field.reference_id()?)
}

/// Takes out of a plan what the instance stored differently.
pub(crate) fn plan(cx: &Context<Clients>, fields: &[Field], plan: &mut Plan<'_>) {
    if let Some(Json::Object(noted)) = cx.private(STORED_DIFFERENTLY) {
        leave_as_stored(&noted, fields, plan);
    }
}

fn leave_as_stored(noted: &Map<String, Json>, fields: &[Field], plan: &mut Plan<'_>) {
    let Some(prior) = plan.prior else { return };
    for field in fields {
        let name = field.name();
        let Some(Json::Array(values)) = noted.get(name) else {
            continue;
        };
        let [sent, stored, stored_id] = [0, 1, 2].map(|at| values.get(at).and_then(Json::as_str));
        let id = field.reference_id();
        let is_stored =
            prior.text(name) == stored || id.is_some_and(|id| stored_id.is_some() && prior.text(id) == stored_id);
        if sent.is_none() || plan.state.text(name) != sent || !is_stored {
            continue;
        }
        for name in [Some(name), id].into_iter().flatten() {
            plan.state.set(name, prior.at(name).clone());
            plan.replace.retain(|path| *path != Path::of(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugin::{Attribute, Diagnostics};
    use crate::records::application_scope::APPLICATION;
    use crate::servicenow::tables::sys_scope_privilege::{OPERATION, SOURCE_SCOPE, STATUS};

    const ID: &str = "6816f79cc0a8016401c5a33be04be441";
    const OTHER: &str = "1c367f0fdfb99d47819803af555cddb9";

    fn fields() -> Vec<Field> {
        vec![
            Field::reference(
                APPLICATION,
                SOURCE_SCOPE,
                "scope_id",
                Attribute::text("scope").replaces(),
            ),
            Field::new(OPERATION, Attribute::text("operation").replaces()),
            Field::new(STATUS, Attribute::text("status")),
        ]
    }

    fn object(scope: &str, scope_id: &str, operation: &str) -> Object {
        let object = Object::new().with("scope", scope).with("scope_id", scope_id);
        object.with("operation", operation).with("status", "allowed")
    }

    #[test]
    fn what_a_new_record_could_change_and_what_differs_of_it_is_noted() {
        let noted = |planned: &Object, stored: &Object| {
            let (names, noted) = differences(&fields(), planned, stored);
            assert_eq!(names.into_iter().collect::<Vec<_>>(), ["operation", "scope"]);
            Json::from(noted)
        };
        let stored = object("x_acme", ID, "read");

        assert_eq!(noted(&stored, &stored), json!({}));
        let sent = object("global", "", "read");
        assert_eq!(noted(&sent, &stored), json!({"scope": ["global", "x_acme", ID]}));
        let sent = object("x_acme", ID, "READ!");
        assert_eq!(noted(&sent, &stored), json!({"operation": ["READ!", "read", null]}));
        // The same record by its sys_id, or by a name that it has no more.
        assert_eq!(noted(&object(&ID.to_uppercase(), "", "read"), &stored), json!({}));
        assert_eq!(noted(&object("former", ID, "read"), &stored), json!({}));
    }

    #[test]
    fn what_was_stored_differently_is_no_change_until_either_side_changes() {
        let noted = json!({"scope": ["global", "x_acme", ID], "operation": ["READ!", "read", null]});
        let Json::Object(noted) = noted else { unreachable!() };
        let planned = |prior: &Object, config: &Object| {
            let mut state = config.clone();
            let mut replace = vec![Path::of("scope"), Path::of("operation")];
            leave_as_stored(
                &noted,
                &fields(),
                &mut Plan {
                    config,
                    prior: Some(prior),
                    state: &mut state,
                    replace: &mut replace,
                    diagnostics: &mut Diagnostics::new(),
                },
            );
            (state, replace)
        };
        let config = object("global", "", "READ!");

        let stored = object("x_acme", ID, "read");
        assert_eq!(planned(&stored, &config), (stored.clone(), vec![]));
        // The application was renamed, or is shown by another name since.
        let renamed = object("x_acme_new", ID, "read");
        assert_eq!(planned(&renamed, &config), (renamed.clone(), vec![]));
        let unseen = object("x_acme", "", "read");
        assert_eq!(planned(&unseen, &config), (unseen.clone(), vec![]));

        // Moved into a third one since.
        let moved = object("x_third", OTHER, "read");
        let (state, replace) = planned(&moved, &config);
        assert_eq!(
            (state.text("scope"), replace),
            (Some("global"), vec![Path::of("scope")])
        );
        let (state, replace) = planned(&object("x_acme", ID, "write"), &config);
        assert_eq!(
            (state.text("operation"), replace),
            (Some("READ!"), vec![Path::of("operation")])
        );
        // The configuration says something else since.
        let (state, replace) = planned(&stored, &object("x_third", "", "write"));
        assert_eq!(
            (state.text("scope"), state.text("operation")),
            (Some("x_third"), Some("write"))
        );
        assert_eq!(replace, [Path::of("scope"), Path::of("operation")]);
    }
}
