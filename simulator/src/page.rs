//! The page for people, at the instance's `/`: what the simulator holds, and the connection test with a button.
//!
//! No script, nothing from elsewhere, no secret. The rest of the instance's addresses stay the instance's, save those
//! below `/simulator/`, which no instance has.

mod absent; // What is not there.
mod html;
mod names;
mod overview; // What a newcomer looks for first.
mod records; // A table, a record.
mod services; // What is shown.
mod trust; // Who trusts whom.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::connection_test::wanted;

use html::Html;

pub(crate) use services::Page;

impl Page {
    /// Puts the page in front of the instance.
    pub(crate) fn in_front_of(self, instance: Router) -> Router {
        Router::new()
            .route("/", get(overview).post(test))
            .route("/simulator/style.css", get(style))
            .route("/simulator", get(tables))
            .route("/simulator/", get(tables))
            // Whatever else there is below belongs to the page: the instance would answer it with its login page.
            .route("/simulator/{*path}", get(below))
            .with_state(self)
            .fallback_service(instance)
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
        Err(problem) => absent::variant(&problem),
    }
}

async fn tables() -> Redirect {
    Redirect::to("/#tables")
}

/// A table, or a record of one.
async fn below(State(page): State<Page>, Path(path): Path<String>) -> Response {
    let mut segments = path.trim_end_matches('/').split('/');
    let (Some(name), sys_id, None) = (segments.next(), segments.next(), segments.next()) else {
        return absent::other(&path, &page.instance.shown_tables());
    };
    let Some(table) = page.instance.shown_table(name) else {
        return absent::table(name, &page.instance.shown_tables());
    };
    let Some(sys_id) = sys_id else {
        return records::table(&table, &page.names()).into_response();
    };
    match table.records.iter().find(|record| record.sys_id == sys_id) {
        Some(record) => records::record(&table, record, &page.names()).into_response(),
        None => absent::record(&table, sys_id),
    }
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("page/style.css")).into_response()
}
