//! A ServiceNow instance in memory.

mod options;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use serde_json::Value;

use crate::internet::Internet;

pub use options::{
    AbortRule, DefaultProfile, ExplicitScope, Operation, Options, Refusal, Release, SecretRead,
    Switches, Unauthorized,
};

/// A record as stored, secrets in clear.
pub type Record = BTreeMap<String, String>;

/// One simulated instance. Clones share it.
#[derive(Clone)]
pub struct Instance {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    internet: Arc<dyn Internet>,
    switches: Mutex<Switches>,
}

/// Request extension set by a serving loop that asked for a client certificate: its subject.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate(pub String);

/// A request as the instance saw it, with the status that it gave.
#[derive(Clone, Debug, Default)]
pub struct RequestRecord {
    /// Verb.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Table of a Table API path, else empty.
    pub table: String,
    /// `sys_id` of a Table API path, else empty.
    pub sys_id: String,
    /// Raw query, still percent-encoded.
    pub query: String,
    /// Body as text.
    pub body: String,
    /// HTTP status, 0 where the connection was cut.
    pub status: u16,
    /// The answer's `X-Transaction-ID`, else empty.
    pub transaction_id: String,
    /// User name of the caller, empty where sign-in failed.
    pub user: String,
}

/// Who a request runs as.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `sys_id` of the user.
    pub sys_id: String,
    /// `user_name` of the user.
    pub user_name: String,
    /// Names of all active roles, inherited ones included.
    pub roles: BTreeSet<String>,
}

/// Why a caller was turned away, in the words of the instance's log. HTTP answers only 401 or 403.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Denied {
    /// 401 or 403.
    pub status: u16,
    /// The exact cause.
    pub cause: String,
}

impl Instance {
    /// An instance with its seed records.
    #[must_use]
    pub fn new(options: Options, internet: Arc<dyn Internet>) -> Self {
        Self {
            inner: Arc::new(Inner {
                options,
                internet,
                switches: Mutex::default(),
            }),
        }
    }

    /// All of the instance's HTTP, faults included.
    pub fn router(&self) -> Router {
        self.inner.options.faults.layer(Router::new())
    }

    /// Says under which address the instance is served, without a slash at the end.
    pub fn set_base_url(&self, url: &str) {
        let _ = url;
    }

    /// All records of a table and of its children, oldest first.
    #[must_use]
    pub fn records(&self, table: &str) -> Vec<Record> {
        let _ = table;
        Vec::new()
    }

    /// One record.
    #[must_use]
    pub fn record(&self, table: &str, sys_id: &str) -> Option<Record> {
        let _ = (table, sys_id);
        None
    }

    /// The records whose column has exactly this value.
    #[must_use]
    pub fn find(&self, table: &str, column: &str, value: &str) -> Vec<Record> {
        let _ = (table, column, value);
        Vec::new()
    }

    /// Inserts by hand, through the form: no access rules, and the form's side effects. Gives the `sys_id`.
    pub fn put(&self, table: &str, values: &[(&str, &str)]) -> String {
        let _ = (table, values);
        String::new()
    }

    /// Changes a record by hand.
    pub fn change(&self, table: &str, sys_id: &str, values: &[(&str, &str)]) {
        let _ = (table, sys_id, values);
    }

    /// Removes a record by hand.
    pub fn remove(&self, table: &str, sys_id: &str) {
        let _ = (table, sys_id);
    }

    /// Changes the modes.
    pub fn switches(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.modes());
    }

    /// The requests so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        Vec::new()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {}

    /// The instance's system log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        Vec::new()
    }

    /// Everything that a restart must keep.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        Value::Null
    }

    /// Puts a snapshot in place of all records.
    ///
    /// # Errors
    /// Says what is wrong with the snapshot; nothing is changed then.
    pub fn restore(&self, snapshot: &Value) -> Result<(), String> {
        let _ = snapshot;
        Ok(())
    }

    /// One sorted line per record, without what changes by itself: times of change, counters, tokens. Two equal
    /// fingerprints mean equal records.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        String::new()
    }

    /// The access token that the instance would send on an outbound call through an OAuth profile (name or `sys_id`)
    /// to `resource`.
    ///
    /// # Errors
    /// The exact cause, as the instance's log would say.
    pub async fn outbound_token(&self, profile: &str, resource: &str) -> Result<String, String> {
        let _ = (profile, resource, &self.inner.internet);
        Err("not served yet".to_owned())
    }

    /// Signs in with a bearer value: first as a token of the instance, then as a token of an OIDC provider. Uses the
    /// token up where JTI verification is on.
    ///
    /// # Errors
    /// The exact cause.
    pub async fn authorize_bearer(&self, token: &str) -> Result<Caller, Denied> {
        let _ = token;
        Err(Denied {
            status: 401,
            cause: "not served yet".to_owned(),
        })
    }

    /// Whether the caller's roles allow an operation on a table.
    ///
    /// # Errors
    /// Names the roles of which one is missing.
    pub fn may(&self, caller: &Caller, table: &str, operation: Operation) -> Result<(), Denied> {
        let _ = (caller, table, operation);
        Ok(())
    }

    fn modes(&self) -> MutexGuard<'_, Switches> {
        self.inner
            .switches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
