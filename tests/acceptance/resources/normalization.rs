//! The same thing, spelled in two ways: what the instance makes of a text, and what a configuration calls a record.

use servicenow_simulator::instance::{Beside, IdCase, LineEndings, Quirks};

use crate::harness::{Simulator, for_each_terraform};

const USER: &str = "servicenow_integration_user.this";
const APPLICATION: &str = "x_mioms_m365_assis";

/// A user, an entry and a provider, in texts of which an instance may make others that mean the same.
const SPELLED: &str = r#"
    resource "servicenow_integration_user" "this" {
      user_name = "ABCDEF01-2222-3333-4444-555555555555"
      title     = " Robot "
      email     = "Robot@Contoso.com"
      roles     = ["incident_manager"]
    }
    resource "servicenow_oauth_entity" "this" {
      name               = "Outbound "
      client_id          = "ABCDEF01-2222-3333-4444-666666666666"
      client_secret      = "a-secret-of-it"
      default_grant_type = "client_credentials"
      token_url          = "https://login.microsoftonline.com/contoso.com/oauth2/token"
      comments           = <<-EOT
        first line
        second line
      EOT
    }
    resource "servicenow_oidc_provider" "this" {
      name        = " Inbound"
      client_id   = "ABCDEF01-2222-3333-4444-777777777777"
      comments    = "  "
      auth_scopes = ["useraccount"]
      configuration = {
        name         = "Entra "
        metadata_url = "https://login.microsoftonline.com/t/.well-known/openid-configuration"
      }
    }
"#;

fn user(body: &str) -> String {
    format!("resource \"servicenow_integration_user\" \"this\" {{\n{body}\n}}\n")
}

/// What is stored in another spelling is neither an error nor a change, after a create as after an update, and an import
/// plans nothing.
#[tokio::test]
async fn a_text_that_the_instance_spells_its_own_way_is_no_change() {
    type Habit = (&'static str, fn(&mut Quirks));
    let all: [Habit; 7] = [
        ("no blanks at the ends", |quirks| quirks.trims = true),
        ("values as JSON has them", |quirks| quirks.native_values = true),
        ("line feeds", |quirks| quirks.line_endings = LineEndings::Lf),
        ("carriage returns", |quirks| quirks.line_endings = LineEndings::CrLf),
        ("ids in lower case", |quirks| quirks.id_case = IdCase::Lower),
        ("ids in capitals", |quirks| quirks.id_case = IdCase::Upper),
        ("e-mail addresses in lower case", |quirks| {
            quirks.lower_cased.insert(("sys_user".to_owned(), "email".to_owned()));
        }),
    ];
    for_each_terraform(async |terraform| {
        for (quirk, set) in all {
            eprintln!("with {quirk}:");
            let simulator = Simulator::start().await;
            simulator.instance().quirks(set);
            let workspace = simulator.workspace(terraform, SPELLED);

            workspace
                .terraform("apply")
                .await
                .succeeds()
                .says("3 added")
                .does_not_say("not kept");
            workspace.plan_is_empty().await;
            workspace
                .state(USER)
                .has("title", " Robot ")
                .has("email", "Robot@Contoso.com");

            workspace.configure(&SPELLED.replace(" Robot ", " Android "));
            workspace
                .terraform("apply")
                .await
                .succeeds()
                .says("0 added, 1 changed, 0 destroyed")
                .does_not_say("not kept");
            workspace.plan_is_empty().await;

            workspace.terraform(&format!("state rm {USER}")).await.succeeds();
            let id = simulator.only_record("sys_user")["sys_id"].clone();
            workspace.terraform_with(&["import", USER, &id]).await.succeeds();
            workspace.plan_is_empty().await;

            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// Line ends as a file from Windows has them, however the instance stores them.
#[tokio::test]
async fn line_ends_of_windows_are_no_change() {
    let with = |comments: &str| {
        format!(
            "resource \"servicenow_oauth_entity\" \"this\" {{\n  name = \"Outbound\"\n  client_id = \"c\"\n  \
             default_grant_type = \"client_credentials\"\n  client_secret = \"a-secret-of-it\"\n  \
             token_url = \"https://login.example.com/token\"\n  comments = \"{comments}\"\n}}\n"
        )
    };
    for_each_terraform(async |terraform| {
        for endings in [LineEndings::Kept, LineEndings::Lf, LineEndings::CrLf] {
            let simulator = Simulator::start().await;
            simulator.instance().quirks(|quirks| quirks.line_endings = endings);
            let workspace = simulator.workspace(terraform, &with(r"first\r\nsecond\r\n"));

            workspace.terraform("apply").await.succeeds().does_not_say("not kept");
            workspace.plan_is_empty().await;
            workspace.configure(&with(r"first\nsecond"));
            workspace.plan_is_empty().await;
            workspace.configure(&with(r"first\nthird\n"));
            workspace.terraform("apply").await.succeeds().says("1 changed");
            workspace.plan_is_empty().await;
        }
    })
    .await;
}

/// The configuration may write a GUID or an address in another case at any time.
#[tokio::test]
async fn another_case_of_a_guid_replaces_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, SPELLED);
        workspace.terraform("apply").await.succeeds();

        workspace.configure(
            &SPELLED
                .replace("ABCDEF01", "abcdef01")
                .replace("Robot@Contoso", "robot@contoso"),
        );

        workspace.plan_is_empty().await;
    })
    .await;
}

/// Created by name, each record is known by its name and by its key: in the configuration, under another address, and
/// after an import.
#[tokio::test]
async fn a_record_is_the_same_by_its_name_and_by_its_key() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let person = simulator.person("abel.tuter");
        let role = instance.find("sys_user_role", "name", "soap").remove(0)["sys_id"].clone();
        let scope = instance.find("sys_scope", "scope", APPLICATION).remove(0)["sys_id"].clone();
        let both = |name: &str, [user, role, source]: [&str; 3]| {
            format!(
                "resource \"servicenow_user_role\" \"{name}\" {{\n  user = \"{user}\"\n  role = \"{role}\"\n}}\n\
                 resource \"servicenow_cross_scope_privilege\" \"{name}\" {{\n  source_scope = \"{source}\"\n  \
                 target_name = \"incident\"\n}}\n"
            )
        };
        let by_name = ["abel.tuter", "soap", APPLICATION];
        let by_key = [person.as_str(), &role, &scope];
        let capitals = by_key.map(str::to_uppercase);
        let by_capitals = [capitals[0].as_str(), &capitals[1], &capitals[2]];
        let workspace = simulator.workspace(terraform, &both("this", by_name));
        workspace.terraform("apply").await.succeeds().says("2 added");

        for spelling in [by_key, by_capitals, by_name] {
            workspace.configure(&both("this", spelling));
            workspace.plan_is_empty().await;
        }

        let moved = |name: &str, to: &str| {
            let block = |kind: &str| format!("moved {{\n  from = {kind}.{name}\n  to = {kind}.{to}\n}}\n");
            block("servicenow_user_role") + &block("servicenow_cross_scope_privilege")
        };
        workspace.configure(&(both("other", by_key) + &moved("this", "other")));
        assert_eq!(workspace.plan().await.changes(), []);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("0 added, 0 changed, 0 destroyed");

        let grant = instance.find("sys_user_has_role", "user", &person).remove(0)["sys_id"].clone();
        let privilege = simulator.only_record("sys_scope_privilege")["sys_id"].clone();
        for spelling in [by_name, by_key] {
            workspace.configure(&both("other", spelling));
            for (kind, id) in [
                ("servicenow_user_role", &grant),
                ("servicenow_cross_scope_privilege", &privilege),
            ] {
                let address = format!("{kind}.other");
                workspace.terraform(&format!("state rm {address}")).await.succeeds();
                workspace.terraform_with(&["import", &address, id]).await.succeeds();
            }
            workspace.plan_is_empty().await;
        }
    })
    .await;
}

/// Names that an instance takes for the same are refused, with the record and how to import it.
#[tokio::test]
async fn a_record_whose_key_differs_in_case_is_named() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        instance.quirks(|quirks| quirks.ignores_case = true);
        let twin = instance.put("sys_user", &[("user_name", "Robot"), ("last_name", "Twin")]);
        let guid = "abcdef01-2222-3333-4444-555555555555";
        let configuration = instance
            .find("oidc_provider_configuration", "name", "Azure AD")
            .remove(0)["sys_id"]
            .clone();
        let provider = instance.put(
            "oauth_oidc_entity",
            &[
                ("name", "Inbound"),
                ("client_id", guid),
                ("oidc_provider_configuration", &configuration),
            ],
        );
        for (block, id) in [
            (user("  user_name = \"robot \""), &twin),
            (
                format!(
                    "resource \"servicenow_oidc_provider\" \"this\" {{\n  name = \"Other\"\n  client_id = \"{}\"\n  \
                     configuration_id = \"{configuration}\"\n}}\n",
                    guid.to_uppercase()
                ),
                &provider,
            ),
        ] {
            let workspace = simulator.workspace(terraform, &block);
            workspace
                .terraform("apply")
                .await
                .fails_saying("already exists")
                .says(id);
            assert!(workspace.addresses().is_empty());
        }
        assert_eq!(instance.records("oauth_oidc_entity").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_null_among_names_is_refused_before_anything_is_made() {
    let configuration = user("  user_name = \"robot\"\n  roles = [\"itil\", var.admin ? \"admin\" : null]");
    let configuration = format!("variable \"admin\" {{\n  default = false\n}}\n{configuration}");
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &configuration);

        workspace
            .terraform("plan")
            .await
            .fails_saying("null")
            .says("compact")
            .does_not_say("inconsistent");

        // Not known before the apply.
        let open = format!(
            "resource \"terraform_data\" \"this\" {{\n  input = false\n}}\n{}",
            configuration.replace("var.admin", "terraform_data.this.output")
        );
        workspace.configure(&open);
        workspace
            .terraform("apply")
            .await
            .fails_saying("null")
            .does_not_say("bug in the provider");
        assert_eq!(simulator.created("sys_user"), []);
    })
    .await;
}

/// The instance wants a first or a last name: where the configuration takes away both, the user ID stands in.
#[tokio::test]
async fn a_user_is_never_without_a_name() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &user("  user_name = \"robot\"\n  first_name = \"\""));
        let last_name = || simulator.only_record("sys_user")["last_name"].clone();

        workspace.terraform("apply").await.succeeds();
        assert_eq!(last_name(), "robot");
        workspace.plan_is_empty().await;

        workspace.configure(&user(
            "  user_name = \"robot\"\n  first_name = \"R\"\n  last_name = \"\"",
        ));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(last_name(), "");
        workspace.plan_is_empty().await;

        workspace.configure(&user(
            "  user_name = \"robot\"\n  first_name = \"\"\n  last_name = \"\"",
        ));
        workspace
            .terraform("plan")
            .await
            .fails_saying("Omit last_name to use the user ID instead");

        workspace.configure(&user("  user_name = \"robot\"\n  first_name = \"\""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(last_name(), "robot");
        workspace.plan_is_empty().await;
    })
    .await;
}

/// Rules of the instance that change a value, or another beside the one that was sent, end in a warning that names it and
/// in the next plan, and never in what Terraform takes for a bug.
#[tokio::test]
async fn a_value_that_the_instance_changes_is_told_and_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().quirks(|quirks| {
            quirks.lower_cased.insert(("sys_user".to_owned(), "title".to_owned()));
            quirks
                .beside
                .push(Beside::new("sys_user", "first_name", "email", "rule@contoso.com"));
        });
        let workspace = simulator.workspace(
            terraform,
            &user("  user_name = \"robot\"\n  title = \"Robot\"\n  email = \"robot@contoso.com\""),
        );

        workspace
            .terraform("apply")
            .await
            .says("title")
            .does_not_say("bug in the provider");
        workspace.plan().await.does(USER, &["update"]);

        workspace.configure(&user(
            "  user_name = \"robot\"\n  title = \"robot\"\n  email = \"robot@contoso.com\"\n  first_name = \"R\"",
        ));
        workspace
            .terraform("apply")
            .await
            .says("email")
            .does_not_say("bug in the provider");
        workspace.plan().await.updates_only(USER, &["email", "locked_out"]);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}

/// The platform keeps "web service access only" in step with the identity type.
#[tokio::test]
async fn the_access_of_a_user_follows_its_identity_type() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let access = || simulator.only_record("sys_user")["web_service_access_only"].clone();
        let of = |kind: &str| user(&format!("  user_name = \"robot\"\n  identity_type = \"{kind}\""));
        let workspace = simulator.workspace(terraform, &of("human"));
        for (kind, only) in [("human", "false"), ("machine", "true"), ("ai_agent", "false")] {
            workspace.configure(&of(kind));
            workspace.terraform("apply").await.succeeds().does_not_say("not kept");
            assert_eq!(access(), only, "{kind}");
            workspace.plan_is_empty().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_text_that_is_too_long_for_its_column_tells_the_columns_length() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().quirks(|quirks| quirks.truncates = true);
        let long = |count| "n".repeat(count);
        let titled = |count| user(&format!("  user_name = \"robot\"\n  title = \"{}\"", long(count)));
        let workspace = simulator.workspace(terraform, &titled(61));

        workspace
            .terraform("apply")
            .await
            .says("the column can store 60 characters, and the instance cut off the rest")
            .does_not_say("bug in the provider");
        workspace.plan().await.does(USER, &["update"]);
        workspace.configure(&titled(60));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        workspace.configure(&user(&format!("  user_name = \"{}\"", long(41))));
        workspace.terraform("plan").await.fails_saying("at most 40 fit");
    })
    .await;
}

/// A name in another case, or with a blank around it, is the same to the instance.
#[tokio::test]
async fn another_case_of_a_name_replaces_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        instance.switches(|modes| modes.quirks.ignores_case = true);
        instance.put("sys_user", &[("user_name", "abcdef01-aaaa"), ("last_name", "T")]);
        let blocks = |user: &str, role: &str, table: &str| {
            format!(
                "resource \"servicenow_user_role\" \"this\" {{\n  user = \"{user}\"\n  role = \"{role}\"\n}}\n\
                 resource \"servicenow_table_access\" \"this\" {{\n  table = \"{table}\"\n  access = \"public\"\n}}\n"
            )
        };
        let workspace = simulator.workspace(terraform, &blocks("ABCDEF01-AAAA", "Itil ", "OAUTH_ENTITY"));
        workspace.terraform("apply").await.succeeds().says("2 added");
        workspace.plan_is_empty().await;

        for other in [
            blocks("abcdef01-aaaa", "itil", "oauth_entity"),
            blocks("Abcdef01-aaaa", "ITIL", "oauth_Entity "),
        ] {
            workspace.configure(&other);
            workspace.plan_is_empty().await;
        }

        let grant = workspace.state("servicenow_user_role.this").text("id");
        let address = "servicenow_user_role.this";
        workspace.terraform(&format!("state rm {address}")).await.succeeds();
        workspace.terraform_with(&["import", address, &grant]).await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}

/// An instance that removes the blanks around a text keeps another key than the one that was given.
#[tokio::test]
async fn a_blank_in_front_of_a_key_makes_no_second_record() {
    for_each_terraform(async |terraform| {
        for trims in [true, false] {
            let simulator = Simulator::start().await;
            let instance = simulator.instance();
            instance.switches(|modes| modes.quirks.trims = trims);
            let id = "11111111-2222-3333-4444-555555555555";
            let url = "https://login.microsoftonline.com/t/.well-known/openid-configuration";
            instance.put("oauth_oidc_entity", &[("name", "Inbound"), ("client_id", id)]);
            instance.put("oauth_entity", &[("name", "Outbound"), ("type", "oauth_provider"), ("client_id", "x")]);
            instance.put("sys_user", &[("user_name", "robot"), ("last_name", "R")]);
            instance.put("oidc_provider_configuration", &[("name", "Other"), ("oidc_url", url)]);
            let count = |table: &str| instance.records(table).len();
            let tables = ["oauth_oidc_entity", "oauth_entity", "sys_user", "oidc_provider_configuration"];
            let before = tables.map(count);
            let provider = |client_id: &str, more: &str| {
                format!(
                    "resource \"servicenow_oidc_provider\" \"this\" {{\n  name = \"Inbound\"\n  client_id = \"{client_id}\"\n  \
                     client_secret = \"s\"\n  {more}\n}}\n"
                )
            };
            let configuration = format!("configuration = {{ name = \"Entra\", metadata_url = \" {url}\" }}");
            for (block, message) in [
                (provider(&format!(" {id}"), &configuration), "The OIDC provider already exists"),
                (provider("2", &configuration), "The metadata address is already configured"),
                (
                    "resource \"servicenow_oauth_entity\" \"this\" {\n  name = \" Outbound\"\n  client_id = \" x\"\n}\n".into(),
                    "The registry entry already exists",
                ),
                (user("  user_name = \" robot\"\n"), "The user already exists"),
            ] {
                let workspace = simulator.workspace(terraform, &block);
                workspace.terraform("apply").await.fails_saying(message);
                assert_eq!(tables.map(count), before, "{block}");
            }

            let workspace = simulator.workspace(terraform, &user("  user_name = \" another\"\n"));
            workspace.terraform("apply").await.succeeds();
            assert_eq!(instance.find("sys_user", "user_name", "another").len(), 1);
            workspace.plan_is_empty().await;
        }
    })
    .await;
}

/// What only a new record could change, and the instance keeps otherwise, would be replaced at every apply, with the same result.
#[tokio::test]
async fn a_key_that_the_instance_changes_does_not_replace_the_record() {
    let all = r#"
        resource "servicenow_oauth_entity" "this" {
          name               = "Outbound"
          client_id          = "MyClient"
          default_grant_type = "client_credentials"
          client_secret      = "a-secret-of-it"
          token_url          = "https://login.example.com/token"
        }
        resource "servicenow_oidc_provider" "this" {
          name      = "Inbound"
          client_id = "api://Contoso/App"
          configuration = {
            name         = "Entra"
            metadata_url = "https://login.microsoftonline.com/t/.well-known/openid-configuration"
          }
        }
        resource "servicenow_cross_scope_privilege" "this" {
          source_scope = "x_mioms_m365_assis"
          target_scope = "global"
          target_name  = "ScriptInclude"
          target_type  = "scriptable"
          operation    = "execute"
          status       = "allowed"
        }
    "#;
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let application = simulator.instance().find("sys_store_app", "scope", APPLICATION)[0]["sys_id"].clone();
        simulator.instance().quirks(|quirks| {
            for (table, column) in [
                ("oauth_entity", "client_id"),
                ("oauth_oidc_entity", "client_id"),
                ("sys_scope_privilege", "target_name"),
            ] {
                quirks.lower_cased.insert((table.to_owned(), column.to_owned()));
            }
            quirks
                .beside
                .push(Beside::new("oauth_oidc_entity", "name", "sys_scope", &application));
        });
        let workspace = simulator.workspace(terraform, all);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("client_id was not kept")
            .says("sys_scope was not kept")
            .says("the next plan shows no change")
            .does_not_say("corrects it in place");
        workspace.plan_is_empty().await;

        // Another change is an update, and the value that the instance keeps is none.
        workspace.configure(
            &all.replace("\"Outbound\"", "\"Outbound 2\"")
                .replace("MyClient", "myclient"),
        );
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("0 added, 1 changed, 0 destroyed");
        workspace.plan_is_empty().await;

        // Another value is another record.
        workspace.configure(&all.replace("MyClient", "another"));
        workspace
            .plan()
            .await
            .does("servicenow_oauth_entity.this", &["delete", "create"]);
    })
    .await;
}

/// What tells records apart is the same to the instance in any case, so that another one replaces none that was imported.
#[tokio::test]
async fn another_case_of_what_forces_replacement_replaces_nothing_that_was_imported() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        instance.switches(|modes| modes.quirks.ignores_case = true);
        let application = instance.find("sys_store_app", "scope", "x_mioms_m365_assis")[0]["sys_id"].clone();
        let imported = [
            (
                "servicenow_cross_scope_privilege.this",
                instance.put(
                    "sys_scope_privilege",
                    &[
                        ("source_scope", application.as_str()),
                        ("target_scope", "global"),
                        ("target_name", "OAuth_Entity"),
                        ("target_type", "sys_db_object"),
                        ("operation", "read"),
                        ("status", "allowed"),
                    ],
                ),
            ),
            (
                "servicenow_oidc_provider.this",
                instance.put(
                    "oauth_oidc_entity",
                    &[
                        ("name", "P"),
                        ("client_id", "api://Contoso.example/Cases"),
                        ("oidc_provider_configuration", "11111111111111111111111111111111"),
                    ],
                ),
            ),
            (
                "servicenow_oauth_entity.this",
                instance.put(
                    "oauth_entity",
                    &[("name", "E"), ("client_id", "Copilot"), ("type", "oauth_provider")],
                ),
            ),
            (
                "servicenow_role.this",
                instance.put(
                    "sys_user_role",
                    &[
                        ("name", "X_Mioms_m365_assis.reader"),
                        ("suffix", "reader"),
                        ("sys_scope", application.as_str()),
                    ],
                ),
            ),
        ];
        let configuration = r#"
            resource "servicenow_cross_scope_privilege" "this" {
              source_scope = "X_MIOMS_m365_assis"
              target_scope = "Global"
              target_name  = "oauth_entity"
            }
            resource "servicenow_oidc_provider" "this" {
              name             = "P"
              client_id        = "api://contoso.example/cases"
              configuration_id = "11111111111111111111111111111111"
            }
            resource "servicenow_oauth_entity" "this" {
              name      = "E"
              client_id = "copilot"
            }
            resource "servicenow_role" "this" {
              name              = "x_mioms_m365_assis.Reader"
              application_scope = "X_mioms_m365_assis"
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);

        for (address, id) in &imported {
            workspace.terraform_with(&["import", address, id]).await.succeeds();
        }

        let plan = workspace.plan().await;
        for (address, _) in &imported {
            // The plan answers whether the provider's configuration is its own, and changes nothing else.
            let action = if address.contains("oidc_provider") {
                "update"
            } else {
                "no-op"
            };
            plan.does(address, &[action]);
        }
        plan.updates_only("servicenow_oidc_provider.this", &["owns_configuration"]);
    })
    .await;
}

/// An instance compares addresses as texts; two spellings of one are still the same.
#[tokio::test]
async fn an_address_that_exists_in_another_spelling_is_not_made_twice() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        instance.switches(|modes| {
            modes.unique_oidc_url = false;
            modes.quirks.ignores_case = true;
        });
        let rule = |start: &str, end: &str| {
            let columns = [
                ("range_start", start),
                ("range_end", end),
                ("direction", "0"),
                ("type", "allow"),
            ];
            instance.put("ip_access", &columns)
        };
        let metadata = "login.microsoftonline.com:443/t/.well-known/openid-configuration";
        let existing = [
            rule(
                "2001:0db8:0000:0000:0000:0000:0000:0001",
                "2001:0db8:0000:0000:0000:0000:0000:00ff",
            ),
            rule("2001:DB8:0:0:0:0:0:2", "2001:db8:0:0:0:0:0:ff"),
            instance.put(
                "oidc_provider_configuration",
                &[("name", "Theirs"), ("oidc_url", &format!("https://{metadata}"))],
            ),
        ];
        let simulator = simulator.starting_here();
        let configuration = |metadata: &str, start: &str| {
            format!(
                r#"
                resource "servicenow_oidc_configuration" "this" {{
                  name         = "Entra"
                  metadata_url = "https://{metadata}"
                }}
                resource "servicenow_ip_access_rule" "this" {{
                  type        = "allow"
                  direction   = "inbound"
                  range_start = "{start}"
                  range_end   = "2001:db8::ff"
                }}
                "#
            )
        };
        let plain = metadata.replace(":443", "");
        for (metadata, start, rule) in [
            (plain.clone(), "2001:db8::1", &existing[0]),
            (plain.replace("/t/", "/x/../t/"), "2001:db8::2", &existing[1]),
        ] {
            let workspace = simulator.workspace(terraform, &configuration(&metadata, start));

            workspace
                .terraform("apply")
                .await
                .fails_saying("The address rule already exists")
                .says(rule)
                .says("The OIDC configuration already exists")
                .says(&existing[2]);
            simulator.is_as_at_start();
        }
    })
    .await;
}
