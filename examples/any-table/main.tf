# Records of tables that have no resource type of their own: a property, a role with what it contains, and what a flow needs to call
# another system with OAuth.

terraform {
  required_version = ">= 1.11.0"

  required_providers {
    servicenow = {
      source  = "servicenow-m365/servicenow"
      version = "~> 0.1"
    }
  }
}

variable "client_secret" {
  description = "Secret of the application at the other system."
  type        = string
  sensitive   = true
  ephemeral   = true
}

# Signs in with the environment variables SERVICENOW_*.
provider "servicenow" {}

# A system property.
resource "servicenow_record" "timeout" {
  table       = "sys_properties"
  natural_key = ["name"]

  fields = {
    name        = "x_acme.timeout"
    value       = "30"
    type        = "integer"
    description = "Seconds until a call to Acme is given up."
  }
}

# A role with the roles that it contains has a type of its own.
resource "servicenow_role" "acme_operator" {
  name        = "acme_operator"
  description = "Runs the integration with Acme."
  contains    = ["itil", "knowledge"]
}

# How to get a token. The instance makes the OAuth profile that the credential refers to.
resource "servicenow_oauth_entity" "acme" {
  name      = "Acme"
  client_id = "11111111-2222-4333-8444-555555555555"
  token_url = "https://login.acme.example/oauth2/token"

  client_secret_wo         = var.client_secret
  client_secret_wo_version = "1"
}

# The name that flows and spokes use. Letters, digits and underscores.
resource "servicenow_record" "alias" {
  table       = "sys_alias"
  natural_key = ["name"]

  fields = {
    name            = "acme"
    type            = "connection"
    connection_type = "http_connection"
  }
}

resource "servicenow_record" "credential" {
  table       = "oauth_2_0_credentials"
  natural_key = ["name"]

  fields = {
    name                 = "Acme"
    oauth_entity_profile = servicenow_oauth_entity.acme.default_profile_id
  }
}

resource "servicenow_record" "connection" {
  table       = "http_connection"
  natural_key = ["name"]

  fields = {
    name             = "Acme"
    connection_alias = servicenow_record.alias.id
    credential       = servicenow_record.credential.id
    connection_url   = "https://api.acme.example"
  }
}

output "alias" {
  description = "What a flow chooses as its connection."
  value       = servicenow_record.alias.id
}
