//! The admin center's page.

use reqwest::Method;
use serde_json::{Value, json};
use servicenow_simulator::faults::Matcher;
use servicenow_simulator::microsoft::admin_center::{AdminFault, Quirks};

use crate::web::Simulation;

#[tokio::test]
async fn a_repository_lives_through_create_replace_and_delete_and_never_shows_a_secret() {
    let simulation = Simulation::start().await;
    let token = simulation.admin_token().await;
    let base = format!("{}/admin/api/supportRepository", simulation.simulator.urls().admin);
    let (mine, one) = (format!("{base}/my"), format!("{base}/contoso"));
    let mut repository = json!({
        "RepositoryId": "contoso", "Endpoint": "https://contoso.service-now.com/", "AuthenticationType": "AAD",
        "ClientId": "a2", "ClientSecret": "first secret", "RestUserName": "a3", "RestUserPassword": "second secret",
        "Unknown": {"kept": true},
    });

    let settings = json!({"SupportTool": "ServiceNow", "ApplicationId": "a1"});
    assert_eq!(simulation.call(Method::POST, &mine, &token, &settings).await.0, 204);
    let (status, created) = simulation.call(Method::POST, &base, &token, &repository).await;

    assert_eq!(status, 201);
    assert_eq!(simulation.call(Method::POST, &base, &token, &repository).await.0, 409);
    let (status, shown) = simulation.call(Method::GET, &mine, &token, &Value::Null).await;
    assert_eq!((status, &shown["ApplicationId"]), (200, &json!("a1")));
    assert_eq!(shown["Repositories"][0]["Unknown"], json!({"kept": true}));
    assert!(!format!("{created}{shown}").contains("secret"), "{created}{shown}");

    repository.as_object_mut().unwrap().remove("ClientSecret");
    assert_eq!(simulation.call(Method::PUT, &one, &token, &repository).await.0, 204);
    let stored = &simulation.simulator.admin().repositories()[0];
    assert_eq!(
        (stored.client_secret.as_str(), stored.user_password.as_str()),
        ("", "second secret")
    );

    assert_eq!(simulation.call(Method::DELETE, &one, &token, &Value::Null).await.0, 204);
    assert_eq!(simulation.call(Method::DELETE, &one, &token, &Value::Null).await.0, 404);
    assert_eq!(simulation.call(Method::PUT, &one, &token, &repository).await.0, 404);
    assert_eq!(
        simulation
            .simulator
            .logs()
            .admin
            .count("DELETE", "/admin/api/supportRepository/contoso"),
        2
    );
}

#[tokio::test]
async fn the_page_may_spell_what_it_stores_in_its_own_way() {
    let simulation = Simulation::start().await;
    let token = simulation.admin_token().await;
    let base = format!("{}/admin/api/supportRepository", simulation.simulator.urls().admin);
    let guid = "ABCDEF01-2222-3333-4444-555555555555";
    let settings = json!({"SupportTool": " ServiceNow ", "ApplicationId": guid});
    let repository = json!({"RepositoryId": guid, "AuthenticationType": "AAD", "ClientSecret": " secret "});
    simulation.simulator.admin().set_quirks(Quirks {
        trims: true,
        lower_cases_guids: true,
    });

    assert_eq!(
        simulation
            .call(Method::POST, &format!("{base}/my"), &token, &settings)
            .await
            .0,
        204
    );
    assert_eq!(simulation.call(Method::POST, &base, &token, &repository).await.0, 201);

    let admin = simulation.simulator.admin();
    assert_eq!(
        (admin.support_tool().as_str(), admin.application_id()),
        ("ServiceNow", guid.to_lowercase())
    );
    let stored = &admin.repositories()[0];
    assert_eq!(
        (stored.id.clone(), stored.client_secret.as_str()),
        (guid.to_lowercase(), " secret ")
    );
    assert_eq!(simulation.call(Method::POST, &base, &token, &repository).await.0, 409);
    let one = |id: &str| format!("{base}/{id}");
    assert_eq!(
        simulation
            .call(Method::DELETE, &one(guid), &token, &Value::Null)
            .await
            .0,
        404
    );
    assert_eq!(
        simulation
            .call(Method::DELETE, &one(&guid.to_lowercase()), &token, &Value::Null)
            .await
            .0,
        204
    );
}

#[tokio::test]
async fn only_a_person_with_the_role_gets_in() {
    let simulation = Simulation::start().await;
    let mine = format!("{}/admin/api/supportRepository/my", simulation.simulator.urls().admin);
    let delegated = simulation.admin_token().await;
    let elsewhere = simulation.app_token("https://graph.microsoft.com").await;
    let app_only = simulation.app_token("https://admin.microsoft.com").await;
    simulation
        .simulator
        .directory()
        .with(|tenant| tenant.administrator.roles.clear());
    let without_role = simulation.admin_token().await;

    for (token, expected) in [
        (&delegated, 200),
        (&elsewhere, 401),
        (&app_only, 403),
        (&without_role, 403),
        (&"a.b.c".to_owned(), 401),
    ] {
        let (status, body) = simulation.call(Method::GET, &mine, token, &Value::Null).await;

        assert_eq!(status, expected, "{body}");
    }
    assert_eq!(
        simulation.client.get(&mine).send().await.unwrap().status().as_u16(),
        401
    );
}

#[tokio::test]
async fn each_fault_answers_as_seen_in_the_field() {
    let simulation = Simulation::start().await;
    let token = simulation.admin_token().await;
    let mine = format!("{}/admin/api/supportRepository/my", simulation.simulator.urls().admin);
    for (fault, status) in [
        (AdminFault::Unauthorized, 401),
        (AdminFault::Forbidden, 403),
        (AdminFault::NotFound, 404),
        (AdminFault::LoginTimeout, 440),
        (AdminFault::Html, 200),
        (AdminFault::Unavailable, 503),
    ] {
        simulation.simulator.admin().fail(Matcher::any(), fault);

        let response = simulation.client.get(&mine).bearer_auth(&token).send().await.unwrap();

        assert_eq!(response.status().as_u16(), status, "{fault:?}");
        let is_html = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html");
        assert_eq!(is_html, fault == AdminFault::Html, "{fault:?}");
        simulation.simulator.admin().faults().clear();
    }
}
