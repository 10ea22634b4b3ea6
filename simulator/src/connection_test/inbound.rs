//! The legs into the instance: the support service by Entra token or by password, and the Copilot connector.

use axum::http::Method;
use serde_json::{Value, json};
use url::Url;

use crate::connection_test::outbound::column;
use crate::connection_test::{Answer, Attempt, ConnectionTest, Content, Leg, SignIn};
use crate::instance::Operation;
use crate::microsoft::admin_center::Repository;
use crate::microsoft::directory::CONNECTOR_APP;
use crate::microsoft::entra::{Endpoint, TokenRequest};
use crate::microsoft::keys;

impl ConnectionTest {
    pub(super) async fn inbound_by_entra(&self, repository: &Repository) -> Leg {
        let mut leg = Attempt::new("inbound");
        if let Err(cause) = self.try_by_entra(&mut leg, repository).await {
            leg.fail(cause);
        }
        leg.end()
    }

    pub(super) async fn inbound_by_password(&self, repository: &Repository) -> Leg {
        let mut leg = Attempt::new("inbound");
        if let Err(cause) = self.try_by_password(&mut leg, repository).await {
            leg.fail(cause);
        }
        leg.end()
    }

    /// The v2 application's part: the repository only says where the instance is.
    pub(super) fn repository(&self, repository: &Repository) -> Leg {
        let mut leg = Attempt::new("repository");
        if let Err(cause) = self.reach(&mut leg, repository) {
            leg.fail(cause);
        }
        leg.end()
    }

    pub(super) async fn copilot(&self) -> Leg {
        let mut leg = Attempt::new("copilot");
        if let Err(cause) = self.try_copilot(&mut leg).await {
            leg.fail(cause);
        }
        leg.end()
    }

    async fn try_by_entra(&self, leg: &mut Attempt, repository: &Repository) -> Result<(), String> {
        self.reach(leg, repository)?;
        if repository.authentication != "AAD" {
            return Err(format!(
                "repository '{}' has authentication type '{}'",
                repository.id, repository.authentication
            ));
        }
        self.complete(repository)?;
        let (audience, secret) = (repository.client_id.as_str(), repository.client_secret.as_str());
        self.entra_token(audience, secret, audience)
            .map_err(|cause| format!("the client secret does not fit: {cause}"))?;
        leg.reached(format!("Entra accepts the client secret of application {audience}"));
        let token = self
            .entra_token(&repository.user_name, &repository.user_password, audience)
            .map_err(|cause| format!("the REST user cannot sign in: {cause}"))?;
        let version = keys::unverified(&token)
            .and_then(|claims| claims.get("ver").and_then(Value::as_str).map(str::to_owned))
            .unwrap_or_default();
        leg.reached(format!(
            "Entra gave application {} a v{version} token for {audience}",
            repository.user_name
        ));
        self.open_incident(leg, &SignIn::Bearer(token)).await
    }

    async fn try_by_password(&self, leg: &mut Attempt, repository: &Repository) -> Result<(), String> {
        self.reach(leg, repository)?;
        if repository.authentication != "Basic" {
            return Err(format!(
                "repository '{}' has authentication type '{}'",
                repository.id, repository.authentication
            ));
        }
        self.complete(repository)?;
        let form = [
            ("grant_type", "password"),
            ("client_id", repository.client_id.as_str()),
            ("client_secret", repository.client_secret.as_str()),
            ("username", repository.user_name.as_str()),
            ("password", repository.user_password.as_str()),
        ];
        let answer = self
            .call(Method::POST, "/oauth_token.do", &SignIn::Nobody, Content::Form(&form))
            .await;
        let sign_in = match answer.body["access_token"].as_str() {
            Some(token) => {
                leg.reached(format!("the instance gave user '{}' a token", repository.user_name));
                SignIn::Bearer(token.to_owned())
            }
            None => self.plain_password(leg, repository, &answer).await?,
        };
        self.open_incident(leg, &sign_in).await
    }

    /// The second way in. The guide's user is for web services only, and the password grant is for other users: that
    /// pair of statements works only if the service can do without the token.
    async fn plain_password(
        &self,
        leg: &mut Attempt,
        repository: &Repository,
        refused: &Answer,
    ) -> Result<SignIn, String> {
        let logged = self.instance.log().last().cloned().unwrap_or_default();
        let user = self.instance.find("sys_user", "user_name", &repository.user_name);
        let for_web_services = user
            .first()
            .is_some_and(|user| column(user, "web_service_access_only") == "true");
        let sign_in = SignIn::Basic(format!("{}:{}", repository.user_name, repository.user_password));
        let path = "/api/now/table/incident?sysparm_limit=1";
        if for_web_services && self.call(Method::GET, path, &sign_in, Content::None).await.status == 200 {
            leg.reached("the password grant is closed to a user for web services only; Basic works".to_owned());
            return Ok(sign_in);
        }
        let why = refused.body["error_description"].as_str().unwrap_or("no explanation");
        Err(format!(
            "the instance's token endpoint answered {}: {why} ({logged})",
            refused.status
        ))
    }

    async fn try_copilot(&self, leg: &mut Attempt) -> Result<(), String> {
        let token = self
            .entra
            .first_party_token(CONNECTOR_APP)
            .map_err(|refusal| format!("AADSTS{}: {refusal}", refusal.code()))?;
        leg.reached(format!(
            "Entra gave the connector application {CONNECTOR_APP} a v2.0 token"
        ));
        let sign_in = SignIn::Bearer(token.clone());
        let path = "/api/now/table/sys_user?sysparm_limit=1";
        let answer = self.call(Method::GET, path, &sign_in, Content::None).await;
        if answer.status != 200 {
            return Err(self.why(&sign_in, "sys_user", Operation::Read, &answer).await);
        }
        let principal = keys::unverified(&token)
            .and_then(|claims| claims.get("oid").and_then(Value::as_str).map(str::to_owned))
            .unwrap_or_default();
        leg.reached(format!("the instance took the token as user '{principal}'"));
        let user = self
            .instance
            .find("sys_user", "user_name", &principal)
            .into_iter()
            .next();
        // The column exists from Zurich on; before, and beside it, the older flag says the same.
        let machine = user.is_some_and(|user| {
            column(&user, "identity_type") == "machine" || column(&user, "web_service_access_only") == "true"
        });
        if !machine {
            return Err(format!(
                "user '{principal}' is neither of identity type machine nor for web services only"
            ));
        }
        leg.reached("the user is a machine".to_owned());
        Ok(())
    }

    /// Whether the repository's endpoint is this instance.
    fn reach(&self, leg: &mut Attempt, repository: &Repository) -> Result<(), String> {
        let elsewhere = || format!("no ServiceNow instance answers at endpoint '{}'", repository.endpoint);
        let endpoint = Url::parse(&repository.endpoint).map_err(|_| elsewhere())?;
        let ours = Url::parse(&self.instance_url).map_err(|error| error.to_string())?;
        let local = ["localhost", "127.0.0.1"];
        let same_host = endpoint.host_str() == ours.host_str()
            || [&endpoint, &ours]
                .iter()
                .all(|url| url.host_str().is_some_and(|host| local.contains(&host)));
        if !same_host || endpoint.port_or_known_default() != ours.port_or_known_default() || endpoint.path() != "/" {
            return Err(elsewhere());
        }
        leg.reached(format!("repository '{}' leads to the instance", repository.id));
        Ok(())
    }

    fn complete(&self, repository: &Repository) -> Result<(), String> {
        let fields = [
            ("ClientId", &repository.client_id),
            ("ClientSecret", &repository.client_secret),
            ("RestUserName", &repository.user_name),
            ("RestUserPassword", &repository.user_password),
        ];
        match fields.iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => Err(format!("repository '{}' has no {name}", repository.id)),
            None => Ok(()),
        }
    }

    fn entra_token(&self, client: &str, secret: &str, resource: &str) -> Result<String, String> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("resource", resource),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let tenant = self.entra.directory().with(|tenant| tenant.id.clone());
        let request = TokenRequest {
            endpoint: Endpoint::V1,
            tenant: &tenant,
            form: &form,
            basic: None,
        };
        let body = self
            .entra
            .token(&request)
            .map_err(|refusal| format!("AADSTS{}: {refusal}", refusal.code()))?;
        Ok(body["access_token"].as_str().unwrap_or_default().to_owned())
    }

    /// What the support service does with the access: it reads, then it opens an incident. Two calls, since a token that
    /// works once only would serve nobody.
    async fn open_incident(&self, leg: &mut Attempt, sign_in: &SignIn) -> Result<(), String> {
        let read = self
            .call(
                Method::GET,
                "/api/now/table/incident?sysparm_limit=1",
                sign_in,
                Content::None,
            )
            .await;
        if read.status != 200 {
            return Err(self.why(sign_in, "incident", Operation::Read, &read).await);
        }
        leg.reached("the instance accepted the caller".to_owned());
        let incident = json!({"short_description": "Microsoft 365 connection test"});
        let created = self
            .call(
                Method::POST,
                "/api/now/table/incident",
                sign_in,
                Content::Json(&incident),
            )
            .await;
        let Some(sys_id) = created.body["result"]["sys_id"]
            .as_str()
            .filter(|_| created.status == 201)
        else {
            return Err(self.why(sign_in, "incident", Operation::Create, &created).await);
        };
        self.instance.remove("incident", sys_id);
        leg.reached("an incident was created and removed again".to_owned());
        Ok(())
    }
}
