//! What is taken for true of the clouds is written down as a fact, and what takes it for true refers to it.

use std::collections::BTreeSet;
use std::fs;

use project_facts::{all, ids_of_comment, references};

use super::{module, root};

/// Where a mode of the simulator or a release is declared, and what its declaration begins with.
const SWITCHES: [(&str, &str); 4] = [
    ("simulator/src/instance/options.rs", "pub struct Switches {"),
    ("simulator/src/instance/quirks.rs", "pub struct Quirks {"),
    ("simulator/src/instance/release.rs", "pub enum Release {"),
    ("simulator/src/microsoft/admin_center.rs", "pub struct Quirks {"),
];

#[test]
fn every_table_refers_to_facts() {
    let mut without = Vec::new();
    for file in module("src/servicenow/tables") {
        let text = fs::read_to_string(&file).unwrap();
        let tables = commented(&text, 0).filter(|(line, _)| line.starts_with("pub mod "));
        without.extend(tables.filter(|(_, comment)| ids_of_comment(comment).is_empty()));
    }
    assert!(without.is_empty(), "tables without a fact: {without:#?}");
}

#[test]
fn every_switch_of_the_simulator_and_every_release_refers_to_facts() {
    for (file, beginning) in SWITCHES {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let (_, body) = text.split_once(beginning).unwrap();
        let (body, _) = body.split_once("\n}").unwrap();
        let items: Vec<_> = commented(body, 4).collect();
        assert!(items.len() > 1, "{file}");
        let without: Vec<_> = items
            .iter()
            .filter(|(_, comment)| ids_of_comment(comment).is_empty())
            .collect();
        assert!(without.is_empty(), "{file}: without a fact: {without:#?}");
    }
}

#[test]
fn the_profile_of_the_support_api_refers_to_facts() {
    let text = fs::read_to_string(root().join("src/microsoft/support/support_api.json")).unwrap();
    let profile: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(!ids_of_comment(profile["$comment"].as_str().unwrap()).is_empty());
}

#[test]
fn references_and_facts_match() {
    let known: BTreeSet<String> = all().into_iter().map(|fact| fact.id).collect();
    let named: BTreeSet<String> = references(root()).unwrap().into_keys().collect();
    let invented: Vec<_> = named.difference(&known).collect();
    assert!(invented.is_empty(), "tools/facts/facts.json does not have {invented:?}");
    let idle: Vec<_> = known.difference(&named).collect();
    assert!(idle.is_empty(), "no file refers to {idle:?}");
}

/// The lines with this indentation that declare something, and the doc comment above each, as one text.
fn commented(text: &str, indentation: usize) -> impl Iterator<Item = (String, String)> {
    let mut comment = String::new();
    let lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
    lines.into_iter().filter_map(move |line| {
        let words = line.trim_start().to_owned();
        if line.len() - words.len() != indentation || words.is_empty() {
            return None;
        }
        if let Some(text) = words.strip_prefix("///") {
            comment.push_str(text);
            return None;
        }
        if words.starts_with("#[") {
            return None;
        }
        Some((words, std::mem::take(&mut comment)))
    })
}
