//! Every sign-in method, and how each fails.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::http::Limits;
use crate::servicenow::tables::sys_user::TABLE;

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn client_credentials() -> SignIn {
    SignIn::ClientCredentials {
        client_id: "client".to_owned(),
        client_secret: secret("secret-marker"),
    }
}

fn jwt(name: &str, expires: i64) -> String {
    let payload = json!({ "sub": name, "exp": expires }).to_string();
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
}

const FAR: i64 = 4_102_444_800;

/// Gives out `token-1`, `token-2`, … and accepts those that `accepts` does.
async fn oauth_server(expires_in: Json, accepts: fn(&str) -> bool) -> Server {
    let tokens = AtomicUsize::new(0);
    Server::by(move |received| {
        if received.target == "/oauth_token.do" {
            assert_eq!(
                received.header("content-type").unwrap(),
                "application/x-www-form-urlencoded"
            );
            let number = tokens.fetch_add(1, Ordering::Relaxed) + 1;
            let body = json!({
                "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": expires_in,
                "scope": "useraccount", "refresh_token": format!("refresh-{number}")
            });
            return Reply::json(200, &body);
        }
        match received.header("authorization") {
            Some(header) if accepts(header.strip_prefix("Bearer ").unwrap()) => result(json!({ "sys_id": KEY })),
            _ => refusal(401, "User is not authenticated", "Required to provide Auth information"),
        }
    })
    .await
}

fn token_requests(server: &Server) -> Vec<Received> {
    server
        .received()
        .into_iter()
        .filter(|received| received.target == "/oauth_token.do")
        .collect()
}

#[tokio::test]
async fn one_token_serves_all_calls_and_nothing_is_sent_before_the_first() {
    let server = oauth_server(json!("1799"), |_| true).await;
    let instance = instance(&server, client_credentials());
    assert_eq!(server.count(), 0);

    let calls = (0..8).map(|_| async {
        let key = SysId::random();
        instance
            .at(test_server::limits())
            .get_once(TABLE, &key, &[])
            .await
            .map(|_| ())
            .ok();
    });
    futures_util::future::join_all(calls).await;

    let requests = token_requests(&server);
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].field("grant_type").unwrap(), "client_credentials");
    assert_eq!(requests[0].field("client_id").unwrap(), "client");
    assert_eq!(requests[0].field("client_secret").unwrap(), "secret-marker");
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = oauth_server(json!(1799), |token| token == "token-2").await;
    assert!(
        instance(&server, client_credentials())
            .at(test_server::limits())
            .get_opt(TABLE, &id(KEY), &[])
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(token_requests(&server).len(), 2);

    let never = oauth_server(json!(1799), |_| false).await;
    let error = instance(&never, client_credentials())
        .at(test_server::limits())
        .get_opt(TABLE, &id(KEY), &[])
        .await
        .unwrap_err();
    assert!(matches!(error, TableError::Unauthenticated { .. }), "{error}");
    assert_eq!(token_requests(&never).len(), 2);
}

#[tokio::test]
async fn a_token_that_is_nearly_over_is_used_until_it_is_refused() {
    let server = oauth_server(json!(30), |_| true).await;
    let session = instance(&server, client_credentials()).at(test_server::limits());

    for _ in 0..3 {
        session.get_opt(TABLE, &id(KEY), &[]).await.unwrap();
    }

    assert_eq!(token_requests(&server).len(), 1);
}

#[tokio::test]
async fn each_grant_sends_its_own_fields() {
    let server = oauth_server(json!(1799), |_| true).await;
    let find = |sign_in| async {
        instance(&server, sign_in)
            .at(test_server::limits())
            .get_opt(TABLE, &id(KEY), &[])
            .await
            .unwrap();
        token_requests(&server).pop().unwrap()
    };

    let password = find(SignIn::Password {
        client_id: "client".to_owned(),
        client_secret: secret("secret-marker"),
        username: "abel".to_owned(),
        password: secret("pass & word"),
    })
    .await;
    assert_eq!(password.field("grant_type").unwrap(), "password");
    assert_eq!(password.field("password").unwrap(), "pass & word");

    let assertion = jwt("abel", FAR);
    let bearer = find(SignIn::JwtBearer {
        client_id: "client".to_owned(),
        client_secret: None,
        assertion: TokenSource::Given(secret(&assertion)),
    })
    .await;
    assert_eq!(
        bearer.field("grant_type").unwrap(),
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    assert_eq!(bearer.field("assertion").unwrap(), assertion);
    assert_eq!(bearer.field("client_secret"), None);
}

#[tokio::test]
async fn the_newest_refresh_token_is_used() {
    let server = oauth_server(json!(1799), |token| token == "token-2").await;
    let sign_in = SignIn::RefreshToken {
        client_id: "client".to_owned(),
        client_secret: secret("secret-marker"),
        refresh_token: secret("refresh-0"),
    };

    instance(&server, sign_in)
        .at(test_server::limits())
        .get_opt(TABLE, &id(KEY), &[])
        .await
        .unwrap();

    let sent: Vec<_> = token_requests(&server)
        .iter()
        .map(|request| request.field("refresh_token").unwrap())
        .collect();
    assert_eq!(sent, ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn keys_tokens_and_certificates_go_into_the_right_header() {
    let server = Server::replies(vec![result(json!({ "sys_id": KEY }))]).await;
    let find = |sign_in| async {
        instance(&server, sign_in)
            .at(test_server::limits())
            .get_opt(TABLE, &id(KEY), &[])
            .await
            .unwrap();
        server.received().pop().unwrap()
    };

    let key = find(SignIn::ApiKey {
        key: secret("key-marker"),
    })
    .await;
    assert_eq!(key.header("x-sn-apikey").unwrap(), "key-marker");
    assert_eq!(key.header("authorization"), None);
    let bearer = find(SignIn::Bearer {
        token: secret("token-marker"),
    })
    .await;
    assert_eq!(bearer.header("authorization").unwrap(), "Bearer token-marker");
    let certificate = find(SignIn::ClientCertificate).await;
    assert_eq!(certificate.header("authorization"), None);
}

#[tokio::test]
async fn a_token_file_is_read_again_when_the_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let (old, new) = (jwt("old", FAR), jwt("new", FAR));
    std::fs::write(&path, format!("{old}\n")).unwrap();
    let (renewed, written) = (new.clone(), path.clone());
    let server = Server::by(move |received| {
        if received.header("authorization").unwrap() == format!("Bearer {renewed}") {
            return result(json!({ "sys_id": KEY }));
        }
        std::fs::write(&written, &renewed).unwrap();
        refusal(401, "User is not authenticated", "")
    })
    .await;

    let session = instance(
        &server,
        SignIn::OidcToken {
            source: TokenSource::File(path),
        },
    )
    .at(test_server::limits());

    assert!(session.get_opt(TABLE, &id(KEY), &[]).await.unwrap().is_some());
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_one_is_refused_before_anything_is_sent() {
    let server = Server::replies(vec![result(json!({ "sys_id": KEY }))]).await;
    let cases = [
        (jwt("abel", 1_000_000_000), "expired"),
        ("not-a-token".to_owned(), "three parts"),
        ("e30.e30".to_owned(), "three parts"),
        ("e30.\u{7}.x".to_owned(), "characters"),
        ("e30.!!!.x".to_owned(), "damaged"),
    ];
    for (token, message) in cases {
        let source = TokenSource::Given(secret(&token));
        let session = instance(&server, SignIn::OidcToken { source }).at(test_server::limits());
        let error = session.get_opt(TABLE, &id(KEY), &[]).await.unwrap_err();
        let TableError::SignIn { source } = &error else {
            panic!("{error:?}")
        };
        assert!(source.to_string().contains(message), "{token}: {source}");
    }
    let source = TokenSource::File("/nowhere/token".into());
    let error = instance(&server, SignIn::OidcToken { source })
        .at(test_server::limits())
        .access_token()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("oidc_token_file_path"), "{error}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_flattened_denial_lists_its_usual_causes_and_is_not_repeated() {
    let denial = json!({ "error": "server_error", "error_description": "access_denied" });
    let server = Server::replies(vec![Reply::json(401, &denial)]).await;
    let session = instance(&server, client_credentials()).at(test_server::limits());

    for _ in 0..2 {
        let error = session.get_opt(TABLE, &id(KEY), &[]).await.unwrap_err();
        let TableError::SignIn { source } = &error else {
            panic!("{error:?}")
        };
        assert!(source.to_string().contains("server_error (access_denied)"), "{source}");
        assert!(
            error
                .remedy()
                .contains("glide.oauth.inbound.client.credential.grant_type.enabled"),
            "{}",
            error.remedy()
        );
    }

    assert_eq!(server.count(), 1, "wrong credentials are not tried again");
}

#[tokio::test]
async fn a_page_at_the_token_endpoint_is_not_a_wrong_password() {
    let page = Reply::typed(200, "text/html", "<html><title>Hibernating</title></html>");
    let server = Server::replies(vec![page]).await;

    let error = instance(&server, client_credentials())
        .at(test_server::limits())
        .access_token()
        .await
        .unwrap_err();

    assert!(
        matches!(&error, SignInError::Page { response, .. } if *response == UnexpectedResponse::Hibernating),
        "{error}"
    );
}

#[tokio::test]
async fn an_access_token_is_handed_out_with_its_end() {
    let server = oauth_server(json!(1799), |_| true).await;
    let before = jiff::Timestamp::now();

    let token = instance(&server, client_credentials())
        .at(test_server::limits())
        .access_token()
        .await
        .unwrap();

    assert_eq!(token.token.expose(), "token-1");
    let left = token.expires_at.unwrap().as_second() - before.as_second();
    assert!((1798..=1860).contains(&left), "{left}");
    assert!(!format!("{token:?}").contains("token-1"));
    let none = instance(&server, basic())
        .at(test_server::limits())
        .access_token()
        .await
        .unwrap_err();
    assert!(matches!(none, SignInError::NoToken { .. }));
}

#[test]
fn an_incomplete_sign_in_is_named() {
    let sign_in = SignIn::Basic {
        username: "abel".to_owned(),
        password: secret(""),
    };
    let options = InstanceOptions {
        instance_url: "https://dev1.service-now.com".to_owned(),
        sign_in,
        http: test_server::options(),
        timing: Timing::STANDARD,
    };
    let error = Instance::new(options).unwrap_err();
    assert_eq!(error.to_string(), "signing in with basic needs password");
}

fn that_go_with_every_request() -> Vec<SignIn> {
    vec![
        basic(),
        SignIn::ApiKey {
            key: secret("key-marker"),
        },
        SignIn::Bearer {
            token: secret("token-marker"),
        },
        SignIn::OidcToken {
            source: TokenSource::Given(secret(&jwt("abel", FAR))),
        },
    ]
}

/// Deletes go out one by one, where reads would be sent together.
async fn thirty_deletes(instance: &Instance) -> Vec<Result<(), TableError>> {
    let deletes = (0..30).map(|_| async {
        let deleted = instance.at(test_server::limits()).delete(TABLE, &SysId::random()).await;
        deleted.map(|_| ())
    });
    futures_util::future::join_all(deletes).await
}

#[tokio::test]
async fn refused_credentials_are_sent_once() {
    for sign_in in that_go_with_every_request() {
        let server = Server::replies(vec![refusal(401, "User is not authenticated", "")]).await;
        let instance = instance_with_trial(&server, sign_in.clone(), Duration::from_secs(20));

        for _ in 0..2 {
            for outcome in thirty_deletes(&instance).await {
                assert!(
                    matches!(outcome, Err(TableError::Unauthenticated { .. })),
                    "{outcome:?}"
                );
            }
        }

        assert_eq!(server.count(), 1, "{sign_in:?}");
    }
}

/// A refusal of what was accepted a moment ago may be about something else: one more request finds out.
#[tokio::test]
async fn a_refusal_after_success_is_believed_the_second_time() {
    let refused = || refusal(401, "User is not authenticated", "");
    let good = || result(json!({ "sys_id": KEY }));
    let server = Server::replies(vec![good(), refused(), good(), refused(), refused()]).await;
    let session = instance(&server, basic()).at(test_server::limits());

    let mut outcomes = Vec::new();
    for _ in 0..8 {
        outcomes.push(session.get_opt(TABLE, &id(KEY), &[]).await.is_ok());
    }

    assert_eq!(outcomes, [true, false, true, false, false, false, false, false]);
    assert_eq!(server.count(), 5);
}

#[tokio::test]
async fn what_cannot_be_reached_fails_for_all_that_wait() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let options = InstanceOptions {
        instance_url: url,
        sign_in: basic(),
        http: test_server::options(),
        timing: Timing::STANDARD,
    };
    let instance = Instance::new(options).unwrap();

    for outcome in thirty_deletes(&instance).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, TableError::Unavailable { .. }), "{error}");
    }
}

#[test]
fn a_user_name_with_a_colon_is_refused_for_basic_alone() {
    let of = |sign_in| {
        Instance::new(InstanceOptions {
            instance_url: "https://dev1.service-now.com".to_owned(),
            sign_in,
            http: test_server::options(),
            timing: Timing::STANDARD,
        })
    };
    let basic = SignIn::Basic {
        username: "domain:abel".to_owned(),
        password: secret("password-marker"),
    };
    let password = SignIn::Password {
        client_id: "client".to_owned(),
        client_secret: secret("secret-marker"),
        username: "domain:abel".to_owned(),
        password: secret("password-marker"),
    };

    let error = of(basic).unwrap_err().to_string();
    assert!(error.contains("username") && error.contains("colon"), "{error}");
    assert!(of(password).is_ok());
}

/// The first `hang` requests are never answered, the others all alike.
async fn server_that_hangs_at_first(hang: usize, reply: fn() -> Reply) -> Server {
    let asked = AtomicUsize::new(0);
    Server::by(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        number if number < hang => Reply::Hang,
        _ => reply(),
    })
    .await
}

/// What became of thirty calls by the time when all have ended that will.
async fn thirty_finds(instance: &Instance) -> Vec<Result<Option<Record>, TableError>> {
    let limits = || Limits::grace(Duration::from_secs(3));
    let finds = (0..30).map(|_| async { instance.at(limits()).find_unique(TABLE, &Query::every_row(), &[]).await });
    futures_util::future::join_all(finds).await
}

#[tokio::test]
async fn a_first_request_that_hangs_holds_up_nobody_else() {
    for hang in [1, 2] {
        let server = server_that_hangs_at_first(hang, || result(json!([])).with("x-total-count", "0")).await;

        let outcomes = thirty_finds(&instance(&server, basic())).await;

        let lost = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert_eq!((lost, server.count()), (hang, 30), "{outcomes:?}");
    }
}

/// Nobody knows whether a request without an answer was a failed sign-in, and five of these lock an account.
#[tokio::test]
async fn untried_credentials_are_not_sent_five_times_where_nothing_answers() {
    let server = Server::by(|_| Reply::Hang).await;

    let outcomes = thirty_finds(&instance(&server, basic())).await;

    assert!(outcomes.iter().all(Result::is_err));
    assert!((2..5).contains(&server.count()), "{}", server.count());
}

#[tokio::test]
async fn credentials_that_are_refused_after_a_request_that_hangs_are_not_sent_again() {
    let server = server_that_hangs_at_first(1, || refusal(401, "User is not authenticated", "")).await;

    let outcomes = thirty_finds(&instance(&server, basic())).await;

    let refused = |outcome: &&Result<_, TableError>| matches!(outcome, Err(TableError::Unauthenticated { .. }));
    assert_eq!(outcomes.iter().filter(refused).count(), 29, "{outcomes:?}");
    assert_eq!(server.count(), 2);
}
