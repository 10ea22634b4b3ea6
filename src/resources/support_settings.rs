//! `m365_support_settings`: the tool that support cases of a tenant go to. One per tenant, in the Microsoft 365 admin
//! center.
//!
//! The unpublished API can write these settings and not delete them. So a create remembers what it found, and a destroy
//! puts that back.

use async_trait::async_trait;
use serde_json::json;

use crate::clients::{Calls, Clients};
use crate::microsoft::support::Settings;
use crate::microsoft::{Microsoft365, SupportError};
use crate::plugin::schema::validate;
use crate::plugin::{
    Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Listed,
    Need, Object, Outcome, Resource, Schema,
};
use crate::records::tenant::{self, TENANT_ID};
use crate::records::{diagnostics, duplicate_check, field, import, list, outcome, required_roles};

pub(super) struct SupportSettings;

const TOOL: &str = "internal_support_tool";
const APPLICATION_ID: &str = "application_id";

/// In messages.
const THE_SETTINGS: &str = "This support integration";

/// Where a create keeps what it found, in the private state.
const BEFORE: &str = "before";

fn schema() -> Schema {
    Schema::new(
        "Basic information of the support integration of a Microsoft 365 tenant: which tool support cases go to, and \
         which application asks for the tokens. One per tenant. In the admin center: Settings > Org settings > \
         Organization profile > Support integration. Microsoft has not published this API and announced the service \
         behind it as retired. It cannot delete the settings: destroy restores their values from before the create, \
         and clears them after an import.",
        vec![
            Attribute::text("id").computed().stable().describe("The tenant's id."),
            tenant::attribute(),
            Attribute::text(TOOL)
                .default("ServiceNow")
                .check(validate::not_blank())
                .describe("Internal support tool. The only one known to work is `ServiceNow`."),
            Attribute::text(APPLICATION_ID)
                .required()
                .check(validate::not_blank())
                .check(field::printable())
                .describe(
                    "\"Application ID to issue Auth Token\": the client id of the outbound application, as which ServiceNow \
                     signs in to Microsoft.",
                ),
            field::timeouts(),
        ],
    )
}

fn wanted(planned: &Object) -> Settings {
    Settings {
        internal_support_tool: planned.text(TOOL).map(str::to_owned),
        application_id: planned.text(APPLICATION_ID).map(str::to_owned),
    }
}

fn read_into(settings: Settings, state: &mut Object) {
    state.set(TOOL, settings.internal_support_tool);
    state.set(APPLICATION_ID, settings.application_id);
}

fn is_empty(settings: &Settings) -> bool {
    settings.internal_support_tool.is_none() && settings.application_id.is_none()
}

impl BlockType for SupportSettings {
    fn type_name(&self) -> &'static str {
        "m365_support_settings"
    }

    fn schema(&self) -> Schema {
        schema()
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_admin_center()
    }
}

#[async_trait]
impl Resource<Clients> for SupportSettings {
    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::of(TENANT_ID, TENANT_ID, "The tenant's id."))
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, _config: &Object) -> Result<Outcome, Diagnostics> {
        Ok(create(cx, planned).await?)
    }

    async fn read(&self, cx: &Context<Clients>, mut state: Object) -> Result<Option<Object>, Diagnostics> {
        let microsoft = cx.microsoft()?;
        let tenant = tenant::of_state(cx, microsoft, &state, THE_SETTINGS).await?;
        let found = microsoft.support.find_settings(&cx.limits()).await;
        let found = found.map_err(|error| diagnostics::of_support(&error, "read the support settings"))?;
        let Some(settings) = found.filter(|settings| !is_empty(settings)) else {
            return Ok(None);
        };
        state.set("id", tenant.as_str());
        state.set(TENANT_ID, tenant);
        read_into(settings, &mut state);
        Ok(Some(state))
    }

    async fn update(
        &self,
        cx: &Context<Clients>,
        prior: &Object,
        planned: Object,
        _config: &Object,
    ) -> Result<Outcome, Diagnostics> {
        Ok(update(cx, prior, planned).await?)
    }

    async fn delete(&self, cx: &Context<Clients>, state: &Object) -> Result<(), Diagnostics> {
        let microsoft = cx.microsoft()?;
        tenant::of_state(cx, microsoft, state, THE_SETTINGS).await?;
        let (support, limits) = (&microsoft.support, cx.limits());
        let problem = |error: SupportError| diagnostics::of_support(&error, "restore the support settings");
        let current = support.find_settings(&limits).await.map_err(problem)?;
        let is_ours = current.is_some_and(|current| current.application_id.as_deref() == state.text(APPLICATION_ID));
        if !is_ours {
            // The settings were changed to another application since the last refresh: they are kept.
            tracing::warn!("the support settings name another application by now and are left as they are");
            return Ok(());
        }
        let before = cx.private(BEFORE).unwrap_or_default();
        let text = |name: &str| before[name].as_str().map(str::to_owned);
        let before = Settings {
            internal_support_tool: text(TOOL),
            application_id: text(APPLICATION_ID),
        };
        support.write_settings(&before, &limits).await.map_err(problem)?;
        Ok(())
    }

    async fn import(&self, cx: &Context<Clients>, target: Import<'_>) -> Result<Object, Diagnostics> {
        let microsoft = cx.microsoft()?;
        let tenant = tenant::of_sign_in(cx, microsoft).await?;
        let found = microsoft.support.find_settings(&cx.limits()).await;
        let found = found.map_err(|error| diagnostics::of_support(&error, "find the support settings"))?;
        let Some(settings) = found.filter(|settings| !is_empty(settings)) else {
            let detail =
                format!("The tenant {tenant} has no support settings yet. Let the resource create them instead.");
            return Err(Diagnostic::error("Nothing to import", detail).into());
        };
        let id = match target {
            Import::Identity(identity) => identity.text(TENANT_ID).unwrap_or_default(),
            Import::Id(id) => id,
        };
        is_meant(id, &tenant, microsoft, &settings)?;
        Ok(Object::new()
            .with("id", tenant.as_str())
            .with(TENANT_ID, tenant.as_str()))
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(Schema::new(
            "Lists the support settings of the provider's tenant: one object, or none.",
            Vec::new(),
        ))
    }

    async fn list(&self, cx: &Context<Clients>, request: &ListRequest, sink: &mut ListSink) -> Result<(), Diagnostics> {
        let microsoft = cx.microsoft()?;
        let tenant = tenant::of_sign_in(cx, microsoft).await?;
        let mut state = Object::new()
            .with("id", tenant.as_str())
            .with(TENANT_ID, tenant.as_str());
        let Some(whole) = list::read_as_imported(cx, self, state.clone()).await? else {
            return Ok(());
        };
        let tool = whole.text(TOOL).unwrap_or("no tool").to_owned();
        if request.include_resource {
            state = whole;
        }
        let listed = Listed {
            state,
            display_name: format!("{tool} for {tenant}"),
            warnings: Diagnostics::new(),
        };
        sink.send(listed).await;
        Ok(())
    }
}

async fn create(cx: &Context<Clients>, planned: Object) -> Result<Outcome, Diagnostic> {
    let microsoft = cx.microsoft()?;
    let doing = "write the support settings";
    let tenant = tenant::of_sign_in(cx, microsoft).await?;
    let found = microsoft.support.find_settings(&cx.limits()).await;
    let found = found
        .map_err(|error| diagnostics::of_support(&error, doing))?
        .unwrap_or_default();
    let settings = wanted(&planned);
    // Without an application nothing works, so nothing that works can be overwritten.
    if found.application_id.is_some() && found != settings {
        return Err(exist_already(&found, &tenant));
    }
    if found == settings {
        // They existed already, and their earlier values are not known: a destroy clears them.
        cx.set_private(BEFORE, json!({}));
    } else {
        cx.set_private(
            BEFORE,
            json!({TOOL: found.internal_support_tool, APPLICATION_ID: found.application_id}),
        );
        let written = microsoft.support.write_settings(&settings, &cx.limits()).await;
        written.map_err(|error| diagnostics::of_support(&error, doing))?;
    }
    let state = planned.with("id", tenant.as_str()).with(TENANT_ID, tenant.as_str());
    cx.keep(&state);
    let (state, problems) = read_back(cx, microsoft, state).await;
    Ok(outcome::of(state, outcome::unfinished(problems)))
}

async fn update(cx: &Context<Clients>, prior: &Object, planned: Object) -> Result<Outcome, Diagnostic> {
    let microsoft = cx.microsoft()?;
    let tenant = tenant::of_state(cx, microsoft, prior, THE_SETTINGS).await?;
    let written = microsoft.support.write_settings(&wanted(&planned), &cx.limits()).await;
    written.map_err(|error| diagnostics::of_support(&error, "write the support settings"))?;
    let state = planned.with("id", tenant.as_str()).with(TENANT_ID, tenant);
    let (state, problems) = read_back(cx, microsoft, state).await;
    Ok(outcome::of(state, problems))
}

/// What became of a write: a field that the admin center did not take is an error at its attribute.
async fn read_back(cx: &Context<Clients>, microsoft: &Microsoft365, mut state: Object) -> (Object, Diagnostics) {
    let written = wanted(&state);
    let mut problems = Diagnostics::new();
    match microsoft.support.settings_as_written(&written, &cx.limits()).await {
        Ok(found) => {
            let pairs = [
                (TOOL, &written.internal_support_tool, &found.internal_support_tool),
                (APPLICATION_ID, &written.application_id, &found.application_id),
            ];
            for (attribute, written, found) in pairs {
                if written != found {
                    problems.push(not_kept(attribute, found.as_deref()));
                }
            }
            read_into(found, &mut state);
        }
        Err(error) => problems.push(diagnostics::of_support(&error, "read the support settings back")),
    }
    (state, problems)
}

/// The admin center took a write and shows something else.
pub(super) fn not_kept(attribute: &'static str, found: Option<&str>) -> Diagnostic {
    let found = found.map_or_else(|| "nothing".to_owned(), |found| format!("{found:?}"));
    let detail = format!(
        "The admin center accepted the write, but shows {found} for {attribute}. The value may not be allowed, or the \
         unpublished API calls the field differently: support_api_profile can correct its name."
    );
    Diagnostic::error(format!("{attribute} was not kept"), detail).at_attribute(attribute)
}

fn exist_already(found: &Settings, tenant: &str) -> Diagnostic {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let detail = format!(
        "The tenant {tenant} already has support settings: {TOOL} {:?}, {APPLICATION_ID} {:?}. There is one \
         integration per tenant, and overwriting it would disconnect the other one.\n\n{}\n\nOtherwise empty them in \
         the admin center (Settings > Org settings > Organization profile > Support integration) first.",
        text(&found.internal_support_tool),
        text(&found.application_id),
        duplicate_check::import_it("m365_support_settings", tenant),
    );
    Diagnostic::error("The support settings already exist", detail).at_attribute(APPLICATION_ID)
}

/// Whether an import id means the settings that were found.
fn is_meant(id: &str, tenant: &str, microsoft: &Microsoft365, settings: &Settings) -> Result<(), Diagnostic> {
    let (column, value) = id
        .split_once('=')
        .map_or((TENANT_ID, id), |(name, value)| (name.trim(), value.trim()));
    let is_equal = |ours: Option<&str>| ours.is_some_and(|ours| ours.eq_ignore_ascii_case(value));
    let is_meant = match column {
        "id" | TENANT_ID => is_equal(Some(tenant)) || is_equal(microsoft.tenant_id.as_deref()),
        APPLICATION_ID => is_equal(settings.application_id.as_deref()),
        TOOL => is_equal(settings.internal_support_tool.as_deref()),
        other => {
            let known = [TENANT_ID, APPLICATION_ID, TOOL];
            return Err(import::unknown_column("support settings", other, value, &known));
        }
    };
    if is_meant {
        return Ok(());
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let detail = format!(
        "The provider is signed in to the tenant {tenant}, whose support settings have {APPLICATION_ID} {:?}: they are not \
         those with {column} = {value:?}. Import by the tenant's id, {tenant}, or correct the provider's configuration.",
        text(&settings.application_id)
    );
    Err(Diagnostic::error("Nothing to import", detail))
}
