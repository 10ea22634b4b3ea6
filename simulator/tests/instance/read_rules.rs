//! What access rules among the records let an account read.

use serde_json::json;
use servicenow_simulator::instance::ForbiddenRead;

use crate::client::Client;

/// An instance with three incidents, and a user with the role `itil` beside its administrator.
fn with_user() -> (Client, Client) {
    let admin = Client::new();
    for text in ["a", "b", "c"] {
        admin
            .instance
            .put("incident", &[("short_description", text), ("category", "network")]);
    }
    let values = [("user_name", "u"), ("user_password", "pw")];
    let user = admin.instance.put("sys_user", &values);
    let role = id(&admin, "itil");
    admin
        .instance
        .put("sys_user_has_role", &[("user", &user), ("role", &role)]);
    let reader = admin.signed_in_as("u", "pw");
    (admin, reader)
}

fn id(client: &Client, role: &str) -> String {
    client.instance.find("sys_user_role", "name", role).remove(0)["sys_id"].clone()
}

fn rule(client: &Client, name: &str, role: &str, more: &[(&str, &str)]) -> String {
    let values = [&[("name", name), ("operation", "read"), ("type", "record")], more].concat();
    let rule = client.instance.put("sys_security_acl", &values);
    let role = id(client, role);
    client.instance.put(
        "sys_security_acl_role",
        &[("sys_security_acl", &rule), ("sys_user_role", &role)],
    );
    rule
}

#[tokio::test]
async fn of_the_rules_of_the_nearest_name_one_is_enough() {
    let (admin, reader) = with_user();
    assert_eq!(reader.read("incident").await.status, 200);
    let shipped = admin.instance.find("sys_security_acl", "name", "incident").remove(0)["sys_id"].clone();
    for link in admin
        .instance
        .find("sys_security_acl_role", "sys_security_acl", &shipped)
    {
        admin.instance.change(
            "sys_security_acl_role",
            &link["sys_id"],
            &[("sys_user_role", &id(&admin, "catalog"))],
        );
    }
    assert_eq!(
        reader.read("incident").await.status,
        403,
        "the rule of the parent table does not count"
    );
    assert_eq!(admin.read("incident").await.status, 200, "administrators pass");

    rule(&admin, "incident", "itil", &[]);

    assert_eq!(reader.read("incident").await.result().as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_condition_takes_rows_from_the_list_and_not_from_the_count() {
    let (admin, reader) = with_user();
    let shipped = admin.instance.find("sys_security_acl", "name", "incident").remove(0)["sys_id"].clone();
    admin
        .instance
        .change("sys_security_acl", &shipped, &[("condition", "short_description=b")]);

    let answer = reader.read("incident").await;

    assert_eq!(answer.result().as_array().unwrap().len(), 1);
    assert_eq!(answer.header("x-total-count"), Some("3"));
    let other = admin.instance.find("incident", "short_description", "a").remove(0)["sys_id"].clone();
    assert_eq!(reader.read(&format!("incident/{other}")).await.status, 404);
}

#[tokio::test]
async fn a_column_that_a_rule_forbids_is_left_out_without_a_word() {
    let (admin, reader) = with_user();
    rule(&admin, "task.short_description", "catalog", &[]);
    rule(&admin, "*.category", "catalog", &[("active", "false")]);

    let answer = reader
        .read("incident?sysparm_fields=sys_id,short_description,category")
        .await;

    let row = answer.result()[0].clone();
    assert!(row.get("short_description").is_none(), "{row}");
    assert_eq!(row["category"], "network");
    assert!(
        admin.read("incident").await.result()[0]
            .get("short_description")
            .is_some()
    );
}

#[tokio::test]
async fn a_deny_unless_rule_must_be_met_besides() {
    let (admin, reader) = with_user();
    rule(
        &admin,
        "incident",
        "catalog",
        &[("decision_type", "deny"), ("admin_overrides", "false")],
    );

    assert_eq!(reader.read("incident").await.status, 403);
    assert_eq!(admin.read("incident").await.status, 403);
}

#[tokio::test]
async fn a_release_may_answer_a_forbidden_list_without_rows() {
    let (admin, reader) = with_user();
    admin.instance.put("kb_knowledge", &[("short_description", "x")]);
    assert_eq!(reader.read("kb_knowledge").await.status, 403);

    admin
        .instance
        .switches(|modes| modes.forbidden_read = ForbiddenRead::NoRows);

    let answer = reader.read("kb_knowledge").await;
    assert_eq!((answer.status, answer.result()), (200, json!([])));
    assert_eq!(answer.header("x-total-count"), Some("1"));
}

#[tokio::test]
async fn the_rules_themselves_take_security_admin() {
    let (admin, _) = with_user();
    assert_eq!(admin.read("sys_security_acl").await.status, 403);
    assert_eq!(admin.read("sys_security_acl_role").await.status, 403);
    assert_eq!(admin.read("sys_security_operation").await.status, 200);

    let user = admin.instance.find("sys_user", "user_name", "admin").remove(0)["sys_id"].clone();
    let role = id(&admin, "security_admin");
    admin
        .instance
        .put("sys_user_has_role", &[("user", &user), ("role", &role)]);

    assert_eq!(admin.read("sys_security_acl").await.status, 200);
    let made = admin
        .insert("sys_security_acl", json!({"name": "incident", "operation": "read"}))
        .await;
    assert_eq!(made.status, 403, "nobody writes them over the API");
}
