//! `servicenow_access_report`: fails with what the integration user may not read.

use async_trait::async_trait;

use crate::access_report::{self, Caller};
use crate::clients::Clients;
use crate::plugin::provider::{Action, Progress};
use crate::plugin::{Attribute, BlockType, Context, Diagnostics, Need, Object, Schema};

pub(super) struct AccessReport;

impl BlockType for AccessReport {
    fn type_name(&self) -> &'static str {
        "servicenow_access_report"
    }

    fn schema(&self) -> Schema {
        let mut attributes = access_report::tables();
        attributes.extend(access_report::arguments(Attribute::write_only));
        Schema::new(
            "Reads some tables as the integration user, and fails with what that user may not read: rows, columns, and the \
             roles that the access rules ask for. Run it after the rules were created, by an `action_trigger` or with `terraform \
             apply -invoke=action.servicenow_access_report.<name>`. Needs Terraform 1.14 or later; with older versions use the \
             ephemeral resource of the same name. Terraform 1.16 can run it before a destroy as well (`before_destroy`), but then \
             accepts no ephemeral values.",
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
impl Action<Clients> for AccessReport {
    async fn invoke(&self, cx: &Context<Clients>, config: &Object, progress: &Progress) -> Diagnostics {
        let report = match Caller::from(cx, config).await {
            Ok(caller) => access_report::report(cx, &caller, config).await,
            Err(problems) => return problems,
        };
        let report = match report {
            Ok(report) => report,
            Err(problems) => return problems,
        };
        for line in report.lines() {
            progress.say(line);
        }
        report.problem().map(Diagnostics::from).unwrap_or_default()
    }
}
