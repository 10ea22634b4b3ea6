//! What a caller sees of the records: dot-walked columns, display values, reference objects, hidden secrets.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::instance::ids::new_id;
use crate::instance::options::{SecretRead, Switches};
use crate::instance::schema::{Column, Kind, Schema};
use crate::instance::store::{Record, Rows, property, value};
use crate::instance::time::{shifted, wire_time};

/// `sysparm_display_value`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum DisplayMode {
    #[default]
    Values,
    Display,
    Both,
}

/// Whether references come as objects with a link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Links {
    #[default]
    Included,
    Excluded,
}

/// How a caller wants records.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    /// `None`: all columns of the table.
    pub(super) fields: Option<Vec<String>>,
    pub(super) display: DisplayMode,
    pub(super) links: Links,
}

/// Which state of the records a read sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Freshness {
    Current,
    BeforeLastWrite,
}

/// The records as one request sees them.
pub(super) struct View<'a> {
    pub(super) schema: &'a Schema,
    pub(super) rows: Cow<'a, Rows>,
    pub(super) modes: &'a Switches,
    pub(super) base_url: &'a str,
    pub(super) now: Timestamp,
}

impl View<'_> {
    pub(super) fn invalid_query_returns_no_rows(&self) -> bool {
        self.modes.invalid_query_returns_no_rows
            || property(&self.rows, "glide.invalid_query.returns_no_rows") == "true"
    }

    pub(super) fn ignores_case(&self) -> bool {
        self.modes.quirks.ignores_case
    }

    /// The type of a column, dot-walked or not; `None` if there is none of that name.
    pub(super) fn kind_of(&self, table: &str, path: &str) -> Option<Kind> {
        self.column_of(table, path).map(|column| column.kind)
    }

    /// The stored value behind a column, dot-walked or not. An empty reference on the way gives an empty value.
    pub(super) fn raw(&self, table: &str, record: &Record, path: &str) -> Option<String> {
        let Some((first, rest)) = path.split_once('.') else {
            self.schema.column(table, path)?;
            return Some(value(record, path).to_owned());
        };
        let Kind::Reference(target) = self.schema.column(table, first)?.kind else {
            return None;
        };
        self.column_of(target, rest)?;
        match self.rows.find(self.schema, target, value(record, first)) {
            Some((_, other)) => self.raw(target, other, rest),
            None => Some(String::new()),
        }
    }

    /// A day as `ON` spells it, in UTC.
    pub(super) fn day(&self, text: &str) -> String {
        let today = |shift: i64| wire_time(shifted(self.now, shift * 86_400))[..10].to_owned();
        match text {
            "Today" => today(0),
            "Yesterday" => today(-1),
            "Tomorrow" => today(1),
            other => other.to_owned(),
        }
    }

    /// A record in the shape that the caller asked for. Columns that it may not read are missing.
    pub(super) fn render(&self, table: &str, record: &Record, shape: &Shape) -> Value {
        let mut object = Map::new();
        let Some(columns) = self.schema.columns(table) else {
            return Value::Object(object);
        };
        let all;
        let fields = match &shape.fields {
            Some(fields) => fields,
            None => {
                all = columns.keys().map(|name| (*name).to_owned()).collect();
                &all
            }
        };
        for path in fields {
            if let Some(cell) = self.cell(table, record, path, shape) {
                object.insert(path.clone(), cell);
            }
        }
        Value::Object(object)
    }

    /// The `sys_id` behind a display value of a reference column, empty if nothing carries that name.
    pub(super) fn by_display(&self, target: &str, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        self.rows
            .all(self.schema, target)
            .into_iter()
            .find(|(_, record)| self.display_of(target, record) == text)
            .map(|(_, record)| value(record, "sys_id").to_owned())
            .unwrap_or_default()
    }

    /// A date-time of the user's zone in UTC.
    pub(super) fn utc_of(&self, text: &str) -> String {
        let Ok(local) = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text) else {
            return String::new();
        };
        let utc = local.to_zoned(jiff::tz::TimeZone::UTC);
        utc.map_or_else(
            |_| String::new(),
            |zoned| wire_time(shifted(zoned.timestamp(), -self.zone_seconds())),
        )
    }

    fn zone_seconds(&self) -> i64 {
        i64::from(self.modes.time_zone_offset) * 3600
    }

    fn column_of(&self, table: &str, path: &str) -> Option<&Column> {
        let Some((first, rest)) = path.split_once('.') else {
            return self.schema.column(table, path);
        };
        let target = self.schema.column(table, first)?.kind.target()?;
        self.column_of(target, rest)
    }

    fn cell(&self, table: &str, record: &Record, path: &str, shape: &Shape) -> Option<Value> {
        let column = self.column_of(table, path)?;
        let first = path.split('.').next().unwrap_or(path);
        let denied = &self.modes.read_denied;
        let lineage = || self.schema.lineage(table);
        let is_denied = !denied.is_empty()
            && lineage().iter().any(|ancestor| {
                let key = ((*ancestor).to_owned(), first.to_owned());
                denied.contains(&key)
            });
        if is_denied {
            return None;
        }
        let stored = self.raw(table, record, path)?;
        let (raw, display) = if column.kind.is_secret() {
            let hidden = self.hidden(&stored)?;
            let stars = if stored.is_empty() { "" } else { "********" };
            (hidden, stars.to_owned())
        } else {
            // Looked up only where asked for: it costs more than everything else here.
            let display = match shape.display {
                DisplayMode::Values => String::new(),
                DisplayMode::Display | DisplayMode::Both => self.display(column, &stored),
            };
            (stored, display)
        };
        let raw = self.modes.quirks.shown(raw);
        let link = match (column.kind, shape.links) {
            (Kind::Reference(target), Links::Included) if !raw.is_empty() => {
                Some(format!("{}/api/now/table/{target}/{raw}", self.base_url))
            }
            _ => None,
        };
        Some(match (shape.display, link) {
            (DisplayMode::Values, None) => json!(raw),
            (DisplayMode::Values, Some(link)) => json!({"link": link, "value": raw}),
            (DisplayMode::Display, None) => json!(display),
            (DisplayMode::Display, Some(link)) => json!({"display_value": display, "link": link}),
            (DisplayMode::Both, None) => json!({"display_value": display, "value": raw}),
            (DisplayMode::Both, Some(link)) => {
                json!({"display_value": display, "link": link, "value": raw})
            }
        })
    }

    fn hidden(&self, stored: &str) -> Option<String> {
        if stored.is_empty() && self.modes.secret_read != SecretRead::Absent {
            return Some(String::new());
        }
        match self.modes.secret_read {
            SecretRead::Absent => None,
            SecretRead::Empty => Some(String::new()),
            SecretRead::Masked => Some("********".to_owned()),
            SecretRead::Encrypted => Some(format!("{}=={}", new_id(), &new_id()[..11])),
        }
    }

    fn display(&self, column: &Column, stored: &str) -> String {
        match column.kind {
            Kind::Reference(target) => match self.rows.find(self.schema, target, stored) {
                Some((_, record)) => self.display_of(target, record),
                None => stored.to_owned(),
            },
            Kind::Choice(choices) => choices
                .iter()
                .find(|(wire, _)| *wire == stored)
                .map_or(stored, |(_, label)| *label)
                .to_owned(),
            Kind::DateTime => self.to_local(stored),
            Kind::Text if column.name == "sys_class_name" => {
                self.schema.table(stored).map_or(stored, |table| table.label).to_owned()
            }
            Kind::Text
            | Kind::Url
            | Kind::Email
            | Kind::Integer
            | Kind::Decimal
            | Kind::Boolean
            | Kind::Date
            | Kind::Secret
            | Kind::Password => stored.to_owned(),
        }
    }

    fn to_local(&self, stored: &str) -> String {
        let Ok(utc) = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", stored) else {
            return stored.to_owned();
        };
        let zoned = utc.to_zoned(jiff::tz::TimeZone::UTC);
        zoned.map_or_else(
            |_| stored.to_owned(),
            |zoned| wire_time(shifted(zoned.timestamp(), self.zone_seconds())),
        )
    }

    fn display_of(&self, table: &str, record: &Record) -> String {
        let column = self.schema.table(table).map_or("sys_id", |table| table.display);
        value(record, column).to_owned()
    }
}
