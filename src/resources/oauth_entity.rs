//! `servicenow_oauth_entity`: an entry of the application registry (`oauth_entity`), with its default profile.

mod profile; // The OAuth profile that set-up wizards ask for.

pub(crate) use profile::read_into as read_profile_into;
pub(super) use profile::remove as remove_profiles;

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::records::{
    application_scope, diagnostics, existing,
    field::{self, Field, Reading},
    import,
    list::{self, Found},
    required_roles, resource,
    state_migration::Foreign,
    write_only_secret::SecretNames,
};
use crate::{
    clients::{Calls, Clients},
    plugin::{
        Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Moved,
        Need, Object, Outcome, Plan, Resource, Schema, Value, schema::validate,
    },
    servicenow::{
        InputMode, Insert, Query, QueryError, Record, Session, TableError, Update,
        tables::{
            oauth_entity::{
                ACCESS, ACCESS_TOKEN_LIFESPAN, ACTIVE, AUTH_URL, CLIENT_ID, CLIENT_SECRET, COLUMNS, COMMENTS,
                DEFAULT_GRANT_TYPE, LOGO_URL, NAME, REDIRECT_URL, REFRESH_TOKEN_LIFESPAN, REVOKE_TOKEN_URL,
                SEND_CLIENT_CREDENTIALS_AS, SYS_CLASS_NAME, SYS_SCOPE, TABLE, TOKEN_URL, TYPE, TYPE_CLIENT,
                TYPE_PROVIDER,
            },
            oauth_entity_profile,
        },
    },
};

/// The resource.
pub(super) struct OauthEntity;

const SECRET: SecretNames = SecretNames::new(["client_secret", "client_secret_wo", "client_secret_wo_version"]);

/// Where each attribute lives.
const FIELDS: &[Field] = &[
    Field::always("name", NAME),
    Field::always("type", TYPE),
    Field::always("client_id", CLIENT_ID),
    Field::always("default_grant_type", DEFAULT_GRANT_TYPE),
    Field::when_configured("token_url", TOKEN_URL),
    Field::when_configured("auth_url", AUTH_URL),
    Field::when_configured("revoke_token_url", REVOKE_TOKEN_URL),
    Field::always("redirect_url", REDIRECT_URL),
    Field::always("send_client_credentials_as", SEND_CLIENT_CREDENTIALS_AS),
    Field::always("access_token_lifespan", ACCESS_TOKEN_LIFESPAN),
    Field::always("refresh_token_lifespan", REFRESH_TOKEN_LIFESPAN),
    Field::always("access", ACCESS),
    Field::always("active", ACTIVE),
    Field::when_configured("comments", COMMENTS),
    Field::when_configured("logo_url", LOGO_URL),
];

/// An endpoint for clients: that provider knows no other type.
const FOREIGN: Foreign = Foreign {
    type_name: "servicenow_oauth_entity",
    attributes: &[
        ("name", "name"),
        ("client_id", "client_id"),
        ("redirect_url", "redirect_url"),
        ("logo_url", "logo_url"),
        ("access_token_lifespan", "access_token_lifespan"),
        ("refresh_token_lifespan", "refresh_token_lifespan"),
        ("access", "access"),
        ("scope", application_scope::ATTRIBUTE),
    ],
};

fn schema() -> Schema {
    let [secret, secret_wo, secret_wo_version] = Attribute::secret(
        SECRET.all(),
        "The client's secret. Column `client_secret`, which is never read back.",
    );
    let url = |name, description: &str| {
        Attribute::text(name)
            .check(validate::url())
            .same_text(field::same_url)
            .describe(description)
    };
    Schema::new(
        "An entry of the application registry (System OAuth > Application Registry): a third-party OAuth provider that the \
         instance calls, or an OAuth endpoint for clients that call the instance. Table `oauth_entity`. For a provider the \
         default OAuth profile, which set-up wizards ask for, is found or created as well.",
        vec![
            Attribute::text("id").computed().stable().describe("The record's `sys_id`."),
            Attribute::text("name")
                .required()
                .check(validate::not_blank())
                .check(field::key_text())
                .describe("Name of the entry. Column `name`."),
            Attribute::text("type")
                .default(TYPE_PROVIDER)
                .check(validate::one_of(&[TYPE_PROVIDER, TYPE_CLIENT]))
                .replaces()
                .describe(
                    "`oauth_provider` for a third party that the instance calls, `client` for an endpoint that others call. \
                     Column `type`; it is always sent, because the instance's own default is `client`.",
                ),
            Attribute::text("client_id")
                .optional_computed()
                .check(validate::not_blank())
                .check(field::key_text())
                .stable()
                .replaces()
                .describe(
                    "Client id: that of the Entra application for a provider, where it is required. For type `client` the \
                     instance makes one when it is left out. Column `client_id`.",
                ),
            secret,
            secret_wo,
            secret_wo_version,
            Attribute::text("default_grant_type").optional_computed().stable().describe(
                "Grant type of new tokens: `client_credentials`, `authorization_code`, `password` or \
                 `urn:ietf:params:oauth:grant-type:jwt-bearer`. Default `client_credentials` for a provider. The default \
                 profile has the same. Column `default_grant_type`.",
            ),
            url("token_url", "Token endpoint of the provider. Column `token_url`."),
            url("auth_url", "Authorization endpoint of the provider. Column `auth_url`."),
            url("revoke_token_url", "Revocation endpoint of the provider. Column `revoke_token_url`."),
            Attribute::text("redirect_url").optional_computed().stable().describe(
                "Redirect URL, several divided by commas; the instance fills in `https://<instance>/oauth_redirect.do`. \
                 Column `redirect_url`.",
            ),
            Attribute::text("send_client_credentials_as").optional_computed().stable().describe(
                "How the instance sends id and secret: `request_body_parameter` (the instance's default) or \
                 `basic_authorization_header`. Column `send_client_credentials_as`.",
            ),
            Attribute::integer("access_token_lifespan")
                .optional_computed()
                .check(validate::at_least(0))
                .stable()
                .describe("Life of access tokens in seconds; the instance's default is 1800. Column `access_token_lifespan`."),
            Attribute::integer("refresh_token_lifespan").optional_computed().check(validate::at_least(0)).stable().describe(
                "Life of refresh tokens in seconds; the instance's default is 8640000 (100 days). Column \
                 `refresh_token_lifespan`.",
            ),
            Attribute::text("access").optional_computed().check(validate::one_of(&["public", "package_private"])).stable().describe(
                "Accessible from: `public` (all application scopes, the instance's default) or `package_private`. Column `access`.",
            ),
            Attribute::flag("active").default(true).describe("Whether the entry is in use. Column `active`."),
            Attribute::text("comments").describe("Free text. Column `comments`."),
            Attribute::text("logo_url").describe("Address of a logo. Column `logo_url`."),
            application_scope::attribute(),
            Attribute::text("default_profile_id")
                .computed()
                .stable()
                .describe("`sys_id` of the default OAuth profile (`oauth_entity_profile`); null for type `client`."),
            Attribute::text("default_profile_name")
                .computed()
                .stable()
                .describe("Name of the default OAuth profile: what to choose in the set-up wizard of an application."),
            resource::timeouts(),
        ],
    )
}

impl BlockType for OauthEntity {
    fn type_name(&self) -> &'static str {
        "servicenow_oauth_entity"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_tables(&[TABLE, oauth_entity_profile::TABLE])
    }

    fn validate(&self, config: &Object) -> Diagnostics {
        let is_provider = matches!(config.at("type"), Value::Null) || config.text("type") == Some(TYPE_PROVIDER);
        if is_provider && config.at("client_id").is_null() {
            return Diagnostic::error(
                "Missing argument",
                "A provider (type = \"oauth_provider\", the default) needs `client_id`: the client id of the application that \
                 the third party, such as Entra, registered for this instance. Add it, or set type = \"client\" for an \
                 endpoint that others call.",
            )
            .at_attribute("client_id")
            .into();
        }
        Diagnostics::new()
    }
}

#[async_trait]
impl Resource<Clients> for OauthEntity {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(resource::sys_id_identity())
    }

    async fn plan(&self, _: Option<&Context<Clients>>, plan: &mut Plan<'_>) {
        let is_provider = plan.state.text("type") == Some(TYPE_PROVIDER);
        if is_provider && plan.config.at("default_grant_type").is_null() && plan.prior.is_none() {
            plan.state.set("default_grant_type", "client_credentials");
        }
        if !is_provider && plan.state.text("type").is_some() {
            plan.state.set("default_profile_id", Value::Null);
            plan.state.set("default_profile_name", Value::Null);
        } else if plan.prior.is_some_and(|prior| prior.at("default_profile_id").is_null()) {
            // It was removed, or a first apply did not get that far: the update finds or makes it.
            plan.state.set("default_profile_id", Value::Unknown);
            plan.state.set("default_profile_name", Value::Unknown);
        }
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostics> {
        Ok(create(cx, planned, config).await?)
    }

    async fn read(&self, cx: &Context<Clients>, mut state: Object) -> Result<Option<Object>, Diagnostics> {
        let session = cx.instance()?;
        let Some(sys_id) = resource::sys_id(&state) else {
            return Ok(None);
        };
        let found = session.find(TABLE, &sys_id, COLUMNS).await;
        let Some(record) = found.map_err(|error| diagnostics::of_table(&error, "read the registry entry"))? else {
            return Ok(None);
        };
        take_over(&session, &record, &mut state, cx.reading).await?;
        if cx.reading == Reading::Import {
            SECRET.forget(&mut state);
        }
        profile::read_into(cx, &session, &sys_id, &mut state).await?;
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
        let Some(sys_id) = resource::sys_id(state) else {
            return Ok(());
        };
        let problem = |error: TableError| diagnostics::of_table(&error, "remove the registry entry");
        profile::remove(&session, &sys_id).await.map_err(problem)?;
        session.delete(TABLE, &sys_id).await.map_err(problem)?;
        Ok(())
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let session = cx.instance()?;
        let sys_id = import::record(&session, TABLE, FIELDS, target, Some(own_rows()?)).await?;
        Ok(Object::new().with("id", sys_id.as_str()))
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        FOREIGN.upgrade(version, &state)
    }

    fn take_over(&self, from: &Moved<'_>) -> Option<Result<Object, Diagnostics>> {
        FOREIGN.take_over(from)
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(list::schema(
            "Lists the entries of the application registry, without OIDC providers.",
            TABLE,
        ))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let session = cx.instance()?;
        list::records(
            cx,
            &session,
            TABLE,
            COLUMNS,
            Some(own_rows()?),
            request,
            sink,
            |record| Found::named(record, NAME),
            self,
        )
        .await
    }
}

/// Rows of the table itself: its child's rows show up in it too.
fn own_rows() -> Result<Query, Diagnostic> {
    Query::equals(SYS_CLASS_NAME, TABLE.name())
        .map_err(|error| diagnostics::of_query(&error, "look up the registry entry"))
}

/// What an entry is known by: the vendor's documentation calls the name unique, and the instance does not see to it. An
/// entry that replaces another before that is removed has the same name and another client id.
fn key(planned: &Object) -> Result<Query, QueryError> {
    let text = |attribute| planned.text(attribute).unwrap_or_default();
    let key = Query::equals(NAME, text("name"))?.and(Query::equals(TYPE, text("type"))?);
    match planned.text("client_id") {
        Some(client_id) => Ok(key.and(Query::equals(CLIENT_ID, client_id)?)),
        None => Ok(key),
    }
}

fn known_by<'a>(query: &'a Query, planned: &Object) -> existing::Key<'a> {
    let name = planned.text("name").unwrap_or_default();
    let client_id = planned.text("client_id");
    existing::Key {
        resource: "servicenow_oauth_entity",
        table: TABLE,
        noun: "registry entry",
        label: NAME,
        query,
        words: match client_id {
            Some(client_id) => format!("the name {name:?} and the client id {client_id:?}"),
            None => format!("the name {name:?}"),
        },
        why: "Names of entries are meant to be unique: set-up wizards tell them apart by nothing else.",
        otherwise: "use another name",
        attribute: "name",
    }
}

async fn create(cx: &Context<Clients>, planned: Object, config: &Object) -> Result<Outcome, Diagnostic> {
    let session = cx.instance()?;
    let key = key(&planned)
        .map_err(|error| diagnostics::of_query(&error, "create the registry entry"))?
        .and(own_rows()?);
    let known = known_by(&key, &planned);
    known.refuse_second(&session).await?;
    let row = field::row_to_create(FIELDS, &planned)
        .set(SYS_SCOPE, application_scope::to_wire(&session, &planned).await?)
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
            let problem = known.of_insert(&session, &error).await;
            return resource::not_created(&error, planned, problem);
        }
    };
    // The record exists from here on: whatever fails below, Terraform must know its sys_id.
    let mut state = planned.with("id", written.record.sys_id().as_str());
    cx.keep(&state);
    let mut problems = diagnostics::of_mismatches(&written.mismatches, |column| field::attribute_of(FIELDS, column));
    if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
        problems.push(problem);
    }
    if let Err(error) = profile::ensure(cx, &session, written.record.sys_id(), &mut state).await {
        problems.push(diagnostics::of_table(
            &error,
            "find or create the default profile of the registry entry",
        ));
    }
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
    let row = field::row_to_update(FIELDS, prior, &planned)
        .set_if_some(CLIENT_SECRET, SECRET.changed(prior, &planned, config));
    let update = Update {
        table: TABLE,
        sys_id: &sys_id,
        row,
        read: COLUMNS,
        input: InputMode::Stored,
    };
    let of_profile =
        |error: TableError| diagnostics::of_table(&error, "update the default profile of the registry entry");
    profile::change_first(&session, prior, &planned)
        .await
        .map_err(of_profile)?;
    let written = session.update(update).await;
    let written = written.map_err(|error| diagnostics::of_table(&error, "update the registry entry"))?;
    let mut state = planned;
    let mut problems = diagnostics::of_mismatches(&written.mismatches, |column| field::attribute_of(FIELDS, column));
    if let Err(problem) = take_over(&session, &written.record, &mut state, Reading::Refresh).await {
        problems.push(problem);
    }
    if let Err(error) = profile::ensure(cx, &session, &sys_id, &mut state).await {
        problems.push(diagnostics::of_table(
            &error,
            "find or create the default profile of the registry entry",
        ));
    }
    Ok(resource::outcome(state, problems))
}

async fn take_over(session: &Session, record: &Record, state: &mut Object, reading: Reading) -> Result<(), Diagnostic> {
    state.set("id", record.sys_id().as_str());
    field::read_into(FIELDS, record, state, reading);
    application_scope::read_into(session, record, state, reading).await
}
