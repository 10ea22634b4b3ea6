//! `servicenow_oidc_provider`: whose tokens the instance accepts (`oauth_oidc_entity`), and how it checks them
//! (`oidc_provider_configuration`).

mod configuration; // The configuration: made for this provider, or adopted.
mod scopes; // Auth scopes of inbound calls.

use async_trait::async_trait;

use crate::records::{
    application_scope, diagnostics, existing,
    field::{self, Field, Reading},
    import,
    list::{self, Found},
    name_set, required_roles, resource,
    write_only_secret::SecretNames,
};
use crate::{
    clients::{Calls, Clients},
    plugin::{
        Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Need,
        Object, Outcome, Path, Plan, Resource, Rule, Schema, Value, schema::validate,
    },
    servicenow::{
        InputMode, Insert, Query, Record, Session, SysId, TableError, Update,
        tables::{
            oauth_entity_auth_scope_mapping,
            oauth_oidc_entity::{
                ACCESS, ACTIVE, CLIENT_ID, CLIENT_SECRET, CLOCK_SKEW, COLUMNS, COMMENTS, CONFIGURATION, NAME,
                REDIRECT_URL, SYS_SCOPE, TABLE,
            },
            oidc_provider_configuration,
        },
    },
};

/// The resource.
pub(super) struct OidcProvider;

const SECRET: SecretNames = SecretNames::new(["client_secret", "client_secret_wo", "client_secret_wo_version"]);

/// Where each attribute lives; those of the configuration are in [`configuration`].
const FIELDS: &[Field] = &[
    Field::always("name", NAME),
    Field::always("client_id", CLIENT_ID),
    Field::always("redirect_url", REDIRECT_URL),
    Field::always("clock_skew", CLOCK_SKEW),
    Field::always("active", ACTIVE),
    Field::always("access", ACCESS),
    Field::when_configured("comments", COMMENTS),
];

const CONFIGURATION_ID: &str = "configuration_id";

/// Kept beside the state once a removal has begun.
const REMOVING: &str = "removing";

fn schema() -> Schema {
    let [secret, secret_wo, secret_wo_version] = Attribute::secret(
        SECRET.all(),
        "A secret that the form asks for and that plays no part in checking tokens. Column `client_secret`, which is never \
         read back.",
    );
    Schema::new(
        "An OIDC provider whose tokens the instance accepts from callers, with the configuration that says how they are \
         checked. Tables `oauth_oidc_entity` and `oidc_provider_configuration`. The instance picks the provider by the \
         token's issuer and by `client_id` = `aud`; then it finds the user by claim and field.",
        vec![
            Attribute::text("id").computed().stable().describe("The record's `sys_id`."),
            Attribute::text("name")
                .required()
                .check(validate::not_blank())
                .check(field::key_text())
                .describe("Name of the entry. Column `name`."),
            Attribute::text("client_id")
                .required()
                .check(validate::not_blank())
                .check(field::key_text())
                .replaces()
                .describe(
                    "Must equal the token's `aud`: the client id of the application that the tokens are made for, or its \
                     App ID URI if callers ask for that. In Microsoft's guide the REST API application, not the REST user. \
                     Column `client_id`.",
                ),
            secret,
            secret_wo,
            secret_wo_version,
            Attribute::text("redirect_url").optional_computed().stable().describe(
                "Redirect URL; the instance fills in `https://<instance>/oauth_redirect.do`. Column `redirect_url`.",
            ),
            Attribute::integer("clock_skew").optional_computed().check(validate::at_least(0)).stable().describe(
                "Seconds by which clocks may differ; the instance's default is 300. Column `clock_skew`.",
            ),
            Attribute::flag("active").default(true).describe("Whether tokens are accepted. Column `active`."),
            Attribute::text("access").optional_computed().check(validate::one_of(&["public", "package_private"])).stable().describe(
                "Accessible from: `public` (all application scopes, the instance's default) or `package_private`. Column `access`.",
            ),
            Attribute::text("comments").describe("Free text. Column `comments`."),
            Attribute::texts(scopes::ATTRIBUTE)
                .check(validate::each(validate::not_blank()))
                .check(validate::each(field::key_text()))
                .describe(
                    "Names of auth scopes that calls with these tokens have, such as `useraccount`. Those listed are kept, \
                     those taken off the list are removed, others are left alone. Needs the plugin \
                     `com.glide.rest.auth.scope`. Table `oauth_entity_auth_scope_mapping`.",
                ),
            Attribute::text(CONFIGURATION_ID)
                .optional_computed()
                .check(field::sys_id_text())
                .stable()
                .describe(
                    "`sys_id` of a configuration that exists already and is to be used as it is; with `configuration`, that of \
                     the configuration made here. Column `oidc_provider_configuration`.",
                ),
            configuration::attribute(),
            application_scope::attribute(),
            resource::timeouts(),
        ],
    )
    .rule(Rule::ExactlyOneOf(&[configuration::ATTRIBUTE, CONFIGURATION_ID]))
}

impl BlockType for OidcProvider {
    fn type_name(&self) -> &'static str {
        "servicenow_oidc_provider"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_tables(&[
            TABLE,
            oidc_provider_configuration::TABLE,
            oauth_entity_auth_scope_mapping::TABLE,
        ])
    }
}

#[async_trait]
impl Resource<Clients> for OidcProvider {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(resource::sys_id_identity())
    }

    async fn plan(&self, _: Option<&Context<Clients>>, plan: &mut Plan<'_>) {
        configuration::warn(plan);
        if plan.prior.is_some_and(|prior| prior.at("id").is_null()) {
            // Only the configuration is left of it: that goes, and all is made anew.
            plan.state.set("id", Value::Unknown);
            plan.replace.push(Path::of("id"));
        }
        let is_managed = !plan.config.at(configuration::ATTRIBUTE).is_null();
        let was_managed = plan
            .prior
            .is_none_or(|prior| !prior.at(configuration::ATTRIBUTE).is_null());
        if is_managed && !was_managed {
            // The update makes a configuration of its own.
            plan.state.set(CONFIGURATION_ID, Value::Unknown);
        }
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        Ok(create(cx, planned, config).await?)
    }

    async fn read(&self, cx: &Context<Clients>, mut state: Object) -> Result<Option<Object>, Diagnostics> {
        let session = cx.instance()?;
        let reading = cx.reading;
        let record = match resource::sys_id(&state) {
            Some(sys_id) => {
                let found = session.find(TABLE, &sys_id, COLUMNS).await;
                found.map_err(|error| diagnostics::of_table(&error, "read the OIDC provider"))?
            }
            None => None,
        };
        let Some(record) = record else {
            // A create or a removal that was cut short must not forget the configuration that was made for it.
            let is_cut_short = resource::sys_id(&state).is_none() || cx.private(REMOVING).is_some();
            return if is_cut_short {
                configuration::left_over(&session, state).await
            } else {
                Ok(None)
            };
        };
        take_over(&session, &record, &mut state, reading).await?;
        if reading == Reading::Import {
            SECRET.forget(&mut state);
        }
        configuration::read_into(&session, &mut state, reading).await?;
        name_set::read_into(scopes::ALL, &session, record.sys_id(), &mut state, reading).await?;
        Ok(Some(state))
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(update(cx, prior, planned, config).await?)
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        let problem = |error: TableError| diagnostics::of_table(&error, "remove the OIDC provider");
        if let Some(sys_id) = resource::sys_id(state) {
            // Whatever becomes of the answer: from here on a provider that is gone may have left its configuration.
            cx.set_private(REMOVING, true.into());
            name_set::remove(scopes::ALL, &session, &sys_id, state).await?;
            super::oauth_entity::remove_profiles(&session, &sys_id)
                .await
                .map_err(problem)?;
            // First the configuration, where the instance allows it: the provider is what a removal that was cut short, by
            // a kill even, is found again by.
            let is_bare =
                state.at(configuration::ATTRIBUTE).is_null() || configuration::remove_first(&session, state).await?;
            session.delete(TABLE, &sys_id).await.map_err(problem)?;
            if is_bare {
                return Ok(());
            }
            // What is left is the configuration.
            let mut left = state.clone();
            left.set("id", Value::Null);
            left.set(scopes::ATTRIBUTE, Value::Null);
            cx.keep(&left);
        }
        if !state.at(configuration::ATTRIBUTE).is_null() {
            configuration::remove(&session, state).await?;
        }
        Ok(())
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let sys_id = import::record(&session, TABLE, FIELDS, target, None).await?;
        Ok(Object::new().with("id", sys_id.as_str()))
    }

    fn tidy_config(&self, config: &mut Object) {
        if !config.at(configuration::ATTRIBUTE).is_null() {
            config.set(CONFIGURATION_ID, Value::Null);
        }
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(list::schema("Lists OIDC providers.", TABLE))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        list::records(
            cx,
            &session,
            TABLE,
            COLUMNS,
            None,
            request,
            sink,
            |record| Found::named(record, NAME),
            self,
        )
        .await
    }
}

async fn create(cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
    let session = cx.instance()?;
    let client_id = planned.text("client_id").unwrap_or_default();
    let key = Query::equals(CLIENT_ID, client_id)
        .map_err(|error| diagnostics::of_query(&error, "create the OIDC provider"))?;
    let known = known_by(&key, client_id);
    known.refuse_second(&session).await?;
    let scopes = name_set::resolve(scopes::ALL, &session, None, &planned).await?;
    let application = application_scope::to_wire(&session, &planned).await?;
    let mut state = planned.clone();
    state.set("id", Value::Null);
    state.set(scopes::ATTRIBUTE, Value::Null);
    let mut problems = Diagnostics::new();
    if !planned.at(configuration::ATTRIBUTE).is_null() {
        configuration::create(&session, &application, &mut state, &mut problems).await?;
        // It exists from here on, even if its provider does not come to be.
        cx.keep(&state);
    }
    let row = field::row_to_create(FIELDS, &planned)
        .set(SYS_SCOPE, application)
        .set_if_some(CONFIGURATION, configuration::reference(&state))
        .set_if_some(CLIENT_SECRET, SECRET.configured(config));
    let insert = Insert {
        table: TABLE,
        row,
        read: COLUMNS,
        natural_key: Some(key.clone()),
        input: InputMode::Stored,
    };
    let written = match session.insert(insert).await {
        Ok(written) => written,
        Err(error) => {
            problems.push(known.of_insert(&session, &error).await);
            if let TableError::Uncertain { ours: Some(sys_id), .. } = &error {
                // Under this key it is found, if it was made; if not, what is left is the configuration.
                state.set("id", sys_id.as_str());
                cx.set_private(REMOVING, true.into());
                return Ok(resource::outcome(state, problems));
            }
            if planned.at(configuration::ATTRIBUTE).is_null() {
                return Err(problems);
            }
            return Ok(resource::outcome(state, problems));
        }
    };
    let sys_id = written.record.sys_id().clone();
    state.set("id", sys_id.as_str());
    cx.keep(&state);
    problems.append(diagnostics::of_mismatches(&written.mismatches, attribute_of));
    if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
        problems.push(problem);
    }
    name_set::give(
        scopes::ALL,
        &session,
        &sys_id,
        &scopes,
        &planned,
        &mut state,
        &mut problems,
    )
    .await;
    Ok(resource::outcome(state, problems))
}

async fn update(
    cx: &Context<Clients>,
    prior: &Object,
    planned: Object,
    config: &Object,
) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let sys_id = resource::require_sys_id(prior)?;
    let scopes = name_set::resolve(scopes::ALL, &session, Some(prior), &planned).await?;
    let application = application_scope::to_wire(&session, &planned).await?;
    let mut state = planned.clone();
    let mut problems = Diagnostics::new();
    let is_managed = !planned.at(configuration::ATTRIBUTE).is_null();
    let was_managed = !prior.at(configuration::ATTRIBUTE).is_null();
    if is_managed && was_managed {
        configuration::update(&session, prior, &mut state, &mut problems).await?;
    } else if is_managed {
        configuration::create(&session, &application, &mut state, &mut problems).await?;
        cx.keep(&state);
    }
    let mut row = field::row_to_update(FIELDS, prior, &planned)
        .set_if_some(CLIENT_SECRET, SECRET.changed(prior, &planned, config));
    if state.text(CONFIGURATION_ID) != prior.text(CONFIGURATION_ID) {
        row = row.set_if_some(CONFIGURATION, configuration::reference(&state));
    }
    let update = Update {
        table: TABLE,
        sys_id: &sys_id,
        row,
        read: COLUMNS,
        input: InputMode::Stored,
    };
    match session.update(update).await {
        Ok(written) => {
            problems.append(diagnostics::of_mismatches(&written.mismatches, attribute_of));
            if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
                problems.push(problem);
            }
        }
        Err(error) => {
            problems.push(diagnostics::of_table(&error, "update the OIDC provider"));
            // What did happen is the configuration; the rest is as it was.
            let mut kept = prior.clone();
            for part in [configuration::ATTRIBUTE, CONFIGURATION_ID] {
                kept.set(part, state.at(part).clone());
            }
            return Ok(resource::outcome(kept, problems));
        }
    }
    if was_managed
        && state.text(CONFIGURATION_ID) != prior.text(CONFIGURATION_ID)
        && let Err(problem) = configuration::remove(&session, prior).await
    {
        problems.push(problem);
    }
    let left = name_set::take_away(scopes::ALL, &session, &sys_id, prior, &planned, &mut problems).await;
    name_set::give(
        scopes::ALL,
        &session,
        &sys_id,
        &scopes,
        &planned,
        &mut state,
        &mut problems,
    )
    .await;
    name_set::keep(&mut state, left);
    Ok(resource::outcome(state, problems))
}

/// One provider per client id.
fn known_by<'a>(query: &'a Query, client_id: &str) -> existing::Key<'a> {
    existing::Key {
        resource: "servicenow_oidc_provider",
        table: TABLE,
        noun: "OIDC provider",
        label: NAME,
        query,
        words: format!("the client id {client_id:?}"),
        why: "With two of them the instance may use the wrong one.",
        otherwise: "remove it, or use another client id",
        attribute: "client_id",
    }
}

async fn take_over(session: &Session, record: &Record, state: &mut Object, reading: Reading) -> Result<(), Diagnostic> {
    state.set("id", record.sys_id().as_str());
    field::read_into(FIELDS, record, state, reading);
    let known = state.text(CONFIGURATION_ID).map(str::to_owned);
    state.set(
        CONFIGURATION_ID,
        record.reference(CONFIGURATION).map(str::to_owned).or_known(known),
    );
    application_scope::read_into(session, record, state, reading).await
}

fn attribute_of(column: &str) -> Option<&'static str> {
    match column {
        _ if column == CONFIGURATION.name() => Some(CONFIGURATION_ID),
        _ if column == SYS_SCOPE.name() => Some(application_scope::ATTRIBUTE),
        _ => field::attribute_of(FIELDS, column),
    }
}

/// The record of a reference in the state.
fn reference_in(state: &Object, attribute: &str) -> Option<SysId> {
    state.text(attribute).and_then(|id| SysId::parse(id).ok())
}
