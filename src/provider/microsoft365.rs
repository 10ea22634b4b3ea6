//! The Microsoft side of the provider block.

use std::sync::Arc;

use crate::clients::{Authorities, Clients};
use crate::http::{Client, ClientOptions, HttpError, Origin};
use crate::microsoft::entra::{self, ChoiceError, Pipeline};
use crate::microsoft::{Cloud, Hosts, Microsoft365, Microsoft365Options, OptionsError};
use crate::plugin::{Diagnostic, Diagnostics, diagnostics};
use crate::provider::address;
use crate::provider::arguments::{Argument, Arguments, Source};

/// Adds the Microsoft side to the clients; or why there is none, which is an error only for what needs it.
pub(super) fn build(
    arguments: &Arguments<'_>,
    mut http: ClientOptions,
    clients: &mut Clients,
    problems: &mut Diagnostics,
) {
    // The certificate of the TLS handshake is the instance's business.
    http.client_certificate_path = None;
    http.client_key_path = None;
    let client = Arc::new(Client::new(http));
    if let Err(problem) = hosts(arguments, &client, clients) {
        problems.push(problem);
        return;
    }
    clients.microsoft = match support(arguments, &client, problems) {
        Ok(microsoft) => Ok(microsoft),
        Err(Missing::NotConfigured(problem)) => Err(problem),
        Err(Missing::Wrong(problem)) => {
            problems.push(problem.clone());
            Err(problem)
        }
    };
}

/// Why there is no client.
enum Missing {
    NotConfigured(Diagnostic),
    Wrong(Diagnostic),
}

fn wrong(error: &dyn std::error::Error, remedy: &str, attribute: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid Microsoft 365 configuration",
        diagnostics::explain(error, remedy),
    )
    .at_attribute(&format!("microsoft365.{attribute}"))
}

fn text(arguments: &Arguments<'_>, name: &str, variables: &[&str]) -> Option<String> {
    arguments.text(name, variables).map(|argument| argument.text)
}

fn cloud(arguments: &Arguments<'_>) -> Result<Cloud, Diagnostic> {
    let name = text(arguments, "environment", &["ARM_ENVIRONMENT"]).unwrap_or_default();
    Cloud::parse(&name).map_err(|error| wrong(&error, error.remedy(), "environment"))
}

fn urls(arguments: &Arguments<'_>) -> (Option<String>, Option<String>) {
    (
        text(arguments, "login_url", LOGIN_URL),
        text(arguments, "admin_url", ADMIN_URL),
    )
}

/// The sign-in service, which the inbound check uses without any sign-in of the provider's own.
fn hosts(arguments: &Arguments<'_>, client: &Arc<Client>, clients: &mut Clients) -> Result<(), Diagnostic> {
    let (login_url, admin_url) = urls(arguments);
    let hosts = Hosts::new(cloud(arguments)?, login_url.as_deref(), admin_url.as_deref())
        .map_err(|error| wrong_address(arguments, &error))?;
    let tenant = text(arguments, "tenant_id", &["ARM_TENANT_ID"]);
    clients.authorities = Some(Authorities {
        http: Arc::clone(client),
        login: hosts.login,
        tenant,
    });
    Ok(())
}

fn support(
    arguments: &Arguments<'_>,
    client: &Arc<Client>,
    problems: &mut Diagnostics,
) -> Result<Microsoft365, Missing> {
    let (configured, environment) = given(arguments).map_err(Missing::Wrong)?;
    if let Some(secret) = arguments.text("client_secret", CLIENT_SECRET) {
        problems.extend(secret.line_break());
    }
    let not_configured = |error: &dyn std::error::Error, remedy: &str| {
        let remedy = format!(
            "{remedy} Use the block microsoft365 of the provider configuration, or the ARM_* and M365_* variables; \
             the provider's documentation lists both for each argument."
        );
        let detail = diagnostics::explain(error, &remedy);
        Missing::NotConfigured(Diagnostic::error("Microsoft 365 is not configured", detail).told_once())
    };
    let sign_in = configured.choose(&environment).map_err(|error| match error {
        ChoiceError::Several(_) => Missing::Wrong(wrong(&error, error.remedy(), "client_id")),
        ChoiceError::Nothing | ChoiceError::NoClientId(_) | ChoiceError::NoOidcToken => {
            not_configured(&error, error.remedy())
        }
    })?;
    let (login_url, admin_url) = urls(arguments);
    let options = Microsoft365Options {
        tenant_id: text(arguments, "tenant_id", &["ARM_TENANT_ID"]),
        cloud: cloud(arguments).map_err(Missing::Wrong)?,
        login_url,
        admin_url,
        sign_in,
        support_api_profile: text(arguments, "support_api_profile", &["M365_SUPPORT_API_PROFILE"]).map(Into::into),
    };
    Microsoft365::new(client, options).map_err(|error| match &error {
        OptionsError::NoTenant => not_configured(&error, &error.remedy()),
        OptionsError::Hosts(http) => Missing::Wrong(wrong_address(arguments, http)),
        OptionsError::Tenant(_) => Missing::Wrong(wrong(&error, &error.remedy(), "tenant_id")),
        OptionsError::Profile(_) => Missing::Wrong(wrong(&error, &error.remedy(), "support_api_profile")),
    })
}

/// The one of the two addresses that cannot be used, called by its variable where it comes from one.
fn wrong_address(arguments: &Arguments<'_>, error: &HttpError) -> Diagnostic {
    let given = |name, variables: &[&str]| {
        let argument = arguments.text(name, variables)?;
        Origin::parse(&argument.text).is_err().then_some((name, argument))
    };
    let found = given("login_url", LOGIN_URL).or_else(|| given("admin_url", ADMIN_URL));
    match found {
        Some((name, argument)) => address::wrong("Invalid Microsoft 365 configuration", &argument, name, error)
            .at_attribute(&format!("microsoft365.{name}")),
        None => wrong(error, &error.remedy(), "login_url"),
    }
}

const CLIENT_SECRET: &[&str] = &["ARM_CLIENT_SECRET"];
const LOGIN_URL: &[&str] = &["M365_LOGIN_URL"];
const ADMIN_URL: &[&str] = &["M365_ADMIN_URL"];

/// What the configuration gives, and what the environment does.
fn given(arguments: &Arguments<'_>) -> Result<(entra::Given, entra::Given), Diagnostic> {
    let one = |name, variables: &[&str], from: Source| {
        let is_from = |argument: &Argument| argument.source == from;
        arguments
            .text(name, variables)
            .filter(is_from)
            .map(|argument| argument.text)
    };
    // A file that was read into a variable ends with a line break, which no token contains.
    let token = |name, variables: &[&str], from: Source| one(name, variables, from).map(|text| text.trim().into());
    let read = |from: Source| entra::Given {
        client_id: one("client_id", &["ARM_CLIENT_ID"], from),
        client_secret: one("client_secret", CLIENT_SECRET, from).map(Into::into),
        client_certificate_path: one("client_certificate_path", &["ARM_CLIENT_CERTIFICATE_PATH"], from).map(Into::into),
        use_oidc: None,
        oidc_token: token("oidc_token", &["ARM_OIDC_TOKEN"], from),
        oidc_token_file_path: one("oidc_token_file_path", &["ARM_OIDC_TOKEN_FILE_PATH"], from).map(Into::into),
        pipeline: None,
        refresh_token: token("refresh_token", &["M365_REFRESH_TOKEN"], from),
        access_token: token("access_token", &["M365_ACCESS_TOKEN"], from),
    };
    let mut configured = read(Source::Configuration);
    configured.use_oidc = arguments.flag("use_oidc");
    let mut environment = read(Source::Environment);
    environment.use_oidc = match configured.use_oidc {
        Some(flag) => Some(flag),
        None => arguments.flag_of_environment(&["ARM_USE_OIDC"])?,
    };
    environment.pipeline = pipeline(arguments);
    Ok((configured, environment))
}

/// Where a CI system hands out tokens.
fn pipeline(arguments: &Arguments<'_>) -> Option<Pipeline> {
    let variable = |names: &[&str]| text(arguments, "", names);
    Some(Pipeline {
        request_url: variable(&[
            "ARM_OIDC_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "SYSTEM_OIDCREQUESTURI",
        ])?,
        request_token: variable(&[
            "ARM_OIDC_REQUEST_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "SYSTEM_ACCESSTOKEN",
        ])?
        .into(),
        service_connection_id: variable(&[
            "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
            "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
        ]),
    })
}
