//! Every sign-in method for Microsoft 365, and how each fails: from the arguments of the provider block to an Entra and
//! an admin center that check what they are sent.

use std::path::Path;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use serde_json::{Value as Json, json};
use servicenow_provider::plugin::Object;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::microsoft::directory::{FederatedCredential, Registered, Standing, TokenVersion};
use servicenow_simulator::microsoft::hcp::{ISSUER, Run};

use crate::harness::{Listener, Provider, Simulator, fails_saying};

async fn read(simulator: &Simulator, texts: &[(&'static str, &str)]) -> Result<(), String> {
    Provider::new(simulator.block_with_microsoft(texts))?
        .read_the_settings()
        .await
}

async fn reads(simulator: &Simulator, texts: &[(&'static str, &str)]) {
    read(simulator, texts)
        .await
        .unwrap_or_else(|said| panic!("{texts:?}: {said}"));
}

/// Gets a token as the application alone, which the admin center does not take.
async fn gets_an_application_token(simulator: &Simulator, texts: &[(&'static str, &str)]) {
    let before = simulator.entra().issued().len();
    let block = simulator.block();
    let mut microsoft = block.object("microsoft365").unwrap().clone();
    for (name, text) in texts {
        microsoft = match *name {
            "use_oidc" => microsoft.with("use_oidc", true),
            name => microsoft.with(name, *text),
        };
    }
    let outcome = Provider::new(block.with("microsoft365", microsoft))
        .unwrap()
        .read_the_settings()
        .await;
    fails_saying(outcome, &["without a user", "refresh_token of an application"]);
    assert_eq!(simulator.entra().issued().len(), before + 1, "{texts:?}");
}

/// Lets the application sign in with tokens of a run of HCP Terraform.
fn trust_hcp(simulator: &Simulator, application: &Registered) {
    let credential = FederatedCredential {
        id: "1".to_owned(),
        name: "hcp".to_owned(),
        issuer: ISSUER.to_owned(),
        subject: Run::default().subject(),
        audiences: vec![AUDIENCE.to_owned()],
        description: None,
    };
    simulator.directory().with(|tenant| {
        tenant
            .applications
            .get_mut(&application.object_id)
            .unwrap()
            .federated
            .push(credential);
    });
}

fn hcp_token(simulator: &Simulator, run: &Run, audience: &str) -> String {
    simulator.hcp().workload_identity_token(run, audience).unwrap()
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

/// A certificate and its key, PEM; the application knows the certificate.
fn certify(simulator: &Simulator, application: &Registered) -> (String, String) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
    let text: String = certificate.lines().filter(|line| !line.starts_with("--")).collect();
    simulator.directory().with(|tenant| {
        let fields = &mut tenant.applications.get_mut(&application.object_id).unwrap().fields;
        let credentials = json!([{"type": "AsymmetricX509Cert", "key": text}]);
        fields.insert("keyCredentials".to_owned(), credentials);
    });
    (certificate, key.serialize_pem())
}

const AUDIENCE: &str = "api://AzureADTokenExchange";

#[tokio::test]
async fn every_method_signs_in() {
    let simulator = Simulator::start().await;
    let folder = tempfile::tempdir().unwrap();
    let application = simulator.register_for_a_person("test");
    let (certificate, key) = certify(&simulator, &application);
    let certificate = write(folder.path(), "application.pem", format!("{certificate}{key}"));
    trust_hcp(&simulator, &application);
    let token = hcp_token(&simulator, &Run::default(), AUDIENCE);
    let file = write(folder.path(), "token", format!("{token}\n"));
    let id = ("client_id", application.client_id.as_str());
    let secret = ("client_secret", application.client_secret.as_str());
    let issued = simulator.directory().issue_refresh_token(&application.client_id);
    let refresh = ("refresh_token", issued.as_str());

    reads(&simulator, &[id, secret, refresh]).await;
    reads(&simulator, &[id, ("client_certificate_path", &certificate), refresh]).await;
    gets_an_application_token(&simulator, &[id, secret]).await;
    gets_an_application_token(&simulator, &[id, ("client_certificate_path", &certificate)]).await;
    gets_an_application_token(&simulator, &[id, ("oidc_token", &token)]).await;
    gets_an_application_token(&simulator, &[id, ("use_oidc", "true"), ("oidc_token_file_path", &file)]).await;

    let claims = delegated_claims(&simulator);
    let given = simulator.entra().sign(TokenVersion::V1, claims).unwrap();
    reads(&simulator, &[("access_token", &given)]).await;

    // A public client has no proof of its own, and one without secrets can use a token of its CI system.
    simulator.forget_secrets(&application);
    reads(&simulator, &[id, refresh]).await;
    let block = simulator.block_with_microsoft(&[id, refresh, ("oidc_token", &token)]);
    let microsoft = block.object("microsoft365").unwrap().clone().with("use_oidc", true);
    Provider::new(block.with("microsoft365", microsoft))
        .unwrap()
        .read_the_settings()
        .await
        .unwrap();
    assert_eq!(simulator.entra().issued().last().unwrap()["appidacr"], "2");
}

/// What the last token for a user said.
fn delegated_claims(simulator: &Simulator) -> serde_json::Map<String, Json> {
    let mut issued = simulator.entra().issued();
    issued.retain(|claims| claims.contains_key("scp"));
    issued.pop().unwrap()
}

#[tokio::test]
async fn each_refusal_of_entra_is_explained() {
    let simulator = Simulator::start().await;
    let application = simulator.register_for_a_person("test");
    let issued = simulator.directory().issue_refresh_token(&application.client_id);
    let id = ("client_id", application.client_id.as_str());
    let secret = ("client_secret", application.client_secret.as_str());
    let refresh = ("refresh_token", issued.as_str());
    let good = [id, secret, refresh];
    let directory = simulator.directory();

    fails_saying(
        read(&simulator, &[id, ("client_secret", "wrong"), refresh]).await,
        &["AADSTS7000215", "not its ID"],
    );
    fails_saying(
        read(&simulator, &[id, refresh]).await,
        &["AADSTS7000218", "set client_secret"],
    );
    let unknown = ("client_id", "11111111-2222-3333-4444-555555555555");
    fails_saying(
        read(&simulator, &[unknown, secret, refresh]).await,
        &["AADSTS700016", "check the client ID and the tenant"],
    );
    let tenant = ("tenant_id", "fabrikam.com");
    fails_saying(
        read(&simulator, &[tenant, id, secret, refresh]).await,
        &["AADSTS90002", "check it (a GUID or a verified domain)"],
    );
    fails_saying(
        read(&simulator, &[id, secret, ("refresh_token", "cut")]).await,
        &["AADSTS70000", "belongs to another application"],
    );
    for (standing, said) in [(Standing::Expired, "AADSTS70008"), (Standing::Revoked, "AADSTS50173")] {
        directory.set_refresh_tokens(standing);
        fails_saying(
            read(&simulator, &good).await,
            &[said, "sign in again and store the new one"],
        );
    }
    directory.set_refresh_tokens(Standing::Good);
    let consents = directory.with(|tenant| std::mem::take(&mut tenant.consents));
    fails_saying(read(&simulator, &good).await, &["AADSTS65001", "admin consent"]);
    directory.with(|tenant| tenant.consents = consents);
    directory.with(|tenant| {
        let principal = tenant
            .service_principals
            .get_mut(&application.service_principal_id)
            .unwrap();
        principal.fields.insert("accountEnabled".to_owned(), json!(false));
    });
    fails_saying(
        read(&simulator, &good).await,
        &["AADSTS7000112", "enable its enterprise application"],
    );
    directory.with(|tenant| {
        let principal = tenant
            .service_principals
            .get_mut(&application.service_principal_id)
            .unwrap();
        principal.fields.insert("accountEnabled".to_owned(), json!(true));
    });
    reads(&simulator, &good).await;
    directory.expire_password(&application.key_id);
    fails_saying(read(&simulator, &good).await, &["AADSTS7000222", "has expired"]);
}

/// What only a person or a policy decides: this Entra has neither, so its answers are scripted.
#[tokio::test]
async fn what_a_policy_demands_is_explained() {
    let simulator = Simulator::start().await;
    let account = account(&simulator);
    let account = account.each_ref().map(|(name, text)| (*name, text.as_str()));
    let cases = [
        (50_076, "Multi-factor authentication is required"),
        (50_079, "Multi-factor authentication is required"),
        (53_003, "Conditional Access policy"),
        (53_000, "Conditional Access policy"),
        (530_036, "Conditional Access policy"),
        (65_001, "an administrator must grant"),
        (50_057, "locked or disabled"),
        (50_055, "password has expired"),
        (700_082, "90 days without use"),
    ];
    for (code, said) in cases {
        let description = format!("AADSTS{code}: Words.\r\nTrace ID: t\r\nCorrelation ID: c-1");
        let body = json!({
            "error": "interaction_required", "error_description": description, "error_codes": [code],
            "correlation_id": "c-1",
        });
        simulator.entra().faults().next(Matcher::any(), answer(400, &body));

        let outcome = read(&simulator, &account).await;

        fails_saying(outcome, &[&format!("AADSTS{code}"), said, "correlation id c-1"]);
    }

    // A moment of overload is waited for.
    let body =
        json!({"error": "temporarily_unavailable", "error_codes": [90_024], "error_description": "AADSTS90024: Busy."});
    simulator.entra().faults().next(Matcher::any(), answer(400, &body));
    reads(&simulator, &account).await;
}

fn answer(status: u16, body: &Json) -> Fault {
    Fault::Answer {
        status,
        content_type: "application/json".to_owned(),
        body: body.to_string(),
    }
}

/// The account of the simulator's automation.
fn account(simulator: &Simulator) -> [(&'static str, String); 3] {
    [
        ("client_id", simulator.client_id().to_owned()),
        ("client_secret", simulator.client_secret().to_owned()),
        ("refresh_token", simulator.refresh_token().to_owned()),
    ]
}

#[tokio::test]
async fn federated_tokens_fail_with_what_does_not_match() {
    let simulator = Simulator::start().await;
    let folder = tempfile::tempdir().unwrap();
    let application = simulator.register_for_a_person("test");
    let id = ("client_id", application.client_id.as_str());
    let token = hcp_token(&simulator, &Run::default(), AUDIENCE);
    let said = "compared literally";

    fails_saying(
        read(&simulator, &[id, ("oidc_token", &token)]).await,
        &["AADSTS700211", said],
    );
    trust_hcp(&simulator, &application);
    let apply = Run {
        phase: "apply".to_owned(),
        ..Run::default()
    };
    let of_apply = hcp_token(&simulator, &apply, AUDIENCE);
    fails_saying(
        read(&simulator, &[id, ("oidc_token", &of_apply)]).await,
        &["AADSTS700213", said, "different subjects"],
    );
    let elsewhere = hcp_token(&simulator, &Run::default(), "servicenow");
    fails_saying(
        read(&simulator, &[id, ("oidc_token", &elsewhere)]).await,
        &["AADSTS700212", said],
    );
    let now = jiff::Timestamp::now().as_second();
    let ended = json!({
        "iss": ISSUER, "sub": Run::default().subject(), "aud": AUDIENCE, "iat": now - 7200, "exp": now - 3600,
    });
    let ended = simulator.hcp().sign(ended.as_object().unwrap()).unwrap();
    fails_saying(
        read(&simulator, &[id, ("oidc_token", &ended)]).await,
        &["AADSTS700024", "correct this machine's clock"],
    );

    let missing = ("oidc_token_file_path", "/nowhere/token");
    fails_saying(
        read(&simulator, &[id, missing]).await,
        &["oidc_token_file_path: the file /nowhere/token cannot be read"],
    );
    let empty = write(folder.path(), "empty", "\n");
    fails_saying(
        read(&simulator, &[id, ("oidc_token_file_path", &empty)]).await,
        &["(oidc_token_file_path) is empty"],
    );
    let block = simulator.block_with_microsoft(&[id]);
    let microsoft = block.object("microsoft365").unwrap().clone().with("use_oidc", true);
    let outcome = Provider::new(block.with("microsoft365", microsoft))
        .unwrap()
        .read_the_settings()
        .await;
    fails_saying(outcome, &["use_oidc is set, but there is no token", "id-token: write"]);
}

#[tokio::test]
async fn certificates_fail_with_what_is_wrong_with_them() {
    let simulator = Simulator::start().await;
    let folder = tempfile::tempdir().unwrap();
    let application = simulator.register_for_a_person("test");
    let (certificate, key) = certify(&simulator, &application);
    let stranger = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem();
    let curve = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let cases: [(&[u8], &str); 7] = [
        (certificate.as_bytes(), "contains a certificate but no private key"),
        (key.as_bytes(), "contains no certificate in PEM format"),
        (b"\x30\x82\xff\xff", "Convert it: openssl pkcs12"),
        (b"", "contains no certificate in PEM format"),
        (
            &[certificate.as_bytes(), encrypted.as_bytes()].concat(),
            "Decrypt it: openssl rsa",
        ),
        (
            &[certificate.as_bytes(), curve.as_bytes()].concat(),
            "Entra accepts RSA keys only",
        ),
        (&[certificate.as_bytes(), stranger.as_bytes()].concat(), "AADSTS700027"),
    ];
    for (content, said) in cases {
        let path = write(folder.path(), "application.pem", content);

        let outcome = read(
            &simulator,
            &[
                ("client_id", &application.client_id),
                ("client_certificate_path", &path),
            ],
        )
        .await;

        fails_saying(outcome, &[said]);
    }
    let missing = ("client_certificate_path", "/nowhere/application.pem");
    let outcome = read(&simulator, &[("client_id", &application.client_id), missing]).await;
    fails_saying(outcome, &["the file /nowhere/application.pem cannot be read"]);
}

#[tokio::test]
async fn a_given_token_fails_with_what_is_wrong_with_it() {
    let simulator = Simulator::start().await;
    let account = account(&simulator);
    reads(
        &simulator,
        &account.each_ref().map(|(name, text)| (*name, text.as_str())),
    )
    .await;
    let claims = delegated_claims(&simulator);
    let signed = |changes: Json| {
        let mut claims = claims.clone();
        claims.extend(changes.as_object().unwrap().clone());
        simulator.entra().sign(TokenVersion::V1, claims).unwrap()
    };
    let good = signed(json!({}));

    let cases = [
        (signed(json!({"exp": 1_000_000_000})), "The access_token expired"),
        (good[..good.len() / 3].to_owned(), "it may be truncated"),
        ("\u{1}binary".to_owned(), "binary data"),
        (
            signed(json!({"aud": "https://graph.microsoft.com"})),
            "it is for https://graph.microsoft.com",
        ),
        (signed(json!({"wids": []})), "needs an administrator role"),
    ];
    for (token, said) in cases {
        fails_saying(read(&simulator, &[("access_token", &token)]).await, &[said]);
    }
}

#[tokio::test]
async fn arguments_that_contradict_or_lack_something_are_named() {
    let simulator = Simulator::start().await;
    let id = ("client_id", "11111111-2222-3333-4444-555555555555");
    let several = [id, ("client_secret", "secret-1"), ("access_token", "token-1")];

    fails_saying(
        read(&simulator, &several).await,
        &["2 sign-in methods for Microsoft 365 are configured: access_token and client_secret"],
    );
    fails_saying(
        read(&simulator, &[]).await,
        &[
            "No sign-in method for Microsoft 365 is configured",
            "ARM_* and M365_* variables",
        ],
    );
    fails_saying(
        read(&simulator, &[("client_secret", "secret-1")]).await,
        &["client_secret needs client_id"],
    );
    let anywhere = Object::new().with("client_id", id.1).with("refresh_token", "refresh-1");
    let outcome = Provider::new(Object::new().with("microsoft365", anywhere))
        .unwrap()
        .read_the_settings()
        .await;
    fails_saying(outcome, &["tenant_id is missing"]);
    let plain = ("login_url", "http://login.example.com");
    fails_saying(
        read(&simulator, &[id, ("client_secret", "secret-1"), plain]).await,
        &["is not encrypted"],
    );
    let elsewhere = ("login_url", simulator.urls().instance.as_str());
    let outcome = read(&simulator, &[id, ("client_secret", "secret-1"), elsewhere]).await;
    fails_saying(
        outcome,
        &["did not respond like an Entra token endpoint", "Check login_url"],
    );
    assert_eq!(simulator.logs().login.all().len(), 0);
}

#[tokio::test]
async fn one_sign_in_serves_all_calls_and_a_refused_token_is_replaced_once() {
    let simulator = Simulator::start().await;
    let account = account(&simulator);
    let block = simulator.block_with_microsoft(&account.each_ref().map(|(name, text)| (*name, text.as_str())));
    let provider = Provider::new(block).unwrap();
    assert_eq!(simulator.logs().login.all().len(), 0);

    let calls = (0..10).map(|_| provider.read_the_settings());
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(simulator.logs().login.all().len(), 1);

    simulator.admin().faults().next(Matcher::any(), answer(401, &json!({})));
    provider.read_the_settings().await.unwrap();
    assert_eq!(simulator.logs().login.all().len(), 2);
    simulator
        .admin()
        .faults()
        .every(Matcher::any(), answer(401, &json!({})));
    fails_saying(provider.read_the_settings().await, &["does not accept the token (401)"]);
    assert_eq!(simulator.logs().login.all().len(), 3);
}

#[tokio::test]
async fn the_environment_signs_in_by_every_name() {
    let simulator = Simulator::start().await;
    let application = simulator.register_for_a_person("test");
    trust_hcp(&simulator, &application);
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certify(&simulator, &application);
    let certificate = write(folder.path(), "application.pem", format!("{certificate}{key}"));
    let token = hcp_token(&simulator, &Run::default(), AUDIENCE);
    let file = write(folder.path(), "token", &token);
    let refresh = simulator.directory().issue_refresh_token(&application.client_id);
    // GitHub answers with the one name, Azure Pipelines with the other.
    let body = json!({"value": token, "oidcToken": token}).to_string();
    let services = Listener::http(200, "content-type: application/json\r\n", &body).await;
    let (github, ado) = (
        format!("{}/github?run=1", services.url()),
        format!("{}/ado", services.url()),
    );
    let tenant = simulator.tenant_id();
    let ca = simulator.ca_certificate().display().to_string();
    let Registered {
        client_id,
        client_secret,
        ..
    } = &application;
    let (login, admin) = (simulator.urls().login.clone(), simulator.urls().admin.clone());
    let at = [
        ("SERVICENOW_CA_CERTIFICATE_PATH", ca.as_str()),
        ("ARM_TENANT_ID", &tenant),
        ("ARM_CLIENT_ID", client_id),
        ("M365_LOGIN_URL", &login),
        ("M365_ADMIN_URL", &admin),
    ];

    let oidc = ("ARM_USE_OIDC", "true");
    let cases: &[&[(&str, &str)]] = &[
        &[("ARM_CLIENT_SECRET", client_secret)],
        &[("ARM_CLIENT_CERTIFICATE_PATH", &certificate)],
        &[oidc, ("ARM_OIDC_TOKEN", &token)],
        &[oidc, ("ARM_OIDC_TOKEN_FILE_PATH", &file)],
        &[
            oidc,
            ("ACTIONS_ID_TOKEN_REQUEST_URL", &github),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "pipeline-1"),
        ],
        &[
            oidc,
            ("ARM_OIDC_REQUEST_URL", &github),
            ("ARM_OIDC_REQUEST_TOKEN", "pipeline-1"),
        ],
        &[
            oidc,
            ("SYSTEM_OIDCREQUESTURI", &ado),
            ("SYSTEM_ACCESSTOKEN", "pipeline-1"),
            ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "connection-1"),
        ],
    ];
    let block = Object::new().with("max_retries", 0);
    for variables in cases {
        let before = simulator.entra().issued().len();
        let variables = [&at[..], *variables].concat();

        let provider = Provider::in_environment(block.clone(), &variables).unwrap();
        fails_saying(provider.read_the_settings().await, &["without a user"]);

        assert_eq!(simulator.entra().issued().len(), before + 1, "{variables:?}");
    }
    assert_eq!(services.received().len(), 3);
    assert!(
        services
            .received()
            .iter()
            .all(|head| head.contains("Bearer pipeline-1"))
    );

    let variables = [
        &at[..],
        &[("ARM_CLIENT_SECRET", client_secret), ("M365_REFRESH_TOKEN", &refresh)],
    ]
    .concat();
    Provider::in_environment(block.clone(), &variables)
        .unwrap()
        .read_the_settings()
        .await
        .unwrap();
    let given = simulator
        .entra()
        .sign(TokenVersion::V1, delegated_claims(&simulator))
        .unwrap();
    let variables = [&at[..], &[("M365_ACCESS_TOKEN", given.as_str())]].concat();
    Provider::in_environment(block.clone(), &variables)
        .unwrap()
        .read_the_settings()
        .await
        .unwrap();
    // The configuration wins.
    let wrong = Object::new().with("client_secret", "wrong");
    let provider = Provider::in_environment(block.with("microsoft365", wrong), &variables).unwrap();
    fails_saying(provider.read_the_settings().await, &["AADSTS7000215"]);
}
