//! Signing in with certificates and with tokens of other issuers.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
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

/// What an assertion of Microsoft's own libraries looks like; each case changes one thing of it.
struct Assertion<'a> {
    key: &'a KeyPair,
    algorithm: Algorithm,
    x5t: Option<String>,
    x5t_s256: Option<String>,
    claims: Value,
}

impl Assertion<'_> {
    fn with(mut self, claim: &str, value: Value) -> Self {
        self.claims[claim] = value;
        self
    }

    fn sign(&self) -> String {
        let header = Header {
            x5t: self.x5t.clone(),
            x5t_s256: self.x5t_s256.clone(),
            ..Header::new(self.algorithm)
        };
        let signer = EncodingKey::from_rsa_pem(self.key.serialize_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(&header, &self.claims, &signer).unwrap()
    }
}

#[tokio::test]
async fn an_application_signs_in_with_its_certificate_and_no_other() {
    let simulation = Simulation::start().await;
    let directory = simulation.simulator.directory();
    let application = directory.register("certificate", TokenVersion::V1);
    let [key, other, old] = [(); 3].map(|()| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap());
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let mut over = CertificateParams::default();
    (over.not_before, over.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2025, 1, 1));
    let over = over.self_signed(&old).unwrap();
    let credentials =
        [&certificate, &over].map(|one| json!({"type": "AsymmetricX509Cert", "key": STANDARD.encode(one.der())}));
    directory.with(|tenant| {
        let fields = &mut tenant.applications.get_mut(&application.object_id).unwrap().fields;
        fields.insert("keyCredentials".to_owned(), json!(credentials));
    });
    let now = jiff::Timestamp::now().as_second();
    let (id, tenant) = (&application.client_id, simulation.simulator.tenant_id());
    let endpoint = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    let sha1 = |der: &[u8]| URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, der));
    let sha256 = |der: &[u8]| URL_SAFE_NO_PAD.encode(digest(&SHA256, der));
    let good = || Assertion {
        key: &key,
        algorithm: Algorithm::PS256,
        x5t: None,
        x5t_s256: Some(sha256(certificate.der())),
        claims: json!({"iss": id, "sub": id, "aud": endpoint, "jti": "1", "nbf": now - 120, "exp": now + 60}),
    };
    let older = || Assertion {
        algorithm: Algorithm::RS256,
        x5t: Some(sha1(certificate.der())),
        x5t_s256: None,
        ..good()
    };
    let issuer = format!("https://sts.windows.net/{tenant}/");
    let evil = format!("https://evil.example/{tenant}/oauth2/v2.0/token");
    for (name, assertion, code) in [
        ("PS256", good(), 0),
        ("RS256", older(), 0),
        ("the issuer", good().with("aud", json!(issuer)), 0),
        ("a list of one", good().with("aud", json!([endpoint])), 0),
        (
            "a fraction",
            good().with("exp", json!(1.5 + f64::from(u32::try_from(now + 60).unwrap()))),
            0,
        ),
        (
            "both thumbprints",
            Assertion {
                x5t_s256: good().x5t_s256,
                ..older()
            },
            0,
        ),
        (
            "a padded thumbprint",
            Assertion {
                x5t: older().x5t.map(|text| text + "="),
                ..older()
            },
            0,
        ),
        ("another key", Assertion { key: &other, ..good() }, 700_027),
        ("no thumbprint", Assertion { x5t: None, ..older() }, 700_027),
        (
            "a wrong thumbprint",
            Assertion {
                x5t: Some(sha1(b"other")),
                ..older()
            },
            700_027,
        ),
        (
            "SHA-256 in x5t",
            Assertion {
                x5t: good().x5t_s256,
                ..older()
            },
            700_027,
        ),
        (
            "one of two wrong",
            Assertion {
                x5t_s256: Some(sha256(b"other")),
                ..older()
            },
            700_027,
        ),
        (
            "over",
            Assertion {
                key: &old,
                x5t_s256: Some(sha256(over.der())),
                ..good()
            },
            1_000_502,
        ),
        (
            "another tenant",
            good().with("aud", json!("https://login.microsoftonline.com/fabrikam.com")),
            700_023,
        ),
        ("another host", good().with("aud", json!(evil)), 700_023),
        ("no subject", good().with("sub", Value::Null), 700_021),
        ("another subject", good().with("sub", json!("somebody")), 700_021),
        ("too late", good().with("exp", json!(now - 60)), 700_024),
        ("too early", good().with("nbf", json!(now + 600)), 700_024),
    ] {
        let assertion = assertion.sign();
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
            assert_eq!(status, 200, "{name}: {body}");
            assert_eq!(claims(body["access_token"].as_str().unwrap())["appidacr"], "2");
        } else {
            assert_eq!((status, &body["error_codes"]), (401, &json!([code])), "{name}: {body}");
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
