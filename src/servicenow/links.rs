//! Roles and groups of users (`sys_user_has_role`, `sys_user_grmember`).
//!
//! Roles are granted to one user one after the other: simultaneous grants can corrupt the platform's count of
//! inheritances (vendor's page on Role Management V2). Under V2 there is one row per user and role; older instances may
//! hold several. Rows with `inherited=true` are derived by the platform and cannot be removed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::batch::Gather;
use super::connection::{Session, Shared, entry_of};
use super::error::{TableError, Verb};
use super::lookup::parts;
use super::query::Query;
use super::record::{Cell, Record, Row};
use super::sys_id::SysId;
use super::table::{Column, Table};
use super::tables::{sys_user, sys_user_grmember, sys_user_has_role};
use super::write::{InputMode, Insert};

/// What all sessions of an instance share about grants.
#[derive(Default)]
pub(super) struct GrantState {
    /// One writer per user.
    turns: Shared<SysId, tokio::sync::Mutex<()>>,
    /// Reads that wait for company, by table.
    reads: Shared<Table, Gather<SysId, Vec<Record>>>,
}

/// A role that a user has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleGrant {
    /// The row.
    pub sys_id: SysId,
    /// The role.
    pub role: SysId,
    /// Derived by the platform from a group or another role.
    pub inherited: bool,
    /// Whether it works.
    pub active: bool,
}

/// What granting found or did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Granted {
    /// A row was made.
    Made(SysId),
    /// The user had the role already, through this row.
    Had(SysId),
    /// The user has the role by inheritance and the instance keeps no row of its own for a direct grant.
    Inherited(SysId),
}

impl Granted {
    /// The row that carries the role.
    pub fn sys_id(&self) -> &SysId {
        match self {
            Granted::Made(sys_id) | Granted::Had(sys_id) | Granted::Inherited(sys_id) => sys_id,
        }
    }
}

/// What revoking did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revoked {
    /// How many rows were removed.
    pub removed: usize,
    /// Whether the user keeps the role by inheritance, which only its source can end.
    pub still_inherited: bool,
}

/// The roles of users.
#[derive(Debug)]
pub struct Grants<'a> {
    session: &'a Session,
}

/// The groups of users.
#[derive(Debug)]
pub struct Memberships<'a> {
    session: &'a Session,
}

impl Session {
    /// The roles of users.
    pub fn grants(&self) -> Grants<'_> {
        Grants { session: self }
    }

    /// The groups of users.
    pub fn memberships(&self) -> Memberships<'_> {
        Memberships { session: self }
    }
}

impl Grants<'_> {
    /// Every role of the user, direct and inherited.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn of(&self, user: &SysId) -> Result<Vec<RoleGrant>, TableError> {
        let rows = self.session.links(ROLES, user, Age::Seconds).await?;
        Ok(rows.iter().filter_map(role_grant).collect())
    }

    async fn now_of(&self, user: &SysId) -> Result<Vec<RoleGrant>, TableError> {
        let rows = self.session.links(ROLES, user, Age::Now).await?;
        Ok(rows.iter().filter_map(role_grant).collect())
    }

    /// Gives the user the role, unless it has it directly.
    ///
    /// # Errors
    /// [`TableError::Refused`] where the account may not grant, or the role wants elevation.
    pub async fn grant(&self, user: &SysId, role: &SysId) -> Result<Granted, TableError> {
        let session = self.session;
        let turn = session.turn_of(user);
        let _turn = session
            .limits
            .bound(turn.lock())
            .await
            .map_err(|error| ROLES.error(error))?;
        // Nobody needs to look what a user has that was made a moment ago; a role that a rule gave it is refused below.
        let had = if session.inner.is_fresh_user(user) {
            Vec::new()
        } else {
            self.now_of(user).await?
        };
        session.inner.forget_fresh_user(user);
        let of_role: Vec<&RoleGrant> = had.iter().filter(|grant| grant.role == *role && grant.active).collect();
        if let Some(direct) = of_role.iter().find(|grant| !grant.inherited) {
            return Ok(Granted::Had(direct.sys_id.clone()));
        }
        match session.link(ROLES, user, role).await {
            Ok(Linked::Made(sys_id)) => Ok(Granted::Made(sys_id)),
            Ok(Linked::Had(sys_id)) => Ok(Granted::Had(sys_id)),
            // Under V2 an inherited row may be all that there can be.
            Err(TableError::Refused { .. } | TableError::Duplicate { .. } | TableError::BadRequest { .. })
                if !of_role.is_empty() =>
            {
                Ok(Granted::Inherited(of_role[0].sys_id.clone()))
            }
            // Whoever made the row, the user has the role: unlike with other records, nothing more is asked.
            Err(error @ TableError::Uncertain { .. }) => {
                let now = session
                    .for_clearing_up()
                    .grants()
                    .now_of(user)
                    .await
                    .map_err(|_| error.clone())?;
                let direct = now
                    .into_iter()
                    .find(|grant| grant.role == *role && grant.active && !grant.inherited);
                direct.map(|grant| Granted::Had(grant.sys_id)).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the role from the user, as far as it was given directly.
    ///
    /// # Errors
    /// [`TableError::Refused`] where the account may not.
    pub async fn revoke(&self, user: &SysId, role: &SysId) -> Result<Revoked, TableError> {
        let session = self.session;
        let turn = session.turn_of(user);
        let _turn = session
            .limits
            .bound(turn.lock())
            .await
            .map_err(|error| ROLES.error(error))?;
        let had: Vec<RoleGrant> = self
            .now_of(user)
            .await?
            .into_iter()
            .filter(|grant| grant.role == *role)
            .collect();
        let mut removed = 0;
        for direct in had.iter().filter(|grant| !grant.inherited) {
            session.delete(ROLES.table, &direct.sys_id).await?;
            removed += 1;
        }
        Ok(Revoked {
            removed,
            still_inherited: had.iter().any(|grant| grant.inherited && grant.active),
        })
    }
}

impl Memberships<'_> {
    /// The groups of the user: row and group.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn of(&self, user: &SysId) -> Result<Vec<(SysId, SysId)>, TableError> {
        let rows = self.session.links(GROUPS, user, Age::Seconds).await?;
        Ok(rows.iter().filter_map(membership).collect())
    }

    async fn now_of(&self, user: &SysId) -> Result<Vec<(SysId, SysId)>, TableError> {
        let rows = self.session.links(GROUPS, user, Age::Now).await?;
        Ok(rows.iter().filter_map(membership).collect())
    }

    /// Puts the user into the group, unless it is in it. Answers the row.
    ///
    /// # Errors
    /// [`TableError::Refused`] where the account may not; groups with roles are often closed to `user_admin`.
    pub async fn join(&self, user: &SysId, group: &SysId) -> Result<SysId, TableError> {
        let session = self.session;
        let turn = session.turn_of(user);
        let _turn = session
            .limits
            .bound(turn.lock())
            .await
            .map_err(|error| GROUPS.error(error))?;
        session.inner.forget_fresh_user(user);
        if let Some((sys_id, _)) = self.now_of(user).await?.into_iter().find(|(_, known)| known == group) {
            return Ok(sys_id);
        }
        match session.link(GROUPS, user, group).await {
            Ok(Linked::Made(sys_id) | Linked::Had(sys_id)) => Ok(sys_id),
            // As with roles: whoever made the row, the user is in the group.
            Err(error @ TableError::Uncertain { .. }) => {
                let now = session
                    .for_clearing_up()
                    .memberships()
                    .now_of(user)
                    .await
                    .map_err(|_| error.clone())?;
                now.into_iter()
                    .find(|(_, known)| known == group)
                    .map(|(sys_id, _)| sys_id)
                    .ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the user out of the group; answers how many rows were removed.
    ///
    /// # Errors
    /// As [`Memberships::join`].
    pub async fn leave(&self, user: &SysId, group: &SysId) -> Result<usize, TableError> {
        let session = self.session;
        let turn = session.turn_of(user);
        let _turn = session
            .limits
            .bound(turn.lock())
            .await
            .map_err(|error| GROUPS.error(error))?;
        let rows: Vec<SysId> = self
            .now_of(user)
            .await?
            .into_iter()
            .filter(|(_, known)| known == group)
            .map(|(sys_id, _)| sys_id)
            .collect();
        for sys_id in &rows {
            session.delete(GROUPS.table, sys_id).await?;
        }
        Ok(rows.len())
    }
}

/// How old an answer may be.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Age {
    /// Asked for now: a write follows from it.
    Now,
    /// Perhaps read ahead, for a refresh.
    Seconds,
}

/// A table that ties users to something.
#[derive(Clone, Copy)]
struct Links {
    table: Table,
    user: Column,
    other: Column,
    read: &'static [Column],
}

impl Links {
    fn other_of(self, row: &Record) -> Option<SysId> {
        SysId::from_answer(row.reference(self.other).value()?)
    }

    fn error(self, error: crate::http::HttpError) -> TableError {
        TableError::from_http(self.table, Verb::Insert, error)
    }
}

enum Linked {
    Made(SysId),
    Had(SysId),
}

impl Session {
    fn turn_of(&self, user: &SysId) -> Arc<tokio::sync::Mutex<()>> {
        entry_of(&self.inner.grants.turns, user.clone(), || tokio::sync::Mutex::new(()))
    }

    /// The rows of one user, read together with those of others.
    async fn links(&self, links: Links, user: &SysId, age: Age) -> Result<Vec<Record>, TableError> {
        if age == Age::Seconds
            && let Some(rows) = self.inner.ahead.take_ties(links.table, user)
        {
            return Ok(rows);
        }
        let gather = entry_of(&self.inner.grants.reads, links.table, Gather::default);
        let ask = |users: Vec<SysId>| self.links_together(links, users);
        let rows = gather
            .ask(user.clone(), self.inner.timing.batch_window, &self.limits, ask)
            .await;
        rows.map_err(|reason| reason.of(links.table))
    }

    async fn links_together(&self, links: Links, users: Vec<SysId>) -> Vec<Result<Vec<Record>, TableError>> {
        let asked: BTreeSet<SysId> = users.iter().cloned().collect();
        let ahead = &self.inner.ahead;
        let read = ahead.now();
        let room = FULL.saturating_sub(asked.len());
        let company = ahead.company(links.table, sys_user::TABLE, &asked, room);
        let together = asked.iter().chain(&company).cloned().collect();
        let rows = match self.rows_of(links, &together).await {
            // Rows of others that cannot be read are no concern of those who asked.
            Err(_) if !company.is_empty() => self.rows_of(links, &asked).await,
            rows => rows,
        };
        let mut rows = match rows {
            Ok(rows) => rows,
            Err(error) => return users.iter().map(|_| Err(error.clone())).collect(),
        };
        let ties = company.into_iter().filter_map(|user| rows.remove_entry(&user));
        ahead.put_ties(links.table, read, ties);
        users
            .iter()
            .map(|user| Ok(rows.get(user).cloned().unwrap_or_default()))
            .collect()
    }

    /// The rows of each of these users; of some there may be none.
    async fn rows_of(&self, links: Links, users: &BTreeSet<SysId>) -> Result<HashMap<SysId, Vec<Record>>, TableError> {
        let mut by_user: HashMap<SysId, Vec<Record>> = users.iter().map(|user| (user.clone(), Vec::new())).collect();
        for part in parts(users.iter(), |user| user.as_str().len()) {
            let query = Query::any_of(links.user, part).map_err(|source| TableError::Query {
                table: links.table,
                source,
            })?;
            for row in self.select(links.table, &query, links.read).await? {
                if let Some(user) = row.reference(links.user).value().and_then(SysId::from_answer) {
                    by_user.entry(user).or_default().push(row);
                }
            }
        }
        Ok(by_user)
    }

    /// Ties a user to something. Only the tie itself is compared: the platform keeps the other columns.
    async fn link(&self, links: Links, user: &SysId, other: &SysId) -> Result<Linked, TableError> {
        let key = Query::equals(links.user, user)
            .and_then(|query| Ok(query.and(Query::equals(links.other, other)?)))
            .map_err(|source| TableError::Query {
                table: links.table,
                source,
            })?;
        let row = Row::new().set(links.user, user).set(links.other, other);
        let insert = Insert {
            table: links.table,
            row,
            read: links.read,
            natural_key: Some(key),
            input: InputMode::Stored,
        };
        match self.insert(insert).await {
            Ok(written) => Ok(Linked::Made(written.record.sys_id().clone())),
            // Somebody else was faster, or a rule of the instance.
            Err(TableError::Duplicate {
                existing: Some(sys_id), ..
            }) => Ok(Linked::Had(sys_id)),
            Err(error) => Err(error),
        }
    }
}

/// A row, if it shows which group it is about: the row and the group.
fn membership(row: &Record) -> Option<(SysId, SysId)> {
    Some((row.sys_id().clone(), GROUPS.other_of(row)?))
}

/// A row, if it shows which role it is about.
fn role_grant(row: &Record) -> Option<RoleGrant> {
    let inherited = row.bool(sys_user_has_role::INHERITED) == Cell::Value(true);
    // Hidden or empty state: there is a row, so the role is there.
    let active =
        !matches!(row.text(sys_user_has_role::STATE), Cell::Value(state) if state != sys_user_has_role::STATE_ACTIVE);
    Some(RoleGrant {
        sys_id: row.sys_id().clone(),
        role: ROLES.other_of(row)?,
        inherited,
        active,
    })
}

/// Users of one question, so that it stays one request.
const FULL: usize = 40;

const ROLES: Links = Links {
    table: sys_user_has_role::TABLE,
    user: sys_user_has_role::USER,
    other: sys_user_has_role::ROLE,
    read: sys_user_has_role::COLUMNS,
};

const GROUPS: Links = Links {
    table: sys_user_grmember::TABLE,
    user: sys_user_grmember::USER,
    other: sys_user_grmember::GROUP,
    read: sys_user_grmember::COLUMNS,
};
