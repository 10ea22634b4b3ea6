output "oidc_provider_id" {
  description = "sys_id of the OIDC registration."
  value       = servicenow_oidc_provider.this.id
}

output "oidc_configuration_id" {
  description = "sys_id of its provider configuration."
  value       = servicenow_oidc_provider.this.configuration_id
}

output "machine_user_id" {
  description = "sys_id of the machine user. Null in the preset `ess_user`."
  value       = one(servicenow_integration_user.this[*].id)
}

output "machine_user_name" {
  description = "User name of the machine user: the object ID of the caller's service principal. Null in the preset `ess_user`."
  value       = one(servicenow_integration_user.this[*].user_name)
}

output "client_id" {
  description = "Client ID that tokens must be issued for (`aud`)."
  value       = local.preset.client_id
}

output "values_to_enter_by_hand" {
  description = "What remains to be chosen when creating the connection, which has no published API: where, name of the field, value."
  value = {
    copilot_federated = [
      { where = "Microsoft 365 admin center > Copilot > Connectors > Gallery > ServiceNow Knowledge", field = "Authentication type", value = "Federated Auth", secret = false },
    ]
    copilot_own_app = [
      { where = "Microsoft 365 admin center > Copilot > Connectors > Gallery > ServiceNow Knowledge", field = "Authentication type", value = "Microsoft Entra ID OpenID Connect", secret = false },
      { where = "Microsoft 365 admin center > Copilot > Connectors > Gallery > ServiceNow Knowledge", field = "Client ID", value = local.preset.client_id, secret = false },
      { where = "Microsoft 365 admin center > Copilot > Connectors > Gallery > ServiceNow Knowledge", field = "Client secret", value = null, secret = true },
    ]
    ess_certificate = [
      { where = "Copilot Studio > ServiceNow connection", field = "Resource URI", value = local.preset.client_id, secret = false },
      { where = "Copilot Studio > ServiceNow connection", field = "Tenant", value = var.tenant_id, secret = false },
      { where = "Copilot Studio > ServiceNow connection", field = "Client certificate", value = null, secret = true },
    ]
    ess_user = [
      { where = "Copilot Studio > ServiceNow connection", field = "Resource URI", value = local.preset.client_id, secret = false },
    ]
  }[var.preset]
}
