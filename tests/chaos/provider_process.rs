//! One provider process: in a runtime of its own, so that it can be killed as a process is, in the middle of anything.

use std::sync::{Arc, Mutex, PoisonError};

use servicenow_provider::plugin::codec::msgpack;
use servicenow_provider::plugin::proto::tfplugin6 as proto;
use servicenow_provider::plugin::proto::tfplugin6::provider_server::Provider as Service;
use servicenow_provider::plugin::server::Server;
use servicenow_provider::plugin::{Object, Provider as _, Value};
use servicenow_provider::provider::{Environment, Servicenow};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;
use tonic::{Request, Response, Status};

/// A provider that runs.
pub(crate) struct Process {
    server: Server<Servicenow>,
    handle: Handle,
    life: Arc<Mutex<Option<Runtime>>>,
    killer: AbortHandle,
}

/// The process died before it answered.
pub(crate) struct Killed;

impl Process {
    /// Starts and configures a provider that dies when `death` comes.
    pub(crate) async fn start(config: &Object, death: impl Future<Output = ()> + Send + 'static) -> Self {
        let provider = || Servicenow {
            environment: Environment::empty(),
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let handle = runtime.handle().clone();
        let life = Arc::new(Mutex::new(Some(runtime)));
        let doomed = Arc::clone(&life);
        let killer = tokio::spawn(async move {
            death.await;
            end(&doomed);
        });
        let process = Self {
            server: Server::unmasked(provider()),
            handle,
            life,
            killer: killer.abort_handle(),
        };
        let config = msgpack::encode(&Value::Object(config.clone()), provider().schema().ty());
        let request = proto::configure_provider::Request {
            terraform_version: "1.11.4".to_owned(),
            config: Some(proto::DynamicValue {
                msgpack: config,
                json: Vec::new(),
            }),
            client_capabilities: None,
        };
        let configured = process
            .call(|server| async move { server.configure_provider(Request::new(request)).await })
            .await;
        if let Ok(response) = configured {
            let said: Vec<_> = response.diagnostics.iter().map(|it| &it.detail).collect();
            assert!(said.is_empty(), "{said:?}");
        }
        process
    }

    /// One call.
    pub(crate) async fn call<R, F>(&self, call: impl FnOnce(Server<Servicenow>) -> F) -> Result<R, Killed>
    where
        R: Send + 'static,
        F: Future<Output = Result<Response<R>, Status>> + Send + 'static,
    {
        match self.handle.spawn(call(self.server.clone())).await {
            Ok(answer) => Ok(answer.expect("an answer").into_inner()),
            Err(ended) if ended.is_cancelled() => Err(Killed),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.killer.abort();
        end(&self.life);
    }
}

/// Nothing of the process runs on, as after SIGKILL: its tasks are dropped where they wait, its connections close.
fn end(life: &Mutex<Option<Runtime>>) {
    let runtime = life.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(runtime) = runtime {
        runtime.shutdown_background();
    }
}
