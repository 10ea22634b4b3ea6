//! Application roles: which ones Microsoft Graph offers, and who holds them. Tokens name them in `roles`.

use axum::Extension;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::microsoft::answer;
use crate::microsoft::directory::{Directory, GRAPH_APP, Tenant};
use crate::microsoft::graph::caller::Caller;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::request::{object, text};
use crate::microsoft::graph::response::{Answered, collection, no_content};

/// The roles of Microsoft Graph that a set-up by Terraform needs, with their published identifiers.
const OF_GRAPH: [(&str, &str); 6] = [
    ("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9", "Application.ReadWrite.All"),
    ("18a4783c-866b-4cc7-a460-3d5e5662c884", "Application.ReadWrite.OwnedBy"),
    ("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30", "Application.Read.All"),
    ("7ab1d382-f21e-4acd-a863-ba3e13f7da61", "Directory.Read.All"),
    ("19dbc75e-c2e2-444c-a770-ec69d8559fc7", "Directory.ReadWrite.All"),
    ("dbb9058a-0e50-45d7-ae91-66909b5d4664", "Domain.Read.All"),
];

/// The delegated permissions of Microsoft Graph that applications ask for most, with their published identifiers, and
/// whether each user may consent.
const SCOPES_OF_GRAPH: [(&str, &str, bool); 6] = [
    ("e1fe6dd8-ba31-4d61-89e7-88639da4683d", "User.Read", true),
    ("37f7f235-527c-4136-accd-4a02d197296e", "openid", true),
    ("14dad69e-099b-42c9-810b-d002981feec1", "profile", true),
    ("64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "email", true),
    ("7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "offline_access", true),
    ("06da0dbc-49e2-44d2-8312-53f166ab848a", "Directory.Read.All", false),
];

/// The roles of a first-party application, as its service principal shows them.
pub(super) fn offered(app_id: &str) -> Value {
    let roles: &[(&str, &str)] = if app_id == GRAPH_APP { &OF_GRAPH } else { &[] };
    let shown = roles.iter().map(|(id, value)| {
        json!({
            "id": id, "value": value, "displayName": value, "description": value, "isEnabled": true,
            "origin": "Application", "allowedMemberTypes": ["Application"],
        })
    });
    shown.collect()
}

/// The delegated permissions of a first-party application, as its service principal shows them.
pub(super) fn offered_scopes(app_id: &str) -> Value {
    let scopes: &[(&str, &str, bool)] = if app_id == GRAPH_APP { &SCOPES_OF_GRAPH } else { &[] };
    let shown = scopes.iter().map(|(id, value, is_of_users)| {
        json!({
            "id": id, "value": value, "isEnabled": true, "type": if *is_of_users { "User" } else { "Admin" },
            "adminConsentDisplayName": value, "adminConsentDescription": value,
            "userConsentDisplayName": value, "userConsentDescription": value,
        })
    });
    shown.collect()
}

pub(super) async fn assign(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(resource): Path<String>,
    body: String,
) -> Answered {
    caller.may_change(std::iter::empty())?;
    let fields = object(&body)?;
    let (holder, role) = (text(&fields, "principalId"), text(&fields, "appRoleId"));
    directory.with(|tenant| {
        let app_id = application(tenant, &resource)?;
        if !tenant.service_principals.contains_key(holder) {
            return Err(Refusal::NotFound(holder.to_owned()));
        }
        let (_, value) = OF_GRAPH
            .iter()
            .find(|(id, _)| *id == role && app_id == GRAPH_APP)
            .ok_or_else(|| Refusal::Invalid("Permission being assigned was not found on application.".to_owned()))?;
        let assignment = (holder.to_owned(), app_id, (*value).to_owned());
        if !tenant.role_assignments.insert(assignment) {
            return Err(Refusal::Invalid(
                "Permission being assigned already exists on the object.".to_owned(),
            ));
        }
        Ok(answer(201, &shown(tenant, &resource, holder, value)))
    })
}

pub(super) async fn list(State(directory): State<Directory>, Path(resource): Path<String>) -> Answered {
    directory.with(|tenant| {
        let app_id = application(tenant, &resource)?;
        let held = tenant.role_assignments.iter().filter(|(_, of, _)| *of == app_id);
        Ok(collection(
            held.map(|(holder, _, value)| shown(tenant, &resource, holder, value))
                .collect(),
        ))
    })
}

pub(super) async fn read(State(directory): State<Directory>, Path((resource, id)): Path<(String, String)>) -> Answered {
    directory.with(|tenant| {
        let (holder, _, value) = find(tenant, &resource, &id)?;
        Ok(answer(200, &shown(tenant, &resource, &holder, &value)))
    })
}

pub(super) async fn revoke(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path((resource, id)): Path<(String, String)>,
) -> Answered {
    caller.may_change(std::iter::empty())?;
    directory.with(|tenant| {
        let found = find(tenant, &resource, &id)?;
        tenant.role_assignments.remove(&found);
        Ok(no_content())
    })
}

type Assignment = (String, String, String);

fn find(tenant: &Tenant, resource: &str, id: &str) -> Result<Assignment, Refusal> {
    let app_id = application(tenant, resource)?;
    tenant
        .role_assignments
        .iter()
        .find(|(holder, of, value)| *of == app_id && key(holder, value) == id)
        .cloned()
        .ok_or_else(|| Refusal::NotFound(id.to_owned()))
}

fn application(tenant: &Tenant, object_id: &str) -> Result<String, Refusal> {
    tenant
        .service_principals
        .get(object_id)
        .map(|principal| principal.app_id.clone())
        .ok_or_else(|| Refusal::NotFound(object_id.to_owned()))
}

/// An assignment has no record of its own here; holder and role are its key.
fn key(holder: &str, value: &str) -> String {
    format!("{holder}_{}", value.replace('.', "-"))
}

fn shown(tenant: &Tenant, resource: &str, holder: &str, value: &str) -> Value {
    let role = OF_GRAPH
        .iter()
        .find(|(_, offered)| *offered == value)
        .map(|(id, _)| *id);
    let name = |object_id: &str| {
        let principal = tenant.service_principals.get(object_id)?;
        tenant
            .application(&principal.app_id)
            .map(|application| application.display_name().to_owned())
    };
    json!({
        "id": key(holder, value),
        "appRoleId": role,
        "createdDateTime": null,
        "deletedDateTime": null,
        "principalDisplayName": name(holder),
        "principalId": holder,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": resource,
    })
}
