//! OIDC configurations of their own.

use servicenow_provider::plugin::Object;

use super::{Block, Drawn, Generator, Random};

pub(super) struct Configurations;

impl Generator for Configurations {
    fn type_name(&self) -> &'static str {
        "servicenow_oidc_configuration"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let url = format!("https://login.microsoftonline.com/shared-{number}.example/.well-known/openid-configuration");
        Object::new()
            .with("name", format!("shared {number}"))
            .with("metadata_url", url)
            .with("user_claim", random.one(&["appid", "oid"]))
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("user_claim", random.one(&["sub", "appid"]));
        if random.chance(0.3) {
            let other = config
                .text("metadata_url")
                .unwrap_or_default()
                .replace("shared-", "moved-");
            config.set("metadata_url", other);
        }
    }

    /// The records of the providers' generator have those of every configuration.
    fn expected(&self, config: &Object) -> Vec<String> {
        let text = |name| config.text(name).unwrap_or_default();
        vec![format!(
            "oidc_provider_configuration {} claim={}",
            text("name"),
            text("user_claim")
        )]
    }
}
