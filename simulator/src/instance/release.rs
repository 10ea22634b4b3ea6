//! Releases of the instance.

/// Releases that differ in what this simulator serves, oldest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Release {
    /// No `identity_type`, no scope tables, no `inbound_grant_type`.
    /// Facts: `identity-type-from-zurich`, `oauth-entity-newer-columns`.
    Yokohama,
    /// `identity_type` and the scope tables exist.
    /// Facts: `identity-type-from-zurich`, `inbound-scopes`.
    Zurich,
    /// `oauth_admin` suffices for OIDC records.
    /// Facts: `oauth-admin-suffices-from-australia`.
    Australia,
    /// The OIDC configuration has a state and an issuer of its own.
    /// Facts: `brazil-configuration`.
    Brazil,
}
