//! `servicenow_role`: a role of one's own, and the roles that it contains.

use std::collections::BTreeSet;

use servicenow_simulator::instance::{AbortRule, ExplicitScope, Operation};

use crate::harness::{
    Drift, Imports, Simulator, destroy_finds_it_removed, for_each_terraform, manual_setup, removal_is_corrected,
};

const ADDRESS: &str = "servicenow_role.this";

fn role(body: &str) -> String {
    format!("resource \"servicenow_role\" \"this\" {{\n  name = \"copilot_connector\"\n  {body}\n}}\n")
}

const WHOLE: &str = r#"
    resource "servicenow_role" "this" {
      name        = "copilot_connector"
      description = "What the Copilot connector may read"
      contains    = ["knowledge", "user_criteria_admin"]
    }
"#;

fn id_of(simulator: &Simulator, name: &str) -> String {
    simulator.instance().find("sys_user_role", "name", name)[0]["sys_id"].clone()
}

/// Names of the roles that a role contains directly.
fn contained(simulator: &Simulator, role: &str) -> Vec<String> {
    let instance = simulator.instance();
    let rows = instance.find("sys_user_role_contains", "role", &id_of(simulator, role));
    let names: BTreeSet<String> = rows
        .iter()
        .map(|row| instance.record("sys_user_role", &row["contains"]).unwrap()["name"].clone())
        .collect();
    names.into_iter().collect()
}

fn contain(simulator: &Simulator, outer: &str, inner: &str) -> String {
    let (outer, inner) = (id_of(simulator, outer), id_of(simulator, inner));
    let row = [("role", outer.as_str()), ("contains", inner.as_str())];
    simulator.instance().put("sys_user_role_contains", &row)
}

#[tokio::test]
async fn a_role_lives_from_creation_to_removal() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, WHOLE);

        workspace.terraform("apply").await.succeeds_without_warning();

        let record = simulator.only_record("sys_user_role");
        assert_eq!(
            [
                &record["name"],
                &record["description"],
                &record["elevated_privilege"],
                &record["sys_scope"]
            ],
            [
                "copilot_connector",
                "What the Copilot connector may read",
                "false",
                "global"
            ]
        );
        let links = simulator.created("sys_user_role_contains");
        assert!(links.iter().all(|link| link["sys_scope"] == "global"), "{links:#?}");
        assert_eq!(
            contained(&simulator, "copilot_connector"),
            ["knowledge", "user_criteria_admin"]
        );
        workspace
            .state(ADDRESS)
            .has("id", record["sys_id"].clone())
            .has("added_roles", vec!["knowledge", "user_criteria_admin"])
            .has("application_scope", "global")
            .lacks("left_alone");
        workspace.plan_is_empty().await;

        workspace.configure(&role(
            "description = \"\"\n  elevated_privilege = true\n  contains = [\"catalog\", \"knowledge\"]",
        ));
        workspace.plan().await.updates_only(
            ADDRESS,
            &["added_roles", "contains", "description", "elevated_privilege"],
        );
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
        let changed = simulator.only_record("sys_user_role");
        assert_eq!(
            [
                &changed["sys_id"],
                &changed["description"],
                &changed["elevated_privilege"]
            ],
            [record["sys_id"].as_str(), "", "true"]
        );
        assert_eq!(contained(&simulator, "copilot_connector"), ["catalog", "knowledge"]);
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
    })
    .await;
}

/// As users ask for it: a custom role, and the user who has it.
#[tokio::test]
async fn who_has_the_role_has_what_it_contains() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = "resource \"servicenow_integration_user\" \"robot\" {\n  user_name = \"robot\"\n  \
                    roles = [servicenow_role.this.name]\n}\n";
        let workspace = simulator.workspace(terraform, &format!("{WHOLE}{user}"));

        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        let instance = simulator.instance();
        let robot = simulator.only_record("sys_user")["sys_id"].clone();
        let has = |name: &str| {
            let rows = instance.find("sys_user_has_role", "user", &robot);
            let row = rows.into_iter().find(|row| row["role"] == id_of(&simulator, name));
            row.map(|row| row["inherited"].clone())
        };
        assert_eq!(has("copilot_connector").as_deref(), Some("false"));
        assert_eq!(has("knowledge").as_deref(), Some("true"));

        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn drift_of_a_role_is_planned_back_and_removal_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, WHOLE);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let knowledge = id_of(&simulator, "knowledge");
        let links = simulator.created("sys_user_role_contains");
        let link = links.iter().find(|link| link["contains"] == knowledge).unwrap();
        simulator.instance().remove("sys_user_role_contains", &link["sys_id"]);
        // Somebody else's, which stays.
        contain(&simulator, "copilot_connector", "catalog");

        Drift {
            address: ADDRESS,
            changes: &[(
                "sys_user_role",
                &id,
                &[("description", "Changed"), ("elevated_privilege", "true")],
            )],
            planned: &["added_roles", "contains", "description", "elevated_privilege"],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        assert_eq!(
            contained(&simulator, "copilot_connector"),
            ["catalog", "knowledge", "user_criteria_admin"]
        );

        let remove = |id: &str| simulator.instance().remove("sys_user_role", id);
        removal_is_corrected(&workspace, ADDRESS, remove).await;
        destroy_finds_it_removed(&workspace, ADDRESS, remove).await;
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_role_is_imported_as_it_is() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().put(
            "sys_user_role",
            &[
                ("name", "copilot_connector"),
                ("description", "By hand"),
                ("elevated_privilege", "true"),
            ],
        );
        contain(&simulator, "copilot_connector", "knowledge");
        let configuration = role("description = \"By hand\"\n  contains = [\"knowledge\"]");
        let workspace = simulator.workspace(terraform, &configuration);

        Imports {
            address: ADDRESS,
            configuration: &configuration,
            identity: ("sys_id", &id),
            targets: &[&id, "name=copilot_connector"],
            state: &[("id", &id), ("name", "copilot_connector"), ("description", "By hand")],
            refused: &[("name=copilot", "Nothing to import")],
        }
        .round_trip(terraform, &workspace)
        .await;

        // What it had is left alone, and a name that was never added here stays.
        workspace
            .state(ADDRESS)
            .has("left_alone", vec!["elevated_privilege"])
            .lacks("added_roles");
        workspace.configure(&role("contains = [\"catalog\"]"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Not every contained role was revoked")
            .says("knowledge");
        assert_eq!(contained(&simulator, "copilot_connector"), ["catalog", "knowledge"]);
        assert_eq!(
            simulator.instance().record("sys_user_role", &id).unwrap()["elevated_privilege"],
            "true"
        );
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_generated_role_plans_no_change() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let role = [("name", "copilot_connector"), ("description", "By hand")];
        let id = simulator.instance().put("sys_user_role", &role);
        contain(&simulator, "copilot_connector", "knowledge");
        let block = format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n");
        let workspace = simulator.workspace(terraform, &block);

        workspace
            .terraform("plan -generate-config-out=generated.tf")
            .await
            .succeeds()
            .says("1 to import, 0 to add, 0 to change");
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.state(ADDRESS).has("contains", vec!["knowledge"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_configured_of_a_role_is_left_alone() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &role(""));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        simulator
            .instance()
            .change("sys_user_role", &id, &[("description", "By hand")]);
        contain(&simulator, "copilot_connector", "knowledge");

        workspace.plan_is_empty().await;
        // Found, and not added here: it stays when it is taken off the list.
        workspace.configure(&role("contains = [\"catalog\", \"knowledge\"]"));
        workspace.terraform("apply").await.succeeds();
        workspace.state(ADDRESS).has("added_roles", vec!["catalog"]);
        workspace.configure(&role("contains = []"));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        assert_eq!(contained(&simulator, "copilot_connector"), [""; 0]);
        assert_eq!(simulator.only_record("sys_user_role")["description"], "By hand");
    })
    .await;
}

#[tokio::test]
async fn a_role_that_exists_is_not_taken_over() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator
            .instance()
            .put("sys_user_role", &[("name", "copilot_connector")]);
        let before = simulator.instance().fingerprint();
        let workspace = simulator.workspace(terraform, WHOLE);

        workspace
            .terraform("apply")
            .await
            .fails_saying("The role already exists")
            .says(&format!("terraform import servicenow_role.<name> {id}"));
        assert!(workspace.addresses().is_empty());
        assert_eq!(simulator.instance().fingerprint(), before);

        // One that is hidden takes the name as well.
        simulator.instance().switches(|modes| _ = modes.hidden_rows.insert(id));
        workspace
            .terraform("apply")
            .await
            .fails_saying("1 record with name=copilot_connector that the account may not read");
        assert!(workspace.addresses().is_empty());
    })
    .await;
}

/// A replacement deletes first: what the create would refuse afterwards is refused by the plan.
#[tokio::test]
async fn a_role_is_not_replaced_by_one_that_exists() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let role = |name: &str| format!("resource \"servicenow_role\" \"it\" {{\n  name = \"{name}\"\n}}\n");
        let workspace = simulator.workspace(terraform, &role("u_first"));
        workspace.terraform("apply").await.succeeds();
        let other = simulator.instance().put("sys_user_role", &[("name", "u_second")]);
        workspace.configure(&role("u_second"));
        let before = simulator.instance().fingerprint();

        workspace
            .terraform("plan")
            .await
            .fails_saying("The role already exists")
            .says(&other);

        assert_eq!(simulator.instance().fingerprint(), before);
        workspace.configure(&role("u_third"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 added, 0 changed, 1 destroyed");
    })
    .await;
}

/// The platform removes the grants of a role together with it.
#[tokio::test]
async fn a_role_that_others_use_is_not_deleted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let workspace = simulator.workspace(terraform, WHOLE);
        workspace.terraform("apply").await.succeeds();
        let abel = simulator.person("abel.tuter");
        manual_setup::grant(instance, &abel, "copilot_connector");
        let id = id_of(&simulator, "copilot_connector");
        let group = instance.find("sys_user_group", "name", "Hardware")[0]["sys_id"].clone();
        instance.put("sys_group_has_role", &[("group", &group), ("role", &id)]);
        contain(&simulator, "itil", "copilot_connector");
        let before = instance.fingerprint();

        workspace
            .terraform("destroy")
            .await
            .fails_saying("The role is still used")
            .says("granted to the user abel.tuter")
            .says("granted to the group Hardware")
            .says("contained in the role itil")
            .says("force_destroy = true");
        assert_eq!(instance.fingerprint(), before, "nothing was removed");

        // Another name would delete it as well.
        workspace.configure(&WHOLE.replace("copilot_connector", "other_connector"));
        workspace.plan().await.replaces_because_of(ADDRESS, &["name"]);
        workspace
            .terraform("apply")
            .await
            .fails_saying("The role is still used")
            .says("The role will be replaced");
        assert_eq!(instance.fingerprint(), before, "nothing was removed");

        workspace.configure(&WHOLE.replace("name  ", "force_destroy = true\n      name  "));
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn whether_a_role_is_used_must_be_known() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let workspace = simulator.workspace(terraform, WHOLE);
        workspace.terraform("apply").await.succeeds();
        manual_setup::grant(instance, &simulator.person("abel.tuter"), "copilot_connector");
        let role = id_of(&simulator, "copilot_connector");
        let grant = instance.find("sys_user_has_role", "role", &role)[0]["sys_id"].clone();
        instance.switches(|modes| _ = modes.hidden_rows.insert(grant));

        workspace
            .terraform("destroy")
            .await
            .fails_saying("Could not check who uses the role")
            .says("Nothing was removed");

        instance.switches(|modes| {
            modes.hidden_rows.clear();
            // References dangle where the platform does not remove them.
            modes.cascade = false;
        });
        instance.remove("sys_user", &simulator.person("abel.tuter"));
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(simulator.created("sys_user_role").len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_contained_role_that_the_instance_refuses_is_told_and_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let workspace = simulator.workspace(terraform, &role("contains = [\"knowledge\"]"));
        workspace.terraform("apply").await.succeeds();
        contain(&simulator, "catalog", "copilot_connector");

        // It would contain a role that contains it.
        workspace.configure(&role("contains = [\"catalog\", \"knowledge\"]"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not add the contained role catalog")
            .says("A role can contain neither itself nor a role that contains it");
        workspace.state(ADDRESS).has("contains", vec!["knowledge"]);
        workspace.plan().await.does(ADDRESS, &["update"]);

        // A create that gets no further is no error: the next apply completes it.
        instance.switches(|modes| {
            modes.abort_rules.push(AbortRule {
                table: "sys_user_role_contains".to_owned(),
                operation: Operation::Create,
                name: "Nobody".to_owned(),
            });
        });
        let second = "resource \"servicenow_role\" \"second\" {\n  name = \"second\"\n  contains = [\"soap\"]\n}\n";
        workspace.configure(&(role("contains = [\"knowledge\"]") + second));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Could not add the contained role soap");
        workspace.state("servicenow_role.second").is_not_tainted();
        instance.switches(|modes| modes.abort_rules.clear());
        workspace.plan().await.does("servicenow_role.second", &["update"]);
        workspace.terraform("apply").await.succeeds();
        assert_eq!(contained(&simulator, "second"), ["soap"]);
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_role_that_contains_nothing_that_exists_is_not_created() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &role("contains = [\"knowledg\"]"));

        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not find the contained role")
            .says("knowledge")
            .says("on main.tf line 3");

        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_role_of_an_application_has_its_scope_in_its_name() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let scope = "x_mioms_m365_assis";
        let of_scope = |name: &str, scope: &str| {
            format!(
                "resource \"servicenow_role\" \"this\" {{\n  name = \"{name}\"\n  application_scope = \"{scope}\"\n  \
                 contains = [\"knowledge\"]\n}}\n"
            )
        };
        let workspace = simulator.workspace(terraform, &of_scope("reader", scope));
        workspace
            .terraform("plan")
            .await
            .fails_saying("\"reader\" is not a valid name of a role of the application x_mioms_m365_assis");

        workspace.configure(&of_scope("x_mioms_m365_assis.reader", scope));
        workspace.terraform("apply").await.succeeds();

        let application = simulator.instance().find("sys_scope", "scope", scope)[0]["sys_id"].clone();
        let record = simulator.only_record("sys_user_role");
        assert_eq!(
            [&record["name"], &record["suffix"], &record["sys_scope"]],
            ["x_mioms_m365_assis.reader", "reader", &application]
        );
        // Its links go with it.
        assert_eq!(
            simulator.only_record("sys_user_role_contains")["sys_scope"],
            application
        );
        workspace.plan_is_empty().await;
        // The key of the application means the same.
        workspace.configure(&of_scope("x_mioms_m365_assis.reader", &application));
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_role_that_the_instance_files_elsewhere_is_told() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .instance()
            .switches(|modes| modes.explicit_scope = ExplicitScope::Ignored);
        let configuration = r#"
            resource "servicenow_role" "this" {
              name              = "x_mioms_m365_assis.reader"
              application_scope = "x_mioms_m365_assis"
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("sys_scope was not kept");
    })
    .await;
}

#[tokio::test]
async fn a_role_in_another_spelling_is_the_same() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().quirks(|quirks| {
            quirks.ignores_case = true;
            quirks.trims = true;
        });
        let workspace = simulator.workspace(terraform, &role("contains = [\"knowledge\"]"));
        workspace.terraform("apply").await.succeeds();

        for (name, inner) in [
            ("Copilot_Connector", "Knowledge "),
            (" copilot_connector ", "knowledge"),
        ] {
            workspace.configure(&format!(
                "resource \"servicenow_role\" \"this\" {{\n  name = \"{name}\"\n  contains = [\"{inner}\"]\n}}\n"
            ));
            workspace.terraform("apply").await.succeeds().says("0 destroyed");
            workspace.plan_is_empty().await;
        }
        assert_eq!(simulator.created("sys_user_role_contains").len(), 1);
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_role_cannot_contain_itself() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &role("contains = [\"Copilot_connector \"]"));

        workspace
            .terraform("plan")
            .await
            .fails_saying("The role \"copilot_connector\" cannot contain itself");
    })
    .await;
}
