# Microsoft 365 Copilot connector for ServiceNow, Federated Auth: no secret anywhere.

terraform {
  required_version = ">= 1.11.0"

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

variable "instance_url" {
  description = "Address of the ServiceNow instance."
  type        = string
}

variable "login_url" {
  description = "Entra's address as the ServiceNow instance must see it."
  type        = string
  default     = "https://login.microsoftonline.com"
}

# Signs in with the environment variables ARM_*.
provider "azuread" {}

# Signs in with the environment variables SERVICENOW_*.
provider "servicenow" {
  instance_url = var.instance_url
}

data "azuread_client_config" "current" {}

# Microsoft's own application. Where it is missing, open the connector in the admin center's gallery once.
data "azuread_service_principal" "connector" {
  client_id = "933838e2-bec1-440f-a634-9363c82e5b6d"
}

module "copilot_connector" {
  source = "../../modules/copilot-connector"

  tenant_id                   = data.azuread_client_config.current.tenant_id
  service_principal_object_id = data.azuread_service_principal.connector.object_id
  login_url                   = var.login_url
}

output "values_to_enter_by_hand" {
  description = "What a person still chooses when creating the connection."
  value       = module.copilot_connector.values_to_enter_by_hand
}
