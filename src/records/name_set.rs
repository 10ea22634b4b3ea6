//! Attributes that list the names of linked records: roles and groups of a user, auth scopes of an OIDC provider.
//!
//! Listed roles are granted and kept, roles removed from the list are revoked, others are left unchanged. Names are compared by
//! the records behind them: another spelling of the same name is no change. A link whose name cannot be read is neither
//! lost nor taken for another: the name stays listed, and the user is told.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use crate::clients::{Calls, Clients};
use crate::plugin::{Context, Diagnostic, Diagnostics, Object, Plan, Reading, Value};
use crate::records::{application_scope, diagnostics};
use crate::servicenow::{Granted, Link, LinkTable, Links, Session, SysId, TableError};

/// One attribute that lists names, and the links behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameSet {
    pub(crate) attribute: &'static str,
    /// The computed attribute that lists the names that were granted here.
    pub(crate) granted: &'static str,
    pub(crate) links: LinkTable,
}

/// The names of a plan, set by set, and what they stand for.
pub(crate) struct Resolved(Vec<ResolvedNames>);

#[derive(Default)]
struct ResolvedNames {
    /// Listed in the state already, and seen by its refresh: a search that lags would have them granted twice.
    kept: Vec<String>,
    new: Vec<(String, SysId)>,
    ids: BTreeSet<SysId>,
    /// Of those kept, the ones that the state spells otherwise: as planned, and as in the state.
    respelled: Vec<(String, String)>,
}

/// The links of one record that no listed name stands for, although one of the names stands for no record: it may be one
/// of them, renamed or hidden.
#[derive(Debug, Default)]
struct Unlisted {
    names: BTreeSet<String>,
    /// Those whose name the account may not read.
    hidden: BTreeSet<SysId>,
}

/// Looks up every name of the plan, before anything is written.
pub(crate) async fn resolve(
    sets: &[NameSet],
    session: &Session,
    prior: Option<&Object>,
    planned: &Object,
) -> Result<Resolved, Diagnostic> {
    let mut resolved = Vec::new();
    for set in sets {
        let failed = |error: TableError| set.lookup_failed(&error);
        let former = prior.map(|prior| names(prior, set.attribute)).unwrap_or_default();
        let former_ids = set.ids_of(session, &former).await.map_err(failed)?;
        let mut of_set = ResolvedNames::default();
        // A name that no longer exists cannot be granted again, and does not prevent other changes.
        let (kept, new): (Vec<String>, Vec<String>) = names(planned, set.attribute)
            .into_iter()
            .partition(|name| former.contains(name));
        of_set
            .ids
            .extend(kept.iter().filter_map(|name| former_ids.get(name)).flatten().cloned());
        of_set.kept = kept;
        let links = set.links(session);
        let known = links.names();
        let ids = join_all(new.iter().map(|name| known.id_of(name))).await;
        for (name, id) in new.into_iter().zip(ids) {
            let id = id.map_err(failed)?;
            of_set.ids.insert(id.clone());
            let former = former_ids.iter().find(|(_, former)| former.contains(&id));
            if let Some((former, _)) = former {
                of_set.respelled.push((name.clone(), former.clone()));
                of_set.kept.push(name);
            } else {
                of_set.new.push((name, id));
            }
        }
        resolved.push(of_set);
    }
    Ok(Resolved(resolved))
}

/// The names of a plan that no record has, nor one that is planned, as a new record would need them all.
pub(crate) async fn missing(
    sets: &[NameSet],
    cx: &Context<Clients>,
    session: &Session,
    planned: &Object,
) -> Vec<Diagnostic> {
    let mut missing = Vec::new();
    for set in sets {
        let links = set.links(session);
        let known = links.names();
        let wanted: Vec<String> = names(planned, set.attribute)
            .into_iter()
            .filter(|name| !cx.data.planned_names.has(set.links.target(), name))
            .collect();
        let found = join_all(wanted.iter().map(|name| known.id_of(name))).await;
        let errors = found.into_iter().filter_map(Result::err);
        missing.extend(errors.map(|error| set.lookup_failed(&error)));
    }
    missing
}

/// Nothing was granted yet.
pub(crate) fn clear(sets: &[NameSet], state: &mut Object) {
    for set in sets {
        state.set(set.attribute, Value::Null);
        state.set(set.granted, Value::Null);
    }
}

/// Grants what is planned, and lists in the state what was granted: the rest is planned again.
pub(crate) async fn grant(
    sets: &[NameSet],
    session: &Session,
    record: &SysId,
    resolved: &Resolved,
    (prior, planned): (Option<&Object>, &Object),
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    for (set, resolved) in sets.iter().zip(&resolved.0) {
        let mut granted = resolved.kept.clone();
        let mut own = prior.map(|prior| names(prior, set.granted)).unwrap_or_default();
        for (name, former) in &resolved.respelled {
            if own.contains(former) {
                own.insert(name.clone());
            }
        }
        let ids: Vec<SysId> = resolved.new.iter().map(|(_, id)| id.clone()).collect();
        let links = set.links(session).in_application(state.text(application_scope::ID));
        let ended = links.grant_each(record, &ids).await;
        for ((name, _), ended) in resolved.new.iter().zip(ended) {
            match ended {
                Ok(Granted::Made(_)) => {
                    own.insert(name.clone());
                    granted.push(name.clone());
                }
                Ok(Granted::Had(_) | Granted::Inherited(_)) => granted.push(name.clone()),
                Err(error) => {
                    let doing = format!("{} {name}", set.links.grant);
                    problems.push(diagnostics::of_table(&error, &doing).at_attribute(set.attribute));
                }
            }
        }
        // As planned when all was granted, else as far as it went. Not listed at all stays that.
        let listed = planned.at(set.attribute);
        let all = listed.as_list().is_none_or(|listed| listed.len() == granted.len());
        own.retain(|name| granted.contains(name));
        state.set(set.attribute, if all { listed.clone() } else { Value::from(granted) });
        if state.at(set.granted).is_unknown() || prior.is_none() {
            let own: Vec<String> = own.into_iter().collect();
            state.set(set.granted, (!listed.is_null()).then_some(own));
        }
    }
}

/// Revokes what is no longer listed; returns what could not be revoked.
pub(crate) async fn revoke(
    sets: &[NameSet],
    session: &Session,
    record: &SysId,
    resolved: &Resolved,
    [prior, planned]: [&Object; 2],
    problems: &mut Diagnostics,
) -> Vec<(&'static str, String)> {
    let mut left = Vec::new();
    for (set, resolved) in sets.iter().zip(&resolved.0) {
        if prior.at(set.granted).is_null() {
            // The plan warned about it: it is not known who granted it.
            continue;
        }
        let former = names(prior, set.attribute);
        let gone: Vec<String> = former.difference(&names(planned, set.attribute)).cloned().collect();
        let ended = set.revoke(session, record, &gone, &former, &resolved.ids).await;
        for (name, ended) in gone.into_iter().zip(ended) {
            match ended {
                Ok(warning) => problems.extend(warning),
                Err(problem) => {
                    problems.push(problem);
                    left.push((set.attribute, name));
                }
            }
        }
    }
    left
}

/// Lists what could not be revoked, so that it is tried again.
pub(crate) fn keep(sets: &[NameSet], prior: &Object, state: &mut Object, left: Vec<(&'static str, String)>) {
    for (attribute, name) in left {
        let granted = sets
            .iter()
            .find(|set| set.attribute == attribute)
            .map(|set| set.granted);
        let granted = granted.filter(|granted| names(prior, granted).contains(&name));
        for attribute in [Some(attribute), granted].into_iter().flatten() {
            let mut listed = names(state, attribute);
            listed.insert(name.clone());
            state.set(attribute, listed.into_iter().collect::<Vec<_>>());
        }
    }
}

/// Revokes everything listed before the record is deleted: rows that refer to a deleted record may remain.
pub(crate) async fn revoke_all(
    sets: &[NameSet],
    cx: &Context<Clients>,
    session: &Session,
    record: &SysId,
    state: &Object,
) -> Result<(), Diagnostic> {
    for set in sets {
        set.revoke_each(cx, session, record, state, set.attribute).await?;
    }
    Ok(())
}

/// Revokes what was granted here from a record that stays.
pub(crate) async fn revoke_granted(
    sets: &[NameSet],
    cx: &Context<Clients>,
    session: &Session,
    record: &SysId,
    state: &Object,
) -> Result<(), Diagnostic> {
    for set in sets {
        set.revoke_each(cx, session, record, state, set.granted).await?;
    }
    Ok(())
}

/// Keeps of what is listed that which is still granted; after an import, lists everything.
pub(crate) async fn read_into(
    sets: &[NameSet],
    cx: &Context<Clients>,
    session: &Session,
    record: &SysId,
    state: &mut Object,
) -> Result<(), Diagnostic> {
    for set in sets {
        match cx.reading {
            Reading::Import => {
                let everything = set.everything(session, record).await;
                let Unlisted { names, hidden } = everything.map_err(|error| set.not_read(&error))?;
                if !hidden.is_empty() {
                    cx.warn(set.not_listed(&hidden));
                }
                let names: Vec<String> = names.into_iter().collect();
                let none = names.is_empty();
                state.set(set.attribute, if none { Value::Null } else { names.into() });
                state.set(set.granted, Value::Null);
            }
            Reading::Refresh => {
                if state.at(set.attribute).is_null() {
                    continue;
                }
                let listed = names(state, set.attribute);
                let still_granted = set.still_granted(cx, session, record, &listed).await;
                let still_granted = still_granted.map_err(|error| set.not_read(&error))?;
                state.set(set.attribute, still_granted);
            }
        }
    }
    Ok(())
}

/// Leaves a list out of a configuration that is written where its links have resources of their own, which are written too.
pub(crate) async fn omit_separate(sets: &[NameSet], cx: &Context<Clients>, record: &SysId, config: &mut Object) {
    for set in sets {
        if config.at(set.attribute).is_null() {
            continue;
        }
        let is_separate = cx.data.link_managers.has_separate_resources(set.links.table, record);
        if cx
            .limits()
            .bound(is_separate)
            .await
            .is_ok_and(|is_separate| is_separate)
        {
            config.set(set.attribute, Value::Null);
        }
    }
}

/// Warns of listed names whose links have a resource of their own, where it is not known who granted them: after an import.
pub(crate) fn warn_of_second_manager(sets: &[NameSet], cx: &Context<Clients>, record: &SysId, plan: &mut Plan<'_>) {
    let is_imported = |set: &&NameSet| plan.prior.is_some_and(|prior| prior.at(set.granted).is_null());
    for set in sets.iter().filter(is_imported) {
        for name in names(plan.config, set.attribute) {
            let managers = &cx.data.link_managers;
            if managers.is_second(set.links.table, record, &name, set.attribute) {
                plan.diagnostics.push(managed_twice(set.links.noun, &name, record));
            }
        }
    }
}

/// Two resources of one run manage the same link.
pub(crate) fn managed_twice(noun: &str, name: &str, record: &SysId) -> Diagnostic {
    let detail = format!(
        "The {noun} {name} of the record {record} is in the list of the record itself and in a resource of its own. \
         Removed from one of them, it would be missing in the other. Keep it in one: take it off the list, or remove the resource with a \
         `removed` block that destroys nothing."
    );
    Diagnostic::warning(format!("The {noun} is managed twice"), detail)
}

impl NameSet {
    /// The diagnostic of a name that could not be looked up.
    fn lookup_failed(&self, error: &TableError) -> Diagnostic {
        diagnostics::of_table(error, &format!("find the {}", self.links.noun)).at_attribute(self.attribute)
    }

    /// Plans which names Terraform grants, and warns about names that are no longer listed but stay granted.
    pub(crate) fn plan(&self, plan: &mut Plan<'_>) {
        let Some(prior) = plan.prior else {
            let listed = plan.state.at(self.attribute);
            let granted = if listed.is_null() { Value::Null } else { Value::Unknown };
            plan.state.set(self.granted, granted);
            return;
        };
        let (former, planned) = (names(prior, self.attribute), names(plan.state, self.attribute));
        let value = plan.state.at(self.attribute);
        let is_changed =
            value.is_unknown() || value.is_null() != prior.at(self.attribute).is_null() || former != planned;
        let granted = if is_changed {
            Value::Unknown
        } else {
            prior.at(self.granted).clone()
        };
        plan.state.set(self.granted, granted);
        let left: BTreeSet<String> = former.difference(&planned).cloned().collect();
        let is_known = !plan.state.at(self.attribute).is_unknown();
        if prior.at(self.granted).is_null() && is_known && !left.is_empty() {
            let noun = self.links.noun;
            let detail = format!(
                "These are no longer listed but stay on the instance: {}. It is not known whether Terraform granted \
                 them, because the record was imported or its state was written by an older version. To revoke them, \
                 add them to the list, apply, and remove them from the list again.",
                listed(&left)
            );
            let warning = Diagnostic::warning(format!("Not every {noun} was revoked"), detail);
            plan.diagnostics.push(warning.at_attribute(self.attribute));
        }
    }

    fn links<'a>(&self, session: &'a Session) -> Links<'a> {
        session.links(self.links)
    }

    /// The records that each name stands for, as far as the account may find them: several where a name is not unique.
    async fn ids_of(
        &self,
        session: &Session,
        listed: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Vec<SysId>>, TableError> {
        let names = self.links(session).names();
        let found = join_all(listed.iter().map(async |name| match names.find(name).await {
            Ok(id) => Ok(id.map(|id| (name.clone(), vec![id]))),
            Err(TableError::Ambiguous { sys_ids, .. }) => Ok(Some((name.clone(), sys_ids))),
            Err(TableError::Hidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }));
        found.await.into_iter().filter_map(Result::transpose).collect()
    }

    /// What is listed and granted, and what may be. Where something is missing, what either of two looks shows counts.
    async fn still_granted(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        record: &SysId,
        listed: &BTreeSet<String>,
    ) -> Result<Vec<String>, TableError> {
        let mut is_recheck = false;
        let mut shown: Vec<Link> = Vec::new();
        loop {
            let links = self.links(session).of(record).await?;
            shown = session.either_shows(shown, links, |link| &link.sys_id);
            let ids = self.ids_of(session, listed).await?;
            let is_granted = |id: &SysId| shown.iter().any(|link| link.to == *id && link.active);
            let mut granted: Vec<String> = Vec::new();
            let mut unknown = Vec::new();
            for name in listed {
                match ids.get(name) {
                    Some(ids) if ids.iter().any(is_granted) => granted.push(name.clone()),
                    Some(_) => {}
                    None => unknown.push(name),
                }
            }
            if granted.len() < listed.len() && !is_recheck {
                session.wait_before_recheck().await;
                is_recheck = true;
                continue;
            }
            if !unknown.is_empty() {
                let unlisted = self
                    .unlisted(session, &shown, &ids.into_values().flatten().collect())
                    .await?;
                if !unlisted.is_empty() {
                    unknown
                        .iter()
                        .for_each(|name| cx.warn(self.not_checked(name, &unlisted)));
                    granted.extend(unknown.into_iter().cloned());
                    granted.sort_unstable();
                }
            }
            return Ok(granted);
        }
    }

    /// All that is granted directly.
    async fn everything(&self, session: &Session, record: &SysId) -> Result<Unlisted, TableError> {
        let links = match self.links(session).of(record).await {
            // Not every release has such a table: then there is nothing to take over.
            Err(TableError::NoSuchTable { .. } | TableError::Refused { .. }) if self.links.table.origin().is_some() => {
                Vec::new()
            }
            links => links?,
        };
        let mut all = self.unlisted(session, &links, &BTreeSet::new()).await?;
        // Nobody configures these: taken off a list they would come back, and taken over they would be planned away.
        let by_platform = self.links.by_platform;
        all.names
            .retain(|name| !by_platform.iter().any(|own| own.eq_ignore_ascii_case(name)));
        Ok(all)
    }

    /// Revokes the names that an attribute lists.
    async fn revoke_each(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        record: &SysId,
        state: &Object,
        attribute: &str,
    ) -> Result<(), Diagnostic> {
        let listed = names(state, self.attribute);
        let gone: Vec<String> = names(state, attribute).into_iter().collect();
        for ended in self.revoke(session, record, &gone, &listed, &BTreeSet::new()).await {
            ended?.into_iter().for_each(|warning| cx.warn(warning));
        }
        Ok(())
    }

    /// Revokes each of these names; a warning where it may be granted under another one. The answers are in the order of
    /// the names.
    async fn revoke(
        &self,
        session: &Session,
        record: &SysId,
        gone: &[String],
        former: &BTreeSet<String>,
        planned: &BTreeSet<SysId>,
    ) -> Vec<Result<Option<Diagnostic>, Diagnostic>> {
        if gone.is_empty() {
            return Vec::new();
        }
        let failed = |name: &str, error: &TableError| {
            let doing = format!("{} {name}", self.links.revoke);
            diagnostics::of_table(error, &doing).at_attribute(self.attribute)
        };
        let seen = async {
            let ids = self.ids_of(session, former).await?;
            // A name that stands for one record says all.
            let is_plain = |name| ids.get(name).is_some_and(|ids| ids.len() == 1);
            let existing = if gone.iter().all(is_plain) {
                Vec::new()
            } else {
                self.links(session).of(record).await?
            };
            Ok((ids, existing))
        };
        let (known, existing) = match seen.await {
            Ok(seen) => seen,
            Err(error) => return gone.iter().map(|name| Err(failed(name, &error))).collect(),
        };
        let mut ended = Vec::new();
        let mut to_revoke = Vec::new();
        for name in gone {
            let Some(ids) = known.get(name) else {
                let listed = known.values().flatten().chain(planned).cloned().collect();
                ended.push(match self.unlisted(session, &existing, &listed).await {
                    Ok(unlisted) => self.of_unknown(name, &unlisted),
                    Err(error) => Err(failed(name, &error)),
                });
                continue;
            };
            let meant = if ids.iter().any(|id| planned.contains(id)) {
                Ok(None)
            } else {
                self.meant(session, name, ids, &existing).await
            };
            if let Ok(Some(id)) = &meant {
                to_revoke.push((ended.len(), id.clone()));
            }
            ended.push(meant.map(|_| None).map_err(|error| failed(name, &error)));
        }
        let to: Vec<SysId> = to_revoke.iter().map(|(_, id)| id.clone()).collect();
        let revoked = self.links(session).revoke_each(record, &to).await;
        for ((at, _), revoked) in to_revoke.into_iter().zip(revoked) {
            match revoked {
                Ok(revoked) if revoked.is_taken_over => ended[at] = Ok(Some(self.taken_over_by_another(&gone[at]))),
                Ok(_) => {}
                Err(error) => ended[at] = Err(failed(&gone[at], &error)),
            }
        }
        ended
    }

    /// What is said of a name that another resource of this apply has taken over.
    fn taken_over_by_another(&self, name: &str) -> Diagnostic {
        let noun = self.links.noun;
        let detail = "It is no longer listed, but another resource of this apply also grants it and found it already granted, so it is \
                      kept, even after that resource is destroyed. Revoke it on the instance when nothing needs it.";
        Diagnostic::warning(format!("The {noun} {name} was not revoked"), detail).at_attribute(self.attribute)
    }

    /// What is said of a name that stands for no record, so that nothing could be revoked.
    fn of_unknown(&self, name: &str, unlisted: &Unlisted) -> Result<Option<Diagnostic>, Diagnostic> {
        if unlisted.is_empty() {
            return Ok(None);
        }
        let problem = self.not_revoked(name, unlisted);
        if unlisted.hidden.is_empty() {
            Ok(Some(problem))
        } else {
            Err(problem)
        }
    }

    /// The record to revoke of those that a name stands for: of several the one that is granted, if it is only one.
    async fn meant(
        &self,
        session: &Session,
        name: &str,
        ids: &[SysId],
        existing: &[Link],
    ) -> Result<Option<SysId>, TableError> {
        if let [id] = ids {
            return Ok(Some(id.clone()));
        }
        let granted = existing.iter().filter(|link| ids.contains(&link.to) && !link.inherited);
        match granted.collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            [link] => Ok(Some(link.to.clone())),
            _ => self.links(session).names().id_of(name).await.map(Some),
        }
    }

    /// The direct links to other records than those listed.
    async fn unlisted(
        &self,
        session: &Session,
        links: &[Link],
        listed: &BTreeSet<SysId>,
    ) -> Result<Unlisted, TableError> {
        let direct = links.iter().filter(|link| link.active && !link.inherited);
        let others: BTreeSet<&SysId> = direct.map(|link| &link.to).filter(|to| !listed.contains(*to)).collect();
        let known = self.links(session);
        let known = known.names();
        let names = join_all(others.iter().map(|id| known.name_of(id))).await;
        let mut unlisted = Unlisted::default();
        for (id, name) in others.into_iter().zip(names) {
            match name? {
                Some(name) => _ = unlisted.names.insert(name),
                None => _ = unlisted.hidden.insert(id.clone()),
            }
        }
        Ok(unlisted)
    }

    fn not_read(&self, error: &TableError) -> Diagnostic {
        diagnostics::of_table(error, &format!("read the {}s", self.links.noun)).at_attribute(self.attribute)
    }

    fn not_listed(&self, hidden: &BTreeSet<SysId>) -> Diagnostic {
        let LinkTable { noun, .. } = self.links;
        let detail = format!(
            "The names of these {noun}s cannot be read: {}. They are left unchanged. To manage them, let the account \
             read {} ({}).",
            listed(hidden),
            self.links.target(),
            self.links.target().role()
        );
        Diagnostic::warning(format!("Not every {noun} could be listed"), detail).at_attribute(self.attribute)
    }

    fn not_checked(&self, name: &str, unlisted: &Unlisted) -> Diagnostic {
        let LinkTable { noun, .. } = self.links;
        let detail = format!(
            "{} {} It stays in the state as it was.",
            self.not_found(name),
            self.candidates(name, unlisted)
        );
        Diagnostic::warning(format!("Could not check the {noun} {name}"), detail).at_attribute(self.attribute)
    }

    /// An error where something can be done about it, else a warning.
    fn not_revoked(&self, name: &str, unlisted: &Unlisted) -> Diagnostic {
        let LinkTable { noun, revoke, .. } = self.links;
        let what = format!("{} {}", self.not_found(name), self.candidates(name, unlisted));
        let diagnostic = if unlisted.hidden.is_empty() {
            let detail = format!(
                "{what} If so, add it to the list under its current name and remove it again, or revoke it \
                         manually."
            );
            Diagnostic::warning(format!("The {noun} {name} was not revoked"), detail)
        } else {
            let detail = format!("{what} Let the account read it, or revoke it manually, then apply again.");
            Diagnostic::error(format!("Could not {revoke} {name}"), detail)
        };
        diagnostic.at_attribute(self.attribute)
    }

    fn not_found(&self, name: &str) -> String {
        let LinkTable { noun, .. } = self.links;
        format!(
            "No {noun} named {name:?} can be found in {}: it was renamed or removed, or the account may not read it.",
            self.links.target()
        )
    }

    fn candidates(&self, name: &str, unlisted: &Unlisted) -> String {
        let LinkTable { noun, .. } = self.links;
        if unlisted.hidden.is_empty() {
            let others = listed(&unlisted.names);
            format!("It may be one of these other {noun}s that are granted: {others}.")
        } else {
            let hidden = listed(&unlisted.hidden);
            format!("{name:?} may be one of the {noun}s that are granted and whose names cannot be read: {hidden}.")
        }
    }
}

impl Unlisted {
    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.hidden.is_empty()
    }
}

fn listed<T: ToString>(items: &BTreeSet<T>) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn names(object: &Object, attribute: &str) -> BTreeSet<String> {
    object
        .texts(attribute)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::http::Secret;
    use crate::http::test_server::{self, Reply, Server};
    use crate::plugin::Severity;
    use crate::servicenow::{Instance, InstanceOptions, SignIn, Timing};

    const ROLES: NameSet = NameSet {
        attribute: "roles",
        granted: "granted_roles",
        links: LinkTable::ROLES,
    };
    const USER: &str = "6816f79cc0a8016401c5a33be04be441";
    const ROLE: &str = "46d44a23a9fe19810012d100cca80666";
    const LINK: &str = "5f1b7c1d1b2b30101f2c1c2d2e4bcb01";

    fn session(server: &Server) -> Session {
        let options = InstanceOptions {
            instance_url: server.url.clone(),
            sign_in: SignIn::Basic {
                username: "tf".to_owned(),
                password: Secret::from("pass-marker".to_owned()),
            },
            http: test_server::options(),
            timing: Timing {
                recheck_pause: Duration::from_millis(1),
                ..Timing::STANDARD
            },
        };
        Instance::new(options).unwrap().at(test_server::limits())
    }

    fn roles(names: &[&str]) -> Object {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut object = Object::default();
        object.set("roles", names);
        object
    }

    /// A user with the role `catalog`, on an instance that compares names as its database does.
    async fn server() -> Server {
        Server::by(|received| {
            assert_eq!(received.method, "GET", "{}", received.target);
            let rows = if received.target.starts_with("/api/now/table/sys_user_role?") {
                json!([{ "sys_id": ROLE, "name": "catalog" }])
            } else {
                json!([{ "sys_id": LINK, "user": USER, "role": ROLE, "state": "active", "inherited": "false" }])
            };
            Reply::json(200, &json!({ "result": rows }))
        })
        .await
    }

    #[tokio::test]
    async fn another_spelling_of_a_name_is_neither_granted_again_nor_revoked() {
        let server = server().await;
        let session = session(&server);
        let user = SysId::parse(USER).unwrap();
        let (mut prior, planned) = (roles(&["catalog"]), roles(&["Catalog "]));
        prior.set("granted_roles", vec!["catalog"]);
        let (mut state, mut problems) = (planned.clone(), Diagnostics::new());

        let resolved = resolve(&[ROLES], &session, Some(&prior), &planned).await.unwrap();
        let left = revoke(&[ROLES], &session, &user, &resolved, [&prior, &planned], &mut problems).await;
        grant(
            &[ROLES],
            &session,
            &user,
            &resolved,
            (Some(&prior), &planned),
            &mut state,
            &mut problems,
        )
        .await;

        assert_eq!(left, []);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(state, planned);
    }

    #[test]
    fn a_message_lists_the_names_that_a_role_may_have_now() {
        let mut unlisted = Unlisted::default();
        unlisted.names.insert("products".to_owned());

        let warning = ROLES.not_revoked("catalog", &unlisted);

        assert_eq!(warning.severity, Severity::Warning);
        assert!(warning.detail.contains("products"), "{}", warning.detail);
    }
}
