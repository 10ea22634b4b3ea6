//! Names for the identifiers that a person would have to look up.

use std::collections::BTreeMap;

use crate::microsoft::directory::Tenant;
use crate::page::html::Html;

/// Identifiers of the tenant, each with what it stands for.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn of(tenant: &Tenant) -> Names {
        let mut names = BTreeMap::new();
        names.insert(tenant.id.clone(), format!("tenant {}", tenant.domain));
        let administrator = &tenant.administrator;
        names.insert(administrator.object_id.clone(), administrator.principal_name.clone());
        for principal in tenant.service_principals.values() {
            let own = principal.fields.get("displayName").and_then(|name| name.as_str());
            let registered = tenant.application(&principal.app_id);
            let name = registered.map(|application| application.display_name()).or(own);
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                names.insert(principal.app_id.clone(), name.to_owned());
                names.insert(principal.object_id.clone(), format!("{name}, service principal"));
                for address in &principal.names {
                    names.insert(address.clone(), name.to_owned());
                }
            }
        }
        for application in tenant.applications.values() {
            names.insert(application.app_id.clone(), application.display_name().to_owned());
            names.insert(
                application.object_id.clone(),
                format!("{}, application object", application.display_name()),
            );
            for uri in application.identifier_uris() {
                names.insert(uri.to_owned(), application.display_name().to_owned());
            }
        }
        Names(names)
    }

    pub(super) fn find(&self, identifier: &str) -> Option<&str> {
        let known = self.0.get(identifier.trim_end_matches('/'));
        known.map(String::as_str).filter(|name| !name.is_empty())
    }

    /// A text in which each known identifier is followed by its name.
    pub(super) fn explained(&self, text: &str) -> Html {
        self.with_names(text, |html, word, name| {
            html.code(word)
                .raw(" <span class=\"known\">(")
                .text(name)
                .raw(")</span>");
        })
    }

    /// A text that is read rather than copied: names, each with the beginning of its identifier.
    pub(super) fn told(&self, text: &str) -> Html {
        self.with_names(text, |html, word, name| {
            html.raw("<strong>")
                .text(name)
                .raw("</strong> <code class=\"id\" title=\"")
                .text(word);
            let short: String = word.chars().take(SHORT).collect();
            html.raw("\">").text(&short);
            html.raw(if short.len() < word.len() {
                "…</code>"
            } else {
                "</code>"
            });
        })
    }

    fn with_names(&self, text: &str, write: impl Fn(&mut Html, &str, &str)) -> Html {
        let mut html = Html::default();
        for (position, word) in text.split(' ').enumerate() {
            if position > 0 {
                html.raw(" ");
            }
            let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            match self.find(bare) {
                Some(name) => write(&mut html, word, name),
                None => {
                    html.text(word);
                }
            }
        }
        html
    }

    /// The name if there is one, with the identifier beside it, else the identifier.
    pub(super) fn named(&self, identifier: &str) -> Html {
        let mut html = Html::default();
        match self.find(identifier) {
            Some(name) => html
                .raw("<strong>")
                .text(name)
                .raw("</strong> ")
                .raw("<code class=\"id\">")
                .text(identifier)
                .raw("</code>"),
            None => html.code(identifier),
        };
        html
    }
}

/// Letters by which a person tells identifiers apart.
const SHORT: usize = 8;
