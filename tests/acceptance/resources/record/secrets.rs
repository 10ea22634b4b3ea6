//! Secrets stay out of the state, the plan and generated configuration.

use super::*;

#[tokio::test]
async fn secrets_are_sent_and_never_kept() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let of = |secret: &str, version: &str| {
            supplier(LEAST).replace(
                "table =",
                &format!("fields_wo = {{ u_api_key = {secret:?} }}\n  fields_wo_version = {version:?}\n  table ="),
            )
        };
        let workspace = simulator.workspace(terraform, &of("first-secret-value", "1"));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.only_record("u_supplier")["u_api_key"], "first-secret-value");
        workspace.configure(&of("second-secret-value", "1"));
        workspace.plan_is_empty().await;
        workspace.configure(&of("second-secret-value", "2"));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.only_record("u_supplier")["u_api_key"], "second-secret-value");
        workspace.leaks_nothing_of(&["first-secret-value", "second-secret-value"]);
        // A value of another column is read as one of fields is.
        let (admin, name) = administrator(&simulator);
        let with_owner =
            of("third-secret-value", "3").replace("u_api_key =", &format!("u_owner = {name:?}, u_api_key ="));
        workspace.configure(&with_owner);
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.only_record("u_supplier")["u_owner"], admin);
        workspace.configure(&with_owner.replace(&name, "nobody-here").replace("\"3\"", "\"4\""));
        workspace
            .terraform("apply")
            .await
            .fails_saying("The reference cannot be looked up");

        workspace.configure(&of("third-secret-value", "2").replace("fields_wo_version = \"2\"\n", ""));
        workspace.terraform("plan").await.says("fields_wo has no version");
    })
    .await;
}

/// A secret that was configured by mistake must not stay in the state once it is taken out.
#[tokio::test]
async fn what_is_no_longer_listed_leaves_the_state() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nu_notes = \"noted-marker\"")));
        workspace.terraform("apply").await.succeeds();
        let before = simulator.instance().fingerprint();

        workspace.configure(&supplier(LEAST));
        workspace.plan().await.updates_only(ADDRESS, &["fields"]);
        workspace.terraform("apply").await.succeeds();

        workspace.plan_is_empty().await;
        assert!(!workspace.state_file().to_string().contains("noted-marker"));
        assert_eq!(
            simulator.instance().fingerprint(),
            before,
            "the instance keeps the value"
        );
    })
    .await;
}

/// A property has a type of its own, which makes its value a secret.
#[tokio::test]
async fn the_value_of_a_secret_property_goes_nowhere() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let of_type = |kind: &str| property("").replace("name =", &format!("type = {kind:?}\n    name ="));
        let workspace = simulator.workspace(terraform, &of_type("password2"));
        workspace
            .terraform("plan")
            .await
            .fails_saying("The column value is a secret")
            .says("Move it to fields_wo");

        let id = simulator.instance().put(
            "sys_properties",
            &[("name", "x_acme.key"), ("type", "password2"), ("value", "value-marker")],
        );
        let read = format!(
            "data \"servicenow_record\" \"one\" {{\n  table = \"sys_properties\"\n  id = \"{id}\"\n}}\ndata \
             \"servicenow_records\" \"all\" {{\n  table = \"sys_properties\"\n  query = \"name=x_acme.key\"\n  columns = [\"name\", \
             \"value\"]\n}}\nimport {{\n  to = {ADDRESS}\n  id = \"sys_properties/{id}\"\n}}\nresource \"servicenow_record\" \"acme\" \
             {{\n  table = \"sys_properties\"\n  fields = {{\n    name = \"x_acme.key\"\n    type = \"password2\"\n  }}\n}}\n"
        );
        let workspace = simulator.workspace(terraform, &read);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Secrets of sys_properties are left out");
        workspace.plan_is_empty().await;
        let state = workspace.state_file().to_string();
        assert!(state.contains("x_acme.key") && !state.contains("value-marker"), "{state}");

        let key = "import {\n  to = servicenow_record.acme\n  id = \"u_supplier/u_api_key=x\"\n}\n";
        let workspace = simulator.workspace(terraform, &format!("{key}{}", supplier(LEAST)));
        workspace.terraform("plan").await.fails_saying("u_supplier.u_api_key holds a secret");
        workspace.configure(&format!("{}{}", key.replace("u_api_key", "u_label"), supplier(LEAST)));
        workspace
            .terraform("plan")
            .await
            .fails_saying("u_supplier.u_label is calculated at each read");
    })
    .await;
}

/// Without the type in the configuration, the record has it.
#[tokio::test]
async fn a_property_that_became_a_secret_stays_out_of_the_state() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &property(""));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        simulator.instance().change(
            "sys_properties",
            &id,
            &[("type", "password2"), ("value", "value-marker")],
        );

        let plan = workspace.terraform("plan").await;

        plan.succeeds()
            .says("The column value is a secret")
            .does_not_say("value-marker");
        workspace.terraform("apply").await.succeeds();
        assert!(!workspace.state_file().to_string().contains("value-marker"));
    })
    .await;
}
