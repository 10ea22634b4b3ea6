//! One request to the Table API and its answer: address, sign-in, and reading again what cannot be used.
//!
//! Facts: `headers-asked-for`.

use futures_util::future::BoxFuture;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};

use crate::http::header::CONTENT_TYPE;
use crate::http::{Answer, HttpError, Method, Repeat, Request};
use crate::servicenow::error::{TableError, Verb};
use crate::servicenow::query::Query;
use crate::servicenow::response::{self, Call, parse_http_date};
use crate::servicenow::session::Session;
use crate::servicenow::sign_in::SignInError;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, ColumnKind, Table};
use crate::servicenow::tables::every;

pub(super) struct TableRequest<'a> {
    pub(super) table: Table,
    pub(super) verb: Verb,
    /// None for a list and for an insert.
    pub(super) sys_id: Option<&'a SysId>,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) body: Option<Map<String, Json>>,
}

impl<'a> TableRequest<'a> {
    /// Reads one record.
    pub(super) fn record(table: Table, sys_id: &'a SysId, fields: &str) -> TableRequest<'a> {
        TableRequest {
            table,
            verb: Verb::Read,
            sys_id: Some(sys_id),
            params: reading(fields),
            body: None,
        }
    }

    /// Reads records.
    pub(super) fn list(
        table: Table,
        query: &Query,
        fields: &str,
        limit: usize,
        offset: usize,
    ) -> TableRequest<'static> {
        let mut params = vec![("sysparm_query", query.encoded())];
        params.extend(reading(fields));
        params.push(("sysparm_limit", limit.to_string()));
        if offset > 0 {
            params.push(("sysparm_offset", offset.to_string()));
        }
        TableRequest {
            table,
            verb: Verb::Read,
            sys_id: None,
            params,
            body: None,
        }
    }

    /// Path and query, percent-encoded.
    pub(super) fn target(&self) -> String {
        let mut target = format!("api/now/table/{}", self.table.name());
        if let Some(sys_id) = self.sys_id {
            target.push('/');
            target.push_str(sys_id.as_str());
        }
        for (number, (name, value)) in self.params.iter().enumerate() {
            target.push(if number == 0 { '?' } else { '&' });
            target.push_str(name);
            target.push('=');
            target.extend(utf8_percent_encode(value, IN_A_VALUE));
        }
        target
    }
}

/// A good answer.
pub(super) struct Reply {
    pub(super) result: Json,
    /// `X-Total-Count`: how many rows match, before access rules.
    pub(super) total: Option<usize>,
    /// Whether `Link` has a next page. Never followed as it is: only the offset is ours to choose.
    pub(super) has_next: bool,
}

/// Why there is no answer, before anything is made of it.
pub(super) enum Trouble {
    Http(HttpError),
    SignIn(SignInError),
}

impl Trouble {
    pub(super) fn into_table_error(self, table: Table, verb: Verb) -> TableError {
        match self {
            Trouble::Http(error) => TableError::from_http(table, verb, error),
            Trouble::SignIn(SignInError::Http(error)) => TableError::from_http(table, verb, error),
            Trouble::SignIn(source) => TableError::SignIn { source },
        }
    }
}

impl Session {
    /// Asks something that may be asked twice, and reads again what cannot be used.
    pub(super) fn send<'a>(&'a self, request: &'a TableRequest<'_>) -> BoxFuture<'a, Result<Reply, TableError>> {
        // On the heap: the state of a request is large, and a call that makes many at once would not fit on a stack.
        Box::pin(self.send_until_usable(request))
    }

    async fn send_until_usable(&self, request: &TableRequest<'_>) -> Result<Reply, TableError> {
        let mut rechecks = 0;
        loop {
            let answer = self
                .exchange(request)
                .await
                .map_err(|trouble| trouble.into_table_error(request.table, request.verb))?;
            let error = match self.read(request, &answer) {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let is_worth_another = match &error {
                TableError::UnusableAnswer { .. } | TableError::TransactionCancelled { .. } => true,
                // A list is never "not found": what an instance says so in passing is asked for again.
                TableError::Refused { .. } => answer.status().as_u16() == 404 && request.verb == Verb::Read,
                _ => false,
            };
            if !is_worth_another || rechecks == RECHECKS {
                return Err(error);
            }
            rechecks += 1;
            tracing::warn!(
                table = request.table.name(), verb = %request.verb, rechecks,
                "the response cannot be used, asking again"
            );
            self.pause(request).await?;
        }
    }

    /// Sends one request, with a fresh token if the instance refuses the first.
    pub(super) async fn exchange(&self, request: &TableRequest<'_>) -> Result<Answer, Trouble> {
        let connection = &self.inner.connection;
        let _writing = (request.verb != Verb::Read).then(|| self.inner.prefetched.writing());
        let mut may_renew = connection.credentials.can_renew();
        loop {
            let http = self.to_http(request).map_err(Trouble::Http)?;
            let signed = connection
                .credentials
                .sign(http, &connection.client, &connection.origin, &self.limits)
                .await;
            let (http, token) = signed.map_err(Trouble::SignIn)?;
            let answer = connection
                .credentials
                .send(http, &connection.client, &self.limits)
                .await;
            let answer = answer.map_err(Trouble::Http)?;
            if let Some(said) = answer.header("date").and_then(parse_http_date) {
                connection.learn_time(said);
            }
            match token {
                Some(token) if answer.status().as_u16() == 401 && may_renew => {
                    may_renew = false;
                    tracing::debug!("the instance refused the token, signing in again");
                    connection
                        .credentials
                        .refused(&token, &self.limits)
                        .await
                        .map_err(Trouble::SignIn)?;
                }
                _ => return Ok(answer),
            }
        }
    }

    /// What an answer means for what was asked.
    pub(super) fn read(&self, request: &TableRequest<'_>, answer: &Answer) -> Result<Reply, TableError> {
        let method = self.inner.connection.credentials.method();
        let call = Call {
            table: request.table,
            verb: request.verb,
            sys_id: request.sys_id,
            method,
        };
        let result = response::read(call, answer)?;
        let total = answer.header("x-total-count").and_then(|text| text.trim().parse().ok());
        let has_next = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
        Ok(Reply {
            result,
            total,
            has_next,
        })
    }

    /// Waits before a recheck.
    pub(super) async fn pause(&self, request: &TableRequest<'_>) -> Result<(), TableError> {
        let pause = self.inner.connection.timing.recheck_pause;
        self.limits
            .sleep(pause)
            .await
            .map_err(|error| TableError::from_http(request.table, request.verb, error))
    }

    fn to_http(&self, request: &TableRequest<'_>) -> Result<Request, HttpError> {
        let (method, repeat) = match request.verb {
            Verb::Read => (Method::GET, Repeat::Idempotent),
            Verb::Insert => (Method::POST, Repeat::Never),
            Verb::Update => (Method::PATCH, Repeat::Idempotent),
            Verb::Delete => (Method::DELETE, Repeat::Idempotent),
        };
        let url = self.inner.connection.origin.join(&request.target())?;
        let http = Request::new(method, url, &self.inner.connection.origin, repeat).table(request.table.name());
        match (&request.body, request.verb) {
            (Some(body), _) => http.json(body),
            // The instance answers 400 to a DELETE without one.
            (None, Verb::Delete) => http.header(CONTENT_TYPE, "application/json"),
            (None, Verb::Read | Verb::Insert | Verb::Update) => Ok(http),
        }
    }
}

/// The value of `sysparm_fields`: the key, then each column that can be read, once.
pub(super) fn fields<'a>(columns: impl IntoIterator<Item = &'a Column>, extra: &[&'a str]) -> String {
    let mut names: Vec<&'a str> = vec![every::SYS_ID.name()];
    let readable = columns.into_iter().filter(|column| column.kind() != ColumnKind::Secret);
    for name in readable
        .map(|column| -> &'a str { column.name() })
        .chain(extra.iter().copied())
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(",")
}

/// Parameters of every call that answers with rows. References come as bare keys, which is what we send as well.
pub(super) fn reading(fields: &str) -> Vec<(&'static str, String)> {
    vec![
        (FIELDS, fields.to_owned()),
        ("sysparm_display_value", "false".to_owned()),
        ("sysparm_exclude_reference_link", "true".to_owned()),
    ]
}

/// The parameter with the names of the columns that are wanted; all of them without it.
pub(super) const FIELDS: &str = "sysparm_fields";
/// How often an unusable answer is asked for again.
const RECHECKS: u32 = 2;

/// RFC 3986, and the comma, which no server splits on before decoding and which fills lists of columns and keys.
const IN_A_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::tables::{oauth_entity, sys_user};

    #[test]
    fn the_address_is_percent_encoded() {
        let query = Query::equals(sys_user::USER_NAME, "a&b=c d#é%+").unwrap();
        let request = TableRequest::list(
            sys_user::TABLE,
            &query,
            &fields(&[sys_user::USER_NAME], &["sys_created_on"]),
            5,
            10,
        );

        assert_eq!(
            request.target(),
            "api/now/table/sys_user?sysparm_query=user_name%3Da%26b%3Dc%20d%23%C3%A9%25%2B\
             &sysparm_fields=sys_id,user_name,sys_created_on&sysparm_display_value=false\
             &sysparm_exclude_reference_link=true&sysparm_limit=5&sysparm_offset=10"
        );
    }

    #[test]
    fn a_secret_is_never_asked_for() {
        let asked = fields(
            &[oauth_entity::NAME, oauth_entity::CLIENT_SECRET, oauth_entity::NAME],
            &[],
        );
        assert_eq!(asked, "sys_id,name");
    }

    #[test]
    fn an_http_date_is_read() {
        let date = parse_http_date("Mon, 23 Nov 2026 07:22:00 GMT").unwrap();
        assert_eq!(date, "2026-11-23T07:22:00Z".parse().unwrap());
    }
}
