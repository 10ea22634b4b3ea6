//! The claims of an access token. Nothing here checks a signature: the service that the token is for does that.

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use serde_json::{Map, Value};

/// The payload of a JSON web token. Unverified: for messages and early warnings, never for trust.
#[derive(Clone, Debug)]
pub struct Claims(Map<String, Value>);

/// Why a token cannot be looked into, or is of no use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwtError {
    #[error("the token is empty")]
    Empty,
    /// Larger than any real token.
    #[error("the token is longer than {MAX_TOKEN} characters, which no access token is")]
    TooLong,
    /// Line breaks, blanks, quotes or bytes that no token has.
    #[error("the token contains characters that no token has (a line break, a space, a quote, binary data)")]
    Characters,
    /// Not three parts with dots between.
    #[error(
        "the token is not a JSON web token: it must have three parts separated by dots, this has {parts}; it may be \
         truncated, or be another kind of token"
    )]
    Parts { parts: usize },
    /// A part that is not base64url.
    #[error("the token is damaged: its middle part is not base64url")]
    Encoding,
    /// A payload that is not a JSON object.
    #[error("the token is damaged or truncated: its middle part is not a JSON object")]
    Json,
}

impl Claims {
    /// Decodes the payload of a compact JSON web token.
    ///
    /// # Errors
    /// [`JwtError`]. Bounded: a token above 64 kB is refused unread.
    pub fn decode(token: &str) -> Result<Self, JwtError> {
        if token.is_empty() {
            return Err(JwtError::Empty);
        }
        if token.len() > MAX_TOKEN {
            return Err(JwtError::TooLong);
        }
        if !token
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\'')
        {
            return Err(JwtError::Characters);
        }
        let parts: Vec<&str> = token.split('.').collect();
        let [_, payload, _] = parts[..] else {
            return Err(JwtError::Parts { parts: parts.len() });
        };
        let bytes = BASE64URL.decode(payload).map_err(|_| JwtError::Encoding)?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(claims)) => Ok(Self(claims)),
            Ok(_) | Err(_) => Err(JwtError::Json),
        }
    }

    /// A claim that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a time: seconds since 1970, as number or text.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok()).or_else(|| {
            let seconds = value.as_f64()?;
            // Fractions are allowed by the standard; the cast saturates.
            Some(seconds as i64)
        })
    }

    /// The audiences: a text or a list of texts.
    #[must_use]
    pub fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        }
    }

    /// How long ago the token ended, seconds, by the clock `now` (seconds since 1970); `None` while it is valid.
    #[must_use]
    pub fn expired_since(&self, now: i64) -> Option<i64> {
        let ago = now.saturating_sub(self.seconds("exp")?);
        (ago >= 0).then_some(ago)
    }

    #[must_use]
    pub fn all(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Tolerates padding, which some issuers add against the standard.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const MAX_TOKEN: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn claims_are_read_with_and_without_padding() {
        let payload = r#"{"appid":"a","aud":["x","y"],"exp":"100","iat":1.5}"#;
        for token in [token(payload), format!("e30.{}.", URL_SAFE.encode(payload))] {
            let claims = Claims::decode(&token).unwrap();

            assert_eq!(claims.text("appid"), Some("a"));
            assert_eq!(claims.audiences(), ["x", "y"]);
            assert_eq!(claims.seconds("iat"), Some(1));
            assert_eq!(claims.expired_since(160), Some(60));
            assert_eq!(claims.expired_since(99), None);
        }
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let long = "a".repeat(MAX_TOKEN + 1);
        let json_array = token("[]");
        let cut = token(r#"{"aud":"#);
        let cases = [
            ("", JwtError::Empty),
            (long.as_str(), JwtError::TooLong),
            ("a.b\n.c", JwtError::Characters),
            ("\u{0}\u{1}.b.c", JwtError::Characters),
            ("opaque", JwtError::Parts { parts: 1 }),
            ("a.b", JwtError::Parts { parts: 2 }),
            ("a.b!!.c", JwtError::Encoding),
            (cut.as_str(), JwtError::Json),
            (json_array.as_str(), JwtError::Json),
        ];
        for (text, expected) in cases {
            assert_eq!(Claims::decode(text).unwrap_err(), expected, "{text:.20}");
        }
    }

    #[test]
    fn fuzz_jwt() {
        let usual = token(r#"{"aud":["a","b"],"exp":1893456000,"appid":"x"}"#);
        let odd = token(r#"{"aud":{"a":1},"exp":"1e400","iat":1e400,"nbf":-9223372036854775808}"#);
        let inside = [r#"{"exp":"#, "9223372036854775807", "}"].map(|part| URL_SAFE_NO_PAD.encode(part));

        crate::fuzz::fuzz_text(
            &[&usual, &odd, ".."],
            &[&inside[0], &inside[1], &inside[2], "="],
            |text| {
                if let Ok(claims) = Claims::decode(text) {
                    let times = ["exp", "iat", "nbf"].map(|name| claims.seconds(name));
                    let _ = (
                        times,
                        claims.audiences(),
                        claims.expired_since(i64::MIN),
                        claims.expired_since(i64::MAX),
                    );
                }
            },
        );
    }
}
