//! The client against a scripted server. What needs an instance with state is tested against the simulator.

mod errors;
mod reads;
mod recordings;
mod sign_in;
mod writes;

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::*;
use crate::http::Secret;
use crate::http::test_server::{self, Received, Reply, Server};

const KEY: &str = "6816f79cc0a8016401c5a33be04be441";
const OTHER: &str = "46d44a23a9fe19810012d100cca80666";

fn id(text: &str) -> SysId {
    SysId::parse(text).unwrap()
}

fn basic() -> SignIn {
    SignIn::Basic {
        username: "tf".to_owned(),
        password: Secret::from("pass-marker".to_owned()),
    }
}

fn instance(server: &Server, sign_in: SignIn) -> Instance {
    instance_with_trial(server, sign_in, Duration::from_millis(50))
}

/// With as long a trial of the credentials: where a second one would spoil the count, on however slow a machine.
fn instance_with_trial(server: &Server, sign_in: SignIn, trial: Duration) -> Instance {
    let timing = Timing {
        recheck_pause: Duration::from_millis(1),
        trial,
    };
    let options = InstanceOptions {
        instance_url: server.url.clone(),
        sign_in,
        http: test_server::options(),
        timing,
    };
    Instance::new(options).unwrap()
}

fn session(server: &Server) -> Session {
    instance(server, basic()).at(test_server::limits())
}

/// A record, or a list that counts what it shows.
fn result(row: Json) -> Reply {
    let reply = Reply::json(200, &json!({ "result": row }));
    match row.as_array() {
        Some(rows) => reply.with("X-Total-Count", &rows.len().to_string()),
        None => reply,
    }
}

/// A list without rows whose count says how many there are.
fn empty(count: &str) -> Reply {
    result(json!([])).with("X-Total-Count", count)
}

/// A list without rows and without a count.
fn uncounted() -> Reply {
    Reply::json(200, &json!({ "result": [] }))
}

fn no_record() -> Reply {
    let error =
        json!({ "message": "No Record found", "detail": "Record doesn't exist or ACL restricts the record retrieval" });
    Reply::json(404, &json!({ "error": error, "status": "failure" }))
}

fn refusal(status: u16, message: &str, detail: &str) -> Reply {
    Reply::json(
        status,
        &json!({ "error": { "message": message, "detail": detail }, "status": "failure" }),
    )
}

/// The parameters of a request, decoded.
fn param(received: &Received, name: &str) -> Option<String> {
    let (_, query) = received.target.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Calls are made inside of gRPC handlers, which move between threads.
#[test]
fn calls_can_move_between_threads() {
    fn check<T: Send>(_: impl FnOnce(Session) -> T) {}
    async fn all(session: Session) {
        let _ = session.get_opt(tables::sys_user::TABLE, &id(KEY), &[]).await;
        let _ = session
            .find_unique(tables::sys_user::TABLE, &Query::every_row(), &[])
            .await;
        let insert = Insert {
            table: tables::sys_user::TABLE,
            row: Row::new(),
            read: &[],
            natural_key: None,
            input: InputMode::Stored,
        };
        let _ = session.insert(insert).await;
        let _ = session.links(LinkTable::ROLES).grant(&id(KEY), &id(OTHER)).await;
        let _ = session.links(LinkTable::GROUPS).grant(&id(KEY), &id(OTHER)).await;
        let _ = session.roles().id_of("x").await;
        let _ = session.roles().name_of(&id(KEY)).await;
        let _ = session.delete(tables::sys_user::TABLE, &id(KEY)).await;
    }
    check(all);
}
