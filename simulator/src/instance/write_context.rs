//! What a write needs to know: the records, who writes, by which way, and what stops it.

use jiff::Timestamp;

use crate::instance::ids::stable_id;
use crate::instance::options::{Refusal, Switches};
use crate::instance::schema::Schema;
use crate::instance::store::{Record, Rows};

/// Whether a write comes from a person's form or from the Table API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Via {
    Form,
    Rest,
}

/// An operation that did not take, as the API says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) detail: String,
}

impl Refused {
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self {
            status: 403,
            detail: detail.into(),
        }
    }

    pub(super) fn by_rule(table: &str, rule: &str) -> Self {
        Self::forbidden(format!(
            "Operation against file '{table}' was aborted by Business Rule '{rule}^{}'. Business Rule Stack:{rule}",
            stable_id(rule)
        ))
    }

    pub(super) fn duplicate(table: &str, name: &str, refusal: Refusal) -> Self {
        Self {
            status: match refusal {
                Refusal::Forbidden => 403,
                Refusal::BadRequest => 400,
            },
            detail: format!("Insert Aborted : Error during insert of {table} ({name})"),
        }
    }
}

/// The records with everything that a write needs to know.
pub(super) struct Platform<'a> {
    pub(super) schema: &'a Schema,
    pub(super) rows: &'a mut Rows,
    pub(super) modes: &'a Switches,
    pub(super) base_url: &'a str,
    pub(super) via: Via,
    pub(super) user_name: &'a str,
    pub(super) user_id: &'a str,
    pub(super) now: Timestamp,
    /// Default profiles that are due later.
    pub(super) later: &'a mut Vec<(Timestamp, Record)>,
}

impl Platform<'_> {
    pub(super) fn stored(&self, class: &str, sys_id: &str) -> Record {
        self.rows
            .find(self.schema, class, sys_id)
            .map(|(_, record)| record.clone())
            .unwrap_or_default()
    }

    pub(super) fn duplicate(&self, table: &str, name: &str) -> Refused {
        Refused::duplicate(table, name, self.modes.duplicate)
    }
}
