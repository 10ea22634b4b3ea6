//! From the provider tylerhatton/servicenow to this one, with nothing changed on the instance.

use serde_json::{Value, json};

use crate::harness::manual_setup::grant;
use crate::harness::{Simulator, Terraform, Workspace, for_each_terraform};

const THEIRS: &str = "tylerhatton/servicenow";
const OURS: &str = "servicenow-m365/servicenow";

/// A workspace with a state that the provider of this source wrote, with the attributes and versions of its documentation.
/// Terraform wants a binary for every provider of the state; ours stands in for theirs, and nothing but its schema is asked for.
fn moved_in(
    simulator: &Simulator,
    terraform: &Terraform,
    provider: &str,
    resources: &[(&str, &str, Value)],
) -> Workspace {
    let workspace = simulator.workspace(terraform, "");
    let resources: Vec<Value> = resources
        .iter()
        .map(|(type_name, name, attributes)| {
            json!({
                "mode": "managed", "type": type_name, "name": name,
                "provider": format!("provider[\"{}\"]", terraform.address_of(provider)),
                "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
            })
        })
        .collect();
    let state = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "11111111-2222-3333-4444-555555555555",
        "outputs": {}, "resources": resources, "check_results": null,
    });
    workspace.write("terraform.tfstate", &state.to_string());
    let folder = workspace.folder().join("provider").display().to_string();
    let overrides: String = [THEIRS, OURS]
        .iter()
        .map(|source| format!("    {:?} = {folder:?}\n", terraform.address_of(source)))
        .collect();
    let rc = format!("provider_installation {{\n  dev_overrides {{\n{overrides}  }}\n  direct {{}}\n}}\n");
    workspace.write("terraform.rc", &rc);
    workspace
}

fn entity(simulator: &Simulator) -> Value {
    let id = simulator.instance().put(
        "oauth_entity",
        &[
            ("name", "made there"),
            ("type", "client"),
            ("redirect_url", "https://example.com/callback"),
        ],
    );
    let record = simulator.instance().record("oauth_entity", &id).unwrap();
    json!({
        "id": id, "name": "made there", "client_id": record["client_id"], "client_uuid": record["client_uuid"],
        "access_token_lifespan": 1800, "refresh_token_lifespan": 8640000, "redirect_url": "https://example.com/callback",
        "logo_url": "", "access": "public", "scope": "global",
    })
}

fn role_of(simulator: &Simulator, user: &Value) -> Value {
    let grant = &simulator
        .instance()
        .find("sys_user_has_role", "user", user["id"].as_str().unwrap())[0];
    json!({
        "id": grant["sys_id"], "user": grant["user"], "role": grant["role"], "inherited": false, "granted_by": "",
        "state": "active",
    })
}

fn user(simulator: &Simulator) -> Value {
    let instance = simulator.instance();
    let id = instance.put(
        "sys_user",
        &[
            ("user_name", "jane.doe"),
            ("last_name", "Doe"),
            ("title", "Engineer"),
            ("active", "true"),
        ],
    );
    grant(instance, &id, "incident_manager");
    json!({
        "id": id, "user_name": "jane.doe", "first_name": "", "last_name": "Doe", "email": "", "title": "Engineer",
        "phone": "", "mobile_phone": "", "active": true, "locked_out": false, "password_needs_reset": false, "vip": false,
        "time_zone": "", "location": "", "department": "", "manager": "", "company": "", "user_password": "kept-there-pw",
    })
}

const USER: &str = r#"
    resource "servicenow_integration_user" "jane" {
      user_name               = "jane.doe"
      last_name               = "Doe"
      title                   = "Engineer"
      password                = "kept-there-pw"
      web_service_access_only = false
    }
    moved {
      from = servicenow_user.jane
      to   = servicenow_integration_user.jane
    }
"#;

const ENTITY: &str = r#"
    resource "servicenow_oauth_entity" "ours" {
      name                   = "made there"
      type                   = "client"
      redirect_url           = "https://example.com/callback"
      access_token_lifespan  = 1800
      refresh_token_lifespan = 8640000
    }
    moved {
      from = servicenow_oauth_entity.theirs
      to   = servicenow_oauth_entity.ours
    }
"#;

#[tokio::test]
async fn moved_blocks_take_over_what_the_other_provider_made() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (entity, user) = (entity(&simulator), user(&simulator));
        let role = role_of(&simulator, &user);
        let before = simulator.instance().fingerprint();
        let workspace = moved_in(
            &simulator,
            terraform,
            THEIRS,
            &[
                ("servicenow_oauth_entity", "theirs", entity.clone()),
                ("servicenow_user", "jane", user.clone()),
                ("servicenow_user_role", "theirs", role.clone()),
            ],
        );
        // By keys, as it was written there; a name means the same.
        let grant = format!(
            r#"
                resource "servicenow_user_role" "ours" {{
                  user = servicenow_integration_user.jane.id
                  role = {}
                }}
                moved {{
                  from = servicenow_user_role.theirs
                  to   = servicenow_user_role.ours
                }}
            "#,
            role["role"]
        );
        // The default would shut a person out of the interface: it is for users that Terraform makes.
        let silent = USER.replace("web_service_access_only = false", "");
        workspace.configure(&[&silent, ENTITY, &grant].concat());
        assert_eq!(workspace.plan().await.changes(), []);
        workspace.configure(&[USER, ENTITY, &grant].concat());

        let plan = workspace.plan().await;

        assert_eq!(plan.changes(), []);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("0 added, 0 changed, 0 destroyed");
        workspace.plan_is_empty().await;
        workspace
            .state("servicenow_oauth_entity.ours")
            .has("id", entity["id"].clone())
            .has("client_id", entity["client_id"].clone())
            .has("type", "client")
            .lacks("logo_url");
        // Roles that another resource gave are not this one's to take away.
        workspace
            .state("servicenow_integration_user.jane")
            .has("id", user["id"].clone())
            .has("deletion_policy", "delete")
            .lacks("email")
            .lacks("roles");
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_was_replaced_in_the_state_is_taken_over_too() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let entity = entity(&simulator);
        let role = role_of(&simulator, &user(&simulator));
        let workspace = moved_in(
            &simulator,
            terraform,
            THEIRS,
            &[
                ("servicenow_oauth_entity", "ours", entity.clone()),
                ("servicenow_user_role", "grant", role.clone()),
            ],
        );
        let resource = ENTITY.split("moved {").next().unwrap();
        let grant = format!(
            "resource \"servicenow_user_role\" \"grant\" {{\n  user = {}\n  role = {}\n}}\n",
            role["user"], role["role"]
        );
        workspace.configure(&[resource, &grant].concat());
        let replace = format!("state replace-provider -auto-approve {THEIRS} {OURS}");
        workspace.terraform(&replace).await.succeeds();

        workspace.plan_is_empty().await;

        workspace.terraform("apply").await.succeeds();
        workspace
            .state("servicenow_oauth_entity.ours")
            .has("id", entity["id"].clone())
            .has("type", "client");
    })
    .await;
}

/// A role and a group, with a contained role, a role and a member that other resources made there. Gives their states.
fn role_and_group(simulator: &Simulator) -> [Value; 2] {
    let instance = simulator.instance();
    let id_of = |name: &str| instance.find("sys_user_role", "name", name)[0]["sys_id"].clone();
    let role = instance.put("sys_user_role", &[("name", "reader"), ("description", "Reads")]);
    instance.put(
        "sys_user_role_contains",
        &[("role", &role), ("contains", &id_of("knowledge"))],
    );
    let manager = simulator.person("abel.tuter");
    let group = instance.put(
        "sys_user_group",
        &[
            ("name", "Readers"),
            ("manager", &manager),
            ("email", "readers@contoso.com"),
        ],
    );
    instance.put("sys_group_has_role", &[("group", &group), ("role", &role)]);
    instance.put("sys_user_grmember", &[("group", &group), ("user", &manager)]);
    [
        json!({
            "id": role, "name": "reader", "suffix": "", "description": "Reads", "elevated_privilege": false,
            "assignable_by": "", "protection_policy": "", "scope": "global",
        }),
        json!({
            "id": group, "name": "Readers", "description": "", "email": "readers@contoso.com", "manager": manager,
            "parent": "", "cost_center": "", "type": "", "active": true, "default_assignee": "",
            "include_members": false, "exclude_manager": false,
        }),
    ]
}

const ROLE_AND_GROUP: &str = r#"
    resource "servicenow_role" "reader" {
      name        = "reader"
      description = "Reads"
    }
    resource "servicenow_group" "readers" {
      name    = "Readers"
      email   = "readers@contoso.com"
      manager = "abel.tuter"
    }
"#;

#[tokio::test]
async fn a_role_and_a_group_are_taken_over_with_what_belongs_to_them() {
    for_each_terraform(async |terraform| {
        for is_moved in [true, false] {
            let simulator = Simulator::start().await;
            let [role, group] = role_and_group(&simulator);
            let before = simulator.instance().fingerprint();
            let (their_role, their_group) = if is_moved {
                ("old", "old")
            } else {
                ("reader", "readers")
            };
            let resources = [
                ("servicenow_role", their_role, role.clone()),
                ("servicenow_group", their_group, group.clone()),
            ];
            let workspace = moved_in(&simulator, terraform, THEIRS, &resources);
            let moved = |kind: &str, name: &str| format!("moved {{\n  from = {kind}.old\n  to   = {kind}.{name}\n}}\n");
            if is_moved {
                let moved = moved("servicenow_role", "reader") + &moved("servicenow_group", "readers");
                workspace.configure(&format!("{ROLE_AND_GROUP}{moved}"));
            } else {
                workspace.configure(ROLE_AND_GROUP);
                let replace = format!("state replace-provider -auto-approve {THEIRS} {OURS}");
                workspace.terraform(&replace).await.succeeds();
            }

            let plan = workspace.plan().await;
            assert_eq!(plan.changes(), []);
            workspace.terraform("apply").await.succeeds();

            workspace.plan_is_empty().await;
            workspace
                .state("servicenow_role.reader")
                .has("id", role["id"].clone())
                .has("application_scope", "global")
                .has("force_destroy", false)
                .lacks("contains");
            workspace
                .state("servicenow_group.readers")
                .has("id", group["id"].clone())
                .has("manager_id", group["manager"].clone())
                .lacks("roles")
                .lacks("members");
            assert_eq!(simulator.instance().fingerprint(), before);
        }
    })
    .await;
}

#[tokio::test]
async fn a_move_that_cannot_be_says_what_to_do() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = user(&simulator);
        let workspace = moved_in(&simulator, terraform, THEIRS, &[("servicenow_user", "jane", user)]);
        workspace.configure(
            r#"
                resource "servicenow_oauth_entity" "jane" {
                  name = "x"
                  type = "client"
                }
                moved {
                  from = servicenow_user.jane
                  to   = servicenow_oauth_entity.jane
                }
            "#,
        );

        workspace
            .terraform("plan")
            .await
            .fails_saying("cannot become servicenow_oauth_entity")
            .says("import it");
    })
    .await;
}

#[tokio::test]
async fn a_state_of_a_newer_provider_is_refused() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let entity = entity(&simulator);
        let workspace = moved_in(
            &simulator,
            terraform,
            OURS,
            &[("servicenow_oauth_entity", "ours", entity)],
        );
        let mut state = workspace.state_file();
        state["resources"][0]["instances"][0]["schema_version"] = json!(7);
        workspace.write("terraform.tfstate", &state.to_string());
        workspace.configure(ENTITY.split("moved {").next().unwrap());

        workspace
            .terraform("plan")
            .await
            .fails_saying("was created by a newer provider version");
    })
    .await;
}

/// Its record keeps every other column in `output`: that is dropped, and what it manages stays as it is.
#[tokio::test]
async fn a_record_of_any_table_takes_its_fields_along() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let columns = [("u_name", "Acme"), ("u_code", "ACME"), ("u_notes", "there")];
        let id = simulator.instance().put("u_supplier", &columns);
        let theirs = json!({
            "id": id, "table": "u_supplier", "fields": {"u_name": "Acme", "u_code": "ACME"},
            "output": {"u_notes": "there", "u_api_key": "kept-there-key", "sys_updated_on": "2026-01-01 00:00:00"},
        });
        let configuration = r#"
            resource "servicenow_record" "acme" {
              table  = "u_supplier"
              fields = { u_name = "Acme", u_code = "ACME" }
            }
        "#;
        let before = simulator.instance().fingerprint();

        let workspace = moved_in(
            &simulator,
            terraform,
            OURS,
            &[("servicenow_record", "acme", theirs.clone())],
        );
        workspace.configure(configuration);
        workspace.plan_is_empty().await;

        let workspace = moved_in(&simulator, terraform, THEIRS, &[("servicenow_record", "old", theirs)]);
        workspace.configure(&format!(
            "{configuration}\nmoved {{\n from = servicenow_record.old\n to = servicenow_record.acme\n}}\n"
        ));
        workspace.plan().await.does("servicenow_record.acme", &["no-op"]);
        workspace.terraform("apply").await.succeeds();
        let state = workspace.state_file().to_string();
        assert!(!state.contains("kept-there-key"), "{state}");
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

/// The other provider takes a record under a table that its own extends.
#[tokio::test]
async fn a_table_is_not_dropped_through_what_it_extends() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let table = simulator.instance().find("sys_db_object", "name", "u_supplier").remove(0);
        let id = &table["sys_id"];
        let of = |table: &str| {
            format!(
                "resource \"servicenow_record\" \"acme\" {{\n  table = \"{table}\"\n  fields = {{\n    sys_policy = \"read\"\n  }}\n}}\n"
            )
        };
        let theirs = json!({"id": id, "table": "sys_metadata", "fields": {"sys_policy": ""}, "output": {}});
        let workspace = moved_in(&simulator, terraform, OURS, &[("servicenow_record", "acme", theirs)]);
        workspace.configure(&of("sys_metadata"));
        let before = simulator.instance().fingerprint();

        workspace
            .terraform("destroy")
            .await
            .fails_saying("The destroy would drop a table or a column");

        workspace.configure(&of("sys_db_object"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("The record would be replaced by itself")
            .says(&format!("import it as sys_db_object/{id}"));
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}
