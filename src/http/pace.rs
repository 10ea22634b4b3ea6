//! How fast requests leave: at most so many at a time, at most so many per second, and none while the server asks for a
//! break.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{HttpError, Limits};

/// The pace of one client.
pub(super) struct Pace {
    slots: Semaphore,
    spacing: Option<Duration>,
    next: Mutex<Schedule>,
}

/// Why a request may not leave in time.
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
            .map(|rate| Duration::from_secs_f64(1.0 / rate.max(0.001)));
        Self {
            slots: Semaphore::new(max_concurrent.max(1)),
            spacing,
            next: Mutex::default(),
        }
    }

    /// Waits until a request may leave; it is in flight as long as the permit lives.
    pub(super) async fn permit(&self, limits: &Limits) -> Result<SemaphorePermit<'_>, TooFast> {
        loop {
            let break_end = self.schedule().break_end;
            let Some(end) = break_end.filter(|end| *end > Instant::now()) else {
                break;
            };
            if end > limits.deadline {
                return Err(TooFast::Asked(
                    end.saturating_duration_since(Instant::now()),
                ));
            }
            limits
                .bound(tokio::time::sleep_until(end))
                .await
                .map_err(TooFast::Limits)?;
        }
        if let Some(spacing) = self.spacing {
            let turn = {
                let mut schedule = self.schedule();
                let now = Instant::now();
                let turn = schedule.turn.map_or(now, |turn| turn.max(now));
                if turn > limits.deadline {
                    return Err(TooFast::Limits(HttpError::DeadlineExceeded {
                        waited: Duration::ZERO,
                        last: Some(
                            "requests_per_second leaves no turn before the deadline".to_owned(),
                        ),
                    }));
                }
                schedule.turn = Some(turn + spacing);
                turn
            };
            limits
                .bound(tokio::time::sleep_until(turn))
                .await
                .map_err(TooFast::Limits)?;
        }
        let permit = limits
            .bound(self.slots.acquire())
            .await
            .map_err(TooFast::Limits)?;
        permit.map_err(|_| TooFast::Limits(HttpError::Cancelled))
    }

    /// The server asked all requests to wait.
    pub(super) fn pause(&self, wait: Duration) {
        let mut schedule = self.schedule();
        let Some(end) = Instant::now().checked_add(wait) else {
            return;
        };
        schedule.break_end = Some(schedule.break_end.map_or(end, |known| known.max(end)));
    }

    fn schedule(&self) -> std::sync::MutexGuard<'_, Schedule> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Schedule {
    turn: Option<Instant>,
    break_end: Option<Instant>,
}
