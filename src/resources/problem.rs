//! The one place where an error becomes what a user reads: what failed, why, what to do, and where.

use std::error::Error;

use crate::{
    connection_diagnostics,
    microsoft::SupportError,
    plugin::{Diagnostic, Diagnostics, Path},
    servicenow::{Mismatch, QueryError, TableError},
};

/// A table call that failed while doing something ("create the registry entry").
pub fn of_table(error: &TableError, doing: &str) -> Diagnostic {
    if let Some(diagnostic) = connection_diagnostics::of_table(error) {
        return diagnostic;
    }
    Diagnostic::error(
        format!("Could not {doing}"),
        explain(error, &connection_diagnostics::remedy_of_table(error)),
    )
}

/// A call of the admin center that failed while doing something.
pub fn of_support(error: &SupportError, doing: &str) -> Diagnostic {
    connection_diagnostics::of_support(error)
        .unwrap_or_else(|| Diagnostic::error(format!("Could not {doing}"), explain(error, &error.remedy())))
}

/// A value that cannot be looked up.
pub fn of_query(error: &QueryError, doing: &str) -> Diagnostic {
    Diagnostic::error(format!("Could not {doing}"), explain(error, &error.remedy()))
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

/// What the instance did not keep of a write, at the attributes that own the columns.
pub(super) fn of_mismatches<'a>(
    mismatches: impl IntoIterator<Item = &'a Mismatch>,
    attribute_of: impl Fn(&str) -> Option<&'static str>,
) -> Diagnostics {
    let diagnostic = |mismatch: &Mismatch| {
        let place = attribute_of(mismatch.column.name()).map_or_else(Path::root, Path::of);
        let column = mismatch.column.name();
        let what = sentence(&mismatch.to_string());
        match mismatch.kept {
            Some(_) => Diagnostic::error(
                format!("The instance did not keep the column {column}"),
                format!("{what}\n\nThe record exists, but not all of it is as configured. Remove the cause, then apply again."),
            ),
            None => Diagnostic::warning(
                format!("The column {column} cannot be checked"),
                format!("{what}\n\nThe instance accepted the value. Let the account read the column to have it checked."),
            ),
        }
        .at(place)
    };
    mismatches.into_iter().map(diagnostic).collect()
}

/// With a capital letter and a full stop. The name of an attribute, a table or a host stays as it is written.
fn sentence(text: &str) -> String {
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
    if !sentence.ends_with(['.', '!', '?', '"', '`', ':']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::{SysId, tables::sys_user};

    #[test]
    fn a_duplicate_is_told_with_the_command_that_takes_it_over() {
        let sys_id = SysId::parse("6816f79cc0a8016401c5a33be04be441").unwrap();
        let error = TableError::Duplicate {
            table: sys_user::TABLE,
            key: "user_name \"x\"".to_owned(),
            existing: Some(sys_id),
        };
        let diagnostic = of_table(&error, "create the user");
        assert_eq!(diagnostic.summary, "Could not create the user");
        let command = "`terraform import <address> 6816f79cc0a8016401c5a33be04be441`";
        assert!(diagnostic.detail.contains(command), "{}", diagnostic.detail);
    }

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
}
