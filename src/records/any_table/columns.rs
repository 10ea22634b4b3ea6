//! Columns that a configuration names, to read them or to search by them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Diagnostic, Object, Path, Type, Validator};
use crate::records::any_table::{described, hint_if_absent, holds_secret, is_value_of_property, may_be_secret};
use crate::servicenow::tables::{every, sys_properties};
use crate::servicenow::{
    Cell, Column, ColumnKind, ColumnUse, Dictionary, DictionaryColumn, Query, Record, Session, Table, ValueType,
};

/// The argument that lists the columns to read.
pub(crate) const COLUMNS: &str = "columns";

/// The argument that lists the columns to read.
pub(crate) fn columns_attribute(if_omitted: &str) -> Attribute {
    let description = format!(
        "Columns to read, in any order. A column of a record that a reference points to is written with a dot, such as \
         `manager.email`. {if_omitted}"
    );
    list_of(column_path(), description)
}

/// The argument that lists columns of the table itself.
pub(crate) fn own_columns_attribute(description: &str) -> Attribute {
    let own = Validator::text("", |text| match Column::named(text, ColumnKind::Text) {
        Some(_) => Ok(()),
        None => Err(format!(
            "{text:?} is not the name of a column of the table: use letters, digits and underscores, such as short_description."
        )),
    });
    list_of(own, description)
}

fn list_of(column: Validator, description: impl Into<String>) -> Attribute {
    Attribute::of(COLUMNS, Type::list(Type::String))
        .check(not_empty())
        .check(validate::each(column))
        .describe(description)
}

/// An empty list is no choice of columns.
fn not_empty() -> Validator {
    Validator::new("", |checked| match checked.value.as_list() {
        Some([]) => Err("The list is empty. Omit the argument, or list a column.".to_owned()),
        Some(_) | None => Ok(()),
    })
}

/// A column, or one of a record that a reference points to.
pub(crate) fn column_path() -> Validator {
    Validator::text("", |text| match Column::path(text, ColumnKind::Text) {
        Some(_) => Ok(()),
        None => Err(not_a_column(text)),
    })
}

fn not_a_column(text: &str) -> String {
    format!(
        "{text:?} is not the name of a column: use letters, digits and underscores, such as short_description, and a dot \
         before a column of a referenced record, such as manager.email."
    )
}

/// What a column is wanted for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    Read,
    Search,
    Order,
}

impl Purpose {
    /// What an instance does with a column that it does not have.
    fn consequence(self) -> &'static str {
        match self {
            Purpose::Read => "and the instance would silently leave it out of the answer",
            Purpose::Search => "and the instance would ignore the term and return every record",
            Purpose::Order => "and the instance would ignore it and return another order",
        }
    }

    fn of_secret(self) -> &'static str {
        match self {
            Purpose::Read => "What a data source reads is stored in the state in clear. Remove it.",
            Purpose::Search | Purpose::Order => {
                "Its values cannot be compared, and the instance logs what is searched for. Use another column."
            }
        }
    }
}

/// The column that a path such as `manager.email` leads to.
///
/// Refused where a table on the way has no such column, and where it holds a secret. What cannot be told, because the account
/// cannot read the dictionary, is let through, unless its name suggests a secret.
pub(crate) async fn column_of(
    session: &Session,
    dictionary: &Arc<Dictionary>,
    path: &str,
    purpose: Purpose,
) -> Result<Column, Diagnostic> {
    let invalid = || Diagnostic::error("Invalid column", not_a_column(path));
    let as_text = || Column::path(path, ColumnKind::Text).ok_or_else(invalid);
    as_text()?;
    let last = path.rsplit('.').next().unwrap_or(path);
    let (mut dictionary, mut rest) = (dictionary.clone(), path);
    loop {
        let table = dictionary.table;
        let (name, after) = rest
            .split_once('.')
            .map_or((rest, None), |(name, after)| (name, Some(after)));
        let Some(known) = dictionary.column(name) else {
            if let Some(hint) = absence(session, &dictionary, name).await {
                let detail = format!(
                    "The table {table} has no column {name}, {}.{hint}",
                    purpose.consequence()
                );
                return Err(Diagnostic::error(format!("Unknown column {path}"), detail));
            }
            return if may_be_secret(last) {
                Err(perhaps_secret(table, path, purpose))
            } else {
                as_text()
            };
        };
        let Some(after) = after else {
            if is_value_of_property(table, name) && path != name {
                let detail = format!(
                    "{path} is the value of a system property, which may be a secret by a type that is not read with it. Read the \
                     property by itself, as a record of {table}."
                );
                return Err(Diagnostic::error(format!("The column {path} may be a secret"), detail));
            }
            if let ValueType::Secret { .. } = known.value_type {
                let detail = format!(
                    "{table}.{name} has the type {}. {}",
                    known.internal_type,
                    purpose.of_secret()
                );
                return Err(Diagnostic::error(format!("The column {path} is a secret"), detail));
            }
            return Column::path(path, known.column.kind()).ok_or_else(invalid);
        };
        dictionary = match (known.value_type, known.reference) {
            // One that holds a name leads there as well.
            (ValueType::Reference | ValueType::Other, Some(referenced)) => described(session, referenced).await?,
            // The dictionary does not tell which table it points to.
            (ValueType::Reference, None) if may_be_secret(last) => return Err(perhaps_secret(table, path, purpose)),
            (ValueType::Reference, None) => return as_text(),
            (_, _) => {
                let detail = format!(
                    "{table}.{name} is not a reference (its type is {}), so no column of another record can follow it.",
                    known.internal_type
                );
                return Err(Diagnostic::error(format!("Unknown column {path}"), detail));
            }
        };
        rest = after;
    }
}

/// What to say of a column that a table does not have. Columns that every table has are there whatever the dictionary says.
async fn absence(session: &Session, dictionary: &Dictionary, name: &str) -> Option<String> {
    match OF_EVERY_TABLE.iter().any(|column| column.name() == name) {
        true => None,
        false => hint_if_absent(session, dictionary, name).await,
    }
}

fn perhaps_secret(table: Table, path: &str, purpose: Purpose) -> Diagnostic {
    let detail = format!(
        "The account cannot read in sys_dictionary which type {table}.{path} has, and its name suggests a secret. {} If it holds \
         none, let the account read sys_dictionary (personalize_dictionary or admin).",
        purpose.of_secret()
    );
    Diagnostic::error(format!("The column {path} may be a secret"), detail)
}

/// The columns that an argument lists, each once.
pub(crate) async fn listed(
    session: &Session,
    dictionary: &Arc<Dictionary>,
    config: &Object,
) -> Result<Option<Vec<Column>>, Diagnostic> {
    let Some(paths) = config.texts(COLUMNS) else {
        return Ok(None);
    };
    let mut columns: Vec<Column> = Vec::new();
    for path in paths {
        let column = column_of(session, dictionary, path, Purpose::Read).await;
        let column = column.map_err(|problem| problem.at(Path::of(COLUMNS)))?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok(Some(columns))
}

/// Refuses a query with a column that the table does not have: the instance would ignore the term.
pub(crate) async fn check_query(
    session: &Session,
    dictionary: &Arc<Dictionary>,
    query: &Query,
) -> Result<(), Diagnostic> {
    for (path, usage) in query.columns() {
        let purpose = match usage {
            ColumnUse::Term => Purpose::Search,
            ColumnUse::Order => Purpose::Order,
        };
        column_of(session, dictionary, path, purpose).await?;
    }
    Ok(())
}

/// What must be asked for so that columns can be told from one another: a column of a referenced record is missing where the
/// account may not read it, and in some releases where there is no such record.
pub(crate) fn to_ask(table: Table, columns: &[Column]) -> Vec<Column> {
    let mut asked = columns.to_vec();
    if table == sys_properties::TABLE && !asked.contains(&sys_properties::TYPE) {
        asked.push(sys_properties::TYPE);
    }
    for column in columns {
        if let Some(reference) = reference_of(*column)
            && !asked.iter().any(|column| column.name() == reference.name())
        {
            asked.push(reference);
        }
    }
    asked
}

/// The reference that a path begins with.
fn reference_of(column: Column) -> Option<Column> {
    let (reference, _) = column.name().split_once('.')?;
    Column::named(reference, ColumnKind::Reference)
}

/// The values of columns by name, without secrets, and the columns that the row does not show.
pub(crate) fn values(table: Table, record: &Record, columns: &[Column]) -> (Object, Vec<Column>) {
    let (mut values, mut hidden) = (Object::new(), Vec::new());
    for column in columns.iter().filter(|column| !is_secret(table, record, **column)) {
        match value(record, *column) {
            Some(text) => values.set(column.name(), text),
            None => hidden.push(*column),
        }
    }
    (values, hidden)
}

fn is_secret(table: Table, record: &Record, column: Column) -> bool {
    // What has a type that is hidden may be one.
    let may_be_one = record.text(sys_properties::TYPE).is_hidden() && is_value_of_property(table, column.name());
    may_be_one || holds_secret(table, record, column.name())
}

/// Says that secrets are left out.
pub(crate) fn of_secrets(table: Table, records: &[Record], columns: &[Column]) -> Option<Diagnostic> {
    let has_secret = |record: &&Record| columns.iter().any(|column| is_secret(table, record, *column));
    let count = records.iter().filter(has_secret).count();
    let detail = format!(
        "{count} of the records are system properties of a type that holds a secret ({}). Their values are left out: what a data \
         source reads is stored in the state in clear.",
        sys_properties::SECRET_TYPES.join(", ")
    );
    (count > 0).then(|| Diagnostic::warning(format!("Secrets of {table} are left out"), detail))
}

/// The text of a column; none where the row does not show it.
fn value(record: &Record, column: Column) -> Option<String> {
    match record.text(column) {
        Cell::Hidden => {
            let is_of_no_record = reference_of(column).is_some_and(|reference| record.text(reference) == Cell::Empty);
            is_of_no_record.then(String::new)
        }
        Cell::Value(_) | Cell::Empty if column.kind() == ColumnKind::Bool => {
            Some(record.bool(column).value().unwrap_or_default().to_string())
        }
        Cell::Empty => Some(String::new()),
        Cell::Value(text) => Some(text.to_owned()),
    }
}

/// Columns that some records do not show, with the number of these.
#[derive(Default)]
pub(crate) struct HiddenColumns {
    counts: BTreeMap<&'static str, usize>,
}

impl HiddenColumns {
    pub(crate) fn add(&mut self, columns: Vec<Column>) {
        for column in columns {
            *self.counts.entry(column.name()).or_default() += 1;
        }
    }

    /// The warning, of a number of records that were read.
    pub(crate) fn warning(&self, table: Table, records: usize) -> Option<Diagnostic> {
        let names: Vec<&str> = self.counts.keys().copied().collect();
        let most = self.counts.values().max()?;
        let (columns, them) = match names.as_slice() {
            [_] => ("column", "it"),
            _ => ("columns", "them"),
        };
        let of = if *most == records {
            String::new()
        } else {
            format!(" in {most} of {records} records")
        };
        let detail = format!(
            "The instance leaves the {columns} {} of {table} out of the answer{of}, as it does with a column that the account \
             may not read. The result does not have {them}, which is not the same as an empty value. Give the account the right \
             to read {them}, or remove {them} from {COLUMNS}.",
            names.join(", ")
        );
        let problem = Diagnostic::warning(format!("Hidden {columns} of {table}"), detail);
        Some(problem.at(Path::of(COLUMNS)))
    }
}

/// The columns whose values a person writes: not the instance's, none that is calculated, and no secret, as far as a type that
/// nobody here knows tells.
pub(crate) fn is_written_by_people(column: &DictionaryColumn) -> bool {
    let is_secret = match column.value_type {
        ValueType::Secret { .. } => true,
        ValueType::Other => may_be_secret(column.name()),
        _ => false,
    };
    !column.name().starts_with("sys_") && !column.is_read_only && !column.is_calculated && !is_secret
}

const OF_EVERY_TABLE: &[Column] = &[
    every::SYS_ID,
    every::SYS_CREATED_ON,
    every::SYS_CREATED_BY,
    every::SYS_UPDATED_ON,
    every::SYS_UPDATED_BY,
    every::SYS_MOD_COUNT,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::tables::sys_user;

    #[test]
    fn what_tells_columns_from_one_another_is_asked_for() {
        let asked = |table: Table, columns: &[&str]| {
            let columns: Vec<Column> = columns
                .iter()
                .map(|name| Column::path(name, ColumnKind::Text).unwrap())
                .collect();
            to_ask(table, &columns).iter().map(Column::name).collect::<Vec<_>>()
        };

        assert_eq!(asked(sys_properties::TABLE, &["value"]), ["value", "type"]);
        assert_eq!(asked(sys_properties::TABLE, &["type", "value"]), ["type", "value"]);
        assert_eq!(asked(sys_user::TABLE, &["name"]), ["name"]);
        assert_eq!(asked(sys_user::TABLE, &["manager.name"]), ["manager.name", "manager"]);
        assert_eq!(
            asked(sys_user::TABLE, &["manager", "manager.name"]),
            ["manager", "manager.name"]
        );
    }
}
