//! Durations as Go writes them: `30s`, `2h45m`, `1.5h`, `300ms`.

use std::time::Duration;

/// Reads a duration; `None` when it is none, negative or beyond a century.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0f64;
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let (factor, length) = [
            ("ms", 0.001),
            ("us", 0.000_001),
            ("ns", 1e-9),
            ("h", 3600.0),
            ("m", 60.0),
            ("s", 1.0),
        ]
        .iter()
        .find(|(name, _)| unit.starts_with(name))
        .map(|(name, factor)| (*factor, name.len()))?;
        seconds += number * factor;
        rest = &unit[length..];
    }
    (seconds <= 100.0 * 365.25 * 86400.0).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("2h45m", 9_900_000),
            ("1.5h", 5_400_000),
            ("300ms", 300),
            ("1m30s", 90_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "5", "s", "-1s", "1 h", "1d", "1e9h", "99999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
