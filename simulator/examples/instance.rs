//! Serves only the ServiceNow instance, over plain HTTP on loopback, until interrupted. Prints its address.

use std::io::Write;
use std::sync::Arc;

use servicenow_simulator::instance::{Instance, Options};
use servicenow_simulator::internet::Offline;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let instance = Instance::new(Options::default(), Arc::new(Offline));
    instance.set_base_url(&url);
    writeln!(std::io::stdout(), "{url}")?;
    axum::serve(listener, instance.router()).await?;
    Ok(())
}
