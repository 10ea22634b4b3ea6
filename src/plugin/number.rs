//! Numbers that lose no digit.

use std::fmt;

/// A Terraform number: any size, any precision, kept in the form in which it came.
#[derive(Clone)]
pub enum Number {
    /// A whole number that fits.
    Integer(i64),
    /// A fraction that is exact as a double, or infinity.
    Float(f64),
    /// Everything else, as decimal text.
    Decimal(String),
}

impl Number {
    /// Reads decimal text; `None` when it is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = Canonical::of(text)?;
        Some(match text.parse::<i64>() {
            Ok(integer) => Number::Integer(integer),
            Err(_) => canonical
                .integer()
                .map_or_else(|| Number::Decimal(as_json(text)), Number::Integer),
        })
    }

    /// The number as a whole one, if it is whole and fits.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Number::Integer(integer) => Some(*integer),
            Number::Float(_) | Number::Decimal(_) => Canonical::of(&self.to_string())?.integer(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Integer(integer) => integer.fmt(f),
            Number::Float(float) => float.fmt(f),
            Number::Decimal(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A decimal number as JSON writes it, which allows no plus in front, no zeros in front of other digits, and no bare point.
fn as_json(text: &str) -> String {
    let parts = Parts::of(text);
    let sign = if parts.negative { "-" } else { "" };
    let whole = match parts.whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if parts.fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{}{}", parts.fraction, parts.exponent)
}

/// What a decimal text consists of, unchecked.
struct Parts<'a> {
    negative: bool,
    /// In front of the point.
    whole: &'a str,
    /// Behind the point.
    fraction: &'a str,
    /// With its letter; empty where there is none.
    exponent: &'a str,
}

impl Parts<'_> {
    fn of(text: &str) -> Parts<'_> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = rest.split_at(rest.find(['e', 'E']).unwrap_or(rest.len()));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Parts {
            negative,
            whole,
            fraction,
            exponent,
        }
    }
}

/// By value, as Terraform compares: 0.5, 0.50 and 5e-1 are one number.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => a == b,
            (Number::Float(a), Number::Float(b)) if a.is_infinite() || b.is_infinite() => a == b,
            _ => match (Canonical::of(&self.to_string()), Canonical::of(&other.to_string())) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl Eq for Number {}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Number::Integer(integer)
    }
}

/// Sign, significant digits, power of ten: one form for each value.
#[derive(Eq, PartialEq)]
struct Canonical {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Canonical {
    fn of(text: &str) -> Option<Self> {
        let Parts {
            negative,
            whole,
            fraction,
            exponent,
        } = Parts::of(text);
        let exponent = match exponent.get(1..) {
            Some(digits) => digits.parse::<i32>().ok()?,
            None => 0,
        };
        if whole.len() + fraction.len() == 0 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        let exponent = i64::from(exponent) - fraction.len() as i64 + (digits.len() - significant.len()) as i64;
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Canonical {
                negative: false,
                digits: String::new(),
                exponent: 0,
            });
        }
        Some(Canonical {
            negative,
            digits: significant.to_owned(),
            exponent,
        })
    }

    fn integer(&self) -> Option<i64> {
        let zeros = usize::try_from(self.exponent).ok().filter(|zeros| *zeros <= 19)?;
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}0{}{}", self.digits, "0".repeat(zeros)).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        assert_eq!(Number::Float(0.5), Number::Decimal("0.50".into()));
        assert_eq!(Number::Float(0.1), Number::Decimal("0.1".into()));
        assert_eq!(Number::Integer(100), Number::Decimal("1e2".into()));
        assert_ne!(
            Number::Decimal("9223372036854775808".into()),
            Number::Decimal("9223372036854775809".into())
        );
        assert_eq!(Number::parse("-0"), Number::parse("0"));
    }

    /// A state keeps a number whichever way it was written.
    #[test]
    fn a_number_is_kept_as_json_writes_it() {
        for (text, kept) in [
            ("012345612345678101234567890", "12345612345678101234567890"),
            ("-0012345678901234567890", "-12345678901234567890"),
            ("+1.50", "1.50"),
            ("00.5", "0.5"),
            (".5e-7", "0.5e-7"),
            ("25.e-1", "25e-1"),
            ("-.5", "-0.5"),
            ("1E400", "1E400"),
        ] {
            let number = Number::parse(text).unwrap();
            assert_eq!(number.to_string(), kept);
            assert!(kept.parse::<serde_json::Number>().is_ok(), "{kept}");
            assert_eq!(number, Number::Decimal(text.to_owned()));
        }
    }

    #[test]
    fn only_whole_numbers_that_fit_are_integers() {
        assert_eq!(Number::parse("42.0").and_then(|n| n.as_integer()), Some(42));
        assert_eq!(
            Number::parse("-9223372036854775808").and_then(|n| n.as_integer()),
            Some(i64::MIN)
        );
        assert_eq!(Number::parse("9223372036854775808").and_then(|n| n.as_integer()), None);
        assert_eq!(Number::parse("1.5").and_then(|n| n.as_integer()), None);
        assert_eq!(Number::Float(f64::INFINITY).as_integer(), None);
        for text in ["", "-", ".", "1e", "0x1", "one", "1.2.3"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }
}
