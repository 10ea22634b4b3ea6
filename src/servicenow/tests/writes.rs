//! Inserts with all their bad luck, updates, deletes.

use std::sync::{Arc, Mutex};

use super::*;
use crate::servicenow::tables::oauth_entity::{self, CLIENT_ID, CLIENT_SECRET, NAME, TABLE, TYPE};
use crate::servicenow::tables::sys_user;

fn insert() -> Insert<'static> {
    let row = Row::new()
        .set(NAME, "Microsoft 365")
        .set(CLIENT_ID, "app")
        .set(CLIENT_SECRET, Secret::from("secret-marker".to_owned()));
    let natural_key = Some(Query::equals(CLIENT_ID, "app").unwrap());
    Insert {
        table: TABLE,
        row,
        read: &[TYPE],
        natural_key,
        input: InputMode::Stored,
    }
}

/// The sent row as an instance keeps it.
fn kept(received: &Received) -> Json {
    let mut row = received.json();
    row["client_secret"] = json!("encrypted");
    row["type"] = json!("client");
    row["sys_created_by"] = json!("tf");
    row
}

fn made(received: &Received) -> Reply {
    Reply::json(201, &json!({ "result": kept(received) }))
}

#[tokio::test]
async fn what_was_kept_as_sent_needs_no_second_request() {
    let server = Server::by(made).await;

    let written = session(&server).insert(insert()).await.unwrap();

    assert_eq!(written.mismatches, []);
    assert_eq!(written.origin, Origin::Answered);
    assert_eq!(written.record.text(TYPE), Cell::Value("client"));
    let posted = &server.received()[0];
    assert_eq!(server.count(), 1);
    assert_eq!(posted.json()["client_secret"], "secret-marker");
    assert_eq!(posted.json()["sys_id"], written.record.sys_id().as_str());
    assert_eq!(
        param(posted, "sysparm_fields").unwrap(),
        "sys_id,name,client_id,type,sys_created_on,sys_created_by"
    );
    assert_eq!(param(posted, "sysparm_input_display_value"), None);
}

#[tokio::test]
async fn what_was_not_kept_is_read_again_and_reported() {
    let server = Server::by(|received| {
        let mut row = json!({ "sys_id": KEY, "name": "Renamed", "client_id": "" });
        if received.method == "GET" {
            row["client_id"] = json!("app");
            return result(row);
        }
        Reply::json(201, &json!({ "result": row }))
    })
    .await;

    let written = session(&server).insert(insert()).await.unwrap();

    let shown: Vec<String> = written.mismatches.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "name: sent \"Microsoft 365\", kept \"Renamed\": a business rule or a default of the instance probably replaced it"
        ]
    );
    assert_eq!(written.record.sys_id().as_str(), KEY, "the instance chose another key");
}

/// A server that loses answers: it keeps rows, and closes the connection instead of answering the first POSTs.
async fn forgetful(
    lose: usize,
    keep: bool,
    honours_keys: bool,
    created_by: &'static str,
) -> (Server, Arc<Mutex<Vec<Json>>>) {
    let rows: Arc<Mutex<Vec<Json>>> = Arc::default();
    let (shared, lost) = (rows.clone(), Mutex::new(0));
    let server = Server::by(move |received| {
        let date = "Mon, 23 Nov 2026 07:22:00 GMT";
        let mut rows = shared.lock().unwrap();
        if received.method == "POST" {
            let mut row = kept(received);
            if !honours_keys {
                row["sys_id"] = json!(KEY);
            }
            row["sys_created_on"] = json!("2026-11-23 07:22:00");
            row["sys_created_by"] = json!(created_by);
            let mut lost = lost.lock().unwrap();
            if *lost < lose {
                *lost += 1;
                if keep {
                    rows.push(row);
                }
                return Reply::Drop;
            }
            rows.push(row.clone());
            return Reply::json(201, &json!({ "result": row }));
        }
        let reply = match param(received, "sysparm_query") {
            Some(_) => result(json!(*rows)),
            None => {
                let key = received.target.split(['/', '?']).nth(5).unwrap();
                rows.iter()
                    .find(|row| row["sys_id"] == key)
                    .map_or_else(no_record, |row| result(row.clone()))
            }
        };
        reply.with("Date", date)
    })
    .await;
    (server, rows)
}

#[tokio::test]
async fn a_lost_answer_neither_doubles_nor_forgets_the_record() {
    for (keep, honours_keys) in [(true, true), (true, false), (false, true)] {
        let (server, rows) = forgetful(1, keep, honours_keys, "tf").await;

        let written = session(&server).insert(insert()).await.unwrap();

        assert_eq!(rows.lock().unwrap().len(), 1, "keep {keep}, honours {honours_keys}");
        assert_eq!(written.record.text(NAME), Cell::Value("Microsoft 365"));
        assert_eq!(written.origin, if keep { Origin::FoundAgain } else { Origin::Answered });
        assert_eq!(written.mismatches, []);
    }
}

#[tokio::test]
async fn a_record_that_somebody_else_made_is_not_adopted() {
    let (server, rows) = forgetful(1, true, false, "somebody").await;

    let error = session(&server).insert(insert()).await.unwrap_err();

    assert!(error.to_string().contains("made by somebody, not by tf"), "{error}");
    assert!(error.remedy().contains(KEY), "{}", error.remedy());
    assert_eq!(rows.lock().unwrap().len(), 1);
}

/// A server that loses every insert, knows no record by its key, and answers lists by their query.
async fn losing(list: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Server {
    Server::by(move |received| match param(received, "sysparm_query") {
        _ if received.method == "POST" => Reply::Drop,
        Some(query) => list(&query),
        None => no_record(),
    })
    .await
}

#[tokio::test]
async fn a_record_that_does_not_show_when_it_was_made_is_not_adopted() {
    for shows_time in [true, false] {
        let server = losing(move |_| {
            let mut row = json!({ "sys_id": KEY, "name": "Microsoft 365", "client_id": "app", "sys_created_by": "tf" });
            if shows_time {
                row["sys_created_on"] = json!("2026-11-23 07:22:00");
            }
            result(json!([row])).with("Date", "Mon, 23 Nov 2026 07:22:00 GMT")
        })
        .await;

        let ended = session(&server).insert(insert()).await;

        match ended {
            Ok(written) => assert!(shows_time && written.origin == Origin::FoundAgain),
            Err(error) => {
                assert!(!shows_time);
                assert!(error.to_string().contains("does not show when it was made"), "{error}");
            }
        }
    }
}

/// The instance would keep a second one, so that one which was there before proves nothing.
#[tokio::test]
async fn a_record_that_was_there_before_a_lost_insert_is_no_proof() {
    let server = losing(|_| {
        let row = json!({
            "sys_id": KEY, "name": "Microsoft 365", "client_id": "app", "sys_created_by": "tf",
            "sys_created_on": "2020-01-01 00:00:00",
        });
        result(json!([row])).with("Date", "Mon, 23 Nov 2026 07:22:00 GMT")
    })
    .await;

    let error = session(&server).insert(insert()).await.unwrap_err();

    assert!(matches!(error, TableError::Uncertain { .. }), "{error:?}");
    assert!(error.to_string().contains("before the insert was sent"), "{error}");
}

/// One that is hidden proves as little.
#[tokio::test]
async fn a_hidden_record_is_no_proof_that_a_lost_insert_was_not_made() {
    let server = losing(|query| empty(if query.contains("client_id") { "1" } else { "0" })).await;

    let error = session(&server).insert(insert()).await.unwrap_err();

    assert!(matches!(error, TableError::Uncertain { .. }), "{error:?}");
}

/// An answer that says 201 and is no record: the insert may have been made, and is sent again where it was not.
#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_lost_one() {
    for (status, kind, body) in [
        (201, "text/html", "<html><title>Log in</title></html>"),
        (200, "application/json", "{\"result\":{\"sys_id\""),
    ] {
        let posts = Arc::new(Mutex::new(0));
        let sent = posts.clone();
        let server = Server::by(move |received| {
            if received.method != "POST" {
                let is_list = param(received, "sysparm_query").is_some();
                return if is_list { empty("0") } else { no_record() };
            }
            let mut sent = sent.lock().unwrap();
            *sent += 1;
            if *sent == 1 {
                Reply::typed(status, kind, body)
            } else {
                made(received)
            }
        })
        .await;

        let written = session(&server).insert(insert()).await.unwrap();

        assert_eq!(written.origin, Origin::Answered, "{status} {kind}");
        assert_eq!(*posts.lock().unwrap(), 2, "{status} {kind}");
    }
}

#[test]
fn a_key_is_lost_where_the_record_shows_another() {
    let record = Record::for_tests(KEY, &[]);
    let mismatch = |column: Column, kept: Option<&str>| Mismatch {
        column,
        sent: "sent".to_owned(),
        kept: kept.map(str::to_owned),
        cause: Cause::BusinessRule,
    };
    for (mismatch, is_lost) in [
        (mismatch(CLIENT_ID, Some("another")), true),
        (mismatch(CLIENT_ID, None), false),
        (mismatch(NAME, Some("another")), false),
    ] {
        let written = Written {
            record: record.clone(),
            mismatches: vec![mismatch],
            origin: Origin::Answered,
        };
        assert_eq!(
            written.lost(&[CLIENT_ID]).is_some(),
            is_lost,
            "{:?}",
            written.mismatches
        );
    }
}

#[tokio::test]
async fn without_a_natural_key_a_lost_insert_is_not_repeated() {
    let (server, rows) = forgetful(1, false, false, "tf").await;

    let error = session(&server)
        .insert(Insert {
            natural_key: None,
            ..insert()
        })
        .await
        .unwrap_err();

    assert!(matches!(error, TableError::Uncertain { .. }), "{error}");
    assert_eq!(rows.lock().unwrap().len(), 0);
    assert_eq!(
        server
            .received()
            .iter()
            .filter(|received| received.method == "POST")
            .count(),
        1
    );
}

/// The instance did not use the key that the insert carried. What the account made with the sent values since is the record,
/// unless two are alike.
#[tokio::test]
async fn without_a_natural_key_a_lost_record_is_known_by_what_was_sent() {
    let without_key = || Insert {
        natural_key: None,
        ..insert()
    };
    let (server, rows) = forgetful(1, true, false, "tf").await;

    let written = session(&server).insert(without_key()).await.unwrap();

    assert_eq!(written.origin, Origin::FoundAgain);
    assert_eq!(rows.lock().unwrap().len(), 1);

    let (server, _) = forgetful(1, true, false, "somebody").await;
    let error = session(&server).insert(without_key()).await.unwrap_err();
    assert!(matches!(error, TableError::Uncertain { .. }), "{error}");

    let (server, rows) = forgetful(1, true, false, "tf").await;
    let mut twin = json!({"sys_created_on": "2026-11-23 07:22:00", "sys_created_by": "tf", "sys_id": OTHER});
    for (column, value) in insert().row.to_json() {
        twin[column] = value;
    }
    rows.lock().unwrap().push(twin);
    let error = session(&server).insert(without_key()).await.unwrap_err();
    assert!(matches!(error, TableError::Uncertain { .. }), "{error}");
}

/// The record that this insert made is not in its own way.
#[tokio::test]
async fn a_refused_insert_that_was_carried_out_is_found() {
    for status in [403, 404] {
        let row = Arc::new(Mutex::new(None));
        let server = Server::by(move |received| {
            let mut row = row.lock().unwrap();
            if received.method == "POST" {
                *row = Some(kept(received));
                return refusal(status, "Record doesn't exist or ACL restricts the record retrieval", "");
            }
            let row: &Json = row.as_ref().unwrap();
            if param(received, "sysparm_query").is_some() {
                return result(json!([row]));
            }
            result(row.clone())
        })
        .await;

        let written = session(&server).insert(insert()).await.unwrap();

        assert_eq!(written.origin, Origin::FoundAgain, "{status}");
        assert_eq!(written.record.text(NAME), Cell::Value("Microsoft 365"));
    }
}

/// An instance that is asleep carries nothing out: the error says so, and not that nobody knows.
#[tokio::test]
async fn an_insert_into_an_instance_that_sleeps_is_not_made() {
    let asleep = "<html><body class=\"instance-hibernating-page\">zzz</body></html>";
    for status in [502, 503] {
        let server = Server::by(move |received| match received.method.as_str() {
            "POST" => Reply::typed(status, "text/html", asleep),
            _ if param(received, "sysparm_query").is_some() => empty("0"),
            _ => no_record(),
        })
        .await;

        let error = session(&server).insert(insert()).await.unwrap_err();

        assert!(matches!(error, TableError::NotTheApi { .. }), "{status}: {error:?}");
        assert!(error.to_string().contains("hibernating"), "{error}");
    }
}

#[tokio::test]
async fn an_update_may_be_answered_without_a_body() {
    let server = Server::by(|received| match received.method.as_str() {
        "GET" => result(json!({ "sys_id": KEY, "name": "new", "sys_created_by": "tf" })),
        _ => Reply::Answer(204, Vec::new(), String::new()),
    })
    .await;
    let update = Update {
        table: TABLE,
        sys_id: &id(KEY),
        row: Row::new().set(NAME, "new"),
        read: &[],
        input: InputMode::Stored,
    };

    let written = session(&server).update(update).await.unwrap();

    assert_eq!(written.record.text(NAME), Cell::Value("new"));
    assert_eq!(written.mismatches, []);
}

/// A gateway that answers with the page of a sign-in, with and without having passed the request on.
#[tokio::test]
async fn a_page_in_place_of_an_answer_does_not_lose_the_record() {
    for is_made in [true, false] {
        let row = Arc::new(Mutex::new(None));
        let server = Server::by(move |received| match received.method.as_str() {
            "POST" => {
                *row.lock().unwrap() = is_made.then(|| kept(received));
                Reply::typed(200, "text/html", "<html><title>Log in</title></html>")
            }
            _ if received.target.contains("/oauth_entity?") => result(Json::from_iter(row.lock().unwrap().clone())),
            _ => row.lock().unwrap().clone().map_or_else(no_record, result),
        })
        .await;

        let ended = session(&server).insert(insert()).await;

        match ended {
            Ok(written) => assert_eq!((is_made, written.origin), (true, Origin::FoundAgain)),
            Err(error) => {
                assert!(!is_made && matches!(error, TableError::NotTheApi { .. }), "{error}");
            }
        }
    }
}

/// After an answer that was lost, a page says nothing of the insert before it: its key must reach the state.
#[tokio::test]
async fn a_page_after_a_lost_answer_leaves_the_insert_uncertain() {
    let posts = Mutex::new(0);
    let server = Server::by(move |received| {
        let page = Reply::typed(200, "text/html", "<html><title>Log in</title></html>");
        let mut posts = posts.lock().unwrap();
        match (received.method.as_str(), *posts) {
            ("POST", 0) => {
                *posts += 1;
                Reply::Drop
            }
            ("POST", _) => {
                *posts += 1;
                page
            }
            (_, 1) if received.target.contains("/oauth_entity?") => empty("0"),
            (_, 1) => no_record(),
            _ => page,
        }
    })
    .await;

    let error = session(&server).insert(insert()).await.unwrap_err();

    assert!(matches!(&error, TableError::Uncertain { ours: Some(_), .. }), "{error}");
}

#[tokio::test]
async fn a_refusal_that_means_duplicate_names_the_record() {
    let server = Server::by(|received| match received.method.as_str() {
        "POST" => refusal(
            403,
            "Operation Failed",
            "Operation against file 'oauth_entity' was aborted by Business Rule 'Unique^1'. Business Rule Stack:Unique",
        ),
        _ => result(json!([{ "sys_id": KEY, "client_id": "app" }])),
    })
    .await;

    let error = session(&server).insert(insert()).await.unwrap_err();

    assert!(
        matches!(&error, TableError::Duplicate { existing: Some(key), .. } if key.as_str() == KEY),
        "{error}"
    );
    assert!(
        error.remedy().contains(&format!("import the record {KEY}")),
        "{}",
        error.remedy()
    );
}

#[tokio::test]
async fn a_key_of_our_own_is_given_up_where_it_is_refused() {
    let server = Server::by(|received| match received.json().get("sys_id") {
        Some(_) => refusal(403, "Operation Failed", "Field sys_id is restricted to admin"),
        None => {
            let mut row = kept(received);
            row["sys_id"] = json!(KEY);
            Reply::json(201, &json!({ "result": row }))
        }
    })
    .await;

    let written = session(&server).insert(insert()).await.unwrap();

    assert_eq!(written.record.sys_id().as_str(), KEY);
}

#[tokio::test]
async fn an_update_sends_only_what_is_given() {
    let server = Server::by(|received| {
        assert_eq!(received.method, "PATCH");
        result(json!({ "sys_id": KEY, "active": "false" }))
    })
    .await;
    let row = Row::new().set(sys_user::ACTIVE, false);
    let sys_id = id(KEY);

    let update = Update {
        table: sys_user::TABLE,
        sys_id: &sys_id,
        row,
        read: &[],
        input: InputMode::Stored,
    };
    let written = session(&server).update(update).await.unwrap();

    assert_eq!(written.mismatches, []);
    assert_eq!(server.received()[0].json(), json!({ "active": "false" }));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_password_is_sent_as_a_display_value_and_never_compared() {
    let server = Server::replies(vec![result(json!({ "sys_id": KEY }))]).await;
    let row = Row::new().set(sys_user::USER_PASSWORD, Secret::from("secret-marker".to_owned()));
    let sys_id = id(KEY);

    let update = Update {
        table: sys_user::TABLE,
        sys_id: &sys_id,
        row,
        read: &[],
        input: InputMode::Display,
    };
    let written = session(&server).update(update).await.unwrap();

    assert_eq!(written.mismatches, []);
    assert_eq!(
        param(&server.received()[0], "sysparm_input_display_value").unwrap(),
        "true"
    );
}

#[tokio::test]
async fn an_update_of_a_record_that_is_gone_says_so_after_a_recheck() {
    let row = || Row::new().set(NAME, "x");
    let sys_id = id(KEY);
    let update = || Update {
        table: oauth_entity::TABLE,
        sys_id: &sys_id,
        row: row(),
        read: &[],
        input: InputMode::Stored,
    };

    let gone = Server::replies(vec![no_record(), no_record(), empty("0")]).await;
    assert!(session(&gone).update(update()).await.unwrap_err().is_not_found());

    let hidden = Server::replies(vec![no_record(), no_record(), empty("1")]).await;
    let error = session(&hidden).update(update()).await.unwrap_err();
    assert!(matches!(error, TableError::Hidden { .. }), "{error}");

    let transient = Server::replies(vec![no_record(), result(json!({ "sys_id": KEY, "name": "x" }))]).await;
    assert!(session(&transient).update(update()).await.is_ok());
}

#[tokio::test]
async fn a_delete_removes_and_is_content_with_what_is_gone() {
    let removed = Server::replies(vec![Reply::typed(204, "application/json", "")]).await;
    assert_eq!(
        session(&removed).delete(TABLE, &id(KEY)).await.unwrap(),
        Deleted::Removed
    );
    assert_eq!(removed.received()[0].method, "DELETE");
    assert_eq!(
        removed.received()[0].header("content-type").unwrap(),
        "application/json"
    );

    let gone = Server::replies(vec![no_record(), no_record(), empty("0")]).await;
    assert_eq!(session(&gone).delete(TABLE, &id(KEY)).await.unwrap(), Deleted::WasGone);

    for list in [empty("1"), uncounted()] {
        let unseen = Server::replies(vec![no_record(), no_record(), list]).await;
        let error = session(&unseen).delete(TABLE, &id(KEY)).await.unwrap_err();
        assert!(
            matches!(error, TableError::Hidden { .. } | TableError::Unproven { .. }),
            "{error}"
        );
    }

    let stubborn = Server::by(|received| match received.method.as_str() {
        "DELETE" => no_record(),
        _ => result(json!({ "sys_id": KEY })),
    })
    .await;
    assert!(session(&stubborn).delete(TABLE, &id(KEY)).await.is_err());
}

#[tokio::test]
async fn a_removal_may_be_answered_with_200() {
    let page = "<html><title>Hibernating</title></html>";
    let cases = [
        (Reply::Answer(204, Vec::new(), String::new()), true),
        (Reply::Answer(200, Vec::new(), String::new()), true),
        (Reply::json(200, &json!({})), true),
        (Reply::json(200, &json!({ "result": {} })), true),
        (Reply::json(200, &json!({ "error": { "message": "no" } })), false),
        (Reply::typed(200, "text/html", page), false),
        (Reply::typed(200, "application/json", "{"), false),
    ];
    for (reply, is_removed) in cases {
        let server = Server::by(move |received| match received.method.as_str() {
            "DELETE" => reply.clone(),
            _ => result(json!({ "sys_id": KEY })),
        })
        .await;

        let outcome = session(&server)
            .delete(crate::servicenow::tables::sys_user::TABLE, &id(KEY))
            .await;

        assert_eq!(outcome.is_ok(), is_removed, "{outcome:?}");
    }
}
