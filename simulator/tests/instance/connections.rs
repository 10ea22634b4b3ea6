//! Aliases, and the connections and credentials that they lead to.

use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn an_alias_has_a_plain_name_once_in_its_scope() {
    let client = Client::new();
    let made = client.insert("sys_alias", json!({"name": "acme"})).await;
    assert_eq!((made.status, made.text_of("id")), (201, "global.acme".into()));
    assert_eq!(made.text_of("connection_type"), "http_connection");

    assert_eq!(client.insert("sys_alias", json!({"name": "acme"})).await.status, 403);
    assert_eq!(client.insert("sys_alias", json!({"name": "ac me"})).await.status, 403);
    assert_eq!(client.insert("sys_alias", json!({"name": "ac-me"})).await.status, 201);
    let path = format!("sys_alias/{}", made.text_of("sys_id"));
    assert_eq!(client.update(&path, json!({"name": "a b"})).await.status, 403);
}

#[tokio::test]
async fn an_alias_has_one_active_connection_unless_it_may_have_several() {
    let client = Client::new();
    for (several, second) in [("false", 403), ("true", 201)] {
        let alias = json!({"name": format!("alias_{several}"), "multiple_connections": several});
        let alias = client.insert("sys_alias", alias).await.text_of("sys_id");
        let connection = |active: &str| json!({"name": "Acme", "connection_alias": alias, "active": active});
        assert_eq!(client.insert("http_connection", connection("true")).await.status, 201);
        assert_eq!(client.insert("http_connection", connection("false")).await.status, 201);
        assert_eq!(
            client.insert("http_connection", connection("true")).await.status,
            second
        );
    }
}
