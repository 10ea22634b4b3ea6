//! The managed resources: one file per resource type. What they share is in [`crate::records`].

mod cross_scope_privilege;
mod group;
pub(crate) mod integration_user;
mod ip_access_rule;
pub(crate) mod oauth_entity;
pub(crate) mod oidc_configuration;
pub(crate) mod oidc_provider;
mod record;
mod role;
mod support_repository;
mod support_settings;
mod table_access;
mod user_role;

use crate::clients::Clients;
use crate::plugin::Resource;
use crate::records::record_resource::{ManagedRecord, RecordResource};
use crate::resources::record::Typed;

pub fn all() -> Vec<Box<dyn Resource<Clients>>> {
    vec![
        Box::new(support_repository::SupportRepository),
        Box::new(support_settings::SupportSettings),
        Box::new(ManagedRecord::<cross_scope_privilege::CrossScopePrivilege>::new()),
        Box::new(ManagedRecord::<group::Group>::new()),
        Box::new(ManagedRecord::<integration_user::IntegrationUser>::new()),
        Box::new(ManagedRecord::<ip_access_rule::IpAccessRule>::new()),
        Box::new(ManagedRecord::<oauth_entity::OauthEntity>::new()),
        Box::new(ManagedRecord::<oidc_configuration::OidcConfiguration>::new()),
        Box::new(ManagedRecord::<oidc_provider::OidcProvider>::new()),
        Box::new(ManagedRecord::<role::Role>::new()),
        Box::new(ManagedRecord::<table_access::TableAccess>::new()),
        Box::new(ManagedRecord::<user_role::UserRole>::new()),
        Box::new(record::AnyRecord { typed: &TYPED }),
    ]
}

/// Tables whose records have a resource type of their own.
const TYPED: [Typed; 10] = [
    of::<cross_scope_privilege::CrossScopePrivilege>(),
    of::<group::Group>(),
    of::<integration_user::IntegrationUser>(),
    of::<ip_access_rule::IpAccessRule>(),
    of::<oauth_entity::OauthEntity>(),
    of::<oidc_configuration::OidcConfiguration>(),
    of::<oidc_provider::OidcProvider>(),
    of::<role::Role>(),
    of::<table_access::TableAccess>(),
    of::<user_role::UserRole>(),
];

const fn of<R: RecordResource>() -> Typed {
    Typed {
        table: R::TABLE,
        type_name: R::TYPE,
        creates: R::CREATES,
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
