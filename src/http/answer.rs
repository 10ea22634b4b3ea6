//! What came back.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::http::{retry, secret};

/// A complete answer with any status that is not a redirect.
#[derive(Clone)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) host: String,
}

/// Why a body that should be JSON cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NotJson {
    /// The server says that it is something else: a login page, a sleeping instance, a proxy.
    #[error("{host} responded with {content_type}{}, not JSON", title.as_ref().map(|title| format!(" ({title:?})")).unwrap_or_default())]
    ContentType {
        host: String,
        /// What it is, or "no content type".
        content_type: String,
        /// The page's title, where it is HTML.
        title: Option<String>,
    },
    /// Called JSON, but truncated, malformed or of another shape.
    #[error("{host} responded with JSON that cannot be read (truncated, or not the expected shape)")]
    Body {
        host: String,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
}

impl Answer {
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// One header as text, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Who answered: host and, where it is not the scheme's own, port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The media type without parameters, lower case; empty when there is none.
    #[must_use]
    pub fn content_type(&self) -> String {
        let value = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the server calls the body JSON and it is.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json::<IgnoredAny>().is_ok()
    }

    /// Whether the body is an HTML page, by its type or by its first characters.
    #[must_use]
    pub fn is_html(&self) -> bool {
        let start = String::from_utf8_lossy(&self.body[..self.body.len().min(64)])
            .trim_start()
            .to_ascii_lowercase();
        self.content_type() == "text/html" || start.starts_with("<!doctype html") || start.starts_with("<html")
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`NotJson`]: the content type is not JSON, or the body does not parse.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NotJson> {
        let content_type = self.content_type();
        let is_json =
            matches!(content_type.as_str(), "application/json" | "text/json") || content_type.ends_with("+json");
        if !is_json {
            let content_type = if content_type.is_empty() {
                "no content type".to_owned()
            } else {
                content_type
            };
            return Err(NotJson::ContentType {
                host: self.host.clone(),
                content_type,
                title: self.html_title(),
            });
        }
        serde_json::from_slice(&self.body).map_err(|source| NotJson::Body {
            host: self.host.clone(),
            source,
        })
    }

    /// How long the server asks to wait before the next request.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry::retry_after(&self.headers)
    }

    /// The title of an HTML page, at most 120 characters.
    #[must_use]
    pub fn html_title(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(16 * 1024)]);
        let lower = text.to_ascii_lowercase();
        let start = lower.find("<title")? + lower[lower.find("<title")?..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        let title = text[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
        (!title.is_empty()).then(|| secret::mask(&title).chars().take(120).collect())
    }

    /// The beginning of the body for an error message: one line, masked, at most 300 characters.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4096)]);
        let line = secret::mask(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(300).collect()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The body may hold a secret, so only its size is shown.
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("host", &self.host)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first line is a header, the rest is the body.
    #[test]
    fn fuzz_answer() {
        let examples: [&[u8]; 5] = [
            b"text/html; charset=utf-8\n<!DOCTYPE html><html><head><title lang=x> A  page </title></head>",
            b"application/json\n{\"error\":{\"message\":\"m\",\"detail\":null}}",
            b"application/problem+json\n[",
            b"Mon, 23 Nov 2026 07:22:00 GMT\n",
            b"99999999999999999999\n<TITLE",
        ];
        crate::fuzz::fuzz(&examples, &["<title>", "</title", "\u{130}", "\u{fffd}"], |bytes| {
            let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
            let (header, body) = bytes.split_at(line);
            let mut headers = HeaderMap::new();
            if let Ok(value) = reqwest::header::HeaderValue::from_bytes(header) {
                headers.insert(CONTENT_TYPE, value.clone());
                headers.insert(reqwest::header::RETRY_AFTER, value);
            }
            let answer = Answer {
                status: StatusCode::OK,
                headers,
                body: body.to_vec(),
                host: "h".to_owned(),
            };
            let _ = (answer.is_json(), answer.is_html(), answer.retry_after());
            assert!(answer.html_title().is_none_or(|title| title.chars().count() <= 120));
            assert!(answer.excerpt().chars().count() <= 300);
        });
    }
}
