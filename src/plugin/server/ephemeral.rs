//! Ephemeral resources.

use std::sync::Arc;

use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{Notes, Provider};
use crate::plugin::schema::validate::WriteOnly;
use crate::plugin::server::call::{Ended, failed};
use crate::plugin::server::provider_block::{deferral, quiet};
use crate::plugin::server::resources::DEFAULT_LIMIT;
use crate::plugin::server::{Shared, encode_object};

impl<P: Provider> Shared<P> {
    pub(super) async fn validate_ephemeral(
        self: Arc<Self>,
        request: proto::validate_ephemeral_resource_config::Request,
    ) -> Ended<proto::validate_ephemeral_resource_config::Response> {
        let entry = self.ephemeral(&request.type_name).map_err(failed)?;
        let config = self
            .decode_config(request.config.as_ref(), entry.schema())
            .map_err(failed)?;
        Ok((Default::default(), entry.validate(&config, WriteOnly::Allowed)))
    }

    pub(super) async fn open(
        self: Arc<Self>,
        request: proto::open_ephemeral_resource::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::open_ephemeral_resource::Response> {
        let entry = self.ephemeral(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let config = self.decode_config(request.config.as_ref(), schema).map_err(failed)?;
        if let Some(deferred) = deferral(&self.unknown(&request.type_name), request.client_capabilities.as_ref()) {
            let response = proto::open_ephemeral_resource::Response {
                deferred: Some(deferred),
                result: request.config,
                ..Default::default()
            };
            return Ok((response, quiet()));
        }
        let cx = self.context(DEFAULT_LIMIT, &notes).map_err(failed)?;
        let opened = entry.part.open(&cx, config).await.map_err(failed)?;
        let response = proto::open_ephemeral_resource::Response {
            renew_at: opened.renew_at.map(Into::into),
            result: Some(encode_object(Some(opened.result), schema)),
            private: Some(opened.private),
            ..Default::default()
        };
        Ok((response, opened.notes))
    }

    pub(super) async fn renew(
        self: Arc<Self>,
        request: proto::renew_ephemeral_resource::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::renew_ephemeral_resource::Response> {
        let entry = self.ephemeral(&request.type_name).map_err(failed)?;
        let cx = self.context(DEFAULT_LIMIT, &notes).map_err(failed)?;
        // The value may still be good, and closing it needs what opening it left: that it could not be renewed is no reason to
        // end the run.
        let (renew_at, warnings) = match entry.part.renew(&cx, request.private()).await {
            Ok(renew_at) => (renew_at, quiet()),
            Err(problems) => (None, problems.into_warnings()),
        };
        let response = proto::renew_ephemeral_resource::Response {
            renew_at: renew_at.map(Into::into),
            private: request.private,
            diagnostics: Vec::new(),
        };
        Ok((response, warnings))
    }

    pub(super) async fn close(
        self: Arc<Self>,
        request: proto::close_ephemeral_resource::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::close_ephemeral_resource::Response> {
        let entry = self.ephemeral(&request.type_name).map_err(failed)?;
        let cx = self.context(DEFAULT_LIMIT, &notes).map_err(failed)?;
        entry.part.close(&cx, request.private()).await.map_err(failed)?;
        Ok((Default::default(), quiet()))
    }
}
