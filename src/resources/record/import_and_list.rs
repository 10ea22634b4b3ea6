//! Records that exist: import, list, and states of other types.

use std::sync::{Arc, Mutex};

use serde_json::Value as Json;

use crate::clients::{Calls, Clients};
use crate::plugin::{
    Context, Diagnostic, Diagnostics, Import, ListRequest, ListSink, Moved, Object, Resource, Schema, Value,
};
use crate::records::any_table::columns::{self, COLUMNS, HiddenColumns, check_query, is_written_by_people};
use crate::records::any_table::{
    FIELDS, TABLE, described, holds_secret, may_be_secret, name_of, noun, require_table, table_attribute, table_of,
    to_wire,
};
use crate::records::application_scope::APPLICATION;
use crate::records::state_migration::{self, THEIRS, is_of_this_provider};
use crate::records::{diagnostics, list, record_resource};
use crate::resources::record::Typed;
use crate::resources::record::attributes::{DEFAULT_FIELDS, REFERENCE_IDS, SCOPE, TYPE, of_key};
use crate::resources::record::fields;
use crate::servicenow::tables::{every, sys_scope};
use crate::servicenow::{
    Cell, Column, Dictionary, DictionaryColumn, Query, Record, Session, SysId, Table, TableError, ValueType,
    means_the_same,
};
use crate::sync::lock as locked;

/// The column that says which table a record belongs to; a table that nothing extends has none.
const CLASS: &[Column] = &[every::SYS_CLASS_NAME];

/// What an import ID looks like.
const FORM: &str = "Use table/sys_id, or table/column=value for a record that can be found by its values, with further columns \
                    after a caret: sys_choice/name=incident^element=state^value=1.";

/// The record that a user names.
pub(super) async fn to_import(session: &Session, target: Import<'_>) -> Result<(Table, SysId), Diagnostics> {
    let invalid = |detail: String| Diagnostic::error("Invalid import ID", detail);
    let (table, key) = match target {
        Import::Identity(identity) => {
            let text = |name: &str| identity.text(name).unwrap_or_default().to_owned();
            (text(TABLE), text("sys_id"))
        }
        Import::Id(id) => match id.split_once('/') {
            Some((table, key)) => (table.trim().to_owned(), key.trim().to_owned()),
            None => return Err(invalid(format!("{id:?} does not name a table. {FORM}")).into()),
        },
    };
    let Some(table) = Table::named(&table) else {
        return Err(invalid(format!("{table:?} is not the name of a table. {FORM}")).into());
    };
    let failed = |error: TableError| {
        let problem = diagnostics::of_table(&error, "find the record to import");
        match error {
            TableError::Ambiguous { .. } => Diagnostic::error("Several records match the import ID", problem.detail),
            _ => problem,
        }
    };
    let found = if key.contains('=') {
        let dictionary = described(session, table).await?;
        let query = key_query(session, &dictionary, &key).await?;
        session.find_unique(table, &query, CLASS).await.map_err(failed)?
    } else {
        let sys_id = SysId::parse(&key).map_err(|error| invalid(format!("{error}. {FORM}")))?;
        session.get_opt(table, &sys_id, CLASS).await.map_err(failed)?
    };
    let class = found
        .as_ref()
        .and_then(|found| found.text(every::SYS_CLASS_NAME).value());
    if let (Some(class), Some(found)) = (class.filter(|class| *class != table.name()), &found) {
        let detail = format!(
            "The record belongs to {class}, which extends {table}, and has columns that {table} does not have. Import it as \
             {class}/{}.",
            found.sys_id()
        );
        return Err(invalid(detail).into());
    }
    match found {
        Some(record) => Ok((table, record.sys_id().clone())),
        None => {
            let detail = format!(
                "No record of {table} has {key}, or the account may not read it. Check the value, and the account's role: {}.",
                table.role()
            );
            Err(Diagnostic::error("Nothing to import", detail).into())
        }
    }
}

/// The records that have all of these values: `column=value^column=value`.
async fn key_query(session: &Session, dictionary: &Dictionary, key: &str) -> Result<Query, Diagnostic> {
    let table = dictionary.table;
    let mut query: Option<Query> = None;
    for part in key.split('^') {
        let Some((name, value)) = part.split_once('=') else {
            let detail = format!("{part:?} is not column=value. {FORM}");
            return Err(Diagnostic::error("Invalid import ID", detail));
        };
        let (name, value) = (name.trim(), value.trim());
        let known = dictionary.column(name);
        let is_secret = match known {
            Some(known) => matches!(known.value_type, ValueType::Secret { .. }),
            None => may_be_secret(name),
        };
        if is_secret {
            let detail = format!(
                "{table}.{name} holds a secret, or may hold one: its values cannot be compared, and the instance logs what is \
                 searched for. Use another column, or the sys_id."
            );
            return Err(Diagnostic::error("Invalid import ID", detail));
        }
        if known.is_some_and(|known| known.is_calculated) {
            let detail = format!(
                "{table}.{name} is calculated at each read, so no record can be found by it. Use another column, or the sys_id."
            );
            return Err(Diagnostic::error("Invalid import ID", detail));
        }
        let column = match (known, dictionary.column_or_text(name)) {
            (Some(column), _) => column.column,
            // What the instance does not know it ignores, and every record would match.
            (None, Some(column)) if !dictionary.is_complete() => column,
            (None, _) => {
                let names: Vec<&str> = dictionary.columns().map(DictionaryColumn::name).collect();
                let meant = crate::suggest::did_you_mean(name, names);
                let detail = format!("{name:?} is not a column of {table}.{meant}");
                return Err(Diagnostic::error("Invalid import ID", detail));
            }
        };
        let wire = to_wire(session, known, value).await?;
        let term =
            Query::equals(column, wire).map_err(|error| diagnostics::of_query(&error, "find the record to import"))?;
        query = Some(match query {
            Some(query) => query.and(term),
            None => term,
        });
    }
    Ok(query.unwrap_or_else(Query::every_row))
}

/// The state of a record that is new to Terraform: what a person would write of it, or those of its columns that `fields`
/// names already.
pub(super) async fn whole(session: &Session, mut state: Object) -> Result<Option<Object>, Diagnostic> {
    let (Some(sys_id), Some(table)) = (record_resource::sys_id(&state), table_of(&state)) else {
        return Ok(None);
    };
    let dictionary = described(session, table).await?;
    let found = session.get_whole(table, &sys_id).await;
    let found = found.map_err(|error| diagnostics::of_table(&error, &format!("read the {}", noun(table))))?;
    let Some(record) = found else { return Ok(None) };
    let (mut values, mut ids, mut defaults) = (Object::new(), Object::new(), Object::new());
    let chosen = state.object(FIELDS).cloned();
    let is_chosen = |name: &str| chosen.as_ref().map(|chosen| !chosen.at(name).is_null());
    for name in record.names() {
        let known = dictionary.column(name);
        let Some(column) = dictionary.column_or_text(name) else {
            continue;
        };
        let Cell::Value(held) = record.text(column) else {
            continue;
        };
        match (worth(&dictionary, known, name, held), is_chosen(name)) {
            (Worth::Line, None | Some(true)) | (Worth::Default, Some(true)) => {}
            (Worth::Default, None | Some(false)) => {
                defaults.set(name, held);
                continue;
            }
            (Worth::Line, Some(false)) | (Worth::Nothing, _) => continue,
        }
        if holds_secret(table, &record, name) {
            continue;
        }
        match known {
            Some(known) if known.value_type == ValueType::Reference => {
                values.set(name, name_of(session, known, held).await?);
                if SysId::parse(held).is_ok() {
                    ids.set(name, held);
                }
            }
            Some(_) | None => values.set(name, held),
        }
    }
    read_scope_of_import(session, &record, &mut state).await?;
    state.set(FIELDS, values);
    state.set(DEFAULT_FIELDS, defaults);
    fields::read_computed(session, &dictionary, &record, &mut state, ids).await?;
    Ok(Some(state))
}

/// The application of a record of another scope than the global one, which nobody needs to write.
async fn read_scope_of_import(session: &Session, record: &Record, state: &mut Object) -> Result<(), Diagnostic> {
    if let Cell::Value(scope) = record.reference(every::SYS_SCOPE)
        && !sys_scope::is_global(scope)
    {
        state.set(SCOPE, APPLICATION.name_of(session, scope).await?);
    }
    Ok(())
}

/// What a value is worth to a configuration.
enum Worth {
    /// A person would write it.
    Line,
    /// A person may write it, and a new record has it anyway.
    Default,
    /// It is the instance's, or a secret.
    Nothing,
}

fn worth(dictionary: &Dictionary, known: Option<&DictionaryColumn>, name: &str, held: &str) -> Worth {
    let Some(column) = known else {
        // Where the dictionary is known, what is not in it is no column.
        let is_own = name.starts_with("sys_") || may_be_secret(name) || dictionary.is_complete();
        return if is_own { Worth::Nothing } else { Worth::Line };
    };
    if !is_written_by_people(column) {
        return Worth::Nothing;
    }
    let kind = column.column.kind();
    let is_default = match &column.default {
        Some(default) => means_the_same(kind, default, held),
        None => column.value_type == ValueType::Boolean && means_the_same(kind, "false", held),
    };
    if is_default { Worth::Default } else { Worth::Line }
}

pub(super) fn list_schema() -> Schema {
    Schema::new(
        "Lists records of a table.",
        vec![
            table_attribute(),
            list::query_attribute("nameSTARTSWITHx_acme^type=string"),
            columns::own_columns_attribute(
                "Columns that a generated configuration is to set, of those that can be set. If omitted, all with a value other \
                 than the default. The others stay as they are on the instance and are not managed.",
            ),
        ],
    )
}

/// The columns that the configuration chose, as `fields` that wait for their values.
async fn chosen(
    session: &Session,
    dictionary: &Arc<Dictionary>,
    config: &Object,
) -> Result<Option<(Vec<Column>, Object)>, Diagnostic> {
    let Some(columns) = columns::listed(session, dictionary, config).await? else {
        return Ok(None);
    };
    let mut fields = Object::new();
    for column in &columns {
        let name = column.name();
        if dictionary
            .column(name)
            .is_some_and(|known| !is_written_by_people(known))
            || name.starts_with("sys_")
        {
            let detail = format!(
                "{}.{name} is written by the instance, so no configuration can set it. Remove it.",
                dictionary.table
            );
            let problem = Diagnostic::error(format!("The column {name} cannot be set"), detail);
            return Err(problem.at_attribute(COLUMNS));
        }
        fields.set(name, "");
    }
    Ok(Some((columns, fields)))
}

pub(super) async fn list(
    resource: &dyn Resource<Clients>,
    cx: &Context<Clients>,
    request: &ListRequest,
    sink: &mut ListSink,
) -> Result<(), Diagnostics> {
    let session = cx.instance()?;
    let table = require_table(&request.config)?;
    let dictionary = described(&session, table).await?;
    if let Some(text) = request.config.text("query") {
        let checked = check_query(&session, &dictionary, &list::user_query(text)?).await;
        checked.map_err(|problem| problem.at_attribute("query"))?;
    }
    let display = dictionary.display_column();
    let display_name = |record: &Record| {
        let shown = display.and_then(|column| record.text(column).value());
        shown.unwrap_or_else(|| record.sys_id().as_str()).to_owned()
    };
    let (chosen, fields) = chosen(&session, &dictionary, &request.config).await?.unzip();
    let chosen = chosen.unwrap_or_default();
    let asked = display
        .into_iter()
        .chain(columns::to_ask(table, &chosen))
        .chain(CLASS.iter().copied());
    let asked: Vec<Column> = asked.collect();
    let hidden: Mutex<(HiddenColumns, usize)> = Mutex::default();
    let list = list::List {
        table,
        columns: &asked,
        rows: None,
        display_name: &display_name,
        state: &|record| {
            let (_, missing) = columns::values(table, record, &chosen);
            let mut hidden = locked(&hidden);
            hidden.0.add(missing);
            hidden.1 += 1;
            let fields = fields.clone().map_or(Value::Null, Value::Object);
            // One of a table that extends this one is imported as what it is.
            let class = record.text(every::SYS_CLASS_NAME).value().and_then(Table::named);
            of_key(class.unwrap_or(table), record.sys_id().as_str()).with(FIELDS, fields)
        },
        resource,
    };
    list.send(cx, request, sink).await?;
    let (hidden, records) = &*locked(&hidden);
    if let Some(warning) = hidden.warning(table, *records) {
        cx.warn(warning);
    }
    Ok(())
}

/// A state of the other provider's type of the same name, or of a type of this provider.
pub(super) fn moved(typed: &[Typed], from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
    if from.provider.ends_with(THEIRS) && from.type_name == TYPE {
        return Some(of_other_provider(from.state));
    }
    let Typed { table, .. } = typed
        .iter()
        .find(|typed| typed.type_name == from.type_name && is_of_this_provider(from))?;
    let state = state_migration::key(from.type_name, from.state).map(|id| of_key(*table, id.as_str()));
    Some(state.map_err(Diagnostics::from))
}

/// The other provider keeps `table`, `fields` and the whole row in `output`, which is dropped: it holds what nobody
/// configured.
pub(super) fn of_other_provider(state: &Json) -> Result<Object, Diagnostics> {
    let sys_id = state_migration::key(TYPE, state)?;
    let table = require_table(&Object::new().with(TABLE, state[TABLE].as_str()))?;
    let mut object = of_key(table, sys_id.as_str());
    // After an import it has no fields there: then the next read fills them in.
    if let Json::Object(theirs) = &state["fields"]
        && !theirs.is_empty()
    {
        let mut values = Object::new();
        for (name, value) in theirs {
            if let Json::String(text) = value {
                values.set(name, text.as_str());
            }
        }
        object.set(FIELDS, values);
        object.set(REFERENCE_IDS, Value::Object(Object::new()));
    }
    Ok(object)
}
