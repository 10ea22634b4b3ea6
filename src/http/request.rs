//! What is sent, and to whom it may be sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use url::{Host, Url, form_urlencoded};

use crate::http::{HttpError, OptionsError, Repeat, Secret, secret};

/// A configured base address: the only place that requests made for it may go to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    base: Url,
}

impl Origin {
    /// Parses a base address such as `https://dev1.example.com/` and proves that credentials may go there.
    ///
    /// # Errors
    /// [`HttpError::BadUrl`]; [`HttpError::InsecureUrl`] for `http://` to anything but a loopback address.
    pub fn parse(text: &str) -> Result<Self, HttpError> {
        let bad = |why: &str| HttpError::BadUrl {
            url: as_typed(text),
            why: why.to_owned(),
            meant: probably_meant(text),
        };
        let base = match Url::parse(text.trim()) {
            Ok(base) if base.has_host() || text.contains("://") => base,
            // "host:8443/path" reads as the scheme "host".
            Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) => return Err(bad("it does not begin with https://")),
            Err(error) => return Err(bad(&error.to_string())),
        };
        if !base.has_host() || !matches!(base.scheme(), "http" | "https") {
            return Err(bad("it must begin with https:// and name a host"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(bad("it must not contain credentials"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(bad("it must not have a query or a fragment"));
        }
        if base.scheme() == "http" && !is_loopback(&base) {
            return Err(HttpError::InsecureUrl {
                url: as_typed(text),
                meant: probably_meant(text),
            });
        }
        Ok(Self { base })
    }

    /// Splits a complete address, query and all, into the origin that it may go to and the address itself.
    ///
    /// # Errors
    /// As [`Origin::parse`].
    pub fn locate(text: &str) -> Result<(Self, Url), HttpError> {
        let url = Url::parse(text.trim()).map_err(|error| HttpError::BadUrl {
            url: as_typed(text),
            why: error.to_string(),
            meant: None,
        })?;
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        base.set_path("/");
        Ok((Self::parse(base.as_str())?, url))
    }

    /// The address of `path` (percent-encoded by the caller) below this base; a leading slash is optional.
    ///
    /// # Errors
    /// [`HttpError::BadUrl`] if the result is not a valid address, [`HttpError::ForeignHost`] if it left the origin.
    pub fn join(&self, path: &str) -> Result<Url, HttpError> {
        let mut base = self.base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        // A colon in the first segment would read as a scheme, a second slash as a host.
        let relative = format!("./{}", path.trim_start_matches('/'));
        let url = base.join(&relative).map_err(|error| HttpError::BadUrl {
            url: as_typed(path),
            why: error.to_string(),
            meant: None,
        })?;
        self.check(&url)?;
        Ok(url)
    }

    /// The base address as configured.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Host and, where it is not the scheme's own, port.
    #[must_use]
    pub fn host(&self) -> String {
        host_and_port(&self.base)
    }

    pub(super) fn check(&self, url: &Url) -> Result<(), HttpError> {
        if url.origin() == self.base.origin() {
            return Ok(());
        }
        Err(HttpError::ForeignHost {
            host: host_and_port(url),
            allowed: self.host(),
        })
    }
}

/// One request, complete with its credentials.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) origin: Origin,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    pub(super) repeat: Repeat,
    pub(super) table: Option<String>,
    pub(super) label: Option<String>,
    pub(super) max_answer: usize,
}

impl Request {
    /// A request that accepts JSON and carries nothing yet. `origin` is the configured address that it may go to.
    #[must_use]
    pub fn new(method: Method, url: Url, origin: &Origin, repeat: Repeat) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self {
            method,
            url,
            origin: origin.clone(),
            headers,
            body: None,
            repeat,
            table: None,
            label: None,
            max_answer: DEFAULT_MAX_ANSWER,
        }
    }

    /// The table that it is about, for the log.
    #[must_use]
    pub fn table(mut self, table: &str) -> Self {
        self.table = Some(table.to_owned());
        self
    }

    /// What the log calls a request that is about no table: "token".
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        self.label = Some(label.to_owned());
        self
    }

    /// Refuses answers larger than `bytes` instead of the usual 64 MiB.
    #[must_use]
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// Sets a header that is not a secret.
    ///
    /// # Errors
    /// [`OptionsError::BadHeader`] for characters that a header may not hold.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self, HttpError> {
        let value = HeaderValue::from_str(value).map_err(|_| OptionsError::BadHeader {
            what: "a request header",
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets one header whose value is a secret, and registers the value for masking.
    ///
    /// # Errors
    /// [`OptionsError::BadHeader`].
    pub fn secret_header(mut self, name: HeaderName, value: &Secret) -> Result<Self, HttpError> {
        secret::register(value);
        let mut value =
            HeaderValue::from_str(value.expose()).map_err(|_| OptionsError::BadHeader { what: "a credential" })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Signs with a bearer token.
    ///
    /// # Errors
    /// [`OptionsError::BadHeader`].
    pub fn bearer(self, token: &Secret) -> Result<Self, HttpError> {
        secret::register(token);
        self.secret_header(AUTHORIZATION, &Secret::from(format!("Bearer {}", token.expose())))
    }

    /// Signs with user name and password.
    ///
    /// # Errors
    /// [`OptionsError::BadHeader`], which base64 cannot cause.
    pub fn basic(self, user: &str, password: &Secret) -> Result<Self, HttpError> {
        secret::register(password);
        let pair = Secret::from(STANDARD.encode(format!("{user}:{}", password.expose())));
        secret::register(&pair);
        self.secret_header(AUTHORIZATION, &Secret::from(format!("Basic {}", pair.expose())))
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// [`OptionsError::Unusable`] for a value that JSON cannot represent (a map whose keys are not text).
    pub fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Result<Self, HttpError> {
        let bytes = serde_json::to_vec(body).map_err(|error| OptionsError::Unusable { why: error.to_string() })?;
        self.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Some(bytes);
        Ok(self)
    }

    /// Sets a form body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        self.body = Some(body.into_bytes());
        self
    }

    /// The complete address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither headers nor body nor query: each may hold a secret.
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("host", &host_and_port(&self.url))
            .field("table", &self.table)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

/// Whether the host is this machine by its very address.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// An address as the user typed it, for messages, without what may be a secret: all before the last `@` of the host, and the
/// query, which may hold a token.
#[must_use]
pub fn as_typed(text: &str) -> String {
    let text = text.trim();
    let start = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(start);
    // A password may contain any of these, so the host begins after the last `@`.
    let (before, rest) = match rest.rfind('@') {
        Some(at) => ("***", &rest[at..]),
        None => ("", rest),
    };
    // Also where the last `@` was in the query itself.
    let (rest, after) = match rest.find(['?', '#', '&']) {
        Some(at) => (&rest[..=at], "***"),
        None => (rest, ""),
    };
    secret::mask(&format!("{scheme}{before}{rest}{after}")).into_owned()
}

/// `https://host`, or with its port, where a text is nearly that: without a scheme, with another one, with a path, a query
/// or credentials.
#[must_use]
pub fn probably_meant(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(['"', '\'']);
    let rest = text.find("://").map_or(text, |at| &text[at + 3..]);
    // As it is mistyped most.
    let rest = ["https//", "http//"]
        .into_iter()
        .find_map(|scheme| rest.strip_prefix(scheme))
        .unwrap_or(rest);
    let authority = rest.trim_start_matches('/').split(['/', '?', '#', '\\']).next()?;
    let host = authority.rfind('@').map_or(authority, |at| &authority[at + 1..]);
    let meant = Url::parse(&format!("https://{host}")).ok()?;
    let name = meant.host_str()?;
    // Guess only what is a host name or an address.
    let is_plausible = name.eq_ignore_ascii_case("localhost") || (name.contains(['.', ':']) && !name.ends_with('.'));
    is_plausible.then(|| address(&meant))
}

/// Scheme, host and, where it is not the scheme's own, port.
pub(super) fn address(url: &Url) -> String {
    format!("{}://{}", url.scheme(), host_and_port(url))
}

/// An address for messages: scheme, host and path only.
pub(super) fn shown(url: &Url) -> String {
    format!("{}{}", address(url), url.path())
}

/// Larger than any page of records, small enough to survive.
const DEFAULT_MAX_ANSWER: usize = 64 << 20;
