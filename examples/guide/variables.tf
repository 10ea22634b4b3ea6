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
  description = "How to sign in to Microsoft 365, as in the provider block. Only needed with `manage_admin_center`, and then a person's: `refresh_token` or `access_token`. Null: from the environment variables M365_REFRESH_TOKEN or M365_ACCESS_TOKEN, and ARM_*."
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

variable "outbound" {
  description = "Application with which ServiceNow signs in to Microsoft (A1)."
  type = object({
    client_id      = string
    secret_version = optional(string, "1")
  })
}

variable "inbound" {
  description = "Application that Microsoft's calls are made for (A2). In the variant basic_v1, ServiceNow's own endpoint; its client ID may be left to the instance."
  type = object({
    client_id      = optional(string)
    secret_version = optional(string, "1")
  })
  default = null
}

variable "rest_user" {
  description = "Application as which Microsoft calls (A3). In the variant basic_v1, the user name of the integration user."
  type = object({
    client_id      = string
    secret_version = optional(string, "1")
  })
  default = null
}

variable "client_secrets" {
  description = "Secrets of the applications. Ephemeral: they are in no plan and no state, and have to be given again to apply a saved plan. Only a create and a change of `secret_version` need them."
  type = object({
    outbound  = optional(string)
    inbound   = optional(string)
    rest_user = optional(string)
  })
  default   = {}
  ephemeral = true
  sensitive = true
}

variable "variant" {
  description = "Variant of the guide: aad_v1, basic_v1, insights_only or v2."
  type        = string
  default     = "aad_v1"
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
