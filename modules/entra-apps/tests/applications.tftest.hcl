# What the applications are made of. Runs without an account: azuread is mocked.

mock_provider "azuread" {
  # azuread checks the form of the IDs that one resource hands to another.
  mock_resource "azuread_application" {
    defaults = {
      id        = "/applications/00000000-0000-4000-8000-000000000001"
      object_id = "00000000-0000-4000-8000-000000000001"
      client_id = "00000000-0000-4000-8000-000000000002"
    }
  }

  mock_resource "azuread_service_principal" {
    defaults = {
      object_id = "00000000-0000-4000-8000-000000000003"
    }
  }

  mock_resource "azuread_application_password" {
    defaults = {
      key_id = "00000000-0000-4000-8000-000000000004"
      value  = "mock-secret"
    }
  }
}

variables {
  servicenow_instance_url = "https://contoso.service-now.com/"
}

run "the_guide_has_three_applications" {
  command = apply

  assert {
    condition = { for role, application in azuread_application.this : role => application.display_name } == {
      inbound   = "m365supportintegration_inbound_aad"
      outbound  = "m365supportintegration_outbound"
      rest_user = "m365supportintegration_servicenow_rest_user"
    }
    error_message = "Names are not those that the wizard recommends."
  }

  assert {
    condition     = alltrue([for application in azuread_application.this : application.sign_in_audience == "AzureADMyOrg"])
    error_message = "An application is open to other tenants."
  }

  assert {
    condition     = alltrue([for application in azuread_application.this : one(application.api).requested_access_token_version == 1])
    error_message = "Tokens of version 2 have no claim appid: every call to ServiceNow would be answered with 401."
  }

  assert {
    condition     = one(azuread_application.this["outbound"].web).redirect_uris == toset(["https://contoso.service-now.com/oauth_redirect.do"])
    error_message = "Wrong redirect URI."
  }

  assert {
    condition     = length(azuread_application.this["inbound"].web) == 0 && length(azuread_application.this["rest_user"].web) == 0
    error_message = "Only the outbound application has a redirect URI."
  }

  assert {
    condition     = alltrue([for principal in azuread_service_principal.this : principal.app_role_assignment_required == false])
    error_message = "Requiring an assignment makes Entra refuse the REST user application."
  }

  assert {
    condition     = azuread_application_password.this["inbound"].end_date == timeadd(terraform_data.issued.input, "4320h")
    error_message = "A secret does not end after 180 days."
  }

  assert {
    condition = nonsensitive(output.inbound) == {
      client_id                   = "00000000-0000-4000-8000-000000000002"
      object_id                   = "00000000-0000-4000-8000-000000000001"
      service_principal_object_id = "00000000-0000-4000-8000-000000000003"
      client_secret               = "mock-secret"
      secret_version              = "00000000-0000-4000-8000-000000000004"
    }
    error_message = "The output does not fit the module m365-support-integration."
  }
}

run "an_unchanged_plan_keeps_the_secrets" {
  command = plan

  assert {
    condition     = output.secrets_expire_at == run.the_guide_has_three_applications.secrets_expire_at
    error_message = "The end of the secrets' life moved."
  }
}

run "a_rotation_makes_new_secrets" {
  command = plan

  variables {
    rotate = "2"
  }

  assert {
    condition     = azuread_application_password.this["outbound"].rotate_when_changed["rotate"] == "2"
    error_message = "The secret does not know of the rotation."
  }
}

run "the_other_variants_have_the_outbound_application_only" {
  command = plan

  variables {
    variant = "v2"
  }

  assert {
    condition     = keys(azuread_application.this) == ["outbound"]
    error_message = "An application was registered that this variant does not use."
  }

  assert {
    condition     = nonsensitive(output.inbound == null && output.rest_user == null)
    error_message = "Outputs of absent applications must be null."
  }
}

run "a_workload_can_sign_in_without_a_secret" {
  command = plan

  variables {
    federated_credentials = {
      apply = {
        application = "outbound"
        issuer      = "https://app.terraform.io"
        subject     = "organization:o:project:p:workspace:w:run_phase:apply"
      }
    }
  }

  assert {
    condition     = azuread_application_federated_identity_credential.this["apply"].audiences == tolist(["api://AzureADTokenExchange"])
    error_message = "Wrong audience."
  }
}
