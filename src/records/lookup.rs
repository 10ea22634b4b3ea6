//! One record that is found by exactly one of several columns: what data sources of a table have in common.

use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Diagnostic, Object, Type};
use crate::records::diagnostics;
use crate::records::field::{self, Field, Known};
use crate::records::record_resource::RecordResource;
use crate::servicenow::tables::every;
use crate::servicenow::{Column, Query, Record, Session, SysId, Table, TableError};

/// What to look for, and what is read of it.
pub(crate) struct Lookup {
    /// The noun for such a record in messages.
    pub(crate) noun: &'static str,
    pub(crate) table: Table,
    /// Attributes that it can be found by, besides `id`.
    pub(crate) keys: &'static [&'static str],
    /// The attributes that are read.
    pub(crate) fields: Vec<Field>,
}

/// An attribute to find the record by. The schema adds the rule that exactly one of them is given.
fn key(attribute: Attribute) -> Attribute {
    let description = format!(
        "{} Set exactly one of the arguments that identify it.",
        attribute.description
    );
    let attribute = attribute.optional_computed();
    attribute
        .check(validate::not_blank())
        .check(field::key_text())
        .describe(description)
}

/// A computed text.
pub(crate) fn text(name: &'static str, description: &str) -> Attribute {
    Attribute::text(name).computed().describe(description)
}

/// A computed Boolean.
pub(crate) fn flag(name: &'static str, description: &str) -> Attribute {
    Attribute::flag(name).computed().describe(description)
}

/// A computed number.
pub(crate) fn integer(name: &'static str, description: &str) -> Attribute {
    Attribute::of(name, Type::Number).computed().describe(description)
}

impl Lookup {
    /// A record as its managed resource has it.
    pub(crate) fn of<R: RecordResource>(keys: &'static [&'static str]) -> Self {
        Self {
            noun: R::NOUN,
            table: R::TABLE,
            keys,
            fields: R::fields().into_iter().filter_map(Field::into_computed).collect(),
        }
    }

    /// The attributes of the data source: those to find the record by, and those that are read.
    pub(crate) fn attributes(self) -> Vec<Attribute> {
        let keys = self.keys;
        let read = self.fields.into_iter().flat_map(|field| field.attributes);
        let read = read.map(|attribute| match attribute.name {
            name if keys.contains(&name) => key(attribute),
            _ => attribute,
        });
        std::iter::once(key(text("id", "The record's `sys_id`.")))
            .chain(read)
            .collect()
    }

    /// The record that the configuration means, and the attributes that it fills. `rows` keeps the look-up to a part of the
    /// table.
    pub(crate) async fn find(
        &self,
        session: &Session,
        config: Object,
        rows: Option<Query>,
    ) -> Result<(Record, Object), Diagnostic> {
        let columns = field::columns(&self.fields);
        let record = match config.text("id") {
            Some(id) => self.by_id(session, id, rows.as_ref(), &columns).await?,
            None => self.by_key(session, &config, rows, &columns).await?,
        };
        let mut state = config.clone().with("id", record.sys_id().as_str());
        field::read_into(&self.fields, session, &record, &mut state, Known::Nothing).await?;
        // The argument that was set keeps its spelling.
        for key in self.keys {
            if let Some(given) = config.text(key) {
                state.set(key, given);
            }
        }
        Ok((record, state))
    }

    async fn by_id(
        &self,
        session: &Session,
        id: &str,
        rows: Option<&Query>,
        columns: &[Column],
    ) -> Result<Record, Diagnostic> {
        let doing = format!("read the {}", self.noun);
        let sys_id = SysId::parse(id)
            .map_err(|error| Diagnostic::error("Invalid value for id", format!("{error}.")).at_attribute("id"))?;
        let problem = |error: TableError| diagnostics::of_table(&error, &doing).at_attribute("id");
        let found = match rows {
            None => session.get_opt(self.table, &sys_id, columns).await,
            Some(rows) => {
                let query = Query::equals(every::SYS_ID, &sys_id)
                    .map_err(|error| diagnostics::of_query(&error, &doing).at_attribute("id"))?;
                session.find_unique(self.table, &query.and(rows.clone()), columns).await
            }
        };
        found.map_err(problem)?.ok_or_else(|| self.not_found("id", id))
    }

    async fn by_key(
        &self,
        session: &Session,
        config: &Object,
        rows: Option<Query>,
        columns: &[Column],
    ) -> Result<Record, Diagnostic> {
        let given = self.fields.iter().find_map(|field| {
            let is_key = self.keys.contains(&field.name());
            Some((
                field.name(),
                field.column().filter(|_| is_key)?,
                config.text(field.name())?,
            ))
        });
        let Some((key, column, value)) = given else {
            let detail = format!("Set id or one of: {}.", self.keys.join(", "));
            return Err(Diagnostic::error(format!("Which {}?", self.noun), detail));
        };
        let doing = format!("find the {}", self.noun);
        let mut query =
            Query::equals(column, value).map_err(|error| diagnostics::of_query(&error, &doing).at_attribute(key))?;
        if let Some(rows) = rows {
            query = query.and(rows);
        }
        match session.find_unique(self.table, &query, columns).await {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(self.no_such(session, key, column, value).await),
            Err(TableError::Ambiguous { sys_ids, .. }) => {
                let ids: Vec<&str> = sys_ids.iter().map(SysId::as_str).collect();
                let detail = format!(
                    "{} records of {} have {key} = {value:?}: {}. Set id to the sys_id of the intended record.",
                    ids.len(),
                    self.table,
                    ids.join(", ")
                );
                Err(Diagnostic::error(format!("Several {}s", self.noun), detail).at_attribute(key))
            }
            Err(error) => Err(diagnostics::of_table(&error, &doing).at_attribute(key)),
        }
    }

    /// With names that resemble it, where there are any.
    async fn no_such(&self, session: &Session, key: &str, column: Column, value: &str) -> Diagnostic {
        match session.names(self.table, column).id_of(value).await {
            Err(error @ TableError::UnknownName { .. }) if self.keys.first() == Some(&key) => {
                diagnostics::of_table(&error, &format!("find the {}", self.noun)).at_attribute(key)
            }
            Ok(_) | Err(_) => self.not_found(key, value),
        }
    }

    fn not_found(&self, attribute: &str, value: &str) -> Diagnostic {
        let detail = format!(
            "No record of {} has {attribute} = {value:?}, or the account may not read it. Check the value and the account's \
             role ({}).",
            self.table,
            self.table.role()
        );
        Diagnostic::error(format!("Could not find the {}", self.noun), detail).at_attribute(attribute)
    }
}
