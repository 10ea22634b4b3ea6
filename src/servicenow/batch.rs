//! Many askers, one request: what arrives within a few milliseconds is asked together.
//!
//! Terraform asks for ten resources at a time, and after a common answer the next ten come one by one, each after some
//! work of Terraform's. So whoever asks first waits not only for a moment, but until as many have come as were there the
//! last time, though never longer than about one more round trip; in an apply, where everyone writes between two
//! questions, a little longer for most of those who ever came together. Someone who asks alone waits only that moment.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::error::{TableError, Verb};
use super::table::Table;
use crate::http::{HttpError, Limits};
use crate::sync::lock;

/// Collects questions of one kind. The first asker waits a moment, then asks for all who came meanwhile, within its own
/// time limit; if that ends early, the others ask again.
pub(super) struct Gather<Q, A> {
    state: Mutex<State<Q, A>>,
    arrival: Notify,
}

struct State<Q, A> {
    waiting: Vec<Waiting<Q, A>>,
    /// How many were asked for the last time, or were about to be answered.
    crowd: usize,
    /// How many there were at most; one less each time that too few of them came.
    most: usize,
    /// How many are being asked for.
    in_flight: usize,
    /// How long the last request took.
    round_trip: Duration,
}

struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, TableError>>,
}

/// Why there is no answer: the asker's own time, or the instance.
pub(super) enum NoAnswer {
    Limits(HttpError),
    Table(TableError),
}

impl NoAnswer {
    /// As the error of a read of the table.
    pub(super) fn of(self, table: Table) -> TableError {
        match self {
            NoAnswer::Limits(error) => TableError::from_http(table, Verb::Read, error),
            NoAnswer::Table(error) => error,
        }
    }
}

impl<Q: Clone, A> Gather<Q, A> {
    /// Asks together with others. `ask` gets all questions and returns their answers in the same order.
    pub(super) async fn ask<F>(
        &self,
        question: Q,
        window: Duration,
        limits: &Limits,
        ask: impl Fn(Vec<Q>) -> F,
    ) -> Result<A, NoAnswer>
    where
        F: Future<Output = Vec<Result<A, TableError>>>,
    {
        loop {
            let (sender, receiver) = oneshot::channel();
            let is_first = {
                let mut state = lock(&self.state);
                state.waiting.push(Waiting {
                    question: question.clone(),
                    answer: sender,
                });
                state.waiting.len() == 1
            };
            self.arrival.notify_waiters();
            if is_first {
                self.lead(window, limits, &ask).await.map_err(NoAnswer::Limits)?;
            }
            match limits.bound(receiver).await.map_err(NoAnswer::Limits)? {
                // Another's time or interruption says nothing about ours, unless we asked ourselves.
                Ok(Err(error)) if error.is_callers_own() && !is_first => {}
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => return Err(NoAnswer::Table(error)),
                // Whoever asked for us was interrupted.
                Err(_) => {}
            }
        }
    }

    async fn lead<F>(&self, window: Duration, limits: &Limits, ask: impl Fn(Vec<Q>) -> F) -> Result<(), HttpError>
    where
        F: Future<Output = Vec<Result<A, TableError>>>,
    {
        // Dropped when this asker is interrupted: then the others' receivers fail and one of them leads.
        let lead = Lead { gather: self };
        let begun = Instant::now();
        limits.sleep(window).await?;
        limits.bound(self.company(begun, window)).await?;
        let waiting = lead.take();
        let flight = Flight {
            gather: self,
            askers: waiting.len(),
            begun: Instant::now(),
        };
        let questions = waiting.iter().map(|one| one.question.clone()).collect();
        let answers = ask(questions).await;
        drop(flight);
        for (one, answer) in waiting.into_iter().zip(answers) {
            // An asker that is gone does not need its answer.
            let _ = one.answer.send(answer);
        }
        Ok(())
    }

    /// Waits until as many have come as were there the last time, or it is not worth it any more.
    async fn company(&self, begun: Instant, window: Duration) {
        let round_trip = lock(&self.state).round_trip.min(LONGEST_ROUND_TRIP);
        let (soon, end) = (
            begun + window * WINDOWS + round_trip,
            begun + window * WINDOWS_FOR_QUORUM + round_trip,
        );
        loop {
            let arrival = self.arrival.notified();
            tokio::pin!(arrival);
            // Registered before the look, so that nobody comes unnoticed between the two.
            arrival.as_mut().enable();
            let (is_complete, is_quorum) = {
                let state = lock(&self.state);
                let come = state.waiting.len();
                (come >= state.crowd.max(state.quorum()), come >= state.quorum())
            };
            let until = if is_quorum { soon } else { end };
            if is_complete || tokio::time::timeout_at(until, arrival).await.is_err() {
                return;
            }
        }
    }
}

impl<Q, A> State<Q, A> {
    /// How many are worth a longer wait: three quarters of those who came at most.
    fn quorum(&self) -> usize {
        (self.most * 3).div_ceil(4)
    }
}

impl<Q, A> Default for Gather<Q, A> {
    fn default() -> Gather<Q, A> {
        let state = State {
            waiting: Vec::new(),
            crowd: 0,
            most: 0,
            in_flight: 0,
            round_trip: Duration::ZERO,
        };
        Gather {
            state: Mutex::new(state),
            arrival: Notify::new(),
        }
    }
}

/// The first asker, until it asks.
struct Lead<'a, Q, A> {
    gather: &'a Gather<Q, A>,
}

impl<Q, A> Lead<'_, Q, A> {
    fn take(self) -> Vec<Waiting<Q, A>> {
        let mut state = lock(&self.gather.state);
        let waiting = std::mem::take(&mut state.waiting);
        state.crowd = waiting.len() + state.in_flight;
        let still_come = waiting.len() >= state.quorum();
        let most = if still_come {
            state.most
        } else {
            state.most.saturating_sub(1)
        };
        state.most = state.crowd.max(most);
        state.in_flight += waiting.len();
        drop(state);
        std::mem::forget(self); // Whoever comes now belongs to the next lead.
        waiting
    }
}

impl<Q, A> Drop for Lead<'_, Q, A> {
    fn drop(&mut self) {
        lock(&self.gather.state).waiting.clear();
    }
}

/// A request under way, also when whoever made it is interrupted.
struct Flight<'a, Q, A> {
    gather: &'a Gather<Q, A>,
    askers: usize,
    begun: Instant,
}

impl<Q, A> Drop for Flight<'_, Q, A> {
    fn drop(&mut self) {
        let mut state = lock(&self.gather.state);
        state.in_flight = state.in_flight.saturating_sub(self.askers);
        state.round_trip = self.begun.elapsed();
    }
}

/// Patience with the work that Terraform does between two reads, in windows.
const WINDOWS: u32 = 5;
/// Patience with the writes between two questions of an apply.
const WINDOWS_FOR_QUORUM: u32 = 40;
/// A slow instance is no reason to wait for company even longer.
const LONGEST_ROUND_TRIP: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio_util::sync::CancellationToken;

    use super::*;

    const WINDOW: Duration = Duration::from_millis(3);

    fn limits() -> Limits {
        Limits::new(Duration::from_secs(60), CancellationToken::new())
    }

    #[tokio::test]
    async fn questions_that_arrive_together_are_asked_together() {
        let gather = Gather::<u32, u32>::default();
        let calls = AtomicUsize::new(0);
        let ask = |questions: Vec<u32>| {
            calls.fetch_add(1, Ordering::Relaxed);
            async move { questions.into_iter().map(|number| Ok(number * 2)).collect() }
        };

        let limits = limits();
        let asked =
            futures_util::future::join_all((0..10).map(|number| gather.ask(number, WINDOW, &limits, ask))).await;

        let answers: Vec<_> = asked.into_iter().map(|answer| answer.ok().unwrap()).collect();
        assert_eq!(answers, (0..10).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn when_the_first_asker_is_interrupted_the_others_still_get_their_answer() {
        let gather = Gather::<u32, u32>::default();
        let limits = limits();
        let ask = |questions: Vec<u32>| async move {
            if questions.contains(&1) {
                std::future::pending::<()>().await;
            }
            questions.into_iter().map(Ok).collect()
        };

        let first = async {
            tokio::time::timeout(WINDOW * 5, gather.ask(1, WINDOW, &limits, ask))
                .await
                .is_err()
        };
        let second = async { gather.ask(2, WINDOW, &limits, ask).await.ok() };
        let (first_was_dropped, second) = tokio::join!(first, second);

        assert!(first_was_dropped);
        assert_eq!(second, Some(2));
    }
}
