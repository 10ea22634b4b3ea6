//! The outbound leg: the instance asks Entra for a token, the support service takes it.

use serde_json::Value;

use crate::connection_test::{Attempt, ConnectionTest, Leg};
use crate::instance::Record;
use crate::microsoft::directory::{SUPPORT_APP, SUPPORT_RESOURCE};
use crate::microsoft::keys;

impl ConnectionTest {
    pub(super) async fn outbound(&self, profile: Option<&str>) -> Leg {
        let mut leg = Attempt::new("outbound");
        if let Err(cause) = self.try_outbound(&mut leg, profile).await {
            leg.fail(cause);
        }
        leg.end()
    }

    async fn try_outbound(&self, leg: &mut Attempt, profile: Option<&str>) -> Result<(), String> {
        let tool = self.admin.support_tool();
        if tool != "ServiceNow" {
            return Err(format!("the admin center's support tool is '{tool}', not 'ServiceNow'"));
        }
        let expected = self.admin.application_id();
        if expected.is_empty() {
            return Err("the admin center has no application id to issue the token".to_owned());
        }
        leg.reached(format!("the admin center expects tokens of application {expected}"));

        let profile = match profile {
            Some(profile) => profile.to_owned(),
            None => self.default_profile(leg, &expected)?,
        };
        let token = self.instance.outbound_token(&profile, SUPPORT_RESOURCE).await?;
        leg.reached("Entra gave the instance a token for its stored client id and secret".to_owned());

        let caller = self.accept(&token)?;
        if caller != expected {
            return Err(format!(
                "the support service refused the token: it comes from application {caller}, the admin center names {expected}"
            ));
        }
        leg.reached("the support service accepted the token".to_owned());
        Ok(())
    }

    /// The default profile of the provider that the wizard would offer.
    fn default_profile(&self, leg: &mut Attempt, expected: &str) -> Result<String, String> {
        let providers: Vec<Record> = self
            .instance
            .records("oauth_entity")
            .into_iter()
            .filter(|entity| {
                column(entity, "sys_class_name") == "oauth_entity" && column(entity, "type") == "oauth_provider"
            })
            .collect();
        // An instance has providers of other integrations, so the one that fits comes first; else the newest one
        // goes on to be refused with the reason.
        let provider = providers
            .iter()
            .rev()
            .find(|entity| column(entity, "client_id") == expected)
            .or_else(|| providers.last())
            .ok_or("the instance has no OAuth provider (oauth_entity of type oauth_provider)")?;
        let name = column(provider, "name");
        leg.reached(format!(
            "the instance has OAuth provider '{name}' for client {}",
            column(provider, "client_id")
        ));
        if column(provider, "active") == "false" {
            return Err(format!("OAuth provider '{name}' is not active"));
        }
        let profiles = self
            .instance
            .find("oauth_entity_profile", "oauth_entity", &column(provider, "sys_id"));
        let profile = profiles
            .iter()
            .find(|profile| column(profile, "default") == "true")
            .ok_or_else(|| format!("OAuth provider '{name}' has no default profile"))?;
        leg.reached(format!("its default profile is '{}'", column(profile, "name")));
        Ok(column(profile, "sys_id"))
    }

    /// The support service's look at the token; answers the application that it comes from.
    fn accept(&self, token: &str) -> Result<String, String> {
        let refused = |why: String| format!("the support service refused the token: {why}");
        let published = keys::entra().map_err(|error| error.to_string())?.key_set();
        let claims = keys::verify(token, &published).ok_or_else(|| refused("Entra did not sign it".to_owned()))?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let audience = text("aud").trim_end_matches('/');
        if audience != SUPPORT_RESOURCE && audience != SUPPORT_APP {
            return Err(refused(format!("its audience is '{audience}', not {SUPPORT_RESOURCE}")));
        }
        let tenant = self.entra.directory().with(|tenant| tenant.id.clone());
        if text("tid") != tenant {
            return Err(refused(format!("it is of tenant '{}', not {tenant}", text("tid"))));
        }
        if claims
            .get("exp")
            .and_then(Value::as_i64)
            .is_none_or(|end| end <= jiff::Timestamp::now().as_second())
        {
            return Err(refused("it has expired".to_owned()));
        }
        let caller = if text("ver") == "2.0" {
            text("azp")
        } else {
            text("appid")
        };
        Ok(caller.to_owned())
    }
}

pub(super) fn column(record: &Record, name: &str) -> String {
    record.get(name).cloned().unwrap_or_default()
}
