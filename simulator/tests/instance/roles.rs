//! Grants, inheritance, and what roles are asked for.

use serde_json::json;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{Operation, Record};

use crate::client::Client;

fn id(client: &Client, table: &str, name: &str) -> String {
    let column = if table == "sys_user" { "user_name" } else { "name" };
    client.instance.find(table, column, name).remove(0)["sys_id"].clone()
}

fn user(client: &Client, name: &str) -> String {
    client
        .instance
        .put("sys_user", &[("user_name", name), ("user_password", "pw")])
}

fn grants(client: &Client, user: &str) -> Vec<Record> {
    client.instance.find("sys_user_has_role", "user", user)
}

fn grant(client: &Client, user: &str, role: &str) {
    client.instance.put(
        "sys_user_has_role",
        &[("user", user), ("role", &id(client, "sys_user_role", role))],
    );
}

#[tokio::test]
async fn contained_roles_come_as_inherited_rows_and_go_with_their_role() {
    let client = Client::new();
    let user = user(&client, "u");
    let role = id(&client, "sys_user_role", "incident_manager");
    let made = client
        .insert("sys_user_has_role", json!({"user": user, "role": role}))
        .await;
    assert_eq!(
        (made.status, made.text_of("inherited"), made.text_of("state")),
        (201, "false".into(), "active".into())
    );
    let inherited: Vec<_> = grants(&client, &user)
        .into_iter()
        .filter(|row| row["inherited"] == "true")
        .collect();
    assert_eq!(inherited.len(), 5);
    let itil = id(&client, "sys_user_role", "itil");
    let row = inherited.iter().find(|row| row["role"] == itil).unwrap();
    let path = format!("sys_user_has_role/{}", row["sys_id"]);
    assert_eq!(client.delete(&path).await.status, 403);

    let direct = client
        .insert("sys_user_has_role", json!({"user": user, "role": itil}))
        .await;
    assert_eq!(direct.text_of("sys_id"), row["sys_id"]);
    assert_eq!(direct.text_of("inherited"), "false");
    assert_eq!(
        client
            .insert("sys_user_has_role", json!({"user": user, "role": itil}))
            .await
            .status,
        403
    );

    let path = format!("sys_user_has_role/{}", made.text_of("sys_id"));
    assert_eq!(client.delete(&path).await.status, 204);
    let left = grants(&client, &user);
    assert!(
        left.iter()
            .any(|row| row["role"] == itil && row["inherited"] == "false")
    );
    assert!(left.iter().all(|row| row["role"] != role));
}

#[tokio::test]
async fn older_instances_keep_a_row_per_source() {
    let client = Client::new();
    client.instance.switches(|modes| modes.legacy_role_rows = true);
    let user = user(&client, "u");
    grant(&client, &user, "incident_manager");
    grant(&client, &user, "itil");
    let itil = id(&client, "sys_user_role", "itil");
    let rows: Vec<_> = grants(&client, &user)
        .into_iter()
        .filter(|row| row["role"] == itil)
        .collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows.iter().filter(|row| row["inherited"] == "true").count(), 1);
}

#[tokio::test]
async fn members_of_a_group_inherit_its_roles() {
    let client = Client::new();
    let user = user(&client, "u");
    let group = id(&client, "sys_user_group", "Service Desk");
    let member = client
        .insert("sys_user_grmember", json!({"user": user, "group": group}))
        .await;
    let itil = id(&client, "sys_user_role", "itil");
    let has_itil = || {
        grants(&client, &user)
            .iter()
            .any(|row| row["role"] == itil && row["inherited"] == "true")
    };
    assert!(has_itil());
    client
        .delete(&format!("sys_user_grmember/{}", member.text_of("sys_id")))
        .await;
    assert!(grants(&client, &user).is_empty());
}

#[tokio::test]
async fn tables_ask_for_their_role() {
    let client = Client::new();
    for (role, table, status) in [
        ("", "incident", 403),
        ("incident_manager", "incident", 200),
        ("incident_manager", "oauth_entity", 403),
        ("oauth_admin", "oauth_entity", 200),
        ("oauth_admin", "oidc_provider_configuration", 403),
        ("user_admin", "sys_user_has_role", 200),
        ("user_admin", "sys_db_object", 403),
    ] {
        let name = format!("{role} {table}");
        let user = user(&client, &name);
        if !role.is_empty() {
            grant(&client, &user, role);
        }
        assert_eq!(
            client.signed_in_as(&name, "pw").read(table).await.status,
            status,
            "{name}"
        );
    }
    assert!(client.instance.log().iter().any(|line| {
        line.contains("one of these roles is needed: user_admin") || line.contains("may not read sys_db_object")
    }));
    client.instance.switches(|modes| {
        modes
            .table_roles
            .insert(("incident".to_owned(), Operation::Read), Vec::new());
    });
    assert_eq!(client.read("incident").await.status, 403);
}

#[tokio::test]
async fn a_grant_may_need_elevation() {
    let client = Client::new();
    client.instance.switches(|modes| modes.grants_need_elevation = true);
    let body = json!({"user": user(&client, "u"), "role": id(&client, "sys_user_role", "itil")});
    let answer = client.insert("sys_user_has_role", body).await;
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.json()["error"]["detail"],
        "ACL Exception Insert Failed due to security constraints"
    );
}

#[tokio::test]
async fn grants_to_one_user_that_overlap_are_told_of() {
    let client = Client::new();
    let (first, second) = (user(&client, "u"), user(&client, "v"));
    let itil = id(&client, "sys_user_role", "itil");
    let knowledge = id(&client, "sys_user_role", "knowledge");
    let slow = Fault::Slow(std::time::Duration::from_millis(50));
    client.instance.faults().every(Matcher::any(), slow);
    let grant = |user: &str, role: &str| {
        let body = json!({"user": user, "role": role});
        let client = client.header("x", "");
        async move { client.insert("sys_user_has_role", body).await }
    };
    let warnings = || {
        let log = client.instance.log();
        log.iter().filter(|line| line.contains("Concurrent")).count()
    };
    tokio::join!(grant(&first, &itil), grant(&second, &itil));
    assert_eq!(warnings(), 0);
    tokio::join!(grant(&first, &knowledge), grant(&first, &itil));
    assert_eq!(warnings(), 1);
}

#[tokio::test]
async fn user_admin_may_not_fill_a_group_that_has_roles() {
    let client = Client::new();
    let admin = user(&client, "ua");
    grant(&client, &admin, "user_admin");
    let caller = client.signed_in_as("ua", "pw");
    for (group, status) in [("Service Desk", 403), ("Hardware", 201)] {
        let body = json!({"user": admin, "group": id(&client, "sys_user_group", group)});
        assert_eq!(caller.insert("sys_user_grmember", body).await.status, status, "{group}");
    }
}

#[tokio::test]
async fn a_role_cannot_contain_itself_or_a_role_that_contains_it() {
    let client = Client::new();
    let role = id(&client, "sys_user_role", "incident_manager");
    let itil = id(&client, "sys_user_role", "itil");
    let contain = async |outer: &str, inner: &str| {
        let row = json!({"role": outer, "contains": inner});
        client.insert("sys_user_role_contains", row).await.status
    };

    assert_eq!(contain(&role, &role).await, 403);
    assert_eq!(contain(&itil, &role).await, 403, "incident_manager contains itil");
    assert_eq!(contain(&role, &itil).await, 403, "a second time");
    let knowledge = id(&client, "sys_user_role", "knowledge");
    assert_eq!(contain(&role, &knowledge).await, 201);
}

#[tokio::test]
async fn what_a_role_contains_comes_to_those_who_have_it_and_goes_with_it() {
    let client = Client::new();
    let user = user(&client, "u");
    let made = client.insert("sys_user_role", json!({"name": "own"})).await;
    let own = made.text_of("sys_id");
    grant(&client, &user, "own");
    let knowledge = id(&client, "sys_user_role", "knowledge");
    let row = client
        .insert("sys_user_role_contains", json!({"role": own, "contains": knowledge}))
        .await;
    assert_eq!(row.status, 201);
    let has = |role: &str| grants(&client, &user).iter().any(|row| row["role"] == role);
    assert!(has(&knowledge));

    let renamed = client
        .update(&format!("sys_user_role/{own}"), json!({"name": "other"}))
        .await;
    assert_eq!(renamed.status, 403, "nobody renames a role");
    client.delete(&format!("sys_user_role/{own}")).await;

    assert_eq!(grants(&client, &user), Vec::<Record>::new());
    assert_eq!(client.instance.find("sys_user_role_contains", "role", &own).len(), 0);
}

#[tokio::test]
async fn a_role_of_an_application_is_named_by_its_scope_and_its_suffix() {
    let client = Client::new();
    let scope = "x_mioms_m365_assis";
    let application = client.instance.find("sys_scope", "scope", scope).remove(0)["sys_id"].clone();
    for (sent, suffix) in [
        (json!({"suffix": "one"}), "one"),
        (json!({"name": "x_mioms_m365_assis.two"}), "two"),
        (json!({"name": "three"}), "three"),
    ] {
        let mut values = sent;
        values["sys_scope"] = application.as_str().into();
        let made = client.insert("sys_user_role", values).await;
        assert_eq!(
            (made.text_of("name"), made.text_of("suffix")),
            (format!("{scope}.{suffix}"), suffix.to_owned())
        );
    }
}

#[tokio::test]
async fn a_group_inherits_the_roles_of_its_parents() {
    let client = Client::new();
    let user = user(&client, "u");
    let desk = id(&client, "sys_user_group", "Service Desk");
    let put = |name: &str, parent: &str| {
        let group = [("name", name), ("parent", parent)];
        client.instance.put("sys_user_group", &group)
    };
    let child = put("child", &desk);
    let grandchild = put("grandchild", &child);
    client
        .instance
        .put("sys_user_grmember", &[("user", &user), ("group", &grandchild)]);
    let itil = id(&client, "sys_user_role", "itil");
    let has_itil = || grants(&client, &user).iter().any(|row| row["role"] == itil);
    assert!(has_itil());
    let rows = client.instance.find("sys_group_has_role", "group", &grandchild);
    assert_eq!(rows[0]["granted_by"], child);
    let refused = client
        .delete(&format!("sys_group_has_role/{}", rows[0]["sys_id"]))
        .await;
    assert_eq!(refused.status, 403);

    let left = client
        .update(&format!("sys_user_group/{child}"), json!({"parent": ""}))
        .await;
    assert_eq!(left.status, 200);

    assert!(!has_itil());
    assert_eq!(
        client.instance.find("sys_group_has_role", "group", &grandchild).len(),
        0
    );
}
