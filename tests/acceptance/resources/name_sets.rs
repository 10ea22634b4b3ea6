//! Roles and groups that are listed by name, where the name is hidden, changed or spelled in another way.

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};

use crate::harness::{Simulator, for_each_terraform};

const ADDRESS: &str = "servicenow_integration_user.this";

fn with(lists: &str) -> String {
    format!("resource \"servicenow_integration_user\" \"this\" {{\n  user_name = \"robot\"\n  {lists}\n}}\n")
}

fn id_of(simulator: &Simulator, table: &str, name: &str) -> String {
    simulator.instance().find(table, "name", name)[0]["sys_id"].clone()
}

/// How many direct rows there are for a role.
fn grants(simulator: &Simulator, role: &str) -> usize {
    let rows = simulator.created("sys_user_has_role").into_iter();
    rows.filter(|row| row["role"] == role && row.get("inherited").is_none_or(|inherited| inherited != "true"))
        .count()
}

#[tokio::test]
async fn a_role_whose_own_row_is_hidden_is_not_taken_for_revoked() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &with("roles = [\"incident_manager\", \"catalog\"]"));
        workspace.terraform("apply").await.succeeds();
        let role = id_of(&simulator, "sys_user_role", "catalog");
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(role.clone());
        });

        workspace.plan_is_empty().await;
        let plan = workspace.terraform("plan").await;
        plan.succeeds().says("Could not check the role catalog").says(&role);

        workspace.configure(&with("roles = [\"incident_manager\"]"));
        workspace.plan().await.does(ADDRESS, &["update"]);
        let apply = workspace.terraform("apply").await;
        apply.fails_saying("Could not revoke the role catalog").says(&role);
        assert_eq!(grants(&simulator, &role), 1);
        workspace
            .state(ADDRESS)
            .has("roles", vec!["catalog", "incident_manager"]);
        workspace
            .terraform("destroy")
            .await
            .fails_saying("Could not revoke the role catalog");

        simulator.instance().switches(|modes| modes.hidden_rows.clear());
        workspace.terraform("apply").await.succeeds();
        assert_eq!(grants(&simulator, &role), 0);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_group_whose_only_row_is_hidden_is_not_taken_for_left() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &with("groups = [\"Hardware\"]"));
        workspace.terraform("apply").await.succeeds();
        let group = id_of(&simulator, "sys_user_group", "Hardware");
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(group.clone());
        });

        workspace.plan_is_empty().await;
        workspace.configure(&with("groups = []"));
        let apply = workspace.terraform("apply").await;
        apply.fails_saying("Could not remove the user from the group Hardware");
        assert_eq!(simulator.created("sys_user_grmember").len(), 1);
    })
    .await;
}

/// One membership is gone, so the list is looked at again, and the second look is empty for once.
#[tokio::test]
async fn a_second_look_takes_nothing_away_that_the_first_showed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let group = instance.put("sys_user_group", &[("name", "Night shift")]);
        let workspace = simulator.workspace(terraform, &with("groups = [\"Hardware\", \"Night shift\"]"));
        workspace.terraform("apply").await.succeeds();
        let row = instance.find("sys_user_grmember", "group", &group).remove(0);
        instance.remove("sys_user_grmember", &row["sys_id"]);
        let second = Matcher::table("sys_user_grmember").method(Method::GET).nth(2);
        instance.faults().next(second, Fault::EmptyList);

        workspace.terraform("apply -refresh-only").await.succeeds();

        workspace.state(ADDRESS).has("groups", vec!["Hardware"]);
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.created("sys_user_grmember").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_role_that_was_renamed_is_told_when_it_is_taken_off_the_list() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &with("roles = [\"incident_manager\", \"catalog\"]"));
        workspace.terraform("apply").await.succeeds();
        let role = id_of(&simulator, "sys_user_role", "catalog");
        let rename = |name: &str| {
            simulator.instance().change("sys_user_role", &role, &[("name", name)]);
        };
        rename("catalogue");

        // Under its new name it is the same role.
        workspace.configure(&with("roles = [\"incident_manager\", \"catalogue\"]"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("not revoked");
        assert_eq!(grants(&simulator, &role), 1);
        workspace.plan_is_empty().await;

        rename("products");
        let plan = workspace.terraform("plan").await;
        plan.succeeds()
            .says("Could not check the role catalogue")
            .says("products");
        workspace.configure(&with("roles = [\"incident_manager\"]"));
        let apply = workspace.terraform("apply").await;
        apply
            .succeeds()
            .says("The role catalogue was not revoked")
            .says("products");
        workspace.plan_is_empty().await;

        rename("catalog");
        workspace.terraform("destroy").await.succeeds();
    })
    .await;
}

#[tokio::test]
async fn an_import_tells_which_roles_it_could_not_list() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &with("roles = [\"incident_manager\", \"catalog\"]"));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let role = id_of(&simulator, "sys_user_role", "catalog");
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(role.clone());
        });
        workspace.terraform(&format!("state rm {ADDRESS}")).await.succeeds();

        let import = workspace.terraform(&format!("import {ADDRESS} {id}")).await;

        import.succeeds().says("Not every role could be listed").says(&role);
        workspace.state(ADDRESS).has("roles", vec!["incident_manager"]);
    })
    .await;
}

/// As on Zurich and later: the platform puts a user into its own group when roles are given.
#[tokio::test]
async fn a_group_of_the_platform_is_neither_imported_nor_left() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let id = instance.put("sys_user", &[("user_name", "robot"), ("last_name", "robot")]);
        let own = instance.put(
            "sys_user_group",
            &[("name", "Conditional Script Writer"), ("active", "true")],
        );
        for group in [&own, &id_of(&simulator, "sys_user_group", "Hardware")] {
            instance.put("sys_user_grmember", &[("user", &id), ("group", group)]);
        }
        let workspace = simulator.workspace(terraform, &with("groups = [\"Hardware\"]"));

        workspace.terraform_with(&["import", ADDRESS, &id]).await.succeeds();

        workspace.state(ADDRESS).has("groups", vec!["Hardware"]);
        for body in ["title = \"changed\"", "groups = []\n title = \"changed\""] {
            workspace.configure(&with(body));
            workspace
                .terraform("apply")
                .await
                .succeeds()
                .does_not_say("Script Writer");
            workspace.plan_is_empty().await;
        }
        assert_eq!(instance.find("sys_user_grmember", "group", &own).len(), 1);
    })
    .await;
}

/// Who granted it is known by what the name stands for.
#[tokio::test]
async fn a_role_in_another_spelling_is_still_the_one_that_was_granted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().quirks(|quirks| quirks.ignores_case = true);
        let workspace = simulator.workspace(terraform, &with("roles = [\"catalog\"]"));
        workspace.terraform("apply").await.succeeds();
        workspace.state(ADDRESS).has("granted_roles", vec!["catalog"]);

        workspace.configure(&with("roles = [\"Catalog\"]"));
        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("roles", vec!["Catalog"])
            .has("granted_roles", vec!["Catalog"]);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A name that another record has since means the one of which the user is a member.
#[tokio::test]
async fn a_group_whose_name_another_one_has_since_is_left() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().put("sys_user_group", &[("name", "Night shift")]);
        let workspace = simulator.workspace(terraform, &with("groups = [\"Night shift\"]"));
        workspace.terraform("apply").await.succeeds();
        simulator.instance().put("sys_user_group", &[("name", "Night shift")]);

        workspace.configure(&with("groups = []"));
        workspace.terraform("apply").await.succeeds();

        assert_eq!(simulator.instance().records("sys_user_grmember"), []);
        workspace.plan_is_empty().await;
    })
    .await;
}
