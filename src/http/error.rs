//! Why a request got no usable answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::http::Answer;

/// Why a request got no usable answer. Variants differ by what the caller can do next; [`HttpError::remedy`] says what the
/// user can do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// The user interrupted the run before the request was sent, or it is safe to forget that it was.
    #[error("the operation was interrupted")]
    Cancelled,
    /// The operation's time is over. A request with [`super::Repeat::Never`] never ends this way once it was sent.
    #[error("no usable response within {}{}", seconds(.waited), last.as_ref().map(|last| format!(" (the last attempt: {last})")).unwrap_or_default())]
    DeadlineExceeded {
        /// Time spent on this request, pauses included.
        waited: Duration,
        /// How the last attempt ended.
        last: Option<String>,
    },
    /// The client's own settings cannot be used.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// The host name has no address.
    #[error("the name {host} cannot be resolved ({why})")]
    Dns {
        host: String,
        /// Scheme and host.
        address: String,
        /// The message of the resolver.
        why: String,
    },
    /// No connection: nothing was sent.
    #[error("no connection to {host} ({why})")]
    Connect {
        /// Host and port.
        host: String,
        /// Scheme and host.
        address: String,
        /// The message of the operating system.
        why: String,
    },
    /// The proxy let nothing through: nothing was sent.
    #[error("{proxy} did not connect to {host}: {why}")]
    ProxyRefused {
        /// Which proxy, and where it is configured.
        proxy: String,
        host: String,
        /// Scheme and host.
        address: String,
        /// The proxy's response.
        why: String,
    },
    /// The other side is not trusted, or does not trust us: nothing was sent.
    #[error("no TLS connection to {host}: {problem} ({why})")]
    Tls {
        host: String,
        /// Scheme and host.
        address: String,
        problem: TlsProblem,
        /// The message of the TLS library.
        why: String,
    },
    /// The connection broke or stayed silent, also after all retries. The request may be sent again.
    #[error("{host} did not respond: {why}")]
    Lost {
        host: String,
        /// How it was lost.
        why: String,
    },
    /// The request may or may not have taken effect. The caller has to look before it sends it again.
    #[error("{host} may or may not have carried out the request: {why}")]
    Uncertain {
        host: String,
        why: String,
        /// The answer, if there was one (a 5xx): its body may say more.
        answer: Option<Arc<Answer>>,
    },
    /// The server pointed elsewhere. Never followed: credentials go to the configured host only.
    #[error("{host} responded with a redirect (status {status}) to {to}; redirects are not followed")]
    Redirected {
        host: String,
        /// The status, 3xx.
        status: u16,
        /// The `Location`, without its query.
        to: String,
    },
    /// Plain HTTP to another machine.
    #[error("\"{url}\" is not encrypted: http:// is accepted for loopback addresses only")]
    InsecureUrl {
        url: String,
        /// The address that was probably meant.
        meant: Option<String>,
    },
    /// Not an address at all, or one that cannot be a base.
    #[error("\"{url}\" is not a valid address: {why}")]
    BadUrl {
        /// The refused text as it was given, without credentials.
        url: String,
        why: String,
        /// The address that was probably meant.
        meant: Option<String>,
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
    #[error("{host} responded with more than {limit} bytes")]
    TooLarge {
        host: String,
        /// The cap, bytes.
        limit: usize,
    },
    /// The answer is compressed, although the request asked for no compression.
    #[error("{host} responded with a compressed body ({encoding}), which the request did not ask for")]
    Compressed {
        host: String,
        /// `Content-Encoding`.
        encoding: String,
    },
    /// Too many requests, and waiting for permission would take longer than the operation may.
    #[error("{host} limits the request rate{}",
        retry_after.map(|wait| format!(" and asks to wait {} more", seconds(&wait))).unwrap_or_default())]
    RateLimited {
        host: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
}

impl HttpError {
    /// What the user can do about it, in full sentences; settings are called as in [`super::ClientOptions`].
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Cancelled => "Run it again to complete it.".to_owned(),
            Self::DeadlineExceeded { .. } => {
                "Raise the operation's timeout, or find out why the server is slow.".to_owned()
            }
            Self::Options(error) => error.remedy(),
            Self::Dns { .. } => {
                "Check the address for typing errors, and that this machine's DNS can resolve the name.".to_owned()
            }
            Self::Connect { .. } => {
                "Check the address, the port and the network path (firewall, proxy, VPN).".to_owned()
            }
            Self::ProxyRefused { .. } => {
                "Correct the proxy's address and credentials, or list the host in NO_PROXY. If the proxy works for other \
                 hosts, check the address of this one: a proxy also refuses a name that it does not find."
                    .to_owned()
            }
            Self::Tls { problem, .. } => problem.remedy().to_owned(),
            Self::Lost { .. } => "Run it again when the host is reachable.".to_owned(),
            Self::Uncertain { .. } => "Check whether it took effect before running it again.".to_owned(),
            Self::Redirected { .. } => "Use the address that responds without a redirect.".to_owned(),
            Self::InsecureUrl { meant, .. } => match meant {
                Some(meant) => format!("Use \"{meant}\"."),
                None => "Use https://.".to_owned(),
            },
            Self::BadUrl { meant, .. } => match meant {
                Some(meant) => format!("Use \"{meant}\"."),
                None => "Use the full address, such as \"https://host\".".to_owned(),
            },
            Self::ForeignHost { .. } => "This is a bug in the provider: please report it.".to_owned(),
            Self::TooLarge { .. } => {
                "Check what is serving this address: no response of this size is expected.".to_owned()
            }
            Self::Compressed { .. } => {
                "Configure the proxy or gateway to leave responses uncompressed for clients that send no \
                 Accept-Encoding."
                    .to_owned()
            }
            Self::RateLimited { .. } => {
                "Set requests_per_second to stay below the limit, run fewer operations at a time, or raise the \
                 operation's timeout."
                    .to_owned()
            }
        }
    }

    /// The address (`https://host`) to which there was no connection at all, whatever was to be sent.
    #[must_use]
    pub fn unreachable(&self) -> Option<&str> {
        match self {
            Self::Dns { address, .. }
            | Self::Connect { address, .. }
            | Self::ProxyRefused { address, .. }
            | Self::Tls { address, .. } => Some(address),
            Self::Cancelled
            | Self::DeadlineExceeded { .. }
            | Self::Options(_)
            | Self::Lost { .. }
            | Self::Uncertain { .. }
            | Self::Redirected { .. }
            | Self::InsecureUrl { .. }
            | Self::BadUrl { .. }
            | Self::ForeignHost { .. }
            | Self::TooLarge { .. }
            | Self::Compressed { .. }
            | Self::RateLimited { .. } => None,
        }
    }

    /// Whether only the caller's own time or interruption ended the call, so that another caller may fare better.
    #[must_use]
    pub fn is_callers_own(&self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::DeadlineExceeded { .. } | Self::RateLimited { .. }
        )
    }

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

/// Settings that no request can be sent with. They are called as in [`super::ClientOptions`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum OptionsError {
    /// A file is not there or may not be read.
    #[error("{option}: the file {} cannot be read ({why})", path.display())]
    Unreadable {
        option: String,
        path: PathBuf,
        /// The message of the operating system.
        why: String,
    },
    /// A file holds no PEM of the right kind, or a broken one.
    #[error("{option}: the file {} contains no valid {wanted} in PEM format ({why})", path.display())]
    BadPem {
        option: String,
        path: PathBuf,
        /// "certificate" or "private key".
        wanted: &'static str,
        /// What was found.
        why: String,
    },
    /// A private key with a passphrase.
    #[error("{option}: the private key in the file {} is encrypted", path.display())]
    EncryptedKey { option: String, path: PathBuf },
    /// A client certificate without its key.
    #[error("client_certificate_path is set to {}, but there is no private key", path.display())]
    CertificateWithoutKey { path: PathBuf },
    /// A client key without its certificate.
    #[error("client_key_path is set to {}, but client_certificate_path is not", path.display())]
    KeyWithoutCertificate {
        /// The key's file.
        path: PathBuf,
    },
    /// Certificate and key do not belong together, or the key's kind is unknown.
    #[error("the client certificate {} and its private key cannot be used together: {why}", path.display())]
    UnusablePair {
        path: PathBuf,
        /// The message of the TLS library.
        why: String,
    },
    /// A proxy address that is not valid.
    #[error("the environment variable {variable} is not a valid proxy address: {why}")]
    Proxy { variable: &'static str, why: String },
    /// A header made from a setting is none.
    #[error("{what} contains characters that are not allowed in an HTTP header")]
    BadHeader { what: &'static str },
    /// Anything else the library refuses.
    #[error("the HTTP client cannot be set up: {why}")]
    Unusable {
        /// The message of the TLS library.
        why: String,
    },
}

impl OptionsError {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreadable { .. } => "Check the path and its permissions.".to_owned(),
            Self::BadPem { wanted, .. } => {
                format!("Use a file with a {wanted} in PEM format, BEGIN and END lines included.")
            }
            Self::EncryptedKey { .. } => {
                "Remove the passphrase, for example with `openssl pkey -in FILE -out NEW_FILE`, and protect the new file."
                    .to_owned()
            }
            Self::CertificateWithoutKey { .. } => {
                "Set client_key_path, or append the private key to that file.".to_owned()
            }
            Self::KeyWithoutCertificate { .. } => "Set client_certificate_path as well, or remove the key.".to_owned(),
            Self::UnusablePair { .. } => "Use the private key that belongs to the certificate.".to_owned(),
            Self::Proxy { variable, .. } => format!(
                "Set {variable} to an address such as http://proxy.example.com:8080, or remove it to connect directly."
            ),
            Self::BadHeader { .. } => "Use printable ASCII.".to_owned(),
            Self::Unusable { .. } => "Correct the settings and run it again.".to_owned(),
        }
    }
}

/// What went wrong in a TLS handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TlsProblem {
    /// Signed by an authority that this machine does not know.
    #[error("its certificate is signed by an untrusted authority")]
    UnknownAuthority,
    /// This machine has no trusted authorities at all.
    #[error("this machine has no trusted certificate authorities")]
    NoRoots,
    #[error("its certificate has expired")]
    Expired,
    /// Its validity has not started.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// For another host.
    #[error("its certificate is for another host name")]
    WrongName,
    /// The server asks for a client certificate, or refuses the one it got.
    #[error("the server refused the client certificate or asks for one")]
    ClientCertificate,
    /// Old protocol versions only, or no cipher in common.
    #[error("the server offers no TLS version 1.2 or newer with a cipher in common")]
    Protocol,
    /// Something else than TLS, such as a plain HTTP server.
    #[error("the server does not speak TLS at this port")]
    NotTls,
    /// Anything else about the certificate or the handshake.
    #[error("the handshake failed")]
    Other,
}

impl TlsProblem {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::UnknownAuthority => {
                "Set ca_certificate_path or SSL_CERT_FILE to the authority's certificate in PEM form."
            }
            Self::NoRoots => {
                "Install certificate authorities (package ca-certificates), or set ca_certificate_path or SSL_CERT_FILE."
            }
            Self::Expired => "Renew the certificate. If it has not expired, this machine's clock is ahead: correct it.",
            Self::NotYetValid => "This machine's clock is probably behind: correct it.",
            Self::WrongName => "Check the address.",
            Self::ClientCertificate => "Check client_certificate_path and client_key_path.",
            Self::Protocol => "Enable TLS 1.2 or newer on the server, or on the proxy in between.",
            Self::NotTls => {
                "Check the port: an HTTP server without TLS seems to listen there. If this is a proxy, its address may \
                 have to begin with http://."
            }
            Self::Other => "Run it again. If the error persists, check the network path (firewall, proxy, VPN).",
        }
    }
}

pub(super) fn seconds(duration: &Duration) -> String {
    match duration.as_millis() {
        millis @ 0..10_000 => format!("{:.1} s", millis as f64 / 1000.0),
        _ => format!("{} s", duration.as_secs()),
    }
}
