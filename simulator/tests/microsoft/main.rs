//! Microsoft's side of the simulator over HTTP, and the connection test.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod admin;
mod entra;
mod graph;
mod guide;
mod page;
mod program;
mod sign_in;
mod variants;
mod web;
