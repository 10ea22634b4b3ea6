//! What a caller sees of the records: dot-walked columns, display values, reference objects, hidden secrets.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

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
    /// Columns that the caller may not read.
    pub(super) denied: BTreeSet<String>,
}

/// Which state of the records a read sees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Freshness {
    Current,
    BeforeLastWrite,
}

/// A record as an answer shows it: its columns in the order of a real instance, which is that of Java's `HashMap`.
///
/// Recorded answers agree with it. It is neither the order that a caller asked for nor the alphabet.
#[derive(Clone, Debug, Default)]
pub(super) struct Row(Vec<(String, Value)>);

impl Row {
    fn of(cells: Vec<(String, Value)>) -> Row {
        // The table doubles as soon as it is more than three quarters full.
        let mut buckets = 16;
        while cells.len() * 4 > buckets * 3 {
            buckets *= 2;
        }
        let mut cells = cells;
        // Stable: within a bucket the first to come stays the first.
        cells.sort_by_key(|(column, _)| java_hash(column) as usize & (buckets - 1));
        Row(cells)
    }

    /// Adds what is no column of the record, at the end.
    pub(super) fn push(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(column, value)| (column, value)))
    }
}

/// `String.hashCode`, spread as `HashMap` does.
fn java_hash(text: &str) -> u32 {
    let hash = text
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
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

    /// What stands behind a stored value for texts to be compared with: of a reference, the name of the record.
    pub(super) fn name_behind(&self, kind: Kind, stored: String) -> String {
        let named = kind.target().and_then(|target| {
            let (_, record) = self.rows.find(self.schema, target, &stored)?;
            Some(self.display_of(target, record))
        });
        named.unwrap_or(stored)
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
    pub(super) fn render(&self, table: &str, record: &Record, shape: &Shape) -> Row {
        let Some(columns) = self.schema.columns(table) else {
            return Row::default();
        };
        let all;
        let fields = match &shape.fields {
            Some(fields) => fields,
            None => {
                all = columns.keys().map(|name| (*name).to_owned()).collect();
                &all
            }
        };
        let mut seen = BTreeSet::new();
        let asked = fields.iter().filter(|path| seen.insert(path.as_str()));
        let cells = asked.filter_map(|path| Some((path.clone(), self.cell(table, record, path, shape)?)));
        Row::of(cells.collect())
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
        if shape.denied.contains(first) {
            return None;
        }
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
        let is_native = self.modes.quirks.native_values;
        let link = match (column.kind, shape.links) {
            (Kind::Reference(target), links) if !raw.is_empty() && (links == Links::Included || is_native) => {
                Some(format!("{}/api/now/table/{target}/{raw}", self.base_url))
            }
            _ => None,
        };
        if is_native && matches!(column.kind, Kind::Boolean | Kind::Integer) {
            return Some(serde_json::from_str(&raw).unwrap_or_default());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A recorded answer of a developer instance, 2026-09, and the columns of PySNC's own tests.
    #[test]
    fn columns_come_in_the_order_of_a_real_instance() {
        for (asked, shown) in [
            (
                "user.user_name,role.name,inherited",
                "role.name,inherited,user.user_name",
            ),
            ("state,sys_id,short_description", "sys_id,short_description,state"),
        ] {
            let cells = asked.split(',').map(|column| (column.to_owned(), Value::Null));

            let Row(cells) = Row::of(cells.collect());

            let columns: Vec<_> = cells.iter().map(|(column, _)| column.as_str()).collect();
            assert_eq!(columns.join(","), shown);
        }
    }

    /// A recorded answer for an incident of a developer instance, 2025-10, with all its columns.
    #[test]
    fn many_columns_are_spread_over_more_buckets() {
        let recorded: Vec<_> = OF_AN_INCIDENT.split_whitespace().collect();
        let mut asked = recorded.clone();
        asked.rotate_left(40);
        let cells = asked.into_iter().map(|column| (column.to_owned(), Value::Null));

        let Row(cells) = Row::of(cells.collect());

        let columns: Vec<_> = cells.iter().map(|(column, _)| column.as_str()).collect();
        assert_eq!(columns, recorded);
    }

    const OF_AN_INCIDENT: &str = "\
        parent made_sla caused_by watch_list upon_reject sys_updated_on child_incidents hold_reason \
        origin_table task_effective_number approval_history number resolved_by sys_updated_by opened_by \
        user_input sys_created_on sys_domain state route_reason sys_created_by knowledge order calendar_stc \
        closed_at cmdb_ci contract impact active work_notes_list business_impact priority sys_domain_path \
        rfc time_worked expected_start opened_at business_duration group_list work_end caller_id resolved_at \
        approval_set subcategory work_notes universal_request short_description close_code \
        correlation_display work_start delivery_task assignment_group additional_assignee_list business_stc \
        cause description origin_id calendar_duration close_notes notify service_offering sys_class_name \
        closed_by follow_up parent_incident sys_id contact_type reopened_by incident_state urgency \
        problem_id company reassignment_count activity_due assigned_to severity comments approval sla_due \
        comments_and_work_notes due_date sys_mod_count reopen_count sys_tags escalation upon_approval \
        correlation_id location category";
}
