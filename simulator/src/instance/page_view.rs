//! What the page for people shows of the records: names in place of `sys_id`s, never a secret, and who made what.

use std::collections::BTreeMap;

use crate::instance::schema::{Column, Kind, Schema, Table};
use crate::instance::store::{Record, Rows, value};
use crate::instance::view::{Freshness, View};
use crate::instance::{Instance, Maker};

/// A table and its records, those that the instance did not ship with first.
pub(crate) struct ShownTable {
    /// `sys_user`
    pub(crate) name: &'static str,
    /// "User"
    pub(crate) label: &'static str,
    /// Those of the tables that extend it are shown there.
    pub(crate) records: Vec<ShownRecord>,
}

/// A record.
pub(crate) struct ShownRecord {
    pub(crate) sys_id: String,
    /// What stands for the record where another one refers to it.
    pub(crate) name: String,
    /// `None` for what the instance shipped with.
    pub(crate) made_by: Option<MadeBy>,
    /// Whether it was changed since it was made.
    pub(crate) is_changed: bool,
    /// In the order of the form.
    pub(crate) cells: Vec<Cell>,
}

/// Who made a record.
pub(crate) enum MadeBy {
    /// By its `User-Agent`; empty where there is none.
    Client(String),
    /// A rule of the instance, on the occasion of another record.
    Rule,
}

/// A column of a record.
pub(crate) struct Cell {
    pub(crate) column: &'static str,
    pub(crate) label: &'static str,
    pub(crate) shown: Shown,
    /// Whether the value says more than that nobody chose one.
    pub(crate) is_telling: bool,
    /// Whether the platform keeps it for every record: keys, times, counters.
    pub(crate) is_of_platform: bool,
}

/// A value as a person may see it.
pub(crate) enum Shown {
    Text(String),
    /// A value of a list, with what the form says for it.
    Choice {
        value: String,
        label: String,
    },
    Reference {
        table: &'static str,
        sys_id: String,
        name: String,
    },
    /// A secret that is there. Its text is not.
    Secret,
    Empty,
}

impl Instance {
    /// All tables, by name.
    pub(crate) fn shown_tables(&self) -> Vec<ShownTable> {
        let makers = self.state().makers.clone();
        self.with_view(Freshness::Current, |view| {
            let table = |table: &Table| shown_table(view, &makers, table);
            view.schema.tables().map(table).collect()
        })
    }

    /// One table.
    pub(crate) fn shown_table(&self, name: &str) -> Option<ShownTable> {
        let makers = self.state().makers.clone();
        self.with_view(Freshness::Current, |view| {
            view.schema.table(name).map(|table| shown_table(view, &makers, table))
        })
    }
}

fn shown_table(view: &View<'_>, makers: &BTreeMap<String, Maker>, table: &Table) -> ShownTable {
    let columns = form(view.schema, table);
    let mut records: Vec<ShownRecord> = view
        .rows
        .of_class(table.name)
        .map(|record| {
            let sys_id = value(record, "sys_id").to_owned();
            let maker = makers.get(&sys_id).filter(|maker| maker.class == table.name);
            ShownRecord {
                name: name(view, table, record),
                made_by: maker.map(|maker| match maker.by_rule {
                    true => MadeBy::Rule,
                    false => MadeBy::Client(maker.client.clone()),
                }),
                is_changed: value(record, "sys_mod_count") != "0",
                cells: columns
                    .iter()
                    .map(|(owner, column)| cell(view, table, owner, column, record))
                    .collect(),
                sys_id,
            }
        })
        .collect();
    records.sort_by(|a, b| (a.made_by.is_none(), &a.name).cmp(&(b.made_by.is_none(), &b.name)));
    ShownTable {
        name: table.name,
        label: table.label,
        records,
    }
}

/// The columns as the form has them: of the table that is extended first, each with the table that declares it.
fn form<'a>(schema: &'a Schema, table: &Table) -> Vec<(&'static str, &'a Column)> {
    let mut columns: Vec<(&'static str, &Column)> = Vec::new();
    let lineage = schema.lineage(table.name);
    for ancestor in lineage.into_iter().rev().filter_map(|name| schema.table(name)) {
        for column in ancestor.own_columns() {
            match columns.iter_mut().find(|(_, known)| known.name == column.name) {
                Some(known) => *known = (ancestor.name, column),
                None => columns.push((ancestor.name, column)),
            }
        }
    }
    let all = schema.columns(table.name).into_iter().flatten();
    for (name, column) in all {
        if !columns.iter().any(|(_, known)| known.name == *name) {
            columns.push((EVERY_TABLE, column));
        }
    }
    columns
}

fn cell(view: &View<'_>, table: &Table, owner: &str, column: &Column, record: &Record) -> Cell {
    let stored = value(record, column.name);
    let shown = match column.kind {
        _ if stored.is_empty() => Shown::Empty,
        Kind::Secret | Kind::Password => Shown::Secret,
        Kind::Reference(target) => reference(view, target, stored),
        Kind::Choice(choices) => Shown::Choice {
            value: stored.to_owned(),
            label: choices
                .iter()
                .find(|(wire, _)| *wire == stored)
                .map_or(stored, |(_, label)| *label)
                .to_owned(),
        },
        Kind::Text
        | Kind::Url
        | Kind::Email
        | Kind::Integer
        | Kind::Decimal
        | Kind::Boolean
        | Kind::Date
        | Kind::DateTime => Shown::Text(stored.to_owned()),
    };
    let is_of_platform =
        [EVERY_TABLE, "sys_metadata"].contains(&owner) || column.name.starts_with("sys_") || column.computed;
    Cell {
        column: column.name,
        label: column.label,
        is_telling: !stored.is_empty() && stored != column.default && !is_of_platform && column.name != table.display,
        shown,
        is_of_platform,
    }
}

fn reference(view: &View<'_>, target: &'static str, sys_id: &str) -> Shown {
    match find(view.schema, &view.rows, target, sys_id) {
        Some((table, record)) => Shown::Reference {
            table: table.name,
            sys_id: sys_id.to_owned(),
            name: name(view, table, record),
        },
        None => Shown::Text(sys_id.to_owned()),
    }
}

fn find<'a>(schema: &'a Schema, rows: &'a Rows, target: &str, sys_id: &str) -> Option<(&'a Table, &'a Record)> {
    let (class, record) = rows.find(schema, target, sys_id)?;
    Some((schema.table(class)?, record))
}

/// The display value, or what a record without one links: a user and a role, say.
fn name(view: &View<'_>, table: &Table, record: &Record) -> String {
    let display = value(record, table.display);
    if table.display != "sys_id" && !display.is_empty() {
        return display.to_owned();
    }
    let tied: Vec<String> = table
        .own_columns()
        .iter()
        .filter(|column| !column.computed)
        .filter_map(|column| match column.kind {
            Kind::Reference(target) => {
                let (table, record) = find(view.schema, &view.rows, target, value(record, column.name))?;
                // One step only: names that link names could go round in circles.
                Some(value(record, table.display).to_owned())
            }
            Kind::Text if TELLING.contains(&column.name) => Some(value(record, column.name).to_owned()),
            _ => None,
        })
        .filter(|name| !name.is_empty())
        .collect();
    if tied.is_empty() {
        value(record, "sys_id").to_owned()
    } else {
        tied.join(" → ")
    }
}

/// In place of the table that declares a column: all of them do.
const EVERY_TABLE: &str = "";
/// Text columns by which records without a name are told apart.
const TELLING: [&str; 2] = ["target_name", "scope"];
