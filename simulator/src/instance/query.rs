//! Encoded queries.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::instance::quirks::{IdCase, folded};
use crate::instance::schema::Kind;
use crate::instance::store::{Record, Rows, value};
use crate::instance::view::View;

/// A parsed encoded query. Terms that make no sense on the table are gone: a bad query finds too much, not nothing.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// Alternatives (`^NQ`) of conjunctions (`^`) of alternatives (`^OR`).
    sets: Vec<Vec<Vec<Term>>>,
    order: Vec<(String, Direction)>,
    /// Whether a term was ignored.
    is_invalid: bool,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Ascending,
    Descending,
}

#[derive(Debug)]
struct Term {
    column: String,
    kind: Kind,
    operator: Operator,
    operand: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
    NotLike,
    StartsWith,
    EndsWith,
    In,
    NotIn,
    IsEmpty,
    IsNotEmpty,
    Anything,
    Between,
    On,
    NotOn,
    SameAs,
    NotSameAs,
}

/// Longer spellings first, since the first that fits is taken.
const OPERATORS: &[(&str, Operator)] = &[
    ("ISNOTEMPTY", Operator::IsNotEmpty),
    ("EMPTYSTRING", Operator::IsEmpty),
    ("STARTSWITH", Operator::StartsWith),
    ("DOES NOT CONTAIN", Operator::NotLike),
    ("CONTAINS", Operator::Like),
    ("ENDSWITH", Operator::EndsWith),
    ("ANYTHING", Operator::Anything),
    ("NSAMEAS", Operator::NotSameAs),
    ("NOT LIKE", Operator::NotLike),
    ("ISEMPTY", Operator::IsEmpty),
    ("BETWEEN", Operator::Between),
    ("NOTLIKE", Operator::NotLike),
    ("NOT IN", Operator::NotIn),
    ("SAMEAS", Operator::SameAs),
    ("NOTON", Operator::NotOn),
    ("LIKE", Operator::Like),
    ("IN", Operator::In),
    ("ON", Operator::On),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Query {
    /// Parses for a table. Never fails: what is not understood is ignored.
    pub(super) fn parse(view: &View<'_>, table: &str, text: &str) -> Self {
        let mut query = Self {
            sets: vec![Vec::new()],
            ..Self::default()
        };
        // An alternative whose every term is ignored does not narrow anything; one term of several just goes.
        for token in text.split('^') {
            if token.is_empty() || token == "EQ" || token.starts_with("GROUPBY") {
                continue;
            }
            if let Some(column) = token.strip_prefix("ORDERBYDESC") {
                query.order_by(view, table, column, Direction::Descending);
                continue;
            }
            if let Some(column) = token.strip_prefix("ORDERBY") {
                query.order_by(view, table, column, Direction::Ascending);
                continue;
            }
            let (joins_last, token) = match token.strip_prefix("OR") {
                Some(rest) => (true, rest),
                None => (false, token),
            };
            let (opens_set, token) = match token.strip_prefix("NQ") {
                Some(rest) => (true, rest),
                None => (false, token),
            };
            if opens_set {
                query.sets.push(Vec::new());
            }
            let term = Term::parse(view, table, token);
            query.is_invalid |= term.is_none();
            let Some(set) = query.sets.last_mut() else {
                continue;
            };
            match set.last_mut() {
                Some(alternatives) if joins_last => alternatives.extend(term),
                _ => set.push(term.into_iter().collect()),
            }
        }
        for set in &mut query.sets {
            set.retain(|alternatives| !alternatives.is_empty());
        }
        query
    }

    /// The matching records in the order asked for, or else by `sys_id`.
    pub(super) fn select<'a>(&'a self, view: &'a View<'_>, table: &'a str) -> Vec<(&'static str, &'a Record)> {
        if self.is_invalid && view.invalid_query_returns_no_rows() {
            return Vec::new();
        }
        let mut found: Vec<_> = self
            .candidates(view, table)
            .into_iter()
            .filter(|(_, record)| self.matches(view, table, record))
            .collect();
        if !self.order.is_empty() {
            found.sort_by(|(_, a), (_, b)| self.compare(view, table, a, b));
        }
        found
    }

    /// The matching records without those that the instance does not even count for a caller.
    pub(super) fn select_countable<'a>(
        &'a self,
        view: &'a View<'_>,
        table: &'a str,
    ) -> Vec<(&'static str, &'a Record)> {
        let mut found = self.select(view, table);
        found.retain(|(_, record)| !view.modes.quirks.is_uncounted(table, record));
        found
    }

    /// All records, or those that an indexed column leaves over.
    fn candidates<'a>(&'a self, view: &'a View<'_>, table: &'a str) -> Vec<(&'static str, &'a Record)> {
        let family = view.schema.family(table);
        let ([class], [set]) = (family.as_slice(), self.sets.as_slice()) else {
            return view.rows.all(view.schema, table);
        };
        let narrow = set.iter().find_map(|alternatives| match alternatives.as_slice() {
            [term] => term.indexed_values(view, class),
            _ => None,
        });
        let Some((column, values)) = narrow else {
            return view.rows.all(view.schema, table);
        };
        let mut found: BTreeMap<&str, &Record> = BTreeMap::new();
        for text in values {
            let rows = view.rows.having(class, column, text);
            found.extend(rows.map(|record| (value(record, "sys_id"), record)));
        }
        found.into_values().map(|record| (*class, record)).collect()
    }

    fn order_by(&mut self, view: &View<'_>, table: &str, column: &str, direction: Direction) {
        if view.kind_of(table, column).is_some() {
            self.order.push((column.to_owned(), direction));
        } else {
            self.is_invalid = true;
        }
    }

    fn matches(&self, view: &View<'_>, table: &str, record: &Record) -> bool {
        self.sets.iter().any(|set| {
            set.iter()
                .all(|alternatives| alternatives.iter().any(|term| term.holds(view, table, record)))
        })
    }

    fn compare(&self, view: &View<'_>, table: &str, a: &Record, b: &Record) -> Ordering {
        for (column, direction) in &self.order {
            let (left, right) = (
                view.raw(table, a, column).unwrap_or_default(),
                view.raw(table, b, column).unwrap_or_default(),
            );
            let ordering = match view.kind_of(table, column) {
                Some(Kind::Integer) => number(&left).cmp(&number(&right)),
                Some(_) | None => left.cmp(&right),
            };
            let ordering = match direction {
                Direction::Ascending => ordering,
                Direction::Descending => ordering.reverse(),
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        value(a, "sys_id").cmp(value(b, "sys_id"))
    }
}

impl Term {
    fn parse(view: &View<'_>, table: &str, token: &str) -> Option<Self> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        let split = token.find(|c| !is_name(c))?;
        let (column, rest) = token.split_at(split);
        let kind = view.kind_of(table, column)?;
        let (operator, operand) = OPERATORS
            .iter()
            .find_map(|(spelling, operator)| Some((*operator, rest.strip_prefix(spelling)?)))?;
        Some(Self {
            column: column.to_owned(),
            kind,
            operator,
            // A leading `javascript:` stays text: a client that lets one through must not get far with it here.
            operand: operand.to_owned(),
        })
    }

    /// The values that an indexed column must have one of for this term to hold.
    fn indexed_values<'a>(&'a self, view: &View<'_>, class: &str) -> Option<(&'a str, Vec<&'a str>)> {
        let finds_more = view.ignores_case() || view.modes.quirks.id_case != IdCase::Stored;
        if finds_more || !Rows::is_indexed(class, &self.column) {
            return None;
        }
        let is_equal = self.operator == Operator::Equal;
        if !is_equal && self.operator != Operator::In {
            return None;
        }
        let values = if is_equal {
            vec![self.operand.as_str()]
        } else {
            self.operand.split(',').collect()
        };
        Some((&self.column, values))
    }

    fn holds(&self, view: &View<'_>, table: &str, record: &Record) -> bool {
        let raw = view.raw(table, record, &self.column).unwrap_or_default();
        if self.kind.is_secret() {
            // Stored as cipher text, so that only its presence can be asked for.
            let asks_empty =
                self.operator == Operator::IsEmpty || (self.operator == Operator::Equal && self.operand.is_empty());
            let asks_filled = matches!(self.operator, Operator::IsNotEmpty | Operator::NotEqual);
            return (asks_empty && raw.is_empty()) || (asks_filled && !raw.is_empty());
        }
        let is_id = self.column.ends_with("sys_id") || self.kind.target().is_some();
        let ignores_case = view.ignores_case() || (is_id && view.modes.quirks.id_case != IdCase::Stored);
        let fold = |text: &str| {
            if ignores_case {
                text.to_lowercase()
            } else {
                text.to_owned()
            }
        };
        // Trailing blanks count where texts are searched, and not where they are compared.
        let is_equal = |one: &str, other: &str| one == other || (view.ignores_case() && folded(one) == folded(other));
        let left = fold(&raw);
        let right = match (self.kind == Kind::Boolean, self.operand.as_str()) {
            (true, "1") => "true".to_owned(),
            (true, "0") => "false".to_owned(),
            (_, operand) => fold(operand),
        };
        let order = |operand: &str| {
            if self.kind == Kind::Integer {
                number(&left).cmp(&number(operand))
            } else {
                left.as_str().cmp(operand)
            }
        };
        let day = |text: &str| text.split([' ', '@']).next().unwrap_or_default().to_owned();
        match self.operator {
            Operator::Equal => is_equal(&left, &right),
            Operator::NotEqual => !is_equal(&left, &right),
            Operator::Less => !left.is_empty() && order(&right) == Ordering::Less,
            Operator::LessOrEqual => !left.is_empty() && order(&right) != Ordering::Greater,
            Operator::Greater => !left.is_empty() && order(&right) == Ordering::Greater,
            Operator::GreaterOrEqual => !left.is_empty() && order(&right) != Ordering::Less,
            Operator::Like => left.contains(&right),
            Operator::NotLike => !left.contains(&right),
            Operator::StartsWith => left.starts_with(&right),
            Operator::EndsWith => left.ends_with(&right),
            Operator::In => right.split(',').any(|one| is_equal(one, &left)),
            Operator::NotIn => !right.split(',').any(|one| is_equal(one, &left)),
            Operator::IsEmpty => left.is_empty(),
            Operator::IsNotEmpty => !left.is_empty(),
            Operator::Anything => true,
            Operator::Between => right
                .split_once('@')
                .is_some_and(|(low, high)| order(low) != Ordering::Less && order(high) != Ordering::Greater),
            Operator::On => day(&left) == view.day(&day(&self.operand)),
            Operator::NotOn => day(&left) != view.day(&day(&self.operand)),
            Operator::SameAs | Operator::NotSameAs => {
                let other = view.raw(table, record, &self.operand).map(|raw| fold(&raw));
                (other.as_deref() == Some(left.as_str())) == (self.operator == Operator::SameAs)
            }
        }
    }
}

fn number(text: &str) -> i64 {
    text.trim().parse().unwrap_or(0)
}
