//! Ephemeral resources: values that are in no plan and no state. From Terraform 1.10.

mod access_report;
mod access_token;
mod inbound_check;

use crate::clients::Clients;
use crate::plugin::provider::EphemeralResource;

pub fn all() -> Vec<Box<dyn EphemeralResource<Clients>>> {
    vec![
        Box::new(access_report::AccessReport),
        Box::new(access_token::AccessToken),
        Box::new(inbound_check::InboundCheck),
    ]
}
