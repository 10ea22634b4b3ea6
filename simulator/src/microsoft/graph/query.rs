//! `$filter`, `$select` and the other options of a query.
//!
//! What Graph answers only where the request says that it can wait (`ConsistencyLevel: eventual`) is refused without that.

use std::cmp::Ordering;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use crate::microsoft::graph::key_credentials;
use crate::microsoft::graph::refusal::Refusal;

/// What a request asks of the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wanted {
    select: Vec<String>,
    filter: Option<Condition>,
    /// Property, and whether the largest comes first.
    order: Option<(String, bool)>,
    search: Option<(String, String)>,
    expand: Vec<String>,
    top: Option<usize>,
    skip: usize,
    counts: bool,
}

/// A page of a list.
pub(super) struct Page {
    pub(super) shown: Vec<Value>,
    /// Of all that fit, where it was asked for.
    pub(super) count: Option<usize>,
    /// Where the next page begins.
    pub(super) next: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Is(Clause),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq)]
struct Clause {
    /// Property, or property of a property: `web/homePageUrl`.
    path: String,
    comparison: Comparison,
    values: Vec<Value>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Comparison {
    Equals,
    Differs,
    StartsWith,
    EndsWith,
    /// `property/any(x:x eq 'value')`
    Contains,
    /// `property/any(x:startsWith(x,'value'))`
    ContainsStart,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Wanted, Refusal> {
        let is_eventual = parts
            .headers
            .get("consistencylevel")
            .is_some_and(|level| level.as_bytes().eq_ignore_ascii_case(b"eventual"));
        Wanted::read(parts.uri.query().unwrap_or_default(), is_eventual)
    }
}

impl Wanted {
    fn read(query: &str, is_eventual: bool) -> Result<Wanted, Refusal> {
        let mut wanted = Wanted::default();
        let mut asks_for_count = false;
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let names = || value.split(',').map(|name| name.trim().to_owned()).collect();
            let refused = || Refusal::BadOption(format!("Invalid value '{value}' for the query option '{name}'."));
            match &*name {
                "$select" => wanted.select = names(),
                "$expand" => wanted.expand = names(),
                "$filter" => wanted.filter = Some(condition(&value)?),
                "$count" => asks_for_count = value.parse().map_err(|_| refused())?,
                "$top" => {
                    let top = value.parse().ok().filter(|top| (1..=MOST).contains(top));
                    wanted.top = Some(top.ok_or_else(refused)?);
                }
                "$skiptoken" => wanted.skip = value.parse().map_err(|_| refused())?,
                "$orderby" => {
                    let (property, direction) = value.split_once(' ').unwrap_or((&value, "asc"));
                    if !is_name(property) || !["asc", "desc"].contains(&direction) {
                        return Err(refused());
                    }
                    wanted.order = Some((property.to_owned(), direction == "desc"));
                }
                "$search" => {
                    if !is_eventual {
                        let message = "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'";
                        return Err(Refusal::Unsupported(message.to_owned()));
                    }
                    let term = value.trim_matches('"').split_once(':').ok_or_else(refused)?;
                    wanted.search = Some((term.0.to_owned(), term.1.to_lowercase()));
                }
                // Formats and annotations change nothing here.
                "$format" => {}
                other if other.starts_with('$') => {
                    return Err(Refusal::BadOption(format!(
                        "The query option '{other}' is not supported."
                    )));
                }
                _ => {}
            }
        }
        wanted.counts = asks_for_count && is_eventual;
        let is_advanced = wanted.filter.as_ref().is_some_and(Condition::is_advanced);
        if is_advanced && !wanted.counts {
            return Err(Refusal::UnsupportedFilter(
                "this operator needs '$count=true' and the header 'ConsistencyLevel: eventual'".to_owned(),
            ));
        }
        Ok(wanted)
    }

    /// Whether an object passes the filter and the search.
    fn accepts(&self, object: &Value) -> bool {
        let is_found = |(property, term): &(String, String)| {
            let text = object[property].as_str().unwrap_or_default();
            text.to_lowercase()
                .split(' ')
                .any(|word| word.starts_with(term.as_str()))
                || text.to_lowercase().starts_with(term)
        };
        self.filter.as_ref().is_none_or(|filter| filter.holds(object)) && self.search.as_ref().is_none_or(is_found)
    }

    /// The part of a list that is asked for.
    pub(super) fn page(&self, all: impl Iterator<Item = Value>) -> Page {
        let mut found: Vec<Value> = all.filter(|object| self.accepts(object)).collect();
        if let Some((property, is_descending)) = &self.order {
            found.sort_by(|a, b| {
                let ordering = order(&a[property], &b[property]);
                if *is_descending { ordering.reverse() } else { ordering }
            });
        }
        let count = found.len();
        let end = self.skip.saturating_add(self.top.unwrap_or(MOST));
        let shown = found.into_iter().skip(self.skip).take(end - self.skip);
        Page {
            shown: shown.map(|object| self.project(object)).collect(),
            count: self.counts.then_some(count),
            next: (end < count).then_some(end),
        }
    }

    /// How many of a list fit.
    pub(super) fn count(&self, all: impl Iterator<Item = Value>) -> usize {
        all.filter(|object| self.accepts(object)).count()
    }

    /// Whether a relationship is to be shown in the object.
    pub(super) fn expands(&self, relationship: &str) -> bool {
        self.expand.iter().any(|name| name == relationship)
    }

    /// Refuses relationships that are not simulated.
    pub(super) fn check_expand(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.expand.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(Refusal::BadOption(format!(
                "The simulator does not know the relationship '{name}' of $expand."
            ))),
            None => Ok(()),
        }
    }

    /// The object with the selected properties only.
    pub(super) fn project(&self, mut object: Value) -> Value {
        key_credentials::shown(&mut object, self.select.iter().any(|name| name == "keyCredentials"));
        if self.select.is_empty() {
            return object;
        }
        let selected = self
            .select
            .iter()
            .chain(&self.expand)
            .filter_map(|name| Some((name.clone(), object.get(name)?.clone())));
        Value::Object(selected.collect::<Map<_, _>>())
    }
}

impl Condition {
    fn holds(&self, object: &Value) -> bool {
        match self {
            Self::And(one, other) => one.holds(object) && other.holds(object),
            Self::Or(one, other) => one.holds(object) || other.holds(object),
            Self::Not(inner) => !inner.holds(object),
            Self::Is(clause) => clause.holds(object),
        }
    }

    /// Whether Graph needs its slower index for it.
    fn is_advanced(&self) -> bool {
        match self {
            Self::And(one, other) | Self::Or(one, other) => one.is_advanced() || other.is_advanced(),
            Self::Not(_) => true,
            Self::Is(clause) => matches!(clause.comparison, Comparison::Differs | Comparison::EndsWith),
        }
    }
}

impl Clause {
    fn holds(&self, object: &Value) -> bool {
        let found = self.path.split('/').fold(object, |inner, name| &inner[name]);
        // Directory strings compare without case.
        let same = |found: &Value, value: &Value| match (found.as_str(), value.as_str()) {
            (Some(found), Some(value)) => found.eq_ignore_ascii_case(value),
            _ => found == value,
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
        let items = || found.as_array().into_iter().flatten();
        let value = self.values.first().unwrap_or(&Value::Null);
        match self.comparison {
            Comparison::Equals => self.values.iter().any(|value| same(found, value)),
            Comparison::Differs => !same(found, value),
            Comparison::StartsWith => text(found).starts_with(&text(value)),
            Comparison::EndsWith => text(found).ends_with(&text(value)),
            Comparison::Contains => items().any(|item| same(item, value)),
            Comparison::ContainsStart => items().any(|item| text(item).starts_with(&text(value))),
        }
    }
}

fn order(one: &Value, other: &Value) -> Ordering {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    text(one).cmp(&text(other))
}

fn condition(filter: &str) -> Result<Condition, Refusal> {
    let mut parser = Parser(filter.trim());
    match parser.alternatives() {
        Some(condition) if parser.0.trim().is_empty() => Ok(condition),
        _ => Err(Refusal::UnsupportedFilter(filter.to_owned())),
    }
}

/// What is left to read of a filter.
struct Parser<'a>(&'a str);

impl Parser<'_> {
    fn alternatives(&mut self) -> Option<Condition> {
        let mut condition = self.conjunction()?;
        while self.word("or") {
            condition = Condition::Or(Box::new(condition), Box::new(self.conjunction()?));
        }
        Some(condition)
    }

    fn conjunction(&mut self) -> Option<Condition> {
        let mut condition = self.operand()?;
        while self.word("and") {
            condition = Condition::And(Box::new(condition), Box::new(self.operand()?));
        }
        Some(condition)
    }

    fn operand(&mut self) -> Option<Condition> {
        if self.word("not") {
            return Some(Condition::Not(Box::new(self.operand()?)));
        }
        if self.symbol('(') {
            let inner = self.alternatives()?;
            return self.symbol(')').then_some(inner);
        }
        let name = self.name()?;
        if let Some(comparison) = function(&name) {
            let (path, value) = self.arguments()?;
            return Some(Condition::Is(Clause {
                path,
                comparison,
                values: vec![value],
            }));
        }
        if let Some(path) = name.strip_suffix("/any") {
            return self.any(path.to_owned()).map(Condition::Is);
        }
        let comparison = if self.word("eq") || self.word("in") {
            Comparison::Equals
        } else if self.word("ne") {
            Comparison::Differs
        } else {
            return None;
        };
        let values = if self.symbol('(') {
            let mut values = vec![self.value()?];
            while self.symbol(',') {
                values.push(self.value()?);
            }
            self.symbol(')').then_some(values)?
        } else {
            vec![self.value()?]
        };
        Some(Condition::Is(Clause {
            path: name,
            comparison,
            values,
        }))
    }

    /// `(x:x eq 'value')` or `(x:startsWith(x,'value'))`.
    fn any(&mut self, path: String) -> Option<Clause> {
        if !self.symbol('(') {
            return None;
        }
        let variable = self.name()?;
        if !self.symbol(':') {
            return None;
        }
        let name = self.name()?;
        let (comparison, value) = if function(&name) == Some(Comparison::StartsWith) {
            let (named, value) = self.arguments()?;
            (named == variable).then_some((Comparison::ContainsStart, value))?
        } else {
            (name == variable && self.word("eq")).then_some(())?;
            (Comparison::Contains, self.value()?)
        };
        self.symbol(')').then_some(Clause {
            path,
            comparison,
            values: vec![value],
        })
    }

    /// `(path,'value')`.
    fn arguments(&mut self) -> Option<(String, Value)> {
        if !self.symbol('(') {
            return None;
        }
        let path = self.name()?;
        if !self.symbol(',') {
            return None;
        }
        let value = self.value()?;
        self.symbol(')').then_some((path, value))
    }

    fn name(&mut self) -> Option<String> {
        let text = self.0.trim_start();
        let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || "_/".contains(letter)));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        self.0 = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// A word that stands by itself.
    fn word(&mut self, word: &str) -> bool {
        let text = self.0.trim_start();
        let rest = text.strip_prefix(word);
        let rest = rest.filter(|rest| rest.starts_with([' ', '(', '\'']));
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(symbol);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// A text in single quotes, which are doubled inside; or `true`, `false`, `null`, or a bare GUID.
    fn value(&mut self) -> Option<Value> {
        let text = self.0.trim_start();
        let Some(mut rest) = text.strip_prefix('\'') else {
            let end = text.find([' ', ')', ',']).unwrap_or(text.len());
            let (word, rest) = text.split_at(end);
            self.0 = rest;
            return match word {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                "null" => Some(Value::Null),
                word if crate::microsoft::ids::is_guid(word) => Some(Value::String(word.to_owned())),
                _ => None,
            };
        };
        let mut value = String::new();
        loop {
            let (part, after) = rest.split_once('\'')?;
            value.push_str(part);
            let Some(after) = after.strip_prefix('\'') else {
                self.0 = after;
                return Some(Value::String(value));
            };
            value.push('\'');
            rest = after;
        }
    }
}

fn function(name: &str) -> Option<Comparison> {
    match name.to_ascii_lowercase().as_str() {
        "startswith" => Some(Comparison::StartsWith),
        "endswith" => Some(Comparison::EndsWith),
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// The largest page.
const MOST: usize = 999;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(filter: &str, expected: Option<bool>) {
        let object = json!({
            "appId": "ABC", "displayName": "it's me", "uris": ["api://x"], "accountEnabled": true, "notes": null,
            "web": {"homePageUrl": "https://a"},
        });
        let found = condition(filter).map(|filter| filter.holds(&object));
        assert_eq!(found.ok(), expected, "{filter}");
    }

    #[test]
    fn filters_compare_or_are_refused() {
        check("appId eq 'abc'", Some(true));
        check("appId eq 'abcd'", Some(false));
        check("displayName eq 'it''s me'", Some(true));
        check("appId eq 'abc' and displayName eq 'other'", Some(false));
        check("appId eq 'abc' or displayName eq 'other'", Some(true));
        check(
            "appId eq 'def' and appId eq 'abc' or displayName eq 'it''s me'",
            Some(true),
        );
        check(
            "appId eq 'def' and (appId eq 'abc' or displayName eq 'it''s me')",
            Some(false),
        );
        check("appId ne 'abc'", Some(false));
        check("not(appId eq 'def')", Some(true));
        check("appId in ('def','abc')", Some(true));
        check("startswith(displayName,'IT')", Some(true));
        check("endsWith(displayName, 'me')", Some(true));
        check("uris/any(x:x eq 'api://x')", Some(true));
        check("uris/any(x:x eq 'api://y')", Some(false));
        check("uris/any(x:startsWith(x,'api:'))", Some(true));
        check("accountEnabled eq true", Some(true));
        check("notes eq null", Some(true));
        check("web/homePageUrl eq 'https://a'", Some(true));
        check("appId gt 'abc'", None);
        check("appId eq 'abc", None);
        check("appId eq 'abc' and", None);
        check("appId eq abc", None);
    }
}
