//! How long a call may take, and what ends it early.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::http::HttpError;

/// The bounds of one operation: every wait of this stack ends at the deadline or when `cancel` fires.
#[derive(Clone, Debug)]
pub struct Limits {
    /// When the operation has to be over.
    pub deadline: Instant,
    /// Fires when the user interrupts the run.
    pub cancel: CancellationToken,
}

impl Limits {
    /// Limits that end `timeout` from now.
    #[must_use]
    pub fn new(timeout: Duration, cancel: CancellationToken) -> Self {
        Self {
            deadline: Instant::now() + timeout,
            cancel,
        }
    }

    /// Limits for cleaning up after an interruption: not cancelled by the user's signal, but short.
    ///
    /// For the look-up of a record whose insert may have happened: without it an interrupted create is forgotten.
    #[must_use]
    pub fn grace(timeout: Duration) -> Self {
        Self::new(timeout, CancellationToken::new())
    }

    /// The time left until the deadline.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits for `future`, but no longer than the limits allow.
    ///
    /// # Errors
    /// [`HttpError::Cancelled`] and [`HttpError::DeadlineExceeded`].
    pub async fn bound<F: Future>(&self, future: F) -> Result<F::Output, HttpError> {
        let begun = Instant::now();
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(HttpError::Cancelled),
            output = future => Ok(output),
            () = tokio::time::sleep_until(self.deadline) => Err(HttpError::DeadlineExceeded { waited: begun.elapsed(), last: None }),
        }
    }

    /// Waits `pause`, bounded by the limits.
    ///
    /// # Errors
    /// As [`Limits::bound`].
    pub fn sleep(&self, pause: Duration) -> BoxFuture<'_, Result<(), HttpError>> {
        Box::pin(async move { self.bound(tokio::time::sleep(pause)).await })
    }
}
