//! `servicenow_access_report`: what the integration user can read, with credentials that are kept nowhere.

use async_trait::async_trait;

use crate::access_report::{self, Caller};
use crate::clients::Clients;
use crate::plugin::provider::{EphemeralResource, Opened};
use crate::plugin::{Attribute, BlockType, Context, Diagnostics, Need, Object, Schema};

pub(super) struct AccessReport;

impl BlockType for AccessReport {
    fn type_name(&self) -> &'static str {
        "servicenow_access_report"
    }

    fn schema(&self) -> Schema {
        let mut attributes = access_report::tables();
        attributes.extend(access_report::arguments(|secret| secret));
        attributes.push(Attribute::flag("must_succeed").describe(
            "Whether it is an error when the user may not read something. With `false` it is a warning, and `ok` and `findings` have \
             the result. Default `true`.",
        ));
        attributes.extend(access_report::results());
        Schema::new(
            "What the integration user can read of some tables: rows, columns, and the access rules that decide. Read in every \
             plan and apply in which the arguments are known, with the user's own sign-in, in one request for each table, and compared \
             with what the provider's own account sees. The credentials are in no plan and no state. From Terraform 1.14 on the \
             action of the same name does this on request.",
            attributes,
        )
    }

    fn needs(&self) -> Vec<Need> {
        access_report::needs()
    }

    fn validate(&self, config: &Object) -> Diagnostics {
        access_report::check_arguments(config)
    }
}

#[async_trait]
impl EphemeralResource<Clients> for AccessReport {
    async fn open(&self, cx: &Context<Clients>, config: Object) -> Result<Opened, Diagnostics> {
        let caller = Caller::from(cx, &config).await?;
        let report = access_report::report(cx, &caller, &config).await?;
        let notes = match report.problem() {
            Some(problem) if config.flag("must_succeed") == Some(false) => Diagnostics::from(problem).into_warnings(),
            Some(problem) => return Err(problem.into()),
            None => Diagnostics::new(),
        };
        Ok(Opened {
            result: report.into_object(config),
            renew_at: None,
            private: Vec::new(),
            notes,
        })
    }
}
