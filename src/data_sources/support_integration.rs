//! `m365_support_integration`: what the Microsoft 365 admin center knows of the support integration.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::microsoft::SupportError;
use crate::microsoft::support::Repository;
use crate::plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Schema, Value};
use crate::records::{diagnostics, lookup, required_roles};

pub(super) struct SupportIntegration;

impl BlockType for SupportIntegration {
    fn type_name(&self) -> &'static str {
        "m365_support_integration"
    }

    fn schema(&self) -> Schema {
        Schema::new(
            "The tenant's support integration in the Microsoft 365 admin center (Settings > Org settings > \
             Organization profile). Secrets cannot be read. The API behind it is not published: see the provider's \
             page on `support_api_profile`.",
            vec![
                lookup::text("tenant_id", "The tenant, as configured in the provider block."),
                lookup::flag("configured", "Whether the integration has settings or repositories."),
                lookup::text("internal_support_tool", "Internal support tool, such as `ServiceNow`."),
                lookup::text("application_id", "Application ID to issue Auth Token."),
                Attribute::list_of(
                    "repositories",
                    vec![
                        lookup::text("repository_id", "Repository ID."),
                        lookup::text("endpoint", "Base URL of the instance."),
                        lookup::text("authentication_type", "`aad` or `basic`."),
                        lookup::text("client_id", "Client ID."),
                        lookup::text("rest_user_name", "Rest user name."),
                        lookup::integer("refresh_token_expiry", "Refresh token expiry in seconds."),
                    ],
                )
                .computed()
                .describe("The repositories, by id."),
            ],
        )
    }

    fn needs(&self) -> Vec<Need> {
        required_roles::of_admin_center()
    }
}

#[async_trait]
impl DataSource<Clients> for SupportIntegration {
    async fn read(&self, cx: &Context<Clients>, mut config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let microsoft = cx.microsoft()?;
        let limits = cx.limits();
        let failed = |error: &SupportError| diagnostics::of_support(error, "read the support integration");
        let settings = microsoft
            .support
            .find_settings(&limits)
            .await
            .map_err(|error| failed(&error))?;
        let mut repositories = microsoft
            .support
            .repositories(&limits)
            .await
            .map_err(|error| failed(&error))?;
        repositories.sort_by(|one, other| one.repository_id.cmp(&other.repository_id));
        config.set("tenant_id", microsoft.tenant_id.clone());
        let (tool, application) = settings.map_or((None, None), |it| (it.internal_support_tool, it.application_id));
        // A tenant without settings answers with empty ones.
        let is_configured = tool.is_some() || application.is_some() || !repositories.is_empty();
        config.set("configured", is_configured);
        config.set("internal_support_tool", tool);
        config.set("application_id", application);
        config.set(
            "repositories",
            repositories.into_iter().map(shown).collect::<Vec<Value>>(),
        );
        Ok((config, Diagnostics::new()))
    }
}

fn shown(repository: Repository) -> Value {
    Object::new()
        .with("repository_id", repository.repository_id)
        .with("endpoint", repository.endpoint)
        .with("authentication_type", repository.authentication_type)
        .with("client_id", repository.client_id)
        .with("rest_user_name", repository.rest_user_name)
        .with("refresh_token_expiry", repository.refresh_token_expiry)
        .into()
}
