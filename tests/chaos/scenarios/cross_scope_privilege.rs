//! Privileges of an application: new ones, and one that its installation has made, which only changes its status.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;
use servicenow_simulator::instance::Record;

use super::{Block, Drawn, Generator, Random, lines};

pub(super) struct Privileges;

const APPLICATION: &str = "x_mioms_m365_assis";
/// Object and operation; the first was there before, with [`BEFORE`].
const PRIVILEGES: [(&str, &str); 3] = [
    ("incident", "read"),
    ("oauth_entity", "read"),
    ("oauth_entity", "write"),
];
const BEFORE: &str = "requested";
const STATUSES: [&str; 3] = ["allowed", "denied", "requested"];

impl Generator for Privileges {
    fn type_name(&self) -> &'static str {
        "servicenow_cross_scope_privilege"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let (target, operation) = PRIVILEGES[number];
        Object::new()
            .with("source_scope", APPLICATION)
            .with("target_name", target)
            .with("operation", operation)
            .with("status", random.one(&STATUSES))
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("status", random.one(&STATUSES));
        if config.text("operation") == Some("write") && random.chance(0.4) {
            config.set("operation", "delete");
        }
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let text = |name| config.text(name).unwrap_or_default();
        let privilege = (text("target_name"), text("operation"));
        let is_as_before = privilege == PRIVILEGES[0] && text("status") == BEFORE;
        if is_as_before {
            return Vec::new();
        }
        vec![line(privilege.0, privilege.1, text("status"))]
    }

    fn prepare(&self, simulator: &Simulator) {
        let instance = simulator.instance();
        let application = instance.find("sys_scope", "scope", APPLICATION).remove(0);
        let (target, operation) = PRIVILEGES[0];
        let values = [
            ("source_scope", application["sys_id"].as_str()),
            ("target_scope", "global"),
            ("target_name", target),
            ("target_type", "sys_db_object"),
            ("operation", operation),
            ("status", BEFORE),
        ];
        instance.put("sys_scope_privilege", &values);
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        lines(simulator.instance(), "sys_scope_privilege", |row| {
            Some(line(row.cell("target_name"), row.cell("operation"), row.cell("status")))
        })
    }

    fn may_configure(&self, table: &str, record: &Record) -> bool {
        let (target, operation) = PRIVILEGES[0];
        table == "sys_scope_privilege" && record["target_name"] == target && record["operation"] == operation
    }

    /// Whether there was a record, and its status: one that exists is taken over, whoever made it.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("sys_scope_privilege ")
    }
}

fn line(target: &str, operation: &str, status: &str) -> String {
    format!("sys_scope_privilege {operation} {target}: {status}")
}
