//! Microsoft's side of the simulator over HTTP, and the connection test.

mod admin;
mod entra;
mod web;
