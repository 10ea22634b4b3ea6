//! `servicenow_ip_access_rule`: address rules, with choices that are looked up.

use servicenow_simulator::instance::Switches;

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

        workspace.terraform("apply").await.succeeds_without_warning();

        let record = simulator.only_record("ip_access");
        assert_eq!((record["type"].as_str(), record["direction"].as_str()), ("allow", "0"));
        assert_eq!(record["range_start"], "52.149.152.32");
        assert_eq!(record["range_end"], "52.149.152.32");
        workspace
            .state(ADDRESS)
            .has("type", "allow")
            .has("range_end", "52.149.152.32")
            .has("active", true);
        workspace.plan_is_empty().await;

        let both = RULE.replace("\"inbound\"", "\"Bidirectional\"");
        workspace.configure(&both.replace(
            "description",
            "range_end = \"52.149.152.40\"\n      active = false\n      description",
        ));
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply").await.succeeds_without_warning();
        let record = simulator.only_record("ip_access");
        assert_eq!(
            (record["direction"].as_str(), record["active"].as_str()),
            ("2", "false")
        );
        assert_eq!(record["range_end"], "52.149.152.40");
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds_without_warning();
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
            ("range_start = \"2001:db8::/64\"", "cidrhost(\"2001:db8::/64\", -1)"),
            ("range_start = \"10.0.0.256\"", "not an IP address"),
            (
                "range_start = \"10.0.0.2\"\n      range_end = \"2001:db8::1\"",
                "an IPv4 and an IPv6 address",
            ),
            (
                "range_start = \"2001:db8::a\"\n      range_end = \"2001:db8::9\"",
                "ends at 2001:db8::9, before it starts",
            ),
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
                &[("type", "deny"), ("range_end", "52.149.152.99"), ("active", "false")],
            )],
            planned: &["active", "range_end", "type"],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        let record = simulator.only_record("ip_access");
        assert_eq!((record["type"].as_str(), record["active"].as_str()), ("allow", "true"));
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

#[tokio::test]
async fn a_rule_has_addresses_of_either_family() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let rule = RULE.replace("52.149.152.32\"", "2001:db8::1\"\n      range_end = \"2001:db8::ff\"");
        let workspace = simulator.workspace(terraform, &rule);

        workspace.terraform("apply").await.succeeds();

        let record = simulator.only_record("ip_access");
        assert_eq!(
            (record["range_start"].as_str(), record["range_end"].as_str()),
            ("2001:db8::1", "2001:db8::ff")
        );
        workspace.plan_is_empty().await;
        // The same address, spelled otherwise.
        workspace.configure(&rule.replace("2001:db8::1", "2001:0DB8:0:0::1"));
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_narrow_import_leaves_the_end_of_the_range() {
    for_each_terraform(async |terraform| {
        // Rows of old instances may have no end.
        for end in ["52.149.152.40", ""] {
            let simulator = Simulator::start().await;
            let values = [
                ("type", "allow"),
                ("direction", "0"),
                ("range_start", "52.149.152.32"),
                ("range_end", end),
                ("active", "true"),
            ];
            let id = simulator.instance().put("ip_access", &values);
            let before = simulator.instance().fingerprint();
            let import = format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n");
            let silent = [
                RULE.replace("description = \"Microsoft 365 support connector\"", ""),
                import,
            ]
            .concat();
            let workspace = simulator.workspace(terraform, &silent);

            workspace
                .terraform("apply")
                .await
                .succeeds()
                .says("1 imported, 0 added, 0 changed, 0 destroyed");

            workspace.plan_is_empty().await;
            assert_eq!(simulator.instance().fingerprint(), before);
            workspace.state(ADDRESS).has("left_alone", vec!["range_end"]);
            // Another change leaves it, and naming it changes it.
            workspace.configure(&silent.replace("\"inbound\"", "\"bidirectional\""));
            workspace.plan().await.updates_only(ADDRESS, &["direction"]);
            workspace.terraform("apply plan.bin").await.succeeds();
            assert_eq!(simulator.only_record("ip_access")["range_end"], end);
            workspace.configure(&silent.replace(
                "52.149.152.32\"",
                "52.149.152.32\"\n      range_end = \"52.149.152.33\"",
            ));
            workspace
                .plan()
                .await
                .updates_only(ADDRESS, &["direction", "left_alone", "range_end"]);
            workspace.terraform("apply plan.bin").await.succeeds();
            assert_eq!(simulator.only_record("ip_access")["range_end"], "52.149.152.33");
            // From then on the default holds.
            workspace.configure(&silent);
            workspace.plan().await.updates_only(ADDRESS, &["range_end"]);
        }
    })
    .await;
}

/// Where the account cannot see a choice, the stored form that is known of `type` goes out, and the user is told.
#[tokio::test]
async fn choices_that_cannot_be_read_are_sent_in_lower_case_with_a_warning() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let deny = &instance
            .find("sys_choice", "name", "ip_access")
            .into_iter()
            .find(|choice| choice["value"] == "deny")
            .unwrap()["sys_id"];
        let column = |name: &str| ("sys_choice".to_owned(), name.to_owned());
        let unreadable: [&dyn Fn(&mut Switches); 4] = [
            &|modes| {
                modes.quirks.hidden_tables.insert("sys_choice".to_owned());
            },
            &|modes| {
                modes.hidden_rows.insert(deny.clone());
            },
            &|modes| {
                modes.read_denied.insert(column("value"));
            },
            &|modes| {
                modes.read_denied.insert(column("label"));
            },
        ];
        for (case, hide) in unreadable.into_iter().enumerate() {
            instance.switches(|modes| {
                *modes = Switches::default();
                hide(modes);
            });
            let rule = RULE.replace("\"allow\"", "\"Deny\"").replace("\"inbound\"", "\"0\"");
            let workspace = simulator.workspace(terraform, &rule);

            let applied = workspace.terraform("apply").await;

            let record = simulator.only_record("ip_access");
            assert_eq!(
                (record["type"].as_str(), record["direction"].as_str()),
                ("deny", "0"),
                "{case}"
            );
            workspace.state(ADDRESS).has("type", "Deny");
            workspace.plan_is_empty().await;
            // Where only the labels are hidden, the value is seen to exist.
            if case == 3 {
                applied.succeeds().does_not_say("could not be read");
            } else {
                applied
                    .succeeds()
                    .says("The choices of ip_access.type could not be read")
                    .says("\"deny\" is sent");
            }
            workspace.configure(&rule.replace("\"Deny\"", "\"ALLOW\""));
            workspace.terraform("apply").await.succeeds();
            assert_eq!(simulator.only_record("ip_access")["type"], "allow");
            workspace.terraform("destroy").await.succeeds();
        }

        // A label of which the account sees only the value.
        let workspace = simulator.workspace(terraform, &RULE.replace("\"inbound\"", "\"Bidirectional\""));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The choices of ip_access.direction could not be read")
            .says("\"bidirectional\" is sent");
    })
    .await;
}
