//! Service principals.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use serde_json::Value;

use crate::microsoft::answer;
use crate::microsoft::directory::{Directory, ServicePrincipal, Tenant};
use crate::microsoft::graph::caller::Caller;
use crate::microsoft::graph::query::Wanted;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::request::{object, strip, text};
use crate::microsoft::graph::response::{Answered, collection, no_content};
use crate::microsoft::graph::{owners, shape};

pub(super) async fn list(State(directory): State<Directory>, query: RawQuery) -> Answered {
    let wanted = Wanted::read(&query)?;
    let found = directory.with(|tenant| {
        let shown = tenant
            .service_principals
            .values()
            .map(|principal| shape::service_principal(tenant, principal));
        shown
            .filter(|shown| wanted.accepts(shown))
            .map(|shown| wanted.project(shown))
            .collect()
    });
    Ok(collection(found))
}

pub(super) async fn read(State(directory): State<Directory>, Path(id): Path<String>, query: RawQuery) -> Answered {
    let wanted = Wanted::read(&query)?;
    directory.with(|tenant| {
        let principal = find(tenant, &id)?;
        Ok(answer(
            200,
            &wanted.project(shape::service_principal(tenant, principal)),
        ))
    })
}

pub(super) async fn create(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    body: String,
) -> Answered {
    caller.may_create()?;
    let mut fields = object(&body)?;
    let bound = owners::bound(&mut fields);
    let app_id = text(&fields, "appId").to_owned();
    strip(&mut fields);
    directory.with(|tenant| {
        owners::known(tenant, &bound)?;
        if tenant.service_principal(&app_id).is_some() {
            return Err(Refusal::PrincipalExists(app_id));
        }
        let id = match tenant
            .application(&app_id)
            .map(|application| application.app_id.clone())
        {
            Some(app_id) => tenant.add_service_principal(&app_id, fields),
            // Microsoft's own applications are known in every tenant.
            None => tenant.add_first_party(&app_id).ok_or(Refusal::NoApplication(app_id))?,
        };
        if let Some(principal) = tenant.service_principals.get_mut(&id) {
            principal.owners.extend(bound);
        }
        let shown = shape::service_principal(tenant, find(tenant, &id)?);
        Ok(answer(201, &shown))
    })
}

pub(super) async fn update(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    let mut fields = object(&body)?;
    strip(&mut fields);
    directory.with(|tenant| {
        caller.may_change(find(tenant, &id)?.owners.iter())?;
        let principal = tenant
            .service_principals
            .get_mut(&id)
            .ok_or_else(|| Refusal::NotFound(id.clone()))?;
        let mut merged = Value::Object(std::mem::take(&mut principal.fields));
        shape::merge(&mut merged, &fields);
        if let Value::Object(merged) = merged {
            principal.fields = merged;
        }
        Ok(no_content())
    })
}

pub(super) async fn remove(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered {
    directory.with(|tenant| {
        let principal = find(tenant, &id)?;
        caller.may_change(principal.owners.iter())?;
        if principal.first_party {
            return Err(Refusal::Denied);
        }
        tenant.service_principals.remove(&id);
        tenant.role_assignments.retain(|(holder, ..)| *holder != id);
        Ok(no_content())
    })
}

fn find<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a ServicePrincipal, Refusal> {
    tenant
        .service_principals
        .get(id)
        .ok_or_else(|| Refusal::NotFound(id.to_owned()))
}
