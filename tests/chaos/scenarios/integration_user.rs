//! Users with roles, groups and a password.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, cell_of, lines, secret, with_secret};

pub(super) struct Users;

/// Roles that [`super::user_role`] leaves alone, without contained ones, so that the platform adds no rows of its own.
const ROLES: [&str; 3] = ["knowledge", "evt_mgmt_integration", "user_criteria_admin"];
const GROUP: &str = "chaos group";

impl Generator for Users {
    fn type_name(&self) -> &'static str {
        "servicenow_integration_user"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let config = Object::new()
            .with(
                "user_name",
                random
                    .one(&["robot-0", "0ABCDEF0-1111-2222-3333-444444444444"])
                    .replacen('0', &number.to_string(), 1),
            )
            .with("title", random.text(&["Robot", " Robot ", "Robot\n", "Robot"]))
            .with("email", random.maybe(format!("Robot-{number}@Example.com")))
            .with("roles", random.some(&ROLES))
            .with("groups", random.some(&[GROUP]));
        if random.chance(0.4) {
            with_secret(random, config, "password").into()
        } else {
            config.into()
        }
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("title", random.another("Changed "));
        config.set("roles", random.others(&ROLES));
        config.set("groups", random.others(&[GROUP]));
        if !secret(config, "password").is_empty() && random.chance(0.5) {
            random.rotate(config, "password");
        }
    }

    /// Nobody knows whether a killed process granted them, so an import leaves them when they are taken off the list.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("sys_user_has_role ") || line.starts_with("sys_user_grmember ")
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let user = config.text("user_name").unwrap_or_default();
        let title = config.text("title").unwrap_or_default();
        let email = config.text("email").unwrap_or_default();
        let mut expected = vec![line([user, title, email, secret(config, "password")])];
        let roles = config.texts("roles").unwrap_or_default();
        expected.extend(roles.iter().map(|role| format!("sys_user_has_role {user} {role}")));
        let groups = config.texts("groups").unwrap_or_default();
        expected.extend(groups.iter().map(|group| format!("sys_user_grmember {user} {group}")));
        expected
    }

    fn prepare(&self, simulator: &Simulator) {
        simulator.instance().put("sys_user_group", &[("name", GROUP)]);
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let instance = simulator.instance();
        let name = |user: &str| cell_of(instance, "sys_user", user, "user_name");
        let users = lines(instance, "sys_user", |row| {
            Some(line(
                ["user_name", "title", "email", "user_password"].map(|column| row.cell(column)),
            ))
        });
        let roles = lines(instance, "sys_user_has_role", |row| {
            let role = cell_of(instance, "sys_user_role", row.cell("role"), "name");
            let line = format!("sys_user_has_role {} {role}", name(row.cell("user")));
            // The platform's own come and go with those that they are derived from.
            (row.cell("inherited") != "true").then_some(line)
        });
        let groups = lines(instance, "sys_user_grmember", |row| {
            let group = cell_of(instance, "sys_user_group", row.cell("group"), "name");
            let line = format!("sys_user_grmember {} {group}", name(row.cell("user")));
            // The platform's own.
            (row.cell("sys_created_by") != "system").then_some(line)
        });
        [users, roles, groups].concat()
    }
}

fn line([user, title, email, password]: [&str; 4]) -> String {
    format!("sys_user {user} title=|{title}| email=|{email}| password={password}")
}
