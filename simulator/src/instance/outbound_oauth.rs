//! Outbound calls: what the instance does with an OAuth profile before it calls somebody else.

use crate::instance::store::{Rows, is_true, value};
use crate::instance::{Instance, Record};

impl Instance {
    /// The access token that the instance would send on an outbound call through an OAuth profile (name or `sys_id`)
    /// to `resource`, got with the stored client id and secret.
    ///
    /// # Errors
    /// The exact cause, as the instance's log would say.
    pub async fn outbound_token(&self, profile: &str, resource: &str) -> Result<String, String> {
        let outcome = match self.with_rows(|rows| token_request(rows, profile, resource)) {
            Ok((url, form)) => {
                let (status, answer) = self.inner.internet.post_form(&url, &form).await;
                match answer["access_token"].as_str() {
                    Some(token) if status == 200 => Ok(token.to_owned()),
                    _ => Err(format!(
                        "{url} answered {status}: {}",
                        answer["error_description"]
                            .as_str()
                            .or_else(|| answer["error"].as_str())
                            .unwrap_or("no access token")
                    )),
                }
            }
            Err(cause) => Err(cause),
        };
        if let Err(cause) = &outcome {
            self.note(&format!("OAuth outbound token failed: {cause}"));
        }
        outcome
    }
}

type TokenRequest = (String, Vec<(String, String)>);

fn token_request(rows: &Rows, name: &str, resource: &str) -> Result<TokenRequest, String> {
    let profile = chosen_profile(rows, name)?;
    let name = value(profile, "name");
    let entity_id = value(profile, "oauth_entity");
    let entity = rows
        .of_class("oauth_entity")
        .find(|entity| value(entity, "sys_id") == entity_id)
        .ok_or_else(|| format!("OAuth profile {name} points to no OAuth provider ({entity_id:?})"))?;
    let provider = value(entity, "name");
    if value(entity, "type") != "oauth_provider" {
        return Err(format!(
            "{provider} is of type {:?}, not oauth_provider",
            value(entity, "type")
        ));
    }
    if !is_true(entity, "active") {
        return Err(format!("OAuth provider {provider} is not active"));
    }
    let grant_type = value(profile, "grant_type");
    if grant_type != value(entity, "default_grant_type") {
        return Err(format!(
            "OAuth profile {name} has grant type {grant_type:?}, its provider {provider} {:?}",
            value(entity, "default_grant_type")
        ));
    }
    if grant_type != "client_credentials" {
        return Err(format!(
            "OAuth profile {name} has grant type {grant_type:?}, which needs a person"
        ));
    }
    let url = value(entity, "token_url");
    for column in ["token_url", "client_id", "client_secret"] {
        if value(entity, column).is_empty() {
            return Err(format!("OAuth provider {provider} has no {column}"));
        }
    }
    let mut form = vec![
        ("grant_type", grant_type.to_owned()),
        ("client_id", value(entity, "client_id").to_owned()),
        ("client_secret", value(entity, "client_secret").to_owned()),
    ];
    // The v1 endpoint wants a resource, v2 a scope; the application passes what fits.
    if url.contains("/v2.0/") {
        form.push(("scope", format!("{resource}/.default")));
    } else {
        form.push(("resource", resource.to_owned()));
    }
    let form = form.into_iter().map(|(field, text)| (field.to_owned(), text)).collect();
    Ok((url.to_owned(), form))
}

fn chosen_profile<'a>(rows: &'a Rows, name: &str) -> Result<&'a Record, String> {
    let mut found = rows
        .of_class("oauth_entity_profile")
        .filter(|row| value(row, "sys_id") == name || value(row, "name") == name);
    match (found.next(), found.next()) {
        (Some(profile), None) => Ok(profile),
        (None, _) => Err(format!("No OAuth profile {name}")),
        (Some(_), Some(_)) => Err(format!("Several OAuth profiles are named {name}")),
    }
}
