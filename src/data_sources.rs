//! The data sources: one file per type. Those that look for one record share [`crate::records::lookup`].

mod access_report;
mod application;
mod connector_addresses;
mod integration_readiness;
mod oauth_entity;
mod oidc_provider;
mod record;
mod records;
mod role;
mod support_integration;
mod user;

use crate::clients::Clients;
use crate::plugin::DataSource;

pub fn all() -> Vec<Box<dyn DataSource<Clients>>> {
    vec![
        Box::new(connector_addresses::ConnectorAddresses),
        Box::new(support_integration::SupportIntegration),
        Box::new(access_report::AccessReport),
        Box::new(application::Application),
        Box::new(integration_readiness::IntegrationReadiness),
        Box::new(oauth_entity::OauthEntity),
        Box::new(oidc_provider::OidcProvider),
        Box::new(record::AnyRecord),
        Box::new(records::AnyRecords),
        Box::new(role::Role),
        Box::new(user::User),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one_that_terraform_accepts() {
        for source in all() {
            assert_ne!(source.needs(), [], "{}", source.type_name());
            assert_eq!(
                source.schema().problems(),
                Vec::<String>::new(),
                "{}",
                source.type_name()
            );
        }
    }
}
