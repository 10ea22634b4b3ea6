//! Finding what a user wants to import: by sys_id, by `column=value` (several joined by `^`), or by identity.

use super::{diagnostics, field::Field};
use crate::{
    plugin::{Diagnostic, Diagnostics, Import, suggest},
    servicenow::{Query, Session, SysId, Table, tables::every},
};

/// The record that an import means. `narrow` keeps look-ups by column to the records that the resource manages.
pub(crate) async fn record(
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
    if id.contains('=') {
        return by_columns(session, table, fields, id, narrow).await;
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

/// A value holds no `^`: the instance could not be asked for it.
async fn by_columns(
    session: &Session,
    table: Table,
    fields: &[Field],
    id: &str,
    narrow: Option<Query>,
) -> Result<SysId, Diagnostics> {
    let mut query = narrow;
    let mut columns = vec![every::SYS_ID];
    let mut wanted = Vec::new();
    for part in id.split('^') {
        let Some((name, value)) = part.split_once('=') else {
            let detail = format!("{part:?} is no column=value. Several are divided by ^, as in name=x^client_id=y.");
            return Err(Diagnostic::error("Invalid import id", detail).into());
        };
        let field = field(table, fields, name.trim(), value.trim())?;
        let term = Query::equals(field.column, value.trim())
            .map_err(|error| Diagnostic::error("Invalid import id", diagnostics::explain(&error, &error.remedy())))?;
        columns.push(field.column);
        wanted.push(format!("{} = {:?}", name.trim(), value.trim()));
        query = Some(match query {
            Some(query) => query.and(term),
            None => term,
        });
    }
    let query = query.unwrap_or_else(Query::every_row);
    let found = session.find_one(table, &query, &columns).await;
    match found.map_err(|error| diagnostics::of_table(&error, "find the record to import"))? {
        Some(record) => Ok(record.sys_id().clone()),
        None => Err(Diagnostic::error(
            "Nothing to import",
            format!(
                "No record of {table} that this resource manages has {}, or the account may not read it. Check the value and \
                 the account's role ({}).",
                wanted.join(" and "),
                table.role()
            ),
        )
        .into()),
    }
}

fn field<'a>(table: Table, fields: &'a [Field], name: &str, value: &str) -> Result<&'a Field, Diagnostic> {
    let found = fields
        .iter()
        .find(|field| field.attribute == name || field.column.name() == name);
    found.ok_or_else(|| {
        let closest = suggest::closest(name, names(fields));
        let hint = closest.map_or_else(String::new, |name| format!(" Did you mean {name}={value}?"));
        let detail = format!(
            "{name:?} is no column of {table} to import by.{hint} One of: {}.",
            names(fields).join(", ")
        );
        Diagnostic::error("Invalid import id", detail)
    })
}

fn names(fields: &[Field]) -> Vec<&'static str> {
    fields.iter().map(|field| field.attribute).collect()
}
