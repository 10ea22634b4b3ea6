//! OAuth scopes that an outbound provider asks for (`oauth_entity_scope`), and their place on its default profile
//! (`oauth_entity_profile_scope`).

use std::collections::BTreeSet;

use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Diagnostic, Diagnostics, Object, Path};
use crate::records::child_rows::{Child, ChildRows, Done, Listed, Place, Shape};
use crate::records::diagnostics;
use crate::records::field::{Field, Known};
use crate::resources::oauth_entity::profile;
use crate::servicenow::tables::oauth_entity;
use crate::servicenow::tables::oauth_entity_profile_scope::{self as on_profile, PROFILE};
use crate::servicenow::tables::oauth_entity_scope::{NAME, OAUTH_ENTITY, SCOPE, TABLE};
use crate::servicenow::{InputMode, Insert, Query, Row, Session, SysId, TableError, Written};

const ROWS: ChildRows = ChildRows {
    attribute: "scopes",
    shape: Shape::Set,
    added: "added_scopes",
    noun: "OAuth scope",
    path: "scopes",
};

const PLACE: Place = Place {
    table: TABLE,
    parent: OAUTH_ENTITY,
    key: SCOPE,
    value: NAME,
};

/// The attributes.
pub(super) fn fields() -> [Field; 2] {
    let attribute = Attribute::texts(ROWS.attribute)
        .check(validate::each(validate::not_blank()))
        .same_text(|one, other| one.trim() == other.trim())
        .describe(
            "OAuth scopes that the default profile asks for, such as `https://graph.microsoft.com/.default` and \
             `offline_access`, exactly as written. Listed scopes are kept, scopes removed from the list are removed, others are \
             left unchanged. Tables `oauth_entity_scope` and `oauth_entity_profile_scope`.",
        );
    ROWS.attributes(attribute).map(Field::local)
}

pub(super) fn plan(prior: Option<&Object>, config: &Object, state: &mut Object) -> Option<Diagnostic> {
    ROWS.plan(prior, config, state)
}

/// Makes the scopes of an entry, and of its default profile, what is planned. `state` knows the profile.
pub(super) async fn write(
    session: &Session,
    entity: &SysId,
    (prior, planned): (Option<&Object>, &Object),
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    let (change, mut done) = ROWS.change(prior, planned);
    let profile = profile::of(state);
    // A profile that was made again asks for none of them yet.
    let is_same_profile = profile == prior.and_then(profile::of);
    if change.is_none() && (is_same_profile || change.wanted.is_empty()) {
        done.listed = change.wanted;
    } else {
        let expected = change.expected(session.has_made(oauth_entity::TABLE, entity));
        let before = Before::look_for(session, entity, profile.as_ref(), &expected).await;
        match before {
            Ok(before) => {
                before.make(session, entity, &change.wanted, &mut done).await;
                before.remove(session, &change.removed, &mut done).await;
            }
            Err(error) => {
                done.problems.push(not_read(&error));
                done.listed = change.former;
                done.is_complete = false;
            }
        }
    }
    ROWS.settle((prior, planned), done, state, problems);
}

/// Keeps of the listed scopes those that the default profile asks for; of an entry that is new to Terraform lists them all.
pub(super) async fn read_into(
    session: &Session,
    entity: &SysId,
    state: &mut Object,
    known: Known,
) -> Result<(), Diagnostic> {
    let listed = ROWS.listed(state).unwrap_or_default();
    let is_new = known == Known::Nothing;
    if !is_new && listed.is_empty() {
        return Ok(());
    }
    let profile = profile::of(state);
    let expected: &[&Listed] = if is_new { &[] } else { &[&listed] };
    let look = Before::look_for(session, entity, profile.as_ref(), expected).await;
    let before = match look {
        // What cannot be read of a record that is imported is left alone.
        Err(TableError::Refused { .. } | TableError::NoSuchTable { .. } | TableError::Hidden { .. }) if is_new => {
            return Ok(());
        }
        look => look.map_err(|error| not_read(&error))?,
    };
    let rows = before.asked_for();
    if is_new {
        ROWS.take_over(rows, state);
    } else {
        ROWS.keep_present(&rows, state);
    }
    Ok(())
}

/// Removes the listed scopes before their entry is deleted: rows that refer to a deleted record may remain.
pub(super) async fn remove(session: &Session, entity: &SysId, state: &Object) -> Result<(), Diagnostic> {
    let listed = ROWS.all_of(state);
    if listed.is_empty() {
        return Ok(());
    }
    let before = Before::look_for(session, entity, profile::of(state).as_ref(), &[&listed]).await;
    let before = before.map_err(|error| not_read(&error))?;
    let mut done = Done::default();
    before.remove(session, &listed, &mut done).await;
    done.problems.iter().next().cloned().map_or(Ok(()), Err)
}

/// The scopes of an entry, and which of them its default profile asks for.
struct Before {
    rows: Vec<Child>,
    profile: Option<SysId>,
    /// Scopes that the profile asks for.
    linked: BTreeSet<SysId>,
    /// The rows that link a profile to a scope: their keys, and the scopes.
    links: Vec<(SysId, SysId)>,
    /// Scopes that other profiles ask for.
    of_others: BTreeSet<SysId>,
}

impl Before {
    /// `known` are rows that an earlier look showed.
    async fn look(
        session: &Session,
        entity: &SysId,
        profile: Option<&SysId>,
        known: Vec<Child>,
    ) -> Result<Self, TableError> {
        let rows = ROWS.rows(session, PLACE, entity).await?;
        let rows = session.either_shows(known, rows, |child| &child.sys_id);
        let mut before = Self {
            rows,
            profile: profile.cloned(),
            linked: BTreeSet::new(),
            links: Vec::new(),
            of_others: BTreeSet::new(),
        };
        if before.rows.is_empty() {
            return Ok(before);
        }
        let scopes: Vec<&str> = before.rows.iter().map(|row| row.sys_id.as_str()).collect();
        let links = session
            .select_any_of(on_profile::TABLE, on_profile::SCOPE, &scopes, on_profile::COLUMNS)
            .await?;
        for link in links {
            if [PROFILE, on_profile::SCOPE]
                .iter()
                .any(|column| link.reference(*column).is_hidden())
            {
                let what = "scopes of profiles, but does not show the account which".to_owned();
                return Err(TableError::Hidden {
                    table: on_profile::TABLE,
                    what,
                });
            }
            let key = |column| link.reference(column).value().and_then(|id| SysId::parse(id).ok());
            let (Some(of), Some(scope)) = (key(PROFILE), key(on_profile::SCOPE)) else {
                continue;
            };
            if Some(&of) == profile {
                before.linked.insert(scope.clone());
                before.links.push((link.sys_id().clone(), scope));
            } else {
                before.of_others.insert(scope);
            }
        }
        Ok(before)
    }

    /// Looks again where one that is expected is missing: a search can lag behind a write. What either look shows counts.
    async fn look_for(
        session: &Session,
        entity: &SysId,
        profile: Option<&SysId>,
        expected: &[&Listed],
    ) -> Result<Self, TableError> {
        let mut before = Self::look(session, entity, profile, Vec::new()).await?;
        let there = before.asked_for();
        if !expected.iter().any(|expected| ROWS.lacks(&there, expected)) {
            return Ok(before);
        }
        session.wait_before_recheck().await;
        let again = Self::look(session, entity, profile, std::mem::take(&mut before.rows)).await?;
        Ok(before.joined_with(again))
    }

    fn joined_with(mut self, again: Self) -> Self {
        self.rows = again.rows;
        for link in again.links {
            if !self.links.contains(&link) {
                self.links.push(link);
            }
        }
        self.linked.extend(again.linked);
        self.of_others.extend(again.of_others);
        self
    }

    /// Those that the default profile asks for; where there is none, all.
    fn asked_for(&self) -> Vec<Child> {
        let is_asked_for = |row: &&Child| self.profile.is_none() || self.linked.contains(&row.sys_id);
        self.rows.iter().filter(is_asked_for).cloned().collect()
    }

    async fn make(&self, session: &Session, entity: &SysId, wanted: &Listed, done: &mut Done) {
        let rows = ROWS.make(session, PLACE, entity, &self.rows, wanted, done).await;
        let Some(profile) = &self.profile else { return };
        for (scope, row) in rows.iter().filter(|(_, row)| !self.linked.contains(*row)) {
            if let Err(problems) = link(session, profile, row, scope).await {
                done.is_complete = false;
                done.listed.remove(scope);
                done.problems.append(problems);
            }
        }
    }

    /// Takes scopes from the default profile, and from the entry if no other profile asks for them.
    async fn remove(&self, session: &Session, removed: &Listed, done: &mut Done) {
        let mut to_delete = Listed::new();
        for (scope, value) in removed {
            let of_scope: Vec<&SysId> = self
                .rows
                .iter()
                .filter(|row| row.key == *scope)
                .map(|row| &row.sys_id)
                .collect();
            let links = self.links.iter().filter(|(_, linked)| of_scope.contains(&linked));
            let mut failed = None;
            for (link, _) in links {
                failed = session.delete(on_profile::TABLE, link).await.err().or(failed);
            }
            if let Some(error) = failed {
                done.is_complete = false;
                done.listed.insert(scope.clone(), value.clone());
                let doing = format!("remove the OAuth scope {scope} from the default profile");
                done.problems
                    .push(diagnostics::of_table(&error, &doing).at_attribute(ROWS.path));
            } else if of_scope.iter().any(|row| self.of_others.contains(*row)) {
                done.own.remove(scope);
            } else {
                to_delete.insert(scope.clone(), value.clone());
            }
        }
        ROWS.remove(session, PLACE, &self.rows, &to_delete, done).await;
    }
}

async fn link(session: &Session, profile: &SysId, row: &SysId, scope: &str) -> Result<(), Diagnostics> {
    let failed = |error: &TableError| {
        let doing = format!("add the OAuth scope {scope} to the default profile");
        Diagnostics::from(diagnostics::of_table(error, &doing).at_attribute(ROWS.path))
    };
    let written = insert_link(session, profile, row)
        .await
        .map_err(|error| failed(&error))?;
    if written.lost(&[PROFILE, on_profile::SCOPE]).is_none() {
        return Ok(());
    }
    // It links something else: the next apply would make another one.
    let mut problems = diagnostics::of_mismatches(&written.mismatches, |_| Path::of(ROWS.path));
    if let Err(error) = session.delete(on_profile::TABLE, written.record.sys_id()).await {
        problems.append(failed(&error));
    }
    Err(problems)
}

async fn insert_link(session: &Session, profile: &SysId, scope: &SysId) -> Result<Written, TableError> {
    let key = Query::equals(PROFILE, profile).and_then(|key| Ok(key.and(Query::equals(on_profile::SCOPE, scope)?)));
    let key = key.map_err(TableError::of_query(on_profile::TABLE))?;
    let insert = Insert {
        table: on_profile::TABLE,
        row: Row::new().set(PROFILE, profile).set(on_profile::SCOPE, scope),
        read: on_profile::COLUMNS,
        natural_key: Some(key),
        input: InputMode::Stored,
    };
    session.insert(insert).await
}

fn not_read(error: &TableError) -> Diagnostic {
    diagnostics::of_table(error, "read the OAuth scopes").at_attribute(ROWS.path)
}
