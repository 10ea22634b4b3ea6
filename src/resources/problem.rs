//! The one place where an error becomes what a user reads: what failed, why, what to do, and where.

use std::error::Error;

use crate::{
    microsoft::SupportError,
    plugin::{Diagnostic, Diagnostics, Path},
    servicenow::{Mismatch, QueryError, TableError},
};

/// A table call that failed while doing something ("create the registry entry").
pub fn of_table(error: &TableError, doing: &str) -> Diagnostic {
    Diagnostic::error(format!("Could not {doing}"), explain(error, &error.remedy()))
}

/// A call of the admin center that failed while doing something. Its text says what to do.
pub fn of_support(error: &SupportError, doing: &str) -> Diagnostic {
    Diagnostic::error(format!("Could not {doing}"), explain(error, ""))
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

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String = letters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with(['.', '!', '?', '"', '`', ':']) {
        sentence.push('.');
    }
    sentence
}
