//! Why Entra refuses a token: codes and bodies as in its error reference.

use serde_json::{Value, json};

use crate::microsoft::ids;

/// A refusal. Its text is the sentence that follows the code.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The tenant in the address is not this one.
    #[error(
        "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
    )]
    UnknownTenant(String),
    /// `/common` or `/organizations` with a single-tenant application.
    #[error(
        "Application '{0}' is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps."
    )]
    NotMultiTenant(String),
    /// A form field is missing.
    #[error("The request body must contain the following parameter: '{0}'.")]
    MissingParameter(&'static str),
    /// A grant that the endpoint does not know.
    #[error("The app requested an unsupported grant type '{0}'.")]
    UnsupportedGrant(String),
    /// No such client in the tenant.
    #[error("Application with identifier '{client}' was not found in the directory '{tenant}'.")]
    UnknownApplication {
        /// As sent.
        client: String,
        /// The tenant's domain.
        tenant: String,
    },
    /// The client's service principal is disabled.
    #[error("Application '{0}' is disabled.")]
    Disabled(String),
    /// Neither secret nor assertion.
    #[error("The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")]
    NoCredential,
    /// The secret fits none of the application's.
    #[error(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{0}'."
    )]
    WrongSecret(String),
    /// The secret is right but over.
    #[error("The provided client secret keys for app '{0}' are expired.")]
    ExpiredSecret(String),
    /// The client was registered without a service principal.
    #[error("The client application {client} is missing service principal in the tenant {tenant}.")]
    NoServicePrincipal {
        /// Client id.
        client: String,
        /// Tenant id.
        tenant: String,
    },
    /// What was sent is no assertion, or not one of the trusted issuer.
    #[error("The client assertion cannot be verified. {0}")]
    BadAssertion(String),
    /// The header names no certificate of the application.
    #[error(
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Application: '{0}']"
    )]
    UnknownKey(String),
    /// The certificate that the header names did not sign the assertion.
    #[error(
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was found, but use of the key to verify the signature failed., Application: '{0}']"
    )]
    WrongSignature(String),
    /// The certificate is over, or not yet good.
    #[error("The provided certificate is not within its specified valid time range.")]
    CertificateNotValid,
    /// The assertion is about somebody else than the client.
    #[error("Client assertion application identifier doesn't match 'client_id' parameter.")]
    WrongAssertionSubject,
    /// The assertion is for another audience.
    #[error("Client assertion audience claim does not match Realm issuer.")]
    WrongAssertionAudience,
    /// The assertion is over, or not yet good.
    #[error("Client assertion is not within its valid time range.")]
    AssertionNotValid,
    /// No federated credential has the issuer.
    #[error("No matching federated identity record found for presented assertion issuer '{0}'.")]
    UnknownIssuer(String),
    /// No federated credential has the subject.
    #[error(
        "No matching federated identity record found for presented assertion subject '{0}'. The subject is compared literally."
    )]
    UnknownSubject(String),
    /// No federated credential has the audience.
    #[error("No matching federated identity record found for presented assertion audience '{0}'.")]
    UnknownAudience(String),
    /// The audience has no service principal here.
    #[error(
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant."
    )]
    UnknownResource {
        /// As asked for.
        resource: String,
        /// Tenant id.
        tenant: String,
    },
    /// The audience demands an assignment and the client has none.
    #[error("Application '{client}' is not assigned to a role for the application '{resource}'.")]
    NotAssigned {
        /// Client id.
        client: String,
        /// As asked for.
        resource: String,
    },
    /// A token for itself, asked for by address.
    #[error(
        "Application '{0}' is requesting a token for itself. This scenario is supported only if resource is specified using the GUID based App Identifier."
    )]
    ForItself(String),
    /// `resource` sent to the v2 endpoint.
    #[error("The 'resource' request parameter is not supported.")]
    ResourceNotSupported,
    /// The scope of an application that acts for itself is not `{resource}/.default`.
    #[error(
        "The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
    )]
    NotDefaultScope(String),
    /// The scope names more than one resource.
    #[error(
        "The provided value for the input parameter 'scope' is not valid because it contains more than one resource. Scope {0} is not valid."
    )]
    SeveralResources(String),
    /// The scope names no resource.
    #[error(
        "The provided value for the input parameter 'scope' is not valid because it is empty or names no resource."
    )]
    NoResource,
    /// Nobody has agreed that the client acts for the user there.
    #[error(
        "The user or administrator has not consented to use the application with ID '{0}'. Send an interactive authorization request for this user and resource."
    )]
    NoConsent(String),
    /// A public client sent a secret or an assertion.
    #[error("Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")]
    PublicClient,
    /// Nobody has entered the user code yet.
    #[error("OAuth 2.0 device flow error. Authorization is pending. Continue polling.")]
    Pending,
    /// Unknown device code, one of another client, or one that was used.
    #[error("Bad verification code. The device code is wrong, or belongs to another application.")]
    BadDeviceCode,
    /// The device code is over.
    #[error("The device code has expired. Request a new one.")]
    ExpiredDeviceCode,
    /// Unknown refresh token, or one of another client.
    #[error("Provided grant is invalid or malformed.")]
    MalformedGrant,
    /// The refresh token is over.
    #[error(
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."
    )]
    ExpiredGrant,
    /// The user's sessions were ended.
    #[error("The provided grant has expired due to it being revoked, a fresh auth token is needed.")]
    RevokedGrant,
    /// The key would not sign. The simulator's own fault.
    #[error("{0}")]
    Broken(String),
}

impl Refusal {
    /// The number after `AADSTS`.
    pub fn code(&self) -> u32 {
        self.row().0
    }

    /// `error` of the body.
    pub fn error(&self) -> &'static str {
        self.row().1
    }

    /// 401 for a client that could not prove itself, else 400.
    pub fn status(&self) -> u16 {
        match (self.code(), self.error()) {
            (TRANSIENT, _) => 500,
            (_, "invalid_client") => 401,
            _ => 400,
        }
    }

    /// The body: JSON, with the parts of its description divided by CR LF.
    pub fn body(&self) -> Value {
        let (trace, correlation) = (ids::guid(), ids::guid());
        let time = ids::now().replace('T', " ");
        let code = self.code();
        json!({
            "error": self.error(),
            "error_description": format!(
                "AADSTS{code}: {self} Trace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}"
            ),
            "error_codes": [code],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        })
    }

    fn row(&self) -> (u32, &'static str) {
        match self {
            Refusal::UnknownTenant(_) => (90002, "invalid_request"),
            Refusal::NotMultiTenant(_) => (50194, "invalid_request"),
            Refusal::MissingParameter(_) => (900_144, "invalid_request"),
            Refusal::UnsupportedGrant(_) => (70003, "unsupported_grant_type"),
            Refusal::UnknownApplication { .. } => (700_016, "unauthorized_client"),
            Refusal::Disabled(_) => (7_000_112, "unauthorized_client"),
            Refusal::NoCredential => (7_000_218, "invalid_client"),
            Refusal::WrongSecret(_) => (7_000_215, "invalid_client"),
            Refusal::ExpiredSecret(_) => (7_000_222, "invalid_client"),
            Refusal::NoServicePrincipal { .. } => (7_000_229, "invalid_client"),
            Refusal::BadAssertion(_) | Refusal::UnknownKey(_) | Refusal::WrongSignature(_) => {
                (700_027, "invalid_client")
            }
            Refusal::CertificateNotValid => (1_000_502, "invalid_client"),
            // Not reported anywhere in this form; the number is that of an issuer that is not the client.
            Refusal::WrongAssertionSubject => (700_021, "invalid_client"),
            Refusal::WrongAssertionAudience => (700_023, "invalid_client"),
            Refusal::AssertionNotValid => (700_024, "invalid_client"),
            Refusal::UnknownIssuer(_) => (700_211, "invalid_client"),
            Refusal::UnknownSubject(_) => (700_213, "invalid_client"),
            Refusal::UnknownAudience(_) => (700_212, "invalid_client"),
            Refusal::UnknownResource { .. } => (500_011, "invalid_resource"),
            Refusal::NotAssigned { .. } => (501_051, "invalid_grant"),
            Refusal::ForItself(_) => (90009, "invalid_request"),
            Refusal::ResourceNotSupported => (901_002, "invalid_request"),
            Refusal::NotDefaultScope(_) => (1_002_012, "invalid_scope"),
            Refusal::SeveralResources(_) => (700_022, "invalid_scope"),
            Refusal::NoResource => (700_023, "invalid_scope"),
            Refusal::NoConsent(_) => (65001, "invalid_grant"),
            Refusal::PublicClient => (700_025, "invalid_client"),
            Refusal::Pending => (70016, "authorization_pending"),
            Refusal::BadDeviceCode => (70018, "bad_verification_code"),
            Refusal::ExpiredDeviceCode => (70019, "expired_token"),
            Refusal::MalformedGrant => (70000, "invalid_grant"),
            Refusal::ExpiredGrant => (70008, "invalid_grant"),
            Refusal::RevokedGrant => (50173, "invalid_grant"),
            Refusal::Broken(_) => (TRANSIENT, "temporarily_unavailable"),
        }
    }
}

const TRANSIENT: u32 = 90024;
