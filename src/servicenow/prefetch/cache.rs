//! What was prefetched: each answer is given once, for a few seconds, and not after a write of this process. What is not
//! here says nothing: it is asked for as ever.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::servicenow::keyed_map::{Shared, entry_of};
use crate::servicenow::record::{Cell, Record};
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, Table};
use crate::servicenow::tables::every;
use crate::sync::lock;

/// Records and links that were prefetched, by table.
#[derive(Default)]
pub(in crate::servicenow) struct PrefetchCache {
    /// Counts the writes of this process: what was read before one may be untrue after it.
    writes: AtomicU64,
    records: Shared<Table, Mutex<TableCache>>,
    links: Shared<Table, Mutex<LinkCache>>,
}

impl PrefetchCache {
    /// Something is written: nothing counts any more that was read before or meanwhile.
    pub(in crate::servicenow) fn writing(&self) -> Writing<'_> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Writing(self)
    }

    pub(in crate::servicenow) fn now(&self) -> Moment {
        Moment {
            at: Instant::now(),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }

    /// The record, with at least these columns.
    pub(in crate::servicenow) fn take(&self, table: Table, sys_id: &SysId, columns: &[Column]) -> Option<Record> {
        let cache = entry_of(&self.records, table, Mutex::default);
        let mut cache = lock(&cache);
        if !columns.iter().all(|column| cache.columns.contains(column)) {
            return None;
        }
        cache.rows.take(sys_id, self.now())
    }

    /// Learns from records that were read singly who made them.
    pub(super) fn learn<'a>(&self, table: Table, found: impl IntoIterator<Item = &'a Record>) {
        let cache = entry_of(&self.records, table, Mutex::default);
        let mut cache = lock(&cache);
        for record in found {
            let Cell::Value(creator) = record.text(every::SYS_CREATED_BY) else {
                cache.seen = 0;
                return;
            };
            if cache.creator.as_deref() != Some(creator) {
                cache.creator = Some(creator.to_owned());
                cache.seen = 0;
            }
            cache.seen += 1;
        }
    }

    /// Whose records are worth prefetching, beside `asked` that are being read now; told once in a while.
    pub(super) fn due(&self, table: Table, columns: &[Column], asked: usize) -> Option<String> {
        let now = self.now();
        let cache = entry_of(&self.records, table, Mutex::default);
        let mut cache = lock(&cache);
        if cache.is_given_up
            || cache.seen == 0
            || cache.seen + asked < WORTH_IT
            || cache.tried.is_some_and(|tried| tried.is_fresh(now))
        {
            return None;
        }
        cache.seen = 0;
        cache.tried = Some(now);
        cache.columns = columns.to_vec();
        cache.sys_ids.clear();
        cache.creator.clone()
    }

    /// Nothing of this table is worth prefetching any more.
    pub(super) fn give_up(&self, table: Table) {
        let cache = entry_of(&self.records, table, Mutex::default);
        lock(&cache).is_given_up = true;
    }

    /// Keeps records that were read at a moment; false when that is out of date already.
    pub(super) fn put(&self, table: Table, read: Moment, records: Vec<Record>) -> bool {
        let cache = entry_of(&self.records, table, Mutex::default);
        let mut cache = lock(&cache);
        if !read.is_fresh(self.now()) {
            return false;
        }
        cache
            .sys_ids
            .extend(records.iter().map(|record| record.sys_id().clone()));
        let rows = records.into_iter().map(|record| (record.sys_id().clone(), record));
        cache.rows.put(read, rows);
        true
    }

    /// The rows that link one record to others.
    pub(in crate::servicenow) fn take_links(&self, links: Table, owner: &SysId) -> Option<Vec<Record>> {
        let cache = entry_of(&self.links, links, Mutex::default);
        lock(&cache).rows.take(owner, self.now())
    }

    /// Whose links may be read along with those of `asked`, at most `limit`: records of `table` that were prefetched.
    pub(in crate::servicenow) fn owners_to_prefetch(
        &self,
        links: Table,
        table: Table,
        asked: &BTreeSet<SysId>,
        limit: usize,
    ) -> Vec<SysId> {
        let now = self.now();
        let records = entry_of(&self.records, table, Mutex::default);
        let records = lock(&records);
        let links = entry_of(&self.links, links, Mutex::default);
        let mut links = lock(&links);
        if !links.rows.is_fresh(now) {
            links.asked.clear();
        }
        links.asked.extend(asked.iter().cloned());
        if !records.rows.is_fresh(now) {
            return Vec::new();
        }
        let owners = records.sys_ids.iter().filter(|sys_id| !links.asked.contains(*sys_id));
        let owners: Vec<SysId> = owners.take(limit).cloned().collect();
        links.asked.extend(owners.iter().cloned());
        owners
    }

    /// Keeps the links of those whom nobody asked for yet.
    pub(in crate::servicenow) fn put_links(
        &self,
        links: Table,
        read: Moment,
        rows: impl IntoIterator<Item = (SysId, Vec<Record>)>,
    ) {
        let cache = entry_of(&self.links, links, Mutex::default);
        if read.is_fresh(self.now()) {
            lock(&cache).rows.put(read, rows);
        }
    }
}

/// A write under way.
pub(in crate::servicenow) struct Writing<'a>(&'a PrefetchCache);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.writes.fetch_add(1, Ordering::Relaxed);
    }
}

/// When something was read: on the clock, and among the writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::servicenow) struct Moment {
    at: Instant,
    writes: u64,
}

impl Moment {
    fn is_fresh(self, now: Moment) -> bool {
        self.writes == now.writes && now.at.saturating_duration_since(self.at) < KEPT
    }
}

/// Answers that nobody asked for yet. Each is given once.
struct Unclaimed<K, V> {
    items: HashMap<K, V>,
    read: Option<Moment>,
}

impl<K: Eq + Hash, V> Unclaimed<K, V> {
    /// Adds what was read at a moment, in place of what is older than it may be.
    fn put(&mut self, read: Moment, items: impl IntoIterator<Item = (K, V)>) {
        if self.read.is_none_or(|before| !before.is_fresh(read)) {
            self.items.clear();
            self.read = Some(read);
        }
        self.items.extend(items);
    }

    fn is_fresh(&self, now: Moment) -> bool {
        self.read.is_some_and(|read| read.is_fresh(now))
    }

    fn take(&mut self, key: &K, now: Moment) -> Option<V> {
        if self.is_fresh(now) {
            self.items.remove(key)
        } else {
            self.items = HashMap::new();
            None
        }
    }
}

impl<K, V> Default for Unclaimed<K, V> {
    fn default() -> Unclaimed<K, V> {
        Unclaimed {
            items: HashMap::new(),
            read: None,
        }
    }
}

/// Records of one table.
#[derive(Default)]
struct TableCache {
    /// Who made the records that were read lately, and how many were read since it was somebody else.
    creator: Option<String>,
    seen: usize,
    is_given_up: bool,
    /// When it was prefetched last, or tried.
    tried: Option<Moment>,
    columns: Vec<Column>,
    rows: Unclaimed<SysId, Record>,
    /// Those that were prefetched, also those that were taken since.
    sys_ids: Vec<SysId>,
}

/// Rows of one table that links records to others.
#[derive(Default)]
struct LinkCache {
    rows: Unclaimed<SysId, Vec<Record>>,
    /// Whose links were read since.
    asked: HashSet<SysId>,
}

/// So many records promise that there are more to come: Terraform reads ten at a time, unless it is told otherwise.
const WORTH_IT: usize = 10;
/// How long an answer counts that was read before it was asked for.
const KEPT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::servicenow::tables::{sys_user, sys_user_has_role};

    #[test]
    fn ten_records_of_one_creator_are_worth_it_once_and_not_after_it_was_given_up() {
        let cache = PrefetchCache::default();
        let record = |number: u128| {
            let row = json!({ "sys_id": format!("{number:032x}"), "sys_created_by": "admin" });
            Record::from_json(row.as_object().unwrap()).unwrap()
        };
        let due = |asked| cache.due(sys_user::TABLE, &[], asked);

        assert_eq!(due(10), None, "nobody is known to have made any");
        cache.learn(sys_user::TABLE, [&record(1)]);
        assert_eq!(due(8), None);
        assert_eq!(due(9).as_deref(), Some("admin"));
        cache.learn(sys_user::TABLE, &(0..20).map(record).collect::<Vec<_>>());
        assert_eq!(due(9), None, "it was tried just now");

        let cache = PrefetchCache::default();
        cache.learn(sys_user::TABLE, &(0..20).map(record).collect::<Vec<_>>());
        cache.give_up(sys_user::TABLE);
        assert_eq!(cache.due(sys_user::TABLE, &[], 9), None);
    }

    /// Each owner is asked for once, as long as what was read of its links counts.
    #[test]
    fn owners_are_asked_for_once() {
        let cache = PrefetchCache::default();
        let record = |number: u128| {
            let row = json!({ "sys_id": format!("{number:032x}"), "sys_created_by": "admin" });
            Record::from_json(row.as_object().unwrap()).unwrap()
        };
        let id = |number: u128| record(number).sys_id().clone();
        let owners = |asked: &[SysId], limit| {
            let asked = asked.iter().cloned().collect();
            cache.owners_to_prefetch(sys_user_has_role::TABLE, sys_user::TABLE, &asked, limit)
        };
        let records: Vec<Record> = (1..=4).map(record).collect();
        assert!(cache.put(sys_user::TABLE, cache.now(), records));
        let kept = |links: Vec<_>| cache.put_links(sys_user_has_role::TABLE, cache.now(), links);

        assert_eq!(owners(&[id(1)], 1), [id(2)]);
        kept(vec![(id(2), Vec::new())]);
        assert_eq!(owners(&[id(3)], 9), [id(4)]);
        assert_eq!(owners(&[], 9), []);
    }

    #[test]
    fn what_is_read_at_one_time_is_kept_together_and_ends_with_a_write() {
        let mut unclaimed = Unclaimed::default();
        let at = |writes| Moment {
            at: Instant::now(),
            writes,
        };

        unclaimed.put(at(0), [(1, "a")]);
        unclaimed.put(at(0), [(2, "b")]);
        assert_eq!(unclaimed.take(&1, at(0)), Some("a"));
        assert_eq!(unclaimed.take(&1, at(0)), None, "each is given once");
        unclaimed.put(at(1), [(3, "c")]);
        assert_eq!(unclaimed.take(&2, at(1)), None, "it was read before a write");
        assert_eq!(unclaimed.take(&3, at(1)), Some("c"));
    }
}
