//! The Table API, whatever the table: looked at with a user and a group of the run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use servicenow_provider::http::{Client, Method, Origin, Repeat, Request, header};
use servicenow_provider::servicenow::tables::{every, sys_user, sys_user_group, sys_user_has_role};
use servicenow_provider::servicenow::{
    Cell, Column, ColumnKind, Deleted, InputMode, Insert, Query, Row, SysId, Table, TableError, Update,
};
use tokio_util::sync::CancellationToken;

use super::{Probed, Seen, with_causes};
use crate::context::{RunContext, limits};
use crate::preconditions;
use crate::recorder::Recorder;

/// A record as the instance sends it: the client reads other forms as well.
async fn as_sent(context: &RunContext, table: Table, sys_id: &SysId, columns: &[Column]) -> Result<Value, Seen> {
    let open = |why: String| Seen::Open(format!("The response cannot be looked at: {why}."));
    let between = Recorder::listening(&context.settings, &context.instance)
        .await
        .map_err(open)?;
    let settings = between.in_front(&context.settings);
    let other = preconditions::context(&settings, &CancellationToken::new()).map_err(open)?;
    let read = other.session.get(table, sys_id, columns).await;
    read.map_err(|error| open(with_causes(&error)))?;
    Ok(between.last().unwrap_or_default()["result"].take())
}

pub(super) async fn values_are_text(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let columns = [sys_user::ACTIVE, sys_user::EMAIL, every::SYS_MOD_COUNT];
    let sent = match as_sent(context, sys_user::TABLE, user.sys_id(), &columns).await {
        Ok(sent) => sent,
        Err(seen) => return Ok(seen),
    };
    let [Some(active), Some(email), Some(count)] = columns.map(|column| sent.get(column.name())) else {
        return Ok(Seen::Open("A column of the read is not shown.".to_owned()));
    };
    let is_number = count.as_str().is_some_and(|text| text.parse::<u32>().is_ok());
    Ok(Seen::of(
        active == "true" && email == "" && is_number,
        format!("active is {active}, email is {email}, sys_mod_count is {count}."),
    ))
}

pub(super) async fn references_are_bare_ids(context: &RunContext) -> Probed {
    let (table, sys_id, column) = super::people::membership(context).await?;
    let user = context.user().await?.sys_id();
    let sent = match as_sent(context, table, &sys_id, &[column]).await {
        Ok(sent) => sent,
        Err(seen) => return Ok(seen),
    };
    let Some(sent) = sent.get(column.name()) else {
        return Ok(Seen::Open(format!("The column {column} is not shown.")));
    };
    let is_id = sent.as_str().and_then(|text| SysId::parse(text).ok()).as_ref() == Some(user);
    Ok(Seen::of(
        is_id,
        match sent {
            _ if is_id => "A bare sys_id.".to_owned(),
            Value::Object(parts) => {
                let parts: Vec<_> = parts.keys().map(String::as_str).collect();
                format!("An object of {}.", parts.join(", "))
            }
            _ => "Something else than the sys_id.".to_owned(),
        },
    ))
}

pub(super) async fn date_times_are_utc(context: &RunContext) -> Probed {
    let made = context.user().await?.date_time(every::SYS_CREATED_ON).value();
    let Some(made) = made else {
        return Ok(Seen::Differs("The time of creation is no date-time.".to_owned()));
    };
    let off = Timestamp::now().duration_since(made).as_secs().abs();
    Ok(Seen::of(
        off < 1800,
        format!(
            "A record of this run was created {} minutes ago, read as UTC.",
            off / 60
        ),
    ))
}

pub(super) async fn date_header_tells_the_clock(context: &RunContext) -> Probed {
    let made = context.user().await?.date_time(every::SYS_CREATED_ON).value();
    let (Some(clock), Some(made)) = (context.session.clock(), made) else {
        return Ok(Seen::Differs("No response had a date.".to_owned()));
    };
    let off = clock.duration_since(made).as_secs();
    Ok(Seen::of(
        (-60..1800).contains(&off),
        format!("The header is {off} seconds after the creation of a record of this run."),
    ))
}

pub(super) async fn insert_returns_the_record(context: &RunContext) -> Probed {
    let name = context.name("inserted");
    let insert = Insert {
        table: sys_user_group::TABLE,
        row: Row::new()
            .set(sys_user_group::NAME, &name)
            .set(sys_user_group::DESCRIPTION, "Live test"),
        read: &[sys_user_group::NAME, sys_user_group::DESCRIPTION],
        natural_key: None,
        input: InputMode::Stored,
    };
    let written = context.insert(insert).await?;
    let is_whole = written.mismatches.is_empty() && written.record.text(sys_user_group::NAME) == Cell::Value(&name);
    let differences: Vec<String> = written.mismatches.iter().map(ToString::to_string).collect();
    Ok(Seen::of(
        is_whole,
        if is_whole {
            "The record as it was sent.".to_owned()
        } else {
            format!("It differs: {}.", differences.join("; "))
        },
    ))
}

pub(super) async fn update_changes_only_what_is_sent(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let row = Row::new().set(sys_user::FIRST_NAME, "Changed");
    let after = context.change(sys_user::TABLE, user.sys_id(), row).await?;
    let holds = after.text(sys_user::FIRST_NAME) == Cell::Value("Changed")
        && after.text(sys_user::LAST_NAME) == user.text(sys_user::LAST_NAME)
        && after.text(sys_user::TITLE) == user.text(sys_user::TITLE);
    Ok(Seen::of(
        holds,
        if holds {
            "One column was sent, one was changed."
        } else {
            "Other columns are not as they were, or the change was not kept."
        },
    ))
}

pub(super) async fn empty_text_clears(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let row = Row::new().set(sys_user::FIRST_NAME, "Full");
    context.change(sys_user::TABLE, user.sys_id(), row).await?;
    let row = Row::new().clear(sys_user::FIRST_NAME);
    let after = context.change(sys_user::TABLE, user.sys_id(), row).await?;
    let holds = after.text(sys_user::FIRST_NAME) == Cell::Empty;
    Ok(Seen::of(holds, if holds { "Cleared." } else { "Still there." }))
}

pub(super) async fn equal_values_leave_the_count(context: &RunContext) -> Probed {
    let group = context.group().await?;
    let row = Row::new().set(sys_user_group::DESCRIPTION, "Live test");
    let before = context
        .change(sys_user_group::TABLE, group.sys_id(), row.clone())
        .await?;
    let after = context.change(sys_user_group::TABLE, group.sys_id(), row).await?;
    let [before, after] = [before, after].map(|record| record.integer(every::SYS_MOD_COUNT).value());
    Ok(match (before, after) {
        (Some(before), Some(after)) => Seen::of(before == after, format!("{before}, then {after}.")),
        _ => Seen::Open("sys_mod_count is not shown.".to_owned()),
    })
}

fn no_such_column() -> Column {
    Column::named("u_tfacc_no_such_column", ColumnKind::Text).unwrap()
}

pub(super) async fn unknown_columns_are_ignored(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let update = Update {
        table: sys_user::TABLE,
        sys_id: user.sys_id(),
        row: Row::new().set(no_such_column(), "ignored"),
        read: &[],
        input: InputMode::Stored,
    };
    context.session.update(update).await?;
    Ok(Seen::Holds("The write succeeded.".to_owned()))
}

pub(super) async fn unknown_columns_are_left_out(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let columns = [sys_user::USER_NAME, no_such_column()];
    let read = context.session.get(sys_user::TABLE, user.sys_id(), &columns).await?;
    if read.text(sys_user::USER_NAME).is_hidden() {
        return Ok(Seen::Open(
            "The other column of the read is not shown either.".to_owned(),
        ));
    }
    let holds = read.text(no_such_column()).is_hidden();
    Ok(Seen::of(
        holds,
        if holds { "Left out." } else { "It is in the answer." },
    ))
}

/// A key that no record has.
fn absent_id() -> SysId {
    SysId::parse(&format!("{:032x}", rand::random::<u128>())).unwrap()
}

pub(super) async fn absent_record_is_404(context: &RunContext) -> Probed {
    let found = context.session.get_opt(sys_user::TABLE, &absent_id(), &[]).await?;
    Ok(Seen::of(found.is_none(), "No record under a key that nobody has."))
}

pub(super) async fn absent_table_is_400(context: &RunContext) -> Probed {
    let table = Table::named("u_tfacc_no_such_table").unwrap();
    let read = context.session.select(table, &Query::every_row(), &[]).await;
    Ok(match read {
        Err(TableError::NoSuchTable { .. }) => Seen::Holds("The instance says that it has no such table.".to_owned()),
        Err(error) => Seen::Differs(with_causes(&error)),
        Ok(_) => Seen::Differs("A list of a table that does not exist.".to_owned()),
    })
}

pub(super) async fn delete_removes_once(context: &RunContext) -> Probed {
    let row = Row::new().set(sys_user_group::NAME, context.name("removed"));
    let group = context.make(sys_user_group::TABLE, row).await?;
    let first = context.delete(sys_user_group::TABLE, group.sys_id()).await?;
    let second = context.delete(sys_user_group::TABLE, group.sys_id()).await?;
    Ok(Seen::of(
        first == Deleted::Removed && second == Deleted::WasGone,
        format!("{first:?}, then {second:?}."),
    ))
}

pub(super) async fn lists_are_counted(context: &RunContext) -> Probed {
    let query = equals(sys_user::USER_NAME, &context.name("nobody"), sys_user::TABLE)?;
    match context.session.select(sys_user::TABLE, &query, &[]).await {
        Ok(rows) => Ok(Seen::of(rows.is_empty(), "An empty list is counted.")),
        Err(TableError::Unproven { .. }) => Ok(Seen::Differs("An empty list is not counted.".to_owned())),
        Err(error) => Err(error),
    }
}

pub(super) async fn pages_are_complete(context: &RunContext) -> Probed {
    for number in 1..=5 {
        let row = Row::new().set(sys_user_group::NAME, context.name(&format!("page-{number}")));
        context.make(sys_user_group::TABLE, row).await?;
    }
    let query = starting(sys_user_group::NAME, &context.name("page-"), sys_user_group::TABLE)?;
    let mut sizes = pages(context, &query).await?;
    if sizes != [2, 2, 1] {
        // Lists may lag behind writes, which is another fact.
        context.session.wait(Duration::from_secs(2)).await;
        sizes = pages(context, &query).await?;
    }
    Ok(Seen::of(
        sizes == [2, 2, 1],
        format!("Five records in pages of {sizes:?}."),
    ))
}

/// How many different groups each page has, by two.
async fn pages(context: &RunContext, query: &Query) -> Result<Vec<usize>, TableError> {
    let columns = [sys_user_group::NAME];
    let mut pages = context.session.pages(sys_user_group::TABLE, query, &columns, 2);
    let mut sizes = Vec::new();
    let mut known = BTreeSet::new();
    while let Some(page) = pages.next().await? {
        let new = page.iter().filter(|row| known.insert(row.sys_id().clone()));
        sizes.push(new.count());
    }
    Ok(sizes)
}

pub(super) async fn queries_find_by_equality(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let table = sys_user::TABLE;
    let name = context.name("user");
    let exact = equals(sys_user::USER_NAME, &name, table)?.and(equals(sys_user::LAST_NAME, "Live test", table)?);
    let either = equals(sys_user::USER_NAME, &context.name("nobody"), table)?.or(exact.clone());
    let queries = [
        ("=", exact),
        ("STARTSWITH", starting(sys_user::USER_NAME, &name, table)?),
        ("^OR", either.order_by(sys_user::USER_NAME)),
        (
            "IN",
            Query::any_of(sys_user::USER_NAME, [name.as_str()])
                .map_err(|source| TableError::Query { table, source })?,
        ),
    ];
    let mut failed = Vec::new();
    for (operator, query) in queries {
        let found = context.session.select(table, &query, &[sys_user::USER_NAME]).await?;
        if !matches!(found.as_slice(), [one] if one.sys_id() == user.sys_id()) {
            failed.push(operator);
        }
    }
    Ok(Seen::of(
        failed.is_empty(),
        if failed.is_empty() {
            "Each finds the one record.".to_owned()
        } else {
            format!("These do not find the one record: {}.", failed.join(", "))
        },
    ))
}

pub(super) async fn equality_and_case(context: &RunContext) -> Probed {
    context.user().await?;
    let capitals = context.name("user").to_uppercase();
    let query = equals(sys_user::USER_NAME, &capitals, sys_user::TABLE)?;
    let mut pages = context
        .session
        .pages(sys_user::TABLE, &query, &[sys_user::USER_NAME], 10);
    let found = pages.next().await?.map_or(0, |page| page.len()) + pages.hidden();
    Ok(Seen::Holds(if found == 0 {
        "= tells capitals and small letters apart.".to_owned()
    } else {
        "= finds a name in other capitals.".to_owned()
    }))
}

/// A request without any sign-in.
pub(super) async fn words_of_401(context: &RunContext) -> Probed {
    let Some(address) = &context.clients.address else {
        return Ok(Seen::Open("The address of the instance is not known.".to_owned()));
    };
    let client = Arc::new(Client::new(address.http.clone()));
    let sent = async {
        let origin = Origin::parse(&address.url)?;
        let url = origin.join("/api/now/table/sys_user?sysparm_limit=1&sysparm_fields=sys_id")?;
        let request =
            Request::new(Method::GET, url, &origin, Repeat::Idempotent).header(header::ACCEPT, "application/json")?;
        client.send(request, &limits()).await
    };
    let answer = match sent.await {
        Ok(answer) => answer,
        Err(error) => return Ok(Seen::Differs(with_causes(&error))),
    };
    let body: serde_json::Value = answer.json().unwrap_or_default();
    let message = body["error"]["message"].as_str().unwrap_or_default();
    let known = ["User is not authenticated", "User Not Authenticated"];
    Ok(Seen::of(
        answer.status() == 401 && known.iter().any(|words| words.eq_ignore_ascii_case(message)),
        format!("{} with {message:?}.", answer.status().as_u16()),
    ))
}

pub(super) async fn reads_follow_writes(context: &RunContext) -> Probed {
    let name = context.name("followed");
    let query = equals(sys_user_group::NAME, &name, sys_user_group::TABLE)?;
    context
        .make(sys_user_group::TABLE, Row::new().set(sys_user_group::NAME, &name))
        .await?;
    let mut pages = context.session.pages(sys_user_group::TABLE, &query, &[], 5);
    let found = pages.next().await?.map_or(0, |page| page.len());
    Ok(Seen::of(
        found == 1,
        format!("The next list has {found} of one record."),
    ))
}

pub(super) async fn texts_are_kept(context: &RunContext) -> Probed {
    let row = Row::new()
        .set(sys_user_group::NAME, context.name("texts"))
        .set(sys_user_group::DESCRIPTION, "  one\r\ntwo\n ");
    let made = context.make(sys_user_group::TABLE, row).await?;
    let kept = made.text(sys_user_group::DESCRIPTION).value().unwrap_or_default();
    Ok(Seen::Holds(format!("\"  one\\r\\ntwo\\n \" became {kept:?}.")))
}

pub(super) async fn texts_are_cut(context: &RunContext) -> Probed {
    let long = "x".repeat(400);
    let row = Row::new()
        .set(sys_user::USER_NAME, context.name("long"))
        .set(sys_user::LAST_NAME, long);
    Ok(match context.make(sys_user::TABLE, row).await {
        Ok(made) => {
            let kept = made.text(sys_user::LAST_NAME).value().unwrap_or_default().len();
            Seen::Holds(format!("400 characters in last_name became {kept}."))
        }
        Err(error) => Seen::Holds(format!(
            "400 characters in last_name were refused: {}.",
            with_causes(&error)
        )),
    })
}

pub(super) async fn ids_are_lower_case(context: &RunContext) -> Probed {
    let user = context.user().await?;
    let shown = user.text(every::SYS_ID).value().unwrap_or_default();
    Ok(Seen::of(
        !shown.chars().any(|c| c.is_ascii_uppercase()),
        "The sys_id of a record of this run.",
    ))
}

pub(super) fn equals(column: Column, value: &str, table: Table) -> Result<Query, TableError> {
    Query::equals(column, value).map_err(|source| TableError::Query { table, source })
}

pub(super) fn starting(column: Column, value: &str, table: Table) -> Result<Query, TableError> {
    Query::starts_with(column, value).map_err(|source| TableError::Query { table, source })
}

/// Direct and inherited grants of a user.
pub(super) async fn grants_of(
    context: &RunContext,
    user: &SysId,
) -> Result<Vec<servicenow_provider::servicenow::Record>, TableError> {
    let table = sys_user_has_role::TABLE;
    let query = Query::equals(sys_user_has_role::USER, user).map_err(|source| TableError::Query { table, source })?;
    context.session.select(table, &query, sys_user_has_role::COLUMNS).await
}
