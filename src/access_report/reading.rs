//! What a table shows to an account, in one request.

use std::collections::BTreeSet;

use crate::access_report::wanted::Wanted;
use crate::records::diagnostics;
use crate::servicenow::{Column, Session, TableError};

/// What an account sees of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Sight {
    NoSuchTable,
    /// The instance refused the list, in its own words.
    Refused(String),
    /// The query is about a column that no row shows: the instance would ignore it.
    QueryHidden(String),
    /// What is shown contradicts what was asked for, such as rows that hide a column of the query.
    Unclear(String),
    Rows(Seen),
}

/// The first rows of a table.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Seen {
    /// How many were shown.
    pub(super) shown: usize,
    /// How many of the first rows were counted and not shown.
    pub(super) hidden: usize,
    /// How many rows the instance counts, hidden ones included; none where it does not count.
    pub(super) total: Option<usize>,
    /// Columns that a row does not show.
    pub(super) missing: BTreeSet<String>,
}

impl Sight {
    /// The columns that were asked for and not shown.
    pub(super) fn missing_columns(&self) -> BTreeSet<String> {
        match self {
            Sight::Rows(seen) => seen.missing.clone(),
            Sight::QueryHidden(column) => BTreeSet::from([column.clone()]),
            Sight::NoSuchTable | Sight::Refused(_) | Sight::Unclear(_) => BTreeSet::new(),
        }
    }
}

/// Reads the first rows of a table.
///
/// # Errors
/// Where the answer says nothing about rights.
pub(super) async fn look(session: &Session, wanted: &Wanted, size: usize) -> Result<Sight, TableError> {
    let Wanted {
        table, columns, query, ..
    } = wanted;
    let mut pages = session.pages(*table, query, columns, size);
    let rows = match pages.next().await {
        Ok(rows) => rows.unwrap_or_default(),
        Err(TableError::NoSuchTable { .. }) => return Ok(Sight::NoSuchTable),
        Err(error @ TableError::Refused { .. }) => return Ok(Sight::Refused(diagnostics::explain(&error, ""))),
        Err(TableError::UnknownColumn { column, .. }) => return Ok(Sight::QueryHidden(column)),
        Err(error @ TableError::Hidden { .. }) => return Ok(Sight::Unclear(diagnostics::explain(&error, ""))),
        Err(error) => return Err(error),
    };
    let is_missing = |column: Column| rows.iter().any(|row| row.text(column).is_hidden());
    Ok(Sight::Rows(Seen {
        shown: rows.len(),
        hidden: pages.hidden(),
        total: pages.total(),
        missing: columns
            .iter()
            .filter(|column| is_missing(**column))
            .map(|column| column.name().to_owned())
            .collect(),
    }))
}
