//! One sign-in, shared by all calls that need it.

use std::time::Duration;

use tokio::{sync::Mutex, time::Instant};

use super::{HttpError, Limits, Secret, secret};

/// An access token and its end.
#[derive(Clone, Debug)]
pub struct Token {
    /// What goes into the request.
    pub value: Secret,
    /// When it ends; `None` when nobody knows (a token given by the user).
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
    /// Ten callers at once cause one call of `fetch`; all are told its failure.
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

    /// Forgets `refused`, so that the next call fetches another. A token fetched meanwhile by somebody else stays.
    ///
    /// # Errors
    /// What `limits` says while another caller fetches.
    pub async fn invalidate(&self, refused: &Token, limits: &Limits) -> Result<(), E> {
        let mut state = limits.bound(self.state.lock()).await?;
        if state
            .token
            .as_ref()
            .is_some_and(|token| token.value == refused.value)
        {
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
