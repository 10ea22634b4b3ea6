//! How many requests an estate costs at Terraform's ten calls at a time.

use futures_util::StreamExt;
use futures_util::stream;
use servicenow_provider::servicenow::tables::sys_user_has_role;
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
                let granted = session.grants().grant(&user, &role).await.unwrap();
                (user, granted.sys_id().clone())
            }
        })
        .buffer_unordered(PARALLELISM)
        .collect()
        .await;
    let to_apply = simulator.instance().requests().len();
    assert!(to_apply <= 660, "{to_apply} requests to apply");

    for latency in [0, 30] {
        let faults = simulator.instance().faults();
        faults.clear();
        faults.every(Matcher::any(), Fault::Slow(Duration::from_millis(latency)));
        simulator.instance().clear_requests();
        // Another process: nothing is known yet.
        let session = super::session(&simulator);
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
                        assert!(session.find(table, sys_id, &[]).await.unwrap().is_some());
                    }
                })
                .await;
        }
        let to_plan = simulator.instance().requests().len();
        // 75 is the figure to reach, and a quiet machine does; a busy one must not fail here, 600 singles must.
        assert!(to_plan <= 120, "{to_plan} requests to plan at {latency} ms");
    }
}
