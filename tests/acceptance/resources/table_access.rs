//! `servicenow_table_access`: what was there before comes back.

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};

use crate::harness::configurations::replaced_after_creation;
use crate::harness::{Drift, Imports, Simulator, for_each_terraform};

const OPEN: &str = r#"
    resource "servicenow_table_access" "oauth_entity" {
      table       = "oauth_entity"
      access      = "public"
      read_access = true
    }
"#;
const ADDRESS: &str = "servicenow_table_access.oauth_entity";

/// An instance whose table is closed, as in the guide's error.
async fn closed() -> (Simulator, String) {
    let simulator = Simulator::start().await;
    let id = simulator.instance().find("sys_db_object", "name", "oauth_entity")[0]["sys_id"].clone();
    let closed = [
        ("access", "package_private"),
        ("read_access", "false"),
        ("caller_access", "2"),
    ];
    simulator.instance().change("sys_db_object", &id, &closed);
    (simulator, id)
}

fn settings(simulator: &Simulator) -> [String; 3] {
    let row = simulator
        .instance()
        .find("sys_db_object", "name", "oauth_entity")
        .remove(0);
    ["access", "read_access", "caller_access"].map(|column| row[column].clone())
}

const CLOSED: [&str; 3] = ["package_private", "false", "2"];

#[tokio::test]
async fn a_table_is_opened_and_closed_again() {
    for_each_terraform(async |terraform| {
        let (simulator, id) = closed().await;
        let workspace = simulator.workspace(terraform, OPEN);

        workspace.terraform("apply").await.succeeds();

        assert_eq!(settings(&simulator), ["public", "true", "2"]);
        workspace
            .state(ADDRESS)
            .has("id", id)
            .has("original_access", "package_private")
            .has("original_read_access", false)
            .lacks("original_caller_access");
        workspace.plan_is_empty().await;
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

#[tokio::test]
async fn a_setting_is_taken_on_and_given_back_in_place() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        let workspace = simulator.workspace(terraform, OPEN);
        workspace.terraform("apply").await.succeeds();

        let unrestricted = OPEN.replace("access      =", "caller_access = \"\"\n      access      =");
        workspace.configure(&unrestricted);
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply").await.succeeds();
        assert_eq!(settings(&simulator), ["public", "true", ""]);
        workspace
            .state(ADDRESS)
            .has("original_caller_access", "2")
            .has("original_access", "package_private");
        workspace.plan_is_empty().await;

        workspace.configure(&unrestricted.replace("read_access = true", ""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(settings(&simulator), ["public", "false", ""]);
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds();
        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

#[tokio::test]
async fn drift_is_put_right_and_does_not_become_the_old_value() {
    for_each_terraform(async |terraform| {
        let (simulator, id) = closed().await;
        let configuration = OPEN.replace("access      =", "caller_access = \"1\"\n      access      =");
        let workspace = simulator.workspace(terraform, &configuration);
        workspace.terraform("apply").await.succeeds();

        Drift {
            address: ADDRESS,
            changes: &[(
                "sys_db_object",
                &id,
                &[
                    ("access", "package_private"),
                    ("caller_access", ""),
                    ("read_access", "false"),
                ],
            )],
            planned: &["access", "caller_access", "read_access"],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;

        assert_eq!(settings(&simulator), ["public", "true", "1"]);
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

#[tokio::test]
async fn the_old_values_survive_an_apply_that_failed_half_way() {
    for_each_terraform(async |terraform| {
        let (simulator, id) = closed().await;
        let workspace = simulator.workspace(terraform, OPEN);
        // The write happens, but every answer from then on is lost.
        let write = || Matcher::table("sys_db_object").method(Method::PATCH);
        simulator.instance().faults().next(write(), Fault::CutAfter);
        simulator.instance().faults().every(write(), Fault::ServerError(503));

        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not change the table's access")
            .says("terraform untaint servicenow_table_access.<name>");

        assert_eq!(settings(&simulator), ["public", "true", "2"]);
        workspace
            .state(ADDRESS)
            .is_tainted()
            .has("id", id)
            .has("original_access", "package_private")
            .has("original_read_access", false);
        simulator.instance().faults().clear();
        workspace.terraform("apply").await.succeeds();
        assert_eq!(settings(&simulator), ["public", "true", "2"]);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

#[tokio::test]
async fn a_refused_write_leaves_nothing_to_put_back() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        let workspace = simulator.workspace(terraform, OPEN);
        let write = Matcher::table("sys_db_object").method(Method::PATCH);
        simulator.instance().faults().next(write, Fault::ForbiddenByAcl);

        workspace
            .terraform("apply")
            .await
            .fails_saying("No right to change the table's access");

        assert!(workspace.addresses().is_empty());
        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

#[tokio::test]
async fn a_column_that_is_dropped_in_silence_is_told_at_its_attribute() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        simulator.instance().switches(|modes| {
            modes
                .write_denied
                .insert(("sys_db_object".to_owned(), "access".to_owned()));
        });
        let workspace = simulator.workspace(terraform, OPEN);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("access was not kept");

        workspace.plan().await.updates_only(ADDRESS, &["access"]);
        workspace.state(ADDRESS).has("original_read_access", false);
        simulator.instance().switches(|modes| modes.write_denied.clear());
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

#[tokio::test]
async fn an_old_value_that_cannot_be_seen_is_not_overwritten() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        simulator.instance().switches(|modes| {
            modes
                .read_denied
                .insert(("sys_db_object".to_owned(), "access".to_owned()));
        });
        let workspace = simulator.workspace(terraform, OPEN);

        workspace
            .terraform("apply")
            .await
            .fails_saying("The old value cannot be read");

        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

#[tokio::test]
async fn another_table_is_another_resource() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        let workspace = simulator.workspace(terraform, OPEN);
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&OPEN.replace(
            "\"oauth_entity\"\n      access",
            "\"oauth_entity_profile\"\n      access",
        ));
        let plan = workspace.plan().await;
        plan.does(ADDRESS, &["delete", "create"])
            .replaces_because_of(ADDRESS, &["table"]);
        workspace.terraform("apply").await.succeeds();

        assert_eq!(settings(&simulator), CLOSED);
        workspace.configure(&OPEN.replace("\"oauth_entity\"\n", "\"oauth_entities\"\n"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not find the table")
            .says("did you mean \"oauth_entity\"");
    })
    .await;
}

#[tokio::test]
async fn a_setting_at_least_is_needed() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        let workspace = simulator.workspace(
            terraform,
            &OPEN.replace("access      = \"public\"\n      read_access = true", ""),
        );

        workspace
            .terraform("validate")
            .await
            .fails_saying("One of `access`, `read_access`, `caller_access` is required");
    })
    .await;
}

#[tokio::test]
async fn an_import_plans_nothing_and_its_values_count_as_the_old_ones() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().find("sys_db_object", "name", "oauth_entity")[0]["sys_id"].clone();
        let workspace = simulator.workspace(terraform, OPEN);
        Imports {
            address: ADDRESS,
            configuration: OPEN,
            identity: ("sys_id", &id),
            targets: &[&id, "table=oauth_entity"],
            state: &[("id", &id)],
            refused: &[],
        }
        .round_trip(terraform, &workspace)
        .await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn what_the_configuration_does_not_name_stays_as_it_was_imported() {
    for_each_terraform(async |terraform| {
        let (simulator, id) = closed().await;
        let narrow = OPEN.replace("access      = \"public\"\n      ", "");
        let workspace = simulator.workspace(terraform, &narrow.replace("read_access = true", "read_access = false"));
        workspace.terraform_with(&["import", ADDRESS, &id]).await.succeeds();
        workspace.plan_is_empty().await;

        // Only what is named is written, and put back.
        workspace.configure(&narrow);
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["left_alone", "read_access"]);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(settings(&simulator), ["package_private", "true", "2"]);

        // Others may change the rest, and a destroy leaves that.
        simulator
            .instance()
            .change("sys_db_object", &id, &[("access", "public"), ("caller_access", "1")]);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(settings(&simulator), ["public", "false", "1"]);
    })
    .await;
}

#[tokio::test]
async fn two_resources_of_one_table_are_refused() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        let second = OPEN.replace("\"oauth_entity\" {", "\"second\" {");
        let workspace = simulator.workspace(terraform, &format!("{OPEN}{second}"));

        workspace
            .terraform("apply")
            .await
            .fails_saying("The table's access is managed twice");
        workspace.configure(OPEN);
        workspace.terraform("destroy").await.succeeds();

        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

/// What a successor does not manage is restored all the same.
#[tokio::test]
async fn a_successor_with_other_settings_leaves_none_open() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        let only = |setting: &str| {
            let open = format!(
                "resource \"servicenow_table_access\" \"this\" {{\n  table = \"oauth_entity\"\n  {setting}\n}}\n"
            );
            replaced_after_creation(&open, setting.split(' ').next().unwrap())
        };
        let workspace = simulator.workspace(terraform, &only("access = \"public\""));
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&only("read_access = true"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("was left in place");

        assert_eq!(settings(&simulator), ["package_private", "true", "2"]);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(settings(&simulator), CLOSED);
    })
    .await;
}

/// Terraform removes the former object after its successor was created, which has taken over what it found.
#[tokio::test]
async fn a_successor_of_the_same_apply_keeps_what_it_configured() {
    for_each_terraform(async |terraform| {
        let (simulator, _) = closed().await;
        let workspace = simulator.workspace(terraform, &replaced_after_creation(OPEN, "1"));
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&replaced_after_creation(OPEN, "2"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The table's access was left in place")
            .says("oauth_entity");

        assert_eq!(settings(&simulator), ["public", "true", "2"]);
        workspace.plan_is_empty().await;
    })
    .await;
}
