//! The configuration of an OIDC provider: metadata document, claim and user field.
//!
//! The instance supports one claim per metadata address, so a second configuration of an address is not made: the
//! existing one is offered for use. One that others use is neither changed unasked nor removed.

use super::{CONFIGURATION_ID, Reading, diagnostics, field, reference_in};
use crate::{
    plugin::{
        Attribute, Diagnostic, Diagnostics, Object, Plan, Value,
        schema::{Modifier, validate},
    },
    records::field::Field,
    servicenow::{
        InputMode, Insert, Query, Refusal, Session, SysId, TableError, Update, Value as Wire, Written,
        tables::{
            every, oauth_oidc_entity,
            oidc_provider_configuration::{
                CACHE_LIFE_SPAN, COLUMNS, ENABLE_JTI_VERIFICATION, NAME, OIDC_URL, SYS_SCOPE, TABLE, USER_CLAIM,
                USER_FIELD,
            },
        },
    },
};

/// The nested object.
pub(super) const ATTRIBUTE: &str = "configuration";

/// Where each of its attributes lives.
const FIELDS: &[Field] = &[
    Field::always("name", NAME),
    Field::always("metadata_url", OIDC_URL),
    Field::always("user_claim", USER_CLAIM),
    Field::always("user_field", USER_FIELD),
    Field::always("enable_jti_verification", ENABLE_JTI_VERIFICATION),
    Field::always("cache_life_span", CACHE_LIFE_SPAN),
];

pub(super) fn attribute() -> Attribute {
    Attribute::single(
        ATTRIBUTE,
        vec![
            Attribute::text("name").required().check(validate::not_blank()).describe("Name of the configuration. Column `name`."),
            Attribute::text("metadata_url")
                .required()
                .check(validate::url())
                .check(field::key_text())
                .same_text(field::same_url)
                .describe(
                    "Address of the issuer's metadata document. It must match the version of the tokens: without `/v2.0` for \
                     Entra's version 1 tokens, with it for version 2. Column `oidc_url`.",
                ),
            Attribute::text("user_claim").default("appid").check(validate::not_blank()).describe(
                "Claim that names the user. `appid` is the calling application in version 1 tokens, `azp` in version 2; \
                 `sub` and `oid` are its service principal in both. Column `user_claim`.",
            ),
            Attribute::text("user_field").default("user_name").check(validate::not_blank()).check(user_field()).describe(
                "Column of `sys_user` that the claim is compared with; the form's \"User ID\" is `user_name`. Column \
                 `user_field`.",
            ),
            Attribute::flag("enable_jti_verification").default(false).describe(
                "Whether each token may be used for one call only. Entra's tokens are used for many, so keep it off. Column \
                 `enable_jti_verification`.",
            ),
            // Stable only where there was a configuration before: without one the instance chooses.
            Attribute::integer("cache_life_span").optional_computed().check(validate::at_least(0)).plan(Modifier::UseNonNullStateForUnknown).describe(
                "How long the metadata document is cached; Microsoft's pages use 120. The unit is documented in two ways, \
                 seconds and hours. Column `oidc_config_cache_life_span`.",
            ),
        ],
    )
    .describe("The configuration to make for this provider. Give this or `configuration_id`.")
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
    reference_in(state, CONFIGURATION_ID)
}

/// Makes the configuration; the state then names it.
pub(super) async fn create(
    session: &Session,
    application: &Wire,
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
        let row = field::row_to_create(FIELDS, &planned);
        let update = Update {
            table: TABLE,
            sys_id: &sys_id,
            row,
            read: COLUMNS,
            input: InputMode::Stored,
        };
        let written = session.update(update).await;
        let written = written
            .map_err(|error| diagnostics::of_table(&error, "update the OIDC configuration").at_attribute(ATTRIBUTE))?;
        take_over(&written, planned, state, problems);
        return Ok(());
    }
    let row = field::row_to_create(FIELDS, &planned).set(SYS_SCOPE, application.clone());
    let insert = Insert {
        table: TABLE,
        row,
        read: COLUMNS,
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
    take_over(&written, planned, state, problems);
    Ok(())
}

fn take_over(written: &Written, planned: Object, state: &mut Object, problems: &mut Diagnostics) {
    let mut kept = planned;
    field::read_into(FIELDS, &written.record, &mut kept, Reading::Refresh);
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
    let row = field::row_to_update(FIELDS, former, &planned);
    if row.is_empty() {
        return Ok(());
    }
    let update = Update {
        table: TABLE,
        sys_id: &sys_id,
        row,
        read: COLUMNS,
        input: InputMode::Stored,
    };
    let written = session.update(update).await;
    let written = written
        .map_err(|error| diagnostics::of_table(&error, "update the OIDC configuration").at_attribute(ATTRIBUTE))?;
    take_over(&written, planned, state, problems);
    Ok(())
}

/// Takes over the configuration that was made here; after an import, the one that is used.
pub(super) async fn read_into(session: &Session, state: &mut Object, reading: Reading) -> Result<(), Diagnostic> {
    if reading == Reading::Refresh && state.at(ATTRIBUTE).is_null() {
        return Ok(());
    }
    let found = match reference(state) {
        Some(sys_id) => session.find(TABLE, &sys_id, COLUMNS).await,
        None => Ok(None),
    };
    match found.map_err(|error| diagnostics::of_table(&error, "read the OIDC configuration"))? {
        Some(record) => {
            let mut configuration = state.object(ATTRIBUTE).cloned().unwrap_or_default();
            field::read_into(FIELDS, &record, &mut configuration, reading);
            state.set(ATTRIBUTE, configuration);
        }
        // Removed behind our back: planned again.
        None => state.set(ATTRIBUTE, Value::Null),
    }
    Ok(())
}

/// What is left of a provider that is gone or never came to be: its configuration, if that is still there.
pub(super) async fn left_over(session: &Session, mut state: Object) -> Result<Option<Object>, Diagnostics> {
    let (Some(sys_id), false) = (reference(&state), state.at(ATTRIBUTE).is_null()) else {
        return Ok(None);
    };
    state.set("id", Value::Null);
    let found = session.find(TABLE, &sys_id, COLUMNS).await;
    match found.map_err(|error| diagnostics::of_table(&error, "read the OIDC configuration"))? {
        Some(record) => {
            let mut configuration = state.object(ATTRIBUTE).cloned().unwrap_or_default();
            field::read_into(FIELDS, &record, &mut configuration, Reading::Refresh);
            state.set(ATTRIBUTE, configuration);
            Ok(Some(state))
        }
        None => Ok(None),
    }
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
    let own = crate::records::resource::sys_id(state);
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
    let columns = [COLUMNS, &[every::SYS_CREATED_BY]].concat();
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
    match field::attribute_of(FIELDS, column)? {
        "name" => Some("configuration.name"),
        "metadata_url" => Some("configuration.metadata_url"),
        "user_claim" => Some("configuration.user_claim"),
        "user_field" => Some("configuration.user_field"),
        "enable_jti_verification" => Some("configuration.enable_jti_verification"),
        "cache_life_span" => Some("configuration.cache_life_span"),
        other => Some(other),
    }
}
