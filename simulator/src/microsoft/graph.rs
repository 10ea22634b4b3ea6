//! Microsoft Graph, as much of it as the azuread provider calls: applications, their credentials and owners, and
//! service principals, under `/v1.0` and `/beta`.
//!
//! Facts: `principals-are-separate`.

mod annotations; // What is added to every answer.
mod applications;
mod caller;
mod credentials;
mod domains;
mod key_credentials;
mod owners;
mod principals;
mod properties; // Which properties there are.
mod query;
mod refusal;
mod request;
mod response;
mod roles;
mod shape;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use serde_json::json;

use crate::faults::Faults;
use crate::microsoft::directory::Directory;
use crate::microsoft::graph::annotations::Annotations;
use crate::microsoft::graph::refusal::Refusal;
use crate::microsoft::graph::response::{Answered, collection};

/// Graph; cheap to clone.
#[derive(Clone)]
pub struct Graph {
    directory: Directory,
    faults: Faults,
    /// Where it is served, without a version.
    url: Arc<str>,
}

impl Graph {
    pub(crate) fn new(directory: Directory, url: &str) -> Graph {
        Graph {
            directory,
            url: url.into(),
            faults: Faults::new(),
        }
    }

    /// Scripted faults, delays and cuts in front of Graph.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn router(&self) -> Router {
        let api = Router::new()
            .route("/applications", get(applications::list).post(applications::create))
            .route("/applications/$count", get(applications::count))
            .route(
                "/applications/{id}",
                get(applications::read)
                    .patch(applications::update)
                    .delete(applications::remove),
            )
            .route("/applications/{id}/addPassword", post(credentials::add_password))
            .route("/applications/{id}/removePassword", post(credentials::remove_password))
            .route(
                "/applications/{id}/federatedIdentityCredentials",
                get(credentials::list_federated).post(credentials::add_federated),
            )
            .route(
                "/applications/{id}/federatedIdentityCredentials/{name}",
                get(credentials::read_federated)
                    .patch(credentials::update_federated)
                    .delete(credentials::remove_federated),
            )
            .route("/applications/{id}/owners", get(owners::of_application))
            .route("/applications/{id}/owners/$ref", post(owners::add_to_application))
            .route(
                "/applications/{id}/owners/{owner}/$ref",
                delete(owners::remove_from_application),
            )
            .route("/servicePrincipals", get(principals::list).post(principals::create))
            .route("/servicePrincipals/$count", get(principals::count))
            .route(
                "/servicePrincipals/{id}/addPassword",
                post(credentials::add_password_to_principal),
            )
            .route(
                "/servicePrincipals/{id}/removePassword",
                post(credentials::remove_password_of_principal),
            )
            .route(
                "/servicePrincipals/{id}/addTokenSigningCertificate",
                post(principals::add_token_signing_certificate),
            )
            .route(
                "/servicePrincipals/{id}",
                get(principals::read)
                    .patch(principals::update)
                    .delete(principals::remove),
            )
            .route(
                "/servicePrincipals/{id}/appRoleAssignedTo",
                get(roles::list).post(roles::assign),
            )
            .route(
                "/servicePrincipals/{id}/appRoleAssignedTo/{assignment}",
                get(roles::read).delete(roles::revoke),
            )
            .route("/servicePrincipals/{id}/owners", get(owners::of_principal))
            .route("/servicePrincipals/{id}/owners/$ref", post(owners::add_to_principal))
            .route(
                "/servicePrincipals/{id}/owners/{owner}/$ref",
                delete(owners::remove_from_principal),
            )
            .route("/organization", get(organization))
            .route("/domains", get(domains::list))
            .route("/domains/{name}", get(domains::read))
            .fallback(unknown);
        let router = Router::new()
            .nest("/v1.0", api.clone())
            .nest("/beta", api)
            .fallback(unknown)
            .layer(from_fn_with_state(self.directory.clone(), caller::signed_in))
            .with_state(self.directory.clone());
        let annotations = Annotations {
            directory: self.directory.clone(),
            url: Arc::clone(&self.url),
        };
        // A layer sees the address before the routes of what is inside of it only if it is around a fallback.
        let router = Router::new()
            .fallback_service(router)
            .layer(from_fn_with_state(annotations, annotations::annotate));
        self.faults.layer(router)
    }
}

async fn organization(State(directory): State<Directory>) -> Answered {
    let shown = directory.with(|tenant| {
        let domain = |name: &str, is_initial: bool| {
            json!({"name": name, "isDefault": !is_initial, "isInitial": is_initial, "type": "Managed"})
        };
        let domains = [domain(&tenant.domain, false), domain(&tenant.initial_domain(), true)];
        json!({"id": tenant.id, "displayName": tenant.domain, "verifiedDomains": domains})
    });
    Ok(collection(vec![shown]))
}

async fn unknown() -> Refusal {
    Refusal::UnknownPath
}
