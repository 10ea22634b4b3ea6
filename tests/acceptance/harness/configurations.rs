//! Configurations that several tests make fail, each of one resource named `this`.

/// An OIDC provider with a configuration of its own and an auth scope.
pub(crate) const PROVIDER: &str = r#"
    resource "servicenow_oidc_provider" "this" {
      name        = "Inbound"
      client_id   = "11111111-2222-3333-4444-555555555555"
      auth_scopes = ["useraccount"]
      configuration = {
        name         = "Entra"
        metadata_url = "https://login.microsoftonline.com/t/.well-known/openid-configuration"
      }
    }
"#;

/// An entry of the application registry.
pub(crate) const ENTITY: &str = r#"
    resource "servicenow_oauth_entity" "this" {
      name      = "Outbound"
      client_id = "11111111-2222-3333-4444-555555555555"
    }
"#;

/// A user with a password, a role and a group.
pub(crate) const USER: &str = r#"
    resource "servicenow_integration_user" "this" {
      user_name = "robot"
      password  = "a-password-of-it"
      roles     = ["incident_manager"]
      groups    = ["Hardware"]
    }
"#;

/// A repository of the admin center.
pub(crate) const REPOSITORY: &str = r#"
    resource "m365_support_repository" "this" {
      provider      = servicenow
      repository_id = "contoso"
      endpoint      = "https://contoso.service-now.com/"
    }
"#;

/// The settings of the tenant.
pub(crate) const SETTINGS: &str = r#"
    resource "m365_support_settings" "this" {
      provider       = servicenow
      application_id = "11111111-2222-3333-4444-555555555555"
    }
"#;

/// An address rule.
pub(crate) const RULE: &str = r#"
    resource "servicenow_ip_access_rule" "this" {
      type        = "allow"
      direction   = "inbound"
      range_start = "52.149.152.32"
    }
"#;

/// A group with a role and a member.
pub(crate) const GROUP: &str = r#"
    resource "servicenow_group" "this" {
      name    = "Copilot readers"
      roles   = ["knowledge"]
      members = ["abel.tuter"]
    }
"#;

/// A role that contains another.
pub(crate) const ROLE: &str = r#"
    resource "servicenow_role" "this" {
      name     = "copilot_connector"
      contains = ["knowledge"]
    }
"#;

/// A privilege of an application.
pub(crate) const PRIVILEGE: &str = r#"
    resource "servicenow_cross_scope_privilege" "this" {
      source_scope = "x_mioms_m365_assis"
      target_scope = "global"
      target_name  = "oauth_entity"
      target_type  = "sys_db_object"
      operation    = "read"
      status       = "allowed"
    }
"#;

/// A resource that another value of `cause` replaces, its successor first.
pub(crate) fn replaced_after_creation(resource: &str, cause: &str) -> String {
    let body = resource.trim_end().trim_end_matches('}');
    format!(
        "resource \"terraform_data\" \"cause\" {{\n  input = \"{cause}\"\n}}\n{body}\n  lifecycle {{\n    create_before_destroy = \
         true\n    replace_triggered_by = [terraform_data.cause]\n  }}\n}}\n"
    )
}
