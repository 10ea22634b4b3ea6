//! Owners of applications and service principals.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use crate::microsoft::answer;
use crate::microsoft::directory::{Directory, Tenant};
use crate::microsoft::graph::caller::Caller;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::request::object;
use crate::microsoft::graph::response::{Answered, no_content};

#[derive(Clone, Copy)]
enum Kind {
    Application,
    Principal,
}

pub(super) async fn of_application(State(directory): State<Directory>, Path(id): Path<String>) -> Answered {
    list(&directory, Kind::Application, &id)
}

pub(super) async fn of_principal(State(directory): State<Directory>, Path(id): Path<String>) -> Answered {
    list(&directory, Kind::Principal, &id)
}

pub(super) async fn add_to_application(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    add(&directory, &caller, Kind::Application, &id, &body)
}

pub(super) async fn add_to_principal(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    add(&directory, &caller, Kind::Principal, &id, &body)
}

pub(super) async fn remove_from_application(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path((id, owner)): Path<(String, String)>,
) -> Answered {
    remove(&directory, &caller, Kind::Application, &id, &owner)
}

pub(super) async fn remove_from_principal(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path((id, owner)): Path<(String, String)>,
) -> Answered {
    remove(&directory, &caller, Kind::Principal, &id, &owner)
}

/// Takes the owners out of a create request: `owners@odata.bind` is a list of addresses of directory objects.
pub(super) fn bound(fields: &mut Map<String, Value>) -> BTreeSet<String> {
    match fields.remove("owners@odata.bind") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(last_segment).collect(),
        _ => BTreeSet::new(),
    }
}

/// Whether all of them are objects of the tenant.
pub(super) fn known(tenant: &Tenant, owners: &BTreeSet<String>) -> Result<(), Refusal> {
    let unknown = owners
        .iter()
        .find(|owner| !tenant.service_principals.contains_key(*owner) && tenant.administrator.object_id != **owner);
    match unknown {
        Some(owner) => Err(Refusal::NotFound(owner.clone())),
        None => Ok(()),
    }
}

fn list(directory: &Directory, kind: Kind, id: &str) -> Answered {
    directory.with(|tenant| {
        let owners = owners(tenant, kind, id)?.clone();
        Ok(answer(200, &json!({"value": shown(tenant, &owners)})))
    })
}

/// Owners as a list shows them.
pub(super) fn shown(tenant: &Tenant, owners: &BTreeSet<String>) -> Value {
    let shown = owners.iter().map(|owner| {
        let is_user = tenant.administrator.object_id == *owner;
        let of_type = if is_user {
            "#microsoft.graph.user"
        } else {
            "#microsoft.graph.servicePrincipal"
        };
        json!({"@odata.type": of_type, "id": owner})
    });
    shown.collect()
}

fn add(directory: &Directory, caller: &Caller, kind: Kind, id: &str, body: &str) -> Answered {
    let body = object(body)?;
    let reference = body.get("@odata.id").and_then(Value::as_str).map(last_segment);
    let owner = reference.ok_or_else(|| Refusal::Invalid("The body must have an '@odata.id'.".to_owned()))?;
    directory.with(|tenant| {
        known(tenant, &BTreeSet::from([owner.clone()]))?;
        let owners = owners(tenant, kind, id)?;
        caller.may_change(owners.iter())?;
        if owners.insert(owner) {
            Ok(no_content())
        } else {
            Err(Refusal::OwnerExists)
        }
    })
}

fn remove(directory: &Directory, caller: &Caller, kind: Kind, id: &str, owner: &str) -> Answered {
    directory.with(|tenant| {
        let owners = owners(tenant, kind, id)?;
        caller.may_change(owners.iter())?;
        if owners.remove(owner) {
            Ok(no_content())
        } else {
            Err(Refusal::NotFound(owner.to_owned()))
        }
    })
}

fn owners<'a>(tenant: &'a mut Tenant, kind: Kind, id: &str) -> Result<&'a mut BTreeSet<String>, Refusal> {
    let found = match kind {
        Kind::Application => tenant
            .applications
            .get_mut(id)
            .map(|application| &mut application.owners),
        Kind::Principal => tenant
            .service_principals
            .get_mut(id)
            .map(|principal| &mut principal.owners),
    };
    found.ok_or_else(|| Refusal::NotFound(id.to_owned()))
}

fn last_segment(address: &str) -> String {
    address
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned()
}
