//! The attributes of the resource by their names, and what all of its parts need.

use std::sync::Arc;

use crate::plugin::{Diagnostic, Object, Validator};
use crate::records::state_migration::ANY_RECORD;
use crate::records::{application_scope, diagnostics};
use crate::servicenow::{Dictionary, Session, Table};

pub(super) const TYPE: &str = ANY_RECORD;
pub(super) const TABLE: &str = "table";
pub(super) const FIELDS: &str = "fields";
pub(super) const FIELDS_WO: &str = "fields_wo";
pub(super) const FIELDS_WO_VERSION: &str = "fields_wo_version";
pub(super) const NATURAL_KEY: &str = "natural_key";
pub(super) const SCOPE: &str = application_scope::ATTRIBUTE;
pub(super) const SCOPE_ID: &str = application_scope::ID;
pub(super) const DELETION_POLICY: &str = "deletion_policy";
pub(super) const STRICT: &str = "strict";
pub(super) const DISPLAY_VALUE: &str = "display_value";
pub(super) const CLASS_NAME: &str = "class_name";
pub(super) const REFERENCE_IDS: &str = "reference_ids";
pub(super) const DEFAULT_FIELDS: &str = "default_fields";

pub(super) const DELETE: &str = "delete";
pub(super) const KEEP: &str = "keep";
pub(super) const DEACTIVATE: &str = "deactivate";
/// The column that a deactivation sets to false, by convention of the platform.
pub(super) const ACTIVE: &str = "active";

/// The table of a state or a configuration; none while it is not known.
pub(super) fn table_of(object: &Object) -> Option<Table> {
    object.text(TABLE).and_then(Table::named)
}

pub(super) fn require_table(object: &Object) -> Result<Table, Diagnostic> {
    table_of(object).ok_or_else(|| {
        let detail = "The name of the table cannot be used. It has lower-case letters, digits and underscores, such as \
                      sys_properties.";
        Diagnostic::error("Invalid table", detail).at_attribute(TABLE)
    })
}

pub(super) fn table_name() -> Validator {
    Validator::text("Lower-case letters, digits and underscores.", |text| {
        Table::named(text).map(drop).ok_or_else(|| {
            format!(
                "{text:?} is not the name of a table: use lower-case letters, digits and underscores, such as sys_properties. \
                 The name is in the address of the table's list and in sys_db_object, and is not the label."
            )
        })
    })
}

/// What the instance says of a table.
pub(super) async fn described(session: &Session, table: Table) -> Result<Arc<Dictionary>, Diagnostic> {
    let read = session.dictionary(table).await;
    read.map_err(|error| diagnostics::of_table(&error, &format!("read the columns of {table}")).at_attribute(TABLE))
}

/// What is said of a table in the words of an error: `record of sys_properties`.
pub(super) fn noun(table: Table) -> String {
    format!("record of {table}")
}

/// The state of a record of which nothing but its key is known: the next read fills it in.
pub(super) fn of_key(table: Table, id: &str) -> Object {
    Object::new()
        .with("id", id)
        .with(TABLE, table.name())
        .with(DELETION_POLICY, DELETE)
        .with(STRICT, true)
}
