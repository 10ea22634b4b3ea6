//! The Microsoft side of the provider block.

use std::sync::Arc;

use super::arguments::{Argument, Arguments, Given};
use crate::{
    clients::Microsoft,
    http::{Client, ClientOptions},
    microsoft::{
        Cloud, Entra, Hosts, SupportApi,
        entra::{self, Authority, ChoiceError, Pipeline},
        support::Profile,
    },
    plugin::{Diagnostic, Diagnostics},
    resources::problem,
};

/// The Microsoft side; or why there is none, which is an error only for what needs it.
pub(super) fn build(
    arguments: &Arguments<'_>,
    mut http: ClientOptions,
    problems: &mut Diagnostics,
) -> Result<Microsoft, Diagnostic> {
    let mut wrong = |error: &dyn std::error::Error, attribute: &str| {
        let problem = Diagnostic::error("Invalid Microsoft 365 configuration", problem::explain(error, ""))
            .at_attribute(&format!("microsoft365.{attribute}"));
        problems.push(problem.clone());
        problem
    };
    let text = |name, variables: &[&str]| arguments.text(name, variables).map(|argument| argument.text);
    // The certificate of the TLS handshake is the instance's business.
    http.client_certificate_path = None;
    http.client_key_path = None;
    let (configured, environment) = given(arguments);
    let cloud = text("environment", &["ARM_ENVIRONMENT"]).unwrap_or_default();
    let cloud = Cloud::parse(&cloud).map_err(|error| wrong(&error, "environment"))?;
    let (login_url, admin_url) = (text("login_url", &["M365_LOGIN_URL"]), text("admin_url", &["M365_ADMIN_URL"]));
    let hosts = Hosts::new(cloud, login_url.as_deref(), admin_url.as_deref())
        .map_err(|error| wrong(&error, if login_url.is_some() { "login_url" } else { "admin_url" }))?;
    let sign_in = match configured.choose(&environment) {
        Ok(sign_in) => Ok(sign_in),
        Err(error @ ChoiceError::Several(_)) => return Err(wrong(&error, "client_id")),
        Err(error) => Err(error),
    };
    let profile = match text("support_api_profile", &["M365_SUPPORT_API_PROFILE"]) {
        Some(given) => Profile::load(&given),
        None => Profile::standard(),
    };
    let profile = profile.map_err(|error| wrong(&error, "support_api_profile"))?;
    let Some(tenant) = text("tenant_id", &["ARM_TENANT_ID"]) else {
        return Err(Diagnostic::error(
            "Microsoft 365 is not configured",
            "The tenant is missing: give microsoft365 = { tenant_id = ... } in the provider block, or ARM_TENANT_ID.",
        ));
    };
    let authority = Authority::new(hosts.login, &tenant).map_err(|error| wrong(&error, "tenant_id"))?;
    let sign_in = sign_in.map_err(|error| {
        Diagnostic::error("Microsoft 365 is not configured", problem::explain(&error, ""))
    })?;
    let client = Arc::new(Client::new(http));
    let mut entra = Entra::new(Arc::clone(&client), authority.clone(), sign_in, &hosts.admin_resource);
    if let Some(scope) = &profile.scope {
        entra = entra.with_scope(scope);
    }
    let entra = Arc::new(entra);
    let support = SupportApi::new(Arc::clone(&client), Arc::clone(&entra), hosts.admin, profile);
    Ok(Microsoft { http: client, authority, entra, support, tenant })
}

/// What the configuration gives, and what the environment does.
fn given(arguments: &Arguments<'_>) -> (entra::Given, entra::Given) {
    let one = |name, variables: &[&str], from: Given| {
        arguments.text(name, variables).filter(|argument: &Argument| argument.given == from).map(|argument| argument.text)
    };
    let read = |from: Given| entra::Given {
        client_id: one("client_id", &["ARM_CLIENT_ID"], from),
        client_secret: one("client_secret", &["ARM_CLIENT_SECRET"], from).map(Into::into),
        client_certificate_path: one("client_certificate_path", &["ARM_CLIENT_CERTIFICATE_PATH"], from).map(Into::into),
        use_oidc: None,
        oidc_token: one("oidc_token", &["ARM_OIDC_TOKEN"], from).map(Into::into),
        oidc_token_file_path: one("oidc_token_file_path", &["ARM_OIDC_TOKEN_FILE_PATH"], from).map(Into::into),
        pipeline: None,
        refresh_token: one("refresh_token", &["M365_REFRESH_TOKEN"], from).map(Into::into),
        access_token: one("access_token", &["M365_ACCESS_TOKEN"], from).map(Into::into),
    };
    let mut configured = read(Given::Configuration);
    configured.use_oidc = arguments.flag("use_oidc", &[]);
    let mut environment = read(Given::Environment);
    environment.use_oidc = arguments.flag("use_oidc", &["ARM_USE_OIDC"]);
    environment.pipeline = pipeline(arguments);
    (configured, environment)
}

/// Where a CI system hands out tokens.
fn pipeline(arguments: &Arguments<'_>) -> Option<Pipeline> {
    let variable = |names: &[&str]| arguments.text("", names).map(|argument| argument.text);
    Some(Pipeline {
        request_url: variable(&["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"])?,
        request_token: variable(&["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"])?.into(),
        service_connection_id: variable(&["ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID"]),
    })
}
