//! What the pages show is true: every example runs or is valid, and so is every block of the guides.
//!
//! A block of HCL in a page is taken for a whole configuration. One that is not says so on the line before:
//! `<!-- fragment: why -->`. It is then checked for its form alone, as is one that calls a module or another provider.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::{Simulator, Terraform, Workspace, for_each_terraform};

/// Each resource as its page shows it: applied, planned empty, destroyed. The person whom one example names exists.
#[tokio::test]
async fn every_example_of_a_resource_applies() {
    for_each_terraform(async |terraform| {
        for example in examples("resources") {
            let simulator = Simulator::start().await;
            let person = [("user_name", "abel.tuter"), ("last_name", "Tuter")];
            let person = simulator.instance().put("sys_user", &person);
            let mut workspace = simulator.workspace(terraform, &read(&example.join("resource.tf")));
            give_variables(&mut workspace, &example);

            workspace.terraform("apply").await.succeeds();

            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
            simulator.instance().remove("sys_user", &person);
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// Each way to import as the page shows it. Identities need Terraform 1.12.
#[tokio::test]
async fn every_example_of_an_import_is_valid() {
    for_each_terraform(async |terraform| {
        for example in examples("resources") {
            let mut ways = vec!["import-by-string-id.tf"];
            if terraform.has("1.12", "import by identity") {
                ways.push("import-by-identity.tf");
            }
            for way in ways {
                let workspace = Workspace::new(terraform, &read(&example.join("resource.tf")));
                workspace.write("import.tf", &read(&example.join(way)));
                workspace.terraform("validate").await.succeeds();
            }
        }
    })
    .await;
}

/// Data sources, ephemeral resources and actions as their pages show them.
#[tokio::test]
async fn every_other_example_is_valid() {
    for_each_terraform(async |terraform| {
        let kinds = [
            ("data-sources", "data-source.tf"),
            ("ephemeral-resources", "ephemeral-resource.tf"),
            ("actions", "action.tf"),
        ];
        for (kind, file) in kinds {
            if kind == "actions" && !terraform.has("1.14", "actions") {
                continue;
            }
            for example in examples(kind) {
                let workspace = Workspace::new(terraform, &read(&example.join(file)));
                workspace.terraform("validate").await.succeeds();
            }
        }
    })
    .await;
}

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
            assert_eq!(promised.len(), outputs.len(), "{text}");
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

/// Every block is formatted as `terraform fmt` would, and every whole configuration is valid.
#[tokio::test]
async fn every_block_of_a_page_is_formatted_and_valid() {
    let blocks: Vec<Block> = pages().iter().flat_map(|page| blocks(page)).collect();
    assert!(blocks.len() > 10, "blocks are found no more");
    for_each_terraform(async |terraform| {
        let folder = Workspace::without_provider(terraform, "");
        for block in &blocks {
            folder.write(&format!("{}.tf", block.name()), &block.text);
        }
        folder.terraform("fmt -check -diff").await.succeeds();

        if terraform.has("1.14", "the newest syntax of the guides") {
            for block in blocks.iter().filter(|block| block.is_whole()) {
                valid(terraform, block).await;
            }
        }
    })
    .await;
}

async fn valid(terraform: &Terraform, block: &Block) {
    let workspace = if block.text.contains("required_providers") {
        Workspace::without_provider(terraform, &block.text)
    } else {
        Workspace::new(terraform, &block.text)
    };
    let run = workspace.terraform("validate").await;
    eprintln!("{} is checked", block.name());
    run.succeeds();
}

/// HCL in a page.
struct Block {
    page: String,
    line: usize,
    text: String,
    is_fragment: bool,
}

impl Block {
    fn name(&self) -> String {
        let page = self.page.replace(['/', '.'], "-");
        format!("{page}-line-{}", self.line)
    }

    /// Whether it stands for itself, with this provider alone.
    fn is_whole(&self) -> bool {
        !self.is_fragment && !["module \"", "azuread"].iter().any(|it| self.text.contains(it))
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
                let before = lines[..first - 1].last().copied().unwrap_or_default();
                blocks.push(Block {
                    page: page.strip_prefix(root()).unwrap().display().to_string(),
                    line: first + 1,
                    text: lines[first..number].join("\n") + "\n",
                    is_fragment: before.starts_with("<!-- fragment"),
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

/// A value for every variable of an example.
fn give_variables(workspace: &mut Workspace, example: &Path) {
    let text = read(&example.join("resource.tf"));
    let names = text
        .split("variable \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    for name in names {
        workspace.set(&format!("TF_VAR_{name}"), "a-value-of-the-test");
    }
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
