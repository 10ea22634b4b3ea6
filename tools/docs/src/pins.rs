//! Versions in configurations: what is copied from a page or an example has to work next year too, so every provider and
//! every module from elsewhere has one.

use std::path::Path;

use anyhow::Result;

use crate::blocks::hcl;
use crate::folder::{self, Written};

/// Sources and providers without a version, in pages and in the files that people copy.
pub(crate) fn problems(root: &Path, pages: &[Written]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for page in pages {
        for (line, text) in hcl(&page.text) {
            let found = providers(&text).into_iter().chain(modules(&text));
            problems.extend(found.map(|problem| format!("{}:{line}: the block {problem}", page.path)));
        }
    }
    for folder in ["examples", "modules"] {
        for path in folder::files(root, folder)?.iter().filter(|path| path.ends_with(".tf")) {
            let found = providers(&folder::read(root, path)?);
            problems.extend(found.into_iter().map(|problem| format!("{path} {problem}")));
        }
    }
    Ok(problems)
}

/// Entries of `required_providers` that have a source and no version.
fn providers(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for part in text.split("required_providers {").skip(1) {
        // An entry ends with the first bracket, the block with a second one.
        for entry in part.split('}').take_while(|entry| entry.contains('{')) {
            let name = entry.split('=').next().unwrap_or_default().trim();
            if entry.contains("source") && !entry.contains("version") {
                problems.push(format!("requires the provider {name} in any version"));
            }
        }
    }
    problems
}

/// Modules of ours on GitHub without a tag, and paths that lead nowhere once a block is copied.
fn modules(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let sources = text.lines().map(str::trim).filter(|line| line.starts_with("source "));
    for source in sources.filter_map(|line| line.split('"').nth(1)) {
        if source.contains("//modules/") && !source.contains("?ref=") {
            problems.push(format!("takes the module {source} without ?ref="));
        } else if source.starts_with('.') {
            problems.push(format!(
                "takes the module {source}, which no reader has beside the configuration"
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_needs_a_version() {
        let with = "  required_providers {\n    a = {\n      source  = \"x/a\"\n      version = \"~> 1.0\"\n    }\n";
        let without = "    b = {\n      source = \"x/b\"\n    }\n  }\n}\nresource \"c\" \"d\" {}\n";
        assert_eq!(providers(&format!("{with}  }}\n")), [""; 0]);
        let found = providers(&format!("{with}{without}"));
        assert_eq!(found, ["requires the provider b in any version"]);
    }

    #[test]
    fn a_module_needs_a_tag() {
        let source = |source: &str| modules(&format!("module \"m\" {{\n  source = \"{source}\"\n}}\n"));
        assert_eq!(source("github.com/o/r//modules/m?ref=v0.1.0"), [""; 0]);
        assert_eq!(source("app.terraform.io/o/m/p"), [""; 0]);
        assert!(source("github.com/o/r//modules/m")[0].contains("without ?ref="));
        assert!(source("../m")[0].contains("no reader has"));
    }
}
