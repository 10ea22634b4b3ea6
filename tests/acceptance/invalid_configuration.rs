//! What is refused before anything is written: the message names the attribute, what is wrong, and what to do.

use servicenow_simulator::Options;
use servicenow_simulator::faults::{Fault, Matcher};
use servicenow_simulator::instance::{Operation, Release};
use servicenow_simulator::microsoft::admin_center::AdminFault;

use crate::harness::{Simulator, for_each_terraform};

const ENTITY: &str = "servicenow_oauth_entity";
const PROVIDER: &str = "servicenow_oidc_provider";
const USER: &str = "servicenow_integration_user";
const SETTINGS: &str = "m365_support_settings";
const REPOSITORY: &str = "m365_support_repository";

const NAMED: &str = "name = \"x\"\n client_id = \"y\"\n";
const CONFIGURED: &str = "configuration = {\n name = \"z\"\n metadata_url = \"https://host/path\"\n }\n";
const USABLE: &str = "repository_id = \"x\"\n endpoint = \"https://host/\"\n";

/// All of it is said by one `terraform validate`, without a single request.
#[tokio::test]
async fn a_configuration_that_is_wrong_is_refused_with_its_attribute() {
    let cases: &[(&str, String, &str)] = &[
        (
            ENTITY,
            format!("{NAMED}nam = \"x\""),
            "An argument named \"nam\" is not expected here.",
        ),
        (
            ENTITY,
            "client_id = \"y\"".to_owned(),
            "The argument \"name\" is required, but no definition was found.",
        ),
        (
            ENTITY,
            "name = \"x\"".to_owned(),
            "A provider (type = \"oauth_provider\", the default) needs `client_id`",
        ),
        (
            ENTITY,
            "name = \"\"\n client_id = \"y\"".to_owned(),
            "The value is empty.",
        ),
        (
            ENTITY,
            "name = \"a^b\"\n client_id = \"y\"".to_owned(),
            "which ServiceNow queries cannot express",
        ),
        (
            ENTITY,
            "name = \"x\"\n client_id = \"javascript:1\"".to_owned(),
            "javascript:",
        ),
        (
            ENTITY,
            "name = \"a\\tb\"\n client_id = \"y\"".to_owned(),
            "control character",
        ),
        (
            ENTITY,
            format!("{NAMED}type = \"oauth_providr\""),
            "Did you mean \"oauth_provider\"?",
        ),
        (
            ENTITY,
            format!("{NAMED}token_url = \"nowhere\""),
            "\"nowhere\" is not a valid URL: it does not begin with https://.",
        ),
        (
            ENTITY,
            format!("{NAMED}token_url = \"http://host/\""),
            "http is accepted for loopback hosts only. Use https.",
        ),
        (
            ENTITY,
            format!("{NAMED}auth_url = \"ftp://host/\""),
            "has the scheme ftp. Use https.",
        ),
        (
            ENTITY,
            format!("{NAMED}access = \"privat\""),
            "\"privat\" is not one of `public`, `package_private`.",
        ),
        (
            ENTITY,
            format!("{NAMED}access_token_lifespan = -1"),
            "-1 is not valid: expected at least 0.",
        ),
        (
            ENTITY,
            format!("{NAMED}access_token_lifespan = 1.5"),
            "1.5 is not valid: expected a whole number.",
        ),
        (
            ENTITY,
            format!("{NAMED}timeouts = {{\n create = \"1\"\n }}"),
            "\"1\" is not a valid duration: expected",
        ),
        (
            ENTITY,
            format!("{NAMED}client_secret = \"a\"\n client_secret_wo = \"b\""),
            "It cannot be used together with `client_secret_wo`.",
        ),
        (
            PROVIDER,
            NAMED.to_owned(),
            "One of `configuration`, `configuration_id` is required.",
        ),
        (
            PROVIDER,
            format!("{NAMED}configuration_id = \"x\""),
            "\"x\" is not a valid sys_id: expected 32 hexadecimal digits.",
        ),
        (
            PROVIDER,
            format!(
                "{NAMED}{}",
                CONFIGURED.replace(" name", " cache_life_span = 721\n name")
            ),
            "721 is not between 0 and 720",
        ),
        (
            PROVIDER,
            format!("name = \"x\"\n {CONFIGURED}"),
            "The argument \"client_id\" is required",
        ),
        (
            PROVIDER,
            format!("{NAMED}{}", CONFIGURED.replace("https:", "http:")),
            "configuration.metadata_url",
        ),
        (
            PROVIDER,
            format!(
                "{NAMED}{}",
                CONFIGURED.replace(" name", " user_field = \"user_id\"\n name")
            ),
            "Use \"user_name\".",
        ),
        (
            PROVIDER,
            format!("{NAMED}{CONFIGURED}auth_scopes = [\"a\", \"\"]"),
            "An element is empty. Omit the element.",
        ),
        (
            USER,
            "first_name = \"x\"".to_owned(),
            "The argument \"user_name\" is required",
        ),
        (USER, "user_name = \"a^ORb\"".to_owned(), "^"),
        (
            USER,
            format!("user_name = \"{}\"", "x".repeat(101)),
            "The value has 101 characters; at most 40 fit.",
        ),
        (USER, "user_name = \"x\"\n roles = [\"a^b\"]".to_owned(), "^"),
        (
            USER,
            "user_name = \"x\"\n identity_type = \"robot\"".to_owned(),
            "\"robot\" is not one of",
        ),
        (
            USER,
            "user_name = \"x\"\n deletion_policy = \"keep\"".to_owned(),
            "\"keep\" is not one of `delete`, `deactivate`.",
        ),
        (
            USER,
            "user_name = \"x\"\n password = \"a\"\n password_wo = \"b\"".to_owned(),
            "It cannot be used together with `password_wo`.",
        ),
        (
            SETTINGS,
            "internal_support_tool = \"x\"".to_owned(),
            "The argument \"application_id\" is required",
        ),
        (SETTINGS, "application_id = \"\"".to_owned(), "The value is empty."),
        (
            REPOSITORY,
            "endpoint = \"https://host/\"".to_owned(),
            "The argument \"repository_id\" is required",
        ),
        (
            REPOSITORY,
            USABLE.replace("\"x\"", "\"..\""),
            "\"..\" is not a valid repository ID.",
        ),
        (
            REPOSITORY,
            USABLE.replace("\"x\"", "\"a\\nb\""),
            "contains the control character '\\n'.",
        ),
        (
            REPOSITORY,
            USABLE.replace("https:", "http:"),
            "http is accepted for loopback hosts only.",
        ),
        (
            REPOSITORY,
            format!("{USABLE}authentication_type = \"AAD\""),
            "\"AAD\" is not one of `aad`, `basic`.",
        ),
        (
            REPOSITORY,
            format!("{USABLE}refresh_token_expiry = -1"),
            "-1 is not valid: expected at least 0.",
        ),
    ];
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let configuration: String = cases
            .iter()
            .enumerate()
            .map(|(number, (kind, body, _))| {
                let provider = if kind.starts_with("m365") {
                    "provider = servicenow\n"
                } else {
                    ""
                };
                format!("resource \"{kind}\" \"case{number}\" {{\n{provider}{body}\n}}\n")
            })
            .collect();
        let workspace = simulator.workspace(terraform, &configuration);

        let answer = workspace.terraform("validate -json").await.json();

        let diagnostics = answer["diagnostics"].as_array().unwrap();
        let mut wrong = Vec::new();
        for (number, (kind, body, message)) in cases.iter().enumerate() {
            let address = format!("resource \"{kind}\" \"case{number}\"");
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            let said: Vec<String> = diagnostics
                .iter()
                .filter(|it| it["snippet"]["context"] == address.as_str())
                .map(|it| {
                    format!(
                        "{} | {} | {}",
                        text(&it["summary"]),
                        text(&it["detail"]),
                        text(&it["snippet"]["code"])
                    )
                })
                .collect();
            if said.len() != 1 || !said[0].contains(message) {
                wrong.push(format!(
                    "{kind} should be refused once, with {message:?}:\n{body}\n{said:#?}"
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(
            simulator.instance().requests().is_empty(),
            "nothing is asked before the configuration is right"
        );
    })
    .await;
}

/// Found out before the first write, though only the instance can know.
#[tokio::test]
async fn names_that_do_not_exist_are_found_before_anything_is_written() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, "");
        for (kind, body, messages) in [
            (
                USER,
                "user_name = \"x\"\n roles = [\"incident_manger\", \"itil\"]".to_owned(),
                ["incident_manger", "incident_manager"],
            ),
            (
                USER,
                "user_name = \"x\"\n groups = [\"Hardwear\"]".to_owned(),
                ["Hardwear", "Hardware"],
            ),
            (
                PROVIDER,
                format!("{NAMED}{CONFIGURED}auth_scopes = [\"useracount\"]"),
                ["useracount", "useraccount"],
            ),
            (
                ENTITY,
                format!("{NAMED}application_scope = \"x_nowhere\""),
                ["Could not find the application", "x_nowhere"],
            ),
            (
                PROVIDER,
                format!("{NAMED}{CONFIGURED}application_scope = \"x_nowhere\""),
                ["Could not find the application", "x_nowhere"],
            ),
        ] {
            workspace.configure(&format!("resource \"{kind}\" \"this\" {{\n{body}\n}}\n"));
            let apply = workspace.terraform("apply").await;
            for message in messages {
                apply.fails_saying(message);
            }
            apply.says("on main.tf line");
            assert!(workspace.addresses().is_empty());
        }
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn an_oidc_provider_that_exists_is_not_doubled() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let id = simulator.instance().put(
            "oauth_oidc_entity",
            &[
                ("name", "Theirs"),
                ("client_id", "y"),
                ("oidc_provider_configuration", "0"),
            ],
        );
        let before = simulator.instance().fingerprint();
        let workspace = simulator.workspace(
            terraform,
            &format!("resource \"{PROVIDER}\" \"this\" {{\n{NAMED}{CONFIGURED}}}\n"),
        );

        workspace
            .terraform("apply")
            .await
            .fails_saying("The OIDC provider already exists")
            .says(&format!("terraform import servicenow_oidc_provider.<name> {id}"))
            .says("on main.tf line 3");

        assert_eq!(simulator.instance().fingerprint(), before);
    })
    .await;
}

/// An instance that cannot do it says so in its own ways; what they mean is said in ours.
#[tokio::test]
async fn an_instance_that_refuses_is_explained() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(terraform, &format!("resource \"{ENTITY}\" \"this\" {{\n{NAMED}}}\n"));
        workspace.write("provider.tf", &simulator.provider("max_retries = 0"));
        let faults = simulator.instance().faults();
        let mut wrong = Vec::new();

        for (fault, messages) in [
            (
                Fault::Hibernation,
                ["Error: The ServiceNow instance is hibernating", "Wake the instance"],
            ),
            (
                Fault::Maintenance,
                [
                    "Error: The ServiceNow instance is under maintenance",
                    "Wait until the instance is back",
                ],
            ),
            (
                Fault::Unauthorized,
                ["did not accept the sign-in", "Basic authentication is allowed to it"],
            ),
            (
                Fault::ForbiddenByAcl,
                ["an access rule (ACL) forbids it", "needs oauth_admin"],
            ),
            (Fault::ForbiddenByBusinessRule, ["Prevent this", "rule"]),
            (
                Fault::ForbiddenHtml,
                [
                    "The ServiceNow instance probably blocks the address of this machine",
                    "from an allowed network",
                ],
            ),
            (Fault::LoginRedirect, ["Error: No Table API at 127.0.0.1", "302"]),
            (Fault::ServerError(500), ["500", "again"]),
        ] {
            faults.every(Matcher::any(), fault.clone());
            let apply = workspace.terraform("apply").await;
            faults.clear();
            for message in messages {
                if !apply.mentions(message) {
                    wrong.push(format!("{fault:?} should mention {message:?}\n{}", apply.output()));
                }
            }
            assert!(workspace.addresses().is_empty(), "{fault:?}");
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        simulator.is_as_at_start();

        simulator.instance().switches(|modes| {
            modes.table_roles.insert(
                ("oauth_entity".to_owned(), Operation::Create),
                vec!["oauth_admin".to_owned()],
            );
        });
        workspace.terraform("apply").await.succeeds();
    })
    .await;
}

#[tokio::test]
async fn a_table_that_the_release_lacks_is_named() {
    for_each_terraform(async |terraform| {
        let mut options = Options::default();
        options.instance.release = Release::Xanadu;
        let simulator = Simulator::start_with(options).await;
        let workspace = simulator.workspace(
            terraform,
            &format!("resource \"{PROVIDER}\" \"this\" {{\n{NAMED}{CONFIGURED}auth_scopes = [\"useraccount\"]\n}}\n"),
        );
        workspace
            .terraform("apply")
            .await
            .fails_saying("sys_auth_scope")
            .says("release")
            .says("plugin");
        workspace.configure(&format!(
            "resource \"{USER}\" \"this\" {{\nuser_name = \"x\"\nidentity_type = \"machine\"\n}}\n"
        ));
        workspace
            .terraform("apply")
            .await
            .succeeds()
            .says("The column identity_type cannot be checked")
            .says("this release of ServiceNow probably has no such column");
        workspace.plan_is_empty().await;
        workspace.terraform("destroy").await.succeeds();
        simulator.is_as_at_start();
    })
    .await;
}

/// Instances store any text there, and issue no token for one that they do not know.
#[tokio::test]
async fn a_value_that_no_documentation_names_is_warned_of() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let entity = |more: &str| format!("resource \"{ENTITY}\" \"this\" {{\n{NAMED}{more}\n}}\n");
        let workspace = simulator.workspace(terraform, &entity("default_grant_type = \"client_credential\""));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("Unknown value of default_grant_type")
            .says("is not among the choices that the instance has for this column")
            .says("Did you mean \"client_credentials\"?");
        workspace.configure(&entity("default_grant_type = \"client_voucher\""));
        let choice = [
            ("name", "oauth_entity"),
            ("element", "default_grant_type"),
            ("value", "client_voucher"),
            ("label", "Client Voucher"),
        ];
        simulator.instance().put("sys_choice", &choice);
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .does_not_say("Unknown value");
        // Where the choices cannot be read, the documented values count.
        let closed = (("sys_choice".to_owned(), Operation::Read), Vec::new());
        simulator
            .instance()
            .switches(|modes| modes.table_roles.extend([closed]));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("is not among the values that are documented for this column");
        simulator.instance().switches(|modes| modes.table_roles.clear());
        workspace.configure(&entity("send_client_credentials_as = \"request_body\""));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .says("Unknown value of send_client_credentials_as")
            .says("Did you mean \"request_body_parameter\"?");
        workspace.configure(&entity(
            "default_grant_type = \"urn:ietf:params:oauth:grant-type:jwt-bearer\"",
        ));
        workspace
            .terraform("plan")
            .await
            .succeeds()
            .does_not_say("Unknown value");
    })
    .await;
}

/// Signed in as somebody who may not.
#[tokio::test]
async fn a_missing_role_is_named() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        simulator.instance().put(
            "sys_user",
            &[
                ("user_name", "nobody"),
                ("last_name", "x"),
                ("user_password", "nobodys-password"),
            ],
        );
        let mut workspace = simulator.workspace(terraform, "");
        for (kind, body, role) in [
            (ENTITY, NAMED.to_owned(), "oauth_admin"),
            (PROVIDER, format!("{NAMED}{CONFIGURED}"), "oauth_admin"),
            (USER, "user_name = \"x\"".to_owned(), "user_admin"),
        ] {
            workspace.set("SERVICENOW_USERNAME", "nobody");
            workspace.set("SERVICENOW_PASSWORD", "nobodys-password");
            workspace.configure(&format!("resource \"{kind}\" \"this\" {{\n{body}\n}}\n"));
            workspace.terraform("apply").await.fails_saying(role);
        }
        workspace.set("SERVICENOW_PASSWORD", "another-password");
        workspace
            .terraform("apply")
            .await
            .fails_saying("did not accept the sign-in (basic)")
            .says("Check username and password");
    })
    .await;
}

#[tokio::test]
async fn an_admin_center_that_refuses_is_explained() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let workspace = simulator.workspace(
            terraform,
            &format!("resource \"{REPOSITORY}\" \"this\" {{\nprovider = servicenow\n{USABLE}}}\n"),
        );
        workspace.write("provider.tf", &simulator.provider("max_retries = 0"));
        for (fault, messages) in [
            (
                AdminFault::Unauthorized,
                ["does not accept the token (401)", "user_impersonation"],
            ),
            (AdminFault::Forbidden, ["(403)", "administrator role"]),
            (
                AdminFault::LoginTimeout,
                ["live portal sign-in (440)", "Enter the values manually"],
            ),
            (AdminFault::Html, ["not with JSON", "Check admin_url"]),
            (AdminFault::Unavailable, ["not available", "Try again later"]),
        ] {
            simulator.admin().fail(Matcher::any(), fault);
            let apply = workspace.terraform("apply").await;
            simulator.admin().faults().clear();
            for message in messages {
                apply.fails_saying(message);
            }
        }
        // 404 to a read means that nothing was set up yet; to a write, that the page is gone.
        simulator.admin().fail(
            Matcher::any().method(servicenow_provider::http::Method::POST),
            AdminFault::NotFound,
        );
        workspace
            .terraform("apply")
            .await
            .fails_saying("no such page")
            .says("retirement");

        assert!(workspace.addresses().is_empty());
        simulator.is_as_at_start();
    })
    .await;
}

#[tokio::test]
async fn a_side_that_is_not_configured_is_missed_where_it_is_needed() {
    for_each_terraform(async |terraform| {
        let simulator = Simulator::start().await;
        let mut workspace = simulator.workspace(
            terraform,
            &format!("resource \"{USER}\" \"this\" {{\nuser_name = \"x\"\n}}\n"),
        );
        workspace.unset_microsoft();
        workspace.terraform("apply").await.succeeds();
        workspace.configure(&format!(
            "resource \"{REPOSITORY}\" \"this\" {{\nprovider = servicenow\n{USABLE}}}\n"
        ));
        workspace
            .terraform("apply")
            .await
            .fails_saying("Microsoft 365 is not configured")
            .says("M365_");
        workspace.unset("SERVICENOW_INSTANCE_URL");
        workspace.configure(&format!("resource \"{USER}\" \"this\" {{\nuser_name = \"x\"\n}}\n"));
        workspace
            .terraform("apply")
            .await
            .fails_saying("SERVICENOW_INSTANCE_URL");
    })
    .await;
}

/// Two resources of one key in one apply: the second is refused and named the first, whichever that is.
#[tokio::test]
async fn of_two_records_with_one_key_one_is_made() {
    const ENTRY: &str = "name = \"Outbound\"\n client_id = \"x\"";
    const CONFIGURATION: &str =
        "configuration = { name = \"N\", metadata_url = \"https://host/path\", user_claim = \"C\" }";
    let oidc = |name: &str, client_id: &str, configuration: &str| {
        format!("name = {name:?}\n client_id = {client_id:?}\n {configuration}")
    };
    let configuration = |name: &str, claim: &str| CONFIGURATION.replace('N', name).replace('C', claim);
    let rule = "type = \"allow\"\n direction = \"inbound\"\n range_start = \"10.0.0.1\"".to_owned();
    let cases: [(&str, &str, [String; 2], &str); 6] = [
        (
            "servicenow_oauth_entity",
            "oauth_entity",
            [ENTRY.to_owned(), ENTRY.to_owned()],
            "The registry entry already exists",
        ),
        (
            USER,
            "sys_user",
            ["user_name = \"robot\"".to_owned(), "user_name = \"robot\"".to_owned()],
            "The user already exists",
        ),
        (
            "servicenow_ip_access_rule",
            "ip_access",
            [rule.clone(), rule],
            "The address rule already exists",
        ),
        (
            PROVIDER,
            "oauth_oidc_entity",
            [
                oidc("a", "x", &configuration("a", "appid")),
                oidc("b", "x", &configuration("b", "appid").replace("path", "other")),
            ],
            "The OIDC provider already exists",
        ),
        (
            PROVIDER,
            "oidc_provider_configuration",
            [
                oidc("a", "x", &configuration("a", "appid")),
                oidc("b", "y", &configuration("b", "oid")),
            ],
            "The metadata address is already configured",
        ),
        (
            REPOSITORY,
            "",
            [
                format!("provider = servicenow\n {USABLE}"),
                format!("provider = servicenow\n {USABLE}"),
            ],
            "The repository already exists",
        ),
    ];
    for_each_terraform(async |terraform| {
        for (type_name, table, bodies, message) in &cases {
            let simulator = Simulator::start().await;
            simulator.instance().switches(|modes| modes.unique_oidc_url = false);
            let resource = |name: &str, body: &str| format!("resource {type_name:?} {name:?} {{\n {body}\n}}\n");
            let both = [resource("a", &bodies[0]), resource("b", &bodies[1])].concat();
            let workspace = simulator.workspace(terraform, &both);

            let apply = workspace.terraform("apply").await;

            apply.fails_saying(message);
            if table.is_empty() {
                assert_eq!(simulator.admin().repositories().len(), 1);
            } else {
                apply.says(&simulator.only_record(table)["sys_id"]);
            }
        }
    })
    .await;
}
