//! Many records, page by page.
//!
//! The instance cuts to `sysparm_limit` before it applies access rules: a page can be short, or empty, although more
//! follow. So pages are followed by offset until `X-Total-Count` is reached, in the order of `sys_id`.
//!
//! Facts: `lists-are-counted`, `hidden-rows-are-counted`, `pages-are-complete`, `default-limit-is-10000`.

use std::collections::HashSet;

use futures_util::future::BoxFuture;

use crate::http::Limits;
use crate::servicenow::error::TableError;
use crate::servicenow::lookup::chunks;
use crate::servicenow::query::{Query, Verdict};
use crate::servicenow::record::{Cell, Record, rows};
use crate::servicenow::request::{TableRequest, fields};
use crate::servicenow::session::Session;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, Table};
use crate::servicenow::tables::{NEVER_EMPTY, every, sys_metadata};
use crate::suggest;

impl Session {
    /// All records that match.
    ///
    /// ```no_run
    /// # use servicenow_provider::servicenow::tables::sys_user::{ACTIVE, TABLE, USER_NAME};
    /// # use servicenow_provider::servicenow::{Query, Session, SysId, TableError};
    /// # async fn example(session: &Session, sys_id: &SysId, query: &Query) -> Result<(), TableError> {
    /// for user in session.select(TABLE, query, &[USER_NAME]).await? {
    ///     println!("{}", user.sys_id());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TableError::Hidden`] when the account does not see all of them, or cannot see whether they match;
    /// [`TableError::Unproven`] when there are none and the instance did not count: neither is "none".
    pub fn select<'a>(
        &'a self,
        table: Table,
        query: &'a Query,
        columns: &'a [Column],
    ) -> BoxFuture<'a, Result<Vec<Record>, TableError>> {
        Box::pin(async move {
            let selection = self.selection(table, query, columns).await?;
            match selection.unseen {
                Unseen::Rows(0) => Ok(selection.records),
                Unseen::Uncounted if !selection.records.is_empty() => Ok(selection.records),
                Unseen::Uncounted => Err(self.unproven(table, format!("record with {query}"))),
                Unseen::Rows(count) => Err(hidden(table, query, count)),
            }
        })
    }

    /// Every record whose column has one of these values, asked for in parts so that the address stays short.
    ///
    /// # Errors
    /// Those of [`Session::select`].
    pub async fn select_any_of(
        &self,
        table: Table,
        column: Column,
        values: &[&str],
        columns: &[Column],
    ) -> Result<Vec<Record>, TableError> {
        let mut found = Vec::new();
        for chunk in chunks(values.iter(), |value| value.len()) {
            let query = Query::any_of(column, chunk.into_iter().copied()).map_err(TableError::of_query(table))?;
            found.extend(self.select(table, &query, columns).await?);
        }
        Ok(found)
    }

    /// The records that match and are shown, and whether these are all.
    pub(super) fn selection<'a>(
        &'a self,
        table: Table,
        query: &'a Query,
        columns: &'a [Column],
    ) -> BoxFuture<'a, Result<Selection, TableError>> {
        Box::pin(async move {
            let mut pages = self.pages(table, query, columns, PAGE);
            let mut records = Vec::new();
            while let Some(page) = pages.next().await? {
                records.extend(page);
            }
            Ok(Selection {
                records,
                unseen: pages.unseen,
            })
        })
    }

    /// The first records that match, at most `limit`, in the order of the query and then of `sys_id`, and how many match. Rows
    /// that are hidden are passed over, as far as `most` rows: an account may see few of the rows of a large table.
    ///
    /// # Errors
    /// [`TableError::Unproven`] when there are none and the instance did not count, [`TableError::Hidden`] when the table shows
    /// none although every instance has some; else [`TableError`].
    pub async fn first(
        &self,
        table: Table,
        query: &Query,
        columns: &[Column],
        limit: usize,
        most: usize,
    ) -> Result<FirstRecords, TableError> {
        let mut pages = self.pages(table, query, columns, limit.min(PAGE));
        let mut records = Vec::new();
        while records.len() < limit && pages.offset < most {
            let Some(page) = pages.next().await? else { break };
            records.extend(page);
            // After a page with gaps, one request shall fill them.
            pages.size = PAGE;
        }
        records.truncate(limit);
        if records.is_empty() && pages.total == Some(0) {
            self.shows_something(table).await?;
        }
        let is_over = pages.is_over || records.len() == limit;
        match (pages.unseen, pages.total) {
            (Unseen::Uncounted, _) if records.is_empty() => Err(self.unproven(table, format!("record with {query}"))),
            (unseen, total) => Ok(FirstRecords {
                records,
                total,
                hidden: match unseen {
                    Unseen::Rows(count) => count,
                    Unseen::Uncounted => 0,
                },
                passed_over: (!is_over).then_some(pages.offset),
            }),
        }
    }

    pub(super) fn unproven(&self, table: Table, what: String) -> TableError {
        let host = self.inner.connection.origin.host();
        TableError::Unproven { host, table, what }
    }

    /// Whether the account sees any record of a table. An answer without rows proves no right: only a row does.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn sample(&self, table: Table) -> Result<Sample, TableError> {
        let query = Query::every_row().order_by(every::SYS_ID);
        let request = TableRequest::list(table, &query, every::SYS_ID.name(), SAMPLE, 0);
        let reply = self.send(&request).await?;
        let rows = rows(&reply.result).ok_or_else(|| self.unusable(table, "the response is not a list of records"))?;
        Ok(match reply.total {
            _ if !rows.is_empty() => Sample::Rows,
            Some(count) if count > 0 => Sample::Hidden { count },
            Some(_) | None => Sample::Empty,
        })
    }

    /// Fails where a table shows no row at all although every instance has some: a query that finds nothing there, and counts
    /// nothing, proves no absence. Business rules that hide rows also take them out of the count.
    ///
    /// # Errors
    /// [`TableError::Hidden`]; else [`TableError`].
    pub fn shows_something(&self, table: Table) -> BoxFuture<'_, Result<(), TableError>> {
        Box::pin(async move {
            if NEVER_EMPTY.contains(&table) && self.sample(table).await? == Sample::Empty {
                return self.is_empty(table).await;
            }
            Ok(())
        })
    }

    /// Fails where a table shows no row at all although the table that all application files have in common has some of its
    /// class, as [`Session::shows_something`] does for other tables.
    ///
    /// # Errors
    /// [`TableError::Hidden`]; else [`TableError`].
    pub fn shows_its_files(&self, table: Table) -> BoxFuture<'_, Result<(), TableError>> {
        Box::pin(async move {
            if self.sample(table).await? == Sample::Empty {
                return self.has_no_files(table).await;
            }
            Ok(())
        })
    }

    /// Fails where a table has records although [`Session::sample`] showed and counted none.
    ///
    /// # Errors
    /// [`TableError::Hidden`].
    pub async fn is_empty(&self, table: Table) -> Result<(), TableError> {
        if NEVER_EMPTY.contains(&table) {
            let what = "records on every instance, but shows none of them to the account".to_owned();
            return Err(TableError::Hidden { table, what });
        }
        self.has_no_files(table).await
    }

    async fn has_no_files(&self, table: Table) -> Result<(), TableError> {
        if self.has_application_files(table).await {
            let all = sys_metadata::TABLE;
            let what = format!("records, which {all} has too, but shows none of them to the account");
            return Err(TableError::Hidden { table, what });
        }
        Ok(())
    }

    /// Whether there are application files of a table, as far as the account may ask.
    /// Facts: `application-files-have-a-common-table`.
    async fn has_application_files(&self, table: Table) -> bool {
        let Ok(query) = Query::equals(every::SYS_CLASS_NAME, table.name()) else {
            return false;
        };
        let found = self.first(sys_metadata::TABLE, &query, &[], 1, SAMPLE).await;
        found.is_ok_and(|found| !found.records.is_empty() || found.hidden > 0)
    }

    /// The records that match, in pages of at most `size`, for tables that may be large.
    ///
    /// ```no_run
    /// # use servicenow_provider::servicenow::tables::sys_user::{ACTIVE, TABLE, USER_NAME};
    /// # use servicenow_provider::servicenow::{Query, Session, SysId, TableError};
    /// # async fn example(session: &Session, sys_id: &SysId, query: &Query) -> Result<(), TableError> {
    /// let mut pages = session.pages(TABLE, query, &[USER_NAME], 100);
    /// while let Some(users) = pages.next().await? {
    ///     println!("{}", users.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages(&self, table: Table, query: &Query, columns: &[Column], size: usize) -> Pages {
        Pages {
            session: self.clone(),
            table,
            query: query.clone().order_by(every::SYS_ID),
            fields: fields(columns, &query.key_columns()),
            size: size.max(1),
            offset: 0,
            is_over: false,
            seen: HashSet::new(),
            unseen: Unseen::Rows(0),
            total: None,
        }
    }
}

/// That so many records match which the account may not read.
pub(super) fn hidden(table: Table, query: &Query, count: usize) -> TableError {
    let records = if count == 1 { "record" } else { "records" };
    let what = format!("{count} {records} with {query} that the account may not read");
    TableError::Hidden { table, what }
}

/// What a table shows at a glance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sample {
    Rows,
    /// No record, and none is counted.
    Empty,
    /// Records are counted and none of the first is shown.
    Hidden {
        count: usize,
    },
}

/// What a list showed.
pub(super) struct Selection {
    pub(super) records: Vec<Record>,
    pub(super) unseen: Unseen,
}

impl Selection {
    /// Whether what is not among the records is proven not to match.
    pub(super) fn is_complete(&self) -> bool {
        self.unseen == Unseen::Rows(0)
    }
}

/// The beginning of a list.
#[derive(Clone, Debug)]
pub struct FirstRecords {
    pub records: Vec<Record>,
    /// How many rows match, hidden ones included; none where the instance does not count.
    pub total: Option<usize>,
    /// How many of the rows that were looked at are hidden.
    pub hidden: usize,
    /// After how many rows the search ended with fewer records than asked for, although more match.
    pub passed_over: Option<usize>,
}

/// What matches a query and was not shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unseen {
    /// So many rows: the instance counts before access rules apply.
    Rows(usize),
    /// An answer had no count.
    Uncounted,
}

/// A walk over the records that match a query.
#[derive(Debug)]
pub struct Pages {
    session: Session,
    table: Table,
    query: Query,
    fields: String,
    size: usize,
    offset: usize,
    is_over: bool,
    /// Rows move while others are made and deleted: none is handed out twice.
    seen: HashSet<SysId>,
    unseen: Unseen,
    /// How many rows match, by the last page.
    total: Option<usize>,
}

impl Pages {
    /// The same walk, whose next page has limits of its own.
    pub fn within(&mut self, limits: Limits) -> &mut Pages {
        self.session.limits = limits;
        self
    }

    /// How many rows of the pages so far were counted and not shown: the account may not read them.
    pub fn hidden(&self) -> usize {
        match self.unseen {
            Unseen::Rows(count) => count,
            Unseen::Uncounted => 0,
        }
    }

    /// How many rows matched by the last answer, those included that the account may not read; none where it had no count.
    pub fn total(&self) -> Option<usize> {
        self.total
    }

    /// The next page; none after the last. A page may be empty although more follow.
    ///
    /// # Errors
    /// [`TableError`]; the walk can be continued after one that passes.
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>, TableError> {
        if self.is_over {
            return Ok(None);
        }
        let request = TableRequest::list(self.table, &self.query, &self.fields, self.size, self.offset);
        let reply = self.session.send(&request).await?;
        let rows = rows(&reply.result).ok_or_else(|| {
            self.session
                .unusable(self.table, "the response is not a list of records")
        })?;
        self.offset += self.size;
        self.total = reply.total;
        self.is_over = match reply.total {
            Some(total) => self.offset >= total,
            // Without a count only the link tells, or a page with nothing in it.
            None => !reply.has_next && rows.len() < self.size,
        };
        self.unseen = match (self.unseen, reply.total) {
            (Unseen::Rows(hidden), Some(total)) => {
                let before = self.offset - self.size;
                let counted = total.saturating_sub(before).min(self.size);
                Unseen::Rows(hidden + counted.saturating_sub(rows.len()))
            }
            (Unseen::Uncounted, _) | (_, None) => Unseen::Uncounted,
        };
        // A column of a linked record is empty or missing where there is none.
        let mut columns = self.query.columns_of_user();
        let is_shown = |column: &str| rows.iter().any(|row| row.by_name(column) != Cell::Hidden);
        if let Some(unknown) = columns.find(|column| !rows.is_empty() && !is_shown(column)) {
            let known = suggest::closest(unknown, self.fields.split(',').filter(|known| *known != unknown));
            return Err(TableError::UnknownColumn {
                table: self.table,
                column: unknown.to_owned(),
                similar: known.map(str::to_owned).into_iter().collect(),
            });
        }
        let mut page = Vec::with_capacity(rows.len());
        let (count, mut repeated) = (rows.len(), 0);
        for record in rows {
            match self.query.judge(&record) {
                Verdict::Meant if self.seen.insert(record.sys_id().clone()) => page.push(record),
                Verdict::Meant => repeated += 1,
                Verdict::Other => {
                    tracing::debug!(table = self.table.name(), sys_id = %record.sys_id(), "a row that does not match the query");
                }
                Verdict::Hidden(column) => {
                    let what = format!(
                        "records that match, but the column {column}, which the query is about, is not in the \
                         response: the account may not read it, or this release has no such column"
                    );
                    return Err(TableError::Hidden {
                        table: self.table,
                        what,
                    });
                }
            }
        }
        if count > 0 && repeated == count {
            self.is_over = true;
            let what = "the response repeats the previous page: a proxy or gateway ignores sysparm_offset, so the \
                        list cannot be read to its end";
            return Err(self.session.unusable(self.table, what));
        }
        Ok(Some(page))
    }
}

/// Some records are hidden even from an administrator, so one is not enough.
const SAMPLE: usize = 20;
/// Large enough that most answers are one page, small enough for the instance's 60 seconds.
const PAGE: usize = 1000;
