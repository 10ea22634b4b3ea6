//! What the platform says about itself: metadata, dictionary, scopes, plugins, properties, network rules.

use crate::instance::schema::{Table, boolean, choice, integer, reference, secret, table, text};

pub(super) fn tables() -> Vec<Table> {
    let mut tables = vec![
        table("sys_metadata", "Application File", "sys_name").columns([
            reference("sys_scope", "Application", "sys_scope").default("global"),
            reference("sys_package", "Package", "sys_package")
                .default("global")
                .computed(),
            choice(
                "sys_policy",
                "Protection policy",
                &[("read", "Read-only"), ("protected", "Protected")],
            ),
            text("sys_update_name", "Update name").computed(),
            text("sys_name", "Display name").computed(),
            text("sys_class_name", "Class").computed(),
        ]),
        db_object(),
        table("sys_dictionary", "Dictionary Entry", "element")
            .application_file()
            .columns([
                text("name", "Table"),
                text("element", "Column name"),
                text("column_label", "Column label"),
                text("internal_type", "Type").names("sys_glide_object"),
                boolean("mandatory", "Mandatory"),
                boolean("read_only", "Read only"),
                boolean("virtual", "Calculated"),
                boolean("unique", "Unique"),
                boolean("display", "Display"),
                text("default_value", "Default value"),
                text("reference", "Reference").names("sys_db_object"),
                text("reference_key", "Reference key"),
                integer("max_length", "Max length"),
                integer("choice", "Choice"),
                text("choice_table", "Choice table"),
                text("choice_field", "Choice field"),
                boolean("active", "Active").default("true"),
            ]),
        table("sys_dictionary_override", "Dictionary Entry Override", "element")
            .application_file()
            .columns([
                text("name", "Table"),
                text("base_table", "Base table"),
                text("element", "Column name"),
                boolean("mandatory_override", "Override mandatory"),
                boolean("mandatory", "Mandatory"),
                boolean("read_only_override", "Override read only"),
                boolean("read_only", "Read only"),
                boolean("default_value_override", "Override default value"),
                text("default_value", "Default value"),
            ]),
        table("sys_choice", "Choice", "label").application_file().columns([
            text("name", "Table"),
            text("element", "Element"),
            text("value", "Value"),
            text("label", "Label"),
            integer("sequence", "Sequence"),
            text("language", "Language").default("en"),
            text("dependent_value", "Dependent value"),
            boolean("inactive", "Inactive"),
        ]),
        table("sys_scope_privilege", "Cross scope privilege", "sys_id")
            .application_file()
            .columns([
                reference("source_scope", "Source Scope", "sys_scope"),
                reference("target_scope", "Target Scope", "sys_scope"),
                text("target_name", "Target Name"),
                choice(
                    "target_type",
                    "Target Type",
                    &[
                        ("sys_db_object", "Table"),
                        ("sys_script_include", "Script Include"),
                        ("scriptable", "Scriptable"),
                    ],
                ),
                choice(
                    "operation",
                    "Operation",
                    &[
                        ("create", "Create"),
                        ("read", "Read"),
                        ("write", "Write"),
                        ("delete", "Delete"),
                        ("execute", "Execute API"),
                    ],
                ),
                choice(
                    "status",
                    "Status",
                    &[("requested", "Requested"), ("allowed", "Allowed"), ("denied", "Denied")],
                ),
            ]),
        table("sys_script_include", "Script Include", "name")
            .application_file()
            .columns([
                text("name", "Name"),
                text("api_name", "API Name"),
                text("script", "Script"),
                text("description", "Description"),
                text("access", "Accessible from").default("package_private"),
                boolean("active", "Active").default("true"),
                boolean("client_callable", "Client callable"),
            ]),
        table("sys_security_acl", "Access Control", "name")
            .application_file()
            .columns([
                text("name", "Name"),
                reference("operation", "Operation", "sys_security_operation"),
                reference("type", "Type", "sys_security_type"),
                choice(
                    "decision_type",
                    "Decision type",
                    &[("allow", "Allow If"), ("deny", "Deny Unless")],
                )
                .default("allow"),
                text("condition", "Data condition"),
                boolean("advanced", "Advanced"),
                text("script", "Script"),
                boolean("admin_overrides", "Admin overrides").default("true"),
                text("description", "Description"),
                boolean("active", "Active").default("true"),
            ]),
        table("sys_security_acl_role", "Access Roles", "sys_user_role")
            .application_file()
            .columns([
                reference("sys_security_acl", "Security ACL", "sys_security_acl"),
                reference("sys_user_role", "Role", "sys_user_role"),
            ]),
        table("sys_security_operation", "Operation", "name")
            .application_file()
            .columns([text("name", "Name")]),
        table("sys_security_type", "Type", "name")
            .application_file()
            .columns([text("name", "Name")]),
        table("sys_certificate", "X.509 Certificate", "name")
            .application_file()
            .columns([
                text("name", "Name"),
                text("pem_certificate", "PEM Certificate"),
                boolean("active", "Active").default("true"),
            ]),
    ];
    tables.extend(settings());
    tables.extend(applications());
    tables
}

fn db_object() -> Table {
    table("sys_db_object", "Table", "label").application_file().columns([
        text("name", "Name").unique(),
        text("label", "Label"),
        reference("super_class", "Extends table", "sys_db_object"),
        boolean("is_extendable", "Extensible"),
        choice(
            "access",
            "Accessible from",
            &[
                ("public", "All application scopes"),
                ("package_private", "This application scope only"),
            ],
        )
        .default("public"),
        boolean("read_access", "Can read").default("true"),
        boolean("create_access", "Can create"),
        boolean("update_access", "Can update"),
        boolean("delete_access", "Can delete"),
        boolean("ws_access", "Allow access to this table via web services").default("true"),
        choice(
            "caller_access",
            "Caller Access",
            &[("1", "Caller Tracking"), ("2", "Caller Restriction")],
        ),
        boolean("configuration_access", "Allow configuration"),
        boolean("alter_access", "Allow new fields"),
        boolean("actions_access", "Allow UI actions"),
        boolean("client_scripts_access", "Allow client scripts"),
    ])
}

fn settings() -> [Table; 3] {
    [
        table("sys_properties", "System Property", "name")
            .application_file()
            .columns([
                text("name", "Name").mandatory().unique(),
                text("suffix", "Suffix"),
                text("value", "Value"),
                text("type", "Type").default("string"),
                text("description", "Description"),
                text("choices", "Choices"),
                boolean("is_private", "Private"),
                boolean("ignore_cache", "Ignore cache"),
                text("read_roles", "Read roles"),
                text("write_roles", "Write roles"),
            ]),
        table("sys_user_preference", "User Preference", "name").columns([
            text("name", "Name"),
            reference("user", "User", "sys_user"),
            text("value", "Value"),
            text("type", "Type").default("string"),
            boolean("system", "System"),
        ]),
        table("ip_access", "IP Address Access Control", "description").columns([
            // The values of `type` are seen in the vendor's own scripts. Those of `direction` are documented nowhere: a
            // client finds them by label in sys_choice.
            choice("type", "Type", &[("allow", "Allow"), ("deny", "Deny")]).default("allow"),
            choice(
                "direction",
                "Direction",
                &[("0", "Inbound"), ("1", "Outbound"), ("2", "Bidirectional")],
            )
            .default("0"),
            boolean("active", "Active").default("true"),
            text("description", "Description"),
            text("range_start", "Range start").mandatory(),
            text("range_end", "Range end").mandatory(),
        ]),
    ]
}

fn applications() -> [Table; 6] {
    [
        table("sys_package", "Package", "name").columns([
            text("name", "Name"),
            text("source", "ID"),
            text("version", "Version"),
            boolean("active", "Active").default("true"),
            text("sys_class_name", "Class").computed(),
        ]),
        table("sys_scope", "Application", "name")
            .extends("sys_package")
            .columns([
                text("scope", "Scope"),
                text("short_description", "Short description"),
                text("vendor", "Vendor"),
                boolean("private", "Private"),
            ]),
        table("sys_store_app", "Store Application", "name")
            .extends("sys_scope")
            .columns([
                text("latest_version", "Latest version"),
                boolean("update_available", "Update available"),
                text("install_date", "Installed"),
            ]),
        table("sys_app", "Custom Application", "name").extends("sys_scope"),
        table("v_plugin", "System Plugin", "name").columns([
            text("id", "ID"),
            text("name", "Name"),
            choice("active", "Status", &[("active", "Active"), ("inactive", "Inactive")]),
            text("version", "Version"),
            text("state", "State"),
        ]),
        table("sys_plugins", "System Plugins", "name").columns([
            text("source", "ID"),
            text("name", "Name"),
            boolean("active", "Active"),
            secret("license", "License"),
        ]),
    ]
}
