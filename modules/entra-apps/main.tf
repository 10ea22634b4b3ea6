locals {
  instance_url = trimsuffix(var.servicenow_instance_url, "/")

  # The names that the set-up wizard recommends.
  names = {
    outbound  = "${var.name_prefix}_outbound"
    inbound   = "${var.name_prefix}_inbound_aad"
    rest_user = "${var.name_prefix}_servicenow_rest_user"
  }

  # Only the guide's own variant has ServiceNow check tokens of Entra.
  roles = toset(var.variant == "aad_v1" ? ["outbound", "inbound", "rest_user"] : ["outbound"])

  # Null leaves ownership to azuread, which then keeps nobody.
  owners = length(var.owners) > 0 ? var.owners : null
}

resource "azuread_application" "this" {
  for_each = local.roles

  display_name     = local.names[each.key]
  sign_in_audience = "AzureADMyOrg"
  owners           = local.owners

  api {
    # The audience's version decides the version of the tokens, whoever asks for them. With 2, tokens name their caller
    # in "azp" and ServiceNow, which looks for "appid", answers every call with 401.
    requested_access_token_version = 1
  }

  dynamic "web" {
    for_each = each.key == "outbound" ? [1] : []

    content {
      redirect_uris = ["${local.instance_url}/oauth_redirect.do"]
    }
  }
}

# Microsoft's portal creates these automatically, Graph does not. Without one Entra answers AADSTS7000229 to the caller and
# AADSTS500011 for the audience.
resource "azuread_service_principal" "this" {
  for_each = local.roles

  client_id = azuread_application.this[each.key].client_id
  owners    = local.owners

  # The REST user application has no role in the inbound one. Requiring an assignment would refuse it (AADSTS501051).
  app_role_assignment_required = false
}

# Records when the secrets were created, so that their expiry date does not change from plan to plan.
resource "terraform_data" "issued" {
  input            = plantimestamp()
  triggers_replace = [var.rotate]

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [input]
  }
}

resource "azuread_application_password" "this" {
  for_each = local.roles

  application_id = azuread_application.this[each.key].id
  display_name   = "Terraform, rotation ${var.rotate}"
  end_date       = timeadd(terraform_data.issued.input, var.secret_lifetime)

  rotate_when_changed = {
    rotate = var.rotate
  }

  lifecycle {
    # An application may hold several secrets at once. The new one is created first, everything that depends on it is
    # updated, and the old one is deleted last: both sides have a working secret at all times.
    create_before_destroy = true
  }
}

resource "azuread_application_federated_identity_credential" "this" {
  for_each = var.federated_credentials

  application_id = azuread_application.this[each.value.application].id
  display_name   = each.key
  description    = each.value.description
  issuer         = each.value.issuer
  subject        = each.value.subject
  audiences      = each.value.audiences
}

check "secrets_are_not_about_to_expire" {
  assert {
    condition     = timecmp(plantimestamp(), timeadd(timeadd(terraform_data.issued.input, var.secret_lifetime), "-${var.expiry_warning}")) < 0
    error_message = "The client secrets of ${var.name_prefix} end on ${timeadd(terraform_data.issued.input, var.secret_lifetime)}. Change the input \"rotate\" to create new ones before that."
  }
}
