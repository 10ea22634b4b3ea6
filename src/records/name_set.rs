//! Sets of names that a record is tied to: roles and groups of a user, auth scopes of an OIDC provider.
//!
//! Those listed are given and kept, those taken off the list are taken away, others are left alone.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::diagnostics;
use crate::{
    plugin::{Diagnostic, Diagnostics, Object, Reading, Value},
    servicenow::{Names, Session, SysId, TableError},
};

/// One attribute that lists names, and what stands behind it.
#[async_trait]
pub(crate) trait NameSet: Sync {
    /// The attribute.
    fn attribute(&self) -> &'static str;

    /// What one is called: `role`.
    fn noun(&self) -> &'static str;

    /// What is done to give and to take one, in front of its name: `grant the role`, `revoke the role`.
    fn verbs(&self) -> [&'static str; 2];

    /// Where names are looked up.
    fn names<'a>(&self, session: &'a Session) -> Names<'a>;

    /// What the record has, for a refresh or an import.
    async fn of(&self, session: &Session, record: &SysId, reading: Reading) -> Result<Vec<SysId>, TableError>;

    /// What the record has, where giving does not look by itself.
    async fn before_giving(&self, _session: &Session, _record: &SysId) -> Result<Vec<SysId>, TableError> {
        Ok(Vec::new())
    }

    /// Gives one.
    async fn give(&self, session: &Session, record: &SysId, one: &SysId) -> Result<(), TableError>;

    /// Takes one away; tells whether there was anything to take, or to leave.
    async fn take(&self, session: &Session, record: &SysId, one: &SysId) -> Result<bool, TableError>;
}

/// The names of a plan by attribute, and what they stand for.
pub(crate) struct Wanted(Vec<OfTie>);

struct OfTie {
    /// Listed in the state already, and seen by its refresh: a search that lags would have them given twice.
    kept: Vec<String>,
    new: Vec<(String, SysId)>,
}

/// Looks up every name of the plan, before anything is written.
pub(crate) async fn resolve(
    sets: &[&dyn NameSet],
    session: &Session,
    prior: Option<&Object>,
    planned: &Object,
) -> Result<Wanted, Diagnostic> {
    let mut wanted = Vec::new();
    for set in sets {
        let mut kept = Vec::new();
        let mut new = Vec::new();
        for name in names(planned, set.attribute()) {
            let id = set.names(session).id_of(&name).await;
            let id = id.map_err(|error| {
                diagnostics::of_table(&error, &format!("find the {}", set.noun())).at_attribute(set.attribute())
            })?;
            if prior.is_some_and(|prior| names(prior, set.attribute()).contains(&name)) {
                kept.push(name);
            } else {
                new.push((name, id));
            }
        }
        wanted.push(OfTie { kept, new });
    }
    Ok(Wanted(wanted))
}

/// Nothing was given yet.
pub(crate) fn clear(sets: &[&dyn NameSet], state: &mut Object) {
    for set in sets {
        state.set(set.attribute(), Value::Null);
    }
}

/// Gives what is wanted, and says in the state what was given: the rest is planned again.
pub(crate) async fn give(
    sets: &[&dyn NameSet],
    session: &Session,
    record: &SysId,
    wanted: &Wanted,
    planned: &Object,
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    for (set, wanted) in sets.iter().zip(&wanted.0) {
        let mut given = wanted.kept.clone();
        let had = if wanted.new.is_empty() {
            Ok(Vec::new())
        } else {
            set.before_giving(session, record).await
        };
        match had {
            Ok(had) => {
                for (name, one) in &wanted.new {
                    let outcome = if had.contains(one) {
                        Ok(())
                    } else {
                        set.give(session, record, one).await
                    };
                    match outcome {
                        Ok(()) => given.push(name.clone()),
                        Err(error) => {
                            let doing = format!("{} {name}", set.verbs()[0]);
                            problems.push(diagnostics::of_table(&error, &doing).at_attribute(set.attribute()));
                        }
                    }
                }
            }
            Err(error) => problems.push(not_read(*set, &error).at_attribute(set.attribute())),
        }
        // As planned when all was given, else as far as it went. Not listed at all stays that.
        let listed = planned.at(set.attribute());
        let all = listed.as_list().is_none_or(|listed| listed.len() == given.len());
        state.set(set.attribute(), if all { listed.clone() } else { Value::from(given) });
    }
}

/// Takes away what is no longer listed; answers what could not be taken away.
pub(crate) async fn take_away(
    sets: &[&dyn NameSet],
    session: &Session,
    record: &SysId,
    prior: &Object,
    planned: &Object,
    problems: &mut Diagnostics,
) -> Vec<(&'static str, String)> {
    let mut left = Vec::new();
    for set in sets {
        let attribute = set.attribute();
        for name in names(prior, attribute).difference(&names(planned, attribute)) {
            if let Err(error) = take(*set, session, record, name).await {
                problems.push(not_taken(*set, &error, name).at_attribute(attribute));
                left.push((attribute, name.clone()));
            }
        }
    }
    left
}

/// Lists what could not be taken away, so that it is tried again.
pub(crate) fn keep(state: &mut Object, left: Vec<(&'static str, String)>) {
    for (attribute, name) in left {
        let mut listed = names(state, attribute);
        listed.insert(name);
        state.set(attribute, listed.into_iter().collect::<Vec<_>>());
    }
}

/// Takes everything listed away before the record goes: rows that refer to a removed record may stay behind.
pub(crate) async fn remove(
    sets: &[&dyn NameSet],
    session: &Session,
    record: &SysId,
    state: &Object,
) -> Result<(), Diagnostic> {
    for set in sets {
        for name in names(state, set.attribute()) {
            let taken = take(*set, session, record, &name).await;
            taken.map_err(|error| not_taken(*set, &error, &name))?;
        }
    }
    Ok(())
}

/// Keeps of what is listed that which is still given; after an import, lists everything.
pub(crate) async fn read_into(
    sets: &[&dyn NameSet],
    session: &Session,
    record: &SysId,
    state: &mut Object,
    reading: Reading,
) -> Result<(), Diagnostic> {
    for set in sets {
        let attribute = set.attribute();
        if reading == Reading::Refresh && state.at(attribute).is_null() {
            continue;
        }
        let listed = names(state, attribute);
        let look = || given(*set, session, record, &listed, reading);
        let mut given = look().await.map_err(|error| not_read(*set, &error))?;
        if !listed.is_subset(&given) {
            session.wait_for_second_look().await;
            given = look().await.map_err(|error| not_read(*set, &error))?;
        }
        if reading == Reading::Import && given.is_empty() {
            state.set(attribute, Value::Null);
        } else {
            state.set(attribute, given.into_iter().collect::<Vec<_>>());
        }
    }
    Ok(())
}

async fn given(
    set: &dyn NameSet,
    session: &Session,
    record: &SysId,
    listed: &BTreeSet<String>,
    reading: Reading,
) -> Result<BTreeSet<String>, TableError> {
    let mut given = BTreeSet::new();
    for one in set.of(session, record, reading).await? {
        if let Some(name) = set.names(session).name_of(&one).await?
            && (reading == Reading::Import || listed.contains(&name))
        {
            given.insert(name);
        }
    }
    Ok(given)
}

async fn take(set: &dyn NameSet, session: &Session, record: &SysId, name: &str) -> Result<(), TableError> {
    // What exists no longer is given to nobody.
    let Some(one) = set.names(session).find(name).await? else {
        return Ok(());
    };
    if !set.take(session, record, &one).await? {
        session.wait_for_second_look().await;
        set.take(session, record, &one).await?;
    }
    Ok(())
}

fn not_read(set: &dyn NameSet, error: &TableError) -> Diagnostic {
    diagnostics::of_table(error, &format!("read the {}s", set.noun()))
}

fn not_taken(set: &dyn NameSet, error: &TableError, name: &str) -> Diagnostic {
    diagnostics::of_table(error, &format!("{} {name}", set.verbs()[1]))
}

fn names(object: &Object, attribute: &str) -> BTreeSet<String> {
    object
        .texts(attribute)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect()
}
