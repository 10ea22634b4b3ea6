//! Users, groups, roles, and who has what.

use crate::servicenow::tables::columns::columns;

/// `sys_user`. The form's "User ID" is `user_name`, which is unique. Proven (SDK, vendor's documentation).
/// Facts: `user-columns`, `user-passwords`, `identity-type-from-zurich`, `duplicates-are-refused`,
/// `names-of-references`.
pub mod sys_user {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_user", "user_admin");
    /// One-way. Needs [`crate::servicenow::InputMode::Display`], which changes how every other column is read too, so
    /// send it in a request of its own.
    pub const USER_PASSWORD: Column = Column::new("user_password", ColumnKind::Secret);

    columns! {
        USER_NAME = "user_name" Text unique;
        /// First or last name is needed by the form.
        FIRST_NAME = "first_name" Text;
        /// See [`FIRST_NAME`].
        LAST_NAME = "last_name" Text;
        /// Computed full name.
        NAME = "name" Text;
        /// Leave empty for a machine.
        EMAIL = "email" Email;
        TITLE = "title" Text;
        /// Empty means the system's default.
        TIME_ZONE = "time_zone" Text;
        /// Default true.
        ACTIVE = "active" Bool;
        /// Also logs the user out.
        LOCKED_OUT = "locked_out" Bool;
        /// When set, OAuth token requests of the user fail: send false.
        PASSWORD_NEEDS_RESET = "password_needs_reset" Bool;
        /// Closes the UI to the user.
        WEB_SERVICE_ACCESS_ONLY = "web_service_access_only" Bool;
        /// WS-Security bypass only.
        INTERNAL_INTEGRATION_USER = "internal_integration_user" Bool;
        /// `human`, `machine`, `ai_agent`, `unclassified`; moves [`WEB_SERVICE_ACCESS_ONLY`]. Zurich and newer.
        IDENTITY_TYPE = "identity_type" Text newer;
        /// Some integrations match on it: Event Management finds the user of a token by it.
        SOURCE = "source" Text;
        DEPARTMENT = "department" Reference;
        COMPANY = "company" Reference;
        LOCATION = "location" Reference;
        MANAGER = "manager" Reference;
    }

    /// Names of what the references mean.
    pub const NAME_OF_DEPARTMENT: Column = Column::new("department.name", ColumnKind::Text);
    /// See [`NAME_OF_DEPARTMENT`].
    pub const NAME_OF_COMPANY: Column = Column::new("company.name", ColumnKind::Text);
    /// See [`NAME_OF_DEPARTMENT`].
    pub const NAME_OF_LOCATION: Column = Column::new("location.name", ColumnKind::Text);
    /// See [`NAME_OF_DEPARTMENT`].
    pub const USER_NAME_OF_MANAGER: Column = Column::new("manager.user_name", ColumnKind::Text);
}

/// `cmn_department`: departments that users refer to. Proven (vendor's documentation).
/// Facts: `names-of-references`.
pub mod cmn_department {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("cmn_department", "user_admin");

    columns! {
        NAME = "name" Text;
    }
}

/// `core_company`: companies that users refer to. Proven (vendor's documentation).
/// Facts: `names-of-references`.
pub mod core_company {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("core_company", "user_admin");

    columns! {
        NAME = "name" Text;
    }
}

/// `cmn_location`: locations that users refer to. Proven (vendor's documentation).
/// Facts: `names-of-references`.
pub mod cmn_location {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("cmn_location", "user_admin");

    columns! {
        NAME = "name" Text;
    }
}

/// `sys_user_role`, application files. sys_ids differ between instances: find by name. No role can be renamed once it is
/// saved, and who deletes one deletes every reference to it. Proven (vendor's pages on creating a role; KB0682615).
/// Facts: `role-columns`, `role-names-are-fixed`, `role-suffix`, `roles-of-everybody`.
pub mod sys_user_role {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    /// Roles are created by administrators (vendor's documentation).
    pub const TABLE: Table = Table::new("sys_user_role", "user_admin, admin to create roles");

    /// Characters of a name. Likely.
    pub const LONGEST_NAME: usize = 100;

    /// Roles that the platform gives every user of an instance with explicit roles, by itself. Likely.
    pub const OF_EVERYBODY: &[&str] = &["snc_internal", "snc_external"];

    columns! {
        /// Name, such as `incident_manager`; in a scoped application `<scope>.<suffix>`.
        NAME = "name" Text;
        DESCRIPTION = "description" Text;
        /// Needs elevation in the session.
        ELEVATED_PRIVILEGE = "elevated_privilege" Bool;
        /// What follows the scope in the name of a role of a scoped application. That the platform puts the two together is
        /// likely (a peer sends the suffix alone).
        SUFFIX = "suffix" Text;
    }
}

/// `sys_user_role_contains`: the roles that a role contains, application files. Proven (SDK). Cycles are refused: likely.
/// Facts: `role-containment`, `contained-roles-are-inherited`.
pub mod sys_user_role_contains {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_user_role_contains", "admin");
    /// Name of the containing role.
    pub const NAME_OF_ROLE: Column = Column::new("role.name", ColumnKind::Text);

    columns! {
        ROLE = "role" Reference;
        /// The contained role.
        CONTAINS = "contains" Reference;
    }
}

/// `sys_user_has_role`: role grants. Inherited rows are derived by the platform and cannot be removed. Proven.
/// Facts: `grant-columns`, `contained-roles-are-inherited`, `inherited-rows-stay`, `role-grants-over-rest`,
/// `role-rows-per-pair`.
pub mod sys_user_has_role {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    /// Some instances want elevated `security_admin`, which only an interactive session has.
    pub const TABLE: Table = Table::new(
        "sys_user_has_role",
        "user_admin or admin, on some instances security_admin",
    );
    /// `state` of a grant that works.
    pub const STATE_ACTIVE: &str = "active";
    /// The user's user name, for lists.
    pub const USER_NAME_OF_USER: Column = Column::new("user.user_name", ColumnKind::Text);
    /// The role's name, for lists.
    pub const NAME_OF_ROLE: Column = Column::new("role.name", ColumnKind::Text);
    /// Whether the user may sign in.
    pub const ACTIVE_OF_USER: Column = Column::new("user.active", ColumnKind::Bool);
    /// Whether the user is locked out.
    pub const LOCKED_OUT_OF_USER: Column = Column::new("user.locked_out", ColumnKind::Bool);
    /// Whether the user is kept from the user interface.
    pub const WEB_SERVICE_ACCESS_ONLY_OF_USER: Column = Column::new("user.web_service_access_only", ColumnKind::Bool);

    columns! {
        USER = "user" Reference;
        ROLE = "role" Reference;
        /// [`STATE_ACTIVE`].
        STATE = "state" Text;
        /// True on rows that the platform derives.
        INHERITED = "inherited" Bool;
        /// The group that brings it (older role management).
        GRANTED_BY = "granted_by" Reference;
    }
}

/// `sys_user_group`. Its names are not unique. Proven (vendor's page on creating a group; a peer).
/// Facts: `group-columns`, `group-names-are-not-unique`, `script-writers-group`.
pub mod sys_user_group {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_user_group", "user_admin");

    /// A group that newer releases (Zurich on) put users into by themselves when they are given roles. Proven (PRB1966968).
    pub const SCRIPT_WRITERS: &str = "Conditional Script Writer";
    /// User name of the manager.
    pub const USER_NAME_OF_MANAGER: Column = Column::new("manager.user_name", ColumnKind::Text);
    /// Name of the parent.
    pub const NAME_OF_PARENT: Column = Column::new("parent.name", ColumnKind::Text);

    columns! {
        NAME = "name" Text;
        DESCRIPTION = "description" Text;
        EMAIL = "email" Email;
        MANAGER = "manager" Reference;
        /// A child inherits the roles of its parent; its members are none of the parent's.
        PARENT = "parent" Reference;
        /// Inactive groups grant nothing new, and are kept from the lists of everybody but administrators.
        ACTIVE = "active" Bool;
    }
}

/// `sys_user_grmember`: who is in which group. Groups with roles may be closed to `user_admin`. Proven.
/// Facts: `memberships`.
pub mod sys_user_grmember {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_user_grmember", "user_admin, admin for groups that carry roles");
    /// The user's user name.
    pub const USER_NAME_OF_USER: Column = Column::new("user.user_name", ColumnKind::Text);

    columns! {
        USER = "user" Reference;
        GROUP = "group" Reference;
    }
}

/// `sys_group_has_role`. Proven.
/// Facts: `group-roles`.
pub mod sys_group_has_role {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_group_has_role", "user_admin or admin");
    /// `inherits` of a row that gives the members the role.
    pub const INHERITED_BY_MEMBERS: &str = "true";
    /// Name of the group.
    pub const NAME_OF_GROUP: Column = Column::new("group.name", ColumnKind::Text);

    columns! {
        GROUP = "group" Reference;
        ROLE = "role" Reference;
        /// Members inherit it; the default.
        INHERITS = "inherits" Bool;
        /// The parent group that the role comes from. Likely.
        GRANTED_BY = "granted_by" Reference;
    }
}

/// `sys_user_preference`: among others the account's current application. Proven (SDK).
/// Facts: `current-application-preference`.
pub mod sys_user_preference {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_user_preference", "admin");
    /// Name of the preference that holds the current application's sys_id.
    pub const CURRENT_APPLICATION: &str = "apps.current_app";

    columns! {
        NAME = "name" Text;
        VALUE = "value" Text;
        /// Owner; empty for the system's default.
        USER = "user" Reference;
    }
}
