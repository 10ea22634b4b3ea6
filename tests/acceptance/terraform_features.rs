//! Functions, the ephemeral token, values that are not known yet: and that a newer Terraform makes no noise about them.

use crate::harness::{ByHand, Simulator, Workspace, for_each_terraform};

#[tokio::test]
async fn functions_spell_the_addresses() {
    for_each_terraform(async |terraform| {
        // No provider block: functions need no configuration.
        let workspace = Workspace::new(
            terraform,
            r#"
                output "redirect" {
                  value = provider::servicenow::oauth_redirect_url("https://contoso.service-now.com")
                }
                output "token" {
                  value = provider::servicenow::entra_token_url("contoso.com")
                }
                output "metadata" {
                  value = [for version in [1, 2] : provider::servicenow::entra_oidc_metadata_url("contoso.com", "${version}.0")]
                }
            "#,
        );

        workspace.terraform("apply").await.succeeds();

        let outputs = workspace.terraform("output -json").await.succeeds().json();
        assert_eq!(outputs["redirect"]["value"], "https://contoso.service-now.com/oauth_redirect.do");
        assert_eq!(outputs["token"]["value"], "https://login.microsoftonline.com/contoso.com/oauth2/token");
        assert_eq!(
            outputs["metadata"]["value"][1],
            "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration"
        );
    })
    .await;
}

#[tokio::test]
async fn a_function_tells_which_argument_is_wrong() {
    for_each_terraform(async |terraform| {
        for (call, argument, part) in [
            (
                "oauth_redirect_url(\"contoso\")",
                "instance_url",
                "https://contoso.service-now.com",
            ),
            ("oauth_redirect_url(null)", "instance_url", "null"),
            ("entra_token_url(\"common\")", "tenant", "stands for every tenant"),
            (
                "entra_oidc_metadata_url(\"contoso.com\", \"3\")",
                "version",
                "requestedAccessTokenVersion",
            ),
        ] {
            let output = format!("output \"x\" {{\n  value = provider::servicenow::{call}\n}}\n");
            let workspace = Workspace::new(terraform, &output);

            workspace
                .terraform("plan")
                .await
                .fails_saying(&format!("Invalid value for \"{argument}\" parameter"))
                .says(part);
        }
    })
    .await;
}

#[tokio::test]
async fn a_function_of_something_not_known_yet_is_not_known_yet() {
    for_each_terraform(async |terraform| {
        let workspace = Workspace::new(
            terraform,
            r#"
                resource "terraform_data" "tenant" {
                  input = "contoso.com"
                }
                output "token" {
                  value = provider::servicenow::entra_token_url(terraform_data.tenant.output)
                }
            "#,
        );

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("https://login.microsoftonline.com/contoso.com/oauth2/token");
    })
    .await;
}

/// A user that may sign in with client credentials.
fn oauth_client(simulator: &Simulator) -> String {
    let instance = simulator.instance();
    instance.put(
        "sys_properties",
        &[
            ("name", "glide.oauth.inbound.client.credential.grant_type.enabled"),
            ("value", "true"),
        ],
    );
    let user = instance.put("sys_user", &[("user_name", "automation"), ("last_name", "Automation")]);
    instance.put(
        "oauth_entity",
        &[
            ("name", "automation"),
            ("type", "client"),
            ("client_id", "automation-client"),
            ("client_secret", "automation-secret"),
            ("user", &user),
            ("inbound_grant_type", "client_credential"),
        ],
    )
}

fn signed_in_with_oauth(simulator: &Simulator, workspace: &mut Workspace) {
    oauth_client(simulator);
    workspace.unset("SERVICENOW_USERNAME");
    workspace.unset("SERVICENOW_PASSWORD");
    workspace.set("SERVICENOW_CLIENT_ID", "automation-client");
    workspace.set("SERVICENOW_CLIENT_SECRET", "automation-secret");
    workspace.set("SERVICENOW_GRANT_TYPE", "client_credentials");
}

#[tokio::test]
async fn the_access_token_is_usable_and_kept_nowhere() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(
            terraform,
            r#"
                ephemeral "servicenow_access_token" "this" {
                  lifecycle {
                    postcondition {
                      condition     = length(self.access_token) > 20 && timecmp(self.expires_at, plantimestamp()) > 0
                      error_message = "No token"
                    }
                  }
                }
            "#,
        );
        signed_in_with_oauth(&simulator, &mut workspace);

        workspace.terraform("plan -out=plan.bin").await.succeeds();
        workspace.terraform("apply plan.bin").await.succeeds();

        let tokens: Vec<String> = simulator
            .instance()
            .records("oauth_credential")
            .into_iter()
            .map(|record| record["token"].clone())
            .collect();
        assert_eq!(
            tokens.len(),
            1,
            "the instance hands out one token, and it is not revoked"
        );
        workspace.leaks_nothing_of(&[&tokens[0], "automation-secret"]);
    })
    .await;
}

#[tokio::test]
async fn the_access_token_is_revoked_when_that_is_asked_for() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(
            terraform,
            "ephemeral \"servicenow_access_token\" \"this\" {\n  revoke_on_close = true\n}\n",
        );
        signed_in_with_oauth(&simulator, &mut workspace);

        workspace.terraform("apply").await.succeeds();

        let requests = simulator.instance().requests();
        assert!(
            requests
                .iter()
                .any(|it| it.path == "/oauth_revoke_token.do" && it.status == 200)
        );
        assert!(simulator.instance().records("oauth_credential").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_without_a_token_has_none_to_hand_out() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, "ephemeral \"servicenow_access_token\" \"this\" {}\n");

        workspace
            .terraform("apply")
            .await
            .fails_saying("Signing in with basic has no access token");
    })
    .await;
}

/// The address of the instance may come from something that is made in the same apply.
#[tokio::test]
async fn provider_arguments_that_are_not_known_yet_are_tolerated() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = |generation: u32| {
            format!(
                r#"
                    resource "terraform_data" "address" {{
                      input            = "{}"
                      triggers_replace = {generation}
                    }}
                    resource "servicenow_integration_user" "robot" {{
                      user_name = "robot"
                    }}
                "#,
                simulator.urls().instance
            )
        };
        let workspace = simulator.workspace(terraform, &configuration(1));
        workspace.write(
            "provider.tf",
            "provider \"servicenow\" {\n  instance_url = terraform_data.address.output\n}\n",
        );

        workspace.terraform("apply").await.succeeds().says("2 added");
        workspace.plan_is_empty().await;

        // Now there is an object, and nothing can be read while the address is unknown.
        workspace.configure(&configuration(2));
        workspace
            .plan()
            .await
            .does("servicenow_integration_user.robot", &["no-op"]);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
    })
    .await;
}

/// What was written for 1.11 is quiet with whatever is newer.
#[tokio::test]
async fn a_configuration_for_an_older_terraform_makes_no_noise() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let workspace = simulator.workspace(
            terraform,
            &format!(
                r#"
                    resource "servicenow_oauth_entity" "outbound" {{
                      name                     = "Microsoft 365"
                      client_id                = "11111111-2222-4333-8444-555555555555"
                      client_secret_wo         = "once"
                      client_secret_wo_version = "1"
                      token_url                = provider::servicenow::entra_token_url("contoso.com")
                    }}
                    resource "servicenow_oidc_provider" "inbound" {{
                      name             = "Second audience"
                      client_id        = "22222222-2222-4333-8444-555555555555"
                      configuration_id = "{}"
                    }}
                    resource "servicenow_integration_user" "robot" {{
                      user_name = "robot"
                      roles     = ["incident_manager"]
                    }}
                "#,
                trust.configuration
            ),
        );

        for command in ["validate", "plan", "apply", "plan", "plan -refresh-only", "destroy"] {
            let run = workspace.terraform(command).await;
            run.succeeds();
            let others =
                run.words().matches("Warning:").count() - run.words().matches("development overrides are in").count();
            assert_eq!(others, 0, "terraform {command} should not warn\n{}", run.words());
        }
    })
    .await;
}

/// What was made by hand is taken over by a module that is used for it, without a block in the root module.
#[tokio::test]
async fn a_module_imports_what_it_describes() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.16", "an import block in a module") {
            return;
        }
        let simulator = Simulator::start().await;
        let role = simulator.instance().put("sys_user_role", &[("name", "u_connector")]);
        let root = r#"
            module "roles" {
              source = "./roles"
              name   = "u_connector"
            }
        "#;
        let workspace = simulator.workspace(terraform, root);
        workspace.write(
            "roles/main.tf",
            r#"
                terraform {
                  required_providers {
                    servicenow = { source = "servicenow-m365/servicenow" }
                  }
                }
                variable "name" {
                  type = string
                }
                import {
                  to = servicenow_role.this
                  id = "name=${var.name}"
                }
                resource "servicenow_role" "this" {
                  name = var.name
                }
            "#,
        );
        workspace.terraform_with(&["get"]).await.succeeds();

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed");

        assert_eq!(workspace.state("module.roles.servicenow_role.this").text("id"), role);
        workspace.plan_is_empty().await;
    })
    .await;
}
