//! Service principals.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::microsoft::directory::{Directory, ServicePrincipal, Tenant};
use crate::microsoft::graph::caller::Caller;
use crate::microsoft::graph::query::Wanted;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::request::{object, strip, take_list, text};
use crate::microsoft::graph::response::{Answered, counted, no_content, page};
use crate::microsoft::graph::{key_credentials, owners, properties, shape};
use crate::microsoft::{answer, ids, keys};

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
        let principal = find(tenant, &id)?;
        Ok(answer(200, &wanted.project(shown(tenant, &wanted, principal))))
    })
}

fn all(tenant: &Tenant, wanted: &Wanted) -> impl Iterator<Item = Value> {
    tenant
        .service_principals
        .values()
        .map(|principal| shown(tenant, wanted, principal))
}

fn shown(tenant: &Tenant, wanted: &Wanted, principal: &ServicePrincipal) -> Value {
    let mut shown = shape::service_principal(tenant, principal);
    if wanted.expands("owners") {
        shown["owners"] = owners::shown(tenant, &principal.owners);
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
    let app_id = text(&fields, "appId").to_owned();
    strip(&mut fields);
    properties::check_principal(&fields)?;
    key_credentials::complete(&mut fields, &Map::new())?;
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
    // Passwords change by their own actions.
    fields.remove("passwordCredentials");
    properties::check_principal(&fields)?;
    directory.with(|tenant| {
        caller.may_change(find(tenant, &id)?.owners.iter())?;
        key_credentials::complete(&mut fields, &find(tenant, &id)?.fields)?;
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

/// Makes a certificate that tokens for this application can be signed with: two entries among its certificates, one to
/// sign and one to verify.
pub(super) async fn add_token_signing_certificate(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    let asked = object(&body)?;
    let name = text(&asked, "displayName");
    let Some(common_name) = name.strip_prefix("CN=") else {
        let message = "Property displayName is invalid: it must begin with 'CN='.";
        return Err(Refusal::Invalid(message.to_owned()));
    };
    let (start, end) = (ids::now(), text(&asked, "endDateTime"));
    let end = if end.is_empty() {
        ids::in_seconds(THREE_YEARS)
    } else {
        end.to_owned()
    };
    let der = keys::self_signed(common_name).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let thumbprint = key_credentials::thumbprint(&der);
    let credential = |usage: &str, of_type: &str| {
        json!({
            "customKeyIdentifier": thumbprint, "displayName": name, "endDateTime": end, "key": STANDARD.encode(&der),
            "keyId": ids::guid(), "startDateTime": start, "type": of_type, "usage": usage,
        })
    };
    let (signs, verifies) = (
        credential("Sign", "X509CertAndPassword"),
        credential("Verify", "AsymmetricX509Cert"),
    );
    directory.with(|tenant| {
        caller.may_change(find(tenant, &id)?.owners.iter())?;
        let principal = tenant
            .service_principals
            .get_mut(&id)
            .ok_or_else(|| Refusal::NotFound(id.clone()))?;
        let mut all = take_list(&mut principal.fields, "keyCredentials");
        let mut made = verifies.clone();
        made["thumbprint"] = json!(thumbprint);
        all.extend([signs, verifies]);
        principal.fields.insert("keyCredentials".to_owned(), Value::Array(all));
        Ok(answer(200, &made))
    })
}

fn find<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a ServicePrincipal, Refusal> {
    tenant
        .service_principals
        .get(id)
        .ok_or_else(|| Refusal::NotFound(id.to_owned()))
}

/// Seconds.
const THREE_YEARS: i64 = 3 * 365 * 24 * 3600;
