//! Rows that the account may not read for a while: an error, and nothing is lost, doubled or replaced.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use servicenow_simulator::Simulator;

use crate::scenarios;
use crate::terraform_core::{Block, Core};

/// Applies what is there already while some of its records are hidden, then shows them again.
pub(crate) async fn survive(core: &mut Core, blocks: &[Block], simulator: &Simulator, seed: u64) -> Result<(), String> {
    // Another stream than those of the configuration, the faults and the quirks.
    let mut random = StdRng::seed_from_u64(seed ^ 0x41dd_e000);
    let ids = core.ids();
    let hidden: Vec<&String> = ids.values().filter(|_| random.random_bool(SHARE)).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let records = scenarios::records(simulator);
    core.replaced.clear();
    simulator
        .instance()
        .switches(|modes| modes.hidden_rows.extend(hidden.iter().map(|id| (*id).clone())));
    let applied = core.apply(blocks).await;
    simulator.instance().switches(|modes| modes.hidden_rows.clear());
    let describe = || format!("hidden {hidden:?}; the apply ended in {applied:?}");
    if core.ids() != ids {
        return Err(format!(
            "the state had {ids:?} and has {:?}; {}",
            core.ids(),
            describe()
        ));
    }
    if !core.replaced.is_empty() {
        return Err(format!("replaced {:?}; {}", core.replaced, describe()));
    }
    if scenarios::records(simulator) != records {
        return Err(format!("the records are others than before; {}", describe()));
    }
    Ok(())
}

/// How many of the records are hidden.
const SHARE: f64 = 0.3;
