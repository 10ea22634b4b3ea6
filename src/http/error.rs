//! Why a request got no usable answer.

use std::{error::Error, path::PathBuf, sync::Arc, time::Duration};

use super::Answer;

/// Shared, so that callers waiting for one sign-in can all be told the same.
pub(super) type Cause = Arc<dyn Error + Send + Sync>;

/// Why a request got no usable answer. Variants differ by what the caller can do next.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// The user interrupted the run before the request was sent, or it is safe to forget that it was.
    #[error("the operation was interrupted")]
    Cancelled,
    /// The operation's time is over. A request with [`super::Repeat::Never`] never ends this way once it was sent.
    #[error("no usable answer in {}{}; raise the operation's timeout, or look at why the other side is slow", seconds(.waited), last.as_ref().map(|last| format!(" (the last attempt: {last})")).unwrap_or_default())]
    DeadlineExceeded {
        /// Time spent on this request, pauses included.
        waited: Duration,
        /// What became of the last attempt.
        last: Option<String>,
    },
    /// The client's own settings cannot be used.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The host name has no address.
    #[error(
        "the name {host} cannot be resolved; check the address for a typing error, and that this machine's DNS knows it"
    )]
    Dns {
        /// The host asked for.
        host: String,
        /// The resolver's words.
        #[source]
        source: Cause,
    },
    /// No connection: nothing was sent.
    #[error(
        "no connection to {host}; check the address, the port and what lies between (firewall, proxy, VPN)"
    )]
    Connect {
        /// Host and port.
        host: String,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// The proxy of `HTTPS_PROXY` or `HTTP_PROXY` let nothing through: nothing was sent.
    #[error(
        "the proxy set by HTTPS_PROXY or HTTP_PROXY did not connect to {host}: {why}; correct the proxy address and its credentials, or list the host in NO_PROXY"
    )]
    ProxyRefused {
        /// The host asked for.
        host: String,
        /// What the proxy said.
        why: String,
    },
    /// The other side is not trusted, or does not trust us: nothing was sent.
    #[error("no TLS connection to {host}: {problem}")]
    Tls {
        /// The host asked for.
        host: String,
        /// What is wrong, and what to do.
        problem: TlsProblem,
        /// The library's words.
        #[source]
        source: Cause,
    },
    /// The connection broke or stayed silent, also after all retries. The request may be sent again.
    #[error("{host} gave no answer: {why}")]
    Lost {
        /// The host asked for.
        host: String,
        /// How it was lost.
        why: String,
    },
    /// The request may or may not have taken effect. The caller has to look before it sends it again.
    #[error("{host} may or may not have carried out the request: {why}")]
    Uncertain {
        /// The host asked for.
        host: String,
        /// What happened.
        why: String,
        /// The answer, if there was one (a 5xx): its body may say more.
        answer: Option<Arc<Answer>>,
    },
    /// The server pointed elsewhere. Never followed: credentials go to the configured host only.
    #[error(
        "{host} answered with a redirect (status {status}) to {to}; redirects are not followed, set the address that answers itself"
    )]
    Redirected {
        /// The host asked for.
        host: String,
        /// The status, 3xx.
        status: u16,
        /// The `Location`, without its query.
        to: String,
    },
    /// Plain HTTP to another machine.
    #[error(
        "{url} is not encrypted; use https:// (http:// is accepted for loopback addresses only)"
    )]
    InsecureUrl {
        /// The refused address.
        url: String,
    },
    /// Not an address at all, or one that cannot be a base.
    #[error("{url} is not a usable address: {why}")]
    BadUrl {
        /// The refused text.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The request was about to carry credentials to a host that was not configured.
    #[error("refused to send credentials of {allowed} to {host}")]
    ForeignHost {
        /// Where the request pointed.
        host: String,
        /// Where it may go.
        allowed: String,
    },
    /// The answer is larger than anything expected.
    #[error("{host} answered with more than {limit} bytes")]
    TooLarge {
        /// The host asked for.
        host: String,
        /// The cap, bytes.
        limit: usize,
    },
    /// Too many requests, and waiting for permission would take longer than the operation may.
    #[error("{host} limits the request rate{}; set requests_per_second in the provider block to stay below the limit, lower Terraform's -parallelism, or raise the operation's timeout",
        retry_after.map(|wait| format!(" and asks to wait {} more", seconds(&wait))).unwrap_or_default())]
    RateLimited {
        /// The host asked for.
        host: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
}

impl HttpError {
    /// Whether the user's interruption ended the call.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }

    /// Adds what is known of the attempts so far to an exceeded deadline.
    pub(super) fn after(mut self, total: Duration, so_far: Option<&str>) -> Self {
        if let Self::DeadlineExceeded { waited, last } = &mut self {
            *waited = total;
            *last = last.take().or_else(|| so_far.map(str::to_owned));
        }
        self
    }

    /// Whether the request may have taken effect although there is no good answer.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::Uncertain { .. })
    }
}

/// Settings that no request can be sent with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OptionsError {
    /// A file is not there or may not be read.
    #[error("{attribute}: the file {} cannot be read ({why}); check the path and its permissions", path.display())]
    Unreadable {
        /// The provider's attribute.
        attribute: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A file holds no PEM of the right kind, or a broken one.
    #[error("{attribute}: the file {} holds no usable {wanted} in PEM form ({why})", path.display())]
    BadPem {
        /// The provider's attribute.
        attribute: &'static str,
        /// The file.
        path: PathBuf,
        /// "certificate" or "private key".
        wanted: &'static str,
        /// What was found.
        why: String,
    },
    /// Only half of a client certificate.
    #[error("client_certificate_path is set to {}, but no private key: set client_key_path, or append the key to that file", path.display())]
    CertificateWithoutKey {
        /// The certificate's file.
        path: PathBuf,
    },
    /// Only the other half.
    #[error("client_key_path is set to {}, but client_certificate_path is not", path.display())]
    KeyWithoutCertificate {
        /// The key's file.
        path: PathBuf,
    },
    /// Certificate and key do not belong together, or the key's kind is unknown.
    #[error("the client certificate {} and its private key cannot be used together: {why}", path.display())]
    UnusablePair {
        /// The certificate's file.
        path: PathBuf,
        /// The library's words.
        why: String,
    },
    /// A header made from a setting is none.
    #[error("{what} holds characters that an HTTP header may not: use printable ASCII")]
    BadHeader {
        /// Which setting.
        what: &'static str,
    },
    /// Anything else the library refuses.
    #[error("the HTTP client cannot be set up: {why}")]
    Unusable {
        /// The library's words.
        why: String,
    },
}

/// What went wrong in a TLS handshake, and what to do about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlsProblem {
    /// Signed by an authority that this machine does not know.
    #[error(
        "its certificate is signed by an authority that is not trusted here; set ca_certificate_path or SSL_CERT_FILE to the authority's certificate (PEM)"
    )]
    UnknownAuthority,
    /// This machine has no trusted authorities at all.
    #[error(
        "this machine has no trusted certificate authorities; install them (package ca-certificates), or set ca_certificate_path or SSL_CERT_FILE"
    )]
    NoRoots,
    /// Past its end.
    #[error("its certificate has expired; if it has not, this machine's clock is ahead")]
    Expired,
    /// Before its begin.
    #[error("its certificate is not valid yet; this machine's clock is probably behind")]
    NotYetValid,
    /// For another host.
    #[error("its certificate is for another host name; check the address")]
    WrongName,
    /// The server asks for a client certificate, or refuses the one it got.
    #[error(
        "the server refused the client certificate or asks for one; check client_certificate_path and client_key_path"
    )]
    ClientCertificate,
    /// Old protocol versions only, or no cipher in common.
    #[error("the server offers no TLS version 1.2 or newer with a cipher in common")]
    Protocol,
    /// Anything else about the certificate or the handshake.
    #[error("the handshake failed")]
    Other,
}

pub(super) fn seconds(duration: &Duration) -> String {
    match duration.as_millis() {
        millis @ 0..10_000 => format!("{:.1} s", millis as f64 / 1000.0),
        _ => format!("{} s", duration.as_secs()),
    }
}
