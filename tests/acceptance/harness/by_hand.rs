//! A trust that was set up by hand, as the guide has it: in Entra's portal and in the instance's forms.

use servicenow_simulator::instance::Instance;
use servicenow_simulator::microsoft::directory::{Registered, TokenVersion};

use super::Simulator;

/// The guide's inbound side, put into both clouds without Terraform.
pub(crate) struct ByHand {
    /// The application that tokens are for.
    pub(crate) inbound: Registered,
    /// The application that Microsoft calls as.
    pub(crate) rest_user: Registered,
    /// `sys_id` of the `oidc_provider_configuration`.
    pub(crate) configuration: String,
    /// `sys_id` of the `oauth_oidc_entity`.
    pub(crate) provider: String,
    /// `sys_id` of the `sys_user`.
    pub(crate) user: String,
    /// `sys_id` of its grant of `incident_manager`.
    pub(crate) grant: String,
}

impl ByHand {
    pub(crate) fn set_up(simulator: &Simulator) -> Self {
        let directory = simulator.directory();
        let inbound = directory.register("ServiceNow inbound", TokenVersion::V1);
        let rest_user = directory.register("ServiceNow REST user", TokenVersion::V1);
        let instance = simulator.instance();
        let configuration = instance.put(
            "oidc_provider_configuration",
            &[
                ("name", "Entra of Contoso"),
                ("oidc_url", &metadata_url(simulator, "")),
                ("oidc_config_cache_life_span", "120"),
                ("user_claim", "appid"),
                ("user_field", "user_name"),
                ("enable_jti_verification", "false"),
            ],
        );
        let provider = instance.put(
            "oauth_oidc_entity",
            &[
                ("name", "Microsoft 365 inbound"),
                ("client_id", &inbound.client_id),
                ("client_secret", "not needed"),
                ("oidc_provider_configuration", &configuration),
            ],
        );
        let user = instance.put(
            "sys_user",
            &[
                ("user_name", &rest_user.client_id),
                ("last_name", "Microsoft 365"),
                ("web_service_access_only", "true"),
                ("active", "true"),
            ],
        );
        let grant = grant(instance, &user, "incident_manager");
        Self {
            inbound,
            rest_user,
            configuration,
            provider,
            user,
            grant,
        }
    }
}

/// The tenant's metadata document; `version` is empty or `/v2.0`.
pub(crate) fn metadata_url(simulator: &Simulator, version: &str) -> String {
    let tenant = simulator.tenant_id();
    format!("https://login.microsoftonline.com/{tenant}{version}/.well-known/openid-configuration")
}

/// Grants a role in the form. Gives the `sys_id` of the grant.
pub(crate) fn grant(instance: &Instance, user: &str, role: &str) -> String {
    let role = &instance.find("sys_user_role", "name", role)[0]["sys_id"];
    instance.put(
        "sys_user_has_role",
        &[("user", user), ("role", role), ("state", "active")],
    )
}
