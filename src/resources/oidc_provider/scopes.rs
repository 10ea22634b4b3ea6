//! Auth scopes of inbound calls, by name (`oauth_entity_auth_scope_mapping`).
//!
//! Those listed are given and kept, those taken off the list are removed, others are left alone.

use std::collections::BTreeSet;

use super::{Reading, problem};
use crate::{
    plugin::{Diagnostic, Diagnostics, Object, Value},
    servicenow::{
        InputMode, Insert, Query, Record, Row, Session, SysId, TableError,
        tables::{
            oauth_entity_auth_scope_mapping::{AUTH_SCOPE, COLUMNS, OAUTH_ENTITY, TABLE},
            sys_auth_scope,
        },
    },
};

/// The attribute.
pub(super) const ATTRIBUTE: &str = "auth_scopes";

/// Looks up every name of the plan, before anything is written.
pub(super) async fn resolve(session: &Session, planned: &Object) -> Result<Vec<(String, SysId)>, Diagnostic> {
    let mut wanted = Vec::new();
    for name in names(planned) {
        let id = session
            .names(sys_auth_scope::TABLE, sys_auth_scope::NAME)
            .id_of(&name)
            .await;
        let id = id.map_err(|error| problem::of_table(&error, "find the auth scope").at_attribute(ATTRIBUTE))?;
        wanted.push((name, id));
    }
    Ok(wanted)
}

/// Gives what is wanted, and says in the state what was given.
pub(super) async fn give(
    session: &Session,
    entity: &SysId,
    wanted: &[(String, SysId)],
    planned: &Object,
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    let mut given = Vec::new();
    if !wanted.is_empty() {
        match rows_of(session, entity).await {
            Ok(rows) => {
                for (name, scope) in wanted {
                    let is_there = rows
                        .iter()
                        .any(|row| row.reference(AUTH_SCOPE).value() == Some(scope.as_str()));
                    match if is_there {
                        Ok(())
                    } else {
                        insert(session, entity, scope).await
                    } {
                        Ok(()) => given.push(name.clone()),
                        Err(error) => {
                            let problem = problem::of_table(&error, &format!("give the auth scope {name}"));
                            problems.push(problem.at_attribute(ATTRIBUTE));
                        }
                    }
                }
            }
            Err(error) => problems.push(problem::of_table(&error, "read the auth scopes").at_attribute(ATTRIBUTE)),
        }
    }
    let listed = planned.at(ATTRIBUTE);
    let all = listed.as_list().is_none_or(|listed| listed.len() == given.len());
    state.set(ATTRIBUTE, if all { listed.clone() } else { Value::from(given) });
}

/// Removes what is no longer listed; answers what could not be removed.
pub(super) async fn take_away(
    session: &Session,
    entity: &SysId,
    prior: &Object,
    planned: &Object,
    problems: &mut Diagnostics,
) -> Vec<String> {
    let mut left = Vec::new();
    for name in names(prior).difference(&names(planned)) {
        if let Err(error) = withdraw(session, entity, name).await {
            problems.push(problem::of_table(&error, &format!("remove the auth scope {name}")).at_attribute(ATTRIBUTE));
            left.push(name.clone());
        }
    }
    left
}

/// Lists what could not be removed, so that it is tried again.
pub(super) fn keep(state: &mut Object, left: Vec<String>) {
    if !left.is_empty() {
        let mut listed = names(state);
        listed.extend(left);
        state.set(ATTRIBUTE, listed.into_iter().collect::<Vec<_>>());
    }
}

/// Removes everything listed before the provider goes.
pub(super) async fn remove(session: &Session, entity: &SysId, state: &Object) -> Result<(), Diagnostic> {
    for name in names(state) {
        let withdrawn = withdraw(session, entity, &name).await;
        withdrawn.map_err(|error| problem::of_table(&error, &format!("remove the auth scope {name}")))?;
    }
    Ok(())
}

/// Keeps of what is listed that which is there; after an import, lists all.
pub(super) async fn read_into(
    session: &Session,
    entity: &SysId,
    state: &mut Object,
    reading: Reading,
) -> Result<(), Diagnostic> {
    if reading == Reading::Refresh && state.at(ATTRIBUTE).is_null() {
        return Ok(());
    }
    let problem = |error: TableError| problem::of_table(&error, "read the auth scopes of the OIDC provider");
    let rows = match rows_of(session, entity).await {
        Ok(rows) => rows,
        // Releases before Zurich have no such table: then there is nothing to take over.
        Err(TableError::NoSuchTable { .. } | TableError::Refused { .. }) if reading == Reading::Import => {
            state.set(ATTRIBUTE, Value::Null);
            return Ok(());
        }
        Err(error) => return Err(problem(error)),
    };
    let listed = names(state);
    let mut given = BTreeSet::new();
    for row in rows {
        let Some(scope) = row.reference(AUTH_SCOPE).value().and_then(|id| SysId::parse(id).ok()) else {
            continue;
        };
        let name = session
            .names(sys_auth_scope::TABLE, sys_auth_scope::NAME)
            .name_of(&scope)
            .await
            .map_err(problem)?;
        if let Some(name) = name
            && (reading == Reading::Import || listed.contains(&name))
        {
            given.insert(name);
        }
    }
    if reading == Reading::Import && given.is_empty() {
        state.set(ATTRIBUTE, Value::Null);
    } else {
        state.set(ATTRIBUTE, given.into_iter().collect::<Vec<_>>());
    }
    Ok(())
}

async fn rows_of(session: &Session, entity: &SysId) -> Result<Vec<Record>, TableError> {
    let query =
        Query::equals(OAUTH_ENTITY, entity.as_str()).map_err(|source| TableError::Query { table: TABLE, source })?;
    session.select(TABLE, &query, COLUMNS).await
}

async fn insert(session: &Session, entity: &SysId, scope: &SysId) -> Result<(), TableError> {
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

async fn withdraw(session: &Session, entity: &SysId, name: &str) -> Result<(), TableError> {
    let Some(scope) = session
        .names(sys_auth_scope::TABLE, sys_auth_scope::NAME)
        .find(name)
        .await?
    else {
        return Ok(());
    };
    for row in rows_of(session, entity).await? {
        if row.reference(AUTH_SCOPE).value() == Some(scope.as_str()) {
            session.delete(TABLE, row.sys_id()).await?;
        }
    }
    Ok(())
}

fn names(object: &Object) -> BTreeSet<String> {
    object
        .texts(ATTRIBUTE)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect()
}
