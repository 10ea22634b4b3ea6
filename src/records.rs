//! Between a Terraform object and a ServiceNow record: what resources, data sources and checks have in common.

pub(crate) mod any_table; // A table that the user names.
pub(crate) mod application_scope; // The application that a record belongs to.
pub(crate) mod child_rows; // Rows of another table that an attribute lists.
pub(crate) mod choice; // What the user calls a choice, and what the instance stores for it.
pub(crate) mod dependents; // Refuses a destroy of what others still use.
pub mod diagnostics; // The one place where an error becomes a diagnostic.
pub(crate) mod duplicate_check; // Refuses a create whose record exists.
pub(crate) mod field; // An attribute and its column.
pub(crate) mod import; // Finds what a user names.
pub(crate) mod inactive; // Inactive records, which an account may not see.
pub(crate) mod installed_application; // Looks an application up by its scope.
pub(crate) mod left_alone; // What is not configured stays, where there is no column.
pub(crate) mod list; // Lists records for `terraform query`.
pub(crate) mod lookup; // One record by one of several columns.
pub(crate) mod name_set; // Roles, groups and auth scopes that are listed by name.
pub(crate) mod outcome; // How a write ended.
pub(crate) mod record_resource; // What every resource that is a record has.
pub(crate) mod reference; // References that are written as a name or a sys_id.
pub(crate) mod required_roles; // What an account needs, for the reference pages.
pub(crate) mod state_migration; // States of other providers.
pub(crate) mod stored_differently; // What the instance stores differently, and a replacement could not change.
pub(crate) mod tenant; // The Microsoft 365 tenant that an object belongs to.
pub(crate) mod user_roles; // The roles that a user has.
pub(crate) mod write_only_secret; // When a secret is sent.
