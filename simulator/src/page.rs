//! The page for people, at the instance's `/`: what the simulator holds, and the connection test with a button.
//!
//! No script, no external asset, no secret. The rest of the instance's addresses stay the instance's.

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;

use crate::connection::{ConnectionTest, Report, wanted};
use crate::instance::Instance;
use crate::microsoft::admin::Admin;
use crate::microsoft::entra::Entra;

/// What the page shows; cheap to clone.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) instance: Instance,
    pub(crate) entra: Entra,
    pub(crate) admin: Admin,
    pub(crate) connection: ConnectionTest,
}

impl Page {
    /// Puts the page in front of the instance.
    pub(crate) fn in_front_of(self, instance: Router) -> Router {
        Router::new()
            .route("/", get(show).post(test))
            .with_state(self)
            .fallback_service(instance)
    }

    fn render(&self, report: Option<&Report>) -> Html {
        let mut html = Html(HEAD.to_owned());
        self.connection_test(&mut html, report);
        self.admin_center(&mut html);
        self.applications(&mut html);
        self.tokens(&mut html);
        self.tables(&mut html);
        html.raw("</body></html>");
        html
    }

    fn connection_test(&self, html: &mut Html, report: Option<&Report>) {
        html.raw("<h2>Connection test</h2><form method=\"post\"><label>Variant <select name=\"variant\">");
        for variant in ["aad_v1", "basic_v1", "insights_only", "v2", "copilot"] {
            html.raw("<option>").text(variant).raw("</option>");
        }
        html.raw("</select></label> <button>Run</button></form>");
        let Some(report) = report else { return };
        let verdict = if report.ok {
            "Connection test successful. Everything is configured correctly."
        } else {
            "Connection test failed."
        };
        html.raw("<p><strong>").text(verdict).raw("</strong></p>");
        for leg in &report.legs {
            html.raw("<h3>")
                .text(if leg.ok { "✓ " } else { "✗ " })
                .text(&leg.name)
                .raw("</h3><ol>");
            for step in &leg.steps {
                html.raw("<li>").text(step).raw("</li>");
            }
            html.raw("</ol>");
            if let Some(cause) = &leg.cause {
                html.raw("<p class=\"cause\">").text(cause).raw("</p>");
            }
        }
    }

    fn admin_center(&self, html: &mut Html) {
        let shown = self.admin.shown();
        html.raw("<h2>Microsoft 365 admin center</h2>");
        html.table(
            ["Internal support tool", "Application ID to issue the token"],
            [[text(&shown, "SupportTool"), text(&shown, "ApplicationId")]],
        );
        let repositories = self.admin.repositories().into_iter().map(|repository| {
            let secret = |value: &str| if value.is_empty() { "not set" } else { "set" }.to_owned();
            [
                repository.id,
                repository.endpoint,
                repository.authentication,
                repository.client_id,
                secret(&repository.client_secret),
                repository.user_name,
                secret(&repository.user_password),
            ]
        });
        html.table(
            [
                "Repository",
                "Endpoint",
                "Authentication",
                "Client ID",
                "Client secret",
                "REST user",
                "REST password",
            ],
            repositories,
        );
    }

    fn applications(&self, html: &mut Html) {
        let rows: Vec<[String; 5]> = self.entra.directory().with(|tenant| {
            tenant
                .applications
                .values()
                .map(|application| {
                    let principal = tenant.service_principal(&application.app_id);
                    let passwords: Vec<String> = application
                        .passwords
                        .iter()
                        .map(|one| format!("{} until {}", one.key_id, one.end))
                        .collect();
                    [
                        application.display_name().to_owned(),
                        application.app_id.clone(),
                        principal.map_or("none".to_owned(), |principal| principal.object_id.clone()),
                        format!("{:?}", tenant.token_version(&application.app_id)).to_lowercase(),
                        passwords.join(", "),
                    ]
                })
                .collect()
        });
        html.raw("<h2>Entra applications</h2>");
        html.table(
            [
                "Name",
                "Client ID",
                "Service principal",
                "Token version",
                "Secrets (key ids)",
            ],
            rows,
        );
    }

    fn tokens(&self, html: &mut Html) {
        html.raw("<h2>Tokens issued</h2>");
        let issued = self.entra.issued();
        for claims in issued.iter().rev().take(MOST_TOKENS) {
            let name = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
            let caller = if name("appid").is_empty() {
                name("azp")
            } else {
                name("appid")
            };
            html.raw("<details><summary>v")
                .text(name("ver"))
                .raw(" for ")
                .text(name("aud"))
                .raw(" from ")
                .text(caller);
            html.raw("</summary><pre>");
            html.text(&serde_json::to_string_pretty(claims).unwrap_or_default())
                .raw("</pre></details>");
        }
        if issued.is_empty() {
            html.raw("<p>None yet.</p>");
        }
    }

    fn tables(&self, html: &mut Html) {
        html.raw("<h2>ServiceNow records</h2>");
        for table in TABLES {
            let records = self.instance.records(table);
            html.raw("<details><summary>")
                .text(table)
                .text(&format!(" ({})", records.len()))
                .raw("</summary>");
            for record in &records {
                html.raw("<dl>");
                for (column, value) in record.iter().filter(|(_, value)| !value.is_empty()) {
                    let shown = if is_secret(column) { "set, not shown" } else { value };
                    html.raw("<dt>").text(column).raw("</dt><dd>").text(shown).raw("</dd>");
                }
                html.raw("</dl>");
            }
            html.raw("</details>");
        }
    }
}

/// HTML in the making. Everything that is not markup goes through [`Html::text`].
struct Html(String);

impl Html {
    fn raw(&mut self, markup: &str) -> &mut Html {
        self.0.push_str(markup);
        self
    }

    fn text(&mut self, text: &str) -> &mut Html {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                other => self.0.push(other),
            }
        }
        self
    }

    fn table<const N: usize>(&mut self, names: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        self.raw("<table><tr>");
        for name in names {
            self.raw("<th>").text(name).raw("</th>");
        }
        self.raw("</tr>");
        for row in rows {
            self.raw("<tr>");
            for cell in row {
                self.raw("<td>").text(&cell).raw("</td>");
            }
            self.raw("</tr>");
        }
        self.raw("</table>");
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
            ),
        ];
        (headers, self.0).into_response()
    }
}

async fn show(State(page): State<Page>) -> Html {
    page.render(None)
}

async fn test(State(page): State<Page>, body: String) -> Html {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let report = match wanted(&form, "") {
        Ok(wanted) => Some(page.connection.run(&wanted).await),
        Err(_) => None,
    };
    page.render(report.as_ref())
}

/// Whether a column may hold a secret. Rather one too many: this is a page.
fn is_secret(column: &str) -> bool {
    let suspicious = ["secret", "password", "token", "hash", "key"]
        .iter()
        .any(|part| column.contains(part));
    suspicious && !HARMLESS.contains(&column)
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

const HARMLESS: [&str; 6] = [
    "token_url",
    "revoke_token_url",
    "access_token_lifespan",
    "refresh_token_lifespan",
    "password_needs_reset",
    "enable_jti_verification",
];
const MOST_TOKENS: usize = 50;
const TABLES: [&str; 10] = [
    "oauth_entity",
    "oauth_entity_profile",
    "oidc_provider_configuration",
    "sys_user",
    "sys_user_has_role",
    "sys_user_grmember",
    "sys_db_object",
    "sys_scope_privilege",
    "ip_access",
    "incident",
];
const HEAD: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>servicenow-simulator</title><style>\
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;margin:.5rem 0}th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:left}\
dl{display:grid;grid-template-columns:16rem 1fr;border-top:1px solid #ccc;margin:.5rem 0}dd{margin:0;overflow-wrap:anywhere}\
pre{background:#f4f4f4;padding:.5rem;overflow:auto}.cause{color:#a00}summary{cursor:pointer}\
</style></head><body><h1>servicenow-simulator</h1><p>Everything here is simulated and in memory.</p>";
