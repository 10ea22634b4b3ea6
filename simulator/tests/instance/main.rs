//! The simulated instance, seen from outside: over its HTTP routes, without a socket.

#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as its cases do")]

mod client;
mod connections;
mod faults;
mod json_web_service;
mod oauth;
mod oidc;
mod query;
mod quirks;
mod read_rules;
mod records;
mod roles;
mod table_api;
