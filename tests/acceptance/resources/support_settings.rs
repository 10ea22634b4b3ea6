//! `m365_support_settings`: one per tenant, written and never deleted.

use serde_json::json;

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

        // A create over equal settings takes them over.
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": "ServiceNow", "ApplicationId": OTHER}));
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(simulator.admin().application_id(), "");
        workspace
            .terraform_with(&["import", ADDRESS, &tenant])
            .await
            .fails_saying("has no support settings yet");
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

        workspace.terraform("destroy -refresh=false").await.succeeds();

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
        for name in [
            "ARM_TENANT_ID",
            "ARM_CLIENT_ID",
            "ARM_CLIENT_SECRET",
            "M365_REFRESH_TOKEN",
        ] {
            workspace.unset(name);
        }
        workspace.set("M365_ACCESS_TOKEN", token.trim_start_matches("Bearer "));
        workspace.plan_is_empty().await;
    })
    .await;
}
