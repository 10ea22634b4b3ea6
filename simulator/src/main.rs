//! Serves the simulator until it is interrupted. One line of JSON on standard output says where everything is.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use servicenow_simulator::{Options, Simulator};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // On one line, and without the backtrace that a returned error would print.
            let _ = writeln!(std::io::stderr(), "servicenow-simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let Some(options) = options(std::env::args().skip(1))? else {
        std::io::stdout().write_all(USAGE.as_bytes())?;
        return Ok(());
    };
    // Before the announcement: whoever reads it may interrupt at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let simulator = Simulator::start(options).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", simulator.announcement())?;
    out.flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    simulator.stop()
}

/// Reads the command line; `None` when help is wanted.
fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Options>> {
    let mut options = Options {
        history: Some(HISTORY),
        ..Options::default()
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--port" => {
                let value = arguments.next().context("--port needs a number")?;
                options.port = Some(value.parse().with_context(|| format!("--port {value}"))?);
            }
            "--state" => options.state = Some(PathBuf::from(arguments.next().context("--state needs a file")?)),
            _ => bail!("unknown argument {argument}\n\n{USAGE}"),
        }
    }
    Ok(Some(options))
}

/// More than a person looks at, and few enough to run for weeks.
const HISTORY: usize = 500;

const USAGE: &str = "\
Usage: servicenow-simulator [--port N] [--state FILE]

Serves a ServiceNow instance, Microsoft Entra, Graph and the Microsoft 365 admin center on loopback until interrupted.
The first line on standard output is JSON and says where.

  --port N      use ports N to N+4 instead of free ones
  --state FILE  load the state at the start if the file exists, and save changes to it (the file holds secrets)
";
