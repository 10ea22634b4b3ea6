variable "instance_url" {
  description = "Address of the ServiceNow instance."
  type        = string
}

variable "username" {
  description = "User name at the instance. Null: credentials come from the environment variables SERVICENOW_*."
  type        = string
  default     = null
}

variable "password" {
  description = "Password of that user. Null: from the environment."
  type        = string
  default     = null
  ephemeral   = true
}

variable "microsoft365" {
  description = "How to sign in to Microsoft 365, as in the provider block. Only needed with `manage_admin_center`, and then a person's: `refresh_token` (with the `client_id` that it belongs to) or `access_token`. Null: from the environment variables M365_REFRESH_TOKEN or M365_ACCESS_TOKEN, and ARM_*, which azuread reads as well."
  type = object({
    tenant_id     = optional(string)
    client_id     = optional(string)
    client_secret = optional(string)
    refresh_token = optional(string)
    access_token  = optional(string)
    login_url     = optional(string)
    admin_url     = optional(string)
  })
  default   = null
  ephemeral = true
}

variable "tenant" {
  description = "Microsoft Entra tenant: domain or ID."
  type        = string
}

variable "login_url" {
  description = "Entra's address as the ServiceNow instance must see it."
  type        = string
  default     = "https://login.microsoftonline.com"
}

variable "name_prefix" {
  description = "First part of all names. The set-up wizard recommends dev_m365supportintegration for a test instance."
  type        = string
  default     = "m365supportintegration"
}

variable "rotate" {
  description = "Change this text to rotate all secrets without a gap."
  type        = string
  default     = "1"
}

variable "secret_lifetime" {
  description = "How long the client secrets are valid."
  type        = string
  default     = "4320h"
}

variable "manage_admin_center" {
  description = "Whether to write the settings and the repository of the Microsoft 365 admin center. Needs the sign-in of a person; without it, the values to enter are in the output `values_to_enter_by_hand`."
  type        = bool
  default     = false
}

variable "administrators" {
  description = "User names of those who may open cases with Microsoft."
  type        = set(string)
  default     = []
}

variable "insights_users" {
  description = "User names of those who may see health incidents and solutions."
  type        = set(string)
  default     = []
}
