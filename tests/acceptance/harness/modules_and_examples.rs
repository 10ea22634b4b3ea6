//! What the project ships as configuration: `modules/` and `examples/`.

use std::fs;
use std::path::{Path, PathBuf};

use super::terraform::variable;
use super::workspace::platform;
use super::{Simulator, Terraform, Workspace, skip};

/// A folder of the repository.
pub(crate) fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The names of the folders in a folder of the repository.
pub(crate) fn folders_in(path: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(shipped(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there is nothing in {path}");
    names
}

/// A workspace for a whole configuration of `examples/`, which declares its provider itself and uses the modules.
///
/// Its variables that every test needs are set; the others are `TF_VAR_*`, to be set by the test.
pub(crate) async fn example(simulator: &Simulator, terraform: &Terraform, name: &str) -> Workspace {
    let mut workspace = simulator.workspace(terraform, "");
    for file in ["main.tf", "provider.tf", "versions.tf"] {
        fs::remove_file(workspace.folder().join(file)).unwrap();
    }
    copy(&workspace, &shipped("modules"), "modules");
    copy(&workspace, &shipped("examples").join(name), "");
    let urls = simulator.urls();
    let microsoft365 = format!("{{ login_url = {:?}, admin_url = {:?} }}", urls.login, urls.admin);
    workspace.set("TF_VAR_instance_url", &urls.instance);
    workspace.set("TF_VAR_login_url", &urls.login);
    workspace.set("TF_VAR_microsoft365", &microsoft365);
    workspace.set(
        "TF_VAR_tenant",
        &simulator.directory().with(|tenant| tenant.domain.clone()),
    );
    workspace.terraform("get").await.succeeds();
    workspace
}

/// Copies a folder of the repository into a workspace. Modules are found beside the configuration there.
pub(crate) fn copy(workspace: &Workspace, from: &Path, to: &str) {
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let target = if to.is_empty() {
            name.clone()
        } else {
            format!("{to}/{name}")
        };
        if path.is_dir() {
            if !name.starts_with(".terraform") {
                copy(workspace, &path, &target);
            }
        } else {
            let content = fs::read_to_string(&path).unwrap();
            workspace.write(&target, &content.replace("\"../../modules/", "\"./modules/"));
        }
    }
}

/// A block of a page, with the modules in the folder `modules` beside it in place of those on GitHub.
pub(crate) fn at_hand(block: &str) -> String {
    let mut pieces = block.split("github.com/servicenow-m365/terraform-provider-servicenow//modules/");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (source, rest) = piece.split_once('"').expect("a source ends with a quote");
        let module = source.split("?ref=").next().unwrap_or_default();
        text.push_str(&format!("./modules/{module}\"{rest}"));
    }
    text
}

/// The filesystem mirror that holds the azuread provider, where there is one: `AZUREAD_MIRROR` names it.
pub(crate) fn azuread_mirror() -> Option<PathBuf> {
    Some(variable("AZUREAD_MIRROR"))
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// With what a test is skipped where `AZUREAD_MIRROR` names none.
pub(crate) const WITHOUT_AZUREAD: &str = "no azuread provider";

/// The folder of the azuread provider's executable, and of nothing else. None where there is no azuread at hand.
pub(crate) fn azuread(what_is_skipped: &str) -> Option<PathBuf> {
    let Some(mirror) = azuread_mirror() else {
        skip(WITHOUT_AZUREAD, what_is_skipped);
        return None;
    };
    Some(azuread_in(&mirror))
}

/// The folder of the newest azuread in a mirror, for this machine.
pub(crate) fn azuread_in(mirror: &Path) -> PathBuf {
    let versions = mirror.join("registry.terraform.io/hashicorp/azuread");
    let folders = fs::read_dir(&versions).into_iter().flatten().flatten();
    let fitting = folders.filter_map(|version| {
        let folder = version.path().join(platform());
        let name = version.file_name().to_string_lossy().into_owned();
        // By number: 3.10.0 is newer than 3.9.0.
        let number: Vec<u32> = name.split('.').map_while(|part| part.parse().ok()).collect();
        folder.is_dir().then_some((number, folder))
    });
    let newest = fitting.max().map(|(_, folder)| folder);
    newest.unwrap_or_else(|| {
        panic!(
            "AZUREAD_MIRROR has no provider for {} in {}",
            platform(),
            versions.display()
        )
    })
}

/// Lets a workspace use the azuread provider, against the simulator.
pub(crate) fn with_azuread(workspace: &mut Workspace, simulator: &Simulator, azuread: &Path) {
    let ours = workspace.folder().join("provider");
    let (theirs, address) = (workspace.address_of("hashicorp/azuread"), workspace.address());
    let overrides = format!(
        "provider_installation {{\n  dev_overrides {{\n    {theirs:?} = {azuread:?}\n    {address:?} = {ours:?}\n  }}\n  \
         direct {{}}\n}}\n"
    );
    workspace.write("terraform.rc", &overrides);
    workspace.set("ARM_METADATA_HOSTNAME", &simulator.urls().metadata_host);
    workspace.set("ARM_USE_CLI", "false");
}
