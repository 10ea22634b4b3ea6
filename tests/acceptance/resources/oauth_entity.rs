//! `servicenow_oauth_entity`, from creation to removal.

use crate::harness::{Drift, Imports, Simulator, destroy_finds_it_removed, for_each_terraform, removal_is_corrected};

const ADDRESS: &str = "servicenow_oauth_entity.this";
const ID: &str = "11111111-2222-3333-4444-555555555555";
const SECRETS: [&str; 2] = ["first-client-secret", "second-client-secret"];

const WHOLE: &str = r#"
    variable "secret" {
      ephemeral = true
    }
    resource "servicenow_oauth_entity" "this" {
      name                       = "Outbound"
      type                       = "oauth_provider"
      client_id                  = "11111111-2222-3333-4444-555555555555"
      client_secret_wo           = var.secret
      client_secret_wo_version   = "1"
      default_grant_type         = "client_credentials"
      token_url                  = "https://login.example.com/token"
      auth_url                   = "https://login.example.com/auth"
      revoke_token_url           = "https://login.example.com/revoke"
      redirect_url               = "https://contoso.service-now.com/oauth_redirect.do"
      send_client_credentials_as = "basic_authorization_header"
      access_token_lifespan      = 600
      refresh_token_lifespan     = 7200
      access                     = "package_private"
      active                     = true
      comments                   = "A comment, with \"quotes\" & <marks>"
      logo_url                   = "https://contoso.com/logo.png"
      application_scope          = "global"
    }
"#;

/// Every attribute but those that replace, with another value.
const CHANGED: &str = r#"
    variable "secret" {
      ephemeral = true
    }
    resource "servicenow_oauth_entity" "this" {
      name                       = "Outbound 2"
      client_id                  = "11111111-2222-3333-4444-555555555555"
      client_secret_wo           = var.secret
      client_secret_wo_version   = "1"
      default_grant_type         = "authorization_code"
      token_url                  = "https://login.example.com/token2"
      revoke_token_url           = "https://login.example.com/revoke2"
      redirect_url               = "https://contoso.service-now.com/oauth_redirect2.do"
      send_client_credentials_as = "request_body_parameter"
      access_token_lifespan      = 601
      refresh_token_lifespan     = 7201
      access                     = "public"
      active                     = false
      auth_url                   = ""
      comments                   = ""
      logo_url                   = ""
    }
"#;

fn least(more: &str) -> String {
    format!(
        "resource \"servicenow_oauth_entity\" \"this\" {{\n  name = \"Outbound\"\n  client_id = {ID:?}\n  {more}\n}}\n"
    )
}

#[tokio::test]
async fn an_entry_lives_from_creation_to_removal() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, WHOLE);
        workspace.set("TF_VAR_secret", SECRETS[0]);
        let column = |name: &str| simulator.only_record("oauth_entity")[name].clone();

        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("id", column("sys_id"))
            .has("access_token_lifespan", 600)
            .has("comments", "A comment, with \"quotes\" & <marks>")
            .has("default_profile_name", "Outbound default_profile")
            .has(
                "default_profile_id",
                simulator.only_record("oauth_entity_profile")["sys_id"].as_str(),
            )
            .lacks("client_secret_wo");
        assert_eq!(column("client_secret"), SECRETS[0]);
        assert_eq!(column("sys_scope"), "global");
        workspace.plan_is_empty().await;

        // What does not concern the secret leaves it.
        workspace.configure(CHANGED);
        workspace.set("TF_VAR_secret", SECRETS[1]);
        workspace.plan().await.updates_only(
            ADDRESS,
            &[
                "access",
                "access_token_lifespan",
                "active",
                "auth_url",
                "comments",
                "default_grant_type",
                "logo_url",
                "name",
                "redirect_url",
                "refresh_token_lifespan",
                "revoke_token_url",
                "send_client_credentials_as",
                "token_url",
            ],
        );
        workspace.terraform("apply plan.bin").await.succeeds();
        for (name, expected) in [
            ("client_secret", SECRETS[0]),
            ("name", "Outbound 2"),
            ("default_grant_type", "authorization_code"),
            ("auth_url", ""),
            ("comments", ""),
            ("logo_url", ""),
            ("access_token_lifespan", "601"),
            ("active", "false"),
            ("access", "public"),
        ] {
            assert_eq!(column(name), expected, "{name}");
        }
        assert_eq!(
            simulator.only_record("oauth_entity_profile")["grant_type"],
            "authorization_code"
        );
        workspace.plan_is_empty().await;

        // Only the version changes, and only the secret is sent.
        simulator.instance().clear_requests();
        workspace.configure(&CHANGED.replace("version   = \"1\"", "version   = \"2\""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(column("client_secret"), SECRETS[1]);
        let writes: Vec<_> = simulator
            .instance()
            .requests()
            .into_iter()
            .filter(|it| it.method != "GET")
            .collect();
        assert!(
            writes.len() == 1 && writes[0].body == format!("{{\"client_secret\":\"{}\"}}", SECRETS[1]),
            "{writes:#?}"
        );

        for (configuration, path) in [
            (CHANGED.replace("11111111", "22222222"), "client_id"),
            (CHANGED.replace("name    ", "type = \"client\"\n      name    "), "type"),
            (
                CHANGED.replace("name    ", "application_scope = \"x_scope\"\n      name    "),
                "application_scope",
            ),
        ] {
            workspace.configure(&configuration);
            workspace.plan().await.replaces_because_of(ADDRESS, &[path]);
        }
        workspace.configure(&CHANGED.replace("11111111", "22222222"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 added, 0 changed, 1 destroyed");
        assert!(column("client_id").starts_with("22222222"));

        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
        workspace.leaks_nothing_of(&SECRETS);
    })
    .await;
}

#[tokio::test]
async fn drift_of_an_entry_is_planned_back_and_removal_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, WHOLE);
        workspace.set("TF_VAR_secret", SECRETS[0]);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let at_first = simulator.instance().fingerprint();

        let changes = [
            ("name", "Somebody's"),
            ("default_grant_type", "password"),
            ("token_url", "https://evil.example.com/token"),
            ("auth_url", ""),
            ("revoke_token_url", "https://evil.example.com/revoke"),
            ("redirect_url", "https://evil.example.com/redirect"),
            ("send_client_credentials_as", "request_body_parameter"),
            ("access_token_lifespan", "1"),
            ("refresh_token_lifespan", ""),
            ("access", "public"),
            ("active", "false"),
            ("comments", "Changed"),
            ("logo_url", ""),
        ];
        Drift {
            address: ADDRESS,
            changes: &[("oauth_entity", &id, &changes)],
            planned: &[
                "access",
                "access_token_lifespan",
                "active",
                "auth_url",
                "comments",
                "default_grant_type",
                "logo_url",
                "name",
                "redirect_url",
                "refresh_token_lifespan",
                "revoke_token_url",
                "send_client_credentials_as",
                "token_url",
            ],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        assert_eq!(simulator.instance().fingerprint(), at_first);

        simulator
            .instance()
            .change("oauth_entity", &id, &[("client_id", "another"), ("type", "client")]);
        workspace
            .plan()
            .await
            .replaces_because_of(ADDRESS, &["client_id", "type"]);
        simulator
            .instance()
            .change("oauth_entity", &id, &[("client_id", ID), ("type", "oauth_provider")]);

        // The default profile belongs to it.
        let profile = workspace.state(ADDRESS).text("default_profile_id");
        simulator.instance().remove("oauth_entity_profile", &profile);
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(simulator.only_record("oauth_entity_profile")["oauth_entity"], id);
        workspace.plan_is_empty().await;

        let remove = |id: &str| simulator.instance().remove("oauth_entity", id);
        removal_is_corrected(&workspace, ADDRESS, remove).await;
        assert_ne!(simulator.only_record("oauth_entity")["sys_id"], id);
        destroy_finds_it_removed(&workspace, ADDRESS, remove).await;
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn what_is_not_configured_is_the_instances_own() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &least(""));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        workspace
            .state(ADDRESS)
            .has("access", "public")
            .has("refresh_token_lifespan", 8_640_000)
            .has(
                "redirect_url",
                format!("{}/oauth_redirect.do", simulator.urls().instance),
            )
            .lacks("token_url");

        simulator.instance().change(
            "oauth_entity",
            &id,
            &[
                ("comments", "by hand"),
                ("logo_url", "by hand"),
                ("auth_url", "https://by.hand/"),
                ("access", "package_private"),
            ],
        );

        workspace.plan_is_empty().await;
        workspace.configure(&least("active = false"));
        workspace.terraform("apply").await.succeeds();
        let record = simulator.only_record("oauth_entity");
        assert_eq!([&record["comments"], &record["access"]], ["by hand", "package_private"]);
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_for_clients_gets_its_client_id_from_the_instance() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration =
            "resource \"servicenow_oauth_entity\" \"this\" {\n  name = \"Inbound\"\n  type = \"client\"\n}\n";
        let workspace = simulator.workspace(terraform, configuration);

        workspace.terraform("apply").await.succeeds();

        let record = simulator.only_record("oauth_entity");
        workspace
            .state(ADDRESS)
            .has("client_id", record["client_id"].as_str())
            .lacks("default_profile_id");
        workspace.plan_is_empty().await;
        workspace.configure(&configuration.replace("type", "comments = \"x\"\n  type"));
        workspace.plan().await.updates_only(ADDRESS, &["comments"]);
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_imported_by_id_by_column_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let put = |name: &str, client_id: &str| {
            let values = [
                ("name", name),
                ("type", "oauth_provider"),
                ("client_id", client_id),
                ("client_secret", "by-hand-secret"),
                ("default_grant_type", "client_credentials"),
                ("comments", "by hand"),
            ];
            simulator.instance().put("oauth_entity", &values)
        };
        let id = put("Outbound", ID);
        put("Twin", "1");
        put("Twin", "2");
        let configuration = least("comments = \"by hand\"");
        let workspace = simulator.workspace(terraform, &configuration);
        let by_client_id = format!("client_id={ID}");

        Imports {
            address: ADDRESS,
            configuration: &configuration,
            identity: ("sys_id", &id),
            targets: &[&id, "name=Outbound", &by_client_id],
            state: &[("id", &id)],
            refused: &[
                ("name=Twin", "Use the sys_id of the intended record"),
                ("name=Nobody", "has name = \"Nobody\""),
                ("nam=Outbound", "Did you mean name=Outbound?"),
                ("Outbound", "is neither a valid sys_id (32 hexadecimal digits)"),
                ("name=a^b", "Separate several with ^"),
                (
                    "0123456789abcdef0123456789abcdef",
                    "Cannot import non-existent remote object",
                ),
            ],
        }
        .round_trip(terraform, &workspace)
        .await;
    })
    .await;
}

#[tokio::test]
async fn values_of_an_entry_may_be_unknown_until_apply() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(
            terraform,
            r#"
                variable "secret" {
                  ephemeral = true
                }
                resource "terraform_data" "later" {
                  input = { text = "later", number = 100, flag = false, type = "oauth_provider", scope = "global", none = null }
                }
                locals {
                  later = terraform_data.later.output
                }
                resource "servicenow_oauth_entity" "this" {
                  name                     = local.later.text
                  type                     = local.later.type
                  client_id                = "id-${local.later.text}"
                  client_secret_wo         = var.secret
                  client_secret_wo_version = local.later.number
                  token_url                = "https://${local.later.text}.example.com/token"
                  redirect_url             = "https://${local.later.text}.example.com/redirect"
                  access_token_lifespan    = local.later.number
                  active                   = local.later.flag
                  comments                 = local.later.none
                  application_scope        = local.later.scope
                }
            "#,
        );
        workspace.set("TF_VAR_secret", SECRETS[0]);

        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("client_id", "id-later")
            .has("active", false)
            .has("default_grant_type", "client_credentials")
            .lacks("comments");
        workspace.plan_is_empty().await;
        assert_eq!(simulator.only_record("oauth_entity")["client_secret"], SECRETS[0]);
    })
    .await;
}
