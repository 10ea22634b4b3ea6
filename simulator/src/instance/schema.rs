//! Tables and columns as data: what the dictionary of an instance says.

use std::collections::{BTreeMap, BTreeSet};

use crate::instance::release::Release;

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Text,
    Url,
    Email,
    Integer,
    Decimal,
    Boolean,
    Date,
    DateTime,
    /// A `sys_id` of another table.
    Reference(&'static str),
    /// Values with their labels. Others are stored all the same.
    Choice(&'static [(&'static str, &'static str)]),
    /// Two-way secret (`password2`): written in clear.
    Secret,
    /// One-way secret: set only through display-value input.
    Password,
}

impl Kind {
    /// The dictionary's `internal_type`.
    fn internal_type(self) -> &'static str {
        match self {
            Self::Text | Self::Choice(_) => "string",
            Self::Url => "url",
            Self::Email => "email",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Date => "glide_date",
            Self::Boolean => "boolean",
            Self::DateTime => "glide_date_time",
            Self::Reference(_) => "reference",
            Self::Secret => "password2",
            Self::Password => "password",
        }
    }

    /// The table that a reference points to.
    pub(super) fn target(self) -> Option<&'static str> {
        if let Self::Reference(target) = self {
            return Some(target);
        }
        None
    }

    pub(super) fn is_choice(self) -> bool {
        matches!(self, Self::Choice(_))
    }

    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Password)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) default: &'static str,
    pub(super) mandatory: bool,
    pub(super) unique: bool,
    /// Computed by the instance: what a client sends is dropped.
    pub(super) computed: bool,
    /// Computed at each read from other columns.
    pub(super) calculated: bool,
    /// Closed on forms, and open to clients.
    pub(super) read_only: bool,
    /// The table that a text refers to by the name of a record.
    pub(super) names: Option<&'static str>,
    /// How many characters a text may have. Enforced by a quirk.
    pub(super) max_length: usize,
    since: Release,
}

impl Column {
    pub(super) fn default(mut self, value: &'static str) -> Self {
        self.default = value;
        self
    }

    pub(super) fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    pub(super) fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    pub(super) fn computed(mut self) -> Self {
        self.computed = true;
        self
    }

    pub(super) fn calculated(mut self) -> Self {
        self.computed = true;
        self.calculated = true;
        self
    }

    /// The dictionary's `internal_type`.
    pub(super) fn internal_type(&self) -> &'static str {
        match self.name {
            "sys_id" => "GUID",
            "sys_class_name" => "sys_class_name",
            _ if self.names.is_some() => "reference",
            _ => self.kind.internal_type(),
        }
    }

    pub(super) fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// A reference by name.
    pub(super) fn names(mut self, table: &'static str) -> Self {
        self.names = Some(table);
        self
    }

    pub(super) fn at_most(mut self, characters: usize) -> Self {
        self.max_length = characters;
        self
    }

    pub(super) fn since(mut self, release: Release) -> Self {
        self.since = release;
        self
    }
}

fn column(name: &'static str, label: &'static str, kind: Kind) -> Column {
    Column {
        name,
        label,
        kind,
        default: "",
        names: None,
        mandatory: false,
        unique: false,
        computed: false,
        calculated: false,
        read_only: false,
        max_length: if matches!(kind, Kind::Url) { 1024 } else { 255 },
        since: Release::Xanadu,
    }
}

pub(super) fn text(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Text)
}

pub(super) fn url(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Url)
}

pub(super) fn email(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Email)
}

pub(super) fn decimal(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Decimal)
}

pub(super) fn date(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Date)
}

pub(super) fn integer(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Integer)
}

pub(super) fn boolean(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Boolean).default("false")
}

pub(super) fn date_time(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::DateTime)
}

pub(super) fn secret(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Secret)
}

pub(super) fn password(name: &'static str, label: &'static str) -> Column {
    column(name, label, Kind::Password)
}

pub(super) fn reference(name: &'static str, label: &'static str, table: &'static str) -> Column {
    column(name, label, Kind::Reference(table))
}

pub(super) fn choice(
    name: &'static str,
    label: &'static str,
    choices: &'static [(&'static str, &'static str)],
) -> Column {
    column(name, label, Kind::Choice(choices))
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) parent: Option<&'static str>,
    /// Column that stands for the record in display values.
    pub(super) display: &'static str,
    since: Release,
    own: Vec<Column>,
}

pub(super) fn table(name: &'static str, label: &'static str, display: &'static str) -> Table {
    Table {
        name,
        label,
        parent: None,
        display,
        since: Release::Xanadu,
        own: Vec::new(),
    }
}

impl Table {
    pub(super) fn extends(mut self, parent: &'static str) -> Self {
        self.parent = Some(parent);
        self
    }

    /// A child of `sys_metadata`: belongs to a scope and travels in update sets.
    pub(super) fn application_file(self) -> Self {
        self.extends("sys_metadata")
    }

    pub(super) fn since(mut self, release: Release) -> Self {
        self.since = release;
        self
    }

    pub(super) fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.own.extend(columns);
        self
    }

    pub(super) fn own_columns(&self) -> &[Column] {
        &self.own
    }
}

/// All tables of one release.
#[derive(Debug)]
pub(super) struct Schema {
    tables: BTreeMap<&'static str, Table>,
    /// Per table its columns with those of its ancestors.
    columns: BTreeMap<&'static str, BTreeMap<&'static str, Column>>,
}

impl Schema {
    pub(super) fn new(release: Release, tables: Vec<Table>) -> Self {
        let tables: BTreeMap<_, _> = tables
            .into_iter()
            .filter(|table| table.since <= release)
            .map(|mut table| {
                table.own.retain(|column| column.since <= release);
                (table.name, table)
            })
            .collect();
        let mut columns = BTreeMap::new();
        for table in tables.values() {
            let mut all: BTreeMap<_, _> = system_columns()
                .into_iter()
                .map(|column| (column.name, column))
                .collect();
            let mut lineage = vec![table];
            while let Some(parent) = lineage[lineage.len() - 1].parent.and_then(|p| tables.get(p)) {
                lineage.push(parent);
            }
            for ancestor in lineage.into_iter().rev() {
                for column in &ancestor.own {
                    all.insert(column.name, column.clone());
                }
            }
            columns.insert(table.name, all);
        }
        Self { tables, columns }
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The columns of a table, inherited ones included.
    pub(super) fn columns(&self, table: &str) -> Option<&BTreeMap<&'static str, Column>> {
        self.columns.get(table)
    }

    pub(super) fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.columns.get(table)?.get(column)
    }

    /// The table and everything that extends it.
    pub(super) fn family(&self, table: &str) -> Vec<&'static str> {
        let mut family = BTreeSet::new();
        if let Some(table) = self.tables.get(table) {
            family.insert(table.name);
        }
        loop {
            let before = family.len();
            for table in self.tables.values() {
                if table.parent.is_some_and(|parent| family.contains(parent)) {
                    family.insert(table.name);
                }
            }
            if family.len() == before {
                return family.into_iter().collect();
            }
        }
    }

    /// The table and its ancestors, nearest first.
    pub(super) fn lineage(&self, table: &str) -> Vec<&'static str> {
        let mut lineage = Vec::new();
        let mut next = self.tables.get(table);
        while let Some(table) = next {
            lineage.push(table.name);
            next = table.parent.and_then(|parent| self.tables.get(parent));
        }
        lineage
    }

    pub(super) fn is_a(&self, table: &str, ancestor: &str) -> bool {
        self.lineage(table).contains(&ancestor)
    }
}

pub(super) fn system_columns() -> [Column; 6] {
    [
        text("sys_id", "Sys ID"),
        date_time("sys_created_on", "Created").computed(),
        text("sys_created_by", "Created by").computed(),
        date_time("sys_updated_on", "Updated").computed(),
        text("sys_updated_by", "Updated by").computed(),
        integer("sys_mod_count", "Updates").computed(),
    ]
}
