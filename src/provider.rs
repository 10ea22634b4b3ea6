//! The provider: its block, and the clients that the block builds.

mod address;
mod arguments;
mod environment;
mod microsoft365;
mod run;
mod schema;
mod sign_in;

pub use environment::Environment;

use std::time::Duration;

use arguments::Arguments;

use crate::{
    actions,
    clients::{Address, Clients},
    data_sources, ephemeral_resources, functions,
    http::{Backoff, ClientOptions, Correlation, Proxies, header::HeaderName},
    plugin::{
        Configured, DataSource, Diagnostic, Diagnostics, Object, Provider, Resource, Schema, duration,
        provider::{Action, EphemeralResource, Function},
    },
    resources,
    servicenow::{ConfigError, Instance, InstanceOptions, Timing},
};

/// The source address under which Terraform knows the provider.
pub const ADDRESS: &str = "registry.terraform.io/servicenow-m365/servicenow";

/// The provider.
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
        let arguments = Arguments::new(config, self.environment);
        let mut unknown = arguments.unknown();
        if let Some(block) = config.object("microsoft365") {
            unknown.extend(Arguments::new(block, self.environment).unknown());
        }
        if !unknown.is_empty() {
            tracing::info!(
                arguments = unknown.join(", "),
                "the provider's configuration is not known yet"
            );
            return Configured::Unknown(Diagnostics::new());
        }
        let options = client_options(&arguments, self.environment, terraform_version);
        let mut problems = Diagnostics::new();
        let servicenow = servicenow(&arguments, options.clone(), &mut problems);
        let nothing = Object::new();
        let block = config.object("microsoft365").unwrap_or(&nothing);
        let unconfigured = Diagnostic::error(
            "Microsoft 365 is not configured",
            "The provider block says nothing of it.",
        );
        let mut clients = Clients {
            servicenow,
            address: address(&arguments, options.clone()),
            microsoft: Err(unconfigured),
            authorities: None,
        };
        microsoft365::build(
            &Arguments::new(block, self.environment),
            options,
            &mut clients,
            &mut problems,
        );
        if problems.has_errors() {
            return Configured::Failed(problems);
        }
        Configured::Ready(clients, problems)
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

/// Where the instance is, for whoever signs in there as somebody else.
fn address(arguments: &Arguments<'_>, http: ClientOptions) -> Option<Address> {
    let url = arguments.text("instance_url", INSTANCE_URL)?.text;
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
            "{what} Give it in the provider block or in its environment variable; the provider's page lists both for each \
             argument."
        );
        Diagnostic::error("ServiceNow is not configured", detail).at_attribute(attribute)
    };
    let sign_in = sign_in::choose(arguments).inspect_err(|problem| problems.push(problem.clone()))?;
    let url = arguments.text("instance_url", INSTANCE_URL);
    let Some(url) = url else {
        let what = "The address of the instance is missing (instance_url, SERVICENOW_INSTANCE_URL).";
        return Err(Diagnostic {
            path: Default::default(),
            ..missing(what, "instance_url")
        });
    };
    let Some(sign_in) = sign_in else {
        let what = sign_in::lacking(arguments).unwrap_or_else(|| {
            "No way to sign in is complete: give username and password, client_id and client_secret, or one of the \
             others."
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
            ConfigError::Unusable { attribute, .. } => {
                Diagnostic::error(INVALID, crate::plugin::diagnostics::explain(&error, "")).at_attribute(attribute)
            }
        };
        problems.push(problem.clone());
        problem
    })
}

fn client_options(arguments: &Arguments<'_>, environment: Environment, terraform_version: &str) -> ClientOptions {
    let path = |name, variables: &[&str]| arguments.text(name, variables).map(|path| path.text.into());
    let text = |name| arguments.text(name, &[]).map(|argument| argument.text);
    let run = environment.first(&["TFC_RUN_ID"]);
    let correlates = arguments.flag("run_correlation", &[]).unwrap_or(true);
    let correlation = correlates.then(|| Correlation {
        header: HeaderName::from_static("x-correlation-id"),
        id: run.clone().filter(|run| is_token(run)).unwrap_or_else(run::id),
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
        ca_certificate_path: path("ca_certificate_path", &["SERVICENOW_CA_CERTIFICATE_PATH"]),
        client_certificate_path: path("client_certificate_path", &["SERVICENOW_CLIENT_CERTIFICATE_PATH"]),
        client_key_path: path("client_key_path", &["SERVICENOW_CLIENT_KEY_PATH"]),
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

/// Fit for a header, whatever the environment says.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._+".contains(c))
}

const INVALID: &str = "Invalid ServiceNow configuration";
const INSTANCE_URL: &[&str] = &["SERVICENOW_INSTANCE_URL", "SN_HOST"];
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_RETRIES: u32 = 4;
/// A little above Terraform's default parallelism; the instance serves few calls of one account at a time.
const MAX_CONCURRENT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Value;

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
        assert_eq!(crate::plugin::self_check::problems(&provider), Vec::<String>::new());
    }

    #[test]
    fn every_resource_can_be_listed_and_has_an_identity() {
        for resource in resources::all() {
            assert!(resource.identity().is_some(), "{}", resource.type_name());
            assert!(resource.list_schema().is_some(), "{}", resource.type_name());
        }
    }

    #[test]
    fn an_unknown_argument_is_tolerated() {
        let config = Object::new().with("instance_url", Value::Unknown);
        assert!(matches!(configure(config), Configured::Unknown(_)));
    }

    #[test]
    fn a_wrong_argument_fails_at_once() {
        let two = Object::new().with("api_key", "k").with("access_token", "t");
        assert!(matches!(configure(two), Configured::Failed(_)));
    }
}
