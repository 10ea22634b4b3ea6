//! What the provider costs: start, memory, size, and the plans and applies of large estates. Prints medians and ratios; it
//! asserts nothing, because a number depends on the machine.
//!
//! `make bench`; `scripts/bench.sh requests` measures a part by itself, `scripts/bench.sh estate 300` another number of
//! users.
//! `PEER_MIRROR` may name a filesystem mirror with another provider. It is then started as well, and where a file in
//! `estates` says how it makes users and grants, both make, plan and destroy them in turn on the same simulator.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it cannot go on"
)]

mod compare;
mod estate;
mod host;
mod workspace;

use std::path::{Path, PathBuf};

use workspace::Provider;

const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-servicenow");

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let users: usize = arguments.iter().find_map(|it| it.parse().ok()).unwrap_or(1000);
    let parts: Vec<&str> = PARTS
        .into_iter()
        .filter(|part| arguments.iter().any(|it| it == part))
        .collect();
    let is_wanted = |part| parts.is_empty() || parts.contains(&part);
    println!("| what | measured |\n|---|---|");
    if is_wanted("start") {
        let size = std::fs::metadata(BINARY).map_or(0, |it| it.len());
        row("size of the binary", &format!("{:.1} MB", size as f64 / 1e6));
        start("start to handshake", Path::new(BINARY));
        if let Some(peer) = peer() {
            start(&format!("the same of {}", peer.address), &peer.binary);
        }
        schema_call().await;
    }
    if is_wanted("requests") {
        estate::requests(300, 30).await;
    }
    if is_wanted("roles") {
        estate::many_roles(300).await;
    }
    if is_wanted("compare") {
        match peer().and_then(|peer| Some((peer.estate()?, peer))) {
            Some((estate, peer)) => compare::run(&peer, &estate, 300, &[0, 30]).await,
            None => println!(
                "| comparison | left out: PEER_MIRROR holds no provider with a file in benches/provider/estates |"
            ),
        }
    }
    if is_wanted("estate") {
        estate::run(users, 0).await;
        estate::run(users, 30).await;
    }
    if is_wanted("growth") {
        estate::growth(&[100, 500, 2000]).await;
    }
}

/// What can be measured by itself.
const PARTS: [&str; 6] = ["start", "requests", "roles", "compare", "estate", "growth"];

/// One line of the table.
fn row(what: &str, measured: &str) {
    println!("| {what} | {measured} |");
}

fn start(what: &str, binary: &Path) {
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..31 {
        if let Some(started) = host::start(binary) {
            times.push(started.milliseconds);
            memory.push(started.resident_kib as f64 / 1024.0);
        }
    }
    if times.is_empty() {
        row(what, "it does not start");
        return;
    }
    row(
        what,
        &format!(
            "{:.1} ms, {:.1} MiB resident (medians of {})",
            median(&mut times),
            median(&mut memory),
            times.len()
        ),
    );
}

/// The whole schema, in this process: what one `GetProviderSchema` costs besides the wire.
async fn schema_call() {
    use servicenow_provider::plugin::proto::tfplugin6::provider_server::Provider;
    use servicenow_provider::plugin::server::Server;
    use servicenow_provider::provider::{Environment, Servicenow};
    let mut times = Vec::new();
    for _ in 0..31 {
        let server = Server::unmasked(Servicenow {
            environment: Environment::empty(),
        });
        let begun = tokio::time::Instant::now();
        let answer = server
            .get_provider_schema(tonic::Request::new(Default::default()))
            .await;
        if answer.is_ok() {
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
    }
    row("schema call", &format!("{:.1} ms", median(&mut times)));
}

/// A provider in the filesystem mirror that `PEER_MIRROR` names: host, namespace, type, version and platform are folders.
fn peer() -> Option<Provider> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark is told by the environment what to compare with"
    )]
    let mirror = PathBuf::from(std::env::var_os("PEER_MIRROR")?);
    let mut folders = vec![mirror.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name().to_string_lossy().starts_with("terraform-provider-") {
                let parts = path.strip_prefix(&mirror).ok()?.iter().take(3);
                let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
                return Some(Provider {
                    address: parts.join("/"),
                    binary: path,
                });
            }
        }
    }
    None
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
