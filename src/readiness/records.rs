//! The records of the integration itself, as far as they exist: profiles, OIDC providers, the user.

use std::collections::BTreeMap;

use crate::readiness::finding::Finding;
use crate::readiness::wanted::Wanted;
use crate::records::user_roles;
use crate::servicenow::tables::{
    oauth_entity, oauth_entity_profile, oauth_oidc_entity, oidc_provider_configuration, sys_user,
};
use crate::servicenow::{Cell, Column, Query, QueryError, Record, Session, Table, TableError};

pub(super) const NAMES: &[&str] = &[PROFILE, CLIENT_IDS, CONFIGURATION, USER];

const PROFILE: &str = "default_profile";
const CLIENT_IDS: &str = "oidc_client_ids";
const CONFIGURATION: &str = "oidc_configuration";
const USER: &str = "integration_user";

pub(super) async fn check(session: &Session, wanted: &Wanted) -> Vec<Finding> {
    let (profile, oidc, user) = tokio::join!(
        default_profile(session),
        oidc_providers(session),
        integration_user(session, wanted),
    );
    let mut findings = vec![profile];
    findings.extend(oidc);
    findings.push(user);
    findings
}

/// Exactly one default profile for each provider, with its grant type: else tokens fail.
async fn default_profile(session: &Session) -> Finding {
    let (entities, profiles) = tokio::join!(providers(session), default_profiles(session));
    let (entities, profiles) = match (entities, profiles) {
        (Ok(entities), Ok(profiles)) => (entities, profiles),
        (Err(error), _) | (_, Err(error)) => return Finding::unreadable(PROFILE, &error),
    };
    if entities.is_empty() {
        return Finding::warn(
            PROFILE,
            "No third-party OAuth provider is registered yet.",
            "Register one with servicenow_oauth_entity.",
        );
    }
    let mut wrong = Vec::new();
    for entity in &entities {
        let name = name_of(entity, oauth_entity::NAME);
        let own: Vec<&Record> = profiles
            .iter()
            .filter(|profile| {
                profile.reference(oauth_entity_profile::OAUTH_ENTITY) == Cell::Value(entity.sys_id().as_str())
            })
            .collect();
        match own.as_slice() {
            [] => wrong.push(format!("{name} has no default profile")),
            [profile] => {
                let grants = (
                    entity.text(oauth_entity::DEFAULT_GRANT_TYPE),
                    profile.text(oauth_entity_profile::GRANT_TYPE),
                );
                if let (Cell::Value(wanted), Cell::Value(has)) = grants
                    && wanted != has
                {
                    wrong.push(format!(
                        "the default profile of {name} has the grant type {has}, not {wanted}"
                    ));
                }
            }
            several => wrong.push(format!("{name} has {} default profiles", several.len())),
        }
    }
    if wrong.is_empty() {
        return Finding::pass(
            PROFILE,
            format!(
                "Each of the {} third-party OAuth providers has one default profile.",
                entities.len()
            ),
        );
    }
    Finding::fail(
        PROFILE,
        format!("{}.", wrong.join("; ")),
        "Leave each provider exactly one profile with \"Default\" ticked, of the provider's grant type; \
         servicenow_oauth_entity creates a missing one.",
    )
}

async fn providers(session: &Session) -> Result<Vec<Record>, TableError> {
    use oauth_entity::{ACTIVE, DEFAULT_GRANT_TYPE, NAME, SYS_CLASS_NAME, TABLE, TYPE, TYPE_PROVIDER};
    let query = Query::equals(TYPE, TYPE_PROVIDER)
        .and_then(|query| Ok(query.and(Query::equals(SYS_CLASS_NAME, TABLE.name())?)))
        .and_then(|query| Ok(query.and(Query::equals(ACTIVE, true)?)));
    select(session, TABLE, query, &[NAME, DEFAULT_GRANT_TYPE]).await
}

async fn default_profiles(session: &Session) -> Result<Vec<Record>, TableError> {
    use oauth_entity_profile::{COLUMNS, DEFAULT, TABLE};
    select(session, TABLE, Query::equals(DEFAULT, true), COLUMNS).await
}

/// Two checks of the same records.
async fn oidc_providers(session: &Session) -> [Finding; 2] {
    use oauth_oidc_entity::{ACTIVE, COLUMNS, TABLE};
    let providers = match select(session, TABLE, Query::equals(ACTIVE, true), COLUMNS).await {
        Ok(providers) => providers,
        Err(error) => return [CLIENT_IDS, CONFIGURATION].map(|name| Finding::unreadable(name, &error)),
    };
    if providers.is_empty() {
        return [
            Finding::pass(CLIENT_IDS, "No OIDC provider is registered yet."),
            Finding::warn(
                CONFIGURATION,
                "No OIDC provider is registered yet.",
                "Register one with servicenow_oidc_provider.",
            ),
        ];
    }
    let configurations = session
        .select(
            oidc_provider_configuration::TABLE,
            &Query::every_row(),
            oidc_provider_configuration::COLUMNS,
        )
        .await;
    let second = match configurations {
        Ok(configurations) => configurations_fit(&providers, &configurations),
        Err(error) => Finding::unreadable(CONFIGURATION, &error),
    };
    [client_ids(&providers), second]
}

/// With two providers of one client id the instance may use the wrong one.
fn client_ids(providers: &[Record]) -> Finding {
    // The instance takes them for equal in any case.
    let mut by_client_id: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for provider in providers {
        if let Cell::Value(client_id) = provider.text(oauth_oidc_entity::CLIENT_ID) {
            let name = name_of(provider, oauth_oidc_entity::NAME);
            by_client_id
                .entry(client_id.trim().to_lowercase())
                .or_default()
                .push(name);
        }
    }
    let twice: Vec<String> = by_client_id
        .iter()
        .filter(|(_, names)| names.len() > 1)
        .map(|(client_id, names)| format!("{client_id} is the client id of {}", names.join(" and ")))
        .collect();
    if twice.is_empty() {
        return Finding::pass(CLIENT_IDS, "Each active OIDC provider has a client id of its own.");
    }
    Finding::fail(
        CLIENT_IDS,
        format!(
            "{}: the instance may check a token with the wrong one.",
            twice.join("; ")
        ),
        "Delete all but one, or deactivate the others.",
    )
}

/// The claim must be one that tokens of the metadata document's version carry.
fn configurations_fit(providers: &[Record], configurations: &[Record]) -> Finding {
    use oidc_provider_configuration::{ENABLE_JTI_VERIFICATION, OIDC_URL, USER_CLAIM, USER_FIELD};
    let (mut wrong, mut doubtful) = (Vec::new(), Vec::new());
    for provider in providers {
        let name = name_of(provider, oauth_oidc_entity::NAME);
        let configuration = match provider.reference(oauth_oidc_entity::CONFIGURATION) {
            Cell::Hidden => continue,
            Cell::Empty => {
                wrong.push(format!("{name} has no configuration"));
                continue;
            }
            Cell::Value(id) => configurations
                .iter()
                .find(|one| one.sys_id().as_str().eq_ignore_ascii_case(id)),
        };
        let Some(configuration) = configuration else {
            doubtful.push(format!(
                "the configuration of {name} is gone, or the account may not read it"
            ));
            continue;
        };
        let url = configuration.text(OIDC_URL).value().unwrap_or_default();
        match (configuration.text(USER_CLAIM), url.contains("/v2.0")) {
            (Cell::Empty, _) => wrong.push(format!("{name} has no user claim")),
            (Cell::Value(claim @ "appid"), true) | (Cell::Value(claim @ "azp"), false) => {
                wrong.push(format!("tokens of {url} have no claim {claim}, which {name} requires"));
            }
            (Cell::Hidden | Cell::Value(_), _) => {}
        }
        if configuration.text(USER_FIELD) == Cell::Value("user_id") {
            wrong.push(format!(
                "{name} compares with the column user_id, which does not exist: use user_name"
            ));
        }
        if configuration.bool(ENABLE_JTI_VERIFICATION) == Cell::Value(true) {
            doubtful.push(format!("{name} accepts each token only once"));
        }
    }
    let remedy = "Correct the configuration with servicenow_oidc_provider, or in the form of the OIDC provider.";
    match (wrong.is_empty(), doubtful.is_empty()) {
        (true, true) => Finding::pass(
            CONFIGURATION,
            "The configurations of the OIDC providers match their tokens.",
        ),
        (true, false) => Finding::warn(CONFIGURATION, format!("{}.", doubtful.join("; ")), remedy),
        (false, _) => {
            wrong.append(&mut doubtful);
            Finding::fail(CONFIGURATION, format!("{}.", wrong.join("; ")), remedy)
        }
    }
}

async fn integration_user(session: &Session, wanted: &Wanted) -> Finding {
    match &wanted.integration_user {
        Some(user_name) => given_user(session, user_name, &wanted.integration_role).await,
        None => candidates(session, &wanted.integration_role).await,
    }
}

async fn given_user(session: &Session, user_name: &str, role: &str) -> Finding {
    use sys_user::{ACTIVE, COLUMNS, LOCKED_OUT, PASSWORD_NEEDS_RESET, TABLE, USER_NAME};
    let user = match select(session, TABLE, Query::equals(USER_NAME, user_name), COLUMNS).await {
        Ok(users) => users.into_iter().next(),
        Err(error) => return Finding::unreadable(USER, &error),
    };
    let Some(user) = user else {
        return Finding::fail(
            USER,
            format!(
                "The instance has no user {user_name}, or the account may not read it, for example because it is inactive."
            ),
            "Create it with servicenow_integration_user, or make it active again.",
        );
    };
    let remedy = "Correct it with servicenow_integration_user, or in the form of the user.";
    if user.bool(ACTIVE) == Cell::Value(false) {
        return Finding::fail(USER, format!("The user {user_name} is not active."), remedy);
    }
    if user.bool(LOCKED_OUT) == Cell::Value(true) {
        return Finding::fail(USER, format!("The user {user_name} is locked out."), remedy);
    }
    let roles = match user_roles::active(session, user.sys_id()).await {
        Ok(roles) => roles,
        Err(error) => return Finding::unreadable(USER, &error),
    };
    if !roles.contains(role) {
        return Finding::fail(
            USER,
            format!("The user {user_name} does not have the role {role}."),
            remedy,
        );
    }
    if user.bool(PASSWORD_NEEDS_RESET) == Cell::Value(true) {
        return Finding::warn(
            USER,
            format!(
                "The user {user_name} must change the password: the instance's own tokens are rejected until then."
            ),
            "Clear \"Password needs reset\" in the form of the user.",
        );
    }
    Finding::pass(USER, format!("The user {user_name} is active and has the role {role}."))
}

/// Users with the role who are kept from the user interface: one of them should be the integration user.
async fn candidates(session: &Session, role: &str) -> Finding {
    use crate::servicenow::tables::sys_user_has_role::{
        ACTIVE_OF_USER, LOCKED_OUT_OF_USER, ROLE, STATE, STATE_ACTIVE, TABLE, USER_NAME_OF_USER,
        WEB_SERVICE_ACCESS_ONLY_OF_USER,
    };
    let role_id = match session.roles().find(role).await {
        Ok(Some(role_id)) => role_id,
        Ok(None) => {
            return Finding::unknown(
                USER,
                format!("The role {role} does not exist."),
                "See the check integration_role.",
            );
        }
        Err(error) => return Finding::unreadable(USER, &error),
    };
    let query = Query::equals(ROLE, &role_id)
        .and_then(|query| Ok(query.and(Query::equals(STATE, STATE_ACTIVE)?)))
        .and_then(|query| Ok(query.and(Query::equals(WEB_SERVICE_ACCESS_ONLY_OF_USER, true)?)));
    let columns = [
        USER_NAME_OF_USER,
        ACTIVE_OF_USER,
        LOCKED_OUT_OF_USER,
        WEB_SERVICE_ACCESS_ONLY_OF_USER,
    ];
    let rows = match select(session, TABLE, query, &columns).await {
        Ok(rows) => rows,
        Err(error) => return Finding::unreadable(USER, &error),
    };
    // An instance that does not understand the second half of the query answers with everyone.
    let machines = rows
        .iter()
        .filter(|row| row.bool(WEB_SERVICE_ACCESS_ONLY_OF_USER) == Cell::Value(true));
    let (mut working, mut idle) = (Vec::new(), Vec::new());
    for row in machines {
        let is_working =
            row.bool(ACTIVE_OF_USER) != Cell::Value(false) && row.bool(LOCKED_OUT_OF_USER) != Cell::Value(true);
        let names = if is_working { &mut working } else { &mut idle };
        let name = name_of(row, USER_NAME_OF_USER);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if !working.is_empty() {
        return Finding::pass(
            USER,
            format!(
                "Active, with the role {role} and no access to the user interface: {}.",
                working.join(", ")
            ),
        );
    }
    if !idle.is_empty() {
        return Finding::fail(
            USER,
            format!(
                "{} has the role {role}, but is not active or is locked out.",
                idle.join(", ")
            ),
            "Activate the user with servicenow_integration_user, or in its form.",
        );
    }
    Finding::warn(
        USER,
        format!("No user has the role {role} and no access to the user interface."),
        "Create one with servicenow_integration_user, and set `integration_user` to have it checked.",
    )
}

async fn select(
    session: &Session,
    table: Table,
    query: Result<Query, QueryError>,
    columns: &[Column],
) -> Result<Vec<Record>, TableError> {
    let query = query.map_err(TableError::of_query(table))?;
    session.select(table, &query, columns).await
}

fn name_of(record: &Record, column: Column) -> String {
    let name = record.text(column).value();
    name.unwrap_or_else(|| record.sys_id().as_str()).to_owned()
}
