//! What a user is granted: roles and groups, by name. A role that the user has by inheritance counts as granted; it cannot
//! be revoked here.

use async_trait::async_trait;

use crate::plugin::Reading;
use crate::records::name_set::NameSet;
use crate::servicenow::{Names, Session, SysId, TableError};

pub(super) struct Roles;

#[async_trait]
impl NameSet for Roles {
    fn attribute(&self) -> &'static str {
        "roles"
    }

    fn noun(&self) -> &'static str {
        "role"
    }

    fn verbs(&self) -> [&'static str; 2] {
        ["grant the role", "revoke the role"]
    }

    fn names<'a>(&self, session: &'a Session) -> Names<'a> {
        session.roles()
    }

    async fn of(&self, session: &Session, user: &SysId, reading: Reading) -> Result<Vec<SysId>, TableError> {
        let grants = session.grants().of(user).await?.into_iter();
        let counts = grants.filter(|grant| grant.active && !(reading == Reading::Import && grant.inherited));
        Ok(counts.map(|grant| grant.role).collect())
    }

    async fn give(&self, session: &Session, user: &SysId, role: &SysId) -> Result<(), TableError> {
        session.grants().grant(user, role).await.map(drop)
    }

    async fn take(&self, session: &Session, user: &SysId, role: &SysId) -> Result<bool, TableError> {
        let revoked = session.grants().revoke(user, role).await?;
        Ok(revoked.removed > 0 || revoked.still_inherited)
    }
}

pub(super) struct Groups;

#[async_trait]
impl NameSet for Groups {
    fn attribute(&self) -> &'static str {
        "groups"
    }

    fn noun(&self) -> &'static str {
        "group"
    }

    fn verbs(&self) -> [&'static str; 2] {
        ["add the user to the group", "take the user out of the group"]
    }

    fn names<'a>(&self, session: &'a Session) -> Names<'a> {
        session.groups()
    }

    async fn of(&self, session: &Session, user: &SysId, _: Reading) -> Result<Vec<SysId>, TableError> {
        let memberships = session.memberships().of(user).await?;
        Ok(memberships.into_iter().map(|(_, group)| group).collect())
    }

    async fn give(&self, session: &Session, user: &SysId, group: &SysId) -> Result<(), TableError> {
        session.memberships().join(user, group).await.map(drop)
    }

    async fn take(&self, session: &Session, user: &SysId, group: &SysId) -> Result<bool, TableError> {
        Ok(session.memberships().leave(user, group).await? > 0)
    }
}
