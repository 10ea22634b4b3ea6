//! `servicenow_role`: a role, and the roles that it contains (`sys_user_role`, `sys_user_role_contains`).

use crate::plugin::{Attribute, Diagnostic, Diagnostics, Object, Plan};
use crate::records::application_scope;
use crate::records::dependents::{self, Use};
use crate::records::duplicate_check::NaturalKey;
use crate::records::field::{self, Field};
use crate::records::record_resource::RecordResource;
use crate::records::state_migration::Foreign;
use crate::servicenow::tables::sys_user_role::{DESCRIPTION, ELEVATED_PRIVILEGE, NAME, SUFFIX, TABLE};
use crate::servicenow::tables::{sys_group_has_role, sys_scope, sys_user_has_role, sys_user_role_contains};
use crate::servicenow::{Column, LinkTable, Row, SysId, Table};

pub(crate) struct Role;

const CONTAINS: &str = "contains";

/// The scope of the application whose roles have names that begin with it; none for the global application, and where it is
/// given by its `sys_id`.
fn scope(object: &Object) -> Option<&str> {
    let scope = object.text(application_scope::ATTRIBUTE)?.trim();
    let is_named = !sys_scope::is_global(scope) && SysId::parse(scope).is_err();
    is_named.then_some(scope)
}

impl RecordResource for Role {
    const TYPE: &'static str = "servicenow_role";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "role";
    const DESCRIPTION: &'static str = "A role of your own, with the roles that it contains. Table `sys_user_role`. Who has the \
                                       role has those as well. Roles cannot be renamed, so another `name` \
                                       replaces it. Deleting a role takes it from everybody who has it, so a destroy is \
                                       refused while a user, a group or another role has it (`force_destroy`).";
    const LISTS: &'static str = "Lists roles.";
    const LABEL: Column = NAME;
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[NAME],
        label: NAME,
        why: "Roles are granted and asked for by name, so two of one name could not be told apart.",
        otherwise: "use another name",
    });
    const OTHER_TABLES: &'static [Table] = &[
        sys_user_role_contains::TABLE,
        sys_scope::TABLE,
        sys_user_has_role::TABLE,
        sys_group_has_role::TABLE,
    ];
    /// Its name is computed there; contained roles are no attribute there, and stay as they are.
    const FOREIGN: Option<Foreign> = Some(Foreign {
        type_name: "servicenow_role",
        attributes: &[
            ("name", "name"),
            ("description", "description"),
            ("elevated_privilege", "elevated_privilege"),
            ("scope", application_scope::ATTRIBUTE),
        ],
        made: None,
    });
    const USES: &'static [Use] = &[
        Use::new(
            sys_user_has_role::TABLE,
            sys_user_has_role::ROLE,
            sys_user_has_role::USER_NAME_OF_USER,
            "granted to the user",
        )
        .except_inherited(sys_user_has_role::INHERITED),
        Use::new(
            sys_group_has_role::TABLE,
            sys_group_has_role::ROLE,
            sys_group_has_role::NAME_OF_GROUP,
            "granted to the group",
        ),
        Use::new(
            sys_user_role_contains::TABLE,
            sys_user_role_contains::CONTAINS,
            sys_user_role_contains::NAME_OF_ROLE,
            "contained in the role",
        ),
    ];

    fn fields() -> Vec<Field> {
        vec![
            Field::id(),
            Field::new(
                NAME,
                field::required_key("name", 100)
                    .replaces()
                    .describe(
                        "Name, unique on the instance, such as `copilot_connector`. In a scoped application it begins with the \
                         scope and a dot: `x_acme_app.reader`.",
                    ),
            ),
            Field::new(
                DESCRIPTION,
                Attribute::text("description").describe("What the role is for."),
            ),
            Field::new(
                ELEVATED_PRIVILEGE,
                Attribute::flag("elevated_privilege").default(false).describe(
                    "Whether the role works only in an elevated session, which API calls never have: leave it false for \
                     the role of an integration.",
                ),
            ),
            Field::names(
                LinkTable::CONTAINED_ROLES,
                "added_roles",
                Attribute::texts(CONTAINS).describe(
                    "Names of the roles that it contains. Listed roles are added and kept, roles removed from the list \
                     are removed, others are left unchanged. Table `sys_user_role_contains`.",
                ),
            ),
            Field::application_scope(),
            dependents::force_destroy("Whoever has the role loses it then, with the roles that it contains."),
            Field::timeouts(),
        ]
    }

    fn validate(config: &Object) -> Diagnostics {
        let mut problems = Diagnostics::new();
        let Some(name) = config.text("name").map(str::trim) else {
            return problems;
        };
        let contained = config.texts(CONTAINS).unwrap_or_default();
        if contained
            .iter()
            .any(|contained| contained.trim().eq_ignore_ascii_case(name))
        {
            let detail = format!("The role {name:?} cannot contain itself. Remove it from the list.");
            problems.push(Diagnostic::error("Invalid value for contains", detail).at_attribute(CONTAINS));
        }
        if let Some(scope) = scope(config)
            && !name
                .split_once('.')
                .is_some_and(|(prefix, suffix)| prefix.eq_ignore_ascii_case(scope) && !suffix.is_empty())
        {
            let detail = format!(
                "{name:?} is not a valid name of a role of the application {scope}: expected \"{scope}.\" and a suffix."
            );
            problems.push(Diagnostic::error("Invalid value for name", detail).at_attribute("name"));
        }
        problems
    }

    fn plan(plan: &mut Plan<'_>) {
        if let (Some(prior), false) = (plan.prior, plan.replace.is_empty()) {
            let detail = format!(
                "The role {} is deleted, and a new one is created: whoever has it loses it, unless the configuration grants the \
                 new one. The delete is refused while anybody has it, unless the state has force_destroy = true. To keep \
                 both for a while, add a second resource.",
                prior.text("name").unwrap_or_default()
            );
            plan.diagnostics
                .push(Diagnostic::warning("The role will be replaced", detail).at_attribute("name"));
        }
    }

    /// In a scoped application the platform keeps the part of the name after the scope as well.
    fn row_to_create(planned: &Object, row: Row) -> Row {
        let is_global = planned
            .text(application_scope::ATTRIBUTE)
            .is_some_and(sys_scope::is_global);
        let suffix = planned.text("name").and_then(|name| name.trim().split_once('.'));
        match suffix {
            Some((_, suffix)) if !is_global => row.set(SUFFIX, suffix),
            Some(_) | None => row,
        }
    }
}
