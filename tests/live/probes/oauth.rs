//! OAuth entities and OIDC providers of the run.

use std::time::Duration;

use servicenow_provider::servicenow::tables::{
    oauth_entity, oauth_entity_auth_scope_mapping, oauth_entity_profile, oauth_oidc_entity,
    oidc_provider_configuration, sys_auth_scope, sys_scope,
};
use servicenow_provider::servicenow::{Cell, Column, ColumnKind, Query, Row, TableError};

use super::people::is_from;
use super::table_api::equals;
use super::{Probed, Seen, shown, with_causes};
use crate::context::{RunContext, SECRET, guid, metadata_url};

pub(super) async fn explicit_scope_is_kept(context: &RunContext) -> Probed {
    // Where the account may make none at all, nothing is shown of scopes.
    context.entity().await?;
    let row = Row::new()
        .set(oauth_entity::NAME, context.name("scoped"))
        .set(oauth_entity::TYPE, oauth_entity::TYPE_PROVIDER)
        .set(oauth_entity::CLIENT_ID, guid(&context.prefix, 3))
        .set(oauth_entity::SYS_SCOPE, sys_scope::GLOBAL);
    let made = match context.make(oauth_entity::TABLE, row).await {
        Ok(made) => made,
        Err(error @ TableError::Refused { .. }) => return Ok(Seen::Differs(with_causes(&error))),
        Err(error) => return Err(error),
    };
    let scope = made.reference(oauth_entity::SYS_SCOPE);
    let global = match scope {
        Cell::Hidden => return Ok(Seen::Open("sys_scope is not shown.".to_owned())),
        Cell::Empty => false,
        Cell::Value(text) => text == sys_scope::GLOBAL || is_global(context, text).await?,
    };
    Ok(Seen::of(
        global,
        if global { "Global." } else { "Another application." },
    ))
}

/// Whether an application is Global, whose key need not be its name.
async fn is_global(context: &RunContext, sys_id: &str) -> Result<bool, TableError> {
    let query = equals(sys_scope::SCOPE, sys_scope::GLOBAL, sys_scope::TABLE)?;
    let found = context.session.select(sys_scope::TABLE, &query, &[]).await?;
    Ok(found
        .iter()
        .any(|row| row.sys_id().as_str().eq_ignore_ascii_case(sys_id)))
}

pub(super) async fn type_is_kept(context: &RunContext) -> Probed {
    let kind = context.entity().await?.text(oauth_entity::TYPE);
    Ok(Seen::of(
        kind == Cell::Value(oauth_entity::TYPE_PROVIDER),
        format!("It is {}.", shown(&kind)),
    ))
}

pub(super) async fn type_defaults_to_client(context: &RunContext) -> Probed {
    let row = Row::new().set(oauth_entity::NAME, context.name("untyped"));
    let made = context.make(oauth_entity::TABLE, row).await?;
    let kind = made.text(oauth_entity::TYPE);
    Ok(Seen::of(
        kind == Cell::Value(oauth_entity::TYPE_CLIENT),
        format!("It is {}.", shown(&kind)),
    ))
}

pub(super) async fn choices_are_taken(context: &RunContext) -> Probed {
    let sys_id = context.entity().await?.sys_id().clone();
    let choices = [
        (oauth_entity::SEND_CLIENT_CREDENTIALS_AS, "basic_authorization_header"),
        (oauth_entity::SEND_CLIENT_CREDENTIALS_AS, "request_body_parameter"),
        (oauth_entity::DEFAULT_GRANT_TYPE, "authorization_code"),
        (oauth_entity::DEFAULT_GRANT_TYPE, "client_credentials"),
    ];
    let mut lost = Vec::new();
    for (column, value) in choices {
        let row = Row::new().set(column, value);
        let after = context.change(oauth_entity::TABLE, &sys_id, row).await?;
        if after.text(column) != Cell::Value(value) {
            lost.push(format!("{column}={value}"));
        }
    }
    Ok(Seen::of(
        lost.is_empty(),
        if lost.is_empty() {
            "Each is kept.".to_owned()
        } else {
            format!("Not kept: {}.", lost.join(", "))
        },
    ))
}

pub(super) async fn newer_columns(context: &RunContext) -> Probed {
    let entity = context.entity().await?;
    let columns = [oauth_entity::INBOUND_GRANT_TYPE, oauth_entity::CLIENT_TYPE];
    let hidden: Vec<&str> = columns
        .iter()
        .filter(|column| entity.text(**column).is_hidden())
        .map(Column::name)
        .collect();
    Ok(Seen::of(
        hidden.is_empty(),
        if hidden.is_empty() {
            "Both are shown.".to_owned()
        } else {
            format!("Not shown: {}.", hidden.join(", "))
        },
    ))
}

/// The secret as a text: the client itself never shows one.
fn secret() -> Column {
    Column::named(oauth_entity::CLIENT_SECRET.name(), ColumnKind::Text).unwrap()
}

pub(super) async fn secrets_are_not_read_back(context: &RunContext) -> Probed {
    let shown = context.entity().await?.text(secret()) == Cell::Value(SECRET);
    Ok(Seen::of(
        !shown,
        if shown {
            "The secret reads in clear."
        } else {
            "Not in clear."
        },
    ))
}

pub(super) async fn secret_form_on_read(context: &RunContext) -> Probed {
    let form = match context.entity().await?.text(secret()) {
        Cell::Hidden => "Left out.".to_owned(),
        Cell::Empty => "Empty.".to_owned(),
        Cell::Value(text) if text == SECRET => "In clear.".to_owned(),
        Cell::Value(text) if text.chars().all(|c| c == '*') => "Asterisks.".to_owned(),
        Cell::Value(text) => format!("Another text of {} characters.", text.len()),
    };
    Ok(Seen::Holds(form))
}

pub(super) async fn default_profile(context: &RunContext) -> Probed {
    let entity = context.entity().await?;
    let table = oauth_entity_profile::TABLE;
    let query = Query::equals(oauth_entity_profile::OAUTH_ENTITY, entity.sys_id())
        .map_err(|source| TableError::Query { table, source })?;
    for _ in 0..3 {
        let found = context
            .session
            .select(table, &query, oauth_entity_profile::COLUMNS)
            .await?;
        if let Some(profile) = found.first() {
            let default = profile.bool(oauth_entity_profile::DEFAULT);
            let kind = if default == Cell::Value(true) {
                "the default one"
            } else {
                "not the default"
            };
            return Ok(Seen::Holds(format!("{} profile, {kind}.", found.len())));
        }
        context.session.wait(Duration::from_secs(1)).await;
    }
    Ok(Seen::Differs("No profile after three seconds.".to_owned()))
}

pub(super) async fn inbound_scopes(context: &RunContext) -> Probed {
    let mut missing = Vec::new();
    for table in [sys_auth_scope::TABLE, oauth_entity_auth_scope_mapping::TABLE] {
        match context.session.sample(table).await {
            Err(TableError::NoSuchTable { .. }) => missing.push(table.name()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(Seen::of(
        missing.is_empty(),
        if missing.is_empty() {
            "Both tables are there.".to_owned()
        } else {
            format!("Not there: {}.", missing.join(", "))
        },
    ))
}

pub(super) async fn configuration_create(context: &RunContext) -> Probed {
    Ok(match context.configuration().await {
        Ok(_) => Seen::Holds("Created.".to_owned()),
        Err(error @ TableError::Refused { .. }) if should_suffice(context).await => Seen::Differs(with_causes(&error)),
        Err(error) => return Err(error),
    })
}

/// Whether the roles of the account are known to be enough for OIDC records: `oauth_admin` is from Australia on.
async fn should_suffice(context: &RunContext) -> bool {
    let release = super::release(context).await;
    let from_australia = release.as_deref().and_then(|name| is_from(name, 'a'));
    context.has_role(&[]) || (from_australia == Some(true) && context.has_role(&["oauth_admin"]))
}

pub(super) async fn metadata_url_is_unique(context: &RunContext) -> Probed {
    if context.configuration().await.is_err() {
        return Ok(Seen::Open("No configuration could be created.".to_owned()));
    }
    let row = Row::new()
        .set(oidc_provider_configuration::NAME, context.name("second"))
        .set(oidc_provider_configuration::OIDC_URL, metadata_url(&context.prefix, 1));
    Ok(match context.make(oidc_provider_configuration::TABLE, row).await {
        Ok(_) => Seen::Holds("A second configuration of one address was created.".to_owned()),
        Err(error) => Seen::Holds(format!("A second one was refused: {}.", with_causes(&error))),
    })
}

pub(super) async fn jti_verification_by_default(context: &RunContext) -> Probed {
    let Ok(made) = context.configuration().await else {
        return Ok(Seen::Open("No configuration could be created.".to_owned()));
    };
    let jti = made.bool(oidc_provider_configuration::ENABLE_JTI_VERIFICATION);
    Ok(match jti {
        Cell::Hidden => Seen::Open("The column is not shown.".to_owned()),
        jti => Seen::of(
            jti == Cell::Value(true),
            if jti == Cell::Value(true) {
                "It is on."
            } else {
                "It is off."
            },
        ),
    })
}

pub(super) async fn provider_is_an_entity(context: &RunContext) -> Probed {
    let Ok(provider) = context.provider().await else {
        return Ok(Seen::Open("No OIDC provider could be created.".to_owned()));
    };
    let found = context
        .session
        .get_opt(oauth_entity::TABLE, provider.sys_id(), &[])
        .await?;
    Ok(Seen::of(
        found.is_some(),
        if found.is_some() {
            "It shows in both tables."
        } else {
            "It shows in its own table alone."
        },
    ))
}

pub(super) async fn provider_type(context: &RunContext) -> Probed {
    let Ok(provider) = context.provider().await else {
        return Ok(Seen::Open("No OIDC provider could be created.".to_owned()));
    };
    Ok(Seen::Holds(format!(
        "It is {}.",
        shown(&provider.text(oauth_oidc_entity::TYPE))
    )))
}
