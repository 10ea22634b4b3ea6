//! Every sign-in method, judged by an instance that checks what it is sent.

use servicenow_provider::servicenow::{SignInError, SignInMethod, TableError};

use super::*;

const CLIENT_CREDENTIALS: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";

/// An automation application whose user is an administrator.
fn application(simulator: &Simulator) {
    let instance = simulator.instance();
    let user = instance.put(
        "sys_user",
        &[("user_name", "automation"), ("user_password", "pw & more")],
    );
    let admin = instance.find("sys_user_role", "name", "admin").remove(0);
    instance.put("sys_user_has_role", &[("user", &user), ("role", &admin["sys_id"])]);
    instance.put(
        "oauth_entity",
        &[
            ("name", "automation"),
            ("client_id", "id"),
            ("client_secret", "se&cret"),
            ("user", &user),
            ("inbound_grant_type", "client_credential"),
        ],
    );
    instance.put("sys_properties", &[("name", CLIENT_CREDENTIALS), ("value", "true")]);
}

fn client_credentials(secret: &str) -> SignIn {
    SignIn::ClientCredentials {
        client_id: "id".to_owned(),
        client_secret: Secret::from(secret),
    }
}

fn password(password: &str) -> SignIn {
    SignIn::Password {
        client_id: "id".to_owned(),
        client_secret: Secret::from("se&cret"),
        username: "automation".to_owned(),
        password: Secret::from(password),
    }
}

#[tokio::test]
async fn client_credentials_outlive_their_tokens() {
    let simulator = simulator().await;
    application(&simulator);
    let instance = instance(&simulator, client_credentials("se&cret"));

    instance.at(limits()).insert(user("robot")).await.unwrap();
    simulator.instance().switches(|modes| modes.clock_offset = 1801);
    instance.at(limits()).insert(user("another")).await.unwrap();

    let tokens = simulator
        .instance()
        .requests()
        .iter()
        .filter(|request| request.path == "/oauth_token.do")
        .count();
    assert_eq!(tokens, 2);
    assert_eq!(instance.at(limits()).account().as_deref(), Some("automation"));
}

#[tokio::test]
async fn password_and_refresh_token_work() {
    let simulator = simulator().await;
    application(&simulator);
    let entity = simulator.instance().find("oauth_entity", "client_id", "id").remove(0);
    simulator
        .instance()
        .change("oauth_entity", &entity["sys_id"], &[("inbound_grant_type", "multiple")]);

    instance(&simulator, password("pw & more"))
        .at(limits())
        .insert(user("robot"))
        .await
        .unwrap();

    let requests = simulator.instance().requests();
    let answered = requests
        .iter()
        .any(|request| request.path == "/oauth_token.do" && request.status == 200);
    assert!(answered);
    let error = instance(&simulator, password("wrong"))
        .at(limits())
        .access_token()
        .await
        .unwrap_err();
    assert!(matches!(error, SignInError::Refused { .. }), "{error:?}");
    assert!(error.remedy().contains("web service access only"), "{}", error.remedy());
}

#[tokio::test]
async fn a_wrong_secret_is_told_apart_from_a_missing_property_only_by_the_list_of_causes() {
    let simulator = simulator().await;
    application(&simulator);

    let error = instance(&simulator, client_credentials("wrong"))
        .at(limits())
        .insert(user("robot"))
        .await
        .unwrap_err();

    let TableError::SignIn {
        source: SignInError::Refused { .. },
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(error.remedy().contains(CLIENT_CREDENTIALS), "{}", error.remedy());
}

#[tokio::test]
async fn an_api_key_works_and_a_wrong_one_says_what_to_check() {
    let simulator = simulator().await;
    let admin = simulator
        .instance()
        .find("sys_user", "user_name", simulator.username())
        .remove(0);
    let plugins = simulator.instance().find("v_plugin", "id", "com.glide.tokenbased_auth");
    match plugins.first() {
        Some(plugin) => simulator
            .instance()
            .change("v_plugin", &plugin["sys_id"], &[("active", "active")]),
        None => {
            simulator
                .instance()
                .put("v_plugin", &[("id", "com.glide.tokenbased_auth"), ("active", "active")]);
        }
    }
    simulator.instance().put(
        "api_key",
        &[("token", "key-1"), ("user", &admin["sys_id"]), ("active", "true")],
    );
    let key = |key: &str| instance(&simulator, SignIn::ApiKey { key: Secret::from(key) }).at(limits());

    key("key-1").insert(user("robot")).await.unwrap();
    let error = key("key-2").insert(user("another")).await.unwrap_err();

    assert!(matches!(error, TableError::Unauthenticated { .. }), "{error:?}");
    assert!(error.remedy().contains("com.glide.tokenbased_auth"));
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_basic_role_are_refused_sign_ins() {
    let simulator = simulator().await;
    let wrong = SignIn::Basic {
        username: "admin".to_owned(),
        password: Secret::from("wrong"),
    };

    let error = instance(&simulator, wrong)
        .at(limits())
        .insert(user("robot"))
        .await
        .unwrap_err();

    assert!(
        matches!(
            error,
            TableError::Unauthenticated {
                method: SignInMethod::Basic,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.remedy().contains("locked out"), "{}", error.remedy());
}

#[tokio::test]
async fn a_client_certificate_signs_in_over_tls() {
    let simulator = started(Options::default()).await;
    let identity = simulator.authority().client_identity(simulator.username()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, &identity.certificate).unwrap();
    std::fs::write(&key, &identity.private_key).unwrap();
    let http = ClientOptions {
        ca_certificate_path: Some(simulator.ca_certificate().to_owned()),
        client_certificate_path: Some(certificate),
        client_key_path: Some(key),
        ..wire()
    };

    let session = with_wire(&simulator, SignIn::ClientCertificate, http).at(limits());

    session.insert(user("robot")).await.unwrap();
    assert_eq!(simulator.instance().requests()[0].user, simulator.username());
}
