//! The application that a record belongs to (`sys_scope`).
//!
//! Its default on the instance is the account's current application, whatever that happens to be: so it is always sent.

use super::{diagnostics, field::Reading};
use crate::{
    plugin::{Attribute, Diagnostic, Object},
    servicenow::{Cell, Query, Record, Session, SysId, TableError, Value as Wire, tables::sys_scope},
};

/// The attribute.
pub(crate) const ATTRIBUTE: &str = "application_scope";

/// The attribute of every application file.
pub(crate) fn attribute() -> Attribute {
    Attribute::text(ATTRIBUTE).default(sys_scope::GLOBAL).replaces().describe(
        "Application that the record belongs to: `global`, the name of a scope such as `x_mioms_m365_assis`, or the sys_id of \
         an application. It is always sent, because the instance would take the account's current application. Column \
         `sys_scope`.",
    )
}

/// The value to send for the configured application.
pub(crate) async fn to_wire(session: &Session, state: &Object) -> Result<Wire, Diagnostic> {
    reference_to_wire(session, state, ATTRIBUTE).await
}

/// The value to send for the application that an attribute names.
pub(crate) async fn reference_to_wire(session: &Session, state: &Object, attribute: &str) -> Result<Wire, Diagnostic> {
    let name = state.text(attribute).unwrap_or(sys_scope::GLOBAL);
    if name == sys_scope::GLOBAL {
        return Ok(Wire::Text(name.to_owned()));
    }
    if let Ok(sys_id) = SysId::parse(name) {
        return Ok(Wire::Reference(sys_id));
    }
    match find(session, name).await {
        Ok(Some(sys_id)) => Ok(Wire::Reference(sys_id)),
        Ok(None) => {
            let detail = format!(
                "The instance has no application with the scope {name:?}, or the account may not read it. Check the name, \
                 install the application, or use \"global\"."
            );
            Err(Diagnostic::error("Unknown application scope", detail).at_attribute(attribute))
        }
        Err(error) => Err(diagnostics::of_table(&error, "look up the application scope").at_attribute(attribute)),
    }
}

/// What an attribute says of an application that a record refers to: what is configured while it is the same one, else
/// its scope, or its sys_id where the scope cannot be read.
pub(crate) async fn reference_from_wire(
    session: &Session,
    known: Option<&str>,
    value: &str,
) -> Result<String, Diagnostic> {
    let problem = |error: TableError| diagnostics::of_table(&error, "look up the application scope");
    if let Some(known) = known {
        let is_same = known == value
            || (known != sys_scope::GLOBAL
                && SysId::parse(known).is_err()
                && find(session, known)
                    .await
                    .map_err(problem)?
                    .is_some_and(|sys_id| sys_id.as_str() == value));
        if is_same {
            return Ok(known.to_owned());
        }
    }
    let Ok(sys_id) = SysId::parse(value) else {
        return Ok(value.to_owned());
    };
    let scopes = session.names(sys_scope::TABLE, sys_scope::SCOPE);
    let scope = scopes.name_of(&sys_id).await.map_err(problem)?;
    Ok(scope.unwrap_or_else(|| value.to_owned()))
}

/// Takes over what a record says. A scope that the configuration names stays named while it is the same application.
pub(crate) async fn read_into(
    session: &Session,
    record: &Record,
    state: &mut Object,
    reading: Reading,
) -> Result<(), Diagnostic> {
    let Cell::Value(value) = record.text(sys_scope_column()) else {
        return Ok(());
    };
    if let (Reading::Refresh, Some(name)) = (reading, state.text(ATTRIBUTE))
        && name != value
        && name != sys_scope::GLOBAL
        && SysId::parse(name).is_err()
    {
        let named = find(session, name).await;
        let named = named.map_err(|error| diagnostics::of_table(&error, "look up the application scope"))?;
        if named.is_some_and(|sys_id| sys_id.as_str() == value) {
            return Ok(());
        }
    }
    state.set(ATTRIBUTE, value);
    Ok(())
}

/// The column, the same in every table.
pub(crate) fn sys_scope_column() -> crate::servicenow::Column {
    crate::servicenow::tables::every::SYS_SCOPE
}

async fn find(session: &Session, name: &str) -> Result<Option<SysId>, TableError> {
    let query = Query::equals(sys_scope::SCOPE, name).map_err(|source| TableError::Query {
        table: sys_scope::TABLE,
        source,
    })?;
    let found = session.find_one(sys_scope::TABLE, &query, &[sys_scope::SCOPE]).await?;
    Ok(found.map(|record| record.sys_id().clone()))
}
