//! From an open socket to a running server, in the only order that works.
//!
//! [`Listening`] becomes [`Announced`] by writing the handshake line, and only that becomes [`Serving`]. So the line
//! cannot come before the socket is open, and no call before the line is out.

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use tonic::transport::Server;

use crate::plugin::proto::go_plugin::grpc_broker_server::GrpcBrokerServer;
use crate::plugin::proto::go_plugin::grpc_controller_server::GrpcControllerServer;
use crate::plugin::proto::go_plugin::grpc_stdio_server::GrpcStdioServer;
use crate::plugin::proto::tfplugin6::provider_server::{Provider, ProviderServer};
use crate::plugin::proto::tfplugin6::stop_provider;
use crate::plugin::transport::call_threads::Elsewhere;
use crate::plugin::transport::connection::accept;
use crate::plugin::transport::error::StartError;
use crate::plugin::transport::host::Host;
use crate::plugin::transport::lifetime::{End, Owner, Reason, Signals};
use crate::plugin::transport::services::{Broker, Controller, Stdio};
use crate::plugin::transport::socket::{self, Acceptor, Socket};
use crate::plugin::transport::tls::Tls;

/// The socket is open, but not announced yet.
pub(super) struct Listening {
    socket: Socket,
    acceptor: Acceptor,
    tls: Option<Tls>,
    signals: Signals,
    version: u32,
    asks_for_multiplexing: bool,
}

impl Listening {
    /// Catches the signals and opens the socket. Needs the runtime's context.
    pub(super) fn open(host: &Host, owner: Owner) -> Result<Self, StartError> {
        // First: from the handshake line on, a Ctrl-C must find somebody who ignores it.
        let signals = Signals::catch(owner).map_err(StartError::Runtime)?;
        let tls = host.client_certificate.as_deref().map(Tls::only_for).transpose()?;
        let (socket, acceptor) = socket::bind(host)?;
        Ok(Self {
            socket,
            acceptor,
            tls,
            signals,
            version: host.agreed_version(),
            asks_for_multiplexing: host.asks_for_multiplexing,
        })
    }

    /// Writes the handshake line.
    pub(super) fn announce_to_host(self, stdout: &mut impl Write) -> Result<Announced, StartError> {
        let certificate = self
            .tls
            .as_ref()
            .map(|tls| STANDARD_NO_PAD.encode(&tls.certificate))
            .unwrap_or_default();
        let mut line = format!(
            "1|{}|{}|{}|grpc|{certificate}",
            self.version, self.socket.network, self.socket.address
        );
        if self.asks_for_multiplexing {
            line.push_str("|false");
        }
        line.push('\n');
        self.announce(&line, stdout)
    }

    /// Writes what a person needs to let a host find us.
    pub(super) fn announce_to_person(
        self,
        addresses: &[&str],
        stdout: &mut impl Write,
    ) -> Result<Announced, StartError> {
        let entry = serde_json::json!({
            "Protocol": "grpc",
            "ProtocolVersion": self.version,
            "Pid": std::process::id(),
            "Test": true, // the host must not end us after its first command
            "Addr": { "Network": self.socket.network, "String": self.socket.address },
        });
        // Each host looks for the address of its own registry, and ignores the others.
        let entries = addresses.iter().map(|address| ((*address).to_owned(), entry.clone()));
        let reattach = serde_json::Value::Object(entries.collect());
        let text = format!(
            "Serving {} on the {} socket {}\n\
             without TLS and without a password, open to {}:\n\
             whoever connects can use the provider with the credentials that it was configured with.\n\
             To use it from another shell:\n\
             \n\
             \x20 export TF_REATTACH_PROVIDERS='{reattach}'\n\
             \n\
             Ctrl-C ends it.\n",
            addresses.join(" and "),
            self.socket.network,
            self.socket.address,
            self.socket.open_to,
        );
        self.announce(&text, stdout)
    }

    fn announce(self, text: &str, stdout: &mut impl Write) -> Result<Announced, StartError> {
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(StartError::Announce)?;
        Ok(Announced(self))
    }
}

/// The handshake line was written: the host knows the address.
pub(super) struct Announced(Listening);

impl Announced {
    /// Starts the server and comes back at once.
    pub(super) fn serve<P: Provider>(self, runtimes: Runtimes, provider: impl FnOnce() -> P) -> Serving {
        let Listening {
            socket,
            acceptor,
            tls,
            signals,
            ..
        } = self.0;
        let (end, reasons) = End::new();
        let provider = {
            let _context = runtimes.calls.enter();
            Arc::new(provider())
        };
        let calls = runtimes.calls.handle().clone();
        let stop = {
            let (provider, calls) = (Arc::clone(&provider), calls.clone());
            move || {
                calls.spawn(async move {
                    provider
                        .stop_provider(Request::new(stop_provider::Request {}))
                        .await
                        .is_ok()
                });
            }
        };
        let service = Elsewhere {
            service: ProviderServer::from_arc(provider)
                .max_decoding_message_size(LARGEST_MESSAGE)
                .max_encoding_message_size(LARGEST_MESSAGE),
            runtime: calls,
        };
        runtimes.wire.spawn(watch(signals, stop, end.clone()));
        runtimes.wire.spawn(serve_calls(acceptor, tls, service, end));
        Serving {
            runtimes,
            reasons,
            _socket: socket,
        }
    }
}

/// Waits for signals and starts the end. The running calls are told to stop, as the host does it on Ctrl-C.
async fn watch(mut signals: Signals, stop_calls: impl FnOnce(), end: End) {
    let reason = signals.next().await;
    stop_calls();
    end.begin(reason);
    signals.next().await;
    end.begin(Reason::Insisted);
}

async fn serve_calls<P: Provider>(
    acceptor: Acceptor,
    tls: Option<Tls>,
    provider: Elsewhere<ProviderServer<P>>,
    end: End,
) {
    let (accepted, connections) = tokio::sync::mpsc::channel(CONNECTIONS_WAITING);
    let accepting = tokio::spawn(accept(acceptor, tls.map(|tls| tls.acceptor), accepted, end.token()));
    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_service_status(HEALTH_NAME, tonic_health::ServingStatus::Serving)
        .await;
    let served = Server::builder()
        .add_service(provider)
        .add_service(GrpcControllerServer::new(Controller(end.clone())))
        .add_service(GrpcStdioServer::new(Stdio(end.token())))
        .add_service(GrpcBrokerServer::new(Broker(end.token())))
        .add_service(health_service)
        .serve_with_incoming_shutdown(ReceiverStream::new(connections), end.token().cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the server failed");
    }
    accepting.abort();
    end.begin(Reason::Drained);
}

/// The threads of the plugin.
pub(super) struct Runtimes {
    /// Serves the connection and hears the signals.
    pub(super) wire: Runtime,
    /// Runs the provider's calls.
    pub(super) calls: Runtime,
}

impl Runtimes {
    /// Measured in release: how many threads there are makes no difference to the start (2 ms, most of it the
    /// process's own) nor to the memory at the handshake (6 MiB).
    pub(super) fn start() -> Result<Self, StartError> {
        let runtime = |name: &str, threads| {
            Builder::new_multi_thread()
                .worker_threads(threads)
                .thread_name(name)
                .enable_all()
                .build()
        };
        Ok(Self {
            wire: runtime("wire", 1).map_err(StartError::Runtime)?,
            calls: runtime("calls", 2).map_err(StartError::Runtime)?,
        })
    }
}

/// The server runs. The main thread stays outside the runtimes, so that nothing in them can keep it from ending the process.
pub(super) struct Serving {
    runtimes: Runtimes,
    reasons: mpsc::Receiver<Reason>,
    /// Removed last, when nobody can connect any more.
    _socket: Socket,
}

impl Serving {
    /// Blocks until the last call has been answered, or until it has taken too long.
    pub(super) fn wait(self) -> ExitCode {
        let mut first = None;
        let mut deadline: Option<Instant> = None;
        loop {
            let heard = match deadline {
                None => self.reasons.recv().ok(),
                Some(deadline) => self
                    .reasons
                    .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                    .ok(),
            };
            // Silence here means that the time is up.
            let Some(reason) = heard else { break };
            first.get_or_insert(reason);
            let latest = Instant::now() + reason.patience();
            deadline = Some(deadline.map_or(latest, |deadline| deadline.min(latest)));
        }
        self.runtimes.calls.shutdown_background();
        self.runtimes.wire.shutdown_background();
        match first {
            Some(
                Reason::HostAsked | Reason::Terminated | Reason::Orphaned | Reason::Interrupted | Reason::Insisted,
            ) => ExitCode::SUCCESS,
            Some(Reason::Drained) | None => ExitCode::FAILURE, // nobody asked for it
        }
    }
}

/// As Go's framework has it. Configurations of several megabytes exist; the library's default is 4 MiB.
const LARGEST_MESSAGE: usize = 256 << 20;
/// The name under which go-plugin asks.
const HEALTH_NAME: &str = "plugin";
const CONNECTIONS_WAITING: usize = 16;
