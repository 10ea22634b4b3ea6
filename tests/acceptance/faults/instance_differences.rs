//! Instances differ: what the sources leave open must not matter, and what cannot work is said.

use std::collections::BTreeSet;

use servicenow_simulator::instance::{DefaultProfile, ExplicitScope, Refusal, Switches};

use crate::harness::{Simulator, for_each_terraform};

const ENTITY: &str = r#"
    resource "servicenow_oauth_entity" "this" {
      name      = "Outbound"
      client_id = "11111111-2222-3333-4444-555555555555"
      comments  = "A comment"
    }
"#;
const PROVIDER: &str = r#"
    resource "servicenow_oidc_provider" "this" {
      name      = "Inbound"
      client_id = "11111111-2222-3333-4444-555555555555"
      configuration = {
        name         = "Entra"
        metadata_url = "https://login.microsoftonline.com/t/.well-known/openid-configuration"
      }
    }
"#;
const USER: &str = r#"
    resource "servicenow_integration_user" "this" {
      user_name = "robot"
      title     = "Robot"
      roles     = ["incident_manager"]
      groups    = ["Service Desk"]
    }
"#;

fn denied(columns: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let owned = columns
        .iter()
        .map(|(table, column)| ((*table).to_owned(), (*column).to_owned()));
    owned.collect()
}

/// All three live on an instance of each kind, with an empty plan and nothing left.
#[tokio::test]
async fn kinds_of_instances_make_no_difference() {
    type Kind = (&'static str, fn(&mut Switches));
    let kinds: [Kind; 6] = [
        ("no default profile", |modes| {
            modes.default_profile = DefaultProfile::NotCreated
        }),
        ("a late default profile", |modes| {
            modes.default_profile = DefaultProfile::Delayed(std::time::Duration::from_millis(200));
        }),
        ("an OIDC entity of type client, no cascade", |modes| {
            modes.oidc_entity_type = "client".to_owned();
            modes.cascade = false;
        }),
        ("one row per way to a role", |modes| modes.legacy_role_rows = true),
        ("wrong queries find nothing, and duplicates are bad requests", |modes| {
            modes.invalid_query_returns_no_rows = true;
            modes.duplicate = Refusal::BadRequest;
            modes.quirks.ignores_case = true;
        }),
        ("columns that cannot be read", |modes| {
            modes.read_denied = denied(&[
                ("oauth_entity", "comments"),
                ("oauth_entity", "redirect_url"),
                ("oauth_entity", "sys_scope"),
                ("oauth_oidc_entity", "clock_skew"),
                ("oidc_provider_configuration", "oidc_config_cache_life_span"),
                ("sys_user", "locked_out"),
                ("sys_user", "title"),
            ]);
        }),
    ];
    for_each_terraform(async |terraform| {
        for (kind, switch) in kinds {
            let simulator = Simulator::start().await;
            simulator.instance().switches(switch);
            let workspace = simulator.workspace(terraform, &[ENTITY, PROVIDER, USER].concat());

            workspace.terraform("apply").await.succeeds().says("3 added");

            eprintln!("with {kind}:");
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// A column that the instance drops without a word is named, at its attribute.
#[tokio::test]
async fn a_column_that_is_not_kept_is_named() {
    for_each_terraform(async |terraform| {
        for (configuration, address, table, column, attribute) in [
            (
                ENTITY,
                "servicenow_oauth_entity.this",
                "oauth_entity",
                "comments",
                "comments",
            ),
            (
                PROVIDER,
                "servicenow_oidc_provider.this",
                "oidc_provider_configuration",
                "user_claim",
                "configuration",
            ),
            (USER, "servicenow_integration_user.this", "sys_user", "title", "title"),
        ] {
            let simulator = Simulator::start().await;
            simulator
                .instance()
                .switches(|modes| modes.write_denied = denied(&[(table, column)]));
            let workspace = simulator.workspace(terraform, configuration);

            workspace
                .terraform("apply")
                .await
                .succeeds()
                .says(&format!("{column} was not kept"))
                .says(attribute);

            workspace.state(address).is_not_tainted();
            workspace.plan().await.does(address, &["update"]);
            simulator.instance().switches(|modes| modes.write_denied.clear());
            workspace.terraform("apply").await.succeeds();
            workspace.plan_is_empty().await;
        }
    })
    .await;
}

/// The same for an update, which changes nothing more than it has to.
#[tokio::test]
async fn an_update_that_is_not_kept_is_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, ENTITY);
        workspace.terraform("apply").await.succeeds();
        simulator
            .instance()
            .switches(|modes| modes.write_denied = denied(&[("oauth_entity", "comments")]));
        workspace.configure(&ENTITY.replace("A comment", "Another"));

        workspace.terraform("apply").await.fails_saying("comments was not kept");

        workspace
            .plan()
            .await
            .updates_only("servicenow_oauth_entity.this", &["comments"]);
        simulator.instance().switches(|modes| modes.write_denied.clear());
        workspace.terraform("apply plan.bin").await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_nobody_may_create_is_adopted_instead() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().switches(|modes| modes.configuration_create_refused = true);
        let workspace = simulator.workspace(terraform, PROVIDER);

        workspace
            .terraform("apply")
            .await
            .fails_saying("No right to create the OIDC configuration")
            .says("set configuration_id to its sys_id");
        simulator.is_as_at_start();

        let made = simulator.instance().put(
            "oidc_provider_configuration",
            &[("name", "By hand"), ("oidc_url", "https://host/x"), ("user_claim", "appid"), ("user_field", "user_name")],
        );
        workspace.configure(&format!(
            "resource \"servicenow_oidc_provider\" \"this\" {{\n name = \"Inbound\"\n client_id = \"x\"\n configuration_id = {made:?}\n}}\n"
        ));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}

/// The account's current application decides where a record goes that names none: so it is always named.
#[tokio::test]
async fn records_go_to_the_application_that_is_configured() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().put(
            "sys_scope",
            &[("scope", "x_contoso"), ("name", "Contoso"), ("active", "true")],
        );
        // The account works in another application, as people's accounts do.
        let admin = simulator.instance().find("sys_user", "user_name", simulator.username())[0]["sys_id"].clone();
        simulator.instance().put(
            "sys_user_preference",
            &[("user", &admin), ("name", "apps.current_app"), ("value", &id)],
        );
        let workspace = simulator.workspace(terraform, &[ENTITY, PROVIDER].concat());
        workspace.terraform("apply").await.succeeds();
        for table in ["oauth_entity", "oidc_provider_configuration"] {
            for record in simulator.created(table) {
                assert_eq!(record["sys_scope"], "global", "{table}");
            }
        }
        workspace.plan_is_empty().await;

        // With the default profile that the provider makes, whatever the account works in.
        simulator
            .instance()
            .switches(|modes| modes.default_profile = DefaultProfile::NotCreated);
        let preference = simulator.only_record("sys_user_preference")["sys_id"].clone();
        simulator.instance().remove("sys_user_preference", &preference);
        let in_scope = ENTITY.replace("comments ", "application_scope = \"x_contoso\"\n comments ");
        workspace.configure(&in_scope);
        workspace
            .plan()
            .await
            .replaces_because_of("servicenow_oauth_entity.this", &["application_scope"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(simulator.only_record("oauth_entity")["sys_scope"], id);
        assert_eq!(simulator.only_record("oauth_entity_profile")["sys_scope"], id);
        workspace.terraform("destroy").await.succeeds();

        // An instance that does as it likes all the same is caught.
        simulator.instance().put(
            "sys_user_preference",
            &[("user", &admin), ("name", "apps.current_app"), ("value", &id)],
        );
        simulator
            .instance()
            .switches(|modes| modes.explicit_scope = ExplicitScope::Ignored);
        workspace.configure(ENTITY);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("sys_scope was not kept");
        workspace.state("servicenow_oauth_entity.this").is_not_tainted();
    })
    .await;
}

/// Elevation cannot be had over REST: a group that has the role is the way.
#[tokio::test]
async fn a_role_that_cannot_be_granted_comes_by_a_group() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().switches(|modes| modes.grants_need_elevation = true);
        let workspace = simulator.workspace(terraform, USER);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("No right to grant the role incident_manager")
            .says("group");
        workspace.state("servicenow_integration_user.this").is_not_tainted();

        workspace.configure("resource \"servicenow_integration_user\" \"this\" {\n user_name = \"robot\"\n groups = [\"Major Incident Team\"]\n}\n");
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}

/// The provider's own arguments may come from a resource: what is not known at plan time is needed at apply alone.
#[tokio::test]
async fn the_address_of_the_instance_may_be_unknown_until_apply() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(
            terraform,
            &format!(
                "resource \"terraform_data\" \"later\" {{\n input = {:?}\n}}\n{ENTITY}",
                simulator.urls().instance
            ),
        );
        workspace.write(
            "provider.tf",
            &simulator.provider("instance_url = terraform_data.later.output"),
        );
        workspace.unset("SERVICENOW_INSTANCE_URL");

        workspace.terraform("apply").await.succeeds().says("2 added");

        workspace.plan_is_empty().await;
    })
    .await;
}
