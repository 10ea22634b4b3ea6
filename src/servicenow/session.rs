//! One operation with an instance: what calls of tables share.
//!
//! Facts: `date-header-tells-the-clock`.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant as Moment;

use crate::http::{Limits, Secret};
use crate::servicenow::instance::{Inner, Instance};
use crate::servicenow::record::Record;
use crate::servicenow::sign_in::{AccessToken, SignInError};
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::Table;
use crate::servicenow::tables::every;
use crate::sync::lock;

/// The instance within one operation: every call ends with the operation's time or its cancellation.
#[derive(Clone)]
pub struct Session {
    pub(super) inner: Arc<Inner>,
    pub(super) limits: Limits,
    /// Whether reads may be answered from what was prefetched.
    pub(super) is_refresh: bool,
}

impl Instance {
    /// The instance within the limits of one operation.
    pub fn at(&self, limits: Limits) -> Session {
        Session {
            inner: Arc::clone(&self.inner),
            limits,
            is_refresh: false,
        }
    }
}

impl Session {
    /// The same session for the refresh of a managed resource, which may be answered from what was prefetched a few
    /// seconds ago. Everything else asks.
    #[must_use]
    pub fn for_refresh(mut self) -> Session {
        self.is_refresh = true;
        self
    }

    /// The user name of the account, where the configuration or an earlier answer tells.
    pub fn account(&self) -> Option<String> {
        self.inner.connection.account_name()
    }

    /// Whether this process made the record, in this table: so it is there, and has nothing but what this process and
    /// the instance's rules gave it.
    pub fn has_made(&self, table: Table, record: &SysId) -> bool {
        lock(&self.inner.made)
            .get(record)
            .is_some_and(|made| made.table == table)
    }

    /// Whether this process removed the record: a search can still show it.
    pub fn has_removed(&self, record: &SysId) -> bool {
        self.inner.was_removed(record)
    }

    /// Notes that a record of ours stays, because others use it.
    pub fn remember_left(&self, record: &SysId) {
        lock(&self.inner.left).insert(record.clone());
    }

    /// Whether this process was to remove the record and left it, because others use it.
    pub fn has_left(&self, record: &SysId) -> bool {
        lock(&self.inner.left).contains(record)
    }

    /// What either of two looks at a list showed, as the second showed it, without what this process removed: a list can
    /// lag behind a write, or leave out for once what is there.
    pub fn either_shows<T>(&self, mut first: Vec<T>, again: Vec<T>, sys_id: impl Fn(&T) -> &SysId) -> Vec<T> {
        first.retain(|row| again.iter().all(|other| sys_id(other) != sys_id(row)));
        first.extend(again);
        first.retain(|row| !self.has_removed(sys_id(row)));
        first
    }

    /// Whether a user name, such as that in `sys_created_by`, is the account's; no, when the account's is not known.
    pub fn is_account(&self, user_name: &str) -> bool {
        self.account()
            .is_some_and(|account| account.eq_ignore_ascii_case(user_name))
    }

    /// Whether the account was the last to change a record: by the name that the record tells, or because this process
    /// changed it. No, where neither is known.
    pub fn was_last_to_change(&self, record: &Record) -> bool {
        let by = record.text(every::SYS_UPDATED_BY).value();
        by.is_some_and(|by| self.is_account(by)) || lock(&self.inner.changed).contains(record.sys_id())
    }

    /// The instance's clock, as far as its answers told.
    pub fn clock(&self) -> Option<Timestamp> {
        self.inner.connection.instance_time(Moment::now())
    }

    /// Waits, unless the operation's time or the run is over: then it does not.
    pub async fn wait(&self, pause: Duration) {
        // The next call says what ended the operation.
        let _ = self.limits.sleep(pause).await;
    }

    /// Waits before what should be there and is not is looked for once more: a search can lag behind a write.
    pub async fn wait_before_recheck(&self) {
        self.wait(self.inner.connection.timing.recheck_pause).await;
    }

    /// The current access token, for use outside of this client.
    ///
    /// # Errors
    /// [`SignInError::NoToken`] unless the sign-in is one with a token; else why there is none.
    pub async fn access_token(&self) -> Result<AccessToken, SignInError> {
        self.inner.connection.access_token(&self.limits).await
    }

    /// Ends a token before its time. The instance hands out the same token to everyone who signs in the same way until
    /// it expires: this ends the sessions of others too, this client's among them.
    ///
    /// # Errors
    /// Why the instance did not.
    pub async fn revoke_token(&self, token: &Secret) -> Result<(), SignInError> {
        self.inner.connection.revoke_token(token, &self.limits).await
    }

    /// The same instance with a few seconds that neither the interruption nor the end of the operation takes away: for
    /// finding out what became of a write.
    pub(super) fn for_clearing_up(&self) -> Session {
        if self.limits.cancel.is_cancelled() || self.limits.remaining() < GRACE {
            Session {
                inner: Arc::clone(&self.inner),
                limits: Limits::grace(GRACE),
                is_refresh: false,
            }
        } else {
            self.clone()
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("host", &self.inner.connection.origin.host())
            .finish_non_exhaustive()
    }
}

/// For clearing up after an interruption; Terraform waits a while before it kills.
const GRACE: Duration = Duration::from_secs(10);
