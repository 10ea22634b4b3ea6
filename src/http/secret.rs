//! Values that must not be printed, and the masking of whatever is.
//!
//! Two nets: by value (everything registered once is masked wherever it turns up, in the encodings that HTTP uses), and
//! by key (the well-known names of secrets in JSON, forms and headers, for values that nobody registered: those that a
//! server returns).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex_lite::Regex;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::sync::{read, write};

/// A text that is never printed. The one way out is [`Secret::expose`].
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself. Every call is a place to audit.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// From now on [`mask`] hides this value, also percent-encoded, JSON-escaped and in base64. Escapes are undone before the
/// comparison, however the other side writes them; the forms that are listed here are those that a plus for a blank, or
/// base64, hides from that.
///
/// Values shorter than four characters are not registered: they would mask half of every text. Of a value that is spared
/// ([`spare`]) only base64 is.
pub fn register(secret: &Secret) {
    let value = secret.expose();
    if value.chars().count() < SHORTEST {
        return;
    }
    if read(&REGISTRY).known.contains(value) {
        return;
    }
    let mut registry = write(&REGISTRY);
    if !registry.known.insert(value.to_owned()) {
        return;
    }
    if !is_spared(value) {
        registry.add(value.to_owned());
        // A form, in which only the plus for a blank is left once the rest is undone.
        registry.add(value.replace(' ', "+"));
    }
    for form in [
        STANDARD.encode(value),
        STANDARD_NO_PAD.encode(value),
        URL_SAFE_NO_PAD.encode(value),
    ] {
        registry.add(form);
    }
}

/// From now on a secret that is one of these words, or a part of one, in any case, masks none of them: `***` in place of a
/// word that the program itself says would tell what the secret is, and hide what the message says. The words are one per
/// line, in small letters; those of the first call count.
pub fn spare(words: &'static str) {
    SPARED.get_or_init(|| words);
}

fn is_spared(value: &str) -> bool {
    let words = SPARED.get().copied().unwrap_or_default();
    !value.contains('\n') && words.contains(&value.to_ascii_lowercase())
}

/// Hides every registered value and every value under a well-known secret key.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    match mask_values(text) {
        Cow::Borrowed(text) => mask_keys(text),
        Cow::Owned(text) => Cow::Owned(mask_keys(&text).into_owned()),
    }
}

fn mask_values(text: &str) -> Cow<'_, str> {
    let registry = read(&REGISTRY);
    let mut hidden = Vec::new();
    for view in views(text) {
        registry.find(&view, &mut hidden);
    }
    drop(registry);
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    hidden.sort_unstable_by_key(|range| range.start);
    let mut masked = String::new();
    let mut copied = 0;
    let mut hidden = hidden.into_iter().peekable();
    while let Some(mut range) = hidden.next() {
        // Secrets that overlap or touch are hidden as one.
        while let Some(next) = hidden.next_if(|next| next.start <= range.end) {
            range.end = range.end.max(next.end);
        }
        masked.push_str(&text[copied..range.start]);
        masked.push_str(MASK);
        copied = range.end;
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

/// The text as it is, and with escapes undone: JSON quotes JSON, and an address quotes both.
fn views(text: &str) -> Vec<View<'_>> {
    let mut views = vec![View::of(text)];
    let mut undone = 0;
    for _ in 0..DEPTH {
        let deeper: Vec<_> = views[undone..]
            .iter()
            .flat_map(|view| [view.json_unescaped(), view.percent_decoded()])
            .flatten()
            .collect();
        undone = views.len();
        views.extend(deeper);
    }
    views
}

/// How many escapes within each other are undone.
const DEPTH: usize = 3;

/// A text with escapes undone, and where each of its bytes stands in the original.
struct View<'a> {
    bytes: Cow<'a, [u8]>,
    /// One more than there are bytes; none where nothing was undone.
    starts: Vec<usize>,
}

impl<'a> View<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            bytes: Cow::Borrowed(text.as_bytes()),
            starts: Vec::new(),
        }
    }

    /// As a JSON reader sees it, whatever was escaped (`\/`, `\u00fc`, `\u003d`), also in a document that was cut.
    fn json_unescaped(&self) -> Option<View<'a>> {
        self.decoded(b'\\', |rest| {
            let escaped = *rest.first()?;
            let (letter, length) = match escaped {
                b'u' => {
                    let (letter, length) = utf16_escape(&rest[1..])?;
                    (letter, 2 + length)
                }
                b'n' => ('\n', 2),
                b'r' => ('\r', 2),
                b't' => ('\t', 2),
                b'b' => ('\u{8}', 2),
                b'f' => ('\u{c}', 2),
                b'"' | b'\\' | b'/' => (char::from(escaped), 2),
                _ => return None,
            };
            Some((letter.to_string().into_bytes(), length))
        })
    }

    /// With `%C3` and `%c3` as the byte that they stand for.
    fn percent_decoded(&self) -> Option<View<'a>> {
        self.decoded(b'%', |rest| {
            let digits = rest.get(..2)?;
            let byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            Some((vec![byte], 3))
        })
    }

    /// Undoes what `escape` recognises after a byte that begins escapes: the bytes, and how long the escape is. None where there
    /// is no such escape, as in most texts.
    fn decoded(&self, begins: u8, escape: impl Fn(&[u8]) -> Option<(Vec<u8>, usize)>) -> Option<View<'a>> {
        if !self.bytes.contains(&begins) {
            return None;
        }
        let length = self.bytes.len();
        let (mut bytes, mut starts) = (Vec::with_capacity(length), Vec::with_capacity(length + 1));
        let (mut at, mut is_escaped) = (0, false);
        while at < length {
            let byte = self.bytes[at];
            let undone = (byte == begins).then(|| escape(&self.bytes[at + 1..])).flatten();
            let Some((undone, length)) = undone else {
                starts.push(self.start(at));
                bytes.push(byte);
                at += 1;
                continue;
            };
            is_escaped = true;
            starts.extend(std::iter::repeat_n(self.start(at), undone.len()));
            bytes.extend(undone);
            at += length;
        }
        starts.push(self.start(length));
        is_escaped.then_some(View {
            bytes: Cow::Owned(bytes),
            starts,
        })
    }

    /// Where a byte stands in the original.
    fn start(&self, at: usize) -> usize {
        self.starts.get(at).copied().unwrap_or(at)
    }

    /// A range of this view in the original.
    fn original(&self, range: Range<usize>) -> Range<usize> {
        self.start(range.start)..self.start(range.end)
    }
}

/// The letter of `00fc`, or of a pair such as `d83d\ude00`, and its length.
fn utf16_escape(text: &[u8]) -> Option<(char, usize)> {
    let unit = |text: &[u8]| u16::from_str_radix(std::str::from_utf8(text.get(..4)?).ok()?, 16).ok();
    let first = unit(text)?;
    if let Some(Ok(letter)) = char::decode_utf16([first]).next() {
        return Some((letter, 4));
    }
    let second = unit(text.get(4..)?.strip_prefix(b"\\u")?)?;
    let letter = char::decode_utf16([first, second]).next()?.ok()?;
    Some((letter, 10))
}

fn mask_keys(text: &str) -> Cow<'_, str> {
    let start = text.trim_start();
    if start.starts_with(['{', '['])
        && let Ok(mut value) = serde_json::from_str::<Value>(text)
    {
        return if mask_tree(&mut value) {
            Cow::Owned(value.to_string())
        } else {
            Cow::Borrowed(text)
        };
    }
    let mut masked = Cow::Borrowed(text);
    for (pattern, replacement) in PATTERNS.iter() {
        if pattern.is_match(&masked) {
            masked = Cow::Owned(pattern.replace_all(&masked, *replacement).into_owned());
        }
    }
    masked
}

/// Masks what lies under secret keys, however deep; tells whether there was anything. Registered values are gone already.
fn mask_tree(value: &mut Value) -> bool {
    match value {
        Value::Object(fields) => {
            let mut any = false;
            for (key, field) in fields.iter_mut() {
                any |= if is_secret_key(key) {
                    blot(field)
                } else {
                    mask_tree(field)
                };
            }
            any
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| mask_tree(item) | any),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Replaces a value under a secret key; null, booleans and empty text say nothing and stay.
fn blot(value: &mut Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::String(text) if text.is_empty() => false,
        Value::String(_) | Value::Number(_) => {
            *value = Value::from(MASK);
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| blot(item) | any),
        Value::Object(fields) => fields.iter_mut().fold(false, |any, (_, field)| blot(field) | any),
    }
}

/// Whether a value under this name is a secret, whatever the spelling: `clientSecret`, `client_secret`, `Client-Secret`.
#[must_use]
pub fn is_secret_key(key: &str) -> bool {
    let plain: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    KEYS.contains(&plain.as_str())
}

/// The registered secrets. A text is scanned once, however many there are: each managed user can have one.
#[derive(Default)]
struct Registry {
    known: HashSet<String>,
    /// The forms that a value can take, by their first bytes.
    patterns: HashMap<[u8; SHORTEST], Vec<Zeroizing<String>>>,
}

impl Registry {
    fn add(&mut self, form: String) {
        let Some(first) = form.as_bytes().first_chunk() else {
            return;
        };
        let patterns = self.patterns.entry(*first).or_default();
        if !patterns.iter().any(|pattern| pattern.as_str() == form) {
            patterns.push(Zeroizing::new(form));
        }
    }

    /// Finds every registered value in a view, as ranges of the original text.
    fn find(&self, view: &View<'_>, hidden: &mut Vec<Range<usize>>) {
        for start in 0..view.bytes.len() {
            if let Some(length) = self.longest_at(&view.bytes[start..]) {
                hidden.push(view.original(start..start + length));
            }
        }
    }

    /// The length of the longest form that these bytes begin with; or of the beginning of one, where it was cut.
    fn longest_at(&self, bytes: &[u8]) -> Option<usize> {
        let patterns = self.patterns.get(bytes.first_chunk::<SHORTEST>()?)?;
        let here = patterns.iter().filter_map(|pattern| begun(pattern, bytes));
        here.max()
    }
}

/// How much of a secret stands at the beginning of these bytes, if that is all of it, or enough to tell it: at least half, or all
/// that a text has left.
fn begun(secret: &str, bytes: &[u8]) -> Option<usize> {
    let same = secret
        .bytes()
        .zip(bytes)
        .take_while(|(one, other)| one == *other)
        .count();
    if same == secret.len() {
        return Some(same);
    }
    let same = (0..=same).rev().find(|at| secret.is_char_boundary(*at))?;
    let is_telling = same >= CUT && (2 * same >= secret.len() || same == bytes.len()) && !is_spared(&secret[..same]);
    is_telling.then_some(same)
}

/// So many bytes of a secret that was cut are hidden.
const CUT: usize = 8;

static SPARED: OnceLock<&str> = OnceLock::new();

static REGISTRY: LazyLock<RwLock<Registry>> = LazyLock::new(RwLock::default);

/// In text that is no JSON document (a cut one, a form, a header dump, a sentence): the key, and what follows it.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    // Between the words of a key there may be a separator.
    let keys = SPELLINGS.join("|");
    let sources = [
        // "key": "value", also cut before the closing quote, also with escaped quotes.
        (
            format!(r#"(?i)(\\?"(?:{keys})\\?"\s*:\s*\\?")(?:\\[^"]|[^"\\])+"#),
            "${1}***",
        ),
        // key=value in a form, a query or a sentence.
        (format!(r#"(?i)((?:^|[^a-z0-9_-])(?:{keys})=)[^&\s"']+"#), "${1}***"),
        // Header: value.
        (
            r"(?i)((?:authorization|cookie|x-sn-apikey|proxy-authorization)\s*:\s*)[^\r\n]+".to_owned(),
            "${1}***",
        ),
        // "Basic authentication" and its like are words, not credentials.
        (
            r"\b((?i:bearer|basic)\s+)[a-z]*[A-Z0-9._~+/=-][A-Za-z0-9._~+/=-]{3,}".to_owned(),
            "${1}***",
        ),
    ];
    sources
        .into_iter()
        .filter_map(|(source, replacement)| Some((Regex::new(&source).ok()?, replacement)))
        .collect()
});

/// Names of secrets, letters and digits only, lower case.
const KEYS: &[&str] = &[
    "accesstoken",
    "apikey",
    "assertion",
    "authorization",
    "clientassertion",
    "clientsecret",
    "cookie",
    "idtoken",
    "oidctoken",
    "password",
    "passwd",
    "privatekey",
    "proxyauthorization",
    "refreshtoken",
    "restuserpassword",
    "secret",
    "secrettext",
    "setcookie",
    "userpassword",
    "xsnapikey",
];

/// The same names as they are spelled, for text that cannot be parsed.
const SPELLINGS: &[&str] = &[
    "access[_-]?token",
    "api[_-]?key",
    "assertion",
    "authorization",
    "client[_-]?assertion",
    "client[_-]?secret",
    "cookie",
    "id[_-]?token",
    "oidc[_-]?token",
    "password",
    "passwd",
    "private[_-]?key",
    "refresh[_-]?token",
    "rest[_-]?user[_-]?password",
    "secret",
    "secret[_-]?text",
    "set-cookie",
    "user[_-]?password",
    "x-sn-apikey",
];

const MASK: &str = "***";
const SHORTEST: usize = 4;

#[cfg(test)]
mod tests {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

    use super::*;

    /// RFC 3986: what a careful encoder leaves alone.
    const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

    #[test]
    fn a_registered_value_is_hidden_in_every_encoding() {
        let secret = Secret::from("p\"ä s/s+w&rd=1");
        register(&secret);

        let forms = [
            secret.expose().to_owned(),
            url::form_urlencoded::Serializer::new(String::new())
                .append_pair("x", secret.expose())
                .finish(),
            utf8_percent_encode(secret.expose(), NON_ALPHANUMERIC).to_string(),
            serde_json::json!({ "harmless": secret.expose() }).to_string(),
            STANDARD.encode(secret.expose()),
            URL_SAFE_NO_PAD.encode(secret.expose()),
        ];
        for form in forms {
            let masked = mask(&format!("before {form} after")).into_owned();
            assert!(masked.contains(MASK), "{form} -> {masked}");
            assert!(
                !masked.contains("s/s") && !masked.contains("s%2Fs") && !masked.contains("w&rd"),
                "{masked}"
            );
            assert!(masked.starts_with("before ") && masked.ends_with(" after"), "{masked}");
        }
    }

    #[test]
    fn a_registered_value_is_hidden_however_json_escapes_it() {
        register(&Secret::from("slash/and ümlaut=😀"));

        for escaped in [
            r"slash/and ümlaut=😀",
            r"slash\/and \u00fcmlaut=😀",
            r"slash\u002fand\u0020\u00FCmlaut\u003d\ud83d\ude00",
            r"\u0073lash/and ümlaut\u003D\uD83D\uDE00",
        ] {
            let document = format!(r#"{{"note":["quoting {escaped} here"]}}"#);
            assert_eq!(mask(&document), r#"{"note":["quoting *** here"]}"#, "{escaped}");
            // What was cut is no document any more.
            let cut = format!(r#"{{"note":["quoting {escaped} he"#);
            assert_eq!(mask(&cut), r#"{"note":["quoting *** he"#, "{escaped}");
        }
    }

    #[test]
    fn control_characters_of_a_secret_are_known_by_their_letters() {
        register(&Secret::from("key\tof\nmany\rlines\u{8}and\u{c}pages".to_owned()));

        let document = r#"{"note":["it says key\tof\nmany\rlines\band\fpages twice"]}"#;

        assert_eq!(mask(document), r#"{"note":["it says *** twice"]}"#);
    }

    #[test]
    fn a_registered_value_is_hidden_where_escapes_are_escaped() {
        let secret = "Rw/S3cretÜnë&%+\"z";
        register(&Secret::from(secret));

        let quoted = serde_json::json!({ "pw": secret })
            .to_string()
            .replace('/', r"\/")
            .replace('Ü', r"\u00dc");
        let detail = serde_json::json!({ "detail": quoted }).to_string();
        let twice = serde_json::json!({ "error": detail }).to_string();
        let address = utf8_percent_encode(&quoted, NON_ALPHANUMERIC).to_string();
        for form in [
            &quoted,
            &detail,
            &twice,
            &address,
            &address.replace("%5C", "%5c").replace("%C3", "%c3"),
        ] {
            // Cut, so that it is no document.
            let masked = mask(&form[..form.len() - 1]).into_owned();
            assert!(masked.contains(MASK) && !masked.contains("3cret"), "{form} -> {masked}");
        }
    }

    #[test]
    fn what_is_left_of_a_registered_value_that_was_cut_is_hidden() {
        register(&Secret::from("hunter2-and-more-of-it"));

        for (text, masked) in [
            ("detail: hunter2-and-mo and more", "detail: *** and more"),
            ("detail: hunter2-", "detail: ***"),
            (r#"{"detail":"hunter2-and-m\u006fre-o""#, r#"{"detail":"***""#),
            // Too little to tell it.
            ("detail: hunter2- was cut", "detail: hunter2- was cut"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn a_registered_value_is_hidden_however_it_is_percent_encoded() {
        let secret = "päss/w+rd & ~more_";
        register(&Secret::from(secret));
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let forms = [
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            utf8_percent_encode(secret, UNRESERVED).to_string(),
            form,
            "p%C3%a4ss/w%2brd%20&%20~more_".to_owned(),
        ];
        for form in forms {
            for form in [form.to_lowercase(), form] {
                assert_eq!(mask(&format!("q={form}&n=1")), "q=***&n=1", "{form}");
            }
        }
    }

    /// The three alphabets and paddings differ for this one.
    #[test]
    fn a_registered_value_is_hidden_in_each_base64() {
        let secret = "subjects?>>ü~";
        register(&Secret::from(secret));
        let forms = [
            STANDARD.encode(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
        ];
        for (number, form) in forms.iter().enumerate() {
            assert_eq!(mask(&format!("<{form}>")), "<***>", "{form}");
            assert!(!forms[..number].contains(form), "{forms:?}");
        }
    }

    #[test]
    fn four_characters_are_a_secret_and_three_are_none() {
        register(&Secret::from("Qx7!"));
        register(&Secret::from("Qz9"));

        assert_eq!(mask("Qx7! Qz9"), "*** Qz9");
    }

    #[test]
    fn every_secret_of_a_list_is_hidden() {
        register(&Secret::from("first-of-list"));
        register(&Secret::from("second-of-list"));
        let registered = r#"{"names":["first-of-list","second-of-list"]}"#;
        assert_eq!(mask(registered), r#"{"names":["***","***"]}"#);
        let escaped = r#"{"names":["first\u002dof-list","second\u002dof-list"]}"#;
        assert_eq!(mask(escaped), r#"{"names":["***","***"]}"#);
        let records = r#"[{"n":1,"secret":"one"},{"n":2,"secret":"two"}]"#;
        assert_eq!(mask(records), r#"[{"n":1,"secret":"***"},{"n":2,"secret":"***"}]"#);
        for (alone, masked) in [
            (r#"{"secret":["one","two"]}"#, r#"{"secret":["***","***"]}"#),
            (
                r#"{"secret":{"a":"one","b":"two"}}"#,
                r#"{"secret":{"a":"***","b":"***"}}"#,
            ),
            (
                r#"{"password":"one","secret":"two"}"#,
                r#"{"password":"***","secret":"***"}"#,
            ),
        ] {
            assert_eq!(mask(alone), masked);
        }
        let by_key = r#"{"secret":["one","two"],"password":{"value":"one","link":"two"}}"#;
        assert_eq!(
            mask(by_key),
            r#"{"password":{"link":"***","value":"***"},"secret":["***","***"]}"#
        );
    }

    #[test]
    fn secrets_that_overlap_leave_nothing_of_each_other() {
        register(&Secret::from("overlap-one-overlap-two"));
        register(&Secret::from("overlap-two-overlap-three"));

        let masked = mask("a overlap-one-overlap-two-overlap-three b overlap-one-overlap-two c");

        assert_eq!(masked, "a *** b *** c");
    }

    #[test]
    fn values_under_secret_keys_are_hidden_without_registration() {
        let texts = [
            r#"{"client_secret":"hush-hush","n":1}"#,
            r#"{"result":[{"deep":{"UserPassword":{"display_value":"x","value":"hush-hush"}}}]}"#,
            r#"{"cut":1,"access_token":"hush-hush"#,
            r#"{"cut":1,"refreshToken" : "hush-hush\"more"#,
            r#"an error: \"secretText\":\"hush-hush\" was bad"#,
            "grant_type=x&client_secret=hush-hush&scope=y",
            "RestUserPassword=hush-hush",
            "Authorization: Bearer hush-hush",
            "x-sn-apikey: hush-hush",
            "Set-Cookie: a=hush-hush; path=/",
            "client_assertion=hush-hush",
            "sent with Bearer hush-hush-hush to it",
        ];
        for text in texts {
            let masked = mask(text);
            assert!(!masked.contains("hush"), "{text} -> {masked}");
        }
    }

    #[test]
    fn harmless_text_is_left_alone() {
        let texts = [
            r#"{"token_url":"https://x/oauth2/token","password":"","client_id":"1"}"#,
            "the password is wrong",
            "token_url=https://x",
        ];
        for text in texts {
            assert_eq!(mask(text), text);
        }
    }

    /// Whatever a text looks like, a registered value does not come through.
    #[test]
    fn fuzz_mask() {
        let secret = Secret::from("fuzzed/sécret+1");
        register(&secret);
        let examples = [
            r#"{"client_secret":"x","a":[{"note":"fuzzed\/s\u00e9cret+1","fuzzed\/sécret+1":1}]}"#,
            r#"{"cut":1,"access_token":"fuzzed/sécret+1"#,
            "grant_type=x&client_secret=fuzzed%2Fs%C3%A9cret%2B1&scope=y",
            "Authorization: Bearer fuzzed/sécret+1\r\nCookie: a=b",
        ];
        crate::fuzz::fuzz_text(
            &examples,
            &[secret.expose(), "\\u00e9", "\\/", "password", "\":\"", "***"],
            |text| {
                assert!(!mask(text).contains(secret.expose()));
            },
        );
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", Secret::from("hush-hush")), "***");
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 4);
    }
}
