//! `servicenow_user_role`: one role of a user who exists already (`sys_user_has_role`).
//!
//! What counts is that the user has the role: under Role Management V2 there is one row per user and role, older
//! instances may hold several, and rows with `inherited=true` are the platform's own. These are forgotten, not deleted.

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::records::{
    diagnostics,
    field::{self, Field, Reading},
    import,
    list::{self, Found},
    required_roles, resource,
    state_migration::Foreign,
};
use crate::{
    clients::{Calls, Clients},
    plugin::{
        Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Moved,
        Need, Object, Outcome, Resource, Schema, schema::validate,
    },
    servicenow::{
        Cell, Column, Granted, InputMode, Query, Record, Row, Session, SysId, Table, TableError, Update,
        tables::{
            sys_user,
            sys_user_has_role::{
                COLUMNS, INHERITED, NAME_OF_ROLE, ROLE, STATE, STATE_ACTIVE, TABLE, USER, USER_NAME_OF_USER,
            },
            sys_user_role,
        },
    },
};

/// The resource.
pub(super) struct UserRole;

/// The columns to import by.
const FIELDS: &[Field] = &[
    Field::always(USERS.attribute, USER),
    Field::always(ROLES.attribute, ROLE),
];

/// One end of a grant: a record that is given by its name or its key.
#[derive(Clone, Copy)]
struct End {
    attribute: &'static str,
    id_attribute: &'static str,
    /// What a person calls it.
    noun: &'static str,
    column: Column,
    table: Table,
    name: Column,
}

const USERS: End = End {
    attribute: "user",
    id_attribute: "user_id",
    noun: "user",
    column: USER,
    table: sys_user::TABLE,
    name: sys_user::USER_NAME,
};

const ROLES: End = End {
    attribute: "role",
    id_attribute: "role_id",
    noun: "role",
    column: ROLE,
    table: sys_user_role::TABLE,
    name: sys_user_role::NAME,
};

/// Both ends are given by their keys there.
const FOREIGN: Foreign = Foreign {
    type_name: "servicenow_user_role",
    attributes: &[
        (USERS.attribute, USERS.attribute),
        (ROLES.attribute, ROLES.attribute),
        (USERS.attribute, USERS.id_attribute),
        (ROLES.attribute, ROLES.id_attribute),
    ],
};

fn schema() -> Schema {
    let end = |name, description: &str| {
        Attribute::text(name)
            .required()
            .check(validate::not_blank())
            .check(field::key_text())
            .replaces()
            .describe(description)
    };
    Schema::new(
        "One role of a user who exists already, such as a person who may open cases with Microsoft. Table \
         `sys_user_has_role`. A role that the user has already is taken over; destroy takes it away, unless the user \
         inherits it from a group or another role: then it is only forgotten, since the platform keeps such rows. For the \
         roles of a user that Terraform makes, use `roles` of `servicenow_integration_user`.",
        vec![
            Attribute::text("id")
                .computed()
                .stable()
                .describe("The record's `sys_id`."),
            end(USERS.attribute, "User name (User ID) or `sys_id` of the user."),
            end(
                ROLES.attribute,
                "Name or `sys_id` of the role. Roles of an application, such as `x_mioms_m365_assis.administrator`, exist \
                 once the application is installed.",
            ),
            Attribute::text(USERS.id_attribute)
                .computed()
                .stable()
                .describe("`sys_id` of the user. Column `user`."),
            Attribute::text(ROLES.id_attribute)
                .computed()
                .stable()
                .describe("`sys_id` of the role. Column `role`."),
            resource::timeouts(),
        ],
    )
}

impl BlockType for UserRole {
    fn type_name(&self) -> &'static str {
        "servicenow_user_role"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_tables(&[TABLE, sys_user::TABLE, sys_user_role::TABLE])
    }
}

#[async_trait]
impl Resource<Clients> for UserRole {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(resource::sys_id_identity())
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, _: &Object) -> Result<Outcome, Diagnostics> {
        Ok(create(cx, planned).await?)
    }

    async fn read(&self, cx: &Context<Clients>, mut state: Object) -> Result<Option<Object>, Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = resource::sys_id(&state) else {
            return Ok(None);
        };
        let found = session.find(TABLE, &sys_id, COLUMNS).await;
        let Some(record) = found.map_err(|error| diagnostics::of_table(&error, "read the role grant"))? else {
            return Ok(None);
        };
        // A row that does not work is no grant: the next apply sets it right.
        if matches!(record.text(STATE), Cell::Value(grant) if grant != STATE_ACTIVE) {
            return Ok(None);
        }
        for end in [USERS, ROLES] {
            read_end(&session, end, &record, &mut state, cx.reading).await?;
        }
        Ok(Some(state))
    }

    /// Whatever changes replaces, but for the time limits.
    async fn update(
        &self,
        _: &Context<Clients>,
        _: &Object,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(resource::outcome(planned, Diagnostics::new()))
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let id_of = |end: End| state.text(end.id_attribute).and_then(|id| SysId::parse(id).ok());
        let (Some(user), Some(role)) = (id_of(USERS), id_of(ROLES)) else {
            return Ok(());
        };
        let problem = |error: TableError| diagnostics::of_table(&error, "revoke the role");
        let mut revoked = session.grants().revoke(&user, &role).await.map_err(problem)?;
        if revoked.removed == 0 && !revoked.still_inherited {
            session.wait_for_second_look().await;
            revoked = session.grants().revoke(&user, &role).await.map_err(problem)?;
        }
        if revoked.still_inherited {
            tracing::info!(%user, %role, "the user keeps the role by inheritance");
        }
        Ok(())
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let id = match target {
            Import::Id(id) => Some(with_keys(&session, id).await?),
            Import::Identity(_) => None,
        };
        let target = id.as_deref().map_or(target, Import::Id);
        let sys_id = import::record(&session, TABLE, FIELDS, target, Some(direct()?)).await?;
        Ok(Object::new().with("id", sys_id.as_str()))
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        FOREIGN.upgrade(version, &state)
    }

    fn take_over(&self, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
        FOREIGN.take_over(from)
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(list::schema(
            "Lists the roles that were granted to users directly.",
            TABLE,
        ))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let columns = [COLUMNS, &[USER_NAME_OF_USER, NAME_OF_ROLE]].concat();
        let describe = |record: &Record| {
            let name = |column, key| {
                let name = record.text(column).value().or(record.text(key).value());
                name.unwrap_or("?").to_owned()
            };
            Found::text(format!(
                "{}: {}",
                name(USER_NAME_OF_USER, USER),
                name(NAME_OF_ROLE, ROLE)
            ))
        };
        list::records(
            cx,
            &session,
            TABLE,
            &columns,
            Some(direct()?),
            request,
            sink,
            describe,
            self,
        )
        .await
    }
}

async fn create(cx: &Context<Clients>, planned: Object) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let user = find(&session, USERS, planned.text(USERS.attribute).unwrap_or_default()).await?;
    let role = find(&session, ROLES, planned.text(ROLES.attribute).unwrap_or_default()).await?;
    let granted = session.grants().grant(&user, &role).await;
    let granted = granted.map_err(|error| diagnostics::of_table(&error, "grant the role"))?;
    let state = planned
        .with("id", granted.sys_id().as_str())
        .with(USERS.id_attribute, user.as_str())
        .with(ROLES.id_attribute, role.as_str());
    cx.keep(&state);
    let mut problems = Diagnostics::new();
    if let Granted::Had(sys_id) = &granted {
        tracing::info!(%user, %role, "the user had the role already");
        if let Err(error) = activate(&session, sys_id).await {
            problems.push(diagnostics::of_table(&error, "activate the role grant"));
        }
    }
    Ok(resource::outcome(state, problems))
}

/// A row that was there may be one that does not work.
async fn activate(session: &Session, sys_id: &SysId) -> Result<(), TableError> {
    let record = session.fetch(TABLE, sys_id, COLUMNS).await?;
    match record.text(STATE) {
        Cell::Value(grant) if grant != STATE_ACTIVE => {}
        Cell::Value(_) | Cell::Empty | Cell::Hidden => return Ok(()),
    }
    let update = Update {
        table: TABLE,
        sys_id,
        row: Row::new().set(STATE, STATE_ACTIVE),
        read: COLUMNS,
        input: InputMode::Stored,
    };
    session.update(update).await.map(drop)
}

/// Rows that the platform did not derive.
fn direct() -> Result<Query, Diagnostic> {
    Query::equals(INHERITED, false).map_err(|error| diagnostics::of_query(&error, "look up the role grant"))
}

/// The key of a user or role that is given by its key or its name.
async fn find(session: &Session, end: End, given: &str) -> Result<SysId, Diagnostic> {
    let doing = format!("find the {}", end.noun);
    let problem = |error: TableError| diagnostics::of_table(&error, &doing).at_attribute(end.attribute);
    if let Ok(sys_id) = SysId::parse(given) {
        let is_there = session.has_just_made(&sys_id)
            || session
                .find(end.table, &sys_id, &[end.name])
                .await
                .map_err(problem)?
                .is_some();
        if is_there {
            return Ok(sys_id);
        }
    }
    session.names(end.table, end.name).id_of(given).await.map_err(problem)
}

/// Takes over one end. What is configured stays while it means the same record.
async fn read_end(
    session: &Session,
    end: End,
    record: &Record,
    state: &mut Object,
    reading: Reading,
) -> Result<(), Diagnostic> {
    let Cell::Value(id) = record.reference(end.column) else {
        return Ok(());
    };
    if reading == Reading::Refresh && state.text(end.id_attribute) == Some(id) {
        return Ok(());
    }
    let name = match SysId::parse(id) {
        Ok(sys_id) => {
            let name = session.names(end.table, end.name).name_of(&sys_id).await;
            name.map_err(|error| diagnostics::of_table(&error, &format!("read the name of the {}", end.noun)))?
        }
        Err(_) => None,
    };
    state.set(end.id_attribute, id);
    state.set(end.attribute, name.as_deref().unwrap_or(id));
    Ok(())
}

/// An import id with keys where it has names: `user=abel.tuter^role=itil`.
async fn with_keys(session: &Session, id: &str) -> Result<String, Diagnostic> {
    let mut parts = Vec::new();
    for part in id.split('^') {
        let end = part.split_once('=').and_then(|(column, value)| {
            let end = [USERS, ROLES].into_iter().find(|end| end.attribute == column.trim())?;
            Some((end, value.trim()))
        });
        parts.push(match end {
            Some((end, value)) => format!("{}={}", end.attribute, find(session, end, value).await?),
            None => part.to_owned(),
        });
    }
    Ok(parts.join("^"))
}
