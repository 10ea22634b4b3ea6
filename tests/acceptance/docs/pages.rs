//! What the pages show is true: every function and list gives what its page says, and every block of HCL in a page is a
//! whole configuration that is valid. The examples themselves are in `examples.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::modules_and_examples::{at_hand, azuread, copy, shipped, with_azuread};
use crate::harness::{Simulator, Terraform, Workspace, for_each_terraform};

/// Each function as its page shows it, and what the comment above an output says that it gives.
#[tokio::test]
async fn every_example_of_a_function_gives_what_it_says() {
    for_each_terraform(async |terraform| {
        for example in examples("functions") {
            let text = read(&example.join("function.tf"));
            let workspace = Workspace::new(terraform, &text);

            workspace.terraform("apply").await.succeeds();

            let outputs = workspace.terraform("output -json").await.succeeds().json();
            let outputs = outputs.as_object().unwrap();
            let promised: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# ")).collect();
            // A file is not repeated in a comment.
            let is_line = |output: &&Value| output["value"].as_str().is_none_or(|text| !text.contains('\n'));
            assert_eq!(promised.len(), outputs.values().filter(is_line).count(), "{text}");
            for promise in promised {
                assert!(
                    outputs.values().any(|output| output["value"] == promise),
                    "{promise} is none of {outputs:?}"
                );
            }
        }
    })
    .await;
}

/// Each list as its page shows it.
#[tokio::test]
async fn every_example_of_a_list_runs() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", "terraform query") {
            return;
        }
        for example in examples("list-resources") {
            let simulator = Simulator::start().await;
            let workspace = simulator.workspace(terraform, "");
            workspace.write("list.tfquery.hcl", &read(&example.join("list-resource.tfquery.hcl")));
            workspace.terraform("query").await.succeeds();
        }
    })
    .await;
}

/// Every block is formatted as `terraform fmt` would, and valid, with the modules and providers that it names.
#[tokio::test]
async fn every_block_of_a_page_is_formatted_and_valid() {
    let blocks: Vec<Block> = pages().iter().flat_map(|page| blocks(page)).collect();
    assert!(blocks.len() > 10, "blocks are found no more");
    let azuread = azuread("blocks of pages that use azuread");
    for_each_terraform(async |terraform| {
        let folder = Workspace::without_provider(terraform, "");
        for block in &blocks {
            folder.write(&format!("{}.tf", block.name()), &block.text);
        }
        folder.terraform("fmt -check -diff").await.succeeds();

        if terraform.has("1.14", "the newest syntax of the guides") {
            for block in &blocks {
                valid(terraform, block, azuread.as_deref()).await;
            }
        }
    })
    .await;
}

async fn valid(terraform: &Terraform, block: &Block, azuread: Option<&Path>) {
    if block.is_query() {
        let workspace = Workspace::new(terraform, "");
        workspace.write("found.tfquery.hcl", &block.text);
        workspace.terraform("validate -query").await.succeeds();
        return;
    }
    let text = STAND_INS.iter().fold(at_hand(&block.text), |text, (wanted, stand_in)| {
        text.replace(wanted, stand_in)
    });
    let mut workspace = if text.contains("required_providers") {
        Workspace::without_provider(terraform, &text)
    } else {
        Workspace::new(terraform, &text)
    };
    if block.needs_azuread() {
        let Some(azuread) = azuread else { return };
        let simulator = Simulator::start().await;
        with_azuread(&mut workspace, &simulator, azuread);
    }
    if text.contains("module \"") {
        copy(&workspace, &shipped("modules"), "modules");
        workspace.terraform("get").await.succeeds();
    }
    eprintln!("{} is checked", block.name());
    workspace.terraform("validate").await.succeeds();
}

/// HCL in a page.
struct Block {
    page: String,
    line: usize,
    text: String,
}

impl Block {
    fn name(&self) -> String {
        let page = self.page.replace(['/', '.'], "-");
        format!("{page}-line-{}", self.line)
    }

    /// Whether `terraform query` reads it, from a file of its own kind.
    fn is_query(&self) -> bool {
        self.text.starts_with("list \"")
    }

    fn needs_azuread(&self) -> bool {
        ["azuread", "entra-apps", "copilot-connector"]
            .iter()
            .any(|it| self.text.contains(it))
    }
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = read(page);
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut start = None;
    for (number, line) in lines.iter().enumerate() {
        match (start, line.trim()) {
            (None, "```terraform" | "```hcl") => start = Some(number + 1),
            // Terraform's own configuration, which is not its language.
            (Some(first), "```") if lines[first].starts_with("provider_installation") => start = None,
            (Some(first), "```") => {
                blocks.push(Block {
                    page: page.strip_prefix(root()).unwrap().display().to_string(),
                    line: first + 1,
                    text: lines[first..number].join("\n") + "\n",
                });
                start = None;
            }
            _ => {}
        }
    }
    blocks
}

/// Pages that are written by hand; the others show examples, which have tests of their own.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/guides"] {
        pages.extend(
            entries(&root().join(folder))
                .into_iter()
                .filter(|path| path.extension().is_some_and(|it| it == "md")),
        );
    }
    let modules = entries(&root().join("modules"))
        .into_iter()
        .map(|module| module.join("README.md"));
    pages.extend(modules.filter(|page| page.is_file()));
    pages.retain(|page| !page.ends_with("docs/index.md"));
    pages
}

/// The examples of one kind, a folder each.
fn examples(kind: &str) -> Vec<PathBuf> {
    let examples = entries(&root().join("examples").join(kind));
    assert!(!examples.is_empty(), "there are no examples of {kind}");
    examples
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a page rightly names and a test has not at hand, with what takes its place.
const STAND_INS: [(&str, &str); 4] = [
    // The provider `time`.
    ("resource \"time_rotating\"", "resource \"terraform_data\""),
    ("rotation_days = ", "input = "),
    ("time_rotating.", "terraform_data."),
    // Another provider, of which the block says no more than its address.
    ("tylerhatton/servicenow", "servicenow-m365/servicenow"),
];
