//! Single records, by key or by natural key. Reads of one table that arrive together become one request.

use std::collections::HashMap;

use super::batch::Gather;
use super::caches::WantedRecord as Wanted;
use super::error::{TableError, Verb};
use super::lookup;
use super::query::{Query, Verdict};
use super::record::{Record, rows};
use super::request::{Ask, fields};
use super::select::Unseen;
use super::session::Session;
use super::shared::entry_of;
use super::sys_id::SysId;
use super::table::{Column, Table};
use super::tables::every;

impl Session {
    /// The record with this key. None only where its absence is proven: 404 also answers to what the account may not
    /// read, and now and then to what is there.
    ///
    /// # Errors
    /// [`TableError::Hidden`] for a record that the account may not read, [`TableError::Unproven`] where the instance
    /// does not count; else [`TableError`].
    pub async fn find(&self, table: Table, sys_id: &SysId, columns: &[Column]) -> Result<Option<Record>, TableError> {
        if let Some(record) = self.inner.ahead.take(table, sys_id, columns) {
            return Ok(Some(record));
        }
        let gather = entry_of(&self.inner.finds.by_id, table, Gather::default);
        let wanted = Wanted {
            sys_id: sys_id.clone(),
            columns: columns.to_vec(),
        };
        let together = |wanted| self.find_together(table, wanted);
        let answer = gather
            .ask(
                wanted,
                self.inner.connection.timing.batch_window,
                &self.limits,
                together,
            )
            .await;
        answer.map_err(|reason| reason.of(table))
    }

    /// The record with this key.
    ///
    /// # Errors
    /// [`TableError::NotFound`] if there is none, else as [`Session::find`].
    pub async fn fetch(&self, table: Table, sys_id: &SysId, columns: &[Column]) -> Result<Record, TableError> {
        let found = self.find(table, sys_id, columns).await?;
        found.ok_or_else(|| TableError::NotFound {
            table,
            sys_id: sys_id.clone(),
        })
    }

    /// The one record that a natural key means. Where several differ in case or in blanks at the end only, which the
    /// instance takes for equal, it is the one that is equal letter by letter.
    ///
    /// # Errors
    /// [`TableError::Ambiguous`] for several, with their keys; [`TableError::Hidden`] when records match that the
    /// account may not read.
    pub async fn find_one(
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
        let gather = entry_of(&self.inner.finds.by_key, table, Gather::default);
        let together = |keys| self.ids_together(table, keys);
        let answer = gather
            .ask(
                key.clone(),
                self.inner.connection.timing.batch_window,
                &self.limits,
                together,
            )
            .await;
        answer.map_err(|reason| reason.of(table))
    }

    /// Answers in the order of the questions.
    async fn ids_together(&self, table: Table, keys: Vec<Query>) -> Vec<Result<Vec<SysId>, TableError>> {
        let parts = lookup::parts(keys.iter(), |key| key.encoded().len() + ENCODED_JOINT);
        let parts = parts.into_iter().map(|part| self.ids_of_part(table, part));
        futures_util::future::join_all(parts).await.concat()
    }

    async fn ids_of_part(&self, table: Table, keys: Vec<&Query>) -> Vec<Result<Vec<SysId>, TableError>> {
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
        futures_util::future::join_all(answers).await
    }

    /// A record that matches and is there: a search can lag behind a removal, such as that of a replacement. So what this
    /// process removed does not count, and anything else is looked at by itself.
    ///
    /// # Errors
    /// As [`Session::select`].
    pub async fn find_present(
        &self,
        table: Table,
        query: &Query,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        for sys_id in self.ids_of(table, query).await? {
            if let Some(record) = self.confirm(table, &sys_id, columns).await? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// A record that a search showed, unless this process removed it or it is gone.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn confirm(
        &self,
        table: Table,
        sys_id: &SysId,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        if self.inner.was_removed(sys_id) {
            return Ok(None);
        }
        self.find(table, sys_id, columns).await
    }

    /// One GET of one record, without company. None on 404, unconfirmed.
    pub(super) async fn look(
        &self,
        table: Table,
        sys_id: &SysId,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        let ask = Ask::record(table, sys_id, &fields(columns, &[]));
        let reply = match self.ask(&ask).await {
            Ok(reply) => reply,
            Err(TableError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // An instance that ignores the key would answer with a list.
        let record = reply.result.as_object().and_then(Record::from_json);
        match record {
            Some(record) if record.sys_id() == sys_id => Ok(Some(record)),
            Some(_) | None => Err(self.odd(table, "it holds another record than the one that was asked for")),
        }
    }

    /// A GET, and where it says that there is no such record, a list that counts, after a pause: only both together
    /// prove an absence, and both can lag behind a write.
    pub(super) async fn find_alone(
        &self,
        table: Table,
        sys_id: &SysId,
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        if let Some(record) = self.look(table, sys_id, columns).await? {
            return Ok(Some(record));
        }
        self.pause(&Ask::record(table, sys_id, "")).await?;
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

    pub(super) fn odd(&self, table: Table, detail: &str) -> TableError {
        TableError::Garbled {
            host: self.inner.connection.origin.host(),
            table,
            verb: Verb::Read,
            detail: detail.to_owned(),
        }
    }

    /// Answers in the order of the questions.
    async fn find_together(&self, table: Table, wanted: Vec<Wanted>) -> Vec<Result<Option<Record>, TableError>> {
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
        if let [one] = wanted.as_slice() {
            let answer = self.find_alone(table, &one.sys_id, &columns).await;
            if let Ok(Some(record)) = &answer {
                self.learn_from(table, &columns, [record]);
            }
            return vec![answer];
        }
        let fields = fields(&columns, &[]);
        let mut ids: Vec<SysId> = wanted.iter().map(|one| one.sys_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let parts = futures_util::future::join_all(
            parts(table, &ids, &fields)
                .into_iter()
                .map(|ids| self.find_part(table, ids, &fields)),
        );
        let mut found: HashMap<SysId, Record> = HashMap::new();
        for part in parts.await {
            match part {
                Ok(records) => found.extend(records.into_iter().map(|record| (record.sys_id().clone(), record))),
                // The table may open single records and refuse lists: each is asked for by itself below.
                Err(
                    TableError::Refused { .. }
                    | TableError::BadRequest { .. }
                    | TableError::Garbled { .. }
                    | TableError::TransactionCancelled { .. },
                ) => {}
                Err(error) => return wanted.iter().map(|_| Err(error.clone())).collect(),
            }
        }
        self.learn_from(table, &columns, found.values());
        let answers = wanted.iter().map(|one| {
            let known = found.get(&one.sys_id).cloned();
            async move {
                match known {
                    Some(record) => Ok(Some(record)),
                    // Hidden or absent, or the list lags.
                    None => self.find_alone(table, &one.sys_id, &one.columns).await,
                }
            }
        });
        futures_util::future::join_all(answers).await
    }

    async fn find_part(&self, table: Table, ids: &[SysId], fields: &str) -> Result<Vec<Record>, TableError> {
        let ask = Ask::list(table, &Query::keys(ids), fields, ids.len(), 0);
        let reply = self.ask(&ask).await?;
        let records = rows(&reply.result).ok_or_else(|| self.odd(table, "it is no list of records"))?;
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
fn parts<'a>(table: Table, ids: &'a [SysId], fields: &str) -> Vec<&'a [SysId]> {
    let bare = Ask::list(table, &Query::keys(&ids[..ids.len().min(1)]), fields, MAX_PART, 0)
        .target()
        .len();
    let room = MAX_ADDRESS.saturating_sub(bare + HOST_ROOM);
    let per_part = (room / (SYS_ID_LENGTH + 1)).clamp(1, MAX_PART);
    ids.chunks(per_part).collect()
}

/// Above this, addresses get 414.
const MAX_ADDRESS: usize = 2048;
/// Scheme and host, which count too.
const HOST_ROOM: usize = 80;
const SYS_ID_LENGTH: usize = 32;
/// What `^OR` and `=` need in an address.
const ENCODED_JOINT: usize = 8;
const MAX_PART: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::tables::sys_user;

    #[test]
    fn no_address_is_longer_than_the_instance_takes() {
        let ids: Vec<SysId> = (0..1000).map(|_| SysId::random()).collect();
        let fields = fields(sys_user::COLUMNS, &[]);

        let parts = parts(sys_user::TABLE, &ids, &fields);

        assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), 1000);
        assert!(parts[0].len() > 40, "{}", parts[0].len());
        for part in parts {
            let target = Ask::list(sys_user::TABLE, &Query::keys(part), &fields, part.len(), 0).target();
            assert!(target.len() + HOST_ROOM <= MAX_ADDRESS, "{}", target.len());
        }
    }
}
