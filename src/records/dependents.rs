//! What others do with a record, and what goes with it when it is deleted: the platform removes the grants of a role and the
//! memberships of a group together with them. No plan shows that, so a destroy is refused while there are any.

use crate::plugin::{Attribute, Diagnostic, Object};
use crate::records::diagnostics;
use crate::records::field::{self, Field};
use crate::records::record_resource::RecordResource;
use crate::servicenow::{Cell, Column, Query, QueryError, Session, SysId, Table, TableError};

/// Rows that refer to a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    table: Table,
    /// The column that refers to the record.
    column: Column,
    /// The dot-walked column with the name of what uses it.
    name: Column,
    /// What that is to the record: `granted to the user`.
    words: &'static str,
    /// A column that is true on rows that the platform derives: those go with what they are derived from.
    inherited: Option<Column>,
    /// The attribute that lists what the resource itself put there.
    listed: Option<&'static str>,
}

const FORCE_DESTROY: &str = "force_destroy";

/// The attribute that has a destroy go on all the same. `what` goes with the record: `what users and groups were given`.
pub(crate) fn force_destroy(what: &str) -> Field {
    Field::local(Attribute::flag(FORCE_DESTROY).default(false).describe(format!(
        "Whether destroy deletes it even if it is in use. {what} The state decides, so apply a change before the destroy."
    )))
}

impl Use {
    /// Rows of a table that refer to the record in a column: the dot-walked name of what uses it, and what that is to the
    /// record.
    pub(crate) const fn new(table: Table, column: Column, name: Column, words: &'static str) -> Self {
        Self {
            table,
            column,
            name,
            words,
            inherited: None,
            listed: None,
        }
    }

    /// Without rows that the platform derives: this column is true on them.
    pub(crate) const fn except_inherited(mut self, inherited: Column) -> Self {
        self.inherited = Some(inherited);
        self
    }

    /// Without what the resource itself put there and lists in this attribute.
    pub(crate) const fn except_listed(mut self, listed: &'static str) -> Self {
        self.listed = Some(listed);
        self
    }

    fn rows(&self, sys_id: &SysId) -> Result<Query, QueryError> {
        let query = Query::equals(self.column, sys_id)?;
        Ok(match self.inherited {
            Some(inherited) => query.and(Query::equals(inherited, false)?),
            None => query,
        })
    }

    /// The names of what uses the record, those aside that the resource lists; at most a few.
    async fn names(&self, session: &Session, sys_id: &SysId, state: &Object) -> Result<Vec<String>, TableError> {
        let table = self.table;
        let rows = self.rows(sys_id).map_err(TableError::of_query(table))?;
        let listed = self.listed.and_then(|listed| state.texts(listed)).unwrap_or_default();
        let mut names = Vec::new();
        for row in session.select(table, &rows, &[self.name]).await? {
            match row.text(self.name) {
                Cell::Value(name)
                    if listed
                        .iter()
                        .any(|listed| listed.trim().eq_ignore_ascii_case(name.trim())) => {}
                Cell::Value(name) => names.push(name.to_owned()),
                Cell::Hidden => names.push(format!("that of the row {}", row.sys_id())),
                // What the row links the record to is gone.
                Cell::Empty => {}
            }
        }
        Ok(names)
    }
}

/// An error where others use the record, or may.
pub(crate) async fn refuse_while_used<R: RecordResource>(
    session: &Session,
    sys_id: &SysId,
    state: &Object,
) -> Result<(), Diagnostic> {
    if state.flag(FORCE_DESTROY) == Some(true) {
        return Ok(());
    }
    let noun = R::NOUN;
    let failed = |error: TableError| {
        let mut problem = diagnostics::of_table(&error, &format!("check who uses the {noun}"));
        problem.detail.push_str(&format!(
            "\n\nNothing was removed. To delete the {noun} without this check, set {FORCE_DESTROY} = true and apply first."
        ));
        problem
    };
    let mut used = R::users(session, sys_id, state).await.map_err(failed)?;
    if !used.is_empty() {
        // A search can still show what was removed just now.
        session.wait_before_recheck().await;
        used = R::users(session, sys_id, state).await.map_err(failed)?;
    }
    if used.is_empty() {
        return Ok(());
    }
    if let Ok(None) = session.get_opt(R::TABLE, sys_id, &[]).await {
        // Rows that refer to a deleted record.
        return Ok(());
    }
    let label = field::attribute_of(&R::fields(), R::LABEL.name());
    let name = label.and_then(|label| state.text(label)).unwrap_or_default();
    let detail = format!(
        "The {noun} {name} ({sys_id}) is {}. {} Nothing was removed.\n\n\
         Remove these uses first. What Terraform manages itself goes first where its configuration refers to the \
         {noun} (`{}.<name>.{}`) and does not repeat the name. To delete the {noun} with all its uses, set \
         {FORCE_DESTROY} = true, apply, and destroy then.",
        used.join("; "),
        R::loss(),
        R::TYPE,
        R::REFERRED_BY.or(label).unwrap_or("id"),
    );
    Err(Diagnostic::error(format!("The {noun} is still used"), detail))
}

/// Everything of [`RecordResource::USES`] that uses the record, in words.
pub(crate) async fn of_all<R: RecordResource>(
    session: &Session,
    sys_id: &SysId,
    state: &Object,
) -> Result<Vec<String>, TableError> {
    let mut used = Vec::new();
    for one in R::USES {
        let mut names = one.names(session, sys_id, state).await?;
        let more = names.len().saturating_sub(MOST);
        names.truncate(MOST);
        if names.is_empty() {
            continue;
        }
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        used.push(format!("{} {}{more}", one.words, names.join(", ")));
    }
    Ok(used)
}

/// So many names tell enough.
const MOST: usize = 10;
