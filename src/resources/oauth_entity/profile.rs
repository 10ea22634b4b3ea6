//! The default OAuth profile of a provider (`oauth_entity_profile`).
//!
//! The form makes it in the same second as the provider; after an insert over REST that is likely, sometimes late, and
//! sometimes it does not happen. So: look, wait a little, and create it only then.

use std::time::Duration;

use crate::clients::Clients;
use crate::plugin::{Context, Diagnostic, Object, Reading, Value};
use crate::records::{application_scope, diagnostics, field};
use crate::resources::oauth_entity::TYPE_PROVIDER;
use crate::servicenow::tables::oauth_entity_profile::{
    COLUMNS, DEFAULT, GRANT_TYPE, NAME, OAUTH_ENTITY, SYS_SCOPE, TABLE,
};
use crate::servicenow::tables::{every, oauth_entity, sys_scope};
use crate::servicenow::{InputMode, Insert, Query, Record, Row, Session, SysId, TableError, Update, Value as Wire};

/// Pauses between looks for a profile that the instance makes by itself.
const LOOKS: [Duration; 3] = [
    Duration::from_millis(150),
    Duration::from_millis(350),
    Duration::from_millis(700),
];

const PROFILE_ID: &str = "default_profile_id";

/// In the private state: the profile was left unfinished, and the next update goes on with it.
const UNFINISHED: &str = "profile_unfinished";

/// Finds or makes the default profile, or remembers that this is still to be done.
pub(super) async fn ensure(
    cx: &Context<Clients>,
    session: &Session,
    entity: &SysId,
    state: &mut Object,
) -> Result<(), TableError> {
    let ended = find_or_make(session, entity, state).await;
    cx.set_private(UNFINISHED, ended.is_err().into());
    ended
}

/// Finds or makes the default profile of a provider, with the grant type of its entry: else tokens fail.
async fn find_or_make(session: &Session, entity: &SysId, state: &mut Object) -> Result<(), TableError> {
    if state.text("type") != Some(TYPE_PROVIDER) || is_left_alone(Some(state)) {
        set(state, None);
        return Ok(());
    }
    let known = match state.text(PROFILE_ID).and_then(|id| SysId::parse(id).ok()) {
        Some(sys_id) => session.get_opt(TABLE, &sys_id, COLUMNS).await?,
        None => None,
    };
    let found = match known {
        Some(profile) => Some(profile),
        // The plan knew one that is gone since: Terraform holds us to it, so the next plan makes another.
        None if state.text(PROFILE_ID).is_some() => {
            let sys_id = state.text(PROFILE_ID).and_then(|id| SysId::parse(id).ok());
            set(state, None);
            return match sys_id {
                Some(sys_id) => Err(TableError::NotFound { table: TABLE, sys_id }),
                None => Ok(()),
            };
        }
        None => wait_for(session, entity).await?,
    };
    // One that the state knew already has what an update gave it first, or what it was imported with.
    let is_new = state.text(PROFILE_ID).is_none();
    let profile = match found {
        Some(profile) => profile,
        None => create(session, entity, state).await?,
    };
    if is_new {
        align(session, &profile, state).await?;
    }
    set(state, Some(&profile));
    Ok(())
}

/// Gives the profile the grant type of an entry that is about to change: an update that is interrupted between the two
/// is planned again only as long as the entry is as before.
pub(super) async fn change_first(session: &Session, prior: &Object, planned: &Object) -> Result<(), TableError> {
    let known = prior.text(PROFILE_ID).and_then(|id| SysId::parse(id).ok());
    let changes = planned.text("default_grant_type") != prior.text("default_grant_type");
    if let (Some(sys_id), true) = (known, changes)
        && let Some(profile) = session.get_opt(TABLE, &sys_id, COLUMNS).await?
    {
        align(session, &profile, planned).await?;
    }
    Ok(())
}

async fn align(session: &Session, profile: &Record, state: &Object) -> Result<(), TableError> {
    let grant_type = state.text("default_grant_type");
    if let (Some(grant_type), Some(kept)) = (grant_type, profile.text(GRANT_TYPE).value())
        && grant_type != kept
    {
        let row = Row::new().set(GRANT_TYPE, grant_type);
        let update = Update {
            table: TABLE,
            sys_id: profile.sys_id(),
            row,
            read: COLUMNS,
            input: InputMode::Stored,
        };
        session.update(update).await?;
    }
    Ok(())
}

/// Takes over what is there.
pub(crate) async fn read_into(
    cx: &Context<Clients>,
    session: &Session,
    entity: &SysId,
    state: &mut Object,
) -> Result<(), Diagnostic> {
    let problem = |error: TableError| diagnostics::of_table(&error, "read the default profile of the registry entry");
    if state.text("type") != Some(TYPE_PROVIDER) {
        set(state, None);
        return Ok(());
    }
    let profile = match state.text(PROFILE_ID).and_then(|id| SysId::parse(id).ok()) {
        Some(sys_id) => match session.get_opt(TABLE, &sys_id, COLUMNS).await.map_err(problem)? {
            Some(profile) => Some(profile),
            None => default_of(session, entity).await.map_err(problem)?,
        },
        None => default_of(session, entity).await.map_err(problem)?,
    };
    // One that is not as it should be yet counts as none: so the next plan makes up for it.
    let is_unfinished = cx.private(UNFINISHED).is_some_and(|it| it == true);
    set(state, profile.as_ref().filter(|_| !is_unfinished));
    // An entry of this account may be one whose create was interrupted before its profile was made.
    if cx.reading == Reading::Import && profile.is_none() && !is_own(session, entity).await.map_err(problem)? {
        field::leave_alone(state, PROFILE_ID, true);
    }
    Ok(())
}

/// Whether this account made the entry.
async fn is_own(session: &Session, entity: &SysId) -> Result<bool, TableError> {
    let entry = session
        .get(oauth_entity::TABLE, entity, &[every::SYS_CREATED_BY])
        .await?;
    let by = entry.text(every::SYS_CREATED_BY).value();
    Ok(by.is_some_and(|by| session.is_account(by)))
}

/// The default profile that the state knows.
pub(super) fn of(state: &Object) -> Option<SysId> {
    state.text(PROFILE_ID).and_then(|id| SysId::parse(id).ok())
}

/// Whether an import found no default profile: then none is made.
pub(super) fn is_left_alone(state: Option<&Object>) -> bool {
    state.is_some_and(|state| state.text(PROFILE_ID).is_none()) && field::is_left_alone(state, PROFILE_ID)
}

/// Removes the default profiles of an entry, before the entry itself: whether that takes them along is not known.
pub(in crate::resources) async fn remove(session: &Session, entity: &SysId) -> Result<(), TableError> {
    for profile in all_of(session, entity).await? {
        if profile.bool(DEFAULT).value() == Some(true) {
            session.delete(TABLE, profile.sys_id()).await?;
        }
    }
    Ok(())
}

fn set(state: &mut Object, profile: Option<&Record>) {
    state.set(PROFILE_ID, profile.map(|profile| profile.sys_id().as_str().to_owned()));
    let name = profile.and_then(|profile| profile.text(NAME).value().map(str::to_owned));
    // A name that cannot be seen stays what it was.
    if name.is_some() || profile.is_none() {
        state.set("default_profile_name", name);
    } else if state.at("default_profile_name").is_unknown() {
        state.set("default_profile_name", Value::Null);
    }
}

async fn wait_for(session: &Session, entity: &SysId) -> Result<Option<Record>, TableError> {
    for pause in LOOKS {
        if let Some(profile) = default_of(session, entity).await? {
            return Ok(Some(profile));
        }
        session.wait(pause).await;
    }
    default_of(session, entity).await
}

async fn create(session: &Session, entity: &SysId, state: &Object) -> Result<Record, TableError> {
    session.shows_its_files(TABLE).await?;
    let name = format!("{} default_profile", state.text("name").unwrap_or_default());
    let mut row = Row::new().set(NAME, name).set(OAUTH_ENTITY, entity).set(DEFAULT, true);
    row = row.set_if_some(GRANT_TYPE, state.text("default_grant_type"));
    // Into the application of its entry: without one it would go to the account's current application.
    if state
        .text(application_scope::ATTRIBUTE)
        .is_some_and(sys_scope::is_global)
    {
        row = row.set(SYS_SCOPE, Wire::Text(sys_scope::GLOBAL.to_owned()));
    } else if let Some(scope) = state.text(application_scope::ID).and_then(|id| SysId::parse(id).ok()) {
        row = row.set(SYS_SCOPE, &scope);
    }
    let natural_key = Some(of_entity(entity)?);
    let written = session
        .insert(Insert {
            table: TABLE,
            row,
            read: COLUMNS,
            natural_key,
            input: InputMode::Stored,
        })
        .await?;
    // The instance may have made its own in the meantime: one default profile is enough, and its own stays.
    let made = written.record.sys_id();
    let is_theirs = |profile: &Record| profile.sys_id() != made && profile.bool(DEFAULT).value() == Some(true);
    match all_of(session, entity).await?.into_iter().find(is_theirs) {
        Some(theirs) => {
            session.delete(TABLE, made).await?;
            Ok(theirs)
        }
        None => Ok(written.record),
    }
}

async fn default_of(session: &Session, entity: &SysId) -> Result<Option<Record>, TableError> {
    let profiles = all_of(session, entity).await?;
    Ok(profiles
        .into_iter()
        .find(|profile| profile.bool(DEFAULT).value() == Some(true)))
}

async fn all_of(session: &Session, entity: &SysId) -> Result<Vec<Record>, TableError> {
    session.select(TABLE, &of_entity(entity)?, COLUMNS).await
}

fn of_entity(entity: &SysId) -> Result<Query, TableError> {
    Query::equals(OAUTH_ENTITY, entity.as_str()).map_err(TableError::of_query(oauth_entity::TABLE))
}
