//! Certificates of applications and service principals.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value, json};

use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::ids;
use crate::x509;

/// Completes the certificates of a body as Graph does: a key id, the thumbprint, and the times of the certificate. One
/// that comes with the id of an existing one and without its key is that one.
pub(super) fn complete(fields: &mut Map<String, Value>, existing: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(Value::Array(sent)) = fields.get_mut("keyCredentials") else {
        return Ok(());
    };
    for credential in sent.iter_mut().filter_map(Value::as_object_mut) {
        credential.retain(|name, _| !name.contains('@'));
        let key_id = credential
            .get("keyId")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let key = credential.get("key").and_then(Value::as_str).unwrap_or_default();
        if key.is_empty() {
            let known = list(existing).find(|known| is(known, &key_id));
            let known = known
                .and_then(Value::as_object)
                .ok_or_else(|| invalid("a new one needs a key"))?;
            credential.clone_from(known);
            continue;
        }
        let key = STANDARD.decode(key).map_err(|_| invalid("the key is not base64"))?;
        // The azuread provider sends the text of a PEM file, whatever the encoding of its argument.
        let der = CertificateDer::from_pem_slice(&key).map_or(key, |certificate| certificate.to_vec());
        let certificate = x509::certificate(&der).ok_or_else(|| invalid("the key is not a certificate"))?;
        credential.insert("key".to_owned(), json!(STANDARD.encode(&der)));
        let mut default = |name: &str, value: String| {
            let current = credential.entry(name).or_insert(Value::Null);
            if current.is_null() {
                *current = json!(value);
            }
        };
        default("keyId", ids::guid());
        default("customKeyIdentifier", thumbprint(&der));
        default("displayName", certificate.subject);
        default("startDateTime", ids::written(certificate.not_before));
        default("endDateTime", ids::written(certificate.not_after));
        default("type", "AsymmetricX509Cert".to_owned());
        default("usage", "Verify".to_owned());
    }
    Ok(())
}

/// The certificates as an answer shows them: with the key only where `$select` names the property.
pub(super) fn shown(object: &mut Value, is_selected: bool) {
    if is_selected {
        return;
    }
    let list = object.get_mut("keyCredentials").and_then(Value::as_array_mut);
    for credential in list.into_iter().flatten() {
        credential["key"] = Value::Null;
    }
}

/// SHA-1 of the certificate in capital hex digits.
pub(super) fn thumbprint(der: &[u8]) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, der);
    digest.as_ref().iter().map(|octet| format!("{octet:02X}")).collect()
}

fn list(fields: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let list = fields.get("keyCredentials").and_then(Value::as_array);
    list.into_iter().flatten()
}

fn is(credential: &Value, key_id: &str) -> bool {
    credential["keyId"]
        .as_str()
        .is_some_and(|known| known.eq_ignore_ascii_case(key_id))
}

fn invalid(why: &str) -> Refusal {
    Refusal::Invalid(format!("Invalid value specified for property 'keyCredentials': {why}."))
}
