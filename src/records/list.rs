//! Lists of records, for `terraform query`.

use crate::clients::{Calls, Clients};
use crate::plugin::schema::validate;
use crate::plugin::{
    Attribute, Context, Diagnostic, Diagnostics, ListRequest, ListSink, Listed, Object, Resource, Schema,
};
use crate::records::diagnostics;
use crate::servicenow::{Column, Query, Record, Table};

/// The arguments of a `list` block over a table.
pub(crate) fn schema(description: &str, table: Table) -> Schema {
    Schema::new(
        format!("{description} Table `{table}`."),
        vec![Attribute::text("query").check(validate::not_blank()).describe(
            "An encoded query that the records must match, such as `active=true^nameLIKEmicrosoft`. A term that the \
             instance does not understand is rejected, because the instance would ignore it and return every record.",
        )],
    )
}

/// The records of a `list` block, and how they are shown.
pub(crate) struct List<'a> {
    pub(crate) table: Table,
    /// The columns that the name is made of.
    pub(crate) columns: &'a [Column],
    /// The rows that the resource manages, where these are not all.
    pub(crate) rows: Option<Query>,
    /// The name that a list shows for a record.
    pub(crate) display_name: fn(&Record) -> String,
    /// What reads the whole objects.
    pub(crate) resource: &'a dyn Resource<Clients>,
}

impl List<'_> {
    /// Sends the records that match page by page. With `include_resource` each is read as after an import, so that the
    /// configuration written from it plans empty.
    pub(crate) async fn send(
        self,
        cx: &Context<Clients>,
        request: &ListRequest,
        sink: &mut ListSink,
    ) -> Result<(), Diagnostics> {
        let query = query(request, self.rows)?;
        let session = cx.instance()?;
        let mut pages = session.pages(self.table, &query, self.columns, request.limit.min(PAGE));
        while sink.left() > 0 {
            let page = pages
                .next()
                .await
                .map_err(|error| diagnostics::of_table(&error, &format!("list {}", self.table)))?;
            let Some(page) = page else { return Ok(()) };
            for record in page {
                let mut state = Object::new().with("id", record.sys_id().as_str());
                if request.include_resource {
                    match read_as_imported(cx, self.resource, state).await? {
                        Some(whole) => state = whole,
                        // Deleted since the page was read.
                        None => continue,
                    }
                }
                let listed = Listed {
                    state,
                    display_name: (self.display_name)(&record),
                    warnings: Diagnostics::new(),
                };
                if !sink.send(listed).await {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The whole state of one object, as the read after an import has it.
pub(crate) async fn read_as_imported(
    cx: &Context<Clients>,
    resource: &dyn Resource<Clients>,
    state: Object,
) -> Result<Option<Object>, Diagnostics> {
    resource.read(&cx.as_import(), state).await
}

/// The user's query, checked term by term, and the resource's own.
fn query(request: &ListRequest, rows: Option<Query>) -> Result<Query, Diagnostic> {
    let user = match request.config.text("query") {
        Some(text) => Some(Query::user(text).map_err(|error| {
            Diagnostic::error("Invalid query", diagnostics::explain(&error, &error.remedy())).at_attribute("query")
        })?),
        None => None,
    };
    Ok(match (user, rows) {
        (Some(user), Some(rows)) => user.and(rows),
        (Some(query), None) | (None, Some(query)) => query,
        (None, None) => Query::every_row(),
    })
}

/// Records of one page: a listed object may be read one by one, so a page is kept small.
const PAGE: usize = 100;
