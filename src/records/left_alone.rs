//! What the configuration does not name stays as it is, also where attributes are not columns of a record: the rules of
//! [`field::plan`] for a resource that has its own reads and writes.

use crate::plugin::schema::Presence;
use crate::plugin::{Attribute, Object, Plan, Reading};
use crate::records::field::{self, Field};

/// An argument that is not named is planned as it was: one without a default always, one with a default where an import
/// found another value.
pub(crate) fn plan(attributes: Vec<Attribute>, plan: &mut Plan<'_>) {
    let mut left_alone = field::left_alone(plan.prior, "");
    for attribute in &attributes {
        let name = attribute.name;
        let is_silent = attribute.presence == Presence::OptionalComputed && plan.config.at(name).is_null();
        if is_silent && (attribute.default.is_none() || left_alone.contains(name)) {
            plan.state.set(name, plan.prior.map(|prior| prior.at(name).clone()));
        }
    }
    left_alone.retain(|name| plan.prior.is_some_and(|prior| prior.at(name) == plan.state.at(name)));
    field::set_left_alone(plan.state, left_alone);
    let fields: Vec<Field> = attributes.into_iter().map(Field::local).collect();
    field::settle(&fields, plan);
}

/// After a read: an import lists what differs from its default, a refresh takes off the list what no longer does.
pub(crate) fn after_read(attributes: &[Attribute], reading: Reading, state: &mut Object) {
    let listed = field::left_alone(Some(state), "");
    let left_alone = attributes.iter().filter(|attribute| {
        let differs = attribute
            .default
            .as_ref()
            .is_some_and(|default| state.at(attribute.name) != default);
        differs && (reading == Reading::Import || listed.contains(attribute.name))
    });
    let left_alone = left_alone.map(|attribute| attribute.name.to_owned()).collect();
    field::set_left_alone(state, left_alone);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes() -> Vec<Attribute> {
        vec![
            Attribute::text("same").optional_computed().default("default"),
            Attribute::text("other").optional_computed().default("default"),
            Attribute::text("without"),
        ]
    }

    fn state(listed: &[&str]) -> Object {
        let mut state = Object::new();
        for (name, value) in [("same", "default"), ("other", "theirs"), ("without", "theirs")] {
            state.set(name, Some(value));
        }
        field::set_left_alone(&mut state, listed.iter().map(|name| (*name).to_owned()).collect());
        state
    }

    fn listed_after(reading: Reading, listed: &[&str]) -> Vec<String> {
        let mut state = state(listed);
        after_read(&attributes(), reading, &mut state);
        field::left_alone(Some(&state), "").into_iter().collect()
    }

    #[test]
    fn an_import_lists_what_differs_from_its_default() {
        assert_eq!(listed_after(Reading::Import, &[]), ["other"]);
    }

    #[test]
    fn a_refresh_lists_nothing_more_and_drops_what_is_as_by_default() {
        assert_eq!(listed_after(Reading::Refresh, &[]), Vec::<String>::new());
        assert_eq!(listed_after(Reading::Refresh, &["same", "other"]), ["other"]);
    }
}
