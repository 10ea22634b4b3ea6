//! The modules: their own tests, and each variant of the guide from `examples/guide`.

use servicenow_simulator::connection_test::{Variant, Wanted};

use crate::harness::modules_and_examples::{at_hand, azuread, copy, example, shipped, with_azuread};
use crate::harness::{Guide, Simulator, Terraform, Workspace, for_each_terraform, manual_setup};

/// `terraform test` in each module, with mocked providers.
#[tokio::test]
async fn each_module_passes_its_own_tests() {
    for_each_terraform(async |terraform| {
        for module in ["copilot-connector", "custom-table", "m365-support-integration"] {
            let workspace = Workspace::without_provider(terraform, "");
            copy(&workspace, &shipped("modules").join(module), "");

            workspace.terraform("validate").await.succeeds();
            workspace.terraform("test").await.succeeds().says("0 failed");
        }
    })
    .await;
}

#[tokio::test]
async fn entra_apps_passes_its_own_tests() {
    let Some(azuread) = azuread("the tests of modules/entra-apps") else {
        return;
    };
    let simulator = Simulator::start().await;
    for_each_terraform(async |terraform| {
        let mut workspace = Workspace::without_provider(terraform, "");
        copy(&workspace, &shipped("modules/entra-apps"), "");
        with_azuread(&mut workspace, &simulator, &azuread);

        workspace.terraform("validate").await.succeeds();
        workspace.terraform("test").await.succeeds().says("0 failed");
    })
    .await;
}

/// A workspace with `examples/guide` in one of the variants.
async fn guide_workspace(guide: &Guide, simulator: &Simulator, terraform: &Terraform, variant: &str) -> Workspace {
    let mut workspace = example(simulator, terraform, "guide").await;
    workspace.set("TF_VAR_variant", variant);
    workspace.set("TF_VAR_manage_admin_center", "true");
    workspace.set("TF_VAR_outbound", &client(&guide.outbound.client_id));
    let (inbound, rest_user) = match variant {
        "aad_v1" => {
            workspace.set("TF_VAR_inbound", &client(&guide.inbound.client_id));
            workspace.set("TF_VAR_rest_user", &client(&guide.rest_user.client_id));
            (
                guide.inbound.client_secret.as_str(),
                guide.rest_user.client_secret.as_str(),
            )
        }
        "basic_v1" => {
            workspace.set("TF_VAR_inbound", "{}");
            workspace.set("TF_VAR_rest_user", &client("m365.integration"));
            (ENDPOINT_SECRET, PASSWORD)
        }
        _ => ("", ""),
    };
    let secrets = [
        ("outbound", guide.outbound.client_secret.as_str()),
        ("inbound", inbound),
        ("rest_user", rest_user),
    ];
    let given = secrets.iter().filter(|(_, secret)| !secret.is_empty());
    let lines: Vec<String> = given.map(|(name, secret)| format!("{name} = {secret:?}")).collect();
    workspace.set("TF_VAR_client_secrets", &format!("{{ {} }}", lines.join(", ")));
    workspace
}

fn client(id: &str) -> String {
    format!("{{ client_id = {id:?} }}")
}

const ENDPOINT_SECRET: &str = "the-secret-of-the-endpoint-0123456789";
const PASSWORD: &str = "The-Password-of-the-user-0123456789";

/// Each variant: apply, the connection test that it has, an empty plan, no trace of a secret, a clean end.
#[tokio::test]
async fn each_variant_connects_and_leaves_nothing_behind() {
    for_each_terraform(async |terraform| {
        for (name, variant) in [
            ("aad_v1", Variant::AadV1),
            ("basic_v1", Variant::BasicV1),
            ("insights_only", Variant::InsightsOnly),
            ("v2", Variant::V2),
        ] {
            let simulator = Simulator::start().await;
            let guide = Guide::register(&simulator);
            let workspace = guide_workspace(&guide, &simulator, terraform, name).await;

            workspace.terraform("apply").await.succeeds();

            let wanted = Wanted {
                variant: Some(variant),
                ..Wanted::default()
            };
            let report = simulator.connection().run(&wanted).await;
            assert!(report.ok, "{name}: {report:#?}");
            workspace.plan_is_empty().await;
            workspace.plan().await;
            workspace.leaks_nothing_of(&guide.secrets());
            workspace.leaks_nothing_of(&[ENDPOINT_SECRET, PASSWORD]);
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// Unless it is asked for, nothing is written to the admin center, and every value to enter there is in the outputs.
#[tokio::test]
async fn the_admin_center_can_be_left_to_a_person() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let mut workspace = guide_workspace(&guide, &simulator, terraform, "aad_v1").await;
        workspace.unset("TF_VAR_manage_admin_center");

        workspace.terraform("apply").await.succeeds();

        assert!(simulator.admin().repositories().is_empty());
        let printed = workspace.terraform("output -json values_to_enter_by_hand").await;
        let values = printed.succeeds().json();
        let typed = |step: &str, field: &str| {
            let all = values.as_array().unwrap();
            let entry = all.iter().find(|it| it["step"] == step && it["field"] == field);
            entry.unwrap_or_else(|| panic!("{step} {field} is not in {values:#}"))["value"].clone()
        };
        assert_eq!(
            typed("M3", "Application ID to issue Auth Token"),
            guide.outbound.client_id
        );
        assert_eq!(typed("M4", "Client ID"), guide.inbound.client_id);
        assert_eq!(typed("M4", "Rest user name"), guide.rest_user.client_id);
        let profile = "m365supportintegration_outbound default_profile";
        assert_eq!(typed("C6b", "ServiceNow OAuth registration"), profile);
        assert_eq!(
            simulator.instance().find("oauth_entity_profile", "name", profile).len(),
            1
        );
    })
    .await;
}

/// An administrator who does not exist is refused at plan, by the variable's name, before anything is written.
#[tokio::test]
async fn an_administrator_who_does_not_exist_is_refused_at_plan() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let abel = simulator.person("abel.tuter");
        let guide = Guide::register(&simulator);
        let mut workspace = guide_workspace(&guide, &simulator, terraform, "aad_v1").await;

        workspace.set("TF_VAR_administrators", r#"["abel.tuter", "nobody"]"#);
        workspace
            .terraform("plan")
            .await
            .fails_saying("data.servicenow_user.administrators[\"nobody\"]");

        workspace.set("TF_VAR_administrators", r#"["abel.tuter"]"#);
        workspace.terraform("apply").await.succeeds();
        let role = simulator
            .instance()
            .find("sys_user_role", "name", "x_mioms_m365_assis.administrator");
        let grants = simulator.created("sys_user_has_role");
        assert!(
            grants
                .iter()
                .any(|it| it["user"] == abel && it["role"] == role[0]["sys_id"]),
            "{grants:#?}"
        );
    })
    .await;
}

/// What was made by hand comes under the module by the blocks of its README. Nothing is changed, and nothing is sent.
#[tokio::test]
async fn a_guide_that_was_followed_by_hand_is_imported_into_the_module() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        manual_setup::whole_guide(&simulator, &guide);
        let simulator = simulator.starting_here();
        let own = [
            ("https://contoso.service-now.com", simulator.urls().instance.as_str()),
            ("contoso.service-now.com", manual_setup::HOST),
            ("11111111-1111-4111-8111-111111111111", &guide.outbound.client_id),
            ("22222222-2222-4222-8222-222222222222", &guide.inbound.client_id),
            ("33333333-3333-4333-8333-333333333333", &guide.rest_user.client_id),
            ("44444444-4444-4444-8444-444444444444", &simulator.tenant_id()),
        ];

        imports(&simulator, terraform, "m365-support-integration", &own, 6).await;

        simulator.is_as_at_start();
        simulator.is_connected().await;
    })
    .await;
}

#[tokio::test]
async fn a_copilot_connector_that_was_set_up_by_hand_is_imported_into_the_module() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let principal = manual_setup::copilot_connector(&simulator);
        let simulator = simulator.starting_here();
        let own = [
            ("44444444-4444-4444-8444-444444444444", simulator.tenant_id()),
            ("66666666-6666-4666-8666-666666666666", principal),
        ];
        let own = own.each_ref().map(|(shown, own)| (*shown, own.as_str()));

        imports(&simulator, terraform, "copilot-connector", &own, 2).await;

        simulator.is_as_at_start();
    })
    .await;
}

/// Pastes the blocks of a module's README that import, with the reader's own values in place of those shown. With OpenTofu
/// those of `m365_*` are commands, as the page says.
async fn imports(simulator: &Simulator, terraform: &Terraform, module: &str, own: &[(&str, &str)], count: usize) {
    let page = std::fs::read_to_string(shipped("modules").join(module).join("README.md")).unwrap();
    let shown = page
        .split("```terraform\n")
        .filter_map(|rest| rest.split_once("```"))
        .find_map(|(block, _)| block.contains("import {").then(|| block.to_owned()))
        .expect("a block that imports");
    let filled = own.iter().fold(at_hand(&shown), |text, (shown, own)| {
        assert!(text.contains(shown), "the README of {module} shows {shown} no more");
        text.replace(shown, own)
    });
    let is_command = |block: &str| terraform.is_opentofu() && block.contains("integration.m365_");
    let mut blocks = filled.split("import {");
    let mut configuration = blocks.next().unwrap_or_default().to_owned();
    let (commands, blocks): (Vec<&str>, Vec<&str>) = blocks.partition(|block| is_command(block));
    configuration.extend(blocks.iter().flat_map(|block| ["import {", block]));
    let count = count - commands.len();
    let workspace = simulator.workspace(terraform, &configuration);
    copy(&workspace, &shipped("modules"), "modules");
    workspace.terraform("get").await.succeeds();
    for command in commands {
        let value = |name: &str| {
            let line = command.lines().find_map(|line| line.trim().strip_prefix(name));
            line.unwrap().trim_matches('"').to_owned()
        };
        workspace
            .terraform_with(&["import", &value("to = "), &value("id = ")])
            .await
            .succeeds();
    }

    workspace
        .terraform("plan")
        .await
        .succeeds()
        .says(&format!("{count} to import, 0 to add, 0 to change, 0 to destroy"));
    workspace
        .terraform("apply")
        .await
        .succeeds()
        .says(&format!("{count} imported, 0 added, 0 changed, 0 destroyed"));
    workspace.plan_is_empty().await;
}

/// Wrong input is refused with the name of the variable that is to blame.
#[tokio::test]
async fn wrong_input_is_refused_by_its_name() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        for (variable, value, said) in [
            ("variant", "aad_v3", "variant must be one of"),
            (
                "client_secrets",
                "{ outbound = \"x\", inbound = \"y\" }",
                "rest_user_password_wo is missing",
            ),
            ("client_secrets", "{}", "client_secret_wo is missing"),
            ("inbound", "null", "inbound.client_id is missing"),
            ("tenant", "common", "tenant must be a verified domain"),
        ] {
            let mut workspace = guide_workspace(&guide, &simulator, terraform, "aad_v1").await;
            workspace.set(&format!("TF_VAR_{variable}"), value);

            workspace.terraform("plan").await.fails_saying(said);
        }
    })
    .await;
}
