//! Roles with roles that they contain.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, cell_of, lines};

pub(super) struct Roles;

/// What they contain; none of them contains another.
const CONTAINED: [&str; 3] = ["knowledge", "user_criteria_admin", "chaos inner"];

impl Generator for Roles {
    fn type_name(&self) -> &'static str {
        "servicenow_role"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        Object::new()
            .with("name", format!("chaos_role_{number}"))
            .with("description", random.text(&["A role", " A role ", "A role\n"]))
            .with("elevated_privilege", random.chance(0.3))
            .with("contains", random.some(&CONTAINED))
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("description", random.another("Changed "));
        config.set("elevated_privilege", random.chance(0.3));
        config.set("contains", random.others(&CONTAINED));
    }

    /// Nobody knows whether a killed process added them, so an import leaves them when they are taken off the list.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("sys_user_role_contains ")
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let name = config.text("name").unwrap_or_default();
        let description = config.text("description").unwrap_or_default();
        let elevated = config.flag("elevated_privilege").unwrap_or_default();
        let contained = config.texts("contains").unwrap_or_default();
        let contained = contained
            .iter()
            .map(|inner| format!("sys_user_role_contains {name} {inner}"));
        let role = line(name, description, &elevated.to_string());
        std::iter::once(role).chain(contained).collect()
    }

    fn prepare(&self, simulator: &Simulator) {
        simulator.instance().put("sys_user_role", &[("name", "chaos inner")]);
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let instance = simulator.instance();
        let name = |role: &str| cell_of(instance, "sys_user_role", role, "name");
        let roles = lines(instance, "sys_user_role", |row| {
            let line = line(
                row.cell("name"),
                row.cell("description"),
                row.cell("elevated_privilege"),
            );
            // The platform's own.
            (row.cell("sys_created_by") != "system").then_some(line)
        });
        let contained = lines(instance, "sys_user_role_contains", |row| {
            let (outer, inner) = (name(row.cell("role")), name(row.cell("contains")));
            Some(format!("sys_user_role_contains {outer} {inner}"))
        });
        [roles, contained].concat()
    }
}

fn line(name: &str, description: &str, elevated: &str) -> String {
    format!("sys_user_role {name} description=|{description}| elevated={elevated}")
}
