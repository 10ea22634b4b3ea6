//! `servicenow_oauth_entity`, from creation to removal.

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};

use crate::harness::configurations::ENTITY;
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

        workspace.terraform("apply").await.succeeds_without_warning();

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
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
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
        workspace.terraform("apply").await.succeeds_without_warning();
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
                CHANGED.replace("name    ", "application_scope = \"x_mioms_m365_assis\"\n      name    "),
                "application_scope",
            ),
        ] {
            workspace.configure(&configuration);
            workspace.plan().await.replaces_because_of(ADDRESS, &[path]);
        }
        // A replacement deletes first, so it must be possible to create.
        workspace.configure(&CHANGED.replace("name    ", "application_scope = \"x_mioms\"\n      name    "));
        workspace
            .terraform("plan")
            .await
            .fails_saying("Could not find the application")
            .says("x_mioms_m365_assis");
        workspace.configure(&CHANGED.replace("11111111", "22222222"));
        workspace
            .terraform("apply")
            .await
            .succeeds_without_warning()
            .says("1 added, 0 changed, 1 destroyed");
        assert!(column("client_id").starts_with("22222222"));

        workspace.terraform("destroy").await.succeeds_without_warning();
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

/// An endpoint for clients that sign in with client credentials.
fn inbound(more: &str) -> String {
    format!(
        "resource \"servicenow_oauth_entity\" \"this\" {{\n  name = \"Inbound\"\n  type = \"client\"\n  {more}\n}}\n"
    )
}

const INBOUND: &str = r#"
    user                     = "abel.tuter"
    inbound_grant_type       = "client_credential"
    client_type              = "integration_as_a_user"
    public_client            = true
    token_format             = "jwt"
    scope_restriction_status = "restricted"
    auth_scopes              = ["useraccount"]
"#;

#[tokio::test]
async fn an_endpoint_says_who_its_clients_are() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let workspace = simulator.workspace(terraform, &inbound(""));
        let column = |name: &str| simulator.only_record("oauth_entity")[name].clone();
        workspace.terraform("apply").await.succeeds();
        workspace
            .state(ADDRESS)
            .lacks("user")
            .lacks("public_client")
            .lacks("token_format")
            .lacks("scopes");

        workspace.configure(&inbound(INBOUND));
        workspace.plan().await.updates_only(
            ADDRESS,
            &[
                "auth_scopes",
                "client_type",
                "granted_auth_scopes",
                "inbound_grant_type",
                "public_client",
                "scope_restriction_status",
                "token_format",
                "user",
                "user_id",
            ],
        );
        workspace.terraform("apply plan.bin").await.succeeds();
        for (name, expected) in [
            ("user", user.as_str()),
            ("inbound_grant_type", "client_credential"),
            ("client_type", "integration_as_a_user"),
            ("public_client", "true"),
            ("token_format", "jwt"),
            ("scope_restriction_status", "restricted"),
        ] {
            assert_eq!(column(name), expected, "{name}");
        }
        assert_eq!(simulator.count("oauth_entity_auth_scope_mapping"), 1);
        workspace.plan_is_empty().await;

        // Another spelling is no change, and what is left out stays.
        for respelled in [
            INBOUND.replace("\"abel.tuter\"", &format!("\"{user}\"")),
            INBOUND
                .replace("\"abel.tuter\"", "\" Abel.Tuter \"")
                .replace("\"jwt\"", "\"JWT \""),
            String::new(),
        ] {
            workspace.configure(&inbound(&respelled));
            workspace.plan_is_empty().await;
        }

        // Imported, it is as it is configured.
        let id = workspace.state(ADDRESS).text("id");
        workspace.configure(&inbound(INBOUND));
        workspace.terraform_with(&["state", "rm", ADDRESS]).await.succeeds();
        workspace.terraform_with(&["import", ADDRESS, &id]).await.succeeds();
        workspace.plan_is_empty().await;
        workspace.configure(&inbound(&INBOUND.replace("\"abel.tuter\"", "\"\"")));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(column("user"), "");

        workspace.configure(&inbound(&INBOUND.replace("abel.tuter", "nobody")));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not find the user");
        workspace.configure(&inbound("scope_restriction_status = \"secure\""));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("Unknown value of scope_restriction_status");
    })
    .await;
}

#[tokio::test]
async fn a_release_that_does_not_know_an_argument_of_an_entry_is_told() {
    for_each_terraform(async |terraform| {
        let options = servicenow_simulator::Options {
            instance: servicenow_simulator::instance::Options {
                release: servicenow_simulator::instance::Release::Yokohama,
                ..servicenow_simulator::instance::Options::default()
            },
            ..servicenow_simulator::Options::default()
        };
        let simulator = Simulator::start_with(options).await;
        let workspace = simulator.workspace(terraform, "");
        for (argument, column) in [
            ("inbound_grant_type = \"jwt\"", "inbound_grant_type"),
            ("token_format = \"jwt\"", "token_format"),
            ("scope_restriction_status = \"restricted\"", "scope_restriction_status"),
        ] {
            workspace.configure(&inbound(argument));
            workspace
                .terraform("apply")
                .await
                .fails_saying(&format!("The instance has no column {column}"));
        }
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_client_may_sign_with_the_key_of_a_jwt_provider() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let provider = "resource \"servicenow_record\" \"jwt\" {\n  table = \"jwt_provider\"\n  fields = {\n    name = \"Graph\"\n  \
                        }\n}\n";
        let entry = least("send_client_credentials_as = \"private_key_jwt\"\n  jwt_provider = servicenow_record.jwt.id");
        let workspace = simulator.workspace(terraform, &format!("{provider}{entry}"));

        workspace.terraform("apply").await.succeeds();

        let entity = simulator.only_record("oauth_entity");
        assert_eq!(entity["jwt_provider"], simulator.only_record("jwt_provider")["sys_id"]);
        assert_eq!(entity["send_client_credentials_as"], "private_key_jwt");
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// The scopes of the default profile, sorted.
fn asked_for(simulator: &Simulator) -> Vec<String> {
    let instance = simulator.instance();
    let links = instance.records("oauth_entity_profile_scope");
    let scope = |id: &str| instance.record("oauth_entity_scope", id).unwrap()["oauth_entity_scope"].clone();
    let mut scopes: Vec<String> = links.iter().map(|link| scope(&link["oauth_entity_scope"])).collect();
    scopes.sort();
    scopes
}

/// The instance made a default profile, which a business rule keeps from the account and from the count.
#[tokio::test]
async fn a_default_profile_that_is_not_even_counted_gets_no_twin() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, ENTITY);
        simulator
            .instance()
            .quirks(|quirks| _ = quirks.uncounted_tables.insert("oauth_entity_profile".to_owned()));

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("has records, which sys_metadata has too, but shows none of them to the account")
            .says("the next apply corrects it in place");

        assert_eq!(simulator.created("oauth_entity_profile").len(), 1);
        simulator.instance().quirks(|quirks| quirks.uncounted_tables.clear());
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.created("oauth_entity_profile").len(), 1);
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn the_default_profile_asks_for_the_listed_scopes() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let scopes = |list: &str| least(&format!("scopes = [{list}]"));
        let workspace = simulator.workspace(terraform, &scopes("\".default\", \"offline_access\""));

        workspace.terraform("apply").await.succeeds();
        assert_eq!(asked_for(&simulator), [".default", "offline_access"]);
        workspace
            .state(ADDRESS)
            .has("scopes", vec![".default", "offline_access"])
            .has("added_scopes", vec![".default", "offline_access"]);
        workspace.plan_is_empty().await;
        workspace.configure(&scopes("\" .default\", \"offline_access \""));
        workspace.plan_is_empty().await;

        // Somebody's own stays, on the profile and beside it; what is taken off the profile comes back.
        let id = workspace.state(ADDRESS).text("id");
        let profile = workspace.state(ADDRESS).text("default_profile_id");
        let theirs = |scope: &str| {
            let columns = [
                ("name", scope),
                ("oauth_entity_scope", scope),
                ("oauth_entity", id.as_str()),
            ];
            instance.put("oauth_entity_scope", &columns)
        };
        let (mail, files) = (theirs("Mail.Send"), theirs("Files.Read"));
        let link = |scope: &str| {
            let columns = [
                ("oauth_entity_profile", profile.as_str()),
                ("oauth_entity_scope", scope),
            ];
            instance.put("oauth_entity_profile_scope", &columns)
        };
        link(&mail);
        workspace.plan_is_empty().await;
        let offline = &instance.find("oauth_entity_scope", "oauth_entity_scope", "offline_access")[0]["sys_id"];
        let of_offline = &instance.find("oauth_entity_profile_scope", "oauth_entity_scope", offline)[0]["sys_id"];
        instance.remove("oauth_entity_profile_scope", of_offline);
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["added_scopes", "scopes"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(asked_for(&simulator), [".default", "Mail.Send", "offline_access"]);
        workspace
            .state(ADDRESS)
            .has("added_scopes", vec![".default", "offline_access"]);

        // Found, listed and no longer listed: one row of it, then none. One that another profile asks for stays there.
        workspace.configure(&scopes("\".default\", \"Files.Read\""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(asked_for(&simulator), [".default", "Files.Read", "Mail.Send"]);
        assert_eq!(
            instance.find("oauth_entity_scope", "oauth_entity_scope", "offline_access"),
            []
        );
        workspace.plan_is_empty().await;
        let other = instance.put("oauth_entity_profile", &[("name", "Other"), ("oauth_entity", &id)]);
        let columns = [
            ("oauth_entity_profile", other.as_str()),
            ("oauth_entity_scope", files.as_str()),
        ];
        instance.put("oauth_entity_profile_scope", &columns);
        workspace.configure(&scopes("\".default\""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(asked_for(&simulator), [".default", "Files.Read", "Mail.Send"]);
        assert!(instance.record("oauth_entity_scope", &files).is_some());

        // An import lists what the profile asks for, and removes none of it unasked.
        workspace.terraform_with(&["state", "rm", ADDRESS]).await.succeeds();
        workspace.configure(&scopes("\".default\", \"Mail.Send\""));
        workspace.terraform_with(&["import", ADDRESS, &id]).await.succeeds();
        workspace.plan_is_empty().await;
        workspace.configure(&least(""));
        workspace.plan_is_empty().await;
        workspace.configure(&scopes(""));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Not every OAuth scope was removed");
        assert_eq!(asked_for(&simulator), [".default", "Files.Read", "Mail.Send"]);
    })
    .await;
}

#[tokio::test]
async fn scopes_go_with_their_entry() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().switches(|modes| modes.cascade = false);
        let workspace = simulator.workspace(terraform, &least("scopes = [\".default\"]"));
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A scope that a list does not show yet, such as one of an apply that was interrupted, is not made again.
#[tokio::test]
async fn a_scope_that_a_list_shows_late_is_not_doubled() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let workspace = simulator.workspace(terraform, &least(""));
        workspace.terraform("apply").await.succeeds();
        let entity = workspace.state(ADDRESS).text("id");
        let profile = workspace.state(ADDRESS).text("default_profile_id");
        let list = |table: &str| Matcher::table(table).method(Method::GET);
        let (scopes, links) = ("oauth_entity_scope", "oauth_entity_profile_scope");
        // In the last case the first look shows it, beside the profile, and the second nothing.
        for (is_linked, late) in [(true, list(scopes)), (true, list(links)), (false, list(scopes).nth(2))] {
            let columns = [
                ("name", ".default"),
                ("oauth_entity_scope", ".default"),
                ("oauth_entity", &entity),
            ];
            let scope = instance.put(scopes, &columns);
            if is_linked {
                let columns = [
                    ("oauth_entity_profile", profile.as_str()),
                    ("oauth_entity_scope", &scope),
                ];
                instance.put(links, &columns);
            }
            instance.faults().next(late, Fault::EmptyList);

            workspace.configure(&least("scopes = [\".default\"]"));
            workspace.terraform("apply -refresh=false").await.succeeds();

            assert_eq!(asked_for(&simulator), [".default"]);
            let rows = instance.records(scopes);
            assert_eq!(rows.len(), 1, "{rows:?}");
            assert_eq!(rows[0]["sys_id"], scope);
            workspace.configure(&least("scopes = []"));
            workspace.terraform("apply").await.succeeds();
            assert_eq!(simulator.count(scopes), 0);
        }
    })
    .await;
}

/// A link that the instance keeps for no profile would be made again by every apply.
#[tokio::test]
async fn a_scope_that_reaches_no_profile_is_told_and_not_doubled() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().switches(|modes| {
            let column = (
                "oauth_entity_profile_scope".to_owned(),
                "oauth_entity_profile".to_owned(),
            );
            modes.write_denied = [column].into();
        });
        let workspace = simulator.workspace(terraform, &least("scopes = [\".default\"]"));
        for _ in 0..2 {
            workspace
                .terraform("apply")
                .await
                .says("oauth_entity_profile was not kept");
            assert_eq!(simulator.count("oauth_entity_profile_scope"), 0);
            assert_eq!(simulator.count("oauth_entity_scope"), 1);
        }
        simulator.instance().switches(|modes| modes.write_denied.clear());
        workspace.terraform("apply").await.succeeds();
        assert_eq!(asked_for(&simulator), [".default"]);
        workspace.plan_is_empty().await;
    })
    .await;
}
