//! External OIDC providers: whose tokens the instance accepts.

use crate::servicenow::tables::columns::columns;

/// `oidc_provider_configuration`: how the instance trusts an issuer.
///
/// Source: an exported record (Yokohama). Columns proven, except for those of newer releases, of which the labels are: their names
/// are likely ones, and sent only where somebody asks for them. A second row with the same metadata URL may be refused, and
/// creating one answers 403 on some instances.
/// Facts: `oidc-configuration-columns`, `oidc-configuration-create`, `metadata-url-is-unique`,
/// `cache-life-span-in-hours`, `jti-verification-by-default`, `claim-names-the-user`,
/// `oauth-admin-suffices-from-australia`.
pub mod oidc_provider_configuration {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("oidc_provider_configuration", "admin (oauth_admin from Australia on)")
        .comes_with("plugin com.snc.platform.security.oauth (OAuth 2.0)");

    columns! {
        /// Label "OIDC Provider".
        NAME = "name" Text;
        /// Metadata address; possibly unique.
        OIDC_URL = "oidc_url" Url;
        /// In hours, 720 at most (the label and the vendor's pages); 120 in most examples.
        CACHE_LIFE_SPAN = "oidc_config_cache_life_span" Integer;
        /// The token's claim that names the user, `appid` or `azp` here.
        USER_CLAIM = "user_claim" Text;
        /// Holds a column name of `sys_user`; the form's "User ID" is `user_name` here.
        USER_FIELD = "user_field" Text;
        /// On by default (PRB1784935), so it is always sent. On means that a token works only once.
        ENABLE_JTI_VERIFICATION = "enable_jti_verification" Bool;
        /// Label "JTI Claim", `jti` by default; from Zurich on. Likely, by the column of `oauth_jwt`.
        JTI_CLAIM = "jti_claim" Text newer;
        /// Label "Issuer URI", from Brazil on. Likely.
        ISSUER = "issuer" Text newer;
        /// Label "Active", from Brazil on. Likely.
        ACTIVE = "active" Bool newer;
        /// Owning application.
        SYS_SCOPE = "sys_scope" Reference;
    }
}

/// `oauth_oidc_entity`, child of `oauth_entity`: an audience whose tokens are accepted.
///
/// Source: an exported record (Yokohama), Microsoft's script (Zurich). `type` over REST is unknown: leave it out.
/// Reading a row through the parent table shows the parent's columns only.
/// Facts: `oidc-entity-columns`, `oidc-entity-is-an-oauth-entity`, `oidc-entity-type-over-rest`,
/// `client-id-is-the-audience`.
pub mod oauth_oidc_entity {
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub use crate::servicenow::tables::oauth_entity::{
        ACCESS, ACCESS_TOKEN_LIFESPAN, ACTIVE, CLIENT_ID, CLIENT_SECRET, COMMENTS, DEFAULT_GRANT_TYPE, LOGO_URL, NAME,
        REDIRECT_URL, REFRESH_TOKEN_LIFESPAN, SCOPE_RESTRICTION_STATUS, SYS_CLASS_NAME, SYS_SCOPE, TYPE,
    };

    pub const TABLE: Table = Table::new("oauth_oidc_entity", "admin (oauth_admin from Australia on)")
        .comes_with("plugin com.snc.platform.security.oauth (OAuth 2.0)");
    /// The issuer's configuration, an `oidc_provider_configuration`.
    pub const CONFIGURATION: Column = Column::new("oidc_provider_configuration", ColumnKind::Reference);
    /// Seconds of tolerance, 300 by default.
    pub const CLOCK_SKEW: Column = Column::new("clock_skew", ColumnKind::Integer);

    /// What a resource reads.
    pub const COLUMNS: &[Column] = &[
        NAME,
        CLIENT_ID,
        CONFIGURATION,
        CLOCK_SKEW,
        REDIRECT_URL,
        ACTIVE,
        ACCESS,
        COMMENTS,
        TYPE,
        DEFAULT_GRANT_TYPE,
        SYS_SCOPE,
        SYS_CLASS_NAME,
    ];
}

/// `oauth_protected_resource_idp_mapping`: which configurations a protected resource, such as the MCP server, trusts. From
/// Zurich patch 10 and Australia patch 3 on. The table is proven; only the labels of its columns are known ("OIDC
/// Provider"), so each name that the reference may have is asked for.
/// Facts: `protected-resources`.
pub mod oauth_protected_resource_idp_mapping {
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new(
        "oauth_protected_resource_idp_mapping",
        "admin (oauth_admin from Australia on)",
    )
    .comes_with("Zurich patch 10 or Australia patch 3");
    /// Names that the reference to the configuration may have. Unknown.
    pub const CONFIGURATIONS: &[Column] = &[
        Column::new("oidc_provider", ColumnKind::Reference),
        Column::new("oidc_provider_configuration", ColumnKind::Reference),
        Column::new("oidc_configuration", ColumnKind::Reference),
        Column::new("identity_provider", ColumnKind::Reference),
    ];
}

/// `jwt_claim_validation`: claims of JWT providers, with their values. Proven for those (vendor's templates); that OIDC
/// configurations use it too is likely, and the column that refers to one is unknown: the dictionary says which it is.
/// Facts: `claim-validations-of-oidc`.
pub mod jwt_claim_validation {
    use super::columns;
    use crate::servicenow::table::{Column, ColumnKind, Table};

    pub const TABLE: Table = Table::new("jwt_claim_validation", "admin (oauth_admin from Australia on)")
        .comes_with("plugin com.snc.platform.security.oauth (OAuth 2.0)");

    columns! {
        /// Label "Claim Name".
        NAME = "name" Text;
        /// Label "Claim Value".
        VALUE = "value" Text;
    }
}
