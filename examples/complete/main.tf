# Both sides in one configuration: azuread registers the applications, servicenow the trust in them.

# Signs in with the environment variables ARM_*.
provider "azuread" {}

provider "servicenow" {
  instance_url = var.instance_url
  username     = var.username
  password     = var.password
  microsoft365 = var.microsoft365
}

data "azuread_client_config" "current" {}

module "entra_apps" {
  source = "../../modules/entra-apps"

  servicenow_instance_url = var.instance_url
  name_prefix             = var.name_prefix
  owners                  = [data.azuread_client_config.current.object_id]
  secret_lifetime         = var.secret_lifetime
  rotate                  = var.rotate
}

module "m365_support_integration" {
  source = "../../modules/m365-support-integration"

  instance_url = var.instance_url
  tenant       = var.tenant
  login_url    = var.login_url
  name_prefix  = var.name_prefix

  # The outputs can be passed on as they are. "secret_version" is the key ID of the password: a rotation there sends the new secrets
  # here, and nothing else changes.
  outbound  = module.entra_apps.outbound
  inbound   = module.entra_apps.inbound
  rest_user = module.entra_apps.rest_user

  manage_admin_center = var.manage_admin_center
  administrators      = var.administrators
  insights_users      = var.insights_users
}
