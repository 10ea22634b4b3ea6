# The current settings of the admin center, before anything is written.
data "m365_support_integration" "now" {
  provider = servicenow
}

output "admin_center" {
  description = "Settings and repositories of the tenant."
  value       = data.m365_support_integration.now
}
