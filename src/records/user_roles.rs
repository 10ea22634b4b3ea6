//! The roles that a user has.

use std::collections::BTreeSet;

use crate::servicenow::{LinkTable, Session, SysId, TableError};

/// The names of all roles that work for a user.
pub(crate) async fn active(session: &Session, user: &SysId) -> Result<BTreeSet<String>, TableError> {
    let grants = session.links(LinkTable::ROLES).of(user).await?;
    let names = session.roles();
    let active = grants.iter().filter(|grant| grant.active);
    let named = futures_util::future::join_all(active.map(|grant| names.name_of(&grant.to)));
    named.await.into_iter().filter_map(Result::transpose).collect()
}
