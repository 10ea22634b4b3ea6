//! The plugin and the property that OAuth requires.

use crate::readiness::finding::Finding;
use crate::records::diagnostics;
use crate::servicenow::tables::{sys_properties, v_plugin};
use crate::servicenow::{Cell, Query, Session};

pub(super) const NAMES: &[&str] = &[PLUGIN, PROPERTY];

const PLUGIN: &str = "oauth_plugin";
const PROPERTY: &str = "oauth_property";

pub(super) async fn check(session: &Session) -> Vec<Finding> {
    let (plugin, property) = tokio::join!(plugin(session), property(session));
    vec![plugin, property]
}

async fn plugin(session: &Session) -> Finding {
    let query = match Query::equals(v_plugin::ID, v_plugin::OAUTH) {
        Ok(query) => query,
        Err(error) => return Finding::unknown(PLUGIN, diagnostics::explain(&error, ""), error.remedy()),
    };
    let activate = format!("Activate the plugin {} (OAuth 2.0).", v_plugin::OAUTH);
    match session.find_unique(v_plugin::TABLE, &query, v_plugin::COLUMNS).await {
        Err(error) => Finding::unreadable(PLUGIN, &error),
        Ok(None) => Finding::unknown(
            PLUGIN,
            format!("The account cannot see the plugin {}.", v_plugin::OAUTH),
            format!(
                "Let it read {} ({}), or make sure that: {activate}",
                v_plugin::TABLE,
                v_plugin::TABLE.role()
            ),
        ),
        Ok(Some(plugin)) => match plugin.text(v_plugin::ACTIVE) {
            Cell::Value("active" | "true" | "1") => Finding::pass(PLUGIN, "OAuth 2.0 is active."),
            Cell::Value(state) => Finding::fail(PLUGIN, format!("OAuth 2.0 is {state}."), activate),
            Cell::Empty => Finding::fail(PLUGIN, "OAuth 2.0 is not active.", activate),
            Cell::Hidden => Finding::unknown(PLUGIN, "The account cannot see whether OAuth 2.0 is active.", activate),
        },
    }
}

async fn property(session: &Session) -> Finding {
    let name = sys_properties::OAUTH_ACTIVE;
    let query = match Query::equals(sys_properties::NAME, name) {
        Ok(query) => query,
        Err(error) => return Finding::unknown(PROPERTY, diagnostics::explain(&error, ""), error.remedy()),
    };
    let set = format!("Set the system property {name} to true.");
    match session
        .find_unique(sys_properties::TABLE, &query, sys_properties::COLUMNS)
        .await
    {
        Err(error) => Finding::unreadable(PROPERTY, &error),
        Ok(None) => Finding::unknown(
            PROPERTY,
            format!("The account cannot see the system property {name}."),
            format!(
                "Let it read {} ({}), or make sure that it is true.",
                sys_properties::TABLE,
                sys_properties::TABLE.role()
            ),
        ),
        Ok(Some(row)) => match row.text(sys_properties::VALUE) {
            Cell::Value(value) if value.trim().eq_ignore_ascii_case("true") => {
                Finding::pass(PROPERTY, format!("{name} is true."))
            }
            Cell::Value(value) => Finding::fail(PROPERTY, format!("{name} is {value:?}."), set),
            Cell::Empty => Finding::fail(PROPERTY, format!("{name} is empty."), set),
            Cell::Hidden => Finding::unknown(PROPERTY, format!("The account cannot see the value of {name}."), set),
        },
    }
}
