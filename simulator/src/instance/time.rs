//! The instance's clock and how it writes times.

use std::time::Duration;

use jiff::Timestamp;

/// `YYYY-MM-DD hh:mm:ss` in UTC.
pub(super) fn wire_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Seconds as a span that may lie before now.
pub(super) fn shifted(time: Timestamp, seconds: i64) -> Timestamp {
    let span = Duration::from_secs(seconds.unsigned_abs());
    let moved = if seconds < 0 {
        time.checked_sub(span)
    } else {
        time.checked_add(span)
    };
    moved.unwrap_or(time)
}
