//! What all sessions of an instance share about its records: answers that are kept, questions that are asked together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Mutex;

use tokio::time::Instant;

use crate::servicenow::keyed_map::Shared;
use crate::servicenow::query::Query;
use crate::servicenow::read_batch::Batch;
use crate::servicenow::record::Record;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, Table};

/// Reads of single records that are sent together, by table.
#[derive(Default)]
pub(super) struct FindCaches {
    pub(super) by_id: Shared<Table, Batch<WantedRecord, Seen>>,
    pub(super) by_key: Shared<Table, Batch<Query, Vec<SysId>>>,
}

/// A record that is read by its key.
#[derive(Clone)]
pub(super) struct WantedRecord {
    pub(super) sys_id: SysId,
    pub(super) columns: Vec<Column>,
    /// Whether what was prefetched will do.
    pub(super) is_refresh: bool,
}

/// What became of a record that was asked for, alone or with others.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    Record(Record),
    /// A list did not show it.
    NotListed,
    /// A GET says that there is none.
    NotFound,
}

/// What is known of names.
#[derive(Default)]
pub(super) struct NameCaches {
    pub(super) directories: Shared<(Table, Column), Directory>,
}

/// The names of one table.
#[derive(Default)]
pub(super) struct Directory {
    /// By name, as it was asked for.
    pub(super) ids: Mutex<HashMap<String, SysId>>,
    /// As the instance spells them.
    pub(super) names: Mutex<HashMap<SysId, String>>,
    /// Names that still meant their record, and when.
    pub(super) meant: Mutex<HashMap<(String, SysId), Instant>>,
    pub(super) by_name: Batch<String, Found>,
    pub(super) by_id: Batch<SysId, Option<String>>,
}

/// What a name stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Found {
    None,
    One(SysId),
    Several(Vec<SysId>),
}

#[derive(Default)]
pub(super) struct ChoiceCaches {
    /// By tables and column.
    pub(super) by_column: Shared<(String, String), Choices>,
}

/// The choices of a column, as far as the account may read them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Choices {
    /// Those that it may read.
    pub list: Vec<Choice>,
    /// Whether these are known to be all: access rules may filter them for other than administrators.
    pub is_complete: bool,
}

/// One choice of a column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// Wire value.
    pub value: String,
    pub label: String,
}

/// A link that a record has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The row.
    pub sys_id: SysId,
    /// The linked record.
    pub to: SysId,
    /// Derived by the platform from a group or another role.
    pub inherited: bool,
    /// Whether it works.
    pub active: bool,
}

impl Link {
    /// A link that was just made.
    pub(super) fn new(sys_id: &SysId, to: &SysId) -> Self {
        Self {
            sys_id: sys_id.clone(),
            to: to.clone(),
            inherited: false,
            active: true,
        }
    }
}

/// What the grants and revocations of one record tell those that come after them.
#[derive(Default)]
pub(super) struct Turn {
    /// Links that existed before they were to be granted, by table and linked record.
    pub(super) taken_over: BTreeSet<(&'static str, SysId)>,
    /// By table what the last look showed, with what was granted since.
    pub(super) looks: HashMap<&'static str, Look>,
}

/// The links of a record as they were a moment ago.
pub(super) struct Look {
    /// When they were asked for.
    pub(super) at: Instant,
    pub(super) links: Vec<Link>,
}

#[derive(Default)]
pub(super) struct LinkCaches {
    /// One write at a time per record that has links.
    pub(super) owner_locks: Shared<SysId, tokio::sync::Mutex<Turn>>,
    /// Reads that are sent together, by table and by the column of the records that have the links.
    pub(super) reads: Shared<(Table, Column), Batch<SysId, Vec<Record>>>,
    /// Rows that existed before they were to be made: one of them may be a link of the record on its other side too.
    pub(super) taken_over: Mutex<HashSet<SysId>>,
}
