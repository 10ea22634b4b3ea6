# The same as ../complete, run by HCP Terraform without a stored credential. Run ./bootstrap once before.

# TFC_AZURE_PROVIDER_AUTH makes HCP Terraform inject client ID and token (ARM_CLIENT_ID, ARM_OIDC_TOKEN, ARM_USE_OIDC):
# neither may be set here.
provider "azuread" {
  tenant_id = var.tenant_id
  use_cli   = false
}

# The run's own token signs in to ServiceNow: TFC_WORKLOAD_IDENTITY_TOKEN_SERVICENOW, which HCP Terraform injects because
# the workspace has TFC_WORKLOAD_IDENTITY_AUDIENCE_SERVICENOW. For Microsoft 365 the provider reads the same variables as
# azuread.
provider "servicenow" {
  instance_url = var.instance_url

  microsoft365 = {
    tenant_id = var.tenant_id
  }
}

data "azuread_client_config" "current" {}

module "entra_apps" {
  source = "../../modules/entra-apps"

  servicenow_instance_url = var.instance_url
  owners                  = [data.azuread_client_config.current.object_id]
  rotate                  = var.rotate
}

module "m365_support_integration" {
  source = "../../modules/m365-support-integration"

  instance_url = var.instance_url
  tenant       = var.tenant_id
  login_url    = var.login_url

  outbound  = module.entra_apps.outbound
  inbound   = module.entra_apps.inbound
  rest_user = module.entra_apps.rest_user

  manage_admin_center = var.manage_admin_center
  administrators      = var.administrators
  insights_users      = var.insights_users
}
