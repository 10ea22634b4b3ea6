//! What is said while a run goes on.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

/// Lines for a person, on standard error. The test runner does not hold them back, as it does what tests print.
#[derive(Clone)]
pub(crate) struct Screen {
    kept: Arc<Mutex<Vec<String>>>,
    is_shown: bool,
}

impl Screen {
    pub(crate) fn shown() -> Self {
        Self {
            kept: Arc::default(),
            is_shown: true,
        }
    }

    /// Only kept, for a test.
    pub(crate) fn hidden() -> Self {
        Self {
            is_shown: false,
            ..Self::shown()
        }
    }

    pub(crate) fn say(&self, line: &str) {
        if self.is_shown {
            // Whoever closed the terminal does not read it.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
        self.kept.lock().unwrap().push(line.to_owned());
    }

    /// Everything that was said.
    pub(crate) fn text(&self) -> String {
        self.kept.lock().unwrap().join("\n")
    }
}
