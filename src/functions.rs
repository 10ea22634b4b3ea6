//! Functions: addresses that both sides of the trust must spell alike, and access rules as text. Pure: no client, clock or
//! environment.

use crate::access_rules_text::{self, Rules, Wrong};
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
        Box::new(AccessRulesScript),
        Box::new(AccessRulesUpdateSet),
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

/// `access_rules_script(names, role, operations)`.
struct AccessRulesScript;

impl Function for AccessRulesScript {
    fn name(&self) -> &'static str {
        "access_rules_script"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Background script that creates access rules (ACL)",
            description: "A script for *System Definition > Scripts - Background*, as text for somebody who may elevate to \
                          `security_admin`: no session of an API may create access rules. It creates a rule for each name and \
                          operation, which asks for the role, and prints what became of each. It can be run again: a rule that \
                          exists stays as it is. A rule that would be the first of its name is skipped unless \
                          `ALLOW_FIRST_RULES` is set to `true` in the script: it takes precedence over the rules that the name \
                          inherits, and whoever has access through these loses it. The same arguments give the same text.",
            parameters: vec![names_parameter(), role_parameter(), operations_parameter()],
            returns: Type::String,
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let rules = rules(arguments, 0, 1, 2)?;
        Ok(access_rules_text::script(&rules).into())
    }
}

/// `access_rules_update_set(names, role, role_id, operations)`.
struct AccessRulesUpdateSet;

impl Function for AccessRulesUpdateSet {
    fn name(&self) -> &'static str {
        "access_rules_update_set"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Update set with access rules (ACL)",
            description: "The same rules as [`access_rules_script`](access_rules_script.md) writes, as a file for *Retrieved \
                          Update Sets > Import Update Set from XML*: to be previewed and committed by somebody who may \
                          elevate to `security_admin`. The keys of the records are derived from the arguments, so importing it again, \
                          or after the script, creates no duplicates. It does not check whether a rule would be the first of its name. \
                          Operations other than `read`, `write`, `create`, `delete`, `query_range` and `report_view` have keys \
                          that differ between instances: for those use the script.",
            parameters: vec![
                names_parameter(),
                role_parameter(),
                Parameter {
                    name: "role_id",
                    ty: Type::String,
                    description: "`sys_id` of the role: `id` of `servicenow_role`, as resource or data source.",
                },
                operations_parameter(),
            ],
            returns: Type::String,
        }
    }

    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError> {
        let rules = rules(arguments, 0, 1, 3)?;
        let role = access_rules_text::role_key(text(arguments, 2)).map_err(|text| FunctionError::at(2, text))?;
        let text = access_rules_text::update_set(&rules, &role).map_err(|text| FunctionError::at(3, text))?;
        Ok(text.into())
    }
}

/// The rules that arguments at these positions ask for.
fn rules(arguments: &[Value], names: usize, role: usize, operations: usize) -> Result<Rules, FunctionError> {
    let list = |position: usize| arguments.get(position).and_then(Value::as_list).unwrap_or_default();
    let found = Rules::new(list(names), text(arguments, role), list(operations));
    found.map_err(|wrong| match wrong {
        Wrong::Names(text) => FunctionError::at(names, text),
        Wrong::Role(text) => FunctionError::at(role, text),
        Wrong::Operations(text) => FunctionError::at(operations, text),
    })
}

fn names_parameter() -> Parameter {
    Parameter {
        name: "names",
        ty: Type::list(Type::String),
        description: "What the rules are about: tables (`kb_knowledge`), single columns (`kb_knowledge.text`), or all columns of a \
                      table (`kb_knowledge.*`).",
    }
}

fn role_parameter() -> Parameter {
    Parameter {
        name: "role",
        ty: Type::String,
        description: "Name of the role that the rules ask for, such as `copilot_connector`.",
    }
}

fn operations_parameter() -> Parameter {
    Parameter {
        name: "operations",
        ty: Type::list(Type::String),
        description: "What the role may do: `read`, and `query_range` where the release has it (queries such as *starts with*, and \
                      sorting); `write`, `create`, `delete`, `query_match`, `conditional_table_query_range`, `data_fabric`, \
                      `report_view`, `report_on`, `list_edit`, `add_to_list`, `save_as_template`, `personalize_choices`, \
                      `edit_task_relations`, `edit_ci_relations`.",
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
