//! Choice columns: what the user calls a choice, and what the instance stores for it.

use std::sync::Arc;

use crate::clients::{Calls, Clients};
use crate::plugin::{Context, Diagnostic, Object};
use crate::records::diagnostics;
use crate::servicenow::{Choice, Choices, Column, Session, Table, TableError};
use crate::suggest;

/// The value to send for a choice that is given by its value or its label.
pub(crate) async fn to_wire(
    session: &Session,
    table: Table,
    column: Column,
    attribute: &str,
    given: &str,
) -> Result<String, Diagnostic> {
    let choices = choices(session, table, column).await?;
    if let Some(choice) = find(&choices.list, given) {
        return Ok(choice.value.clone());
    }
    if !choices.is_complete {
        // It may be a choice that the account cannot read; see `unread`.
        return Ok(likely_value(given));
    }
    let known: Vec<String> = choices
        .list
        .iter()
        .map(|choice| format!("{:?} (value {:?})", choice.label.to_lowercase(), choice.value))
        .collect();
    let labels: Vec<String> = choices.list.iter().map(|choice| choice.label.to_lowercase()).collect();
    let meant = suggest::did_you_mean(&given.to_lowercase(), labels.iter().map(String::as_str));
    let detail = format!(
        "{given:?} is not one of the choices that the instance has for {table}.{column}: {}. Use one of these.{meant}",
        known.join(", ")
    );
    Err(Diagnostic::error("Unknown choice", detail).at_attribute(attribute))
}

/// A warning where nobody knows whether the instance has the choice that is given, because the account cannot read all of
/// them: what is sent for it is a guess.
pub(crate) async fn unread(
    session: &Session,
    table: Table,
    column: Column,
    attribute: &str,
    given: &str,
) -> Result<Option<Diagnostic>, Diagnostic> {
    let choices = choices(session, table, column).await?;
    if choices.is_complete || find(&choices.list, given).is_some() {
        return Ok(None);
    }
    let sent = likely_value(given);
    let detail = format!(
        "{given:?} is not among the choices of {table}.{column} that the account can read, and it cannot read all of them, so \
         {sent:?} is sent. Check in the form afterwards what the record has. To have values checked and labels accepted, let the \
         account read sys_choice."
    );
    Ok(Some(
        Diagnostic::warning(format!("The choices of {table}.{column} could not be read"), detail)
            .at_attribute(attribute),
    ))
}

/// A column of which the documentation names values, and of which an instance may have more. Its attribute has its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenChoice {
    pub(crate) column: Column,
    pub(crate) documented: &'static [&'static str],
}

impl OpenChoice {
    /// A warning where a text is neither documented nor one of the instance's choices, as far as these can be read. The
    /// instance is asked for no text that is documented.
    pub(crate) async fn warning(
        self,
        cx: Option<&Context<Clients>>,
        table: Table,
        config: &Object,
    ) -> Option<Diagnostic> {
        let attribute = self.column.name();
        let given = config
            .text(attribute)
            .filter(|given| !given.is_empty() && !self.documented.contains(given))?;
        let known = match cx.and_then(|cx| cx.instance().ok()) {
            Some(session) => choices(&session, table, self.column).await.unwrap_or_default(),
            None => Arc::default(),
        };
        if known.list.iter().any(|choice| choice.value == given) {
            return None;
        }
        let (whose, values) = if known.is_complete && !known.list.is_empty() {
            let values = known.list.iter().map(|choice| choice.value.as_str()).collect();
            ("choices that the instance has", values)
        } else {
            ("values that are documented", self.documented.to_vec())
        };
        let meant = suggest::did_you_mean(given, values.iter().copied());
        let detail = format!(
            "{given:?} is not among the {whose} for this column: {}.{meant} The instance stores any text here but ignores \
             values that it does not know.",
            values.join(", ")
        );
        Some(Diagnostic::warning(format!("Unknown value of {attribute}"), detail).at_attribute(attribute))
    }
}

/// What an instance most likely stores for a choice: the values that are known of such columns are words in lower case.
fn likely_value(given: &str) -> String {
    given.trim().to_lowercase()
}

/// The state's value for a stored value: the configured one if it means the same, otherwise the label.
pub(crate) async fn from_wire(
    session: &Session,
    table: Table,
    column: Column,
    known: Option<&str>,
    value: &str,
) -> Result<String, Diagnostic> {
    if known == Some(value) {
        return Ok(value.to_owned());
    }
    let choices = choices(session, table, column).await?;
    if let Some(known) = known
        && find(&choices.list, known).is_some_and(|choice| choice.value == value)
    {
        return Ok(known.to_owned());
    }
    let stored = choices.list.iter().find(|choice| choice.value == value);
    Ok(stored.map_or_else(|| value.to_owned(), |choice| choice.label.to_lowercase()))
}

/// Whether two texts name the same choice, whatever the choices are.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

/// By value first: a label may look like another choice's value.
fn find<'a>(choices: &'a [Choice], given: &str) -> Option<&'a Choice> {
    let by_value = choices.iter().find(|choice| choice.value == given.trim());
    let by_label = || choices.iter().find(|choice| is_same(&choice.label, given));
    let by_loose_value = || choices.iter().find(|choice| is_same(&choice.value, given));
    by_value.or_else(by_label).or_else(by_loose_value)
}

/// The instance's choices; none where the account may not read them.
async fn choices(session: &Session, table: Table, column: Column) -> Result<Arc<Choices>, Diagnostic> {
    match session.choices(&[table], column).await {
        Ok(choices) => Ok(choices),
        Err(TableError::Refused { .. }) => Ok(Arc::default()),
        Err(error) => Err(diagnostics::of_table(
            &error,
            &format!("read the choices of {table}.{column}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_found_by_value_or_by_label() {
        let choice = |value: &str, label: &str| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
        };
        let choices = [
            choice("0", "Allow"),
            choice("1", "Deny"),
            choice("both", "Bidirectional"),
        ];

        for (given, expected) in [
            ("allow", Some("0")),
            ("Deny", Some("1")),
            (" DENY ", Some("1")),
            ("1", Some("1")),
            ("BOTH", Some("both")),
            ("bidirectional", Some("both")),
            ("permit", None),
        ] {
            let found = find(&choices, given).map(|choice| choice.value.as_str());
            assert_eq!(found, expected, "{given}");
        }
    }
}
