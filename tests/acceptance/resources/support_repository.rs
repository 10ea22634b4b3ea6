//! `m365_support_repository`, from creation to removal.

use serde_json::json;
use servicenow_simulator::microsoft::admin_center::Quirks;

use crate::harness::{
    Imports, Simulator, Terraform, Workspace, destroy_finds_it_removed, for_each_terraform, removal_is_corrected,
};

const ADDRESS: &str = "m365_support_repository.this";
const SECRETS: [&str; 3] = ["first-client-secret", "second-client-secret", "rest-user-password"];

/// A whole repository; `$` marks what tests change.
const WHOLE: &str = r#"
    variable "secret" {
      ephemeral = true
    }
    variable "password" {
      ephemeral = true
    }
    resource "m365_support_repository" "this" {
      provider                      = servicenow
      repository_id                 = "contoso"
      endpoint                      = "https://contoso.service-now.com/"
      authentication_type           = "basic"
      client_id                     = "an-endpoint"
      client_secret_wo              = var.secret
      client_secret_wo_version      = "1"
      rest_user_name                = "robot"
      rest_user_password_wo         = var.password
      rest_user_password_wo_version = "1"
      refresh_token_expiry          = 8640000
    }
"#;

/// The least that a repository needs, without secrets.
const LEAST: &str = r#"
    resource "m365_support_repository" "this" {
      provider      = servicenow
      repository_id = "contoso"
      endpoint      = "https://contoso.service-now.com"
    }
"#;

fn with_secrets(mut workspace: Workspace) -> Workspace {
    workspace.set("TF_VAR_secret", SECRETS[0]);
    workspace.set("TF_VAR_password", SECRETS[2]);
    workspace
}

#[tokio::test]
async fn a_repository_lives_from_creation_to_removal() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = with_secrets(simulator.workspace(terraform, WHOLE));
        let secrets = || {
            let repositories = simulator.admin().repositories();
            assert_eq!(repositories.len(), 1);
            (repositories[0].client_secret.clone(), repositories[0].user_password.clone())
        };

        workspace.terraform("apply").await.succeeds_without_warning();

        workspace
            .state(ADDRESS)
            .has("id", "contoso")
            .has("endpoint", "https://contoso.service-now.com/")
            .has("authentication_type", "basic")
            .has("refresh_token_expiry", 8_640_000)
            .lacks("client_secret_wo")
            .lacks("rest_user_password_wo");
        assert_eq!(secrets(), (SECRETS[0].to_owned(), SECRETS[2].to_owned()));
        workspace.plan_is_empty().await;

        // A write replaces the whole: secrets that are not touched are sent again.
        workspace.configure(&WHOLE.replace("an-endpoint", "another").replace("\"robot\"", "\"android\""));
        workspace.plan().await.updates_only(ADDRESS, &["client_id", "rest_user_name"]);
        workspace.terraform("apply plan.bin").await.succeeds_without_warning().does_not_say("may lose");
        assert_eq!(secrets(), (SECRETS[0].to_owned(), SECRETS[2].to_owned()));
        assert_eq!(simulator.admin().repositories()[0].client_id, "another");

        // Only the version changes: the new secret is sent.
        workspace.set("TF_VAR_secret", SECRETS[1]);
        workspace.configure(&WHOLE.replace("client_secret_wo_version      = \"1\"", "client_secret_wo_version = \"2\""));
        workspace.terraform("apply").await.succeeds_without_warning().says("1 changed");
        assert_eq!(secrets(), (SECRETS[1].to_owned(), SECRETS[2].to_owned()));
        assert_eq!(simulator.admin().repositories()[0].client_id, "an-endpoint");

        // What the configuration no longer names stays; what it names as empty is cleared, with the secret that belongs to it.
        workspace.configure(&LEAST.replace(
            "provider ",
            "authentication_type = \"aad\"\n  client_id = \"\"\n  rest_user_name = \"\"\n  refresh_token_expiry = 0\n  provider ",
        ));
        workspace.terraform("apply").await.succeeds_without_warning().says("1 changed");
        assert_eq!(
            simulator.admin().shown()["Repositories"],
            json!([{"RepositoryId": "contoso", "Endpoint": "https://contoso.service-now.com/", "AuthenticationType": "AAD"}])
        );
        workspace.plan_is_empty().await;

        workspace.configure(&LEAST.replace("\"contoso\"", "\"fabrikam\""));
        workspace.plan().await.replaces_because_of(ADDRESS, &["repository_id"]);
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
        let ids: Vec<_> = simulator.admin().repositories().into_iter().map(|it| it.id).collect();
        assert_eq!(ids, ["fabrikam"]);

        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
        workspace.leaks_nothing_of(&SECRETS);
    })
    .await;
}

#[tokio::test]
async fn drift_of_a_repository_is_planned_back_and_removal_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = with_secrets(simulator.workspace(terraform, WHOLE));
        workspace.terraform("apply").await.succeeds();
        let at_first = simulator.admin().shown();

        // The admin center writes an address with or without the last slash as it likes.
        simulator
            .admin()
            .put_repository(&json!({"RepositoryId": "contoso", "Endpoint": "https://contoso.service-now.com"}));
        workspace.plan_is_empty().await;
        simulator.admin().put_repository(&json!({
            "RepositoryId": "contoso",
            "Endpoint": "https://elsewhere.service-now.com/",
            "AuthenticationType": "AAD",
            "ClientId": "somebody",
            "RestUserName": "nobody",
            "RefreshTokenExpiry": 1,
        }));

        workspace.plan().await.updates_only(
            ADDRESS,
            &[
                "authentication_type",
                "client_id",
                "endpoint",
                "refresh_token_expiry",
                "rest_user_name",
            ],
        );
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(simulator.admin().shown(), at_first);

        let remove = |id: &str| simulator.admin().remove_repository(id);
        removal_is_corrected(&workspace, ADDRESS, remove).await;
        assert_eq!(simulator.admin().shown(), at_first);
        destroy_finds_it_removed(&workspace, ADDRESS, remove).await;
    })
    .await;
}

#[tokio::test]
async fn fields_that_are_not_configured_belong_to_the_admin_center() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, LEAST);
        workspace.terraform("apply").await.succeeds();
        let by_hand = json!({"RepositoryId": "contoso", "RefreshTokenExpiry": 77, "Region": "EU"});
        simulator.admin().put_repository(&by_hand);

        workspace.plan_is_empty().await;
        workspace.configure(&LEAST.replace("contoso.service-now", "fabrikam.service-now"));
        workspace.terraform("apply").await.succeeds();

        assert_eq!(
            simulator.admin().shown()["Repositories"],
            json!([{
                "RepositoryId": "contoso", "Endpoint": "https://fabrikam.service-now.com", "AuthenticationType": "AAD",
                "RefreshTokenExpiry": 77, "Region": "EU",
            }])
        );
    })
    .await;
}

/// A write replaces the repository, and its secrets cannot be read.
#[tokio::test]
async fn an_update_does_not_clear_secrets_that_were_entered_manually() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, LEAST);
        workspace.terraform("apply").await.succeeds();
        simulator.admin().put_repository(&json!({
            "RepositoryId": "contoso", "ClientId": "by hand", "ClientSecret": "s", "RestUserName": "robot",
            "RestUserPassword": "p",
        }));
        let secrets = || {
            let repository = simulator.admin().repositories().remove(0);
            [repository.client_secret, repository.user_password]
        };
        let elsewhere = LEAST.replace("contoso.service-now", "fabrikam.service-now");
        workspace.configure(&elsewhere);

        workspace
            .terraform("apply")
            .await
            .fails_saying("The update would remove the client_secret")
            .says("The update would remove the rest_user_password")
            .says("by hand")
            .says("Nothing was sent");
        assert_eq!(secrets(), ["s", "p"]);

        // Named, it is the configuration's.
        let named = "client_id = \"by hand\"\n  client_secret_wo = \"s\"\n  client_secret_wo_version = \"1\"\n  \
                     rest_user_name = \"\"\n}";
        workspace.configure(&elsewhere.replace('}', named));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(secrets(), ["s", ""]);
        assert_eq!(
            simulator.admin().repositories()[0].endpoint,
            "https://fabrikam.service-now.com"
        );
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_narrow_import_of_a_repository_leaves_everything_as_it_is() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.admin().put_repository(&json!({
            "RepositoryId": "contoso", "Endpoint": "https://contoso.service-now.com/", "AuthenticationType": "Basic",
            "ClientId": "an-endpoint", "RestUserName": "robot", "RefreshTokenExpiry": 100, "Region": "EU",
        }));
        let before = simulator.admin().shown();
        let import = format!("import {{\n  provider = servicenow\n  to = {ADDRESS}\n  id = \"contoso\"\n}}\n");
        let with = |arguments: &str| [LEAST.replace("provider ", &format!("{arguments}\n  provider ")), import.clone()].concat();
        let workspace = simulator.workspace(terraform, &with(""));

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed, 0 destroyed");

        workspace
            .state(ADDRESS)
            .has("client_id", "an-endpoint")
            .has("authentication_type", "basic")
            .has("refresh_token_expiry", 100)
            .has("left_alone", vec!["authentication_type"]);
        workspace.plan_is_empty().await;
        assert_eq!(simulator.admin().shown(), before);

        // A change of one argument sends the rest as it is.
        workspace.configure(&with("client_id = \"another\""));
        workspace.plan().await.updates_only(ADDRESS, &["client_id"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(
            simulator.admin().shown()["Repositories"],
            json!([{
                "RepositoryId": "contoso", "Endpoint": "https://contoso.service-now.com/", "AuthenticationType": "Basic",
                "ClientId": "another", "RestUserName": "robot", "RefreshTokenExpiry": 100, "Region": "EU",
            }])
        );

        // What is named is managed, and what is named as empty is cleared.
        workspace.configure(&with("authentication_type = \"basic\""));
        workspace.plan_is_empty().await;
        workspace.configure(&with(
            "authentication_type = \"aad\"\n  client_id = \"\"\n  rest_user_name = \"\"\n  refresh_token_expiry = 0",
        ));
        workspace.plan().await.updates_only(
            ADDRESS,
            &["authentication_type", "client_id", "left_alone", "refresh_token_expiry", "rest_user_name"],
        );
        workspace.terraform("apply plan.bin").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(
            simulator.admin().shown()["Repositories"],
            json!([{
                "RepositoryId": "contoso", "Endpoint": "https://contoso.service-now.com/", "AuthenticationType": "AAD",
                "Region": "EU",
            }])
        );
    })
    .await;
}

/// A write replaces the whole repository: one without a secret that Terraform once sent would remove it.
#[tokio::test]
async fn an_update_without_a_secret_that_was_sent_before_is_refused() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = with_secrets(simulator.workspace(terraform, WHOLE));
        workspace.terraform("apply").await.succeeds();
        let without = WHOLE
            .lines()
            .filter(|line| !line.contains("client_secret"))
            .collect::<Vec<_>>()
            .join("\n");
        let is_untouched = || {
            let repository = simulator.admin().repositories().remove(0);
            assert_eq!(
                (repository.client_secret.as_str(), repository.user_password.as_str()),
                (SECRETS[0], SECRETS[2])
            );
        };

        workspace.configure(&without);
        workspace
            .terraform("plan")
            .await
            .fails_saying("The update would remove the client_secret")
            .says("Set client_secret_wo")
            .says("set client_id = \"\"")
            .says("terraform destroy -refresh=false");
        // A destroy plans first.
        workspace
            .terraform("destroy")
            .await
            .fails_saying("would remove the client_secret");
        is_untouched();

        // Whether there is one may be open until the apply.
        let later = |input: &str| {
            let late = format!("resource \"terraform_data\" \"later\" {{\n  input = {input:?}\n}}\n");
            let secret = "terraform_data.later.output == \"none\" ? null : \"first-client-secret\"";
            [WHOLE.replace("var.secret", secret), late].concat()
        };
        workspace.configure(&later("some"));
        workspace.terraform("apply").await.succeeds();
        let unversioned = later("none").replace("client_secret_wo_version      = \"1\"", "");
        workspace.configure(&unversioned.replace("an-endpoint", "another"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("The update would remove the client_secret");
        is_untouched();
        assert_eq!(simulator.admin().repositories()[0].client_id, "an-endpoint");

        // On purpose, with the client that it belongs to.
        workspace.configure(&without.replace("\"an-endpoint\"", "\"\""));
        workspace.terraform("apply").await.succeeds();
        let repository = simulator.admin().repositories().remove(0);
        assert_eq!(
            (repository.client_secret.as_str(), repository.user_password.as_str()),
            ("", SECRETS[2])
        );
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
    })
    .await;
}

/// Every update sends the secrets of the configuration, with or without a version.
#[tokio::test]
async fn a_secret_without_a_version_is_sent_with_the_next_update() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = |secret: &str| {
            LEAST.replace(
                "provider ",
                &format!("client_id = \"a\"\n  client_secret_wo = {secret:?}\n  provider "),
            )
        };
        let workspace = simulator.workspace(terraform, &configuration(SECRETS[0]));
        workspace.terraform("apply").await.succeeds();
        let changed = configuration(SECRETS[1]);
        workspace.configure(&changed);

        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("Changes to client_secret_wo are not detected")
            .says("sent with the next update");

        workspace.configure(&changed.replace("\"a\"", "\"b\""));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("is not sent")
            .does_not_say("is not seen");
        assert_eq!(simulator.admin().repositories()[0].client_secret, SECRETS[1]);
    })
    .await;
}

/// The admin center may spell what it is sent in its own way: it is the same all the same.
#[tokio::test]
async fn a_repository_is_the_same_in_another_spelling() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.admin().set_quirks(Quirks {
            trims: true,
            lower_cases_guids: true,
        });
        let configuration = r#"
            resource "m365_support_repository" "this" {
              provider       = servicenow
              repository_id  = "ABCDEF01-2222-3333-4444-555555555555"
              endpoint       = "https://Contoso.service-now.com"
              client_id      = "ABCDEF02-2222-3333-4444-555555555555"
              rest_user_name = " robot "
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);

        workspace.terraform("apply").await.succeeds().does_not_say("not kept");

        workspace
            .state(ADDRESS)
            .has("id", "ABCDEF01-2222-3333-4444-555555555555")
            .has("repository_id", "ABCDEF01-2222-3333-4444-555555555555");
        workspace.plan_is_empty().await;
        workspace.configure(&configuration.to_lowercase());
        workspace.plan_is_empty().await;
        workspace.configure(&configuration.replace("Contoso", "fabrikam"));
        workspace.plan().await.updates_only(ADDRESS, &["endpoint"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(
            simulator.admin().repositories()[0].endpoint,
            "https://fabrikam.service-now.com"
        );
        workspace
            .terraform("state rm m365_support_repository.this")
            .await
            .succeeds();
        workspace
            .terraform("apply")
            .await
            .fails_saying("The repository already exists");
        workspace
            .terraform_with(&["import", ADDRESS, "ABCDEF01-2222-3333-4444-555555555555"])
            .await
            .succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_repository_is_imported_by_id_by_column_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        for (id, client_id) in [("contoso", "first"), ("fabrikam", "second"), ("with=sign", "second")] {
            simulator.admin().put_repository(&json!({
                "RepositoryId": id, "Endpoint": format!("https://{client_id}.service-now.com/"),
                "AuthenticationType": "Basic", "ClientId": client_id, "ClientSecret": "by-hand-secret",
                "RestUserName": "robot", "RestUserPassword": "by-hand-password", "RefreshTokenExpiry": 100,
            }));
        }
        let configuration = r#"
            resource "m365_support_repository" "this" {
              provider             = servicenow
              repository_id        = "contoso"
              endpoint             = "https://first.service-now.com/"
              authentication_type  = "basic"
              client_id            = "first"
              rest_user_name       = "robot"
              refresh_token_expiry = 100
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);

        Imports {
            address: ADDRESS,
            configuration,
            identity: ("repository_id", "contoso"),
            targets: &[
                "contoso",
                "repository_id=contoso",
                "endpoint=https://first.service-now.com",
                "client_id = first",
            ],
            state: &[("id", "contoso")],
            refused: &[
                (
                    "nowhere",
                    "No repository has repository_id = \"nowhere\". The tenant has: contoso, fabrikam, with=sign.",
                ),
                (
                    "client_id=second",
                    "Several repositories have client_id = \"second\": fabrikam, with=sign.",
                ),
                ("endpont=x", "Did you mean endpoint=x?"),
            ],
        }
        .round_trip(terraform, &workspace)
        .await;

        // What an import cannot know is told before it is lost.
        workspace.configure(&configuration.replace("= 100", "= 200"));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("The repository may lose its client_secret")
            .says("The repository may lose its rest_user_password");

        workspace
            .terraform("state rm m365_support_repository.this")
            .await
            .succeeds();
        workspace
            .terraform_with(&["import", ADDRESS, "with=sign"])
            .await
            .succeeds();
    })
    .await;
}

#[tokio::test]
async fn a_repository_that_exists_is_not_taken_over_unasked() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.admin().put_repository(&json!({
            "RepositoryId": "contoso", "Endpoint": "https://old.service-now.com/", "AuthenticationType": "AAD",
        }));
        let workspace = simulator.workspace(terraform, LEAST);

        workspace
            .terraform("apply")
            .await
            .fails_saying("The repository already exists")
            .says("with m365_support_repository.this, on main.tf line 4")
            .says("terraform import m365_support_repository.<name> contoso");

        assert!(workspace.addresses().is_empty());
        assert_eq!(
            simulator.admin().repositories()[0].endpoint,
            "https://old.service-now.com/"
        );
    })
    .await;
}

#[tokio::test]
async fn values_of_a_repository_may_be_unknown_until_apply() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = with_secrets(simulator.workspace(
            terraform,
            r#"
                variable "secret" {
                  ephemeral = true
                }
                resource "terraform_data" "later" {
                  input = { id = "contoso", host = "contoso", number = 100, type = "basic" }
                }
                resource "m365_support_repository" "this" {
                  provider                 = servicenow
                  repository_id            = terraform_data.later.output.id
                  endpoint                 = "https://${terraform_data.later.output.host}.service-now.com"
                  authentication_type      = terraform_data.later.output.type
                  client_id                = terraform_data.later.output.id
                  client_secret_wo         = var.secret
                  client_secret_wo_version = terraform_data.later.output.number
                  refresh_token_expiry     = terraform_data.later.output.number
                }
            "#,
        ));

        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("id", "contoso")
            .has("client_secret_wo_version", "100");
        workspace.plan_is_empty().await;
        assert_eq!(simulator.admin().repositories()[0].client_secret, SECRETS[0]);
    })
    .await;
}

#[tokio::test]
async fn secrets_in_the_state_are_sent_when_they_change() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = LEAST.replace(
            "provider ",
            "client_id = \"a\"\n  client_secret = \"first-client-secret\"\n  rest_user_password = \"rest-user-password\"\n  provider ",
        );
        let workspace = simulator.workspace(terraform, &configuration);
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&configuration.replace("first-", "second-"));
        workspace.plan().await.updates_only(ADDRESS, &["client_secret"]);
        workspace.terraform("apply plan.bin").await.succeeds();

        let repository = simulator.admin().repositories().remove(0);
        assert_eq!((repository.client_secret.as_str(), repository.user_password.as_str()), (SECRETS[1], SECRETS[2]));
        workspace.plan_is_empty().await;
    })
    .await;
}

/// A workspace for another tenant, with the state of `from`.
fn with_state_of(from: &Workspace, simulator: &Simulator, terraform: &Terraform, configuration: &str) -> Workspace {
    let workspace = simulator.workspace(terraform, configuration);
    workspace.write("terraform.tfstate", &from.state_file().to_string());
    workspace
}

#[tokio::test]
async fn a_repository_of_one_tenant_is_not_taken_for_that_of_another() {
    for_each_terraform(async |terraform| {
        let (simulator, other) = (Simulator::start().await, Simulator::start().await);
        let workspace = with_secrets(simulator.workspace(terraform, WHOLE));
        workspace.terraform("apply").await.succeeds();
        workspace.state(ADDRESS).has("tenant_id", simulator.tenant_id());
        other.admin().put_repository(&json!({
            "RepositoryId": "contoso", "Endpoint": "https://contoso.service-now.com/", "AuthenticationType": "Basic",
        }));
        let before = other.admin().shown();
        let changed = WHOLE.replace("an-endpoint", "another");
        let of_other = with_secrets(with_state_of(&workspace, &other, terraform, &changed));

        for command in ["plan", "apply -refresh=false", "destroy -refresh=false"] {
            of_other
                .terraform(command)
                .await
                .fails_saying("Another tenant")
                .says(&format!("belongs to the tenant {}", simulator.tenant_id()))
                .says(&format!("signed in to {}", other.tenant_id()));
        }

        assert_eq!(other.admin().shown(), before);
        assert!(other.logs().admin.all().is_empty(), "nothing is asked of the other tenant");
        of_other.leaks_nothing_of(&SECRETS);
        if terraform.has("1.12", "import by identity") {
            let block = format!(
                "import {{\n  provider = servicenow\n  to = {ADDRESS}\n  identity = {{\n    repository_id = \"contoso\"\n    tenant_id = {:?}\n  }}\n}}\n",
                simulator.tenant_id()
            );
            of_other.terraform("state rm m365_support_repository.this").await.succeeds();
            of_other.configure(&[WHOLE, &block].concat());
            of_other.terraform("plan").await.fails_saying("Another tenant");
        }
    })
    .await;
}

#[tokio::test]
async fn a_state_that_names_no_tenant_is_bound_by_the_address_of_its_repository() {
    for_each_terraform(async |terraform| {
        let (simulator, other) = (Simulator::start().await, Simulator::start().await);
        let workspace = simulator.workspace(terraform, LEAST);
        workspace.terraform("apply").await.succeeds();
        // As version 1 wrote it.
        let mut state = workspace.state_file();
        let instance = &mut state["resources"][0]["instances"][0];
        instance["schema_version"] = json!(1);
        instance["attributes"].as_object_mut().unwrap().remove("tenant_id");
        if let Some(identity) = instance.get_mut("identity") {
            *identity = json!({"repository_id": "contoso"});
            instance["identity_schema_version"] = json!(0);
        }
        workspace.write("terraform.tfstate", &state.to_string());
        let of_other = with_state_of(&workspace, &other, terraform, LEAST);
        for repository in [None, Some("https://fabrikam.service-now.com")] {
            if let Some(endpoint) = repository {
                let of_other = json!({"RepositoryId": "contoso", "Endpoint": endpoint, "AuthenticationType": "AAD"});
                other.admin().put_repository(&of_other);
            }
            let before = other.admin().shown();
            for command in ["plan", "destroy -refresh=false"] {
                of_other
                    .terraform(command)
                    .await
                    .fails_saying("Unknown tenant of the repository")
                    .says(&other.tenant_id());
            }
            of_other.configure(&LEAST.replace("https://contoso", "https://elsewhere"));
            of_other
                .terraform("apply -refresh=false")
                .await
                .fails_saying("Unknown tenant of the repository");
            assert_eq!(other.admin().shown(), before);
        }

        workspace.plan_is_empty().await;
        workspace.terraform("apply -refresh-only").await.succeeds();

        let state = workspace.state(ADDRESS);
        state.has("tenant_id", simulator.tenant_id());
        if terraform.has("1.12", "identities") {
            assert_eq!(state.identity()["tenant_id"], simulator.tenant_id());
        }
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}
