//! Records that link two others: roles of a user, groups of a user, auth scopes of an OAuth entity.
//!
//! Links of one record are written one after the other: simultaneous grants can corrupt the platform's count of
//! inherited roles (vendor's page on Role Management V2). Under V2 there is one row per user and role; older instances may
//! hold several. Rows with `inherited=true` are derived by the platform and cannot be removed.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use crate::servicenow::error::{TableError, Verb};
use crate::servicenow::keyed_map::entry_of;
use crate::servicenow::lookup::{Names, chunks};
use crate::servicenow::pages::{Unseen, hidden};
use crate::servicenow::query::Query;
use crate::servicenow::read_batch::Batch;
use crate::servicenow::record::{Cell, Record, Row};
use crate::servicenow::session::Session;
use crate::servicenow::shared_state::{Link, Look, Turn};
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, ColumnKind, Table};
use crate::servicenow::tables::{
    every, oauth_entity, oauth_entity_auth_scope_mapping, oauth_oidc_entity, sys_auth_scope, sys_group_has_role,
    sys_user, sys_user_grmember, sys_user_group, sys_user_has_role, sys_user_role, sys_user_role_contains,
};
use crate::servicenow::write::{Deleted, InputMode, Insert, Update};
use crate::sync::lock as locked;

/// A table whose rows link a record to others that are known by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkTable {
    /// The table of the links.
    pub table: Table,
    /// What one linked record is called: `role`.
    pub noun: &'static str,
    /// What a grant does, in front of a name: `grant the role`.
    pub grant: &'static str,
    /// What a revocation does, in front of a name: `revoke the role`.
    pub revoke: &'static str,
    /// The record that has the links, and its table.
    from: Column,
    owner: Table,
    /// The record that is linked, its table, and the column with its name.
    to: Column,
    target: Table,
    name: Column,
    read: &'static [Column],
    /// Whether the instance refuses a second row for the same two records.
    /// Facts: `links-are-kept-once`, `role-rows-per-pair`.
    refuses_duplicates: bool,
    /// Whether a rule of the instance may link the record to others, because of a link that was just made.
    one_leads_to_others: bool,
    /// Whether the rows are application files, which belong to the application of the record that has the links.
    pub is_application_file: bool,
    /// On rows that the platform derives: true, or what they are derived from.
    inherited: Option<Column>,
    /// Names of records that the platform links by itself, again and again.
    pub by_platform: &'static [&'static str],
    /// The column that says whether a link works, and its value then.
    state: Option<(Column, &'static str)>,
}

impl LinkTable {
    /// Roles of users.
    pub const ROLES: LinkTable = LinkTable {
        table: sys_user_has_role::TABLE,
        noun: "role",
        grant: "grant the role",
        revoke: "revoke the role",
        from: sys_user_has_role::USER,
        owner: sys_user::TABLE,
        to: sys_user_has_role::ROLE,
        target: sys_user_role::TABLE,
        name: sys_user_role::NAME,
        read: sys_user_has_role::COLUMNS,
        refuses_duplicates: true,
        one_leads_to_others: true,
        is_application_file: false,
        inherited: Some(sys_user_has_role::INHERITED),
        by_platform: sys_user_role::OF_EVERYBODY,
        state: Some((sys_user_has_role::STATE, sys_user_has_role::STATE_ACTIVE)),
    };

    /// Groups of users.
    pub const GROUPS: LinkTable = LinkTable {
        table: sys_user_grmember::TABLE,
        noun: "group",
        grant: "add the user to the group",
        revoke: "remove the user from the group",
        from: sys_user_grmember::USER,
        owner: sys_user::TABLE,
        to: sys_user_grmember::GROUP,
        target: sys_user_group::TABLE,
        name: sys_user_group::NAME,
        read: sys_user_grmember::COLUMNS,
        refuses_duplicates: false,
        one_leads_to_others: true,
        is_application_file: false,
        inherited: None,
        by_platform: &[sys_user_group::SCRIPT_WRITERS],
        state: None,
    };

    /// Auth scopes of OAuth entities: what inbound calls with their tokens may do.
    pub const AUTH_SCOPES: LinkTable = LinkTable {
        table: oauth_entity_auth_scope_mapping::TABLE,
        noun: "auth scope",
        grant: "grant the auth scope",
        revoke: "revoke the auth scope",
        from: oauth_entity_auth_scope_mapping::OAUTH_ENTITY,
        owner: oauth_oidc_entity::TABLE,
        to: oauth_entity_auth_scope_mapping::AUTH_SCOPE,
        target: sys_auth_scope::TABLE,
        name: sys_auth_scope::NAME,
        read: oauth_entity_auth_scope_mapping::COLUMNS,
        refuses_duplicates: false,
        one_leads_to_others: true,
        is_application_file: false,
        inherited: None,
        by_platform: &[],
        state: None,
    };

    /// The same of entries of the application registry that are no OIDC providers.
    pub const AUTH_SCOPES_OF_ENTRIES: LinkTable = LinkTable {
        owner: oauth_entity::TABLE,
        ..Self::AUTH_SCOPES
    };

    /// Roles that a role contains.
    pub const CONTAINED_ROLES: LinkTable = LinkTable {
        table: sys_user_role_contains::TABLE,
        noun: "contained role",
        grant: "add the contained role",
        revoke: "remove the contained role",
        from: sys_user_role_contains::ROLE,
        owner: sys_user_role::TABLE,
        to: sys_user_role_contains::CONTAINS,
        target: sys_user_role::TABLE,
        name: sys_user_role::NAME,
        read: sys_user_role_contains::COLUMNS,
        refuses_duplicates: false,
        one_leads_to_others: false,
        is_application_file: true,
        inherited: None,
        by_platform: &[],
        state: None,
    };

    /// Roles of groups, which their members have.
    pub const GROUP_ROLES: LinkTable = LinkTable {
        table: sys_group_has_role::TABLE,
        noun: "role",
        grant: "grant the group the role",
        revoke: "revoke the group's role",
        from: sys_group_has_role::GROUP,
        owner: sys_user_group::TABLE,
        to: sys_group_has_role::ROLE,
        target: sys_user_role::TABLE,
        name: sys_user_role::NAME,
        read: sys_group_has_role::COLUMNS,
        refuses_duplicates: false,
        one_leads_to_others: false,
        is_application_file: false,
        // From a parent group.
        inherited: Some(sys_group_has_role::GRANTED_BY),
        by_platform: &[],
        state: Some((sys_group_has_role::INHERITS, sys_group_has_role::INHERITED_BY_MEMBERS)),
    };

    /// Users of groups: the rows of [`LinkTable::GROUPS`] from the other side.
    pub const MEMBERS: LinkTable = LinkTable {
        table: sys_user_grmember::TABLE,
        noun: "member",
        grant: "add the member",
        revoke: "remove the member",
        from: sys_user_grmember::GROUP,
        owner: sys_user_group::TABLE,
        to: sys_user_grmember::USER,
        target: sys_user::TABLE,
        name: sys_user::USER_NAME,
        read: sys_user_grmember::COLUMNS,
        refuses_duplicates: false,
        one_leads_to_others: false,
        is_application_file: false,
        inherited: None,
        by_platform: &[],
        state: None,
    };

    /// The table of the linked records.
    pub const fn target(&self) -> Table {
        self.target
    }

    /// A row as a link; none where it links to nothing.
    fn link(&self, row: &Record) -> Result<Option<Link>, TableError> {
        let to = match row.reference(self.to) {
            Cell::Value(to) => SysId::from_answer(to),
            Cell::Empty => None,
            Cell::Hidden => {
                let what = format!(
                    "the record {}, but the account may not read its column {}",
                    row.sys_id(),
                    self.to
                );
                let table = self.table;
                return Err(TableError::Hidden { table, what });
            }
        };
        // Hidden or empty state: there is a row, so the link works.
        let is_inactive =
            |(column, active): (Column, &str)| matches!(row.text(column), Cell::Value(state) if state != active);
        Ok(to.map(|to| Link {
            sys_id: row.sys_id().clone(),
            to,
            inherited: self.inherited.is_some_and(|column| match column.kind() {
                ColumnKind::Reference => matches!(row.reference(column), Cell::Value(_)),
                _ => row.bool(column) == Cell::Value(true),
            }),
            active: !self.state.is_some_and(is_inactive),
        }))
    }
}

/// What a record had before a grant.
#[derive(Debug, Default)]
struct Before {
    links: Vec<Link>,
    /// Whether nothing was granted since: what a role contains comes with it, as rows that are inherited.
    is_fresh: bool,
}

/// What granting found or did.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Granted {
    /// A row was made.
    Made(SysId),
    /// The link existed already, through this row.
    Had(SysId),
    /// The user has the role by inheritance and the instance keeps no row of its own for a direct grant.
    Inherited(SysId),
}

impl Granted {
    /// The row that carries the link.
    pub fn sys_id(&self) -> &SysId {
        match self {
            Granted::Made(sys_id) | Granted::Had(sys_id) | Granted::Inherited(sys_id) => sys_id,
        }
    }
}

/// What a revocation did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Revoked {
    /// How many rows were removed.
    pub removed: usize,
    /// Whether the user keeps the role by inheritance, which only its source can end.
    pub still_inherited: bool,
    /// Whether it stays because a grant of this process found it and took it over: the other resource of an apply that moves a
    /// role from one to another.
    pub is_taken_over: bool,
}

impl Revoked {
    const TAKEN_OVER: Revoked = Revoked {
        removed: 0,
        still_inherited: false,
        is_taken_over: true,
    };
}

/// The links of one table.
#[derive(Debug)]
pub struct Links<'a> {
    session: &'a Session,
    table: LinkTable,
    /// The application that new rows are to belong to.
    application: Option<String>,
}

impl Session {
    /// The links of a table.
    pub fn links(&self, table: LinkTable) -> Links<'_> {
        Links {
            session: self,
            table,
            application: None,
        }
    }
}

impl<'a> Links<'a> {
    /// New rows are to belong to this application, a `sys_id` or `global`, where they belong to one at all.
    #[must_use]
    pub fn in_application(mut self, application: Option<&str>) -> Links<'a> {
        self.application = application
            .filter(|_| self.table.is_application_file)
            .map(str::to_owned);
        self
    }

    /// The records that can be linked, by name.
    pub fn names(&self) -> Names<'a> {
        self.session.names(self.table.target, self.table.name)
    }

    /// Every link of the record, direct and inherited.
    ///
    /// # Errors
    /// [`TableError::Hidden`] where the account does not see every row, or not what it links to.
    pub fn of<'b>(&'b self, owner: &'b SysId) -> BoxFuture<'b, Result<Vec<Link>, TableError>> {
        Box::pin(async move {
            let session = self.session;
            let table = self.table.table;
            if session.is_refresh
                && let Some(rows) = session.inner.prefetched.take_links(table, owner)
            {
                return self.links(&rows);
            }
            let batch = entry_of(&session.inner.links.reads, (table, self.table.from), Batch::default);
            let ask = |owners: Vec<SysId>| self.read_batch(owners);
            let rows = batch.ask(owner.clone(), &session.limits, ask).await;
            self.links(&rows.map_err(|reason| reason.of(table))?)
        })
    }

    /// Links the record to another, unless it is linked directly. A link that does not work is activated.
    ///
    /// # Errors
    /// [`TableError::Refused`] where the account may not grant, or a role wants elevation. Groups with roles are often
    /// closed to `user_admin`.
    pub async fn grant(&self, owner: &SysId, to: &SysId) -> Result<Granted, TableError> {
        self.grant_each(owner, std::slice::from_ref(to)).await.remove(0)
    }

    /// Links the record to each of these, one after the other, after a look at what it has: two where the instance does not
    /// refuse a second row, and another after each that was made. The answers are those of [`Links::grant`], in the order of `to`.
    pub fn grant_each<'b>(
        &'b self,
        owner: &'b SysId,
        to: &'b [SysId],
    ) -> BoxFuture<'b, Vec<Result<Granted, TableError>>> {
        Box::pin(async move {
            if to.is_empty() {
                return Vec::new();
            }
            let all_failed = |error: TableError| to.iter().map(|_| Err(error.clone())).collect();
            let mut lock = match self.lock(owner, Verb::Insert).await {
                Ok(lock) => lock,
                Err(error) => return all_failed(error),
            };
            // A user that was just made has only what it was given here; a role that a rule of the instance gave it is refused
            // below, except by older role management.
            let made = &self.session.inner;
            let is_first = |to: &SysId| self.table.refuses_duplicates && made.is_first_link(owner, to);
            // Each is noted, also after one that is not the first.
            let first = to.iter().filter(|to| is_first(to)).count();
            let mut before = if first == to.len() {
                Before::default()
            } else {
                match self.look(&mut lock, owner, to).await {
                    Ok(before) => before,
                    Err(error) => return all_failed(error),
                }
            };
            let mut granted: Vec<Result<Granted, TableError>> = Vec::new();
            for one in to {
                // A rule of the instance may have linked it since, because of what was linked before.
                let may_have_it_since = self.table.one_leads_to_others && !self.table.refuses_duplicates;
                if may_have_it_since && granted.iter().any(|ended| matches!(ended, Ok(Granted::Made(_)))) {
                    match self.of(owner).await {
                        Ok(links) => {
                            let known = std::mem::take(&mut before.links);
                            let links = self.session.either_shows(known, links, |link| &link.sys_id);
                            before = Before { links, is_fresh: true };
                        }
                        Err(error) => {
                            granted.push(Err(error));
                            continue;
                        }
                    }
                }
                // Two names can stand for one record.
                let mut so_far = granted.iter().zip(to);
                let earlier = so_far.find_map(|(ended, other)| ended.as_ref().ok().filter(|_| other == one));
                let ended = match (earlier, direct(&before.links, one)) {
                    (Some(earlier), _) => Ok(Granted::Had(earlier.sys_id().clone())),
                    (None, Some(direct)) => self.activated(direct).await,
                    (None, None) => self.insert(owner, one, &before).await,
                };
                before.is_fresh &= !matches!(ended, Ok(Granted::Made(_)));
                granted.push(ended);
            }
            for (ended, one) in granted.iter().zip(to) {
                match ended {
                    Ok(Granted::Had(row)) => {
                        lock.taken_over.insert(self.pair(one));
                        locked(&self.session.inner.links.taken_over).insert(row.clone());
                    }
                    Ok(Granted::Made(sys_id)) => {
                        if let Some(look) = lock.looks.get_mut(self.table.table.name()) {
                            look.links.push(Link::new(sys_id, one));
                        }
                    }
                    // What the record has is asked for again.
                    Ok(Granted::Inherited(_)) | Err(_) => {
                        lock.looks.remove(self.table.table.name());
                    }
                }
            }
            granted
        })
    }

    /// What the record has, before it is linked to these. Where the instance refuses a second row, a look of the grants
    /// before this one will do, if it shows none of these.
    async fn look(&self, lock: &mut Turn, owner: &SysId, to: &[SysId]) -> Result<Before, TableError> {
        let table = self.table.table.name();
        if let Some(look) = lock.looks.get(table)
            && self.table.refuses_duplicates
            && look.at.elapsed() < LOOK_HOLDS
            && !to.iter().any(|to| direct(&look.links, to).is_some())
        {
            let links = look.links.clone();
            return Ok(Before { links, is_fresh: false });
        }
        let at = Instant::now();
        lock.looks.remove(table);
        let mut links = self.of(owner).await?;
        let lacks_one = to.iter().any(|to| direct(&links, to).is_none());
        // Nothing keeps a second row out, and a search can lag behind the first. One that was just made has none, unless a
        // rule of the instance links it.
        let is_new = !self.table.one_leads_to_others && self.session.has_made(self.table.owner, owner);
        if lacks_one && !self.table.refuses_duplicates && !is_new {
            self.session.wait_before_recheck().await;
            let again = self.of(owner).await?;
            links = self.session.either_shows(links, again, |link| &link.sys_id);
        }
        let look = Look {
            at,
            links: links.clone(),
        };
        lock.looks.insert(table, look);
        Ok(Before { links, is_fresh: true })
    }

    /// Removes the direct links between the two records, unless a grant of this process found the link: then it stays, and
    /// [`Revoked::is_taken_over`] says so.
    ///
    /// # Errors
    /// [`TableError::Refused`] where the account may not.
    pub async fn revoke(&self, owner: &SysId, to: &SysId) -> Result<Revoked, TableError> {
        self.revoke_each(owner, std::slice::from_ref(to)).await.remove(0)
    }

    /// Removes the direct links from the record to each of these, one after the other, after one look at what it has. Where
    /// there is none, a search may lag: it is looked for once more. The answers are in the order of `to`.
    pub fn revoke_each<'b>(
        &'b self,
        owner: &'b SysId,
        to: &'b [SysId],
    ) -> BoxFuture<'b, Vec<Result<Revoked, TableError>>> {
        Box::pin(async move {
            if to.is_empty() {
                return Vec::new();
            }
            let mut revoked = self.revoke_once(owner, to).await;
            let is_missing = |ended: &Result<Revoked, TableError>| {
                matches!(
                    ended,
                    Ok(Revoked {
                        removed: 0,
                        still_inherited: false,
                        is_taken_over: false,
                    })
                )
            };
            let missing: Vec<usize> = (0..to.len()).filter(|at| is_missing(&revoked[*at])).collect();
            if !missing.is_empty() {
                self.session.wait_before_recheck().await;
                let to: Vec<SysId> = missing.iter().map(|at| to[*at].clone()).collect();
                for (at, ended) in missing.into_iter().zip(self.revoke_once(owner, &to).await) {
                    revoked[at] = ended;
                }
            }
            revoked
        })
    }

    async fn revoke_once(&self, owner: &SysId, to: &[SysId]) -> Vec<Result<Revoked, TableError>> {
        let seen = async {
            let lock = self.lock(owner, Verb::Delete).await?;
            Ok((lock, self.of(owner).await?))
        };
        let (mut lock, existing) = match seen.await {
            Ok(seen) => seen,
            Err(error) => return to.iter().map(|_| Err(TableError::clone(&error))).collect(),
        };
        lock.looks.remove(self.table.table.name());
        let mut revoked = Vec::new();
        for to in to {
            let is_taken_over = lock.taken_over.contains(&self.pair(to)) || self.is_taken_over(&existing, to);
            revoked.push(if is_taken_over {
                Ok(Revoked::TAKEN_OVER)
            } else {
                self.remove(&existing, to).await
            });
        }
        revoked
    }

    /// Removes a row that is known to link the two records. What else links them is looked for where the row is not there or
    /// cannot be removed.
    ///
    /// # Errors
    /// [`TableError::Refused`] where the account may not.
    pub async fn revoke_row(&self, owner: &SysId, to: &SysId, row: &SysId) -> Result<Revoked, TableError> {
        let mut lock = self.lock(owner, Verb::Delete).await?;
        if lock.taken_over.contains(&self.pair(to)) {
            return Ok(Revoked::TAKEN_OVER);
        }
        lock.looks.remove(self.table.table.name());
        match self.session.delete(self.table.table, row).await {
            Ok(Deleted::Removed) => Ok(Revoked {
                removed: 1,
                still_inherited: false,
                is_taken_over: false,
            }),
            Ok(Deleted::WasGone) | Err(TableError::Refused { .. } | TableError::BadRequest { .. }) => {
                drop(lock);
                self.revoke(owner, to).await
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a grant from the other side found one of these links: by a group's members, or by a user's groups.
    fn is_taken_over(&self, existing: &[Link], to: &SysId) -> bool {
        let taken_over = locked(&self.session.inner.links.taken_over);
        let mut links = existing.iter().filter(|link| link.to == *to && !link.inherited);
        links.any(|link| taken_over.contains(&link.sys_id))
    }

    /// Removes the direct links to a record, of those that a look showed.
    async fn remove(&self, existing: &[Link], to: &SysId) -> Result<Revoked, TableError> {
        let mut removed = 0;
        let mut links = existing.iter().filter(|link| link.to == *to);
        for direct in links.clone().filter(|link| !link.inherited) {
            self.session.delete(self.table.table, &direct.sys_id).await?;
            removed += 1;
        }
        Ok(Revoked {
            removed,
            still_inherited: links.any(|link| link.inherited && link.active),
            is_taken_over: false,
        })
    }

    /// A direct link that was there. One that does not work is activated, and counts as made: nobody had the link by it.
    async fn activated(&self, direct: &Link) -> Result<Granted, TableError> {
        if direct.active {
            return Ok(Granted::Had(direct.sys_id.clone()));
        }
        self.activate(&direct.sys_id).await?;
        Ok(Granted::Made(direct.sys_id.clone()))
    }

    /// Whoever made the row, the record has the link: unlike with other records, nothing more is asked.
    async fn after_refusal(
        &self,
        owner: &SysId,
        to: &SysId,
        error: TableError,
        before: &Before,
    ) -> Result<Granted, TableError> {
        let is_refusal = error.is_refusal();
        if !is_refusal && !matches!(error, TableError::Uncertain { .. }) {
            return Err(error);
        }
        let session = self.session.for_clearing_up();
        let Ok(now) = session.links(self.table).of(owner).await else {
            return Err(error);
        };
        if let Some(direct) = direct(&now, to) {
            let had = self.activated(direct).await?;
            // A row that was found and doubted, or that has another key than ours, may be somebody else's: then it is kept.
            // A grant of a role that was inherited changes the row that was there, with its key, its age and its maker.
            let was_inherited = |row: &SysId| match before.links.iter().find(|link| link.sys_id == *row) {
                Some(link) => link.inherited,
                None => !before.is_fresh && self.table.refuses_duplicates,
            };
            let is_ours = match &error {
                TableError::Uncertain { .. } if was_inherited(&direct.sys_id) => true,
                TableError::Uncertain {
                    candidate: None, ours, ..
                } => ours.as_ref().is_none_or(|ours| *ours == direct.sys_id),
                _ => false,
            };
            return Ok(if is_ours {
                Granted::Made(direct.sys_id.clone())
            } else {
                had
            });
        }
        // Under V2 an inherited row may be all that there can be.
        let inherited = now.into_iter().find(|link| link.to == *to && link.active);
        match (inherited, error) {
            // A search can lag behind the row that was in the way.
            (
                inherited,
                TableError::Duplicate {
                    existing: Some(sys_id), ..
                },
            ) if inherited.as_ref().is_none_or(|inherited| inherited.sys_id != sys_id) => Ok(Granted::Had(sys_id)),
            (Some(inherited), _) if is_refusal => Ok(Granted::Inherited(inherited.sys_id)),
            (Some(_) | None, error) => Err(error),
        }
    }

    /// Only the link itself is compared: the platform keeps the other columns.
    async fn insert(&self, owner: &SysId, to: &SysId, before: &Before) -> Result<Granted, TableError> {
        let LinkTable { table, from, read, .. } = self.table;
        let mut pair = [(from, owner), (self.table.to, to)];
        // The same, whichever side the link is made from.
        pair.sort_by_key(|(column, _)| column.name());
        let [key, other] = pair.map(|(column, id)| Query::equals(column, id));
        let key = key.and_then(|key| Ok(key.and(other?)));
        let key = key.map_err(TableError::of_query(self.table.table))?;
        let mut lock = self.session.lock_key(table, key.clone()).await?;
        if let Some(made) = self.session.made_before(&lock, read).await? {
            return Ok(Granted::Had(made.sys_id().clone()));
        }
        let insert = Insert {
            table,
            row: Row::new()
                .set(from, owner)
                .set(self.table.to, to)
                .set_if_some(every::SYS_SCOPE, self.application.as_deref()),
            read,
            natural_key: Some(key),
            input: InputMode::Stored,
        };
        let granted = match self.session.insert(insert).await {
            Ok(written) => {
                let row = written.record.sys_id().clone();
                if let Some(lost) = written.lost(&[from, self.table.to]) {
                    // It links something else: nobody asked for that, and nobody would find it again.
                    let why = lost.to_string();
                    self.session.delete(table, &row).await?;
                    return Err(TableError::NotKept { table, why });
                }
                Granted::Made(row)
            }
            Err(error) => self.after_refusal(owner, to, error, before).await?,
        };
        // Who links the same two from the other side finds it under the lock.
        if let Granted::Made(row) | Granted::Had(row) = &granted {
            lock.made(row);
        }
        Ok(granted)
    }

    async fn activate(&self, sys_id: &SysId) -> Result<(), TableError> {
        let Some((column, active)) = self.table.state else {
            return Ok(());
        };
        let update = Update {
            table: self.table.table,
            sys_id,
            row: Row::new().set(column, active),
            read: &[column],
            input: InputMode::Stored,
        };
        self.session.update(update).await.map(drop)
    }

    fn pair(&self, to: &SysId) -> (&'static str, SysId) {
        (self.table.table.name(), to.clone())
    }

    async fn lock(&self, owner: &SysId, verb: Verb) -> Result<OwnedMutexGuard<Turn>, TableError> {
        let lock = entry_of(&self.session.inner.links.owner_locks, owner.clone(), Mutex::default);
        let lock = self.session.limits.bound(lock.lock_owned()).await;
        lock.map_err(|error| TableError::from_http(self.table.table, verb, error))
    }

    /// The rows as links, without those that this process removed: a search can lag behind that.
    fn links(&self, rows: &[Record]) -> Result<Vec<Link>, TableError> {
        let present = rows.iter().filter(|row| !self.session.inner.was_removed(row.sys_id()));
        present.filter_map(|row| self.table.link(row).transpose()).collect()
    }

    async fn read_batch(&self, owners: Vec<SysId>) -> Vec<Result<Vec<Record>, TableError>> {
        let LinkTable { table, owner, .. } = self.table;
        let asked: BTreeSet<SysId> = owners.iter().cloned().collect();
        let cache = &self.session.inner.prefetched;
        let read = cache.now();
        let others = if self.session.is_refresh {
            cache.owners_to_prefetch(table, owner, &asked, FULL.saturating_sub(asked.len()))
        } else {
            Vec::new()
        };
        let together = asked.iter().chain(&others).cloned().collect();
        let rows = match self.rows_of(&together).await {
            // Rows of others that cannot be read are no concern of those who asked.
            Err(_) if !others.is_empty() => self.rows_of(&asked).await,
            rows => rows,
        };
        let mut rows = match rows {
            Ok(rows) => rows,
            Err(TableError::Hidden { .. } | TableError::Unproven { .. }) if asked.len() > 1 => {
                let alone = owners.iter().map(async |owner| {
                    let mut rows = self.rows_of(&BTreeSet::from([owner.clone()])).await?;
                    Ok(rows.remove(owner).unwrap_or_default())
                });
                return join_all(alone).await;
            }
            Err(error) => return owners.iter().map(|_| Err(error.clone())).collect(),
        };
        let of_others = others.into_iter().filter_map(|owner| rows.remove_entry(&owner));
        cache.put_links(table, read, of_others);
        owners
            .iter()
            .map(|owner| Ok(rows.get(owner).cloned().unwrap_or_default()))
            .collect()
    }

    /// All rows of each of these records; of some there are none.
    async fn rows_of(&self, owners: &BTreeSet<SysId>) -> Result<HashMap<SysId, Vec<Record>>, TableError> {
        let LinkTable { table, from, read, .. } = self.table;
        let mut by_owner: HashMap<SysId, Vec<Record>> =
            owners.iter().map(|owner| (owner.clone(), Vec::new())).collect();
        for chunk in chunks(owners.iter(), |owner| owner.as_str().len()) {
            let query = Query::any_of(from, chunk).map_err(TableError::of_query(self.table.table))?;
            let found = self.session.selection(table, &query, read).await?;
            match found.unseen {
                Unseen::Rows(0) => {}
                Unseen::Rows(count) => return Err(hidden(table, &query, count)),
                Unseen::Uncounted => return Err(self.session.unproven(table, format!("other rows with {query}"))),
            }
            for row in found.records {
                if let Some(owner) = row.reference(from).value().and_then(SysId::from_answer) {
                    by_owner.entry(owner).or_default().push(row);
                }
            }
        }
        Ok(by_owner)
    }
}

/// The direct link to a record, one that works before one that does not.
fn direct<'a>(links: &'a [Link], to: &SysId) -> Option<&'a Link> {
    let direct = links.iter().filter(|link| link.to == *to && !link.inherited);
    direct.max_by_key(|link| link.active)
}

/// How long a look serves the grants that wait for their turn.
const LOOK_HOLDS: Duration = Duration::from_secs(5);
/// Records of one question, so that it stays one request.
const FULL: usize = 40;
