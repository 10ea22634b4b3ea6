//! Entra and the admin center: reading alone, with the sign-in of the environment. What needs applications of the run is seen by
//! [`crate::entra`].

use servicenow_provider::http::Secret;
use servicenow_provider::http::jwt_claims::Claims;
use servicenow_provider::microsoft::SupportError;
use servicenow_provider::microsoft::entra::Endpoint;

use super::{Probed, Seen, with_causes};
use crate::context::{RunContext, limits};
use crate::entra;

/// What the part needs, where a variable is missing.
fn missing(context: &RunContext, names: &[&str]) -> Option<Seen> {
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| context.settings.get(name).is_none())
        .collect();
    (!missing.is_empty()).then(|| Seen::Open(format!("It needs {}.", missing.join(", "))))
}

/// A token of the application for itself, which needs no permission.
pub(super) async fn claims_of_application_tokens(context: &RunContext) -> Probed {
    if let Some(open) = missing(context, &["ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"]) {
        return Ok(open);
    }
    let get = |name| context.settings.get(name).unwrap_or_default();
    let secret = Secret::from(get("ARM_CLIENT_SECRET"));
    let client_id = get("ARM_CLIENT_ID");
    let token = match token(context, client_id, &secret, client_id).await {
        Ok(token) => token,
        Err(seen) => return Ok(seen),
    };
    let Ok(claims) = Claims::decode(token.expose()) else {
        return Ok(Seen::Differs("The token is no JWT.".to_owned()));
    };
    let version = claims.text("ver").unwrap_or_default().to_owned();
    let caller = if version == "2.0" { "azp" } else { "appid" };
    let holds = claims.text(caller) == Some(client_id) && claims.text("tid").is_some();
    Ok(Seen::of(
        holds,
        format!("A token of version {version:?}; the caller is in {caller:?}: {holds}."),
    ))
}

/// A sign-in of an application that does not exist.
pub(super) async fn error_codes_of_entra(context: &RunContext) -> Probed {
    if let Some(open) = missing(context, &["ARM_TENANT_ID"]) {
        return Ok(open);
    }
    let nobody = crate::context::guid(&context.prefix, 9);
    let secret = Secret::from("a-secret-that-opens-nothing");
    Ok(match token(context, &nobody, &secret, &nobody).await {
        Ok(_) => Seen::Differs("A token for an application that does not exist.".to_owned()),
        Err(Seen::Open(refusal)) => {
            let code = entra::code(&refusal);
            Seen::of(code.is_some(), format!("Refused with {}.", code.unwrap_or("no code")))
        }
        Err(seen) => seen,
    })
}

async fn token(context: &RunContext, client_id: &str, secret: &Secret, resource: &str) -> Result<Secret, Seen> {
    let token = entra::token(context, (client_id, secret), resource, Endpoint::V1).await;
    token.map_err(|error| Seen::Open(with_causes(&error)))
}

/// What the story of the run's own applications has shown.
fn shown(context: &RunContext, seen: impl Fn(&entra::Outcome) -> Seen) -> Seen {
    let not_run = || Seen::Open("The run was interrupted.".to_owned());
    context.entra.as_ref().map_or_else(not_run, seen)
}

pub(super) async fn token_versions(context: &RunContext) -> Probed {
    Ok(shown(context, entra::Outcome::versions))
}

pub(super) async fn new_secrets(context: &RunContext) -> Probed {
    Ok(shown(context, entra::Outcome::new_secrets))
}

pub(super) async fn audience_is_checked(context: &RunContext) -> Probed {
    Ok(shown(context, entra::Outcome::audience))
}

pub(super) async fn user_is_checked(context: &RunContext) -> Probed {
    Ok(shown(context, entra::Outcome::user))
}

pub(super) async fn support_api_read(context: &RunContext) -> Probed {
    let has_token = ["M365_ACCESS_TOKEN", "M365_REFRESH_TOKEN"];
    if has_token.iter().all(|name| context.settings.get(name).is_none()) {
        return Ok(Seen::Open(format!(
            "It needs {}, and ARM_TENANT_ID.",
            has_token.join(" or ")
        )));
    }
    let microsoft = match &context.clients.microsoft {
        Ok(microsoft) => microsoft,
        Err(problem) => return Ok(Seen::Open(format!("{}. {}", problem.summary, problem.detail))),
    };
    Ok(match microsoft.support.find_settings(&limits()).await {
        Ok(settings) => Seen::Holds(format!(
            "The tenant has {} settings.",
            if settings.is_some() { "such" } else { "no such" }
        )),
        Err(error @ SupportError::SignIn(_)) => Seen::Open(with_causes(&error)),
        Err(error) => Seen::Differs(with_causes(&error)),
    })
}
