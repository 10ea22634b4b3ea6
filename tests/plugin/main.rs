//! The plugin below Terraform: its process as a host sees it, and each answer as it came over the wire.
//!
//! No terraform is needed. [`support::host`] starts processes, [`support::core`] plays Terraform's core, and
//! [`support::misbehaving_provider`] is a provider whose objects misbehave on demand.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml frees test functions, not what they share"
)]

mod support {
    pub(crate) mod core;
    #[cfg(unix)]
    pub(crate) mod host;
    pub(crate) mod misbehaving_provider;
    pub(crate) mod msgpack;
}

mod plans;
#[cfg(unix)]
mod process;
mod protocol;
mod real_provider;
#[cfg(unix)]
mod transport;
