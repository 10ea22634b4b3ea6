//! Runs the provider's calls away from the threads that serve the connection.
//!
//! A call that blocks its thread, by mistake or because it computes, must not keep the plugin from hearing `Shutdown`
//! or a signal. In one runtime it can, however many threads there are: the blocked one may be the one that was to wait
//! for the next event.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;

/// A service whose calls run elsewhere.
#[derive(Clone)]
pub(super) struct Elsewhere<S> {
    pub(super) service: S,
    pub(super) runtime: Handle,
}

impl<S: NamedService> NamedService for Elsewhere<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Elsewhere<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let call = self.runtime.spawn(self.service.call(request));
        Box::pin(async move {
            match call.await {
                Ok(answered) => answered,
                // The server catches the panics of a call itself; this one is beyond it.
                Err(_) => Ok(Status::internal("the provider panicked: this is a bug in the provider").into_http()),
            }
        })
    }
}
