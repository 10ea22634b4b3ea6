//! From the listener to streams that tonic can serve.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

use crate::plugin::transport::socket::{Acceptor, Stream};

/// One peer, past its TLS handshake if there is TLS.
pub(super) struct Connection(Pin<Box<dyn Bytes>>);

trait Bytes: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Bytes for T {}

/// Accepts until `end`, and hands on each peer that got in.
///
/// Every TLS handshake is a task of its own with a deadline: a peer that connects and stays silent must not keep
/// the others waiting. What fails is logged and forgotten.
pub(super) async fn accept(
    acceptor: Acceptor,
    tls: Option<TlsAcceptor>,
    accepted: mpsc::Sender<io::Result<Connection>>,
    end: CancellationToken,
) {
    let mut handshakes = JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = end.cancelled() => return,
            Some(_) = handshakes.join_next(), if !handshakes.is_empty() => continue,
            stream = acceptor.accept() => stream,
        };
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                // Usually the limit of open files. It passes when another connection ends; until then do not spin.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(PAUSE_AFTER_FAILED_ACCEPT).await;
                continue;
            }
        };
        handshakes.spawn(enter(stream, tls.clone(), accepted.clone()));
    }
}

async fn enter(stream: Stream, tls: Option<TlsAcceptor>, accepted: mpsc::Sender<io::Result<Connection>>) {
    let connection = match tls {
        None => Connection(Box::pin(stream)),
        Some(tls) => match timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => Connection(Box::pin(stream)),
            Ok(Err(error)) => {
                tracing::warn!(%error, "refused a connection: its TLS handshake failed");
                return;
            }
            Err(_) => {
                tracing::warn!(
                    seconds = HANDSHAKE_TIMEOUT.as_secs(),
                    "closed a connection that did not finish its TLS handshake"
                );
                return;
            }
        },
    };
    // An error here means that the server has ended.
    let _ = accepted.send(Ok(connection)).await;
}

/// Time for a TLS handshake, which takes a few milliseconds on an idle machine.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(cx)
    }
}
