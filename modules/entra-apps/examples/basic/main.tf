terraform {
  required_version = ">= 1.11.0"

  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.0"
    }
  }
}

provider "azuread" {
  tenant_id = var.tenant_id
}

variable "tenant_id" {
  description = "Directory (tenant) ID."
  type        = string
}

data "azuread_client_config" "current" {}

module "entra_apps" {
  source = "../.."

  servicenow_instance_url = "https://contoso.service-now.com"
  owners                  = [data.azuread_client_config.current.object_id]
}

output "client_ids" {
  description = "Names of the applications."
  value       = module.entra_apps.client_ids
}
