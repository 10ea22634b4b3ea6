//! The real azuread provider beside ours, in the configurations that people start from.

use std::pin::pin;
use std::time::Duration;

use serde_json::json;
use servicenow_simulator::microsoft::hcp::Run;
use tokio::time::sleep;

use crate::harness::modules_and_examples::{azuread, copy, example, shipped, with_azuread};
use crate::harness::{Simulator, for_each_terraform};

/// `examples/complete`: apply, connection test, empty plan, rotation without a gap, the trap of the token version, destroy.
#[tokio::test]
async fn both_sides_are_set_up_rotated_and_removed_in_one_graph() {
    let Some(azuread) = azuread("examples/complete") else {
        return;
    };
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = example(&simulator, terraform, "complete").await;
        with_azuread(&mut workspace, &simulator, &azuread);
        workspace.set("TF_VAR_manage_admin_center", "true");

        workspace.terraform("apply").await.succeeds();
        simulator.is_connected().await;
        workspace.plan_is_empty().await;

        let before = simulator.directory().with(|tenant| secrets(tenant));
        workspace.set("TF_VAR_rotate", "2");
        let running = workspace.start(&["apply"]);
        let mut rotation = pin!(workspace.finish(running));
        let rotated = loop {
            tokio::select! {
                run = &mut rotation => break run,
                () = sleep(Duration::from_millis(200)) => simulator.is_connected().await,
            }
        };
        rotated.succeeds().says("4 added, 3 changed, 4 destroyed");
        simulator.is_connected().await;
        let after = simulator.directory().with(|tenant| secrets(tenant));
        assert_eq!(after.len(), 3, "one secret for each application");
        assert!(
            after.iter().all(|secret| !before.contains(secret)),
            "an old secret still works"
        );
        workspace.plan_is_empty().await;

        // Somebody sets version 2 on the inbound application, or uses a resource whose default it is.
        let set_version_2 = |tenant: &mut servicenow_simulator::microsoft::directory::Tenant| {
            let inbound = tenant
                .applications
                .values_mut()
                .find(|it| it.display_name().ends_with("_inbound_aad"));
            inbound.unwrap().fields["api"]["requestedAccessTokenVersion"] = json!(2);
        };
        simulator.directory().with(set_version_2);
        let report = simulator.connection_test().await;
        let cause = report
            .legs
            .iter()
            .find_map(|leg| leg.cause.as_deref())
            .unwrap_or_default();
        assert!(!report.ok && cause.contains("/v2.0"), "{report:#?}");
        workspace.terraform("apply").await.succeeds();
        simulator.is_connected().await;

        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
        let left = simulator.directory().with(|tenant| secrets(tenant));
        assert!(left.is_empty(), "{} secrets are left in Entra", left.len());
    })
    .await;
}

/// `examples/hcp-terraform`: the bootstrap gives the workspace its rights on both sides; then a run sets everything up with
/// nothing but the tokens that HCP Terraform issued to it, and with other tokens it can do nothing.
#[tokio::test]
async fn a_run_in_hcp_terraform_needs_no_stored_credential() {
    let Some(azuread) = azuread("examples/hcp-terraform") else {
        return;
    };
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let run = Run {
            phase: "apply".to_owned(),
            ..Run::default()
        };
        let mut bootstrap = example(&simulator, terraform, "hcp-terraform/bootstrap").await;
        with_azuread(&mut bootstrap, &simulator, &azuread);
        bootstrap.set("TF_VAR_organization", &run.organization);
        bootstrap.set("TF_VAR_project", &run.project);
        bootstrap.set("TF_VAR_workspace", &run.workspace);
        bootstrap.set("TF_VAR_workspace_id", &format!("ws-{}", run.workspace));
        bootstrap.terraform("apply").await.succeeds();
        bootstrap.plan_is_empty().await;
        let outputs = bootstrap
            .terraform("output -json workspace_variables")
            .await
            .succeeds()
            .json();

        let mut workspace = example(&simulator, terraform, "hcp-terraform").await;
        let versions = std::fs::read_to_string(shipped("examples/hcp-terraform/versions.tf")).unwrap();
        // What HCP Terraform's own machines replace as well.
        workspace.write("versions.tf", &versions.replace("cloud {}", ""));
        with_azuread(&mut workspace, &simulator, &azuread);
        for name in [
            "SERVICENOW_USERNAME",
            "SERVICENOW_PASSWORD",
            "ARM_CLIENT_SECRET",
            "M365_REFRESH_TOKEN",
        ] {
            workspace.unset(name);
        }
        let token = |audience: &str| simulator.hcp().workload_identity_token(&run, audience).unwrap();
        let audience = outputs["environment"]["TFC_WORKLOAD_IDENTITY_AUDIENCE_SERVICENOW"]
            .as_str()
            .unwrap();
        let client_id = outputs["environment"]["TFC_AZURE_RUN_CLIENT_ID"].as_str().unwrap();
        workspace.set("TFC_WORKLOAD_IDENTITY_TOKEN_SERVICENOW", &token(audience));
        workspace.set("ARM_CLIENT_ID", client_id);
        workspace.set("ARM_USE_OIDC", "true");
        workspace.set("ARM_OIDC_TOKEN", &token("api://AzureADTokenExchange"));
        workspace.set("TF_VAR_tenant_id", &simulator.tenant_id());

        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();

        workspace.set("TFC_WORKLOAD_IDENTITY_TOKEN_SERVICENOW", &token("somebody.else"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("did not accept the sign-in (oidc_token)");

        bootstrap.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// `examples/copilot-connector`: Microsoft's own application is found in Entra and signs in as the machine user.
#[tokio::test]
async fn the_copilot_connector_signs_in_without_a_secret() {
    let Some(azuread) = azuread("examples/copilot-connector") else {
        return;
    };
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = example(&simulator, terraform, "copilot-connector").await;
        with_azuread(&mut workspace, &simulator, &azuread);

        workspace.terraform("apply").await.succeeds();

        let wanted = serde_json::from_value(json!({"variant": "copilot"})).unwrap();
        let report = simulator.connection().run(&wanted).await;
        assert!(report.ok, "{report:#?}");
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// The no-code module is a root module: it has to stand alone.
#[tokio::test]
async fn the_no_code_module_declares_its_providers() {
    let Some(azuread) = azuread("modules/m365-support-no-code") else {
        return;
    };
    let simulator = Simulator::start().await;
    for_each_terraform(async |terraform| {
        let mut workspace = simulator.workspace(terraform, "");
        for module in ["entra-apps", "m365-support-integration"] {
            copy(
                &workspace,
                &shipped("modules").join(module),
                &format!("modules/{module}"),
            );
        }
        for file in ["provider.tf", "versions.tf"] {
            std::fs::remove_file(workspace.folder().join(file)).unwrap();
        }
        copy(&workspace, &shipped("modules/m365-support-no-code"), "");
        let main = std::fs::read_to_string(shipped("modules/m365-support-no-code/main.tf")).unwrap();
        workspace.configure(&main.replace("\"../", "\"./modules/"));
        with_azuread(&mut workspace, &simulator, &azuread);

        workspace.terraform("get").await.succeeds();
        workspace.terraform("validate").await.succeeds();
    })
    .await;
}

/// Every client secret that Entra accepts for the integration's applications.
fn secrets(tenant: &servicenow_simulator::microsoft::directory::Tenant) -> Vec<String> {
    let ours = tenant
        .applications
        .values()
        .filter(|it| it.display_name().starts_with("m365supportintegration"));
    ours.flat_map(|it| &it.passwords).map(|it| it.secret.clone()).collect()
}
