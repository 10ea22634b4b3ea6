terraform {
  required_version = ">= 1.11.0"

  required_providers {
    servicenow = {
      source  = "servicenow-m365/servicenow"
      version = "~> 0.1"
    }
  }
}

# Signs in with the environment variables SERVICENOW_*.
provider "servicenow" {}

# With azuread, take the object ID from data "azuread_service_principal": see the README.
module "copilot_connector" {
  source = "../.."

  tenant_id                   = "44444444-4444-4444-8444-444444444444"
  service_principal_object_id = "55555555-5555-4555-8555-555555555555"

  # Content of Human Resources as well.
  roles = ["knowledge_admin", "sn_hr_core.content_reader", "user_admin", "user_criteria_admin"]
}
