output "values_to_enter_by_hand" {
  description = "What to enter or choose in the set-up wizard and in the admin center, in order."
  value       = module.m365_support_integration.values_to_enter_by_hand
}

output "secrets_to_enter_by_hand" {
  description = "The secrets among them, by name."
  value       = module.m365_support_integration.secrets_to_enter_by_hand
  sensitive   = true
}

output "secrets_expire_at" {
  description = "When the client secrets end. Change `rotate` before that."
  value       = module.entra_apps.secrets_expire_at
}
