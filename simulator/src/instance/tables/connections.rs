//! Connections, credentials and the aliases that flows and spokes know them by.
//!
//! The tables, what they extend, and the columns that refer to each other are from ServiceNow's SDK (its pages on aliases and
//! alias templates) and from scripts of several applications that walk from an alias to its OAuth profile. `tag` of a credential,
//! the MID server of a connection and the columns of a JDBC connection are those that tylerhatton/servicenow writes. What the
//! pages on the forms show and no script names is left out.

use crate::instance::schema::{Table, boolean, choice, integer, reference, secret, table, text, url};

pub(super) fn tables() -> Vec<Table> {
    vec![
        table("sys_alias", "Connection & Credential Alias", "name")
            .application_file()
            .columns([
                text("name", "Name").mandatory(),
                text("id", "ID").computed(),
                choice(
                    "type",
                    "Type",
                    &[
                        ("connection", "Connection and Credential"),
                        ("credential", "Credential"),
                    ],
                )
                .default("connection"),
                choice(
                    "connection_type",
                    "Connection type",
                    &[
                        ("http_connection", "HTTP"),
                        ("jdbc_connection", "JDBC"),
                        ("basic_connection", "Basic"),
                        ("jms_connection", "JMS"),
                    ],
                )
                .default("http_connection"),
                reference("parent", "Parent Alias", "sys_alias"),
                boolean("multiple_connections", "Support Multiple Active Connections"),
                text("retry_policy", "Default Retry Policy").at_most(32),
                text("configuration_template", "Configuration Template").at_most(32),
            ]),
        table("sys_connection", "Connection", "name").columns([
            text("name", "Name").mandatory(),
            boolean("active", "Active").default("true"),
            reference("connection_alias", "Connection alias", "sys_alias"),
            reference("credential", "Credential", "discovery_credentials"),
            boolean("use_mid", "Use MID server"),
            text("mid_selection", "MID Selection").default("auto_select"),
            text("mid_server", "MID Server").at_most(32),
            integer("order", "Order").default("100"),
            text("sys_class_name", "Class").computed(),
        ]),
        table("http_connection", "HTTP(s) Connection", "name")
            .extends("sys_connection")
            .columns([url("connection_url", "Connection URL"), text("host", "Host")]),
        table("jdbc_connection", "JDBC Connection", "name")
            .extends("sys_connection")
            .columns([
                text("connection_url", "Connection URL"),
                text("database_name", "Database name"),
                text("jdbc_driver", "Format"),
            ]),
        table("discovery_credentials", "Credentials", "name").columns([
            text("name", "Name").mandatory(),
            reference("tag", "Credential alias", "sys_alias"),
            boolean("active", "Active").default("true"),
            integer("order", "Order").default("100"),
            text("user_name", "User name"),
            secret("password", "Password"),
            text("sys_class_name", "Class").computed(),
        ]),
        table("basic_auth_credentials", "Basic Auth Credentials", "name").extends("discovery_credentials"),
        table("oauth_2_0_credentials", "OAuth 2.0 Credentials", "name")
            .extends("discovery_credentials")
            .columns([reference(
                "oauth_entity_profile",
                "OAuth Entity Profile",
                "oauth_entity_profile",
            )]),
    ]
}
