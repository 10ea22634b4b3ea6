//! `servicenow_oauth_entity`: an entry of the application registry (`oauth_entity`).

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::{BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema};
use crate::records::lookup::Lookup;
use crate::records::record_resource::RecordResource;
use crate::records::{diagnostics, required_roles};
use crate::resources::oauth_entity::{self as resource, read_profile_into};
use crate::servicenow::tables::oauth_entity::TABLE;
use crate::servicenow::tables::oauth_entity_profile;

pub(super) struct OauthEntity;

fn entry() -> Lookup {
    Lookup::of::<resource::OauthEntity>(&["name", "client_id"])
}

impl BlockType for OauthEntity {
    fn type_name(&self) -> &'static str {
        "servicenow_oauth_entity"
    }

    fn schema(&self) -> Schema {
        let mut attributes = entry().attributes();
        attributes.extend(resource::profile_attributes());
        Schema::new(
            "An entry of the application registry that is managed elsewhere, with its default OAuth profile. Table \
             `oauth_entity`; OIDC providers, which are listed there too, are excluded. The secret cannot be read.",
            attributes,
        )
        .rule(Rule::ExactlyOneOf(&["id", "name", "client_id"]))
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[TABLE, oauth_entity_profile::TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for OauthEntity {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let rows =
            resource::OauthEntity::rows().map_err(|error| diagnostics::of_query(&error, "find the registry entry"))?;
        let (record, mut state) = entry().find(&session, config, rows).await?;
        read_profile_into(cx, &session, record.sys_id(), &mut state).await?;
        Ok((state, Diagnostics::new()))
    }
}
