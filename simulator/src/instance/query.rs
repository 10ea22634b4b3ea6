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
    sets: Vec<Vec<Vec<Condition>>>,
    order: Vec<(String, Direction)>,
    /// Whether a term was ignored.
    is_invalid: bool,
    /// Terms that a real instance understands and this one does not.
    not_simulated: Vec<String>,
}

/// Terms of a query that the simulator does not know.
#[derive(Debug, thiserror::Error)]
#[error("The simulator does not know these terms of the query: {0}")]
pub(super) struct NotSimulated(String);

#[derive(Debug)]
enum Condition {
    Term(Term),
    Related(Related),
}

/// `RLQUERY` and `JOIN`: how many records of another table belong to a record.
#[derive(Debug)]
struct Related {
    table: String,
    /// Column of the other table.
    column: String,
    /// Column of this table whose value it has.
    own: String,
    /// How many there must be, as a comparison with a number.
    comparison: (Operator, i64),
    /// Which of them count.
    of: Query,
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
    LessThanField,
    LessOrEqualField,
    GreaterThanField,
    GreaterOrEqualField,
}

/// Longer spellings first, since the first that fits is taken.
const OPERATORS: &[(&str, Operator)] = &[
    ("GT_OR_EQUALS_FIELD", Operator::GreaterOrEqualField),
    ("LT_OR_EQUALS_FIELD", Operator::LessOrEqualField),
    ("GT_FIELD", Operator::GreaterThanField),
    ("LT_FIELD", Operator::LessThanField),
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
    ("!*", Operator::NotLike),
    ("*", Operator::Like),
    ("%", Operator::EndsWith),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

/// Operators of a real instance that this one does not know, before those of [`OPERATORS`] that they begin with.
const NOT_SIMULATED: &[&str] = &[
    "VALCHANGES",
    "CHANGESFROM",
    "CHANGESTO",
    "MATCH_PAT",
    "MATCH_RGX",
    "RELATIVE",
    "DATEPART",
    "MORETHAN",
    "LESSTHAN",
    "DYNAMIC",
    "IN_HIERARCHY",
    "INSTANCEOF",
    "HASVARIABLE",
    "HASITEMVARIABLE",
    "HASQUESTION",
    "HASLABEL",
];

/// What whole terms begin with that name no column and are not known here either.
const TERMS_NOT_SIMULATED: &[&str] = &["SUBQUERY", "ENDSUBQUERY", "123TEXTQUERY321", "123TEXTINDEXGROUP321"];

impl Query {
    /// Parses for a table. Never fails: what is not understood is ignored. See [`Query::check`].
    pub(super) fn parse(view: &View<'_>, table: &str, text: &str) -> Self {
        let mut query = Self {
            sets: vec![Vec::new()],
            ..Self::default()
        };
        let mut tokens = text.split('^');
        // An alternative whose every term is ignored does not narrow anything; one term of several just goes.
        while let Some(token) = tokens.next() {
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
            let condition = if let Some(head) = token.strip_prefix("RLQUERY") {
                let inner: Vec<_> = tokens.by_ref().take_while(|token| *token != "ENDRLQUERY").collect();
                Related::of_list(view, table, head, &inner.join("^")).map(Condition::Related)
            } else if let Some(head) = token.strip_prefix("JOIN") {
                // What follows the `!` is about the other table, to the end.
                let rest: Vec<_> = std::iter::once(head).chain(tokens.by_ref()).collect();
                Related::of_join(view, table, &rest.join("^")).map(Condition::Related)
            } else {
                Term::parse(view, table, token).map(Condition::Term)
            };
            match &condition {
                Some(Condition::Related(related)) => {
                    query.not_simulated.extend(related.of.not_simulated.iter().cloned())
                }
                Some(Condition::Term(_)) => {}
                None if is_not_simulated(view, table, token) => query.not_simulated.push(token.to_owned()),
                None => query.is_invalid = true,
            }
            let Some(set) = query.sets.last_mut() else {
                continue;
            };
            match set.last_mut() {
                Some(alternatives) if joins_last => alternatives.extend(condition),
                _ => set.push(condition.into_iter().collect()),
            }
        }
        for set in &mut query.sets {
            set.retain(|alternatives| !alternatives.is_empty());
        }
        query
    }

    /// Refuses a query with terms that a real instance would heed: without them it finds too much, and a test could pass on
    /// that.
    pub(super) fn check(&self) -> Result<(), NotSimulated> {
        if self.not_simulated.is_empty() {
            Ok(())
        } else {
            Err(NotSimulated(self.not_simulated.join("^")))
        }
    }

    /// Whether a real instance would run a script where this one compares its text.
    pub(super) fn has_script(&self) -> bool {
        let mut conditions = self.sets.iter().flatten().flatten();
        conditions.any(|one| matches!(one, Condition::Term(term) if term.operand.starts_with("javascript:")))
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
            [Condition::Term(term)] => term.indexed_values(view, class),
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

    pub(super) fn matches(&self, view: &View<'_>, table: &str, record: &Record) -> bool {
        self.sets.iter().any(|set| {
            set.iter()
                .all(|alternatives| alternatives.iter().any(|one| one.holds(view, table, record)))
        })
    }

    fn compare(&self, view: &View<'_>, table: &str, a: &Record, b: &Record) -> Ordering {
        for (column, direction) in &self.order {
            let kind = view.kind_of(table, column);
            let shown = |record: &Record| {
                let raw = view.raw(table, record, column).unwrap_or_default();
                // References are sorted by what they show.
                kind.map_or(raw.clone(), |kind| view.name_behind(kind, raw))
            };
            let (left, right) = (shown(a), shown(b));
            let ordering = match kind {
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

impl Condition {
    fn holds(&self, view: &View<'_>, table: &str, record: &Record) -> bool {
        match self {
            Self::Term(term) => term.holds(view, table, record),
            Self::Related(related) => related.holds(view, table, record),
        }
    }
}

impl Related {
    /// `RLQUERY<table>.<column>,<comparison>[,m2m]` and the query up to `ENDRLQUERY`.
    fn of_list(view: &View<'_>, table: &str, head: &str, inner: &str) -> Option<Self> {
        let mut parts = head.trim().split(',');
        let (path, comparison) = (parts.next()?, parts.next()?);
        let (other, column) = path.split_once('.')?;
        let (operator, count) = comparisons().find_map(|(spelling, operator)| {
            let count = comparison.strip_prefix(spelling)?.parse().ok()?;
            Some((operator, count))
        })?;
        Self::new(view, table, (other, column), "sys_id", (operator, count), inner)
    }

    /// `JOIN<this table>.<column>=<table>.<column>!<query>`.
    fn of_join(view: &View<'_>, table: &str, text: &str) -> Option<Self> {
        let (head, inner) = text.split_once('!')?;
        let (own, other) = head.split_once('=')?;
        let (named, own) = own.split_once('.')?;
        let (other, column) = other.split_once('.')?;
        let is_ours = view.schema.lineage(table).contains(&named);
        let at_least_one = (Operator::GreaterOrEqual, 1);
        is_ours.then(|| Self::new(view, table, (other, column), own, at_least_one, inner))?
    }

    fn new(
        view: &View<'_>,
        table: &str,
        (other, column): (&str, &str),
        own: &str,
        comparison: (Operator, i64),
        inner: &str,
    ) -> Option<Self> {
        view.kind_of(table, own)?;
        view.kind_of(other, column)?;
        Some(Self {
            table: other.to_owned(),
            column: column.to_owned(),
            own: own.to_owned(),
            comparison,
            of: Query::parse(view, other, inner),
        })
    }

    fn holds(&self, view: &View<'_>, table: &str, record: &Record) -> bool {
        let own = view.raw(table, record, &self.own).unwrap_or_default();
        let belonging = self.of.select(view, &self.table);
        let count = belonging
            .iter()
            .filter(|(_, other)| view.raw(&self.table, other, &self.column).as_deref() == Some(own.as_str()))
            .count();
        let (operator, wanted) = self.comparison;
        operator.accepts(i64::try_from(count).unwrap_or(i64::MAX).cmp(&wanted))
    }
}

/// The spellings of comparisons, longer ones first.
fn comparisons() -> impl Iterator<Item = (&'static str, Operator)> {
    let all = OPERATORS.iter().copied();
    all.filter(|(_, operator)| operator.is_comparison())
}

impl Operator {
    fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }

    /// Whether this comparison, with a value or with a field, holds for an ordering of left and right.
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Less | Self::LessThanField => ordering == Ordering::Less,
            Self::LessOrEqual | Self::LessOrEqualField => ordering != Ordering::Greater,
            Self::Greater | Self::GreaterThanField => ordering == Ordering::Greater,
            Self::GreaterOrEqual | Self::GreaterOrEqualField => ordering != Ordering::Less,
            Self::NotEqual => ordering != Ordering::Equal,
            _ => ordering == Ordering::Equal,
        }
    }

    /// Whether it looks at the text that a reference shows, and not at the key that it stores.
    fn is_of_texts(self) -> bool {
        matches!(self, Self::Like | Self::NotLike | Self::StartsWith | Self::EndsWith)
    }
}

/// Whether a term that could not be parsed is one that a real instance would understand.
fn is_not_simulated(view: &View<'_>, table: &str, token: &str) -> bool {
    let of_column = split(token).is_some_and(|(column, rest)| {
        view.kind_of(table, column).is_some() && NOT_SIMULATED.iter().any(|operator| rest.starts_with(operator))
    });
    of_column || TERMS_NOT_SIMULATED.iter().any(|begin| token.starts_with(begin))
}

/// The column of a term, and what follows it.
fn split(token: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
    let at = token.find(|c| !is_name(c))?;
    Some(token.split_at(at))
}

impl Term {
    fn parse(view: &View<'_>, table: &str, token: &str) -> Option<Self> {
        let (column, rest) = split(token)?;
        let kind = view.kind_of(table, column)?;
        if NOT_SIMULATED.iter().any(|operator| rest.starts_with(operator)) {
            return None;
        }
        let (operator, operand) = OPERATORS
            .iter()
            .find_map(|(spelling, operator)| Some((*operator, rest.strip_prefix(spelling)?)))?;
        Some(Self {
            column: column.to_owned(),
            kind,
            operator,
            // A leading `javascript:` stays text: a client that lets one through must not get far with it here. The log
            // tells of it.
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
        let left = if self.operator.is_of_texts() {
            fold(&view.name_behind(self.kind, raw))
        } else {
            fold(&raw)
        };
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
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                !left.is_empty() && self.operator.accepts(order(&right))
            }
            Operator::LessThanField
            | Operator::LessOrEqualField
            | Operator::GreaterThanField
            | Operator::GreaterOrEqualField => {
                let other = view.raw(table, record, &self.operand).map(|raw| fold(&raw));
                let other = other.filter(|other| !left.is_empty() && !other.is_empty());
                other.is_some_and(|other| self.operator.accepts(order(&other)))
            }
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
