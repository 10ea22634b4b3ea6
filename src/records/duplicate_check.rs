//! Whether the record of a create already exists: looked up before it is made, or after the instance refused to make it
//! where it keeps a second one out by itself.
//!
//! An interrupted create (the provider or Terraform was killed, the state was lost) leaves a record that is in no state.
//! Creating it again would duplicate it; taking it over silently might take somebody else's record. So the create fails
//! with what the user needs to decide: which record, who created it and when, and how to import it.

use crate::connection_diagnostics;
use crate::plugin::{Diagnostic, Object};
use crate::records::diagnostics;
use crate::records::field::{self, Field};
use crate::servicenow::tables::every;
use crate::servicenow::{
    Column, ColumnKind, KeyLock, Query, QueryError, Record, Row, Session, SysId, Table, TableError, Value,
};

/// What a record of a table is known by, where the instance does not keep a second one of it out, or does so with a bare
/// refusal.
#[derive(Clone, Copy)]
pub(crate) struct NaturalKey {
    /// The columns; one that is not sent does not count.
    pub(crate) columns: &'static [Column],
    /// The column that messages show to identify a record.
    pub(crate) label: Column,
    /// Why two of them are a problem, as a sentence.
    pub(crate) why: &'static str,
    /// What to do if the existing record is another's: `use another user_name`.
    pub(crate) otherwise: &'static str,
}

impl NaturalKey {
    /// Whether the instance itself refuses a second one: then it is looked for when the insert was refused, and not before.
    pub(crate) fn is_unique(&self) -> bool {
        self.columns.iter().any(Column::is_unique)
    }

    /// The records that have the key of this row.
    pub(crate) fn query(&self, row: &Row) -> Result<Query, QueryError> {
        let given = self
            .columns
            .iter()
            .filter_map(|column| Some((*column, row.value(*column)?)));
        given
            .map(|(column, value)| Query::equals(column, value.clone()))
            .reduce(|key, term| Ok(key?.and(term?)))
            .unwrap_or_else(|| Ok(Query::every_row()))
    }

    /// The key in words: `the user_name "robot"`.
    pub(crate) fn words(&self, fields: &[Field], planned: &Object) -> String {
        let part = |column: &Column| {
            let attribute = field::attribute_of(fields, column.name())?;
            Some(format!("{attribute} {:?}", planned.text(attribute)?))
        };
        let parts: Vec<String> = self.columns.iter().filter_map(part).collect();
        format!("the {}", parts.join(" and the "))
    }
}

/// The row with no blanks around the texts of a key, and numbers in their shortest form: an instance that removes these would
/// keep another key than the one that was looked for.
pub(crate) fn with_trimmed(columns: &[Column], row: Row) -> Row {
    columns.iter().fold(row, |row, column| match row.value(*column) {
        Some(Value::Text(text)) => {
            let trimmed = text.trim();
            let plain = match column.kind() {
                ColumnKind::Decimal => shortest(trimmed),
                _ => trimmed.to_owned(),
            };
            row.set(*column, plain)
        }
        Some(_) | None => row,
    })
}

/// A decimal number without sign and zeros that add nothing; any other text as it is.
fn shortest(number: &str) -> String {
    let (minus, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty()
        && [whole, fraction]
            .iter()
            .all(|part| part.bytes().all(|it| it.is_ascii_digit()));
    if !is_number {
        return number.to_owned();
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    match (whole, fraction) {
        ("", "") => "0".to_owned(),
        (whole, "") => format!("{minus}{whole}"),
        ("", fraction) => format!("{minus}0.{fraction}"),
        (whole, fraction) => format!("{minus}{whole}.{fraction}"),
    }
}

/// How a record of a key is looked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Look<'a> {
    /// The record that has the key itself.
    pub(crate) own: Option<&'a SysId>,
    /// Held by who would make a second one: tells what this process made of the key, which a search may not show yet.
    pub(crate) lock: Option<&'a KeyLock>,
    /// Whether an absence is checked again after a pause: a search can lag behind a write, and nothing on the instance keeps a
    /// second record out.
    pub(crate) recheck: bool,
}

impl Look<'_> {
    /// A record that has the key already.
    ///
    /// # Errors
    /// Where it is not known whether there is one.
    pub(crate) async fn find(
        self,
        session: &Session,
        (table, key): (Table, &Query),
        columns: &[Column],
    ) -> Result<Option<Record>, TableError> {
        if let Some(made) = self.find_made(session, columns).await? {
            return Ok(Some(made));
        }
        let others = key.clone().other_than(self.own);
        let others = others.map_err(TableError::of_query(table))?;
        let found = session.find_existing(table, &others, columns).await?;
        if found.is_some() || !self.recheck {
            return Ok(found);
        }
        let ((), shown) = tokio::join!(session.wait_before_recheck(), session.shows_its_files(table));
        shown?;
        session.find_existing(table, &others, columns).await
    }

    /// A record of the key that this process made.
    async fn find_made(self, session: &Session, columns: &[Column]) -> Result<Option<Record>, TableError> {
        let Some(lock) = self.lock else { return Ok(None) };
        let made = session.made_before(lock, columns).await?;
        Ok(made.filter(|made| Some(made.sys_id()) != self.own))
    }
}

/// The record that a create would make a second time.
pub(crate) struct Key<'a> {
    /// The resource's type.
    pub(crate) resource: &'static str,
    /// Where the record would be.
    pub(crate) table: Table,
    /// The noun for such a record in messages: `user`.
    pub(crate) noun: &'static str,
    pub(crate) natural: NaturalKey,
    pub(crate) query: &'a Query,
    /// The record that has the key itself.
    pub(crate) own: Option<&'a SysId>,
    /// The key in words: `the user_name "robot"`.
    pub(crate) words: String,
    /// Where the error is shown.
    pub(crate) attribute: &'static str,
}

impl Key<'_> {
    /// The diagnostic of an insert that was refused as a duplicate, where the other record cannot be shown.
    pub(crate) fn refused(&self, error: &TableError) -> Diagnostic {
        diagnostics::of_table(error, &format!("create the {}", self.noun)).at_attribute(self.attribute)
    }

    /// Waits for the right to look for a record of the key and make one.
    pub(crate) async fn lock(&self, session: &Session) -> Result<KeyLock, Diagnostic> {
        let lock = session.lock_key(self.table, self.query.clone()).await;
        lock.map_err(|error| self.unchecked(&error))
    }

    /// The record that has the key, as far as it must be looked for before an insert.
    pub(crate) async fn find_first(
        &self,
        session: &Session,
        columns: &[Column],
        lock: &KeyLock,
    ) -> Result<Option<Record>, Diagnostic> {
        let columns = self.columns(columns);
        let look = Look {
            lock: Some(lock),
            ..self.look()
        };
        let found = if self.natural.is_unique() {
            look.find_made(session, &columns).await
        } else {
            look.find(session, (self.table, self.query), &columns).await
        };
        found.map_err(|error| self.unchecked(&error))
    }

    fn look(&self) -> Look<'_> {
        Look {
            own: self.own,
            recheck: !self.natural.is_unique(),
            ..Look::default()
        }
    }

    /// These columns and those that tell whose a record is.
    fn columns(&self, columns: &[Column]) -> Vec<Column> {
        let whose = [
            self.natural.label,
            every::SYS_CREATED_BY,
            every::SYS_CREATED_ON,
            every::SYS_UPDATED_BY,
            every::SYS_UPDATED_ON,
        ];
        [columns, &whose, self.natural.columns].concat()
    }

    /// The record that has the key, with these columns and those that tell whose it is.
    pub(crate) async fn find(&self, session: &Session, columns: &[Column]) -> Result<Option<Record>, Diagnostic> {
        let found = self
            .look()
            .find(session, (self.table, self.query), &self.columns(columns))
            .await;
        found.map_err(|error| self.unchecked(&error))
    }

    /// It is not known whether there is such a record, so none is made.
    fn unchecked(&self, error: &TableError) -> Diagnostic {
        let checking = format!("check whether the {} already exists", self.noun);
        let of_any = connection_diagnostics::of_table(error);
        let diagnostic = of_any.unwrap_or_else(|| {
            let diagnostic = diagnostics::of_table(error, &checking);
            let detail = format!(
                "Nothing was created. It would have {}.\n\n{}",
                self.words, diagnostic.detail
            );
            Diagnostic { detail, ..diagnostic }
        });
        diagnostic.at_attribute(self.attribute)
    }

    /// The refusal, which names the record; with advice, if there is more to say than how to import it.
    pub(crate) fn exists(&self, record: &Record, advice: Option<&str>) -> Diagnostic {
        let Key { noun, words, .. } = self;
        let NaturalKey {
            label, why, otherwise, ..
        } = self.natural;
        let sys_id = record.sys_id().as_str();
        let name = record.text(label).value().unwrap_or("without a name");
        let made = made_by(record);
        let spelling = if self.query.is_exact(record) {
            ""
        } else {
            " Its key differs only in case or trailing blanks, which the instance ignores."
        };
        let detail = format!(
            "The instance already has {} with {words}: {name} ({sys_id}{made}).{spelling} {why}{}\n\n{}\n\nAn apply that was \
             interrupted before it saved its state can leave such a record. If it belongs to somebody else, {}.",
            diagnostics::with_article(noun),
            advice.map(|advice| format!("\n\n{advice}")).unwrap_or_default(),
            import_it(self.resource, sys_id),
            otherwise
        );
        Diagnostic::error(format!("The {noun} already exists"), detail).at_attribute(self.attribute)
    }
}

/// The refusal as a plan says it before a replacement, which deletes first.
pub(crate) fn before_replacement(refusal: Diagnostic) -> Diagnostic {
    let mut refusal = nothing_deleted(refusal);
    refusal
        .detail
        .push_str(" If the same plan deletes or renames the record in the way, apply that first.");
    refusal
}

/// What a create would be refused for, as a plan says it before a replacement, which deletes first.
pub(crate) fn nothing_deleted(mut refusal: Diagnostic) -> Diagnostic {
    refusal.detail.push_str(
        "\n\nThe plan replaces a record, which deletes it first, so this is refused before anything is deleted.",
    );
    refusal
}

/// Who made a record and when, as far as it tells: `, created by admin on 2026-01-31 23:59:59 UTC`.
pub(crate) fn made_by(record: &Record) -> String {
    let text = |column| record.text(column).value();
    match (text(every::SYS_CREATED_BY), text(every::SYS_CREATED_ON)) {
        (Some(by), Some(on)) => format!(", created by {by} on {on} UTC"),
        (Some(by), None) => format!(", created by {by}"),
        (None, Some(on)) => format!(", created on {on} UTC"),
        (None, None) => String::new(),
    }
}

/// What is said of a record that existed and is managed from now on: that of the account itself may be the end of an apply
/// that was interrupted.
pub(crate) fn taken_over(session: &Session, noun: &str, record: &Record) -> Diagnostic {
    let by = record.text(every::SYS_CREATED_BY).value();
    let on = record.text(every::SYS_CREATED_ON).value();
    let on = on.map_or_else(String::new, |on| format!(", on {on} UTC"));
    let (whose, interrupted) = match by {
        Some(by) if session.is_account(by) => (
            format!(" was created by {by}, the account of this provider{on},"),
            " If an interrupted apply created it, delete it in the form after the destroy.",
        ),
        Some(by) => (format!(" was created by {by}{},", on.trim_start_matches(',')), ""),
        None => (" existed already,".to_owned(), ""),
    };
    let detail = format!(
        "The record {}{whose} and is managed here from now on. Destroy restores its earlier values and does not delete it, \
         because instances create such records themselves.{interrupted}",
        record.sys_id()
    );
    Diagnostic::warning(format!("The {noun} already existed"), detail)
}

/// How to import an object that exists: the command, and the block to write.
pub(crate) fn import_it(resource: &str, id: &str) -> String {
    let in_hcl = format!("{id:?}").replace("${", "$${").replace("%{", "%%{");
    // OpenTofu takes the provider of a block from the type's name, Terraform from the resource.
    let block = if resource.starts_with("m365_") {
        format!("    provider = servicenow\n    to       = {resource}.<name>\n    id       = {in_hcl}")
    } else {
        format!("    to = {resource}.<name>\n    id = {in_hcl}")
    };
    format!(
        "To manage the existing one here, import it:\n\n  terraform import {resource}.<name> {}\n\nor with a block in the \
         configuration:\n\n  import {{\n{block}\n  }}",
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
    fn a_number_has_one_shortest_form() {
        for (number, short) in [
            ("12.50", "12.5"),
            ("+12.5", "12.5"),
            ("0012", "12"),
            ("-0.0", "0"),
            ("-00.10", "-0.1"),
            ("100", "100"),
            ("1e3", "1e3"),
            ("12,50", "12,50"),
            ("", ""),
        ] {
            assert_eq!(shortest(number), short, "{number}");
        }
    }

    #[test]
    fn an_id_is_written_so_that_shell_and_configuration_take_it() {
        let text = import_it("a_thing", "it's ${x}");

        assert!(
            text.contains(r"terraform import a_thing.<name> 'it'\''s ${x}'"),
            "{text}"
        );
        assert!(text.contains(r#"id = "it's $${x}""#), "{text}");
        assert!(!text.contains("provider ="), "{text}");
        assert!(import_it("m365_thing", "x").contains("provider = servicenow\n    to       = m365_thing.<name>\n"));
    }
}
