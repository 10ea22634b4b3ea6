//! What the provider and the simulator assume about ServiceNow and Microsoft: `facts.json`, and the files that refer to
//! its entries.
//!
//! A file refers to facts in a comment, up to the next full stop: ``Facts: `user-columns`, `duplicates-are-refused`.``
//! So which files rely on a fact is never written down twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// How sure a fact is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Documentation, an official package, or a record or response of a real instance says so.
    Proven,
    /// One source, or indirect evidence.
    Likely,
    /// No evidence, or sources that contradict each other. Nothing relies on it.
    Unknown,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Unknown => "unknown",
        })
    }
}

/// One assumption.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Short and stable, in kebab case.
    pub id: String,
    /// The topic, a heading of the page.
    pub about: String,
    pub grade: Grade,
    /// What is assumed, as a sentence.
    pub statement: String,
    /// An address, or `none: ` and why there is none.
    pub source: String,
    /// The probe of `make live` that checks it.
    #[serde(default)]
    pub probe: Option<String>,
    /// Why none does.
    #[serde(default)]
    pub no_probe: Option<String>,
    /// What the provider does where it does not hold. Without this, a refuted fact is a defect.
    #[serde(default)]
    pub tolerated: Option<String>,
}

/// The facts, in the order of the page.
///
/// # Panics
/// Never: a test parses the file.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "the file is part of the program, and a test parses it"
)]
pub fn all() -> Vec<Fact> {
    serde_json::from_str(include_str!("../facts.json")).expect("facts.json has the form of facts")
}

/// The folders whose comments refer to facts.
const SOURCES: [&str; 2] = ["src", "simulator/src"];

/// The files that refer to each fact, by its id, as paths below `root`.
///
/// # Errors
/// When a file cannot be read.
pub fn references(root: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in SOURCES {
        visit(root, &root.join(folder), &mut found)?;
    }
    Ok(found)
}

fn visit(root: &Path, folder: &Path, found: &mut BTreeMap<String, BTreeSet<String>>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry?.path();
        let is_source = path.extension().is_some_and(|it| it == "rs" || it == "json");
        if path.is_dir() {
            visit(root, &path, found)?;
        } else if is_source {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            for id in text.lines().enumerate().flat_map(|(at, line)| ids_at(&text, at, line)) {
                found.entry(id).or_default().insert(name.clone());
            }
        }
    }
    Ok(())
}

/// The ids of a reference that begins in a line.
fn ids_at(text: &str, at: usize, line: &str) -> Vec<String> {
    let Some((before, rest)) = line.split_once(MARK) else {
        return Vec::new();
    };
    let is_comment = before.trim_start().starts_with("//") || before.trim_start().starts_with("\"$comment\"");
    if !is_comment {
        return Vec::new();
    }
    let mut reference = rest.to_owned();
    for line in text.lines().skip(at + 1) {
        let line = line.trim_start();
        if reference.contains('.') || !line.starts_with("//") {
            break;
        }
        reference.push_str(line);
    }
    ids(&reference)
}

/// The ids in a comment, or nothing where it refers to no fact.
#[must_use]
pub fn ids_of_comment(comment: &str) -> Vec<String> {
    comment.split_once(MARK).map_or_else(Vec::new, |(_, rest)| ids(rest))
}

fn ids(reference: &str) -> Vec<String> {
    let list = reference.split('.').next().unwrap_or_default();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

const MARK: &str = "Facts: ";

/// The page `docs/facts.md`.
#[must_use]
pub fn page(facts: &[Fact], references: &BTreeMap<String, BTreeSet<String>>) -> String {
    let count = |grade| facts.iter().filter(|fact| fact.grade == grade).count();
    let probed = facts.iter().filter(|fact| fact.probe.is_some()).count();
    let mut page = format!(
        "{HEAD}{} facts: {} proven, {} likely, {} unknown. {probed} have a probe.\n",
        facts.len(),
        count(Grade::Proven),
        count(Grade::Likely),
        count(Grade::Unknown),
    );
    let mut topics: Vec<&str> = Vec::new();
    for fact in facts {
        if !topics.contains(&fact.about.as_str()) {
            topics.push(&fact.about);
        }
    }
    for topic in topics {
        let mut letters = topic.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        let _ = write!(page, "\n## {}{}\n", first.unwrap_or_default(), letters.as_str());
        for fact in facts.iter().filter(|fact| fact.about == topic) {
            page.push_str(&entry(fact, references.get(&fact.id)));
        }
    }
    page
}

fn entry(fact: &Fact, files: Option<&BTreeSet<String>>) -> String {
    let source = match fact.source.strip_prefix("none: ") {
        Some(why) => why.to_owned(),
        None => format!("<{}>", fact.source),
    };
    let probe = match (&fact.probe, &fact.no_probe) {
        (Some(probe), _) => format!("`{probe}`"),
        (None, Some(why)) => format!("none, it {}", sentence_of(why)),
        (None, None) => "none".to_owned(),
    };
    let files: Vec<String> = files.into_iter().flatten().map(|file| format!("`{file}`")).collect();
    let mut text = format!(
        "\n### `{}`\n\n{}\n\n- Grade: {}\n- Source: {source}\n- Probe: {probe}\n- Files: {}\n",
        fact.id,
        fact.statement,
        fact.grade,
        files.join(", ")
    );
    if let Some(tolerated) = &fact.tolerated {
        let _ = writeln!(text, "- If it does not hold: {tolerated}");
    }
    text
}

/// A reason as the rest of a sentence: most begin with a verb.
fn sentence_of(why: &str) -> String {
    let begins_with_verb = ["needs ", "would ", "depends "]
        .iter()
        .any(|verb| why.starts_with(verb));
    if begins_with_verb {
        why.to_owned()
    } else {
        format!("cannot be checked: {why}")
    }
}

const HEAD: &str = "\
# Facts

What the provider and the simulator assume about ServiceNow and Microsoft. Written from `tools/facts/facts.json` by
`make docs`; the list of files comes from the comments that refer to a fact.

- **proven**: documentation, an official package, or a record or response of a real instance says so.
- **likely**: one source, or indirect evidence.
- **unknown**: no evidence, or sources that contradict each other. Nothing relies on it.

`make live` runs the probes against an instance of yours: see
[Your own instance, first contact](guides/first-contact.md).

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fact_is_whole() {
        let facts = all();
        let mut ids: Vec<&str> = facts.iter().map(|fact| fact.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), facts.len(), "an id stands there twice");
        for fact in &facts {
            let Fact { id, .. } = fact;
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(
                id.chars().all(is_kebab) && id.len() <= 40,
                "{id} is no short id in kebab case"
            );
            assert!(fact.statement.ends_with('.'), "{id}: the statement is no sentence");
            let has_source = fact.source.starts_with("https://") || fact.source.starts_with("none: ");
            assert!(has_source, "{id}: the source is neither an address nor a reason");
            assert_ne!(
                fact.probe.is_some(),
                fact.no_probe.is_some(),
                "{id}: a probe or a reason"
            );
            let is_open = fact.grade == Grade::Unknown && fact.tolerated.is_some();
            assert!(
                !is_open,
                "{id}: nothing relies on what is unknown, so nothing is tolerated"
            );
        }
    }

    #[test]
    fn a_reference_ends_at_its_full_stop() {
        let text = "/// A table. Facts: `one`,\n/// `two`. Not `three`.\nlet x = \"Facts: `four`.\";\n";
        let found: Vec<String> = text
            .lines()
            .enumerate()
            .flat_map(|(at, line)| ids_at(text, at, line))
            .collect();
        assert_eq!(found, ["one", "two"]);
        assert_eq!(ids_of_comment("no reference to `it`"), [""; 0]);
    }
}
