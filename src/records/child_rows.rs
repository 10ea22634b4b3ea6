//! Attributes that list rows of another table which belong to the record, each known by a text: the claims that an OIDC
//! configuration checks, the scopes of a registry entry.
//!
//! Listed rows are made and kept, rows removed from the list are deleted, others are left unchanged: the rule of
//! [`crate::records::name_set`], where the rows link to records that exist already.

use std::collections::{BTreeMap, BTreeSet};

use crate::plugin::{Attribute, Diagnostic, Diagnostics, Object, Path, Value};
use crate::records::diagnostics;
use crate::servicenow::{
    Column, ColumnKind, InputMode, Insert, Mismatch, Query, Record, Row, Session, SysId, Table, TableError, Update,
    means_the_same,
};

/// One such attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildRows {
    pub(crate) attribute: &'static str,
    pub(crate) shape: Shape,
    /// The computed set of those that Terraform added.
    pub(crate) added: &'static str,
    /// What one is called: `scope`.
    pub(crate) noun: &'static str,
    /// Where problems are shown.
    pub(crate) path: &'static str,
}

/// What the attribute is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// Texts.
    Set,
    /// Texts, each with a value.
    Map,
}

/// The table of the rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) table: Table,
    /// Refers to the record.
    pub(crate) parent: Column,
    pub(crate) key: Column,
    /// The value of a map; in a set a label, which a new row has the text for.
    pub(crate) value: Column,
}

/// What is listed: each text, and in a map what it stands for.
pub(crate) type Listed = BTreeMap<String, String>;

/// What a write changes.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) wanted: Listed,
    /// What the state lists.
    pub(crate) former: Listed,
    /// What is no longer listed, and removed.
    pub(crate) removed: Listed,
}

impl Change {
    pub(crate) fn is_none(&self) -> bool {
        self.wanted == self.former && self.removed.is_empty()
    }

    /// What a look has to show before the rows are written; else another look decides. Of a record that this process made
    /// nothing else is expected: nobody could have added rows to it.
    pub(crate) fn expected(&self, is_made_here: bool) -> Vec<&Listed> {
        let mut expected = vec![&self.former, &self.removed];
        if !is_made_here {
            // Nothing keeps a second row out.
            expected.push(&self.wanted);
        }
        expected
    }
}

/// A row that exists.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) sys_id: SysId,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// What a write came to.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What is there and listed now, and what could not be removed.
    pub(crate) listed: Listed,
    /// What Terraform added, so far.
    pub(crate) own: BTreeSet<String>,
    /// Whether everything became as planned.
    pub(crate) is_complete: bool,
    pub(crate) problems: Diagnostics,
}

impl ChildRows {
    /// The attribute, and the computed one beside it.
    pub(crate) fn attributes(self, attribute: Attribute) -> [Attribute; 2] {
        let added = Attribute::texts(self.added).computed().describe(format!(
            "Names of the {}s that Terraform added. Null after an import and for a state written by an older version, because it \
             is not known then; what is removed from the list is then kept.",
            self.noun
        ));
        [attribute.optional_computed(), added]
    }

    /// What an object lists; none where it lists nothing, or that is not known yet. Blanks around a text do not count.
    pub(crate) fn listed(self, object: &Object) -> Option<Listed> {
        let trimmed = |text: &str| text.trim().to_owned();
        match object.at(self.attribute) {
            Value::List(texts) => Some(
                texts
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|text| (trimmed(text), trimmed(text)))
                    .collect(),
            ),
            Value::Object(map) => Some(
                map.iter()
                    .map(|(key, value)| (trimmed(key), trimmed(value.as_str().unwrap_or_default())))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// What Terraform added, by the state.
    pub(crate) fn own(self, state: &Object) -> BTreeSet<String> {
        let own = state.texts(self.added).unwrap_or_default();
        own.into_iter().map(str::to_owned).collect()
    }

    /// What is listed, and what Terraform added without getting as far as to list it.
    pub(crate) fn all_of(self, state: &Object) -> Listed {
        let mut all = self.listed(state).unwrap_or_default();
        for key in self.own(state) {
            all.entry(key).or_default();
        }
        all
    }

    /// What a write changes, and what it came to so far.
    pub(crate) fn change(self, prior: Option<&Object>, planned: &Object) -> (Change, Done) {
        let wanted = self.listed(planned).unwrap_or_default();
        let change = Change {
            former: prior.and_then(|prior| self.listed(prior)).unwrap_or_default(),
            removed: self.removed(prior, &wanted),
            wanted,
        };
        let done = Done::after(prior.map(|prior| self.own(prior)).unwrap_or_default());
        (change, done)
    }

    /// What a plan no longer lists and an update removes: nothing where it is not known who added it.
    pub(crate) fn removed(self, prior: Option<&Object>, wanted: &Listed) -> Listed {
        let Some(prior) = prior.filter(|prior| !prior.at(self.added).is_null()) else {
            return Listed::new();
        };
        let mut removed = self.all_of(prior);
        removed.retain(|key, _| !wanted.contains_key(key));
        removed
    }

    /// Plans what is listed, and a warning about what is no longer listed but stays. What is not named stays as it is.
    pub(crate) fn plan(self, prior: Option<&Object>, config: &Object, state: &mut Object) -> Option<Diagnostic> {
        let former = |name| prior.map(|prior| prior.at(name).clone());
        if config.at(self.attribute).is_null() {
            state.set(self.attribute, former(self.attribute));
            state.set(self.added, former(self.added));
            return None;
        }
        let planned = self
            .listed(state)
            .filter(|_| state.at(self.attribute).is_wholly_known());
        let listed = prior.and_then(|prior| self.listed(prior));
        let is_left = |planned: &Listed| !self.removed(prior, planned).is_empty();
        if prior.is_some() && planned == listed && planned.as_ref().is_some_and(|planned| !is_left(planned)) {
            state.set(self.attribute, former(self.attribute));
            state.set(self.added, former(self.added));
            return None;
        }
        state.set(self.added, Value::Unknown);
        let is_unknown_whose = prior.is_some_and(|prior| prior.at(self.added).is_null());
        let (planned, listed) = (planned?, listed?);
        let left: Vec<String> = listed.into_keys().filter(|key| !planned.contains_key(key)).collect();
        if !is_unknown_whose || left.is_empty() {
            return None;
        }
        let noun = self.noun;
        let detail = format!(
            "These are no longer listed but stay on the instance: {}. It is not known whether Terraform added them, because the \
             record was imported or its state was written by an older version. To remove them, add them to the list, apply, and \
             remove them from the list again.",
            left.join(", ")
        );
        Some(Diagnostic::warning(format!("Not every {noun} was removed"), detail).at_attribute(self.path))
    }

    /// Lists every row: the record is new to Terraform.
    pub(crate) fn take_over(self, rows: Vec<Child>, state: &mut Object) {
        let all: Listed = rows.into_iter().map(|child| (child.key, child.value)).collect();
        let all = (!all.is_empty()).then(|| self.value_of(all));
        state.set(self.attribute, all);
        state.set(self.added, Value::Null);
    }

    /// Whether something that is expected is not among these rows. A search can lag behind what was written.
    pub(crate) fn lacks(self, rows: &[Child], expected: &Listed) -> bool {
        expected.keys().any(|key| rows.iter().all(|child| child.key != *key))
    }

    /// Keeps of what is listed that which is among these rows, with its present value.
    pub(crate) fn keep_present(self, rows: &[Child], state: &mut Object) {
        let Some(listed) = self.listed(state) else { return };
        let there = present(&listed, rows);
        if there != listed {
            let value = self.value_of(there);
            state.set(self.attribute, value);
        }
    }

    /// The rows of a record.
    ///
    /// # Errors
    /// Where not every row can be seen, too.
    pub(crate) async fn rows(self, session: &Session, place: Place, parent: &SysId) -> Result<Vec<Child>, TableError> {
        let columns = [place.parent, place.key, place.value];
        let rows = session.select(place.table, &place.of(parent)?, &columns).await?;
        // An instance ignores what it does not know of a query, and shows every row.
        let is_of_parent = |row: &&Record| {
            let of = row.reference(place.parent).value();
            of.is_some_and(|of| means_the_same(place.parent.kind(), of, parent.as_str()))
        };
        let needed = match self.shape {
            Shape::Set => &columns[..2],
            Shape::Map => &columns[..],
        };
        // A column that is hidden is no column without a value: the row would count as missing, and be made again.
        if let Some(hidden) = needed
            .iter()
            .find(|column| rows.iter().any(|row| row.text(**column).is_hidden()))
        {
            let what = format!("records with the column {hidden}, but does not show it to the account");
            return Err(TableError::Hidden {
                table: place.table,
                what,
            });
        }
        let is_there = |row: &&Record| !session.has_removed(row.sys_id());
        let children = rows.iter().filter(is_of_parent).filter(is_there).filter_map(|row| {
            let key = row.text(place.key).value()?.trim().to_owned();
            let value = match self.shape {
                Shape::Set => key.clone(),
                Shape::Map => row.text(place.value).value().unwrap_or_default().trim().to_owned(),
            };
            let sys_id = row.sys_id().clone();
            Some(Child { sys_id, key, value })
        });
        Ok(children.collect())
    }

    /// Makes what is wanted and is not there, and gives the rest the wanted value. Gives the rows, by their texts.
    pub(crate) async fn make(
        self,
        session: &Session,
        place: Place,
        parent: &SysId,
        existing: &[Child],
        wanted: &Listed,
        done: &mut Done,
    ) -> BTreeMap<String, SysId> {
        let mut rows = BTreeMap::new();
        for (key, value) in wanted {
            let of_key = || existing.iter().filter(|child| child.key == *key);
            let found = of_key()
                .find(|child| is_same(&child.value, value))
                .or_else(|| of_key().next());
            let written = match found {
                Some(child) if is_same(&child.value, value) => Ok(Some(child.sys_id.clone())),
                Some(child) => {
                    let update = Update {
                        table: place.table,
                        sys_id: &child.sys_id,
                        row: Row::new().set(place.value, value.as_str()),
                        read: &[place.key, place.value],
                        input: InputMode::Stored,
                    };
                    let updated = session.update(update).await;
                    updated.map(|written| {
                        self.check(&written.mismatches, done);
                        Some(child.sys_id.clone())
                    })
                }
                None => self.insert(session, place, parent, (key, value), done).await,
            };
            match written {
                Ok(Some(sys_id)) => {
                    done.listed.insert(key.clone(), value.clone());
                    rows.insert(key.clone(), sys_id);
                }
                Ok(None) => done.is_complete = false,
                Err(error) => {
                    done.is_complete = false;
                    let doing = format!("add the {} {key}", self.noun);
                    done.problems
                        .push(diagnostics::of_table(&error, &doing).at_attribute(self.path));
                }
            }
        }
        rows
    }

    /// The new row; none where the instance kept it under another text or for another record, and it was removed again.
    async fn insert(
        self,
        session: &Session,
        place: Place,
        parent: &SysId,
        (key, value): (&str, &str),
        done: &mut Done,
    ) -> Result<Option<SysId>, TableError> {
        let natural_key = place
            .of(parent)?
            .and(Query::equals(place.key, key).map_err(TableError::of_query(place.table))?);
        let insert = Insert {
            table: place.table,
            row: Row::new()
                .set(place.parent, parent)
                .set(place.key, key)
                .set(place.value, value),
            read: &[place.parent, place.key, place.value],
            natural_key: Some(natural_key),
            input: InputMode::Stored,
        };
        let written = session.insert(insert).await?;
        self.check(&written.mismatches, done);
        let sys_id = written.record.sys_id().clone();
        if written.lost(&[place.parent, place.key]).is_some() {
            // Nobody would find it again, and the next apply would make another one.
            session.delete(place.table, &sys_id).await?;
            return Ok(None);
        }
        done.own.insert(key.to_owned());
        Ok(Some(sys_id))
    }

    fn check(self, mismatches: &[Mismatch], done: &mut Done) {
        done.problems
            .append(diagnostics::of_mismatches(mismatches, |_| Path::of(self.path)));
    }

    /// Deletes the rows of these texts; what cannot be deleted stays listed.
    pub(crate) async fn remove(
        self,
        session: &Session,
        place: Place,
        existing: &[Child],
        removed: &Listed,
        done: &mut Done,
    ) {
        for (key, value) in removed {
            let mut is_removed = true;
            for child in existing.iter().filter(|child| child.key == *key) {
                if let Err(error) = session.delete(place.table, &child.sys_id).await {
                    is_removed = false;
                    done.is_complete = false;
                    done.listed.insert(key.clone(), value.clone());
                    let doing = format!("remove the {} {key}", self.noun);
                    done.problems
                        .push(diagnostics::of_table(&error, &doing).at_attribute(self.path));
                }
            }
            if is_removed {
                done.own.remove(key);
            }
        }
    }

    /// Tells and writes into the state what a write came to.
    pub(crate) fn settle(
        self,
        (prior, planned): (Option<&Object>, &Object),
        done: Done,
        state: &mut Object,
        problems: &mut Diagnostics,
    ) {
        problems.append(done.problems);
        let listed = planned.at(self.attribute);
        // With what was added half-way and is not listed: it is removed unless it is listed again.
        let own: Vec<String> = done.own.into_iter().collect();
        let value = if done.is_complete {
            listed.clone()
        } else {
            self.value_of(done.listed)
        };
        state.set(self.attribute, value);
        if planned.at(self.added).is_unknown() || prior.is_none() {
            state.set(self.added, (!listed.is_null()).then_some(own));
        }
    }

    fn value_of(self, listed: Listed) -> Value {
        match self.shape {
            Shape::Map => Value::Object(listed.into_iter().collect()),
            Shape::Set => listed.into_keys().collect::<Vec<_>>().into(),
        }
    }
}

impl Place {
    fn of(self, parent: &SysId) -> Result<Query, TableError> {
        Query::equals(self.parent, parent).map_err(TableError::of_query(self.table))
    }
}

impl Done {
    /// Nothing was written yet; what Terraform added before is in the state.
    pub(crate) fn after(own: BTreeSet<String>) -> Self {
        Self {
            listed: Listed::new(),
            own,
            is_complete: true,
            problems: Diagnostics::new(),
        }
    }
}

/// What is listed and there, with the value that it has there; as it is listed where that means the same.
fn present(listed: &Listed, rows: &[Child]) -> Listed {
    let present = listed.iter().filter_map(|(key, value)| {
        let of_key = || rows.iter().filter(|child| child.key == *key);
        let as_listed = of_key().any(|child| is_same(&child.value, value));
        let held = if as_listed { value } else { &of_key().next()?.value };
        Some((key.clone(), held.clone()))
    });
    present.collect()
}

fn is_same(one: &str, other: &str) -> bool {
    means_the_same(ColumnKind::Text, one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: ChildRows = ChildRows {
        attribute: "claims",
        shape: Shape::Map,
        added: "added_claims",
        noun: "claim",
        path: "claims",
    };

    fn map(pairs: &[(&str, &str)]) -> Value {
        Value::Object(pairs.iter().map(|(key, value)| (*key, *value)).collect())
    }

    #[test]
    fn what_is_not_named_stays_and_another_spelling_is_no_change() {
        let prior = Object::new()
            .with("claims", map(&[("tid", "contoso")]))
            .with("added_claims", vec!["tid"]);
        for config in [Value::Null, map(&[("tid", " contoso ")]), map(&[("tid", "contoso")])] {
            let config = Object::new().with("claims", config);
            let mut state = config.clone();

            assert!(CLAIMS.plan(Some(&prior), &config, &mut state).is_none());
            assert_eq!(state, prior);
        }
    }

    #[test]
    fn rows_lack_what_none_of_them_has() {
        let row = Child {
            sys_id: SysId::parse("0123456789abcdef0123456789abcdef").unwrap(),
            key: "tid".to_owned(),
            value: "contoso".to_owned(),
        };
        let expected =
            |keys: &[&str]| -> Listed { keys.iter().map(|key| ((*key).to_owned(), String::new())).collect() };
        for (keys, lacks) in [(&[][..], false), (&["tid"], false), (&["tid", "azp"], true)] {
            assert_eq!(
                CLAIMS.lacks(std::slice::from_ref(&row), &expected(keys)),
                lacks,
                "{keys:?}"
            );
        }
    }

    #[test]
    fn what_an_import_found_is_not_removed_and_the_user_is_told() {
        let prior = Object::new().with("claims", map(&[("tid", "contoso")]));
        let config = Object::new().with("claims", map(&[]));
        let mut state = config.clone();

        let warning = CLAIMS.plan(Some(&prior), &config, &mut state).unwrap();

        assert_eq!(warning.summary, "Not every claim was removed");
        assert!(state.at("added_claims").is_unknown());
        assert!(CLAIMS.removed(Some(&prior), &Listed::new()).is_empty());
        let prior = prior.with("added_claims", vec!["tid"]);
        assert!(CLAIMS.plan(Some(&prior), &config, &mut state).is_none());
        assert_eq!(CLAIMS.removed(Some(&prior), &Listed::new()).len(), 1);
    }

    #[test]
    fn what_could_not_be_written_is_not_listed() {
        let planned = Object::new().with("claims", map(&[("tid", "contoso"), ("azp", "app")]));
        let mut done = Done::after(BTreeSet::new());
        done.listed.insert("tid".to_owned(), "contoso".to_owned());
        done.own.insert("tid".to_owned());
        done.is_complete = false;
        let mut state = planned.clone().with("added_claims", Value::Unknown);

        CLAIMS.settle((None, &planned), done, &mut state, &mut Diagnostics::new());

        assert_eq!(*state.at("claims"), map(&[("tid", "contoso")]));
        assert_eq!(state.texts("added_claims"), Some(vec!["tid"]));
    }
}
