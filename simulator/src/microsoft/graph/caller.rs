//! Who calls, and what they may change.

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::microsoft::directory::{Directory, GLOBAL_ADMINISTRATOR, GRAPH_APP, Tenant};
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::keys;

/// A caller with the right to do something; an extension of every request that reaches a handler.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Object id of the service principal or user.
    pub(super) object_id: String,
    power: Power,
    reads_domains: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Power {
    /// `Application.ReadWrite.All`, or an administrator.
    All,
    /// `Application.ReadWrite.OwnedBy`.
    Owned,
    /// `Application.Read.All` and the like.
    Reads,
    /// A token without any of these roles.
    None,
}

impl Caller {
    /// Whether the caller may make applications and service principals.
    pub(super) fn may_create(&self) -> Result<(), Refusal> {
        match self.power {
            Power::All | Power::Owned => Ok(()),
            Power::Reads | Power::None => Err(Refusal::Denied),
        }
    }

    /// Whether the caller may read the tenant's domains.
    pub(super) fn may_read_domains(&self) -> Result<(), Refusal> {
        if self.reads_domains {
            Ok(())
        } else {
            Err(Refusal::Denied)
        }
    }

    /// Whether the caller may change an object with these owners.
    pub(super) fn may_change<'a>(&self, mut owners: impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
        let allowed = match self.power {
            Power::All => true,
            Power::Owned => owners.any(|owner| *owner == self.object_id),
            Power::Reads | Power::None => false,
        };
        if allowed { Ok(()) } else { Err(Refusal::Denied) }
    }
}

pub(super) async fn signed_in(State(directory): State<Directory>, mut request: Request, next: Next) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::to_owned);
    let caller = token
        .ok_or(Refusal::NoToken)
        .and_then(|token| directory.with(|tenant| caller(tenant, &token)));
    match caller {
        // Applications and service principals are the affair of whoever has a role for them; any caller reads the tenant's name.
        Ok(caller) if caller.power == Power::None && !request.uri().path().ends_with("/organization") => {
            Refusal::Denied.into_response()
        }
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn caller(tenant: &Tenant, token: &str) -> Result<Caller, Refusal> {
    let published = keys::entra().map_err(|_| Refusal::BadToken("No keys."))?.key_set();
    let claims = keys::verify(token, &published).ok_or(Refusal::BadToken("Invalid signature."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let list = |name: &str| -> Vec<&str> {
        claims
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    let now = jiff::Timestamp::now().as_second();
    if claims.get("exp").and_then(Value::as_i64).is_none_or(|end| end <= now) {
        return Err(Refusal::BadToken("Lifetime validation failed, the token is expired."));
    }
    if tenant.audience(text("aud")).as_deref() != Some(GRAPH_APP) {
        return Err(Refusal::BadToken("Invalid audience."));
    }
    if text("tid") != tenant.id {
        return Err(Refusal::BadToken("The tenant is not known."));
    }
    let roles = list("roles");
    let is_administrator = list("wids").contains(&GLOBAL_ADMINISTRATOR);
    let has_one_of = |names: &[&str]| names.iter().any(|name| roles.contains(name));
    let power = if is_administrator || has_one_of(&["Application.ReadWrite.All", "Directory.ReadWrite.All"]) {
        Power::All
    } else if has_one_of(&["Application.ReadWrite.OwnedBy"]) {
        Power::Owned
    } else if has_one_of(&["Application.Read.All", "Directory.Read.All", "Domain.Read.All"]) {
        Power::Reads
    } else {
        Power::None
    };
    let reads_domains =
        is_administrator || has_one_of(&["Domain.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"]);
    Ok(Caller {
        object_id: text("oid").to_owned(),
        power,
        reads_domains,
    })
}
