//! A table that the user names: what the instance says of it, and what its columns hold.

pub(crate) mod columns; // Columns that a configuration names.

use std::sync::Arc;

use crate::plugin::{Attribute, Diagnostic, Need, Object, Validator};
use crate::records::diagnostics;
use crate::records::reference::Target;
use crate::servicenow::tables::{sys_db_object, sys_properties, sys_scope};
use crate::servicenow::{
    Column, ColumnKind, Dictionary, DictionaryColumn, Record, Session, SysId, Table, TableError, Value as Wire,
    ValueType, means_the_same,
};
use crate::suggest;

/// The argument that names the table.
pub(crate) const TABLE: &str = "table";
/// The values of its columns, by column name.
pub(crate) const FIELDS: &str = "fields";

/// The table of a state or a configuration; none while it is not known.
pub(crate) fn table_of(object: &Object) -> Option<Table> {
    object.text(TABLE).and_then(Table::named)
}

pub(crate) fn require_table(object: &Object) -> Result<Table, Diagnostic> {
    table_of(object).ok_or_else(|| {
        let detail = "The name of the table cannot be used. It has lower-case letters, digits and underscores, such as \
                      sys_properties.";
        Diagnostic::error("Invalid table", detail).at_attribute(TABLE)
    })
}

/// The argument that names the table of a data source or a list.
pub(crate) fn table_attribute() -> Attribute {
    let attribute = Attribute::text(TABLE).required().check(table_name());
    attribute.describe("Name of the table, such as `sys_properties`.")
}

/// The rights to read records of a table that the user names.
pub(crate) fn rights_to_read() -> Vec<Need> {
    vec![
        Need::new(
            "a role that the access rules (ACL) of the table ask for",
            "reading the records of `table`",
        ),
        Need::new(
            "`personalize_dictionary` or `admin`",
            "reading `sys_dictionary` and `sys_db_object`, so that columns are checked and secrets are known",
        ),
    ]
}

pub(crate) fn table_name() -> Validator {
    Validator::text("Lower-case letters, digits and underscores.", |text| {
        Table::named(text).map(drop).ok_or_else(|| {
            format!(
                "{text:?} is not the name of a table: use lower-case letters, digits and underscores, such as sys_properties. \
                 The name is in the address of the table's list and in sys_db_object, and is not the label."
            )
        })
    })
}

/// What the instance says of a table.
pub(crate) async fn described(session: &Session, table: Table) -> Result<Arc<Dictionary>, Diagnostic> {
    let error = match session.dictionary(table).await {
        Ok(dictionary) => return Ok(dictionary),
        Err(error) => error,
    };
    let mut problem = diagnostics::of_table(&error, &format!("read the columns of {table}")).at_attribute(TABLE);
    if let TableError::NoSuchTable { .. } = error {
        let names = session
            .names(sys_db_object::TABLE, sys_db_object::NAME)
            .similar(table.name())
            .await;
        if !names.is_empty() {
            problem
                .detail
                .push_str(&format!("\n\nNames that resemble it: {}.", names.join(", ")));
        }
    }
    Err(problem)
}

/// What is said of a table in the words of an error: `record of sys_properties`.
pub(crate) fn noun(table: Table) -> String {
    format!("record of {table}")
}

/// What to say of a column that the table does not have: names that resemble it. None where it may be there: the dictionary is
/// not known completely, or a record of the table shows the column, which rules can take out of the dictionary without a word.
pub(crate) async fn hint_if_absent(session: &Session, dictionary: &Dictionary, name: &str) -> Option<String> {
    if !dictionary.is_complete() {
        return None;
    }
    let column = Column::named(name, ColumnKind::Text)?;
    if let Ok(Some(true)) = session.shows_column(dictionary.table, column).await {
        return None;
    }
    let by_label = dictionary
        .columns()
        .find(|column| column.label.eq_ignore_ascii_case(name));
    let names = dictionary.columns().map(DictionaryColumn::name);
    let similar: Vec<&str> = suggest::similar(name, names).into_iter().take(SHOWN).collect();
    Some(match (by_label, similar.as_slice()) {
        (Some(column), _) => format!(" {name:?} is the label of the column {}.", column.name()),
        (None, []) => String::new(),
        (None, names) => format!(" Names that resemble it: {}.", names.join(", ")),
    })
}

/// What is sent for the text of a configuration.
pub(crate) async fn to_wire(
    session: &Session,
    column: Option<&DictionaryColumn>,
    text: &str,
) -> Result<Wire, Diagnostic> {
    let Some(column) = column else {
        return Ok(Wire::Text(text.to_owned()));
    };
    match column.value_type {
        // Blanks are no value of these, and some instances would keep them.
        ValueType::Reference
        | ValueType::Boolean
        | ValueType::Integer
        | ValueType::Decimal
        | ValueType::DateTime
        | ValueType::Date
            if text.trim().is_empty() =>
        {
            Ok(Wire::Text(String::new()))
        }
        ValueType::Reference => to_reference(session, column, text).await,
        // Other spellings are stored as false by some instances.
        ValueType::Boolean => {
            let of = |flag: &'static str| means_the_same(ColumnKind::Bool, text, flag).then_some(flag);
            Ok(Wire::Text(of("true").or(of("false")).unwrap_or(text).to_owned()))
        }
        // A natural key means one record in each spelling of its number.
        ValueType::Integer => Ok(text
            .trim()
            .parse::<i64>()
            .map_or_else(|_| Wire::Text(text.to_owned()), Wire::Integer)),
        _ => Ok(Wire::Text(text.to_owned())),
    }
}

async fn to_reference(session: &Session, column: &DictionaryColumn, text: &str) -> Result<Wire, Diagnostic> {
    if let Ok(sys_id) = SysId::parse(text.trim()) {
        return Ok(Wire::Reference(sys_id));
    }
    // In place of a key, in columns of scopes and of the platform's own, such as domains. Elsewhere it may be a name.
    let may_be_global =
        column.name().starts_with("sys_") || column.reference.is_none_or(|table| table == sys_scope::TABLE);
    if sys_scope::is_global(text) && may_be_global {
        return Ok(Wire::Text(sys_scope::GLOBAL.to_owned()));
    }
    match target(session, column).await? {
        Some(target) => {
            let found = target.find(session, FIELDS, text).await;
            found.map(Wire::Reference).map_err(|mut problem| {
                problem.detail.push_str(&format!(
                    "\n\nThe column {} refers to a record of {} by its sys_id or by its {}.",
                    column.name(),
                    target.table,
                    target.name
                ));
                problem
            })
        }
        None => Err(Diagnostic::error(
            "The reference cannot be looked up",
            format!(
                "{text:?} is not a sys_id, and the instance does not tell by which column the records that {} refers to are \
                 known. Use the sys_id of the record.",
                column.name()
            ),
        )),
    }
}

/// What a reference points to; none where the dictionary of that table does not tell what its records are known by.
pub(crate) async fn target(session: &Session, column: &DictionaryColumn) -> Result<Option<Target>, Diagnostic> {
    let Some(table) = column.reference else { return Ok(None) };
    let dictionary = described(session, table).await?;
    Ok(dictionary.display_column().map(|name| Target {
        table,
        name,
        noun: "record",
        literal: None,
    }))
}

/// Whether the name of a column of unknown type suggests that it holds a secret.
pub(crate) fn may_be_secret(name: &str) -> bool {
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Whether a column of a record holds a secret although its type does not say so: a system property has a type of its own.
pub(crate) fn is_secret_property(table: Table, column: &str, of_type: Option<&str>) -> bool {
    is_value_of_property(table, column)
        && of_type.is_some_and(|of_type| sys_properties::SECRET_TYPES.contains(&of_type))
}

/// The same by the type that the record shows.
pub(crate) fn holds_secret(table: Table, record: &Record, column: &str) -> bool {
    is_secret_property(table, column, record.text(sys_properties::TYPE).value())
}

/// Whether a column is the value of a system property.
pub(crate) fn is_value_of_property(table: Table, column: &str) -> bool {
    table == sys_properties::TABLE && column == sys_properties::VALUE.name()
}

/// What a configuration would call the record that a reference points to: its display value, or the sys_id where that
/// cannot be read, could be taken for one, or is that of several records.
pub(crate) async fn name_of(session: &Session, column: &DictionaryColumn, held: &str) -> Result<String, Diagnostic> {
    let Some(target) = target(session, column).await? else {
        return Ok(held.to_owned());
    };
    let shown = target.name_of(session, held).await?;
    if shown.trim().is_empty() || shown == held {
        return Ok(held.to_owned());
    }
    match session.names(target.table, target.name).id_of(&shown).await {
        Err(TableError::Ambiguous { .. }) => Ok(held.to_owned()),
        Ok(_) | Err(_) => Ok(shown),
    }
}

/// In names of columns that hold secrets.
const SECRET_WORDS: &[&str] = &[
    "access_key",
    "api_key",
    "apikey",
    "authentication_key",
    "encryption_key",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "privacy_key",
    "secret",
    "token",
];
/// Of names that resemble a wrong one.
const SHOWN: usize = 3;
