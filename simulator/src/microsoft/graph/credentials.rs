//! Client secrets and trusted issuers of an application.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::microsoft::directory::{Application, Directory, FederatedCredential, Password, Tenant};
use crate::microsoft::graph::applications::find;
use crate::microsoft::graph::caller::Caller;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::request::{object, text};
use crate::microsoft::graph::response::{Answered, collection, no_content};
use crate::microsoft::graph::shape::{self, Secret};
use crate::microsoft::{answer, ids};

/// What has client secrets.
#[derive(Clone, Copy)]
enum Holder {
    Application,
    Principal,
}

impl Holder {
    /// The owners of one, who may change it, and its secrets.
    fn find<'a>(
        self,
        tenant: &'a mut Tenant,
        id: &str,
    ) -> Result<(&'a BTreeSet<String>, &'a mut Vec<Password>), Refusal> {
        let found = match self {
            Self::Application => {
                let found = tenant.applications.get_mut(id);
                found.map(|found| (&found.owners, &mut found.passwords))
            }
            Self::Principal => {
                let found = tenant.service_principals.get_mut(id);
                found.map(|found| (&found.owners, &mut found.passwords))
            }
        };
        found.ok_or_else(|| Refusal::NotFound(id.to_owned()))
    }

    fn add_password(self, directory: &Directory, caller: &Caller, id: &str, body: &str) -> Answered {
        let asked = object(body)?.remove("passwordCredential").unwrap_or(json!({}));
        directory.with(|tenant| {
            caller.may_change(self.find(tenant, id)?.0.iter())?;
            let password = new_password(tenant, &asked)?;
            let shown = shape::password(&password, Secret::Shown);
            self.find(tenant, id)?.1.push(password);
            Ok(answer(200, &shown))
        })
    }

    fn remove_password(self, directory: &Directory, caller: &Caller, id: &str, body: &str) -> Answered {
        let body = object(body)?;
        directory.with(|tenant| {
            let (owners, passwords) = self.find(tenant, id)?;
            caller.may_change(owners.iter())?;
            remove(passwords, text(&body, "keyId"))
        })
    }
}

pub(super) async fn add_password(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    Holder::Application.add_password(&directory, &caller, &id, &body)
}

pub(super) async fn remove_password(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    Holder::Application.remove_password(&directory, &caller, &id, &body)
}

pub(super) async fn add_password_to_principal(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    Holder::Principal.add_password(&directory, &caller, &id, &body)
}

pub(super) async fn remove_password_of_principal(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    Holder::Principal.remove_password(&directory, &caller, &id, &body)
}

fn remove(passwords: &mut Vec<Password>, key_id: &str) -> Answered {
    let before = passwords.len();
    passwords.retain(|password| !password.key_id.eq_ignore_ascii_case(key_id));
    if passwords.len() == before {
        return Err(Refusal::Invalid(format!(
            "No password credential found with keyId '{key_id}'."
        )));
    }
    Ok(no_content())
}

/// A secret as asked for, within the rules of the tenant.
pub(super) fn new_password(tenant: &Tenant, asked: &Value) -> Result<Password, Refusal> {
    let given = |name: &str| asked[name].as_str().map(str::to_owned);
    let password = Password::new(given("displayName"), given("startDateTime"), given("endDateTime"));
    let time = |name: &str, text: &str| {
        text.parse::<Timestamp>()
            .map_err(|_| Refusal::Invalid(format!("Property {name} is invalid: '{text}'.")))
    };
    let (start, end) = (
        time("startDateTime", &password.start)?,
        time("endDateTime", &password.end)?,
    );
    if end <= start {
        return Err(Refusal::Invalid(
            "Credential end date must be after its start date.".to_owned(),
        ));
    }
    match tenant.password_lifetime_days {
        Some(days) if end.as_second() - start.as_second() > days * 24 * 3600 => Err(Refusal::TooLong(days)),
        _ => Ok(password),
    }
}

pub(super) async fn list_federated(State(directory): State<Directory>, Path(id): Path<String>) -> Answered {
    directory.with(|tenant| Ok(collection(find(tenant, &id)?.federated.iter().map(federated).collect())))
}

pub(super) async fn read_federated(
    State(directory): State<Directory>,
    Path((id, name)): Path<(String, String)>,
) -> Answered {
    directory.with(|tenant| {
        let found = find(tenant, &id)?.federated.iter().find(|record| is(record, &name));
        Ok(answer(200, &federated(found.ok_or(Refusal::NotFound(name))?)))
    })
}

pub(super) async fn add_federated(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: String,
) -> Answered {
    let fields = object(&body)?;
    directory.with(|tenant| {
        let application = find_mut(tenant, &id)?;
        caller.may_change(application.owners.iter())?;
        if application.federated.len() >= MOST_FEDERATED {
            return Err(Refusal::Invalid(format!(
                "An application can have no more than {MOST_FEDERATED} federated identity credentials."
            )));
        }
        let record = FederatedCredential {
            id: ids::guid(),
            name: text(&fields, "name").to_owned(),
            issuer: String::new(),
            subject: String::new(),
            audiences: Vec::new(),
            description: None,
        };
        let record = changed(application, record, &fields)?;
        let shown = federated(&record);
        application.federated.push(record);
        Ok(answer(201, &shown))
    })
}

pub(super) async fn update_federated(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
    body: String,
) -> Answered {
    let fields = object(&body)?;
    directory.with(|tenant| {
        let application = find_mut(tenant, &id)?;
        caller.may_change(application.owners.iter())?;
        let at = application
            .federated
            .iter()
            .position(|record| is(record, &name))
            .ok_or(Refusal::NotFound(name))?;
        application.federated[at] = changed(application, application.federated[at].clone(), &fields)?;
        Ok(no_content())
    })
}

pub(super) async fn remove_federated(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path((id, name)): Path<(String, String)>,
) -> Answered {
    directory.with(|tenant| {
        let application = find_mut(tenant, &id)?;
        caller.may_change(application.owners.iter())?;
        let at = application
            .federated
            .iter()
            .position(|record| is(record, &name))
            .ok_or(Refusal::NotFound(name))?;
        application.federated.remove(at);
        Ok(no_content())
    })
}

fn find_mut<'a>(tenant: &'a mut Tenant, id: &str) -> Result<&'a mut Application, Refusal> {
    tenant
        .applications
        .get_mut(id)
        .ok_or_else(|| Refusal::NotFound(id.to_owned()))
}

/// The record with changes, if no other of the application has its name, or its issuer and subject.
fn changed(
    application: &Application,
    mut record: FederatedCredential,
    fields: &Map<String, Value>,
) -> Result<FederatedCredential, Refusal> {
    let given = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    record.issuer = given("issuer").unwrap_or(record.issuer);
    record.subject = given("subject").unwrap_or(record.subject);
    record.description = if fields.contains_key("description") {
        given("description")
    } else {
        record.description
    };
    if let Some(Value::Array(audiences)) = fields.get("audiences") {
        record.audiences = audiences.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if [&record.name, &record.issuer, &record.subject]
        .iter()
        .any(|value| value.is_empty())
        || record.audiences.len() != 1
    {
        let message = "name, issuer, subject and exactly one audience are required.";
        return Err(Refusal::Invalid(message.to_owned()));
    }
    let is_address = url::Url::parse(&record.issuer).is_ok_and(|issuer| matches!(issuer.scheme(), "https" | "http"));
    if !is_address {
        return Err(Refusal::Invalid(format!(
            "Property issuer is invalid: '{}'.",
            record.issuer
        )));
    }
    // It becomes part of an address. The documentation does not name dots; azuread's own tests have them.
    let is_friendly = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !(3..=120).contains(&record.name.len()) || !record.name.chars().all(is_friendly) {
        return Err(Refusal::Invalid(format!(
            "Property name is invalid: '{}'.",
            record.name
        )));
    }
    for other in application.federated.iter().filter(|other| other.id != record.id) {
        if other.name == record.name {
            return Err(Refusal::FederatedConflict(format!(
                "FederatedIdentityCredential with name {} already exists.",
                record.name
            )));
        }
        if other.issuer == record.issuer && other.subject == record.subject {
            let message = "FederatedIdentityCredential with the same issuer and subject combination already exists.";
            return Err(Refusal::FederatedConflict(message.to_owned()));
        }
    }
    Ok(record)
}

/// Whether the last part of an address names the record: by id or by name.
fn is(record: &FederatedCredential, name: &str) -> bool {
    record.id.eq_ignore_ascii_case(name) || record.name == name
}

fn federated(record: &FederatedCredential) -> Value {
    json!({
        "id": record.id,
        "name": record.name,
        "issuer": record.issuer,
        "subject": record.subject,
        "audiences": record.audiences,
        "description": record.description,
        "claimsMatchingExpression": null,
    })
}

const MOST_FEDERATED: usize = 20;
