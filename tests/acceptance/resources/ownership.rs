//! What existed before Terraform: an import changes nothing, a destroy removes no more than Terraform made.

use servicenow_simulator::instance::Record;

use crate::harness::{ByHand, Simulator, for_each_terraform, manual_setup};

const USER: &str = "servicenow_integration_user.this";

/// A user as somebody made it in the form, with a role and a group. Gives its `sys_id`.
fn user(simulator: &Simulator) -> String {
    let instance = simulator.instance();
    let user = instance.put(
        "sys_user",
        &[
            ("user_name", "robot"),
            ("first_name", "Integration"),
            ("last_name", "User"),
            ("email", "robot@contoso.com"),
            ("title", "Robot"),
            ("active", "true"),
            ("web_service_access_only", "false"),
        ],
    );
    manual_setup::grant(instance, &user, "itil");
    let group = &instance.find("sys_user_group", "name", "Hardware")[0]["sys_id"];
    instance.put("sys_user_grmember", &[("user", &user), ("group", group)]);
    user
}

/// How many roles the user has that none of the others brings.
fn directly_granted(simulator: &Simulator, user: &str) -> usize {
    let rows = simulator.instance().records("sys_user_has_role");
    let direct = rows
        .iter()
        .filter(|row| row["user"] == user && row.get("inherited").is_none_or(|it| it != "true"));
    direct.count()
}

fn imported(kind: &str, id: &str, body: &str) -> String {
    format!("import {{\n  to = {kind}.this\n  id = \"{id}\"\n}}\nresource \"{kind}\" \"this\" {{\n  {body}\n}}\n")
}

#[tokio::test]
async fn what_a_configuration_does_not_name_stays_after_an_import() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = user(&simulator);
        let before = simulator.instance().fingerprint();
        let kind = "servicenow_integration_user";
        let workspace = simulator.workspace(terraform, &imported(kind, &id, "user_name = \"robot\""));

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed, 0 destroyed");

        assert_eq!(simulator.instance().fingerprint(), before);
        workspace.plan_is_empty().await;
        workspace
            .state(USER)
            .has("title", "Robot")
            .has("left_alone", vec!["web_service_access_only"])
            .lacks("granted_roles");

        // Named with the value that it has, it is no change; with another it is one, and empty text clears.
        workspace.configure(&imported(
            kind,
            &id,
            "user_name = \"robot\"\n  web_service_access_only = false",
        ));
        workspace.plan_is_empty().await;
        workspace.configure(&imported(
            kind,
            &id,
            "user_name = \"robot\"\n  title = \"\"\n  web_service_access_only = true",
        ));
        workspace
            .plan()
            .await
            .updates_only(USER, &["left_alone", "locked_out", "title", "web_service_access_only"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        let user = simulator.instance().record("sys_user", &id).unwrap();
        assert_eq!(
            (user["title"].as_str(), user["email"].as_str()),
            ("", "robot@contoso.com")
        );
        assert_eq!(user["web_service_access_only"], "true");
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_role_that_terraform_never_granted_stays_when_it_is_taken_off_the_list() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = user(&simulator);
        let kind = "servicenow_integration_user";
        let roles = |roles: &str| imported(kind, &id, &format!("user_name = \"robot\"\n  roles = {roles}"));
        let workspace = simulator.workspace(terraform, &roles("[\"knowledge\"]"));

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Not every role was revoked")
            .says("itil");

        assert_eq!(directly_granted(&simulator, &id), 2);
        workspace.plan_is_empty().await;
        workspace.state(USER).has("granted_roles", vec!["knowledge"]);

        // Listed once, it is the configuration's to take off.
        workspace.configure(&roles("[\"itil\", \"knowledge\"]"));
        workspace.terraform("apply").await.succeeds();
        workspace.state(USER).has("granted_roles", vec!["knowledge"]);
        workspace.configure(&roles("[]"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .does_not_say("Not every role was revoked");
        assert_eq!(directly_granted(&simulator, &id), 0);
    })
    .await;
}

#[tokio::test]
async fn a_grant_that_existed_before_survives_the_resource() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        user(&simulator);
        let simulator = simulator.starting_here();
        let workspace = simulator.workspace(
            terraform,
            "resource \"servicenow_user_role\" \"this\" {\n  user = \"robot\"\n  role = \"itil\"\n}\n",
        );

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The role was already granted");
        workspace.state("servicenow_user_role.this").has("granted", false);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();

        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_existed_before_survives_its_replacement_and_the_destroy() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let by_hand = ByHand::set_up(&simulator);
        let other = simulator.instance().put(
            "oidc_provider_configuration",
            &[
                ("name", "Other"),
                ("oidc_url", &manual_setup::metadata_url(&simulator, "/v2.0")),
                ("user_claim", "azp"),
                ("user_field", "user_name"),
            ],
        );
        let kind = "servicenow_oidc_provider";
        let client_id = &by_hand.inbound.client_id;
        let workspace = simulator.workspace(
            terraform,
            &imported(
                kind,
                &by_hand.provider,
                &format!(
                    "name = \"Microsoft 365 inbound\"\n  client_id = \"{client_id}\"\n  configuration_id = \"{other}\""
                ),
            ),
        );

        workspace.terraform("apply").await.succeeds();

        let instance = simulator.instance();
        let provider = instance.record("oauth_oidc_entity", &by_hand.provider).unwrap();
        assert_eq!(provider["oidc_provider_configuration"], other);
        assert!(
            instance
                .record("oidc_provider_configuration", &by_hand.configuration)
                .is_some()
        );
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds();
        assert!(instance.record("oauth_oidc_entity", &by_hand.provider).is_none());
        for configuration in [&by_hand.configuration, &other] {
            assert!(instance.record("oidc_provider_configuration", configuration).is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn an_imported_configuration_stays_when_the_provider_is_destroyed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let by_hand = ByHand::set_up(&simulator);
        let metadata_url = manual_setup::metadata_url(&simulator, "");
        let client_id = &by_hand.inbound.client_id;
        let body = format!(
            "name = \"Microsoft 365 inbound\"\n  client_id = \"{client_id}\"\n  configuration = {{\n    name = \"Entra of \
             Contoso\"\n    metadata_url = \"{metadata_url}\"\n  }}"
        );
        let workspace = simulator.workspace(terraform, &imported("servicenow_oidc_provider", &by_hand.provider, &body));
        workspace.terraform("apply").await.succeeds().says("0 changed, 0 destroyed");
        workspace.plan_is_empty().await;

        workspace
            .terraform("destroy")
            .await
            .succeeds()
            .says("The OIDC configuration was left in place");

        let instance = simulator.instance();
        assert!(instance.record("oauth_oidc_entity", &by_hand.provider).is_none());
        assert!(instance.record("oidc_provider_configuration", &by_hand.configuration).is_some());
    })
    .await;
}

#[tokio::test]
async fn an_application_is_the_same_by_its_name_and_by_its_key() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let scope = instance.put(
            "sys_scope",
            &[("scope", "x_contoso_app"), ("name", "Contoso"), ("active", "true")],
        );
        let entity = instance.put(
            "oauth_entity",
            &[
                ("name", "Outbound"),
                ("type", "client"),
                ("client_id", "11111111-2222-3333-4444-555555555555"),
                ("sys_scope", &scope),
            ],
        );
        let kind = "servicenow_oauth_entity";
        let workspace = simulator.workspace(
            terraform,
            &imported(kind, &entity, "name = \"Outbound\"\n  type = \"client\""),
        );

        // Nothing is replaced because the configuration is silent.
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 imported, 0 added, 0 changed, 0 destroyed");
        workspace
            .state("servicenow_oauth_entity.this")
            .has("application_scope", "x_contoso_app")
            .has("application_scope_id", scope.as_str());

        for spelling in ["x_contoso_app", scope.as_str(), &scope.to_uppercase()] {
            let body = format!("name = \"Outbound\"\n  type = \"client\"\n  application_scope = \"{spelling}\"");
            workspace.configure(&imported(kind, &entity, &body));
            workspace.plan_is_empty().await;
        }
    })
    .await;
}

/// The account of the provider is often that of a person, too.
#[tokio::test]
async fn a_configuration_that_existed_is_taken_over_with_a_warning_and_survives_the_destroy() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let url = manual_setup::metadata_url(&simulator, "");
        let configuration = simulator.instance().put(
            "oidc_provider_configuration",
            &[
                ("name", "Entra"),
                ("oidc_url", &url),
                ("user_claim", "appid"),
                ("user_field", "user_name"),
                ("enable_jti_verification", "false"),
            ],
        );
        let simulator = simulator.starting_here();
        let provider = format!(
            "resource \"servicenow_oidc_provider\" \"this\" {{\n  name = \"Inbound\"\n  client_id = \"11111111\"\n  \
             client_secret = \"s\"\n  configuration = {{\n    name = \"Entra\"\n    metadata_url = \"{url}\"\n  }}\n}}\n"
        );
        let workspace = simulator.workspace(terraform, &provider);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The OIDC configuration already existed")
            .says(&configuration);
        workspace
            .state("servicenow_oidc_provider.this")
            .has("owns_configuration", false)
            .has("configuration_id", configuration.as_str());
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();

        assert!(
            simulator
                .instance()
                .record("oidc_provider_configuration", &configuration)
                .is_some()
        );
        assert_eq!(simulator.count("oauth_oidc_entity"), 0);
    })
    .await;
}

/// A destroy of the default policy would delete it.
#[tokio::test]
async fn a_user_that_somebody_deactivated_is_not_activated_unasked() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let robot = [("user_name", "robot"), ("last_name", "R"), ("active", "false")];
        let robot = simulator.instance().put("sys_user", &robot);
        let before = simulator.instance().record("sys_user", &robot);
        let user = |more: &str| {
            format!("resource \"servicenow_integration_user\" \"this\" {{\n  user_name = \"robot\"\n  {more}\n}}\n")
        };
        let workspace = simulator.workspace(terraform, &user(""));

        workspace
            .terraform("apply")
            .await
            .fails_saying("The user already exists")
            .says("set deletion_policy = \"deactivate\"")
            .says("terraform import");
        assert_eq!(simulator.instance().record("sys_user", &robot), before);

        workspace.configure(&user("deletion_policy = \"deactivate\""));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("An inactive user was taken over");
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(
            simulator.instance().record("sys_user", &robot).unwrap()["active"],
            "false"
        );
    })
    .await;
}

/// Two resources of one grant: the one that did not make it takes nothing away.
#[tokio::test]
async fn a_grant_of_a_users_roles_survives_the_removal_of_its_other_resource() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let user = "resource \"servicenow_integration_user\" \"this\" {\n  user_name = \"robot\"\n  roles = [\"itil\"]\n}\n";
        let grant = "resource \"servicenow_user_role\" \"this\" {\n  user = servicenow_integration_user.this.user_name\n  \
                     role = \"itil\"\n}\n";
        let workspace = simulator.workspace(terraform, &format!("{user}{grant}"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The role was already granted");

        workspace.configure(user);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("1 destroyed");

        let id = workspace.state(USER).text("id");
        assert_eq!(directly_granted(&simulator, &id), 1);
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_grant_of_an_older_state_is_kept_and_one_that_was_imported_is_revoked() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = user(&simulator);
        let rows = simulator.instance().find("sys_user_has_role", "user", &id);
        let is_direct = |row: &&Record| row.get("inherited").is_none_or(|it| it != "true");
        let row = rows.iter().find(is_direct).unwrap()["sys_id"].clone();
        let workspace = simulator.workspace(
            terraform,
            "resource \"servicenow_user_role\" \"this\" {\n  user = \"robot\"\n  role = \"itil\"\n}\n",
        );
        let address = "servicenow_user_role.this";
        workspace.terraform_with(&["import", address, &row]).await.succeeds();
        workspace.state(address).has("granted", true);
        // As a version wrote it that did not know the attribute.
        let mut state = workspace.state_file();
        state["resources"][0]["instances"][0]["attributes"]["granted"] = serde_json::Value::Null;
        workspace.write("terraform.tfstate", &state.to_string());

        workspace.plan_is_empty().await;
        workspace
            .terraform("destroy")
            .await
            .succeeds()
            .says("The role was not revoked");
        assert_eq!(directly_granted(&simulator, &id), 1);

        workspace.terraform_with(&["import", address, &row]).await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(directly_granted(&simulator, &id), 0);
    })
    .await;
}

/// A version that did not know who made a configuration or granted a role wrote nothing of it: nothing is lost for it.
#[tokio::test]
async fn what_an_older_state_does_not_tell_is_kept() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let metadata_url = manual_setup::metadata_url(&simulator, "");
        let configuration = |roles: &str| {
            format!(
                "resource \"servicenow_integration_user\" \"this\" {{\n  user_name = \"robot\"\n  roles     = {roles}\n}}\n\
                 resource \"servicenow_oidc_provider\" \"this\" {{\n  name      = \"inbound\"\n  client_id = \"inbound\"\n  \
                 configuration = {{\n    name = \"Entra\"\n    metadata_url = \"{metadata_url}\"\n  }}\n}}\n"
            )
        };
        let workspace = simulator.workspace(terraform, &configuration("[\"itil\"]"));
        workspace.terraform("apply").await.succeeds();
        let instance = simulator.instance();
        let user = instance.find("sys_user", "user_name", "robot")[0]["sys_id"].clone();
        let made = instance.find("oidc_provider_configuration", "name", "Entra")[0]["sys_id"].clone();
        let mut state = workspace.state_file();
        for resource in state["resources"].as_array_mut().unwrap() {
            let instance = &mut resource["instances"][0];
            instance["private"] = serde_json::Value::Null;
            for unknown in ["granted_roles", "granted_groups", "owns_configuration"] {
                if let Some(value) = instance["attributes"].get_mut(unknown) {
                    *value = serde_json::Value::Null;
                }
            }
        }
        workspace.write("terraform.tfstate", &state.to_string());
        workspace.plan_is_empty().await;

        workspace.configure(&configuration("[]"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Not every role was revoked");
        assert_eq!(directly_granted(&simulator, &user), 1);

        workspace
            .terraform("destroy")
            .await
            .succeeds()
            .says("The OIDC configuration was left in place");
        assert!(instance.record("oidc_provider_configuration", &made).is_some());
        assert!(instance.record("sys_user", &user).is_none());
    })
    .await;
}

/// What stands beside an imported entry is as little changed as the entry.
#[tokio::test]
async fn the_profile_of_an_imported_entry_stays_as_it_is() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let entry = |name: &str| {
            instance.put(
                "oauth_entity",
                &[
                    ("name", name),
                    ("type", "oauth_provider"),
                    ("client_id", "11111111"),
                    ("client_secret", "s"),
                    ("default_grant_type", "authorization_code"),
                    ("sys_created_by", "jane.doe"),
                ],
            )
        };
        let (with, without) = (entry("with"), entry("without"));
        for profile in instance.records("oauth_entity_profile") {
            if [&with, &without].contains(&&profile["oauth_entity"]) {
                instance.remove("oauth_entity_profile", &profile["sys_id"]);
            }
        }
        let profile = instance.put(
            "oauth_entity_profile",
            &[
                ("name", "with default_profile"),
                ("oauth_entity", &with),
                ("default", "true"),
                ("grant_type", "client_credentials"),
            ],
        );
        let before = instance.record("oauth_entity_profile", &profile);
        let count = instance.records("oauth_entity_profile").len();
        for (name, id) in [("with", &with), ("without", &without)] {
            let body = |more: &str| format!("name = \"{name}\"\n  client_id = \"11111111\"\n  {more}");
            let kind = "servicenow_oauth_entity";
            let workspace = simulator.workspace(terraform, &imported(kind, id, &body("")));
            workspace
                .terraform("apply")
                .await
                .succeeds()
                .says("1 imported, 0 added, 0 changed");
            workspace.plan_is_empty().await;

            workspace.configure(&imported(kind, id, &body("comments = \"x\"")));
            workspace.terraform("apply").await.succeeds().says("1 changed");
            workspace.plan_is_empty().await;
        }
        assert_eq!(instance.record("oauth_entity_profile", &profile), before);
        assert_eq!(instance.records("oauth_entity_profile").len(), count);
    })
    .await;
}

/// A version that did not know them wrote no such attributes, and the instance has had values for them all along.
#[tokio::test]
async fn a_state_without_later_attributes_is_read_on_without_a_change() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let metadata_url = manual_setup::metadata_url(&simulator, "");
        let workspace = simulator.workspace(
            terraform,
            &format!(
                "resource \"servicenow_oauth_entity\" \"this\" {{\n  name = \"outbound\"\n  client_id = \"outbound\"\n}}\n\
                 resource \"servicenow_oidc_provider\" \"this\" {{\n  name = \"inbound\"\n  client_id = \"inbound\"\n  \
                 configuration = {{\n    name = \"Entra\"\n    metadata_url = \"{metadata_url}\"\n  }}\n}}\n"
            ),
        );
        workspace.terraform("apply").await.succeeds();
        let before = simulator.instance().fingerprint();
        let of_entry = [
            "added_scopes",
            "auth_scopes",
            "client_type",
            "granted_auth_scopes",
            "inbound_grant_type",
            "jwt_provider",
            "public_client",
            "scope_restriction_status",
            "scopes",
            "token_format",
            "user",
            "user_id",
        ];
        let of_configuration = [
            "active",
            "added_claim_validations",
            "claim_validations",
            "issuer_url",
            "jti_claim",
        ];
        let mut state = workspace.state_file();
        for resource in state["resources"].as_array_mut().unwrap() {
            let attributes = resource["instances"][0]["attributes"].as_object_mut().unwrap();
            if let Some(configuration) = attributes.get_mut("configuration").and_then(|it| it.as_object_mut()) {
                attributes_removed(configuration, &of_configuration);
                attributes_removed(attributes, &["scope_restriction_status"]);
            } else {
                attributes_removed(attributes, &of_entry);
            }
        }
        workspace.write("terraform.tfstate", &state.to_string());

        workspace.plan_is_empty().await;
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

#[track_caller]
fn attributes_removed(of: &mut serde_json::Map<String, serde_json::Value>, names: &[&str]) {
    for name in names {
        assert!(of.remove(*name).is_some(), "{name}");
    }
}
