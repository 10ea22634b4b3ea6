//! As much DER as the simulator reads: subject, validity and public key of an X.509 certificate.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What a certificate says that the simulator cares about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Certificate {
    /// Distinguished name in the order of the certificate, `CN=caller,O=Contoso`.
    pub(crate) subject: String,
    /// From when it is good.
    pub(crate) not_before: Timestamp,
    /// Until when it is good.
    pub(crate) not_after: Timestamp,
    /// The RSA public key (RFC 8017 `RSAPublicKey`), or the raw key bits of another algorithm.
    pub(crate) public_key: Vec<u8>,
}

/// Reads a DER certificate; `None` when it is not one.
pub(crate) fn certificate(der: &[u8]) -> Option<Certificate> {
    let (outer, _) = element(der, SEQUENCE)?;
    let (to_be_signed, _) = element(outer, SEQUENCE)?;
    // The version is optional, and what follows it is in a fixed order.
    let rest = match element(to_be_signed, VERSION) {
        Some((_, rest)) => rest,
        None => to_be_signed,
    };
    let (_serial, rest) = element(rest, INTEGER)?;
    let (_signature_algorithm, rest) = element(rest, SEQUENCE)?;
    let (_issuer, rest) = element(rest, SEQUENCE)?;
    let (validity, rest) = element(rest, SEQUENCE)?;
    let (not_before, until) = time(validity)?;
    let (not_after, _) = time(until)?;
    let (subject, rest) = element(rest, SEQUENCE)?;
    let (key_info, _) = element(rest, SEQUENCE)?;
    let (_key_algorithm, rest) = element(key_info, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    Some(Certificate {
        subject: distinguished_name(subject),
        not_before,
        not_after,
        // The first octet counts unused bits, which a key never has.
        public_key: bits.get(1..)?.to_vec(),
    })
}

/// Modulus and exponent of an RFC 8017 `RSAPublicKey`, big endian, without leading zeros.
pub(crate) fn rsa_numbers(public_key: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (numbers, _) = element(public_key, SEQUENCE)?;
    let (modulus, rest) = element(numbers, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    Some((unsigned(modulus), unsigned(exponent)))
}

/// The contents of the element with `tag` at the front of `input`, and what follows it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = input.split_first()?;
    if *found != tag {
        return None;
    }
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let octets = usize::from(*first & 0x7f);
        if octets == 0 || octets > 4 {
            return None;
        }
        let (length, rest) = rest.split_at_checked(octets)?;
        (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
    };
    rest.split_at_checked(length)
}

/// A `UTCTime`, whose years are those from 1950 to 2049, or a `GeneralizedTime`; and what follows it.
fn time(input: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest) = match element(input, UTC_TIME) {
        Some((text, rest)) => {
            let text = std::str::from_utf8(text).ok()?;
            let century = if text < "50" { "20" } else { "19" };
            (format!("{century}{text}"), rest)
        }
        None => {
            let (text, rest) = element(input, GENERALIZED_TIME)?;
            (String::from_utf8(text.to_vec()).ok()?, rest)
        }
    };
    let utc = DateTime::strptime("%Y%m%d%H%M%SZ", &text).ok()?;
    Some((utc.to_zoned(TimeZone::UTC).ok()?.timestamp(), rest))
}

fn distinguished_name(mut input: &[u8]) -> String {
    let mut parts = Vec::new();
    while let Some((set, rest)) = element(input, SET) {
        input = rest;
        let Some((pair, _)) = element(set, SEQUENCE) else {
            continue;
        };
        let Some((oid, value)) = element(pair, OBJECT_IDENTIFIER) else {
            continue;
        };
        let Some((text, _)) = value.first().and_then(|tag| element(value, *tag)) else {
            continue;
        };
        let name = match oid {
            [0x55, 0x04, 0x03] => "CN",
            [0x55, 0x04, 0x06] => "C",
            [0x55, 0x04, 0x0a] => "O",
            [0x55, 0x04, 0x0b] => "OU",
            _ => continue,
        };
        parts.push(format!("{name}={}", String::from_utf8_lossy(text)));
    }
    parts.join(",")
}

fn unsigned(number: &[u8]) -> Vec<u8> {
    let leading = number.iter().take_while(|octet| **octet == 0).count();
    number[leading..].to_vec()
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn subject_validity_and_key_of_a_certificate_are_found() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "caller");
        params.distinguished_name.push(DnType::OrganizationName, "Contoso");
        params.not_before = rcgen::date_time_ymd(2026, 1, 31);
        params.not_after = rcgen::date_time_ymd(2050, 1, 31);
        let der = params.self_signed(&key).unwrap();

        let read = certificate(der.der()).unwrap();

        assert_eq!(read.subject, "CN=caller,O=Contoso");
        assert_eq!(read.not_before.to_string(), "2026-01-31T00:00:00Z");
        assert_eq!(read.not_after.to_string(), "2050-01-31T00:00:00Z");
        assert_eq!(read.public_key, key.public_key_raw());
    }

    #[test]
    fn a_certificate_interrupted_is_none() {
        let der = CertificateParams::default()
            .self_signed(&KeyPair::generate().unwrap())
            .unwrap();

        for length in 0..200 {
            assert_eq!(certificate(&der.der()[..length]), None, "{length} octets");
        }
    }
}
