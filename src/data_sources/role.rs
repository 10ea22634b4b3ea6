//! `servicenow_role`: a role of the instance (`sys_user_role`).

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::{BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema};
use crate::records::lookup::Lookup;
use crate::records::required_roles;
use crate::resources;
use crate::servicenow::tables::sys_user_role::TABLE;

pub(super) struct Role;

fn role() -> Lookup {
    Lookup::of::<resources::role::Role>(&["name"])
}

impl BlockType for Role {
    fn type_name(&self) -> &'static str {
        "servicenow_role"
    }

    fn schema(&self) -> Schema {
        let schema = Schema::new("A role of the instance. Table `sys_user_role`.", role().attributes());
        schema.rule(Rule::ExactlyOneOf(&["id", "name"]))
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for Role {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let (_, state) = role().find(&cx.instance()?, config, None).await?;
        Ok((state, Diagnostics::new()))
    }
}
