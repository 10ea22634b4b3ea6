//! Credentials that go with every request are tried by one request before the others use them.
//!
//! A wrong password would be sent by every resource of a run at once, and the instance locks an account after five
//! failures. Where that one request gets no answer, another tries after a while: a request that hangs must not hold up a
//! whole run.

use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::http::{Answer, HttpError, Limits, StatusCode};
use crate::sync::lock;

/// What is known of credentials, and the lock of the one attempt that tries them.
pub(super) struct Trial {
    known: Mutex<Known>,
    attempt: tokio::sync::Mutex<()>,
    /// How long an attempt keeps the others waiting.
    patience: Duration,
    /// Places for attempts that take longer.
    late: Semaphore,
}

#[derive(Clone, Default)]
enum Known {
    #[default]
    Nothing,
    /// The instance took them, or what it said was about something else.
    Accepted,
    /// Refused for good: everybody gets this answer.
    Refused(Box<Answer>),
    /// There was no connection at that time, which is the same for all that waited.
    Unreachable(Instant, HttpError),
}

impl Trial {
    pub(super) fn new(patience: Duration) -> Trial {
        Trial {
            known: Mutex::default(),
            attempt: tokio::sync::Mutex::default(),
            patience,
            late: Semaphore::new(MOST_LATE),
        }
    }

    /// Sends, alone while nothing is known of the credentials; or hands over the refusal that another request met.
    pub(super) async fn send(
        &self,
        limits: &Limits,
        send: impl Future<Output = Result<Answer, HttpError>>,
    ) -> Result<Answer, HttpError> {
        let arrived = Instant::now();
        let attempt = match self.known() {
            Known::Accepted => None,
            Known::Nothing | Known::Refused(_) | Known::Unreachable(..) => {
                Some(limits.bound(self.attempt.lock()).await?)
            }
        };
        let mut send = pin!(send);
        match self.known() {
            Known::Refused(answer) => {
                tracing::debug!("the instance refused the credentials before, nothing is sent");
                return Ok(*answer);
            }
            Known::Unreachable(at, error) if at > arrived => return Err(error),
            Known::Accepted => drop(attempt),
            Known::Nothing | Known::Unreachable(..) => {
                let mut attempt = attempt;
                let mut late = None;
                let result = match timeout(self.patience, &mut send).await {
                    Ok(result) => result,
                    Err(_) => {
                        late = self.late.try_acquire().ok();
                        attempt = attempt.filter(|_| late.is_none());
                        send.await
                    }
                };
                self.learn(&result);
                drop((attempt, late));
                return result;
            }
        }
        let result = send.await;
        self.learn(&result);
        result
    }

    fn learn(&self, result: &Result<Answer, HttpError>) {
        let mut known = lock(&self.known);
        match result {
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                *known = match &*known {
                    // They were good a moment ago: one more request may find out.
                    Known::Accepted => Known::Nothing,
                    Known::Nothing | Known::Refused(_) | Known::Unreachable(..) => {
                        Known::Refused(Box::new(answer.clone()))
                    }
                };
            }
            Ok(_) => *known = Known::Accepted,
            // An attempt that took too long knows no better than the answer that another got.
            Err(_) if matches!(*known, Known::Refused(_)) => {}
            Err(error) if error.unreachable().is_some() || matches!(error, HttpError::Options(_)) => {
                *known = Known::Unreachable(Instant::now(), error.clone());
            }
            // Nothing was learnt: the next one tries.
            Err(_) => {}
        }
    }

    fn known(&self) -> Known {
        lock(&self.known).clone()
    }
}

/// With the one that has the lock, three requests may carry untried credentials: five failures lock an account.
const MOST_LATE: usize = 2;
