//! Application registrations of runs in the tenant, found by the beginning of their names and by their owner, and their removal.
//!
//! A run that ends removes its own with terraform; what is found here, a run that was killed has left.

use serde_json::Value;
use servicenow_provider::http::jwt_claims::Claims;
use servicenow_provider::http::{Answer, Method, Origin, Repeat, Request, Secret, StatusCode};
use servicenow_provider::microsoft::entra::Endpoint;

use crate::context::{RunContext, limits};
use crate::entra;
use crate::probes::with_causes;
use crate::settings::Settings;
use crate::sweep;

/// Microsoft Graph, signed in as the application of the environment.
pub(crate) struct Directory<'a> {
    context: &'a RunContext,
    graph: Origin,
    token: Secret,
    /// The key of the application's service principal, which owns what the application makes.
    own: String,
}

/// An application registration.
pub(crate) struct Registration {
    /// The key of the object, which is not the client id.
    id: String,
    pub(crate) name: String,
}

impl<'a> Directory<'a> {
    /// Signs in.
    ///
    /// # Errors
    /// Why it cannot.
    pub(crate) async fn open(context: &'a RunContext) -> Result<Self, String> {
        let settings = &context.settings;
        let get = |name| settings.get(name).unwrap_or_default();
        let graph = graph(context, settings).await?;
        let secret = Secret::from(get("ARM_CLIENT_SECRET"));
        let resource = graph.base().as_str().trim_end_matches('/');
        let token = entra::token(context, (get("ARM_CLIENT_ID"), &secret), resource, Endpoint::V2).await;
        let token = token.map_err(|error| with_causes(&error))?;
        let claims = Claims::decode(token.expose()).map_err(|_| "the token for Microsoft Graph is no JWT")?;
        let own = claims.text("oid").unwrap_or_default().to_owned();
        Ok(Self {
            context,
            graph,
            token,
            own,
        })
    }

    /// Those whose names begin like this, whoever owns them.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub(crate) async fn find(&self, prefix: &str) -> Result<Vec<Registration>, String> {
        let mut path = format!("v1.0/applications?$select=id,displayName&$filter=startswith(displayName,'{prefix}')");
        let mut found = Vec::new();
        loop {
            let page = self.json(&path).await?.unwrap_or_default();
            for it in values(&page) {
                let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
                let (id, name) = (text("id"), text("displayName"));
                if sweep::place(&name, prefix) == Some(0) {
                    found.push(Registration { id, name });
                }
            }
            let base = self.graph.base().as_str();
            match page["@odata.nextLink"]
                .as_str()
                .and_then(|next| next.strip_prefix(base))
            {
                Some(next) => next.clone_into(&mut path),
                None => return Ok(found),
            }
        }
    }

    /// Whether the application of the environment owns a registration.
    ///
    /// # Errors
    /// Why it cannot be told.
    async fn owns(&self, registration: &Registration) -> Result<bool, String> {
        let path = format!("v1.0/applications/{}/owners?$select=id", registration.id);
        let owners = self.json(&path).await?.unwrap_or_default();
        Ok(!self.own.is_empty() && values(&owners).any(|owner| owner["id"] == self.own.as_str()))
    }

    /// Those whose names begin like this and that the application owns, and the others.
    ///
    /// # Errors
    /// Why they cannot be told.
    pub(crate) async fn find_own(&self, prefix: &str) -> Result<(Vec<Registration>, Vec<Registration>), String> {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for it in self.find(prefix).await? {
            let side = if self.owns(&it).await? { &mut own } else { &mut others };
            side.push(it);
        }
        Ok((own, others))
    }

    /// Removes a registration, with its service principal.
    ///
    /// # Errors
    /// Why it is still there.
    pub(crate) async fn remove(&self, registration: &Registration) -> Result<(), String> {
        let path = format!("v1.0/applications/{}", registration.id);
        let answer = self.send(Method::DELETE, &path).await?;
        match answer.status() {
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(refused(&answer)),
        }
    }

    /// None where it is gone: lists show for some time what was deleted.
    async fn json(&self, path: &str) -> Result<Option<Value>, String> {
        let answer = self.send(Method::GET, path).await?;
        match answer.status() {
            StatusCode::OK => answer
                .json()
                .map(Some)
                .map_err(|error| format!("Microsoft Graph: {error}")),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(&answer)),
        }
    }

    async fn send(&self, method: Method, path: &str) -> Result<Answer, String> {
        let authorities = self.context.clients.authorities.as_ref();
        let http = &authorities.ok_or("the Microsoft side is not configured")?.http;
        let url = self.graph.join(path).map_err(|error| error.to_string())?;
        let request = Request::new(method, url, &self.graph, Repeat::Idempotent);
        let request = request.bearer(&self.token).map_err(|error| error.to_string())?;
        let answer = http.send(request, &limits()).await;
        answer.map_err(|error| format!("Microsoft Graph: {}", with_causes(&error)))
    }
}

fn values(page: &Value) -> impl Iterator<Item = &Value> {
    page["value"].as_array().into_iter().flatten()
}

fn refused(answer: &Answer) -> String {
    let code = answer
        .json::<Value>()
        .ok()
        .and_then(|body| body["error"]["code"].as_str().map(str::to_owned));
    let code = code.unwrap_or_else(|| "no code".to_owned());
    format!(
        "Microsoft Graph responded with status {} ({code})",
        answer.status().as_u16()
    )
}

/// Where Microsoft Graph is: that of the public cloud, unless the environment sends azuread to another one.
async fn graph(context: &RunContext, settings: &Settings) -> Result<Origin, String> {
    let Some(host) = settings.get("ARM_METADATA_HOSTNAME") else {
        return Origin::parse("https://graph.microsoft.com").map_err(|error| error.to_string());
    };
    let authorities = context.clients.authorities.as_ref();
    let http = &authorities.ok_or("the Microsoft side is not configured")?.http;
    let failed = |error| format!("the endpoints of {host}: {error}");
    let address = format!("https://{host}/metadata/endpoints?api-version=2022-09-01");
    let (origin, url) = Origin::locate(&address).map_err(|error| failed(error.to_string()))?;
    let request = Request::new(Method::GET, url, &origin, Repeat::Idempotent);
    let answer = http.send(request, &limits()).await;
    let answer = answer.map_err(|error| failed(with_causes(&error)))?;
    let endpoints: Value = answer.json().map_err(|error| failed(error.to_string()))?;
    let graph = endpoints["microsoftGraphResourceId"].as_str().unwrap_or_default();
    Origin::parse(graph).map_err(|error| failed(error.to_string()))
}
