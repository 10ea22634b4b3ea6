//! Proof by certificate: a signed assertion instead of a secret.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use zeroize::Zeroizing;

use crate::http::{Secret, has_encrypted_key, without_byte_order_mark};

/// Why a certificate file cannot prove anything.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CertificateError {
    /// Not there, or not ours to read.
    #[error("client_certificate_path: the file {} cannot be read ({why})", path.display())]
    Unreadable {
        path: PathBuf,
        /// The message of the operating system.
        why: String,
    },
    /// PKCS#12, which this provider does not read.
    #[error("client_certificate_path: {} looks like a PFX (PKCS#12) file", path.display())]
    Pfx { path: PathBuf },
    /// No certificate in it.
    #[error("client_certificate_path: {} contains no certificate in PEM format", path.display())]
    NoCertificate { path: PathBuf },
    /// No key in it.
    #[error("client_certificate_path: {} contains a certificate but no private key", path.display())]
    NoKey { path: PathBuf },
    /// A key that needs a password.
    #[error("client_certificate_path: the private key in {} is encrypted", path.display())]
    EncryptedKey { path: PathBuf },
    /// A key that Entra takes no signatures of.
    #[error("client_certificate_path: the private key in {} cannot be used: Entra accepts RSA keys only ({why})", path.display())]
    UnusableKey {
        path: PathBuf,
        /// The message of the TLS library.
        why: String,
    },
}

impl CertificateError {
    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreadable { .. } => "Check the path and its permissions.".to_owned(),
            Self::Pfx { path } => format!(
                "Convert it: openssl pkcs12 -in {} -nodes -out certificate.pem.",
                path.display()
            ),
            Self::NoCertificate { .. } => "Use a PEM file with the certificate and its private key.".to_owned(),
            Self::NoKey { .. } => "Append the key to the file.".to_owned(),
            Self::EncryptedKey { .. } => "Decrypt it: openssl rsa -in key.pem -out key-plain.pem.".to_owned(),
            Self::UnusableKey { .. } => "Use an RSA key in PEM format.".to_owned(),
        }
    }
}

/// An assertion for `token_url`, valid for ten minutes from `now` (seconds since 1970).
///
/// RS256 with both thumbprints: what every cloud accepts. Reads the file each time, so a renewed certificate is used.
pub(super) fn sign(path: &Path, client_id: &str, token_url: &str, now: i64) -> Result<Secret, CertificateError> {
    let owned = || path.to_owned();
    let bytes = std::fs::read(path).map_err(|error| CertificateError::Unreadable {
        path: owned(),
        why: error.to_string(),
    })?;
    let bytes = Zeroizing::new(bytes);
    let bytes = without_byte_order_mark(&bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        // A PFX file is a DER sequence.
        return Err(if bytes.first() == Some(&0x30) {
            CertificateError::Pfx { path: owned() }
        } else {
            CertificateError::NoCertificate { path: owned() }
        });
    };
    let certificate =
        CertificateDer::from_pem_slice(bytes).map_err(|_| CertificateError::NoCertificate { path: owned() })?;
    if has_encrypted_key(bytes) {
        return Err(CertificateError::EncryptedKey { path: owned() });
    }
    let Some(key) = private_key(text) else {
        return Err(CertificateError::NoKey { path: owned() });
    };
    let unusable = |error: jsonwebtoken::errors::Error| CertificateError::UnusableKey {
        path: owned(),
        why: error.to_string(),
    };
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).map_err(unusable)?;
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &certificate));
    let header = Header {
        x5t: Some(thumbprint(&digest::SHA1_FOR_LEGACY_USE_ONLY)),
        x5t_s256: Some(thumbprint(&digest::SHA256)),
        ..Header::new(Algorithm::RS256)
    };
    let claims = json!({
        "aud": token_url,
        "iss": client_id,
        "sub": client_id,
        "jti": STANDARD.encode(rand::random::<[u8; 16]>()),
        "iat": now,
        // A clock that is somewhat ahead must not make the assertion one of the future.
        "nbf": now - 60,
        "exp": now + 600,
    });
    let token = jsonwebtoken::encode(&header, &claims, &key).map_err(unusable)?;
    Ok(Secret::from(token))
}

/// The first private key block of a PEM text.
fn private_key(text: &str) -> Option<Zeroizing<String>> {
    let kind = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]
        .into_iter()
        .find(|kind| text.contains(&format!("-----BEGIN {kind}-----")))?;
    let (begin, end) = (format!("-----BEGIN {kind}-----"), format!("-----END {kind}-----"));
    let from = text.find(&begin)?;
    let to = from + text[from..].find(&end)? + end.len();
    Some(Zeroizing::new(text[from..to].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_private_key() {
        let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
        let whole = format!("{begin}\nMIIB\n{end}\n");
        let reversed = format!("{end}\n{begin}\n");
        crate::fuzz::fuzz_text(&[&whole, &reversed], &[begin, end, "RSA ", "\u{fc}"], |text| {
            if let Some(key) = private_key(text) {
                assert!(key.starts_with("-----BEGIN ") && key.ends_with("KEY-----"));
            }
        });
    }
}
