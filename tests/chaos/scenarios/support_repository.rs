//! Repositories of the support integration. A write replaces all of one, secrets included.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, secret, with_secret};

pub(super) struct Repositories;

impl Generator for Repositories {
    fn type_name(&self) -> &'static str {
        "m365_support_repository"
    }

    fn most(&self) -> usize {
        2
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let config = Object::new()
            .with("repository_id", format!("repository-{number}"))
            .with("endpoint", "https://contoso.service-now.com/")
            .with("client_id", format!("{number}333ABCD-2222-3333-4444-555555555555"))
            .with("rest_user_name", format!("{number}444ABCD-2222-3333-4444-555555555555"));
        let config = with_secret(random, config, "client_secret");
        with_secret(random, config, "rest_user_password").into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set(
            "endpoint",
            format!("https://{}.service-now.com/", random.one(&["contoso", "fabrikam"])),
        );
        for name in ["client_secret", "rest_user_password"] {
            if random.chance(0.5) {
                random.rotate(config, name);
            }
        }
        if random.chance(0.2) {
            let other = config
                .text("repository_id")
                .unwrap_or_default()
                .replace("y-", "y-moved-");
            config.set("repository_id", other);
        }
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let text = |name| config.text(name).unwrap_or_default();
        vec![line(
            [
                text("repository_id"),
                text("endpoint"),
                text("client_id"),
                text("rest_user_name"),
            ],
            [secret(config, "client_secret"), secret(config, "rest_user_password")],
        )]
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let repositories = simulator.admin().repositories().into_iter().enumerate();
        repositories
            .map(|(number, it)| {
                let texts = [&it.id, &it.endpoint, &it.client_id, &it.user_name].map(String::as_str);
                let secrets = [&it.client_secret, &it.user_password].map(String::as_str);
                (format!("repository/{number}"), line(texts, secrets))
            })
            .collect()
    }
}

fn line([id, endpoint, client_id, user]: [&str; 4], [secret, password]: [&str; 2]) -> String {
    format!("repository {id} {endpoint} {client_id} {user} secrets={secret} {password}")
}
