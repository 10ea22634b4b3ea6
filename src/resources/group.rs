//! `servicenow_group`: a group, its roles and its members (`sys_user_group`, `sys_group_has_role`, `sys_user_grmember`).

use async_trait::async_trait;

use crate::plugin::{Attribute, Diagnostic, Diagnostics, Object};
use crate::records::dependents::{self, Use};
use crate::records::duplicate_check::NaturalKey;
use crate::records::field::{self, Field};
use crate::records::inactive;
use crate::records::record_resource::{Absence, RecordResource};
use crate::records::reference::{self, Target};
use crate::records::state_migration::Foreign;
use crate::servicenow::tables::sys_user_group::{
    ACTIVE, DESCRIPTION, EMAIL, MANAGER, NAME, NAME_OF_PARENT, PARENT, TABLE, USER_NAME_OF_MANAGER,
};
use crate::servicenow::tables::{sys_group_has_role, sys_user, sys_user_grmember, sys_user_role};
use crate::servicenow::{Column, LinkTable, Session, Table, TableError};

pub(super) struct Group;

const MEMBERS: &str = "members";

const A_GROUP: Target = Target {
    table: TABLE,
    name: NAME,
    noun: "group",
    literal: None,
};

#[async_trait]
impl RecordResource for Group {
    const TYPE: &'static str = "servicenow_group";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "group";
    const DESCRIPTION: &'static str = "A group of users, with its roles, which every member has, and its members. Table \
                                       `sys_user_group`. A membership belongs in one place: in `members` here, or in \
                                       `groups` of `servicenow_integration_user`. A destroy is refused while the group has \
                                       members or child groups that are not listed here (`force_destroy`).";
    const LISTS: &'static str = "Lists groups of users.";
    const LABEL: Column = NAME;
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[NAME],
        label: NAME,
        why: "The instance does not keep names of groups unique, so whatever finds a group by its name could mean either.",
        otherwise: "use another name",
    });
    const OTHER_TABLES: &'static [Table] = &[
        sys_group_has_role::TABLE,
        sys_user_grmember::TABLE,
        sys_user::TABLE,
        sys_user_role::TABLE,
    ];
    /// Roles and members are managed by other resources there, and stay with them.
    const FOREIGN: Option<Foreign> = Some(Foreign {
        type_name: "servicenow_group",
        attributes: &[
            ("name", "name"),
            ("description", "description"),
            ("email", "email"),
            ("manager", "manager"),
            ("manager", "manager_id"),
            ("parent", "parent"),
            ("parent", "parent_id"),
            ("active", "active"),
        ],
        made: None,
    });
    const USES: &'static [Use] = &[
        Use::new(
            sys_user_grmember::TABLE,
            sys_user_grmember::GROUP,
            sys_user_grmember::USER_NAME_OF_USER,
            "joined by the user",
        )
        .except_listed(MEMBERS),
        Use::new(TABLE, PARENT, NAME, "the parent of the group"),
    ];

    fn fields() -> Vec<Field> {
        vec![
            Field::id(),
            Field::new(
                NAME,
                field::required_key("name", 80).describe("Name. A create is refused while another group has it."),
            ),
            Field::new(
                DESCRIPTION,
                Attribute::text("description").describe("What the group is for."),
            ),
            Field::new(
                EMAIL,
                Attribute::text("email").describe("E-mail address of the group: a distribution list, or a point of contact."),
            ),
            Field::reference(
                reference::A_USER,
                MANAGER,
                "manager_id",
                Attribute::text("manager")
                    .check(field::key_text())
                    .describe("User name (User ID) or `sys_id` of the user who manages the group."),
            )
            .named_by(USER_NAME_OF_MANAGER),
            Field::reference(
                A_GROUP,
                PARENT,
                "parent_id",
                Attribute::text("parent").check(field::key_text()).describe(
                    "Name or `sys_id` of the group that this one belongs to, whose roles it inherits. Members of this group \
                     do not become members of that one.",
                ),
            )
            .named_by(NAME_OF_PARENT),
            Field::new(
                ACTIVE,
                Attribute::flag("active").default(true).describe(
                    "Whether the group is active. Instances show inactive groups to administrators only.",
                ),
            ),
            Field::names(
                LinkTable::GROUP_ROLES,
                "granted_roles",
                Attribute::texts("roles").describe(
                    "Names of the roles that every member has. Listed roles are granted and kept, roles removed from the \
                     list are revoked, others are left unchanged. Table `sys_group_has_role`.",
                ),
            ),
            Field::names(
                LinkTable::MEMBERS,
                "added_members",
                Attribute::texts(MEMBERS).describe(
                    "User names (User ID) of members, with the same rule. Table `sys_user_grmember`.",
                ),
            ),
            dependents::force_destroy("Its members lose its roles then, and what refers to the group loses that reference."),
            Field::timeouts(),
        ]
    }

    fn validate(config: &Object) -> Diagnostics {
        let (Some(name), Some(parent)) = (config.text("name"), config.text("parent")) else {
            return Diagnostics::new();
        };
        if !name.trim().eq_ignore_ascii_case(parent.trim()) {
            return Diagnostics::new();
        }
        let detail = format!("The group {name:?} cannot be its own parent. Use another group, or omit the argument.");
        Diagnostic::error("Invalid value for parent", detail)
            .at_attribute("parent")
            .into()
    }

    async fn absence(session: &Session, state: &Object) -> Result<Absence, TableError> {
        inactive::absence(session, (TABLE, ACTIVE), Self::NOUN, state).await
    }
}
