//! This provider beside another one: the same users and grants, on the same instance, in turn, above what Terraform
//! itself needs for the same graph.

use super::workspace::{Measured, Provider, StateServer, Workspace, slow_down, start};
use super::{median, row};

/// How often each provider has its turn.
const ROUNDS: usize = 3;

const COMMANDS: [&str; 3] = ["apply", "plan", "destroy"];

/// Apply, plan and destroy of `users` users with a grant each.
pub(crate) async fn run(peer: &Provider, peers_estate: &str, users: usize, latencies_ms: &[u64]) {
    let ours = Provider::ours();
    let our_estate = ours.estate().expect("the estate of this provider");
    let states = StateServer::start().await;
    for &latency_ms in latencies_ms {
        let mut floor = [Vec::new(), Vec::new(), Vec::new()];
        let mut measured = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let mut workspace = Workspace::floor_of_users(users);
            workspace.keep_state_at(&states).await;
            for (command, seconds) in COMMANDS.iter().zip(&mut floor) {
                seconds.push(workspace.timed(command).await.1);
            }
            for (into, provider, estate) in [(0, &ours, our_estate.as_str()), (1, peer, peers_estate)] {
                measured[into].push(one(provider, estate, users, latency_ms, &states).await);
            }
        }
        for (number, command) in COMMANDS.iter().enumerate() {
            let floor = median(&mut floor[number]);
            let above = |provider: usize| -> Vec<f64> {
                let runs = measured[provider].iter();
                runs.map(|run: &Run| run[number].seconds - floor).collect()
            };
            let (mut our_times, mut peers_times) = (above(0), above(1));
            let pairs = our_times.iter().zip(&peers_times);
            let mut ratios: Vec<f64> = pairs.map(|(ours, peers)| ours / peers).collect();
            let ratio = median(&mut ratios);
            let requests = |provider: usize| {
                let runs = measured[provider].iter();
                runs.map(|run: &Run| run[number].requests).max().unwrap_or_default()
            };
            row(
                &format!(
                    "{command} of {users} users and {users} grants, {latency_ms} ms latency, against {}",
                    peer.address
                ),
                &format!(
                    "{ratio:.2} ({:.2} to {:.2}): {:.2} s against {:.2} s above {floor:.2} s; {} against {} requests",
                    ratios.first().copied().unwrap_or(f64::NAN),
                    ratios.last().copied().unwrap_or(f64::NAN),
                    median(&mut our_times),
                    median(&mut peers_times),
                    requests(0),
                    requests(1),
                ),
            );
        }
    }
}

/// What each command took.
type Run = [Measured; 3];

async fn one(provider: &Provider, estate: &str, users: usize, latency_ms: u64, states: &StateServer) -> Run {
    let simulator = start().await;
    let role = simulator
        .instance()
        .find("sys_user_role", "name", "knowledge")
        .remove(0);
    let mut workspace = Workspace::new(provider, &simulator, estate);
    workspace.variable("TF_VAR_users", users.to_string());
    workspace.variable("TF_VAR_role_id", role["sys_id"].clone());
    workspace.keep_state_at(states).await;
    slow_down(&simulator, latency_ms);
    let [apply, plan, destroy] = COMMANDS;
    let run = [
        workspace.measured(apply, &simulator).await,
        workspace.measured(plan, &simulator).await,
        workspace.measured(destroy, &simulator).await,
    ];
    let left = simulator.instance().records("sys_user_has_role");
    assert!(left.iter().all(|row| row["role"] != role["sys_id"]), "grants were left");
    run
}
