//! The client of one ServiceNow instance: sign-in, Table API, encoded queries, errors, batched reads.
//!
//! It knows nothing of Terraform. It owns every wire name: [`tables`] has one module per table, and nobody else writes
//! `"oidc_url"`.
//!
//! ```no_run
//! use servicenow_provider::http::Limits;
//! use servicenow_provider::servicenow::tables::oauth_entity::{self, CLIENT_ID, COLUMNS, NAME, TABLE, TYPE};
//! use servicenow_provider::servicenow::{Cell, Insert, InputMode, Instance, LinkTable, Query, Row, TableError, Update};
//!
//! # async fn example(instance: Instance, limits: Limits) -> Result<(), Box<dyn std::error::Error>> {
//! // One session per operation: it carries the operation's time limit and its cancellation.
//! let session = instance.at(limits);
//!
//! // Create. The natural key is how the record is found again when the answer gets lost.
//! let key = Query::equals(CLIENT_ID, "11111111-2222-3333-4444-555555555555")?
//!     .and(Query::equals(TYPE, oauth_entity::TYPE_PROVIDER)?);
//! let row = Row::new()
//!     .set(NAME, "Microsoft 365")
//!     .set(TYPE, oauth_entity::TYPE_PROVIDER)
//!     .set(CLIENT_ID, "11111111-2222-3333-4444-555555555555");
//! let written = session
//!     .insert(Insert { table: TABLE, row, read: COLUMNS, natural_key: Some(key.clone()), input: InputMode::Stored })
//!     .await?;
//! for mismatch in &written.mismatches {
//!     eprintln!("{mismatch}"); // The record exists: keep it in state, and say what was not kept.
//! }
//!
//! // Read. None only where the absence is proven; a hidden column says nothing, so keep what was known.
//! let sys_id = written.record.sys_id().clone();
//! if let Some(record) = session.get_opt(TABLE, &sys_id, COLUMNS).await? {
//!     let name: Option<String> = record.text(NAME).map(str::to_owned).or_known(Some("Microsoft 365".to_owned()));
//!     assert!(!matches!(record.bool(oauth_entity::ACTIVE), Cell::Empty), "{name:?}");
//! }
//!
//! // Find by natural key: rows are compared again, several are an error that lists them.
//! let found = session.find_unique(TABLE, &key, COLUMNS).await?;
//!
//! // Update only what is given; delete what is perhaps gone already.
//! let row = Row::new().set(oauth_entity::ACTIVE, false);
//! session.update(Update { table: TABLE, sys_id: &sys_id, row, read: COLUMNS, input: InputMode::Stored }).await?;
//! session.delete(TABLE, &sys_id).await?;
//!
//! // Names, role grants.
//! let roles = session.links(LinkTable::ROLES);
//! let role = roles.names().id_of("incident_manager").await?;
//! roles.grant(&sys_id, &role).await?;
//! # let _ = found; Ok(())
//! # }
//! ```

pub mod tables;

mod address; // The address of an instance, as people type it.
mod choices;
mod connection; // The instance that requests go to.
mod dictionary; // What the instance says of its tables.
mod error;
mod instance; // What all sessions share.
mod key_lock; // Look and insert as one step.
mod keyed_map;
mod link_table; // Roles and groups of users, auth scopes of OAuth entities.
mod lookup; // Roles, groups and other records by name.
mod pages; // Many records, page by page.
mod prefetch; // Reading what a refresh will ask for next.
mod query;
mod read; // Single records, batched.
mod read_batch; // Many callers, one request.
mod record;
mod request; // One request and its answer: address, sign-in, retries of unusable answers.
mod response; // What an answer means; the only reader of the vendor's texts.
mod session; // One operation with the instance.
mod shared_state; // What calls of tables share.
mod sign_in;
mod sys_id;
mod table;
#[cfg(test)]
mod tests;
mod value_equality; // When two texts mean the same.
mod write; // Insert, update, delete.

pub use address::check_url;
pub use connection::{InstanceOptions, Timing};
pub use dictionary::{ChoiceSource, Dictionary, DictionaryColumn, Gap, ValueProblem, ValueType};
pub use error::{ConfigError, Refusal, TableError, UnexpectedResponse, Verb};
pub use instance::Instance;
pub use key_lock::KeyLock;
pub use link_table::{Granted, LinkTable, Links, Revoked};
pub use lookup::Names;
pub use pages::{FirstRecords, Pages, Sample};
pub use query::{ColumnUse, Query, QueryError};
pub use record::{Cell, Record, Row, Value};
pub use session::Session;
pub use shared_state::{Choice, Choices, Link};
pub use sign_in::{AccessToken, SignIn, SignInError, SignInMethod, TokenSource};
pub use sys_id::{NotASysId, SysId};
pub use table::{Column, ColumnKind, Table};
pub use value_equality::means_the_same;
pub use write::compare::{Cause, Mismatch};
pub use write::{Deleted, InputMode, Insert, Origin, Update, Written};
