locals {
  # "Graph Connector Federated Credential App": Microsoft's own, the same in every tenant. Only looked up, never created.
  first_party_client_id = "933838e2-bec1-440f-a634-9363c82e5b6d"

  presets = {
    copilot_federated = {
      client_id        = local.first_party_client_id
      metadata_version = "v2.0/"
      user_claim       = "sub"
      auth_scopes      = ["useraccount"]
      roles            = ["knowledge_admin", "user_admin", "user_criteria_admin"]
    }
    copilot_own_app = {
      client_id        = var.client_id
      metadata_version = ""
      user_claim       = "sub"
      auth_scopes      = ["useraccount"]
      roles            = ["knowledge"]
    }
    ess_certificate = {
      client_id        = var.client_id
      metadata_version = ""
      user_claim       = "oid"
      auth_scopes      = []
      roles            = []
    }
    ess_user = {
      client_id        = var.client_id
      metadata_version = ""
      user_claim       = "upn"
      auth_scopes      = []
      roles            = []
    }
  }
  preset = local.presets[var.preset]

  # People sign in as themselves, applications as a user made for them.
  has_machine_user = var.preset != "ess_user"

  user_claim  = coalesce(var.user_claim, local.preset.user_claim)
  roles       = var.roles != null ? var.roles : toset(local.preset.roles)
  auth_scopes = var.auth_scopes != null ? var.auth_scopes : toset(local.preset.auth_scopes)
}

resource "servicenow_oidc_provider" "this" {
  name      = var.name
  client_id = local.preset.client_id

  # If no secret is set, the instance generates one, which nothing uses.
  client_secret_wo         = var.client_secret == "" ? null : var.client_secret
  client_secret_wo_version = var.client_secret_version

  auth_scopes = length(local.auth_scopes) > 0 ? local.auth_scopes : null

  configuration_id = var.oidc_configuration_id
  configuration = var.oidc_configuration_id != null ? null : {
    name                    = var.name
    metadata_url            = "${trimsuffix(var.login_url, "/")}/${var.tenant_id}/${local.preset.metadata_version}.well-known/openid-configuration"
    user_claim              = local.user_claim
    user_field              = "user_name"
    enable_jti_verification = false
    cache_life_span         = 120
  }
}

resource "servicenow_integration_user" "this" {
  count = local.has_machine_user ? 1 : 0

  user_name               = var.service_principal_object_id
  first_name              = var.name
  last_name               = "Connector"
  identity_type           = var.identity_type
  web_service_access_only = true
  roles                   = local.roles
}
