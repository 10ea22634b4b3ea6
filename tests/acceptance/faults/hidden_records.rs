//! What the account may no longer read is not gone: the state stays, nothing is made twice, and no destroy is green.

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{Operation, Refusal};

use crate::harness::configurations::{ENTITY, GROUP, PRIVILEGE, PROVIDER, ROLE, RULE, USER};
use crate::harness::{Simulator, for_each_terraform};

const GRANT: &str = r#"
    resource "servicenow_user_role" "this" {
      user = "abel.tuter"
      role = "x_mioms_m365_assis.administrator"
    }
"#;

const ACCESS: &str = r#"
    resource "servicenow_table_access" "this" {
      table       = "oauth_entity"
      read_access = false
    }
"#;

/// Configurations of application files, their addresses and tables.
const FILES: [(&str, &str, &str); 3] = [
    (ENTITY, "servicenow_oauth_entity.this", "oauth_entity"),
    (PROVIDER, "servicenow_oidc_provider.this", "oauth_oidc_entity"),
    (
        PRIVILEGE,
        "servicenow_cross_scope_privilege.this",
        "sys_scope_privilege",
    ),
];

#[tokio::test]
async fn a_row_that_is_hidden_is_not_gone() {
    for_each_terraform(async |terraform| {
        for (configuration, address, tables) in [
            (ENTITY, "servicenow_oauth_entity.this", &["oauth_entity"][..]),
            (
                PROVIDER,
                "servicenow_oidc_provider.this",
                &["oauth_oidc_entity", "oidc_provider_configuration"],
            ),
            (
                USER,
                "servicenow_integration_user.this",
                &["sys_user", "sys_user_has_role", "sys_user_grmember"],
            ),
            (GRANT, "servicenow_user_role.this", &["sys_user_has_role"]),
            (RULE, "servicenow_ip_access_rule.this", &["ip_access"]),
            (
                PRIVILEGE,
                "servicenow_cross_scope_privilege.this",
                &["sys_scope_privilege"],
            ),
            (ACCESS, "servicenow_table_access.this", &["sys_db_object"]),
            (
                GROUP,
                "servicenow_group.this",
                &["sys_user_group", "sys_group_has_role", "sys_user_grmember"],
            ),
            (
                ROLE,
                "servicenow_role.this",
                &["sys_user_role", "sys_user_role_contains"],
            ),
        ] {
            let simulator = Simulator::start().await;
            let workspace = simulator.workspace(terraform, configuration);
            workspace.terraform("apply").await.succeeds();
            let id = workspace.state(address).text("id");
            let records_of = |table: &str| match table {
                "sys_db_object" => simulator.instance().find(table, "name", "oauth_entity"),
                _ => simulator.created(table),
            };
            for table in tables {
                let records = records_of(table);
                let hidden = records.iter().map(|record| record["sys_id"].clone());
                simulator.instance().switches(|modes| modes.hidden_rows.extend(hidden));
                let before = simulator.instance().fingerprint();
                let mut commands = vec!["plan", "apply -refresh-only", "destroy"];
                if *table == tables[0] {
                    commands.push("destroy -refresh=false");
                }
                for command in commands {
                    let run = workspace.terraform(command).await;
                    run.fails_saying("may not read").says(table).says(address);
                    if *table == tables[0] {
                        run.says(&id);
                    }
                }
                workspace.state(address);
                assert_eq!(simulator.instance().fingerprint(), before, "{address}: {table}");
                simulator.instance().switches(|modes| modes.hidden_rows.clear());
                workspace.plan_is_empty().await;
            }
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// A business rule takes the rows of a table out of its lists and out of their count. It does not run on a query of the table
/// that all application files have in common.
#[tokio::test]
async fn an_application_file_that_its_table_does_not_even_count_is_not_gone() {
    for_each_terraform(async |terraform| {
        let of_provider = (PROVIDER, "servicenow_oidc_provider.this", "oidc_provider_configuration");
        for (configuration, address, table) in FILES.into_iter().chain([of_provider]) {
            let simulator = Simulator::start().await;
            let workspace = simulator.workspace(terraform, configuration);
            workspace.terraform("apply").await.succeeds();
            simulator
                .instance()
                .quirks(|quirks| _ = quirks.uncounted_tables.insert(table.to_owned()));
            let before = simulator.instance().fingerprint();

            for command in ["plan", "apply -refresh-only", "destroy", "destroy -refresh=false"] {
                let run = workspace.terraform(command).await;
                run.fails_saying("which sys_metadata has too, but does not show it to the account")
                    .says(table)
                    .says(address);
            }
            workspace.state(address);
            assert_eq!(simulator.instance().fingerprint(), before, "{address}: {table}");

            simulator.instance().quirks(|quirks| quirks.uncounted_tables.clear());
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// A destroy that keeps the user revokes its roles first as well.
#[tokio::test]
async fn a_hidden_user_keeps_its_roles_when_it_cannot_be_deactivated() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let deactivated = USER.replace("user_name =", "deletion_policy = \"deactivate\"\n      user_name =");
        let workspace = simulator.workspace(terraform, &deactivated);
        workspace.terraform("apply").await.succeeds();
        let user = workspace.state("servicenow_integration_user.this").text("id");
        let before = simulator.instance().fingerprint();
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(user.clone());
        });

        workspace
            .terraform("destroy -refresh=false")
            .await
            .fails_saying("Could not deactivate the user")
            .says("may not read")
            .says(&user);

        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

#[tokio::test]
async fn a_table_that_is_closed_is_not_empty() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, ENTITY);
        workspace.terraform("apply").await.succeeds();
        simulator.instance().switches(|modes| {
            let reads = ("oauth_entity".to_owned(), Operation::Read);
            modes.table_roles.insert(reads, Vec::new());
        });

        for command in ["plan", "apply -refresh-only", "destroy"] {
            let run = workspace.terraform(command).await;
            run.fails_saying("oauth_entity refused the read")
                .says("servicenow_oauth_entity.this");
        }

        workspace.state("servicenow_oauth_entity.this");
        assert_eq!(simulator.created("oauth_entity").len(), 1);
    })
    .await;
}

/// The state is lost, and the record is hidden: the key is not free.
#[tokio::test]
async fn a_create_does_not_double_a_hidden_record() {
    for_each_terraform(async |terraform| {
        for (configuration, address, table) in FILES {
            let simulator = Simulator::start().await;
            let workspace = simulator.workspace(terraform, configuration);
            workspace.terraform("apply").await.succeeds();
            workspace.terraform(&format!("state rm {address}")).await.succeeds();
            let hidden = simulator.created(table)[0]["sys_id"].clone();
            simulator
                .instance()
                .switches(|modes| _ = modes.hidden_rows.insert(hidden));

            workspace.terraform("apply").await.fails_saying("may not read");
            assert_eq!(simulator.created(table).len(), 1, "{table}");

            // A rule that keeps the rows from the account keeps them out of the count too.
            simulator.instance().switches(|modes| {
                modes.hidden_rows.clear();
                modes.quirks.uncounted_tables.insert(table.to_owned());
            });
            workspace
                .terraform("apply")
                .await
                .fails_saying("has records, which sys_metadata has too, but shows none of them");
            assert_eq!(simulator.created(table).len(), 1, "{table}");
        }
    })
    .await;
}

/// The instance takes for equal what differs in case or in blanks at the end only.
#[tokio::test]
async fn a_create_does_not_double_a_record_whose_key_is_spelled_differently() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().switches(|modes| modes.quirks.ignores_case = true);
        let twin = simulator
            .instance()
            .put("sys_user", &[("user_name", "ROBOT"), ("last_name", "R")]);
        let workspace = simulator.workspace(terraform, USER);

        let apply = workspace.terraform("apply").await;

        apply
            .fails_saying("The user already exists")
            .says(&twin)
            .says("differs only in case or trailing blanks")
            .says("terraform import");
        assert_eq!(simulator.instance().find("sys_user", "user_name", "robot").len(), 0);
    })
    .await;
}

/// A business rule that hides a table takes its rows out of the count as well. No instance is without tables, roles and
/// applications, so that none is shown proves nothing.
#[tokio::test]
async fn a_table_that_shows_nothing_where_every_instance_has_rows_is_hidden() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = r#"
            resource "servicenow_table_access" "this" {
              table       = "oauth_entity"
              read_access = false
            }
            resource "servicenow_user_role" "this" {
              user = "abel.tuter"
              role = "itil"
            }
        "#;
        let row = simulator
            .instance()
            .find("sys_db_object", "name", "oauth_entity")
            .remove(0);
        simulator
            .instance()
            .change("sys_db_object", &row["sys_id"], &[("read_access", "true")]);
        let workspace = simulator.workspace(terraform, configuration);
        workspace.terraform("apply").await.succeeds();
        let hide = |tables: &[&str]| {
            let tables = tables.iter().map(|table| (*table).to_owned()).collect();
            simulator
                .instance()
                .switches(|modes| modes.quirks.uncounted_tables = tables);
        };

        hide(&["sys_db_object"]);
        workspace
            .terraform("destroy")
            .await
            .fails_saying("sys_db_object has records on every instance, but shows none of them to the account");
        workspace
            .state("servicenow_table_access.this")
            .has("id", row["sys_id"].as_str());
        // The account itself is a user, and has roles.
        hide(&[]);
        let user = simulator.workspace(
            terraform,
            "resource \"servicenow_integration_user\" \"this\" {\n  user_name = \"robot\"\n}\n",
        );
        user.terraform("apply").await.succeeds();
        for (workspace, table) in [(&workspace, "sys_user_has_role"), (&user, "sys_user")] {
            let addresses = workspace.addresses();
            hide(&[table]);
            workspace.terraform("apply -refresh-only").await.fails_saying(&format!(
                "{table} has records on every instance, but shows none of them to the account"
            ));
            assert_eq!(workspace.addresses(), addresses);
        }
        hide(&[]);
        user.terraform("destroy").await.succeeds();
        // Whoever names the table.
        let of_any_table = r#"
            resource "servicenow_record" "this" {
              table  = "sys_user_group"
              fields = { name = "Acme" }
            }
        "#;
        let group = simulator.workspace(terraform, of_any_table);
        hide(&[]);
        group.terraform("apply").await.succeeds();
        hide(&["sys_user_group"]);
        let read = r#"
            data "servicenow_records" "this" {
              table = "sys_user_group"
            }
        "#;
        for configuration in [of_any_table, read] {
            group.configure(configuration);
            group
                .terraform("plan")
                .await
                .fails_saying("sys_user_group has records on every instance, but shows none of them to the account");
        }
        group.configure(of_any_table);
        hide(&[]);
        group.terraform("destroy").await.succeeds();

        hide(&["sys_user_role"]);
        workspace.configure(&configuration.replace("itil", "knowledge"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("sys_user_role has records on every instance, but shows none of them to the account");
        hide(&[]);
        workspace.terraform("destroy").await.succeeds();
        let row = simulator
            .instance()
            .find("sys_db_object", "name", "oauth_entity")
            .remove(0);
        assert_eq!(row["read_access"], "true");
    })
    .await;
}

/// Instances take inactive users out of what other than administrators see, and out of the count.
#[tokio::test]
async fn an_inactive_user_may_be_hidden_from_the_count_too() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = r#"
            resource "servicenow_integration_user" "this" {
              user_name = "robot"
              active    = false
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);
        workspace.terraform("apply").await.succeeds();
        let robot = simulator.created("sys_user")[0]["sys_id"].clone();
        simulator
            .instance()
            .switches(|modes| _ = modes.quirks.uncounted_rows.insert(robot.clone()));

        let run = workspace.terraform("plan").await;
        run.fails_saying("it may still exist").says(&robot);
        workspace
            .terraform("destroy -refresh=false")
            .await
            .fails_saying("Could not delete the user")
            .says("it may still exist");
        workspace
            .state("servicenow_integration_user.this")
            .has("id", robot.as_str());

        // An account that sees another inactive user would see this one.
        let other = [("user_name", "another"), ("last_name", "R"), ("active", "false")];
        simulator.instance().put("sys_user", &other);
        workspace.terraform("plan").await.succeeds().says("1 to add");
    })
    .await;
}

/// An insert of which nobody knows whether it happened made nothing that the account could see: the next apply goes on.
#[tokio::test]
async fn a_lost_insert_of_an_inactive_user_ends() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = r#"
            resource "servicenow_integration_user" "this" {
              user_name = "robot"
              active    = false
            }
        "#;
        let faults = simulator.instance().faults();
        let inserts = || Matcher::table("sys_user").method(Method::POST);
        let workspace = simulator.workspace(terraform, configuration);
        faults.every(inserts(), Fault::CutBefore);
        workspace
            .terraform("apply")
            .await
            .fails_saying("It is not known whether the insert into sys_user happened");
        faults.clear();
        let id = workspace.state("servicenow_integration_user.this").text("id");

        let run = workspace.terraform("apply").await;
        run.succeeds().says("The user may exist").says(&id);
        assert_eq!(simulator.created("sys_user").len(), 1);
        workspace.plan_is_empty().await;
        workspace
            .terraform("destroy")
            .await
            .succeeds()
            .does_not_say("may exist");

        // What was seen once is not given up for its being hidden later.
        let workspace = simulator.workspace(terraform, configuration);
        faults.times(inserts(), Fault::CutAfter, 1);
        let looks = Matcher::table("sys_user").method(Method::GET);
        faults.every(looks, Fault::ServerError(503));
        workspace.terraform("apply").await.fails_saying("It is not known");
        faults.clear();
        workspace
            .terraform("untaint servicenow_integration_user.this")
            .await
            .succeeds();
        workspace.terraform("apply").await.succeeds();
        let robot = simulator.created("sys_user")[0]["sys_id"].clone();
        simulator
            .instance()
            .switches(|modes| _ = modes.quirks.uncounted_rows.insert(robot));
        workspace.terraform("plan").await.fails_saying("it may still exist");
    })
    .await;
}

/// A user that somebody made inactive disappears from such an account. Nothing tells that from a removal, so it is said.
#[tokio::test]
async fn a_user_that_may_have_become_inactive_is_told_of() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = r#"resource "servicenow_integration_user" "this" { user_name = "robot" }"#;
        let workspace = simulator.workspace(terraform, user);
        workspace.terraform("apply").await.succeeds();
        let robot = simulator.created("sys_user")[0]["sys_id"].clone();
        simulator.instance().change("sys_user", &robot, &[("active", "false")]);
        simulator
            .instance()
            .switches(|modes| _ = modes.quirks.uncounted_rows.insert(robot.clone()));

        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("The user may still exist")
            .says(&robot);
        for refusal in [Refusal::Forbidden, Refusal::BadRequest] {
            simulator.instance().switches(|modes| modes.duplicate = refusal);
            workspace
                .terraform("apply")
                .await
                .fails_saying("Could not create the user")
                .says("Or there is already a user with this key")
                .says("the account sees no inactive user at all");
        }
        assert_eq!(simulator.instance().find("sys_user", "user_name", "robot").len(), 1);
    })
    .await;
}
