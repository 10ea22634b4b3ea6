//! An instance that changes its mind while an apply is running.

use std::time::Duration;

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Gate, Matcher, RetryAfter};

use crate::harness::configurations::PROVIDER;
use crate::harness::manual_setup::grant;
use crate::harness::{Simulator, eventually, for_each_terraform};

const COUNT: usize = 12;

/// More users than Terraform makes at the same time.
fn users(arguments: &str) -> String {
    format!(
        "resource \"servicenow_integration_user\" \"this\" {{\n  count     = {COUNT}\n  user_name = \"robot-${{count.index}}\"\n  \
         {arguments}\n}}\n"
    )
}

fn inserts() -> Matcher {
    Matcher::table("sys_user").method(Method::POST)
}

/// Every request that is under way then is answered with 401, and all of them together sign in once more.
#[tokio::test]
async fn a_token_that_expires_in_mid_run_is_fetched_once_more() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let automation = instance.put("sys_user", &[("user_name", "automation")]);
        grant(instance, &automation, "admin");
        let application = [
            ("name", "automation"),
            ("client_id", "automation"),
            ("client_secret", "a-secret-of-it"),
            ("user", &automation),
            ("inbound_grant_type", "multiple"),
        ];
        instance.put("oauth_entity", &application);
        let allowed = "glide.oauth.inbound.client.credential.grant_type.enabled";
        instance.put("sys_properties", &[("name", allowed), ("value", "true")]);
        let simulator = simulator.starting_here();
        let mut workspace = simulator.workspace(terraform, &users(""));
        workspace.unset("SERVICENOW_USERNAME");
        workspace.unset("SERVICENOW_PASSWORD");
        let client = "client_id = \"automation\"\n  client_secret = \"a-secret-of-it\"";
        workspace.write("provider.tf", &simulator.provider(client));
        let gate = Gate::shut();
        simulator
            .instance()
            .faults()
            .every(inserts(), Fault::HeldBefore(gate.clone()));

        let apply = workspace.start(&["apply"]);
        eventually("several inserts", Duration::from_secs(60), || {
            simulator.instance().faults().fired().len() >= 5
        })
        .await;
        let before = simulator.logs().instance.count("POST", "/oauth_token.do");
        simulator.instance().switches(|modes| modes.clock_offset = 1801);
        simulator.instance().faults().clear();
        gate.open();
        workspace.finish(apply).await.succeeds();

        let after = simulator.logs().instance.count("POST", "/oauth_token.do");
        assert_eq!(after - before, 1);
        assert_eq!(simulator.created("sys_user").len(), COUNT);
    })
    .await;
}

/// What was made before is in the state, and the next apply goes on.
#[tokio::test]
async fn an_instance_that_goes_to_sleep_in_mid_run_is_gone_on_with() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &users("roles = [\"itil\"]"));
        // From the fifth insert on, until somebody wakes it.
        simulator
            .instance()
            .faults()
            .every(inserts().nth(5), Fault::Hibernation);
        let grants = Matcher::table("sys_user_has_role").nth(3);
        simulator.instance().faults().every(grants, Fault::Hibernation);

        workspace
            .terraform("apply")
            .await
            .fails_saying("The ServiceNow instance is hibernating")
            .says("Wake the instance at developer.servicenow.com");

        assert_eq!(simulator.created("sys_user").len(), 4);
        assert_eq!(workspace.addresses().len(), 4);
        simulator.instance().faults().clear();
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.created("sys_user").len(), COUNT);
        assert_eq!(simulator.count("sys_user_has_role"), COUNT);
        workspace.plan_is_empty().await;
    })
    .await;
}

/// A wait that the operation's time allows is waited and announced; a longer one is an error at once, which says what
/// helps.
#[tokio::test]
async fn a_rate_limit_is_waited_for_or_explained() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &users("timeouts = {\n    create = \"30s\"\n  }"));
        let limit = |seconds| Fault::TooManyRequests(RetryAfter::Seconds(seconds));
        simulator.instance().faults().every(inserts().nth(3), limit(240));

        workspace
            .terraform("apply")
            .await
            .fails_saying("The ServiceNow instance limits requests")
            .says("Set requests_per_second to stay below the limit");

        assert_eq!(workspace.addresses().len(), 2);
        simulator.instance().faults().clear();
        simulator.instance().faults().next(inserts(), limit(5));
        workspace.terraform("apply").await.succeeds();
        let log = workspace.provider_log();
        let announced = log
            .lines()
            .find(|line| line.contains("waiting before the next attempt"));
        assert!(announced.is_some_and(|line| line.contains("wait_s=5")), "{announced:?}");
        assert_eq!(simulator.created("sys_user").len(), COUNT);
        workspace.plan_is_empty().await;
    })
    .await;
}

/// A replica shows what was there a moment ago: nothing is made twice or believed to be gone.
#[tokio::test]
async fn a_replica_that_lags_doubles_and_forgets_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = r#"
            resource "servicenow_oauth_entity" "this" {
              name      = "Outbound"
              client_id = "11111111-2222-3333-4444-555555555555"
            }
            resource "servicenow_integration_user" "this" {
              user_name = "robot"
              roles     = ["incident_manager"]
              groups    = ["Hardware"]
            }
        "#;
        let workspace = simulator.workspace(terraform, &format!("{configuration}{PROVIDER}"));
        let tables = [
            "oauth_entity",
            "oauth_entity_profile",
            "oauth_oidc_entity",
            "oidc_provider_configuration",
            "oauth_entity_auth_scope_mapping",
            "sys_user",
            "sys_user_has_role",
            "sys_user_grmember",
        ];
        let lag = || {
            for table in tables {
                let reads = Matcher::table(table).method(Method::GET);
                simulator.instance().faults().next(reads, Fault::StaleRead);
            }
        };
        lag();
        workspace.terraform("apply").await.succeeds();
        lag();
        workspace.plan_is_empty().await;
        for replaced in ["servicenow_oauth_entity.this", "servicenow_integration_user.this"] {
            // A search still shows the former one when the new one is made, and what was not read before stays behind too.
            lag();
            workspace
                .terraform(&format!("apply -refresh=false -replace={replaced}"))
                .await
                .succeeds();
        }
        simulator.instance().faults().clear();

        for (table, count) in [
            ("oauth_entity", 2),
            ("oauth_entity_profile", 2),
            ("oauth_oidc_entity", 1),
            ("oidc_provider_configuration", 1),
            ("oauth_entity_auth_scope_mapping", 1),
            ("sys_user", 1),
            ("sys_user_has_role", 1),
            ("sys_user_grmember", 1),
        ] {
            assert_eq!(simulator.count(table), count, "{table}");
        }
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}
