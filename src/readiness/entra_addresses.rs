//! Entra's addresses: whether they answer, and whether they are of one version.
//!
//! They are requested from the machine that runs Terraform, although the instance needs them: a response proves that they
//! are right, no response proves little.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::clients::{Calls, Clients};
use crate::http::{Answer, HttpError, Limits};
use crate::microsoft::entra::{Endpoint, addresses};
use crate::plugin::{Context, Object};
use crate::readiness::finding::{Finding, Status};
use crate::readiness::wanted::Wanted;
use crate::records::diagnostics;

pub(super) const NAMES: &[&str] = &[METADATA, TOKEN, VERSIONS];

const METADATA: &str = "metadata_url";
const TOKEN: &str = "token_url";
const VERSIONS: &str = "url_versions";

/// The addresses to check.
pub(crate) struct Addresses {
    pub(crate) metadata_url: Option<String>,
    pub(crate) token_url: Option<String>,
}

impl Addresses {
    /// The configured addresses, else those that the guide enters for the tenant.
    pub(crate) fn of(cx: &Context<Clients>, config: &Object) -> Self {
        let authorities = cx.data.authorities.as_ref();
        let tenant = config
            .text("tenant")
            .or_else(|| authorities.and_then(|authorities| authorities.tenant.as_deref()));
        let of_tenant = |path: fn(&str, Endpoint) -> String| {
            let login = authorities?.login.base().as_str().trim_end_matches('/');
            Some(format!("{login}/{}", path(tenant?, Endpoint::V1)))
        };
        let given = |name| config.text(name).map(str::to_owned);
        Self {
            metadata_url: given(METADATA).or_else(|| of_tenant(addresses::metadata_path)),
            token_url: given(TOKEN).or_else(|| of_tenant(addresses::token_path)),
        }
    }
}

/// The part of the metadata document that the checks need.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    #[serde(default)]
    jwks_uri: String,
}

/// Of tokens, and of the addresses that belong to them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Version {
    V1,
    V2,
}

pub(super) async fn check(cx: &Context<Clients>, wanted: &Wanted) -> Vec<Finding> {
    let ((metadata, issuer), token) = tokio::join!(
        metadata(cx, wanted.metadata_url.as_deref()),
        token(cx, wanted.token_url.as_deref()),
    );
    let versions = versions(
        wanted.metadata_url.as_deref(),
        issuer.as_deref(),
        wanted.token_url.as_deref(),
    );
    vec![metadata, token, versions]
}

async fn metadata(cx: &Context<Clients>, url: Option<&str>) -> (Finding, Option<String>) {
    let (Some(url), Some(authorities)) = (url, &cx.data.authorities) else {
        return (nothing_given(METADATA), None);
    };
    let answer = match addresses::get_metadata(&authorities.http, url, &limits(cx)).await {
        Ok(answer) => answer,
        Err(error) => return (no_answer(METADATA, url, &error), None),
    };
    let remedy = "Check tenant and path: https://login.microsoftonline.com/<tenant>/.well-known/openid-configuration for \
                  version 1 tokens, with /v2.0 after the tenant for version 2.";
    if !answer.status().is_success() {
        let detail = answered(url, &answer);
        return (Finding::fail(METADATA, detail, remedy), None);
    }
    match answer.json::<Metadata>() {
        Ok(document) if document.jwks_uri.is_empty() => {
            let detail = format!("{url} is a metadata document without keys (jwks_uri).");
            (Finding::fail(METADATA, detail, remedy), Some(document.issuer))
        }
        Ok(document) => {
            let detail = format!("{url} responds; its issuer is {}.", document.issuer);
            (Finding::pass(METADATA, detail), Some(document.issuer))
        }
        Err(error) => {
            let detail = format!("{url} is not a metadata document. {}", diagnostics::explain(&error, ""));
            (Finding::fail(METADATA, detail, remedy), None)
        }
    }
}

/// A token request without an application: a token endpoint rejects it in a recognisable way, and an unknown tenant shows.
async fn token(cx: &Context<Clients>, url: Option<&str>) -> Finding {
    let (Some(url), Some(authorities)) = (url, &cx.data.authorities) else {
        return nothing_given(TOKEN);
    };
    let answer = match addresses::probe_token_endpoint(&authorities.http, url, &limits(cx)).await {
        Ok(answer) => answer,
        Err(error) => return no_answer(TOKEN, url, &error),
    };
    let status = answer.status();
    let said = String::from_utf8_lossy(answer.body());
    let is_tenant_unknown = UNKNOWN_TENANT.iter().any(|code| said.contains(code));
    let is_endpoint = answer.is_json() && matches!(status.as_u16(), 200 | 400 | 401);
    if is_endpoint && !is_tenant_unknown {
        return Finding::pass(TOKEN, format!("{url} responds like a token endpoint."));
    }
    Finding::fail(
        TOKEN,
        answered(url, &answer),
        "Check tenant and path; the guide enters https://login.microsoftonline.com/<tenant>/oauth2/token.",
    )
}

fn versions(metadata_url: Option<&str>, issuer: Option<&str>, token_url: Option<&str>) -> Finding {
    let Some(url) = metadata_url else {
        return nothing_given(VERSIONS);
    };
    let Some(issuer) = issuer else {
        return Finding::unknown(
            VERSIONS,
            "The metadata document was not read.",
            "See the check metadata_url.",
        );
    };
    let (of_url, of_issuer) = (version_of_address(url), version_of_issuer(issuer));
    let Some(of_issuer) = of_issuer else {
        return Finding::unknown(VERSIONS, format!("{issuer} is not an issuer of Entra tokens."), "");
    };
    if of_url != of_issuer {
        return Finding::fail(
            VERSIONS,
            format!(
                "The metadata address is that of {of_url} tokens, and its issuer {issuer} that of {of_issuer} tokens."
            ),
            "Use the address of the version that the audience application's tokens have.",
        );
    }
    match token_url.map(version_of_address) {
        Some(of_token_url) if of_token_url != of_url => Finding::new(
            VERSIONS,
            Status::Warn,
            format!("The metadata address is of {of_url}, the token address of {of_token_url}."),
            "The guide uses version 1 for both. What counts for the metadata address is the audience application's \
             requestedAccessTokenVersion: null or 1 means 1.0, 2 means 2.0.",
        ),
        Some(_) | None => Finding::pass(VERSIONS, format!("The addresses are of {of_url} throughout.")),
    }
}

fn version_of_address(url: &str) -> Version {
    if url.contains("/v2.0") {
        Version::V2
    } else {
        Version::V1
    }
}

/// Version 1: `https://sts.windows.net/<tenant>/` and its national counterparts; version 2 ends in `/v2.0`.
fn version_of_issuer(issuer: &str) -> Option<Version> {
    if issuer.trim_end_matches('/').ends_with("/v2.0") {
        Some(Version::V2)
    } else if issuer.starts_with("https://sts.") {
        Some(Version::V1)
    } else {
        None
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Version::V1 => "version 1",
            Version::V2 => "version 2",
        })
    }
}

/// What is left for a check, which must not hold up the others.
fn limits(cx: &Context<Clients>) -> Limits {
    let limits = cx.limits();
    Limits {
        deadline: limits.deadline.min(Instant::now() + PATIENCE),
        cancel: limits.cancel,
    }
}

fn answered(url: &str, answer: &Answer) -> String {
    let (status, said) = (answer.status(), answer.excerpt());
    if said.is_empty() {
        format!("{url} responds with {status}.")
    } else {
        format!("{url} responds with {status}: {said}")
    }
}

fn nothing_given(name: &'static str) -> Finding {
    Finding::unknown(
        name,
        "Neither a tenant nor an address is configured.",
        "Set `tenant`, or `metadata_url` and `token_url`.",
    )
}

fn no_answer(name: &'static str, url: &str, error: &HttpError) -> Finding {
    Finding::unknown(
        name,
        format!(
            "{url} cannot be reached from this machine. {}",
            diagnostics::explain(error, "")
        ),
        "What matters is whether the instance can reach it: check its System Logs > Outbound HTTP.",
    )
}

/// A host that does not answer must not hold up a plan.
const PATIENCE: Duration = Duration::from_secs(15);
/// No such tenant; not a tenant's name at all.
const UNKNOWN_TENANT: [&str; 2] = ["AADSTS90002", "AADSTS900023"];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, issuer: &str, token_url: Option<&str>, expected: Status) {
        assert_eq!(
            versions(Some(url), Some(issuer), token_url).status,
            expected,
            "{url} {issuer}"
        );
    }

    #[test]
    fn addresses_of_one_version_pass() {
        const V1: &str = "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration";
        const V2: &str = "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration";
        let (v1, v2) = ("https://sts.windows.net/1/", "https://login.microsoftonline.com/1/v2.0");
        let token = "https://login.microsoftonline.com/contoso.com/oauth2/token";

        check(V1, v1, Some(token), Status::Pass);
        check(V2, v2, None, Status::Pass);
        check(V2, v2, Some(token), Status::Warn);
        check(V1, v2, None, Status::Fail);
        check(V2, v1, None, Status::Fail);
        check(V1, "https://accounts.google.com", None, Status::Unknown);
    }
}
