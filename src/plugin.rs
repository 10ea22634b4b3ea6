//! A Terraform plugin framework. It knows the protocol and Terraform's rules, and nothing of what a provider manages.
//!
//! From the wire inwards: [`proto`] is the generated protocol, [`codec`] reads and writes values, [`schema`] says what a
//! configuration may hold, [`plan`] what a plan contains, [`terraform_rules`] what Terraform's core would reject. A provider implements the
//! traits of [`provider`]; [`server`] answers Terraform's calls with them.

pub mod codec;
pub mod crash_report;
pub mod diagnostics;
pub mod duration;
pub mod internal_validate;
pub mod log;
pub mod number;
pub mod path;
pub mod plan;
pub mod proto;
pub mod provider;
pub mod schema;
pub mod server;
pub mod terraform_rules;
pub mod transport;
pub mod ty;
pub mod value;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use path::Path;
pub use provider::{
    Action, BlockType, Configured, Context, DataSource, EphemeralResource, Function, FunctionError, Import,
    ListRequest, ListSink, Listed, Moved, Need, Opened, Operation, Outcome, Plan, Progress, Provider, Reading,
    Resource,
};
pub use schema::{Attribute, IdentitySchema, Rule, Schema, Validator};
pub use ty::Type;
pub use value::{Object, Value};

use std::borrow::Cow;

/// Takes every secret out of a text.
pub type Mask = fn(&str) -> Cow<'_, str>;
