//! `servicenow_record`: one record of any table, by its sys_id or by values that it alone has.

use std::sync::Arc;

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::path::{Path, Step};
use crate::plugin::schema::validate;
use crate::plugin::{
    Attribute, BlockType, Context, DataSource, Diagnostic, Diagnostics, Need, Object, Rule, Schema, Type, Validator,
};
use crate::records::any_table::columns::{
    COLUMNS, HiddenColumns, Purpose, column_of, columns_attribute, is_written_by_people, listed, of_secrets, to_ask,
    values,
};
use crate::records::any_table::{FIELDS, described, noun, require_table, rights_to_read, table_attribute, to_wire};
use crate::records::{diagnostics, lookup};
use crate::servicenow::tables::every;
use crate::servicenow::{Column, Dictionary, FirstRecords, Query, Record, Session, SysId, Table, TableError};

pub(super) struct AnyRecord;

const ID: &str = "id";
const NATURAL_KEY: &str = "natural_key";

impl BlockType for AnyRecord {
    fn type_name(&self) -> &'static str {
        "servicenow_record"
    }

    fn schema(&self) -> Schema {
        let schema = Schema::new(
            "One record of any table, by its `sys_id` or by values that it alone has. Columns are checked against what the \
             instance says of the table in `sys_dictionary`. Secrets are never read. A record that does not exist is an error, \
             and so is one that the account may not read.",
            vec![
                table_attribute(),
                Attribute::text(ID)
                    .optional_computed()
                    .check(validate::not_blank())
                    .describe("The record's `sys_id`. Set exactly one of `id` and `natural_key`."),
                Attribute::of(NATURAL_KEY, Type::map(Type::String))
                    .check(key_values())
                    .describe(
                        "Values that the record alone has, by column name, such as `{ name = \"x_acme.url\" }`. A reference is a \
                         sys_id, or the display value of the record it refers to. Most instances compare texts without regard to case.",
                    ),
                columns_attribute(
                    "If omitted, every column that a person writes and the account may read: none that the instance fills, and \
                     no secret.",
                ),
                Attribute::of(FIELDS, Type::map(Type::String)).computed().describe(
                    "Values by column name: as the instance stores them, so a reference is a sys_id, a choice its value, a time \
                     is in UTC. An empty column is empty text. A column that the account may not read is missing, with a \
                     warning if `columns` lists it.",
                ),
                lookup::text(
                    "display_value",
                    "The record's display value, such as its name: what others show where they refer to it.",
                ),
                lookup::text(
                    "class_name",
                    "The table that the record belongs to: `table`, or one that extends it.",
                ),
            ],
        );
        schema.rule(Rule::ExactlyOneOf(&[ID, NATURAL_KEY]))
    }

    fn needs(&self) -> Vec<Need> {
        rights_to_read()
    }
}

/// What a record can be looked for by.
fn key_values() -> Validator {
    Validator::new("", |checked| {
        let Some(values) = checked.value.as_object() else {
            return Ok(());
        };
        if values.is_empty() {
            return Err("The map is empty. Give a value of a column that identifies the record.".to_owned());
        }
        match values.iter().find(|(_, value)| value.is_blank()) {
            Some((name, _)) => Err(format!(
                "The value of {name:?} is empty, which identifies no record. Give a value."
            )),
            None => Ok(()),
        }
    })
}

#[async_trait]
impl DataSource<Clients> for AnyRecord {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let table = require_table(&config)?;
        let dictionary = described(&session, table).await?;
        let listed = listed(&session, &dictionary, &config).await?;
        let sys_id = match config.text(ID) {
            Some(id) => SysId::parse(id)
                .map_err(|error| Diagnostic::error("Invalid value for id", format!("{error}.")).at_attribute(ID))?,
            None => by_key(&session, &dictionary, &config).await?,
        };
        let record = match &listed {
            Some(columns) => {
                let mut asked = to_ask(table, columns);
                asked.push(every::SYS_CLASS_NAME);
                asked.extend(dictionary.display_column());
                session.get_opt(table, &sys_id, &asked).await
            }
            None => session.get_whole(table, &sys_id).await,
        };
        let record = record.map_err(|error| diagnostics::of_table(&error, &format!("read the {}", noun(table))))?;
        let record = record.ok_or_else(|| absent(table, &format!("sys_id {sys_id}")).at_attribute(ID))?;
        let columns = listed.clone().unwrap_or_else(|| of_people(&dictionary, &record));
        let (fields, hidden) = values(table, &record, &columns);
        let mut warnings: Diagnostics = of_secrets(table, std::slice::from_ref(&record), &columns)
            .into_iter()
            .collect();
        if listed.is_none() && !dictionary.is_complete() {
            warnings.push(of_unknown_type(table));
        }
        if listed.is_some() {
            let mut columns = HiddenColumns::default();
            columns.add(hidden);
            warnings.extend(columns.warning(table, 1));
        }
        let text = |column: Column| record.text(column).value().map(str::to_owned);
        let state = config
            .with(ID, sys_id.as_str())
            .with(FIELDS, fields)
            .with("display_value", dictionary.display_column().and_then(text))
            // A table that nothing extends has no such column.
            .with(
                "class_name",
                text(every::SYS_CLASS_NAME).unwrap_or_else(|| table.name().to_owned()),
            );
        Ok((state, warnings))
    }
}

/// The columns of a whole record that a person writes, as far as it shows them. One of unknown type may hold a secret.
fn of_people(dictionary: &Dictionary, record: &Record) -> Vec<Column> {
    let is_wanted = |name: &&str| dictionary.column(name).is_some_and(is_written_by_people);
    let names = record.names().filter(is_wanted);
    names.filter_map(|name| dictionary.column_or_text(name)).collect()
}

fn of_unknown_type(table: Table) -> Diagnostic {
    let detail = format!(
        "The account cannot read all of what sys_dictionary says of {table}. A column of unknown type may hold a secret, and is left \
         out. List the columns to read in {COLUMNS}, or let the account read sys_dictionary (personalize_dictionary or admin)."
    );
    Diagnostic::warning(format!("Columns of {table} are left out"), detail)
}

/// The one record that has all values of the key.
async fn by_key(session: &Session, dictionary: &Arc<Dictionary>, config: &Object) -> Result<SysId, Diagnostic> {
    let table = dictionary.table;
    let at = |name: &str| Path::of(NATURAL_KEY).join(Step::Key(name.to_owned()));
    let doing = format!("find the {}", noun(table));
    let mut query: Option<Query> = None;
    let mut columns = Vec::new();
    for (name, value) in config.object(NATURAL_KEY).into_iter().flat_map(Object::iter) {
        let text = value.as_str().unwrap_or_default();
        let column = column_of(session, dictionary, name, Purpose::Search).await;
        let column = column.map_err(|problem| problem.at(at(name)))?;
        let wire = to_wire(session, dictionary.column(name), text).await;
        let wire = wire.map_err(|problem| problem.at(at(name)))?;
        let term = Query::equals(column, wire);
        let term = term.map_err(|error| diagnostics::of_query(&error, &doing).at(at(name)))?;
        columns.push((column, text));
        query = Some(match query {
            Some(query) => query.and(term),
            None => term,
        });
    }
    let query = query.unwrap_or_else(Query::every_row);
    let failed = |error: &TableError| diagnostics::of_table(error, &doing).at_attribute(NATURAL_KEY);
    let display: Vec<Column> = dictionary.display_column().into_iter().collect();
    let found = session.first(table, &query, &display, SEVERAL, SEVERAL).await;
    let FirstRecords {
        mut records,
        total,
        hidden,
        ..
    } = found.map_err(|error| failed(&error))?;
    if hidden > 0 {
        return Err(hidden_among(table, &query, records.len(), hidden).at_attribute(NATURAL_KEY));
    }
    if records.len() > 1 && records.iter().any(|record| query.is_exact(record)) {
        records.retain(|record| query.is_exact(record));
    }
    match records.as_slice() {
        [one] => Ok(one.sys_id().clone()),
        [] => Err(no_such(session, table, &columns).await.at_attribute(NATURAL_KEY)),
        several => {
            let shown = several.iter().map(|record| {
                let name = display.first().and_then(|column| record.text(*column).value());
                name.map_or_else(
                    || record.sys_id().to_string(),
                    |name| format!("{} ({name})", record.sys_id()),
                )
            });
            let shown: Vec<String> = shown.collect();
            let count = total.unwrap_or_default().max(shown.len());
            let more = if count > shown.len() { ", and more" } else { "" };
            let detail = format!(
                "{count} records of {table} have {}: {}{more}. Add a column to natural_key that only one of them has, or set id.",
                in_words(&columns),
                shown.join(", ")
            );
            Err(Diagnostic::error(format!("Several records of {table} match"), detail).at_attribute(NATURAL_KEY))
        }
    }
}

/// A record that is counted and not shown may be the one that is meant.
fn hidden_among(table: Table, query: &Query, shown: usize, hidden: usize) -> Diagnostic {
    let detail = format!(
        "{table} has {} {} with {query}, of which {hidden} {} hidden from the account. Whether the record exists, and whether \
         it is the only one, cannot be told. Give the account {}.",
        shown + hidden,
        if shown + hidden == 1 { "record" } else { "records" },
        if hidden == 1 { "is" } else { "are" },
        table.role()
    );
    Diagnostic::error(format!("The {} is hidden", noun(table)), detail)
}

/// With names that resemble the one that was looked for.
async fn no_such(session: &Session, table: Table, key: &[(Column, &str)]) -> Diagnostic {
    let mut problem = absent(table, &in_words(key));
    for (column, text) in key {
        let similar = session.names(table, *column).similar(text).await;
        if !similar.is_empty() && !SysId::is_one(text) {
            let similar: Vec<String> = similar.iter().map(|name| format!("{name:?}")).collect();
            let hint = format!(" Values of {column} that resemble it: {}.", similar.join(", "));
            problem.detail.push_str(&hint);
            break;
        }
    }
    problem
}

fn absent(table: Table, key: &str) -> Diagnostic {
    let detail = format!(
        "No record of {table} has {key}, as far as the account can see: rules of an instance can hide a record without counting \
         it. Check the value, and that the account has {}.",
        table.role()
    );
    Diagnostic::error(format!("Could not find the {}", noun(table)), detail)
}

/// `name = "x" and element = "y"`.
fn in_words(key: &[(Column, &str)]) -> String {
    let terms = key.iter().map(|(column, text)| format!("{column} = {text:?}"));
    terms.collect::<Vec<_>>().join(" and ")
}

/// Records that are looked at: enough to name those that are meant as well.
const SEVERAL: usize = 10;
