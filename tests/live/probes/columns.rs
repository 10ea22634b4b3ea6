//! Which columns a table shows. A column that is not shown may be closed to the account, so it refutes nothing.

use servicenow_provider::servicenow::tables::{
    cmn_department, ip_access, oauth_entity, oauth_entity_profile, oauth_oidc_entity, oidc_provider_configuration,
    sys_db_object, sys_scope_privilege, sys_user, sys_user_group, sys_user_has_role, sys_user_role,
};
use servicenow_provider::servicenow::{Column, Query, Record, Table, TableError};

use super::{Probed, Seen};
use crate::context::RunContext;

const TABLES: [(Table, &[Column]); 12] = [
    (sys_user::TABLE, sys_user::COLUMNS),
    (sys_user_group::TABLE, sys_user_group::COLUMNS),
    (sys_user_role::TABLE, sys_user_role::COLUMNS),
    (sys_user_has_role::TABLE, sys_user_has_role::COLUMNS),
    (oauth_entity::TABLE, oauth_entity::COLUMNS),
    (oauth_entity_profile::TABLE, oauth_entity_profile::COLUMNS),
    (oidc_provider_configuration::TABLE, oidc_provider_configuration::COLUMNS),
    (oauth_oidc_entity::TABLE, oauth_oidc_entity::COLUMNS),
    (sys_db_object::TABLE, sys_db_object::COLUMNS),
    (sys_scope_privilege::TABLE, sys_scope_privilege::COLUMNS),
    (ip_access::TABLE, ip_access::COLUMNS),
    (cmn_department::TABLE, cmn_department::COLUMNS),
];

pub(super) fn tables() -> impl Iterator<Item = Table> {
    TABLES.iter().map(|(table, _)| *table)
}

pub(super) async fn probe(name: &str, context: &RunContext) -> Probed {
    let (table, columns) = TABLES.iter().find(|(table, _)| table.name() == name).unwrap();
    let Some(record) = record(*table, context).await? else {
        return Ok(Seen::Open(format!("There is no record in {table} to look at.")));
    };
    // A release may lack the newer ones.
    let asked: Vec<&Column> = columns.iter().filter(|column| !column.is_newer()).collect();
    let hidden: Vec<&str> = asked
        .iter()
        .filter(|column| record.text(***column).is_hidden())
        .map(|column| column.name())
        .collect();
    if hidden.is_empty() {
        return Ok(Seen::Holds(format!("All {} columns are shown.", asked.len())));
    }
    Ok(Seen::Differs(format!("Not shown: {}.", hidden.join(", "))))
}

/// A record of the table: one of the run where it makes some.
async fn record(table: Table, context: &RunContext) -> Result<Option<Record>, TableError> {
    let of_run = match table {
        _ if table == sys_user::TABLE => context.user().await?,
        _ if table == sys_user_group::TABLE => context.group().await?,
        _ if table == sys_user_role::TABLE => context.outer_role().await?,
        _ if table == oauth_entity::TABLE => context.entity().await?,
        _ if table == oidc_provider_configuration::TABLE => context.configuration().await?,
        _ if table == oauth_oidc_entity::TABLE => context.provider().await?,
        _ => {
            let mut pages = context.session.pages(table, &Query::every_row(), &[], 1);
            let first = pages.next().await?.and_then(|page| page.into_iter().next());
            let Some(first) = first else { return Ok(None) };
            return context.session.get_whole(table, first.sys_id()).await;
        }
    };
    Ok(Some(of_run.clone()))
}
