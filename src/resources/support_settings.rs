//! `m365_support_settings`: the tool that support cases of a tenant go to. One per tenant, in the Microsoft 365 admin
//! center.
//!
//! The unpublished API can write these settings and not delete them. So the state keeps what a create found, and a destroy
//! puts that back.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::microsoft::support::Settings;
use crate::microsoft::{Microsoft365, SupportError};
use crate::plugin::schema::validate;
use crate::plugin::{
    Attribute, BlockType, Context, Diagnostic, Diagnostics, IdentitySchema, Import, ListRequest, ListSink, Listed,
    Need, Object, Outcome, Plan, Resource, Schema,
};
use crate::records::field::Field;
use crate::records::tenant::{self, TENANT_ID};
use crate::records::{diagnostics, duplicate_check, field, import, left_alone, list, outcome, required_roles};
use crate::text_equality::same_text;

pub(super) struct SupportSettings;

const TOOL: &str = "internal_support_tool";
const APPLICATION_ID: &str = "application_id";

/// In messages.
const THE_SETTINGS: &str = "This support integration";

/// What each argument was before the create.
const ORIGINAL_TOOL: &str = "original_internal_support_tool";
const ORIGINAL_APPLICATION_ID: &str = "original_application_id";

/// Where earlier versions kept that, in the private state.
const BEFORE: &str = "before";

fn schema() -> Schema {
    let original = |(original, attribute): (&'static str, &str)| {
        Attribute::text(original).computed().stable().describe(format!(
            "`{attribute}` before the create: what destroy restores. Null where there was none, and after an import."
        ))
    };
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
                .same_text(same_text)
                .describe("Internal support tool. The only one known to work is `ServiceNow`."),
            Attribute::text(APPLICATION_ID)
                .required()
                .check(validate::not_blank())
                .check(field::printable())
                .same_text(same_text)
                .describe(
                    "\"Application ID to issue Auth Token\": the client id of the outbound application, which ServiceNow \
                     signs in to Microsoft.",
                ),
            field::timeouts(),
        ]
        .into_iter()
        .chain([(ORIGINAL_TOOL, TOOL), (ORIGINAL_APPLICATION_ID, APPLICATION_ID)].map(original))
        .chain(Field::left_alone().attributes)
        .collect(),
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

/// What a create found. A state of an earlier version has it beside it: that is taken over.
fn original(cx: &Context<Clients>, state: &Object) -> Settings {
    let in_state = Settings {
        internal_support_tool: state.text(ORIGINAL_TOOL).map(str::to_owned),
        application_id: state.text(ORIGINAL_APPLICATION_ID).map(str::to_owned),
    };
    let Some(noted) = cx.private(BEFORE).filter(|_| is_empty(&in_state)) else {
        return in_state;
    };
    let text = |name: &str| match noted.get(name) {
        Some(noted) => noted.as_str().map(str::to_owned),
        // They were as configured already, and what they were then is lost: they stay as they are.
        None => state.text(name).map(str::to_owned),
    };
    Settings {
        internal_support_tool: text(TOOL),
        application_id: text(APPLICATION_ID),
    }
}

fn set_original(original: Settings, state: &mut Object) {
    state.set(ORIGINAL_TOOL, original.internal_support_tool);
    state.set(ORIGINAL_APPLICATION_ID, original.application_id);
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

    async fn plan(&self, _: Option<&Context<Clients>>, plan: &mut Plan<'_>) {
        left_alone::plan(schema().attributes, plan);
    }

    async fn create(&self, cx: &Context<Clients>, planned: Object, _config: &Object) -> Result<Outcome, Diagnostics> {
        create(cx, planned).await
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
        set_original(original(cx, &state), &mut state);
        left_alone::after_read(&schema().attributes, cx.reading, &mut state);
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
        let is_made = support.lock_settings(&limits).await.map_err(problem)?;
        if *is_made {
            cx.warn(left_to_successor());
            return Ok(());
        }
        let Some(current) = support.find_settings(&limits).await.map_err(problem)? else {
            return Ok(());
        };
        let ours = state.text(APPLICATION_ID).unwrap_or_default();
        match current.application_id.as_deref() {
            Some(application) if same_text(application, ours) => {}
            Some(application) => {
                cx.warn(left_in_place(application));
                return Ok(());
            }
            None => return Ok(()),
        }
        let original = original(cx, state);
        if !original.is_same(&current) {
            support.write_settings(&original, &limits).await.map_err(problem)?;
        }
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

async fn create(cx: &Context<Clients>, planned: Object) -> Result<Outcome, Diagnostics> {
    let microsoft = cx.microsoft()?;
    let support = &microsoft.support;
    let failed = |error: SupportError| diagnostics::of_support(&error, "write the support settings");
    let tenant = tenant::of_sign_in(cx, microsoft).await?;
    let mut is_made = support.lock_settings(&cx.limits()).await.map_err(failed)?;
    let found = support
        .find_settings(&cx.limits())
        .await
        .map_err(failed)?
        .unwrap_or_default();
    let settings = wanted(&planned);
    // Without an application nothing works, so nothing that works can be overwritten.
    let exist = found.application_id.is_some();
    if exist && (*is_made || !settings.is_same(&found)) {
        return Err(exist_already(&found, &tenant, *is_made).into());
    }
    let mut state = planned.with("id", tenant.as_str()).with(TENANT_ID, tenant.as_str());
    set_original(found, &mut state);
    // What was there must be in the state before it is overwritten.
    cx.keep(&state);
    let mut problems = Diagnostics::new();
    if exist {
        problems.push(taken_over(&tenant));
    } else if let Err(error) = support.write_settings(&settings, &cx.limits()).await {
        return not_written(cx, microsoft, state, &settings, failed(error)).await;
    }
    *is_made = true;
    let (state, unfinished) = read_back(cx, microsoft, state).await;
    problems.append(outcome::unfinished(unfinished));
    Ok(outcome::of(state, problems))
}

/// A write that failed may have been carried out: what was there before stays in the state, unless the settings show that
/// nothing has changed.
async fn not_written(
    cx: &Context<Clients>,
    microsoft: &Microsoft365,
    state: Object,
    settings: &Settings,
    problem: Diagnostic,
) -> Result<Outcome, Diagnostics> {
    let now = microsoft.support.find_settings(&cx.limits()).await;
    if now.is_ok_and(|now| now.is_none_or(|now| !settings.is_same(&now))) {
        cx.forget();
        return Err(problem.into());
    }
    Ok(Outcome::Partly(state.with_unknown_as_null(), problem.into()))
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
            for attribute in written.differences(&found) {
                let shown = match attribute {
                    TOOL => &found.internal_support_tool,
                    _ => &found.application_id,
                };
                problems.push(not_kept(attribute, shown.as_deref()));
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

fn exist_already(found: &Settings, tenant: &str, is_made_here: bool) -> Diagnostic {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let whose = if is_made_here {
        "Another resource of this configuration has them: remove one of the two."
    } else {
        "There is one integration per tenant, and overwriting it would disconnect the other one."
    };
    let detail = format!(
        "The tenant {tenant} already has support settings: {TOOL} {:?}, {APPLICATION_ID} {:?}. {whose}\n\n{}\n\nOtherwise empty \
         them in the admin center (Settings > Org settings > Organization profile > Support integration) first.",
        text(&found.internal_support_tool),
        text(&found.application_id),
        duplicate_check::import_it("m365_support_settings", tenant),
    );
    Diagnostic::error("The support settings already exist", detail).at_attribute(APPLICATION_ID)
}

/// Settings that were as configured before the create.
fn taken_over(tenant: &str) -> Diagnostic {
    let detail = format!(
        "The tenant {tenant} had these settings before the create. They are managed from now on; destroy leaves them, or \
         restores them where they were changed in the meantime. If they are what an interrupted apply left, empty them in the \
         admin center after the destroy, since it is not known what was there before."
    );
    Diagnostic::warning("The support settings are already as configured", detail).at_attribute(APPLICATION_ID)
}

/// Settings that somebody else has changed since the last refresh.
fn left_in_place(application: &str) -> Diagnostic {
    let detail = format!(
        "They name another application by now, {application:?}, so somebody else has changed them. Empty them in the admin \
         center if nobody needs them."
    );
    Diagnostic::warning("The support settings were left in place", detail)
}

/// Settings that another resource of this apply has taken over.
fn left_to_successor() -> Diagnostic {
    let detail = "Another resource of this apply manages them from now on. Its destroy restores what it found, which is what \
                  this resource had configured. To rename or move a resource, use a `moved` block: it keeps what was there \
                  before.";
    Diagnostic::warning("The support settings were left in place", detail)
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
