//! What applications and service principals look like on the wire, and how a PATCH changes them.

use serde_json::{Map, Value, json};

use crate::microsoft::directory::{Application, Password, ServicePrincipal, Tenant};
use crate::microsoft::graph::roles;

/// An application as Graph shows it: every property, secrets never.
pub(super) fn application(tenant: &Tenant, application: &Application) -> Value {
    let mut shown = json!({
        "id": application.object_id,
        "appId": application.app_id,
        "applicationTemplateId": null,
        "createdDateTime": time(&application.created),
        "deletedDateTime": null,
        "disabledByMicrosoftStatus": null,
        "description": null,
        "displayName": null,
        "groupMembershipClaims": null,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": null,
        "isFallbackPublicClient": null,
        "notes": null,
        "optionalClaims": null,
        "publisherDomain": tenant.domain,
        "serviceManagementReference": null,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "tokenEncryptionKeyId": null,
        "oauth2RequirePostResponse": false,
        "addIns": [],
        "appRoles": [],
        "keyCredentials": [],
        "requiredResourceAccess": [],
        "api": {
            "acceptMappedClaims": null,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": null,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "info": {
            "logoUrl": null, "marketingUrl": null, "privacyStatementUrl": null, "supportUrl": null,
            "termsOfServiceUrl": null,
        },
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "publicClient": {"redirectUris": []},
        "spa": {"redirectUris": []},
        "web": {
            "homePageUrl": null,
            "logoutUrl": null,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false},
            "redirectUriSettings": [],
        },
    });
    merge(&mut shown, &application.fields);
    if let Some(claims) = shown["optionalClaims"].as_object_mut() {
        for token in ["accessToken", "idToken", "saml2Token"] {
            claims.entry(token).or_insert_with(|| json!([]));
        }
    }
    shown["passwordCredentials"] = application
        .passwords
        .iter()
        .map(|one| password(one, Secret::Hidden))
        .collect();
    shown
}

/// A time of a record; null in records that were made before it was kept.
fn time(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

/// Whether the secret is shown; only the request that makes it may.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Secret {
    Shown,
    Hidden,
}

/// A client secret's record.
pub(super) fn password(password: &Password, secret: Secret) -> Value {
    json!({
        "customKeyIdentifier": null,
        "displayName": password.display_name,
        "endDateTime": password.end,
        "hint": password.secret.get(..3),
        "keyId": password.key_id,
        "secretText": match secret {
            Secret::Shown => json!(password.secret),
            Secret::Hidden => Value::Null,
        },
        "startDateTime": password.start,
    })
}

/// A service principal as Graph shows it. Much of it is the application's.
pub(super) fn service_principal(tenant: &Tenant, principal: &ServicePrincipal) -> Value {
    let backing = tenant
        .application(&principal.app_id)
        .map(|found| application(tenant, found))
        .unwrap_or(json!({}));
    let mut names: Vec<&str> = principal.names.iter().map(String::as_str).collect();
    let uris = backing["identifierUris"].as_array().cloned().unwrap_or_default();
    names.extend(uris.iter().filter_map(Value::as_str));
    names.push(&principal.app_id);
    let list = |value: &Value| {
        if value.is_null() { json!([]) } else { value.clone() }
    };
    let mut shown = json!({
        "id": principal.object_id,
        "appId": principal.app_id,
        "accountEnabled": true,
        "addIns": [],
        "alternativeNames": [],
        "appDescription": null,
        "appDisplayName": backing["displayName"],
        "appOwnerOrganizationId": if principal.first_party { MICROSOFT_TENANT } else { tenant.id.as_str() },
        "appRoleAssignmentRequired": false,
        "appRoles": if principal.first_party { roles::offered(&principal.app_id) } else { list(&backing["appRoles"]) },
        "applicationTemplateId": null,
        "createdDateTime": time(&principal.created),
        "deletedDateTime": null,
        "description": null,
        "disabledByMicrosoftStatus": null,
        "displayName": backing["displayName"],
        "homepage": backing["web"]["homePageUrl"],
        "info": backing["info"],
        "keyCredentials": [],
        "loginUrl": null,
        "logoutUrl": backing["web"]["logoutUrl"],
        "notes": null,
        "notificationEmailAddresses": [],
        "oauth2PermissionScopes": if principal.first_party {
            roles::offered_scopes(&principal.app_id)
        } else {
            list(&backing["api"]["oauth2PermissionScopes"])
        },
        "passwordCredentials": principal.passwords.iter().map(|one| password(one, Secret::Hidden)).collect::<Value>(),
        "preferredSingleSignOnMode": null,
        "replyUrls": list(&backing["web"]["redirectUris"]),
        "samlMetadataUrl": null,
        "samlSingleSignOnSettings": null,
        "servicePrincipalNames": names,
        "servicePrincipalType": "Application",
        "signInAudience": if principal.first_party { json!("AzureADMultipleOrgs") } else { backing["signInAudience"].clone() },
        "tags": [],
    });
    merge(&mut shown, &principal.fields);
    shown
}

/// Puts changes into an object: complex properties one by one, lists and everything else as a whole.
///
/// One of the complex properties is replaced: the azuread provider clears the optional claims with `{}`. The others are
/// merged: its resources for redirect addresses, scopes and registrations each send their own part of `api` and `web`.
pub(super) fn merge(object: &mut Value, changes: &Map<String, Value>) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    for (name, change) in changes {
        let current = fields.entry(name.clone()).or_insert(Value::Null);
        match change {
            Value::Object(inner) if current.is_object() && name != "optionalClaims" => merge(current, inner),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                *current = change.clone();
            }
        }
    }
}

const MICROSOFT_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_claims_are_replaced() {
        let mut object = json!({"optionalClaims": {"idToken": [{"name": "email"}]}});

        let changes = json!({"optionalClaims": {}});
        merge(&mut object, changes.as_object().unwrap());

        assert_eq!(object, json!({"optionalClaims": {}}));
    }

    #[test]
    fn a_patch_keeps_what_it_does_not_name() {
        let mut object = json!({"web": {"homePageUrl": "https://a", "redirectUris": ["https://a/x"]}, "tags": ["a"]});

        let changes = json!({"web": {"redirectUris": []}, "tags": ["b"]});
        merge(&mut object, changes.as_object().unwrap());

        assert_eq!(
            object,
            json!({"web": {"homePageUrl": "https://a", "redirectUris": []}, "tags": ["b"]})
        );
    }
}
