//! The guide by direct calls, as its steps P1 to M4 say, and the connection test at its end.

use reqwest::Method;
use serde_json::{Value, json};
use servicenow_simulator::microsoft::directory::{Registered, TokenVersion};

use crate::web::{Simulation, send};

/// What of the guide is done wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mistakes {
    inbound_version_2: bool,
    wrong_outbound_secret: bool,
    wrong_rest_password: bool,
    entity_for_rest_user: bool,
    no_role: bool,
    inactive_user: bool,
    other_application_id: bool,
    jti_verification: bool,
}

pub(crate) struct Guide {
    pub(crate) simulation: Simulation,
    pub(crate) outbound: Registered,
    pub(crate) inbound: Registered,
    pub(crate) rest_user: Registered,
}

impl Guide {
    pub(crate) async fn follow(mistakes: Mistakes) -> Guide {
        let simulation = Simulation::start().await;
        let directory = simulation.simulator.directory();
        let version = if mistakes.inbound_version_2 {
            TokenVersion::V2
        } else {
            TokenVersion::V1
        };
        let guide = Guide {
            outbound: directory.register("outbound", TokenVersion::V1),
            inbound: directory.register("inbound", version),
            rest_user: directory.register("REST user", TokenVersion::V1),
            simulation,
        };
        guide.outbound_provider(mistakes).await;
        guide.oidc_provider(mistakes).await;
        guide.integration_user(mistakes).await;
        guide.admin_center(mistakes).await;
        guide
    }

    pub(crate) async fn insert(&self, table: &str, values: Value) -> String {
        let simulator = &self.simulation.simulator;
        let request = self
            .simulation
            .client
            .post(format!("{}/api/now/table/{table}", simulator.urls().instance))
            .basic_auth(simulator.username(), Some(simulator.password()))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(values.to_string());
        let (status, body) = send(request).await;
        assert_eq!(status, 201, "{table}: {body}");
        body["result"]["sys_id"].as_str().unwrap().to_owned()
    }

    async fn outbound_provider(&self, mistakes: Mistakes) {
        let secret = &self.outbound.client_secret;
        self.insert(
            "oauth_entity",
            json!({
                "name": "Microsoft 365",
                "type": "oauth_provider",
                "client_id": self.outbound.client_id,
                "client_secret": if mistakes.wrong_outbound_secret { &self.outbound.key_id } else { secret },
                "default_grant_type": "client_credentials",
                "token_url": "https://login.microsoftonline.com/contoso.com/oauth2/token",
                "redirect_url": "https://contoso.service-now.com/oauth_redirect.do",
            }),
        )
        .await;
    }

    async fn oidc_provider(&self, mistakes: Mistakes) {
        let configuration = self
            .insert(
                "oidc_provider_configuration",
                json!({
                    "name": "Contoso Azure",
                    "oidc_url": "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration",
                    "user_claim": "appid",
                    "user_field": "user_name",
                    "enable_jti_verification": if mistakes.jti_verification { "true" } else { "false" },
                }),
            )
            .await;
        let audience = if mistakes.entity_for_rest_user {
            &self.rest_user
        } else {
            &self.inbound
        };
        self.insert(
            "oauth_oidc_entity",
            json!({
                "name": "contoso_application_inbound_api",
                "client_id": audience.client_id,
                "client_secret": audience.client_secret,
                "oidc_provider_configuration": configuration,
            }),
        )
        .await;
    }

    async fn integration_user(&self, mistakes: Mistakes) {
        let user = self
            .insert(
                "sys_user",
                json!({
                    "user_name": self.rest_user.client_id,
                    "last_name": "Microsoft 365 integration",
                    "web_service_access_only": "true",
                    "active": if mistakes.inactive_user { "false" } else { "true" },
                }),
            )
            .await;
        if mistakes.no_role {
            return;
        }
        let role = self
            .simulation
            .simulator
            .instance()
            .find("sys_user_role", "name", "incident_manager");
        let role = role.first().unwrap()["sys_id"].clone();
        self.insert(
            "sys_user_has_role",
            json!({"user": user, "role": role, "state": "active"}),
        )
        .await;
    }

    async fn admin_center(&self, mistakes: Mistakes) {
        let token = self.simulation.admin_token().await;
        let urls = self.simulation.simulator.urls();
        let base = format!("{}/admin/api/supportRepository", urls.admin);
        let application = if mistakes.other_application_id {
            &self.inbound
        } else {
            &self.outbound
        };
        let settings = json!({"SupportTool": "ServiceNow", "ApplicationId": application.client_id});
        assert_eq!(
            self.simulation
                .call(Method::POST, &format!("{base}/my"), &token, &settings)
                .await
                .0,
            204
        );
        let password = &self.rest_user.client_secret;
        let repository = json!({
            "RepositoryId": "contoso",
            "Endpoint": format!("{}/", urls.instance),
            "AuthenticationType": "AAD",
            "ClientId": self.inbound.client_id,
            "ClientSecret": self.inbound.client_secret,
            "RestUserName": self.rest_user.client_id,
            "RestUserPassword": if mistakes.wrong_rest_password { &self.rest_user.key_id } else { password },
        });
        assert_eq!(
            self.simulation.call(Method::POST, &base, &token, &repository).await.0,
            201
        );
    }

    pub(crate) async fn test(&self, query: &str) -> Value {
        let url = format!("{}{query}", self.simulation.simulator.urls().connection_test);
        let (status, report) = send(self.simulation.client.post(url)).await;
        assert_eq!(status, 200, "{report}");
        report
    }
}

/// The test of a guide with mistakes fails in this leg with a cause that has these words, and in no other leg.
#[track_caller]
pub(crate) fn fails(report: &Value, leg: &str, words: &[&str]) {
    assert_eq!(report["ok"], false, "{report:#}");
    for found in report["legs"].as_array().unwrap() {
        assert_eq!(found["ok"], found["name"] != leg, "{report:#}");
        let cause = found["cause"].as_str().unwrap_or_default();
        assert!(
            found["name"] != leg || words.iter().all(|word| cause.contains(word)),
            "{words:?} in {report:#}"
        );
    }
}

#[tokio::test]
async fn the_guide_passes_its_connection_test_and_leaves_no_incident() {
    let guide = Guide::follow(Mistakes::default()).await;
    let before = guide.simulation.simulator.instance().records("incident").len();

    let report = guide.test("").await;

    assert_eq!(report["ok"], true, "{report:#}");
    let names: Vec<_> = report["legs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leg| leg["name"].clone())
        .collect();
    assert_eq!(names, ["outbound", "inbound"]);
    assert_eq!(guide.simulation.simulator.instance().records("incident").len(), before);
}

#[tokio::test]
async fn a_wrong_outbound_secret_fails_with_the_code_of_entra() {
    let guide = Guide::follow(Mistakes {
        wrong_outbound_secret: true,
        ..Mistakes::default()
    })
    .await;

    fails(&guide.test("").await, "outbound", &["AADSTS7000215"]);
}

#[tokio::test]
async fn a_wrong_rest_password_fails_with_the_code_of_entra() {
    let guide = Guide::follow(Mistakes {
        wrong_rest_password: true,
        ..Mistakes::default()
    })
    .await;

    fails(
        &guide.test("").await,
        "inbound",
        &["the REST user cannot sign in", "AADSTS7000215"],
    );
}

/// The guide as printed: the entity holds the REST user's id, so no token's audience fits it.
#[tokio::test]
async fn an_entity_for_the_wrong_audience_fails() {
    let guide = Guide::follow(Mistakes {
        entity_for_rest_user: true,
        ..Mistakes::default()
    })
    .await;

    let audience = guide.inbound.client_id.clone();
    fails(
        &guide.test("").await,
        "inbound",
        &["Cannot find oauth_oidc_entity", &audience],
    );
}

#[tokio::test]
async fn version_2_tokens_fail_with_appid_and_the_first_metadata_address() {
    let guide = Guide::follow(Mistakes {
        inbound_version_2: true,
        ..Mistakes::default()
    })
    .await;

    fails(&guide.test("").await, "inbound", &["ssuer", "/v2.0"]);
}

/// The same trap one step later: with the second metadata address the issuer fits, and the claim is missing.
#[tokio::test]
async fn version_2_tokens_fail_with_appid_and_the_second_metadata_address() {
    let guide = Guide::follow(Mistakes {
        inbound_version_2: true,
        ..Mistakes::default()
    })
    .await;
    let instance = guide.simulation.simulator.instance();
    let configuration = &instance.find("oidc_provider_configuration", "name", "Contoso Azure")[0]["sys_id"];
    let address = "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration";
    instance.change("oidc_provider_configuration", configuration, &[("oidc_url", address)]);

    fails(&guide.test("").await, "inbound", &["claim appid", "2.0"]);

    instance.change("oidc_provider_configuration", configuration, &[("user_claim", "azp")]);
    assert_eq!(guide.test("").await["ok"], true);
}

#[tokio::test]
async fn a_missing_role_fails() {
    let guide = Guide::follow(Mistakes {
        no_role: true,
        ..Mistakes::default()
    })
    .await;

    fails(&guide.test("").await, "inbound", &["role"]);
}

#[tokio::test]
async fn an_inactive_user_fails() {
    let guide = Guide::follow(Mistakes {
        inactive_user: true,
        ..Mistakes::default()
    })
    .await;

    fails(&guide.test("").await, "inbound", &["active"]);
}

#[tokio::test]
async fn a_token_of_another_application_than_the_admin_center_names_fails() {
    let guide = Guide::follow(Mistakes {
        other_application_id: true,
        ..Mistakes::default()
    })
    .await;

    fails(
        &guide.test("").await,
        "outbound",
        &["it comes from application", "admin center names"],
    );
}

#[tokio::test]
async fn jti_verification_fails_at_the_second_call_with_one_token() {
    let guide = Guide::follow(Mistakes {
        jti_verification: true,
        ..Mistakes::default()
    })
    .await;

    fails(&guide.test("").await, "inbound", &["JTI"]);
}

#[tokio::test]
async fn a_secret_lost_by_a_replacing_put_fails() {
    let guide = Guide::follow(Mistakes::default()).await;
    guide
        .simulation
        .simulator
        .admin()
        .put_repository(&json!({"RepositoryId": "contoso", "RestUserPassword": ""}));

    fails(&guide.test("").await, "inbound", &["has no RestUserPassword"]);
}

#[tokio::test]
async fn a_removed_or_expired_password_stops_working_at_once() {
    let guide = Guide::follow(Mistakes::default()).await;
    let directory = guide.simulation.simulator.directory();
    assert_eq!(guide.test("").await["ok"], true);

    directory.expire_password(&guide.rest_user.key_id);
    fails(&guide.test("").await, "inbound", &["AADSTS7000222"]);

    directory.with(|tenant| tenant.remove_application(&guide.outbound.object_id));
    let report = guide.test("?variant=insights_only").await;
    fails(&report, "outbound", &["not found in the directory"]);
}
