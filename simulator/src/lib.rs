//! A ServiceNow instance and the Microsoft side of its trust, in memory, on loopback.
//!
//! Start here: [`Simulator::start`] opens five TLS listeners: the instance, Entra's login host, Graph, the admin center
//! and the cloud's metadata. [`instance`] holds ServiceNow; [`microsoft`] holds the rest: one tenant
//! ([`microsoft::directory`]) that Graph writes and Entra issues tokens from. [`connection_test`] is the test that the guide
//! ends with. The simulator shares no code with the provider, so that one mistake cannot be made on both sides.

pub mod connection_test;
pub mod faults;
mod history;
pub mod instance;
pub mod internet;
pub mod listener;
pub mod microsoft;
mod page;
mod simulator;
mod state_file;
mod sync;
pub mod tls;
mod x509;

pub use simulator::{Logs, Options, Panicked, Scheme, Simulator, Urls};
