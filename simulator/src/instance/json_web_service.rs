//! `/{table}.do?JSONv2`: the older JSON web service over the same records, for clients that do not use the Table API.
//!
//! Of its actions `getRecords`, `get`, `insert`, `update` and `deleteRecord`, each for a caller that is signed in as for the
//! Table API. Errors of a record arrive with status 200, in the record's place.

use axum::http::Method;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};

use crate::instance::access_rules::ReadRules;
use crate::instance::answer::{failure, html, json_answer};
use crate::instance::caller::Caller;
use crate::instance::options::Operation;
use crate::instance::query::{NotSimulated, Query};
use crate::instance::store::{Record, value};
use crate::instance::table_api::Call;
use crate::instance::view::{Freshness, Links, Row, Shape};
use crate::instance::write_context::{Platform, Refused};
use crate::instance::{Instance, table_roles};

/// The table that a path such as `/sys_user.do` names, where the query asks for this service.
pub(super) fn table_of<'a>(path: &'a str, query: &str) -> Option<&'a str> {
    let is_asked = query.split('&').any(|part| part == "JSONv2" || part == "JSONv2=");
    let table = path.strip_prefix('/')?.strip_suffix(".do")?;
    (is_asked && !table.contains('/')).then_some(table)
}

impl Instance {
    /// Answers a call whose caller is signed in.
    pub(super) fn json_web_service_call(&self, caller: &Caller, call: &Call) -> Response {
        let Some(table) = self.inner.schema.table(&call.table).map(|table| table.name) else {
            return failure(400, &format!("Invalid table {}", call.table), None);
        };
        let default = if call.method == Method::GET { "getRecords" } else { "" };
        let action = call.param("sysparm_action").unwrap_or(default);
        let (operation, query) = match action {
            "getRecords" => (Operation::Read, call.encoded_query()),
            "get" => (Operation::Read, by_id(call)),
            "insert" => (Operation::Create, String::new()),
            "update" => (Operation::Write, call.encoded_query()),
            "deleteRecord" => (Operation::Delete, by_id(call)),
            _ => return html(400, "Bad Request"),
        };
        if let Err(denied) = self.may(caller, table, operation) {
            self.note(&denied.cause);
            return failure(
                403,
                "Operation Failed",
                Some("ACL Exception due to security constraints"),
            );
        }
        let found = match self.shown(caller, table, &query) {
            Ok(found) => found,
            Err(unknown) => return self.not_simulated(&unknown),
        };
        let written = match operation {
            Operation::Read => found.into_iter().map(Ok).collect(),
            Operation::Create | Operation::Write => match self.body_values(call, table) {
                Ok(values) if operation == Operation::Create => {
                    vec![self.with_platform(Some(caller), |platform| platform.insert(table, &values))]
                }
                Ok(values) => self.each(caller, table, &found, |platform, class, sys_id| {
                    platform.update(class, sys_id, &values)
                }),
                Err(response) => return *response,
            },
            Operation::Delete => self.each(caller, table, &found, |platform, class, sys_id| {
                let record = platform.stored(class, sys_id);
                platform.delete(class, sys_id).map(|()| record)
            }),
        };
        let records: Vec<Shown> = written.into_iter().map(|one| self.rendered(table, one)).collect();
        json_answer(200, &Records { records })
    }

    /// The records that match, without those that the caller may not see.
    fn shown(&self, caller: &Caller, table: &str, query: &str) -> Result<Vec<Record>, NotSimulated> {
        let modes = self.modes().clone();
        self.with_view(Freshness::Current, |view| {
            let query = Query::parse(view, table, query);
            query.check()?;
            let found = query.select_countable(view, table);
            let rules = ReadRules::of(view, caller, table);
            let shown = found.into_iter().filter(|(_, record)| {
                !table_roles::is_hidden(&modes, caller, table, record) && rules.shows(view, table, record)
            });
            Ok(shown.map(|(_, record)| record.clone()).collect())
        })
    }

    fn each(
        &self,
        caller: &Caller,
        table: &str,
        found: &[Record],
        write: impl Fn(&mut Platform<'_>, &'static str, &str) -> Result<Record, Refused>,
    ) -> Vec<Result<Record, Refused>> {
        let written = found.iter().filter_map(|record| {
            let sys_id = value(record, "sys_id");
            let class = self.visible_class(caller, table, sys_id)?;
            Some(self.with_platform(Some(caller), |platform| write(platform, class, sys_id)))
        });
        written.collect()
    }

    fn rendered(&self, table: &str, written: Result<Record, Refused>) -> Shown {
        let shape = Shape {
            links: Links::Excluded,
            ..Shape::default()
        };
        match written {
            Ok(record) => {
                let mut shown = self.with_view(Freshness::Current, |view| view.render(table, &record, &shape));
                shown.push("__status", "success".into());
                Shown::Record(shown)
            }
            Err(refused) => Shown::Failure(json!({
                "__status": "failure",
                "__error": { "message": "Operation Failed", "reason": refused.detail },
            })),
        }
    }
}

#[derive(Serialize)]
struct Records {
    records: Vec<Shown>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Record(Row),
    Failure(Value),
}

fn by_id(call: &Call) -> String {
    format!("sys_id={}", call.param("sysparm_sys_id").unwrap_or_default())
}
