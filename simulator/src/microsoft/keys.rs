//! RSA keys: what signs tokens, and what is published to check them.

use std::sync::OnceLock;

use anyhow::anyhow;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rcgen::{CertificateParams, DistinguishedName, DnType};
use serde_json::{Map, Value, json};

use crate::x509;

/// An RSA key of 2048 bits with its name.
pub struct SigningKey {
    key_pair: KeyPair,
    /// Names the key in token headers and key sets.
    pub kid: String,
    modulus: String,
    exponent: String,
    /// DER.
    certificate: Vec<u8>,
}

/// Claims of a token.
pub type Claims = Map<String, Value>;

impl SigningKey {
    fn generate() -> anyhow::Result<SigningKey> {
        let key_pair = KeyPair::generate(KeySize::Rsa2048)?;
        let (modulus, exponent) = x509::rsa_numbers(key_pair.public_key().as_ref())
            .ok_or_else(|| anyhow!("the public key is not RFC 8017"))?;
        let certificate = certificate(&key_pair, "accounts.accesscontrol.windows.net")?;
        Ok(SigningKey {
            // As Entra does: the key's name is the thumbprint of its certificate.
            kid: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate)),
            certificate,
            modulus: URL_SAFE_NO_PAD.encode(modulus),
            exponent: URL_SAFE_NO_PAD.encode(exponent),
            key_pair,
        })
    }

    /// A signed token; the header names this key, with `x5t` as well if asked for.
    ///
    /// # Errors
    /// When the key refuses to sign.
    pub fn sign(&self, thumbprint: Thumbprint, claims: &Claims) -> anyhow::Result<String> {
        let mut header = json!({"typ": "JWT", "alg": "RS256", "kid": self.kid});
        if matches!(thumbprint, Thumbprint::InHeader) {
            header["x5t"] = json!(self.kid);
        }
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(serde_json::to_string(claims)?)
        );
        let mut signature = vec![0; self.key_pair.public_modulus_len()];
        self.key_pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The key set that publishes this key.
    pub fn key_set(&self) -> Value {
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self.modulus, "e": self.exponent,
        }]})
    }

    /// The key set in Entra's form: without `alg`, with the certificate, and at the v2.0 address with the issuer.
    pub(crate) fn key_set_of_entra(&self, issuer: Option<&str>) -> Value {
        let mut key = json!({
            "kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid, "n": self.modulus, "e": self.exponent,
            "x5c": [STANDARD.encode(&self.certificate)],
        });
        if let Some(issuer) = issuer {
            key["issuer"] = json!(issuer);
        }
        json!({"keys": [key]})
    }
}

/// Whether a token's header repeats the key as `x5t`, as Entra's v1.0 tokens do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Thumbprint {
    /// v1.0 tokens.
    InHeader,
    /// Others.
    Absent,
}

/// Entra's key, made once per process: generating one takes longer than most tests.
///
/// # Errors
/// When no key can be generated.
pub fn entra() -> anyhow::Result<&'static SigningKey> {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    once(&KEY)
}

/// HCP Terraform's key, made once per process.
///
/// # Errors
/// When no key can be generated.
pub fn hcp() -> anyhow::Result<&'static SigningKey> {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    once(&KEY)
}

/// Claims of a token signed by one of the keys of a set. Time and audience are the caller's to judge.
pub(crate) fn verify(token: &str, key_set: &Value) -> Option<Claims> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    let keys: JwkSet = serde_json::from_value(key_set.clone()).ok()?;
    let key = DecodingKey::from_jwk(keys.find(header.kid.as_deref()?)?).ok()?;
    verify_with(token, &key, &[Algorithm::RS256])
}

/// Claims of a token signed by this RSA key with one of these algorithms.
pub(crate) fn verify_with(token: &str, key: &DecodingKey, algorithms: &[Algorithm]) -> Option<Claims> {
    let mut rules = Validation::new(Algorithm::RS256);
    rules.algorithms = algorithms.to_vec();
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    Some(jsonwebtoken::decode::<Claims>(token, key, &rules).ok()?.claims)
}

/// Claims without any check: for error texts that name what was sent.
pub(crate) fn unverified(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// A certificate of a key of its own, DER.
pub(crate) fn self_signed(common_name: &str) -> anyhow::Result<Vec<u8>> {
    certificate(&KeyPair::generate(KeySize::Rsa2048)?, common_name)
}

/// A certificate of the key, signed by itself.
fn certificate(key_pair: &KeyPair, common_name: &str) -> anyhow::Result<Vec<u8>> {
    let pkcs8: Pkcs8V1Der<'_> = key_pair.as_der()?;
    let signer = rcgen::KeyPair::try_from(pkcs8.as_ref())?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params.self_signed(&signer)?.der().to_vec())
}

fn once(cell: &'static OnceLock<SigningKey>) -> anyhow::Result<&'static SigningKey> {
    if let Some(key) = cell.get() {
        return Ok(key);
    }
    // Two threads may both generate; the first to arrive wins and the other key is forgotten unused.
    let key = SigningKey::generate()?;
    Ok(cell.get_or_init(|| key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_token_verifies_with_its_key_set_and_with_no_other() {
        let mut claims = Claims::new();
        claims.insert("sub".to_owned(), json!("someone"));

        let token = entra().unwrap().sign(Thumbprint::InHeader, &claims).unwrap();

        assert_eq!(verify(&token, &entra().unwrap().key_set()), Some(claims.clone()));
        assert_eq!(verify(&token, &hcp().unwrap().key_set()), None);
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{signed}.AAAA"), &entra().unwrap().key_set()), None);
    }
}
