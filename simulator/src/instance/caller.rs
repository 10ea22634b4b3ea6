//! Who a request runs as, and why a caller was turned away.

use std::collections::BTreeSet;

/// Request extension set by a serving loop that asked for a client certificate: its subject.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientCertificate(pub String);

/// Who a request runs as.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `sys_id` of the user.
    pub sys_id: String,
    /// `user_name` of the user.
    pub user_name: String,
    /// Names of all active roles, inherited ones included.
    pub roles: BTreeSet<String>,
    /// The `User-Agent` of the request, empty where there is none.
    pub client: String,
    /// `sys_id` of the registry or OIDC provider whose token this is, empty for other credentials.
    pub registry: String,
}

/// Why a caller was turned away, in the words of the instance's log. HTTP answers only 401 or 403.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Denied {
    /// 401 or 403.
    pub status: u16,
    /// The exact cause.
    pub cause: String,
}
