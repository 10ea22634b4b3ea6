//! A Terraform plugin framework. Knows nothing of ServiceNow or Microsoft.

pub mod log;
pub mod panic;
pub mod proto;
pub mod transport;
