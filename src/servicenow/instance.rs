//! The client of one instance: what all sessions share.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use crate::servicenow::connection::{Connection, InstanceOptions};
use crate::servicenow::dictionary::Dictionary;
use crate::servicenow::error::{ConfigError, TableError};
use crate::servicenow::keyed_map::Shared;
use crate::servicenow::prefetch::cache::PrefetchCache;
use crate::servicenow::shared_state::{ChoiceCaches, FindCaches, LinkCaches, NameCaches};
use crate::servicenow::sign_in::SignInMethod;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::Table;
use crate::sync::lock;

/// A ServiceNow instance. Cheap to clone; clones share connection, sign-in, caches and batches.
#[derive(Clone)]
pub struct Instance {
    pub(super) inner: Arc<Inner>,
}

impl Instance {
    /// A client that has not done anything yet: no file is read and nothing is sent before the first call.
    ///
    /// # Errors
    /// [`ConfigError`] for an address that credentials may not go to, and for an incomplete sign-in method.
    pub fn new(options: InstanceOptions) -> Result<Instance, ConfigError> {
        let inner = Inner {
            connection: Connection::new(options)?,
            prefetched: PrefetchCache::default(),
            finds: FindCaches::default(),
            names: NameCaches::default(),
            choices: ChoiceCaches::default(),
            dictionaries: Shared::default(),
            links: LinkCaches::default(),
            key_locks: Shared::default(),
            made: Mutex::default(),
            removed: Mutex::default(),
            changed: Mutex::default(),
            left: Mutex::default(),
        };
        Ok(Instance { inner: Arc::new(inner) })
    }

    /// The configured address, without a slash at the end.
    pub fn url(&self) -> &str {
        self.inner.connection.origin.base().as_str().trim_end_matches('/')
    }

    /// Host and, where it is not the scheme's own, port.
    pub fn host(&self) -> String {
        self.inner.connection.origin.host()
    }

    /// How the account signs in, for messages.
    pub fn sign_in_method(&self) -> SignInMethod {
        self.inner.connection.credentials.method()
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

pub(super) struct Inner {
    pub(super) connection: Connection,
    pub(super) prefetched: PrefetchCache,
    pub(super) finds: FindCaches,
    pub(super) names: NameCaches,
    pub(super) choices: ChoiceCaches,
    /// What the instance says of its tables.
    pub(super) dictionaries: Shared<Table, OnceCell<Result<Arc<Dictionary>, TableError>>>,
    pub(super) links: LinkCaches,
    /// By table and key: one record at a time is looked for and made.
    pub(super) key_locks: Shared<(Table, String), tokio::sync::Mutex<Option<SysId>>>,
    /// Records that this process made.
    pub(super) made: Mutex<HashMap<SysId, Made>>,
    /// Records that this process removed, which a search may still show.
    pub(super) removed: Mutex<HashSet<SysId>>,
    /// Records that this process changed.
    pub(super) changed: Mutex<HashSet<SysId>>,
    /// Records that this process was to remove and left, because others use them.
    pub(super) left: Mutex<HashSet<SysId>>,
}

impl Inner {
    pub(super) fn remember_removed(&self, record: &SysId) {
        lock(&self.removed).insert(record.clone());
        lock(&self.made).remove(record);
    }

    pub(super) fn was_removed(&self, record: &SysId) -> bool {
        lock(&self.removed).contains(record)
    }

    pub(super) fn remember_changed(&self, record: &SysId) {
        lock(&self.changed).insert(record.clone());
    }

    pub(super) fn remember_made(&self, table: Table, record: &SysId) {
        let linked = HashSet::new();
        lock(&self.made).insert(record.clone(), Made { table, linked });
    }

    /// Notes that a record is about to be linked to another. True where this process made the owner and did not link the
    /// record before.
    pub(super) fn is_first_link(&self, owner: &SysId, to: &SysId) -> bool {
        let mut made = lock(&self.made);
        made.get_mut(owner).is_some_and(|made| made.linked.insert(to.clone()))
    }
}

/// A record that this process made.
pub(super) struct Made {
    pub(super) table: Table,
    /// What it linked to it.
    linked: HashSet<SysId>,
}
