//! What the integration user can read, as data source, ephemeral resource and action; and the access rules that change it.

use std::fs;

use serde_json::{Value, json};
use servicenow_simulator::instance::ForbiddenRead;

use crate::harness::manual_setup::grant;
use crate::harness::modules_and_examples::shipped;
use crate::harness::{ByHand, Simulator, Terraform, Workspace, for_each_terraform};

/// An integration user that signs in with a password and has the role `incident_manager`.
const READER: &str = "report.reader";
const PASSWORD: &str = "the-password-of-the-reader";

fn reader(simulator: &Simulator) -> String {
    let instance = simulator.instance();
    let values = [
        ("user_name", READER),
        ("last_name", "Reader"),
        ("user_password", PASSWORD),
        ("active", "true"),
    ];
    let user = instance.put("sys_user", &values);
    grant(instance, &user, "incident_manager");
    user
}

/// Lets the provider's own account read the access rules.
fn elevate(simulator: &Simulator) {
    let admin = simulator.person("admin");
    grant(simulator.instance(), &admin, "security_admin");
}

/// The report of the reader's own provider block, as the state has it.
async fn seen_by_reader(terraform: &Terraform, simulator: &Simulator, tables: &str) -> (Workspace, Value) {
    let configuration = format!(
        r#"
            provider "servicenow" {{
              alias    = "reader"
              username = "{READER}"
              password = "{PASSWORD}"
            }}
            data "servicenow_access_report" "this" {{
              provider = servicenow.reader
              tables   = {tables}
            }}
        "#
    );
    let workspace = simulator.workspace(terraform, &configuration);
    workspace.terraform("apply").await.succeeds();
    let findings = workspace.state(REPORT).attribute("findings").clone();
    (workspace, findings)
}

/// A report with the reader's password that only warns.
fn with_password(tables: &str, more: &str) -> String {
    format!(
        r#"
            variable "password" {{
              ephemeral = true
            }}
            ephemeral "servicenow_access_report" "this" {{
              user_name = "{READER}"
              password  = var.password
              tables    = {tables}
              {more}
            }}
        "#
    )
}

async fn report(terraform: &Terraform, simulator: &Simulator, tables: &str) -> (Workspace, crate::harness::Run) {
    let mut workspace = simulator.workspace(terraform, &with_password(tables, ""));
    workspace.set("TF_VAR_password", PASSWORD);
    let run = workspace.terraform("apply").await;
    workspace.leaks_nothing_of(&[PASSWORD]);
    (workspace, run)
}

#[tokio::test]
async fn each_state_of_a_table_is_told_from_the_others() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        reader(&simulator);
        let instance = simulator.instance();
        let incidents = ["a", "b", "c"].map(|text| instance.put("incident", &[("short_description", text)]));
        instance.put("kb_knowledge", &[("short_description", "article")]);
        let rule = instance.put(
            "sys_security_acl",
            &[("name", "incident.category"), ("operation", "read"), ("type", "record")],
        );
        let knowledge = instance.find("sys_user_role", "name", "knowledge")[0]["sys_id"].clone();
        instance.put(
            "sys_security_acl_role",
            &[("sys_security_acl", &rule), ("sys_user_role", &knowledge)],
        );
        let tables = r#"[
            { name = "incident", columns = ["short_description"] },
            { name = "incident", columns = ["short_description", "category"] },
            { name = "incident", query = "short_description=nothing" },
            { name = "kb_knowledge" },
            { name = "no_such_table_here" },
        ]"#;

        let (workspace, findings) = seen_by_reader(terraform, &simulator, tables).await;

        let statuses: Vec<_> = findings
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["status"].as_str().unwrap())
            .collect();
        assert_eq!(
            statuses,
            ["readable", "partly_hidden", "empty", "forbidden", "no_such_table"],
            "{findings:#}"
        );
        assert_eq!(findings[0]["rows_shown"], 3);
        assert_eq!(findings[1]["hidden_columns"], json!(["category"]));
        assert!(
            findings[2]["detail"]
                .as_str()
                .unwrap()
                .contains("nothing shows whether"),
            "{findings:#}"
        );
        workspace.state(REPORT).has("ok", false).has("read_as", READER);
        let note = workspace.state(REPORT).text("rules_note");
        assert!(note.contains("security_admin"), "{note}");
        workspace.plan_is_empty().await;

        instance.switches(|modes| modes.hidden_rows = [incidents[1].clone()].into());
        let (_, findings) = seen_by_reader(terraform, &simulator, r#"[{ name = "incident" }]"#).await;
        assert_eq!(findings[0]["status"], "partly_hidden");
        assert_eq!(findings[0]["hidden_rows"], 1);
        let tables = r#"[{ name = "incident", may_hide_rows = true }]"#;
        let (workspace, _) = seen_by_reader(terraform, &simulator, tables).await;
        workspace.state(REPORT).has("ok", true);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_a_condition_hides_and_an_unknown_column_are_found() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        reader(&simulator);
        elevate(&simulator);
        let instance = simulator.instance();
        for text in ["public", "private"] {
            instance.put("incident", &[("short_description", text)]);
        }
        let rule = instance.find("sys_security_acl", "name", "incident")[0]["sys_id"].clone();
        instance.change("sys_security_acl", &rule, &[("condition", "short_description=public")]);

        let (_, run) = report(
            terraform,
            &simulator,
            r#"[{ name = "incident", columns = ["shrt_description"] }]"#,
        )
        .await;

        run.fails_saying(&format!("The user {READER} cannot read everything"))
            .says("incident: partly hidden. The account may read incident in part: 1 of 2 records are hidden")
            .says("there are no such columns: shrt_description");

        let (_, run) = report(
            terraform,
            &simulator,
            r#"[{ name = "incident", query = "short_description=nothing", columns = ["shrt_description"] }]"#,
        )
        .await;
        run.fails_saying("The table has no such columns: shrt_description")
            .says("Correct the names of the columns");

        let (_, run) = report(
            terraform,
            &simulator,
            r#"[{ name = "sys_user", query = "user_passwordSTARTSWITHa" }]"#,
        )
        .await;
        run.fails_saying("The column user_password is a secret");

        let (_, run) = report(
            terraform,
            &simulator,
            r#"[{ name = "sys_user", query = "password_needs_reset=true" }]"#,
        )
        .await;
        run.does_not_say("is a secret");
    })
    .await;
}

#[tokio::test]
async fn a_table_that_hides_everything_is_not_taken_for_an_empty_one() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", "a second look at what a release answers") {
            return;
        }
        let tables = r#"[{ name = "kb_knowledge" }]"#;
        let simulator = Simulator::start().await;
        reader(&simulator);
        let instance = simulator.instance();
        let article = instance.put("kb_knowledge", &[("short_description", "article")]);
        let said = async |said: &str| {
            let (_, run) = report(terraform, &simulator, tables).await;
            run.fails_saying(said).says("forbidden");
        };

        said("The instance refuses to list kb_knowledge").await;
        instance.switches(|modes| modes.forbidden_read = ForbiddenRead::NoRows);
        said("counts records in kb_knowledge (1) and shows none").await;

        let user = instance.find("sys_user", "user_name", READER)[0]["sys_id"].clone();
        grant(instance, &user, "knowledge");
        instance.remove("kb_knowledge", &article);
        let (_, run) = report(terraform, &simulator, tables).await;
        run.succeeds();
    })
    .await;
}

#[tokio::test]
async fn the_rules_say_which_role_is_missing_where_they_can_be_read() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        reader(&simulator);
        simulator
            .instance()
            .put("kb_knowledge", &[("short_description", "article")]);
        let tables = r#"[{ name = "kb_knowledge" }]"#;

        let (_, run) = report(terraform, &simulator, tables).await;
        run.fails_saying("It could not be read which access rules decide")
            .says("take the role security_admin on most instances");

        elevate(&simulator);
        let (_, run) = report(terraform, &simulator, tables).await;
        run.fails_saying("the user lacks one of these roles: knowledge, knowledge_admin")
            .does_not_say("It could not be read");
    })
    .await;
}

/// What a security_admin does with the text of `access_rules_update_set`.
fn import(simulator: &Simulator, update_set: &str) -> usize {
    let set = roxmltree::Document::parse(update_set).unwrap();
    let payloads = set.descendants().filter(|node| node.has_tag_name("payload"));
    let mut made = 0;
    for payload in payloads {
        let update = roxmltree::Document::parse(payload.text().unwrap()).unwrap();
        let record = update.root_element().first_element_child().unwrap();
        let table = record.tag_name().name().to_owned();
        let cells: Vec<(String, String)> = record
            .children()
            .filter(roxmltree::Node::is_element)
            .map(|cell| {
                (
                    cell.tag_name().name().to_owned(),
                    cell.text().unwrap_or_default().to_owned(),
                )
            })
            .collect();
        let values: Vec<(&str, &str)> = cells
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let sys_id = values.iter().find(|(name, _)| *name == "sys_id").unwrap().1;
        if simulator.instance().record(&table, sys_id).is_some() {
            simulator.instance().change(&table, sys_id, &values);
        } else {
            simulator.instance().put(&table, &values);
            made += 1;
        }
    }
    made
}

#[tokio::test]
async fn the_report_says_when_the_rendered_rules_took() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = reader(&simulator);
        let instance = simulator.instance();
        instance.put("kb_knowledge", &[("short_description", "article"), ("text", "body")]);
        let rules = simulator.workspace(
            terraform,
            &fs::read_to_string(shipped("examples/access-rules/main.tf")).unwrap(),
        );
        rules.terraform("apply").await.succeeds();
        let outputs = rules.terraform("output -json").await.json();
        let role = instance.find("sys_user_role", "name", "copilot_connector")[0]["sys_id"].clone();
        instance.put("sys_user_has_role", &[("user", &user), ("role", &role)]);
        let tables = r#"[{ name = "kb_knowledge", columns = ["text"] }]"#;
        let (_, before) = report(terraform, &simulator, tables).await;
        before.fails_saying("kb_knowledge: forbidden");

        let update_set = outputs["access_rules_update_set"]["value"].as_str().unwrap();
        assert_eq!(
            import(&simulator, update_set),
            12,
            "a rule and a role for each name and operation"
        );

        let (_, after) = report(terraform, &simulator, tables).await;
        after.succeeds();
        assert_eq!(import(&simulator, update_set), 0, "a second import doubles nothing");
        rules.plan_is_empty().await;
        let script = outputs["access_rules_script"]["value"].as_str().unwrap();
        let links = simulator.created("sys_security_acl_role");
        for rule in simulator.created("sys_security_acl").iter().chain(&links) {
            assert!(script.contains(&rule["sys_id"]), "the script makes the same records");
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_rendered_is_an_error_of_the_plan() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = "0123456789abcdef0123456789abcdef";
        for (call, said) in [
            (
                r#"script(["Incident"], "reader", ["read"])"#.to_owned(),
                "is not a valid name of a rule",
            ),
            (
                r#"script(["incident"], "a,b", ["read"])"#.to_owned(),
                "is not a valid role name",
            ),
            (
                r#"script(["incident"], "reader", ["see"])"#.to_owned(),
                "is not an operation of rules",
            ),
            (
                r#"update_set(["incident"], "reader", "reader", ["read"])"#.to_owned(),
                "is not a valid sys_id",
            ),
            (
                format!(r#"update_set(["incident"], "reader", "{id}", ["query_match"])"#),
                "an update set cannot contain it",
            ),
        ] {
            let output = format!("output \"text\" {{\n  value = provider::servicenow::access_rules_{call}\n}}\n");
            let workspace = simulator.workspace(terraform, &output);
            let run = workspace.terraform("plan").await;
            run.fails_saying(said).says("Invalid value for");
        }
    })
    .await;
}

#[tokio::test]
async fn the_sign_in_of_microsoft_is_used_and_a_refusal_is_explained() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        elevate(&simulator);
        let instance = simulator.instance();
        instance.put("incident", &[("short_description", "a")]);
        let configuration = format!(
            r#"
                variable "secret" {{
                  ephemeral = true
                }}
                ephemeral "servicenow_access_report" "this" {{
                  client_id     = "{}"
                  client_secret = var.secret
                  audience      = "{}"
                  tables        = [{{ name = "incident" }}, {{ name = "kb_knowledge" }}]
                }}
            "#,
            trust.rest_user.client_id, trust.inbound.client_id
        );
        let mut workspace = simulator.workspace(terraform, &configuration);
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);
        let apply = async || workspace.terraform("apply").await;

        apply()
            .await
            .fails_saying("The user ")
            .says(&trust.rest_user.client_id)
            .says("the user lacks one of these roles: knowledge, knowledge_admin")
            .does_not_say("incident: forbidden");
        grant(instance, &trust.user, "knowledge");
        apply().await.succeeds();
        instance.change("oauth_oidc_entity", &trust.provider, &[("active", "false")]);
        apply()
            .await
            .fails_saying("The integration user could not sign in")
            .says("is not active");

        workspace.leaks_nothing_of(&[&trust.rest_user.client_secret]);
    })
    .await;
}

#[tokio::test]
async fn an_action_fails_with_what_is_not_readable() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", "actions") {
            return;
        }
        let simulator = Simulator::start().await;
        let user = reader(&simulator);
        let instance = simulator.instance();
        instance.put("kb_knowledge", &[("short_description", "article")]);
        let configuration = format!(
            r#"
                variable "password" {{
                  ephemeral = true
                }}
                action "servicenow_access_report" "now" {{
                  config {{
                    user_name = "{READER}"
                    password  = var.password
                    tables    = [{{ name = "kb_knowledge" }}]
                  }}
                }}
            "#
        );
        let mut workspace = simulator.workspace(terraform, &configuration);
        workspace.set("TF_VAR_password", PASSWORD);
        let invoke = async || {
            workspace
                .terraform("apply -invoke=action.servicenow_access_report.now")
                .await
        };

        invoke()
            .await
            .fails_saying("cannot read everything")
            .says("kb_knowledge: forbidden");
        grant(instance, &user, "knowledge");
        invoke().await.succeeds().says("kb_knowledge: readable");

        workspace.leaks_nothing_of(&[PASSWORD]);
    })
    .await;
}

#[tokio::test]
async fn a_report_is_one_request_for_each_table_and_account() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        reader(&simulator);
        elevate(&simulator);
        let instance = simulator.instance();
        for number in 0..50 {
            instance.put("incident", &[("short_description", &number.to_string())]);
        }
        let names = [
            "incident",
            "sys_user",
            "cmn_department",
            "core_company",
            "sys_user_group",
        ];
        for name in &names[2..4] {
            instance.put(name, &[("name", "a")]);
        }
        let tables: Vec<_> = names.iter().map(|name| format!("{{ name = \"{name}\" }}")).collect();
        let mut workspace = simulator.workspace(terraform, &with_password(&format!("[{}]", tables.join(", ")), ""));
        workspace.set("TF_VAR_password", PASSWORD);
        instance.clear_requests();

        workspace.terraform("plan").await.succeeds();

        let requests = instance.requests();
        let by_reader = requests.iter().filter(|request| request.user == READER).count();
        assert_eq!(by_reader, names.len());
        // The tables again, their ancestors, the rules, their roles, and the user with its roles.
        assert!(requests.len() - by_reader <= names.len() + 7, "{requests:#?}");
        let reads_much = |query: &str| !query.contains("sysparm_limit=20") && !query.contains("sysparm_limit=1");
        let whole = requests
            .iter()
            .filter(|it| names.contains(&it.table.as_str()) && reads_much(&it.query));
        assert_eq!(
            whole.filter(|it| it.table == "incident").count(),
            0,
            "no table is read as a whole"
        );
    })
    .await;
}

#[tokio::test]
async fn one_way_to_sign_in_is_needed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        for (arguments, said) in [
            ("", "Set exactly one of"),
            ("password = \"p\"", "A password needs the user's name"),
            ("client_secret = \"s\"", "A client secret needs"),
            ("password = \"p\"\n access_token = \"t\"\n user_name = \"u\"", "Set exactly one of"),
        ] {
            let configuration = format!(
                "ephemeral \"servicenow_access_report\" \"this\" {{\n tables = [{{ name = \"incident\" }}]\n {arguments}\n}}\n"
            );
            let workspace = simulator.workspace(terraform, &configuration);
            workspace.terraform("plan").await.fails_saying(said);
        }
    })
    .await;
}

const REPORT: &str = "data.servicenow_access_report.this";

/// Without the rows that give rules their roles every rule would seem to ask for none.
#[tokio::test]
async fn rules_whose_roles_are_hidden_are_not_taken_for_rules_without_roles() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        reader(&simulator);
        elevate(&simulator);
        let instance = simulator.instance();
        instance.put("kb_knowledge", &[("short_description", "article")]);
        instance.quirks(|quirks| {
            quirks.uncounted_tables.insert("sys_security_acl_role".to_owned());
        });

        let (_, run) = report(terraform, &simulator, r#"[{ name = "kb_knowledge" }]"#).await;

        run.fails_saying("It could not be read which access rules decide (sys_security_acl_role has records");
    })
    .await;
}
