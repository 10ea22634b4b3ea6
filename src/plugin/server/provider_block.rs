//! The provider block.

use std::sync::Arc;

use crate::plugin::diagnostics::Diagnostics;
use crate::plugin::proto::tfplugin6 as proto;
use crate::plugin::provider::{Configured, Provider};
use crate::plugin::schema::validate::{self, WriteOnly};
use crate::plugin::server::call::{Ended, failed};
use crate::plugin::server::{Configuration, Shared};
use crate::sync::lock;

impl<P: Provider> Shared<P> {
    pub(super) async fn validate_provider(
        self: Arc<Self>,
        request: proto::validate_provider_config::Request,
    ) -> Ended<proto::validate_provider_config::Response> {
        let schema = self.provider_schema();
        let config = self.decode_config(request.config.as_ref(), schema).map_err(failed)?;
        let mut diagnostics = validate::configuration(schema, &config, WriteOnly::Allowed);
        diagnostics.append(self.provider.validate(&config));
        Ok((proto::validate_provider_config::Response::default(), diagnostics))
    }

    pub(super) async fn configure(
        self: Arc<Self>,
        request: proto::configure_provider::Request,
    ) -> Ended<proto::configure_provider::Response> {
        let config = self
            .decode_config(request.config.as_ref(), self.provider_schema())
            .map_err(failed)?;
        let (configuration, diagnostics) = match self.provider.configure(&config, &request.terraform_version) {
            Configured::Ready(data, notes) => (Configuration::Ready(Arc::new(data)), notes),
            Configured::Failed(problems) => (Configuration::Absent, problems),
        };
        *lock(&self.configuration) = configuration;
        lock(&self.told).clear();
        Ok((proto::configure_provider::Response::default(), diagnostics))
    }

    /// Cancels what is in flight; calls that come later are not cancelled.
    pub(super) fn stop(&self) -> proto::stop_provider::Response {
        let in_flight = std::mem::take(&mut *lock(&self.cancel));
        in_flight.cancel();
        tracing::info!("stopping the calls in flight");
        proto::stop_provider::Response { error: String::new() }
    }
}

/// The capabilities that Terraform declared.
pub(super) fn write_only(capabilities: Option<&proto::ClientCapabilities>) -> WriteOnly {
    match capabilities {
        Some(capabilities) if capabilities.write_only_attributes_allowed => WriteOnly::Allowed,
        Some(_) | None => WriteOnly::Unsupported,
    }
}

/// The answer to a client that allows deferral while arguments of the provider block are unknown.
pub(super) fn deferral(
    unknown: &[String],
    capabilities: Option<&proto::ClientCapabilities>,
) -> Option<proto::Deferred> {
    let allowed = capabilities.is_some_and(|capabilities| capabilities.deferral_allowed);
    (allowed && !unknown.is_empty()).then(|| proto::Deferred {
        reason: proto::deferred::Reason::ProviderConfigUnknown.into(),
    })
}

pub(super) fn quiet() -> Diagnostics {
    Diagnostics::new()
}
