//! Imports into another state, under configurations that name less: nothing is planned, and nothing changes.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use servicenow_simulator::Simulator;

use crate::scenarios;
use crate::terraform_core::{Block, Core};

/// Imports all that `core` manages into `other`, and plans a configuration that leaves out some of what may be left out.
pub(crate) async fn change_nothing(
    mut other: Core,
    core: &Core,
    blocks: &[Block],
    simulator: &Simulator,
    seed: u64,
) -> Result<(), String> {
    // Another stream than those of the configuration, the faults and the quirks.
    let mut random = StdRng::seed_from_u64(seed ^ 0x1a90_2700);
    if !random.random_bool(SHARE) {
        return Ok(());
    }
    let records = scenarios::records(simulator);
    let ids = core.ids();
    let mut narrowed = Vec::new();
    for block in blocks {
        let id = &ids[&block.address()];
        let imported = other.import(block, id).await;
        imported.map_err(|problems| format!("no import of {} {id}: {problems:?}", block.address()))?;
        narrowed.push(core.narrowed(block, |_| random.random_bool(0.5)));
    }
    let planned = other.changes(&narrowed).await;
    let describe = || {
        let configs: Vec<_> = narrowed.iter().map(|block| (block.address(), &block.config)).collect();
        format!("configured after an import: {configs:?}\nsaid:\n{}", other.said())
    };
    match planned {
        Ok(changes) if changes.is_empty() => {}
        Ok(changes) => return Err(format!("an import plans {changes:?}; {}", describe())),
        Err(problems) => return Err(format!("no plan after an import: {problems:?}; {}", describe())),
    }
    if scenarios::records(simulator) != records {
        return Err(format!("an import changed records; {}", describe()));
    }
    Ok(())
}

/// How many of the seeds import.
const SHARE: f64 = 0.5;
