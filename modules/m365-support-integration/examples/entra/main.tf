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

variable "client_secrets" {
  description = "Secrets of the applications, from a vault or an environment variable. In no plan and no state."
  type = object({
    outbound  = optional(string)
    inbound   = optional(string)
    rest_user = optional(string)
  })
  default   = {}
  ephemeral = true
  sensitive = true
}

# The guide, for applications that exist, with the admin center left to a person.
module "m365_support_integration" {
  source = "../.."

  instance_url = "https://contoso.service-now.com"
  tenant       = "contoso.com"

  outbound       = { client_id = "11111111-1111-4111-8111-111111111111" }
  inbound        = { client_id = "22222222-2222-4222-8222-222222222222" }
  rest_user      = { client_id = "33333333-3333-4333-8333-333333333333" }
  client_secrets = var.client_secrets
}

output "values_to_enter_by_hand" {
  description = "What to enter in the wizard and the admin center."
  value       = module.m365_support_integration.values_to_enter_by_hand
}
