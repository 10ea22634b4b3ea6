//! Reads the dictionary of a table, once for the life of the process however many ask.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::servicenow::dictionary::{Dictionary, Gap};
use crate::servicenow::error::TableError;
use crate::servicenow::keyed_map::entry_of;
use crate::servicenow::pages::Selection;
use crate::servicenow::query::{Query, QueryError};
use crate::servicenow::record::{Cell, Record};
use crate::servicenow::session::Session;
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, ColumnKind, Table};
use crate::servicenow::tables::{sys_db_object, sys_dictionary, sys_dictionary_override};

impl Session {
    /// What the instance says of a table, as far as the account may read it.
    ///
    /// # Errors
    /// [`TableError::NoSuchTable`] where the instance says that there is none; else that nothing could be asked.
    pub fn dictionary(&self, table: Table) -> BoxFuture<'_, Result<Arc<Dictionary>, TableError>> {
        Box::pin(async move {
            let cell = entry_of(&self.inner.dictionaries, table, OnceCell::new);
            // A failure is kept as well: what hundreds of records wait for is not asked for hundreds of times.
            let read = async || match self.read_dictionary(table).await {
                Err(error @ TableError::Cancelled { .. }) => Err(error),
                answer => Ok(answer.map(Arc::new)),
            };
            cell.get_or_try_init(read).await?.clone()
        })
    }

    async fn read_dictionary(&self, table: Table) -> Result<Dictionary, TableError> {
        let mut gaps = Vec::new();
        let lineage = match self.lineage(table).await? {
            Some(lineage) => lineage,
            None => {
                // A table that is not shown may be there all the same: the instance says so when it is asked for its records.
                if let Err(error @ TableError::NoSuchTable { .. }) = self.sample(table).await {
                    return Err(error);
                }
                gaps.push(Gap::Ancestors);
                vec![table]
            }
        };
        let names = || lineage.iter().map(Table::name);
        let of_tables = |table: Table, name: Column, element: Column| {
            let query = Query::any_of(name, names())?.and(Query::is_not_empty(element));
            Ok::<_, QueryError>((table, query))
        };
        let wrong = TableError::of_query(table);
        let columns = of_tables(sys_dictionary::TABLE, sys_dictionary::NAME, sys_dictionary::ELEMENT);
        let columns = columns.map_err(wrong)?;
        let overrides = sys_dictionary_override::TABLE;
        let overrides = of_tables(
            overrides,
            sys_dictionary_override::NAME,
            sys_dictionary_override::ELEMENT,
        );
        let overrides = overrides.map_err(wrong)?;
        let (columns, overrides) = tokio::join!(
            self.selection(columns.0, &columns.1, sys_dictionary::COLUMNS),
            self.selection(overrides.0, &overrides.1, sys_dictionary_override::COLUMNS)
        );
        let columns = match columns {
            Ok(columns) => {
                gaps.extend(gap_of_columns(table, &columns));
                columns.records
            }
            Err(error) => {
                gaps.push(Gap::Columns(unreadable(error)?));
                Vec::new()
            }
        };
        let overrides = match overrides {
            Ok(overrides) => {
                if !overrides.is_complete() {
                    gaps.push(Gap::Overrides);
                }
                overrides.records
            }
            // Without the table there are none.
            Err(TableError::NoSuchTable { .. }) => Vec::new(),
            Err(error) => {
                unreadable(error)?;
                gaps.push(Gap::Overrides);
                Vec::new()
            }
        };
        Ok(Dictionary::new(lineage, &columns, &overrides, gaps))
    }

    /// The table and those that it extends, nearest first; none where the account cannot tell.
    async fn lineage(&self, table: Table) -> Result<Option<Vec<Table>>, TableError> {
        let query =
            Query::equals(sys_db_object::NAME, table.name()).map_err(TableError::of_query(sys_db_object::TABLE))?;
        let ancestors = ancestor_columns();
        let wanted = [&[sys_db_object::NAME, sys_db_object::SUPER_CLASS], ancestors.as_slice()].concat();
        let row = match self.find_unique(sys_db_object::TABLE, &query, &wanted).await {
            Ok(row) => row,
            Err(error) => {
                unreadable(error)?;
                None
            }
        };
        match row {
            Some(row) => self.lineage_of(table, row, &ancestors).await,
            None => Ok(None),
        }
    }

    /// What each of these tables extends, the table itself first; one where the account cannot tell is left out. One
    /// request for all where the instance follows references.
    ///
    /// # Errors
    /// [`TableError`], but not for the lack of a right.
    pub async fn lineages(&self, tables: &[Table]) -> Result<HashMap<Table, Vec<Table>>, TableError> {
        let ancestors = ancestor_columns();
        let wanted = [&[sys_db_object::NAME, sys_db_object::SUPER_CLASS], ancestors.as_slice()].concat();
        let query = Query::any_of(sys_db_object::NAME, tables.iter().map(Table::name));
        let query = query.map_err(TableError::of_query(sys_db_object::TABLE))?;
        let rows = match self.selection(sys_db_object::TABLE, &query, &wanted).await {
            Ok(found) => found.records,
            Err(error) => {
                unreadable(error)?;
                Vec::new()
            }
        };
        let mut lineages = HashMap::new();
        for row in rows {
            let Some(table) = row.text(sys_db_object::NAME).value().and_then(Table::named) else {
                continue;
            };
            if let Some(lineage) = self.lineage_of(table, row, &ancestors).await? {
                lineages.insert(table, lineage);
            }
        }
        Ok(lineages)
    }

    async fn lineage_of(
        &self,
        table: Table,
        row: Record,
        ancestors: &[Column],
    ) -> Result<Option<Vec<Table>>, TableError> {
        let mut lineage = vec![table];
        for ancestor in ancestors {
            match row.text(*ancestor) {
                Cell::Value(name) => match Table::named(name) {
                    Some(known) if !lineage.contains(&known) => lineage.push(known),
                    Some(_) | None => return Ok(None),
                },
                Cell::Empty => return Ok(Some(lineage)),
                Cell::Hidden => break,
            }
        }
        // The instance does not follow references in a list of columns, or there are more ancestors.
        self.walk_up(row, lineage).await
    }

    /// Follows `super_class` from the record of the first table of a lineage.
    async fn walk_up(&self, row: Record, mut lineage: Vec<Table>) -> Result<Option<Vec<Table>>, TableError> {
        lineage.truncate(1);
        let mut row = row;
        while lineage.len() <= MOST_ANCESTORS {
            let parent = match row.reference(sys_db_object::SUPER_CLASS) {
                Cell::Value(parent) => SysId::from_answer(parent),
                Cell::Empty => return Ok(Some(lineage)),
                Cell::Hidden => None,
            };
            let Some(parent) = parent else { return Ok(None) };
            let columns = [sys_db_object::NAME, sys_db_object::SUPER_CLASS];
            let found = match self.get_opt(sys_db_object::TABLE, &parent, &columns).await {
                Ok(found) => found,
                Err(error) => {
                    unreadable(error)?;
                    None
                }
            };
            let Some(found) = found else { return Ok(None) };
            match found.text(sys_db_object::NAME).value().and_then(Table::named) {
                Some(name) if !lineage.contains(&name) => lineage.push(name),
                Some(_) | None => return Ok(None),
            }
            row = found;
        }
        Ok(None)
    }
}

fn gap_of_columns(table: Table, columns: &Selection) -> Option<Gap> {
    let why = if columns.records.is_empty() {
        format!("sys_dictionary shows no column of {table} to the account")
    } else if columns.is_complete() {
        let names = [sys_dictionary::ELEMENT, sys_dictionary::INTERNAL_TYPE];
        let is_hidden = |row: &Record| names.iter().any(|name| row.text(*name).is_hidden());
        if !columns.records.iter().any(is_hidden) {
            return None;
        }
        "the account cannot read the columns element and internal_type of sys_dictionary".to_owned()
    } else {
        format!("sys_dictionary shows a part of the columns of {table} to the account")
    };
    Some(Gap::Columns(why))
}

/// Why a table cannot be read, where that is a matter of rights; else the error.
fn unreadable(error: TableError) -> Result<String, TableError> {
    match error {
        TableError::Refused { table, .. }
        | TableError::Hidden { table, .. }
        | TableError::Unproven { table, .. }
        | TableError::NoSuchTable { table, .. } => Ok(format!("the account cannot read {table}")),
        error => Err(error),
    }
}

/// `super_class.name`, `super_class.super_class.name` and so on.
fn ancestor_columns() -> Vec<Column> {
    let walk = |depth| format!("{}.", sys_db_object::SUPER_CLASS).repeat(depth);
    let names = (1..=MOST_ANCESTORS).map(|depth| format!("{}{}", walk(depth), sys_db_object::NAME));
    names.map(|name| Column::walked(&name, ColumnKind::Text)).collect()
}

/// Of a table. The deepest classes of the platform's configuration database have fewer.
const MOST_ANCESTORS: usize = 10;
