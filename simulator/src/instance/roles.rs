//! Roles: containment, groups, and the rows that the platform derives from both.

use std::collections::{BTreeMap, BTreeSet};

use crate::instance::ids::new_id;
use crate::instance::store::{Record, Rows, is_true, value};
use crate::instance::time::wire_time;
use crate::instance::write_context::{Platform, Refused, Via};

/// Names of all active roles of a user.
pub(super) fn names_of(rows: &Rows, user: &str) -> BTreeSet<String> {
    let ids: BTreeSet<_> = rows
        .having("sys_user_has_role", "user", user)
        .filter(|row| value(row, "state") == "active")
        .map(|row| value(row, "role"))
        .collect();
    rows.of_class("sys_user_role")
        .filter(|role| ids.contains(value(role, "sys_id")))
        .map(|role| value(role, "name").to_owned())
        .collect()
}

/// The roles that a role contains, through all levels, without itself.
pub(super) fn contained_in(rows: &Rows, role: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![role.to_owned()];
    while let Some(outer) = open.pop() {
        for row in rows.of_class("sys_user_role_contains") {
            let inner = value(row, "contains");
            if value(row, "role") == outer && inner != role && found.insert(inner.to_owned()) {
                open.push(inner.to_owned());
            }
        }
    }
    found
}

/// A direct grant of a role that the user already has by inheritance touches the same row under V2.
pub(super) fn before_grant(platform: &Platform<'_>, record: &mut Record) -> Result<(), Refused> {
    if platform.via == Via::Rest && platform.modes.grants_need_elevation {
        return Err(Refused::forbidden(
            "ACL Exception Insert Failed due to security constraints",
        ));
    }
    if platform.via == Via::Rest && platform.modes.quirks.refuses_grant(platform.rows, record) {
        return Err(Refused::forbidden(
            "ACL Exception Insert Failed due to security constraints",
        ));
    }
    if platform.modes.legacy_role_rows {
        return Ok(());
    }
    let present = platform
        .rows
        .having("sys_user_has_role", "user", value(record, "user"))
        .find(|row| value(row, "role") == value(record, "role"));
    let Some(present) = present else {
        record.insert("inh_count".to_owned(), "0".to_owned());
        return Ok(());
    };
    if !is_true(present, "inherited") {
        return Err(platform.duplicate("sys_user_has_role", "user and role"));
    }
    let mut touched = present.clone();
    touched.insert("inherited".to_owned(), "false".to_owned());
    touched.insert("state".to_owned(), "active".to_owned());
    *record = touched;
    Ok(())
}

/// Derives rows anew where a write may have changed what somebody inherits.
pub(super) fn after_change(platform: &mut Platform<'_>, class: &str, record: &Record) {
    let users: BTreeSet<String> = match class {
        "sys_user_has_role" | "sys_user_grmember" => [value(record, "user").to_owned()].into(),
        "sys_group_has_role" => members_of(platform.rows, value(record, "group")),
        "sys_user_role_contains" => platform
            .rows
            .of_class("sys_user_has_role")
            .map(|row| value(row, "user").to_owned())
            .collect(),
        _ => return,
    };
    for user in users {
        derive(platform, &user);
    }
}

fn members_of(rows: &Rows, group: &str) -> BTreeSet<String> {
    rows.of_class("sys_user_grmember")
        .filter(|row| value(row, "group") == group)
        .map(|row| value(row, "user").to_owned())
        .collect()
}

/// Why a user inherits a role: the containing role, the group, or the containing role of a group.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Source {
    role: String,
    included_in: String,
    group: String,
}

fn sources_of(rows: &Rows, user: &str) -> BTreeSet<Source> {
    let mut sources = BTreeSet::new();
    let mut contained = |outer: &str, group: &str| {
        for role in contained_in(rows, outer) {
            sources.insert(Source {
                role,
                included_in: outer.to_owned(),
                group: group.to_owned(),
            });
        }
    };
    let mut by_group = Vec::new();
    for row in rows.having("sys_user_has_role", "user", user) {
        let is_direct = !is_true(row, "inherited") && value(row, "state") == "active";
        if is_direct {
            contained(value(row, "role"), "");
        }
    }
    for member in rows.having("sys_user_grmember", "user", user) {
        let group = value(member, "group");
        for row in rows.of_class("sys_group_has_role") {
            if value(row, "group") == group && is_true(row, "inherits") {
                contained(value(row, "role"), group);
                by_group.push(Source {
                    role: value(row, "role").to_owned(),
                    included_in: String::new(),
                    group: group.to_owned(),
                });
            }
        }
    }
    sources.extend(by_group);
    sources
}

fn derive(platform: &mut Platform<'_>, user: &str) {
    let has_user = platform.rows.having("sys_user", "sys_id", user).next().is_some();
    let sources = if has_user {
        sources_of(platform.rows, user)
    } else {
        // The rows of a removed user stay as they are: references dangle.
        return;
    };
    let rows: Vec<Record> = platform
        .rows
        .having("sys_user_has_role", "user", user)
        .cloned()
        .collect();
    if platform.modes.legacy_role_rows {
        derive_row_per_source(platform, user, &rows, &sources);
    } else {
        derive_row_per_role(platform, user, &rows, &sources);
    }
}

fn derive_row_per_role(platform: &mut Platform<'_>, user: &str, rows: &[Record], sources: &BTreeSet<Source>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        *counts.entry(&source.role).or_default() += 1;
    }
    for row in rows {
        let count = counts.remove(value(row, "role")).unwrap_or(0);
        if count == 0 && is_true(row, "inherited") {
            platform.rows.take("sys_user_has_role", value(row, "sys_id"));
            continue;
        }
        if value(row, "inh_count") != count.to_string() {
            let mut row = row.clone();
            row.insert("inh_count".to_owned(), count.to_string());
            platform.rows.set("sys_user_has_role", row);
        }
    }
    for (role, count) in counts {
        let source = Source {
            role: role.to_owned(),
            included_in: String::new(),
            group: String::new(),
        };
        add_inherited(platform, user, &source, &count.to_string());
    }
}

fn derive_row_per_source(platform: &mut Platform<'_>, user: &str, rows: &[Record], sources: &BTreeSet<Source>) {
    let mut missing = sources.clone();
    for row in rows.iter().filter(|row| is_true(row, "inherited")) {
        let source = Source {
            role: value(row, "role").to_owned(),
            included_in: value(row, "included_in_role").to_owned(),
            group: value(row, "granted_by").to_owned(),
        };
        if !missing.remove(&source) {
            platform.rows.take("sys_user_has_role", value(row, "sys_id"));
        }
    }
    for source in missing {
        add_inherited(platform, user, &source, "");
    }
}

fn add_inherited(platform: &mut Platform<'_>, user: &str, source: &Source, count: &str) {
    let stamp = wire_time(platform.now);
    let row = [
        ("sys_id", new_id()),
        ("sys_created_on", stamp.clone()),
        ("sys_created_by", "system".to_owned()),
        ("sys_updated_on", stamp),
        ("sys_updated_by", "system".to_owned()),
        ("sys_mod_count", "0".to_owned()),
        ("user", user.to_owned()),
        ("role", source.role.clone()),
        ("state", "active".to_owned()),
        ("inherited", "true".to_owned()),
        ("granted_by", source.group.clone()),
        ("included_in_role", source.included_in.clone()),
        ("included_in_role_instance", String::new()),
        ("inh_count", count.to_owned()),
    ];
    let row = row.map(|(column, text)| (column.to_owned(), text));
    platform.rows.set("sys_user_has_role", row.into());
}
