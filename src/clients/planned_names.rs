//! The names that a plan gives: a record that is made in the same apply can be referred to before it is there.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::servicenow::Table;
use crate::sync::lock;

/// The texts of the records that were planned so far, by table. Terraform plans what an expression refers to first.
#[derive(Debug, Default)]
pub struct PlannedNames(Mutex<HashSet<(Table, String)>>);

impl PlannedNames {
    /// Notes the texts of a planned record: others may refer to it by any of them.
    pub(crate) fn note<'a>(&self, table: Table, texts: impl IntoIterator<Item = &'a str>) {
        let texts = texts.into_iter().map(|text| (table, folded(text)));
        lock(&self.0).extend(texts);
    }

    /// Whether a record of any table with this text was planned.
    pub(crate) fn has_anywhere(&self, name: &str) -> bool {
        let name = folded(name);
        lock(&self.0).iter().any(|(_, text)| *text == name)
    }

    /// Whether a record with this text was planned.
    pub(crate) fn has(&self, table: Table, name: &str) -> bool {
        lock(&self.0).contains(&(table, folded(name)))
    }
}

/// As the instance compares names.
fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
