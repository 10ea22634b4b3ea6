//! The first page: whether the two sides can talk, what was made, and what they said to each other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::connection_test::{Leg, Report};
use crate::instance::{Shown, ShownRecord, ShownTable};
use crate::microsoft::admin_center::Repository;
use crate::microsoft::directory::{Application, Tenant, TokenVersion};
use crate::microsoft::keys::Claims;
use crate::page::html::Html;
use crate::page::names::Names;
use crate::page::records::{self, address, maker, table_address};
use crate::page::services::Page;
use crate::page::trust;

pub(super) fn render(page: &Page) -> Html {
    let names = page.names();
    let tables = page.instance.shown_tables();
    let mut html = Html::default();
    html.raw("<h1>What is in the two clouds</h1>");
    contents(&mut html);
    connection_test(&mut html, page, &names);
    trust::section(&mut html, page, &tables);
    made(&mut html, &tables, &names);
    admin_center(&mut html, page, &names);
    applications(&mut html, page);
    tokens(&mut html, page, &names);
    all_tables(&mut html, &tables);
    Html::page("ServiceNow and Microsoft 365, simulated", &html)
}

fn contents(html: &mut Html) {
    html.raw("<nav class=\"contents\">");
    for (id, title) in [
        ("connection", "Connection test"),
        ("trust", "Who trusts whom"),
        ("made", "What was made"),
        ("admin", "Admin center"),
        ("entra", "Entra"),
        ("tokens", "Tokens"),
        ("tables", "All tables"),
    ] {
        html.link(&format!("#{id}"), title).raw(" ");
    }
    html.raw("</nav>");
}

fn connection_test(html: &mut Html, page: &Page, names: &Names) {
    html.raw("<section id=\"connection\"><div class=\"title\"><h2>Connection test</h2>");
    test_form(html);
    html.raw("</div>");
    match page.connection.last() {
        None => {
            html.raw("<p class=\"quiet\">Not run yet. It tries both directions with what each side has stored.</p>");
        }
        Some((at, report)) => {
            verdict(html, &report);
            html.raw("<div class=\"legs\">");
            for one in &report.legs {
                leg(html, one, names);
            }
            html.raw("</div><p class=\"quiet\">Run at ");
            html.text(&at.strftime("%H:%M:%S UTC").to_string())
                .raw(", with what each side had stored then.</p>");
        }
    }
    html.raw("</section>");
}

/// Runs the connection test in a variant.
pub(super) fn test_form(html: &mut Html) {
    html.raw("<form method=\"post\" action=\"/\"><select name=\"variant\" aria-label=\"Variant\">");
    for (variant, label) in VARIANTS {
        html.raw("<option value=\"").text(variant).raw("\">");
        html.text(label).raw("</option>");
    }
    html.raw("</select> <button>Run it</button></form>");
}

fn verdict(html: &mut Html, report: &Report) {
    if report.ok {
        // The words of the guide's own last step.
        html.raw("<p role=\"status\" class=\"verdict good\">✓ Connection test successful. Everything is configured correctly.</p>");
        return;
    }
    let failed = report.legs.iter().filter(|leg| !leg.ok).count();
    html.raw("<p role=\"status\" class=\"verdict bad\">✗ Connection test failed: ")
        .text(&format!("{failed} of {} did not get through.", report.legs.len()))
        .raw("</p>");
}

fn leg(html: &mut Html, leg: &Leg, names: &Names) {
    let (from, to) = match leg.name.as_str() {
        "outbound" => ("ServiceNow", "Microsoft 365"),
        "repository" => ("Microsoft 365", "the repository's endpoint"),
        "copilot" => ("Copilot connector", "ServiceNow"),
        _ => ("Microsoft 365", "ServiceNow"),
    };
    let (class, sign) = if leg.ok { ("good", "✓") } else { ("bad", "✗") };
    html.raw("<article class=\"leg ").raw(class).raw("\"><h3>").raw(sign);
    html.raw(" ").text(from).raw(" → ").text(to).raw(" <small>");
    html.text(&leg.name).raw("</small></h3><ol>");
    for step in &leg.steps {
        html.raw("<li>").piece(&names.told(step)).raw("</li>");
    }
    if let Some(cause) = &leg.cause {
        html.raw("<li class=\"cause\">").piece(&names.told(cause)).raw("</li>");
    }
    html.raw("</ol></article>");
}

/// What the instance did not ship with.
fn made(html: &mut Html, tables: &[ShownTable], names: &Names) {
    html.raw("<section id=\"made\"><h2>Made in ServiceNow</h2>");
    let mut is_empty = true;
    html.raw(
        "<p class=\"quiet\">What the instance did not ship with, and who made it. <em>By a rule</em>: the instance ",
    )
    .raw("itself, because another record was made.</p><div class=\"groups\">");
    for table in tables {
        let made: Vec<&ShownRecord> = table.records.iter().filter(|record| record.made_by.is_some()).collect();
        if made.is_empty() {
            continue;
        }
        is_empty = false;
        html.raw("<article class=\"group\"><h3>");
        html.link(&table_address(table.name), table.label).raw(" ");
        html.code(table.name).raw("</h3><ul>");
        for record in made.iter().take(MOST_PER_TABLE) {
            html.raw("<li>");
            html.link(&address(table.name, &record.sys_id), &record.name).raw(" ");
            html.piece(&maker(record));
            facts(html, record, names);
            html.raw("</li>");
        }
        if made.len() > MOST_PER_TABLE {
            html.raw("<li class=\"quiet\">");
            html.text(&format!("and {} more", made.len() - MOST_PER_TABLE))
                .raw("</li>");
        }
        html.raw("</ul></article>");
    }
    html.raw("</div>");
    if is_empty {
        html.raw("<p class=\"quiet\">Nothing yet: the instance holds the records that it shipped with. Apply a ")
            .raw("configuration and reload.</p>");
    }
    html.raw("</section>");
}

/// The first things to know of a record.
fn facts(html: &mut Html, record: &ShownRecord, names: &Names) {
    let facts: Vec<_> = record
        .cells
        .iter()
        .filter(|cell| cell.is_telling && !matches!(cell.shown, Shown::Reference { .. }))
        .filter(|cell| !record.name.contains(&plain(&cell.shown)))
        .take(MOST_FACTS)
        .collect();
    if facts.is_empty() {
        return;
    }
    html.raw("<div class=\"facts\">");
    for cell in facts {
        html.raw("<span>").text(cell.label).raw(": ");
        html.piece(&match &cell.shown {
            Shown::Text(text) => names.told(text),
            Shown::Choice { .. } | Shown::Reference { .. } | Shown::Secret | Shown::Empty => {
                records::value(cell, names)
            }
        });
        html.raw("</span> ");
    }
    html.raw("</div>");
}

fn plain(shown: &Shown) -> String {
    match shown {
        Shown::Text(text) => text.clone(),
        Shown::Choice { label, .. } => label.clone(),
        Shown::Reference { name, .. } => name.clone(),
        Shown::Secret | Shown::Empty => "\0".to_owned(),
    }
}

fn admin_center(html: &mut Html, page: &Page, names: &Names) {
    html.raw("<section id=\"admin\"><h2>Microsoft 365 admin center</h2><dl><div><dt>Internal support tool</dt><dd>");
    html.piece(&or_not_set(&page.admin.support_tool(), Html::of));
    html.raw("</dd></div><div><dt>Application ID to issue the token</dt><dd>");
    html.piece(&or_not_set(&page.admin.application_id(), |id| names.named(id)));
    html.raw("</dd></div></dl>");
    let repositories = page.admin.repositories();
    if repositories.is_empty() {
        html.raw("<p class=\"quiet\">No repository.</p>");
    }
    for repository in &repositories {
        html.raw("<h3>Repository ").text(&repository.id).raw("</h3><dl>");
        for (label, value) in repository_fields(repository, names) {
            html.raw("<div><dt>").text(label).raw("</dt><dd>");
            html.piece(&value).raw("</dd></div>");
        }
        html.raw("</dl>");
    }
    html.raw("</section>");
}

fn repository_fields(repository: &Repository, names: &Names) -> [(&'static str, Html); 6] {
    [
        ("Endpoint", Html::of(&repository.endpoint)),
        ("Authentication", Html::of(&repository.authentication)),
        ("Client ID", or_not_set(&repository.client_id, |id| names.named(id))),
        ("Client secret", secret(&repository.client_secret)),
        (
            "REST user name",
            or_not_set(&repository.user_name, |name| names.named(name)),
        ),
        ("REST user password", secret(&repository.user_password)),
    ]
}

fn or_not_set(text: &str, shown: impl FnOnce(&str) -> Html) -> Html {
    if text.is_empty() {
        let mut html = Html::default();
        html.raw("<span class=\"quiet\">not set</span>");
        return html;
    }
    shown(text)
}

fn secret(text: &str) -> Html {
    or_not_set(text, |_| {
        let mut html = Html::default();
        html.raw("<span class=\"secret\">set, not shown</span>");
        html
    })
}

fn applications(html: &mut Html, page: &Page) {
    html.raw("<section id=\"entra\"><h2>Entra applications</h2>");
    let rows: Vec<Vec<Html>> = page.entra.directory().with(|tenant| {
        let mut all: Vec<&Application> = tenant.applications.values().collect();
        let own = |application: &Application| application.app_id == page.own_application;
        all.sort_by_key(|application| (own(application), application.display_name()));
        let row = |application: &&Application| self::application(tenant, application, own(application));
        all.iter().map(row).collect()
    });
    html.table(
        &[
            "Name",
            "Client ID",
            "Service principal",
            "Tokens for it",
            "Client secrets",
        ],
        &rows,
    );
    html.raw("</section>");
}

fn application(tenant: &Tenant, application: &Application, is_own: bool) -> Vec<Html> {
    let mut name = Html::default();
    name.raw("<strong>").text(application.display_name()).raw("</strong>");
    if is_own {
        name.raw(" <span class=\"shipped\">for Terraform's own sign-in</span>");
    }
    let mut id = Html::default();
    id.code(&application.app_id);
    let principal = match tenant.service_principal(&application.app_id) {
        Some(_) => "yes",
        None => "no",
    };
    let version = match tenant.token_version(&application.app_id) {
        TokenVersion::V1 => "version 1.0",
        TokenVersion::V2 => "version 2.0",
    };
    let ends: Vec<String> = application
        .passwords
        .iter()
        .map(|password| format!("until {}", password.end.split('T').next().unwrap_or_default()))
        .collect();
    let secrets = match ends.as_slice() {
        [] => "none".to_owned(),
        ends => ends.join(", "),
    };
    vec![name, id, Html::of(principal), Html::of(version), Html::of(&secrets)]
}

fn tokens(html: &mut Html, page: &Page, names: &Names) {
    html.raw("<section id=\"tokens\"><h2>Tokens that Entra issued</h2>");
    let issued = page.entra.issued();
    // Each run of Terraform signs in several times, which would hide what the two sides say to each other.
    let (own, others): (Vec<&Claims>, Vec<&Claims>) = issued
        .iter()
        .rev()
        .partition(|claims| client(claims) == page.own_application);
    if others.is_empty() {
        html.raw("<p class=\"quiet\">None yet to an application that calls the other side.</p>");
    } else {
        html.raw(
            "<p class=\"quiet\">The newest first. Claims are what the receiver checks; the signed text of a token ",
        )
        .raw("is not kept.</p>");
        newest(html, &others, names);
    }
    if !own.is_empty() {
        html.raw("<details class=\"own\"><summary>");
        html.text(&format!("Terraform's own sign-ins ({})", own.len()))
            .raw("</summary>");
        newest(html, &own, names);
        html.raw("</details>");
    }
    html.raw("</section>");
}

fn newest(html: &mut Html, issued: &[&Claims], names: &Names) {
    for claims in issued.iter().take(MOST_TOKENS) {
        token(html, claims, names);
    }
    if issued.len() > MOST_TOKENS {
        html.raw("<p class=\"quiet\">");
        html.text(&format!("and {} before them", issued.len() - MOST_TOKENS))
            .raw("</p>");
    }
}

/// The application that a token was issued to.
fn client(claims: &Claims) -> &str {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("appid") {
        "" => text("azp"),
        client => client,
    }
}

fn token(html: &mut Html, claims: &Claims, names: &Names) {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let known = |identifier: &str| names.find(identifier).unwrap_or(identifier).to_owned();
    html.raw("<details class=\"token\"><summary><time>");
    let issued = claims.get("iat").and_then(Value::as_i64);
    html.text(&issued.map_or_else(String::new, |second| clock(second, "%H:%M:%S")));
    html.raw("</time> <strong>")
        .text(&known(client(claims)))
        .raw("</strong>");
    if claims.contains_key("scp") {
        html.raw(" for a person");
    }
    html.raw(" → <strong>").text(&known(text("aud")));
    html.raw("</strong> <small>version ")
        .text(text("ver"))
        .raw("</small></summary><dl>");
    let mut seen = BTreeSet::new();
    let ordered = FIRST_CLAIMS
        .into_iter()
        .chain(claims.keys().map(String::as_str))
        .filter(|name| seen.insert(*name));
    for name in ordered {
        let Some(value) = claims.get(name) else { continue };
        html.raw("<div><dt>").code(name).raw("</dt><dd>");
        html.piece(&claim(name, value, names)).raw("</dd></div>");
    }
    html.raw("</dl></details>");
}

fn claim(name: &str, value: &Value, names: &Names) -> Html {
    match value {
        Value::String(text) => names.explained(text),
        Value::Number(number) if ["iat", "nbf", "exp"].contains(&name) => {
            let time = number.as_i64().map(|second| clock(second, "%Y-%m-%d %H:%M:%S UTC"));
            let mut html = Html::of(&number.to_string());
            html.raw(" <span class=\"known\">(")
                .text(&time.unwrap_or_default())
                .raw(")</span>");
            html
        }
        other => Html::of(&other.to_string()),
    }
}

fn clock(second: i64, format: &str) -> String {
    jiff::Timestamp::from_second(second).map_or_else(|_| String::new(), |time| time.strftime(format).to_string())
}

pub(super) fn all_tables(html: &mut Html, tables: &[ShownTable]) {
    html.raw("<section id=\"tables\"><h2>All tables</h2><ul class=\"tables\">");
    for table in tables.iter().filter(|table| !table.records.is_empty()) {
        let made = table.records.iter().filter(|record| record.made_by.is_some()).count();
        html.raw(if made > 0 { "<li class=\"touched\">" } else { "<li>" });
        html.link(&table_address(table.name), table.label).raw(" ");
        html.code(table.name).raw(" <span class=\"count\">");
        html.text(&match made {
            0 => table.records.len().to_string(),
            made if made == table.records.len() => format!("{made} made"),
            made => format!("{}, {made} made", table.records.len()),
        });
        html.raw("</span></li>");
    }
    html.raw("</ul>");
    let empty: Vec<&ShownTable> = tables.iter().filter(|table| table.records.is_empty()).collect();
    html.raw("<details><summary>")
        .text(&format!("{} empty ones", empty.len()));
    html.raw("</summary><p>");
    for table in empty {
        html.code(table.name).raw(" ");
    }
    html.raw("</p></details></section>");
}

const VARIANTS: [(&str, &str); 6] = [
    ("", "both directions"),
    ("aad_v1", "with Entra tokens"),
    ("basic_v1", "with user and password"),
    ("insights_only", "outbound only"),
    ("v2", "version 2 of the application"),
    ("copilot", "Copilot connector"),
];
/// What decides whether a token is taken, before the rest.
const FIRST_CLAIMS: [&str; 10] = ["aud", "iss", "appid", "azp", "ver", "roles", "scp", "tid", "iat", "exp"];
const MOST_TOKENS: usize = 50;
const MOST_PER_TABLE: usize = 20;
const MOST_FACTS: usize = 4;
