//! An application of the instance, by its scope.

use crate::servicenow::tables::{sys_scope, sys_store_app};
use crate::servicenow::{Query, Record, Session, Table, TableError};

/// The record of an installed application. Where the account may not see applications in general, those from the store
/// are looked at; the columns have the same names.
pub(crate) async fn find(session: &Session, scope: &str) -> Result<Option<Record>, TableError> {
    match by_scope(session, sys_scope::TABLE, scope).await {
        Ok(Some(record)) => Ok(Some(record)),
        Ok(None) => match by_scope(session, sys_store_app::TABLE, scope).await {
            // An answer there is; the store's own table is closed to many.
            Err(TableError::Refused { .. } | TableError::Hidden { .. } | TableError::NoSuchTable { .. }) => Ok(None),
            store => store,
        },
        Err(error @ (TableError::Refused { .. } | TableError::Hidden { .. })) => {
            let store = by_scope(session, sys_store_app::TABLE, scope).await;
            store.ok().flatten().map_or(Err(error), |record| Ok(Some(record)))
        }
        Err(error) => Err(error),
    }
}

async fn by_scope(session: &Session, table: Table, scope: &str) -> Result<Option<Record>, TableError> {
    let query = Query::equals(sys_scope::SCOPE, scope).map_err(TableError::of_query(table))?;
    session.find_unique(table, &query, sys_scope::COLUMNS).await
}
