//! Where secrets may be, and where they may not.

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::SecretRead;

use crate::harness::{Guide, Simulator, Workspace, for_each_terraform};

const PLAIN: &str = r#"
    variable "secret" {
      sensitive = true
    }
    resource "servicenow_oauth_entity" "this" {
      name          = "Outbound"
      client_id     = "x"
      client_secret = var.secret
    }
    resource "servicenow_oidc_provider" "this" {
      name          = "Inbound"
      client_id     = "x"
      client_secret = var.secret
      configuration = {
        name         = "Entra"
        metadata_url = "https://login.microsoftonline.com/t/.well-known/openid-configuration"
      }
    }
    resource "servicenow_integration_user" "this" {
      user_name = "robot"
      password  = var.secret
    }
    resource "m365_support_repository" "this" {
      provider           = servicenow
      repository_id      = "contoso"
      endpoint           = "https://contoso.service-now.com/"
      client_secret      = var.secret
      rest_user_password = var.secret
    }
"#;

fn stored(simulator: &Simulator) -> Vec<String> {
    let instance = simulator.instance();
    let mut stored: Vec<String> = instance
        .find("oauth_entity", "client_id", "x")
        .iter()
        .map(|it| it["client_secret"].clone())
        .collect();
    stored.push(instance.find("sys_user", "user_name", "robot")[0]["user_password"].clone());
    let repository = simulator.admin().repositories().remove(0);
    stored.extend([repository.client_secret, repository.user_password]);
    stored
}

/// The instance masks, hides or empties what it has: none of that is taken for a change, nor sent back.
#[tokio::test]
async fn what_an_instance_shows_of_a_secret_means_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, PLAIN);
        workspace.set("TF_VAR_secret", "the-first-secret");
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("the-first-secret");
        assert_eq!(stored(&simulator), ["the-first-secret"; 5]);
        workspace
            .state("servicenow_oauth_entity.this")
            .has("client_secret", "the-first-secret");

        for reading in [
            SecretRead::Absent,
            SecretRead::Empty,
            SecretRead::Masked,
            SecretRead::Encrypted,
        ] {
            simulator.instance().switches(|modes| modes.secret_read = reading);
            workspace.plan_is_empty().await;
        }
        // A change beside it leaves it, a change of it is sent.
        workspace.configure(
            &PLAIN
                .replace("\"Outbound\"", "\"Renamed\"")
                .replace("\"Inbound\"", "\"Renamed\""),
        );
        workspace.terraform("apply").await.succeeds().says("2 changed");
        assert_eq!(stored(&simulator), ["the-first-secret"; 5]);
        workspace.set("TF_VAR_secret", "the-second-secret");
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("4 changed")
            .does_not_say("the-second-secret");
        assert_eq!(stored(&simulator), ["the-second-secret"; 5]);
        workspace.plan_is_empty().await;

        // From the state to write-only: sent once more, and gone from the state.
        let write_only = PLAIN
            .replace("sensitive = true", "ephemeral = true")
            .replace(
                "client_secret = var.secret",
                "client_secret_wo = var.secret\n client_secret_wo_version = \"1\"",
            )
            .replace(
                "password  = var.secret",
                "password_wo = var.secret\n password_wo_version = \"1\"",
            )
            .replace(
                "rest_user_password = var.secret",
                "rest_user_password_wo = var.secret\n rest_user_password_wo_version = \"1\"",
            )
            .replace(
                "client_secret      = var.secret",
                "client_secret_wo = var.secret\n client_secret_wo_version = \"1\"",
            );
        workspace.configure(&write_only);
        workspace.set("TF_VAR_secret", "the-third-secret!");
        workspace.terraform("apply").await.succeeds().says("4 changed");
        assert_eq!(stored(&simulator), ["the-third-secret!"; 5]);
        assert!(!workspace.state_file().to_string().contains("secret\":\"the-"));
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        workspace.leaks_nothing_of(&["the-third-secret!"]);
    })
    .await;
}

/// The other side may quote what it was sent, in an error.
#[tokio::test]
async fn a_secret_that_is_quoted_by_an_error_is_masked() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let workspace = guide.workspace(&simulator, terraform);
        workspace.write("provider.tf", &simulator.provider("max_retries = 0"));
        let secrets = guide.secrets();
        let quoting = |secret: &str| Fault::Answer {
            status: 400,
            content_type: "application/json".to_owned(),
            body: serde_json::json!({
                "error": {"message": format!("Bad value {secret}"), "detail": format!("clientSecret={secret}")},
                "status": "failure",
            })
            .to_string(),
        };
        let posts = |table: &str| Matcher::table(table).method(Method::POST);
        simulator
            .instance()
            .faults()
            .every(posts("oauth_entity"), quoting(secrets[0]));
        simulator
            .instance()
            .faults()
            .every(posts("oauth_oidc_entity"), quoting(secrets[1]));
        workspace.terraform("apply").await.fails_saying("Bad value ***");

        simulator.instance().faults().clear();
        let create = Matcher::any().method(Method::POST).path(|path| !path.ends_with("/my"));
        simulator.admin().faults().every(create, quoting(secrets[2]));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not create the repository");

        workspace.leaks_nothing_of(&secrets);
    })
    .await;
}

/// Neither the provider's own credentials nor its tokens show up, whichever way it signs in.
#[tokio::test]
async fn the_providers_own_credentials_are_found_nowhere() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let mut workspace = guide.workspace(&simulator, terraform);
        let check = async |workspace: &Workspace| {
            workspace.leaks_nothing_of(&[
                simulator.password(),
                simulator.client_secret(),
                simulator.refresh_token(),
                "a-wrong-password",
                "a-wrong-refresh-token",
            ]);
        };
        workspace.terraform("apply").await.succeeds();
        workspace.set("SERVICENOW_PASSWORD", "a-wrong-password");
        workspace.set("M365_REFRESH_TOKEN", "a-wrong-refresh-token");
        workspace
            .terraform("plan")
            .await
            .fails_saying("did not accept the sign-in");
        check(&workspace).await;

        for log in [simulator.logs().login.all(), simulator.logs().admin.all()] {
            for request in log {
                if let Some(token) = request.headers.get("authorization").and_then(|it| it.to_str().ok()) {
                    workspace.leaks_nothing_of(&[token.rsplit('.').next().unwrap_or_default()]);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_write_only_secret_that_will_not_be_sent_is_a_warning() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.11", "write-only arguments") {
            return;
        }
        let simulator = Simulator::start().await;
        let robot = simulator
            .instance()
            .put("sys_user", &[("user_name", "robot"), ("last_name", "robot")]);
        let configuration = |more: &str| {
            format!(
                r#"
                    variable "secret" {{
                      ephemeral = true
                    }}
                    import {{
                      to = servicenow_integration_user.this
                      id = "{robot}"
                    }}
                    resource "servicenow_integration_user" "this" {{
                      user_name   = "robot"
                      password_wo = var.secret
                      {more}
                    }}
                "#
            )
        };
        let mut workspace = simulator.workspace(terraform, &configuration(""));
        workspace.set("TF_VAR_secret", "the-first-secret");
        let password = || simulator.instance().find("sys_user", "user_name", "robot")[0]["user_password"].clone();

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Warning: password_wo is not sent")
            .says("set `password_wo_version`");
        assert_eq!(password(), "");

        workspace.configure(&configuration("password_wo_version = \"1\""));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("is not sent");
        assert_eq!(password(), "the-first-secret");
        workspace.terraform("plan").await.succeeds().does_not_say("is not sent");
    })
    .await;
}

/// Whoever reads the plan, or destroys, need not have the secret; whoever makes the object or changes the version must.
#[tokio::test]
async fn a_secret_is_needed_only_where_it_is_sent() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let entry = |version: &str, comments: &str| {
            format!(
                "variable \"secret\" {{\n  ephemeral = true\n  default = null\n}}\n\
                 resource \"servicenow_oauth_entity\" \"this\" {{\n  name = \"Outbound\"\n  client_id = \"x\"\n  \
                 comments = \"{comments}\"\n  client_secret_wo = var.secret\n  client_secret_wo_version = \"{version}\"\n}}\n"
            )
        };
        let mut workspace = simulator.workspace(terraform, &entry("1", "one"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("client_secret_wo is missing")
            .says("because the object is created");
        workspace.set("TF_VAR_secret", "the-first-secret");
        workspace.terraform("apply").await.succeeds();
        workspace.unset("TF_VAR_secret");

        workspace.plan_is_empty().await;
        workspace.terraform("apply -refresh-only").await.succeeds();
        workspace.configure(&entry("1", "two"));
        workspace.terraform("apply").await.succeeds().says("1 changed");
        let stored = simulator.instance().find("oauth_entity", "client_id", "x").remove(0);
        assert_eq!(stored["client_secret"], "the-first-secret");
        workspace.configure(&entry("2", "two"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("client_secret_wo is missing")
            .says("`client_secret_wo_version` changes from \"1\" to \"2\"")
            .says("leave the version at \"1\"");
        workspace.configure(&entry("1", "two"));
        workspace
            .terraform("plan -replace=servicenow_oauth_entity.this")
            .await
            .fails_saying("client_secret_wo is missing");
        // A pipeline passes a secret that it does not have as empty text.
        workspace.set("TF_VAR_secret", "");
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        workspace
            .terraform("plan")
            .await
            .fails_saying("client_secret_wo is missing")
            .says("`client_secret_wo` is empty, but must be sent, because the object is created");
    })
    .await;
}

/// The plan with which a destroy begins would create what is gone, and needs a secret for that. The message has the way out.
#[tokio::test]
async fn a_destroy_without_the_secret_of_an_object_that_is_gone() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = "variable \"secret\" {\n  ephemeral = true\n  default = null\n}\n\
             resource \"servicenow_oauth_entity\" \"this\" {\n  name = \"Outbound\"\n  client_id = \"x\"\n  \
             client_secret_wo = var.secret\n}\n\
             resource \"servicenow_oauth_entity\" \"gone\" {\n  name = \"Gone\"\n  client_id = \"y\"\n  \
             client_secret_wo = var.secret\n  client_secret_wo_version = \"1\"\n}\n";
        let mut workspace = simulator.workspace(terraform, configuration);
        workspace.set("TF_VAR_secret", "the-first-secret");
        workspace.terraform("apply").await.succeeds();
        let gone = simulator.instance().find("oauth_entity", "client_id", "y").remove(0);
        simulator.instance().remove("oauth_entity", &gone["sys_id"]);
        workspace.unset("TF_VAR_secret");

        workspace
            .terraform("destroy")
            .await
            .fails_saying("client_secret_wo is missing")
            .says("use `terraform destroy -refresh=false`");
        workspace.terraform("destroy -refresh=false").await.succeeds();
        assert_eq!(simulator.instance().find("oauth_entity", "client_id", "x").len(), 0);

        // Without a version, text that is given is sent on creation, and empty text is none.
        workspace.set("TF_VAR_secret", " ");
        workspace
            .terraform("plan")
            .await
            .fails_saying("client_secret_wo is missing")
            .says("Set it, or remove `client_secret_wo`.");
    })
    .await;
}
