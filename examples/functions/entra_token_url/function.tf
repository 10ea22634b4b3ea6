# https://login.microsoftonline.com/contoso.com/oauth2/token
output "token_url" {
  value = provider::servicenow::entra_token_url("contoso.com")
}
