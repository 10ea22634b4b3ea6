//! One sign-in, shared by all calls that need it.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::http::{HttpError, Limits, Secret, secret};

/// An access token and its expiry.
#[derive(Clone, Debug)]
pub struct Token {
    /// What goes into the request.
    pub value: Secret,
    /// When it expires; `None` if that is not known (a token from the configuration).
    pub expires_at: Option<Instant>,
}

impl Token {
    /// A token that lives for `lifetime` from now. Its value is registered for masking.
    #[must_use]
    pub fn new(value: Secret, lifetime: Option<Duration>) -> Self {
        secret::register(&value);
        // A lifetime beyond any clock is as good as none.
        Self {
            value,
            expires_at: lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime)),
        }
    }

    fn is_fresh(&self) -> bool {
        self.expires_at
            .is_none_or(|end| end.saturating_duration_since(Instant::now()) > EARLY)
    }
}

/// Whom a failed sign-in concerns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// Only the caller whose time was over or who was interrupted.
    Caller,
    /// All callers that waited for this attempt; the next one tries again.
    Attempt,
    /// Everybody from now on: the credentials are wrong, and trying them again may lock the account.
    Credentials,
}

/// Keeps the token of one identity: fetched when first needed, by one caller at a time, and again a minute before its end.
pub struct TokenCache<E> {
    judge: fn(&E) -> Failure,
    state: Mutex<State<E>>,
}

impl<E: Clone + From<HttpError>> TokenCache<E> {
    /// An empty cache. `judge` tells whom a failure concerns.
    #[must_use]
    pub fn new(judge: fn(&E) -> Failure) -> Self {
        Self {
            judge,
            state: Mutex::new(State {
                token: None,
                failed: None,
            }),
        }
    }

    /// The current token, from `fetch` if there is none.
    ///
    /// Ten concurrent callers cause one call of `fetch`; all get its failure.
    ///
    /// # Errors
    /// What `fetch` says, or what `limits` says while waiting for another caller's fetch.
    pub async fn token<F>(&self, limits: &Limits, fetch: impl FnOnce() -> F) -> Result<Token, E>
    where
        F: Future<Output = Result<Token, E>>,
    {
        let arrived = Instant::now();
        let mut state = limits.bound(self.state.lock()).await?;
        if let Some(token) = state.token.as_ref().filter(|token| token.is_fresh()) {
            return Ok(token.clone());
        }
        if let Some((at, error)) = &state.failed {
            let concerns_us = match (self.judge)(error) {
                Failure::Caller => false,
                Failure::Attempt => *at > arrived,
                Failure::Credentials => true,
            };
            if concerns_us {
                return Err(error.clone());
            }
        }
        match fetch().await {
            Ok(token) => {
                *state = State {
                    token: Some(token.clone()),
                    failed: None,
                };
                Ok(token)
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Forgets `refused`, so that the next call fetches a new token. A token that another caller has fetched meanwhile is kept.
    ///
    /// # Errors
    /// What `limits` says while another caller fetches.
    pub async fn invalidate(&self, refused: &Token, limits: &Limits) -> Result<(), E> {
        let mut state = limits.bound(self.state.lock()).await?;
        if state.token.as_ref().is_some_and(|token| token.value == refused.value) {
            state.token = None;
        }
        Ok(())
    }
}

impl<E> std::fmt::Debug for TokenCache<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCache").finish_non_exhaustive()
    }
}

struct State<E> {
    token: Option<Token>,
    failed: Option<(Instant, E)>,
}

/// A token is replaced this long before its end, so that it does not run out on the way.
const EARLY: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::http::test_server::limits;

    fn cache(failure: fn(&HttpError) -> Failure) -> TokenCache<HttpError> {
        TokenCache::new(failure)
    }

    fn numbered(calls: &AtomicUsize, lifetime: u64) -> Token {
        let value = format!("token-number-{}", calls.fetch_add(1, Ordering::Relaxed));
        Token::new(Secret::from(value), Some(Duration::from_secs(lifetime)))
    }

    #[tokio::test]
    async fn ten_callers_cause_one_fetch() {
        let (cache, calls, limits) = (cache(|_| Failure::Attempt), AtomicUsize::new(0), limits());

        let tokens = futures_util::future::join_all((0..10).map(|_| {
            cache.token(&limits, || async {
                tokio::task::yield_now().await;
                Ok(numbered(&calls, 3600))
            })
        }))
        .await;

        assert!(
            tokens
                .iter()
                .all(|token| token.as_ref().unwrap().value.expose() == "token-number-0")
        );
    }

    #[tokio::test]
    async fn a_token_near_its_end_is_replaced() {
        let (cache, calls, limits) = (cache(|_| Failure::Attempt), AtomicUsize::new(0), limits());

        for _ in 0..2 {
            cache
                .token(&limits, || async { Ok(numbered(&calls, 59)) })
                .await
                .unwrap();
        }

        assert_eq!(calls.into_inner(), 2);
    }

    #[tokio::test]
    async fn a_refused_token_is_fetched_once_more_and_a_newer_one_is_kept() {
        let (cache, calls, limits) = (cache(|_| Failure::Attempt), AtomicUsize::new(0), limits());
        let fetch = || async { Ok(numbered(&calls, 3600)) };
        let first = cache.token(&limits, fetch).await.unwrap();

        cache.invalidate(&first, &limits).await.unwrap();
        let second = cache.token(&limits, fetch).await.unwrap();
        // Another caller learns of the first token's end only now.
        cache.invalidate(&first, &limits).await.unwrap();
        let third = cache.token(&limits, fetch).await.unwrap();

        assert_eq!(second.value.expose(), "token-number-1");
        assert_eq!(third.value, second.value);
    }

    #[tokio::test]
    async fn a_failure_is_shared_as_far_as_it_concerns() {
        let cases = [
            (Failure::Caller, 5, 6),
            (Failure::Attempt, 1, 2),
            (Failure::Credentials, 1, 1),
        ];
        for (failure, at_once, later) in cases {
            let judge: fn(&HttpError) -> Failure = match failure {
                Failure::Caller => |_| Failure::Caller,
                Failure::Attempt => |_| Failure::Attempt,
                Failure::Credentials => |_| Failure::Credentials,
            };
            let (cache, calls, limits) = (cache(judge), AtomicUsize::new(0), limits());
            let fetch = || async {
                calls.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
                Err::<Token, _>(HttpError::Lost {
                    host: "h".to_owned(),
                    why: "w".to_owned(),
                })
            };

            futures_util::future::join_all((0..5).map(|_| cache.token(&limits, fetch))).await;
            assert_eq!(calls.load(Ordering::Relaxed), at_once, "{failure:?}");
            assert!(cache.token(&limits, fetch).await.is_err());
            assert_eq!(calls.load(Ordering::Relaxed), later, "{failure:?}");
        }
    }
}
