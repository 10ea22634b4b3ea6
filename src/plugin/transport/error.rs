//! Why the plugin could not start, and what to do about it.

use std::io;
use std::path::PathBuf;

/// A start that failed before the first call. Every text ends with the remedy: the reader sees this line and nothing else.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The temp folder is missing, read-only or full.
    #[error(
        "cannot make a private folder for the socket in {parent}: point TMPDIR to a folder that exists, is writable \
         and has space left"
    )]
    Folder {
        parent: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A socket address holds about a hundred bytes, whatever the file system allows.
    #[error("the socket path {path} has {length} bytes, the system takes {limit}: set TMPDIR to a shorter path")]
    PathTooLong { path: PathBuf, length: usize, limit: usize },
    #[error(
        "cannot open the socket {path}: point TMPDIR to a writable folder, on a file system that holds sockets and has space left"
    )]
    Bind {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// `PLUGIN_UNIX_SOCKET_GROUP` names no local group. Groups of a directory service must be given by number.
    #[error(
        "PLUGIN_UNIX_SOCKET_GROUP is {group:?}, which is neither a number nor in /etc/group: use the group's number"
    )]
    UnknownGroup { group: String },
    #[error("cannot give the socket {path} to group {group}: the user must be a member of it")]
    Group {
        path: PathBuf,
        group: u32,
        #[source]
        source: io::Error,
    },
    /// Windows only.
    #[cfg_attr(unix, expect(dead_code, reason = "a Unix socket needs no port"))]
    #[error("no free port from {from} to {to} on 127.0.0.1: free one, or widen PLUGIN_MIN_PORT and PLUGIN_MAX_PORT")]
    NoPort { from: u16, to: u16 },
    #[error("{variable} is {value:?}, which is not a port number")]
    BadPort { variable: &'static str, value: String },
    /// Never answered by serving without TLS: that would open the provider to every local process.
    #[error("PLUGIN_CLIENT_CERT contains no certificate in PEM form: unset it if the host does not use TLS")]
    ClientCertificate,
    #[error("cannot make the server's certificate: this is a bug in the provider")]
    ServerCertificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("cannot start the runtime: see the limits for threads and open files (ulimit -u, ulimit -n)")]
    Runtime(#[source] io::Error),
    #[error("cannot write to stdout: the host has gone, or stdout is closed")]
    Announce(#[source] io::Error),
}

impl StartError {
    /// The message and its causes on one line, because the host shows only one.
    pub(super) fn one_line(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        // The host splits the line at bars.
        line.replace(['\n', '\r', '|'], " ")
    }
}
