//! `servicenow_user_role`: one role of a user who already exists (`sys_user_has_role`).
//!
//! What counts is that the user has the role: under Role Management V2 there is one row per user and role, older
//! instances may hold several, and rows with `inherited=true` are the platform's own. These are forgotten, not deleted.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Outcome, Plan, Reading};
use crate::records::diagnostics;
use crate::records::field::{self, Field};
use crate::records::name_set;
use crate::records::outcome;
use crate::records::record_resource::{self, ManagedRecord, RecordResource};
use crate::records::reference::{A_USER, Target};
use crate::records::state_migration::Foreign;
use crate::servicenow::tables::sys_user_has_role::{
    INHERITED, NAME_OF_ROLE, ROLE, STATE, STATE_ACTIVE, TABLE, USER, USER_NAME_OF_USER,
};
use crate::servicenow::tables::{sys_user, sys_user_role};
use crate::servicenow::{Cell, Column, Granted, LinkTable, Query, QueryError, Record, SysId, Table};

pub(super) struct UserRole;

/// Whether the grant was made here.
const GRANTED: &str = "granted";

/// Private data: whether the platform derived the row when it was read last. Not noted where it never did.
const DERIVED: &str = "derived";

fn was_derived(cx: &Context<Clients>) -> bool {
    cx.private(DERIVED) == Some(true.into())
}

/// What is said where it is not known who granted the role.
fn not_known(state: &Object) -> Diagnostic {
    let text = |name: &str| state.text(name).unwrap_or_default().to_owned();
    let detail = format!(
        "The user {} keeps the role {} ({}): the state was written by an older version, which did not note whether Terraform \
         granted it, and others may rely on it. To have a destroy revoke such a grant, import it. If nothing needs it, \
         revoke it on the instance.",
        text("user"),
        text("role"),
        text("id")
    );
    Diagnostic::warning("The role was not revoked", detail)
}

/// The user and the role of a grant.
fn user_and_role(state: &Object) -> Option<(SysId, SysId)> {
    let id_of = |name| state.text(name).and_then(|id| SysId::parse(id).ok());
    Some((id_of("user_id")?, id_of("role_id")?))
}

/// A grant that another resource of this apply has taken over.
fn taken_over_by_another(state: &Object) -> Diagnostic {
    let text = |name: &str| state.text(name).unwrap_or_default().to_owned();
    let detail = format!(
        "Another resource of this apply grants the user {} the role {} too, and found that the user had it. So it stays; if the \
         other one is a servicenow_user_role, its destroy keeps the role too. To rename or move a resource, use a `moved` \
         block: it keeps who granted the role.",
        text("user"),
        text("role")
    );
    Diagnostic::warning("The role was not revoked", detail)
}

const A_ROLE: Target = Target {
    table: sys_user_role::TABLE,
    name: sys_user_role::NAME,
    noun: "role",
    literal: None,
};

#[async_trait]
impl RecordResource for UserRole {
    const TYPE: &'static str = "servicenow_user_role";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "role grant";
    const DESCRIPTION: &'static str = "One role of a user who already exists, such as a person who may open cases \
                                       with Microsoft. Table `sys_user_has_role`. A role that the user already has is \
                                       taken over with a warning, and destroy keeps it. Any other is revoked, unless \
                                       the user inherits it from a group or another role: then it is only removed \
                                       from the state, because the platform keeps such rows. For the roles of a user \
                                       that Terraform creates, use `roles` of `servicenow_integration_user`.";
    const LISTS: &'static str =
        "Lists the roles that were granted to users directly, without those that the platform gives every user.";
    const LABEL: Column = NAME_OF_ROLE;
    const OTHER_TABLES: &'static [Table] = &[sys_user::TABLE, sys_user_role::TABLE];
    /// Both ends are given by their keys there.
    const FOREIGN: Option<Foreign> = Some(Foreign {
        type_name: "servicenow_user_role",
        attributes: &[
            ("user", "user"),
            ("role", "role"),
            ("user", "user_id"),
            ("role", "role_id"),
        ],
        made: Some(GRANTED),
    });

    fn fields() -> Vec<Field> {
        let end = |name| {
            let attribute = Attribute::text(name).required().replaces();
            attribute.check(validate::not_blank()).check(field::key_text())
        };
        vec![
            Field::id(),
            Field::reference(
                A_USER,
                USER,
                "user_id",
                end("user").describe("User name (User ID) or `sys_id` of the user."),
            )
            .named_by(USER_NAME_OF_USER),
            Field::reference(
                A_ROLE,
                ROLE,
                "role_id",
                end("role").describe(
                    "Name or `sys_id` of the role. Roles of an application, such as `x_mioms_m365_assis.administrator`, \
                     exist once the application is installed.",
                ),
            )
            .named_by(NAME_OF_ROLE),
            Field::local(Attribute::flag(GRANTED).computed().stable().describe(
                "Whether Terraform granted the role, or imported the grant; if so, destroy revokes it. False for a grant \
                 that existed before, and null in a state of an older version, which did not note it: such a grant is \
                 kept.",
            )),
            Field::timeouts(),
        ]
    }

    fn extra_columns() -> &'static [Column] {
        &[STATE, INHERITED]
    }

    /// Rows that the platform did not derive.
    fn rows() -> Result<Option<Query>, QueryError> {
        Query::equals(INHERITED, false).map(Some)
    }

    /// Nobody configures the roles that the platform gives every user, and a destroy would revoke them.
    fn listed_rows() -> Result<Option<Query>, QueryError> {
        let mut by_platform = LinkTable::ROLES.by_platform.iter();
        let query = by_platform.try_fold(Query::equals(INHERITED, false)?, |query, name| {
            Ok(query.and(Query::differs(NAME_OF_ROLE, *name)?))
        });
        query.map(Some)
    }

    fn display_name(record: &Record) -> String {
        let name = |name, key| {
            let name = record.text(name).value().or(record.text(key).value());
            name.unwrap_or("?")
        };
        format!("{}: {}", name(USER_NAME_OF_USER, USER), name(NAME_OF_ROLE, ROLE))
    }

    fn warn_of_second_manager(cx: &Context<Clients>, plan: &mut Plan<'_>) {
        let (Some((user, _)), Some(role)) = (user_and_role(plan.state), plan.state.text("role")) else {
            return;
        };
        if cx.data.link_managers.is_second(TABLE, &user, role, Self::TYPE) {
            plan.diagnostics.push(name_set::managed_twice("role", role, &user));
        }
    }

    async fn create(
        _: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        let session = cx.instance()?;
        let user = A_USER.find(&session, "user", planned.text("user").unwrap_or_default());
        let role = A_ROLE.find(&session, "role", planned.text("role").unwrap_or_default());
        let (user, role) = tokio::join!(user, role);
        let (user, role) = match (user, role) {
            (Ok(user), Ok(role)) => (user, role),
            (user, role) => return Err([user.err(), role.err()].into_iter().flatten().collect()),
        };
        let granted = session.links(LinkTable::ROLES).grant(&user, &role).await;
        let granted = match granted {
            Ok(granted) => granted,
            Err(error) => {
                let problem = diagnostics::of_table(&error, "grant the role");
                let planned = planned.with("user_id", user.as_str()).with("role_id", role.as_str());
                return outcome::not_created(cx, &error, planned.with(GRANTED, true), problem);
            }
        };
        let state = planned
            .clone()
            .with("id", granted.sys_id().as_str())
            .with("user_id", user.as_str())
            .with("role_id", role.as_str())
            .with(GRANTED, matches!(granted, Granted::Made(_)));
        cx.keep(&state);
        if let Granted::Had(sys_id) = &granted {
            let detail = format!(
                "The user {} already had the role {} ({sys_id} in {TABLE}). It is managed here from now on, and a \
                 destroy keeps it, since others may rely on it.",
                planned.text("user").unwrap_or_default(),
                planned.text("role").unwrap_or_default(),
            );
            cx.warn(Diagnostic::warning("The role was already granted", detail));
        }
        Ok(outcome::of(state, Diagnostics::new()))
    }

    async fn read(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        state: Object,
    ) -> Result<Option<Object>, Diagnostics> {
        let session = record_resource::instance_to_read(cx)?;
        match record.find(cx, &session, &state).await? {
            // An inactive row is no grant: the next apply corrects it.
            Some(found) if matches!(found.text(STATE), Cell::Value(grant) if grant != STATE_ACTIVE) => Ok(None),
            Some(found) => {
                let is_derived = found.bool(INHERITED) == Cell::Value(true);
                if is_derived || was_derived(cx) {
                    cx.set_private(DERIVED, is_derived.into());
                }
                let mut state = record.read(cx, &session, &found, state).await?;
                if cx.reading == Reading::Import {
                    state.set(GRANTED, !is_derived);
                    if let (false, Some((user, _))) = (is_derived, user_and_role(&state)) {
                        cx.data.link_managers.note_separate(TABLE, &user);
                    }
                }
                Ok(Some(state))
            }
            None => Ok(None),
        }
    }

    /// Whatever changes replaces, but for the time limits.
    async fn update(
        _: &ManagedRecord<Self>,
        _: &Context<Clients>,
        _: &Object,
        planned: Object,
        _: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(outcome::of(planned, Diagnostics::new()))
    }

    async fn delete(_: &ManagedRecord<Self>, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        match state.flag(GRANTED) {
            Some(true) => {}
            Some(false) => return Ok(()),
            None => {
                cx.warn(not_known(state));
                return Ok(());
            }
        }
        let session = cx.instance()?;
        let Some((user, role)) = user_and_role(state) else {
            return Ok(());
        };
        let links = session.links(LinkTable::ROLES);
        // Of a grant that was made here the row is known, unless the platform derives it by now: that must not be removed.
        let row = record_resource::sys_id(state).filter(|_| !was_derived(cx));
        let revoked = match row {
            Some(row) => links.revoke_row(&user, &role, &row).await,
            None => links.revoke(&user, &role).await,
        };
        let revoked = revoked.map_err(|error| diagnostics::of_table(&error, "revoke the role"))?;
        if revoked.is_taken_over {
            cx.warn(taken_over_by_another(state));
        }
        if revoked.still_inherited {
            tracing::info!(%user, %role, "the user keeps the role by inheritance");
        }
        Ok(())
    }
}
