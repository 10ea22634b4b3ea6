//! Checks of a configuration before anything is planned or written.
//!
//! A check gets only values that are known and not null, and passes while a value it depends on is unknown.

use std::fmt;
use std::sync::Arc;

use crate::plugin::diagnostics::{Diagnostic, Diagnostics};
use crate::plugin::duration;
use crate::plugin::path::{Path, Trail};
use crate::plugin::schema::{Attribute, AttributeKind, Nesting, Schema};
use crate::plugin::ty::Type;
use crate::plugin::value::{Object, Value};
use crate::suggest;

/// A check of one attribute's value.
#[derive(Clone)]
pub struct Validator {
    /// The rule, for the reference page; empty if the page states it elsewhere.
    pub rule: String,
    check: Check,
}

/// Answers with what is wrong and what to do.
type Check = Arc<dyn Fn(&Checked<'_>) -> Result<(), String> + Send + Sync>;

/// What a [`Validator`] sees.
pub struct Checked<'a> {
    /// The known value.
    pub value: &'a Value,
    /// The object that the attribute stands in.
    pub siblings: &'a Object,
}

impl Validator {
    /// A check that answers with what is wrong and what to do.
    pub fn new(
        rule: impl Into<String>,
        check: impl Fn(&Checked<'_>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            rule: rule.into(),
            check: Arc::new(check),
        }
    }

    /// A check of text.
    pub fn text(rule: impl Into<String>, check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self::new(rule, move |checked| checked.value.as_str().map_or(Ok(()), &check))
    }
}

impl Validator {
    /// Whether a known value passes, in an object of these attributes.
    pub fn accepts(&self, value: &Value, siblings: &Object) -> bool {
        (self.check)(&Checked { value, siblings }).is_ok()
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validator").field(&self.rule).finish()
    }
}

/// A rule across top-level attributes (or nested ones, written with dots).
#[derive(Clone, Debug)]
pub enum Rule {
    /// One of them and no other must be configured.
    ExactlyOneOf(&'static [&'static str]),
    /// One of them at least must be configured.
    AtLeastOneOf(&'static [&'static str]),
    /// No two of them may be configured.
    Conflicting(&'static [&'static str]),
    /// All of them or none.
    RequiredTogether(&'static [&'static str]),
}

/// One of these texts.
pub fn one_of(allowed: &'static [&'static str]) -> Validator {
    let list = code_list(allowed);
    let rule = format!("One of {list}.");
    Validator::text(rule, move |text| {
        if allowed.contains(&text) {
            return Ok(());
        }
        let hint = suggest::did_you_mean(text, allowed.iter().copied());
        Err(format!("{text:?} is not one of {list}.{hint}"))
    })
}

const EMPTY: &str = "The value is empty.";

/// Something beside white space.
pub fn not_blank() -> Validator {
    Validator::text("", |text| {
        if text.trim().is_empty() {
            Err(EMPTY.into())
        } else {
            Ok(())
        }
    })
}

/// At most this many characters.
pub fn at_most_characters(limit: usize) -> Validator {
    Validator::text(format!("At most {limit} characters."), move |text| {
        let length = text.chars().count();
        if length <= limit {
            Ok(())
        } else {
            Err(format!("The value has {length} characters; at most {limit} fit."))
        }
    })
}

/// Text that matches this pattern, which `what` describes.
///
/// # Panics
/// When the pattern is none: the provider's own test of its schema notices.
pub fn matches(pattern: &str, what: &'static str) -> Validator {
    #[expect(
        clippy::expect_used,
        reason = "patterns are constants, and a test builds every schema"
    )]
    let pattern = regex_lite::Regex::new(pattern).expect("a valid pattern");
    Validator::text(format!("Must be {what}."), move |text| {
        if pattern.is_match(text) {
            Ok(())
        } else {
            Err(format!("{text:?} is not {what}."))
        }
    })
}

/// A whole number that fits 64 bits.
pub fn whole_number() -> Validator {
    Validator::new("", |checked| match checked.value {
        Value::Number(number) if number.as_integer().is_none() => {
            Err(format!("{number} is not valid: expected a whole number."))
        }
        _ => Ok(()),
    })
}

/// A whole number of at least this much.
pub fn at_least(minimum: i64) -> Validator {
    Validator::new(format!("At least {minimum}."), move |checked| {
        match checked.value.as_integer() {
            Some(number) if number < minimum => Err(format!("{number} is not valid: expected at least {minimum}.")),
            _ => Ok(()),
        }
    })
}

/// A whole number between these two, both included.
pub fn between(minimum: i64, maximum: i64) -> Validator {
    Validator::new(
        format!("Between {minimum} and {maximum}."),
        move |checked| match checked.value.as_integer() {
            Some(number) if !(minimum..=maximum).contains(&number) => {
                Err(format!("{number} is not between {minimum} and {maximum}."))
            }
            _ => Ok(()),
        },
    )
}

/// A duration such as `30s` or `2h45m`.
pub fn duration() -> Validator {
    Validator::text("", |text| match duration::parse(text) {
        Some(time) if time.is_zero() => Err(format!("{text:?} is zero. Use at least \"1s\".")),
        Some(_) => Ok(()),
        None => Err(format!(
            "{text:?} is not a valid duration: expected numbers with units, such as \"30s\" or \"2h45m\"."
        )),
    })
}

/// An absolute URL with a host; `https`, or `http` for the loopback host alone.
pub fn url() -> Validator {
    Validator::text("An absolute `https` URL.", |text| {
        let shown = without_credentials(text);
        let url = url::Url::parse(text).map_err(|error| {
            let why = match error {
                url::ParseError::RelativeUrlWithoutBase => "it does not begin with https://".to_owned(),
                error => error.to_string(),
            };
            format!("{shown:?} is not a valid URL: {why}. Use the full address, such as \"https://host/path\".")
        })?;
        let Some(host) = url.host_str() else {
            return Err(format!(
                "{shown:?} has no host. Use the full address, such as \"https://host/path\"."
            ));
        };
        match url.scheme() {
            "https" => Ok(()),
            "http" if is_loopback(host) => Ok(()),
            "http" => Err(format!(
                "{shown:?} is not encrypted; http is accepted for loopback hosts only. Use https."
            )),
            scheme => Err(format!("{shown:?} has the scheme {scheme}. Use https.")),
        }
    })
}

/// A URL for messages: user name and password are not shown.
fn without_credentials(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    match text[start..].rfind('@') {
        Some(at) => format!("{}***{}", &text[..start], &text[start + at..]),
        None => text.to_owned(),
    }
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A check that empty text passes, where that clears what was set.
pub fn or_empty(validator: Validator) -> Validator {
    Validator::new(validator.rule.clone(), move |checked| match checked.value.as_str() {
        Some("") => Ok(()),
        _ => (validator.check)(checked),
    })
}

/// A check of each element of a list or set.
pub fn each(validator: Validator) -> Validator {
    Validator::new(validator.rule.clone(), move |checked| {
        for element in checked.value.as_list().unwrap_or_default() {
            if !element.is_null() && !element.is_unknown() {
                let element = Checked {
                    value: element,
                    siblings: checked.siblings,
                };
                (validator.check)(&element).map_err(|problem| match problem.as_str() {
                    EMPTY => "An element is empty. Omit the element.".to_owned(),
                    _ => problem,
                })?;
            }
        }
        Ok(())
    })
}

/// Not together with one of these siblings; one that is empty counts as none.
pub fn conflicts_with(others: &[&'static str]) -> Validator {
    let others = others.to_vec();
    let rule = format!("Conflicts with {}.", code_list(&others));
    Validator::new(rule, move |checked| {
        let is_given = |other: &Value| !other.is_unknown() && !other.is_blank();
        match others.iter().find(|other| is_given(checked.siblings.at(other))) {
            Some(other) => Err(format!(
                "It cannot be used together with `{other}`. Remove one of them."
            )),
            None => Ok(()),
        }
    })
}

/// Names, each as code.
fn code_list(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Whether the configuration sets a value; `None` while that is unknown.
fn is_configured(value: &Value) -> Option<bool> {
    match value {
        Value::Unknown => None,
        value => Some(!value.is_null()),
    }
}

/// Which attributes the client can handle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteOnly {
    /// Terraform 1.11 or later.
    Allowed,
    /// Before.
    Unsupported,
}

/// Checks a whole configuration against its schema.
pub fn configuration(schema: &Schema, config: &Object, write_only: WriteOnly) -> Diagnostics {
    let mut walk = Walk {
        diagnostics: Diagnostics::new(),
        write_only,
    };
    for rule in &schema.rules {
        walk.rule(rule, config);
    }
    walk.attributes(&schema.attributes, config, &Trail::Root);
    walk.diagnostics
}

struct Walk {
    diagnostics: Diagnostics,
    write_only: WriteOnly,
}

impl Walk {
    fn rule(&mut self, rule: &Rule, config: &Object) {
        let names = match rule {
            Rule::ExactlyOneOf(names)
            | Rule::AtLeastOneOf(names)
            | Rule::Conflicting(names)
            | Rule::RequiredTogether(names) => *names,
        };
        let given: Vec<_> = names
            .iter()
            .map(|name| (*name, is_configured(value_at(config, name))))
            .collect();
        let configured: Vec<_> = given
            .iter()
            .filter(|(_, is)| *is == Some(true))
            .map(|(name, _)| *name)
            .collect();
        let is_open = given.iter().any(|(_, is)| is.is_none());
        let problem = match rule {
            Rule::ExactlyOneOf(_) | Rule::Conflicting(_) if configured.len() > 1 => (
                "Conflicting arguments",
                format!("{} cannot be used together. Keep one of them.", code_list(&configured)),
            ),
            Rule::ExactlyOneOf(_) | Rule::AtLeastOneOf(_) if configured.is_empty() && !is_open => (
                "Missing argument",
                format!("One of {} is required. Add it.", code_list(names)),
            ),
            Rule::RequiredTogether(_) if !configured.is_empty() && configured.len() < names.len() && !is_open => {
                let missing: Vec<_> = names
                    .iter()
                    .copied()
                    .filter(|name| !configured.contains(name))
                    .collect();
                (
                    "Missing argument",
                    format!(
                        "{} requires {}. Add what is missing.",
                        code_list(&configured),
                        code_list(&missing)
                    ),
                )
            }
            Rule::ExactlyOneOf(_) | Rule::AtLeastOneOf(_) | Rule::Conflicting(_) | Rule::RequiredTogether(_) => return,
        };
        let place = configured.last().map_or_else(Path::root, |name| Path::of(name));
        self.diagnostics.push(Diagnostic::error(problem.0, problem.1).at(place));
    }

    fn attributes(&mut self, attributes: &[Attribute], object: &Object, parent: &Trail<'_>) {
        for attribute in attributes {
            self.attribute(attribute, object, &parent.attribute(attribute.name));
        }
    }

    fn attribute(&mut self, attribute: &Attribute, siblings: &Object, path: &Trail<'_>) {
        let value = siblings.at(attribute.name);
        if value.is_null() {
            if attribute.presence == super::Presence::Required {
                let detail = format!(
                    "The argument `{path}` is required, but is missing or null. Set it; if it comes from a variable, give the \
                     variable a value."
                );
                self.diagnostics
                    .push(Diagnostic::error("Missing argument", detail).at(path.path()));
            }
            return;
        }
        if !attribute.is_configurable() {
            let detail = format!("`{path}` is read-only: the provider sets it. Remove it from the configuration.");
            self.diagnostics
                .push(Diagnostic::error("Read-only attribute", detail).at(path.path()));
            return;
        }
        if attribute.write_only && self.write_only == WriteOnly::Unsupported {
            let detail = format!(
                "`{path}` is write-only, which this version of Terraform does not support: it would store the value \
                 in its state. Use Terraform 1.11 or later."
            );
            self.diagnostics
                .push(Diagnostic::error("Terraform is too old for write-only arguments", detail).at(path.path()));
            return;
        }
        if value.is_unknown() {
            return;
        }
        if let Some(instead) = attribute.deprecated {
            let warning = Diagnostic::warning("Deprecated argument", format!("`{path}` is deprecated. {instead}"));
            self.diagnostics.push(warning.at(path.path()));
        }
        for validator in &attribute.validators {
            if let Err(problem) = (validator.check)(&Checked { value, siblings }) {
                let problem = if attribute.sensitive
                    && value
                        .as_str()
                        .is_some_and(|text| text.len() > 2 && problem.contains(text))
                {
                    "The value is not valid; it is not shown because it is sensitive.".to_owned()
                } else if problem == EMPTY && attribute.presence != super::Presence::Required {
                    format!("{EMPTY} Omit the argument instead.")
                } else {
                    problem
                };
                let summary = format!("Invalid value for {path}");
                self.diagnostics
                    .push(Diagnostic::error(summary, problem).at(path.path()));
            }
        }
        if attribute.sensitive && !attribute.trimmed && value.as_str().is_some_and(|text| text.ends_with(['\n', '\r']))
        {
            let detail = "The line break is part of the value, which is probably not intended: file() and heredocs \
                          add one. Remove it with trimspace(...).";
            let warning = Diagnostic::warning(format!("{path} ends in a line break"), detail);
            self.diagnostics.push(warning.at(path.path()));
        }
        let AttributeKind::Nested(nesting, nested) = &attribute.kind else {
            self.null_elements(attribute, value, path);
            return;
        };
        match (nesting, value) {
            (Nesting::Single, Value::Object(object)) => self.attributes(nested, object, path),
            (Nesting::List, Value::List(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    if let Value::Object(object) = element {
                        self.attributes(nested, object, &path.index(index));
                    }
                }
            }
            // A path cannot address an element of a set: name the set.
            (Nesting::Set, Value::List(elements)) => {
                for object in elements.iter().filter_map(Value::as_object) {
                    for attribute in nested {
                        self.attribute(attribute, object, path);
                    }
                }
            }
            (Nesting::Map, Value::Object(map)) => {
                for (key, element) in map.iter() {
                    if let Value::Object(object) = element {
                        self.attributes(nested, object, &path.key(key));
                    }
                }
            }
            (Nesting::Single | Nesting::List | Nesting::Set | Nesting::Map, _) => {}
        }
    }

    /// A null in a list or set means nothing that could be written. It cannot be dropped either: Terraform wants a plan that
    /// has the configured elements.
    fn null_elements(&mut self, attribute: &Attribute, value: &Value, path: &Trail<'_>) {
        let (AttributeKind::Plain(Type::List(_) | Type::Set(_)), Value::List(elements)) = (&attribute.kind, value)
        else {
            return;
        };
        let Some(index) = elements.iter().position(Value::is_null) else {
            return;
        };
        let place = match &attribute.kind {
            AttributeKind::Plain(Type::List(_)) => path.index(index).path(),
            // A path cannot address an element of a set: name the set.
            AttributeKind::Plain(_) | AttributeKind::Nested(..) => path.path(),
        };
        let detail = format!(
            "`{path}` contains an element that is null. Omit the element: write a conditional one as concat([\"a\"], \
             var.more ? [\"b\"] : []), or wrap the list in compact(), which removes nulls."
        );
        self.diagnostics
            .push(Diagnostic::error(format!("Null in {path}"), detail).at(place));
    }
}

fn value_at<'a>(config: &'a Object, path: &str) -> &'a Value {
    match path.split_once('.') {
        None => config.at(path),
        Some((outer, inner)) => match config.at(outer) {
            Value::Object(object) => value_at(object, inner),
            Value::Unknown => &Value::Unknown,
            _ => &Value::Null,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let [plain, write_only, version] = Attribute::secret(["key", "key_wo", "key_wo_version"], "A key.");
        Schema::new(
            "Test.",
            vec![
                Attribute::text("name").required().check(not_blank()).describe("x"),
                Attribute::text("kind").check(one_of(&["alpha", "beta"])).describe("x"),
                Attribute::text("address").check(url()).describe("x"),
                Attribute::integer("count_of").check(at_least(1)).describe("x"),
                Attribute::text("wait").check(duration()).describe("x"),
                Attribute::text("id").computed().describe("x"),
                Attribute::text("old").deprecated("Use `name`.").describe("x"),
                Attribute::texts("tags").check(each(not_blank())).describe("x"),
                Attribute::single("inner", vec![Attribute::text("deep").required().describe("x")]).describe("x"),
                plain,
                write_only,
                version,
            ],
        )
        .rule(Rule::ExactlyOneOf(&["kind", "address"]))
    }

    #[track_caller]
    fn check(config: Object, expected: &[&str]) {
        let found = configuration(&schema(), &config, WriteOnly::Allowed);
        let found: Vec<_> = found
            .iter()
            .map(|d| format!("{}: {} {}", d.path, d.summary, d.detail))
            .collect();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}\ndoes not say {expected}");
        }
    }

    fn sound() -> Object {
        Object::new().with("name", "n").with("kind", "alpha")
    }

    #[test]
    fn each_wrong_value_is_named_with_its_place_and_a_remedy() {
        check(sound(), &[]);
        check(Object::new().with("kind", "alpha"), &["name: Missing argument"]);
        check(
            sound().with("name", " "),
            &["name: Invalid value for name The value is empty"],
        );
        check(sound().with("kind", "alfa"), &["Did you mean \"alpha\"?"]);
        check(
            sound().with("address", "https://x/"),
            &["address: Conflicting arguments"],
        );
        check(
            Object::new().with("name", "n"),
            &[": Missing argument One of `kind`, `address` is required"],
        );
        check(
            sound().with("kind", Value::Null).with("address", "http://x/"),
            &["not encrypted"],
        );
        check(
            sound().with("kind", Value::Null).with("address", "http://127.0.0.1:1/"),
            &[],
        );
        check(
            sound().with("kind", Value::Null).with("address", "x"),
            &["is not a valid URL"],
        );
        check(sound().with("count_of", 0i64), &["0 is not valid"]);
        check(sound().with("wait", "0s"), &["\"0s\" is zero. Use at least"]);
        check(
            sound().with("tags", vec!["a", " "]),
            &["An element is empty. Omit the element."],
        );
        check(
            sound().with("count_of", Value::Number(crate::plugin::number::Number::Float(1.5))),
            &["1.5 is not valid"],
        );
        check(
            sound().with("key", "a").with("key_wo", "b"),
            &["key: Invalid value for key It cannot be used together with `key_wo`"],
        );
        check(sound().with("key", "a").with("key_wo", ""), &[]);
        check(sound().with("id", "x"), &["id: Read-only"]);
        check(
            sound().with("old", "x"),
            &["old: Deprecated argument `old` is deprecated. Use `name`."],
        );
        check(sound().with("tags", vec!["a", ""]), &["tags: Invalid value"]);
        check(
            sound().with("tags", vec![Value::from("a"), Value::Null]),
            &["tags: Null in tags `tags` contains an element that is null"],
        );
        check(sound().with("tags", vec![Value::from("a"), Value::Unknown]), &[]);
        check(sound().with("inner", Object::new()), &["inner.deep: Missing argument"]);
        check(
            sound().with("key", "a").with("key_wo", "b"),
            &["key: Invalid value for key It cannot be used together"],
        );
        // Whether the secret is needed is the plan's to say.
        check(sound().with("key_wo_version", "1"), &[]);
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        for url in [
            "https://admin:pw-marker@host:99999/",
            "ftp://admin:pw-marker@host",
            "http://admin:pw-marker@host",
            "admin:pw-marker@host",
        ] {
            let config = sound().with("kind", Value::Null).with("address", url);
            let found = configuration(&schema(), &config, WriteOnly::Allowed);
            let said = format!("{found:?}");
            assert!(
                found.has_errors() && said.contains("***@host") && !said.contains("pw-marker"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_secret_that_ends_in_a_line_break_is_a_warning_that_does_not_show_it() {
        for (argument, secret) in [("key", "s-marker\n"), ("key_wo", "s-marker\r\n")] {
            let found = configuration(&schema(), &sound().with(argument, secret), WriteOnly::Allowed);
            let said = format!("{found:?}");
            assert!(!found.has_errors(), "{said}");
            assert!(said.contains(&format!("{argument} ends in a line break")), "{said}");
            assert!(said.contains("trimspace") && !said.contains("marker"), "{said}");
        }
        check(sound().with("key", "inner\nbreak"), &[]);
    }

    #[test]
    fn nothing_is_said_of_what_is_unknown() {
        let config = Object::new()
            .with("name", Value::Unknown)
            .with("kind", Value::Unknown)
            .with("key_wo", Value::Unknown)
            .with("key_wo_version", "1");
        check(config, &[]);
    }

    #[test]
    fn an_old_terraform_is_told_which_version_knows_write_only_arguments() {
        let config = sound().with("key_wo", "s");
        let found = configuration(&schema(), &config, WriteOnly::Unsupported);
        assert!(
            found
                .iter()
                .any(|d| d.detail.contains("1.11") && !d.detail.contains("\"s\"")),
            "{found:?}"
        );
    }
}
