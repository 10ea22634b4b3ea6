//! Rules of the IP address access control. None concerns the address that the provider calls from.

use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random, lines};

pub(super) struct Rules;

/// As the instance stores them.
const TYPES: [(&str, &str); 2] = [("allow", "allow"), ("deny", "deny")];
const DIRECTIONS: [(&str, &str); 2] = [("inbound", "0"), ("outbound", "1")];

impl Generator for Rules {
    fn type_name(&self) -> &'static str {
        "servicenow_ip_access_rule"
    }

    fn draw(&self, number: usize, random: &mut Random, _: &[Block]) -> Drawn {
        Object::new()
            .with("type", random.one(&TYPES).0)
            .with("direction", random.one(&DIRECTIONS).0)
            .with("range_start", format!("203.0.113.{number}0"))
            .with("range_end", random.maybe(format!("203.0.113.{number}5")))
            .with("description", random.maybe("first"))
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        config.set("type", random.one(&TYPES).0);
        config.set("description", random.another("second"));
        config.set("active", random.chance(0.5));
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        let text = |name| config.text(name).unwrap_or_default();
        let start = text("range_start");
        vec![line([
            stored(&TYPES, text("type")),
            stored(&DIRECTIONS, text("direction")),
            start,
            config.text("range_end").unwrap_or(start),
            &config.flag("active").unwrap_or(true).to_string(),
            text("description"),
        ])]
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let columns = ["type", "direction", "range_start", "range_end", "active", "description"];
        lines(simulator.instance(), "ip_access", |row| {
            Some(line(columns.map(|column| row.cell(column))))
        })
    }
}

fn stored(choices: &[(&'static str, &'static str)], label: &str) -> &'static str {
    let choice = choices.iter().find(|(name, _)| *name == label);
    choice.expect("a choice").1
}

fn line([kind, direction, start, end, active, description]: [&str; 6]) -> String {
    format!("ip_access {kind} {direction} {start} to {end} active={active} {description}")
}
