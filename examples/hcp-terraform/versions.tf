terraform {
  required_version = ">= 1.11.0"

  # Organization, project and workspace come from TF_CLOUD_ORGANIZATION, TF_CLOUD_PROJECT and TF_WORKSPACE, so that this
  # folder works for every organization.
  cloud {}

  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.0"
    }
    servicenow = {
      source  = "servicenow-m365/servicenow"
      version = "~> 0.1"
    }
  }
}
