//! The instance as an authorization server, and the other sign-in methods.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use servicenow_simulator::instance::Instance;

use crate::client::{Answer, Client};

const CLIENT_CREDENTIALS: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";

fn application(instance: &Instance) -> (String, String) {
    let user = instance.put("sys_user", &[("user_name", "robot"), ("user_password", "pw")]);
    let entity = instance.put(
        "oauth_entity",
        &[
            ("name", "automation"),
            ("client_id", "id"),
            ("client_secret", "secret"),
            ("user", &user),
            ("inbound_grant_type", "client_credential"),
        ],
    );
    (user, entity)
}

async fn token(client: &Client, form: &str) -> Answer {
    let form_client = client
        .header("authorization", "")
        .header("content-type", "application/x-www-form-urlencoded");
    form_client.call("POST", "/oauth_token.do", form).await
}

fn bearer(client: &Client, answer: &Value) -> Client {
    let token = answer["access_token"].as_str().unwrap();
    client.header("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn client_credentials_need_property_user_and_grant_type() {
    let client = Client::new();
    let (user, entity) = application(&client.instance);
    let form = "grant_type=client_credentials&client_id=id&client_secret=secret";
    let refused = token(&client, form).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.json(),
        json!({"error": "server_error", "error_description": "access_denied"})
    );
    assert!(
        client
            .instance
            .log()
            .iter()
            .any(|line| line.contains(CLIENT_CREDENTIALS))
    );

    client
        .instance
        .put("sys_properties", &[("name", CLIENT_CREDENTIALS), ("value", "true")]);
    let first = token(&client, form).await.json();
    assert_eq!(first["token_type"], "Bearer");
    assert!(first.get("refresh_token").is_none());
    assert_eq!(token(&client, form).await.json()["access_token"], first["access_token"]);
    assert_eq!(bearer(&client, &first).read("sys_user").await.status, 200);

    client.instance.switches(|modes| modes.clock_offset = 1801);
    assert_eq!(bearer(&client, &first).read("sys_user").await.status, 401);
    let second = token(&client, form).await.json();
    assert_ne!(second["access_token"], first["access_token"]);
    client
        .instance
        .change("sys_user", &user, &[("password_needs_reset", "true")]);
    assert_eq!(token(&client, form).await.status, 401);
    client
        .instance
        .change("sys_user", &user, &[("password_needs_reset", "false")]);
    client
        .instance
        .change("oauth_entity", &entity, &[("inbound_grant_type", "jwt")]);
    assert_eq!(token(&client, form).await.status, 401);
    client.instance.change("oauth_entity", &entity, &[("active", "false")]);
    assert_eq!(bearer(&client, &second).read("sys_user").await.status, 401);
}

#[tokio::test]
async fn the_password_grant_gives_a_refresh_token_that_can_be_revoked() {
    let client = Client::new();
    let (user, _) = application(&client.instance);
    let form = "grant_type=password&client_id=id&client_secret=secret&username=robot&password=pw";
    let first = token(&client, form).await.json();
    assert_eq!(bearer(&client, &first).read("sys_user").await.status, 200);
    let refresh = first["refresh_token"].as_str().unwrap();
    client.instance.switches(|modes| modes.clock_offset = 1801);
    let form = format!("grant_type=refresh_token&client_id=id&client_secret=secret&refresh_token={refresh}");
    let second = token(&client, &form).await.json();
    assert_eq!(bearer(&client, &second).read("sys_user").await.status, 200);
    let revoke = format!("/oauth_revoke_token.do?token={refresh}");
    assert_eq!(client.call("POST", &revoke, "").await.status, 200);
    assert_eq!(bearer(&client, &second).read("sys_user").await.status, 401);
    assert_eq!(token(&client, &form).await.status, 401);
    client
        .instance
        .change("sys_user", &user, &[("web_service_access_only", "true")]);
    let form = "grant_type=password&client_id=id&client_secret=secret&username=robot&password=pw";
    assert_eq!(token(&client, form).await.status, 401);
}

/// As ServiceNow's own Python client sends it.
#[tokio::test]
async fn the_client_may_prove_itself_by_http_basic() {
    let client = Client::new();
    application(&client.instance);
    let form = "grant_type=password&username=robot&password=pw";
    let with = async |pair: &str| {
        let pair = BASE64_STANDARD.encode(pair);
        let form_client = client
            .header("authorization", &format!("Basic {pair}"))
            .header("content-type", "application/x-www-form-urlencoded");
        form_client.call("POST", "/oauth_token.do", form).await
    };

    let granted = with("id:secret").await;

    assert_eq!(granted.status, 200);
    assert_eq!(bearer(&client, &granted.json()).read("sys_user").await.status, 200);
    assert_eq!(with("id:wrong").await.status, 401);
    assert_eq!(with("robot:pw").await.status, 401);
}

#[tokio::test]
async fn json_is_no_form() {
    let client = Client::new();
    let body = r#"{"grant_type": "client_credentials"}"#;
    let answer = client
        .header("authorization", "")
        .call("POST", "/oauth_token.do", body)
        .await;
    assert_eq!(answer.status, 401);
    assert!(client.instance.log().iter().any(|line| line.contains("form-encoded")));
}

#[tokio::test]
async fn an_assertion_signs_in_anybody_but_an_administrator() {
    let client = Client::new();
    let entity = client.instance.put(
        "oauth_jwt",
        &[
            ("name", "jwt"),
            ("type", "client"),
            ("client_id", "jid"),
            ("client_secret", "js"),
            ("user_field", "user_name"),
        ],
    );
    client.instance.put(
        "jwt_verifier_map",
        &[("oauth_jwt", &entity), ("kid", "k"), ("shared_key", "shared")],
    );
    client.instance.put("sys_user", &[("user_name", "robot")]);
    let assertion = |subject: &str| {
        let expiry = jiff::Timestamp::now().as_second() + 60;
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some("k".to_owned());
        let claims = json!({"iss": "jid", "aud": "jid", "sub": subject, "exp": expiry});
        jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_secret(b"shared")).unwrap()
    };
    let form = |subject: &str| {
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&client_id=jid&client_secret=js&assertion={}",
            assertion(subject)
        )
    };
    let answer = token(&client, &form("robot")).await;
    assert_eq!(bearer(&client, &answer.json()).read("sys_user").await.status, 200);
    let refused = token(&client, &form("admin")).await;
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (401, Some("invalid_grant"))
    );
}

#[tokio::test]
async fn an_api_key_signs_in_its_user() {
    let client = Client::new();
    let user = client.instance.put("sys_user", &[("user_name", "robot")]);
    client
        .instance
        .put("api_key", &[("name", "k"), ("user", &user), ("token", "key")]);
    let with_key = client.header("authorization", "").header("x-sn-apikey", "key");
    assert_eq!(with_key.read("sys_user").await.status, 200);
    assert_eq!(
        with_key.header("x-sn-apikey", "other").read("sys_user").await.status,
        401
    );
}

#[tokio::test]
async fn a_client_certificate_signs_in_the_user_it_names() {
    let client = Client::new();
    let stranger = client.with_certificate("CN=robot,O=Contoso");
    assert_eq!(stranger.read("sys_user").await.status, 401);
    client.instance.put("sys_user", &[("user_name", "robot")]);
    assert_eq!(stranger.read("sys_user").await.status, 200);
    assert_eq!(client.instance.requests().last().unwrap().user, "robot");
}

#[tokio::test]
async fn a_password_changed_while_running_counts_at_once() {
    let client = Client::new();
    let admin = client.instance.find("sys_user", "user_name", "admin").remove(0);
    assert_eq!(client.read("sys_user").await.status, 200);
    client
        .instance
        .change("sys_user", &admin["sys_id"], &[("user_password", "new")]);
    assert_eq!(client.read("sys_user").await.status, 401);
}

#[tokio::test]
async fn tokens_that_are_long_over_are_no_records_any_more() {
    let client = Client::new();
    application(&client.instance);
    let form = "grant_type=password&client_id=id&client_secret=secret&username=robot&password=pw";
    let credentials = || client.instance.records("oauth_credential").len();
    token(&client, form).await;
    assert_eq!(credentials(), 2);

    client.instance.switches(|modes| modes.clock_offset = 1801);
    token(&client, form).await;
    assert_eq!(credentials(), 3, "the refresh token, and two access tokens");
    client.instance.switches(|modes| modes.clock_offset = 2 * 86_400);
    token(&client, form).await;

    assert_eq!(credentials(), 2);
}
