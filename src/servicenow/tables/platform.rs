//! Tables of the platform itself: applications, access, properties, schema.

use crate::servicenow::tables::columns::columns;

/// `sys_db_object`: tables and who may reach them. Proven (SDK).
/// Facts: `table-access-columns`.
pub mod sys_db_object {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_db_object", "admin");

    columns! {
        /// Wire name of the table.
        NAME = "name" Text;
        LABEL = "label" Text;
        /// The table it extends.
        SUPER_CLASS = "super_class" Reference;
        /// "Accessible from": `public` or `package_private`.
        ACCESS = "access" Text;
        /// "Can read", from other scopes' scripts.
        READ_ACCESS = "read_access" Bool;
        /// Create from other scopes.
        CREATE_ACCESS = "create_access" Bool;
        /// Update from other scopes.
        UPDATE_ACCESS = "update_access" Bool;
        /// Delete from other scopes.
        DELETE_ACCESS = "delete_access" Bool;
        /// Access via web services, the only one of these that REST calls look at.
        WS_ACCESS = "ws_access" Bool;
        /// Empty, `1` tracking, `2` restriction.
        CALLER_ACCESS = "caller_access" Text;
        /// Owning application.
        SYS_SCOPE = "sys_scope" Reference;
    }
}

/// `sys_security_acl`: access rules. Proven (SDK). Nobody may write them without elevating to `security_admin`, which no
/// session of an API can (proven); whether an administrator may read them differs.
/// Facts: `access-rule-columns`, `access-rules-need-elevation`.
pub mod sys_security_acl {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    /// Every instance has rules, such as those for `*`.
    pub const TABLE: Table = Table::new("sys_security_acl", "security_admin");
    /// [`DECISION_TYPE`] of a rule that lets through; the other one, `deny`, must hold besides.
    pub const ALLOW: &str = "allow";
    /// [`DECISION_TYPE`] of a rule that must hold besides. Likely; older releases have no such rules.
    pub const DENY: &str = "deny";

    columns! {
        /// What it is about: `incident`, `incident.description`, `incident.*`, `*`, `*.*`.
        NAME = "name" Text;
        /// A record of `sys_security_operation`. Some of these have their name as key. Proven.
        OPERATION = "operation" Reference;
        /// A record of `sys_security_type`. Proven.
        TYPE = "type" Reference;
        ACTIVE = "active" Bool;
        /// [`ALLOW`] or [`DENY`].
        DECISION_TYPE = "decision_type" Text;
        /// Encoded query that a row must meet.
        CONDITION = "condition" Text;
        /// Whether the script counts.
        ADVANCED = "advanced" Bool;
        SCRIPT = "script" Text;
        /// Whether administrators pass in any case.
        ADMIN_OVERRIDES = "admin_overrides" Bool;
        DESCRIPTION = "description" Text;
    }
}

/// `sys_security_acl_role`: the roles that an access rule asks for, one of which is enough. Proven (SDK).
/// Facts: `access-rule-columns`.
pub mod sys_security_acl_role {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_security_acl_role", "security_admin");

    columns! {
        SYS_SECURITY_ACL = "sys_security_acl" Reference;
        SYS_USER_ROLE = "sys_user_role" Reference;
        /// Name of the role. Walked.
        ROLE_NAME = "sys_user_role.name" Text;
    }
}

/// `sys_security_operation`: what access rules are about. Proven.
/// Facts: `access-rule-operations`, `keys-of-access-rule-operations`.
pub mod sys_security_operation {
    use crate::servicenow::table::Table;

    pub const TABLE: Table = Table::new("sys_security_operation", "security_admin");
    /// Key and name of the operation that a GET is. Proven.
    pub const READ: &str = "read";
    /// Operations on records and their columns, from the SDK's list. Older releases lack some.
    pub const OF_RECORDS: &[&str] = &[
        READ,
        "write",
        "create",
        "delete",
        "query_range",
        "query_match",
        "conditional_table_query_range",
        "data_fabric",
        "report_view",
        "report_on",
        "list_edit",
        "add_to_list",
        "save_as_template",
        "personalize_choices",
        "edit_task_relations",
        "edit_ci_relations",
    ];

    /// The key of an operation where it is the same on every instance: proven for those that are their own key, likely for
    /// the two others (seen on instances that have nothing to do with each other).
    pub fn key_of(operation: &str) -> Option<&str> {
        match operation {
            READ | "write" | "create" | "delete" => Some(operation),
            "query_range" => Some("e66cf897b7300210240b06dd1e11a9fd"),
            "report_view" => Some("0997ab83733303005978e4b9cdf6a7b9"),
            _ => None,
        }
    }
}

/// `sys_security_type`: kinds of what access rules are about. Proven.
/// Facts: `access-rule-operations`.
pub mod sys_security_type {
    use crate::servicenow::table::Table;

    pub const TABLE: Table = Table::new("sys_security_type", "security_admin");
    /// Key and name of the type of rules about records. Proven.
    pub const RECORD: &str = "record";
}

/// `sys_metadata`: the table that every table of application files extends. Proven.
/// Facts: `application-files-have-a-common-table`, `update-set-file`.
pub mod sys_metadata {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_metadata", "admin");

    columns! {
        SYS_NAME = "sys_name" Text;
        /// Table and key of the record.
        SYS_UPDATE_NAME = "sys_update_name" Text;
    }
}

/// `sys_remote_update_set`: an update set that was imported, as its file has it. Proven (exports).
/// Facts: `update-set-file`.
pub mod sys_remote_update_set {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_remote_update_set", "admin");
    /// [`STATE`] of one that can be previewed.
    pub const LOADED: &str = "loaded";

    columns! {
        NAME = "name" Text;
        DESCRIPTION = "description" Text;
        APPLICATION = "application" Reference;
        APPLICATION_NAME = "application_name" Text;
        APPLICATION_SCOPE = "application_scope" Text;
        /// Key of the update set that it is a copy of.
        REMOTE_SYS_ID = "remote_sys_id" Text;
        STATE = "state" Text;
    }
}

/// `sys_update_xml`: a record in an update set, as its file has it. Proven (exports).
/// Facts: `update-set-file`.
pub mod sys_update_xml {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_update_xml", "admin");
    /// [`CATEGORY`] of what an instance's own administrators change.
    pub const CUSTOMER: &str = "customer";

    columns! {
        /// `INSERT_OR_UPDATE` or `DELETE`.
        ACTION = "action" Text;
        APPLICATION = "application" Reference;
        CATEGORY = "category" Text;
        /// Table and key of the record.
        NAME = "name" Text;
        /// The record, as XML.
        PAYLOAD = "payload" Text;
        REMOTE_UPDATE_SET = "remote_update_set" Reference;
        REPLACE_ON_UPGRADE = "replace_on_upgrade" Bool;
        TARGET_NAME = "target_name" Text;
        /// What lists call the kind of record.
        TYPE = "type" Text;
        UPDATE_DOMAIN = "update_domain" Text;
    }
}

/// `sys_scope_privilege`: what one application may do to another's objects. Proven.
/// Facts: `privilege-columns`, `privileges-belong-to-the-source`.
pub mod sys_scope_privilege {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_scope_privilege", "admin");

    columns! {
        /// The application that wants.
        SOURCE_SCOPE = "source_scope" Reference;
        /// The application that owns.
        TARGET_SCOPE = "target_scope" Reference;
        /// Name of the object, a table here.
        TARGET_NAME = "target_name" Text;
        /// `sys_db_object` for a table.
        TARGET_TYPE = "target_type" Text;
        /// `read`, …
        OPERATION = "operation" Text;
        /// `allowed`, …
        STATUS = "status" Text;
        /// Owning application.
        SYS_SCOPE = "sys_scope" Reference;
    }
}

/// `sys_scope`: applications. Proven (SDK).
/// Facts: `microsoft-application`, `explicit-scope-is-kept`.
pub mod sys_scope {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_scope", "admin");
    /// Scope of Microsoft's app.
    pub const MICROSOFT_APP: &str = "x_mioms_m365_assis";
    /// Roles that it brings: who opens cases, and who sees health incidents and solutions.
    pub const MICROSOFT_APP_ROLES: [&str; 2] = ["x_mioms_m365_assis.administrator", "x_mioms_m365_assis.insights_user"];
    /// What `sys_scope` holds on records of the global application.
    pub const GLOBAL: &str = "global";

    /// Whether a text means the global application, whose name the instance takes in any case.
    pub fn is_global(text: &str) -> bool {
        text.trim().eq_ignore_ascii_case(GLOBAL)
    }

    columns! {
        /// Namespace, such as [`MICROSOFT_APP`].
        SCOPE = "scope" Text;
        /// Label.
        NAME = "name" Text;
        VERSION = "version" Text;
        /// Installed and switched on.
        ACTIVE = "active" Bool;
        /// `sys_store_app`, `sys_app`, …
        SYS_CLASS_NAME = "sys_class_name" Text;
    }
}

/// `sys_store_app`: applications from the store. Likely.
/// Facts: `store-applications`.
pub mod sys_store_app {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_store_app", "admin");

    columns! {
        /// Namespace.
        SCOPE = "scope" Text;
        /// Label.
        NAME = "name" Text;
        /// Installed version.
        VERSION = "version" Text;
        /// Newest version in the store.
        LATEST_VERSION = "latest_version" Text;
        UPDATE_AVAILABLE = "update_available" Bool;
        ACTIVE = "active" Bool;
        VENDOR = "vendor" Text;
    }
}

/// `ip_access`: address rules. Column names proven; the wire values of `type` and `direction` are unknown, resolve them
/// with [`super::sys_choice`]. Addresses are IPv4, start and end.
/// Facts: `address-rule-columns`, `address-rule-types`, `address-rule-directions`, `address-rules-take-ipv6`,
/// `address-rules-refuse-callers`.
pub mod ip_access {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("ip_access", "admin").comes_with("plugin com.snc.ipauthenticator");

    columns! {
        /// Allow or deny, wire value unknown.
        TYPE = "type" Text;
        /// Inbound, outbound or both, wire value unknown.
        DIRECTION = "direction" Text;
        RANGE_START = "range_start" IpAddress;
        RANGE_END = "range_end" IpAddress;
        /// Default unknown.
        ACTIVE = "active" Bool;
        DESCRIPTION = "description" Text;
    }
}

/// `sys_choice`: values and labels of choice columns. A child table inherits its parent's. Rows may be filtered for
/// non-administrators: advice only. Proven.
/// Facts: `choices-can-be-read`.
pub mod sys_choice {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_choice", "personalize_choices or admin");

    columns! {
        /// Wire name of the table.
        NAME = "name" Text;
        /// Wire name of the column.
        ELEMENT = "element" Text;
        /// Wire value.
        VALUE = "value" Text;
        LABEL = "label" Text;
        /// Two letters.
        LANGUAGE = "language" Text;
        SEQUENCE = "sequence" Integer;
        /// Not offered any more.
        INACTIVE = "inactive" Bool;
    }
}

/// `sys_dictionary`: columns of tables. Rows may be filtered for non-administrators: advice only. Proven.
/// Facts: `dictionary-can-be-read`, `mandatory-is-not-enforced`, `references-by-name`.
pub mod sys_dictionary {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_dictionary", "personalize_dictionary or admin");

    columns! {
        /// Wire name of the table.
        NAME = "name" Text;
        /// Wire name of the column; empty on the row of the table itself.
        ELEMENT = "element" Text;
        COLUMN_LABEL = "column_label" Text;
        INTERNAL_TYPE = "internal_type" Text;
        /// Not enforced on REST inserts.
        MANDATORY = "mandatory" Bool;
        READ_ONLY = "read_only" Bool;
        /// Calculated from other columns at each read.
        VIRTUAL = "virtual" Bool;
        UNIQUE = "unique" Bool;
        /// Whether the column stands for the record where others refer to it.
        DISPLAY = "display" Bool;
        DEFAULT_VALUE = "default_value" Text;
        /// The table that a reference points to.
        REFERENCE = "reference" Text;
        /// The column whose values a reference holds; empty for the usual `sys_id`. Likely.
        REFERENCE_KEY = "reference_key" Text;
        /// A column that is switched off is none. Likely.
        ACTIVE = "active" Bool;
        /// Characters.
        MAX_LENGTH = "max_length" Integer;
        /// `1` and `3` offer the choices alone, `2` suggests them, anything else has none.
        CHOICE = "choice" Text;
        /// The table and the column that have the choices, where these are not the column's own.
        CHOICE_TABLE = "choice_table" Text;
        CHOICE_FIELD = "choice_field" Text;
    }

    /// `internal_type` of columns with `true` and `false`.
    pub const BOOLEANS: &[&str] = &["boolean"];
    /// Of whole numbers.
    pub const INTEGERS: &[&str] = &["integer", "long", "longint", "auto_increment", "order_index"];
    /// Of whole numbers of 32 bits.
    pub const SMALL_INTEGERS: &[&str] = &["integer", "order_index"];
    /// Of other numbers, without a currency.
    pub const DECIMALS: &[&str] = &["decimal", "float", "percent_complete"];
    /// Of times in UTC.
    pub const DATE_TIMES: &[&str] = &["glide_date_time", "due_date"];
    /// Of days.
    pub const DATES: &[&str] = &["glide_date"];
    /// Columns of this table that hold the name of a record, whatever the dictionary shows of them.
    pub const BY_NAME: &[Column] = &[INTERNAL_TYPE, REFERENCE];
    /// Of keys of other records.
    pub const REFERENCES: &[&str] = &["reference", "domain_id"];
    /// Of addresses.
    pub const URLS: &[&str] = &["url"];
    /// Of e-mail addresses.
    pub const EMAILS: &[&str] = &["email"];
    /// Of texts whose length the column limits.
    pub const TEXTS: &[&str] = &["string", "translated_text", "translated_field", "url", "email", "GUID"];
    /// Of secrets that cannot be read back and are sent through display-value input.
    pub const ONE_WAY_SECRETS: &[&str] = &["password"];
    /// Of secrets that scripts of the instance can read.
    pub const TWO_WAY_SECRETS: &[&str] = &["password2", "glide_encrypted", "key_value_encrypted"];
}

/// `sys_dictionary_override`: what a table changes of the columns that it inherits. Likely.
/// Facts: `dictionary-overrides`.
pub mod sys_dictionary_override {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_dictionary_override", "personalize_dictionary or admin");

    columns! {
        /// The table that changes the column.
        NAME = "name" Text;
        ELEMENT = "element" Text;
        /// Whether [`MANDATORY`] counts.
        MANDATORY_OVERRIDE = "mandatory_override" Bool;
        MANDATORY = "mandatory" Bool;
        /// Whether [`READ_ONLY`] counts.
        READ_ONLY_OVERRIDE = "read_only_override" Bool;
        READ_ONLY = "read_only" Bool;
        /// Whether [`DEFAULT_VALUE`] counts.
        DEFAULT_VALUE_OVERRIDE = "default_value_override" Bool;
        DEFAULT_VALUE = "default_value" Text;
    }
}

/// `v_plugin`: plugins and whether they are active. Likely (`sys_plugins` is closed even to some administrators).
/// Facts: `plugins-can-be-read`.
pub mod v_plugin {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("v_plugin", "admin");
    /// OAuth 2.0.
    pub const OAUTH: &str = "com.snc.platform.security.oauth";

    columns! {
        /// Plugin id, such as `com.snc.platform.security.oauth`.
        ID = "id" Text;
        /// Label.
        NAME = "name" Text;
        /// `active`, or true.
        ACTIVE = "active" Text;
        VERSION = "version" Text;
        STATE = "state" Text;
    }
}

/// `sys_properties`. Some are guarded by business rules and answer 403. Proven.
/// Facts: `release-in-properties`, `oauth-property`, `client-credentials-property`.
pub mod sys_properties {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_properties", "admin");
    /// Must be `true` for any OAuth.
    pub const OAUTH_ACTIVE: &str = "com.snc.platform.security.oauth.is.active";
    /// Must exist and be `true` for inbound client credentials.
    pub const CLIENT_CREDENTIALS_ENABLED: &str = "glide.oauth.inbound.client.credential.grant_type.enabled";
    /// Release, likely.
    pub const BUILD_TAG: &str = "glide.buildtag.last";
    /// Release name, likely.
    pub const BUILD_NAME: &str = "glide.buildname";
    /// Types of a property whose value is a secret. Likely.
    pub const SECRET_TYPES: &[&str] = &["password", "password2"];

    columns! {
        NAME = "name" Text;
        /// Value, up to 4000 characters.
        VALUE = "value" Text;
        TYPE = "type" Text;
        DESCRIPTION = "description" Text;
    }
}

/// `incident`, for the inbound check only. Proven.
/// Facts: `task-tables`.
pub mod incident {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("incident", "itil");

    columns! {
        NUMBER = "number" Text;
        SHORT_DESCRIPTION = "short_description" Text;
        STATE = "state" Text;
    }
}
