//! `servicenow_inbound_check`: whether Microsoft can call the instance, and why not.

use async_trait::async_trait;

use crate::clients::Clients;
use crate::inbound_check::{self, Check};
use crate::plugin::provider::{Action, Progress};
use crate::plugin::{BlockType, Context, Diagnostics, Need, Object, Schema};

pub(super) struct InboundCheck;

impl BlockType for InboundCheck {
    fn type_name(&self) -> &'static str {
        "servicenow_inbound_check"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "Calls the instance in the same way as Microsoft: signs in to Entra as the REST user application, asks \
             for a token for the inbound application and reads a table with it. If the call is rejected, it reports \
             the cause. Run it after creation by an `action_trigger`, or at any time with `terraform apply \
             -invoke=action.servicenow_inbound_check.<name>`. Needs Terraform 1.14 or later; with older versions use \
             the ephemeral resource of the same name. Terraform 1.16 can run it before a destroy as well \
             (`before_destroy`), but then accepts no ephemeral values.",
            inbound_check::arguments(inbound_check::secret().write_only()),
        )
    }

    fn needs(&self) -> Vec<Need> {
        inbound_check::needs()
    }
}

#[async_trait]
impl Action<Clients> for InboundCheck {
    async fn invoke(&self, cx: &Context<Clients>, config: &Object, progress: &Progress) -> Diagnostics {
        let check = match Check::from(config) {
            Ok(check) => check,
            Err(problem) => return problem.into(),
        };
        match inbound_check::run(cx, &check, &|step| progress.say(step)).await {
            Ok(_) => {
                progress.say("Microsoft can call the instance.");
                Diagnostics::new()
            }
            Err(failure) => failure.into_diagnostic().into(),
        }
    }
}
