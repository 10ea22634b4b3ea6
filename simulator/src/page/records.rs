//! The records of a table, and a record.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::instance::{Cell, MadeBy, Shown, ShownRecord, ShownTable};
use crate::page::html::Html;
use crate::page::names::Names;

/// A table's records, those that somebody made first.
pub(super) fn table(table: &ShownTable, names: &Names) -> Html {
    let mut html = Html::default();
    html.raw("<nav>")
        .link("/", "Overview")
        .raw("</nav><h1>")
        .text(table.label)
        .raw(" ");
    html.code(table.name).raw("</h1>");
    if table.records.is_empty() {
        html.raw("<p class=\"quiet\">No records.</p>");
        return Html::page(table.label, &html);
    }
    let told = telling(table);
    let mut heads = vec!["Record"];
    heads.extend(told.iter().map(|(label, _)| *label));
    heads.push("Made by");
    let rows: Vec<Vec<Html>> = table
        .records
        .iter()
        .take(MOST_RECORDS)
        .map(|record| {
            let mut name = Html::default();
            name.link(&address(table.name, &record.sys_id), &record.name);
            let mut row = vec![name];
            for (_, column) in &told {
                let cell = record.cells.iter().find(|cell| cell.column == *column);
                row.push(cell.map_or_else(Html::default, |cell| value(cell, names)));
            }
            row.push(maker(record));
            row
        })
        .collect();
    html.raw("<section>").table(&heads, &rows).raw("</section>");
    if table.records.len() > MOST_RECORDS {
        html.raw("<p class=\"quiet\">");
        html.text(&format!("and {} more", table.records.len() - MOST_RECORDS))
            .raw("</p>");
    }
    Html::page(table.label, &html)
}

/// The columns by which these records differ from a blank form: label and name.
fn telling(table: &ShownTable) -> Vec<(&'static str, &'static str)> {
    let Some(first) = table.records.first() else {
        return Vec::new();
    };
    let is_telling = |position: usize| {
        table.records.iter().take(MOST_RECORDS).any(|record| {
            record.cells.get(position).is_some_and(|cell| match &cell.shown {
                Shown::Secret | Shown::Empty => false,
                // What the record's own name says already.
                Shown::Reference { name, .. } => cell.is_telling && !record.name.contains(name.as_str()),
                Shown::Text(_) | Shown::Choice { .. } => cell.is_telling,
            })
        })
    };
    first
        .cells
        .iter()
        .enumerate()
        .filter(|(position, _)| is_telling(*position))
        .map(|(_, cell)| (cell.label, cell.column))
        .take(MOST_COLUMNS)
        .collect()
}

/// A record: what was chosen first, then what nobody chose, then what the platform keeps.
pub(super) fn record(table: &ShownTable, record: &ShownRecord, names: &Names) -> Html {
    let mut html = Html::default();
    html.raw("<nav>").link("/", "Overview").raw(" › ");
    html.link(&table_address(table.name), table.label)
        .raw("</nav><h1>")
        .text(&record.name);
    html.raw("</h1><p class=\"lead\">").text(table.label).raw(" ");
    html.code(table.name).raw(" ").piece(&maker(record)).raw("</p>");

    let is_empty = |cell: &&Cell| matches!(cell.shown, Shown::Empty);
    let own = || record.cells.iter().filter(|cell| !cell.is_of_platform);
    let is_chosen = |cell: &&Cell| cell.is_telling || cell.column == "name";
    form(&mut html, own().filter(is_chosen), names);
    let by_default: Vec<&Cell> = own().filter(|cell| !is_chosen(cell) && !is_empty(cell)).collect();
    if !by_default.is_empty() {
        html.raw("<details><summary>Left at the default</summary>");
        form(&mut html, by_default.into_iter(), names);
        html.raw("</details>");
    }
    let empty: Vec<&str> = own().filter(is_empty).map(|cell| cell.column).collect();
    if !empty.is_empty() {
        html.raw("<details><summary>Empty</summary><p>");
        html.text(&empty.join(", ")).raw("</p></details>");
    }
    html.raw("<details><summary>What the platform keeps of every record</summary>");
    let kept = record
        .cells
        .iter()
        .filter(|cell| cell.is_of_platform && !is_empty(cell));
    form(&mut html, kept, names);
    html.raw("</details>");
    Html::page(&record.name, &html)
}

fn form<'a>(html: &mut Html, cells: impl Iterator<Item = &'a Cell>, names: &Names) {
    html.raw("<dl>");
    for cell in cells {
        html.raw("<div><dt>").text(cell.label).raw(" ");
        html.code(cell.column).raw("</dt><dd>");
        html.piece(&value(cell, names)).raw("</dd></div>");
    }
    html.raw("</dl>");
}

/// The value of a column.
pub(super) fn value(cell: &Cell, names: &Names) -> Html {
    let mut html = Html::default();
    match &cell.shown {
        Shown::Text(text) => names.explained(text),
        Shown::Choice { value, label } if value == label => Html::of(value),
        Shown::Choice { value, label } => {
            html.text(label).raw(" ").code(value);
            html
        }
        Shown::Reference { table, sys_id, name } => {
            html.link(&address(table, sys_id), name);
            html
        }
        Shown::Secret => {
            html.raw("<span class=\"secret\">set, not shown</span>");
            html
        }
        Shown::Empty => html,
    }
}

/// Who made a record.
pub(super) fn maker(record: &ShownRecord) -> Html {
    let mut html = Html::default();
    let (class, text, more) = match &record.made_by {
        None if record.is_changed => ("shipped", "shipped, changed since", ""),
        None => ("shipped", "shipped", ""),
        Some(MadeBy::Rule) => (
            "maker rule",
            "by a rule",
            "the instance made it, following another record",
        ),
        Some(MadeBy::Client(client)) if client.to_ascii_lowercase().contains("terraform") => {
            ("maker terraform", "Terraform", client.as_str())
        }
        Some(MadeBy::Client(client)) if client.is_empty() => ("maker api", "by hand", ""),
        Some(MadeBy::Client(client)) => ("maker api", "API", client.as_str()),
    };
    html.raw("<span class=\"").raw(class).raw("\" title=\"").text(more);
    html.raw("\">").text(text).raw("</span>");
    html
}

pub(super) fn table_address(table: &str) -> String {
    format!("/simulator/{table}")
}

pub(super) fn address(table: &str, sys_id: &str) -> String {
    format!("/simulator/{table}/{}", utf8_percent_encode(sys_id, NON_ALPHANUMERIC))
}

const MOST_RECORDS: usize = 300;
const MOST_COLUMNS: usize = 4;
