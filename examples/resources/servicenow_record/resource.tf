# A system property.
resource "servicenow_record" "session_timeout" {
  table       = "sys_properties"
  natural_key = ["name"]

  fields = {
    name        = "x_acme.session_timeout"
    value       = "30"
    type        = "integer"
    description = "Minutes until a session of the integration ends."
  }
}

# A record of a table that was made on the instance, with a reference by name and a secret.
resource "servicenow_record" "acme" {
  table       = "u_supplier"
  natural_key = ["u_code"]

  fields = {
    u_name  = "Acme Corporation"
    u_code  = "ACME"
    u_tier  = "1"
    u_owner = "System Administrator"
  }

  fields_wo         = { u_api_key = var.acme_api_key }
  fields_wo_version = "1"
}

variable "acme_api_key" {
  type      = string
  sensitive = true
  ephemeral = true
}
