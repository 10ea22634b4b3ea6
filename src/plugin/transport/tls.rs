//! Mutual TLS: the host knows our certificate from the handshake line, we know the host's from the environment.
//!
//! A client that connects can use the configured provider with its credentials, so the client's certificate is
//! compared byte for byte, and the key that belongs to it must sign the handshake.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

use crate::plugin::transport::error::StartError;

/// TLS for exactly one client.
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// Our certificate, for the handshake line. Its key exists only in the acceptor.
    pub(super) certificate: CertificateDer<'static>,
}

impl Tls {
    /// Makes a key and a certificate, and lets in nobody but the owner of `client_certificate` (PEM).
    ///
    /// # Errors
    /// [`StartError::ClientCertificate`] when the text holds no certificate.
    pub(super) fn only_for(client_certificate: &str) -> Result<Self, StartError> {
        let expected = CertificateDer::from_pem_slice(client_certificate.as_bytes())
            .map_err(|_| StartError::ClientCertificate)?
            .into_owned();
        let (certificate, key) = server_certificate().map_err(|error| StartError::ServerCertificate(error.into()))?;
        // aws-lc, not ring: the host's key is on P-521, which ring does not verify.
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let verifier = Arc::new(OneClient {
            expected,
            provider: Arc::clone(&provider),
        });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| StartError::ServerCertificate(error.into()))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.clone()], key)
            .map_err(|error| StartError::ServerCertificate(error.into()))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        // Every connection proves the key anew; the host makes one or two of them.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
        })
    }
}

fn server_certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    // The host asks for this name, whatever the address.
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    Ok((
        certificate.der().clone(),
        PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
    ))
}

/// Accepts one certificate and no other.
///
/// The verifiers of the library do not fit: the host's certificate is a CA and its own issuer.
#[derive(Debug)]
struct OneClient {
    expected: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for OneClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        presented: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if presented.as_ref() == self.expected.as_ref() {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An invalid certificate from the host is an error; the server never falls back to accepting any client.
    #[test]
    fn fuzz_pem() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let pem = CertificateParams::default().self_signed(&key).unwrap().pem();
        let words = ["-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----", "=", "\r"];
        crate::fuzz::fuzz_text(&[&pem, "-----BEGIN", &key.serialize_pem()], &words, |text| {
            if let Err(error) = Tls::only_for(text) {
                assert!(matches!(error, StartError::ClientCertificate), "{error}");
            }
        });
    }
}
