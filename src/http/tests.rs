//! The send loop against a scripted server.

mod environment;
mod tls;

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::http::header::HeaderName;
use crate::http::test_server::{Reply, Server, client, limits, options};
use crate::http::{Client, ClientOptions, Correlation, HttpError, Limits, Method, Origin, Repeat, Secret};

fn status(status: u16) -> Reply {
    Reply::json(status, &serde_json::json!({}))
}

#[tokio::test]
async fn a_read_is_repeated_until_it_is_answered() {
    for bad in [
        Reply::Drop,
        Reply::CutShort,
        status(408),
        status(429),
        status(500),
        status(502),
        status(503),
    ] {
        let server = Server::replies(vec![bad.clone(), bad.clone(), status(200)]).await;

        let answer = client()
            .send(server.request(Method::GET, Repeat::Idempotent), &limits())
            .await;

        assert_eq!(answer.unwrap().status(), 200, "{bad:?}");
        assert_eq!(server.count(), 3, "{bad:?}");
    }
}

#[tokio::test]
async fn an_insert_whose_answer_is_lost_is_uncertain_and_not_repeated() {
    for bad in [
        Reply::Drop,
        Reply::CutShort,
        status(408),
        status(500),
        status(502),
        status(503),
        status(504),
    ] {
        let server = Server::replies(vec![bad.clone(), status(201)]).await;

        let answer = client()
            .send(server.request(Method::POST, Repeat::Never), &limits())
            .await;

        assert!(answer.as_ref().unwrap_err().is_uncertain(), "{bad:?}: {answer:?}");
        assert_eq!(server.count(), 1, "{bad:?}");
    }
}

#[tokio::test]
async fn an_insert_turned_away_at_the_door_is_repeated() {
    let server = Server::replies(vec![status(429), status(201)]).await;

    let answer = client()
        .send(server.request(Method::POST, Repeat::Never), &limits())
        .await;

    assert_eq!(answer.unwrap().status(), 201);
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn an_insert_without_connection_is_not_uncertain() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let origin = Origin::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let request = super::Request::new(Method::POST, origin.join("x").unwrap(), &origin, Repeat::Never);

    let error = client().send(request, &limits()).await.unwrap_err();

    assert!(matches!(error, HttpError::Connect { .. }), "{error:?}");
}

#[tokio::test]
async fn the_body_of_an_uncertain_answer_is_kept() {
    let server = Server::replies(vec![Reply::json(
        500,
        &serde_json::json!({"error": {"message": "rule"}}),
    )])
    .await;

    let error = client()
        .send(server.request(Method::POST, Repeat::Never), &limits())
        .await
        .unwrap_err();

    let HttpError::Uncertain {
        answer: Some(answer), ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert!(answer.excerpt().contains("rule"));
}

#[tokio::test]
async fn retries_end_with_the_last_answer() {
    let server = Server::replies(vec![status(503)]).await;

    let answer = client()
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await;

    assert_eq!(answer.unwrap().status(), 503);
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn max_retries_zero_sends_once() {
    let server = Server::replies(vec![status(503)]).await;
    let client = Client::new(ClientOptions {
        max_retries: 0,
        ..options()
    });

    let _ = client
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await;

    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    for code in [400, 401, 403, 404, 409, 501] {
        let server = Server::replies(vec![status(code)]).await;

        let answer = client()
            .send(server.request(Method::GET, Repeat::Idempotent), &limits())
            .await;

        assert_eq!(answer.unwrap().status(), code);
        assert_eq!(server.count(), 1, "{code}");
    }
}

#[tokio::test]
async fn the_server_is_given_the_time_it_asks_for() {
    let server = Server::replies(vec![status(429).with("retry-after", "1"), status(200)]).await;
    let begun = Instant::now();

    client()
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await
        .unwrap();

    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_an_error_that_names_the_remedy() {
    for wait in ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let server = Server::replies(vec![status(429).with("retry-after", wait)]).await;

        let error = client()
            .send(server.request(Method::GET, Repeat::Idempotent), &limits())
            .await
            .unwrap_err();

        assert!(
            matches!(
                error,
                HttpError::RateLimited {
                    retry_after: Some(_),
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.remedy().contains("requests_per_second"), "{error}");
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_lasting_rate_limit_names_the_remedy() {
    let server = Server::replies(vec![status(429)]).await;

    let error = client()
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await
        .unwrap_err();

    assert!(error.remedy().contains("requests_per_second"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_but_named_without_its_query() {
    let other = Server::replies(vec![status(200)]).await;
    let to = format!("{}/login?token=abc", other.url);
    let server = Server::replies(vec![status(302).with("location", &to)]).await;

    let error = client()
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await
        .unwrap_err();

    let HttpError::Redirected { to, status: 302, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*to, format!("{}/login", other.url));
    assert_eq!(other.count(), 0);
}

#[tokio::test]
async fn a_request_stays_at_its_origin() {
    let (home, foreign) = (
        Server::replies(vec![status(200)]).await,
        Server::replies(vec![status(200)]).await,
    );
    let url = foreign.origin().join("/x").unwrap();
    let request = super::Request::new(Method::GET, url, &home.origin(), Repeat::Idempotent);

    let error = client().send(request, &limits()).await.unwrap_err();

    assert!(matches!(error, HttpError::ForeignHost { .. }), "{error:?}");
    assert_eq!(foreign.count(), 0);
}

#[test]
fn only_loopback_may_be_plain() {
    for good in [
        "http://127.0.0.1:8080",
        "http://localhost/",
        "http://[::1]:1",
        "https://example.com/a",
    ] {
        assert!(Origin::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://example.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
    ] {
        assert!(
            matches!(Origin::parse(bad), Err(HttpError::InsecureUrl { .. })),
            "{bad}"
        );
    }
    for bad in [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://u:p@example.com",
        "https://example.com/?a=b",
    ] {
        assert!(matches!(Origin::parse(bad), Err(HttpError::BadUrl { .. })), "{bad}");
    }
}

#[test]
fn an_address_with_credentials_is_refused_without_repeating_them() {
    for address in [
        "https://admin:hunter22@example.com",
        "https://admin:hunt?hunter22@example.com",
        "https://example.com/?token=hunter22",
        "https://example.com/#hunter22",
        "https://example.com/?mail=a@example.com&token=hunter22",
        "example.com?token=hunter22",
    ] {
        let error = Origin::parse(address).unwrap_err();
        let told = format!("{error} {error:?} {}", error.remedy());
        assert!(!told.contains("hunter22"), "{told}");
        assert!(told.contains("example.com"), "{told}");
    }
}

#[test]
fn joined_paths_stay_below_the_base() {
    let origin = Origin::parse("https://example.com/base").unwrap();

    assert_eq!(
        origin.join("/a/b?c=d").unwrap().as_str(),
        "https://example.com/base/a/b?c=d"
    );
    assert_eq!(origin.join("//evil.example/a").unwrap().host_str(), Some("example.com"));
    assert_eq!(
        origin.join("https://evil.example/a").unwrap().host_str(),
        Some("example.com")
    );
}

#[tokio::test]
async fn silence_ends_with_the_deadline_or_the_interruption() {
    let server = Server::replies(vec![Reply::Hang]).await;
    let cancel = CancellationToken::new();
    let short = Limits::new(Duration::from_millis(50), cancel.clone());

    let error = client()
        .send(server.request(Method::GET, Repeat::Idempotent), &short)
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::DeadlineExceeded { .. }), "{error:?}");

    cancel.cancel();
    let error = client()
        .send(server.request(Method::GET, Repeat::Idempotent), &short)
        .await
        .unwrap_err();
    assert!(error.is_cancelled(), "{error:?}");
}

#[tokio::test]
async fn silence_is_not_awaited_beyond_the_request_timeout() {
    let server = Server::replies(vec![Reply::Hang, status(200)]).await;
    let client = Client::new(ClientOptions {
        request_timeout: Duration::from_millis(100),
        ..options()
    });

    assert!(
        client
            .send(server.request(Method::GET, Repeat::Idempotent), &limits())
            .await
            .is_ok()
    );
    let hanging = Server::replies(vec![Reply::Hang]).await;
    let error = client
        .send(hanging.request(Method::POST, Repeat::Never), &limits())
        .await
        .unwrap_err();
    assert!(error.is_uncertain(), "{error:?}");
}

#[tokio::test]
async fn an_insert_in_flight_is_seen_through_after_an_interruption() {
    let cancel = CancellationToken::new();
    let fired = cancel.clone();
    let server = Server::by(move |_| {
        fired.cancel();
        status(201)
    })
    .await;
    let limits = Limits::new(Duration::from_secs(30), cancel);

    let answer = client()
        .send(server.request(Method::POST, Repeat::Never), &limits)
        .await;

    assert_eq!(answer.unwrap().status(), 201);
}

#[tokio::test]
async fn an_oversized_answer_is_refused() {
    let server = Server::replies(vec![Reply::typed(200, "application/json", &"9".repeat(2000))]).await;

    let error = client()
        .send(
            server.request(Method::GET, Repeat::Idempotent).max_answer(1000),
            &limits(),
        )
        .await
        .unwrap_err();

    assert!(matches!(error, HttpError::TooLarge { limit: 1000, .. }), "{error:?}");
}

#[tokio::test]
async fn the_rate_is_kept() {
    let server = Server::replies(vec![status(200)]).await;
    let client = Client::new(ClientOptions {
        requests_per_second: Some(20.0),
        ..options()
    });
    let begun = Instant::now();

    let limits = limits();
    let calls = (0..5).map(|_| client.send(server.request(Method::GET, Repeat::Idempotent), &limits));
    futures_util::future::join_all(calls).await;

    // Five requests, fifty milliseconds apart.
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn every_request_says_who_asks() {
    let server = Server::replies(vec![status(200)]).await;
    let correlation = Correlation {
        header: HeaderName::from_static("x-run"),
        id: "run-7".to_owned(),
    };
    let client = Client::new(ClientOptions {
        correlation: Some(correlation),
        ..options()
    });
    let request = server
        .request(Method::GET, Repeat::Idempotent)
        .basic("admin", &Secret::from("secret-1"))
        .unwrap();

    client.send(request, &limits()).await.unwrap();

    let received = &server.received()[0];
    assert_eq!(received.header("user-agent").as_deref(), Some("test/1"));
    assert_eq!(received.header("x-run").as_deref(), Some("run-7"));
    assert_eq!(
        received.header("authorization").as_deref(),
        Some("Basic YWRtaW46c2VjcmV0LTE=")
    );
}

#[tokio::test]
async fn json_needs_the_type_and_the_body() {
    let cases = [
        (Reply::typed(200, "application/json; charset=UTF-8", "{}"), true),
        (Reply::typed(200, "application/problem+json", "{}"), true),
        (Reply::typed(200, "text/html", "{}"), false),
        (
            Reply::typed(200, "application/json", "<html><title>Hi</title></html>"),
            false,
        ),
        (Reply::typed(200, "application/json", "{\"a\":"), false),
        (Reply::typed(200, "application/json", ""), false),
    ];
    for (reply, expected) in cases {
        let server = Server::replies(vec![reply.clone()]).await;
        let answer = client()
            .send(server.request(Method::GET, Repeat::Idempotent), &limits())
            .await
            .unwrap();

        assert_eq!(answer.is_json(), expected, "{reply:?}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_ignored() {
    let server = Server::replies(vec![Reply::typed(200, "application/json", "\u{feff}{\"a\":1}")]).await;

    let answer = client()
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await
        .unwrap();

    assert_eq!(answer.json::<serde_json::Value>().unwrap(), serde_json::json!({"a": 1}));
    assert_eq!(answer.body(), b"{\"a\":1}");
}

#[tokio::test]
async fn compression_that_nobody_asked_for_is_told() {
    let compressed = status(200).with("content-encoding", "gzip");
    let server = Server::replies(vec![compressed]).await;

    let read = client()
        .send(server.request(Method::GET, Repeat::Idempotent), &limits())
        .await
        .unwrap_err();
    let insert = client()
        .send(server.request(Method::POST, Repeat::Never), &limits())
        .await
        .unwrap_err();

    assert!(
        matches!(&read, HttpError::Compressed { encoding, .. } if encoding == "gzip"),
        "{read:?}"
    );
    assert!(
        insert.is_uncertain() && insert.to_string().contains("gzip"),
        "{insert:?}"
    );
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("accept-encoding"), None);
    let plain = Server::replies(vec![status(200).with("content-encoding", "identity")]).await;
    let answer = client()
        .send(plain.request(Method::GET, Repeat::Idempotent), &limits())
        .await;
    assert!(answer.is_ok());
}

#[tokio::test]
async fn an_insert_whose_answer_is_too_large_is_uncertain() {
    let server = Server::replies(vec![Reply::typed(201, "text/plain", &"x".repeat(100))]).await;

    let insert = server.request(Method::POST, Repeat::Never).max_answer(50);
    let error = client().send(insert, &limits()).await.unwrap_err();

    assert!(error.is_uncertain(), "{error:?}");
}

#[tokio::test]
async fn what_the_server_will_never_do_is_not_asked_again() {
    for never in [501, 505] {
        let server = Server::replies(vec![status(never)]).await;

        for repeat in [Repeat::Idempotent, Repeat::Never] {
            let answer = client().send(server.request(Method::POST, repeat), &limits()).await;
            assert_eq!(answer.unwrap().status(), never);
        }
        assert_eq!(server.count(), 2, "{never}");
    }
}

/// The limit is the account's: a request that did not meet it waits as well.
#[tokio::test]
async fn a_rate_limit_holds_back_every_request() {
    let limited = status(429).with("retry-after", "1");
    let server = Server::replies(vec![limited, status(200)]).await;
    let client = client();
    let begun = Instant::now();

    let limits = limits();
    let first = client.send(server.request(Method::GET, Repeat::Idempotent), &limits);
    let second = async {
        while server.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The answer is on its way.
        tokio::time::sleep(Duration::from_millis(100)).await;
        client
            .send(server.request(Method::GET, Repeat::Idempotent), &limits)
            .await
            .unwrap();
        begun.elapsed()
    };
    let (first, second) = tokio::join!(first, second);

    assert_eq!(first.unwrap().status(), 200);
    assert!(second >= Duration::from_secs(1), "{second:?}");
}
