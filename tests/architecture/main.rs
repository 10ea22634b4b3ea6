//! The boundaries that docs/architecture.md states, as far as a reader of the sources can see them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says where it ends"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// No file of `folder` mentions one of `words` outside comments and tests.
#[track_caller]
fn never(folder: &str, words: &[&str]) {
    let mut seen = Vec::new();
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    assert!(!files.is_empty(), "{folder} has no sources");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            seen.extend(
                words
                    .iter()
                    .filter(|word| line.contains(**word))
                    .map(|word| format!("{}:{}: {word}", file.display(), number + 1)),
            );
        }
    }
    assert!(seen.is_empty(), "{folder} should not know of:\n{}", seen.join("\n"));
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                found.extend(sources(&path));
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_framework_knows_nothing_of_what_is_managed() {
    let above = [
        "crate::servicenow",
        "crate::microsoft",
        "crate::resources",
        "crate::provider",
        "crate::http",
    ];
    never("src/plugin", &above);
    never("src/plugin", &["oauth_", "sys_id", "entra", "azure"]);
}

#[test]
fn the_wire_knows_nothing_of_what_is_sent() {
    never(
        "src/http",
        &[
            "crate::servicenow",
            "crate::microsoft",
            "crate::resources",
            "crate::provider",
            "crate::plugin",
        ],
    );
}

#[test]
fn clients_see_no_terraform_value() {
    let above = ["crate::plugin", "crate::resources", "crate::provider"];
    never("src/servicenow", &above);
    never("src/microsoft", &above);
    never("src/servicenow", &["crate::microsoft"]);
    never("src/microsoft", &["crate::servicenow"]);
}

#[test]
fn a_resource_builds_no_url_names_no_header_and_sees_no_protobuf() {
    never(
        "src/resources",
        &["/api/now", "reqwest", "proto::", "HeaderName", "sysparm_"],
    );
}

#[test]
fn the_simulator_shares_no_code_with_the_provider() {
    never("simulator/src", &["servicenow_provider"]);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("simulator/Cargo.toml")).unwrap();
    assert!(!manifest.contains("terraform-provider-servicenow"), "{manifest}");
}
