//! Reading ahead: whoever reads the records of an estate one after the other will read the rest of it too.
//!
//! Terraform refreshes ten resources at a time, so an estate of a thousand costs a hundred round trips one after the
//! other, however well they are merged. Once some records of a table were read and one account made them all, the others
//! that it made are read in one go, and the reads that follow find theirs here. What is here is used once, for a few
//! seconds, and not after a write of this process. What is not here says nothing: it is asked for as ever.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use super::error::TableError;
use super::query::Query;
use super::record::{Cell, Record, rows};
use super::request::{Ask, fields};
use super::session::Session;
use super::shared::{Shared, entry_of};
use super::sys_id::SysId;
use super::table::{Column, Table};
use super::tables::every;
use crate::sync::lock;

/// What was read ahead, by table.
#[derive(Default)]
pub(super) struct Ahead {
    /// Counts the writes of this process: what was read before one may be untrue after it.
    writes: AtomicU64,
    shelves: Shared<Table, Mutex<Shelf>>,
    ties: Shared<Table, Mutex<Ties>>,
}

impl Ahead {
    /// Something is written: nothing counts any more that was read before or meanwhile.
    pub(super) fn writing(&self) -> Writing<'_> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Writing(self)
    }

    pub(super) fn now(&self) -> Moment {
        Moment {
            at: Instant::now(),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }

    /// The record, with at least these columns.
    pub(super) fn take(&self, table: Table, sys_id: &SysId, columns: &[Column]) -> Option<Record> {
        let shelf = entry_of(&self.shelves, table, Mutex::default);
        let mut shelf = lock(&shelf);
        if !columns.iter().all(|column| shelf.columns.contains(column)) {
            return None;
        }
        shelf.records.take(sys_id, self.now())
    }

    /// The rows that tie one record to others, if they were read in company.
    pub(super) fn take_ties(&self, ties: Table, of: &SysId) -> Option<Vec<Record>> {
        let shelf = entry_of(&self.ties, ties, Mutex::default);
        lock(&shelf).rows.take(of, self.now())
    }

    /// Whose ties may be read along with those of `asked`: records of `table` that were read ahead.
    pub(super) fn company(&self, ties: Table, table: Table, asked: &BTreeSet<SysId>, room: usize) -> Vec<SysId> {
        let now = self.now();
        let shelf = entry_of(&self.shelves, table, Mutex::default);
        let shelf = lock(&shelf);
        let ties = entry_of(&self.ties, ties, Mutex::default);
        let mut ties = lock(&ties);
        if !ties.rows.is_fresh(now) {
            ties.asked.clear();
        }
        ties.asked.extend(asked.iter().cloned());
        if !shelf.records.is_fresh(now) {
            return Vec::new();
        }
        let company = shelf.all.iter().filter(|sys_id| !ties.asked.contains(*sys_id));
        let company: Vec<SysId> = company.take(room).cloned().collect();
        ties.asked.extend(company.iter().cloned());
        company
    }

    /// Keeps the ties of those who were read in company.
    pub(super) fn put_ties(&self, ties: Table, read: Moment, rows: impl IntoIterator<Item = (SysId, Vec<Record>)>) {
        let shelf = entry_of(&self.ties, ties, Mutex::default);
        if read.is_fresh(self.now()) {
            lock(&shelf).rows.put(read, rows);
        }
    }
}

/// A write under way.
pub(super) struct Writing<'a>(&'a Ahead);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.writes.fetch_add(1, Ordering::Relaxed);
    }
}

/// When something was read: on the clock, and among the writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Moment {
    at: Instant,
    writes: u64,
}

impl Moment {
    fn is_fresh(self, now: Moment) -> bool {
        self.writes == now.writes && now.at.saturating_duration_since(self.at) < KEPT
    }
}

/// Answers that nobody asked for yet. Each is given once.
pub(super) struct Stock<K, V> {
    items: HashMap<K, V>,
    read: Option<Moment>,
}

impl<K: Eq + Hash, V> Stock<K, V> {
    /// Adds what was read at a moment, in place of what is older than it may be.
    pub(super) fn put(&mut self, read: Moment, items: impl IntoIterator<Item = (K, V)>) {
        if self.read.is_none_or(|before| !before.is_fresh(read)) {
            self.items.clear();
            self.read = Some(read);
        }
        self.items.extend(items);
    }

    fn is_fresh(&self, now: Moment) -> bool {
        self.read.is_some_and(|read| read.is_fresh(now))
    }

    pub(super) fn take(&mut self, key: &K, now: Moment) -> Option<V> {
        if self.is_fresh(now) {
            self.items.remove(key)
        } else {
            self.items = HashMap::new();
            None
        }
    }
}

impl<K, V> Default for Stock<K, V> {
    fn default() -> Stock<K, V> {
        Stock {
            items: HashMap::new(),
            read: None,
        }
    }
}

/// One table.
#[derive(Default)]
struct Shelf {
    /// Who made the records that were read lately, and how many were read since it was somebody else.
    maker: Option<String>,
    seen: usize,
    /// When it was read ahead last, or tried.
    tried: Option<Moment>,
    columns: Vec<Column>,
    records: Stock<SysId, Record>,
    /// All that were read, also those that were taken since.
    all: Vec<SysId>,
}

/// One table that ties records to others.
#[derive(Default)]
struct Ties {
    rows: Stock<SysId, Vec<Record>>,
    /// Whose ties were read since.
    asked: HashSet<SysId>,
}

impl Session {
    /// Learns from records that were read singly who made them, and reads the others ahead when it looks worth it.
    pub(super) fn learn_from<'a>(&self, table: Table, columns: &[Column], found: impl IntoIterator<Item = &'a Record>) {
        let ahead = &self.inner.ahead;
        let now = ahead.now();
        let shelf = entry_of(&ahead.shelves, table, Mutex::default);
        let maker = {
            let mut shelf = lock(&shelf);
            for record in found {
                let Cell::Value(maker) = record.text(every::SYS_CREATED_BY) else {
                    shelf.seen = 0;
                    return;
                };
                if shelf.maker.as_deref() != Some(maker) {
                    shelf.maker = Some(maker.to_owned());
                    shelf.seen = 0;
                }
                shelf.seen += 1;
            }
            if shelf.seen < WORTH_IT || shelf.tried.is_some_and(|tried| tried.is_fresh(now)) {
                return;
            }
            shelf.seen = 0;
            shelf.tried = Some(now);
            shelf.columns = columns.to_vec();
            shelf.maker.clone()
        };
        let Some(maker) = maker else { return };
        let session = self.clone();
        let columns = columns.to_vec();
        let reading = async move {
            // A favour that nobody asked for: without it, everything goes on as before.
            if let Err(error) = session.read_ahead(table, &maker, &columns).await {
                tracing::debug!(table = table.name(), %error, "reading ahead failed");
            }
        };
        tokio::spawn(reading.in_current_span());
    }

    async fn read_ahead(&self, table: Table, maker: &str, columns: &[Column]) -> Result<(), TableError> {
        let ahead = &self.inner.ahead;
        let wrong = |source| TableError::Query { table, source };
        let query = Query::equals(every::SYS_CREATED_BY, maker)
            .map_err(wrong)?
            .order_by(every::SYS_ID);
        let fields = fields(columns, &[]);
        let mut offset = 0;
        loop {
            let read = ahead.now();
            let reply = self.ask(&Ask::list(table, &query, &fields, PAGE, offset)).await?;
            let records = rows(&reply.result).ok_or_else(|| self.odd(table, "it is no list of records"))?;
            let count = records.len();
            tracing::debug!(table = table.name(), count, "read ahead");
            let shelf = entry_of(&ahead.shelves, table, Mutex::default);
            let mut shelf = lock(&shelf);
            if !read.is_fresh(ahead.now()) {
                return Ok(());
            }
            if offset == 0 {
                shelf.all.clear();
            }
            shelf.all.extend(records.iter().map(|record| record.sys_id().clone()));
            let items = records.into_iter().map(|record| (record.sys_id().clone(), record));
            shelf.records.put(read, items);
            offset += PAGE;
            // An account that made far more than an estate is no hint of what belongs to it.
            let is_all = count < PAGE || reply.total.is_none_or(|total| total <= offset || total > MOST);
            if is_all {
                return Ok(());
            }
        }
    }
}

/// So many records read singly promise that there are more to come.
const WORTH_IT: usize = 20;
/// Rows of one request.
const PAGE: usize = 500;
/// Of more than this, one page is read.
const MOST: usize = 2500;
/// How long an answer counts that was read before it was asked for.
const KEPT: Duration = Duration::from_secs(10);
