//! Data sources that look for one thing each.

mod any_table; // Records of any table.

use servicenow_simulator::instance::Operation;

use crate::harness::{Simulator, for_each_terraform};

#[tokio::test]
async fn a_registry_entry_is_found_with_its_default_profile() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let entry = [
            ("name", "outbound"),
            ("type", "oauth_provider"),
            ("client_id", "a1"),
            ("default_grant_type", "client_credentials"),
        ];
        let id = simulator.instance().put("oauth_entity", &entry);
        simulator
            .instance()
            .put("oauth_oidc_entity", &[("name", "outbound"), ("client_id", "a1")]);
        let workspace = simulator.workspace(
            terraform,
            &format!(
                r#"
                    data "servicenow_oauth_entity" "by_name" {{
                      name = "outbound"
                    }}
                    data "servicenow_oauth_entity" "by_client_id" {{
                      client_id = "a1"
                    }}
                    data "servicenow_oauth_entity" "by_id" {{
                      id = {id:?}
                    }}
                "#
            ),
        );

        workspace.terraform("apply").await.succeeds();

        for by in ["name", "client_id", "id"] {
            workspace
                .state(&format!("data.servicenow_oauth_entity.by_{by}"))
                .has("id", id.as_str())
                .has("name", "outbound")
                .has("client_id", "a1")
                .has("type", "oauth_provider")
                .has("active", true)
                .has("access_token_lifespan", 1800)
                .has("application_scope", "global")
                .has("default_profile_name", "outbound default_profile");
        }
    })
    .await;
}

#[tokio::test]
async fn an_oidc_provider_is_found_with_its_configuration() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let url = "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration";
        let configuration = simulator.instance().put(
            "oidc_provider_configuration",
            &[
                ("name", "Contoso Azure"),
                ("oidc_url", url),
                ("user_claim", "appid"),
                ("user_field", "user_name"),
                ("enable_jti_verification", "false"),
            ],
        );
        let entity = [
            ("name", "contoso_application_inbound_api"),
            ("client_id", "a2"),
            ("oidc_provider_configuration", configuration.as_str()),
        ];
        let id = simulator.instance().put("oauth_oidc_entity", &entity);
        let workspace = simulator.workspace(
            terraform,
            "data \"servicenow_oidc_provider\" \"existing\" {\n  name = \"contoso_application_inbound_api\"\n}",
        );

        workspace.terraform("apply").await.succeeds();

        workspace
            .state("data.servicenow_oidc_provider.existing")
            .has("id", id)
            .has("client_id", "a2")
            .has("clock_skew", 300)
            .has("configuration_id", configuration)
            .has("configuration.metadata_url", url)
            .has("configuration.user_claim", "appid")
            .has("configuration.enable_jti_verification", false);
    })
    .await;
}

#[tokio::test]
async fn a_user_is_found_with_its_roles_where_they_can_be_read() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.person("abel.tuter");
        let role = simulator.instance().find("sys_user_role", "name", "knowledge_manager")[0]["sys_id"].clone();
        simulator
            .instance()
            .put("sys_user_has_role", &[("user", id.as_str()), ("role", role.as_str())]);
        let workspace = simulator.workspace(
            terraform,
            "data \"servicenow_user\" \"abel\" {\n  user_name = \"abel.tuter\"\n}",
        );

        workspace.terraform("apply").await.succeeds();
        workspace
            .state("data.servicenow_user.abel")
            .has("id", id.as_str())
            .has("email", "abel.tuter@example.com")
            .has("active", true)
            .has("roles", vec!["knowledge", "knowledge_manager"]);

        simulator.instance().switches(|modes| {
            let key = ("sys_user_has_role".to_owned(), Operation::Read);
            modes.table_roles.insert(key, Vec::new());
        });
        workspace.configure("data \"servicenow_user\" \"abel\" {\n  email = \"abel.tuter@example.com\"\n}");
        workspace.terraform("apply").await.succeeds();
        workspace
            .state("data.servicenow_user.abel")
            .has("user_name", "abel.tuter")
            .lacks("roles");
    })
    .await;
}

#[tokio::test]
async fn a_role_is_found_by_its_name() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().find("sys_user_role", "name", "security_admin")[0]["sys_id"].clone();
        let workspace = simulator.workspace(
            terraform,
            "data \"servicenow_role\" \"one\" {\n  name = \"security_admin\"\n}",
        );

        workspace.terraform("apply").await.succeeds();

        workspace
            .state("data.servicenow_role.one")
            .has("id", id)
            .has("elevated_privilege", true);
    })
    .await;
}

#[tokio::test]
async fn an_application_says_whether_it_is_installed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            r#"
                data "servicenow_application" "m365" {
                  scope = "x_mioms_m365_assis"
                }
                data "servicenow_application" "other" {
                  scope = "x_other"
                }
            "#,
        );

        workspace.terraform("apply").await.succeeds();

        workspace
            .state("data.servicenow_application.m365")
            .has("installed", true)
            .has("version", "1.0.11")
            .has("latest_version", "2.1.1")
            .has("update_available", true)
            .has("active", true);
        workspace
            .state("data.servicenow_application.other")
            .has("installed", false)
            .lacks("version")
            .lacks("id");

        simulator.instance().switches(|modes| {
            modes
                .table_roles
                .insert(("sys_scope".to_owned(), Operation::Read), Vec::new());
        });
        workspace
            .terraform("plan")
            .await
            .fails_saying("No right to read sys_scope");
        workspace.configure("data \"servicenow_application\" \"m365\" {\n  scope = \"x_mioms_m365_assis\"\n}");
        workspace.terraform("apply").await.succeeds();
        workspace
            .state("data.servicenow_application.m365")
            .has("version", "1.0.11");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_found_or_found_twice_is_an_error_at_its_argument() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        for client_id in ["1", "2"] {
            simulator
                .instance()
                .put("oauth_entity", &[("name", "twice"), ("client_id", client_id)]);
        }
        let workspace = simulator.workspace(terraform, "");
        for (block, said) in [
            (
                "servicenow_role\" \"x\" {\n  name = \"incident_manger\"",
                "did you mean \"incident_manager\"",
            ),
            (
                "servicenow_user\" \"x\" {\n  user_name = \"nobody\"",
                "Could not find the user",
            ),
            (
                "servicenow_oauth_entity\" \"x\" {\n  client_id = \"none\"",
                "has client_id = \"none\"",
            ),
            (
                "servicenow_oauth_entity\" \"x\" {\n  name = \"twice\"",
                "2 records of oauth_entity have name = \"twice\"",
            ),
            (
                "servicenow_oidc_provider\" \"x\" {\n  id = \"0123456789abcdef0123456789abcdef\"",
                "Could not find the OIDC provider",
            ),
            (
                "servicenow_role\" \"x\" {\n  id = \"itil\"",
                "\"itil\" is not a valid sys_id",
            ),
            ("servicenow_role\" \"x\" {", "One of `id`, `name` is required"),
            (
                "servicenow_user\" \"x\" {\n  id = \"x\"\n  email = \"y\"",
                "Conflicting arguments",
            ),
        ] {
            workspace.configure(&format!("data \"{block}\n}}"));
            let plan = workspace.terraform("plan").await;
            plan.fails_saying(said).says("on main.tf line");
        }
    })
    .await;
}

#[tokio::test]
async fn the_admin_center_is_read_without_writing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = r#"
            data "m365_support_integration" "now" {
              provider = servicenow
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);

        workspace.terraform("apply").await.succeeds();

        workspace
            .state("data.m365_support_integration.now")
            .has("tenant_id", simulator.tenant_id())
            .has("configured", false)
            .lacks("application_id")
            .has("repositories", serde_json::json!([]));
        let written = simulator.logs().admin.all();
        assert!(written.iter().all(|request| request.method == "GET"), "{written:#?}");
    })
    .await;
}

#[tokio::test]
async fn connector_addresses_need_neither_account_nor_internet() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(
            terraform,
            r#"
                data "m365_support_connector_addresses" "this" {
                  provider = servicenow
                }
                output "ok" {
                  value = alltrue([
                    length(data.m365_support_connector_addresses.this.documented) == 6,
                    contains(data.m365_support_connector_addresses.this.documented, "52.149.152.32"),
                    data.m365_support_connector_addresses.this.addresses == distinct(concat(
                      data.m365_support_connector_addresses.this.documented,
                      data.m365_support_connector_addresses.this.resolved,
                    )),
                    (length(data.m365_support_connector_addresses.this.resolved) == 0) ==
                      (data.m365_support_connector_addresses.this.note != null),
                  ])
                }
            "#,
        );
        for name in ["SERVICENOW_INSTANCE_URL", "SERVICENOW_USERNAME", "SERVICENOW_PASSWORD"] {
            workspace.unset(name);
        }
        workspace.unset_microsoft();
        workspace.write("provider.tf", "provider \"servicenow\" {}\n");

        workspace.terraform("apply").await.succeeds().says("ok = true");
    })
    .await;
}
