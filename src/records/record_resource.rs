//! Resources that are one record of one table: create, read, update, delete, import and list, once for all of them.
//!
//! Beside the create and the update it stays in one file: the hooks of the trait and the order in which they are called are read
//! together.

mod create; // What becomes of a plan for a new record.
mod update; // What becomes of a plan that changes one.

use std::marker::PhantomData;

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::clients::{Calls, Clients};
use crate::http::Secret;
use crate::plugin;
use crate::plugin::codec::json;
use crate::plugin::provider::unknown_version;
use crate::plugin::{
    BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Moved, Need, Object,
    Outcome, Path, Plan, Reading, Resource, Rule, Schema,
};
use crate::records::choice::OpenChoice;
use crate::records::dependents::{self, Use};
use crate::records::duplicate_check::{self, NaturalKey};
use crate::records::field::{self, Field, Known};
use crate::records::state_migration::{self, Foreign};
use crate::records::{diagnostics, import, list, name_set, outcome, required_roles, stored_differently};
use crate::servicenow::{
    Column, Deleted, InputMode, Mismatch, Query, QueryError, Record, Row, Session, SysId, Table, TableError, Update,
};

pub(crate) use create::{Begun, New, NotInserted};

/// A resource that is one record of one table. What it does not say here is the same for all of them.
#[async_trait]
pub(crate) trait RecordResource: Send + Sync + 'static {
    const TYPE: &'static str;
    const TABLE: Table;
    /// What a person calls such a record: `user`, as in "Could not read the user".
    const NOUN: &'static str;
    /// What it is, for its page. Markdown.
    const DESCRIPTION: &'static str;
    /// What its list block does, for its page: `Lists users.`
    const LISTS: &'static str;
    /// The column that people recognise a record by.
    const LABEL: Column;
    /// What a record is known by; none where nothing is made.
    const KEY: Option<NaturalKey> = None;
    /// Whether it makes records, and does not only change settings of those that exist.
    const CREATES: bool = true;
    /// Other tables that it needs rights for.
    const OTHER_TABLES: &'static [Table] = &[];
    /// The type of the other provider whose states it takes over.
    const FOREIGN: Option<Foreign> = None;
    /// What is added to the error of a write that the instance refused.
    const REFUSAL_ADVICE: Option<&'static str> = None;
    /// What refers to the record and would go with it: a destroy is refused while there is some.
    const USES: &'static [Use] = &[];
    /// The attribute by which other resources refer to the record, where that is not its label.
    const REFERRED_BY: Option<&'static str> = None;
    /// Columns of which the documentation does not name every value.
    const OPEN_CHOICES: &'static [OpenChoice] = &[];

    /// Its attributes, each with its column.
    fn fields() -> Vec<Field>;

    /// Rules across its attributes.
    fn rules() -> Vec<Rule> {
        Vec::new()
    }

    /// Columns that it reads beside those of its attributes.
    fn extra_columns() -> &'static [Column] {
        &[]
    }

    /// What the record that is planned is known by; [`RecordResource::KEY`], unless an argument says otherwise.
    fn key(planned: &Object) -> Option<NaturalKey> {
        let _ = planned;
        Self::KEY
    }

    /// The rows of the table that it manages, where these are not all.
    ///
    /// # Errors
    /// When a value cannot be looked up.
    fn rows() -> Result<Option<Query>, QueryError> {
        Ok(None)
    }

    /// The rows that a list of it shows, where these are not all that it manages.
    ///
    /// # Errors
    /// When a value cannot be looked up.
    fn listed_rows() -> Result<Option<Query>, QueryError> {
        Self::rows()
    }

    /// What people recognise a record by, in lists.
    fn display_name(record: &Record) -> String {
        let name = record.text(Self::LABEL).value();
        name.unwrap_or_else(|| record.sys_id().as_str()).to_owned()
    }

    /// Checks that the schema cannot express.
    fn validate(config: &Object) -> Diagnostics {
        let _ = config;
        Diagnostics::new()
    }

    /// Adds plan rules. Pure: values in, decision out.
    fn plan(plan: &mut Plan<'_>) {
        let _ = plan;
    }

    /// Warns of what another resource of this run manages too.
    fn warn_of_second_manager(cx: &Context<Clients>, plan: &mut Plan<'_>) {
        let _ = (cx, plan);
    }

    /// Makes a state fit to be written as configuration, beyond leaving out what is read-only or secret.
    fn tidy_config(config: &mut Object) {
        let _ = config;
    }

    /// The row of a new record: the planned values, and values that are sent without an attribute.
    fn row_to_create(planned: &Object, row: Row) -> Row {
        let _ = planned;
        row
    }

    /// The row of an update: what changes, and what is sent although no attribute says it.
    fn row_to_update(planned: &Object, row: Row) -> Row {
        let _ = planned;
        row
    }

    /// Whether a record that already exists is taken over, and what the state keeps of it before it is changed.
    ///
    /// # Errors
    /// When what must be kept cannot be read.
    fn take_over(session: &Session, existing: &Record, state: &mut Object) -> Result<Existing, Diagnostic> {
        let _ = (session, existing, state);
        Ok(Existing::Refused { advice: None })
    }

    /// What a destroy does with the record.
    fn removal(state: &Object) -> Removal {
        let _ = state;
        Removal::Delete
    }

    /// What uses the record, in words: a destroy is refused while there is some.
    ///
    /// # Errors
    /// When it is not known whether something does.
    async fn users(session: &Session, sys_id: &SysId, state: &Object) -> Result<Vec<String>, TableError>
    where
        Self: Sized,
    {
        dependents::of_all::<Self>(session, sys_id, state).await
    }

    /// What becomes of its users when the record is deleted, as a sentence.
    fn loss() -> String {
        format!("The instance would remove that together with the {}.", Self::NOUN)
    }

    /// Changes what belongs to the record before the record itself changes.
    async fn before_update(session: &Session, prior: &Object, planned: &Object) -> Result<(), Diagnostic> {
        let _ = (session, prior, planned);
        Ok(())
    }

    /// Finds out in the plan of a replacement what the create would refuse.
    async fn check_replacement(session: &Session, planned: &Object) -> Result<(), Diagnostic> {
        let _ = (session, planned);
        Ok(())
    }

    /// Finds out whether the instance can keep what is planned, before anything is written.
    async fn check(session: &Session, prior: Option<&Object>, planned: &Object) -> Result<(), Diagnostic> {
        let _ = (session, prior, planned);
        Ok(())
    }

    /// Makes the rows of other tables that the record lists after it was written; `state` is what became of the record.
    async fn write_children(
        session: &Session,
        sys_id: &SysId,
        (prior, planned): (Option<&Object>, &Object),
        state: &mut Object,
        problems: &mut Diagnostics,
    ) {
        let _ = (session, sys_id, prior, planned, state, problems);
    }

    /// Makes what belongs to the record after it was written. What is planned for it is in the state.
    async fn after_write(
        cx: &Context<Clients>,
        session: &Session,
        sys_id: &SysId,
        state: &mut Object,
    ) -> Result<(), Diagnostic> {
        let _ = (cx, session, sys_id, state);
        Ok(())
    }

    /// Reads what belongs to the record.
    async fn after_read(
        cx: &Context<Clients>,
        session: &Session,
        sys_id: &SysId,
        state: &mut Object,
    ) -> Result<(), Diagnostic> {
        let _ = (cx, session, sys_id, state);
        Ok(())
    }

    /// Removes what belongs to the record before the record itself is deleted.
    async fn before_delete(session: &Session, sys_id: &SysId, state: &Object) -> Result<(), Diagnostic> {
        let _ = (session, sys_id, state);
        Ok(())
    }

    async fn create(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics>
    where
        Self: Sized,
    {
        record.create(cx, planned, config).await
    }

    /// Whether a record that neither a GET nor a list that counts shows may be there nevertheless.
    async fn absence(_session: &Session, _state: &Object) -> Result<Absence, TableError> {
        Ok(Absence::Proven)
    }

    /// Reads the record; `None` only if its absence is proven.
    async fn read(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        state: Object,
    ) -> Result<Option<Object>, Diagnostics>
    where
        Self: Sized,
    {
        let session = instance_to_read(cx)?;
        match record.find(cx, &session, &state).await? {
            Some(found) => record.read(cx, &session, &found, state).await.map(Some),
            None => Ok(None),
        }
    }

    async fn update(
        record: &ManagedRecord<Self>,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics>
    where
        Self: Sized,
    {
        record.update(cx, prior, planned, config).await
    }

    async fn delete(record: &ManagedRecord<Self>, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics>
    where
        Self: Sized,
    {
        record.delete(cx, state).await
    }
}

/// What becomes of a record that has the key of one to be made.
pub(crate) enum Existing {
    /// The create is refused, and names it.
    Refused {
        /// What can be done, beyond an import.
        advice: Option<String>,
    },
    /// It is managed from now on.
    TakenOver {
        /// What the user is told.
        warning: Option<Diagnostic>,
    },
}

/// What it means that nothing shows a record.
#[derive(Debug)]
pub(crate) enum Absence {
    /// It is gone.
    Proven,
    /// It is gone, unless it became one that the account may not see, and not count: why not, as a clause.
    Likely(String),
    /// It was one that the account may not see, and not count: why not, as a clause.
    Doubtful(String),
}

/// What a destroy does with a record.
pub(crate) enum Removal {
    Delete,
    /// It stays, with these values.
    Write {
        row: Row,
        /// What that is, as in "Could not deactivate the user".
        doing: &'static str,
    },
}

/// The managed resource that a [`RecordResource`] describes.
pub(crate) struct ManagedRecord<R> {
    pub(crate) fields: Vec<Field>,
    resource: PhantomData<fn() -> R>,
}

impl<R: RecordResource> ManagedRecord<R> {
    pub(crate) fn new() -> Self {
        Self {
            fields: Self::fields(),
            resource: PhantomData,
        }
    }

    fn fields() -> Vec<Field> {
        let mut fields = R::fields();
        fields.push(Field::left_alone());
        fields
    }

    pub(crate) fn columns(&self) -> Vec<Column> {
        let mut columns = field::columns(&self.fields);
        columns.extend(R::extra_columns());
        columns
    }

    /// What the instance did not keep of a write.
    pub(crate) fn mismatches(&self, mismatches: &[Mismatch]) -> Diagnostics {
        diagnostics::of_mismatches(mismatches, |column| {
            field::attribute_of(&self.fields, column).map_or_else(Path::root, Path::of)
        })
    }

    /// Writes a record's values into the state.
    pub(crate) async fn read_into(
        &self,
        session: &Session,
        record: &Record,
        state: &mut Object,
        known: Known,
    ) -> Result<(), Diagnostic> {
        state.set("id", record.sys_id().as_str());
        field::read_into(&self.fields, session, record, state, known).await
    }

    /// The record of a state; `None` only if its absence is proven.
    pub(crate) async fn find(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        state: &Object,
    ) -> Result<Option<Record>, Diagnostic> {
        if state.at("id").is_null() {
            return Ok(None);
        }
        let sys_id = require_sys_id(state)?;
        let found = session.get_opt(R::TABLE, &sys_id, &self.columns()).await;
        let found = found.map_err(|error| diagnostics::of_table(&error, &format!("read the {}", R::NOUN)))?;
        match &found {
            Some(_) => outcome::set_seen(cx),
            None => self.doubt_absence(cx, session, state, "read").await?,
        }
        Ok(found)
    }

    /// An error where the record may be there although nothing shows it. `verb` is what could not be done then, as in "Could
    /// not read the user".
    async fn doubt_absence(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        state: &Object,
        verb: &str,
    ) -> Result<(), Diagnostic> {
        let noun = R::NOUN;
        let absence = R::absence(session, state).await;
        let absence = absence.map_err(|error| diagnostics::of_table(&error, &format!("{verb} the {noun}")))?;
        let label = field::attribute_of(&self.fields, R::LABEL.name());
        let name = label.and_then(|label| state.text(label)).unwrap_or_default();
        let id = state.text("id").unwrap_or_default();
        match absence {
            Absence::Proven => Ok(()),
            // If it exists after all, the instance refuses the second one.
            Absence::Likely(why) | Absence::Doubtful(why)
                if outcome::is_unseen(cx) && R::key(state).is_some_and(|key| key.is_unique()) =>
            {
                let detail = format!(
                    "The response to the insert of the {noun} {name} ({id}) was lost, and nothing shows it now, so it counts as \
                     not created. But {why}. If it exists after all, the next create is refused: let the account read it then, \
                     and import it."
                );
                cx.warn(Diagnostic::warning(format!("The {noun} may exist"), detail));
                Ok(())
            }
            Absence::Likely(why) => {
                let detail = format!(
                    "Nothing shows the {noun} {name} ({id}), so it counts as deleted. But {why}. If it still exists, let the \
                     account read it, and import it."
                );
                cx.warn(Diagnostic::warning(format!("The {noun} may still exist"), detail));
                Ok(())
            }
            Absence::Doubtful(why) => {
                let detail = format!(
                    "Nothing shows the {noun} {name} ({id}), but {why}. So it may still exist, and it stays in the state. Let \
                     the account read it, or remove the resource from the state with terraform state rm if the {noun} is gone."
                );
                Err(Diagnostic::error(format!("Could not {verb} the {noun}"), detail))
            }
        }
    }

    /// The state of a record that was found.
    pub(crate) async fn read(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        record: &Record,
        mut state: Object,
    ) -> Result<Object, Diagnostics> {
        let reading = cx.reading;
        self.read_into(session, record, &mut state, reading.into()).await?;
        match reading {
            Reading::Import => {
                field::forget_what_is_not_read(&self.fields, &mut state);
                let differing = field::differing_from_default(&self.fields, &state, "");
                field::set_left_alone(&mut state, differing.into_iter().collect());
            }
            Reading::Refresh => self.forget_defaults(&mut state),
        }
        // What a create could not send is planned again.
        for name in pending(cx) {
            state.set(&name, plugin::Value::Null);
        }
        R::after_read(cx, session, record.sys_id(), &mut state).await?;
        name_set::read_into(&self.name_sets(), cx, session, record.sys_id(), &mut state).await?;
        Ok(state)
    }

    /// Removes from `left_alone` what has its default by now.
    fn forget_defaults(&self, state: &mut Object) {
        let mut left_alone = field::left_alone(Some(state), "");
        if left_alone.is_empty() {
            return;
        }
        let differing = field::differing_from_default(&self.fields, state, "");
        let own = field::with_default(&self.fields);
        left_alone.retain(|name| !own.contains(&name.as_str()) || differing.contains(name));
        field::set_left_alone(state, left_alone);
    }

    /// The state of a record that another resource or another provider managed: nothing is known of its other columns.
    fn moved(&self, mut state: Object) -> Object {
        field::set_local_defaults(&self.fields, &mut state);
        let with_default = field::with_default(&self.fields).into_iter().map(str::to_owned);
        field::set_left_alone(&mut state, with_default.collect());
        state
    }

    async fn warn_of_unread_choices(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        prior: Option<&Object>,
        planned: &Object,
    ) -> Result<(), Diagnostic> {
        let warnings = field::unread_choices(&self.fields, session, prior, planned).await?;
        warnings.into_iter().for_each(|warning| cx.warn(warning));
        Ok(())
    }

    /// Writes into the state what was written, and makes what belongs to the record.
    async fn finish(
        &self,
        cx: &Context<Clients>,
        session: &Session,
        record: &Record,
        state: &mut Object,
        problems: &mut Diagnostics,
    ) {
        let read = self.read_into(session, record, state, Known::Planned).await;
        problems.extend(read.err());
        let written = R::after_write(cx, session, record.sys_id(), state).await;
        problems.extend(written.err());
    }

    pub(crate) async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = sys_id(state) else {
            return Ok(());
        };
        match R::removal(state) {
            Removal::Delete => {
                dependents::refuse_while_used::<R>(&session, &sys_id, state).await?;
                let shown = self.refuse_while_hidden(&session, &sys_id).await;
                shown.map_err(|error| failed::<R>(&error, "delete"))?;
                name_set::revoke_all(&self.name_sets(), cx, &session, &sys_id, state).await?;
                R::before_delete(&session, &sys_id, state).await?;
                let deleted = session.delete(R::TABLE, &sys_id).await;
                if deleted.map_err(|error| failed::<R>(&error, "delete"))? == Deleted::WasGone {
                    self.doubt_absence(cx, &session, state, "delete").await?;
                }
                Ok(())
            }
            Removal::Write { row, doing } => {
                let shown = self.refuse_while_hidden(&session, &sys_id).await;
                shown.map_err(|error| diagnostics::of_table(&error, doing))?;
                name_set::revoke_granted(&self.name_sets(), cx, &session, &sys_id, state).await?;
                let mismatches = leave(&session, R::TABLE, &sys_id, row).await;
                let mismatches = mismatches.map_err(|error| diagnostics::of_table(&error, doing))?;
                let problems = self.mismatches(&mismatches);
                if problems.has_errors() { Err(problems) } else { Ok(()) }
            }
        }
    }

    /// Refuses to remove what belongs to a record while the account cannot see the record itself, which it could not remove
    /// afterwards. A record to which nothing belongs is not looked at.
    pub(crate) async fn refuse_while_hidden(&self, session: &Session, sys_id: &SysId) -> Result<(), TableError> {
        if self.name_sets().is_empty() {
            return Ok(());
        }
        session.get_opt(R::TABLE, sys_id, &[]).await.map(drop)
    }

    pub(crate) fn name_sets(&self) -> Vec<name_set::NameSet> {
        field::name_sets(&self.fields)
    }

    fn secrets(&self, input: InputMode) -> impl Iterator<Item = field::SecretColumn> {
        field::secrets(&self.fields).filter(move |secret| secret.input == input)
    }

    /// The row with the secrets that go along with the other columns.
    fn with_secrets(&self, row: Row, secret: impl Fn(&field::SecretColumn) -> Option<Secret>) -> Row {
        let along = self.secrets(InputMode::Stored);
        along.fold(row, |row, one| row.set_if_some(one.column, secret(&one)))
    }

    /// The records that have the key of a row, among those that the resource manages.
    fn key(&self, row: &Row, planned: &Object) -> Result<Option<Query>, Diagnostic> {
        let Some(natural) = R::key(planned) else {
            return Ok(None);
        };
        let key = natural.query(row).and_then(|key| {
            Ok(match R::rows()? {
                Some(rows) => key.and(rows),
                None => key,
            })
        });
        let key = key.map_err(|error| diagnostics::of_query(&error, &format!("create the {}", R::NOUN)));
        key.map(Some)
    }

    /// Looks up what a replacement refers to: it deletes its own record first, and with a name that is not found the create would
    /// fail afterwards.
    async fn check_replaced_references(&self, cx: &Context<Clients>, session: &Session, plan: &mut Plan<'_>) {
        if plan.prior.is_none() || plan.replace.is_empty() {
            return;
        }
        let mut missing = name_set::missing(&self.name_sets(), cx, session, plan.state).await;
        for field in &self.fields {
            let (Some(target), Some(text)) = (field.target(), plan.state.text(field.name())) else {
                continue;
            };
            if text.trim().is_empty() || cx.data.planned_names.has(target.table, text) {
                continue;
            }
            missing.extend(target.to_wire(session, field.name(), text).await.err());
        }
        if missing.is_empty() {
            missing.extend(R::check_replacement(session, plan.state).await.err());
        }
        plan.diagnostics
            .extend(missing.into_iter().map(duplicate_check::nothing_deleted));
    }

    /// Looks for the record that a replacement would make a second time: it deletes its own record first, and the create would
    /// be refused afterwards.
    async fn check_replacement(&self, session: &Session, plan: &mut Plan<'_>) {
        let own = plan.prior.and_then(sys_id).filter(|_| !plan.replace.is_empty());
        let (Some(own), Some(natural)) = (own, R::key(plan.state)) else {
            return;
        };
        let mut attributes = natural
            .columns
            .iter()
            .filter_map(|it| field::attribute_of(&self.fields, it.name()));
        if attributes.any(|name| plan.state.at(name).is_unknown()) {
            return;
        }
        // A reference may mean a record that the same apply makes before.
        let Ok(Some(query)) = self.query_of(session, plan.state).await else {
            return;
        };
        let Some(key) = self.key_of_others(&query, plan.state, &own) else {
            return;
        };
        match key.find(session, &self.columns()).await {
            Ok(Some(found)) => {
                let refusal = match R::take_over(session, &found, &mut plan.state.clone()) {
                    Ok(Existing::Refused { advice }) => key.exists(&found, advice.as_deref()),
                    Ok(Existing::TakenOver { .. }) => return,
                    Err(problem) => problem,
                };
                plan.diagnostics.push(duplicate_check::before_replacement(refusal));
            }
            Ok(None) => {}
            Err(problem) => plan.diagnostics.push(problem),
        }
    }

    /// The records that have the key of a planned record.
    async fn query_of(&self, session: &Session, planned: &Object) -> Result<Option<Query>, Diagnostic> {
        let row = field::row_to_create(&self.fields, session, planned).await?;
        self.key(&with_trimmed_key::<R>(row), planned)
    }

    fn key_of_others<'a>(
        &self,
        query: &'a Query,
        planned: &Object,
        own: &'a SysId,
    ) -> Option<duplicate_check::Key<'a>> {
        let key = self.duplicate_key(Some(query), planned)?;
        Some(duplicate_check::Key { own: Some(own), ..key })
    }

    fn duplicate_key<'a>(&self, query: Option<&'a Query>, planned: &Object) -> Option<duplicate_check::Key<'a>> {
        let natural = R::key(planned)?;
        let attribute = natural.columns.first();
        Some(duplicate_check::Key {
            resource: R::TYPE,
            table: R::TABLE,
            noun: R::NOUN,
            natural,
            query: query?,
            own: None,
            words: natural.words(&self.fields, planned),
            attribute: attribute.and_then(|column| field::attribute_of(&self.fields, column.name()))?,
        })
    }

    fn rows() -> Result<Option<Query>, Diagnostic> {
        R::rows().map_err(|error| diagnostics::of_query(&error, &format!("look up the {}", R::NOUN)))
    }
}

impl<R: RecordResource> BlockType for ManagedRecord<R> {
    fn type_name(&self) -> &'static str {
        R::TYPE
    }

    fn schema(&self) -> Schema {
        let attributes = Self::fields().into_iter().flat_map(|field| field.attributes);
        let schema = Schema::new(R::DESCRIPTION, attributes.collect());
        R::rules().into_iter().fold(schema, Schema::rule)
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_tables(&[&[R::TABLE], R::OTHER_TABLES].concat())
    }

    fn validate(&self, config: &Object) -> Diagnostics {
        R::validate(config)
    }
}

#[async_trait]
impl<R: RecordResource> Resource<Clients> for ManagedRecord<R> {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(sys_id_identity())
    }

    async fn plan(&self, cx: Option<&Context<Clients>>, plan: &mut Plan<'_>) {
        field::plan(&self.fields, plan);
        if let Some(cx) = cx {
            stored_differently::plan(cx, &self.fields, plan);
            field::settle(&self.fields, plan);
        }
        for choice in R::OPEN_CHOICES {
            plan.diagnostics.extend(choice.warning(cx, R::TABLE, plan.config).await);
        }
        R::plan(plan);
        if let Some(cx) = cx {
            if let Ok(session) = cx.instance() {
                self.check_replaced_references(cx, &session, plan).await;
                self.check_replacement(&session, plan).await;
            }
            let texts = plan.state.iter().filter_map(|(_, value)| value.as_str());
            cx.data.planned_names.note(R::TABLE, texts);
            if let Some(sys_id) = plan.prior.and_then(sys_id) {
                name_set::warn_of_second_manager(&self.name_sets(), cx, &sys_id, plan);
            }
            R::warn_of_second_manager(cx, plan);
        }
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        R::create(self, cx, planned, config).await
    }

    async fn read(&self, cx: &Context<Clients>, state: Object) -> Result<Option<Object>, Diagnostics> {
        R::read(self, cx, state).await
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        R::update(self, cx, prior, planned, config).await
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        R::delete(self, cx, state).await
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let sys_id = import::record(&session, R::TABLE, &self.fields, target, Self::rows()?).await?;
        Ok(Object::new().with("id", sys_id.as_str()))
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        match R::FOREIGN {
            Some(foreign) if foreign.type_name == R::TYPE => {
                let object = foreign.upgrade(version, &state)?;
                Ok(json::encode(&plugin::Value::Object(self.moved(object))))
            }
            _ => Err(unknown_version(R::TYPE, version, self.schema().version).into()),
        }
    }

    fn move_state(&self, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
        let moved = match R::FOREIGN.and_then(|foreign| foreign.move_state(from)) {
            Some(moved) => moved,
            None => state_migration::of_any_record(R::TABLE, from)?,
        };
        Some(moved.map(|state| self.moved(state)))
    }

    async fn tidy_config(&self, cx: Option<&Context<Clients>>, state: &Object, config: &mut Object) {
        field::omit_usual(&self.fields, config);
        R::tidy_config(config);
        if let (Some(cx), Some(sys_id)) = (cx, sys_id(state)) {
            name_set::omit_separate(&self.name_sets(), cx, &sys_id, config).await;
        }
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(list::schema(R::LISTS, R::TABLE))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let list = list::List {
            table: R::TABLE,
            columns: &[self.columns().as_slice(), &[R::LABEL]].concat(),
            rows: R::listed_rows().map_err(|error| diagnostics::of_query(&error, &format!("list {}", R::TABLE)))?,
            display_name: &R::display_name,
            state: &list::of_id,
            resource: self,
        };
        let _listing = cx.data.link_managers.begin_list(R::TABLE);
        list.send(cx, request, sink).await
    }
}

/// The row with no blanks around the texts of its key.
fn with_trimmed_key<R: RecordResource>(row: Row) -> Row {
    match R::KEY {
        Some(key) => duplicate_check::with_trimmed(key.columns, row),
        None => row,
    }
}

/// The diagnostic of a write that failed.
fn failed<R: RecordResource>(error: &TableError, verb: &str) -> Diagnostic {
    let mut diagnostic = diagnostics::of_table(error, &format!("{verb} the {}", R::NOUN));
    if let (TableError::Refused { .. }, Some(advice)) = (error, R::REFUSAL_ADVICE) {
        diagnostic.detail.push_str("\n\n");
        diagnostic.detail.push_str(advice);
    }
    diagnostic
}

/// Sends a secret that needs a request of its own.
async fn send_secret<R: RecordResource>(
    session: &Session,
    sys_id: &SysId,
    secret: field::SecretColumn,
    value: Secret,
) -> Result<(), Diagnostic> {
    let sent = send_as_form(session, R::TABLE, sys_id, Row::new().set(secret.column, value)).await;
    let doing = || format!("set the {} of the {}", secret.names.all()[0], R::NOUN);
    sent.map_err(|error| diagnostics::of_table(&error, &doing()))
}

/// Sends secrets as a form would: some columns take them in no other way.
pub(crate) async fn send_as_form(
    session: &Session,
    table: Table,
    sys_id: &SysId,
    secrets: Row,
) -> Result<(), TableError> {
    let update = Update {
        table,
        sys_id,
        row: secrets,
        read: &[],
        input: InputMode::Display,
    };
    session.update(update).await.map(drop)
}

/// Gives a record that a destroy leaves its last values, and tells which of them it did not keep. One that is gone needs none.
pub(crate) async fn leave(
    session: &Session,
    table: Table,
    sys_id: &SysId,
    row: Row,
) -> Result<Vec<Mismatch>, TableError> {
    let update = Update {
        table,
        sys_id,
        row,
        read: &[],
        input: InputMode::Stored,
    };
    match session.update(update).await {
        Ok(written) => Ok(written.mismatches),
        Err(TableError::NotFound { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The instance, for a read: a refresh may be answered from what was prefetched for it.
pub(crate) fn instance_to_read(cx: &Context<Clients>) -> Result<Session, Diagnostic> {
    let session = cx.instance()?;
    Ok(match cx.reading {
        Reading::Refresh => session.for_refresh(),
        Reading::Import => session,
    })
}

/// The record that a state belongs to; none where a create did not get that far.
pub(crate) fn sys_id(state: &Object) -> Option<SysId> {
    state.text("id").and_then(|id| SysId::parse(id).ok())
}

/// The record that an update is about.
pub(crate) fn require_sys_id(state: &Object) -> Result<SysId, Diagnostic> {
    sys_id(state).ok_or_else(|| {
        Diagnostic::error(
            "Invalid id in the state",
            "The state of this resource has no valid id, so its record is not known. Remove it from the state with \
             terraform state rm, and import the record.",
        )
    })
}

/// Records are known by their `sys_id`.
pub(crate) fn sys_id_identity() -> IdentitySchema {
    IdentitySchema::of("sys_id", "id", "The record's `sys_id`: 32 hexadecimal digits.")
}

/// Private data: the attributes that a create could not send.
const PENDING: &str = "pending";

fn pending(cx: &Context<Clients>) -> Vec<String> {
    let noted = cx.private(PENDING).unwrap_or_default();
    let names = noted.as_array().into_iter().flatten().filter_map(Json::as_str);
    names.map(str::to_owned).collect()
}
