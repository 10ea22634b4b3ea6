//! Records that runs made, found by what their names have in common and by their maker, and their removal.

use std::collections::BTreeMap;

use servicenow_provider::servicenow::tables::{
    every, ip_access, oauth_entity, oauth_entity_profile, oauth_oidc_entity, oidc_provider_configuration, sys_choice,
    sys_db_object, sys_dictionary, sys_group_has_role, sys_properties, sys_scope_privilege, sys_user,
    sys_user_grmember, sys_user_group, sys_user_has_role, sys_user_role, sys_user_role_contains,
};
use servicenow_provider::servicenow::{
    Column, ColumnKind, InputMode, Insert, Query, Record, Row, Session, SysId, Table, TableError,
};

use crate::context::{EVERY_RUN, RunContext};

/// Where records of a run can be, and the column that begins with the name of the run. What links others comes first.
fn places() -> impl Iterator<Item = (Table, Column)> {
    let named = NAMED
        .iter()
        .filter_map(|table| Some((Table::named(table)?, Column::named("name", ColumnKind::Text)?)));
    named.chain(PLACES)
}

/// Tables that the provider has no name for; their records have a `name`.
const NAMED: [&str; 3] = ["http_connection", "oauth_2_0_credentials", "sys_alias"];

const PLACES: [(Table, Column); 19] = [
    (sys_user_has_role::TABLE, sys_user_has_role::USER_NAME_OF_USER),
    (sys_user_has_role::TABLE, sys_user_has_role::NAME_OF_ROLE),
    (sys_user_grmember::TABLE, sys_user_grmember::USER_NAME_OF_USER),
    (sys_user_grmember::TABLE, sys_group_has_role::NAME_OF_GROUP),
    (sys_group_has_role::TABLE, sys_group_has_role::NAME_OF_GROUP),
    (sys_user_role_contains::TABLE, sys_user_role_contains::NAME_OF_ROLE),
    (oauth_entity_profile::TABLE, oauth_entity_profile::NAME),
    (oauth_oidc_entity::TABLE, oauth_oidc_entity::NAME),
    (oauth_entity::TABLE, oauth_entity::NAME),
    (oidc_provider_configuration::TABLE, oidc_provider_configuration::NAME),
    (sys_user::TABLE, sys_user::USER_NAME),
    (sys_user_group::TABLE, sys_user_group::NAME),
    (sys_user_role::TABLE, sys_user_role::NAME),
    (sys_properties::TABLE, sys_properties::NAME),
    (sys_scope_privilege::TABLE, sys_scope_privilege::TARGET_NAME),
    (ip_access::TABLE, ip_access::DESCRIPTION),
    // A table takes its columns along.
    (sys_db_object::TABLE, sys_db_object::LABEL),
    (sys_choice::TABLE, sys_choice::LABEL),
    (sys_dictionary::TABLE, sys_dictionary::COLUMN_LABEL),
];

/// A record that a run made.
pub(crate) struct Found {
    pub(crate) table: Table,
    pub(crate) sys_id: SysId,
    /// What the column has.
    pub(crate) name: String,
    pub(crate) made_by: Option<String>,
}

/// What is there of a run, or of any run.
pub(crate) struct Leftovers {
    /// Made by the account.
    pub(crate) own: Vec<Found>,
    /// Made by somebody else, or it is not shown by whom.
    pub(crate) of_others: Vec<Found>,
    /// Tables that may have such rows without showing them, and why.
    pub(crate) hidden: Vec<(Table, &'static str)>,
    /// Tables that the account may not read: it has made nothing in them.
    pub(crate) refused: Vec<Table>,
}

impl Leftovers {
    /// What may be there and cannot be seen.
    pub(crate) fn unseen(&self) -> Vec<String> {
        let hidden = self.hidden.iter();
        hidden.map(|(table, why)| format!("{table}: {why}")).collect()
    }
}

impl Found {
    /// Whether the platform made it by itself, for another record.
    pub(crate) fn is_platforms(&self) -> bool {
        self.made_by.as_deref() == Some("system")
    }
}

/// Looks in every place. Tables that the instance lacks, or that the account may not read, have nothing to remove.
pub(crate) async fn find(session: &Session, prefix: &str, account: &str) -> Result<Leftovers, TableError> {
    let mut leftovers = Leftovers {
        own: Vec::new(),
        of_others: Vec::new(),
        hidden: Vec::new(),
        refused: Vec::new(),
    };
    for (table, column) in places() {
        // Rules of an instance put something in front of a name, or write it in capitals.
        let part = |text: &str| Query::contains(column, text).map_err(|source| TableError::Query { table, source });
        let query = part(prefix)?.or(part(&prefix.to_uppercase())?);
        let columns = [column, every::SYS_CREATED_BY, sys_user_has_role::INHERITED];
        let rows = match session.select(table, &query, &columns).await {
            Ok(rows) => rows,
            Err(TableError::NoSuchTable { .. }) => continue,
            Err(TableError::Refused { .. }) => {
                leftovers.refused.push(table);
                continue;
            }
            Err(error @ (TableError::Hidden { .. } | TableError::Unproven { .. })) => {
                let why = match error {
                    TableError::Hidden { .. } => "records that are hidden from the account",
                    _ => "the instance does not count its records, so some may be hidden",
                };
                if leftovers.hidden.iter().all(|(known, _)| *known != table) {
                    leftovers.hidden.push((table, why));
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        for row in rows {
            let Some(found) = found(table, column, &row, prefix) else {
                continue;
            };
            let is_known = |list: &[Found]| list.iter().any(|it| it.sys_id == found.sys_id);
            if is_known(&leftovers.own) || is_known(&leftovers.of_others) {
                continue;
            }
            let is_own = found
                .made_by
                .as_deref()
                .is_some_and(|by| by.eq_ignore_ascii_case(account));
            if is_own {
                &mut leftovers.own
            } else {
                &mut leftovers.of_others
            }
            .push(found);
        }
    }
    Ok(leftovers)
}

/// A row, unless the instance answered with rows that were not asked for, or derived it from another by itself.
fn found(table: Table, column: Column, row: &Record, prefix: &str) -> Option<Found> {
    let name = row.text(column).value()?;
    let is_derived = row.text(sys_user_has_role::INHERITED).value() == Some("true");
    let is_of_run = match place(name, prefix) {
        // A table or a column goes with what is in it: nothing may stand in front of its label.
        Some(at) => at == 0 || ![sys_db_object::TABLE, sys_dictionary::TABLE].contains(&table),
        None => false,
    };
    (is_of_run && !is_derived).then(|| Found {
        table,
        sys_id: row.sys_id().clone(),
        name: name.to_owned(),
        made_by: row.text(every::SYS_CREATED_BY).value().map(str::to_owned),
    })
}

/// Where a name has the beginning of the names of a run: this one's, or any run's with its number. A rule of an instance may have
/// put something in front of it, or written it in capitals.
pub(crate) fn place(name: &str, prefix: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let is_number = |rest: &str| {
        let number = rest.get(..NUMBER).unwrap_or_default();
        let after = rest.get(NUMBER..).unwrap_or_default().chars().next();
        number.len() == NUMBER
            && number.bytes().all(|byte| byte.is_ascii_hexdigit())
            && after.is_none_or(|c| !c.is_ascii_alphanumeric())
    };
    let mut places = name.match_indices(prefix).map(|(at, _)| at);
    places.find(|at| prefix != EVERY_RUN || is_number(&name[at + prefix.len()..]))
}

/// Digits of the number of a run.
const NUMBER: usize = 6;

/// Removes records, in the order in which they were found. Gives why some were refused, by their keys.
pub(crate) async fn remove<'a>(
    session: &Session,
    found: impl IntoIterator<Item = &'a Found>,
) -> BTreeMap<SysId, String> {
    let mut refused = BTreeMap::new();
    for it in found {
        if let Err(error) = session.delete(it.table, &it.sys_id).await {
            refused.insert(it.sys_id.clone(), error.to_string());
        }
    }
    refused
}

/// What is still found after a removal, with the reason.
pub(crate) fn still_there<'a>(
    found: impl IntoIterator<Item = &'a Found>,
    refused: &BTreeMap<SysId, String>,
) -> Vec<String> {
    let lines = found.into_iter().map(|it| {
        let why = refused.get(&it.sys_id);
        let why = why.map_or("the instance said that it was removed", String::as_str);
        format!("{} {}: {why}", it.table, it.name)
    });
    lines.collect()
}

/// As whom the instance writes down what this account makes. Where neither the configuration nor an answer tells, a group is
/// made and removed again to see.
pub(crate) async fn maker(context: &RunContext) -> Result<String, TableError> {
    if let Some(account) = context.session.account() {
        return Ok(account);
    }
    // An interruption meets neither of the two.
    let session = context.lasting_session();
    let insert = Insert {
        table: sys_user_group::TABLE,
        row: Row::new().set(sys_user_group::NAME, context.name("maker")),
        read: &[every::SYS_CREATED_BY],
        natural_key: None,
        input: InputMode::Stored,
    };
    let made = Box::pin(session.insert(insert)).await?.record;
    session.delete(sys_user_group::TABLE, made.sys_id()).await?;
    Ok(made.text(every::SYS_CREATED_BY).value().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_the_number_of_a_run_are_taken_for_those_of_runs() {
        for (name, is_of_run) in [
            ("tfacc_0a1b2c", true),
            ("tfacc_0a1b2c_group", true),
            ("tfacc_0a1b2c.story", true),
            ("tfacc_0a1b2c table", true),
            ("TFACC_0A1B2C_ROLE", true),
            ("x_acme.tfacc_0a1b2c_role", true),
            ("tfacc_group", false),
            ("tfacc_0a1b2", false),
            ("tfacc_0a1b2c3", false),
            ("Results of tfacc_ runs", false),
            ("tfacc_terraform", false),
        ] {
            assert_eq!(place(name, EVERY_RUN).is_some(), is_of_run, "{name}");
        }
        assert_eq!(place("x_tfacc_0a1b2c_role", "tfacc_0a1b2c"), Some(2));
        assert_eq!(place("tfacc_ffffff_role", "tfacc_0a1b2c"), None);
    }
}
