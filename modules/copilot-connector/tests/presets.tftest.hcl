# What each preset creates. Runs without an account: the provider is mocked.

mock_provider "servicenow" {}

variables {
  tenant_id                   = "44444444-4444-4444-8444-444444444444"
  service_principal_object_id = "55555555-5555-4555-8555-555555555555"
}

run "copilot_federated" {
  command = apply

  assert {
    condition = (
      servicenow_oidc_provider.this.name == "Microsoft Entra ID"
      && servicenow_oidc_provider.this.client_id == "933838e2-bec1-440f-a634-9363c82e5b6d"
      && servicenow_oidc_provider.this.auth_scopes == toset(["useraccount"])
      && servicenow_oidc_provider.this.configuration.metadata_url == "https://login.microsoftonline.com/44444444-4444-4444-8444-444444444444/v2.0/.well-known/openid-configuration"
      && servicenow_oidc_provider.this.configuration.user_claim == "sub"
      && servicenow_oidc_provider.this.configuration.user_field == "user_name"
      && servicenow_oidc_provider.this.configuration.cache_life_span == 120
    )
    error_message = "Not what Microsoft's set-up script makes."
  }

  assert {
    condition = (
      servicenow_integration_user.this[0].user_name == "55555555-5555-4555-8555-555555555555"
      && servicenow_integration_user.this[0].identity_type == "machine"
      && servicenow_integration_user.this[0].roles == toset(["knowledge_admin", "user_admin", "user_criteria_admin"])
    )
    error_message = "The machine user is not the one of Microsoft's set-up script."
  }
}

run "copilot_own_app" {
  command = apply

  variables {
    preset    = "copilot_own_app"
    client_id = "66666666-6666-4666-8666-666666666666"
  }

  assert {
    condition = (
      servicenow_oidc_provider.this.client_id == "66666666-6666-4666-8666-666666666666"
      && servicenow_oidc_provider.this.configuration.metadata_url == "https://login.microsoftonline.com/44444444-4444-4444-8444-444444444444/.well-known/openid-configuration"
      && servicenow_integration_user.this[0].roles == toset(["knowledge"])
    )
    error_message = "Not what Microsoft's page asks for."
  }
}

run "ess_certificate" {
  command = apply

  variables {
    preset    = "ess_certificate"
    client_id = "66666666-6666-4666-8666-666666666666"
    roles     = ["itil"]
  }

  assert {
    condition     = servicenow_oidc_provider.this.configuration.user_claim == "oid" && length(local.auth_scopes) == 0
    error_message = "Not what Microsoft's page asks for."
  }
}

run "ess_user" {
  command = apply

  variables {
    preset                      = "ess_user"
    client_id                   = "66666666-6666-4666-8666-666666666666"
    service_principal_object_id = null
  }

  assert {
    condition     = servicenow_oidc_provider.this.configuration.user_claim == "upn" && length(servicenow_integration_user.this) == 0
    error_message = "People sign in as themselves."
  }
}

run "older_releases_have_no_identity_type" {
  command = plan

  variables {
    identity_type = null
  }

  assert {
    condition     = servicenow_integration_user.this[0].web_service_access_only
    error_message = "The user may sign in to the pages."
  }
}
