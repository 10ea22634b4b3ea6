//! Single records, by key or by natural key. Reads of one table that arrive together become one request.
//!
//! Facts: `absent-record-is-404`, `hidden-columns-are-left-out`, `unknown-columns-are-left-out`,
//! `references-are-bare-ids`, `reads-follow-writes`.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, join_all};

use crate::servicenow::error::{TableError, Verb};
use crate::servicenow::keyed_map::entry_of;
use crate::servicenow::lookup;
use crate::servicenow::pages::Unseen;
use crate::servicenow::query::{Query, Verdict};
use crate::servicenow::read_batch::Batch;
use crate::servicenow::record::{Record, rows};
use crate::servicenow::request::{FIELDS, TableRequest, fields};
use crate::servicenow::session::Session;
use crate::servicenow::shared_state::{Seen, WantedRecord as Wanted};
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, Table};
use crate::servicenow::tables::{every, sys_metadata};

impl Session {
    /// The record with this key. None only where its absence is proven: 404 also answers to what the account may not
    /// read, and now and then to what is there.
    ///
    /// ```no_run
    /// # use servicenow_provider::servicenow::tables::sys_user::{ACTIVE, TABLE, USER_NAME};
    /// # use servicenow_provider::servicenow::{Query, Session, SysId, TableError};
    /// # async fn example(session: &Session, sys_id: &SysId, query: &Query) -> Result<(), TableError> {
    /// if let Some(user) = session.get_opt(TABLE, sys_id, &[USER_NAME]).await? {
    ///     println!("{:?}", user.text(USER_NAME));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TableError::Hidden`] for a record that the account may not read, [`TableError::Unproven`] where the instance
    /// does not count; else [`TableError`].
    pub fn get_opt<'a>(
        &'a self,
        table: Table,
        sys_id: &'a SysId,
        columns: &'a [Column],
    ) -> BoxFuture<'a, Result<Option<Record>, TableError>> {
        Box::pin(async move {
            if self.is_refresh
                && let Some(record) = self.inner.prefetched.take(table, sys_id, columns)
            {
                return Ok(Some(record));
            }
            let batch = entry_of(&self.inner.finds.by_id, table, Batch::default);
            let wanted = Wanted {
                sys_id: sys_id.clone(),
                columns: columns.to_vec(),
                is_refresh: self.is_refresh,
            };
            let together = |wanted| self.get_batch(table, wanted);
            let seen = batch.ask(wanted, &self.limits, together).await;
            match seen.map_err(|reason| reason.of(table))? {
                Seen::Record(record) => Ok(Some(record)),
                // Hidden or absent, or the list lags.
                Seen::NotListed => self.get_alone(table, sys_id, columns).await,
                Seen::NotFound => self.counted(table, sys_id, columns).await,
            }
        })
    }

    /// The record with this key.
    ///
    /// ```no_run
    /// # use servicenow_provider::servicenow::tables::sys_user::{ACTIVE, TABLE, USER_NAME};
    /// # use servicenow_provider::servicenow::{Query, Session, SysId, TableError};
    /// # async fn example(session: &Session, sys_id: &SysId, query: &Query) -> Result<(), TableError> {
    /// let user = session.get(TABLE, sys_id, &[USER_NAME]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TableError::NotFound`] if there is none, else as [`Session::get_opt`].
    pub async fn get(&self, table: Table, sys_id: &SysId, columns: &[Column]) -> Result<Record, TableError> {
        let found = self.get_opt(table, sys_id, columns).await?;
        found.ok_or_else(|| TableError::NotFound {
            table,
            sys_id: sys_id.clone(),
        })
    }

    /// The record with every column that the account may read, as an import wants it: the names of all columns of a wide table
    /// do not fit into an address.
    ///
    /// # Errors
    /// As [`Session::get_opt`].
    pub async fn get_whole(&self, table: Table, sys_id: &SysId) -> Result<Option<Record>, TableError> {
        let mut request = TableRequest::record(table, sys_id, "");
        request.params.retain(|(name, _)| *name != FIELDS);
        match self.one(&request, sys_id).await? {
            Some(record) => Ok(Some(record)),
            None if self.counted(table, sys_id, &[]).await?.is_none() => Ok(None),
            // A list shows it, so that there is none was not true.
            None => match self.one(&request, sys_id).await? {
                Some(record) => Ok(Some(record)),
                None => Err(TableError::NotFound {
                    table,
                    sys_id: sys_id.clone(),
                }),
            },
        }
    }

    /// Whether a record of the table shows a column, which proves that the table has it; none where no record is shown.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn shows_column(&self, table: Table, column: Column) -> Result<Option<bool>, TableError> {
        let request = TableRequest::list(table, &Query::every_row(), &fields(&[column], &[]), 1, 0);
        let reply = self.send(&request).await?;
        let rows = rows(&reply.result).ok_or_else(|| self.unusable(table, "the response is not a list of records"))?;
        Ok(rows.first().map(|row| !row.text(column).is_hidden()))
    }

    /// The one record that a natural key means. Where several differ in case or in blanks at the end only, which the
    /// instance takes for equal, it is the one that is equal letter by letter.
    ///
    /// ```no_run
    /// # use servicenow_provider::servicenow::tables::sys_user::{ACTIVE, TABLE, USER_NAME};
    /// # use servicenow_provider::servicenow::{Query, Session, SysId, TableError};
    /// # async fn example(session: &Session, sys_id: &SysId, query: &Query) -> Result<(), TableError> {
    /// let user = session.find_unique(TABLE, query, &[USER_NAME, ACTIVE]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TableError::Ambiguous`] for several, with their keys; [`TableError::Hidden`] when records match that the
    /// account may not read.
    pub async fn find_unique(
        &self,
        table: Table,
        query: &Query,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        let mut records = self.select(table, query, columns).await?;
        if records.len() > 1 && records.iter().any(|record| query.is_exact(record)) {
            records.retain(|record| query.is_exact(record));
        }
        match records.len() {
            0 | 1 => Ok(records.pop()),
            _ => Err(TableError::Ambiguous {
                table,
                query: query.encoded(),
                sys_ids: records.iter().map(|record| record.sys_id().clone()).collect(),
            }),
        }
    }

    /// The keys of the records that a natural key means. Those of one table that are a single condition are asked for
    /// together.
    ///
    /// # Errors
    /// As [`Session::select`].
    async fn ids_of(&self, table: Table, key: &Query) -> Result<Vec<SysId>, TableError> {
        if !key.is_one_condition() {
            return Ok(ids(&self.select(table, key, &[]).await?));
        }
        let batch = entry_of(&self.inner.finds.by_key, table, Batch::default);
        let together = |keys| self.ids_of_batch(table, keys);
        let answer = batch.ask(key.clone(), &self.limits, together).await;
        answer.map_err(|reason| reason.of(table))
    }

    /// Answers in the order of the questions.
    async fn ids_of_batch(&self, table: Table, keys: Vec<Query>) -> Vec<Result<Vec<SysId>, TableError>> {
        let chunks = lookup::chunks(keys.iter(), |key| key.encoded().len() + ENCODED_JOINT);
        let chunks = chunks.into_iter().map(|chunk| self.ids_of_chunk(table, chunk));
        join_all(chunks).await.concat()
    }

    async fn ids_of_chunk(&self, table: Table, keys: Vec<&Query>) -> Vec<Result<Vec<SysId>, TableError>> {
        let any = keys.iter().copied().cloned().reduce(Query::or);
        let any = any.unwrap_or_else(Query::every_row);
        let (is_complete, found) = match self.selection(table, &any, &[]).await {
            Ok(found) => (found.is_complete(), found.records),
            Err(TableError::Hidden { .. }) => (false, Vec::new()),
            Err(error) => return keys.iter().map(|_| Err(error.clone())).collect(),
        };
        let answers = keys.iter().map(|key| {
            let meant = found.iter().filter(|record| key.judge(record) == Verdict::Meant);
            let meant: Vec<SysId> = meant.map(|record| record.sys_id().clone()).collect();
            async move {
                if meant.is_empty() && !is_complete {
                    // What was not shown may be this one's.
                    return Ok(ids(&self.select(table, key, &[]).await?));
                }
                Ok(meant)
            }
        });
        join_all(answers).await
    }

    /// A record that matches and is there: a search can lag behind a removal, such as that of a replacement. So what this
    /// process removed does not count, and anything else is looked at by itself.
    ///
    /// ```no_run
    /// # use servicenow_provider::servicenow::tables::sys_user::{ACTIVE, TABLE, USER_NAME};
    /// # use servicenow_provider::servicenow::{Query, Session, SysId, TableError};
    /// # async fn example(session: &Session, sys_id: &SysId, query: &Query) -> Result<(), TableError> {
    /// let existing = session.find_existing(TABLE, query, &[USER_NAME]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::select`].
    pub fn find_existing<'a>(
        &'a self,
        table: Table,
        query: &'a Query,
        columns: &'a [Column],
    ) -> BoxFuture<'a, Result<Option<Record>, TableError>> {
        Box::pin(async move {
            for sys_id in self.ids_of(table, query).await? {
                if let Some(record) = self.present(table, &sys_id, columns).await? {
                    return Ok(Some(record));
                }
            }
            Ok(None)
        })
    }

    /// A record that a search showed, unless this process removed it or it is gone.
    ///
    /// # Errors
    /// [`TableError`].
    pub(super) async fn present(
        &self,
        table: Table,
        sys_id: &SysId,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        if self.inner.was_removed(sys_id) {
            return Ok(None);
        }
        self.get_opt(table, sys_id, columns).await
    }

    /// One GET of one record by itself. None on 404, unconfirmed.
    pub(super) async fn get_once(
        &self,
        table: Table,
        sys_id: &SysId,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        let request = TableRequest::record(table, sys_id, &fields(columns, &[]));
        self.one(&request, sys_id).await
    }

    /// The answer to a GET of one record. None on 404, unconfirmed.
    async fn one(&self, request: &TableRequest<'_>, sys_id: &SysId) -> Result<Option<Record>, TableError> {
        let reply = match self.send(request).await {
            Ok(reply) => reply,
            Err(TableError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // An instance that ignores the key would answer with a list.
        let record = reply.result.as_object().and_then(Record::from_json);
        match record {
            Some(record) if record.sys_id() == sys_id => Ok(Some(record)),
            Some(_) | None => {
                let detail = "the response contains a different record than the one requested";
                Err(self.unusable(request.table, detail))
            }
        }
    }

    /// A GET, and where it says that there is no such record, a list that counts.
    pub(super) fn get_alone<'a>(
        &'a self,
        table: Table,
        sys_id: &'a SysId,
        columns: &'a [Column],
    ) -> BoxFuture<'a, Result<Option<Record>, TableError>> {
        Box::pin(async move {
            match self.get_once(table, sys_id, columns).await? {
                Some(record) => Ok(Some(record)),
                None => self.counted(table, sys_id, columns).await,
            }
        })
    }

    /// A record that a GET did not find, in a list that counts, after a pause: only both together prove an absence, and
    /// both can lag behind a write. The list is asked twice, because for a hidden record it is the only evidence.
    async fn counted(&self, table: Table, sys_id: &SysId, columns: &[Column]) -> Result<Option<Record>, TableError> {
        for _ in 0..2 {
            if let Some(record) = self.counted_once(table, sys_id, columns).await? {
                return Ok(Some(record));
            }
        }
        self.shows_something(table).await?;
        if self.is_application_file(table, sys_id).await? {
            let what = format!(
                "the record {sys_id}, which {} has too, but does not show it to the account",
                sys_metadata::TABLE
            );
            return Err(TableError::Hidden { table, what });
        }
        Ok(None)
    }

    /// Whether a record that its own table neither shows nor counts is there as an application file. Business rules that take
    /// the rows of a table out of its lists do not run on a query of the table that it extends. An account that may not read
    /// application files learns nothing from that. Seen twice, as the answer may be older than a removal.
    /// Facts: `application-files-have-a-common-table`.
    async fn is_application_file(&self, table: Table, sys_id: &SysId) -> Result<bool, TableError> {
        let query = Query::key(sys_id);
        for _ in 0..2 {
            match self.selection(sys_metadata::TABLE, &query, &[]).await {
                Ok(found) if !found.records.is_empty() || matches!(found.unseen, Unseen::Rows(1..)) => {}
                Ok(_) | Err(_) => return Ok(false),
            }
            self.pause(&TableRequest::record(table, sys_id, "")).await?;
        }
        Ok(true)
    }

    async fn counted_once(
        &self,
        table: Table,
        sys_id: &SysId,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        self.pause(&TableRequest::record(table, sys_id, "")).await?;
        let found = self.selection(table, &Query::key(sys_id), columns).await?;
        match (found.records.into_iter().next(), found.unseen) {
            (Some(record), _) => Ok(Some(record)),
            (None, Unseen::Rows(0)) => Ok(None),
            (None, Unseen::Rows(_)) => {
                let what = format!("the record {sys_id}, but the account may not read it");
                Err(TableError::Hidden { table, what })
            }
            (None, Unseen::Uncounted) => Err(self.unproven(table, format!("record {sys_id}"))),
        }
    }

    pub(super) fn unusable(&self, table: Table, detail: &str) -> TableError {
        TableError::UnusableAnswer {
            host: self.inner.connection.origin.host(),
            table,
            verb: Verb::Read,
            detail: detail.to_owned(),
        }
    }

    /// Answers in the order of the questions. What was prefetched while they waited is not asked for again.
    async fn get_batch(&self, table: Table, wanted: Vec<Wanted>) -> Vec<Result<Seen, TableError>> {
        let prefetched = |one: &Wanted| {
            let cache = &self.inner.prefetched;
            let record = one.is_refresh.then(|| cache.take(table, &one.sys_id, &one.columns));
            record.flatten().map(|record| Ok(Seen::Record(record)))
        };
        let answers: Vec<_> = wanted.iter().map(prefetched).collect();
        let open = wanted.into_iter().zip(&answers).filter(|(_, answer)| answer.is_none());
        let open: Vec<Wanted> = open.map(|(one, _)| one).collect();
        let mut read = self.get_open(table, open).await.into_iter();
        // Those after one that is missing get none either, in place of another's.
        answers
            .into_iter()
            .map_while(|answer| answer.or_else(|| read.next()))
            .collect()
    }

    async fn get_open(&self, table: Table, wanted: Vec<Wanted>) -> Vec<Result<Seen, TableError>> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut columns: Vec<Column> = Vec::new();
        for column in wanted
            .iter()
            .flat_map(|one| &one.columns)
            .chain([&every::SYS_CREATED_BY])
        {
            if !columns.contains(column) {
                columns.push(*column);
            }
        }
        let (seen, ()) = tokio::join!(
            self.read_batch(table, &wanted, &columns),
            self.prefetch(table, &columns, wanted.len())
        );
        seen
    }

    async fn read_batch(&self, table: Table, wanted: &[Wanted], columns: &[Column]) -> Vec<Result<Seen, TableError>> {
        if let [one] = wanted {
            let answer = self.get_once(table, &one.sys_id, columns).await;
            self.learn_from(table, answer.iter().flatten());
            return vec![answer.map(|found| found.map_or(Seen::NotFound, Seen::Record))];
        }
        let fields = fields(columns, &[]);
        let mut ids: Vec<SysId> = wanted.iter().map(|one| one.sys_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let chunks = join_all(
            chunks_of_ids(table, &ids, &fields)
                .into_iter()
                .map(|ids| self.get_chunk(table, ids, &fields)),
        );
        let mut found: HashMap<SysId, Record> = HashMap::new();
        for chunk in chunks.await {
            match chunk {
                Ok(records) => found.extend(records.into_iter().map(|record| (record.sys_id().clone(), record))),
                // The table may open single records and refuse lists: each is then asked for by itself.
                Err(
                    TableError::Refused { .. }
                    | TableError::BadRequest { .. }
                    | TableError::UnusableAnswer { .. }
                    | TableError::TransactionCancelled { .. },
                ) => {}
                Err(error) => return wanted.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        self.learn_from(table, found.values());
        let seen = |one: &Wanted| found.get(&one.sys_id).cloned().map_or(Seen::NotListed, Seen::Record);
        wanted.iter().map(|one| Ok(seen(one))).collect()
    }

    async fn get_chunk(&self, table: Table, ids: &[SysId], fields: &str) -> Result<Vec<Record>, TableError> {
        let request = TableRequest::list(table, &Query::keys(ids), fields, ids.len(), 0);
        let reply = self.send(&request).await?;
        let records =
            rows(&reply.result).ok_or_else(|| self.unusable(table, "the response is not a list of records"))?;
        // An instance that ignores the query answers with rows that nobody asked for.
        Ok(records
            .into_iter()
            .filter(|record| ids.contains(record.sys_id()))
            .collect())
    }
}

fn ids(records: &[Record]) -> Vec<SysId> {
    records.iter().map(|record| record.sys_id().clone()).collect()
}

/// Cuts a list of keys so that each address stays below what proxies and the instance take.
fn chunks_of_ids<'a>(table: Table, ids: &'a [SysId], fields: &str) -> Vec<&'a [SysId]> {
    let bare = TableRequest::list(table, &Query::keys(&ids[..ids.len().min(1)]), fields, MAX_CHUNK, 0)
        .target()
        .len();
    let left = MAX_ADDRESS.saturating_sub(bare + HOST_LENGTH);
    let per_chunk = (left / (SYS_ID_LENGTH + 1)).clamp(1, MAX_CHUNK);
    ids.chunks(per_chunk).collect()
}

/// Above this, addresses get 414.
const MAX_ADDRESS: usize = 2048;
/// Scheme and host, which count too.
const HOST_LENGTH: usize = 80;
const SYS_ID_LENGTH: usize = 32;
/// What `^OR` and `=` need in an address.
const ENCODED_JOINT: usize = 8;
const MAX_CHUNK: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::tables::sys_user;

    #[test]
    fn no_address_is_longer_than_the_instance_takes() {
        let ids: Vec<SysId> = (0..1000).map(|_| SysId::random()).collect();
        let fields = fields(sys_user::COLUMNS, &[]);

        let chunks = chunks_of_ids(sys_user::TABLE, &ids, &fields);

        assert_eq!(chunks.iter().map(|chunk| chunk.len()).sum::<usize>(), 1000);
        assert!(chunks[0].len() > 40, "{}", chunks[0].len());
        for chunk in chunks {
            let target = TableRequest::list(sys_user::TABLE, &Query::keys(chunk), &fields, chunk.len(), 0).target();
            assert!(target.len() + HOST_LENGTH <= MAX_ADDRESS, "{}", target.len());
        }
    }
}
