//! The workflow files of `examples/continuous-integration`: what their steps run, with a stand-in for the pipeline's token
//! service. The tokens and the sign-in are real, and so is `terraform`.
//!
//! That the files are valid as workflows is checked by `scripts/lint.sh`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use servicenow_simulator::microsoft::hcp::Run as HcpRun;

use crate::harness::modules_and_examples::shipped;
use crate::harness::{ByHand, Listener, Simulator, Terraform, Workspace, for_each_terraform, manual_setup};

const SETUP: &str = r#"
    resource "servicenow_oauth_entity" "outbound" {
      name      = "Microsoft 365 outbound"
      client_id = "11111111-1111-4111-8111-111111111111"
    }
"#;

/// A checked-out configuration with its lock file, on a runner that knows no password.
async fn checkout(simulator: &Simulator, terraform: &Terraform) -> Workspace {
    let mut workspace = simulator.workspace(terraform, SETUP);
    workspace.init_from_mirrors(None);
    workspace.terraform("init").await.succeeds();
    for name in [
        "SERVICENOW_USERNAME",
        "SERVICENOW_PASSWORD",
        "ARM_CLIENT_SECRET",
        "M365_REFRESH_TOKEN",
    ] {
        workspace.unset(name);
    }
    workspace
}

fn file(name: &str) -> String {
    fs::read_to_string(shipped("examples/continuous-integration").join(name)).unwrap()
}

/// The scripts in a file: every `key: |` and `key: command`, without their indentation.
fn scripts(text: &str, key: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let own = line.trim_start().trim_start_matches("- ");
        let Some(value) = own.strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")) else {
            continue;
        };
        if value != "|" {
            found.push(value.to_owned());
            continue;
        }
        let of_key = line.len() - own.len();
        let block = lines[number + 1..]
            .iter()
            .take_while(|line| line.trim().is_empty() || indentation(line) > of_key);
        let block: Vec<&str> = block.map(|line| line.trim_start_matches(' ')).collect();
        found.push(block.join("\n"));
    }
    found
}

/// The value of a variable in a file's `env` or `variables`.
fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text.lines().map(str::trim);
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name} is not set")).trim_matches('"')
}

/// Both jobs ask GitHub for a token with the instance's audience and sign in with it. The token is one of HCP Terraform, since
/// the simulated instance knows no other issuer than this and Entra.
#[tokio::test]
async fn the_jobs_of_github_actions_sign_in_without_a_secret() {
    for_each_terraform(async |terraform| {
        let text = file("github-actions.yml");
        let audience = value(&text, "SERVICENOW_AUDIENCE");
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let configuration = instance.put(
            "oidc_provider_configuration",
            &[
                ("name", "pipeline"),
                ("oidc_url", "https://app.terraform.io/.well-known/openid-configuration"),
                ("user_claim", "terraform_workspace_id"),
                ("user_field", "user_name"),
                ("enable_jti_verification", "false"),
            ],
        );
        let provider = [
            ("name", "pipeline"),
            ("client_id", audience),
            ("oidc_provider_configuration", configuration.as_str()),
        ];
        instance.put("oauth_oidc_entity", &provider);
        let run = HcpRun::default();
        let user = instance.put(
            "sys_user",
            &[("user_name", &format!("ws-{}", run.workspace)), ("active", "true")],
        );
        manual_setup::grant(instance, &user, "oauth_admin");
        let simulator = simulator.starting_here();
        let token = simulator.hcp().workload_identity_token(&run, audience).unwrap();
        let github = Listener::http(200, "", &format!("{{\"value\": {token:?}}}")).await;
        let mut workspace = checkout(&simulator, terraform).await;
        for (name, value) in [
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("{}/token?api-version=2.0", github.url()).as_str(),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job"),
            ("SERVICENOW_AUDIENCE", audience),
            ("ARM_USE_OIDC", value(&text, "ARM_USE_OIDC")),
        ] {
            workspace.set(name, value);
        }
        let steps = scripts(&text, "run");
        let [init, plan, init_again, apply] = steps.as_slice() else {
            panic!("{steps:#?}");
        };
        assert_eq!(init, init_again);

        workspace.bash(init).await.succeeds();
        workspace.bash(plan).await.succeeds().says("1 to add");
        workspace.bash(apply).await.succeeds().says("1 added");

        let asked = github.received();
        assert_eq!(asked.len(), 2, "{asked:#?}");
        for request in asked {
            let wanted = format!("GET /token?api-version=2.0&audience={audience} ");
            assert!(request.starts_with(&wanted), "{request}");
            assert!(
                request.to_lowercase().contains("authorization: bearer of-the-job"),
                "{request}"
            );
        }
        let made = simulator.only_record("oauth_entity");
        assert_eq!(made["sys_created_by"], format!("ws-{}", run.workspace));
    })
    .await;
}

/// The step asks Entra for a token for the instance's audience, by the Azure CLI that the task has signed in.
#[tokio::test]
async fn the_step_of_azure_devops_signs_in_without_a_secret() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        manual_setup::grant(simulator.instance(), &trust.user, "oauth_admin");
        let simulator = simulator.starting_here();
        let mut workspace = checkout(&simulator, terraform).await;
        // The CLI in the task: signed in as the service connection's application.
        let token = format!("{}/{}/oauth2/token", simulator.urls().login, simulator.tenant_id());
        workspace.write(
            "bin/az",
            &format!(
                "#!/bin/sh\nset -e\n[ \"$*\" = \"account get-access-token --resource {} --query accessToken --output tsv\" ]\n\
                 curl -sSf {token} -d grant_type=client_credentials -d client_id={} -d resource=\"$4\" \
                 --data-urlencode client_secret={} | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/'\n",
                trust.inbound.client_id, trust.rest_user.client_id, trust.rest_user.client_secret
            ),
        );
        fs::set_permissions(workspace.folder().join("bin/az"), fs::Permissions::from_mode(0o755)).unwrap();
        for (name, value) in [
            ("CURL_CA_BUNDLE", simulator.ca_certificate().display().to_string().as_str()),
            ("SERVICENOW_AUDIENCE", &trust.inbound.client_id),
            ("AZURESUBSCRIPTION_TENANT_ID", &simulator.tenant_id()),
            ("AZURESUBSCRIPTION_CLIENT_ID", &trust.rest_user.client_id),
            ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "a-service-connection"),
        ] {
            workspace.set(name, value);
        }
        let steps = file("azure-pipelines-steps.yml");
        let inline = scripts(&steps, "inlineScript");
        let [script] = inline.as_slice() else {
            panic!("{inline:#?}");
        };
        let pipeline = file("azure-pipelines.yml");
        let commands = scripts(&pipeline, "command");
        let [plan, apply] = commands.as_slice() else {
            panic!("{commands:#?}");
        };
        let step = |command: &str| script.replace("${{ parameters.command }}", command);

        workspace.bash(&step(plan)).await.succeeds().says("1 to add");
        workspace.bash(&step(apply)).await.succeeds().says("1 added");

        let made = simulator.only_record("oauth_entity");
        assert_eq!(made["sys_created_by"], trust.rest_user.client_id);
    })
    .await;
}
