//! The service as the wire has it: each call is handed to the part that answers it.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};

use crate::plugin::proto::tfplugin6::{self as proto, provider_server};
use crate::plugin::provider::{Notes, Provider};
use crate::plugin::server::{Server, actions, lists};

type Answered<T> = Result<Response<T>, Status>;

/// A call whose response has nothing to lose in a panic. One that has a context takes its notes with it.
macro_rules! run {
    ($server:ident, $rpc:literal, $subject:expr, $method:ident($($argument:expr),*)) => {{
        let subject: &str = $subject;
        let shared = Arc::clone(&$server.shared);
        let call = |_| shared.$method($($argument),*);
        $server.shared.run($rpc, subject, call, |_| Default::default()).await
    }};
    ($server:ident, $rpc:literal, $subject:expr, $method:ident($argument:expr) with notes) => {{
        let subject: &str = $subject;
        let shared = Arc::clone(&$server.shared);
        let call = |notes| shared.$method($argument, notes);
        $server.shared.run($rpc, subject, call, |_| Default::default()).await
    }};
}

#[tonic::async_trait]
impl<P: Provider> provider_server::Provider for Server<P> {
    type ListResourceStream = lists::Events;
    type InvokeActionStream = actions::Events;
    type ReadStateBytesStream = tokio_stream::Empty<Result<proto::read_state_bytes::Response, Status>>;

    async fn get_metadata(&self, _: Request<proto::get_metadata::Request>) -> Answered<proto::get_metadata::Response> {
        Ok(Response::new(self.shared.metadata()))
    }

    async fn get_provider_schema(
        &self,
        _: Request<proto::get_provider_schema::Request>,
    ) -> Answered<proto::get_provider_schema::Response> {
        run!(self, "GetProviderSchema", "", schemas())
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<proto::get_resource_identity_schemas::Request>,
    ) -> Answered<proto::get_resource_identity_schemas::Response> {
        run!(self, "GetResourceIdentitySchemas", "", identity_schemas())
    }

    async fn validate_provider_config(
        &self,
        request: Request<proto::validate_provider_config::Request>,
    ) -> Answered<proto::validate_provider_config::Response> {
        run!(
            self,
            "ValidateProviderConfig",
            "",
            validate_provider(request.into_inner())
        )
    }

    async fn configure_provider(
        &self,
        request: Request<proto::configure_provider::Request>,
    ) -> Answered<proto::configure_provider::Response> {
        run!(self, "ConfigureProvider", "", configure(request.into_inner()))
    }

    async fn stop_provider(
        &self,
        _: Request<proto::stop_provider::Request>,
    ) -> Answered<proto::stop_provider::Response> {
        Ok(Response::new(self.shared.stop()))
    }

    async fn validate_resource_config(
        &self,
        request: Request<proto::validate_resource_config::Request>,
    ) -> Answered<proto::validate_resource_config::Response> {
        let request = request.into_inner();
        run!(
            self,
            "ValidateResourceConfig",
            &request.type_name.clone(),
            validate_resource(request)
        )
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<proto::upgrade_resource_state::Request>,
    ) -> Answered<proto::upgrade_resource_state::Response> {
        let request = request.into_inner();
        run!(
            self,
            "UpgradeResourceState",
            &request.type_name.clone(),
            upgrade(request)
        )
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<proto::upgrade_resource_identity::Request>,
    ) -> Answered<proto::upgrade_resource_identity::Response> {
        let request = request.into_inner();
        run!(
            self,
            "UpgradeResourceIdentity",
            &request.type_name.clone(),
            upgrade_identity(request)
        )
    }

    async fn read_resource(
        &self,
        request: Request<proto::read_resource::Request>,
    ) -> Answered<proto::read_resource::Response> {
        let request = request.into_inner();
        let kept = (
            request.current_state.clone(),
            request.private.clone(),
            request.current_identity.clone(),
        );
        let after_panic = move |_: &Notes| proto::read_resource::Response {
            new_state: kept.0,
            private: kept.1,
            new_identity: kept.2,
            ..Default::default()
        };
        let subject = request.type_name.clone();
        let shared = Arc::clone(&self.shared);
        let call = |notes| shared.read(request, notes);
        self.shared.run("ReadResource", &subject, call, after_panic).await
    }

    async fn plan_resource_change(
        &self,
        request: Request<proto::plan_resource_change::Request>,
    ) -> Answered<proto::plan_resource_change::Response> {
        let request = request.into_inner();
        run!(self, "PlanResourceChange", &request.type_name.clone(), plan(request) with notes)
    }

    async fn apply_resource_change(
        &self,
        request: Request<proto::apply_resource_change::Request>,
    ) -> Answered<proto::apply_resource_change::Response> {
        let request = request.into_inner();
        let (shared, asked) = (Arc::clone(&self.shared), request.clone());
        let subject = asked.type_name.clone();
        let call = |notes| Arc::clone(&shared).apply(request, notes);
        let after_panic = |notes: &Notes| shared.as_it_was(&asked, notes);
        self.shared
            .run("ApplyResourceChange", &subject, call, after_panic)
            .await
    }

    async fn import_resource_state(
        &self,
        request: Request<proto::import_resource_state::Request>,
    ) -> Answered<proto::import_resource_state::Response> {
        let request = request.into_inner();
        run!(self, "ImportResourceState", &request.type_name.clone(), import(request) with notes)
    }

    async fn move_resource_state(
        &self,
        request: Request<proto::move_resource_state::Request>,
    ) -> Answered<proto::move_resource_state::Response> {
        let request = request.into_inner();
        run!(
            self,
            "MoveResourceState",
            &request.target_type_name.clone(),
            move_state(request)
        )
    }

    async fn generate_resource_config(
        &self,
        request: Request<proto::generate_resource_config::Request>,
    ) -> Answered<proto::generate_resource_config::Response> {
        let request = request.into_inner();
        run!(
            self,
            "GenerateResourceConfig",
            &request.type_name.clone(),
            generate_config(request) with notes
        )
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<proto::validate_data_resource_config::Request>,
    ) -> Answered<proto::validate_data_resource_config::Response> {
        let request = request.into_inner();
        run!(
            self,
            "ValidateDataResourceConfig",
            &request.type_name.clone(),
            validate_data_source(request)
        )
    }

    async fn read_data_source(
        &self,
        request: Request<proto::read_data_source::Request>,
    ) -> Answered<proto::read_data_source::Response> {
        let request = request.into_inner();
        run!(
            self,
            "ReadDataSource",
            &request.type_name.clone(),
            read_data_source(request) with notes
        )
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<proto::validate_ephemeral_resource_config::Request>,
    ) -> Answered<proto::validate_ephemeral_resource_config::Response> {
        let request = request.into_inner();
        run!(
            self,
            "ValidateEphemeralResourceConfig",
            &request.type_name.clone(),
            validate_ephemeral(request)
        )
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<proto::open_ephemeral_resource::Request>,
    ) -> Answered<proto::open_ephemeral_resource::Response> {
        let request = request.into_inner();
        run!(self, "OpenEphemeralResource", &request.type_name.clone(), open(request) with notes)
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<proto::renew_ephemeral_resource::Request>,
    ) -> Answered<proto::renew_ephemeral_resource::Response> {
        let request = request.into_inner();
        let (subject, private) = (request.type_name.clone(), request.private.clone());
        let shared = Arc::clone(&self.shared);
        let call = |notes| shared.renew(request, notes);
        let after_panic = |_: &Notes| proto::renew_ephemeral_resource::Response {
            private,
            ..Default::default()
        };
        self.shared
            .run("RenewEphemeralResource", &subject, call, after_panic)
            .await
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<proto::close_ephemeral_resource::Request>,
    ) -> Answered<proto::close_ephemeral_resource::Response> {
        let request = request.into_inner();
        run!(
            self,
            "CloseEphemeralResource",
            &request.type_name.clone(),
            close(request) with notes
        )
    }

    async fn list_resource(
        &self,
        request: Request<proto::list_resource::Request>,
    ) -> Answered<Self::ListResourceStream> {
        Ok(Response::new(Arc::clone(&self.shared).list(request.into_inner())))
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<proto::validate_list_resource_config::Request>,
    ) -> Answered<proto::validate_list_resource_config::Response> {
        let request = request.into_inner();
        run!(
            self,
            "ValidateListResourceConfig",
            &request.type_name.clone(),
            validate_list(request)
        )
    }

    async fn get_functions(
        &self,
        _: Request<proto::get_functions::Request>,
    ) -> Answered<proto::get_functions::Response> {
        Ok(Response::new(self.shared.function_signatures()))
    }

    async fn call_function(
        &self,
        request: Request<proto::call_function::Request>,
    ) -> Answered<proto::call_function::Response> {
        Ok(Response::new(self.shared.call_function(request.get_ref())))
    }

    async fn validate_action_config(
        &self,
        request: Request<proto::validate_action_config::Request>,
    ) -> Answered<proto::validate_action_config::Response> {
        let request = request.into_inner();
        run!(
            self,
            "ValidateActionConfig",
            &request.type_name.clone(),
            validate_action(request)
        )
    }

    async fn plan_action(
        &self,
        request: Request<proto::plan_action::Request>,
    ) -> Answered<proto::plan_action::Response> {
        let request = request.into_inner();
        run!(self, "PlanAction", &request.action_type.clone(), plan_action(request))
    }

    async fn invoke_action(
        &self,
        request: Request<proto::invoke_action::Request>,
    ) -> Answered<Self::InvokeActionStream> {
        Ok(Response::new(Arc::clone(&self.shared).invoke(request.into_inner())))
    }

    async fn validate_state_store_config(
        &self,
        _: Request<proto::validate_state_store::Request>,
    ) -> Answered<proto::validate_state_store::Response> {
        Err(no_state_stores())
    }

    async fn configure_state_store(
        &self,
        _: Request<proto::configure_state_store::Request>,
    ) -> Answered<proto::configure_state_store::Response> {
        Err(no_state_stores())
    }

    async fn read_state_bytes(
        &self,
        _: Request<proto::read_state_bytes::Request>,
    ) -> Answered<Self::ReadStateBytesStream> {
        Err(no_state_stores())
    }

    async fn write_state_bytes(
        &self,
        _: Request<Streaming<proto::write_state_bytes::RequestChunk>>,
    ) -> Answered<proto::write_state_bytes::Response> {
        Err(no_state_stores())
    }

    async fn lock_state(&self, _: Request<proto::lock_state::Request>) -> Answered<proto::lock_state::Response> {
        Err(no_state_stores())
    }

    async fn unlock_state(&self, _: Request<proto::unlock_state::Request>) -> Answered<proto::unlock_state::Response> {
        Err(no_state_stores())
    }

    async fn get_states(&self, _: Request<proto::get_states::Request>) -> Answered<proto::get_states::Response> {
        Err(no_state_stores())
    }

    async fn delete_state(&self, _: Request<proto::delete_state::Request>) -> Answered<proto::delete_state::Response> {
        Err(no_state_stores())
    }
}

fn no_state_stores() -> Status {
    Status::unimplemented("this provider keeps no state")
}
