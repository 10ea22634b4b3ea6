//! Whether the record of a create is there already: looked up before it is made.
//!
//! A create whose end nobody saw (the provider or Terraform was killed, the state was lost) leaves a record that no state
//! knows. Made again there would be two of it, and taken over unasked it might be a stranger's. So the create is refused,
//! and says what the user needs to decide: which record, who made it and when, and how to import it.

use super::diagnostics;
use crate::{
    plugin::Diagnostic,
    servicenow::{Column, Query, Record, Session, Table, TableError, tables::every},
};

/// What a record is known by, where the instance does not keep a second one of it out, or does so with a bare refusal.
pub(crate) struct Key<'a> {
    /// The resource's type.
    pub(crate) resource: &'static str,
    /// Where the record would be.
    pub(crate) table: Table,
    /// What a person calls such a record: `user`.
    pub(crate) noun: &'static str,
    /// What a person tells such records apart by.
    pub(crate) label: Column,
    /// The key.
    pub(crate) query: &'a Query,
    /// The key in words: `the user_name "robot"`.
    pub(crate) words: String,
    /// What comes of two of them, as a sentence.
    pub(crate) why: &'static str,
    /// What to do if the existing record is another's: `use another user_name`.
    pub(crate) otherwise: &'static str,
    /// Where the error is shown.
    pub(crate) attribute: &'static str,
}

impl Key<'_> {
    /// Refuses a create whose record is there.
    pub(crate) async fn refuse_second(&self, session: &Session) -> Result<(), Diagnostic> {
        match self.find(session).await {
            Ok(None) => Ok(()),
            Ok(Some(record)) => Err(self.exists(&record)),
            Err(error) => Err(diagnostics::of_table(
                &error,
                &format!("look for a {} with {}", self.noun, self.words),
            )),
        }
    }

    /// Why an insert failed: perhaps because somebody was faster.
    pub(crate) async fn of_insert(&self, session: &Session, error: &TableError) -> Diagnostic {
        if matches!(error, TableError::Duplicate { .. })
            && let Ok(Some(record)) = self.find(session).await
        {
            return self.exists(&record);
        }
        diagnostics::of_table(error, &format!("create the {}", self.noun)).at_attribute(self.attribute)
    }

    async fn find(&self, session: &Session) -> Result<Option<Record>, TableError> {
        let columns = [self.label, every::SYS_CREATED_BY, every::SYS_CREATED_ON];
        session.find_present(self.table, self.query, &columns).await
    }

    fn exists(&self, record: &Record) -> Diagnostic {
        let Key { noun, words, why, .. } = self;
        let sys_id = record.sys_id().as_str();
        let label = record.text(self.label).value().unwrap_or("without a name");
        let by = record.text(every::SYS_CREATED_BY).value();
        let by = by.map_or_else(String::new, |by| format!(", made by {by}"));
        let on = record.text(every::SYS_CREATED_ON).value();
        let on = on.map_or_else(String::new, |on| format!(", on {on} UTC"));
        let detail = format!(
            "The instance has a {noun} with {words} already: {label} ({sys_id}{by}{on}). {why}\n\n{}\n\nAn apply that was cut \
             short before it could save its state leaves such a record. If it belongs to somebody else, {}.",
            import_it(self.resource, sys_id),
            self.otherwise
        );
        Diagnostic::error(format!("The {noun} exists already"), detail).at_attribute(self.attribute)
    }
}

/// How to import an object that exists: the command, and the block to write.
pub(crate) fn import_it(resource: &str, id: &str) -> String {
    let in_hcl = format!("{id:?}").replace("${", "$${").replace("%{", "%%{");
    format!(
        "To manage the existing one here, import it:\n\n  terraform import {resource}.<name> {}\n\nor with a block in the \
         configuration:\n\n  import {{\n    to = {resource}.<name>\n    id = {in_hcl}\n  }}",
        shell_word(id)
    )
}

/// An id as it is typed in a command.
fn shell_word(id: &str) -> String {
    let is_plain = id.chars().all(|c| c.is_ascii_alphanumeric() || "-._:/@".contains(c));
    if is_plain {
        id.to_owned()
    } else {
        format!("'{}'", id.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_so_that_shell_and_configuration_take_it() {
        let text = import_it("a_thing", "it's ${x}");

        assert!(
            text.contains(r"terraform import a_thing.<name> 'it'\''s ${x}'"),
            "{text}"
        );
        assert!(text.contains(r#"id = "it's $${x}""#), "{text}");
    }
}
