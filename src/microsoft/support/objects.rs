//! What the admin center keeps, in our words.

use url::Url;

use crate::http::{Secret, secret};
use crate::text_equality::same_text;

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

impl Settings {
    /// Whether both mean the same, however it is spelled.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.differences(other).is_empty()
    }

    /// The fields, by our names, that were sent and differ in what was read back.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<&'static str> {
        let is_same = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
            (None, None) => true,
            (Some(_), _) => is_kept(ours, theirs, same_text),
            (None, Some(_)) => false,
        };
        let pairs = [
            (
                "internal_support_tool",
                is_same(&self.internal_support_tool, &found.internal_support_tool),
            ),
            ("application_id", is_same(&self.application_id, &found.application_id)),
        ];
        let differing = pairs.into_iter().filter(|(_, same)| !same);
        differing.map(|(name, _)| name).collect()
    }
}

impl Repository {
    /// The fields, by our names, that were sent and differ in what was read back. What was omitted is the admin center's
    /// to fill.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<&'static str> {
        let pairs = [
            ("repository_id", same_text(&self.repository_id, &found.repository_id)),
            ("endpoint", is_kept(&self.endpoint, &found.endpoint, same_address)),
            (
                "authentication_type",
                is_kept(&self.authentication_type, &found.authentication_type, same_text),
            ),
            ("client_id", is_kept(&self.client_id, &found.client_id, same_text)),
            (
                "rest_user_name",
                is_kept(&self.rest_user_name, &found.rest_user_name, same_text),
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
    let bare = |text: &str| {
        let text = text.trim().trim_end_matches('/').to_owned();
        match Url::parse(&text) {
            Ok(url) => url.as_str().trim_end_matches('/').to_owned(),
            Err(_) => text,
        }
    };
    bare(ours) == bare(theirs)
}

/// The one with an id: in this spelling, or else in another one of the same.
pub(super) fn with_id<T>(mut all: Vec<T>, wanted: &str, id: impl Fn(&T) -> Option<String>) -> Option<T> {
    let ids: Vec<Option<String>> = all.iter().map(id).collect();
    let exact = ids.iter().position(|id| id.as_deref() == Some(wanted));
    let at = exact.or_else(|| {
        ids.iter()
            .position(|id| id.as_deref().is_some_and(|id| same_text(id, wanted)))
    })?;
    Some(all.swap_remove(at))
}

fn is_kept(ours: &Option<String>, theirs: &Option<String>, same: impl Fn(&str, &str) -> bool) -> bool {
    match (ours, theirs) {
        (None, _) => true,
        (Some(ours), Some(theirs)) => same(ours, theirs),
        // Null and empty text are the same to the form.
        (Some(ours), None) => ours.is_empty(),
    }
}
