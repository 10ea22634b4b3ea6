//! `servicenow_records`: records of any table that match a query.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::path::{Path, Step};
use crate::plugin::schema::validate;
use crate::plugin::{
    Attribute, BlockType, Context, DataSource, Diagnostic, Diagnostics, Need, Object, Schema, Type, Validator, Value,
};
use crate::records::any_table::columns::{
    HiddenColumns, Purpose, check_query, column_of, column_path, columns_attribute, listed, of_secrets, to_ask, values,
};
use crate::records::any_table::{TABLE, described, require_table, rights_to_read, table_attribute};
use crate::records::{diagnostics, list, lookup};
use crate::servicenow::tables::every;
use crate::servicenow::{Column, FirstRecords, Query, Table};

pub(super) struct AnyRecords;

const QUERY: &str = "query";
const ORDER_BY: &str = "order_by";
const LIMIT: &str = "limit";
/// What stands after a column to begin with its largest value.
const DESCENDING: &str = " desc";

impl BlockType for AnyRecords {
    fn type_name(&self) -> &'static str {
        "servicenow_records"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "Records of any table that match a query. The query and all columns are checked against what the instance says of \
             the table in `sys_dictionary`, because an instance ignores what it does not understand and returns every record. \
             Secrets are never read. Records that are hidden from the account are counted in a warning.",
            vec![
                table_attribute(),
                list::query_attribute("active=true^nameSTARTSWITHx_acme"),
                columns_attribute("If omitted, the column that stands for a record, such as its name."),
                Attribute::of(ORDER_BY, Type::list(Type::String))
                    .check(validate::each(order_column()))
                    .describe(
                        "Columns to order by, the first one first, such as `name`; with ` desc` after it, the largest value comes \
                         first. Records that are equal in these columns, and all of them if omitted, are ordered by `sys_id`, so \
                         that every run returns the same order.",
                    ),
                Attribute::integer(LIMIT)
                    .check(validate::between(1, MOST as i64))
                    .describe(format!(
                        "How many records to return at most: {DEFAULT_LIMIT} if omitted, with a warning if more match. At most \
                         {MOST} rows are looked at."
                    )),
                Attribute::of("records", Type::list(Type::map(Type::String))).computed().describe(
                    "The records: values by column name, as the instance stores them, and always `sys_id`. A reference is a sys_id, \
                     a choice its value, a time is in UTC. An empty column is empty text. A column that the account may not read \
                     is missing, with a warning.",
                ),
                lookup::integer(
                    "total",
                    "How many records match, those that are hidden from the account or exceed `limit` included; null if the instance \
                     does not count.",
                ),
            ],
        )
    }

    fn needs(&self) -> Vec<Need> {
        rights_to_read()
    }

    fn validate(&self, config: &Object) -> Diagnostics {
        let query = config.text(QUERY).map(list::user_query);
        query.and_then(Result::err).into_iter().collect()
    }
}

/// A column, and perhaps the direction.
fn order_column() -> Validator {
    let column = column_path();
    Validator::text("", move |text| {
        let name = text.strip_suffix(DESCENDING).unwrap_or(text);
        if column.accepts(&Value::from(name), &Object::new()) {
            return Ok(());
        }
        Err(format!(
            "{text:?} is not a column to order by: write the name of a column, such as name, or name{DESCENDING} for the largest first."
        ))
    })
}

#[async_trait]
impl DataSource<Clients> for AnyRecords {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let table = require_table(&config)?;
        let dictionary = described(&session, table).await?;
        let columns = match listed(&session, &dictionary, &config).await? {
            Some(columns) => columns,
            None => dictionary.display_column().into_iter().collect(),
        };
        let mut query = match config.text(QUERY) {
            Some(text) => list::user_query(text)?,
            None => Query::every_row(),
        };
        check_query(&session, &dictionary, &query)
            .await
            .map_err(|problem| problem.at_attribute(QUERY))?;
        for (number, text) in (0..).zip(config.texts(ORDER_BY).unwrap_or_default()) {
            let at = Path::of(ORDER_BY).join(Step::Index(number));
            let name = text.strip_suffix(DESCENDING);
            let column = column_of(&session, &dictionary, name.unwrap_or(text), Purpose::Order).await;
            let column = column.map_err(|problem| problem.at(at))?;
            query = match name {
                Some(_) => query.order_by_descending(column),
                None => query.order_by(column),
            };
        }
        let limit = config.integer(LIMIT).and_then(|limit| usize::try_from(limit).ok());
        let found = session
            .first(
                table,
                &query,
                &to_ask(table, &columns),
                limit.unwrap_or(DEFAULT_LIMIT),
                MOST,
            )
            .await;
        let found = found.map_err(|error| diagnostics::of_table(&error, &format!("read the records of {table}")))?;
        let mut warnings: Diagnostics = incomplete(table, &found).into_iter().collect();
        if limit.is_none() {
            warnings.extend(cut_off(table, &found));
        }
        warnings.extend(of_secrets(table, &found.records, &columns));
        let (records, hidden) = shown(table, &found, &columns);
        warnings.extend(hidden.warning(table, records.len()));
        let total = found.total.and_then(|total| i64::try_from(total).ok());
        let state = config.with("records", Value::List(records)).with("total", total);
        Ok((state, warnings))
    }
}

fn shown(table: Table, found: &FirstRecords, columns: &[Column]) -> (Vec<Value>, HiddenColumns) {
    let mut hidden_columns = HiddenColumns::default();
    let records = found.records.iter().map(|record| {
        let (mut values, hidden) = values(table, record, columns);
        hidden_columns.add(hidden);
        values.set(every::SYS_ID.name(), record.sys_id().as_str());
        Value::Object(values)
    });
    let records = records.collect();
    (records, hidden_columns)
}

/// Rows that are counted and not shown.
fn incomplete(table: Table, found: &FirstRecords) -> Option<Diagnostic> {
    let mut detail = match (found.hidden, found.total) {
        (0, Some(_)) => return None,
        (_, None) => format!(
            "The instance did not count the records of {table} that match, so it cannot be told whether some are hidden from the \
             account. A proxy or gateway may remove the header X-Total-Count."
        ),
        (hidden, Some(_)) => format!(
            "{hidden} of the records of {table} that match {} hidden from the account, and are not among the {} that were read. \
             Give the account {}. If it has one, an access rule (ACL) hides single rows from it.",
            if hidden == 1 { "is" } else { "are" },
            found.records.len(),
            table.role()
        ),
    };
    if let Some(rows) = found.passed_over {
        detail.push_str(&format!(
            " Only the first {rows} matching rows were looked at: narrow the query to those that the account may read."
        ));
    }
    let problem = Diagnostic::warning(format!("The records of {table} are not complete"), detail);
    Some(problem.at_attribute(TABLE))
}

/// More records match than are returned, and nobody asked for a part of them.
fn cut_off(table: Table, found: &FirstRecords) -> Option<Diagnostic> {
    let total = found.total?;
    if found.records.len() < DEFAULT_LIMIT || total <= DEFAULT_LIMIT {
        return None;
    }
    let detail = format!(
        "{total} records of {table} match, and the first {DEFAULT_LIMIT} were read. Narrow the query, or set {LIMIT}, at most {MOST}."
    );
    Some(Diagnostic::warning(format!("The records of {table} are cut off"), detail).at_attribute(LIMIT))
}

const DEFAULT_LIMIT: usize = 1000;
/// Rows that are looked at, in ten requests.
const MOST: usize = 10_000;
