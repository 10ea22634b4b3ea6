//! The installed application: version, roles, and what its scripts may read.

use crate::readiness::finding::Finding;
use crate::readiness::wanted::Wanted;
use crate::records::{diagnostics, installed_application};
use crate::servicenow::tables::{oauth_entity, oauth_entity_profile, sys_db_object, sys_scope, sys_scope_privilege};
use crate::servicenow::{Cell, Query, QueryError, Record, Session, Table, TableError};

pub(super) const NAMES: &[&str] = &[INSTALLED, VERSION, ROLES, ROLE, ACCESS[0].0, ACCESS[1].0];

const INSTALLED: &str = "application_installed";
const VERSION: &str = "application_version";
const ROLES: &str = "application_roles";
const ROLE: &str = "integration_role";
const ACCESS: [(&str, &str); 2] = [
    ("access_oauth_entity", oauth_entity::TABLE.name()),
    ("access_oauth_entity_profile", oauth_entity_profile::TABLE.name()),
];

/// Versions that the guide's pages speak of.
const OLDEST: [u64; 3] = [1, 0, 7];
const LATER_FLOW: [u64; 3] = [2, 0, 0];

pub(super) async fn check(session: &Session, wanted: &Wanted) -> Vec<Finding> {
    let found = installed_application::find(session, &wanted.application).await;
    let (installed, roles, role, entity, profile) = tokio::join!(
        async { [is_installed(wanted, &found), version(wanted, &found)] },
        application_roles(session, wanted),
        integration_role(session, wanted),
        access(session, ACCESS[0], &found),
        access(session, ACCESS[1], &found),
    );
    let mut findings = Vec::from(installed);
    findings.extend([roles, role, entity, profile]);
    findings
}

type Found = Result<Option<Record>, TableError>;

fn is_installed(wanted: &Wanted, found: &Found) -> Finding {
    let scope = &wanted.application;
    match found {
        Err(error) => Finding::unreadable(INSTALLED, error),
        Ok(None) => Finding::fail(
            INSTALLED,
            format!("The application {scope} is not installed."),
            "Install it from the ServiceNow Store (\"Microsoft 365 support integration\").",
        ),
        Ok(Some(record)) if record.bool(sys_scope::ACTIVE) == Cell::Value(false) => Finding::fail(
            INSTALLED,
            format!("The application {scope} is installed, but not active."),
            "Activate it under System Applications > All Available Applications.",
        ),
        Ok(Some(record)) => {
            let name = record.text(sys_scope::NAME).value().unwrap_or(scope);
            Finding::pass(INSTALLED, format!("{name} ({scope}) is installed."))
        }
    }
}

fn version(wanted: &Wanted, found: &Found) -> Finding {
    let record = match found {
        Err(error) => return Finding::unreadable(VERSION, error),
        Ok(None) => {
            return Finding::unknown(
                VERSION,
                "The application is not installed.",
                "See the check application_installed.",
            );
        }
        Ok(Some(record)) => record,
    };
    let Cell::Value(text) = record.text(sys_scope::VERSION) else {
        return Finding::unknown(
            VERSION,
            "The version cannot be read.",
            format!(
                "Let the account read {} ({}).",
                sys_scope::TABLE,
                sys_scope::TABLE.role()
            ),
        );
    };
    if wanted.application != sys_scope::MICROSOFT_APP {
        return Finding::pass(VERSION, format!("Version {text}."));
    }
    match parse(text) {
        Some(version) if version < OLDEST => Finding::warn(
            VERSION,
            format!("Version {text} is older than any that the guide covers (1.0.7)."),
            "Update the application.",
        ),
        Some(version) if version >= LATER_FLOW => Finding::warn(
            VERSION,
            format!("Version {text} uses the later flow, in which a repository has only an ID and an endpoint."),
            "Use the variant v2; the guide's three applications are for versions before 2.0.0.",
        ),
        Some(_) => Finding::pass(VERSION, format!("Version {text} has the flow of the guide.")),
        None => Finding::unknown(
            VERSION,
            format!("The version {text:?} does not have the form 1.0.11."),
            "",
        ),
    }
}

/// `1.0.11`; missing parts are zero.
fn parse(text: &str) -> Option<[u64; 3]> {
    let mut version = [0; 3];
    for (place, part) in version.iter_mut().zip(text.trim().split('.')) {
        *place = part.parse().ok()?;
    }
    Some(version)
}

async fn application_roles(session: &Session, wanted: &Wanted) -> Finding {
    if wanted.application != sys_scope::MICROSOFT_APP {
        return Finding::unknown(ROLES, format!("The roles of {} are not known.", wanted.application), "");
    }
    let names = session.roles();
    let looks = sys_scope::MICROSOFT_APP_ROLES.map(|name| names.find(name));
    let found = futures_util::future::join_all(looks).await;
    let mut missing = Vec::new();
    for (name, found) in sys_scope::MICROSOFT_APP_ROLES.into_iter().zip(found) {
        match found {
            Ok(Some(_)) => {}
            Ok(None) => missing.push(name),
            Err(error) => return Finding::unreadable(ROLES, &error),
        }
    }
    if missing.is_empty() {
        return Finding::pass(
            ROLES,
            format!("The roles {} exist.", sys_scope::MICROSOFT_APP_ROLES.join(", ")),
        );
    }
    Finding::fail(
        ROLES,
        format!(
            "The instance has no role {}, or the account may not read it.",
            missing.join(", ")
        ),
        "The roles come with the application: install it, or repair its installation.",
    )
}

async fn integration_role(session: &Session, wanted: &Wanted) -> Finding {
    let name = &wanted.integration_role;
    match session.roles().find(name).await {
        Ok(Some(_)) => Finding::pass(ROLE, format!("The role {name} exists.")),
        Ok(None) => Finding::fail(
            ROLE,
            format!("The instance has no role {name}, or the account may not read it."),
            "Check its name, or activate the plugin that brings it.",
        ),
        Err(error) => Finding::unreadable(ROLE, &error),
    }
}

/// The table's own setting comes first: a privilege never exceeds it.
async fn access(session: &Session, (name, table): (&'static str, &'static str), application: &Found) -> Finding {
    let row = match one(session, sys_db_object::TABLE, Query::equals(sys_db_object::NAME, table)).await {
        Ok(Some(row)) => row,
        Ok(None) => {
            return Finding::unknown(
                name,
                format!("The account cannot see the table {table} in {}.", sys_db_object::TABLE),
                format!(
                    "Let it read {} ({}).",
                    sys_db_object::TABLE,
                    sys_db_object::TABLE.role()
                ),
            );
        }
        Err(finding) => return finding.named(name),
    };
    let hidden = [
        sys_db_object::ACCESS,
        sys_db_object::READ_ACCESS,
        sys_db_object::CALLER_ACCESS,
    ]
    .into_iter()
    .find(|column| row.text(*column).is_hidden());
    if let Some(column) = hidden {
        return Finding::unknown(
            name,
            format!(
                "The account cannot see the column {column} of {}.",
                sys_db_object::TABLE
            ),
            format!("Let it read that column ({}).", sys_db_object::TABLE.role()),
        );
    }
    let open = format!(
        "Open it with servicenow_table_access (table = {table:?}, access = \"public\", read_access = true), or in the \
         table's Application Access: All application scopes, Can read."
    );
    if row.text(sys_db_object::ACCESS) == Cell::Value("package_private") {
        return Finding::fail(
            name,
            format!("{table} is accessible from its own application only."),
            open,
        );
    }
    if row.bool(sys_db_object::READ_ACCESS) != Cell::Value(true) {
        return Finding::fail(name, format!("Other applications may not read {table}."), open);
    }
    let is_restricted = row.text(sys_db_object::CALLER_ACCESS) == Cell::Value("2");
    let Ok(Some(application)) = application else {
        return if is_restricted {
            Finding::unknown(
                name,
                format!("{table} is open to applications with a privilege, but the application is not installed."),
                "See the check application_installed.",
            )
        } else {
            Finding::pass(name, format!("All applications may read {table}."))
        };
    };
    let privileges = privileges(session, table, application).await;
    let grant = format!(
        "Allow it with servicenow_cross_scope_privilege (target_name = {table:?}), or under Application Cross-Scope Access."
    );
    match privileges {
        Err(error) if is_restricted => Finding::unreadable(name, &error),
        Err(_) => Finding::pass(
            name,
            format!("All applications may read {table}, unless a privilege says otherwise."),
        ),
        Ok(found) if found.iter().any(|status| status == "allowed") => Finding::pass(
            name,
            format!("The application may read {table}: a privilege allows it."),
        ),
        Ok(found) if !found.is_empty() => Finding::fail(
            name,
            format!(
                "The privilege of the application to read {table} is {}.",
                found.join(", ")
            ),
            grant,
        ),
        Ok(_) if is_restricted => Finding::fail(
            name,
            format!("{table} is restricted to applications with a privilege, and the application has none."),
            grant,
        ),
        Ok(_) => Finding::pass(name, format!("All applications may read {table}.")),
    }
}

/// The states of the application's privileges to read a table.
async fn privileges(session: &Session, table: &str, application: &Record) -> Result<Vec<String>, TableError> {
    use sys_scope_privilege::{COLUMNS, OPERATION, SOURCE_SCOPE, STATUS, TABLE, TARGET_NAME};
    let query = Query::equals(SOURCE_SCOPE, application.sys_id())
        .and_then(|query| Ok(query.and(Query::equals(TARGET_NAME, table)?)))
        .and_then(|query| Ok(query.and(Query::equals(OPERATION, "read")?)))
        .map_err(TableError::of_query(TABLE))?;
    let rows = session.select(TABLE, &query, COLUMNS).await?;
    Ok(rows
        .iter()
        .map(|row| row.text(STATUS).value().unwrap_or("not readable").to_owned())
        .collect())
}

/// A finding that still needs the name of its check.
struct Unnamed(String, String);

impl Unnamed {
    fn named(self, name: &'static str) -> Finding {
        Finding::unknown(name, self.0, self.1)
    }
}

async fn one(session: &Session, table: Table, query: Result<Query, QueryError>) -> Result<Option<Record>, Unnamed> {
    let query = query.map_err(|error| Unnamed(diagnostics::explain(&error, ""), error.remedy()))?;
    let found = session.find_unique(table, &query, sys_db_object::COLUMNS).await;
    found.map_err(|error| Unnamed(diagnostics::explain(&error, ""), error.remedy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(parse("1.0.11") > parse("1.0.7"));
        assert!(parse("2.1") >= Some(LATER_FLOW));
        assert_eq!(parse("1.0.x"), None);
        assert_eq!(parse("1.0.11.2"), Some([1, 0, 11]));
    }
}
