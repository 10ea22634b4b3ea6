//! The provider: its block, and the clients that the block builds.

mod address;
mod arguments;
mod environment;
mod microsoft365;
mod run_id;
mod schema;
mod sign_in;

pub use environment::Environment;

use std::time::Duration;

use arguments::Arguments;

use crate::actions;
use crate::clients::{Address, Clients, LinkManagers, PlannedNames, Unknown};
use crate::data_sources;
use crate::ephemeral_resources;
use crate::functions;
use crate::http::header::HeaderName;
use crate::http::{Backoff, ClientOptions, Correlation, Proxies};
use crate::plugin::provider::{Action, EphemeralResource, Function};
use crate::plugin::{Configured, DataSource, Diagnostic, Diagnostics, Object, Provider, Resource, Schema, duration};
use crate::resources;
use crate::servicenow::{ConfigError, Instance, InstanceOptions, Timing};

/// The source addresses under which Terraform and OpenTofu know the provider.
pub const ADDRESSES: &[&str] = &[
    "registry.terraform.io/servicenow-m365/servicenow",
    "registry.opentofu.org/servicenow-m365/servicenow",
];

#[derive(Debug)]
pub struct Servicenow {
    /// Where arguments that are not configured are looked up.
    pub environment: Environment,
}

impl Provider for Servicenow {
    type Data = Clients;

    fn schema(&self) -> Schema {
        schema::schema()
    }

    fn configure(&self, config: &Object, terraform_version: &str) -> Configured<Clients> {
        let arguments = Arguments::new(config, self.environment, environment::SERVICENOW);
        let nothing = Object::new();
        let block = config.object("microsoft365").unwrap_or(&nothing);
        let microsoft365 = Arguments::new(block, self.environment, environment::MICROSOFT365);
        let unknown = unknown(&arguments, &microsoft365);
        let options = client_options(&arguments, self.environment, terraform_version);
        let mut problems = Diagnostics::new();
        let is_known = unknown.servicenow.is_empty();
        let mut clients = Clients {
            servicenow: if is_known {
                servicenow(&arguments, options.clone(), &mut problems)
            } else {
                Err(not_known_yet(&unknown.servicenow))
            },
            address: is_known.then(|| address(&arguments, options.clone())).flatten(),
            microsoft: Err(not_known_yet(&unknown.microsoft365)),
            authorities: None,
            link_managers: LinkManagers::default(),
            planned_names: PlannedNames::default(),
            unknown,
        };
        if clients.unknown.microsoft365.is_empty() {
            microsoft365::build(&microsoft365, options, &mut clients, &mut problems);
        }
        if problems.has_errors() {
            return Configured::Failed(problems);
        }
        Configured::Ready(clients, problems)
    }

    fn unknown<'d>(&self, data: &'d Clients, type_name: &str) -> &'d [String] {
        match type_name {
            // It signs in to the one side and calls the other.
            "servicenow_access_report" | "servicenow_inbound_check" => &data.unknown.any,
            name if name.starts_with("m365_") => &data.unknown.microsoft365,
            _ => &data.unknown.servicenow,
        }
    }

    fn resources(&self) -> Vec<Box<dyn Resource<Clients>>> {
        resources::all()
    }

    fn data_sources(&self) -> Vec<Box<dyn DataSource<Clients>>> {
        data_sources::all()
    }

    fn ephemeral_resources(&self) -> Vec<Box<dyn EphemeralResource<Clients>>> {
        ephemeral_resources::all()
    }

    fn actions(&self) -> Vec<Box<dyn Action<Clients>>> {
        actions::all()
    }

    fn functions(&self) -> Vec<Box<dyn Function>> {
        functions::all()
    }
}

/// Which arguments are not known yet. Those that only tune the requests do not count: their defaults apply until they are
/// known.
fn unknown(arguments: &Arguments<'_>, microsoft365: &Arguments<'_>) -> Unknown {
    let top: Vec<&str> = arguments.unknown();
    let of_both = |name: &&str| *name == "ca_certificate_path";
    let shown = |name: &str| format!("`{name}`");
    let servicenow: Vec<String> = top
        .iter()
        .filter(|name| **name != "microsoft365" && !TUNING.contains(name))
        .map(|name| shown(name))
        .collect();
    let of_microsoft = top.iter().filter(|name| **name == "microsoft365" || of_both(name));
    let nested = microsoft365
        .unknown()
        .into_iter()
        .map(|name| format!("`microsoft365.{name}`"));
    let microsoft365: Vec<String> = of_microsoft.map(|name| shown(name)).chain(nested).collect();
    let mut any = servicenow.clone();
    any.extend(microsoft365.iter().filter(|name| !servicenow.contains(name)).cloned());
    Unknown {
        servicenow,
        microsoft365,
        any,
    }
}

fn not_known_yet(arguments: &[String]) -> Diagnostic {
    let detail = format!(
        "Arguments of the provider block depend on something that does not exist yet ({}), so nothing can be read or \
         written. Apply what they depend on first (terraform apply -target=...), or use values that are known at plan \
         time.",
        arguments.join(", ")
    );
    Diagnostic::error("The provider's configuration is not known yet", detail)
}

/// The instance's address, for calls with other credentials than the provider's.
fn address(arguments: &Arguments<'_>, http: ClientOptions) -> Option<Address> {
    let url = arguments.text("instance_url")?.text;
    let http = ClientOptions {
        client_certificate_path: None,
        client_key_path: None,
        ..http
    };
    Some(Address { url, http })
}

/// The instance; or why there is none, which is an error only for what needs it.
fn servicenow(
    arguments: &Arguments<'_>,
    http: ClientOptions,
    problems: &mut Diagnostics,
) -> Result<Instance, Diagnostic> {
    let missing = |what: &str, attribute: &str| {
        let detail = format!(
            "{what}\n\nEach argument can be set in the provider block or by an environment variable; the provider's \
             documentation lists both."
        );
        let problem = Diagnostic::error("ServiceNow is not configured", detail);
        problem.told_once().at_attribute(attribute)
    };
    problems.extend(sign_in::warnings(arguments));
    let sign_in = sign_in::choose(arguments).inspect_err(|problem| problems.push(problem.clone()))?;
    let url = arguments.text("instance_url");
    let Some(url) = url else {
        let what = "The address of the instance is missing (instance_url, SERVICENOW_INSTANCE_URL).";
        return Err(Diagnostic {
            path: Default::default(),
            ..missing(what, "instance_url")
        });
    };
    let Some(sign_in) = sign_in else {
        let what = sign_in::lacking(arguments).unwrap_or_else(|| {
            "No sign-in method is complete: set username and password (SERVICENOW_USERNAME, SERVICENOW_PASSWORD), \
             client_id and client_secret (SERVICENOW_CLIENT_ID, SERVICENOW_CLIENT_SECRET), or the arguments of another \
             method."
                .to_owned()
        });
        return Err(Diagnostic {
            path: Default::default(),
            ..missing(&what, "username")
        });
    };
    let options = InstanceOptions {
        instance_url: url.text.clone(),
        sign_in,
        http,
        timing: Timing::STANDARD,
    };
    Instance::new(options).map_err(|error| {
        let problem = match &error {
            ConfigError::InstanceUrl { source } => address::wrong(INVALID, &url, "instance_url", source),
            ConfigError::Missing { missing, .. } => {
                Diagnostic::error(INVALID, crate::plugin::diagnostics::explain(&error, "")).at_attribute(missing)
            }
            ConfigError::Unusable { attribute, remedy, .. } => {
                let remedy = arguments.remedy(attribute, remedy);
                Diagnostic::error(INVALID, crate::plugin::diagnostics::explain(&error, &remedy)).at_attribute(attribute)
            }
        };
        problems.push(problem.clone());
        problem
    })
}

fn client_options(arguments: &Arguments<'_>, environment: Environment, terraform_version: &str) -> ClientOptions {
    let path = |name| arguments.text(name).map(|path| path.text.into());
    let files = ["ca_certificate_path", "client_certificate_path", "client_key_path"];
    let variables = files
        .into_iter()
        .filter_map(|name| Some((name, arguments.text(name)?.variable?)));
    let text = |name| arguments.text(name).map(|argument| argument.text);
    let run = environment.first(&["TFC_RUN_ID"]);
    let correlates = arguments.flag("run_correlation").unwrap_or(true);
    let correlation = correlates.then(|| Correlation {
        header: HeaderName::from_static("x-correlation-id"),
        id: run.clone().filter(|run| is_token(run)).unwrap_or_else(run_id::random),
    });
    let mut user_agent = format!(
        "Terraform/{} (+https://www.terraform.io) terraform-provider-servicenow/{}",
        if is_token(terraform_version) {
            terraform_version
        } else {
            "unknown"
        },
        env!("CARGO_PKG_VERSION")
    );
    if let (Some(run), true) = (&run, correlates)
        && is_token(run)
    {
        user_agent.push_str(&format!(" HCPTerraform/{run}"));
        if let Some(workspace) = environment.first(&["TFC_WORKSPACE_NAME"])
            && is_token(&workspace)
        {
            user_agent.push_str(&format!(" ({workspace})"));
        }
    }
    if let Some(more) = environment.first(&["TF_APPEND_USER_AGENT"])
        && more.chars().all(|c| (' '..='~').contains(&c))
    {
        user_agent.push(' ');
        user_agent.push_str(more.trim());
    }
    ClientOptions {
        ca_certificate_path: path("ca_certificate_path"),
        client_certificate_path: path("client_certificate_path"),
        client_key_path: path("client_key_path"),
        variables: variables.collect(),
        proxies: Proxies::of(|name| environment.first(&[name])),
        request_timeout: text("request_timeout")
            .and_then(|text| duration::parse(&text))
            .unwrap_or(REQUEST_TIMEOUT),
        max_retries: arguments
            .integer("max_retries")
            .and_then(|number| number.try_into().ok())
            .unwrap_or(MAX_RETRIES),
        requests_per_second: arguments.integer("requests_per_second").map(|number| number as f64),
        max_concurrent: MAX_CONCURRENT,
        user_agent,
        correlation,
        backoff: Backoff::STANDARD,
    }
}

/// Whether a text from the environment can be used in a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._+".contains(c))
}

/// Arguments that change how requests are sent, and not where to or as whom.
const TUNING: &[&str] = &[
    "max_retries",
    "request_timeout",
    "requests_per_second",
    "run_correlation",
];
const INVALID: &str = "Invalid ServiceNow configuration";
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_RETRIES: u32 = 4;
/// A little above Terraform's default parallelism; the instance serves few calls of one account at a time.
const MAX_CONCURRENT: usize = 16;

/// The words of the messages, of which people choose some as secrets of test instances: one per line, in small letters.
/// A test of the architecture keeps the list.
pub const UNMASKED_WORDS: &str = include_str!("provider/unmasked_words.txt");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Secret, secret};
    use crate::plugin::Value;
    use crate::plugin::diagnostics::Severity;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn configure(config: Object) -> Configured<Clients> {
        Servicenow {
            environment: Environment::of(nothing),
        }
        .configure(&config, "1.11.4")
    }

    #[test]
    fn a_secret_that_is_a_word_of_the_messages_masks_none_of_them() {
        secret::spare(UNMASKED_WORDS);
        // The last two are a part of a word, and words that stand together nowhere.
        for word in ["Password", "servicenow", "sign", "wrong", "word", "table\ntenant"] {
            secret::register(&Secret::from(word));
        }

        let message = "Could not sign in to ServiceNow: the password is wrong";
        assert_eq!(secret::mask("table\ntenant"), "***");
        assert_eq!(secret::mask(message), message);
        assert_eq!(secret::mask(r#"{"password":"Password"}"#), r#"{"password":"***"}"#);
        assert_eq!(secret::mask("Basic c2VydmljZW5vdw=="), "Basic ***");
    }

    #[test]
    fn an_empty_block_is_an_error_only_for_what_needs_it() {
        let Configured::Ready(clients, notes) = configure(Object::new()) else {
            panic!("not ready")
        };
        assert!(notes.is_empty());
        assert!(
            clients
                .servicenow
                .unwrap_err()
                .detail
                .contains("SERVICENOW_INSTANCE_URL")
        );
        assert!(clients.microsoft.unwrap_err().detail.contains("microsoft365"));
    }

    /// Everything that Terraform would refuse of what the provider serves.
    #[test]
    fn all_that_is_served_is_sound() {
        let provider = Servicenow {
            environment: Environment::of(nothing),
        };
        assert_eq!(
            crate::plugin::internal_validate::problems(&provider),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_resource_can_be_listed_and_has_an_identity() {
        for resource in resources::all() {
            assert!(resource.identity().is_some(), "{}", resource.type_name());
            assert!(resource.list_schema().is_some(), "{}", resource.type_name());
        }
    }

    #[test]
    fn an_unknown_argument_holds_back_its_own_side_alone() {
        let known = || {
            let microsoft365 = Object::new().with("tenant_id", "contoso.com").with("access_token", "t");
            Object::new()
                .with("instance_url", "https://dev1.service-now.com")
                .with("api_key", "k")
                .with("microsoft365", microsoft365)
        };
        let of_microsoft = |name: &str| {
            let block = known().object("microsoft365").unwrap().clone();
            known().with("microsoft365", block.with(name, Value::Unknown))
        };
        let provider = Servicenow {
            environment: Environment::of(nothing),
        };
        // What is unknown, and whether the instance, the admin center and the inbound check are known all the same.
        let cases = [
            (known(), [true, true, true]),
            (known().with("instance_url", Value::Unknown), [false, true, false]),
            (known().with("username", Value::Unknown), [false, true, false]),
            (
                known().with("ca_certificate_path", Value::Unknown),
                [false, false, false],
            ),
            (known().with("microsoft365", Value::Unknown), [true, false, false]),
            (of_microsoft("tenant_id"), [true, false, false]),
            (known().with("max_retries", Value::Unknown), [true, true, true]),
            (known().with("request_timeout", Value::Unknown), [true, true, true]),
            (known().with("requests_per_second", Value::Unknown), [true, true, true]),
            (known().with("run_correlation", Value::Unknown), [true, true, true]),
        ];
        for (config, expected) in cases {
            let Configured::Ready(clients, notes) = configure(config.clone()) else {
                panic!("{config:?}")
            };
            let is_known = ["servicenow_role", "m365_support_settings", "servicenow_inbound_check"]
                .map(|name| provider.unknown(&clients, name).is_empty());
            assert_eq!(is_known, expected, "{config:?}");
            assert_eq!(clients.servicenow.is_ok(), expected[0], "{config:?}");
            assert_eq!(clients.address.is_some(), expected[0], "{config:?}");
            assert_eq!(clients.microsoft.is_ok(), expected[1], "{config:?}");
            assert!(notes.is_empty());
        }
    }

    #[test]
    fn a_secret_of_the_environment_that_ends_in_a_line_break_is_a_warning() {
        let environment = Environment::of(|name| {
            let value = match name {
                "SERVICENOW_INSTANCE_URL" => "https://dev1.service-now.com",
                "SERVICENOW_USERNAME" | "SERVICENOW_CLIENT_ID" | "ARM_TENANT_ID" | "ARM_CLIENT_ID" => "robot",
                "SN_PASSWORD" | "ARM_CLIENT_SECRET" => "env-marker\n",
                "SERVICENOW_CLIENT_SECRET" => "env-marker\r\n",
                "SERVICENOW_API_KEY" => "a-key-is-trimmed\n",
                _ => return None,
            };
            Some(value.to_owned())
        });

        let Configured::Ready(_, notes) = Servicenow { environment }.configure(&Object::new(), "1.11.4") else {
            panic!("not ready")
        };

        let said: Vec<&str> = notes.iter().map(|note| note.summary.as_str()).collect();
        assert_eq!(
            said,
            [
                "SN_PASSWORD ends in a line break",
                "SERVICENOW_CLIENT_SECRET ends in a line break",
                "ARM_CLIENT_SECRET ends in a line break",
            ]
        );
        assert!(!notes.has_errors() && !format!("{notes:?}").contains("marker"));
    }

    #[test]
    fn a_wrong_variable_is_named() {
        /// The first error where the environment has these.
        fn refused(lookup: fn(&str) -> Option<String>) -> String {
            let environment = Environment::of(lookup);
            let Configured::Failed(problems) = (Servicenow { environment }).configure(&Object::new(), "1.11.4") else {
                panic!("accepted")
            };
            let problem = problems.iter().find(|problem| problem.severity == Severity::Error);
            let problem = problem.unwrap();
            format!("{}: {}", problem.summary, problem.detail)
        }
        fn set(name: &str, own: &[(&str, &str)]) -> Option<String> {
            let url = [("SN_HOST", "https://dev1.service-now.com")];
            let mut all = own.iter().chain(&url);
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        }
        type Case = (fn(&str) -> Option<String>, &'static [&'static str]);
        let cases: [Case; 7] = [
            (
                |name| set(name, &[("SN_API_KEY", "two words")]),
                &[
                    INVALID,
                    "api_key cannot be used",
                    "environment variable SN_API_KEY. Copy it again",
                ],
            ),
            (
                |name| set(name, &[("SERVICENOW_USERNAME", "a:b"), ("SN_PASSWORD", "p")]),
                &[INVALID, "variable SERVICENOW_USERNAME. Use an account without a colon"],
            ),
            (
                |name| set(name, &[("SN_GRANT_TYPE", "client_credential")]),
                &[
                    "Unknown grant type",
                    "Did you mean",
                    "variable SN_GRANT_TYPE. Correct it there.",
                ],
            ),
            (
                |name| set(name, &[("SERVICENOW_GRANT_TYPE", "password")]),
                &["Incomplete sign-in", "or set SERVICENOW_CLIENT_ID or SN_CLIENT_ID."],
            ),
            (
                |name| set(name, &[("SN_API_KEY", "k"), ("ARM_USE_OIDC", "yes")]),
                &["ARM_USE_OIDC is neither true nor false: The environment variable ARM_USE_OIDC is \"yes\"."],
            ),
            (
                |name| set(name, &[("SN_API_KEY", "k"), ("ARM_ENVIRONMENT", "pubic")]),
                &[
                    "Environment \"pubic\" is not a known cloud",
                    "variable ARM_ENVIRONMENT.",
                    "Did you mean \"public\"?",
                ],
            ),
            (
                |name| {
                    let of_application = [
                        ("ARM_CLIENT_ID", "id"),
                        ("ARM_CLIENT_SECRET", "secret"),
                        ("ARM_TENANT_ID", "a/b"),
                    ];
                    set(name, &of_application)
                },
                &[
                    "neither a GUID nor a domain name",
                    "variable ARM_TENANT_ID. Use the tenant's GUID",
                ],
            ),
        ];
        for (environment, said) in cases {
            let refused = refused(environment);
            for said in said {
                assert!(refused.contains(said), "{said:?} is not in {refused}");
            }
        }
    }

    #[test]
    fn a_wrong_argument_fails_at_once() {
        let two = Object::new().with("api_key", "k").with("access_token", "t");
        assert!(matches!(configure(two), Configured::Failed(_)));
    }
}
