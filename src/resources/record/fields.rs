//! Between the map of a configuration and the columns of the record.

use crate::http::{Secret, secret};
use crate::plugin::path::{Path, Step};
use crate::plugin::{Diagnostic, Diagnostics, Object, Plan, Value};
use crate::records::any_table::{FIELDS, holds_secret, may_be_secret, name_of, table_of, target, to_wire};
use crate::records::application_scope::APPLICATION;
use crate::records::{diagnostics, record_resource};
use crate::resources::record::attributes::{
    CLASS_NAME, DEFAULT_FIELDS, DISPLAY_VALUE, FIELDS_WO, REFERENCE_IDS, SCOPE, SCOPE_ID,
};
use crate::servicenow::tables::{every, sys_properties};
use crate::servicenow::{
    Cause, Cell, Column, ColumnKind, Dictionary, DictionaryColumn, Mismatch, Record, Row, Session, SysId, TableError,
    Value as Wire, ValueType, Written, means_the_same,
};

/// What a write sends, and what its references mean.
pub(super) struct Sent {
    pub(super) row: Row,
    /// The sys_ids of all references in the plan, by column.
    pub(super) ids: Object,
}

/// The secrets of a write.
#[derive(Default)]
pub(super) struct Secrets {
    /// Those that go along with the other columns.
    pub(super) along: Row,
    /// Those that need a request of their own.
    pub(super) one_way: Row,
}

/// The place of a column in the configuration.
pub(super) fn place(column: &str) -> Path {
    Path::of(FIELDS).join(Step::Key(column.to_owned()))
}

/// The columns that a state follows, and those that its computed attributes need.
pub(super) fn columns(dictionary: &Dictionary, state: &Object) -> Vec<Column> {
    let named = [FIELDS, DEFAULT_FIELDS].into_iter();
    let named = named.filter_map(|name| state.object(name)).flat_map(Object::iter);
    let mut columns: Vec<Column> = named.filter_map(|(name, _)| dictionary.column_or_text(name)).collect();
    columns.push(every::SYS_CLASS_NAME);
    columns.extend(dictionary.display_column());
    if dictionary.table == sys_properties::TABLE {
        columns.push(sys_properties::TYPE);
    }
    if !state.at(SCOPE).is_null() {
        columns.push(every::SYS_SCOPE);
    }
    columns
}

/// What the plan of an update changes, or all of a new record.
pub(super) async fn to_send(
    session: &Session,
    dictionary: &Dictionary,
    prior: Option<&Object>,
    planned: &Object,
) -> Result<Sent, Diagnostics> {
    let nothing = Object::new();
    let former_ids = prior.and_then(|prior| prior.object(REFERENCE_IDS)).unwrap_or(&nothing);
    let mut sent = Sent {
        row: Row::new(),
        ids: Object::new(),
    };
    let mut problems = Diagnostics::new();
    let values = planned.object(FIELDS).into_iter().flat_map(Object::iter);
    for (name, value) in values {
        let (Some(text), Some(column)) = (value.as_str(), dictionary.column_or_text(name)) else {
            continue;
        };
        if prior.and_then(|prior| former_text(prior, name)) == Some(text) {
            if let Some(id) = former_ids.text(name) {
                sent.ids.set(name, id);
            }
            continue;
        }
        match to_wire(session, dictionary.column(name), text).await {
            Ok(wire) => {
                if let (Wire::Reference(id), true) = (&wire, column.kind() == ColumnKind::Reference) {
                    sent.ids.set(name, id.as_str());
                }
                sent.row = std::mem::take(&mut sent.row).set(column, wire);
            }
            Err(problem) => problems.push(problem.at(place(name))),
        }
    }
    if problems.has_errors() { Err(problems) } else { Ok(sent) }
}

/// What the state has for a column.
pub(super) fn former_text<'a>(prior: &'a Object, name: &str) -> Option<&'a str> {
    let of = |attribute| prior.object(attribute).and_then(|values| values.text(name));
    of(FIELDS).or_else(|| of(DEFAULT_FIELDS))
}

/// The write-only values of a configuration, as the instance stores them.
pub(super) async fn secrets(
    session: &Session,
    dictionary: &Dictionary,
    config: &Object,
) -> Result<Secrets, Diagnostic> {
    let mut secrets = Secrets::default();
    let values = config.object(FIELDS_WO).into_iter().flat_map(Object::iter);
    for (name, value) in values {
        let Some(text) = value.as_str() else { continue };
        secret::register(&Secret::from(text));
        let known = dictionary.column(name);
        let wire = to_wire(session, known, text).await;
        let wire = wire.map_err(|problem| {
            let place = Path::of(FIELDS_WO).join(Step::Key(name.clone()));
            if !problem.detail.contains(text) {
                return problem.at(place);
            }
            let detail = format!(
                "The value of {name} in fields_wo is not a sys_id, and it is not the name of exactly one record that the account may \
                 read. Use the sys_id of the record."
            );
            Diagnostic::error("The reference cannot be looked up", detail).at(place)
        })?;
        let hidden = Secret::from(wire.into_wire());
        let is_one_way = known.is_some_and(|column| column.value_type == ValueType::Secret { one_way: true });
        if let Some(column) = Column::named(name, ColumnKind::Secret) {
            let row = if is_one_way {
                &mut secrets.one_way
            } else {
                &mut secrets.along
            };
            *row = std::mem::take(row).set(column, hidden);
        }
    }
    Ok(secrets)
}

/// Both rows as one.
pub(super) fn joined(row: Row, other: Row) -> Row {
    let values: Vec<_> = other
        .columns()
        .filter_map(|column| Some((column, other.value(column)?.clone())))
        .collect();
    values
        .into_iter()
        .fold(row, |row, (column, value)| row.set(column, value))
}

/// Says that a configuration has a secret where the state keeps it.
pub(super) fn of_secrets(dictionary: &Dictionary, record: &Record, state: &Object) -> impl Iterator<Item = Diagnostic> {
    let names = state
        .object(FIELDS)
        .into_iter()
        .flat_map(Object::iter)
        .map(|(name, _)| name);
    let secrets = names.filter(|name| holds_secret(dictionary.table, record, name));
    let of_type = record.text(sys_properties::TYPE).value().unwrap_or_default();
    secrets.map(move |name| {
        Diagnostic::warning(format!("The column {name} is a secret"), secret_property(of_type)).at(place(name))
    })
}

/// Why the value of a system property does not belong in `fields`.
pub(super) fn secret_property(of_type: &str) -> String {
    format!(
        "A system property of the type {of_type} holds a secret. What fields holds is stored in the state and shown in plans. \
         Move it to fields_wo, and set fields_wo_version."
    )
}

/// What the instance did not keep. Secrets are not compared.
pub(super) fn mismatches(dictionary: &Dictionary, written: &Written) -> Diagnostics {
    let open = written
        .mismatches
        .iter()
        .filter(|it| !holds_secret(dictionary.table, &written.record, it.column.name()));
    let open: Vec<Mismatch> = open
        .map(|it| match dictionary.column(it.column.name()) {
            Some(known) if known.is_calculated || known.is_read_only => Mismatch {
                cause: Cause::ReadOnly,
                ..it.clone()
            },
            Some(_) | None => it.clone(),
        })
        .collect();
    of_mismatches(&open)
}

/// The same where nothing of the table is known but what was sent.
pub(super) fn of_mismatches(mismatches: &[Mismatch]) -> Diagnostics {
    diagnostics::of_mismatches(mismatches, |column| {
        if column == every::SYS_SCOPE.name() {
            Path::of(SCOPE)
        } else {
            place(column)
        }
    })
}

/// Fills what is not configured from the record.
pub(super) async fn read_computed(
    session: &Session,
    dictionary: &Dictionary,
    record: &Record,
    state: &mut Object,
    ids: Object,
) -> Result<(), Diagnostic> {
    state.set(REFERENCE_IDS, ids);
    let display = dictionary.display_column().map(|column| record.text(column));
    set_text(state, DISPLAY_VALUE, display.unwrap_or(Cell::Empty));
    match record.text(every::SYS_CLASS_NAME) {
        Cell::Value(class) => state.set(CLASS_NAME, class),
        // A table that nothing extends has no such column.
        Cell::Empty | Cell::Hidden => {
            let table = table_of(state).map(|table| table.name());
            state.set(CLASS_NAME, table);
        }
    }
    read_scope(session, record, state).await
}

fn set_text(state: &mut Object, name: &str, cell: Cell<&str>) {
    match cell {
        Cell::Value(text) => state.set(name, text),
        Cell::Empty => state.set(name, Value::Null),
        // What cannot be read stays as it was.
        Cell::Hidden if state.at(name).is_unknown() => state.set(name, Value::Null),
        Cell::Hidden => {}
    }
}

async fn read_scope(session: &Session, record: &Record, state: &mut Object) -> Result<(), Diagnostic> {
    let held = record.reference(every::SYS_SCOPE);
    match (state.text(SCOPE).is_some(), held) {
        (true, Cell::Value(held)) => {
            if state.text(SCOPE_ID).is_some_and(|known| known != held) {
                let name = APPLICATION.name_of(session, held).await?;
                state.set(SCOPE, name);
            }
            state.set(SCOPE_ID, held);
        }
        (_, _) => {
            for name in [SCOPE, SCOPE_ID] {
                if state.at(name).is_unknown() {
                    state.set(name, Value::Null);
                }
            }
        }
    }
    Ok(())
}

/// Writes what the record has into a state that follows it.
pub(super) async fn read_into(
    session: &Session,
    dictionary: &Dictionary,
    record: &Record,
    state: &mut Object,
) -> Result<(), Diagnostic> {
    let mut fields = state.object(FIELDS).cloned().unwrap_or_default();
    let mut ids = state.object(REFERENCE_IDS).cloned().unwrap_or_default();
    let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    for name in names {
        let Some(column) = dictionary.column_or_text(&name) else {
            continue;
        };
        if holds_secret(dictionary.table, record, &name) {
            continue;
        }
        let former = fields.text(&name).unwrap_or_default();
        match record.text(column) {
            Cell::Hidden => {}
            Cell::Empty => {
                if !former.trim().is_empty() && !is_empty_boolean(column, former) {
                    fields.set(&name, "");
                }
                ids.0.remove(&name);
            }
            Cell::Value(held) => match dictionary.column(&name) {
                Some(reference) if reference.value_type == ValueType::Reference => {
                    let is_known = ids.text(&name).is_some_and(|id| id.eq_ignore_ascii_case(held));
                    let is_same = former.trim().eq_ignore_ascii_case(held)
                        || (is_known && still_means(session, reference, former, held).await);
                    if !is_same {
                        let shown = name_of(session, reference, held).await?;
                        // Another record of the same name.
                        let is_other = shown == former && ids.text(&name).is_some();
                        fields.set(&name, if is_other { held.to_owned() } else { shown });
                    }
                    if SysId::parse(held).is_ok() {
                        ids.set(&name, held);
                    }
                }
                Some(_) | None => {
                    if !means_the_same(column.kind(), former, held) {
                        fields.set(&name, held);
                    }
                }
            },
        }
    }
    state.set(FIELDS, fields);
    if let Some(mut defaults) = state.object(DEFAULT_FIELDS).cloned() {
        for (name, value) in &mut defaults.0 {
            if holds_secret(dictionary.table, record, name) {
                continue;
            }
            let held = dictionary
                .column_or_text(name)
                .map_or(Cell::Hidden, |column| record.text(column));
            match held {
                Cell::Hidden => {}
                Cell::Empty => *value = Value::from(""),
                Cell::Value(held) => *value = Value::from(held),
            }
        }
        state.set(DEFAULT_FIELDS, defaults);
    }
    read_computed(session, dictionary, record, state, ids).await
}

/// Whether the text of a reference still means the record that it meant.
async fn still_means(session: &Session, column: &DictionaryColumn, text: &str, held: &str) -> bool {
    match target(session, column).await {
        Ok(Some(target)) => target.still_means(session, text, held).await,
        Ok(None) | Err(_) => true,
    }
}

/// The instance may store nothing for false.
fn is_empty_boolean(column: Column, former: &str) -> bool {
    column.kind() == ColumnKind::Bool && means_the_same(ColumnKind::Bool, former, "")
}

/// Plans the map as it was where the configuration says the same in other words, or less of it.
pub(super) async fn plan(session: Option<&Session>, dictionary: Option<&Dictionary>, plan: &mut Plan<'_>) {
    let Some(prior) = plan.prior else { return };
    plan_scope(session, prior, plan).await;
    let (Some(former), Some(planned)) = (prior.object(FIELDS), plan.state.object(FIELDS)) else {
        // Nothing is known of the fields, before or after: what follows from them is not known either.
        expect_anything(prior, plan.state);
        return;
    };
    let nothing = Object::new();
    let ids = prior.object(REFERENCE_IDS).unwrap_or(&nothing);
    let mut is_changed = false;
    let mut changes_reference = false;
    for (name, value) in planned.iter() {
        let column = dictionary.and_then(|dictionary| dictionary.column(name));
        let is_same = match (former_text(prior, name), value.as_str()) {
            (Some(former), Some(text)) => {
                let known = (former, ids.text(name));
                is_same_value(session, column, known, text).await
            }
            (_, _) => false,
        };
        if !is_same {
            is_changed = true;
            changes_reference |= column.is_none_or(|column| column.value_type == ValueType::Reference);
        }
    }
    let changes_names = former.len() != planned.len();
    if is_changed {
        let ids = prior.at(REFERENCE_IDS).clone();
        expect_anything(prior, plan.state);
        if !changes_reference && !changes_names {
            plan.state.set(REFERENCE_IDS, ids);
        }
        return;
    }
    if !changes_names {
        plan.state.set(FIELDS, former.clone());
        return;
    }
    // An import found more than the configuration has, which is no change. A secret must not stay in the state for it.
    let is_secret = |name: &str| match dictionary.and_then(|dictionary| dictionary.column(name)) {
        Some(column) => matches!(column.value_type, ValueType::Secret { .. }),
        None => may_be_secret(name),
    };
    let is_imported = !prior.at(DEFAULT_FIELDS).is_null();
    let mut left = former.iter().filter(|(name, _)| planned.at(name).is_null());
    if is_imported && !left.any(|(name, _)| is_secret(name)) {
        plan.state.set(FIELDS, former.clone());
        return;
    }
    let mut kept = ids.clone();
    kept.0.retain(|name, _| !planned.at(name).is_null());
    plan.state.set(REFERENCE_IDS, kept);
}

/// Plans what follows from fields that may change.
fn expect_anything(prior: &Object, state: &mut Object) {
    state.set(DISPLAY_VALUE, Value::Unknown);
    state.set(REFERENCE_IDS, Value::Unknown);
    if !prior.at(DEFAULT_FIELDS).is_null() {
        state.set(DEFAULT_FIELDS, Value::Unknown);
    }
}

/// Another spelling of the application that the record belongs to is no change, and one that is not found an error: a
/// replacement would delete the record first.
async fn plan_scope(session: Option<&Session>, prior: &Object, plan: &mut Plan<'_>) {
    let Some(planned) = plan.state.text(SCOPE).map(str::to_owned) else {
        return;
    };
    let former = prior.text(SCOPE);
    if former == Some(&planned) {
        return;
    }
    let is_same = |known: &str| means_the_same(ColumnKind::Reference, &planned, known);
    let is_known = [former, prior.text(SCOPE_ID)].into_iter().flatten().any(is_same);
    if !is_known {
        let Some(session) = session else { return };
        match APPLICATION.to_wire(session, SCOPE, &planned).await {
            Ok(wire) if belongs_to(session, prior, &wire).await => {}
            Ok(_) => return,
            Err(problem) => {
                plan.diagnostics.push(problem);
                return;
            }
        }
    }
    plan.replace.retain(|path| *path != Path::of(SCOPE));
    if former.is_some() {
        plan.state.set(SCOPE, prior.at(SCOPE).clone());
    } else {
        plan.state.set(SCOPE_ID, Value::Unknown);
    }
}

/// Whether the record belongs to the application already, as far as that can be read.
async fn belongs_to(session: &Session, prior: &Object, application: &Wire) -> bool {
    let wanted = match application {
        Wire::Reference(sys_id) => sys_id.as_str(),
        Wire::Text(text) => text,
        _ => return false,
    };
    let is_wanted = |held: &str| means_the_same(ColumnKind::Reference, held, wanted);
    if let Some(known) = prior.text(SCOPE_ID) {
        return is_wanted(known);
    }
    let (Some(sys_id), Some(table)) = (record_resource::sys_id(prior), table_of(prior)) else {
        return false;
    };
    let found = session.get_opt(table, &sys_id, &[every::SYS_SCOPE]).await;
    matches!(found, Ok(Some(record)) if record.reference(every::SYS_SCOPE).value().is_some_and(is_wanted))
}

/// Whether a text means what the state has for a column.
pub(super) async fn is_same(
    session: &Session,
    dictionary: &Dictionary,
    prior: &Object,
    name: &str,
    text: &str,
) -> bool {
    let Some(former) = former_text(prior, name) else {
        return false;
    };
    let id = prior.object(REFERENCE_IDS).and_then(|ids| ids.text(name));
    is_same_value(Some(session), dictionary.column(name), (former, id), text).await
}

async fn is_same_value(
    session: Option<&Session>,
    column: Option<&DictionaryColumn>,
    (former, id): (&str, Option<&str>),
    text: &str,
) -> bool {
    if former == text {
        return true;
    }
    let Some(column) = column else {
        return means_the_same(ColumnKind::Text, former, text);
    };
    if column.value_type != ValueType::Reference {
        let is_cleared = former.trim().is_empty() != text.trim().is_empty();
        return (!is_cleared || column.value_type == ValueType::Boolean)
            && means_the_same(column.column.kind(), former, text);
    }
    let Some(id) = id else {
        return means_the_same(ColumnKind::Reference, former, text);
    };
    if id.eq_ignore_ascii_case(text.trim()) || former.trim() == text.trim() {
        return true;
    }
    // Another name of the same record, as far as it can be looked up before the apply.
    let (Some(session), false) = (session, SysId::is_one(text)) else {
        return false;
    };
    match target(session, column).await {
        Ok(Some(target)) => match session.names(target.table, target.name).id_of(text).await {
            Ok(found) => found.as_str() == id,
            Err(TableError::UnknownName { .. } | TableError::Ambiguous { .. }) | Err(_) => false,
        },
        Ok(None) | Err(_) => false,
    }
}
