//! The support API against a scripted admin center.

use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::http::Secret;
use crate::http::test_server::{Received, Reply, Server, client, limits};
use crate::microsoft::entra::{Proof, SignIn};
use crate::microsoft::{Cloud, Microsoft365, Microsoft365Options};

const MY: &str = "/admin/api/supportRepository/my";

/// An admin center that stores what it receives, and runs `quirk` first.
async fn admin_center(document: Value, quirk: impl Fn(&Received) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let document = Mutex::new(document);
    Server::by(move |received| {
        if received.target.contains("/oauth2/") {
            return Reply::json(200, &json!({"access_token": "support-token", "expires_in": 3600}));
        }
        let reply = quirk(received);
        let mut document = document.lock().unwrap();
        let list = document.get_mut("Repositories").and_then(Value::as_array_mut);
        let id = received
            .target
            .strip_prefix("/admin/api/supportRepository/")
            .map(str::to_owned);
        match (received.method.as_str(), list) {
            ("GET", _) => return reply.unwrap_or_else(|| Reply::json(200, &document)),
            ("POST", _) if received.target == MY => {
                let fields = received.json();
                for (name, value) in fields.as_object().unwrap() {
                    document[name] = value.clone();
                }
            }
            // A quirk "before" refuses; one "after" loses the answer of a write that happened.
            _ if matches!(reply, Some(Reply::Answer(..))) => {}
            ("POST", Some(list)) => list.push(received.json()),
            ("PUT", Some(list)) => {
                *list
                    .iter_mut()
                    .find(|entry| entry["RepositoryId"] == id.as_deref().unwrap())
                    .unwrap() = received.json()
            }
            ("DELETE", Some(list)) => list.retain(|entry| entry["RepositoryId"] != id.as_deref().unwrap()),
            other => panic!("{other:?}"),
        }
        reply.unwrap_or_else(|| Reply::Answer(204, Vec::new(), String::new()))
    })
    .await
}

fn api(server: &Server, profile: Option<&str>) -> Arc<SupportApi> {
    let options = Microsoft365Options {
        tenant_id: Some("tenant".to_owned()),
        cloud: Cloud::Global,
        login_url: Some(server.url.clone()),
        admin_url: Some(server.url.clone()),
        sign_in: SignIn::RefreshToken {
            client_id: "app".to_owned(),
            token: Secret::from("refresh-me"),
            proof: Proof::None,
        },
        support_api_profile: profile.map(Secret::from),
    };
    Microsoft365::new(&Arc::new(client()), options).unwrap().support
}

fn tenant() -> Value {
    json!({
        "SupportTool": "ServiceNow", "ApplicationId": "a1", "Region": "EU",
        "Repositories": [{"RepositoryId": "old", "Endpoint": "https://old/", "AuthenticationType": "Basic", "ClientId": "c",
            "RestUserName": "u", "RefreshTokenExpiry": "8640000", "ClientSecret": "****", "Colour": "red"}],
    })
}

fn repository(id: &str) -> Repository {
    Repository {
        repository_id: id.to_owned(),
        endpoint: Some("https://dev.service-now.com/".to_owned()),
        authentication_type: Some("aad".to_owned()),
        client_id: Some("a2".to_owned()),
        rest_user_name: Some("a3".to_owned()),
        refresh_token_expiry: None,
    }
}

fn secrets() -> RepositorySecrets {
    RepositorySecrets {
        client_secret: Some(Secret::from("a2-secret")),
        rest_user_password: Some(Secret::from("a3-secret")),
    }
}

fn writes(server: &Server) -> Vec<Received> {
    let is_write = |received: &Received| received.method != "GET" && !received.target.contains("/oauth2/");
    server.received().into_iter().filter(is_write).collect()
}

#[tokio::test]
async fn what_the_admin_center_holds_is_read_in_our_words() {
    let server = admin_center(tenant(), |_| None).await;
    let api = api(&server, None);

    let settings = api.find_settings(&limits()).await.unwrap().unwrap();
    let old = api.find_repository("old", &limits()).await.unwrap().unwrap();

    assert_eq!(settings.internal_support_tool.as_deref(), Some("ServiceNow"));
    assert_eq!(old.authentication_type.as_deref(), Some("basic"));
    assert_eq!(old.refresh_token_expiry, Some(8_640_000));
    assert_eq!(api.find_repository("none", &limits()).await.unwrap(), None);
    let call = server
        .received()
        .into_iter()
        .find(|received| received.target == MY)
        .unwrap();
    assert_eq!(call.header("authorization").as_deref(), Some("Bearer support-token"));
    assert_eq!(call.header("x-requested-with").as_deref(), Some("XMLHttpRequest"));
}

#[tokio::test]
async fn settings_are_written_with_what_else_the_object_holds_but_without_the_list() {
    let server = admin_center(tenant(), |_| None).await;
    let settings = Settings {
        internal_support_tool: Some("ServiceNow".to_owned()),
        application_id: Some("a9".to_owned()),
    };

    api(&server, None).write_settings(&settings, &limits()).await.unwrap();

    let write = &writes(&server)[0];
    assert_eq!((write.method.as_str(), write.target.as_str()), ("POST", MY));
    assert_eq!(
        write.json(),
        json!({"SupportTool": "ServiceNow", "ApplicationId": "a9", "Region": "EU"})
    );
    assert_eq!(
        write.header("content-type").as_deref(),
        Some("application/json; charset=UTF-8")
    );
}

#[tokio::test]
async fn a_repository_lives_its_life() {
    let server = admin_center(tenant(), |_| None).await;
    let (api, limits) = (api(&server, None), limits());
    let wanted = repository("new");

    api.create_repository(&wanted, &secrets(), &limits).await.unwrap();
    assert_eq!(api.read_back(&wanted, &limits).await.unwrap(), wanted);
    let changed = Repository {
        client_id: Some("a4".to_owned()),
        ..wanted.clone()
    };
    api.update_repository(&changed, &secrets(), &limits).await.unwrap();
    assert_eq!(api.read_back(&changed, &limits).await.unwrap(), changed);
    assert_eq!(api.delete_repository("new", &limits).await.unwrap(), Deleted::Now);
    assert_eq!(api.find_repository("new", &limits).await.unwrap(), None);

    let created = writes(&server)[0].json();
    let expected = json!({"RepositoryId": "new", "Endpoint": "https://dev.service-now.com/", "AuthenticationType": "AAD", "ClientId": "a2",
        "ClientSecret": "a2-secret", "RestUserName": "a3", "RestUserPassword": "a3-secret"});
    assert_eq!(created, expected);
}

#[tokio::test]
async fn an_update_keeps_unknown_fields_and_never_sends_a_mask_back() {
    let server = admin_center(tenant(), |_| None).await;
    let only_password = RepositorySecrets {
        client_secret: None,
        ..secrets()
    };

    api(&server, None)
        .update_repository(&repository("old"), &only_password, &limits())
        .await
        .unwrap();

    let write = &writes(&server)[0];
    assert_eq!(
        (write.method.as_str(), write.target.as_str()),
        ("PUT", "/admin/api/supportRepository/old")
    );
    let body = write.json();
    assert_eq!(body["Colour"], "red");
    assert_eq!(body["RestUserPassword"], "a3-secret");
    assert_eq!(body.get("ClientSecret"), None);
    assert_eq!(body.get("RefreshTokenExpiry"), None);
}

#[tokio::test]
async fn a_taken_id_is_not_overwritten() {
    let server = admin_center(tenant(), |_| None).await;

    let error = api(&server, None)
        .create_repository(&repository("old"), &secrets(), &limits())
        .await
        .unwrap_err();

    assert!(matches!(error, SupportError::AlreadyExists { .. }), "{error}");
    assert!(error.remedy().contains("repository_id"));
    assert!(writes(&server).is_empty());
}

#[tokio::test]
async fn a_lost_answer_to_a_create_neither_doubles_nor_forgets() {
    // The connection breaks after the repository was made.
    let server = admin_center(tenant(), |received| (received.method == "POST").then_some(Reply::Drop)).await;
    api(&server, None)
        .create_repository(&repository("new"), &secrets(), &limits())
        .await
        .unwrap();
    assert_eq!(writes(&server).len(), 1);

    // The gateway fails before it was made, once.
    let failures = Mutex::new(1);
    let server = admin_center(tenant(), move |received| {
        let mut failures = failures.lock().unwrap();
        (received.method == "POST" && std::mem::take(&mut *failures) > 0).then(|| Reply::json(502, &json!({})))
    })
    .await;
    api(&server, None)
        .create_repository(&repository("new"), &secrets(), &limits())
        .await
        .unwrap();
    assert_eq!(writes(&server).len(), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let first = Mutex::new(true);
    let server = admin_center(tenant(), move |_| {
        std::mem::take(&mut *first.lock().unwrap()).then(|| Reply::json(401, &json!({})))
    })
    .await;

    assert!(api(&server, None).find_settings(&limits()).await.is_ok());

    let sign_ins = server
        .received()
        .iter()
        .filter(|received| received.target.contains("/oauth2/"))
        .count();
    assert_eq!(sign_ins, 2);
}

#[tokio::test]
async fn every_refusal_says_what_it_means() {
    let html = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    let cases = [
        (Reply::json(401, &json!({"error": {"code": "x"}})), "user_impersonation"),
        (Reply::typed(403, "text/plain", ""), "administrator role"),
        (Reply::typed(404, "text/html", html), "retirement"),
        (Reply::typed(440, "text/html", html), "manually"),
        (Reply::typed(200, "text/html", html), "Sign in"),
        (Reply::typed(200, "application/json", html), "admin_url"),
        (Reply::typed(200, "application/json", "{\"Repos"), "malformed"),
        (Reply::json(200, &json!({"Other": 1})), "/Repositories"),
        (Reply::json(200, &json!([1])), "/Repositories"),
        (Reply::json(503, &json!({})), "Try again later"),
        (Reply::json(400, &json!({"m": "bad verb"})), "bad verb"),
        (Reply::json(418, &json!({})), "418"),
    ];
    for (reply, expected) in cases {
        let quirk = reply.clone();
        let server = admin_center(tenant(), move |_| Some(quirk.clone())).await;

        let error = api(&server, None).repositories(&limits()).await.unwrap_err();

        let said = format!("{error}. {}", error.remedy());
        assert!(said.contains(expected), "{reply:?}: {said}");
    }
}

#[tokio::test]
async fn a_tenant_without_support_integration_is_empty() {
    for reply in [
        Reply::json(200, &Value::Null),
        Reply::Answer(204, Vec::new(), String::new()),
        Reply::json(404, &json!({"code": "ObjectNotFound"})),
    ] {
        let quirk = reply.clone();
        let server = admin_center(tenant(), move |_| Some(quirk.clone())).await;
        let api = api(&server, None);

        assert_eq!(api.find_settings(&limits()).await.unwrap(), None, "{reply:?}");
        assert!(api.repositories(&limits()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn deleting_what_is_gone_is_done_but_a_missing_page_is_not() {
    let refuse = |received: &Received| (received.method == "DELETE").then(|| Reply::typed(404, "text/html", ""));
    let server = admin_center(tenant(), refuse).await;
    let api = api(&server, None);

    assert_eq!(api.delete_repository("gone", &limits()).await.unwrap(), Deleted::Before);
    let error = api.delete_repository("old", &limits()).await.unwrap_err();
    assert!(matches!(error, SupportError::PageMissing { .. }), "{error}");
}

#[tokio::test]
async fn an_id_stays_one_path_segment() {
    let server = admin_center(tenant(), |_| None).await;
    let api = api(&server, None);

    let _ = api.delete_repository("a/b?c#d", &limits()).await;
    assert_eq!(writes(&server)[0].target, "/admin/api/supportRepository/a%2Fb%3Fc%23d");
    for id in ["", ".", ".."] {
        let error = api.delete_repository(id, &limits()).await.unwrap_err();
        assert!(matches!(error, SupportError::BadRepositoryId(_)), "{error}");
    }
}

#[tokio::test]
async fn a_profile_changes_verb_path_names_and_values() {
    let server = Server::replies(vec![Reply::json(
        200,
        &json!({"access_token": "t", "expires_in": 1, "data": {"repos": [{"key": "x", "kind": "Azure"}]}}),
    )])
    .await;
    let profile = json!({
        "scope": "api://other/.default",
        "operations": {
            "list_repositories": {"path": "/v2/repos"},
            "delete_repository": {"method": "POST", "path": "/v2/repos/{repository_id}/remove", "override_header": {"name": "x-http-method-override", "value": "Delete"}},
            "update_repository": null,
        },
        "repository": {"pointer": "/data/repos", "fields": {"repository_id": "key", "authentication_type": "kind"}, "values": {"authentication_type": {"aad": "Azure"}}},
    });
    let api = api(&server, Some(&profile.to_string()));

    let found = api.repositories(&limits()).await.unwrap();
    api.delete_repository("x", &limits()).await.unwrap();
    let error = api
        .update_repository(&repository("x"), &secrets(), &limits())
        .await
        .unwrap_err();

    assert_eq!(found[0].authentication_type.as_deref(), Some("aad"));
    let received = server.received();
    assert_eq!(received[0].field("scope").as_deref(), Some("api://other/.default"));
    assert_eq!(received[1].target, "/v2/repos");
    let delete = writes(&server).pop().unwrap();
    assert_eq!(
        (delete.method.as_str(), delete.target.as_str()),
        ("POST", "/v2/repos/x/remove")
    );
    assert_eq!(delete.header("x-http-method-override").as_deref(), Some("Delete"));
    assert!(
        matches!(error, SupportError::NotInProfile("update_repository")),
        "{error}"
    );
}
