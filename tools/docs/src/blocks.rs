//! Blocks of code in pages. Each language has something that checks it; a block of another one is a problem.
//!
//! HCL is validated by `tests/acceptance/docs/pages.rs`, commands are looked up by [`crate::commands`], and
//! `docs/demo.md` is compared with a run by `scripts/demo-transcript.sh --check`.

use std::path::Path;

use anyhow::Result;

use crate::folder::{self, Written};

/// A block of code in a page.
struct Block<'a> {
    language: &'a str,
    /// Of the line after the fence, counted from 1.
    line: usize,
    lines: Vec<&'a str>,
    /// The line before the fence.
    before: &'a str,
}

/// Blocks that nothing checks, or that are wrong.
pub(crate) fn problems(root: &Path, pages: &[Written]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let variables = environment(root)?;
    for page in pages {
        let Some(blocks) = blocks(&page.text) else {
            problems.push(format!("{}: a block of code has no end", page.path));
            continue;
        };
        for block in blocks {
            let found = match block.language {
                "terraform" | "hcl" | "text" => Vec::new(),
                "console" | "shell" => commands(&block, &variables),
                "json" => match serde_json::from_str::<serde_json::Value>(&block.lines.join("\n")) {
                    Ok(_) => Vec::new(),
                    Err(error) => vec![format!("is not JSON: {error}")],
                },
                "mermaid" => diagram(&block.lines),
                "rust" => excerpt(root, &block),
                other => vec![format!(
                    "is of language '{other}', which nothing checks (tools/docs/src/blocks.rs)"
                )],
            };
            problems.extend(
                found
                    .into_iter()
                    .map(|problem| format!("{}:{}: the block {problem}", page.path, block.line)),
            );
        }
    }
    Ok(problems)
}

/// `None` where a fence is never closed.
fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut before = "";
    for (number, line) in text.lines().enumerate() {
        match (open.take(), line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.trim(),
                    line: number + 2,
                    lines: Vec::new(),
                    before,
                });
            }
            (Some(block), Some(_)) => blocks.push(block),
            (Some(mut block), None) => {
                block.lines.push(line);
                open = Some(block);
            }
            (None, None) => before = line,
        }
    }
    open.is_none().then_some(blocks)
}

/// The blocks of HCL in a page, each with the number of its first line.
pub(crate) fn hcl(page: &str) -> Vec<(usize, String)> {
    let blocks = blocks(page).unwrap_or_default().into_iter();
    blocks
        .filter(|block| ["terraform", "hcl"].contains(&block.language))
        .map(|block| (block.line, block.lines.join("\n")))
        .collect()
}

/// The sources in which a variable of the environment would have its name.
fn environment(root: &Path) -> Result<String> {
    let files = folder::files(root, "src")?;
    let texts: Result<Vec<String>> = files.iter().map(|path| folder::read(root, path)).collect();
    Ok(texts?.join("\n"))
}

fn commands(block: &Block<'_>, sources: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for line in &block.lines {
        let command = match block.language {
            // Indented in a list.
            "console" => line.trim_start().strip_prefix("$ ").unwrap_or_default(),
            _ => line,
        };
        let mut words = command.split_whitespace();
        match words.next() {
            Some("export") => {
                for name in words.filter_map(|word| word.split_once('=')).map(|(name, _)| name) {
                    let is_known = name.starts_with("TF_VAR_")
                        || OF_TERRAFORM.contains(&name)
                        || sources.contains(&format!("\"{name}\""));
                    if is_name(name) && !is_known {
                        problems.push(format!("sets {name}, which the provider does not read"));
                    }
                }
            }
            Some("terraform") => {
                let command = words.find(|word| !word.starts_with('-')).unwrap_or_default();
                if !TERRAFORM.contains(&command) {
                    problems.push(format!("runs terraform {command}, which there is not"));
                }
            }
            _ => {}
        }
    }
    problems
}

fn is_name(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// What Mermaid would not draw, as far as it can be seen without it.
fn diagram(lines: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    let first = lines.first().copied().unwrap_or_default();
    let kind = first.split(' ').next().unwrap_or_default();
    if !["flowchart", "sequenceDiagram"].contains(&kind) {
        problems.push(format!("begins with '{first}', not with flowchart or sequenceDiagram"));
    }
    let mut open = 0_usize;
    for line in lines.iter().skip(1).map(|line| line.trim()) {
        let plain = without_quoted(line);
        match line.split(' ').next().unwrap_or_default() {
            "subgraph" => open += 1,
            "end" if open == 0 => problems.push("has an end too many".to_owned()),
            "end" => open -= 1,
            _ => {}
        }
        let is_balanced = [('[', ']'), ('{', '}'), ('(', ')')]
            .iter()
            .all(|(left, right)| plain.matches(*left).count() == plain.matches(*right).count());
        let known = match kind {
            "sequenceDiagram" => {
                let is_message = plain.contains(">>") && plain.contains(':');
                is_message
                    || ["participant ", "Note ", "alt ", "else", "end", "loop "]
                        .iter()
                        .any(|it| line.starts_with(it))
            }
            _ => {
                line.starts_with("subgraph ")
                    || line == "end"
                    || ["--", "-.", "==", "["].iter().any(|it| plain.contains(it))
            }
        };
        if line.matches('"').count() % 2 == 1 || !is_balanced {
            problems.push(format!("has an open quote or bracket: {line}"));
        } else if plain.contains(';') {
            problems.push(format!("has a semicolon, which ends a statement: {line}"));
        } else if kind == "flowchart" && nested(&plain) {
            problems.push(format!("has brackets in a label; put it in quotes: {line}"));
        } else if !known && !line.is_empty() {
            problems.push(format!("has a line that is no statement: {line}"));
        }
    }
    if open > 0 {
        problems.push("has a subgraph without end".to_owned());
    }
    problems
}

fn without_quoted(line: &str) -> String {
    line.split('"').step_by(2).collect()
}

/// Whether a bracket opens within brackets.
fn nested(plain: &str) -> bool {
    let mut depth = 0_usize;
    plain.chars().any(|letter| {
        match letter {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 1
    })
}

/// Rust is quoted from a file that is compiled: `<!-- from: path -->` on the line before.
fn excerpt(root: &Path, block: &Block<'_>) -> Vec<String> {
    let path = block
        .before
        .strip_prefix("<!-- from: ")
        .and_then(|rest| rest.strip_suffix(" -->"));
    let Some(path) = path else {
        return vec!["is Rust without `<!-- from: path -->` on the line before".to_owned()];
    };
    match folder::read(root, path) {
        Ok(text) if text.contains(&block.lines.join("\n")) => Vec::new(),
        Ok(_) => vec![format!("is not in {path} any more: quote it again")],
        Err(error) => vec![format!("is from nowhere: {error:#}")],
    }
}

/// Variables that Terraform itself reads.
const OF_TERRAFORM: [&str; 2] = ["TF_CLOUD_ORGANIZATION", "TF_WORKSPACE"];

const TERRAFORM: [&str; 15] = [
    "apply",
    "console",
    "destroy",
    "fmt",
    "import",
    "init",
    "output",
    "plan",
    "providers",
    "query",
    "show",
    "state",
    "test",
    "untaint",
    "validate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let page = Written {
            path: "x.md".to_owned(),
            text: text.to_owned(),
        };
        let found = problems(&root, &[page]).unwrap();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (problem, words) in found.iter().zip(expected) {
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn a_block_must_end_and_be_of_a_language_that_is_checked() {
        check("```text\nx\n```\n", &[]);
        check("```text\nx\n", &["no end"]);
        check("```cobol\nx\n```\n", &["cobol"]);
        check("```\nx\n```\n", &["language ''"]);
    }

    #[test]
    fn json_must_parse() {
        check("```json\n{\"a\": 1}\n```\n", &[]);
        check("```json\n{a: 1}\n```\n", &["is not JSON"]);
    }

    #[test]
    fn variables_and_terraform_commands_must_exist() {
        check(
            "```console\n$ export SERVICENOW_PASSWORD=... TF_VAR_x=1\n$ terraform plan\n```\n",
            &[],
        );
        check(
            "```console\n$ export SERVICENOW_PASSWROD=...\n```\n",
            &["SERVICENOW_PASSWROD"],
        );
        check("```console\n$ terraform aply\n```\n", &["aply"]);
        check("1. x\n\n   ```console\n   $ terraform aply\n   ```\n", &["aply"]);
    }

    #[test]
    fn a_diagram_must_be_drawable() {
        check("```mermaid\nflowchart LR\n    A[x] -- \"a (b)\" --> B{y}\n```\n", &[]);
        check("```mermaid\nsequenceDiagram\n    A->>B: hello\n```\n", &[]);
        check("```mermaid\nflowchart LR\n    A[x (y)] --> B\n```\n", &["in quotes"]);
        check(
            "```mermaid\nflowchart LR\n    A[x --> B\n```\n",
            &["open quote or bracket"],
        );
        check("```mermaid\nsequenceDiagram\n    A->>B hello\n```\n", &["no statement"]);
        check("```mermaid\ngraf\n```\n", &["begins with"]);
    }

    #[test]
    fn rust_must_be_quoted_from_a_file() {
        check(
            "<!-- from: tools/docs/src/blocks.rs -->\n```rust\nstruct Block<'a> {\n```\n",
            &[],
        );
        check(
            "<!-- from: tools/docs/src/layout.rs -->\n```rust\nstruct Blocked {\n```\n",
            &["any more"],
        );
        check("```rust\nfn x() {}\n```\n", &["without"]);
    }
}
