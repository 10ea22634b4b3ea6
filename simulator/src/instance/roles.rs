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

/// The name of a role of a scoped application is its scope, a dot, and the suffix.
pub(super) fn name_in_scope(platform: &Platform<'_>, record: &mut Record) {
    let application = platform.stored("sys_scope", value(record, "sys_scope"));
    let scope = value(&application, "scope");
    if matches!(scope, "" | "global") {
        return;
    }
    let name = value(record, "name");
    let own = name.strip_prefix(&format!("{scope}.")).unwrap_or(name).to_owned();
    let suffix = match value(record, "suffix") {
        "" => own,
        suffix => suffix.to_owned(),
    };
    record.insert("name".to_owned(), format!("{scope}.{suffix}"));
    record.insert("suffix".to_owned(), suffix);
}

/// A role contains neither itself nor a role that contains it.
pub(super) fn check_no_cycle(platform: &Platform<'_>, record: &Record) -> Result<(), Refused> {
    let (role, inner) = (value(record, "role"), value(record, "contains"));
    if role == inner || contained_in(platform.rows, inner).contains(role) {
        return Err(Refused::by_rule("sys_user_role_contains", "Prevent recursive roles"));
    }
    Ok(())
}

/// Derives rows anew where a write may have changed what somebody inherits.
pub(super) fn after_change(platform: &mut Platform<'_>, class: &str, record: &Record) {
    let users: BTreeSet<String> = match class {
        "sys_user_has_role" | "sys_user_grmember" => [value(record, "user").to_owned()].into(),
        "sys_group_has_role" => {
            let group = value(record, "group");
            let mut users = members_of(platform.rows, group);
            for child in derive_children(platform, group) {
                users.extend(members_of(platform.rows, &child));
            }
            users
        }
        "sys_user_group" => {
            let group = value(record, "sys_id");
            derive_from_parent(platform, group);
            let mut users = members_of(platform.rows, group);
            for child in derive_children(platform, group) {
                users.extend(members_of(platform.rows, &child));
            }
            users
        }
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

/// Gives the groups below one the roles that they inherit, and names them.
fn derive_children(platform: &mut Platform<'_>, group: &str) -> BTreeSet<String> {
    let mut derived = BTreeSet::from([group.to_owned()]);
    let mut open = vec![group.to_owned()];
    while let Some(parent) = open.pop() {
        let children: Vec<String> = platform
            .rows
            .having("sys_user_group", "parent", &parent)
            .map(|child| value(child, "sys_id").to_owned())
            .collect();
        for child in children {
            // Groups can be each other's parents.
            if derived.insert(child.clone()) {
                derive_from_parent(platform, &child);
                open.push(child);
            }
        }
    }
    derived.remove(group);
    derived
}

/// Gives a group the roles of its parent, as rows that tell where they come from.
fn derive_from_parent(platform: &mut Platform<'_>, group: &str) {
    let parent = platform.rows.having("sys_user_group", "sys_id", group).next();
    let Some(parent) = parent.map(|group| value(group, "parent").to_owned()) else {
        return;
    };
    let mut missing: BTreeSet<String> = platform
        .rows
        .having("sys_group_has_role", "group", &parent)
        .filter(|row| !parent.is_empty() && is_true(row, "inherits"))
        .map(|row| value(row, "role").to_owned())
        .collect();
    let rows: Vec<Record> = platform
        .rows
        .having("sys_group_has_role", "group", group)
        .cloned()
        .collect();
    for row in rows.iter().filter(|row| !value(row, "granted_by").is_empty()) {
        let is_still = value(row, "granted_by") == parent && missing.remove(value(row, "role"));
        if !is_still {
            platform.rows.take("sys_group_has_role", value(row, "sys_id"));
        }
    }
    for role in missing {
        let columns = [
            ("group", group),
            ("role", role.as_str()),
            ("granted_by", parent.as_str()),
            ("inherits", "true"),
        ];
        let row = derived_row(platform, columns);
        platform.rows.set("sys_group_has_role", row);
    }
}

/// A row of the platform's own making.
fn derived_row<const N: usize>(platform: &Platform<'_>, columns: [(&str, &str); N]) -> Record {
    let stamp = wire_time(platform.now);
    let stamps = [
        ("sys_id", new_id()),
        ("sys_created_on", stamp.clone()),
        ("sys_created_by", "system".to_owned()),
        ("sys_updated_on", stamp),
        ("sys_updated_by", "system".to_owned()),
        ("sys_mod_count", "0".to_owned()),
    ];
    let stamps = stamps.into_iter().map(|(column, text)| (column.to_owned(), text));
    let columns = columns
        .into_iter()
        .map(|(column, text)| (column.to_owned(), text.to_owned()));
    stamps.chain(columns).collect()
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
    let row = derived_row(
        platform,
        [
            ("user", user),
            ("role", source.role.as_str()),
            ("state", "active"),
            ("inherited", "true"),
            ("granted_by", source.group.as_str()),
            ("included_in_role", source.included_in.as_str()),
            ("included_in_role_instance", ""),
            ("inh_count", count),
        ],
    );
    platform.rows.set("sys_user_has_role", row);
}
