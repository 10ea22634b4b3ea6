//! Random faults over random configurations: any fault, then apply until it succeeds, ends in exactly the declared
//! records. None is doubled, none is lost from the state, none is left over, and no secret is said, logged or stored.
//!
//! A provider may also be killed in the middle of a write. Then nobody knows what it made last: the next one adopts it,
//! or names it in an error together with what to do about it, which is what the operator here does.
//!
//! A failing seed prints itself; `CHAOS_SEEDS=17 cargo test --test chaos` runs that one again, `CHAOS_SEEDS=0..1000` more.

#![allow(clippy::expect_used, reason = "a test that cannot go on says where")]

mod faults;
mod imports;
mod leaks;
mod obstacles;
mod provider_process;
mod quirks;
mod scenarios;
mod terraform_core;
mod unmanaged_records;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use servicenow_simulator::{Options, Scheme, Simulator, instance};

use faults::FaultPlan;
use obstacles::Obstacles;
use quirks::Quirks;
use scenarios::Scenario;
use terraform_core::{Block, Core, Problem};
use unmanaged_records::UnmanagedRecords;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_fault_then_apply_until_it_succeeds_ends_in_exactly_the_declared_records() {
    leaks::listen();
    let seeds = seeds();
    let count = seeds.len();
    // Most of a run is waiting between attempts, so many run at a time.
    let failures: Vec<String> = stream::iter(seeds.into_iter().enumerate())
        .map(|(index, seed)| async move {
            if index.is_multiple_of(PROGRESS_EVERY) && index > 0 {
                println!("chaos: {index} of {count} seeds begun");
            }
            let run = tokio::spawn(tokio::time::timeout(PATIENCE, run_seed(seed)));
            let failure = match run.await {
                Ok(Ok(Ok(()))) => return None,
                Ok(Ok(Err(problem))) => format!("seed {seed}: {problem}"),
                Ok(Err(_)) => format!("seed {seed}: no end after {PATIENCE:?}"),
                Err(panic) => format!("seed {seed}: {panic}"),
            };
            eprintln!("{failure}\n");
            Some(failure)
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
    let leaks = leaks::found();
    assert!(leaks.is_empty(), "the log says secrets:\n{}", leaks.join("\n"));
    println!("chaos: {count} seeds passed");
}

/// One seed: a random configuration is created, changed and destroyed, each while requests fail.
async fn run_seed(seed: u64) -> Result<(), String> {
    let quirks = Quirks::of(seed);
    let options = Options {
        instance_scheme: Scheme::Http,
        instance: instance::Options {
            release: quirks.release(),
            ..instance::Options::default()
        },
        ..Options::default()
    };
    let simulator = Simulator::start(options)
        .await
        .map_err(|error| format!("the simulator does not start: {error}"))?;
    let mut scenario = Scenario::random(seed);
    let mut fault_plan = FaultPlan::of(seed);
    scenarios::prepare(&simulator);
    let provider = fault_plan.provider(&simulator);
    let unmanaged = UnmanagedRecords::make(&simulator);
    quirks.set(&simulator);
    let before = scenarios::records(&simulator);
    let [instance, admin, _] = faults::of_services(&simulator);
    let mut core = Core::new(provider.clone(), vec![instance.clone(), admin.clone()]);
    for stage in ["create", "change", "destroy"] {
        let former = scenario.blocks();
        match stage {
            "create" => {}
            "destroy" => scenario.clear(),
            _ => scenario.change(),
        }
        let blocks = scenario.blocks();
        let inherited_before = scenarios::inherited_roles(&simulator);
        fault_plan.begin(&simulator);
        let obstacles = Obstacles::of_stage(seed, stage, &core.ids(), &simulator);
        let ended = apply_until_it_succeeds(&mut core, &blocks, &mut fault_plan, &obstacles, &simulator).await;
        faults::clear(&simulator);
        let made_so_far = scenarios::made(&before, &scenarios::records(&simulator));
        if let Err(problem) = ended {
            return Err(format!(
                "{problem}\nmade so far\n{made_so_far:#?}\nstage {stage}; faults: {}\nkilled while changing: {:?}\n\
                 {quirks:?}\n{obstacles:?}\nlast requests:\n{}\nconfiguration: {}\nsaid:\n{}",
                faults::fired(&simulator),
                core.interrupted,
                last_requests(&simulator),
                scenario.expected().join("; "),
                core.said()
            ));
        }
        if quirks.lags() {
            // The first look after a write may show what was before it.
            drop(core.changes(&blocks).await);
            simulator.instance().lists_catch_up();
        }
        let mut changes = core.changes(&blocks).await;
        let is_lost = |change: &String| scenarios::was_inherited(change, &blocks, &inherited_before);
        if changes
            .as_ref()
            .is_ok_and(|left| !left.is_empty() && left.iter().all(is_lost))
        {
            // The instance refused to grant these roles while users had them by another one, which this apply took away:
            // the next plan shows it, and the next apply grants them.
            changes = match core.apply(&blocks, || ()).await {
                Ok(()) => {
                    simulator.instance().lists_catch_up();
                    core.changes(&blocks).await
                }
                Err(problems) => Err(problems),
            };
        }
        let describe = || {
            let fired = faults::fired(&simulator);
            let kills = &core.interrupted;
            format!(
                "stage {stage}; faults: {fired}\nkilled while changing: {kills:?}\n{quirks:?}\n{obstacles:?}\nsaid:\n{}",
                core.said()
            )
        };
        match changes {
            Ok(left) if left.is_empty() => {}
            Ok(left) => {
                return Err(format!(
                    "changes are planned after a successful apply: {left:?}; {}",
                    describe()
                ));
            }
            Err(problems) => return Err(format!("no plan: {problems:?}; {}", describe())),
        }
        let mut made = scenarios::made(&before, &scenarios::records(&simulator));
        let mut expected = scenario.expected();
        let inherited = scenarios::inherited_roles(&simulator);
        expected.retain(|line| made.contains(line) || !inherited.contains(line));
        // What a killed process alone knew cannot be put back.
        let is_forgotten = |line: &str| scenarios::is_forgotten(line, &core.interrupted);
        let meanings = |lines: &[String]| lines.iter().map(|line| quirks.meaning(line)).collect::<BTreeSet<_>>();
        let (meant_by_made, meant_by_expected) = (meanings(&made), meanings(&expected));
        made.retain(|line| meant_by_expected.contains(&quirks.meaning(line)) || !is_forgotten(line));
        expected.retain(|line| meant_by_made.contains(&quirks.meaning(line)) || !is_forgotten(line));
        let said = core.said();
        made.retain(|line| {
            meant_by_expected.contains(&quirks.meaning(line)) || !scenarios::was_told_as_found(line, &said)
        });
        for line in made.iter_mut().chain(&mut expected) {
            *line = quirks.meaning(line);
        }
        made.sort();
        expected.sort();
        if made != expected {
            return Err(format!("made\n{made:#?}\ninstead of\n{expected:#?}\n{}", describe()));
        }
        let needless: Vec<_> = core
            .replaced
            .iter()
            .filter(|it| !core.asks_for_replacement(it, &former, &blocks))
            .collect();
        if !needless.is_empty() {
            return Err(format!("replaced without a reason: {needless:?}; {}", describe()));
        }
        let changed = unmanaged.changed(&simulator);
        if !changed.is_empty() {
            return Err(format!(
                "changed what is not Terraform's:\n{changed:#?}\n{}",
                describe()
            ));
        }
        core.replaced.clear();
        obstacles::survive(&mut core, &blocks, &simulator, seed)
            .await
            .map_err(|problem| format!("{problem}; stage {stage}; {quirks:?}"))?;
        if stage == "change" {
            let other = Core::new(provider.clone(), vec![instance.clone(), admin.clone()]);
            imports::change_nothing(other, &core, &blocks, &simulator, seed)
                .await
                .map_err(|problem| format!("{problem}; {quirks:?}"))?;
        }
        let leaked = core.secrets_in_state(&blocks, scenarios::MARKER);
        if !leaked.is_empty() {
            return Err(format!("the state holds secrets: {leaked:?}; stage {stage}"));
        }
    }
    let said = core.said();
    if said.contains(scenarios::MARKER) {
        return Err(format!("a diagnostic says a secret:\n{said}"));
    }
    Ok(())
}

async fn apply_until_it_succeeds(
    core: &mut Core,
    blocks: &[Block],
    fault_plan: &mut FaultPlan,
    obstacles: &Obstacles,
    simulator: &Simulator,
) -> Result<(), String> {
    let mut last = Vec::new();
    for attempt in 0..ATTEMPTS {
        if attempt < ATTEMPTS / 2 {
            fault_plan.before_apply(simulator);
        } else {
            faults::clear(simulator);
        }
        let said_before = core.said().len();
        let applied = if attempt == 0 {
            if !obstacles.is_sudden {
                obstacles.set(simulator);
            }
            let configured = obstacles.configured(blocks);
            let applied = core.apply(&configured, || obstacles.set(simulator)).await;
            obstacles.lift(simulator);
            applied
        } else {
            core.apply(blocks, || ()).await
        };
        match applied {
            // That was not the configuration of the stage.
            Ok(()) if attempt == 0 && obstacles.has_long_text => continue,
            // A create that was finished by half says so, and the next apply goes on from there.
            Ok(()) if core.said()[said_before..].contains("corrects it in place") => continue,
            Ok(()) => return Ok(()),
            Err(problems) => last = problems,
        }
        if last.iter().any(Problem::is_a_kill) {
            // A list lags for a moment, and the next process starts later. It could not know of the insert that was lost
            // with the one before, nor of one that is still under way.
            simulator.instance().quirks(|quirks| quirks.lists_lag = 0);
            simulator.instance().lists_catch_up();
        }
        let mut more = Vec::new();
        for problem in &last {
            // A killed process alone knew that it had removed the record, and nobody knows what became of a lost insert.
            let is_unknown = fault_plan.kills || core.said().contains("It is not known whether the insert into");
            if is_unknown && problem.text.contains("terraform state rm if the ") {
                core.forget_if_gone(&problem.address, simulator.instance());
            }
            let Some(advice) = advice(problem) else { continue };
            if !fault_plan.kills {
                return Err(format!("nobody was killed, and yet: {problem:?}"));
            }
            let block = blocks.iter().find(|block| block.address() == problem.address);
            match (advice, block) {
                (Advice::Import(id), Some(block)) => {
                    more.extend(core.import(block, &id).await.err().unwrap_or_default());
                }
                (Advice::Delete(table, id), _) => simulator.instance().remove(table, &id),
                (Advice::RemoveMembers(group), _) => {
                    for row in simulator.instance().find("sys_user_grmember", "group", &group) {
                        simulator.instance().remove("sys_user_grmember", &row["sys_id"]);
                    }
                }
                (Advice::Import(_), None) => {}
            }
        }
        last.extend(more);
    }
    Err(format!("no success in {ATTEMPTS} applies: {last:#?}"))
}

/// What the instance was asked in the end, without bodies, which hold secrets.
fn last_requests(simulator: &Simulator) -> String {
    let requests = simulator.instance().requests();
    let last = requests.iter().skip(requests.len().saturating_sub(LAST));
    let lines = last.map(|it| format!("  {} {}?{} -> {}", it.method, it.path, it.query, it.status));
    lines.collect::<Vec<_>>().join("\n")
}

/// What an error tells the operator to do about a record that an apply left behind when it was interrupted.
enum Advice {
    Import(String),
    Delete(&'static str, String),
    /// Of this group: nobody knows whether a killed process added them.
    RemoveMembers(String),
}

fn advice(problem: &Problem) -> Option<Advice> {
    let text = &problem.text;
    if let Some((_, command)) = text.split_once("terraform import ") {
        let (_, id) = command.split_once(' ')?;
        let id = id.split(['`', '\n']).next()?.trim();
        return Some(Advice::Import(id.trim_matches(['\'', '"']).to_owned()));
    }
    if let Some((group, _)) = text.split_once(") is joined by the user") {
        let (_, id) = group.rsplit_once('(')?;
        return Some(Advice::RemoveMembers(id.to_owned()));
    }
    let is_interrupted = text.contains("No provider uses it") && text.contains("delete it and apply again");
    let (_, rest) = text.split_once("configuration_id = \"").filter(|_| is_interrupted)?;
    let (id, _) = rest.split_once('"')?;
    Some(Advice::Delete("oidc_provider_configuration", id.to_owned()))
}

fn seeds() -> Vec<u64> {
    #[expect(clippy::disallowed_methods, reason = "which seeds to run is the caller's choice")]
    let Ok(text) = std::env::var("CHAOS_SEEDS") else {
        return (0..120).chain(THAT_FOUND_SOMETHING).collect();
    };
    match text.split_once("..") {
        Some((first, end)) => (first.parse().expect("a seed")..end.parse().expect("a seed")).collect(),
        None => vec![text.parse().expect("a seed")],
    }
}

/// Seeds that a mistake of the provider failed, since mended.
const THAT_FOUND_SOMETHING: [u64; 8] = [145, 151, 152, 223, 236, 379, 1335, 1694];

/// A run of many seeds says how far it is, which `--nocapture` shows.
const PROGRESS_EVERY: usize = 100;

const ATTEMPTS: usize = 14;
const LAST: usize = 30;
const AT_A_TIME: usize = 24;
/// Long enough for a busy machine: only a run that hangs reaches it.
const PATIENCE: Duration = Duration::from_secs(1800);
