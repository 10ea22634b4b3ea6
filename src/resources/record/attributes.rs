//! The attributes of the resource by their names.

use crate::plugin::Object;
use crate::records::any_table::TABLE;
use crate::records::application_scope;
use crate::records::state_migration::ANY_RECORD;
use crate::servicenow::Table;
use crate::servicenow::tables::{sys_db_object, sys_dictionary};

pub(super) const TYPE: &str = ANY_RECORD;
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

/// Whether the platform drops data of others with a record of the table: a table with its records, a column with its values.
pub(super) fn drops_data(table: Table) -> bool {
    [sys_db_object::TABLE, sys_dictionary::TABLE].contains(&table)
}

/// What a destroy does unless the configuration says more.
pub(super) fn usual_policy(table: Table) -> &'static str {
    if drops_data(table) { KEEP } else { DELETE }
}

/// The state of a record of which nothing but its key is known: the next read fills it in.
pub(super) fn of_key(table: Table, id: &str) -> Object {
    Object::new()
        .with("id", id)
        .with(TABLE, table.name())
        .with(DELETION_POLICY, usual_policy(table))
        .with(STRICT, true)
}
