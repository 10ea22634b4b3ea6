//! The create of a record: what the plan names is looked up, a record of the same key is found or kept out, the record is made,
//! and then what belongs to it.

use std::collections::BTreeSet;

use crate::clients::{Calls, Clients};
use crate::plugin::{Context, Diagnostic, Diagnostics, Object, Outcome};
use crate::records::duplicate_check;
use crate::records::field::{self, Known};
use crate::records::record_resource::{
    Absence, Existing, ManagedRecord, PENDING, RecordResource, failed, send_secret, with_trimmed_key,
};
use crate::records::{diagnostics, name_set, outcome, stored_differently};
use crate::servicenow::{
    Column, InputMode, Insert, KeyLock, Query, Record, Row, Session, TableError, Update, Value, Written,
};

/// A record that is about to be made: its names are known, and none of its key is, or the instance keeps it out.
pub(crate) struct New {
    pub(crate) session: Session,
    /// The planned values, by column.
    pub(crate) row: Row,
    key: Option<Query>,
    names: name_set::Resolved,
    planned: Object,
    /// Nobody else of this process makes one of its key meanwhile.
    lock: Option<KeyLock>,
}

impl New {
    /// Adds what the plan did not know.
    pub(crate) fn set(&mut self, column: Column, value: Option<impl Into<Value>>) {
        self.row = std::mem::take(&mut self.row).set_if_some(column, value);
    }
}

/// What is made of a plan for a new record.
pub(crate) enum Begun {
    /// It is to be inserted.
    New(Box<New>),
    /// It existed, and was taken over.
    TakenOver(Outcome),
}

impl<R: RecordResource> ManagedRecord<R> {
    pub(crate) async fn create(
        &self,
        cx: &Context<Clients>,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        let mut new = match self.begin(cx, &planned, config).await? {
            Begun::New(new) => new,
            Begun::TakenOver(outcome) => return Ok(outcome),
        };
        let not_inserted = match self.insert(cx, &mut new, planned, config).await {
            Ok(outcome) => return Ok(outcome),
            Err(not_inserted) => not_inserted,
        };
        if let Some(found) = &not_inserted.existing
            && let Some(key) = self.duplicate_key(new.key.as_ref(), &new.planned)
        {
            return self
                .existing(cx, &new.session, (&key, found), &new.names, &new.planned, config)
                .await;
        }
        let NotInserted {
            error, problem, state, ..
        } = not_inserted;
        outcome::not_created(cx, &error, state, problem)
    }

    /// Looks up all that the plan names, and whether the record exists, unless the instance keeps a second one out by itself.
    pub(crate) async fn begin(
        &self,
        cx: &Context<Clients>,
        planned: &Object,
        config: &Object,
    ) -> Result<Begun, Diagnostics> {
        let session = cx.instance()?;
        // Names that do not exist are found out before anything is written.
        let names = name_set::resolve(&self.name_sets(), &session, None, planned).await?;
        field::check_columns(&self.fields, &session, R::TABLE, None, planned).await?;
        R::check(&session, None, planned).await?;
        self.warn_of_unread_choices(cx, &session, None, planned).await?;
        let row = with_trimmed_key::<R>(field::row_to_create(&self.fields, &session, planned).await?);
        let key = self.key(&row, planned)?;
        let mut lock = None;
        if let Some(key) = self.duplicate_key(key.as_ref(), planned) {
            let lock = lock.insert(key.lock(&session).await?);
            if let Some(found) = key.find_first(&session, &self.columns(), lock).await? {
                let ended = self
                    .existing(cx, &session, (&key, &found), &names, planned, config)
                    .await;
                return ended.map(Begun::TakenOver);
            }
        }
        let planned = planned.clone();
        let new = New {
            session,
            row,
            key,
            names,
            planned,
            lock,
        };
        Ok(Begun::New(Box::new(new)))
    }

    /// Makes the record. `state` is the plan, with what was made for the record before it.
    pub(crate) async fn insert(
        &self,
        cx: &Context<Clients>,
        new: &mut New,
        mut state: Object,
        config: &Object,
    ) -> Result<Outcome, NotInserted> {
        let session = &new.session;
        name_set::clear(&self.name_sets(), &mut state);
        let row = R::row_to_create(&state, new.row.clone());
        let insert = Insert {
            table: R::TABLE,
            row: self.with_secrets(row, |secret| secret.names.configured(config)),
            read: &self.columns(),
            natural_key: new.key.clone(),
            input: InputMode::Stored,
        };
        let written = match session.insert(insert).await {
            Ok(written) => written,
            Err(error) => {
                let key = self.duplicate_key(new.key.as_ref(), &new.planned);
                let key = key.filter(|_| matches!(error, TableError::Duplicate { .. }));
                let (problem, existing) = match key {
                    Some(key) => match key.find(session, &self.columns()).await {
                        Ok(Some(found)) => (key.exists(&found, None), Some(found)),
                        Ok(None) => (key.refused(&error), None),
                        Err(problem) => (problem, None),
                    },
                    None => {
                        let mut problem = failed::<R>(&error, "create");
                        // The instance keeps a second one of its key out, and the look after the refusal showed none.
                        let is_unique = R::key(&new.planned).is_some_and(|key| key.is_unique());
                        if is_unique && matches!(error, TableError::Refused { .. } | TableError::BadRequest { .. }) {
                            problem.detail.push_str(&Self::unseen(session, &new.planned).await);
                        }
                        (problem, None)
                    }
                };
                return Err(NotInserted {
                    error,
                    problem,
                    existing,
                    state,
                });
            }
        };
        let sys_id = written.record.sys_id().clone();
        // The record exists from here on: whatever fails below, Terraform must know its sys_id.
        state.set("id", sys_id.as_str());
        cx.keep(&state);
        if let Some(mut lock) = new.lock.take() {
            lock.made(&sys_id);
        }
        let planned = (&new.planned, config);
        Ok(self.complete(cx, session, &written, &new.names, planned, state).await)
    }

    /// What is said of a refused insert where a record may have the key that the account does not see.
    async fn unseen(session: &Session, planned: &Object) -> String {
        match R::absence(session, planned).await {
            Ok(Absence::Likely(why) | Absence::Doubtful(why)) => format!(
                "\n\nOr there is already {} with this key: {why}. Ask an administrator to look for one.",
                diagnostics::with_article(R::NOUN)
            ),
            Ok(Absence::Proven) | Err(_) => String::new(),
        }
    }

    /// What becomes of a record that has the key of the one to be made.
    async fn existing(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        (key, found): (&duplicate_check::Key<'_>, &Record),
        names: &name_set::Resolved,
        planned: &Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        let mut state = planned.clone();
        match R::take_over(session, found, &mut state)? {
            Existing::Refused { advice } => Err(key.exists(found, advice.as_deref()).into()),
            Existing::TakenOver { warning } => {
                let ended = self
                    .take_over(cx, session, found, names, (state, planned), config)
                    .await?;
                Ok(outcome::with(ended, warning.into_iter().collect()))
            }
        }
    }

    /// Manages a record that already exists: from here on it is as planned. What the plan does not name stays as it is.
    async fn take_over(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        found: &Record,
        names: &name_set::Resolved,
        (mut state, planned): (Object, &Object),
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        state.set("id", found.sys_id().as_str());
        name_set::clear(&self.name_sets(), &mut state);
        // What it was must be known to Terraform before it is changed.
        cx.keep(&state);
        let mut was = state.clone();
        field::read_into(&self.fields, session, found, &mut was, Known::Nothing).await?;
        field::forget_unplanned(&self.fields, &state, &mut was);
        let mut row = with_trimmed_key::<R>(field::row_to_update(&self.fields, session, &was, &state).await?);
        // It was found by its key, which the instance takes for equal. How it is spelled there is not ours, and no destroy
        // would restore it.
        for column in R::key(planned).into_iter().flat_map(|key| key.columns) {
            row = row.without(*column);
        }
        let update = Update {
            table: R::TABLE,
            sys_id: found.sys_id(),
            row: self.with_secrets(row, |secret| secret.names.configured(config)),
            read: &self.columns(),
            input: InputMode::Stored,
        };
        match session.update(update).await {
            Ok(written) => {
                if written.mismatches.is_empty() {
                    // Its key was not sent, and may be spelled differently.
                    self.note_differences(cx, session, &written.record, planned).await;
                }
                Ok(self
                    .complete(cx, session, &written, names, (planned, config), state)
                    .await)
            }
            Err(error) => {
                let problem = failed::<R>(&error, "take over");
                if outcome::may_have_happened(&error) {
                    return Ok(Outcome::Partly(state.with_unknown_as_null(), problem.into()));
                }
                cx.forget();
                Err(problem.into())
            }
        }
    }

    /// Notes for later plans what the record has in place of what only a new record could change.
    async fn note_differences(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        record: &Record,
        planned: &Object,
    ) -> BTreeSet<&'static str> {
        let mut stored = Object::new();
        match field::read_into(&self.fields, session, record, &mut stored, Known::Nothing).await {
            Ok(()) => stored_differently::note(cx, &self.fields, planned, &stored),
            Err(_) => BTreeSet::new(),
        }
    }

    /// Makes what belongs to a record that exists from here on, and says what was not kept of it.
    async fn complete(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        written: &Written,
        names: &name_set::Resolved,
        (planned, config): (&Object, &Object),
        mut state: Object,
    ) -> Outcome {
        let sys_id = written.record.sys_id();
        let lasting = if written.mismatches.is_empty() {
            BTreeSet::new()
        } else {
            self.note_differences(cx, session, &written.record, planned).await
        };
        let mut problems = Diagnostics::new();
        for mismatch in &written.mismatches {
            match field::attribute_of(&self.fields, mismatch.column.name()) {
                Some(name) if mismatch.kept.is_some() && lasting.contains(name) => {
                    problems.push(diagnostics::stored_differently(mismatch, name));
                }
                Some(_) | None => problems.append(self.mismatches(std::slice::from_ref(mismatch))),
            }
        }
        self.finish(cx, session, &written.record, &mut state, &mut problems)
            .await;
        let mut pending = Vec::new();
        for secret in self.secrets(InputMode::Display) {
            if let Some(value) = secret.names.configured(config)
                && let Err(mut problem) = send_secret::<R>(session, sys_id, secret, value).await
            {
                let [plain, _, version] = secret.names.all();
                if planned.at(plain).is_null() && planned.at(version).is_null() {
                    problem.detail.push_str(&format!(
                        "\n\nSet {version} so that the next apply sends the secret again."
                    ));
                }
                problems.push(problem);
                pending.extend(secret.names.all());
            }
        }
        if !pending.is_empty() {
            cx.set_private(PENDING, pending.into());
        }
        name_set::grant(
            &self.name_sets(),
            session,
            sys_id,
            names,
            (None, planned),
            &mut state,
            &mut problems,
        )
        .await;
        R::write_children(session, sys_id, (None, planned), &mut state, &mut problems).await;
        outcome::of(state, outcome::unfinished(problems))
    }
}

pub(crate) struct NotInserted {
    pub(crate) error: TableError,
    pub(crate) problem: Diagnostic,
    /// The record for whose sake the insert was refused.
    pub(crate) existing: Option<Record>,
    /// The planned object, with what was created before the insert.
    pub(crate) state: Object,
}
