output "workspace_variables" {
  description = "What to set in the workspace. None of it is secret."
  value = {
    environment = {
      TFC_AZURE_PROVIDER_AUTH                   = "true"
      TFC_AZURE_RUN_CLIENT_ID                   = azuread_application.runs.client_id
      TFC_WORKLOAD_IDENTITY_AUDIENCE_SERVICENOW = servicenow_oidc_provider.runs.client_id
    }
    terraform = {
      instance_url = var.instance_url
      tenant_id    = data.azuread_client_config.current.tenant_id
    }
  }
}
