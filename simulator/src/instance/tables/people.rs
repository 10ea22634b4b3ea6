//! Users, roles and groups.

use crate::instance::release::Release;
use crate::instance::schema::{Table, boolean, choice, date_time, integer, password, reference, table, text};

pub(super) fn tables() -> Vec<Table> {
    vec![
        user(),
        table("cmn_department", "Department", "name").columns([text("name", "Name").at_most(100)]),
        table("core_company", "Company", "name").columns([text("name", "Name").at_most(80)]),
        table("cmn_location", "Location", "name").columns([text("name", "Name").at_most(100)]),
        table("sys_user_role", "Role", "name").application_file().columns([
            text("name", "Name").mandatory().unique().at_most(100),
            text("description", "Description").at_most(1000),
            text("suffix", "Suffix").at_most(100),
            boolean("elevated_privilege", "Elevated privilege"),
            text("assignable_by", "Assignable by"),
            boolean("can_delegate", "Can delegate").default("true"),
            boolean("grantable", "Grantable").default("true"),
            boolean("scoped_admin", "Application Administrator"),
            text("includes_roles", "Includes roles"),
        ]),
        table("sys_user_role_contains", "Contained Role", "sys_id")
            .application_file()
            .columns([
                reference("role", "Role", "sys_user_role").mandatory(),
                reference("contains", "Contains", "sys_user_role").mandatory(),
            ]),
        table("sys_user_has_role", "User Role", "sys_id").columns([
            reference("user", "User", "sys_user").mandatory(),
            reference("role", "Role", "sys_user_role").mandatory(),
            choice("state", "State", &[("active", "Active"), ("inactive", "Inactive")]).default("active"),
            boolean("inherited", "Inherited").computed(),
            reference("granted_by", "Granted by", "sys_user_group"),
            reference("included_in_role", "Included in role", "sys_user_role").computed(),
            reference(
                "included_in_role_instance",
                "Included in role instance",
                "sys_user_role_contains",
            )
            .computed(),
            integer("inh_count", "Inheritance Count").computed(),
        ]),
        table("sys_user_group", "Group", "name").columns([
            text("name", "Name").mandatory().at_most(80),
            text("description", "Description").at_most(1000),
            boolean("active", "Active").default("true"),
            text("email", "Group email").at_most(100),
            reference("manager", "Manager", "sys_user"),
            reference("parent", "Parent", "sys_user_group"),
            text("type", "Type"),
            text("roles", "Roles").computed(),
        ]),
        table("sys_user_grmember", "Group Member", "sys_id").columns([
            reference("user", "User", "sys_user").mandatory(),
            reference("group", "Group", "sys_user_group").mandatory(),
        ]),
        table("sys_group_has_role", "Group Role", "sys_id").columns([
            reference("group", "Group", "sys_user_group").mandatory(),
            reference("role", "Role", "sys_user_role").mandatory(),
            boolean("inherits", "Inherits").default("true"),
            reference("granted_by", "Granted by", "sys_user_group"),
        ]),
    ]
}

fn user() -> Table {
    table("sys_user", "User", "name").columns([
        text("user_name", "User ID").unique().at_most(40),
        text("first_name", "First name").at_most(50),
        text("middle_name", "Middle name"),
        text("last_name", "Last name").at_most(50),
        text("name", "Name").computed(),
        text("email", "Email").at_most(100),
        boolean("active", "Active").default("true"),
        boolean("locked_out", "Locked out"),
        boolean("password_needs_reset", "Password needs reset"),
        password("user_password", "Password"),
        boolean("web_service_access_only", "Web service access only"),
        boolean("internal_integration_user", "Internal Integration User"),
        choice(
            "identity_type",
            "Identity type",
            &[
                ("human", "Human"),
                ("machine", "Machine"),
                ("ai_agent", "AI Agent"),
                ("unclassified", "Unclassified"),
            ],
        )
        .since(Release::Zurich),
        text("source", "Source"),
        text("employee_number", "Employee number"),
        text("title", "Title").at_most(60),
        text("phone", "Business phone"),
        text("mobile_phone", "Mobile phone"),
        reference("department", "Department", "cmn_department"),
        reference("company", "Company", "core_company"),
        reference("location", "Location", "cmn_location"),
        reference("manager", "Manager", "sys_user"),
        boolean("vip", "VIP"),
        integer("notification", "Notification").default("2"),
        integer("calendar_integration", "Calendar integration").default("1"),
        text("time_zone", "Time zone"),
        text("preferred_language", "Language"),
        text("date_format", "Date format"),
        text("time_format", "Time format"),
        boolean("enable_multifactor_authn", "Enable Multifactor Authentication"),
        integer("failed_attempts", "Failed login attempts").computed(),
        date_time("last_login_time", "Last login time").computed(),
        text("last_login_device", "Last login device").computed(),
        text("hashed_user_id", "Hashed user ID").computed(),
        text("federated_id", "Federated ID").computed(),
        text("roles", "Roles").computed(),
        text("accumulated_roles", "Accumulated roles").computed(),
        text("sys_class_name", "Class").default("sys_user").computed(),
        reference("sys_domain", "Domain", "sys_user_group").default("global"),
        text("sys_domain_path", "Domain Path").default("/").computed(),
    ])
}
