//! The choices of a column (`sys_choice`), read once for the life of the process.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::servicenow::error::TableError;
use crate::servicenow::query::Query;
use crate::servicenow::record::Cell;
use crate::servicenow::session::Session;
use crate::servicenow::shared_state::{Choice, Choices};
use crate::servicenow::table::{Column, Table};
use crate::servicenow::tables::sys_choice;
use crate::sync::lock;

impl Session {
    /// The choices of a column, in English or without a language. A child table inherits its parents' choices: name them
    /// all, the child first.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn choices<'a>(
        &'a self,
        tables: &'a [Table],
        column: Column,
    ) -> BoxFuture<'a, Result<Arc<Choices>, TableError>> {
        Box::pin(async move {
            let names: Vec<&str> = tables.iter().map(Table::name).collect();
            let key = (names.join(","), column.name().to_owned());
            if let Some(known) = lock(&self.inner.choices.by_column).get(&key) {
                return Ok(Arc::clone(known));
            }
            let wrong = TableError::of_query(sys_choice::TABLE);
            let query = Query::any_of(sys_choice::NAME, names)
                .and_then(|query| Ok(query.and(Query::equals(sys_choice::ELEMENT, column.name())?)))
                .map_err(wrong)?;
            let mut found = self.selection(sys_choice::TABLE, &query, sys_choice::COLUMNS).await;
            let is_odd = match &found {
                Ok(found) => found.records.is_empty(),
                Err(error) => matches!(error, TableError::Refused { .. }),
            };
            if is_odd {
                // What is unusual for long can also be so for a moment.
                self.wait_before_recheck().await;
                found = self.selection(sys_choice::TABLE, &query, sys_choice::COLUMNS).await;
            }
            let (is_complete, rows) = match found {
                Ok(found) => (found.is_complete(), found.records),
                // A column of the query cannot be read.
                Err(TableError::Hidden { .. }) => (false, Vec::new()),
                Err(error) => return Err(error),
            };
            let mut choices = Choices {
                list: Vec::new(),
                is_complete: is_complete && !rows.is_empty(),
            };
            for row in rows {
                let is_foreign = matches!(row.text(sys_choice::LANGUAGE), Cell::Value(language) if language != "en");
                let is_inactive = row.bool(sys_choice::INACTIVE) == Cell::Value(true);
                if [sys_choice::VALUE, sys_choice::LABEL]
                    .iter()
                    .any(|column| row.text(*column) == Cell::Hidden)
                {
                    choices.is_complete = false;
                }
                let Cell::Value(value) = row.text(sys_choice::VALUE) else {
                    continue;
                };
                if is_foreign || is_inactive || choices.list.iter().any(|known| known.value == value) {
                    continue;
                }
                let label = row.text(sys_choice::LABEL).value().unwrap_or(value).to_owned();
                choices.list.push(Choice {
                    value: value.to_owned(),
                    label,
                });
            }
            let choices = Arc::new(choices);
            lock(&self.inner.choices.by_column).insert(key, Arc::clone(&choices));
            Ok(choices)
        })
    }
}
