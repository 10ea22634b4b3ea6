//! What is said about a table: what two accounts see and what the rules say, in one sentence or two.

use std::collections::BTreeSet;

use crate::access_report::access_rules::Judged;
use crate::access_report::reading::{Seen, Sight};
use crate::access_report::wanted::Wanted;
use crate::plugin::{Object, Value};

/// One entry of `findings`.
#[derive(Debug)]
pub(super) struct Finding {
    table: &'static str,
    status: Status,
    /// Whether the account lacks something that it is to read.
    pub(super) is_failure: bool,
    detail: String,
    remedy: String,
    shown: usize,
    hidden_rows: usize,
    hidden_columns: BTreeSet<String>,
    unknown_columns: BTreeSet<String>,
    judged: Option<Judged>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    Readable,
    Empty,
    PartlyHidden,
    Forbidden,
    NoSuchTable,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Readable => "readable",
            Status::Empty => "empty",
            Status::PartlyHidden => "partly_hidden",
            Status::Forbidden => "forbidden",
            Status::NoSuchTable => "no_such_table",
        }
    }
}

impl Finding {
    /// What the account's and the provider's sight of a table mean, and the rules about it.
    pub(super) fn new(
        wanted: &Wanted,
        sight: &Sight,
        own: Option<&Sight>,
        unknown_columns: BTreeSet<String>,
        judged: Option<Judged>,
    ) -> Finding {
        let table = wanted.table.name();
        let mut finding = Finding {
            table,
            status: Status::Forbidden,
            is_failure: true,
            detail: String::new(),
            remedy: String::new(),
            shown: 0,
            hidden_rows: 0,
            hidden_columns: &sight.missing_columns() - &unknown_columns,
            unknown_columns,
            judged,
        };
        let own_total = match own {
            Some(Sight::Rows(own)) => own.total.unwrap_or(own.shown),
            Some(_) | None => 0,
        };
        match sight {
            Sight::NoSuchTable => {
                finding.status = Status::NoSuchTable;
                finding.detail = format!("The instance has no table {table}.");
                "Correct the name, or activate the plugin that brings the table.".clone_into(&mut finding.remedy);
                return finding;
            }
            Sight::Refused(why) => {
                finding.hidden_rows = own_total;
                finding.detail = format!("The instance refuses to list {table}: {why}");
            }
            Sight::QueryHidden(column) => {
                finding.status = Status::PartlyHidden;
                finding.detail = format!(
                    "No row of {table} shows the column {column}, which the query is about: the instance would ignore the query."
                );
            }
            Sight::Unclear(why) => {
                finding.status = Status::PartlyHidden;
                finding.detail = format!("It cannot be told which records of {table} the account may read: {why}");
            }
            Sight::Rows(seen) => finding.judge_rows(wanted, seen, own, own_total),
        }
        finding.add_remedy();
        finding
    }

    fn judge_rows(&mut self, wanted: &Wanted, seen: &Seen, own: Option<&Sight>, own_total: usize) {
        let table = self.table;
        let counted = seen.total.unwrap_or(seen.shown);
        let is_counted = seen.total.is_some();
        self.shown = seen.shown;
        self.hidden_rows = seen.hidden + own_total.saturating_sub(counted);
        if seen.shown == 0 {
            self.detail = match (counted, own_total) {
                (0, 0) if !is_counted => {
                    self.status = Status::Empty;
                    self.is_failure = false;
                    format!("The account sees no records of {table}. {UNCOUNTED}")
                }
                (0, 0) => {
                    self.status = Status::Empty;
                    self.is_failure = false;
                    let compared = match own {
                        Some(Sight::Rows(_)) => ", and the provider's own account sees none either",
                        Some(_) => ", and the provider's own account may not read the table",
                        None => "",
                    };
                    format!("There is no record{compared}: nothing shows whether the account may read {table}.")
                }
                (0, own) => format!(
                    "The account sees no records of {table}, and the instance counts none for it; the provider's own account sees {own}. A rule \
                     hides them (an access rule, or a business rule that changes queries)."
                ),
                (counted, _) => format!(
                    "The instance counts records in {table} ({counted}) and shows none of {} to the account.",
                    looked_at(seen, counted)
                ),
            };
            if !self.unknown_columns.is_empty() {
                self.is_failure = true;
                self.detail.push_str(&format!(
                    " The table has no such columns: {}.",
                    list(&self.unknown_columns)
                ));
            }
            return;
        }
        let mut parts = Vec::new();
        if seen.hidden > 0 {
            let number = seen.hidden + seen.shown;
            parts.push(format!(
                "{} of {} are hidden ({counted} are counted)",
                seen.hidden,
                if number < counted {
                    format!("the first {number} records")
                } else {
                    format!("{number} records")
                },
            ));
        }
        if own_total > counted {
            parts.push(format!(
                "the instance counts {counted} records for the account and {own_total} for the provider's own account"
            ));
        }
        if !self.hidden_columns.is_empty() {
            parts.push(format!("columns are hidden: {}", list(&self.hidden_columns)));
        }
        if !self.unknown_columns.is_empty() {
            parts.push(format!("there are no such columns: {}", list(&self.unknown_columns)));
        }
        let lacks_columns = !self.hidden_columns.is_empty() || !self.unknown_columns.is_empty();
        self.is_failure = lacks_columns || (self.hidden_rows > 0 && !wanted.may_hide_rows);
        self.status = if self.hidden_rows > 0 || !self.hidden_columns.is_empty() {
            Status::PartlyHidden
        } else {
            Status::Readable
        };
        self.detail = if parts.is_empty() && !is_counted {
            format!(
                "The account may read {table}: it is shown {} of its records.",
                seen.shown
            )
        } else if parts.is_empty() {
            format!(
                "The account may read {table}: it is shown {}.",
                looked_at(seen, counted)
            )
        } else {
            format!("The account may read {table} in part: {}.", parts.join("; "))
        };
        if !is_counted {
            self.detail = format!("{} {UNCOUNTED}", self.detail);
        }
    }

    fn add_remedy(&mut self) {
        let is_misspelt = !self.unknown_columns.is_empty() && self.hidden_columns.is_empty() && self.hidden_rows == 0;
        let correct_names = "Correct the names of the columns.";
        let Some(judged) = &self.judged else {
            if self.is_failure && is_misspelt && self.status != Status::Forbidden {
                correct_names.clone_into(&mut self.remedy);
            } else if self.is_failure {
                "Grant the user a role that the access rules (ACL) of the table ask for, or have a security_admin create rules \
                 for a role of its own: see the functions access_rules_script and access_rules_update_set."
                    .clone_into(&mut self.remedy);
            }
            return;
        };
        let missing = list(&judged.missing);
        if !judged.missing.is_empty() {
            self.detail.push_str(&format!(
                " By the access rules the user lacks one of these roles: {missing}."
            ));
        }
        if !self.is_failure {
            return;
        }
        self.remedy = if !judged.missing.is_empty() {
            format!(
                "Grant the user one of these roles: {missing}; or have a security_admin create a rule for a role of its own: see \
                 the functions access_rules_script and access_rules_update_set."
            )
        } else if is_misspelt {
            correct_names.to_owned()
        } else if judged.is_conditional {
            "The user has the roles that the access rules ask for, but a condition or a script of theirs decides as well: see \
             `rules`, and open them in the form. A business rule on queries can hide rows too."
                .to_owned()
        } else {
            "The user has the roles that the access rules of the table ask for. What else can hide it: a business rule on queries, \
             a domain, or access to the REST API itself (snc_platform_rest_api_access, an auth scope)."
                .to_owned()
        };
    }

    /// What an error says of it.
    pub(super) fn told(&self) -> String {
        format!("{} Remedy: {}", self.line(), self.remedy)
    }

    /// What a line of progress says of it.
    pub(super) fn line(&self) -> String {
        format!(
            "{}: {}. {}",
            self.table,
            self.status.name().replace('_', " "),
            self.detail
        )
    }
}

/// Why an answer proves nothing of what it does not show.
const UNCOUNTED: &str = "The instance does not count records, so nothing shows whether some are hidden; a proxy or gateway may \
                         remove the header X-Total-Count.";

/// "the only record", "the first 20 records".
fn looked_at(seen: &Seen, counted: usize) -> String {
    let number = seen.shown + seen.hidden;
    match number {
        1 if counted <= 1 => "the only record".to_owned(),
        number if number < counted => format!("the first {number} records of {counted}"),
        number => format!("all {number} records"),
    }
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

impl From<Finding> for Value {
    fn from(finding: Finding) -> Self {
        let texts = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>();
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let judged = finding.judged.unwrap_or_default();
        Object::new()
            .with("table", finding.table)
            .with("status", finding.status.name())
            .with("detail", finding.detail)
            .with("remedy", finding.remedy)
            .with("rows_shown", number(finding.shown))
            .with("hidden_rows", number(finding.hidden_rows))
            .with("hidden_columns", texts(finding.hidden_columns))
            .with("unknown_columns", texts(finding.unknown_columns))
            .with("missing_roles", texts(judged.missing))
            .with("rules", judged.rules.into_iter().map(Value::from).collect::<Vec<_>>())
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::{Query, Table};

    #[test]
    fn without_a_count_nothing_is_said_of_all() {
        let wanted = Wanted {
            table: Table::named("incident").unwrap(),
            columns: Vec::new(),
            query: Query::every_row(),
            may_hide_rows: false,
        };
        for (shown, status) in [(8, Status::Readable), (0, Status::Empty)] {
            let sight = Sight::Rows(Seen {
                shown,
                ..Seen::default()
            });
            let finding = Finding::new(&wanted, &sight, Some(&sight), BTreeSet::new(), None);

            assert_eq!(finding.status, status);
            assert!(finding.detail.ends_with(UNCOUNTED), "{}", finding.detail);
            assert!(!finding.detail.contains("all "), "{}", finding.detail);
            assert!(!finding.detail.contains("There is no record"), "{}", finding.detail);
        }
    }
}
