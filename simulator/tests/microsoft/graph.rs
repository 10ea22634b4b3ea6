//! Graph, in the order in which the azuread provider calls it.

use reqwest::Method;
use serde_json::{Value, json};
use servicenow_simulator::microsoft::directory::CONNECTOR_APP;

use crate::web::Simulation;

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// A client of Graph with a token.
struct Graph<'a> {
    simulation: &'a Simulation,
    token: String,
}

impl Graph<'_> {
    async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}{path}", self.simulation.simulator.urls().graph);
        self.simulation.call(method, &url, &self.token, body).await
    }
}

async fn graph(simulation: &Simulation) -> Graph<'_> {
    // The azuread provider asks by the address of Graph, whatever that is.
    Graph {
        simulation,
        token: simulation.app_token(&simulation.simulator.urls().graph).await,
    }
}

#[tokio::test]
async fn an_application_made_in_graph_gets_tokens_until_it_loses_its_password() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let me = simulation.simulator.directory().with(|tenant| {
        tenant
            .service_principal(simulation.simulator.client_id())
            .unwrap()
            .object_id
            .clone()
    });
    let bind = json!([format!(
        "{}/v1.0/directoryObjects/{me}",
        simulation.simulator.urls().graph
    )]);
    let body = json!({"displayName": "caller", "owners@odata.bind": bind, "signInAudience": "AzureADMyOrg"});

    let (status, caller) = graph.call(POST, "/v1.0/applications", &body).await;
    assert_eq!(status, 201, "{caller}");
    let (_, audience) = graph
        .call(
            POST,
            "/v1.0/applications",
            &json!({"displayName": "audience", "api": {"requestedAccessTokenVersion": 2}}),
        )
        .await;
    let at = format!("/v1.0/applications/{}", caller["id"].as_str().unwrap());
    assert_eq!(graph.call(PATCH, &at, &json!({"displayName": "renamed"})).await.0, 204);
    assert_eq!(
        graph.call(GET, &format!("{at}/owners"), &Value::Null).await.1["value"][0]["id"],
        json!(me)
    );
    assert_eq!(
        graph
            .call(DELETE, &format!("{at}/owners/{me}/$ref"), &Value::Null)
            .await
            .0,
        204
    );
    let (_, password) = graph
        .call(
            POST,
            &format!("{at}/addPassword"),
            &json!({"passwordCredential": {"displayName": "one"}}),
        )
        .await;
    for app in [&caller, &audience] {
        let body = json!({"appId": app["appId"]});
        assert_eq!(graph.call(POST, "/v1.0/servicePrincipals", &body).await.0, 201);
        assert_eq!(graph.call(POST, "/v1.0/servicePrincipals", &body).await.0, 409);
    }

    let (_, shown) = graph.call(GET, &at, &Value::Null).await;
    assert_eq!(shown["displayName"], "renamed");
    assert_eq!(shown["passwordCredentials"][0]["keyId"], password["keyId"]);
    assert_eq!(shown["passwordCredentials"][0]["secretText"], Value::Null);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", caller["appId"].as_str().unwrap()),
        ("client_secret", password["secretText"].as_str().unwrap()),
        ("resource", audience["appId"].as_str().unwrap()),
    ];
    let (status, token) = simulation.token("", &form).await;
    assert_eq!(status, 200, "{token}");
    assert_eq!(
        crate::web::claims(token["access_token"].as_str().unwrap())["ver"],
        "2.0"
    );

    let gone = json!({"keyId": password["keyId"]});
    assert_eq!(graph.call(POST, &format!("{at}/removePassword"), &gone).await.0, 204);
    assert_eq!(simulation.token("", &form).await.1["error_codes"], json!([7_000_215]));
    assert_eq!(graph.call(DELETE, &at, &Value::Null).await.0, 204);
    assert_eq!(graph.call(GET, &at, &Value::Null).await.0, 404);
    assert_eq!(simulation.token("", &form).await.1["error_codes"], json!([700_016]));
}

#[tokio::test]
async fn the_connector_application_is_found_by_filter_and_cannot_be_removed() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let path = format!("/v1.0/servicePrincipals?$filter=appId%20eq%20'{CONNECTOR_APP}'");

    let (status, found) = graph.call(GET, &path, &Value::Null).await;

    assert_eq!(status, 200);
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    let id = found["value"][0]["id"].as_str().unwrap();
    let (_, beta) = graph
        .call(
            GET,
            &format!("/beta/servicePrincipals/{id}?$select=samlMetadataUrl"),
            &Value::Null,
        )
        .await;
    assert_eq!(beta, json!({"samlMetadataUrl": null}));
    assert_eq!(
        graph
            .call(DELETE, &format!("/v1.0/servicePrincipals/{id}"), &Value::Null)
            .await
            .0,
        403
    );
}

#[tokio::test]
async fn bad_requests_are_refused_in_the_shape_of_graph() {
    let simulation = Simulation::start().await;
    let mut graph = graph(&simulation).await;
    let (_, app) = graph
        .call(POST, "/v1.0/applications", &json!({"displayName": "one"}))
        .await;
    let at = format!("/v1.0/applications/{}", app["id"].as_str().unwrap());
    simulation
        .simulator
        .directory()
        .with(|tenant| tenant.password_lifetime_days = Some(180));
    let long =
        json!({"passwordCredential": {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00Z"}});
    let web = json!({"web": {"redirectUris": ["http://contoso.service-now.com/oauth_redirect.do"]}});
    for (method, path, body, status, code) in [
        (
            GET,
            "/v1.0/applications/none".to_owned(),
            Value::Null,
            404,
            "Request_ResourceNotFound",
        ),
        (GET, "/v1.0/unheard".to_owned(), Value::Null, 400, "BadRequest"),
        (
            GET,
            "/v1.0/applications?$filter=appId%20gt%20'a'".to_owned(),
            Value::Null,
            400,
            "Request_UnsupportedQuery",
        ),
        (
            POST,
            "/v1.0/applications".to_owned(),
            json!({}),
            400,
            "Request_BadRequest",
        ),
        (
            POST,
            "/v1.0/servicePrincipals".to_owned(),
            json!({"appId": "none"}),
            400,
            "Request_BadRequest",
        ),
        (PATCH, at.clone(), web, 400, "Request_BadRequest"),
        (
            PATCH,
            at.clone(),
            json!({"api": {"requestedAccessTokenVersion": 3}}),
            400,
            "Request_BadRequest",
        ),
        (
            POST,
            format!("{at}/addPassword"),
            long,
            400,
            "CredentialInvalidLifetimeAsPerAppPolicy",
        ),
        (
            POST,
            format!("{at}/removePassword"),
            json!({"keyId": "none"}),
            400,
            "Request_BadRequest",
        ),
    ] {
        let (answered, error) = graph.call(method, &path, &body).await;

        assert_eq!(
            (answered, &error["error"]["code"]),
            (status, &json!(code)),
            "{path}: {error}"
        );
        assert!(error["error"]["innerError"]["request-id"].is_string(), "{error}");
    }
    graph.token = simulation.app_token("https://admin.microsoft.com").await;
    assert_eq!(graph.call(GET, &at, &Value::Null).await.0, 401);
    simulation
        .simulator
        .directory()
        .with(|tenant| tenant.role_assignments.clear());
    graph.token = simulation.app_token("https://graph.microsoft.com").await;
    for (method, path) in [
        (GET, at.as_str()),
        (GET, "/v1.0/servicePrincipals"),
        (DELETE, at.as_str()),
    ] {
        let (status, error) = graph.call(method, path, &Value::Null).await;
        assert_eq!(
            (status, &error["error"]["code"]),
            (403, &json!("Authorization_RequestDenied")),
            "{path}"
        );
    }
    assert_eq!(graph.call(GET, "/v1.0/organization", &Value::Null).await.0, 200);
    simulation.give_role("Application.Read.All");
    graph.token = simulation.app_token("https://graph.microsoft.com").await;
    assert_eq!(graph.call(GET, &at, &Value::Null).await.0, 200);
    assert_eq!(graph.call(DELETE, &at, &Value::Null).await.0, 403);
}

#[tokio::test]
async fn federated_credentials_are_unique_by_issuer_and_subject() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let (_, app) = graph
        .call(POST, "/v1.0/applications", &json!({"displayName": "one"}))
        .await;
    let at = format!(
        "/v1.0/applications/{}/federatedIdentityCredentials",
        app["id"].as_str().unwrap()
    );
    let mut record = json!({
        "name": "plan", "issuer": "https://app.terraform.io", "subject": "a", "audiences": ["api://AzureADTokenExchange"],
    });

    let (status, added) = graph.call(POST, &at, &record).await;

    assert_eq!(status, 201, "{added}");
    record["name"] = json!("other");
    assert_eq!(graph.call(POST, &at, &record).await.0, 409);
    let one = format!("{at}/{}", added["id"].as_str().unwrap());
    assert_eq!(graph.call(PATCH, &one, &json!({"subject": "b"})).await.0, 204);
    assert_eq!(graph.call(GET, &one, &Value::Null).await.1["subject"], "b");
    assert_eq!(graph.call(DELETE, &one, &Value::Null).await.0, 204);
    assert_eq!(graph.call(GET, &one, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_application_works_in_graph_once_it_was_given_the_role() {
    let simulation = Simulation::start().await;
    let mut graph = graph(&simulation).await;
    let (_, app) = graph
        .call(POST, "/v1.0/applications", &json!({"displayName": "runs"}))
        .await;
    let (_, principal) = graph
        .call(POST, "/v1.0/servicePrincipals", &json!({"appId": app["appId"]}))
        .await;
    let (_, password) = graph
        .call(
            POST,
            &format!("/v1.0/applications/{}/addPassword", app["id"].as_str().unwrap()),
            &json!({"passwordCredential": {}}),
        )
        .await;
    let (_, found) = graph
        .call(
            GET,
            "/v1.0/servicePrincipals?$filter=appId%20eq%20'00000003-0000-0000-c000-000000000000'",
            &Value::Null,
        )
        .await;
    let resource = &found["value"][0];
    let role = resource["appRoles"]
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["value"] == "Application.ReadWrite.OwnedBy")
        .unwrap();
    let at = format!(
        "/v1.0/servicePrincipals/{}/appRoleAssignedTo",
        resource["id"].as_str().unwrap()
    );
    let body = json!({"principalId": principal["id"], "resourceId": resource["id"], "appRoleId": role["id"]});

    let (status, assignment) = graph.call(POST, &at, &body).await;

    assert_eq!(status, 201, "{assignment}");
    assert_eq!(graph.call(POST, &at, &body).await.0, 400);
    let one = format!("{at}/{}", assignment["id"].as_str().unwrap());
    assert_eq!(
        graph.call(GET, &one, &Value::Null).await.1["principalId"],
        principal["id"]
    );
    let administrator = std::mem::take(&mut graph.token);
    let client = (app["appId"].as_str().unwrap(), password["secretText"].as_str().unwrap());
    let make = json!({"displayName": "made by the run"});
    for (expected, revoke) in [(201, true), (403, false)] {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.0),
            ("client_secret", client.1),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let (_, answer) = simulation.token("/v2.0", &form).await;
        graph.token = answer["access_token"].as_str().unwrap().to_owned();

        assert_eq!(graph.call(POST, "/v1.0/applications", &make).await.0, expected);

        if revoke {
            graph.token = administrator.clone();
            assert_eq!(graph.call(DELETE, &one, &Value::Null).await.0, 204);
        }
    }
}

/// As the tests of the azuread provider send it to real tenants.
#[tokio::test]
async fn redirect_addresses_may_have_any_scheme_but_http() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    for (uri, status) in [
        ("urn:ietf:wg:oauth:2.0:oob", 201),
        ("https://contoso.service-now.com/oauth_redirect.do", 201),
        ("http://localhost:8400", 201),
        ("http://contoso.service-now.com/oauth_redirect.do", 400),
        ("no address", 400),
    ] {
        let body = json!({"displayName": "one", "web": {"redirectUris": [uri]}});
        assert_eq!(graph.call(POST, "/v1.0/applications", &body).await.0, status, "{uri}");
    }
}

/// The azuread provider destroys its resource for optional claims with an empty object.
#[tokio::test]
async fn an_empty_object_clears_the_optional_claims() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let claims = json!({"idToken": [{"name": "email", "essential": true}]});
    let (_, app) = graph
        .call(
            POST,
            "/v1.0/applications",
            &json!({"displayName": "one", "optionalClaims": claims}),
        )
        .await;
    let at = format!("/v1.0/applications/{}", app["id"].as_str().unwrap());

    assert_eq!(graph.call(PATCH, &at, &json!({"optionalClaims": {}})).await.0, 204);

    let (_, shown) = graph.call(GET, &at, &Value::Null).await;
    assert_eq!(shown["optionalClaims"]["idToken"], json!([]), "{shown}");
}
