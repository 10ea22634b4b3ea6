//! Service principals.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use serde_json::Value;

use super::applications::{strip, text};
use super::caller::Caller;
use super::query::Wanted;
use super::refusal::Refusal;
use super::{Answered, Graph, collection, no_content, object, owners, shape};
use crate::microsoft::answer;
use crate::microsoft::directory::{ServicePrincipal, Tenant};

pub(super) async fn list(State(graph): State<Graph>, query: RawQuery) -> Answered {
    let wanted = Wanted::read(&query)?;
    let found = graph.directory.with(|tenant| {
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

pub(super) async fn read(State(graph): State<Graph>, Path(id): Path<String>, query: RawQuery) -> Answered {
    let wanted = Wanted::read(&query)?;
    graph.directory.with(|tenant| {
        let principal = find(tenant, &id)?;
        Ok(answer(
            200,
            &wanted.project(shape::service_principal(tenant, principal)),
        ))
    })
}

pub(super) async fn create(State(graph): State<Graph>, Extension(caller): Extension<Caller>, body: String) -> Answered {
    caller.may_create()?;
    let mut fields = object(&body)?;
    let bound = owners::bound(&mut fields);
    let app_id = text(&fields, "appId").to_owned();
    strip(&mut fields);
    graph.directory.with(|tenant| {
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
    State(graph): State<Graph>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    let mut fields = object(&body)?;
    strip(&mut fields);
    graph.directory.with(|tenant| {
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
    State(graph): State<Graph>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answered {
    graph.directory.with(|tenant| {
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
