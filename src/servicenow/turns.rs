//! One record of a key at a time: look and insert are one step within this process, however many creates run at once.

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::servicenow::error::{TableError, Verb};
use crate::servicenow::query::{Query, Verdict};
use crate::servicenow::record::Record;
use crate::servicenow::session::Session;
use crate::servicenow::shared::entry_of;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, Table};

/// The right to make a record of a key, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    table: Table,
    key: Query,
    /// What was made in an earlier turn.
    made: OwnedMutexGuard<Option<SysId>>,
}

impl Turn {
    /// Remembers what was made.
    pub fn made(&mut self, sys_id: &SysId) {
        *self.made = Some(sys_id.clone());
    }
}

impl Session {
    /// Waits until nobody else of this process looks for a record of this key or makes one.
    ///
    /// # Errors
    /// When the operation's time is over first.
    pub async fn turn(&self, table: Table, key: Query) -> Result<Turn, TableError> {
        let turn = entry_of(&self.inner.turns, (table, spelling(&key)), Mutex::default);
        let made = self.limits.bound(turn.lock_owned()).await;
        let made = made.map_err(|error| TableError::from_http(table, Verb::Insert, error))?;
        Ok(Turn { table, key, made })
    }

    /// The record of the key that an earlier turn made and that is there still: a search can lag behind it.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn made_before(&self, turn: &Turn, columns: &[Column]) -> Result<Option<Record>, TableError> {
        let Some(sys_id) = &*turn.made else { return Ok(None) };
        let found = self.present(turn.table, sys_id, columns).await?;
        Ok(found.filter(|record| turn.key.judge(record) == Verdict::Meant))
    }
}

/// The instance compares without case, and ignores blanks at the ends.
fn spelling(key: &Query) -> String {
    let key = key.encoded().to_lowercase();
    let terms: Vec<&str> = key.split('^').map(|term| term.trim().trim_end_matches('/')).collect();
    terms.join("^")
}
