//! `servicenow_oidc_provider`, from creation to removal.

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{Beside, Quirks};

use crate::harness::{Drift, Imports, Simulator, for_each_terraform, removal_is_corrected};

const ADDRESS: &str = "servicenow_oidc_provider.this";
const ID: &str = "11111111-2222-3333-4444-555555555555";
const V1: &str = "https://login.microsoftonline.com/t/.well-known/openid-configuration";
const SECRETS: [&str; 2] = ["first-client-secret", "second-client-secret"];

const WHOLE: &str = r#"
    variable "secret" {
      ephemeral = true
    }
    resource "servicenow_oidc_provider" "this" {
      name                     = "Inbound"
      client_id                = "11111111-2222-3333-4444-555555555555"
      client_secret_wo         = var.secret
      client_secret_wo_version = "1"
      redirect_url             = "https://contoso.service-now.com/oauth_redirect.do"
      clock_skew               = 60
      active                   = true
      access                   = "package_private"
      comments                 = "A comment"
      auth_scopes              = ["useraccount", "kb_read"]
      configuration = {
        name                    = "Entra"
        metadata_url            = "https://login.microsoftonline.com/t/.well-known/openid-configuration"
        user_claim              = "appid"
        user_field              = "user_name"
        enable_jti_verification = false
        cache_life_span         = 600
      }
    }
"#;

const CHANGED: &str = r#"
    variable "secret" {
      ephemeral = true
    }
    resource "servicenow_oidc_provider" "this" {
      name                     = "Inbound 2"
      client_id                = "11111111-2222-3333-4444-555555555555"
      client_secret_wo         = var.secret
      client_secret_wo_version = "1"
      redirect_url             = "https://contoso.service-now.com/oauth_redirect2.do"
      clock_skew               = 61
      active                   = false
      access                   = "public"
      comments                 = ""
      auth_scopes              = ["kb_read", "incident_read"]
      configuration = {
        name                    = "Entra 2"
        metadata_url            = "https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration"
        user_claim              = "azp"
        user_field              = "email"
        enable_jti_verification = true
        cache_life_span         = 601
      }
    }
"#;

fn least(more: &str) -> String {
    format!(
        "resource \"servicenow_oidc_provider\" \"this\" {{\n  name = \"Inbound\"\n  client_id = {ID:?}\n  {more}\n}}\n"
    )
}

fn configured(claim: &str) -> String {
    least(&format!(
        "configuration = {{\n    name = \"Entra\"\n    metadata_url = {V1:?}\n    user_claim = {claim:?}\n  }}"
    ))
}

#[tokio::test]
async fn a_provider_lives_from_creation_to_removal() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, WHOLE);
        workspace.set("TF_VAR_secret", SECRETS[0]);
        let column = |name: &str| simulator.only_record("oauth_oidc_entity")[name].clone();
        let of_configuration = |name: &str| simulator.only_record("oidc_provider_configuration")[name].clone();

        workspace.terraform("apply").await.succeeds_without_warning();

        workspace
            .state(ADDRESS)
            .has("id", column("sys_id"))
            .has("configuration_id", of_configuration("sys_id"))
            .has("configuration.cache_life_span", 600)
            .has("auth_scopes", vec!["kb_read", "useraccount"])
            .lacks("client_secret_wo");
        assert_eq!(column("client_secret"), SECRETS[0]);
        assert_eq!(column("sys_scope"), "global");
        assert_eq!(of_configuration("enable_jti_verification"), "false");
        workspace.plan_is_empty().await;

        workspace.configure(CHANGED);
        workspace.set("TF_VAR_secret", SECRETS[1]);
        workspace.plan().await.updates_only(
            ADDRESS,
            &[
                "access",
                "active",
                "auth_scopes",
                "clock_skew",
                "comments",
                "configuration",
                "granted_auth_scopes",
                "name",
                "redirect_url",
            ],
        );
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
        for (name, expected) in [
            ("client_secret", SECRETS[0]),
            ("name", "Inbound 2"),
            ("clock_skew", "61"),
            ("comments", ""),
            ("active", "false"),
        ] {
            assert_eq!(column(name), expected, "{name}");
        }
        for (name, expected) in [
            ("name", "Entra 2"),
            ("user_claim", "azp"),
            ("user_field", "email"),
            ("enable_jti_verification", "true"),
            ("oidc_config_cache_life_span", "601"),
        ] {
            assert_eq!(of_configuration(name), expected, "{name}");
        }
        assert_eq!(simulator.instance().records("oauth_entity_auth_scope_mapping").len(), 2);
        workspace.plan_is_empty().await;

        workspace.configure(&CHANGED.replace("version = \"1\"", "version = \"2\""));
        workspace.terraform("apply").await.succeeds_without_warning();
        assert_eq!(column("client_secret"), SECRETS[1]);

        workspace.configure(&CHANGED.replace("11111111", "22222222"));
        workspace.plan().await.replaces_because_of(ADDRESS, &["client_id"]);
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
        assert!(column("client_id").starts_with("22222222"));
        assert_eq!(of_configuration("name"), "Entra 2");

        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
        workspace.leaks_nothing_of(&SECRETS);
    })
    .await;
}

#[tokio::test]
async fn drift_of_a_provider_is_planned_back_and_removal_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(terraform, WHOLE);
        workspace.set("TF_VAR_secret", SECRETS[0]);
        workspace.terraform("apply").await.succeeds();
        let (id, configuration) = (
            workspace.state(ADDRESS).text("id"),
            workspace.state(ADDRESS).text("configuration_id"),
        );
        let at_first = simulator.instance().fingerprint();

        let of_provider = [
            ("name", "Somebody's"),
            ("redirect_url", "https://evil.example.com/"),
            ("clock_skew", "3000"),
            ("active", "false"),
            ("access", "public"),
            ("comments", ""),
        ];
        let of_configuration = [
            ("name", "Somebody's"),
            ("oidc_url", "https://evil.example.com/.well-known/openid-configuration"),
            ("user_claim", "upn"),
            ("user_field", "email"),
            ("enable_jti_verification", "true"),
            ("oidc_config_cache_life_span", "1"),
        ];
        let plan = Drift {
            address: ADDRESS,
            changes: &[
                ("oauth_oidc_entity", &id, &of_provider),
                ("oidc_provider_configuration", &configuration, &of_configuration),
            ],
            planned: &[
                "access",
                "active",
                "clock_skew",
                "comments",
                "configuration",
                "name",
                "redirect_url",
            ],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;
        let change = &plan.change(ADDRESS)["change"];
        for name in [
            "name",
            "metadata_url",
            "user_claim",
            "user_field",
            "enable_jti_verification",
            "cache_life_span",
        ] {
            assert_ne!(
                change["before"]["configuration"][name], change["after"]["configuration"][name],
                "{name}"
            );
        }
        assert_eq!(simulator.instance().fingerprint(), at_first);

        // Another client id makes it another provider; a scope that is gone is given again; a foreign one stays.
        simulator
            .instance()
            .change("oauth_oidc_entity", &id, &[("client_id", "another")]);
        workspace.plan().await.replaces_because_of(ADDRESS, &["client_id"]);
        simulator
            .instance()
            .change("oauth_oidc_entity", &id, &[("client_id", ID)]);
        let scopes = simulator.instance().records("oauth_entity_auth_scope_mapping");
        simulator
            .instance()
            .remove("oauth_entity_auth_scope_mapping", &scopes[0]["sys_id"]);
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["auth_scopes", "granted_auth_scopes"]);
        workspace.terraform("apply plan.bin").await.succeeds();

        // The configuration is removed, then the provider, then both.
        simulator
            .instance()
            .remove("oidc_provider_configuration", &configuration);
        workspace.plan().await.does(ADDRESS, &["update"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        let configuration = simulator.only_record("oidc_provider_configuration")["sys_id"].clone();
        assert_eq!(
            simulator.only_record("oauth_oidc_entity")["oidc_provider_configuration"],
            configuration
        );
        workspace.plan_is_empty().await;

        removal_is_corrected(&workspace, ADDRESS, |id| {
            simulator.instance().remove("oauth_oidc_entity", id);
        })
        .await;
        assert_eq!(
            simulator.only_record("oidc_provider_configuration")["sys_id"],
            configuration
        );

        simulator
            .instance()
            .remove("oauth_oidc_entity", &workspace.state(ADDRESS).text("id"));
        simulator
            .instance()
            .remove("oidc_provider_configuration", &configuration);
        workspace.plan().await.does(ADDRESS, &["create"]);
        workspace.terraform("destroy -refresh=false").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_exists_can_be_used_as_it_is() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let existing = simulator.instance().put(
            "oidc_provider_configuration",
            &[
                ("name", "Theirs"),
                ("oidc_url", V1),
                ("user_claim", "oid"),
                ("user_field", "user_name"),
            ],
        );
        let before = simulator.instance().fingerprint();
        let workspace = simulator.workspace(terraform, &configured("appid"));

        // A second configuration of the address is not made unasked.
        workspace
            .terraform("apply")
            .await
            .fails_saying("The metadata address is already configured")
            .says("It maps the claim oid to the field user_name");
        assert!(workspace.addresses().is_empty());
        workspace.configure(&configured("oid"));
        workspace
            .terraform("apply")
            .await
            .fails_saying(&format!("configuration_id = \"{existing}\""));
        assert_eq!(simulator.instance().fingerprint(), before);

        workspace.configure(&configured("oid").replacen(
            "configuration",
            &format!("configuration_id = {existing:?}\n configuration"),
            1,
        ));
        workspace
            .terraform("plan")
            .await
            .fails_saying("Two configurations are given");
        let missing = "0123456789abcdef0123456789abcdef";
        workspace.configure(&least(&format!("configuration_id = {missing:?}")));
        workspace
            .terraform("apply")
            .await
            .fails_saying("No such OIDC configuration")
            .says(missing);
        assert_eq!(simulator.instance().fingerprint(), before);
        workspace.configure(&least(&format!("configuration_id = {existing:?}")));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        // Not ours: neither watched nor removed.
        simulator
            .instance()
            .change("oidc_provider_configuration", &existing, &[("user_claim", "sub")]);
        workspace.plan_is_empty().await;
        simulator
            .instance()
            .change("oidc_provider_configuration", &existing, &[("user_claim", "oid")]);

        workspace.configure(&least(&format!("configuration_id = {missing:?}")));
        workspace
            .terraform("apply")
            .await
            .fails_saying("No such OIDC configuration");

        // To a configuration of one's own, and back.
        let own = configured("appid").replace("/t/", "/own/");
        workspace.configure(&own);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        let made = workspace.state(ADDRESS).text("configuration_id");
        assert_ne!(made, existing);
        workspace.configure(&least(&format!("configuration_id = {existing:?}")));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(simulator.instance().record("oidc_provider_configuration", &made), None);

        workspace.terraform("destroy").await.succeeds();
        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

#[tokio::test]
async fn an_address_that_another_configuration_has_is_refused_unless_it_is_to_be_shared() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let theirs = simulator.instance().put(
            "oidc_provider_configuration",
            &[
                ("name", "Theirs"),
                ("oidc_url", V1),
                ("user_claim", "oid"),
                ("user_field", "user_name"),
            ],
        );
        simulator.instance().switches(|modes| modes.unique_oidc_url = false);
        let own = configured("appid").replace("/t/", "/own/");
        let workspace = simulator.workspace(terraform, &own);
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("configuration_id");
        let before = simulator.instance().fingerprint();

        // An update looks as a create does.
        workspace.configure(&configured("appid"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("The metadata address is already configured")
            .says(&theirs)
            .says("set allow_shared_metadata_url = true")
            .says("Releases before Zurich refuse a second one");
        assert_eq!(simulator.instance().fingerprint(), before);

        let shared = "name = \"Entra\"\n allow_shared_metadata_url = true";
        let sharing = configured("appid").replace("name = \"Entra\"", shared);
        workspace.configure(&sharing);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.state(ADDRESS).has("configuration_id", id.as_str());
        let url =
            |id: &str| simulator.instance().record("oidc_provider_configuration", id).unwrap()["oidc_url"].clone();
        assert_eq!((url(&id).as_str(), url(&theirs).as_str()), (V1, V1));

        // The same from the start; a name is still one configuration's.
        workspace.terraform("destroy").await.succeeds();
        workspace.configure(&sharing.replace("\"Entra\"", "\"Theirs\""));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Give this one another name");
        workspace.configure(&sharing);
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();

        // An older release has the last word.
        simulator.instance().switches(|modes| modes.unique_oidc_url = true);
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not create the OIDC configuration")
            .says("Releases before Zurich refuse a second configuration");
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_others_use_is_kept() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &configured("appid"));
        workspace.terraform("apply").await.succeeds();
        let configuration = workspace.state(ADDRESS).text("configuration_id");
        let other = simulator.instance().put(
            "oauth_oidc_entity",
            &[
                ("name", "Theirs"),
                ("client_id", "theirs"),
                ("oidc_provider_configuration", &configuration),
            ],
        );

        workspace.terraform("destroy").await.succeeds();

        assert!(
            simulator
                .instance()
                .record("oidc_provider_configuration", &configuration)
                .is_some()
        );
        assert_eq!(simulator.only_record("oauth_oidc_entity")["sys_id"], other);
    })
    .await;
}

/// Whoever pointed the provider to another configuration did not make that one Terraform's.
#[tokio::test]
async fn a_configuration_that_somebody_chose_instead_is_neither_changed_nor_deleted() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let theirs = [
            ("name", "Theirs"),
            (
                "oidc_url",
                "https://login.microsoftonline.com/theirs/.well-known/openid-configuration",
            ),
            ("user_claim", "oid"),
            ("user_field", "user_name"),
        ];
        let theirs = simulator.instance().put("oidc_provider_configuration", &theirs);
        let simulator = simulator.starting_here();
        let instance = simulator.instance();
        let untouched = instance.record("oidc_provider_configuration", &theirs);
        let workspace = simulator.workspace(terraform, &configured("appid"));
        workspace.terraform("apply").await.succeeds();
        let own = workspace.state(ADDRESS).text("configuration_id");
        let choose_theirs = || {
            let id = workspace.state(ADDRESS).text("id");
            instance.change("oauth_oidc_entity", &id, &[("oidc_provider_configuration", &theirs)]);
        };
        let update_fails = async || {
            let updates = Matcher::table("oauth_oidc_entity").method(Method::PATCH);
            instance.faults().next(updates, Fault::ForbiddenByBusinessRule);
            workspace
                .terraform("apply")
                .await
                .fails_saying("Could not update the OIDC provider");
        };

        choose_theirs();
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["configuration", "configuration_id", "owns_configuration"]);
        workspace
            .terraform("apply plan.bin")
            .await
            .succeeds()
            .does_not_say("already existed");
        workspace
            .state(ADDRESS)
            .has("configuration_id", own.as_str())
            .has("owns_configuration", true);
        assert_eq!(instance.record("oidc_provider_configuration", &theirs), untouched);
        workspace.plan_is_empty().await;

        // Accepted, it leaves nothing to change, and the former one is removed at the end.
        choose_theirs();
        workspace.configure(&least(&format!("configuration_id = {theirs:?}")));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert!(instance.record("oidc_provider_configuration", &own).is_some());
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();

        // An update that fails half-way, and a destroy after it.
        workspace.configure(&least(&format!("configuration_id = {theirs:?}")));
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&configured("appid"));
        update_fails().await;
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(instance.record("oidc_provider_configuration", &theirs), untouched);
        simulator.is_as_at_start();

        // The other way round.
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&least(&format!("configuration_id = {theirs:?}")));
        update_fails().await;
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        assert_eq!(simulator.created("oidc_provider_configuration"), []);
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
        workspace.configure(&configured("appid"));

        // At once.
        workspace.terraform("apply").await.succeeds();
        choose_theirs();
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(instance.record("oidc_provider_configuration", &theirs), untouched);
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_provider_is_imported_by_id_by_column_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration = simulator.instance().put(
            "oidc_provider_configuration",
            &[
                ("name", "Entra"),
                ("oidc_url", V1),
                ("user_claim", "appid"),
                ("user_field", "user_name"),
                ("enable_jti_verification", "false"),
            ],
        );
        let id = simulator.instance().put(
            "oauth_oidc_entity",
            &[
                ("name", "Inbound"),
                ("client_id", ID),
                ("oidc_provider_configuration", &configuration),
            ],
        );
        let hcl = configured("appid");
        let workspace = simulator.workspace(terraform, &hcl);
        let by_client_id = format!("client_id={ID}");

        Imports {
            address: ADDRESS,
            configuration: &hcl,
            identity: ("sys_id", &id),
            targets: &[&id, "name=Inbound", &by_client_id],
            state: &[("id", &id)],
            refused: &[("client_id=nobody", "Nothing to import")],
        }
        .round_trip(terraform, &workspace)
        .await;

        // With the other form of the configuration it is adopted, not removed.
        workspace.configure(&least(&format!("configuration_id = {configuration:?}")));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
    })
    .await;
}

#[tokio::test]
async fn values_of_a_provider_may_be_unknown_until_apply() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            r#"
                resource "terraform_data" "later" {
                  input = { text = "later", claim = "oid", number = 100, flag = false, scope = "kb_read" }
                }
                locals {
                  later = terraform_data.later.output
                }
                resource "servicenow_oidc_provider" "this" {
                  name        = local.later.text
                  client_id   = "id-${local.later.text}"
                  clock_skew  = local.later.number
                  active      = local.later.flag
                  auth_scopes = [local.later.scope, "useraccount"]
                  configuration = {
                    name                    = local.later.text
                    metadata_url            = "https://login.example.com/${local.later.text}"
                    user_claim              = local.later.claim
                    enable_jti_verification = local.later.flag
                  }
                }
            "#,
        );

        workspace.terraform("apply").await.succeeds();

        workspace
            .state(ADDRESS)
            .has("client_id", "id-later")
            .has("auth_scopes", vec!["kb_read", "useraccount"])
            .has("configuration.user_claim", "oid")
            .has("configuration.cache_life_span", 720);
        workspace.plan_is_empty().await;
    })
    .await;
}

#[tokio::test]
async fn a_claim_that_tokens_of_the_address_lack_is_warned_of() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let v2 = configured("appid").replace("/t/", "/t/v2.0/");
        let workspace = simulator.workspace(terraform, &v2);
        workspace.terraform("plan").await.succeeds().says("Warning").says("azp");
        workspace.configure(&configured("azp"));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("Warning")
            .says("appid");
        for (claim, from, to) in [
            ("appid", "", ""),
            ("oid", "/t/", "/t/v2.0/"),
            ("azp", "/t/", "/t/v2.0/"),
        ] {
            workspace.configure(&configured(claim).replace(from, to));
            workspace
                .terraform("plan")
                .await
                .succeeds()
                .does_not_say("Warning: The");
        }
    })
    .await;
}

/// A rule of the instance that points an OIDC provider to another configuration: that one was never ours, and is neither changed nor
/// deleted.
#[tokio::test]
async fn a_configuration_that_the_instance_chose_instead_is_not_ours() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let shipped = simulator.instance().put(
            "oidc_provider_configuration",
            &[
                ("name", "Azure AD"),
                ("oidc_url", "https://login.example.com/shipped"),
                ("user_claim", "upn"),
                ("user_field", "user_name"),
                ("sys_created_by", "system"),
            ],
        );
        let shipped_row = || {
            simulator
                .instance()
                .find("oidc_provider_configuration", "sys_id", &shipped)
        };
        let before = shipped_row();
        let rule = |quirks: &mut Quirks| {
            quirks.beside.push(Beside::new(
                "oauth_oidc_entity",
                "name",
                "oidc_provider_configuration",
                &shipped,
            ));
        };
        simulator.instance().quirks(rule);
        let workspace = simulator.workspace(terraform, &configured("appid"));

        workspace
            .terraform("apply")
            .await
            .says("oidc_provider_configuration was not kept")
            .does_not_say("bug in the provider");
        let made = workspace.state(ADDRESS).text("configuration_id");
        assert_ne!(made, shipped);

        // Destroyed right away, and after an update under the same rule.
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(shipped_row(), before);
        assert_eq!(
            simulator
                .instance()
                .find("oidc_provider_configuration", "sys_id", &made),
            []
        );

        simulator.instance().quirks(|quirks| quirks.beside.clear());
        workspace.terraform("apply").await.succeeds();
        simulator.instance().quirks(rule);
        workspace.configure(&configured("appid").replace("\"Inbound\"", "\"Inbound 2\""));
        workspace.terraform("apply").await.does_not_say("bug in the provider");
        simulator.instance().quirks(|quirks| quirks.beside.clear());
        workspace.configure(&configured("azp").replace("\"Inbound\"", "\"Inbound 2\""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(shipped_row(), before);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        assert_eq!(shipped_row(), before);
    })
    .await;
}

/// A replacement leaves a configuration that another provider uses, and the new provider goes on with it.
#[tokio::test]
async fn a_replaced_provider_keeps_a_configuration_that_others_use() {
    let both = |id: &str| {
        format!(
            "{}\nresource \"servicenow_oidc_provider\" \"other\" {{\n  name = \"Other\"\n  client_id = \"other\"\n  \
             configuration_id = servicenow_oidc_provider.this.configuration_id\n}}\n",
            configured("appid").replace(ID, id)
        )
    };
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &both(ID));
        workspace.terraform("apply").await.succeeds();
        let configuration = simulator.only_record("oidc_provider_configuration")["sys_id"].clone();

        workspace.configure(&both("11111111-2222-3333-4444-666666666666"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The OIDC configuration was left in place");

        assert_eq!(
            simulator.only_record("oidc_provider_configuration")["sys_id"],
            configuration
        );
        workspace
            .state(ADDRESS)
            .has("configuration_id", configuration)
            .has("owns_configuration", true);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A block that is not known at the plan may come to nothing, and a `configuration_id` beside it is then the one that counts.
#[tokio::test]
async fn a_configuration_that_is_not_known_yet_may_be_none() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().put(
            "oidc_provider_configuration",
            &[("name", "Entra"), ("oidc_url", "https://login.example.com/shipped")],
        );
        let which = |none: &str| {
            format!(
                "resource \"terraform_data\" \"which\" {{\n  input = {none:?}\n}}\n{}",
                least(&format!(
                    "configuration_id = {id:?}\n  configuration = terraform_data.which.output == \"none\" ? null : {{\n    \
                     name = \"Own\"\n    metadata_url = {V1:?}\n  }}"
                ))
            )
        };
        let workspace = simulator.workspace(terraform, &which("none"));

        workspace.terraform("apply").await.succeeds();
        workspace.state(ADDRESS).has("configuration_id", id.as_str());
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();

        workspace.configure(&which("own"));
        workspace.terraform("apply").await.fails_saying("Two configurations are given");
        assert_eq!(simulator.only_record("oidc_provider_configuration")["sys_id"], id);
    })
    .await;
}
