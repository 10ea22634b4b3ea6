//! Identifiers, random texts and times as Microsoft writes them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

/// A random GUID, lower case.
pub(crate) fn guid() -> String {
    let random = rand::random::<u128>();
    let hex = format!("{:032x}", random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// Whether a text has the form of a GUID.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, letter)| match at {
            8 | 13 | 18 | 23 => letter == '-',
            _ => letter.is_ascii_hexdigit(),
        })
}

/// Base64url text of this many random octets.
pub(crate) fn random_text(octets: usize) -> String {
    let random: Vec<u8> = (0..octets).map(|_| rand::random()).collect();
    URL_SAFE_NO_PAD.encode(random)
}

/// A client secret in the form of Entra's, 40 characters: `abc8Q~…`.
pub(crate) fn client_secret() -> String {
    let random = random_text(27);
    format!("{}8Q~{}", &random[..3], &random[..34]).replace('-', ".")
}

/// A time in the form of [`now`].
pub(crate) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Now, in whole seconds, `2026-01-31T12:00:00Z`.
pub(crate) fn now() -> String {
    in_seconds(0)
}

/// So many seconds from now, in the form of [`now`].
pub(crate) fn in_seconds(seconds: i64) -> String {
    let now = Timestamp::now();
    let then = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
    written(then)
}

/// Whether the time is over. A text that is no time is: a credential without a readable end must not work.
pub(crate) fn is_past(time: &str) -> bool {
    !time.parse::<Timestamp>().is_ok_and(|time| time > Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_has_version_and_variant_of_a_random_one() {
        for _ in 0..100 {
            let guid = guid();

            assert!(is_guid(&guid), "{guid}");
            assert_eq!(&guid[14..15], "4", "{guid}");
            assert!("89ab".contains(&guid[19..20]), "{guid}");
        }
    }

    #[test]
    fn a_time_is_past_when_it_is_over_or_unreadable() {
        assert!(!is_past(&in_seconds(60)));
        assert!(is_past(&in_seconds(-1)));
        assert!(is_past("tomorrow"));
    }

    #[test]
    fn a_client_secret_has_forty_characters() {
        assert_eq!(client_secret().len(), 40);
    }
}
