//! The Microsoft side: Entra sign-in, the support API of the Microsoft 365 admin center, connector addresses.
//!
//! - [`cloud`]: which hosts belong to which national cloud.
//! - [`entra`]: how the provider signs in, and what Entra's refusals mean.
//! - [`support`]: the support integration of a tenant. What Microsoft has not published is data, not code.
//! - [`connector`]: the addresses that Microsoft's connector calls from.

pub mod cloud;
pub mod connector;
pub mod entra;
pub mod support;

pub use cloud::{Cloud, Hosts};
pub use entra::{Entra, EntraError};
pub use support::{SupportApi, SupportError};
