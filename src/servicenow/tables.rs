//! The tables this provider uses: every wire name of them is written here and nowhere else.
//!
//! Grades: *proven* is from documentation, an official package or a recorded answer; *likely* has one source or
//! indirect evidence; *unknown* is never relied upon. A column that an instance lacks is silently ignored on write and
//! left out on read, so a write is always compared with what was kept.
//!
//! `COLUMNS` of a table is what a resource usually reads: every column listed here that is not a secret.

mod columns; // How a table declares its columns.
mod oauth;
mod oidc;
mod platform;
mod users;

use crate::servicenow::table::Table;

pub use oauth::{
    oauth_entity, oauth_entity_auth_scope_mapping, oauth_entity_profile, oauth_entity_profile_scope,
    oauth_entity_scope, sys_api_access_policy, sys_auth_scope,
};
pub use oidc::{
    jwt_claim_validation, oauth_oidc_entity, oauth_protected_resource_idp_mapping, oidc_provider_configuration,
};
pub use platform::{
    incident, ip_access, sys_choice, sys_db_object, sys_dictionary, sys_dictionary_override, sys_metadata,
    sys_properties, sys_remote_update_set, sys_scope, sys_scope_privilege, sys_security_acl, sys_security_acl_role,
    sys_security_operation, sys_security_type, sys_store_app, sys_update_xml, v_plugin,
};
pub use users::{
    cmn_department, cmn_location, core_company, sys_group_has_role, sys_user, sys_user_grmember, sys_user_group,
    sys_user_has_role, sys_user_preference, sys_user_role, sys_user_role_contains,
};

/// Tables that have rows on every instance, because the platform itself needs them: that one of them shows none is no proof that
/// one was removed.
pub(super) const NEVER_EMPTY: &[Table] = &[
    sys_db_object::TABLE,
    sys_scope::TABLE,
    sys_security_acl::TABLE,
    sys_security_acl_role::TABLE,
    sys_user_role::TABLE,
    sys_user_group::TABLE,
    // The account itself is one of them.
    sys_user::TABLE,
    sys_user_has_role::TABLE,
];

/// Columns that every table has. Proven.
/// Facts: `insert-returns-the-record`, `date-times-are-utc`, `equal-values-leave-the-count`,
/// `scope-defaults-to-current-application`.
pub mod every {
    use crate::servicenow::table::{Column, ColumnKind};

    /// The record's key.
    pub const SYS_ID: Column = Column::new("sys_id", ColumnKind::Reference);
    /// Creation time, UTC.
    pub const SYS_CREATED_ON: Column = Column::new("sys_created_on", ColumnKind::DateTime);
    /// User name of the account that made the record.
    pub const SYS_CREATED_BY: Column = Column::new("sys_created_by", ColumnKind::Text);
    /// Time of the last change, UTC.
    pub const SYS_UPDATED_ON: Column = Column::new("sys_updated_on", ColumnKind::DateTime);
    /// User name of the account that made the last change.
    pub const SYS_UPDATED_BY: Column = Column::new("sys_updated_by", ColumnKind::Text);
    /// Number of changes; stays as it is when a write changed nothing.
    pub const SYS_MOD_COUNT: Column = Column::new("sys_mod_count", ColumnKind::Integer);
    /// On application files: the owning scope, a sys_id or `global`. Without it the account's current application.
    pub const SYS_SCOPE: Column = Column::new("sys_scope", ColumnKind::Reference);
    /// The record's own table when it was read through a parent.
    pub const SYS_CLASS_NAME: Column = Column::new("sys_class_name", ColumnKind::Text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::table::ColumnKind;

    #[test]
    fn what_a_resource_reads_holds_no_secret_and_nothing_twice() {
        for columns in [
            oauth_entity::COLUMNS,
            oauth_oidc_entity::COLUMNS,
            oidc_provider_configuration::COLUMNS,
            sys_user::COLUMNS,
            sys_user_has_role::COLUMNS,
        ] {
            let mut names: Vec<_> = columns.iter().map(|column| column.name()).collect();
            names.sort_unstable();
            names.dedup();

            assert_eq!(names.len(), columns.len());
            assert!(columns.iter().all(|column| column.kind() != ColumnKind::Secret));
        }
    }
}
