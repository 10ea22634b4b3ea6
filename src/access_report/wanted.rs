//! What is to be looked at.

use crate::plugin::path::{Path, Step};
use crate::plugin::{Diagnostic, Diagnostics, Object};
use crate::records::any_table::may_be_secret;
use crate::records::diagnostics;
use crate::servicenow::{Column, ColumnKind, Query, Session, Table, ValueType};

/// A table to look at.
pub(super) struct Wanted {
    pub(super) table: Table,
    /// The columns that must be shown, as text: their values do not matter.
    pub(super) columns: Vec<Column>,
    pub(super) query: Query,
    /// Whether it is right that rows are hidden.
    pub(super) may_hide_rows: bool,
}

impl Wanted {
    /// The tables of a configuration, whose values have been validated.
    ///
    /// # Errors
    /// For a table or a query that cannot be one.
    pub(super) fn all(config: &Object) -> Result<Vec<Wanted>, Diagnostics> {
        let invalid = |position: i64, name: &str, detail: String| {
            let path = Path::of(TABLES).join(Step::Index(position)).attribute(name);
            Diagnostics::from(Diagnostic::error(format!("Invalid value for {name}"), detail).at(path))
        };
        let mut wanted = Vec::new();
        for (position, one) in (0..).zip(config.at(TABLES).as_list().unwrap_or_default()) {
            let empty = Object::new();
            let one = one.as_object().unwrap_or(&empty);
            let name = one.text("name").unwrap_or_default();
            let table = Table::named(name)
                .ok_or_else(|| invalid(position, "name", format!("{name:?} is not a valid table name.")))?;
            let query = match one.text("query") {
                Some(query) => Query::user(query)
                    .map_err(|error| invalid(position, "query", diagnostics::explain(&error, &error.remedy())))?,
                None => Query::every_row(),
            };
            let columns = one.texts("columns").unwrap_or_default().into_iter();
            let mut columns: Vec<_> = columns
                .filter_map(|name| Column::named(name, ColumnKind::Text))
                .collect();
            columns.sort_by_key(Column::name);
            wanted.push(Wanted {
                table,
                columns,
                query,
                may_hide_rows: one.flag("may_hide_rows").unwrap_or(false),
            });
        }
        Ok(wanted)
    }
}

/// Refuses a search for secrets: the instance logs what is searched for.
///
/// # Errors
/// For a query about a column that is a secret, or that nothing says the type of while its name suggests one.
pub(super) async fn check_queries(account: &Session, wanted: &[Wanted]) -> Result<(), Diagnostic> {
    for (position, one) in (0..).zip(wanted) {
        for (path, _) in one.query.columns() {
            let last = path.rsplit('.').next().unwrap_or(path);
            if !may_be_secret(last) {
                continue;
            }
            let dictionary = account.dictionary(one.table).await.ok();
            let known = dictionary.as_ref().and_then(|dictionary| dictionary.column(path));
            if known.is_some_and(|known| !matches!(known.value_type, ValueType::Secret { .. } | ValueType::Other)) {
                continue;
            }
            let detail = format!(
                "The column {path} is a secret, or its name suggests one and its type is not known: its values cannot be \
                 compared, and the instance logs what is searched for. Use another column."
            );
            let at = Path::of(TABLES).join(Step::Index(position)).attribute("query");
            return Err(Diagnostic::error("Invalid value for query", detail).at(at));
        }
    }
    Ok(())
}

/// The attribute with the tables.
pub(super) const TABLES: &str = "tables";
