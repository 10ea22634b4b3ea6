//! Crash reports that the host recognises.
//!
//! A host shows its user what follows a line that begins with `panic: `. Rust's own text does not begin so, and it
//! would print secrets that are part of the message.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::{self, PanicHookInfo};

use crate::plugin::Mask;

/// Replaces the panic hook. Catching the panic is the business of whoever runs the call.
pub fn report_to_host(mask: Mask) {
    panic::set_hook(Box::new(move |info| {
        let backtrace = Backtrace::capture(); // empty unless RUST_BACKTRACE is set
        let report = report(info, &backtrace, mask);
        // One write, so that no log line gets in between. A reader that is gone must not cause a second panic.
        let _ = std::io::stderr().lock().write_all(report.as_bytes());
    }));
}

fn report(info: &PanicHookInfo<'_>, backtrace: &Backtrace, mask: Mask) -> String {
    let message = info.payload_as_str().unwrap_or("a value that is not text");
    let mut report = format!("panic: {}\n", mask(message));
    if let Some(location) = info.location() {
        report.push_str(&format!("  at {location}\n"));
    }
    if backtrace.status() == BacktraceStatus::Captured {
        for line in backtrace.to_string().lines().take(BACKTRACE_LINES) {
            report.push_str(&mask(line));
            report.push('\n');
        }
    } else {
        report.push_str("  (set RUST_BACKTRACE=1 to see the calls)\n");
    }
    report
}

/// The host keeps 100 lines of a report.
const BACKTRACE_LINES: usize = 90;
