//! What keeps a second record of one key out.

use super::*;

#[tokio::test]
async fn a_second_record_of_a_key_is_refused_and_named() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let there = simulator
            .instance()
            .put("u_supplier", &[("u_name", "acme"), ("u_code", "acme")]);
        let configuration = with_owner(&simulator);
        let workspace = simulator.workspace(terraform, &configuration);
        simulator.instance().switches(|modes| modes.quirks.ignores_case = true);

        let apply = workspace.terraform("apply").await;
        apply
            .fails_saying("The record already exists")
            .says(&format!("terraform import servicenow_record.<name> u_supplier/{there}"));
        assert_eq!(
            simulator
                .instance()
                .find("u_supplier", "u_name", "Acme Corporation")
                .len(),
            0
        );

        workspace.configure(
            &configuration
                .replace("[\"u_code\"]", "[\"u_notes\"]")
                .replace("u_notes        = \"Delivers everything.\"", ""),
        );
        workspace
            .terraform("plan")
            .await
            .fails_saying("natural_key names the column u_notes");
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_record() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &supplier(LEAST));
        let posts = Matcher::table("u_supplier").method(Method::POST);
        simulator.instance().faults().next(posts, Fault::CutAfter);
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.count("u_supplier"), 1);
        workspace.plan_is_empty().await;
    })
    .await;
}

/// Without a natural key it is found by what was sent, on an instance that does not use the key that the insert carried.
#[tokio::test]
async fn a_lost_answer_loses_no_record_where_the_instance_chooses_the_key() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().quirks(|quirks| quirks.ignores_chosen_ids = true);
        // One that is alike, and that somebody else made.
        simulator.instance().put("u_supplier", &[("u_name", "Acme"), ("u_code", "other")]);
        let of = |name: &str, code: &str| {
            format!(
                "resource \"servicenow_record\" \"{name}\" {{\n  table = \"u_supplier\"\n  fields = {{\n    u_name = \"Acme\"\n    \
                 u_code = \"{code}\"\n  }}\n}}\n"
            )
        };
        let workspace = simulator.workspace(terraform, &(of("a", "one") + &of("b", "two")));
        let posts = || Matcher::table("u_supplier").method(Method::POST);
        simulator.instance().faults().next(posts(), Fault::CutAfter);
        simulator.instance().faults().next(posts(), Fault::CutAfter);

        workspace.terraform("apply").await.succeeds();

        assert_eq!(simulator.count("u_supplier"), 3);
        let ids = ["a", "b"].map(|name| workspace.state(&format!("servicenow_record.{name}")).text("id"));
        assert_ne!(ids[0], ids[1]);
        workspace.plan_is_empty().await;

        // One that was not made is not found.
        workspace.configure(&[of("a", "one"), of("b", "two"), of("c", "three")].concat());
        simulator.instance().faults().next(posts(), Fault::CutBefore);
        workspace
            .terraform("apply")
            .await
            .fails_saying("nothing else to be recognised by");
        assert_eq!(simulator.count("u_supplier"), 3);
    })
    .await;
}

/// One number in three spellings is one key, also within one apply.
#[tokio::test]
async fn a_number_is_one_key_in_each_spelling() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let of = |number: &str, name: &str| {
            format!(
                "resource \"servicenow_record\" \"{name}\" {{\n  table = \"u_supplier\"\n  natural_key = [\"u_rating\"]\n  fields = \
                 {{\n    u_name = \"{name}\"\n    u_code = \"{name}\"\n    u_rating = \"{number}\"\n  }}\n}}\n"
            )
        };
        let three = [of("7", "a"), of("07", "b"), of("+7", "c")].concat();
        let workspace = simulator.workspace(terraform, &three);
        workspace
            .terraform("apply")
            .await
            .fails_saying("The record already exists");
        assert_eq!(simulator.only_record("u_supplier")["u_rating"], "7");

        let two = [of("12.50", "a"), of("12.5", "b")].concat().replace("u_rating", "u_budget");
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &two);
        workspace
            .terraform("apply")
            .await
            .fails_saying("The record already exists");
        assert_eq!(simulator.only_record("u_supplier")["u_budget"], "12.5");
    })
    .await;
}

/// A create looks for a record of the key, and so does an update that changes it.
#[tokio::test]
async fn a_record_does_not_take_the_key_of_another() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let two = |second: &str| {
            let of = |name: &str, description: &str| {
                format!(
                    "resource \"servicenow_record\" \"{name}\" {{\n  table = \"sys_properties\"\n  natural_key = \
                     [\"description\"]\n  fields = {{\n    name = \"x_acme.{name}\"\n    description = \"{description}\"\n  }}\n}}\n"
                )
            };
            of("first", "one") + &of("acme", second)
        };
        let workspace = simulator.workspace(terraform, &two("two"));
        workspace.terraform("apply").await.succeeds();
        let first = simulator.instance().find("sys_properties", "name", "x_acme.first").remove(0);
        workspace.configure(&two("TWO"));
        workspace.terraform("apply").await.succeeds();

        workspace.configure(&two("one"));

        workspace
            .terraform("apply")
            .await
            .fails_saying("The record already exists")
            .says(&first["sys_id"]);
    })
    .await;
}

/// A replacement deletes first: what would be refused afterwards is refused before.
#[tokio::test]
async fn a_replacement_that_would_be_refused_deletes_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let of = |table: &str, name: &str| {
            format!(
                "resource \"servicenow_record\" \"acme\" {{\n  table = \"{table}\"\n  natural_key = [\"name\"]\n  fields = {{\n    \
                 name = \"{name}\"\n  }}\n}}\n"
            )
        };
        let there = simulator.instance().put("core_company", &[("name", "Acme")]);
        let workspace = simulator.workspace(terraform, &of("cmn_department", "Acme"));
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&of("core_company", "Acme"));

        workspace
            .terraform("apply")
            .await
            .fails_saying("The record already exists")
            .says(&there);

        assert_eq!(simulator.instance().find("cmn_department", "name", "Acme").len(), 1);
        workspace.configure(&of("core_company", "Acme 2"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 added, 0 changed, 1 destroyed");
    })
    .await;
}
