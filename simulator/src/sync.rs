//! Locks that outlive a panic: what is locked here is plain values that a panic of one request leaves whole.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value of a lock, whoever panicked while holding it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
