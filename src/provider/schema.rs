//! The provider block.

use crate::http::{HttpError, Origin};
use crate::microsoft::Cloud;
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Rule, Schema};
use crate::provider::{address, sign_in};
use crate::servicenow;

pub(super) fn schema() -> Schema {
    let secret = |name, description: &str| Attribute::text(name).sensitive().describe(description);
    let token = |name, description: &str| secret(name, description).trimmed();
    Schema::new(
        "Manages the trust between a ServiceNow instance and Microsoft 365: OAuth and OIDC registries, integration users \
         and the support repository of the Microsoft 365 admin center. Resources named `m365_*` belong to this provider as \
         well: give them `provider = servicenow`.",
        vec![
            Attribute::text("instance_url").check(address::check(servicenow::check_url)).describe(
                "Address of the instance, such as `https://example.service-now.com`. `http` is accepted for loopback hosts \
                 only. Environment: `SERVICENOW_INSTANCE_URL`, `SN_HOST`.",
            ),
            Attribute::text("username").describe(
                "User name for basic authentication, or for the grant type `password`. Environment: \
                 `SERVICENOW_USERNAME`, `SN_USERNAME`.",
            ),
            secret("password", "Password of `username`. Environment: `SERVICENOW_PASSWORD`, `SN_PASSWORD`."),
            Attribute::text("client_id").describe(
                "Client id of an OAuth endpoint of the instance. Environment: `SERVICENOW_CLIENT_ID`, `SN_CLIENT_ID`.",
            ),
            secret("client_secret", "Secret of `client_id`. Environment: `SERVICENOW_CLIENT_SECRET`, `SN_CLIENT_SECRET`."),
            Attribute::text("grant_type")
                .check(validate::one_of(sign_in::GRANT_TYPES))
                .describe(
                    "How to get a token of the instance. If omitted, the arguments that are set decide. `jwt_bearer` \
                     exchanges the token of `oidc_token` or `oidc_token_file_path`. Environment: \
                     `SERVICENOW_GRANT_TYPE`, `SN_GRANT_TYPE`.",
                ),
            token(
                "refresh_token",
                "Refresh token of the instance, used with `client_id` and `client_secret`. Environment: \
                 `SERVICENOW_REFRESH_TOKEN`, `SN_REFRESH_TOKEN`.",
            ),
            token(
                "access_token",
                "An access token of the instance. Environment: `SERVICENOW_ACCESS_TOKEN`, `SN_ACCESS_TOKEN`.",
            ),
            token("api_key", "API key, sent as `x-sn-apikey`. Environment: `SERVICENOW_API_KEY`, `SN_API_KEY`."),
            token(
                "oidc_token",
                "Token of another issuer (Entra, HCP Terraform, a CI system) that an OIDC provider of the instance accepts. \
                 Environment: `SERVICENOW_OIDC_TOKEN`, `TFC_WORKLOAD_IDENTITY_TOKEN_SERVICENOW`, \
                 `TFC_WORKLOAD_IDENTITY_TOKEN`.",
            ),
            Attribute::text("oidc_token_file_path").describe(
                "File with such a token; it is read again when the instance rejects the token. Environment: \
                 `SERVICENOW_OIDC_TOKEN_FILE_PATH`.",
            ),
            Attribute::text("client_certificate_path").describe(
                "PEM file with a TLS client certificate. Environment: `SERVICENOW_CLIENT_CERTIFICATE_PATH`.",
            ),
            Attribute::text("client_key_path").describe(
                "PEM file with the key of the client certificate, unless that file contains it too. Environment: \
                 `SERVICENOW_CLIENT_KEY_PATH`.",
            ),
            Attribute::text("ca_certificate_path").describe(
                "PEM file with certificate authorities that are trusted in addition to the system's. Environment: \
                 `SERVICENOW_CA_CERTIFICATE_PATH`; `SSL_CERT_FILE` replaces the system's.",
            ),
            Attribute::text("request_timeout")
                .check(validate::duration())
                .describe("How long one request may take, such as `30s`. Default `60s`."),
            Attribute::integer("max_retries")
                .check(validate::between(0, 20))
                .describe("How often a request that may be repeated is sent again. Default `4`."),
            Attribute::integer("requests_per_second")
                .check(validate::at_least(1))
                .describe("Upper bound of requests per second to each host. Default: none."),
            Attribute::flag("run_correlation").describe(
                "Whether requests carry an id of the run in the header `X-Correlation-ID`, so that the instance's \
                 log can be matched to it: HCP Terraform's run id if there is one, which the user agent then contains \
                 too, with the workspace's name. Default `true`.",
            ),
            microsoft365(),
        ],
    )
    .rule(Rule::Conflicting(&["oidc_token", "oidc_token_file_path"]))
}

fn microsoft365() -> Attribute {
    let secret = |name, description: &str| Attribute::text(name).sensitive().describe(description);
    let token = |name, description: &str| secret(name, description).trimmed();
    Attribute::single(
        "microsoft365",
        vec![
            Attribute::text("tenant_id").describe("Tenant id or verified domain. Environment: `ARM_TENANT_ID`."),
            Attribute::text("client_id").describe("Client id of the application that signs in. Environment: `ARM_CLIENT_ID`."),
            secret("client_secret", "Secret of the application. Environment: `ARM_CLIENT_SECRET`."),
            Attribute::text("client_certificate_path").describe(
                "PEM file with the application's certificate and private key. Environment: `ARM_CLIENT_CERTIFICATE_PATH`.",
            ),
            Attribute::flag("use_oidc").describe(
                "Whether to sign in with a token of a CI system: GitHub Actions, Azure DevOps or HCP Terraform. Environment: \
                 `ARM_USE_OIDC`.",
            ),
            token("oidc_token", "Such a token. Environment: `ARM_OIDC_TOKEN`."),
            Attribute::text("oidc_token_file_path")
                .describe("File with such a token. Environment: `ARM_OIDC_TOKEN_FILE_PATH`."),
            token(
                "refresh_token",
                "Delegated refresh token of an administrator for the application: the method that works unattended. \
                 Environment: `M365_REFRESH_TOKEN`.",
            ),
            token("access_token", "An access token for the admin center. Environment: `M365_ACCESS_TOKEN`."),
            Attribute::text("environment")
                .check(validate::one_of(Cloud::NAMES))
                .describe("The cloud. Default `public`. Environment: `ARM_ENVIRONMENT`."),
            Attribute::text("login_url")
                .check(address::check(check_origin))
                .describe("Address of the sign-in service instead of the cloud's own. Environment: `M365_LOGIN_URL`."),
            Attribute::text("admin_url")
                .check(address::check(check_origin))
                .describe("Address of the admin center instead of the cloud's own. Environment: `M365_ADMIN_URL`."),
            secret(
                "support_api_profile",
                "File with a profile of the admin center's support API, or the profile itself as JSON. The API is \
                 not published: this replaces the provider's assumptions about it. Its headers may contain the cookie of \
                 a session. Environment: `M365_SUPPORT_API_PROFILE`.",
            ),
        ],
    )
    .describe("Sign-in to Microsoft 365, for `m365_*` resources and the inbound check. Names follow the azuread provider.")
}

fn check_origin(text: &str) -> Result<(), HttpError> {
    Origin::parse(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_provider_block_is_sound() {
        assert_eq!(super::schema().problems(), Vec::<String>::new());
    }
}
