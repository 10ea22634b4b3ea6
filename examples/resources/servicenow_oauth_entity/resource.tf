variable "client_secret" {
  description = "Secret of the Entra application."
  type        = string
  ephemeral   = true
}

# Steps P9 and P10 of Microsoft's guide: ServiceNow signs in to Microsoft.
resource "servicenow_oauth_entity" "outbound" {
  name               = "m365supportintegration_outbound"
  client_id          = "11111111-1111-4111-8111-111111111111"
  default_grant_type = "client_credentials"
  token_url          = provider::servicenow::entra_token_url("contoso.com")
  redirect_url       = provider::servicenow::oauth_redirect_url("https://contoso.service-now.com")

  # Sent, but kept neither in the plan nor in the state. A new version sends it again.
  client_secret_wo         = var.client_secret
  client_secret_wo_version = "1"
}

output "profile" {
  description = "What the set-up wizard asks for."
  value       = servicenow_oauth_entity.outbound.default_profile_name
}
