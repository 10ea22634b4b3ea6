//! `$filter` and `$select`.

use axum::extract::RawQuery;
use serde_json::{Map, Value};

use crate::microsoft::graph::refusal::Refusal;

/// What a request asks of the answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Wanted {
    select: Vec<String>,
    filter: Vec<Clause>,
}

/// One comparison; all clauses of a filter must hold.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Clause {
    property: String,
    comparison: Comparison,
    value: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Comparison {
    Equals,
    StartsWith,
    /// `property/any(x:x eq 'value')`
    Contains,
}

impl Wanted {
    /// Reads the query of a request.
    pub(super) fn read(RawQuery(query): &RawQuery) -> Result<Wanted, Refusal> {
        let mut wanted = Wanted::default();
        for (name, value) in url::form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes()) {
            match &*name {
                "$select" => wanted.select = value.split(',').map(|name| name.trim().to_owned()).collect(),
                "$filter" => wanted.filter = clauses(&value)?,
                _ => {}
            }
        }
        Ok(wanted)
    }

    /// Whether an object passes the filter.
    pub(super) fn accepts(&self, object: &Value) -> bool {
        self.filter.iter().all(|clause| clause.holds(object))
    }

    /// The object with the selected properties only.
    pub(super) fn project(&self, object: Value) -> Value {
        if self.select.is_empty() {
            return object;
        }
        let selected = self
            .select
            .iter()
            .filter_map(|name| Some((name.clone(), object.get(name)?.clone())));
        Value::Object(selected.collect::<Map<_, _>>())
    }
}

impl Clause {
    fn holds(&self, object: &Value) -> bool {
        let found = &object[&self.property];
        let text = found.as_str().unwrap_or_default();
        match self.comparison {
            // Directory strings compare without case.
            Comparison::Equals => text.eq_ignore_ascii_case(&self.value),
            Comparison::StartsWith => text.to_lowercase().starts_with(&self.value.to_lowercase()),
            Comparison::Contains => found
                .as_array()
                .into_iter()
                .flatten()
                .any(|item| item.as_str() == Some(self.value.as_str())),
        }
    }
}

fn clauses(filter: &str) -> Result<Vec<Clause>, Refusal> {
    let refused = || Refusal::UnsupportedFilter(filter.to_owned());
    let mut found = Vec::new();
    let mut rest = filter.trim();
    while !rest.is_empty() {
        let (clause, after) = clause(rest).ok_or_else(refused)?;
        found.push(clause);
        rest = after.trim_start();
        if rest.is_empty() {
            break;
        }
        rest = rest.strip_prefix("and ").ok_or_else(refused)?.trim_start();
    }
    Ok(found)
}

fn clause(text: &str) -> Option<(Clause, &str)> {
    if let Some(inner) = text
        .strip_prefix("startswith(")
        .or_else(|| text.strip_prefix("startsWith("))
    {
        let (property, inner) = inner.split_once(',')?;
        let (value, after) = quoted(inner.trim_start())?;
        let clause = Clause {
            property: property.trim().to_owned(),
            comparison: Comparison::StartsWith,
            value,
        };
        return Some((clause, after.trim_start().strip_prefix(')')?));
    }
    if let Some((property, inner)) = text.split_once("/any(").filter(|(property, _)| is_name(property)) {
        let (_, inner) = inner.split_once(" eq ")?;
        let (value, after) = quoted(inner)?;
        let clause = Clause {
            property: property.to_owned(),
            comparison: Comparison::Contains,
            value,
        };
        return Some((clause, after.trim_start().strip_prefix(')')?));
    }
    let (property, inner) = text.split_once(" eq ").filter(|(property, _)| is_name(property))?;
    let (value, after) = quoted(inner.trim_start())?;
    Some((
        Clause {
            property: property.to_owned(),
            comparison: Comparison::Equals,
            value,
        },
        after,
    ))
}

/// A text in single quotes, which are doubled inside, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut value = String::new();
    loop {
        let (part, after) = rest.split_once('\'')?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(after) => {
                value.push('\'');
                rest = after;
            }
            None => return Some((value, after)),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(filter: &str, expected: Option<bool>) {
        let object = json!({"appId": "ABC", "displayName": "it's me", "uris": ["api://x"]});
        let found = clauses(filter).map(|filter| {
            Wanted {
                filter,
                select: Vec::new(),
            }
            .accepts(&object)
        });
        assert_eq!(found.ok(), expected, "{filter}");
    }

    #[test]
    fn filters_compare_or_are_refused() {
        check("appId eq 'abc'", Some(true));
        check("appId eq 'abcd'", Some(false));
        check("displayName eq 'it''s me'", Some(true));
        check("appId eq 'abc' and displayName eq 'other'", Some(false));
        check("startswith(displayName,'IT')", Some(true));
        check("uris/any(x:x eq 'api://x')", Some(true));
        check("uris/any(x:x eq 'api://y')", Some(false));
        check("appId ne 'abc'", None);
        check("appId eq 'abc", None);
        check("appId eq 'abc' or appId eq 'def'", None);
    }
}
