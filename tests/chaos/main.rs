//! Random faults over random configurations: any fault, then apply until it succeeds, ends in exactly the declared
//! records. None is doubled, none is lost from the state, none is left over, and no secret is said.
//!
//! A failing seed prints itself; `CHAOS_SEEDS=17 cargo test --test chaos` runs that one again, `CHAOS_SEEDS=0..1000` more.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod core;
mod worlds;

use std::{ops::Range, time::Duration};

use core::Core;
use futures_util::{StreamExt, stream};
use servicenow_simulator::{Options, Scheme, Simulator};
use worlds::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_fault_then_apply_until_it_succeeds_ends_in_exactly_the_declared_records() {
    let seeds = seeds();
    let count = seeds.end - seeds.start;
    // Most of a run is waiting between attempts, so many run at a time.
    let failures: Vec<String> = stream::iter(seeds)
        .map(|seed| async move {
            let run = tokio::spawn(tokio::time::timeout(PATIENCE, survive(seed)));
            match run.await {
                Ok(Ok(Ok(()))) => None,
                Ok(Ok(Err(problem))) => Some(format!("seed {seed}: {problem}")),
                Ok(Err(_)) => Some(format!("seed {seed}: no end after {PATIENCE:?}")),
                Err(panic) => Some(format!("seed {seed}: {panic}")),
            }
        })
        .buffer_unordered(AT_A_TIME)
        .filter_map(|failure| async { failure })
        .collect()
        .await;
    assert!(
        failures.is_empty(),
        "{} of {count} seeds failed:\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    println!("chaos: {count} seeds survived");
}

/// One seed: a random world, first built while everything goes wrong, then changed, then taken down.
async fn survive(seed: u64) -> Result<(), String> {
    let options = Options {
        instance_scheme: Scheme::Http,
        ..Options::default()
    };
    let simulator = Simulator::start(options)
        .await
        .map_err(|error| format!("the simulator does not start: {error}"))?;
    let mut world = World::random(seed);
    world.prepare(&simulator);
    let before = worlds::records(&simulator);
    let mut core = Core::new(worlds::provider(&simulator));
    for stage in ["create", "change", "destroy"] {
        match stage {
            "create" => {}
            "change" => world.change(),
            _ => world.clear(),
        }
        let blocks = world.blocks();
        simulator
            .instance()
            .faults()
            .chaos(seed ^ stage.len() as u64, FAULT_RATE);
        let mut errors = Vec::new();
        let mut done = false;
        for attempt in 0..ATTEMPTS {
            if attempt == ATTEMPTS / 2 {
                // Bad days end.
                simulator.instance().faults().clear();
            }
            match core.apply(&blocks).await {
                Ok(_) => {
                    done = true;
                    break;
                }
                Err(problems) => errors = problems,
            }
        }
        let fired = simulator.instance().faults().fired().join(", ");
        simulator.instance().faults().clear();
        let context = format!("stage {stage}; faults: {fired}\nconfiguration: {}", world.describe());
        if !done {
            return Err(format!(
                "no success in {ATTEMPTS} applies; {context}\nlast errors: {}",
                errors.join("\n")
            ));
        }
        let left = core
            .changes(&blocks)
            .await
            .map_err(|errors| format!("no plan: {}; {context}", errors.join("\n")))?;
        if left != 0 {
            return Err(format!(
                "{left} changes are planned after a successful apply; {context}"
            ));
        }
        let made = worlds::made(&before, &worlds::records(&simulator));
        let expected = world.expected();
        if made != expected {
            return Err(format!("made\n{made:#?}\ninstead of\n{expected:#?}\n{context}"));
        }
    }
    let said = core.said.join("\n");
    match world.secrets().iter().find(|secret| said.contains(secret.as_str())) {
        Some(_) => Err(format!("a diagnostic says a secret:\n{said}")),
        None => Ok(()),
    }
}

fn seeds() -> Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "which seeds to run is the caller's choice")]
    let text = std::env::var("CHAOS_SEEDS").unwrap_or_else(|_| "0..200".to_owned());
    match text.split_once("..") {
        Some((first, end)) => first.parse().expect("a seed")..end.parse().expect("a seed"),
        None => {
            let seed = text.parse().expect("a seed");
            seed..seed + 1
        }
    }
}

/// How many answers go wrong.
const FAULT_RATE: f64 = 0.12;
const ATTEMPTS: usize = 12;
const AT_A_TIME: usize = 24;
const PATIENCE: Duration = Duration::from_secs(240);
