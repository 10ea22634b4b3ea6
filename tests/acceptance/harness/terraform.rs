//! The Terraform versions at hand.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One `terraform` binary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Terraform {
    pub(crate) path: PathBuf,
    version: Version,
}

impl Terraform {
    /// Whether this version is `minimum` ("1.14") or newer. Where it is not, says that `feature` is not tested with it.
    pub(crate) fn has(&self, minimum: &str, feature: &str) -> bool {
        let enough = self.version >= Version::parse(minimum);
        if !enough {
            eprintln!("Skipped with {self}: {feature} needs Terraform {minimum}.");
        }
        enough
    }

    fn at(path: PathBuf) -> Self {
        let output = Command::new(&path)
            .args(["version", "-json"])
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_CLI_CONFIG_FILE")
            .output()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", path.display()));
        let version: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{} version -json: {error}", path.display()));
        Self {
            version: Version::parse(version["terraform_version"].as_str().unwrap()),
            path,
        }
    }
}

impl fmt::Display for Terraform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Version(major, minor, patch) = self.version;
        write!(f, "Terraform {major}.{minor}.{patch}")
    }
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Version(u32, u32, u32);

impl Version {
    fn parse(text: &str) -> Self {
        let number = text.split('-').next().unwrap_or_default();
        let mut parts = number
            .split('.')
            .map(|part| part.parse().unwrap_or_else(|_| panic!("no version: {text}")));
        Self(
            parts.next().unwrap_or(0),
            parts.next().unwrap_or(0),
            parts.next().unwrap_or(0),
        )
    }
}

/// Runs `test` once with every Terraform at hand, one after the other.
pub(crate) async fn for_each_terraform(test: impl AsyncFn(&Terraform)) {
    for terraform in at_hand() {
        test(terraform).await;
    }
}

/// `TERRAFORM_BINARIES` (paths joined by ":", as `make test` sets it); without it the one on PATH and those that
/// `make test` installed into `target/terraform/`.
fn at_hand() -> &'static [Terraform] {
    static AT_HAND: OnceLock<Vec<Terraform>> = OnceLock::new();
    AT_HAND.get_or_init(|| {
        let named = variable("TERRAFORM_BINARIES");
        let paths = if named.is_empty() {
            found()
        } else {
            std::env::split_paths(&named).collect()
        };
        assert!(
            !paths.is_empty(),
            "There is no terraform on PATH and none in target/terraform/. Install one with: scripts/find-terraform.sh all"
        );
        paths.into_iter().map(Terraform::at).collect()
    })
}

fn found() -> Vec<PathBuf> {
    let on_path = std::env::split_paths(&variable("PATH"))
        .map(|folder| folder.join("terraform"))
        .find(|it| it.is_file());
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/terraform");
    let launchers = installed
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("terraform"));
    on_path.into_iter().chain(launchers.filter(|it| it.is_file())).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment which Terraform to use"
)]
pub(crate) fn variable(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_default()
}
