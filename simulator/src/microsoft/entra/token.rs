//! The token endpoints: who asks, what for, and what they get.

use serde_json::{Value, json};

use crate::microsoft::directory::{Application, LEGACY_GRAPH_APP, Standing, Tenant, TokenVersion};
use crate::microsoft::entra::claims::{Audience, Proof, Subject, claims, id_claims};
use crate::microsoft::entra::{Entra, Refusal};
use crate::microsoft::ids;
use crate::microsoft::keys::{self, Thumbprint};
use crate::sync::lock;

/// Which of the two endpoints was asked. It decides the form, not the version of the token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// `/oauth2/token`, with `resource`.
    V1,
    /// `/oauth2/v2.0/token`, with `scope`.
    V2,
}

/// One request for a token.
#[derive(Clone)]
pub struct TokenRequest<'a> {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The tenant as the path names it.
    pub tenant: &'a str,
    /// The decoded form.
    pub form: &'a [(String, String)],
    /// Id and secret of HTTP Basic.
    pub basic: Option<(String, String)>,
}

impl Entra {
    /// Answers a request for a token.
    ///
    /// # Errors
    /// Entra's refusal with code and text.
    pub fn token(&self, request: &TokenRequest<'_>) -> Result<Value, Refusal> {
        let tenant = self.directory.with(|tenant| tenant.clone());
        let application = request.application(&tenant)?;
        let grant = request
            .field("grant_type")
            .ok_or(Refusal::MissingParameter("grant_type"))?;
        let proof = self.prove(&tenant, application, request)?;
        let principal = tenant
            .service_principal(&application.app_id)
            .ok_or_else(|| Refusal::NoServicePrincipal {
                client: application.app_id.clone(),
                tenant: tenant.id.clone(),
            })?;
        if principal.fields.get("accountEnabled") == Some(&Value::Bool(false)) {
            return Err(Refusal::Disabled(application.app_id.clone()));
        }
        if grant == DEVICE_CODE {
            return self.redeem_device_code(&tenant, application, proof, request);
        }
        let audience = request.audience(&tenant, application, request.field("scope"))?;
        match grant {
            "client_credentials" => {
                if proof == Proof::None {
                    return Err(Refusal::NoCredential);
                }
                assigned(&tenant, application, &principal.object_id, &audience)?;
                let subject = Subject::Application {
                    service_principal: principal.object_id.clone(),
                };
                self.issue(
                    &tenant,
                    &application.app_id,
                    proof,
                    &audience,
                    &subject,
                    request.endpoint,
                )
            }
            "refresh_token" => {
                let sent = request
                    .field("refresh_token")
                    .ok_or(Refusal::MissingParameter("refresh_token"))?;
                self.refresh(&tenant, application, proof, &audience, sent, request)
            }
            other => Err(Refusal::UnsupportedGrant(other.to_owned())),
        }
    }

    /// Begins a sign-in with a device code: the codes, and the page where a person enters the short one.
    ///
    /// # Errors
    /// Entra's refusal with code and text.
    pub fn begin_device_code(&self, request: &TokenRequest<'_>) -> Result<Value, Refusal> {
        let tenant = self.directory.with(|tenant| tenant.clone());
        let application = request.application(&tenant)?;
        let scope = request.field("scope").ok_or(Refusal::MissingParameter("scope"))?;
        let page = format!("{}{DEVICE_PAGE}", self.login_url());
        Ok(self.device_codes.begin(&application.app_id, scope, &page))
    }

    /// A token of Microsoft's own connector application for itself, as its service holds it: v2.0, since that is what
    /// the connector's documents tell the instance to expect.
    ///
    /// # Errors
    /// When the application has no service principal, or the key refuses to sign.
    pub fn first_party_token(&self, app_id: &str) -> Result<String, Refusal> {
        let tenant = self.directory.with(|tenant| tenant.clone());
        let principal = tenant
            .service_principal(app_id)
            .ok_or_else(|| Refusal::NoServicePrincipal {
                client: app_id.to_owned(),
                tenant: tenant.id.clone(),
            })?;
        let audience = Audience {
            app_id: app_id.to_owned(),
            asked: app_id.to_owned(),
        };
        let subject = Subject::Application {
            service_principal: principal.object_id.clone(),
        };
        let claims = claims(
            &tenant,
            TokenVersion::V2,
            app_id,
            Proof::Assertion,
            &audience,
            &subject,
            self.lifetime(),
        );
        self.sign(TokenVersion::V2, claims)
    }

    /// Signs any claims with Entra's key; for tests of tokens that Entra itself would not issue.
    ///
    /// # Errors
    /// When the key refuses to sign.
    pub fn sign(&self, version: TokenVersion, claims: keys::Claims) -> Result<String, Refusal> {
        let thumbprint = match version {
            TokenVersion::V1 => Thumbprint::InHeader,
            TokenVersion::V2 => Thumbprint::Absent,
        };
        let token = keys::entra()
            .and_then(|key| key.sign(thumbprint, &claims))
            .map_err(|error| Refusal::Broken(error.to_string()))?;
        lock(&self.issued).push(claims);
        Ok(token)
    }

    fn prove(&self, tenant: &Tenant, application: &Application, request: &TokenRequest<'_>) -> Result<Proof, Refusal> {
        if let Some(assertion) = request.field("client_assertion") {
            if request.field("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(Refusal::MissingParameter("client_assertion_type"));
            }
            return self
                .check_assertion(tenant, application, assertion)
                .map(|()| Proof::Assertion);
        }
        let Some(sent) = request.secret() else {
            return Ok(Proof::None);
        };
        let of_principal = tenant
            .service_principal(&application.app_id)
            .map(|principal| &principal.passwords);
        let mut passwords = application.passwords.iter().chain(of_principal.into_iter().flatten());
        let known = passwords.find(|password| password.secret == sent);
        match known {
            None => Err(Refusal::WrongSecret(application.app_id.clone())),
            Some(password) if ids::is_past(&password.end) => Err(Refusal::ExpiredSecret(application.app_id.clone())),
            Some(_) => Ok(Proof::Secret),
        }
    }

    fn refresh(
        &self,
        tenant: &Tenant,
        application: &Application,
        proof: Proof,
        audience: &Audience,
        sent: &str,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Refusal> {
        let known = tenant.refresh_tokens.get(sent);
        let is_public = known.is_some_and(|token| token.is_of_public_client);
        match proof {
            // An application with a secret is a confidential client and must use it, unless it got the token as a public one.
            Proof::None if !is_public && !application.passwords.is_empty() => return Err(Refusal::NoCredential),
            Proof::Secret | Proof::Assertion if is_public => return Err(Refusal::PublicClient),
            Proof::None | Proof::Secret | Proof::Assertion => {}
        }
        let known = known.ok_or(Refusal::MalformedGrant)?;
        if known.client != application.app_id {
            return Err(Refusal::MalformedGrant);
        }
        match known.standing {
            Standing::Good => {}
            Standing::Expired => return Err(Refusal::ExpiredGrant),
            Standing::Revoked => return Err(Refusal::RevokedGrant),
        }
        // The old one keeps working, as in Entra: a program cannot always write the new one back.
        let mut body = self.delegated(tenant, application, proof, audience, request.endpoint)?;
        if request.asks_for("openid") {
            let claims = id_claims(tenant, &application.app_id, self.lifetime());
            let token = keys::entra().and_then(|key| key.sign(Thumbprint::Absent, &claims));
            body["id_token"] = json!(token.map_err(|error| Refusal::Broken(error.to_string()))?);
        }
        self.directory.use_refresh_token(sent);
        let next = self.directory.keep_refresh_token(&application.app_id, is_public);
        body["refresh_token"] = json!(next);
        Ok(body)
    }

    fn redeem_device_code(
        &self,
        tenant: &Tenant,
        application: &Application,
        proof: Proof,
        request: &TokenRequest<'_>,
    ) -> Result<Value, Refusal> {
        if proof != Proof::None {
            return Err(Refusal::PublicClient);
        }
        if !application.allows_public_flows() {
            return Err(Refusal::NoCredential);
        }
        let sent = request
            .field("device_code")
            .ok_or(Refusal::MissingParameter("device_code"))?;
        let approved = self.device_codes.redeem(application, sent)?;
        let audience = request.audience(tenant, application, Some(&approved.scope))?;
        let mut body = self.delegated(tenant, application, proof, &audience, request.endpoint)?;
        if approved.scope.split_whitespace().any(|part| part == "offline_access") {
            let token = self.directory.keep_refresh_token(&application.app_id, true);
            body["refresh_token"] = json!(token);
        }
        Ok(body)
    }

    /// A token for the administrator, through an application that may act for them.
    fn delegated(
        &self,
        tenant: &Tenant,
        application: &Application,
        proof: Proof,
        audience: &Audience,
        endpoint: Endpoint,
    ) -> Result<Value, Refusal> {
        if !tenant
            .consents
            .contains(&(application.app_id.clone(), audience.app_id.clone()))
        {
            return Err(Refusal::NoConsent(application.app_id.clone()));
        }
        let mut body = self.issue(
            tenant,
            &application.app_id,
            proof,
            audience,
            &Subject::Administrator,
            endpoint,
        )?;
        body["scope"] = json!(format!("{}/user_impersonation", audience.asked));
        Ok(body)
    }

    fn issue(
        &self,
        tenant: &Tenant,
        client: &str,
        proof: Proof,
        audience: &Audience,
        subject: &Subject,
        endpoint: Endpoint,
    ) -> Result<Value, Refusal> {
        let version = tenant.token_version(&audience.app_id);
        let lifetime = self.lifetime();
        let claims = claims(tenant, version, client, proof, audience, subject, lifetime);
        let now = jiff::Timestamp::now().as_second();
        let token = self.sign(version, claims)?;
        Ok(match endpoint {
            Endpoint::V1 => json!({
                "token_type": "Bearer",
                "expires_in": lifetime.to_string(),
                "ext_expires_in": lifetime.to_string(),
                "expires_on": (now + lifetime).to_string(),
                "not_before": (now - 300).to_string(),
                "resource": audience.asked,
                "access_token": token,
            }),
            Endpoint::V2 => json!({
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": token,
            }),
        })
    }

    fn lifetime(&self) -> i64 {
        *lock(&self.lifetime)
    }
}

impl TokenRequest<'_> {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.form.iter().find(|(key, _)| key == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether the scope has this part.
    fn asks_for(&self, wanted: &str) -> bool {
        let scope = self.field("scope").unwrap_or_default();
        scope.split_whitespace().any(|part| part == wanted)
    }

    /// The client, in the tenant that the path names.
    fn application<'t>(&self, tenant: &'t Tenant) -> Result<&'t Application, Refusal> {
        let client = self.client().ok_or(Refusal::MissingParameter("client_id"))?;
        match self.tenant {
            "common" | "organizations" | "consumers" => return Err(Refusal::NotMultiTenant(client)),
            name if tenant.is_named(name) => {}
            name => return Err(Refusal::UnknownTenant(name.to_owned())),
        }
        tenant.application(&client).ok_or_else(|| Refusal::UnknownApplication {
            client,
            tenant: tenant.domain.clone(),
        })
    }

    fn client(&self) -> Option<String> {
        let sent = self.field("client_id").map(str::to_owned);
        sent.or_else(|| self.basic.as_ref().map(|(id, _)| id.clone()))
            // A federated assertion may come without a client id only where it is the client's own JWT.
            .or_else(|| {
                let claims = keys::unverified(self.field("client_assertion")?)?;
                claims.get("iss")?.as_str().map(str::to_owned)
            })
    }

    fn secret(&self) -> Option<&str> {
        self.field("client_secret")
            .or_else(|| self.basic.as_ref().map(|(_, secret)| secret.as_str()))
    }

    fn audience(&self, tenant: &Tenant, client: &Application, scope: Option<&str>) -> Result<Audience, Refusal> {
        let asked = match self.endpoint {
            Endpoint::V1 => self.field("resource").unwrap_or(LEGACY_GRAPH_APP).to_owned(),
            Endpoint::V2 => self.resource_of(scope)?,
        };
        let unknown = || Refusal::UnknownResource {
            resource: asked.clone(),
            tenant: tenant.id.clone(),
        };
        let app_id = tenant.audience(&asked).ok_or_else(unknown)?;
        let principal = tenant.service_principal(&app_id).ok_or_else(unknown)?;
        if principal.fields.get("accountEnabled") == Some(&Value::Bool(false)) {
            return Err(unknown());
        }
        if app_id == client.app_id && !ids::is_guid(&asked) {
            return Err(Refusal::ForItself(app_id));
        }
        Ok(Audience { app_id, asked })
    }

    fn resource_of(&self, scope: Option<&str>) -> Result<String, Refusal> {
        if self.field("resource").is_some() {
            return Err(Refusal::ResourceNotSupported);
        }
        let scope = scope.ok_or(Refusal::MissingParameter("scope"))?;
        let mut resources: Vec<&str> = Vec::new();
        for part in scope.split_whitespace().filter(|part| !OPENID_SCOPES.contains(part)) {
            // A permission without a resource is one of Microsoft Graph.
            let (resource, last) = part.rsplit_once('/').unwrap_or((GRAPH_RESOURCE, part));
            // Only a client that acts for a user may ask for single permissions.
            if last != ".default" && self.field("grant_type") == Some("client_credentials") {
                return Err(Refusal::NotDefaultScope(scope.to_owned()));
            }
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
        match resources.as_slice() {
            [] => Err(Refusal::NoResource),
            [resource] => Ok((*resource).to_owned()),
            _ => Err(Refusal::SeveralResources(scope.to_owned())),
        }
    }
}

fn assigned(tenant: &Tenant, client: &Application, principal: &str, audience: &Audience) -> Result<(), Refusal> {
    let required = tenant
        .service_principal(&audience.app_id)
        .is_some_and(|audience| audience.fields.get("appRoleAssignmentRequired") == Some(&Value::Bool(true)));
    let has_role = tenant
        .role_assignments
        .iter()
        .any(|(holder, resource, _)| holder == principal && *resource == audience.app_id);
    if required && !has_role {
        return Err(Refusal::NotAssigned {
            client: client.app_id.clone(),
            resource: audience.asked.clone(),
        });
    }
    Ok(())
}

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Where a person enters a user code, on the login host.
pub(super) const DEVICE_PAGE: &str = "/common/oauth2/deviceauth";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRAPH_RESOURCE: &str = "https://graph.microsoft.com";
const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];
