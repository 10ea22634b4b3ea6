//! Encoded queries that users wrote, such as the filter of a list resource.

use crate::servicenow::query::{Direction, Query, QueryError, Term, Test, check_value};

/// Reads an encoded query term by term.
///
/// Joins: `^`, `^OR`, `^NQ`, an `^EQ` at the end, `^ORDERBY…` and `^ORDERBYDESC…` (vendor's page on encoded query
/// strings). Columns are lower case, which is what tells `ORDERBYname` and `ORname=x` from a column.
pub(super) fn user_query(text: &str) -> Result<Query, QueryError> {
    let trimmed = text.trim();
    let body = trimmed.strip_suffix("^EQ").unwrap_or(trimmed).trim_end();
    if body.is_empty() {
        return Err(wrong(text, "it is empty"));
    }
    let mut query = Query::every_row();
    for (number, segment) in body.split('^').enumerate() {
        if let Some(column) = segment.strip_prefix("ORDERBYDESC") {
            query.order.push((column_alone(segment, column)?, Direction::Down));
        } else if let Some(column) = segment.strip_prefix("ORDERBY") {
            query.order.push((column_alone(segment, column)?, Direction::Up));
        } else if let Some(rest) = segment.strip_prefix("NQ") {
            query.alternatives.push(vec![vec![term(rest)?]]);
        } else if let Some(rest) = segment.strip_prefix("OR") {
            let group = query.alternatives.last_mut().and_then(|groups| groups.last_mut());
            let Some(group) = group.filter(|_| number > 0) else {
                return Err(wrong(segment, "OR needs a term before it"));
            };
            group.push(term(rest)?);
        } else {
            let term = term(segment)?;
            if let Some(groups) = query.alternatives.last_mut() {
                groups.push(vec![term]);
            }
        }
    }
    Ok(query)
}

fn term(text: &str) -> Result<Term, QueryError> {
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.'));
    let (column, rest) = text.split_at(end.unwrap_or(text.len()));
    if !is_column(column) {
        return Err(wrong(text, "it does not begin with a column's name"));
    }
    let Some((operator, wants)) = OPERATORS.iter().find(|(operator, _)| rest.starts_with(operator)) else {
        return Err(wrong(text, "no known operator follows the column"));
    };
    let value = &rest[operator.len()..];
    match wants {
        Wants::Nothing if value.is_empty() => {}
        Wants::Nothing => return Err(wrong(text, &format!("nothing may follow {operator}"))),
        Wants::Value | Wants::List => check_value(column, value, "")?,
        Wants::Range => {
            check_value(column, value, "")?;
            if value.matches('@').count() != 1 {
                return Err(wrong(text, "a range is written low@high"));
            }
        }
    }
    Ok(Term::new(column, None, Test::Unchecked(rest.to_owned())))
}

fn column_alone(segment: &str, column: &str) -> Result<String, QueryError> {
    if is_column(column) {
        Ok(column.to_owned())
    } else {
        Err(wrong(segment, "an order needs a column's name"))
    }
}

fn is_column(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

fn wrong(term: &str, problem: &str) -> QueryError {
    QueryError::Term {
        term: term.to_owned(),
        problem: problem.to_owned(),
    }
}

enum Wants {
    Value,
    List,
    Range,
    Nothing,
}

/// Longer ones first where one begins with another. `ON` (dates) is left out: its value is a script.
const OPERATORS: &[(&str, Wants)] = &[
    ("!=", Wants::Value),
    ("<=", Wants::Value),
    (">=", Wants::Value),
    ("=", Wants::Value),
    ("<", Wants::Value),
    (">", Wants::Value),
    ("NOT IN", Wants::List),
    ("NOT LIKE", Wants::Value),
    ("NOTLIKE", Wants::Value),
    ("LIKE", Wants::Value),
    ("STARTSWITH", Wants::Value),
    ("ENDSWITH", Wants::Value),
    ("ISNOTEMPTY", Wants::Nothing),
    ("ISEMPTY", Wants::Nothing),
    ("ANYTHING", Wants::Nothing),
    ("BETWEEN", Wants::Range),
    ("IN", Wants::List),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_known_query_goes_out_as_it_was_written() {
        for text in [
            "active=true",
            "user_name=abel^ORuser_name=beth^active=true^ORDERBYDESCname",
            "nameLIKEMicrosoft 365^sys_created_on>2026-01-01 00:00:00",
            "nameISNOTEMPTY^NQroleIN1,2,3",
            "priorityBETWEEN1@3^manager.user_nameSTARTSWITHa",
            "nameNOT LIKEx^nameNOT INa,b^ORDERBYname",
        ] {
            assert_eq!(Query::user(text).unwrap().encoded(), text);
        }
        assert_eq!(Query::user(" active=true^EQ ").unwrap().encoded(), "active=true");
        assert_eq!(
            Query::user("ORDERBYname").unwrap().encoded(),
            "sys_idISNOTEMPTY^ORDERBYname"
        );
    }

    #[test]
    fn a_term_that_the_instance_would_ignore_is_refused() {
        for text in [
            "",
            "^",
            "active=true^",
            "active=true^^name=x",
            "Active=true",
            "active",
            "active==",
            "activeEQUALStrue",
            "nameISEMPTYx",
            "ORname=x",
            "name=",
            "priorityBETWEEN1",
            "created>javascript:gs.daysAgo(1)x",
            "name=javascript:gs.getUserID()",
            "ORDERBY",
            "ORDERBYName",
            "ORDERBYname DESC",
            "ORDERBYn\"ame",
            "GROUPBYname",
            ".name=x",
            "a..b=x",
            "name=a\u{7}",
        ] {
            if text == "active==" {
                // A value of "=" is odd, but it is a value.
                assert!(Query::user(text).is_ok());
                continue;
            }
            assert!(Query::user(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn fuzz_query() {
        let examples = [
            "user_name=abel^ORuser_name=beth^active=true^ORDERBYDESCname",
            "nameISNOTEMPTY^NQroleIN1,2,3^sys_created_on>2026-01-01 00:00:00^EQ",
            "priorityBETWEEN1@3^manager.user_nameSTARTSWITHä^nameNOT LIKEx",
        ];
        let words = [
            "^",
            "^OR",
            "^NQ",
            "ORDERBY",
            "javascript:",
            "ISEMPTY",
            "IN",
            "@",
            "^EQ",
            "\u{2028}",
        ];
        crate::fuzz::fuzz_text(&examples, &words, |text| {
            if let Ok(query) = Query::user(text) {
                assert_eq!(Query::user(&query.encoded()).unwrap().encoded(), query.encoded());
            }
        });
    }

    proptest! {
        /// Whatever is accepted comes out as the same terms, so nothing can hide between the parser and the wire.
        #[test]
        fn what_is_accepted_is_read_the_same_again(text in "[a-z^=ORNQ@, ]{0,24}") {
            if let Ok(query) = Query::user(&text) {
                let again = Query::user(&query.encoded()).unwrap();
                prop_assert_eq!(again.encoded(), query.encoded());
            }
        }
    }
}
