//! One record that is found by exactly one of several columns, declared as data.

use crate::{
    plugin::{Attribute, Diagnostic, Object, schema::validate},
    records::{
        diagnostics,
        field::{self, Field, Reading},
    },
    servicenow::{Column, Query, Record, Session, SysId, Table, TableError},
};

/// What to look for, and what is taken over of it.
pub(crate) struct Lookup {
    /// What a person calls such a record.
    pub(crate) noun: &'static str,
    /// Where.
    pub(crate) table: Table,
    /// What is read.
    pub(crate) columns: &'static [Column],
    /// Attributes that it can be found by, besides `id`.
    pub(crate) keys: &'static [Field],
    /// Attributes that are filled.
    pub(crate) fields: &'static [Field],
}

/// An attribute to find the record by. The schema adds the rule that exactly one of them is given.
pub(crate) fn key(name: &'static str, description: &str) -> Attribute {
    Attribute::text(name)
        .optional_computed()
        .check(validate::not_blank())
        .check(field::key_text())
        .describe(format!(
            "{description} Give exactly one of the arguments to find it by."
        ))
}

/// Text that is read.
pub(crate) fn text(name: &'static str, description: &str) -> Attribute {
    Attribute::text(name).computed().describe(description)
}

/// A truth value that is read.
pub(crate) fn flag(name: &'static str, description: &str) -> Attribute {
    Attribute::flag(name).computed().describe(description)
}

/// A number that is read.
pub(crate) fn integer(name: &'static str, description: &str) -> Attribute {
    Attribute::of(name, crate::plugin::Type::Number)
        .computed()
        .describe(description)
}

impl Lookup {
    /// The record that the configuration means, and the attributes that it fills. `narrow` keeps the look-up to a part
    /// of the table.
    pub(crate) async fn find(
        &self,
        session: &Session,
        config: Object,
        narrow: Option<Query>,
    ) -> Result<(Record, Object), Diagnostic> {
        let record = match config.text("id") {
            Some(id) => self.by_id(session, id, narrow.as_ref()).await?,
            None => self.by_key(session, &config, narrow).await?,
        };
        let mut state = config.clone().with("id", record.sys_id().as_str());
        field::read_into(self.fields, &record, &mut state, Reading::Import);
        // What was asked for stays as it was written.
        for key in self.keys {
            if let Some(given) = config.text(key.attribute) {
                state.set(key.attribute, given);
            }
        }
        Ok((record, state))
    }

    async fn by_id(&self, session: &Session, id: &str, narrow: Option<&Query>) -> Result<Record, Diagnostic> {
        let doing = format!("read the {}", self.noun);
        let sys_id = SysId::parse(id).map_err(|_| {
            let detail = format!("{id:?} is no sys_id. Give the 32 hexadecimal digits of the record.");
            Diagnostic::error(format!("Could not {doing}"), detail).at_attribute("id")
        })?;
        let problem = |error: TableError| diagnostics::of_table(&error, &doing).at_attribute("id");
        let found = match narrow {
            None => session.find(self.table, &sys_id, self.columns).await,
            Some(narrow) => {
                let query = Query::equals(crate::servicenow::tables::every::SYS_ID, &sys_id)
                    .map_err(|error| diagnostics::of_query(&error, &doing).at_attribute("id"))?;
                session
                    .find_one(self.table, &query.and(narrow.clone()), self.columns)
                    .await
            }
        };
        found.map_err(problem)?.ok_or_else(|| self.not_found("id", id))
    }

    async fn by_key(&self, session: &Session, config: &Object, narrow: Option<Query>) -> Result<Record, Diagnostic> {
        let given = self
            .keys
            .iter()
            .find_map(|key| Some((key, config.text(key.attribute)?)));
        let Some((key, value)) = given else {
            let names: Vec<&str> = self.keys.iter().map(|key| key.attribute).collect();
            let detail = format!("Give id or one of these to find it by: {}.", names.join(", "));
            return Err(Diagnostic::error(format!("Which {}?", self.noun), detail));
        };
        let doing = format!("find the {}", self.noun);
        let mut query = Query::equals(key.column, value)
            .map_err(|error| diagnostics::of_query(&error, &doing).at_attribute(key.attribute))?;
        if let Some(narrow) = narrow {
            query = query.and(narrow);
        }
        match session.find_one(self.table, &query, self.columns).await {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(self.no_such(session, key, value).await),
            Err(TableError::Ambiguous { sys_ids, .. }) => {
                let ids: Vec<&str> = sys_ids.iter().map(SysId::as_str).collect();
                let detail = format!(
                    "{} records of {} have {} = {value:?}: {}. Give the id of the one that is meant.",
                    ids.len(),
                    self.table,
                    key.attribute,
                    ids.join(", ")
                );
                Err(Diagnostic::error(format!("Several {}s", self.noun), detail).at_attribute(key.attribute))
            }
            Err(error) => Err(diagnostics::of_table(&error, &doing).at_attribute(key.attribute)),
        }
    }

    /// With names that resemble it, where there are any.
    async fn no_such(&self, session: &Session, key: &Field, value: &str) -> Diagnostic {
        match session.names(self.table, key.column).id_of(value).await {
            Err(error @ TableError::UnknownName { .. })
                if self.keys.first().is_some_and(|first| first.column == key.column) =>
            {
                diagnostics::of_table(&error, &format!("find the {}", self.noun)).at_attribute(key.attribute)
            }
            Ok(_) | Err(_) => self.not_found(key.attribute, value),
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
