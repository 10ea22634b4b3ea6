//! The records, by class and `sys_id`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Record;
use super::schema::Schema;

/// All records of an instance. What the last write changed can be looked at undone, for stale reads.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Rows {
    classes: BTreeMap<String, BTreeMap<String, Record>>,
    #[serde(skip)]
    last_write: Vec<Change>,
}

#[derive(Clone, Debug)]
struct Change {
    class: String,
    sys_id: String,
    before: Option<Record>,
}

impl Rows {
    /// Marks the beginning of a write that [`Rows::before_last_write`] undoes as a whole.
    pub(super) fn begin_write(&mut self) {
        self.last_write.clear();
    }

    /// The records of exactly this class.
    pub(super) fn of_class(&self, class: &str) -> impl Iterator<Item = &Record> {
        self.classes
            .get(class)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// The records of a table and of what extends it, each with its class, ordered by `sys_id` (that is: by chance).
    pub(super) fn all<'a>(
        &'a self,
        schema: &Schema,
        table: &str,
    ) -> Vec<(&'static str, &'a Record)> {
        let family = schema.family(table);
        let mut all: Vec<_> = family
            .iter()
            .flat_map(|class| self.of_class(class).map(|record| (*class, record)))
            .collect();
        if family.len() > 1 {
            all.sort_by(|(_, a), (_, b)| a.get("sys_id").cmp(&b.get("sys_id")));
        }
        all
    }

    /// The record with this `sys_id` in a table or in what extends it.
    pub(super) fn find(
        &self,
        schema: &Schema,
        table: &str,
        sys_id: &str,
    ) -> Option<(&'static str, &Record)> {
        schema.family(table).into_iter().find_map(|class| {
            let record = self.classes.get(class)?.get(sys_id)?;
            Some((class, record))
        })
    }

    /// Stores a record, in place of the one with its `sys_id` if there is one.
    pub(super) fn set(&mut self, class: &str, record: Record) {
        let sys_id = record.get("sys_id").cloned().unwrap_or_default();
        let before = self
            .classes
            .entry(class.to_owned())
            .or_default()
            .insert(sys_id.clone(), record);
        self.note(class, &sys_id, before);
    }

    pub(super) fn take(&mut self, class: &str, sys_id: &str) -> Option<Record> {
        let before = self.classes.get_mut(class)?.remove(sys_id)?;
        self.note(class, sys_id, Some(before.clone()));
        Some(before)
    }

    /// The records as they were before the last write.
    pub(super) fn before_last_write(&self) -> Self {
        let mut rows = self.clone();
        for change in self.last_write.iter().rev() {
            let class = rows.classes.entry(change.class.clone()).or_default();
            match &change.before {
                Some(record) => class.insert(change.sys_id.clone(), record.clone()),
                None => class.remove(&change.sys_id),
            };
        }
        rows
    }

    fn note(&mut self, class: &str, sys_id: &str, before: Option<Record>) {
        self.last_write.push(Change {
            class: class.to_owned(),
            sys_id: sys_id.to_owned(),
            before,
        });
    }
}

/// A column's value, empty where the record lacks it.
pub(super) fn value<'a>(record: &'a Record, column: &str) -> &'a str {
    record.get(column).map_or("", String::as_str)
}

pub(super) fn is_true(record: &Record, column: &str) -> bool {
    value(record, column) == "true"
}
