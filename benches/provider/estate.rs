//! Large estates through a real terraform: users with a role each, against the same number of Terraform's own
//! `terraform_data`, which is the floor.

use std::fmt::Write as _;

use super::workspace::{Provider, StateServer, Workspace, slow_down, start};
use super::{median, row};

/// The plan and the apply of an estate, beside the floor.
pub(crate) async fn run(users: usize, latency_ms: u64) {
    let floor = Workspace::floor(users);
    floor.terraform("apply").await;
    let (_, floor_plan) = floor.timed("plan").await;
    let simulator = start().await;
    let workspace = Workspace::new(&Provider::ours(), &simulator, &estate(users, 0));
    slow_down(&simulator, latency_ms);
    let apply = workspace.measured("apply", &simulator).await;
    let mut plans = Vec::new();
    for _ in 0..3 {
        plans.push(workspace.measured("plan", &simulator).await);
    }
    let mut seconds: Vec<f64> = plans.iter().map(|it| it.seconds).collect();
    let plan = median(&mut seconds);
    let peak = plans.iter().map(|it| it.peak_mib).fold(0.0, f64::max);
    let requests = plans.iter().map(|it| it.requests).max().unwrap_or_default();
    row(
        &format!("apply of {users} users with a role each, {latency_ms} ms latency"),
        &format!(
            "{:.1} s, {} requests, {:.0} MiB at most",
            apply.seconds, apply.requests, apply.peak_mib
        ),
    );
    row(
        &format!("plan of them, {latency_ms} ms latency"),
        &format!(
            "{plan:.1} s ({:.1} s above terraform_data, {:.1} times), {requests} requests, {peak:.0} MiB at most",
            plan - floor_plan,
            plan / floor_plan
        ),
    );
}

/// How little is asked of the instance: users, and grants of their own. Then the same plan on a distant instance.
pub(crate) async fn requests(count: usize, latency_ms: u64) {
    let simulator = start().await;
    let workspace = Workspace::new(&Provider::ours(), &simulator, &estate(count, count));
    let apply = workspace.measured("apply", &simulator).await;
    let plan = workspace.measured("plan", &simulator).await;
    row(
        &format!("requests to apply {count} users and {count} grants"),
        &apply.requests.to_string(),
    );
    row("requests to plan them", &plan.requests.to_string());
    let floor = Workspace::floor(2 * count);
    floor.terraform("apply").await;
    let (_, floor_plan) = floor.timed("plan").await;
    slow_down(&simulator, latency_ms);
    let mut seconds = Vec::new();
    for _ in 0..3 {
        seconds.push(workspace.measured("plan", &simulator).await.seconds);
    }
    let plan = median(&mut seconds);
    row(
        &format!("plan of them, {latency_ms} ms latency"),
        &format!("{plan:.2} s ({:.2} s above terraform_data)", plan - floor_plan),
    );
}

/// One user with many roles: how much is asked of the instance for it.
pub(crate) async fn many_roles(count: usize) {
    let simulator = start().await;
    for number in 0..count {
        simulator
            .instance()
            .put("sys_user_role", &[("name", &format!("role-{number}"))]);
    }
    let user = format!(
        "{REQUIRES}resource \"servicenow_integration_user\" \"this\" {{\n  user_name = \"robot\"\n  roles = [for number in \
         range({count}) : \"role-${{number}}\"]\n}}\n"
    );
    let workspace = Workspace::new(&Provider::ours(), &simulator, &user);
    for command in ["apply", "plan", "destroy"] {
        let measured = workspace.measured(command, &simulator).await;
        row(
            &format!("{command} of one user with {count} roles"),
            &format!("{:.1} s, {} requests", measured.seconds, measured.requests),
        );
    }
}

/// Whether the cost of a resource stays the same as the estate grows.
pub(crate) async fn growth(sizes: &[usize]) {
    let states = StateServer::start().await;
    for &users in sizes {
        let mut floor = Workspace::floor(users);
        floor.keep_state_at(&states).await;
        let simulator = start().await;
        let mut workspace = Workspace::new(&Provider::ours(), &simulator, &estate(users, 0));
        workspace.keep_state_at(&states).await;
        for command in ["apply", "plan"] {
            let (_, floor) = floor.timed(command).await;
            let measured = workspace.measured(command, &simulator).await;
            let of_one = |seconds: f64| seconds * 1000.0 / users as f64;
            row(
                &format!("{command} of {users} users with a role each, cost of one"),
                &format!(
                    "{:.2} ms, of which {:.2} ms above terraform_data; {:.0} MiB at most",
                    of_one(measured.seconds),
                    of_one(measured.seconds - floor),
                    measured.peak_mib
                ),
            );
        }
    }
}

/// `users` users, the first `grants` of which have their role by a resource of its own.
fn estate(users: usize, grants: usize) -> String {
    let mut text = String::from(REQUIRES);
    let roles = if grants == 0 { "  roles = [\"knowledge\"]\n" } else { "" };
    let _ = writeln!(
        text,
        "resource \"servicenow_integration_user\" \"all\" {{\n  count = {users}\n  user_name = \"robot-${{count.index}}\"\n{roles}}}"
    );
    if grants > 0 {
        let _ = writeln!(
            text,
            "resource \"servicenow_user_role\" \"all\" {{\n  count = {grants}\n  user = \
             servicenow_integration_user.all[count.index].id\n  role = \"knowledge\"\n}}"
        );
    }
    text
}

/// What each configuration with this provider begins with.
const REQUIRES: &str =
    "terraform {\n  required_providers {\n    servicenow = { source = \"servicenow-m365/servicenow\" }\n  }\n}\n";
