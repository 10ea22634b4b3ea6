//! The page for people, at the instance's `/`: what the simulator holds, and the connection test with a button.
//!
//! No script, nothing from elsewhere, no secret. The rest of the instance's addresses stay the instance's, save those
//! below `/simulator/`, which no instance has.

mod html;
mod names;
mod overview; // What a newcomer looks for first.
mod records; // A table, a record.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::connection_test::{ConnectionTest, wanted};
use crate::instance::Instance;
use crate::microsoft::admin_center::Admin;
use crate::microsoft::entra::Entra;

use html::Html;
use names::Names;

/// What the page shows; cheap to clone.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) instance: Instance,
    pub(crate) entra: Entra,
    pub(crate) admin: Admin,
    pub(crate) connection: ConnectionTest,
    /// Client id of the application that the simulator starts with.
    pub(crate) own_application: String,
}

impl Page {
    /// Puts the page in front of the instance.
    pub(crate) fn in_front_of(self, instance: Router) -> Router {
        Router::new()
            .route("/", get(overview).post(test))
            .route("/simulator/style.css", get(style))
            .route("/simulator/{table}", get(table))
            .route("/simulator/{table}/{sys_id}", get(record))
            .with_state(self)
            .fallback_service(instance)
    }

    fn names(&self) -> Names {
        self.entra.directory().with(|tenant| Names::of(tenant))
    }
}

async fn overview(State(page): State<Page>) -> Html {
    overview::render(&page)
}

/// Runs the test and leads back, so that a reload does not run it again.
async fn test(State(page): State<Page>, body: String) -> Response {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    match wanted(&form, "") {
        Ok(wanted) => {
            page.connection.run(&wanted).await;
            Redirect::to("/").into_response()
        }
        Err(problem) => (StatusCode::BAD_REQUEST, Html::of(&problem)).into_response(),
    }
}

async fn table(State(page): State<Page>, Path(name): Path<String>) -> Response {
    match page.instance.shown_table(&name) {
        Some(table) => records::table(&table, &page.names()).into_response(),
        None => absent(),
    }
}

async fn record(State(page): State<Page>, Path((name, sys_id)): Path<(String, String)>) -> Response {
    let table = page.instance.shown_table(&name);
    let record = table
        .as_ref()
        .and_then(|table| Some((table, table.records.iter().find(|record| record.sys_id == sys_id)?)));
    match record {
        Some((table, record)) => records::record(table, record, &page.names()).into_response(),
        None => absent(),
    }
}

fn absent() -> Response {
    let mut html = Html::default();
    html.raw("<h1>Not here</h1><p>There is no such table or record (any more). ")
        .link("/", "Back to the overview")
        .raw("</p>");
    (StatusCode::NOT_FOUND, Html::page("Not here", &html)).into_response()
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("page/style.css")).into_response()
}
