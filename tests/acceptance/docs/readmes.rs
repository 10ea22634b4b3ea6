//! The READMEs of the examples, to the letter: every command, in a shell, with what its reader has to fill in.

use std::fs;

use servicenow_simulator::microsoft::hcp::Run as HcpRun;

use crate::harness::modules_and_examples::{WITHOUT_AZUREAD, azuread_mirror, copy, shipped};
use crate::harness::page_commands::{Console, blocks, filled};
use crate::harness::{Guide, Simulator, Terraform, Workspace, for_each_terraform, skip};

/// A folder with an example, as the repository has it, on a machine whose `terraform init` finds the providers.
///
/// The addresses of the two clouds are the only thing that it has in its environment.
fn example(simulator: &Simulator, terraform: &Terraform, name: &str) -> Workspace {
    let mut workspace = Workspace::without_provider(terraform, "");
    fs::remove_file(workspace.folder().join("main.tf")).unwrap();
    copy(&workspace, &shipped("modules"), "modules");
    copy(&workspace, &shipped("examples").join(name), "");
    workspace.init_from_mirrors(azuread_mirror().as_deref());
    let urls = simulator.urls();
    for (name, value) in [
        ("SSL_CERT_FILE", simulator.ca_certificate().display().to_string()),
        ("M365_LOGIN_URL", urls.login.clone()),
        ("M365_ADMIN_URL", urls.admin.clone()),
        ("ARM_METADATA_HOSTNAME", urls.metadata_host.clone()),
        // The reader's "yes".
        ("TF_CLI_ARGS_apply", "-auto-approve -no-color".to_owned()),
        ("TF_CLI_ARGS_destroy", "-auto-approve -no-color".to_owned()),
    ] {
        workspace.set(name, &value);
    }
    workspace
}

/// The blocks of commands in an example's README, for this instance and with these values.
fn commands(simulator: &Simulator, example: &str, values: &[(&str, &str)]) -> Vec<Vec<String>> {
    let page = fs::read_to_string(shipped("examples").join(example).join("README.md")).unwrap();
    let page = page.replace("https://contoso.service-now.com", &simulator.urls().instance);
    let fill = |block: Vec<String>| -> Vec<String> {
        let filled = block.iter().map(|command| filled(command, values));
        filled
            .map(|command| command.unwrap_or_else(|unknown| panic!("{example}: {unknown}")))
            .collect()
    };
    blocks(&page).into_iter().map(fill).collect()
}

/// An application through which a person has signed in: its ID, and the refresh token.
fn signed_in_person(simulator: &Simulator) -> (String, String) {
    let application = simulator.register_for_a_person("person");
    simulator.forget_secrets(&application);
    let token = simulator.directory().issue_refresh_token(&application.client_id);
    (application.client_id, token)
}

#[tokio::test]
async fn the_guide() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let (person, token) = signed_in_person(&simulator);
        let workspace = example(&simulator, terraform, "guide");
        let tenant = simulator.tenant_id();
        let values = [
            ("SERVICENOW_USERNAME", simulator.username()),
            ("SERVICENOW_PASSWORD", simulator.password()),
            ("outbound", &guide.outbound.client_secret),
            ("inbound", &guide.inbound.client_secret),
            ("rest_user", &guide.rest_user.client_secret),
            ("ARM_TENANT_ID", &tenant),
            ("ARM_CLIENT_ID", &person),
            ("M365_REFRESH_TOKEN", &token),
        ];
        // "and fill in"
        let variables = fs::read_to_string(workspace.folder().join("terraform.tfvars.example")).unwrap();
        let filled_in = [
            ("https://contoso.service-now.com", &simulator.urls().instance),
            ("11111111-1111-4111-8111-111111111111", &guide.outbound.client_id),
            ("22222222-2222-4222-8222-222222222222", &guide.inbound.client_id),
            ("33333333-3333-4333-8333-333333333333", &guide.rest_user.client_id),
        ];
        let variables = filled_in
            .iter()
            .fold(variables, |text, (shown, own)| text.replace(shown, own));
        workspace.write("terraform.tfvars.example", &variables);
        let commands = commands(&simulator, "guide", &values);
        let [by_hand, in_admin_center] = commands.as_slice() else {
            panic!("{commands:#?}");
        };
        let mut console = Console::new(&workspace);

        console
            .run(by_hand)
            .await
            .succeeds()
            .says("4 added")
            .says(&guide.inbound.client_id);
        assert!(simulator.admin().repositories().is_empty());

        console.run(in_admin_center).await.succeeds().says("2 added, 0 changed");
        simulator.is_connected().await;

        console.run(&["terraform destroy".to_owned()]).await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn the_guide_with_its_applications() {
    if azuread_mirror().is_none() {
        skip(WITHOUT_AZUREAD, "the README of examples/complete");
        return;
    }
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (person, token) = signed_in_person(&simulator);
        let workspace = example(&simulator, terraform, "complete");
        let tenant = simulator.tenant_id();
        let values = [
            ("SERVICENOW_USERNAME", simulator.username()),
            ("SERVICENOW_PASSWORD", simulator.password()),
            ("ARM_TENANT_ID", &tenant),
            ("ARM_CLIENT_ID", simulator.client_id()),
            ("ARM_CLIENT_SECRET", simulator.client_secret()),
            ("client_id", &person),
            ("refresh_token", &token),
        ];
        let commands = commands(&simulator, "complete", &values);
        let [by_hand, in_admin_center] = commands.as_slice() else {
            panic!("{commands:#?}");
        };
        let mut console = Console::new(&workspace);

        console.run(by_hand).await.succeeds();
        assert!(simulator.admin().repositories().is_empty());

        console.run(in_admin_center).await.succeeds();
        simulator.is_connected().await;
    })
    .await;
}

/// The second block runs in HCP Terraform, which gives a run its variables and tokens, and stands in for `cloud {}`.
#[tokio::test]
async fn a_workspace_of_hcp_terraform() {
    if azuread_mirror().is_none() {
        eprintln!(
            "Skipped without the azuread provider (AZUREAD_MIRROR is not set): the README of examples/hcp-terraform."
        );
        return;
    }
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let run = HcpRun {
            phase: "apply".to_owned(),
            ..HcpRun::default()
        };
        let tenant = simulator.tenant_id();
        let id = format!("ws-{}", run.workspace);
        let values = [
            ("SERVICENOW_USERNAME", simulator.username()),
            ("SERVICENOW_PASSWORD", simulator.password()),
            ("ARM_TENANT_ID", &tenant),
            ("TF_VAR_organization", &run.organization),
            ("TF_VAR_workspace", &run.workspace),
            ("TF_VAR_workspace_id", &id),
            ("TF_CLOUD_ORGANIZATION", &run.organization),
            ("TF_WORKSPACE", "default"),
        ];
        let commands = commands(&simulator, "hcp-terraform", &values);
        let [bootstrap, in_run] = commands.as_slice() else {
            panic!("{commands:#?}");
        };
        let mut workspace = example(&simulator, terraform, "hcp-terraform");
        // "or another sign-in"
        workspace.set("ARM_CLIENT_ID", simulator.client_id());
        workspace.set("ARM_CLIENT_SECRET", simulator.client_secret());
        workspace.set("ARM_USE_CLI", "false");
        workspace.set("TF_VAR_project", &run.project);
        Console::new(&workspace).run(bootstrap).await.succeeds();

        let state = fs::read(workspace.folder().join("bootstrap/terraform.tfstate")).unwrap();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
        let variables = &state["outputs"]["workspace_variables"]["value"]["environment"];
        let audience = variables["TFC_WORKLOAD_IDENTITY_AUDIENCE_SERVICENOW"].as_str().unwrap();
        let token = |audience: &str| simulator.hcp().workload_identity_token(&run, audience).unwrap();
        workspace.unset("ARM_CLIENT_SECRET");
        for (name, value) in [
            ("TFC_WORKLOAD_IDENTITY_TOKEN_SERVICENOW", token(audience).as_str()),
            ("ARM_CLIENT_ID", variables["TFC_AZURE_RUN_CLIENT_ID"].as_str().unwrap()),
            ("ARM_USE_OIDC", "true"),
            ("ARM_OIDC_TOKEN", &token("api://AzureADTokenExchange")),
            ("TF_VAR_instance_url", &simulator.urls().instance),
            ("TF_VAR_tenant_id", &tenant),
        ] {
            workspace.set(name, value);
        }
        let versions = fs::read_to_string(workspace.folder().join("versions.tf")).unwrap();
        workspace.write("versions.tf", &versions.replace("cloud {}", ""));

        Console::new(&workspace).run(in_run).await.succeeds();
    })
    .await;
}
