//! Which roles a table asks for.

use crate::instance::caller::{Caller, Denied};
use crate::instance::options::{Operation, Switches};
use crate::instance::release::Release;
use crate::instance::schema::Schema;
use crate::instance::store::{Record, value};

/// Who may do an operation on a table.
enum Rule {
    /// Every user that signed in.
    Anybody,
    /// Holders of one of these roles, and administrators.
    Roles(&'static [&'static str]),
    /// Holders of `security_admin`. Being an administrator is not enough.
    SecurityAdmin,
    /// No role over REST.
    Nobody,
}

/// Whether a caller's roles allow an operation on a table.
pub(super) fn check(
    schema: &Schema,
    release: Release,
    modes: &Switches,
    caller: &Caller,
    table: &str,
    operation: Operation,
) -> Result<(), Denied> {
    let owned: Vec<String>;
    let roles = match modes.table_roles.get(&(table.to_owned(), operation)) {
        Some(roles) => roles,
        None => match rule(schema, release, table, operation) {
            Rule::Anybody => return Ok(()),
            Rule::Roles(roles) => {
                owned = roles.iter().copied().chain(["admin"]).map(str::to_owned).collect();
                &owned
            }
            Rule::SecurityAdmin => {
                owned = vec![SECURITY_ADMIN.to_owned()];
                &owned
            }
            Rule::Nobody => {
                owned = Vec::new();
                &owned
            }
        },
    };
    let is_admin = caller.roles.contains("admin") && !roles.is_empty() && *roles != [SECURITY_ADMIN];
    if is_admin || roles.iter().any(|role| caller.roles.contains(role)) {
        return Ok(());
    }
    let wanted = if roles.is_empty() {
        "no role allows it over REST".to_owned()
    } else {
        format!("one of these roles is needed: {}", roles.join(", "))
    };
    let has: Vec<_> = caller.roles.iter().map(String::as_str).collect();
    let has = if has.is_empty() {
        "no role".to_owned()
    } else {
        has.join(", ")
    };
    Err(Denied {
        status: 403,
        cause: format!(
            "User {} may not {} {table}: {wanted}; the user has {has}",
            caller.user_name,
            verb(operation)
        ),
    })
}

/// The word that the API's refusals use.
pub(super) fn exception(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "Query",
        Operation::Create => "Insert",
        Operation::Write => "Update",
        Operation::Delete => "Delete",
    }
}

/// Records that an access rule of their own hides from the caller. Counted, but not shown.
pub(super) fn is_hidden(modes: &Switches, caller: &Caller, table: &str, record: &Record) -> bool {
    if modes.hidden_rows.contains(value(record, "sys_id")) || modes.quirks.hidden_tables.contains(table) {
        return true;
    }
    let is_admin = caller.roles.contains("admin");
    match table {
        // Recorded on a real instance: the first role is hidden from its administrator.
        "sys_user_role" => value(record, "name") == "maint",
        // Without a word, schema reads of others are only a part of the truth.
        "sys_dictionary" | "sys_choice" => {
            !is_admin
                && ["oauth", "oidc", "ip_a"]
                    .iter()
                    .any(|p| value(record, "name").starts_with(p))
        }
        "sys_properties" => !is_admin || is_private(record),
        "sys_user_preference" => !is_admin && value(record, "user") != caller.sys_id,
        _ => false,
    }
}

/// The roles that reading a table asks for, as the rules say that the instance ships with: none where anybody may, and
/// whether administrators need one of them as well. `None` where nobody may.
pub(super) fn shipped_read_rule(
    schema: &Schema,
    release: Release,
    table: &str,
) -> Option<(Vec<&'static str>, AdminOverrides)> {
    match rule(schema, release, table, Operation::Read) {
        Rule::Anybody => Some((Vec::new(), AdminOverrides::Yes)),
        Rule::Roles([]) => Some((vec!["admin"], AdminOverrides::Yes)),
        Rule::Roles(roles) => Some((roles.to_vec(), AdminOverrides::Yes)),
        Rule::SecurityAdmin => Some((vec![SECURITY_ADMIN], AdminOverrides::No)),
        Rule::Nobody => None,
    }
}

/// Whether administrators pass a rule without its roles.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AdminOverrides {
    Yes,
    No,
}

fn is_private(record: &Record) -> bool {
    value(record, "is_private") == "true"
}

fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "read",
        Operation::Create => "create in",
        Operation::Write => "write",
        Operation::Delete => "delete in",
    }
}

fn rule(schema: &Schema, release: Release, table: &str, operation: Operation) -> Rule {
    const OAUTH: Rule = Rule::Roles(&["oauth_admin", "mi_admin"]);
    const USERS: Rule = Rule::Roles(&["user_admin"]);
    const ADMIN: Rule = Rule::Roles(&[]);
    let reads = operation == Operation::Read;
    match table {
        "oauth_oidc_entity" | "oidc_provider_configuration" if release < Release::Australia => ADMIN,
        "oauth_oidc_entity" | "oidc_provider_configuration" => OAUTH,
        "sys_auth_scope" | "jwt_verifier_map" | "jwt_provider" | "jwt_claim_validation" => OAUTH,
        _ if table.starts_with("oauth_") => OAUTH,
        "sys_user" | "sys_user_group" | "sys_user_role" if reads => Rule::Anybody,
        "cmn_department" | "core_company" | "cmn_location" if reads => Rule::Anybody,
        "sys_user_role_contains" if reads => USERS,
        "sys_user" | "sys_user_group" | "sys_user_has_role" | "sys_user_grmember" | "sys_group_has_role" => USERS,
        "sys_dictionary" | "sys_choice" | "sys_scope" | "sys_store_app" | "sys_package" | "sys_properties" if reads => {
            Rule::Anybody
        }
        "sys_user_preference" => Rule::Anybody,
        "sys_alias" if reads => Rule::Roles(&["credential_admin", "connection_admin"]),
        "sys_connection" | "http_connection" => Rule::Roles(&["connection_admin"]),
        "discovery_credentials" | "basic_auth_credentials" | "oauth_2_0_credentials" => {
            Rule::Roles(&["credential_admin"])
        }
        "sys_plugins" => Rule::Nobody,
        "sys_security_acl" | "sys_security_acl_role" if reads => Rule::SecurityAdmin,
        "sys_security_operation" | "sys_security_type" if reads => Rule::Anybody,
        _ if table.starts_with("sys_security_") => Rule::Nobody,
        "kb_knowledge" => Rule::Roles(&["knowledge", "knowledge_admin"]),
        "user_criteria" => Rule::Roles(&["user_criteria_admin"]),
        "sc_cat_item" if reads => Rule::Roles(&["catalog", "catalog_admin"]),
        "sc_cat_item" => Rule::Roles(&["catalog_admin"]),
        _ if schema.is_a(table, "task") && operation == Operation::Delete => ADMIN,
        _ if schema.is_a(table, "task") && reads => Rule::Roles(&["itil", "sn_incident_read", "incident_manager"]),
        _ if schema.is_a(table, "task") => Rule::Roles(&["itil", "sn_incident_write", "incident_manager"]),
        _ => ADMIN,
    }
}

const SECURITY_ADMIN: &str = "security_admin";
