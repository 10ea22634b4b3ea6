//! Whom we trust and who we are: the TLS settings of a client, and what a failed handshake means.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, RootCertStore,
    SignatureScheme,
};

use crate::http::{ClientOptions, OptionsError, TlsProblem, without_byte_order_mark};

/// A TLS configuration, and whether there was any root to put into it.
pub(super) struct Tls {
    pub(super) config: ClientConfig,
    pub(super) has_roots: bool,
}

/// Builds the TLS configuration. Reads files: the roots, the authority, the client's certificate and key.
pub(super) fn configure(options: &ClientOptions) -> Result<Tls, OptionsError> {
    let mut roots = SYSTEM_ROOTS.roots.clone();
    let mut given = Vec::new();
    if let Some(path) = &options.ca_certificate_path {
        let option = options.called("ca_certificate_path");
        given = certificates(&option, path)?;
        for certificate in &given {
            roots.add(certificate.clone()).map_err(|error| OptionsError::BadPem {
                option: option.clone(),
                path: path.clone(),
                wanted: "certificate",
                why: error.to_string(),
            })?;
        }
    }
    let has_roots = !roots.is_empty();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| OptionsError::Unusable { why: error.to_string() })?;
    let builder = if given.is_empty() {
        builder.with_root_certificates(roots)
    } else {
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let usual = usual.map_err(|error| OptionsError::Unusable { why: error.to_string() })?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(WithGiven { usual, given }))
    };
    let config = match identity(options)? {
        None => builder.with_no_client_auth(),
        Some((path, chain, key)) => {
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| OptionsError::UnusablePair {
                    path,
                    why: error.to_string(),
                })?
        }
    };
    Ok(Tls { config, has_roots })
}

/// Also accepts a server whose own certificate is configured as an authority.
///
/// `openssl req -x509` marks what it makes as an authority, and such a certificate is shown by many a proxy and test
/// server. The library refuses it as a server's whoever trusts it; here the user has said which one to trust.
#[derive(Debug)]
struct WithGiven {
    usual: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for WithGiven {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let judged = self
            .usual
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match judged {
            // The time of validity is looked at before, the name after: the tests of this module show both.
            Err(error) if is_authority_as_server(&error) && self.given.iter().any(|given| given == end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

fn is_authority_as_server(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// The system's roots, read once for all clients of the process. Honours `SSL_CERT_FILE` and `SSL_CERT_DIR`. Unreadable
/// ones are no error here: the configured authority may suffice.
static SYSTEM_ROOTS: LazyLock<SystemRoots> = LazyLock::new(|| {
    let loaded = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (_, _) = roots.add_parsable_certificates(loaded.certs);
    SystemRoots {
        roots,
        unread: loaded.errors.iter().map(ToString::to_string).collect(),
    }
});

struct SystemRoots {
    roots: RootCertStore,
    /// What could not be read, and why.
    unread: Vec<String>,
}

/// The cause of a problem with an authority, with the files and folders of the system's roots that could not be read.
pub(super) fn cause(problem: Option<TlsProblem>, why: String) -> String {
    // The library shows the inner error as its source has it.
    let why = why.replace("Other(OtherError(CaUsedAsEndEntity))", "an authority's own certificate");
    match problem {
        Some(TlsProblem::WrongName) => names(&why),
        Some(TlsProblem::UnknownAuthority | TlsProblem::NoRoots) if !SYSTEM_ROOTS.unread.is_empty() => {
            format!("{why}; not read: {}", SYSTEM_ROOTS.unread.join(", "))
        }
        _ => why,
    }
}

/// The names that a certificate is valid for as people write them, and no more than a few: some have hundreds.
fn names(why: &str) -> String {
    let why = why
        .replace("DnsName(\"", "\"")
        .replace("IpAddress(", "")
        .replace(')', "");
    let mut names = why.split(", ");
    let shown: Vec<&str> = names.by_ref().take(NAMES).collect();
    let shown = shown.join(", ");
    match names.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// How many names of a certificate are shown.
const NAMES: usize = 4;

/// The TLS problem of a failed connection, if that is why it failed.
pub(super) fn problem(error: &(dyn Error + 'static), has_roots: bool) -> Option<TlsProblem> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(explain(tls, has_roots));
        }
        // An io::Error hides its inner error from `source`, which skips one link.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's list is open; what is not named here needs no advice of its own"
)]
fn explain(error: &rustls::Error, has_roots: bool) -> TlsProblem {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) if !has_roots => TlsProblem::NoRoots,
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            TlsProblem::UnknownAuthority
        }
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            TlsProblem::Expired
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => TlsProblem::NotYetValid,
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => TlsProblem::WrongName,
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied,
        ) => TlsProblem::ClientCertificate,
        // What came is no TLS at all: most servers answer a handshake on a plain port in text.
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => TlsProblem::NotTls,
        // It is self-signed, and not one of the configured authorities.
        error if is_authority_as_server(error) => TlsProblem::UnknownAuthority,
        rustls::Error::PeerIncompatible(_)
        | rustls::Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
            TlsProblem::Protocol
        }
        _ => TlsProblem::Other,
    }
}

type Identity = (PathBuf, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(options: &ClientOptions) -> Result<Option<Identity>, OptionsError> {
    let Some(path) = &options.client_certificate_path else {
        return match &options.client_key_path {
            None => Ok(None),
            Some(path) => Err(OptionsError::KeyWithoutCertificate { path: path.clone() }),
        };
    };
    let chain = certificates(&options.called("client_certificate_path"), path)?;
    let option = options.called("client_key_path");
    let key = match &options.client_key_path {
        Some(key_path) => private_key(&option, key_path)?.ok_or_else(|| OptionsError::BadPem {
            option: option.clone(),
            path: key_path.clone(),
            wanted: "private key",
            why: "there is none in it".to_owned(),
        })?,
        None => private_key(&options.called("client_certificate_path"), path)?
            .ok_or_else(|| OptionsError::CertificateWithoutKey { path: path.clone() })?,
    };
    Ok(Some((path.clone(), chain, key)))
}

fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, OptionsError> {
    let pem = read(option, path)?;
    let bad = |why: String| OptionsError::BadPem {
        option: option.to_owned(),
        path: path.to_owned(),
        wanted: "certificate",
        why,
    };
    let found = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(error.to_string()))?;
    if found.is_empty() {
        Err(bad("no certificate in it".to_owned()))
    } else {
        Ok(found)
    }
}

fn private_key(option: &str, path: &Path) -> Result<Option<PrivateKeyDer<'static>>, OptionsError> {
    let pem = read(option, path)?;
    if has_encrypted_key(&pem) {
        return Err(OptionsError::EncryptedKey {
            option: option.to_owned(),
            path: path.to_owned(),
        });
    }
    match PrivateKeyDer::from_pem_slice(&pem) {
        Ok(key) => Ok(Some(key)),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => Ok(None),
        Err(error) => Err(OptionsError::BadPem {
            option: option.to_owned(),
            path: path.to_owned(),
            wanted: "private key",
            why: error.to_string(),
        }),
    }
}

/// Whether the private key of a PEM file has a passphrase: as PKCS#8 and OpenSSL's older form say it.
pub(crate) fn has_encrypted_key(pem: &[u8]) -> bool {
    let markers: [&[u8]; 2] = [b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];
    let is_in_it = |marker: &[u8]| pem.windows(marker.len()).any(|window| window == marker);
    markers.into_iter().any(is_in_it)
}

fn read(option: &str, path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, OptionsError> {
    let bytes = std::fs::read(path).map_err(|error| OptionsError::Unreadable {
        option: option.to_owned(),
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    let bytes = zeroize::Zeroizing::new(bytes);
    // Editors on Windows put a byte order mark first, which would hide the line BEGIN.
    Ok(zeroize::Zeroizing::new(without_byte_order_mark(&bytes).to_vec()))
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn the_names_of_a_certificate_are_few_and_plain() {
        let one = r#"certificate not valid for name "a"; certificate is only valid for DnsName("b")"#;
        assert_eq!(
            names(one),
            r#"certificate not valid for name "a"; certificate is only valid for "b""#
        );
        let many = r#"only valid for DnsName("a"), DnsName("b"), DnsName("c"), DnsName("d"), DnsName("e"), IpAddress(192.0.2.1)"#;
        assert_eq!(names(many), r#"only valid for "a", "b", "c", "d" and 2 more"#);
    }
}
