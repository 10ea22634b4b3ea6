//! `servicenow_inbound_check`: the check of the action of the same name, for Terraform 1.10 to 1.13.

use async_trait::async_trait;

use crate::clients::Clients;
use crate::inbound_check::{self, Check};
use crate::plugin::provider::{EphemeralResource, Opened};
use crate::plugin::{
    Attribute, BlockType, Context, Diagnostic, Diagnostics, Need, Object, Schema, Severity, Type, Value,
};

pub(super) struct InboundCheck;

impl BlockType for InboundCheck {
    fn type_name(&self) -> &'static str {
        "servicenow_inbound_check"
    }

    fn schema(&self) -> Schema {
        let mut attributes = inbound_check::arguments(inbound_check::secret());
        attributes.extend([
            Attribute::flag("must_succeed").describe(
                "Whether a rejected call is an error. With `false` it is a warning, and `ok` and `cause` have the \
                 result: for your own postcondition, or while the set-up is not applied yet. Default `true`.",
            ),
            Attribute::flag("ok")
                .computed()
                .describe("Whether Microsoft can call the instance."),
            Attribute::of("steps", Type::list(Type::String))
                .computed()
                .describe("The steps that succeeded, in order."),
            Attribute::text("cause")
                .computed()
                .describe("Why the check failed; null if it succeeded."),
        ]);
        Schema::new(
            "Calls the instance in the same way as Microsoft, in every plan and apply in which its arguments are \
             known: signs in to Entra as the REST user application, asks for a token for the inbound application and \
             reads a table with it. If the call is rejected, it reports the cause. From Terraform 1.14 on the action \
             of the same name does this once, after creation or on request.",
            attributes,
        )
    }

    fn needs(&self) -> Vec<Need> {
        inbound_check::needs()
    }
}

#[async_trait]
impl EphemeralResource<Clients> for InboundCheck {
    async fn open(&self, cx: &Context<Clients>, config: Object) -> Result<Opened, Diagnostics> {
        let check = Check::from(&config)?;
        let say = |step: &str| tracing::info!(step, "inbound check");
        let mut notes = Diagnostics::new();
        let (steps, cause) = match inbound_check::run(cx, &check, &say).await {
            Ok(steps) => (steps, None),
            Err(failure) if config.flag("must_succeed") == Some(false) => {
                // What is ephemeral cannot stand in an error message of the user's own.
                notes.push(Diagnostic {
                    severity: Severity::Warning,
                    ..failure.problem.clone()
                });
                (failure.steps, Some(failure.problem.detail))
            }
            Err(failure) => return Err(failure.into_diagnostic().into()),
        };
        let result = config
            .with("ok", cause.is_none())
            .with("steps", steps)
            .with("cause", Value::from(cause));
        Ok(Opened {
            result,
            renew_at: None,
            private: Vec::new(),
            notes,
        })
    }
}
