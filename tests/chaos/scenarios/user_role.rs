//! Roles of users that another block makes, and of people who were there before. Several blocks give one user different
//! roles, some of which contain others: then the platform derives rows of its own.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, Reference};

pub(super) struct Roles;

/// None of those that [`super::integration_user`] gives; `itil` contains the next two.
const ROLES: [&str; 5] = ["itil", "sn_incident_write", "view_changer", "soap", "mi_admin"];
const PEOPLE: [&str; 2] = ["person-0", "person-1"];

impl Generator for Roles {
    fn type_name(&self) -> &'static str {
        "servicenow_user_role"
    }

    fn most(&self) -> usize {
        ROLES.len()
    }

    fn draw(&self, number: usize, random: &mut Random, declared: &[Block]) -> Drawn {
        let config = Object::new().with("role", ROLES[number]);
        let users: Vec<&Block> = declared
            .iter()
            .filter(|block| block.type_name == "servicenow_integration_user")
            .collect();
        if users.is_empty() || random.chance(0.5) {
            return config.with("user", random.one(&PEOPLE)).into();
        }
        let user = random.one(&users);
        Drawn {
            config: config.with("user", user.config.at("user_name").clone()),
            references: vec![Reference {
                attribute: "user",
                target: user.address(),
                output: random.one(&["user_name", "id"]),
            }],
        }
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        let is_person = config.text("user").is_some_and(|user| PEOPLE.contains(&user));
        if is_person && random.chance(0.4) {
            config.set("user", random.one(&PEOPLE));
        }
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let text = |name| config.text(name).unwrap_or_default();
        vec![format!("sys_user_has_role {} {}", text("user"), text("role"))]
    }

    /// A grant that a killed process made counts as one that existed before, and stays.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("sys_user_has_role ")
    }

    fn prepare(&self, simulator: &Simulator) {
        for person in PEOPLE {
            simulator.instance().put("sys_user", &[("user_name", person)]);
        }
    }
}
