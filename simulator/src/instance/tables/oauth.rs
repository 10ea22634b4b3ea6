//! Application registries, OIDC, profiles, scopes and tokens.

use crate::instance::release::Release;
use crate::instance::schema::{Table, boolean, choice, date_time, integer, reference, secret, table, text, url};

type Choices = &'static [(&'static str, &'static str)];

const GRANT_TYPES: Choices = &[
    ("authorization_code", "Authorization Code"),
    ("client_credentials", "Client Credentials"),
    ("password", "Resource Owner Password Credentials"),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", "JWT Bearer"),
];

// The labels of the last two are not known, and neither are those of the grant types from `oidc` on.
const ENTITY_TYPES: Choices = &[
    ("client", "OAuth Client"),
    ("oauth_provider", "OAuth Provider"),
    ("auth_server", "Authorization Server"),
    ("snc_instance", "ServiceNow Instance"),
];

const INBOUND_GRANT_TYPES: Choices = &[
    ("authz_code", "Authorization Code"),
    ("client_credential", "Client Credentials"),
    ("jwt", "JWT Bearer"),
    ("multiple", "Multiple"),
    ("oidc", "OIDC"),
    ("ropc", "Resource Owner Password Credentials"),
    ("internal", "Internal"),
    ("default", "Default"),
    ("not_applicable", "Not Applicable"),
    ("uncertain", "Uncertain"),
];

const SEND_CREDENTIALS: Choices = &[
    ("basic_authorization_header", "As Basic Authorization Header"),
    ("request_body_parameter", "In Request Body (Form URL-Encoded)"),
    // The label is documented, the value is not.
    ("private_key_jwt", "As Private Key JWT"),
];

const ACCESS: Choices = &[
    ("public", "All application scopes"),
    ("package_private", "This application scope only"),
];

pub(super) fn tables() -> Vec<Table> {
    vec![
        entity(),
        oidc_entity(),
        table("oauth_jwt", "OAuth JWT Entity", "name")
            .extends("oauth_entity")
            .columns([
                text("user_field", "User Field").default("email"),
                integer("clock_skew", "Clock Skew").default("300"),
                boolean("enable_jti_verification", "Enable JTI Verification"),
                text("jti_claim", "JTI Claim"),
            ]),
        table("jwt_verifier_map", "JWT Verifier Map", "name")
            .application_file()
            .columns([
                text("name", "Name").mandatory(),
                reference("oauth_jwt", "OAuth JWT", "oauth_jwt").mandatory(),
                text("kid", "Key Id"),
                reference("sys_certificate", "Sys certificate", "sys_certificate"),
                secret("shared_key", "Shared Key"),
            ]),
        provider_configuration(),
        // The names of its columns are not documented, only their labels.
        table(
            "oauth_protected_resource_idp_mapping",
            "Protected Resource Identity Provider Mappings",
            "sys_id",
        )
        .application_file()
        .since(Release::Australia)
        .columns([
            text("protected_resource", "Protected Resource"),
            reference("oidc_provider", "OIDC Provider", "oidc_provider_configuration"),
            // What it might be called in place of it.
            reference("trusted_idp", "OIDC Provider", "oidc_provider_configuration"),
            text("accepted_audiences", "Accepted Audiences"),
        ]),
        table("jwt_provider", "JWT Providers", "name")
            .application_file()
            .columns([
                text("name", "Name").mandatory(),
                integer("expiry_interval", "Expiry Interval").default("60"),
            ]),
        table("jwt_claim_validation", "JWT Claim Validations", "name")
            .application_file()
            .columns([
                text("name", "Claim Name").mandatory(),
                text("value", "Claim Value"),
                boolean("is_standard", "Is Standard"),
                text("data_type", "Data Type").default("string"),
                reference("jwt_provider", "JWT Provider", "jwt_provider"),
                // What the reference to an OIDC configuration is called is not documented, nor since when there is one.
                reference(
                    "oidc_config",
                    "OIDC Provider Configuration",
                    "oidc_provider_configuration",
                )
                .since(Release::Zurich),
            ]),
        table("oauth_entity_profile", "OAuth Entity Profiles", "name")
            .application_file()
            .columns([
                text("name", "Name").mandatory(),
                reference("oauth_entity", "OAuth provider", "oauth_entity").mandatory(),
                choice("grant_type", "Grant type", GRANT_TYPES),
                boolean("default", "Is default"),
                reference("jwt_provider", "JWT Provider", "jwt_provider"),
                text("oauth_resources", "OAuth resources").since(Release::Zurich),
                reference(
                    "saml2_assertion_producer",
                    "SAML2 Assertion Producer",
                    "sys_script_include",
                ),
            ]),
        table("oauth_entity_scope", "OAuth Entity Scopes", "name")
            .application_file()
            .columns([
                text("name", "Name").mandatory(),
                text("oauth_entity_scope", "OAuth scope").mandatory(),
                reference("oauth_entity", "OAuth provider", "oauth_entity"),
            ]),
        table("oauth_entity_profile_scope", "OAuth Entity Profile Scopes", "sys_id")
            .application_file()
            .columns([
                reference("oauth_entity_profile", "OAuth entity profile", "oauth_entity_profile"),
                reference("oauth_entity_scope", "OAuth entity scope", "oauth_entity_scope"),
            ]),
        table("oauth_requestor_profile", "OAuth Requestor Profiles", "sys_id").columns([
            text("oauth_requestor", "OAuth requestor"),
            text("oauth_requestor_context", "OAuth requestor context"),
            reference("oauth_entity_profile", "OAuth entity profile", "oauth_entity_profile"),
        ]),
        table("oauth_credential", "Manage Tokens", "sys_id").columns([
            choice(
                "type",
                "Type",
                &[("access_token", "Access Token"), ("refresh_token", "Refresh Token")],
            ),
            reference("peer", "Peer", "oauth_entity"),
            reference("user", "User", "sys_user"),
            date_time("expires", "Expires"),
            text("scopes", "Scopes"),
            secret("token", "Token"),
        ]),
        table("sys_auth_scope", "Authentication Scopes", "name")
            .application_file()
            .since(Release::Yokohama)
            .columns([
                text("name", "Name").mandatory().unique(),
                text("description", "Description"),
            ]),
        table("oauth_entity_auth_scope_mapping", "OAuth Entity Auth Scopes", "sys_id")
            .application_file()
            .since(Release::Yokohama)
            .columns([
                reference("oauth_entity", "OAuth entity", "oauth_entity"),
                reference("auth_scope", "Auth scope", "sys_auth_scope"),
            ]),
        table("sys_api_access_policy", "REST API Access Policies", "name").columns([
            text("name", "Name").mandatory(),
            boolean("active", "Active").default("true"),
        ]),
        table("api_key", "REST API Key", "name").columns([
            text("name", "Name").mandatory(),
            reference("user", "User", "sys_user").mandatory(),
            secret("token", "Token"),
            boolean("active", "Active").default("true"),
            date_time("expiry", "Expiry"),
        ]),
    ]
}

fn entity() -> Table {
    table("oauth_entity", "Application Registries", "name")
        .application_file()
        .columns([
            text("name", "Name").mandatory(),
            choice("type", "Type", ENTITY_TYPES).default("client"),
            text("client_id", "Client ID").mandatory(),
            secret("client_secret", "Client Secret"),
            text("client_uuid", "Client UUID").computed(),
            choice("default_grant_type", "Default Grant type", GRANT_TYPES).default("authorization_code"),
            url("token_url", "Token URL"),
            url("auth_url", "Authorization URL"),
            url("revoke_token_url", "Token Revocation URL"),
            url("refresh_token_url", "Refresh Token URL"),
            url("certificate_url", "Certificate URL"),
            text("redirect_url", "Redirect URL"),
            integer("access_token_lifespan", "Access Token Lifespan").default("1800"),
            integer("refresh_token_lifespan", "Refresh Token Lifespan").default("8640000"),
            integer("auth_code_lifespan", "Auth Code Lifespan").default("0"),
            integer("id_token_lifespan", "ID Token Lifespan").default("0"),
            integer("message_signature_lifespan", "Message Signature Lifespan").default("0"),
            choice("send_client_credentials_as", "Send Credentials", SEND_CREDENTIALS)
                .default("request_body_parameter"),
            reference("oauth_api_script", "OAuth API Script", "sys_script_include"),
            boolean("public_client", "Public Client"),
            choice("code_challenge_method", "Code Challenge Method", &[("S256", "S256")]).default("S256"),
            boolean("use_mutual_auth", "Use mutual authentication"),
            reference("protocol_name", "Protocol profile", "sys_protocol_profile"),
            reference("user", "OAuth Application User", "sys_user"),
            boolean("skip_authorize", "Skip authorize"),
            boolean("extend_refresh_token_expiry", "Extend refresh token expiry"),
            boolean("login_prompt", "Login prompt"),
            boolean("mobile_client", "Mobile client"),
            boolean("restricted_binding", "Restricted binding"),
            text("salt", "Salt").default("0").computed(),
            url("end_session_endpoint", "End session endpoint"),
            url("login_url", "Login URL"),
            reference("jwt_provider", "JWT Provider", "jwt_provider"),
            text("logo_url", "Logo URL"),
            text("comments", "Comments").at_most(4000),
            boolean("active", "Active").default("true"),
            choice("access", "Accessible from", ACCESS).default("public"),
            choice(
                "client_type",
                "Client type",
                &[
                    ("integration_as_a_user", "Integration as a User"),
                    ("integration_as_a_service", "Integration as a Service"),
                    ("iframe_embedded", "Embedded in an iframe"),
                ],
            ),
            choice("inbound_grant_type", "Inbound grant type", INBOUND_GRANT_TYPES).since(Release::Zurich),
            choice("token_format", "Token format", &[("opaque", "Opaque"), ("jwt", "JWT")])
                .default("opaque")
                .since(Release::Zurich),
            text("sub_claim", "Sub claim").default("sys_id").since(Release::Zurich),
            choice(
                "scope_restriction_status",
                "Scope Restriction",
                &[
                    ("unrestricted", "Broadly scoped"),
                    ("restricted", "Securely scoped"),
                    ("useraccount", "User account"),
                ],
            )
            .since(Release::Zurich),
            boolean("use_pkce", "Use PKCE").since(Release::Zurich),
        ])
}

fn oidc_entity() -> Table {
    table("oauth_oidc_entity", "OAuth OIDC Entity", "name")
        .extends("oauth_entity")
        .columns([
            reference(
                "oidc_provider_configuration",
                "OAuth OIDC Provider Configuration",
                "oidc_provider_configuration",
            )
            .mandatory(),
            integer("clock_skew", "Clock Skew").default("300"),
            boolean("automatically_import_users", "Automatically provision users"),
            reference("import_data_source", "User provisioning data source", "sys_data_source"),
            text("roles_for_imported_users", "User roles"),
            choice(
                "provision_source",
                "Provision source",
                &[("id_token", "ID Token"), ("user_info", "User Info")],
            )
            .default("id_token"),
            boolean("update_user_on_login", "Update user record upon each login"),
            integer("update_time_interval", "Update time interval").default("3600"),
            reference("user_info_data_source", "User Info data source", "sys_data_source"),
        ])
}

fn provider_configuration() -> Table {
    table("oidc_provider_configuration", "OIDC Provider Configuration", "name")
        .application_file()
        .columns([
            text("name", "OIDC Provider").mandatory(),
            url("oidc_url", "OIDC Metadata URL").mandatory(),
            integer("oidc_config_cache_life_span", "OIDC Configuration Cache Life Span").default("720"),
            text("user_claim", "User Claim").mandatory(),
            text("user_field", "User Field").mandatory(),
            // Not documented; "on" is the default that hurts a client which does not send it.
            boolean("enable_jti_verification", "Enable JTI claim verification").default("true"),
            text("jti_claim", "JTI Claim").default("jti").since(Release::Zurich),
            // The column names of these two are not documented.
            boolean("active", "Active").default("true").since(Release::Brazil),
            text("issuer", "Issuer URI").since(Release::Brazil),
        ])
}
