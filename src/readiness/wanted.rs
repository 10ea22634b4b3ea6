//! What the readiness checks are asked to look at.

/// What the configuration asks for, and what the provider block adds.
pub(crate) struct Wanted {
    /// Scope of the application.
    pub(crate) application: String,
    /// `user_name` of the account that Terraform uses, where it is known.
    pub(crate) account: Option<String>,
    /// `user_name` of the integration user, where it is given.
    pub(crate) integration_user: Option<String>,
    /// Name of its role.
    pub(crate) integration_role: String,
    pub(crate) metadata_url: Option<String>,
    pub(crate) token_url: Option<String>,
}
