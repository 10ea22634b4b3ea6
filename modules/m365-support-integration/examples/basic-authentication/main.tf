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
  description = "Secret of the outbound application, secret to give to ServiceNow's OAuth endpoint, password to give to the integration user."
  type = object({
    outbound  = optional(string)
    inbound   = optional(string)
    rest_user = optional(string)
  })
  default   = {}
  ephemeral = true
  sensitive = true
}

# Microsoft signs in with user name and password. The instance chooses the endpoint's client ID.
module "m365_support_integration" {
  source = "../.."

  instance_url = "https://contoso.service-now.com"
  tenant       = "contoso.com"
  variant      = "basic_v1"

  outbound       = { client_id = "11111111-1111-4111-8111-111111111111" }
  inbound        = {}
  rest_user      = { client_id = "m365.integration" }
  client_secrets = var.client_secrets
}
