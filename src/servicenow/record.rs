//! Rows as the instance answers them and as we send them.
//!
//! Facts: `values-are-text`, `date-times-are-utc`, `hidden-columns-are-left-out`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::{Map, Value as Json};

use crate::http::{Secret, secret};
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, ColumnKind};
use crate::servicenow::value_equality::is_true;

/// What one column of an answer tells us.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cell<T> {
    /// Not in the answer, or unreadable: the account may not see it, or this release has no such column. Says nothing
    /// of the value, so no plan may follow from it.
    Hidden,
    /// There, and empty.
    Empty,
    Value(T),
}

impl<T> Cell<T> {
    /// The value, or what the caller knew before when the column is hidden; none when it is empty.
    pub fn or_known(self, known: Option<T>) -> Option<T> {
        match self {
            Cell::Hidden => known,
            Cell::Empty => None,
            Cell::Value(value) => Some(value),
        }
    }

    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Cell::Hidden | Cell::Empty => None,
            Cell::Value(value) => Some(value),
        }
    }

    /// Whether the column was not in the answer.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Cell::Hidden)
    }

    /// Applies a function to the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Cell<U> {
        match self {
            Cell::Hidden => Cell::Hidden,
            Cell::Empty => Cell::Empty,
            Cell::Value(value) => Cell::Value(f(value)),
        }
    }
}

/// One row of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    sys_id: SysId,
    cells: BTreeMap<String, String>,
}

impl Record {
    /// Reads a row. None without a usable `sys_id`, which no row lacks.
    pub(super) fn from_json(row: &Map<String, Json>) -> Option<Record> {
        let cells: BTreeMap<String, String> = row.iter().map(|(name, cell)| (name.clone(), wire_text(cell))).collect();
        let sys_id = SysId::from_answer(cells.get("sys_id")?)?;
        Some(Record { sys_id, cells })
    }

    /// The record's key.
    pub fn sys_id(&self) -> &SysId {
        &self.sys_id
    }

    /// The names of the columns that the answer has.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cells.keys().map(String::as_str)
    }

    /// Whether any column of the answer holds the key of another record, whatever the column is called.
    pub fn refers_to(&self, other: &SysId) -> bool {
        self.cells
            .values()
            .any(|text| other.as_str().eq_ignore_ascii_case(text.trim()))
            && self.sys_id != *other
    }

    /// The column as text, whatever its kind. Blanks at the ends are kept. A secret is hidden, whatever was answered.
    pub fn text(&self, column: Column) -> Cell<&str> {
        if column.kind() == ColumnKind::Secret {
            return Cell::Hidden;
        }
        self.by_name(column.name())
    }

    /// A boolean; an empty one is false.
    pub fn bool(&self, column: Column) -> Cell<bool> {
        match self.text(column) {
            Cell::Hidden => Cell::Hidden,
            Cell::Empty => Cell::Value(false),
            Cell::Value(text) => Cell::Value(is_true(text)),
        }
    }

    /// A whole number. Text that is none counts as hidden, since no plan may follow from it.
    pub fn integer(&self, column: Column) -> Cell<i64> {
        match self.text(column) {
            Cell::Hidden => Cell::Hidden,
            Cell::Empty => Cell::Empty,
            Cell::Value(text) => match parse_integer(text) {
                Some(number) => Cell::Value(number),
                None => unreadable(column),
            },
        }
    }

    /// The key of another record, or a name such as `global`.
    pub fn reference(&self, column: Column) -> Cell<&str> {
        self.text(column)
    }

    /// A time. Text that is none counts as hidden.
    pub fn date_time(&self, column: Column) -> Cell<Timestamp> {
        match self.text(column) {
            Cell::Hidden => Cell::Hidden,
            Cell::Empty => Cell::Empty,
            Cell::Value(text) => match parse_date_time(text) {
                Some(time) => Cell::Value(time),
                None => unreadable(column),
            },
        }
    }

    pub(super) fn by_name(&self, name: &str) -> Cell<&str> {
        match self.cells.get(name) {
            None => Cell::Hidden,
            Some(text) if text.is_empty() => Cell::Empty,
            Some(text) => Cell::Value(text),
        }
    }

    /// Takes over the cells that this record lacks.
    pub(super) fn complete_from(&mut self, other: Record) {
        for (name, text) in other.cells {
            self.cells.entry(name).or_insert(text);
        }
    }

    #[cfg(test)]
    pub(super) fn for_tests(sys_id: &str, cells: &[(&str, &str)]) -> Record {
        let cells = cells
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        Record {
            sys_id: SysId::parse(sys_id).unwrap(),
            cells,
        }
    }
}

/// The columns to be written. Columns that are not in it stay as they are.
///
/// ```
/// use servicenow_provider::servicenow::Row;
/// use servicenow_provider::servicenow::tables::sys_user;
///
/// let row = Row::new().set(sys_user::USER_NAME, "abel").set(sys_user::ACTIVE, true).clear(sys_user::EMAIL);
/// assert_eq!(row.len(), 3);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Row {
    cells: Vec<(Column, Value)>,
}

impl Row {
    /// Nothing to write yet.
    pub fn new() -> Row {
        Row::default()
    }

    /// Writes a value; a second value for the same column replaces the first.
    #[must_use]
    pub fn set(mut self, column: Column, value: impl Into<Value>) -> Row {
        let value = value.into();
        match self.cells.iter_mut().find(|(known, _)| known.name() == column.name()) {
            Some(cell) => cell.1 = value,
            None => self.cells.push((column, value)),
        }
        self
    }

    /// Writes a value if there is one; none leaves the column alone.
    #[must_use]
    pub fn set_if_some<V: Into<Value>>(self, column: Column, value: Option<V>) -> Row {
        match value {
            Some(value) => self.set(column, value),
            None => self,
        }
    }

    /// Leaves the column alone after all.
    #[must_use]
    pub fn without(mut self, column: Column) -> Row {
        self.cells.retain(|(known, _)| known.name() != column.name());
        self
    }

    /// Empties the column.
    #[must_use]
    pub fn clear(self, column: Column) -> Row {
        self.set(column, Value::Text(String::new()))
    }

    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How many columns would be written.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// The columns that would be written, in order.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        self.cells.iter().map(|(column, _)| *column)
    }

    /// What would be written to a column.
    pub fn value(&self, column: Column) -> Option<&Value> {
        let cell = self.cells.iter().find(|(own, _)| *own == column);
        cell.map(|(_, value)| value)
    }

    pub(super) fn cells(&self) -> &[(Column, Value)] {
        &self.cells
    }

    /// The body of the request. The one place where secrets of a row leave their type; from then on they are masked
    /// wherever they turn up.
    pub(super) fn to_json(&self) -> Map<String, Json> {
        let cell = |(column, value): &(Column, Value)| {
            if let Value::Secret(secret) = value {
                secret::register(secret);
            }
            (column.name().to_owned(), Json::String(value.clone().into_wire()))
        };
        self.cells.iter().map(cell).collect()
    }
}

/// A value on its way to the instance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// Text, a choice, an address, a name.
    Text(String),
    /// Sent as `true` or `false`.
    Bool(bool),
    /// Sent as digits.
    Integer(i64),
    /// The key of another record.
    Reference(SysId),
    /// Sent as it is, never compared, never shown.
    Secret(Secret),
}

impl Value {
    /// The text that goes over the wire. For a secret this is the secret itself.
    pub fn into_wire(self) -> String {
        match self {
            Value::Text(text) => text,
            Value::Bool(yes) => yes.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Reference(sys_id) => sys_id.as_str().to_owned(),
            Value::Secret(secret) => secret.expose().to_owned(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Value {
        Value::Bool(yes)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<SysId> for Value {
    fn from(sys_id: SysId) -> Value {
        Value::Reference(sys_id)
    }
}

impl From<&SysId> for Value {
    fn from(sys_id: &SysId) -> Value {
        Value::Reference(sys_id.clone())
    }
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Value {
        Value::Secret(secret)
    }
}

/// The stored value in any form that an answer may have.
///
/// `{link, value}` is a reference with its link, `{display_value, value}` comes with `sysparm_display_value=all`, and
/// `{display_value, link}` with `=true`, where the key is only in the link.
fn wire_text(cell: &Json) -> String {
    match cell {
        Json::Null => String::new(),
        Json::Bool(yes) => yes.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Object(parts) => match (parts.get("value"), parts.get("link").and_then(Json::as_str)) {
            (Some(value), _) => wire_text(value),
            (None, Some(link)) => link.rsplit('/').next().unwrap_or_default().to_owned(),
            (None, None) => parts.get("display_value").map(wire_text).unwrap_or_default(),
        },
        Json::Array(items) => items.iter().map(wire_text).collect::<Vec<_>>().join(","),
    }
}

pub(super) fn parse_integer(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// `2026-01-31 23:59:59`, UTC.
pub(super) fn parse_date_time(text: &str) -> Option<Timestamp> {
    let civil = civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text.trim()).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn unreadable<T>(column: Column) -> Cell<T> {
    tracing::warn!(
        column = column.name(),
        kind = ?column.kind(),
        "the instance returned a value of another kind; it is ignored"
    );
    Cell::Hidden
}

/// The rows of a list. None if it is no list, or one of its rows is no record.
pub(super) fn rows(result: &Json) -> Option<Vec<Record>> {
    result
        .as_array()?
        .iter()
        .map(|row| Record::from_json(row.as_object()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::servicenow::tables::{every, oauth_entity, sys_user, sys_user_has_role};

    const KEY: &str = "6816f79cc0a8016401c5a33be04be441";

    fn record(row: Json) -> Record {
        Record::from_json(row.as_object().unwrap()).unwrap()
    }

    #[test]
    fn a_missing_column_is_hidden_and_an_empty_one_is_empty() {
        let record = record(json!({ "sys_id": KEY, "email": "", "user_name": "abel" }));

        assert_eq!(record.text(sys_user::TITLE), Cell::Hidden);
        assert_eq!(record.text(sys_user::EMAIL), Cell::Empty);
        assert_eq!(record.text(sys_user::USER_NAME), Cell::Value("abel"));
    }

    #[test]
    fn every_form_of_a_reference_is_read() {
        for cell in [
            json!(KEY),
            json!({ "link": "https://x/api/now/table/sys_user/y", "value": KEY }),
            json!({ "display_value": "Abel", "value": KEY, "link": "https://x/z" }),
            json!({ "display_value": "Abel", "link": format!("https://x/api/now/table/sys_user/{KEY}") }),
        ] {
            let record = record(json!({ "sys_id": KEY, "user": cell }));
            assert_eq!(record.reference(sys_user_has_role::USER), Cell::Value(KEY));
        }
        assert_eq!(
            record(json!({ "sys_id": KEY, "user": "" })).reference(sys_user_has_role::USER),
            Cell::Empty
        );
    }

    #[test]
    fn numbers_booleans_and_times_are_text_on_the_wire() {
        let record = record(json!({
            "sys_id": KEY, "access_token_lifespan": "1800", "refresh_token_lifespan": "many", "active": "true",
            "locked_out": "", "internal_integration_user": false, "sys_created_on": "2026-01-31 23:59:59"
        }));

        assert_eq!(record.integer(oauth_entity::ACCESS_TOKEN_LIFESPAN), Cell::Value(1800));
        assert_eq!(record.integer(oauth_entity::REFRESH_TOKEN_LIFESPAN), Cell::Hidden);
        assert_eq!(record.bool(sys_user::ACTIVE), Cell::Value(true));
        assert_eq!(record.bool(sys_user::LOCKED_OUT), Cell::Value(false));
        assert_eq!(record.bool(sys_user::INTERNAL_INTEGRATION_USER), Cell::Value(false));
        assert_eq!(
            record.date_time(every::SYS_CREATED_ON),
            Cell::Value("2026-01-31T23:59:59Z".parse().unwrap())
        );
    }

    #[test]
    fn a_secret_is_never_read_and_never_printed() {
        let record = record(json!({ "sys_id": KEY, "client_secret": "in clear by mistake" }));
        assert_eq!(record.text(oauth_entity::CLIENT_SECRET), Cell::Hidden);

        let row = Row::new().set(oauth_entity::CLIENT_SECRET, Secret::from("marker".to_owned()));
        assert!(!format!("{row:?}").contains("marker"));
        assert_eq!(row.to_json()["client_secret"], "marker");
    }

    #[test]
    fn a_row_without_a_key_is_no_record() {
        assert_eq!(Record::from_json(json!({ "name": "x" }).as_object().unwrap()), None);
    }
}
