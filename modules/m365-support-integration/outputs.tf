output "values_to_enter_by_hand" {
  description = "What remains to be entered or chosen manually, in order: step of Microsoft's guide, where, name of the field, value. Where `secret` is true the value is in the output `secrets_to_enter_by_hand`, under the name in `secret_name`."
  value = [
    for entry in local.steps : {
      step        = entry.step
      where       = entry.where
      field       = entry.field
      value       = entry.value
      secret      = entry.secret != null
      secret_name = entry.secret
    }
  ]
}

output "secrets_to_enter_by_hand" {
  description = "The secrets among the values to enter manually, by name. Empty when `manage_admin_center` is true, or for secrets given in `client_secrets`, which leave no trace. Root modules that pass this on store it in their state."
  value = {
    for name in local.typed_secrets : name => {
      inbound   = try(var.inbound.client_secret, null)
      rest_user = try(var.rest_user.client_secret, null)
    }[name]
  }
  sensitive = true
}

output "oauth_entity_id" {
  description = "sys_id of the registration with which ServiceNow signs in to Microsoft."
  value       = servicenow_oauth_entity.outbound.id
}

output "oauth_profile_id" {
  description = "sys_id of that registration's default profile, which the wizard asks for."
  value       = servicenow_oauth_entity.outbound.default_profile_id
}

output "oauth_profile_name" {
  description = "Name of that profile, as the wizard lists it."
  value       = servicenow_oauth_entity.outbound.default_profile_name
}

output "oidc_provider_id" {
  description = "sys_id of the OIDC registration that accepts Microsoft's tokens. Null in variants without one."
  value       = one(servicenow_oidc_provider.inbound[*].id)
}

output "oidc_configuration_id" {
  description = "sys_id of the OIDC provider configuration. Null in variants without one."
  value       = one(servicenow_oidc_provider.inbound[*].configuration_id)
}

output "inbound_endpoint_id" {
  description = "sys_id of ServiceNow's own OAuth endpoint (variant `basic_v1`), else null."
  value       = one(servicenow_oauth_entity.inbound[*].id)
}

output "inbound_endpoint_client_id" {
  description = "Client ID of that endpoint (variant `basic_v1`), else null."
  value       = one(servicenow_oauth_entity.inbound[*].client_id)
}

output "integration_user_id" {
  description = "sys_id of the integration user. Null in variants without one."
  value       = one(servicenow_integration_user.rest_user[*].id)
}

output "integration_user_name" {
  description = "User name of the integration user. Null in variants without one."
  value       = one(servicenow_integration_user.rest_user[*].user_name)
}

output "repository_id" {
  description = "Repository ID in the Microsoft 365 admin center, whether written by this module or to be entered."
  value       = local.repository_id
}

output "endpoint" {
  description = "Address that the admin center stores for the instance, whether written by this module or to be entered."
  value       = local.endpoint
}
