//! The access of tables that are the platform's: nothing is made, and everything goes back to what it was.

use servicenow_provider::plugin::{Object, Value};
use servicenow_simulator::Simulator;
use servicenow_simulator::instance::Record;

use super::{Block, Drawn, Generator, Random, lines};

pub(super) struct Tables;

/// Table, `access`, `read_access` and `caller_access` before anything is applied.
const TABLES: [(&str, &str, &str, &str); 3] = [
    ("incident", "public", "true", ""),
    ("sys_script_include", "package_private", "false", "2"),
    ("sys_properties", "public", "false", "1"),
];

impl Generator for Tables {
    fn type_name(&self) -> &'static str {
        "servicenow_table_access"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let mut config = Object::new().with("table", TABLES[number].0);
        settings(random, &mut config);
        config.into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        settings(random, config);
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let table = config.text("table").unwrap_or_default();
        let Some((_, access, read, caller)) = TABLES.into_iter().find(|(name, ..)| *name == table) else {
            return Vec::new();
        };
        let now = line(
            table,
            config.text("access").unwrap_or(access),
            &config
                .flag("read_access")
                .map_or(read.to_owned(), |flag| flag.to_string()),
            config.text("caller_access").unwrap_or(caller),
        );
        if now == line(table, access, read, caller) {
            Vec::new()
        } else {
            vec![now]
        }
    }

    fn prepare(&self, simulator: &Simulator) {
        let instance = simulator.instance();
        for (table, access, read, caller) in TABLES {
            let row = instance.find("sys_db_object", "name", table).remove(0);
            let values = [("access", access), ("read_access", read), ("caller_access", caller)];
            instance.change("sys_db_object", &row["sys_id"], &values);
        }
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        lines(simulator.instance(), "sys_db_object", |row| {
            let [table, access, read, caller] =
                ["name", "access", "read_access", "caller_access"].map(|column| row.cell(column));
            Some(line(table, access, read, caller))
        })
    }

    fn may_configure(&self, table: &str, record: &Record) -> bool {
        table == "sys_db_object" && TABLES.iter().any(|(name, ..)| record["name"] == *name)
    }

    /// What a table had before.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("sys_db_object ")
    }
}

fn settings(random: &mut Random, config: &mut Object) {
    config.set("access", random.maybe(other_access(config)));
    let flag = random.chance(0.5);
    config.set("read_access", random.maybe(flag));
    let caller = random.one(&["", "1", "2"]);
    config.set("caller_access", random.maybe(caller));
    let is_empty = ["access", "read_access", "caller_access"]
        .iter()
        .all(|name| config.at(name).is_null());
    if is_empty {
        config.set("read_access", true);
    }
}

/// The other of the two.
fn other_access(config: &Object) -> Value {
    Value::from(if config.text("access") == Some("public") {
        "package_private"
    } else {
        "public"
    })
}

fn line(table: &str, access: &str, read: &str, caller: &str) -> String {
    format!("sys_db_object {table} access={access} read={read} caller={caller}")
}
