//! `servicenow_application`: whether an application is installed, and in which version.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Schema, Value};
use crate::records::field::{self, Field};
use crate::records::{diagnostics, installed_application, lookup, required_roles};
use crate::servicenow::tables::{sys_scope, sys_store_app};

pub(crate) struct Application;

fn fields() -> Vec<Field> {
    vec![
        Field::new(
            sys_scope::SCOPE,
            Attribute::text("scope")
                .required()
                .check(validate::not_blank())
                .check(field::key_text())
                .describe("Scope of the application, such as `x_mioms_m365_assis`."),
        ),
        Field::local(lookup::text(
            "id",
            "The record's `sys_id`; null if it is not installed.",
        )),
        Field::local(lookup::flag("installed", "Whether the application is installed.")),
        Field::new(sys_scope::VERSION, lookup::text("version", "Installed version.")),
        Field::new(sys_scope::NAME, lookup::text("name", "Name.")),
        Field::new(
            sys_scope::ACTIVE,
            lookup::flag("active", "Whether the application is active."),
        ),
        Field::new(
            sys_store_app::LATEST_VERSION,
            lookup::text(
                "latest_version",
                "Newest version in the store, if the instance knows it.",
            ),
        ),
        Field::new(
            sys_store_app::UPDATE_AVAILABLE,
            lookup::flag(
                "update_available",
                "Whether an update is available, if the instance knows it.",
            ),
        ),
    ]
}

impl BlockType for Application {
    fn type_name(&self) -> &'static str {
        "servicenow_application"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "An application of the instance, by its scope. If it is not installed, `installed` is false; that is not \
             an error. Tables `sys_scope` and `sys_store_app`.",
            fields().into_iter().flat_map(|field| field.attributes).collect(),
        )
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[sys_scope::TABLE, sys_store_app::TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for Application {
    async fn read(&self, cx: &Context<Clients>, mut config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let scope = config.text("scope").unwrap_or_default().to_owned();
        let found = installed_application::find(&session, &scope).await;
        let found =
            found.map_err(|error| diagnostics::of_table(&error, "look for the application").at_attribute("scope"))?;
        config.set("installed", found.is_some());
        if let Some(record) = found {
            let text = |column| record.text(column).value().map(str::to_owned);
            config.set("id", record.sys_id().as_str());
            config.set("version", text(sys_scope::VERSION));
            config.set("name", text(sys_scope::NAME));
            config.set("active", record.bool(sys_scope::ACTIVE).value());
            // What the store says is an extra: an account may see applications and not the store's own table.
            let store = session
                .get_opt(sys_store_app::TABLE, record.sys_id(), sys_store_app::COLUMNS)
                .await
                .ok()
                .flatten();
            let latest = store
                .as_ref()
                .and_then(|store| store.text(sys_store_app::LATEST_VERSION).value());
            config.set("latest_version", latest.map_or(Value::Null, Value::from));
            let update = store
                .as_ref()
                .and_then(|store| store.bool(sys_store_app::UPDATE_AVAILABLE).value());
            config.set("update_available", update);
        }
        Ok((config, Diagnostics::new()))
    }
}
