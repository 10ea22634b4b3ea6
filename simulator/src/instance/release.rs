//! Releases of the instance.

/// Releases that differ in what this simulator serves, oldest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Release {
    /// Without the plugin that brings the scope tables.
    /// Facts: `inbound-scopes`.
    Xanadu,
    /// No `identity_type`, no `inbound_grant_type`.
    /// Facts: `identity-type-from-zurich`, `oauth-entity-newer-columns`.
    Yokohama,
    /// `identity_type` exists.
    /// Facts: `identity-type-from-zurich`.
    Zurich,
    /// `oauth_admin` suffices for OIDC records.
    /// Facts: `oauth-admin-suffices-from-australia`.
    Australia,
    /// The OIDC configuration has a state and an issuer of its own.
    /// Facts: `brazil-configuration`.
    Brazil,
}
