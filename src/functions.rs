//! Functions: addresses that both sides of the trust must spell alike. Pure: no client, clock or environment.

use crate::http::Origin;
use crate::microsoft::entra::Endpoint;
use crate::microsoft::entra::addresses::{self, SHARED_TENANTS};
use crate::plugin::provider::{Function, FunctionError, Parameter, Signature};
use crate::plugin::{Type, Value, diagnostics};

pub fn all() -> Vec<Box<dyn Function>> {
    vec![
        Box::new(OauthRedirectUrl),
        Box::new(EntraTokenUrl),
        Box::new(EntraOidcMetadataUrl),
    ]
}

/// `oauth_redirect_url(instance_url)`.
struct OauthRedirectUrl;

impl Function for OauthRedirectUrl {
    fn name(&self) -> &'static str {
        "oauth_redirect_url"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Redirect URL of a ServiceNow instance",
            description: "The redirect URL that an OAuth application registered for a ServiceNow instance must have: \
                          `https://<instance>/oauth_redirect.do`. Set it in the Entra application, and in \
                          `servicenow_oauth_entity` if the instance does not fill it in.",
            parameters: vec![Parameter {
                name: "instance_url",
                ty: Type::String,
                description: "Address of the instance, such as `https://contoso.service-now.com`.",
            }],
            returns: Type::String,
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let url = text(arguments, 0);
        let origin = Origin::parse(url).map_err(|error| {
            let remedy = "Use the address of the instance, such as https://contoso.service-now.com";
            FunctionError::at(0, diagnostics::explain(&error, remedy))
        })?;
        let base = origin.base();
        if base.path() != "/" {
            let text = format!(
                "{url:?} has the path {:?}. Use the address of the instance alone, such as https://{}.",
                base.path(),
                origin.host()
            );
            return Err(FunctionError::at(0, text));
        }
        Ok(format!("{}oauth_redirect.do", base.as_str()).into())
    }
}

/// `entra_token_url(tenant)`.
struct EntraTokenUrl;

impl Function for EntraTokenUrl {
    fn name(&self) -> &'static str {
        "entra_token_url"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Token URL of an Entra tenant",
            description: "Entra's version 1 token endpoint of a tenant in the worldwide cloud, which Microsoft's \
                          guide uses in ServiceNow's OAuth provider: \
                          `https://login.microsoftonline.com/<tenant>/oauth2/token`.",
            parameters: vec![tenant_parameter()],
            returns: Type::String,
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let tenant = tenant(arguments, 0)?;
        Ok(format!("{LOGIN}/{}", addresses::token_path(tenant, Endpoint::V1)).into())
    }
}

/// `entra_oidc_metadata_url(tenant, version)`.
struct EntraOidcMetadataUrl;

impl Function for EntraOidcMetadataUrl {
    fn name(&self) -> &'static str {
        "entra_oidc_metadata_url"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "OIDC metadata URL of an Entra tenant",
            description: "Address of the metadata document with which `servicenow_oidc_provider` checks Entra \
                          tokens, in the worldwide cloud. The version must be that of the tokens. The audience \
                          application decides it (`requestedAccessTokenVersion`), whatever endpoint the caller uses: \
                          null or 1 means \"1.0\", 2 means \"2.0\". Microsoft's guide uses \"1.0\".",
            parameters: vec![
                tenant_parameter(),
                Parameter {
                    name: "version",
                    ty: Type::String,
                    description: "Version of the tokens: `1.0` or `2.0`.",
                },
            ],
            returns: Type::String,
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let tenant = tenant(arguments, 0)?;
        let version = match text(arguments, 1) {
            "1" | "1.0" | "v1.0" => Endpoint::V1,
            "2" | "2.0" | "v2.0" => Endpoint::V2,
            other => {
                let text = format!(
                    "{other:?} is not a version of Entra tokens. Use \"1.0\", or \"2.0\" where the audience \
                     application has requestedAccessTokenVersion = 2."
                );
                return Err(FunctionError::at(1, text));
            }
        };
        Ok(format!("{LOGIN}/{}", addresses::metadata_path(tenant, version)).into())
    }
}

fn tenant_parameter() -> Parameter {
    Parameter {
        name: "tenant",
        ty: Type::String,
        description: "The tenant: its GUID, or one of its verified domains such as `contoso.com`.",
    }
}

fn text(arguments: &[Value], position: usize) -> &str {
    arguments.get(position).and_then(Value::as_str).unwrap_or_default()
}

fn tenant(arguments: &[Value], position: usize) -> Result<&str, FunctionError> {
    let tenant = text(arguments, position);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_guid = tenant.len() == 36 && tenant.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    if SHARED_TENANTS.contains(&tenant) {
        let text = format!(
            "{tenant:?} stands for every tenant, but an application signs in to one. Use the tenant's GUID or domain."
        );
        return Err(FunctionError::at(position, text));
    }
    let is_domain = tenant.contains('.') && !tenant.starts_with('.') && !tenant.ends_with('.');
    if tenant.chars().all(fits) && (is_guid || is_domain) {
        return Ok(tenant);
    }
    let text = format!("{tenant:?} is neither the GUID of a tenant nor a domain name such as contoso.com.");
    Err(FunctionError::at(position, text))
}

const LOGIN: &str = "https://login.microsoftonline.com";

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, arguments: &[&str]) -> Result<String, FunctionError> {
        let arguments: Vec<Value> = arguments.iter().map(|argument| Value::from(*argument)).collect();
        let functions = all();
        let function = functions.iter().find(|function| function.name() == name).unwrap();
        function
            .call(&arguments)
            .map(|value| value.as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn gives(name: &str, arguments: &[&str], expected: &str) {
        assert_eq!(call(name, arguments).unwrap(), expected);
    }

    #[track_caller]
    fn refuses(name: &str, arguments: &[&str], argument: usize, part: &str) {
        let error = call(name, arguments).unwrap_err();
        assert_eq!(error.argument, Some(argument), "{error:?}");
        assert!(error.text.contains(part), "{error:?}");
    }

    #[test]
    fn addresses_are_spelt_as_the_guide_has_them() {
        let redirect = "https://contoso.service-now.com/oauth_redirect.do";
        gives("oauth_redirect_url", &["https://contoso.service-now.com"], redirect);
        gives("oauth_redirect_url", &["https://Contoso.service-now.com/"], redirect);
        gives(
            "entra_token_url",
            &["contoso.com"],
            "https://login.microsoftonline.com/contoso.com/oauth2/token",
        );
        let tenant = "11111111-2222-3333-4444-555555555555";
        for version in ["1", "1.0"] {
            gives(
                "entra_oidc_metadata_url",
                &[tenant, version],
                &format!("https://login.microsoftonline.com/{tenant}/.well-known/openid-configuration"),
            );
        }
        gives(
            "entra_oidc_metadata_url",
            &["contoso.com", "2.0"],
            "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration",
        );
    }

    #[test]
    fn a_wrong_argument_is_named() {
        refuses("oauth_redirect_url", &["contoso"], 0, "https://contoso.service-now.com");
        refuses("oauth_redirect_url", &["http://contoso.service-now.com"], 0, "http");
        refuses(
            "oauth_redirect_url",
            &["https://contoso.service-now.com/oauth_redirect.do"],
            0,
            "the address of the instance alone",
        );
        for name in ["", "contoso", "common", "a/b.com", ".com"] {
            refuses("entra_token_url", &[name], 0, "tenant");
        }
        refuses("entra_oidc_metadata_url", &["a b", "1.0"], 0, "tenant");
        refuses("entra_oidc_metadata_url", &["contoso.com", "3.0"], 1, "2.0");
    }
}
