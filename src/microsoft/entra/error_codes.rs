//! What Entra's refusals mean and what to do about them.
//!
//! Codes and meanings: `reference-error-codes.md` of Microsoft's identity platform documentation, and public reports
//! for 501051, 700213 and 7000229. Microsoft asks programs to react to `error` and not to the text, which may change;
//! so the code only chooses the advice, and the text is shown as it came.
//!
//! Facts: `error-codes-of-entra`.

use std::fmt;

use serde::Deserialize;

use crate::http::secret;

/// A token request that Entra turned down.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The OAuth error, such as `invalid_client`.
    pub error: String,
    /// The number behind `AADSTS`.
    pub code: Option<u64>,
    /// Entra's words, first line, masked.
    pub text: String,
    /// Under which Entra's sign-in log knows the attempt.
    pub correlation_id: Option<String>,
}

impl Refusal {
    /// Reads an error body. `None` when it is none of Entra's.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let body: Body = serde_json::from_slice(body).ok()?;
        let description = body.error_description.unwrap_or_default();
        let from_text = || {
            let digits = description.split_once("AADSTS")?.1;
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            digits[..end].parse().ok()
        };
        let code = body.error_codes.first().copied().or_else(from_text);
        let first_line = description.lines().next().unwrap_or_default();
        let first_line = first_line.split(" Trace ID:").next().unwrap_or_default();
        Some(Self {
            error: body.error,
            code,
            text: secret::mask(without_code(first_line)).chars().take(400).collect(),
            correlation_id: body.correlation_id,
        })
    }

    /// What the user can do about it, in full sentences.
    #[must_use]
    pub fn remedy(&self) -> String {
        let advice = self.advice();
        let mut letters = advice.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        format!("{}{}.", first.collect::<String>(), letters.as_str())
    }

    /// Cause and remedy.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        let known = self.code.and_then(|code| {
            let entry = ADVICE.iter().find(|(codes, _)| codes.contains(&code))?;
            Some(entry.1)
        });
        known.unwrap_or(match self.error.as_str() {
            "invalid_client" => "the client ID does not match its secret or certificate",
            "invalid_grant" => {
                "the refresh token or assertion is not accepted (any more): sign in again and store \
                                the new one"
            }
            "unauthorized_client" => "the application may not use this sign-in method: check its registration",
            "interaction_required" => {
                "a person has to sign in, which automation cannot: use a refresh token obtained with multi-factor \
                 authentication"
            }
            _ => "look the code up at https://login.microsoftonline.com/error",
        })
    }

    /// Whether waiting helps right after the application or its secret was created: Entra needs seconds to spread them.
    #[must_use]
    pub fn may_be_replication(&self) -> bool {
        self.code.is_some_and(|code| REPLICATION.contains(&code))
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.code.is_some_and(|code| TRANSIENT.contains(&code))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "AADSTS{code} ({})", self.error)?,
            None if self.error.is_empty() => f.write_str("no reason given")?,
            None => f.write_str(&self.error)?,
        }
        let text = match self.correlation_id {
            // The text is a sentence, or several.
            Some(_) => self.text.trim_end_matches('.'),
            None => &self.text,
        };
        if !text.is_empty() {
            write!(f, ": {text}")?;
        }
        if let Some(id) = &self.correlation_id {
            write!(f, " (correlation id {id})")?;
        }
        Ok(())
    }
}

/// The text behind `AADSTS700082: `, which is shown as the code.
fn without_code(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("AADSTS") else {
        return text;
    };
    rest.trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches(':')
        .trim()
}

#[derive(Deserialize)]
struct Body {
    error: String,
    error_description: Option<String>,
    #[serde(default)]
    error_codes: Vec<u64>,
    correlation_id: Option<String>,
}

const REPLICATION: &[u64] = &[7_000_215, 7_000_229, 500_011, 700_016];
const TRANSIENT: &[u64] = &[90_055, 50_196, 90_024, 90_033];

const ADVICE: &[(&[u64], &str)] = &[
    (
        &[7_000_215],
        "the client secret is wrong: use the secret's value, not its ID; a secret that was just created may need \
         some seconds",
    ),
    (
        &[7_000_222],
        "the client secret has expired: create a new one and store it",
    ),
    (
        &[7_000_218],
        "Entra expects a client secret or certificate, because the application is a confidential client: set client_secret, or allow public client flows in the registration",
    ),
    (
        &[7_000_229],
        "the calling application has no service principal in this tenant: create one; right after its creation wait \
         some seconds",
    ),
    (
        &[700_016],
        "the application is not known in this tenant: check the client ID and the tenant; right after its creation wait some seconds",
    ),
    (
        &[7_000_112],
        "the application is disabled: enable its enterprise application in Entra",
    ),
    (
        &[500_011],
        "the requested resource has no service principal in this tenant: create one for the audience application, \
         and check its client ID",
    ),
    (
        &[501_051, 50_105],
        "the audience application requires assignment and the caller has none: turn \"assignment required\" off, or assign an app role",
    ),
    (
        &[90_002, 900_023],
        "the tenant is not known: check it (a GUID or a verified domain) and the environment (each national cloud has its own tenants)",
    ),
    (&[900_144], "a field is missing from the token request"),
    (
        &[901_002],
        "the resource parameter was sent to the v2 endpoint, which wants scope",
    ),
    (
        &[70_011, 700_022, 700_023],
        "the requested scope is not valid for this resource: check admin_url, environment and the scope in support_api_profile",
    ),
    (
        &[90_009],
        "an application that asks for a token for itself must name the resource by its bare client id",
    ),
    (
        &[700_027],
        "the certificate's signature is not accepted: upload the certificate of client_certificate_path to this application, and check that it has not expired",
    ),
    (
        &[70_021, 700_211, 700_212, 700_213],
        "no federated credential of the application matches the OIDC token: issuer, subject and audience are compared literally (the plan and the apply phase of a run in HCP have different subjects)",
    ),
    (
        &[700_024],
        "the assertion is outside its validity period: correct this machine's clock",
    ),
    (
        &[50_012, 700_021],
        "the assertion's issuer or subject is not this application: check client_id",
    ),
    (
        &[65_001, 65_004],
        "consent is missing: an administrator must grant the application delegated permission for the admin center (admin consent)",
    ),
    (
        &[50_076, 50_079, 50_074, 50_158],
        "multi-factor authentication is required: obtain the refresh token in a sign-in that used it; a password \
         alone is not enough",
    ),
    (
        &[50_058],
        "no silent sign-in is possible: sign in again and store the new refresh token",
    ),
    (
        &[50_173, 70_008, 700_082, 700_084, 50_089],
        "the refresh token has expired or was revoked (a changed password, 90 days without use): sign in again and \
         store the new one",
    ),
    (
        &[70_000, 9_002_313],
        "the refresh token is damaged, or belongs to another application: check refresh_token and client_id",
    ),
    (
        &[53_000, 53_001, 53_003, 530_032, 530_034, 530_036],
        "a Conditional Access policy blocks the sign-in (location, device or risk): exempt this machine or the dedicated account, or run from an allowed network",
    ),
    (&[50_126], "user name or password is wrong"),
    (&[50_053, 50_057], "the account is locked or disabled"),
    (&[50_055], "the account's password has expired"),
    (
        &[70_016, 70_018, 70_019],
        "device code sign-in needs a person and is not used by this provider",
    ),
    (
        &[90_055, 50_196, 90_024, 90_033],
        "Entra is overloaded or throttles this application: try again later",
    ),
    (
        &[90_072, 50_020],
        "the account belongs to another tenant: use an account of tenant_id",
    ),
    (
        &[500_014, 500_021],
        "the resource or the tenant is disabled or restricted",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_and_explained() {
        let body = serde_json::json!({
            "error": "invalid_client",
            "error_description": "AADSTS7000215: Invalid client secret provided. Trace ID: x\r\nCorrelation ID: y\r\nTimestamp: z",
            "error_codes": [7_000_215],
            "correlation_id": "11111111-2222",
        });

        let refusal = Refusal::parse(body.to_string().as_bytes()).unwrap();
        let shown = format!("{refusal} {}", refusal.remedy());

        assert!(refusal.may_be_replication());
        assert!(shown.contains("AADSTS7000215") && shown.contains("not its ID") && shown.contains("11111111-2222"));
        assert!(!shown.contains("Trace ID"));
    }

    #[test]
    fn the_code_is_found_in_the_text_too() {
        let body = br#"{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired"}"#;

        assert_eq!(Refusal::parse(body).unwrap().code, Some(700_082));
    }

    #[test]
    fn an_unknown_code_still_gets_advice() {
        let body = br#"{"error":"invalid_grant","error_codes":[1]}"#;

        assert!(Refusal::parse(body).unwrap().remedy().contains("sign in again"));
        assert!(Refusal::parse(b"<html>").is_none());
    }

    #[test]
    fn an_error_without_a_known_code_has_the_advice_of_its_kind() {
        let advice = |error: &str| {
            let body = format!(r#"{{"error":"{error}","error_codes":[1]}}"#);
            Refusal::parse(body.as_bytes()).unwrap().remedy()
        };
        assert!(advice("invalid_client").contains("does not match"));
        assert!(advice("unauthorized_client").contains("check its registration"));
        assert!(advice("interaction_required").contains("A person has to sign in"));
        assert!(advice("anything").contains("https://login.microsoftonline.com/error"));
    }

    #[test]
    fn the_code_is_shown_once() {
        let body = br#"{"error":"invalid_grant","error_description":"AADSTS700082: Gone. Trace ID: x","error_codes":[700082]}"#;
        assert_eq!(
            Refusal::parse(body).unwrap().to_string(),
            "AADSTS700082 (invalid_grant): Gone."
        );
    }

    #[test]
    fn no_code_is_explained_twice() {
        let mut codes: Vec<u64> = ADVICE.iter().flat_map(|(codes, _)| codes.iter().copied()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();

        assert_eq!(codes.len(), all);
    }

    #[test]
    fn fuzz_refusal() {
        let examples: [&[u8]; 3] = [
            br#"{"error":"invalid_grant","error_description":"AADSTS700082: Gone. Trace ID: x\r\nCorrelation ID: y","error_codes":[700082],"correlation_id":"c"}"#,
            br#"{"error":"x","error_description":"AADSTS"}"#,
            br#"{"error":"x","error_description":"AADSTS99999999999999999999999: "}"#,
        ];
        crate::fuzz::fuzz(&examples, &["AADSTS", "null", "\\u00fc"], |body| {
            if let Some(refusal) = Refusal::parse(body) {
                assert!(!refusal.to_string().is_empty());
            }
        });
    }
}
