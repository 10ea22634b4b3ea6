# Invalid input is rejected at plan, with the name of the variable.

mock_provider "servicenow" {}

variables {
  tenant_id                   = "44444444-4444-4444-8444-444444444444"
  service_principal_object_id = "55555555-5555-4555-8555-555555555555"
}

run "a_domain_instead_of_the_tenant_id" {
  command = plan

  variables {
    tenant_id = "contoso.com"
  }

  expect_failures = [var.tenant_id]
}

run "the_client_id_instead_of_the_object_id" {
  command = plan

  variables {
    service_principal_object_id = "933838e2-bec1-440f-a634-9363c82e5b6d"
  }

  expect_failures = [var.service_principal_object_id]
}

run "no_object_id" {
  command = plan

  variables {
    service_principal_object_id = null
  }

  expect_failures = [var.service_principal_object_id]
}

run "a_claim_that_all_callers_share" {
  command = plan

  variables {
    user_claim = "aud"
  }

  expect_failures = [var.user_claim]
}

run "a_preset_of_another_module" {
  command = plan

  variables {
    preset = "m365_support"
  }

  expect_failures = [var.preset]
}

run "an_own_application_without_its_client_id" {
  command = plan

  variables {
    preset = "copilot_own_app"
  }

  expect_failures = [var.client_id]
}

run "a_certificate_flow_without_roles" {
  command = plan

  variables {
    preset    = "ess_certificate"
    client_id = "66666666-6666-4666-8666-666666666666"
  }

  expect_failures = [var.roles]
}

run "names_that_are_empty" {
  command = plan

  variables {
    roles       = [""]
    auth_scopes = ["useraccount", " "]
  }

  expect_failures = [var.roles, var.auth_scopes]
}
