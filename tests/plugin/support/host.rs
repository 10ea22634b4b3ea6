//! The host's side of the plugin protocol: starts the real binary and talks to it as Terraform does.
//!
//! Below Terraform one can send what Terraform never would, and see each answer as it came.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use servicenow_provider::plugin::proto::go_plugin::Empty;
use servicenow_provider::plugin::proto::go_plugin::grpc_controller_client::GrpcControllerClient;
use servicenow_provider::plugin::proto::tfplugin6::provider_client::ProviderClient;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-servicenow");

/// Upper bound for whatever should take milliseconds, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How to start the plugin.
pub(crate) struct Setup {
    pub(crate) tls: bool,
    /// Whether lines come before the handshake line, which a real host would not bear.
    preamble: bool,
    /// Variables besides those of the protocol.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Setup {
    /// As Terraform does it.
    pub(crate) fn usual() -> Self {
        Self {
            tls: true,
            preamble: false,
            variables: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub(crate) fn without_tls(mut self) -> Self {
        self.tls = false;
        self
    }

    /// Starts the plugin and reads its handshake line.
    pub(crate) fn start(self) -> Plugin {
        self.start_through(Command::new(BINARY))
    }

    /// The same with another plugin: the one that a test of this binary becomes when a host starts it.
    pub(crate) fn start_test(mut self, test: &str) -> Plugin {
        self.preamble = true;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]);
        self.start_through(command)
    }

    /// The same with a command that starts the plugin in the end.
    pub(crate) fn start_through(self, mut command: Command) -> Plugin {
        let temp = tempfile::tempdir().unwrap();
        let credentials = Credentials::make();
        command
            .env_clear()
            .env("TMPDIR", temp.path())
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own group, as signals to a group must not hit the test.
            .process_group(0);
        if self.tls {
            command.env("PLUGIN_CLIENT_CERT", &credentials.pem);
        }
        command.envs(self.variables); // last, so that they win
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let stderr = Collected::from(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        while self.preamble && !line.starts_with("1|") {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "no handshake line");
        }
        let start = started.elapsed();
        let stdout = Collected::from(stdout);
        Plugin {
            child,
            line,
            start,
            stdout,
            stderr,
            credentials,
            temp,
        }
    }
}

/// Collects what comes through a pipe until its end.
#[derive(Clone)]
pub(crate) struct Collected(Arc<Mutex<(String, bool)>>);

impl Collected {
    fn from(pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Mutex::new((String::new(), false)));
        let writer = Arc::clone(&shared);
        thread::spawn(move || {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
                writer.lock().unwrap().0.push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
            writer.lock().unwrap().1 = true;
        });
        Self(shared)
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().0.clone()
    }

    /// Whether everyone who could write has gone.
    pub(crate) fn ended(&self) -> bool {
        self.0.lock().unwrap().1
    }

    /// Waits until the text holds `part`.
    pub(crate) async fn wait_for(&self, part: &str) {
        let found = within(PATIENCE, || self.text().contains(part)).await;
        assert!(found, "no {part:?} in:\n{}", self.text());
    }
}

/// Asks until `condition` holds; false when it never did.
pub(crate) async fn within(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() > time {
            return false;
        }
        // Not the thread's sleep: connections of this test live on the same thread.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A running plugin. Dropping it kills it.
pub(crate) struct Plugin {
    child: Child,
    /// The first line of its stdout, newline included.
    pub(crate) line: String,
    /// From starting the process to having read that line.
    pub(crate) start: Duration,
    /// Stdout after the first line.
    pub(crate) stdout: Collected,
    pub(crate) stderr: Collected,
    pub(crate) credentials: Credentials,
    temp: TempDir,
}

impl Plugin {
    pub(crate) fn fields(&self) -> Vec<&str> {
        self.line.trim_end_matches('\n').split('|').collect()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        PathBuf::from(self.fields()[3])
    }

    /// The temp folder that the plugin was given, and nobody else uses.
    pub(crate) fn temp(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.temp())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// The exit status, once the process has ended within `time`.
    pub(crate) async fn exit_within(&mut self, time: Duration) -> ExitStatus {
        let child = &mut self.child;
        let mut status = None;
        let ended = within(time, || {
            status = child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        assert!(ended, "still running after {time:?}");
        status.unwrap()
    }

    /// What the handshake line makes a host trust.
    pub(crate) fn server_certificate(&self) -> CertificateDer<'static> {
        STANDARD_NO_PAD.decode(self.fields()[5]).unwrap().into()
    }

    /// A TLS connection under the given credentials, or under none.
    pub(crate) async fn connect(&self, credentials: Option<&Credentials>) -> io::Result<TlsStream<UnixStream>> {
        self.connect_with(credentials, rustls::DEFAULT_VERSIONS).await
    }

    /// The same with these versions of TLS.
    pub(crate) async fn connect_with(
        &self,
        credentials: Option<&Credentials>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> io::Result<TlsStream<UnixStream>> {
        self.connect_as(self.client(credentials, versions)).await
    }

    /// A TLS connection of this client, which remembers its sessions.
    pub(crate) async fn connect_as(&self, client: Arc<ClientConfig>) -> io::Result<TlsStream<UnixStream>> {
        let stream = UnixStream::connect(self.socket()).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(client).connect(name, stream).await
    }

    /// A client with the given credentials, or with none, and these versions of TLS.
    pub(crate) fn client(
        &self,
        credentials: Option<&Credentials>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server_certificate()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match credentials {
            Some(credentials) => config.with_client_cert_resolver(Arc::new(credentials.clone())),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config)
    }

    /// A channel for typed calls, with TLS when the handshake line has a certificate.
    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_static("http://localhost"); // the connector decides what is behind it
        let connected = if self.fields()[5].is_empty() {
            let stream = UnixStream::connect(self.socket()).await.unwrap();
            let mut stream = Some(TokioIo::new(stream));
            let connector = tower::service_fn(move |_| {
                std::future::ready(
                    stream
                        .take()
                        .ok_or(io::ErrorKind::NotConnected)
                        .map_err(io::Error::from),
                )
            });
            timeout(PATIENCE, endpoint.connect_with_connector(connector)).await
        } else {
            let stream = self.connect(Some(&self.credentials)).await.unwrap();
            let mut stream = Some(TokioIo::new(stream));
            let connector = tower::service_fn(move |_| {
                std::future::ready(
                    stream
                        .take()
                        .ok_or(io::ErrorKind::NotConnected)
                        .map_err(io::Error::from),
                )
            });
            timeout(PATIENCE, endpoint.connect_with_connector(connector)).await
        };
        connected.expect("the plugin answers in time").unwrap()
    }

    /// The provider, with Terraform's limits on the size of a message.
    pub(crate) async fn provider(&self) -> ProviderClient<Channel> {
        ProviderClient::new(self.channel().await)
            .max_decoding_message_size(256 << 20)
            .max_encoding_message_size(256 << 20)
    }

    /// Calls `Shutdown` and waits as long as Terraform does before it kills.
    pub(crate) async fn shut_down(&mut self) -> ExitStatus {
        let channel = self.channel().await;
        GrpcControllerClient::new(channel).shutdown(Empty {}).await.unwrap();
        self.exit_within(Duration::from_secs(2)).await
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the plugin's log:\n{}", self.stderr.text());
        }
    }
}

/// A client certificate such as go-plugin makes: ECDSA P-521, self-signed, a CA.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) pem: String,
    certified: Arc<CertifiedKey>,
}

impl Credentials {
    pub(crate) fn make() -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let signing = signing_key(&key);
        let certified = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signing));
        Self {
            pem: certificate.pem(),
            certified,
        }
    }

    /// The same certificate with a key that does not belong to it: a thief who saw the certificate.
    pub(crate) fn with_another_key(&self) -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        Self {
            pem: self.pem.clone(),
            certified: Arc::new(CertifiedKey::new(self.certified.cert.clone(), signing_key(&key))),
        }
    }
}

fn signing_key(key: &KeyPair) -> Arc<dyn rustls::sign::SigningKey> {
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    aws_lc_rs::sign::any_supported_type(&der).unwrap()
}

impl ResolvesClientCert for Credentials {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.certified))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
