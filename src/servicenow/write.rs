//! Insert, update, delete. A write can be answered with 200 and not be taken: unknown columns are ignored, columns that
//! a field ACL closes are dropped. So every write is compared with what the record holds afterwards.
//!
//! Facts: `insert-returns-the-record`, `update-changes-only-what-is-sent`, `empty-text-clears`,
//! `unknown-columns-are-ignored`, `refused-columns-are-dropped`, `references-by-display-value`,
//! `business-rules-change-values`, `delete-removes-once`.

pub(super) mod compare; // What was sent against what was kept.
mod insert; // And what becomes of an insert whose answer is lost.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;

use crate::servicenow::error::{Refusal, TableError, Verb};
use crate::servicenow::query::Query;
use crate::servicenow::record::{Record, Row};
use crate::servicenow::request::{TableRequest, fields, reading};
use crate::servicenow::session::Session;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, ColumnKind, Table};
use crate::servicenow::tables::every;
use compare::{After, Mismatch, mismatches};

/// How the instance reads the values of a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InputMode {
    /// As they are stored: sys_ids, wire values, UTC. The usual one.
    Stored,
    /// As a form shows them: references by display name, times in the account's zone. Needed for
    /// `sys_user.user_password` alone, and it changes how every other column of the request is read.
    Display,
}

/// A record to be made.
#[derive(Clone, Debug)]
pub struct Insert<'a> {
    pub table: Table,
    pub row: Row,
    /// The columns that the caller wants to read of the new record.
    pub read: &'a [Column],
    /// How the record is found again when its answer is lost, and who is in the way when it is refused. Without one, a
    /// lost answer can end in [`TableError::Uncertain`].
    pub natural_key: Option<Query>,
    pub input: InputMode,
}

/// Columns to be changed.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    pub table: Table,
    pub sys_id: &'a SysId,
    /// Columns that are not in it stay as they are.
    pub row: Row,
    /// The columns that the caller wants to read afterwards.
    pub read: &'a [Column],
    pub input: InputMode,
}

/// A record that was written. It exists: keep it in state, whatever the mismatches.
#[derive(Clone, Debug)]
pub struct Written {
    /// The record as it is now.
    pub record: Record,
    /// The columns that are not as they were sent.
    pub mismatches: Vec<Mismatch>,
    /// How we know of it.
    pub origin: Origin,
}

impl Written {
    /// Where the record has something else in one of these columns, so that it is not found by them.
    pub fn lost(&self, columns: &[Column]) -> Option<&Mismatch> {
        let is_lost = |it: &&Mismatch| it.kept.is_some() && columns.contains(&it.column);
        self.mismatches.iter().find(is_lost)
    }
}

/// How we know of a record that was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    Answered,
    /// The answer of the insert was lost; the record was found and is ours beyond doubt.
    FoundAgain,
}

/// What a delete found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deleted {
    /// The record, and removed it.
    Removed,
    /// Nothing: it was gone before, or its removal was answered by a connection that broke.
    WasGone,
}

impl Session {
    /// Changes the given columns of a record and leaves the others alone. An empty row only reads.
    ///
    /// # Errors
    /// [`TableError::NotFound`] when the record is gone, which was seen twice; else [`TableError`].
    pub fn update<'a>(&'a self, update: Update<'a>) -> BoxFuture<'a, Result<Written, TableError>> {
        Box::pin(async move {
            let Update {
                table,
                sys_id,
                row,
                read,
                input,
            } = update;
            let columns: Vec<Column> = row.columns().chain(read.iter().copied()).collect();
            if row.is_empty() {
                let record = self.get(table, sys_id, &columns).await?;
                return Ok(Written {
                    record,
                    mismatches: Vec::new(),
                    origin: Origin::Answered,
                });
            }
            let mut params = reading(&fields(&columns, &[]));
            params.extend(input.param());
            let request = TableRequest {
                table,
                verb: Verb::Update,
                sys_id: Some(sys_id),
                params,
                body: Some(row.to_json()),
            };
            let reply = match self.send(&request).await {
                // A 404 now and then is none: the record is looked for before it is believed.
                Err(TableError::NotFound { .. }) => match self.get_alone(table, sys_id, &[]).await? {
                    Some(_) => self.send(&request).await?,
                    None => {
                        return Err(TableError::NotFound {
                            table,
                            sys_id: sys_id.clone(),
                        });
                    }
                },
                reply => reply?,
            };
            let answered = record_of(&reply.result).filter(|record| record.sys_id() == sys_id);
            let record = match answered {
                Some(record) => record,
                None => self.get(table, sys_id, &columns).await?,
            };
            self.inner.remember_changed(sys_id);
            Ok(self.compared(table, &row, record, &columns, input, After::Update).await)
        })
    }

    /// Removes a record. One that is gone already is fine, after a recheck.
    ///
    /// # Errors
    /// [`TableError::Refused`] when it is still there; else [`TableError`].
    pub fn delete<'a>(&'a self, table: Table, sys_id: &'a SysId) -> BoxFuture<'a, Result<Deleted, TableError>> {
        Box::pin(async move {
            let deleted = self.delete_or_get(table, sys_id).await?;
            self.inner.remember_removed(sys_id);
            Ok(deleted)
        })
    }

    async fn delete_or_get(&self, table: Table, sys_id: &SysId) -> Result<Deleted, TableError> {
        for _ in 0..2 {
            let request = TableRequest {
                table,
                verb: Verb::Delete,
                sys_id: Some(sys_id),
                params: Vec::new(),
                body: None,
            };
            let answer = self
                .exchange(&request)
                .await
                .map_err(|trouble| trouble.into_table_error(table, Verb::Delete))?;
            match self.read(&request, &answer) {
                Ok(_) => return Ok(Deleted::Removed),
                Err(TableError::NotFound { .. }) => {}
                // A body that nobody needs, such as an empty 200, is no reason to doubt.
                Err(TableError::UnusableAnswer { .. } | TableError::NotTheApi { .. })
                    if answer.body().is_empty() && answer.status().is_success() =>
                {
                    return Ok(Deleted::Removed);
                }
                Err(error) => return Err(error),
            }
            if self.get_alone(table, sys_id, &[]).await?.is_none() {
                return Ok(Deleted::WasGone);
            }
        }
        let detail = "the instance responded that there is no such record, but it can be read".to_owned();
        Err(TableError::Refused {
            table,
            verb: Verb::Delete,
            reason: Refusal::Acl { detail },
        })
    }

    /// Compares what was sent with what was kept; if they differ, or a column stayed away, with a recheck. The
    /// record exists, so nothing that goes wrong here may become an error.
    async fn compared(
        &self,
        table: Table,
        row: &Row,
        mut record: Record,
        columns: &[Column],
        input: InputMode,
        after: After,
    ) -> Written {
        let found = mismatches(row, &record, input, after);
        if found.is_empty() {
            return Written {
                record,
                mismatches: found,
                origin: Origin::Answered,
            };
        }
        match self.get_once(table, record.sys_id(), columns).await {
            Ok(Some(mut now)) => {
                let names: BTreeSet<_> = found.iter().map(|mismatch| mismatch.column.name()).collect();
                tracing::debug!(
                    table = table.name(),
                    ?names,
                    "the response differs from what was sent, read again"
                );
                now.complete_from(record);
                record = now;
            }
            Ok(None) => tracing::debug!(table = table.name(), "the written record cannot be read"),
            Err(error) => {
                tracing::warn!(table = table.name(), %error, "the written record cannot be read back")
            }
        }
        let mismatches = mismatches(row, &record, input, after);
        Written {
            record,
            mismatches,
            origin: Origin::Answered,
        }
    }
}

impl InputMode {
    fn param(self) -> Option<(&'static str, String)> {
        match self {
            InputMode::Stored => None,
            InputMode::Display => Some(("sysparm_input_display_value", "true".to_owned())),
        }
    }
}

/// The record in the answer of a write.
fn record_of(result: &Json) -> Option<Record> {
    Record::from_json(result.as_object()?)
}

/// Columns of an answer that tell who made the record, and when.
const ORIGIN_COLUMNS: &[Column] = &[every::SYS_CREATED_ON, every::SYS_CREATED_BY];

/// Columns that the caller wrote or wants, without those that cannot be read.
fn wanted(row: &Row, read: &[Column]) -> Vec<Column> {
    let columns = row
        .columns()
        .chain(read.iter().copied())
        .chain(ORIGIN_COLUMNS.iter().copied());
    columns.filter(|column| column.kind() != ColumnKind::Secret).collect()
}
