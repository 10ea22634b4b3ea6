//! `servicenow_oauth_entity`: an entry of the application registry (`oauth_entity`).

use async_trait::async_trait;

use crate::records::lookup::{self, Lookup};
use crate::{
    clients::{Calls, Clients},
    plugin::{BlockType, Context, DataSource, Diagnostics, Need, Object, Rule, Schema, Value},
    records::{application_scope, diagnostics, field::Field, required_roles},
    resources::oauth_entity::read_profile_into,
    servicenow::{
        Query,
        tables::{
            oauth_entity::{
                ACCESS, ACCESS_TOKEN_LIFESPAN, ACTIVE, AUTH_URL, CLIENT_ID, COLUMNS, COMMENTS, DEFAULT_GRANT_TYPE,
                NAME, REDIRECT_URL, REFRESH_TOKEN_LIFESPAN, REVOKE_TOKEN_URL, SEND_CLIENT_CREDENTIALS_AS,
                SYS_CLASS_NAME, SYS_SCOPE, TABLE, TOKEN_URL, TYPE,
            },
            oauth_entity_profile,
        },
    },
};

/// The data source.
pub(super) struct OauthEntity;

const LOOKUP: Lookup = Lookup {
    noun: "registry entry",
    table: TABLE,
    columns: COLUMNS,
    keys: &[Field::always("name", NAME), Field::always("client_id", CLIENT_ID)],
    fields: &[
        Field::always("name", NAME),
        Field::always("client_id", CLIENT_ID),
        Field::always("type", TYPE),
        Field::always("default_grant_type", DEFAULT_GRANT_TYPE),
        Field::always("token_url", TOKEN_URL),
        Field::always("auth_url", AUTH_URL),
        Field::always("revoke_token_url", REVOKE_TOKEN_URL),
        Field::always("redirect_url", REDIRECT_URL),
        Field::always("send_client_credentials_as", SEND_CLIENT_CREDENTIALS_AS),
        Field::always("access_token_lifespan", ACCESS_TOKEN_LIFESPAN),
        Field::always("refresh_token_lifespan", REFRESH_TOKEN_LIFESPAN),
        Field::always("access", ACCESS),
        Field::always("active", ACTIVE),
        Field::always("comments", COMMENTS),
    ],
};

impl BlockType for OauthEntity {
    fn type_name(&self) -> &'static str {
        "servicenow_oauth_entity"
    }

    fn schema(&self) -> Schema {
        let (text, integer) = (lookup::text, lookup::integer);
        Schema::new(
            "An entry of the application registry that somebody else keeps, with its default OAuth profile. Table \
             `oauth_entity`; OIDC providers, which show up there too, are left out. The secret cannot be read.",
            vec![
                lookup::key("id", "The record's `sys_id`."),
                lookup::key("name", "Name of the entry. Column `name`."),
                lookup::key("client_id", "Client id. Column `client_id`."),
                text("type", "`oauth_provider` or `client`. Column `type`."),
                text(
                    "default_grant_type",
                    "Grant type of new tokens. Column `default_grant_type`.",
                ),
                text("token_url", "Token endpoint. Column `token_url`."),
                text("auth_url", "Authorization endpoint. Column `auth_url`."),
                text("revoke_token_url", "Revocation endpoint. Column `revoke_token_url`."),
                text("redirect_url", "Redirect URL. Column `redirect_url`."),
                text(
                    "send_client_credentials_as",
                    "How the instance sends id and secret. Column `send_client_credentials_as`.",
                ),
                integer(
                    "access_token_lifespan",
                    "Life of access tokens in seconds. Column `access_token_lifespan`.",
                ),
                integer(
                    "refresh_token_lifespan",
                    "Life of refresh tokens in seconds. Column `refresh_token_lifespan`.",
                ),
                text(
                    "access",
                    "Accessible from: `public` or `package_private`. Column `access`.",
                ),
                lookup::flag("active", "Whether the entry is in use. Column `active`."),
                text("comments", "Free text. Column `comments`."),
                text(
                    application_scope::ATTRIBUTE,
                    "Application that the record belongs to. Column `sys_scope`.",
                ),
                text(
                    "default_profile_id",
                    "`sys_id` of the default OAuth profile; null for type `client`.",
                ),
                text(
                    "default_profile_name",
                    "Name of the default OAuth profile: what to choose in a set-up wizard.",
                ),
            ],
        )
        .rule(Rule::ExactlyOneOf(&["id", "name", "client_id"]))
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::to_read(&[TABLE, oauth_entity_profile::TABLE])
    }
}

#[async_trait]
impl DataSource<Clients> for OauthEntity {
    async fn read(&self, cx: &Context<Clients>, config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let own_rows = Query::equals(SYS_CLASS_NAME, TABLE.name())
            .map_err(|error| diagnostics::of_query(&error, "find the registry entry"))?;
        let (record, mut state) = LOOKUP.find(&session, config, Some(own_rows)).await?;
        let application = match record.reference(SYS_SCOPE).value() {
            Some(value) => application_scope::reference_from_wire(&session, None, value)
                .await?
                .into(),
            None => Value::Null,
        };
        state.set(application_scope::ATTRIBUTE, application);
        read_profile_into(cx, &session, record.sys_id(), &mut state).await?;
        Ok((state, Diagnostics::new()))
    }
}
