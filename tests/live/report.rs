//! What is written down, without anything private: no secret, host, name of an account, or `sys_id`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use project_facts::{Fact, Grade};
use regex_lite::{Captures, Regex};
use serde_json::{Value, json};

use crate::probes::Seen;
use crate::stories::{self, Told};

/// What a probe means for a fact.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Confirmed,
    /// It does not hold, and something relies on it.
    Refuted,
    /// It does not hold, and the provider copes with that.
    Tolerated,
    /// It was open, and this is what the instance does.
    Learned,
    /// Nothing decided it.
    Open,
}

impl Verdict {
    fn of(fact: &Fact, seen: &Seen) -> Self {
        match seen {
            Seen::Open(_) => Self::Open,
            _ if fact.grade == Grade::Unknown => Self::Learned,
            Seen::Holds(_) => Self::Confirmed,
            Seen::Differs(_) if fact.tolerated.is_some() => Self::Tolerated,
            Seen::Differs(_) => Self::Refuted,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Refuted => "REFUTED",
            Self::Tolerated => "differs, tolerated",
            Self::Learned => "learned",
            Self::Open => "open",
        }
    }
}

/// A fact that was looked at.
pub(crate) struct Checked {
    pub(crate) fact: Fact,
    pub(crate) verdict: Verdict,
    pub(crate) seen: String,
    pub(crate) files: BTreeSet<String>,
    seconds: f64,
}

impl Checked {
    pub(crate) fn new(fact: &Fact, seen: &Seen, files: BTreeSet<String>, seconds: f64) -> Self {
        let (Seen::Holds(text) | Seen::Differs(text) | Seen::Open(text)) = seen;
        Self {
            verdict: Verdict::of(fact, seen),
            fact: fact.clone(),
            seen: text.clone(),
            files,
            seconds,
        }
    }
}

/// A whole run.
pub(crate) struct Report {
    pub(crate) release: Option<String>,
    pub(crate) plugins: Vec<(String, String)>,
    pub(crate) facts: Vec<Checked>,
    pub(crate) stories: Vec<Told>,
    /// What could not be removed.
    pub(crate) left: Vec<String>,
    pub(crate) is_interrupted: bool,
    pub(crate) seconds: f64,
}

impl Report {
    pub(crate) fn refuted(&self) -> impl Iterator<Item = &Checked> {
        self.facts.iter().filter(|checked| checked.verdict == Verdict::Refuted)
    }

    pub(crate) fn failed(&self) -> impl Iterator<Item = &Told> {
        self.stories
            .iter()
            .filter(|told| matches!(told.verdict, stories::Verdict::Failed(_)))
    }

    pub(crate) fn is_passed(&self) -> bool {
        !self.is_interrupted
            && self.left.is_empty()
            && self.refuted().next().is_none()
            && self.failed().next().is_none()
    }

    /// Writes both forms.
    pub(crate) fn write(&self, folder: &Path, private: &Private) -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.md"), private.without(&self.page()))?;
        let mut json = self.json();
        private.strip(&mut json);
        let json = serde_json::to_string_pretty(&json).unwrap_or_default();
        fs::write(folder.join("report.json"), json + "\n")
    }

    fn page(&self) -> String {
        let mut page = format!(
            "# First contact: {}\n\n- Provider: {}\n- Release: {}\n- Time: {:.0} seconds\n",
            if self.is_passed() { "PASSED" } else { "FAILED" },
            env!("CARGO_PKG_VERSION"),
            self.release.as_deref().unwrap_or("not shown"),
            self.seconds
        );
        for (id, state) in &self.plugins {
            let _ = writeln!(page, "- Plugin `{id}`: {state}");
        }
        if self.is_interrupted {
            page.push_str("\nThe run was interrupted.\n");
        }
        for left in &self.left {
            let _ = writeln!(page, "\nNot removed: {left}");
        }
        page.push_str("\n## Stories\n\n| story | verdict | seconds |\n|---|---|---|\n");
        for told in &self.stories {
            let verdict = match &told.verdict {
                stories::Verdict::Passed => "passed".to_owned(),
                stories::Verdict::Failed(why) => format!("FAILED: {}", cell(why)),
                stories::Verdict::Skipped(why) => format!("skipped: {}", cell(why)),
            };
            let _ = writeln!(page, "| `{}` | {verdict} | {:.1} |", told.story, told.seconds);
        }
        for verdict in [
            Verdict::Refuted,
            Verdict::Tolerated,
            Verdict::Learned,
            Verdict::Confirmed,
            Verdict::Open,
        ] {
            let facts: Vec<_> = self.facts.iter().filter(|checked| checked.verdict == verdict).collect();
            if facts.is_empty() {
                continue;
            }
            let _ = write!(
                page,
                "\n## Facts: {} ({})\n\n| fact | grade | expected | seen |\n|---|---|---|---|\n",
                verdict.name(),
                facts.len()
            );
            for checked in facts {
                let Fact {
                    id, grade, statement, ..
                } = &checked.fact;
                let _ = writeln!(
                    page,
                    "| `{id}` | {grade} | {} | {} |",
                    cell(statement),
                    cell(&checked.seen)
                );
            }
        }
        for checked in self.refuted() {
            let files: Vec<String> = checked.files.iter().map(|file| format!("`{file}`")).collect();
            let _ = writeln!(page, "\n`{}` is relied on by {}.", checked.fact.id, files.join(", "));
        }
        page
    }

    fn json(&self) -> Value {
        let facts = self.facts.iter().map(|checked| {
            json!({
                "id": checked.fact.id, "grade": checked.fact.grade, "verdict": checked.verdict.name(),
                "expected": checked.fact.statement, "seen": checked.seen, "files": checked.files,
                "seconds": rounded(checked.seconds),
            })
        });
        let stories = self.stories.iter().map(|told| {
            let (verdict, why) = match &told.verdict {
                stories::Verdict::Passed => ("passed", ""),
                stories::Verdict::Failed(why) => ("failed", why.as_str()),
                stories::Verdict::Skipped(why) => ("skipped", why.as_str()),
            };
            json!({"story": told.story, "verdict": verdict, "why": why, "seconds": rounded(told.seconds)})
        });
        json!({
            "passed": self.is_passed(), "provider": env!("CARGO_PKG_VERSION"), "release": self.release,
            "plugins": self.plugins.iter().cloned().collect::<BTreeMap<_, _>>(),
            "stories": stories.collect::<Vec<_>>(), "facts": facts.collect::<Vec<_>>(),
            "interrupted": self.is_interrupted, "not_removed": self.left, "seconds": rounded(self.seconds),
        })
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}

/// What may not be written down.
pub(crate) struct Private {
    /// In the order in which they are replaced.
    patterns: Vec<(Regex, &'static str)>,
    /// The name of the tenant, as Entra words it.
    tenant: Regex,
    /// What a business rule is called, as the instance words it.
    rule: Regex,
    /// An address, with its host.
    url: Regex,
    /// Both also within a word: behind the operator of a query none begins.
    pub(crate) guid: Regex,
    pub(crate) sys_id: Regex,
}

impl Private {
    pub(crate) fn new(
        host: &str,
        account: &str,
        prefix: &str,
        secrets: impl Iterator<Item = String>,
        names: impl Iterator<Item = String>,
    ) -> Self {
        let pattern = |text: &str| Regex::new(&format!("(?i){text}")).unwrap();
        let literally = |text: &str| pattern(&regex_lite::escape(text));
        // The longer first: one can begin with another.
        let mut secrets: Vec<String> = secrets.collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mut patterns: Vec<_> = secrets.iter().map(|secret| (literally(secret), "<secret>")).collect();
        // Before the names that are parts of them.
        patterns.push((pattern("[^\\s@=^,;<>()\"']+@[a-z0-9-]+\\.[a-z0-9.-]+"), "<address>"));
        let names: BTreeSet<String> = names
            .chain([account.to_owned()])
            .filter(|name| name.len() > 2)
            .collect();
        for name in names.iter().rev().filter(|name| *name != "admin") {
            // A short name is also a part of words. What names the account then stands alone, or behind the operator of a query.
            let name = regex_lite::escape(name);
            if name.len() > SHORT {
                patterns.push((pattern(&name), "<account>"));
            } else {
                let operand = pattern(&format!("(IN|LIKE|WITH|_){name}\\b"));
                let word = pattern(&format!("\\b{name}(\\b|_)"));
                patterns.extend([(operand, "${1}<account>"), (word, "<account>${1}")]);
            }
        }
        patterns.push((literally(host), "<instance>"));
        let name_of_instance = host.split('.').next().unwrap_or_default();
        if name_of_instance.len() > 3 {
            patterns.push((literally(name_of_instance), "<instance>"));
        }
        patterns.push((literally(prefix), "<run>"));
        Self {
            patterns,
            tenant: pattern("(in the directory) '[^'|\n]*'"),
            rule: pattern("(business rule) (\"[^\"]*\"|'[^|\n]*)|(business rule stack:)[^|\n]*"),
            url: pattern("https?://([a-z0-9.-]+)[^\\s\"'<>)|]*"),
            guid: pattern("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
            sys_id: pattern("[0-9a-f]{32}"),
        }
    }

    /// A text without it.
    pub(crate) fn without(&self, text: &str) -> String {
        let text = self.without_names(text);
        let text = self.tenant.replace_all(&text, "${1} <tenant>");
        let text = self.rule.replace_all(&text, "${1}${3} <rule>");
        let text = self.without_hosts(&text);
        let text = self.guid.replace_all(&text, "<guid>");
        self.sys_id.replace_all(&text, "<sys_id>").into_owned()
    }

    /// Addresses go, unless everybody knows their host.
    fn without_hosts(&self, text: &str) -> String {
        let shown = self.url.replace_all(text, |found: &Captures<'_>| {
            let host = found[1].to_lowercase();
            let is_known = KNOWN
                .iter()
                .any(|known| host == **known || host.ends_with(&format!(".{known}")));
            if is_known {
                found[0].to_owned()
            } else {
                "<address>".to_owned()
            }
        });
        shown.into_owned()
    }

    /// Every text of a document without it: before it is written, where a backslash is two.
    fn strip(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.without(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.strip(value)),
            Value::Object(values) => values.values_mut().for_each(|value| self.strip(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without it, but with its ids.
    pub(crate) fn without_names(&self, text: &str) -> String {
        self.patterns
            .iter()
            .fold(text.to_owned(), |text, (pattern, placeholder)| {
                pattern.replace_all(&text, *placeholder).into_owned()
            })
    }
}

/// Domains of addresses that name nobody.
const KNOWN: [&str; 6] = [
    "microsoft.com",
    "microsoftonline.com",
    "github.com",
    // What the run itself writes.
    "login.example.com",
    "login.example",
    "api.example",
];

/// The length up to which a name is likely to be a part of other words.
const SHORT: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_instance_lose_hosts_rules_and_people() {
        let private = Private::new(
            "dev12345.service-now.com",
            "tess.terraform",
            "tfacc_0a1b2c",
            std::iter::once("a secret".to_owned()),
            std::iter::empty(),
        );
        for (text, written) in [
            (
                "dev12345.service-now.com responded: a redirect (status 302) to https://sso.contoso.test/login?user=ada",
                "<instance> responded: a redirect (status 302) to <address>",
            ),
            (
                "the business rule \"Owner ada of https://intern.contoso.test\" aborted it (aborted by Business Rule 'Ada's rule'. \
                 Business Rule Stack:Ada's rule,Other)",
                "the business rule <rule> aborted it (aborted by Business Rule <rule>",
            ),
            (
                "https://login.microsoftonline.com/contoso and https://login.microsoftonline.com.contoso.test/x",
                "https://login.microsoftonline.com/contoso and <address>",
            ),
            (
                "AADSTS700016: Application with identifier 'x' was not found in the directory 'Contoso Ltd'. Wait.",
                "AADSTS700016: Application with identifier 'x' was not found in the directory <tenant>. Wait.",
            ),
            ("tess.terraform made tfacc_0a1b2c_user", "<account> made <run>_user"),
        ] {
            assert_eq!(private.without(text), written);
        }
    }
}
