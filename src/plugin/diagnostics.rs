//! What a user reads: errors and warnings, each with its place in the configuration.

use std::collections::HashSet;
use std::error::Error;

use crate::plugin::path::Path;
use crate::plugin::proto::tfplugin6 as proto;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Severity {
    /// Terraform stops.
    Error,
    /// Terraform goes on and shows it.
    Warning,
}

/// One message: a summary of what failed, a detail with the cause and the remedy, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// What failed, in a few words.
    pub summary: String,
    /// Why, and what to do.
    pub detail: String,
    /// The attribute, or the whole object.
    pub path: Path,
    /// The detail of every further message of a run with the same summary and detail.
    pub repeated: Option<String>,
}

impl Diagnostic {
    /// An error without an attribute.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            path: Path::root(),
            repeated: None,
        }
    }

    /// A warning without an attribute.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// Shows the detail once per run: every further diagnostic with the same summary and detail says where it is instead.
    #[must_use]
    pub fn told_once(self) -> Self {
        self.told_once_and("")
    }

    /// The same, with one more sentence in the further diagnostics.
    #[must_use]
    pub fn told_once_and(mut self, sentence: &str) -> Self {
        self.repeated = Some(format!("{ELSEWHERE} {sentence}").trim_end().to_owned());
        self
    }

    /// The same message with this attribute path.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        self.path = path;
        self
    }

    /// The same message at an attribute, nested ones written with dots.
    #[must_use]
    pub fn at_attribute(self, attributes: &str) -> Self {
        self.at(Path::of(attributes))
    }
}

/// Messages in the order in which they arose.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all messages of another collection.
    pub fn append(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// Shortens errors that were shown before, and remembers those that are shown now. Such a warning is left out: Terraform
    /// shows one of several with the same summary, whichever comes first.
    pub(super) fn shorten(&mut self, told: &mut HashSet<(String, String)>) {
        self.0.retain_mut(|diagnostic| {
            let Some(repeated) = diagnostic.repeated.take() else {
                return true;
            };
            if told.insert((diagnostic.summary.clone(), diagnostic.detail.clone())) {
                return true;
            }
            diagnostic.detail = repeated;
            diagnostic.severity == Severity::Error
        });
    }

    /// The same messages, none of which stops anything.
    #[must_use]
    pub fn into_warnings(self) -> Self {
        let to_warning = |diagnostic| Diagnostic {
            severity: Severity::Warning,
            ..diagnostic
        };
        self.0.into_iter().map(to_warning).collect()
    }

    /// Adds text to the last error, if there is one.
    pub(super) fn add_to_last_error(&mut self, text: &str) {
        let is_error = |diagnostic: &&mut Diagnostic| diagnostic.severity == Severity::Error;
        if let Some(last) = self.0.iter_mut().rev().find(is_error) {
            last.detail.push_str(text);
        }
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// The wire form. Every text passes `mask`, so that no secret leaves in an error.
    pub fn to_proto(&self, mask: super::Mask) -> Vec<proto::Diagnostic> {
        let to_proto = |diagnostic: &Diagnostic| proto::Diagnostic {
            severity: match diagnostic.severity {
                Severity::Error => proto::diagnostic::Severity::Error,
                Severity::Warning => proto::diagnostic::Severity::Warning,
            }
            .into(),
            summary: mask(&diagnostic.summary).into_owned(),
            detail: mask(&diagnostic.detail).into_owned(),
            attribute: (diagnostic.path != Path::root()).then(|| diagnostic.path.to_proto()),
        };
        self.0.iter().map(to_proto).collect()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, more: T) {
        self.0.extend(more);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Diagnostics(diagnostics.into_iter().collect())
    }
}

/// An error's whole chain of causes, then the remedy.
pub fn explain(error: &dyn Error, remedy: &str) -> String {
    let mut text = sentence(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str("\nCause: ");
        text.push_str(&sentence(&cause.to_string()));
        source = cause.source();
    }
    if !remedy.is_empty() {
        text.push_str("\n\n");
        text.push_str(&sentence(remedy));
    }
    text
}

/// With a capital letter and a full stop. The name of an attribute, a table or a host stays as it is written.
pub(crate) fn sentence(text: &str) -> String {
    let first_word = text.split_whitespace().next().unwrap_or_default();
    let is_name = first_word
        .trim_end_matches([',', ':', ';'])
        .contains(|c: char| !c.is_alphabetic() && !"-'’".contains(c));
    let mut letters = text.chars();
    let mut sentence: String = match letters.next() {
        Some(first) if !is_name => first.to_uppercase().collect(),
        first => first.into_iter().collect(),
    };
    sentence.push_str(letters.as_str());
    // A quotation that ends in a full stop ends the sentence as well.
    let last = sentence.trim_end_matches('"');
    if !last.ends_with(['.', '!', '?', '`', ':']) {
        sentence.push('.');
    }
    sentence
}

/// In place of a detail that an earlier error of the run has in full.
const ELSEWHERE: &str = "Another error of this run with the same title has the cause and the remedy.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_capital_letter_unless_that_changes_a_name() {
        assert_eq!(sentence("signing in failed"), "Signing in failed.");
        assert_eq!(
            sentence("client_key_path: the file is missing"),
            "client_key_path: the file is missing."
        );
        assert_eq!(
            sentence("dev1.service-now.com gave no answer"),
            "dev1.service-now.com gave no answer."
        );
        assert_eq!(sentence("a, b"), "A, b.");
        assert_eq!(sentence(""), ".");
    }

    #[test]
    fn a_message_that_is_told_once_is_short_the_second_time() {
        let mut told = HashSet::new();
        let mut details = |detail: &str| {
            let mut diagnostics = Diagnostics::from_iter([
                Diagnostic::error("Could not sign in", detail).told_once(),
                Diagnostic::error("Could not sign in", detail),
            ]);
            diagnostics.shorten(&mut told);
            let details: Vec<String> = diagnostics.iter().map(|told| told.detail.clone()).collect();
            details
        };

        assert_eq!(details("wrong"), ["wrong", "wrong"]);
        assert_eq!(details("wrong"), [ELSEWHERE, "wrong"]);
        assert_eq!(details("expired"), ["expired", "expired"]);

        let mut warnings = Diagnostics::from_iter([
            Diagnostic::warning("Not checked", "why").told_once(),
            Diagnostic::warning("Not checked", "why").told_once(),
        ]);
        warnings.shorten(&mut HashSet::new());
        assert_eq!(warnings.iter().count(), 1);
    }
}
