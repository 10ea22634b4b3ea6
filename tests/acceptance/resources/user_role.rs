//! `servicenow_user_role`: one role of a user who already exists.

use servicenow_simulator::instance::Beside;

use crate::harness::configurations::replaced_after_creation;
use crate::harness::{Imports, Simulator, for_each_terraform, removal_is_corrected};

const GRANT: &str = r#"
    resource "servicenow_user_role" "person" {
      user = "abel.tuter"
      role = "x_mioms_m365_assis.administrator"
    }
"#;
const ADDRESS: &str = "servicenow_user_role.person";

fn role(simulator: &Simulator, name: &str) -> String {
    simulator.instance().find("sys_user_role", "name", name)[0]["sys_id"].clone()
}

/// The rows of a user: role and whether it is inherited.
fn rows(simulator: &Simulator, user: &str) -> Vec<(String, bool)> {
    let rows = simulator.instance().find("sys_user_has_role", "user", user);
    rows.iter()
        .map(|row| {
            let role = simulator.instance().record("sys_user_role", &row["role"]).unwrap();
            (role["name"].clone(), row["inherited"] == "true")
        })
        .collect()
}

fn has(simulator: &Simulator, user: &str, role: &str, inherited: bool) -> bool {
    rows(simulator, user).contains(&(role.to_owned(), inherited))
}

#[tokio::test]
async fn a_role_is_granted_and_taken_away() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let workspace = simulator.workspace(terraform, GRANT);

        workspace.terraform("apply").await.succeeds();

        assert!(has(&simulator, &user, "x_mioms_m365_assis.administrator", false));
        workspace
            .state(ADDRESS)
            .has("user", "abel.tuter")
            .has("user_id", user.as_str())
            .has("role_id", role(&simulator, "x_mioms_m365_assis.administrator"));
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(rows(&simulator, &user), []);
    })
    .await;
}

#[tokio::test]
async fn keys_are_taken_in_place_of_names() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (user, role) = (simulator.person("abel.tuter"), role(&simulator, "itil"));
        let workspace = simulator.workspace(
            terraform,
            &format!("resource \"servicenow_user_role\" \"person\" {{\n  user = {user:?}\n  role = {role:?}\n}}"),
        );

        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("user", user.as_str())
            .has("user_id", user.as_str());
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn another_user_or_role_is_another_grant() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let workspace = simulator.workspace(terraform, GRANT);
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&GRANT.replace("administrator", "insights_user"));
        let plan = workspace.plan().await;
        plan.does(ADDRESS, &["delete", "create"])
            .replaces_because_of(ADDRESS, &["role"]);
        workspace.terraform("apply").await.succeeds();

        assert_eq!(
            rows(&simulator, &user),
            [("x_mioms_m365_assis.insights_user".to_owned(), false)]
        );
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_is_gone_or_does_not_work_is_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let workspace = simulator.workspace(terraform, GRANT);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");

        simulator
            .instance()
            .change("sys_user_has_role", &id, &[("state", "requested")]);
        workspace.plan().await.does(ADDRESS, &["create"]);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(
            simulator.instance().record("sys_user_has_role", &id).unwrap()["state"],
            "active"
        );
        // Nobody had the role by that row, so a destroy revokes it.
        workspace.state(ADDRESS).has("granted", true);

        removal_is_corrected(&workspace, ADDRESS, |id| {
            simulator.instance().remove("sys_user_has_role", id);
        })
        .await;
        assert!(has(&simulator, &user, "x_mioms_m365_assis.administrator", false));
    })
    .await;
}

#[tokio::test]
async fn a_role_that_is_inherited_as_well_is_forgotten_and_not_deleted() {
    for_each_terraform(async |terraform| {
        for legacy in [false, true] {
            let simulator = Simulator::start().await;
            simulator.instance().switches(|modes| modes.legacy_role_rows = legacy);
            let user = simulator.person("abel.tuter");
            let desk = simulator.instance().find("sys_user_group", "name", "Service Desk")[0]["sys_id"].clone();
            let member = [("user", user.as_str()), ("group", desk.as_str())];
            simulator.instance().put("sys_user_grmember", &member);
            assert!(has(&simulator, &user, "itil", true));
            let itil = GRANT.replace("x_mioms_m365_assis.administrator", "itil");
            let workspace = simulator.workspace(terraform, &itil);

            workspace.terraform("apply").await.succeeds();
            workspace.plan_is_empty().await;
            assert!(has(&simulator, &user, "itil", false));

            workspace.terraform("destroy").await.succeeds();
            assert!(
                has(&simulator, &user, "itil", true),
                "legacy {legacy}: {:?}",
                rows(&simulator, &user)
            );
            assert!(!has(&simulator, &user, "itil", false));
        }
    })
    .await;
}

/// The direct grant was taken away by hand, and a group gives the role as well: the row that is left is the group's.
#[tokio::test]
async fn a_row_that_the_platform_derives_by_now_is_not_removed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let itil = GRANT.replace("x_mioms_m365_assis.administrator", "itil");
        let workspace = simulator.workspace(terraform, &itil);
        workspace.terraform("apply").await.succeeds();
        let desk = simulator.instance().find("sys_user_group", "name", "Service Desk")[0]["sys_id"].clone();
        let member = [("user", user.as_str()), ("group", desk.as_str())];
        simulator.instance().put("sys_user_grmember", &member);
        let grants = simulator.instance().find("sys_user_has_role", "user", &user);
        let itil = role(&simulator, "itil");
        let row = grants.iter().find(|row| row["role"] == itil).unwrap()["sys_id"].clone();
        simulator
            .instance()
            .change("sys_user_has_role", &row, &[("inherited", "true")]);
        assert!(has(&simulator, &user, "itil", true));
        simulator.instance().clear_requests();

        workspace.terraform("destroy").await.succeeds();

        let requests = simulator.instance().requests();
        let removed = requests.iter().find(|request| request.method == "DELETE");
        assert!(removed.is_none(), "{removed:?}");
        assert!(has(&simulator, &user, "itil", true));
    })
    .await;
}

#[tokio::test]
async fn a_role_that_can_only_be_inherited_counts_as_granted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let desk = simulator.instance().find("sys_user_group", "name", "Service Desk")[0]["sys_id"].clone();
        let member = [("user", user.as_str()), ("group", desk.as_str())];
        simulator.instance().put("sys_user_grmember", &member);
        simulator
            .instance()
            .switches(|modes| modes.grants_need_elevation = true);
        let itil = GRANT.replace("x_mioms_m365_assis.administrator", "itil");
        let workspace = simulator.workspace(terraform, &itil);

        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();

        assert!(has(&simulator, &user, "itil", true));
    })
    .await;
}

#[tokio::test]
async fn names_that_do_not_exist_and_refused_grants_are_errors_with_a_place() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &GRANT.replace("abel.tuter", "nobody"));

        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not find the user")
            .says("no record named \"nobody\"")
            .says("user = \"nobody\"");
        workspace.configure(&GRANT.replace("administrator", "administrater"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("did you mean \"x_mioms_m365_assis.administrator\"");

        simulator
            .instance()
            .switches(|modes| modes.grants_need_elevation = true);
        workspace.configure(GRANT);
        workspace
            .terraform("apply")
            .await
            .fails_saying("No right to grant the role")
            .says("elevated security_admin");
        assert!(workspace.addresses().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_grant_is_imported_by_key_by_columns_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let administrator = role(&simulator, "x_mioms_m365_assis.administrator");
        let row = [("user", user.as_str()), ("role", administrator.as_str())];
        let id = simulator.instance().put("sys_user_has_role", &row);
        let workspace = simulator.workspace(terraform, GRANT);
        Imports {
            address: ADDRESS,
            configuration: GRANT,
            identity: ("sys_id", &id),
            targets: &[
                &id,
                "user=abel.tuter^role=x_mioms_m365_assis.administrator",
                &format!("role={administrator}"),
            ],
            state: &[("id", &id)],
            refused: &[("user=nobody", "no record named \"nobody\"")],
        }
        .round_trip(terraform, &workspace)
        .await;
    })
    .await;
}

#[tokio::test]
async fn grants_are_listed_with_the_names_of_user_and_role() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", "terraform query") {
            return;
        }
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, GRANT);
        workspace.terraform("apply").await.succeeds();
        workspace.write(
            "all.tfquery.hcl",
            r#"
                list "servicenow_user_role" "all" {
                  provider = servicenow
                  config {
                    query = "role.name=x_mioms_m365_assis.administrator"
                  }
                }
            "#,
        );

        workspace
            .terraform("query")
            .await
            .succeeds()
            .says("abel.tuter: x_mioms_m365_assis.administrator");
    })
    .await;
}

/// Terraform removes the former object after its successor was created, which has taken over what it found.
#[tokio::test]
async fn a_role_stays_that_a_successor_of_the_same_apply_grants() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let workspace = simulator.workspace(terraform, &replaced_after_creation(GRANT, "1"));
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&replaced_after_creation(GRANT, "2"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The role was not revoked")
            .says("Another resource of this apply");

        assert!(has(&simulator, &user, "x_mioms_m365_assis.administrator", false));
        workspace.plan_is_empty().await;
    })
    .await;
}

/// A rule that grants another role than was asked for: that one is taken back, and the error says why.
#[tokio::test]
async fn a_role_that_the_instance_exchanges_is_not_kept() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.person("abel.tuter");
        let admin = role(&simulator, "admin");
        simulator.instance().quirks(|quirks| {
            quirks
                .beside
                .push(Beside::new("sys_user_has_role", "role", "role", &admin));
        });
        let workspace = simulator.workspace(terraform, GRANT);
        let before = rows(&simulator, &user);

        workspace
            .terraform("apply")
            .await
            .fails_saying("did not keep the link")
            .says("A business rule of sys_user_has_role chooses another record");
        assert_eq!(rows(&simulator, &user), before);
        assert!(workspace.addresses().is_empty());
    })
    .await;
}

/// Whoever imports a user with its roles, and one of the grants as well, hears that two resources manage it, once.
#[tokio::test]
async fn a_role_that_an_imported_user_lists_as_well_is_managed_twice() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = simulator.instance().put("sys_user", &[("user_name", "robot")]);
        let grants = ["itil", "catalog"].map(|name| {
            let cells = [("user", user.as_str()), ("role", &role(&simulator, name))];
            simulator.instance().put("sys_user_has_role", &cells)
        });
        let configuration = |listed: &str| {
            format!(
                r#"
                resource "servicenow_integration_user" "this" {{
                  user_name = "robot"
                  roles     = [{listed}]
                }}
                resource "servicenow_user_role" "this" {{
                  user = "robot"
                  role = "itil"
                }}
                "#
            )
        };
        let workspace = simulator.workspace(terraform, &configuration("\"catalog\", \"itil\""));
        for (address, id) in [
            ("servicenow_integration_user.this", &user),
            ("servicenow_user_role.this", &grants[0]),
        ] {
            workspace.terraform_with(&["import", address, id]).await.succeeds();
        }

        let plan = workspace.terraform("plan").await;
        plan.says("The role is managed twice")
            .says(&format!("The role itil of the record {user}"));
        assert_eq!(plan.words().matches("managed twice").count(), 1, "{}", plan.output());

        workspace.configure(&configuration("\"catalog\""));
        workspace.terraform("plan").await.does_not_say("managed twice");
    })
    .await;
}
