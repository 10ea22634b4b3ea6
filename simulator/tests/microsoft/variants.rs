//! The guide's variants, the Copilot connector, the page for people, and a restart.

use serde_json::json;
use servicenow_simulator::Options;
use servicenow_simulator::microsoft::directory::{CONNECTOR_APP, TokenVersion};

use crate::guide::{Guide, Mistakes, fails};
use crate::web::{Simulation, send};

#[tokio::test]
async fn the_variants_have_their_legs() {
    let guide = Guide::follow(Mistakes::default()).await;
    for (query, expected) in [
        ("?variant=insights_only", vec!["outbound"]),
        ("?variant=v2", vec!["outbound", "repository"]),
        ("?variant=aad_v1&repository_id=contoso", vec!["outbound", "inbound"]),
    ] {
        let report = guide.test(query).await;

        let names: Vec<_> = report["legs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|leg| leg["name"].clone())
            .collect();
        assert_eq!(
            (&report["ok"], names),
            (&json!(true), expected.into_iter().map(|name| json!(name)).collect()),
            "{report:#}"
        );
    }
    fails(
        &guide.test("?repository_id=other").await,
        "inbound",
        &["no repository 'other'"],
    );
    let url = &guide.simulation.simulator.urls().connection_test;
    assert_eq!(
        send(guide.simulation.client.post(format!("{url}?variant=v3"))).await.0,
        400
    );
}

#[tokio::test]
async fn the_basic_variant_signs_in_at_the_instance() {
    let guide = Guide::follow(Mistakes::default()).await;
    let instance = guide.simulation.simulator.instance();
    let endpoint = guide
        .insert(
            "oauth_entity",
            json!({"name": "inbound_rest", "type": "client", "client_secret": "endpoint secret"}),
        )
        .await;
    let client = instance.record("oauth_entity", &endpoint).unwrap();
    let user = guide
        .insert("sys_user?sysparm_input_display_value=true", json!({
            "user_name": "m365", "last_name": "m365", "user_password": "user password", "web_service_access_only": "true",
            "password_needs_reset": "false",
        }))
        .await;
    let role = instance.find("sys_user_role", "name", "incident_manager")[0]["sys_id"].clone();
    guide
        .insert(
            "sys_user_has_role",
            json!({"user": user, "role": role, "state": "active"}),
        )
        .await;
    let mut repository = json!({
        "RepositoryId": "contoso", "AuthenticationType": "Basic", "ClientId": client["client_id"],
        "ClientSecret": "endpoint secret", "RestUserName": "m365", "RestUserPassword": "user password",
    });
    guide.simulation.simulator.admin().put_repository(&repository);

    let report = guide.test("").await;
    assert_eq!(report["ok"], true, "{report:#}");

    repository["RestUserPassword"] = json!("wrong");
    guide.simulation.simulator.admin().put_repository(&repository);
    fails(&guide.test("").await, "inbound", &["token endpoint answered 401"]);
}

#[tokio::test]
async fn the_copilot_connector_signs_in_as_the_machine_user() {
    let guide = Guide::follow(Mistakes::default()).await;
    let simulator = &guide.simulation.simulator;
    let principal = simulator
        .directory()
        .with(|tenant| tenant.service_principal(CONNECTOR_APP).unwrap().object_id.clone());
    fails(&guide.test("?variant=copilot").await, "copilot", &["ssuer"]);
    let configuration = guide
        .insert("oidc_provider_configuration", json!({
            "name": "Microsoft Entra ID",
            "oidc_url": format!("https://login.microsoftonline.com/{}/v2.0/.well-known/openid-configuration", simulator.tenant_id()),
            "user_claim": "sub", "user_field": "user_name", "enable_jti_verification": "false",
        }))
        .await;
    guide
        .insert(
            "oauth_oidc_entity",
            json!({
                "name": "Microsoft Entra ID", "client_id": CONNECTOR_APP, "oidc_provider_configuration": configuration,
            }),
        )
        .await;
    guide
        .insert(
            "sys_user",
            json!({
                "user_name": principal, "last_name": "connector", "identity_type": "machine", "active": "true",
            }),
        )
        .await;

    let report = guide.test("?copilot=true").await;

    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(report["legs"][2]["name"], "copilot");
}

#[tokio::test]
async fn a_restart_from_the_state_file_keeps_the_guide_working() {
    let guide = Guide::follow(Mistakes::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let first = Simulation::with(Options {
        state: Some(path.clone()),
        ..Options::default()
    })
    .await;
    first
        .simulator
        .instance()
        .put("incident", &[("short_description", "kept")]);
    let application = first.simulator.directory().register("kept", TokenVersion::V1);
    first
        .simulator
        .admin()
        .put_repository(&json!({"RepositoryId": "kept", "ClientSecret": "kept too"}));
    let (tenant, client) = (first.simulator.tenant_id(), first.simulator.client_id().to_owned());
    first.simulator.stop().unwrap();

    let second = Simulation::with(Options {
        state: Some(path),
        ..Options::default()
    })
    .await;

    assert_eq!(
        (second.simulator.tenant_id(), second.simulator.client_id()),
        (tenant, client.as_str())
    );
    assert_eq!(
        second
            .simulator
            .instance()
            .find("incident", "short_description", "kept")
            .len(),
        1
    );
    assert_eq!(second.simulator.admin().repositories()[0].client_secret, "kept too");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", application.client_id.as_str()),
        ("client_secret", application.client_secret.as_str()),
    ];
    assert_eq!(second.token("", &form).await.0, 200);
    drop(guide);
}

#[tokio::test]
async fn the_page_runs_the_test_and_shows_no_secret() {
    let guide = Guide::follow(Mistakes::default()).await;
    let url = format!("{}/", guide.simulation.simulator.urls().instance);
    guide.test("").await;

    let page = guide
        .simulation
        .client
        .get(&url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let form = guide
        .simulation
        .client
        .post(&url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("variant=aad_v1");
    let tested = form.send().await.unwrap().text().await.unwrap();

    assert!(page.contains("Contoso Azure") && page.contains("contoso_application_inbound_api"));
    assert!(tested.contains("Connection test successful"), "{tested}");
    let simulator = &guide.simulation.simulator;
    let secrets = [
        &guide.outbound.client_secret,
        &guide.inbound.client_secret,
        &guide.rest_user.client_secret,
        simulator.password(),
        simulator.client_secret(),
        simulator.refresh_token(),
    ];
    for secret in secrets {
        assert!(!page.contains(secret) && !tested.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn http_works_where_asked_for_and_other_schemes_do_not() {
    let options = Options {
        instance_scheme: servicenow_simulator::Scheme::Http,
        ..Options::default()
    };
    let simulation = Simulation::with(options).await;
    let url = &simulation.simulator.urls().instance;
    assert!(url.starts_with("http://"), "{url}");

    let request = simulation
        .client
        .get(format!("{url}/api/now/table/sys_user?sysparm_limit=1"))
        .basic_auth(simulation.simulator.username(), Some(simulation.simulator.password()));

    assert_eq!(send(request).await.0, 200);
}

/// The program runs for weeks; a test wants to see everything.
#[tokio::test]
async fn only_the_newest_of_the_past_is_kept_where_that_was_asked_for() {
    for (history, expected) in [(None, 5), (Some(2), 2)] {
        let simulation = Simulation::with(Options {
            history,
            ..Options::default()
        })
        .await;
        let (simulator, client) = (&simulation.simulator, &simulation.client);
        let url = format!("{}/api/now/table/nosuch", simulator.urls().instance);
        for _ in 0..5 {
            send(client.get(&url)).await;
            simulation.app_token("https://graph.microsoft.com").await;
        }

        assert_eq!(simulator.instance().requests().len(), expected);
        assert_eq!(simulator.instance().log().len(), expected);
        assert_eq!(simulator.logs().instance.all().len(), expected);
        assert_eq!(simulator.logs().login.all().len(), expected);
        assert_eq!(simulator.entra().issued().len(), expected);
    }
}

#[tokio::test]
async fn refresh_tokens_that_nobody_uses_are_forgotten_at_last() {
    let simulation = Simulation::start().await;
    let directory = simulation.simulator.directory();
    let unused = directory.issue_refresh_token(simulation.simulator.client_id());
    for _ in 0..3 {
        simulation.admin_token().await;
        for _ in 0..500 {
            directory.issue_refresh_token("another client");
        }
    }

    let kept = directory.with(|tenant| tenant.refresh_tokens.clone());

    assert_eq!(kept.len(), 1000);
    assert!(!kept.contains_key(&unused));
    assert!(kept.contains_key(simulation.simulator.refresh_token()));
}
