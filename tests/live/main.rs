//! The provider against an instance of your own: probes of the facts, and the story of each resource.
//!
//! `make live` runs it; so does `TF_ACC=1 cargo test --test live`. Without `TF_ACC` it says that it is skipped, and the tests
//! of [`self_test`] run it against the simulator instead. `docs/guides/first-contact.md` is for who runs it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]

mod app_registrations; // Application registrations that runs have left.
mod context; // What probes work with: a session, and records of the run.
mod entra; // The trust between tenant and instance, with applications of the run.
mod preconditions; // What must hold before anything is made.
mod probes; // One probe per fact that can be checked.
mod progress; // What is said while it runs.
mod recorder; // The exchanges of a story, kept in a file.
mod report; // What is written down, without anything private.
mod run; // The order of a run.
mod self_test; // A run against the simulator.
mod settings; // What the environment says.
mod stories; // Each resource from creation to removal, with the real terraform.
mod sweep; // Removing what runs made.
mod table_settings; // The settings of a table, until they are put back.
mod terraform; // One terraform in a folder of its own.

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use progress::Screen;
use settings::Settings;

/// A run against the instance that the environment names.
#[tokio::test(flavor = "multi_thread")]
async fn live() {
    let settings = Settings::of_process();
    if !settings.is_opted_in() || settings.wants_sweep() {
        Screen::shown().say("live: skipped. It needs TF_ACC=1 and an instance: see docs/guides/first-contact.md");
        return;
    }
    let screen = Screen::shown();
    let cancel = cancelled_by_ctrl_c(&screen);
    let verdict = run::all(&settings, &screen, &cancel, &folder()).await;
    screen.say(&format!("\nlive: {}", verdict.line()));
    assert!(verdict.is_passed(), "the run has failed, as it says above");
}

/// Removes what runs that were killed have left.
#[tokio::test(flavor = "multi_thread")]
async fn sweep() {
    let settings = Settings::of_process();
    if !settings.is_opted_in() || !settings.wants_sweep() {
        return;
    }
    let screen = Screen::shown();
    let outcome = run::sweep(&settings, &screen, &folder()).await;
    match &outcome {
        Ok(line) => screen.say(&format!("\nsweep: PASSED. {line}.")),
        Err(why) => screen.say(&format!("\nsweep: FAILED. {why}")),
    }
    assert!(outcome.is_ok(), "the sweep has failed, as it says above");
}

/// Where the report goes.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/live")
}

/// The run goes on to its end: it starts nothing new, and removes what it made.
fn cancelled_by_ctrl_c(screen: &Screen) -> CancellationToken {
    let cancel = CancellationToken::new();
    let (token, screen) = (cancel.clone(), screen.clone());
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            screen.say("\nInterrupted: removing what this run made. Please wait.");
            token.cancel();
        }
    });
    cancel
}
