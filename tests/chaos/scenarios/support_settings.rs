//! The support settings of the tenant: one, which takes the place of what was there.

use serde_json::json;
use servicenow_provider::plugin::Object;
use servicenow_simulator::Simulator;

use super::{Block, Drawn, Generator, Random};

pub(super) struct Settings;

/// The tool before anything is applied; there is no application yet.
const BEFORE: &str = "Other";

impl Generator for Settings {
    fn type_name(&self) -> &'static str {
        "m365_support_settings"
    }

    fn most(&self) -> usize {
        1
    }

    fn draw(&self, _: usize, random: &mut Random, _: &[Block]) -> Drawn {
        let application = random.one(&["A", "b"]).repeat(8);
        Object::new()
            .with("application_id", format!("{application}-2222-3333-4444-555555555555"))
            .into()
    }

    fn change(&self, random: &mut Random, config: &mut Object) {
        *config = self.draw(0, random, &[]).config;
    }

    fn expected(&self, config: &Object) -> Vec<String> {
        vec![line("ServiceNow", config.text("application_id").unwrap_or_default())]
    }

    fn prepare(&self, simulator: &Simulator) {
        simulator.admin().put_settings(&json!({"SupportTool": BEFORE}));
    }

    fn records(&self, simulator: &Simulator) -> Vec<(String, String)> {
        let (tool, application) = (simulator.admin().support_tool(), simulator.admin().application_id());
        vec![("support settings".to_owned(), line(&tool, &application))]
    }

    /// The tool from before.
    fn is_forgotten_when_killed(&self, line: &str) -> bool {
        line.starts_with("support settings")
    }
}

fn line(tool: &str, application: &str) -> String {
    format!("support settings {tool} {application}")
}
