# Invalid input is rejected at plan, with the name of the variable.

mock_provider "azuread" {}

variables {
  servicenow_instance_url = "https://contoso.service-now.com"
}

run "an_instance_url_with_a_path" {
  command = plan

  variables {
    servicenow_instance_url = "https://contoso.service-now.com/nav_to.do"
  }

  expect_failures = [var.servicenow_instance_url]
}

run "a_lifetime_in_days" {
  command = plan

  variables {
    secret_lifetime = "180d"
  }

  expect_failures = [var.secret_lifetime]
}

run "a_lifetime_of_minutes" {
  command = plan

  variables {
    secret_lifetime = "30m"
  }

  expect_failures = [var.secret_lifetime]
}

run "an_owner_by_name" {
  command = plan

  variables {
    owners = ["abel.tuter@contoso.com"]
  }

  expect_failures = [var.owners]
}

run "an_unknown_variant" {
  command = plan

  variables {
    variant = "v3"
  }

  expect_failures = [var.variant]
}

run "a_federated_credential_for_an_application_that_is_not_there" {
  command = plan

  variables {
    variant = "v2"
    federated_credentials = {
      x = { application = "inbound", issuer = "https://app.terraform.io", subject = "s" }
    }
  }

  expect_failures = [var.federated_credentials]
}

run "an_issuer_that_entra_would_not_match" {
  command = plan

  variables {
    federated_credentials = {
      x = { application = "outbound", issuer = "https://app.terraform.io/", subject = "s" }
    }
  }

  expect_failures = [var.federated_credentials]
}
