//! One HTTP stack for every service the provider talks to.
//!
//! [`Client::send`] is the only way out of the process: it signs nothing and knows no service, but every call gets the
//! same TLS rules, retry policy, rate limit, size cap, time limit and log line. What a status code *means* is the
//! caller's business: an [`Answer`] is handed back for every final status except the redirects, which are never followed.
//!
//! - [`client`]: the send loop. [`retry`]: what may be sent again, and when. [`rate_limit`]: rate limit and concurrency.
//! - [`tls`]: roots, client certificates, and what a failed handshake means.
//! - [`secret`]: values that must not be printed, and the masking of everything that is.
//! - [`token_cache`]: a sign-in shared by all calls. [`jwt_claims`]: what an access token says about itself.

mod answer;
mod client;
mod error;
pub mod jwt_claims;
mod limits;
mod options;
mod proxy;
mod rate_limit;
mod request;
mod retry;
pub mod secret;
#[cfg(test)]
pub(crate) mod test_server;
#[cfg(test)]
mod tests;
mod tls;
pub mod token_cache;

pub use answer::{Answer, NotJson};
pub use client::Client;
pub use error::{HttpError, OptionsError, TlsProblem};
pub use limits::Limits;
pub use options::{ClientOptions, Correlation};
pub use proxy::Proxies;
pub use request::{Origin, Request, as_typed, probably_meant};
pub use reqwest::{Method, StatusCode, header};
pub use retry::{Backoff, Repeat};
pub use secret::Secret;
pub(crate) use tls::has_encrypted_key;
pub use url::Url;

/// A text without the mark (U+FEFF) that editors on Windows and some gateways put first.
#[must_use]
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
