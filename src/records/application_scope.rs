//! The application that a record belongs to (`sys_scope`).
//!
//! Its default on the instance is the account's current application, whatever that happens to be: so it is always sent.

use crate::plugin::Attribute;
use crate::records::reference::Target;
use crate::servicenow::tables::sys_scope;

pub(crate) const ATTRIBUTE: &str = "application_scope";

/// The computed attribute with its `sys_id`.
pub(crate) const ID: &str = "application_scope_id";

/// Applications, by their scope.
pub(crate) const APPLICATION: Target = Target {
    table: sys_scope::TABLE,
    name: sys_scope::SCOPE,
    noun: "application",
    literal: Some(sys_scope::GLOBAL),
};

/// The attribute of every application file.
pub(crate) fn attribute() -> Attribute {
    Attribute::text(ATTRIBUTE).default(sys_scope::GLOBAL).replaces().describe(
        "Application that the record belongs to: `global`, the name of a scope such as `x_mioms_m365_assis`, or the \
         sys_id of an application. It is always sent, because the instance would otherwise use the account's current \
         application.",
    )
}
