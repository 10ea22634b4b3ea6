//! Whether Microsoft can call the instance, and the exact cause where it cannot.

use servicenow_simulator::instance::Operation;
use servicenow_simulator::microsoft::directory::TokenVersion;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::manual_setup::{grant, metadata_url};
use crate::harness::{ByHand, Run, Simulator, Terraform, Workspace, for_each_terraform};

/// Runs the check as an ephemeral resource, which every Terraform has, on a trust that `spoil` has changed.
async fn check(
    terraform: &Terraform,
    arguments: &str,
    spoil: impl Fn(&Simulator, &mut ByHand),
) -> (Simulator, ByHand, Workspace, Run) {
    let simulator = Simulator::start().await;
    let mut trust = ByHand::set_up(&simulator);
    spoil(&simulator, &mut trust);
    let mut workspace = simulator.workspace(terraform, &ephemeral(&trust, arguments));
    workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);
    let run = workspace.terraform("apply").await;
    (simulator, trust, workspace, run)
}

fn ephemeral(trust: &ByHand, arguments: &str) -> String {
    format!(
        r#"
            variable "secret" {{
              ephemeral = true
            }}
            ephemeral "servicenow_inbound_check" "this" {{
              client_id     = "{}"
              client_secret = var.secret
              audience      = "{}"
              {arguments}
            }}
        "#,
        trust.rest_user.client_id, trust.inbound.client_id
    )
}

/// Arguments of the check, what is wrong, and what is said about it.
type Case<'a> = (&'a str, &'a dyn Fn(&Simulator, &mut ByHand), &'a [&'a str]);

/// One Terraform is enough for causes: the client has no part in them.
async fn causes(cases: &[Case<'_>]) {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", "a second look at the causes") {
            return;
        }
        for (arguments, spoil, parts) in cases {
            let (simulator, trust, workspace, run) = check(terraform, arguments, spoil).await;
            for part in *parts {
                run.fails_saying(part);
            }
            drop(simulator);
            workspace.leaks_nothing_of(&[&trust.rest_user.client_secret]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_trust_that_works_passes_with_every_terraform() {
    for_each_terraform(async |terraform| {
        let (simulator, trust, workspace, run) = check(terraform, "write = true", |_, _| {}).await;

        run.succeeds();

        workspace.leaks_nothing_of(&[&trust.rest_user.client_secret]);
        assert!(
            simulator.instance().records("incident").is_empty(),
            "the incident is removed again"
        );
        let created = simulator.instance().requests();
        assert!(
            created
                .iter()
                .any(|it| it.method == "POST" && it.table == "incident" && it.status == 201)
        );
    })
    .await;
}

#[tokio::test]
async fn version_2_tokens_pass_as_well() {
    for_each_terraform(async |terraform| {
        let (_simulator, _trust, _workspace, run) = check(terraform, "", |simulator, trust| {
            trust.inbound = simulator.directory().register("ServiceNow inbound 2", TokenVersion::V2);
            let instance = simulator.instance();
            instance.change(
                "oauth_oidc_entity",
                &trust.provider,
                &[("client_id", &trust.inbound.client_id)],
            );
            let url = metadata_url(simulator, "/v2.0");
            let version_2 = [("oidc_url", url.as_str()), ("user_claim", "azp")];
            instance.change("oidc_provider_configuration", &trust.configuration, &version_2);
        })
        .await;

        run.succeeds();
    })
    .await;
}

#[tokio::test]
async fn entras_refusals_come_with_advice() {
    causes(&[
        (
            "",
            &|_, trust| trust.rest_user.client_secret = "not-the-secret".to_owned(),
            &["AADSTS7000215", "The client secret is wrong"],
        ),
        (
            "",
            &|_, trust| trust.inbound.client_id = "99999999-9999-4999-8999-999999999999".to_owned(),
            &["AADSTS500011", "has no service principal in this tenant"],
        ),
        (
            "tenant = \"elsewhere.example\"",
            &|_, _| {},
            &["AADSTS90002", "The tenant is not known"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_oidc_provider_is_the_cause() {
    causes(&[
        (
            "",
            &|simulator, trust| simulator.instance().remove("oauth_oidc_entity", &trust.provider),
            &["No OIDC provider of the instance has the token's aud as client_id"],
        ),
        (
            "",
            &|simulator, trust| {
                let wrong = [("client_id", trust.rest_user.client_id.as_str())];
                simulator
                    .instance()
                    .change("oauth_oidc_entity", &trust.provider, &wrong);
            },
            &["has the client id of the calling application"],
        ),
        (
            "",
            &|simulator, trust| {
                simulator
                    .instance()
                    .change("oauth_oidc_entity", &trust.provider, &[("active", "false")])
            },
            &["is not active"],
        ),
        (
            "",
            &|simulator, trust| {
                let url = metadata_url(simulator, "/v2.0");
                let change = [("oidc_url", url.as_str())];
                simulator
                    .instance()
                    .change("oidc_provider_configuration", &trust.configuration, &change);
            },
            &["a version 1 token, and the metadata of version 2"],
        ),
        (
            "",
            &|simulator, trust| {
                let change = [("user_claim", "azp")];
                simulator
                    .instance()
                    .change("oidc_provider_configuration", &trust.configuration, &change);
            },
            &["uses the claim \"azp\", which is not in the token (version 1.0)"],
        ),
        (
            "",
            &|simulator, trust| {
                let change = [("user_field", "user_id")];
                simulator
                    .instance()
                    .change("oidc_provider_configuration", &trust.configuration, &change);
            },
            &["set user_field to \"user_name\""],
        ),
        (
            "",
            &|simulator, trust| {
                let change = [("user_field", "usr_name")];
                simulator
                    .instance()
                    .change("oidc_provider_configuration", &trust.configuration, &change);
            },
            &["the column \"usr_name\" of sys_user, which seems not to exist"],
        ),
        (
            "",
            &|simulator, trust| {
                let change = [("enable_jti_verification", "true")];
                simulator
                    .instance()
                    .change("oidc_provider_configuration", &trust.configuration, &change);
            },
            &["verifies the token's JTI", "set enable_jti_verification to false"],
        ),
        (
            "",
            &|simulator, _| simulator.instance().switches(|modes| modes.clock_offset = 100_000),
            &["By the instance's clock the token has ended", "ahead of this machine's"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_user_is_the_cause() {
    causes(&[
        (
            "",
            &|simulator, trust| simulator.instance().remove("sys_user", &trust.user),
            &[
                "No user of the instance has user_name",
                "the value of the token's claim appid",
            ],
        ),
        (
            "",
            &|simulator, trust| {
                let named = [("user_name", trust.inbound.client_id.as_str())];
                simulator.instance().change("sys_user", &trust.user, &named);
            },
            &["There is a user with the inbound application's name"],
        ),
        (
            "",
            &|simulator, trust| {
                simulator
                    .instance()
                    .change("sys_user", &trust.user, &[("active", "false")])
            },
            &["is not active"],
        ),
        (
            "",
            &|simulator, trust| {
                simulator
                    .instance()
                    .change("sys_user", &trust.user, &[("locked_out", "true")])
            },
            &["is locked out"],
        ),
        (
            "",
            &|simulator, trust| simulator.instance().remove("sys_user_has_role", &trust.grant),
            &[
                "may not read incident",
                "The user has no role at all",
                "Grant the role incident_manager",
            ],
        ),
        (
            "write = true",
            &|simulator, trust| {
                simulator.instance().put("incident", &[("short_description", "x")]);
                simulator.instance().remove("sys_user_has_role", &trust.grant);
                grant(simulator.instance(), &trust.user, "sn_incident_read");
                simulator.instance().switches(|modes| {
                    let readers = vec!["sn_incident_read".to_owned()];
                    modes
                        .table_roles
                        .insert(("incident".to_owned(), Operation::Read), readers);
                });
            },
            &["may not insert incident", "Before that:", "may read incident"],
        ),
        (
            "",
            &|simulator, _| {
                let incident = simulator.instance().put("incident", &[("short_description", "x")]);
                simulator
                    .instance()
                    .switches(|modes| modes.hidden_rows = [incident].into());
            },
            &[
                "may not read incident",
                "The user has: incident_manager",
                "The instance counts records in incident (1) and showed none of them.",
            ],
        ),
        ("table = \"nosuch\"", &|_, _| {}, &["The instance has no table nosuch"]),
        (
            "table = \"incidnet\"",
            &|_, _| {},
            &["The instance has no table incidnet", "Did you mean incident?"],
        ),
        ("table = \"No Such\"", &|_, _| {}, &["is not a valid table name"]),
    ])
    .await;
}

#[tokio::test]
async fn protection_of_the_api_is_the_cause() {
    causes(&[
        (
            "",
            &|simulator, _| {
                simulator
                    .instance()
                    .switches(|modes| modes.api_scope = Some("incident_read".to_owned()));
            },
            &[
                "the API asks for the auth scope incident_read, which the OIDC provider \"Microsoft 365 inbound\" does not carry",
                "Set auth_scopes = [\"incident_read\"]",
                "auth_scopes = [\"useraccount\"], which opens every API",
            ],
        ),
        (
            "",
            &|simulator, _| {
                simulator
                    .instance()
                    .put("sys_api_access_policy", &[("name", "Table API")]);
            },
            &[
                "did not accept the token, although all that can be compared agrees",
                "The instance has REST API access policies (1).",
                "REST API Access Policies",
            ],
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_auth_scope_opens_the_api() {
    for_each_terraform(async |terraform| {
        let (_simulator, _trust, _workspace, run) = check(terraform, "", |simulator, trust| {
            let instance = simulator.instance();
            instance.switches(|modes| modes.api_scope = Some("incident_read".to_owned()));
            let scope = &instance.find("sys_auth_scope", "name", "useraccount")[0]["sys_id"];
            let carries = [
                ("oauth_entity", trust.provider.as_str()),
                ("auth_scope", scope.as_str()),
            ];
            instance.put("oauth_entity_auth_scope_mapping", &carries);
        })
        .await;

        run.succeeds();
    })
    .await;
}

#[tokio::test]
async fn a_refusal_can_be_a_value() {
    for_each_terraform(async |terraform| {
        let arguments = r#"
            must_succeed = false
            lifecycle {
              postcondition {
                condition     = self.ok || length(self.steps) != 2 || !startswith(self.cause, "No user of the instance")
                error_message = "Microsoft cannot call the instance"
              }
            }
        "#;
        let (_simulator, _trust, _workspace, run) = check(terraform, arguments, |simulator, trust| {
            simulator.instance().remove("sys_user", &trust.user);
        })
        .await;

        run.fails_saying("Microsoft cannot call the instance")
            .says("Warning: The inbound check failed")
            .says("No user of the instance has user_name");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_is_no_jwt_is_told() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let mut workspace = simulator.workspace(terraform, &ephemeral(&trust, ""));
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);
        let login = opaque_tokens().await;
        workspace.write(
            "provider.tf",
            &format!("provider \"servicenow\" {{\n  microsoft365 = {{ login_url = {login:?} }}\n}}\n"),
        );

        let run = workspace.terraform("apply").await;

        run.fails_saying("The token is not a JSON web token")
            .says("The instance verifies JSON web tokens only");
    })
    .await;
}

/// A sign-in service whose tokens nobody can look into. Ends with the test.
async fn opaque_tokens() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let body = r#"{"access_token":"an-opaque-token","expires_in":"3599","token_type":"Bearer"}"#;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

fn action(trust: &ByHand, more: &str) -> String {
    format!(
        r#"
            variable "secret" {{
              ephemeral = true
            }}
            action "servicenow_inbound_check" "check" {{
              config {{
                client_id     = "{}"
                client_secret = var.secret
                audience      = "{}"
                write         = true
              }}
            }}
            {more}
        "#,
        trust.rest_user.client_id, trust.inbound.client_id
    )
}

/// A user that has nothing to do with the check, which runs at this event of it.
fn user_with_the_check(event: &str) -> String {
    format!(
        r#"
            resource "servicenow_integration_user" "other" {{
              user_name = "reader"
              lifecycle {{
                action_trigger {{
                  events  = [{event}]
                  actions = [action.servicenow_inbound_check.check]
                }}
              }}
            }}
        "#
    )
}

const ACTIONS: &str = "an action";

#[tokio::test]
async fn an_action_is_invoked_by_hand_and_tells_its_steps() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", ACTIONS) {
            return;
        }
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let mut workspace = simulator.workspace(terraform, &action(&trust, ""));
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);

        let run = workspace
            .terraform("apply -invoke=action.servicenow_inbound_check.check")
            .await;

        run.succeeds()
            .says("Entra signed the application")
            .says("It is a version 1.0 token: issuer https://sts.windows.net/")
            .says("There is no record in incident, so nothing shows whether its user may read it")
            .says("The record was removed again")
            .says("Microsoft can call the instance");
        workspace.leaks_nothing_of(&[&trust.rest_user.client_secret]);

        simulator
            .instance()
            .change("sys_user", &trust.user, &[("locked_out", "true")]);
        let run = workspace
            .terraform("apply -invoke=action.servicenow_inbound_check.check")
            .await;
        run.fails_saying("is locked out").says("It is a version 1.0 token");
    })
    .await;
}

#[tokio::test]
async fn a_saved_plan_of_an_action_has_no_secret_whose_value_is_ephemeral() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", ACTIONS) {
            return;
        }
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let more = user_with_the_check("after_create");
        let mut workspace = simulator.workspace(terraform, &action(&trust, &more));
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);

        workspace.terraform("plan -out=saved.tfplan").await.succeeds();

        workspace.leaks_nothing_of(&[&trust.rest_user.client_secret]);
        workspace
            .terraform("apply saved.tfplan")
            .await
            .succeeds()
            .says("Microsoft can call the instance");

        // What the pages of actions warn of.
        let stored = action(&trust, &more).replace("ephemeral = true", "sensitive = true");
        let mut workspace = simulator.workspace(terraform, &stored.replace("reader", "another"));
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);
        workspace.terraform("plan -out=saved.tfplan").await.succeeds();
        assert_ne!(workspace.leaks(&[&trust.rest_user.client_secret]), Vec::<String>::new());
    })
    .await;
}

/// Everything that the token needs is made in the same apply, and the check follows it.
#[tokio::test]
async fn an_action_runs_after_creation() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", ACTIONS) {
            return;
        }
        let simulator = Simulator::start().await;
        let mut trust = ByHand::set_up(&simulator);
        let instance = simulator.instance();
        instance.remove("oauth_oidc_entity", &trust.provider);
        trust.rest_user = simulator.directory().register("another caller", TokenVersion::V1);
        let more = format!(
            r#"
                resource "servicenow_oidc_provider" "inbound" {{
                  name             = "Microsoft 365"
                  client_id        = "{}"
                  configuration_id = "{}"
                }}
                resource "servicenow_integration_user" "caller" {{
                  user_name  = "{}"
                  roles      = ["incident_manager"]
                  depends_on = [servicenow_oidc_provider.inbound]
                  lifecycle {{
                    action_trigger {{
                      events  = [after_create]
                      actions = [action.servicenow_inbound_check.check]
                    }}
                  }}
                }}
            "#,
            trust.inbound.client_id, trust.configuration, trust.rest_user.client_id
        );
        let mut workspace = simulator.workspace(terraform, &action(&trust, &more));
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Microsoft can call the instance");

        workspace.plan_is_empty().await;
        workspace.leaks_nothing_of(&[&trust.rest_user.client_secret]);
    })
    .await;
}

#[tokio::test]
async fn an_action_on_values_that_are_not_known_is_not_invoked() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.14", ACTIONS) {
            return;
        }
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let configuration = action(&trust, "resource \"terraform_data\" \"later\" {}\n").replace(
            &format!("audience      = \"{}\"", trust.inbound.client_id),
            "audience      = terraform_data.later.id",
        );
        let mut workspace = simulator.workspace(terraform, &configuration);
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);

        let run = workspace
            .terraform("plan -invoke=action.servicenow_inbound_check.check")
            .await;

        run.fails_saying("contains unknown values");
    })
    .await;
}

/// A destroy of the records that the check relies on is preceded by the check, and goes on when the check says no.
#[tokio::test]
async fn an_action_runs_before_a_destroy() {
    for_each_terraform(async |terraform| {
        if !terraform.has("1.16", "an action before a destroy") {
            return;
        }
        let simulator = Simulator::start().await;
        let trust = ByHand::set_up(&simulator);
        let more = user_with_the_check("before_destroy")
            .replace("actions = ", "on_failure = continue\n                  actions = ");
        // The plan keeps what such an action is configured with, so nothing of it can be ephemeral.
        let configuration = action(&trust, &more).replace("ephemeral = true", "sensitive = true");
        let mut workspace = simulator.workspace(terraform, &configuration);
        workspace.set("TF_VAR_secret", &trust.rest_user.client_secret);
        let users = simulator.count("sys_user");
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("Microsoft can call the instance");

        workspace
            .terraform("destroy")
            .await
            .succeeds()
            .says("Microsoft can call the instance");
        assert_eq!(simulator.count("sys_user"), users, "the user is left");

        workspace.terraform("apply").await.succeeds();
        simulator
            .instance()
            .change("sys_user", &trust.user, &[("locked_out", "true")]);
        workspace.terraform("destroy").await.succeeds().says("is locked out");
        assert_eq!(simulator.count("sys_user"), users, "the user is left");
    })
    .await;
}
