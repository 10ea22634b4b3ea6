# The optional steps.

mock_provider "servicenow" {
  mock_data "m365_support_connector_addresses" {
    defaults = {
      documented = ["52.149.152.32", "40.83.232.243"]
    }
  }
}

variables {
  instance_url = "https://contoso.service-now.com"
  tenant       = "contoso.com"

  outbound  = { client_id = "a1", client_secret = "secret-a1", secret_version = "k1" }
  inbound   = { client_id = "a2", client_secret = "secret-a2", secret_version = "k2" }
  rest_user = { client_id = "a3", client_secret = "secret-a3", secret_version = "k3" }
}

run "people_get_their_roles" {
  command = apply

  variables {
    administrators = ["abel.tuter"]
    insights_users = ["beth.anglin"]
  }

  assert {
    condition     = servicenow_user_role.administrators["abel.tuter"].role == "x_mioms_m365_assis.administrator"
    error_message = "Step U1: wrong role."
  }

  assert {
    condition     = servicenow_user_role.insights_users["beth.anglin"].role == "x_mioms_m365_assis.insights_user"
    error_message = "Step U1: wrong role."
  }
}

run "oauth_tables_are_opened" {
  command = apply

  variables {
    readable_by_all_scopes  = true
    readable_by_application = true
  }

  assert {
    condition     = servicenow_table_access.oauth_entity[0].table == "oauth_entity" && servicenow_table_access.oauth_entity[0].read_access
    error_message = "Step C2: the table is not readable."
  }

  assert {
    condition     = keys(servicenow_cross_scope_privilege.read) == ["oauth_entity", "oauth_entity_profile"]
    error_message = "Step C2: the application may not read both tables."
  }
}

run "connector_addresses_are_allowed" {
  command = apply

  variables {
    allow_connector_addresses = true
  }

  assert {
    condition     = length(servicenow_ip_access_rule.connector) == 4 && servicenow_ip_access_rule.connector["inbound 52.149.152.32"].range_end == "52.149.152.32"
    error_message = "Step O1: not every address is allowed in both directions."
  }
}

run "an_existing_configuration_is_shared" {
  command = apply

  variables {
    oidc_configuration_id = "0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = servicenow_oidc_provider.inbound[0].configuration == null && servicenow_oidc_provider.inbound[0].configuration_id == "0123456789abcdef0123456789abcdef"
    error_message = "A second configuration for the same address would be made."
  }
}

run "the_admin_center_is_left_to_a_person" {
  command = apply

  assert {
    condition     = length(m365_support_settings.this) + length(m365_support_repository.this) == 0
    error_message = "The admin center must not be touched unless it is asked for."
  }

  assert {
    condition     = contains([for entry in output.values_to_enter_by_hand : entry.step], "M4")
    error_message = "What to enter in the admin center is missing."
  }
}

run "secrets_from_a_vault_leave_no_trace" {
  command = apply

  variables {
    outbound       = { client_id = "a1" }
    inbound        = { client_id = "a2" }
    rest_user      = { client_id = "a3" }
    client_secrets = { outbound = "vault-1", inbound = "vault-2", rest_user = "vault-3" }
  }

  assert {
    condition     = !strcontains(jsonencode(nonsensitive(output.secrets_to_enter_by_hand)), "vault")
    error_message = "An ephemeral secret reached an output."
  }
}

run "a_secret_that_is_there_stays" {
  command = plan

  variables {
    manage_admin_center = true

    outbound  = { client_id = "a1", secret_version = "" }
    inbound   = { client_id = "a2", secret_version = "" }
    rest_user = { client_id = "a3", secret_version = "" }
  }

  assert {
    condition = (
      servicenow_oauth_entity.outbound.client_secret_wo_version == null
      && servicenow_oidc_provider.inbound[0].client_secret_wo_version == null
      && m365_support_repository.this[0].client_secret_wo_version == null
      && m365_support_repository.this[0].rest_user_password_wo_version == null
    )
    error_message = "A version would send a secret, and there is none."
  }
}
