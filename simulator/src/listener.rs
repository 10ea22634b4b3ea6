//! The listeners: TLS, HTTP/1.1, cut connections, remembered panics and the log of requests.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::faults::Cut;
use crate::history::History;
use crate::instance::ClientCertificate;
use crate::sync::lock;
use crate::tls;

/// What a service was asked, oldest first. Bodies hold secrets as they came: for tests only, never printed.
#[derive(Clone, Default)]
pub struct RequestLog(Arc<Mutex<History<LoggedRequest>>>);

/// One request as it arrived, and the status of its answer.
#[derive(Clone)]
pub struct LoggedRequest {
    /// Upper case.
    pub method: String,
    /// Path with the query, as sent.
    pub uri: String,
    /// As sent.
    pub headers: HeaderMap,
    /// As sent; may hold secrets.
    pub body: String,
    /// Of the answer; 0 when the connection was cut instead.
    pub status: u16,
}

impl RequestLog {
    /// All requests so far.
    pub fn all(&self) -> Vec<LoggedRequest> {
        lock(&self.0).all()
    }

    /// How many requests had this method and a path that starts so.
    pub fn count(&self, method: &str, path: &str) -> usize {
        self.all()
            .iter()
            .filter(|request| request.method == method && request.uri.starts_with(path))
            .count()
    }

    /// Forgets the past.
    pub fn clear(&self) {
        lock(&self.0).clear();
    }

    pub(crate) fn keep_at_most(&self, requests: usize) {
        let mut kept = lock(&self.0);
        kept.keep_at_most(requests);
    }

    fn push(&self, request: LoggedRequest) {
        lock(&self.0).push(request);
    }
}

impl std::fmt::Debug for LoggedRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {} -> {}", self.method, self.uri, self.status)
    }
}

/// Panics of handlers. They are answered with 500, and whoever stops the simulator hears of them.
#[derive(Clone, Default)]
pub(crate) struct Panics(Arc<Mutex<Vec<String>>>);

impl Panics {
    pub(crate) fn all(&self) -> Vec<String> {
        lock(&self.0).clone()
    }

    /// What was not taken before.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0))
    }

    fn remember(&self, panic: &(dyn Any + Send)) {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a text".to_owned());
        lock(&self.0).push(text);
    }
}

/// One service on one listener.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) log: RequestLog,
    pub(crate) panics: Panics,
    /// Told after every request that may have changed something.
    pub(crate) changed: Arc<Notify>,
    /// Without it the listener speaks plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Serves until the task is dropped; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, service: Service) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error here is the client's, such as a reset before the accept; the next client may do better.
                let Ok((stream, _)) = accepted else { continue };
                let service = service.clone();
                connections.spawn(async move {
                    // Nagle's delay would be most of the time of a test.
                    let _ = stream.set_nodelay(true);
                    match &service.tls {
                        None => service.connection(stream, None).await,
                        Some(acceptor) => {
                            // A client that does not trust us leaves in the handshake: nothing to answer.
                            let Ok(stream) = acceptor.accept(stream).await else { return };
                            let certificate = tls::client_certificate(stream.get_ref().1);
                            service.connection(stream, certificate).await;
                        }
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct CutOnPurpose;

impl Service {
    async fn connection<S>(&self, stream: S, certificate: Option<ClientCertificate>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let answer = hyper::service::service_fn(|request: Request<Incoming>| {
            let certificate = certificate.clone();
            async move {
                let mut request = request.map(Body::new);
                if let Some(certificate) = certificate {
                    request.extensions_mut().insert(certificate);
                }
                self.answer(request).await
            }
        });
        // An error means that the client is gone or that we cut: neither has an audience.
        let _ = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), answer)
            .await;
    }

    async fn answer(&self, request: Request) -> Result<Response, CutOnPurpose> {
        let (parts, body) = request.into_parts();
        // A truncated body is the client's own end of the connection.
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
            return Err(CutOnPurpose);
        };
        let mut logged = LoggedRequest {
            method: parts.method.to_string(),
            uri: parts.uri.to_string(),
            headers: parts.headers.clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
            status: 0,
        };
        let request = Request::from_parts(parts, Body::from(body));
        let response = match AssertUnwindSafe(self.router.clone().oneshot(request))
            .catch_unwind()
            .await
        {
            Ok(answered) => answered.unwrap_or_else(|never: Infallible| match never {}),
            Err(panic) => {
                self.panics.remember(panic.as_ref());
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        };
        if logged.method != "GET" {
            self.changed.notify_one();
        }
        if response.extensions().get::<Cut>().is_some() {
            self.log.push(logged);
            return Err(CutOnPurpose);
        }
        logged.status = response.status().as_u16();
        self.log.push(logged);
        Ok(response)
    }
}

const MAX_BODY: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::response::IntoResponse;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// What the client reads until the connection closes.
    async fn ask(method: &str, path: &str) -> (String, Service) {
        let panicking = async || -> StatusCode { panic!("a handler's mistake") };
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/panic", get(panicking))
            .route("/cut", post(async || axum::Extension(Cut).into_response()));
        let service = Service {
            router,
            log: RequestLog::default(),
            panics: Panics::default(),
            changed: Arc::default(),
            tls: None,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(serve(listener, service.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        serving.abort();
        (answer, service)
    }

    #[tokio::test]
    async fn a_request_is_answered_and_logged() {
        let (answer, service) = ask("GET", "/").await;

        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"),
            "{answer}"
        );
        assert_eq!(service.log.count("GET", "/"), 1);
        assert_eq!(service.log.all()[0].status, 200);
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_500_and_remembered() {
        let (answer, service) = ask("GET", "/panic").await;

        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert_eq!(service.panics.all(), ["a handler's mistake"]);
    }

    #[tokio::test]
    async fn a_cut_connection_has_no_answer_but_a_line_in_the_log() {
        let (answer, service) = ask("POST", "/cut").await;

        assert_eq!(answer, "");
        assert_eq!(service.log.all()[0].status, 0);
    }
}
