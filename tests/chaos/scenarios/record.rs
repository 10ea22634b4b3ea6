//! Records of a table that only the instance's dictionary knows.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, lines};

pub(super) struct Records;

const TIERS: [&str; 3] = ["1", "2", "3"];

impl Generator for Records {
    fn type_name(&self) -> &'static str {
        "servicenow_record"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let fields = Object::new()
            .with("u_name", format!("Supplier {number}"))
            .with("u_code", format!("S{number}"))
            .with("u_tier", random.one(&TIERS))
            .with("u_notes", "first");
        Object::new()
            .with("table", "u_supplier")
            .with("natural_key", random.maybe(vec!["u_code"]))
            .with("fields", fields)
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        let mut fields = config.object("fields").cloned().unwrap_or_default();
        fields.set("u_tier", random.one(&TIERS));
        fields.set("u_notes", if random.chance(0.5) { "second" } else { "third" });
        config.set("fields", fields);
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let fields = config.object("fields").cloned().unwrap_or_default();
        let text = |name| fields.text(name).unwrap_or_default();
        vec![line([text("u_name"), text("u_code"), text("u_tier"), text("u_notes")])]
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let columns = ["u_name", "u_code", "u_tier", "u_notes"];
        lines(simulator.instance(), "u_supplier", |row| {
            Some(line(columns.map(|column| row.cell(column))))
        })
    }
}

fn line([name, code, tier, notes]: [&str; 4]) -> String {
    format!("u_supplier {name} {code} tier {tier} {notes}")
}
