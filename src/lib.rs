//! A Terraform provider for the trust between ServiceNow and Microsoft 365.
//!
//! From the door inwards: [`plugin`] speaks Terraform's protocol and knows nothing of what is managed; [`provider`] reads
//! the provider block and builds the [`clients`]; [`resources`] has one room per resource, [`data_sources`] one per data
//! source; [`servicenow`] and [`microsoft`] are the clients of the two sides, on top of one [`http`] stack. Arrows point
//! down only.

pub mod clients;
pub mod data_sources;
pub mod http;
pub mod microsoft;
pub mod plugin;
pub mod provider;
pub mod resources;
pub mod servicenow;
