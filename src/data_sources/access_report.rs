//! `servicenow_access_report`: what the provider's own account can read.

use async_trait::async_trait;

use crate::access_report::{self, Caller};
use crate::clients::Clients;
use crate::plugin::{BlockType, Context, DataSource, Diagnostics, Need, Object, Schema};

pub(super) struct AccessReport;

impl BlockType for AccessReport {
    fn type_name(&self) -> &'static str {
        "servicenow_access_report"
    }

    fn schema(&self) -> Schema {
        let mut attributes = access_report::tables();
        attributes.extend(access_report::results());
        Schema::new(
            "What the account of the provider block can read of some tables: rows, columns, and the access rules that decide, in \
             one request for each table. A data source keeps what it is given in the state, so it takes no credentials: for the \
             integration user, either sign in as that user in a second provider block (`alias`), or use the [ephemeral \
             resource](../ephemeral-resources/access_report.md) or the [action](../actions/access_report.md) of the same name, \
             which also compare with what the provider's own account sees. What cannot be read is a result and not an error.",
            attributes,
        )
    }

    fn needs(&self) -> Vec<Need> {
        access_report::needs()
    }
}

#[async_trait]
impl DataSource<Clients> for AccessReport {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let report = access_report::report(cx, &Caller::provider(cx)?, &config).await?;
        Ok((report.into_object(config), Diagnostics::new()))
    }
}
