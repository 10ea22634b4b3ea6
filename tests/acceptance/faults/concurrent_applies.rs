//! Two workspaces that apply to one instance at the same time. The simulator holds the requests of both until both are
//! there, so they do meet.

use std::time::Duration;

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Faults, Gate, Matcher};

use crate::harness::configurations::{ENTITY, GROUP, PRIVILEGE, PROVIDER, ROLE, RULE, USER};
use crate::harness::{Run, Simulator, Terraform, Workspace, eventually, for_each_terraform};

const ADDRESS: &str = "servicenow_oauth_entity.this";

/// Holds `count` requests that match until all of them are there.
async fn meet(faults: &Faults, count: usize, gate: &Gate) {
    let before = faults.fired().len();
    eventually("the requests of both", Duration::from_secs(60), || {
        faults.fired().len() >= count
    })
    .await;
    assert!(before <= count, "they met before");
    gate.open();
    faults.clear();
}

/// Applies in both workspaces, so that the requests that match meet.
async fn apply_both(faults: &Faults, matcher: Matcher, one: &Workspace, other: &Workspace) -> [Run; 2] {
    let gate = Gate::shut();
    let before = faults.fired().len();
    faults.every(matcher, Fault::HeldBefore(gate.clone()));
    let (first, second) = (one.start(&["apply"]), other.start(&["apply"]));
    meet(faults, before + 2, &gate).await;
    [one.finish(first).await, other.finish(second).await]
}

/// A second workspace that has the state of the first.
fn twin(simulator: &Simulator, terraform: &Terraform, of: &Workspace, configuration: &str) -> Workspace {
    let twin = simulator.workspace(terraform, configuration);
    let state = |workspace: &Workspace| workspace.folder().join("terraform.tfstate");
    std::fs::copy(state(of), state(&twin)).unwrap();
    twin
}

#[tokio::test]
async fn two_roles_for_one_user_are_both_granted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let person = simulator.person("abel.tuter");
        let [one, other] = ["itil", "knowledge"].map(|role| {
            let configuration =
                format!("resource \"servicenow_user_role\" \"it\" {{\n user = \"abel.tuter\"\n role = {role:?}\n}}\n");
            simulator.workspace(terraform, &configuration)
        });
        let grants = Matcher::table("sys_user_has_role").method(Method::POST);

        for apply in apply_both(simulator.instance().faults(), grants, &one, &other).await {
            apply.succeeds();
        }

        let rows = simulator.instance().find("sys_user_has_role", "user", &person);
        let direct = rows.iter().filter(|row| row["inherited"] != "true");
        assert_eq!(direct.count(), 2, "{rows:#?}");
        for workspace in [&one, &other] {
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
        }
        simulator.is_as_at_start();
    })
    .await;
}

/// The instance keeps names of users unique: whoever comes second learns who was first.
#[tokio::test]
async fn of_two_users_of_one_name_one_is_made() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [one, other] = ["One", "Other"].map(|name| {
            let configuration = format!(
                "resource \"servicenow_integration_user\" \"it\" {{\n user_name = \"robot\"\n last_name = {name:?}\n}}\n"
            );
            simulator.workspace(terraform, &configuration)
        });
        let users = Matcher::table("sys_user").method(Method::POST);

        let [first, second] = apply_both(simulator.instance().faults(), users, &one, &other).await;

        let made = simulator.only_record("sys_user");
        let (winner, loser) = if one.addresses().is_empty() {
            (first, second)
        } else {
            (second, first)
        };
        // Whose state is empty was refused.
        let (refused, succeeded) = (winner, loser);
        succeeded.succeeds();
        refused
            .fails_saying("The user already exists")
            .says(&format!("{} ({}, created by admin", made["last_name"], made["sys_id"]))
            .says(&format!(
                "terraform import servicenow_integration_user.<name> {}",
                made["sys_id"]
            ));
    })
    .await;
}

#[tokio::test]
async fn a_change_of_what_the_other_removes_says_so_and_is_planned_anew() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let one = simulator.workspace(terraform, ENTITY);
        one.terraform("apply").await.succeeds();
        let other = twin(&simulator, terraform, &one, ENTITY);
        one.configure(&ENTITY.replace("client_id", "comments = \"x\"\n client_id"));
        let gate = Gate::shut();
        let changes = Matcher::table("oauth_entity").method(Method::PATCH);
        simulator
            .instance()
            .faults()
            .next(changes, Fault::HeldBefore(gate.clone()));

        let change = one.start(&["apply"]);
        eventually("the change", Duration::from_secs(60), || {
            !simulator.instance().faults().fired().is_empty()
        })
        .await;
        other.terraform("destroy").await.succeeds();
        gate.open();
        let change = one.finish(change).await;

        change
            .fails_saying("Could not update the registry entry")
            .says("deleted in the meantime");
        simulator.is_as_at_start();
        one.plan().await.does(ADDRESS, &["create"]);
        one.terraform("apply plan.bin").await.succeeds();
        simulator.only_record("oauth_entity");
        one.plan_is_empty().await;
    })
    .await;
}

/// Nothing locks a record: the last write stays, and the next plan of the other shows it.
#[tokio::test]
async fn of_two_changes_the_last_stays_and_the_other_plan_shows_it() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let one = simulator.workspace(terraform, ENTITY);
        one.terraform("apply").await.succeeds();
        let other = twin(&simulator, terraform, &one, ENTITY);
        for (workspace, comment) in [(&one, "of one"), (&other, "of other")] {
            workspace.configure(&ENTITY.replace("client_id", &format!("comments = {comment:?}\n client_id")));
        }
        let changes = Matcher::table("oauth_entity").method(Method::PATCH);

        for apply in apply_both(simulator.instance().faults(), changes, &one, &other).await {
            apply.succeeds();
        }

        let kept = simulator.only_record("oauth_entity")["comments"].clone();
        let (last, first) = if kept == "of one" {
            (&one, &other)
        } else {
            (&other, &one)
        };
        last.plan_is_empty().await;
        first.plan().await.updates_only(ADDRESS, &["comments"]);
    })
    .await;
}

/// The settings and the list share one document in the admin center; who writes one keeps the other.
#[tokio::test]
async fn the_admin_center_loses_nothing_to_two_at_once() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let repository = |id: &str| {
            format!(
                "resource \"m365_support_repository\" \"it\" {{\n provider = servicenow\n repository_id = {id:?}\n endpoint = \
                 \"https://{id}.service-now.com/\"\n}}\n"
            )
        };
        let settings = "resource \"m365_support_settings\" \"it\" {\n provider = servicenow\n application_id = \
                        \"11111111-2222-3333-4444-555555555555\"\n}\n";
        let one = simulator.workspace(terraform, &[repository("contoso").as_str(), settings].concat());
        let other = simulator.workspace(terraform, &repository("fabrikam"));
        let faults = simulator.admin().faults();
        let gate = Gate::shut();
        faults.every(
            Matcher::any()
                .method(Method::POST)
                .path(|path| path.contains("supportRepository")),
            Fault::HeldBefore(gate.clone()),
        );

        let (first, second) = (one.start(&["apply"]), other.start(&["apply"]));
        meet(faults, 3, &gate).await;
        one.finish(first).await.succeeds();
        other.finish(second).await.succeeds();

        assert_eq!(simulator.admin().repositories().len(), 2);
        assert!(simulator.admin().application_id().starts_with("11111111"));
        for workspace in [&one, &other] {
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
        }
        simulator.is_as_at_start();
    })
    .await;
}

/// A list that is empty for once, as one that lags behind a write is: no record is made a second time.
#[tokio::test]
async fn a_list_that_shows_a_record_late_makes_no_second_one() {
    let of_configuration = PROVIDER.replace("11111111", "99999999");
    let cases = [
        (USER, USER, "sys_user"),
        (GROUP, GROUP, "sys_user_group"),
        (ROLE, ROLE, "sys_user_role"),
        (RULE, RULE, "ip_access"),
        (PRIVILEGE, PRIVILEGE, "sys_scope_privilege"),
        (ENTITY, ENTITY, "oauth_entity"),
        (PROVIDER, PROVIDER, "oauth_oidc_entity"),
        (PROVIDER, &of_configuration, "oidc_provider_configuration"),
    ];
    for_each_terraform(async |terraform| {
        for (first, second, table) in cases {
            let simulator = Simulator::start().await;
            let instance = simulator.instance();
            instance.switches(|modes| modes.unique_oidc_url = false);
            simulator
                .workspace(terraform, first)
                .terraform("apply")
                .await
                .succeeds();
            let record = simulator.created(table).remove(0);
            let late = Matcher::table(table).method(Method::GET);
            instance.faults().next(late, Fault::EmptyList);

            let apply = simulator.workspace(terraform, second).terraform("apply").await;

            assert_eq!(simulator.created(table).len(), 1, "{table}");
            assert!(apply.mentions(&record["sys_id"]), "{table}: {}", apply.output());
        }
    })
    .await;
}
