//! Application registrations.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};
use url::Url;

use crate::microsoft::answer;
use crate::microsoft::directory::{Application, Directory, Tenant};
use crate::microsoft::graph::caller::Caller;
use crate::microsoft::graph::credentials::new_password;
use crate::microsoft::graph::query::Wanted;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::request::{object, strip, take_list, text};
use crate::microsoft::graph::response::{Answered, counted, no_content, page};
use crate::microsoft::graph::shape::{self, Secret};
use crate::microsoft::graph::{key_credentials, owners, properties};

pub(super) async fn list(State(directory): State<Directory>, wanted: Wanted) -> Answered {
    wanted.check_expand(&["owners"])?;
    directory.with(|tenant| Ok(page(&wanted, all(tenant, &wanted))))
}

pub(super) async fn count(State(directory): State<Directory>, headers: HeaderMap, wanted: Wanted) -> Answered {
    directory.with(|tenant| counted(&headers, wanted.count(all(tenant, &wanted))))
}

pub(super) async fn read(State(directory): State<Directory>, Path(id): Path<String>, wanted: Wanted) -> Answered {
    wanted.check_expand(&["owners"])?;
    directory.with(|tenant| {
        let application = find(tenant, &id)?;
        Ok(answer(200, &wanted.project(shown(tenant, &wanted, application))))
    })
}

fn all(tenant: &Tenant, wanted: &Wanted) -> impl Iterator<Item = Value> {
    tenant
        .applications
        .values()
        .map(|application| shown(tenant, wanted, application))
}

fn shown(tenant: &Tenant, wanted: &Wanted, application: &Application) -> Value {
    let mut shown = shape::application(tenant, application);
    if wanted.expands("owners") {
        shown["owners"] = owners::shown(tenant, &application.owners);
    }
    shown
}

pub(super) async fn create(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    body: String,
) -> Answered {
    caller.may_create()?;
    let mut fields = object(&body)?;
    let bound = owners::bound(&mut fields);
    let passwords = take_list(&mut fields, "passwordCredentials");
    strip(&mut fields);
    properties::check_application(&fields)?;
    key_credentials::complete(&mut fields, &Map::new())?;
    directory.with(|tenant| {
        check(tenant, None, &fields)?;
        if text(&fields, "displayName").is_empty() {
            let message = "Property displayName is invalid. A value is required for property 'displayName'.";
            return Err(Refusal::Invalid(message.to_owned()));
        }
        owners::known(tenant, &bound)?;
        let passwords = passwords
            .iter()
            .map(|asked| new_password(tenant, asked))
            .collect::<Result<Vec<_>, Refusal>>()?;
        let id = tenant.add_application(fields).object_id;
        let application = tenant
            .applications
            .get_mut(&id)
            .ok_or_else(|| Refusal::NotFound(id.clone()))?;
        application.owners.extend(bound);
        // A user who makes an application owns it; an application does only when it says so.
        application.passwords = passwords;
        let application = application.clone();
        let mut shown = shape::application(tenant, &application);
        key_credentials::shown(&mut shown, false);
        let fresh = application
            .passwords
            .iter()
            .map(|one| shape::password(one, Secret::Shown));
        shown["passwordCredentials"] = fresh.collect();
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
    // Passwords change by their own actions; a list in a PATCH could only remove some of them.
    let kept = fields.remove("passwordCredentials");
    properties::check_application(&fields)?;
    directory.with(|tenant| {
        let application = find(tenant, &id)?;
        caller.may_change(application.owners.iter())?;
        key_credentials::complete(&mut fields, &application.fields)?;
        check(tenant, Some(&id), &fields)?;
        let application = tenant
            .applications
            .get_mut(&id)
            .ok_or_else(|| Refusal::NotFound(id.clone()))?;
        let mut merged = Value::Object(std::mem::take(&mut application.fields));
        shape::merge(&mut merged, &fields);
        if let Value::Object(merged) = merged {
            application.fields = merged;
        }
        if let Some(Value::Array(kept)) = kept {
            application.passwords.retain(|password| {
                kept.iter().any(|one| {
                    one["keyId"]
                        .as_str()
                        .is_some_and(|id| id.eq_ignore_ascii_case(&password.key_id))
                })
            });
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
        caller.may_change(find(tenant, &id)?.owners.iter())?;
        tenant.remove_application(&id);
        Ok(no_content())
    })
}

pub(super) fn find<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Application, Refusal> {
    tenant
        .applications
        .get(id)
        .ok_or_else(|| Refusal::NotFound(id.to_owned()))
}

/// The rules that the azuread provider's users run into.
fn check(tenant: &Tenant, id: Option<&str>, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let invalid = |message: String| Err(Refusal::Invalid(message));
    if let Some(audience) = fields.get("signInAudience").and_then(Value::as_str)
        && !AUDIENCES.contains(&audience)
    {
        return invalid(format!("Property signInAudience is invalid: '{audience}'."));
    }
    let current = id.and_then(|id| tenant.applications.get(id));
    let mut merged = Value::Object(
        current
            .map(|application| application.fields.clone())
            .unwrap_or_default(),
    );
    shape::merge(&mut merged, fields);
    let version = &merged["api"]["requestedAccessTokenVersion"];
    if ![json!(null), json!(1), json!(2)].contains(version) {
        return invalid(format!(
            "Property api.requestedAccessTokenVersion is invalid: {version}."
        ));
    }
    let audience = merged["signInAudience"].as_str().unwrap_or_default();
    if audience.contains("PersonalMicrosoftAccount") && *version != json!(2) {
        return invalid(
            "Property api.requestedAccessTokenVersion is invalid: it must be 2 for personal accounts.".to_owned(),
        );
    }
    for uri in merged["web"]["redirectUris"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let parsed = Url::parse(uri).ok();
        // Of the addresses without TLS only those of the same machine; other schemes, such as `urn:`, are taken.
        let good = parsed
            .is_some_and(|url| url.scheme() != "http" || matches!(url.host_str(), Some("localhost" | "127.0.0.1")));
        if !good || uri.contains('*') {
            return invalid(format!(
                "Property web.redirectUris is invalid: '{uri}' must be an address with 'https://' or 'http://localhost'."
            ));
        }
    }
    for uri in merged["identifierUris"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let url =
            Url::parse(uri).map_err(|_| Refusal::Invalid(format!("Property identifierUris is invalid: '{uri}'.")))?;
        let host = url.host_str().unwrap_or_default();
        let is_of_tenant = host
            .match_indices('.')
            .map(|(at, _)| &host[at + 1..])
            .chain([host])
            .any(|domain| tenant.has_domain(domain));
        if matches!(url.scheme(), "http" | "https") && !is_of_tenant {
            return Err(Refusal::UnverifiedHost(uri.to_owned()));
        }
        let taken = tenant
            .applications
            .values()
            .any(|other| Some(other.object_id.as_str()) != id && other.identifier_uris().any(|other| other == uri));
        if taken {
            return Err(Refusal::Conflict("identifierUris"));
        }
    }
    let before = current.map_or(Value::Null, |current| Value::Object(current.fields.clone()));
    check_entitlements(&before["appRoles"], &merged["appRoles"])?;
    check_entitlements(
        &before["api"]["oauth2PermissionScopes"],
        &merged["api"]["oauth2PermissionScopes"],
    )
}

/// Roles or scopes: each id and each value once, and none goes or gets another value while it is enabled.
fn check_entitlements(before: &Value, after: &Value) -> Result<(), Refusal> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (before, after) = (list(before), list(after));
    for property in ["id", "value"] {
        let mut seen = BTreeSet::new();
        let stated = after.iter().filter_map(|one| one[property].as_str());
        for text in stated.filter(|text| !text.is_empty()) {
            if !seen.insert(text.to_lowercase()) {
                return Err(Refusal::Invalid(
                    "Request contains a property with duplicate values.".to_owned(),
                ));
            }
        }
    }
    for enabled in before.iter().filter(|one| one["isEnabled"] == true) {
        let same = after.iter().find(|one| one["id"] == enabled["id"]);
        if same.is_none_or(|same| same["value"] != enabled["value"]) {
            return Err(Refusal::EnabledEntitlement);
        }
    }
    Ok(())
}

const AUDIENCES: [&str; 4] = [
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
];
