# Does the instance already trust this tenant? It may refuse a second configuration for the same address.
data "servicenow_oidc_provider" "existing" {
  name = "contoso_application_inbound_api"
}

output "configuration_id" {
  description = "To be shared by another registration."
  value       = data.servicenow_oidc_provider.existing.configuration_id
}
