//! `servicenow_oidc_provider`: an OIDC provider of the instance, with its configuration.

use async_trait::async_trait;

use crate::records::lookup::{self, Lookup};
use crate::{
    clients::{Calls, Clients},
    plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema, Value},
    records::{
        application_scope, diagnostics,
        field::{self, Field, Reading},
        required_roles,
    },
    servicenow::{
        SysId,
        tables::{
            oauth_oidc_entity::{
                ACCESS, ACTIVE, CLIENT_ID, CLOCK_SKEW, COLUMNS, COMMENTS, CONFIGURATION, NAME, REDIRECT_URL, SYS_SCOPE,
                TABLE,
            },
            oidc_provider_configuration as configuration,
        },
    },
};

/// The data source.
pub(super) struct OidcProvider;

const LOOKUP: Lookup = Lookup {
    noun: "OIDC provider",
    table: TABLE,
    columns: COLUMNS,
    keys: &[Field::always("name", NAME), Field::always("client_id", CLIENT_ID)],
    fields: &[
        Field::always("name", NAME),
        Field::always("client_id", CLIENT_ID),
        Field::always("redirect_url", REDIRECT_URL),
        Field::always("clock_skew", CLOCK_SKEW),
        Field::always("active", ACTIVE),
        Field::always("access", ACCESS),
        Field::always("comments", COMMENTS),
        Field::always("configuration_id", CONFIGURATION),
    ],
};

const CONFIGURATION_FIELDS: &[Field] = &[
    Field::always("name", configuration::NAME),
    Field::always("metadata_url", configuration::OIDC_URL),
    Field::always("user_claim", configuration::USER_CLAIM),
    Field::always("user_field", configuration::USER_FIELD),
    Field::always("enable_jti_verification", configuration::ENABLE_JTI_VERIFICATION),
    Field::always("cache_life_span", configuration::CACHE_LIFE_SPAN),
];

impl BlockType for OidcProvider {
    fn type_name(&self) -> &'static str {
        "servicenow_oidc_provider"
    }

    fn schema(&self) -> Schema {
        let (text, flag, integer) = (lookup::text, lookup::flag, lookup::integer);
        Schema::new(
            "An OIDC provider that somebody else keeps: whose tokens the instance accepts, and as which user. Tables \
             `oauth_oidc_entity` and `oidc_provider_configuration`. The secret cannot be read.",
            vec![
                lookup::key("id", "The record's `sys_id`."),
                lookup::key("name", "Name of the provider. Column `name`."),
                lookup::key("client_id", "Client id: the `aud` of the tokens. Column `client_id`."),
                text("redirect_url", "Redirect URL. Column `redirect_url`."),
                integer("clock_skew", "Tolerance in seconds. Column `clock_skew`."),
                flag("active", "Whether its tokens are accepted. Column `active`."),
                text(
                    "access",
                    "Accessible from: `public` or `package_private`. Column `access`.",
                ),
                text("comments", "Free text. Column `comments`."),
                text(
                    application_scope::ATTRIBUTE,
                    "Application that the record belongs to. Column `sys_scope`.",
                ),
                text(
                    "configuration_id",
                    "`sys_id` of the configuration. Column `oidc_provider_configuration`.",
                ),
                Attribute::single(
                    "configuration",
                    vec![
                        text("name", "Name of the configuration. Column `name`."),
                        text("metadata_url", "Address of the metadata document. Column `oidc_url`."),
                        text("user_claim", "Claim that names the user. Column `user_claim`."),
                        text(
                            "user_field",
                            "Column of `sys_user` that the claim is compared with. Column `user_field`.",
                        ),
                        flag(
                            "enable_jti_verification",
                            "Whether a token may be used once only. Column `enable_jti_verification`.",
                        ),
                        integer("cache_life_span", "Column `oidc_config_cache_life_span`."),
                    ],
                )
                .computed()
                .describe("The configuration; null where there is none, or the account may not read it."),
            ],
        )
        .rule(Rule::ExactlyOneOf(&["id", "name", "client_id"]))
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[TABLE, configuration::TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for OidcProvider {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let (record, mut state) = LOOKUP.find(&session, config, None).await?;
        let application = match record.reference(SYS_SCOPE).value() {
            Some(value) => application_scope::reference_from_wire(&session, None, value)
                .await?
                .into(),
            None => Value::Null,
        };
        state.set(application_scope::ATTRIBUTE, application);
        let id = state.text("configuration_id").and_then(|id| SysId::parse(id).ok());
        let found = match &id {
            Some(id) => session.find(configuration::TABLE, id, configuration::COLUMNS).await,
            None => Ok(None),
        };
        let found =
            found.map_err(|error| diagnostics::of_table(&error, "read the configuration of the OIDC provider"))?;
        let nested = found.map(|record| {
            let mut nested = Object::new();
            field::read_into(CONFIGURATION_FIELDS, &record, &mut nested, Reading::Import);
            nested
        });
        state.set("configuration", nested);
        Ok((state, Diagnostics::new()))
    }
}
