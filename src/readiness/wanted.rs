//! What the readiness checks are asked to look at.

/// What the configuration asks for, and what the provider block adds.
pub(super) struct Wanted {
    /// Scope of the application.
    pub(super) application: String,
    /// `user_name` of the account that Terraform uses, where it is known.
    pub(super) account: Option<String>,
    /// `user_name` of the integration user, where it is given.
    pub(super) integration_user: Option<String>,
    /// Name of its role.
    pub(super) integration_role: String,
    pub(super) metadata_url: Option<String>,
    pub(super) token_url: Option<String>,
}
