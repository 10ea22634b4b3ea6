//! A Terraform provider for the trust between ServiceNow and Microsoft 365.
//!
//! From the door inwards: [`plugin`] speaks Terraform's protocol and knows nothing of what is managed; [`provider`] reads
//! the provider block and builds the [`clients`]; [`resources`] has one room per resource, and [`actions`],
//! [`data_sources`], [`ephemeral`] and [`functions`] likewise; [`servicenow`] and [`microsoft`] are the clients of the two
//! sides, on top of one [`http`] stack. Arrows point down only.

pub mod actions;
pub mod clients;
mod connection_diagnostics;
pub mod data_sources;
pub mod ephemeral;
pub mod functions;
#[cfg(test)]
mod fuzz;
pub mod http;
mod inbound_check;
pub mod microsoft;
pub mod plugin;
pub mod provider;
pub mod resources;
pub mod servicenow;
