# Microsoft's guide "Configure Microsoft 365 support integration with Azure AD Auth Token", for applications that exist.
# See ../complete for the applications as well.

provider "servicenow" {
  instance_url = var.instance_url
  username     = var.username
  password     = var.password
  microsoft365 = var.microsoft365
}

module "m365_support_integration" {
  source = "../../modules/m365-support-integration"

  instance_url = var.instance_url
  tenant       = var.tenant
  login_url    = var.login_url
  variant      = var.variant

  outbound       = var.outbound
  inbound        = var.inbound
  rest_user      = var.rest_user
  client_secrets = var.client_secrets

  manage_admin_center = var.manage_admin_center
  administrators      = var.administrators
  insights_users      = var.insights_users
}
