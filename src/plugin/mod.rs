//! A Terraform plugin framework. Knows nothing of ServiceNow or Microsoft.

pub mod proto;
