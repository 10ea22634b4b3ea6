# A registration that was created manually.
data "servicenow_oauth_entity" "outbound" {
  name = "m365supportintegration_outbound"
}

output "profile" {
  description = "What the set-up wizard asks for."
  value       = data.servicenow_oauth_entity.outbound.default_profile_name
}
