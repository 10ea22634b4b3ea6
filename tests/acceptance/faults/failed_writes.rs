//! Creates, updates and removals that do not get to their end.

use std::time::Duration;

use servicenow_provider::http::Method;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{AbortRule, DefaultProfile, Operation};
use servicenow_simulator::microsoft::admin_center::AdminFault;

use crate::harness::configurations::{ENTITY, PROVIDER, REPOSITORY, SETTINGS, USER};
use crate::harness::{Simulator, Terraform, Workspace, eventually, for_each_terraform};

/// The configuration, its address, and how often each record of it exists.
type Subject = (&'static str, &'static str, &'static [(&'static str, usize)]);

const THE_ENTITY: Subject = (
    ENTITY,
    "servicenow_oauth_entity.this",
    &[("oauth_entity", 1), ("oauth_entity_profile", 1)],
);
const THE_PROVIDER: Subject = (
    PROVIDER,
    "servicenow_oidc_provider.this",
    &[
        ("oauth_oidc_entity", 1),
        ("oidc_provider_configuration", 1),
        ("oauth_entity_auth_scope_mapping", 1),
    ],
);
const THE_USER: Subject = (
    USER,
    "servicenow_integration_user.this",
    &[("sys_user", 1), ("sys_user_grmember", 1)],
);

fn is_whole(simulator: &Simulator, (_, _, records): Subject) {
    for (table, count) in records {
        assert_eq!(simulator.created(table).len(), *count, "{table}");
    }
}

fn impatient(simulator: &Simulator, terraform: &Terraform, configuration: &str) -> Workspace {
    let workspace = simulator.workspace(terraform, configuration);
    workspace.write("provider.tf", &simulator.provider("max_retries = 0"));
    workspace
}

fn refuse(simulator: &Simulator, table: &str, operation: Operation) {
    simulator.instance().switches(|modes| {
        modes.abort_rules = vec![AbortRule {
            table: table.to_owned(),
            operation,
            name: "Not today".to_owned(),
        }];
    });
}

fn allow_everything(simulator: &Simulator) {
    simulator.instance().switches(|modes| modes.abort_rules.clear());
    simulator.instance().faults().clear();
    simulator.admin().faults().clear();
}

/// A create of which a later step is refused leaves what exists in the state; the next plan shows what is missing, and the
/// next apply makes it whole without making anything anew.
#[tokio::test]
async fn a_create_that_fails_half_way_is_finished_in_place() {
    for_each_terraform(async |terraform| {
        for (subject, table, operation, message) in [
            (THE_ENTITY, "oauth_entity_profile", Operation::Create, "default profile"),
            (
                THE_PROVIDER,
                "oauth_entity_auth_scope_mapping",
                Operation::Create,
                "auth scope useraccount",
            ),
            (THE_USER, "sys_user", Operation::Write, "set the password of the user"),
            (
                THE_USER,
                "sys_user_has_role",
                Operation::Create,
                "grant the role incident_manager",
            ),
            (
                THE_USER,
                "sys_user_grmember",
                Operation::Create,
                "add the user to the group Hardware",
            ),
        ] {
            let simulator = Simulator::start().await;
            simulator
                .instance()
                .switches(|modes| modes.default_profile = DefaultProfile::NotCreated);
            let (configuration, address, _) = subject;
            let workspace = impatient(&simulator, terraform, configuration);
            refuse(&simulator, table, operation);

            let apply = workspace.terraform("apply").await;

            apply
                .succeeds()
                .says(message)
                .says("Not today")
                .says("corrects it in place")
                .does_not_say("bug in the provider");
            let id = workspace.state(address).is_not_tainted().text("id");
            workspace.plan().await.does(address, &["update"]);
            workspace
                .terraform("apply")
                .await
                .fails_saying("Not today")
                .does_not_say("taint");
            allow_everything(&simulator);
            workspace.terraform("apply").await.succeeds();
            is_whole(&simulator, subject);
            workspace.state(address).is_not_tainted().has("id", id);
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// What an update cannot put right is tainted, and the error says what that means.
#[tokio::test]
async fn a_create_that_leaves_its_first_half_alone_is_tainted_and_made_anew() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (configuration, address, _) = THE_PROVIDER;
        let workspace = impatient(&simulator, terraform, configuration);
        refuse(&simulator, "oauth_oidc_entity", Operation::Create);

        workspace
            .terraform("apply")
            .await
            .fails_saying("create the OIDC provider")
            .says("Not today")
            .says("terraform untaint servicenow_oidc_provider.<name>");

        workspace.state(address).is_tainted();
        allow_everything(&simulator);
        workspace.terraform("apply").await.succeeds();
        is_whole(&simulator, THE_PROVIDER);
        workspace.state(address).is_not_tainted();
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// `terraform untaint` keeps the first half, and the next apply makes the rest.
#[tokio::test]
async fn a_create_that_leaves_its_first_half_alone_goes_on_after_an_untaint() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (configuration, address, _) = THE_PROVIDER;
        let workspace = impatient(&simulator, terraform, configuration);
        refuse(&simulator, "oauth_oidc_entity", Operation::Create);
        workspace.terraform("apply").await.fails_saying("Not today");
        let first_half = simulator.only_record("oidc_provider_configuration")["sys_id"].clone();

        workspace.terraform(&format!("untaint {address}")).await.succeeds();
        workspace.plan().await.does(address, &["update"]);
        workspace
            .terraform("apply")
            .await
            .fails_saying("Not today")
            .does_not_say("bug in the provider");
        workspace.plan().await.does(address, &["update"]);
        allow_everything(&simulator);
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("0 added, 1 changed, 0 destroyed");

        is_whole(&simulator, THE_PROVIDER);
        assert_eq!(
            simulator.only_record("oidc_provider_configuration")["sys_id"],
            first_half
        );
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// A create whose first step is refused leaves nothing.
#[tokio::test]
async fn a_create_that_fails_at_once_leaves_nothing() {
    for_each_terraform(async |terraform| {
        for ((configuration, _, _), table) in [
            (THE_ENTITY, "oauth_entity"),
            (THE_PROVIDER, "oidc_provider_configuration"),
            (THE_USER, "sys_user"),
        ] {
            let simulator = Simulator::start().await;
            let workspace = impatient(&simulator, terraform, configuration);
            refuse(&simulator, table, Operation::Create);

            workspace.terraform("apply").await.fails_saying("Not today");

            assert!(workspace.addresses().is_empty(), "{table}");
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// What an update did is in the state, what it did not do is planned again.
#[tokio::test]
async fn an_update_that_fails_half_way_goes_on_where_it_ended() {
    for_each_terraform(async |terraform| {
        for (subject, changed, table, operation) in [
            (
                THE_PROVIDER,
                PROVIDER
                    .replace("\"Inbound\"", "\"Inbound 2\"")
                    .replace("\"Entra\"", "\"Entra 2\""),
                "oauth_oidc_entity",
                Operation::Write,
            ),
            (
                THE_PROVIDER,
                PROVIDER
                    .replace("\"Inbound\"", "\"Inbound 2\"")
                    .replace("useraccount", "kb_read"),
                "oauth_entity_auth_scope_mapping",
                Operation::Delete,
            ),
            (
                THE_USER,
                USER.replace("user_name", "title = \"x\"\n user_name")
                    .replace("incident_manager", "catalog"),
                "sys_user_has_role",
                Operation::Delete,
            ),
            (
                THE_USER,
                USER.replace("user_name", "title = \"x\"\n user_name")
                    .replace("a-password-of-it", "another-password"),
                "sys_user",
                Operation::Write,
            ),
            (
                THE_ENTITY,
                ENTITY.replace("client_id", "default_grant_type = \"password\"\n client_id"),
                "oauth_entity_profile",
                Operation::Write,
            ),
        ] {
            let simulator = Simulator::start().await;
            let (configuration, address, _) = subject;
            let workspace = impatient(&simulator, terraform, configuration);
            workspace.terraform("apply").await.succeeds();
            workspace.configure(&changed);
            refuse(&simulator, table, operation);

            workspace.terraform("apply").await.fails_saying("Not today");

            let state = workspace.state(address);
            state.is_not_tainted();
            if table == "sys_user_has_role" {
                // What was not revoked is still a role that was granted here.
                let both = vec!["catalog", "incident_manager"];
                state.has("roles", both.clone()).has("granted_roles", both);
            }
            allow_everything(&simulator);
            workspace.plan().await.does(address, &["update"]);
            workspace.terraform("apply plan.bin").await.succeeds();
            workspace.plan_is_empty().await;
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

#[tokio::test]
async fn a_removal_that_fails_is_tried_again() {
    for_each_terraform(async |terraform| {
        for ((configuration, address, _), table) in [
            (THE_ENTITY, "oauth_entity"),
            (THE_ENTITY, "oauth_entity_profile"),
            (THE_PROVIDER, "oauth_oidc_entity"),
            (THE_PROVIDER, "oidc_provider_configuration"),
            (THE_USER, "sys_user"),
        ] {
            let simulator = Simulator::start().await;
            let workspace = impatient(&simulator, terraform, configuration);
            workspace.terraform("apply").await.succeeds();
            refuse(&simulator, table, Operation::Delete);

            workspace.terraform("destroy").await.fails_saying("Not today");

            workspace.state(address);
            allow_everything(&simulator);
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

/// What a removal left is no reason to give up: an apply makes all of it anew.
#[tokio::test]
async fn a_removal_that_failed_half_way_can_be_applied_over() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let (configuration, address, _) = THE_PROVIDER;
        let workspace = impatient(&simulator, terraform, configuration);
        workspace.terraform("apply").await.succeeds();
        refuse(&simulator, "oidc_provider_configuration", Operation::Delete);
        workspace.terraform("destroy").await.fails_saying("Not today");
        allow_everything(&simulator);

        workspace.terraform("apply").await.succeeds();

        is_whole(&simulator, THE_PROVIDER);
        workspace.state(address).is_not_tainted();
        workspace.plan_is_empty().await;
    })
    .await;
}

/// An insert whose answer is lost happened once.
#[tokio::test]
async fn lost_answers_double_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator
            .instance()
            .switches(|modes| modes.default_profile = DefaultProfile::NotCreated);
        let workspace = simulator.workspace(terraform, &[ENTITY, PROVIDER, USER, REPOSITORY, SETTINGS].concat());
        for table in [
            "oauth_entity",
            "oauth_entity_profile",
            "oauth_oidc_entity",
            "oidc_provider_configuration",
            "oauth_entity_auth_scope_mapping",
            "sys_user",
            "sys_user_has_role",
            "sys_user_grmember",
        ] {
            let posts = Matcher::table(table).method(Method::POST);
            simulator.instance().faults().next(posts, Fault::CutAfter);
            let deletes = Matcher::table(table).method(Method::DELETE);
            simulator.instance().faults().next(deletes, Fault::CutAfter);
        }
        for method in [Method::POST, Method::DELETE] {
            let repositories = Matcher::any().method(method).path(|path| !path.ends_with("/my"));
            simulator.admin().faults().next(repositories, Fault::CutAfter);
        }

        workspace.terraform("apply").await.succeeds();

        for subject in [THE_PROVIDER, THE_USER] {
            is_whole(&simulator, subject);
        }
        assert_eq!(
            simulator.created("oauth_entity").len(),
            2,
            "an entry and an OIDC provider"
        );
        assert_eq!(simulator.admin().repositories().len(), 1);
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// Ctrl-C in the middle of a create keeps what was created, and the next apply goes on from there.
#[tokio::test]
async fn an_interrupted_create_keeps_its_record() {
    for_each_terraform(async |terraform| {
        let slow = Fault::Slow(Duration::from_secs(60));
        for (subject, table, method, made) in [
            (THE_ENTITY, "oauth_entity_profile", Method::GET, "oauth_entity"),
            (
                THE_PROVIDER,
                "oauth_oidc_entity",
                Method::POST,
                "oidc_provider_configuration",
            ),
            (
                THE_PROVIDER,
                "oauth_entity_auth_scope_mapping",
                Method::GET,
                "oauth_oidc_entity",
            ),
            (THE_USER, "sys_user_has_role", Method::POST, "sys_user"),
        ] {
            let simulator = Simulator::start().await;
            simulator
                .instance()
                .faults()
                .next(Matcher::table(table).method(method.clone()), slow.clone());
            let (configuration, address, _) = subject;
            let workspace = simulator.workspace(terraform, configuration);

            let apply = workspace.start(&["apply"]);
            eventually("the create is in its middle", Duration::from_secs(60), || {
                !simulator.instance().faults().fired().is_empty()
            })
            .await;
            assert_eq!(simulator.created(made).len(), 1);
            apply.interrupt();
            let apply = workspace.finish(apply).await;

            apply
                .fails_saying("Interrupt received")
                .does_not_say("bug in the provider");
            if method == Method::POST && table == "oauth_oidc_entity" {
                workspace.state(address).is_tainted();
            } else {
                workspace.state(address).is_not_tainted();
            }
            simulator.instance().faults().clear();
            workspace.terraform("apply").await.succeeds();
            is_whole(&simulator, subject);
            workspace.terraform("destroy").await.succeeds();
            simulator.is_as_at_start();
        }
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_create_of_a_repository_keeps_it() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, REPOSITORY);
        // The first GET looks whether the id is taken, the second what became of the create.
        let second = Matcher::any().method(Method::GET).nth(2);
        simulator
            .admin()
            .faults()
            .next(second, Fault::Slow(Duration::from_secs(60)));

        let apply = workspace.start(&["apply"]);
        eventually("the create is in its middle", Duration::from_secs(60), || {
            !simulator.admin().faults().fired().is_empty()
        })
        .await;
        apply.interrupt();
        workspace.finish(apply).await.fails_saying("Interrupt received");

        workspace.state("m365_support_repository.this").is_not_tainted();
        workspace.terraform("apply").await.succeeds();
        assert_eq!(simulator.admin().repositories().len(), 1);
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// Time that is up ends an operation like an interruption does, and the error says so.
#[tokio::test]
async fn an_operation_ends_when_its_time_is_up() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let slow = Matcher::table("oauth_entity_profile").method(Method::GET);
        simulator
            .instance()
            .faults()
            .next(slow, Fault::Slow(Duration::from_secs(60)));
        let configuration = ENTITY.replace("name ", "timeouts = {\n create = \"3s\"\n }\n name ");
        let workspace = simulator.workspace(terraform, &configuration);

        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("find or create the default profile of the registry entry");

        workspace.state("servicenow_oauth_entity.this").is_not_tainted();
        workspace.terraform("apply").await.succeeds();
        is_whole(&simulator, THE_ENTITY);
    })
    .await;
}

/// Only what is proven to be gone is planned again: a read that fails for any other reason ends the plan.
#[tokio::test]
async fn a_read_that_fails_forgets_nothing() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = impatient(&simulator, terraform, &[ENTITY, REPOSITORY].concat());
        workspace.terraform("apply").await.succeeds();
        let both = ["m365_support_repository.this", "servicenow_oauth_entity.this"];

        for (fault, admin_fault) in [
            (Fault::Hibernation, AdminFault::Html),
            (Fault::ForbiddenByAcl, AdminFault::Forbidden),
            (Fault::Unauthorized, AdminFault::Unauthorized),
            (Fault::ServerError(503), AdminFault::Unavailable),
            (Fault::LoginRedirect, AdminFault::LoginTimeout),
        ] {
            let of_repository = "Could not read the repository";
            let said = match fault {
                Fault::Unauthorized => ["Could not sign in to ServiceNow", "Could not sign in to Microsoft 365"],
                Fault::Hibernation => ["The ServiceNow instance is hibernating", of_repository],
                Fault::LoginRedirect => ["No Table API at 127.0.0.1", of_repository],
                Fault::ForbiddenByAcl => ["No right to read oauth_entity", of_repository],
                _ => ["No usable response from the ServiceNow instance", of_repository],
            };
            simulator.instance().faults().every(Matcher::any(), fault);
            simulator.admin().fail(Matcher::any(), admin_fault);
            workspace
                .terraform("apply -refresh-only")
                .await
                .fails_saying(said[0])
                .says(said[1]);
            assert_eq!(workspace.addresses(), both);
            allow_everything(&simulator);
        }
        // A 404 that is gone when it is asked again was none.
        let once = Matcher::table("oauth_entity").method(Method::GET);
        simulator.instance().faults().next(once, Fault::NotFound);
        workspace.plan_is_empty().await;
    })
    .await;
}

/// A replacement deletes first: a name that does not exist is found out by the plan.
#[tokio::test]
async fn a_replacement_that_names_what_does_not_exist_deletes_nothing() {
    for_each_terraform(async |terraform| {
        for (before, after, missing) in [
            (
                "resource \"servicenow_cross_scope_privilege\" \"this\" {\n  source_scope = \"global\"\n  target_name = \"incident\"\n}\n",
                ("source_scope = \"global\"", "source_scope = \"x_acmee\""),
                "x_acmee",
            ),
            (
                "resource \"servicenow_role\" \"this\" {\n  name = \"rr\"\n  contains = [\"itil\"]\n}\n",
                ("\"rr\"\n  contains = [\"itil\"]", "\"rr2\"\n  contains = [\"itil\", \"nonesuch\"]"),
                "nonesuch",
            ),
            (
                "resource \"servicenow_user_role\" \"this\" {\n  user = \"abel.tuter\"\n  role = \"itil\"\n}\n",
                ("role = \"itil\"", "role = \"nonesuch\""),
                "nonesuch",
            ),
            (
                "resource \"servicenow_oidc_provider\" \"this\" {\n  name = \"Inbound\"\n  client_id = \"a\"\n  configuration = {\n    name = \
                 \"Entra\"\n    metadata_url = \"https://login.microsoftonline.com/t/.well-known/openid-configuration\"\n  }\n}\n",
                (
                    "client_id = \"a\"\n  configuration = {\n    name = \"Entra\"\n    metadata_url = \
                     \"https://login.microsoftonline.com/t/.well-known/openid-configuration\"\n  }",
                    "client_id = \"b\"\n  configuration_id = \"0123456789abcdef0123456789abcdef\"",
                ),
                "0123456789abcdef0123456789abcdef",
            ),
            (
                "resource \"servicenow_record\" \"this\" {\n  table = \"sys_properties\"\n  fields = { name = \"x_acme.a\" }\n}\n",
                (
                    "table = \"sys_properties\"\n  fields = { name = \"x_acme.a\" }",
                    "table = \"u_supplier\"\n  fields = {\n    u_name = \"A\"\n    u_code = \"a\"\n    u_owner = \"Nobody At All\"\n  }",
                ),
                "Nobody At All",
            ),
        ] {
            let simulator = Simulator::start().await;
            let workspace = simulator.workspace(terraform, before);
            workspace.terraform("apply").await.succeeds();
            let records = simulator.instance().fingerprint();
            workspace.configure(&before.replace(after.0, after.1));

            let plan = workspace.terraform("plan").await;

            plan.fails_saying(missing)
                .says("which deletes it first, so this is refused before anything is deleted");
            assert_eq!(simulator.instance().fingerprint(), records);
        }
    })
    .await;
}

/// What the same apply makes is not missing, although its name is known before.
#[tokio::test]
async fn a_replacement_may_name_what_the_same_apply_makes() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let role = |name: &str, contains: &str| {
            format!("resource \"servicenow_role\" \"this\" {{\n  name = \"{name}\"\n  contains = [{contains}]\n}}\n")
        };
        let workspace = simulator.workspace(terraform, &role("first", "\"itil\""));
        workspace.terraform("apply").await.succeeds();
        let other = "resource \"servicenow_role\" \"other\" {\n  name = \"other\"\n}\n\
                     resource \"servicenow_record\" \"application\" {\n  table = \"sys_scope\"\n  fields = {\n    \
                     scope = \"x_new\"\n    name = \"New\"\n  }\n}\n";
        let second = role("x_new.second", "servicenow_role.other.name").replace(
            "contains =",
            "application_scope = servicenow_record.application.fields.scope\n  contains =",
        );
        workspace.configure(&(other.to_owned() + &second));

        workspace.terraform("apply").await.succeeds();

        let state = workspace.state("servicenow_role.this");
        state.has("contains", vec!["other"]).has("application_scope", "x_new");
        workspace.plan_is_empty().await;
    })
    .await;
}
