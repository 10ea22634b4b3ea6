//! `servicenow_integration_readiness`: what [`crate::readiness`] finds, for `check` blocks.

use async_trait::async_trait;

use crate::clients::{Calls, Clients};
use crate::plugin::schema::validate;
use crate::plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Schema, Value};
use crate::readiness::{self, Addresses, Wanted};
use crate::records::{field, lookup};
use crate::servicenow::tables::sys_scope;

/// The data source.
pub(crate) struct IntegrationReadiness;

impl BlockType for IntegrationReadiness {
    fn type_name(&self) -> &'static str {
        "servicenow_integration_readiness"
    }

    fn schema(&self) -> Schema {
        let name = |name, description: &str| {
            Attribute::text(name)
                .check(validate::not_blank())
                .check(field::key_text())
                .describe(description)
        };
        Schema::new(
            "Checks everything that the integration needs, with the account's rights, and changes nothing. For use \
             in `check` blocks: a problem is a result and not an error, and what the account may not read is \
             `unknown`.",
            vec![
                Attribute::text("application_scope")
                    .optional_computed()
                    .check(validate::not_blank())
                    .check(field::key_text())
                    .describe(format!(
                        "Scope of the application that needs access. Default `{}`.",
                        sys_scope::MICROSOFT_APP
                    )),
                name(
                    "account",
                    "User name of the account that Terraform uses. Not needed if the provider signs in with a user \
                     name.",
                ),
                name(
                    "integration_user",
                    "User name of the integration user. If omitted, every user who has the role and no access to the \
                     user interface is checked.",
                ),
                Attribute::text("integration_role")
                    .optional_computed()
                    .check(validate::not_blank())
                    .check(field::key_text())
                    .describe(format!("Role of the integration user. Default `{INTEGRATION_ROLE}`.")),
                name(
                    "tenant",
                    "Domain or id of the Microsoft tenant, for the two addresses below. Default: that of the provider block.",
                ),
                Attribute::text("metadata_url").check(validate::url()).describe(
                    "OIDC metadata address to check. Default: the tenant's address for version 1 tokens, as the \
                     guide enters it.",
                ),
                Attribute::text("token_url")
                    .check(validate::url())
                    .describe("Token address to check. Default: the tenant's, as the guide enters it."),
                lookup::flag(
                    "ready",
                    "Whether no check failed. Checks that are `unknown` or `warn` do not count.",
                ),
                Attribute::list_of(
                    "checks",
                    vec![
                        lookup::text("name", "Name of the check; always the same names in the same order."),
                        lookup::text(
                            "status",
                            "`pass`, `warn`, `fail`, or `unknown` if the account may not read \
                                                what is checked.",
                        ),
                        lookup::text("detail", "What was found."),
                        lookup::text("remedy", "What to do about it; empty if nothing needs to be done."),
                    ],
                )
                .computed()
                .describe("The checks."),
            ],
        )
    }

    fn needs(&self) -> Vec<Need> {
        vec![Need::new(
            "none in particular: what the account may not read is reported as `unknown`",
            "each check",
        )]
    }
}

#[async_trait]
impl DataSource<Clients> for IntegrationReadiness {
    async fn read(&self, cx: &Context<Clients>, mut config: Object) -> Result<(Object, Diagnostics), Diagnostics> {
        let session = cx.instance()?;
        let text = |name: &str| config.text(name).map(str::to_owned);
        let addresses = Addresses::of(cx, &config);
        let wanted = Wanted {
            application: text("application_scope").unwrap_or_else(|| sys_scope::MICROSOFT_APP.to_owned()),
            account: text("account").or_else(|| session.account()),
            integration_user: text("integration_user"),
            integration_role: text("integration_role").unwrap_or_else(|| INTEGRATION_ROLE.to_owned()),
            metadata_url: addresses.metadata_url,
            token_url: addresses.token_url,
        };
        let findings = readiness::check(cx, &session, &wanted).await;
        config.set("application_scope", wanted.application);
        config.set("integration_role", wanted.integration_role);
        config.set("ready", findings.iter().all(|finding| !finding.is_failure()));
        config.set("checks", findings.into_iter().map(Value::from).collect::<Vec<_>>());
        Ok((config, Diagnostics::new()))
    }
}

const INTEGRATION_ROLE: &str = "incident_manager";
