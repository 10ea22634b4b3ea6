//! Finding what a user wants to import: by sys_id, by `column=value`, or by identity.

use super::{mapping::Field, problem};
use crate::{
    plugin::{Diagnostic, Diagnostics, Import, suggest},
    servicenow::{Query, Session, SysId, Table, tables::every},
};

/// The record that an import means. `narrow` keeps look-ups by column to the records that the resource manages.
pub(super) async fn record(
    session: &Session,
    table: Table,
    fields: &[Field],
    target: Import<'_>,
    narrow: Option<Query>,
) -> Result<SysId, Diagnostics> {
    let id = match target {
        Import::Identity(identity) => identity.text("sys_id").unwrap_or_default(),
        Import::Id(id) => id,
    };
    if let Some((name, value)) = id.split_once('=') {
        return by_column(session, table, fields, (name.trim(), value.trim()), narrow).await;
    }
    SysId::parse(id).map_err(|_| {
        let names = names(fields).join(", ");
        let detail = format!(
            "{id:?} is no sys_id, which has 32 hexadecimal digits, and no column=value. Give the sys_id of the record in \
             {table}, or one of these with its value: {names}."
        );
        Diagnostic::error("Invalid import id", detail).into()
    })
}

async fn by_column(
    session: &Session,
    table: Table,
    fields: &[Field],
    (name, value): (&str, &str),
    narrow: Option<Query>,
) -> Result<SysId, Diagnostics> {
    let Some(field) = fields
        .iter()
        .find(|field| field.attribute == name || field.column.name() == name)
    else {
        let closest = suggest::closest(name, names(fields));
        let hint = closest.map_or_else(String::new, |name| format!(" Did you mean {name}={value}?"));
        let detail = format!(
            "{name:?} is no column of {table} to import by.{hint} One of: {}.",
            names(fields).join(", ")
        );
        return Err(Diagnostic::error("Invalid import id", detail).into());
    };
    let invalid =
        |problem: &dyn std::error::Error| Diagnostic::error("Invalid import id", problem::explain(problem, ""));
    let mut query = Query::equals(field.column, value).map_err(|error| invalid(&error))?;
    if let Some(narrow) = narrow {
        query = query.and(narrow);
    }
    let found = session.find_one(table, &query, &[every::SYS_ID, field.column]).await;
    match found.map_err(|error| problem::of_table(&error, "find the record to import"))? {
        Some(record) => Ok(record.sys_id().clone()),
        None => Err(Diagnostic::error(
            "Nothing to import",
            format!(
                "No record of {table} that this resource manages has {name} = {value:?}, or the account may not read it. \
                 Check the value and the account's role ({}).",
                table.role()
            ),
        )
        .into()),
    }
}

fn names(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().map(|field| field.attribute).collect()
}
