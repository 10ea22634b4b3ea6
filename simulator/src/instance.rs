//! A ServiceNow instance in memory.
//!
//! Declared from ServiceNow's documentation and from recorded answers. What the sources leave open is a mode of
//! [`Switches`].

mod access_rules; // What the access rules among the records let an account read.
mod answer;
mod batch; // Several calls in one.
mod bearer; // Tokens of the instance and of OIDC providers.
mod business_rules; // Side effects of single tables.
mod caller;
mod cross_scope_access; // What an installed application may read.
mod ids;
mod ip_access_rules; // ip_access
mod json_web_service; // The older API beside the Table API.
mod oauth; // The instance as an authorization server.
mod options;
mod outbound_oauth; // Tokens for calls to others.
mod page_view; // What the page shows of the records.
mod query; // Encoded queries.
mod quirks; // What is made of records beyond storing them.
mod release;
mod roles; // Containment and inherited rows.
mod routes; // Routes.
mod schema;
mod seed;
mod sign_in;
mod store;
mod table_api;
mod table_roles; // Which roles a table asks for.
mod tables;
mod time;
mod user_role_inheritance;
mod view;
mod write; // What happens around every write.
mod write_context; // What a write needs to know. // What a caller sees of a record.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::Faults;
use crate::history::History;
use crate::internet::Internet;
use crate::sync::lock;

use schema::Schema;
use store::{Rows, owned, value};
use time::shifted;
use view::{Freshness, View};
use write_context::{Platform, Refused, Via};

pub(crate) use page_view::{Cell, MadeBy, Shown, ShownRecord, ShownTable};

pub use caller::{Caller, ClientCertificate, Denied};
pub use options::{
    AbortRule, DefaultProfile, ExplicitScope, ForbiddenRead, Operation, Options, Refusal, SecretRead, Switches,
    Unauthorized,
};
pub use quirks::{Beside, IdCase, LineEndings, Quirks};
pub use release::Release;
pub use store::Record;

/// One simulated instance. Clones share it.
#[derive(Clone)]
pub struct Instance {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    schema: Schema,
    internet: Arc<dyn Internet>,
    // Nobody holds the switches while taking the state, so that the state may be held while looking at the switches.
    switches: Mutex<Switches>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    base_url: String,
    rows: Rows,
    /// Default profiles that are due later.
    later: Vec<(Timestamp, Record)>,
    /// Ids of tokens that may not be used again.
    used_tokens: BTreeSet<String>,
    /// When those that were used since the start are over, in seconds since 1970, by their order of use.
    used_until: VecDeque<(i64, String)>,
    requests: History<RequestRecord>,
    /// Second of the clock and requests in it.
    rate: (i64, u32),
    /// Users, by `sys_id`, of whom a grant is being handled.
    granting: Vec<String>,
    log: History<String>,
    /// How many lists are still those from before the last write.
    lagging: u32,
    /// Who made the records that the instance did not ship with, by `sys_id`.
    makers: BTreeMap<String, Maker>,
}

/// Who made a record.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Maker {
    class: String,
    /// The `User-Agent` of the request; empty for what the instance or a person at its form made.
    client: String,
    /// Whether a rule of the instance made it, on the occasion of that request.
    by_rule: bool,
}

#[derive(Deserialize, Serialize)]
struct Snapshot {
    rows: Rows,
    /// With the time in milliseconds since 1970.
    later: Vec<(i64, Record)>,
    used_tokens: BTreeSet<String>,
    #[serde(default)]
    makers: BTreeMap<String, Maker>,
}

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

impl Instance {
    /// An instance with its seed records.
    #[must_use]
    pub fn new(options: Options, internet: Arc<dyn Internet>) -> Self {
        let instance = Self {
            inner: Arc::new(Inner {
                schema: tables::schema(options.release),
                options,
                internet,
                switches: Mutex::default(),
                state: Mutex::default(),
            }),
        };
        instance.with_platform(None, |platform| {
            seed::fill(platform, &instance.inner.options);
        });
        instance.state().makers.clear();
        instance
    }

    /// The faults in front of it.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.options.faults
    }

    /// Says under which address the instance is served.
    pub fn set_base_url(&self, url: &str) {
        url.trim_end_matches('/').clone_into(&mut self.state().base_url);
    }

    /// The names of all tables that the release has.
    #[must_use]
    pub fn tables(&self) -> Vec<&'static str> {
        self.inner.schema.tables().map(|table| table.name).collect()
    }

    /// All records of a table and of its children.
    #[must_use]
    pub fn records(&self, table: &str) -> Vec<Record> {
        self.with_rows(|rows| {
            let all = rows.all(&self.inner.schema, table);
            all.into_iter().map(|(_, record)| record.clone()).collect()
        })
    }

    /// One record.
    #[must_use]
    pub fn record(&self, table: &str, sys_id: &str) -> Option<Record> {
        self.with_rows(|rows| {
            let (_, record) = rows.find(&self.inner.schema, table, sys_id)?;
            Some(record.clone())
        })
    }

    /// The records whose column has exactly this value.
    #[must_use]
    pub fn find(&self, table: &str, column: &str, text: &str) -> Vec<Record> {
        let mut records = self.records(table);
        records.retain(|record| value(record, column) == text);
        records
    }

    /// Inserts by hand, through the form: no access rules, and the form's side effects. Gives the `sys_id`.
    ///
    /// # Panics
    /// If there is no such table or the instance refuses the record: the test's set-up is wrong then.
    pub fn put(&self, table: &str, values: &[(&str, &str)]) -> String {
        let class = self.class(table);
        let outcome = self.with_platform(None, |platform| platform.insert(class, &owned(values)));
        match outcome {
            Ok(record) => value(&record, "sys_id").to_owned(),
            Err(refused) => panic!("{table} refused {values:?}: {}", refused.detail),
        }
    }

    /// Changes a record by hand.
    ///
    /// # Panics
    /// If there is no such record or the instance refuses the change.
    pub fn change(&self, table: &str, sys_id: &str, values: &[(&str, &str)]) {
        self.by_hand(table, sys_id, |platform, class| {
            platform.update(class, sys_id, &owned(values)).map(|_| ())
        });
    }

    /// Removes a record by hand.
    ///
    /// # Panics
    /// If there is no such record or the instance refuses its removal.
    pub fn remove(&self, table: &str, sys_id: &str) {
        self.by_hand(table, sys_id, |platform, class| platform.delete(class, sys_id));
    }

    /// Lists that lag behind the last write show it from now on.
    pub fn lists_catch_up(&self) {
        self.state().lagging = 0;
    }

    /// Changes the modes.
    pub fn switches(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.modes());
    }

    /// Changes the quirks.
    pub fn quirks(&self, change: impl FnOnce(&mut Quirks)) {
        change(&mut self.modes().quirks);
    }

    /// The requests so far, in the order in which they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.state().requests.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.state().requests.clear();
    }

    /// Remembers only so many requests and lines of the log, the newest.
    pub(crate) fn keep_at_most(&self, at_most: usize) {
        let mut state = self.state();
        state.requests.keep_at_most(at_most);
        state.log.keep_at_most(at_most);
    }

    /// The instance's system log.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.state().log.all()
    }

    /// Everything that a restart must keep. Holds secrets in clear.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        let state = self.state();
        let snapshot = Snapshot {
            rows: state.rows.clone(),
            later: state
                .later
                .iter()
                .map(|(due, record)| (due.as_millisecond(), record.clone()))
                .collect(),
            used_tokens: state.used_tokens.clone(),
            makers: state.makers.clone(),
        };
        serde_json::to_value(snapshot).unwrap_or_default()
    }

    /// Puts a snapshot in place of all records.
    ///
    /// # Errors
    /// Says what is wrong with the snapshot; nothing is changed then.
    pub fn restore(&self, snapshot: &Value) -> Result<(), String> {
        let snapshot = Snapshot::deserialize(snapshot).map_err(|error| error.to_string())?;
        let mut state = self.state();
        state.rows = snapshot.rows;
        state.rows.reindex();
        state.later = snapshot
            .later
            .into_iter()
            .map(|(due, record)| (Timestamp::from_millisecond(due).unwrap_or_default(), record))
            .collect();
        state.used_tokens = snapshot.used_tokens;
        state.makers = snapshot.makers;
        Ok(())
    }

    /// One line per record, without what changes by itself: times of change, counters, tokens. Equal fingerprints mean
    /// equal records.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.with_rows(|rows| {
            let mut lines = Vec::new();
            let tables = self.inner.schema.tables();
            for table in tables.filter(|table| table.name != "oauth_credential") {
                for record in rows.of_class(table.name) {
                    let mut kept = record.clone();
                    kept.retain(|column, _| !VOLATILE.contains(&column.as_str()));
                    lines.push(format!("{} {kept:?}", table.name));
                }
            }
            lines.join("\n")
        })
    }

    /// Whether the caller's roles allow an operation on a table.
    ///
    /// # Errors
    /// Names the roles of which one is missing.
    pub fn may(&self, caller: &Caller, table: &str, operation: Operation) -> Result<(), Denied> {
        let modes = self.modes().clone();
        let Inner { schema, options, .. } = &*self.inner;
        let is_switched = modes.table_roles.contains_key(&(table.to_owned(), operation));
        if operation == Operation::Read && !is_switched {
            let ruled = self.with_view(Freshness::Current, |view| access_rules::may_read(view, caller, table));
            if let Some(ruled) = ruled {
                return ruled;
            }
        }
        table_roles::check(schema, options.release, &modes, caller, table, operation)
    }

    fn by_hand(
        &self,
        table: &str,
        sys_id: &str,
        write: impl FnOnce(&mut Platform<'_>, &'static str) -> Result<(), Refused>,
    ) {
        let class = self.with_rows(|rows| {
            let found = rows.find(&self.inner.schema, table, sys_id);
            found.map(|(class, _)| class)
        });
        let Some(class) = class else {
            panic!("no record {sys_id} in {table}");
        };
        if let Err(refused) = self.with_platform(None, |platform| write(platform, class)) {
            panic!("{table} refused the change of {sys_id}: {}", refused.detail);
        }
    }

    fn class(&self, table: &str) -> &'static str {
        match self.inner.schema.table(table) {
            Some(table) => table.name,
            None => panic!("no table {table} in this release"),
        }
    }

    fn modes(&self) -> MutexGuard<'_, Switches> {
        lock(&self.inner.switches)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.inner.state)
    }

    /// The time by the instance's clock.
    fn now(&self) -> Timestamp {
        shifted(Timestamp::now(), self.modes().clock_offset)
    }

    fn note(&self, line: &str) {
        self.state().log.push(line.to_owned());
    }

    fn base_url(&self) -> String {
        self.state().base_url.clone()
    }

    /// The records, with those that have become due.
    fn with_rows<T>(&self, look: impl FnOnce(&Rows) -> T) -> T {
        self.with_view(Freshness::Current, |view| look(&view.rows))
    }

    fn with_view<T>(&self, freshness: Freshness, look: impl FnOnce(&View<'_>) -> T) -> T {
        self.add_what_is_due();
        let now = self.now();
        let modes = self.modes().clone();
        let state = self.state();
        look(&View {
            schema: &self.inner.schema,
            rows: match freshness {
                Freshness::Current => Cow::Borrowed(&state.rows),
                Freshness::BeforeLastWrite => Cow::Owned(state.rows.before_last_write()),
            },
            modes: &modes,
            base_url: &state.base_url,
            now,
        })
    }

    /// Writes as a caller of the API, or by hand without one.
    fn with_platform<T>(&self, caller: Option<&Caller>, write: impl FnOnce(&mut Platform<'_>) -> T) -> T {
        self.add_what_is_due();
        self.write_as(caller, write)
    }

    fn write_as<T>(&self, caller: Option<&Caller>, write: impl FnOnce(&mut Platform<'_>) -> T) -> T {
        let now = self.now();
        let modes = self.modes().clone();
        let mut state = self.state();
        let State {
            base_url,
            rows,
            later,
            makers,
            lagging,
            ..
        } = &mut *state;
        rows.begin_write();
        if caller.is_some() {
            *lagging = modes.quirks.lists_lag;
        }
        let admin = &self.inner.options.admin_user;
        let written = write(&mut Platform {
            schema: &self.inner.schema,
            rows,
            modes: &modes,
            base_url,
            via: caller.map_or(Via::Form, |_| Via::Rest),
            user_name: caller.map_or(admin, |caller| &caller.user_name),
            user_id: caller.map_or("", |caller| &caller.sys_id),
            now,
            later,
        });
        for (position, class, sys_id) in rows.added() {
            let maker = Maker {
                class: class.to_owned(),
                client: caller.map_or_else(String::new, |caller| caller.client.clone()),
                by_rule: position > 0,
            };
            makers.insert(sys_id.to_owned(), maker);
        }
        for sys_id in rows.removed() {
            makers.remove(sys_id);
        }
        written
    }

    fn add_what_is_due(&self) {
        let now = self.now();
        let due: Vec<_> = self.state().later.extract_if(.., |(due, _)| *due <= now).collect();
        for (_, profile) in due {
            let added = self.write_as(None, |platform| platform.insert("oauth_entity_profile", &profile));
            if let Err(refused) = added {
                self.note(&refused.detail);
            }
        }
    }
}

/// Columns that a fingerprint leaves out.
const VOLATILE: [&str; 3] = ["sys_updated_on", "sys_updated_by", "sys_mod_count"];
