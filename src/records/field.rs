//! Where an attribute meets its column: once, for create, read, update and import alike.

pub(crate) use crate::plugin::Reading;
use crate::{
    plugin::{Object, Validator, Value},
    servicenow::{
        Cell, Column, Kind, Query, QueryError, Record, Row, SysId, Value as Wire, means_the_same, tables::every,
    },
};

/// An attribute and the column that holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) attribute: &'static str,
    pub(crate) column: Column,
    keeping: Keeping,
}

/// Whether the state follows a column that the configuration says nothing about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keeping {
    /// Required, computed, or with a default: the state always has it.
    Always,
    /// Optional: what is not configured is not managed, whatever the instance fills in.
    WhenConfigured,
}

impl Field {
    /// Required, computed, or with a default.
    pub(crate) const fn always(attribute: &'static str, column: Column) -> Self {
        Self {
            attribute,
            column,
            keeping: Keeping::Always,
        }
    }

    /// Optional.
    pub(crate) const fn when_configured(attribute: &'static str, column: Column) -> Self {
        Self {
            attribute,
            column,
            keeping: Keeping::WhenConfigured,
        }
    }

    fn to_wire(self, value: &Value) -> Option<Wire> {
        match (self.column.kind(), value) {
            (_, Value::Null) => Some(Wire::Text(String::new())),
            (Kind::Secret, _) => None,
            (_, Value::Bool(flag)) => Some(Wire::Bool(*flag)),
            (_, Value::Number(number)) => number.as_integer().map(Wire::Integer),
            (Kind::Reference, Value::String(text)) => {
                Some(SysId::parse(text).map_or_else(|_| Wire::Text(text.clone()), Wire::Reference))
            }
            (_, Value::String(text)) => Some(Wire::Text(text.clone())),
            (_, Value::Unknown | Value::List(_) | Value::Object(_) | Value::Dynamic(_)) => None,
        }
    }

    /// What the column says; `None` when it cannot be seen, which says nothing.
    fn read(self, record: &Record) -> Option<Value> {
        match self.column.kind() {
            Kind::Secret => None,
            Kind::Bool => known(record.bool(self.column)),
            Kind::Integer => known(record.integer(self.column)),
            Kind::Text | Kind::Url | Kind::Reference | Kind::DateTime => {
                known(record.text(self.column).map(str::to_owned))
            }
        }
    }
}

fn known<T: Into<Value>>(cell: Cell<T>) -> Option<Value> {
    match cell {
        Cell::Hidden => None,
        Cell::Empty => Some(Value::Null),
        Cell::Value(value) => Some(value.into()),
    }
}

/// The row of a new record: everything that the plan knows.
pub(crate) fn row_to_create(fields: &[Field], planned: &Object) -> Row {
    let given = fields.iter().filter(|field| !planned.at(field.attribute).is_null());
    given.fold(Row::new(), |row, field| {
        row.set_if_some(field.column, field.to_wire(planned.at(field.attribute)))
    })
}

/// The row of an update: what changes, and nothing else. What is no longer configured is emptied.
pub(crate) fn row_to_update(fields: &[Field], prior: &Object, planned: &Object) -> Row {
    let changed = fields.iter().filter(|field| {
        let planned = planned.at(field.attribute);
        !planned.is_unknown() && planned != prior.at(field.attribute)
    });
    changed.fold(Row::new(), |row, field| {
        row.set_if_some(field.column, field.to_wire(planned.at(field.attribute)))
    })
}

/// Takes over into the state what a record says.
pub(crate) fn read_into(fields: &[Field], record: &Record, state: &mut Object, reading: Reading) {
    for field in fields {
        let former = state.at(field.attribute);
        let is_unmanaged = reading == Reading::Refresh && field.keeping == Keeping::WhenConfigured && former.is_null();
        if is_unmanaged {
            continue;
        }
        match field.read(record) {
            None => {}
            // Empty text that was configured as such is that, and not nothing.
            Some(Value::Null) if former.as_str() == Some("") => {}
            Some(value) => state.set(field.attribute, value),
        }
    }
}

/// The attribute that owns a column.
pub(crate) fn attribute_of(fields: &[Field], column: &str) -> Option<&'static str> {
    fields
        .iter()
        .find(|field| field.column.name() == column)
        .map(|field| field.attribute)
}

/// Whether two addresses are the same to the instance.
pub(crate) fn same_url(one: &str, other: &str) -> bool {
    means_the_same(Kind::Url, one, other)
}

/// Text that a record can be looked up by: no `^`, no control character, no leading `javascript:`.
pub(crate) fn key_text() -> Validator {
    Validator::text("", |text| match Query::equals(every::SYS_CREATED_BY, text) {
        // That it is empty is said by the check for that.
        Ok(_) | Err(QueryError::Empty { .. }) => Ok(()),
        Err(QueryError::Character { character, .. }) if character.is_control() => {
            Err(control_character(text, character))
        }
        Err(QueryError::Character { character, .. }) => Err(format!(
            "{text:?} holds \"{character}\", which the instance's queries cannot express: the record could not be found \
             again. Use a value without it."
        )),
        Err(QueryError::Script { .. }) => Err(format!(
            "{text:?} begins with \"javascript:\", which the instance would run as a script when it looks for the record. Use \
             another value."
        )),
        Err(error) => Err(super::diagnostics::explain(&error, &error.remedy())),
    })
}

/// Text without control characters, which no form would have let through.
pub(crate) fn printable() -> Validator {
    Validator::text("", |text| match text.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some(control) => Err(control_character(text, control)),
    })
}

fn control_character(text: &str, control: char) -> String {
    format!(
        "{text:?} holds the control character {control:?}. Remove it: it probably came along when the value was copied."
    )
}

/// The key of a record.
pub(crate) fn sys_id_text() -> Validator {
    Validator::text("", |text| match SysId::parse(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "{text:?} is no sys_id. Give the 32 hexadecimal digits of the record."
        )),
    })
}
