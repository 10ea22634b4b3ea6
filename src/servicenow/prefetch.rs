//! Prefetching: whoever refreshes the records of a configuration one after the other will read the rest of them too.
//!
//! Terraform refreshes ten resources at a time, so a thousand of them cost a hundred round trips one after the other,
//! however well they are merged. Once some records of a table were read and one account made them all, the others that it
//! made are read in one go, together with the next read, and the refreshes that follow find theirs in the cache.

pub(super) mod cache; // What was prefetched and not asked for yet.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

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
        let is_kept = match timeout(PATIENCE, self.prefetch_of(table, &creator, columns)).await {
            Ok(Ok(is_kept)) => is_kept,
            Ok(Err(error)) => {
                tracing::debug!(table = table.name(), %error, "prefetching failed");
                false
            }
            Err(_) => {
                tracing::debug!(table = table.name(), "prefetching takes too long");
                false
            }
        };
        if !is_kept {
            // The instance is too slow for it, or does not allow it: then it only delays what is asked for.
            self.inner.prefetched.give_up(table);
        }
    }

    /// Whether all that was read can be used.
    async fn prefetch_of(&self, table: Table, creator: &str, columns: &[Column]) -> Result<bool, TableError> {
        let cache = &self.inner.prefetched;
        let wrong = TableError::of_query(table);
        let query = Query::equals(every::SYS_CREATED_BY, creator)
            .map_err(wrong)?
            .order_by(every::SYS_ID);
        let fields = fields(columns, &[]);
        let page = async |offset: usize| {
            let read = cache.now();
            let reply = self
                .send(&TableRequest::list(table, &query, &fields, PAGE, offset))
                .await?;
            let records =
                rows(&reply.result).ok_or_else(|| self.unusable(table, "the response is not a list of records"))?;
            tracing::debug!(table = table.name(), count = records.len(), "prefetched");
            Ok::<_, TableError>((cache.put(table, read, records), reply.total))
        };
        let (is_kept, total) = page(0).await?;
        // An account that made far more than this configuration is no hint of what belongs to it.
        let total = total.filter(|total| is_kept && *total <= MOST).unwrap_or_default();
        let others = join_all((PAGE..total).step_by(PAGE).map(page)).await;
        let others: Vec<(bool, _)> = others.into_iter().collect::<Result<_, _>>()?;
        Ok(is_kept && others.iter().all(|(is_kept, _)| *is_kept))
    }
}

/// How long it may keep the reads waiting beside which it goes.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rows of one request.
const PAGE: usize = 500;
/// Of more than this, one page is read.
const MOST: usize = 2500;
