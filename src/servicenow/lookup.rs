//! Records by name: roles, groups and others, looked up once for the life of the process, together.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::time::Instant;

use crate::servicenow::error::TableError;
use crate::servicenow::keyed_map::entry_of;
use crate::servicenow::query::Query;
use crate::servicenow::record::Record;
use crate::servicenow::session::Session;
use crate::servicenow::shared_state::{Directory, Found};
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, Table};
use crate::servicenow::tables::{every, sys_user, sys_user_group, sys_user_role};
use crate::suggest;
use crate::sync::lock;

/// The records of one table by their names.
pub struct Names<'a> {
    session: &'a Session,
    table: Table,
    column: Column,
    directory: Arc<Directory>,
}

impl Session {
    /// Roles by name.
    pub fn roles(&self) -> Names<'_> {
        self.names(sys_user_role::TABLE, sys_user_role::NAME)
    }

    /// Groups by name.
    pub fn groups(&self) -> Names<'_> {
        self.names(sys_user_group::TABLE, sys_user_group::NAME)
    }

    /// Users by user name. Users are made and deleted in the same run, so they are looked up together, but not
    /// remembered.
    pub fn users(&self) -> Names<'_> {
        self.names(sys_user::TABLE, sys_user::USER_NAME)
    }

    /// Whether inactive records of a table may be kept from this account: a rule of the platform takes such users and groups
    /// out of its lists, and out of the count. One that it sees or that is counted shows that they are not.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn may_hide_inactive(&self, table: Table, active: Column) -> Result<bool, TableError> {
        let query = Query::equals(active, false).map_err(TableError::of_query(table))?;
        let mut inactive = self.pages(table, &query, &[], 1);
        let shown = inactive.next().await?.unwrap_or_default();
        Ok(shown.is_empty() && inactive.hidden() == 0)
    }

    /// Records of any table by a column that names them.
    pub fn names(&self, table: Table, column: Column) -> Names<'_> {
        let directory = entry_of(&self.inner.names.directories, (table, column), Directory::default);
        Names {
            session: self,
            table,
            column,
            directory,
        }
    }
}

impl Names<'_> {
    /// The key of the record with exactly this name.
    ///
    /// # Errors
    /// [`TableError::UnknownName`] with names that resemble it, [`TableError::Ambiguous`] for several.
    pub async fn id_of(&self, name: &str) -> Result<SysId, TableError> {
        match self.find(name).await? {
            Some(sys_id) => Ok(sys_id),
            None => {
                self.session.shows_something(self.table).await?;
                let similar = self.similar(name).await;
                Err(TableError::UnknownName {
                    table: self.table,
                    name: name.to_owned(),
                    similar,
                })
            }
        }
    }

    /// The key of the record with exactly this name. None only after its absence was seen twice.
    ///
    /// # Errors
    /// [`TableError::Ambiguous`] for several.
    pub fn find<'b>(&'b self, name: &'b str) -> BoxFuture<'b, Result<Option<SysId>, TableError>> {
        Box::pin(async move {
            if let Some(known) = lock(&self.directory.ids).get(name) {
                return Ok(Some(known.clone()));
            }
            // Refused here, a value that no query can carry fails alone and not with the whole batch.
            let single = Query::equals(self.column, name).map_err(TableError::of_query(self.table))?;
            let mut found = self.search(name, &single).await?;
            if let Found::None = found {
                // A replica that lags shows no rows either, and what has no name is neither given nor taken away.
                self.session.wait_before_recheck().await;
                found = self.search(name, &single).await?;
            }
            match found {
                Found::None => Ok(None),
                Found::One(sys_id) => {
                    self.remember_id(name, &sys_id);
                    Ok(Some(sys_id))
                }
                Found::Several(sys_ids) => Err(TableError::Ambiguous {
                    table: self.table,
                    query: single.encoded(),
                    sys_ids,
                }),
            }
        })
    }

    /// Whether a name still means the record that it meant. It does unless another record has the name instead: one that was
    /// renamed is the same record, and one that cannot be seen is there as far as anybody knows. A moment later the answer is
    /// the same, so that many records that refer to one ask once.
    pub fn still_means<'b>(&'b self, name: &'b str, sys_id: &'b SysId) -> BoxFuture<'b, bool> {
        Box::pin(async move {
            let asked = (name.trim().to_lowercase(), sys_id.clone());
            let known = lock(&self.directory.meant).get(&asked).copied();
            if known.is_some_and(|at| at.elapsed() < MEANING_HOLDS) {
                return true;
            }
            let at = Instant::now();
            let is_same = match self.name_of(sys_id).await {
                Ok(Some(shown)) if shown.trim().to_lowercase() == asked.0 => true,
                Ok(shown) => {
                    let is_seen =
                        shown.is_some() || matches!(self.session.get_opt(self.table, sys_id, &[]).await, Ok(None));
                    !is_seen || !matches!(self.find(name.trim()).await, Ok(Some(found)) if found != *sys_id)
                }
                Err(_) => true,
            };
            if is_same {
                lock(&self.directory.meant).insert(asked, at);
            }
            is_same
        })
    }

    /// The name of the record with this key, if it can be read.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn name_of<'b>(&'b self, sys_id: &'b SysId) -> BoxFuture<'b, Result<Option<String>, TableError>> {
        Box::pin(async move {
            if let Some(known) = lock(&self.directory.names).get(sys_id) {
                return Ok(Some(known.clone()));
            }
            let ask = |ids: Vec<SysId>| self.name_batch(ids);
            let name = self
                .directory
                .by_id
                .ask(sys_id.clone(), &self.session.limits, ask)
                .await;
            let name = name.map_err(|reason| reason.of(self.table))?;
            if let Some(name) = &name {
                self.remember_name(sys_id, name);
            }
            Ok(name)
        })
    }

    fn remember_id(&self, name: &str, sys_id: &SysId) {
        if self.table != sys_user::TABLE {
            lock(&self.directory.ids).insert(name.to_owned(), sys_id.clone());
        }
    }

    fn remember_name(&self, sys_id: &SysId, name: &str) {
        if self.table != sys_user::TABLE {
            lock(&self.directory.names).insert(sys_id.clone(), name.to_owned());
        }
    }

    async fn search(&self, name: &str, single: &Query) -> Result<Found, TableError> {
        if name.contains(',') {
            return self.search_alone(name, single).await;
        }
        let ask = |names: Vec<String>| self.search_batch(names);
        let found = self
            .directory
            .by_name
            .ask(name.to_owned(), &self.session.limits, ask)
            .await;
        found.map_err(|reason| reason.of(self.table))
    }

    async fn search_alone(&self, name: &str, single: &Query) -> Result<Found, TableError> {
        let rows = self.session.select(self.table, single, &[self.column]).await?;
        Ok(self.pick(name, &rows))
    }

    async fn search_batch(&self, names: Vec<String>) -> Vec<Result<Found, TableError>> {
        let unique: BTreeSet<&String> = names.iter().collect();
        let (mut rows, mut is_complete) = (Vec::new(), true);
        for chunk in chunks(unique.into_iter(), |name| name.len()) {
            let query = Query::any_of(self.column, chunk).map_err(TableError::of_query(self.table));
            let found = match query {
                Ok(query) => self.session.selection(self.table, &query, &[self.column]).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(found) => {
                    is_complete &= found.is_complete();
                    rows.extend(found.records);
                }
                Err(error) => return names.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        let answers = names.iter().map(|name| {
            let found = self.pick(name, &rows);
            async move {
                match (found, Query::equals(self.column, name.as_str())) {
                    // What was not shown may be this one.
                    (Found::None, Ok(single)) if !is_complete => self.search_alone(name, &single).await,
                    (found, _) => Ok(found),
                }
            }
        });
        join_all(answers).await
    }

    async fn name_batch(&self, ids: Vec<SysId>) -> Vec<Result<Option<String>, TableError>> {
        let unique: BTreeSet<&SysId> = ids.iter().collect();
        let mut names = HashMap::new();
        for chunk in chunks(unique.into_iter(), |sys_id| sys_id.as_str().len()) {
            let query = Query::any_of(every::SYS_ID, chunk).map_err(TableError::of_query(self.table));
            let found = match query {
                Ok(query) => self.session.selection(self.table, &query, &[self.column]).await,
                Err(error) => Err(error),
            };
            match found {
                // What cannot be seen has no name to us.
                Ok(found) => names.extend(found.records.into_iter().filter_map(|row| {
                    let name = row.text(self.column).value()?.to_owned();
                    Some((row.sys_id().clone(), name))
                })),
                Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        ids.iter().map(|sys_id| Ok(names.get(sys_id).cloned())).collect()
    }

    fn pick(&self, name: &str, rows: &[Record]) -> Found {
        let named = rows
            .iter()
            .filter_map(|row| Some((row.sys_id(), row.text(self.column).value()?)));
        let found = pick(name, named.clone());
        if let Found::One(picked) = &found {
            let named = named.into_iter().find(|(sys_id, _)| *sys_id == picked);
            named
                .into_iter()
                .for_each(|(sys_id, name)| self.remember_name(sys_id, name));
        }
        found
    }

    /// Names that resemble this one, best first. Advice only: whatever goes wrong here, there is none.
    pub async fn similar(&self, name: &str) -> Vec<String> {
        // One page is not all of a large table: those that begin alike are the likelier ones.
        let beginning: String = name.trim().chars().take(BEGINNING).collect();
        let alike = Query::starts_with(self.column, &beginning).ok();
        for query in alike.into_iter().chain([Query::is_not_empty(self.column)]) {
            let mut pages = self.session.pages(self.table, &query, &[self.column], NAMES_READ);
            let Ok(Some(rows)) = pages.next().await else {
                return Vec::new();
            };
            let names = rows.iter().filter_map(|row| row.text(self.column).value());
            let similar = suggest::similar(name, names).into_iter().take(SHOWN);
            let similar: Vec<String> = similar.map(str::to_owned).collect();
            if !similar.is_empty() {
                return similar;
            }
        }
        Vec::new()
    }
}

impl std::fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names")
            .field("table", &self.table.name())
            .finish_non_exhaustive()
    }
}

/// The records of this name; where there are none, those whose name differs in case or in blanks at the end: the instance
/// takes such names for equal.
fn pick<'a>(name: &str, rows: impl Iterator<Item = (&'a SysId, &'a str)> + Clone) -> Found {
    let of_name = |is_same: &dyn Fn(&str) -> bool| -> Vec<SysId> {
        let same = rows.clone().filter(|(_, held)| is_same(held));
        same.map(|(sys_id, _)| sys_id.clone()).collect()
    };
    let folded = |text: &str| text.trim_end().to_lowercase();
    let mut ids = of_name(&|held| held == name);
    if ids.is_empty() {
        ids = of_name(&|held| folded(held) == folded(name));
    }
    ids.sort_unstable();
    ids.dedup();
    match (ids.pop(), ids.is_empty()) {
        (None, _) => Found::None,
        (Some(one), true) => Found::One(one),
        (Some(last), false) => {
            ids.push(last);
            Found::Several(ids)
        }
    }
}

/// Cuts what goes into one `IN` so that the address stays short.
pub(super) fn chunks<'a, T: 'a>(items: impl Iterator<Item = &'a T>, length: impl Fn(&T) -> usize) -> Vec<Vec<&'a T>> {
    let mut chunks: Vec<Vec<&T>> = Vec::new();
    let mut left = 0;
    for item in items {
        // Percent-encoding triples what is not a letter or digit; names are mostly these.
        let needed = length(item) + 3;
        match chunks.last_mut() {
            Some(chunk) if needed <= left => chunk.push(item),
            _ => {
                chunks.push(vec![item]);
                left = MAX_LIST;
            }
        }
        left = left.saturating_sub(needed);
    }
    chunks
}

/// Characters of one list of names or keys.
const MAX_LIST: usize = 1600;
/// Names read for advice.
const NAMES_READ: usize = 5000;
/// How long the answer serves the records that refer to the same one.
const MEANING_HOLDS: Duration = Duration::from_secs(5);
/// How many characters at the beginning of a name are most likely right.
const BEGINNING: usize = 2;
const SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_the_instance_compares_it_unless_it_is_there_exactly() {
        let ids = [SysId::random(), SysId::random()];
        let rows = |names: [&'static str; 2]| ids.iter().zip(names);

        assert_eq!(pick("itil ", rows(["ITIL", "admin"])), Found::One(ids[0].clone()));
        assert_eq!(pick("itil", rows(["ITIL", "itil"])), Found::One(ids[1].clone()));
        assert!(matches!(pick("Itil", rows(["ITIL", "itil"])), Found::Several(_)));
        assert_eq!(pick(" itil", rows(["ITIL", "admin"])), Found::None);
    }

    #[test]
    fn a_list_of_names_is_cut_into_short_chunks() {
        let names: Vec<String> = (0..200).map(|number| format!("role_number_{number}")).collect();
        let chunks = chunks(names.iter(), |name: &String| name.len());

        assert_eq!(chunks.iter().map(Vec::len).sum::<usize>(), 200);
        assert!(chunks.len() > 1);
        assert!(
            chunks
                .iter()
                .all(|chunk| chunk.iter().map(|name| name.len() + 1).sum::<usize>() <= MAX_LIST)
        );
    }
}
