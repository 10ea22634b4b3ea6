//! Lists of records, for `terraform query`.

use super::diagnostics;
use crate::{
    clients::Clients,
    plugin::{
        Attribute, Context, Diagnostic, Diagnostics, ListRequest, ListSink, Listed, Object, Resource, Schema,
        schema::validate,
    },
    servicenow::{Column, Query, Record, Session, Table},
};

/// The arguments of a `list` block over a table.
pub(crate) fn schema(description: &str, table: Table) -> Schema {
    Schema::new(
        format!("{description} Table `{table}`."),
        vec![Attribute::text("query").check(validate::not_blank()).describe(
            "An encoded query that the records must match, such as `active=true^nameLIKEmicrosoft`. A term that the instance \
             would not understand is refused, because the instance would answer with every record.",
        )],
    )
}

/// What a person recognises a record by.
pub(crate) struct Found {
    display_name: String,
}

impl Found {
    /// Its name; the sys_id where the name cannot be seen.
    pub(crate) fn named(record: &Record, column: Column) -> Self {
        let name = record.text(column).value().map(str::to_owned);
        Self {
            display_name: name.unwrap_or_else(|| record.sys_id().as_str().to_owned()),
        }
    }

    /// A text made of several columns.
    pub(crate) fn text(display_name: String) -> Self {
        Self { display_name }
    }
}

/// Streams the records that match page by page. With `include_resource` each is read as after an import, so that the
/// configuration written from it plans empty.
#[expect(
    clippy::too_many_arguments,
    reason = "each caller names them all, and they have nothing else in common"
)]
pub(crate) async fn records(
    cx: &Context<Clients>,
    session: &Session,
    table: Table,
    columns: &[Column],
    narrow: Option<Query>,
    request: &ListRequest,
    sink: &mut ListSink,
    describe: impl Fn(&Record) -> Found + Send + Sync,
    resource: &dyn Resource<Clients>,
) -> Result<(), Diagnostics> {
    let query = query(request, narrow)?;
    let mut pages = session.pages(table, &query, columns, request.limit.min(PAGE));
    while sink.left() > 0 {
        let page = pages
            .next()
            .await
            .map_err(|error| diagnostics::of_table(&error, &format!("list {table}")))?;
        let Some(page) = page else { return Ok(()) };
        for record in page {
            let mut state = Object::new().with("id", record.sys_id().as_str());
            if request.include_resource {
                match read_as_imported(cx, resource, state).await? {
                    Some(whole) => state = whole,
                    // Gone since the page was read.
                    None => continue,
                }
            }
            let listed = Listed {
                state,
                display_name: describe(&record).display_name,
                warnings: Diagnostics::new(),
            };
            if !sink.send(listed).await {
                return Ok(());
            }
        }
    }
    Ok(())
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
fn query(request: &ListRequest, narrow: Option<Query>) -> Result<Query, Diagnostic> {
    let user = match request.config.text("query") {
        Some(text) => Some(Query::user(text).map_err(|error| {
            Diagnostic::error("Invalid query", diagnostics::explain(&error, &error.remedy())).at_attribute("query")
        })?),
        None => None,
    };
    Ok(match (user, narrow) {
        (Some(user), Some(narrow)) => user.and(narrow),
        (Some(query), None) | (None, Some(query)) => query,
        (None, None) => Query::every_row(),
    })
}

/// Records of one page: a listed object may be read one by one, so a page is kept small.
const PAGE: usize = 100;
