//! Pages for what is not there, each with what is.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::instance::ShownTable;
use crate::page::html::Html;
use crate::page::overview::{all_tables, test_form};
use crate::page::records::{address, table_address};

/// No table has that name.
pub(super) fn table(name: &str, tables: &[ShownTable]) -> Response {
    let mut html = Html::default();
    html.raw("<p>The instance has no table ").code(name).raw(".");
    let similar = similar(name, tables);
    if !similar.is_empty() {
        html.raw(" Did you mean ");
        for (position, table) in similar.iter().enumerate() {
            html.raw(if position == 0 { "" } else { " or " });
            html.link(&table_address(table.name), table.name);
        }
        html.raw("?");
    }
    html.raw("</p>");
    all_tables(&mut html, tables);
    page(StatusCode::NOT_FOUND, "No such table", &html)
}

/// The table has no such record, or not any more.
pub(super) fn record(table: &ShownTable, sys_id: &str) -> Response {
    let mut html = Html::default();
    html.raw("<p>Table ").link(&table_address(table.name), table.name);
    html.raw(" has no record ").code(sys_id).raw(" (any more).</p>");
    if !table.records.is_empty() {
        html.raw("<section><h2>Records that it has</h2><ul>");
        for record in table.records.iter().take(MOST_RECORDS) {
            html.raw("<li>")
                .link(&address(table.name, &record.sys_id), &record.name);
            html.raw("</li>");
        }
        html.raw("</ul></section>");
    }
    page(StatusCode::NOT_FOUND, "No such record", &html)
}

/// Neither a table nor a record has such an address.
pub(super) fn other(path: &str, tables: &[ShownTable]) -> Response {
    let mut html = Html::default();
    html.raw("<p>There is nothing at ").code(&format!("/simulator/{path}"));
    html.raw(
        ". A table is at <code>/simulator/</code> and its name, a record at its table's address, <code>/</code> and ",
    )
    .raw("its sys_id.</p>");
    all_tables(&mut html, tables);
    page(StatusCode::NOT_FOUND, "No such page", &html)
}

/// The connection test has no such variant.
pub(super) fn variant(problem: &str) -> Response {
    let mut html = Html::default();
    html.raw("<p>The connection test did not run: ").text(problem);
    html.raw("</p><section><h2>Run it in another variant</h2>");
    test_form(&mut html);
    html.raw("</section>");
    page(StatusCode::BAD_REQUEST, "No such variant", &html)
}

fn page(status: StatusCode, title: &str, rest: &Html) -> Response {
    let mut html = Html::default();
    html.raw("<nav>").link("/", "Overview").raw("</nav><h1>").text(title);
    html.raw("</h1>").piece(rest);
    (status, Html::page(title, &html)).into_response()
}

/// The tables whose names come nearest to a mistyped one.
fn similar<'a>(wrong: &str, tables: &'a [ShownTable]) -> Vec<&'a ShownTable> {
    let wrong = wrong.to_ascii_lowercase();
    let mut near: Vec<(usize, &ShownTable)> = tables
        .iter()
        .filter_map(|table| {
            let distance = strsim::levenshtein(&wrong, table.name);
            let is_part = wrong.len() >= LEAST_PART && table.name.contains(&wrong);
            (is_part || distance <= table.name.len() / 3).then_some((distance, table))
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(MOST_SIMILAR).map(|(_, table)| table).collect()
}

const MOST_RECORDS: usize = 20;
const MOST_SIMILAR: usize = 3;
/// Letters from which on a piece of a name tells which one is meant.
const LEAST_PART: usize = 3;
