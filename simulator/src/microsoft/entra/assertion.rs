//! Client assertions: a JWT signed with the application's certificate, or one of an issuer that it trusts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use serde_json::Value;

use crate::microsoft::directory::{Application, FederatedCredential, Tenant};
use crate::microsoft::entra::{Entra, Refusal};
use crate::microsoft::keys::{self, Claims};
use crate::x509;

impl Entra {
    pub(super) fn check_assertion(
        &self,
        tenant: &Tenant,
        application: &Application,
        assertion: &str,
    ) -> Result<(), Refusal> {
        let unreadable = || Refusal::BadAssertion("The assertion is not a JWT.".to_owned());
        let claims = keys::unverified(assertion).ok_or_else(unreadable)?;
        let issuer = text(&claims, "iss");
        if issuer.eq_ignore_ascii_case(&application.app_id) {
            self.check_certificate(tenant, application, assertion)
        } else {
            self.check_federated(application, assertion, &claims)
        }
    }

    fn check_certificate(&self, tenant: &Tenant, application: &Application, assertion: &str) -> Result<(), Refusal> {
        let certificates = application
            .fields
            .get("keyCredentials")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let claims = certificates
            .iter()
            .filter_map(|credential| x509::certificate(&STANDARD.decode(credential["key"].as_str()?).ok()?))
            .find_map(|certificate| keys::verify_with(assertion, &DecodingKey::from_rsa_der(&certificate.public_key)))
            .ok_or_else(|| Refusal::BadAssertion(format!("Application '{}'.", application.app_id)))?;
        // The audience is the token endpoint, or the issuer of either version, under any name of the tenant.
        let audience = text(&claims, "aud");
        let path = url::Url::parse(&audience)
            .map(|url| url.path().to_owned())
            .unwrap_or_default();
        let named = path
            .trim_start_matches('/')
            .split('/')
            .next()
            .is_some_and(|name| tenant.is_named(name));
        if named && in_time(&claims) {
            Ok(())
        } else {
            Err(Refusal::AssertionNotValid)
        }
    }

    fn check_federated(&self, application: &Application, assertion: &str, claims: &Claims) -> Result<(), Refusal> {
        let (issuer, subject, audience) = (text(claims, "iss"), text(claims, "sub"), text(claims, "aud"));
        let of_issuer: Vec<&FederatedCredential> = application
            .federated
            .iter()
            .filter(|record| record.issuer == issuer)
            .collect();
        if of_issuer.is_empty() {
            return Err(Refusal::UnknownIssuer(issuer));
        }
        let of_subject: Vec<_> = of_issuer
            .into_iter()
            .filter(|record| record.subject == subject)
            .collect();
        if of_subject.is_empty() {
            return Err(Refusal::UnknownSubject(subject));
        }
        if !of_subject.iter().any(|record| record.audiences.contains(&audience)) {
            return Err(Refusal::UnknownAudience(audience));
        }
        let published = self
            .hcp
            .document(&format!("{issuer}/.well-known/openid-configuration"))
            .and_then(|metadata| self.hcp.document(metadata["jwks_uri"].as_str()?));
        let verified = published.and_then(|keys| keys::verify(assertion, &keys));
        match verified {
            None => Err(Refusal::BadAssertion(format!("Issuer '{issuer}' did not sign it."))),
            Some(claims) if in_time(&claims) => Ok(()),
            Some(_) => Err(Refusal::AssertionNotValid),
        }
    }
}

fn text(claims: &Claims, name: &str) -> String {
    claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn in_time(claims: &Claims) -> bool {
    let now = jiff::Timestamp::now().as_second();
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    number("exp").is_some_and(|end| end > now) && number("nbf").is_none_or(|start| start <= now + SKEW)
}

/// Seconds by which two clocks may differ.
const SKEW: i64 = 300;
