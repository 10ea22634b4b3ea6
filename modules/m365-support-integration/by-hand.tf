# The steps that no published API reaches: the application's own set-up wizard and, unless this module writes it, the
# form of the Microsoft 365 admin center. Each entry is one value to enter or choose.
locals {
  wizard          = "ServiceNow > Microsoft 365 Support > Setup"
  form            = "Microsoft 365 admin center > Settings > Org settings > Organization profile > Support integration"
  basic_form      = "${local.form} > Basic information"
  repository_form = "${local.form} > Repositories > New repository"

  all_steps = [
    {
      variants = ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "C1", where = "ServiceNow > application picker", field = "Application", value = "Microsoft 365 support integration", secret = null
    },
    {
      variants = ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "C3", where = local.wizard, field = "Consent prompt", value = "Accept", secret = null
    },
    {
      variants = ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "C4", where = local.wizard, field = "This is a test environment", value = var.test_environment ? "Yes" : "No", secret = null
    },
    {
      variants = ["aad_v1", "insights_only"]
      step     = "C4", where = local.wizard, field = "Does the instance allow basic authentication inbound?", value = "No", secret = null
    },
    {
      variants = ["basic_v1"]
      step     = "C4", where = local.wizard, field = "Does the instance allow basic authentication inbound?", value = "Yes", secret = null
    },
    {
      variants = ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "C5", where = local.wizard, field = "Microsoft 365 tenant domain", value = var.tenant, secret = null
    },
    {
      variants = ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "C6a", where = "${local.wizard} > Outbound, part 1", field = "Entra application", value = "Done", secret = null
    },
    {
      variants = ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "C6b", where = "${local.wizard} > Outbound, part 2", field = "ServiceNow OAuth registration", value = servicenow_oauth_entity.outbound.default_profile_name, secret = null
    },
    {
      variants = ["aad_v1"]
      step     = "C7a", where = "${local.wizard} > Inbound, part 1", field = "Entra application", value = "Done", secret = null
    },
    {
      variants = ["aad_v1"]
      step     = "C7b", where = "${local.wizard} > Inbound, part 2", field = "External OIDC provider registration", value = one(servicenow_oidc_provider.inbound[*].name), secret = null
    },
    {
      variants = ["aad_v1"]
      step     = "C7c", where = "${local.wizard} > Inbound, part 3", field = "Entra application", value = "Done", secret = null
    },
    {
      variants = ["aad_v1"]
      step     = "C7d", where = "${local.wizard} > Inbound, part 4", field = "Integration user", value = local.rest_user_id, secret = null
    },
    {
      variants = ["basic_v1"]
      step     = "C7b", where = "${local.wizard} > Inbound", field = "OAuth API endpoint for external clients", value = one(servicenow_oauth_entity.inbound[*].name), secret = null
    },
    {
      variants = ["basic_v1"]
      step     = "C7d", where = "${local.wizard} > Inbound", field = "Integration user", value = local.rest_user_id, secret = null
    },
    {
      variants = ["insights_only"]
      step     = "C7", where = "${local.wizard} > Inbound", field = "Every inbound page", value = "Skip", secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "M3", where = local.basic_form, field = "Internal support tool", value = "ServiceNow", secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "M3", where = local.basic_form, field = "Application ID to issue Auth Token", value = local.outbound_id, secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "M4", where = local.repository_form, field = "Repository ID", value = local.repository_id, secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1", "insights_only", "v2"]
      step     = "M4", where = local.repository_form, field = "Endpoint", value = local.endpoint, secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "insights_only"]
      step     = "M4", where = local.repository_form, field = "Authentication type", value = "AAD Auth", secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["basic_v1"]
      step     = "M4", where = local.repository_form, field = "Authentication type", value = "Basic Auth", secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1", "insights_only"]
      step     = "M4", where = local.repository_form, field = "Client ID", value = local.repository.client_id, secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1"]
      step     = "M4", where = local.repository_form, field = "Client secret", value = null, secret = "inbound"
    },
    {
      variants = var.manage_admin_center ? [] : ["basic_v1"]
      step     = "M4", where = local.repository_form, field = "Refresh token expiry (seconds)", value = tostring(var.refresh_token_expiry), secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1", "insights_only"]
      step     = "M4", where = local.repository_form, field = "Rest user name", value = local.repository.rest_user_name, secret = null
    },
    {
      variants = var.manage_admin_center ? [] : ["aad_v1", "basic_v1"]
      step     = "M4", where = local.repository_form, field = "Rest user password", value = null, secret = "rest_user"
    },
    {
      variants = var.manage_admin_center ? [] : ["insights_only"]
      step     = "M4", where = local.repository_form, field = "Rest user password", value = local.ignored, secret = null
    },
    {
      variants = ["aad_v1", "basic_v1"]
      step     = "M6", where = "${local.wizard} > Summary", field = "Button", value = "Test connection", secret = null
    },
    {
      variants = ["insights_only"]
      step     = "M6", where = "${local.wizard} > Summary", field = "Button", value = "Next", secret = null
    },
    {
      variants = ["v2"]
      step     = "M6", where = "${local.wizard} > Summary", field = "Button", value = "Test setup", secret = null
    },
    {
      variants = ["aad_v1", "basic_v1", "v2"]
      step     = "L1", where = "ServiceNow > Microsoft 365 Support > Link Account (optional)", field = "Email", value = coalesce(var.admin_email, "e-mail address of a Microsoft 365 administrator"), secret = null
    },
  ]

  steps = [for entry in local.all_steps : entry if contains(entry.variants, var.variant)]

  # Only the secrets that must be entered manually in the variant, so that no others reach an output.
  typed_secrets = toset([for entry in local.steps : entry.secret if entry.secret != null])
}
