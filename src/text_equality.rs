//! When two texts mean the same to the other side: the one answer for both clients and everything above them.

/// Whether two texts differ only in blanks at their ends, in how lines end or, where they are a GUID or a sys_id, in case.
pub(crate) fn same_text(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    one == other || (is_id(one) && one.eq_ignore_ascii_case(other)) || line_feeds(one) == line_feeds(other)
}

/// A text with the one spelling of line ends.
pub(crate) fn line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Whether a text is a GUID or a sys_id, neither of which tells case apart.
fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(|byte| *byte != b'-');
    let is_hex = digits.clone().count() == 32 && digits.clone().all(|byte| byte.is_ascii_hexdigit());
    let groups = text.split('-').map(str::len);
    is_hex && (groups.clone().eq([32]) || groups.eq([8, 4, 4, 4, 12]))
}
