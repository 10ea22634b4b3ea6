//! `servicenow_oidc_configuration`, from creation to removal.

mod claims; // Claims that a configuration checks.

use servicenow_provider::http::Method;
use servicenow_simulator::Options;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{self, Release};

use crate::harness::{Drift, Imports, Simulator, for_each_terraform, removal_is_corrected};

const ADDRESS: &str = "servicenow_oidc_configuration.this";
const TABLE: &str = "oidc_provider_configuration";
const V1: &str = "https://login.microsoftonline.com/t/.well-known/openid-configuration";

/// A configuration of Entra's version 1 tokens, with more arguments.
fn configuration(more: &str) -> String {
    format!(
        "resource \"servicenow_oidc_configuration\" \"this\" {{\n  name = \"Entra\"\n  metadata_url = {V1:?}\n  {more}\n}}\n"
    )
}

/// A configuration, and providers of these client ids that share it.
fn shared_by(client_ids: &[&str]) -> String {
    let providers = client_ids.iter().map(|id| {
        format!(
            "resource \"servicenow_oidc_provider\" \"{id}\" {{\n  name = \"{id}\"\n  client_id = \"{id}\"\n  configuration_id = \
             {ADDRESS}.id\n}}\n"
        )
    });
    configuration("") + &providers.collect::<String>()
}

/// Somebody's configuration of the same address.
fn theirs(simulator: &Simulator) -> String {
    let columns = [
        ("name", "Theirs"),
        ("oidc_url", V1),
        ("user_claim", "oid"),
        ("user_field", "email"),
    ];
    simulator.instance().put(TABLE, &columns)
}

#[tokio::test]
async fn a_configuration_lives_from_creation_to_removal() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &configuration(""));
        let column = |name: &str| simulator.only_record(TABLE)[name].clone();

        workspace.terraform("apply").await.succeeds_without_warning();

        let id = column("sys_id");
        workspace
            .state(ADDRESS)
            .has("id", id.as_str())
            .has("user_claim", "appid")
            .has("cache_life_span", 720)
            .has("application_scope", "global");
        for (name, expected) in [
            ("name", "Entra"),
            ("oidc_url", V1),
            ("user_claim", "appid"),
            ("user_field", "user_name"),
            ("enable_jti_verification", "false"),
            ("sys_scope", "global"),
        ] {
            assert_eq!(column(name), expected, "{name}");
        }
        workspace.plan_is_empty().await;

        let changed = configuration(
            "user_claim = \"oid\"\n user_field = \"email\"\n enable_jti_verification = true\n cache_life_span = 24",
        )
        .replace("\"Entra\"", "\"Entra 2\"")
        .replace("/t/", "/other/");
        workspace.configure(&changed);
        workspace.plan().await.updates_only(
            ADDRESS,
            &[
                "cache_life_span",
                "enable_jti_verification",
                "metadata_url",
                "name",
                "user_claim",
                "user_field",
            ],
        );
        workspace.terraform("apply plan.bin").await.succeeds_without_warning();
        assert_eq!(
            (column("sys_id"), column("oidc_config_cache_life_span")),
            (id, "24".to_owned())
        );
        assert!(column("oidc_url").contains("/other/"));
        workspace.plan_is_empty().await;

        // Another spelling of the same is no change.
        workspace.configure(
            &changed
                .replace("https://login", "https://LOGIN")
                .replace("\"Entra 2\"", "\" Entra 2 \""),
        );
        workspace.plan_is_empty().await;

        workspace.terraform("destroy").await.succeeds_without_warning();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn drift_of_a_configuration_is_planned_back_and_removal_planned_again() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &configuration("cache_life_span = 24"));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");

        Drift {
            address: ADDRESS,
            changes: &[(
                TABLE,
                &id,
                &[
                    ("name", "Somebody's"),
                    ("oidc_url", "https://evil.example.com/.well-known/openid-configuration"),
                    ("user_claim", "upn"),
                    ("user_field", "email"),
                    ("enable_jti_verification", "true"),
                    ("oidc_config_cache_life_span", "1"),
                ],
            )],
            planned: &[
                "cache_life_span",
                "enable_jti_verification",
                "metadata_url",
                "name",
                "user_claim",
                "user_field",
            ],
            kept: &[],
        }
        .is_corrected(&simulator, &workspace)
        .await;

        removal_is_corrected(&workspace, ADDRESS, |id| simulator.instance().remove(TABLE, id)).await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn several_providers_share_a_configuration_that_goes_last() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &shared_by(&["one", "two"]));

        workspace.terraform("apply").await.succeeds();

        let id = workspace.state(ADDRESS).text("id");
        for provider in simulator.created("oauth_oidc_entity") {
            assert_eq!(provider["oidc_provider_configuration"], id);
        }
        workspace
            .state("servicenow_oidc_provider.one")
            .has("owns_configuration", false)
            .lacks("configuration");
        workspace.plan_is_empty().await;

        workspace.configure(&shared_by(&["one"]));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.only_record(TABLE)["sys_id"], id);
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_exists_is_not_taken_over() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let existing = theirs(&simulator);
        let simulator = simulator.starting_here();
        let workspace = simulator.workspace(terraform, &configuration(""));

        workspace
            .terraform("apply")
            .await
            .fails_saying("The OIDC configuration already exists")
            .says(&format!("terraform import {ADDRESS_OF_ANY} {existing}"))
            .says("allow_shared_metadata_url = true");
        simulator.is_as_at_start();

        // A second one of the address is made on purpose only, and told apart by its name.
        simulator.instance().switches(|modes| modes.unique_oidc_url = false);
        let sharing = configuration("allow_shared_metadata_url = true");
        workspace.configure(&sharing.replace("\"Entra\"", "\"Theirs\""));
        workspace
            .terraform("apply")
            .await
            .fails_saying("The OIDC configuration already exists")
            .says("use another name");
        workspace.configure(&sharing);
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();

        // An update looks as a create does.
        workspace.configure(&configuration("").replace("/t/", "/own/"));
        workspace.terraform("apply").await.succeeds();
        let own = simulator.instance().fingerprint();
        workspace.configure(&configuration(""));
        workspace
            .terraform("apply")
            .await
            .fails_saying("The metadata address is already configured")
            .says(&existing);
        assert_eq!(simulator.instance().fingerprint(), own);
    })
    .await;
}

/// What a person writes for an address without a name.
const ADDRESS_OF_ANY: &str = "servicenow_oidc_configuration.<name>";

#[tokio::test]
async fn a_configuration_that_others_use_is_not_deleted() {
    for_each_terraform(async |terraform| {
        let simulator = of(Release::Australia).await;
        let instance = simulator.instance();
        let workspace = simulator.workspace(terraform, &configuration(""));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let refused = async |because: &str| {
            let before = instance.fingerprint();
            workspace
                .terraform("destroy")
                .await
                .fails_saying("The OIDC configuration is still used")
                .says(because)
                .says("force_destroy = true");
            assert_eq!(instance.fingerprint(), before);
        };

        let provider = instance.put(
            "oauth_oidc_entity",
            &[
                ("name", "Theirs"),
                ("client_id", "theirs"),
                ("oidc_provider_configuration", &id),
            ],
        );
        refused("used by the OIDC provider Theirs").await;
        instance.remove("oauth_oidc_entity", &provider);

        let other = instance.put("oidc_provider_configuration", &[("name", "Another")]);
        let mapping = |columns: &[(&str, &str)]| instance.put("oauth_protected_resource_idp_mapping", columns);
        let unguessed = mapping(&[("oidc_provider", &other), ("trusted_idp", &id)]);
        refused("used by a protected resource").await;
        instance.remove("oauth_protected_resource_idp_mapping", &unguessed);
        instance.remove("oidc_provider_configuration", &other);

        let mapping = mapping(&[("oidc_provider", &id)]);
        refused("used by a protected resource").await;
        instance.switches(|modes| {
            modes
                .quirks
                .hidden_tables
                .insert("oauth_protected_resource_idp_mapping".to_owned());
        });
        refused("perhaps used by a protected resource").await;
        instance.switches(|modes| modes.quirks.hidden_tables.clear());

        workspace.configure(&configuration("force_destroy = true"));
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        instance.remove("oauth_protected_resource_idp_mapping", &mapping);
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_configuration_is_imported_by_id_by_column_and_by_identity() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = theirs(&simulator);
        let instance = simulator.instance();
        instance.change(TABLE, &id, &[("enable_jti_verification", "false")]);
        let before = instance.fingerprint();
        let hcl = configuration("user_claim = \"oid\"\n user_field = \"email\"").replace("\"Entra\"", "\"Theirs\"");
        let workspace = simulator.workspace(terraform, &hcl);
        let by_address = format!("metadata_url={V1}");

        Imports {
            address: ADDRESS,
            configuration: &hcl,
            identity: ("sys_id", &id),
            targets: &[&id, "name=Theirs", &by_address],
            state: &[("id", &id), ("user_claim", "oid")],
            refused: &[("name=Nobody", "Nothing to import")],
        }
        .round_trip(terraform, &workspace)
        .await;
        assert_eq!(instance.fingerprint(), before);

        // What has a default keeps what it had until it is configured.
        workspace.configure(&configuration("").replace("\"Entra\"", "\"Theirs\""));
        workspace.plan_is_empty().await;
        workspace
            .state(ADDRESS)
            .has("left_alone", vec!["user_claim", "user_field"]);
    })
    .await;
}

/// The block of a provider becomes a resource that several share, and nothing on the instance changes.
#[tokio::test]
async fn the_configuration_of_a_provider_becomes_a_resource_of_its_own() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let nested = "resource \"servicenow_oidc_provider\" \"one\" {\n  name = \"one\"\n  client_id = \"one\"\n  configuration = \
                      {\n    name = \"Entra\"\n    metadata_url = \"URL\"\n  }\n}\n"
            .replace("URL", V1);
        let workspace = simulator.workspace(terraform, &nested);
        workspace.terraform("apply").await.succeeds();
        let id = simulator.only_record(TABLE)["sys_id"].clone();
        let before = simulator.instance().fingerprint();

        let import = format!("import {{\n  to = {ADDRESS}\n  id = \"{id}\"\n}}\n");
        workspace.configure(&format!("{import}{}{nested}", configuration("")));
        workspace.terraform("apply").await.succeeds();
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("The OIDC configuration is managed twice");
        workspace.configure(&shared_by(&["one"]));
        workspace.terraform("apply").await.succeeds();

        assert_eq!(simulator.instance().fingerprint(), before);
        workspace.plan_is_empty().await;
        workspace
            .state("servicenow_oidc_provider.one")
            .has("configuration_id", id.as_str())
            .has("owns_configuration", false);
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A plan of the provider alone would not show what happens to the configuration that it made.
#[tokio::test]
async fn a_block_that_goes_tells_what_becomes_of_its_configuration() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let provider = |more: &str| {
            format!(
                "resource \"servicenow_oidc_provider\" \"one\" {{\n  name = \"one\"\n  client_id = \"one\"\n  {more}\n}}\n"
            )
        };
        let block = format!("configuration = {{\n    name = \"Entra\"\n    metadata_url = \"{V1}\"\n  }}");
        let workspace = simulator.workspace(terraform, &provider(&block));
        workspace.terraform("apply").await.succeeds();
        let made = simulator.only_record(TABLE)["sys_id"].clone();
        let other = simulator.instance().put(
            TABLE,
            &[
                ("name", "Other"),
                ("oidc_url", "https://example.com/other/.well-known/openid-configuration"),
                ("user_claim", "appid"),
                ("user_field", "user_name"),
            ],
        );
        workspace.configure(&provider(&format!("configuration_id = \"{made}\"")));
        let kept = workspace.terraform("plan").await;
        kept.succeeds().does_not_say("will be deleted");
        workspace.configure(&provider(&format!("configuration_id = \"{other}\"")));

        let run = workspace.terraform("apply").await;

        run.succeeds()
            .says("The OIDC configuration will be deleted")
            .says(&format!("configuration_id = \"{made}\""));
        assert_eq!(simulator.only_record(TABLE)["sys_id"], other);
    })
    .await;
}

/// Which of the two comes first is chance unless one depends on the other: neither takes over what the other made.
#[tokio::test]
async fn a_block_does_not_take_over_what_another_resource_of_the_apply_made() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let provider = format!(
            "resource \"servicenow_oidc_provider\" \"one\" {{\n  name = \"one\"\n  client_id = \"one\"\n  configuration = {{\n    \
             name = \"Entra\"\n    metadata_url = \"{V1}\"\n  }}\n  depends_on = [{ADDRESS}]\n}}\n"
        );
        let workspace = simulator.workspace(terraform, &format!("{}{provider}", configuration("")));

        let run = workspace.terraform("apply").await;

        let id = workspace.state(ADDRESS).attribute("id").as_str().unwrap().to_owned();
        run.fails_saying("The metadata address is already configured")
            .says("Another resource of this apply made it")
            .says(&format!("configuration_id = \"{id}\""));
        assert_eq!(workspace.addresses(), [ADDRESS]);
    })
    .await;
}

#[tokio::test]
async fn the_record_of_a_configuration_moves_here_and_back() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let untyped = format!(
            "resource \"servicenow_record\" \"any\" {{\n  table = \"{TABLE}\"\n  fields = {{\n    name = \"Entra\"\n    oidc_url = \
             {V1:?}\n    user_claim = \"appid\"\n    user_field = \"user_name\"\n    enable_jti_verification = \"false\"\n  }}\n}}\n"
        );
        let workspace = simulator.workspace(terraform, &untyped);
        workspace.terraform("apply").await.succeeds();
        let id = simulator.only_record(TABLE)["sys_id"].clone();

        let moved = format!("moved {{\n  from = servicenow_record.any\n  to = {ADDRESS}\n}}\n");
        workspace.configure(&(configuration("") + &moved));
        workspace.terraform("apply").await.succeeds();

        workspace.state(ADDRESS).has("id", id.as_str());
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_lets_nobody_create_a_configuration_is_told() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .instance()
            .switches(|modes| modes.configuration_create_refused = true);
        let workspace = simulator.workspace(terraform, &configuration(""));

        workspace
            .terraform("apply")
            .await
            .fails_saying("No right to create the OIDC configuration")
            .says("create it in the form");
        simulator.is_as_at_start();

        // An update that fails leaves the state as it was.
        simulator
            .instance()
            .switches(|modes| modes.configuration_create_refused = false);
        workspace.terraform("apply").await.succeeds();
        let updates = Matcher::table(TABLE).method(Method::PATCH);
        simulator
            .instance()
            .faults()
            .next(updates, Fault::ForbiddenByBusinessRule);
        workspace.configure(&configuration("user_claim = \"oid\""));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not update the OIDC configuration");
        workspace.state(ADDRESS).has("user_claim", "appid");
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
    })
    .await;
}

/// An instance of a release.
async fn of(release: Release) -> Simulator {
    let instance = instance::Options {
        release,
        ..instance::Options::default()
    };
    let options = Options {
        instance,
        ..Options::default()
    };
    Simulator::start_with(options).await
}

const NEWER: &str = r#"
    jti_claim  = "uti"
    issuer_url = "https://sts.windows.net/t/"
    active     = false
"#;

#[tokio::test]
async fn what_newer_releases_know_of_a_configuration_is_written_where_it_is_set() {
    for_each_terraform(async |terraform| {
        let simulator = of(Release::Brazil).await;
        let workspace = simulator.workspace(terraform, &configuration(""));
        let column = |name: &str| simulator.only_record(TABLE)[name].clone();
        workspace.terraform("apply").await.succeeds();
        workspace
            .state(ADDRESS)
            .lacks("jti_claim")
            .lacks("issuer_url")
            .lacks("active");

        // What nobody set is not watched either.
        let id = workspace.state(ADDRESS).text("id");
        simulator.instance().change(TABLE, &id, &[("active", "false")]);
        workspace.plan_is_empty().await;

        workspace.configure(&configuration(NEWER));
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["active", "issuer_url", "jti_claim"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        workspace.plan_is_empty().await;
        for (name, expected) in [("jti_claim", "uti"), ("issuer", "https://sts.windows.net/t/"), ("active", "false")] {
            assert_eq!(column(name), expected, "{name}");
        }
        simulator.instance().change(TABLE, &id, &[("jti_claim", "jti")]);
        workspace.plan().await.updates_only(ADDRESS, &["jti_claim"]);

        // The same in the block of a provider.
        workspace.terraform("destroy").await.succeeds();
        let block = format!(
            "resource \"servicenow_oidc_provider\" \"one\" {{\n  name = \"one\"\n  client_id = \"one\"\n  configuration = {{\n    name \
             = \"Entra\"\n    metadata_url = {V1:?}\n    {NEWER}\n  }}\n}}\n"
        );
        workspace.configure(&block);
        workspace.terraform("apply").await.succeeds();
        assert_eq!((column("jti_claim").as_str(), column("active").as_str()), ("uti", "false"));
        workspace.plan_is_empty().await;
        workspace.configure(&block.replace(NEWER, ""));
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_release_without_a_column_is_told_before_anything_is_written() {
    for_each_terraform(async |terraform| {
        let simulator = of(Release::Yokohama).await;
        let workspace = simulator.workspace(terraform, "");
        for (argument, column) in [
            ("jti_claim = \"uti\"", "jti_claim"),
            ("issuer_url = \"https://sts.windows.net/t/\"", "issuer"),
            ("active = true", "active"),
        ] {
            let title = format!("The instance has no column {column}");
            workspace.configure(&configuration(argument));
            workspace.terraform("apply").await.fails_saying(&title);
            workspace.configure(&format!(
                "resource \"servicenow_oidc_provider\" \"one\" {{\n  name = \"one\"\n  client_id = \"one\"\n  configuration = {{\n    \
                 name = \"Entra\"\n    metadata_url = {V1:?}\n    {argument}\n  }}\n}}\n"
            ));
            workspace.terraform("apply").await.fails_saying(&title);
            simulator.is_as_at_start();
        }
        // An account that may not read the dictionary sees it by a record.
        workspace.configure(&configuration(""));
        workspace.terraform("apply").await.succeeds();
        simulator.instance().switches(|modes| {
            modes.quirks.hidden_tables.insert("sys_dictionary".to_owned());
        });
        workspace.configure(&configuration("jti_claim = \"uti\""));
        workspace
            .terraform("apply")
            .await
            .fails_saying("The instance has no column jti_claim")
            .says("may not read it");
    })
    .await;
}
