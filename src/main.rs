//! Starts the provider's process.

use std::process::ExitCode;

use servicenow_provider::http::secret;
use servicenow_provider::plugin::server::{Secrets, Server};
use servicenow_provider::plugin::transport::{self, Plugin};
use servicenow_provider::provider::{ADDRESSES, Environment, Servicenow, UNMASKED_WORDS};

fn main() -> ExitCode {
    secret::spare(UNMASKED_WORDS);
    let plugin = Plugin {
        addresses: ADDRESSES,
        name: "servicenow",
        version: env!("CARGO_PKG_VERSION"),
        mask: secret::mask,
    };
    transport::run(plugin, || {
        let provider = Servicenow {
            environment: Environment::of_process(),
        };
        Server::new(
            provider,
            Secrets {
                mask: secret::mask,
                learn: |text| secret::register(&text.into()),
            },
        )
    })
}
