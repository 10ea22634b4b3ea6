//! Every sign-in method, how each fails, and whom the provider trusts.

mod microsoft;
mod servicenow;
mod tls;
