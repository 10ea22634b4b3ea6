# https://login.microsoftonline.com/contoso.com/.well-known/openid-configuration
output "metadata_url" {
  value = provider::servicenow::entra_oidc_metadata_url("contoso.com", "1.0")
}

# https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration
output "metadata_url_of_version_2" {
  value = provider::servicenow::entra_oidc_metadata_url("contoso.com", "2.0")
}
