//! When the plugin ends, and how long it may take.
//!
//! Ctrl-C does not end it: the terminal sends the signal to the host and to us, and the host then asks the running
//! calls to stop. A plugin that dies instead loses the object it is creating.

use std::sync::mpsc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Why the plugin process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// The host called `Shutdown`. It kills us after two seconds.
    HostAsked,
    /// SIGTERM, often sent to the whole group: the host is ending too, and still waits for running calls.
    Terminated,
    /// The host died. Nobody receives the responses.
    Orphaned,
    /// Ctrl-C in debug mode.
    Interrupted,
    /// Ended by a second signal.
    Insisted,
    /// Every call is answered and the server has stopped. Without another reason before it, a fault.
    Drained,
}

impl Reason {
    /// How long running calls may go on.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::HostAsked | Self::Interrupted => Duration::from_secs(1),
            // Enough for a call that was told to stop to reach a safe point and tell what exists by then.
            Self::Terminated => Duration::from_secs(30),
            Self::Orphaned => Duration::from_secs(5),
            Self::Insisted | Self::Drained => Duration::ZERO,
        }
    }
}

/// Starts the end. Cheap to clone; every clone means the same end.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Stops the listener and the silent streams, and lets tonic finish the running calls.
    token: CancellationToken,
    /// Tells the main thread, which sees to it that the end comes in time.
    reasons: mpsc::Sender<Reason>,
}

impl End {
    pub(super) fn new() -> (Self, mpsc::Receiver<Reason>) {
        let (reasons, heard) = mpsc::channel();
        (
            Self {
                token: CancellationToken::new(),
                reasons,
            },
            heard,
        )
    }

    pub(super) fn begin(&self, reason: Reason) {
        match reason {
            Reason::Drained => tracing::debug!("ended"),
            Reason::HostAsked | Reason::Terminated | Reason::Orphaned | Reason::Interrupted | Reason::Insisted => {
                tracing::debug!(?reason, "ending")
            }
        }
        // Nobody listens only when the end has been reached.
        let _ = self.reasons.send(reason);
        self.token.cancel();
    }

    pub(super) fn token(&self) -> CancellationToken {
        self.token.clone()
    }
}

/// How we were started, which decides what a signal means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    /// A host: Ctrl-C is its business, and without it there is nothing to live for.
    Host,
    /// A person at a terminal.
    Person,
}

#[cfg(unix)]
pub(super) use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::process::parent_id;
    use std::time::Duration;

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{Owner, Reason};

    /// From the moment this exists, SIGINT and SIGTERM no longer kill the process, also after it is dropped.
    #[derive(Debug)]
    pub(in super::super) struct Signals {
        owner: Owner,
        interrupt: Signal,
        terminate: Signal,
        /// Taken at the start; the system names another parent once this one is dead.
        parent: u32,
    }

    impl Signals {
        /// Needs the runtime's context.
        ///
        /// SIGHUP keeps its meaning: `nohup` ignores it for us, and a handler would undo that.
        pub(in super::super) fn catch(owner: Owner) -> io::Result<Self> {
            Ok(Self {
                owner,
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                parent: parent_id(),
            })
        }

        /// Waits for the next reason to end.
        pub(in super::super) async fn next(&mut self) -> Reason {
            loop {
                tokio::select! {
                    _ = self.terminate.recv() => return Reason::Terminated,
                    _ = self.interrupt.recv() => match self.owner {
                        Owner::Person => return Reason::Interrupted,
                        Owner::Host => tracing::debug!("ignored an interrupt: the host decides what to do about it"),
                    },
                    // There is no portable event for this. Stdin is inherited from the host, so it stays open.
                    () = tokio::time::sleep(PARENT_CHECK) => {
                        if self.owner == Owner::Host && parent_id() != self.parent {
                            return Reason::Orphaned;
                        }
                    }
                }
            }
        }
    }

    const PARENT_CHECK: Duration = Duration::from_millis(500);
}

#[cfg(not(unix))]
pub(super) use windows::Signals;

#[cfg(not(unix))]
mod windows {
    use std::io;

    use tokio::signal::windows::{CtrlC, CtrlClose, ctrl_c, ctrl_close};

    use super::{Owner, Reason};

    /// From the moment this exists, Ctrl-C no longer kills the process.
    #[derive(Debug)]
    pub(in super::super) struct Signals {
        owner: Owner,
        interrupt: CtrlC,
        close: CtrlClose,
    }

    impl Signals {
        /// Needs the runtime's context.
        pub(in super::super) fn catch(owner: Owner) -> io::Result<Self> {
            Ok(Self {
                owner,
                interrupt: ctrl_c()?,
                close: ctrl_close()?,
            })
        }

        /// Waits for the next reason to end. An orphan is not noticed here: std knows no parent on Windows.
        pub(in super::super) async fn next(&mut self) -> Reason {
            loop {
                tokio::select! {
                    _ = self.close.recv() => return Reason::Terminated,
                    _ = self.interrupt.recv() => match self.owner {
                        Owner::Person => return Reason::Interrupted,
                        Owner::Host => {}
                    },
                }
            }
        }
    }
}
