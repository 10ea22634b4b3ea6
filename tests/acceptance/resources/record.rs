//! `servicenow_record`: a record of any table, here of one that somebody made on the instance.

mod many_records; // Many records, and many tables.
mod natural_key; // What keeps a second record of one key out.
mod references; // By name and by sys_id.
mod secrets; // Out of the state, the plan and generated configuration.

use serde_json::json;
use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};

use crate::harness::{Drift, Simulator, Terraform, Workspace, for_each_terraform, removal_is_corrected};

const ADDRESS: &str = "servicenow_record.acme";
const SUPPLIER: &str = r#"
    resource "servicenow_record" "acme" {
      table       = "u_supplier"
      natural_key = ["u_code"]
      fields = {
        u_name         = "Acme Corporation"
        u_code         = "ACME"
        u_tier         = "1"
        active         = true
        u_rating       = 7
        u_budget       = "12500.50"
        u_contract_end = "2027-12-31"
        u_reviewed_on  = "2026-11-01 08:00:00"
        u_contact      = "sales@acme.example"
        u_portal       = "https://portal.acme.example"
        u_owner        = "admin"
        u_notes        = "Delivers everything."
      }
    }
"#;

/// The same with these fields.
fn supplier(fields: &str) -> String {
    format!("resource \"servicenow_record\" \"acme\" {{\n  table = \"u_supplier\"\n  fields = {{\n{fields}\n  }}\n}}\n")
}

const LEAST: &str = "u_name = \"Acme\"\nu_code = \"ACME\"";

/// The display column of users is the name here: that of the administrator.
fn administrator(simulator: &Simulator) -> (String, String) {
    let admin = simulator.instance().find("sys_user", "user_name", "admin").remove(0);
    (admin["sys_id"].clone(), admin["name"].clone())
}

fn with_owner(simulator: &Simulator) -> String {
    SUPPLIER.replace("\"admin\"", &format!("{:?}", administrator(simulator).1))
}

#[tokio::test]
async fn a_record_is_made_changed_and_removed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (admin, name) = administrator(&simulator);
        let configuration = with_owner(&simulator);
        let workspace = simulator.workspace(terraform, &configuration);

        workspace.terraform("apply").await.succeeds_without_warning();

        let record = simulator.only_record("u_supplier");
        for (column, value) in [
            ("u_name", "Acme Corporation"),
            ("u_tier", "1"),
            ("active", "true"),
            ("u_rating", "7"),
            ("u_owner", admin.as_str()),
        ] {
            assert_eq!(record[column], value, "{column}");
        }
        workspace
            .state(ADDRESS)
            .has("id", record["sys_id"].as_str())
            .has("display_value", "Acme Corporation")
            .has("class_name", "u_supplier")
            .has("fields.u_owner", name.as_str())
            .has("reference_ids.u_owner", admin.as_str());
        workspace.plan_is_empty().await;

        // Other words for the same values.
        let respelled = configuration
            .replace("= true", "= \"1\"")
            .replace("\"12500.50\"", "\"12500.5\"")
            .replace("portal.acme.example\"", "portal.acme.example/\"")
            .replace("sales@acme", "Sales@acme")
            .replace(&format!("{name:?}"), &format!("{admin:?}"));
        workspace.configure(&respelled);
        workspace.plan_is_empty().await;

        workspace.configure(
            &configuration
                .replace("= 7", "= 8")
                .replace("\"Delivers everything.\"", "\"\""),
        );
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply").await.succeeds_without_warning();
        let record = simulator.only_record("u_supplier");
        assert_eq!((record["u_rating"].as_str(), record["u_notes"].as_str()), ("8", ""));
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn only_the_listed_columns_are_managed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &supplier(LEAST));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");

        let others = [("u_notes", "by hand"), ("u_tier", "2")];
        simulator.instance().change("u_supplier", &id, &others);
        workspace.plan_is_empty().await;

        let drift = Drift {
            address: ADDRESS,
            changes: &[("u_supplier", &id, &[("u_name", "Somebody else's")])],
            planned: &["fields", "display_value"],
            kept: &[],
        };
        drift.is_corrected(&simulator, &workspace).await;
        assert_eq!(simulator.only_record("u_supplier")["u_notes"], "by hand");

        // A column that is no longer listed stays as it is.
        workspace.configure(&supplier(&format!("{LEAST}\nu_notes = \"managed\"")));
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&supplier(LEAST));
        workspace.plan().await.updates_only(ADDRESS, &["fields"]);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(simulator.only_record("u_supplier")["u_notes"], "managed");

        removal_is_corrected(&workspace, ADDRESS, |id| simulator.instance().remove("u_supplier", id)).await;
    })
    .await;
}

#[tokio::test]
async fn what_the_dictionary_has_against_it_fails_the_plan() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, "");
        for (fields, says) in [
            ("u_ratng = 1", "Names that resemble it: u_rating"),
            ("Rating = 1", "\"Rating\" is the label of the column u_rating"),
            ("u_rating = \"high\"", "the column holds a whole number"),
            (
                "u_rating = \"99999999999999\"",
                "whole numbers between -2147483648 and 2147483647",
            ),
            ("u_budget = \"12,50\"", "the column holds a number, such as 12.5"),
            ("active = \"yes\"", "the column holds true or false"),
            (
                "u_contract_end = \"31.12.2027\"",
                "the column holds a date, such as 2026-01-31",
            ),
            (
                "u_reviewed_on = \"2026-11-01T08:00:00Z\"",
                "the column holds a time in UTC",
            ),
            (
                "u_tier = \"Strategic\"",
                "It is the label of the choice; its value is \"1\"",
            ),
            ("u_tier = \"9\"", "\"1\" (Strategic)"),
            (
                "u_region = \"a region that is far too long\"",
                "and the column holds 20",
            ),
            ("u_label = \"x\"", "The column u_label is calculated"),
            ("u_number = \"x\"", "The column u_number is read-only"),
            ("u_api_key = \"x\"", "Move it to fields_wo"),
            (
                "sys_created_by = \"me\"",
                "The column sys_created_by belongs to the instance",
            ),
            ("sys_scope = \"global\"", "Use the argument `application_scope`"),
            ("\"u_owner.name\" = \"x\"", "is not the name of a column"),
        ] {
            workspace.configure(&supplier(&format!("{LEAST}\n{fields}")));
            workspace.terraform("plan").await.fails_saying(says);
        }
        for (secret, says) in [
            ("u_label = \"maybe\"", "The column u_label is calculated"),
            ("u_number = \"maybe\"", "The column u_number is read-only"),
            ("active = \"maybe\"", "the column holds true or false"),
            (
                "u_tier = \"Strategic\"",
                "It is the label of the choice; its value is \"1\"",
            ),
        ] {
            let secret = format!("fields_wo = {{ {secret} }}\n  fields_wo_version = \"1\"\n  table =");
            workspace.configure(&supplier(LEAST).replace("table =", &secret));
            workspace.terraform("plan").await.fails_saying(says);
        }
        workspace.configure(&supplier("u_name = \"Acme\""));
        workspace
            .terraform("plan")
            .await
            .fails_saying("Mandatory column is not given: u_code");
        workspace.configure(&supplier("u_name = \"Acme\"\nu_code = null"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("The value of \"u_code\" is null");
        workspace.configure(&supplier(LEAST).replace("table =", "application_scope = \"global\"\n  table ="));
        workspace
            .terraform("plan")
            .await
            .fails_saying("the table has no column sys_scope");
        workspace.configure(&supplier(LEAST).replace("u_supplier", "u_suplier"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("The instance has no table u_suplier")
            .says("Names that resemble it: u_supplier");
        workspace.configure(&supplier(LEAST).replace("u_supplier", "U Supplier"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("is not the name of a table");
        assert_eq!(simulator.count("u_supplier"), 0);

        let lenient = supplier(&format!("{LEAST}\nu_number = \"S-1\"")).replace("table =", "strict = false\n  table =");
        workspace.configure(&lenient);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The column u_number is read-only");
        assert_eq!(simulator.only_record("u_supplier")["u_number"], "S-1");
        workspace.configure(&lenient.replace("u_number = \"S-1\"", "u_rating = \"abc\""));
        workspace
            .terraform("apply")
            .await
            .says("it is not valid for the column's type")
            .does_not_say("a field ACL probably");
        workspace.configure(&lenient.replace("u_number = \"S-1\"", "u_label = \"x\""));
        workspace
            .terraform("apply")
            .await
            .says("the instance fills the column by itself");
    })
    .await;
}

#[tokio::test]
async fn a_dictionary_that_cannot_be_read_is_a_warning() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().switches(|modes| {
            modes.quirks.hidden_tables.insert("sys_dictionary".to_owned());
        });
        let (admin, _) = administrator(&simulator);
        let configuration = supplier(&format!("{LEAST}\nu_rating = 7\nactive = true\nu_owner = {admin:?}"));
        let workspace = simulator.workspace(terraform, &configuration);

        let apply = workspace.terraform("apply").await;
        apply
            .succeeds()
            .says("The columns of u_supplier are not known completely");
        workspace.plan_is_empty().await;

        // What the instance drops is told all the same.
        workspace.configure(&supplier(&format!("{LEAST}\nu_ratng = 7")));
        workspace.terraform("apply").await.says("u_ratng");

        // A part of it: what is not in it may be there.
        simulator
            .instance()
            .switches(|modes| modes.quirks.hidden_tables.clear());
        let row = simulator
            .instance()
            .find("sys_dictionary", "element", "u_rating")
            .remove(0);
        simulator.instance().switches(|modes| {
            modes.hidden_rows.insert(row["sys_id"].clone());
        });
        workspace.configure(&supplier(&format!("{LEAST}\nu_rating = 9")));
        let apply = workspace.terraform("apply").await;
        apply.succeeds().says("shows a part of the columns");
        assert_eq!(simulator.only_record("u_supplier")["u_rating"], "9");
        workspace.plan_is_empty().await;
    })
    .await;
}

/// A rule can take rows out of the dictionary without a word, and out of the count.
#[tokio::test]
async fn a_column_that_records_show_is_there_whatever_the_dictionary_says() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let row = simulator
            .instance()
            .find("sys_dictionary", "element", "u_rating")
            .remove(0);
        simulator.instance().remove("sys_dictionary", &row["sys_id"]);
        simulator
            .instance()
            .put("u_supplier", &[("u_name", "Other"), ("u_code", "OTHER")]);
        let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nu_rating = 7")));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_record_may_stay_after_a_destroy() {
    for_each_terraform(async |terraform| {
        for (policy, active) in [("keep", "true"), ("deactivate", "false")] {
            let simulator = Simulator::start().await;
            let of = supplier(LEAST).replace("table =", &format!("deletion_policy = {policy:?}\n  table ="));
            let workspace = simulator.workspace(terraform, &of);
            workspace.terraform("apply").await.succeeds();
            workspace.terraform("destroy").await.succeeds();
            assert_eq!(simulator.only_record("u_supplier")["active"], active, "{policy}");
        }
        let simulator = Simulator::start().await;
        let of = supplier("u_name = \"A\"").replace("u_supplier", "u_business_partner");
        let workspace = simulator.workspace(
            terraform,
            &of.replace("table =", "deletion_policy = \"deactivate\"\n table ="),
        );
        workspace.terraform("plan").await.fails_saying("has no column active");
    })
    .await;
}

/// Everything that a person would write, and nothing else.
#[tokio::test]
async fn what_was_made_by_hand_is_imported_with_an_empty_plan() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (admin, name) = administrator(&simulator);
        let id = simulator.instance().put(
            "u_supplier",
            &[
                ("u_name", "By hand"),
                ("u_code", "HAND"),
                ("u_rating", "3"),
                ("u_owner", &admin),
                ("u_number", "S-17"),
                ("u_api_key", "secret-by-hand"),
                ("active", "true"),
                ("u_tier", "3"),
            ],
        );
        for to_import in [
            format!("u_supplier/{id}"),
            "u_supplier/u_code=HAND".to_owned(),
            format!("u_supplier/u_owner={name}^u_name=By hand"),
        ] {
            let workspace = simulator.workspace(terraform, &supplier("u_name = \"By hand\""));
            let import = ["import", "-no-color", ADDRESS, &to_import];
            workspace.terraform_with(&import).await.succeeds();
            let fields = workspace.state(ADDRESS).attribute("fields").clone();
            let expected = json!({"u_code": "HAND", "u_name": "By hand", "u_owner": name, "u_rating": "3"});
            assert_eq!(fields, expected);
            workspace.plan_is_empty().await;
            workspace.leaks_nothing_of(&["secret-by-hand"]);

            // What is the default may be written or not, and is watched where it is written.
            workspace.configure(&supplier("u_name = \"By hand\"\nu_tier = 3"));
            workspace.plan_is_empty().await;
            simulator.instance().change("u_supplier", &id, &[("u_tier", "2")]);
            workspace.plan().await.does(ADDRESS, &["update"]);
            simulator.instance().change("u_supplier", &id, &[("u_tier", "3")]);
        }
        generated(&simulator, terraform, &id).await;

        let workspace = simulator.workspace(terraform, &supplier(LEAST));
        for (wrong, says) in [
            ("u_supplier", "does not name a table"),
            ("u_supplier/HAND", "Use table/sys_id"),
            ("u_supplier/u_cod=HAND", "Did you mean \"u_code\"?"),
            ("u_supplier/u_code=NOBODY", "Nothing to import"),
            ("u_suplier/u_code=HAND", "has no table u_suplier"),
        ] {
            let import = ["import", "-no-color", ADDRESS, wrong];
            workspace.terraform_with(&import).await.fails_saying(says);
        }
    })
    .await;
}

async fn generated(simulator: &Simulator, terraform: &Terraform, id: &str) {
    let block = format!("import {{\n  to = {ADDRESS}\n  id = \"u_supplier/{id}\"\n}}\n");
    let workspace: Workspace = simulator.workspace(terraform, &block);
    workspace
        .terraform("plan -generate-config-out=generated.tf")
        .await
        .succeeds()
        .says("1 to import, 0 to add, 0 to change, 0 to destroy");
    workspace.terraform("apply").await.succeeds();
    workspace.plan_is_empty().await;
}

#[tokio::test]
async fn a_table_with_a_type_of_its_own_is_pointed_to() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let of = r#"
            resource "servicenow_record" "acme" {
              table  = "sys_user"
              fields = { user_name = "robot" }
            }
        "#;
        let workspace = simulator.workspace(terraform, of);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("servicenow_integration_user manages records of sys_user");
        // Not where the other type only changes what exists.
        workspace.configure(&of.replace("sys_user\"", "sys_db_object\"").replace("user_name", "name"));
        let table = workspace.terraform("plan").await;
        table.succeeds().does_not_say("servicenow_table_access");
        workspace.configure(of);

        // And moved to it, and back.
        let typed = r#"
            resource "servicenow_integration_user" "robot" {
              user_name = "robot"
            }
            moved {
              from = servicenow_record.acme
              to   = servicenow_integration_user.robot
            }
        "#;
        workspace.configure(typed);
        let plan = workspace.plan().await;
        plan.does("servicenow_integration_user.robot", &["no-op"]);
        workspace.terraform("apply").await.succeeds();
        if !terraform.moves_identities() {
            return;
        }
        let back = "moved {\n from = servicenow_integration_user.robot\n to = servicenow_record.acme\n}\n";
        workspace.configure(&format!("{of}\n{back}"));
        workspace.plan().await.does(ADDRESS, &["no-op"]);
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.only_record("sys_user")["user_name"], "robot");
    })
    .await;
}

#[tokio::test]
async fn what_the_platform_refuses_is_explained() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let of = r#"
            resource "servicenow_record" "acme" {
              table  = "sys_security_acl"
              fields = { name = "incident" }
              strict = false
            }
        "#;
        let workspace = simulator.workspace(terraform, of);
        let apply = workspace.terraform("apply").await;
        apply
            .fails_saying("No right to create the record of sys_security_acl")
            .says("without the elevated role security_admin");
        assert_eq!(simulator.count("sys_security_acl"), 0);
    })
    .await;
}

/// A property, in the application that an account uses unless it says so.
fn property(more: &str) -> String {
    format!(
        "resource \"servicenow_record\" \"acme\" {{\n  table = \"sys_properties\"\n  {more}\n  fields = {{\n    name = \
         \"x_acme.limit\"\n    value = \"5\"\n  }}\n}}\n"
    )
}

/// Where another application means a replacement, the record is deleted first: so not for a name that says the same, nor for one
/// that does not exist.
#[tokio::test]
async fn an_application_that_is_named_later_replaces_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &property(""));
        workspace.terraform("apply").await.succeeds();
        let made = simulator
            .instance()
            .find("sys_properties", "name", "x_acme.limit")
            .remove(0);
        let before = simulator.instance().fingerprint();

        workspace.configure(&property("application_scope = \"global\""));
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["application_scope", "application_scope_id"]);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(simulator.instance().fingerprint(), before);

        workspace.configure(&property("application_scope = \"nosuchscope\""));
        workspace
            .terraform("plan")
            .await
            .fails_saying("Could not find the application")
            .says("nosuchscope");

        let imported = format!(
            "import {{\n  to = {ADDRESS}\n  id = \"sys_properties/{}\"\n}}\n{}",
            made["sys_id"],
            property("application_scope = \"global\"")
        );
        let other = simulator.workspace(terraform, &imported);
        other
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 1 changed, 0 destroyed");
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

/// The platform drops a table with its record.
#[tokio::test]
async fn a_destroy_keeps_the_record_of_a_table() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let import = format!("import {{\n  to = {ADDRESS}\n  id = \"sys_db_object/name=u_supplier\"\n}}\n");
        let table = |more: &str| {
            format!(
                "resource \"servicenow_record\" \"acme\" {{\n  table = \"sys_db_object\"\n  {more}\n  fields = {{\n    name = \
                 \"u_supplier\"\n  }}\n}}\n"
            )
        };
        let workspace = simulator.workspace(terraform, &format!("{import}{}", table("")));
        let before = simulator.instance().fingerprint();
        workspace.terraform("apply").await.succeeds().says("0 changed");
        workspace.state(ADDRESS).has("deletion_policy", "keep");

        workspace.terraform("destroy").await.succeeds();

        assert_eq!(simulator.instance().fingerprint(), before);
        workspace.configure(&format!("{import}{}", table("deletion_policy = \"delete\"")));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("A destroy drops a table or a column");

        workspace.terraform("apply").await.succeeds();
        workspace.configure(&table("").replace("u_supplier", "u_vendor"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("A table or a column would become another one")
            .says("from \"u_supplier\" to \"u_vendor\"");
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

/// The same Boolean in other spellings, and a word that is a key in columns of applications alone.
#[tokio::test]
async fn values_mean_what_they_say() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        for spelling in ["True", " true ", "1"] {
            let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nactive = {spelling:?}")));
            workspace
                .terraform("apply")
                .await
                .succeeds()
                .does_not_say("was not kept");
            assert_eq!(simulator.only_record("u_supplier")["active"], "true", "{spelling}");
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
        }
        let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nu_owner = \" \"")));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.only_record("u_supplier")["u_owner"], "");
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nu_owner = \"global\"")));
        workspace.terraform("apply").await.fails_saying("has no record");
        assert_eq!(simulator.count("u_supplier"), 0);

        simulator.instance().switches(|modes| {
            modes.quirks.hidden_tables.insert("sys_dictionary".to_owned());
        });
        let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nu_api_key = \"key-marker\"")));
        workspace
            .terraform("plan")
            .await
            .fails_saying("The column u_api_key may be a secret")
            .says("Move it to fields_wo");
    })
    .await;
}

/// The table that others extend shows some of a record's columns alone.
#[tokio::test]
async fn a_record_is_imported_as_what_it_is() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().put(
            "sys_properties",
            &[
                ("name", "x_acme.limit"),
                ("value", "5"),
                ("sys_class_name", "sys_properties"),
            ],
        );
        let import = format!("import {{\n  to = {ADDRESS}\n  id = \"sys_metadata/{id}\"\n}}\n");
        let workspace = simulator.workspace(
            terraform,
            &format!(
                "{import}resource \"servicenow_record\" \"acme\" {{\n  table = \"sys_metadata\"\n  fields = {{}}\n}}\n"
            ),
        );

        workspace
            .terraform("plan")
            .await
            .fails_saying("The record belongs to sys_properties")
            .says(&format!("sys_properties/{id}"));
    })
    .await;
}
