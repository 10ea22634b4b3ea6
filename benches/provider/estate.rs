//! Large estates through a real terraform: users with a role each, against the same number of Terraform's own
//! `terraform_data`, which is the floor.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::{Options, Scheme, Simulator};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::{BINARY, host, median, row};

/// Seconds, and the most memory that a provider process had.
struct Measured {
    seconds: f64,
    peak_mib: f64,
    requests: usize,
}

/// The plan and the apply of an estate, beside the floor.
pub(crate) async fn run(users: usize, latency_ms: u64) {
    let floor = Workspace::new(None, &terraform_data(users));
    floor.terraform("apply").await;
    let (_, floor_plan) = floor.timed("plan").await;
    let simulator = start().await;
    let workspace = Workspace::new(Some(&simulator), &estate(users, 0));
    if latency_ms > 0 {
        let slow = Fault::Slow(Duration::from_millis(latency_ms));
        simulator.instance().faults().every(Matcher::any(), slow);
    }
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
    let workspace = Workspace::new(Some(&simulator), &estate(count, count));
    let apply = workspace.measured("apply", &simulator).await;
    let plan = workspace.measured("plan", &simulator).await;
    row(
        &format!("requests to apply {count} users and {count} grants"),
        &apply.requests.to_string(),
    );
    row("requests to plan them", &plan.requests.to_string());
    let floor = Workspace::new(None, &terraform_data(2 * count));
    floor.terraform("apply").await;
    let (_, floor_plan) = floor.timed("plan").await;
    let slow = Fault::Slow(Duration::from_millis(latency_ms));
    simulator.instance().faults().every(Matcher::any(), slow);
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

/// Whether the cost of a resource stays the same as the estate grows.
pub(crate) async fn growth(sizes: &[usize]) {
    for &users in sizes {
        let simulator = start().await;
        let floor = Workspace::new(None, &terraform_data(users));
        floor.terraform("apply").await;
        let (_, floor_plan) = floor.timed("plan").await;
        let workspace = Workspace::new(Some(&simulator), &estate(users, 0));
        workspace.terraform("apply").await;
        let plan = workspace.measured("plan", &simulator).await;
        row(
            &format!("plan of {users}, cost of one"),
            &format!(
                "{:.2} ms, of which {:.2} ms above terraform_data",
                plan.seconds * 1000.0 / users as f64,
                (plan.seconds - floor_plan) * 1000.0 / users as f64
            ),
        );
    }
}

async fn start() -> Simulator {
    let options = Options {
        instance_scheme: Scheme::Http,
        ..Options::default()
    };
    Simulator::start(options).await.expect("the simulator starts")
}

/// `users` users, the first `grants` of which have their role by a resource of its own.
fn estate(users: usize, grants: usize) -> String {
    let mut text = String::from(
        "terraform {\n  required_providers {\n    servicenow = { source = \"servicenow-m365/servicenow\" }\n  }\n}\n",
    );
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

fn terraform_data(count: usize) -> String {
    format!(
        "resource \"terraform_data\" \"all\" {{\n  count = {count}\n  input = {{ user_name = \"robot-${{count.index}}\", role = \
         \"knowledge\" }}\n}}\n"
    )
}

struct Workspace {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Workspace {
    fn new(simulator: Option<&Simulator>, configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let provider = PathBuf::from(BINARY);
        let provider = provider.parent().expect("a folder").display().to_string();
        let rc = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"registry.terraform.io/servicenow-m365/servicenow\" = \
             {provider:?}\n  }}\n  direct {{}}\n}}\n"
        );
        std::fs::write(folder.path().join("terraform.rc"), rc).expect("a file");
        std::fs::write(folder.path().join("main.tf"), configuration).expect("a file");
        let mut variables = vec![
            (
                "TF_CLI_CONFIG_FILE",
                folder.path().join("terraform.rc").display().to_string(),
            ),
            ("CHECKPOINT_DISABLE", "1".to_owned()),
        ];
        if let Some(simulator) = simulator {
            variables.extend([
                ("SERVICENOW_INSTANCE_URL", simulator.urls().instance.clone()),
                ("SERVICENOW_USERNAME", simulator.username().to_owned()),
                ("SERVICENOW_PASSWORD", simulator.password().to_owned()),
            ]);
        }
        Self { folder, variables }
    }

    async fn terraform(&self, command: &str) {
        self.timed(command).await;
    }

    /// Runs a command; the peak of the provider's memory, and the seconds it took.
    async fn timed(&self, command: &str) -> (f64, f64) {
        let mut terraform = Command::new("terraform");
        terraform
            .arg(command)
            .arg("-no-color")
            .arg("-input=false")
            .current_dir(self.folder.path());
        if command == "apply" {
            terraform.arg("-auto-approve");
        }
        terraform
            .envs(self.variables.iter().cloned())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        let begun = Instant::now();
        let mut running = terraform.spawn().expect("terraform on PATH");
        let mut peak = 0;
        let status = loop {
            if let Some(status) = running.try_wait().expect("a status") {
                break status;
            }
            peak = peak.max(memory_of_children(running.id()));
            sleep(Duration::from_millis(5)).await;
        };
        let seconds = begun.elapsed().as_secs_f64();
        assert!(status.success(), "terraform {command} failed");
        (peak as f64 / 1024.0, seconds)
    }

    async fn measured(&self, command: &str, simulator: &Simulator) -> Measured {
        simulator.instance().clear_requests();
        let (peak_mib, seconds) = self.timed(command).await;
        Measured {
            seconds,
            peak_mib,
            requests: simulator.instance().requests().len(),
        }
    }
}

/// The most resident memory of a child process: the provider is terraform's only one, once it is no copy of terraform
/// any more.
fn memory_of_children(parent: u32) -> u64 {
    let path = format!("/proc/{parent}/task");
    let tasks = std::fs::read_dir(Path::new(&path)).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let ids: Vec<u32> = children
        .flat_map(|ids| {
            ids.split_whitespace()
                .filter_map(|it| it.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect();
    let is_provider =
        |id: &u32| std::fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe == Path::new(BINARY));
    ids.into_iter()
        .filter(is_provider)
        .filter_map(host::resident_kib)
        .max()
        .unwrap_or_default()
}
