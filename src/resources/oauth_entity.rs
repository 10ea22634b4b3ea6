//! `servicenow_oauth_entity`: an entry of the application registry (`oauth_entity`), with its default profile.

mod profile; // The OAuth profile that set-up wizards ask for.
mod scopes; // What that profile asks for.

pub(crate) use profile::read_into as read_profile_into;
pub(super) use profile::remove as remove_profiles;

use async_trait::async_trait;

use crate::clients::Clients;
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, Context, Diagnostic, Diagnostics, Object, Plan, Value};
use crate::records::choice::{self, OpenChoice};
use crate::records::duplicate_check::NaturalKey;
use crate::records::field::{self, Field};
use crate::records::record_resource::RecordResource;
use crate::records::reference::A_USER;
use crate::records::state_migration::Foreign;
use crate::records::write_only_secret::SecretNames;
use crate::records::{application_scope, diagnostics};
use crate::servicenow::tables::oauth_entity::{
    ACCESS, ACCESS_TOKEN_LIFESPAN, ACTIVE, AUTH_URL, CLIENT_ID, CLIENT_SECRET, CLIENT_TYPE, COMMENTS,
    DEFAULT_GRANT_TYPE, INBOUND_GRANT_TYPE, INBOUND_GRANT_TYPES, JWT_PROVIDER, LOGO_URL, NAME, PUBLIC_CLIENT,
    REDIRECT_URL, REFRESH_TOKEN_LIFESPAN, REVOKE_TOKEN_URL, SCOPE_RESTRICTION_STATUS, SEND_CLIENT_CREDENTIALS_AS,
    SYS_CLASS_NAME, TABLE, TOKEN_FORMAT, TOKEN_URL, TYPE, TYPE_CLIENT, TYPE_PROVIDER, UNCHOSEN_GRANT_TYPES, USER,
    USER_NAME_OF_USER,
};
use crate::servicenow::tables::{
    oauth_entity_auth_scope_mapping, oauth_entity_profile, oauth_entity_profile_scope, oauth_entity_scope, sys_user,
};
use crate::servicenow::{Column, InputMode, LinkTable, Query, QueryError, Session, SysId, Table, TableError};

pub(crate) struct OauthEntity;

/// The default OAuth profile of an entry.
pub(crate) fn profile_attributes() -> [Attribute; 2] {
    [
        Attribute::text("default_profile_id")
            .computed()
            .describe("`sys_id` of the default OAuth profile (`oauth_entity_profile`); null for type `client`."),
        Attribute::text("default_profile_name")
            .computed()
            .describe("Name of the default OAuth profile, as the set-up wizard of an application lists it."),
    ]
}

#[async_trait]
impl RecordResource for OauthEntity {
    const TYPE: &'static str = "servicenow_oauth_entity";
    const TABLE: Table = TABLE;
    const NOUN: &'static str = "registry entry";
    const DESCRIPTION: &'static str = "An entry of the application registry (System OAuth > Application Registry): a \
         third-party OAuth provider that the instance calls, or an OAuth endpoint for clients that call the instance. Table \
         `oauth_entity`. For a provider the default OAuth profile, which set-up wizards ask for, is found or created as well.";
    const LISTS: &'static str = "Lists the entries of the application registry, without OIDC providers.";
    const LABEL: Column = NAME;
    /// The vendor's documentation calls the name unique, and the instance does not see to it. An entry that replaces another
    /// before that is removed has the same name and another client id.
    const KEY: Option<NaturalKey> = Some(NaturalKey {
        columns: &[NAME, TYPE, CLIENT_ID],
        label: NAME,
        why: "Names of entries should be unique: set-up wizards distinguish them only by name.",
        otherwise: "use another name",
    });
    const OTHER_TABLES: &'static [Table] = &[
        oauth_entity_profile::TABLE,
        oauth_entity_scope::TABLE,
        oauth_entity_profile_scope::TABLE,
        oauth_entity_auth_scope_mapping::TABLE,
        sys_user::TABLE,
    ];
    const OPEN_CHOICES: &'static [OpenChoice] = &[
        OpenChoice {
            column: DEFAULT_GRANT_TYPE,
            documented: GRANT_TYPES,
        },
        OpenChoice {
            column: SEND_CLIENT_CREDENTIALS_AS,
            documented: PLACES_OF_CREDENTIALS,
        },
        OpenChoice {
            column: INBOUND_GRANT_TYPE,
            documented: INBOUND_GRANT_TYPES,
        },
        OpenChoice {
            column: CLIENT_TYPE,
            documented: CLIENT_TYPES,
        },
        OpenChoice {
            column: TOKEN_FORMAT,
            documented: TOKEN_FORMATS,
        },
        SCOPE_RESTRICTIONS,
    ];
    /// An endpoint for clients: that provider knows no other type.
    const FOREIGN: Option<Foreign> = Some(Foreign {
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
        made: None,
    });

    fn fields() -> Vec<Field> {
        let url = |name, description: &str| {
            Attribute::text(name)
                .check(validate::or_empty(validate::url()))
                .describe(description)
        };
        let seconds = |name, description: &str| {
            let attribute = Attribute::integer(name).optional_computed();
            attribute.check(validate::at_least(0)).stable().describe(description)
        };
        let choice = |name| Attribute::text(name).same_text(choice::is_same);
        let [profile_id, profile_name] = profile_attributes();
        let [scopes, added_scopes] = scopes::fields();
        vec![
            Field::id(),
            Field::new(
                NAME,
                Attribute::text("name")
                    .required()
                    .check(validate::not_blank())
                    .check(field::key_text())
                    .describe("Name of the entry."),
            ),
            Field::new(
                TYPE,
                Attribute::text("type")
                    .default(TYPE_PROVIDER)
                    .check(validate::one_of(&[TYPE_PROVIDER, TYPE_CLIENT]))
                    .replaces()
                    .describe(
                        "`oauth_provider` for a third party that the instance calls, `client` for an endpoint that others \
                         call. It is always sent, because the instance's own default is `client`.",
                    ),
            ),
            Field::new(
                CLIENT_ID,
                Attribute::text("client_id")
                    .optional_computed()
                    .check(validate::not_blank())
                    .check(field::key_text())
                    .stable()
                    .replaces()
                    .describe(
                        "Client id: that of the Entra application for a provider, where it is required. For type \
                         `client`, the instance generates one if it is omitted.",
                    ),
            ),
            Field::secret(
                CLIENT_SECRET,
                SecretNames::new(["client_secret", "client_secret_wo", "client_secret_wo_version"]),
                InputMode::Stored,
                "The client's secret.",
            ),
            Field::new(
                DEFAULT_GRANT_TYPE,
                Attribute::text("default_grant_type").optional_computed().stable().describe(
                    "Grant type of new tokens: `client_credentials`, `authorization_code`, `password` or \
                     `urn:ietf:params:oauth:grant-type:jwt-bearer`. Default `client_credentials` for a provider. The \
                     default profile has the same.",
                ),
            ),
            Field::new(TOKEN_URL, url("token_url", "Token endpoint of the provider.")),
            Field::new(AUTH_URL, url("auth_url", "Authorization endpoint of the provider.")),
            Field::new(REVOKE_TOKEN_URL, url("revoke_token_url", "Revocation endpoint of the provider.")),
            Field::new(
                REDIRECT_URL,
                Attribute::text("redirect_url").optional_computed().stable().describe(
                    "Redirect URL, several separated by commas; the instance fills in \
                     `https://<instance>/oauth_redirect.do`.",
                ),
            ),
            Field::new(
                SEND_CLIENT_CREDENTIALS_AS,
                Attribute::text("send_client_credentials_as").optional_computed().stable().describe(
                    "How the instance sends id and secret: `request_body_parameter` (the instance's default) or \
                     `basic_authorization_header`. For a private key in place of the secret, the value of the choice *As Private \
                     Key JWT*, which is not documented: the plan warns of any other value and lists those that the instance \
                     has.",
                ),
            ),
            Field::new(
                JWT_PROVIDER,
                Attribute::text("jwt_provider")
                    .check(validate::or_empty(field::sys_id_text()))
                    .describe(
                        "`sys_id` of the JWT provider whose key signs for the client, such as a `servicenow_record` of the table \
                         `jwt_provider`.",
                    ),
            ),
            Field::reference(
                A_USER,
                USER,
                "user_id",
                Attribute::text("user").check(field::key_text()).describe(
                    "User name (User ID) or `sys_id` of the OAuth application user, as which inbound calls with client \
                     credentials run.",
                ),
            )
            .named_by(USER_NAME_OF_USER),
            Field::new(
                INBOUND_GRANT_TYPE,
                choice("inbound_grant_type").describe(
                    "Grant type of inbound tokens: `client_credential` (singular), `authz_code`, `jwt` or `multiple`. From Zurich \
                     on.",
                ),
            )
            .usually(UNCHOSEN_GRANT_TYPES)
            .where_there_is_one(),
            Field::new(
                CLIENT_TYPE,
                choice("client_type").describe(
                    "What an inbound client is: `integration_as_a_user`, `integration_as_a_service` or `iframe_embedded`.",
                ),
            )
            .where_there_is_one(),
            Field::new(
                PUBLIC_CLIENT,
                Attribute::flag("public_client").describe(
                    "Whether an inbound client has no secret and proves itself by PKCE; the instance's default is false.",
                ),
            )
            .usually(&["false"]),
            Field::new(
                TOKEN_FORMAT,
                choice("token_format").describe(
                    "Form of the access tokens that the instance issues: `opaque` (the instance's default) or `jwt`. From Zurich \
                     patch 1 and Yokohama patch 8 on.",
                ),
            )
            .usually(&["opaque"])
            .where_there_is_one(),
            scope_restriction_status(),
            auth_scopes(LinkTable::AUTH_SCOPES_OF_ENTRIES),
            scopes,
            added_scopes,
            Field::new(
                ACCESS_TOKEN_LIFESPAN,
                seconds(
                    "access_token_lifespan",
                    "Lifetime of access tokens in seconds; the instance's default is 1800.",
                ),
            ),
            Field::new(
                REFRESH_TOKEN_LIFESPAN,
                seconds(
                    "refresh_token_lifespan",
                    "Lifetime of refresh tokens in seconds; the instance's default is 8640000 (100 days).",
                ),
            ),
            Field::new(
                ACCESS,
                access(),
            ),
            Field::new(
                ACTIVE,
                Attribute::flag("active").default(true).describe("Whether the entry is in use."),
            ),
            Field::new(COMMENTS, Attribute::text("comments").describe("Free text.")),
            Field::new(LOGO_URL, Attribute::text("logo_url").describe("Address of a logo.")),
            Field::application_scope(),
            Field::local(profile_id.stable()),
            Field::local(profile_name.stable()),
            Field::timeouts(),
        ]
    }

    /// Rows of the table itself: its child's rows show up in it too.
    fn rows() -> Result<Option<Query>, QueryError> {
        Query::equals(SYS_CLASS_NAME, TABLE.name()).map(Some)
    }

    fn validate(config: &Object) -> Diagnostics {
        let is_provider = matches!(config.at("type"), Value::Null) || config.text("type") == Some(TYPE_PROVIDER);
        if is_provider && config.at("client_id").is_null() {
            return Diagnostic::error(
                "Missing argument",
                "A provider (type = \"oauth_provider\", the default) needs `client_id`: the client id of the application \
                 that the third party, such as Entra, registered for this instance. Add it, or set type = \"client\" for an \
                 endpoint that others call.",
            )
            .at_attribute("client_id")
            .into();
        }
        Diagnostics::default()
    }

    fn plan(plan: &mut Plan<'_>) {
        plan.diagnostics
            .extend(scopes::plan(plan.prior, plan.config, plan.state));
        let is_provider = plan.state.text("type") == Some(TYPE_PROVIDER);
        if is_provider && plan.config.at("default_grant_type").is_null() && plan.prior.is_none() {
            plan.state.set("default_grant_type", "client_credentials");
        }
        let is_client = !is_provider && plan.state.text("type").is_some();
        if is_client || profile::is_left_alone(plan.prior) {
            plan.state.set("default_profile_id", Value::Null);
            plan.state.set("default_profile_name", Value::Null);
        } else if plan.prior.is_some_and(|prior| prior.at("default_profile_id").is_null()) {
            // It was removed, or a first apply did not get that far: the update finds or makes it.
            plan.state.set("default_profile_id", Value::Unknown);
            plan.state.set("default_profile_name", Value::Unknown);
        }
    }

    async fn before_update(session: &Session, prior: &Object, planned: &Object) -> Result<(), Diagnostic> {
        let changed = profile::change_first(session, prior, planned).await;
        changed.map_err(|error| diagnostics::of_table(&error, "update the default profile of the registry entry"))
    }

    async fn after_write(
        cx: &Context<Clients>,
        session: &Session,
        sys_id: &SysId,
        state: &mut Object,
    ) -> Result<(), Diagnostic> {
        let ensured = profile::ensure(cx, session, sys_id, state).await;
        ensured
            .map_err(|error| diagnostics::of_table(&error, "find or create the default profile of the registry entry"))
    }

    async fn after_read(
        cx: &Context<Clients>,
        session: &Session,
        sys_id: &SysId,
        state: &mut Object,
    ) -> Result<(), Diagnostic> {
        profile::read_into(cx, session, sys_id, state).await?;
        scopes::read_into(session, sys_id, state, cx.reading.into()).await
    }

    async fn write_children(
        session: &Session,
        sys_id: &SysId,
        sides: (Option<&Object>, &Object),
        state: &mut Object,
        problems: &mut Diagnostics,
    ) {
        scopes::write(session, sys_id, sides, state, problems).await;
    }

    async fn before_delete(session: &Session, sys_id: &SysId, state: &Object) -> Result<(), Diagnostic> {
        scopes::remove(session, sys_id, state).await?;
        let removed = profile::remove(session, sys_id).await;
        removed.map_err(|error: TableError| diagnostics::of_table(&error, "delete the registry entry"))
    }
}

/// Which APIs inbound tokens open.
pub(super) fn scope_restriction_status() -> Field {
    let attribute = Attribute::text("scope_restriction_status").same_text(choice::is_same);
    Field::new(
        SCOPE_RESTRICTION_STATUS,
        attribute.describe(
            "Which APIs inbound tokens open: `unrestricted` (*Broadly scoped*), `restricted` (*Securely scoped*: those of the \
             auth scopes alone, the form's own default) or `useraccount`. From Zurich on.",
        ),
    )
    .where_there_is_one()
}

/// Names of auth scopes of an entry.
pub(super) fn auth_scopes(links: LinkTable) -> Field {
    Field::names(
        links,
        "granted_auth_scopes",
        Attribute::texts(AUTH_SCOPES).describe(
            "Names of auth scopes that calls with these tokens have, such as `useraccount`. Listed \
             scopes are kept, scopes removed from the list are removed, others are left unchanged. Needs \
             the plugin `com.glide.rest.auth.scope`. Table `oauth_entity_auth_scope_mapping`.",
        ),
    )
}

pub(super) const AUTH_SCOPES: &str = "auth_scopes";

pub(super) const SCOPE_RESTRICTIONS: OpenChoice = OpenChoice {
    column: SCOPE_RESTRICTION_STATUS,
    documented: &["unrestricted", "restricted", "useraccount"],
};

/// The documented values of `default_grant_type`; instances have at least one more.
const GRANT_TYPES: &[&str] = &[
    "client_credentials",
    "authorization_code",
    "password",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
];
const PLACES_OF_CREDENTIALS: &[&str] = &["request_body_parameter", "basic_authorization_header"];
const CLIENT_TYPES: &[&str] = &["integration_as_a_user", "integration_as_a_service", "iframe_embedded"];
const TOKEN_FORMATS: &[&str] = &["opaque", "jwt"];

/// Who may use an entry of the registry.
pub(super) fn access() -> Attribute {
    let attribute = Attribute::text("access").optional_computed().stable();
    attribute
        .check(validate::one_of(&["public", "package_private"]))
        .describe("Accessible from: `public` (all application scopes, the instance's default) or `package_private`.")
}
