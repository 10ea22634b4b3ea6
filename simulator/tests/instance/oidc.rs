//! Tokens of an OIDC provider, and outbound tokens.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use servicenow_simulator::instance::Options;
use servicenow_simulator::internet::Internet;

use crate::client::Client;

const METADATA: &str = "https://issuer.example/metadata";
const ISSUER: &str = "https://issuer.example/";

/// An address and the form sent to it.
type Posted = (String, Vec<(String, String)>);

/// An issuer with one key, and a token endpoint that keeps what it was sent.
struct Issuer {
    key: EncodingKey,
    keys: Value,
    posted: Mutex<Vec<Posted>>,
}

impl Issuer {
    fn new() -> Arc<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        let public = pair.public_key();
        let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"keys": [{
            "kty": "RSA", "use": "sig", "kid": "k1", "alg": "RS256",
            "n": text(public.modulus().big_endian_without_leading_zero()),
            "e": text(public.exponent().big_endian_without_leading_zero()),
        }]});
        let pkcs8 = pem_of(der.as_ref());
        Arc::new(Self {
            key: EncodingKey::from_rsa_pem(pkcs8.as_bytes()).unwrap(),
            keys,
            posted: Mutex::default(),
        })
    }

    fn sign(&self, kid: &str, changes: Value) -> String {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({
            "iss": ISSUER, "aud": "a2", "appid": "a3", "ver": "1.0", "uti": "one", "exp": now + 600, "nbf": now - 5,
        });
        for (claim, value) in changes.as_object().unwrap() {
            claims[claim] = value.clone();
        }
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        encode(&header, &claims, &self.key).unwrap()
    }
}

fn pem_of(der: &[u8]) -> String {
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

#[async_trait]
impl Internet for Issuer {
    async fn get_json(&self, url: &str) -> Option<Value> {
        match url {
            METADATA => Some(json!({"issuer": ISSUER, "jwks_uri": "https://issuer.example/keys"})),
            "https://issuer.example/keys" => Some(self.keys.clone()),
            _ => None,
        }
    }

    async fn post_form(&self, url: &str, form: &[(String, String)]) -> (u16, Value) {
        self.posted.lock().unwrap().push((url.to_owned(), form.to_vec()));
        let secret = form.iter().find(|(name, _)| name == "client_secret");
        if secret.is_some_and(|(_, text)| text == "good") {
            return (200, json!({"access_token": "outbound"}));
        }
        (
            401,
            json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}),
        )
    }
}

struct Trust {
    client: Client,
    issuer: Arc<Issuer>,
    configuration: String,
    entity: String,
    user: String,
}

fn trust() -> Trust {
    let issuer = Issuer::new();
    let client = Client::with(Options::default(), issuer.clone());
    let instance = &client.instance;
    let configuration = instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "Contoso Azure"),
            ("oidc_url", METADATA),
            ("user_claim", "appid"),
            ("user_field", "user_name"),
            ("enable_jti_verification", "false"),
        ],
    );
    let entity = instance.put(
        "oauth_oidc_entity",
        &[
            ("name", "inbound"),
            ("client_id", "a2"),
            ("oidc_provider_configuration", &configuration),
        ],
    );
    let user = instance.put("sys_user", &[("user_name", "a3"), ("web_service_access_only", "true")]);
    let role = instance.find("sys_user_role", "name", "incident_manager").remove(0);
    instance.put("sys_user_has_role", &[("user", &user), ("role", &role["sys_id"])]);
    Trust {
        client,
        issuer,
        configuration,
        entity,
        user,
    }
}

impl Trust {
    async fn status(&self, token: &str) -> u16 {
        let client = self.client.header("authorization", &format!("Bearer {token}"));
        client
            .insert("incident", json!({"short_description": "test"}))
            .await
            .status
    }

    /// What the caller sees, and the last line of the log.
    async fn refusal(&self, kid: &str, claims: Value) -> (u16, String) {
        let status = self.status(&self.issuer.sign(kid, claims)).await;
        (status, self.client.instance.log().pop().unwrap_or_default())
    }

    fn set(&self, table: &str, sys_id: &str, column: &str, text: &str) {
        self.client.instance.change(table, sys_id, &[(column, text)]);
    }
}

#[tokio::test]
async fn a_token_of_the_rest_user_creates_an_incident() {
    let trust = trust();
    let token = trust.issuer.sign("k1", json!({}));
    assert_eq!(trust.status(&token).await, 201);
    assert_eq!(trust.status(&token).await, 201);
    assert_eq!(trust.client.instance.records("incident")[0]["opened_by"], trust.user);
}

#[tokio::test]
async fn every_mistake_has_a_cause_of_its_own_that_only_the_log_tells() {
    let trust = trust();
    let old = jiff::Timestamp::now().as_second() - 400;
    for (kid, claims, cause) in [
        (
            "k1",
            json!({"aud": "a3"}),
            "Cannot find oauth_oidc_entity for issuer https://issuer.example/ with client_ids a3",
        ),
        ("k1", json!({"iss": "https://other.example/"}), "Issuer unknown"),
        (
            "k1",
            json!({"appid": null, "azp": "a3", "ver": "2.0"}),
            "The user claim appid is empty or missing in the token (token version 2.0)",
        ),
        (
            "k1",
            json!({"appid": "stranger"}),
            "No user whose user_name is stranger",
        ),
        ("k1", json!({"exp": old}), "Token expired"),
        ("k2", json!({}), "Invalid JWT Signature"),
    ] {
        let (status, line) = trust.refusal(kid, claims.clone()).await;
        assert_eq!(status, 401, "{claims}");
        assert!(line.contains(cause), "{line}");
    }
    for (table, sys_id, column, wrong, right, cause) in [
        (
            "oidc_provider_configuration",
            &trust.configuration,
            "user_field",
            "user_id",
            "user_name",
            "user_id is no column",
        ),
        (
            "oidc_provider_configuration",
            &trust.configuration,
            "user_claim",
            "",
            "appid",
            "names no user claim",
        ),
        (
            "oauth_oidc_entity",
            &trust.entity,
            "active",
            "false",
            "true",
            "is inactive",
        ),
        (
            "sys_user",
            &trust.user,
            "active",
            "false",
            "true",
            "User a3 is not active",
        ),
        (
            "sys_user",
            &trust.user,
            "locked_out",
            "true",
            "false",
            "User a3 is locked out",
        ),
    ] {
        trust.set(table, sys_id, column, wrong);
        let (status, line) = trust.refusal("k1", json!({})).await;
        assert_eq!(status, 401, "{column}");
        assert!(line.contains(cause), "{line}");
        trust.set(table, sys_id, column, right);
    }
    let skewed = trust.issuer.sign("k1", json!({"exp": old + 200}));
    assert_eq!(trust.status(&skewed).await, 201, "within the clock skew");
    let mut forged = trust.issuer.sign("k1", json!({}));
    forged.truncate(forged.len() - 4);
    assert_eq!(trust.status(&forged).await, 401);
}

#[tokio::test]
async fn a_user_without_roles_gets_403() {
    let trust = trust();
    for grant in trust.client.instance.find("sys_user_has_role", "inherited", "false") {
        if grant["user"] == trust.user {
            trust.client.instance.remove("sys_user_has_role", &grant["sys_id"]);
        }
    }
    let (status, line) = trust.refusal("k1", json!({})).await;
    assert_eq!(status, 403);
    assert!(line.contains("incident_manager"), "{line}");
}

#[tokio::test]
async fn with_jti_verification_a_token_works_once() {
    let trust = trust();
    trust.set(
        "oidc_provider_configuration",
        &trust.configuration,
        "enable_jti_verification",
        "true",
    );
    let token = trust.issuer.sign("k1", json!({}));
    assert!(trust.client.instance.explain_bearer(&token).await.is_ok());
    assert_eq!(trust.status(&token).await, 201);
    assert_eq!(trust.status(&token).await, 401);
    let cause = trust.client.instance.explain_bearer(&token).await.unwrap_err().cause;
    assert!(cause.contains("used before"), "{cause}");
}

#[tokio::test]
async fn of_two_entities_with_one_client_id_the_wrong_one_may_be_tried() {
    let trust = trust();
    let other = trust.client.instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "other"),
            ("oidc_url", "https://nowhere.example/"),
            ("user_claim", "sub"),
            ("user_field", "user_name"),
        ],
    );
    trust.client.instance.put(
        "oauth_oidc_entity",
        &[
            ("name", "older"),
            ("client_id", "a2"),
            ("oidc_provider_configuration", &other),
            ("sys_created_on", "2020-01-01 00:00:00"),
        ],
    );
    trust.client.instance.change(
        "oauth_oidc_entity",
        &trust.entity,
        &[("sys_created_on", "2021-01-01 00:00:00")],
    );
    let (status, line) = trust.refusal("k1", json!({})).await;
    assert_eq!(status, 401);
    assert!(line.contains("Invalid JWT Signature"), "{line}");
}

#[tokio::test]
async fn an_outbound_token_is_got_with_the_stored_secret() {
    let trust = trust();
    let instance = &trust.client.instance;
    let entity = instance.put(
        "oauth_entity",
        &[
            ("name", "M365"),
            ("type", "oauth_provider"),
            ("client_id", "a1"),
            ("client_secret", "good"),
            ("default_grant_type", "client_credentials"),
            ("token_url", "https://login.example/tenant/oauth2/token"),
        ],
    );
    let fetch = || instance.outbound_token("M365 default_profile", "https://resource");
    assert_eq!(fetch().await, Ok("outbound".to_owned()));
    let (url, form) = trust.issuer.posted.lock().unwrap().remove(0);
    assert_eq!(url, "https://login.example/tenant/oauth2/token");
    assert!(form.contains(&("resource".to_owned(), "https://resource".to_owned())));
    for (column, wrong, right, cause) in [
        ("client_secret", "bad", "good", "AADSTS7000215"),
        ("active", "false", "true", "not active"),
        ("default_grant_type", "password", "client_credentials", "grant type"),
        (
            "token_url",
            "",
            "https://login.example/tenant/oauth2/token",
            "no token_url",
        ),
    ] {
        instance.change("oauth_entity", &entity, &[(column, wrong)]);
        let refused = fetch().await.unwrap_err();
        assert!(refused.contains(cause), "{refused}");
        instance.change("oauth_entity", &entity, &[(column, right)]);
    }
    assert!(
        instance
            .outbound_token("nosuch", "r")
            .await
            .unwrap_err()
            .contains("No OAuth profile")
    );
}
