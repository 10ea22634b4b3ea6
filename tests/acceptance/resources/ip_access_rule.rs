//! `servicenow_ip_access_rule`: address rules, with choices that are looked up.

use crate::harness::{Drift, Imports, Simulator, for_each_terraform, removal_is_corrected};

const RULE: &str = r#"
    resource "servicenow_ip_access_rule" "connector" {
      type        = "allow"
      direction   = "inbound"
      range_start = "52.149.152.32"
      description = "Microsoft 365 support connector"
    }
"#;
const ADDRESS: &str = "servicenow_ip_access_rule.connector";

#[tokio::test]
async fn a_rule_is_made_changed_and_removed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, RULE);

        workspace.terraform("apply").await.succeeds();

        let record = simulator.only_record("ip_access");
        assert_eq!((record["type"].as_str(), record["direction"].as_str()), ("0", "0"));
        assert_eq!(record["range_start"], "52.149.152.32");
        assert_eq!(record["range_end"], "52.149.152.32");
        workspace
            .state(ADDRESS)
            .has("type", "allow")
            .has("range_end", "52.149.152.32")
            .has("active", true);
        workspace.plan_is_empty().await;

        let both = RULE.replace("\"inbound\"", "\"Inbound and Outbound\"");
        workspace.configure(&both.replace(
            "description",
            "range_end = \"52.149.152.40\"\n      active = false\n      description",
        ));
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply").await.succeeds();
        let record = simulator.only_record("ip_access");
        assert_eq!(
            (record["direction"].as_str(), record["active"].as_str()),
            ("2", "false")
        );
        assert_eq!(record["range_end"], "52.149.152.40");
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn choices_are_found_whatever_the_instance_stores_for_them() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let choices = simulator.instance().find("sys_choice", "name", "ip_access");
        for choice in &choices {
            let value = format!(
                "{}_{}",
                choice["element"],
                choice["label"].to_lowercase().replace(' ', "_")
            );
            simulator
                .instance()
                .change("sys_choice", &choice["sys_id"], &[("value", &value)]);
        }
        let workspace = simulator.workspace(terraform, RULE);

        workspace.terraform("apply").await.succeeds();

        assert_eq!(simulator.only_record("ip_access")["type"], "type_allow");
        workspace.plan_is_empty().await;
        workspace.configure(&RULE.replace("\"allow\"", "\"Allow\""));
        workspace.plan_is_empty().await;
        workspace.configure(&RULE.replace("\"allow\"", "\"permit\""));
        workspace
            .terraform("apply")
            .await
            .fails_saying("\"permit\" is not one of the choices")
            .says("\"allow\" (value \"type_allow\")");
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_would_lock_the_caller_out_is_refused_and_explained() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let deny = RULE
            .replace("\"allow\"", "\"deny\"")
            .replace("52.149.152.32\"", "127.0.0.0\"\n      range_end = \"127.255.255.255\"");
        let workspace = simulator.workspace(terraform, &deny);

        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not create the address rule")
            .says("would lock out the account that creates it");

        assert!(workspace.addresses().is_empty());
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn wrong_ranges_are_refused_before_anything_is_asked() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, RULE);
        for (range, said) in [
            ("range_start = \"10.0.0.0/24\"", "cidrhost(\"10.0.0.0/24\", 0)"),
            ("range_start = \"::1\"", "not an IPv4 address"),
            (
                "range_start = \"10.0.0.2\"\n      range_end = \"10.0.0.1\"",
                "ends at 10.0.0.1, before it starts",
            ),
        ] {
            workspace.configure(&RULE.replace("range_start = \"52.149.152.32\"", range));
            workspace.terraform("validate").await.fails_saying(said);
        }
    })
    .await;
}

#[tokio::test]
async fn drift_and_absence_are_put_right() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, RULE);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");

        Drift {
            address: ADDRESS,
            changes: &[(
                "ip_access",
                &id,
                &[("type", "1"), ("range_end", "52.149.152.99"), ("active", "false")],
            )],
            planned: &["active", "range_end", "type"],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        let record = simulator.only_record("ip_access");
        assert_eq!((record["type"].as_str(), record["active"].as_str()), ("0", "true"));
        assert_eq!(record["range_end"], "52.149.152.32");

        removal_is_corrected(&workspace, ADDRESS, |id| simulator.instance().remove("ip_access", id)).await;
    })
    .await;
}

#[tokio::test]
async fn a_rule_is_imported_by_key_by_columns_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, RULE);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        Imports {
            address: ADDRESS,
            configuration: RULE,
            identity: ("sys_id", &id),
            targets: &[
                &id,
                "range_start=52.149.152.32",
                "description=Microsoft 365 support connector",
            ],
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
