# Run once as an administrator of both sides. From then on the workspace signs in with the tokens that HCP
# Terraform issues to its runs, and no credential is stored anywhere.

# Signs in with the environment variables ARM_*, or as the user of the Azure command line.
provider "azuread" {}

# Signs in with the environment variables SERVICENOW_*.
provider "servicenow" {
  instance_url = var.instance_url
}

data "azuread_client_config" "current" {}

data "azuread_application_published_app_ids" "well_known" {}

# Microsoft Graph itself, which every tenant has. Only looked up: a resource would try to delete it on destroy.
data "azuread_service_principal" "graph" {
  client_id = data.azuread_application_published_app_ids.well_known.result["MicrosoftGraph"]
}

# The identity of the runs in Entra.
resource "azuread_application" "runs" {
  display_name     = "HCP Terraform ${var.organization}/${var.workspace}"
  sign_in_audience = "AzureADMyOrg"
  owners           = [data.azuread_client_config.current.object_id]

  required_resource_access {
    resource_app_id = data.azuread_service_principal.graph.client_id

    resource_access {
      id   = data.azuread_service_principal.graph.app_role_ids["Application.ReadWrite.OwnedBy"]
      type = "Role"
    }
  }
}

resource "azuread_service_principal" "runs" {
  client_id = azuread_application.runs.client_id
  owners    = [data.azuread_client_config.current.object_id]
}

# The administrator's consent.
resource "azuread_app_role_assignment" "runs" {
  app_role_id         = data.azuread_service_principal.graph.app_role_ids["Application.ReadWrite.OwnedBy"]
  principal_object_id = azuread_service_principal.runs.object_id
  resource_object_id  = data.azuread_service_principal.graph.object_id
}

# Plan and apply have subjects of their own, and Entra compares them character by character.
resource "azuread_application_federated_identity_credential" "runs" {
  for_each = toset(["plan", "apply"])

  application_id = azuread_application.runs.id
  display_name   = "hcp-terraform-${each.key}"
  issuer         = var.issuer
  subject        = "organization:${var.organization}:project:${var.project}:workspace:${var.workspace}:run_phase:${each.key}"
  audiences      = ["api://AzureADTokenExchange"]
}

# The instance trusts HCP Terraform's tokens for this audience.
resource "servicenow_oidc_provider" "runs" {
  name      = "HCP Terraform"
  client_id = var.servicenow_audience

  configuration = {
    name         = "HCP Terraform"
    metadata_url = "${var.issuer}/.well-known/openid-configuration"
    user_claim   = "terraform_workspace_id"
    user_field   = "user_name"
  }
}

resource "servicenow_integration_user" "runs" {
  user_name               = var.workspace_id
  first_name              = "HCP Terraform"
  last_name               = var.workspace
  web_service_access_only = true
  roles                   = var.run_user_roles
}
