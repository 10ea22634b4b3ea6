//! What leaves the process beside the request: the log. And what comes in: the proxy of the environment.

use std::fmt::{Debug, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

use crate::http::test_server::{Authority, Reply, Server, client, limits, options};
use crate::http::tests::status;
use crate::http::{Client, ClientOptions, Method, Origin, Proxies, Repeat, Request, Secret};

/// Writes every event with all its fields, whatever its level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Line<'a>(&'a mut String);
        impl Visit for Line<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        let mut log = self.0.lock().unwrap();
        write!(log, "{}", event.metadata().level()).unwrap();
        event.record(&mut Line(&mut log));
        log.push('\n');
    }
}

/// Prints what is logged while requests are sent, for [`the_log_tells_of_each_call_and_of_no_secret`].
#[tokio::test]
async fn calls_that_are_logged() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()));
    let body = json!({"access_token": "marker-answer-token", "result": {"user_password": {"value": "marker-answer-password"}}});
    let answer = Reply::json(200, &body)
        .with("x-transaction-id", "abc123")
        .with("set-cookie", "s=marker-cookie");
    let server = Server::replies(vec![Reply::json(503, &body), answer]).await;
    let requests = [
        server
            .request(Method::GET, Repeat::Idempotent)
            .basic("admin", &Secret::from("marker-password"))
            .unwrap(),
        server
            .request(Method::GET, Repeat::Idempotent)
            .bearer(&Secret::from("marker-bearer"))
            .unwrap(),
        server
            .request(Method::POST, Repeat::Idempotent)
            .form(&[("client_secret", "marker+form &secret"), ("n", "1")]),
        server
            .request(Method::POST, Repeat::Idempotent)
            .table("sys_user")
            .json(&json!({"user_password": "marker-json"}))
            .unwrap(),
    ];

    for request in requests {
        client().send(request, &limits()).await.unwrap();
    }

    println!("{}", log.0.lock().unwrap());
}

/// In a process of its own: where the thread of another test comes first to a line that logs, tracing asks the subscriber
/// of that thread, which has none, and remembers for all threads that nobody wants the line.
#[tokio::test]
async fn the_log_tells_of_each_call_and_of_no_secret() {
    let log = in_a_process("calls_that_are_logged", &[]).await;

    assert!(!log.contains("marker"), "{log}");
    let line = log.lines().rfind(|line| line.contains("http call")).unwrap();
    for part in [
        "DEBUG",
        "method=POST",
        "host=",
        "path=\"/thing\"",
        "table=\"sys_user\"",
        "status=200",
        "duration_ms=",
        "transaction_id=\"abc123\"",
        "attempt=0",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(log.contains("attempt=1"), "{log}");
}

/// Runs [`a_call_to_a_distant_host`] in a process with this environment: the proxy variables are read once, by the library.
async fn in_a_process_with(variables: &[(&str, &str)]) -> String {
    in_a_process("a_call_to_a_distant_host", variables).await
}

/// What a test of this file prints in a process of its own.
async fn in_a_process(test: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("http::tests::environment::{test}"), "--nocapture"]);
    command
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the parent process passes the target this way")]
async fn a_call_to_a_distant_host() {
    let target = std::env::var("TEST_TARGET").unwrap_or("https://distant.invalid".to_owned());
    let origin = Origin::parse(&target).unwrap();
    let request = Request::new(Method::GET, origin.join("/").unwrap(), &origin, Repeat::Idempotent);

    let client = Client::new(ClientOptions {
        max_retries: 0,
        proxies: Proxies::of(|name| std::env::var(name).ok()),
        ..options()
    });
    match client.send(request, &limits()).await {
        Ok(answer) => println!("status {}", answer.status()),
        Err(error) => println!("{error}. {}", error.remedy()),
    }
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_used_and_its_refusal_explained() {
    for refusal in [403, 407, 502] {
        let proxy = Server::replies(vec![Reply::typed(refusal, "text/html", "no")]).await;

        let said = in_a_process_with(&[("HTTPS_PROXY", &proxy.url)]).await;

        assert!(
            said.contains("NO_PROXY") && said.contains("distant.invalid"),
            "{refusal}: {said}"
        );
        assert_eq!(proxy.received()[0].target, "distant.invalid:443");
    }
}

#[tokio::test]
async fn a_failed_handshake_with_the_proxy_is_told_from_one_with_the_host() {
    let authority = Authority::new();
    let proxy = Server::tls(authority.server_config("127.0.0.1", 2020..2100), status(200)).await;

    let said = in_a_process_with(&[("HTTPS_PROXY", &proxy.url)]).await;

    let named = format!("no TLS connection to the proxy {} (HTTPS_PROXY)", proxy.url);
    assert!(said.contains(&named) && said.contains("ca_certificate_path"), "{said}");
}

#[tokio::test]
async fn a_host_in_no_proxy_is_called_directly() {
    let proxy = Server::replies(vec![Reply::typed(403, "text/html", "no")]).await;

    let said = in_a_process_with(&[("HTTPS_PROXY", &proxy.url), ("NO_PROXY", "distant.invalid")]).await;

    assert!(said.contains("cannot be resolved"), "{said}");
    assert_eq!(proxy.count(), 0);
}

#[tokio::test]
async fn no_proxy_may_name_the_hosts_of_a_domain_and_a_port() {
    let proxy = Server::replies(vec![Reply::typed(403, "text/html", "no")]).await;

    let lists = [
        ("*.invalid", 0),
        ("localhost, *.INVALID", 0),
        ("*.invalid:443", 0),
        ("distant.invalid:443", 0),
        ("*.other.invalid,distant.invalid:8443", 1),
    ];
    for (list, asked) in lists {
        let said = in_a_process_with(&[("HTTPS_PROXY", &proxy.url), ("NO_PROXY", list)]).await;

        assert_eq!(proxy.count(), asked, "{list}: {said}");
    }
}

#[tokio::test]
async fn an_unusable_proxy_is_an_error_and_the_request_does_not_go_directly() {
    for value in ["socks5://proxy:1080", "http://proxy:99999", "http://", "ftp://proxy"] {
        let said = in_a_process_with(&[("HTTPS_PROXY", value)]).await;

        assert!(
            said.contains("HTTPS_PROXY is not a valid proxy address") && said.contains("Set HTTPS_PROXY to an address"),
            "{value}: {said}"
        );
    }
    // It is no error for this machine, which no proxy is asked for.
    let here = Server::replies(vec![Reply::json(204, &json!({}))]).await;
    let said = in_a_process_with(&[("HTTPS_PROXY", "socks5://proxy"), ("TEST_TARGET", &here.url)]).await;
    assert!(said.contains("status 204"), "{said}");
}

#[tokio::test]
async fn loopback_traffic_stays_on_the_machine() {
    let proxy = Server::replies(vec![Reply::typed(403, "text/html", "no")]).await;
    let plain = Server::replies(vec![Reply::json(204, &json!({}))]).await;
    let authority = Authority::new();
    let tls = Server::tls(
        authority.server_config("127.0.0.1", 2020..2100),
        Reply::json(204, &json!({})),
    )
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &authority.certificate_pem).unwrap();

    for here in [&plain, &tls] {
        let said = in_a_process_with(&[
            ("HTTP_PROXY", &proxy.url),
            ("HTTPS_PROXY", &proxy.url),
            ("ALL_PROXY", &proxy.url),
            ("SSL_CERT_FILE", &file.path().display().to_string()),
            ("TEST_TARGET", &here.url),
        ])
        .await;

        assert!(said.contains("status 204"), "{said}");
    }
    assert_eq!(proxy.count(), 0);
}

#[tokio::test]
async fn a_file_of_authorities_that_does_not_exist_is_named() {
    let authority = Authority::new();
    let tls = Server::tls(
        authority.server_config("127.0.0.1", 2020..2100),
        Reply::json(204, &json!({})),
    )
    .await;
    for folder in ["/nowhere", "."] {
        let said = in_a_process_with(&[
            ("SSL_CERT_FILE", "/no/such.pem"),
            ("SSL_CERT_DIR", folder),
            ("TEST_TARGET", &tls.url),
        ])
        .await;

        assert!(said.contains("at '/no/such.pem'"), "{said}");
    }
}

#[tokio::test]
async fn the_password_of_a_proxy_is_not_told() {
    let proxy = Server::replies(vec![Reply::typed(407, "text/html", "no")]).await;
    let address = proxy.url.replace("http://", "http://robot:marker-proxy@");

    for address in [
        address.as_str(),
        "http://robot:marker-proxy@127.0.0.1:9",
        "robot:marker-proxy@@::",
    ] {
        let said = in_a_process_with(&[("HTTPS_PROXY", address)]).await;

        assert!(!said.contains("marker-proxy"), "{said}");
    }
}

#[tokio::test]
async fn an_absent_proxy_is_not_mistaken_for_an_absent_host() {
    let said = in_a_process_with(&[("HTTPS_PROXY", "http://127.0.0.1:9")]).await;

    assert!(said.contains("HTTPS_PROXY"), "{said}");
}
