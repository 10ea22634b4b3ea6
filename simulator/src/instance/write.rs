//! What the platform does around every write: defaults, types, scope, uniqueness, counters.

use std::collections::BTreeMap;

use crate::instance::ids::new_id;
use crate::instance::options::{AbortRule, ExplicitScope, Operation};
use crate::instance::schema::Kind;
use crate::instance::store::{Record, value};
use crate::instance::time::wire_time;
use crate::instance::write_context::{Platform, Refused, Via};
use crate::instance::{business_rules, quirks};

impl Platform<'_> {
    /// Inserts a record of exactly this class and gives it as stored.
    pub(super) fn insert(&mut self, class: &'static str, values: &Record) -> Result<Record, Refused> {
        let mut record = self.defaults(class);
        let sent = self.accepted(class, values);
        record.extend(sent.clone());
        if value(&record, "sys_id").is_empty() {
            record.insert("sys_id".to_owned(), new_id());
        } else if self.rows.find(self.schema, class, value(&record, "sys_id")).is_some() {
            return Err(self.duplicate(class, value(&record, "sys_id")));
        }
        let stamp = wire_time(self.now);
        for (column, text) in [
            ("sys_created_on", stamp.as_str()),
            ("sys_created_by", self.user_name),
            ("sys_updated_on", stamp.as_str()),
            ("sys_updated_by", self.user_name),
            ("sys_mod_count", "0"),
        ] {
            // Only by hand can they have been sent; see `accepted`.
            if !sent.contains_key(column) {
                record.insert(column.to_owned(), text.to_owned());
            }
        }
        if self.schema.column(class, "sys_class_name").is_some() {
            record.insert("sys_class_name".to_owned(), class.to_owned());
        }
        if self.is_application_file(class) {
            self.choose_scope(class, &mut record, &sent)?;
        }
        business_rules::before_insert(self, class, &mut record, &sent)?;
        quirks::before_write(self, class, &mut record, &sent);
        self.name_file(class, &mut record);
        self.check_abort_rules(class, Operation::Create)?;
        self.check_unique(class, &record)?;
        // A rule may have turned the insert into a change of a record that is there.
        let sys_id = value(&record, "sys_id").to_owned();
        self.rows.set(class, record);
        business_rules::after_insert(self, class, &sys_id)?;
        Ok(self.stored(class, &sys_id))
    }

    /// Changes a record and gives it as stored. What does not differ changes nothing, the counters included.
    pub(super) fn update(&mut self, class: &'static str, sys_id: &str, values: &Record) -> Result<Record, Refused> {
        let before = self.stored(class, sys_id);
        let mut sent = self.accepted(class, values);
        sent.remove("sys_id");
        let mut record = before.clone();
        record.extend(sent.clone());
        business_rules::before_update(self, class, &before, &mut record, &sent)?;
        quirks::before_write(self, class, &mut record, &sent);
        self.check_abort_rules(class, Operation::Write)?;
        if record == before {
            return Ok(before);
        }
        self.name_file(class, &mut record);
        self.check_unique(class, &record)?;
        let count = value(&before, "sys_mod_count").parse::<u64>().unwrap_or(0) + 1;
        record.insert("sys_mod_count".to_owned(), count.to_string());
        record.insert("sys_updated_on".to_owned(), wire_time(self.now));
        record.insert("sys_updated_by".to_owned(), self.user_name.to_owned());
        self.rows.set(class, record);
        business_rules::after_update(self, class, sys_id)?;
        Ok(self.stored(class, sys_id))
    }

    /// Deletes a record with what depends on it.
    pub(super) fn delete(&mut self, class: &'static str, sys_id: &str) -> Result<(), Refused> {
        let record = self.stored(class, sys_id);
        business_rules::before_delete(self, class, &record)?;
        self.check_abort_rules(class, Operation::Delete)?;
        self.rows.take(class, sys_id);
        business_rules::after_delete(self, class, &record)
    }

    fn defaults(&self, class: &str) -> Record {
        let columns = self.schema.columns(class).into_iter().flatten();
        columns
            .map(|(name, column)| ((*name).to_owned(), column.default.to_owned()))
            .collect()
    }

    /// What of the sent values the instance takes: known columns that are not its own to compute, in their type.
    fn accepted(&self, class: &str, values: &Record) -> Record {
        let mut accepted = Record::new();
        for (name, text) in values {
            let Some(column) = self.schema.column(class, name) else {
                continue;
            };
            let is_denied = self.schema.lineage(class).iter().any(|table| {
                let key = ((*table).to_owned(), name.clone());
                self.modes.write_denied.contains(&key)
            });
            if self.via == Via::Rest && (column.computed || is_denied) {
                continue;
            }
            let text = self.modes.quirks.stored(column, typed(column.kind, text));
            accepted.insert(name.clone(), text);
        }
        accepted
    }

    fn is_application_file(&self, class: &str) -> bool {
        self.schema.is_a(class, "sys_metadata")
    }

    fn choose_scope(&self, class: &str, record: &mut Record, sent: &Record) -> Result<(), Refused> {
        let current = self.current_application();
        let wanted = value(sent, "sys_scope");
        let is_other = !wanted.is_empty() && wanted != current;
        let scope = match self.modes.explicit_scope {
            _ if wanted.is_empty() => current,
            ExplicitScope::Refused if is_other && self.via == Via::Rest => {
                return Err(Refused::by_rule(class, "Prevent creation in another scope"));
            }
            ExplicitScope::Ignored if self.via == Via::Rest => current,
            ExplicitScope::Accepted | ExplicitScope::Ignored | ExplicitScope::Refused => wanted.to_owned(),
        };
        record.insert("sys_package".to_owned(), scope.clone());
        record.insert("sys_scope".to_owned(), scope);
        Ok(())
    }

    /// The user's current application, which new application files join.
    fn current_application(&self) -> String {
        self.rows
            .having("sys_user_preference", "user", self.user_id)
            .find(|row| value(row, "name") == "apps.current_app")
            .map(|row| value(row, "value").to_owned())
            .filter(|scope| !scope.is_empty())
            .unwrap_or_else(|| "global".to_owned())
    }

    fn name_file(&self, class: &str, record: &mut Record) {
        if !self.is_application_file(class) {
            return;
        }
        let display = self.schema.table(class).map_or("sys_id", |table| table.display);
        let name = value(record, display).to_owned();
        let update_name = format!("{class}_{}", value(record, "sys_id"));
        record.insert("sys_name".to_owned(), name);
        record.insert("sys_update_name".to_owned(), update_name);
    }

    fn check_unique(&self, class: &str, record: &Record) -> Result<(), Refused> {
        let columns: &BTreeMap<_, _> = match self.schema.columns(class) {
            Some(columns) => columns,
            None => return Ok(()),
        };
        for column in columns.values().filter(|column| column.unique) {
            let text = value(record, column.name);
            let quirks = &self.modes.quirks;
            let same: Box<dyn Iterator<Item = &Record>> = if quirks.ignores_case {
                let is_same = |other: &&Record| quirks.is_same_key(value(other, column.name), text);
                Box::new(self.rows.of_class(class).filter(is_same))
            } else {
                self.rows.having(class, column.name, text)
            };
            let is_taken = !text.is_empty() && { same }.any(|other| value(other, "sys_id") != value(record, "sys_id"));
            if is_taken {
                return Err(self.duplicate(class, text));
            }
        }
        Ok(())
    }

    fn check_abort_rules(&self, class: &str, operation: Operation) -> Result<(), Refused> {
        if self.via == Via::Form {
            return Ok(());
        }
        let acts = |rule: &&AbortRule| rule.operation == operation && self.schema.is_a(class, &rule.table);
        match self.modes.abort_rules.iter().find(acts) {
            Some(rule) => Err(Refused::by_rule(class, &rule.name)),
            None => Ok(()),
        }
    }
}

/// A value as a column of this type stores it.
fn typed(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Boolean => matches!(text, "true" | "1" | "yes" | "on").to_string(),
        Kind::Integer => text
            .trim()
            .parse::<i64>()
            .map_or_else(|_| String::new(), |number| number.to_string()),
        Kind::Text
        | Kind::Url
        | Kind::Email
        | Kind::Decimal
        | Kind::Date
        | Kind::DateTime
        | Kind::Reference(_)
        | Kind::Choice(_)
        | Kind::Secret
        | Kind::Password => text.to_owned(),
    }
}
