//! go-plugin's own services, which every plugin must offer beside its provider.

use std::pin::Pin;

use futures_util::future::ready;
use futures_util::{FutureExt, Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::plugin::proto::go_plugin::grpc_broker_server::GrpcBroker;
use crate::plugin::proto::go_plugin::grpc_controller_server::GrpcController;
use crate::plugin::proto::go_plugin::grpc_stdio_server::GrpcStdio;
use crate::plugin::proto::go_plugin::{ConnInfo, Empty, StdioData};
use crate::plugin::transport::lifetime::{End, Reason};

/// Ends the plugin when the host has done with it.
pub(super) struct Controller(pub(super) End);

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.0.begin(Reason::HostAsked);
        Ok(Response::new(Empty {}))
    }
}

/// A stream that stays open and silent until the end.
type Silence<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Would carry what a plugin writes to stdout and stderr. Ours logs to the real stderr, which the host reads too.
pub(super) struct Stdio(pub(super) CancellationToken);

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Silence<StdioData>;

    async fn stream_stdio(&self, _request: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        // Closing it at once works too, but the host notes an error in its log.
        Ok(Response::new(silence_until(self.0.clone().cancelled_owned())))
    }
}

/// Would arrange further connections, of which a provider needs none.
pub(super) struct Broker(pub(super) CancellationToken);

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = Silence<ConnInfo>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let end = self.0.clone();
        let mut offers = request.into_inner();
        Ok(Response::new(silence_until(async move {
            let hung_up = async { while let Ok(Some(_)) = offers.message().await {} };
            tokio::select! {
                () = end.cancelled() => {}
                () = hung_up => {}
            }
        })))
    }
}

fn silence_until<T: Send + 'static>(end: impl Future<Output = ()> + Send + 'static) -> Silence<T> {
    Box::pin(end.into_stream().filter_map(|()| ready(None)))
}
