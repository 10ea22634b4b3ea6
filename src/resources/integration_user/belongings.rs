//! What a user is given: roles and groups, by name.
//!
//! Those listed are given and kept, those taken off the list are taken away, others are left alone. A role that the user
//! has by inheritance counts as given; it cannot be taken away here.

use std::{collections::BTreeSet, time::Duration};

use super::{Reading, problem};
use crate::{
    plugin::{Diagnostic, Diagnostics, Object, Value},
    servicenow::{Session, SysId, TableError},
};

/// The attributes that list them.
pub(super) const ATTRIBUTES: [&str; 2] = [ROLES, GROUPS];

const ROLES: &str = "roles";
const GROUPS: &str = "groups";

/// Names and what they stand for.
pub(super) struct Wanted {
    roles: Vec<(String, SysId)>,
    groups: Vec<(String, SysId)>,
}

/// Looks up every name of the plan.
pub(super) async fn resolve(session: &Session, planned: &Object) -> Result<Wanted, Diagnostic> {
    let mut wanted = Wanted {
        roles: Vec::new(),
        groups: Vec::new(),
    };
    for name in names(planned, ROLES) {
        let id = session.roles().id_of(&name).await;
        let id = id.map_err(|error| problem::of_table(&error, "find the role").at_attribute(ROLES))?;
        wanted.roles.push((name, id));
    }
    for name in names(planned, GROUPS) {
        let id = session.groups().id_of(&name).await;
        let id = id.map_err(|error| problem::of_table(&error, "find the group").at_attribute(GROUPS))?;
        wanted.groups.push((name, id));
    }
    Ok(wanted)
}

/// Gives what is wanted, and says in the state what was given: the rest is planned again.
pub(super) async fn give(
    session: &Session,
    user: &SysId,
    wanted: &Wanted,
    planned: &Object,
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    let mut given = Vec::new();
    for (name, role) in &wanted.roles {
        match session.grants().grant(user, role).await {
            Ok(_) => given.push(name.clone()),
            Err(error) => {
                problems.push(problem::of_table(&error, &format!("grant the role {name}")).at_attribute(ROLES));
            }
        }
    }
    record(state, planned, ROLES, given);
    let mut given = Vec::new();
    for (name, group) in &wanted.groups {
        match session.memberships().join(user, group).await {
            Ok(_) => given.push(name.clone()),
            Err(error) => {
                problems
                    .push(problem::of_table(&error, &format!("add the user to the group {name}")).at_attribute(GROUPS));
            }
        }
    }
    record(state, planned, GROUPS, given);
}

/// Takes away what is no longer listed. What could not be taken away stays in the state, so that it is tried again.
pub(super) async fn take_away(
    session: &Session,
    user: &SysId,
    prior: &Object,
    planned: &Object,
    problems: &mut Diagnostics,
) -> Vec<(&'static str, String)> {
    let mut left = Vec::new();
    for name in names(prior, ROLES).difference(&names(planned, ROLES)) {
        if let Err(error) = revoke(session, user, name).await {
            problems.push(problem::of_table(&error, &format!("revoke the role {name}")).at_attribute(ROLES));
            left.push((ROLES, name.clone()));
        }
    }
    for name in names(prior, GROUPS).difference(&names(planned, GROUPS)) {
        if let Err(error) = leave(session, user, name).await {
            problems.push(
                problem::of_table(&error, &format!("take the user out of the group {name}")).at_attribute(GROUPS),
            );
            left.push((GROUPS, name.clone()));
        }
    }
    left
}

/// Lists what could not be taken away.
pub(super) fn keep(state: &mut Object, left: Vec<(&'static str, String)>) {
    for (attribute, name) in left {
        let mut listed = names(state, attribute);
        listed.insert(name);
        state.set(attribute, listed.into_iter().collect::<Vec<_>>());
    }
}

/// Takes everything listed away before the user goes: rows that refer to a removed user may stay behind.
pub(super) async fn remove(session: &Session, user: &SysId, state: &Object) -> Result<(), Diagnostic> {
    for name in names(state, ROLES) {
        let revoked = revoke(session, user, &name).await;
        revoked.map_err(|error| problem::of_table(&error, &format!("revoke the role {name}")))?;
    }
    for name in names(state, GROUPS) {
        let left = leave(session, user, &name).await;
        left.map_err(|error| problem::of_table(&error, &format!("take the user out of the group {name}")))?;
    }
    Ok(())
}

/// Keeps of what is listed that which is still given; after an import, lists everything that was given directly.
pub(super) async fn read_into(
    session: &Session,
    user: &SysId,
    state: &mut Object,
    reading: Reading,
) -> Result<(), Diagnostic> {
    if reading == Reading::Import || !state.at(ROLES).is_null() {
        let listed = names(state, ROLES);
        let problem = |error: TableError| problem::of_table(&error, "read the user's roles");
        let mut given = roles_of(session, user, &listed, reading).await.map_err(problem)?;
        if !listed.is_subset(&given) {
            session.wait(SECOND_LOOK).await;
            given = roles_of(session, user, &listed, reading).await.map_err(problem)?;
        }
        set(state, ROLES, given, reading);
    }
    if reading == Reading::Import || !state.at(GROUPS).is_null() {
        let listed = names(state, GROUPS);
        let problem = |error: TableError| problem::of_table(&error, "read the user's groups");
        let mut given = groups_of(session, user, &listed, reading).await.map_err(problem)?;
        if !listed.is_subset(&given) {
            session.wait(SECOND_LOOK).await;
            given = groups_of(session, user, &listed, reading).await.map_err(problem)?;
        }
        set(state, GROUPS, given, reading);
    }
    Ok(())
}

async fn roles_of(
    session: &Session,
    user: &SysId,
    listed: &BTreeSet<String>,
    reading: Reading,
) -> Result<BTreeSet<String>, TableError> {
    let mut given = BTreeSet::new();
    for grant in session.grants().of(user).await? {
        if !grant.active || (reading == Reading::Import && grant.inherited) {
            continue;
        }
        if let Some(name) = session.roles().name_of(&grant.role).await?
            && (reading == Reading::Import || listed.contains(&name))
        {
            given.insert(name);
        }
    }
    Ok(given)
}

async fn groups_of(
    session: &Session,
    user: &SysId,
    listed: &BTreeSet<String>,
    reading: Reading,
) -> Result<BTreeSet<String>, TableError> {
    let mut given = BTreeSet::new();
    for (_, group) in session.memberships().of(user).await? {
        if let Some(name) = session.groups().name_of(&group).await?
            && (reading == Reading::Import || listed.contains(&name))
        {
            given.insert(name);
        }
    }
    Ok(given)
}

async fn revoke(session: &Session, user: &SysId, name: &str) -> Result<(), TableError> {
    // A role that exists no longer is granted to nobody.
    let Some(role) = session.roles().find(name).await? else {
        return Ok(());
    };
    let revoked = session.grants().revoke(user, &role).await?;
    if revoked.removed == 0 && !revoked.still_inherited {
        session.wait(SECOND_LOOK).await;
        session.grants().revoke(user, &role).await?;
    }
    Ok(())
}

async fn leave(session: &Session, user: &SysId, name: &str) -> Result<(), TableError> {
    let Some(group) = session.groups().find(name).await? else {
        return Ok(());
    };
    if session.memberships().leave(user, &group).await? == 0 {
        session.wait(SECOND_LOOK).await;
        session.memberships().leave(user, &group).await?;
    }
    Ok(())
}

/// A search can lag behind a write: what should be there and is not, is looked for once more.
const SECOND_LOOK: Duration = Duration::from_millis(300);

fn names(object: &Object, attribute: &str) -> BTreeSet<String> {
    object
        .texts(attribute)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// What was given: as planned when all was, else as far as it went. Not listed at all stays that.
fn record(state: &mut Object, planned: &Object, attribute: &str, given: Vec<String>) {
    let listed = planned.at(attribute);
    let all = listed.as_list().is_none_or(|listed| listed.len() == given.len());
    state.set(attribute, if all { listed.clone() } else { Value::from(given) });
}

fn set(state: &mut Object, attribute: &str, given: BTreeSet<String>, reading: Reading) {
    if reading == Reading::Import && given.is_empty() {
        state.set(attribute, Value::Null);
    } else {
        state.set(attribute, given.into_iter().collect::<Vec<_>>());
    }
}
