//! What acceptance tests are made of. [`Workspace`] is where to start.

pub(crate) mod configurations;
mod drift;
mod import;
mod leaks;
mod listener;
pub(crate) mod manual_setup;
mod microsoft_guide;
pub(crate) mod modules_and_examples;
pub(crate) mod page_commands;
mod plan;
mod process;
mod provider;
mod run;
mod simulator;
mod state;

mod terraform;
mod test_provider;
mod workspace;
mod zip;

pub(crate) use drift::{Drift, destroy_finds_it_removed, removal_is_corrected};
pub(crate) use import::Imports;
pub(crate) use listener::Listener;
pub(crate) use manual_setup::ByHand;
pub(crate) use microsoft_guide::Guide;
pub(crate) use plan::Plan;
pub(crate) use process::Running;
pub(crate) use provider::{Provider, fails_saying};
pub(crate) use run::Run;
pub(crate) use simulator::Simulator;
pub(crate) use state::ResourceState;
pub(crate) use terraform::{Terraform, for_each_terraform, in_turn, skip};
pub(crate) use test_provider::serve_if_started_by_terraform;
pub(crate) use workspace::Workspace;

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Waits until `condition` holds, and fails the test when it does not within `bound`.
///
/// The condition looks at a value (a record that exists, a line that was printed), so nothing depends on how long
/// something usually takes.
pub(crate) async fn eventually(what: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + bound;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {bound:?}");
        sleep(Duration::from_millis(10)).await;
    }
}
