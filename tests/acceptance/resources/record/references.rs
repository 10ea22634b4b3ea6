//! References by name and by sys_id.

use super::*;

#[tokio::test]
async fn references_are_names_or_keys() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let parent = simulator
            .instance()
            .put("u_supplier", &[("u_name", "Holding"), ("u_code", "HOLD")]);
        let of = |parent: &str| supplier(&format!("{LEAST}\nu_parent = {parent:?}"));
        let workspace = simulator.workspace(terraform, &of("Holding"));
        workspace.terraform("apply").await.succeeds();
        workspace.state(ADDRESS).has("reference_ids.u_parent", parent.as_str());
        workspace.configure(&of(&parent));
        workspace.plan_is_empty().await;

        // Renamed: the same record.
        simulator
            .instance()
            .change("u_supplier", &parent, &[("u_name", "Group")]);
        workspace.plan_is_empty().await;
        workspace.configure(&of("Group"));
        workspace.plan_is_empty().await;

        workspace.configure(&of("Nobody"));
        workspace.terraform("apply").await.fails_saying("Nobody");

        let other = simulator
            .instance()
            .put("u_supplier", &[("u_name", "Group"), ("u_code", "GROUP2")]);
        simulator.instance().change(
            "u_supplier",
            &workspace.state(ADDRESS).text("id"),
            &[("u_parent", &other)],
        );
        workspace.configure(&of(&parent));
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let record = simulator.instance().find("u_supplier", "sys_id", &id).remove(0);
        assert_eq!(record["u_parent"], parent);
    })
    .await;
}

/// A name means the record that it meant, until another record has it.
#[tokio::test]
async fn a_name_that_went_to_another_record_is_a_change() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let parent = instance.put("u_supplier", &[("u_name", "Parent"), ("u_code", "P1")]);
        let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nu_parent = \"Parent\"")));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        // It has another name now, which is no matter.
        instance.change("u_supplier", &parent, &[("u_name", "Renamed")]);
        workspace.plan_is_empty().await;
        instance.remove("u_supplier", &parent);
        workspace.plan_is_empty().await;

        let other = instance.put("u_supplier", &[("u_name", "Parent"), ("u_code", "P2")]);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("0 added, 1 changed, 0 destroyed");

        assert_eq!(instance.find("u_supplier", "sys_id", &id)[0]["u_parent"], other);
        workspace.state(ADDRESS).has("reference_ids.u_parent", other.as_str());
        workspace.plan_is_empty().await;
    })
    .await;
}

/// Two people have one name: the name alone does not say which of them a record refers to.
#[tokio::test]
async fn another_record_of_the_same_name_is_another_one() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let person = |user: &str| {
            instance.put(
                "sys_user",
                &[
                    ("user_name", user),
                    ("name", "Jo Doe"),
                    ("first_name", "Jo"),
                    ("last_name", "Doe"),
                ],
            )
        };
        let first = person("jo.1");
        let workspace = simulator.workspace(terraform, &supplier(&format!("{LEAST}\nu_owner = \"Jo Doe\"")));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        assert_eq!(simulator.only_record("u_supplier")["u_owner"], first);
        let second = person("jo.2");
        workspace.plan_is_empty().await;

        instance.change("u_supplier", &id, &[("u_owner", &second)]);

        workspace.plan().await.does(ADDRESS, &["update"]);
        let import = format!("import {{\n  to = {ADDRESS}\n  id = \"u_supplier/{id}\"\n}}\n");
        let configuration = supplier(&format!("{LEAST}\nu_owner = {second:?}"));
        let other = simulator.workspace(terraform, &format!("{import}{configuration}"));
        other
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed");
        other.state(ADDRESS).has("fields.u_owner", second.as_str());
    })
    .await;
}
