//! The Microsoft side of the provider block.

use std::sync::Arc;

use crate::clients::{Authorities, Clients};
use crate::http::{Client, ClientOptions, HttpError, Origin};
use crate::microsoft::entra::{self, ChoiceError, Pipeline};
use crate::microsoft::{Cloud, Hosts, Microsoft365, Microsoft365Options, OptionsError};
use crate::plugin::{Diagnostic, Diagnostics, diagnostics};
use crate::provider::address;
use crate::provider::arguments::{Arguments, Source};
use crate::suggest;

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

fn wrong(arguments: &Arguments<'_>, error: &dyn std::error::Error, remedy: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid Microsoft 365 configuration",
        diagnostics::explain(error, &arguments.remedy(name, remedy)),
    )
    .at_attribute(&format!("microsoft365.{name}"))
}

fn text(arguments: &Arguments<'_>, name: &str) -> Option<String> {
    arguments.text(name).map(|argument| argument.text)
}

fn cloud(arguments: &Arguments<'_>) -> Result<Cloud, Diagnostic> {
    let name = text(arguments, "environment").unwrap_or_default();
    Cloud::parse(&name).map_err(|error| {
        let meant = suggest::did_you_mean(&name, Cloud::NAMES.iter().copied());
        let remedy = format!("{}{meant}", error.remedy());
        wrong(arguments, &error, &remedy, "environment")
    })
}

fn urls(arguments: &Arguments<'_>) -> (Option<String>, Option<String>) {
    (text(arguments, "login_url"), text(arguments, "admin_url"))
}

/// The sign-in service, which the inbound check uses without any sign-in of the provider's own.
fn hosts(arguments: &Arguments<'_>, client: &Arc<Client>, clients: &mut Clients) -> Result<(), Diagnostic> {
    let (login_url, admin_url) = urls(arguments);
    let hosts = Hosts::new(cloud(arguments)?, login_url.as_deref(), admin_url.as_deref())
        .map_err(|error| wrong_address(arguments, &error))?;
    let tenant = text(arguments, "tenant_id");
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
    if let Some(secret) = arguments.text("client_secret") {
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
        ChoiceError::Several(_) => Missing::Wrong(wrong(arguments, &error, error.remedy(), "client_id")),
        ChoiceError::Nothing | ChoiceError::NoClientId(_) | ChoiceError::NoOidcToken => {
            not_configured(&error, error.remedy())
        }
    })?;
    let (login_url, admin_url) = urls(arguments);
    let options = Microsoft365Options {
        tenant_id: text(arguments, "tenant_id"),
        cloud: cloud(arguments).map_err(Missing::Wrong)?,
        login_url,
        admin_url,
        sign_in,
        support_api_profile: text(arguments, "support_api_profile").map(Into::into),
    };
    Microsoft365::new(client, options).map_err(|error| match &error {
        OptionsError::NoTenant => not_configured(&error, &error.remedy()),
        OptionsError::Hosts(http) => Missing::Wrong(wrong_address(arguments, http)),
        OptionsError::Tenant(_) => Missing::Wrong(wrong(arguments, &error, &error.remedy(), "tenant_id")),
        OptionsError::Profile(_) => Missing::Wrong(wrong(arguments, &error, &error.remedy(), "support_api_profile")),
    })
}

/// The one of the two addresses that cannot be used, called by its variable where it comes from one.
fn wrong_address(arguments: &Arguments<'_>, error: &HttpError) -> Diagnostic {
    let given = |name| {
        let argument = arguments.text(name)?;
        Origin::parse(&argument.text).is_err().then_some((name, argument))
    };
    let found = given("login_url").or_else(|| given("admin_url"));
    match found {
        Some((name, argument)) => address::wrong("Invalid Microsoft 365 configuration", &argument, name, error)
            .at_attribute(&format!("microsoft365.{name}")),
        None => wrong(arguments, error, &error.remedy(), "login_url"),
    }
}

/// What the configuration gives, and what the environment does.
fn given(arguments: &Arguments<'_>) -> Result<(entra::Given, entra::Given), Diagnostic> {
    let one = |name, from: Source| {
        let given = arguments.text(name).filter(|argument| argument.source == from);
        given.map(|argument| argument.text)
    };
    // A file that was read into a variable ends with a line break, which no token contains.
    let token = |name, from: Source| one(name, from).map(|text| text.trim().into());
    let read = |from: Source| entra::Given {
        client_id: one("client_id", from),
        client_secret: one("client_secret", from).map(Into::into),
        client_certificate_path: one("client_certificate_path", from).map(Into::into),
        use_oidc: None,
        oidc_token: token("oidc_token", from),
        oidc_token_file_path: one("oidc_token_file_path", from).map(Into::into),
        pipeline: None,
        refresh_token: token("refresh_token", from),
        access_token: token("access_token", from),
    };
    let mut configured = read(Source::Configuration);
    configured.use_oidc = arguments.flag("use_oidc");
    let mut environment = read(Source::Environment);
    environment.use_oidc = match configured.use_oidc {
        Some(flag) => Some(flag),
        None => arguments.flag_of_environment("use_oidc")?,
    };
    environment.pipeline = pipeline(arguments);
    Ok((configured, environment))
}

/// Where a CI system hands out tokens.
fn pipeline(arguments: &Arguments<'_>) -> Option<Pipeline> {
    let variable = |names: &[&str]| arguments.of_environment(names);
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
