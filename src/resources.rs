//! The managed resources: one file per resource type. What they share is in [`crate::records`].

mod cross_scope_privilege;
mod group;
pub(crate) mod integration_user;
mod ip_access_rule;
pub(crate) mod oauth_entity;
pub(crate) mod oidc_configuration;
pub(crate) mod oidc_provider;
mod record;
pub(crate) mod role;
mod support_repository;
mod support_settings;
mod table_access;
mod user_role;

use crate::clients::Clients;
use crate::plugin::Resource;
use crate::records::record_resource::{ManagedRecord, RecordResource};
use crate::resources::record::Typed;

/// The types with a table of their own, each named once: for [`all`], and for `servicenow_record`, which says of such a table
/// that it has a type.
macro_rules! record_resources {
    ($($resource:ty),+ $(,)?) => {
        fn of_records() -> Vec<Box<dyn Resource<Clients>>> {
            vec![$(Box::new(ManagedRecord::<$resource>::new())),+]
        }

        const TYPED: &[Typed] = &[$(of::<$resource>()),+];
    };
}

record_resources![
    cross_scope_privilege::CrossScopePrivilege,
    group::Group,
    integration_user::IntegrationUser,
    ip_access_rule::IpAccessRule,
    oauth_entity::OauthEntity,
    oidc_configuration::OidcConfiguration,
    oidc_provider::OidcProvider,
    role::Role,
    table_access::TableAccess,
    user_role::UserRole,
];

pub fn all() -> Vec<Box<dyn Resource<Clients>>> {
    let mut all = of_records();
    all.push(Box::new(record::AnyRecord { typed: TYPED }));
    all.push(Box::new(support_repository::SupportRepository));
    all.push(Box::new(support_settings::SupportSettings));
    all
}

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
