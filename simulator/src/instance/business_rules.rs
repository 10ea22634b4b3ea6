//! What single tables do when a record is written: the business rules that ship with the platform.

use jiff::Timestamp;

use crate::instance::ids::new_id;
use crate::instance::options::DefaultProfile;
use crate::instance::store::{Record, is_true, value};
use crate::instance::time::wire_time;
use crate::instance::write_context::{Platform, Refused, Via};
use crate::instance::{ip_access_rules, quirks, roles};

/// May change the record, or turn the insert into a change of one that exists by giving it that one's `sys_id`.
pub(super) fn before_insert(
    platform: &Platform<'_>,
    class: &'static str,
    record: &mut Record,
    sent: &Record,
) -> Result<(), Refused> {
    match class {
        "oauth_entity" | "oauth_oidc_entity" | "oauth_jwt" => {
            fill_entity(platform, class, record, sent);
        }
        "oidc_provider_configuration" => {
            if platform.via == Via::Rest && platform.modes.configuration_create_refused {
                return Err(Refused::forbidden(
                    "ACL Exception Insert Failed due to security constraints",
                ));
            }
            check_metadata_url(platform, record)?;
        }
        "sys_user" => {
            name_user(record);
            follow_identity_type(record, sent);
            record.insert("hashed_user_id".to_owned(), new_id());
        }
        "sys_user_role" => {
            roles::name_in_scope(platform, record);
            name_role(record, sent);
        }
        "sys_user_has_role" => roles::before_grant(platform, record)?,
        "sys_user_role_contains" => {
            check_pair(platform, class, record, ["role", "contains"])?;
            roles::check_no_cycle(platform, record)?;
        }
        "sys_group_has_role" => check_pair(platform, class, record, ["group", "role"])?,
        "sys_user_grmember" => check_pair(platform, class, record, ["user", "group"])?,
        "sys_db_object" => name_table(record),
        "sys_properties" => {
            name_property(record);
            check_guarded_property(platform, record)?;
        }
        "ip_access" => ip_access_rules::check_lock_out(platform, record)?,
        "incident" => open_task(platform, record),
        "sys_alias" => name_alias(platform, record)?,
        "http_connection" => check_one_active(platform, class, record)?,
        _ => {}
    }
    Ok(())
}

pub(super) fn before_update(
    platform: &Platform<'_>,
    class: &'static str,
    before: &Record,
    record: &mut Record,
    sent: &Record,
) -> Result<(), Refused> {
    match class {
        "oidc_provider_configuration" => check_metadata_url(platform, record)?,
        "sys_user" => {
            name_user(record);
            let is_changed = value(before, "identity_type") != value(record, "identity_type");
            if is_changed {
                follow_identity_type(record, sent);
            }
        }
        "sys_user_has_role" if platform.via == Via::Rest && is_true(before, "inherited") => {
            return Err(Refused::by_rule(class, "Prevent changes of inherited roles"));
        }
        "sys_user_role" if platform.via == Via::Rest && value(before, "name") != value(record, "name") => {
            return Err(Refused::by_rule(class, "Prevent renaming of roles"));
        }
        "sys_user_role" if value(before, "name") != value(record, "name") => name_role(record, sent),
        "sys_properties" => check_guarded_property(platform, before)?,
        "sys_alias" => name_alias(platform, record)?,
        "http_connection" => check_one_active(platform, class, record)?,
        "ip_access" => ip_access_rules::check_lock_out(platform, record)?,
        _ => {}
    }
    Ok(())
}

pub(super) fn before_delete(platform: &Platform<'_>, class: &'static str, record: &Record) -> Result<(), Refused> {
    match class {
        "sys_user_has_role" if platform.via == Via::Rest && is_true(record, "inherited") => {
            Err(Refused::by_rule(class, "Prevent deletion of inherited roles"))
        }
        "sys_group_has_role" if platform.via == Via::Rest && !value(record, "granted_by").is_empty() => {
            Err(Refused::by_rule(class, "Prevent deletion of inherited roles"))
        }
        "sys_properties" => check_guarded_property(platform, record),
        _ => Ok(()),
    }
}

pub(super) fn after_insert(platform: &mut Platform<'_>, class: &'static str, sys_id: &str) -> Result<(), Refused> {
    let record = platform.stored(class, sys_id);
    if matches!(class, "oauth_entity" | "oauth_oidc_entity") {
        add_default_profile(platform, &record)?;
    }
    roles::after_change(platform, class, &record);
    quirks::after_insert(platform, class, &record)
}

pub(super) fn after_update(platform: &mut Platform<'_>, class: &'static str, sys_id: &str) -> Result<(), Refused> {
    let record = platform.stored(class, sys_id);
    roles::after_change(platform, class, &record);
    Ok(())
}

pub(super) fn after_delete(platform: &mut Platform<'_>, class: &'static str, record: &Record) -> Result<(), Refused> {
    if platform.modes.cascade {
        let dependants: &[(&'static str, &str)] = match class {
            "oauth_entity" | "oauth_oidc_entity" => &[
                ("oauth_entity_profile", "oauth_entity"),
                ("oauth_entity_scope", "oauth_entity"),
                ("oauth_entity_auth_scope_mapping", "oauth_entity"),
            ],
            "sys_user" => &[
                ("sys_user_has_role", "user"),
                ("sys_user_grmember", "user"),
                ("sys_user_preference", "user"),
            ],
            "sys_user_group" => &[("sys_user_grmember", "group"), ("sys_group_has_role", "group")],
            "sys_user_role" => &[
                ("sys_user_role_contains", "role"),
                ("sys_user_role_contains", "contains"),
                ("sys_group_has_role", "role"),
                ("sys_user_has_role", "role"),
            ],
            _ => &[],
        };
        for (table, column) in dependants {
            let ids: Vec<_> = platform
                .rows
                .having(table, column, value(record, "sys_id"))
                .map(|row| value(row, "sys_id").to_owned())
                .collect();
            for id in ids {
                let row = platform.stored(table, &id);
                platform.rows.take(table, &id);
                roles::after_change(platform, table, &row);
            }
        }
    }
    if matches!(class, "oauth_entity" | "oauth_oidc_entity") {
        let entity = value(record, "sys_id");
        platform
            .later
            .retain(|(_, profile)| value(profile, "oauth_entity") != entity);
    }
    roles::after_change(platform, class, record);
    Ok(())
}

/// A table of pairs has each of them once, unless the quirk says otherwise.
/// Facts: `links-are-kept-once`.
fn check_pair(
    platform: &Platform<'_>,
    class: &'static str,
    record: &Record,
    [one, other]: [&str; 2],
) -> Result<(), Refused> {
    if platform.modes.quirks.keeps_second_links {
        return Ok(());
    }
    let is_there = platform.rows.having(class, one, value(record, one)).any(|row| {
        value(row, other) == value(record, other) && value(row, "granted_by") == value(record, "granted_by")
    });
    if is_there {
        return Err(platform.duplicate(class, &format!("{one} and {other}")));
    }
    Ok(())
}

/// The name of an alias has letters, digits and underscores, and is one of a kind in its scope (ServiceNow's page on aliases).
/// Hyphens pass over REST: the acceptance tests of tylerhatton/servicenow, written for a developer instance, use them.
fn name_alias(platform: &Platform<'_>, record: &mut Record) -> Result<(), Refused> {
    let name = value(record, "name").to_owned();
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(Refused::by_rule("sys_alias", "Validate Alias name"));
    }
    let scope = value(record, "sys_scope");
    let is_other = |row: &&Record| value(row, "sys_id") != value(record, "sys_id");
    let mut named = platform.rows.having("sys_alias", "name", &name).filter(is_other);
    if named.any(|row| value(row, "sys_scope") == scope) {
        return Err(platform.duplicate("sys_alias", "name"));
    }
    record.insert("id".to_owned(), format!("{scope}.{name}"));
    Ok(())
}

/// An alias has one active connection, unless it says otherwise (ServiceNow's page on aliases).
fn check_one_active(platform: &Platform<'_>, class: &'static str, record: &Record) -> Result<(), Refused> {
    let alias = value(record, "connection_alias");
    if alias.is_empty() || !is_true(record, "active") {
        return Ok(());
    }
    let may_have_several = |row: &Record| is_true(row, "multiple_connections");
    if platform.rows.having("sys_alias", "sys_id", alias).any(may_have_several) {
        return Ok(());
    }
    let is_other = |row: &&Record| value(row, "sys_id") != value(record, "sys_id");
    let mut others = platform.rows.having(class, "connection_alias", alias).filter(is_other);
    if others.any(|row| is_true(row, "active")) {
        return Err(Refused::by_rule(class, "Check for active connections"));
    }
    Ok(())
}

fn fill_entity(platform: &Platform<'_>, class: &str, record: &mut Record, sent: &Record) {
    let is_oidc = class == "oauth_oidc_entity";
    let mut fill = |column: &str, text: String| {
        if value(sent, column).is_empty() {
            record.insert(column.to_owned(), text);
        }
    };
    if is_oidc {
        fill("type", platform.modes.oidc_entity_type.clone());
        fill("default_grant_type", "password".to_owned());
    }
    fill("redirect_url", format!("{}/oauth_redirect.do", platform.base_url));
    fill("client_uuid", new_id());
    let is_client = value(record, "type") == "client";
    if is_client && value(record, "client_id").is_empty() {
        record.insert("client_id".to_owned(), new_id());
    }
    if (is_client || is_oidc) && value(record, "client_secret").is_empty() {
        record.insert("client_secret".to_owned(), new_id());
    }
}

fn add_default_profile(platform: &mut Platform<'_>, entity: &Record) -> Result<(), Refused> {
    let profile: Record = [
        ("name", format!("{} default_profile", value(entity, "name"))),
        ("oauth_entity", value(entity, "sys_id").to_owned()),
        ("grant_type", value(entity, "default_grant_type").to_owned()),
        ("default", "true".to_owned()),
        ("sys_scope", value(entity, "sys_scope").to_owned()),
    ]
    .into_iter()
    .map(|(column, text)| (column.to_owned(), text))
    .collect();
    let mode = match platform.via {
        Via::Form => DefaultProfile::Created,
        Via::Rest => platform.modes.default_profile,
    };
    match mode {
        DefaultProfile::NotCreated => {}
        DefaultProfile::Delayed(delay) => {
            let due: Timestamp = platform.now.checked_add(delay).unwrap_or(platform.now);
            platform.later.push((due, profile));
        }
        DefaultProfile::Created => {
            // The platform's own write: no access rule of the caller's acts on it.
            let via = std::mem::replace(&mut platform.via, Via::Form);
            let outcome = platform.insert("oauth_entity_profile", &profile);
            platform.via = via;
            outcome?;
        }
    }
    Ok(())
}

fn check_metadata_url(platform: &Platform<'_>, record: &Record) -> Result<(), Refused> {
    let url = value(record, "oidc_url");
    let is_taken = platform.modes.unique_oidc_url
        && !url.is_empty()
        && platform.rows.of_class("oidc_provider_configuration").any(|other| {
            let is_same = platform.modes.quirks.is_same_key(value(other, "oidc_url"), url);
            is_same && value(other, "sys_id") != value(record, "sys_id")
        });
    if is_taken {
        return Err(platform.duplicate("oidc_provider_configuration", url));
    }
    Ok(())
}

/// The suffix of a role is its name without the scope that goes before it.
fn name_role(record: &mut Record, sent: &Record) {
    if value(sent, "suffix").is_empty() {
        let name = value(record, "name");
        let suffix = name.split_once('.').map_or(name, |(_, suffix)| suffix).to_owned();
        record.insert("suffix".to_owned(), suffix);
    }
}

/// A table that gets only a label, as in the form, is called by it.
fn name_table(record: &mut Record) {
    let label = value(record, "label").to_lowercase();
    if value(record, "name").is_empty() && !label.is_empty() {
        let name = label.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        record.insert("name".to_owned(), format!("u_{name}"));
    }
}

/// A property that gets only a suffix, as in the form, is called by it.
fn name_property(record: &mut Record) {
    let [name, suffix] = ["name", "suffix"].map(|column| value(record, column).to_owned());
    if name.is_empty() && !suffix.is_empty() {
        record.insert("name".to_owned(), suffix);
    }
}

fn name_user(record: &mut Record) {
    let parts: Vec<_> = ["first_name", "middle_name", "last_name"]
        .iter()
        .map(|column| value(record, column))
        .filter(|part| !part.is_empty())
        .collect();
    let name = parts.join(" ");
    record.insert("name".to_owned(), name);
}

/// The platform keeps "web service access only" in step with the identity type, whatever else was sent.
fn follow_identity_type(record: &mut Record, sent: &Record) {
    let only = match value(sent, "identity_type") {
        "machine" => "true",
        "human" | "ai_agent" => "false",
        _ => return,
    };
    record.insert("web_service_access_only".to_owned(), only.to_owned());
}

fn check_guarded_property(platform: &Platform<'_>, record: &Record) -> Result<(), Refused> {
    let name = value(record, "name");
    let is_guarded = name.starts_with("glide.authenticate.multisso");
    if platform.via == Via::Rest && is_guarded {
        return Err(Refused::by_rule("sys_properties", "Guard sign-in properties"));
    }
    Ok(())
}

fn open_task(platform: &Platform<'_>, record: &mut Record) {
    let count = platform.rows.of_class("incident").count() + 1;
    let defaults = [
        ("number", format!("INC{:07}", 10_000 + count)),
        ("opened_by", platform.user_id.to_owned()),
        ("opened_at", wire_time(platform.now)),
    ];
    for (column, text) in defaults {
        if value(record, column).is_empty() {
            record.insert(column.to_owned(), text);
        }
    }
}
