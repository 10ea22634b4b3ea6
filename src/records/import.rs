//! Finding what a user wants to import: by sys_id, by `column=value` (several joined by `^`), or by identity.

use crate::plugin::{Diagnostic, Diagnostics, Import};
use crate::records::diagnostics;
use crate::records::field::Field;
use crate::servicenow::tables::every;
use crate::servicenow::{Column, Query, Session, SysId, Table, TableError};
use crate::suggest;

/// The record that an import means. `rows` are those that the resource manages.
pub(crate) async fn record(
    session: &Session,
    table: Table,
    fields: &[Field],
    target: Import<'_>,
    rows: Option<Query>,
) -> Result<SysId, Diagnostics> {
    let id = match target {
        Import::Identity(identity) => identity.text("sys_id").unwrap_or_default(),
        Import::Id(id) => id,
    };
    if id.contains('=') {
        return by_columns(session, table, fields, id, rows).await;
    }
    SysId::parse(id).map_err(|_| {
        let names = names(fields).join(", ");
        let detail = format!(
            "{id:?} is neither a valid sys_id (32 hexadecimal digits) nor column=value. Use the sys_id of the record \
             in {table}, or one of these columns with its value: {names}."
        );
        Diagnostic::error("Invalid import ID", detail).into()
    })
}

/// A value contains no `^`, which a query cannot express.
async fn by_columns(
    session: &Session,
    table: Table,
    fields: &[Field],
    id: &str,
    rows: Option<Query>,
) -> Result<SysId, Diagnostics> {
    let mut query = rows;
    let mut columns = vec![every::SYS_ID];
    let mut wanted = Vec::new();
    for part in id.split('^') {
        let Some((name, value)) = part.split_once('=') else {
            let detail = format!(
                "{part:?} is not of the form column=value. Separate several with ^, as in \
                                  name=x^client_id=y."
            );
            return Err(Diagnostic::error("Invalid import ID", detail).into());
        };
        let (name, value) = (name.trim(), value.trim());
        if value.is_empty() {
            let detail =
                format!("{part:?} has no value after the equals sign. Give one, or use the sys_id of the record.");
            return Err(Diagnostic::error("Invalid import ID", detail).into());
        }
        let (column, field) = field(table, fields, name, value)?;
        let wire = field.key_to_wire(session, value).await?;
        let term = Query::equals(column, wire)
            .map_err(|error| Diagnostic::error("Invalid import ID", diagnostics::explain(&error, &error.remedy())))?;
        columns.push(column);
        wanted.push(format!("{name} = {value:?}"));
        query = Some(match query {
            Some(query) => query.and(term),
            None => term,
        });
    }
    let query = query.unwrap_or_else(Query::every_row);
    let found = session.find_unique(table, &query, &columns).await;
    let found = found.map_err(|error| {
        let problem = diagnostics::of_table(&error, "find the record to import");
        if let TableError::Ambiguous { .. } = error {
            return Diagnostic::error("Several records match the import ID", problem.detail);
        }
        problem
    });
    match found? {
        Some(record) => Ok(record.sys_id().clone()),
        None => Err(Diagnostic::error(
            "Nothing to import",
            format!(
                "No record of {table} that this resource manages has {}, or the account may not read it. Check the value, and \
                 the account's role: {}.",
                wanted.join(" and "),
                table.role()
            ),
        )
        .into()),
    }
}

fn field<'a>(table: Table, fields: &'a [Field], name: &str, value: &str) -> Result<(Column, &'a Field), Diagnostic> {
    let found = keys(fields).find(|(column, field)| field.name() == name || column.name() == name);
    found.ok_or_else(|| unknown_column(&format!("a record of {table}"), name, value, &names(fields)))
}

/// An import ID `name=value` whose name is not one of `known`.
pub(crate) fn unknown_column(what: &str, name: &str, value: &str, known: &[&str]) -> Diagnostic {
    let closest = suggest::closest(name, known.iter().copied());
    let hint = closest.map_or_else(String::new, |name| format!(" Did you mean {name}={value}?"));
    let detail = format!(
        "{name:?} cannot be used to import {what}.{hint} Use one of: {}.",
        known.join(", ")
    );
    Diagnostic::error("Invalid import ID", detail)
}

/// What a record can be found by: every column that the configuration may give.
fn keys(fields: &[Field]) -> impl Iterator<Item = (Column, &Field)> {
    fields.iter().filter_map(|field| Some((field.key()?, field)))
}

fn names(fields: &[Field]) -> Vec<&'static str> {
    keys(fields).map(|(_, field)| field.name()).collect()
}
