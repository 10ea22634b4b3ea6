//! `m365_support_connector_addresses`: where Microsoft's support connector calls from.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::microsoft::connector;
use crate::plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Schema, Type};
use crate::records::lookup;

pub(super) struct ConnectorAddresses;

impl BlockType for ConnectorAddresses {
    fn type_name(&self) -> &'static str {
        "m365_support_connector_addresses"
    }

    fn schema(&self) -> Schema {
        let list = |name, description: &str| {
            Attribute::of(name, Type::list(Type::String))
                .computed()
                .describe(description)
        };
        Schema::new(
            "The addresses of Microsoft's support connector, for firewalls and address rules. Needs neither an \
             account nor internet access: if the connector's name does not resolve, `resolved` is empty and `note` \
             has the reason.",
            vec![
                lookup::text(
                    "host",
                    "The connector's host name; what it resolves to is authoritative.",
                ),
                list(
                    "documented",
                    "The six IPv4 addresses that every version of Microsoft's page lists.",
                ),
                list(
                    "resolved",
                    "The addresses that the host name resolves to now, on the machine that runs Terraform.",
                ),
                list("addresses", "Both without duplicates, the documented ones first."),
                lookup::text("note", "Why `resolved` is empty; null when it is not."),
            ],
        )
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::new("no role; only DNS is queried", "the addresses")]
    }
}

#[async_trait]
impl DataSource<Clients> for ConnectorAddresses {
    async fn read(&self, cx: &Context<Clients>, mut config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let documented: Vec<String> = connector::DOCUMENTED
            .iter()
            .map(|&address| address.to_owned())
            .collect();
        let found = connector::resolve(&cx.limits()).await;
        let resolved: Vec<String> = found.addresses.iter().map(ToString::to_string).collect();
        let mut addresses = documented.clone();
        addresses.extend(resolved.iter().filter(|address| !documented.contains(address)).cloned());
        config.set("host", connector::HOST);
        config.set("documented", documented);
        config.set("resolved", resolved);
        config.set("addresses", addresses);
        config.set("note", found.note);
        Ok((config, Diagnostics::new()))
    }
}
