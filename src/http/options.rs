//! What a client is built from.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::HeaderName;

use crate::http::{Backoff, Proxies};

/// The settings of one client. There are no defaults here: the caller's configuration knows them.
///
/// The system's roots (`SSL_CERT_FILE`, `SSL_CERT_DIR`) come from the process environment, read when the first request is
/// sent.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// PEM file with certificate authorities, trusted in addition to the system's.
    pub ca_certificate_path: Option<PathBuf>,
    /// PEM file with the client's certificate (and its chain). May hold the key as well.
    pub client_certificate_path: Option<PathBuf>,
    /// PEM file with the client's private key.
    pub client_key_path: Option<PathBuf>,
    /// Which of these options came from an environment variable, and from which: messages name it.
    pub variables: Vec<(&'static str, String)>,
    /// What the environment says about proxies.
    pub proxies: Proxies,
    /// For one attempt: from sending to the last byte of the answer.
    pub request_timeout: Duration,
    /// How often one request may be sent again; 0 sends each once.
    pub max_retries: u32,
    /// Upper bound of requests per second, evenly spaced; `None` for no bound.
    pub requests_per_second: Option<f64>,
    /// Requests in flight at one time.
    pub max_concurrent: usize,
    pub user_agent: String,
    /// Sent with every request, so that the other side's log can be matched to ours.
    pub correlation: Option<Correlation>,
    /// The pauses between attempts when the server does not ask for one.
    pub backoff: Backoff,
}

impl ClientOptions {
    /// What messages call an option.
    pub(super) fn called(&self, option: &'static str) -> String {
        match self.variables.iter().find(|(name, _)| *name == option) {
            Some((_, variable)) => format!("{option} (from {variable})"),
            None => option.to_owned(),
        }
    }
}

/// A header that marks all requests of one run.
#[derive(Clone, Debug)]
pub struct Correlation {
    pub header: HeaderName,
    /// Its value: printable ASCII.
    pub id: String,
}
