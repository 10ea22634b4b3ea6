//! `servicenow_role`: a role of the instance (`sys_user_role`).

use async_trait::async_trait;

use crate::records::lookup::{self, Lookup};
use crate::{
    clients::{Calls, Clients},
    plugin::{BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema},
    records::{field::Field, required_roles},
    servicenow::tables::sys_user_role::{COLUMNS, DESCRIPTION, ELEVATED_PRIVILEGE, NAME, TABLE},
};

/// The data source.
pub(super) struct Role;

const LOOKUP: Lookup = Lookup {
    noun: "role",
    table: TABLE,
    columns: COLUMNS,
    keys: &[Field::always("name", NAME)],
    fields: &[
        Field::always("name", NAME),
        Field::always("description", DESCRIPTION),
        Field::always("elevated_privilege", ELEVATED_PRIVILEGE),
    ],
};

impl BlockType for Role {
    fn type_name(&self) -> &'static str {
        "servicenow_role"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "A role of the instance. Table `sys_user_role`.",
            vec![
                lookup::key("id", "The record's `sys_id`, which differs between instances."),
                lookup::key("name", "Name, such as `incident_manager`. Column `name`."),
                lookup::text("description", "Description. Column `description`."),
                lookup::flag(
                    "elevated_privilege",
                    "Whether the role works only in a session that was elevated, which no API call is. Column \
                     `elevated_privilege`.",
                ),
            ],
        )
        .rule(Rule::ExactlyOneOf(&["id", "name"]))
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for Role {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let (_, state) = LOOKUP.find(&cx.instance()?, config, None).await?;
        Ok((state, Diagnostics::new()))
    }
}
