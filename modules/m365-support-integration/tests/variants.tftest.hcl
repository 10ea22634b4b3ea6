# What each variant creates, and what it leaves to be done manually. Runs without an account: the provider is mocked.

mock_provider "servicenow" {
  mock_resource "servicenow_oauth_entity" {
    defaults = {
      default_profile_name = "m365supportintegration_outbound default_profile"
    }
  }
}

variables {
  instance_url = "https://contoso.service-now.com"
  tenant       = "contoso.com"

  outbound  = { client_id = "a1", client_secret = "secret-a1", secret_version = "k1" }
  inbound   = { client_id = "a2", client_secret = "secret-a2", secret_version = "k2" }
  rest_user = { client_id = "a3", client_secret = "secret-a3", secret_version = "k3" }

  manage_admin_center = true
}

run "aad_v1" {
  command = apply

  assert {
    condition = (
      servicenow_oauth_entity.outbound.name == "m365supportintegration_outbound"
      && servicenow_oauth_entity.outbound.client_id == "a1"
      && servicenow_oauth_entity.outbound.default_grant_type == "client_credentials"
      && servicenow_oauth_entity.outbound.token_url == "https://login.microsoftonline.com/contoso.com/oauth2/token"
      && servicenow_oauth_entity.outbound.redirect_url == "https://contoso.service-now.com/oauth_redirect.do"
      && servicenow_oauth_entity.outbound.client_secret_wo_version == "k1"
    )
    error_message = "Step P10: the OAuth provider is not the guide's."
  }

  assert {
    condition     = servicenow_oidc_provider.inbound[0].client_id == "a2"
    error_message = "Step P15: tokens carry the inbound application as their audience, so that its client ID must be here."
  }

  assert {
    condition = (
      servicenow_oidc_provider.inbound[0].configuration.metadata_url == "https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration"
      && servicenow_oidc_provider.inbound[0].configuration.user_claim == "appid"
      && servicenow_oidc_provider.inbound[0].configuration.user_field == "user_name"
      && servicenow_oidc_provider.inbound[0].configuration.enable_jti_verification == false
    )
    error_message = "Step P14: the provider configuration is not the guide's."
  }

  assert {
    condition = (
      servicenow_integration_user.rest_user[0].user_name == "a3"
      && servicenow_integration_user.rest_user[0].web_service_access_only
      && servicenow_integration_user.rest_user[0].roles == toset(["incident_manager"])
      && servicenow_integration_user.rest_user[0].password_wo_version == null
    )
    error_message = "Step P16: the integration user is not the guide's."
  }

  assert {
    condition     = m365_support_settings.this[0].application_id == "a1" && m365_support_settings.this[0].internal_support_tool == "ServiceNow"
    error_message = "Step M3: wrong settings."
  }

  assert {
    condition = (
      m365_support_repository.this[0].repository_id == "contoso.service-now.com"
      && m365_support_repository.this[0].endpoint == "https://contoso.service-now.com/"
      && m365_support_repository.this[0].authentication_type == "aad"
      && m365_support_repository.this[0].client_id == "a2"
      && m365_support_repository.this[0].rest_user_name == "a3"
      && m365_support_repository.this[0].client_secret_wo_version == "k2"
      && m365_support_repository.this[0].rest_user_password_wo_version == "k3"
    )
    error_message = "Step M4: wrong repository."
  }

  assert {
    condition     = length(servicenow_oauth_entity.inbound) + length(servicenow_table_access.oauth_entity) + length(servicenow_cross_scope_privilege.read) + length(servicenow_ip_access_rule.connector) == 0
    error_message = "More was made than the variant needs."
  }

  assert {
    condition     = [for entry in output.values_to_enter_by_hand : entry.value if entry.step == "C6b"] == ["m365supportintegration_outbound default_profile"]
    error_message = "The wizard asks for the profile, not for the entity."
  }

  assert {
    condition     = [for entry in output.values_to_enter_by_hand : entry.step if startswith(entry.step, "C") || startswith(entry.step, "L")] == ["C1", "C3", "C4", "C4", "C5", "C6a", "C6b", "C7a", "C7b", "C7c", "C7d", "L1"]
    error_message = "A step of the wizard is missing, or out of order."
  }

  assert {
    condition     = length([for entry in output.values_to_enter_by_hand : entry if contains(["M3", "M4"], entry.step)]) == 0 && nonsensitive(output.secrets_to_enter_by_hand) == {}
    error_message = "What this module writes must not be asked of a person."
  }

  assert {
    condition     = !strcontains(jsonencode(output.values_to_enter_by_hand), "secret-a")
    error_message = "A secret is in an output that is not sensitive."
  }
}

run "aad_v1_by_hand" {
  command = apply

  variables {
    manage_admin_center = false
  }

  assert {
    condition     = length(m365_support_settings.this) + length(m365_support_repository.this) == 0
    error_message = "The admin center must not be touched."
  }

  assert {
    condition = { for entry in output.values_to_enter_by_hand : entry.field => entry.value if contains(["M3", "M4"], entry.step) } == {
      "Internal support tool"              = "ServiceNow"
      "Application ID to issue Auth Token" = "a1"
      "Repository ID"                      = "contoso.service-now.com"
      "Endpoint"                           = "https://contoso.service-now.com/"
      "Authentication type"                = "AAD Auth"
      "Client ID"                          = "a2"
      "Client secret"                      = null
      "Rest user name"                     = "a3"
      "Rest user password"                 = null
    }
    error_message = "Not every field of the form has its value."
  }

  assert {
    condition     = { for entry in output.values_to_enter_by_hand : entry.field => entry.secret_name if entry.secret } == { "Client secret" = "inbound", "Rest user password" = "rest_user" }
    error_message = "The secrets are not marked."
  }

  assert {
    condition     = nonsensitive(output.secrets_to_enter_by_hand) == { inbound = "secret-a2", rest_user = "secret-a3" }
    error_message = "The secrets to type are missing."
  }
}

run "basic_v1" {
  # The instance makes one up.
  override_resource {
    target = servicenow_oauth_entity.inbound
    values = { client_id = "0123456789abcdef0123456789abcdef" }
  }

  command = apply

  variables {
    variant   = "basic_v1"
    inbound   = { client_secret = "secret-of-the-endpoint", secret_version = "e1" }
    rest_user = { client_id = "m365.integration", client_secret = "password", secret_version = "p1" }
  }

  assert {
    condition     = servicenow_oauth_entity.inbound[0].type == "client" && servicenow_oauth_entity.inbound[0].name == "m365supportintegration_inbound_rest" && servicenow_oauth_entity.inbound[0].refresh_token_lifespan == 8640000
    error_message = "The OAuth endpoint is missing or wrong."
  }

  assert {
    condition     = servicenow_integration_user.rest_user[0].user_name == "m365.integration" && servicenow_integration_user.rest_user[0].password_wo_version == "p1"
    error_message = "The integration user must have the password."
  }

  assert {
    condition = (
      m365_support_repository.this[0].authentication_type == "basic"
      && m365_support_repository.this[0].client_id == servicenow_oauth_entity.inbound[0].client_id
      && m365_support_repository.this[0].rest_user_name == "m365.integration"
      && m365_support_repository.this[0].refresh_token_expiry == 8640000
    )
    error_message = "The repository must hold the endpoint's client ID and the user."
  }

  assert {
    condition     = length(servicenow_oidc_provider.inbound) == 0
    error_message = "Basic authentication needs no OIDC provider."
  }

  assert {
    condition     = contains([for entry in output.values_to_enter_by_hand : entry.value if entry.step == "C4"], "Yes")
    error_message = "The wizard's question about basic authentication must be answered with Yes."
  }
}

run "insights_only" {
  command = apply

  variables {
    variant   = "insights_only"
    inbound   = null
    rest_user = null
  }

  assert {
    condition     = length(servicenow_oidc_provider.inbound) + length(servicenow_oauth_entity.inbound) + length(servicenow_integration_user.rest_user) == 0
    error_message = "Nobody calls ServiceNow in this variant."
  }

  assert {
    condition     = m365_support_repository.this[0].client_id == "ignored" && m365_support_repository.this[0].rest_user_name == "ignored"
    error_message = "The form requires these fields; Microsoft's page suggests this word."
  }
}

run "v2" {
  command = apply

  variables {
    variant   = "v2"
    inbound   = null
    rest_user = null
  }

  # What is asked for: the state keeps the value of an argument that is left out, or the mock invents one.
  assert {
    condition     = m365_support_repository.this[0].repository_id == "contoso.service-now.com" && local.repository.client_id == null && local.repository.rest_user_name == null
    error_message = "This variant has a repository with ID and endpoint only."
  }

  assert {
    condition     = length(servicenow_oidc_provider.inbound) + length(servicenow_integration_user.rest_user) == 0
    error_message = "This variant has no inbound part."
  }

  assert {
    condition     = [for entry in output.values_to_enter_by_hand : entry.value if entry.step == "M6"] == ["Test setup"]
    error_message = "The button has another name in this variant."
  }
}
