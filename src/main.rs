//! Starts the provider's process.

mod stub;

use std::process::ExitCode;

use servicenow_provider::plugin::transport::{self, Plugin};

fn main() -> ExitCode {
    let plugin = Plugin {
        address: "registry.terraform.io/servicenow-m365/servicenow",
        name: "servicenow",
        version: env!("CARGO_PKG_VERSION"),
        mask: |text| text.into(),
    };
    transport::run(plugin, || stub::Stub)
}
