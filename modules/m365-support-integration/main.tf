locals {
  instance_url = trimsuffix(var.instance_url, "/")
  login_url    = trimsuffix(var.login_url, "/")
  host         = regex("^https?://(\\[[^]]+\\]|[^/:]+)", local.instance_url)[0]
  redirect_url = "${local.instance_url}/oauth_redirect.do"

  repository_id = coalesce(var.repository_id, local.host)
  endpoint      = coalesce(var.endpoint, "${local.instance_url}/")

  # What each variant has. Facts of the application, not preferences.
  checks_entra_tokens = var.variant == "aad_v1"
  has_own_endpoint    = var.variant == "basic_v1"
  has_user            = contains(["aad_v1", "basic_v1"], var.variant)

  # The inputs are sensitive as a whole, because of the secret in each. Client IDs and versions are not, and a plan that
  # hides them cannot be reviewed.
  outbound_id  = nonsensitive(var.outbound.client_id)
  inbound_id   = nonsensitive(try(var.inbound.client_id, null))
  rest_user_id = nonsensitive(try(var.rest_user.client_id, null))

  # Null, where a secret that is already there is to stay.
  outbound_version  = nonsensitive(try(coalesce(var.outbound.secret_version), null))
  inbound_version   = nonsensitive(try(coalesce(var.inbound.secret_version), null))
  rest_user_version = nonsensitive(try(coalesce(var.rest_user.secret_version), null))

  # Used by write-only arguments only.
  secrets = {
    outbound  = local.outbound_version == null ? null : try(coalesce(var.client_secrets.outbound, var.outbound.client_secret), null)
    inbound   = local.inbound_version == null ? null : try(coalesce(var.client_secrets.inbound, var.inbound.client_secret), null)
    rest_user = local.rest_user_version == null ? null : try(coalesce(var.client_secrets.rest_user, var.rest_user.client_secret), null)
  }

  roles = {
    administrators = "${var.application_scope}.administrator"
    insights_users = "${var.application_scope}.insights_user"
  }
}

# Steps P8 to P10: ServiceNow signs in to Microsoft as the outbound application.
resource "servicenow_oauth_entity" "outbound" {
  name               = "${var.name_prefix}_outbound"
  type               = "oauth_provider"
  client_id          = local.outbound_id
  default_grant_type = "client_credentials"
  token_url          = "${local.login_url}/${var.tenant}/oauth2/token"
  redirect_url       = local.redirect_url

  client_secret_wo         = local.secrets.outbound
  client_secret_wo_version = local.outbound_version
}

# Steps P11 to P15: tokens that Entra issued for the inbound application sign in. The guide's text names the REST user
# application here; tokens carry the inbound one as their audience, so that only this client ID can ever match.
resource "servicenow_oidc_provider" "inbound" {
  count = local.checks_entra_tokens ? 1 : 0

  name         = "${var.name_prefix}_inbound_aad"
  client_id    = local.inbound_id
  redirect_url = local.redirect_url

  client_secret_wo         = local.secrets.inbound
  client_secret_wo_version = local.inbound_version

  configuration_id = var.oidc_configuration_id
  configuration = var.oidc_configuration_id != null ? null : {
    name                    = "${var.name_prefix}_oidc_provider"
    metadata_url            = "${local.login_url}/${var.tenant}/.well-known/openid-configuration"
    user_claim              = "appid"
    user_field              = "user_name"
    enable_jti_verification = false
  }
}

# The variant with basic authentication: an OAuth endpoint of ServiceNow's own.
resource "servicenow_oauth_entity" "inbound" {
  count = local.has_own_endpoint ? 1 : 0

  name                   = "${var.name_prefix}_inbound_rest"
  type                   = "client"
  client_id              = local.inbound_id
  refresh_token_lifespan = var.refresh_token_expiry

  client_secret_wo         = local.secrets.inbound
  client_secret_wo_version = local.inbound_version
}

# Step P16: the user that Microsoft's calls run as.
resource "servicenow_integration_user" "rest_user" {
  count = local.has_user ? 1 : 0

  user_name               = local.rest_user_id
  first_name              = "${var.name_prefix}_integration_user"
  last_name               = "Microsoft 365 support integration"
  web_service_access_only = true
  roles                   = var.integration_user_roles

  # Tokens sign in by their claim; only the variant with basic authentication has a password to give.
  password_wo         = local.has_own_endpoint ? local.secrets.rest_user : null
  password_wo_version = local.has_own_endpoint ? local.rest_user_version : null
}

# Step C2, the narrow variant. The application's installation makes the same records on most instances; this is for those
# where they are missing.
resource "servicenow_cross_scope_privilege" "read" {
  for_each = toset(var.readable_by_application ? ["oauth_entity", "oauth_entity_profile"] : [])

  source_scope = var.application_scope
  target_scope = "global"
  target_name  = each.key
  target_type  = "sys_db_object"
  operation    = "read"
  status       = "allowed"
}

# Step C2, as in the guide. Destroy restores the old values.
resource "servicenow_table_access" "oauth_entity" {
  count = var.readable_by_all_scopes ? 1 : 0

  table         = "oauth_entity"
  access        = "public"
  read_access   = true
  caller_access = ""
}

# Step O1.
data "m365_support_connector_addresses" "this" {
  provider = servicenow
  count    = var.allow_connector_addresses ? 1 : 0
}

resource "servicenow_ip_access_rule" "connector" {
  for_each = {
    for pair in setproduct(try(data.m365_support_connector_addresses.this[0].documented, []), ["inbound", "outbound"]) :
    "${pair[1]} ${pair[0]}" => { address = pair[0], direction = pair[1] }
  }

  type        = "allow"
  direction   = each.value.direction
  range_start = each.value.address
  range_end   = each.value.address
  description = "Microsoft 365 support connector"
}

# Step U1. The look-ups fail at plan for a user who does not exist, and their names are the variables'.
data "servicenow_user" "administrators" {
  for_each = var.administrators

  user_name = each.key
}

data "servicenow_user" "insights_users" {
  for_each = var.insights_users

  user_name = each.key
}

resource "servicenow_user_role" "administrators" {
  for_each = var.administrators

  user = each.key
  role = local.roles.administrators
}

resource "servicenow_user_role" "insights_users" {
  for_each = var.insights_users

  user = each.key
  role = local.roles.insights_users
}

# Step M3.
resource "m365_support_settings" "this" {
  provider = servicenow
  count    = var.manage_admin_center ? 1 : 0

  internal_support_tool = "ServiceNow"
  application_id        = local.outbound_id
}

# Step M4. After everything that Microsoft's first call needs.
resource "m365_support_repository" "this" {
  provider = servicenow
  count    = var.manage_admin_center ? 1 : 0

  repository_id = local.repository_id
  endpoint      = local.endpoint

  authentication_type  = local.repository.authentication_type
  client_id            = local.repository.client_id
  rest_user_name       = local.repository.rest_user_name
  refresh_token_expiry = local.repository.refresh_token_expiry

  client_secret_wo              = local.has_user ? local.secrets.inbound : null
  client_secret_wo_version      = local.has_user ? local.inbound_version : null
  rest_user_password_wo         = local.repository_password
  rest_user_password_wo_version = local.repository.rest_user_password_version

  depends_on = [
    servicenow_cross_scope_privilege.read,
    servicenow_integration_user.rest_user,
    servicenow_ip_access_rule.connector,
    servicenow_oauth_entity.outbound,
    servicenow_oidc_provider.inbound,
    servicenow_table_access.oauth_entity,
    m365_support_settings.this,
  ]
}
