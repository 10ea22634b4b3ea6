//! Who trusts whom: what the records of both clouds say of the applications in Entra, and what is missing yet.

mod picture; // The same, drawn.

use crate::instance::{Shown, ShownRecord, ShownTable};
use crate::microsoft::admin_center::Repository;
use crate::microsoft::directory::Tenant;
use crate::page::html::Html;
use crate::page::records::address;
use crate::page::services::Page;

pub(super) fn section(html: &mut Html, page: &Page, tables: &[ShownTable]) {
    let repositories = page.admin.repositories();
    let named = page.admin.application_id();
    let rows = page.entra.directory().with(|tenant| {
        let stored = Stored {
            tenant,
            own_application: &page.own_application,
            tables,
        };
        let mut rows = vec![stored.outbound(&named)];
        match repositories.first() {
            Some(repository) if repository.authentication == "Basic" => {
                rows.extend(stored.inbound_by_password(repository));
            }
            repository => rows.extend(stored.inbound_by_token(repository)),
        }
        rows
    });
    html.raw("<section id=\"trust\"><h2>Who trusts whom</h2><p class=\"quiet\">Drawn from the records: what either ")
        .raw("side has stored about the applications in Entra. What is missing is dashed.</p>");
    picture::draw(html, &rows);
    html.raw("<ul class=\"ties\">");
    for (row, tie) in rows.iter().flat_map(|row| row.ties.iter().map(move |tie| (row, tie))) {
        html.raw(if tie.is_there {
            "<li>✓ "
        } else {
            "<li class=\"missing\">✗ missing: "
        });
        let (from, to) = row.ends(tie);
        from.write(html);
        html.raw(" ").text(tie.says).raw(" ");
        to.write(html);
        html.raw("</li>");
    }
    html.raw("</ul>");
    if repositories.len() > 1 {
        html.raw("<p class=\"quiet\">");
        html.text(&format!("The first of {} repositories.", repositories.len()))
            .raw("</p>");
    }
    html.raw("</section>");
}

/// What both clouds have stored about one application of Entra.
struct Row {
    servicenow: Party,
    /// `None` where Entra has no part: with user name and password.
    application: Option<Party>,
    microsoft: Party,
    ties: Vec<Tie>,
}

/// A record, an application, a setting.
#[derive(Eq, PartialEq)]
struct Party {
    /// "OIDC provider"
    kind: &'static str,
    /// `None` when there is none.
    name: Option<String>,
    /// Of its page, for a record.
    address: Option<String>,
}

/// What one party has stored about another.
struct Tie {
    from: Place,
    says: &'static str,
    to: Place,
    is_there: bool,
}

/// A party's place in a row.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Place {
    ServiceNow,
    Entra,
    Microsoft,
}

impl Row {
    /// An application, and what either side has stored about it: who, its words, whether it is there.
    fn about(
        application: Party,
        servicenow: (Party, &'static str, bool),
        microsoft: (Party, &'static str, bool),
    ) -> Row {
        let is_known = application.name.is_some();
        let tie = |from, says, is_stored: bool| Tie {
            from,
            says,
            to: Place::Entra,
            is_there: is_stored && is_known,
        };
        Row {
            ties: vec![
                tie(Place::ServiceNow, servicenow.1, servicenow.2),
                tie(Place::Microsoft, microsoft.1, microsoft.2),
            ],
            servicenow: servicenow.0,
            application: Some(application),
            microsoft: microsoft.0,
        }
    }

    fn ends(&self, tie: &Tie) -> (&Party, &Party) {
        (self.party(tie.from), self.party(tie.to))
    }

    fn party(&self, place: Place) -> &Party {
        match place {
            Place::ServiceNow => &self.servicenow,
            Place::Entra => self.application.as_ref().unwrap_or(&self.servicenow),
            Place::Microsoft => &self.microsoft,
        }
    }
}

impl Party {
    fn of_record(kind: &'static str, found: Option<Found<'_>>) -> Party {
        Party {
            kind,
            name: found.map(|found| found.record.name.clone()),
            address: found.map(|found| address(found.table, &found.record.sys_id)),
        }
    }

    fn write(&self, html: &mut Html) {
        html.text(self.kind).raw(" ");
        match (&self.name, &self.address) {
            (Some(name), Some(address)) => html.link(address, name),
            (Some(name), None) => html.raw("<strong>").text(name).raw("</strong>"),
            (None, _) => html.raw("<span class=\"none\">(none)</span>"),
        };
    }
}

/// Everything that the picture is drawn from.
struct Stored<'a> {
    tenant: &'a Tenant,
    own_application: &'a str,
    tables: &'a [ShownTable],
}

#[derive(Clone, Copy)]
struct Found<'a> {
    table: &'static str,
    record: &'a ShownRecord,
}

impl<'a> Stored<'a> {
    /// ServiceNow calls Microsoft, as A1.
    fn outbound(&self, named: &str) -> Row {
        let provider = |fits: &dyn Fn(&str) -> bool| {
            self.find("oauth_entity", |record| {
                stored(record, "type") == "oauth_provider" && fits(stored(record, "client_id"))
            })
        };
        // Before the admin center names one, the record that names an application of this tenant.
        let provider = provider(&|id| is(id, named)).or_else(|| provider(&|id| self.is_registered(id)));
        let a1 = named_or_stored(named, provider, "client_id");
        let setting = Party {
            kind: "Admin center",
            name: (!named.is_empty()).then(|| "application to issue the token".to_owned()),
            address: None,
        };
        Row::about(
            self.application("Application A1", a1),
            (
                Party::of_record("OAuth provider", provider),
                "signs in as",
                names(provider, "client_id", a1),
            ),
            (setting, "accepts tokens of", is(named, a1)),
        )
    }

    /// Microsoft calls ServiceNow with a token of Entra: for A2, as A3.
    fn inbound_by_token(&self, repository: Option<&Repository>) -> [Row; 2] {
        let audience = repository.map_or("", |repository| &repository.client_id);
        let caller = repository.map_or("", |repository| &repository.user_name);
        let provider =
            |fits: &dyn Fn(&str) -> bool| self.find("oauth_oidc_entity", |record| fits(stored(record, "client_id")));
        let provider = provider(&|id| is(id, audience)).or_else(|| provider(&|id| self.is_registered(id)));
        let a2 = named_or_stored(audience, provider, "client_id");

        let configuration = provider.map_or("", |found| stored(found.record, "oidc_provider_configuration"));
        let field = self
            .find("oidc_provider_configuration", |record| record.sys_id == configuration)
            .map_or("user_name", |found| stored(found.record, "user_field"));
        let user = |fits: &dyn Fn(&str) -> bool| self.find("sys_user", |record| fits(stored(record, field)));
        let user = user(&|id| is(id, caller)).or_else(|| user(&|id| self.is_registered(id)));
        let a3 = named_or_stored(caller, user, field);

        [
            Row::about(
                self.application("Application A2", a2),
                (
                    Party::of_record("OIDC provider", provider),
                    "accepts tokens for",
                    names(provider, "client_id", a2),
                ),
                (self::repository(repository), "gets tokens for", is(audience, a2)),
            ),
            Row::about(
                self.application("Application A3", a3),
                (Party::of_record("User", user), "stands for", names(user, field, a3)),
                (self::repository(repository), "signs in as", is(caller, a3)),
            ),
        ]
    }

    /// Microsoft calls ServiceNow with a user name and a password, at an OAuth endpoint of the instance.
    fn inbound_by_password(&self, repository: &Repository) -> [Row; 2] {
        let row = |kind, found: Option<Found<'_>>, says| Row {
            servicenow: Party::of_record(kind, found),
            application: None,
            microsoft: self::repository(Some(repository)),
            ties: vec![Tie {
                from: Place::Microsoft,
                says,
                to: Place::ServiceNow,
                is_there: found.is_some_and(is_active),
            }],
        };
        let endpoint = self.find("oauth_entity", |record| {
            stored(record, "type") == "client" && is(stored(record, "client_id"), &repository.client_id)
        });
        let user = self.find("sys_user", |record| {
            is(stored(record, "user_name"), &repository.user_name)
        });
        [
            row("OAuth endpoint", endpoint, "gets tokens at"),
            row("User", user, "signs in as"),
        ]
    }

    fn application(&self, kind: &'static str, id: &str) -> Party {
        Party {
            kind,
            name: self
                .tenant
                .application(id)
                .map(|application| application.display_name().to_owned()),
            address: None,
        }
    }

    /// Whether it is the client ID of an application that may be one of the three.
    fn is_registered(&self, id: &str) -> bool {
        id != self.own_application && self.tenant.application(id).is_some()
    }

    fn find(&self, table: &str, fits: impl Fn(&ShownRecord) -> bool) -> Option<Found<'a>> {
        let table = self.tables.iter().find(|known| known.name == table)?;
        let record = table.records.iter().find(|record| fits(record))?;
        Some(Found {
            table: table.name,
            record,
        })
    }
}

fn repository(repository: Option<&Repository>) -> Party {
    Party {
        kind: "Repository",
        name: repository.map(|repository| repository.id.clone()),
        address: None,
    }
}

/// What one side names, or, as long as it names nothing, what the other side has stored.
fn named_or_stored<'a>(named: &'a str, found: Option<Found<'a>>, column: &str) -> &'a str {
    match found {
        Some(found) if named.is_empty() => stored(found.record, column),
        _ => named,
    }
}

/// Whether a record that is in force names an application.
fn names(found: Option<Found<'_>>, column: &str, id: &str) -> bool {
    found.is_some_and(|found| is_active(found) && is(stored(found.record, column), id))
}

fn is_active(found: Found<'_>) -> bool {
    stored(found.record, "active") != "false"
}

/// Whether both name the same; an empty value names nothing.
fn is(one: &str, other: &str) -> bool {
    !one.is_empty() && one == other
}

/// The value of a column; empty for a secret, and where there is no such column.
fn stored<'a>(record: &'a ShownRecord, column: &str) -> &'a str {
    let cell = record.cells.iter().find(|cell| cell.column == column);
    match cell.map(|cell| &cell.shown) {
        Some(Shown::Text(value) | Shown::Choice { value, .. } | Shown::Reference { sys_id: value, .. }) => value,
        Some(Shown::Secret | Shown::Empty) | None => "",
    }
}
