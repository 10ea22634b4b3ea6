//! Runs the real terraform with a provider against a simulator, and measures it.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri};
use axum::routing::get;
use servicenow_simulator::Simulator;
use servicenow_simulator::faults::{Fault, Matcher};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::{BINARY, host};

/// A provider's binary, and the address under which configurations require it.
pub(crate) struct Provider {
    pub(crate) address: String,
    pub(crate) binary: PathBuf,
}

impl Provider {
    /// The one of this project, as it was built for the benchmark.
    pub(crate) fn ours() -> Self {
        Self {
            address: "registry.terraform.io/servicenow-m365/servicenow".to_owned(),
            binary: PathBuf::from(BINARY),
        }
    }

    /// The configuration that makes users and grants with it; none where there is none for this provider.
    pub(crate) fn estate(&self) -> Option<String> {
        let source = self.address.split_once('/')?.1;
        let estates = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/provider/estates");
        std::fs::read_to_string(estates.join(format!("{source}.tf"))).ok()
    }
}

/// Keeps states, as Terraform's backend `http` wants it.
pub(crate) struct StateServer {
    url: String,
}

impl StateServer {
    pub(crate) async fn start() -> Self {
        let states = Arc::new(Mutex::new(HashMap::<String, Bytes>::new()));
        let read = async |State(states): State<States>, uri: Uri| {
            let states = states.lock().expect("no panic");
            states.get(uri.path()).cloned().ok_or(StatusCode::NOT_FOUND)
        };
        let write = async |State(states): State<States>, uri: Uri, state: Bytes| {
            states.lock().expect("no panic").insert(uri.path().to_owned(), state);
        };
        let routes = Router::new()
            .route("/{name}", get(read).post(write))
            .layer(DefaultBodyLimit::disable())
            .with_state(states);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url }
    }
}

type States = Arc<Mutex<HashMap<String, Bytes>>>;

/// An instance with its defaults, over TLS as real ones are.
pub(crate) async fn start() -> Simulator {
    Simulator::start(Default::default())
        .await
        .expect("the simulator starts")
}

/// Puts the instance at a distance.
pub(crate) fn slow_down(simulator: &Simulator, latency_ms: u64) {
    if latency_ms > 0 {
        let slow = Fault::Slow(Duration::from_millis(latency_ms));
        simulator.instance().faults().every(Matcher::any(), slow);
    }
}

/// Seconds, and the most memory that a provider process had.
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    pub(crate) peak_mib: f64,
    pub(crate) requests: usize,
}

/// A folder with a configuration, and the environment of the terraform that runs in it.
pub(crate) struct Workspace {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
    /// The provider, if it is not Terraform's own.
    binary: PathBuf,
}

impl Workspace {
    /// Terraform's own provider alone: the floor of what any provider needs.
    pub(crate) fn floor(resources: usize) -> Self {
        let configuration = format!(
            "resource \"terraform_data\" \"all\" {{\n  count = {resources}\n  input = {{ user_name = \"robot-${{count.index}}\", role = \
             \"knowledge\" }}\n}}\n"
        );
        Self::with(&configuration, "", PathBuf::new(), Vec::new())
    }

    /// The same for users and grants that refer to them.
    pub(crate) fn floor_of_users(users: usize) -> Self {
        let configuration = format!(
            "resource \"terraform_data\" \"users\" {{\n  count = {users}\n  input = \"robot-${{count.index}}\"\n}}\nresource \
             \"terraform_data\" \"grants\" {{\n  count = {users}\n  input = {{ user = terraform_data.users[count.index].id, role = \
             \"knowledge\" }}\n}}\n"
        );
        Self::with(&configuration, "", PathBuf::new(), Vec::new())
    }

    /// A provider with an instance to work on.
    pub(crate) fn new(provider: &Provider, simulator: &Simulator, configuration: &str) -> Self {
        let folder = provider.binary.parent().expect("a folder").display().to_string();
        let overrides = format!("  dev_overrides {{\n    {:?} = {folder:?}\n  }}\n", provider.address);
        let variables = vec![
            ("SERVICENOW_INSTANCE_URL", simulator.urls().instance.clone()),
            ("SERVICENOW_USERNAME", simulator.username().to_owned()),
            ("SERVICENOW_PASSWORD", simulator.password().to_owned()),
            ("SSL_CERT_FILE", simulator.ca_certificate().display().to_string()),
        ];
        Self::with(configuration, &overrides, provider.binary.clone(), variables)
    }

    fn with(configuration: &str, overrides: &str, binary: PathBuf, variables: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let rc = folder.path().join("terraform.rc");
        let installation = format!("provider_installation {{\n{overrides}  direct {{}}\n}}\n");
        std::fs::write(&rc, installation).expect("a file");
        std::fs::write(folder.path().join("main.tf"), configuration).expect("a file");
        let mut variables = variables;
        variables.push(("TF_CLI_CONFIG_FILE", rc.display().to_string()));
        variables.push(("CHECKPOINT_DISABLE", "1".to_owned()));
        Self {
            folder,
            variables,
            binary,
        }
    }

    /// Sets an environment variable.
    pub(crate) fn variable(&mut self, name: &'static str, value: String) {
        self.variables.push((name, value));
    }

    /// Keeps the state behind HTTP. A local one is written after each resource, which at hundreds of them is most of what
    /// Terraform does; remote ones, those of HCP Terraform among them, are written at intervals.
    pub(crate) async fn keep_state_at(&mut self, states: &StateServer) {
        let name = self.folder.path().file_name().expect("a name").display().to_string();
        let backend = format!(
            "terraform {{\n  backend \"http\" {{\n    address = \"{}/{name}\"\n  }}\n}}\n",
            states.url
        );
        std::fs::write(self.folder.path().join("backend.tf"), backend).expect("a file");
        // Without the configuration: the registry has none of the providers that stand in for its own.
        let (configuration, aside) = (self.folder.path().join("main.tf"), self.folder.path().join("aside"));
        std::fs::rename(&configuration, &aside).expect("a file");
        self.terraform("init").await;
        std::fs::rename(&aside, &configuration).expect("a file");
    }

    pub(crate) async fn terraform(&self, command: &str) {
        self.timed(command).await;
    }

    /// Runs a command; the peak of the provider's memory, and the seconds it took.
    pub(crate) async fn timed(&self, command: &str) -> (f64, f64) {
        let mut terraform = Command::new("terraform");
        terraform
            .arg(command)
            .arg("-no-color")
            .arg("-input=false")
            .current_dir(self.folder.path());
        if matches!(command, "apply" | "destroy") {
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
            peak = peak.max(memory_of_children(running.id(), &self.binary));
            sleep(Duration::from_millis(5)).await;
        };
        let seconds = begun.elapsed().as_secs_f64();
        assert!(status.success(), "terraform {command} failed");
        (peak as f64 / 1024.0, seconds)
    }

    pub(crate) async fn measured(&self, command: &str, simulator: &Simulator) -> Measured {
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
fn memory_of_children(parent: u32, provider: &Path) -> u64 {
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
    let is_provider = |id: &u32| std::fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| exe == provider);
    ids.into_iter()
        .filter(is_provider)
        .filter_map(host::resident_kib)
        .max()
        .unwrap_or_default()
}
