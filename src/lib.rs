//! A Terraform provider for the trust between ServiceNow and Microsoft 365.
//!
//! From Terraform inwards: [`plugin`] implements Terraform's protocol and knows nothing of what is managed; [`provider`]
//! reads the provider block and builds the [`clients`]; [`resources`], [`data_sources`], [`ephemeral_resources`]
//! and [`actions`] have one file per type, [`functions`] is one file; [`records`] is what they have in common;
//! [`servicenow`] and [`microsoft`] are the clients of the two sides, on top of one [`http`] client. Imports point down.

mod access_report;
mod access_rules_text;
pub mod actions;
pub mod clients;
mod connection_diagnostics;
pub mod data_sources;
pub mod ephemeral_resources;
pub mod functions;
#[cfg(test)]
mod fuzz;
pub mod http;
mod inbound_check;
pub mod microsoft;
pub mod plugin;
pub mod provider;
mod readiness;
pub mod records;
pub mod resources;
pub mod servicenow;
mod suggest;
mod sync;
mod text_equality;
