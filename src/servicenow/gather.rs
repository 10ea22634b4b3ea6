//! Many askers, one request: what arrives within a few milliseconds is asked together.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::oneshot;

use super::error::TableError;
use super::instance::locked;
use crate::http::{HttpError, Limits};

/// Collects questions of one kind. The first asker waits a moment, then asks for all who came meanwhile, within its own
/// time limit; if that ends early, the others ask again.
pub(super) struct Gather<Q, A> {
    waiting: Mutex<Vec<Waiting<Q, A>>>,
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
                let mut waiting = locked(&self.waiting);
                waiting.push(Waiting {
                    question: question.clone(),
                    answer: sender,
                });
                waiting.len() == 1
            };
            if is_first {
                self.lead(window, limits, &ask)
                    .await
                    .map_err(NoAnswer::Limits)?;
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

    async fn lead<F>(
        &self,
        window: Duration,
        limits: &Limits,
        ask: impl Fn(Vec<Q>) -> F,
    ) -> Result<(), HttpError>
    where
        F: Future<Output = Vec<Result<A, TableError>>>,
    {
        // Dropped when this asker is interrupted: then the others' receivers fail and one of them leads.
        let lead = Lead { gather: self };
        limits.sleep(window).await?;
        let waiting = lead.take();
        let questions = waiting.iter().map(|one| one.question.clone()).collect();
        let answers = ask(questions).await;
        for (one, answer) in waiting.into_iter().zip(answers) {
            // An asker that is gone does not need its answer.
            let _ = one.answer.send(answer);
        }
        Ok(())
    }
}

impl<Q, A> Default for Gather<Q, A> {
    fn default() -> Gather<Q, A> {
        Gather {
            waiting: Mutex::default(),
        }
    }
}

struct Lead<'a, Q, A> {
    gather: &'a Gather<Q, A>,
}

impl<Q, A> Lead<'_, Q, A> {
    fn take(self) -> Vec<Waiting<Q, A>> {
        let waiting = std::mem::take(&mut *locked(&self.gather.waiting));
        std::mem::forget(self); // Whoever comes now belongs to the next lead.
        waiting
    }
}

impl<Q, A> Drop for Lead<'_, Q, A> {
    fn drop(&mut self) {
        locked(&self.gather.waiting).clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio_util::sync::CancellationToken;

    use super::*;

    const WINDOW: Duration = Duration::from_millis(3);

    fn limits() -> Limits {
        Limits::new(Duration::from_secs(60), CancellationToken::new())
    }

    #[tokio::test(start_paused = true)]
    async fn questions_that_arrive_together_are_asked_together() {
        let gather = Gather::<u32, u32>::default();
        let calls = AtomicUsize::new(0);
        let ask = |questions: Vec<u32>| {
            calls.fetch_add(1, Ordering::Relaxed);
            async move { questions.into_iter().map(|number| Ok(number * 2)).collect() }
        };

        let limits = limits();
        let asked = futures_util::future::join_all(
            (0..10).map(|number| gather.ask(number, WINDOW, &limits, ask)),
        )
        .await;

        let answers: Vec<_> = asked
            .into_iter()
            .map(|answer| answer.ok().unwrap())
            .collect();
        assert_eq!(
            answers,
            (0..10).map(|number| number * 2).collect::<Vec<_>>()
        );
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_first_asker_is_interrupted_the_others_still_get_their_answer() {
        let gather = Arc::new(Gather::<u32, u32>::default());
        let cancel = CancellationToken::new();
        let first_limits = Limits::new(Duration::from_secs(60), cancel.clone());
        let slow = |questions: Vec<u32>| async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            questions.into_iter().map(Ok).collect()
        };

        let first = tokio::spawn({
            let gather = Arc::clone(&gather);
            async move {
                tokio::time::timeout(
                    Duration::from_secs(1),
                    gather.ask(1, WINDOW, &first_limits, slow),
                )
                .await
                .is_err()
            }
        });
        let second = {
            let limits = limits();
            tokio::task::yield_now().await;
            gather.ask(2, WINDOW, &limits, slow).await.ok()
        };

        assert!(first.await.unwrap(), "the first was dropped while it asked");
        assert_eq!(second, Some(2));
        drop(cancel);
    }
}
