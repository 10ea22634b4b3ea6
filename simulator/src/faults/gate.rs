//! Requests that wait until the test lets them go: what meets in time then does so for certain.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Keeps requests waiting until it is opened, for good. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    /// Without permits: whoever wants one waits until it is closed.
    semaphore: Arc<Semaphore>,
}

impl Gate {
    /// A gate that is shut.
    #[must_use]
    pub fn shut() -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(0)),
        }
    }

    /// Lets everybody through who waits or comes later.
    pub fn open(&self) {
        self.semaphore.close();
    }

    /// Waits until the gate is open.
    pub(super) async fn passed(&self) {
        // The error says that the semaphore was closed: the gate is open.
        let _ = self.semaphore.acquire().await;
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.semaphore, &other.semaphore)
    }
}

impl Eq for Gate {}
