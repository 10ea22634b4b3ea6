//! `servicenow_integration_readiness`: everything that the integration needs, looked at as a doctor would.
//!
//! What cannot be read is `unknown` and no error, so that an account with partial rights learns what it can.

mod account; // Sign-in, rights, current application.
mod application; // The installed application, its access to tables, its roles.
mod entra_addresses; // Metadata and token addresses.
mod finding; // What a check found.
mod platform; // Plugin and property of OAuth.
mod records; // Profiles, OIDC providers, the integration user.
mod wanted; // What to check.

use async_trait::async_trait;

use crate::records::lookup;
use crate::{
    clients::{Calls, Clients},
    plugin::{Attribute, BlockType, Context, DataSource, Diagnostics, Need, Object, Schema, Value, schema::validate},
    records::field,
    servicenow::tables::sys_scope,
};

use finding::{Finding, Status};
use wanted::Wanted;

pub(crate) struct IntegrationReadiness;

const INTEGRATION_ROLE: &str = "incident_manager";

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
        let addresses = entra_addresses::Addresses::of(cx, &config);
        let wanted = Wanted {
            application: text("application_scope").unwrap_or_else(|| sys_scope::MICROSOFT_APP.to_owned()),
            account: text("account").or_else(|| session.account()),
            integration_user: text("integration_user"),
            integration_role: text("integration_role").unwrap_or_else(|| INTEGRATION_ROLE.to_owned()),
            metadata_url: addresses.metadata_url,
            token_url: addresses.token_url,
        };
        let on_the_instance = async {
            let sign_in = account::sign_in(&session, &wanted).await;
            // Without an instance that answers, every check would say the same at length.
            if sign_in.status == Status::Fail {
                return vec![sign_in];
            }
            let (application, platform, account, records) = tokio::join!(
                application::check(&session, &wanted),
                platform::check(&session),
                account::check(&session, &wanted),
                records::check(&session, &wanted),
            );
            [vec![sign_in], application, platform, account, records].concat()
        };
        let (mut findings, outside) = tokio::join!(on_the_instance, entra_addresses::check(cx, &wanted));
        findings.extend(outside);
        let findings = in_order(findings);
        config.set("application_scope", wanted.application);
        config.set("integration_role", wanted.integration_role);
        config.set("ready", findings.iter().all(|finding| finding.status != Status::Fail));
        config.set("checks", findings.into_iter().map(Value::from).collect::<Vec<_>>());
        Ok((config, Diagnostics::new()))
    }
}

/// Every check in its place; one that was not made is unknown.
fn in_order(findings: Vec<Finding>) -> Vec<Finding> {
    let names = [
        &["sign_in"],
        application::NAMES,
        platform::NAMES,
        account::NAMES,
        records::NAMES,
        entra_addresses::NAMES,
    ]
    .concat();
    let found = |name: &str| findings.iter().find(|finding| finding.name == name).cloned();
    let not_made = |name| {
        let detail = "Not checked, because the instance did not respond to the first request.";
        Finding::new(name, Status::Unknown, detail, "See the check sign_in.")
    };
    names
        .into_iter()
        .map(|name| found(name).unwrap_or_else(|| not_made(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_place_and_one_that_was_not_made_is_unknown() {
        let found = vec![
            Finding::pass(entra_addresses::NAMES[0], "x"),
            Finding::fail("sign_in", "refused", "Check the password."),
        ];

        let ordered = in_order(found);

        assert_eq!((ordered[0].name, ordered[0].status), ("sign_in", Status::Fail));
        assert_eq!(ordered[1].status, Status::Unknown);
        let last = &ordered[ordered.len() - entra_addresses::NAMES.len()];
        assert_eq!((last.name, last.status), (entra_addresses::NAMES[0], Status::Pass));
        let mut names: Vec<_> = ordered.iter().map(|finding| finding.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ordered.len());
    }
}
