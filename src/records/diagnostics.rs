//! Where an error becomes what a user reads: what failed, why, what to do, and where. Those of the connection and of the
//! sign-in do so in `connection_diagnostics`.

use crate::connection_diagnostics;
use crate::microsoft::SupportError;
pub use crate::plugin::diagnostics::explain;
use crate::plugin::{Diagnostic, Diagnostics, Path};
use crate::servicenow::{Mismatch, QueryError, Refusal, TableError};

/// A table call that failed while doing something ("create the registry entry").
pub fn of_table(error: &TableError, doing: &str) -> Diagnostic {
    if let Some(diagnostic) = connection_diagnostics::of_table(error) {
        return diagnostic;
    }
    let detail = explain(error, &connection_diagnostics::remedy_of_table(error));
    let diagnostic = match error {
        TableError::Refused {
            reason: Refusal::Acl { .. },
            ..
        } => Diagnostic::error(format!("No right to {doing}"), detail),
        _ => Diagnostic::error(format!("Could not {doing}"), detail),
    };
    diagnostic.told_once()
}

/// A call of the admin center that failed while doing something.
pub fn of_support(error: &SupportError, doing: &str) -> Diagnostic {
    connection_diagnostics::of_support(error)
        .unwrap_or_else(|| Diagnostic::error(format!("Could not {doing}"), explain(error, &error.remedy())).told_once())
}

/// A value that cannot be looked up.
pub fn of_query(error: &QueryError, doing: &str) -> Diagnostic {
    Diagnostic::error(format!("Could not {doing}"), explain(error, &error.remedy()))
}

/// "a user", "an OIDC provider".
pub(crate) fn with_article(noun: &str) -> String {
    // A "u" at the beginning sounds like the one of "user" in all that is managed here.
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {noun}")
}

/// What the instance did not keep of a write, at the places that own the columns.
pub(crate) fn of_mismatches<'a>(
    mismatches: impl IntoIterator<Item = &'a Mismatch>,
    place_of: impl Fn(&str) -> Path,
) -> Diagnostics {
    let diagnostic = |mismatch: &Mismatch| {
        let place = place_of(mismatch.column.name());
        let column = mismatch.column.name();
        // It begins with the name of the column.
        let what = format!("{mismatch}.");
        match mismatch.kept {
            Some(_) => Diagnostic::error(
                format!("{column} was not kept"),
                format!(
                    "{what}\n\nThe record exists on the instance, but differs from the configuration. Remove the \
                         cause, then apply again."
                ),
            ),
            None => Diagnostic::warning(
                format!("The column {column} cannot be checked"),
                format!(
                    "{what}\n\nThe instance accepted the value. Let the account read the column to have it checked."
                ),
            ),
        }
        .at(place)
    };
    mismatches.into_iter().map(diagnostic).collect()
}

/// The same of what only a new record could change, and no apply corrects.
pub(crate) fn stored_differently(mismatch: &Mismatch, attribute: &str) -> Diagnostic {
    let detail = format!(
        "{mismatch}.\n\nOnly a new record could have another value, and the instance would store that one the same way. So the \
         next plan shows no change. Configure the value that the instance stores; or remove the cause, and replace the record \
         with `terraform apply -replace=ADDRESS`."
    );
    Diagnostic::warning(format!("{} was not kept", mismatch.column), detail).at_attribute(attribute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::SysId;
    use crate::servicenow::tables::sys_user;

    #[test]
    fn an_article_goes_with_its_noun() {
        let nouns = ["OIDC provider", "address rule", "user", "registry entry"];
        assert_eq!(
            nouns.map(with_article),
            ["an OIDC provider", "an address rule", "a user", "a registry entry"]
        );
    }

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
}
