//! Application registries, their profiles and scopes.

use crate::servicenow::tables::columns::columns;

/// `oauth_entity`: an application registry. Child: `oauth_oidc_entity`, whose rows also show up here, so a query for
/// outbound providers adds [`super::every::SYS_CLASS_NAME`] = `oauth_entity`.
///
/// Sources: the SDK's schema, an exported record (Yokohama), a program that provisions it over REST. Proven where not
/// marked. Saving a provider in the form makes one profile "`<name> default_profile`"; over REST that is likely, so
/// look first and create it when absent.
/// Facts: `oauth-entity-columns`, `oauth-entity-type-is-kept`, `oauth-entity-type-defaults-to-client`,
/// `oauth-entity-choices`, `oauth-entity-newer-columns`, `secrets-are-not-read-back`,
/// `oidc-entity-is-an-oauth-entity`.
pub mod oauth_entity {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table =
        Table::new("oauth_entity", "oauth_admin").comes_with("plugin com.snc.platform.security.oauth (OAuth 2.0)");
    /// `type` of an outbound, third-party provider. A plain REST insert without it becomes [`TYPE_CLIENT`].
    pub const TYPE_PROVIDER: &str = "oauth_provider";
    /// `type` of an inbound endpoint.
    pub const TYPE_CLIENT: &str = "client";
    /// Plain text on insert and update, no display-value input; never read back in clear.
    pub const CLIENT_SECRET: Column = Column::new("client_secret", ColumnKind::Secret);
    /// Values of [`INBOUND_GRANT_TYPE`]. Likely from `oidc` on.
    pub const INBOUND_GRANT_TYPES: &[&str] = &[
        "client_credential",
        "authz_code",
        "jwt",
        "multiple",
        "oidc",
        "ropc",
        "internal",
        "default",
        "not_applicable",
        "uncertain",
    ];
    /// Those that an upgrade and the form give an entry for which nobody chose one. Likely.
    pub const UNCHOSEN_GRANT_TYPES: &[&str] = &["default", "not_applicable", "uncertain"];
    /// User name of [`USER`].
    pub const USER_NAME_OF_USER: Column = Column::new("user.user_name", ColumnKind::Text);

    columns! {
        /// Documented as unique; whether REST enforces it is unknown.
        NAME = "name" Text;
        /// [`TYPE_CLIENT`] or [`TYPE_PROVIDER`].
        TYPE = "type" Text;
        /// Generated for a `client` when blank. Likely immutable once saved.
        CLIENT_ID = "client_id" Text;
        /// `authorization_code`, `client_credentials`, `password`, `urn:ietf:params:oauth:grant-type:jwt-bearer`.
        DEFAULT_GRANT_TYPE = "default_grant_type" Text;
        /// Token endpoint of the provider.
        TOKEN_URL = "token_url" Url;
        /// Authorization endpoint.
        AUTH_URL = "auth_url" Url;
        REVOKE_TOKEN_URL = "revoke_token_url" Url;
        /// One or several, comma-separated; the instance fills it when blank.
        REDIRECT_URL = "redirect_url" Text;
        /// Seconds, 1800 by default.
        ACCESS_TOKEN_LIFESPAN = "access_token_lifespan" Integer;
        /// Seconds, 8640000 by default.
        REFRESH_TOKEN_LIFESPAN = "refresh_token_lifespan" Integer;
        /// `request_body_parameter` (default) or `basic_authorization_header`; that of the label "As Private Key JWT" is unknown.
        SEND_CLIENT_CREDENTIALS_AS = "send_client_credentials_as" Text;
        /// Inbound client credentials run as this user.
        USER = "user" Reference;
        /// `client_credential` (singular), `authz_code`, `jwt`, `multiple`; `oidc`, `ropc`, `internal`, `default`, `not_applicable`
        /// and `uncertain` are likely. Empty on instances that were upgraded.
        INBOUND_GRANT_TYPE = "inbound_grant_type" Text newer;
        /// Empty, `integration_as_a_user`, `integration_as_a_service`; `iframe_embedded` is likely.
        CLIENT_TYPE = "client_type" Text newer;
        /// A client without a secret (PKCE).
        PUBLIC_CLIENT = "public_client" Bool;
        /// `opaque` or `jwt`, from Zurich patch 1 and Yokohama patch 8 on. Empty on instances that were upgraded.
        TOKEN_FORMAT = "token_format" Text newer;
        /// `unrestricted` ("Broadly scoped"), `restricted` (likely "Securely scoped"), `useraccount`.
        SCOPE_RESTRICTION_STATUS = "scope_restriction_status" Text newer;
        /// Signs the assertions of an outbound provider. The table that it refers to is likely `jwt_provider`.
        JWT_PROVIDER = "jwt_provider" Reference;
        /// The record's own "Accessible from": `public` (default) or `package_private`.
        ACCESS = "access" Text;
        /// Default true.
        ACTIVE = "active" Bool;
        COMMENTS = "comments" Text;
        LOGO_URL = "logo_url" Text;
        /// Owning application, see [`super::super::every::SYS_SCOPE`].
        SYS_SCOPE = "sys_scope" Reference;
        /// `oauth_entity`, or a child's name.
        SYS_CLASS_NAME = "sys_class_name" Text;
    }
}

/// `oauth_entity_profile`: what a set-up wizard asks for. Its grant type must equal the entity's or tokens fail. Proven.
/// Facts: `profile-columns`, `default-profile-over-rest`.
pub mod oauth_entity_profile {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("oauth_entity_profile", "oauth_admin")
        .comes_with("plugin com.snc.platform.security.oauth (OAuth 2.0)");

    columns! {
        /// "`<entity name> default_profile`" when the instance made it.
        NAME = "name" Text;
        /// The registry.
        OAUTH_ENTITY = "oauth_entity" Reference;
        /// Same values as the entity's `default_grant_type`.
        GRANT_TYPE = "grant_type" Text;
        /// One default profile per registry.
        DEFAULT = "default" Bool;
        /// Owning application.
        SYS_SCOPE = "sys_scope" Reference;
    }
}

/// `oauth_entity_scope`: a scope that an outbound provider may ask for. Proven.
/// Facts: `oauth-scopes`.
pub mod oauth_entity_scope {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("oauth_entity_scope", "oauth_admin");

    columns! {
        /// Label.
        NAME = "name" Text;
        /// The scope string itself.
        SCOPE = "oauth_entity_scope" Text;
        /// The registry.
        OAUTH_ENTITY = "oauth_entity" Reference;
    }
}

/// `oauth_entity_profile_scope`: which scopes a profile asks for. Proven (AWS's setup).
/// Facts: `oauth-scopes`.
pub mod oauth_entity_profile_scope {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("oauth_entity_profile_scope", "oauth_admin");

    columns! {
        PROFILE = "oauth_entity_profile" Reference;
        SCOPE = "oauth_entity_scope" Reference;
    }
}

/// `sys_auth_scope`: scopes of inbound calls, such as `useraccount`. Proven from Xanadu on, with the plugin.
/// Facts: `inbound-scopes`.
pub mod sys_auth_scope {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("sys_auth_scope", "oauth_admin").comes_with("plugin com.glide.rest.auth.scope");

    columns! {
        NAME = "name" Text;
    }
}

/// `sys_api_access_policy`: REST API access policies. The table is proven, its columns are not known.
/// Facts: `access-policies`.
pub mod sys_api_access_policy {
    use crate::servicenow::table::Table;

    pub const TABLE: Table = Table::new("sys_api_access_policy", "admin");
}

/// `oauth_entity_auth_scope_mapping`: which inbound scopes a registry carries. Proven on Zurich, likely from Xanadu on.
/// Facts: `inbound-scopes`.
pub mod oauth_entity_auth_scope_mapping {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table =
        Table::new("oauth_entity_auth_scope_mapping", "oauth_admin").comes_with("plugin com.glide.rest.auth.scope");

    columns! {
        /// The registry.
        OAUTH_ENTITY = "oauth_entity" Reference;
        /// The scope, a `sys_auth_scope`.
        AUTH_SCOPE = "auth_scope" Reference;
    }
}
