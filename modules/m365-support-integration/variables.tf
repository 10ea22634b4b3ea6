variable "instance_url" {
  description = "Address of the ServiceNow instance, without a path, such as `https://contoso.service-now.com`."
  type        = string

  validation {
    condition     = can(regex("^https?://[^/?#]+/?$", var.instance_url))
    error_message = "instance_url must be an address without a path, such as https://contoso.service-now.com."
  }
}

variable "tenant" {
  description = "Microsoft Entra tenant: a verified domain such as `contoso.com`, or the tenant ID."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9.-]*$", var.tenant)) && !contains(["common", "organizations", "consumers"], var.tenant)
    error_message = "tenant must be a verified domain, such as contoso.com, or a tenant ID. The shared addresses common, organizations and consumers cannot issue the tokens this needs."
  }
}

variable "outbound" {
  description = "The Entra application with which ServiceNow signs in to Microsoft (A1): `client_id`, `client_secret`, and `secret_version`, a text that changes with the secret; an empty one leaves the secret of an imported record as it is. Fits the output of the same name of the module `entra-apps`."
  type = object({
    client_id      = string
    client_secret  = optional(string)
    secret_version = optional(string, "1")
  })
  sensitive = true

  validation {
    condition     = try(trimspace(var.outbound.client_id) != "", false)
    error_message = "outbound.client_id must be the client ID of the application with which ServiceNow signs in to Microsoft."
  }
}

variable "inbound" {
  description = "In the variant `aad_v1`, the Entra application that is the audience of Microsoft's calls (A2). In `basic_v1`, client ID (32 characters; null lets the instance choose one) and secret of ServiceNow's own OAuth endpoint. Not used by the other variants, may be null."
  type = object({
    client_id      = optional(string)
    client_secret  = optional(string)
    secret_version = optional(string, "1")
  })
  default   = null
  sensitive = true

  validation {
    condition     = var.variant != "aad_v1" || try(trimspace(var.inbound.client_id) != "", false)
    error_message = "inbound.client_id is missing: the variant aad_v1 needs the client ID of the application that Microsoft's calls are made for."
  }
}

variable "rest_user" {
  description = "In the variant `aad_v1`, the Entra application as which Microsoft calls (A3); its client ID becomes the user name of the integration user. In `basic_v1`, user name (`client_id`) and password (`client_secret`) of the integration user. Not used by the other variants, may be null."
  type = object({
    client_id      = string
    client_secret  = optional(string)
    secret_version = optional(string, "1")
  })
  default   = null
  sensitive = true

  validation {
    condition     = !contains(["aad_v1", "basic_v1"], var.variant) || try(trimspace(var.rest_user.client_id) != "", false)
    error_message = "rest_user.client_id is missing: the variant aad_v1 needs the client ID of the application as which Microsoft calls, basic_v1 the user name of the integration user."
  }

  validation {
    condition     = var.variant != "aad_v1" || try(var.rest_user.client_id != var.inbound.client_id, true)
    error_message = "rest_user.client_id and inbound.client_id are the same application. The guide's text mixes the two up: the first one calls (A3), the second one is called (A2)."
  }
}

variable "client_secrets" {
  description = "The same secrets as in `outbound`, `inbound` and `rest_user`, for values that must appear in no plan and no state, such as those of an ephemeral resource. These values take precedence."
  type = object({
    outbound  = optional(string)
    inbound   = optional(string)
    rest_user = optional(string)
  })
  default   = {}
  nullable  = false
  ephemeral = true
  sensitive = true
}

variable "variant" {
  description = "Which set-up to create: `aad_v1` (the guide: Microsoft calls with Entra tokens), `basic_v1` (Microsoft calls with user name and password and an OAuth endpoint of ServiceNow), `insights_only` (nobody calls ServiceNow), `v2` (application 2.0.0 and later: repository with ID and endpoint only)."
  type        = string
  default     = "aad_v1"
  nullable    = false

  validation {
    condition     = contains(["aad_v1", "basic_v1", "insights_only", "v2"], var.variant)
    error_message = "variant must be one of aad_v1, basic_v1, insights_only, v2."
  }
}

variable "name_prefix" {
  description = "First part of the names of the records. The set-up wizard recommends `m365supportintegration`, and `dev_m365supportintegration` for a test instance."
  type        = string
  default     = "m365supportintegration"
  nullable    = false

  validation {
    condition     = length(trimspace(var.name_prefix)) > 0 && length(var.name_prefix) <= 70
    error_message = "name_prefix must have 1 to 70 characters, such as m365supportintegration."
  }
}

variable "repository_id" {
  description = "Repository ID in the Microsoft 365 admin center, as the set-up wizard shows it. Default: the instance's host name."
  type        = string
  default     = null

  validation {
    condition     = var.repository_id == null ? true : length(trimspace(var.repository_id)) > 0
    error_message = "repository_id must not be empty. Omit it to use the instance's host name."
  }
}

variable "endpoint" {
  description = "Address of the instance that the Microsoft 365 admin center stores. Default: `instance_url` with a slash at its end."
  type        = string
  default     = null

  validation {
    condition     = var.endpoint == null ? true : can(regex("^https?://[^/?#]+", var.endpoint))
    error_message = "endpoint must be an address, such as https://contoso.service-now.com/. Omit it to use instance_url."
  }
}

variable "manage_admin_center" {
  description = "Whether to write the settings and the repository in the Microsoft 365 admin center. Its API is not published, and it requires the sign-in of a person. With `false` the values to enter are in the output `values_to_enter_by_hand`."
  type        = bool
  default     = false
  nullable    = false
}

variable "readable_by_all_scopes" {
  description = "The guide's step for the error *Read operation against 'oauth_entity' … has been refused*: lets every application of the instance read the OAuth registrations. Destroy restores the old values. `readable_by_application` is narrower."
  type        = bool
  default     = false
  nullable    = false
}

variable "readable_by_application" {
  description = "Whether to write the cross-scope privileges with which the Microsoft application reads `oauth_entity` and `oauth_entity_profile`. Its installation writes them on most instances; set this where the wizard shows the error and the two records are missing. The application must be installed."
  type        = bool
  default     = false
  nullable    = false
}

variable "allow_connector_addresses" {
  description = "Whether to write IP access rules that allow the six addresses of Microsoft's connector. Such rules have an effect only on instances that have a rule which denies."
  type        = bool
  default     = false
  nullable    = false
}

variable "administrators" {
  description = "User names of existing users who may open cases with Microsoft (role `x_mioms_m365_assis.administrator`)."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.variant != "insights_only" || length(var.administrators) == 0
    error_message = "administrators must be empty in the variant insights_only: without the inbound part nobody can open cases. Use insights_users, or another variant."
  }

  validation {
    condition     = alltrue([for name in var.administrators : trimspace(name) != ""])
    error_message = "administrators contains an empty user name: remove it, or correct the variable that it comes from."
  }
}

variable "insights_users" {
  description = "User names of existing users who may see service health incidents and recommended solutions (role `x_mioms_m365_assis.insights_user`)."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.insights_users : trimspace(name) != ""])
    error_message = "insights_users contains an empty user name: remove it, or correct the variable that it comes from."
  }
}

variable "application_scope" {
  description = "Scope of the Microsoft 365 support integration application. It must be installed before its roles can be granted."
  type        = string
  default     = "x_mioms_m365_assis"
  nullable    = false
}

variable "integration_user_roles" {
  description = "Roles of the integration user, by name."
  type        = set(string)
  default     = ["incident_manager"]
  nullable    = false

  validation {
    condition     = length(var.integration_user_roles) > 0
    error_message = "integration_user_roles must name at least one role: a user without roles cannot read incidents."
  }

  validation {
    condition     = alltrue([for name in var.integration_user_roles : trimspace(name) != ""])
    error_message = "integration_user_roles contains an empty name: remove it, or correct the variable that it comes from."
  }
}

variable "oidc_configuration_id" {
  description = "sys_id of an OIDC provider configuration that the instance already has for this tenant's metadata address. An instance may refuse a second one; several registrations can share one when claim (`appid`) and field (`user_name`) are the same. Default: a new one."
  type        = string
  default     = null
}

variable "login_url" {
  description = "Entra's address, for national clouds: `https://login.microsoftonline.us`, `https://login.partner.microsoftonline.cn`."
  type        = string
  default     = "https://login.microsoftonline.com"
  nullable    = false

  validation {
    condition     = can(regex("^https?://[^/?#]+/?$", var.login_url))
    error_message = "login_url must be an address without a path, such as https://login.microsoftonline.com."
  }
}

variable "refresh_token_expiry" {
  description = "Seconds until the refresh token of the variant `basic_v1` expires. Must be the lifespan that ServiceNow gives it; its default is 100 days."
  type        = number
  default     = 8640000
  nullable    = false

  validation {
    condition     = var.refresh_token_expiry > 0
    error_message = "refresh_token_expiry must be a positive number of seconds, such as 8640000 for 100 days."
  }
}

variable "test_environment" {
  description = "Whether this is a test instance. Only changes what `values_to_enter_by_hand` says about the wizard's first page: Microsoft's agents do not answer cases of a test environment."
  type        = bool
  default     = false
  nullable    = false
}

variable "admin_email" {
  description = "E-mail address of the Microsoft 365 administrator whose account the application links (optional step L1). Only shown in `values_to_enter_by_hand`."
  type        = string
  default     = null
}
