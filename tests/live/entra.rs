//! The trust between the tenant and the instance, with two application registrations of the run: what tokens say, and whom the
//! instance lets in.
//!
//! It writes to a tenant, so it runs only where `LIVE_ALSO` names it. The azuread provider makes the registrations.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use servicenow_provider::http::jwt_claims::Claims;
use servicenow_provider::http::{Client, Method, Origin, Repeat, Request, Secret, StatusCode};
use servicenow_provider::microsoft::EntraError;
use servicenow_provider::microsoft::entra::addresses::metadata_path;
use servicenow_provider::microsoft::entra::{Authority, Endpoint, Patience, client_credentials};
use servicenow_provider::servicenow::tables::{oauth_oidc_entity, sys_user};
use servicenow_provider::servicenow::{Column, Row, SysId, Table, TableError};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::context::{RunContext, guid, limits};
use crate::probes::{Seen, with_causes};
use crate::settings::Settings;
use crate::stories::{Failure, Told, Verdict, create, expect, nothing_to_do};
use crate::terraform::{Workspace, azuread};

/// What `LIVE_ALSO` calls it.
pub(crate) const NAME: &str = "entra";

/// What a run writes to the tenant.
pub(crate) const TOUCHED: &str = "\
In the tenant it makes two application registrations with their service principals and a secret for one of them, which ends after
an hour, and removes them. Entra keeps deleted applications for 30 days among the deleted ones.";

/// What was seen of each fact, as far as the story came.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    versions: Option<Seen>,
    new_secrets: Option<Seen>,
    audience: Option<Seen>,
    user: Option<Seen>,
}

/// How the story ended, and what it has shown.
#[derive(Debug)]
pub(crate) struct Outcome {
    observed: Observed,
    /// Whether something may have been made.
    pub(crate) has_run: bool,
    pub(crate) told: Told,
}

impl Outcome {
    pub(crate) fn versions(&self) -> Seen {
        self.seen(self.observed.versions.as_ref())
    }

    pub(crate) fn new_secrets(&self) -> Seen {
        self.seen(self.observed.new_secrets.as_ref())
    }

    pub(crate) fn audience(&self) -> Seen {
        self.seen(self.observed.audience.as_ref())
    }

    pub(crate) fn user(&self) -> Seen {
        self.seen(self.observed.user.as_ref())
    }

    fn seen(&self, seen: Option<&Seen>) -> Seen {
        let why = match &self.told.verdict {
            Verdict::Skipped(why) => why.clone(),
            Verdict::Failed(_) => format!("The story of {NAME} did not come so far."),
            Verdict::Passed => "Nothing was seen.".to_owned(),
        };
        seen.cloned().unwrap_or(Seen::Open(why))
    }
}

/// Why it cannot run with these settings.
pub(crate) fn missing(settings: &Settings) -> Option<String> {
    if !settings.also().contains(NAME) {
        return Some(format!("It runs only when it is asked for: LIVE_ALSO={NAME}."));
    }
    let needed = ["ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"];
    let missing: Vec<&str> = needed.into_iter().filter(|name| settings.get(name).is_none()).collect();
    if !missing.is_empty() {
        return Some(format!("It needs {}.", missing.join(", ")));
    }
    azuread(settings).err()
}

/// Whether an error of the tenant says that the right to manage applications is missing: then what it would need.
pub(crate) fn lacks_right(error: &str) -> Option<&'static str> {
    let denied = ["Authorization_RequestDenied", "Insufficient privileges"];
    denied.iter().any(|word| error.contains(word)).then_some(
        "The application ARM_CLIENT_ID would need the permission Application.ReadWrite.OwnedBy of Microsoft Graph.",
    )
}

/// Runs it, unless something is `missing`.
pub(crate) async fn run(
    context: &RunContext,
    settings: &Settings,
    cancel: &CancellationToken,
    missing: Option<String>,
) -> Outcome {
    let begun = Instant::now();
    let mut observed = Observed::default();
    let has_run = missing.is_none();
    let ended = match missing {
        Some(why) => Err(Failure::Skipped(why)),
        None => Box::pin(lifecycle(context, settings, cancel, &mut observed)).await,
    };
    Outcome {
        observed,
        has_run,
        told: Told {
            story: NAME,
            verdict: Verdict::of(ended),
            seconds: begun.elapsed().as_secs_f64(),
        },
    }
}

async fn lifecycle(
    context: &RunContext,
    settings: &Settings,
    cancel: &CancellationToken,
    observed: &mut Observed,
) -> Result<(), Failure> {
    // Before anything is made in the tenant.
    if let Err(error) = context.configuration().await {
        let why = format!("It needs an OIDC configuration: {}.", with_causes(&error));
        return Err(Failure::Skipped(why));
    }
    let workspace = Workspace::new(settings)?;
    workspace.with_azuread(&azuread(settings)?);
    let story = Story {
        context,
        settings,
        cancel,
        workspace: &workspace,
    };
    let told = Box::pin(story.steps(observed)).await;
    told.and(workspace.destroyed().await.map_err(Failure::from))
}

struct Story<'a> {
    context: &'a RunContext,
    settings: &'a Settings,
    cancel: &'a CancellationToken,
    workspace: &'a Workspace,
}

/// The two registrations, once they are made.
struct Applications {
    audience: String,
    caller: String,
    secret: Secret,
}

impl Story<'_> {
    async fn steps(&self, observed: &mut Observed) -> Result<(), Failure> {
        self.workspace.configure(&self.text(Endpoint::V1, false)?);
        create(self.context, self.workspace)
            .await
            .map_err(|failure| match failure {
                Failure::Failed(why) => match lacks_right(&why) {
                    Some(right) => Failure::Skipped(right.to_owned()),
                    None => Failure::Failed(why),
                },
                failure => failure,
            })?;
        self.go_on()?;
        let applications = self.applications()?;
        observed.new_secrets = Some(self.first_token(&applications).await?);
        let first = self.versions_are("1.0", &applications).await?;
        self.go_on()?;
        self.inbound_check_passes(Endpoint::V1, "1.0").await?;
        self.go_on()?;

        let provider = self.id("servicenow_oidc_provider.inbound")?;
        let other = guid(&self.context.prefix, 10);
        let cell = (
            oauth_oidc_entity::CLIENT_ID,
            other.as_str(),
            applications.audience.as_str(),
        );
        let what = "A token for an audience that is not the client_id";
        observed.audience = Some(
            self.is_refused_with(&applications, (oauth_oidc_entity::TABLE, &provider), cell, what)
                .await?,
        );
        let user = self.id("servicenow_integration_user.caller")?;
        let cell = (sys_user::SOURCE, other.as_str(), applications.caller.as_str());
        let what = "A token whose claim is in the column of no user";
        observed.user = Some(
            self.is_refused_with(&applications, (sys_user::TABLE, &user), cell, what)
                .await?,
        );
        self.go_on()?;

        self.workspace.configure(&self.text(Endpoint::V2, false)?);
        expect(self.workspace, "tokens of version 2.0", &["apply", "-auto-approve"]).await?;
        self.go_on()?;
        let second = self.versions_are("2.0", &applications).await?;
        observed.versions = Some(Seen::of(first.0 && second.0, format!("{} {}", first.1, second.1)));
        self.go_on()?;
        self.inbound_check_passes(Endpoint::V2, "2.0").await?;
        self.go_on()
    }

    fn go_on(&self) -> Result<(), Failure> {
        if self.cancel.is_cancelled() {
            return Err(Failure::Interrupted);
        }
        Ok(())
    }

    fn attribute(&self, address: &str, name: &str) -> Result<String, Failure> {
        let value = self.workspace.attribute(address, name);
        value.ok_or_else(|| format!("the state has no {name} of {address}").into())
    }

    fn id(&self, address: &str) -> Result<SysId, Failure> {
        let id = self.attribute(address, "id")?;
        SysId::parse(&id).map_err(|_| format!("the id of {address} is no sys_id").into())
    }

    fn applications(&self) -> Result<Applications, Failure> {
        Ok(Applications {
            audience: self.attribute("azuread_application.inbound", "client_id")?,
            caller: self.attribute("azuread_application.caller", "client_id")?,
            secret: Secret::from(self.attribute("azuread_application_password.caller", "value")?),
        })
    }

    /// Waits until Entra knows application and secret.
    async fn first_token(&self, applications: &Applications) -> Result<Seen, Failure> {
        let begun = Instant::now();
        let (_, refusal) = self.token_in_time(applications, Endpoint::V2).await?;
        Ok(match refusal {
            Some(code) => Seen::Holds(format!(
                "Refused for {:.0} s after the apply, at last with {code}.",
                begun.elapsed().as_secs_f64()
            )),
            None => Seen::Open("Nothing was refused after the apply, which took some seconds itself.".to_owned()),
        })
    }

    /// A token, with the code of the last refusal before it: one server of Entra may know later than another what was made.
    async fn token_in_time(
        &self,
        applications: &Applications,
        endpoint: Endpoint,
    ) -> Result<(Secret, Option<String>), Failure> {
        let begun = Instant::now();
        let credentials = (applications.caller.as_str(), &applications.secret);
        let mut refusal = None;
        loop {
            match token(self.context, credentials, &applications.audience, endpoint).await {
                Ok(token) => return Ok((token, refusal)),
                // What it says has the name of the tenant.
                Err(error @ EntraError::Refused(_)) if begun.elapsed() < TO_REPLICATE => {
                    refusal = code(&with_causes(&error)).map(str::to_owned);
                }
                Err(error) => return Err(format!("a token: {}", with_causes(&error)).into()),
            }
            self.pause().await?;
        }
    }

    /// Whether tokens of both endpoints come to have this version, and what was seen last.
    async fn versions_are(&self, version: &str, applications: &Applications) -> Result<(bool, String), Failure> {
        let begun = Instant::now();
        loop {
            let mut seen = Vec::new();
            for endpoint in [Endpoint::V1, Endpoint::V2] {
                let (token, _) = self.token_in_time(applications, endpoint).await?;
                let claims = Claims::decode(token.expose()).map_err(|_| "a token: it is no JWT".to_owned())?;
                let caller = if version == "2.0" { "azp" } else { "appid" };
                let fits = claims.text("ver") == Some(version) && claims.text(caller) == Some(&applications.caller);
                seen.push((fits, claims.text("ver").unwrap_or("none").to_owned()));
            }
            let wanted = version.trim_end_matches(".0");
            let text = format!(
                "With requestedAccessTokenVersion {wanted} the endpoint of v1.0 gives version {}, that of v2.0 version {}.",
                seen[0].1, seen[1].1
            );
            let all_fit = seen.iter().all(|(fits, _)| *fits);
            if all_fit || begun.elapsed() >= TO_REPLICATE {
                return Ok((all_fit, text));
            }
            self.pause().await?;
        }
    }

    /// The check that users have: it opens in the plan, which must be empty.
    async fn inbound_check_passes(&self, endpoint: Endpoint, version: &str) -> Result<(), Failure> {
        self.workspace.configure(&self.text(endpoint, true)?);
        let step = format!("the plan with servicenow_inbound_check and tokens of version {version}");
        nothing_to_do(self.workspace, &step).await
    }

    /// Whether the instance refuses tokens while a cell has another value. It must take them again afterwards.
    async fn is_refused_with(
        &self,
        applications: &Applications,
        (table, sys_id): (Table, &SysId),
        (column, other, right): (Column, &str, &str),
        what: &str,
    ) -> Result<Seen, Failure> {
        let failed = |error: TableError| Failure::from(format!("{column} of {table}: {}", with_causes(&error)));
        let change = async |value: &str| {
            let row = Row::new().set(column, value);
            self.context.change(table, sys_id, row).await.map_err(failed)
        };
        change(other).await?;
        let is_refused = self.comes_to_accept(applications, false).await;
        change(right).await?;
        let is_refused = is_refused?;
        if !self.comes_to_accept(applications, true).await? {
            return Err(format!("{column} of {table} is right again, and the instance still refuses tokens").into());
        }
        Ok(Seen::of(is_refused, format!("{what} is refused: {is_refused}.")))
    }

    /// Whether the instance comes to accept tokens, or to refuse them, as `wanted`.
    async fn comes_to_accept(&self, applications: &Applications, wanted: bool) -> Result<bool, Failure> {
        let begun = Instant::now();
        loop {
            let (token, _) = self.token_in_time(applications, Endpoint::V1).await?;
            if is_accepted(self.context, &token).await? == wanted {
                return Ok(true);
            }
            if begun.elapsed() >= TO_NOTICE {
                return Ok(false);
            }
            self.pause().await?;
        }
    }

    async fn pause(&self) -> Result<(), Failure> {
        tokio::select! {
            () = sleep(PAUSE) => Ok(()),
            () = self.cancel.cancelled() => Err(Failure::Interrupted),
        }
    }

    fn text(&self, endpoint: Endpoint, with_check: bool) -> Result<String, Failure> {
        let authorities = self.context.clients.authorities.as_ref();
        let login = &authorities.ok_or("the Microsoft side is not configured")?.login;
        let tenant = self.settings.get("ARM_TENANT_ID").unwrap_or_default();
        // Before Zurich an instance takes each address once. With the parameter for applications that have keys of their own it
        // is this application's alone (https://learn.microsoft.com/entra/identity-platform/access-tokens, "Validate the signature").
        let metadata = login.join(&metadata_path(tenant, endpoint));
        let metadata = metadata.map_err(|error| error.to_string())?;
        let (version, claim) = match endpoint {
            Endpoint::V1 => ("1", "appid"),
            Endpoint::V2 => ("2", "azp"),
        };
        let ends = Timestamp::now() + SignedDuration::from_hours(1);
        // It must be the same in each configuration of the story.
        let ends = self
            .workspace
            .attribute("azuread_application_password.caller", "end_date")
            .unwrap_or(ends.to_string());
        let check = if with_check { CHECK } else { "" };
        Ok(format!("{REGISTRATIONS}{check}")
            .replace("$version", version)
            .replace("$claim", claim)
            .replace("$metadata", metadata.as_str())
            .replace("$ends", &ends)
            .replace("$tenant", tenant)
            .replace("$p", &self.context.prefix))
    }
}

/// The code in a refusal of Entra.
pub(crate) fn code(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(|word| word.starts_with("AADSTS"))
}

/// A token of an application, by client credentials.
pub(crate) async fn token(
    context: &RunContext,
    credentials: (&str, &Secret),
    resource: &str,
    endpoint: Endpoint,
) -> Result<Secret, EntraError> {
    let tenant = context.settings.get("ARM_TENANT_ID").unwrap_or_default();
    let Some(authorities) = &context.clients.authorities else {
        return Err(EntraError::BadTenant(tenant.to_owned()));
    };
    let authority = Authority::new(authorities.login.clone(), tenant)?;
    let limits = limits();
    let token = client_credentials(
        &authorities.http,
        &authority,
        credentials,
        resource,
        endpoint,
        Patience::None,
        &limits,
    );
    Ok(token.await?.value)
}

/// Whether the instance accepts a token, whatever its user may read.
async fn is_accepted(context: &RunContext, token: &Secret) -> Result<bool, Failure> {
    let address = context.clients.address.clone().ok_or("the instance has no address")?;
    let failed = |error| Failure::from(format!("a call of the instance: {}", with_causes(&error)));
    let (origin, _) = Origin::locate(&address.url).map_err(failed)?;
    let url = origin.join(WHERE).map_err(failed)?;
    let request = Request::new(Method::GET, url, &origin, Repeat::Idempotent);
    let request = request.bearer(token).map_err(failed)?;
    let answer = Client::new(address.http)
        .send(request, &limits())
        .await
        .map_err(failed)?;
    Ok(answer.status() != StatusCode::UNAUTHORIZED)
}

/// Every user may read the own record.
const WHERE: &str = "api/now/table/sys_user?sysparm_limit=1&sysparm_fields=sys_id";
/// For a change in Entra to be everywhere.
const TO_REPLICATE: Duration = Duration::from_secs(120);
/// For the instance to look again at what it may remember of a provider.
const TO_NOTICE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(2);

const REGISTRATIONS: &str = r#"
provider "azuread" {}

data "azuread_client_config" "this" {}

resource "azuread_application" "inbound" {
  display_name = "$p_inbound"
  owners       = [data.azuread_client_config.this.object_id]

  api {
    requested_access_token_version = $version
  }
}

resource "azuread_application" "caller" {
  display_name = "$p_caller"
  owners       = [data.azuread_client_config.this.object_id]
}

resource "azuread_service_principal" "inbound" {
  client_id = azuread_application.inbound.client_id
  owners    = [data.azuread_client_config.this.object_id]
}

resource "azuread_service_principal" "caller" {
  client_id = azuread_application.caller.client_id
  owners    = [data.azuread_client_config.this.object_id]
}

resource "azuread_application_password" "caller" {
  application_id = azuread_application.caller.id
  end_date       = "$ends"
}

resource "servicenow_integration_user" "caller" {
  user_name = "$p_caller"
  last_name = "Live test"
  source    = azuread_application.caller.client_id
}

resource "servicenow_oidc_provider" "inbound" {
  name      = "$p_inbound"
  client_id = azuread_application.inbound.client_id

  configuration = {
    name         = "$p_inbound"
    metadata_url = "$metadata?appid=${azuread_application.inbound.client_id}"
    user_claim   = "$claim"
    user_field   = "source"
  }
}
"#;

const CHECK: &str = r#"
ephemeral "servicenow_inbound_check" "this" {
  tenant        = "$tenant"
  audience      = azuread_application.inbound.client_id
  client_id     = azuread_application.caller.client_id
  client_secret = azuread_application_password.caller.value
  table         = "sys_user"
}
"#;
