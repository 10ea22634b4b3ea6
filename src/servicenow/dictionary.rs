//! What an instance says of its own tables: which columns they have, of which type, and what these accept.
//!
//! It is advice. An account may be kept from reading the dictionary, or read a part of it with no word that it is one, so
//! [`Dictionary::gaps`] says what is not known.

mod read; // Reads it, once for the life of the process.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil;

use crate::servicenow::record::{Cell, Record, parse_date_time, parse_integer};
use crate::servicenow::table::{Column, ColumnKind, Table};
use crate::servicenow::tables::{every, sys_dictionary, sys_dictionary_override};
use crate::servicenow::value_equality::is_true;

/// The columns of a table, with those that it inherits.
#[derive(Clone, Debug)]
pub struct Dictionary {
    pub table: Table,
    /// The table and those that it extends, nearest first; the table alone where its ancestors are not known.
    pub lineage: Vec<Table>,
    columns: BTreeMap<String, DictionaryColumn>,
    /// What is not known.
    pub gaps: Vec<Gap>,
}

/// A part of what an instance says of a table that the account cannot read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Gap {
    /// Which table it extends.
    Ancestors,
    /// Some or all of its columns, and why.
    Columns(String),
    /// What it changes of the columns that it inherits.
    Overrides,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gap::Ancestors => f.write_str("the account cannot read in sys_db_object which table it extends"),
            Gap::Columns(why) => f.write_str(why),
            Gap::Overrides => f.write_str("the account cannot read sys_dictionary_override"),
        }
    }
}

/// A column as the dictionary describes it.
#[derive(Clone, Debug)]
pub struct DictionaryColumn {
    /// The column, with the kind that its type has here.
    pub column: Column,
    /// What forms call it.
    pub label: String,
    pub value_type: ValueType,
    /// The dictionary's name of the type.
    pub internal_type: String,
    /// Characters, where the type has a limit.
    pub max_length: Option<usize>,
    pub is_mandatory: bool,
    pub is_read_only: bool,
    /// Whether the instance computes it at each read.
    pub is_calculated: bool,
    /// Whether the instance refuses a second record with a value of the column.
    pub is_unique: bool,
    pub is_display: bool,
    /// What a new record gets; may be a script.
    pub default: Option<String>,
    /// The table that a reference points to.
    pub reference: Option<Table>,
    /// Where its choices are, if it accepts these alone.
    pub choices: Option<ChoiceSource>,
    /// The table that declares it.
    pub declared_by: Table,
}

/// The table and the column whose choices a column offers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChoiceSource {
    Own,
    Other(Table, Column),
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueType {
    Text,
    Boolean,
    Integer,
    Decimal,
    DateTime,
    Date,
    Reference,
    /// A secret; sent through display-value input if it is one-way.
    Secret {
        one_way: bool,
    },
    /// A type that is not checked.
    Other,
}

impl ValueType {
    fn of(internal_type: &str) -> ValueType {
        let is_one_of = |types: &[&str]| types.contains(&internal_type);
        match () {
            () if is_one_of(sys_dictionary::BOOLEANS) => ValueType::Boolean,
            () if is_one_of(sys_dictionary::INTEGERS) => ValueType::Integer,
            () if is_one_of(sys_dictionary::DECIMALS) => ValueType::Decimal,
            () if is_one_of(sys_dictionary::DATE_TIMES) => ValueType::DateTime,
            () if is_one_of(sys_dictionary::DATES) => ValueType::Date,
            () if is_one_of(sys_dictionary::REFERENCES) => ValueType::Reference,
            () if is_one_of(sys_dictionary::ONE_WAY_SECRETS) => ValueType::Secret { one_way: true },
            () if is_one_of(sys_dictionary::TWO_WAY_SECRETS) => ValueType::Secret { one_way: false },
            () if is_one_of(sys_dictionary::TEXTS) => ValueType::Text,
            () => ValueType::Other,
        }
    }

    fn kind(self, internal_type: &str) -> ColumnKind {
        match self {
            ValueType::Boolean => ColumnKind::Bool,
            ValueType::Integer => ColumnKind::Integer,
            ValueType::DateTime => ColumnKind::DateTime,
            ValueType::Reference => ColumnKind::Reference,
            ValueType::Secret { .. } => ColumnKind::Secret,
            ValueType::Text if sys_dictionary::URLS.contains(&internal_type) => ColumnKind::Url,
            ValueType::Text if sys_dictionary::EMAILS.contains(&internal_type) => ColumnKind::Email,
            ValueType::Decimal => ColumnKind::Decimal,
            ValueType::Text | ValueType::Date | ValueType::Other => ColumnKind::Text,
        }
    }
}

/// Why a column would not keep a value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ValueProblem {
    NotBoolean,
    NotInteger,
    OutOfRange,
    NotDecimal,
    NotDateTime,
    NotDate,
    TooLong { length: usize, limit: usize },
}

impl fmt::Display for ValueProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueProblem::NotBoolean => f.write_str("the column holds true or false"),
            ValueProblem::NotInteger => f.write_str("the column holds a whole number"),
            ValueProblem::OutOfRange => {
                write!(
                    f,
                    "the column holds whole numbers between {} and {}",
                    i32::MIN,
                    i32::MAX
                )
            }
            ValueProblem::NotDecimal => f.write_str("the column holds a number, such as 12.5"),
            ValueProblem::NotDateTime => f.write_str("the column holds a time in UTC, such as 2026-01-31 23:59:59"),
            ValueProblem::NotDate => f.write_str("the column holds a date, such as 2026-01-31"),
            ValueProblem::TooLong { length, limit } => {
                write!(f, "the value has {length} characters, and the column holds {limit}")
            }
        }
    }
}

impl DictionaryColumn {
    /// The wire name.
    pub fn name(&self) -> &'static str {
        self.column.name()
    }

    /// Why the column would not keep a value; an empty one empties it. Choices and references are not looked at.
    pub fn problem(&self, value: &str) -> Option<ValueProblem> {
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        match self.value_type {
            ValueType::Boolean if !is_boolean(value) => Some(ValueProblem::NotBoolean),
            ValueType::Integer => match parse_integer(value) {
                None => Some(ValueProblem::NotInteger),
                Some(number) => {
                    let is_small = sys_dictionary::SMALL_INTEGERS.contains(&self.internal_type.as_str());
                    (is_small && i32::try_from(number).is_err()).then_some(ValueProblem::OutOfRange)
                }
            },
            ValueType::Decimal if !value.parse::<f64>().is_ok_and(f64::is_finite) => Some(ValueProblem::NotDecimal),
            ValueType::DateTime if parse_date_time(value).is_none() => Some(ValueProblem::NotDateTime),
            ValueType::Date if value.parse::<civil::Date>().is_err() || value.len() != DATE_LENGTH => {
                Some(ValueProblem::NotDate)
            }
            ValueType::Text => {
                let length = value.chars().count();
                let limit = self.max_length.filter(|limit| length > *limit)?;
                Some(ValueProblem::TooLong { length, limit })
            }
            _ => None,
        }
    }

    /// Whether a new record gets a value without being given one.
    pub fn fills_itself(&self) -> bool {
        self.default.is_some() || self.value_type == ValueType::Boolean || self.is_read_only || self.is_calculated
    }

    /// A row of the dictionary; none where the row does not tell its column.
    fn of(row: &Record) -> Option<DictionaryColumn> {
        let text = |column| row.text(column).value();
        let declared_by = Table::named(text(sys_dictionary::NAME)?)?;
        let internal_type = text(sys_dictionary::INTERNAL_TYPE).unwrap_or_default().to_owned();
        let element = text(sys_dictionary::ELEMENT)?;
        // One that says nothing is a column.
        if text(sys_dictionary::ACTIVE).is_some_and(|active| !is_true(active)) {
            return None;
        }
        let is_own_by_name = sys_dictionary::BY_NAME.iter().any(|it| it.name() == element);
        let is_by_name = (declared_by == sys_dictionary::TABLE && is_own_by_name)
            || text(sys_dictionary::REFERENCE_KEY).is_some_and(|key| key != every::SYS_ID.name());
        let declared = ValueType::of(&internal_type);
        let is_reference = declared == ValueType::Reference;
        let value_type = if is_reference && is_by_name {
            ValueType::Other
        } else {
            declared
        };
        let column = Column::named(element, value_type.kind(&internal_type))?;
        let is_true = |column| row.bool(column) == Cell::Value(true);
        let max_length = row.integer(sys_dictionary::MAX_LENGTH).value();
        let offers_choices = matches!(text(sys_dictionary::CHOICE), Some("1" | "3"));
        let other = text(sys_dictionary::CHOICE_TABLE)
            .and_then(Table::named)
            .and_then(|table| {
                let field = text(sys_dictionary::CHOICE_FIELD).unwrap_or(column.name());
                Some(ChoiceSource::Other(table, Column::named(field, ColumnKind::Text)?))
            });
        Some(DictionaryColumn {
            column,
            label: text(sys_dictionary::COLUMN_LABEL).unwrap_or(column.name()).to_owned(),
            value_type,
            internal_type,
            max_length: max_length
                .and_then(|length| usize::try_from(length).ok())
                .filter(|length| *length > 0),
            is_mandatory: is_true(sys_dictionary::MANDATORY),
            is_read_only: is_true(sys_dictionary::READ_ONLY),
            is_calculated: is_true(sys_dictionary::VIRTUAL),
            is_unique: is_true(sys_dictionary::UNIQUE),
            is_display: is_true(sys_dictionary::DISPLAY),
            default: text(sys_dictionary::DEFAULT_VALUE).map(str::to_owned),
            reference: text(sys_dictionary::REFERENCE)
                .filter(|_| is_reference)
                .and_then(Table::named),
            choices: offers_choices.then(|| other.unwrap_or(ChoiceSource::Own)),
            declared_by,
        })
    }

    fn override_with(&mut self, row: &Record) {
        let is_true = |column| row.bool(column) == Cell::Value(true);
        if is_true(sys_dictionary_override::MANDATORY_OVERRIDE) {
            self.is_mandatory = is_true(sys_dictionary_override::MANDATORY);
        }
        if is_true(sys_dictionary_override::READ_ONLY_OVERRIDE) {
            self.is_read_only = is_true(sys_dictionary_override::READ_ONLY);
        }
        if is_true(sys_dictionary_override::DEFAULT_VALUE_OVERRIDE) {
            let default = row.text(sys_dictionary_override::DEFAULT_VALUE).value();
            self.default = default.map(str::to_owned);
        }
    }
}

impl Dictionary {
    /// What was read of a table: its columns and those of its ancestors, of which the nearest declaration counts.
    fn new(lineage: Vec<Table>, rows: &[Record], overrides: &[Record], gaps: Vec<Gap>) -> Dictionary {
        let distance = |table: &str| {
            lineage
                .iter()
                .position(|one| one.name() == table)
                .unwrap_or(lineage.len())
        };
        let mut columns: BTreeMap<String, DictionaryColumn> = BTreeMap::new();
        for column in rows.iter().filter_map(DictionaryColumn::of) {
            let distance_of = |column: &DictionaryColumn| distance(column.declared_by.name());
            let is_nearer = |known: &DictionaryColumn| distance_of(&column) < distance_of(known);
            if columns.get(column.name()).is_none_or(is_nearer) {
                columns.insert(column.name().to_owned(), column);
            }
        }
        // The farthest first, so that the nearest has the last word.
        let mut overrides: Vec<&Record> = overrides.iter().collect();
        let by = |row: &Record| distance(row.text(sys_dictionary_override::NAME).value().unwrap_or_default());
        overrides.sort_by_key(|row| std::cmp::Reverse(by(row)));
        for row in overrides {
            let element = row.text(sys_dictionary_override::ELEMENT).value();
            if let Some(column) = element.and_then(|element| columns.get_mut(element))
                && by(row) < distance(column.declared_by.name())
            {
                column.override_with(row);
            }
        }
        Dictionary {
            table: lineage[0],
            lineage,
            columns,
            gaps,
        }
    }

    /// A column by its wire name.
    pub fn column(&self, name: &str) -> Option<&DictionaryColumn> {
        self.columns.get(name)
    }

    /// The columns, by name.
    pub fn columns(&self) -> impl Iterator<Item = &DictionaryColumn> {
        self.columns.values()
    }

    /// Whether a column that it does not have is not there, as far as the account can tell.
    pub fn is_complete(&self) -> bool {
        !self.columns.is_empty() && !self.gaps.iter().any(|gap| !matches!(gap, Gap::Overrides))
    }

    /// Whether what it says of being mandatory and read-only counts for the table itself.
    pub fn knows_overrides(&self) -> bool {
        !self.gaps.contains(&Gap::Overrides)
    }

    /// The column that stands for a record of the table: the one that is marked, else that of a usual name.
    pub fn display_column(&self) -> Option<Column> {
        let distance = |column: &DictionaryColumn| self.lineage.iter().position(|one| *one == column.declared_by);
        let marked = self
            .columns()
            .filter(|column| column.is_display)
            .min_by_key(|column| distance(column));
        let usual = || USUAL_DISPLAY.iter().find_map(|name| self.column(name));
        marked.or_else(usual).map(|column| column.column)
    }

    /// The column of a name, with the kind of its type; as text where it is not known. `None` when it cannot be one.
    pub fn column_or_text(&self, name: &str) -> Option<Column> {
        let known = self.column(name).map(|column| column.column);
        known.or_else(|| Column::named(name, ColumnKind::Text))
    }
}

fn is_boolean(text: &str) -> bool {
    is_true(text) || ["false", "0"].iter().any(|no| text.eq_ignore_ascii_case(no))
}

/// What the platform takes for the display column where none is marked.
const USUAL_DISPLAY: [&str; 3] = ["name", "u_name", "number"];
/// Of `2026-01-31`.
const DATE_LENGTH: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of an address are compared in each of its spellings, those of a plain text are not.
    #[test]
    fn a_text_is_an_address_only_by_its_type() {
        for (internal_type, kind) in [
            ("string", ColumnKind::Text),
            ("url", ColumnKind::Url),
            ("email", ColumnKind::Email),
        ] {
            assert_eq!(
                ValueType::of(internal_type).kind(internal_type),
                kind,
                "{internal_type}"
            );
        }
    }
}
