//! One terraform in a folder of its own, with the provider of this build.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::settings::Settings;

/// A configuration and its state.
pub(crate) struct Workspace {
    folder: TempDir,
    binary: PathBuf,
    environment: Vec<(String, String)>,
}

/// What a command did.
pub(crate) struct Run {
    /// None when it took too long.
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
}

impl Run {
    pub(crate) fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// The first error that it printed, in one line.
    pub(crate) fn error(&self) -> String {
        let lines = self
            .output
            .lines()
            .map(|line| line.trim_matches(['╷', '│', '╵', '╴', ' ']));
        let from_error = lines.skip_while(|line| !line.starts_with("Error:"));
        let text: Vec<&str> = from_error.filter(|line| !line.is_empty()).take(12).collect();
        match (text.is_empty(), self.code) {
            (_, None) => "it took more than five minutes".to_owned(),
            (true, Some(code)) => format!("it ended with {code}"),
            (false, Some(_)) => text.join(" "),
        }
    }
}

impl Workspace {
    pub(crate) fn new(settings: &Settings) -> Result<Self, String> {
        let binary = binary(settings)?;
        // The state of a story can have a secret in it.
        let own = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("live-").permissions(own).tempdir();
        let folder = folder.map_err(|error| format!("no folder can be made: {error}"))?;
        let root = folder.path();
        let program = format!("terraform-provider-servicenow{}", std::env::consts::EXE_SUFFIX);
        fs::create_dir(root.join("provider")).unwrap();
        symlink(PROVIDER, root.join("provider").join(program)).unwrap();
        let provider = root.join("provider").display().to_string();
        fs::write(root.join("terraform.rc"), overrides(&[(SOURCE, &provider)])).unwrap();
        fs::write(root.join("versions.tf"), VERSIONS).unwrap();
        let own = [
            ("CHECKPOINT_DISABLE", "1".to_owned()),
            ("HOME", root.display().to_string()),
            ("TF_CLI_CONFIG_FILE", root.join("terraform.rc").display().to_string()),
            ("TF_IN_AUTOMATION", "1".to_owned()),
            ("TF_INPUT", "0".to_owned()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let passed = settings
            .for_terraform()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self {
            environment: passed.chain(own).collect(),
            folder,
            binary,
        })
    }

    /// Lets it use the azuread provider of this folder as well.
    pub(crate) fn with_azuread(&self, folder: &Path) {
        let root = self.folder.path();
        let (ours, theirs) = (
            root.join("provider").display().to_string(),
            folder.display().to_string(),
        );
        let both = overrides(&[(SOURCE, &ours), (AZUREAD, &theirs)]);
        fs::write(root.join("terraform.rc"), both).unwrap();
        let declared = format!("    azuread = {{\n      source = {AZUREAD:?}\n    }}\n    servicenow = {{");
        fs::write(
            root.join("versions.tf"),
            VERSIONS.replace("    servicenow = {", &declared),
        )
        .unwrap();
    }

    /// Replaces `main.tf`.
    pub(crate) fn configure(&self, configuration: &str) {
        fs::write(self.folder.path().join("main.tf"), configuration).unwrap();
    }

    /// Runs a command to its end. It is in a process group of its own: Ctrl-C at the terminal does not reach it, so that it
    /// ends what it has begun, and its state is whole.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .arg("-no-color")
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .process_group(0);
        let not_started = |error: &std::io::Error| Run {
            code: Some(127),
            output: format!("Error: terraform cannot be started: {error}"),
        };
        let child = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => return not_started(&error),
        };
        let group = child.id();
        let mut ended = spawn_blocking(move || child.wait_with_output());
        let result = match timeout(LONGEST, &mut ended).await {
            Ok(result) => result,
            Err(_) => {
                // It may be writing: it is asked to end, and nothing is cleaned up before it has.
                signal("INT", group);
                if timeout(TO_END, &mut ended).await.is_err() {
                    signal("KILL", group);
                    let _ = ended.await;
                }
                return Run {
                    code: None,
                    output: String::new(),
                };
            }
        };
        match result.unwrap() {
            Err(error) => not_started(&error),
            Ok(output) => Run {
                code: Some(output.status.code().unwrap_or(1)),
                output: format!(
                    "{}{}",
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                ),
            },
        }
    }

    /// An attribute of a resource of the state.
    pub(crate) fn attribute(&self, address: &str, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.folder.path().join("terraform.tfstate")).ok()?;
        let state: Value = serde_json::from_str(&text).ok()?;
        let resources = state["resources"].as_array()?;
        let resource = resources.iter().find(|it| {
            let of = |key: &str| it[key].as_str().unwrap_or_default();
            format!("{}.{}", of("type"), of("name")) == address
        })?;
        let value = &resource["instances"][0]["attributes"][name];
        value.as_str().map(str::to_owned)
    }

    /// Destroys what is in the state, if anything is.
    pub(crate) async fn destroyed(&self) -> Result<(), String> {
        if !self.has_state() {
            return Ok(());
        }
        let run = self.run(&["destroy", "-auto-approve"]).await;
        if run.succeeded() {
            Ok(())
        } else {
            Err(format!("destroy: {}", run.error()))
        }
    }

    /// Whether anything is in the state.
    fn has_state(&self) -> bool {
        let text = fs::read_to_string(self.folder.path().join("terraform.tfstate")).unwrap_or_default();
        let state: Value = serde_json::from_str(&text).unwrap_or_default();
        state["resources"]
            .as_array()
            .is_some_and(|resources| !resources.is_empty())
    }
}

/// The configuration of Terraform that takes these providers from folders.
fn overrides(providers: &[(&str, &str)]) -> String {
    let lines: String = providers
        .iter()
        .flat_map(|(source, folder)| {
            ["registry.terraform.io", "registry.opentofu.org"]
                .map(|registry| format!("    \"{registry}/{source}\" = {folder:?}\n"))
        })
        .collect();
    format!("provider_installation {{\n  dev_overrides {{\n{lines}  }}\n  direct {{}}\n}}\n")
}

/// The folder of the newest azuread provider in `AZUREAD_MIRROR`.
///
/// # Errors
/// What it would need.
pub(crate) fn azuread(settings: &Settings) -> Result<PathBuf, String> {
    // Where `make live` and `make test` put it.
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/azuread/.terraform/providers");
    let mirror = settings.get("AZUREAD_MIRROR").map_or(installed, PathBuf::from);
    let versions = fs::read_dir(mirror.join("registry.terraform.io").join(AZUREAD));
    let folders = versions.into_iter().flatten().flatten();
    let fitting = folders.filter_map(|version| {
        let folder = version.path().join(platform());
        let name = version.file_name().to_string_lossy().into_owned();
        let number: Vec<u32> = name.split('.').map_while(|part| part.parse().ok()).collect();
        folder.is_dir().then_some((number, folder))
    });
    fitting.max().map(|(_, folder)| folder).ok_or_else(|| {
        format!(
            "It needs the azuread provider, unpacked for {}, in the filesystem mirror that AZUREAD_MIRROR names.",
            platform()
        )
    })
}

/// This machine, as Terraform calls it.
pub(crate) fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        system => system,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        machine => machine,
    };
    format!("{system}_{machine}")
}

/// Sends a signal to a process group.
fn signal(name: &str, group: u32) {
    let _ = Command::new("kill")
        .args([&format!("-{name}"), "--", &format!("-{group}")])
        .status();
}

/// `LIVE_TERRAFORM`, the one on PATH, or the one that `make test` installed.
fn binary(settings: &Settings) -> Result<PathBuf, String> {
    if let Some(named) = settings.get("LIVE_TERRAFORM") {
        return Ok(PathBuf::from(named));
    }
    let path = settings.get("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(path).map(|folder| folder.join("terraform"));
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/terraform/1.15.5/terraform");
    on_path
        .chain([installed])
        .find(|path| path.is_file())
        .ok_or_else(|| "There is no terraform on PATH. Install one, or name it in LIVE_TERRAFORM.".to_owned())
}

/// Whether there is a terraform, before anything is made.
pub(crate) fn is_there(settings: &Settings) -> Result<(), String> {
    binary(settings).map(|_| ())
}

/// Longer than the provider's own limit of five minutes for an operation.
const LONGEST: Duration = Duration::from_secs(420);
/// For an interrupted terraform to finish what it writes.
const TO_END: Duration = Duration::from_secs(90);
const SOURCE: &str = "servicenow-m365/servicenow";
const AZUREAD: &str = "hashicorp/azuread";
const PROVIDER: &str = env!("CARGO_BIN_EXE_terraform-provider-servicenow");
const VERSIONS: &str = r#"terraform {
  required_providers {
    servicenow = {
      source = "servicenow-m365/servicenow"
    }
  }
}

provider "servicenow" {}
"#;
