//! Replays the recordings of `tests/recordings`, or of the folder that `RECORDINGS` names: the client encodes each request again as it
//! was recorded, and must take the response for what the recording says. `BLESS=1` writes down what it takes it for.

#![expect(
    clippy::disallowed_methods,
    reason = "BLESS and RECORDINGS are for whoever runs this test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use project_recordings::{Exchange, Recording};

use super::*;
use crate::servicenow::error::Verb;
use crate::servicenow::record::rows;
use crate::servicenow::request::TableRequest;
use crate::servicenow::tables::{
    ip_access, oauth_entity, oauth_oidc_entity, oidc_provider_configuration, sys_scope_privilege, sys_user,
    sys_user_has_role,
};

#[tokio::test]
async fn every_recording_is_read_as_it_says() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let named = std::env::var_os("RECORDINGS").map(PathBuf::from);
    let is_blessed = std::env::var_os("BLESS").is_some();
    let mut replayed = 0;
    let recordings = project_recordings::all(named.as_deref().unwrap_or(&own)).unwrap();
    for (path, mut recording) in recordings {
        for (number, exchange) in recording.exchanges.iter_mut().enumerate() {
            let place = format!("{}, exchange {}", path.display(), number + 1);
            let read_as = replay(exchange, &place).await;
            replayed += 1;
            // A run writes down what came, and not how it was read.
            if is_blessed || (named.is_some() && exchange.read_as.is_empty()) {
                exchange.read_as = read_as;
                continue;
            }
            assert_eq!(
                read_as, exchange.read_as,
                "{place}: BLESS=1 accepts what stands on the left"
            );
        }
        if is_blessed {
            project_recordings::write(&path, &recording).unwrap();
        }
    }
    assert!(replayed > 0, "there are no recordings");
}

#[test]
fn a_recording_says_where_it_comes_from() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    for (path, Recording { about, origin, .. }) in project_recordings::all(&folder).unwrap() {
        for text in [about, origin] {
            assert!(text.len() > 20 && text.ends_with('.'), "{}: {text:?}", path.display());
        }
    }
}

/// Sends the request with the client to a server that gives the recorded response. Says what the client takes it for.
async fn replay(exchange: &Exchange, place: &str) -> String {
    let response = exchange.response.clone();
    let body = match (&response.body, &response.text) {
        (Some(body), None) => body.to_string(),
        (None, text) => text.clone().unwrap_or_default(),
        (Some(_), Some(_)) => panic!("{place}: a response has one body"),
    };
    let headers: Vec<(String, String)> = response.headers.clone().into_iter().collect();
    let server = Server::by(move |_| Reply::Answer(response.status, headers.clone(), body.clone())).await;
    let session = session(&server);
    let (table, key) = exchange
        .request
        .target()
        .unwrap_or_else(|| panic!("{place}: not the Table API"));
    let table = Table::named(table).unwrap_or_else(|| panic!("{place}: {table} is no table"));
    let key = key.map(|key| SysId::parse(key).unwrap_or_else(|_| panic!("{place}: {key} is no sys_id")));
    let request = TableRequest {
        table,
        verb: match exchange.request.method.as_str() {
            "GET" => Verb::Read,
            "POST" => Verb::Insert,
            "PATCH" => Verb::Update,
            "DELETE" => Verb::Delete,
            other => panic!("{place}: the client never sends {other}"),
        },
        sys_id: key.as_ref(),
        params: parameters(exchange),
        body: exchange
            .request
            .body
            .as_ref()
            .map(|body| body.as_object().unwrap().clone()),
    };
    let answer = session.exchange(&request).await;
    let read = match answer {
        Ok(answer) => session.read(&request, &answer),
        Err(trouble) => Err(trouble.into_table_error(table, request.verb)),
    };
    is_sent_as_recorded(exchange, &server.received()[0], place);
    match read {
        Ok(reply) => {
            let shown = match &reply.result {
                Json::Array(_) => rows(&reply.result).unwrap_or_else(|| panic!("{place}: a row without sys_id")),
                Json::Object(row) => vec![Record::from_json(row).unwrap_or_else(|| panic!("{place}: no sys_id"))],
                _ => Vec::new(),
            };
            for record in &shown {
                every_cell_is_readable(table, record, place);
            }
            match &reply.result {
                Json::Array(rows) => {
                    let total = reply
                        .total
                        .map_or("not counted".to_owned(), |total| format!("{total} counted"));
                    let more = if reply.has_next { ", and more pages" } else { "" };
                    format!("{} shown, {total}{more}", rows.len())
                }
                Json::Object(_) => "one record".to_owned(),
                _ => "done, and nothing shown".to_owned(),
            }
        }
        Err(error) => {
            let host = server.url.trim_start_matches("http://");
            format!("{error}; {}", error.remedy()).replace(host, "<instance>")
        }
    }
}

fn parameters(exchange: &Exchange) -> Vec<(&'static str, String)> {
    let leaked = |name: &String| -> &'static str { name.clone().leak() };
    let query = exchange.request.query.iter();
    query.map(|(name, value)| (leaked(name), value.clone())).collect()
}

fn is_sent_as_recorded(exchange: &Exchange, received: &Received, place: &str) {
    let (path, query) = received.target.split_once('?').unwrap_or((&received.target, ""));
    let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let request = &exchange.request;
    assert_eq!((&*received.method, path), (&*request.method, &*request.path), "{place}");
    assert_eq!(query, request.query, "{place}");
    let body = (!received.body.is_empty()).then(|| received.json());
    assert_eq!(body, request.body, "{place}");
}

/// A cell whose text is none of its column's kind would count as hidden, and with it what the record says.
fn every_cell_is_readable(table: Table, record: &Record, place: &str) {
    let known = KNOWN.iter().find(|(known, _)| *known == table);
    for column in known.map_or(&[][..], |(_, columns)| columns) {
        let text = record.text(*column);
        let is_hidden = match column.kind() {
            ColumnKind::Integer => record.integer(*column).is_hidden(),
            ColumnKind::DateTime => record.date_time(*column).is_hidden(),
            ColumnKind::Bool => {
                let known: BTreeSet<&str> = ["true", "false", "1", "0"].into();
                matches!(text, Cell::Value(text) if !known.contains(text))
            }
            _ => false,
        };
        // What a recording was not allowed to keep.
        let is_replaced = matches!(text, Cell::Value(text) if text.starts_with("text ") || text == "<secret>");
        assert!(
            text.is_hidden() || is_replaced || !is_hidden,
            "{place}: {column} is {text:?}"
        );
    }
}

const KNOWN: &[(Table, &[Column])] = &[
    (ip_access::TABLE, ip_access::COLUMNS),
    (oauth_entity::TABLE, oauth_entity::COLUMNS),
    (oauth_oidc_entity::TABLE, oauth_oidc_entity::COLUMNS),
    (oidc_provider_configuration::TABLE, oidc_provider_configuration::COLUMNS),
    (sys_scope_privilege::TABLE, sys_scope_privilege::COLUMNS),
    (sys_user::TABLE, sys_user::COLUMNS),
    (sys_user_has_role::TABLE, sys_user_has_role::COLUMNS),
];
