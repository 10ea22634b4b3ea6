//! Single records, batches, pages, names.

use std::sync::Mutex;

use super::*;
use crate::servicenow::tables::{ip_access, oauth_entity, sys_user, sys_user_has_role, sys_user_role};

#[tokio::test]
async fn a_record_is_read_with_its_columns_and_without_links() {
    let server = Server::replies(vec![result(
        json!({ "sys_id": KEY, "user_name": "abel", "active": "true" }),
    )])
    .await;

    let found = session(&server)
        .get_opt(sys_user::TABLE, &id(KEY), &[sys_user::USER_NAME, sys_user::ACTIVE])
        .await
        .unwrap();

    let record = found.unwrap();
    assert_eq!(record.text(sys_user::USER_NAME), Cell::Value("abel"));
    assert_eq!(record.bool(sys_user::ACTIVE), Cell::Value(true));
    let asked = &server.received()[0];
    assert!(
        asked.target.starts_with(&format!("/api/now/table/sys_user/{KEY}?")),
        "{}",
        asked.target
    );
    assert_eq!(
        param(asked, "sysparm_fields").unwrap(),
        "sys_id,user_name,active,sys_created_by"
    );
    assert_eq!(param(asked, "sysparm_exclude_reference_link").unwrap(), "true");
    assert_eq!(asked.header("authorization").unwrap(), "Basic dGY6cGFzcy1tYXJrZXI=");
    assert_eq!(asked.header("accept").unwrap(), "application/json");
}

#[tokio::test]
async fn an_absence_is_proven_by_a_list_that_counts() {
    let find = async |lists: Vec<Reply>| {
        let count = lists.len();
        let server = Server::replies([vec![no_record()], lists].concat()).await;
        let found = session(&server).get_opt(oauth_entity::TABLE, &id(KEY), &[]).await;
        assert_eq!(server.count(), 1 + count);
        for list in &server.received()[1..] {
            let asked = param(list, "sysparm_query").unwrap();
            assert_eq!(asked, format!("sys_id={KEY}^ORDERBYsys_id"));
        }
        found
    };

    let shown = result(json!([{ "sys_id": KEY }]));
    assert!(find(vec![shown.clone()]).await.unwrap().is_some());
    assert!(find(vec![empty("0"), shown]).await.unwrap().is_some());
    // The last one asks the application files.
    assert_eq!(find(vec![empty("0"), empty("0"), empty("0")]).await.unwrap(), None);
    assert_eq!(
        find(vec![
            empty("0"),
            empty("0"),
            refusal(403, "Operation Failed", "ACL Exception")
        ])
        .await
        .unwrap(),
        None
    );
    let known = result(json!([{ "sys_id": KEY }]));
    for file in [known.clone(), empty("1")] {
        let hidden = find(vec![empty("0"), empty("0"), file.clone(), file])
            .await
            .unwrap_err();
        assert!(hidden.to_string().contains("which sys_metadata has too"), "{hidden}");
    }
    // What they no longer have at the second look was removed a moment ago.
    let removed = find(vec![empty("0"), empty("0"), known, empty("0")]).await.unwrap();
    assert_eq!(removed, None);

    // Of a hidden record the list alone says that it is there, and it may be wrong once.
    let late = find(vec![empty("0"), empty("1")]).await.unwrap_err();
    assert!(matches!(late, TableError::Hidden { .. }), "{late}");
    let hidden = find(vec![empty("1")]).await.unwrap_err();
    assert!(matches!(hidden, TableError::Hidden { .. }), "{hidden}");
    let expected = format!("oauth_entity has the record {KEY}, but the account may not read it");
    assert_eq!(hidden.to_string(), expected);
    assert!(hidden.remedy().contains("oauth_admin"), "{}", hidden.remedy());

    let unproven = find(vec![uncounted()]).await.unwrap_err();
    assert!(matches!(unproven, TableError::Unproven { .. }), "{unproven}");
    for part in ["127.0.0.1", "oauth_entity", KEY] {
        assert!(unproven.to_string().contains(part), "{unproven}");
    }
    assert!(unproven.remedy().contains("X-Total-Count"), "{}", unproven.remedy());
}

#[tokio::test]
async fn a_natural_key_is_free_only_where_a_list_that_counts_says_so() {
    let query = Query::equals(sys_user::USER_NAME, "abel").unwrap();
    for (list, is_right) in [
        (
            empty("0"),
            (|found| matches!(found, Ok(None))) as fn(&Result<_, _>) -> bool,
        ),
        (empty("1"), |found| matches!(found, Err(TableError::Hidden { .. }))),
        (uncounted(), |found| matches!(found, Err(TableError::Unproven { .. }))),
    ] {
        let server = Server::replies(vec![list]).await;
        let session = session(&server);

        let found = session.find_unique(sys_user::TABLE, &query, &[]).await;
        assert!(is_right(&found), "{found:?}");
        let found = session.find_existing(sys_user::TABLE, &query, &[]).await;
        assert!(is_right(&found), "{found:?}");
    }
}

/// One of three questions that were asked together, while a fourth was under way, is about a row that is not shown.
#[tokio::test]
async fn a_hidden_row_is_an_error_for_the_one_who_asked_for_it() {
    let server = Server::by(|received| {
        let query = param(received, "sysparm_query").unwrap();
        let row = |number: usize| json!({ "sys_id": ([KEY, OTHER][number]), "name": (["itil", "admin"][number]) });
        match query.trim_end_matches("^ORDERBYsys_id") {
            "nameINuser" => result(json!([{ "sys_id": SysId::random().as_str(), "name": "user" }])),
            "nameINadmin,hidden,itil" => result(json!([row(0), row(1)])).with("X-Total-Count", "3"),
            "name=hidden" => empty("1"),
            other => panic!("unexpected query {other}"),
        }
    })
    .await;
    let session = session(&server);

    let roles = session.roles();
    let (_, one, hidden, other) = tokio::join!(
        roles.find("user"),
        roles.find("itil"),
        roles.find("hidden"),
        roles.find("admin")
    );
    assert_eq!(one.unwrap(), Some(id(KEY)));
    assert_eq!(other.unwrap(), Some(id(OTHER)));
    let error = hidden.unwrap_err();
    assert!(matches!(error, TableError::Hidden { .. }), "{error}");
    assert!(error.to_string().contains("name=hidden"), "{error}");
}

#[tokio::test]
async fn rows_of_links_that_are_not_shown_are_not_none() {
    let server = Server::by(|received| {
        let query = param(received, "sysparm_query").unwrap();
        let row = json!({ "sys_id": OTHER, "user": OTHER, "role": KEY, "state": "active", "inherited": "false" });
        match query.matches(',').count() {
            1 => result(json!([row])).with("X-Total-Count", "2"),
            _ if query.contains(OTHER) => result(json!([row])),
            _ => empty("1"),
        }
    })
    .await;
    let session = session(&server);
    let roles = session.links(LinkTable::ROLES);

    let (first, one, other) = (SysId::random(), id(KEY), id(OTHER));
    let (_, hidden, shown) = tokio::join!(roles.of(&first), roles.of(&one), roles.of(&other));

    assert_eq!(server.count(), 4, "one, two together, and each of the two alone");
    assert_eq!(shown.unwrap().len(), 1);
    let error = hidden.unwrap_err();
    assert!(matches!(error, TableError::Hidden { .. }), "{error}");
    assert!(error.to_string().contains(KEY), "{error}");
}

/// Something in between that ignores the key must not pass another record off as the one that was asked for.
#[tokio::test]
async fn another_record_is_no_answer() {
    let server = Server::by(|_| result(json!({ "sys_id": OTHER, "name": "another" }))).await;

    let error = session(&server)
        .get_opt(oauth_entity::TABLE, &id(KEY), &[oauth_entity::NAME])
        .await
        .unwrap_err();

    assert!(
        error.to_string().contains("a different record than the one requested"),
        "{error}"
    );
}

#[tokio::test]
async fn the_first_page_has_no_offset() {
    let server = Server::replies(vec![result(json!([{ "sys_id": KEY }]))]).await;

    let found = session(&server)
        .find_unique(oauth_entity::TABLE, &Query::every_row(), &[])
        .await
        .unwrap();

    assert!(found.is_some());
    assert_eq!(param(&server.received()[0], "sysparm_offset"), None);
}

#[tokio::test]
async fn what_arrives_while_one_is_read_becomes_one_request_and_a_missing_row_is_looked_for_alone() {
    let row = |key: &str| json!({ "sys_id": key, "name": format!("u{key}") });
    let server = Server::by(move |received| {
        let Some(query) = param(received, "sysparm_query") else {
            return match received.target.split(['/', '?']).nth(5).unwrap() {
                OTHER => no_record(),
                key => result(row(key)),
            };
        };
        if query.starts_with("sys_id=") {
            return empty("0");
        }
        let rows: Vec<Json> = query
            .strip_prefix("sys_idIN")
            .unwrap()
            .split(',')
            .filter(|key| *key != OTHER)
            .map(row)
            .collect();
        result(Json::from(rows))
    })
    .await;
    let session = session(&server);
    let keys: Vec<SysId> = (0..9).map(|_| SysId::random()).chain([id(OTHER)]).collect();

    let finds = keys
        .iter()
        .map(|key| session.get_opt(oauth_entity::TABLE, key, &[oauth_entity::NAME]));
    let found = futures_util::future::join_all(finds).await;

    for (key, found) in keys.iter().zip(found) {
        let name = found
            .unwrap()
            .map(|record| record.text(oauth_entity::NAME).map(str::to_owned));
        assert_eq!(name, (key.as_str() != OTHER).then(|| Cell::Value(format!("u{key}"))));
    }
    assert_eq!(
        server.count(),
        6,
        "the first, one list, and for the missing row a GET, two counts and the application files"
    );
}

#[tokio::test]
async fn when_the_list_is_refused_each_record_is_read_alone() {
    let server = Server::by(|received| match param(received, "sysparm_query") {
        Some(_) => refusal(403, "Operation Failed", "ACL Exception"),
        None => result(json!({ "sys_id": received.target.split(['/', '?']).nth(5).unwrap() })),
    })
    .await;
    let session = session(&server);

    let (first, one, other) = (SysId::random(), id(KEY), id(OTHER));
    let (_, one, other) = tokio::join!(
        session.get_opt(sys_user::TABLE, &first, &[]),
        session.get_opt(sys_user::TABLE, &one, &[]),
        session.get_opt(sys_user::TABLE, &other, &[])
    );

    assert!(one.unwrap().is_some() && other.unwrap().is_some());
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn an_empty_page_is_not_the_end() {
    let server = Server::by(|received| {
        let rows = match param(received, "sysparm_offset").as_deref() {
            Some("4") => json!([{ "sys_id": KEY }]),
            Some("2") => json!([{ "sys_id": OTHER }]),
            _ => json!([]),
        };
        result(rows).with("X-Total-Count", "5")
    })
    .await;
    let session = session(&server);

    let mut pages = session.pages(sys_user::TABLE, &Query::every_row(), &[], 2);
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        sizes.push(page.len());
    }

    assert_eq!(sizes, [0, 1, 1]);
    assert_eq!(
        param(&server.received()[0], "sysparm_query").unwrap(),
        "sys_idISNOTEMPTY^ORDERBYsys_id"
    );
}

#[tokio::test]
async fn rows_that_cannot_be_seen_are_not_none() {
    let server = Server::replies(vec![empty("1")]).await;
    let query = Query::equals(sys_user::USER_NAME, "abel").unwrap();

    let error = session(&server)
        .find_unique(sys_user::TABLE, &query, &[])
        .await
        .unwrap_err();

    assert!(matches!(error, TableError::Hidden { .. }), "{error}");
    assert!(error.remedy().contains("user_admin"), "{}", error.remedy());
}

#[tokio::test]
async fn a_row_that_the_query_does_not_mean_is_never_adopted() {
    let query = Query::equals(sys_user::USER_NAME, "abel").unwrap();

    let ignored = Server::replies(vec![result(json!([{ "sys_id": KEY, "user_name": "kain" }]))]).await;
    assert_eq!(
        session(&ignored)
            .find_unique(sys_user::TABLE, &query, &[])
            .await
            .unwrap(),
        None
    );

    let unknown_column = Server::replies(vec![result(json!([{ "sys_id": KEY }]))]).await;
    let error = session(&unknown_column)
        .find_unique(sys_user::TABLE, &query, &[])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("user_name"), "{error}");

    let several = json!([{ "sys_id": KEY, "user_name": "abel" }, { "sys_id": OTHER, "user_name": "abel" }]);
    let several = Server::replies(vec![result(several)]).await;
    let error = session(&several)
        .find_unique(sys_user::TABLE, &query, &[])
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(KEY) && error.to_string().contains(OTHER),
        "{error}"
    );
}

#[tokio::test]
async fn a_record_that_differs_in_case_or_blanks_is_the_one_unless_there_is_an_exact_one() {
    let query = Query::equals(sys_user::USER_NAME, "abel").unwrap();
    let twin = json!({ "sys_id": OTHER, "user_name": "ABEL " });
    let exact = json!({ "sys_id": KEY, "user_name": "abel" });
    for (rows, expected) in [(json!([twin]), OTHER), (json!([twin, exact]), KEY)] {
        let server = Server::replies(vec![result(rows)]).await;

        let found = session(&server)
            .find_unique(sys_user::TABLE, &query, &[])
            .await
            .unwrap();

        assert_eq!(found.unwrap().sys_id().as_str(), expected);
    }
}

#[tokio::test]
async fn choices_of_which_some_are_hidden_are_not_all() {
    let row = json!({ "sys_id": KEY, "value": "0", "label": "Allow", "name": "ip_access", "element": "type" });
    for (count, is_complete) in [("1", true), ("2", false)] {
        let server = Server::replies(vec![result(json!([row])).with("X-Total-Count", count)]).await;

        let choices = session(&server)
            .choices(&[ip_access::TABLE], ip_access::TYPE)
            .await
            .unwrap();

        assert_eq!((choices.list.len(), choices.is_complete), (1, is_complete));
    }
}

#[tokio::test]
async fn a_user_query_about_an_unknown_column_is_noticed() {
    let server = Server::replies(vec![result(json!([{ "sys_id": KEY, "active": "true" }]))]).await;
    let query = Query::user("active=true^nosuch_column=1").unwrap();

    let error = session(&server).select(sys_user::TABLE, &query, &[]).await.unwrap_err();

    assert!(error.to_string().contains("nosuch_column"), "{error}");
}

#[tokio::test]
async fn an_unusable_list_is_asked_for_again() {
    let cut = "{\"result\":[{\"sys_id\":\"6816f79cc0a8016401c5a33be04be441\"},{\"error\":{\"message\":\"Transaction cancelled: maximum execution time exceeded\"";
    let once = Server::replies(vec![
        Reply::typed(200, "application/json", cut),
        result(json!([{ "sys_id": KEY }])),
    ])
    .await;
    assert_eq!(
        session(&once)
            .select(sys_user::TABLE, &Query::every_row(), &[])
            .await
            .unwrap()
            .len(),
        1
    );

    let always = Server::replies(vec![Reply::typed(200, "application/json", cut)]).await;
    let error = session(&always)
        .select(sys_user::TABLE, &Query::every_row(), &[])
        .await
        .unwrap_err();
    assert!(matches!(error, TableError::TransactionCancelled { .. }), "{error}");
    assert_eq!(always.count(), 3);
}

#[tokio::test]
async fn names_are_looked_up_together_and_once() {
    let server = Server::by(|received| {
        let query = param(received, "sysparm_query").unwrap();
        match query.as_str() {
            "nameINuser^ORDERBYsys_id" => result(json!([{ "sys_id": SysId::random().as_str(), "name": "user" }])),
            "nameINadmin,itil^ORDERBYsys_id" => {
                result(json!([{ "sys_id": KEY, "name": "itil" }, { "sys_id": OTHER, "name": "admin" }]))
            }
            "nameINitli^ORDERBYsys_id" | "nameSTARTSWITHit^ORDERBYsys_id" => result(json!([])),
            "nameISNOTEMPTY^ORDERBYsys_id" | "sys_idISNOTEMPTY^ORDERBYsys_id" => {
                result(json!([{ "sys_id": KEY, "name": "itil" }, { "sys_id": OTHER, "name": "admin" }]))
            }
            other => panic!("unexpected query {other}"),
        }
    })
    .await;
    let session = session(&server);

    let roles = session.roles();
    let (_, one, other, again) = tokio::join!(
        roles.id_of("user"),
        roles.id_of("itil"),
        roles.id_of("admin"),
        roles.id_of("itil")
    );
    assert_eq!(
        (one.unwrap(), other.unwrap(), again.unwrap()),
        (id(KEY), id(OTHER), id(KEY))
    );
    assert_eq!(session.roles().id_of("itil").await.unwrap(), id(KEY));
    assert_eq!(session.roles().name_of(&id(OTHER)).await.unwrap().unwrap(), "admin");
    assert_eq!(server.count(), 2);

    let error = session.roles().id_of("itli").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "sys_user_role has no record named \"itli\"; did you mean \"itil\"?"
    );
    let error = session
        .names(sys_user_role::TABLE, sys_user_role::NAME)
        .id_of("a^b")
        .await
        .unwrap_err();
    assert!(matches!(error, TableError::Query { .. }), "{error}");
}

#[tokio::test]
async fn roles_of_many_users_are_one_request_and_grants_of_one_user_take_turns() {
    let open = std::sync::Arc::new(Mutex::new(0));
    let rows = std::sync::Arc::new(Mutex::new(vec![
        json!({ "sys_id": KEY, "user": OTHER, "role": KEY, "state": "active", "inherited": "true" }),
    ]));
    let (server_open, server_rows) = (open.clone(), rows.clone());
    let server = Server::by(move |received| {
        if received.method == "GET" {
            let query = param(received, "sysparm_query").unwrap();
            let users = query
                .strip_prefix("userIN")
                .unwrap()
                .trim_end_matches("^ORDERBYsys_id")
                .to_owned();
            let rows = server_rows.lock().unwrap();
            let of_users: Vec<&Json> = rows
                .iter()
                .filter(|row| users.contains(row["user"].as_str().unwrap()))
                .collect();
            return result(json!(of_users));
        }
        *server_open.lock().unwrap() += 1;
        let mut row = received.json();
        row["state"] = json!("active");
        row["inherited"] = json!("false");
        server_rows.lock().unwrap().push(row.clone());
        Reply::json(201, &json!({ "result": row }))
    })
    .await;
    let session = session(&server);
    let (one, other) = (id(KEY), id(OTHER));

    let grants = session.links(LinkTable::ROLES);
    let first = SysId::random();
    let (_, of_one, of_other) = tokio::join!(grants.of(&first), grants.of(&one), grants.of(&other));
    assert_eq!(of_one.unwrap(), []);
    assert!(of_other.unwrap()[0].inherited);
    assert_eq!(server.count(), 2);

    let (first, second) = tokio::join!(grants.grant(&one, &other), grants.grant(&one, &other));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(*open.lock().unwrap(), 1, "{first:?} {second:?}");
    assert_eq!(first.sys_id(), second.sys_id());
    assert!(matches!(first, Granted::Made(_)) && matches!(second, Granted::Had(_)));
    let posted = server
        .received()
        .into_iter()
        .find(|received| received.method == "POST")
        .unwrap();
    assert!(posted.target.starts_with("/api/now/table/sys_user_has_role?"));
    assert_eq!(posted.json()["user"], KEY);
    assert_eq!(sys_user_has_role::TABLE.name(), "sys_user_has_role");
    assert_eq!(oauth_entity::TABLE.role(), "oauth_admin");
}

/// A gateway that hands the same page out again and again, with the count or without.
#[tokio::test]
async fn a_list_that_repeats_its_first_page_is_an_error_and_has_an_end() {
    let rows = json!([{ "sys_id": KEY }, { "sys_id": OTHER }]);
    let page = Reply::json(200, &json!({ "result": rows }));
    for reply in [page.clone(), page.with("X-Total-Count", "10")] {
        let server = Server::by(move |_| reply.clone()).await;
        let mut pages = session(&server).pages(sys_user::TABLE, &Query::every_row(), &[], 2);

        assert_eq!(pages.next().await.unwrap().unwrap().len(), 2);
        let error = pages.next().await.unwrap_err();

        assert!(error.to_string().contains("sysparm_offset"), "{error}");
        assert!(pages.next().await.unwrap().is_none());
    }
}
