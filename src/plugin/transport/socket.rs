//! The listener: a Unix socket in a folder of its own, or a loopback port on Windows.

#[cfg(not(unix))]
mod tcp;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use tcp::{Acceptor, Stream, bind};
#[cfg(unix)]
pub(super) use unix::{Acceptor, Stream, bind};

/// An open listener. Dropping it removes what it left in the file system.
#[derive(Debug)]
pub(super) struct Socket {
    /// `unix` or `tcp`, the third field of the handshake line.
    pub(super) network: &'static str,
    /// A path, or `127.0.0.1:port`.
    pub(super) address: String,
    /// Who can connect to it, for the message of debug mode.
    pub(super) open_to: String,
    /// Removes the socket and its folder.
    #[cfg(unix)]
    _place: unix::Place,
}
