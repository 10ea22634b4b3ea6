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

variable "client_secret" {
  description = "Secret of the application."
  type        = string
  ephemeral   = true
  sensitive   = true
}

module "copilot_connector" {
  source = "../.."
  preset = "copilot_own_app"

  tenant_id                   = "44444444-4444-4444-8444-444444444444"
  client_id                   = "66666666-6666-4666-8666-666666666666"
  service_principal_object_id = "55555555-5555-4555-8555-555555555555"

  client_secret         = var.client_secret
  client_secret_version = "1"
}
