//! Processes that die: the provider in the middle of a write, Terraform around it, both by an impatient Ctrl-C.
//!
//! Terraform then knows nothing of a record that was made a moment ago. The next apply must not make it again, and must
//! not take over what may be somebody else's: it names the record and says how to import it.

use std::time::Duration;

use serde_json::json;
use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Gate, Matcher};
use servicenow_simulator::instance::DefaultProfile;

use crate::harness::configurations::{PRIVILEGE, PROVIDER, REPOSITORY, RULE, SETTINGS, USER};
use crate::harness::{Run, Running, Simulator, Terraform, Workspace, eventually, for_each_terraform};

const ENTITY: &str = r#"
    resource "servicenow_oauth_entity" "this" {
      name          = "Outbound"
      client_id     = "11111111-2222-3333-4444-555555555555"
      client_secret = "a-secret-of-it"
    }
"#;
const GRANT: &str = r#"
    resource "servicenow_user_role" "this" {
      user = "admin"
      role = "catalog"
    }
"#;
const ACCESS: &str = r#"
    resource "servicenow_table_access" "this" {
      table       = "oauth_entity"
      read_access = true
    }
"#;

/// What there is once everything is applied, and once only.
const WHOLE: &[(&str, usize)] = &[
    ("sys_user", 1),
    ("sys_user_has_role", 2),
    ("sys_user_grmember", 1),
    // The rows of the child show up in their parent.
    ("oauth_entity", 2),
    ("oauth_oidc_entity", 1),
    ("oidc_provider_configuration", 1),
    ("oauth_entity_auth_scope_mapping", 1),
    ("ip_access", 1),
];

#[track_caller]
fn are(simulator: &Simulator, records: &[(&str, usize)]) {
    for (table, expected) in records {
        assert_eq!(simulator.count(table), *expected, "{table}");
    }
}

/// From now on the answers to these requests wait for ever: what they ask for is done.
fn hold(simulator: &Simulator, method: &Method, tables: &[&str]) {
    let held = Fault::HeldAfter(Gate::shut());
    for table in tables {
        let matcher = Matcher::table(table).method(method.clone());
        simulator.instance().faults().every(matcher, held.clone());
    }
    let of_repositories = Matcher::any()
        .method(method.clone())
        .path(|path| path.contains("supportRepository"));
    simulator.admin().faults().every(of_repositories, held);
}

fn release(simulator: &Simulator) {
    simulator.instance().faults().clear();
    simulator.admin().faults().clear();
}

/// Starts a command, and kills its provider as soon as `is_done`.
async fn killed(workspace: &Workspace, command: &str, is_done: impl FnMut() -> bool) {
    let running: Running = workspace.start(&[command]);
    eventually("the writes", Duration::from_secs(60), is_done).await;
    running.group().kill_the_provider();
    // "Plugin did not respond" or "Request cancelled", with the name of the call.
    workspace.finish(running).await.fails_saying("ApplyResourceChange");
}

/// Writes the import blocks that a refused apply asks for; answers the types of the resources.
fn import_as_told(workspace: &Workspace, refused: &Run) -> Vec<String> {
    let words = refused.words();
    let mut types: Vec<String> = Vec::new();
    let mut blocks = String::new();
    for told in words.split("import { ").skip(1) {
        let (arguments, _) = told.split_once(" }").unwrap();
        let (before, rest) = arguments.split_once("to = ").unwrap();
        let (to, id) = rest.split_once(".<name> id = ").unwrap();
        blocks.push_str(&format!("import {{\n  {before}\n  to = {to}.this\n  id = {id}\n}}\n"));
        types.push(to.to_owned());
    }
    workspace.write("imports.tf", &blocks);
    types.sort();
    types
}

async fn whole_of(terraform: &Terraform, configuration: &str) -> (Simulator, Workspace) {
    let simulator = Simulator::start().await;
    simulator
        .instance()
        .switches(|modes| modes.default_profile = DefaultProfile::NotCreated);
    let workspace = simulator.workspace(terraform, configuration);
    (simulator, workspace)
}

/// An import does not know who made the configuration of an OIDC provider, so it stays.
fn only_the_configuration_is_left(simulator: &Simulator) {
    let configuration = simulator.only_record("oidc_provider_configuration")["sys_id"].clone();
    simulator
        .instance()
        .remove("oidc_provider_configuration", &configuration);
    simulator.is_as_at_start();
}

/// Every resource at once: killed when each has made its record, then told to import, then killed in a change and in the
/// removal.
#[tokio::test]
async fn a_provider_that_is_killed_doubles_and_leaves_nothing() {
    for_each_terraform(async |terraform| {
        let configuration = [USER, ENTITY, PROVIDER, RULE, GRANT, REPOSITORY, SETTINGS].concat();
        let (simulator, workspace) = whole_of(terraform, &configuration).await;
        let first = [
            "sys_user",
            "oauth_entity",
            "oauth_oidc_entity",
            "ip_access",
            "sys_user_has_role",
        ];
        hold(&simulator, &Method::POST, &first);
        killed(&workspace, "apply", || {
            first.iter().all(|table| !simulator.created(table).is_empty())
                && simulator.created("oauth_entity").len() == 2
                && simulator.admin().repositories().len() == 1
                && !simulator.admin().application_id().is_empty()
        })
        .await;
        release(&simulator);

        let refused = workspace.terraform("apply").await;
        refused
            .fails_saying("The registry entry already exists")
            .says("created by admin on 20")
            .says("interrupted before it saved its state");
        let imported = import_as_told(&workspace, &refused);
        assert_eq!(
            imported,
            [
                "m365_support_repository",
                "servicenow_integration_user",
                "servicenow_ip_access_rule",
                "servicenow_oauth_entity",
                "servicenow_oidc_provider",
            ]
        );
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("5 imported, 0 added");
        are(&simulator, WHOLE);
        are(&simulator, &[("oauth_entity_profile", 1)]);
        assert_eq!(simulator.admin().repositories().len(), 1);
        workspace.plan_is_empty().await;

        let changed = configuration
            .replace("user_name = ", "title = \"x\"\n user_name = ")
            .replace("= \"Outbound\"", "= \"Outbound 2\"")
            .replace("= \"Inbound\"", "= \"Inbound 2\"")
            .replace("range_start = ", "description = \"x\"\n range_start = ");
        workspace.configure(&changed);
        hold(
            &simulator,
            &Method::PATCH,
            &["sys_user", "oauth_entity", "oauth_oidc_entity", "ip_access"],
        );
        killed(&workspace, "apply", || {
            // The first request of a process tries the credentials, and the others wait for its end.
            simulator.only_record("ip_access")["description"] == "x"
                || simulator.only_record("sys_user")["title"] == "x"
                || simulator.only_record("oauth_oidc_entity")["name"] == "Inbound 2"
                || simulator
                    .created("oauth_entity")
                    .iter()
                    .any(|entry| entry["name"] == "Outbound 2")
        })
        .await;
        release(&simulator);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        are(&simulator, WHOLE);

        hold(
            &simulator,
            &Method::DELETE,
            &["ip_access", "oauth_entity_profile", "sys_user_has_role"],
        );
        killed(&workspace, "destroy", || simulator.created("ip_access").is_empty()).await;
        release(&simulator);
        workspace.terraform("destroy").await.succeeds();
        // The grant and the settings that the killed provider made count as ones that existed before.
        let grant = simulator.only_record("sys_user_has_role")["sys_id"].clone();
        simulator.instance().remove("sys_user_has_role", &grant);
        assert!(!simulator.admin().application_id().is_empty());
        simulator
            .admin()
            .put_settings(&json!({"SupportTool": null, "ApplicationId": null}));
        only_the_configuration_is_left(&simulator);
    })
    .await;
}

/// The record is there, and the provider dies while it makes what belongs to it.
#[tokio::test]
async fn a_provider_that_is_killed_half_way_is_made_up_for() {
    for_each_terraform(async |terraform| {
        let (simulator, workspace) = whole_of(terraform, &[USER, ENTITY, PROVIDER].concat()).await;
        let second = [
            "oauth_entity_profile",
            "oauth_entity_auth_scope_mapping",
            "sys_user_has_role",
        ];
        hold(&simulator, &Method::POST, &second);
        killed(&workspace, "apply", || {
            second.iter().all(|table| simulator.count(table) == 1)
        })
        .await;
        release(&simulator);

        let refused = workspace.terraform("apply").await;

        refused.fails_saying("already exists");
        assert_eq!(import_as_told(&workspace, &refused).len(), 3);
        workspace.terraform("apply").await.succeeds();
        are(
            &simulator,
            &[
                ("sys_user", 1),
                ("sys_user_has_role", 1),
                ("sys_user_grmember", 1),
                ("oauth_entity", 2),
                ("oauth_entity_profile", 1),
                ("oidc_provider_configuration", 1),
                ("oauth_entity_auth_scope_mapping", 1),
            ],
        );
        workspace.plan_is_empty().await;
        workspace
            .terraform("destroy")
            .await
            .succeeds()
            .says("The OIDC configuration was left in place");
        only_the_configuration_is_left(&simulator);
    })
    .await;
}

/// A configuration is taken up if it is as declared, serves nobody, and was made by this account; nobody else's is.
#[tokio::test]
async fn a_configuration_that_lost_its_provider_is_taken_up_by_its_maker() {
    for_each_terraform(async |terraform| {
        let (simulator, workspace) = whole_of(terraform, PROVIDER).await;
        hold(&simulator, &Method::POST, &["oidc_provider_configuration"]);
        killed(&workspace, "apply", || {
            simulator.created("oidc_provider_configuration").len() == 1
        })
        .await;
        release(&simulator);
        let made = simulator.only_record("oidc_provider_configuration")["sys_id"].clone();

        let instance = simulator.instance();
        let by = |name: &str| instance.change("oidc_provider_configuration", &made, &[("sys_created_by", name)]);
        by("somebody.else");
        workspace
            .terraform("apply")
            .await
            .fails_saying("The metadata address is already configured")
            .says(&format!("configuration_id = \"{made}\""))
            .says("No provider uses it, and somebody.else made it");
        by(simulator.username());

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The OIDC configuration already existed");
        simulator.only_record("oidc_provider_configuration");
        simulator.only_record("oauth_oidc_entity");
        workspace.terraform("destroy").await.succeeds();
        // Somebody may have made it with the same account.
        assert_eq!(simulator.only_record("oidc_provider_configuration")["sys_id"], made);
        simulator.instance().remove("oidc_provider_configuration", &made);
        simulator.is_as_at_start();
    })
    .await;
}

/// What was there before cannot be known any more: what looks like one's own work is warned of.
#[tokio::test]
async fn what_a_killed_provider_changed_is_warned_of() {
    for_each_terraform(async |terraform| {
        let (simulator, workspace) = whole_of(terraform, &[PRIVILEGE, ACCESS].concat()).await;
        let table = simulator.instance().find("sys_db_object", "name", "oauth_entity")[0]["sys_id"].clone();
        let change = |value: &str| {
            let closed = [("read_access", value), ("sys_updated_by", "system")];
            simulator.instance().change("sys_db_object", &table, &closed);
        };
        let is_open = || simulator.instance().record("sys_db_object", &table).unwrap()["read_access"] == "true";
        change("false");
        hold(&simulator, &Method::POST, &["sys_scope_privilege"]);
        hold(&simulator, &Method::PATCH, &["sys_db_object"]);
        killed(&workspace, "apply", || {
            is_open() && simulator.created("sys_scope_privilege").len() == 1
        })
        .await;
        release(&simulator);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The privilege already existed")
            .says("The table is already as configured");

        simulator.only_record("sys_scope_privilege");
        workspace.plan_is_empty().await;
    })
    .await;
}

/// SIGKILL of Terraform: the provider notices, ends, and takes its socket along. The lock of the local state ends with
/// its process.
#[tokio::test]
async fn without_terraform_the_provider_ends_by_itself() {
    for_each_terraform(async |terraform| {
        let (simulator, workspace) = whole_of(terraform, &[USER, ENTITY].concat()).await;
        hold(&simulator, &Method::POST, &["sys_user", "oauth_entity"]);
        let running = workspace.start(&["apply"]);
        eventually("the writes", Duration::from_secs(60), || {
            simulator.created("sys_user").len() == 1 && simulator.created("oauth_entity").len() == 1
        })
        .await;

        let group = running.group();
        group.kill_terraform();
        let _ = workspace.finish(running).await;

        group.is_gone().await;
        let left: Vec<_> = workspace.folder().join("tmp").read_dir().unwrap().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
        release(&simulator);
        let refused = workspace.terraform("apply").await;
        refused.fails_saying("already exists");
        import_as_told(&workspace, &refused);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("2 imported, 0 added");
        are(
            &simulator,
            &[("sys_user", 1), ("oauth_entity", 1), ("sys_user_has_role", 1)],
        );
        workspace.plan_is_empty().await;
    })
    .await;
}

/// A second Ctrl-C ends Terraform at once, whatever its provider is doing.
#[tokio::test]
async fn after_a_second_interrupt_nothing_is_doubled() {
    for_each_terraform(async |terraform| {
        let (simulator, workspace) = whole_of(terraform, ENTITY).await;
        hold(&simulator, &Method::POST, &["oauth_entity"]);
        let running = workspace.start(&["apply"]);
        eventually("the write", Duration::from_secs(60), || {
            simulator.created("oauth_entity").len() == 1
        })
        .await;

        let group = running.group();
        running.interrupt();
        running.prints("Interrupt received").await;
        running.interrupt();
        workspace.finish(running).await.fails_saying("Two interrupts received");

        group.is_gone().await;
        release(&simulator);
        let second = workspace.terraform("apply").await;
        if workspace.addresses().is_empty() {
            second.fails_saying("The registry entry already exists");
            import_as_told(&workspace, &second);
            workspace.terraform("apply").await.succeeds();
        }
        simulator.only_record("oauth_entity");
        workspace.plan_is_empty().await;
    })
    .await;
}
