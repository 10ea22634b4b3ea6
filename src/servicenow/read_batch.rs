//! Many callers, one request: a read goes out at once when none of its kind is under way, and what arrives meanwhile is
//! sent together when that one returns. Nobody waits for others to come.

use std::sync::Mutex;

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use crate::http::{HttpError, Limits};
use crate::servicenow::error::{TableError, Verb};
use crate::servicenow::table::Table;
use crate::sync::lock;

/// Collects questions of one kind.
pub(super) struct Batch<Q, A> {
    waiting: Mutex<Vec<Waiting<Q, A>>>,
    /// Held by whoever asks for everybody.
    flight: tokio::sync::Mutex<()>,
}

struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, TableError>>,
}

/// Why there is no answer: the caller's own time, or the instance.
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

impl<Q: Clone, A> Batch<Q, A> {
    /// Asks, with those who wait as well. `ask` gets all questions and returns their answers in the same order, within
    /// the limits of the caller whose it is; if these end early, the others ask again.
    pub(super) async fn ask<F>(&self, question: Q, limits: &Limits, ask: impl Fn(Vec<Q>) -> F) -> Result<A, NoAnswer>
    where
        F: Future<Output = Vec<Result<A, TableError>>>,
    {
        loop {
            let (sender, mut receiver) = oneshot::channel();
            lock(&self.waiting).push(Waiting {
                question: question.clone(),
                answer: sender,
            });
            let asking = async {
                let flight = tokio::select! {
                    biased;
                    answer = &mut receiver => return (false, answer.ok()),
                    flight = self.flight.lock() => flight,
                };
                match receiver.try_recv() {
                    Err(TryRecvError::Empty) => {
                        self.ask_for_all(flight, &ask).await;
                        (true, receiver.await.ok())
                    }
                    // It came just now.
                    answer => (false, answer.ok()),
                }
            };
            let (is_own, answer) = limits.bound(asking).await.map_err(NoAnswer::Limits)?;
            match answer {
                // Another's time or interruption says nothing about ours, unless we asked ourselves.
                Some(Err(error)) if error.is_callers_own() && !is_own => {}
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(error)) => return Err(NoAnswer::Table(error)),
                // Whoever asked for us was interrupted.
                None => {}
            }
        }
    }

    /// Asks for all who wait; the next may start when it is done.
    async fn ask_for_all<F>(&self, _flight: tokio::sync::MutexGuard<'_, ()>, ask: impl Fn(Vec<Q>) -> F)
    where
        F: Future<Output = Vec<Result<A, TableError>>>,
    {
        let mut waiting = std::mem::take(&mut *lock(&self.waiting));
        // Those that were interrupted need no answer.
        waiting.retain(|one| !one.answer.is_closed());
        if waiting.is_empty() {
            return;
        }
        let questions = waiting.iter().map(|one| one.question.clone()).collect();
        for (one, answer) in waiting.into_iter().zip(ask(questions).await) {
            let _ = one.answer.send(answer);
        }
    }
}

impl<Q, A> Default for Batch<Q, A> {
    fn default() -> Batch<Q, A> {
        Batch {
            waiting: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::servicenow::tables::sys_user;

    fn limits() -> Limits {
        Limits::new(Duration::from_secs(60), CancellationToken::new())
    }

    #[tokio::test]
    async fn the_first_question_goes_at_once_and_what_arrives_meanwhile_goes_together() {
        let batch = Batch::<u32, u32>::default();
        let sizes = Mutex::new(Vec::new());
        let ask = |questions: Vec<u32>| {
            lock(&sizes).push(questions.len());
            async move {
                tokio::task::yield_now().await;
                questions.into_iter().map(|number| Ok(number * 2)).collect()
            }
        };

        let limits = limits();
        let asked = join_all((0..10).map(|number| batch.ask(number, &limits, ask))).await;

        let answers: Vec<_> = asked.into_iter().map(|answer| answer.ok().unwrap()).collect();
        assert_eq!(answers, (0..10).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(*lock(&sizes), [1, 9]);
    }

    #[tokio::test]
    async fn when_the_one_who_asks_is_interrupted_the_others_still_get_their_answer() {
        let batch = Batch::<u32, u32>::default();
        let limits = limits();
        let is_asked = AtomicBool::new(false);
        let ask = |questions: Vec<u32>| {
            let hangs = questions.contains(&1);
            is_asked.store(true, Ordering::Relaxed);
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                questions.into_iter().map(Ok).collect()
            }
        };

        let interrupted = async {
            tokio::select! {
                biased;
                _ = batch.ask(1, &limits, ask) => false,
                () = async { while !is_asked.load(Ordering::Relaxed) { tokio::task::yield_now().await } } => true,
            }
        };
        let others = join_all((2..4).map(|number| batch.ask(number, &limits, ask)));
        let (was_interrupted, others) = tokio::join!(interrupted, others);

        assert!(was_interrupted);
        let others: Vec<u32> = others.into_iter().map(|answer| answer.ok().unwrap()).collect();
        assert_eq!(others, [2, 3]);
    }

    #[tokio::test]
    async fn the_time_of_the_one_who_asks_is_not_that_of_the_others() {
        let batch = Batch::<u32, u32>::default();
        let limits = limits();
        let late = || TableError::Cancelled {
            table: sys_user::TABLE,
            verb: Verb::Read,
        };
        let ask = |questions: Vec<u32>| {
            let is_late = questions[0] == 1;
            async move {
                tokio::task::yield_now().await;
                questions
                    .into_iter()
                    .map(|number| if is_late { Err(late()) } else { Ok(number) })
                    .collect()
            }
        };

        let (first, second) = tokio::join!(batch.ask(1, &limits, ask), batch.ask(2, &limits, ask));

        assert!(matches!(first, Err(NoAnswer::Table(TableError::Cancelled { .. }))));
        assert_eq!(second.ok(), Some(2));
    }
}
