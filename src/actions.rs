//! Actions: what is done at a moment and leaves no state. From Terraform 1.14.

mod access_report;
mod inbound_check;

use crate::clients::Clients;
use crate::plugin::provider::Action;

pub fn all() -> Vec<Box<dyn Action<Clients>>> {
    vec![
        Box::new(access_report::AccessReport),
        Box::new(inbound_check::InboundCheck),
    ]
}
