//! Credentials that go with every request are tried by one request before the others use them.
//!
//! A wrong password would be sent by every resource of a run at once, and the instance locks an account after five
//! failures.

use std::sync::Mutex;

use tokio::time::Instant;

use crate::http::{Answer, HttpError, Limits, StatusCode};
use crate::sync::lock;

/// What is known of credentials, and the turn of the one request that tries them.
#[derive(Default)]
pub(super) struct Trial {
    known: Mutex<Known>,
    turn: tokio::sync::Mutex<()>,
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
    /// Sends, alone while nothing is known of the credentials; or hands over the refusal that another request met.
    pub(super) async fn send(
        &self,
        limits: &Limits,
        send: impl Future<Output = Result<Answer, HttpError>>,
    ) -> Result<Answer, HttpError> {
        let arrived = Instant::now();
        let turn = match self.known() {
            Known::Accepted => None,
            Known::Nothing | Known::Refused(_) | Known::Unreachable(..) => Some(limits.bound(self.turn.lock()).await?),
        };
        match self.known() {
            Known::Refused(answer) => {
                tracing::debug!("the instance refused the credentials before, nothing is sent");
                return Ok(*answer);
            }
            Known::Unreachable(at, error) if at > arrived => return Err(error),
            Known::Accepted => drop(turn),
            Known::Nothing | Known::Unreachable(..) => {
                let result = send.await;
                self.learn(&result);
                drop(turn);
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
            Err(error) if error.is_callers_own() => {}
            Err(error @ HttpError::Options(_)) => *known = Known::Unreachable(Instant::now(), error.clone()),
            Err(error) if error.unreachable().is_some() => *known = Known::Unreachable(Instant::now(), error.clone()),
            // Something answers there. If it is slow, the others must not wait for each other.
            Err(_) => *known = Known::Accepted,
        }
    }

    fn known(&self) -> Known {
        lock(&self.known).clone()
    }
}
