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
    if !noted.is_empty() {
        cx.set_private(STORED_DIFFERENTLY, noted.into());
    }
    names
}

/// The sys_id of the record that a reference refers to.
fn id_of<'o>(field: &Field, object: &'o Object) -> Option<&'o str> {
    object.text(field.reference_id()?)
}

/// Takes out of a plan what the instance stored differently.
pub(crate) fn plan(cx: &Context<Clients>, fields: &[Field], plan: &mut Plan<'_>) {
    let (Some(prior), Some(Json::Object(noted))) = (plan.prior, cx.private(STORED_DIFFERENTLY)) else {
        return;
    };
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
