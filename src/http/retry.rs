//! Which requests may be sent again, and after how long. Pure functions, called by the send loop.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Whether sending a request twice does the same as sending it once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repeat {
    /// Reads, replacing writes and deletes: sent again after any doubtful outcome.
    Idempotent,
    /// Inserts: sent again only when it is certain that the first was not carried out.
    Never,
}

/// Exponential backoff with full jitter: the n-th pause is random between zero and `base * 2^n`, at most `cap`.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Upper bound of the first pause.
    pub base: Duration,
    /// Upper bound of all pauses.
    pub cap: Duration,
}

impl Backoff {
    /// Half a second, doubling up to twenty seconds.
    pub const STANDARD: Self = Self {
        base: Duration::from_millis(500),
        cap: Duration::from_secs(20),
    };
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FailedAttempt {
    /// No connection: the server has seen nothing of the request.
    NotSent,
    /// Sent, at least in part, and no complete answer came.
    Lost,
    /// Answered with this status.
    Status(StatusCode),
}

/// The decision about the next attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    /// Send it again.
    Again,
    /// Hand it to the caller: a failure, or an answer that repeating will not change.
    Final,
    /// It may have taken effect, and must not be sent again unseen.
    Uncertain,
}

pub(super) fn decide(repeat: Repeat, attempt: FailedAttempt) -> Decision {
    match (repeat, attempt) {
        (Repeat::Idempotent | Repeat::Never, FailedAttempt::NotSent) | (Repeat::Idempotent, FailedAttempt::Lost) => {
            Decision::Again
        }
        (Repeat::Never, FailedAttempt::Lost) => Decision::Uncertain,
        (repeat, FailedAttempt::Status(status)) => match status.as_u16() {
            // Rejected before it was processed.
            425 | 429 => Decision::Again,
            // 501 and 505 say "never", the others "not now" or "not completely".
            501 | 505 => Decision::Final,
            408 | 500..=599 => match repeat {
                Repeat::Idempotent => Decision::Again,
                Repeat::Never => Decision::Uncertain,
            },
            _ => Decision::Final,
        },
    }
}

/// The pause before the attempt after `attempt` (counted from 0), without a word from the server.
pub(super) fn pause(backoff: Backoff, attempt: u32) -> Duration {
    let ceiling = backoff
        .base
        .saturating_mul(2_u32.saturating_pow(attempt))
        .min(backoff.cap);
    ceiling.mul_f64(rand::random::<f64>())
}

/// `Retry-After` as a duration from now: seconds or an HTTP date. A date in the past is zero.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    let wait = date.duration_since(jiff::Timestamp::now());
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO))
}
