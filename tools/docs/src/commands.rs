//! Commands and files that pages name: a page that tells the reader to run what is not there is worse than none.

use std::path::Path;

use anyhow::Result;

use crate::folder::{self, Written};

/// Pages that tell of the past, or of other projects.
const HISTORY: &[&str] = &["CHANGELOG.md", "docs/decisions/"];

/// Targets of make, scripts, test programs and source files that are named and do not exist.
pub(crate) fn problems(root: &Path, pages: &[Written]) -> Result<Vec<String>> {
    let targets = make_targets(&folder::read(root, "Makefile")?);
    let mut problems = Vec::new();
    for page in pages {
        if HISTORY.iter().any(|history| page.path.starts_with(history)) {
            continue;
        }
        for named in commands(&page.text) {
            let words: Vec<&str> = named.split_whitespace().collect();
            let problem = match words.as_slice() {
                ["make", target, ..] if is_word(target) && !targets.iter().any(|it| it == target) => {
                    format!("make has no target {target}")
                }
                [script, ..] if script.starts_with("scripts/") && !root.join(script).exists() => {
                    format!("there is no {script}")
                }
                ["cargo", "test", "--test", name, ..] if !is_test(root, name) => format!("there are no tests {name}"),
                [path] if is_source(path) && !is_file(root, path) => format!("there is no {path}"),
                _ => continue,
            };
            problems.push(format!("{}: `{named}`: {problem}", page.path));
        }
    }
    Ok(problems)
}

fn is_test(root: &Path, name: &str) -> bool {
    root.join(format!("tests/{name}.rs")).exists() || root.join(format!("tests/{name}/main.rs")).exists()
}

/// Whether it is the path of a folder or file of ours, with nothing left open.
fn is_source(text: &str) -> bool {
    let is_path = text.contains('/') && !text.contains(['<', '…', '*', ':', '{', '#']);
    let is_ours = [
        "src/",
        "simulator/",
        "tests/",
        "tools/",
        "scripts/",
        "examples/",
        "modules/",
        "benches/",
        "proto/",
    ]
    .iter()
    .any(|folder| text.starts_with(folder));
    is_path && (is_ours || text.ends_with(".rs"))
}

/// Paths of the provider's own sources may leave out `src/`.
fn is_file(root: &Path, path: &str) -> bool {
    root.join(path).exists() || root.join("src").join(path).exists()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// What stands in code: in blocks of a console or shell, and within lines. Each part of a chain counts.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = match block {
                Some(_) => None,
                None => Some(language.trim()),
            };
            continue;
        }
        let pieces: Vec<&str> = match block {
            Some("console") => line.trim_start().strip_prefix("$ ").into_iter().collect(),
            Some("sh" | "bash" | "shell") => vec![line],
            Some(_) => Vec::new(),
            None => line.split('`').skip(1).step_by(2).collect(),
        };
        for piece in pieces {
            let chain = piece.split("&&").flat_map(|part| part.split(';'));
            found.extend(chain.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()));
        }
    }
    found
}

/// The targets of a Makefile: those with a rule, and those in a list that a rule is made from.
fn make_targets(makefile: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for line in makefile.lines() {
        if let Some((name, _)) = line.split_once(':')
            && is_word(name)
        {
            targets.push(name.to_owned());
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_code_alone() {
        let text = "Then make it. `make demo && make lint`\n```console\n$ scripts/x.sh a\nanswer\n```\n```text\nmake no\n```\n";
        assert_eq!(commands(text), ["make demo", "make lint", "scripts/x.sh a"]);
    }

    #[test]
    fn a_file_that_is_named_must_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let found = |text: &str| {
            let page = Written {
                path: "x.md".to_owned(),
                text: text.to_owned(),
            };
            problems(&root, &[page]).unwrap().len()
        };
        assert_eq!(
            found("`src/main.rs`, `plugin/provider.rs`, `tests/<name>.rs`, `simulator/src/`"),
            0
        );
        assert_eq!(found("`src/mane.rs`"), 1);
    }

    #[test]
    fn targets_are_those_with_a_rule() {
        assert_eq!(
            make_targets("A := b\n.PHONY: x\nbuild: ## Build\n\t@x: y\ndocs: ## D\n"),
            ["build", "docs"]
        );
    }
}
