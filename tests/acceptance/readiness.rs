//! `servicenow_integration_readiness`: each check well and ill.

use std::collections::BTreeMap;

use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::Operation;
use servicenow_simulator::{Options, instance};

use crate::harness::{Simulator, Workspace, for_each_terraform};

const LOOK: &str = r#"
    data "servicenow_integration_readiness" "this" {}
"#;
const ADDRESS: &str = "data.servicenow_integration_readiness.this";

/// What the guide makes.
const GUIDE: &str = r#"
    resource "servicenow_oauth_entity" "outbound" {
      name      = "outbound"
      client_id = "a1"
      token_url = "https://login.microsoftonline.com/contoso.com/oauth2/token"
    }
    resource "servicenow_oidc_provider" "inbound" {
      name      = "inbound"
      client_id = "a2"
      configuration = {
        name         = "Contoso Azure"
        metadata_url = "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration"
      }
    }
    resource "servicenow_integration_user" "robot" {
      user_name = "a3"
      roles     = ["incident_manager"]
    }
"#;

/// The states of all checks, with their details.
async fn look(workspace: &Workspace) -> BTreeMap<String, (String, String)> {
    workspace.terraform("apply").await.succeeds();
    let state = workspace.state(ADDRESS);
    let text = |check: &serde_json::Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = state.attribute("checks").as_array().unwrap();
    let failed = checks.iter().any(|check| check["status"] == "fail");
    state.has("ready", !failed);
    checks
        .iter()
        .map(|check| {
            let helps = check["status"] == "pass" || check["remedy"] != "" || check["status"] == "unknown";
            assert!(helps && check["detail"] != "", "{check:#}");
            (
                text(check, "name"),
                (
                    text(check, "status"),
                    format!("{} {}", text(check, "detail"), text(check, "remedy")),
                ),
            )
        })
        .collect()
}

/// Makes one thing wrong and looks at one check.
async fn check(expected: &str, name: &str, said: &str, spoil: impl Fn(&Simulator) -> String) {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &spoil(&simulator));

        let found = look(&workspace).await;

        let (status, text) = &found[name];
        assert_eq!(status, expected, "{name}: {text}");
        assert!(text.contains(said), "{name} should say {said:?}: {text}");
    })
    .await;
}

fn id_of(simulator: &Simulator, table: &str, column: &str, value: &str) -> String {
    simulator.instance().find(table, column, value)[0]["sys_id"].clone()
}

fn looking_at(argument: &str) -> String {
    LOOK.replace("{}", &format!("{{\n  {argument}\n}}"))
}

#[tokio::test]
async fn everything_passes_once_the_guide_is_done() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, GUIDE);
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&format!("{GUIDE}{LOOK}"));

        let found = look(&workspace).await;

        for (name, (status, text)) in &found {
            assert_eq!(status, "pass", "{name}: {text}");
        }
        assert_eq!(found.len(), 27, "{found:#?}");
        workspace.state(ADDRESS).has("ready", true);
        workspace.plan_is_empty().await;
        workspace.configure(&format!("{GUIDE}{}", looking_at("integration_user = \"a3\"")));
        assert_eq!(look(&workspace).await["integration_user"].0, "pass");
    })
    .await;
}

#[tokio::test]
async fn a_virgin_instance_is_ready_for_the_guide() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, LOOK);

        let found = look(&workspace).await;

        workspace.state(ADDRESS).has("ready", true);
        for name in ["default_profile", "oidc_configuration", "integration_user"] {
            assert_eq!(found[name].0, "warn", "{name}: {}", found[name].1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_missing_application_fails_its_checks() {
    for_each_terraform(async |terraform| {
        let mut options = Options::default();
        options.instance.application_installed = false;
        let simulator = Simulator::start_with(options).await;
        let workspace = simulator.workspace(terraform, LOOK);

        let found = look(&workspace).await;

        assert_eq!(found["application_installed"].0, "fail");
        assert_eq!(found["application_roles"].0, "fail");
        assert_eq!(found["application_version"].0, "unknown");
        assert_eq!(found["access_oauth_entity"].0, "pass");
    })
    .await;
}

#[tokio::test]
async fn versions_of_another_flow_are_worth_a_look() {
    for (version, said) in [("2.1.1", "later flow"), ("1.0.5", "older than any")] {
        check("warn", "application_version", said, |simulator| {
            let id = id_of(simulator, "sys_store_app", "scope", "x_mioms_m365_assis");
            simulator
                .instance()
                .change("sys_store_app", &id, &[("version", version)]);
            LOOK.to_owned()
        })
        .await;
    }
}

#[tokio::test]
async fn closed_tables_fail() {
    check("fail", "access_oauth_entity", "servicenow_table_access", |simulator| {
        let id = id_of(simulator, "sys_db_object", "name", "oauth_entity");
        simulator
            .instance()
            .change("sys_db_object", &id, &[("access", "package_private")]);
        LOOK.to_owned()
    })
    .await;
    check(
        "fail",
        "access_oauth_entity_profile",
        "may not read oauth_entity_profile",
        |simulator| {
            let id = id_of(simulator, "sys_db_object", "name", "oauth_entity_profile");
            simulator
                .instance()
                .change("sys_db_object", &id, &[("read_access", "false")]);
            LOOK.to_owned()
        },
    )
    .await;
    check(
        "fail",
        "access_oauth_entity",
        "servicenow_cross_scope_privilege",
        |simulator| {
            let id = id_of(simulator, "sys_db_object", "name", "oauth_entity");
            simulator
                .instance()
                .change("sys_db_object", &id, &[("caller_access", "2")]);
            LOOK.to_owned()
        },
    )
    .await;
}

#[tokio::test]
async fn privileges_decide_where_there_are_some() {
    for (status, expected) in [("allowed", "pass"), ("denied", "fail")] {
        check(expected, "access_oauth_entity", "rivilege", |simulator| {
            let application = id_of(simulator, "sys_store_app", "scope", "x_mioms_m365_assis");
            let privilege = [
                ("source_scope", application.as_str()),
                ("target_scope", "global"),
                ("target_name", "oauth_entity"),
                ("target_type", "sys_db_object"),
                ("operation", "read"),
                ("status", status),
            ];
            simulator.instance().put("sys_scope_privilege", &privilege);
            let id = id_of(simulator, "sys_db_object", "name", "oauth_entity");
            simulator
                .instance()
                .change("sys_db_object", &id, &[("caller_access", "2")]);
            LOOK.to_owned()
        })
        .await;
    }
}

#[tokio::test]
async fn oauth_that_is_off_fails() {
    check("fail", "oauth_plugin", "Activate the plugin", |simulator| {
        let id = id_of(simulator, "v_plugin", "id", "com.snc.platform.security.oauth");
        simulator.instance().change("v_plugin", &id, &[("active", "inactive")]);
        LOOK.to_owned()
    })
    .await;
    check("fail", "oauth_property", "Set the system property", |simulator| {
        let id = id_of(
            simulator,
            "sys_properties",
            "name",
            "com.snc.platform.security.oauth.is.active",
        );
        simulator
            .instance()
            .change("sys_properties", &id, &[("value", "false")]);
        LOOK.to_owned()
    })
    .await;
}

/// A list without rows proves no right, whether there is nothing or the account may not see it.
#[tokio::test]
async fn an_answer_without_rows_proves_no_right() {
    check(
        "warn",
        "rights_ip_access",
        "counts records in ip_access (1) and shows none",
        |simulator| {
            let rule = simulator.instance().put("ip_access", &[("range_start", "192.0.2.1")]);
            simulator.instance().switches(|modes| modes.hidden_rows = [rule].into());
            LOOK.to_owned()
        },
    )
    .await;
}

/// Nor does a count of none, where a business rule hides the rows.
#[tokio::test]
async fn a_table_that_does_not_count_its_rows_is_not_empty() {
    check(
        "fail",
        "rights_oauth_entity",
        "has records, which sys_metadata has too, but shows none of them",
        |simulator| {
            simulator.instance().put("oauth_entity", &[("name", "Acme")]);
            simulator
                .instance()
                .quirks(|quirks| _ = quirks.uncounted_tables.insert("oauth_entity".to_owned()));
            LOOK.to_owned()
        },
    )
    .await;
}

#[tokio::test]
async fn a_role_that_does_not_exist_fails() {
    check("fail", "integration_role", "no role incident_boss", |_| {
        looking_at("integration_role = \"incident_boss\"")
    })
    .await;
}

#[tokio::test]
async fn another_current_application_is_worth_a_look() {
    check("warn", "account_application", "x_mioms_m365_assis", |simulator| {
        let user = id_of(simulator, "sys_user", "user_name", "admin");
        let application = id_of(simulator, "sys_store_app", "scope", "x_mioms_m365_assis");
        let preference = [
            ("user", user.as_str()),
            ("name", "apps.current_app"),
            ("value", application.as_str()),
        ];
        simulator.instance().put("sys_user_preference", &preference);
        LOOK.to_owned()
    })
    .await;
}

#[tokio::test]
async fn a_provider_needs_exactly_one_default_profile() {
    let provider = |simulator: &Simulator| {
        let entity = [
            ("name", "outbound"),
            ("type", "oauth_provider"),
            ("client_id", "a1"),
            ("default_grant_type", "client_credentials"),
        ];
        simulator.instance().put("oauth_entity", &entity)
    };
    check(
        "fail",
        "default_profile",
        "outbound has no default profile",
        |simulator| {
            let entity = provider(simulator);
            let profile = id_of(simulator, "oauth_entity_profile", "oauth_entity", &entity);
            simulator.instance().remove("oauth_entity_profile", &profile);
            LOOK.to_owned()
        },
    )
    .await;
    check(
        "fail",
        "default_profile",
        "outbound has 2 default profiles",
        |simulator| {
            let entity = provider(simulator);
            let second = [
                ("name", "second"),
                ("oauth_entity", entity.as_str()),
                ("default", "true"),
                ("grant_type", "client_credentials"),
            ];
            simulator.instance().put("oauth_entity_profile", &second);
            LOOK.to_owned()
        },
    )
    .await;
    check(
        "fail",
        "default_profile",
        "grant type password, not client_credentials",
        |simulator| {
            let entity = provider(simulator);
            let profile = id_of(simulator, "oauth_entity_profile", "oauth_entity", &entity);
            simulator
                .instance()
                .change("oauth_entity_profile", &profile, &[("grant_type", "password")]);
            LOOK.to_owned()
        },
    )
    .await;
}

#[tokio::test]
async fn two_oidc_providers_of_one_client_id_fail() {
    check("fail", "oidc_client_ids", "a2 is the client id of", |simulator| {
        for name in ["one", "two"] {
            simulator
                .instance()
                .put("oauth_oidc_entity", &[("name", name), ("client_id", "a2")]);
        }
        LOOK.to_owned()
    })
    .await;
    check("pass", "oidc_client_ids", "of its own", |simulator| {
        for (name, active) in [("one", "true"), ("two", "false")] {
            let entity = [("name", name), ("client_id", "a2"), ("active", active)];
            simulator.instance().put("oauth_oidc_entity", &entity);
        }
        LOOK.to_owned()
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_no_token_carries_fails() {
    check("fail", "oidc_configuration", "have no claim appid", |simulator| {
        let url = "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration";
        let configuration = [
            ("name", "v2"),
            ("oidc_url", url),
            ("user_claim", "appid"),
            ("user_field", "user_name"),
        ];
        let configuration = simulator.instance().put("oidc_provider_configuration", &configuration);
        let entity = [
            ("name", "inbound"),
            ("client_id", "a2"),
            ("oidc_provider_configuration", configuration.as_str()),
        ];
        simulator.instance().put("oauth_oidc_entity", &entity);
        LOOK.to_owned()
    })
    .await;
}

#[tokio::test]
async fn an_integration_user_that_cannot_work_fails() {
    let user = |simulator: &Simulator, active: &str, role: bool| {
        let robot = [
            ("user_name", "a3"),
            ("last_name", "Robot"),
            ("web_service_access_only", "true"),
            ("active", active),
        ];
        let id = simulator.instance().put("sys_user", &robot);
        if role {
            let role = id_of(simulator, "sys_user_role", "name", "incident_manager");
            simulator
                .instance()
                .put("sys_user_has_role", &[("user", id.as_str()), ("role", role.as_str())]);
        }
        looking_at("integration_user = \"a3\"")
    };
    check("fail", "integration_user", "no user a3", |_| {
        looking_at("integration_user = \"a3\"")
    })
    .await;
    check("fail", "integration_user", "a3 is not active", |simulator| {
        user(simulator, "false", true)
    })
    .await;
    check(
        "fail",
        "integration_user",
        "not have the role incident_manager",
        |simulator| user(simulator, "true", false),
    )
    .await;
    check("fail", "integration_user", "a3 has the role", |simulator| {
        user(simulator, "false", true);
        LOOK.to_owned()
    })
    .await;
    check("pass", "integration_user", "a3", |simulator| {
        user(simulator, "true", true)
    })
    .await;
}

#[tokio::test]
async fn addresses_are_looked_at_in_the_tenant() {
    check("fail", "metadata_url", "responds with 400", |_| {
        looking_at("tenant = \"fabrikam.com\"")
    })
    .await;
    check("fail", "token_url", "fabrikam.com", |_| {
        looking_at("tenant = \"fabrikam.com\"")
    })
    .await;
    check(
        "warn",
        "url_versions",
        "of version 2, the token address of version 1",
        |simulator| {
            let login = &simulator.urls().login;
            looking_at(&format!(
                "metadata_url = \"{login}/contoso.com/v2.0/.well-known/openid-configuration\""
            ))
        },
    )
    .await;
    check("fail", "token_url", "responds with 405", |simulator| {
        looking_at(&format!("token_url = \"{}/contoso.com/token\"", simulator.urls().login))
    })
    .await;
    check("unknown", "metadata_url", "cannot be reached from this machine", |_| {
        looking_at("metadata_url = \"https://127.0.0.1:1/x\"")
    })
    .await;
}

#[tokio::test]
async fn without_a_tenant_the_addresses_are_unknown() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, LOOK);
        workspace.unset_microsoft();

        let found = look(&workspace).await;

        for name in ["metadata_url", "token_url", "url_versions"] {
            assert_eq!(found[name].0, "unknown", "{name}: {}", found[name].1);
        }
    })
    .await;
}

#[tokio::test]
async fn an_account_with_partial_rights_learns_what_it_can() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let clerk = [
            ("user_name", "clerk"),
            ("last_name", "Clerk"),
            ("user_password", "clerk-password"),
        ];
        let id = simulator.instance().put("sys_user", &clerk);
        // A row is what shows the right to read.
        simulator
            .instance()
            .put("oauth_entity", &[("name", "Another integration")]);
        let role = id_of(&simulator, "sys_user_role", "name", "oauth_admin");
        simulator
            .instance()
            .put("sys_user_has_role", &[("user", id.as_str()), ("role", role.as_str())]);
        let mut workspace = simulator.workspace(terraform, LOOK);
        workspace.set("SERVICENOW_USERNAME", "clerk");
        workspace.set("SERVICENOW_PASSWORD", "clerk-password");

        let found = look(&workspace).await;

        for (name, expected) in [
            ("sign_in", "pass"),
            ("application_installed", "pass"),
            ("rights_oauth_entity", "pass"),
            ("rights_sys_user_has_role", "fail"),
            ("rights_oidc_provider_configuration", "fail"),
            ("rights_sys_db_object", "warn"),
            ("access_oauth_entity", "unknown"),
            ("oauth_plugin", "unknown"),
            ("oauth_property", "unknown"),
            ("oidc_client_ids", "unknown"),
            ("integration_user", "unknown"),
            ("account_application", "pass"),
        ] {
            assert_eq!(found[name].0, expected, "{name}: {}", found[name].1);
        }
    })
    .await;
}

#[tokio::test]
async fn rights_without_a_fitting_role_are_worth_a_look() {
    check(
        "warn",
        "rights_sys_user",
        "no role that usually allows writing it",
        |simulator| {
            // Reading is open, and the administrator lost the role that writing takes.
            let admin = id_of(simulator, "sys_user", "user_name", "admin");
            let grant = id_of(simulator, "sys_user_has_role", "user", &admin);
            simulator.instance().remove("sys_user_has_role", &grant);
            simulator.instance().switches(|modes| {
                for table in ["sys_user_has_role", "sys_user"] {
                    let anybody = vec!["itil".to_owned()];
                    modes.table_roles.insert((table.to_owned(), Operation::Read), anybody);
                }
            });
            let itil = id_of(simulator, "sys_user_role", "name", "itil");
            simulator.instance().put(
                "sys_user_has_role",
                &[("user", admin.as_str()), ("role", itil.as_str())],
            );
            LOOK.to_owned()
        },
    )
    .await;
}

#[tokio::test]
async fn a_release_without_a_table_fails_that_right() {
    check(
        "unknown",
        "account_application",
        "Set `account` to its user name",
        |_| looking_at("account = \"nobody\""),
    )
    .await;
    for_each_terraform(async |terraform| {
        let options = Options {
            instance: instance::Options {
                release: instance::Release::Yokohama,
                ..instance::Options::default()
            },
            ..Options::default()
        };
        let simulator = Simulator::start_with(options).await;
        let workspace = simulator.workspace(terraform, LOOK);

        look(&workspace).await;

        workspace.state(ADDRESS).has("ready", true);
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_does_not_answer_fails_once() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().faults().every(Matcher::any(), Fault::Hibernation);
        let workspace = simulator.workspace(terraform, LOOK);

        let found = look(&workspace).await;

        assert_eq!(found["sign_in"].0, "fail");
        assert!(found["sign_in"].1.contains("hibernating"), "{}", found["sign_in"].1);
        assert_eq!(found["application_installed"].0, "unknown");
        assert_eq!(found["metadata_url"].0, "pass");
    })
    .await;
}

#[tokio::test]
async fn a_check_block_warns_and_lets_the_apply_go_on() {
    for_each_terraform(async |terraform| {
        let mut options = Options::default();
        options.instance.application_installed = false;
        let simulator = Simulator::start_with(options).await;
        let workspace = simulator.workspace(
            terraform,
            r#"
                check "ready" {
                  data "servicenow_integration_readiness" "this" {}

                  assert {
                    condition = data.servicenow_integration_readiness.this.ready
                    error_message = join("\n", [
                      for check in data.servicenow_integration_readiness.this.checks : "${check.name}: ${check.detail} ${check.remedy}"
                      if check.status == "fail"
                    ])
                  }
                }
            "#,
        );

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Check block assertion failed")
            .says("application_installed: The application x_mioms_m365_assis is not installed.");
    })
    .await;
}
