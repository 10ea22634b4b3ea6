//! The configuration of an OIDC provider: metadata document, claim and user field.
//!
//! Releases before Zurich refuse a second configuration of a metadata address, and which of several counts is not
//! documented. So a second one is made only where the user asks for it, else the existing one is offered for use. One that
//! others use is neither changed unasked nor removed.

use serde_json::Value as Json;

use crate::clients::Clients;
use crate::plugin::schema::{Modifier, validate};
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Path, Plan, Value};
use crate::records::duplicate_check::with_trimmed;
use crate::records::field::{self, Field, Known};
use crate::records::{diagnostics, resource};
use crate::resources::oidc_provider::CONFIGURATION_ID;
use crate::servicenow::tables::oidc_provider_configuration::{
    CACHE_LIFE_SPAN, ENABLE_JTI_VERIFICATION, NAME, OIDC_URL, SYS_SCOPE, TABLE, USER_CLAIM, USER_FIELD,
};
use crate::servicenow::tables::{every, oauth_oidc_entity, oauth_protected_resource_idp_mapping as idp_mapping};
use crate::servicenow::{
    Cell, InputMode, Insert, KeyLock, Query, Record, Refusal, Session, SysId, TableError, Update, Value as Wire,
    Written,
};

/// Whether this provider made the configuration, and removes it with the OIDC provider.
pub(super) const OWNS: &str = "owns_configuration";

/// Of the names of its attributes in `left_alone`.
const PREFIX: &str = "configuration.";

/// Whether another configuration may have the same address.
const SHARE: &str = "allow_shared_metadata_url";

/// Where the address is given.
const METADATA_URL: &str = "configuration.metadata_url";

/// The nested object.
pub(crate) const ATTRIBUTE: &str = "configuration";

/// The attributes of the nested object.
pub(crate) fn fields() -> Vec<Field> {
    vec![
        Field::new(
            NAME,
            Attribute::text("name").required().check(validate::not_blank()).describe("Name of the configuration."),
        ),
        Field::new(
            OIDC_URL,
            Attribute::text("metadata_url").required().check(validate::url()).check(field::key_text()).describe(
                "Address of the issuer's metadata document. It must match the version of the tokens: without `/v2.0` for \
                 Entra's version 1 tokens, with it for version 2.",
            ),
        ),
        Field::local(Attribute::flag(SHARE).describe(
            "Whether this configuration may have a metadata address that another one has. From Zurich on an instance \
             accepts that (for single sign-on by its documentation); which of them checks a token that fits several is \
             not documented. Older releases refuse it.",
        )),
        Field::new(
            USER_CLAIM,
            Attribute::text("user_claim").default("appid").check(validate::not_blank()).describe(
                "Claim that names the user. `appid` is the calling application in version 1 tokens, `azp` in version 2; \
                 `sub` and `oid` are its service principal in both.",
            ),
        ),
        Field::new(
            USER_FIELD,
            Attribute::text("user_field")
                .default("user_name")
                .check(validate::not_blank())
                .check(user_field())
                .describe(
                    "Column of `sys_user` that the claim is compared with; the form's \"User ID\" is `user_name`.",
                ),
        ),
        Field::new(
            ENABLE_JTI_VERIFICATION,
            Attribute::flag("enable_jti_verification").default(false).describe(
                "Whether each token may be used for one call only. The instance's own default is on, and Entra's tokens \
                 are used for many calls: so it is always sent, and off unless the configuration says otherwise.",
            ),
        ),
        Field::new(
            CACHE_LIFE_SPAN,
            // Stable only where there was a configuration before: without one the instance chooses.
            Attribute::integer("cache_life_span")
                .optional_computed()
                .check(validate::between(0, 720))
                .plan(Modifier::UseNonNullStateForUnknown)
                .describe("Hours for which the metadata document is cached, 720 at most; Microsoft's pages use 120."),
        ),
    ]
}

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
    let Some(given) = config.text(CONFIGURATION_ID).filter(|_| is_managed(config)) else {
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

fn user_field() -> validate::Validator {
    validate::Validator::text("", |text| {
        if text == "user_id" {
            Err(
                "The column behind the form's \"User ID\" is `user_name`; there is no `user_id`. Use \"user_name\"."
                    .into(),
            )
        } else {
            Ok(())
        }
    })
}

/// Warns of a claim that tokens of the metadata document's version do not carry.
pub(super) fn warn(plan: &mut Plan<'_>) {
    let Some(configuration) = plan.state.object(ATTRIBUTE) else {
        return;
    };
    let (Some(url), Some(claim)) = (configuration.text("metadata_url"), configuration.text("user_claim")) else {
        return;
    };
    let is_v2 = url.contains("/v2.0");
    let (version, other) = match (claim, is_v2) {
        ("appid", true) => ("2.0", "azp"),
        ("azp", false) => ("1.0", "appid"),
        _ => return,
    };
    let detail = format!(
        "The metadata address is that of version {version} tokens, which have no claim {claim:?}: every call would \
         fail with 401. Use the claim {other:?}, or the other metadata address. The version of the tokens is that of \
         the audience application: requestedAccessTokenVersion null or 1 means 1.0, 2 means 2.0."
    );
    let warning = Diagnostic::warning("The claim is not in these tokens", detail);
    plan.diagnostics.push(warning.at_attribute("configuration.user_claim"));
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
    let key = key(&planned)?;
    let mut lock = lock(session, &planned).await?;
    if let Some(found) = existing(session, &key, &planned, None, &lock).await? {
        let sys_id = found.sys_id().clone();
        let is_ours = noted(cx).contains(&sys_id);
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
        finish(session, &written, planned, state, problems).await;
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
            existing(session, &key, &planned, None, &lock).await?;
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
    finish(session, &written, planned, state, problems).await;
    Ok(())
}

/// What is said of a configuration that existed and is used from now on.
fn taken_over(found: &Record) -> Diagnostic {
    let text = |column| found.text(column).value().unwrap_or("nothing").to_owned();
    let detail = format!(
        "The configuration {} ({}) existed already, made by {}, the account of this provider. Nothing used it, so it is used \
         and managed here from now on. Destroy keeps it, because it may not have been made by Terraform. If it was left by an \
         interrupted apply, delete it in System OAuth > Application Registry after the destroy.",
        text(NAME),
        found.sys_id(),
        text(every::SYS_CREATED_BY)
    );
    Diagnostic::warning("The OIDC configuration already existed", detail).at_attribute(ATTRIBUTE)
}

async fn finish(session: &Session, written: &Written, planned: Object, state: &mut Object, problems: &mut Diagnostics) {
    let mut kept = planned;
    let read = field::read_into(&fields(), session, &written.record, &mut kept, Known::Planned).await;
    problems.extend(read.err());
    state.set(ATTRIBUTE, kept.with_unknown_as_null());
    problems.append(diagnostics::of_mismatches(&written.mismatches, |column| {
        attribute_of(column).map_or_else(Path::root, Path::of)
    }));
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
        return Ok(());
    }
    let mut lock = lock(session, &planned).await?;
    if row.value(OIDC_URL).is_some() && !shares(&planned) {
        existing(session, &key(&planned)?, &planned, Some(&sys_id), &lock).await?;
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
    finish(session, &written, planned, state, problems).await;
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

/// Removes the configurations that were made here and that the provider, by its final state, does not use.
pub(super) async fn remove_unused(cx: &Context<Clients>, session: &Session, state: &Object) -> Result<(), TableError> {
    let own = resource::sys_id(state);
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
    let found = found(session, state, known).await?;
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
    let found = found(session, &state, Known::Former).await?;
    state.set("id", Value::Null);
    Ok(found.map(|found| state.with(ATTRIBUTE, found)))
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
    match remove_own(cx, session, state).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_refusal() => Ok(false),
        Err(error) => Err(diagnostics::of_table(&error, "delete the OIDC configuration")),
    }
}

/// Removes the configuration that was made here, unless something else uses it.
pub(super) async fn remove(cx: &Context<Clients>, session: &Session, state: &Object) -> Result<(), Diagnostic> {
    let removed = remove_own(cx, session, state).await;
    removed.map_err(|error| diagnostics::of_table(&error, "delete the OIDC configuration"))
}

async fn remove_own(cx: &Context<Clients>, session: &Session, state: &Object) -> Result<(), TableError> {
    let Some(sys_id) = reference(state) else { return Ok(()) };
    // Its own provider was removed a moment ago, and a search may still show it.
    try_to_remove(cx, session, &sys_id, resource::sys_id(state).as_ref()).await
}

/// Removes a configuration unless it is used by a provider, other than one that is left aside, or a protected resource.
async fn try_to_remove(
    cx: &Context<Clients>,
    session: &Session,
    sys_id: &SysId,
    aside: Option<&SysId>,
) -> Result<(), TableError> {
    if is_used(session, sys_id, aside).await? {
        let detail = format!(
            "Another OIDC provider or a protected resource of the instance uses the OIDC configuration {sys_id}, or the \
             account may not read whether one does. It stays on the instance."
        );
        cx.warn(Diagnostic::warning("The OIDC configuration was left in place", detail).at_attribute(ATTRIBUTE));
    } else {
        session.delete(TABLE, sys_id).await?;
    }
    Ok(())
}

/// Whether a provider, other than one that is left aside, or a protected resource uses the configuration.
async fn is_used(session: &Session, sys_id: &SysId, aside: Option<&SysId>) -> Result<bool, TableError> {
    let users =
        Query::equals(oauth_oidc_entity::CONFIGURATION, sys_id.as_str()).map_err(|source| TableError::Query {
            table: oauth_oidc_entity::TABLE,
            source,
        })?;
    let users = session
        .select(oauth_oidc_entity::TABLE, &users, &[oauth_oidc_entity::NAME])
        .await?;
    if users.iter().any(|user| Some(user.sys_id()) != aside) {
        return Ok(true);
    }
    let mappings = session
        .select(idp_mapping::TABLE, &Query::every_row(), idp_mapping::CONFIGURATIONS)
        .await;
    match mappings {
        Ok(mappings) => Ok(mappings.iter().any(|mapping| refers_to(mapping, sys_id))),
        // Releases before Zurich patch 10.
        Err(TableError::NoSuchTable { .. }) => Ok(false),
        Err(TableError::Refused { .. } | TableError::Hidden { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether a mapping refers to a configuration. Which column does is not known: one that shows none of them may.
fn refers_to(mapping: &Record, sys_id: &SysId) -> bool {
    let columns = idp_mapping::CONFIGURATIONS.iter();
    let cells: Vec<Cell<&str>> = columns.map(|column| mapping.reference(*column)).collect();
    let refers = cells
        .iter()
        .any(|cell| matches!(cell, Cell::Value(id) if sys_id.as_str().eq_ignore_ascii_case(id)));
    refers || cells.iter().all(Cell::is_hidden)
}

fn shares(planned: &Object) -> bool {
    planned.flag(SHARE) == Some(true)
}

/// Waits until nobody else of this process looks for a configuration of the address or makes one.
async fn lock(session: &Session, planned: &Object) -> Result<KeyLock, Diagnostic> {
    let address = Query::equals(OIDC_URL, planned.text("metadata_url").unwrap_or_default().trim());
    let address = address.map_err(|source| TableError::Query { table: TABLE, source });
    let lock = match address {
        Ok(address) => session.lock_key(TABLE, address).await,
        Err(error) => Err(error),
    };
    lock.map_err(|error| diagnostics::of_table(&error, "look for the OIDC configuration").at_attribute(METADATA_URL))
}

/// What there is one configuration of: the address; where that is shared, the address and the name.
fn key(planned: &Object) -> Result<Query, Diagnostic> {
    let text = |name| planned.text(name).unwrap_or_default();
    let key = Query::equals(OIDC_URL, text("metadata_url").trim());
    let key = if shares(planned) {
        key.and_then(|key| Ok(key.and(Query::equals(NAME, text("name"))?)))
    } else {
        key
    };
    key.map_err(|error| diagnostics::of_query(&error, "look for the OIDC configuration").at_attribute(METADATA_URL))
}

/// A configuration of this key that can be taken over: made by this account, the same name, claim and field, and used by no
/// provider. Such a one remains when a create was interrupted, or its provider was deleted manually. Any other is
/// refused, and whichever it is where there is an `own` one already.
async fn existing(
    session: &Session,
    key: &Query,
    planned: &Object,
    own: Option<&SysId>,
    lock: &KeyLock,
) -> Result<Option<Record>, Diagnostic> {
    let problem =
        |error: TableError| diagnostics::of_table(&error, "look for a configuration of this metadata address");
    let columns = [field::columns(&fields()), vec![every::SYS_CREATED_BY]].concat();
    let key = match own {
        Some(own) => Query::differs(every::SYS_ID, own.as_str()).map(|others| key.clone().and(others)),
        None => Ok(key.clone()),
    };
    let key = key.map_err(|source| problem(TableError::Query { table: TABLE, source }))?;
    let mut found = session.find_existing(TABLE, &key, &columns).await.map_err(problem)?;
    if found.is_none() && !shares(planned) {
        found = session.made_before(lock, &columns).await.map_err(problem)?;
        found = found.filter(|record| Some(record.sys_id()) != own);
    }
    let Some(record) = found else { return Ok(None) };
    let sys_id = record.sys_id();
    let text = |column| record.text(column).value().unwrap_or("nothing").to_owned();
    let (name, claim, field) = (text(NAME), text(USER_CLAIM), text(USER_FIELD));
    let is_equal = planned.text("user_claim") == Some(&claim) && planned.text("user_field") == Some(&field);
    let is_the_same = is_equal && planned.text("name") == Some(&name);
    let is_unused = !is_used(session, sys_id, None).await.map_err(problem)?;
    let by = record.text(every::SYS_CREATED_BY).value();
    if own.is_none() && is_the_same && is_unused && by.is_some_and(|by| session.is_account(by)) {
        return Ok(Some(record));
    }
    let sys_id = sys_id.as_str();
    let origin = match by {
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
    let opt_in = if shares(planned) {
        String::new()
    } else {
        format!("\n\nTo have two configurations of one address nevertheless, on Zurich or later, set {SHARE} = true.")
    };
    let detail = format!(
        "The configuration {name} ({sys_id}) already has this metadata address. Releases before Zurich refuse a second one; \
         later ones may accept it, and which of them then checks a token is not documented.\n\n{remedy}{opt_in}"
    );
    Err(Diagnostic::error("The metadata address is already configured", detail).at_attribute(METADATA_URL))
}

fn attribute_of(column: &str) -> Option<&'static str> {
    match field::attribute_of(&fields(), column)? {
        "name" => Some("configuration.name"),
        "metadata_url" => Some("configuration.metadata_url"),
        "user_claim" => Some("configuration.user_claim"),
        "user_field" => Some("configuration.user_field"),
        "enable_jti_verification" => Some("configuration.enable_jti_verification"),
        "cache_life_span" => Some("configuration.cache_life_span"),
        other => Some(other),
    }
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
