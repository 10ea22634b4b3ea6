//! What the instance says of itself. Nothing is written.

use servicenow_provider::servicenow::tables::{
    ip_access, oauth_entity, sys_dictionary, sys_properties, sys_user, v_plugin,
};
use servicenow_provider::servicenow::{Column, Table, TableError};

use super::table_api::equals;
use super::{Probed, Seen};
use crate::context::RunContext;

async fn property(context: &RunContext, name: &str) -> Result<Option<String>, TableError> {
    let query = equals(sys_properties::NAME, name, sys_properties::TABLE)?;
    let found = context
        .session
        .select(sys_properties::TABLE, &query, &[sys_properties::VALUE])
        .await?;
    let value = found.first().and_then(|row| row.text(sys_properties::VALUE).value());
    Ok(value.map(str::to_owned))
}

/// What the instance says of its own use, if it does.
pub(crate) async fn is_production(context: &RunContext) -> Result<Option<String>, TableError> {
    property(context, "glide.installation.production").await
}

/// The release, by its name where the instance tells it, else by its build.
pub(crate) async fn release(context: &RunContext) -> Option<String> {
    for name in [sys_properties::BUILD_NAME, sys_properties::BUILD_TAG] {
        if let Ok(Some(value)) = property(context, name).await {
            return Some(value.trim_start_matches("glide-").to_owned());
        }
    }
    None
}

/// The plugins that the provider's pages speak of, and what the instance says of each.
pub(crate) async fn installed_plugins(context: &RunContext) -> Vec<(String, String)> {
    let mut plugins = Vec::new();
    for id in PLUGINS {
        let Ok(query) = equals(v_plugin::ID, id, v_plugin::TABLE) else {
            continue;
        };
        let Ok(found) = context
            .session
            .select(v_plugin::TABLE, &query, &[v_plugin::ACTIVE])
            .await
        else {
            return Vec::new();
        };
        let state = found.first().and_then(|row| row.text(v_plugin::ACTIVE).value());
        plugins.push((id.to_owned(), state.unwrap_or("not there").to_owned()));
    }
    plugins
}

const PLUGINS: [&str; 4] = [
    v_plugin::OAUTH,
    "com.glide.rest.auth.scope",
    "com.snc.ipauthenticator",
    "com.glide.role_management.inh_count",
];

pub(super) async fn release_in_properties(context: &RunContext) -> Probed {
    let release = release(context).await;
    Ok(Seen::of(
        release.is_some(),
        release.map_or_else(|| "No property tells it.".to_owned(), |name| format!("{name}.")),
    ))
}

pub(super) async fn plugins_can_be_read(context: &RunContext) -> Probed {
    let query = equals(v_plugin::ID, v_plugin::OAUTH, v_plugin::TABLE)?;
    let found = context
        .session
        .select(v_plugin::TABLE, &query, v_plugin::COLUMNS)
        .await?;
    Ok(Seen::of(
        !found.is_empty(),
        format!("{} row for the plugin of OAuth.", found.len()),
    ))
}

pub(super) async fn oauth_property(context: &RunContext) -> Probed {
    let value = property(context, sys_properties::OAUTH_ACTIVE).await?;
    let text = value.as_deref().map_or_else(
        || "The property is not shown.".to_owned(),
        |it| format!("It is {it:?}."),
    );
    Ok(Seen::of(value.as_deref() == Some("true"), text))
}

pub(super) async fn client_credentials_property(context: &RunContext) -> Probed {
    let value = property(context, sys_properties::CLIENT_CREDENTIALS_ENABLED).await?;
    Ok(match value {
        None => Seen::Holds("The property is not there.".to_owned()),
        Some(value) => Seen::Open(format!("Somebody has created it: it is {value:?}.")),
    })
}

async fn values(context: &RunContext, table: Table, column: Column) -> Result<Vec<String>, TableError> {
    let choices = context.session.choices(&[table], column).await?;
    Ok(choices.list.iter().map(|choice| choice.value.clone()).collect())
}

pub(super) async fn choices_can_be_read(context: &RunContext) -> Probed {
    let values = values(context, oauth_entity::TABLE, oauth_entity::DEFAULT_GRANT_TYPE).await?;
    Ok(Seen::of(
        values.iter().any(|value| value == "client_credentials"),
        format!("Grant types: {}.", values.join(", ")),
    ))
}

pub(super) async fn dictionary_can_be_read(context: &RunContext) -> Probed {
    let table = sys_dictionary::TABLE;
    let query = equals(sys_dictionary::NAME, sys_user::TABLE.name(), table)?.and(equals(
        sys_dictionary::ELEMENT,
        sys_user::USER_NAME.name(),
        table,
    )?);
    let found = context
        .session
        .select(table, &query, &[sys_dictionary::INTERNAL_TYPE])
        .await?;
    Ok(Seen::of(
        !found.is_empty(),
        format!("{} row for user_name.", found.len()),
    ))
}

pub(super) async fn address_rule_types(context: &RunContext) -> Probed {
    let values = values(context, ip_access::TABLE, ip_access::TYPE).await?;
    if values.is_empty() {
        return Ok(Seen::Open("The account sees no choices of the column.".to_owned()));
    }
    let expected = ["allow", "deny"];
    let holds = expected.iter().all(|word| values.iter().any(|value| value == word));
    Ok(Seen::of(holds, format!("{}.", values.join(", "))))
}

pub(super) async fn address_rule_directions(context: &RunContext) -> Probed {
    let choices = context
        .session
        .choices(&[ip_access::TABLE], ip_access::DIRECTION)
        .await?;
    let shown: Vec<String> = choices
        .list
        .iter()
        .map(|it| format!("{} ({})", it.value, it.label))
        .collect();
    Ok(if shown.is_empty() {
        Seen::Open("The account sees no choices of the column.".to_owned())
    } else {
        Seen::Holds(format!("{}.", shown.join(", ")))
    })
}
