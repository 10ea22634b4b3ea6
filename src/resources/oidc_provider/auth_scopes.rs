//! Auth scopes of inbound calls, by name (`oauth_entity_auth_scope_mapping`).

use async_trait::async_trait;

use crate::plugin::Reading;
use crate::records::name_set::NameSet;
use crate::servicenow::{
    InputMode, Insert, Names, Query, Record, Row, Session, SysId, TableError,
    tables::{
        oauth_entity_auth_scope_mapping::{AUTH_SCOPE, COLUMNS, OAUTH_ENTITY, TABLE},
        sys_auth_scope,
    },
};

/// The attribute.
pub(super) const ATTRIBUTE: &str = "auth_scopes";

pub(super) struct AuthScopes;

#[async_trait]
impl NameSet for AuthScopes {
    fn attribute(&self) -> &'static str {
        ATTRIBUTE
    }

    fn noun(&self) -> &'static str {
        "auth scope"
    }

    fn verbs(&self) -> [&'static str; 2] {
        ["give the auth scope", "remove the auth scope"]
    }

    fn names<'a>(&self, session: &'a Session) -> Names<'a> {
        session.names(sys_auth_scope::TABLE, sys_auth_scope::NAME)
    }

    async fn of(&self, session: &Session, entity: &SysId, reading: Reading) -> Result<Vec<SysId>, TableError> {
        match rows_of(session, entity).await {
            // Releases before Zurich have no such table: then there is nothing to take over.
            Err(TableError::NoSuchTable { .. } | TableError::Refused { .. }) if reading == Reading::Import => {
                Ok(Vec::new())
            }
            rows => Ok(rows?.iter().filter_map(scope_of).collect()),
        }
    }

    async fn before_giving(&self, session: &Session, entity: &SysId) -> Result<Vec<SysId>, TableError> {
        Ok(rows_of(session, entity).await?.iter().filter_map(scope_of).collect())
    }

    async fn give(&self, session: &Session, entity: &SysId, scope: &SysId) -> Result<(), TableError> {
        let query = |source| TableError::Query { table: TABLE, source };
        let key = Query::equals(OAUTH_ENTITY, entity.as_str())
            .map_err(query)?
            .and(Query::equals(AUTH_SCOPE, scope.as_str()).map_err(query)?);
        let row = Row::new().set(OAUTH_ENTITY, entity).set(AUTH_SCOPE, scope);
        let insert = Insert {
            table: TABLE,
            row,
            read: COLUMNS,
            natural_key: Some(key),
            input: InputMode::Stored,
        };
        session.insert(insert).await.map(drop)
    }

    async fn take(&self, session: &Session, entity: &SysId, scope: &SysId) -> Result<bool, TableError> {
        let mut was_there = false;
        for row in rows_of(session, entity).await? {
            if scope_of(&row).as_ref() == Some(scope) {
                session.delete(TABLE, row.sys_id()).await?;
                was_there = true;
            }
        }
        Ok(was_there)
    }
}

async fn rows_of(session: &Session, entity: &SysId) -> Result<Vec<Record>, TableError> {
    let query =
        Query::equals(OAUTH_ENTITY, entity.as_str()).map_err(|source| TableError::Query { table: TABLE, source })?;
    session.select(TABLE, &query, COLUMNS).await
}

fn scope_of(row: &Record) -> Option<SysId> {
    row.reference(AUTH_SCOPE).value().and_then(|id| SysId::parse(id).ok())
}
