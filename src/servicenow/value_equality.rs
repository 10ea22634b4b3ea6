//! When two texts of the wire mean the same.

use url::Url;

use crate::servicenow::record::{parse_date_time, parse_integer};
use crate::servicenow::table::ColumnKind;
use crate::text_equality::same_text;

/// Whether two texts of the wire are the same value. Resources use it to tell drift from noise.
pub fn means_the_same(kind: ColumnKind, one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    if one == other {
        return true;
    }
    match kind {
        ColumnKind::Text | ColumnKind::Secret => same_text(one, other),
        ColumnKind::Email => one.to_lowercase() == other.to_lowercase(),
        ColumnKind::Bool => is_true(one) == is_true(other),
        ColumnKind::Reference => one.eq_ignore_ascii_case(other),
        ColumnKind::Integer => {
            matches!((parse_integer(one), parse_integer(other)), (Some(a), Some(b)) if a == b)
        }
        ColumnKind::Decimal => {
            matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(a), Ok(b)) if (a - b).abs() <= f64::EPSILON * a.abs())
        }
        ColumnKind::Url => matches!((Url::parse(one), Url::parse(other)), (Ok(a), Ok(b)) if a == b),
        ColumnKind::DateTime => {
            matches!((parse_date_time(one), parse_date_time(other)), (Some(a), Some(b)) if a == b)
        }
    }
}

/// A Boolean as instances write it.
pub(super) fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text == "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_meaning() {
        for (kind, one, other, same) in [
            (ColumnKind::Text, "a ", "a", true),
            (ColumnKind::Text, "a", "A", false),
            (ColumnKind::Text, "a\r\nb", "a\nb", true),
            (
                ColumnKind::Text,
                "ABCDEF01-2222-3333-4444-555555555555",
                "abcdef01-2222-3333-4444-555555555555",
                true,
            ),
            (
                ColumnKind::Text,
                "6816F79CC0A8016401C5A33BE04BE441",
                "6816f79cc0a8016401c5a33be04be441",
                true,
            ),
            (
                ColumnKind::Text,
                "ABCDEF012222-3333-4444-555555555555",
                "abcdef012222-3333-4444-555555555555",
                false,
            ),
            (ColumnKind::Email, "Robot@Example.com ", "robot@example.com", true),
            (ColumnKind::Email, "robot@example.com", "robot@example.org", false),
            (ColumnKind::Bool, "true", "1", true),
            (ColumnKind::Bool, "false", "", true),
            (ColumnKind::Bool, "true", "", false),
            (ColumnKind::Integer, "300", "0300", true),
            (ColumnKind::Integer, "300", "", false),
            (ColumnKind::Decimal, "12.5", "12.50", true),
            (ColumnKind::Decimal, "0", "0.00", true),
            (ColumnKind::Decimal, "12.5", "12.51", false),
            (ColumnKind::Decimal, "12.5", "", false),
            (
                ColumnKind::Url,
                "https://Login.example.com",
                "https://login.example.com/",
                true,
            ),
            (
                ColumnKind::Url,
                "https://login.example.com/a",
                "https://login.example.com/a/",
                false,
            ),
            (ColumnKind::Url, "not an address", "neither", false),
            (ColumnKind::Reference, "ABC", "abc", true),
        ] {
            assert_eq!(means_the_same(kind, one, other), same, "{kind:?} {one:?} {other:?}");
        }
    }
}
