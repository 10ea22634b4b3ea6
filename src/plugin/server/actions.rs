//! Actions.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Status;
use tracing::Instrument;

use crate::plugin::diagnostics::{Diagnostic, Diagnostics};
use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{Notes, Progress, Provider};
use crate::plugin::schema::validate::WriteOnly;
use crate::plugin::server::Shared;
use crate::plugin::server::call::{Ended, failed, panicked};
use crate::plugin::server::provider_block::{deferral, quiet};

/// The stream of an action's progress, ended by its result.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<proto::invoke_action::Event, Status>> + Send>>;

impl<P: Provider> Shared<P> {
    pub(super) async fn validate_action(
        self: Arc<Self>,
        request: proto::validate_action_config::Request,
    ) -> Ended<proto::validate_action_config::Response> {
        let entry = self.action(&request.type_name).map_err(failed)?;
        let config = self
            .decode_config(request.config.as_ref(), entry.schema())
            .map_err(failed)?;
        Ok((Default::default(), entry.validate(&config, WriteOnly::Allowed)))
    }

    /// An action changes nothing in a plan, so its plan is its validation.
    pub(super) async fn plan_action(
        self: Arc<Self>,
        request: proto::plan_action::Request,
    ) -> Ended<proto::plan_action::Response> {
        self.action(&request.action_type).map_err(failed)?;
        let deferred = deferral(
            &self.unknown(&request.action_type),
            request.client_capabilities.as_ref(),
        );
        Ok((
            proto::plan_action::Response {
                deferred,
                diagnostics: Vec::new(),
            },
            quiet(),
        ))
    }

    pub(super) fn invoke(self: Arc<Self>, request: proto::invoke_action::Request) -> Events {
        use proto::invoke_action::Event;
        use proto::invoke_action::event::{Completed, Progress as ProgressEvent, Type};
        let (events, stream) = mpsc::unbounded_channel();
        let span = tracing::info_span!(
            "call",
            tf_rpc = "InvokeAction",
            tf_req_id = self.next_request_id(),
            tf_resource_type = request.action_type
        );
        let run = async move {
            let mask = self.mask;
            let (sender, mut said) = mpsc::unbounded_channel();
            let (type_name, notes) = (request.action_type.clone(), Arc::new(Notes::default()));
            let call = self.invoke_saying(request, Progress { sender }, Arc::clone(&notes));
            let task = tokio::spawn(call.in_current_span());
            while let Some(message) = said.recv().await {
                let message = mask(&message).into_owned();
                // The client may have disconnected; the action continues to its end.
                let _ = events.send(Ok(Event {
                    r#type: Some(Type::Progress(ProgressEvent { message })),
                }));
            }
            let ended = task.await;
            let mut diagnostics = ended.unwrap_or_else(|panic| panicked("InvokeAction", &type_name, panic).into());
            diagnostics.append(notes.take_warnings());
            let completed = Completed {
                diagnostics: diagnostics.to_proto(mask),
            };
            let _ = events.send(Ok(Event {
                r#type: Some(Type::Completed(completed)),
            }));
        };
        tokio::spawn(run.instrument(span));
        UnboundedReceiverStream::new(stream).boxed()
    }

    async fn invoke_saying(
        self: Arc<Self>,
        request: proto::invoke_action::Request,
        progress: Progress,
        notes: Arc<Notes>,
    ) -> Diagnostics {
        let entry = match self.action(&request.action_type) {
            Ok(entry) => entry,
            Err(problem) => return problem.into(),
        };
        let config = match self.decode_config(request.config.as_ref(), entry.schema()) {
            Ok(config) => config,
            Err(problem) => return problem.into(),
        };
        if let Some((name, _)) = config.iter().find(|(_, value)| !value.is_wholly_known()) {
            let text = format!(
                "`{name}` is not known when the action runs. Trigger the action after the resource \
                                that provides the value."
            );
            return Diagnostic::error("An argument is not known", text)
                .at_attribute(name)
                .into();
        }
        // The plan may have validated the action while its arguments were unknown.
        let problems = entry.validate(&config, WriteOnly::Allowed);
        if problems.has_errors() {
            return problems;
        }
        match self.context(ACTION_LIMIT, &notes) {
            Ok(cx) => entry.part.invoke(&cx, &config, &progress).await,
            Err(problem) => problem.into(),
        }
    }
}

/// Time for an action, which has no `timeouts`.
const ACTION_LIMIT: std::time::Duration = std::time::Duration::from_mins(10);
