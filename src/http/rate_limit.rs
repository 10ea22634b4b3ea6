//! The rate limit of a client: a maximum of concurrent requests, of requests per second, and none while the server asks for a
//! break.
//!
//! Facts: `rate-limit-is-429`.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::http::{HttpError, Limits};
use crate::sync::lock;

/// The rate limiter of one client.
pub(super) struct Pace {
    permits: Semaphore,
    spacing: Option<Duration>,
    schedule: Mutex<Schedule>,
}

/// Why a request may not be sent in time.
#[derive(Debug)]
pub(super) enum TooFast {
    /// The break that the server asked for outlasts the caller's deadline.
    Asked(Duration),
    /// The caller's own limits.
    Limits(HttpError),
}

impl Pace {
    pub(super) fn new(max_concurrent: usize, requests_per_second: Option<f64>) -> Self {
        let spacing = requests_per_second
            .filter(|rate| rate.is_finite() && *rate > 0.0)
            .map(|rate| Duration::from_secs_f64(1.0 / rate.max(SLOWEST)));
        Self {
            permits: Semaphore::new(max_concurrent.max(1)),
            spacing,
            schedule: Mutex::default(),
        }
    }

    /// Waits until a request may leave; it is in flight as long as the permit lives.
    pub(super) async fn permit(&self, limits: &Limits) -> Result<SemaphorePermit<'_>, TooFast> {
        // The permit comes first: slots are given to requests that can use them, or the rate would not hold.
        let permit = limits.bound(self.permits.acquire()).await;
        let permit = permit.map_err(TooFast::Limits)?;
        let permit = permit.map_err(|_| TooFast::Limits(HttpError::Cancelled))?;
        loop {
            let break_end = self.schedule().break_end;
            let Some(end) = break_end.filter(|end| *end > Instant::now()) else {
                break;
            };
            if end > limits.deadline {
                return Err(TooFast::Asked(end.saturating_duration_since(Instant::now())));
            }
            let wait = limits.bound(tokio::time::sleep_until(end)).await;
            wait.map_err(TooFast::Limits)?;
        }
        if let Some(spacing) = self.spacing {
            let slot = {
                let mut schedule = self.schedule();
                let now = Instant::now();
                let slot = schedule.slot.map_or(now, |slot| slot.max(now));
                schedule.slot = Some(slot + spacing);
                slot
            };
            let wait = limits.bound(tokio::time::sleep_until(slot)).await;
            wait.map_err(TooFast::Limits)?;
        }
        Ok(permit)
    }

    /// The server asked all requests to wait.
    pub(super) fn pause(&self, wait: Duration) {
        let Some(end) = Instant::now().checked_add(wait) else {
            return;
        };
        let mut schedule = self.schedule();
        schedule.break_end = Some(schedule.break_end.map_or(end, |known| known.max(end)));
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        lock(&self.schedule)
    }
}

#[derive(Default)]
struct Schedule {
    /// When the next request may be sent, at the earliest.
    slot: Option<Instant>,
    break_end: Option<Instant>,
}

/// Requests per second, at least: one every thousand seconds.
const SLOWEST: f64 = 0.001;
