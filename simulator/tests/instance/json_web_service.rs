//! The older JSON web service, `/{table}.do?JSONv2`.

use serde_json::json;

use crate::client::{Answer, Client};

const USERS: &str = "/sys_user.do?JSONv2";

impl Client {
    async fn post(&self, path: &str, body: serde_json::Value) -> Answer {
        self.call("POST", path, &body.to_string()).await
    }
}

#[tokio::test]
async fn a_record_is_inserted_read_changed_and_deleted() {
    let client = Client::new();

    let made = client
        .post(
            &format!("{USERS}&sysparm_action=insert"),
            json!({"user_name": "robot", "vip": "false"}),
        )
        .await;
    let record = made.json()["records"][0].clone();
    assert_eq!(record["__status"], "success", "{record}");
    assert_eq!(record["active"], "true");
    let sys_id = record["sys_id"].as_str().unwrap().to_owned();

    let changed = client
        .post(
            &format!("{USERS}&sysparm_action=update&sysparm_query=sys_id={sys_id}"),
            json!({"title": "Robot"}),
        )
        .await;
    assert_eq!(changed.json()["records"][0]["title"], "Robot");

    let read = client
        .call("GET", &format!("{USERS}&sysparm_query=user_name=robot"), "")
        .await;
    assert_eq!(read.json()["records"].as_array().unwrap().len(), 1);
    assert_eq!(read.json()["records"][0]["title"], "Robot");

    let delete = format!("{USERS}&sysparm_action=deleteRecord&sysparm_sys_id={sys_id}");
    assert_eq!(client.post(&delete, json!({})).await.status, 200);
    assert_eq!(client.instance.record("sys_user", &sys_id), None);
    let requests = client.instance.requests();
    assert!(
        requests.iter().all(|request| request.table == "sys_user"),
        "{requests:?}"
    );
}

#[tokio::test]
async fn what_is_refused_comes_in_place_of_the_record() {
    let client = Client::new();

    let twin = client
        .post(&format!("{USERS}&sysparm_action=insert"), json!({"user_name": "admin"}))
        .await;

    assert_eq!(twin.status, 200);
    let record = &twin.json()["records"][0];
    assert_eq!(record["__status"], "failure");
    assert!(
        record["__error"]["reason"].as_str().unwrap().contains("Insert Aborted"),
        "{record}"
    );
}

#[tokio::test]
async fn it_takes_credentials_and_rights_as_the_table_api_does() {
    let client = Client::new();
    let nobody = client.header("authorization", "");
    assert_eq!(nobody.call("GET", USERS, "").await.status, 401);

    let by_query = format!("{USERS}&sysparm_query=user_name=admin");
    let shown = client.call("GET", &by_query, "").await.json()["records"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(shown, 1);
    let admin = client.instance.find("sys_user", "user_name", "admin").remove(0);
    client.instance.switches(|modes| {
        modes.hidden_rows.insert(admin["sys_id"].clone());
    });
    assert_eq!(client.call("GET", &by_query, "").await.json()["records"], json!([]));
}

#[tokio::test]
async fn a_page_of_the_interface_stays_a_page() {
    let client = Client::new();

    for path in [
        "/sys_user.do",
        "/sys_user_list.do?sysparm_query=JSONv2",
        "/a/b.do?JSONv2",
    ] {
        let page = client.call("GET", path, "").await;
        assert!(page.text.contains("<html>"), "{path}: {}", page.text);
    }
}
