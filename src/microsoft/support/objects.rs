//! What the admin center keeps, in our words.

use crate::http::{Secret, secret};

/// The settings of a tenant: the tool that cases go to, and the application that requests tokens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// "Internal support tool".
    pub internal_support_tool: Option<String>,
    /// "Application ID to issue Auth Token".
    pub application_id: Option<String>,
}

/// One repository: an instance that cases go to. Secrets are not part of it, they cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Repository {
    /// Chosen by the user, unique in the tenant.
    pub repository_id: String,
    /// The instance's address.
    pub endpoint: Option<String>,
    /// `aad` or `basic`; anything else is a value of the API that the profile does not know.
    pub authentication_type: Option<String>,
    /// The audience application, or the OAuth client of the instance.
    pub client_id: Option<String>,
    /// The application (or user) that calls the instance.
    pub rest_user_name: Option<String>,
    /// Seconds.
    pub refresh_token_expiry: Option<i64>,
}

/// The secrets of a repository, sent with every write, because a write replaces everything.
#[derive(Clone, Debug, Default)]
pub struct RepositorySecrets {
    /// Of the application or OAuth client.
    pub client_secret: Option<Secret>,
    /// Of the calling application or user.
    pub rest_user_password: Option<Secret>,
}

/// Whether a delete had anything to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deleted {
    /// It existed.
    Now,
    /// Another process created it first.
    Before,
}

impl Repository {
    /// The fields, by our names, that were sent and differ in what was read back. What was omitted is the admin center's
    /// to fill.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<&'static str> {
        let pairs = [
            ("repository_id", self.repository_id == found.repository_id),
            ("endpoint", is_kept(&self.endpoint, &found.endpoint, same_address)),
            (
                "authentication_type",
                is_kept(&self.authentication_type, &found.authentication_type, str::eq),
            ),
            ("client_id", is_kept(&self.client_id, &found.client_id, str::eq)),
            (
                "rest_user_name",
                is_kept(&self.rest_user_name, &found.rest_user_name, str::eq),
            ),
            (
                "refresh_token_expiry",
                self.refresh_token_expiry.is_none() || self.refresh_token_expiry == found.refresh_token_expiry,
            ),
        ];
        pairs
            .into_iter()
            .filter(|(_, same)| !same)
            .map(|(name, _)| name)
            .collect()
    }
}

impl RepositorySecrets {
    pub(super) fn register(&self) {
        for known in [&self.client_secret, &self.rest_user_password].into_iter().flatten() {
            secret::register(known);
        }
    }
}

/// Addresses that differ only in a final slash are the same to the form behind this API.
pub fn same_address(ours: &str, theirs: &str) -> bool {
    ours.trim_end_matches('/') == theirs.trim_end_matches('/')
}

fn is_kept(ours: &Option<String>, theirs: &Option<String>, same: impl Fn(&str, &str) -> bool) -> bool {
    match (ours, theirs) {
        (None, _) => true,
        (Some(ours), Some(theirs)) => same(ours, theirs),
        // Null and empty text are the same to the form.
        (Some(ours), None) => ours.is_empty(),
    }
}
