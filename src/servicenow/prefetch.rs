//! Prefetching: whoever refreshes the records of a configuration one after the other will read the rest of them too.
//!
//! Terraform refreshes ten resources at a time, so a thousand of them cost a hundred round trips one after the other,
//! however well they are merged. Once some records of a table were read and one account made them all, the others that it
//! made are read in one go, together with the next read, and the refreshes that follow find theirs in the cache.

pub(super) mod cache; // What was prefetched and not asked for yet.

use crate::servicenow::error::TableError;
use crate::servicenow::query::Query;
use crate::servicenow::record::{Record, rows};
use crate::servicenow::request::{TableRequest, fields};
use crate::servicenow::session::Session;
use crate::servicenow::table::{Column, Table};
use crate::servicenow::tables::every;

impl Session {
    /// Learns from records that a refresh read singly who made them.
    pub(super) fn learn_from<'a>(&self, table: Table, found: impl IntoIterator<Item = &'a Record>) {
        if self.is_refresh {
            self.inner.prefetched.learn(table, found);
        }
    }

    /// Reads the other records of whoever made those that were read so far, where that is worth it: beside `asked` that are
    /// being read now.
    pub(super) async fn prefetch(&self, table: Table, columns: &[Column], asked: usize) {
        if !self.is_refresh {
            return;
        }
        let Some(creator) = self.inner.prefetched.due(table, columns, asked) else {
            return;
        };
        // Nobody asked for it: without it, everything goes on as before.
        if let Err(error) = self.prefetch_of(table, &creator, columns).await {
            tracing::debug!(table = table.name(), %error, "prefetching failed");
        }
    }

    async fn prefetch_of(&self, table: Table, creator: &str, columns: &[Column]) -> Result<(), TableError> {
        let cache = &self.inner.prefetched;
        let wrong = |source| TableError::Query { table, source };
        let query = Query::equals(every::SYS_CREATED_BY, creator)
            .map_err(wrong)?
            .order_by(every::SYS_ID);
        let fields = fields(columns, &[]);
        let mut offset = 0;
        loop {
            let read = cache.now();
            let reply = self
                .send(&TableRequest::list(table, &query, &fields, PAGE, offset))
                .await?;
            let records =
                rows(&reply.result).ok_or_else(|| self.unusable(table, "the response is not a list of records"))?;
            let count = records.len();
            tracing::debug!(table = table.name(), count, "prefetched");
            offset += PAGE;
            // An account that made far more than this configuration is no hint of what belongs to it.
            let is_all = count < PAGE || reply.total.is_none_or(|total| total <= offset || total > MOST);
            if !cache.put(table, read, records) || is_all {
                return Ok(());
            }
        }
    }
}

/// Rows of one request.
const PAGE: usize = 500;
/// Of more than this, one page is read.
const MOST: usize = 2500;
