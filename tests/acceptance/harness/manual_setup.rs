//! A trust that was set up by hand, as the guide has it: in Entra's portal and in the instance's forms.

use serde_json::json;
use servicenow_simulator::instance::Instance;
use servicenow_simulator::microsoft::directory::{CONNECTOR_APP, Registered, TokenVersion};

use super::{Guide, Simulator};

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

/// The whole guide, with the names that the wizard recommends, and one person who may open cases.
pub(crate) fn whole_guide(simulator: &Simulator, guide: &Guide) {
    let instance = simulator.instance();
    let url = &simulator.urls().instance;
    let tenant = simulator.directory().with(|tenant| tenant.domain.clone());
    let redirect_url = format!("{url}/oauth_redirect.do");
    let name = "m365supportintegration_outbound";
    let outbound = instance.put(
        "oauth_entity",
        &[
            ("name", name),
            ("type", "oauth_provider"),
            ("client_id", &guide.outbound.client_id),
            ("client_secret", &guide.outbound.client_secret),
            ("default_grant_type", "client_credentials"),
            (
                "token_url",
                &format!("https://login.microsoftonline.com/{tenant}/oauth2/token"),
            ),
            ("redirect_url", &redirect_url),
        ],
    );
    instance.put(
        "oauth_entity_profile",
        &[
            ("name", &format!("{name} default_profile")),
            ("oauth_entity", &outbound),
            ("grant_type", "client_credentials"),
            ("default", "true"),
        ],
    );
    let configuration = instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "m365supportintegration_oidc_provider"),
            (
                "oidc_url",
                &format!("https://login.microsoftonline.com/{tenant}/.well-known/openid-configuration"),
            ),
            ("user_claim", "appid"),
            ("user_field", "user_name"),
            ("enable_jti_verification", "false"),
        ],
    );
    instance.put(
        "oauth_oidc_entity",
        &[
            ("name", "m365supportintegration_inbound_aad"),
            ("client_id", &guide.inbound.client_id),
            ("client_secret", &guide.inbound.client_secret),
            ("oidc_provider_configuration", &configuration),
            ("redirect_url", &redirect_url),
        ],
    );
    let user = instance.put(
        "sys_user",
        &[
            ("user_name", &guide.rest_user.client_id),
            ("first_name", "m365supportintegration_integration_user"),
            ("last_name", "Microsoft 365 support integration"),
            ("web_service_access_only", "true"),
            ("active", "true"),
        ],
    );
    grant(instance, &user, "incident_manager");
    let person = simulator.person("abel.tuter");
    grant(instance, &person, "x_mioms_m365_assis.administrator");
    let admin = simulator.admin();
    admin.put_settings(&json!({"SupportTool": "ServiceNow", "ApplicationId": guide.outbound.client_id}));
    admin.put_repository(&json!({
        "RepositoryId": HOST, "Endpoint": format!("{url}/"), "AuthenticationType": "AAD",
        "ClientId": guide.inbound.client_id, "ClientSecret": guide.inbound.client_secret,
        "RestUserName": guide.rest_user.client_id, "RestUserPassword": guide.rest_user.client_secret,
    }));
}

/// What Microsoft's background script for the Copilot connector makes. Gives the object ID of the service principal.
pub(crate) fn copilot_connector(simulator: &Simulator) -> String {
    let instance = simulator.instance();
    let principal = simulator.directory().with(|tenant| {
        let principal = tenant.service_principal(CONNECTOR_APP).unwrap();
        principal.object_id.clone()
    });
    let configuration = instance.put(
        "oidc_provider_configuration",
        &[
            ("name", "Microsoft Entra ID"),
            ("oidc_url", &metadata_url(simulator, "/v2.0")),
            ("oidc_config_cache_life_span", "120"),
            ("user_claim", "sub"),
            ("user_field", "user_name"),
            ("enable_jti_verification", "false"),
        ],
    );
    let provider = instance.put(
        "oauth_oidc_entity",
        &[
            ("name", "Microsoft Entra ID"),
            ("client_id", CONNECTOR_APP),
            ("oidc_provider_configuration", &configuration),
        ],
    );
    let scope = &instance.find("sys_auth_scope", "name", "useraccount")[0]["sys_id"];
    instance.put(
        "oauth_entity_auth_scope_mapping",
        &[("oauth_entity", &provider), ("auth_scope", scope)],
    );
    let user = instance.put(
        "sys_user",
        &[
            ("user_name", &principal),
            ("first_name", "Microsoft Entra ID"),
            ("last_name", "Connector"),
            ("identity_type", "machine"),
            ("web_service_access_only", "true"),
            ("active", "true"),
        ],
    );
    for role in ["knowledge_admin", "user_admin", "user_criteria_admin"] {
        grant(instance, &user, role);
    }
    principal
}

/// The host of the simulator's instance, which is the ID of its repository.
pub(crate) const HOST: &str = "127.0.0.1";

/// Grants a role in the form. Gives the `sys_id` of the grant.
pub(crate) fn grant(instance: &Instance, user: &str, role: &str) -> String {
    let role = &instance.find("sys_user_role", "name", role)[0]["sys_id"];
    instance.put(
        "sys_user_has_role",
        &[("user", user), ("role", role), ("state", "active")],
    )
}
