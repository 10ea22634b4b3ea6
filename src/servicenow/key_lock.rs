//! One record of a key at a time: look and insert, in either order, are one step within this process, however many creates
//! run at once.

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::servicenow::error::{TableError, Verb};
use crate::servicenow::keyed_map::entry_of;
use crate::servicenow::query::{Query, Verdict};
use crate::servicenow::record::Record;
use crate::servicenow::session::Session;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, Table};

/// The right to make a record of a key, until it is dropped.
#[derive(Debug)]
pub struct KeyLock {
    table: Table,
    key: Query,
    /// What was made before, by whoever held it.
    made: OwnedMutexGuard<Option<SysId>>,
}

impl KeyLock {
    /// Remembers what was made.
    pub fn made(&mut self, sys_id: &SysId) {
        *self.made = Some(sys_id.clone());
    }

    /// Whether an earlier holder made this record.
    pub fn has_made(&self, sys_id: &SysId) -> bool {
        self.made.as_ref() == Some(sys_id)
    }

    /// Whether an earlier holder made a record, which nobody removed since.
    pub fn is_made(&self) -> bool {
        self.made.is_some()
    }

    /// Forgets what was made: it is removed, or was not made after all.
    pub fn forget(&mut self) {
        *self.made = None;
    }
}

impl Session {
    /// Waits until nobody else of this process looks for a record of this key or makes one.
    ///
    /// # Errors
    /// When the operation's time is over first.
    pub async fn lock_key(&self, table: Table, key: Query) -> Result<KeyLock, TableError> {
        let lock = entry_of(&self.inner.key_locks, (table, key.folded()), Mutex::default);
        let made = self.limits.bound(lock.lock_owned()).await;
        let made = made.map_err(|error| TableError::from_http(table, Verb::Insert, error))?;
        Ok(KeyLock { table, key, made })
    }

    /// The record of the key that an earlier holder of the lock made and that is there still: a search can lag behind it.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn made_before(&self, lock: &KeyLock, columns: &[Column]) -> Result<Option<Record>, TableError> {
        let Some(sys_id) = &*lock.made else { return Ok(None) };
        let found = self.present(lock.table, sys_id, columns).await?;
        Ok(found.filter(|record| lock.key.judge(record) == Verdict::Meant))
    }
}
