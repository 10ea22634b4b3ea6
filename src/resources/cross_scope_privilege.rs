//! `servicenow_cross_scope_privilege`: what one application may do with an object of another (`sys_scope_privilege`).
//!
//! The platform and the installation of applications make such records themselves. One that exists is taken over, and
//! destroy then puts its old status back instead of removing it.

use async_trait::async_trait;

use crate::records::{
    application_scope, diagnostics,
    field::{self, Field, Reading},
    import,
    list::{self, Found},
    required_roles, resource,
};
use crate::{
    clients::{Calls, Clients},
    plugin::{
        Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Need,
        Object, Outcome, Resource, Schema, Value, schema::validate,
    },
    servicenow::{
        Cell, Column, InputMode, Insert, Query, QueryError, Record, Row, Session, TableError, Update, Value as Wire,
        tables::{
            every, sys_scope,
            sys_scope_privilege::{
                COLUMNS, OPERATION, SOURCE_SCOPE, STATUS, SYS_SCOPE, TABLE, TARGET_NAME, TARGET_SCOPE, TARGET_TYPE,
            },
        },
    },
};

/// The resource.
pub(super) struct CrossScopePrivilege;

/// Where each attribute lives, but for the two applications.
const FIELDS: &[Field] = &[
    Field::always("target_name", TARGET_NAME),
    Field::always("target_type", TARGET_TYPE),
    Field::always("operation", OPERATION),
    Field::always("status", STATUS),
];

/// The columns to import by.
const KEYS: &[Field] = &[
    Field::always(APPLICATIONS[0].0, SOURCE_SCOPE),
    Field::always(APPLICATIONS[1].0, TARGET_SCOPE),
    Field::always("target_name", TARGET_NAME),
    Field::always("target_type", TARGET_TYPE),
    Field::always("operation", OPERATION),
    Field::always("status", STATUS),
];

const APPLICATIONS: [(&str, Column); 2] = [("source_scope", SOURCE_SCOPE), ("target_scope", TARGET_SCOPE)];
const ORIGINAL_STATUS: &str = "original_status";

fn schema() -> Schema {
    Schema::new(
        "What one application may do with an object of another. Table `sys_scope_privilege`. A privilege never exceeds what \
         the table itself allows (`servicenow_table_access`). The installation of an application often makes these records: \
         one that exists for the same applications, object and operation is taken over, and destroy then puts its old status \
         back instead of removing it.",
        vec![
            Attribute::text("id").computed().stable().describe("The record's `sys_id`."),
            Attribute::text("source_scope")
                .required()
                .check(validate::not_blank())
                .check(field::key_text())
                .replaces()
                .describe(
                    "Application that wants access: its scope, such as `x_mioms_m365_assis`, or its sys_id. Column \
                     `source_scope`.",
                ),
            Attribute::text("target_scope")
                .default("global")
                .check(validate::not_blank())
                .check(field::key_text())
                .replaces()
                .describe("Application that owns the object: `global`, a scope, or a sys_id. Column `target_scope`."),
            Attribute::text("target_name")
                .required()
                .check(validate::not_blank())
                .check(field::key_text())
                .replaces()
                .describe("Name of the object, such as the table `oauth_entity`. Column `target_name`."),
            Attribute::text("target_type")
                .default("sys_db_object")
                .check(validate::not_blank())
                .check(field::key_text())
                .replaces()
                .describe("Kind of the object: `sys_db_object` is a table. Column `target_type`."),
            Attribute::text("operation")
                .default("read")
                .check(validate::one_of(&["create", "read", "write", "delete", "execute"]))
                .replaces()
                .describe("What it may do with the object. Column `operation`."),
            Attribute::text("status")
                .default("allowed")
                .check(validate::one_of(&["requested", "allowed", "denied"]))
                .describe("Whether it may. Column `status`."),
            application_scope::attribute(),
            Attribute::text(ORIGINAL_STATUS).computed().stable().describe(
                "Status of the record before it was taken over: what destroy puts back. Null for a record that was made here \
                 or imported, which destroy removes.",
            ),
            resource::timeouts(),
        ],
    )
}

impl BlockType for CrossScopePrivilege {
    fn type_name(&self) -> &'static str {
        "servicenow_cross_scope_privilege"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_tables(&[TABLE, sys_scope::TABLE])
    }
}

#[async_trait]
impl Resource<Clients> for CrossScopePrivilege {
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
        let Some(record) = found.map_err(|error| diagnostics::of_table(&error, "read the privilege"))? else {
            return Ok(None);
        };
        take_over(&session, &record, &mut state, cx.reading).await?;
        Ok(Some(state))
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(update(cx, prior, planned).await?)
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = resource::sys_id(state) else {
            return Ok(());
        };
        let Some(original) = state.text(ORIGINAL_STATUS) else {
            let deleted = session.delete(TABLE, &sys_id).await;
            deleted.map_err(|error| diagnostics::of_table(&error, "remove the privilege"))?;
            return Ok(());
        };
        let update = Update {
            table: TABLE,
            sys_id: &sys_id,
            row: Row::new().set(STATUS, original),
            read: COLUMNS,
            input: InputMode::Stored,
        };
        match session.update(update).await {
            Ok(written) => {
                let problems = diagnostics::of_mismatches(&written.mismatches, attribute_of);
                if problems.has_errors() { Err(problems) } else { Ok(()) }
            }
            Err(TableError::NotFound { .. }) => Ok(()),
            Err(error) => Err(diagnostics::of_table(&error, "put back the status of the privilege").into()),
        }
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let id = match target {
            Import::Id(id) => Some(with_keys(&session, id).await?),
            Import::Identity(_) => None,
        };
        let target = id.as_deref().map_or(target, Import::Id);
        let sys_id = import::record(&session, TABLE, KEYS, target, None).await?;
        Ok(Object::new().with("id", sys_id.as_str()))
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(list::schema("Lists cross-scope privileges.", TABLE))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let describe = |record: &Record| {
            let text = |column| record.text(column).value().unwrap_or("?").to_owned();
            Found::text(format!("{} {}: {}", text(OPERATION), text(TARGET_NAME), text(STATUS)))
        };
        list::records(cx, &session, TABLE, COLUMNS, None, request, sink, describe, self).await
    }
}

async fn create(cx: &Context<Clients>, planned: Object) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let mut row = field::row_to_create(FIELDS, &planned);
    for (attribute, column) in APPLICATIONS {
        row = row.set(
            column,
            application_scope::reference_to_wire(&session, &planned, attribute).await?,
        );
    }
    let key = key(&session, &planned).await?;
    let columns = [COLUMNS, &[every::SYS_CREATED_BY, every::SYS_CREATED_ON]].concat();
    let problem = |error: TableError| diagnostics::of_table(&error, "look for an existing privilege");
    // Several are an error; one may be the former half of a replacement, which a search still shows.
    let mut found = session.find_one(TABLE, &key, &[]).await.map_err(problem)?;
    if found.is_none() {
        // Nothing keeps a second one out, and a search can lag behind.
        session.wait_for_second_look().await;
        found = session.find_one(TABLE, &key, &[]).await.map_err(problem)?;
    }
    if let Some(found) = found
        && let Some(existing) = session
            .confirm(TABLE, found.sys_id(), &columns)
            .await
            .map_err(problem)?
    {
        return adopt(cx, &session, &existing, planned).await;
    }
    let insert = Insert {
        table: TABLE,
        row: row.set(SYS_SCOPE, application_scope::to_wire(&session, &planned).await?),
        read: COLUMNS,
        natural_key: Some(key),
        input: InputMode::Stored,
    };
    let written = session.insert(insert).await;
    let written = match written {
        Ok(written) => written,
        Err(error) => {
            let problem = diagnostics::of_table(&error, "create the privilege");
            return resource::not_created(&error, planned.with(ORIGINAL_STATUS, Value::Null), problem);
        }
    };
    // The record exists from here on: whatever fails below, Terraform must know its sys_id.
    let mut state = planned
        .with("id", written.record.sys_id().as_str())
        .with(ORIGINAL_STATUS, Value::Null);
    cx.keep(&state);
    let mut problems = diagnostics::of_mismatches(&written.mismatches, attribute_of);
    if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
        problems.push(problem);
    }
    Ok(resource::outcome(state, problems))
}

/// Takes over a record that was there before.
async fn adopt(
    cx: &Context<Clients>,
    session: &Session,
    existing: &Record,
    planned: Object,
) -> Result<Outcome, Diagnostic> {
    let Cell::Value(original) = existing.text(STATUS) else {
        let detail = format!(
            "The privilege exists already ({}), but the account may not read its status, so destroy could not put it back. \
             Give the account a role that may read {TABLE} ({}).",
            existing.sys_id(),
            TABLE.role()
        );
        return Err(Diagnostic::error("The old status cannot be read", detail));
    };
    tracing::info!(sys_id = %existing.sys_id(), original, "the privilege exists already and is taken over");
    let mut state = planned
        .with("id", existing.sys_id().as_str())
        .with(ORIGINAL_STATUS, original);
    // The old status must be known to Terraform before it is gone.
    cx.keep(&state);
    let row = match state.text("status") {
        Some(status) if status != original => Row::new().set(STATUS, status),
        Some(_) | None => Row::new(),
    };
    let update = Update {
        table: TABLE,
        sys_id: existing.sys_id(),
        row,
        read: COLUMNS,
        input: InputMode::Stored,
    };
    match session.update(update).await {
        Ok(written) => {
            let mut problems = diagnostics::of_mismatches(&written.mismatches, attribute_of);
            problems.append(own_work(session, existing).map(Diagnostics::from).unwrap_or_default());
            if let Err(problem) = take_over(session, &written.record, &mut state, Reading::Refresh).await {
                problems.push(problem);
            }
            Ok(resource::outcome(state, problems))
        }
        Err(error) => Ok(Outcome::Partly(
            state.with_unknown_as_null(),
            diagnostics::of_table(&error, "change the status of the existing privilege").into(),
        )),
    }
}

/// A record that this account made: by an apply that was cut short, or because the instance noted what it did.
fn own_work(session: &Session, existing: &Record) -> Option<Diagnostic> {
    let by = existing.text(every::SYS_CREATED_BY).value()?;
    let on = existing.text(every::SYS_CREATED_ON).value().unwrap_or("an unknown day");
    session.is_account(by).then(|| {
        let sys_id = existing.sys_id();
        let detail = format!(
            "It ({sys_id}) was made by {by}, the account of this provider, on {on} UTC, and is taken over: destroy puts its \
             status back and does not remove it, since instances make such records by themselves. If an apply that was cut \
             short made it, remove it in the form after the destroy."
        );
        Diagnostic::warning("The privilege was there already", detail)
    })
}

async fn update(cx: &Context<Clients>, prior: &Object, planned: Object) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let sys_id = resource::require_sys_id(prior)?;
    let update = Update {
        table: TABLE,
        sys_id: &sys_id,
        row: field::row_to_update(FIELDS, prior, &planned),
        read: COLUMNS,
        input: InputMode::Stored,
    };
    let written = session.update(update).await;
    let written = written.map_err(|error| diagnostics::of_table(&error, "update the privilege"))?;
    let mut state = planned;
    let mut problems = diagnostics::of_mismatches(&written.mismatches, attribute_of);
    if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
        problems.push(problem);
    }
    Ok(resource::outcome(state, problems))
}

/// Everything but the status.
async fn key(session: &Session, planned: &Object) -> Result<Query, Diagnostic> {
    let problem = |error: QueryError| diagnostics::of_query(&error, "look for an existing privilege");
    let mut key = Query::equals(TARGET_NAME, planned.text("target_name").unwrap_or_default()).map_err(problem)?;
    for (attribute, column) in [("target_type", TARGET_TYPE), ("operation", OPERATION)] {
        key = key.and(Query::equals(column, planned.text(attribute).unwrap_or_default()).map_err(problem)?);
    }
    for (attribute, column) in APPLICATIONS {
        let application = application_scope::reference_to_wire(session, planned, attribute).await?;
        key = key.and(Query::equals(column, application).map_err(problem)?);
    }
    Ok(key)
}

async fn take_over(session: &Session, record: &Record, state: &mut Object, reading: Reading) -> Result<(), Diagnostic> {
    state.set("id", record.sys_id().as_str());
    field::read_into(FIELDS, record, state, reading);
    for (attribute, column) in APPLICATIONS {
        if let Cell::Value(value) = record.reference(column) {
            let known = state.text(attribute).filter(|_| reading == Reading::Refresh);
            let named = application_scope::reference_from_wire(session, known, value).await?;
            state.set(attribute, named);
        }
    }
    // The application of a record that was taken over is not ours to choose.
    if state.at(ORIGINAL_STATUS).is_null() {
        application_scope::read_into(session, record, state, reading).await?;
    }
    Ok(())
}

/// An import id with keys where it has scopes: `source_scope=x_mioms_m365_assis^target_name=oauth_entity`.
async fn with_keys(session: &Session, id: &str) -> Result<String, Diagnostic> {
    let mut parts = Vec::new();
    for part in id.split('^') {
        let application = part.split_once('=').and_then(|(column, value)| {
            let attribute = APPLICATIONS
                .iter()
                .find(|(attribute, _)| *attribute == column.trim())?
                .0;
            Some((attribute, value.trim()))
        });
        parts.push(match application {
            Some((attribute, value)) => {
                let named = Object::new().with(attribute, value);
                match application_scope::reference_to_wire(session, &named, attribute).await? {
                    Wire::Reference(sys_id) => format!("{attribute}={sys_id}"),
                    Wire::Text(_) | Wire::Bool(_) | Wire::Integer(_) | Wire::Secret(_) => part.to_owned(),
                }
            }
            None => part.to_owned(),
        });
    }
    Ok(parts.join("^"))
}

fn attribute_of(column: &str) -> Option<&'static str> {
    if column == SYS_SCOPE.name() {
        return Some(application_scope::ATTRIBUTE);
    }
    field::attribute_of(KEYS, column)
}
