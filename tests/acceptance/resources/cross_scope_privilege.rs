//! `servicenow_cross_scope_privilege`: made where it is missing, taken over where it exists.

use crate::harness::{Drift, Imports, Simulator, for_each_terraform, removal_is_corrected};

const PRIVILEGE: &str = r#"
    resource "servicenow_cross_scope_privilege" "read" {
      source_scope = "x_mioms_m365_assis"
      target_scope = "global"
      target_name  = "oauth_entity"
      target_type  = "sys_db_object"
      operation    = "read"
      status       = "allowed"
    }
"#;
const ADDRESS: &str = "servicenow_cross_scope_privilege.read";

fn application(simulator: &Simulator) -> String {
    simulator
        .instance()
        .find("sys_store_app", "scope", "x_mioms_m365_assis")[0]["sys_id"]
        .clone()
}

/// A record as the application's installation makes it.
fn existing(simulator: &Simulator, status: &str) -> String {
    let application = application(simulator);
    simulator.instance().put(
        "sys_scope_privilege",
        &[
            ("source_scope", application.as_str()),
            ("target_scope", "global"),
            ("target_name", "oauth_entity"),
            ("target_type", "sys_db_object"),
            ("operation", "read"),
            ("status", status),
            ("sys_scope", application.as_str()),
        ],
    )
}

#[tokio::test]
async fn a_privilege_is_made_changed_and_removed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, PRIVILEGE);

        workspace.terraform("apply").await.succeeds_without_warning();

        let record = simulator.only_record("sys_scope_privilege");
        assert_eq!(record["source_scope"], application(&simulator));
        assert_eq!(record["target_scope"], "global");
        assert_eq!(record["sys_scope"], application(&simulator));
        assert_eq!(record["status"], "allowed");
        workspace
            .state(ADDRESS)
            .has("application_scope", "x_mioms_m365_assis")
            .has("id", record["sys_id"].as_str())
            .lacks("original_status");
        workspace.plan_is_empty().await;

        workspace.configure(&PRIVILEGE.replace("allowed", "denied"));
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply").await.succeeds_without_warning();
        assert_eq!(simulator.only_record("sys_scope_privilege")["status"], "denied");

        workspace.configure(&PRIVILEGE.replace("oauth_entity", "oauth_entity_profile"));
        let plan = workspace.plan().await;
        plan.does(ADDRESS, &["delete", "create"])
            .replaces_because_of(ADDRESS, &["target_name"]);
        workspace.terraform("apply").await.succeeds_without_warning();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn what_is_left_out_is_the_usual() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            &format!(
                "resource \"servicenow_cross_scope_privilege\" \"read\" {{\n  source_scope = {:?}\n  target_name  = \
                 \"oauth_entity\"\n}}",
                application(&simulator)
            ),
        );

        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("target_scope", "global")
            .has("target_type", "sys_db_object")
            .has("operation", "read")
            .has("status", "allowed");
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn an_existing_privilege_is_taken_over_and_its_status_put_back() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = existing(&simulator, "requested");
        let jane = [("sys_created_by", "jane.doe")];
        simulator.instance().change("sys_scope_privilege", &id, &jane);
        let workspace = simulator.workspace(terraform, PRIVILEGE);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The privilege already existed")
            .says("created by jane.doe");

        let record = simulator.only_record("sys_scope_privilege");
        assert_eq!((&record["sys_id"], record["status"].as_str()), (&id, "allowed"));
        assert_eq!(record["sys_scope"], application(&simulator));
        workspace
            .state(ADDRESS)
            .has("id", id.as_str())
            .has("original_status", "requested");
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(simulator.only_record("sys_scope_privilege")["status"], "requested");
    })
    .await;
}

/// One of the account itself may be what an interrupted apply made.
#[tokio::test]
async fn a_privilege_that_the_account_made_may_be_of_an_interrupted_apply() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = existing(&simulator, "requested");
        let own = [("sys_created_by", simulator.username())];
        simulator.instance().change("sys_scope_privilege", &id, &own);
        let workspace = simulator.workspace(terraform, PRIVILEGE);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("the account of this provider")
            .says("If an interrupted apply created it, delete it in the form after the destroy.");
    })
    .await;
}

#[tokio::test]
async fn drift_and_absence_are_put_right() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, PRIVILEGE);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");

        Drift {
            address: ADDRESS,
            changes: &[("sys_scope_privilege", &id, &[("status", "denied")])],
            planned: &["status"],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        assert_eq!(simulator.only_record("sys_scope_privilege")["status"], "allowed");

        removal_is_corrected(&workspace, ADDRESS, |id| {
            simulator.instance().remove("sys_scope_privilege", id);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_privilege_is_imported_by_key_by_columns_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, PRIVILEGE);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        Imports {
            address: ADDRESS,
            configuration: PRIVILEGE,
            identity: ("sys_id", &id),
            targets: &[&id, "source_scope=x_mioms_m365_assis^target_name=oauth_entity"],
            state: &[("id", &id), ("source_scope", "x_mioms_m365_assis")],
            refused: &[],
        }
        .round_trip(terraform, &workspace)
        .await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// The platform's own are in the source application, and those of older versions of this provider in the global one.
#[tokio::test]
async fn a_privilege_in_either_application_is_imported_without_a_change() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = existing(&simulator, "allowed");
        let workspace = simulator.workspace(terraform, PRIVILEGE);
        for (scope, name) in [
            (application(&simulator).as_str(), "x_mioms_m365_assis"),
            ("global", "global"),
        ] {
            simulator
                .instance()
                .change("sys_scope_privilege", &id, &[("sys_scope", scope)]);
            workspace.terraform_with(&["import", ADDRESS, &id]).await.succeeds();
            workspace.state(ADDRESS).has("application_scope", name);
            workspace.plan_is_empty().await;
            workspace.configure(&PRIVILEGE.replace("allowed", "denied"));
            workspace.plan().await.updates_only(ADDRESS, &["status"]);
            workspace.configure(PRIVILEGE);
            workspace.terraform(&format!("state rm {ADDRESS}")).await.succeeds();
        }
    })
    .await;
}

#[tokio::test]
async fn the_source_of_a_privilege_may_be_unknown_until_apply() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let later = "resource \"terraform_data\" \"later\" {\n  input = \"x_mioms_m365_assis\"\n}\n";
        let privilege = PRIVILEGE.replacen("\"x_mioms_m365_assis\"", "terraform_data.later.output", 1);
        let workspace = simulator.workspace(terraform, &[later, &privilege].concat());

        workspace.terraform("apply").await.succeeds();

        assert_eq!(
            simulator.only_record("sys_scope_privilege")["sys_scope"],
            application(&simulator)
        );
        workspace.state(ADDRESS).has("application_scope", "x_mioms_m365_assis");
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn an_application_that_is_not_installed_is_an_error_at_its_attribute() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &PRIVILEGE.replace("x_mioms_m365_assis", "x_other"));

        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not find the application")
            .says("\"x_other\"")
            .says("source_scope = \"x_other\"");
    })
    .await;
}

/// The instance takes names for equal that differ in case: the row that is found keeps its own, which no destroy would restore.
#[tokio::test]
async fn a_privilege_that_is_taken_over_keeps_the_spelling_of_its_key() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().quirks(|quirks| quirks.ignores_case = true);
        let id = existing(&simulator, "requested");
        let mixed = [("target_name", "OAuth_Entity")];
        simulator.instance().change("sys_scope_privilege", &id, &mixed);
        let workspace = simulator.workspace(terraform, PRIVILEGE);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The privilege already existed");

        let record = simulator.only_record("sys_scope_privilege");
        assert_eq!([&record["target_name"], &record["status"]], ["OAuth_Entity", "allowed"]);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        let record = simulator.only_record("sys_scope_privilege");
        assert_eq!(
            [&record["target_name"], &record["status"]],
            ["OAuth_Entity", "requested"]
        );
    })
    .await;
}
