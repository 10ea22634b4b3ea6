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
