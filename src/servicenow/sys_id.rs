//! The key of a record.

use std::fmt;

/// A record's key: 32 lower-case hex digits when it was given to us. Proves the shape, not that the record exists.
///
/// The instance itself keeps a few keys of another shape (`execute` in `sys_security_operation`), so one read from an
/// answer is taken as it is. `global` is no key although `sys_scope` may hold it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SysId(String);

impl SysId {
    /// Reads a key that a user gave.
    ///
    /// # Errors
    /// [`NotASysId`] unless the text is 32 hex digits; capital ones are accepted.
    pub fn parse(text: &str) -> Result<SysId, NotASysId> {
        let is_key = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_key {
            return Err(NotASysId {
                text: text.chars().take(LENGTH * 2).collect(),
            });
        }
        Ok(SysId(text.to_ascii_lowercase()))
    }

    /// Whether a text looks like a key, for arguments that take a name or a key.
    pub fn is_one(text: &str) -> bool {
        SysId::parse(text).is_ok()
    }

    /// A key of our own making, so that an insert whose answer is lost can be recognised beyond doubt.
    pub(super) fn random() -> SysId {
        SysId(format!("{:032x}", rand::random::<u128>()))
    }

    /// The key as an answer has it, the usual kind in lower case. None for text that cannot be one, which would also be
    /// unsafe in a path.
    pub(super) fn from_answer(text: &str) -> Option<SysId> {
        if let Ok(sys_id) = SysId::parse(text) {
            return Some(sys_id);
        }
        let is_safe = !text.is_empty()
            && text.len() <= MAX_FOREIGN_LENGTH
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
            && !text.bytes().all(|byte| byte == b'.');
        is_safe.then(|| SysId(text.to_owned()))
    }

    /// The key as the wire has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SysId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is not a record's key.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("\"{text}\" is not a valid sys_id: expected 32 hexadecimal digits")]
pub struct NotASysId {
    /// What was given, shortened.
    pub text: String,
}

const LENGTH: usize = 32;
const MAX_FOREIGN_LENGTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_32_hex_digits_are_a_key() {
        let key = SysId::parse("6816F79CC0A8016401C5A33BE04BE441").unwrap();
        assert_eq!(key.as_str(), "6816f79cc0a8016401c5a33be04be441");
        for text in [
            "",
            "global",
            "6816f79cc0a8016401c5a33be04be44",
            "6816f79cc0a8016401c5a33be04be44^",
            "../../sys_user",
        ] {
            assert!(SysId::parse(text).is_err(), "{text}");
        }
        assert!(SysId::is_one(SysId::random().as_str()));
        assert_eq!(SysId::from_answer("6816F79CC0A8016401C5A33BE04BE441"), Some(key));
        assert_eq!(SysId::from_answer("execute").unwrap().as_str(), "execute");
        assert_eq!(SysId::from_answer("a/b"), None);
        assert_eq!(SysId::from_answer(".."), None);
    }
}
