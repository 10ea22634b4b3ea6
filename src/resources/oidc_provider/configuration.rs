//! The configuration of an OIDC provider: metadata document, claim and user field.
//!
//! The instance supports one claim per metadata address, so a second configuration of an address is not made: the
//! existing one is offered for use. One that others use is neither changed unasked nor removed.

use super::CONFIGURATION_ID;
use crate::clients::Clients;
use crate::plugin::schema::{Modifier, validate};
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Plan, Value};
use crate::records::field::{self, Field, Known};
use crate::records::{diagnostics, resource};
use crate::servicenow::tables::oidc_provider_configuration::{
    CACHE_LIFE_SPAN, ENABLE_JTI_VERIFICATION, NAME, OIDC_URL, SYS_SCOPE, TABLE, USER_CLAIM, USER_FIELD,
};
use crate::servicenow::tables::{every, oauth_oidc_entity};
use crate::servicenow::{
    InputMode, Insert, Query, Refusal, Session, SysId, TableError, Update, Value as Wire, Written,
};

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
                "Whether each token may be used for one call only. Entra's tokens are used for many, so keep it off.",
            ),
        ),
        Field::new(
            CACHE_LIFE_SPAN,
            // Stable only where there was a configuration before: without one the instance chooses.
            Attribute::integer("cache_life_span")
                .optional_computed()
                .check(validate::at_least(0))
                .plan(Modifier::UseNonNullStateForUnknown)
                .describe(
                    "How long the metadata document is cached; Microsoft's pages use 120. The unit is documented in two \
                     ways, seconds and hours.",
                ),
        ),
    ]
}

pub(super) fn attribute() -> Attribute {
    let attributes = fields().into_iter().flat_map(|field| field.attributes);
    Attribute::single(ATTRIBUTE, attributes.collect())
        .describe("The configuration to make for this provider. Give this or `configuration_id`.")
}

/// Whether the configuration is made and kept here.
pub(super) fn is_managed(object: &Object) -> bool {
    !object.at(ATTRIBUTE).is_null()
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
        "The metadata address is that of version {version} tokens, which carry no claim {claim:?}: every call would be \
         answered with 401. Use the claim {other:?}, or the other metadata address. The version of the tokens is that of \
         the audience application: requestedAccessTokenVersion null or 1 means 1.0, 2 means 2.0."
    );
    let warning = Diagnostic::warning("The claim is not in these tokens", detail);
    plan.diagnostics.push(warning.at_attribute("configuration.user_claim"));
}

/// The reference to the configuration that the state names.
pub(super) fn reference(state: &Object) -> Option<SysId> {
    state.text(CONFIGURATION_ID).and_then(|id| SysId::parse(id).ok())
}

/// Makes the configuration; the state then names it.
pub(super) async fn create(
    session: &Session,
    application: Option<Wire>,
    state: &mut Object,
    problems: &mut Diagnostics,
) -> Result<(), Diagnostic> {
    let Some(planned) = state.object(ATTRIBUTE).cloned() else {
        return Ok(());
    };
    let url = planned.text("metadata_url").unwrap_or_default();
    let key = Query::equals(OIDC_URL, url).map_err(|error| {
        diagnostics::of_query(&error, "create the OIDC configuration").at_attribute("configuration.metadata_url")
    })?;
    if let Some(sys_id) = existing(session, &key, &planned).await? {
        state.set(CONFIGURATION_ID, sys_id.as_str());
        let row = field::row_to_create(&fields(), session, &planned).await?;
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
        take_over(session, &written, planned, state, problems).await;
        return Ok(());
    }
    let row = field::row_to_create(&fields(), session, &planned)
        .await?
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
            // Some instances answer so when the address is taken by a record that was made meanwhile.
            existing(session, &key, &planned).await?;
            let mut problem = diagnostics::of_table(&error, "create the OIDC configuration");
            problem.detail.push_str(
                "\n\nSome instances allow nobody to create it over the API. Then create it in the form (System OAuth > \
                 Application Registry > New > Configure an OIDC provider) and give its sys_id as configuration_id.",
            );
            return Err(problem.at_attribute(ATTRIBUTE));
        }
        Err(error) => {
            return Err(diagnostics::of_table(&error, "create the OIDC configuration").at_attribute(ATTRIBUTE));
        }
    };
    state.set(CONFIGURATION_ID, written.record.sys_id().as_str());
    take_over(session, &written, planned, state, problems).await;
    Ok(())
}

async fn take_over(
    session: &Session,
    written: &Written,
    planned: Object,
    state: &mut Object,
    problems: &mut Diagnostics,
) {
    let mut kept = planned;
    let read = field::read_into(&fields(), session, &written.record, &mut kept, Known::Planned).await;
    problems.extend(read.err());
    state.set(ATTRIBUTE, kept.with_unknown_as_null());
    problems.append(diagnostics::of_mismatches(&written.mismatches, attribute_of));
}

/// Changes the configuration that was made here, or makes it again if it is gone.
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
    let row = field::row_to_update(&fields(), session, former, &planned).await?;
    if row.is_empty() {
        return Ok(());
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
    take_over(session, &written, planned, state, problems).await;
    Ok(())
}

/// Reads the configuration that was made here; after an import, the one that is used.
pub(super) async fn read_into(cx: &Context<Clients>, session: &Session, state: &mut Object) -> Result<(), Diagnostic> {
    let known = Known::from(cx.reading);
    if known == Known::Former && !is_managed(state) {
        return Ok(());
    }
    // One that was removed by hand is planned again.
    let found = found(session, state, known).await?;
    state.set(ATTRIBUTE, found);
    Ok(())
}

/// What is left of a provider that is gone or never came to be: its configuration, if that still exists.
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
    let found = session.find(TABLE, &sys_id, &field::columns(&fields)).await;
    let found = found.map_err(|error| diagnostics::of_table(&error, "read the OIDC configuration"))?;
    let Some(record) = found else { return Ok(None) };
    let mut configuration = state.object(ATTRIBUTE).cloned().unwrap_or_default();
    field::read_into(&fields, session, &record, &mut configuration, known).await?;
    Ok(Some(configuration))
}

/// Removes the configuration while its provider still refers to it; tells whether the instance allowed that.
pub(super) async fn remove_first(session: &Session, state: &Object) -> Result<bool, Diagnostic> {
    match try_to_remove(session, state).await {
        Ok(()) => Ok(true),
        Err(TableError::Refused { .. } | TableError::BadRequest { .. } | TableError::Duplicate { .. }) => Ok(false),
        Err(error) => Err(diagnostics::of_table(&error, "remove the OIDC configuration")),
    }
}

/// Removes the configuration that was made here, unless another provider uses it.
pub(super) async fn remove(session: &Session, state: &Object) -> Result<(), Diagnostic> {
    let removed = try_to_remove(session, state).await;
    removed.map_err(|error| diagnostics::of_table(&error, "remove the OIDC configuration"))
}

async fn try_to_remove(session: &Session, state: &Object) -> Result<(), TableError> {
    let Some(sys_id) = reference(state) else { return Ok(()) };
    // Its own provider was removed a moment ago, and a search may still show it.
    let own = resource::sys_id(state);
    if is_used(session, &sys_id, own.as_ref()).await? {
        tracing::warn!(
            configuration = sys_id.as_str(),
            "the OIDC configuration is kept: another provider uses it"
        );
    } else {
        session.delete(TABLE, &sys_id).await?;
    }
    Ok(())
}

/// Whether a provider, other than one that is left aside, uses the configuration.
async fn is_used(session: &Session, sys_id: &SysId, aside: Option<&SysId>) -> Result<bool, TableError> {
    let users =
        Query::equals(oauth_oidc_entity::CONFIGURATION, sys_id.as_str()).map_err(|source| TableError::Query {
            table: oauth_oidc_entity::TABLE,
            source,
        })?;
    let users = session
        .select(oauth_oidc_entity::TABLE, &users, &[oauth_oidc_entity::NAME])
        .await?;
    Ok(users.iter().any(|user| Some(user.sys_id()) != aside))
}

/// A configuration of this metadata address that can be taken over: made by this account, the same name, claim and field,
/// and used by no provider. Such a one remains when a create was cut short, or its provider was removed by hand. Any other
/// is refused: there is one per address.
async fn existing(session: &Session, key: &Query, planned: &Object) -> Result<Option<SysId>, Diagnostic> {
    let problem =
        |error: TableError| diagnostics::of_table(&error, "look for a configuration of this metadata address");
    let columns = [field::columns(&fields()), vec![every::SYS_CREATED_BY]].concat();
    let found = session.find_present(TABLE, key, &columns).await.map_err(problem)?;
    let Some(record) = found else { return Ok(None) };
    let sys_id = record.sys_id();
    let text = |column| record.text(column).value().unwrap_or("nothing").to_owned();
    let (name, claim, field) = (text(NAME), text(USER_CLAIM), text(USER_FIELD));
    let is_equal = planned.text("user_claim") == Some(&claim) && planned.text("user_field") == Some(&field);
    let is_the_same = is_equal && planned.text("name") == Some(&name);
    let is_left_over = is_the_same && !is_used(session, sys_id, None).await.map_err(problem)?;
    let by = record.text(every::SYS_CREATED_BY).value();
    if is_left_over && by.is_some_and(|by| session.is_account(by)) {
        return Ok(Some(sys_id.clone()));
    }
    let sys_id = sys_id.as_str();
    let remedy = if is_equal {
        let origin = match by {
            Some(by) if is_left_over => format!(
                " No provider uses it, and {by} made it: if that was an apply that was cut short, delete it and apply again."
            ),
            Some(_) | None => String::new(),
        };
        format!(
            "It maps the same claim to the same field, so use it: replace the block `configuration` with\n\n  \
             configuration_id = \"{sys_id}\"\n\nIt is then not changed or removed here.{origin}"
        )
    } else {
        format!(
            "It maps the claim {claim} to the field {field}, which other integrations may rely on. Use another metadata \
             address of the same issuer (for Entra the one of the other token version), or change that record yourself and \
             give configuration_id = \"{sys_id}\"."
        )
    };
    let detail = format!(
        "The instance supports one claim per metadata address, and the configuration {name} ({sys_id}) has this one \
         already.\n\n{remedy}"
    );
    Err(Diagnostic::error("The metadata address is configured already", detail)
        .at_attribute("configuration.metadata_url"))
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
