//! `servicenow_integration_user`, from creation to removal.

use std::collections::BTreeSet;

use servicenow_simulator::instance::Refusal;

use crate::harness::{
    Drift, Imports, Simulator, Workspace, destroy_finds_it_removed, for_each_terraform, removal_is_corrected,
};

const ADDRESS: &str = "servicenow_integration_user.this";
const SECRETS: [&str; 2] = ["first-user-password", "second-user-password"];

const WHOLE: &str = r#"
    variable "secret" {
      ephemeral = true
    }
    resource "servicenow_integration_user" "this" {
      user_name                 = "robot"
      first_name                = "Integration"
      last_name                 = "User"
      email                     = "robot@contoso.com"
      time_zone                 = "Europe/Paris"
      title                     = "Robot"
      active                    = true
      web_service_access_only   = true
      internal_integration_user = false
      password_wo               = var.secret
      password_wo_version       = "1"
      roles                     = ["incident_manager", "catalog"]
      groups                    = ["Hardware", "Service Desk"]
    }
"#;

const CHANGED: &str = r#"
    variable "secret" {
      ephemeral = true
    }
    resource "servicenow_integration_user" "this" {
      user_name                 = "android"
      first_name                = "Changed"
      last_name                 = ""
      title                     = ""
      time_zone                 = ""
      email                     = "android@contoso.com"
      active                    = false
      web_service_access_only   = false
      internal_integration_user = true
      password_wo               = var.secret
      password_wo_version       = "1"
      roles                     = ["incident_manager", "knowledge"]
      groups                    = []
    }
"#;

fn least(more: &str) -> String {
    format!("resource \"servicenow_integration_user\" \"this\" {{\n  user_name = \"robot\"\n  {more}\n}}\n")
}

/// Names of what the user was given directly.
fn given(simulator: &Simulator, table: &str, column: &str, names: &str) -> BTreeSet<String> {
    let instance = simulator.instance();
    let rows = simulator
        .created(table)
        .into_iter()
        .filter(|row| row.get("inherited").is_none_or(|it| it != "true"));
    rows.map(|row| instance.record(names, &row[column]).unwrap()["name"].clone())
        .collect()
}

fn roles(simulator: &Simulator) -> Vec<String> {
    given(simulator, "sys_user_has_role", "role", "sys_user_role")
        .into_iter()
        .collect()
}

fn groups(simulator: &Simulator) -> Vec<String> {
    given(simulator, "sys_user_grmember", "group", "sys_user_group")
        .into_iter()
        .collect()
}

#[tokio::test]
async fn a_user_lives_from_creation_to_removal() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, WHOLE);
        workspace.set("TF_VAR_secret", SECRETS[0]);
        let column = |name: &str| simulator.only_record("sys_user")[name].clone();

        workspace.terraform("apply").await.succeeds_without_warning();

        workspace
            .state(ADDRESS)
            .has("id", column("sys_id"))
            .has("user_name", "robot")
            .has("locked_out", false)
            .has("deletion_policy", "delete")
            .lacks("password_wo");
        assert_eq!(column("user_password"), SECRETS[0]);
        assert_eq!(column("password_needs_reset"), "false");
        assert_eq!(roles(&simulator), ["catalog", "incident_manager"]);
        assert_eq!(groups(&simulator), ["Hardware", "Service Desk"]);
        workspace.plan_is_empty().await;

        workspace.configure(CHANGED);
        workspace.set("TF_VAR_secret", SECRETS[1]);
        workspace.plan().await.updates_only(
            ADDRESS,
            &[
                "active",
                "email",
                "first_name",
                "granted_roles",
                "groups",
                "internal_integration_user",
                "joined_groups",
                "last_name",
                "locked_out",
                "roles",
                "time_zone",
                "title",
                "user_name",
                "web_service_access_only",
            ],
        );
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
        for (name, expected) in [
            ("user_name", "android"),
            ("first_name", "Changed"),
            ("last_name", ""),
            ("title", ""),
            ("active", "false"),
            ("web_service_access_only", "false"),
            ("internal_integration_user", "true"),
            ("user_password", SECRETS[0]),
        ] {
            assert_eq!(column(name), expected, "{name}");
        }
        assert_eq!(roles(&simulator), ["incident_manager", "knowledge"]);
        assert_eq!(groups(&simulator), [""; 0]);
        workspace.plan_is_empty().await;

        workspace.configure(&CHANGED.replace("version       = \"1\"", "version       = \"2\""));
        workspace.terraform("apply").await.succeeds_without_warning();
        assert_eq!(column("user_password"), SECRETS[1]);

        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
        workspace.leaks_nothing_of(&SECRETS);
    })
    .await;
}

#[tokio::test]
async fn drift_of_a_user_is_planned_back_and_removal_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, WHOLE);
        workspace.set("TF_VAR_secret", SECRETS[0]);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");

        let changes = [
            ("user_name", "somebody"),
            ("first_name", ""),
            ("last_name", "Changed"),
            ("email", ""),
            ("time_zone", ""),
            ("title", "Changed"),
            ("active", "false"),
            ("web_service_access_only", "false"),
            ("internal_integration_user", "true"),
            ("locked_out", "true"),
        ];
        // One of each is taken away, and one of each that is not ours is given.
        let row = |table: &str, name: &str, names: &str, column: &str| {
            let wanted = simulator.instance().find(names, "name", name)[0]["sys_id"].clone();
            let rows = simulator.created(table);
            rows.into_iter().find(|row| row[column] == wanted).unwrap()["sys_id"].clone()
        };
        let grant = row("sys_user_has_role", "catalog", "sys_user_role", "role");
        simulator.instance().remove("sys_user_has_role", &grant);
        let membership = row("sys_user_grmember", "Hardware", "sys_user_group", "group");
        simulator.instance().remove("sys_user_grmember", &membership);
        let foreign = simulator.instance().find("sys_user_role", "name", "knowledge")[0]["sys_id"].clone();
        simulator
            .instance()
            .put("sys_user_has_role", &[("user", &id), ("role", &foreign)]);

        Drift {
            address: ADDRESS,
            changes: &[("sys_user", &id, &changes)],
            planned: &[
                "active",
                "email",
                "first_name",
                "granted_roles",
                "groups",
                "internal_integration_user",
                "joined_groups",
                "last_name",
                "locked_out",
                "roles",
                "time_zone",
                "title",
                "user_name",
                "web_service_access_only",
            ],
            kept: &["locked_out"],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        let user = simulator.only_record("sys_user");
        assert_eq!(
            [&user["user_name"], &user["email"], &user["active"]],
            ["robot", "robot@contoso.com", "true"]
        );
        assert_eq!(roles(&simulator), ["catalog", "incident_manager", "knowledge"]);
        assert_eq!(groups(&simulator), ["Hardware", "Service Desk"]);
        workspace.state(ADDRESS).has("locked_out", true);

        let remove = |id: &str| simulator.instance().remove("sys_user", id);
        removal_is_corrected(&workspace, ADDRESS, remove).await;
        assert_eq!(simulator.only_record("sys_user")["user_password"], SECRETS[0]);

        destroy_finds_it_removed(&workspace, ADDRESS, remove).await;
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn what_is_not_configured_of_a_user_is_left_alone() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &least(""));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let role = simulator.instance().find("sys_user_role", "name", "knowledge")[0]["sys_id"].clone();
        simulator
            .instance()
            .put("sys_user_has_role", &[("user", &id), ("role", &role)]);
        simulator.instance().change(
            "sys_user",
            &id,
            &[("first_name", "By"), ("title", "hand"), ("user_password", "by hand")],
        );

        workspace.plan_is_empty().await;
        // An empty list is not the same as none, and means none of ours.
        workspace.configure(&least("roles = []\n  email = \"robot@contoso.com\""));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        let user = simulator.only_record("sys_user");
        assert_eq!(
            [&user["first_name"], &user["title"], &user["user_password"]],
            ["By", "hand", "by hand"]
        );
        assert_eq!(roles(&simulator), ["knowledge"]);
    })
    .await;
}

#[tokio::test]
async fn a_role_by_inheritance_counts_as_given() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            &least("roles = [\"incident_manager\", \"itil\"]\n  groups = [\"Major Incident Team\"]"),
        );

        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.configure(&least(
            "roles = [\"incident_manager\"]\n  groups = [\"Major Incident Team\"]",
        ));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();

        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_user_can_be_deactivated_instead_of_deleted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            &least("roles = [\"incident_manager\"]\n  deletion_policy = \"deactivate\""),
        );
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds();

        assert_eq!(simulator.only_record("sys_user")["active"], "false");
        assert_eq!(roles(&simulator), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_user_that_a_destroy_made_inactive_is_taken_back_by_the_next_create() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let clerk = [
            ("user_name", "clerk"),
            ("last_name", "Clerk"),
            ("user_password", "clerk-password"),
        ];
        let clerk = instance.put("sys_user", &clerk);
        let admin = instance.find("sys_user_role", "name", "admin")[0]["sys_id"].clone();
        instance.put("sys_user_has_role", &[("user", &clerk), ("role", &admin)]);
        let simulator = simulator.starting_here();
        let configuration = least("roles = [\"incident_manager\"]\n  deletion_policy = \"deactivate\"");
        let mut workspace = simulator.workspace(terraform, &configuration);
        // Not the account that changes records by hand.
        workspace.set("SERVICENOW_USERNAME", "clerk");
        workspace.set("SERVICENOW_PASSWORD", "clerk-password");
        workspace.terraform("apply").await.succeeds();
        let id = simulator.only_record("sys_user")["sys_id"].clone();
        // What the configuration does not name is history, and stays.
        simulator.instance().change("sys_user", &id, &[("title", "Robot")]);
        let is_back = async |workspace: &Workspace| {
            let user = simulator.only_record("sys_user");
            assert_eq!((&user["sys_id"], user["active"].as_str()), (&id, "true"));
            assert_eq!(user["title"], "Robot");
            assert_eq!(roles(&simulator), ["incident_manager"]);
            workspace.state(ADDRESS).has("granted_roles", vec!["incident_manager"]);
            workspace.plan_is_empty().await;
        };

        workspace.terraform("destroy").await.succeeds();
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("An inactive user was taken over");
        is_back(&workspace).await;
        workspace
            .terraform(&format!("apply -replace={ADDRESS}"))
            .await
            .succeeds()
            .says("An inactive user was taken over");
        is_back(&workspace).await;

        // Whoever else made it inactive may have had a reason.
        workspace.terraform("destroy").await.succeeds();
        simulator
            .instance()
            .change("sys_user", &id, &[("sys_updated_by", "jane.doe")]);
        workspace
            .terraform("apply")
            .await
            .fails_saying("The user already exists")
            .says(&format!("the last change was made by {}", simulator.username()))
            .says("then import it and set active = true");
        assert_eq!(simulator.only_record("sys_user")["active"], "false");
        workspace.terraform_with(&["import", ADDRESS, &id]).await.succeeds();
        workspace.configure(&configuration.replace("roles", "active = true\n  roles"));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.only_record("sys_user")["active"], "true");
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_user_that_is_taken_back_gets_the_password_of_the_configuration() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = least("password = \"first-password\"\n  deletion_policy = \"deactivate\"");
        let workspace = simulator.workspace(terraform, &configuration);
        workspace.terraform("apply").await.succeeds();
        let first = simulator.only_record("sys_user")["user_password"].clone();
        workspace.terraform("destroy").await.succeeds();

        workspace.configure(&configuration.replace("first-", "second-"));
        workspace.terraform("apply").await.succeeds();

        assert_ne!(simulator.only_record("sys_user")["user_password"], first);
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_user_is_imported_by_id_by_column_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().put(
            "sys_user",
            &[
                ("user_name", "robot"),
                ("first_name", "By"),
                ("last_name", "Hand"),
                ("email", "robot@contoso.com"),
                ("web_service_access_only", "true"),
                ("user_password", "by-hand-password"),
            ],
        );
        for (table, column, names, name) in [
            ("sys_user_has_role", "role", "sys_user_role", "incident_manager"),
            ("sys_user_grmember", "group", "sys_user_group", "Hardware"),
        ] {
            let given = simulator.instance().find(names, "name", name)[0]["sys_id"].clone();
            simulator.instance().put(table, &[("user", &id), (column, &given)]);
        }
        let configuration = least(
            "first_name = \"By\"\n  last_name = \"Hand\"\n  email = \"robot@contoso.com\"\n  roles = \
             [\"incident_manager\"]\n  groups = [\"Hardware\"]",
        );
        let workspace = simulator.workspace(terraform, &configuration);

        Imports {
            address: ADDRESS,
            configuration: &configuration,
            identity: ("sys_id", &id),
            targets: &[&id, "user_name=robot", "email=robot@contoso.com"],
            state: &[("id", &id)],
            refused: &[],
        }
        .round_trip(terraform, &workspace)
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_user_that_exists_is_not_taken_over_unasked() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator
            .instance()
            .put("sys_user", &[("user_name", "robot"), ("last_name", "By hand")]);
        let before = simulator.instance().fingerprint();
        let workspace = simulator.workspace(terraform, &least("roles = [\"incident_manager\"]"));

        workspace
            .terraform("apply")
            .await
            .fails_saying(&format!("terraform import servicenow_integration_user.<name> {id}"))
            .says("on main.tf line 2");

        assert!(workspace.addresses().is_empty());
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

/// The instance refuses a second user of a name, so nothing is asked before the insert, and what it answers is not asked
/// again.
#[tokio::test]
async fn a_user_and_each_of_its_grants_are_one_request() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = r#"
            resource "servicenow_integration_user" "this" {
              user_name = "robot"
              roles     = ["catalog", "knowledge"]
            }
            resource "servicenow_user_role" "this" {
              user = servicenow_integration_user.this.id
              role = "incident_manager"
            }
        "#;
        let workspace = simulator.workspace(terraform, configuration);

        workspace.terraform("apply").await.succeeds();

        let asked = |table: &str| -> Vec<String> {
            let requests = simulator.instance().requests();
            let of_table = requests.iter().filter(|request| request.table == table);
            of_table.map(|request| request.method.clone()).collect()
        };
        assert_eq!(asked("sys_user"), ["POST"]);
        assert_eq!(asked("sys_user_has_role"), ["POST"; 3]);
        workspace.plan_is_empty().await;
        simulator.instance().clear_requests();
        workspace.terraform("destroy").await.succeeds();
        let removals = |table: &str| asked(table).iter().filter(|method| *method == "DELETE").count();
        assert_eq!(removals("sys_user"), 1);
        assert_eq!(removals("sys_user_has_role"), 3);
    })
    .await;
}

/// A user of the name that the account may not see is what the error tells of, however the instance refuses the insert.
#[tokio::test]
async fn a_user_of_the_name_that_is_hidden_is_told() {
    for_each_terraform(async |terraform| {
        for refusal in [Refusal::Forbidden, Refusal::BadRequest] {
            let simulator = Simulator::start().await;
            let twin = simulator.instance().put("sys_user", &[("user_name", "robot")]);
            simulator.instance().switches(|modes| {
                modes.duplicate = refusal;
                modes.hidden_rows.insert(twin);
            });
            let user = r#"resource "servicenow_integration_user" "this" { user_name = "robot" }"#;
            let workspace = simulator.workspace(terraform, user);

            workspace
                .terraform("apply")
                .await
                .fails_saying("1 record with user_name=robot that the account may not read");

            assert_eq!(workspace.addresses(), Vec::<String>::new());
            assert_eq!(simulator.instance().find("sys_user", "user_name", "robot").len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn values_of_a_user_may_be_unknown_until_apply() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            r#"
                resource "terraform_data" "later" {
                  input = { name = "robot", flag = false, role = "itil", roles = ["catalog"], policy = "delete" }
                }
                locals {
                  later = terraform_data.later.output
                }
                resource "servicenow_integration_user" "this" {
                  user_name       = "the-${local.later.name}"
                  active          = local.later.flag
                  roles           = concat([local.later.role, "incident_manager"], local.later.roles)
                  groups          = local.later.flag ? ["Hardware"] : null
                  deletion_policy = local.later.policy
                }
            "#,
        );

        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("user_name", "the-robot")
            .has("active", false)
            .has("roles", vec!["catalog", "incident_manager", "itil"])
            .lacks("groups");
        workspace.plan_is_empty().await;
    })
    .await;
}

/// Releases that know the identity type keep "web service access only" in step with it.
#[tokio::test]
async fn the_identity_type_is_kept_where_the_release_has_it() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &least("identity_type = \"machine\""));

        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.configure(&least("identity_type = \"human\"\n  web_service_access_only = false"));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        assert_eq!(simulator.only_record("sys_user")["identity_type"], "human");
    })
    .await;
}

/// A department, a company and a location by which a user is described. Gives their keys.
fn places(simulator: &Simulator) -> [String; 3] {
    let instance = simulator.instance();
    [
        ("cmn_department", "IT"),
        ("core_company", "Contoso"),
        ("cmn_location", "Paris"),
    ]
    .map(|(table, name)| instance.put(table, &[("name", name)]))
}

#[tokio::test]
async fn a_user_refers_to_others_by_name_or_by_key() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [department, company, location] = places(&simulator);
        let manager = simulator.person("abel.tuter");
        let simulator = simulator.starting_here();
        let described = |department: &str, manager: &str| {
            least(&format!(
                "source = \"api://inbound\"\n  department = \"{department}\"\n  company = \"Contoso\"\n  location = \
                 \"Paris\"\n  manager = \"{manager}\""
            ))
        };
        let workspace = simulator.workspace(terraform, &described("IT", "abel.tuter"));

        workspace.terraform("apply").await.succeeds();

        let columns = [
            "source",
            "department",
            "company",
            "location",
            "manager",
            "password_needs_reset",
        ];
        let cells = || {
            let user = simulator.only_record("sys_user");
            columns.map(|column| user[column].clone())
        };
        assert_eq!(
            cells(),
            ["api://inbound", &department, &company, &location, &manager, "false"]
        );
        workspace
            .state(ADDRESS)
            .has("department_id", department.clone())
            .has("manager_id", manager.clone());
        workspace.plan_is_empty().await;
        // In another spelling, or by its key, it is the same record.
        workspace.configure(&described(&department, &manager));
        workspace.plan_is_empty().await;
        workspace.configure(&described(" it ", "Abel.Tuter"));
        workspace.plan_is_empty().await;

        // Drift, also to nothing, is planned back.
        workspace.configure(&described("IT", "abel.tuter"));
        let id = workspace.state(ADDRESS).text("id");
        Drift {
            address: ADDRESS,
            changes: &[(
                "sys_user",
                &id,
                &[
                    ("source", "ldap"),
                    ("department", ""),
                    ("manager", &simulator.person("beth.anglin")),
                    ("password_needs_reset", "true"),
                ],
            )],
            planned: &[
                "department",
                "department_id",
                "locked_out",
                "manager",
                "manager_id",
                "password_needs_reset",
                "source",
            ],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;

        // Left out they stay, empty they are cleared.
        workspace.configure(&least(""));
        workspace.plan_is_empty().await;
        workspace.configure(&least(
            "source = \"\"\n  department = \"\"\n  company = \"\"\n  location = \"\"\n  manager = \"\"",
        ));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(cells(), ["", "", "", "", "", "false"]);
        workspace.plan_is_empty().await;
        workspace.state(ADDRESS).lacks("department_id");

        workspace.configure(&described("Itt", "abel.tuter"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not find the department")
            .says("on main.tf line 4");
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A name means the record that it meant, until another record has it.
#[tokio::test]
async fn a_department_that_was_made_anew_is_another_one() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [department, ..] = places(&simulator);
        let workspace = simulator.workspace(terraform, &least("department = \"IT\""));
        workspace.terraform("apply").await.succeeds();
        simulator.instance().remove("cmn_department", &department);
        workspace.plan_is_empty().await;
        let department = simulator.instance().put("cmn_department", &[("name", "IT")]);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("0 added, 1 changed, 0 destroyed");

        workspace.state(ADDRESS).has("department_id", department.as_str());
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_user_refers_to_is_imported_by_name() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [department, ..] = places(&simulator);
        let manager = simulator.person("abel.tuter");
        let id = simulator.instance().put(
            "sys_user",
            &[
                ("user_name", "robot"),
                ("last_name", "robot"),
                ("web_service_access_only", "true"),
                ("department", &department),
                ("manager", &manager),
                ("password_needs_reset", "true"),
            ],
        );
        let block = format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n");
        let workspace = simulator.workspace(terraform, &block);

        workspace
            .terraform("plan -generate-config-out=generated.tf")
            .await
            .succeeds()
            .says("1 to import, 0 to add, 0 to change");
        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("department", "IT")
            .has("manager", "abel.tuter")
            .has("password_needs_reset", true)
            .lacks("company");
        workspace.plan_is_empty().await;
    })
    .await;
}
