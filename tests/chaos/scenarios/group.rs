//! Groups with roles, members, a manager and a parent.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, cell_of, lines};

pub(super) struct Groups;

/// None that a user of another block is granted, so that the platform derives no rows that those look for.
const ROLES: [&str; 2] = ["chaos group role", "another chaos group role"];
const MEMBERS: [&str; 2] = ["member-0", "member-1"];
const PARENT: &str = "chaos parent";

impl Generator for Groups {
    fn type_name(&self) -> &'static str {
        "servicenow_group"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let manager = random.one(&MEMBERS);
        Object::new()
            .with("name", format!("chaos group {number}"))
            .with("description", random.text(&["A group", " A group ", "A group\n"]))
            .with("manager", random.maybe(manager))
            .with("parent", random.maybe(PARENT))
            .with("active", random.chance(0.9))
            .with("roles", random.some(&ROLES))
            .with("members", random.some(&MEMBERS))
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("description", random.another("Changed "));
        config.set("manager", random.another("member-1"));
        config.set("parent", random.another(PARENT));
        config.set("roles", random.others(&ROLES));
        config.set("members", random.others(&MEMBERS));
    }

    /// Nobody knows whether a killed process added them, so an import leaves them when they are taken off the list.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("sys_group_has_role ") || line.starts_with("sys_user_grmember ")
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let text = |name| config.text(name).unwrap_or_default();
        let name = text("name");
        let active = config.flag("active").unwrap_or_default();
        let mut expected = vec![line([
            name,
            text("description"),
            text("manager"),
            text("parent"),
            &active.to_string(),
        ])];
        let roles = config.texts("roles").unwrap_or_default();
        expected.extend(roles.iter().map(|role| format!("sys_group_has_role {name} {role}")));
        let members = config.texts("members").unwrap_or_default();
        expected.extend(members.iter().map(|user| format!("sys_user_grmember {user} {name}")));
        expected
    }

    fn prepare(&self, simulator: &Simulator) {
        let instance = simulator.instance();
        for role in ROLES {
            instance.put("sys_user_role", &[("name", role)]);
        }
        for member in MEMBERS {
            instance.put("sys_user", &[("user_name", member)]);
        }
        instance.put("sys_user_group", &[("name", PARENT)]);
    }

    /// Members stand among the groups of users.
    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let instance = simulator.instance();
        let name = |table: &str, id: &str, column: &str| match id {
            "" => String::new(),
            id => cell_of(instance, table, id, column),
        };
        let groups = lines(instance, "sys_user_group", |row| {
            let manager = name("sys_user", row.cell("manager"), "user_name");
            let parent = name("sys_user_group", row.cell("parent"), "name");
            let cells = [
                row.cell("name"),
                row.cell("description"),
                &manager,
                &parent,
                row.cell("active"),
            ];
            // The platform's own.
            (row.cell("sys_created_by") != "system").then(|| line(cells))
        });
        let roles = lines(instance, "sys_group_has_role", |row| {
            let group = name("sys_user_group", row.cell("group"), "name");
            let role = name("sys_user_role", row.cell("role"), "name");
            (row.cell("sys_created_by") != "system").then(|| format!("sys_group_has_role {group} {role}"))
        });
        [groups, roles].concat()
    }
}

fn line([name, description, manager, parent, active]: [&str; 5]) -> String {
    format!("sys_user_group {name} description=|{description}| manager={manager} parent={parent} active={active}")
}
