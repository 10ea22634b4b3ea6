variable "servicenow_instance_url" {
  description = "Address of the ServiceNow instance, without a path, such as `https://contoso.service-now.com`. The redirect URI of the outbound application is built from it."
  type        = string

  validation {
    condition     = can(regex("^https?://[^/?#]+/?$", var.servicenow_instance_url))
    error_message = "servicenow_instance_url must be an address without a path, such as https://contoso.service-now.com."
  }
}

variable "name_prefix" {
  description = "First part of the display names of the applications. The set-up wizard recommends `m365supportintegration`, and `dev_m365supportintegration` for a test instance."
  type        = string
  default     = "m365supportintegration"

  validation {
    condition     = length(trimspace(var.name_prefix)) > 0 && length(var.name_prefix) <= 80
    error_message = "name_prefix must have 1 to 80 characters, such as m365supportintegration."
  }
}

variable "owners" {
  description = "Object IDs of the users and service principals that own the applications. With the Graph permission `Application.ReadWrite.OwnedBy` the identity that runs Terraform must be one of them: `[data.azuread_client_config.current.object_id]`."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for owner in var.owners : can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", owner))])
    error_message = "owners must be object IDs (GUIDs) of users or service principals, not names or client IDs of applications."
  }
}

variable "secret_lifetime" {
  description = "How long a client secret is valid, as a duration in hours, minutes and seconds. The default is 180 days, the longest that CISA's baseline for Microsoft 365 allows. A change creates new secrets."
  type        = string
  default     = "4320h"
  nullable    = false

  validation {
    condition     = can(timeadd("2026-01-01T00:00:00Z", var.secret_lifetime)) && try(timecmp(timeadd("2026-01-01T00:00:00Z", var.secret_lifetime), "2026-01-02T00:00:00Z") >= 0, false)
    error_message = "secret_lifetime must be a duration of at least 24h, such as 4320h for 180 days. Days and months are not units that Terraform knows."
  }
}

variable "rotate" {
  description = "Any text. A change creates new secrets: they are created and distributed first, then the old ones are removed. Use a date that you change manually, or the ID of a `time_rotating` resource for scheduled rotation."
  type        = string
  default     = "1"
  nullable    = false
}

variable "expiry_warning" {
  description = "How long before the end of a secret's life every plan begins to warn, as a duration in hours."
  type        = string
  default     = "720h"
  nullable    = false

  validation {
    condition     = can(timeadd("2026-01-01T00:00:00Z", "-${var.expiry_warning}"))
    error_message = "expiry_warning must be a duration, such as 720h for 30 days."
  }
}

variable "variant" {
  description = "Variant of the integration, as in the module `m365-support-integration`. `aad_v1` needs all three applications, the others only the outbound one."
  type        = string
  default     = "aad_v1"
  nullable    = false

  validation {
    condition     = contains(["aad_v1", "basic_v1", "insights_only", "v2"], var.variant)
    error_message = "variant must be one of aad_v1, basic_v1, insights_only, v2."
  }
}

variable "federated_credentials" {
  description = "Federated credentials, by a name of your choice: a workload that holds a token of `issuer` for `subject` may sign in as the application without its secret. `application` is `outbound`, `inbound` or `rest_user`."
  type = map(object({
    application = string
    issuer      = string
    subject     = string
    audiences   = optional(list(string), ["api://AzureADTokenExchange"])
    description = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for credential in values(var.federated_credentials) : contains(var.variant == "aad_v1" ? ["outbound", "inbound", "rest_user"] : ["outbound"], credential.application)])
    error_message = "federated_credentials: application must be outbound, inbound or rest_user; the last two exist in the variant aad_v1 only."
  }

  validation {
    condition     = alltrue([for credential in values(var.federated_credentials) : startswith(credential.issuer, "https://") && !endswith(credential.issuer, "/")])
    error_message = "federated_credentials: issuer must be an https:// address without a slash at its end. Entra compares it character by character with the token's."
  }
}
