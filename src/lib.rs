//! A Terraform provider for the trust between ServiceNow and Microsoft 365.

pub mod http;
pub mod microsoft;
pub mod plugin;
