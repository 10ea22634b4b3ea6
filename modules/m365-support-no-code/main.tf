# A no-code module is deployed as a root module, so that it declares its providers. Credentials come from a variable set
# of the project: see README.md.

provider "azuread" {
  tenant_id = var.tenant_id
  use_cli   = false
}

provider "servicenow" {
  instance_url = var.instance_url

  microsoft365 = {
    tenant_id = var.tenant_id
  }
}

data "azuread_client_config" "current" {}

# When the module is published, scripts/publish-private-registry puts the two modules into its folder modules/.
module "entra_apps" {
  source = "../entra-apps"

  servicenow_instance_url = var.instance_url
  name_prefix             = local.name_prefix
  owners                  = [data.azuread_client_config.current.object_id]
  rotate                  = var.rotate
}

module "m365_support_integration" {
  source = "../m365-support-integration"

  instance_url = var.instance_url
  tenant       = var.tenant_id
  name_prefix  = local.name_prefix

  outbound  = module.entra_apps.outbound
  inbound   = module.entra_apps.inbound
  rest_user = module.entra_apps.rest_user

  manage_admin_center = false
  test_environment    = var.test_environment
  administrators      = local.administrators
  insights_users      = local.insights_users
}

locals {
  # The wizard's own names, with its prefix for test instances.
  name_prefix = "${var.test_environment ? "dev_" : ""}m365supportintegration"

  # The form of a no-code deployment has text fields only.
  administrators = toset([for name in split(",", var.administrators) : trimspace(name) if trimspace(name) != ""])
  insights_users = toset([for name in split(",", var.insights_users) : trimspace(name) if trimspace(name) != ""])
}
