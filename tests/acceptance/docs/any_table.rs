//! What the guide "Any table" shows: `examples/any-table` and `modules/custom-table`.

use crate::harness::modules_and_examples::{copy, example, shipped};
use crate::harness::{Simulator, Workspace, for_each_terraform};

#[tokio::test]
async fn a_property_a_role_and_a_connection_are_made_and_removed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = example(&simulator, terraform, "any-table").await;
        workspace.set("TF_VAR_client_secret", "the-secret-of-acme-0123456789");

        workspace.terraform("apply").await.succeeds();

        // From the alias to the OAuth profile, as a flow goes.
        let alias = simulator.only_record("sys_alias");
        assert_eq!(alias["id"], "global.acme");
        let connection = simulator.only_record("http_connection");
        assert_eq!(connection["connection_alias"], alias["sys_id"]);
        let credential = simulator.only_record("oauth_2_0_credentials");
        assert_eq!(connection["credential"], credential["sys_id"]);
        let profile = simulator.only_record("oauth_entity_profile");
        assert_eq!(credential["oauth_entity_profile"], profile["sys_id"]);
        assert_eq!(profile["oauth_entity"], simulator.only_record("oauth_entity")["sys_id"]);
        assert_eq!(simulator.only_record("sys_properties")["value"], "30");
        workspace.plan_is_empty().await;
        workspace.leaks_nothing_of(&["the-secret-of-acme-0123456789"]);

        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

const VENDOR: &str = r#"
    module "vendor" {
      source = "./modules/custom-table"

      name            = "u_vendor"
      label           = "Vendor"
      extends         = "u_business_partner"
      deletion_policy = "delete"

      columns = {
        u_code  = { label = "Code", mandatory = true, unique = true, max_length = 10 }
        u_owner = { type = "reference", reference = "sys_user" }
        u_tier  = { choices = [{ value = "1", label = "Strategic" }, { value = "2", label = "Preferred" }] }
      }
    }
    output "table" {
      value = module.vendor.name
    }
"#;

async fn with_module(simulator: &Simulator, terraform: &crate::harness::Terraform, configuration: &str) -> Workspace {
    let workspace = simulator.workspace(terraform, configuration);
    copy(&workspace, &shipped("modules/custom-table"), "modules/custom-table");
    workspace.terraform("get").await.succeeds();
    workspace
}

#[tokio::test]
async fn a_table_is_made_with_its_columns_and_choices() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = with_module(&simulator, terraform, VENDOR).await;

        workspace.terraform("apply").await.succeeds();

        let table = simulator.only_record("sys_db_object");
        let parent = simulator
            .instance()
            .find("sys_db_object", "name", "u_business_partner")
            .remove(0);
        assert_eq!(
            (table["name"].as_str(), table["label"].as_str()),
            ("u_vendor", "Vendor")
        );
        assert_eq!(table["super_class"], parent["sys_id"]);
        let mut columns: Vec<_> = simulator.created("sys_dictionary");
        columns.sort_by(|a, b| a["element"].cmp(&b["element"]));
        let of = |name: &str| -> Vec<_> { columns.iter().map(|column| column[name].clone()).collect() };
        assert_eq!(of("element"), ["u_code", "u_owner", "u_tier"]);
        assert_eq!(of("internal_type"), ["string", "reference", "string"]);
        assert_eq!(of("mandatory"), ["true", "false", "false"]);
        assert_eq!(of("reference"), ["", "sys_user", ""]);
        let mut labels: Vec<_> = simulator
            .created("sys_choice")
            .iter()
            .map(|choice| choice["label"].clone())
            .collect();
        labels.sort();
        assert_eq!(labels, ["Preferred", "Strategic"]);
        workspace.plan_is_empty().await;

        // One column more is one record more.
        workspace.configure(&VENDOR.replace(
            "columns = {",
            "columns = {\n        u_since = { type = \"glide_date\" }",
        ));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 added, 0 changed, 0 destroyed");
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A table goes with all of its records, so a destroy leaves it unless it is told otherwise.
#[tokio::test]
async fn a_table_stays_after_a_destroy() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = with_module(
            &simulator,
            terraform,
            &VENDOR.replace("deletion_policy = \"delete\"", ""),
        )
        .await;
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(simulator.only_record("sys_db_object")["name"], "u_vendor");
        assert_eq!(simulator.count("sys_dictionary"), 3);
    })
    .await;
}
