# One configuration of an issuer, for everything that trusts it.
resource "servicenow_oidc_configuration" "entra" {
  name         = "Contoso Azure"
  metadata_url = provider::servicenow::entra_oidc_metadata_url("contoso.com", "1.0")

  # Names the calling application. Tokens of version 2.0 have "azp" instead.
  user_claim = "appid"
  user_field = "user_name"
}

# Two audiences of the issuer that share it.
resource "servicenow_oidc_provider" "inbound" {
  for_each = {
    connector = "22222222-2222-4222-8222-222222222222"
    events    = "33333333-3333-4333-8333-333333333333"
  }

  name             = "contoso_${each.key}"
  client_id        = each.value
  configuration_id = servicenow_oidc_configuration.entra.id
}
