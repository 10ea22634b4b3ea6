//! `servicenow_cross_scope_privilege`: what one application may do to another's objects (`sys_scope_privilege`).
//!
//! The installation of an application often makes these records. One that exists is taken over, and its status goes back
//! on destroy.

use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Diagnostic, Object, Plan};
use crate::records::application_scope::{self, APPLICATION};
use crate::records::duplicate_check::{self, NaturalKey};
use crate::records::field::{self, Field};
use crate::records::record_resource::{Existing, RecordResource, Removal};
use crate::servicenow::tables::sys_scope_privilege::{
    OPERATION, SOURCE_SCOPE, STATUS, TABLE, TARGET_NAME, TARGET_SCOPE, TARGET_TYPE,
};
use crate::servicenow::tables::{every, sys_db_object, sys_scope};
use crate::servicenow::{Cell, Column, Record, Row, Session, Table};

pub(super) struct CrossScopePrivilege;

/// What the status was before the record was taken over.
const ORIGINAL_STATUS: &str = "original_status";

impl RecordResource for CrossScopePrivilege {
    const TYPE: &'static str = "servicenow_cross_scope_privilege";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "privilege";
    const DESCRIPTION: &'static str = "What one application may do with an object of another. Table \
                                       `sys_scope_privilege`. A privilege never exceeds what the table itself allows \
                                       (`servicenow_table_access`). The installation of an application often creates \
                                       these records: an existing one for the same applications, object and operation \
                                       is taken over, and destroy then restores its old status instead of deleting \
                                       it.";
    const LISTS: &'static str = "Lists cross-scope privileges.";
    const LABEL: Column = TARGET_NAME;
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[SOURCE_SCOPE, TARGET_SCOPE, TARGET_NAME, TARGET_TYPE, OPERATION],
        label: TARGET_NAME,
        why: "A second one would have no effect while the first exists.",
        otherwise: "leave it unmanaged here",
    });
    const OTHER_TABLES: &'static [Table] = &[sys_scope::TABLE];

    fn fields() -> Vec<Field> {
        let name = |name| {
            let attribute = Attribute::text(name).check(validate::not_blank());
            attribute.check(field::key_text()).replaces()
        };
        vec![
            Field::id(),
            Field::reference(
                APPLICATION,
                SOURCE_SCOPE,
                "source_scope_id",
                name("source_scope")
                    .required()
                    .describe("Application that needs access: its scope, such as `x_mioms_m365_assis`, or its sys_id."),
            ),
            Field::reference(
                APPLICATION,
                TARGET_SCOPE,
                "target_scope_id",
                name("target_scope")
                    .default("global")
                    .describe("Application that owns the object: `global`, a scope, or a sys_id."),
            ),
            Field::new(
                TARGET_NAME,
                name("target_name")
                    .required()
                    .describe("Name of the object, such as the table `oauth_entity`."),
            ),
            Field::new(
                TARGET_TYPE,
                name("target_type")
                    .default(sys_db_object::TABLE.name())
                    .describe("Kind of the object: `sys_db_object` is a table."),
            ),
            Field::new(
                OPERATION,
                Attribute::text("operation")
                    .default("read")
                    .check(validate::one_of(&["create", "read", "write", "delete", "execute"]))
                    .replaces()
                    .describe("What it may do with the object."),
            ),
            Field::new(
                STATUS,
                Attribute::text("status")
                    .default("allowed")
                    .check(validate::one_of(&["requested", "allowed", "denied"]))
                    .describe("Whether the operation is allowed."),
            ),
            // The application of a record that was taken over is not ours to choose.
            Field::reference(
                APPLICATION,
                every::SYS_SCOPE,
                "application_scope_id",
                Attribute::text(application_scope::ATTRIBUTE)
                    .optional_computed()
                    .stable()
                    .replaces()
                    .check(validate::not_blank())
                    .check(field::key_text())
                    .describe(
                        "Application that the record belongs to: `global`, a scope, or a sys_id. By default that of \
                         `source_scope`, as with the records that the platform makes.",
                    ),
            )
            .unless(ORIGINAL_STATUS),
            Field::local(Attribute::text(ORIGINAL_STATUS).computed().stable().describe(
                "Status of the record before it was taken over: what destroy restores. Null for a record that was \
                 created here or imported, which destroy deletes.",
            )),
            Field::timeouts(),
        ]
    }

    fn display_name(record: &Record) -> String {
        let text = |column| record.text(column).value().unwrap_or("?");
        format!("{} {}: {}", text(OPERATION), text(TARGET_NAME), text(STATUS))
    }

    fn plan(plan: &mut Plan<'_>) {
        if plan.prior.is_none() && plan.config.at(application_scope::ATTRIBUTE).is_null() {
            let source = plan.state.at("source_scope").clone();
            plan.state.set(application_scope::ATTRIBUTE, source);
        }
    }

    fn row_to_create(_: &Object, row: Row) -> Row {
        // Not known at the plan where the source is not.
        let source = row.value(SOURCE_SCOPE).cloned();
        match source.filter(|_| row.value(every::SYS_SCOPE).is_none()) {
            Some(source) => row.set(every::SYS_SCOPE, source),
            None => row,
        }
    }

    fn take_over(session: &Session, record: &Record, state: &mut Object) -> Result<Existing, Diagnostic> {
        let Cell::Value(original) = record.text(STATUS) else {
            let detail = format!(
                "The privilege already exists ({}), but the account may not read its status, so destroy could not \
                 restore it. Give the account a role that may read {TABLE} ({}).",
                record.sys_id(),
                TABLE.role()
            );
            return Err(Diagnostic::error("The old status cannot be read", detail));
        };
        state.set(ORIGINAL_STATUS, original);
        Ok(Existing::TakenOver {
            warning: Some(duplicate_check::taken_over(session, Self::NOUN, record)),
        })
    }

    fn removal(state: &Object) -> Removal {
        match state.text(ORIGINAL_STATUS) {
            None => Removal::Delete,
            Some(original) => Removal::Write {
                row: Row::new().set(STATUS, original),
                doing: "restore the status of the privilege",
            },
        }
    }
}
