//! Windows: a port on 127.0.0.1. Any local process can connect, so here mTLS is all that protects us.

use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};

use tokio::net::TcpListener;

use crate::plugin::transport::error::StartError;
use crate::plugin::transport::host::Host;
use crate::plugin::transport::socket::Socket;

pub(in crate::plugin::transport) type Stream = tokio::net::TcpStream;

/// Accepts connections; made from a bound listener once the runtime is there.
#[derive(Debug)]
pub(in crate::plugin::transport) struct Acceptor(TcpListener);

impl Acceptor {
    pub(in crate::plugin::transport) async fn accept(&self) -> io::Result<Stream> {
        let (stream, _) = self.0.accept().await?;
        // Small messages go back and forth; waiting for more would only delay them.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// Opens the first free port of the host's range. Needs the runtime's context.
///
/// # Errors
/// [`StartError::NoPort`] when every port is taken.
pub(in crate::plugin::transport) fn bind(host: &Host) -> Result<(Socket, Acceptor), StartError> {
    let (from, to) = (host.ports.from, host.ports.to);
    let taken = || StartError::NoPort { from, to };
    let listener = (from..=to)
        .find_map(|port| StdListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .ok_or_else(taken)?;
    let address = listener.local_addr().map_err(|_| taken())?.to_string();
    listener.set_nonblocking(true).map_err(|_| taken())?;
    let acceptor = Acceptor(TcpListener::from_std(listener).map_err(|_| taken())?);
    Ok((
        Socket {
            network: "tcp",
            address,
            open_to: "every process of this computer".to_owned(),
        },
        acceptor,
    ))
}
