//! The process around a provider: how a host starts it, finds it, trusts it and ends it.
//!
//! [`run`] is all a `main` needs. In the order in which a start goes through them: `arguments` and `host` say what is
//! wanted, `handshake` opens the `socket` with `tls`, announces it and serves `connection`s, the provider and
//! go-plugin's `services`, the provider's calls on threads of their own (`call_threads`); `lifetime` ends it all.

mod arguments;
mod call_threads;
mod connection;
mod error;
mod handshake;
mod host;
mod lifetime;
mod services;
mod socket;
mod tls;

use std::env;
use std::ffi::OsString;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use crate::plugin::proto::tfplugin6::provider_server::Provider;
use crate::plugin::transport::arguments::{Invocation, help};
use crate::plugin::transport::error::StartError;
use crate::plugin::transport::handshake::{Announced, Listening, Runtimes};
use crate::plugin::transport::host::Host;
use crate::plugin::transport::lifetime::Owner;
use crate::plugin::{Mask, crash_report, log};

/// What the process says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// Full source addresses, `registry.example.org/namespace/type`: one for each registry that has the provider.
    pub addresses: &'static [&'static str],
    /// The type in those addresses, lower case: the binary is `terraform-provider-<name>`.
    pub name: &'static str,
    /// Without a leading `v`.
    pub version: &'static str,
    /// Removes secrets from every text that goes to the log or into a crash report.
    pub mask: Mask,
}

/// Runs the process from its arguments to its exit code: serves `provider`, or says why not.
///
/// `provider` is called once, after the host knows where we are and within the runtime. Whatever is slow belongs into
/// it or later, because Terraform starts the plugin three to five times per command.
pub fn run<P: Provider>(plugin: Plugin, provider: impl FnOnce() -> P) -> ExitCode {
    run_with(plugin, env::args_os().skip(1), provider)
}

/// [`run`] with these arguments instead of the command line's.
pub fn run_with<P: Provider>(
    plugin: Plugin,
    arguments: impl IntoIterator<Item = OsString>,
    provider: impl FnOnce() -> P,
) -> ExitCode {
    match Invocation::parse(arguments) {
        Invocation::Version => say(&format!("terraform-provider-{} {}\n", plugin.name, plugin.version)),
        Invocation::Help => say(&help(plugin.name, plugin.version)),
        Invocation::Unknown(argument) => {
            complain(&format!("unknown argument {argument:?}; --help shows the options\n"));
            ExitCode::from(2)
        }
        Invocation::Debug => serve(plugin, provider, Owner::Person),
        Invocation::Plugin => serve(plugin, provider, Owner::Host),
    }
}

fn serve<P: Provider>(plugin: Plugin, provider: impl FnOnce() -> P, owner: Owner) -> ExitCode {
    match start(plugin, owner) {
        Ok(Some((runtimes, announced))) => announced.serve(runtimes, provider).wait(),
        Ok(None) => {
            complain(&format!(
                "This program is the Terraform provider {name}. Terraform starts it; it does nothing by itself.\n\
                 Name it in required_providers and run terraform init. --help shows what else it can do.\n",
                name = plugin.name,
            ));
            ExitCode::FAILURE
        }
        Err(error) => {
            let line = format!(
                "terraform-provider-{} could not start: {}\n",
                plugin.name,
                error.one_line()
            );
            complain(&line);
            if owner == Owner::Host {
                // A host shows its user the first line of stdout when that is no handshake, but not stderr.
                say(&line);
                // go-plugin begins to read this line at the same time as it waits for our end, which closes the pipe: one
                // that comes too soon leaves the user with "Failed to read any lines". Once it has the line, it kills us.
                #[expect(clippy::disallowed_methods, reason = "the process does nothing else any more")]
                std::thread::sleep(UNTIL_READ);
            }
            ExitCode::FAILURE
        }
    }
}

/// `None` when no host started us.
fn start(plugin: Plugin, owner: Owner) -> Result<Option<(Runtimes, Announced)>, StartError> {
    let host = match owner {
        Owner::Person => Host::default(),
        Owner::Host => Host::from_environment()?,
    };
    if owner == Owner::Host && !host.knows_the_cookie {
        return Ok(None);
    }
    crash_report::report_to_host(plugin.mask);
    log::to_stderr(plugin.name, plugin.mask);
    let runtimes = Runtimes::start()?;
    let _context = runtimes.wire.enter();
    let listening = Listening::open(&host, owner)?;
    let announced = match owner {
        Owner::Person => listening.announce_to_person(plugin.addresses, &mut stdout().lock()),
        Owner::Host => listening.announce_to_host(&mut stdout().lock()),
    }?;
    drop(_context);
    Ok(Some((runtimes, announced)))
}

/// Long enough for a host on a busy machine to read one line.
const UNTIL_READ: Duration = Duration::from_secs(1);

/// To stdout, which carries the handshake: only for what ends the process.
fn say(text: &str) -> ExitCode {
    let mut stdout = stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// To stderr. Its reader may be gone, which is no reason to panic.
fn complain(text: &str) {
    let _ = stderr().lock().write_all(text.as_bytes());
}
