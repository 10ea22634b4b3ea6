//! Data sources.

use std::sync::Arc;

use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{Notes, Provider};
use crate::plugin::schema::validate::WriteOnly;
use crate::plugin::server::call::{Ended, failed};
use crate::plugin::server::provider_block::{deferral, quiet};
use crate::plugin::server::resources::DEFAULT_LIMIT;
use crate::plugin::server::{Shared, bug, encode_object};

impl<P: Provider> Shared<P> {
    pub(super) async fn validate_data_source(
        self: Arc<Self>,
        request: proto::validate_data_resource_config::Request,
    ) -> Ended<proto::validate_data_resource_config::Response> {
        let entry = self.data_source(&request.type_name).map_err(failed)?;
        let config = self
            .decode_config(request.config.as_ref(), entry.schema())
            .map_err(failed)?;
        Ok((Default::default(), entry.validate(&config, WriteOnly::Allowed)))
    }

    pub(super) async fn read_data_source(
        self: Arc<Self>,
        request: proto::read_data_source::Request,
        notes: Arc<Notes>,
    ) -> Ended<proto::read_data_source::Response> {
        let entry = self.data_source(&request.type_name).map_err(failed)?;
        let schema = entry.schema();
        let config = self.decode_config(request.config.as_ref(), schema).map_err(failed)?;
        if let Some(deferred) = deferral(&self.unknown(&request.type_name), request.client_capabilities.as_ref()) {
            let response = proto::read_data_source::Response {
                deferred: Some(deferred),
                state: request.config,
                ..Default::default()
            };
            return Ok((response, quiet()));
        }
        let cx = self.context(DEFAULT_LIMIT, &notes).map_err(failed)?;
        let (state, notes) = entry.part.read(&cx, config).await.map_err(failed)?;
        if !state.values().all(crate::plugin::Value::is_wholly_known) {
            return Err(failed(bug(format!("{} left a value unknown", entry.name()))));
        }
        let response = proto::read_data_source::Response {
            state: Some(encode_object(Some(state), schema)),
            ..Default::default()
        };
        Ok((response, notes))
    }
}
