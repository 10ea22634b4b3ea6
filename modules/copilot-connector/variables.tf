variable "tenant_id" {
  description = "Microsoft Entra tenant ID (GUID). Tokens name the tenant by its ID only, so that a domain does not fit here."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.tenant_id))
    error_message = "tenant_id must be the tenant's ID (a GUID), not its domain."
  }
}

variable "service_principal_object_id" {
  description = "Object ID of the calling application's service principal in the tenant: not its client ID and not the object ID of an app registration. Becomes the user name of the machine user. Needed by every preset but `ess_user`, whose callers are people."
  type        = string
  default     = null

  validation {
    condition     = var.preset == "ess_user" || can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.service_principal_object_id))
    error_message = "service_principal_object_id must be the object ID (a GUID) of the calling application's service principal: data \"azuread_service_principal\" with client_id 933838e2-bec1-440f-a634-9363c82e5b6d for the Copilot connector."
  }

  validation {
    condition     = var.service_principal_object_id != "933838e2-bec1-440f-a634-9363c82e5b6d"
    error_message = "service_principal_object_id is the connector's client ID, which is the same in all tenants. Look up the object ID of its service principal in yours."
  }
}

variable "preset" {
  description = "Which of Microsoft's set-ups to create: `copilot_federated` (Copilot connector, Federated Auth, no secret), `copilot_own_app` (Copilot connector with your own application), `ess_certificate` (Employee Self-Service agent, service to service), `ess_user` (Employee Self-Service agent, as the signed-in user)."
  type        = string
  default     = "copilot_federated"
  nullable    = false

  validation {
    condition     = contains(["copilot_federated", "copilot_own_app", "ess_certificate", "ess_user"], var.preset)
    error_message = "preset must be one of copilot_federated, copilot_own_app, ess_certificate, ess_user. The Microsoft 365 support integration has its own module, m365-support-integration."
  }
}

variable "client_id" {
  description = "Client ID of the application that the tokens are issued for. The preset `copilot_federated` knows Microsoft's own; the others need yours."
  type        = string
  default     = null

  validation {
    condition     = var.preset == "copilot_federated" || try(trimspace(var.client_id) != "", false)
    error_message = "client_id is missing: every preset but copilot_federated needs the client ID of your application."
  }
}

variable "client_secret" {
  description = "Secret to keep in the registration. Checking tokens does not use it; Microsoft's page for `copilot_own_app` asks for the application's secret all the same. Not stored in plan or state. Empty: none."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
}

variable "client_secret_version" {
  description = "Text that changes with `client_secret`; a change sends the secret again."
  type        = string
  default     = null
}

variable "user_claim" {
  description = "Claim of the token that names the caller: `sub` or `oid`, which hold the same value in tokens of applications. Default: the preset's (`sub`; `oid` for `ess_certificate`; `upn` for `ess_user`)."
  type        = string
  default     = null

  validation {
    condition     = var.user_claim == null ? true : contains(var.preset == "ess_user" ? ["upn", "oid", "email"] : ["sub", "oid"], var.user_claim)
    error_message = "user_claim must be sub or oid; in the preset ess_user upn, oid or email. No other claim tells one caller from another in these tokens."
  }
}

variable "roles" {
  description = "Roles of the machine user, by name. The default is what Microsoft's set-up script grants to the Copilot connector; Microsoft's pages differ, and content of other applications needs more, such as `sn_hr_core.content_reader`. Default for `copilot_own_app`: `knowledge`. Roles alone do not open tables that access rules close."
  type        = set(string)
  default     = null

  validation {
    condition     = contains(["copilot_federated", "copilot_own_app", "ess_user"], var.preset) || try(length(var.roles) > 0, false)
    error_message = "roles is missing: the preset ess_certificate has no roles of its own, name those that the agent's topics need."
  }

  validation {
    condition     = alltrue([for name in coalesce(var.roles, []) : trimspace(name) != ""])
    error_message = "roles contains an empty name: remove it, or correct the variable that it comes from."
  }
}

variable "auth_scopes" {
  description = "REST API auth scopes of the registration, by name. Default: the preset's (`useraccount` for the Copilot connector, none for the Employee Self-Service agent). They need the plugin `com.glide.rest.auth.scope`."
  type        = set(string)
  default     = null

  validation {
    condition     = alltrue([for name in coalesce(var.auth_scopes, []) : trimspace(name) != ""])
    error_message = "auth_scopes contains an empty name: remove it, or correct the variable that it comes from."
  }
}

variable "name" {
  description = "Name of the registration and of its provider configuration."
  type        = string
  default     = "Microsoft Entra ID"
  nullable    = false

  validation {
    condition     = length(trimspace(var.name)) > 0
    error_message = "name must not be empty. Omit it to use Microsoft's: Microsoft Entra ID."
  }
}

variable "oidc_configuration_id" {
  description = "sys_id of an OIDC provider configuration that the instance already has for this metadata address, with the same claim and field. An instance may refuse a second one. Default: a new one."
  type        = string
  default     = null
}

variable "identity_type" {
  description = "Identity type of the machine user. Null for instances before the Zurich release, which have no such column."
  type        = string
  default     = "machine"
}

variable "login_url" {
  description = "Entra's address, for national clouds such as `https://login.microsoftonline.us`."
  type        = string
  default     = "https://login.microsoftonline.com"
  nullable    = false

  validation {
    condition     = can(regex("^https?://[^/?#]+/?$", var.login_url))
    error_message = "login_url must be an address without a path, such as https://login.microsoftonline.com."
  }
}
