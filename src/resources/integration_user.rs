//! `servicenow_integration_user`: the user that calls from outside run as (`sys_user`), its roles and groups.

use async_trait::async_trait;

use crate::clients::Clients;
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Object, Plan, Reading, Value};
use crate::records::duplicate_check::NaturalKey;
use crate::records::field::{self, Field};
use crate::records::inactive;
use crate::records::record_resource::{Absence, Existing, RecordResource, Removal};
use crate::records::reference::{A_USER, Target};
use crate::records::state_migration::Foreign;
use crate::records::write_only_secret::SecretNames;
use crate::servicenow::tables::sys_user::{
    ACTIVE, COMPANY, DEPARTMENT, EMAIL, FIRST_NAME, IDENTITY_TYPE, INTERNAL_INTEGRATION_USER, LAST_NAME, LOCATION,
    LOCKED_OUT, MANAGER, NAME, NAME_OF_COMPANY, NAME_OF_DEPARTMENT, NAME_OF_LOCATION, PASSWORD_NEEDS_RESET, SOURCE,
    TABLE, TIME_ZONE, TITLE, USER_NAME, USER_NAME_OF_MANAGER, USER_PASSWORD, WEB_SERVICE_ACCESS_ONLY,
};
use crate::servicenow::tables::{
    cmn_department, cmn_location, core_company, every, sys_user_grmember, sys_user_has_role,
};
use crate::servicenow::{
    Column, InputMode, LinkTable, Query, QueryError, Record, Row, Session, SysId, Table, TableError, Value as Wire,
};

pub(crate) struct IntegrationUser;

const DELETION_POLICY: &str = "deletion_policy";
const WEB_ACCESS: &str = "web_service_access_only";
const DELETE: &str = "delete";
const DEACTIVATE: &str = "deactivate";

const A_DEPARTMENT: Target = Target {
    table: cmn_department::TABLE,
    name: cmn_department::NAME,
    noun: "department",
    literal: None,
};

const A_COMPANY: Target = Target {
    table: core_company::TABLE,
    name: core_company::NAME,
    noun: "company",
    literal: None,
};

const A_LOCATION: Target = Target {
    table: cmn_location::TABLE,
    name: cmn_location::NAME,
    noun: "location",
    literal: None,
};

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// The row, with the user ID for a last name where there would be no name.
fn with_a_name(planned: &Object, row: Row) -> Row {
    let is_nameless = ["first_name", "last_name"]
        .iter()
        .all(|name| planned.text(name).is_none_or(is_blank));
    match planned.text("user_name") {
        Some(user_name) if is_nameless => row.set(LAST_NAME, user_name),
        Some(_) | None => row,
    }
}

#[async_trait]
impl RecordResource for IntegrationUser {
    const TYPE: &'static str = "servicenow_integration_user";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "user";
    const DESCRIPTION: &'static str = "The user that external calls run as, with its roles and groups. Table \
                                       `sys_user`. For Microsoft's guide `user_name` is the client id of the REST \
                                       user application, and the role is `incident_manager`.";
    const LISTS: &'static str = "Lists users, except those without a user name.";
    const LABEL: Column = USER_NAME;
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[USER_NAME],
        label: NAME,
        why: "With two users of one name, the instance could use either.",
        otherwise: "use another user_name",
    });
    const OTHER_TABLES: &'static [Table] = &[
        sys_user_has_role::TABLE,
        sys_user_grmember::TABLE,
        cmn_department::TABLE,
        core_company::TABLE,
        cmn_location::TABLE,
    ];
    /// Roles and groups are managed by other resources there, and stay with them.
    const FOREIGN: Option<Foreign> = Some(Foreign {
        type_name: "servicenow_user",
        attributes: &[
            ("user_name", "user_name"),
            ("first_name", "first_name"),
            ("last_name", "last_name"),
            ("email", "email"),
            ("title", "title"),
            ("time_zone", "time_zone"),
            ("active", "active"),
            ("password_needs_reset", "password_needs_reset"),
            ("department", "department"),
            ("department", "department_id"),
            ("company", "company"),
            ("company", "company_id"),
            ("location", "location"),
            ("location", "location_id"),
            ("manager", "manager"),
            ("manager", "manager_id"),
            ("user_password", "password"),
        ],
        made: None,
    });

    /// No configuration can be written for a user that has none, such as a contact who never signs in.
    fn listed_rows() -> Result<Option<Query>, QueryError> {
        Ok(Some(Query::is_not_empty(USER_NAME)))
    }

    fn fields() -> Vec<Field> {
        let reference = |name, noun: &str| {
            let attribute = Attribute::text(name).check(field::key_text());
            attribute.describe(format!("Name or `sys_id` of the user's {noun}."))
        };
        vec![
            Field::id(),
            Field::new(
                USER_NAME,
                field::required_key("user_name", 40)
                    .describe("User ID, unique on the instance: what the claim of a token is compared with."),
            ),
            Field::new(FIRST_NAME, Attribute::text("first_name").describe("First name.")),
            Field::new(
                LAST_NAME,
                Attribute::text("last_name").describe(
                    "Last name. The instance requires a first or a last name: without either, the user ID is sent.",
                ),
            ),
            Field::new(
                EMAIL,
                Attribute::text("email").describe("E-mail address; best omitted for a machine."),
            ),
            Field::new(
                TIME_ZONE,
                Attribute::text("time_zone").describe("Time zone, such as `Europe/Paris`; the system's if omitted."),
            ),
            Field::new(TITLE, Attribute::text("title").describe("Title.")),
            Field::new(
                ACTIVE,
                Attribute::flag("active")
                    .default(true)
                    .describe("Whether the user may sign in."),
            ),
            Field::new(
                WEB_SERVICE_ACCESS_ONLY,
                Attribute::flag(WEB_ACCESS)
                    .default(true)
                    .describe("Whether the user may only call web services, without access to the user interface. False by \
                         default where `identity_type` is `human` or `ai_agent`, because the instance sets it to match."),
            ),
            Field::new(
                INTERNAL_INTEGRATION_USER,
                Attribute::flag("internal_integration_user")
                    .optional_computed()
                    .stable()
                    .describe("Marks an account of an internal integration, which only affects SOAP."),
            ),
            Field::new(
                IDENTITY_TYPE,
                Attribute::text("identity_type")
                    .optional_computed()
                    .check(validate::one_of(&["human", "machine", "ai_agent", "unclassified"]))
                    .stable()
                    .describe(
                        "Kind of identity: `human`, `machine`, `ai_agent` or `unclassified`. Newer releases only; the \
                         instance sets `web_service_access_only` to match.",
                    ),
            ),
            Field::new(
                SOURCE,
                Attribute::text("source").describe(
                    "Where the user comes from. Some integrations find the user by it: for Event Management it holds \
                     the client ID of the caller or its App ID URI.",
                ),
            ),
            Field::reference(A_DEPARTMENT, DEPARTMENT, "department_id", reference("department", "department"))
                .named_by(NAME_OF_DEPARTMENT),
            Field::reference(A_COMPANY, COMPANY, "company_id", reference("company", "company"))
                .named_by(NAME_OF_COMPANY),
            Field::reference(A_LOCATION, LOCATION, "location_id", reference("location", "location"))
                .named_by(NAME_OF_LOCATION),
            Field::reference(
                A_USER,
                MANAGER,
                "manager_id",
                Attribute::text("manager")
                    .check(field::key_text())
                    .describe("User name (User ID) or `sys_id` of the person responsible for the user."),
            )
            .named_by(USER_NAME_OF_MANAGER),
            Field::new(
                PASSWORD_NEEDS_RESET,
                Attribute::flag("password_needs_reset").default(false).describe(
                    "Whether the user must set another password at the next sign-in. While it is true, requests \
                     for OAuth tokens of the user fail.",
                ),
            ),
            Field::new(
                LOCKED_OUT,
                Attribute::flag("locked_out")
                    .computed()
                    .describe("Whether the user is locked out."),
            ),
            Field::secret(
                USER_PASSWORD,
                SecretNames::new(["password", "password_wo", "password_wo_version"]),
                // A request of its own, because display values change how every other column is read.
                InputMode::Display,
                "The user's password. A user who signs in with an Entra token needs none.",
            ),
            Field::names(
                LinkTable::ROLES,
                "granted_roles",
                Attribute::texts("roles").describe(
                    "Names of roles. Listed roles are granted and kept, roles removed from the list are revoked, \
                     others are left unchanged. Table `sys_user_has_role`.",
                ),
            ),
            Field::names(
                LinkTable::GROUPS,
                "joined_groups",
                Attribute::texts("groups").describe(
                    "Names of groups, with the same rule. If the account may not grant roles, use a group that has \
                     them. Table `sys_user_grmember`.",
                ),
            ),
            Field::local(
                Attribute::text(DELETION_POLICY)
                    .default(DELETE)
                    .check(validate::one_of(&[DELETE, DEACTIVATE]))
                    .describe("What destroy does: `delete` the user, or `deactivate` it and keep its history. With `deactivate`, a create \
                         that meets a user of its name which this account made inactive makes it active again, with a \
                         warning."),
            ),
            Field::timeouts(),
        ]
    }

    fn extra_columns() -> &'static [Column] {
        &[NAME]
    }

    fn display_name(record: &Record) -> String {
        let user_name = record.text(USER_NAME).value();
        match (user_name, record.text(NAME).value()) {
            (Some(user_name), Some(name)) if name != user_name => format!("{user_name} ({name})"),
            (user_name, _) => user_name.unwrap_or_else(|| record.sys_id().as_str()).to_owned(),
        }
    }

    fn plan(plan: &mut Plan<'_>) {
        let is_left_alone = field::is_left_alone(plan.prior, WEB_ACCESS);
        if plan.config.at(WEB_ACCESS).is_null() && !is_left_alone {
            let is_given = !plan.config.at("identity_type").is_null();
            match plan.state.at("identity_type") {
                Value::Unknown if is_given => plan.state.set(WEB_ACCESS, Value::Unknown),
                // The instance would change it by itself.
                Value::String(kind) if ["human", "ai_agent"].contains(&kind.as_str()) => {
                    plan.state.set(WEB_ACCESS, false);
                }
                _ => {}
            }
            field::settle(&Self::fields(), plan);
        }
        let is_empty = |name| plan.config.text(name).is_some_and(is_blank);
        let has_no_first = is_empty("first_name") || (plan.prior.is_none() && plan.config.at("first_name").is_null());
        if is_empty("last_name") && has_no_first {
            let detail = "The user would have neither a first nor a last name, but the instance requires one. Omit \
                          last_name to use the user ID instead.";
            let problem = Diagnostic::error("The user would have no name", detail);
            plan.diagnostics.push(problem.at_attribute("last_name"));
        }
    }

    fn row_to_create(planned: &Object, row: Row) -> Row {
        with_a_name(planned, row)
    }

    fn row_to_update(planned: &Object, row: Row) -> Row {
        let is_emptied = |column| row.value(column) == Some(&Wire::Text(String::new()));
        if is_emptied(FIRST_NAME) || is_emptied(LAST_NAME) {
            with_a_name(planned, row)
        } else {
            row
        }
    }

    fn take_over(session: &Session, existing: &Record, planned: &mut Object) -> Result<Existing, Diagnostic> {
        if existing.bool(ACTIVE).value() != Some(false) {
            return Ok(Existing::Refused { advice: None });
        }
        let by = existing.text(every::SYS_UPDATED_BY).value().unwrap_or("somebody");
        let on = existing.text(every::SYS_UPDATED_ON).value().unwrap_or("an unknown day");
        if !session.was_last_to_change(existing) {
            let advice = format!(
                "The user is inactive, and the last change was made by {by}, on {on} UTC. To reuse this user, check \
                 why it was deactivated, then import it and set active = true."
            );
            return Ok(Existing::Refused { advice: Some(advice) });
        }
        // A destroy would delete a user that was there before.
        if planned.text(DELETION_POLICY) != Some(DEACTIVATE) {
            let advice = format!(
                "The user is inactive, and this account was the last to change it, on {on} UTC. To activate it again \
                 under the same sys_id, set deletion_policy = \"deactivate\": a destroy then deactivates it. To have a \
                 destroy delete it, import it."
            );
            return Ok(Existing::Refused { advice: Some(advice) });
        }
        let detail = format!(
            "The user ({}) existed and was inactive. The account of this provider was the last to change it, on {on} UTC, as a \
             destroy with deletion_policy = \"deactivate\" does. It is managed here from now on, under the same sys_id.",
            existing.sys_id()
        );
        let warning = Diagnostic::warning("An inactive user was taken over", detail).at_attribute("user_name");
        Ok(Existing::TakenOver { warning: Some(warning) })
    }

    fn removal(state: &Object) -> Removal {
        if state.text(DELETION_POLICY) == Some(DEACTIVATE) {
            Removal::Write {
                row: Row::new().set(ACTIVE, false),
                doing: "deactivate the user",
            }
        } else {
            Removal::Delete
        }
    }

    async fn absence(session: &Session, state: &Object) -> Result<Absence, TableError> {
        inactive::absence(session, (TABLE, ACTIVE), Self::NOUN, state).await
    }

    async fn after_read(cx: &Context<Clients>, _: &Session, _: &SysId, state: &mut Object) -> Result<(), Diagnostic> {
        if cx.reading == Reading::Import && state.text("last_name") == state.text("user_name") {
            // What is sent where nothing is configured.
            state.set("last_name", Value::Null);
        }
        Ok(())
    }
}
