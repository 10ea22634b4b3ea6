//! For tests: a server on a free loopback port that responds from a script and records the requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, WantsVerifier};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::http::{Backoff, Client, ClientOptions, Limits, Method, Origin, Proxies, Repeat, Request};

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Answers with status, extra header lines and body.
    Answer(u16, Vec<(String, String)>, String),
    /// Closes the connection without a word.
    Drop,
    /// Announces more bytes than it sends.
    CutShort,
    /// Never answers.
    Hang,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::typed(status, "application/json", &body.to_string())
    }

    pub(crate) fn typed(status: u16, content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::Answer(status, headers, body.to_owned())
    }

    /// With this header, in place of one of the same name.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer(status, mut headers, body) => {
                headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answer(status, headers, body)
            }
            other @ (Self::Drop | Self::CutShort | Self::Hang) => other,
        }
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// A field of a form body, decoded.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

type Script = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Answers each request by `script`.
    pub(crate) async fn by(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(script), None).await
    }

    /// Answers with `replies` in their order, the last one again and again.
    pub(crate) async fn replies(replies: Vec<Reply>) -> Self {
        let queue = Mutex::new(VecDeque::from(replies));
        Self::by(move |_| {
            let mut queue = queue.lock().unwrap();
            if queue.len() > 1 {
                queue.pop_front().unwrap()
            } else {
                queue[0].clone()
            }
        })
        .await
    }

    /// Like [`Server::replies`] with one reply, behind TLS.
    pub(crate) async fn tls(config: ServerConfig, reply: Reply) -> Self {
        let script: Script = Arc::new(move |_| reply.clone());
        Self::start(script, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(script: Script, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, log, tls) = (script.clone(), log.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &script, &log).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &script, &log).await;
                            }
                        }
                    }
                });
            }
        });
        Self { url, received }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    pub(crate) fn origin(&self) -> Origin {
        Origin::parse(&self.url).unwrap()
    }

    pub(crate) fn request(&self, method: Method, repeat: Repeat) -> Request {
        let origin = self.origin();
        Request::new(method, origin.join("/thing").unwrap(), &origin, repeat)
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script, log: &Mutex<Vec<Received>>) {
    loop {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut received = Received {
            method: head.split(' ').next().unwrap().to_owned(),
            target: head.split(' ').nth(1).unwrap().to_owned(),
            head,
            body: String::new(),
        };
        let length = received
            .header("content-length")
            .map_or(0, |text| text.parse().unwrap());
        while bytes.len() < end + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        received.body = String::from_utf8_lossy(&bytes[end..end + length]).into_owned();
        let reply = script(&received);
        log.lock().unwrap().push(received);
        match reply {
            Reply::Drop => return,
            Reply::Hang => return std::future::pending().await,
            Reply::CutShort => {
                let text = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"a\":";
                let _ = stream.write_all(text.as_bytes()).await;
                let _ = stream.flush().await;
                return;
            }
            Reply::Answer(status, headers, body) => {
                let mut text = format!("HTTP/1.1 {status} Scripted\r\n");
                for (name, value) in headers {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
                if status != 204 {
                    text.push_str(&format!("content-length: {}\r\n", body.len()));
                }
                text.push_str(&format!("\r\n{body}"));
                if stream.write_all(text.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Options with pauses of a millisecond.
pub(crate) fn options() -> ClientOptions {
    ClientOptions {
        ca_certificate_path: None,
        client_certificate_path: None,
        client_key_path: None,
        variables: Vec::new(),
        proxies: Proxies::default(),
        request_timeout: Duration::from_secs(20),
        max_retries: 3,
        requests_per_second: None,
        max_concurrent: 8,
        user_agent: "test/1".to_owned(),
        correlation: None,
        backoff: Backoff {
            base: Duration::from_millis(1),
            cap: Duration::from_millis(2),
        },
    }
}

pub(crate) fn client() -> Client {
    Client::new(options())
}

/// Limits that no test should reach.
pub(crate) fn limits() -> Limits {
    Limits::new(Duration::from_secs(30), CancellationToken::new())
}

/// An authority of our own and the leaf certificates it signs.
pub(crate) struct Authority {
    pub(crate) certificate_pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate_pem = params.self_signed(&key).unwrap().pem();
        Self {
            certificate_pem,
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    /// Certificate and key for `name`, valid between the two years.
    pub(crate) fn leaf(&self, name: &str, years: std::ops::Range<i32>) -> (rcgen::Certificate, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A server that shows such a leaf and asks for no client certificate.
    pub(crate) fn server_config(&self, name: &str, years: std::ops::Range<i32>) -> ServerConfig {
        let (certificate, key) = self.leaf(name, years);
        server_builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap()
    }
}

pub(crate) fn server_builder() -> rustls::ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}
