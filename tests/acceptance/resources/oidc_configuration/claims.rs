//! Claims that a configuration checks, of its own resource and of the block in an OIDC provider.

use super::*;

/// The claims that the instance checks, as `name=value`, sorted.
fn claims(simulator: &Simulator) -> Vec<String> {
    let rows = simulator.instance().records("jwt_claim_validation");
    let mut claims: Vec<String> = rows
        .iter()
        .map(|row| format!("{}={}", row["name"], row["value"]))
        .collect();
    claims.sort();
    claims
}

#[tokio::test]
async fn claims_of_a_configuration_are_added_changed_and_removed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let of = |claims: &str| configuration(&format!("claim_validations = {{ {claims} }}"));
        let workspace = simulator.workspace(terraform, &of("tid = \"contoso\", azp = \"app\""));

        workspace.terraform("apply").await.succeeds();
        assert_eq!(claims(&simulator), ["azp=app", "tid=contoso"]);
        workspace
            .state(ADDRESS)
            .has("claim_validations.tid", "contoso")
            .has("added_claim_validations", vec!["azp", "tid"]);
        workspace.plan_is_empty().await;

        // Somebody's own stays; drift and removal are corrected; another spelling is none.
        let id = workspace.state(ADDRESS).text("id");
        let theirs = [("name", "acr"), ("value", "1"), ("oidc_config", id.as_str())];
        instance.put("jwt_claim_validation", &theirs);
        let row = |name: &str| instance.find("jwt_claim_validation", "name", name)[0]["sys_id"].clone();
        instance.change("jwt_claim_validation", &row("tid"), &[("value", "fabrikam")]);
        instance.remove("jwt_claim_validation", &row("azp"));
        workspace
            .plan()
            .await
            .updates_only(ADDRESS, &["added_claim_validations", "claim_validations"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(claims(&simulator), ["acr=1", "azp=app", "tid=contoso"]);
        workspace
            .state(ADDRESS)
            .has("added_claim_validations", vec!["azp", "tid"]);
        workspace.configure(&of("tid = \" contoso \", azp = \"app\""));
        workspace.plan_is_empty().await;

        workspace.configure(&of("tid = \"fabrikam\""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(claims(&simulator), ["acr=1", "tid=fabrikam"]);
        workspace.plan_is_empty().await;
        // Left out, they stay; an empty map removes them.
        workspace.configure(&configuration(""));
        workspace.plan_is_empty().await;
        workspace.configure(&of(""));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(claims(&simulator), ["acr=1"]);

        instance.remove("jwt_claim_validation", &row("acr"));
        workspace.configure(&of("tid = \"contoso\""));
        workspace.terraform("apply").await.succeeds();
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn claims_of_a_block_follow_its_configuration() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let block = |claims: &str| {
            format!(
                "resource \"servicenow_oidc_provider\" \"one\" {{\n  name = \"one\"\n  client_id = \"one\"\n  configuration = {{\n    \
                 name = \"Entra\"\n    metadata_url = {V1:?}\n    {claims}\n  }}\n}}\n"
            )
        };
        let address = "servicenow_oidc_provider.one";
        let workspace = simulator.workspace(terraform, &block("claim_validations = { tid = \"contoso\", azp = \"app\" }"));
        workspace.terraform("apply").await.succeeds();
        assert_eq!(claims(&simulator), ["azp=app", "tid=contoso"]);
        workspace
            .state(address)
            .has("configuration.claim_validations.azp", "app")
            .has("configuration.added_claim_validations", vec!["azp", "tid"]);
        workspace.plan_is_empty().await;

        // One that the instance refuses is told, and planned again.
        let inserts = Matcher::table("jwt_claim_validation").method(Method::POST);
        instance.faults().next(inserts, Fault::ForbiddenByBusinessRule);
        let more = block("claim_validations = { tid = \"contoso\", azp = \"app\", acr = \"1\" }");
        workspace.configure(&more);
        workspace
            .terraform("apply")
            .await
            .fails_saying("Could not add the claim validation acr");
        workspace.plan().await.updates_only(address, &["configuration"]);
        workspace.terraform("apply plan.bin").await.succeeds();
        assert_eq!(claims(&simulator), ["acr=1", "azp=app", "tid=contoso"]);
        workspace.plan_is_empty().await;

        // An import lists them, and removes none that it only found.
        let id = workspace.state(address).text("id");
        workspace.terraform_with(&["state", "rm", address]).await.succeeds();
        workspace.terraform_with(&["import", address, &id]).await.succeeds();
        workspace.state(address).has("configuration.claim_validations.acr", "1");
        workspace.plan_is_empty().await;
        workspace.configure(&block("claim_validations = { tid = \"contoso\" }"));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("Not every claim validation was removed");
        assert_eq!(claims(&simulator).len(), 3);
        workspace.plan_is_empty().await;
    })
    .await;
}

/// The table is likely, its reference is not known: what cannot be told is not written.
#[tokio::test]
async fn claims_are_refused_where_the_instance_keeps_them_elsewhere() {
    for_each_terraform(async |terraform| {
        let claims = configuration("claim_validations = { tid = \"contoso\" }");
        let simulator = of(Release::Yokohama).await;
        let workspace = simulator.workspace(terraform, &claims);
        workspace
            .terraform("apply")
            .await
            .fails_saying("Claim validations cannot be managed here")
            .says("no column of jwt_claim_validation refers to oidc_provider_configuration");
        simulator.is_as_at_start();

        let simulator = Simulator::start().await;
        simulator.instance().switches(|modes| {
            modes.quirks.hidden_tables.insert("sys_dictionary".to_owned());
        });
        let workspace = simulator.workspace(terraform, &claims);
        workspace
            .terraform("apply")
            .await
            .fails_saying("Claim validations cannot be managed here")
            .says("cannot be told");
        simulator.is_as_at_start();
    })
    .await;
}

/// That no claim is checked needs no table of claims, and does not get in the way later.
#[tokio::test]
async fn an_empty_map_of_claims_asks_for_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = of(Release::Yokohama).await;
        let workspace = simulator.workspace(terraform, &configuration("claim_validations = {}"));
        workspace.terraform("apply").await.succeeds();
        workspace.plan_is_empty().await;
        workspace.configure(&configuration(""));
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// Its claims check nothing without their configuration, and a destroy that fails for them would fail for ever.
#[tokio::test]
async fn claims_that_the_instance_keeps_do_not_hold_up_a_destroy() {
    for_each_terraform(async |terraform| {
        let claims = "claim_validations = { tid = \"contoso\" }";
        let of_block = format!(
            "resource \"servicenow_oidc_provider\" \"one\" {{\n  name = \"one\"\n  client_id = \"one\"\n  configuration = {{\n    \
             name = \"Entra\"\n    metadata_url = {V1:?}\n    {claims}\n  }}\n}}\n"
        );
        for configuration in [configuration(claims), of_block] {
            let simulator = Simulator::start().await;
            let workspace = simulator.workspace(terraform, &configuration);
            workspace.terraform("apply").await.succeeds();
            // What another run may fare better with stops the destroy before anything is deleted.
            let reads = Matcher::table("jwt_claim_validation").method(Method::GET);
            simulator.instance().faults().every(reads, Fault::ServerError(500));
            workspace
                .terraform("destroy -refresh=false")
                .await
                .fails_saying("jwt_claim_validation gave no usable response to the read");
            assert_eq!(simulator.count(TABLE), 1);
            simulator.instance().faults().clear();

            let removals = Matcher::table("jwt_claim_validation").method(Method::DELETE);
            simulator.instance().faults().next(removals, Fault::ForbiddenByBusinessRule);
            workspace
                .terraform("destroy")
                .await
                .succeeds()
                .says("Claim validations were left in place")
                .says("rows of jwt_claim_validation that refer to it may stay");
            assert_eq!(simulator.count(TABLE), 0);
            assert_eq!(workspace.addresses(), [""; 0]);
        }
    })
    .await;
}

/// Without its claims a configuration accepts more tokens than it should: nothing comes to use it.
#[tokio::test]
async fn nothing_uses_a_configuration_whose_claims_are_refused() {
    for_each_terraform(async |terraform| {
        let of_resource = shared_by(&["one"]).replace(
            &format!("metadata_url = {V1:?}"),
            &format!("metadata_url = {V1:?}\n  claim_validations = {{ tid = \"contoso\" }}"),
        );
        let of_block = format!(
            "resource \"servicenow_oidc_provider\" \"one\" {{\n  name = \"one\"\n  client_id = \"one\"\n  configuration = {{\n    \
             name = \"Entra\"\n    metadata_url = {V1:?}\n    claim_validations = {{ tid = \"contoso\" }}\n  }}\n}}\n"
        );
        for configuration in [of_resource, of_block] {
            let simulator = Simulator::start().await;
            let inserts = Matcher::table("jwt_claim_validation").method(Method::POST);
            simulator.instance().faults().next(inserts, Fault::ForbiddenByBusinessRule);
            let workspace = simulator.workspace(terraform, &configuration);

            workspace
                .terraform("apply")
                .await
                .fails_saying("Claim validations are missing")
                .says("Could not add the claim validation tid");
            assert_eq!(simulator.count("oauth_oidc_entity"), 0);

            workspace.terraform("apply").await.succeeds();
            assert_eq!(claims(&simulator), ["tid=contoso"]);
            assert_eq!(simulator.count("oauth_oidc_entity"), 1);
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// A claim that a list does not show yet, such as one of an apply that was interrupted, is not made again.
#[tokio::test]
async fn a_claim_that_a_list_shows_late_is_not_doubled() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let workspace = simulator.workspace(terraform, &configuration(""));
        workspace.terraform("apply").await.succeeds();
        let id = workspace.state(ADDRESS).text("id");
        let cells = [("name", "tid"), ("value", "contoso"), ("oidc_config", id.as_str())];
        instance.put("jwt_claim_validation", &cells);
        let late = Matcher::table("jwt_claim_validation").method(Method::GET);
        instance.faults().next(late, Fault::EmptyList);

        workspace.configure(&configuration("claim_validations = { tid = \"contoso\" }"));
        workspace.terraform("apply -refresh=false").await.succeeds();

        assert_eq!(claims(&simulator), ["tid=contoso"]);

        // The first look shows it, and the second nothing.
        let late = Matcher::table("jwt_claim_validation").method(Method::GET).nth(2);
        instance.faults().next(late, Fault::EmptyList);
        workspace.configure(&configuration(
            "claim_validations = { tid = \"contoso\", azp = \"app\" }",
        ));
        workspace.terraform("apply -refresh=false").await.succeeds();
        assert_eq!(claims(&simulator), ["azp=app", "tid=contoso"]);
    })
    .await;
}

/// What an instance does to claims after they were made: none is doubled, and none counts as removed that is there.
#[tokio::test]
async fn claims_are_made_once() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let instance = simulator.instance();
        let of = |claims: &str| configuration(&format!("claim_validations = {{ {claims} }}"));
        let guid = "ABCDEF01-2222-3333-4444-555555555555";
        let tid = format!("tid = {guid:?}");
        let workspace = simulator.workspace(terraform, &of(&tid));
        workspace.terraform("apply").await.succeeds();

        // A list that is late, while one is added and while one is removed.
        let lists = || Matcher::table("jwt_claim_validation").method(Method::GET);
        instance.faults().next(lists(), Fault::EmptyList);
        workspace.configure(&of(&format!("{tid}, azp = \"app\"")));
        workspace.terraform("apply -refresh=false").await.succeeds();
        assert_eq!(claims(&simulator), ["azp=app".to_owned(), format!("tid={guid}")]);
        instance.faults().next(lists(), Fault::EmptyList);
        workspace.configure(&of(&tid));
        workspace.terraform("apply -refresh=false").await.succeeds();
        assert_eq!(claims(&simulator), [format!("tid={guid}")]);

        // Another case of a GUID is the same value.
        let row = instance.find("jwt_claim_validation", "name", "tid")[0]["sys_id"].clone();
        instance.change("jwt_claim_validation", &row, &[("value", &guid.to_lowercase())]);
        workspace.plan_is_empty().await;

        // A name that is hidden is no missing row.
        instance.switches(|modes| {
            modes.read_denied = [("jwt_claim_validation".to_owned(), "name".to_owned())].into();
        });
        workspace
            .terraform("plan")
            .await
            .fails_saying("does not show it to the account");
        instance.switches(|modes| modes.read_denied.clear());

        // A name that is kept in another way would be made again and again.
        instance.quirks(|quirks| {
            let name = ("jwt_claim_validation".to_owned(), "name".to_owned());
            quirks.lower_cased.insert(name);
        });
        workspace.configure(&of(&format!("{tid}, AZP = \"app\"")));
        for _ in 0..2 {
            workspace.terraform("apply").await.fails_saying("name was not kept");
            assert_eq!(claims(&simulator).len(), 1);
        }
    })
    .await;
}
