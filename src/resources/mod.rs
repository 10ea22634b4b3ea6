//! The managed resources: one room each, all furnished alike.
//!
//! What they share: [`mapping`] ties attributes to columns, [`problem`] turns errors into diagnostics, [`secret`] decides
//! when a secret is sent, [`import`] finds what a user names, [`taken`] keeps a create from making what is there already,
//! [`ties`] gives and takes what is listed by name.

mod cross_scope_privilege;
mod foreign;
mod import;
mod integration_user;
mod ip_access_rule;
mod list;
pub(crate) mod mapping;
pub(crate) mod oauth_entity;
mod oidc_provider;
pub mod problem;
pub(crate) mod rights;
pub(crate) mod scope;
mod secret;
mod support_repository;
mod support_settings;
mod table_access;
mod taken;
mod ties;
mod user_role;

use crate::{
    clients::Clients,
    plugin::{Attribute, Diagnostic, Diagnostics, IdentitySchema, Object, Outcome, Resource},
    servicenow::{SysId, TableError},
};

/// All resources.
pub fn all() -> Vec<Box<dyn Resource<Clients>>> {
    vec![
        Box::new(support_repository::SupportRepository),
        Box::new(support_settings::SupportSettings),
        Box::new(cross_scope_privilege::CrossScopePrivilege),
        Box::new(integration_user::IntegrationUser),
        Box::new(ip_access_rule::IpAccessRule),
        Box::new(oauth_entity::OauthEntity),
        Box::new(oidc_provider::OidcProvider),
        Box::new(table_access::TableAccess),
        Box::new(user_role::UserRole),
    ]
}

/// The record that a state belongs to; none where a create did not get that far.
fn sys_id(state: &Object) -> Option<SysId> {
    state.text("id").and_then(|id| SysId::parse(id).ok())
}

/// The record that an update is about.
fn require_sys_id(state: &Object) -> Result<SysId, Diagnostic> {
    sys_id(state).ok_or_else(|| {
        Diagnostic::error(
            "The state has no usable id",
            "The state of this resource does not say which record it is. Remove it from the state with terraform state rm, \
             and import the record.",
        )
    })
}

/// Records are known by their `sys_id`.
fn sys_id_identity() -> IdentitySchema {
    IdentitySchema::of("sys_id", "id", "The record's `sys_id`: 32 hexadecimal digits.")
}

/// The attribute `timeouts`.
fn timeouts() -> Attribute {
    Attribute::timeouts(&[("create", "5m"), ("read", "5m"), ("update", "5m"), ("delete", "5m")])
}

/// How a write ended: what exists, and what went wrong after it did.
fn outcome(state: Object, problems: Diagnostics) -> Outcome {
    let state = state.with_unknown_as_null();
    if problems.has_errors() {
        Outcome::Partly(state, problems)
    } else {
        Outcome::Done(state, problems)
    }
}

/// How a create ended whose insert failed. Where nobody knows whether the record was made, its key goes into the state:
/// the next refresh finds the record under it, or finds that there is none.
fn not_created(error: &TableError, planned: Object, problem: Diagnostic) -> Outcome {
    match error {
        TableError::Uncertain { ours: Some(sys_id), .. } => {
            let state = planned.with("id", sys_id.as_str()).with_unknown_as_null();
            Outcome::Partly(state, problem.into())
        }
        _ => Outcome::Nothing(problem.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one_that_terraform_accepts() {
        for resource in all() {
            assert_eq!(
                resource.schema().problems(),
                Vec::<String>::new(),
                "{}",
                resource.type_name()
            );
            if let Some(schema) = resource.list_schema() {
                assert_eq!(schema.problems(), Vec::<String>::new(), "list {}", resource.type_name());
            }
            assert_ne!(resource.needs(), [], "{}", resource.type_name());
            let identity = resource.identity().expect("every resource has an identity");
            for attribute in &identity.attributes {
                assert!(
                    resource.schema().attribute(attribute.from).is_some(),
                    "{}",
                    resource.type_name()
                );
            }
        }
    }
}
