//! Signing in with certificates and with tokens of other issuers.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use reqwest::{Certificate, Client, Identity};
use serde_json::{Value, json};
use servicenow_simulator::microsoft::directory::TokenVersion;
use servicenow_simulator::microsoft::hcp::Run;

use crate::web::{Simulation, claims, send};

#[tokio::test]
async fn a_client_certificate_reaches_the_instance_as_its_subject() {
    let simulation = Simulation::start().await;
    let simulator = &simulation.simulator;
    let admin = simulator.username().to_owned();
    simulator.instance().switches(|modes| {
        modes.certificate_users.insert("CN=terraform".to_owned(), admin);
    });
    let table = format!("{}/api/now/table/sys_user?sysparm_limit=1", simulator.urls().instance);
    for (name, status) in [("terraform", 200), ("stranger", 401)] {
        let identity = simulator.authority().client_identity(name).unwrap();
        let pem = format!("{}{}", identity.certificate, identity.private_key);
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(simulator.authority().pem().as_bytes()).unwrap()])
            .identity(Identity::from_pem(pem.as_bytes()).unwrap())
            .build()
            .unwrap();

        let (answered, body) = send(client.get(&table)).await;

        assert_eq!(answered, status, "{name}: {body}");
    }
}

#[tokio::test]
async fn an_application_signs_in_with_its_certificate_and_no_other() {
    let simulation = Simulation::start().await;
    let directory = simulation.simulator.directory();
    let application = directory.register("certificate", TokenVersion::V1);
    let [key, other] = [(); 2].map(|()| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap());
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let text: String = certificate
        .pem()
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    directory.with(|tenant| {
        let fields = &mut tenant.applications.get_mut(&application.object_id).unwrap().fields;
        fields.insert(
            "keyCredentials".to_owned(),
            json!([{"type": "AsymmetricX509Cert", "key": text}]),
        );
    });
    let now = jiff::Timestamp::now().as_second();
    let endpoint = format!(
        "https://login.microsoftonline.com/{}/oauth2/v2.0/token",
        simulation.simulator.tenant_id()
    );
    for (key, audience, end, code) in [
        (&key, endpoint.as_str(), now + 60, 0),
        (&other, endpoint.as_str(), now + 60, 700_027),
        (
            &key,
            "https://login.microsoftonline.com/fabrikam.com",
            now + 60,
            700_024,
        ),
        (&key, endpoint.as_str(), now - 60, 700_024),
    ] {
        let id = &application.client_id;
        let assertion = json!({"iss": id, "sub": id, "aud": audience, "jti": "1", "nbf": now - 120, "exp": end});
        let signer = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &assertion, &signer).unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
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
            assert_eq!((status, &body["error_codes"]), (401, &json!([code])), "{body}");
        }
    }
}

/// A run of HCP Terraform needs no secret for ServiceNow: the instance trusts its issuer as it trusts Entra.
#[tokio::test]
async fn a_workload_identity_token_signs_in_to_the_instance() {
    let simulation = Simulation::start().await;
    let simulator = &simulation.simulator;
    let instance = simulator.instance();
    let configuration = instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "HCP Terraform"),
            ("oidc_url", "https://app.terraform.io/.well-known/openid-configuration"),
            ("user_claim", "terraform_workspace_id"),
            ("user_field", "user_name"),
            ("enable_jti_verification", "false"),
        ],
    );
    instance.put(
        "oauth_oidc_entity",
        &[
            ("name", "HCP Terraform"),
            ("client_id", "servicenow"),
            ("oidc_provider_configuration", &configuration),
        ],
    );
    instance.put(
        "sys_user",
        &[
            ("user_name", "ws-m365-support"),
            ("last_name", "workspace"),
            ("active", "true"),
        ],
    );
    let table = format!("{}/api/now/table/sys_user?sysparm_limit=1", simulator.urls().instance);
    for (audience, status) in [("servicenow", 200), ("elsewhere", 401)] {
        let token = simulator
            .hcp()
            .workload_identity_token(&Run::default(), audience)
            .unwrap();

        let (answered, body): (u16, Value) = send(simulation.client.get(&table).bearer_auth(token)).await;

        assert_eq!(answered, status, "{audience}: {body}");
    }
}

#[tokio::test]
async fn an_instance_without_a_line_to_microsoft_takes_no_token() {
    let simulation = Simulation::start().await;
    let simulator = &simulation.simulator;
    let token = simulator
        .entra()
        .first_party_token(servicenow_simulator::microsoft::directory::CONNECTOR_APP)
        .unwrap();
    simulator.line().cut(true);

    let denied = simulator.instance().explain_bearer(&token).await.unwrap_err();

    assert_eq!(denied.status, 401);
}
