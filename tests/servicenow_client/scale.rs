//! How many requests an estate costs at Terraform's ten calls at a time.

use futures_util::StreamExt;
use futures_util::stream;
use servicenow_provider::http::Method;
use servicenow_provider::servicenow::tables::sys_user_has_role;
use servicenow_provider::servicenow::{Column, Granted, LinkTable, Revoked, Update};
use servicenow_simulator::faults::{Fault, Matcher};

use super::*;

const USERS: usize = 300;
const PARALLELISM: usize = 10;

#[tokio::test]
async fn three_hundred_users_with_a_grant_each_cost_few_requests() {
    let simulator = simulator().await;
    let session = session(&simulator);

    let made: Vec<(SysId, SysId)> = stream::iter(0..USERS)
        .map(|number| {
            let session = session.clone();
            async move {
                let made = session.insert(user(&format!("robot-{number}"))).await.unwrap();
                let user = made.record.sys_id().clone();
                let role = session.roles().id_of("incident_manager").await.unwrap();
                let granted = session.links(LinkTable::ROLES).grant(&user, &role).await.unwrap();
                (user, granted.sys_id().clone())
            }
        })
        .buffer_unordered(PARALLELISM)
        .collect()
        .await;
    let to_apply = simulator.instance().requests().len();
    assert!(to_apply <= 640, "{to_apply} requests to apply");

    for latency in [0, 30] {
        let faults = simulator.instance().faults();
        faults.clear();
        faults.every(Matcher::any(), Fault::Slow(Duration::from_millis(latency)));
        simulator.instance().clear_requests();
        // Another process: nothing is known yet.
        let session = super::session(&simulator).for_refresh();
        // Terraform's order: a grant waits for its user, and what waits is served first come, first served.
        for (table, sys_ids) in [
            (sys_user::TABLE, made.iter().map(|(user, _)| user).collect::<Vec<_>>()),
            (sys_user_has_role::TABLE, made.iter().map(|(_, grant)| grant).collect()),
        ] {
            stream::iter(sys_ids)
                .enumerate()
                .for_each_concurrent(PARALLELISM, |(number, sys_id)| {
                    let session = session.clone();
                    async move {
                        // Terraform's own work between two reads is not the same for each resource.
                        tokio::time::sleep(Duration::from_millis((number * 7 % 11) as u64)).await;
                        assert!(session.get_opt(table, sys_id, &[]).await.unwrap().is_some());
                    }
                })
                .await;
        }
        let to_plan = simulator.instance().requests().len();
        assert!(to_plan <= 65, "{to_plan} requests to plan at {latency} ms");
    }
}

#[tokio::test]
async fn three_hundred_roles_of_one_user_are_one_request_each() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let roles: Vec<SysId> = (0..300)
        .map(|number| {
            let name = format!("role-{number}");
            SysId::parse(&simulator.instance().put("sys_user_role", &[("name", &name)])).unwrap()
        })
        .collect();
    let made = session.insert(user("robot")).await.unwrap();
    let (new, links) = (made.record.sys_id(), session.links(LinkTable::ROLES));

    simulator.instance().clear_requests();
    let granted = links.grant_each(new, &roles).await;
    assert!(granted.iter().all(|one| matches!(one, Ok(Granted::Made(_)))));
    assert_eq!(simulator.instance().requests().len(), 300);

    // What it has is known by its rows alone: a second time, one look tells.
    simulator.instance().clear_requests();
    let again = links.grant_each(new, &roles).await;
    assert!(again.iter().all(|one| matches!(one, Ok(Granted::Had(_)))));
    assert_eq!(simulator.instance().requests().len(), 1);

    // By another process: what one finds it takes over.
    let other = self::session(&simulator);
    simulator.instance().clear_requests();
    let revoked = other.links(LinkTable::ROLES).revoke_each(new, &roles).await;
    assert!(revoked.iter().all(|one| matches!(one, Ok(Revoked { removed: 1, .. }))));
    assert_eq!(simulator.instance().requests().len(), 301);
}

/// Forty users, of which a refresh in another process read the first half: the next read brings the others along.
async fn half_read(simulator: &Simulator) -> (Session, Vec<SysId>) {
    let session = session(simulator);
    let mut users = Vec::new();
    for number in 0..40 {
        let made = session.insert(user(&format!("robot-{number}"))).await.unwrap();
        users.push(made.record.sys_id().clone());
    }
    let session = super::session(simulator);
    let refresh = session.clone().for_refresh();
    for sys_id in &users[..=20] {
        refresh
            .get_opt(sys_user::TABLE, sys_id, COLUMNS)
            .await
            .unwrap()
            .unwrap();
    }
    (session, users)
}

const COLUMNS: &[Column] = &[sys_user::USER_NAME, sys_user::TITLE];

async fn title(session: &Session, sys_id: &SysId) -> Option<String> {
    let found = session
        .get_opt(sys_user::TABLE, sys_id, COLUMNS)
        .await
        .unwrap()
        .unwrap();
    found.text(sys_user::TITLE).value().map(str::to_owned)
}

#[tokio::test]
async fn what_was_prefetched_is_used_once_and_for_a_refresh_alone() {
    let simulator = simulator().await;
    let (session, users) = half_read(&simulator).await;
    simulator
        .instance()
        .change("sys_user", users[39].as_str(), &[("title", "changed")]);

    let refresh = session.clone().for_refresh();
    assert_eq!(title(&session, &users[39]).await.as_deref(), Some("changed"));
    assert_eq!(title(&refresh, &users[39]).await, None);
    assert_eq!(title(&refresh, &users[39]).await.as_deref(), Some("changed"));
}

/// Ten reads at a time promise more: the second request brings the others along, and what is asked for meanwhile or
/// afterwards is not read again.
#[tokio::test]
async fn what_is_asked_for_during_a_prefetch_is_answered_by_it() {
    let simulator = simulator().await;
    let session = session(&simulator);
    let users: Vec<SysId> = stream::iter(0..30)
        .then(|number| session.insert(user(&format!("robot-{number}"))))
        .map(|made| made.unwrap().record.sys_id().clone())
        .collect()
        .await;
    simulator.instance().clear_requests();
    let refresh = super::session(&simulator).for_refresh();

    let (first, second) = users.split_at(10);
    for sys_ids in [first, second] {
        let reads = sys_ids
            .iter()
            .map(|sys_id| refresh.get_opt(sys_user::TABLE, sys_id, COLUMNS));
        let read = futures_util::future::join_all(reads).await;
        assert!(read.iter().all(|read| matches!(read, Ok(Some(_)))));
    }

    // One, the nine others, and beside them the page with the rest.
    assert_eq!(simulator.instance().requests().len(), 3);
}

#[tokio::test]
async fn what_was_prefetched_does_not_outlive_a_write() {
    let simulator = simulator().await;
    let (session, users) = half_read(&simulator).await;
    simulator
        .instance()
        .change("sys_user", users[38].as_str(), &[("title", "changed")]);
    let update = Update {
        table: sys_user::TABLE,
        sys_id: &users[39],
        row: Row::new().set(sys_user::TITLE, "another"),
        read: COLUMNS,
        input: InputMode::Stored,
    };
    session.update(update).await.unwrap();

    let refresh = session.for_refresh();
    assert_eq!(title(&refresh, &users[38]).await.as_deref(), Some("changed"));
}

#[tokio::test]
async fn where_prefetching_is_refused_everything_is_read_as_ever() {
    let simulator = simulator().await;
    let lists = Matcher::table("sys_user")
        .method(Method::GET)
        .path(|path| path.ends_with("sys_user"));
    simulator.instance().faults().next(lists, Fault::ForbiddenByAcl);
    let (session, users) = half_read(&simulator).await;
    let session = session.for_refresh();

    for sys_id in &users {
        assert_eq!(title(&session, sys_id).await, None);
    }
    let fired = simulator.instance().faults().fired();
    assert_eq!(fired.len(), 1, "{fired:?}");
}

/// A search by creator can take an instance long; who asks for single records does not wait for it, and it is not tried again.
#[tokio::test]
async fn a_slow_prefetch_delays_the_reads_once_and_not_for_long() {
    let simulator = simulator().await;
    let lists = Matcher::table("sys_user")
        .method(Method::GET)
        .path(|path| path.ends_with("sys_user"));
    let slow = Fault::Slow(Duration::from_secs(60));
    simulator.instance().faults().every(lists, slow);
    let begun = tokio::time::Instant::now();

    let (session, users) = half_read(&simulator).await;
    let session = session.for_refresh();
    for sys_id in &users {
        assert_eq!(title(&session, sys_id).await, None);
    }

    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(simulator.instance().faults().fired().len(), 1);
}

#[tokio::test]
async fn rows_of_others_that_cannot_be_read_spoil_no_read() {
    let simulator = simulator().await;
    let (session, users) = half_read(&simulator).await;
    let session = session.for_refresh();
    let role = session.roles().id_of("knowledge").await.unwrap();
    let grant = [("user", users[39].as_str()), ("role", role.as_str())];
    simulator.instance().put("sys_user_has_role", &grant);
    let every_row = simulator.instance().records("sys_user_has_role");
    simulator.instance().switches(|modes| {
        let ids = every_row.iter().filter_map(|row| row.get("sys_id"));
        modes.hidden_rows.extend(ids.cloned());
    });
    simulator.instance().clear_requests();

    let grants = session.links(LinkTable::ROLES).of(&users[0]).await.unwrap();

    assert!(grants.is_empty());
    let asked: Vec<usize> = simulator
        .instance()
        .requests()
        .iter()
        .map(|request| {
            users
                .iter()
                .filter(|user| request.query.contains(user.as_str()))
                .count()
        })
        .collect();
    assert!(
        matches!(asked[..], [first, 1] if first > 1),
        "{asked:?}: first with others, then alone"
    );
}
