//! What was sent, compared with what was kept.
//!
//! Facts: `texts-are-kept`, `texts-are-cut`, `ids-are-lower-case`.

use std::fmt;

use crate::servicenow::record::{Cell, Record, Row, Value, parse_date_time, parse_integer};
use crate::servicenow::table::{Column, ColumnKind};
use crate::servicenow::value_equality::means_the_same;
use crate::servicenow::write::InputMode;
use crate::text_equality::line_feeds;

/// A column that the instance did not keep as it was sent, although it reported success.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mismatch {
    pub column: Column,
    pub sent: String,
    /// What the record holds now; none when the column cannot be read.
    pub kept: Option<String>,
    /// Why, as far as the answer shows.
    pub cause: Cause,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch {
            column,
            sent,
            kept,
            cause,
        } = self;
        match kept {
            Some(kept) => write!(f, "{column}: sent \"{sent}\", kept \"{kept}\": {cause}"),
            None => write!(f, "{column}: sent \"{sent}\", cannot be read back: {cause}"),
        }
    }
}

/// The likely reason for a [`Mismatch`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The column is known to be missing from older releases.
    UnknownColumn,
    /// The account may not read the column, or the release has none of this name: it may well be set.
    NotVisible,
    /// The instance fills the column by itself.
    ReadOnly,
    /// Dropped in silence: the account may not write the column.
    FieldAcl,
    /// The value is none of the column's type.
    NotOfType,
    /// Cut at the length of the column.
    Truncated {
        /// How many characters were kept.
        kept: usize,
    },
    /// Set to something else by the instance.
    BusinessRule,
    /// The answer does not show which of the two it was.
    FieldAclOrBusinessRule,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cause::UnknownColumn => "this release of ServiceNow probably has no such column",
            Cause::NotVisible => "the account may not read the column (field ACL), or this release has no such column",
            Cause::Truncated { kept } => {
                return write!(
                    f,
                    "the column can store {kept} characters, and the instance cut off the rest"
                );
            }
            Cause::NotOfType => "it is not valid for the column's type",
            Cause::ReadOnly => "by the dictionary the instance fills the column by itself",
            Cause::FieldAcl => "a field ACL probably keeps the account from writing it",
            Cause::BusinessRule => "a business rule or a default of the instance probably replaced it",
            Cause::FieldAclOrBusinessRule => {
                "either a field ACL keeps the account from writing it, or a business rule replaced it"
            }
        })
    }
}

/// Which kind of write is compared: an insert leaves a dropped column empty, an update leaves the old value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    Insert,
    Update,
}

/// The columns that were not kept. Secrets are never compared, and what display-value input translates cannot be.
pub(super) fn mismatches(row: &Row, kept: &Record, input: InputMode, after: After) -> Vec<Mismatch> {
    row.cells()
        .iter()
        .filter_map(|(column, sent)| mismatch(*column, sent, kept, input, after))
        .collect()
}

fn mismatch(column: Column, sent: &Value, kept: &Record, input: InputMode, after: After) -> Option<Mismatch> {
    if matches!(sent, Value::Secret(_)) || !is_comparable(column.kind(), input) {
        return None;
    }
    let sent = sent.clone().into_wire();
    let held = match kept.text(column) {
        Cell::Hidden => {
            let cause = if column.is_newer() {
                Cause::UnknownColumn
            } else {
                Cause::NotVisible
            };
            return Some(Mismatch {
                column,
                sent,
                kept: None,
                cause,
            });
        }
        Cell::Empty => "",
        Cell::Value(text) => text,
    };
    if means_the_same(column.kind(), &sent, held) {
        return None;
    }
    let cause = match (after, held.is_empty()) {
        (_, _) if !is_of_type(column.kind(), &sent) => Cause::NotOfType,
        (_, false) if is_text(column.kind()) && is_cut(&sent, held) => Cause::Truncated {
            kept: held.chars().count(),
        },
        (After::Insert | After::Update, true) => Cause::FieldAcl,
        (After::Insert, false) => Cause::BusinessRule,
        (After::Update, false) => Cause::FieldAclOrBusinessRule,
    };
    Some(Mismatch {
        column,
        sent,
        kept: Some(held.to_owned()),
        cause,
    })
}

fn is_text(kind: ColumnKind) -> bool {
    matches!(
        kind,
        ColumnKind::Text | ColumnKind::Email | ColumnKind::Url | ColumnKind::IpAddress
    )
}

/// Whether the text can be a value of the kind; empty text empties any.
fn is_of_type(kind: ColumnKind, sent: &str) -> bool {
    let sent = sent.trim();
    sent.is_empty()
        || match kind {
            ColumnKind::Integer => parse_integer(sent).is_some(),
            ColumnKind::Decimal => sent.parse::<f64>().is_ok(),
            ColumnKind::DateTime => parse_date_time(sent).is_some(),
            ColumnKind::Text
            | ColumnKind::Email
            | ColumnKind::Url
            | ColumnKind::IpAddress
            | ColumnKind::Bool
            | ColumnKind::Reference
            | ColumnKind::Secret => true,
        }
}

/// Whether what is held is the beginning of what was sent.
fn is_cut(sent: &str, held: &str) -> bool {
    line_feeds(sent.trim()).starts_with(&line_feeds(held.trim()))
}

fn is_comparable(kind: ColumnKind, input: InputMode) -> bool {
    match (kind, input) {
        (ColumnKind::Secret, _) | (ColumnKind::Reference | ColumnKind::DateTime, InputMode::Display) => false,
        (
            ColumnKind::Text
            | ColumnKind::Email
            | ColumnKind::Url
            | ColumnKind::IpAddress
            | ColumnKind::Bool
            | ColumnKind::Integer
            | ColumnKind::Decimal
            | ColumnKind::Reference
            | ColumnKind::DateTime,
            _,
        ) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Secret;
    use crate::servicenow::tables::{every, oauth_entity, sys_user};

    #[test]
    fn a_difference_names_its_likely_cause() {
        let row = Row::new()
            .set(sys_user::TITLE, "Robot")
            .set(sys_user::EMAIL, "a@example.com")
            .set(sys_user::IDENTITY_TYPE, "machine")
            .set(sys_user::SOURCE, "x")
            .set(sys_user::USER_PASSWORD, Secret::from("marker".to_owned()));
        let kept = Record::for_tests(
            "6816f79cc0a8016401c5a33be04be441",
            &[("title", ""), ("email", "b@example.com"), ("user_password", "")],
        );

        let causes = |after| -> Vec<_> {
            mismatches(&row, &kept, InputMode::Stored, after)
                .into_iter()
                .map(|m| (m.column.name(), m.cause))
                .collect()
        };

        assert_eq!(
            causes(After::Insert),
            [
                ("title", Cause::FieldAcl),
                ("email", Cause::BusinessRule),
                ("identity_type", Cause::UnknownColumn),
                ("source", Cause::NotVisible)
            ]
        );
        assert_eq!(causes(After::Update)[1], ("email", Cause::FieldAclOrBusinessRule));
    }

    #[test]
    fn what_is_sent_as_a_display_value_is_compared_where_both_forms_are_the_same() {
        let row = Row::new()
            .set(sys_user::TITLE, "Robot")
            .set(sys_user::DEPARTMENT, "Sales")
            .set(every::SYS_CREATED_ON, "31.01.2026 23:59:59");
        let kept = Record::for_tests(
            "6816f79cc0a8016401c5a33be04be441",
            &[
                ("title", "Clerk"),
                ("department", "221db0edc611228401760aec06c9d929"),
                ("sys_created_on", "2026-01-31 22:59:59"),
            ],
        );
        let columns = |input| -> Vec<_> {
            let different = mismatches(&row, &kept, input, After::Update);
            different.into_iter().map(|it| it.column.name()).collect()
        };

        assert_eq!(columns(InputMode::Display), ["title"]);
        assert_eq!(columns(InputMode::Stored), ["title", "department", "sys_created_on"]);
    }

    #[test]
    fn a_text_that_was_cut_tells_how_much_the_column_takes() {
        for (sent, kept, cause) in [
            ("abcdef", "abc", Cause::Truncated { kept: 3 }),
            (" äbc\r\ndef\n", "äbc\nd", Cause::Truncated { kept: 5 }),
            ("abcdef", "bcd", Cause::BusinessRule),
            ("abcdef", "", Cause::FieldAcl),
        ] {
            let row = Row::new().set(sys_user::TITLE, sent);
            let record = Record::for_tests("6816f79cc0a8016401c5a33be04be441", &[("title", kept)]);
            let found = mismatches(&row, &record, InputMode::Stored, After::Insert);
            assert_eq!(found[0].cause, cause, "{sent:?} {kept:?}");
        }
    }

    #[test]
    fn a_number_that_begins_like_the_one_sent_was_not_cut() {
        let row = Row::new().set(oauth_entity::ACCESS_TOKEN_LIFESPAN, 300);
        let kept = Record::for_tests("6816f79cc0a8016401c5a33be04be441", &[("access_token_lifespan", "3")]);
        let found = mismatches(&row, &kept, InputMode::Stored, After::Insert);
        assert_eq!(found[0].cause, Cause::BusinessRule);
    }

    /// What no value of the column can be is no matter of rights, whether the instance kept nothing or something else.
    #[test]
    fn a_text_that_is_no_value_of_the_column_is_told_as_that() {
        let lifespan = Column::named("lifespan", ColumnKind::Decimal).unwrap();
        for (column, sent, kept, cause) in [
            (oauth_entity::ACCESS_TOKEN_LIFESPAN, "soon", "", Cause::NotOfType),
            (oauth_entity::ACCESS_TOKEN_LIFESPAN, "soon", "0", Cause::NotOfType),
            (oauth_entity::ACCESS_TOKEN_LIFESPAN, "60", "", Cause::FieldAcl),
            (lifespan, "1.5 hours", "0", Cause::NotOfType),
            (lifespan, "1.5", "0", Cause::BusinessRule),
            (every::SYS_CREATED_ON, "yesterday", "", Cause::NotOfType),
            (every::SYS_CREATED_ON, "2026-11-30 10:00:00", "", Cause::FieldAcl),
        ] {
            let row = Row::new().set(column, sent);
            let record = Record::for_tests("6816f79cc0a8016401c5a33be04be441", &[(column.name(), kept)]);
            let found = mismatches(&row, &record, InputMode::Stored, After::Insert);
            assert_eq!(found[0].cause, cause, "{column} {sent:?} {kept:?}");
        }
    }

    #[test]
    fn a_kept_row_has_no_difference() {
        let row = Row::new()
            .set(oauth_entity::ACTIVE, true)
            .set(oauth_entity::ACCESS_TOKEN_LIFESPAN, 60);
        let kept = Record::for_tests(
            "6816f79cc0a8016401c5a33be04be441",
            &[("active", "true"), ("access_token_lifespan", "60")],
        );
        assert_eq!(mismatches(&row, &kept, InputMode::Stored, After::Insert), []);
    }
}
