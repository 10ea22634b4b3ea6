//! Listing what was set up by hand, and taking it over: `terraform query`.

use std::sync::Mutex;

use super::support::{ByHand, Simulator, Terraform, Workspace, for_each_terraform};

const QUERY: &str = "terraform query";

/// A workspace with list blocks and nothing in `main.tf`.
fn listing(simulator: &Simulator, terraform: &Terraform, blocks: &str) -> Workspace {
    let workspace = simulator.workspace(terraform, "");
    workspace.write("all.tfquery.hcl", blocks);
    workspace
}

fn list(type_name: &str, more: &str) -> String {
    format!("list \"{type_name}\" \"all\" {{\n  provider = servicenow\n{more}\n}}\n")
}

fn config(query: &str) -> String {
    format!("  config {{\n    query = {query:?}\n  }}")
}

/// What users want: an instance that was clicked together becomes code.
#[tokio::test]
async fn what_was_set_up_by_hand_is_listed_imported_and_planned_without_change() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let entity = simulator.instance().put(
            "oauth_entity",
            &[
                ("name", "Microsoft 365 outbound"),
                ("type", "oauth_provider"),
                ("client_id", "11111111-2222-4333-8444-555555555555"),
                ("client_secret", "by-hand-secret"),
                ("default_grant_type", "client_credentials"),
                (
                    "token_url",
                    "https://login.microsoftonline.com/contoso.com/oauth2/token",
                ),
            ],
        );
        let blocks = [
            list("servicenow_oauth_entity", &config(&format!("sys_id={entity}"))),
            list(
                "servicenow_oidc_provider",
                &config(&format!("sys_id={}", trust.provider)),
            ),
            list(
                "servicenow_integration_user",
                &config(&format!("sys_id={}", trust.user)),
            ),
        ];
        let workspace = listing(&simulator, terraform, &blocks.concat());
        let before = simulator.instance().fingerprint();

        let run = workspace.terraform("query -generate-config-out=generated.tf").await;

        run.succeeds()
            .says("Microsoft 365 outbound")
            .says("Microsoft 365 inbound")
            .says(&format!("{} (Microsoft 365)", trust.rest_user.client_id));
        let plan = workspace.plan().await;
        let changes = plan.changes();
        assert_eq!(changes, [], "the generated configuration plans no change");
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("3 imported, 0 added, 0 changed");
        workspace.plan_is_empty().await;
        workspace
            .state("servicenow_oidc_provider.all_0")
            .has("id", trust.provider.as_str())
            .has("configuration.name", "Entra of Contoso");
        workspace
            .state("servicenow_integration_user.all_0")
            .has("roles.0", "incident_manager");
        assert_eq!(
            *workspace.state("servicenow_oauth_entity.all_0").identity(),
            serde_json::json!({"sys_id": entity})
        );
        assert_eq!(simulator.instance().fingerprint(), before, "nothing was written");
        workspace.leaks_nothing_of(&["by-hand-secret"]);
    })
    .await;
}

#[tokio::test]
async fn results_stop_at_the_limit_and_carry_names_that_people_know() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        for number in 0..7 {
            let name = format!("listed.{number}");
            simulator
                .instance()
                .put("sys_user", &[("user_name", name.as_str()), ("last_name", "Listed")]);
        }
        let config = config("user_nameSTARTSWITHlisted.^ORDERBYuser_name");
        let workspace = listing(
            &simulator,
            terraform,
            &list("servicenow_integration_user", &format!("  limit = 3\n{config}")),
        );

        let lines = workspace.terraform("query -json").await.succeeds().json_lines();

        let found: Vec<_> = lines
            .iter()
            .filter(|line| line["type"] == "list_resource_found")
            .map(|line| &line["list_resource_found"])
            .collect();
        let names: Vec<_> = found
            .iter()
            .map(|found| found["display_name"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), 3, "{lines:#?}");
        assert!(
            names
                .iter()
                .all(|name| name.contains("listed.") && name.ends_with("(Listed)")),
            "{names:?}"
        );
        assert!(
            found
                .iter()
                .all(|found| found["identity"]["sys_id"].as_str().unwrap().len() == 32)
        );
        assert!(
            found.iter().all(|found| found["resource_object"].is_null()),
            "only when asked for"
        );
    })
    .await;
}

#[tokio::test]
async fn a_query_that_the_instance_would_not_understand_is_refused() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        // Without the guard the instance would answer with this one to every query below.
        simulator
            .instance()
            .put("oauth_entity", &[("name", "there"), ("type", "client")]);
        for (more, part) in [
            (config("Microsoft 365"), "it does not begin with a column's name"),
            (config("active"), "no known operator follows the column"),
            (config("no_such_column=x"), "no_such_column"),
            (config("ORactive=true"), "OR needs a term before it"),
        ] {
            let workspace = listing(&simulator, terraform, &list("servicenow_oauth_entity", &more));

            workspace.terraform("query").await.fails_saying(part);
        }

        // The provider refuses it (tests/plugin/served.rs), but Terraform 1.15.5 looks at no answer once it has enough.
        let workspace = listing(&simulator, terraform, &list("servicenow_oauth_entity", "  limit = 0"));
        workspace.terraform("query").await.succeeds().says("returned 0 results");
    })
    .await;
}

#[tokio::test]
async fn an_identity_is_kept_and_imports() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.12", "import by identity") {
            return;
        }
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let user = |identity: &str| {
            format!(
                r#"
                    import {{
                      to       = servicenow_integration_user.robot
                      identity = {{ sys_id = "{identity}" }}
                    }}
                    resource "servicenow_integration_user" "robot" {{
                      user_name = "{}"
                      last_name = "Microsoft 365"
                      roles     = ["incident_manager"]
                    }}
                "#,
                trust.rest_user.client_id
            )
        };
        let workspace = simulator.workspace(terraform, &user("0123456789abcdef0123456789abcdef"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("Cannot import non-existent remote object");
        workspace.configure(&user("not-a-sys-id"));
        workspace.terraform("plan").await.fails_saying("is no sys_id");

        workspace.configure(&user(&trust.user));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed");

        let identity = serde_json::json!({"sys_id": trust.user});
        assert_eq!(
            *workspace.state("servicenow_integration_user.robot").identity(),
            identity
        );
        workspace.configure(&user(&trust.user).replace("\"Microsoft 365\"", "\"Changed\""));
        workspace.terraform("apply").await.succeeds().says("0 added, 1 changed");
        assert_eq!(
            *workspace.state("servicenow_integration_user.robot").identity(),
            identity
        );
        workspace.plan_is_empty().await;
    })
    .await;
}

/// What an older Terraform cannot do it says itself, and what it can do stays quiet.
#[tokio::test]
async fn an_older_terraform_ignores_query_files() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = listing(&simulator, terraform, &list("servicenow_oauth_entity", ""));

        let plan = workspace.terraform("plan").await;

        plan.succeeds().says("No changes");
    })
    .await;
}

/// A state that an older Terraform wrote has no identity, and a newer one goes on with it.
#[tokio::test]
async fn a_state_of_an_older_terraform_gets_its_identity() {
    let simulator = Simulator::start().await;
    let before: Mutex<Option<String>> = Mutex::default();
    for_each_terraform(async |terraform| {
        let robot = "resource \"servicenow_integration_user\" \"robot\" {\n  user_name = \"robot\"\n}\n";
        let workspace = simulator.workspace(terraform, robot);
        let former = before.lock().unwrap().clone();
        match former {
            Some(state) => {
                workspace.write("terraform.tfstate", &state);
                workspace.plan_is_empty().await;
                workspace.terraform("apply -refresh-only").await.succeeds();
                workspace.plan_is_empty().await;
            }
            None => {
                workspace.terraform("apply").await.succeeds();
            }
        }
        if terraform.has("1.12", "resource identity") {
            assert!(workspace.state("servicenow_integration_user.robot").identity()["sys_id"].is_string());
        }
        *before.lock().unwrap() = Some(workspace.state_file().to_string());
    })
    .await;
}
