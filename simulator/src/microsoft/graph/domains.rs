//! The domains of the tenant.

use axum::Extension;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::microsoft::answer;
use crate::microsoft::directory::{Directory, Tenant};
use crate::microsoft::graph::caller::Caller;
use crate::microsoft::graph::query::Wanted;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::response::{Answered, page};

pub(super) async fn list(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    wanted: Wanted,
) -> Answered {
    caller.may_read_domains()?;
    directory.with(|tenant| Ok(page(&wanted, domains(tenant).into_iter())))
}

pub(super) async fn read(
    State(directory): State<Directory>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    wanted: Wanted,
) -> Answered {
    caller.may_read_domains()?;
    directory.with(|tenant| {
        let found = domains(tenant).into_iter().find(|domain| domain["id"] == name.as_str());
        Ok(answer(200, &wanted.project(found.ok_or(Refusal::NotFound(name))?)))
    })
}

/// The one that the tenant was opened with cannot be changed; the other is the default one.
fn domains(tenant: &Tenant) -> [Value; 2] {
    let domain = |name: &str, is_initial: bool| {
        json!({
            "id": name,
            "authenticationType": "Managed",
            "availabilityStatus": null,
            "isAdminManaged": true,
            "isDefault": !is_initial,
            "isInitial": is_initial,
            "isRoot": true,
            "isVerified": true,
            "model": null,
            "passwordNotificationWindowInDays": 14,
            "passwordValidityPeriodInDays": 90,
            "state": null,
            "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        })
    };
    [domain(&tenant.domain, false), domain(&tenant.initial_domain(), true)]
}
