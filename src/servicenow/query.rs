//! Encoded queries that cannot be injected.
//!
//! An instance ignores a term that it does not understand and then answers with every row, so nothing goes out that
//! is not known to be a term. There is no escaping for `^`, `,` and `@` (the vendor's SDK says so), so values that hold
//! one where it would matter are refused.
//!
//! Facts: `queries-find-by-equality`, `equality-and-case`, `invalid-query-terms`, `carets-in-values`,
//! `long-addresses-are-refused`.

mod parse; // Encoded queries that users wrote.

use std::fmt;

use crate::servicenow::record::{Cell, Record, Value};
use crate::servicenow::sys_id::SysId;
use crate::servicenow::table::{Column, ColumnKind};
use crate::servicenow::tables::every;
use crate::servicenow::value_equality::{means_the_same, spellings};

/// Which rows are meant, and in which order.
///
/// ```
/// use servicenow_provider::servicenow::Query;
/// use servicenow_provider::servicenow::tables::sys_user;
///
/// let query = Query::equals(sys_user::USER_NAME, "abel.tuter")?.and(Query::equals(sys_user::ACTIVE, true)?);
/// assert_eq!(query.encoded(), "user_name=abel.tuter^active=true");
/// assert!(Query::equals(sys_user::USER_NAME, "x^ORactive=true").is_err());
/// # Ok::<(), servicenow_provider::servicenow::QueryError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Query {
    /// Joined by `^NQ`; each holds groups joined by `^`; each of these holds terms joined by `^OR`.
    alternatives: Vec<Vec<Vec<Term>>>,
    order: Vec<(String, Direction)>,
}

impl Query {
    /// Every row of the table. Meant: an empty query never comes about by accident.
    pub fn every_row() -> Query {
        Query {
            alternatives: vec![Vec::new()],
            order: Vec::new(),
        }
    }

    /// Rows whose column holds exactly this value.
    ///
    /// # Errors
    /// [`QueryError`] for an empty value (which would mean "is empty") and for values that a query cannot express.
    pub fn equals(column: Column, value: impl Into<Value>) -> Result<Query, QueryError> {
        let text = expressible(column, value.into(), "")?;
        Ok(Query::of(column, Test::Equals(text)))
    }

    /// Rows whose column does not hold this value; includes rows where it is empty.
    ///
    /// # Errors
    /// As [`Query::equals`].
    pub fn differs(column: Column, value: impl Into<Value>) -> Result<Query, QueryError> {
        let text = expressible(column, value.into(), "")?;
        Ok(Query::of(column, Test::Differs(text)))
    }

    /// Rows whose column starts with this text.
    ///
    /// # Errors
    /// As [`Query::equals`].
    pub fn starts_with(column: Column, prefix: &str) -> Result<Query, QueryError> {
        let text = expressible(column, Value::from(prefix), "")?;
        Ok(Query::of(column, Test::StartsWith(text)))
    }

    /// Rows whose column contains this text.
    ///
    /// # Errors
    /// As [`Query::equals`].
    pub fn contains(column: Column, part: &str) -> Result<Query, QueryError> {
        let text = expressible(column, Value::from(part), "")?;
        Ok(Query::of(column, Test::Contains(text)))
    }

    /// Rows whose column holds one of these values.
    ///
    /// # Errors
    /// As [`Query::equals`], for a value with a comma, and for no value at all.
    pub fn any_of<V: Into<Value>>(column: Column, values: impl IntoIterator<Item = V>) -> Result<Query, QueryError> {
        let mut texts = Vec::new();
        for value in values {
            let text = expressible(column, value.into(), ",")?;
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        if texts.is_empty() {
            return Err(QueryError::Empty {
                column: column.name().to_owned(),
            });
        }
        Ok(Query::of(column, Test::AnyOf(texts)))
    }

    /// Rows whose column lies between two values, both included.
    ///
    /// # Errors
    /// As [`Query::equals`], and for a value with `@`.
    pub fn between(column: Column, low: impl Into<Value>, high: impl Into<Value>) -> Result<Query, QueryError> {
        let low = expressible(column, low.into(), "@")?;
        let high = expressible(column, high.into(), "@")?;
        Ok(Query::of(column, Test::Unchecked(format!("BETWEEN{low}@{high}"))))
    }

    /// Rows whose column holds nothing.
    pub fn is_empty(column: Column) -> Query {
        Query::of(column, Test::IsEmpty)
    }

    /// Rows whose column holds something.
    pub fn is_not_empty(column: Column) -> Query {
        Query::of(column, Test::IsNotEmpty)
    }

    /// An encoded query that a user wrote, checked term by term.
    ///
    /// # Errors
    /// [`QueryError::Term`] for a term that the instance might ignore, since it would then answer with every row.
    pub fn user(text: &str) -> Result<Query, QueryError> {
        parse::user_query(text)
    }

    /// The same rows without this one.
    ///
    /// # Errors
    /// [`QueryError`], as of every term.
    pub fn other_than(self, own: Option<&SysId>) -> Result<Query, QueryError> {
        match own {
            Some(own) => Ok(self.and(Query::differs(every::SYS_ID, own.as_str())?)),
            None => Ok(self),
        }
    }

    /// Rows that both queries mean.
    #[must_use]
    pub fn and(mut self, other: Query) -> Query {
        self.order.extend(other.order);
        self.alternatives = self
            .alternatives
            .iter()
            .flat_map(|mine| {
                other
                    .alternatives
                    .iter()
                    .map(move |theirs| [mine.clone(), theirs.clone()].concat())
            })
            .collect();
        self
    }

    /// Rows that one of the queries means.
    #[must_use]
    pub fn or(mut self, other: Query) -> Query {
        self.order.extend(other.order);
        match (self.alternatives.as_mut_slice(), other.alternatives.as_slice()) {
            // `a^ORb` binds tighter than `^`, so only single groups can be joined this way.
            ([mine], [theirs]) if mine.len() == 1 && theirs.len() == 1 => mine[0].extend(theirs[0].iter().cloned()),
            _ => self.alternatives.extend(other.alternatives),
        }
        self
    }

    /// Orders the rows by a column, smallest first. Several calls order by the first, then by the next.
    #[must_use]
    pub fn order_by(mut self, column: Column) -> Query {
        self.order.push((column.name().to_owned(), Direction::Up));
        self
    }

    /// Orders the rows by a column, largest first.
    #[must_use]
    pub fn order_by_descending(mut self, column: Column) -> Query {
        self.order.push((column.name().to_owned(), Direction::Down));
        self
    }

    /// The text of `sysparm_query`, not yet percent-encoded.
    pub fn encoded(&self) -> String {
        let mut text = String::new();
        for (number, groups) in self.alternatives.iter().enumerate() {
            if number > 0 {
                text.push_str("^NQ");
            }
            if groups.is_empty() {
                // A query of an order alone would begin with `^` or with no term; this one every instance understands.
                text.push_str("sys_idISNOTEMPTY");
            }
            for (number, group) in groups.iter().enumerate() {
                if number > 0 {
                    text.push('^');
                }
                for (number, term) in group.iter().enumerate() {
                    if number > 0 {
                        text.push_str("^OR");
                    }
                    term.write(&mut text);
                }
            }
        }
        for (column, direction) in &self.order {
            text.push_str(match direction {
                Direction::Up => "^ORDERBY",
                Direction::Down => "^ORDERBYDESC",
            });
            text.push_str(column);
        }
        text
    }

    /// The same text for queries that mean the same rows, as the instance compares: without case and without blanks at the ends.
    pub(super) fn folded(&self) -> String {
        let mut usual = self.clone();
        for term in usual.alternatives.iter_mut().flatten().flatten() {
            if let (Test::Equals(value), Some(kind)) = (&mut term.test, term.kind) {
                *value = spellings(kind, value)
                    .into_iter()
                    .next()
                    .unwrap_or_else(|| value.clone());
            }
        }
        let text = usual.encoded().to_lowercase();
        let terms: Vec<&str> = text.split('^').map(|term| term.trim().trim_end_matches('/')).collect();
        terms.join("^")
    }

    /// The row with this key.
    pub(super) fn key(sys_id: &SysId) -> Query {
        Query::of(every::SYS_ID, Test::Equals(sys_id.as_str().to_owned()))
    }

    /// Rows with one of these keys.
    pub(super) fn keys(ids: &[SysId]) -> Query {
        Query::of(
            every::SYS_ID,
            Test::AnyOf(ids.iter().map(|id| id.as_str().to_owned()).collect()),
        )
    }

    /// Whether another query of this kind can be joined to it by a single `^OR`.
    pub(super) fn is_one_condition(&self) -> bool {
        matches!(self.alternatives.as_slice(), [groups] if groups.len() == 1) && self.order.is_empty()
    }

    /// The names of the columns that [`Query::judge`] wants to see.
    pub(super) fn key_columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for term in self.terms() {
            let is_checked = term.kind.is_none() || !term.column.contains('.');
            if is_checked && !names.contains(&term.column.as_str()) {
                names.push(&term.column);
            }
        }
        names
    }

    /// The columns of its terms, and of its order.
    pub fn columns(&self) -> Vec<(&str, ColumnUse)> {
        let terms = self.terms().map(|term| (term.column.as_str(), ColumnUse::Term));
        let order = self.order.iter().map(|(column, _)| (column.as_str(), ColumnUse::Order));
        terms.chain(order).collect()
    }

    /// The columns of the terms that a user wrote.
    pub(super) fn columns_of_user(&self) -> impl Iterator<Item = &str> {
        self.terms()
            .filter(|term| term.kind.is_none())
            .map(|term| term.column.as_str())
    }

    /// Whether a row that matches does so letter by letter: the instance ignores case and blanks at the end.
    pub fn is_exact(&self, record: &Record) -> bool {
        let holds = |term: &Term| match (&term.test, record.by_name(&term.column)) {
            (Test::Equals(value), Cell::Value(held)) => term.kind != Some(ColumnKind::Text) || held == value,
            _ => true,
        };
        self.terms().all(holds)
    }

    /// Compares a row of the answer with the query, since an ignored term brings rows that nobody asked for.
    pub(super) fn judge(&self, record: &Record) -> Verdict {
        let mut worst = Verdict::Other;
        for groups in &self.alternatives {
            let verdicts = groups.iter().map(|group| {
                group
                    .iter()
                    .map(|term| term.judge(record))
                    .reduce(Verdict::or)
                    .unwrap_or(Verdict::Meant)
            });
            worst = worst.or(verdicts.reduce(Verdict::and).unwrap_or(Verdict::Meant));
        }
        worst
    }

    fn of(column: Column, test: Test) -> Query {
        Query {
            alternatives: vec![vec![vec![Term::new(column.name(), Some(column.kind()), test)]]],
            order: Vec::new(),
        }
    }

    fn terms(&self) -> impl Iterator<Item = &Term> {
        self.alternatives.iter().flatten().flatten()
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encoded())
    }
}

/// What a query does with a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnUse {
    /// It compares its value.
    Term,
    /// It orders the rows by it.
    Order,
}

/// What a row of an answer is to the query that was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// It fits.
    Meant,
    /// The column that would tell is not in the row.
    Hidden(String),
    /// It does not fit: the instance ignored or bent the query.
    Other,
}

impl Verdict {
    fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Other, _) | (_, Verdict::Other) => Verdict::Other,
            (Verdict::Hidden(column), _) | (_, Verdict::Hidden(column)) => Verdict::Hidden(column),
            (Verdict::Meant, Verdict::Meant) => Verdict::Meant,
        }
    }

    fn or(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Meant, _) | (_, Verdict::Meant) => Verdict::Meant,
            (Verdict::Hidden(column), _) | (_, Verdict::Hidden(column)) => Verdict::Hidden(column),
            (Verdict::Other, Verdict::Other) => Verdict::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Direction {
    Up,
    Down,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Term {
    column: String,
    /// None in a query that a user wrote.
    kind: Option<ColumnKind>,
    test: Test,
}

impl Term {
    fn new(column: &str, kind: Option<ColumnKind>, test: Test) -> Term {
        Term {
            column: column.to_owned(),
            kind,
            test,
        }
    }

    fn write(&self, out: &mut String) {
        if let Test::Equals(value) = &self.test {
            for (number, spelling) in self.spellings(value).iter().enumerate() {
                let joint = if number > 0 { "^OR" } else { "" };
                push_all(out, &[joint, &self.column, "=", spelling]);
            }
            return;
        }
        out.push_str(&self.column);
        match &self.test {
            Test::Equals(_) => {}
            Test::Differs(value) => push_all(out, &["!=", value]),
            Test::StartsWith(value) => push_all(out, &["STARTSWITH", value]),
            Test::Contains(value) => push_all(out, &["LIKE", value]),
            Test::AnyOf(values) => push_all(out, &["IN", &values.join(",")]),
            Test::IsEmpty => out.push_str("ISEMPTY"),
            Test::IsNotEmpty => out.push_str("ISNOTEMPTY"),
            Test::Unchecked(rest) => out.push_str(rest),
        }
    }

    /// The texts that an instance, which compares texts, may hold for a value; the usual one first.
    fn spellings(&self, value: &str) -> Vec<String> {
        let mut spellings = self.kind.map_or_else(Vec::new, |kind| spellings(kind, value));
        spellings.retain(|spelling| check_value(&self.column, spelling, "").is_ok());
        if !spellings.iter().any(|it| it == value) {
            spellings.push(value.to_owned());
        }
        spellings
    }

    fn judge(&self, record: &Record) -> Verdict {
        if self.column.contains('.') {
            return Verdict::Meant;
        }
        let held = match record.by_name(&self.column) {
            Cell::Hidden => return Verdict::Hidden(self.column.clone()),
            Cell::Empty => "",
            Cell::Value(held) => held,
        };
        let fits = match &self.test {
            Test::Equals(value) => self.same(held, value),
            Test::Differs(value) => !self.same(held, value),
            Test::AnyOf(values) => values.iter().any(|value| self.same(held, value)),
            Test::IsEmpty => held.is_empty(),
            Test::IsNotEmpty => !held.is_empty(),
            // The instance compares without regard to case here.
            Test::StartsWith(value) => held.to_lowercase().starts_with(&value.to_lowercase()),
            Test::Contains(value) => held.to_lowercase().contains(&value.to_lowercase()),
            Test::Unchecked(_) => true,
        };
        if fits { Verdict::Meant } else { Verdict::Other }
    }

    /// As the instance compares: neither case nor blanks at the end count, and a boolean may have several forms.
    fn same(&self, held: &str, value: &str) -> bool {
        let folded = |text: &str| text.trim_end().to_lowercase();
        // Numbers, times and addresses have several forms.
        let is_same = |kind| match kind {
            ColumnKind::Bool
            | ColumnKind::Integer
            | ColumnKind::Decimal
            | ColumnKind::DateTime
            | ColumnKind::Url
            | ColumnKind::IpAddress => means_the_same(kind, held, value),
            ColumnKind::Text | ColumnKind::Email | ColumnKind::Reference | ColumnKind::Secret => false,
        };
        held == value || folded(held) == folded(value) || self.kind.is_some_and(is_same)
    }
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Test {
    Equals(String),
    Differs(String),
    StartsWith(String),
    Contains(String),
    AnyOf(Vec<String>),
    IsEmpty,
    IsNotEmpty,
    /// Operator and value whose meaning is the instance's business, from a query that a user wrote. A row shows at
    /// least whether the column exists: terms with an unknown column are ignored and bring every row.
    Unchecked(String),
}

/// Why a query cannot be sent.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// Would mean "is empty" to the instance.
    #[error("the value for {column} is empty")]
    Empty {
        /// Wire name of the column.
        column: String,
    },
    /// A character that an encoded query has no way to carry.
    #[error("the value for {column} contains {}, which a query cannot express", name_of(*character))]
    Character {
        /// Wire name of the column.
        column: String,
        /// The first such character.
        character: char,
    },
    /// The instance would run the value as a script.
    #[error("the value for {column} begins with \"javascript:\", which the instance would run as a script")]
    Script {
        /// Wire name of the column.
        column: String,
    },
    /// A secret in a query would end up in the instance's logs.
    #[error("{column} contains a secret and cannot be searched")]
    Secret {
        /// Wire name of the column.
        column: String,
    },
    /// A term of a user's query that the instance might ignore.
    #[error("\"{term}\" is not a term of an encoded query: {problem}")]
    Term {
        /// The term as it was given.
        term: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl QueryError {
    /// What the user can do.
    pub fn remedy(&self) -> String {
        match self {
            QueryError::Empty { .. } => "Give a value; to search for empty columns write <column>ISEMPTY.".to_owned(),
            QueryError::Character { character, .. } => {
                format!(
                    "Use a value without {}; import the record by its sys_id instead.",
                    name_of(*character)
                )
            }
            QueryError::Script { .. } => "Use a value that does not begin with \"javascript:\".".to_owned(),
            QueryError::Secret { .. } => "Search by another column.".to_owned(),
            QueryError::Term { .. } => {
                "The instance ignores terms it does not understand and would respond with every \
                row. Copy the query from a list's filter (right-click the breadcrumb, Copy query)."
                    .to_owned()
            }
        }
    }
}

/// The text of a value, if a query can carry it.
fn expressible(column: Column, value: Value, also_refused: &str) -> Result<String, QueryError> {
    if matches!(value, Value::Secret(_)) {
        return Err(QueryError::Secret {
            column: column.name().to_owned(),
        });
    }
    let text = value.into_wire();
    check_value(column.name(), &text, also_refused)?;
    Ok(text)
}

fn check_value(column: &str, text: &str, also_refused: &str) -> Result<(), QueryError> {
    if text.trim().is_empty() {
        return Err(QueryError::Empty {
            column: column.to_owned(),
        });
    }
    let bad = text
        .chars()
        .find(|c| *c == '^' || c.is_control() || also_refused.contains(*c));
    if let Some(character) = bad {
        return Err(QueryError::Character {
            column: column.to_owned(),
            character,
        });
    }
    let is_script = text
        .trim_start()
        .get(..SCRIPT.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(SCRIPT));
    if is_script {
        return Err(QueryError::Script {
            column: column.to_owned(),
        });
    }
    Ok(())
}

fn name_of(character: char) -> String {
    if character.is_control() {
        format!("the control character U+{:04X}", u32::from(character))
    } else {
        format!("\"{character}\"")
    }
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

const SCRIPT: &str = "javascript:";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::tables::{oauth_entity, sys_user};

    #[track_caller]
    fn check(query: Query, encoded: &str) {
        assert_eq!(query.encoded(), encoded);
    }

    #[test]
    fn a_query_of_one_condition_can_be_joined_to_another() {
        let name = || Query::equals(sys_user::USER_NAME, "robot").unwrap();
        let active = || Query::equals(sys_user::ACTIVE, true).unwrap();

        assert!(name().is_one_condition());
        assert!(name().or(active()).is_one_condition());
        assert!(!name().and(active()).is_one_condition());
        assert!(!name().order_by(every::SYS_ID).is_one_condition());
    }

    #[test]
    fn terms_are_joined_as_the_instance_reads_them() {
        let name = |value: &str| Query::equals(sys_user::USER_NAME, value).unwrap();
        let active = Query::equals(sys_user::ACTIVE, true).unwrap();

        check(Query::every_row(), "sys_idISNOTEMPTY");
        check(
            Query::every_row().order_by(every::SYS_ID),
            "sys_idISNOTEMPTY^ORDERBYsys_id",
        );
        check(name("a").and(active.clone()), "user_name=a^active=true");
        check(
            name("a").or(name("b")).and(active.clone()),
            "user_name=a^ORuser_name=b^active=true",
        );
        check(
            name("a").and(active.clone()).or(name("b")),
            "user_name=a^active=true^NQuser_name=b",
        );
        check(
            name("a")
                .and(active.clone())
                .or(name("b"))
                .and(Query::is_empty(sys_user::EMAIL)),
            "user_name=a^active=true^emailISEMPTY^NQuser_name=b^emailISEMPTY",
        );
        check(
            Query::any_of(sys_user::USER_NAME, ["a", "b", "a"]).unwrap(),
            "user_nameINa,b",
        );
        check(
            Query::between(oauth_entity::ACCESS_TOKEN_LIFESPAN, 1, 9).unwrap(),
            "access_token_lifespanBETWEEN1@9",
        );
        check(
            active.order_by_descending(sys_user::NAME),
            "active=true^ORDERBYDESCname",
        );
    }

    #[test]
    fn a_value_that_a_query_cannot_express_is_refused() {
        for (value, character) in [("a^b", '^'), ("a\u{0}b", '\u{0}'), ("a\nb", '\n')] {
            let error = Query::equals(sys_user::USER_NAME, value).unwrap_err();
            assert_eq!(
                error,
                QueryError::Character {
                    column: "user_name".to_owned(),
                    character
                }
            );
        }
        for value in ["javascript:gs.getUserID()", " JavaScript:x"] {
            assert!(matches!(
                Query::equals(sys_user::USER_NAME, value),
                Err(QueryError::Script { .. })
            ));
        }
        for value in ["", "   "] {
            assert!(matches!(
                Query::equals(sys_user::USER_NAME, value),
                Err(QueryError::Empty { .. })
            ));
        }
        assert!(matches!(
            Query::any_of(sys_user::USER_NAME, ["a,b"]),
            Err(QueryError::Character { character: ',', .. })
        ));
        assert!(matches!(
            Query::any_of::<&str>(sys_user::USER_NAME, []),
            Err(QueryError::Empty { .. })
        ));
        assert!(matches!(
            Query::between(sys_user::EMAIL, "a@b", "c"),
            Err(QueryError::Character { character: '@', .. })
        ));
    }

    #[test]
    fn a_row_that_was_not_asked_for_is_recognised() {
        let query = Query::equals(sys_user::USER_NAME, "a")
            .unwrap()
            .and(Query::equals(sys_user::ACTIVE, false).unwrap());
        let row = |cells: &[(&str, &str)]| Record::for_tests("6816f79cc0a8016401c5a33be04be441", cells);

        assert_eq!(
            query.judge(&row(&[("user_name", "a"), ("active", "false")])),
            Verdict::Meant
        );
        assert_eq!(query.judge(&row(&[("user_name", "a"), ("active", "")])), Verdict::Meant);
        assert_eq!(
            query.judge(&row(&[("user_name", "A "), ("active", "false")])),
            Verdict::Meant,
            "the instance takes them for equal"
        );
        assert_eq!(query.judge(&row(&[("user_name", "b")])), Verdict::Other);
        assert_eq!(
            query.judge(&row(&[("user_name", "a")])),
            Verdict::Hidden("active".to_owned())
        );
    }
}
