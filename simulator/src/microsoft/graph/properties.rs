//! Which properties applications and service principals have, and of which type each is.
//!
//! From the reference of Microsoft Graph. A property that is not there is refused, as OData does: a client that misspells
//! one would otherwise find it kept.

use serde_json::{Map, Value};

use crate::microsoft::graph::refusal::Refusal;

/// What a property holds. Null is taken everywhere.
#[derive(Clone, Copy)]
enum Type {
    Text,
    Flag,
    Number,
    /// A list of texts.
    Texts,
    /// A list of objects.
    Objects,
    /// An object with these properties.
    Complex(Properties),
    /// Not looked into.
    Any,
}

type Properties = &'static [(&'static str, Type)];

/// Refuses what a body has that an application has not.
pub(super) fn check_application(fields: &Map<String, Value>) -> Result<(), Refusal> {
    check(APPLICATION, fields)
}

/// Refuses what a body has that a service principal has not.
pub(super) fn check_principal(fields: &Map<String, Value>) -> Result<(), Refusal> {
    check(SERVICE_PRINCIPAL, fields)
}

fn check(known: Properties, fields: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in fields.iter().filter(|(name, _)| !name.contains('@')) {
        let Some((_, of)) = known.iter().find(|(known, _)| known == name) else {
            return Err(Refusal::Invalid(format!("Invalid property '{name}'.")));
        };
        let fits = match (of, value) {
            (Type::Any, _) | (_, Value::Null) => true,
            (Type::Text, value) => value.is_string(),
            (Type::Flag, value) => value.is_boolean(),
            (Type::Number, value) => value.is_number(),
            (Type::Texts, Value::Array(list)) => list.iter().all(Value::is_string),
            (Type::Objects, Value::Array(list)) => list.iter().all(Value::is_object),
            (Type::Complex(inner), Value::Object(object)) => {
                check(inner, object)?;
                true
            }
            (Type::Texts | Type::Objects | Type::Complex(_), _) => false,
        };
        if !fits {
            return Err(Refusal::Invalid(format!(
                "Invalid value specified for property '{name}'."
            )));
        }
        let is_too_long =
            name == "displayName" && value.as_str().is_some_and(|text| text.chars().count() > LONGEST_NAME);
        if is_too_long {
            return Err(Refusal::Invalid(format!(
                "Invalid value specified for property '{name}': it has more than {LONGEST_NAME} characters."
            )));
        }
    }
    Ok(())
}

const LONGEST_NAME: usize = 256;

const REDIRECTS: Properties = &[("redirectUris", Type::Texts)];

const WEB: Properties = &[
    ("homePageUrl", Type::Text),
    ("implicitGrantSettings", Type::Complex(IMPLICIT_GRANT)),
    ("logoutUrl", Type::Text),
    ("redirectUriSettings", Type::Objects),
    ("redirectUris", Type::Texts),
];

const IMPLICIT_GRANT: Properties = &[
    ("enableAccessTokenIssuance", Type::Flag),
    ("enableIdTokenIssuance", Type::Flag),
];

const API: Properties = &[
    ("acceptMappedClaims", Type::Flag),
    ("knownClientApplications", Type::Texts),
    ("oauth2PermissionScopes", Type::Objects),
    ("preAuthorizedApplications", Type::Objects),
    ("requestedAccessTokenVersion", Type::Number),
];

const INFO: Properties = &[
    ("logoUrl", Type::Text),
    ("marketingUrl", Type::Text),
    ("privacyStatementUrl", Type::Text),
    ("supportUrl", Type::Text),
    ("termsOfServiceUrl", Type::Text),
];

const OPTIONAL_CLAIMS: Properties = &[
    ("accessToken", Type::Objects),
    ("idToken", Type::Objects),
    ("saml2Token", Type::Objects),
];

const PARENTAL_CONTROL: Properties = &[
    ("countriesBlockedForMinors", Type::Texts),
    ("legalAgeGroupRule", Type::Text),
];

const APPLICATION: Properties = &[
    ("addIns", Type::Objects),
    ("api", Type::Complex(API)),
    ("appRoles", Type::Objects),
    ("applicationTemplateId", Type::Text),
    ("authenticationBehaviors", Type::Any),
    ("certification", Type::Any),
    ("defaultRedirectUri", Type::Text),
    ("description", Type::Text),
    ("disabledByMicrosoftStatus", Type::Text),
    ("displayName", Type::Text),
    ("groupMembershipClaims", Type::Text),
    ("identifierUris", Type::Texts),
    ("info", Type::Complex(INFO)),
    ("isDeviceOnlyAuthSupported", Type::Flag),
    ("isFallbackPublicClient", Type::Flag),
    ("keyCredentials", Type::Objects),
    ("logo", Type::Any),
    ("nativeAuthenticationApisEnabled", Type::Any),
    ("notes", Type::Text),
    ("oauth2RequirePostResponse", Type::Flag),
    ("optionalClaims", Type::Complex(OPTIONAL_CLAIMS)),
    ("parentalControlSettings", Type::Complex(PARENTAL_CONTROL)),
    ("passwordCredentials", Type::Objects),
    ("publicClient", Type::Complex(REDIRECTS)),
    ("requestSignatureVerification", Type::Any),
    ("requiredResourceAccess", Type::Objects),
    ("samlMetadataUrl", Type::Text),
    ("serviceManagementReference", Type::Text),
    ("servicePrincipalLockConfiguration", Type::Any),
    ("signInAudience", Type::Text),
    ("signInAudienceRestrictions", Type::Any),
    ("spa", Type::Complex(REDIRECTS)),
    ("tags", Type::Texts),
    ("tokenEncryptionKeyId", Type::Text),
    ("uniqueName", Type::Text),
    ("verifiedPublisher", Type::Any),
    ("web", Type::Complex(WEB)),
    ("windows", Type::Any),
];

const SERVICE_PRINCIPAL: Properties = &[
    ("accountEnabled", Type::Flag),
    ("addIns", Type::Objects),
    ("alternativeNames", Type::Texts),
    ("appDescription", Type::Text),
    ("appDisplayName", Type::Text),
    ("appOwnerOrganizationId", Type::Text),
    ("appRoleAssignmentRequired", Type::Flag),
    ("appRoles", Type::Objects),
    ("applicationTemplateId", Type::Text),
    ("customSecurityAttributes", Type::Any),
    ("description", Type::Text),
    ("disabledByMicrosoftStatus", Type::Text),
    ("displayName", Type::Text),
    ("homepage", Type::Text),
    ("info", Type::Complex(INFO)),
    ("keyCredentials", Type::Objects),
    ("loginUrl", Type::Text),
    ("logoutUrl", Type::Text),
    ("notes", Type::Text),
    ("notificationEmailAddresses", Type::Texts),
    ("oauth2PermissionScopes", Type::Objects),
    ("passwordCredentials", Type::Objects),
    ("preferredSingleSignOnMode", Type::Text),
    ("preferredTokenSigningKeyThumbprint", Type::Text),
    ("replyUrls", Type::Texts),
    ("resourceSpecificApplicationPermissions", Type::Objects),
    ("samlMetadataUrl", Type::Text),
    ("samlSingleSignOnSettings", Type::Any),
    ("servicePrincipalNames", Type::Texts),
    ("servicePrincipalType", Type::Text),
    ("signInAudience", Type::Text),
    ("tags", Type::Texts),
    ("tokenEncryptionKeyId", Type::Text),
    ("verifiedPublisher", Type::Any),
];
