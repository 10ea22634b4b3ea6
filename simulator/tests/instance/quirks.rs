//! What an instance makes of records beyond storing them: each switch, seen over the Table API.

use serde_json::{Value, json};
use servicenow_simulator::instance::{Beside, IdCase, LineEndings};

use crate::client::Client;

async fn user(client: &Client, body: Value) -> String {
    let made = client.insert("sys_user", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.text_of("sys_id")
}

/// The names of the users that a query finds, and how many the instance counts.
async fn found(client: &Client, query: &str) -> (Vec<String>, String) {
    let answer = client
        .read(&format!("sys_user?sysparm_fields=user_name&sysparm_query={query}"))
        .await;
    let result = answer.result();
    let names = result.as_array().unwrap().iter().map(|row| {
        let name = row["user_name"].as_str();
        name.unwrap().to_owned()
    });
    (
        names.collect(),
        answer.header("x-total-count").unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn texts_lose_the_blanks_at_their_ends() {
    let client = Client::new();
    client.instance.quirks(|quirks| quirks.trims = true);
    let id = user(&client, json!({"user_name": " robot\t", "title": "a b \n"})).await;
    let read = client.read(&format!("sys_user/{id}")).await;
    assert_eq!(read.text_of("user_name"), "robot");
    assert_eq!(read.text_of("title"), "a b");
    let changed = client.update(&format!("sys_user/{id}"), json!({"title": " c "})).await;
    assert_eq!(changed.text_of("title"), "c");
}

#[tokio::test]
async fn line_endings_become_the_instances_own() {
    let client = Client::new();
    for (endings, stored) in [
        (LineEndings::Kept, "a\r\nb\nc"),
        (LineEndings::Lf, "a\nb\nc"),
        (LineEndings::CrLf, "a\r\nb\r\nc"),
    ] {
        client.instance.quirks(|quirks| quirks.line_endings = endings);
        let body = json!({"name": "p", "client_id": "c", "comments": "a\r\nb\nc"});
        let made = client.insert("oauth_entity", body).await;
        assert_eq!(made.text_of("comments"), stored, "{endings:?}");
    }
}

#[tokio::test]
async fn texts_are_cut_at_the_length_of_their_column() {
    let client = Client::new();
    let name = "n".repeat(41);
    client.instance.quirks(|quirks| quirks.truncates = true);
    let id = user(&client, json!({"user_name": name, "title": "ä".repeat(61)})).await;
    let read = client.read(&format!("sys_user/{id}")).await;
    assert_eq!(read.text_of("user_name"), name[..40]);
    assert_eq!(read.text_of("title"), "ä".repeat(60));
    let length = client
        .read("sys_dictionary?sysparm_query=name%3Dsys_user%5Eelement%3Duser_name&sysparm_fields=max_length")
        .await;
    assert_eq!(length.result()[0]["max_length"], "40");
}

#[tokio::test]
async fn comparisons_and_unique_keys_are_blind_to_case_and_trailing_blanks() {
    let client = Client::new();
    user(&client, json!({"user_name": "Robot"})).await;
    assert!(found(&client, "user_name%3Drobot").await.0.is_empty());
    client.instance.quirks(|quirks| quirks.ignores_case = true);
    for query in [
        "user_name%3Drobot",
        "user_name%3DROBOT%20",
        "user_nameINnobody,robot",
        "user_nameSTARTSWITHrob",
    ] {
        assert_eq!(found(&client, query).await.0, ["Robot"], "{query}");
    }
    assert!(
        !found(&client, "user_name!%3Drobot")
            .await
            .0
            .contains(&"Robot".to_owned())
    );
    for taken in ["robot", "ROBOT  "] {
        let refused = client.insert("sys_user", json!({"user_name": taken})).await;
        assert_eq!(refused.status, 403, "{taken:?}");
    }
    for (url, status) in [("https://issuer.example/a", 201), ("https://issuer.example/A", 403)] {
        let body = json!({"name": "c", "oidc_url": url});
        assert_eq!(client.insert("oidc_provider_configuration", body).await.status, status);
    }
}

#[tokio::test]
async fn ids_are_shown_in_one_case_and_found_in_both() {
    let client = Client::new();
    let guid = "ABCDEF01-2222-3333-4444-555555555555";
    let id = user(&client, json!({"user_name": guid, "title": "not an id"})).await;
    client.instance.quirks(|quirks| quirks.id_case = IdCase::Upper);
    let read = client.read(&format!("sys_user/{id}")).await;
    assert_eq!(read.text_of("sys_id"), id.to_uppercase());
    assert_eq!(read.text_of("title"), "not an id");
    let capitals = id.to_uppercase();
    assert_eq!(client.read(&format!("sys_user/{capitals}")).await.status, 200);
    assert_eq!(found(&client, &format!("sys_id%3D{capitals}")).await.1, "1");
    let managed = client
        .insert("sys_user", json!({"user_name": "m", "manager": capitals}))
        .await;
    let stored = client.instance.find("sys_user", "user_name", "m").remove(0);
    assert_eq!((managed.status, &stored["manager"]), (201, &id));
    client.instance.quirks(|quirks| quirks.id_case = IdCase::Lower);
    let read = client.read(&format!("sys_user/{id}")).await;
    assert_eq!(read.text_of("user_name"), guid.to_lowercase());
    assert_eq!(read.text_of("sys_id"), id);
}

#[tokio::test]
async fn a_business_rule_may_change_a_column_and_another_beside_it() {
    let client = Client::new();
    client.instance.quirks(|quirks| {
        quirks.lower_cased.insert(("sys_user".to_owned(), "email".to_owned()));
        quirks.beside.push(Beside::new("sys_user", "title", "phone", "none"));
    });
    let id = user(&client, json!({"user_name": "u", "email": "A@Example.com"})).await;
    let path = format!("sys_user/{id}");
    let read = client.read(&path).await;
    assert_eq!(
        (read.text_of("email"), read.text_of("phone")),
        ("a@example.com".into(), "".into())
    );
    let changed = client
        .update(&path, json!({"title": "t", "email": "B@example.com"}))
        .await;
    assert_eq!(changed.text_of("email"), "b@example.com");
    assert_eq!(changed.text_of("phone"), "none");
}

#[tokio::test]
async fn a_privilege_may_be_filed_into_its_source_application() {
    let client = Client::new();
    let source = client
        .instance
        .find("sys_scope", "scope", "x_mioms_m365_assis")
        .remove(0)["sys_id"]
        .clone();
    client.instance.quirks(|quirks| quirks.privileges_follow_source = true);
    let body = json!({"source_scope": source, "target_scope": "global", "sys_scope": "global"});
    let made = client
        .insert("sys_scope_privilege?sysparm_exclude_reference_link=true", body)
        .await;
    assert_eq!((made.status, made.text_of("sys_scope")), (201, source));
}

#[tokio::test]
async fn some_grants_are_refused_and_others_bring_a_group() {
    let client = Client::new();
    let id = user(&client, json!({"user_name": "u"})).await;
    client.instance.quirks(|quirks| {
        quirks.refused_roles.insert("admin".to_owned());
        quirks.adds_script_writers = true;
    });
    for (role, status) in [("admin", 403), ("soap", 201), ("itil", 201)] {
        let role = client.instance.find("sys_user_role", "name", role).remove(0)["sys_id"].clone();
        let answer = client
            .insert("sys_user_has_role", json!({"user": id, "role": role}))
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let group = client
        .instance
        .find("sys_user_group", "name", "Conditional Script Writer")
        .remove(0);
    let members = client.instance.find("sys_user_grmember", "user", &id);
    assert_eq!(members.len(), 1);
    assert_eq!(members[0]["group"], group["sys_id"]);
    assert_eq!(members[0]["sys_created_by"], "system");
    let role = client
        .instance
        .find("sys_user_role", "name", "snc_required_script_writer_permission")
        .remove(0);
    let grants = client.instance.find("sys_user_has_role", "user", &id);
    let inherited = grants.iter().find(|row| row["role"] == role["sys_id"]).unwrap();
    assert_eq!(inherited["inherited"], "true");
}

#[tokio::test]
async fn rows_are_hidden_with_and_without_being_counted() {
    let client = Client::new();
    let id = user(&client, json!({"user_name": "robot"})).await;
    let path = format!("sys_user/{id}");
    let robots = "user_name%3Drobot";
    client.instance.quirks(|quirks| {
        quirks.hidden_tables.insert("sys_user".to_owned());
    });
    assert_eq!(found(&client, robots).await, (Vec::new(), "1".to_owned()));
    assert_eq!(client.read(&path).await.status, 404);
    client.instance.quirks(|quirks| {
        quirks.hidden_tables.clear();
        quirks.uncounted_rows.insert(id.clone());
    });
    assert_eq!(found(&client, robots).await, (Vec::new(), "0".to_owned()));
    for (method, status) in [("GET", 404), ("PATCH", 404), ("DELETE", 404)] {
        let answer = client.call(method, &format!("/api/now/table/{path}"), "{}").await;
        assert_eq!(answer.status, status, "{method}");
    }
    assert_eq!(found(&client, "user_name%3Dadmin").await.1, "1");
    client.instance.quirks(|quirks| {
        quirks.uncounted_rows.clear();
        quirks.uncounted_tables.insert("sys_user".to_owned());
    });
    assert_eq!(found(&client, "user_name%3Dadmin").await, (Vec::new(), "0".to_owned()));
    let count = client
        .call("GET", "/api/now/stats/sys_user?sysparm_count=true", "")
        .await;
    assert_eq!(count.result()["stats"]["count"], "0");
    // The table that one extends is asked without its rules.
    let entity = client
        .insert("oauth_entity", json!({"name": "Acme"}))
        .await
        .text_of("sys_id");
    client
        .instance
        .quirks(|quirks| _ = quirks.uncounted_tables.insert("oauth_entity".to_owned()));
    for (table, shown) in [("oauth_entity", 0), ("sys_metadata", 1)] {
        let answer = client.read(&format!("{table}?sysparm_query=sys_id%3D{entity}")).await;
        assert_eq!(answer.result().as_array().map(Vec::len), Some(shown), "{table}");
    }
}

#[tokio::test]
async fn lists_lag_behind_a_write() {
    let client = Client::new();
    client.instance.quirks(|quirks| quirks.lists_lag = 2);
    let id = user(&client, json!({"user_name": "robot"})).await;
    for seen in [0, 0, 1] {
        assert_eq!(found(&client, "user_name%3Drobot").await.0.len(), seen);
        assert_eq!(client.read(&format!("sys_user/{id}")).await.status, 200);
    }
}
