//! The records, by class and `sys_id`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::instance::schema::Schema;

/// A record as stored, secrets in clear.
pub type Record = BTreeMap<String, String>;

/// All records of an instance. What the last write changed can be looked at undone, for stale reads.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Rows {
    classes: BTreeMap<String, BTreeMap<String, Record>>,
    #[serde(skip)]
    last_write: Vec<Change>,
    /// Per entry of [`INDEXED`]: `sys_id`s by value.
    #[serde(skip)]
    index: BTreeMap<usize, HashMap<String, BTreeSet<String>>>,
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

    /// Position, class and `sys_id` of what the last write added and did not remove again. The first change of a write
    /// is what was asked for; the others follow from rules.
    pub(super) fn added(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        self.last_write
            .iter()
            .enumerate()
            .filter(|(_, change)| change.before.is_none())
            .map(|(position, change)| (position, change.class.as_str(), change.sys_id.as_str()))
            .filter(|(_, class, sys_id)| self.classes.get(*class).is_some_and(|rows| rows.contains_key(*sys_id)))
    }

    /// `sys_id` of what the last write removed and did not add again.
    pub(super) fn removed(&self) -> impl Iterator<Item = &str> {
        let gone = |change: &&Change| {
            let rows = self.classes.get(&change.class);
            rows.is_none_or(|rows| !rows.contains_key(&change.sys_id))
        };
        self.last_write.iter().filter(gone).map(|change| change.sys_id.as_str())
    }

    /// The records of exactly this class.
    pub(super) fn of_class(&self, class: &str) -> impl Iterator<Item = &Record> {
        self.classes.get(class).into_iter().flat_map(BTreeMap::values)
    }

    /// The records of exactly this class whose column has this value. Quick for indexed columns.
    pub(super) fn having<'a>(
        &'a self,
        class: &'a str,
        column: &'a str,
        text: &'a str,
    ) -> Box<dyn Iterator<Item = &'a Record> + 'a> {
        let Some(records) = self.classes.get(class) else {
            return Box::new(std::iter::empty());
        };
        if column == "sys_id" {
            return Box::new(records.get(text).into_iter());
        }
        match position(class, column) {
            Some(position) => Box::new(
                self.index
                    .get(&position)
                    .and_then(|index| index.get(text))
                    .into_iter()
                    .flatten()
                    .filter_map(|sys_id| records.get(sys_id)),
            ),
            None => Box::new(records.values().filter(move |record| value(record, column) == text)),
        }
    }

    /// Whether [`Rows::having`] is quick for this column.
    pub(super) fn is_indexed(class: &str, column: &str) -> bool {
        column == "sys_id" || position(class, column).is_some()
    }

    /// Builds the index of records that were read from a snapshot.
    pub(super) fn reindex(&mut self) {
        self.index.clear();
        let classes = std::mem::take(&mut self.classes);
        for (class, records) in &classes {
            for record in records.values() {
                self.index_record(class, record);
            }
        }
        self.classes = classes;
    }

    /// The records of a table and of what extends it, each with its class, ordered by `sys_id` (that is: by chance).
    pub(super) fn all<'a>(&'a self, schema: &Schema, table: &str) -> Vec<(&'static str, &'a Record)> {
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
    pub(super) fn find(&self, schema: &Schema, table: &str, sys_id: &str) -> Option<(&'static str, &Record)> {
        schema.family(table).into_iter().find_map(|class| {
            let record = self.classes.get(class)?.get(sys_id)?;
            Some((class, record))
        })
    }

    /// Stores a record, in place of the one with its `sys_id` if there is one.
    pub(super) fn set(&mut self, class: &str, record: Record) {
        let sys_id = record.get("sys_id").cloned().unwrap_or_default();
        if let Some(before) = self.classes.get(class).and_then(|rows| rows.get(&sys_id)) {
            let before = before.clone();
            self.unindex_record(class, &before);
        }
        self.index_record(class, &record);
        let before = self
            .classes
            .entry(class.to_owned())
            .or_default()
            .insert(sys_id.clone(), record);
        self.note(class, &sys_id, before);
    }

    pub(super) fn take(&mut self, class: &str, sys_id: &str) -> Option<Record> {
        let before = self.classes.get_mut(class)?.remove(sys_id)?;
        self.unindex_record(class, &before);
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
        rows.reindex();
        rows
    }

    fn index_record(&mut self, class: &str, record: &Record) {
        for (position, (_, column)) in indexed_of(class) {
            self.index
                .entry(position)
                .or_default()
                .entry(value(record, column).to_owned())
                .or_default()
                .insert(value(record, "sys_id").to_owned());
        }
    }

    fn unindex_record(&mut self, class: &str, record: &Record) {
        for (position, (_, column)) in indexed_of(class) {
            let index = self.index.entry(position).or_default();
            if let Some(ids) = index.get_mut(value(record, column)) {
                ids.remove(value(record, "sys_id"));
                if ids.is_empty() {
                    index.remove(value(record, column));
                }
            }
        }
    }

    fn note(&mut self, class: &str, sys_id: &str, before: Option<Record>) {
        self.last_write.push(Change {
            class: class.to_owned(),
            sys_id: sys_id.to_owned(),
            before,
        });
    }
}

type Indexed = (&'static str, &'static str);

/// Columns by which thousands of records are looked up.
const INDEXED: [Indexed; 6] = [
    ("sys_user", "user_name"),
    ("sys_user_has_role", "user"),
    ("sys_user_grmember", "user"),
    ("sys_user_preference", "user"),
    ("oauth_entity_profile", "oauth_entity"),
    ("oauth_credential", "token"),
];

fn indexed_of(class: &str) -> impl Iterator<Item = (usize, Indexed)> {
    let all = INDEXED.into_iter().enumerate();
    all.filter(move |(_, (indexed, _))| *indexed == class)
}

fn position(class: &str, column: &str) -> Option<usize> {
    INDEXED.iter().position(|indexed| *indexed == (class, column))
}

/// A column's value, empty where the record lacks it.
pub(super) fn value<'a>(record: &'a Record, column: &str) -> &'a str {
    record.get(column).map_or("", String::as_str)
}

/// Columns and values as a record.
pub(super) fn owned(values: &[(&str, &str)]) -> Record {
    let owned = values
        .iter()
        .map(|(column, text)| ((*column).to_owned(), (*text).to_owned()));
    owned.collect()
}

pub(super) fn is_true(record: &Record, column: &str) -> bool {
    value(record, column) == "true"
}

/// The value of a system property, empty if there is none.
pub(super) fn property<'a>(rows: &'a Rows, name: &str) -> &'a str {
    rows.of_class("sys_properties")
        .find(|row| value(row, "name") == name)
        .map_or("", |row| value(row, "value"))
}
