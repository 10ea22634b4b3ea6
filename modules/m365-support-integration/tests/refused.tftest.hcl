# Invalid input is rejected at plan, with the name of the variable.

mock_provider "servicenow" {}

variables {
  instance_url = "https://contoso.service-now.com"
  tenant       = "contoso.com"

  outbound  = { client_id = "a1", client_secret = "secret-a1", secret_version = "k1" }
  inbound   = { client_id = "a2", client_secret = "secret-a2", secret_version = "k2" }
  rest_user = { client_id = "a3", client_secret = "secret-a3", secret_version = "k3" }
}

run "an_unknown_variant" {
  command = plan

  variables {
    variant = "aad_v2"
  }

  expect_failures = [var.variant]
}

run "no_inbound_application" {
  command = plan

  variables {
    inbound = null
  }

  expect_failures = [var.inbound]
}

run "caller_and_audience_mixed_up" {
  command = plan

  variables {
    rest_user = { client_id = "a2", client_secret = "secret-a2" }
  }

  expect_failures = [var.rest_user]
}

run "administrators_without_an_inbound_part" {
  command = plan

  variables {
    variant        = "insights_only"
    administrators = ["abel.tuter"]
  }

  expect_failures = [var.administrators]
}

run "a_tenant_that_is_shared" {
  command = plan

  variables {
    tenant = "common"
  }

  expect_failures = [var.tenant]
}

run "an_instance_without_scheme" {
  command = plan

  variables {
    instance_url = "contoso.service-now.com"
  }

  expect_failures = [var.instance_url]
}

run "names_that_are_empty" {
  command = plan

  variables {
    administrators         = [""]
    insights_users         = [" "]
    integration_user_roles = ["incident_manager", ""]
  }

  expect_failures = [var.administrators, var.insights_users, var.integration_user_roles]
}
