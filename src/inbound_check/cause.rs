//! Why an instance rejects a token: compares the token's claims with the instance's records.
//!
//! Values in, decision out. The order is the instance's own: audience, issuer, claim; the user is looked up after that.
//!
//! Facts: `client-id-is-the-audience`, `claim-names-the-user`, `inbound-scope-403`, `access-policies`.

use crate::http::jwt_claims::Claims;
use crate::microsoft::entra::addresses::SHARED_TENANTS;

/// An OIDC provider of the instance (`oauth_oidc_entity`).
#[derive(Clone, Debug, Default)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) client_id: String,
    /// Hidden columns count as good: nothing is known against them.
    pub(super) active: bool,
    /// Seconds.
    pub(super) clock_skew: i64,
    pub(super) configuration: Option<Configuration>,
}

/// Its configuration (`oidc_provider_configuration`).
#[derive(Clone, Debug, Default)]
pub(super) struct Configuration {
    pub(super) name: String,
    pub(super) metadata_url: String,
    pub(super) user_claim: String,
    pub(super) user_field: String,
    pub(super) verifies_jti: bool,
}

/// What is wrong and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Cause {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Cause {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

/// The provider that accepts the token, as far as audience, issuer and claim tell; else the cause why none does.
pub(super) fn accepting<'a>(claims: &Claims, providers: &'a [Provider]) -> Result<Accepting<'a>, Cause> {
    let provider = for_audience(claims, providers)?;
    let Some(configuration) = &provider.configuration else {
        return Err(Cause::new(
            format!("The OIDC provider {:?} has no OIDC configuration.", provider.name),
            "Set `configuration` or `configuration_id` of servicenow_oidc_provider.",
        ));
    };
    check_issuer(claims, configuration)?;
    let claim = configuration.user_claim.trim();
    if claim.is_empty() {
        return Err(Cause::new(
            format!("The OIDC configuration {:?} has no user claim.", configuration.name),
            format!("Set user_claim: {:?} for these tokens.", caller_claim(claims)),
        ));
    }
    let Some(value) = claims.text(claim).filter(|value| !value.is_empty()) else {
        return Err(Cause::new(
            format!(
                "The OIDC configuration {:?} uses the claim {claim:?}, which is not in the token (version {}).",
                configuration.name,
                claims.text("ver").unwrap_or("unknown")
            ),
            format!(
                "Set user_claim to {:?}: `appid` names the calling application in version 1 tokens, `azp` in version 2.",
                caller_claim(claims)
            ),
        ));
    };
    if configuration.user_field.trim().is_empty() {
        return Err(Cause::new(
            format!("The OIDC configuration {:?} has no user field.", configuration.name),
            "Set user_field to \"user_name\", which the form calls User ID.",
        ));
    }
    Ok(Accepting {
        provider,
        configuration,
        value: value.to_owned(),
    })
}

/// A provider that accepts a token, and the field and value by which it looks up the user.
#[derive(Debug)]
pub(super) struct Accepting<'a> {
    pub(super) provider: &'a Provider,
    pub(super) configuration: &'a Configuration,
    /// The value of the user claim.
    pub(super) value: String,
}

fn for_audience<'a>(claims: &Claims, providers: &'a [Provider]) -> Result<&'a Provider, Cause> {
    let audiences = claims.audiences();
    let shown = audiences.join(", ");
    let fitting: Vec<&Provider> = providers
        .iter()
        .filter(|provider| audiences.contains(&provider.client_id.as_str()))
        .collect();
    let active: Vec<&Provider> = fitting.iter().copied().filter(|provider| provider.active).collect();
    match (active.as_slice(), fitting.first()) {
        ([provider], _) => Ok(provider),
        ([], Some(inactive)) => Err(Cause::new(
            format!(
                "The OIDC provider {:?}, which has the token's aud {shown}, is not active.",
                inactive.name
            ),
            "Set it active.",
        )),
        ([], None) => Err(unknown_audience(claims, providers, &shown)),
        (several, _) => {
            let names: Vec<String> = several.iter().map(|provider| format!("{:?}", provider.name)).collect();
            Err(Cause::new(
                format!(
                    "Several OIDC providers have the token's aud {shown} as client_id: {}.",
                    names.join(", ")
                ),
                "The instance may use the wrong one of them. Keep one, and remove or deactivate the others.",
            ))
        }
    }
}

fn unknown_audience(claims: &Claims, providers: &[Provider], shown: &str) -> Cause {
    let what = format!("No OIDC provider of the instance has the token's aud as client_id: {shown}.");
    let caller = claims.text("appid").or_else(|| claims.text("azp"));
    if let Some(provider) = providers
        .iter()
        .find(|provider| Some(provider.client_id.as_str()) == caller)
    {
        let remedy = format!(
            "The OIDC provider {:?} has the client id of the calling application. It must have that of the \
             application that the token is issued for: set its client_id to {shown}. The user identifies the caller.",
            provider.name
        );
        return Cause::new(what, remedy);
    }
    let near = providers.iter().find(|provider| {
        let bare = bare(&provider.client_id);
        claims.audiences().iter().any(|audience| self::bare(audience) == bare)
    });
    if let Some(provider) = near {
        let remedy = format!(
            "The OIDC provider {:?} has {:?}, and the two are compared literally: set its client_id to {shown}, or \
             ask for the token by the other spelling (`audience`).",
            provider.name, provider.client_id
        );
        return Cause::new(what, remedy);
    }
    let known: Vec<&str> = providers.iter().map(|provider| provider.client_id.as_str()).collect();
    let known = if known.is_empty() {
        "There is no OIDC provider at all.".to_owned()
    } else {
        format!("Existing providers have: {}.", known.join(", "))
    };
    Cause::new(
        what,
        format!("{known} Create a servicenow_oidc_provider with client_id = {shown:?}, or correct `audience`."),
    )
}

/// A client id without what people add to it.
fn bare(text: &str) -> String {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    text.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Whether the metadata document can belong to the token's issuer, judging by its address.
fn check_issuer(claims: &Claims, configuration: &Configuration) -> Result<(), Cause> {
    let Configuration { name, metadata_url, .. } = configuration;
    let url = metadata_url.trim();
    if url.is_empty() {
        let what = format!("The OIDC configuration {name:?} has no metadata URL.");
        return Err(Cause::new(what, "Set metadata_url to that of the tokens' issuer."));
    }
    let Some(issuer) = claims.text("iss") else {
        return Ok(());
    };
    let is_v2 = issuer.trim_end_matches('/').ends_with("/v2.0");
    let url_is_v2 = url.contains("/v2.0/");
    let is_of_entra = is_v2 || issuer.contains("sts.");
    let issued_by = format!("The token's issuer is {issuer}, and the OIDC configuration {name:?} trusts that of {url}");
    if is_of_entra && is_v2 != url_is_v2 {
        let fitting = if is_v2 {
            url.replacen("/.well-known/", "/v2.0/.well-known/", 1)
        } else {
            url.replacen("/v2.0/", "/", 1)
        };
        let (token, document) = if is_v2 { (2, 1) } else { (1, 2) };
        return Err(Cause::new(
            format!("{issued_by}: a version {token} token, and the metadata of version {document}."),
            format!(
                "Set metadata_url to {fitting}. Or change the version of the tokens, which the audience application decides \
                 (requestedAccessTokenVersion)."
            ),
        ));
    }
    let tenant = url.split('/').nth(3).unwrap_or_default();
    let Some(tid) = claims.text("tid") else { return Ok(()) };
    if SHARED_TENANTS.contains(&tenant) {
        return Err(Cause::new(
            format!("{issued_by}. That document is shared by all tenants, so it does not identify an issuer."),
            format!("Use the tenant's address instead: {}", url.replacen(tenant, tid, 1)),
        ));
    }
    let is_guid = tenant.len() == 36 && tenant.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    if is_guid && !tenant.eq_ignore_ascii_case(tid) {
        return Err(Cause::new(
            format!("{issued_by}: another tenant."),
            format!("The token is of the tenant {tid}: correct metadata_url, or `tenant`."),
        ));
    }
    Ok(())
}

/// The claim that names the calling application in this token.
fn caller_claim(claims: &Claims) -> &'static str {
    if claims.text("azp").is_some() { "azp" } else { "appid" }
}

/// Whether the instance's clock (seconds since 1970) puts the token outside its time.
pub(super) fn clock(claims: &Claims, instance_now: i64, our_now: i64, skew: i64) -> Option<Cause> {
    let ahead = instance_now - our_now;
    let is_late = claims.seconds("exp").is_some_and(|end| end + skew <= instance_now);
    let is_early = claims.seconds("nbf").is_some_and(|start| start > instance_now + skew);
    if !is_late && !is_early {
        return None;
    }
    let (word, seconds) = if ahead > 0 {
        ("ahead of", ahead)
    } else {
        ("behind", -ahead)
    };
    Some(Cause::new(
        format!(
            "By the instance's clock the token {}. That clock is {seconds} s {word} this machine's, and clock_skew allows \
             {skew} s.",
            if is_late { "has ended" } else { "is not valid yet" }
        ),
        "Correct the clocks, or raise clock_skew of the OIDC provider.",
    ))
}

/// JTI verification on.
pub(super) fn jti(configuration: &Configuration) -> Cause {
    Cause::new(
        format!(
            "The OIDC configuration {:?} verifies the token's JTI.",
            configuration.name
        ),
        "Each token then works for one call only, but Entra tokens are used for many: set enable_jti_verification to \
         false.",
    )
}

/// The API asks for an auth scope.
pub(super) fn auth_scope(provider: &Provider, scope: &str) -> Cause {
    Cause::new(
        format!(
            "The instance accepted the token, but the API asks for the auth scope {scope}, which the OIDC provider {:?} does \
             not carry.",
            provider.name
        ),
        format!(
            "Set auth_scopes = [{scope:?}] of servicenow_oidc_provider, or auth_scopes = [\"useraccount\"], which opens every \
             API. If it has one of them: of several active API access scopes (sys_api_access_scope) for one API only one counts."
        ),
    )
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    const TENANT: &str = "11111111-1111-1111-1111-111111111111";

    fn claims(change: impl FnOnce(&mut Value)) -> Claims {
        let mut claims = json!({
            "ver": "1.0", "iss": format!("https://sts.windows.net/{TENANT}/"), "tid": TENANT, "aud": "inbound",
            "appid": "rest-user", "nbf": 1000, "exp": 5000,
        });
        change(&mut claims);
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        Claims::decode(&format!("e30.{payload}.c2ln")).unwrap()
    }

    fn version_2(claims: &mut Value) {
        claims["iss"] = json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
        claims["ver"] = json!("2.0");
        claims["azp"] = claims["appid"].take();
    }

    fn provider(change: impl FnOnce(&mut Provider, &mut Configuration)) -> Provider {
        let mut configuration = Configuration {
            name: "Entra".to_owned(),
            metadata_url: "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration".to_owned(),
            user_claim: "appid".to_owned(),
            user_field: "user_name".to_owned(),
            verifies_jti: false,
        };
        let mut provider = Provider {
            name: "Microsoft 365".to_owned(),
            client_id: "inbound".to_owned(),
            active: true,
            clock_skew: 300,
            configuration: None,
        };
        change(&mut provider, &mut configuration);
        if provider.clock_skew >= 0 {
            provider.configuration = Some(configuration);
        }
        provider
    }

    #[track_caller]
    fn refused(claims: &Claims, providers: &[Provider], parts: &[&str]) {
        let cause = accepting(claims, providers).map(drop).unwrap_err();
        for part in parts {
            assert!(
                cause.what.contains(part) || cause.remedy.contains(part),
                "{part:?} is not in {cause:#?}"
            );
        }
    }

    #[test]
    fn a_trust_that_is_right_has_no_cause() {
        let providers = [
            provider(|_, _| {}),
            provider(|other, _| other.client_id = "other".to_owned()),
        ];
        assert_eq!(accepting(&claims(|_| {}), &providers).unwrap().value, "rest-user");

        let url = "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration";
        let providers = [provider(|_, configuration| {
            configuration.metadata_url = url.to_owned();
            configuration.user_claim = "azp".to_owned();
        })];
        assert_eq!(accepting(&claims(version_2), &providers).unwrap().value, "rest-user");
    }

    #[test]
    fn the_audience_is_compared_first() {
        refused(
            &claims(|_| {}),
            &[],
            &["aud as client_id: inbound", "no OIDC provider at all"],
        );
        let caller = provider(|provider, _| provider.client_id = "rest-user".to_owned());
        refused(
            &claims(|_| {}),
            &[caller],
            &["client id of the calling application", "set its client_id to inbound"],
        );
        let uri = provider(|provider, _| provider.client_id = "api://inbound".to_owned());
        refused(&claims(|_| {}), &[uri], &["compared literally"]);
        let off = provider(|provider, _| provider.active = false);
        refused(&claims(|_| {}), std::slice::from_ref(&off), &["not active"]);
        refused(
            &claims(|_| {}),
            &[provider(|_, _| {}), provider(|_, _| {})],
            &["Several"],
        );
        assert!(accepting(&claims(|_| {}), &[off, provider(|_, _| {})]).is_ok());
        let bare = provider(|provider, _| provider.clock_skew = -1);
        refused(&claims(|_| {}), &[bare], &["no OIDC configuration"]);
    }

    #[test]
    fn the_issuer_must_be_that_of_the_metadata() {
        let with_url = |url: &str| {
            let url = url.to_owned();
            provider(move |_, configuration| configuration.metadata_url = url)
        };
        let v1 = "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration";
        let v2 = "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration";
        refused(
            &claims(|_| {}),
            &[with_url(v2)],
            &["version 1 token", "metadata of version 2", v1],
        );
        refused(&claims(version_2), &[with_url(v1)], &["version 2 token", v2]);
        let other = v1.replace("contoso.com", "22222222-2222-2222-2222-222222222222");
        refused(&claims(|_| {}), &[with_url(&other)], &["another tenant", TENANT]);
        refused(
            &claims(|_| {}),
            &[with_url(&v1.replace("contoso.com", "common"))],
            &["shared by all tenants", TENANT],
        );
        refused(&claims(|_| {}), &[with_url("")], &["no metadata URL"]);
    }

    #[test]
    fn the_claim_must_be_in_the_token() {
        let claim = |name: &'static str| provider(move |_, configuration| configuration.user_claim = name.to_owned());
        refused(
            &claims(|_| {}),
            &[claim("azp")],
            &["\"azp\", which is not in the token (version 1.0)", "\"appid\""],
        );
        refused(&claims(|_| {}), &[claim("")], &["has no user claim"]);
        let field = provider(|_, configuration| configuration.user_field = String::new());
        refused(&claims(|_| {}), &[field], &["has no user field"]);
    }

    #[test]
    fn a_clock_that_is_off_is_told_by_how_much() {
        assert_eq!(clock(&claims(|_| {}), 1100, 1100, 300), None);
        assert_eq!(clock(&claims(|_| {}), 5200, 5200, 300), None);
        let ahead = clock(&claims(|_| {}), 5400, 2000, 300).unwrap();
        assert!(
            ahead.what.contains("has ended") && ahead.what.contains("3400 s ahead of"),
            "{ahead:?}"
        );
        let behind = clock(&claims(|_| {}), 100, 1100, 300).unwrap();
        assert!(
            behind.what.contains("not valid yet") && behind.what.contains("1000 s behind"),
            "{behind:?}"
        );
    }
}
