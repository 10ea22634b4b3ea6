//! The tenant: applications, service principals, their credentials, one administrator, and consent.
//!
//! Graph writes it, Entra issues tokens from it. What Graph removes is gone for Entra at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::microsoft::ids;
use crate::sync::lock;

/// The first-party application of Microsoft 365 Copilot connectors.
pub const CONNECTOR_APP: &str = "933838e2-bec1-440f-a634-9363c82e5b6d";
/// Microsoft Graph.
pub const GRAPH_APP: &str = "00000003-0000-0000-c000-000000000000";
/// "Microsoft Office 365 Portal", the audience of the admin center.
pub const PORTAL_APP: &str = "00000006-0000-0ff1-ce00-000000000000";
/// What a v1 request without `resource` is for.
pub const LEGACY_GRAPH_APP: &str = "00000002-0000-0000-c000-000000000000";
/// Stands for the support service. Its real identifier is not published, so this one is the simulator's own.
pub const SUPPORT_APP: &str = "5ca1ab1e-0000-4000-8000-000000000365";
/// The resource that the support service's tokens are for; likewise the simulator's own.
pub const SUPPORT_RESOURCE: &str = "https://connector.rave.microsoft.com";
/// Role template of a Global Administrator, as in the claim `wids`.
pub const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// Shared by the services; cheap to clone.
#[derive(Clone)]
pub struct Directory(Arc<Mutex<Tenant>>);

/// Everything the tenant holds, secrets included.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Tenant {
    /// GUID.
    pub id: String,
    /// A verified domain, `contoso.com`.
    pub domain: String,
    /// By object id.
    pub applications: BTreeMap<String, Application>,
    /// By object id.
    pub service_principals: BTreeMap<String, ServicePrincipal>,
    /// The user behind delegated tokens.
    pub administrator: User,
    /// Refresh tokens by their text.
    pub refresh_tokens: BTreeMap<String, RefreshToken>,
    /// Delegated consent: client and resource, both application ids.
    pub consents: BTreeSet<(String, String)>,
    /// Application roles: object id of the client's service principal, application id of the resource, role value.
    pub role_assignments: BTreeSet<(String, String, String)>,
    /// Longest life of a new client secret, where the tenant has a policy.
    pub password_lifetime_days: Option<i64>,
}

/// An application registration.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Application {
    /// Key of the record. Not the client id.
    pub object_id: String,
    /// The client id.
    pub app_id: String,
    /// Graph's properties, without the credentials.
    pub fields: Map<String, Value>,
    /// Client secrets.
    pub passwords: Vec<Password>,
    /// Trusted issuers.
    pub federated: Vec<FederatedCredential>,
    /// Object ids.
    pub owners: BTreeSet<String>,
    /// RFC 3339; empty in states that were saved before it was kept.
    #[serde(default)]
    pub created: String,
}

/// A client secret.
#[derive(Clone, Deserialize, Serialize)]
pub struct Password {
    /// GUID.
    pub key_id: String,
    /// Free text.
    pub display_name: Option<String>,
    /// RFC 3339.
    pub start: String,
    /// RFC 3339.
    pub end: String,
    /// The secret text. Graph shows it once, Entra compares it, nothing else may see it.
    pub secret: String,
}

/// An issuer whose tokens stand for a secret of the application.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FederatedCredential {
    /// GUID.
    pub id: String,
    /// Unique within the application.
    pub name: String,
    /// Compared literally with `iss`.
    pub issuer: String,
    /// Compared literally with `sub`.
    pub subject: String,
    /// One of them must be the token's `aud`.
    pub audiences: Vec<String>,
    /// Free text.
    pub description: Option<String>,
}

/// An application's presence in the tenant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ServicePrincipal {
    /// Key of the record, and `oid` and `sub` of the application's tokens.
    pub object_id: String,
    /// The client id.
    pub app_id: String,
    /// Graph's properties.
    pub fields: Map<String, Value>,
    /// Object ids.
    pub owners: BTreeSet<String>,
    /// Microsoft's own: no registration in this tenant, cannot be removed, `names` are its resource addresses.
    pub first_party: bool,
    /// Addresses by which tokens for it are asked.
    pub names: BTreeSet<String>,
    /// Secrets of its own, as good as those of the application.
    #[serde(default)]
    pub passwords: Vec<Password>,
    /// RFC 3339; empty in states that were saved before it was kept.
    #[serde(default)]
    pub created: String,
}

/// The administrator.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct User {
    /// Object id.
    pub object_id: String,
    /// `admin@contoso.com`.
    pub principal_name: String,
    /// Role templates, the claim `wids`.
    pub roles: BTreeSet<String>,
}

/// A delegated sign-in that lasts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RefreshToken {
    /// Application id of the client it was given to.
    pub client: String,
    /// Whether the client was a public one when it got it, as with a device code: it may not prove itself later either.
    #[serde(default)]
    pub is_of_public_client: bool,
    /// Whether it still works.
    pub standing: Standing,
    /// When it was given or used last, in milliseconds since 1970.
    #[serde(default)]
    pub used: i64,
}

/// Whether a refresh token works.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Standing {
    /// It works.
    Good,
    /// Too old: AADSTS70008.
    Expired,
    /// The password was changed, or the sessions were ended: AADSTS50173.
    Revoked,
}

/// An application made in one go, with everything a caller needs to sign in as it.
#[derive(Clone)]
pub struct Registered {
    /// Of the application.
    pub object_id: String,
    /// Application id.
    pub client_id: String,
    /// Of the service principal.
    pub service_principal_id: String,
    /// Key id of the secret.
    pub key_id: String,
    /// The secret.
    pub client_secret: String,
}

/// Version of the access tokens that an audience asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenVersion {
    /// `requestedAccessTokenVersion` null or 1.
    V1,
    /// `requestedAccessTokenVersion` 2.
    V2,
}

impl Directory {
    /// A tenant with Microsoft's own service principals and an administrator, and nothing else.
    pub fn new(domain: &str) -> Directory {
        let mut tenant = Tenant {
            id: ids::guid(),
            domain: domain.to_owned(),
            applications: BTreeMap::new(),
            service_principals: BTreeMap::new(),
            administrator: User {
                object_id: ids::guid(),
                principal_name: format!("admin@{domain}"),
                roles: BTreeSet::from([GLOBAL_ADMINISTRATOR.to_owned()]),
            },
            refresh_tokens: BTreeMap::new(),
            consents: BTreeSet::new(),
            role_assignments: BTreeSet::new(),
            password_lifetime_days: None,
        };
        for (app_id, ..) in FIRST_PARTY {
            tenant.add_first_party(app_id);
        }
        Directory(Arc::new(Mutex::new(tenant)))
    }

    /// Reads or changes the tenant in one step that no other request sees half of.
    pub fn with<T>(&self, step: impl FnOnce(&mut Tenant) -> T) -> T {
        step(&mut lock(&self.0))
    }

    /// Registers an application with service principal and secret, as the portal does.
    pub fn register(&self, name: &str, version: TokenVersion) -> Registered {
        let requested = match version {
            TokenVersion::V1 => Value::Null,
            TokenVersion::V2 => json!(2),
        };
        self.with(|tenant| {
            let mut fields = Map::new();
            fields.insert("displayName".to_owned(), json!(name));
            fields.insert("signInAudience".to_owned(), json!("AzureADMyOrg"));
            fields.insert("api".to_owned(), json!({ "requestedAccessTokenVersion": requested }));
            let app_id = tenant.add_application(fields);
            let object_id = app_id.object_id;
            let service_principal_id = tenant.add_service_principal(&app_id.app_id, Map::new());
            let password = Password::new(None, None, None);
            let registered = Registered {
                object_id: object_id.clone(),
                client_id: app_id.app_id,
                service_principal_id,
                key_id: password.key_id.clone(),
                client_secret: password.secret.clone(),
            };
            if let Some(application) = tenant.applications.get_mut(&object_id) {
                application.passwords.push(password);
            }
            registered
        })
    }

    /// Ends the life of a secret now.
    pub fn expire_password(&self, key_id: &str) {
        self.with(|tenant| {
            for application in tenant.applications.values_mut() {
                for password in application
                    .passwords
                    .iter_mut()
                    .filter(|password| password.key_id == key_id)
                {
                    password.end = ids::in_seconds(-1);
                }
            }
        });
    }

    /// Gives the administrator's lasting sign-in to a client.
    pub fn issue_refresh_token(&self, client: &str) -> String {
        self.keep_refresh_token(client, false)
    }

    pub(crate) fn keep_refresh_token(&self, client: &str, is_of_public_client: bool) -> String {
        let text = format!("1.{}", ids::random_text(90));
        let token = RefreshToken {
            client: client.to_owned(),
            is_of_public_client,
            standing: Standing::Good,
            used: jiff::Timestamp::now().as_millisecond(),
        };
        self.with(|tenant| {
            tenant.refresh_tokens.insert(text.clone(), token);
            tenant.forget_refresh_tokens();
        });
        text
    }

    /// Notes that a refresh token was used: it lasts longer than those that nobody uses.
    pub(crate) fn use_refresh_token(&self, text: &str) {
        self.with(|tenant| {
            if let Some(token) = tenant.refresh_tokens.get_mut(text) {
                token.used = jiff::Timestamp::now().as_millisecond();
            }
        });
    }

    /// Sets the standing of every refresh token.
    pub fn set_refresh_tokens(&self, standing: Standing) {
        self.with(|tenant| {
            tenant
                .refresh_tokens
                .values_mut()
                .for_each(|token| token.standing = standing)
        });
    }
}

impl Tenant {
    /// Whether a path segment names this tenant.
    pub fn is_named(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.id) || self.has_domain(name)
    }

    /// Whether a domain is one of the tenant's.
    pub fn has_domain(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.domain) || name.eq_ignore_ascii_case(&self.initial_domain())
    }

    /// The domain that the tenant was opened with: `contoso.onmicrosoft.com`.
    pub fn initial_domain(&self) -> String {
        let name = self.domain.split('.').next().unwrap_or_default();
        format!("{name}.onmicrosoft.com")
    }

    /// Every refresh gives a new token while the old one goes on working, so those go that were not used for longest.
    fn forget_refresh_tokens(&mut self) {
        while self.refresh_tokens.len() > KEPT_REFRESH_TOKENS {
            let by_use = self.refresh_tokens.iter().min_by_key(|(_, token)| token.used);
            let Some(oldest) = by_use.map(|(text, _)| text.clone()) else {
                return;
            };
            self.refresh_tokens.remove(&oldest);
        }
    }

    /// Adds an application with these properties of Graph.
    pub fn add_application(&mut self, fields: Map<String, Value>) -> Application {
        let application = Application {
            object_id: ids::guid(),
            app_id: ids::guid(),
            created: ids::now(),
            fields,
            ..Application::default()
        };
        self.applications
            .insert(application.object_id.clone(), application.clone());
        application
    }

    /// Adds the service principal of an application and answers its object id.
    pub fn add_service_principal(&mut self, app_id: &str, fields: Map<String, Value>) -> String {
        let object_id = ids::guid();
        let principal = ServicePrincipal {
            object_id: object_id.clone(),
            app_id: app_id.to_owned(),
            fields,
            owners: BTreeSet::new(),
            first_party: false,
            names: BTreeSet::new(),
            passwords: Vec::new(),
            created: ids::now(),
        };
        self.service_principals.insert(object_id.clone(), principal);
        object_id
    }

    /// By client id.
    pub fn application(&self, app_id: &str) -> Option<&Application> {
        self.applications
            .values()
            .find(|application| application.app_id.eq_ignore_ascii_case(app_id))
    }

    /// By client id.
    pub fn service_principal(&self, app_id: &str) -> Option<&ServicePrincipal> {
        self.service_principals
            .values()
            .find(|principal| principal.app_id.eq_ignore_ascii_case(app_id))
    }

    /// The client id of what is asked for: a client id, an identifier URI, or an address of Microsoft's own.
    pub fn audience(&self, resource: &str) -> Option<String> {
        let named = resource.trim_end_matches('/');
        if ids::is_guid(named) {
            let known = self.application(named).map(|application| &application.app_id);
            return known
                .or_else(|| self.service_principal(named).map(|principal| &principal.app_id))
                .cloned();
        }
        let ours = self
            .applications
            .values()
            .find(|application| application.identifier_uris().any(|uri| uri == named));
        ours.map(|application| application.app_id.clone()).or_else(|| {
            self.service_principals
                .values()
                .find(|principal| principal.names.iter().any(|name| name.eq_ignore_ascii_case(named)))
                .map(|principal| principal.app_id.clone())
        })
    }

    /// What the audience wants, whatever endpoint or client asks. Microsoft's own take v1.0.
    pub fn token_version(&self, app_id: &str) -> TokenVersion {
        match self
            .application(app_id)
            .and_then(|application| application.fields.get("api"))
        {
            Some(api) if api["requestedAccessTokenVersion"].as_i64() == Some(2) => TokenVersion::V2,
            _ => TokenVersion::V1,
        }
    }

    /// Removes an application and, as Entra does, its service principal.
    pub fn remove_application(&mut self, object_id: &str) -> Option<Application> {
        let removed = self.applications.remove(object_id)?;
        self.service_principals
            .retain(|_, principal| principal.app_id != removed.app_id);
        Some(removed)
    }

    /// Gives a first-party service principal one more address.
    pub(crate) fn add_address(&mut self, app_id: &str, address: &str) {
        for principal in self
            .service_principals
            .values_mut()
            .filter(|principal| principal.app_id == app_id)
        {
            principal.names.insert(address.to_owned());
        }
    }

    /// Adds the service principal of one of Microsoft's own applications; `None` when the id is not one of theirs.
    pub(crate) fn add_first_party(&mut self, app_id: &str) -> Option<String> {
        let (_, name, addresses) = FIRST_PARTY.iter().find(|(known, ..)| *known == app_id)?;
        let object_id = self.add_service_principal(app_id, Map::new());
        let principal = self.service_principals.get_mut(&object_id)?;
        principal.first_party = true;
        principal.fields.insert("displayName".to_owned(), json!(name));
        principal.names = addresses.iter().map(|address| (*address).to_owned()).collect();
        Some(object_id)
    }
}

impl Application {
    /// Addresses that stand for the client id as an audience.
    pub fn identifier_uris(&self) -> impl Iterator<Item = &str> {
        self.fields
            .get("identifierUris")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Whether "Allow public client flows" is on.
    pub fn allows_public_flows(&self) -> bool {
        self.fields.get("isFallbackPublicClient") == Some(&Value::Bool(true))
    }

    /// For messages.
    pub fn display_name(&self) -> &str {
        self.fields
            .get("displayName")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

impl Password {
    /// A new secret; starts now and ends in two years unless told otherwise.
    pub fn new(display_name: Option<String>, start: Option<String>, end: Option<String>) -> Password {
        Password {
            key_id: ids::guid(),
            display_name,
            start: start.unwrap_or_else(ids::now),
            end: end.unwrap_or_else(|| ids::in_seconds(2 * 365 * 24 * 3600)),
            secret: ids::client_secret(),
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Password")
            .field("key_id", &self.key_id)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// Far more than the sign-ins of one demonstration.
const KEPT_REFRESH_TOKENS: usize = 1000;

const FIRST_PARTY: [(&str, &str, &[&str]); 5] = [
    (GRAPH_APP, "Microsoft Graph", &["https://graph.microsoft.com"]),
    (
        LEGACY_GRAPH_APP,
        "Windows Azure Active Directory",
        &["https://graph.windows.net"],
    ),
    (
        PORTAL_APP,
        "Microsoft Office 365 Portal",
        &["https://admin.microsoft.com"],
    ),
    (CONNECTOR_APP, "Graph Connector Federated Credential App", &[]),
    (SUPPORT_APP, "Microsoft 365 support integration", &[SUPPORT_RESOURCE]),
];
