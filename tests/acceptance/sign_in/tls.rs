//! Whom the provider trusts and where its credentials go. What a handshake can go wrong by is tested with the HTTP stack.

use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;
use servicenow_provider::plugin::Object;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::harness::{Listener, Provider, Simulator, fails_saying, for_each_terraform};

/// A provider block for an instance at this address, whose credentials can be recognised.
fn block(instance_url: &str) -> Object {
    Object::new()
        .with("instance_url", instance_url)
        .with("username", "robot")
        .with("password", MARKER)
        .with("max_retries", 0)
}

async fn read(block: Object) -> Result<(), String> {
    Provider::new(block)?.read_a_record().await
}

const MARKER: &str = "marker-password-1";
/// What base64 makes of `robot:marker-password-1`.
const MARKER_IN_HEADER: &str = "cm9ib3Q6bWFya2VyLXBhc3N3b3JkLTE";

#[tokio::test]
async fn a_given_authority_is_enough_and_none_is_explained() {
    let simulator = Simulator::start().await;
    let account = [("username", simulator.username()), ("password", simulator.password())];

    read(simulator.block_with(&account)).await.unwrap();

    let unknown = block(&simulator.urls().instance);
    let said = ["No TLS connection to 127.0.0.1", "ca_certificate_path", "SSL_CERT_FILE"];
    fails_saying(read(unknown.clone()).await, &said);
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("no.pem");
    std::fs::write(&text, "words").unwrap();
    let cases = [
        (
            "/nowhere/ca.pem",
            "the file /nowhere/ca.pem cannot be read (No such file",
        ),
        (folder.path().to_str().unwrap(), "cannot be read (Is a directory"),
        (text.to_str().unwrap(), "contains no valid certificate in PEM format"),
    ];
    for (path, said) in cases {
        let outcome = read(unknown.clone().with("ca_certificate_path", path)).await;
        fails_saying(outcome, &["ca_certificate_path: ", said, "Nothing was sent"]);
    }
}

/// The title is the problem, whatever was to be done, and each is explained once.
#[tokio::test]
async fn what_cannot_be_reached_is_the_title_and_is_told_once() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let users: String = (0..6)
            .map(|number| {
                format!("resource \"servicenow_integration_user\" \"u{number}\" {{\n  user_name = \"u{number}\"\n}}\n")
            })
            .collect();
        let mut workspace = simulator.workspace(terraform, &users);
        workspace.write("provider.tf", "provider \"servicenow\" {\n  max_retries = 0\n}\n");
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let cases = [
            (
                format!("https://{closed}"),
                format!("No connection to {closed} (Connection refused (os error 111))."),
                "Check the address, the port and the network path",
            ),
            (
                "https://no-such-host.invalid".to_owned(),
                "The name no-such-host.invalid cannot be resolved".to_owned(),
                "Check the address for typing errors",
            ),
            (
                simulator.urls().instance.clone(),
                "its certificate is signed by an untrusted authority".to_owned(),
                "Set ca_certificate_path or SSL_CERT_FILE",
            ),
        ];
        workspace.unset("SERVICENOW_CA_CERTIFICATE_PATH");
        workspace.unset("SSL_CERT_FILE");
        for (url, cause, remedy) in cases {
            workspace.set("SERVICENOW_INSTANCE_URL", &url);

            let apply = workspace.terraform("apply").await;

            apply
                .fails_saying(&format!("Error: Could not reach {url}"))
                .says(&cause)
                .says(remedy);
            let words = apply.words();
            assert_eq!(words.matches("Error: ").count(), 6, "{words}");
            assert_eq!(
                words.matches(&format!("Error: Could not reach {url}")).count(),
                6,
                "{words}"
            );
            assert_eq!(words.matches(remedy).count(), 1, "{words}");
            assert!(
                !words.contains("Cause:") && !words.replace("...", "").contains(".."),
                "{words}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn tls_1_2_is_the_oldest_that_is_spoken() {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, own.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.cert.der().clone()],
            PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into(),
        )
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        let answer = "HTTP/1.1 401 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.shutdown().await;
    });

    let trusting = block(&url).with("ca_certificate_path", authority.to_str().unwrap());
    fails_saying(read(trusting).await, &["did not accept the sign-in"]);
    serving.await.unwrap();

    // A server that knows TLS 1.1 at most answers the greeting with the alert protocol_version.
    let old = Listener::answering(*b"\x15\x03\x02\x00\x02\x02\x46").await;
    let url = old.url().replace("http://", "https://");
    fails_saying(read(block(&url)).await, &["no TLS version 1.2 or newer"]);
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() {
    let elsewhere = Listener::http(200, "content-type: application/json\r\n", "{\"result\": []}").await;
    let location = format!("location: {}/login.do?token=secret-query\r\n", elsewhere.url());
    for status in [301, 302, 303, 307, 308] {
        let instance = Listener::http(status, &location, "").await;
        let said = [
            &format!("a redirect (status {status})"),
            "Set instance_url to the final address, the one that responds without a redirect",
        ];

        let outcome = read(block(&instance.url())).await;

        assert!(!outcome.as_ref().unwrap_err().contains("secret-query"), "{outcome:?}");
        fails_saying(outcome, &said.map(|text| text as &str));
        let oauth = Object::new()
            .with("instance_url", instance.url())
            .with("client_id", "id")
            .with("client_secret", MARKER);
        fails_saying(read(oauth).await, &["redirect"]);
        let microsoft = Object::new()
            .with("tenant_id", "contoso.com")
            .with("client_id", "id")
            .with("client_secret", MARKER)
            .with("login_url", instance.url());
        let provider = Provider::new(Object::new().with("microsoft365", microsoft)).unwrap();
        fails_saying(provider.read_the_settings().await, &["redirects are not followed"]);
    }
    assert_eq!(elsewhere.received(), Vec::<String>::new());
}

/// The proxy is asked for a tunnel and learns nothing but the name of the host.
#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_gets_no_credentials() {
    for_each_terraform(async |terraform| {
        let proxy = Listener::http(407, "proxy-authenticate: Basic realm=\"p\"\r\n", "no").await;
        let simulator = Simulator::start().await;
        let configuration = r#"
            resource "servicenow_integration_user" "one" {
              user_name = "one"
            }
        "#;
        let mut workspace = simulator.workspace(terraform, configuration);
        workspace.set("SERVICENOW_INSTANCE_URL", "https://dev1.service-now.com");
        workspace.set("SERVICENOW_PASSWORD", MARKER);
        let address = proxy.url().replace("http://", "http://robot:marker-of-proxy@");
        workspace.set("HTTPS_PROXY", &address);
        workspace.write("provider.tf", "provider \"servicenow\" {\n  max_retries = 0\n}\n");

        let apply = workspace.terraform("apply").await;

        apply
            .fails_saying("Error: Could not reach https://dev1.service-now.com")
            .says(&format!(
                "The proxy {} (HTTPS_PROXY) did not connect to dev1.service-now.com",
                proxy.url()
            ))
            .says("Correct the proxy's address and credentials, or list the host in NO_PROXY.");
        let received = proxy.received().join("");
        assert!(received.starts_with("CONNECT dev1.service-now.com:443 "), "{received}");
        assert!(
            !received.contains(MARKER) && !received.contains(MARKER_IN_HEADER),
            "{received}"
        );
        workspace.leaks_nothing_of(&[MARKER, "marker-of-proxy"]);

        // One that is not there is the proxy's fault too, and not that of the instance's address.
        for (proxy, why) in [
            ("http://proxy.invalid:8080", "its name cannot be resolved"),
            ("http://127.0.0.1:9", "Connection refused"),
        ] {
            workspace.set("HTTPS_PROXY", proxy);
            workspace
                .terraform("apply")
                .await
                .fails_saying("Error: Could not reach https://dev1.service-now.com")
                .says(&format!(
                    "The proxy {proxy} (HTTPS_PROXY) did not connect to dev1.service-now.com: {why}"
                ));
        }
        // With NO_PROXY the address is asked for without it.
        workspace.set("NO_PROXY", "*.invalid");
        workspace.set("SERVICENOW_INSTANCE_URL", "https://dev1.invalid");
        workspace
            .terraform("apply")
            .await
            .fails_saying("The name dev1.invalid cannot be resolved")
            .does_not_say("HTTPS_PROXY");
        workspace.unset("NO_PROXY");
        workspace.set("SERVICENOW_INSTANCE_URL", "https://dev1.service-now.com");

        workspace.set("HTTPS_PROXY", "socks5://robot:marker-of-proxy@127.0.0.1:9");
        workspace
            .terraform("apply")
            .await
            .fails_saying("Error: Invalid provider configuration")
            .says(
                "The environment variable HTTPS_PROXY is not a valid proxy address: the scheme socks5 is not \
                   supported",
            );
        workspace.leaks_nothing_of(&[MARKER, "marker-of-proxy"]);
        workspace.set("HTTPS_PROXY", &address);

        // This machine is no other one to a proxy.
        workspace.set("SERVICENOW_INSTANCE_URL", &simulator.urls().instance);
        workspace.set("SERVICENOW_PASSWORD", simulator.password());
        workspace.terraform("apply").await.succeeds();
    })
    .await;
}
