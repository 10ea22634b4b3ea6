//! Graph, in the order in which the azuread provider calls it.

use reqwest::Method;
use serde_json::{Value, json};
use servicenow_simulator::microsoft::directory::CONNECTOR_APP;

use crate::web::{Simulation, send};

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
    /// An application with these properties; its address and what Graph says of it.
    async fn application(&self, body: Value) -> (String, Value) {
        let (status, made) = self.call(POST, "/v1.0/applications", &body).await;
        assert_eq!(status, 201, "{made}");
        (format!("/v1.0/applications/{}", made["id"].as_str().unwrap()), made)
    }

    /// A GET that says that it can wait.
    async fn eventual(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.simulation.simulator.urls().graph);
        let request = self.simulation.client.get(url).bearer_auth(&self.token);
        send(request.header("consistencylevel", "eventual")).await.1
    }

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
    let names: Vec<_> = beta.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.context", "samlMetadataUrl"]);
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

#[tokio::test]
async fn what_is_no_property_or_no_value_of_one_is_refused() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let (at, _) = graph.application(json!({"displayName": "one"})).await;
    let (_, principal) = graph.call(GET, "/v1.0/servicePrincipals?$top=1", &Value::Null).await;
    let of_principal = format!(
        "/v1.0/servicePrincipals/{}",
        principal["value"][0]["id"].as_str().unwrap()
    );
    for (path, body) in [
        (&at, json!({"noSuch": 1})),
        (&at, json!({"tags": "x"})),
        (&at, json!({"tags": [1]})),
        (&at, json!({"displayName": "x".repeat(257)})),
        (&at, json!({"displayName": 1})),
        (&at, json!({"web": {"redirectUri": "https://a"}})),
        (&at, json!({"api": []})),
        (&at, json!({"isFallbackPublicClient": "yes"})),
        (&at, json!({"identifierUris": ["not an address"]})),
        (&of_principal, json!({"noSuch": 1})),
    ] {
        let (status, error) = graph.call(PATCH, path, &body).await;

        assert_eq!(
            (status, &error["error"]["code"]),
            (400, &json!("Request_BadRequest")),
            "{body}"
        );
    }
    let address = |uri: &str| json!({"identifierUris": [uri]});
    let (status, error) = graph.call(PATCH, &at, &address("https://fabrikam.com/app")).await;
    assert_eq!(
        (status, &error["error"]["code"]),
        (400, &json!("HostNameNotOnVerifiedDomain"))
    );
    for uri in [
        "https://app.contoso.com/x",
        "https://contoso.onmicrosoft.com",
        "api://anything",
        "urn:x",
    ] {
        assert_eq!(graph.call(PATCH, &at, &address(uri)).await.0, 204, "{uri}");
    }
    assert_eq!(
        graph
            .call(POST, "/v1.0/applications", &json!({"displayName": "x", "noSuch": 1}))
            .await
            .0,
        400
    );
    // Annotations are no properties.
    let annotated = json!({"@odata.type": "#microsoft.graph.application", "notes": "x"});
    assert_eq!(graph.call(PATCH, &at, &annotated).await.0, 204);
}

/// The azuread provider disables first what it then removes.
#[tokio::test]
async fn a_role_or_scope_goes_only_once_it_is_disabled() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let one = |is_enabled: bool| {
        json!({
            "id": "11111111-2222-3333-4444-555555555555", "value": "one", "isEnabled": is_enabled,
            "displayName": "one", "description": "one", "allowedMemberTypes": ["Application"],
        })
    };
    let roles = |list: Value| json!({"appRoles": list});
    let scopes = |list: Value| json!({"api": {"oauth2PermissionScopes": list}});
    for shape in [&roles as &dyn Fn(Value) -> Value, &scopes] {
        let mut body = shape(json!([one(true)]));
        body["displayName"] = json!("one");
        let (at, _) = graph.application(body).await;

        let (status, error) = graph.call(PATCH, &at, &shape(json!([]))).await;

        assert_eq!(
            (status, &error["error"]["code"]),
            (400, &json!("CannotDeleteOrUpdateEnabledEntitlement"))
        );
        assert_eq!(graph.call(PATCH, &at, &json!({"notes": "x"})).await.0, 204);
        let mut twice = one(true);
        twice["id"] = json!("21111111-2222-3333-4444-555555555555");
        assert_eq!(graph.call(PATCH, &at, &shape(json!([one(true), twice]))).await.0, 400);
        assert_eq!(graph.call(PATCH, &at, &shape(json!([one(false)]))).await.0, 204);
        assert_eq!(graph.call(PATCH, &at, &shape(json!([]))).await.0, 204);
    }
}

#[tokio::test]
async fn federated_credentials_have_rules() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let (at, _) = graph.application(json!({"displayName": "one"})).await;
    let at = format!("{at}/federatedIdentityCredentials");
    let record = |name: &str, issuer: &str, subject: &str| json!({"name": name, "issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]});
    for (name, issuer) in [
        ("good", "not an address"),
        ("has a blank", "https://a"),
        ("no", "https://a"),
    ] {
        assert_eq!(graph.call(POST, &at, &record(name, issuer, "s")).await.0, 400, "{name}");
    }
    for number in 0..20 {
        let record = record(&format!("name-{number}"), "https://a", &number.to_string());
        assert_eq!(graph.call(POST, &at, &record).await.0, 201);
    }
    assert_eq!(
        graph.call(POST, &at, &record("name-20", "https://a", "20")).await.0,
        400
    );
}

#[tokio::test]
async fn certificates_are_completed_and_their_keys_not_shown() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let key = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, certificate.der());
    let body = json!({
        "displayName": "one", "keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": key}],
    });

    let (at, made) = graph.application(body).await;

    let (_, shown) = graph.call(GET, &at, &Value::Null).await;
    let credential = &shown["keyCredentials"][0];
    for name in [
        "keyId",
        "customKeyIdentifier",
        "startDateTime",
        "endDateTime",
        "displayName",
    ] {
        assert!(credential[name].is_string(), "{name}: {credential}");
    }
    assert_eq!(
        (&credential["key"], &made["keyCredentials"][0]["key"]),
        (&Value::Null, &Value::Null)
    );
    // Sent back as it was shown, it stays.
    let back = json!({"keyCredentials": [credential]});
    assert_eq!(graph.call(PATCH, &at, &back).await.0, 204);
    let (_, shown) = graph
        .call(GET, &format!("{at}?$select=keyCredentials"), &Value::Null)
        .await;
    assert_eq!(shown["keyCredentials"][0]["key"], json!(key));
    // As the azuread provider sends it.
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, certificate.pem());
    let in_pem = json!({"keyCredentials": [{"type": "AsymmetricX509Cert", "usage": "Verify", "key": text}]});
    assert_eq!(graph.call(PATCH, &at, &in_pem).await.0, 204);
    let (_, shown) = graph
        .call(GET, &format!("{at}?$select=keyCredentials"), &Value::Null)
        .await;
    assert_eq!(shown["keyCredentials"][0]["key"], json!(key));
    let bad = json!({"keyCredentials": [{"type": "AsymmetricX509Cert", "key": "AAAA"}]});
    assert_eq!(graph.call(PATCH, &at, &bad).await.0, 400);
}

#[tokio::test]
async fn lists_are_cut_sorted_counted_and_searched() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    for name in ["gamma", "alpha", "beta"] {
        graph
            .application(json!({"displayName": name, "tags": ["letters"]}))
            .await;
    }
    let names = |list: &Value| -> Vec<String> {
        let list = list["value"].as_array().unwrap_or_else(|| panic!("{list}"));
        list.iter()
            .map(|one| one["displayName"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = "/v1.0/applications?$filter=tags/any(t:t%20eq%20'letters')";

    let (_, sorted) = graph
        .call(GET, &format!("{all}&$orderby=displayName%20desc"), &Value::Null)
        .await;
    assert_eq!(names(&sorted), ["gamma", "beta", "alpha"]);
    let (_, first) = graph
        .call(GET, &format!("{all}&$orderby=displayName&$top=2"), &Value::Null)
        .await;
    assert_eq!(names(&first), ["alpha", "beta"]);
    let next = first["@odata.nextLink"].as_str().unwrap();
    let (_, second) = simulation.call(GET, next, &graph.token, &Value::Null).await;
    assert_eq!(
        (names(&second), &second["@odata.nextLink"]),
        (vec!["gamma".to_owned()], &Value::Null)
    );
    let (_, either) = graph
        .call(
            GET,
            "/v1.0/applications?$filter=displayName%20eq%20'alpha'%20or%20displayName%20eq%20'beta'",
            &Value::Null,
        )
        .await;
    assert_eq!(names(&either).len(), 2);

    // What Graph answers from its slower index only.
    let counted = graph.eventual(&format!("{all}&$count=true&$top=1")).await;
    assert_eq!(counted["@odata.count"], 3);
    let number = graph
        .eventual("/v1.0/applications/$count?$filter=displayName%20eq%20'alpha'")
        .await;
    assert_eq!(number, 1);
    let found = graph.eventual("/v1.0/applications?$search=%22displayName:alp%22").await;
    assert_eq!(names(&found), ["alpha"]);
    let other = graph
        .eventual(&format!("{all}%20and%20displayName%20ne%20'alpha'&$count=true"))
        .await;
    assert_eq!(names(&other).len(), 2);
    for refused in [
        "/v1.0/applications/$count",
        "/v1.0/applications?$search=%22displayName:alp%22",
        "/v1.0/applications?$filter=displayName%20ne%20'alpha'",
        "/v1.0/applications?$top=0",
        "/v1.0/applications?$nosuch=1",
        "/v1.0/applications?$expand=nosuch",
    ] {
        assert_eq!(graph.call(GET, refused, &Value::Null).await.0, 400, "{refused}");
    }
}

#[tokio::test]
async fn answers_have_the_annotations_and_headers_of_graph() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let url = &simulation.simulator.urls().graph;
    let request = simulation
        .client
        .post(format!("{url}/v1.0/applications"))
        .bearer_auth(&graph.token);
    let body = json!({"displayName": "one"}).to_string();

    let made = request
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();

    let header = |name: &str| made.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (location, id) = (header("location").unwrap(), header("request-id").unwrap());
    assert_eq!(header("client-request-id"), Some(id));
    let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    assert_eq!(
        location,
        format!("{url}/v1.0/applications/{}", made["id"].as_str().unwrap())
    );
    assert_eq!(
        made["@odata.context"],
        json!(format!("{url}/v1.0/$metadata#applications/$entity"))
    );
    assert!(made["createdDateTime"].is_string(), "{made}");
    let (_, list) = graph
        .call(GET, "/v1.0/applications?$select=id,appId", &Value::Null)
        .await;
    assert_eq!(
        list["@odata.context"],
        json!(format!("{url}/v1.0/$metadata#applications(id,appId)"))
    );
    let request = simulation
        .client
        .get(format!("{url}/v1.0/applications/none"))
        .bearer_auth(&graph.token);
    let refused = request.header("client-request-id", "mine").send().await.unwrap();
    assert_eq!(refused.headers()["client-request-id"], "mine");
    let id = refused.headers()["request-id"].to_str().unwrap().to_owned();
    let error: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
    assert_eq!(error["error"]["innerError"]["request-id"], json!(id));
}

#[tokio::test]
async fn objects_are_found_by_their_client_id() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let client = simulation.simulator.client_id();
    for set in ["applications", "servicePrincipals"] {
        let (status, found) = graph
            .call(
                GET,
                &format!("/v1.0/{set}(appId='{client}')?$select=appId"),
                &Value::Null,
            )
            .await;
        assert_eq!((status, &found["appId"]), (200, &json!(client)), "{set}");
        let (status, _) = graph
            .call(GET, &format!("/v1.0/{set}(appId='none')"), &Value::Null)
            .await;
        assert_eq!(status, 404, "{set}");
    }
    let owners = format!("/v1.0/applications(appId='{client}')/owners");
    assert_eq!(graph.call(GET, &owners, &Value::Null).await.0, 200);
}

#[tokio::test]
async fn a_service_principal_has_secrets_and_signing_certificates_of_its_own() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;
    let (_, app) = graph.application(json!({"displayName": "one"})).await;
    let (_, principal) = graph
        .call(POST, "/v1.0/servicePrincipals", &json!({"appId": app["appId"]}))
        .await;
    let at = format!("/v1.0/servicePrincipals/{}", principal["id"].as_str().unwrap());

    let (status, password) = graph.call(POST, &format!("{at}/addPassword"), &json!({})).await;

    assert_eq!(status, 200, "{password}");
    let (_, shown) = graph.call(GET, &at, &Value::Null).await;
    assert_eq!(shown["passwordCredentials"][0]["keyId"], password["keyId"]);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", app["appId"].as_str().unwrap()),
        ("client_secret", password["secretText"].as_str().unwrap()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    assert_eq!(simulation.token("/v2.0", &form).await.0, 200);
    let gone = json!({"keyId": password["keyId"]});
    assert_eq!(graph.call(POST, &format!("{at}/removePassword"), &gone).await.0, 204);
    assert_eq!(simulation.token("/v2.0", &form).await.0, 401);

    let ask = json!({"displayName": "CN=one"});
    let (status, made) = graph
        .call(POST, &format!("{at}/addTokenSigningCertificate"), &ask)
        .await;
    assert_eq!(
        (status, made["thumbprint"].as_str().unwrap().len()),
        (200, 40),
        "{made}"
    );
    let (_, shown) = graph.call(GET, &at, &Value::Null).await;
    let usages: Vec<_> = shown["keyCredentials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["usage"].clone())
        .collect();
    assert_eq!(usages, ["Sign", "Verify"]);
    assert_eq!(
        graph
            .call(POST, &format!("{at}/addTokenSigningCertificate"), &json!({}))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn the_tenant_shows_its_domains_to_whoever_may_read_them() {
    let simulation = Simulation::start().await;
    let mut graph = graph(&simulation).await;

    let (status, domains) = graph.call(GET, "/v1.0/domains", &Value::Null).await;

    assert_eq!(status, 200, "{domains}");
    let names: Vec<_> = domains["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert_eq!(names, ["contoso.com", "contoso.onmicrosoft.com"]);
    assert_eq!(
        graph.call(GET, "/v1.0/domains/contoso.com", &Value::Null).await.1["isDefault"],
        true
    );
    simulation
        .simulator
        .directory()
        .with(|tenant| tenant.role_assignments.clear());
    simulation.give_role("Application.ReadWrite.OwnedBy");
    graph.token = simulation.app_token("https://graph.microsoft.com").await;
    assert_eq!(graph.call(GET, "/v1.0/domains", &Value::Null).await.0, 403);
}

#[tokio::test]
async fn microsoft_graph_shows_the_permissions_that_it_offers() {
    let simulation = Simulation::start().await;
    let graph = graph(&simulation).await;

    let (_, found) = graph
        .call(
            GET,
            "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')",
            &Value::Null,
        )
        .await;

    let scopes = found["oauth2PermissionScopes"].as_array().unwrap();
    let read = scopes.iter().find(|scope| scope["value"] == "User.Read").unwrap();
    assert_eq!(
        (&read["id"], &read["type"]),
        (&json!("e1fe6dd8-ba31-4d61-89e7-88639da4683d"), &json!("User"))
    );
}
