output "oauth_profile_name" {
  description = "What the set-up wizard asks for as the outbound registration."
  value       = module.m365_support_integration.oauth_profile_name
}

output "values_to_enter_by_hand" {
  description = "What a person still types or chooses in the set-up wizard and in the admin center."
  value       = module.m365_support_integration.values_to_enter_by_hand
}
