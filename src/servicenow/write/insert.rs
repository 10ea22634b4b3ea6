//! Inserts, and what becomes of one whose answer is lost.
//!
//! Every insert carries a sys_id of our own making, which the instance honours (proven; a property can limit this to
//! administrators). After a lost answer the record is looked for by this key. Found, it is ours beyond doubt. Not
//! found, it is looked for by its natural key and is ours only if this account made it since the insert was sent and
//! nothing in it differs. A record without a natural key is looked for by the values that were sent, but that none is found
//! then proves nothing. Nothing found by key and natural key, it is sent again. Where the instance keeps a second record of a key out,
//! one that was there before proves that ours was not made.
//!
//! Facts: `sys-id-may-be-chosen`, `duplicates-are-refused`.

use futures_util::future::BoxFuture;
use jiff::{Timestamp, ToSpan};
use serde_json::Value as Json;
use tokio::time::Instant as Moment;

use crate::http::HttpError;
use crate::servicenow::error::UnexpectedResponse;
use crate::servicenow::query::Query;
use crate::servicenow::record::{Cell, Record, Row, Value};
use crate::servicenow::request::{TableRequest, Trouble, fields, reading};
use crate::servicenow::response;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::Column;
use crate::servicenow::tables::every;
use crate::servicenow::write::{
    After, Insert, Origin, Session, TableError, Verb, Written, mismatches, record_of, wanted,
};

impl Session {
    /// Makes a record.
    ///
    /// # Errors
    /// [`TableError::Duplicate`] when a record with its natural key kept it out, [`TableError::Hidden`] when that is one
    /// that the account may not read;
    /// [`TableError::Uncertain`] when nothing shows beyond doubt whether it was made; else [`TableError`]. With any
    /// other error nothing was made.
    pub fn insert<'a>(&'a self, insert: Insert<'a>) -> BoxFuture<'a, Result<Written, TableError>> {
        Box::pin(async move {
            // Two records alike are made one after the other, so that a lost one is not taken for the other.
            let alike = match insert.natural_key {
                Some(_) => None,
                None => sent_values(&insert.row).reduce(Query::and),
            };
            let _lock = match alike {
                Some(alike) => Some(self.lock_key(insert.table, alike).await?),
                None => None,
            };
            let sending = Sending {
                ours: SysId::random(),
                begun: Moment::now(),
                columns: wanted(&insert.row, insert.read),
            };
            let mut params = reading(&fields(&sending.columns, &[]));
            params.extend(insert.input.param());
            let mut body = insert.row.to_json();
            body.insert(every::SYS_ID.name().to_owned(), Json::from(sending.ours.as_str()));
            let mut request = TableRequest {
                table: insert.table,
                verb: Verb::Insert,
                sys_id: None,
                params,
                body: Some(body),
            };
            let mut lost = 0;
            // A page in front of a closed instance, as long as nothing else was answered: then nothing was carried out.
            let mut closed = None;
            loop {
                let why = match self.post(&request).await {
                    Posted::Made(record) => {
                        return Ok(self.made(&insert, &sending, *record, Origin::Answered).await);
                    }
                    Posted::Refused(error) | Posted::Page(error) if lost > 0 => {
                        let ended = self.refused_after_loss(&insert, &sending, error).await;
                        return ended.map_err(|error| knowing(error, &request, &sending));
                    }
                    // A property can reserve the choice of a key to administrators. Nothing was made, so it goes without.
                    Posted::Refused(error) if response::is_about_the_key(&error) && has_key(&request) => {
                        request.body.as_mut().map(|body| body.remove(every::SYS_ID.name()));
                        continue;
                    }
                    Posted::Refused(error) => {
                        let refused = self.refused(&insert, error).await;
                        // What was refused was made all the same.
                        let is_made = matches!(
                            &refused,
                            TableError::Duplicate { existing: Some(existing), .. } if *existing == sending.ours
                        );
                        if is_made {
                            return self.refused_after_loss(&insert, &sending, refused).await;
                        }
                        return Err(refused);
                    }
                    Posted::Page(error) => {
                        return match self.find_again(&insert, &sending, &error.to_string()).await {
                            Ok(Some(record)) => Ok(self.made(&insert, &sending, record, Origin::FoundAgain).await),
                            Ok(None) | Err(_) => Err(error),
                        };
                    }
                    Posted::Closed(error) => {
                        let why = error.to_string();
                        closed = (lost == 0 || closed.is_some()).then_some(error);
                        why
                    }
                    Posted::Unknown(why) => {
                        closed = None;
                        why
                    }
                };
                lost += 1;
                tracing::warn!(
                    table = insert.table.name(),
                    why,
                    "the response to an insert was lost, looking for the record"
                );
                let found = self.find_again(&insert, &sending, &why).await;
                if (lost > MAX_RESENT || found.is_err())
                    && let Some(error) = closed
                {
                    return Err(error);
                }
                match found.map_err(|error| knowing(error, &request, &sending))? {
                    Some(record) => {
                        return Ok(self.made(&insert, &sending, record, Origin::FoundAgain).await);
                    }
                    None if lost > MAX_RESENT => {
                        let detail =
                            format!("{why}; it was sent {lost} times, and nothing was found after any of them");
                        return Err(TableError::Uncertain {
                            table: insert.table,
                            detail,
                            candidate: None,
                            ours: has_key(&request).then(|| sending.ours.clone()),
                        });
                    }
                    None => {
                        let paused = self.pause(&request).await;
                        paused.map_err(|error| TableError::Uncertain {
                            table: insert.table,
                            detail: format!("{why}; {error}"),
                            candidate: None,
                            ours: has_key(&request).then(|| sending.ours.clone()),
                        })?;
                    }
                }
            }
        })
    }

    async fn post(&self, request: &TableRequest<'_>) -> Posted {
        let answer = match self.exchange(request).await {
            Ok(answer) => answer,
            Err(Trouble::Http(error @ HttpError::Uncertain { .. })) => {
                return self
                    .closed(request, &error)
                    .map_or_else(|| Posted::Unknown(error.to_string()), Posted::Closed);
            }
            Err(trouble) => return Posted::Refused(trouble.into_table_error(request.table, request.verb)),
        };
        match self.read(request, &answer) {
            Ok(reply) => match record_of(&reply.result) {
                Some(record) => Posted::Made(Box::new(record)),
                None => Posted::Unknown("the response contains no record".to_owned()),
            },
            Err(error) => {
                // A page in place of an answer, although the status says that all is well, counts as lost too.
                let is_page = matches!(error, TableError::NotTheApi { .. });
                let is_odd_page = is_page && answer.status().as_u16() == 201;
                if is_page && !is_odd_page && answer.status().is_success() {
                    return Posted::Page(error);
                }
                let is_unusable = matches!(
                    error,
                    TableError::UnusableAnswer { .. } | TableError::TransactionCancelled { .. }
                );
                let is_unknown = is_odd_page || is_unusable;
                if is_unknown {
                    Posted::Unknown(error.to_string())
                } else {
                    Posted::Refused(error)
                }
            }
        }
    }

    /// Whether an instance that is asleep or under maintenance answered: such a page comes from in front of it.
    fn closed(&self, request: &TableRequest<'_>, error: &HttpError) -> Option<TableError> {
        let HttpError::Uncertain {
            answer: Some(answer), ..
        } = error
        else {
            return None;
        };
        let error = self.read(request, answer).err()?;
        let is_closed = matches!(
            error,
            TableError::NotTheApi {
                response: UnexpectedResponse::Maintenance | UnexpectedResponse::Hibernating,
                ..
            }
        );
        is_closed.then_some(error)
    }

    /// The record exists: compare it, learn from it, and hand it over.
    async fn made(&self, insert: &Insert<'_>, sending: &Sending, record: Record, origin: Origin) -> Written {
        if let Cell::Value(name) = record.text(every::SYS_CREATED_BY) {
            self.inner.connection.learn_account(name);
        }
        self.inner.remember_made(insert.table, record.sys_id());
        let session = self.for_clearing_up();
        let written = session
            .compared(
                insert.table,
                &insert.row,
                record,
                &sending.columns,
                insert.input,
                After::Insert,
            )
            .await;
        Written { origin, ..written }
    }

    /// Whether the refusal means that the record already exists.
    async fn refused(&self, insert: &Insert<'_>, error: TableError) -> TableError {
        // A refusal for want of a right may hide that too.
        let may_be_duplicate = error.is_refusal();
        let Some(key) = insert.natural_key.as_ref().filter(|_| may_be_duplicate) else {
            return error;
        };
        // Where the instance keeps a second one out, a search can lag behind the one in the way. Else it was looked for before.
        let looks = if insert.is_kept_single() { 2 } else { 1 };
        for look in 0..looks {
            if look > 0 {
                self.wait_before_recheck().await;
            }
            let existing = match self.select(insert.table, key, &[]).await {
                Ok(existing) => existing,
                // There is one, which the account may not read.
                Err(hidden @ TableError::Hidden { .. }) if insert.is_kept_single() => return hidden,
                Err(_) => return error,
            };
            let mut present = existing
                .iter()
                .filter(|record| !self.inner.was_removed(record.sys_id()));
            if let Some(record) = present.next() {
                return TableError::Duplicate {
                    table: insert.table,
                    key: key.encoded(),
                    existing: Some(record.sys_id().clone()),
                };
            }
        }
        error
    }

    /// Sent a second time and refused: perhaps because the first one arrived after all.
    async fn refused_after_loss(
        &self,
        insert: &Insert<'_>,
        sending: &Sending,
        error: TableError,
    ) -> Result<Written, TableError> {
        let why = error.to_string();
        match self.find_again(insert, sending, &why).await? {
            Some(record) => Ok(self.made(insert, sending, record, Origin::FoundAgain).await),
            None => Err(self.refused(insert, error).await),
        }
    }

    /// Looks for the record of a lost insert. None when it is certain enough that there is none.
    async fn find_again(
        &self,
        insert: &Insert<'_>,
        sending: &Sending,
        why: &str,
    ) -> Result<Option<Record>, TableError> {
        let session = self.for_clearing_up();
        let uncertain = |detail: String, candidate: Option<SysId>| TableError::Uncertain {
            table: insert.table,
            detail,
            candidate,
            ours: None,
        };
        let by_key = session.get_alone(insert.table, &sending.ours, &sending.columns).await;
        match by_key {
            Ok(Some(record)) => return Ok(Some(record)),
            Ok(None) => {}
            Err(error) => {
                return Err(uncertain(
                    format!("{why}; looking for the record failed: {error}"),
                    None,
                ));
            }
        }
        let Some(key) = &insert.natural_key else {
            let alike = session.made_with_the_same_values(insert, sending).await;
            let detail =
                format!("{why}; the record was not found by its key, and it has nothing else to be recognised by");
            return alike.map(Some).ok_or_else(|| uncertain(detail, None));
        };
        let mut found = match session.select(insert.table, key, &sending.columns).await {
            Ok(found) => found,
            Err(hidden @ TableError::Hidden { .. }) if insert.is_kept_single() => return Err(hidden),
            Err(error) => {
                return Err(uncertain(
                    format!("{why}; looking for the record failed: {error}"),
                    None,
                ));
            }
        };
        // A search can lag behind the removal of the record that this one replaces.
        found.retain(|record| !session.inner.was_removed(record.sys_id()));
        let begun = session.inner.connection.instance_time(sending.begun);
        let mut ours = found
            .iter()
            .filter(|record| *record.sys_id() == sending.ours || session.doubt(insert, record, begun).is_none());
        match (ours.next(), ours.next(), found.first()) {
            (Some(record), None, _) => Ok(Some(record.clone())),
            (None, _, None) => Ok(None),
            (Some(_), Some(_), _) => Err(uncertain(
                format!("{why}; several records with the same key were made at the same time"),
                None,
            )),
            // It was there, and the instance keeps a second one out: ours was not made.
            (None, _, Some(record)) if insert.is_kept_single() && made_before(record, begun).is_some() => {
                Err(TableError::Duplicate {
                    table: insert.table,
                    key: key.encoded(),
                    existing: Some(record.sys_id().clone()),
                })
            }
            (None, _, Some(record)) => {
                let doubt = session.doubt(insert, record, begun).unwrap_or_default();
                let detail = format!("{why}; a record with the same key exists, but {doubt}");
                Err(uncertain(detail, Some(record.sys_id().clone())))
            }
        }
    }

    /// The record of a lost insert without a natural key, on an instance that did not use the key that it carried: the only one
    /// that has the sent values and that this account made since.
    async fn made_with_the_same_values(&self, insert: &Insert<'_>, sending: &Sending) -> Option<Record> {
        let alike = sent_values(&insert.row).take(MOST_COMPARED).reduce(Query::and)?;
        let found = self.select(insert.table, &alike, &sending.columns).await.ok()?;
        let begun = self.inner.connection.instance_time(sending.begun);
        let mut ours = found.into_iter().filter(|record| {
            !self.has_made(insert.table, record.sys_id()) && self.doubt(insert, record, begun).is_none()
        });
        let first = ours.next()?;
        ours.next().is_none().then_some(first)
    }

    /// Why a record with the same natural key may not be the one that was sent.
    fn doubt(&self, insert: &Insert<'_>, record: &Record, begun: Option<Timestamp>) -> Option<String> {
        if let Some(made) = made_before(record, begun) {
            return Some(format!("it was made at {made}, before the insert was sent"));
        }
        if begun.is_none() || record.date_time(every::SYS_CREATED_ON).value().is_none() {
            return Some("it does not show when it was made".to_owned());
        }
        match (record.text(every::SYS_CREATED_BY), self.inner.connection.account_name()) {
            (Cell::Value(by), Some(account)) if by.eq_ignore_ascii_case(&account) => {}
            (Cell::Value(by), Some(account)) => {
                return Some(format!("it was made by {by}, not by {account}"));
            }
            (Cell::Value(by), None) => {
                return Some(format!(
                    "it was made by {by}, and the account's own user name is not known"
                ));
            }
            (Cell::Empty | Cell::Hidden, _) => {
                return Some("it does not show who made it".to_owned());
            }
        }
        let different = mismatches(&insert.row, record, insert.input, After::Insert);
        let columns: Vec<&str> = different.iter().map(|mismatch| mismatch.column.name()).collect();
        (!columns.is_empty()).then(|| format!("it differs in {}", columns.join(", ")))
    }
}

impl Insert<'_> {
    /// Whether the instance refuses a second record of its key.
    fn is_kept_single(&self) -> bool {
        self.row.columns().any(|column| column.is_unique())
    }
}

/// A query for each value that was sent, where one can ask for it: it is part of an address.
fn sent_values(row: &Row) -> impl Iterator<Item = Query> {
    row.cells().iter().filter_map(|(column, value)| match value {
        Value::Text(text) if text.is_empty() || text.len() > LONGEST_COMPARED => None,
        Value::Secret(_) => None,
        value => Query::equals(*column, value.clone()).ok(),
    })
}

/// When a record was made, if that was before an insert was sent: by the instance's clock, read from its answers, in whole
/// seconds.
fn made_before(record: &Record, begun: Option<Timestamp>) -> Option<Timestamp> {
    let (made, begun) = (record.date_time(every::SYS_CREATED_ON).value()?, begun?);
    let with_slack = begun.checked_sub(CLOCK_SLACK_S.seconds()).unwrap_or(begun);
    (made < with_slack).then_some(made)
}

fn has_key(request: &TableRequest<'_>) -> bool {
    request
        .body
        .as_ref()
        .is_some_and(|body| body.contains_key(every::SYS_ID.name()))
}

/// An uncertain end, with the key under which the record is if it is.
fn knowing(mut error: TableError, request: &TableRequest<'_>, sending: &Sending) -> TableError {
    if let TableError::Uncertain { ours, .. } = &mut error {
        *ours = has_key(request).then(|| sending.ours.clone());
    }
    error
}

/// What became of one POST.
enum Posted {
    /// By a page in front of an instance that is closed: not carried out, most likely.
    Closed(TableError),
    Made(Box<Record>),
    /// Nothing was made.
    Refused(TableError),
    /// By a page in place of an answer, such as that of a sign-in: not carried out, unless the record is there.
    Page(TableError),
    /// Nobody knows.
    Unknown(String),
}

/// One insert, however often it is sent.
struct Sending {
    /// The key that we chose.
    ours: SysId,
    begun: Moment,
    /// What is read of the new record.
    columns: Vec<Column>,
}

/// How many values, and how long ones, a record without a natural key is looked for by.
const MOST_COMPARED: usize = 4;
const LONGEST_COMPARED: usize = 200;
/// How often an insert is sent again after it was proven not to have happened.
const MAX_RESENT: u32 = 4;
/// `Date` and `sys_created_on` are whole seconds of perhaps two machines, and the answer took its time.
const CLOCK_SLACK_S: i64 = 5;
