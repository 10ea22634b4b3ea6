//! Every way to sign in, how each fails, and whom the provider trusts.

mod microsoft;
mod servicenow;
mod tls;
