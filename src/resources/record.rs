//! `servicenow_record`: one record of any table, checked against what the instance says of the table.

mod attributes; // Their names.
mod dictionary_checks; // What the dictionary has against a configuration.
mod fields; // Between the map of a configuration and the columns of the record.
mod import_and_list; // Import and list.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::clients::{Calls, Clients, PlannedNames};
use crate::plugin::provider::unknown_version;
use crate::plugin::schema::validate;
use crate::plugin::{
    Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Moved, Need,
    Object, Outcome, Path, Plan, Reading, Resource, Schema, Type, Validator, Value, codec::json,
};
use crate::records::any_table::{FIELDS, TABLE, described, noun, require_table, table_name, table_of};
use crate::records::application_scope::APPLICATION;
use crate::records::duplicate_check::{self, Look};
use crate::records::{diagnostics, field, outcome, record_resource};
use crate::resources::record::attributes::{
    ACTIVE, CLASS_NAME, DEACTIVATE, DEFAULT_FIELDS, DELETE, DELETION_POLICY, DISPLAY_VALUE, FIELDS_WO,
    FIELDS_WO_VERSION, KEEP, NATURAL_KEY, REFERENCE_IDS, SCOPE, SCOPE_ID, STRICT, TYPE, drops_data, of_key,
    usual_policy,
};
use crate::servicenow::tables::every;
use crate::servicenow::{
    Column, ColumnKind, Deleted, Dictionary, InputMode, Insert, KeyLock, Query, Record, Row, Session, SysId, Table,
    TableError, Update,
};

/// A resource type of its own for the records of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typed {
    pub(super) table: Table,
    pub(super) type_name: &'static str,
    /// Whether it makes records, or only changes those that exist.
    pub(super) creates: bool,
}

/// The resource, with the tables whose records have a resource type of their own.
pub(super) struct AnyRecord {
    pub(super) typed: &'static [Typed],
}

/// The columns that tell whose a record is.
const WHOSE: &[Column] = &[every::SYS_CREATED_BY, every::SYS_CREATED_ON];

impl AnyRecord {
    /// The record of a state, with the columns that the state follows.
    async fn find(&self, session: &Session, state: &Object) -> Result<Option<(Arc<Dictionary>, Record)>, Diagnostic> {
        let Some(sys_id) = record_resource::sys_id(state) else {
            return Ok(None);
        };
        let table = require_table(state)?;
        let dictionary = described(session, table).await?;
        let columns = fields::columns(&dictionary, state);
        let found = session.get_opt(table, &sys_id, &columns).await;
        let found = found.map_err(|error| diagnostics::of_table(&error, &format!("read the {}", noun(table))))?;
        Ok(found.map(|record| (dictionary, record)))
    }

    /// Looks for a record that has the values of the natural key, other than its own.
    async fn refuse_second(
        &self,
        session: &Session,
        table: Table,
        key: &Query,
        own: Option<&SysId>,
    ) -> Result<KeyLock, Diagnostic> {
        let failed = |error: &TableError| {
            diagnostics::of_table(error, &format!("check whether the {} already exists", noun(table)))
                .at_attribute(NATURAL_KEY)
        };
        let lock = session
            .lock_key(table, key.clone())
            .await
            .map_err(|error| failed(&error))?;
        let look = Look {
            own,
            lock: Some(&lock),
            recheck: true,
        };
        match look
            .find(session, (table, key), WHOSE)
            .await
            .map_err(|error| failed(&error))?
        {
            Some(found) => Err(exists(table, key, &found)),
            None => Ok(lock),
        }
    }

    /// The natural key of a plan, where an update changes it or a column of it.
    async fn changed_key(
        &self,
        session: &Session,
        dictionary: &Dictionary,
        (prior, planned): (&Object, &Object),
        changed: &Row,
    ) -> Result<Option<Query>, Diagnostics> {
        let names = planned.texts(NATURAL_KEY).unwrap_or_default();
        let is_new = prior.at(NATURAL_KEY) != planned.at(NATURAL_KEY);
        if names.is_empty() || (!is_new && !changed.columns().any(|column| names.contains(&column.name()))) {
            return Ok(None);
        }
        let mut fields = planned.object(FIELDS).cloned().unwrap_or_default();
        fields.0.retain(|name, _| names.contains(&name.as_str()));
        let of_key = Object::new().with(FIELDS, fields);
        let sent = fields::to_send(session, dictionary, None, &of_key).await?;
        Ok(natural_key(
            dictionary.table,
            planned,
            &with_plain_key(planned, sent.row),
        )?)
    }

    /// Looks up what a replacement refers to, and the record of the natural key that it would make a second time: it deletes its
    /// own record first, and the create would be refused afterwards.
    async fn check_replacement(
        &self,
        planned_names: &PlannedNames,
        session: &Session,
        dictionary: &Dictionary,
        plan: &mut Plan<'_>,
    ) {
        let Some(prior) = plan.prior.filter(|_| !plan.replace.is_empty()) else {
            return;
        };
        let (former, class) = (table_of(prior), prior.text(CLASS_NAME));
        if former != Some(dictionary.table) && class == Some(dictionary.table.name()) {
            let id = prior.text("id").unwrap_or_default();
            let detail = format!(
                "The record belongs to {class} and is managed as one of {former}, which {class} extends. Another table replaces \
                 the resource: the record would be deleted and made again with the columns of fields alone. Take it out of the \
                 state instead (terraform state rm, or a removed block that destroys nothing), and import it as {class}/{id}.",
                class = dictionary.table,
                former = former.map_or("another table", |table| table.name()),
            );
            let problem = Diagnostic::error("The record would be replaced by itself", detail);
            plan.diagnostics.push(problem.at_attribute(TABLE));
            return;
        }
        let names = plan.state.texts(NATURAL_KEY).unwrap_or_default();
        let fields = plan.state.object(FIELDS);
        let is_known = |name: &&str| fields.is_some_and(|fields| fields.text(name).is_some());
        let sent = match fields::to_send(session, dictionary, None, plan.state).await {
            Ok(sent) => sent,
            Err(missing) => {
                // A reference may mean a record that the same apply makes before.
                let texts = fields.into_iter().flat_map(Object::iter);
                let planned: Vec<Path> = texts
                    .filter(|(_, value)| value.as_str().is_some_and(|text| planned_names.has_anywhere(text)))
                    .map(|(name, _)| fields::place(name))
                    .collect();
                let missing = missing.iter().filter(|problem| !planned.contains(&problem.path));
                plan.diagnostics
                    .extend(missing.cloned().map(duplicate_check::nothing_deleted));
                return;
            }
        };
        if !names.iter().all(is_known) {
            return;
        }
        // What a destroy leaves is in the way.
        let is_deleted = prior.text(DELETION_POLICY).is_none_or(|policy| policy == DELETE);
        let own = record_resource::sys_id(prior).filter(|_| is_deleted);
        let row = with_plain_key(plan.state, sent.row);
        let refused = match natural_key(dictionary.table, plan.state, &row) {
            Ok(Some(key)) => self
                .refuse_second(session, dictionary.table, &key, own.as_ref())
                .await
                .err(),
            Ok(None) => None,
            Err(problem) => Some(problem),
        };
        plan.diagnostics
            .extend(refused.map(duplicate_check::before_replacement));
    }

    /// The record for whose sake the instance refused a write: one with the value of a unique column.
    async fn in_the_way(
        &self,
        session: &Session,
        dictionary: &Dictionary,
        row: &Row,
        error: &TableError,
    ) -> Option<Diagnostic> {
        let is_refusal = matches!(
            error,
            TableError::Duplicate { .. } | TableError::Refused { .. } | TableError::BadRequest { .. }
        );
        let unique = row.columns().filter(|column| {
            let known = dictionary.column(column.name());
            is_refusal && known.is_some_and(|known| known.is_unique)
        });
        for column in unique {
            let Ok(key) = Query::equals(column, row.value(column)?.clone()) else {
                continue;
            };
            if let Ok(Some(found)) = session.find_existing(dictionary.table, &key, WHOSE).await {
                return Some(exists(dictionary.table, &key, &found).at(fields::place(column.name())));
            }
        }
        None
    }

    /// The error of a write: the record in the way, or else what is known of the table.
    async fn explained(
        &self,
        session: &Session,
        dictionary: &Dictionary,
        row: &Row,
        error: &TableError,
        verb: &str,
    ) -> Diagnostic {
        let table = dictionary.table;
        match self.in_the_way(session, dictionary, row, error).await {
            Some(problem) => problem,
            None => dictionary_checks::explained(table, error, &format!("{verb} the {}", noun(table))),
        }
    }

    /// Sends secrets that need a request of their own.
    async fn send_one_way(session: &Session, table: Table, sys_id: &SysId, secrets: Row) -> Result<(), Diagnostic> {
        if secrets.is_empty() {
            return Ok(());
        }
        let doing = format!("set the secrets of the {}", noun(table));
        let sent = record_resource::send_as_form(session, table, sys_id, secrets).await;
        sent.map_err(|error| diagnostics::of_table(&error, &doing).at_attribute(FIELDS_WO))
    }
}

/// The row with each value of the natural key in one spelling.
fn with_plain_key(planned: &Object, row: Row) -> Row {
    let names = planned.texts(NATURAL_KEY).unwrap_or_default();
    let columns: Vec<Column> = row.columns().filter(|column| names.contains(&column.name())).collect();
    duplicate_check::with_trimmed(&columns, row)
}

/// The key that a configuration declares; none if it declares none.
fn natural_key(table: Table, planned: &Object, row: &Row) -> Result<Option<Query>, Diagnostic> {
    let Some(names) = planned.texts(NATURAL_KEY).filter(|names| !names.is_empty()) else {
        return Ok(None);
    };
    let mut key: Option<Query> = None;
    for name in names {
        let value = row.columns().find(|column| column.name() == name);
        let value = value.and_then(|column| Some((column, row.value(column)?.clone())));
        let Some((column, value)) = value else { continue };
        let term = Query::equals(column, value);
        let term = term.map_err(|error| {
            diagnostics::of_query(&error, &format!("look for a {} with this key", noun(table)))
                .at_attribute(NATURAL_KEY)
        })?;
        key = Some(match key {
            Some(key) => key.and(term),
            None => term,
        });
    }
    Ok(key)
}

/// The refusal of a second record of a key, which names the first.
fn exists(table: Table, key: &Query, found: &Record) -> Diagnostic {
    let sys_id = found.sys_id();
    let made = duplicate_check::made_by(found);
    let detail = format!(
        "The table {table} already has a record with {}: {sys_id}{made}.\n\n{}\n\nAn apply that was interrupted before it \
         saved its state can leave such a record. If it belongs to somebody else, use another key.",
        key.encoded().replace('^', " and "),
        duplicate_check::import_it(TYPE, &format!("{table}/{sys_id}"))
    );
    Diagnostic::error("The record already exists", detail).at_attribute(NATURAL_KEY)
}

impl BlockType for AnyRecord {
    fn type_name(&self) -> &'static str {
        TYPE
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "One record of any table. What the instance says of the table in `sys_dictionary` is checked by the plan: \
             unknown and read-only columns, types, lengths, choices, mandatory columns. Only the columns in `fields` are \
             managed: the others stay as they are, and are not in the state. For a table that has a resource type of its \
             own, use that one.",
            vec![
                Attribute::text("id").computed().stable().describe("The record's `sys_id`."),
                Attribute::text(TABLE)
                    .required()
                    .replaces()
                    .check(table_name())
                    .describe("Name of the table, such as `sys_properties`."),
                Attribute::of(FIELDS, Type::map(Type::String))
                    .required()
                    .check(no_nulls())
                    .describe(
                        "Values of the columns to manage, by column name. `true` and `false` for a Boolean, UTC for times \
                         (`2026-01-31 23:59:59`), the value of a choice and not its label. A reference is a sys_id, or the \
                         display value of the record it refers to, such as the name of a role. Empty text empties the \
                         column. A column that is no longer listed stays as it is on the instance. Put secrets in \
                         `fields_wo`.",
                    ),
                Attribute::of(FIELDS_WO, Type::map(Type::String))
                    .write_only()
                    .check(no_nulls())
                    .describe(
                        "Values of columns that are sent and never stored or read back, by column name, such as passwords. \
                         Sent on create, and whenever `fields_wo_version` changes.",
                    ),
                Attribute::text(FIELDS_WO_VERSION)
                    .describe("Any text. A change of it sends `fields_wo` again."),
                Attribute::of(NATURAL_KEY, Type::list(Type::String)).describe(
                    "Columns of `fields` that identify the record. A create looks for a record with the same values and \
                     is refused if there is one. Without it, two records of the same values can be created.",
                ),
                Attribute::text(SCOPE)
                    .optional_computed()
                    .stable()
                    .replaces()
                    .check(validate::not_blank())
                    .describe(
                        "Application that the record belongs to, for tables of application files: `global`, the name of a \
                         scope, or the sys_id of an application. If omitted, it is not sent, and the instance uses the \
                         account's current application. Column `sys_scope`.",
                    ),
                Attribute::text(SCOPE_ID)
                    .computed()
                    .stable()
                    .describe("`sys_id` of the application that `application_scope` names."),
                Attribute::text(DELETION_POLICY)
                    .default(DELETE)
                    .check(validate::one_of(&[DELETE, KEEP, DEACTIVATE]))
                    .describe(
                        "What a destroy does: `delete` deletes the record, `keep` leaves it as it is, `deactivate` sets its \
                         column `active` to false. For records of `sys_db_object` and `sys_dictionary` the default is `keep`: \
                         the platform drops the table or column with all of its values when its record is deleted.",
                    ),
                Attribute::flag(STRICT).default(true).describe(
                    "Whether violations of the dictionary are errors. With `false` it is a warning, \
                     and the values are sent as they are: for an instance whose dictionary does not say what its rules do.",
                ),
                Attribute::text(DISPLAY_VALUE)
                    .computed()
                    .stable()
                    .describe("The record's display value, such as its name: what others show where they refer to it."),
                Attribute::text(CLASS_NAME)
                    .computed()
                    .stable()
                    .describe("The table that the record belongs to: `table`, or one that extends it."),
                Attribute::of(REFERENCE_IDS, Type::map(Type::String))
                    .computed()
                    .stable()
                    .describe("The sys_ids of the records that the references in `fields` mean, by column name."),
                Attribute::of(DEFAULT_FIELDS, Type::map(Type::String))
                    .computed()
                    .stable()
                    .describe(
                        "Columns that an import found with their default value: `fields` may list them or not. Null once \
                         Terraform has changed the record, and for one that it created.",
                    ),
                field::timeouts(),
            ],
        )
    }

    fn needs(&self) -> Vec<Need> {
        vec![
            Need::new(
                "a role that the access rules (ACL) of the table ask for",
                "the records of `table`",
            ),
            Need::new(
                "`personalize_dictionary` or `admin`",
                "reading `sys_dictionary` and `sys_db_object`, so that values are checked; without it they are sent as they \
                 are, with a warning",
            ),
        ]
    }

    fn validate(&self, config: &Object) -> Diagnostics {
        dictionary_checks::of_configuration(config)
    }
}

/// Null in a map is no value of a column.
fn no_nulls() -> Validator {
    Validator::new("", |checked| {
        let values = checked.value.as_object();
        match values.and_then(|values| values.iter().find(|(_, value)| value.is_null())) {
            Some((name, _)) => Err(format!(
                "The value of {name:?} is null. Omit the column to leave it alone, or set it to \"\" to empty it."
            )),
            None => Ok(()),
        }
    })
}

#[async_trait]
impl Resource<Clients> for AnyRecord {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(record_resource::sys_id_identity().and(TABLE, TABLE, "Name of the table."))
    }

    async fn plan(&self, cx: Option<&Context<Clients>>, plan: &mut Plan<'_>) {
        let session = cx.and_then(|cx| cx.instance().ok());
        let dictionary = match (&session, table_of(plan.config)) {
            (Some(session), Some(table)) => match described(session, table).await {
                Ok(dictionary) => Some(dictionary),
                Err(problem) => {
                    plan.diagnostics.push(problem);
                    return;
                }
            },
            (_, _) => None,
        };
        if let (Some(table), true) = (table_of(plan.config), plan.config.at(DELETION_POLICY).is_null()) {
            plan.state.set(DELETION_POLICY, usual_policy(table));
        }
        fields::plan(session.as_ref(), dictionary.as_deref(), plan).await;
        if let (Some(cx), Some(session), Some(dictionary)) = (cx, &session, &dictionary) {
            let findings = dictionary_checks::of_plan(session, dictionary, self.typed, plan).await;
            plan.diagnostics.append(findings);
            self.check_replacement(&cx.data.planned_names, session, dictionary, plan)
                .await;
            let fields = plan.state.object(FIELDS).into_iter().flat_map(Object::iter);
            let texts = fields.filter_map(|(_, value)| value.as_str());
            cx.data.planned_names.note(dictionary.table, texts);
        }
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        let session = cx.instance()?;
        let table = require_table(&planned)?;
        let dictionary = described(&session, table).await?;
        let mut sent = fields::to_send(&session, &dictionary, None, &planned).await?;
        if let Some(scope) = planned.text(SCOPE) {
            let wire = APPLICATION.to_wire(&session, SCOPE, scope).await?;
            sent.row = sent.row.set(every::SYS_SCOPE, wire);
        }
        sent.row = with_plain_key(&planned, sent.row);
        let key = natural_key(table, &planned, &sent.row)?;
        let lock = match &key {
            Some(key) => Some(self.refuse_second(&session, table, key, None).await?),
            None => None,
        };
        let secrets = fields::secrets(&session, &dictionary, config).await?;
        let insert = Insert {
            table,
            row: fields::joined(sent.row.clone(), secrets.along),
            read: &fields::columns(&dictionary, &planned),
            natural_key: key,
            input: InputMode::Stored,
        };
        let written = match session.insert(insert).await {
            Ok(written) => written,
            Err(error) => {
                let problem = self.explained(&session, &dictionary, &sent.row, &error, "create").await;
                return outcome::not_created(cx, &error, planned, problem);
            }
        };
        let sys_id = written.record.sys_id().clone();
        let mut state = planned.clone().with("id", sys_id.as_str());
        cx.keep(&state);
        if let Some(mut lock) = lock {
            lock.made(&sys_id);
        }
        let mut problems = fields::mismatches(&dictionary, &written);
        problems.extend(fields::of_secrets(&dictionary, &written.record, &planned));
        let read = fields::read_computed(&session, &dictionary, &written.record, &mut state, sent.ids).await;
        problems.extend(read.err());
        if let Err(problem) = Self::send_one_way(&session, table, &sys_id, secrets.one_way).await {
            problems.push(problem);
        }
        Ok(outcome::of(state, outcome::unfinished(problems)))
    }

    async fn read(&self, cx: &Context<Clients>, state: Object) -> Result<Option<Object>, Diagnostics> {
        let session = record_resource::instance_to_read(cx)?;
        if cx.reading == Reading::Import || state.at(FIELDS).is_null() {
            return Ok(import_and_list::whole(&session, state).await?);
        }
        let Some((dictionary, record)) = self.find(&session, &state).await? else {
            return Ok(None);
        };
        let mut state = state;
        fields::of_secrets(&dictionary, &record, &state).for_each(|warning| cx.warn(warning));
        fields::read_into(&session, &dictionary, &record, &mut state).await?;
        Ok(Some(state))
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        let session = cx.instance()?;
        let sys_id = record_resource::require_sys_id(prior)?;
        let table = require_table(&planned)?;
        let dictionary = described(&session, table).await?;
        let mut sent = fields::to_send(&session, &dictionary, Some(prior), &planned).await?;
        sent.row = with_plain_key(&planned, sent.row);
        let is_version_changed = prior.at(FIELDS_WO_VERSION) != planned.at(FIELDS_WO_VERSION);
        let secrets = if is_version_changed {
            fields::secrets(&session, &dictionary, config).await?
        } else {
            fields::Secrets::default()
        };
        let lock = match self
            .changed_key(&session, &dictionary, (prior, &planned), &sent.row)
            .await?
        {
            Some(key) => Some(self.refuse_second(&session, table, &key, Some(&sys_id)).await?),
            None => None,
        };
        let update = Update {
            table,
            sys_id: &sys_id,
            row: fields::joined(sent.row.clone(), secrets.along),
            read: &fields::columns(&dictionary, &planned),
            input: InputMode::Stored,
        };
        let written = match session.update(update).await {
            Ok(written) => written,
            Err(error) => {
                let problem = self.explained(&session, &dictionary, &sent.row, &error, "update").await;
                return Err(problem.into());
            }
        };
        if let Some(mut lock) = lock {
            lock.made(&sys_id);
        }
        let mut problems = fields::mismatches(&dictionary, &written);
        let record = written.record;
        let mut state = planned;
        let read = fields::read_computed(&session, &dictionary, &record, &mut state, sent.ids).await;
        problems.extend(read.err());
        if problems.has_errors() {
            // What is there is in the state, so that the next plan shows the difference.
            fields::read_into(&session, &dictionary, &record, &mut state).await?;
        }
        if let Err(problem) = Self::send_one_way(&session, table, &sys_id, secrets.one_way).await {
            state.set(FIELDS_WO_VERSION, prior.at(FIELDS_WO_VERSION).clone());
            problems.push(problem);
        }
        Ok(outcome::of(state, problems))
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let (Some(sys_id), Some(table)) = (record_resource::sys_id(state), table_of(state)) else {
            return Ok(());
        };
        let session = cx.instance()?;
        let class = state
            .text(CLASS_NAME)
            .and_then(Table::named)
            .filter(|class| *class != table);
        if let (Some(class), Some(DELETE) | None) =
            (class.filter(|class| drops_data(*class)), state.text(DELETION_POLICY))
        {
            let detail = format!(
                "The record is managed as one of {table} and belongs to {class}: the platform drops the table or column with all \
                 of its values when it is deleted. To leave it, set deletion_policy = \"keep\" and apply before the destroy, or \
                 take it out of the state. To delete it, import it as {class}/{sys_id} and set deletion_policy = \"delete\"."
            );
            return Err(Diagnostic::error("The destroy would drop a table or a column", detail).into());
        }
        match state.text(DELETION_POLICY) {
            Some(KEEP) => Ok(()),
            Some(DEACTIVATE) => {
                let active = Column::named(ACTIVE, ColumnKind::Bool).into_iter();
                let row = active.fold(Row::new(), |row, column| row.set(column, false));
                let mismatches = record_resource::leave(&session, table, &sys_id, row).await;
                let doing = || format!("deactivate the {}", noun(table));
                let mismatches = mismatches.map_err(|error| dictionary_checks::explained(table, &error, &doing()))?;
                let problems = fields::of_mismatches(&mismatches);
                if problems.has_errors() { Err(problems) } else { Ok(()) }
            }
            _ => match session.delete(table, &sys_id).await {
                Ok(Deleted::Removed | Deleted::WasGone) => Ok(()),
                Err(error) => {
                    Err(dictionary_checks::explained(table, &error, &format!("delete the {}", noun(table))).into())
                }
            },
        }
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let (table, sys_id) = import_and_list::to_import(&session, target).await?;
        Ok(of_key(table, sys_id.as_str()))
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        // The other provider has a type of this name, whose states are of version 0.
        if version != 0 {
            return Err(unknown_version(TYPE, version, self.schema().version).into());
        }
        let state = import_and_list::of_other_provider(&state)?;
        Ok(json::encode(&Value::Object(state)))
    }

    fn move_state(&self, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
        import_and_list::moved(self.typed, from)
    }

    async fn tidy_config(&self, _: Option<&Context<Clients>>, _: &Object, config: &mut Object) {
        // What is the default needs no line.
        let policy = table_of(config).map_or(DELETE, usual_policy);
        for (name, default) in [(DELETION_POLICY, Value::from(policy)), (STRICT, Value::from(true))] {
            if *config.at(name) == default {
                config.set(name, Value::Null);
            }
        }
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(import_and_list::list_schema())
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        import_and_list::list(self, cx, request, sink).await
    }
}
