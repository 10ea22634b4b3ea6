//! Tokens: who gets one, what is in it, and every refusal.

use serde_json::{Value, json};
use servicenow_simulator::microsoft::directory::{FederatedCredential, PORTAL_APP, Standing, TokenVersion};
use servicenow_simulator::microsoft::hcp::{ISSUER, Run};

use crate::web::{Simulation, claims, send};

/// The version of a token is the audience's choice, whichever endpoint was asked.
#[tokio::test]
async fn the_audience_decides_the_token_version() {
    let simulation = Simulation::start().await;
    let directory = simulation.simulator.directory();
    let (caller, old, new) = (
        directory.register("caller", TokenVersion::V2),
        directory.register("old audience", TokenVersion::V1),
        directory.register("new audience", TokenVersion::V2),
    );
    let tenant = simulation.simulator.tenant_id();
    for (endpoint, audience, version) in [
        ("", &old, "1.0"),
        ("/v2.0", &old, "1.0"),
        ("", &new, "2.0"),
        ("/v2.0", &new, "2.0"),
    ] {
        let scope = format!("{}/.default", audience.client_id);
        let target = if endpoint.is_empty() {
            ("resource", audience.client_id.as_str())
        } else {
            ("scope", scope.as_str())
        };
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", caller.client_id.as_str()),
            ("client_secret", caller.client_secret.as_str()),
            target,
        ];

        let (status, body) = simulation.token(endpoint, &form).await;

        assert_eq!(status, 200, "{body}");
        assert_eq!(body["expires_in"].is_string(), endpoint.is_empty(), "{body}");
        let token = claims(body["access_token"].as_str().unwrap());
        assert_eq!(token["ver"], version);
        assert_eq!(token["aud"], json!(audience.client_id));
        assert_eq!(token["oid"], json!(caller.service_principal_id));
        assert_eq!(token["sub"], token["oid"]);
        assert_eq!(
            (token.get("jti"), token.get("scp"), token.get("roles")),
            (None, None, None)
        );
        let (issuer, present, absent) = match version {
            "1.0" => (format!("https://sts.windows.net/{tenant}/"), "appid", "azp"),
            _ => (
                format!("https://login.microsoftonline.com/{tenant}/v2.0"),
                "azp",
                "appid",
            ),
        };
        assert_eq!(token["iss"], json!(issuer));
        assert_eq!(token[present], json!(caller.client_id));
        assert_eq!(token[absent], Value::Null);
    }
}

#[tokio::test]
async fn metadata_names_the_issuer_of_its_version_and_leads_to_the_keys() {
    let simulation = Simulation::start().await;
    let (login, tenant) = (&simulation.simulator.urls().login, simulation.simulator.tenant_id());
    for (path, issuer) in [
        ("contoso.com", format!("https://sts.windows.net/{tenant}/")),
        (
            "contoso.com/v2.0",
            format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        ),
    ] {
        let url = format!("{login}/{path}/.well-known/openid-configuration");

        let (status, metadata) = send(simulation.client.get(url)).await;

        assert_eq!((status, &metadata["issuer"]), (200, &json!(issuer)));
        let (_, keys) = send(simulation.client.get(metadata["jwks_uri"].as_str().unwrap())).await;
        let key = &keys["keys"][0];
        assert_eq!(
            (&key["kty"], &key["alg"], &key["x5t"]),
            (&json!("RSA"), &Value::Null, &key["kid"])
        );
        assert!(key["x5c"][0].is_string(), "{key}");
        let is_v2 = path.ends_with("/v2.0");
        assert_eq!(key["issuer"], if is_v2 { json!(issuer) } else { Value::Null });
    }
    let (status, error) = send(
        simulation
            .client
            .get(format!("{login}/fabrikam.com/.well-known/openid-configuration")),
    )
    .await;
    assert_eq!(
        (status, &error["error_codes"], &error["error"]),
        (400, &json!([90002]), &json!("invalid_tenant"))
    );
}

/// Name, changed fields, and status, `error` and code of the answer.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str, u32);

/// Each row changes one thing of a request that works.
#[tokio::test]
async fn every_refusal_has_its_code() {
    let simulation = Simulation::start().await;
    let directory = simulation.simulator.directory();
    let caller = directory.register("caller", TokenVersion::V1);
    let audience = directory.register("audience", TokenVersion::V1);
    let [no_principal, disabled, guarded, expired, self_named] =
        ["no principal", "disabled", "guarded", "expired", "self"]
            .map(|name| directory.register(name, TokenVersion::V1));
    directory.with(|tenant| {
        tenant.service_principals.remove(&no_principal.service_principal_id);
        let mut set = |id: &str, name: &str, value: Value| {
            tenant
                .service_principals
                .get_mut(id)
                .unwrap()
                .fields
                .insert(name.to_owned(), value);
        };
        set(&disabled.service_principal_id, "accountEnabled", json!(false));
        set(&guarded.service_principal_id, "appRoleAssignmentRequired", json!(true));
        let fields = &mut tenant.applications.get_mut(&self_named.object_id).unwrap().fields;
        fields.insert("identifierUris".to_owned(), json!(["api://self"]));
    });
    directory.expire_password(&expired.key_id);
    let scope = format!("{}/.default", audience.client_id);
    let two = format!("{scope} https://graph.microsoft.com/.default");
    let guarded_scope = format!("{}/.default", guarded.client_id);
    let gone_scope = format!("{}/.default", no_principal.client_id);

    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("no grant", &[("grant_type", "")], 400, "invalid_request", 900_144),
        ("unknown grant", &[("grant_type", "password")], 400, "unsupported_grant_type", 70003),
        ("unknown client", &[("client_id", "11111111-2222-3333-4444-555555555555")], 400, "unauthorized_client", 700_016),
        ("no secret", &[("client_secret", "")], 401, "invalid_client", 7_000_218),
        ("secret id for the secret", &[("client_secret", &caller.key_id)], 401, "invalid_client", 7_000_215),
        ("expired", &[("client_id", &expired.client_id), ("client_secret", &expired.client_secret)], 401, "invalid_client", 7_000_222),
        ("no principal", &[("client_id", &no_principal.client_id), ("client_secret", &no_principal.client_secret)], 401, "invalid_client", 7_000_229),
        ("disabled", &[("client_id", &disabled.client_id), ("client_secret", &disabled.client_secret)], 400, "unauthorized_client", 7_000_112),
        ("no scope", &[("scope", "")], 400, "invalid_request", 900_144),
        ("resource on v2", &[("resource", &audience.client_id)], 400, "invalid_request", 901_002),
        ("no default", &[("scope", "https://graph.microsoft.com/User.Read")], 400, "invalid_scope", 1_002_012),
        ("no resource either", &[("scope", "User.Read")], 400, "invalid_scope", 1_002_012),
        ("two resources", &[("scope", &two)], 400, "invalid_scope", 700_022),
        ("no resource", &[("scope", "openid")], 400, "invalid_scope", 700_023),
        ("unknown resource", &[("scope", "api://nobody/.default")], 400, "invalid_resource", 500_011),
        ("audience without principal", &[("scope", &gone_scope)], 400, "invalid_resource", 500_011),
        ("assignment required", &[("scope", &guarded_scope)], 400, "invalid_grant", 501_051),
        ("for itself by name", &[("client_id", &self_named.client_id), ("client_secret", &self_named.client_secret), ("scope", "api://self/.default")], 400, "invalid_request", 90009),
    ];
    for (name, changes, status, error, code) in cases {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", caller.client_id.as_str()),
            ("client_secret", caller.client_secret.as_str()),
            ("scope", scope.as_str()),
        ];
        form.retain(|(field, _)| changes.iter().all(|(changed, _)| changed != field));
        form.extend_from_slice(changes);

        let (answered, body) = simulation.token("/v2.0", &form).await;

        assert_eq!(
            (answered, &body["error"], &body["error_codes"]),
            (*status, &json!(error), &json!([code])),
            "{name}: {body}"
        );
        let description = body["error_description"].as_str().unwrap();
        assert!(
            description.starts_with(&format!("AADSTS{code}: ")) && description.contains("\r\n"),
            "{name}: {body}"
        );
        assert!(!body.to_string().contains(&caller.client_secret), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_delegated_sign_in_rotates_and_ends() {
    let simulation = Simulation::start().await;
    let refresh = async |token: &str, resource: &str| {
        let scope = format!("{resource}/.default");
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", simulation.simulator.client_id()),
            ("client_secret", simulation.simulator.client_secret()),
            ("refresh_token", token),
            ("scope", scope.as_str()),
        ];
        simulation.token("/v2.0", &form).await
    };
    let first = simulation.simulator.refresh_token();

    let (status, body) = refresh(first, "https://admin.microsoft.com").await;

    assert_eq!(status, 200, "{body}");
    let token = claims(body["access_token"].as_str().unwrap());
    assert_eq!(
        (&token["aud"], &token["scp"]),
        (&json!("https://admin.microsoft.com"), &json!("user_impersonation"))
    );
    let second = body["refresh_token"].as_str().unwrap();
    assert_ne!(second, first);
    for token in [first, second] {
        assert_eq!(refresh(token, "https://admin.microsoft.com").await.0, 200);
    }
    let audience = simulation.simulator.directory().register("audience", TokenVersion::V1);
    assert_eq!(
        refresh(first, &audience.client_id).await.1["error_codes"],
        json!([65001])
    );
    assert_eq!(
        refresh("made up", "https://admin.microsoft.com").await.1["error_codes"],
        json!([70000])
    );
    for (standing, code) in [(Standing::Expired, 70008), (Standing::Revoked, 50173)] {
        simulation.simulator.directory().set_refresh_tokens(standing);
        let (status, body) = refresh(first, "https://admin.microsoft.com").await;
        assert_eq!(
            (status, &body["error_codes"], &body["error"]),
            (400, &json!([code]), &json!("invalid_grant"))
        );
    }
}

/// Microsoft's own libraries ask for it, and know the account by it.
#[tokio::test]
async fn a_refresh_that_asks_for_openid_says_who_has_signed_in() {
    let simulation = Simulation::start().await;
    for (scope, is_given) in [
        (
            "https://admin.microsoft.com/.default openid profile offline_access",
            true,
        ),
        ("https://admin.microsoft.com/.default offline_access", false),
    ] {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", simulation.simulator.client_id()),
            ("client_secret", simulation.simulator.client_secret()),
            ("refresh_token", simulation.simulator.refresh_token()),
            ("scope", scope),
        ];

        let (status, body) = simulation.token("/v2.0", &form).await;

        assert_eq!((status, body["id_token"].is_string()), (200, is_given), "{body}");
        if is_given {
            let token = claims(body["id_token"].as_str().unwrap());
            assert_eq!(token["aud"], json!(simulation.simulator.client_id()));
            assert_eq!(token["preferred_username"], "admin@contoso.com");
        }
    }
}

/// A person signs in for a program: it waits until they have entered the code, and is a public client from then on.
#[tokio::test]
async fn a_device_code_gives_the_tokens_of_the_person_who_enters_it() {
    let simulation = Simulation::start().await;
    let directory = simulation.simulator.directory();
    let application = directory.register("program", TokenVersion::V1);
    let other = directory.register("another program", TokenVersion::V1);
    directory.with(|tenant| {
        for registered in [&application, &other] {
            let fields = &mut tenant.applications.get_mut(&registered.object_id).unwrap().fields;
            fields.insert("isFallbackPublicClient".to_owned(), json!(true));
        }
        tenant
            .consents
            .insert((application.client_id.clone(), PORTAL_APP.to_owned()));
    });
    let (id, secret) = (application.client_id.as_str(), application.client_secret.as_str());
    let begin = async |scope: &str| {
        let (status, begun) = simulation.device_code(id, scope).await;
        assert_eq!(status, 200, "{begun}");
        let text = |name: &str| begun[name].as_str().unwrap().to_owned();
        assert!(text("message").contains(&text("user_code")), "{begun}");
        (text("device_code"), text("user_code"), text("verification_uri"))
    };
    let poll = async |client: &str, secret: &str, code: &str| {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", client),
            ("client_secret", secret),
            ("device_code", code),
        ];
        simulation.token("/v2.0", &form).await
    };
    let is = |(status, body): (u16, Value), wanted: u16, error: &str, code: u32| {
        assert_eq!(
            (status, &body["error"], &body["error_codes"]),
            (wanted, &json!(error), &json!([code])),
            "{body}"
        );
    };
    let (code, user_code, page) = begin("https://admin.microsoft.com/.default offline_access").await;

    is(poll(id, "", &code).await, 400, "authorization_pending", 70016);
    is(
        poll(&other.client_id, "", &code).await,
        400,
        "bad_verification_code",
        70018,
    );
    let enter = async |user_code: &str| {
        let form = simulation
            .client
            .post(&page)
            .header("content-type", "application/x-www-form-urlencoded");
        form.body(format!("code={user_code}"))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(enter("NOTACODE").await, 400);
    assert_eq!(enter(&user_code.to_lowercase()).await, 200);
    is(poll(id, secret, &code).await, 401, "invalid_client", 700_025);
    let (status, body) = poll(id, "", &code).await;
    assert_eq!(status, 200, "{body}");
    let token = claims(body["access_token"].as_str().unwrap());
    assert_eq!(
        (&token["scp"], &token["appidacr"]),
        (&json!("user_impersonation"), &json!("0"))
    );
    is(poll(id, "", &code).await, 400, "bad_verification_code", 70018);

    let refresh = async |secret: &str| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", id),
            ("client_secret", secret),
            ("refresh_token", body["refresh_token"].as_str().unwrap()),
            ("scope", "https://admin.microsoft.com/.default"),
        ];
        simulation.token("/v2.0", &form).await
    };
    assert_eq!(refresh("").await.0, 200);
    is(refresh(secret).await, 401, "invalid_client", 700_025);

    // Without the scope there is an access token and nothing that lasts.
    let (code, user_code, _) = begin("https://admin.microsoft.com/user_impersonation").await;
    assert!(simulation.simulator.entra().approve_device_code(&user_code));
    let (status, body) = poll(id, "", &code).await;
    assert_eq!((status, &body["refresh_token"]), (200, &Value::Null), "{body}");

    let (code, user_code, _) = begin("https://admin.microsoft.com/.default").await;
    assert!(simulation.simulator.entra().approve_device_code(&user_code));
    simulation.simulator.entra().expire_device_codes();
    is(poll(id, "", &code).await, 400, "expired_token", 70019);

    // Without "Allow public client flows" the code is given, and is of no use.
    let own = simulation.simulator.client_id();
    let (_, begun) = simulation
        .device_code(own, "https://admin.microsoft.com/.default")
        .await;
    let code = begun["device_code"].as_str().unwrap();
    is(poll(own, "", code).await, 401, "invalid_client", 7_000_218);
}

#[tokio::test]
async fn a_run_of_hcp_terraform_signs_in_where_subject_and_audience_match_literally() {
    let simulation = Simulation::start().await;
    let directory = simulation.simulator.directory();
    let application = directory.register("run", TokenVersion::V1);
    let run = Run::default();
    directory.with(|tenant| {
        tenant
            .applications
            .get_mut(&application.object_id)
            .unwrap()
            .federated
            .push(FederatedCredential {
                id: "1".to_owned(),
                name: "plan".to_owned(),
                issuer: ISSUER.to_owned(),
                subject: run.subject(),
                audiences: vec!["api://AzureADTokenExchange".to_owned()],
                description: None,
            });
    });
    let good = simulation
        .simulator
        .hcp()
        .workload_identity_token(&run, "api://AzureADTokenExchange")
        .unwrap();
    let apply = Run {
        phase: "apply".to_owned(),
        ..run.clone()
    };
    let apply = simulation
        .simulator
        .hcp()
        .workload_identity_token(&apply, "api://AzureADTokenExchange")
        .unwrap();
    let elsewhere = simulation
        .simulator
        .hcp()
        .workload_identity_token(&run, "servicenow")
        .unwrap();
    let forged = format!("{}.AAAA", good.rsplit_once('.').unwrap().0);
    for (assertion, code) in [(&good, 0), (&apply, 700_213), (&elsewhere, 700_212), (&forged, 700_027)] {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", application.client_id.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion.as_str()),
            ("scope", "https://graph.microsoft.com/.default"),
        ];

        let (status, body) = simulation.token("/v2.0", &form).await;

        if code == 0 {
            assert_eq!(status, 200, "{body}");
            assert_eq!(claims(body["access_token"].as_str().unwrap())["appidacr"], "2");
        } else {
            assert_eq!(body["error_codes"], json!([code]), "{body}");
        }
    }
}
