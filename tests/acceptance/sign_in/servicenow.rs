//! Every sign-in method for the instance, and how each fails: from the arguments of the provider block to an instance
//! that checks what it is sent. Where the block itself matters, through terraform.

use std::path::Path;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value as Json, json};
use servicenow_provider::plugin::Object;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::microsoft::hcp::Run;

use crate::harness::{Provider, Simulator, fails_saying, for_each_terraform};

/// An application of the instance that allows every grant, its user `robot`, and an issuer that is trusted for the user
/// `ws-m365-support`.
fn furnish(simulator: &Simulator) {
    let instance = simulator.instance();
    let robot = instance.put("sys_user", &[("user_name", "robot"), ("user_password", PASSWORD)]);
    instance.put(
        "oauth_entity",
        &[
            ("name", "automation"),
            ("client_id", "automation"),
            ("client_secret", SECRET),
            ("user", &robot),
            ("inbound_grant_type", "multiple"),
        ],
    );
    instance.put("sys_properties", &[("name", CLIENT_CREDENTIALS), ("value", "true")]);
    let jwt = instance.put(
        "oauth_jwt",
        &[
            ("name", "jwt"),
            ("type", "client"),
            ("client_id", "assertions"),
            ("client_secret", SECRET),
            ("user_field", "user_name"),
        ],
    );
    instance.put(
        "jwt_verifier_map",
        &[("oauth_jwt", &jwt), ("kid", "k"), ("shared_key", "shared")],
    );
    instance.put("api_key", &[("name", "robot's"), ("user", &robot), ("token", KEY)]);
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
    instance.put("sys_user", &[("user_name", "ws-m365-support"), ("active", "true")]);
}

async fn furnished() -> Simulator {
    let simulator = Simulator::start().await;
    furnish(&simulator);
    simulator
}

/// A token of HCP Terraform for this audience.
fn hcp_token(simulator: &Simulator, audience: &str) -> String {
    simulator
        .hcp()
        .workload_identity_token(&Run::default(), audience)
        .unwrap()
}

/// An assertion for the JWT bearer grant.
fn assertion(subject: &str, key: &str) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k".to_owned());
    let end = jiff::Timestamp::now().as_second() + 60;
    let claims = json!({"iss": "assertions", "aud": "assertions", "sub": subject, "exp": end});
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

fn changed(simulator: &Simulator, table: &str, column: &str, text: &str, values: &[(&str, &str)]) {
    let record = simulator.instance().find(table, column, text).remove(0);
    simulator.instance().change(table, &record["sys_id"], values);
}

async fn read(simulator: &Simulator, texts: &[(&'static str, &str)]) -> Result<(), String> {
    Provider::new(simulator.block_with(texts))?.read_a_record().await
}

/// Signs in with these arguments and runs as this user.
async fn signs_in(simulator: &Simulator, texts: &[(&'static str, &str)], user: &str) {
    read(simulator, texts)
        .await
        .unwrap_or_else(|said| panic!("{texts:?}: {said}"));
    assert_eq!(simulator.last_user(), user, "{texts:?}");
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

const PASSWORD: &str = "pass & wörd+1";
const SECRET: &str = "se&cret=/1";
const KEY: &str = "key-of-robot";
const CLIENT_CREDENTIALS: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";
const CLIENT: [(&str, &str); 2] = [("client_id", "automation"), ("client_secret", SECRET)];
const USER: [(&str, &str); 2] = [("username", "robot"), ("password", PASSWORD)];

#[tokio::test]
async fn every_method_signs_in() {
    let simulator = furnished().await;
    let folder = tempfile::tempdir().unwrap();
    let token = hcp_token(&simulator, "servicenow");
    let file = write(folder.path(), "token", format!("{token}\n"));
    let robots = assertion("robot", "shared");
    let assertions = [
        ("client_id", "assertions"),
        ("client_secret", SECRET),
        ("grant_type", "jwt_bearer"),
    ];

    signs_in(&simulator, &USER, "robot").await;
    signs_in(&simulator, &CLIENT, "robot").await;
    signs_in(
        &simulator,
        &[&CLIENT[..], &[("grant_type", "client_credentials")]].concat(),
        "robot",
    )
    .await;
    signs_in(
        &simulator,
        &[&CLIENT[..], &USER, &[("grant_type", "password")]].concat(),
        "robot",
    )
    .await;
    let refresh_token = issued(&simulator, "refresh_token");
    signs_in(
        &simulator,
        &[&CLIENT[..], &[("refresh_token", &refresh_token)]].concat(),
        "robot",
    )
    .await;
    signs_in(
        &simulator,
        &[&assertions[..], &[("oidc_token", &robots)]].concat(),
        "robot",
    )
    .await;
    let access_token = issued(&simulator, "access_token");
    signs_in(&simulator, &[("access_token", &access_token)], "robot").await;
    signs_in(&simulator, &[("access_token", &format!("{access_token}\n"))], "robot").await;
    signs_in(&simulator, &[("api_key", KEY)], "robot").await;
    signs_in(&simulator, &[("oidc_token", &token)], "ws-m365-support").await;
    signs_in(&simulator, &[("oidc_token_file_path", &file)], "ws-m365-support").await;

    let identity = simulator.authority().client_identity("robot").unwrap();
    let certificate = write(folder.path(), "certificate.pem", &identity.certificate);
    let key = write(folder.path(), "key.pem", &identity.private_key);
    let both = write(
        folder.path(),
        "both.pem",
        format!("{}{}", identity.certificate, identity.private_key),
    );
    signs_in(
        &simulator,
        &[("client_certificate_path", &certificate), ("client_key_path", &key)],
        "robot",
    )
    .await;
    signs_in(&simulator, &[("client_certificate_path", &both)], "robot").await;
}

/// The newest token of a kind that the instance gave out.
fn issued(simulator: &Simulator, kind: &str) -> String {
    let mut tokens = simulator.instance().find("oauth_credential", "type", kind);
    tokens.remove(0).remove("token").unwrap()
}

#[tokio::test]
async fn basic_fails_with_what_to_look_at() {
    let simulator = furnished().await;
    let said = ["did not accept the sign-in (basic)", "Check username and password"];

    fails_saying(
        read(&simulator, &[("username", "robot"), ("password", "wrong")]).await,
        &said,
    );
    for (column, value) in [
        ("active", "false"),
        ("locked_out", "true"),
        ("enable_multifactor_authn", "true"),
    ] {
        let before = simulator.instance().find("sys_user", "user_name", "robot").remove(0);
        changed(&simulator, "sys_user", "user_name", "robot", &[(column, value)]);

        fails_saying(read(&simulator, &USER).await, &said);

        let old = before.get(column).map_or("", String::as_str);
        changed(&simulator, "sys_user", "user_name", "robot", &[(column, old)]);
    }
    simulator.instance().switches(|modes| modes.basic_auth_role = true);
    fails_saying(
        read(&simulator, &USER).await,
        &["newer instances restrict it to certain roles"],
    );
}

#[tokio::test]
async fn a_flattened_denial_lists_the_causes_of_its_grant() {
    let simulator = furnished().await;
    let denied = "server_error (access_denied)";
    let wrong = [("client_id", "automation"), ("client_secret", "wrong")];

    fails_saying(
        read(&simulator, &wrong).await,
        &[denied, "for the grant client_credentials", CLIENT_CREDENTIALS],
    );
    let by_password = [&wrong[..], &USER, &[("grant_type", "password")]].concat();
    fails_saying(
        read(&simulator, &by_password).await,
        &[denied, "web service access only"],
    );
    let by_refresh = [&CLIENT[..], &[("refresh_token", "unknown")]].concat();
    fails_saying(
        read(&simulator, &by_refresh).await,
        &[denied, "the refresh token has expired, was revoked"],
    );
    let stranger = assertion("robot", "another key");
    let assertions = [
        ("client_id", "assertions"),
        ("client_secret", SECRET),
        ("grant_type", "jwt_bearer"),
    ];
    let by_assertion = [&assertions[..], &[("oidc_token", &stranger)]].concat();
    fails_saying(read(&simulator, &by_assertion).await, &[denied, "verifier map"]);
    let administrator = assertion("admin", "shared");
    let by_assertion = [&assertions[..], &[("oidc_token", &administrator)]].concat();
    fails_saying(
        read(&simulator, &by_assertion).await,
        &["invalid_grant", "has the role admin, which this grant refuses"],
    );

    // Causes on the instance's side: the answer is the same for all of them, so the list must name each.
    let robot = ("sys_user", "user_name", "robot");
    let application = ("oauth_entity", "client_id", "automation");
    let property = ("sys_properties", "name", CLIENT_CREDENTIALS);
    let causes = [
        (
            robot,
            ("password_needs_reset", "true", "false"),
            "\"Password needs reset\"",
        ),
        (robot, ("active", "false", "true"), "inactive"),
        (robot, ("locked_out", "true", "false"), "locked out"),
        (application, ("user", "", ""), "no OAuth Application User"),
        (
            application,
            ("inbound_grant_type", "jwt", "multiple"),
            "inbound grant type",
        ),
        (property, ("value", "false", "true"), CLIENT_CREDENTIALS),
    ];
    for ((table, key, name), (column, bad, good), named) in causes {
        changed(&simulator, table, key, name, &[(column, bad)]);

        fails_saying(read(&simulator, &CLIENT).await, &[denied, named]);

        let robot = simulator.instance().find("sys_user", "user_name", "robot").remove(0);
        let good = if column == "user" { &robot["sys_id"] } else { good };
        changed(&simulator, table, key, name, &[(column, good)]);
    }
    signs_in(&simulator, &CLIENT, "robot").await;
}

#[tokio::test]
async fn keys_and_given_tokens_fail_each_with_its_own_message() {
    let simulator = furnished().await;
    signs_in(&simulator, &CLIENT, "robot").await;
    let token = issued(&simulator, "access_token");
    let refused = "The token given as access_token was refused";

    fails_saying(
        read(&simulator, &[("api_key", "another")]).await,
        &["(api_key)", "com.glide.tokenbased_auth"],
    );
    fails_saying(
        read(&simulator, &[("api_key", "bin\u{1}ary")]).await,
        &["api_key cannot be used", "binary"],
    );
    fails_saying(
        read(&simulator, &[("access_token", &token[..20])]).await,
        &["(access_token)", refused],
    );
    fails_saying(
        read(&simulator, &[("access_token", "line\nbreak")]).await,
        &["access_token cannot be used"],
    );
    let ended = simulator
        .hcp()
        .sign(json!({"exp": 1_000_000_000}).as_object().unwrap())
        .unwrap();
    fails_saying(
        read(&simulator, &[("access_token", &ended)]).await,
        &["The token of access_token expired", "client_id and client_secret"],
    );
    simulator.instance().switches(|modes| modes.clock_offset = 1801);
    fails_saying(
        read(&simulator, &[("access_token", &token)]).await,
        &[refused, "its clock is 30 min ahead"],
    );
}

#[tokio::test]
async fn a_token_of_another_issuer_fails_with_what_is_wrong_with_it() {
    let simulator = furnished().await;
    let folder = tempfile::tempdir().unwrap();
    let good = hcp_token(&simulator, "servicenow");
    let now = jiff::Timestamp::now().as_second();
    let token = |changes: Json| {
        let mut claims = json!({
            "iss": "https://app.terraform.io", "aud": "servicenow", "terraform_workspace_id": "ws-m365-support",
            "iat": now, "nbf": now, "exp": now + 3600,
        });
        claims
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        simulator.hcp().sign(claims.as_object().unwrap()).unwrap()
    };
    let checks = "has the token's `aud` as client_id";

    let cases = [
        // How long ago depends on how fast the tests are: 7200 s and what has passed since.
        (token(json!({"exp": now - 7200})), "The token of oidc_token expired 72"),
        (good[..good.len() / 3].to_owned(), "oidc_token cannot be used"),
        ("\u{1}\u{2}\u{3}".to_owned(), "binary data"),
        (hcp_token(&simulator, "elsewhere"), checks),
        (token(json!({"iss": "https://elsewhere.example"})), checks),
        (token(json!({"terraform_workspace_id": "nobody"})), checks),
    ];
    for (token, said) in cases {
        let outcome = read(&simulator, &[("oidc_token", &token)]).await;
        fails_saying(outcome, &[said]);
    }

    let missing = folder.path().join("missing").display().to_string();
    fails_saying(
        read(&simulator, &[("oidc_token_file_path", &missing)]).await,
        &["oidc_token_file_path", "cannot be read"],
    );
    let binary = write(folder.path(), "binary", [0xff, 0xfe, 0x00]);
    fails_saying(
        read(&simulator, &[("oidc_token_file_path", &binary)]).await,
        &["oidc_token_file_path cannot be used", "binary"],
    );
    let empty = write(folder.path(), "empty", "\n");
    fails_saying(
        read(&simulator, &[("oidc_token_file_path", &empty)]).await,
        &["the token is empty"],
    );

    for offset in [4020, -4020] {
        simulator.instance().switches(|modes| modes.clock_offset = offset);
        fails_saying(
            read(&simulator, &[("oidc_token", &good)]).await,
            &["its clock is 67 min", checks],
        );
    }
}

/// A clock that is wrong by an hour does not matter where the instance says how long its own token lasts.
#[tokio::test]
async fn a_clock_wrong_by_an_hour_does_not_matter_to_oauth() {
    let simulator = furnished().await;
    for offset in [3600, -3600] {
        simulator.instance().switches(|modes| modes.clock_offset = offset);
        signs_in(&simulator, &CLIENT, "robot").await;
    }
}

#[tokio::test]
async fn client_certificates_fail_each_with_its_own_message() {
    let simulator = furnished().await;
    let folder = tempfile::tempdir().unwrap();
    let identity = simulator.authority().client_identity("nobody").unwrap();
    let certificate = write(folder.path(), "certificate.pem", &identity.certificate);
    let key = write(folder.path(), "key.pem", &identity.private_key);
    let other = simulator.authority().client_identity("other").unwrap();
    let wrong_key = write(folder.path(), "wrong.pem", &other.private_key);
    let stranger = rcgen::generate_simple_self_signed(vec!["robot".to_owned()]).unwrap();
    let strangers = format!("{}{}", stranger.cert.pem(), stranger.signing_key.serialize_pem());
    let stranger = write(folder.path(), "stranger.pem", strangers);

    let with = |certificate: &str, key: &str| {
        let mut block = simulator.block();
        for (name, value) in [("client_certificate_path", certificate), ("client_key_path", key)] {
            if !value.is_empty() {
                block = block.with(name, value);
            }
        }
        block
    };
    let cases: [(Object, &[&str]); 5] = [
        (
            with(&certificate, &key),
            &["(client_certificate)", "registered for an active user"],
        ),
        (
            with(&certificate, ""),
            &["there is no private key", "Set client_key_path"],
        ),
        (with(&certificate, &wrong_key), &["cannot be used together"]),
        (with(&stranger, ""), &["refused the client certificate or asks for one"]),
        (
            with(&certificate, "/nowhere/key.pem"),
            &["client_key_path: the file /nowhere/key.pem cannot be read"],
        ),
    ];
    for (block, said) in cases {
        fails_saying(Provider::new(block).unwrap().read_a_record().await, said);
    }
    // Without its certificate a key is no way to sign in, but with another way it is a mistake that is told.
    let block = with("", &key).with("username", "robot").with("password", PASSWORD);
    fails_saying(
        Provider::new(block).unwrap().read_a_record().await,
        &["client_certificate_path is not"],
    );
}

#[tokio::test]
async fn ten_calls_at_once_sign_in_once_and_nothing_is_sent_before() {
    let simulator = furnished().await;
    let provider = Provider::new(simulator.block_with(&CLIENT)).unwrap();
    assert_eq!(simulator.instance().requests().len(), 0);

    let calls = (0..10).map(|_| provider.read_a_record());
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }

    assert_eq!(simulator.logs().instance.count("POST", "/oauth_token.do"), 1);
}

#[tokio::test]
async fn a_token_that_ends_in_mid_run_is_replaced_once() {
    let simulator = furnished().await;
    let provider = Provider::new(simulator.block_with(&CLIENT)).unwrap();
    provider.read_a_record().await.unwrap();

    simulator.instance().switches(|modes| modes.clock_offset = 1801);
    provider.read_a_record().await.unwrap();

    assert_eq!(simulator.logs().instance.count("POST", "/oauth_token.do"), 2);
    changed(&simulator, "sys_user", "user_name", "robot", &[("active", "false")]);
    simulator.logs().instance.clear();
    fails_saying(provider.read_a_record().await, &["issued no token", "inactive"]);
    fails_saying(provider.read_a_record().await, &["issued no token"]);
    let tries = simulator.logs().instance.count("POST", "/oauth_token.do");
    assert_eq!(
        tries, 1,
        "a refused sign-in is not tried again, which could lock the account"
    );
}

/// Each argument has its variables; the configuration wins over all of them.
#[tokio::test]
async fn the_environment_signs_in_by_every_name() {
    let simulator = furnished().await;
    signs_in(
        &simulator,
        &[&CLIENT[..], &USER, &[("grant_type", "password")]].concat(),
        "robot",
    )
    .await;
    let (access_token, refresh_token) = (issued(&simulator, "access_token"), issued(&simulator, "refresh_token"));
    let token = hcp_token(&simulator, "servicenow");
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "token", &token);
    let identity = simulator.authority().client_identity("robot").unwrap();
    let certificate = write(folder.path(), "certificate.pem", &identity.certificate);
    let key = write(folder.path(), "key.pem", &identity.private_key);
    let url = simulator.urls().instance.clone();
    let ca = simulator.ca_certificate().display().to_string();
    let at = [
        ("SERVICENOW_INSTANCE_URL", url.as_str()),
        ("SERVICENOW_CA_CERTIFICATE_PATH", &ca),
    ];

    let (robot, workspace) = ("robot", "ws-m365-support");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("SERVICENOW_USERNAME", "robot"), ("SERVICENOW_PASSWORD", PASSWORD)],
            robot,
        ),
        (&[("SN_USERNAME", "robot"), ("SN_PASSWORD", PASSWORD)], robot),
        (
            &[
                ("SERVICENOW_CLIENT_ID", "automation"),
                ("SERVICENOW_CLIENT_SECRET", SECRET),
            ],
            robot,
        ),
        (&[("SN_CLIENT_ID", "automation"), ("SN_CLIENT_SECRET", SECRET)], robot),
        (
            &[
                ("SN_CLIENT_ID", "automation"),
                ("SN_CLIENT_SECRET", SECRET),
                ("SN_USERNAME", "robot"),
                ("SN_PASSWORD", PASSWORD),
                ("SN_GRANT_TYPE", "password"),
            ],
            robot,
        ),
        (
            &[
                ("SERVICENOW_CLIENT_ID", "automation"),
                ("SERVICENOW_CLIENT_SECRET", SECRET),
                ("SERVICENOW_GRANT_TYPE", "refresh_token"),
                ("SERVICENOW_REFRESH_TOKEN", &refresh_token),
            ],
            robot,
        ),
        (
            &[
                ("SN_CLIENT_ID", "automation"),
                ("SN_CLIENT_SECRET", SECRET),
                ("SN_REFRESH_TOKEN", &refresh_token),
            ],
            robot,
        ),
        (&[("SERVICENOW_ACCESS_TOKEN", &access_token)], robot),
        (&[("SN_ACCESS_TOKEN", &access_token)], robot),
        (&[("SERVICENOW_API_KEY", KEY)], robot),
        (&[("SN_API_KEY", KEY)], robot),
        (&[("SERVICENOW_OIDC_TOKEN", &token)], workspace),
        (&[("SERVICENOW_OIDC_TOKEN_FILE_PATH", &file)], workspace),
        (&[("TFC_WORKLOAD_IDENTITY_TOKEN_SERVICENOW", &token)], workspace),
        (&[("TFC_WORKLOAD_IDENTITY_TOKEN", &token)], workspace),
        (
            &[
                ("SERVICENOW_CLIENT_CERTIFICATE_PATH", &certificate),
                ("SERVICENOW_CLIENT_KEY_PATH", &key),
            ],
            robot,
        ),
    ];
    for (variables, user) in cases {
        let variables = [&at[..], *variables].concat();
        let provider = Provider::in_environment(Object::new().with("max_retries", 0), &variables).unwrap();
        provider
            .read_a_record()
            .await
            .unwrap_or_else(|said| panic!("{variables:?}: {said}"));
        assert_eq!(simulator.last_user(), *user, "{variables:?}");

        let configured = simulator.block_with(&[("username", "admin"), ("password", simulator.password())]);
        let provider = Provider::in_environment(configured, &variables).unwrap();
        provider.read_a_record().await.unwrap();
        assert_eq!(simulator.last_user(), "admin", "{variables:?}");
    }
    let at_host = [
        ("SN_HOST", url.as_str()),
        ("SERVICENOW_CA_CERTIFICATE_PATH", &ca),
        ("SN_API_KEY", KEY),
    ];
    let provider = Provider::in_environment(Object::new(), &at_host).unwrap();
    provider.read_a_record().await.unwrap();
}

#[tokio::test]
async fn arguments_that_contradict_or_lack_something_are_named() {
    let simulator = furnished().await;
    let configure = |texts: &[(&'static str, &str)]| Provider::new(simulator.block_with(texts)).map(|_| ());

    fails_saying(
        configure(&[&CLIENT[..], &USER].concat()),
        &[
            "Several sign-in methods",
            "client_id and client_secret and for username and password",
        ],
    );
    fails_saying(
        configure(&[("grant_type", "password"), ("client_id", "c")]),
        &["which needs client_secret"],
    );
    fails_saying(
        configure(&[("grant_type", "jwt_bearer"), ("client_id", "c")]),
        &["which needs oidc_token"],
    );
    fails_saying(
        read(&simulator, &[("username", "robot")]).await,
        &["username is set, but password is missing"],
    );
    fails_saying(read(&simulator, &[]).await, &["No sign-in method is complete"]);
    fails_saying(
        configure(&[("instance_url", "http://dev1.service-now.com"), ("api_key", KEY)]),
        &["not encrypted"],
    );
    assert_eq!(simulator.instance().requests().len(), 0);
}

/// The whole way once: the block is checked by terraform, and what only validates or plans nothing sends nothing.
#[tokio::test]
async fn terraform_signs_in_only_when_something_is_read() {
    for_each_terraform(async |terraform| {
        let simulator = furnished().await;
        let mut workspace = simulator.workspace(terraform, "");
        for (name, value) in [
            ("SERVICENOW_USERNAME", "nobody"),
            ("SERVICENOW_PASSWORD", "wrong-password"),
        ] {
            workspace.set(name, value);
        }

        workspace.terraform("validate").await.succeeds();
        workspace.terraform("plan").await.succeeds();
        workspace.configure("resource \"servicenow_integration_user\" \"one\" {\n  user_name = \"one\"\n}\n");
        workspace.terraform("validate").await.succeeds();

        assert_eq!(simulator.logs().instance.all().len(), 0);
        assert_eq!(simulator.logs().login.all().len(), 0);
        workspace
            .terraform("apply")
            .await
            .fails_saying("did not accept the sign-in (basic)");
        workspace.write(
            "provider.tf",
            "provider \"servicenow\" {\n  api_key      = \"key-1\"\n  access_token = \"token-1\"\n}\n",
        );
        workspace
            .terraform("plan")
            .await
            .fails_saying("The provider block has all arguments for api_key and for access_token.");
    })
    .await;
}

/// An instance locks an account after five failures. What is wrong is explained once, not once per resource.
#[tokio::test]
async fn a_wrong_password_is_sent_once_and_explained_once() {
    for_each_terraform(async |terraform| {
        let simulator = furnished().await;
        let users: String = (0..30)
            .map(|number| {
                format!("resource \"servicenow_integration_user\" \"u{number}\" {{\n  user_name = \"u{number}\"\n}}\n")
            })
            .collect();
        let mut workspace = simulator.workspace(terraform, &users);
        for (method, variables) in [
            (
                "basic",
                [
                    ("SERVICENOW_USERNAME", "robot"),
                    ("SERVICENOW_PASSWORD", "wrong-password"),
                ],
            ),
            (
                "api_key",
                [("SERVICENOW_API_KEY", "wrong-key"), ("SERVICENOW_PASSWORD", "")],
            ),
        ] {
            for (name, value) in variables {
                workspace.set(name, value);
            }
            simulator.logs().instance.clear();

            let apply = workspace.terraform("apply").await;

            apply
                .fails_saying("Error: Could not sign in to ServiceNow")
                .says(&format!("did not accept the sign-in ({method})"))
                .says("Another error of this run with the same title has the cause and the remedy.");
            let words = apply.words();
            assert_eq!(simulator.logs().instance.all().len(), 1, "{words}");
            assert_eq!(
                words.matches("Error: Could not sign in to ServiceNow").count(),
                30,
                "{words}"
            );
            assert_eq!(words.matches("did not accept the sign-in").count(), 1, "{words}");
        }
    })
    .await;
}

/// What every resource lacks is explained once.
#[tokio::test]
async fn a_configuration_that_is_missing_is_explained_once() {
    for_each_terraform(async |terraform| {
        let simulator = furnished().await;
        let users = r#"
            resource "servicenow_integration_user" "this" {
              count     = 5
              user_name = "u${count.index}"
            }
            data "m365_support_integration" "this" {
              count    = 3
              provider = servicenow
            }
        "#;
        let mut workspace = simulator.workspace(terraform, users);
        for name in ["SERVICENOW_USERNAME", "SERVICENOW_PASSWORD", "ARM_CLIENT_ID"] {
            workspace.unset(name);
        }

        let apply = workspace.terraform("apply").await;

        let words = apply.fails_saying("Error: Microsoft 365 is not configured").words();
        assert_eq!(
            words.matches("Error: Microsoft 365 is not configured").count(),
            3,
            "{words}"
        );
        assert_eq!(words.matches("Use the block microsoft365").count(), 1, "{words}");

        workspace.configure(users.split_once("data").expect("two blocks").0);
        let apply = workspace.terraform("apply").await;

        let words = apply.fails_saying("Error: ServiceNow is not configured").words();
        assert_eq!(
            words.matches("Error: ServiceNow is not configured").count(),
            5,
            "{words}"
        );
        assert_eq!(words.matches("No sign-in method is complete").count(), 1, "{words}");
    })
    .await;
}

/// A page that the instance sends for whatever is asked is no wrong password, also where a token was asked for.
#[tokio::test]
async fn an_instance_that_hibernates_at_the_token_endpoint_is_told_of() {
    for_each_terraform(async |terraform| {
        let simulator = furnished().await;
        let user = "resource \"servicenow_integration_user\" \"this\" {\n  user_name = \"u\"\n}\n";
        let mut workspace = simulator.workspace(terraform, user);
        workspace.set("SERVICENOW_CLIENT_ID", "automation");
        workspace.set("SERVICENOW_CLIENT_SECRET", "any-secret-of-the-client");
        workspace.set("SERVICENOW_GRANT_TYPE", "client_credentials");
        simulator.instance().faults().every(Matcher::any(), Fault::Hibernation);

        workspace
            .terraform("apply")
            .await
            .fails_saying("Error: The ServiceNow instance is hibernating")
            .says("responded, but not with a token: the instance is hibernating.")
            .says("Wake the instance")
            .does_not_say("sign in to");
    })
    .await;
}

/// What was typed stands in the message as it was typed, beside what is right; a password in it does not.
#[tokio::test]
async fn an_address_that_people_type_is_answered_with_the_right_one() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = "resource \"servicenow_integration_user\" \"one\" {\n  user_name = \"one\"\n}\n";
        let mut workspace = simulator.workspace(terraform, user);
        let right = "Use \"https://dev1.service-now.com\".";
        let page = "https://dev1.service-now.com/now/nav/ui/classic/params/target/incident_list.do";

        for typed in ["dev1.service-now.com", "dev1", page] {
            workspace.write(
                "provider.tf",
                &format!("provider \"servicenow\" {{\n  instance_url = \"{typed}\"\n}}\n"),
            );
            workspace
                .terraform("validate")
                .await
                .fails_saying("Invalid value for instance_url")
                .says(&format!("\"{typed}\""))
                .says(right)
                .says("on provider.tf line 2");
        }
        for typed in ["https://admin:pw-marker@host:99999/", "ftp://admin:pw-marker@host"] {
            workspace.write(
                "provider.tf",
                &format!("variable \"url\" {{\n  default = \"{typed}\"\n}}\nprovider \"servicenow\" {{\n  instance_url = var.url\n}}\n"),
            );
            let plan = workspace.terraform("plan").await;
            plan.fails_saying("Invalid value for instance_url").says("***@host");
            plan.does_not_say("pw-marker");
        }

        workspace.write("provider.tf", "provider \"servicenow\" {\n}\n");
        workspace.set("SERVICENOW_INSTANCE_URL", "dev1.service-now.com");
        workspace
            .terraform("plan")
            .await
            .fails_saying("Error: Invalid ServiceNow configuration")
            .says("\"dev1.service-now.com\" is not a valid address: it does not begin with https://.")
            .says("The value comes from the environment variable SERVICENOW_INSTANCE_URL.")
            .says(right);
        workspace.set("SERVICENOW_INSTANCE_URL", "https://dev1.service-now.com");
        workspace.set("SERVICENOW_USERNAME", "domain:robot");
        workspace
            .terraform("plan")
            .await
            .fails_saying("Username cannot be used: Basic authentication ends the user name at the first colon");
        assert_eq!(simulator.logs().instance.all().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_ends_in_a_line_break_is_a_warning() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = r#"
            resource "servicenow_oauth_entity" "one" {
              name          = "one"
              client_id     = "one"
              client_secret = <<-END
                marker-secret
              END
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);
        workspace.write(
            "provider.tf",
            "provider \"servicenow\" {\n  microsoft365 = {\n    client_secret = \"marker-microsoft\\n\"\n    access_token = \"marker-token\\n\"\n  }\n}\n",
        );

        let validate = workspace.terraform("validate").await;

        validate
            .succeeds()
            .says("Warning: client_secret ends in a line break")
            .says("Warning: microsoft365.client_secret ends in a line break")
            .says("trimspace(...)");
        let words = validate.words();
        assert!(!words.contains("access_token ends"), "{words}");
    })
    .await;
}

/// Each half of the provider block waits for its own arguments only.
#[tokio::test]
async fn an_unknown_argument_holds_back_its_own_half() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = |generation: u32, user_name: &str| {
            format!(
                r#"
                    resource "terraform_data" "tenant" {{
                      input            = "contoso.com"
                      triggers_replace = {generation}
                    }}
                    resource "terraform_data" "retries" {{
                      input            = 2
                      triggers_replace = {generation}
                    }}
                    resource "servicenow_integration_user" "robot" {{
                      user_name = "{user_name}"
                      title     = "Robot"
                    }}
                "#
            )
        };
        let workspace = simulator.workspace(terraform, &configuration(1, "robot-1"));
        workspace.write(
            "provider.tf",
            "provider \"servicenow\" {\n  max_retries = terraform_data.retries.output\n  microsoft365 = {\n    tenant_id = terraform_data.tenant.output\n  }\n}\n",
        );
        workspace.terraform("apply").await.succeeds();
        changed(&simulator, "sys_user", "user_name", "robot-1", &[("title", "Somebody's")]);
        workspace.configure(&format!(
            "{}\nresource \"m365_support_settings\" \"this\" {{\n  provider = servicenow\n  application_id = \"a\"\n}}\n",
            configuration(2, "robot-1")
        ));

        // The user is refreshed, which shows that its title is another one now; the settings can be planned.
        let plan = workspace.terraform("plan").await;
        plan.succeeds().says("\"Somebody's\" -> \"Robot\"");
        plan.does_not_say("Not refreshed");

        // The other way round: what cannot be refreshed is said so.
        workspace.configure(&configuration(3, "robot-1"));
        workspace.write(
            "provider.tf",
            "provider \"servicenow\" {\n  username = terraform_data.tenant.output\n}\n",
        );
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("Warning: Not refreshed: the provider's configuration is not known yet")
            .says("(`username`)");
    })
    .await;
}
