//! Sign-ins against a scripted token endpoint.

use serde_json::json;

use super::*;
use crate::http::test_server::{Authority as Issuer, Received, Reply, Server, client, limits};

const RESOURCE: &str = "https://admin.microsoft.com";

fn granted() -> Reply {
    Reply::json(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "granted-token"}),
    )
}

fn refused(code: u64, error: &str) -> Reply {
    Reply::json(
        400,
        &json!({"error": error, "error_description": format!("AADSTS{code}: No."), "error_codes": [code]}),
    )
}

fn entra(server: &Server, sign_in: SignIn) -> Entra {
    let authority = Authority::new(server.origin(), "contoso.onmicrosoft.com").unwrap();
    Entra::new(Arc::new(client()), authority, sign_in, RESOURCE)
}

fn application(proof: Proof) -> SignIn {
    SignIn::Application {
        client_id: "app-id".to_owned(),
        proof,
    }
}

fn assert_v2(received: &Received, grant: &str) {
    assert_eq!(received.method, "POST");
    assert_eq!(received.target, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(received.field("grant_type").as_deref(), Some(grant));
    assert_eq!(received.field("client_id").as_deref(), Some("app-id"));
    assert_eq!(
        received.field("scope").as_deref(),
        Some("https://admin.microsoft.com/.default")
    );
}

#[tokio::test]
async fn a_secret_signs_in_once_for_many_calls() {
    let server = Server::replies(vec![granted()]).await;
    let entra = entra(&server, application(Proof::Secret(Secret::from("a+b&c=d"))));
    assert_eq!(server.count(), 0);

    for _ in 0..3 {
        assert_eq!(entra.token(&limits()).await.unwrap().value.expose(), "granted-token");
    }

    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_v2(&received[0], "client_credentials");
    assert_eq!(received[0].field("client_secret").as_deref(), Some("a+b&c=d"));
}

#[tokio::test]
async fn a_rotated_refresh_token_is_used_the_next_time() {
    let server = Server::by(|received| {
        let next = format!("{}-rotated", received.field("refresh_token").unwrap());
        Reply::json(
            200,
            &json!({"expires_in": "30", "access_token": "granted-token", "refresh_token": next}),
        )
    })
    .await;
    let entra = entra(
        &server,
        SignIn::RefreshToken {
            client_id: "app-id".to_owned(),
            token: Secret::from("first"),
            proof: Proof::None,
        },
    );

    entra.token(&limits()).await.unwrap();
    entra.token(&limits()).await.unwrap();

    let received = server.received();
    assert_v2(&received[0], "refresh_token");
    assert_eq!(received[0].field("client_secret"), None);
    assert_eq!(received[1].field("refresh_token").as_deref(), Some("first-rotated"));
    assert_eq!(secret::mask("<first-rotated>"), "<***>");
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_that_its_key_verifies() {
    let server = Server::replies(vec![granted()]).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["app".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    std::fs::write(file.path(), format!("{}{}", key.serialize_pem(), certificate.pem())).unwrap();
    let entra = entra(&server, application(Proof::Certificate(file.path().to_owned())));

    entra.token(&limits()).await.unwrap();

    let received = &server.received()[0];
    assert_eq!(
        received.field("client_assertion_type").as_deref(),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    let assertion = received.field("client_assertion").unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_rsa_pem(key.public_key_pem().as_bytes()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&[format!("{}/contoso.onmicrosoft.com/oauth2/v2.0/token", server.url)]);
    validation.set_issuer(&["app-id"]);
    let decoded = jsonwebtoken::decode::<serde_json::Value>(&assertion, &decoding, &validation).unwrap();
    assert_eq!(decoded.claims["sub"], "app-id");
    let thumbprint = |algorithm| {
        let digest = aws_lc_rs::digest::digest(algorithm, certificate.der());
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest)
    };
    assert_eq!(
        decoded.header.x5t,
        Some(thumbprint(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY))
    );
    assert_eq!(decoded.header.x5t_s256, Some(thumbprint(&aws_lc_rs::digest::SHA256)));
    let now = jiff::Timestamp::now().as_second();
    let time = |name: &str| decoded.claims[name].as_i64().unwrap();
    assert!((now - 5..=now).contains(&time("iat")), "{}", decoded.claims);
    assert_eq!(
        time("iat") - time("nbf"),
        60,
        "a clock that is somewhat ahead does no harm"
    );
    assert_eq!(time("exp") - time("iat"), 600);
    assert_eq!(secret::mask(&format!("<{assertion}>")), "<***>");
}

#[tokio::test]
async fn unusable_certificates_are_told_apart() {
    let server = Server::replies(vec![granted()]).await;
    let (certificate, ec_key) = Issuer::new().leaf("app", 2020..2100);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![0x30, 0x82, 0xff, 0xfe], "PFX"),
        (b"text".to_vec(), "no certificate"),
        (certificate.pem().into_bytes(), "no private key"),
        (
            format!("{}-----BEGIN ENCRYPTED PRIVATE KEY-----", certificate.pem()).into_bytes(),
            "encrypted",
        ),
        (
            format!("{}{}", certificate.pem(), ec_key.serialize_pem()).into_bytes(),
            "RSA keys only",
        ),
    ];
    for (content, expected) in cases {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();

        let error = entra(&server, application(Proof::Certificate(file.path().to_owned())))
            .token(&limits())
            .await
            .unwrap_err();

        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_workload_token_comes_from_value_file_or_pipeline() {
    let server = Server::by(|received| match received.target.split('?').next().unwrap() {
        "/github" => {
            assert_eq!(
                received.header("authorization").as_deref(),
                Some("Bearer pipeline-token")
            );
            assert!(
                received
                    .target
                    .contains("run=1&audience=api%3A%2F%2FAzureADTokenExchange"),
                "{}",
                received.target
            );
            Reply::json(200, &json!({"value": "workload-token"}))
        }
        "/ado" => {
            assert_eq!(received.method, "POST");
            assert!(received.target.contains("serviceConnectionId=conn-1"));
            Reply::json(200, &json!({"oidcToken": "workload-token"}))
        }
        _ => {
            assert_eq!(received.field("client_assertion").as_deref(), Some("workload-token"));
            granted()
        }
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "workload-token\n").unwrap();
    let request_token = Secret::from("pipeline-token");
    let sources = [
        FederatedToken::Value(Secret::from("workload-token")),
        FederatedToken::File(file.path().to_owned()),
        FederatedToken::GitHub {
            request_url: format!("{}/github?run=1", server.url),
            request_token: request_token.clone(),
        },
        FederatedToken::AzureDevOps {
            request_url: format!("{}/ado", server.url),
            request_token,
            service_connection_id: "conn-1".to_owned(),
        },
    ];
    for source in sources {
        entra(&server, application(Proof::Federated(source)))
            .token(&limits())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn wrong_credentials_are_tried_once_and_explained() {
    let server = Server::replies(vec![refused(7_000_222, "invalid_client")]).await;
    let entra = entra(&server, application(Proof::Secret(Secret::from("old-secret"))));

    for _ in 0..3 {
        let error = entra.token(&limits()).await.unwrap_err();
        assert!(
            error.to_string().contains("AADSTS7000222") && error.remedy().contains("expired"),
            "{error}"
        );
    }

    assert_eq!(server.count(), 1);
}

/// What Entra has not spread yet may be right a moment later, so it is not remembered as wrong.
#[tokio::test]
async fn a_refusal_that_replication_explains_is_tried_again_by_the_next_call() {
    let server = Server::replies(vec![refused(7_000_215, "invalid_client"), granted()]).await;
    let entra = entra(&server, application(Proof::Secret(Secret::from("fresh-secret"))));

    assert!(entra.token(&limits()).await.is_err());
    assert!(entra.token(&limits()).await.is_ok());
}

#[tokio::test]
async fn the_pauses_between_attempts_grow() {
    let busy = || refused(90_024, "temporarily_unavailable");
    let server = Server::replies(vec![busy(), busy(), granted()]).await;
    let entra = entra(&server, application(Proof::Secret(Secret::from("any-secret"))));
    let begun = Instant::now();

    entra.token(&limits()).await.unwrap();

    assert!(begun.elapsed() >= Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn only_a_given_token_cannot_be_renewed() {
    let server = Server::replies(vec![granted()]).await;

    assert!(!entra(&server, SignIn::AccessToken(Secret::from("a-given-token"))).can_renew());
    assert!(entra(&server, application(Proof::None)).can_renew());
}

#[tokio::test]
async fn replication_is_awaited_only_for_what_was_just_created() {
    let authority = |server: &Server| Authority::new(server.origin(), "t").unwrap();
    let credentials = ("caller", &Secret::from("new-secret"));
    let (http, limits) = (client(), limits());

    let server = Server::replies(vec![refused(7_000_229, "invalid_client"), granted()]).await;
    let refused_at_once = client_credentials(
        &http,
        &authority(&server),
        credentials,
        "audience",
        Endpoint::V1,
        Patience::None,
        &limits,
    )
    .await;
    assert!(matches!(refused_at_once, Err(EntraError::Refused(_))));
    assert_eq!(secret::mask("<new-secret>"), "<***>");

    let server = Server::replies(vec![refused(7_000_229, "invalid_client"), granted()]).await;
    let token = client_credentials(
        &http,
        &authority(&server),
        credentials,
        "audience",
        Endpoint::V1,
        Patience::JustCreated,
        &limits,
    )
    .await;
    assert_eq!(token.unwrap().value.expose(), "granted-token");
    let received = &server.received()[1];
    assert_eq!(received.target, "/t/oauth2/token");
    assert_eq!(received.field("resource").as_deref(), Some("audience"));
    assert_eq!(received.field("scope"), None);
}

#[tokio::test]
async fn a_given_token_is_looked_into_before_it_is_used() {
    let server = Server::replies(vec![granted()]).await;
    let jwt = |exp: i64| {
        let payload = base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            json!({"exp": exp}).to_string(),
        );
        format!("eyJhbGciOiJub25lIn0.{payload}.c2ln")
    };
    let now = jiff::Timestamp::now().as_second();
    let token = async |text: &str| {
        entra(&server, SignIn::AccessToken(Secret::from(text)))
            .token(&limits())
            .await
    };

    assert!(token(&jwt(now + 600)).await.is_ok());
    assert!(token("opaque-token").await.is_ok());
    assert!(matches!(token(&jwt(now - 60)).await, Err(EntraError::Expired { .. })));
    assert!(matches!(token(&jwt(now)[..30]).await, Err(EntraError::BadToken(_))));
    assert!(matches!(
        token("\u{1}\u{2}binary").await,
        Err(EntraError::BadToken(JwtError::Characters))
    ));
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn what_is_not_entra_is_said_so() {
    for reply in [
        Reply::typed(200, "text/html", "<html><title>Portal</title>"),
        Reply::typed(404, "text/html", "<title>Portal</title>"),
    ] {
        let server = Server::replies(vec![reply]).await;

        let error = entra(&server, application(Proof::Secret(Secret::from("some-secret"))))
            .token(&limits())
            .await
            .unwrap_err();

        assert!(matches!(error, EntraError::NotEntra { .. }), "{error:?}");
        assert!(
            error.to_string().contains("Portal") && error.remedy().contains("login_url"),
            "{error}"
        );
    }
}

#[test]
fn both_spellings_of_a_lifetime_are_read() {
    for (value, seconds) in [
        (json!(3599), Some(3599)),
        (json!("3599"), Some(3599)),
        (json!(0), None),
        (json!("soon"), None),
    ] {
        assert_eq!(lifetime(Some(&value)), seconds.map(Duration::from_secs), "{value}");
    }
}

#[test]
fn a_tenant_cannot_change_the_address() {
    let login = Origin::parse("https://login.microsoftonline.com").unwrap();
    for bad in ["", "a/b", "a?b", "..", "a b"] {
        assert!(Authority::new(login.clone(), bad).is_err(), "{bad}");
    }
    assert!(Authority::new(login, "contoso.onmicrosoft.com").is_ok());
}
