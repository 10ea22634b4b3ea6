//! A server of a few lines on loopback, for what no simulator does: proxies, redirects, token services.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers each connection once, and remembers what it was sent.
pub(crate) struct Listener {
    port: u16,
    received: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    /// Gives every client these bytes.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 64 << 10];
                // A client that leaves early has sent all that it wanted to.
                let length = stream.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                log.lock().unwrap().push(text);
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { port, received }
    }

    /// Gives every client this answer of HTTP.
    pub(crate) async fn http(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::answering(format!(
            "HTTP/1.1 {status} Some\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}
