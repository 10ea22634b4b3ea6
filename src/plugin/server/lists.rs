//! Lists of existing objects, for `terraform query`.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument;

use crate::plugin::diagnostics::{Diagnostic, Diagnostics};
use crate::plugin::plan;
use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{ListRequest, ListSink, Listed, Notes, Provider};
use crate::plugin::schema::validate::{self, WriteOnly};
use crate::plugin::server::call::{Ended, failed, panicked};
use crate::plugin::server::resources::DEFAULT_LIMIT;
use crate::plugin::server::{Shared, bug, decode, encode_object};
use crate::plugin::ty::Type;

/// The stream of a list's answers.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<proto::list_resource::Event, Status>> + Send>>;

impl<P: Provider> Shared<P> {
    pub(super) async fn validate_list(
        self: Arc<Self>,
        request: proto::validate_list_resource_config::Request,
    ) -> Ended<proto::validate_list_resource_config::Response> {
        let entry = self.resource(&request.type_name).map_err(failed)?;
        let Some(schema) = entry.list_schema() else {
            return Err(failed(bug(format!("{} cannot be listed", entry.name()))));
        };
        let config = self.decode_config(request.config.as_ref(), schema).map_err(failed)?;
        let mut diagnostics = validate::configuration(schema, &config, WriteOnly::Allowed);
        let limit = decode(request.limit.as_ref(), &Type::Number).map_err(failed)?;
        if limit.as_integer().is_some_and(|limit| limit < 1) {
            diagnostics.push(bad_limit());
        }
        Ok((Default::default(), diagnostics))
    }

    /// Lists in a separate task that streams each object; it stops when the client disconnects.
    pub(super) fn list(self: Arc<Self>, request: proto::list_resource::Request) -> Events {
        let (events, stream) = mpsc::channel(1);
        let span = tracing::info_span!(
            "call",
            tf_rpc = "ListResource",
            tf_req_id = self.next_request_id(),
            tf_resource_type = request.type_name
        );
        let run = async move {
            let mask = self.mask;
            let (type_name, notes) = (request.type_name.clone(), Arc::new(Notes::default()));
            let call = self.list_into(request, events.clone(), Arc::clone(&notes));
            let mut problems = match tokio::spawn(call.in_current_span()).await {
                Ok(Ok(())) => Diagnostics::new(),
                Ok(Err(problems)) => problems,
                Err(panic) => panicked("ListResource", &type_name, panic).into(),
            };
            problems.append(notes.take_warnings());
            if problems.is_empty() {
                return;
            }
            let event = proto::list_resource::Event {
                diagnostic: problems.to_proto(mask),
                ..Default::default()
            };
            // The client may have disconnected; then nobody receives it.
            let _ = events.send(Ok(event)).await;
        };
        tokio::spawn(run.instrument(span));
        ReceiverStream::new(stream).boxed()
    }

    async fn list_into(
        self: Arc<Self>,
        request: proto::list_resource::Request,
        events: mpsc::Sender<Result<proto::list_resource::Event, Status>>,
        notes: Arc<Notes>,
    ) -> Result<(), Diagnostics> {
        let entry = self.resource(&request.type_name)?;
        let (Some(schema), Some(_)) = (entry.list_schema(), entry.identity()) else {
            return Err(bug(format!("{} cannot be listed", entry.name())).into());
        };
        let config = self.decode_config(request.config.as_ref(), schema)?;
        if !config.values().all(crate::plugin::Value::is_wholly_known) {
            return Err(Diagnostic::error(
                "The list's arguments are not known yet",
                "A list requires values that are known when it runs. Write them in the file, or use variables.",
            )
            .into());
        }
        let limit = usize::try_from(request.limit)
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(bad_limit)?;
        let cx = self.context(DEFAULT_LIMIT, &notes)?;
        let (sender, mut found) = mpsc::channel::<Listed>(1);
        let mut sink = ListSink { sender, left: limit };
        let list_request = ListRequest {
            config,
            include_resource: request.include_resource_object,
            limit,
        };
        let listing = async {
            let result = entry.part.list(&cx, &list_request, &mut sink).await;
            drop(sink);
            result
        };
        let forwarding = async {
            while let Some(listed) = found.recv().await {
                let event = self.list_event(entry.name(), listed, request.include_resource_object);
                if events.send(Ok(event)).await.is_err() {
                    cx.cancel.cancel();
                    break;
                }
            }
            drop(found);
        };
        let (result, ()) = tokio::join!(listing, forwarding);
        if events.is_closed() { Ok(()) } else { result }
    }

    fn list_event(&self, type_name: &str, listed: Listed, include: bool) -> proto::list_resource::Event {
        let Ok(entry) = self.resource(type_name) else {
            return proto::list_resource::Event::default();
        };
        let Some(identity) = entry.identity_of(&listed.state) else {
            let problem: Diagnostics = bug(format!("a listed {type_name} has no identity")).into();
            return proto::list_resource::Event {
                diagnostic: problem.to_proto(self.mask),
                ..Default::default()
            };
        };
        let resource_object = include.then(|| {
            let mut state = listed.state;
            plan::null_write_only(entry.schema(), &mut state);
            encode_object(Some(state), entry.schema())
        });
        proto::list_resource::Event {
            identity: Some(identity),
            display_name: listed.display_name,
            resource_object,
            diagnostic: listed.warnings.to_proto(self.mask),
        }
    }
}

fn bad_limit() -> Diagnostic {
    Diagnostic::error(
        "Invalid limit",
        "The limit of a list must be a whole number of at least 1. Omit it for 100.",
    )
}
