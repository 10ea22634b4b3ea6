//! What every call has around it: a task, a span for the log, and a net for panics.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;
use tonic::Status;
use tracing::Instrument;

use crate::plugin::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::plugin::duration;
use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{Context, Notes, Operation, Provider, Reading, Resource};
use crate::plugin::server::{Configuration, Shared, bug};
use crate::plugin::value::Object;
use crate::sync::lock;

/// A response that can carry diagnostics.
pub(super) trait ResponseMessage: Default {
    fn diagnostics(&mut self) -> &mut Vec<proto::Diagnostic>;
}

macro_rules! answers {
    ($($response:ident),* $(,)?) => {
        $(impl ResponseMessage for proto::$response::Response {
            fn diagnostics(&mut self) -> &mut Vec<proto::Diagnostic> {
                &mut self.diagnostics
            }
        })*
    };
}

answers!(
    apply_resource_change,
    close_ephemeral_resource,
    configure_provider,
    generate_resource_config,
    get_provider_schema,
    get_resource_identity_schemas,
    import_resource_state,
    move_resource_state,
    open_ephemeral_resource,
    plan_action,
    plan_resource_change,
    read_data_source,
    read_resource,
    renew_ephemeral_resource,
    upgrade_resource_identity,
    upgrade_resource_state,
    validate_action_config,
    validate_data_resource_config,
    validate_ephemeral_resource_config,
    validate_list_resource_config,
    validate_provider_config,
    validate_resource_config,
);

/// How a call ended: a response with warnings, or errors (and a response all the same where state must not be lost).
pub(super) type Ended<R> = Result<(R, Diagnostics), (R, Diagnostics)>;

/// A failure that leaves nothing behind.
pub(super) fn failed<R: Default>(problem: impl Into<Diagnostics>) -> (R, Diagnostics) {
    (R::default(), problem.into())
}

impl<P: Provider> Shared<P> {
    /// Runs a call in a separate task. If it panics, `after_panic` returns a response that loses no state. Warnings of the
    /// call are shown in any case.
    pub(super) async fn run<R, F>(
        self: &Arc<Self>,
        rpc: &'static str,
        subject: &str,
        call: impl FnOnce(Arc<Notes>) -> F + Send,
        after_panic: impl FnOnce(&Notes) -> R + Send,
    ) -> Result<tonic::Response<R>, Status>
    where
        R: ResponseMessage + Send + 'static,
        F: Future<Output = Ended<R>> + Send + 'static,
    {
        let span = tracing::info_span!(
            "call",
            tf_rpc = rpc,
            tf_req_id = self.next_request_id(),
            tf_resource_type = subject
        );
        let started = Instant::now();
        let notes = Arc::new(Notes::default());
        let call = call(Arc::clone(&notes));
        let ended = tokio::spawn(call.instrument(span.clone())).await;
        let (mut response, mut diagnostics) = match ended {
            Ok(Ok((response, diagnostics)) | Err((response, diagnostics))) => (response, diagnostics),
            Err(panic) => (after_panic(&notes), panicked(rpc, subject, panic).into()),
        };
        diagnostics.append(notes.take_warnings());
        let errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .count();
        let milliseconds = started.elapsed().as_millis() as u64;
        span.in_scope(|| {
            for diagnostic in diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.severity == Severity::Error)
            {
                tracing::error!(diagnostic_summary = %diagnostic.summary, "the call reports an error");
            }
            tracing::trace!(
                tf_req_duration_ms = milliseconds,
                diagnostic_error_count = errors,
                "the call is answered"
            );
        });
        diagnostics.shorten(&mut lock(&self.told));
        response.diagnostics().extend(diagnostics.to_proto(self.mask));
        Ok(tonic::Response::new(response))
    }

    /// The context of one call.
    pub(super) fn context(
        &self,
        limit: std::time::Duration,
        notes: &Arc<Notes>,
    ) -> Result<Context<P::Data>, Diagnostic> {
        Ok(Context {
            data: self.data()?,
            deadline: Instant::now() + limit,
            cancel: lock(&self.cancel).child_token(),
            reading: Reading::Refresh,
            notes: Arc::clone(notes),
        })
    }

    /// The context of a call that must be possible before the provider is configured.
    pub(super) fn context_if_configured(
        &self,
        limit: std::time::Duration,
        notes: &Arc<Notes>,
    ) -> Result<Option<Context<P::Data>>, Diagnostic> {
        match self.configuration() {
            Configuration::Ready(_) => self.context(limit, notes).map(Some),
            Configuration::Absent => Ok(None),
        }
    }
}

/// How long an operation on this object may take.
pub(super) fn time_limit<D: Send + Sync + 'static>(
    resource: &dyn Resource<D>,
    operation: Operation,
    state: &Object,
) -> std::time::Duration {
    state
        .object("timeouts")
        .and_then(|timeouts| timeouts.text(operation.name()))
        .and_then(duration::parse)
        .unwrap_or_else(|| resource.default_timeout(operation))
}

/// The message of a panic.
pub(super) fn panic_text(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "no message",
    }
}

/// The diagnostic of a caught panic. The hook has logged the panic's own text, masked.
pub(super) fn panicked(rpc: &str, subject: &str, panic: tokio::task::JoinError) -> Diagnostic {
    let text = match panic.try_into_panic() {
        Ok(payload) => panic_text(payload.as_ref()).to_owned(),
        Err(_) => "the call was aborted".to_owned(),
    };
    let of = if subject.is_empty() {
        String::new()
    } else {
        format!(" of {subject}")
    };
    bug(format!("{rpc}{of} panicked: {text}"))
}
