//! `servicenow_user`: a user of the instance (`sys_user`), with its roles as far as they can be read.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::records::lookup::{self, Lookup};
use crate::{
    clients::{Calls, Clients},
    plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema, Value},
    records::{diagnostics, field::Field, required_roles},
    servicenow::{
        Session, SysId, TableError,
        tables::sys_user::{
            ACTIVE, COLUMNS, EMAIL, FIRST_NAME, IDENTITY_TYPE, LAST_NAME, LOCKED_OUT, NAME, TABLE, TIME_ZONE, TITLE,
            USER_NAME, WEB_SERVICE_ACCESS_ONLY,
        },
    },
};

/// The data source.
pub(crate) struct User;

const LOOKUP: Lookup = Lookup {
    noun: "user",
    table: TABLE,
    columns: COLUMNS,
    keys: &[Field::always("user_name", USER_NAME), Field::always("email", EMAIL)],
    fields: &[
        Field::always("user_name", USER_NAME),
        Field::always("email", EMAIL),
        Field::always("name", NAME),
        Field::always("first_name", FIRST_NAME),
        Field::always("last_name", LAST_NAME),
        Field::always("title", TITLE),
        Field::always("time_zone", TIME_ZONE),
        Field::always("active", ACTIVE),
        Field::always("locked_out", LOCKED_OUT),
        Field::always("web_service_access_only", WEB_SERVICE_ACCESS_ONLY),
        Field::always("identity_type", IDENTITY_TYPE),
    ],
};

impl BlockType for User {
    fn type_name(&self) -> &'static str {
        "servicenow_user"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "A user of the instance. Table `sys_user`. A user that does not exist is an error of the plan.",
            vec![
                lookup::key("id", "The record's `sys_id`."),
                lookup::key("user_name", "User ID. Column `user_name`."),
                lookup::key("email", "E-mail address. Column `email`."),
                lookup::text("name", "Full name. Column `name`."),
                lookup::text("first_name", "First name. Column `first_name`."),
                lookup::text("last_name", "Last name. Column `last_name`."),
                lookup::text("title", "Title. Column `title`."),
                lookup::text("time_zone", "Time zone; null for the system's. Column `time_zone`."),
                lookup::flag("active", "Whether the user may sign in. Column `active`."),
                lookup::flag("locked_out", "Whether the user is locked out. Column `locked_out`."),
                lookup::flag(
                    "web_service_access_only",
                    "Whether the user is kept from the user interface. Column `web_service_access_only`.",
                ),
                lookup::text(
                    "identity_type",
                    "Kind of identity, on newer releases. Column `identity_type`.",
                ),
                Attribute::texts("roles").computed().describe(
                    "Names of the user's roles, inherited ones included. Null where the account may not read them. Table \
                     `sys_user_has_role`.",
                ),
            ],
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
        let (record, mut state) = LOOKUP.find(&session, config, None).await?;
        let roles = match roles(&session, record.sys_id()).await {
            Ok(roles) => Value::from(roles.into_iter().collect::<Vec<_>>()),
            Err(TableError::Refused { .. } | TableError::Invisible { .. }) => Value::Null,
            Err(error) => return Err(diagnostics::of_table(&error, "read the user's roles").into()),
        };
        state.set("roles", roles);
        Ok((state, Diagnostics::new()))
    }
}

/// The names of all roles that work for a user.
pub(crate) async fn roles(session: &Session, user: &SysId) -> Result<BTreeSet<String>, TableError> {
    let grants = session.grants().of(user).await?;
    let names = session.roles();
    let active = grants.iter().filter(|grant| grant.active);
    let named = futures_util::future::join_all(active.map(|grant| names.name_of(&grant.role)));
    named.await.into_iter().filter_map(Result::transpose).collect()
}
