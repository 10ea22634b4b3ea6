//! `servicenow_integration_user`: the user that calls from outside run as (`sys_user`), its roles and groups.

mod belongings; // Roles and groups: what is listed is given and kept, what is taken off the list is taken away.

use async_trait::async_trait;

use crate::records::{
    diagnostics, existing,
    field::{self, Field, Reading},
    import,
    list::{self, Found},
    name_set, required_roles, resource,
    state_migration::Foreign,
    write_only_secret::SecretNames,
};
use crate::{
    clients::{Calls, Clients},
    plugin::{
        Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Moved,
        Need, Object, Outcome, Resource, Schema, Value, schema::validate,
    },
    servicenow::{
        InputMode, Insert, Query, Record, Row, Session, SysId, TableError, Update,
        tables::{
            sys_user::{
                ACTIVE, COLUMNS, EMAIL, FIRST_NAME, IDENTITY_TYPE, INTERNAL_INTEGRATION_USER, LAST_NAME, LOCKED_OUT,
                NAME, PASSWORD_NEEDS_RESET, TABLE, TIME_ZONE, TITLE, USER_NAME, USER_PASSWORD, WEB_SERVICE_ACCESS_ONLY,
            },
            sys_user_grmember, sys_user_has_role,
        },
    },
};

/// The resource.
pub(super) struct IntegrationUser;

const SECRET: SecretNames = SecretNames::new(["password", "password_wo", "password_wo_version"]);

/// Where each attribute lives.
const FIELDS: &[Field] = &[
    Field::always("user_name", USER_NAME),
    Field::when_configured("first_name", FIRST_NAME),
    Field::when_configured("last_name", LAST_NAME),
    Field::when_configured("email", EMAIL),
    Field::when_configured("time_zone", TIME_ZONE),
    Field::when_configured("title", TITLE),
    Field::always("active", ACTIVE),
    Field::always("web_service_access_only", WEB_SERVICE_ACCESS_ONLY),
    Field::always("internal_integration_user", INTERNAL_INTEGRATION_USER),
    Field::always("identity_type", IDENTITY_TYPE),
];

const DELETION_POLICY: &str = "deletion_policy";
const DELETE: &str = "delete";
const DEACTIVATE: &str = "deactivate";

/// Roles and groups are managed by other resources there, and stay with them.
const FOREIGN: Foreign = Foreign {
    type_name: "servicenow_user",
    attributes: &[
        ("user_name", "user_name"),
        ("first_name", "first_name"),
        ("last_name", "last_name"),
        ("email", "email"),
        ("title", "title"),
        ("time_zone", "time_zone"),
        ("active", "active"),
        ("user_password", "password"),
    ],
};

fn schema() -> Schema {
    let [password, password_wo, password_wo_version] = Attribute::secret(
        SECRET.all(),
        "The user's password. A user who signs in with a token of Entra needs none. Column `user_password`, which is never \
         read back.",
    );
    let text = |name, description: &str| Attribute::text(name).check(validate::not_blank()).describe(description);
    Schema::new(
        "The user that calls from outside run as, with its roles and groups. Table `sys_user`. For Microsoft's guide \
         `user_name` is the client id of the REST user application, and the role is `incident_manager`.",
        vec![
            Attribute::text("id").computed().stable().describe("The record's `sys_id`."),
            Attribute::text("user_name")
                .required()
                .check(validate::not_blank())
                .check(validate::at_most_characters(100))
                .check(field::key_text())
                .describe(
                    "User ID, unique on the instance: what the claim of a token is compared with. Column `user_name`.",
                ),
            text("first_name", "First name. Column `first_name`."),
            text(
                "last_name",
                "Last name. Column `last_name`. The instance wants a first or a last name: without either the user ID is sent.",
            ),
            text("email", "E-mail address; best left out for a machine. Column `email`."),
            text("time_zone", "Time zone, such as `Europe/Paris`; the system's where left out. Column `time_zone`."),
            text("title", "Title. Column `title`."),
            Attribute::flag("active").default(true).describe("Whether the user may sign in. Column `active`."),
            Attribute::flag("web_service_access_only")
                .default(true)
                .describe("Whether the user is kept from the user interface. Column `web_service_access_only`."),
            Attribute::flag("internal_integration_user").optional_computed().stable().describe(
                "Marks an account of an internal integration, which concerns SOAP alone. Column `internal_integration_user`.",
            ),
            Attribute::text("identity_type")
                .optional_computed()
                .check(validate::one_of(&["human", "machine", "ai_agent", "unclassified"]))
                .stable()
                .describe(
                    "Kind of identity: `human`, `machine`, `ai_agent` or `unclassified`. Newer releases only; the instance \
                     sets `web_service_access_only` to match. Column `identity_type`.",
                ),
            Attribute::flag("locked_out").computed().describe("Whether the user is locked out. Column `locked_out`."),
            password,
            password_wo,
            password_wo_version,
            Attribute::texts("roles").check(validate::each(validate::not_blank())).check(validate::each(field::key_text())).describe(
                "Names of roles. Those listed are granted and kept, those taken off the list are revoked, others are left \
                 alone. Table `sys_user_has_role`.",
            ),
            Attribute::texts("groups").check(validate::each(validate::not_blank())).check(validate::each(field::key_text())).describe(
                "Names of groups, with the same rule. Where the account may not grant roles, a group that has them is the \
                 way. Table `sys_user_grmember`.",
            ),
            Attribute::text(DELETION_POLICY)
                .default(DELETE)
                .check(validate::one_of(&[DELETE, DEACTIVATE]))
                .describe("What destroy does: `delete` the user, or `deactivate` it and keep its history."),
            resource::timeouts(),
        ],
    )
}

impl BlockType for IntegrationUser {
    fn type_name(&self) -> &'static str {
        "servicenow_integration_user"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_tables(&[TABLE, sys_user_has_role::TABLE, sys_user_grmember::TABLE])
    }
}

#[async_trait]
impl Resource<Clients> for IntegrationUser {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(resource::sys_id_identity())
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        Ok(create(cx, planned, config).await?)
    }

    async fn read(&self, cx: &Context<Clients>, mut state: Object) -> Result<Option<Object>, Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = resource::sys_id(&state) else {
            return Ok(None);
        };
        let found = session.find(TABLE, &sys_id, COLUMNS).await;
        let Some(record) = found.map_err(|error| diagnostics::of_table(&error, "read the user"))? else {
            return Ok(None);
        };
        let reading = cx.reading;
        take_over(&record, &mut state, reading);
        if reading == Reading::Import {
            SECRET.forget(&mut state);
            state.set(DELETION_POLICY, DELETE);
            if state.text("last_name") == state.text("user_name") {
                // What we send where nothing is configured.
                state.set("last_name", Value::Null);
            }
        }
        name_set::read_into(belongings::ALL, &session, &sys_id, &mut state, reading).await?;
        Ok(Some(state))
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(update(cx, prior, planned, config).await?)
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = resource::sys_id(state) else {
            return Ok(());
        };
        name_set::remove(belongings::ALL, &session, &sys_id, state).await?;
        if state.text(DELETION_POLICY) == Some(DEACTIVATE) {
            let row = Row::new().set(ACTIVE, false);
            let update = Update {
                table: TABLE,
                sys_id: &sys_id,
                row,
                read: &[],
                input: InputMode::Stored,
            };
            return match session.update(update).await {
                Ok(_) | Err(TableError::NotFound { .. }) => Ok(()),
                Err(error) => Err(diagnostics::of_table(&error, "deactivate the user").into()),
            };
        }
        session
            .delete(TABLE, &sys_id)
            .await
            .map_err(|error| diagnostics::of_table(&error, "remove the user"))?;
        Ok(())
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let sys_id = import::record(&session, TABLE, FIELDS, target, None).await?;
        Ok(Object::new().with("id", sys_id.as_str()))
    }

    fn take_over(&self, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
        let taken = FOREIGN.take_over(from)?;
        Some(taken.map(|state| state.with(DELETION_POLICY, DELETE)))
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(list::schema("Lists users.", TABLE))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let describe = |record: &Record| {
            let user_name = record.text(USER_NAME).value().unwrap_or_default().to_owned();
            match record.text(NAME).value() {
                Some(name) if name != user_name => Found::text(format!("{user_name} ({name})")),
                Some(_) | None => Found::named(record, USER_NAME),
            }
        };
        list::records(cx, &session, TABLE, COLUMNS, None, request, sink, describe, self).await
    }
}

async fn create(cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    // Names that do not exist are found out before anything is written.
    let wanted = name_set::resolve(belongings::ALL, &session, None, &planned).await?;
    let user_name = planned.text("user_name").unwrap_or_default().to_owned();
    let key = Query::equals(USER_NAME, user_name.as_str())
        .map_err(|error| diagnostics::of_query(&error, "create the user"))?;
    let known = known_by(&key, &user_name);
    known.refuse_second(&session).await?;
    // When it is set, token requests of the user fail; some instances set it by default.
    let mut row = field::row_to_create(FIELDS, &planned).set(PASSWORD_NEEDS_RESET, false);
    if planned.at("first_name").is_null() && planned.at("last_name").is_null() {
        row = row.set(LAST_NAME, user_name.as_str());
    }
    let insert = Insert {
        table: TABLE,
        row,
        read: COLUMNS,
        natural_key: Some(key.clone()),
        input: InputMode::Stored,
    };
    let written = match session.insert(insert).await {
        Ok(written) => written,
        Err(error) => {
            let problem = known.of_insert(&session, &error).await;
            let mut state = planned;
            name_set::clear(belongings::ALL, &mut state);
            return resource::not_created(&error, state, problem);
        }
    };
    let sys_id = written.record.sys_id().clone();
    // The user exists from here on: whatever fails below, Terraform must know its sys_id.
    let mut state = planned.clone().with("id", sys_id.as_str());
    name_set::clear(belongings::ALL, &mut state);
    cx.keep(&state);
    let mut problems = diagnostics::of_mismatches(&written.mismatches, |column| field::attribute_of(FIELDS, column));
    take_over(&written.record, &mut state, Reading::Refresh);
    if let Some(password) = SECRET.configured(config)
        && let Err(error) = set_password(&session, &sys_id, password).await
    {
        problems.push(diagnostics::of_table(&error, "set the user's password"));
    }
    name_set::give(
        belongings::ALL,
        &session,
        &sys_id,
        &wanted,
        &planned,
        &mut state,
        &mut problems,
    )
    .await;
    Ok(resource::outcome(state, problems))
}

async fn update(
    cx: &Context<Clients>,
    prior: &Object,
    planned: Object,
    config: &Object,
) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let sys_id = resource::require_sys_id(prior)?;
    let wanted = name_set::resolve(belongings::ALL, &session, Some(prior), &planned).await?;
    let row = field::row_to_update(FIELDS, prior, &planned);
    let mut state = planned.clone();
    let mut problems = Diagnostics::new();
    if row.is_empty() {
        state.set("locked_out", prior.at("locked_out").clone());
    } else {
        let update = Update {
            table: TABLE,
            sys_id: &sys_id,
            row,
            read: COLUMNS,
            input: InputMode::Stored,
        };
        let written = session.update(update).await;
        let written = written.map_err(|error| diagnostics::of_table(&error, "update the user"))?;
        problems.append(diagnostics::of_mismatches(&written.mismatches, |column| {
            field::attribute_of(FIELDS, column)
        }));
        take_over(&written.record, &mut state, Reading::Refresh);
    }
    if let Some(password) = SECRET.changed(prior, &planned, config)
        && let Err(error) = set_password(&session, &sys_id, password).await
    {
        problems.push(diagnostics::of_table(&error, "set the user's password"));
        // So that the next apply sends it again.
        for name in SECRET.all() {
            state.set(name, prior.at(name).clone());
        }
    }
    let left = name_set::take_away(belongings::ALL, &session, &sys_id, prior, &planned, &mut problems).await;
    name_set::give(
        belongings::ALL,
        &session,
        &sys_id,
        &wanted,
        &planned,
        &mut state,
        &mut problems,
    )
    .await;
    name_set::keep(&mut state, left);
    Ok(resource::outcome(state, problems))
}

/// Most instances refuse a second user of a name, and none should be asked to.
fn known_by<'a>(query: &'a Query, user_name: &str) -> existing::Key<'a> {
    existing::Key {
        resource: "servicenow_integration_user",
        table: TABLE,
        noun: "user",
        label: NAME,
        query,
        words: format!("the user_name {user_name:?}"),
        why: "Of two users of one name the instance would take either.",
        otherwise: "use another user_name",
        attribute: "user_name",
    }
}

/// A request of its own, because display values change how every other column is read.
async fn set_password(session: &Session, sys_id: &SysId, password: crate::http::Secret) -> Result<(), TableError> {
    let row = Row::new().set(USER_PASSWORD, password);
    session
        .update(Update {
            table: TABLE,
            sys_id,
            row,
            read: &[],
            input: InputMode::Display,
        })
        .await
        .map(drop)
}

fn take_over(record: &Record, state: &mut Object, reading: Reading) {
    state.set("id", record.sys_id().as_str());
    field::read_into(FIELDS, record, state, reading);
    if let Some(locked_out) = record.bool(LOCKED_OUT).or_known(state.flag("locked_out")) {
        state.set("locked_out", locked_out);
    }
}
