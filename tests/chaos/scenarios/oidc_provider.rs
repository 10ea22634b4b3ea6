//! OIDC providers with configurations of their own and auth scopes.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, cell_of, lines};

pub(super) struct Providers;

impl Generator for Providers {
    fn type_name(&self) -> &'static str {
        "servicenow_oidc_provider"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let url = format!("https://login.microsoftonline.com/tenant-{number}.example/.well-known/openid-configuration");
        let configuration = Object::new()
            .with("name", format!("inbound {number} configuration"))
            .with("metadata_url", url)
            .with("user_claim", "appid");
        Object::new()
            .with("name", format!("inbound {number}"))
            .with("client_id", format!("{number}9999999-2222-3333-ABCD-555555555555"))
            .with("auth_scopes", random.some(&["useraccount", "kb_read"]))
            .with("configuration", configuration)
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("auth_scopes", random.others(&["useraccount", "kb_read"]));
        let configuration = config.object("configuration").cloned().unwrap_or_default();
        config.set(
            "configuration",
            configuration.with("user_claim", random.one(&["sub", "appid"])),
        );
        if random.chance(0.3) {
            let other = config.text("client_id").unwrap_or_default().replace("2222", "7777");
            config.set("client_id", other);
        }
    }

    /// Nobody knows whether a killed process made them, so an import leaves them.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("oidc_provider_configuration ") || line.starts_with("auth scope ")
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let name = config.text("name").unwrap_or_default();
        let client_id = config.text("client_id").unwrap_or_default();
        let configuration = config.object("configuration").cloned().unwrap_or_default();
        let claim = configuration.text("user_claim").unwrap_or_default();
        let mut expected = vec![
            format!("oauth_oidc_entity {name} {client_id} by {name} configuration"),
            format!("oidc_provider_configuration {name} configuration claim={claim}"),
            format!("oauth_entity_profile of {name} default=true grant=password"),
        ];
        let scopes = config.texts("auth_scopes").unwrap_or_default();
        expected.extend(scopes.iter().map(|scope| format!("auth scope {scope} of {name}")));
        expected
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let instance = simulator.instance();
        let entities = lines(instance, "oauth_oidc_entity", |row| {
            let configuration = row.cell("oidc_provider_configuration");
            Some(format!(
                "oauth_oidc_entity {} {} by {}",
                row.cell("name"),
                row.cell("client_id"),
                cell_of(instance, "oidc_provider_configuration", configuration, "name")
            ))
        });
        let configurations = lines(instance, "oidc_provider_configuration", |row| {
            let (name, claim) = (row.cell("name"), row.cell("user_claim"));
            Some(format!("oidc_provider_configuration {name} claim={claim}"))
        });
        let scopes = lines(instance, "oauth_entity_auth_scope_mapping", |row| {
            Some(format!(
                "auth scope {} of {}",
                cell_of(instance, "sys_auth_scope", row.cell("auth_scope"), "name"),
                cell_of(instance, "oauth_entity", row.cell("oauth_entity"), "name")
            ))
        });
        [entities, configurations, scopes].concat()
    }
}
