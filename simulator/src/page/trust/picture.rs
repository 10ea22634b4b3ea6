//! The picture of who trusts whom, as SVG: a column for each cloud, and Entra's applications between them.

use super::{Party, Place, Row};
use crate::page::html::Html;

pub(super) fn draw(html: &mut Html, rows: &[Row]) {
    let height = top(rows.len()) - SPACE + 1;
    html.raw("<svg class=\"picture\" role=\"img\" aria-labelledby=\"trust-title trust-desc\" viewBox=\"0 0 ")
        .raw(&format!(
            "{WIDTH} {height}\"><title id=\"trust-title\">Who trusts whom</title>"
        ))
        .raw("<desc id=\"trust-desc\">");
    describe(html, rows);
    html.raw("</desc>");
    for (place, cloud) in CLOUDS {
        text(html, "cloud", left(place) + BOX / 2, HEAD / 2, cloud);
    }
    for (position, row) in rows.iter().enumerate() {
        node(html, &row.servicenow, Place::ServiceNow, position, 1);
        if let Some(application) = &row.application {
            node(html, application, Place::Entra, position, 1);
        }
        // One repository says two things, so it is as high as two rows.
        let is_drawn = position > 0 && rows[position - 1].microsoft == row.microsoft;
        if !is_drawn {
            let span = rows[position..]
                .iter()
                .take_while(|next| next.microsoft == row.microsoft)
                .count();
            node(html, &row.microsoft, Place::Microsoft, position, span);
        }
        ties(html, row, top(position) + HEIGHT / 2);
    }
    html.raw("</svg>");
}

/// For those who do not see the picture.
fn describe(html: &mut Html, rows: &[Row]) {
    for (row, tie) in rows.iter().flat_map(|row| row.ties.iter().map(move |tie| (row, tie))) {
        let (from, to) = row.ends(tie);
        let name = |party: &Party| format!("{} {}", party.kind, party.name.as_deref().unwrap_or("(none)"));
        let missing = if tie.is_there { "" } else { "Missing: " };
        html.text(&format!("{missing}{} {} {}. ", name(from), tie.says, name(to)));
    }
}

fn node(html: &mut Html, party: &Party, place: Place, position: usize, span: usize) {
    let height = top(position + span) - top(position) - SPACE;
    html.raw(match &party.name {
        Some(_) => "<g class=\"node\">",
        None => "<g class=\"node missing\">",
    });
    // An image of its own cuts off what is too long for the box.
    let (x, y) = (left(place), top(position));
    html.raw(&format!(
        "<svg x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"{height}\">"
    ));
    html.raw(&format!(
        "<rect x=\"1\" y=\"1\" width=\"{}\" height=\"{}\" rx=\"6\"/>",
        BOX - 2,
        height - 2
    ));
    text(html, "kind", BOX / 2, height / 2 - 6, party.kind);
    let name = party.name.as_deref().unwrap_or("none");
    let mut short: String = name.chars().take(LETTERS).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    text(html, "name", BOX / 2, height / 2 + 13, &short);
    html.raw("</svg></g>");
}

/// Each from the party that has something stored to the party that this is about.
fn ties(html: &mut Html, row: &Row, y: usize) {
    for tie in &row.ties {
        let (start, end) = if tie.from == Place::ServiceNow {
            (left(tie.from) + BOX, left(tie.to))
        } else {
            (left(tie.from), left(tie.to) + BOX)
        };
        html.raw(if tie.is_there {
            "<g class=\"tie\">"
        } else {
            "<g class=\"tie missing\">"
        });
        html.raw(&format!("<line x1=\"{start}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\"/>"));
        let back = if start < end { end - ARROW } else { end + ARROW };
        html.raw(&format!("<path d=\"M{end} {y}L{back} {}V{}Z\"/>", y - 4, y + 4));
        let middle = usize::midpoint(start, end);
        text(html, "says", middle, y - 7, tie.says);
        if !tie.is_there {
            text(html, "says", middle, y + 17, "missing");
        }
        html.raw("</g>");
    }
}

fn text(html: &mut Html, class: &str, x: usize, y: usize, words: &str) {
    html.raw(&format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">"))
        .text(words)
        .raw("</text>");
}

fn left(place: Place) -> usize {
    match place {
        Place::ServiceNow => 0,
        Place::Entra => BOX + GAP,
        Place::Microsoft => 2 * (BOX + GAP),
    }
}

fn top(position: usize) -> usize {
    HEAD + position * (HEIGHT + SPACE)
}

const CLOUDS: [(Place, &str); 3] = [
    (Place::ServiceNow, "ServiceNow"),
    (Place::Entra, "Microsoft Entra"),
    (Place::Microsoft, "Microsoft 365"),
];
const BOX: usize = 264;
const GAP: usize = 120;
const WIDTH: usize = 3 * BOX + 2 * GAP;
const HEAD: usize = 30;
const HEIGHT: usize = 50;
const SPACE: usize = 18;
const ARROW: usize = 8;
/// What fits the box.
const LETTERS: usize = 35;
