//! `servicenow_group`: a group, its roles and its members.

use std::collections::BTreeSet;

use servicenow_simulator::instance::Record;

use crate::harness::{Drift, Imports, Simulator, destroy_finds_it_removed, for_each_terraform, removal_is_corrected};

const ADDRESS: &str = "servicenow_group.this";

fn group(body: &str) -> String {
    format!("resource \"servicenow_group\" \"this\" {{\n  name = \"Copilot readers\"\n  {body}\n}}\n")
}

const WHOLE: &str = r#"
    resource "servicenow_group" "this" {
      name        = "Copilot readers"
      description = "Who may read articles"
      email       = "readers@contoso.com"
      manager     = "abel.tuter"
      parent      = "Hardware"
      roles       = ["knowledge", "catalog"]
      members     = ["abel.tuter", "beth.anglin"]
    }
"#;

const CHANGED: &str = r#"
    resource "servicenow_group" "this" {
      name        = "Readers"
      description = ""
      manager     = "beth.anglin"
      parent      = ""
      active      = false
      roles       = ["knowledge"]
      members     = ["beth.anglin"]
    }
"#;

fn id_of(simulator: &Simulator, table: &str, name: &str) -> String {
    simulator.instance().find(table, "name", name)[0]["sys_id"].clone()
}

/// What the rows of a table link the group to, by name.
fn linked(simulator: &Simulator, table: &str, column: &str, names: [&str; 2]) -> Vec<String> {
    let instance = simulator.instance();
    let group = id_of(simulator, "sys_user_group", "Copilot readers");
    let rows = instance.find(table, "group", &group).into_iter();
    let direct = rows.filter(|row| row.get("granted_by").is_none_or(String::is_empty));
    let name = |row: Record| instance.record(names[0], &row[column]).unwrap()[names[1]].clone();
    direct.map(name).collect::<BTreeSet<String>>().into_iter().collect()
}

fn roles(simulator: &Simulator) -> Vec<String> {
    linked(simulator, "sys_group_has_role", "role", ["sys_user_role", "name"])
}

fn members(simulator: &Simulator) -> Vec<String> {
    linked(simulator, "sys_user_grmember", "user", ["sys_user", "user_name"])
}

fn join(simulator: &Simulator, user: &str, group: &str) -> String {
    let (user, group) = (simulator.person(user), id_of(simulator, "sys_user_group", group));
    simulator
        .instance()
        .put("sys_user_grmember", &[("user", &user), ("group", &group)])
}

#[tokio::test]
async fn a_group_lives_from_creation_to_removal() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, WHOLE);
        let abel = simulator.person("abel.tuter");
        let hardware = id_of(&simulator, "sys_user_group", "Hardware");

        workspace.terraform("apply").await.succeeds_without_warning();

        let record = simulator.only_record("sys_user_group");
        let cells =
            ["name", "description", "email", "manager", "parent", "active"].map(|column| record[column].as_str());
        assert_eq!(
            cells,
            [
                "Copilot readers",
                "Who may read articles",
                "readers@contoso.com",
                &abel,
                &hardware,
                "true"
            ]
        );
        assert_eq!(roles(&simulator), ["catalog", "knowledge"]);
        assert_eq!(members(&simulator), ["abel.tuter", "beth.anglin"]);
        workspace
            .state(ADDRESS)
            .has("id", record["sys_id"].clone())
            .has("manager", "abel.tuter")
            .has("manager_id", abel.clone())
            .has("parent_id", hardware)
            .has("granted_roles", vec!["catalog", "knowledge"])
            .has("added_members", vec!["abel.tuter", "beth.anglin"]);
        workspace.plan_is_empty().await;
        // Members have what the group has.
        let grants = simulator.instance().find("sys_user_has_role", "user", &abel);
        assert!(
            grants
                .iter()
                .any(|grant| grant["role"] == id_of(&simulator, "sys_user_role", "knowledge")
                    && grant["inherited"] == "true")
        );

        workspace.configure(CHANGED);
        workspace.plan().await.updates_only(
            ADDRESS,
            &[
                "active",
                "added_members",
                "description",
                "granted_roles",
                "manager",
                "manager_id",
                "members",
                "name",
                "parent",
                "parent_id",
                "roles",
            ],
        );
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
        let changed = simulator.only_record("sys_user_group");
        let cells =
            ["sys_id", "name", "description", "email", "parent", "active"].map(|column| changed[column].as_str());
        assert_eq!(
            cells,
            [&record["sys_id"], "Readers", "", "readers@contoso.com", "", "false"]
        );
        assert_eq!(simulator.count("sys_group_has_role"), 1);
        assert_eq!(simulator.count("sys_user_grmember"), 1);
        workspace.state(ADDRESS).has("parent", "").lacks("parent_id");
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn drift_of_a_group_is_planned_back_and_removal_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let workspace = simulator.workspace(terraform, WHOLE);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let beth = simulator.person("beth.anglin");
        let gone = |table: &str, column: &str, wanted: &str| {
            let rows = simulator.created(table);
            let row = rows.into_iter().find(|row| row[column] == wanted).unwrap();
            instance.remove(table, &row["sys_id"]);
        };
        gone("sys_user_grmember", "user", &beth);
        gone(
            "sys_group_has_role",
            "role",
            &id_of(&simulator, "sys_user_role", "catalog"),
        );
        let soap = id_of(&simulator, "sys_user_role", "soap");
        instance.put("sys_group_has_role", &[("group", &id), ("role", &soap)]);
        // What gives the members nothing is no grant.
        let knowledge = id_of(&simulator, "sys_user_role", "knowledge");
        let rows = instance.find("sys_group_has_role", "group", &id);
        let row = rows.iter().find(|row| row["role"] == knowledge).unwrap();
        instance.change("sys_group_has_role", &row["sys_id"], &[("inherits", "false")]);

        Drift {
            address: ADDRESS,
            changes: &[(
                "sys_user_group",
                &id,
                &[
                    ("name", "Somebody's"),
                    ("description", ""),
                    ("email", "other@contoso.com"),
                    ("manager", &beth),
                    ("parent", ""),
                    ("active", "false"),
                ],
            )],
            planned: &[
                "active",
                "added_members",
                "description",
                "email",
                "granted_roles",
                "manager",
                "manager_id",
                "members",
                "name",
                "parent",
                "parent_id",
                "roles",
            ],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        assert_eq!(roles(&simulator), ["catalog", "knowledge", "soap"]);
        assert_eq!(members(&simulator), ["abel.tuter", "beth.anglin"]);

        let remove = |id: &str| simulator.instance().remove("sys_user_group", id);
        removal_is_corrected(&workspace, ADDRESS, remove).await;
        destroy_finds_it_removed(&workspace, ADDRESS, remove).await;
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_group_is_imported_as_it_is() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let abel = simulator.person("abel.tuter");
        let id = instance.put(
            "sys_user_group",
            &[
                ("name", "Copilot readers"),
                ("description", "By hand"),
                ("manager", &abel),
                ("active", "true"),
            ],
        );
        let knowledge = id_of(&simulator, "sys_user_role", "knowledge");
        instance.put("sys_group_has_role", &[("group", &id), ("role", &knowledge)]);
        join(&simulator, "abel.tuter", "Copilot readers");
        let configuration = group(
            "description = \"By hand\"\n  manager = \"abel.tuter\"\n  roles = [\"knowledge\"]\n  members = \
             [\"abel.tuter\"]",
        );
        let workspace = simulator.workspace(terraform, &configuration);

        Imports {
            address: ADDRESS,
            configuration: &configuration,
            identity: ("sys_id", &id),
            targets: &[&id, "name=Copilot readers", "name=Copilot readers^manager=abel.tuter"],
            state: &[("id", &id), ("manager", "abel.tuter"), ("manager_id", &abel)],
            refused: &[("name=Copilot", "Nothing to import")],
        }
        .round_trip(terraform, &workspace)
        .await;

        // Who is in it without Terraform stays.
        workspace.configure(&group("members = [\"beth.anglin\"]"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Not every member was revoked")
            .says("abel.tuter");
        assert_eq!(members(&simulator), ["abel.tuter", "beth.anglin"]);
        assert_eq!(roles(&simulator), ["knowledge"]);
        workspace.plan_is_empty().await;
        // In another spelling, or by its key, the manager is the same.
        for manager in ["Abel.Tuter", &abel, " abel.tuter "] {
            workspace.configure(&group(&format!(
                "manager = \"{manager}\"\n  members = [\"beth.anglin\"]"
            )));
            workspace.plan_is_empty().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_generated_group_plans_no_change() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator
            .instance()
            .put("sys_user_group", &[("name", "Copilot readers"), ("active", "false")]);
        join(&simulator, "abel.tuter", "Copilot readers");
        let block = format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n");
        let workspace = simulator.workspace(terraform, &block);

        workspace
            .terraform("plan -generate-config-out=generated.tf")
            .await
            .succeeds()
            .says("1 to import, 0 to add, 0 to change");
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace
            .state(ADDRESS)
            .has("members", vec!["abel.tuter"])
            .lacks("manager_id");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_configured_of_a_group_is_left_alone() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &group(""));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let abel = simulator.person("abel.tuter");
        simulator
            .instance()
            .change("sys_user_group", &id, &[("description", "By hand"), ("manager", &abel)]);
        join(&simulator, "abel.tuter", "Copilot readers");

        workspace.plan_is_empty().await;
        workspace.configure(&group("members = []\n  email = \"readers@contoso.com\""));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        let record = simulator.only_record("sys_user_group");
        assert_eq!([&record["description"], &record["manager"]], ["By hand", &abel]);
        assert_eq!(members(&simulator), ["abel.tuter"]);
    })
    .await;
}

/// Its name is not unique on the instance, so the look comes first.
#[tokio::test]
async fn a_group_that_exists_is_not_made_a_second_time() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let id = instance.put("sys_user_group", &[("name", "Copilot readers")]);
        let before = instance.fingerprint();
        let workspace = simulator.workspace(terraform, WHOLE);

        workspace
            .terraform("apply")
            .await
            .fails_saying("The group already exists")
            .says(&format!("terraform import servicenow_group.<name> {id}"));
        assert_eq!(instance.fingerprint(), before);

        instance.switches(|modes| _ = modes.hidden_rows.insert(id));
        workspace
            .terraform("apply")
            .await
            .fails_saying("1 record with name=Copilot readers that the account may not read");
        assert!(workspace.addresses().is_empty());
        assert_eq!(instance.fingerprint(), before);
    })
    .await;
}

#[tokio::test]
async fn a_group_that_others_use_is_not_deleted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let configuration = group("members = [\"Beth.Anglin\"]");
        let workspace = simulator.workspace(terraform, &configuration);
        instance.quirks(|quirks| quirks.ignores_case = true);
        workspace.terraform("apply").await.succeeds();
        join(&simulator, "abel.tuter", "Copilot readers");
        let id = id_of(&simulator, "sys_user_group", "Copilot readers");
        let child = instance.put("sys_user_group", &[("name", "Child"), ("parent", &id)]);
        let before = instance.fingerprint();

        workspace
            .terraform("destroy")
            .await
            .fails_saying("The group is still used")
            .says("joined by the user abel.tuter")
            .says("the parent of the group Child");
        assert_eq!(instance.fingerprint(), before, "nothing was removed");

        instance.remove("sys_user_group", &child);
        workspace.configure(&configuration.replace("members", "force_destroy = true\n  members"));
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// Roles of a parent are the parent's.
#[tokio::test]
async fn a_role_that_a_group_inherits_is_neither_imported_nor_counted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let desk = id_of(&simulator, "sys_user_group", "Service Desk");
        let id = instance.put("sys_user_group", &[("name", "Copilot readers"), ("parent", &desk)]);
        let rows = instance.find("sys_group_has_role", "group", &id);
        assert_eq!(rows.len(), 1, "itil of the parent");
        let workspace = simulator.workspace(terraform, &group("parent = \"Service Desk\""));
        workspace.terraform_with(&["import", ADDRESS, &id]).await.succeeds();
        workspace.state(ADDRESS).lacks("roles");
        workspace.plan_is_empty().await;

        // Granted as well, it is the group's own.
        workspace.configure(&group("parent = \"Service Desk\"\n  roles = [\"itil\"]"));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(roles(&simulator), ["itil"]);
        workspace.configure(&group("parent = \"Service Desk\"\n  roles = []"));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(instance.find("sys_group_has_role", "group", &id).len(), 1);
    })
    .await;
}

/// Rows of one table from both sides: a user's groups, and a group's members.
#[tokio::test]
async fn members_and_groups_of_users_are_read_side_by_side() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = "resource \"servicenow_integration_user\" \"robot\" {\n  user_name = \"robot\"\n  groups = \
                    [\"Hardware\", servicenow_group.this.name]\n}\n";
        let workspace = simulator.workspace(terraform, &(group("members = [\"abel.tuter\"]") + user));

        workspace.terraform("apply").await.succeeds();

        workspace.plan_is_empty().await;
        assert_eq!(members(&simulator), ["abel.tuter", "robot"]);
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A membership that moves from one side to the other in one apply stays.
#[tokio::test]
async fn a_membership_that_another_resource_takes_over_stays() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = |groups: &str| {
            format!("resource \"servicenow_integration_user\" \"robot\" {{\n  user_name = \"robot\"\n  groups = {groups}\n}}\n")
        };
        let workspace = simulator.workspace(terraform, &user("[\"Hardware\"]"));
        workspace.terraform("apply").await.succeeds();
        let id = id_of(&simulator, "sys_user_group", "Hardware");
        let group = format!(
            "import {{\n  to = servicenow_group.hardware\n  id = \"{id}\"\n}}\nresource \"servicenow_group\" \
             \"hardware\" {{\n  name = \"Hardware\"\n  members = [\"robot\"]\n}}\n"
        );
        workspace.configure(&(group + &user("[]")));

        workspace.terraform("apply").await.succeeds();
        workspace.terraform("apply").await.succeeds();

        workspace.plan_is_empty().await;
        assert_eq!(simulator.count("sys_user_grmember"), 1);
    })
    .await;
}

#[tokio::test]
async fn an_inactive_group_that_nothing_shows_may_be_there() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &group("active = false"));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        simulator
            .instance()
            .quirks(|quirks| _ = quirks.uncounted_rows.insert(id.clone()));

        workspace
            .terraform("plan")
            .await
            .fails_saying("Could not read the group")
            .says("the account sees no inactive group at all");
        workspace.state(ADDRESS).has("id", id);
    })
    .await;
}

#[tokio::test]
async fn a_group_that_is_its_own_parent_is_refused() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &group("parent = \"copilot readers\""));

        workspace
            .terraform("plan")
            .await
            .fails_saying("cannot be its own parent");
    })
    .await;
}

/// A group, an entry and a rule of the same key as another one are refused by an update too, as by a create.
#[tokio::test]
async fn an_update_does_not_give_a_record_the_key_of_another_one() {
    let all = |group: &str, entry: &str, start: &str| {
        format!(
            r#"
            resource "servicenow_group" "this" {{
              name = "{group}"
            }}
            resource "servicenow_oauth_entity" "this" {{
              name               = "{entry}"
              client_id          = "robot"
              default_grant_type = "client_credentials"
              client_secret      = "a-secret-of-it"
              token_url          = "https://login.example.com/token"
            }}
            resource "servicenow_ip_access_rule" "this" {{
              type        = "Allow"
              direction   = "Bidirectional"
              range_start = "{start}"
              range_end   = "10.0.0.9"
            }}
            "#
        )
    };
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().quirks(|quirks| quirks.ignores_case = true);
        simulator.instance().put("sys_user_group", &[("name", "Other group")]);
        let workspace = simulator.workspace(terraform, &all("group", "entry", "10.0.0.1"));
        workspace.terraform("apply").await.succeeds();
        let others = [
            ("oauth_entity", "name", "Other entry"),
            ("ip_access", "range_start", "10.0.0.2"),
        ];
        for (table, column, value) in others {
            let record = simulator.only_record(table);
            let mut copy: Vec<(&str, &str)> = record
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .filter(|(name, _)| *name != "sys_id" && *name != column)
                .collect();
            copy.push((column, value));
            simulator.instance().put(table, &copy);
        }
        workspace.plan_is_empty().await;

        workspace.configure(&all("OTHER group", "OTHER entry", "10.0.0.2"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("The group already exists")
            .says("The registry entry already exists")
            .says("The address rule already exists");

        workspace.configure(&all("Group", "Entry", "10.0.0.3"));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}
