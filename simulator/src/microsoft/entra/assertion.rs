//! Client assertions: a JWT signed with the application's certificate, or one of an issuer that it trusts.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde_json::Value;
use url::Url;

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

    /// In the order in which a real tenant finds fault, as far as reports tell.
    fn check_certificate(&self, tenant: &Tenant, application: &Application, assertion: &str) -> Result<(), Refusal> {
        let id = || application.app_id.clone();
        let header = jsonwebtoken::decode_header(assertion)
            .map_err(|_| Refusal::BadAssertion("The assertion is not a JWT.".to_owned()))?;
        let certificate = registered(application)
            .find(|der| is_named(der, &header))
            .and_then(|der| x509::certificate(&der))
            .ok_or_else(|| Refusal::UnknownKey(id()))?;
        let key = DecodingKey::from_rsa_der(&certificate.public_key);
        let claims = keys::verify_with(assertion, &key, &ALGORITHMS).ok_or_else(|| Refusal::WrongSignature(id()))?;
        let now = jiff::Timestamp::now();
        if now < certificate.not_before || certificate.not_after < now {
            return Err(Refusal::CertificateNotValid);
        }
        if !text(&claims, "sub").eq_ignore_ascii_case(&application.app_id) {
            return Err(Refusal::WrongAssertionSubject);
        }
        if !self.is_addressed(tenant, &claims) {
            return Err(Refusal::WrongAssertionAudience);
        }
        if in_time(&claims) {
            Ok(())
        } else {
            Err(Refusal::AssertionNotValid)
        }
    }

    /// Whether the audience is a token endpoint or an issuer of this tenant, of either version and under any of its names.
    fn is_addressed(&self, tenant: &Tenant, claims: &Claims) -> bool {
        let audience = match claims.get("aud") {
            Some(Value::Array(list)) if list.len() == 1 => list[0].as_str().unwrap_or_default().to_owned(),
            _ => text(claims, "aud"),
        };
        let Ok(url) = Url::parse(&audience) else {
            return false;
        };
        let is_of_entra = url.scheme() == "https" && url.host_str().is_some_and(|host| LOGIN_HOSTS.contains(&host));
        let is_ours = url.origin().ascii_serialization() == self.login_url();
        let named = url.path_segments().and_then(|mut segments| segments.next());
        (is_of_entra || is_ours) && named.is_some_and(|name| tenant.is_named(name))
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

/// The certificates of an application, DER.
fn registered(application: &Application) -> impl Iterator<Item = Vec<u8>> {
    let credentials = application.fields.get("keyCredentials").and_then(Value::as_array);
    let credentials = credentials.into_iter().flatten();
    credentials.filter_map(|credential| STANDARD.decode(credential["key"].as_str()?).ok())
}

/// Whether the header's thumbprints, of which there must be one, are those of the certificate.
fn is_named(der: &[u8], header: &Header) -> bool {
    let is = |stated: &Option<String>, algorithm| {
        let actual = URL_SAFE_NO_PAD.encode(digest(algorithm, der));
        // Microsoft's own library for Python pads it.
        stated.as_ref().map(|stated| stated.trim_end_matches('=') == actual)
    };
    let stated = [
        is(&header.x5t, &SHA1_FOR_LEGACY_USE_ONLY),
        is(&header.x5t_s256, &SHA256),
    ];
    let mut stated = stated.into_iter().flatten().peekable();
    stated.peek().is_some() && stated.all(|is_right| is_right)
}

fn text(claims: &Claims, name: &str) -> String {
    claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn in_time(claims: &Claims) -> bool {
    let now = jiff::Timestamp::now().as_duration().as_secs_f64();
    // A NumericDate may have a fraction (RFC 7519), and that of Microsoft's own library for Python has.
    let number = |name: &str| claims.get(name).and_then(Value::as_f64);
    number("exp").is_some_and(|end| end > now) && number("nbf").is_none_or(|start| start <= now + SKEW)
}

/// Seconds by which two clocks may differ.
const SKEW: f64 = 300.0;
/// PS256 is what Microsoft's own libraries sign with, RS256 what they did before.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::PS256, Algorithm::RS256];
const LOGIN_HOSTS: [&str; 4] = [
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
];
