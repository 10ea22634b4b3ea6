//! The configuration of an OIDC provider: metadata document, claim and user field.
//!
//! Releases before Zurich refuse a second configuration of a metadata address, and which of several counts is not
//! documented. So a second one is made only where the user asks for it, else the existing one is offered for use. One that
//! others use is neither changed unasked nor removed.

use serde_json::Value as Json;

use crate::clients::Clients;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Outcome, Path, Plan, Value};
use crate::records::child_rows::Listed;
use crate::records::duplicate_check::with_trimmed;
use crate::records::field::{self, Known};
use crate::records::{diagnostics, record_resource};
use crate::resources::oidc_configuration::{self, claims, fields, shares};
use crate::resources::oidc_provider::CONFIGURATION_ID;
use crate::servicenow::tables::oidc_provider_configuration::{
    NAME, OIDC_URL, SYS_SCOPE, TABLE, USER_CLAIM, USER_FIELD,
};
use crate::servicenow::tables::{every, oauth_oidc_entity};
use crate::servicenow::{
    InputMode, Insert, KeyLock, Query, Record, Refusal, Session, SysId, TableError, Update, Value as Wire, Written,
};

/// Whether this provider made the configuration, and removes it with the OIDC provider.
pub(super) const OWNS: &str = "owns_configuration";

/// Before the names of its attributes, in paths and in `left_alone`.
const PREFIX: &str = "configuration.";

/// Where the address is given.
const METADATA_URL: &str = "configuration.metadata_url";

/// The nested object.
pub(crate) const ATTRIBUTE: &str = "configuration";

pub(super) fn attribute() -> Attribute {
    let attributes = fields().into_iter().flat_map(|field| field.attributes);
    Attribute::single(ATTRIBUTE, attributes.collect())
        .describe("The configuration to create for this provider. Set this or `configuration_id`.")
}

/// Whether the configuration is made and kept here.
pub(super) fn is_managed(object: &Object) -> bool {
    !object.at(ATTRIBUTE).is_null()
}

/// Checks that the configuration does not name two: a `configuration_id` beside `configuration` is that of the configuration
/// which is managed already. Terraform before 1.14 generates both after an import.
pub(super) fn is_one(config: &Object, prior: Option<&Object>) -> Result<(), Diagnostic> {
    // One that is not known yet may come to nothing; the apply tells.
    let is_given = is_managed(config) && !config.at(ATTRIBUTE).is_unknown();
    let Some(given) = config.text(CONFIGURATION_ID).filter(|_| is_given) else {
        return Ok(());
    };
    let managed = prior.filter(|prior| is_managed(prior)).and_then(reference);
    if managed.is_some_and(|managed| managed.as_str().eq_ignore_ascii_case(given)) {
        return Ok(());
    }
    let detail = format!(
        "{CONFIGURATION_ID} beside {ATTRIBUTE} can only be that of the configuration which is managed here already. \
         Remove {CONFIGURATION_ID} to create a configuration from {ATTRIBUTE}, or remove {ATTRIBUTE} to use {given} \
         unchanged."
    );
    Err(Diagnostic::error("Two configurations are given", detail).at_attribute(CONFIGURATION_ID))
}

/// Warns of a claim that tokens of the metadata document's version do not carry.
pub(super) fn warn(plan: &mut Plan<'_>) {
    let warning = plan.state.object(ATTRIBUTE).and_then(oidc_configuration::wrong_claim);
    let warning = warning.map(|warning| warning.at_attribute("configuration.user_claim"));
    plan.diagnostics.extend(warning);
}

/// Warns of a configuration that was made here and goes, although the plan shows no more than a change of the provider.
pub(super) fn warn_of_removal(plan: &mut Plan<'_>) {
    let (Some(prior), true) = (plan.prior, plan.config.at(ATTRIBUTE).is_null()) else {
        return;
    };
    let owned = reference(prior).filter(|_| Owner::of(prior) == Owner::Provider);
    let next = plan.config.text(CONFIGURATION_ID);
    let Some(owned) = owned.filter(|owned| !next.is_some_and(|next| owned.as_str().eq_ignore_ascii_case(next))) else {
        return;
    };
    let detail = format!(
        "The provider made the OIDC configuration {owned} and will no longer use it, so the apply deletes it, unless another \
         OIDC provider or a protected resource uses it. To keep it, set {CONFIGURATION_ID} = \"{owned}\" first and apply: it is \
         not this provider's from then on."
    );
    plan.diagnostics
        .push(Diagnostic::warning("The OIDC configuration will be deleted", detail).at_attribute(CONFIGURATION_ID));
}

/// Warns of a configuration that a resource of its own manages too.
pub(super) fn warn_of_second_manager(cx: &Context<Clients>, plan: &mut Plan<'_>) {
    let managed = plan.prior.filter(|_| is_managed(plan.config)).and_then(reference);
    let warning = managed.and_then(|managed| oidc_configuration::managed_twice(cx, &managed, ATTRIBUTE));
    let warning = warning.map(|warning| warning.at_attribute(ATTRIBUTE));
    plan.diagnostics.extend(warning);
}

/// The reference to the configuration that the state names.
pub(super) fn reference(state: &Object) -> Option<SysId> {
    state.text(CONFIGURATION_ID).and_then(|id| SysId::parse(id).ok())
}

/// Checks that a configuration which is to be used exists: the instance stores any `sys_id`, and then accepts no token. One that
/// the account may not read is left to the instance.
pub(super) async fn exists(session: &Session, prior: Option<&Object>, planned: &Object) -> Result<(), Diagnostic> {
    let Some(sys_id) = reference(planned).filter(|_| !is_managed(planned)) else {
        return Ok(());
    };
    if prior.and_then(reference).as_ref() == Some(&sys_id) {
        return Ok(());
    }
    let Ok(None) = session.get_opt(TABLE, &sys_id, &[NAME]).await else {
        return Ok(());
    };
    let detail = format!(
        "{TABLE} has no record {sys_id}. {CONFIGURATION_ID} is the sys_id of a configuration, not that of an OIDC provider: the \
         data source servicenow_oidc_provider shows which one a provider uses."
    );
    Err(Diagnostic::error("No such OIDC configuration", detail).at_attribute(CONFIGURATION_ID))
}

/// Private data: the keys of configurations that this provider made and the state may not name: a response was lost, or
/// somebody chose another one for the OIDC provider. Earlier versions kept one, as a text.
const MADE: &str = "configuration_sent";

/// Notes that the configuration of a state was made here and is to be removed when nothing uses it.
pub(super) fn note_made(cx: &Context<Clients>, state: &Object) {
    if let Some(sys_id) = reference(state) {
        note(cx, &sys_id);
    }
}

fn note(cx: &Context<Clients>, made: &SysId) {
    let mut all = noted(cx);
    if !all.contains(made) {
        all.push(made.clone());
        keep_noted(cx, &all);
    }
}

fn noted(cx: &Context<Clients>) -> Vec<SysId> {
    cx.private(MADE).map(keys).unwrap_or_default()
}

fn keys(noted: Json) -> Vec<SysId> {
    let all = match noted {
        Json::Array(all) => all,
        one => vec![one],
    };
    let key = |id: &Json| SysId::parse(id.as_str()?).ok();
    all.iter().filter_map(key).collect()
}

fn keep_noted(cx: &Context<Clients>, made: &[SysId]) {
    let made: Vec<&str> = made.iter().map(SysId::as_str).collect();
    cx.set_private(MADE, if made.is_empty() { Json::Null } else { made.into() });
}

/// Makes the configuration; the state then names it, and says whether it was made. It also names one that may have been made.
pub(super) async fn create(
    cx: &Context<Clients>,
    session: &Session,
    application: Option<Wire>,
    state: &mut Object,
    problems: &mut Diagnostics,
) -> Result<(), Diagnostic> {
    let Some(planned) = state.object(ATTRIBUTE).cloned() else {
        return Ok(());
    };
    let key = key_of(&planned)?;
    let mut lock = lock_of(session, &planned).await?;
    let made = noted(cx);
    if let Some(found) = existing(session, &key, &planned, Wanted::New { made: &made }, &lock).await? {
        let sys_id = found.sys_id().clone();
        let is_ours = made.contains(&sys_id) || session.has_left(&sys_id);
        if !is_ours {
            cx.warn(taken_over(&found));
        }
        let row = with_trimmed(&[OIDC_URL], field::row_to_create(&fields(), session, &planned).await?);
        let update = Update {
            table: TABLE,
            sys_id: &sys_id,
            row,
            read: &field::columns(&fields()),
            input: InputMode::Stored,
        };
        let written = session.update(update).await;
        let written = written
            .map_err(|error| diagnostics::of_table(&error, "update the OIDC configuration").at_attribute(ATTRIBUTE))?;
        state.set(CONFIGURATION_ID, sys_id.as_str());
        state.set(OWNS, is_ours);
        finish(session, &written, (None, &planned), state, problems).await;
        return Ok(());
    }
    let row = with_trimmed(&[OIDC_URL], field::row_to_create(&fields(), session, &planned).await?)
        .set_if_some(SYS_SCOPE, application);
    let insert = Insert {
        table: TABLE,
        row,
        read: &field::columns(&fields()),
        natural_key: Some(key.clone()),
        input: InputMode::Stored,
    };
    let written = match session.insert(insert).await {
        Ok(written) => written,
        Err(
            error @ TableError::Refused {
                reason: Refusal::Acl { .. },
                ..
            },
        ) => {
            // Some instances respond so if a record with this address was created meanwhile.
            existing(session, &key, &planned, Wanted::New { made: &made }, &lock).await?;
            let mut problem = diagnostics::of_table(&error, "create the OIDC configuration");
            problem.detail.push_str(
                "\n\nSome instances allow nobody to create it over the API. Then create it in the form (System OAuth \
                 > Application Registry > New > Configure an OIDC provider) and set configuration_id to its sys_id.",
            );
            return Err(problem.at_attribute(ATTRIBUTE));
        }
        Err(error) => {
            if let TableError::Uncertain { ours: Some(ours), .. } = &error {
                note(cx, ours);
                state.set(CONFIGURATION_ID, ours.as_str());
                state.set(OWNS, true);
            }
            let mut problem = diagnostics::of_table(&error, "create the OIDC configuration");
            if shares(&planned) {
                problem.detail.push_str(
                    "\n\nReleases before Zurich refuse a second configuration of a metadata address, whatever \
                     allow_shared_metadata_url says.",
                );
            }
            return Err(problem.at_attribute(ATTRIBUTE));
        }
    };
    lock.made(written.record.sys_id());
    state.set(CONFIGURATION_ID, written.record.sys_id().as_str());
    state.set(OWNS, true);
    finish(session, &written, (None, &planned), state, problems).await;
    Ok(())
}

/// What is said of a configuration that existed and is used from now on.
fn taken_over(found: &Record) -> Diagnostic {
    let text = |column| found.text(column).value().unwrap_or("nothing").to_owned();
    let detail = format!(
        "The configuration {} ({}) already existed. It was created by {}, the account of this provider. Nothing used it, so it is used \
         and managed here from now on. Destroy keeps it, because it may not have been made by Terraform. If a \
         servicenow_oidc_configuration manages it, replace the block with {CONFIGURATION_ID}: two resources would change it \
         in turn. If it was left by an interrupted apply, delete it in System OAuth > Application Registry after \
         the destroy.",
        text(NAME),
        found.sys_id(),
        text(every::SYS_CREATED_BY)
    );
    Diagnostic::warning("The OIDC configuration already existed", detail).at_attribute(ATTRIBUTE)
}

async fn finish(
    session: &Session,
    written: &Written,
    (prior, planned): (Option<&Object>, &Object),
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    let mut kept = planned.clone();
    let read = field::read_into(&fields(), session, &written.record, &mut kept, Known::Planned).await;
    problems.extend(read.err());
    problems.append(diagnostics::of_mismatches(&written.mismatches, |column| {
        attribute_of(column).map_or_else(Path::root, |name| Path::of(&name))
    }));
    let sys_id = written.record.sys_id();
    claims::write(session, claims::IN_BLOCK, sys_id, (prior, planned), &mut kept, problems).await;
    state.set(ATTRIBUTE, kept.with_unknown_as_null());
}

/// The claims that a configuration lists.
pub(super) fn listed_claims(state: &Object) -> Option<Listed> {
    state.object(ATTRIBUTE).and_then(|block| claims::IN_BLOCK.listed(block))
}

/// The error that some of these are missing after a create.
pub(super) fn missing_claims(wanted: Option<&Listed>, state: &Object) -> Option<Diagnostic> {
    let empty = Object::new();
    let block = state.object(ATTRIBUTE).unwrap_or(&empty);
    claims::missing(claims::IN_BLOCK, wanted, block)
}

/// Finds out whether the instance can keep what is planned, before anything is written.
pub(super) async fn check(session: &Session, prior: Option<&Object>, planned: &Object) -> Result<(), Diagnostic> {
    let Some(planned) = planned.object(ATTRIBUTE) else {
        return Ok(());
    };
    let prior = prior.and_then(|prior| prior.object(ATTRIBUTE));
    let in_block = |problem: Diagnostic| problem.at_attribute(ATTRIBUTE);
    field::check_columns(&fields(), session, TABLE, prior, planned)
        .await
        .map_err(in_block)?;
    claims::check(session, prior, planned).await.map_err(in_block)
}

/// Changes the configuration that Terraform created, or creates it again if it no longer exists.
pub(super) async fn update(
    session: &Session,
    prior: &Object,
    state: &mut Object,
    problems: &mut Diagnostics,
) -> Result<(), Diagnostic> {
    let (Some(former), Some(planned)) = (prior.object(ATTRIBUTE), state.object(ATTRIBUTE).cloned()) else {
        return Ok(());
    };
    let Some(sys_id) = reference(prior) else { return Ok(()) };
    let row = with_trimmed(
        &[OIDC_URL],
        field::row_to_update(&fields(), session, former, &planned).await?,
    );
    if row.is_empty() {
        let mut kept = planned.clone();
        claims::write(
            session,
            claims::IN_BLOCK,
            &sys_id,
            (Some(former), &planned),
            &mut kept,
            problems,
        )
        .await;
        state.set(ATTRIBUTE, kept);
        return Ok(());
    }
    let mut lock = lock_of(session, &planned).await?;
    if row.value(OIDC_URL).is_some() && !shares(&planned) {
        existing(session, &key_of(&planned)?, &planned, Wanted::Changed(&sys_id), &lock).await?;
    }
    let update = Update {
        table: TABLE,
        sys_id: &sys_id,
        row,
        read: &field::columns(&fields()),
        input: InputMode::Stored,
    };
    let written = session.update(update).await;
    let written = written
        .map_err(|error| diagnostics::of_table(&error, "update the OIDC configuration").at_attribute(ATTRIBUTE))?;
    lock.made(&sys_id);
    finish(session, &written, (Some(former), &planned), state, problems).await;
    Ok(())
}

/// Stops managing the configuration where the provider no longer refers to it. The one that somebody chose instead is theirs: the
/// state must not say that Terraform made it, nor the plan change it.
pub(super) fn stop_managing(cx: &Context<Clients>, former: Option<SysId>, state: &mut Object) {
    let Some(former) = former.filter(|former| is_managed(state) && reference(state).as_ref() != Some(former)) else {
        return;
    };
    if Owner::of(state) == Owner::Provider {
        note(cx, &former);
    }
    state.set(ATTRIBUTE, Value::Null);
    state.set(OWNS, false);
    let mut left_alone = field::left_alone(Some(state), "");
    left_alone.retain(|name| !name.starts_with(PREFIX));
    field::set_left_alone(state, left_alone);
}

/// The outcome of a write with the configuration that is managed here, also where the instance kept a reference to another one:
/// that one is not ours, and the next refresh tells it.
pub(super) fn keep_own(ended: Outcome, own: &Object) -> Outcome {
    let kept = |mut state: Object| {
        if is_managed(own) && reference(own).is_some() {
            state.set(CONFIGURATION_ID, own.at(CONFIGURATION_ID).clone());
        }
        state
    };
    match ended {
        Outcome::Done(state, problems) => Outcome::Done(kept(state), problems),
        Outcome::Partly(state, problems) => Outcome::Partly(kept(state), problems),
    }
}

/// Removes the configurations that were made here and that the provider, by its final state, does not use.
pub(super) async fn remove_unused(cx: &Context<Clients>, session: &Session, state: &Object) -> Result<(), TableError> {
    let own = record_resource::sys_id(state);
    for made in noted(cx) {
        if reference(state).as_ref() != Some(&made) {
            // The state is older than what somebody may have chosen since. A search for those who use it may lag.
            if let Some(own) = &own
                && let Some(provider) = session
                    .get_opt(oauth_oidc_entity::TABLE, own, &[oauth_oidc_entity::CONFIGURATION])
                    .await?
                && provider
                    .reference(oauth_oidc_entity::CONFIGURATION)
                    .value()
                    .is_some_and(|id| made.as_str().eq_ignore_ascii_case(id))
            {
                continue;
            }
            try_to_remove(cx, session, &made, own.as_ref()).await?;
        }
        let mut left = noted(cx);
        left.retain(|left| *left != made);
        keep_noted(cx, &left);
    }
    Ok(())
}

/// The same before the provider is deleted, which an instance that refuses this does not prevent.
pub(super) async fn remove_leftover(
    cx: &Context<Clients>,
    session: &Session,
    state: &Object,
) -> Result<(), Diagnostic> {
    match remove_unused(cx, session, state).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_refusal() => {
            let mut problem = diagnostics::of_table(&error, "delete an OIDC configuration that is no longer used");
            problem.detail.push_str(" It stays on the instance.");
            cx.warn(problem);
            Ok(())
        }
        Err(error) => Err(diagnostics::of_table(&error, "delete the OIDC configuration")),
    }
}

/// Reads the configuration that was made here; after an import, the one that is used.
pub(super) async fn read_into(cx: &Context<Clients>, session: &Session, state: &mut Object) -> Result<(), Diagnostic> {
    let known = Known::from(cx.reading);
    if known == Known::Former && !is_managed(state) {
        return Ok(());
    }
    // One that was deleted manually is planned again.
    let found = found_with_claims(session, state, known).await?;
    if let (Known::Nothing, Some(found)) = (known, &found) {
        let mut left_alone = field::left_alone(Some(state), "");
        left_alone.extend(field::differing_from_default(&fields(), found, PREFIX));
        field::set_left_alone(state, left_alone);
    }
    state.set(ATTRIBUTE, found);
    Ok(())
}

/// What is left of a provider that was deleted or never created: its configuration, if that still exists.
pub(super) async fn left_over(session: &Session, mut state: Object) -> Result<Option<Object>, Diagnostics> {
    if !is_managed(&state) {
        return Ok(None);
    }
    let found = found_with_claims(session, &state, Known::Former).await?;
    state.set("id", Value::Null);
    Ok(found.map(|found| state.with(ATTRIBUTE, found)))
}

async fn found_with_claims(session: &Session, state: &Object, known: Known) -> Result<Option<Object>, Diagnostic> {
    let mut found = found(session, state, known).await?;
    if let (Some(found), Some(sys_id)) = (&mut found, reference(state)) {
        claims::read_into(session, &sys_id, found, known).await?;
    }
    Ok(found)
}

/// The configuration that the state refers to, as an object.
pub(crate) async fn found(session: &Session, state: &Object, known: Known) -> Result<Option<Object>, Diagnostic> {
    let Some(sys_id) = reference(state) else {
        return Ok(None);
    };
    let fields = fields();
    let found = session.get_opt(TABLE, &sys_id, &field::columns(&fields)).await;
    let found = found.map_err(|error| diagnostics::of_table(&error, "read the OIDC configuration"))?;
    let Some(record) = found else { return Ok(None) };
    let mut configuration = state.object(ATTRIBUTE).cloned().unwrap_or_default();
    field::read_into(&fields, session, &record, &mut configuration, known).await?;
    Ok(Some(configuration))
}

/// What the state knows of who made the configuration that it manages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    /// This provider made it, and removes it.
    Provider,
    /// It existed before, or is not managed here: it stays.
    Others,
    /// The record was imported, or its state is older than the attribute: it stays, and the user is told.
    Unknown,
}

impl Owner {
    fn of(state: &Object) -> Self {
        match (is_managed(state), state.flag(OWNS)) {
            (true, Some(true)) => Owner::Provider,
            (true, None) => Owner::Unknown,
            (true, Some(false)) | (false, _) => Owner::Others,
        }
    }
}

/// Whether a removal of the provider has to remove its configuration too; says so where that is not known.
pub(super) fn is_owned(cx: &Context<Clients>, state: &Object) -> bool {
    let owner = Owner::of(state);
    if let (Owner::Unknown, Some(sys_id)) = (owner, reference(state)) {
        let detail = format!(
            "It is not known whether Terraform made the OIDC configuration {sys_id}: the provider was imported, or its state \
             was written by an older version. Other integrations may rely on it, so it stays on the instance. If nothing \
             uses it, delete it in System OAuth > Application Registry."
        );
        cx.warn(Diagnostic::warning("The OIDC configuration was left in place", detail).at_attribute(ATTRIBUTE));
    }
    owner == Owner::Provider
}

/// Fails where a configuration that a removal has to remove is hidden from the account, before anything is removed.
pub(super) async fn refuse_while_hidden(session: &Session, state: &Object) -> Result<(), Diagnostic> {
    if let (Owner::Provider, Some(sys_id)) = (Owner::of(state), reference(state)) {
        let seen = session.get_opt(TABLE, &sys_id, &[]).await;
        seen.map_err(|error| diagnostics::of_table(&error, "delete the OIDC configuration"))?;
    }
    Ok(())
}

/// What the plan says of who makes the configuration.
pub(super) fn plan_owner(plan: &mut Plan<'_>) {
    let (was_managed, owned) = match plan.prior {
        Some(prior) => (is_managed(prior), prior.at(OWNS).clone()),
        None => (false, Value::Null),
    };
    let owned = match (is_managed(plan.config), was_managed) {
        (true, true) => owned,
        // One that was left by an interrupted apply is taken over.
        (true, false) => Value::Unknown,
        (false, _) => false.into(),
    };
    let owned = if plan.config.at(ATTRIBUTE).is_unknown() {
        Value::Unknown
    } else {
        owned
    };
    plan.state.set(OWNS, owned);
}

/// Plans as it was what the block does not name.
pub(super) fn plan_unnamed(plan: &mut Plan<'_>) {
    let prior = plan.prior.and_then(|prior| prior.object(ATTRIBUTE));
    if let (Some(config), Some(mut planned)) = (plan.config.object(ATTRIBUTE), plan.state.object(ATTRIBUTE).cloned()) {
        field::plan_nested(&fields(), prior, config, &mut planned);
        plan.diagnostics
            .extend(claims::IN_BLOCK.plan(prior, config, &mut planned));
        plan.state.set(ATTRIBUTE, planned);
    }
}

/// Takes out of a block that is generated what nobody would write.
pub(super) fn omit_usual(config: &mut Object) {
    if let Some(mut configuration) = config.object(ATTRIBUTE).cloned() {
        field::omit_usual(&fields(), &mut configuration);
        config.set(ATTRIBUTE, configuration);
    }
}

/// Plans as it was what has another value than its default, on a configuration that was not made here.
pub(super) fn plan_left_alone(plan: &mut Plan<'_>) {
    let left_alone = field::left_alone(plan.prior, PREFIX);
    let (Some(prior), Some(config)) = (
        plan.prior.and_then(|prior| prior.object(ATTRIBUTE)),
        plan.config.object(ATTRIBUTE),
    ) else {
        return;
    };
    let Some(mut planned) = plan.state.object(ATTRIBUTE).cloned() else {
        return;
    };
    let mut all = field::left_alone(Some(plan.state), "");
    for name in left_alone {
        if config.at(&name).is_null() {
            planned.set(&name, prior.at(&name).clone());
        }
        if planned.at(&name) != prior.at(&name) {
            all.remove(&format!("{PREFIX}{name}"));
        }
    }
    plan.state.set(ATTRIBUTE, planned);
    field::set_left_alone(plan.state, all);
}

/// Removes the configuration while its provider still refers to it; tells whether the instance allowed that.
pub(super) async fn remove_first(cx: &Context<Clients>, session: &Session, state: &Object) -> Result<bool, Diagnostic> {
    let claims = claims_to_delete(session, state).await?;
    match remove_own(cx, session, state).await {
        Ok(false) => Ok(true),
        Ok(true) => claims.remove(cx, session).await.map(|()| true),
        Err(error) if error.is_refusal() => Ok(false),
        Err(error) => Err(diagnostics::of_table(&error, "delete the OIDC configuration")),
    }
}

/// Removes the configuration that was made here, unless something else uses it.
pub(super) async fn remove(cx: &Context<Clients>, session: &Session, state: &Object) -> Result<(), Diagnostic> {
    let claims = claims_to_delete(session, state).await?;
    let removed = remove_own(cx, session, state).await;
    if removed.map_err(|error| diagnostics::of_table(&error, "delete the OIDC configuration"))? {
        claims.remove(cx, session).await?;
    }
    Ok(())
}

/// The claims go after their configuration, which accepts nothing more by then.
async fn claims_to_delete(session: &Session, state: &Object) -> Result<claims::ToDelete, Diagnostic> {
    match (reference(state), state.object(ATTRIBUTE)) {
        (Some(sys_id), Some(configuration)) => claims::ToDelete::of(session, &sys_id, configuration).await,
        _ => Ok(claims::ToDelete::default()),
    }
}

async fn remove_own(cx: &Context<Clients>, session: &Session, state: &Object) -> Result<bool, TableError> {
    let Some(sys_id) = reference(state) else {
        return Ok(false);
    };
    // Its own provider was removed a moment ago, and a search may still show it.
    try_to_remove(cx, session, &sys_id, record_resource::sys_id(state).as_ref()).await
}

/// Removes a configuration unless it is used by a provider, other than one that is left aside, or a protected resource; tells
/// whether it did.
async fn try_to_remove(
    cx: &Context<Clients>,
    session: &Session,
    sys_id: &SysId,
    aside: Option<&SysId>,
) -> Result<bool, TableError> {
    if oidc_configuration::users(session, sys_id, aside).await?.is_empty() {
        session.delete(TABLE, sys_id).await?;
        return Ok(true);
    }
    session.remember_left(sys_id);
    let detail = format!(
        "Another OIDC provider or a protected resource of the instance uses the OIDC configuration {sys_id}, or the \
         account may not read whether one does. It stays on the instance."
    );
    cx.warn(Diagnostic::warning("The OIDC configuration was left in place", detail).at_attribute(ATTRIBUTE));
    Ok(false)
}

async fn lock_of(session: &Session, planned: &Object) -> Result<KeyLock, Diagnostic> {
    let lock = oidc_configuration::lock(session, planned).await;
    lock.map_err(|problem| problem.at_attribute(METADATA_URL))
}

fn key_of(planned: &Object) -> Result<Query, Diagnostic> {
    oidc_configuration::key(planned).map_err(|problem| problem.at_attribute(METADATA_URL))
}

/// For what a configuration of the same key is looked for.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    /// One is to be made. `made` are the keys of those that were made here.
    New { made: &'a [SysId] },
    /// This one gets the key.
    Changed(&'a SysId),
}

/// A configuration of this key that can be taken over: made by this account, the same name, claim and field, and used by no
/// provider. Such a one remains when a create was interrupted, or its provider was deleted manually. One that was made here may
/// have another claim, and one that the same replacement left may be used by others. Any other is refused, one that another
/// resource of this apply made among them, and whichever it is where there is one already.
async fn existing(
    session: &Session,
    key: &Query,
    planned: &Object,
    wanted: Wanted<'_>,
    lock: &KeyLock,
) -> Result<Option<Record>, Diagnostic> {
    let problem =
        |error: TableError| diagnostics::of_table(&error, "look for a configuration of this metadata address");
    let own = match wanted {
        Wanted::New { .. } => None,
        Wanted::Changed(own) => Some(own),
    };
    let found = oidc_configuration::find(session, key, planned, own, lock).await?;
    let Some(record) = found else { return Ok(None) };
    let sys_id = record.sys_id();
    let text = |column| record.text(column).value().unwrap_or("nothing").to_owned();
    let (name, claim, field) = (text(NAME), text(USER_CLAIM), text(USER_FIELD));
    let is_equal = planned.text("user_claim") == Some(&claim) && planned.text("user_field") == Some(&field);
    let is_the_same = is_equal && planned.text("name") == Some(&name);
    let users = oidc_configuration::users(session, sys_id, None)
        .await
        .map_err(problem)?;
    let is_unused = users.is_empty();
    let by = record.text(every::SYS_CREATED_BY).value();
    let is_of_another_resource = lock.has_made(sys_id);
    if let Wanted::New { made } = wanted
        && !is_of_another_resource
    {
        let is_left_by_account = is_the_same && is_unused && by.is_some_and(|by| session.is_account(by));
        let is_ours = (is_unused && made.contains(sys_id)) || (is_the_same && session.has_left(sys_id));
        if is_left_by_account || is_ours {
            return Ok(Some(record));
        }
    }
    let sys_id = sys_id.as_str();
    let origin = match by {
        Some(_) if is_of_another_resource => " Another resource of this apply made it.".to_owned(),
        Some(by) if is_unused => format!(
            " No provider uses it, and {by} made it: if that was an interrupted apply, delete it and apply again."
        ),
        Some(_) | None => String::new(),
    };
    let remedy = if shares(planned) {
        format!("Give this one another name.{origin}")
    } else if is_equal && own.is_none() {
        format!(
            "It maps the same claim to the same field, so use it: replace the block `configuration` with\n\n  \
             configuration_id = \"{sys_id}\"\n\nTerraform then neither changes nor deletes it.{origin}"
        )
    } else {
        format!(
            "It maps the claim {claim} to the field {field}, which other integrations may rely on. Use another \
             metadata address of the same issuer (for Entra the one of the other token version), or change that \
             record yourself and set configuration_id = \"{sys_id}\".{origin}"
        )
    };
    Err(oidc_configuration::already_configured(&record, planned, &remedy).at_attribute(METADATA_URL))
}

/// The attribute in the block that owns a column.
fn attribute_of(column: &str) -> Option<String> {
    field::attribute_of(&fields(), column).map(|name| format!("{PREFIX}{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_made_is_noted_by_this_version_and_by_earlier_ones() {
        let [first, second] = ["6816f79cc0a8016401c5a33be04be441", "1c367f0fdfb99d47819803af555cddb9"];
        let of = |noted: Json| {
            keys(noted)
                .iter()
                .map(|key| key.as_str().to_owned())
                .collect::<Vec<_>>()
        };

        assert_eq!(of(json!([first, second])), [first, second]);
        assert_eq!(of(json!(first)), [first]);
        assert!(of(Json::Null).is_empty());
    }
}
