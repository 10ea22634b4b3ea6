//! `servicenow_record` for many records and for many tables at once.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::{Simulator, for_each_terraform};

/// A hundred records of a table, and what a record needs there.
fn hundred(table: &str, fields: &str) -> String {
    format!(
        r#"
            resource "servicenow_record" "{table}" {{
              count  = 100
              table  = "{table}"
              fields = {{
                {fields}
              }}
            }}
        "#
    )
}

/// Half a thousand records of five tables are planned with the requests of five tables, and not of five hundred records.
#[tokio::test]
async fn five_hundred_records_of_five_tables_cost_few_requests() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = [
            hundred(
                "u_supplier",
                "u_name = \"Supplier ${count.index}\"\n u_code = \"S${count.index}\"\n u_tier = \"2\"\n u_owner = \"System Administrator\"",
            ),
            hundred("sys_properties", "name = \"x_acme.${count.index}\"\n value = \"${count.index}\""),
            hundred("cmn_department", "name = \"Department ${count.index}\""),
            hundred("core_company", "name = \"Company ${count.index}\""),
            hundred("u_business_partner", "u_name = \"Partner ${count.index}\""),
        ];
        let workspace = simulator.workspace(terraform, &configuration.concat());
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.count("u_supplier"), 100);

        simulator.instance().clear_requests();
        workspace.plan_is_empty().await;

        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for request in simulator.instance().requests() {
            *asked.entry(request.table).or_default() += 1;
        }
        for (table, requests) in &asked {
            let most = if table.starts_with("sys_d") { 6 } else { MOST_OF_A_TABLE };
            assert!(*requests <= most, "{requests} requests for {table}: {asked:#?}");
        }
        // The owner of the suppliers is a user: whether the name still means that one is asked as well.
        assert_eq!(asked.len(), 9, "{asked:#?}");
    })
    .await;
}

/// Requests for the records of a table, beside the three that describe it (what it extends, its columns, their overrides).
///
/// Measured: three or four, 32 in all. Terraform reads ten records at a time, which share a request, and the first of these brings
/// the others along that the same account made. However they fall, a hundred records are ten such requests and one ahead.
const MOST_OF_A_TABLE: usize = 11;

/// Records of ten tables that somebody made by hand: table, values.
const BY_HAND: &[(&str, &[(&str, &str)])] = &[
    (
        "u_supplier",
        &[
            ("u_name", "By hand"),
            ("u_code", "HAND"),
            ("u_rating", "3"),
            ("u_api_key", SECRET),
        ],
    ),
    ("u_business_partner", &[("u_name", "Partner"), ("u_region", "Europe")]),
    (
        "sys_properties",
        &[("name", "x_acme.by_hand"), ("value", "30"), ("type", "integer")],
    ),
    ("cmn_department", &[("name", "By hand")]),
    ("core_company", &[("name", "By hand")]),
    ("cmn_location", &[("name", "By hand")]),
    (
        "sys_choice",
        &[
            ("name", "u_supplier"),
            ("element", "u_tier"),
            ("value", "4"),
            ("label", "By hand"),
        ],
    ),
    ("sys_alias", &[("name", "by_hand"), ("type", "credential")]),
    (
        "discovery_credentials",
        &[("name", "By hand"), ("user_name", "robot"), ("password", SECRET)],
    ),
    (
        "http_connection",
        &[("name", "By hand"), ("connection_url", "https://acme.example")],
    ),
    ("sys_certificate", &[("name", "By hand")]),
];
const SECRET: &str = "secret-by-hand";

#[tokio::test]
async fn what_was_made_by_hand_in_many_tables_is_generated_and_plans_empty() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut blocks = String::new();
        for (table, values) in BY_HAND {
            let id = simulator.instance().put(table, values);
            blocks.push_str(&format!(
                "import {{\n  to = servicenow_record.{table}\n  id = \"{table}/{id}\"\n}}\n"
            ));
        }
        let before = simulator.instance().fingerprint();
        let workspace = simulator.workspace(terraform, &blocks);

        workspace
            .terraform("plan -generate-config-out=generated.tf")
            .await
            .succeeds()
            .says(&format!(
                "{} to import, 0 to add, 0 to change, 0 to destroy",
                BY_HAND.len()
            ));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;

        for (table, values) in BY_HAND {
            let state = workspace.state(&format!("servicenow_record.{table}"));
            let fields = state.attribute("fields").as_object().unwrap();
            for (column, value) in *values {
                let expected = (*value != SECRET).then(|| json!(value));
                assert_eq!(fields.get(*column), expected.as_ref(), "{table}.{column}");
            }
            assert!(
                fields.keys().all(|column| !column.starts_with("sys_")),
                "{table}: {fields:?}"
            );
        }
        workspace.leaks_nothing_of(&[SECRET]);
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}
