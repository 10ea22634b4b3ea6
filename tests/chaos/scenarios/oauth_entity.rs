//! Entries of the application registry, with their default profiles.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, cell_of, lines, secret, with_secret};

pub(super) struct Entities;

const SCOPES: [&str; 2] = [".default", "offline_access"];
const GRANTS: [&str; 2] = ["client_credentials", "authorization_code"];

impl Generator for Entities {
    fn type_name(&self) -> &'static str {
        "servicenow_oauth_entity"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let config = Object::new()
            .with("name", format!("outbound {number}"))
            .with("client_id", format!("{number}1111111-2222-3333-ABCD-555555555555"))
            .with(
                "comments",
                random.text(&["first", "first\nline\n", "first\r\nline", " first"]),
            )
            .with("default_grant_type", random.one(&GRANTS))
            .with(
                "token_url",
                "https://login.microsoftonline.com/contoso.com/oauth2/token",
            )
            .with("scopes", random.some(&SCOPES))
            .with("scope_restriction_status", random.text(&["restricted", "useraccount"]));
        with_secret(random, config, "client_secret").into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("comments", random.another("second\nline\n"));
        config.set("default_grant_type", random.one(&GRANTS));
        config.set("scopes", random.others(&SCOPES));
        if random.chance(0.5) {
            random.rotate(config, "client_secret");
        }
        if random.chance(0.3) {
            let other = config.text("client_id").unwrap_or_default().replace("2222", "7777");
            config.set("client_id", other);
        }
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let text = |name| config.text(name).unwrap_or_default();
        let entity = format!(
            "oauth_entity {} {} comments=|{}| grant={} secret={}",
            text("name"),
            text("client_id"),
            text("comments"),
            text("default_grant_type"),
            secret(config, "client_secret")
        );
        let profile = format!(
            "oauth_entity_profile of {} default=true grant={}",
            text("name"),
            text("default_grant_type")
        );
        let scopes = config.texts("scopes").unwrap_or_default();
        let scopes = scopes
            .iter()
            .map(|scope| format!("OAuth scope {scope} of {} on its profile", text("name")));
        [entity, profile].into_iter().chain(scopes).collect()
    }

    /// Nobody knows whether a killed process made them, so an import leaves them.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("OAuth scope ")
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let instance = simulator.instance();
        let entities = lines(instance, "oauth_entity", |row| {
            let line = format!(
                "oauth_entity {} {} comments=|{}| grant={} secret={}",
                row.cell("name"),
                row.cell("client_id"),
                row.cell("comments"),
                row.cell("default_grant_type"),
                row.cell("client_secret")
            );
            (row.cell("sys_class_name") == "oauth_entity").then_some(line)
        });
        let profiles = lines(instance, "oauth_entity_profile", |row| {
            let entity = cell_of(instance, "oauth_entity", row.cell("oauth_entity"), "name");
            let (default, grant) = (row.cell("default"), row.cell("grant_type"));
            Some(format!(
                "oauth_entity_profile of {entity} default={default} grant={grant}"
            ))
        });
        let scopes = lines(instance, "oauth_entity_scope", |row| {
            let entity = cell_of(instance, "oauth_entity", row.cell("oauth_entity"), "name");
            let links = instance.find("oauth_entity_profile_scope", "oauth_entity_scope", row.cell("sys_id"));
            let place = match links.len() {
                0 => "on no profile",
                1 => "on its profile",
                _ => "on a profile twice",
            };
            Some(format!(
                "OAuth scope {} of {entity} {place}",
                row.cell("oauth_entity_scope")
            ))
        });
        [entities, profiles, scopes].concat()
    }
}
