//! The update of a record: what the plan names is looked up, a key that another record has is refused, the columns that changed are
//! sent, and then what belongs to the record.

use crate::clients::{Calls, Clients};
use crate::plugin::{Context, Diagnostic, Diagnostics, Object, Outcome};
use crate::records::duplicate_check::NaturalKey;
use crate::records::record_resource::{
    Existing, ManagedRecord, PENDING, RecordResource, failed, pending, require_sys_id, send_secret, with_trimmed_key,
};
use crate::records::{field, name_set, outcome};
use crate::servicenow::{InputMode, KeyLock, Row, Session, SysId, Update};

impl<R: RecordResource> ManagedRecord<R> {
    pub(crate) async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        self.update_locked(cx, prior, planned, config, None).await
    }

    /// The update of a record whose new key the caller has locked, having found no other record of it.
    pub(crate) async fn update_locked(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
        lock: Option<KeyLock>,
    ) -> Result<Outcome, Diagnostics> {
        let session = cx.instance()?;
        let sys_id = require_sys_id(prior)?;
        let sets = self.name_sets();
        let names = name_set::resolve(&sets, &session, Some(prior), &planned).await?;
        field::check_columns(&self.fields, &session, R::TABLE, Some(prior), &planned).await?;
        R::check(&session, Some(prior), &planned).await?;
        self.warn_of_unread_choices(cx, &session, Some(prior), &planned).await?;
        let row = with_trimmed_key::<R>(field::row_to_update(&self.fields, &session, prior, &planned).await?);
        let row = R::row_to_update(&planned, row);
        let mut lock = match lock {
            Some(lock) => Some(lock),
            None => self.lock_new_key(&session, &sys_id, &planned, &row).await?,
        };
        let row = self.with_secrets(row, |secret| secret.names.changed(prior, &planned, config));
        R::before_update(&session, prior, &planned).await?;
        let mut state = planned.clone();
        let mut problems = Diagnostics::new();
        if row.is_empty() {
            field::keep_unknown(&self.fields, prior, &mut state);
            let written = R::after_write(cx, &session, &sys_id, &mut state).await;
            problems.extend(written.err());
        } else {
            let update = Update {
                table: R::TABLE,
                sys_id: &sys_id,
                row,
                read: &self.columns(),
                input: InputMode::Stored,
            };
            let written = session.update(update).await;
            let written = written.map_err(|error| failed::<R>(&error, "update"))?;
            if let Some(lock) = &mut lock {
                lock.made(&sys_id);
            }
            outcome::set_seen(cx);
            problems.append(self.mismatches(&written.mismatches));
            self.finish(cx, &session, &written.record, &mut state, &mut problems)
                .await;
        }
        for secret in self.secrets(InputMode::Display) {
            let Some(value) = secret.names.changed(prior, &planned, config) else {
                continue;
            };
            match send_secret::<R>(&session, &sys_id, secret, value).await {
                Ok(()) => {
                    let sent = secret.names.all();
                    let left = pending(cx).into_iter().filter(|name| !sent.contains(&name.as_str()));
                    cx.set_private(PENDING, left.collect());
                }
                Err(problem) => {
                    problems.push(problem);
                    // So that the next apply sends it again.
                    for name in secret.names.all() {
                        state.set(name, prior.at(name).clone());
                    }
                }
            }
        }
        let left = name_set::revoke(&sets, &session, &sys_id, &names, [prior, &planned], &mut problems).await;
        name_set::grant(
            &sets,
            &session,
            &sys_id,
            &names,
            (Some(prior), &planned),
            &mut state,
            &mut problems,
        )
        .await;
        name_set::keep(&sets, prior, &mut state, left);
        R::write_children(&session, &sys_id, (Some(prior), &planned), &mut state, &mut problems).await;
        Ok(outcome::of(state, problems))
    }

    /// Refuses an update that gives the record the key of another one, as a create would be. Where the instance keeps a second one
    /// out by itself, its refusal tells. The lock is held until the record is written.
    async fn lock_new_key(
        &self,
        session: &Session,
        own: &SysId,
        planned: &Object,
        changes: &Row,
    ) -> Result<Option<KeyLock>, Diagnostic> {
        let is_changed = |key: &NaturalKey| key.columns.iter().any(|column| changes.value(*column).is_some());
        if R::key(planned).is_none_or(|key| key.is_unique() || !is_changed(&key)) {
            return Ok(None);
        }
        let Some(query) = self.query_of(session, planned).await? else {
            return Ok(None);
        };
        let Some(key) = self.key_of_others(&query, planned, own) else {
            return Ok(None);
        };
        let lock = key.lock(session).await?;
        let Some(found) = key.find_first(session, &self.columns(), &lock).await? else {
            return Ok(Some(lock));
        };
        let advice = match R::take_over(session, &found, &mut planned.clone())? {
            Existing::Refused { advice } => advice,
            Existing::TakenOver { .. } => None,
        };
        Err(key.exists(&found, advice.as_deref()))
    }
}
