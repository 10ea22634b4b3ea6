//! A folder with a configuration, and terraform in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use super::terraform::variable;
use super::{Plan, ResourceState, Run, Running, Terraform, leaks, modules_and_examples};

/// A configuration in a folder of its own, and one Terraform that works on it with the provider under test.
///
/// Nothing of the machine's environment reaches terraform but PATH. A test that fails while it holds one prints the
/// configuration, every command with its output, and what the provider logged last.
pub(crate) struct Workspace {
    folder: TempDir,
    terraform: Terraform,
    environment: BTreeMap<String, String>,
    transcript: Mutex<Vec<Step>>,
    /// More for the story of a failed test: what the simulator was asked.
    witness: Option<Box<dyn Fn() -> String>>,
}

struct Step {
    command: String,
    code: Option<i32>,
    output: String,
    log: String,
}

impl Workspace {
    /// With this `main.tf`, beside a `versions.tf` that declares the provider.
    pub(crate) fn new(terraform: &Terraform, configuration: &str) -> Self {
        let workspace = Self::without_provider(terraform, configuration);
        workspace.write("versions.tf", VERSIONS);
        workspace
    }

    /// With this `main.tf` and nothing else.
    pub(crate) fn without_provider(terraform: &Terraform, configuration: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tf-").tempdir().unwrap();
        let root = folder.path();
        for name in ["provider", "logs", "tmp"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        symlink(PROVIDER_BINARY, root.join("provider/terraform-provider-servicenow")).unwrap();
        let provider = root.join("provider");
        let cli_config = format!(
            "provider_installation {{\n  dev_overrides {{\n    {:?} = {:?}\n  }}\n  direct {{}}\n}}\n",
            terraform.address_of(SOURCE),
            provider.display().to_string()
        );
        fs::write(root.join("terraform.rc"), cli_config).unwrap();

        let path_of = |name: &str| root.join(name).display().to_string();
        let environment = [
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("HOME", root.display().to_string()),
            ("PATH", variable("PATH").to_string_lossy().into_owned()),
            ("TF_CLI_CONFIG_FILE", path_of("terraform.rc")),
            ("TF_INPUT", "0".to_owned()),
            ("TF_IN_AUTOMATION", "1".to_owned()),
            ("TF_LOG_PROVIDER", "TRACE".to_owned()),
            ("TMPDIR", path_of("tmp")),
        ];
        let workspace = Self {
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            folder,
            terraform: terraform.clone(),
            transcript: Mutex::default(),
            witness: None,
        };
        workspace.configure(configuration);
        workspace
    }

    /// Replaces `main.tf`.
    pub(crate) fn configure(&self, configuration: &str) {
        self.write("main.tf", configuration);
    }

    /// Writes one more file, or replaces it.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Sets an environment variable for the commands to come: `TF_VAR_secret`, `SERVICENOW_PASSWORD`.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.environment.remove(name);
    }

    /// Leaves the Microsoft side without a sign-in.
    pub(crate) fn unset_microsoft(&mut self) {
        for name in [
            "ARM_TENANT_ID",
            "ARM_CLIENT_ID",
            "ARM_CLIENT_SECRET",
            "M365_REFRESH_TOKEN",
        ] {
            self.unset(name);
        }
    }

    /// Adds what `witness` knows to the story of a failed test.
    pub(crate) fn tell_also(&mut self, witness: impl Fn() -> String + 'static) {
        self.witness = Some(Box::new(witness));
    }

    /// The provider under test, as this Terraform knows it.
    pub(crate) fn address(&self) -> String {
        self.address_of(SOURCE)
    }

    /// Another provider, likewise.
    pub(crate) fn address_of(&self, source: &str) -> String {
        self.terraform.address_of(source)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `terraform`, with arguments parted by spaces: `"apply"`, `"plan -refresh=false"`.
    ///
    /// Approval of `apply` and `destroy` is given; colours are off.
    pub(crate) async fn terraform(&self, arguments: &str) -> Run {
        self.terraform_with(&arguments.split_whitespace().collect::<Vec<_>>())
            .await
    }

    /// The same where an argument holds spaces or quotes.
    pub(crate) async fn terraform_with(&self, arguments: &[&str]) -> Run {
        let running = self.start(arguments);
        self.finish(running).await
    }

    /// Runs a script as a person types it, up to the first command that fails. `terraform` is the one of this workspace.
    pub(crate) async fn bash(&self, script: &str) -> Run {
        let launcher = self.folder.path().join("bin/terraform");
        self.write(
            "bin/terraform",
            &format!("#!/bin/sh\nexec {:?} \"$@\"\n", self.terraform.path),
        );
        fs::set_permissions(launcher, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}/bin:{}", self.folder.path().display(), self.environment["PATH"]);
        let mut command = Command::new("bash");
        command
            .args(["-eu", "-o", "pipefail", "-c", script])
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .env("PATH", path)
            .env("TF_LOG_PATH", self.log());
        self.finish(Running::start(script, command)).await
    }

    /// Lets `terraform init` install the provider, as from a release, and the azuread of `other`.
    pub(crate) fn init_from_mirrors(&self, other: Option<&Path>) {
        let mirror = self.folder.path().join("mirror");
        let version = env!("CARGO_PKG_VERSION");
        let package = mirror.join(self.address()).join(version).join(platform());
        fs::create_dir_all(&package).unwrap();
        let binary = package.join(format!("terraform-provider-servicenow_v{version}"));
        // A copy of a debug build is large, and many tests run at once.
        if fs::hard_link(PROVIDER_BINARY, &binary).is_err() {
            fs::copy(PROVIDER_BINARY, &binary).unwrap();
        }
        if let Some(other) = other.filter(|_| self.terraform.is_opentofu()) {
            // It is there under its address in Terraform's registry.
            let package = modules_and_examples::azuread_in(other);
            let (platform, version) = (
                package.file_name().unwrap(),
                package.parent().unwrap().file_name().unwrap(),
            );
            let folder = mirror.join(self.address_of("hashicorp/azuread")).join(version);
            fs::create_dir_all(&folder).unwrap();
            symlink(&package, folder.join(platform)).unwrap();
        }
        let mirrors: String = [Some(mirror.as_path()), other]
            .into_iter()
            .flatten()
            .map(|path| format!("  filesystem_mirror {{\n    path = {path:?}\n  }}\n"))
            .collect();
        self.write("terraform.rc", &format!("provider_installation {{\n{mirrors}}}\n"));
    }

    /// Starts a command that the test wants to watch or interrupt; [`Self::finish`] ends it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(&self.terraform.path);
        command
            .args(with_defaults(arguments))
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .env("TF_LOG_PATH", self.log());
        Running::start(&arguments.join(" "), command)
    }

    /// Where the provider's log of the next command goes.
    fn log(&self) -> PathBuf {
        let number = self.transcript.lock().unwrap().len();
        self.folder.path().join("logs").join(format!("{number}.log"))
    }

    /// Waits for the end of a command from [`Self::start`].
    pub(crate) async fn finish(&self, running: Running) -> Run {
        let command = running.command().to_owned();
        let (status, output) = running.end().await;
        let mut transcript = self.transcript.lock().unwrap();
        let log = self
            .folder
            .path()
            .join("logs")
            .join(format!("{}.log", transcript.len()));
        transcript.push(Step {
            command: command.clone(),
            code: status.code(),
            output: output.both.clone(),
            log: fs::read(log)
                .map(|log| String::from_utf8_lossy(&log).into_owned())
                .unwrap_or_default(),
        });
        drop(transcript);
        let run = Run {
            command,
            code: status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
            both: output.both,
        };
        run.has_well_formed_messages();
        run
    }

    /// Checks that there is nothing to do.
    pub(crate) async fn plan_is_empty(&self) {
        let run = self.terraform("plan -detailed-exitcode").await;
        assert_eq!(run.code, Some(0), "the plan should be empty\n{}", run.both);
    }

    /// A plan, as a file that stays, and as data.
    pub(crate) async fn plan(&self) -> Plan {
        self.terraform(&format!("plan -out={PLAN_FILE}")).await.succeeds();
        Plan {
            json: self
                .terraform(&format!("show -json {PLAN_FILE}"))
                .await
                .succeeds()
                .json(),
        }
    }

    /// One resource of the state file, by its address.
    #[track_caller]
    pub(crate) fn state(&self, address: &str) -> ResourceState {
        let all = ResourceState::all_of(&self.state_file());
        let addresses: Vec<String> = all.iter().map(|it| it.address().to_owned()).collect();
        let mut matching = all.into_iter().filter(|it| it.address() == address);
        matching
            .next()
            .unwrap_or_else(|| panic!("{address} is not in the state, which has {addresses:?}"))
    }

    /// What is in the state, by address.
    pub(crate) fn addresses(&self) -> Vec<String> {
        ResourceState::all_of(&self.state_file())
            .iter()
            .map(|it| it.address().to_owned())
            .collect()
    }

    /// The whole state file; null where there is none.
    pub(crate) fn state_file(&self) -> Value {
        let file = self.folder.path().join("terraform.tfstate");
        fs::read(file)
            .map(|content| serde_json::from_slice(&content).unwrap())
            .unwrap_or_default()
    }

    /// What the provider logged in the last command, at level TRACE.
    pub(crate) fn provider_log(&self) -> String {
        self.transcript
            .lock()
            .unwrap()
            .last()
            .map(|step| step.log.clone())
            .unwrap_or_default()
    }

    /// Checks that none of `secrets` is in the state, a plan file, a log, or anything that was printed.
    #[track_caller]
    pub(crate) fn leaks_nothing_of(&self, secrets: &[&str]) {
        let leaks = self.leaks(secrets);
        assert!(leaks.is_empty(), "secrets have leaked:\n  {}", leaks.join("\n  "));
    }

    /// Where `secrets` can be read, in the clear or encoded.
    pub(crate) fn leaks(&self, secrets: &[&str]) -> Vec<String> {
        let mut leaks = leaks::below(self.folder.path(), secrets);
        for step in self.transcript.lock().unwrap().iter() {
            let name = format!("the output of terraform {}", step.command);
            leaks.extend(leaks::within(&name, step.output.as_bytes(), secrets));
        }
        leaks
    }

    fn story(&self) -> String {
        let mut story = format!(
            "\n======== the story of this failure, with {} ========\n",
            self.terraform
        );
        for name in ["main.tf", "versions.tf"] {
            if let Ok(content) = fs::read_to_string(self.folder.path().join(name)) {
                story.push_str(&format!("-------- {name}\n{content}\n"));
            }
        }
        let transcript = match self.transcript.lock() {
            Ok(transcript) => transcript,
            Err(poisoned) => poisoned.into_inner(),
        };
        for step in transcript.iter() {
            let code = step.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
            story.push_str(&format!(
                "-------- $ terraform {}  -> {code}\n{}\n",
                step.command, step.output
            ));
        }
        if let Some(step) = transcript.last() {
            let lines: Vec<&str> = step.log.lines().collect();
            let last = lines[lines.len().saturating_sub(LAST_LOG_LINES)..].join("\n");
            story.push_str(&format!(
                "-------- the provider's last {LAST_LOG_LINES} log lines\n{last}\n"
            ));
        }
        if let Some(witness) = &self.witness {
            story.push_str(&format!("-------- what the simulator was asked\n{}\n", witness()));
        }
        story
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.story());
        }
    }
}

/// Adds what every command of a test wants: approval, no colours. Options stand before what they act on.
fn with_defaults<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let (command, rest) = arguments.split_first().expect("a terraform command");
    let defaults: &[&str] = match *command {
        "apply" | "destroy" => &["-auto-approve", "-no-color"],
        "plan" | "import" | "query" | "refresh" | "validate" | "init" | "show" | "test" => &["-no-color"],
        _ => &[],
    };
    [&[*command], defaults, rest].concat()
}

/// This machine, as Terraform calls it.
pub(super) fn platform() -> String {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = if cfg!(target_os = "macos") {
        "darwin"
    } else {
        std::env::consts::OS
    };
    format!("{system}_{machine}")
}

/// Under what the provider is published, in both registries.
const SOURCE: &str = "servicenow-m365/servicenow";
const PROVIDER_BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-servicenow");
const PLAN_FILE: &str = "plan.bin";
const LAST_LOG_LINES: usize = 60;
const VERSIONS: &str = r#"terraform {
  required_providers {
    servicenow = {
      source = "servicenow-m365/servicenow"
    }
  }
}
"#;
