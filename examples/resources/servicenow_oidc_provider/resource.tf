# Steps P11 to P15: Microsoft signs in to ServiceNow with Entra tokens.
resource "servicenow_oidc_provider" "inbound" {
  name = "contoso_application_inbound_api"

  # The application that the tokens are issued for (their "aud"), not the one that asks for them.
  client_id = "22222222-2222-4222-8222-222222222222"

  configuration = {
    name         = "Contoso Azure"
    metadata_url = provider::servicenow::entra_oidc_metadata_url("contoso.com", "1.0")

    # Names the calling application. Tokens of version 2.0 have "azp" instead.
    user_claim = "appid"
    user_field = "user_name"
  }
}
