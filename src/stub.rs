//! Stands where the provider will be: an empty schema, and no call implemented.

use servicenow_provider::plugin::proto::tfplugin6::{self as wire, provider_server::Provider};
use tonic::{Request, Response, Status, Streaming};

/// A provider without anything in it.
pub(crate) struct Stub;

type Nothing<T> = tokio_stream::Empty<Result<T, Status>>;

macro_rules! stub {
    ($($call:ident: $messages:ident,)*) => {
        #[tonic::async_trait]
        impl Provider for Stub {
            type ListResourceStream = Nothing<wire::list_resource::Event>;
            type ReadStateBytesStream = Nothing<wire::read_state_bytes::Response>;
            type InvokeActionStream = Nothing<wire::invoke_action::Event>;

            async fn get_provider_schema(
                &self,
                _: Request<wire::get_provider_schema::Request>,
            ) -> Result<Response<wire::get_provider_schema::Response>, Status> {
                let provider = wire::Schema { block: Some(wire::schema::Block::default()), ..Default::default() };
                Ok(Response::new(wire::get_provider_schema::Response { provider: Some(provider), ..Default::default() }))
            }

            async fn stop_provider(
                &self,
                _: Request<wire::stop_provider::Request>,
            ) -> Result<Response<wire::stop_provider::Response>, Status> {
                Ok(Response::new(wire::stop_provider::Response::default()))
            }

            async fn list_resource(
                &self,
                _: Request<wire::list_resource::Request>,
            ) -> Result<Response<Self::ListResourceStream>, Status> {
                Err(Status::unimplemented("list_resource"))
            }

            async fn read_state_bytes(
                &self,
                _: Request<wire::read_state_bytes::Request>,
            ) -> Result<Response<Self::ReadStateBytesStream>, Status> {
                Err(Status::unimplemented("read_state_bytes"))
            }

            async fn write_state_bytes(
                &self,
                _: Request<Streaming<wire::write_state_bytes::RequestChunk>>,
            ) -> Result<Response<wire::write_state_bytes::Response>, Status> {
                Err(Status::unimplemented("write_state_bytes"))
            }

            async fn invoke_action(
                &self,
                _: Request<wire::invoke_action::Request>,
            ) -> Result<Response<Self::InvokeActionStream>, Status> {
                Err(Status::unimplemented("invoke_action"))
            }

            $(async fn $call(
                &self,
                _: Request<wire::$messages::Request>,
            ) -> Result<Response<wire::$messages::Response>, Status> {
                Err(Status::unimplemented(stringify!($call)))
            })*
        }
    };
}

stub! {
    get_metadata: get_metadata,
    validate_provider_config: validate_provider_config,
    validate_resource_config: validate_resource_config,
    validate_data_resource_config: validate_data_resource_config,
    upgrade_resource_state: upgrade_resource_state,
    get_resource_identity_schemas: get_resource_identity_schemas,
    upgrade_resource_identity: upgrade_resource_identity,
    configure_provider: configure_provider,
    read_resource: read_resource,
    plan_resource_change: plan_resource_change,
    apply_resource_change: apply_resource_change,
    import_resource_state: import_resource_state,
    move_resource_state: move_resource_state,
    read_data_source: read_data_source,
    generate_resource_config: generate_resource_config,
    validate_ephemeral_resource_config: validate_ephemeral_resource_config,
    open_ephemeral_resource: open_ephemeral_resource,
    renew_ephemeral_resource: renew_ephemeral_resource,
    close_ephemeral_resource: close_ephemeral_resource,
    validate_list_resource_config: validate_list_resource_config,
    get_functions: get_functions,
    call_function: call_function,
    lock_state: lock_state,
    unlock_state: unlock_state,
    get_states: get_states,
    delete_state: delete_state,
    plan_action: plan_action,
    validate_action_config: validate_action_config,
    validate_state_store_config: validate_state_store,
    configure_state_store: configure_state_store,
}
