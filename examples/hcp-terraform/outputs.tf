output "values_to_enter_by_hand" {
  description = "What a person still types or chooses in the set-up wizard and in the admin center."
  value       = module.m365_support_integration.values_to_enter_by_hand
}

output "secrets_to_enter_by_hand" {
  description = "The secrets among them. HCP Terraform shows them to nobody; read them from the state with the right to do so."
  value       = module.m365_support_integration.secrets_to_enter_by_hand
  sensitive   = true
}
