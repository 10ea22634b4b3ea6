//! `servicenow_oidc_provider`: an OIDC provider of the instance, with its configuration.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema};
use crate::records::field::{Field, Known};
use crate::records::lookup::Lookup;
use crate::records::required_roles;
use crate::resources::oidc_configuration;
use crate::resources::oidc_provider::{self as resource, configuration};
use crate::servicenow::tables::oauth_oidc_entity::TABLE;
use crate::servicenow::tables::oidc_provider_configuration;

pub(super) struct OidcProvider;

fn provider() -> Lookup {
    Lookup::of::<resource::OidcProvider>(&["name", "client_id"])
}

impl BlockType for OidcProvider {
    fn type_name(&self) -> &'static str {
        "servicenow_oidc_provider"
    }

    fn schema(&self) -> Schema {
        let nested = oidc_configuration::fields()
            .into_iter()
            .filter_map(Field::into_computed);
        let nested = nested.flat_map(|field| field.attributes);
        let mut attributes = provider().attributes();
        attributes.push(
            Attribute::single(configuration::ATTRIBUTE, nested.collect())
                .computed()
                .describe("The configuration; null if there is none, or the account may not read it."),
        );
        Schema::new(
            "An OIDC provider that is managed elsewhere: whose tokens the instance accepts, and for which user. \
             Tables `oauth_oidc_entity` and `oidc_provider_configuration`. The secret cannot be read.",
            attributes,
        )
        .rule(Rule::ExactlyOneOf(&["id", "name", "client_id"]))
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[TABLE, oidc_provider_configuration::TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for OidcProvider {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let (_, mut state) = provider().find(&session, config, None).await?;
        let configuration = configuration::found(&session, &state, Known::Nothing).await?;
        state.set(configuration::ATTRIBUTE, configuration);
        Ok((state, Diagnostics::new()))
    }
}
