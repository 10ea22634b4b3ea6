//! When two texts of the wire mean the same.

use std::net::IpAddr;

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
        ColumnKind::IpAddress => {
            matches!((one.parse::<IpAddr>(), other.parse::<IpAddr>()), (Ok(a), Ok(b)) if a == b)
                || same_text(one, other)
        }
        ColumnKind::DateTime => {
            matches!((parse_date_time(one), parse_date_time(other)), (Some(a), Some(b)) if a == b)
        }
    }
}

/// The texts that an instance may hold for an address, the usual one first; none where there is only one.
///
/// They are those that people and programs write: an IPv6 address with and without its zeros, a URL with and without its port.
pub(super) fn spellings(kind: ColumnKind, text: &str) -> Vec<String> {
    let text = text.trim();
    match kind {
        ColumnKind::IpAddress => match text.parse() {
            Ok(IpAddr::V6(address)) => {
                let groups = address.segments();
                let short = groups.map(|group| format!("{group:x}")).join(":");
                let long = groups.map(|group| format!("{group:04x}")).join(":");
                vec![address.to_string(), short, long]
            }
            Ok(IpAddr::V4(_)) | Err(_) => Vec::new(),
        },
        ColumnKind::Url => url_spellings(text).unwrap_or_default(),
        ColumnKind::Text
        | ColumnKind::Email
        | ColumnKind::Bool
        | ColumnKind::Integer
        | ColumnKind::Decimal
        | ColumnKind::Reference
        | ColumnKind::Secret
        | ColumnKind::DateTime => Vec::new(),
    }
}

fn url_spellings(text: &str) -> Option<Vec<String>> {
    let url = Url::parse(text).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let start = format!("{}://{host}", url.scheme());
    let usual = url.to_string();
    let rest = usual.strip_prefix(&start)?;
    // A port that is the usual one is left out of it already.
    let with_port = url.port().is_none().then(|| format!("{start}:{port}{rest}"));
    Some([Some(usual.clone()), with_port].into_iter().flatten().collect())
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
            (ColumnKind::IpAddress, "2001:DB8::1", "2001:db8:0:0:0:0:0:1 ", true),
            (ColumnKind::IpAddress, "2001:db8::1", "2001:db8::2", false),
            (ColumnKind::IpAddress, "10.0.0.1", "10.0.0.1", true),
            (ColumnKind::IpAddress, "10.0.0.1", "10.0.0.2", false),
            (ColumnKind::Reference, "ABC", "abc", true),
        ] {
            assert_eq!(means_the_same(kind, one, other), same, "{kind:?} {one:?} {other:?}");
        }
    }

    #[test]
    fn an_address_is_looked_for_in_every_spelling() {
        let spelled = |kind, text| spellings(kind, text).join(" ");

        assert_eq!(
            spelled(ColumnKind::IpAddress, "2001:DB8:0::1"),
            "2001:db8::1 2001:db8:0:0:0:0:0:1 2001:0db8:0000:0000:0000:0000:0000:0001"
        );
        assert_eq!(spelled(ColumnKind::IpAddress, "10.0.0.1"), "");
        assert_eq!(
            spelled(ColumnKind::Url, "https://Login.example.com:443/x/../a?b"),
            "https://login.example.com/a?b https://login.example.com:443/a?b"
        );
        assert_eq!(
            spelled(ColumnKind::Url, "https://login.example.com:8443/a"),
            "https://login.example.com:8443/a"
        );
        assert_eq!(spelled(ColumnKind::Url, "not an address"), "");
        assert_eq!(spelled(ColumnKind::Text, "a"), "");
    }
}
