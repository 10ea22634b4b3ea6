# https://contoso.service-now.com/oauth_redirect.do
output "redirect_url" {
  value = provider::servicenow::oauth_redirect_url("https://contoso.service-now.com")
}
