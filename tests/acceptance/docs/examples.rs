//! The examples of the reference pages: each is valid, and those that stand alone are applied.

use std::path::Path;

use crate::harness::modules_and_examples::{folders_in, shipped};
use crate::harness::{Simulator, Terraform, Workspace, for_each_terraform};

/// What the registry shows for each kind of object, and the Terraform that first knew it.
const KINDS: &[Kind] = &[
    Kind::new("resources", &["resource.tf"], "1.11"),
    Kind::new("resources", &["resource.tf", "import-by-string-id.tf"], "1.11"),
    Kind::new("resources", &["resource.tf", "import-by-identity.tf"], "1.12"),
    Kind::new("data-sources", &["data-source.tf"], "1.11"),
    Kind::new("functions", &["function.tf"], "1.11"),
    Kind::new("ephemeral-resources", &["ephemeral-resource.tf"], "1.11"),
    Kind::new("actions", &["action.tf"], "1.14"),
    Kind::new("list-resources", &["list-resource.tfquery.hcl"], "1.14"),
];

struct Kind {
    folder: &'static str,
    files: &'static [&'static str],
    since: &'static str,
}

impl Kind {
    const fn new(folder: &'static str, files: &'static [&'static str], since: &'static str) -> Self {
        Self { folder, files, since }
    }
}

#[tokio::test]
async fn every_example_is_valid() {
    for_each_terraform(async |terraform| {
        for kind in KINDS.iter().filter(|kind| terraform.has(kind.since, kind.folder)) {
            let is_query = kind.folder == "list-resources";
            for object in folders_in(&format!("examples/{}", kind.folder)) {
                let workspace = Workspace::new(terraform, "");
                let folder = shipped("examples").join(kind.folder).join(&object);
                for file in kind.files {
                    workspace.write(file, &read(&folder.join(file)));
                }

                let run = workspace
                    .terraform(if is_query { "validate -query" } else { "validate" })
                    .await;

                run.succeeds();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_provider_example_is_valid() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::without_provider(terraform, &read(&shipped("examples/provider/provider.tf")));

        workspace.terraform("validate").await.succeeds();
    })
    .await;
}

/// Each resource's example makes something, wants nothing more, is imported as its page says, and is gone afterwards.
#[tokio::test]
async fn every_resource_example_is_applied() {
    for_each_terraform(async |terraform| {
        for object in folders_in("examples/resources") {
            let (simulator, workspace) = with_example(terraform, &format!("resources/{object}/resource.tf")).await;

            workspace.terraform("apply").await.succeeds();
            workspace.plan_is_empty().await;
            for (address, id) in imports(&object) {
                let own = workspace.state(&address).text("id");
                let id = PLACEHOLDERS
                    .iter()
                    .fold(id, |id, placeholder| id.replace(placeholder, &own));
                workspace.terraform_with(&["state", "rm", &address]).await.succeeds();
                workspace.terraform_with(&["import", &address, &id]).await.succeeds();
            }
            workspace.terraform("destroy").await.succeeds();

            // An import does not know who made the configuration of an OIDC provider, so it stays.
            for configuration in simulator.created("oidc_provider_configuration") {
                simulator
                    .instance()
                    .remove("oidc_provider_configuration", &configuration["sys_id"]);
            }
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// Address and ID of each `terraform import` that the page of a resource shows.
fn imports(object: &str) -> Vec<(String, String)> {
    let script = read(&shipped("examples/resources").join(object).join("import.sh"));
    let commands = script.lines().filter_map(|line| line.strip_prefix("terraform import "));
    commands
        .map(|arguments| {
            let (address, id) = arguments.rsplit_once(' ').unwrap();
            let plain = |word: &str| word.trim_matches('\'').to_owned();
            (plain(address), plain(id))
        })
        .collect()
}

#[tokio::test]
async fn every_data_source_and_function_example_is_read() {
    for_each_terraform(async |terraform| {
        for (folder, file) in [("data-sources", "data-source.tf"), ("functions", "function.tf")] {
            for object in folders_in(&format!("examples/{folder}")) {
                let (_simulator, workspace) = with_example(terraform, &format!("{folder}/{object}/{file}")).await;

                workspace.terraform("apply").await.succeeds();
            }
        }
    })
    .await;
}

/// An instance on which the records exist that the examples name.
async fn with_example(terraform: &Terraform, file: &str) -> (Simulator, Workspace) {
    let simulator = Simulator::start().await;
    let instance = simulator.instance();
    if file.starts_with("data-sources/") {
        let outbound = [
            ("name", "m365supportintegration_outbound"),
            ("type", "oauth_provider"),
            ("client_id", "a1"),
        ];
        let entity = instance.put("oauth_entity", &outbound);
        let profile = [
            ("name", "m365supportintegration_outbound default_profile"),
            ("oauth_entity", &entity),
            ("default", "true"),
        ];
        instance.put("oauth_entity_profile", &profile);
        let configuration = instance.put("oidc_provider_configuration", &[("name", "Contoso Azure")]);
        let inbound = [
            ("name", "contoso_application_inbound_api"),
            ("client_id", "a2"),
            ("oidc_provider_configuration", &configuration),
        ];
        instance.put("oauth_oidc_entity", &inbound);
    }
    let simulator = simulator.starting_here();
    let mut workspace = simulator.workspace(terraform, &read(&shipped("examples").join(file)));
    for variable in [
        "client_secret",
        "inbound_client_secret",
        "rest_user_client_secret",
        "acme_api_key",
    ] {
        workspace.set(&format!("TF_VAR_{variable}"), "a-secret-of-an-example");
    }
    (simulator, workspace)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// IDs in the pages that stand for those of a reader's own records.
const PLACEHOLDERS: [&str; 3] = [
    "0123456789abcdef0123456789abcdef",
    "contoso.service-now.com",
    "44444444-4444-4444-8444-444444444444",
];
