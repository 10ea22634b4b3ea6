# The values of the admin center's form in each variant (step M4).
locals {
  # The form requires client ID, user name and password even where nothing uses them; Microsoft's page suggests this
  # word for them.
  ignored = "ignored"

  repository = {
    aad_v1 = {
      authentication_type        = "aad"
      client_id                  = local.inbound_id
      rest_user_name             = local.rest_user_id
      rest_user_password_version = local.rest_user_version
      refresh_token_expiry       = null
    }
    basic_v1 = {
      authentication_type        = "basic"
      client_id                  = try(servicenow_oauth_entity.inbound[0].client_id, null)
      rest_user_name             = local.rest_user_id
      rest_user_password_version = local.rest_user_version
      refresh_token_expiry       = var.refresh_token_expiry
    }
    insights_only = {
      authentication_type        = "aad"
      client_id                  = local.ignored
      rest_user_name             = local.ignored
      rest_user_password_version = local.ignored
      refresh_token_expiry       = null
    }
    v2 = {
      authentication_type        = null
      client_id                  = null
      rest_user_name             = null
      rest_user_password_version = null
      refresh_token_expiry       = null
    }
  }[var.variant]

  repository_password = {
    aad_v1        = local.secrets.rest_user
    basic_v1      = local.secrets.rest_user
    insights_only = local.ignored
    v2            = null
  }[var.variant]
}
