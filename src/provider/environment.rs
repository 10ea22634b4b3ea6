//! The process environment: read here and nowhere else, so that every variable can be found in one place.

use std::env;

/// Reads environment variables. Empty ones count as absent.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    lookup: fn(&str) -> Option<String>,
}

impl Environment {
    /// The environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        Self {
            lookup: |name| env::var(name).ok(),
        }
    }

    /// An environment without any variable.
    pub fn empty() -> Self {
        Self { lookup: |_| None }
    }

    /// An environment that a test makes up.
    pub fn of(lookup: fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The first of these variables that is set.
    pub fn first(&self, names: &[&str]) -> Option<String> {
        self.first_of(names).map(|(_, value)| value)
    }

    /// The first of these variables that is set, by its name.
    pub(super) fn first_of<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|name| {
            let value = (self.lookup)(name).filter(|value| !value.trim().is_empty())?;
            Some((*name, value))
        })
    }
}

/// The environment variables of each argument of a block, the preferred one first.
pub(super) type Variables = &'static [(&'static str, &'static [&'static str])];

/// Those of the provider block.
pub(super) const SERVICENOW: Variables = &[
    ("instance_url", &["SERVICENOW_INSTANCE_URL", "SN_HOST"]),
    ("grant_type", &["SERVICENOW_GRANT_TYPE", "SN_GRANT_TYPE"]),
    ("username", &["SERVICENOW_USERNAME", "SN_USERNAME"]),
    ("password", &["SERVICENOW_PASSWORD", "SN_PASSWORD"]),
    ("client_id", &["SERVICENOW_CLIENT_ID", "SN_CLIENT_ID"]),
    ("client_secret", &["SERVICENOW_CLIENT_SECRET", "SN_CLIENT_SECRET"]),
    ("refresh_token", &["SERVICENOW_REFRESH_TOKEN", "SN_REFRESH_TOKEN"]),
    ("access_token", &["SERVICENOW_ACCESS_TOKEN", "SN_ACCESS_TOKEN"]),
    ("api_key", &["SERVICENOW_API_KEY", "SN_API_KEY"]),
    (
        "oidc_token",
        &[
            "SERVICENOW_OIDC_TOKEN",
            "TFC_WORKLOAD_IDENTITY_TOKEN_SERVICENOW",
            "TFC_WORKLOAD_IDENTITY_TOKEN",
        ],
    ),
    ("oidc_token_file_path", &["SERVICENOW_OIDC_TOKEN_FILE_PATH"]),
    ("client_certificate_path", &["SERVICENOW_CLIENT_CERTIFICATE_PATH"]),
    ("client_key_path", &["SERVICENOW_CLIENT_KEY_PATH"]),
    ("ca_certificate_path", &["SERVICENOW_CA_CERTIFICATE_PATH"]),
];

/// Those of the block `microsoft365`.
pub(super) const MICROSOFT365: Variables = &[
    ("tenant_id", &["ARM_TENANT_ID"]),
    ("client_id", &["ARM_CLIENT_ID"]),
    ("client_secret", &["ARM_CLIENT_SECRET"]),
    ("client_certificate_path", &["ARM_CLIENT_CERTIFICATE_PATH"]),
    ("use_oidc", &["ARM_USE_OIDC"]),
    ("oidc_token", &["ARM_OIDC_TOKEN"]),
    ("oidc_token_file_path", &["ARM_OIDC_TOKEN_FILE_PATH"]),
    ("refresh_token", &["M365_REFRESH_TOKEN"]),
    ("access_token", &["M365_ACCESS_TOKEN"]),
    ("environment", &["ARM_ENVIRONMENT"]),
    ("login_url", &["M365_LOGIN_URL"]),
    ("admin_url", &["M365_ADMIN_URL"]),
    ("support_api_profile", &["M365_SUPPORT_API_PROFILE"]),
];
