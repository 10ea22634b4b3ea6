//! `m365_support_settings`: one per tenant, written and never deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use servicenow_simulator::microsoft::admin_center::Quirks;

use crate::harness::configurations::replaced_after_creation;
use crate::harness::{Imports, Simulator, for_each_terraform};

const ADDRESS: &str = "m365_support_settings.this";
const APPLICATION: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "99999999-2222-3333-4444-555555555555";

fn settings(application: &str) -> String {
    format!(
        "resource \"m365_support_settings\" \"this\" {{\n  provider = servicenow\n  application_id = {application:?}\n}}\n"
    )
}

#[tokio::test]
async fn settings_live_from_creation_to_what_was_there_before() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "Other", "Theme": "dark"}));
        let before = simulator.admin().shown();
        let workspace = simulator.workspace(terraform, &settings(APPLICATION));

        workspace.terraform("apply").await.succeeds();

        let tenant = simulator.tenant_id();
        workspace
            .state(ADDRESS)
            .has("id", tenant.as_str())
            .has("tenant_id", tenant.as_str())
            .has("internal_support_tool", "ServiceNow")
            .has("application_id", APPLICATION);
        assert_eq!(simulator.admin().shown()["Theme"], "dark");
        workspace.plan_is_empty().await;

        workspace.configure(&settings(OTHER));
        workspace.plan().await.updates_only(ADDRESS, &["application_id"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(simulator.admin().application_id(), OTHER);

        // Drift of both, then emptied behind Terraform's back.
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "Other", "ApplicationId": APPLICATION}));
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["application_id", "internal_support_tool"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": null, "ApplicationId": null}));
        workspace.plan().await.does(ADDRESS, &["create"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        workspace.terraform("destroy").await.succeeds();

        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "Other", "ApplicationId": null}));
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(simulator.admin().support_tool(), "Other");
        assert_eq!(simulator.admin().application_id(), "");
        assert_eq!(simulator.admin().shown()["Theme"], before["Theme"]);
    })
    .await;
}

#[tokio::test]
async fn settings_of_another_application_are_imported_and_not_overwritten() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "ServiceNow", "ApplicationId": OTHER}));
        let workspace = simulator.workspace(terraform, &settings(APPLICATION));
        let tenant = simulator.tenant_id();

        workspace
            .terraform("apply")
            .await
            .fails_saying("The support settings already exist")
            .says(&format!("terraform import m365_support_settings.<name> {tenant}"))
            .says("on main.tf line 3");
        assert!(workspace.addresses().is_empty());
        assert_eq!(simulator.admin().application_id(), OTHER);

        let by_column = format!("application_id={OTHER}");
        let by_tenant = format!("tenant_id={tenant}");
        Imports {
            address: ADDRESS,
            configuration: &settings(OTHER),
            identity: ("tenant_id", &tenant),
            targets: &[&tenant, &by_column, &by_tenant, "internal_support_tool=ServiceNow"],
            state: &[("id", &tenant), ("tenant_id", &tenant)],
            refused: &[
                (APPLICATION, "Import by the tenant's id"),
                ("application=1", "Did you mean application_id=1?"),
            ],
        }
        .round_trip(terraform, &workspace)
        .await;

        // Nobody knows what was before: a destroy empties them.
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(simulator.admin().application_id(), "");

        workspace
            .terraform_with(&["import", ADDRESS, &tenant])
            .await
            .fails_saying("has no support settings yet");
    })
    .await;
}

/// Who made them is not known, so a destroy leaves them.
#[tokio::test]
async fn equal_settings_that_exist_are_taken_over_with_a_warning_and_survive() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "ServiceNow", "ApplicationId": OTHER}));
        let simulator = simulator.starting_here();
        let workspace = simulator.workspace(terraform, &settings(OTHER));

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The support settings are already as configured")
            .says("destroy leaves them");

        workspace
            .state(ADDRESS)
            .has("original_internal_support_tool", "ServiceNow")
            .has("original_application_id", OTHER);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();

        // What they are changed to later goes with the destroy.
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&settings(APPLICATION));
        workspace.plan().await.updates_only(ADDRESS, &["application_id"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn what_was_there_before_the_settings_survives_a_taint() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.admin().put_settings(&json!({"SupportTool": "Other"}));
        let workspace = simulator.workspace(terraform, &settings(APPLICATION));
        workspace.terraform("apply").await.succeeds();
        workspace
            .state(ADDRESS)
            .has("original_internal_support_tool", "Other")
            .lacks("original_application_id");

        workspace.terraform_with(&["taint", ADDRESS]).await.succeeds();
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();

        assert_eq!(simulator.admin().support_tool(), "Other");
        assert_eq!(simulator.admin().application_id(), "");
    })
    .await;
}

/// Earlier versions kept what they found beside the state.
#[tokio::test]
async fn what_an_earlier_version_found_is_restored_too() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let cases = [
            (
                json!({"internal_support_tool": "Other", "application_id": null}),
                ("Other", ""),
            ),
            // They were as configured already, and their earlier values are not known.
            (json!({}), ("ServiceNow", APPLICATION)),
        ];
        for (before, (tool, application)) in cases {
            for commands in [
                &["destroy -refresh=false"][..],
                &["destroy"],
                &["apply -refresh-only", "destroy"],
                // A taint loses what is kept beside the state.
                &["taint m365_support_settings.this", "apply", "destroy"],
            ] {
                simulator
                    .admin()
                    .put_settings(&json!({"SupportTool": null, "ApplicationId": null}));
                let workspace = simulator.workspace(terraform, &settings(APPLICATION));
                workspace.terraform("apply").await.succeeds();
                let mut state = workspace.state_file();
                let instance = &mut state["resources"][0]["instances"][0];
                let attributes = instance["attributes"].as_object_mut().unwrap();
                attributes.retain(|name, _| !name.starts_with("original_") && name != "left_alone");
                instance["private"] = STANDARD.encode(json!({"before": before}).to_string()).into();
                workspace.write("terraform.tfstate", &state.to_string());

                for command in commands {
                    let command: Vec<&str> = command.split(' ').collect();
                    workspace.terraform_with(&command).await.succeeds();
                }

                let admin = simulator.admin();
                assert_eq!(
                    (admin.support_tool().as_str(), admin.application_id().as_str()),
                    (tool, application),
                    "{before} {commands:?}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_narrow_import_of_settings_leaves_the_tool() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "Other", "ApplicationId": APPLICATION}));
        let import = format!(
            "import {{\n  provider = servicenow\n  to = {ADDRESS}\n  id = {:?}\n}}\n",
            simulator.tenant_id()
        );
        let workspace = simulator.workspace(terraform, &[settings(APPLICATION).as_str(), &import].concat());

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed, 0 destroyed");

        workspace
            .state(ADDRESS)
            .has("internal_support_tool", "Other")
            .has("left_alone", vec!["internal_support_tool"]);
        workspace.plan_is_empty().await;
        workspace.configure(&settings(OTHER));
        workspace.plan().await.updates_only(ADDRESS, &["application_id"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(simulator.admin().support_tool(), "Other");
        workspace.configure(&settings(OTHER).replace(
            "application_id",
            "internal_support_tool = \"ServiceNow\"\n  application_id",
        ));
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["internal_support_tool", "left_alone"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(simulator.admin().support_tool(), "ServiceNow");
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(
            (simulator.admin().support_tool(), simulator.admin().application_id()),
            (String::new(), String::new())
        );
    })
    .await;
}

#[tokio::test]
async fn of_two_settings_in_one_apply_the_second_is_refused() {
    for_each_terraform(async |terraform| {
        for application in [APPLICATION, OTHER] {
            let simulator = Simulator::start().await;
            let both = [
                settings(APPLICATION),
                settings(application).replace("\"this\"", "\"second\""),
            ]
            .concat();
            let workspace = simulator.workspace(terraform, &both);

            workspace
                .terraform("apply")
                .await
                .fails_saying("The support settings already exist");

            assert_eq!(workspace.addresses().len(), 1);
            assert_eq!(
                simulator.logs().admin.count("POST", "/admin/api/supportRepository/my"),
                1
            );
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// Terraform removes the former object after its successor was created, which has taken over what it found.
#[tokio::test]
async fn settings_of_a_successor_in_the_same_apply_stay() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let replaced = |cause| replaced_after_creation(&settings(APPLICATION), cause);
        let workspace = simulator.workspace(terraform, &replaced("1"));
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&replaced("2"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The support settings were left in place");

        assert_eq!(simulator.admin().application_id(), APPLICATION);
        workspace.plan_is_empty().await;
    })
    .await;
}

/// The admin center may spell what it is sent in its own way: it is the same all the same.
#[tokio::test]
async fn settings_are_the_same_in_another_spelling() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.admin().set_quirks(Quirks {
            trims: true,
            lower_cases_guids: true,
        });
        let capitals = "ABCDEF01-2222-3333-4444-555555555555";
        let configuration = settings(capitals).replace(
            "application_id",
            "internal_support_tool = \" ServiceNow\"\n  application_id",
        );
        let workspace = simulator.workspace(terraform, &configuration);

        workspace.terraform("apply").await.succeeds().does_not_say("not kept");

        workspace.state(ADDRESS).has("application_id", capitals);
        workspace.plan_is_empty().await;
        workspace.configure(&configuration.to_lowercase().replace("servicenow\"", "ServiceNow\""));
        workspace.plan_is_empty().await;
        workspace.terraform("destroy -refresh=false").await.succeeds();
        assert_eq!(simulator.admin().application_id(), "");

        // Nor are they others when they are found.
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "ServiceNow", "ApplicationId": capitals.to_lowercase()}));
        workspace.configure(&settings(capitals));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The support settings are already as configured");
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn settings_of_one_tenant_are_not_taken_for_those_of_another() {
    for_each_terraform(async |terraform| {
        let (simulator, other) = (Simulator::start().await, Simulator::start().await);
        let workspace = simulator.workspace(terraform, &settings(APPLICATION));
        workspace.terraform("apply").await.succeeds();
        let of_other = other.workspace(terraform, &settings(APPLICATION));
        std::fs::copy(
            workspace.folder().join("terraform.tfstate"),
            of_other.folder().join("terraform.tfstate"),
        )
        .unwrap();

        of_other.terraform("plan").await.fails_saying("Another tenant");
        of_other
            .terraform("destroy -refresh=false")
            .await
            .fails_saying("Another tenant");
    })
    .await;
}

#[tokio::test]
async fn settings_taken_over_by_somebody_else_survive_a_destroy() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            &format!(
                "resource \"terraform_data\" \"later\" {{\n  input = {APPLICATION:?}\n}}\n{}",
                settings("x").replace("\"x\"", "terraform_data.later.output")
            ),
        );
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        simulator.admin().put_settings(&json!({"ApplicationId": OTHER}));

        workspace
            .terraform("destroy -refresh=false")
            .await
            .succeeds()
            .says("The support settings were left in place")
            .says(OTHER);

        assert_eq!(simulator.admin().application_id(), OTHER);
    })
    .await;
}

/// The tenant is known by its id, also where the provider is configured with its domain or with a ready token alone.
#[tokio::test]
async fn the_tenant_of_settings_is_that_of_the_sign_in() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, &settings(APPLICATION));
        workspace.set(
            "ARM_TENANT_ID",
            &simulator.directory().with(|tenant| tenant.domain.clone()),
        );

        workspace.terraform("apply").await.succeeds();

        workspace.state(ADDRESS).has("tenant_id", simulator.tenant_id());
        workspace.set("ARM_TENANT_ID", &simulator.tenant_id());
        workspace.plan_is_empty().await;
        let token = simulator.logs().admin.all().remove(0).headers["authorization"]
            .to_str()
            .unwrap()
            .to_owned();
        workspace.unset_microsoft();
        workspace.set("M365_ACCESS_TOKEN", token.trim_start_matches("Bearer "));
        workspace.plan_is_empty().await;
    })
    .await;
}
