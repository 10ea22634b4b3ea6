//! The simulated instance, seen from outside: over its HTTP routes, without a socket.

mod client;
mod faults;
mod oauth;
mod oidc;
mod query;
mod records;
mod roles;
mod table_api;
