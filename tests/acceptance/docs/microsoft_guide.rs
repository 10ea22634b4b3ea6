//! The main job: Microsoft's guide as one configuration.

use servicenow_simulator::Options;
use servicenow_simulator::instance::{DefaultProfile, ExplicitScope, Release, SecretRead};

use crate::harness::{Guide, Simulator, Workspace, for_each_terraform};

#[tokio::test]
async fn the_guide_applies_connects_and_leaves_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let workspace = guide.workspace(&simulator, terraform);

        workspace.plan().await;
        workspace.terraform("apply plan.bin").await.succeeds().says("5 added");

        workspace.plan_is_empty().await;
        simulator.is_connected().await;
        workspace.terraform("destroy").await.succeeds().says("5 destroyed");
        simulator.is_as_at_start();
        workspace.leaks_nothing_of(&guide.secrets());
        workspace.leaks_nothing_of(&[
            simulator.password(),
            simulator.refresh_token(),
            simulator.client_secret(),
        ]);
    })
    .await;
}

/// What sources disagree on may not matter.
#[tokio::test]
async fn the_guide_applies_to_instances_of_every_kind() {
    for_each_terraform(async |terraform| {
        for (release, profile, secrets) in [
            (Release::Yokohama, DefaultProfile::NotCreated, SecretRead::Absent),
            (
                Release::Australia,
                DefaultProfile::Delayed(std::time::Duration::from_millis(300)),
                SecretRead::Empty,
            ),
            (Release::Brazil, DefaultProfile::Created, SecretRead::Masked),
        ] {
            let mut options = Options::default();
            options.instance.release = release;
            let simulator = Simulator::start_with(options).await;
            simulator.instance().switches(|modes| {
                modes.default_profile = profile;
                modes.secret_read = secrets;
                modes.legacy_role_rows = release == Release::Yokohama;
                modes.cascade = release == Release::Australia;
                modes.invalid_query_returns_no_rows = release == Release::Brazil;
                modes.quirks.ignores_case = release == Release::Brazil;
                modes.delete_needs_content_type = release == Release::Yokohama;
            });
            let guide = Guide::register(&simulator);
            let workspace = guide.workspace(&simulator, terraform);

            workspace.terraform("apply").await.succeeds().says("5 added");

            workspace.plan_is_empty().await;
            simulator.is_connected().await;
            let outbound = workspace.state("servicenow_oauth_entity.outbound").text("id");
            let profiles = simulator
                .instance()
                .find("oauth_entity_profile", "oauth_entity", &outbound);
            assert_eq!(profiles.len(), 1, "{release:?}");
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

#[tokio::test]
async fn records_get_the_application_scope_that_was_asked_for() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .instance()
            .switches(|modes| modes.explicit_scope = ExplicitScope::Ignored);
        let guide = Guide::register(&simulator);
        let workspace = guide.workspace(&simulator, terraform);

        workspace.terraform("apply").await.succeeds();

        workspace
            .state("servicenow_oauth_entity.outbound")
            .has("application_scope", "global");
        workspace.plan_is_empty().await;
    })
    .await;
}

/// Each wrong way ends with its own cause, and applying the right configuration mends it.
#[tokio::test]
async fn a_wrong_guide_fails_its_connection_test_for_the_right_reason() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let guide = Guide::register(&simulator);
        let mut workspace = guide.workspace(&simulator, terraform);
        let right = guide.configuration(&simulator);
        workspace.terraform("apply").await.succeeds();
        simulator.is_connected().await;

        // The application that calls, in place of the one that is called.
        let audience = format!("client_id                = \"{}\"", guide.inbound.client_id);
        let wrong = right
            .replace(
                &audience,
                &format!("client_id                = \"{}\"", guide.rest_user.client_id),
            )
            .replace(
                "servicenow_oidc_provider.inbound.client_id",
                &format!("{:?}", guide.inbound.client_id),
            );
        check(
            &workspace,
            &simulator,
            &wrong,
            "Cannot find oauth_oidc_entity for issuer",
        )
        .await;

        // Tokens of version 1.0 have no such claim.
        let wrong = right.replace("user_claim   = \"appid\"", "user_claim   = \"azp\"");
        check(&workspace, &simulator, &wrong, "The user claim azp is empty or missing").await;

        let wrong = right.replace("roles      = [\"incident_manager\"]", "roles      = [\"knowledge\"]");
        check(&workspace, &simulator, &wrong, "role").await;

        let wrong = right.replace("roles      = ", "active = false\n  roles      = ");
        check(&workspace, &simulator, &wrong, "active").await;

        // The tokens come from the other metadata address.
        let wrong = right.replace("/.well-known", "/v2.0/.well-known");
        check(&workspace, &simulator, &wrong, "Issuer unknown").await;

        workspace.set("TF_VAR_outbound_secret", "not-the-secret-at-all");
        let wrong = right.replacen(
            "client_secret_wo_version = \"1\"",
            "client_secret_wo_version = \"2\"",
            1,
        );
        check(&workspace, &simulator, &wrong, "AADSTS7000215").await;
        workspace.set("TF_VAR_outbound_secret", &guide.outbound.client_secret);

        workspace.configure(&right);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        simulator.is_connected().await;
    })
    .await;
}

async fn check(workspace: &Workspace, simulator: &Simulator, configuration: &str, cause: &str) {
    workspace.configure(configuration);
    workspace.terraform("apply").await.succeeds();
    let report = simulator.connection_test().await;
    let causes: Vec<_> = report.legs.iter().filter_map(|leg| leg.cause.clone()).collect();
    assert!(
        causes.len() == 1 && causes[0].contains(cause),
        "the connection test should fail once, for {cause}\n{report:#?}"
    );
}
