//! `servicenow_user`: a user of the instance (`sys_user`), with its roles as far as they can be read.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema, Value};
use crate::records::field::Field;
use crate::records::lookup::{self, Lookup};
use crate::records::{diagnostics, required_roles, user_roles};
use crate::resources::integration_user::IntegrationUser;
use crate::servicenow::TableError;
use crate::servicenow::tables::sys_user::{NAME, TABLE};

pub(crate) struct User;

fn user() -> Lookup {
    let mut user = Lookup::of::<IntegrationUser>(&["user_name", "email"]);
    user.fields.push(Field::new(NAME, lookup::text("name", "Full name.")));
    user
}

impl BlockType for User {
    fn type_name(&self) -> &'static str {
        "servicenow_user"
    }

    fn schema(&self) -> Schema {
        let mut attributes = user().attributes();
        attributes.push(Attribute::texts("roles").computed().describe(
            "Names of the user's roles, inherited ones included. Null if the account may not read them. Table \
             `sys_user_has_role`.",
        ));
        Schema::new(
            "A user of the instance. Table `sys_user`. A user that does not exist fails the plan.",
            attributes,
        )
        .rule(Rule::ExactlyOneOf(&["id", "user_name", "email"]))
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for User {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let (record, mut state) = user().find(&session, config, None).await?;
        let roles = match user_roles::active(&session, record.sys_id()).await {
            Ok(roles) => Value::from(roles.into_iter().collect::<Vec<_>>()),
            Err(TableError::Refused { .. } | TableError::Hidden { .. }) => Value::Null,
            Err(error) => return Err(diagnostics::of_table(&error, "read the user's roles").into()),
        };
        state.set("roles", roles);
        Ok((state, Diagnostics::new()))
    }
}
