//! Lists of records, for `terraform query`.

use std::time::Duration;

use futures_util::{StreamExt, stream};

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
        vec![query_attribute("active=true^nameLIKEmicrosoft")],
    )
}

/// The argument that narrows a list, with a query for example.
pub(crate) fn query_attribute(example: &str) -> Attribute {
    Attribute::text("query").check(validate::not_blank()).describe(format!(
        "An encoded query that the records must match, such as `{example}`. A term that the instance does not understand is \
         rejected, because the instance would ignore it and return every record."
    ))
}

/// The records of a `list` block, and how they are shown.
pub(crate) struct List<'a> {
    pub(crate) table: Table,
    /// The columns that the name is made of.
    pub(crate) columns: &'a [Column],
    /// The rows that the resource manages, where these are not all.
    pub(crate) rows: Option<Query>,
    /// The name that a list shows for a record.
    pub(crate) display_name: &'a (dyn Fn(&Record) -> String + Send + Sync),
    /// The state of an object, as far as its read needs it.
    pub(crate) state: &'a (dyn Fn(&Record) -> Object + Send + Sync),
    /// What reads the whole objects.
    pub(crate) resource: &'a dyn Resource<Clients>,
}

impl List<'_> {
    /// Sends the records that match page by page. With `include_resource` each is read as after an import, so that the
    /// configuration written from it plans empty; several at a time, so that the instance is asked for many in one request.
    ///
    /// A list may be long, so the time limit is that of each page and of each object.
    pub(crate) async fn send(
        &self,
        cx: &Context<Clients>,
        request: &ListRequest,
        sink: &mut ListSink,
    ) -> Result<(), Diagnostics> {
        let query = query(request, self.rows.clone())?;
        let session = cx.instance()?;
        let mut pages = session.pages(self.table, &query, self.columns, request.limit.min(PAGE));
        while sink.left() > 0 {
            let page = pages
                .within(cx.with_time(STEP).limits())
                .next()
                .await
                .map_err(|error| diagnostics::of_table(&error, &format!("list {}", self.table)))?;
            let Some(page) = page else { break };
            let objects = page
                .into_iter()
                .take(sink.left())
                .map(|record| self.object(cx, request, record));
            let mut objects = stream::iter(objects).buffered(TOGETHER);
            while let Some(listed) = objects.next().await {
                if let Some(listed) = listed?
                    && !sink.send(listed).await
                {
                    break;
                }
            }
        }
        if pages.hidden() > 0 {
            cx.warn(self.incomplete(pages.hidden()));
        }
        Ok(())
    }

    fn incomplete(&self, hidden: usize) -> Diagnostic {
        let (are, them) = if hidden == 1 {
            ("record is", "it")
        } else {
            ("records are", "them")
        };
        let table = self.table;
        let detail = format!(
            "{hidden} {are} counted by the instance and not shown to the account, so the list leaves {them} out. Give the \
             account a role that may read {table}: {}. If it has one, an access rule (ACL) hides single rows from it.",
            table.role()
        );
        Diagnostic::warning(format!("The list of {table} is not complete"), detail)
    }

    /// None where it is gone since the page was read.
    async fn object(
        &self,
        cx: &Context<Clients>,
        request: &ListRequest,
        record: Record,
    ) -> Result<Option<Listed>, Diagnostics> {
        let state = (self.state)(&record);
        let state = if request.include_resource {
            read_as_imported(&cx.with_time(STEP), self.resource, state).await?
        } else {
            Some(state)
        };
        Ok(state.map(|state| Listed {
            state,
            display_name: (self.display_name)(&record),
            warnings: Diagnostics::new(),
        }))
    }
}

/// The state of a record that is known by its key alone.
pub(crate) fn of_id(record: &Record) -> Object {
    Object::new().with("id", record.sys_id().as_str())
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
    let user = request.config.text("query").map(user_query).transpose()?;
    Ok(match (user, rows) {
        (Some(user), Some(rows)) => user.and(rows),
        (Some(query), None) | (None, Some(query)) => query,
        (None, None) => Query::every_row(),
    })
}

/// The query that a user wrote, checked term by term.
pub(crate) fn user_query(text: &str) -> Result<Query, Diagnostic> {
    Query::user(text).map_err(|error| {
        Diagnostic::error("Invalid query", diagnostics::explain(&error, &error.remedy())).at_attribute("query")
    })
}

/// Records of one page: each may have to be read by itself, so a page is kept small.
const PAGE: usize = 100;
/// Objects that are read at a time.
const TOGETHER: usize = 25;
/// How long one page or one object may take.
const STEP: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;
    use crate::clients::{LinkManagers, PlannedNames, Unknown};
    use crate::http::Secret;
    use crate::http::test_server::{self, Reply, Server};
    use crate::plugin::{BlockType, Import, Outcome};
    use crate::servicenow::tables::{every, ip_access};
    use crate::servicenow::{Instance, InstanceOptions, SignIn, Timing};

    /// Reads objects, and notes how many it reads at a time.
    #[derive(Default)]
    struct Reader {
        reading: AtomicUsize,
        most: AtomicUsize,
    }

    impl BlockType for Reader {
        fn type_name(&self) -> &'static str {
            "example_reader"
        }

        fn schema(&self) -> Schema {
            Schema::new("", Vec::new())
        }
    }

    #[async_trait]
    impl Resource<Clients> for Reader {
        async fn read(&self, cx: &Context<Clients>, state: Object) -> Result<Option<Object>, Diagnostics> {
            assert!(cx.deadline > Instant::now(), "an object has time of its own");
            let now = self.reading.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(now, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.reading.fetch_sub(1, Ordering::Relaxed);
            Ok(Some(state))
        }

        async fn create(&self, _: &Context<Clients>, _: Object, _: &Object) -> Result<Outcome, Diagnostics> {
            unreachable!()
        }

        async fn update(
            &self,
            _: &Context<Clients>,
            _: &Object,
            _: Object,
            _: &Object,
        ) -> Result<Outcome, Diagnostics> {
            unreachable!()
        }

        async fn delete(&self, _: &Context<Clients>, _: &Object) -> Result<(), Diagnostics> {
            unreachable!()
        }

        async fn import(&self, _: &Context<Clients>, _: Import<'_>) -> Result<Object, Diagnostics> {
            unreachable!()
        }
    }

    fn clients(server: &Server) -> Clients {
        let nothing = || Diagnostic::error("Not configured", "");
        let sign_in = SignIn::Basic {
            username: "tf".to_owned(),
            password: Secret::from("pass-marker"),
        };
        let options = InstanceOptions {
            instance_url: server.url.clone(),
            sign_in,
            http: test_server::options(),
            timing: Timing::STANDARD,
        };
        Clients {
            unknown: Unknown::default(),
            servicenow: Ok(Instance::new(options).unwrap()),
            address: None,
            microsoft: Err(nothing()),
            authorities: None,
            link_managers: LinkManagers::default(),
            planned_names: PlannedNames::default(),
        }
    }

    /// The time of the call is over when the list begins: what counts is the time of each page and object.
    #[tokio::test]
    async fn a_list_has_no_time_limit_as_a_whole_and_reads_several_objects_at_a_time() {
        let server = Server::by(|received| {
            let is_second = received.target.contains("sysparm_offset=100");
            let keys = if is_second { 100..130 } else { 0..100 };
            let rows: Vec<_> = keys.map(|key| json!({"sys_id": format!("{key:032x}")})).collect();
            Reply::json(200, &json!({"result": rows})).with("x-total-count", "130")
        })
        .await;
        let cx = Context::of(clients(&server), Instant::now());
        let reader = Reader::default();
        let list = List {
            table: ip_access::TABLE,
            columns: &[every::SYS_ID],
            rows: None,
            display_name: &|record| record.sys_id().to_string(),
            state: &of_id,
            resource: &reader,
        };
        let request = ListRequest {
            config: Object::new(),
            include_resource: true,
            limit: 120,
        };
        let (sender, mut found) = tokio::sync::mpsc::channel(200);

        list.send(&cx, &request, &mut ListSink::new(sender, request.limit))
            .await
            .unwrap();

        let mut names = Vec::new();
        while let Some(listed) = found.recv().await {
            names.push(listed.display_name);
        }
        let expected: Vec<_> = (0..120).map(|key| format!("{key:032x}")).collect();
        assert_eq!(names, expected, "in the order of the pages, and no more than asked for");
        assert_eq!(reader.most.into_inner(), TOGETHER);
    }
}
