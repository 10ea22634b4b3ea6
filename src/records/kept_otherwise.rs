//! Values that only a new record could change, and that the instance did not keep as they were sent: a rule writes them in small
//! letters, the column cuts them, the record goes into another application.
//!
//! The next refresh reads what was kept, which differs from the configuration, and the plan would replace the record, at every
//! apply and with the same result. So the create notes what was sent and what was kept, and the plan takes the one for the other.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::clients::Clients;
use crate::plugin::{Context, Diagnostic, Diagnostics, Object, Path, Plan, Severity};
use crate::records::field::Field;

/// Private data: by attribute, the value that was sent and what was kept.
const KEPT_OTHERWISE: &str = "kept_otherwise";

/// Notes what of the planned object the instance kept otherwise, by the new record, and names those attributes.
pub(crate) fn note(cx: &Context<Clients>, fields: &[Field], planned: &Object, kept: &Object) -> BTreeSet<&'static str> {
    let mut noted = Map::new();
    let mut names = BTreeSet::new();
    for field in fields.iter().filter(|field| field.is_replacing()) {
        let name = field.name();
        let (Some(sent), Some(is)) = (planned.text(name), kept.text(name)) else {
            continue;
        };
        let is_same = field.attributes[0].means_the_same(planned.at(name), kept.at(name))
            || kept_id(field, kept)
                .is_some_and(|id| id.eq_ignore_ascii_case(sent) || Some(id) == kept_id(field, planned));
        if !is_same {
            let id = kept_id(field, kept);
            noted.insert(name.to_owned(), Json::from(vec![Some(sent), Some(is), id]));
            names.insert(name);
        }
    }
    if !noted.is_empty() {
        cx.set_private(KEPT_OTHERWISE, noted.into());
    }
    names
}

/// The sys_id of the record that a reference refers to.
fn kept_id<'o>(field: &Field, object: &'o Object) -> Option<&'o str> {
    object.text(field.reference_id()?)
}

/// Keeps a record whose only difference is what its instance kept otherwise.
pub(crate) fn plan(cx: &Context<Clients>, fields: &[Field], plan: &mut Plan<'_>) {
    let (Some(prior), Some(Json::Object(noted))) = (plan.prior, cx.private(KEPT_OTHERWISE)) else {
        return;
    };
    for field in fields {
        let name = field.name();
        let Some(Json::Array(values)) = noted.get(name) else {
            continue;
        };
        let [sent, kept, kept_id] = [0, 1, 2].map(|at| values.get(at).and_then(Json::as_str));
        let id = field.reference_id();
        let is_kept = prior.text(name) == kept || id.is_some_and(|id| kept_id.is_some() && prior.text(id) == kept_id);
        if sent.is_none() || plan.state.text(name) != sent || !is_kept {
            continue;
        }
        for name in [Some(name), id].into_iter().flatten() {
            plan.state.set(name, prior.at(name).clone());
            plan.replace.retain(|path| *path != Path::of(name));
        }
    }
}

/// Says of what was not kept that no apply corrects it.
pub(crate) fn explain(problems: &mut Diagnostics, names: &BTreeSet<&'static str>) {
    let explained = |mut problem: Diagnostic| {
        let is_noted = names.iter().any(|name| problem.path == Path::of(name));
        if is_noted && problem.severity == Severity::Error {
            problem.severity = Severity::Warning;
            let what = problem.detail.split("\n\n").next().unwrap_or_default().to_owned();
            problem.detail = format!(
                "{what}\n\nOnly a new record could have another value, and the instance would keep that one the same way. So the \
                 next plan shows no change. Configure the value that the instance keeps; or remove the cause, and replace the record \
                 with `terraform apply -replace=ADDRESS`."
            );
        }
        problem
    };
    *problems = problems.iter().cloned().map(explained).collect();
}
