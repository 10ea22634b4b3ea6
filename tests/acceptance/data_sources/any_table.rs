//! `servicenow_record` and `servicenow_records`: records of any table.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use servicenow_simulator::faults::{Fault, Matcher};

use crate::harness::{Simulator, for_each_terraform};

const ONE: &str = "data.servicenow_record.one";
const ALL: &str = "data.servicenow_records.all";

fn one(arguments: &str) -> String {
    format!("data \"servicenow_record\" \"one\" {{\n  table = \"u_supplier\"\n  {arguments}\n}}\n")
}

fn all(arguments: &str) -> String {
    format!("data \"servicenow_records\" \"all\" {{\n  table = \"u_supplier\"\n  {arguments}\n}}\n")
}

/// Two suppliers, of which the second belongs to the first and is owned by the administrator. Gives their keys.
fn suppliers(simulator: &Simulator) -> [String; 2] {
    let instance = simulator.instance();
    let admin = simulator.person("admin");
    let acme = [
        ("u_name", "Acme"),
        ("u_code", "ACME"),
        ("u_rating", "7"),
        ("u_number", "S-1"),
        ("u_api_key", "secret-by-hand"),
    ];
    let acme = instance.put("u_supplier", &acme);
    let branch = [
        ("u_name", "Acme Branch"),
        ("u_code", "BRANCH"),
        ("u_parent", acme.as_str()),
        ("u_owner", admin.as_str()),
        ("active", "false"),
    ];
    let branch = instance.put("u_supplier", &branch);
    [acme, branch]
}

/// The values of a column in the records that were read, in their order.
fn column(records: &Value, name: &str) -> Vec<String> {
    let values = records.as_array().unwrap().iter();
    values
        .map(|record| record[name].as_str().unwrap_or("-").to_owned())
        .collect()
}

#[tokio::test]
async fn a_record_is_found_by_its_key_or_by_its_values() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [acme, branch] = suppliers(&simulator);
        let admin = simulator.instance().find("sys_user", "user_name", "admin").remove(0);
        let workspace = simulator.workspace(terraform, "");
        for by in [
            format!("id = {branch:?}"),
            format!("id = {:?}", branch.to_uppercase()),
            "natural_key = { u_code = \"BRANCH\" }".to_owned(),
            "natural_key = { u_code = \"branch\" }".to_owned(),
            // References by name or key, and several columns.
            "natural_key = { u_parent = \"Acme\", active = \"false\" }".to_owned(),
            format!("natural_key = {{ u_parent = {acme:?}, \"u_owner.user_name\" = \"admin\" }}"),
        ] {
            if by.contains("\"branch\"") {
                simulator.instance().quirks(|quirks| quirks.ignores_case = true);
            }
            workspace.configure(&one(&by));
            workspace.terraform("apply").await.succeeds();

            let expected = json!({
                "active": "false", "u_budget": "", "u_code": "BRANCH", "u_contact": "", "u_contract_end": "",
                "u_name": "Acme Branch", "u_notes": "", "u_owner": admin["sys_id"], "u_parent": acme, "u_portal": "",
                "u_rating": "", "u_region": "", "u_reviewed_on": "", "u_tier": "3",
            });
            let state = workspace.state(ONE);
            assert_eq!(state.attribute("fields"), &expected, "{by}");
            state
                .has("display_value", "Acme Branch")
                .has("class_name", "u_supplier");
            assert!(state.text("id").eq_ignore_ascii_case(&branch));
            simulator.instance().quirks(|quirks| quirks.ignores_case = false);
        }

        // Through the table that it extends, and only what was asked for.
        let listed =
            "columns = [\"u_name\", \"u_owner.user_name\", \"u_parent.u_owner.user_name\", \"sys_created_by\"]";
        let by = format!("natural_key = {{ u_name = \"Acme Branch\" }}\n  {}", listed);
        workspace.configure(
            &one(&by)
                .replace("u_supplier", "u_business_partner")
                .replace("\"u_owner.user_name\", \"u_parent.u_owner.user_name\", ", ""),
        );
        workspace.terraform("apply").await.succeeds();
        workspace
            .state(ONE)
            .has("class_name", "u_supplier")
            .has("id", branch.as_str());

        workspace.configure(&one(&format!("id = {branch:?}\n  {listed}")));
        workspace.terraform("apply").await.succeeds();
        let fields = workspace.state(ONE).attribute("fields").clone();
        assert_eq!(fields["u_owner.user_name"], "admin");
        // The parent has no owner.
        assert_eq!(fields["u_parent.u_owner.user_name"], "");
        assert_eq!(fields.as_object().unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_is_absent_not_the_only_one_or_hidden_is_an_error() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [acme, branch] = suppliers(&simulator);
        let workspace = simulator.workspace(terraform, "");
        for (arguments, says) in [
            (
                "natural_key = { u_code = \"ACMEE\" }",
                "Values of u_code that resemble it: \"ACME\"",
            ),
            (
                "natural_key = { u_code = \"ACMEE\" }",
                "No record of u_supplier has u_code = \"ACMEE\"",
            ),
            (
                "id = \"0123456789abcdef0123456789abcdef\"",
                "Could not find the record of u_supplier",
            ),
            ("id = \"ACME\"", "\"ACME\" is not a valid sys_id"),
            (
                "natural_key = { u_tier = \"3\" }",
                "2 records of u_supplier have u_tier = \"3\"",
            ),
            ("natural_key = { u_tier = \"3\" }", "(Acme Branch)"),
            ("natural_key = {}", "The map is empty"),
            ("natural_key = { u_code = \"\" }", "which identifies no record"),
            ("natural_key = { u_cod = \"ACME\" }", "Names that resemble it: u_code"),
            (
                "natural_key = { u_cod = \"ACME\" }",
                "ignore the term and return every record",
            ),
            (
                "natural_key = { Code = \"ACME\" }",
                "\"Code\" is the label of the column u_code",
            ),
            (
                "natural_key = { u_api_key = \"x\" }",
                "The column u_api_key is a secret",
            ),
            (
                "natural_key = { \"u_name.x\" = \"y\" }",
                "u_supplier.u_name is not a reference",
            ),
            (
                "natural_key = { \"u_owner.usr_name\" = \"y\" }",
                "The table sys_user has no column usr_name",
            ),
            ("natural_key = { u_owner = \"Nobody\" }", "Nobody"),
            ("natural_key = { u_name = \"a^b\" }", "which a query cannot express"),
            ("", "One of `id`, `natural_key` is required"),
            (
                "id = \"x\"\n natural_key = { u_code = \"ACME\" }",
                "Conflicting arguments",
            ),
        ] {
            workspace.configure(&one(arguments));
            workspace
                .terraform("plan")
                .await
                .fails_saying(says)
                .says("on main.tf line");
        }
        workspace.configure(&one(&format!("id = {acme:?}")).replace("u_supplier", "u_suplier"));
        workspace.terraform("plan").await.fails_saying("no table u_suplier");

        // A hidden record is not absent, and may be the second one.
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(acme.clone());
        });
        for arguments in [
            format!("id = {acme:?}"),
            "natural_key = { u_code = \"ACME\" }".to_owned(),
            "natural_key = { u_tier = \"3\" }".to_owned(),
        ] {
            workspace.configure(&one(&arguments));
            let plan = workspace.terraform("plan").await;
            plan.fails_saying("Error: ").does_not_say("Could not find");
            assert!(
                plan.mentions("may not read") || plan.mentions("hidden from the account"),
                "{arguments}"
            );
        }
        workspace.configure(&one(&format!("id = {branch:?}")));
        workspace.terraform("apply").await.succeeds();
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_never_read() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        suppliers(&simulator);
        let workspace = simulator.workspace(terraform, &one("natural_key = { u_code = \"ACME\" }"));
        workspace.terraform("apply").await.succeeds();
        let fields = workspace.state(ONE).attribute("fields").clone();
        assert_eq!((fields.get("u_api_key"), &fields["u_rating"]), (None, &json!("7")));
        workspace.leaks_nothing_of(&["secret-by-hand"]);

        for configuration in [
            one("natural_key = { u_code = \"ACME\" }\n columns = [\"u_api_key\"]"),
            all("columns = [\"u_name\", \"u_api_key\"]"),
            all("query = \"u_api_keySTARTSWITHs\""),
            all("order_by = [\"u_api_key\"]"),
            all("columns = [\"u_owner.user_password\"]"),
        ] {
            workspace.configure(&configuration);
            workspace.terraform("plan").await.fails_saying("is a secret");
        }

        // Without the dictionary the name of the column tells.
        simulator.instance().quirks(|quirks| {
            quirks.hidden_tables.insert("sys_dictionary".to_owned());
        });
        workspace.configure(&one("natural_key = { u_code = \"ACME\" }"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("A column of unknown type may hold a secret");
        assert_eq!(workspace.state(ONE).attribute("fields"), &json!({}));
        workspace.configure(&all("columns = [\"u_client_secret\"]"));
        workspace.terraform("plan").await.fails_saying("may be a secret");
        workspace.configure(&all("columns = [\"u_name\"]"));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(column(workspace.state(ALL).attribute("records"), "u_name").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn records_match_a_query_in_an_order_that_stays() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [acme, branch] = suppliers(&simulator);
        for (name, code, rating) in [("Zeta", "Z", "1"), ("Beta", "B", "5"), ("Gamma", "G", "5")] {
            let values = [("u_name", name), ("u_code", code), ("u_rating", rating)];
            simulator.instance().put("u_supplier", &values);
        }
        let workspace = simulator.workspace(terraform, "");
        for (arguments, names) in [
            ("order_by = [\"u_name\"]", &["Acme", "Acme Branch", "Beta", "Gamma", "Zeta"][..]),
            ("order_by = [\"u_name desc\"]\n limit = 2", &["Zeta", "Gamma"]),
            ("query = \"u_rating=5\"\n order_by = [\"u_rating\", \"u_name\"]", &["Beta", "Gamma"]),
            ("query = \"u_nameSTARTSWITHAcme^active=true\"", &["Acme"]),
            ("query = \"u_code=Z^ORu_code=B^ORDERBYDESCu_name\"", &["Zeta", "Beta"]),
            ("query = \"u_owner.user_name=admin\"", &["Acme Branch"]),
            ("query = \"u_code=NONE\"", &[]),
        ] {
            workspace.configure(&all(arguments));
            workspace.terraform("apply").await.succeeds();
            let records = workspace.state(ALL).attribute("records").clone();
            assert_eq!(column(&records, "u_name"), names, "{arguments}");
        }
        workspace.configure(&all("columns = [\"u_name\", \"u_parent\", \"u_parent.u_code\", \"active\"]\n order_by = [\"u_code\"]\n limit = 3"));
        workspace.terraform("apply").await.succeeds();
        let state = workspace.state(ALL);
        state.has("total", 5);
        let expected = [
            json!({"sys_id": acme, "u_name": "Acme", "u_parent": "", "u_parent.u_code": "", "active": "true"}),
            json!({"sys_id": branch, "u_name": "Acme Branch", "u_parent": acme, "u_parent.u_code": "ACME", "active": "false"}),
        ];
        let records = state.attribute("records").as_array().unwrap();
        assert_eq!((records[0].clone(), records[2].clone()), (expected[0].clone(), expected[1].clone()));

        // Nothing is ordered by: every run shows the same.
        workspace.configure(&all(""));
        let mut orders = BTreeSet::new();
        for _ in 0..2 {
            workspace.terraform("apply").await.succeeds();
            orders.insert(column(workspace.state(ALL).attribute("records"), "sys_id"));
        }
        assert_eq!(orders.len(), 1);
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn what_an_instance_would_ignore_is_refused() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        suppliers(&simulator);
        let workspace = simulator.workspace(terraform, "");
        for (arguments, says) in [
            ("query = \"u_ratng=7\"", "Names that resemble it: u_rating"),
            (
                "query = \"u_rating=7^ORu_cod=x\"",
                "ignore the term and return every record",
            ),
            ("query = \"u_rating=7^ORDERBYu_nme\"", "Names that resemble it: u_name"),
            ("query = \"u_rating==7^\"", "is not a term of an encoded query"),
            ("query = \"u_ratingEQUALS7\"", "no known operator follows the column"),
            ("query = \"u_rating\"", "no known operator follows the column"),
            ("query = \"\"", "query"),
            ("query = \"u_name.x=y\"", "is not a reference"),
            (
                "query = \"u_owner.usr_name=y\"",
                "The table sys_user has no column usr_name",
            ),
            ("query = \"u_name=javascript:gs.getUserName()\"", "as a script"),
            ("order_by = [\"u_nme\"]", "return another order"),
            ("order_by = [\"u_name ASC\"]", "is not a column to order by"),
            ("columns = [\"u_nme\"]", "silently leave it out of the answer"),
            ("columns = []", "The list is empty"),
            ("columns = [\"u name\"]", "is not the name of a column"),
            ("limit = 0", "0 is not between 1 and 10000"),
            ("limit = 20000", "20000 is not between 1 and 10000"),
            ("limit = 1.5", "whole number"),
        ] {
            workspace.configure(&all(arguments));
            workspace
                .terraform("plan")
                .await
                .fails_saying(says)
                .says("on main.tf line");
        }
        // None of them went out as a term.
        let asked = simulator.instance().requests();
        assert!(asked.iter().all(|request| !request.query.contains("u_ratng%3D7")));
    })
    .await;
}

#[tokio::test]
async fn what_is_hidden_is_counted_in_a_warning() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let [acme, _] = suppliers(&simulator);
        let workspace = simulator.workspace(
            terraform,
            &all("order_by = [\"u_name\"]\n columns = [\"u_name\", \"u_rating\"]"),
        );
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(acme);
        });
        let apply = workspace.terraform("apply").await;
        apply
            .succeeds()
            .says("1 of the records of u_supplier that match is hidden from the account");
        workspace.state(ALL).has("total", 2);
        assert_eq!(
            column(workspace.state(ALL).attribute("records"), "u_name"),
            ["Acme Branch"]
        );

        // All of them: not an empty table.
        simulator.instance().switches(|modes| modes.hidden_rows.clear());
        simulator.instance().quirks(|quirks| {
            quirks.hidden_tables.insert("u_supplier".to_owned());
        });
        workspace.terraform("apply").await.succeeds().says("2 of the records");
        workspace.state(ALL).has("total", 2).has("records", json!([]));
        simulator.instance().quirks(|quirks| quirks.hidden_tables.clear());

        // A column is missing, which is not the same as empty.
        simulator.instance().switches(|modes| {
            modes
                .read_denied
                .insert(("u_supplier".to_owned(), "u_rating".to_owned()));
        });
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("leaves the column u_rating of u_supplier out");
        assert_eq!(
            column(workspace.state(ALL).attribute("records"), "u_rating"),
            ["-", "-"]
        );
        workspace.configure(&one(
            "natural_key = { u_code = \"ACME\" }\n  columns = [\"u_name\", \"u_rating\"]",
        ));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Hidden column of u_supplier");
        assert_eq!(workspace.state(ONE).attribute("fields"), &json!({"u_name": "Acme"}));
        // One that the query is about.
        workspace.configure(&all("query = \"u_rating=7\""));
        workspace.terraform("plan").await.fails_saying("u_rating");
    })
    .await;
}

/// A table with many records costs few requests, whatever the account sees of it.
#[tokio::test]
async fn a_large_table_is_read_in_part() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        for number in 0..1_050 {
            let name = format!("partner {number:05}");
            simulator
                .instance()
                .put("u_business_partner", &[("u_name", name.as_str())]);
        }
        let many = |arguments: &str| all(arguments).replace("u_supplier", "u_business_partner");
        let workspace = simulator.workspace(terraform, &many(""));
        let asked = |simulator: &Simulator| {
            let asked = simulator.instance().requests();
            asked
                .iter()
                .filter(|request| request.table == "u_business_partner")
                .count()
        };

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1050 records of u_business_partner match, and the first 1000 were read");
        workspace.state(ALL).has("total", 1_050);
        assert_eq!(
            workspace.state(ALL).attribute("records").as_array().unwrap().len(),
            1000
        );

        simulator.instance().clear_requests();
        workspace.configure(&many("limit = 20\n order_by = [\"u_name desc\"]"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("Warning: The records");
        assert_eq!(
            column(workspace.state(ALL).attribute("records"), "u_name")[19],
            "partner 01030"
        );
        assert_eq!(asked(&simulator), 1);

        simulator.instance().clear_requests();
        simulator.instance().quirks(|quirks| {
            quirks.hidden_tables.insert("u_business_partner".to_owned());
        });
        let apply = workspace.terraform("apply").await;
        apply
            .succeeds()
            .says("1050 of the records of u_business_partner that match are hidden");
        // Twenty rows, then a thousand, then the rest.
        assert_eq!(asked(&simulator), 3);

        // A key that means many records names ten of them.
        simulator.instance().quirks(|quirks| quirks.hidden_tables.clear());
        simulator.instance().clear_requests();
        workspace.configure(
            &one("natural_key = { sys_created_by = \"admin\" }").replace("u_supplier", "u_business_partner"),
        );
        let plan = workspace.terraform("plan").await;
        plan.fails_saying("records of u_business_partner");
        assert!(asked(&simulator) <= 4, "{}", asked(&simulator));
    })
    .await;
}

/// An answer without a count proves nothing of what it does not show.
#[tokio::test]
async fn a_list_without_a_count_is_not_complete() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        suppliers(&simulator);
        let answering = |body: Value| Fault::Answer {
            status: 200,
            content_type: "application/json".to_owned(),
            body: json!({"result": body}).to_string(),
        };
        let row = json!([{"sys_id": "0123456789abcdef0123456789abcdef", "u_name": "Acme"}]);
        simulator
            .instance()
            .faults()
            .every(Matcher::table("u_supplier"), answering(row));
        let workspace = simulator.workspace(terraform, &all("limit = 10"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The instance did not count the records");
        workspace.state(ALL).lacks("total");
        simulator.instance().faults().clear();
        simulator
            .instance()
            .faults()
            .every(Matcher::table("u_supplier"), answering(json!([])));
        workspace.terraform("plan").await.fails_saying("u_supplier");
    })
    .await;
}

/// What is not known at plan is read during the apply.
#[tokio::test]
async fn a_record_that_is_made_in_the_same_apply_is_read_then() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let made = r#"
            resource "servicenow_record" "acme" {
              table  = "u_supplier"
              fields = { u_name = "Acme", u_code = "ACME" }
            }
        "#;
        let read = one("id = servicenow_record.acme.id");
        let listed =
            all("query = \"u_code=${servicenow_record.acme.fields.u_code}\"\n depends_on = [servicenow_record.acme]");
        let workspace = simulator.workspace(terraform, &format!("{made}{read}{listed}"));
        workspace.terraform("apply").await.succeeds();
        workspace.state(ONE).has("fields.u_tier", "3");
        workspace.state(ALL).has("total", 1);
        workspace.plan_is_empty().await;
    })
    .await;
}
