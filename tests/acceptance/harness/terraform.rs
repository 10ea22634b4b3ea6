//! The Terraform and OpenTofu versions at hand.

use std::cell::Cell;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What tests skip where it is not there: the Terraform that brought it, and the OpenTofu that did, if any has.
///
/// Tests name a feature by its Terraform. Both programs are at 1.x, and the same number means another thing in the other.
const SINCE: &[(&str, Option<&str>)] = &[
    ("1.11", Some("1.11")), // write-only arguments, ephemeral resources
    ("1.12", Some("1.12")), // resource identity, import by identity
    ("1.14", None),         // terraform query, actions
    ("1.16", None),         // actions before a destroy, import blocks in modules
];

/// One `terraform` or `tofu` binary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Terraform {
    pub(crate) path: PathBuf,
    program: Program,
    version: Version,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Program {
    Terraform,
    OpenTofu,
}

impl Terraform {
    /// Whether this is Terraform `minimum` ("1.14") or newer, or an OpenTofu that has what came with it. Where it is not,
    /// says that `feature` is not tested with it.
    pub(crate) fn has(&self, minimum: &str, feature: &str) -> bool {
        let row = SINCE.iter().find(|(terraform, _)| *terraform == minimum);
        let (terraform, opentofu) = row.unwrap_or_else(|| panic!("no row of SINCE is for Terraform {minimum}"));
        let (needed, name) = match self.program {
            Program::Terraform => (Some(*terraform), "Terraform"),
            Program::OpenTofu => (*opentofu, "OpenTofu"),
        };
        let enough = needed.is_some_and(|needed| self.version >= Version::parse(needed));
        match needed {
            _ if enough => {}
            Some(needed) => self.skips(&format!("{feature} needs {name} {needed}")),
            None => self.skips(&format!("{name} does not have {feature}")),
        }
        enough
    }

    /// Whether a `moved` block between types of different identities works. OpenTofu 1.12 asks the provider for the new
    /// state and not for the new identity, and then cannot read the old one.
    pub(crate) fn moves_identities(&self) -> bool {
        let moves = self.program == Program::Terraform;
        if !moves {
            self.skips("a moved block leaves the identity of the old type in the state");
        }
        moves
    }

    /// Says that the rest of the test is not run with this one.
    fn skips(&self, why: &str) {
        skip(&self.to_string(), why);
    }

    pub(crate) fn is_opentofu(&self) -> bool {
        self.program == Program::OpenTofu
    }

    pub(crate) fn version(&self) -> String {
        let Version(major, minor, patch) = self.version;
        format!("{major}.{minor}.{patch}")
    }

    /// The address of a provider that a configuration requires as `source`: each program has a registry of its own.
    pub(crate) fn address_of(&self, source: &str) -> String {
        match self.program {
            Program::Terraform => format!("registry.terraform.io/{source}"),
            Program::OpenTofu => format!("registry.opentofu.org/{source}"),
        }
    }

    fn at(path: PathBuf) -> Self {
        let output = Command::new(&path)
            .arg("version")
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_CLI_CONFIG_FILE")
            .output()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", path.display()));
        // "OpenTofu v1.12.6", and a line for the platform.
        let said = String::from_utf8_lossy(&output.stdout);
        let first = said.lines().next().and_then(|line| line.split_once(" v"));
        let (program, version) = match first {
            Some(("Terraform", version)) => (Program::Terraform, version),
            Some(("OpenTofu", version)) => (Program::OpenTofu, version),
            _ => panic!("{} is neither Terraform nor OpenTofu: {said}", path.display()),
        };
        Self {
            version: Version::parse(version),
            program,
            path,
        }
    }
}

impl fmt::Display for Terraform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.program, self.version())
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

thread_local! {
    /// Whether the test of this thread has skipped something.
    static HAS_SKIPPED: Cell<bool> = const { Cell::new(false) };
}

/// Says that a test, or the rest of it, is not run. The test runner holds back what a test that passes prints, so `make test` has it
/// written to the file that `TERRAFORM_SKIPS` names, and prints that at the end.
pub(crate) fn skip(with: &str, why: &str) {
    HAS_SKIPPED.set(true);
    eprintln!("Skipped with {with}: {why}.");
    let file = variable("TERRAFORM_SKIPS");
    if file.is_empty() {
        return;
    }
    let thread = std::thread::current();
    let line = format!("{with}: {}: {why}\n", thread.name().unwrap_or("a test"));
    // One write, so that lines of tests that run at one time do not mix.
    let file = OpenOptions::new().create(true).append(true).open(file);
    file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
}

/// Runs `test` once with every Terraform at hand, one after the other.
///
/// Where `TERRAFORM_TESTS` is `shared`, the Terraforms share the tests: each runs with one of them, which its name chooses, and with the
/// next as long as something of it was skipped, so that everything has run with a Terraform that can do it.
pub(crate) async fn for_each_terraform(test: impl AsyncFn(&Terraform)) {
    let all = at_hand();
    if variable("TERRAFORM_TESTS") != "shared" {
        for terraform in all {
            test(terraform).await;
        }
        return;
    }
    let thread = std::thread::current();
    for terraform in in_turn(all, thread.name().unwrap_or_default()) {
        HAS_SKIPPED.set(false);
        test(terraform).await;
        if !HAS_SKIPPED.get() {
            break;
        }
    }
}

/// All of `all`, beginning with the one that belongs to the test `name`.
pub(crate) fn in_turn<'a, T>(all: &'a [T], name: &str) -> impl Iterator<Item = &'a T> {
    let first = name.bytes().map(usize::from).sum::<usize>() % all.len().max(1);
    all.iter().cycle().skip(first).take(all.len())
}

/// `TERRAFORM_BINARIES` (paths joined by ":", as `make test` sets it); without it `terraform` and `tofu` on PATH and those that
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
            "There is no terraform or tofu on PATH and none in target/terraform/. Install one with: scripts/find-terraform.sh all"
        );
        paths.into_iter().map(Terraform::at).collect()
    })
}

fn found() -> Vec<PathBuf> {
    let path = variable("PATH");
    let on_path = ["terraform", "tofu"].into_iter().filter_map(|program| {
        let mut paths = std::env::split_paths(&path).map(|folder| folder.join(program));
        paths.find(|it| it.is_file())
    });
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/terraform");
    let launchers = installed
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("terraform"));
    on_path.chain(launchers.filter(|it| it.is_file())).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment which Terraform to use"
)]
pub(crate) fn variable(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_default()
}
