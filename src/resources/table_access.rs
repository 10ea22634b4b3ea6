//! `servicenow_table_access`: what other applications may do with an existing table (`sys_db_object`).
//!
//! The row is the platform's: it is never made and never deleted. What it held before the first write of a column is
//! kept in the state, and goes back when the column is no longer configured and on destroy.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Outcome, Plan, Rule, Value};
use crate::records::diagnostics;
use crate::records::field::{self, Field, Known};
use crate::records::outcome;
use crate::records::record_resource::{self, ManagedRecord, RecordResource};
use crate::servicenow::tables::every;
use crate::servicenow::tables::sys_db_object::{ACCESS, CALLER_ACCESS, NAME, READ_ACCESS, TABLE};
use crate::servicenow::{
    Cell, Column, ColumnKind, InputMode, KeyLock, Query, Record, Row, Session, SysId, Table, TableError, Update,
    Written,
};

pub(super) struct TableAccess;

const TABLE_NAME: &str = "table";

/// A setting, and the attribute that keeps what it was before. A setting is managed while its attribute is not null; an
/// empty column of a managed setting is therefore empty text.
#[derive(Clone, Copy)]
struct Setting {
    attribute: &'static str,
    original: &'static str,
    column: Column,
}

const SETTINGS: [Setting; 3] = [
    Setting {
        attribute: "access",
        original: "original_access",
        column: ACCESS,
    },
    Setting {
        attribute: "read_access",
        original: "original_read_access",
        column: READ_ACCESS,
    },
    Setting {
        attribute: "caller_access",
        original: "original_caller_access",
        column: CALLER_ACCESS,
    },
];

#[async_trait]
impl RecordResource for TableAccess {
    const TYPE: &'static str = "servicenow_table_access";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "table's access";
    const DESCRIPTION: &'static str = "The access of other applications' scripts to an existing table: its \
                                       \"Application Access\". Table `sys_db_object`. Only what is configured is \
                                       changed, and destroy restores the old values; the table itself is never \
                                       created or deleted. Writing the row marks it as customised, so upgrades skip \
                                       it. After an import, the imported values count as the old ones.";
    const LISTS: &'static str = "Lists tables with their application access.";
    const LABEL: Column = NAME;
    const CREATES: bool = false;

    fn fields() -> Vec<Field> {
        let original = |attribute: Attribute, setting: &str| {
            Field::local(attribute.computed().stable().describe(format!(
                "`{setting}` before it was first changed here: what destroy restores. Null while `{setting}` is not \
                 managed."
            )))
        };
        vec![
            Field::id(),
            Field::new(
                NAME,
                Attribute::text(TABLE_NAME)
                    .required()
                    .check(validate::not_blank())
                    .check(field::key_text())
                    .replaces()
                    .describe("Name of the table, such as `oauth_entity`."),
            ),
            Field::new(
                ACCESS,
                Attribute::text("access")
                    .check(validate::one_of(&["public", "package_private"]))
                    .describe("Accessible from: `public` (all application scopes) or `package_private` (the table's own)."),
            )
            .managed_when_named(),
            Field::new(
                READ_ACCESS,
                Attribute::flag("read_access").describe("Can read: whether scripts of other scopes may."),
            )
            .managed_when_named(),
            Field::new(
                CALLER_ACCESS,
                Attribute::text("caller_access").check(validate::one_of(&["", "1", "2"])).describe(
                    "Caller access: empty (none), `1` (tracking) or `2` (restriction: each calling application needs a \
                     privilege).",
                ),
            )
            .managed_when_named(),
            original(Attribute::text("original_access"), "access"),
            original(Attribute::flag("original_read_access"), "read_access"),
            original(Attribute::text("original_caller_access"), "caller_access"),
            Field::timeouts(),
        ]
    }

    fn rules() -> Vec<Rule> {
        vec![Rule::AtLeastOneOf(&["access", "read_access", "caller_access"])]
    }

    fn plan(plan: &mut Plan<'_>) {
        for setting in SETTINGS {
            if !setting.is_managed(plan.state) {
                plan.state.set(setting.original, Value::Null);
            } else if plan.prior.is_some_and(|prior| !setting.is_managed(prior)) {
                plan.state.set(setting.original, Value::Unknown);
            }
        }
    }

    async fn create(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(create(record, cx, planned).await?)
    }

    async fn read(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        mut state: Object,
    ) -> Result<Option<Object>, Diagnostics> {
        let found = record.find(cx, &record_resource::instance_to_read(cx)?, &state).await?;
        Ok(found.map(|found| {
            read_into(&found, &mut state, cx.reading.into());
            state
        }))
    }

    async fn update(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(update(record, cx, prior, planned).await?)
    }

    async fn delete(record: &ManagedRecord<Self>, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = record_resource::sys_id(state) else {
            return Ok(());
        };
        let left_alone = field::left_alone(Some(state), "");
        let managed = SETTINGS
            .into_iter()
            .filter(|setting| setting.is_managed(state) && !left_alone.contains(setting.attribute));
        let failed = |error: &TableError| diagnostics::of_table(error, "restore the table's access");
        let name = state.text(TABLE_NAME).unwrap_or_default();
        // Held until the old values are back: another resource of the table takes what it reads for the old ones.
        let locks = locks(&session, name, managed).await.map_err(|error| failed(&error))?;
        let (taken, ours): (Vec<_>, Vec<_>) = locks.iter().partition(|(_, lock)| lock.is_made());
        if !taken.is_empty() {
            let taken: Vec<&str> = taken.iter().map(|(setting, _)| setting.attribute).collect();
            cx.warn(left_to_successor(name, &taken));
        }
        let row = ours.iter().fold(Row::new(), |row, (setting, _)| {
            setting.write(row, state.at(setting.original))
        });
        if row.is_empty() {
            return Ok(());
        }
        match write(record, &session, &sys_id, row).await {
            Ok(written) => match record.mismatches(&written.mismatches) {
                problems if problems.has_errors() => Err(problems),
                _ => Ok(()),
            },
            Err(TableError::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&error).into()),
        }
    }
}

async fn create(
    record: &ManagedRecord<TableAccess>,
    cx: &Context<Clients>,
    planned: Object,
) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let name = planned.text(TABLE_NAME).unwrap_or_default();
    let problem = |error: TableError| diagnostics::of_table(&error, "find the table").at_attribute(TABLE_NAME);
    let sys_id = session.names(TABLE, NAME).id_of(name).await.map_err(problem)?;
    let managed = SETTINGS.into_iter().filter(|setting| setting.is_managed(&planned));
    let mut locks = locks(&session, name, managed).await.map_err(problem)?;
    if let Some((setting, _)) = locks.iter().find(|(_, lock)| lock.is_made()) {
        return Err(managed_twice(name, setting.attribute));
    }
    let columns = [
        record.columns().as_slice(),
        &[every::SYS_UPDATED_BY, every::SYS_UPDATED_ON],
    ]
    .concat();
    let before = session.get(TABLE, &sys_id, &columns).await.map_err(problem)?;
    let mut state = planned.with("id", sys_id.as_str());
    let mut row = Row::new();
    for setting in SETTINGS {
        if setting.is_managed(&state) {
            let original = setting.original_in(&before)?;
            row = setting.write(row, state.at(setting.attribute));
            state.set(setting.original, original);
        }
    }
    // The old values must be in the state before the first of them is overwritten.
    cx.keep(&state);
    locks.iter_mut().for_each(|(_, lock)| lock.made(&sys_id));
    let own_work = own_work(&session, &before, &state);
    match write(record, &session, &sys_id, row).await {
        Ok(written) => {
            let mut problems = outcome::unfinished(record.mismatches(&written.mismatches));
            problems.append(own_work.map(Diagnostics::from).unwrap_or_default());
            read_into(&written.record, &mut state, Known::Planned);
            Ok(outcome::of(state, problems))
        }
        Err(error) if outcome::may_have_happened(&error) => Ok(Outcome::Partly(
            state.with_unknown_as_null(),
            diagnostics::of_table(&error, "change the table's access").into(),
        )),
        Err(error) => {
            locks.iter_mut().for_each(|(_, lock)| lock.forget());
            cx.forget();
            Err(diagnostics::of_table(&error, "change the table's access"))
        }
    }
}

/// Waits until nobody else of this process changes or restores any of these settings of a table. Everybody waits in the order of
/// [`SETTINGS`], so that nobody waits for somebody who waits.
async fn locks(
    session: &Session,
    name: &str,
    settings: impl Iterator<Item = Setting>,
) -> Result<Vec<(Setting, KeyLock)>, TableError> {
    let of_table = Query::equals(NAME, name).map_err(TableError::of_query(TABLE))?;
    let mut locks = Vec::new();
    for setting in settings {
        let key = of_table.clone().and(Query::is_not_empty(setting.column));
        locks.push((setting, session.lock_key(TABLE, key).await?));
    }
    Ok(locks)
}

/// The second resource of one setting would take the value of the first for the old one, and restore that.
fn managed_twice(name: &str, setting: &str) -> Diagnostic {
    let detail = format!(
        "Another resource of this apply manages {setting} of the table {name}. Each would restore what the other one \
         configured. Manage the table with one resource."
    );
    Diagnostic::error("The table's access is managed twice", detail).at_attribute(TABLE_NAME)
}

/// A table that another resource of this apply has taken over.
fn left_to_successor(name: &str, settings: &[&str]) -> Diagnostic {
    let detail = format!(
        "Another resource of this apply manages {} of the table {name} from now on. Its destroy restores what it found, which \
         is what this resource had configured. To rename or move a resource, use a `moved` block: it keeps the old values.",
        settings.join(", ")
    );
    Diagnostic::warning("The table's access was left in place", detail)
}

/// A table that is as configured already, and that this account was the last to change: an apply that was interrupted
/// looks like that, and what the table held before it is lost.
fn own_work(session: &Session, before: &Record, state: &Object) -> Option<Diagnostic> {
    let mut managed = SETTINGS.iter().filter(|setting| setting.is_managed(state));
    let is_as_configured = managed.all(|setting| state.at(setting.attribute) == state.at(setting.original));
    let by = before.text(every::SYS_UPDATED_BY).value()?;
    let on = before.text(every::SYS_UPDATED_ON).value().unwrap_or("an unknown day");
    (is_as_configured && session.is_account(by)).then(|| {
        let detail = format!(
            "Its last change was made by {by}, the account of this provider, on {on} UTC. These settings now count \
             as the old ones, and destroy leaves them as they are. If that apply was interrupted, the true old values \
             are no longer known: restore them in the form after the destroy."
        );
        Diagnostic::warning("The table is already as configured", detail).at_attribute(TABLE_NAME)
    })
}

async fn update(
    record: &ManagedRecord<TableAccess>,
    cx: &Context<Clients>,
    prior: &Object,
    planned: Object,
) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let sys_id = record_resource::require_sys_id(prior)?;
    let before = session.get(TABLE, &sys_id, &record.columns()).await;
    let before = before.map_err(|error| diagnostics::of_table(&error, "read the table's access"))?;
    let mut state = planned;
    // What the state says if nobody knows whether the write happened: everything that may have to be put back.
    let mut doubtful = state.clone();
    let mut row = Row::new();
    for setting in SETTINGS {
        match (setting.is_managed(prior), setting.is_managed(&state)) {
            (was_managed, true) => {
                if !was_managed {
                    let original = setting.original_in(&before)?;
                    state.set(setting.original, original.clone());
                    doubtful.set(setting.original, original);
                }
                if state.at(setting.attribute) != prior.at(setting.attribute) {
                    row = setting.write(row, state.at(setting.attribute));
                }
            }
            (true, false) => {
                row = setting.write(row, prior.at(setting.original));
                for attribute in [setting.attribute, setting.original] {
                    doubtful.set(attribute, prior.at(attribute).clone());
                }
            }
            (false, false) => {}
        }
    }
    cx.keep(&doubtful);
    match write(record, &session, &sys_id, row).await {
        Ok(written) => {
            let problems = record.mismatches(&written.mismatches);
            read_into(&written.record, &mut state, Known::Planned);
            Ok(outcome::of(state, problems))
        }
        Err(error) if outcome::may_have_happened(&error) => Ok(Outcome::Partly(
            doubtful.with_unknown_as_null(),
            diagnostics::of_table(&error, "change the table's access").into(),
        )),
        Err(error) => {
            cx.forget();
            Err(diagnostics::of_table(&error, "change the table's access"))
        }
    }
}

async fn write(
    record: &ManagedRecord<TableAccess>,
    session: &Session,
    sys_id: &SysId,
    row: Row,
) -> Result<Written, TableError> {
    let update = Update {
        table: TABLE,
        sys_id,
        row,
        read: &record.columns(),
        input: InputMode::Stored,
    };
    session.update(update).await
}

fn read_into(record: &Record, state: &mut Object, known: Known) {
    if let Cell::Value(name) = record.text(NAME) {
        state.set(TABLE_NAME, name);
    }
    let left_alone = field::left_alone(Some(state), "");
    for setting in SETTINGS {
        let Some(value) = setting.read(record) else {
            continue;
        };
        match known {
            Known::Planned | Known::Former if setting.is_managed(state) => {
                if left_alone.contains(setting.attribute) {
                    // Nothing was changed here yet.
                    state.set(setting.original, value.clone());
                }
                state.set(setting.attribute, value);
            }
            Known::Planned | Known::Former => {}
            Known::Nothing => {
                let value = if value.as_str() == Some("") { Value::Null } else { value };
                state.set(setting.attribute, value.clone());
                state.set(setting.original, value);
            }
        }
    }
    if known == Known::Nothing {
        let found = SETTINGS.iter().filter(|setting| setting.is_managed(state));
        field::set_left_alone(state, found.map(|setting| setting.attribute.to_owned()).collect());
    }
}

impl Setting {
    fn is_managed(self, state: &Object) -> bool {
        !state.at(self.attribute).is_null()
    }

    /// The column's value: empty text if it is empty, `None` if the account cannot read it.
    fn read(self, record: &Record) -> Option<Value> {
        if self.column.kind() == ColumnKind::Bool {
            return match record.bool(self.column) {
                Cell::Hidden => None,
                Cell::Empty => Some(false.into()),
                Cell::Value(flag) => Some(flag.into()),
            };
        }
        match record.text(self.column) {
            Cell::Hidden => None,
            Cell::Empty => Some("".into()),
            Cell::Value(text) => Some(text.into()),
        }
    }

    fn original_in(self, record: &Record) -> Result<Value, Diagnostic> {
        self.read(record).ok_or_else(|| {
            let detail = format!(
                "The account may not read the column {} of {TABLE}, so destroy could not restore its old value. \
                 Nothing was changed. Give the account a role that may read it ({}), or omit the argument.",
                self.column,
                TABLE.role()
            );
            Diagnostic::error("The old value cannot be read", detail).at_attribute(self.attribute)
        })
    }

    fn write(self, row: Row, value: &Value) -> Row {
        match value {
            Value::Bool(flag) => row.set(self.column, *flag),
            Value::String(text) => row.set(self.column, text.as_str()),
            // Of a state that was imported with an empty column.
            Value::Null => row.clear(self.column),
            Value::Unknown | Value::Number(_) | Value::List(_) | Value::Object(_) | Value::Dynamic(_) => row,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(prior: Option<Object>, config: Object, expected: Value) {
        let mut state = config.clone();
        let original = prior
            .as_ref()
            .map_or(Value::Unknown, |prior| prior.at("original_access").clone());
        state.set("original_access", original);
        TableAccess::plan(&mut Plan {
            config: &config,
            prior: prior.as_ref(),
            state: &mut state,
            replace: &mut Vec::new(),
            diagnostics: &mut Diagnostics::new(),
        });
        assert_eq!(state.at("original_access"), &expected);
    }

    #[test]
    fn an_old_value_is_taken_once_and_kept_while_the_setting_is_configured() {
        let public = || Object::new().with("access", "public");
        check(None, public(), Value::Unknown);
        check(None, Object::new(), Value::Null);
        let kept = public().with("original_access", "package_private");
        check(Some(kept.clone()), public(), "package_private".into());
        let emptied = Object::new()
            .with("access", "")
            .with("original_access", "package_private");
        check(Some(emptied), public(), "package_private".into());
        check(Some(kept), Object::new(), Value::Null);
        check(Some(Object::new()), public(), Value::Unknown);
    }
}
