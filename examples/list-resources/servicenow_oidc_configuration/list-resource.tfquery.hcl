# The configurations of Entra's tenants.
list "servicenow_oidc_configuration" "entra" {
  provider = servicenow

  config {
    query = "oidc_urlLIKElogin.microsoftonline.com"
  }
}
