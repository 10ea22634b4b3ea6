//! Listing what was set up by hand, and taking it over: `terraform query`.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;
use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};

use crate::harness::{ByHand, Simulator, Terraform, Workspace, for_each_terraform, manual_setup};

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

/// Something of every type, put there by hand: type, the query that finds it, what it is called in the list.
fn everything(simulator: &Simulator) -> Vec<(&'static str, Option<String>, String)> {
    let trust = ByHand::set_up(simulator);
    let instance = simulator.instance();
    let key = |sys_id: &str| Some(format!("sys_id={sys_id}"));
    let entity = instance.put(
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
    let application = &instance.find("sys_scope", "scope", "x_mioms_m365_assis")[0]["sys_id"];
    let privilege = instance.put(
        "sys_scope_privilege",
        &[
            ("source_scope", application),
            ("target_scope", "global"),
            ("target_name", "oauth_entity"),
            ("target_type", "sys_db_object"),
            ("operation", "read"),
            ("status", "allowed"),
        ],
    );
    let rule = instance.put(
        "ip_access",
        &[
            ("type", "allow"),
            ("direction", "0"),
            ("range_start", "52.149.152.32"),
            ("range_end", "52.149.152.32"),
            ("description", "Connector"),
        ],
    );
    // That of a provider is in its block.
    let configuration = instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "Events"),
            (
                "oidc_url",
                "https://login.microsoftonline.com/fabrikam.com/.well-known/openid-configuration",
            ),
            ("user_claim", "appid"),
            ("user_field", "user_name"),
            ("enable_jti_verification", "false"),
        ],
    );
    instance.put(
        "jwt_claim_validation",
        &[("name", "tid"), ("value", "fabrikam"), ("oidc_config", &configuration)],
    );
    let supplier = instance.put(
        "u_supplier",
        &[("u_name", "By hand"), ("u_code", "HAND"), ("u_tier", "3")],
    );
    let role = instance.put(
        "sys_user_role",
        &[("name", "copilot_connector"), ("description", "By hand")],
    );
    let inner = &instance.find("sys_user_role", "name", "knowledge")[0]["sys_id"];
    instance.put("sys_user_role_contains", &[("role", &role), ("contains", inner)]);
    let manager = simulator.person("abel.tuter");
    let group = instance.put("sys_user_group", &[("name", "Copilot readers"), ("manager", &manager)]);
    instance.put("sys_group_has_role", &[("group", &group), ("role", inner)]);
    instance.put("sys_user_grmember", &[("group", &group), ("user", &manager)]);
    let table = &instance.find("sys_db_object", "name", "oauth_entity")[0]["sys_id"];
    let admin = simulator.admin();
    admin.put_settings(&json!({"SupportTool": "ServiceNow", "ApplicationId": "11111111-2222-4333-8444-555555555555"}));
    admin.put_repository(&json!({
        "RepositoryId": "contoso.com", "Endpoint": simulator.urls().instance, "AuthenticationType": "AAD",
        "ClientId": trust.inbound.client_id, "ClientSecret": "by-hand-secret",
        "RestUserName": trust.rest_user.client_id, "RestUserPassword": "by-hand-secret",
    }));
    let user_name = &trust.rest_user.client_id;
    vec![
        ("m365_support_repository", None, "contoso.com (".to_owned()),
        ("m365_support_settings", None, "ServiceNow for ".to_owned()),
        (
            "servicenow_cross_scope_privilege",
            key(&privilege),
            "oauth_entity".to_owned(),
        ),
        ("servicenow_group", key(&group), "Copilot readers".to_owned()),
        (
            "servicenow_integration_user",
            key(&trust.user),
            format!("{user_name} (Microsoft 365)"),
        ),
        ("servicenow_ip_access_rule", key(&rule), "52.149.152.32".to_owned()),
        (
            "servicenow_oauth_entity",
            key(&entity),
            "Microsoft 365 outbound".to_owned(),
        ),
        (
            "servicenow_oidc_configuration",
            key(&configuration),
            "Events".to_owned(),
        ),
        (
            "servicenow_oidc_provider",
            key(&trust.provider),
            "Microsoft 365 inbound".to_owned(),
        ),
        ("servicenow_record", key(&supplier), "By hand".to_owned()),
        ("servicenow_role", key(&role), "copilot_connector".to_owned()),
        ("servicenow_table_access", key(table), "oauth_entity".to_owned()),
        (
            "servicenow_user_role",
            key(&trust.grant),
            format!("{user_name}: incident_manager"),
        ),
    ]
}

/// What users want: two clouds that were clicked together become code.
#[tokio::test]
async fn what_was_set_up_by_hand_is_listed_imported_and_planned_without_change() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        let everything = everything(&simulator);
        let blocks: Vec<String> = everything
            .iter()
            .map(|(type_name, query, _)| {
                let config = query.as_deref().map(config).unwrap_or_default();
                let table = if *type_name == "servicenow_record" {
                    "table = \"u_supplier\"\n    query"
                } else {
                    "query"
                };
                list(type_name, &config.replacen("query", table, 1))
            })
            .collect();
        let workspace = listing(&simulator, terraform, &blocks.concat());
        let schemas = workspace.terraform("providers schema -json").await.succeeds().json();
        let served = &schemas["provider_schemas"][workspace.address()];
        let types: Vec<&str> = everything.iter().map(|(type_name, ..)| *type_name).collect();
        for kind in ["resource_schemas", "resource_identity_schemas", "list_resource_schemas"] {
            let names: Vec<&String> = served[kind].as_object().unwrap().keys().collect();
            assert_eq!(names, types, "{kind}: this story has something of each");
        }
        let before = simulator.instance().fingerprint();

        let run = workspace.terraform("query -generate-config-out=generated.tf").await;

        run.succeeds();
        for (_, _, name) in &everything {
            run.says(name);
        }
        let plan = workspace.plan().await;
        assert_eq!(plan.changes(), [], "the generated configuration plans no change");
        let imported = format!("{} imported, 0 added, 0 changed, 0 destroyed", everything.len());
        let apply = workspace.terraform("apply").await;
        apply.succeeds().says(&imported).does_not_say("managed twice");
        workspace.plan_is_empty().await;
        for (type_name, query, _) in &everything {
            let state = workspace.state(&format!("{type_name}.all_0"));
            match query.as_deref().and_then(|query| query.strip_prefix("sys_id=")) {
                Some(sys_id) => {
                    state.has("id", sys_id);
                    let identity = match *type_name {
                        "servicenow_record" => json!({"sys_id": sys_id, "table": "u_supplier"}),
                        _ => json!({"sys_id": sys_id}),
                    };
                    assert_eq!(*state.identity(), identity);
                }
                None => assert!(state.identity().is_object(), "{type_name}"),
            }
        }
        workspace
            .state("servicenow_oidc_provider.all_0")
            .has("configuration.name", "Entra of Contoso");
        workspace
            .state("servicenow_integration_user.all_0")
            .has("roles.0", "incident_manager");
        assert_eq!(simulator.instance().fingerprint(), before, "nothing was written");
        workspace.leaks_nothing_of(&["by-hand-secret"]);
    })
    .await;
}

/// Of a table with many columns a person wants to manage a few.
#[tokio::test]
async fn a_list_of_any_table_generates_the_columns_that_were_chosen() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let put = |name: &str, description: &str| {
            instance.put(
                "sys_properties",
                &[
                    ("name", name),
                    ("value", "5"),
                    ("type", "string"),
                    ("description", description),
                ],
            )
        };
        let property = put("x_acme.limit", "How many");
        put("x_acme.name", "What it is called");
        let chosen = |columns: &str| {
            let more = format!(
                "  config {{\n    table = \"sys_properties\"\n    query = \"nameSTARTSWITHx_acme.\"\n    columns = {columns}\n  }}"
            );
            listing(&simulator, terraform, &list("servicenow_record", &more))
        };
        for (columns, said) in [
            ("[]", "The list is empty"),
            (r#"["nmae"]"#, "Names that resemble it: name."),
            (r#"["sys_created_on"]"#, "sys_properties.sys_created_on is written by the instance"),
            (r#"["sys_scope.name"]"#, "is not the name of a column of the table"),
        ] {
            chosen(columns).terraform("query").await.fails_saying(said);
        }
        let before = simulator.instance().fingerprint();
        let workspace = chosen(r#"["name", "value"]"#);

        workspace
            .terraform("query -generate-config-out=generated.tf")
            .await
            .succeeds();

        let generated = std::fs::read_to_string(workspace.folder().join("generated.tf")).unwrap();
        assert!(generated.contains("\"5\""), "{generated}");
        assert!(!generated.contains("How many") && !generated.contains("description"), "{generated}");
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("2 imported, 0 added, 0 changed, 0 destroyed");
        workspace.plan_is_empty().await;
        assert_eq!(simulator.instance().fingerprint(), before, "nothing was written");
        instance.change("sys_properties", &property, &[("description", "Somebody else's")]);
        workspace.plan_is_empty().await;

        instance.switches(|modes| {
            modes
                .read_denied
                .insert(("sys_properties".to_owned(), "value".to_owned()));
        });
        let hidden = chosen(r#"["name", "value"]"#).terraform("query").await;
        hidden.succeeds().says("Hidden column of sys_properties");
    })
    .await;
}

/// A grant is written once: as the resource that was listed for it, or in the list of its user.
#[tokio::test]
async fn a_role_is_in_one_place_of_a_generated_configuration() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        for name in ["one", "other"] {
            let user = instance.put("sys_user", &[("user_name", name), ("last_name", name)]);
            manual_setup::grant(instance, &user, "itil");
            manual_setup::grant(instance, &user, "knowledge");
            manual_setup::grant(instance, &user, "snc_internal");
        }
        let blocks = [
            list("servicenow_integration_user", &config("user_nameINone,other")),
            list(
                "servicenow_user_role",
                &config("user.user_name=one^role.name!=knowledge"),
            ),
        ];
        let workspace = listing(&simulator, terraform, &blocks.concat());
        // The list of the grants is the last to end.
        let grants = Matcher::table("sys_user_has_role").method(Method::GET);
        instance.faults().next(grants, Fault::Slow(Duration::from_secs(2)));
        let before = instance.fingerprint();

        workspace
            .terraform("query -generate-config-out=generated.tf")
            .await
            .succeeds();

        let generated = std::fs::read_to_string(workspace.folder().join("generated.tf")).unwrap();
        let users: Vec<&str> = generated
            .split("resource \"servicenow_integration_user\"")
            .skip(1)
            .collect();
        let user = |name: &str| {
            let name = format!("= \"{name}\"");
            let user = users.iter().find(|user| user.contains(&name));
            user.unwrap_or_else(|| panic!("{generated}"))
                .split("\nresource")
                .next()
                .unwrap_or_default()
        };
        assert!(!user("one").contains("itil"), "{generated}");
        assert!(user("other").contains("[\"itil\", \"knowledge\"]"), "{generated}");
        let apply = workspace.terraform("apply").await;
        apply.succeeds().says("3 imported, 0 added, 0 changed, 0 destroyed");
        apply.does_not_say("twice");
        workspace.plan_is_empty().await;
        assert_eq!(instance.fingerprint(), before, "nothing was written");
    })
    .await;
}

/// The same with import blocks, where Terraform before 1.14 writes the configuration by itself.
#[tokio::test]
async fn a_configuration_that_terraform_generates_for_an_import_is_valid_and_plans_no_change() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let everything = everything(&simulator);
        let workspace = simulator.workspace(terraform, "");
        let mut blocks = String::new();
        for (type_name, query, _) in &everything {
            let tenant = simulator.tenant_id();
            let supplier = query.as_deref().unwrap_or_default().replace("sys_id=", "u_supplier/");
            let id = match (query.as_deref(), *type_name) {
                (Some(_), "servicenow_record") => &supplier,
                (Some(query), _) => query.trim_start_matches("sys_id="),
                (None, "m365_support_settings") => &tenant,
                (None, _) => "contoso.com",
            };
            blocks.push_str(&format!(
                "import {{\n  provider = servicenow\n  to = {type_name}.this\n  id = {id:?}\n}}\n"
            ));
        }
        workspace.configure(&blocks);
        // As an instance with explicit roles gives it every user.
        let instance = simulator.instance();
        let user = &instance.find("sys_user", "last_name", "Microsoft 365")[0]["sys_id"];
        manual_setup::grant(instance, user, "snc_internal");
        let before = simulator.instance().fingerprint();

        let run = workspace.terraform("plan -generate-config-out=generated.tf").await;

        run.succeeds();
        // Terraform before 1.14 does not ask for the configuration, and later ones for that of each resource by itself, in any
        // order.
        let generated = std::fs::read_to_string(workspace.folder().join("generated.tf")).unwrap();
        let is_twice = generated.contains("[\"incident_manager\"]");
        assert_eq!(run.mentions("The role is managed twice"), is_twice, "{generated}");

        // Once there is a configuration, it tells the provider; OpenTofu goes by the type all the same.
        let settled = blocks.replace("  provider = servicenow\n  to = servicenow_", "  to = servicenow_");
        workspace.configure(&settled);
        let plan = workspace.plan().await;
        assert_eq!(plan.changes(), [], "the generated configuration plans no change");
        let imported = format!("{} imported, 0 added, 0 changed, 0 destroyed", everything.len());
        workspace.terraform("apply").await.succeeds().says(&imported);
        workspace.plan_is_empty().await;
        workspace
            .state("servicenow_integration_user.this")
            .has("roles", vec!["incident_manager"]);
        assert_eq!(simulator.instance().fingerprint(), before, "nothing was written");
    })
    .await;
}

/// A contact who never signs in has no user name, and no configuration could have one for it.
#[tokio::test]
async fn a_user_without_a_user_name_spoils_no_generated_configuration() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        instance.put(
            "sys_user",
            &[("last_name", "Contact"), ("email", "contact@example.com")],
        );
        let known = instance.put("sys_user", &[("user_name", "robot"), ("last_name", "Contact")]);
        let block = list("servicenow_integration_user", &config("last_name=Contact"));
        let workspace = listing(&simulator, terraform, &block);

        workspace
            .terraform("query -generate-config-out=generated.tf")
            .await
            .succeeds();

        assert_eq!(workspace.plan().await.changes(), []);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed, 0 destroyed");
        workspace
            .state("servicenow_integration_user.all_0")
            .has("id", known.as_str());
    })
    .await;
}

/// An earlier release kept a number that a configuration may not have: it stays as it is, and is not written down.
#[tokio::test]
async fn a_value_that_no_configuration_may_have_is_not_generated() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", "configurations that the provider generates") {
            return;
        }
        let simulator = Simulator::start().await;
        let by_hand = ByHand::set_up(&simulator);
        let configuration = by_hand.configuration.as_str();
        simulator.instance().change(
            "oidc_provider_configuration",
            configuration,
            &[("oidc_config_cache_life_span", "2000")],
        );
        let import = format!(
            "import {{\n  provider = servicenow\n  to = servicenow_oidc_provider.this\n  id = {:?}\n}}\n",
            by_hand.provider
        );
        let workspace = simulator.workspace(terraform, &import);
        let before = simulator.instance().fingerprint();

        workspace
            .terraform("plan -generate-config-out=generated.tf")
            .await
            .succeeds();

        workspace.configure(&import.replace("  provider = servicenow\n", ""));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed, 0 destroyed");
        workspace.plan_is_empty().await;
        assert_eq!(simulator.instance().fingerprint(), before);
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
async fn rows_that_the_account_may_not_read_are_counted_in_a_warning() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let user = |name: &str| instance.put("sys_user", &[("user_name", name)]);
        let users = ["m365-first", "m365-last"].map(user);
        let workspace = listing(
            &simulator,
            terraform,
            &list("servicenow_integration_user", &config("user_nameSTARTSWITHm365-")),
        );

        let cases: [(&[usize], &str); 3] = [(&[0], "1 record is"), (&[1], "1 record is"), (&[0, 1], "2 records are")];
        for (hidden, counted) in cases {
            let rows = hidden.iter().map(|index| users[*index].clone()).collect();
            instance.switches(|modes| modes.hidden_rows = rows);
            let listed = workspace.terraform("query").await;
            listed
                .succeeds()
                .says("Warning: The list of sys_user is not complete")
                .says(&format!("{counted} counted by the instance and not shown"));
            for (index, name) in ["m365-first", "m365-last"].into_iter().enumerate() {
                if hidden.contains(&index) {
                    listed.does_not_say(name);
                } else {
                    listed.says(name);
                }
            }
        }

        instance.switches(|modes| modes.hidden_rows.clear());
        let listed = workspace.terraform("query").await;
        listed
            .succeeds()
            .says("m365-first")
            .says("m365-last")
            .does_not_say("is not complete");
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

        for (type_name, query, part) in [
            (
                "servicenow_user_role",
                "user.usr_name=admin",
                "shows the column user.usr_name",
            ),
            (
                "servicenow_integration_user",
                "usr_name=admin",
                "did you mean \"user_name\"?",
            ),
        ] {
            let workspace = listing(&simulator, terraform, &list(type_name, &config(query)));

            workspace.terraform("query").await.fails_saying(part);
        }

        // The provider refuses it (tests/plugin/real_provider.rs), but Terraform 1.15.5 looks at no answer once it has enough.
        let workspace = listing(&simulator, terraform, &list("servicenow_oauth_entity", "  limit = 0"));
        workspace.terraform("query").await.succeeds().says("returned 0 results");
    })
    .await;
}

/// A list of any table refuses what a data source refuses.
#[tokio::test]
async fn a_secret_is_not_searched_for() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", QUERY) {
            return;
        }
        let simulator = Simulator::start().await;
        let of = |query: &str| config(query).replacen("query", "table = \"u_supplier\"\n    query", 1);
        for (query, says) in [
            ("u_api_keySTARTSWITHk", "The column u_api_key is a secret"),
            ("u_nme=Acme", "Unknown column u_nme"),
        ] {
            let workspace = listing(&simulator, terraform, &list("servicenow_record", &of(query)));
            workspace.terraform("query").await.fails_saying(says);
        }
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
        workspace
            .terraform("plan")
            .await
            .fails_saying("is neither a valid sys_id");

        workspace.configure(&user(&trust.user));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed");

        let identity = json!({"sys_id": trust.user});
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
