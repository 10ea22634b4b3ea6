//! Users, groups and roles of the run.

use std::time::Duration;

use servicenow_provider::servicenow::tables::{
    sys_group_has_role, sys_user, sys_user_grmember, sys_user_group, sys_user_has_role, sys_user_role,
    sys_user_role_contains,
};
use servicenow_provider::servicenow::{Cell, Column, Query, Refusal, Row, SysId, Table, TableError};

use super::table_api::{equals, grants_of};
use super::{Probed, Seen, refers_to, shown, with_causes};
use crate::context::RunContext;

pub(super) async fn duplicates_are_refused(context: &RunContext) -> Probed {
    context.user().await?;
    let row = Row::new()
        .set(sys_user::USER_NAME, context.name("user"))
        .set(sys_user::LAST_NAME, "Twin");
    Ok(match context.make(sys_user::TABLE, row).await {
        Ok(_) => Seen::Differs("A second user of one user_name was created.".to_owned()),
        Err(TableError::Duplicate { .. }) => Seen::Holds("Refused as a duplicate.".to_owned()),
        Err(error @ TableError::Refused { .. }) => Seen::Holds(format!("Refused: {}.", with_causes(&error))),
        Err(error @ TableError::BadRequest { .. }) => Seen::Holds(format!("Refused: {}.", with_causes(&error))),
        Err(error) => return Err(error),
    })
}

pub(super) async fn identity_type(context: &RunContext) -> Probed {
    let shown = !context.user().await?.text(sys_user::IDENTITY_TYPE).is_hidden();
    let release = super::release(context).await;
    let from_zurich = release.as_deref().and_then(|name| is_from(name, 'z'));
    Ok(match (shown, from_zurich) {
        (true, _) => Seen::Holds("The column is shown.".to_owned()),
        (false, Some(false)) => Seen::Holds("The column is not shown, and the release is older.".to_owned()),
        (false, Some(true)) => Seen::Differs("The column is not shown.".to_owned()),
        (false, None) => Seen::Open("The column is not shown, and the release is not known.".to_owned()),
    })
}

/// Whether a release is one with this letter or a later one. After Zurich comes Australia.
pub(super) fn is_from(release: &str, first: char) -> Option<bool> {
    let order = |letter: char| {
        if letter <= 'e' {
            u32::from(letter) + 26
        } else {
            u32::from(letter)
        }
    };
    let letter = release.chars().find(char::is_ascii_alphabetic)?.to_ascii_lowercase();
    Some(order(letter) >= order(first))
}

pub(super) async fn roles_of_everybody(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let table = sys_user_has_role::TABLE;
    let query =
        Query::equals(sys_user_has_role::USER, user.sys_id()).map_err(|source| TableError::Query { table, source })?;
    let rows = context
        .session
        .select(table, &query, &[sys_user_has_role::NAME_OF_ROLE])
        .await?;
    let names: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.text(sys_user_has_role::NAME_OF_ROLE).value())
        .collect();
    let other: Vec<&&str> = names
        .iter()
        .filter(|name| !name.starts_with(&context.prefix) && !sys_user_role::OF_EVERYBODY.contains(name))
        .collect();
    Ok(Seen::of(
        other.is_empty(),
        if other.is_empty() {
            format!("{} rows, none of another role.", names.len())
        } else {
            format!("A new user has {other:?} as well.")
        },
    ))
}

pub(super) async fn role_containment(context: &RunContext) -> Probed {
    let row = context.containment().await?;
    let outer = context.outer_role().await?;
    let holds = refers_to(row.reference(sys_user_role_contains::ROLE), outer.sys_id());
    Ok(Seen::of(
        holds,
        if holds {
            "The row is kept."
        } else {
            "The row names another role."
        },
    ))
}

pub(super) async fn contained_roles_are_inherited(context: &RunContext) -> Probed {
    let inner = context.contained_role().await?.sys_id().clone();
    if let Some(open) = refused_grant(context).await? {
        return Ok(open);
    }
    let user = context.user().await?.sys_id();
    for _ in 0..TRIES {
        let rows = grants_of(context, user).await?;
        let row = rows
            .iter()
            .find(|row| refers_to(row.reference(sys_user_has_role::ROLE), &inner));
        if let Some(row) = row {
            let inherited = row.bool(sys_user_has_role::INHERITED) == Cell::Value(true);
            return Ok(Seen::of(inherited, format!("A row with inherited={inherited}.")));
        }
        context.session.wait(PAUSE).await;
    }
    Ok(Seen::Differs("No row for the contained role.".to_owned()))
}

/// Why the account may not grant the role of the run, if it may not.
async fn refused_grant(context: &RunContext) -> Result<Option<Seen>, TableError> {
    match context.grant().await {
        Ok(_) => Ok(None),
        Err(TableError::Refused { .. }) => Ok(Some(Seen::Open(
            "The account may not grant roles over REST. It would need user_admin, or an elevated session.".to_owned(),
        ))),
        Err(error) => Err(error),
    }
}

pub(super) async fn role_grants_over_rest(context: &RunContext) -> Probed {
    Ok(match refused_grant(context).await? {
        None => Seen::Holds("The account may grant roles.".to_owned()),
        Some(_) => Seen::Differs("The account may not grant roles.".to_owned()),
    })
}

pub(super) async fn script_writers_group(context: &RunContext) -> Probed {
    let table = sys_user_group::TABLE;
    let query = equals(sys_user_group::NAME, sys_user_group::SCRIPT_WRITERS, table)?;
    let there = !context.session.select(table, &query, &[]).await?.is_empty();
    Ok(Seen::of(
        there,
        if there {
            "The group is there."
        } else {
            "There is no such group."
        },
    ))
}

pub(super) async fn group_names_are_not_unique(context: &RunContext) -> Probed {
    context.group().await?;
    let row = Row::new().set(sys_user_group::NAME, context.name("group"));
    Ok(match context.make(sys_user_group::TABLE, row).await {
        Ok(twin) => {
            context.delete(sys_user_group::TABLE, twin.sys_id()).await?;
            Seen::Holds("A second group of one name was created.".to_owned())
        }
        Err(TableError::Refused {
            reason: Refusal::Acl { .. },
            ..
        }) => Seen::Open("The account may not create groups.".to_owned()),
        Err(error) => Seen::Differs(with_causes(&error)),
    })
}

/// A membership of the run: its table, its key, and the column of the user.
pub(super) async fn membership(context: &RunContext) -> Result<(Table, SysId, Column), TableError> {
    let table = sys_user_grmember::TABLE;
    let (user, group) = (context.user().await?.sys_id(), context.group().await?.sys_id());
    let query = Query::equals(sys_user_grmember::USER, user)
        .and_then(|query| Ok(query.and(Query::equals(sys_user_grmember::GROUP, group)?)))
        .map_err(|source| TableError::Query { table, source })?;
    let found = context.session.select(table, &query, &[]).await?;
    let sys_id = match found.first() {
        Some(row) => row.sys_id().clone(),
        None => {
            let row = Row::new()
                .set(sys_user_grmember::USER, user)
                .set(sys_user_grmember::GROUP, group);
            context.make(table, row).await?.sys_id().clone()
        }
    };
    Ok((table, sys_id, sys_user_grmember::USER))
}

pub(super) async fn memberships(context: &RunContext) -> Probed {
    let (table, sys_id, _) = membership(context).await?;
    let row = context.whole(table, &sys_id).await?;
    let holds = refers_to(row.reference(sys_user_grmember::GROUP), context.group().await?.sys_id());
    Ok(Seen::of(
        holds,
        if holds {
            "The row is kept."
        } else {
            "The row names another group."
        },
    ))
}

pub(super) async fn group_roles(context: &RunContext) -> Probed {
    let (group, role) = (context.group().await?, context.outer_role().await?);
    let table = sys_group_has_role::TABLE;
    let row = Row::new()
        .set(sys_group_has_role::GROUP, group.sys_id())
        .set(sys_group_has_role::ROLE, role.sys_id());
    let made = context.make(table, row).await?;
    let inherits = made.text(sys_group_has_role::INHERITS);
    let holds = inherits == Cell::Value(sys_group_has_role::INHERITED_BY_MEMBERS);
    let seen = Seen::of(holds, format!("The row is kept, with inherits {}.", shown(&inherits)));
    context.delete(table, made.sys_id()).await?;
    Ok(seen)
}

pub(super) async fn cascade_of_deletes(context: &RunContext) -> Probed {
    let row = Row::new()
        .set(sys_user::USER_NAME, context.name("short"))
        .set(sys_user::LAST_NAME, "Live test");
    let user = context.make(sys_user::TABLE, row).await?;
    let row = Row::new()
        .set(sys_user_grmember::USER, user.sys_id())
        .set(sys_user_grmember::GROUP, context.group().await?.sys_id());
    let membership = context.make(sys_user_grmember::TABLE, row).await?;
    context.delete(sys_user::TABLE, user.sys_id()).await?;
    let left = context
        .session
        .get_opt(sys_user_grmember::TABLE, membership.sys_id(), &[])
        .await?;
    context.delete(sys_user_grmember::TABLE, membership.sys_id()).await?;
    Ok(Seen::of(
        left.is_none(),
        if left.is_none() {
            "The membership of a deleted user is gone."
        } else {
            "The membership of a deleted user stays."
        },
    ))
}

/// How often, and after which pause, what the platform does afterwards is looked for.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_secs(1);
