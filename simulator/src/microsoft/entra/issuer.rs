//! Who tokens say they come from.

/// Issuer of v1.0 tokens: always the GUID, and a slash at the end.
pub(super) fn v1_issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// Issuer of v2.0 tokens.
pub(super) fn v2_issuer(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}
